/* SPDX-License-Identifier: MIT */
/*
 * Parsing expressions by precedence climbing over characters.
 *
 * `*`, `%`, `#`, `+`, `^` and `&` mean one thing where an operand is expected
 * and another between operands; the parser's position decides.  `|` is OR
 * unless a command follows it.  Depth and number of nodes are bounded.
 */
#include "mdb/lang/expr.h"

#include "mdb/base/ctx.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NODES 2000u
#define MAX_ODD ((size_t)256) /* characters of a path in a name */
#define MAX_DEPTH 100u

void
mdb_skip_blanks(struct mdb_cursor *c)
{
	while (c->at < c->end && (*c->at == ' ' || *c->at == '\t'))
		c->at++;
}

enum mdb_status
mdb_syntax_error(struct mdb_ctx *cx, const struct mdb_cursor *c,
	const char *what)
{
	size_t len = 0;

	while (c->at + len < c->end && len < 16 && c->at[len] != '\n')
		len++;
	char *near = mdb_tmp(cx, len + 1);

	memcpy(near, c->at, len);
	if (!len)
		return mdb_fail(cx, MDB_E_SYNTAX, "syntax error: %s at the end",
			what);
	return mdb_fail(cx, MDB_E_SYNTAX, "syntax error: %s near \"%s\"", what,
		mdb_escape_name(cx, near));
}

enum mdb_status
mdb_quote_it(struct mdb_ctx *cx, const char *name)
{
	return mdb_fail(cx, MDB_E_SYNTAX,
		"a name with / or # in it must be quoted: \"%s\"",
		mdb_escape_name(cx, name));
}

static enum mdb_status
new_node(struct mdb_ctx *cx, struct mdb_cursor *c, enum mdb_expr_kind kind,
	struct mdb_expr **node_out)
{
	if (c->nr_nodes++ >= MAX_NODES)
		return mdb_syntax_error(cx, c, "the expression is too long");
	struct mdb_expr *e = mdb_tmp(cx, sizeof(*e));

	e->kind = kind;
	*node_out = e;
	return MDB_OK;
}

static bool
is_name_start(char ch)
{
	return isalpha((unsigned char)ch) || ch == '_' || ch == '.';
}

static bool
is_name_char(char ch)
{
	return is_name_start(ch) || isdigit((unsigned char)ch) || ch == '`';
}

/* ---- numbers --------------------------------------------------------------
 */

static int
digit_of(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	if (ch >= 'a' && ch <= 'z')
		return ch - 'a' + 10;
	if (ch >= 'A' && ch <= 'Z')
		return ch - 'A' + 10;
	return 36;
}

enum number_fault {
	NUMBER_OK = 0,
	NUMBER_DIGIT,
	NUMBER_OVERFLOW
};

static enum number_fault
digits(const char *text, size_t len, unsigned int radix, uint64_t *value_out)
{
	uint64_t v = 0;
	bool any = false;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '_' && any)
			continue;
		unsigned int d = (unsigned int)digit_of(text[i]);

		if (d >= radix)
			return NUMBER_DIGIT;
		if (__builtin_mul_overflow(v, radix, &v) ||
			__builtin_add_overflow(v, d, &v))
			return NUMBER_OVERFLOW;
		any = true;
	}
	*value_out = v;
	return any ? NUMBER_OK : NUMBER_DIGIT;
}

static unsigned int
prefix_radix(const char *text, size_t len)
{
	if (len < 2 || text[0] != '0')
		return 0;
	switch (text[1] | 0x20) {
	case 'i':
		return 2;
	case 'o':
		return 8;
	case 't':
		return 10;
	case 'x':
		return 16;
	default:
		return 0;
	}
}

/* 0t12.5: the bits of a double. */
static bool
decimal_fraction(struct mdb_ctx *cx, const char *text, size_t len,
	uint64_t *value_out)
{
	char *copy = mdb_tmp(cx, len + 1);
	char *rest;

	memcpy(copy, text, len);
	double d = strtod(copy, &rest);

	if (*rest)
		return false;
	memcpy(value_out, &d, sizeof(d));
	return true;
}

static enum mdb_status
parse_number(struct mdb_ctx *cx, struct mdb_cursor *c, struct mdb_expr *e)
{
	const char *text = c->at;
	size_t len = 0;

	while (isalnum((unsigned char)mdb_cursor_peek(c, len)) ||
		mdb_cursor_peek(c, len) == '_')
		len++;
	unsigned int radix = prefix_radix(text, len);

	if (radix == 10 && mdb_cursor_peek(c, len) == '.' &&
		isdigit((unsigned char)mdb_cursor_peek(c, len + 1))) {
		len++;
		while (isdigit((unsigned char)mdb_cursor_peek(c, len)))
			len++;
		if (!decimal_fraction(cx, text + 2, len - 2, &e->value))
			return mdb_syntax_error(cx, c, "bad number");
		c->at += len;
		return MDB_OK;
	}
	size_t skip = radix ? 2 : 0;

	switch (digits(text + skip, len - skip, radix ? radix : c->radix,
		&e->value)) {
	case NUMBER_OK:
		c->at += len;
		return MDB_OK;
	case NUMBER_OVERFLOW:
		return mdb_syntax_error(cx, c, "number exceeds 64 bits");
	case NUMBER_DIGIT:
		break;
	}
	return mdb_syntax_error(cx, c, "invalid digit in number");
}

/* ---- quoted things --------------------------------------------------------
 */

static int
escape_char(char ch)
{
	static const char from[] = "abfnrtv0\\'\"";
	static const char to[] = "\a\b\f\n\r\t\v\0\\'\"";
	const char *p = ch ? strchr(from, ch) : NULL;

	return p ? (unsigned char)to[p - from] : -1;
}

/* 'abc': the first character is the most significant. */
static enum mdb_status
parse_chars(struct mdb_ctx *cx, struct mdb_cursor *c, struct mdb_expr *e)
{
	unsigned int count = 0;

	for (c->at++; c->at < c->end && *c->at != '\''; c->at++) {
		int ch = (unsigned char)*c->at;

		if (ch == '\n')
			return mdb_syntax_error(cx, c, "unterminated '");
		if (ch == '\\' && c->at + 1 < c->end)
			ch = escape_char(*++c->at);
		if (ch < 0)
			return mdb_syntax_error(cx, c, "unknown escape");
		if (++count > 8)
			return mdb_syntax_error(cx, c,
				"more than 8 characters");
		e->value = e->value << 8 | (unsigned int)ch;
	}
	if (c->at == c->end)
		return mdb_syntax_error(cx, c, "unterminated '");
	c->at++;
	return MDB_OK;
}

static enum mdb_status
take(struct mdb_ctx *cx, struct mdb_cursor *c, size_t len, struct mdb_expr *e)
{
	char *name = mdb_tmp(cx, len + 1);

	memcpy(name, c->at, len);
	e->name = name;
	c->at += len;
	return MDB_OK;
}

/* "file.c#name": a symbol with characters that names cannot have. */
static enum mdb_status
parse_quoted_name(struct mdb_ctx *cx, struct mdb_cursor *c, struct mdb_expr *e)
{
	size_t len = 1;

	while (mdb_cursor_peek(c, len) && mdb_cursor_peek(c, len) != '"' &&
		mdb_cursor_peek(c, len) != '\n')
		len++;
	if (mdb_cursor_peek(c, len) != '"')
		return mdb_syntax_error(cx, c, "unterminated \"");
	e->kind = MDB_X_NAME;
	e->quoted = true;
	c->at++;
	enum mdb_status st = take(cx, c, len - 1, e);

	c->at++;
	return st;
}

/*
 * Of what begins like a name, all of it if it is one that had to be quoted: a
 * static of a hypervisor, "arch/x86/domain.c#idle_loop".  NULL: it is not.
 */
static const char *
odd_name(struct mdb_ctx *cx, const struct mdb_cursor *c)
{
	size_t hash = 0, len;

	while (hash < MAX_ODD && (is_name_char(mdb_cursor_peek(c, hash)) ||
					 mdb_cursor_peek(c, hash) == '/' ||
					 mdb_cursor_peek(c, hash) == '-'))
		hash++;
	if (hash < 3 || mdb_cursor_peek(c, hash) != '#' ||
		c->at[hash - 2] != '.' || !is_name_start(c->at[hash - 1]))
		return NULL;
	len = hash + 1;
	while (len < 2 * MAX_ODD && is_name_char(mdb_cursor_peek(c, len)))
		len++;
	return mdb_tmp_printf(cx, "%.*s", (int)len, c->at);
}

static enum mdb_status
parse_name(struct mdb_ctx *cx, struct mdb_cursor *c, struct mdb_expr *e)
{
	size_t len = 0;

	while (is_name_char(mdb_cursor_peek(c, len)))
		len++;
	if (len == 1 && *c->at == '.') {
		e->kind = MDB_X_DOT;
		c->at++;
		return MDB_OK;
	}
	e->kind = MDB_X_NAME;
	e->is_number = digits(c->at, len, c->radix, &e->value) == NUMBER_OK;
	e->odd = odd_name(cx, c);
	return take(cx, c, len, e);
}

static enum mdb_status
parse_var(struct mdb_ctx *cx, struct mdb_cursor *c, struct mdb_expr *e)
{
	size_t len = 0;

	c->at++;
	e->kind = MDB_X_VAR;
	if (isdigit((unsigned char)mdb_cursor_peek(c, 0)))
		return take(cx, c, 1, e);
	while (isalnum((unsigned char)mdb_cursor_peek(c, len)) ||
		mdb_cursor_peek(c, len) == '_' ||
		(mdb_cursor_peek(c, len) == '.' && len))
		len++;
	if (!len)
		return mdb_syntax_error(cx, c, "< needs a variable's name");
	return take(cx, c, len, e);
}

/* ---- operators ------------------------------------------------------------
 */

static unsigned int
size_of_letter(char ch)
{
	switch (ch) {
	case 'c':
	case '1':
		return 1;
	case 's':
	case '2':
		return 2;
	case 'i':
	case '4':
		return 4;
	case 'l':
	case '8':
		return 8;
	default:
		return 0;
	}
}

/* After a * or %: an optional /c/ /s/ /i/ /l/ /1/ /2/ /4/ /8/. */
static enum mdb_status
parse_width(struct mdb_ctx *cx, struct mdb_cursor *c, unsigned int *size_out)
{
	*size_out = 0;
	if (mdb_cursor_peek(c, 0) != '/')
		return MDB_OK;
	*size_out = size_of_letter(mdb_cursor_peek(c, 1));
	if (!*size_out || mdb_cursor_peek(c, 2) != '/')
		return mdb_syntax_error(cx, c,
			"a width is one of /c/ /s/ /i/ /l/ /1/ /2/ /4/ /8/");
	c->at += 3;
	return MDB_OK;
}

static enum mdb_status parse_binary(struct mdb_ctx *cx, struct mdb_cursor *c,
	bool in_brackets, int min_level, const struct mdb_expr **expr_out);
static enum mdb_status parse_operand(struct mdb_ctx *cx, struct mdb_cursor *c,
	const struct mdb_expr **expr_out);

static enum mdb_status
parse_prefix(struct mdb_ctx *cx, struct mdb_cursor *c, struct mdb_expr *e)
{
	enum mdb_status st = MDB_OK;

	e->op = *c->at++;
	if (e->op == '*' || e->op == '%') {
		e->kind = MDB_X_DEREF;
		st = parse_width(cx, c, &e->size);
	} else {
		e->kind = MDB_X_UNARY;
	}
	return st == MDB_OK ? parse_operand(cx, c, &e->left) : st;
}

static enum mdb_status
parse_parens(struct mdb_ctx *cx, struct mdb_cursor *c,
	const struct mdb_expr **expr_out)
{
	c->at++;
	enum mdb_status st = parse_binary(cx, c, true, 0, expr_out);

	if (st != MDB_OK)
		return st;
	mdb_skip_blanks(c);
	if (mdb_cursor_peek(c, 0) != ')')
		return mdb_syntax_error(cx, c, "expected )");
	c->at++;
	return MDB_OK;
}

static enum mdb_status
parse_terminal(struct mdb_ctx *cx, struct mdb_cursor *c, struct mdb_expr *e)
{
	char ch = mdb_cursor_peek(c, 0);

	if (isdigit((unsigned char)ch))
		return parse_number(cx, c, e);
	if (is_name_start(ch))
		return parse_name(cx, c, e);
	switch (ch) {
	case '\'':
		return parse_chars(cx, c, e);
	case '"':
		return parse_quoted_name(cx, c, e);
	case '<':
		return parse_var(cx, c, e);
	case '+':
		e->kind = MDB_X_NEXT;
		break;
	case '^':
		e->kind = MDB_X_PREV;
		break;
	case '&':
		e->kind = MDB_X_LAST;
		break;
	case '*':
	case '%':
	case '-':
	case '~':
	case '#':
		return parse_prefix(cx, c, e);
	default:
		return mdb_syntax_error(cx, c, "expected an expression");
	}
	c->at++;
	return MDB_OK;
}

static enum mdb_status
parse_operand(struct mdb_ctx *cx, struct mdb_cursor *c,
	const struct mdb_expr **expr_out)
{
	struct mdb_expr *e = NULL;
	enum mdb_status st;

	if (c->depth >= MAX_DEPTH)
		return mdb_syntax_error(cx, c, "nested too deeply");
	c->depth++;
	mdb_skip_blanks(c);
	if (mdb_cursor_peek(c, 0) == '(') {
		st = parse_parens(cx, c, expr_out);
	} else {
		st = new_node(cx, c, MDB_X_NUMBER, &e);
		if (st == MDB_OK)
			st = parse_terminal(cx, c, e);
		if (st == MDB_OK)
			*expr_out = e;
	}
	c->depth--;
	return st;
}

bool
mdb_expr_begins(const struct mdb_cursor *c)
{
	char ch = mdb_cursor_peek(c, 0);

	if (ch == '\0')
		return false;
	return isdigit((unsigned char)ch) || is_name_start(ch) ||
	       strchr("'\"<+^&*%-~#(", ch) != NULL;
}

struct binop {
	char op; /* as in struct mdb_expr */
	int level;
	size_t len;
};

/* A | that a command follows is a pipe. */
static bool
is_or(const struct mdb_cursor *c, bool in_brackets)
{
	struct mdb_cursor after = *c;

	if (in_brackets)
		return true;
	after.at++;
	mdb_skip_blanks(&after);
	return mdb_expr_begins(&after);
}

static bool
two(const struct mdb_cursor *c, char a, char b)
{
	return mdb_cursor_peek(c, 0) == a && mdb_cursor_peek(c, 1) == b;
}

static bool
operator_at(const struct mdb_cursor *c, bool in_brackets, struct binop *op_out)
{
	char ch = mdb_cursor_peek(c, 0);

	if (two(c, '<', '<'))
		*op_out = (struct binop){ 'l', 5, 2 };
	else if (two(c, '>', '>'))
		*op_out = (struct binop){ 'r', 5, 2 };
	else if (two(c, '=', '='))
		*op_out = (struct binop){ 'e', 4, 2 };
	else if (two(c, '!', '='))
		*op_out = (struct binop){ 'n', 4, 2 };
	else if (ch == '*' || ch == '%' || ch == '#')
		*op_out = (struct binop){ ch, 7, 1 };
	else if (ch == '+' || ch == '-')
		*op_out = (struct binop){ ch, 6, 1 };
	else if (ch == '&')
		*op_out = (struct binop){ ch, 3, 1 };
	else if (ch == '^')
		*op_out = (struct binop){ ch, 2, 1 };
	else if (ch == '|' && is_or(c, in_brackets))
		*op_out = (struct binop){ ch, 1, 1 };
	else
		return false;
	return true;
}

static enum mdb_status
parse_binary(struct mdb_ctx *cx, struct mdb_cursor *c, bool in_brackets,
	int min_level, const struct mdb_expr **expr_out)
{
	const struct mdb_expr *left;
	enum mdb_status st = parse_operand(cx, c, &left);

	while (st == MDB_OK) {
		struct binop op;
		struct mdb_expr *e = NULL;

		mdb_skip_blanks(c);
		if (!operator_at(c, in_brackets, &op) || op.level < min_level)
			break;
		c->at += op.len;
		st = new_node(cx, c, MDB_X_BINARY, &e);
		if (st != MDB_OK)
			return st;
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): made */
		e->op = op.op;
		e->left = left;
		st = parse_binary(cx, c, in_brackets, op.level + 1, &e->right);
		left = e;
	}
	if (st == MDB_OK)
		*expr_out = left;
	return st;
}

enum mdb_status
mdb_expr_parse(struct mdb_ctx *cx, struct mdb_cursor *c, bool in_brackets,
	const struct mdb_expr **expr_out)
{
	return parse_binary(cx, c, in_brackets, 0, expr_out);
}

static enum mdb_status
whole_name(struct mdb_ctx *cx, struct mdb_cursor *c,
	const struct mdb_expr **expr_out)
{
	struct mdb_expr *e = NULL;
	enum mdb_status st = new_node(cx, c, MDB_X_NAME, &e);

	if (st != MDB_OK || e == NULL)
		return st;
	e->quoted = true;
	*expr_out = e;
	return take(cx, c, (size_t)(c->end - c->at), e);
}

enum mdb_status
mdb_parse_expr(struct mdb_ctx *cx, const char *text, unsigned int radix,
	const struct mdb_expr **expr_out)
{
	struct mdb_cursor c = { text, text + strlen(text), radix, 0, 0 };
	const char *odd = odd_name(cx, &c);
	const struct mdb_expr *e = NULL;
	enum mdb_status st;

	/* The quotes of a word of its own were taken off. */
	if (odd != NULL && strcmp(odd, text) == 0)
		return whole_name(cx, &c, expr_out);
	st = mdb_expr_parse(cx, &c, true, &e);
	if (st != MDB_OK)
		return st;
	mdb_skip_blanks(&c);
	if (c.at != c.end && odd != NULL)
		return mdb_quote_it(cx, odd);
	if (c.at != c.end)
		return mdb_syntax_error(cx, &c, "unexpected text");
	*expr_out = e;
	return MDB_OK;
}
