/* SPDX-License-Identifier: MIT */
/*
 * An address space: how virtual addresses become machine addresses, and reads
 * across pages.  Either x86 page tables from a root, or a linear window
 * (offset), or both: windows are tried first (Linux' kernel text and direct
 * map, before a page-table root is known).
 *
 * Translations are cached per page; the cache holds successes only.
 */
#ifndef MDB_MEM_SPACE_H
#define MDB_MEM_SPACE_H

#include "mdb/mem/arch.h"
#include "mdb/mem/memory.h"

enum mdb_paging {
	MDB_PAGING_NONE = 0,
	MDB_PAGING_32BIT,
	MDB_PAGING_PAE,
	MDB_PAGING_4LEVEL,
	MDB_PAGING_5LEVEL,
	/* second stages, from a guest's physical addresses to the machine's */
	MDB_PAGING_NPT,
	MDB_PAGING_EPT,
};

const char *mdb_paging_name(enum mdb_paging mode);

struct mdb_space;

/*
 * name is for messages ("kernel", "process 123").  The memory is borrowed.
 * root is cr3; its low 12 bits (PCID, flags; 5 bits for PAE) are ignored.
 */
struct mdb_space *mdb_space_create(const char *name,
	const struct mdb_memory *mem, const struct mdb_arch *arch,
	enum mdb_paging mode, mdb_paddr_t root);
void mdb_space_destroy(struct mdb_space *space);

/* vaddr [start, end) lies at machine address start + delta (mod 2^64). */
void mdb_space_add_window(struct mdb_space *space, mdb_addr_t start,
	mdb_addr_t end, uint64_t delta);

/*
 * What the tables map at [start, end), of this system and kind, lies at machine
 * address start + delta: asked only where a walk ends at a table that cannot be
 * read, that has nothing but zeroes, or at an entry of the outermost nr_present
 * levels, which must be present.  What is not mapped there while the tables are
 * whole stays unmapped.  At most four; not listed by mdb_space_next_mapped.
 */
void mdb_space_add_fixed(struct mdb_space *space, mdb_addr_t start,
	mdb_addr_t end, uint64_t delta, unsigned int nr_present);
/* Whether that was the case yet. */
bool mdb_space_is_damaged(const struct mdb_space *space);

/* Changing the root or mode drops the cached translations. */
void mdb_space_set_root(struct mdb_space *space, enum mdb_paging mode,
	mdb_paddr_t root);

enum mdb_paging mdb_space_paging(const struct mdb_space *space);
mdb_paddr_t mdb_space_root(const struct mdb_space *space);

/* As mdb_read and mdb_vtop, on one space. */
enum mdb_status mdb_space_read(struct mdb_ctx *cx, struct mdb_space *space,
	mdb_addr_t addr, void *buf, size_t len);
enum mdb_status mdb_space_read_some(struct mdb_ctx *cx, struct mdb_space *space,
	mdb_addr_t addr, void *buf, size_t len, size_t *len_out);
enum mdb_status mdb_space_vtop(struct mdb_ctx *cx, struct mdb_space *space,
	mdb_addr_t addr, struct mdb_vtop *vtop_out);
enum mdb_status mdb_space_read_uint(struct mdb_ctx *cx, struct mdb_space *space,
	mdb_addr_t addr, size_t size, uint64_t *value_out);

/* Silent: no trail.  For scans and probing. */
enum mdb_status mdb_space_try(struct mdb_space *space, mdb_addr_t addr,
	void *buf, size_t len);

/*
 * The next mapped run of virtual addresses at or after addr (for searches
 * of memory): [start, last] with one set of rights.  MDB_DONE at the end.
 * A call looks at 2^18 entries at most, whatever the tables share or repeat:
 * then a run ends early and the next call goes on, and MDB_E_CORRUPT says that
 * there was none.
 */
struct mdb_mapped {
	mdb_addr_t start, last; /* last: inclusive */
	bool writable, user, executable;
};
enum mdb_status mdb_space_next_mapped(struct mdb_ctx *cx,
	struct mdb_space *space, mdb_addr_t addr, struct mdb_mapped *run_out);

#endif
