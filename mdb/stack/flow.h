/* SPDX-License-Identifier: MIT */
/*
 * A function's code, followed from its first instruction along its jumps: what
 * became of the stack pointer and of bp on the way to a place in it.
 *
 * A place may be reached by several ways, of which some are none: behind a
 * call that does not return lies the code of another block, at another depth.
 * So all of them are handed out, the likeliest first, and the caller checks
 * which one leads to a return address.  The other direction, from the place
 * ahead to where the function returns, needs no beginning and serves code
 * with several entries, and what only a table of jumps leads to.
 *
 * Code is read from the target and may be anything: instructions looked at
 * and ways that are kept are bounded.
 */
#ifndef MDB_STACK_FLOW_H
#define MDB_STACK_FLOW_H

#include "mdb/stack/dis.h"
#include "mdb/stack/unwind.h"

#define MDB_FLOW_PLACES 6

enum mdb_flow_bp {
	MDB_BP_SAME = 0, /* the caller's */
	MDB_BP_FRAME,	 /* the origin's sp plus bp_off */
	MDB_BP_OTHER,
};

/*
 * Offsets are from the stack pointer at the origin: the function's entry, or
 * ahead, the place itself.  No code that is followed has instructions enough
 * to make 64 bits overflow.
 */
struct mdb_flow_place {
	mdb_addr_t at;
	int64_t sp;
	bool sp_known;
	enum mdb_flow_bp bp;
	int64_t bp_off;
	int64_t bp_saved; /* where the caller's bp lies, if bp_is_saved */
	bool bp_is_saved;
};

struct mdb_flow_places {
	struct mdb_flow_place at[MDB_FLOW_PLACES];
	size_t nr;
	/* Of these so many came there by the call that ends there. */
	size_t nr_called;
};

/* A function and its parts that the compiler has put elsewhere. */
struct mdb_flow_function {
	mdb_addr_t start;
	uint64_t size;
	const char *name; /* until the command ends */
};

/*
 * The function that holds pc; of `f.cold` it is f.  False: no symbol, or one
 * whose code cannot be followed.
 */
bool mdb_flow_function(struct mdb_unwind *u, mdb_addr_t pc,
	struct mdb_flow_function *function_out);

/* A larger function is not followed. */
#define MDB_FLOW_MAX_CODE 0x40000u

/* The symbol that holds pc. */
bool mdb_flow_symbol(struct mdb_unwind *u, mdb_addr_t pc,
	struct mdb_sym *sym_out);
/* As mdb_flow_function, of the part that holds pc. */
bool mdb_flow_bounds(struct mdb_unwind *u, mdb_addr_t pc,
	struct mdb_flow_function *part_out);

/* From the function's entry to pc. */
void mdb_flow_to(struct mdb_unwind *u, const struct mdb_flow_function *function,
	mdb_addr_t pc, struct mdb_flow_places *places_out);

/*
 * From pc to the function's returns; `at` is where a return instruction is, or
 * a jump into another function.  bp_off: bp minus sp at pc, if bp_known.
 */
void mdb_flow_ahead(struct mdb_unwind *u, mdb_addr_t pc, bool bp_known,
	int64_t bp_off, struct mdb_flow_places *places_out);

/*
 * Where control goes from the function that begins at entry: fn is called for
 * each call and for each jump out of it, until it returns false; is_end: the
 * function returns, or jumps to where nobody can tell.  Also says whether it
 * may return at all, as far as its own code tells.
 */
enum mdb_flow_exit {
	MDB_FLOW_CALL,	   /* to target; returns to next */
	MDB_FLOW_JUMP,	   /* to target, outside */
	MDB_FLOW_INDIRECT, /* a call through a pointer; returns to next */
	MDB_FLOW_AWAY,	   /* a jump through a pointer */
	MDB_FLOW_RETURN,
};
typedef bool mdb_flow_exit_fn(void *arg, enum mdb_flow_exit kind,
	mdb_addr_t target, mdb_addr_t next);
void mdb_flow_exits(struct mdb_unwind *u, mdb_addr_t entry,
	mdb_flow_exit_fn *fn, void *arg);

/* Is pc a place that jumps and calls through a register go by? */
bool mdb_flow_is_thunk(struct mdb_unwind *u, mdb_addr_t pc);
bool mdb_flow_is_return_thunk(struct mdb_unwind *u, mdb_addr_t pc);

/* A symbol's name without the file that Xen's own table puts before it. */
const char *mdb_bare_name(const char *name);

#endif
