/* SPDX-License-Identifier: MIT */
/*
 * An ELF file that has what is known of a system's programs and none of their
 * bytes: symbols, types, build-ids, and sections that say where each program
 * lies.  Filled first, written at the end; what is given is copied, but for
 * the contents of sections.
 */
#ifndef CMD_SAVECORE_SYMFILE_H
#define CMD_SAVECORE_SYMFILE_H

#include "cmd/common/output.h"
#include "mdb/base/buf.h"

/* A program: kernel, hypervisor, module.  Ends are exclusive; 0, 0: none. */
struct symfile_object {
	char name[64];
	uint64_t base, end, data_base, data_end;
	uint16_t text_index, data_index; /* of its sections, when writing */
};

struct symfile_symbol {
	uint64_t value, size;
	uint32_t name; /* offset of its name */
	uint32_t object;
	uint8_t info, other;
};

/* A section with bytes. */
struct symfile_section {
	char name[80];
	const void *bytes; /* borrowed, unless own */
	void *own;
	size_t len;
	uint32_t type; /* SHT_* */
	uint64_t addr; /* where it lies in the system's memory, or 0 */
};

struct symfile {
	uint16_t machine; /* e_machine */
	bool is_32;
	struct symfile_object *objects;
	size_t nr_objects, objects_room;
	struct symfile_symbol *symbols;
	size_t nr_symbols, symbols_room;
	struct symfile_section *sections;
	size_t nr_sections, sections_room;
	struct mdb_buf names;
};

void symfile_init(struct symfile *f, uint16_t machine, bool is_32);
void symfile_fini(struct symfile *f);

/* Its index. */
uint32_t symfile_add_object(struct symfile *f,
	const struct symfile_object *object);

void symfile_add_symbol(struct symfile *f, uint32_t object, const char *name,
	size_t name_len, const struct symfile_symbol *symbol);

void symfile_add_section(struct symfile *f, const char *name, uint32_t type,
	const void *bytes, size_t len);

/* A section with one note, which is copied. */
void symfile_add_note(struct symfile *f, const char *section, const char *name,
	uint32_t type, const void *desc, size_t len);

enum cmd_status symfile_write(struct symfile *f, struct cmd_output *out,
	struct cmd_error *err);

/* found.c: what the debugger finds in the dump at path; nothing if it fails. */
void save_found_symbols(const char *path, struct symfile *f);

#endif
