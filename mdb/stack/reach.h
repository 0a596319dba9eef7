/* SPDX-License-Identifier: MIT */
/*
 * Can a call lead into a function?
 */
#ifndef MDB_STACK_REACH_H
#define MDB_STACK_REACH_H

#include "mdb/stack/flow.h"

enum mdb_reach {
	MDB_REACH_NO = 0,
	MDB_REACH_CALL,	   /* it calls the function */
	MDB_REACH_JUMP,	   /* it calls one that jumps on into it */
	MDB_REACH_POINTER, /* it goes through a pointer */
	MDB_REACH_UNKNOWN, /* the code cannot be read */
};

/* Does the call that ends at ip lead into the function? */
enum mdb_reach mdb_reach(struct mdb_unwind *u, mdb_addr_t ip,
	const struct mdb_flow_function *function);

/* The same of a call whose target is known. */
enum mdb_reach mdb_reach_from_target(struct mdb_unwind *u, mdb_addr_t target,
	const struct mdb_flow_function *function);

/* Is there a call in the one that leads straight into the other? */
bool mdb_reach_calls(struct mdb_unwind *u,
	const struct mdb_flow_function *caller,
	const struct mdb_flow_function *callee);

#endif
