/* SPDX-License-Identifier: MIT */
#include "mdb/sym/elfsyms.h"

#include "mdb/base/ctx.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

static enum mdb_status
each_of(struct mdb_ctx *cx, Elf *elf,
	void (*fn)(void *arg, const struct mdb_elfsym *sym), void *arg)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	Elf_Data *data;

	while ((scn = elf_nextscn(elf, scn)) != NULL)
		if (gelf_getshdr(scn, &sh) && sh.sh_type == SHT_SYMTAB)
			break;
	data = scn ? elf_getdata(scn, NULL) : NULL;
	if (!data || sh.sh_entsize == 0 || sh.sh_size / sh.sh_entsize > INT_MAX)
		return mdb_fail(cx, MDB_E_NOTFOUND, "no table of symbols");
	for (size_t i = 0; i < sh.sh_size / sh.sh_entsize; i++) {
		struct mdb_elfsym sym;
		GElf_Sym s;
		int type;

		if (!gelf_getsym(data, (int)i, &s) || s.st_shndx == SHN_UNDEF)
			continue;
		type = GELF_ST_TYPE(s.st_info);
		sym = (struct mdb_elfsym){ .name = elf_strptr(elf, sh.sh_link,
						   s.st_name),
			.value = s.st_value,
			.size = s.st_size,
			.is_func = type == STT_FUNC,
			.is_local = GELF_ST_BIND(s.st_info) == STB_LOCAL };
		if (sym.name && sym.name[0] &&
			(type == STT_FUNC || type == STT_OBJECT ||
				type == STT_NOTYPE))
			fn(arg, &sym);
	}
	return MDB_OK;
}

enum mdb_status
mdb_elfsyms_each(struct mdb_ctx *cx, const char *path,
	void (*fn)(void *arg, const struct mdb_elfsym *sym), void *arg)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum mdb_status st;
	Elf *elf;

	if (fd < 0)
		return mdb_fail(cx, MDB_E_SYSTEM, "%s: %s", path,
			strerror(errno));
	(void)elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF)
		st = each_of(cx, elf, fn, arg);
	else
		st = mdb_fail(cx, MDB_E_FORMAT, "%s: not an ELF file", path);
	if (elf)
		elf_end(elf);
	(void)close(fd);
	return st;
}
