/* SPDX-License-Identifier: MIT */
/*
 * An ELF file for libdwarf: its sections through libelf, mapped.
 *
 * libdwarf's own readers copy every section into the heap, which for a
 * kernel's debug file is hundreds of megabytes.
 */
#include "mdb/sym/dwarf_impl.h"

#include "mdb/base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct mdb_dwarf_file {
	int fd;
	Elf *elf;
	size_t nr_sections;
	size_t names; /* index of the sections' names */
	Dwarf_Obj_Access_Methods methods;
	Dwarf_Obj_Access_Interface access;
	Dwarf_Debug dbg;
};

static int
get_section_info(void *object, Dwarf_Half index,
	Dwarf_Obj_Access_Section *section, int *error)
{
	struct mdb_dwarf_file *file = object;
	Elf_Scn *scn = elf_getscn(file->elf, index);
	const char *name;
	GElf_Shdr sh;

	(void)error;
	if (!scn || !gelf_getshdr(scn, &sh))
		return DW_DLV_NO_ENTRY;
	name = elf_strptr(file->elf, file->names, sh.sh_name);
	*section = (Dwarf_Obj_Access_Section){
		.addr = sh.sh_addr,
		.type = sh.sh_type,
		.size = sh.sh_size,
		.name = name ? name : "",
		.link = sh.sh_link,
		.info = sh.sh_info,
		.entrysize = sh.sh_entsize,
	};
	return DW_DLV_OK;
}

static Dwarf_Endianness
get_byte_order(void *object)
{
	(void)object;
	return DW_OBJECT_LSB;
}

static Dwarf_Small
get_length_size(void *object)
{
	(void)object;
	return 4;
}

static Dwarf_Small
get_pointer_size(void *object)
{
	const struct mdb_dwarf_file *file = object;

	return gelf_getclass(file->elf) == ELFCLASS64 ? 8 : 4;
}

static Dwarf_Unsigned
get_section_count(void *object)
{
	const struct mdb_dwarf_file *file = object;

	return file->nr_sections;
}

static int
load_section(void *object, Dwarf_Half index, Dwarf_Small **data_out, int *error)
{
	struct mdb_dwarf_file *file = object;
	Elf_Scn *scn = elf_getscn(file->elf, index);
	Elf_Data *data = scn ? elf_rawdata(scn, NULL) : NULL;

	(void)error;
	if (!data || !data->d_buf)
		return DW_DLV_NO_ENTRY;
	*data_out = data->d_buf;
	return DW_DLV_OK;
}

/* Debug sections that are stored compressed are unpacked once. */
static enum mdb_status
unpack(struct mdb_ctx *cx, struct mdb_dwarf_file *file, const char *path)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while ((scn = elf_nextscn(file->elf, scn)))
		if (gelf_getshdr(scn, &sh) &&
			(sh.sh_flags & SHF_COMPRESSED) != 0 &&
			elf_compress(scn, 0, 0) < 0)
			return mdb_fail(cx, MDB_E_FORMAT,
				"%s: a compressed section: %s", path,
				elf_errmsg(-1));
	return MDB_OK;
}

static enum mdb_status
check_header(struct mdb_ctx *cx, struct mdb_dwarf_file *file, const char *path)
{
	GElf_Ehdr eh;

	(void)elf_version(EV_CURRENT);
	file->elf = elf_begin(file->fd, ELF_C_READ_MMAP_PRIVATE, NULL);
	if (!file->elf || elf_kind(file->elf) != ELF_K_ELF ||
		!gelf_getehdr(file->elf, &eh) ||
		elf_getshdrnum(file->elf, &file->nr_sections) != 0 ||
		elf_getshdrstrndx(file->elf, &file->names) != 0)
		return mdb_fail(cx, MDB_E_FORMAT, "%s is no ELF file", path);
	if (eh.e_ident[EI_DATA] != ELFDATA2LSB)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"%s is of a big-endian machine", path);
	if (eh.e_type == ET_REL)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"%s is an object file that is not linked", path);
	if (file->nr_sections > 0xff00)
		return mdb_fail(cx, MDB_E_FORMAT, "%s has %zu sections", path,
			file->nr_sections);
	return unpack(cx, file, path);
}

static enum mdb_status
start(struct mdb_ctx *cx, struct mdb_dwarf_file *file, const char *path)
{
	Dwarf_Error error = NULL;
	int rc;

	file->methods = (Dwarf_Obj_Access_Methods){
		.get_section_info = get_section_info,
		.get_byte_order = get_byte_order,
		.get_length_size = get_length_size,
		.get_pointer_size = get_pointer_size,
		.get_section_count = get_section_count,
		.load_section = load_section,
	};
	file->access.object = file;
	file->access.methods = &file->methods;
	/* libdwarf need not remember what we free ourselves. */
	(void)dwarf_set_de_alloc_flag(0);
	rc = dwarf_object_init_b(&file->access, NULL, NULL, DW_GROUPNUMBER_ANY,
		&file->dbg, &error);
	if (rc == DW_DLV_OK)
		return MDB_OK;
	file->dbg = NULL;
	if (rc == DW_DLV_ERROR) {
		enum mdb_status st = mdb_fail(cx, MDB_E_FORMAT, "%s: %s", path,
			dwarf_errmsg(error));

		dwarf_dealloc_error(NULL, error);
		return st;
	}
	return mdb_fail(cx, MDB_E_NOTFOUND, "%s has no debug data", path);
}

enum mdb_status
mdb_dwarf_file_open(struct mdb_ctx *cx, const char *path,
	struct mdb_dwarf_file **file_out)
{
	struct mdb_dwarf_file *file = mdb_xalloc(sizeof(*file));
	enum mdb_status st;
	struct stat sb;

	file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file->fd < 0)
		st = mdb_fail(cx, MDB_E_SYSTEM, "%s: %s", path,
			strerror(errno));
	else if (fstat(file->fd, &sb) != 0 || !S_ISREG(sb.st_mode))
		st = mdb_fail(cx, MDB_E_FORMAT, "%s is no regular file", path);
	else
		st = check_header(cx, file, path);
	if (st == MDB_OK)
		st = start(cx, file, path);
	if (st != MDB_OK) {
		mdb_dwarf_file_close(file);
		return st;
	}
	*file_out = file;
	return MDB_OK;
}

void
mdb_dwarf_file_close(struct mdb_dwarf_file *file)
{
	Dwarf_Error error = NULL;

	if (!file)
		return;
	if (file->dbg)
		(void)dwarf_object_finish(file->dbg, &error);
	if (file->elf)
		(void)elf_end(file->elf);
	if (file->fd >= 0)
		(void)close(file->fd);
	free(file);
}

Dwarf_Debug
mdb_dwarf_file_debug(const struct mdb_dwarf_file *file)
{
	return file->dbg;
}

enum mdb_status
mdb_dwarf_file_section(const struct mdb_dwarf_file *file, const char *name,
	const uint8_t **bytes_out, size_t *len_out)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while ((scn = elf_nextscn(file->elf, scn))) {
		const char *its = NULL;
		Elf_Data *data;

		if (gelf_getshdr(scn, &sh) && sh.sh_type != SHT_NOBITS)
			its = elf_strptr(file->elf, file->names, sh.sh_name);
		if (!its || strcmp(its, name) != 0)
			continue;
		data = elf_rawdata(scn, NULL);
		if (!data || !data->d_buf)
			break;
		*bytes_out = data->d_buf;
		*len_out = data->d_size;
		return MDB_OK;
	}
	return MDB_E_NOTFOUND;
}
