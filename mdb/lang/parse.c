/* SPDX-License-Identifier: MIT */
/*
 * Parsing statements: [expr][,expr] commands [! shell text].
 *
 * Words of a command end at a blank, |, ;, ! or the end of the line; quotes
 * and $[expr] may stand anywhere in them.  The tree lives in the context's
 * temporary memory.
 */
#include "mdb/base/ctx.h"
#include "mdb/lang/expr.h"

#include <ctype.h>
#include <string.h>

#define MAX_WORDS 1024u
#define MAX_CMDS 64u

static bool
is_end(char ch)
{
	return ch == '\0' || ch == '\n' || ch == ';';
}

static bool
ends_command(char ch)
{
	return is_end(ch) || ch == '|' || ch == '!';
}

static bool
is_comment(const struct mdb_cursor *c)
{
	return mdb_cursor_peek(c, 0) == '/' && mdb_cursor_peek(c, 1) == '/';
}

static void
skip_comment(struct mdb_cursor *c)
{
	while (c->at < c->end && *c->at != '\n')
		c->at++;
}

/* Blanks, and a comment where one may stand. */
static void
skip(struct mdb_cursor *c)
{
	mdb_skip_blanks(c);
	if (is_comment(c))
		skip_comment(c);
}

static const char *
copy(struct mdb_ctx *cx, const char *from, size_t len)
{
	char *s = mdb_tmp(cx, len + 1);

	if (len)
		memcpy(s, from, len);
	return s;
}

/* The temporary array of nr elements with room for one more. */
static void *
grow(struct mdb_ctx *cx, void *array, size_t nr, size_t size)
{
	/* Doubles at powers of two; the old copy is left to the arena. */
	if (array != NULL && (nr & (nr - 1)) != 0)
		return array;
	void *more = mdb_tmp(cx, (nr ? 2 * nr : 1) * size);

	if (array != NULL)
		memcpy(more, array, nr * size);
	return more;
}

/* ---- words ----------------------------------------------------------------
 */

static void
add_part(struct mdb_ctx *cx, struct mdb_word *w, const char *text,
	const struct mdb_expr *expr)
{
	w->parts = grow(cx, w->parts, w->nr_parts, sizeof(*w->parts));
	w->parts[w->nr_parts++] = (struct mdb_word_part){ text, expr };
}

static enum mdb_status
bracket_part(struct mdb_ctx *cx, struct mdb_cursor *c, struct mdb_word *w)
{
	const struct mdb_expr *e;

	c->at += 2;
	enum mdb_status st = mdb_expr_parse(cx, c, true, &e);

	if (st != MDB_OK)
		return st;
	mdb_skip_blanks(c);
	if (mdb_cursor_peek(c, 0) != ']')
		return mdb_syntax_error(cx, c, "expected ]");
	c->at++;
	add_part(cx, w, NULL, e);
	return MDB_OK;
}

static char
unescape(char ch)
{
	switch (ch) {
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case 'r':
		return '\r';
	default:
		return ch;
	}
}

static enum mdb_status
quoted_part(struct mdb_ctx *cx, struct mdb_cursor *c, struct mdb_word *w)
{
	char quote = *c->at++;
	char *text = mdb_tmp(cx, (size_t)(c->end - c->at) + 1);
	size_t len = 0;

	for (; c->at < c->end && *c->at != quote && *c->at != '\n'; c->at++) {
		char ch = *c->at;

		if (quote == '"' && ch == '\\' && c->at + 1 < c->end)
			ch = unescape(*++c->at);
		text[len++] = ch;
	}
	if (mdb_cursor_peek(c, 0) != quote)
		return mdb_syntax_error(cx, c, "unterminated quote");
	c->at++;
	add_part(cx, w, text, NULL);
	return MDB_OK;
}

static bool
is_plain(const struct mdb_cursor *c)
{
	char ch = mdb_cursor_peek(c, 0);

	return !ends_command(ch) && ch != ' ' && ch != '\t' && ch != '\'' &&
	       ch != '"' && !(ch == '$' && mdb_cursor_peek(c, 1) == '[');
}

static enum mdb_status
parse_word(struct mdb_ctx *cx, struct mdb_cursor *c, struct mdb_word *w)
{
	enum mdb_status st = MDB_OK;

	*w = (struct mdb_word){ 0 };
	while (st == MDB_OK) {
		const char *start = c->at;
		char ch = mdb_cursor_peek(c, 0);

		if (ch == '\'' || ch == '"') {
			st = quoted_part(cx, c, w);
			continue;
		}
		if (ch == '$' && mdb_cursor_peek(c, 1) == '[') {
			st = bracket_part(cx, c, w);
			continue;
		}
		while (is_plain(c))
			c->at++;
		if (c->at == start)
			break;
		add_part(cx, w, copy(cx, start, (size_t)(c->at - start)), NULL);
	}
	return st;
}

static enum mdb_status
parse_words(struct mdb_ctx *cx, struct mdb_cursor *c, struct mdb_cmd *cmd)
{
	struct mdb_word *words = NULL;
	size_t nr = 0;

	for (;;) {
		skip(c);
		if (ends_command(mdb_cursor_peek(c, 0)))
			break;
		if (nr == MAX_WORDS)
			return mdb_syntax_error(cx, c, "too many words");
		words = grow(cx, words, nr, sizeof(*words));
		enum mdb_status st = parse_word(cx, c, &words[nr++]);

		if (st != MDB_OK)
			return st;
	}
	cmd->words = words;
	cmd->nr_words = nr;
	return MDB_OK;
}

/* ---- commands -------------------------------------------------------------
 */

/* A name up to a blank or the end of the command. */
static const char *
take_name(struct mdb_ctx *cx, struct mdb_cursor *c)
{
	const char *start = c->at;

	while (!ends_command(mdb_cursor_peek(c, 0)) && *c->at != ' ' &&
		*c->at != '\t')
		c->at++;
	return copy(cx, start, (size_t)(c->at - start));
}

static enum mdb_status
parse_named(struct mdb_ctx *cx, struct mdb_cursor *c, struct mdb_cmd *cmd)
{
	c->at += 2;
	cmd->kind = MDB_CMD_NAMED;
	cmd->name = take_name(cx, c);
	if (!*cmd->name)
		return mdb_syntax_error(cx, c, ":: needs a command's name");
	return parse_words(cx, c, cmd);
}

static bool
is_command_letter(char ch)
{
	return isalpha((unsigned char)ch) || (ch && strchr("?%@^_`", ch));
}

/* $x and :x: one letter; words may follow at once ("$C0"). */
static enum mdb_status
parse_lettered(struct mdb_ctx *cx, struct mdb_cursor *c, struct mdb_cmd *cmd)
{
	cmd->kind = *c->at == '$' ? MDB_CMD_DOLLAR : MDB_CMD_COLON;
	c->at++;
	if (is_command_letter(mdb_cursor_peek(c, 0))) {
		cmd->name = copy(cx, c->at, 1);
		c->at++;
	} else if (cmd->kind == MDB_CMD_DOLLAR) {
		cmd->name = "?";
	} else {
		return mdb_syntax_error(cx, c, "unknown : command");
	}
	return parse_words(cx, c, cmd);
}

static enum mdb_status
parse_redirect(struct mdb_ctx *cx, struct mdb_cursor *c, struct mdb_cmd *cmd)
{
	char which = mdb_cursor_peek(c, 1);

	c->at += 2;
	cmd->kind = which == '<' ? MDB_CMD_MACRO : MDB_CMD_LOG;
	if (which == '<' && mdb_cursor_peek(c, 0) == '<') {
		cmd->nested = true;
		c->at++;
	}
	mdb_skip_blanks(c);
	cmd->name = take_name(cx, c);
	if (which == '<' && !*cmd->name)
		return mdb_syntax_error(cx, c, "$< needs a macro's name");
	return MDB_OK;
}

static enum mdb_status
parse_assign(struct mdb_ctx *cx, struct mdb_cursor *c, struct mdb_cmd *cmd)
{
	static const char letters[] = "c1s2i4l8";

	cmd->kind = MDB_CMD_ASSIGN;
	c->at++;
	if (mdb_cursor_peek(c, 0) == '/') {
		const char *p = mdb_cursor_peek(c, 1)
					? strchr(letters, mdb_cursor_peek(c, 1))
					: NULL;

		if (!p || mdb_cursor_peek(c, 2) != '/')
			return mdb_syntax_error(cx, c,
				"a width is one of /c/ /s/ /i/ /l/ /1/ /2/ "
				"/4/ /8/");
		cmd->size = 1u << ((p - letters) / 2);
		c->at += 3;
	}
	mdb_skip_blanks(c);
	cmd->name = take_name(cx, c);
	if (!*cmd->name)
		return mdb_syntax_error(cx, c, "> needs a variable's name");
	return MDB_OK;
}

/* Formats up to the end; behind a matching or writing one come values. */
static enum mdb_status
parse_formats(struct mdb_ctx *cx, struct mdb_cursor *c, struct mdb_cmd *cmd)
{
	cmd->kind = MDB_CMD_FORMAT;
	cmd->verb = *c->at++;
	const char *start = c->at;
	bool values = false;

	while (!ends_command(mdb_cursor_peek(c, 0)) && !values) {
		if (is_comment(c) && (c->at[-1] == ' ' || c->at[-1] == '\t'))
			break;
		char ch = *c->at++;

		if (ch == '"') {
			while (c->at < c->end && *c->at != '"' &&
				*c->at != '\n')
				c->at++;
			if (mdb_cursor_peek(c, 0) != '"')
				return mdb_syntax_error(cx, c,
					"unterminated quote");
			c->at++;
		}
		values = strchr("lLMvwWZ", ch) != NULL &&
			 (mdb_cursor_peek(c, 0) == ' ' ||
				 mdb_cursor_peek(c, 0) == '\t');
	}
	while (!values && c->at > start &&
		(c->at[-1] == ' ' || c->at[-1] == '\t'))
		c->at--;
	cmd->formats = copy(cx, start, (size_t)(c->at - start));
	mdb_skip_blanks(c);
	return values ? parse_words(cx, c, cmd) : MDB_OK;
}

static enum mdb_status
parse_command(struct mdb_ctx *cx, struct mdb_cursor *c, struct mdb_cmd *cmd)
{
	*cmd = (struct mdb_cmd){ .name = "", .formats = "" };
	switch (mdb_cursor_peek(c, 0)) {
	case ':':
		return mdb_cursor_peek(c, 1) == ':'
			       ? parse_named(cx, c, cmd)
			       : parse_lettered(cx, c, cmd);
	case '$':
		return mdb_cursor_peek(c, 1) == '<' ||
				       mdb_cursor_peek(c, 1) == '>'
			       ? parse_redirect(cx, c, cmd)
			       : parse_lettered(cx, c, cmd);
	case '>':
		return parse_assign(cx, c, cmd);
	case '/':
	case '?':
	case '\\':
	case '@':
	case '=':
		return parse_formats(cx, c, cmd);
	default:
		return mdb_syntax_error(cx, c, "expected a command");
	}
}

static enum mdb_status
parse_pipeline(struct mdb_ctx *cx, struct mdb_cursor *c, struct mdb_stmt *s)
{
	struct mdb_cmd *cmds = NULL;
	size_t nr = 0;

	for (;;) {
		if (nr == MAX_CMDS)
			return mdb_syntax_error(cx, c, "too many commands");
		cmds = grow(cx, cmds, nr, sizeof(*cmds));
		enum mdb_status st = parse_command(cx, c, &cmds[nr++]);

		if (st != MDB_OK)
			return st;
		skip(c);
		if (mdb_cursor_peek(c, 0) != '|')
			break;
		c->at++;
		skip(c);
	}
	s->cmds = cmds;
	s->nr_cmds = nr;
	return MDB_OK;
}

/* The text behind !: to the end of the line, or a ; outside quotes. */
static void
parse_shell(struct mdb_ctx *cx, struct mdb_cursor *c, struct mdb_stmt *s)
{
	char quote = '\0';

	c->at++;
	mdb_skip_blanks(c);
	const char *start = c->at;

	for (; c->at < c->end && *c->at != '\n'; c->at++) {
		char ch = *c->at;

		if (!quote && ch == ';')
			break;
		if (quote && ch == quote)
			quote = '\0';
		else if (!quote && (ch == '\'' || ch == '"'))
			quote = ch;
	}
	s->shell = copy(cx, start, (size_t)(c->at - start));
}

static enum mdb_status
parse_statement(struct mdb_ctx *cx, struct mdb_cursor *c, struct mdb_stmt *s)
{
	enum mdb_status st = MDB_OK;

	skip(c);
	if (mdb_expr_begins(c))
		st = mdb_expr_parse(cx, c, false, &s->addr);
	if (st != MDB_OK)
		return st;
	skip(c);
	if (mdb_cursor_peek(c, 0) == ',') {
		c->at++;
		st = mdb_expr_parse(cx, c, false, &s->count);
		if (st != MDB_OK)
			return st;
		skip(c);
	}
	/* `addr | ::cmd`: the address is what the pipe carries. */
	if (mdb_cursor_peek(c, 0) == '|' && s->addr) {
		c->at++;
		skip(c);
	}
	if (!is_end(mdb_cursor_peek(c, 0)) && mdb_cursor_peek(c, 0) != '!')
		st = parse_pipeline(cx, c, s);
	if (st != MDB_OK)
		return st;
	if (mdb_cursor_peek(c, 0) == '!')
		parse_shell(cx, c, s);
	if (!is_end(mdb_cursor_peek(c, 0)))
		return mdb_syntax_error(cx, c, "unexpected text");
	return MDB_OK;
}

enum mdb_status
mdb_parse(struct mdb_ctx *cx, const char *text, size_t len, unsigned int radix,
	struct mdb_stmt *stmt_out, size_t *used_out)
{
	const char *nul = len ? memchr(text, '\0', len) : NULL;
	struct mdb_cursor c = { text, nul ? nul : text + len, radix, 0, 0 };
	struct mdb_stmt s = { 0 };
	enum mdb_status st = parse_statement(cx, &c, &s);

	if (st != MDB_OK)
		return st;
	if (c.at < c.end)
		c.at++;
	/* A NUL ends the text. */
	*used_out = c.at == nul ? len : (size_t)(c.at - text);
	*stmt_out = s;
	return MDB_OK;
}
