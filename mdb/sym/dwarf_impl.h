/* SPDX-License-Identifier: MIT */
/*
 * The DWARF reader's parts: dwarf_file.c gives libdwarf the sections of an
 * ELF file, dwarf_index.c finds where names are defined, dwarf_die.c turns a
 * debugging entry into a type, dwarf.c is the container.
 */
#ifndef MDB_SYM_DWARF_IMPL_H
#define MDB_SYM_DWARF_IMPL_H

#include <libdwarf/libdwarf.h>

#include "mdb/sym/types.h"

/* ---- the file ------------------------------------------------------------ */

struct mdb_dwarf_file;

/*
 * Sections are mapped, not copied (but those stored compressed), so that a
 * vmlinux of 600 MB costs address space and page cache only.
 */
enum mdb_status mdb_dwarf_file_open(struct mdb_ctx *cx, const char *path,
	struct mdb_dwarf_file **file_out);
void mdb_dwarf_file_close(struct mdb_dwarf_file *file);
Dwarf_Debug mdb_dwarf_file_debug(const struct mdb_dwarf_file *file);
/* MDB_E_NOTFOUND: it has no such section, or one without bytes. */
enum mdb_status mdb_dwarf_file_section(const struct mdb_dwarf_file *file,
	const char *name, const uint8_t **bytes_out, size_t *len_out);

/*
 * Did libdwarf do it?  DW_DLV_NO_ENTRY is no as well; the error, which it
 * does not free by itself here, is.
 */
static inline bool
mdb_dwarf_ok(Dwarf_Debug dbg, int rc, Dwarf_Error *error)
{
	if (rc == DW_DLV_ERROR && *error)
		dwarf_dealloc_error(dbg, *error);
	*error = NULL;
	return rc == DW_DLV_OK;
}

/* ---- names --------------------------------------------------------------- */

/* What a name stands for: names of different spaces do not clash. */
enum mdb_dwarf_space {
	MDB_DW_STRUCT = 0,
	MDB_DW_UNION,
	MDB_DW_ENUM,
	MDB_DW_TYPEDEF,
	MDB_DW_BASE,
	MDB_DW_VARIABLE,
	MDB_DW_FUNCTION,
	MDB_DW_NONE,
};

struct mdb_dwarf_index;

struct mdb_dwarf_index *mdb_dwarf_index_create(Dwarf_Debug dbg);
void mdb_dwarf_index_destroy(struct mdb_dwarf_index *index);
/*
 * The offset of the entry that defines the name; 0: there is none.  Units are
 * read one after the other until it is found, each once.
 */
Dwarf_Off mdb_dwarf_index_find(struct mdb_dwarf_index *index,
	enum mdb_dwarf_space space, const char *name);

/* ---- entries as types ---------------------------------------------------- */

/* A type once decoded; names are the file's, mapped. */
struct mdb_dwarf_node {
	Dwarf_Off offset;
	uint8_t dimension; /* of an array of several: which one, from 0 */
	bool loaded;
	struct mdb_type_desc desc;
	struct mdb_member_desc *members;    /* or parameters; heap */
	struct mdb_enumerator *enumerators; /* heap */
};

struct mdb_dwarf {
	struct mdb_types types;
	struct mdb_dwarf_file *file;
	Dwarf_Debug dbg;
	struct mdb_dwarf_index *index;
	struct mdb_dwarf_node **nodes; /* by id; [0] is NULL */
	uint32_t cap;
	uint32_t *slots; /* ids by offset and dimension; 0 is empty */
	uint32_t nr_slots;
	int depth; /* of types read while another is */
	char *source;
};

/* The id of an entry, made when first met. */
uint32_t mdb_dwarf_id(struct mdb_dwarf *dw, Dwarf_Off offset,
	unsigned int dimension);

/* Fills the node in; an entry that cannot be read is void. */
void mdb_dwarf_load(struct mdb_dwarf *dw, struct mdb_dwarf_node *node);

#endif
