/* SPDX-License-Identifier: MIT */
/*
 * Options and operands of a command, taken apart by its const tables; and the
 * synopsis made from the same tables, so that usage is never written twice.
 */
#ifndef MDB_SHELL_OPT_H
#define MDB_SHELL_OPT_H

#include <mdb/module.h>

/* An option that was given.  A list of them ends with letter 0. */
struct mdb_optval {
	char letter;
	const char *text; /* of MDB_OPT_STR and MDB_OPT_EXPR */
	uint64_t number;  /* of MDB_OPT_EXPR */
};

/*
 * Splits words into options and operands: sets call's opts, argv and argc.
 * Options end at the first operand or at `--`; letters may be joined, a value
 * may follow its letter directly.  MDB_E_USAGE says what was wrong.
 */
enum mdb_status mdb_opt_parse(struct mdb_ctx *cx, const struct mdb_dcmd *dcmd,
	const char *const *words, size_t nr_words, struct mdb_call *call);

/* "[task]::ps [-ft] [pattern]"; lives until the command ends. */
const char *mdb_synopsis(struct mdb_ctx *cx, const struct mdb_dcmd *dcmd);

#endif
