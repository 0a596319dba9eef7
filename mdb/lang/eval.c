/* SPDX-License-Identifier: MIT */
/*
 * Evaluating expressions: 64-bit unsigned arithmetic.  A value remembers the
 * world that a symbol or dot in it named, so that an address keeps its world;
 * a value that names none is placed by the rule of mdb_locate.
 */
#include "mdb/base/buf.h"
#include "mdb/base/ctx.h"
#include "mdb/lang/expr.h"

#include <inttypes.h>
#include <string.h>

struct env {
	struct mdb_ctx *cx;
	const struct mdb_lang *lang;
};

static enum mdb_status eval(const struct env *env, const struct mdb_expr *e,
	struct mdb_loc *out);

static struct mdb_loc
number(uint64_t v)
{
	return (struct mdb_loc){ .world = NULL, .space = NULL, .addr = v };
}

/* A name is a symbol if there is one; else hex digits are a number. */
static enum mdb_status
eval_name(const struct env *env, const struct mdb_expr *e, struct mdb_loc *out)
{
	enum mdb_status st =
		mdb_sym_loc(env->cx, mdb_world_current(env->cx), e->name, out);

	if (st == MDB_E_NOTFOUND && e->is_number && !e->quoted) {
		mdb_forget(env->cx);
		*out = number(e->value);
		return MDB_OK;
	}
	if (st == MDB_E_NOTFOUND && e->odd) {
		mdb_forget(env->cx);
		return mdb_quote_it(env->cx, e->odd);
	}
	return st;
}

static enum mdb_status
eval_var(const struct env *env, const struct mdb_expr *e, struct mdb_loc *out)
{
	uint64_t v = 0;

	if (mdb_vars_get(env->lang->vars, e->name, &v)) {
		*out = number(v);
		return MDB_OK;
	}
	if (env->lang->reg) {
		enum mdb_status st = env->lang->reg(env->cx, e->name, &v);

		if (st == MDB_OK)
			*out = number(v);
		if (st != MDB_E_NOTFOUND)
			return st;
	}
	return mdb_fail(env->cx, MDB_E_NOTFOUND, "variable '%s' is not defined",
		e->name);
}

static enum mdb_status
eval_unary(const struct env *env, const struct mdb_expr *e, struct mdb_loc *out)
{
	struct mdb_loc v;
	enum mdb_status st = eval(env, e->left, &v);

	if (st != MDB_OK)
		return st;
	if (e->op == '-')
		v.addr = 0 - v.addr;
	else if (e->op == '~')
		v.addr = ~v.addr;
	else
		v.addr = !v.addr;
	*out = number(v.addr);
	return MDB_OK;
}

static struct mdb_loc
placed(const struct env *env, struct mdb_loc v)
{
	return v.world ? v : mdb_locate(env->cx, v.addr);
}

static enum mdb_status
eval_deref(const struct env *env, const struct mdb_expr *e, struct mdb_loc *out)
{
	struct mdb_loc at;
	uint64_t v = 0;
	enum mdb_status st = eval(env, e->left, &at);

	if (st != MDB_OK)
		return st;
	at = placed(env, at);
	size_t size = e->size ? e->size : mdb_world_word(at.world);

	st = mdb_read_uint(env->cx, at, size, &v);
	if (st != MDB_OK)
		return mdb_context(env->cx, st, "failed to dereference");
	*out = mdb_at(at, v);
	return MDB_OK;
}

static enum mdb_status
divide(const struct env *env, uint64_t a, uint64_t b, uint64_t *out)
{
	if (b == 0)
		return mdb_fail(env->cx, MDB_E_USAGE, "division by zero");
	/* The one quotient that does not fit wraps. */
	if (b == UINT64_MAX)
		*out = 0 - a;
	else
		*out = (uint64_t)((int64_t)a / (int64_t)b);
	return MDB_OK;
}

static enum mdb_status
round_up(const struct env *env, uint64_t a, uint64_t b, uint64_t *out)
{
	if (b == 0)
		return mdb_fail(env->cx, MDB_E_USAGE, "rounding to zero");
	uint64_t rest = a % b;

	*out = rest ? a + (b - rest) : a;
	return MDB_OK;
}

static enum mdb_status
apply(const struct env *env, char op, uint64_t a, uint64_t b, uint64_t *out)
{
	switch (op) {
	case '*':
		*out = a * b;
		break;
	case '%':
		return divide(env, a, b, out);
	case '#':
		return round_up(env, a, b, out);
	case '+':
		*out = a + b;
		break;
	case '-':
		*out = a - b;
		break;
	case 'l':
		*out = b < 64 ? a << b : 0;
		break;
	case 'r':
		*out = b < 64 ? a >> b : 0;
		break;
	case 'e':
		*out = a == b;
		break;
	case 'n':
		*out = a != b;
		break;
	case '&':
		*out = a & b;
		break;
	case '^':
		*out = a ^ b;
		break;
	default:
		*out = a | b;
		break;
	}
	return MDB_OK;
}

static enum mdb_status
eval_binary(const struct env *env, const struct mdb_expr *e,
	struct mdb_loc *out)
{
	struct mdb_loc a, b;
	enum mdb_status st = eval(env, e->left, &a);

	if (st == MDB_OK)
		st = eval(env, e->right, &b);
	if (st != MDB_OK)
		return st;
	uint64_t v = 0;

	st = apply(env, e->op, a.addr, b.addr, &v);
	if (st == MDB_OK)
		*out = mdb_at(a.world ? a : b, v);
	return st;
}

static enum mdb_status
eval(const struct env *env, const struct mdb_expr *e, struct mdb_loc *out)
{
	const struct mdb_lang *lang = env->lang;

	switch (e->kind) {
	case MDB_X_NUMBER:
		*out = number(e->value);
		return MDB_OK;
	case MDB_X_NAME:
		return eval_name(env, e, out);
	case MDB_X_DOT:
		*out = lang->dot;
		return MDB_OK;
	case MDB_X_NEXT:
		*out = mdb_at(lang->dot, lang->dot.addr + lang->increment);
		return MDB_OK;
	case MDB_X_PREV:
		*out = mdb_at(lang->dot, lang->dot.addr - lang->increment);
		return MDB_OK;
	case MDB_X_LAST:
		*out = mdb_at(lang->dot, lang->last_addr);
		return MDB_OK;
	case MDB_X_VAR:
		return eval_var(env, e, out);
	case MDB_X_UNARY:
		return eval_unary(env, e, out);
	case MDB_X_DEREF:
		return eval_deref(env, e, out);
	case MDB_X_BINARY:
		break;
	}
	return eval_binary(env, e, out);
}

enum mdb_status
mdb_eval(struct mdb_ctx *cx, const struct mdb_lang *lang,
	const struct mdb_expr *expr, struct mdb_loc *loc_out)
{
	const struct env env = { cx, lang };
	struct mdb_loc v;
	enum mdb_status st = eval(&env, expr, &v);

	if (st == MDB_OK)
		*loc_out = placed(&env, v);
	return st;
}

enum mdb_status
mdb_word_text(struct mdb_ctx *cx, const struct mdb_lang *lang,
	const struct mdb_word *word, const char **text_out)
{
	const char *text = "";

	for (size_t i = 0; i < word->nr_parts; i++) {
		const struct mdb_word_part *p = &word->parts[i];
		struct mdb_loc v;

		if (!p->expr) {
			text = word->nr_parts == 1 ? p->text
						   : mdb_tmp_printf(cx, "%s%s",
							     text, p->text);
			continue;
		}
		enum mdb_status st = mdb_eval(cx, lang, p->expr, &v);

		if (st != MDB_OK)
			return st;
		text = mdb_tmp_printf(cx, "%s%#" PRIx64, text, v.addr);
	}
	*text_out = text;
	return MDB_OK;
}
