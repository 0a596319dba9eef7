/* SPDX-License-Identifier: MIT */
/* What there is: ::dcmds ::walkers ::dmods. */
#include "mdb/dcmd/dcmd.h"
#include "mdb/shell/session.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

static const struct mdb_column name_columns[] = {
	{ .name = "name",
		.width = 24,
		.flags = MDB_COL_LEFT,
		.help = "the name to call it by" },
	{ .name = "dash", .width = 1, .flags = MDB_COL_TEXT_ONLY, .help = "-" },
	{ .name = "summary", .flags = MDB_COL_LEFT, .help = "what it does" },
	{ .name = "module",
		.flags = MDB_COL_JSON_ONLY,
		.help = "the module that has it" },
	{ 0 },
};
static const struct mdb_table name_table = { .name = "names",
	.columns = name_columns };

static const struct mdb_option name_options[] = {
	{ 'n', MDB_OPT_FLAG, NULL, "match the pattern on names only" },
	{ 0 },
};

struct named {
	const char *name, *summary, *module;
};

static int
by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order != 0 ? order : strcmp(x->module, y->module);
}

/* All entries of a kind, sorted; the array is the command's. */
static struct named *
sorted(struct mdb_ctx *cx, bool walkers, size_t *count_out)
{
	const struct mdb_registry *r = &cx->session->registry;
	struct named *list = mdb_tmp(cx, (r->nr_entries + 1) * sizeof(*list));
	size_t count = 0;

	for (size_t i = 0; i < r->nr_entries; i++) {
		const struct mdb_entry *e = &r->entries[i];

		if (walkers && e->walker != NULL)
			list[count++] = (struct named){ e->walker->name,
				e->walker->summary, e->module };
		if (!walkers && e->dcmd != NULL)
			list[count++] = (struct named){ e->dcmd->name,
				e->dcmd->summary, e->module };
	}
	qsort(list, count, sizeof(*list), by_name);
	*count_out = count;
	return list;
}

static bool
matches(const struct mdb_call *call, const regex_t *pattern,
	const struct named *n)
{
	if (call->argc == 0 || regexec(pattern, n->name, 0, NULL, 0) == 0)
		return true;
	return !mdb_opt(call, 'n') &&
	       regexec(pattern, n->summary, 0, NULL, 0) == 0;
}

static enum mdb_status
print_names(struct mdb_ctx *cx, const struct mdb_call *call, bool walkers,
	const regex_t *pattern)
{
	size_t count;
	struct named *list = sorted(cx, walkers, &count);
	enum mdb_status st = MDB_OK;

	for (size_t i = 0; i < count && st == MDB_OK; i++) {
		const struct mdb_value values[] = {
			mdb_v_text(list[i].name),
			mdb_v_text("-"),
			mdb_v_text(list[i].summary),
			mdb_v_text(list[i].module),
		};

		if (matches(call, pattern, &list[i]))
			st = mdb_row(cx, &name_table, values);
	}
	return st;
}

static enum mdb_status
list_names(struct mdb_ctx *cx, const struct mdb_call *call, bool walkers)
{
	enum mdb_status st;
	regex_t pattern;

	if (call->argc > 1)
		return mdb_fail(cx, MDB_E_USAGE, "too many patterns");
	if (call->argc == 0)
		return print_names(cx, call, walkers, NULL);
	if (regcomp(&pattern, call->argv[0], REG_EXTENDED | REG_NOSUB) != 0)
		return mdb_fail(cx, MDB_E_USAGE,
			"'%s' is no regular expression", call->argv[0]);
	st = print_names(cx, call, walkers, &pattern);
	regfree(&pattern);
	return st;
}

static enum mdb_status
run_dcmds(struct mdb_ctx *cx, const struct mdb_call *call)
{
	return list_names(cx, call, false);
}

static enum mdb_status
run_walkers(struct mdb_ctx *cx, const struct mdb_call *call)
{
	return list_names(cx, call, true);
}

static const struct mdb_column dmod_columns[] = {
	{ .name = "name", .flags = MDB_COL_LEFT, .help = "of the module" },
	{ .name = "summary",
		.flags = MDB_COL_JSON_ONLY,
		.help = "what it is for" },
	{ 0 },
};
static const struct mdb_table dmod_table = { .name = "dmods",
	.columns = dmod_columns };

static const struct mdb_column provided_columns[] = {
	{ .name = "kind",
		.width = 4,
		.flags = MDB_COL_LEFT,
		.help = "dcmd or walk" },
	{ .name = "name",
		.width = 20,
		.flags = MDB_COL_LEFT,
		.help = "its name" },
	{ .name = "dash", .width = 1, .flags = MDB_COL_TEXT_ONLY, .help = "-" },
	{ .name = "summary", .flags = MDB_COL_LEFT, .help = "what it does" },
	{ 0 },
};
static const struct mdb_table provided_table = { .name = "provides",
	.columns = provided_columns,
	.indent = 2 };

static enum mdb_status
provided(struct mdb_ctx *cx, const char *kind, const char *name,
	const char *summary)
{
	const struct mdb_value values[] = {
		mdb_v_text(kind),
		mdb_v_text(name),
		mdb_v_text("-"),
		mdb_v_text(summary),
	};

	return mdb_subrow(cx, &provided_table, values);
}

static enum mdb_status
print_module(struct mdb_ctx *cx, const struct mdb_module *m, bool all)
{
	const struct mdb_value values[] = { mdb_v_text(m->name),
		mdb_v_text(m->summary) };
	const struct mdb_dcmd *d = m->dcmds;
	const struct mdb_walker *w = m->walkers;
	enum mdb_status st = mdb_row(cx, &dmod_table, values);

	for (; all && st == MDB_OK && d != NULL && d->name != NULL; d++)
		st = provided(cx, "dcmd", d->name, d->summary);
	for (; all && st == MDB_OK && w != NULL && w->name != NULL; w++)
		st = provided(cx, "walk", w->name, w->summary);
	return st;
}

static enum mdb_status
run_dmods(struct mdb_ctx *cx, const struct mdb_call *call)
{
	const struct mdb_registry *r = &cx->session->registry;
	enum mdb_status st = MDB_OK;
	bool found = false;

	for (size_t i = 0; i < r->nr_modules && st == MDB_OK; i++) {
		const struct mdb_module *m = r->modules[i];

		if (call->argc > 0 && strcmp(call->argv[0], m->name) != 0)
			continue;
		found = true;
		st = print_module(cx, m, mdb_opt(call, 'l'));
	}
	if (st == MDB_OK && !found && call->argc > 0)
		return mdb_fail(cx, MDB_E_NOTFOUND, "no module '%s' is loaded",
			call->argv[0]);
	return st;
}

static const struct mdb_option dmod_options[] = {
	{ 'l', MDB_OPT_FLAG, NULL, "list what each module provides" },
	{ 0 },
};

static const struct mdb_example dcmd_examples[] = {
	{ "::dcmds -n ^th", "commands whose names begin with th" },
	{ 0 },
};

const struct mdb_dcmd mdb_dcmds_list[] = {
	{
		.name = "dcmds",
		.operands = "[pattern]",
		.summary = "list the commands",
		.help = "Lists the commands of the debugger and of its "
			"modules, or those whose name or summary the extended "
			"regular expression matches.",
		.options = name_options,
		.table = &name_table,
		.examples = dcmd_examples,
		.run = run_dcmds,
	},
	{
		.name = "walkers",
		.operands = "[pattern]",
		.summary = "list the walkers",
		.help = "Lists the walkers, or those whose name or summary "
			"the extended regular expression matches.",
		.options = name_options,
		.table = &name_table,
		.run = run_walkers,
	},
	{
		.name = "dmods",
		.operands = "[module]",
		.summary = "list the debugger modules",
		.help = "Lists the modules that are loaded: those that "
			"understand something of this dump.",
		.options = dmod_options,
		.table = &dmod_table,
		.run = run_dmods,
	},
	{ 0 },
};
