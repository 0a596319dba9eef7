/* SPDX-License-Identifier: MIT */
/*
 * Reading the target's memory.
 *
 * A location is (world, space, address): every guest kernel sits at the same
 * addresses, and a user address belongs to a process.  A world is one running
 * system of the dump; its kernel's space is meant where space is NULL.
 *
 * A read that fails says why with one of the four fault statuses and names
 * space, address and page-table level in the trail; the buffer is then
 * undefined.  Missing memory is never zeros.  Numbers are in the target's
 * byte order in memory and the host's in the results.
 */
#ifndef MDB_MEM_H
#define MDB_MEM_H

#include <mdb/status.h>

typedef uint64_t mdb_addr_t;  /* target virtual address */
typedef uint64_t mdb_paddr_t; /* machine address */
typedef uint64_t mdb_pfn_t;   /* machine frame number */

struct mdb_world;
struct mdb_space;

struct mdb_loc {
	struct mdb_world *world;
	struct mdb_space *space; /* NULL: the world's kernel space */
	mdb_addr_t addr;
};

/* The location at another address of the same world and space. */
static inline struct mdb_loc
mdb_at(struct mdb_loc loc, mdb_addr_t addr)
{
	loc.addr = addr;
	return loc;
}

/* A bare address by the rule: the world whose range it is in, else current. */
MDB_API struct mdb_loc mdb_locate(struct mdb_ctx *cx, mdb_addr_t addr);

MDB_API enum mdb_status mdb_read(struct mdb_ctx *cx, struct mdb_loc loc,
	void *buf, size_t len);

/* As many bytes as can be read from the front, at least one. */
MDB_API enum mdb_status mdb_read_some(struct mdb_ctx *cx, struct mdb_loc loc,
	void *buf, size_t len, size_t *len_out);

/* Unsigned integers of 1, 2, 4 or 8 bytes; a pointer of the world's size. */
MDB_API enum mdb_status mdb_read_uint(struct mdb_ctx *cx, struct mdb_loc loc,
	size_t size, uint64_t *value_out);
MDB_API enum mdb_status mdb_read_ptr(struct mdb_ctx *cx, struct mdb_loc loc,
	mdb_addr_t *addr_out);

/*
 * A string: up to len - 1 bytes before a NUL, always terminated.  A string
 * that has no NUL within that is cut; one that ends at unreadable memory is
 * a failure only if no byte could be read.
 */
MDB_API enum mdb_status mdb_read_str(struct mdb_ctx *cx, struct mdb_loc loc,
	char *buf, size_t len);

MDB_API enum mdb_status mdb_read_machine(struct mdb_ctx *cx, mdb_paddr_t addr,
	void *buf, size_t len);

/* One step of a page-table walk, for ::vtop -v. */
struct mdb_vtop_step {
	const char *level;	/* "pml5e" "pml4e" "pdpte" "pde" "pte" */
	mdb_paddr_t entry_addr; /* where the entry lies */
	uint64_t entry;
};
#define MDB_VTOP_MAX_STEPS 5

struct mdb_vtop {
	mdb_paddr_t paddr;
	uint64_t page_len; /* 4 KiB, 2 MiB, 4 MiB, 1 GiB */
	bool writable;
	bool user;
	bool executable;
	struct mdb_vtop_step steps[MDB_VTOP_MAX_STEPS];
	size_t nr_steps; /* filled as far as the walk came, also on failure */
};

/*
 * Translates one address.  vtop_out is filled as far as the walk came also
 * when it fails, so that the level at which it ended can be shown.
 */
MDB_API enum mdb_status mdb_vtop(struct mdb_ctx *cx, struct mdb_loc loc,
	struct mdb_vtop *vtop_out);

/*
 * A space over other page tables of the same world: a process.  root is the
 * machine address of the top table.  Spaces are kept by the world: asking
 * twice for one root gives the same space, valid until the session ends.
 */
MDB_API enum mdb_status mdb_space_of_root(struct mdb_ctx *cx,
	struct mdb_world *world, mdb_paddr_t root,
	struct mdb_space **space_out);

#endif
