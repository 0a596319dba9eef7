/* SPDX-License-Identifier: MIT */
/*
 * What the stack layer keeps of an object between walks: its ORC table, and
 * answers that the next thread's stack will ask for again (is there a call
 * before this address; which trap is this entry stub for).  Hangs on the
 * object and dies with it.
 */
#ifndef MDB_STACK_TABLE_H
#define MDB_STACK_TABLE_H

#include "mdb/stack/cfi.h"
#include "mdb/stack/orc.h"
#include "mdb/stack/trap.h"

#ifdef MDB_TINY
#define MDB_TABLE_SLOTS 2u
#define MDB_TABLE_TRAPS 1u
#define MDB_TABLE_RETURNS 1u
#else
#define MDB_TABLE_SLOTS 512u
#define MDB_TABLE_TRAPS 16u
#define MDB_TABLE_RETURNS 1024u
#endif

struct mdb_unwind_table {
	struct mdb_orc *orc;
	enum mdb_orc_layout layout;
	bool layout_by_hash;
	struct mdb_cfi *cfi; /* of its debug file; NULL: none */
	bool cfi_tried;
	bool frame_pointers_asked;
	struct {
		mdb_addr_t pc; /* 0: empty */
		int verdict;   /* enum mdb_call_check */
	} calls[MDB_TABLE_SLOTS];
	struct {
		mdb_addr_t pc;
		struct mdb_trap trap;
	} traps[MDB_TABLE_TRAPS];
	struct {
		mdb_addr_t entry; /* 0: empty */
		bool it_does;
	} returns[MDB_TABLE_RETURNS];
};

/* The object's call frame information, sought once; NULL: none. */
const struct mdb_cfi *mdb_unwind_cfi_of(struct mdb_ctx *cx,
	struct mdb_object *object);

/* Made at first use; never NULL. */
struct mdb_unwind_table *mdb_unwind_table_of(struct mdb_object *object);

/*
 * May there be code of this world's kernel?  On x86-64 modules lie within the
 * 2 GiB around the kernel that its code can reach: elsewhere nothing needs to
 * be looked up, and modules need not be listed.
 */
bool mdb_unwind_may_be_code(const struct mdb_world *world, mdb_addr_t addr);

/*
 * Does the code of 64-bit Xen keep frame pointers?  A debug build does, and its
 * functions say so themselves.  Then world->keeps_frame_pointers is set.
 */
void mdb_unwind_ask_frame_pointers(struct mdb_ctx *cx, struct mdb_world *world);

/* "ORC, header known" ...: how stacks of this world are unwound. */
const char *mdb_unwind_describe(struct mdb_world *world);

#endif
