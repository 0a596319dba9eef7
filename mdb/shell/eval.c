/* SPDX-License-Identifier: MIT */
/* Expressions for commands. */
#include "mdb/shell/session.h"

enum mdb_status
mdb_eval_expr(struct mdb_ctx *cx, const char *text, uint64_t *value_out)
{
	const struct mdb_lang *lang = &cx->session->lang;
	const struct mdb_expr *expr;
	struct mdb_loc loc = { 0 };
	enum mdb_status st;

	st = mdb_parse_expr(cx, text, lang->radix, &expr);
	if (st == MDB_OK)
		st = mdb_eval(cx, lang, expr, &loc);
	if (st == MDB_OK)
		*value_out = loc.addr;
	return st;
}
