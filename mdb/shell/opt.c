/* SPDX-License-Identifier: MIT */
/* The option parser and the synopsis. */
#include "mdb/shell/opt.h"

#include "mdb/base/buf.h"
#include "mdb/base/ctx.h"

#include <ctype.h>
#include <string.h>

static const struct mdb_optval *
given(const struct mdb_call *call, char letter)
{
	const struct mdb_optval *found = NULL;

	for (const struct mdb_optval *o = call->opts;
		o != NULL && o->letter != 0; o++) {
		if (o->letter == letter)
			found = o;
	}
	return found;
}

bool
mdb_opt(const struct mdb_call *call, char letter)
{
	return given(call, letter) != NULL;
}

const char *
mdb_opt_str(const struct mdb_call *call, char letter)
{
	const struct mdb_optval *o = given(call, letter);

	return o == NULL ? NULL : o->text;
}

uint64_t
mdb_opt_uint(const struct mdb_call *call, char letter, uint64_t otherwise)
{
	const struct mdb_optval *o = given(call, letter);

	return o == NULL ? otherwise : o->number;
}

static const struct mdb_option *
known(const struct mdb_dcmd *dcmd, char letter)
{
	for (const struct mdb_option *o = dcmd->options;
		o != NULL && o->letter != 0; o++) {
		if (o->letter == letter)
			return o;
	}
	return NULL;
}

/* Where the parser stands among the words. */
struct parser {
	const struct mdb_dcmd *dcmd;
	const char *const *words;
	size_t nr_words, next;
	struct mdb_optval *opts;
	size_t nr_opts;
};

static enum mdb_status
take_value(struct mdb_ctx *cx, struct parser *p, const char *rest,
	const struct mdb_option *option)
{
	struct mdb_optval *val = &p->opts[p->nr_opts++];

	*val = (struct mdb_optval){ .letter = option->letter };
	if (option->kind == MDB_OPT_FLAG)
		return MDB_OK;
	if (*rest == '\0' && p->next == p->nr_words)
		return mdb_fail(cx, MDB_E_USAGE, "option -%c needs a value",
			option->letter);
	val->text = *rest != '\0' ? rest : p->words[p->next++];
	if (option->kind == MDB_OPT_STR)
		return MDB_OK;
	return mdb_eval_expr(cx, val->text, &val->number);
}

static enum mdb_status
take_letters(struct mdb_ctx *cx, struct parser *p, const char *letters)
{
	enum mdb_status st = MDB_OK;

	for (const char *c = letters; *c != '\0' && st == MDB_OK; c++) {
		const struct mdb_option *option = known(p->dcmd, *c);

		if (option == NULL)
			return mdb_fail(cx, MDB_E_USAGE, "no option -%c",
				isprint((unsigned char)*c) ? *c : '?');
		st = take_value(cx, p, c + 1, option);
		if (option->kind != MDB_OPT_FLAG)
			break;
	}
	return st;
}

enum mdb_status
mdb_opt_parse(struct mdb_ctx *cx, const struct mdb_dcmd *dcmd,
	const char *const *words, size_t nr_words, struct mdb_call *call)
{
	struct parser p = { .dcmd = dcmd,
		.words = words,
		.nr_words = nr_words };
	enum mdb_status st = MDB_OK;
	size_t letters = 1;

	for (size_t i = 0; i < nr_words; i++)
		letters += strlen(words[i]);
	p.opts = mdb_tmp(cx, letters * sizeof(*p.opts));
	while (!dcmd->raw_args && p.next < nr_words && st == MDB_OK) {
		const char *word = words[p.next];

		if (word[0] != '-' || word[1] == '\0')
			break;
		p.next++;
		if (strcmp(word, "--") == 0)
			break;
		st = take_letters(cx, &p, word + 1);
	}
	if (st != MDB_OK)
		return st;
	call->opts = p.opts;
	call->argv = words + p.next;
	call->argc = (int)(nr_words - p.next);
	if (call->argc > 0 && dcmd->operands == NULL && !dcmd->raw_args)
		return mdb_fail(cx, MDB_E_USAGE,
			"it takes no operand, and '%s' is one", call->argv[0]);
	return MDB_OK;
}

static void
add_options(struct mdb_buf *b, const struct mdb_dcmd *dcmd)
{
	bool flags = false;

	for (const struct mdb_option *o = dcmd->options;
		o != NULL && o->letter != 0; o++) {
		if (o->kind != MDB_OPT_FLAG)
			continue;
		mdb_buf_puts(b, flags ? "" : " [-");
		mdb_buf_putc(b, o->letter);
		flags = true;
	}
	mdb_buf_puts(b, flags ? "]" : "");
	for (const struct mdb_option *o = dcmd->options;
		o != NULL && o->letter != 0; o++) {
		if (o->kind != MDB_OPT_FLAG)
			mdb_buf_printf(b, " [-%c %s]", o->letter,
				o->arg == NULL ? "value" : o->arg);
	}
}

const char *
mdb_synopsis(struct mdb_ctx *cx, const struct mdb_dcmd *dcmd)
{
	const char *what =
		dcmd->addr_what == NULL ? "address" : dcmd->addr_what;
	const char *sigil = isalnum((unsigned char)dcmd->name[0]) ? "::" : "";
	const char *text;
	struct mdb_buf b;

	mdb_buf_init(&b);
	if (dcmd->addr == MDB_ADDR_REQUIRED)
		mdb_buf_puts(&b, what);
	if (dcmd->addr == MDB_ADDR_OPTIONAL)
		mdb_buf_printf(&b, "[%s]", what);
	mdb_buf_printf(&b, "%s%s", sigil, dcmd->name);
	add_options(&b, dcmd);
	if (dcmd->operands != NULL)
		mdb_buf_printf(&b, " %s", dcmd->operands);
	text = mdb_tmp_printf(cx, "%s", b.data);
	mdb_buf_fini(&b);
	return text;
}
