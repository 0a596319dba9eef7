/* SPDX-License-Identifier: MIT */
/*
 * Linux' own symbol table (kernel/kallsyms.c, scripts/kallsyms.c), read in
 * place from the dump.
 *
 * The tables, all in the kernel's rodata, sorted by address:
 *   names        per symbol: length (ULEB128 of one or two bytes), then that
 *                many token numbers; the first character of the expansion is
 *                nm's letter
 *   markers      offset in names of every 256th symbol; unsigned long up to
 *                4.19, u32 since 4.20
 *   token_table  256 strings; token_index: their offsets, u16
 *   addresses    one of the forms below
 *   seqs         since 6.2: symbol numbers in the order of names, three bytes
 *                each, most significant first
 * Up to 6.3 they lie in the order addresses, relative_base, num_syms, names,
 * markers, [seqs], token_table, token_index; since 6.4 num_syms, names,
 * markers, token_table, token_index, addresses, [relative_base], seqs.
 *
 * Which layout it is, is told from the tables themselves.  A table is read
 * page by page as it is needed, each page once.
 */
#ifndef MDB_SYM_KALLSYMS_H
#define MDB_SYM_KALLSYMS_H

#include "mdb/sym/object.h"

/* clang-format off */
enum mdb_kallsyms_form {
	MDB_KALLSYMS_ADDRESSES = 1,	/* 64-bit addresses */
	MDB_KALLSYMS_BASE,		/* u32, added to relative_base */
	MDB_KALLSYMS_BASE_PERCPU,	/* s32: >= 0 absolute (per-CPU), else
					   relative_base - 1 - offset */
	MDB_KALLSYMS_PLACE,		/* s32, added to its own address; 7.0 */
};
/* clang-format on */

struct mdb_kallsyms_layout {
	mdb_addr_t names, markers, token_table, token_index;
	mdb_addr_t addresses;
	mdb_addr_t seqs; /* 0: none */
	mdb_addr_t relative_base; /* known: only this one will do */
	mdb_addr_t first;	  /* with it: the first symbol's address */
	uint32_t nr_syms;
	uint32_t marker_size; /* 4 or 8 */
	enum mdb_kallsyms_form form;
};

/* More symbols or longer names than this are not believed. */
#define MDB_KALLSYMS_MAX_SYMS (4u << 20)
#define MDB_KALLSYMS_MAX_NAME 1024u

/*
 * Completes and verifies a layout of which some addresses are known (from
 * VMCOREINFO): token_table and token_index must be set; names, addresses may
 * be 0.  MDB_E_CORRUPT when no layout fits.
 */
enum mdb_status mdb_kallsyms_locate(struct mdb_ctx *cx, struct mdb_space *space,
	const struct mdb_kallsyms_layout *known,
	struct mdb_kallsyms_layout *layout_out);

/*
 * Finds the tables by their shape in [start, end) of a space.  Pages that
 * cannot be read are passed over.  MDB_E_NOTFOUND when they are not there.
 */
enum mdb_status mdb_kallsyms_scan(struct mdb_ctx *cx, struct mdb_space *space,
	mdb_addr_t start, mdb_addr_t end,
	struct mdb_kallsyms_layout *layout_out);

/*
 * The same for the table of Xen (xen/common/symbols.c), which has Linux' form
 * but states no base: offsets are from origin, XEN_VIRT_START, and the first
 * symbol is at first, where the text begins.
 */
struct mdb_kallsyms_xen {
	mdb_addr_t start, end; /* where to look: [start, end) */
	mdb_addr_t origin, first;
};
enum mdb_status mdb_kallsyms_scan_xen(struct mdb_ctx *cx,
	struct mdb_space *space, const struct mdb_kallsyms_xen *xen,
	struct mdb_kallsyms_layout *layout_out);

struct mdb_kallsyms;

enum mdb_status mdb_kallsyms_create(struct mdb_ctx *cx, struct mdb_space *space,
	const struct mdb_kallsyms_layout *layout,
	struct mdb_kallsyms **table_out);
void mdb_kallsyms_destroy(struct mdb_kallsyms *k); /* accepts NULL */

const struct mdb_kallsyms_layout *mdb_kallsyms_layout(
	const struct mdb_kallsyms *k);

/*
 * Addresses around which names are sought first: a lookup then reads a few
 * pages of names and not all.  They change the cost, never the answer to
 * whether a name exists.
 */
#define MDB_KALLSYMS_MAX_LANDMARKS 32
void mdb_kallsyms_add_landmark(struct mdb_kallsyms *k, mdb_addr_t addr);

/* Values in [start, end) are per-CPU variables. */
void mdb_kallsyms_set_percpu(struct mdb_kallsyms *k, mdb_addr_t start,
	mdb_addr_t end);

/*
 * Addresses of the first and the last symbol of the image; of the last
 * absolute per-CPU symbol, or 0 where per-CPU symbols are not absolute.
 */
enum mdb_status mdb_kallsyms_range(struct mdb_ctx *cx, struct mdb_kallsyms *k,
	mdb_addr_t *first_out, mdb_addr_t *last_out,
	mdb_addr_t *percpu_last_out);

/*
 * Looks for a name only among the symbols near an address: the block of 256
 * that is there and reach of them on either side.  Cheap also when the name is
 * not there.
 */
#define MDB_KALLSYMS_NEAR 4u
enum mdb_status mdb_kallsyms_by_name_near(struct mdb_ctx *cx,
	struct mdb_object *object, const char *name, mdb_addr_t near_addr,
	unsigned int reach, struct mdb_sym *sym_out);

/*
 * object->symtab is a struct mdb_kallsyms.  Where a name occurs more than
 * once, data comes before functions, then the lowest address; without an order
 * of names it is the one that the search meets first.
 */
extern const struct mdb_symtab_ops mdb_kallsyms_ops;

#endif
