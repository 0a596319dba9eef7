/* SPDX-License-Identifier: MIT */
/*
 * x86 page tables: 32-bit, PAE, 4 and 5 levels (Intel SDM volume 3 chapter 4,
 * AMD64 APM volume 2 chapter 5), and those that lead from a guest's physical
 * addresses to the machine's: AMD's nested tables (APM volume 2, 15.25), which
 * have the form of 4 levels, and Intel's extended ones (SDM volume 3, 29.3).
 *
 * One table of levels per mode drives one walk.  NX, accessed, dirty, cache
 * and software bits are ignored; a set reserved bit ends the walk, as the
 * processor's would.
 */
#ifndef MDB_MEM_PAGING_H
#define MDB_MEM_PAGING_H

#include "mdb/mem/space.h"

struct mdb_paging_level {
	const char *name;	 /* "pml4e" */
	unsigned int shift;	 /* of the part of the address it indexes */
	unsigned int nr_bits;	 /* of its index */
	uint64_t large_reserved; /* bits that must be 0 in a large page */
	uint64_t reserved;	 /* bits that must be 0 in any entry */
	bool may_be_large;
};

struct mdb_paging_mode {
	const char *name; /* "4-level" */
	unsigned int entry_len;
	unsigned int nr_levels;
	unsigned int addr_bits; /* above them: copies of the top one, or none */
	uint64_t root_mask;	/* of cr3 */
	uint64_t present; /* any of these bits: the entry leads somewhere */
	bool is_physical; /* addresses are not sign extended */
	bool is_ept;	  /* rights: bits 0 to 2 */
	const struct mdb_paging_level *levels; /* outermost first */
};

/* NULL for MDB_PAGING_NONE. */
const struct mdb_paging_mode *mdb_paging_mode_get(enum mdb_paging mode);

/* How a walk ended, beside its status. */
struct mdb_paging_end {
	unsigned int level; /* index of the last entry looked at */
	const char *why;    /* static text; NULL when it succeeded */
	bool in_table;	    /* the table itself could not be read */
};

/*
 * Walks the tables for addr.  Silent: fills vtop_out as far as it came and
 * end_out with where and why it ended.
 */
enum mdb_status mdb_paging_walk(const struct mdb_memory *mem,
	const struct mdb_paging_mode *mode, mdb_paddr_t root, mdb_addr_t addr,
	struct mdb_vtop *vtop_out, struct mdb_paging_end *end_out);

#endif
