/* SPDX-License-Identifier: MIT */
/* The walk driver, for those who have the walker itself. */
#ifndef MDB_SHELL_WALK_H
#define MDB_SHELL_WALK_H

#include <mdb/module.h>

/*
 * Runs one walk.  start may be NULL.  MDB_OK at its end, also when fn ended
 * it with MDB_DONE; MDB_E_CORRUPT when an address comes a second time; else
 * what the walker or fn failed with.
 */
enum mdb_status mdb_walk_run(struct mdb_ctx *cx,
	const struct mdb_walker *walker, const struct mdb_walk *start,
	mdb_walk_fn *fn, void *arg);

#endif
