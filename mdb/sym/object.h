/* SPDX-License-Identifier: MIT */
/*
 * A load object as the core keeps it: an address range and what was found to
 * describe it.  Symbol tables, types and unwind tables are behind small ops
 * tables and are loaded when first asked for.
 */
#ifndef MDB_SYM_OBJECT_H
#define MDB_SYM_OBJECT_H

#include <mdb/sym.h>
#include <mdb/type.h>

#include "mdb/mem/space.h"

/*
 * A symbol table.  Names handed out are valid until the command ends.
 * Results are MDB_E_NOTFOUND without a trail (absence is ordinary); other
 * failures write one.  An absent operation is NULL.
 */
struct mdb_symtab_ops {
	enum mdb_status (*by_name)(struct mdb_ctx *cx,
		struct mdb_object *object, const char *name,
		struct mdb_sym *sym_out);
	enum mdb_status (*by_addr)(struct mdb_ctx *cx,
		struct mdb_object *object, mdb_addr_t addr, bool near,
		struct mdb_sym *sym_out);
	enum mdb_status (*each)(struct mdb_ctx *cx, struct mdb_object *object,
		mdb_sym_fn *fn, void *arg);
	void (*destroy)(void *symtab);
};

/* A part of an object's memory: "text", "data", "rodata", "init", "percpu". */
struct mdb_section {
	const char *name;
	mdb_addr_t start, end;
};
#define MDB_OBJECT_MAX_SECTIONS 8

struct mdb_object {
	struct mdb_object *next; /* the world's list; the kernel is first */
	struct mdb_world *world;
	char *name;
	mdb_addr_t base, end; /* text */
	uint64_t size;
	mdb_addr_t struct_addr;
	char *build_id; /* hex or NULL */
	struct mdb_section sections[MDB_OBJECT_MAX_SECTIONS];
	size_t nr_sections;

	const struct mdb_symtab_ops *symtab_ops; /* NULL: no symbols */
	void *symtab;

	/* Types: loaded by mdb_object_types() at first use. */
	struct mdb_types *types;
	bool types_tried;
	struct mdb_types *debug_types; /* DWARF; may be what types is, too */
	bool debug_tried;
	mdb_addr_t btf_addr; /* 0: none known */
	uint64_t btf_len;

	/* Unwind tables: the stack layer's. */
	void *unwind;
	void (*unwind_destroy)(void *unwind);
	mdb_addr_t orc_ip_addr, orc_addr; /* 0: none known */
	uint64_t orc_count;
	mdb_addr_t orc_header_addr; /* 0: kernel without one */
	/* u32 per 256 bytes of text from base: the number of the first entry
	 * to look at (arch/x86/kernel/unwind_orc.c, orc_lookup); 0: none. */
	mdb_addr_t orc_lookup_addr;
	uint64_t orc_lookup_count;
};

struct mdb_object *mdb_object_create(struct mdb_world *world, const char *name);
void mdb_object_destroy(struct mdb_object *object);

#endif
