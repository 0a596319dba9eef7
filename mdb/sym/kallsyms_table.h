/* SPDX-License-Identifier: MIT */
/*
 * The kallsyms tables in memory: parts read on demand, tokens, addresses,
 * decoding of one name.  Private to kallsyms*.c.
 *
 * Invariant: every offset that came from the dump is checked against the
 * length of its part before it is used.
 */
#ifndef MDB_SYM_KALLSYMS_TABLE_H
#define MDB_SYM_KALLSYMS_TABLE_H

#include "mdb/sym/kallsyms.h"

#define MDB_KALLSYMS_BLOCK 256u /* symbols per marker */
#define MDB_KALLSYMS_TOKEN_BYTES 0x10200u

#define MDB_LAZY_PAGE 4096u
#define MDB_LAZY_FEW 64u /* pages: fewer are worth looking through */

/* A run of target memory, read page by page when first touched. */
struct mdb_lazy {
	struct mdb_space *space;
	mdb_addr_t base; /* page aligned */
	size_t skip;	 /* where the run begins after base */
	size_t len;
	uint8_t *bytes;	  /* whole pages; the host gives memory when touched */
	uint8_t *present; /* one per page */
	size_t nr_present;
};

enum mdb_status mdb_lazy_init(struct mdb_ctx *cx, struct mdb_lazy *lazy,
	struct mdb_space *space, mdb_addr_t addr, uint64_t len);
void mdb_lazy_fini(struct mdb_lazy *lazy);
/* MDB_E_CORRUPT beyond the run; a fault where memory cannot be read. */
enum mdb_status mdb_lazy_get(struct mdb_ctx *cx, struct mdb_lazy *lazy,
	uint64_t offset, size_t len, const uint8_t **bytes_out);

struct mdb_token {
	const char *text;
	uint16_t len;
};

struct mdb_kallsyms_tables {
	struct mdb_kallsyms_layout layout;
	struct mdb_lazy names, markers, addresses, seqs;
	char *token_bytes; /* NUL-terminated */
	struct mdb_token tokens[256];
};

/* Reads the tokens; the rest is read later. */
enum mdb_status mdb_kallsyms_tables_init(struct mdb_ctx *cx,
	struct mdb_kallsyms_tables *tables, struct mdb_space *space,
	const struct mdb_kallsyms_layout *layout);
void mdb_kallsyms_tables_fini(struct mdb_kallsyms_tables *tables);

/* The 256 strings behind an index; MDB_E_CORRUPT unless all have an end. */
enum mdb_status mdb_kallsyms_tokens_read(struct mdb_ctx *cx,
	struct mdb_space *space, mdb_addr_t token_table, mdb_addr_t token_index,
	char **bytes_out, struct mdb_token tokens_out[256]);

static inline uint32_t
mdb_kallsyms_nr_blocks(const struct mdb_kallsyms_layout *layout)
{
	return (layout->nr_syms + MDB_KALLSYMS_BLOCK - 1) / MDB_KALLSYMS_BLOCK;
}

/* Offset in names of a block's first symbol. */
enum mdb_status mdb_kallsyms_marker(struct mdb_ctx *cx,
	struct mdb_kallsyms_tables *tables, uint32_t block,
	uint64_t *offset_out);

/* One compressed name. */
struct mdb_code {
	const uint8_t *tokens;
	size_t nr_tokens;
	uint64_t next; /* offset in names of the following one */
};
enum mdb_status mdb_kallsyms_code(struct mdb_ctx *cx,
	struct mdb_kallsyms_tables *tables, uint64_t offset,
	struct mdb_code *code_out);
/* The code of symbol number idx. */
enum mdb_status mdb_kallsyms_code_at(struct mdb_ctx *cx,
	struct mdb_kallsyms_tables *tables, uint32_t idx,
	struct mdb_code *code_out);

/* Expands into buf of MDB_KALLSYMS_MAX_NAME bytes: letter, name, NUL; the
 * length with the letter.  0: empty or too long. */
size_t mdb_kallsyms_expand(const struct mdb_kallsyms_tables *tables,
	const struct mdb_code *code, char *buf);

enum mdb_status mdb_kallsyms_address(struct mdb_ctx *cx,
	struct mdb_kallsyms_tables *tables, uint32_t idx, mdb_addr_t *addr_out);
enum mdb_status mdb_kallsyms_seq(struct mdb_ctx *cx,
	struct mdb_kallsyms_tables *tables, uint32_t position,
	uint32_t *idx_out);

/* ---- the symbol table as an object has it -------------------------------- */

struct mdb_kallsyms {
	struct mdb_kallsyms_tables t;
	mdb_addr_t landmarks[MDB_KALLSYMS_MAX_LANDMARKS];
	size_t nr_landmarks;
	mdb_addr_t percpu_start, percpu_end;
	bool order_checked;
	uint32_t nr_absolute; /* symbols before the image's; UINT32_MAX: not
				 known yet */
};

/* Symbol number idx. */
enum mdb_status mdb_kallsyms_sym(struct mdb_ctx *cx, struct mdb_object *object,
	uint32_t idx, struct mdb_sym *sym_out);

/*
 * The last symbol at or below addr among [low, high), whose first is at or
 * below it.
 */
enum mdb_status mdb_kallsyms_search(struct mdb_ctx *cx, struct mdb_kallsyms *k,
	mdb_addr_t addr, uint32_t low, uint32_t high, uint32_t *idx_out);
/* How many symbols come before those of the image: absolute per-CPU ones. */
enum mdb_status mdb_kallsyms_absolute(struct mdb_ctx *cx,
	struct mdb_kallsyms *k, uint32_t *nr_out);
enum mdb_status mdb_kallsyms_by_name(struct mdb_ctx *cx,
	struct mdb_object *object, const char *name, struct mdb_sym *sym_out);

#endif
