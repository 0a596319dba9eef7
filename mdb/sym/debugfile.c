/* SPDX-License-Identifier: MIT */
/*
 * Build-ids through libelf, and the one folder layout that distributions
 * agree on.  Files are hostile input: notes are walked by libelf's checked
 * iterator, and only regular files are opened.
 */
#include "mdb/sym/debugfile.h"

#include "mdb/base/ctx.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static enum mdb_status
open_regular(struct mdb_ctx *cx, const char *path, int *fd_out)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return mdb_fail(cx, MDB_E_SYSTEM, "%s: %s", path,
			strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		(void)close(fd);
		return mdb_fail(cx, MDB_E_FORMAT, "%s is no regular file",
			path);
	}
	*fd_out = fd;
	return MDB_OK;
}

/* A note whose bytes are an id. */
struct kind {
	const char *name;
	uint32_t type;
};
static const struct kind build_id_note = { "GNU", NT_GNU_BUILD_ID };
static const struct kind dump_id_note = { MDB_NOTE_NAME, MDB_NOTE_DUMP_ID };

/* The id in a block of notes; false: none. */
static bool
id_in_notes(Elf_Data *data, const struct kind *kind,
	char text[MDB_BUILD_ID_TEXT])
{
	size_t name_len = strlen(kind->name) + 1;
	size_t offset = 0, name_at, desc_at;
	GElf_Nhdr note;

	if (!data || !data->d_buf)
		return false;
	while ((offset = gelf_getnote(data, offset, &note, &name_at,
			&desc_at)) > 0) {
		const unsigned char *buf = data->d_buf;

		if (note.n_type != kind->type || note.n_namesz != name_len ||
			memcmp(buf + name_at, kind->name, name_len) != 0 ||
			note.n_descsz == 0 ||
			note.n_descsz > (MDB_BUILD_ID_TEXT - 1) / 2)
			continue;
		for (size_t i = 0; i < note.n_descsz; i++)
			(void)snprintf(text + 2 * i, 3, "%02x",
				buf[desc_at + i]);
		return true;
	}
	return false;
}

/* Sections first: a .debug file has no segments with content. */
static bool
id_of_elf(Elf *elf, const struct kind *kind, char text[MDB_BUILD_ID_TEXT])
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	GElf_Phdr ph;
	size_t nr = 0;

	while ((scn = elf_nextscn(elf, scn)))
		if (gelf_getshdr(scn, &sh) && sh.sh_type == SHT_NOTE &&
			id_in_notes(elf_getdata(scn, NULL), kind, text))
			return true;
	if (elf_getphdrnum(elf, &nr) != 0)
		return false;
	for (size_t i = 0; i < nr && i < 65536; i++)
		if (gelf_getphdr(elf, (int)i, &ph) && ph.p_type == PT_NOTE &&
			id_in_notes(elf_getdata_rawchunk(elf,
					    (int64_t)ph.p_offset, ph.p_filesz,
					    ELF_T_NHDR),
				kind, text))
			return true;
	return false;
}

static enum mdb_status
id_of_file(struct mdb_ctx *cx, const char *path, const struct kind *kind,
	char text_out[MDB_BUILD_ID_TEXT])
{
	enum mdb_status st;
	Elf *elf;
	int fd = -1;

	st = open_regular(cx, path, &fd);
	if (st != MDB_OK)
		return st;
	(void)elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!elf || elf_kind(elf) != ELF_K_ELF)
		st = mdb_fail(cx, MDB_E_FORMAT, "%s is no ELF file", path);
	else if (!id_of_elf(elf, kind, text_out))
		st = mdb_fail(cx, MDB_E_NOTFOUND, "%s has no %s", path,
			kind == &dump_id_note ? "dump id" : "build-id");
	(void)elf_end(elf);
	(void)close(fd);
	return st;
}

enum mdb_status
mdb_build_id_of_file(struct mdb_ctx *cx, const char *path,
	char text_out[MDB_BUILD_ID_TEXT])
{
	return id_of_file(cx, path, &build_id_note, text_out);
}

enum mdb_status
mdb_dump_id_of_file(struct mdb_ctx *cx, const char *path,
	char text_out[MDB_BUILD_ID_TEXT])
{
	return id_of_file(cx, path, &dump_id_note, text_out);
}

enum mdb_status
mdb_debugfile_check(struct mdb_ctx *cx, const char *path,
	const char *object_name, const char *build_id)
{
	char text[MDB_BUILD_ID_TEXT] = "";
	enum mdb_status st = mdb_build_id_of_file(cx, path, text);

	if (st != MDB_OK)
		return st;
	if (!build_id)
		return mdb_fail(cx, MDB_E_FORMAT,
			"%s has build-id %s, and that of %s is not known: it "
			"cannot be told whether they belong together",
			path, text, object_name);
	if (strcasecmp(text, build_id) != 0)
		return mdb_fail(cx, MDB_E_FORMAT,
			"%s has build-id %s, but %s of the dump has %s", path,
			text, object_name, build_id);
	return MDB_OK;
}

enum mdb_status
mdb_debugfile_find(struct mdb_ctx *cx, const char *root, const char *build_id,
	const char **path_out)
{
	enum mdb_status st;
	const char *path;

	if (!build_id || strlen(build_id) < 3 ||
		strlen(build_id) >= MDB_BUILD_ID_TEXT ||
		strspn(build_id, "0123456789abcdef") != strlen(build_id))
		return mdb_fail(cx, MDB_E_NOTFOUND, "no build-id to look for");
	path = mdb_tmp_printf(cx, "%s/.build-id/%.2s/%s.debug", root, build_id,
		build_id + 2);
	if (access(path, R_OK) != 0)
		return mdb_fail(cx, MDB_E_NOTFOUND, "there is no %s", path);
	st = mdb_debugfile_check(cx, path, "the object", build_id);
	if (st == MDB_OK)
		*path_out = path;
	return st;
}
