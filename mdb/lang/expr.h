/* SPDX-License-Identifier: MIT */
/*
 * Expression trees: what expr.c parses and eval.c evaluates.  The parser
 * works on a cursor that the statement parser shares.
 */
#ifndef MDB_LANG_EXPR_H
#define MDB_LANG_EXPR_H

#include "mdb/lang/lang.h"

enum mdb_expr_kind {
	MDB_X_NUMBER = 0,
	MDB_X_NAME, /* a symbol, else a number in the radix */
	MDB_X_DOT,
	MDB_X_NEXT, /* + : dot + increment */
	MDB_X_PREV, /* ^ : dot - increment */
	MDB_X_LAST, /* & : last address used */
	MDB_X_VAR,
	MDB_X_UNARY,  /* - ~ # */
	MDB_X_DEREF,  /* * and %, of size bytes; 0: a pointer */
	MDB_X_BINARY, /* op is the operator's first character; << is l, >> r,
			 == e, != n */
};

struct mdb_expr {
	enum mdb_expr_kind kind;
	char op;
	unsigned int size;
	bool quoted;	/* MDB_X_NAME in "..": never a number */
	bool is_number; /* MDB_X_NAME whose letters are digits as well */
	uint64_t value;
	const char *name;
	const char *odd; /* of which it is the beginning, unquoted; or NULL */
	const struct mdb_expr *left, *right;
};

/* A place in the text being parsed. */
struct mdb_cursor {
	const char *at, *end;
	unsigned int radix;
	unsigned int nr_nodes; /* of this statement; bounded */
	unsigned int depth;    /* of nested parentheses and prefixes; bounded */
};

/* The character so far ahead; NUL behind the end. */
static inline char
mdb_cursor_peek(const struct mdb_cursor *c, size_t ahead)
{
	if (ahead < (size_t)(c->end - c->at))
		return c->at[ahead];
	return '\0';
}

void mdb_skip_blanks(struct mdb_cursor *c);
enum mdb_status mdb_syntax_error(struct mdb_ctx *cx, const struct mdb_cursor *c,
	const char *what);

/* Says how a name that was typed as it is had to be typed. */
enum mdb_status mdb_quote_it(struct mdb_ctx *cx, const char *name);

/* Does an expression begin here? */
bool mdb_expr_begins(const struct mdb_cursor *c);
/* Parses as much as is an expression; stops before verbs and pipes. */
enum mdb_status mdb_expr_parse(struct mdb_ctx *cx, struct mdb_cursor *c,
	bool in_brackets, const struct mdb_expr **expr_out);

#endif
