/* SPDX-License-Identifier: MIT */
/*
 * The nearest of several names to a mistyped one: by the number of letters
 * inserted, dropped, changed or swapped.
 */
#ifndef MDB_SHELL_SUGGEST_H
#define MDB_SHELL_SUGGEST_H

#include <stddef.h>

struct mdb_suggest {
	const char *wanted;
	const char *best; /* borrowed from an offer; NULL: none is near */
	size_t distance;  /* of best */
};

void mdb_suggest_init(struct mdb_suggest *s, const char *wanted);
void mdb_suggest_offer(struct mdb_suggest *s, const char *name);

#endif
