/* SPDX-License-Identifier: MIT */
/* Sessions over a fake target, with commands and walkers made for the test. */
#include "mdb/mem/memory.h"
#include "mdb/shell/edit.h"
#include "mdb/shell/load.h"
#include "mdb/shell/session.h"
#include "mdb/world/target.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- commands and walkers of the test ------------------------------------
 */

static const struct mdb_column columns[] = {
	{ .name = "addr",
		.heading = "ADDR",
		.width = 6,
		.flags = MDB_COL_PIPE },
	{ .name = "twice", .heading = "TWICE", .width = 5, .option = 't' },
	{ .name = "name", .heading = "NAME", .flags = MDB_COL_LEFT },
	{ 0 },
};
static const struct mdb_table table = { .name = "rows", .columns = columns };

static const struct mdb_column sub_columns[] = {
	{ .name = "i", .width = 3 },
	{ 0 },
};
static const struct mdb_table sub_table = { .name = "subs",
	.columns = sub_columns,
	.indent = 4 };

static enum mdb_status
run_row(struct mdb_ctx *cx, const struct mdb_call *call)
{
	const struct mdb_value values[] = {
		mdb_v_addr(call->loc),
		mdb_v_uint(2 * call->loc.addr),
		mdb_v_str("a\033b\xff", 4),
	};
	enum mdb_status st = mdb_row(cx, &table, values);

	for (int i = 0; i < call->argc && st == MDB_OK; i++) {
		const struct mdb_value sub = mdb_v_int(i);

		st = mdb_subrow(cx, &sub_table, &sub);
	}
	return st;
}

/* Fails as its operand says. */
static enum mdb_status
run_fail(struct mdb_ctx *cx, const struct mdb_call *call)
{
	const char *how = call->argc == 0 ? "" : call->argv[0];

	if (strcmp(how, "fault") == 0)
		return mdb_fail(cx, MDB_E_UNMAPPED, "no memory at %#" PRIx64,
			call->loc.addr);
	if (strcmp(how, "usage") == 0)
		return mdb_fail(cx, MDB_E_USAGE, "wrong");
	if (strcmp(how, "silent") == 0)
		return MDB_E_CORRUPT;
	return mdb_fail(cx, MDB_E_NOTFOUND, "nothing\033[31m there");
}

static const struct mdb_option options[] = {
	{ 't', MDB_OPT_FLAG, NULL, "twice" },
	{ 's', MDB_OPT_STR, "text", "a text" },
	{ 'n', MDB_OPT_EXPR, "number", "a number" },
	{ 0 },
};

static enum mdb_status
run_opts(struct mdb_ctx *cx, const struct mdb_call *call)
{
	return mdb_line(cx,
		"t=%d s=%s n=%" PRIx64 " argc=%d first=%d count=%" PRIu64,
		mdb_opt(call, 't'),
		mdb_opt_str(call, 's') == NULL ? "-" : mdb_opt_str(call, 's'),
		mdb_opt_uint(call, 'n', 7), call->argc, call->first,
		call->count);
}

static enum mdb_status
run_tree(struct mdb_ctx *cx, const struct mdb_call *call)
{
	enum mdb_status st;

	(void)call;
	st = mdb_tree_open(cx, NULL, NULL, MDB_BRANCH_STRUCT);
	if (st == MDB_OK)
		st = mdb_tree_leaf(cx, "int ", "a", "0x1", mdb_v_hex(1));
	if (st == MDB_OK)
		st = mdb_tree_open(cx, NULL, NULL, MDB_BRANCH_STRUCT);
	if (st == MDB_OK)
		st = mdb_tree_leaf(cx, NULL, "b", "0x2", mdb_v_hex(2));
	if (st == MDB_OK)
		st = mdb_tree_close(cx);
	if (st == MDB_OK)
		st = mdb_tree_open(cx, NULL, "c", MDB_BRANCH_ARRAY);
	for (int i = 0; i < 2 && st == MDB_OK; i++)
		st = mdb_tree_leaf(cx, NULL, NULL, "9", mdb_v_uint(9));
	if (st == MDB_OK)
		st = mdb_tree_close(cx);
	if (st == MDB_OK)
		st = mdb_tree_open(cx, NULL, "d", MDB_BRANCH_ARRAY);
	if (st == MDB_OK)
		st = mdb_tree_open(cx, NULL, NULL, MDB_BRANCH_STRUCT);
	if (st == MDB_OK)
		st = mdb_tree_leaf(cx, NULL, "e", "'x'", mdb_v_text("x"));
	if (st == MDB_OK)
		st = mdb_tree_close(cx);
	if (st == MDB_OK)
		st = mdb_tree_close(cx);
	return st == MDB_OK ? mdb_tree_close(cx) : st;
}

static enum mdb_status
run_broken_tree(struct mdb_ctx *cx, const struct mdb_call *call)
{
	enum mdb_status st;

	(void)call;
	st = mdb_tree_open(cx, NULL, "x", MDB_BRANCH_STRUCT);
	if (st == MDB_OK)
		st = mdb_tree_open(cx, NULL, "y", MDB_BRANCH_ARRAY);
	if (st == MDB_OK)
		st = mdb_tree_leaf(cx, NULL, NULL, "1", mdb_v_uint(1));
	return st == MDB_OK ? mdb_fail(cx, MDB_E_LOST, "gone") : st;
}

static const struct mdb_dcmd dcmds[] = {
	{ .name = "row",
		.summary = "prints a row",
		.operands = "[x ...]",
		.addr = MDB_ADDR_OPTIONAL,
		.options = options,
		.table = &table,
		.run = run_row },
	{ .name = "fail",
		.summary = "fails",
		.operands = "how",
		.addr = MDB_ADDR_OPTIONAL,
		.run = run_fail },
	{ .name = "opts",
		.summary = "prints its options",
		.operands = "[x ...]",
		.addr = MDB_ADDR_OPTIONAL,
		.options = options,
		.run = run_opts },
	{ .name = "none", .summary = "takes nothing", .run = run_opts },
	{ .name = "tree",
		.summary = "prints a tree",
		.addr = MDB_ADDR_OPTIONAL,
		.run = run_tree },
	{ .name = "broken", .summary = "half a tree", .run = run_broken_tree },
	{ 0 },
};

/* Yields 1, 2, 3 ... as many as its start says; 0: a cycle of three. */
static enum mdb_status
count_step(struct mdb_ctx *cx, struct mdb_walk *w, struct mdb_loc *loc_out)
{
	uint64_t *i = w->state;

	(void)cx;
	if (*i == w->start.addr && w->start.addr != 0)
		return MDB_DONE;
	*loc_out = mdb_at(w->start, w->start.addr == 0 ? *i % 3 + 1 : *i + 1);
	(*i)++;
	return MDB_OK;
}

static enum mdb_status
count_init(struct mdb_ctx *cx, struct mdb_walk *w)
{
	w->state = mdb_tmp(cx, sizeof(uint64_t));
	return MDB_OK;
}

static const struct mdb_walker walkers[] = {
	{ .name = "count",
		.summary = "counts",
		.addr = MDB_ADDR_REQUIRED,
		.init = count_init,
		.step = count_step },
	{ 0 },
};

/* ::walk is of the layer above: enough of it for the tests. */
static enum mdb_status
emit(struct mdb_ctx *cx, struct mdb_loc loc, void *arg)
{
	(void)arg;
	return mdb_emit_loc(cx, loc);
}

static enum mdb_status
run_walk(struct mdb_ctx *cx, const struct mdb_call *call)
{
	return mdb_walk(cx, call->argv[0], call->has_addr ? &call->loc : NULL,
		emit, NULL);
}

static enum mdb_status
run_eval(struct mdb_ctx *cx, const struct mdb_call *call)
{
	return mdb_session_eval_nested(cx, call->argv[0]);
}

static enum mdb_status
run_first(struct mdb_ctx *cx, const struct mdb_call *call)
{
	enum mdb_status st = mdb_emit_loc(cx, call->loc);

	return st == MDB_OK ? MDB_DONE : st;
}

static const struct mdb_dcmd shell_dcmds[] = {
	{ .name = "walk",
		.summary = "walks",
		.operands = "name",
		.addr = MDB_ADDR_OPTIONAL,
		.run = run_walk },
	{ .name = "eval",
		.summary = "evaluates",
		.operands = "text",
		.addr = MDB_ADDR_OPTIONAL,
		.run = run_eval },
	{ .name = "first",
		.summary = "passes on the first",
		.addr = MDB_ADDR_OPTIONAL,
		.run = run_first },
	{ 0 },
};

static bool
probe_no(struct mdb_ctx *cx)
{
	(void)mdb_fail(cx, MDB_E_NOTFOUND, "not mine");
	return false;
}

static const struct mdb_module module = { .api_version = MDB_API_VERSION,
	.name = "test",
	.summary = "of the test",
	.dcmds = dcmds,
	.walkers = walkers };

/* ---- fixture -------------------------------------------------------------
 */

struct fixture {
	struct mdb_session *s;
	volatile sig_atomic_t interrupted;
};

static void
make(struct fixture *f)
{
	struct mdb_target *target;
	struct mdb_world *world;

	f->interrupted = 0;
	f->s = mdb_session_create(mdb_sink_create_memory(),
		mdb_sink_create_memory(), &f->interrupted);
	f->s->opts.allow_shell = false;
	target = mdb_target_create_memory(mdb_memory_create_fake());
	world = mdb_world_create(target, MDB_WORLD_BARE, "fake");
	world->arch = &mdb_arch_x86_64;
	world->space = mdb_space_create("fake", target->memory, world->arch,
		MDB_PAGING_NONE, 0);
	mdb_target_add_world(target, world);
	mdb_session_set_target(f->s, target);
	mdb_registry_add_dcmds(&f->s->registry, "mdb", shell_dcmds);
	mdb_load_builtin(f->s, &module);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return -1;
	make(f);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	mdb_session_destroy(f->s);
	free(f);
	return 0;
}

/* What a line prints on both streams. */
static const char *
eval(struct fixture *f, const char *text)
{
	mdb_sink_clear(f->s->out);
	mdb_sink_clear(f->s->err);
	(void)!mdb_session_eval(f->s, text, strlen(text), NULL);
	return mdb_sink_text(f->s->out);
}

static const char *
errors(struct fixture *f)
{
	return mdb_sink_text(f->s->err);
}

/* ---- tests ---------------------------------------------------------------
 */

static void
test_shell_row_is_a_table_with_one_heading(void **state)
{
	assert_string_equal(eval(*state, "3::walk count | ::row"),
		"  ADDR NAME\n"
		"     1 a\\x1bb\\xff\n"
		"     2 a\\x1bb\\xff\n"
		"     3 a\\x1bb\\xff\n");
}

static void
test_shell_option_shows_a_column(void **state)
{
	assert_string_equal(eval(*state, "1f::row -t"),
		"  ADDR TWICE NAME\n"
		"    1f    62 a\\x1bb\\xff\n");
}

static void
test_shell_subrows_are_indented(void **state)
{
	assert_string_equal(eval(*state, "1::row x y"), "  ADDR NAME\n"
							"     1 a\\x1bb\\xff\n"
							"      0\n"
							"      1\n");
}

static void
test_shell_json_nests_subrows(void **state)
{
	struct fixture *f = *state;

	f->s->opts.json = true;
	assert_string_equal(eval(f, "1,2::row -t x y"),
		"{\"addr\":\"0x1\",\"twice\":2,\"name\":\"a\\u001bb\\\\xff\","
		"\"subs\":[{\"i\":0},{\"i\":1}]}\n"
		"{\"addr\":\"0x1\",\"twice\":2,\"name\":\"a\\u001bb\\\\xff\","
		"\"subs\":[{\"i\":0},{\"i\":1}]}\n");
}

static void
test_shell_json_states_errors(void **state)
{
	struct fixture *f = *state;

	f->s->opts.json = true;
	assert_string_equal(eval(f, "5::fail fault"),
		"{\"error\":{\"command\":\"::fail\",\"status\":\"unmapped\","
		"\"message\":\"no memory at 0x5\"}}\n");
	assert_string_equal(errors(f), "mdb: ::fail: no memory at 0x5\n");
}

static void
test_shell_tree_is_indented(void **state)
{
	assert_string_equal(eval(*state, "::tree"), "{\n"
						    "    int a = 0x1\n"
						    "    {\n"
						    "        b = 0x2\n"
						    "    }\n"
						    "    c = [ 9, 9 ]\n"
						    "    d = [\n"
						    "        {\n"
						    "            e = 'x'\n"
						    "        },\n"
						    "    ]\n"
						    "}\n");
}

static void
test_shell_json_tree_flattens_unnamed_structs(void **state)
{
	struct fixture *f = *state;

	f->s->opts.json = true;
	assert_string_equal(eval(f, "::tree"),
		"{\"a\":\"0x1\",\"b\":\"0x2\",\"c\":[9,9],"
		"\"d\":[{\"e\":\"x\"}]}\n");
}

static void
test_shell_broken_tree_is_closed(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(eval(f, "::broken; 1::first"),
		"x = {\n    y = [ 1\n0x1\n");
	f->s->opts.json = true;
	assert_string_equal(eval(f, "::broken; 1::first"),
		"{\"x\":{\"y\":[1]}}\n"
		"{\"error\":{\"command\":\"::broken\",\"status\":\"lost\","
		"\"message\":\"gone\"}}\n"
		"{\"address\":\"0x1\"}\n");
}

static void
test_shell_tree_leaves_are_piped(void **state)
{
	assert_string_equal(eval(*state, "::tree | ::map"), "");
	assert_string_equal(eval(*state, "::tree | ::row ! cat"), "");
	assert_string_equal(eval(*state, "::tree | ::eval '.=X'"),
		"                1               \n"
		"                2               \n"
		"                9               \n"
		"                9               \n");
}

static void
test_shell_options_are_parsed(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(eval(f, "::opts -tn 10 -s word a b"),
		"t=1 s=word n=10 argc=2 first=1 count=1\n");
	assert_string_equal(eval(f, "::opts -n1+1 -sx -- -t"),
		"t=0 s=x n=2 argc=1 first=1 count=1\n");
	assert_string_equal(eval(f, "::opts a -t"),
		"t=0 s=- n=7 argc=2 first=1 count=1\n");
	assert_string_equal(eval(f, "0,2::opts"),
		"t=0 s=- n=7 argc=0 first=1 count=2\n"
		"t=0 s=- n=7 argc=0 first=0 count=2\n");
	assert_string_equal(errors(f), "");
}

static void
test_shell_wrong_usage_prints_the_synopsis(void **state)
{
	struct fixture *f = *state;

	eval(f, "::opts -x");
	assert_string_equal(errors(f),
		"mdb: ::opts: no option -x\n"
		"usage: [address]::opts [-t] [-s text] [-n number] [x ...]\n");
	eval(f, "::opts -s");
	assert_non_null(strstr(errors(f), "option -s needs a value"));
	eval(f, "::none x");
	assert_non_null(strstr(errors(f), "it takes no operand"));
	eval(f, "1::none");
	assert_non_null(strstr(errors(f), "it takes no address"));
	assert_int_equal(f->s->nr_errors, 4);
}

static void
test_shell_unknown_command_suggests(void **state)
{
	struct fixture *f = *state;

	eval(f, "::rwo");
	assert_string_equal(errors(f),
		"mdb: invalid command '::rwo': unknown dcmd name "
		"(is ::row meant?)\n");
	eval(f, "::completelydifferent");
	assert_string_equal(errors(f),
		"mdb: invalid command '::completelydifferent': "
		"unknown dcmd name\n");
}

static void
test_shell_name_may_say_its_module(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(eval(f, "1::test`row"),
		"  ADDR NAME\n     1 a\\x1bb\\xff\n");
	eval(f, "1::other`row");
	assert_non_null(strstr(errors(f), "unknown dcmd name"));
}

static void
test_shell_errors_are_escaped(void **state)
{
	struct fixture *f = *state;

	eval(f, "::fail x");
	assert_string_equal(errors(f), "mdb: ::fail: nothing\\x1b[31m there\n");
	eval(f, "::fail silent");
	assert_string_equal(errors(f), "mdb: ::fail: corrupt\n");
}

static void
test_shell_fault_does_not_end_a_pipeline(void **state)
{
	struct fixture *f = *state;

	eval(f, "3::walk count | ::fail fault");
	assert_string_equal(errors(f), "mdb: ::fail: no memory at 0x1\n"
				       "mdb: ::fail: no memory at 0x2\n"
				       "mdb: ::fail: no memory at 0x3\n");
}

static void
test_shell_other_failure_ends_a_pipeline(void **state)
{
	struct fixture *f = *state;

	eval(f, "3::walk count | ::fail x; 1::first");
	assert_string_equal(errors(f), "mdb: ::fail: nothing\\x1b[31m there\n");
	assert_string_equal(mdb_sink_text(f->s->out), "0x1\n");
}

static void
test_shell_done_ends_the_walk(void **state)
{
	assert_string_equal(eval(*state, "ffffffffffff::walk count | ::first"),
		"0x1\n");
}

static void
test_shell_walk_ends_at_a_repeat(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(eval(f, "0::walk count"), "0x1\n0x2\n0x3\n");
	assert_non_null(strstr(errors(f), "0x1 comes a second time"));
}

static void
test_shell_walk_is_long(void **state)
{
	struct fixture *f = *state;

	eval(f, "0t2000::walk count");
	assert_string_equal(errors(f), "");
	assert_non_null(strstr(mdb_sink_text(f->s->out), "0x7d0\n"));
}

static void
test_shell_count_zero_runs_nothing(void **state)
{
	assert_string_equal(eval(*state, "1,0::row"), "");
	assert_string_equal(errors(*state), "");
}

static void
test_shell_pipeline_keeps_dot(void **state)
{
	assert_string_equal(eval(*state, "3::walk count | ::opts; .=X"),
		"t=0 s=- n=7 argc=0 first=1 count=1\n"
		"t=0 s=- n=7 argc=0 first=0 count=1\n"
		"t=0 s=- n=7 argc=0 first=0 count=1\n"
		"                3               \n");
}

static void
test_shell_eval_passes_on(void **state)
{
	assert_string_equal(eval(*state, "::eval '3::walk count' | ::first"),
		"0x1\n");
	assert_string_equal(eval(*state, "::eval '7; 8' | ::eval '.=X'"),
		"                7               \n"
		"                8               \n");
	assert_string_equal(eval(*state, "::eval '7'; .=X"),
		"                7               \n");
}

static void
test_shell_eval_ends_at_a_depth(void **state)
{
	struct fixture *f = *state;
	static const char text[] = "::eval '1::first'";

	assert_string_equal(eval(f, text), "0x1\n");
	f->s->depth = 16;
	eval(f, text);
	assert_non_null(strstr(errors(f), "nested deeper"));
	f->s->depth = 0;
}

static void
test_shell_interrupt_ends_a_loop(void **state)
{
	struct fixture *f = *state;

	f->interrupted = 1;
	eval(f, "1,ffffffffffffffff::opts; 1::first");
	assert_string_equal(errors(f), "mdb: interrupted\n");
	assert_string_equal(mdb_sink_text(f->s->out), "");
}

static void
test_shell_escapes_are_refused_when_off(void **state)
{
	struct fixture *f = *state;

	eval(f, "! echo no");
	assert_string_equal(errors(f),
		"mdb: !: shell commands are not allowed here\n");
}

static void
test_shell_expression_alone_repeats(void **state)
{
	const struct mdb_source tty = { .interactive = true };
	struct fixture *f = *state;

	(void)!mdb_session_eval(f->s, "1::first", 8, &tty);
	mdb_sink_clear(f->s->out);
	(void)!mdb_session_eval(f->s, "2", 1, &tty);
	assert_string_equal(mdb_sink_text(f->s->out), "0x2\n");
	assert_string_equal(eval(f, "3"), "");
	(void)!mdb_session_eval(f->s, "", 0, &tty);
	assert_string_equal(mdb_sink_text(f->s->out), "");
}

static void
test_shell_two_sessions_do_not_meet(void **state)
{
	struct fixture *a = *state, b = { 0 };

	make(&b);
	eval(a, "5>x");
	eval(&b, "6>x");
	b.s->opts.json = true;
	assert_string_equal(eval(a, "<x::first"), "0x5\n");
	assert_string_equal(eval(&b, "<x::first"), "{\"address\":\"0x6\"}\n");
	mdb_session_destroy(b.s);
}

static void
test_shell_module_state_is_kept(void **state)
{
	struct fixture *f = *state;
	struct mdb_world *w = f->s->cx.world;
	int *n = mdb_module_state(&f->s->cx, &module, w, sizeof(*n));

	assert_int_equal(*n, 0);
	*n = 5;
	assert_ptr_equal(mdb_module_state(&f->s->cx, &module, w, sizeof(*n)),
		n);
	assert_ptr_not_equal(
		mdb_module_state(&f->s->cx, &module, NULL, sizeof(*n)), n);
}

static void
test_shell_bad_manifests_are_refused(void **state)
{
	static const struct mdb_dcmd twice[] = {
		{ .name = "a", .summary = "s", .run = run_row },
		{ .name = "a", .summary = "s", .run = run_row },
		{ 0 },
	};
	static const struct mdb_dcmd no_run[] = {
		{ .name = "a", .summary = "s" },
		{ 0 },
	};
	static const struct mdb_dcmd bad_name[] = {
		{ .name = "a b", .summary = "s", .run = run_row },
		{ 0 },
	};
	const struct {
		struct mdb_module module;
		const char *why;
	} bad[] = {
		{ { 7, "m", "s", NULL, NULL, NULL, NULL, NULL }, "version 7" },
		{ { 1, "n", "s", NULL, NULL, NULL, NULL, NULL },
			"not named 'm'" },
		{ { 1, NULL, "s", NULL, NULL, NULL, NULL, NULL }, "not named" },
		{ { 1, "m", NULL, NULL, NULL, NULL, NULL, NULL },
			"no summary" },
		{ { 1, "m", "s", NULL, twice, NULL, NULL, NULL }, "twice" },
		{ { 1, "m", "s", NULL, no_run, NULL, NULL, NULL },
			"no function" },
		{ { 1, "m", "s", NULL, bad_name, NULL, NULL, NULL },
			"no name" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(
			mdb_module_check(&f->s->cx, &bad[i].module, "m"),
			MDB_E_FORMAT);
		assert_non_null(strstr(mdb_trail(&f->s->cx), bad[i].why));
	}
}

static void
test_shell_module_that_says_no_is_silent(void **state)
{
	static const struct mdb_module no = { .api_version = MDB_API_VERSION,
		.name = "no",
		.summary = "not for this",
		.probe = probe_no };
	struct fixture *f = *state;
	size_t before = f->s->registry.nr_modules;

	mdb_load_builtin(f->s, &no);
	assert_int_equal(f->s->registry.nr_modules, before);
	assert_string_equal(errors(f), "");
}

/* A module that the dump's world needs and that is nowhere is missed. */
static void
test_shell_module_that_is_missing_is_named(void **state)
{
	static const char *const dirs[] = { "/nowhere/modules" };
	struct fixture *f = *state;

	mdb_load_modules(f->s, dirs, 1);
	assert_string_equal(errors(f), "");
	f->s->cx.target->worlds->kind = MDB_WORLD_XEN;
	mdb_load_modules(f->s, dirs, 1);
	assert_non_null(strstr(errors(f),
		"there is no xpv.so in /nowhere/modules; option -L"));
	assert_null(strstr(errors(f), "kernel.so"));
	f->s->cx.target->worlds->kind = MDB_WORLD_BARE;
}

static void
free_list(char **list)
{
	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		free(list[i]);
	free(list);
}

static void
test_shell_completes_commands_and_walkers(void **state)
{
	struct fixture *f = *state;
	size_t start;
	char **list = mdb_complete(f->s, "1::walk count | ::r", &start);

	assert_int_equal(start, 18);
	assert_string_equal(list[0], "row");
	assert_null(list[1]);
	free_list(list);
	list = mdb_complete(f->s, "::walk c", &start);
	assert_int_equal(start, 7);
	assert_string_equal(list[0], "count");
	free_list(list);
	list = mdb_complete(f->s, "::walk 'x; y' zzz", &start);
	assert_null(list);
}

static enum mdb_status
each_symbol(struct mdb_ctx *cx, struct mdb_object *o, mdb_sym_fn *fn, void *arg)
{
	static const char *const names[] = { "idle_loop", "a/b.c#idle_two",
		"c.S#idle-3" };
	enum mdb_status st = MDB_OK;

	for (size_t i = 0; i < 3 && st == MDB_OK; i++) {
		struct mdb_sym sym = { .object = o, .name = names[i] };

		st = fn(cx, &sym, arg);
	}
	return st;
}

static void
completes(struct fixture *f, const char *line, size_t start, const char *expect)
{
	struct mdb_buf b;
	size_t from = 0;
	char **list = mdb_complete(f->s, line, &from);

	mdb_buf_init(&b);
	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		mdb_buf_printf(&b, "%s ", list[i]);
	assert_string_equal(b.len > 0 ? b.data : "", expect);
	assert_int_equal(from, start);
	mdb_buf_fini(&b);
	if (list != NULL)
		free_list(list);
}

/* Statics by their bare names; whole within a quote that is open. */
static void
test_shell_completes_symbols(void **state)
{
	static const struct mdb_symtab_ops ops = { .each = each_symbol };
	struct fixture *f = *state;
	struct mdb_world *w = f->s->cx.target->worlds;

	w->objects = mdb_object_create(w, "xpv");
	w->objects->symtab_ops = &ops;
	w->objects_loaded = true;
	completes(f, "idle", 0, "idle_loop idle_two ");
	completes(f, "1+xpv`idle_t", 2, "xpv`idle_two ");
	completes(f, "xpv`", 0, "xpv`idle_loop xpv`idle_two ");
	completes(f, "xp", 0, "xpv` ");
	completes(f, "no`idle", 0, "");
	completes(f, "\"a/b", 1, "a/b.c#idle_two ");
	completes(f, "\"xpv`c", 1, "xpv`c.S#idle-3 ");
	completes(f, "\"x\"::row; idle_l", 10, "idle_loop ");
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_shell_row_is_a_table_with_one_heading),
		T(test_shell_option_shows_a_column),
		T(test_shell_subrows_are_indented),
		T(test_shell_json_nests_subrows),
		T(test_shell_json_states_errors),
		T(test_shell_tree_is_indented),
		T(test_shell_json_tree_flattens_unnamed_structs),
		T(test_shell_broken_tree_is_closed),
		T(test_shell_tree_leaves_are_piped),
		T(test_shell_options_are_parsed),
		T(test_shell_wrong_usage_prints_the_synopsis),
		T(test_shell_unknown_command_suggests),
		T(test_shell_name_may_say_its_module),
		T(test_shell_errors_are_escaped),
		T(test_shell_fault_does_not_end_a_pipeline),
		T(test_shell_other_failure_ends_a_pipeline),
		T(test_shell_done_ends_the_walk),
		T(test_shell_walk_ends_at_a_repeat),
		T(test_shell_walk_is_long),
		T(test_shell_count_zero_runs_nothing),
		T(test_shell_pipeline_keeps_dot),
		T(test_shell_eval_passes_on),
		T(test_shell_eval_ends_at_a_depth),
		T(test_shell_interrupt_ends_a_loop),
		T(test_shell_escapes_are_refused_when_off),
		T(test_shell_expression_alone_repeats),
		T(test_shell_two_sessions_do_not_meet),
		T(test_shell_module_state_is_kept),
		T(test_shell_bad_manifests_are_refused),
		T(test_shell_module_that_says_no_is_silent),
		T(test_shell_module_that_is_missing_is_named),
		T(test_shell_completes_commands_and_walkers),
		T(test_shell_completes_symbols),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
