/* SPDX-License-Identifier: MIT */
/* The words of a command's operands. */
#ifndef MDB_DCMD_WORDS_H
#define MDB_DCMD_WORDS_H

#include <mdb/module.h>

/* The operands from the first on, joined by blanks; until the command ends. */
const char *mdb_join_words(struct mdb_ctx *cx, const struct mdb_call *call,
	int first);

#endif
