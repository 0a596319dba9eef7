/* SPDX-License-Identifier: MIT */
/* Statements, expressions and formats, over a small fake machine. */
#include "mdb/base/buf.h"
#include "mdb/base/ctx.h"
#include "mdb/lang/lang.h"
#include "mdb/world/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BASE 0xffff800000000000ull

struct fixture {
	struct mdb_ctx cx;
	struct mdb_target target;
	struct mdb_world *world;
	struct mdb_lang lang;
};

static enum mdb_status
by_name(struct mdb_ctx *cx, struct mdb_object *o, const char *name,
	struct mdb_sym *sym_out)
{
	(void)cx;
	if (strcmp(name, "foo") != 0 && strcmp(name, "add") != 0 &&
		strcmp(name, "a.c#b") != 0)
		return MDB_E_NOTFOUND;
	*sym_out = (struct mdb_sym){ .object = o,
		.name = "foo",
		.value = BASE + 0x10 };
	return MDB_OK;
}

static enum mdb_status
by_addr(struct mdb_ctx *cx, struct mdb_object *o, mdb_addr_t addr, bool near,
	struct mdb_sym *sym_out)
{
	(void)near;
	if (addr < BASE + 0x10 || addr >= BASE + 0x20)
		return MDB_E_NOTFOUND;
	return by_name(cx, o, "foo", sym_out);
}

static const struct mdb_symtab_ops symtab_ops = {
	.by_name = by_name,
	.by_addr = by_addr,
};

static int
setup(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	mdb_ctx_init(&f.cx);
	f.target.memory = mdb_memory_create_fake();
	for (uint64_t i = 0; i < 512; i++)
		mdb_fake_write_u64(f.target.memory, 0x2000 + 8 * i,
			0x1111111111111111u * (i % 16));
	mdb_fake_write(f.target.memory, 0x2100, "hello\n\x1b!", 9);
	f.world = mdb_world_create(&f.target, MDB_WORLD_BARE, "test");
	f.world->space = mdb_space_create("test", f.target.memory,
		&mdb_arch_x86_64, MDB_PAGING_NONE, 0);
	mdb_space_add_window(f.world->space, BASE, BASE + 0x1000,
		0x2000 - BASE);
	f.world->objects = mdb_object_create(f.world, "kernel");
	f.world->objects->base = BASE;
	f.world->objects->end = BASE + 0x1000;
	f.world->objects->symtab_ops = &symtab_ops;
	f.target.worlds = f.world;
	f.cx.target = &f.target;
	f.cx.world = f.world;
	f.lang = (struct mdb_lang){ .vars = mdb_vars_create(),
		.radix = 16,
		.dot = mdb_kernel_loc(f.world, 0x40),
		.increment = 8,
		.last_addr = 0x99 };
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	mdb_vars_destroy(f->lang.vars);
	mdb_world_destroy(f->world);
	mdb_memory_destroy(f->target.memory);
	mdb_ctx_fini(&f->cx);
	return 0;
}

static enum mdb_status
calc(struct fixture *f, const char *text, uint64_t *value_out)
{
	const struct mdb_expr *e;
	struct mdb_loc loc;
	enum mdb_status st = mdb_parse_expr(&f->cx, text, 16, &e);

	if (st == MDB_OK)
		st = mdb_eval(&f->cx, &f->lang, e, &loc);
	if (st == MDB_OK)
		*value_out = loc.addr;
	return st;
}

static void
test_eval_knows_mdbs_arithmetic(void **state)
{
	static const struct {
		const char *text;
		uint64_t value;
	} cases[] = {
		{ "10", 0x10 },
		{ "0t10", 10 },
		{ "0i101", 5 },
		{ "0o17", 15 },
		{ "0XfF", 255 },
		{ "1_000", 0x1000 },
		{ "0t12.5", 0x4029000000000000 },
		{ "'abc'", 0x616263 },
		{ "''", 0 },
		{ "'\\n'", 10 },
		{ "1+2*3", 7 },
		{ "4-1*3", 1 },
		{ "(1+2)*3", 9 },
		{ "7%2", 3 },
		{ "-7%2", (uint64_t)-3 },
		{ "8000000000000000%-1", 0x8000000000000000 },
		{ "11#8", 0x18 },
		{ "10#8", 0x10 },
		{ "1<<4|1", 0x11 },
		{ "1<<0t64", 0 },
		{ "f0>>4", 0xf },
		{ "1==1", 1 },
		{ "1!=1", 0 },
		{ "3&1==1", 1 }, /* & binds looser than == */
		{ "6^3", 5 },
		{ "~0", UINT64_MAX },
		{ "#0", 1 },
		{ "#5", 0 },
		{ ".", 0x40 },
		{ "+", 0x48 },
		{ "^", 0x38 },
		{ "&", 0x99 },
		{ ".+1", 0x41 },
		{ "foo", BASE + 0x10 },
		{ "kernel`foo", BASE + 0x10 },
		{ "\"a.c#b\"", BASE + 0x10 },
		{ "add", BASE + 0x10 }, /* the symbol wins over the number */
		{ "adc", 0xadc },
		{ "0add", 0xadd },
		{ "*(foo-8)", 0x1111111111111111 },
		{ "*/c/ (foo-8)", 0x11 },
		{ "*/4/(foo-8)", 0x11111111 },
		{ "%/s/(foo-8)", 0x1111 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t v = 0xbad;

		if (calc(f, cases[i].text, &v) != MDB_OK || v != cases[i].value)
			fail_msg("%s = %#llx (%s)", cases[i].text,
				(unsigned long long)v, mdb_trail(&f->cx));
	}
}

static void
test_eval_refuses_what_has_no_value(void **state)
{
	static const char *const cases[] = { "", "1+", "(1", "1)", "5g", "0t1a",
		"10000000000000000", "1%0", "1#0", "nosuch", "\"add",
		"'abcdefghi'", "'a", "*12345", "<undefined", "<", "0x", "1 2",
		"*/x/ 1" };
	struct fixture *f = *state;
	uint64_t v;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (calc(f, cases[i], &v) == MDB_OK)
			fail_msg("%s has a value", cases[i]);
		assert_true(*mdb_trail(&f->cx) != '\0');
	}
}

/* As a static of a hypervisor is called; a.c#b is one that there is. */
static void
test_eval_says_how_odd_names_are_typed(void **state)
{
	static const char *const odd[] = { "x86_64/a.c#b+1", "no.c#b+1",
		"1+no.c#b", "sched/no-such.c#b+1" };
	struct fixture *f = *state;
	uint64_t v;

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		assert_int_equal(calc(f, odd[i], &v), MDB_E_SYNTAX);
		assert_non_null(
			strstr(mdb_trail(&f->cx), "must be quoted: \""));
		assert_non_null(strstr(mdb_trail(&f->cx), "#b\""));
		mdb_forget(&f->cx);
	}
	assert_int_equal(calc(f, "\"a.c#b\"+1", &v), MDB_OK);
	/* A word of its own has lost its quotes already. */
	assert_int_equal(calc(f, "a.c#b", &v), MDB_OK);
	assert_int_equal(v, BASE + 0x10);
	/* # is an operator, too. */
	assert_int_equal(calc(f, "foo#1000", &v), MDB_OK);
	assert_int_equal(v, BASE + 0x1000);
}

static void
test_eval_bounds_depth_and_length(void **state)
{
	struct fixture *f = *state;
	char text[10001];
	uint64_t v;

	memset(text, '(', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(calc(f, text, &v), MDB_E_SYNTAX);
	for (size_t i = 0; i + 1 < sizeof(text); i++)
		text[i] = i % 2 ? '+' : '1';
	assert_int_equal(calc(f, text, &v), MDB_E_SYNTAX);
	memset(text, '~', sizeof(text) - 1);
	assert_int_equal(calc(f, text, &v), MDB_E_SYNTAX);
}

static void
parse(struct fixture *f, const char *text, struct mdb_stmt *s, size_t *used)
{
	if (mdb_parse(&f->cx, text, strlen(text), 16, s, used) != MDB_OK)
		fail_msg("%s: %s", text, mdb_trail(&f->cx));
}

static void
test_parse_takes_one_statement(void **state)
{
	struct fixture *f = *state;
	struct mdb_stmt s;
	size_t used;

	parse(f,
		"foo,3/X ; ::ps -f 'a b'$[1+1] | ::grep \".==5\" ! grep 'x;y'\n",
		&s, &used);
	assert_int_equal(used, 9);
	assert_non_null(s.addr);
	assert_non_null(s.count);
	assert_int_equal(s.nr_cmds, 1);
	assert_int_equal(s.cmds[0].verb, '/');
	assert_string_equal(s.cmds[0].formats, "X");

	parse(f, "::ps -f 'a b'$[1+1] | ::grep \".==5\" ! grep 'x;y'\n", &s,
		&used);
	assert_int_equal(s.nr_cmds, 2);
	assert_string_equal(s.cmds[0].name, "ps");
	assert_int_equal(s.cmds[0].nr_words, 2);
	const char *text;

	assert_int_equal(
		mdb_word_text(&f->cx, &f->lang, &s.cmds[0].words[1], &text),
		MDB_OK);
	assert_string_equal(text, "a b0x2");
	assert_string_equal(s.cmds[1].name, "grep");
	assert_string_equal(s.shell, "grep 'x;y'");
}

static void
test_parse_knows_every_kind_of_command(void **state)
{
	static const struct {
		const char *text;
		enum mdb_cmd_kind kind;
		const char *name;
		size_t nr_words;
	} cases[] = {
		{ "$C", MDB_CMD_DOLLAR, "C", 0 },
		{ "$C0", MDB_CMD_DOLLAR, "C", 1 },
		{ "$", MDB_CMD_DOLLAR, "?", 0 },
		{ ":c", MDB_CMD_COLON, "c", 0 },
		{ "$<utsname", MDB_CMD_MACRO, "utsname", 0 },
		{ "$<<utsname", MDB_CMD_MACRO, "utsname", 0 },
		{ "$>log", MDB_CMD_LOG, "log", 0 },
		{ "1>x", MDB_CMD_ASSIGN, "x", 0 },
		{ "1>/i/x", MDB_CMD_ASSIGN, "x", 0 },
		{ "::status // says it", MDB_CMD_NAMED, "status", 0 },
		{ "foo | ::print", MDB_CMD_NAMED, "print", 0 },
		{ "foo::print struct x", MDB_CMD_NAMED, "print", 2 },
		{ "foo=X", MDB_CMD_FORMAT, "", 0 },
		{ "foo\\X", MDB_CMD_FORMAT, "", 0 },
		{ "foo/L 5 ff", MDB_CMD_FORMAT, "", 2 },
		{ "foo/X // says it", MDB_CMD_FORMAT, "", 0 },
		{ "foo/vwX", MDB_CMD_FORMAT, "", 0 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mdb_stmt s;
		size_t used;

		parse(f, cases[i].text, &s, &used);
		assert_int_equal(s.nr_cmds, 1);
		assert_int_equal(s.cmds[0].kind, cases[i].kind);
		assert_string_equal(s.cmds[0].name, cases[i].name);
		assert_int_equal(s.cmds[0].nr_words, cases[i].nr_words);
		assert_int_equal(used, strlen(cases[i].text));
	}
}

static void
test_parse_or_and_pipe_are_told_apart(void **state)
{
	struct fixture *f = *state;
	struct mdb_stmt s;
	size_t used;

	parse(f, "1|2=X", &s, &used);
	assert_int_equal(s.nr_cmds, 1);
	parse(f, "1|::grep .|::map .+1", &s, &used);
	assert_int_equal(s.nr_cmds, 2);
	parse(f, "", &s, &used);
	assert_int_equal(s.nr_cmds, 0);
	assert_null(s.addr);
	parse(f, "! ls; ::quit", &s, &used);
	assert_string_equal(s.shell, "ls");
	assert_int_equal(used, 5);
}

static const char *
format(struct fixture *f, char verb, const char *formats, uint64_t value,
	uint64_t count, struct mdb_buf *b)
{
	struct mdb_loc loc = mdb_kernel_loc(f->world, value);

	mdb_buf_reset(b);
	if (mdb_format_run(&f->cx, &f->lang, verb, formats, loc, value, count,
		    80, b) != MDB_OK)
		mdb_buf_printf(b, "! %s", mdb_trail(&f->cx));
	return b->data;
}

static void
test_format_prints_as_mdb_does(void **state)
{
	static const struct {
		char verb;
		const char *formats;
		uint64_t value, count;
		const char *out;
	} cases[] = {
		{ '=', "X", 0x1f, 1, "                1f              \n" },
		{ '=', "D", 0x1f, 1, "                31              \n" },
		{ '=', "E", UINT64_MAX, 1,
			"                18446744073709551615 \n" },
		{ '=', "J", UINT64_MAX, 1,
			"                ffffffffffffffff \n" },
		{ '=', "b", 9, 1, "                011     \n" },
		{ '=', "q", 0xffff, 1, "                -01     \n" },
		{ '=', "p", BASE + 0x12, 1,
			"                foo+0x2            \n" },
		{ '=', "Y", 0, 1,
			"                1970 Jan  1 00:00:00    \n" },
		{ '/', "X", BASE + 0x10, 1,
			"foo:\nfoo:            22222222        \n" },
		{ '/', "X", BASE + 0x14, 1,
			"foo+0x4:        22222222        \n" },
		{ '/', "x", BASE + 8, 9,
			"0xffff800000000008:             "
			"1111    1111    1111    1111    2222    2222    \n"
			"                2222    2222    3333    \n" },
		{ '/', "S", BASE + 0x100, 1,
			"0xffff800000000100:             hello\\n\\033!\n" },
		{ '\\', "X", 0x2008, 1, "0x2008:         11111111        \n" },
		{ '=', "j", 0x2a, 1,
			"                101010\n"
			"                | | | \n"
			"                | | +--- bit 1  mask 0x0002\n"
			"                | +----- bit 3  mask 0x0008\n"
			"                +------- bit 5  mask 0x0020\n" },
	};
	struct fixture *f = *state;
	struct mdb_buf b;

	mdb_buf_init(&b);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(format(f, cases[i].verb, cases[i].formats,
					    cases[i].value, cases[i].count, &b),
			cases[i].out);
	mdb_buf_fini(&b);
}

static void
test_format_moves_dot(void **state)
{
	struct fixture *f = *state;
	struct mdb_buf b;

	mdb_buf_init(&b);
	(void)format(f, '/', "X", BASE, 3, &b);
	assert_int_equal(f->lang.dot.addr, BASE + 8);
	assert_int_equal(f->lang.increment, 4);
	mdb_buf_fini(&b);
}

static void
test_format_says_what_cannot_be_read(void **state)
{
	struct fixture *f = *state;
	struct mdb_buf b;

	mdb_buf_init(&b);
	const char *out = format(f, '/', "J", BASE + 0xff8, 2, &b);

	assert_non_null(strstr(out, "ffffffffffffffff"));
	assert_non_null(strstr(out, "unmapped"));
	assert_non_null(
		strstr(format(f, '/', "k", BASE, 1, &b), "invalid format"));
	assert_non_null(strstr(format(f, '=', "", BASE, 1, &b), "format"));
	mdb_buf_fini(&b);
}

static void
test_format_match_finds_under_a_mask(void **state)
{
	struct fixture *f = *state;
	struct mdb_loc at;

	assert_int_equal(mdb_format_match(&f->cx, &f->lang, '/', 'L',
				 mdb_kernel_loc(f->world, BASE), 0x3300, 0xff00,
				 &at),
		MDB_OK);
	assert_int_equal(at.addr, BASE + 0x18);
	assert_int_equal(mdb_format_match(&f->cx, &f->lang, '/', 'M',
				 mdb_kernel_loc(f->world, BASE), 0x12345,
				 UINT64_MAX, &at),
		MDB_E_UNMAPPED);
}

static void
test_vars_are_kept_in_order(void **state)
{
	struct fixture *f = *state;
	const char *name;
	uint64_t v;

	assert_int_equal(mdb_vars_set(&f->cx, f->lang.vars, "b", 2), MDB_OK);
	assert_int_equal(mdb_vars_set(&f->cx, f->lang.vars, "a", 1), MDB_OK);
	assert_int_equal(mdb_vars_set(&f->cx, f->lang.vars, "b", 3), MDB_OK);
	assert_true(mdb_vars_at(f->lang.vars, 1, &name, &v));
	assert_string_equal(name, "b");
	assert_int_equal(v, 3);
	assert_int_equal(mdb_vars_set(&f->cx, f->lang.vars,
				 "a23456789012345678901234567890x", 1),
		MDB_E_USAGE);
	assert_int_equal(calc(f, "<a+<b", &v), MDB_OK);
	assert_int_equal(v, 4);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_eval_knows_mdbs_arithmetic),
		TEST(test_eval_refuses_what_has_no_value),
		TEST(test_eval_says_how_odd_names_are_typed),
		TEST(test_eval_bounds_depth_and_length),
		TEST(test_parse_takes_one_statement),
		TEST(test_parse_knows_every_kind_of_command),
		TEST(test_parse_or_and_pipe_are_told_apart),
		TEST(test_format_prints_as_mdb_does),
		TEST(test_format_moves_dot),
		TEST(test_format_says_what_cannot_be_read),
		TEST(test_format_match_finds_under_a_mask),
		TEST(test_vars_are_kept_in_order),
	};

	/* Times are the machine's own: make them the same everywhere. */
	(void)setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
