/* SPDX-License-Identifier: MIT */
/* The session's own state: ::set ::vars ::log ::quit ::version, $d $v ... */
#include "mdb/dcmd/dcmd.h"
#include "mdb/dcmd/words.h"
#include "mdb/shell/alias.h"
#include "mdb/shell/regs.h"
#include "mdb/shell/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- variables -----------------------------------------------------------
 */

static const struct mdb_column var_columns[] = {
	{ .name = "name",
		.flags = MDB_COL_JSON_ONLY,
		.help = "of the variable" },
	{ .name = "value",
		.flags = MDB_COL_JSON_ONLY | MDB_COL_PIPE,
		.help = "its value" },
	{ .name = "text", .flags = MDB_COL_TEXT_ONLY, .help = "name = value" },
	{ 0 },
};
static const struct mdb_table var_table = { .name = "vars",
	.columns = var_columns };

static enum mdb_status
print_var(struct mdb_ctx *cx, const struct mdb_call *call, const char *name,
	uint64_t value, bool nonzero)
{
	const char *text =
		mdb_opt(call, 'p')
			? mdb_tmp_printf(cx, "0x%" PRIx64 ">%s", value, name)
			: mdb_tmp_printf(cx, "%s = %" PRIx64, name, value);
	const struct mdb_value values[] = {
		mdb_v_text(name),
		mdb_v_hex(value),
		mdb_v_text(text),
	};

	return nonzero && value == 0 ? MDB_OK : mdb_row(cx, &var_table, values);
}

static enum mdb_status
print_vars(struct mdb_ctx *cx, const struct mdb_call *call, bool nonzero)
{
	const struct mdb_vars *vars = cx->session->lang.vars;
	enum mdb_status st = MDB_OK;
	const char *name;
	uint64_t value;

	for (size_t i = 0; st == MDB_OK && mdb_vars_at(vars, i, &name, &value);
		i++)
		st = print_var(cx, call, name, value, nonzero);
	/* Registers cannot be set again. */
	for (size_t i = 0; st == MDB_OK && !mdb_opt(call, 'p'); i++) {
		name = mdb_reg_name_at(i);
		if (name == NULL)
			break;
		if (mdb_session_reg(cx, name, &value) == MDB_OK)
			st = print_var(cx, call, name, value, nonzero);
		mdb_forget(cx);
	}
	return st;
}

static enum mdb_status
run_vars(struct mdb_ctx *cx, const struct mdb_call *call)
{
	return print_vars(cx, call, mdb_opt(call, 'n'));
}

static enum mdb_status
run_dollar_v(struct mdb_ctx *cx, const struct mdb_call *call)
{
	return print_vars(cx, call, true);
}

/* ---- options -------------------------------------------------------------
 */

static const char *
limit_text(struct mdb_ctx *cx, uint64_t limit)
{
	return limit == 0 ? "none" : mdb_tmp_printf(cx, "%" PRIu64, limit);
}

static enum mdb_status
setting(struct mdb_ctx *cx, const char *label, const char *value)
{
	return mdb_line(cx, "%20s: %s", label, value);
}

static enum mdb_status
print_settings(struct mdb_ctx *cx)
{
	const struct mdb_session *s = cx->session;
	const struct mdb_options *o = &s->opts;
	const char *active = mdb_tmp_printf(cx, "%s%s%s%s",
		o->json ? "json " : "", o->pager ? "pager " : "",
		o->ignoreeof ? "ignoreeof " : "",
		o->repeatlast ? "repeatlast " : "");
	const struct {
		const char *label, *value;
	} lines[] = {
		{ "macro path", s->macro_path == NULL ? "" : s->macro_path },
		{ "radix", mdb_tmp_printf(cx, "%u", s->lang.radix) },
		{ "symbol distance", o->sym_distance == 0
					     ? "smart"
					     : mdb_tmp_printf(cx, "0x%" PRIx64,
						       o->sym_distance) },
		{ "array member limit", limit_text(cx, o->array_mem_limit) },
		{ "array string limit", limit_text(cx, o->array_str_limit) },
		{ "command prompt", mdb_tmp_printf(cx, "\"%s\"", o->prompt) },
		{ "log", s->log_path == NULL ? "off" : s->log_path },
		{ "active options", active },
	};
	enum mdb_status st = MDB_OK;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (st == MDB_OK)
			st = setting(cx, lines[i].label, lines[i].value);
	}
	return st;
}

static enum mdb_status
set_prompt(struct mdb_ctx *cx, const char *prompt)
{
	struct mdb_options *o = &cx->session->opts;

	(void)snprintf(o->prompt, sizeof(o->prompt), "%s", prompt);
	return MDB_OK;
}

static enum mdb_status
set_distance(struct mdb_ctx *cx, const char *text)
{
	return mdb_eval_expr(cx, text, &cx->session->opts.sym_distance);
}

/* One "-x value" or "-xvalue"; *i is left on the last word used. */
static enum mdb_status
take_setting(struct mdb_ctx *cx, const struct mdb_call *call, int *i)
{
	const char *word = call->argv[*i];
	const char *value = word[0] == '\0' || word[1] == '\0' ? "" : word + 2;

	if ((word[0] != '-' && word[0] != '+') || word[1] == '\0' ||
		strchr("oPs", word[1]) == NULL)
		return mdb_fail(cx, MDB_E_USAGE, "'%s' is no setting", word);
	if (*value == '\0' && *i + 1 == call->argc)
		return mdb_fail(cx, MDB_E_USAGE, "%s needs a value", word);
	if (*value == '\0')
		value = call->argv[++*i];
	if (word[1] == 'o')
		return mdb_session_set(cx, cx->session, value, word[0] == '-');
	return word[1] == 'P' ? set_prompt(cx, value) : set_distance(cx, value);
}

static enum mdb_status
run_set(struct mdb_ctx *cx, const struct mdb_call *call)
{
	enum mdb_status st = MDB_OK;

	if (call->argc == 0)
		return print_settings(cx);
	for (int i = 0; i < call->argc && st == MDB_OK; i++)
		st = take_setting(cx, call, &i);
	return st;
}

static enum mdb_status
run_radix(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_lang *lang = &cx->session->lang;

	if (call->has_addr) {
		if (call->loc.addr < 2 || call->loc.addr > 16)
			return mdb_fail(cx, MDB_E_USAGE,
				"a radix is from 2 to 0t16");
		lang->radix = (unsigned int)call->loc.addr;
	}
	return mdb_line(cx, "radix = %u base ten", lang->radix);
}

static enum mdb_status
run_distance(struct mdb_ctx *cx, const struct mdb_call *call)
{
	uint64_t *distance = &cx->session->opts.sym_distance;

	if (call->has_addr)
		*distance = call->loc.addr;
	if (*distance == 0)
		return mdb_line(cx, "symbol matching distance is smart mode");
	return mdb_line(cx, "symbol matching distance is 0x%" PRIx64 " bytes",
		*distance);
}

static enum mdb_status
run_prompt(struct mdb_ctx *cx, const struct mdb_call *call)
{
	return set_prompt(cx,
		call->argc == 0 ? "> " : mdb_join_words(cx, call, 0));
}

/* ---- the rest ------------------------------------------------------------
 */

static enum mdb_status
run_log(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_session *s = cx->session;

	if (mdb_opt(call, 'd')) {
		if (s->log_path == NULL)
			return mdb_fail(cx, MDB_E_USAGE,
				"there is no log to end");
		return mdb_session_log(cx, s, NULL);
	}
	if (mdb_opt(call, 'e') && call->argc == 0)
		return mdb_fail(cx, MDB_E_USAGE, "name a file to log to");
	if (call->argc > 0)
		return mdb_session_log(cx, s, call->argv[0]);
	if (s->log_path == NULL)
		return mdb_line(cx, "logging is disabled");
	return mdb_line(cx, "logging to \"%s\"", s->log_path);
}

static enum mdb_status
run_quit(struct mdb_ctx *cx, const struct mdb_call *call)
{
	(void)call;
	cx->session->quit = true;
	return MDB_OK;
}

static enum mdb_status
run_version(struct mdb_ctx *cx, const struct mdb_call *call)
{
	(void)call;
	return mdb_line(cx, "mdb 1.0, module interface %d", MDB_API_VERSION);
}

static const struct mdb_column alias_columns[] = {
	{ .name = "name",
		.heading = "NAME",
		.width = 16,
		.flags = MDB_COL_LEFT,
		.help = "what is typed after $<" },
	{ .name = "text",
		.heading = "COMMAND",
		.flags = MDB_COL_LEFT,
		.help = "what is run; . is the address" },
	{ 0 },
};
static const struct mdb_table alias_table = { .name = "macros",
	.columns = alias_columns };

static enum mdb_status
run_macros(struct mdb_ctx *cx, const struct mdb_call *call)
{
	const struct mdb_world *world = cx->session->cx.world;
	const struct mdb_alias *alias;
	enum mdb_status st = MDB_OK;

	(void)call;
	for (size_t i = 0;
		st == MDB_OK && (alias = mdb_alias_at(world, i)) != NULL; i++) {
		const struct mdb_value v[] = { mdb_v_text(alias->name),
			mdb_v_text(alias->text) };

		st = mdb_row(cx, &alias_table, v);
	}
	if (st != MDB_OK)
		return st;
	return mdb_line(cx,
		"$<NAME runs the file NAME of the macro path, else what is "
		"listed here, else prints dot as struct NAME, union NAME or "
		"NAME_t");
}

static const struct mdb_option var_options[] = {
	{ 'n', MDB_OPT_FLAG, NULL, "only those that are not zero" },
	{ 'p', MDB_OPT_FLAG, NULL, "as commands that set them again" },
	{ 0 },
};

static const struct mdb_option log_options[] = {
	{ 'd', MDB_OPT_FLAG, NULL, "end the log" },
	{ 'e', MDB_OPT_FLAG, NULL, "begin a log (as without it)" },
	{ 0 },
};

static const struct mdb_example set_examples[] = {
	{ "::set -o json", "print rows as JSON lines from now on" },
	{ "::set +o pager", "do not stop at the end of a page" },
	{ "::set -o array_mem_limit=none", "print whole arrays" },
	{ 0 },
};

const struct mdb_dcmd mdb_dcmds_settings[] = {
	{
		.name = "set",
		.operands = "[-o option] [+o option] [-P prompt] [-s distance]",
		.summary = "get or set debugger properties",
		.help = "Without operands prints the properties. Options: "
			"json, pager, ignoreeof, repeatlast, "
			"array_mem_limit=N, array_str_limit=N (none: no "
			"limit); options of illumos' mdb that mean nothing "
			"for a dump are accepted.",
		.raw_args = true,
		.examples = set_examples,
		.run = run_set,
	},
	{
		.name = "vars",
		.summary = "print listing of variables",
		.options = var_options,
		.table = &var_table,
		.run = run_vars,
	},
	{
		.name = "$v",
		.summary = "print non-zero variables",
		.table = &var_table,
		.run = run_dollar_v,
	},
	{
		.name = "$d",
		.summary = "get or set default output radix",
		.addr = MDB_ADDR_OPTIONAL,
		.addr_what = "radix",
		.run = run_radix,
	},
	{
		.name = "$s",
		.summary = "get or set symbol matching distance",
		.addr = MDB_ADDR_OPTIONAL,
		.addr_what = "distance",
		.run = run_distance,
	},
	{
		.name = "$P",
		.operands = "[prompt]",
		.summary = "set debugger prompt string",
		.run = run_prompt,
	},
	{
		.name = "$M",
		.summary = "list macro aliases",
		.table = &alias_table,
		.run = run_macros,
	},
	{
		.name = "log",
		.operands = "[file]",
		.summary = "log session to a file",
		.help = "Appends what is typed and what is printed to the "
			"file. Without operands says whether there is a log.",
		.options = log_options,
		.run = run_log,
	},
	{ .name = "quit", .summary = "quit debugger", .run = run_quit },
	{ .name = "$q", .summary = "quit debugger", .run = run_quit },
	{ .name = "$Q", .summary = "quit debugger", .run = run_quit },
	{ .name = "$%", .summary = "quit debugger", .run = run_quit },
	{
		.name = "version",
		.summary = "print debugger version string",
		.run = run_version,
	},
	{ 0 },
};
