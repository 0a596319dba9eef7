/* SPDX-License-Identifier: MIT */
/* Commands of pipelines: ::walk ::grep ::map ::head ::tail ::eval ::echo. */
#include "mdb/dcmd/dcmd.h"
#include "mdb/dcmd/words.h"
#include "mdb/shell/out.h"
#include "mdb/shell/session.h"
#include "mdb/shell/walk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_LINES 10

/* ---- ::walk --------------------------------------------------------------
 */

static enum mdb_status
emit(struct mdb_ctx *cx, struct mdb_loc loc, void *arg)
{
	const char *variable = arg;
	enum mdb_status st = MDB_OK;

	if (variable != NULL)
		st = mdb_vars_set(cx, cx->session->lang.vars, variable,
			loc.addr);
	return st == MDB_OK ? mdb_emit_loc(cx, loc) : st;
}

static enum mdb_status
run_walk(struct mdb_ctx *cx, const struct mdb_call *call)
{
	const struct mdb_registry *r = &cx->session->registry;
	const struct mdb_walker *walker;
	struct mdb_walk w = {
		.start = call->loc,
		.has_start = call->has_addr,
	};
	char *variable = NULL;

	if (call->argc == 0)
		return mdb_fail(cx, MDB_E_USAGE, "name a walker");
	walker = mdb_registry_walker(r, call->argv[0]);
	if (walker == NULL) {
		const char *near = mdb_registry_near_walker(r, call->argv[0]);

		return mdb_fail(cx, MDB_E_NOTFOUND,
			"unknown walk name '%s'%s%s%s", call->argv[0],
			near == NULL ? "" : " (is ", near == NULL ? "" : near,
			near == NULL ? "" : " meant?)");
	}
	if (walker->operands != NULL) {
		w.argv = call->argv + 1;
		w.argc = call->argc - 1;
	} else if (call->argc > 2) {
		return mdb_fail(cx, MDB_E_USAGE, "too many operands");
	} else if (call->argc == 2) {
		variable = mdb_tmp_printf(cx, "%s", call->argv[1]);
	}
	return mdb_walk_run(cx, walker, &w, emit, variable);
}

/* ---- expressions over dot ------------------------------------------------
 */

const char *
mdb_join_words(struct mdb_ctx *cx, const struct mdb_call *call, int first)
{
	const char *text = "";

	for (int i = first; i < call->argc; i++)
		text = mdb_tmp_printf(cx, "%s%s%s", text, i > first ? " " : "",
			call->argv[i]);
	return text;
}

static enum mdb_status
eval_words(struct mdb_ctx *cx, const struct mdb_call *call,
	struct mdb_loc *loc_out)
{
	const struct mdb_lang *lang = &cx->session->lang;
	const struct mdb_expr *expr;
	enum mdb_status st;

	if (call->argc == 0)
		return mdb_fail(cx, MDB_E_USAGE, "give an expression");
	st = mdb_parse_expr(cx, mdb_join_words(cx, call, 0), lang->radix,
		&expr);
	return st == MDB_OK ? mdb_eval(cx, lang, expr, loc_out) : st;
}

static enum mdb_status
run_grep(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_loc value = call->loc;
	enum mdb_status st = eval_words(cx, call, &value);

	if (st == MDB_OK && value.addr != 0)
		st = mdb_emit_loc(cx, call->loc);
	return st;
}

static enum mdb_status
run_map(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_loc value = call->loc;
	enum mdb_status st = eval_words(cx, call, &value);

	return st == MDB_OK ? mdb_emit_loc(cx, value) : st;
}

/* ---- ::head, ::tail ------------------------------------------------------
 */

/* "-5", "-n 5", "5" or nothing; decimal as in the shell's head. */
static enum mdb_status
line_count(struct mdb_ctx *cx, const struct mdb_call *call, size_t *count_out)
{
	const char *text = call->argc == 0 ? NULL : call->argv[call->argc - 1];
	unsigned long long n;
	char *end;

	*count_out = DEFAULT_LINES;
	if (text == NULL)
		return MDB_OK;
	if (call->argc > 2 ||
		(call->argc == 2 && strcmp(call->argv[0], "-n") != 0))
		return mdb_fail(cx, MDB_E_USAGE, "give one number");
	if (strncmp(text, "-n", 2) == 0)
		text += 2;
	else if (text[0] == '-')
		text++;
	if (strncmp(text, "0t", 2) == 0)
		text += 2;
	n = strtoull(text, &end, 10);
	if (end == text || *end != '\0' || n > SIZE_MAX / 2)
		return mdb_fail(cx, MDB_E_USAGE, "'%s' is no number", text);
	*count_out = (size_t)n;
	return MDB_OK;
}

static enum mdb_status
run_head(struct mdb_ctx *cx, const struct mdb_call *call)
{
	size_t count;
	enum mdb_status st = line_count(cx, call, &count);

	if (st != MDB_OK)
		return st;
	if (cx->out->nr_emitted >= count)
		return MDB_DONE;
	st = mdb_emit_loc(cx, call->loc);
	if (st == MDB_OK && cx->out->nr_emitted >= count)
		st = MDB_DONE;
	return st;
}

static enum mdb_status
run_tail(struct mdb_ctx *cx, const struct mdb_call *call)
{
	size_t count;
	enum mdb_status st = line_count(cx, call, &count);

	if (st == MDB_OK)
		mdb_out_hold(cx->out, call->loc, count);
	return st;
}

/* ---- ::eval, ::echo ------------------------------------------------------
 */

static enum mdb_status
run_eval(struct mdb_ctx *cx, const struct mdb_call *call)
{
	if (call->argc == 0)
		return mdb_fail(cx, MDB_E_USAGE, "give commands to run");
	return mdb_session_eval_nested(cx, mdb_join_words(cx, call, 0));
}

static enum mdb_status
run_echo(struct mdb_ctx *cx, const struct mdb_call *call)
{
	return mdb_line(cx, "%s", mdb_join_words(cx, call, 0));
}

static const struct mdb_example walk_examples[] = {
	{ "::walk task", "the address of each thread" },
	{ "::walk task | ::print struct task_struct comm pid",
		"name and number of each thread" },
	{ 0 },
};

static const struct mdb_example grep_examples[] = {
	{ "::walk cpu | ::grep '.!=0'", "those that are not 0" },
	{ 0 },
};

static const struct mdb_example map_examples[] = {
	{ "::walk task | ::map *(.+8)", "the word at offset 8 of each" },
	{ 0 },
};

const struct mdb_dcmd mdb_dcmds_pipes[] = {
	{
		.name = "walk",
		.operands = "name [variable | operand ...]",
		.summary = "walk data structure",
		.help = "Prints the address of each object that the walker "
			"finds, or hands them to the next command. With a "
			"variable, each address is assigned to it too. "
			"::walkers lists the walkers.",
		.addr = MDB_ADDR_OPTIONAL,
		.examples = walk_examples,
		.run = run_walk,
	},
	{
		.name = "grep",
		.operands = "expression",
		.summary = "pass on dot if the expression is not zero",
		.addr = MDB_ADDR_OPTIONAL,
		.raw_args = true,
		.examples = grep_examples,
		.run = run_grep,
	},
	{
		.name = "map",
		.operands = "expression",
		.summary = "pass on the value of the expression",
		.addr = MDB_ADDR_OPTIONAL,
		.raw_args = true,
		.examples = map_examples,
		.run = run_map,
	},
	{
		.name = "head",
		.operands = "[-count]",
		.summary = "pass on the first addresses of a pipeline",
		.help = "The count is decimal, 10 without.",
		.addr = MDB_ADDR_REQUIRED,
		.raw_args = true,
		.run = run_head,
	},
	{
		.name = "tail",
		.operands = "[-count]",
		.summary = "pass on the last addresses of a pipeline",
		.help = "The count is decimal, 10 without.",
		.addr = MDB_ADDR_REQUIRED,
		.raw_args = true,
		.run = run_tail,
	},
	{
		.name = "eval",
		.operands = "commands",
		.summary = "evaluate the specified commands",
		.addr = MDB_ADDR_OPTIONAL,
		.raw_args = true,
		.run = run_eval,
	},
	{
		.name = "echo",
		.operands = "[word ...]",
		.summary = "print the words",
		.addr = MDB_ADDR_OPTIONAL,
		.raw_args = true,
		.run = run_echo,
	},
	{ 0 },
};
