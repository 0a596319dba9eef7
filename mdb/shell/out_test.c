/* SPDX-License-Identifier: MIT */
/* The renderers: escaping, each kind of value, the layout of tables. */
#include "mdb/shell/out.h"

#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"
#include "mdb/shell/opt.h"
#include "mdb/shell/suggest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Sinks, contexts and what was printed. */
struct fixture {
	struct mdb_ctx cx;
	struct mdb_out out;
	struct mdb_sink *sink;
};

static void
begin(struct fixture *f, enum mdb_out_mode mode)
{
	mdb_ctx_init(&f->cx);
	f->sink = mdb_sink_create_memory();
	mdb_out_init(&f->out, mode, f->sink);
	f->cx.out = &f->out;
}

static const char *
printed(struct fixture *f)
{
	mdb_out_end(&f->out);
	return mdb_sink_text(f->sink);
}

static void
end(struct fixture *f)
{
	mdb_out_fini(&f->out);
	mdb_sink_destroy(f->sink);
	mdb_ctx_fini(&f->cx);
}

static void
assert_escaped(const char *text, size_t len, const char *plain,
	const char *json)
{
	struct mdb_buf b;

	mdb_buf_init(&b);
	mdb_escape_text(&b, text, len, false);
	assert_string_equal(b.len == 0 ? "" : b.data, plain);
	mdb_buf_reset(&b);
	mdb_escape_json(&b, text, len);
	assert_string_equal(b.data, json);
	mdb_buf_fini(&b);
}

static void
test_out_escapes_what_is_not_printable(void **state)
{
	(void)state;
	assert_escaped("", 0, "", "\"\"");
	assert_escaped("plain", 5, "plain", "\"plain\"");
	assert_escaped("a\"b\\c", 5, "a\"b\\c", "\"a\\\"b\\\\c\"");
	assert_escaped("\n\t\r", 3, "\\n\\t\\r", "\"\\n\\t\\r\"");
	assert_escaped("\0\x1b\x7f", 3, "\\x00\\x1b\\x7f",
		"\"\\u0000\\u001b\\u007f\"");
}

static void
test_out_escapes_malformed_utf8(void **state)
{
	(void)state;
	/* Lone, cut, overlong, surrogate, beyond the last. */
	assert_escaped("\x80", 1, "\\x80", "\"\\\\x80\"");
	assert_escaped("\xc3", 1, "\\xc3", "\"\\\\xc3\"");
	assert_escaped("\xc0\xaf", 2, "\\xc0\\xaf", "\"\\\\xc0\\\\xaf\"");
	assert_escaped("\xed\xa0\x80", 3, "\\xed\\xa0\\x80",
		"\"\\\\xed\\\\xa0\\\\x80\"");
	assert_escaped("\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80",
		"\"\\\\xf4\\\\x90\\\\x80\\\\x80\"");
}

static void
test_out_keeps_harmless_utf8(void **state)
{
	(void)state;
	assert_escaped("\xc3\xa9", 2, "\xc3\xa9", "\"\xc3\xa9\"");
	assert_escaped("\xf0\x9f\x90\x9b", 4, "\xf0\x9f\x90\x9b",
		"\"\xf0\x9f\x90\x9b\"");
	/* U+009B is a terminal's CSI, U+202E turns the direction. */
	assert_escaped("\xc2\x9b", 2, "\\xc2\\x9b", "\"\\u009b\"");
	assert_escaped("\xe2\x80\xae", 3, "\\xe2\\x80\\xae", "\"\\u202e\"");
}

static void
assert_value(struct mdb_value v, size_t width, unsigned int flags,
	const char *plain, const char *json)
{
	struct mdb_ctx cx;
	struct mdb_buf b;

	mdb_ctx_init(&cx);
	mdb_buf_init(&b);
	mdb_value_text(&cx, &b, &v, width, flags);
	assert_string_equal(b.data, plain);
	mdb_buf_reset(&b);
	mdb_value_json(&cx, &b, &v);
	assert_string_equal(b.data, json);
	mdb_buf_fini(&b);
	mdb_ctx_fini(&cx);
}

static void
test_out_values(void **state)
{
	struct mdb_loc loc = { .addr = 0xffff };

	(void)state;
	assert_value(mdb_v_none(), 0, 0, "-", "null");
	assert_value(mdb_v_error(MDB_E_UNMAPPED), 0, 0, "<unmapped>",
		"{\"error\":\"unmapped\"}");
	assert_value(mdb_v_int(-5), 0, 0, "-5", "-5");
	assert_value(mdb_v_uint(UINT64_MAX), 0, 0, "18446744073709551615",
		"18446744073709551615");
	assert_value(mdb_v_hex(0x1f), 4, 0, "1f", "\"0x1f\"");
	assert_value(mdb_v_hex(0x1f), 4, MDB_COL_ZERO, "001f", "\"0x1f\"");
	assert_value(mdb_v_flags(0x1f), 10, 0, "0x0000001f", "\"0x1f\"");
	assert_value(mdb_v_addr(loc), 8, MDB_COL_ZERO, "0000ffff",
		"\"0xffff\"");
	assert_value(mdb_v_bool(true), 0, 0, "yes", "true");
	assert_value(mdb_v_ns(1500000999), 0, 0, "1.500000", "1500000999");
	assert_value(mdb_v_cstr(NULL), 0, 0, "-", "null");
	assert_value(mdb_v_str("a\tb", 3), 0, 0, "a\tb", "\"a\\tb\"");
	assert_value(mdb_v_str("a\tb", 3), 9, 0, "a\\tb", "\"a\\tb\"");
}

static void
test_out_sizes_for_humans(void **state)
{
	(void)state;
	assert_value(mdb_v_bytes(1023), 0, 0, "1023", "1023");
	assert_value(mdb_v_bytes(1024), 0, 0, "1.0K", "1024");
	assert_value(mdb_v_bytes(1536 * 1024), 0, 0, "1.5M", "1572864");
	assert_value(mdb_v_bytes(UINT64_MAX), 0, 0, "16.0E",
		"18446744073709551615");
}

static const struct mdb_column columns[] = {
	{ .name = "n", .heading = "N", .width = 3 },
	{ .name = "s", .heading = "S", .width = 4, .flags = MDB_COL_LEFT },
	{ .name = "raw", .heading = "RAW", .flags = MDB_COL_JSON_ONLY },
	{ .name = "shown",
		.heading = "SHOWN",
		.flags = MDB_COL_TEXT_ONLY | MDB_COL_LEFT,
		.width = 9 },
	{ 0 },
};
static const struct mdb_table table = { .name = "t", .columns = columns };
static const struct mdb_table bars = { .name = "t",
	.columns = columns,
	.separator = "|" };

static void
state_rows(struct fixture *f, const struct mdb_table *t)
{
	const struct mdb_value rows[][4] = {
		{ mdb_v_int(1), mdb_v_text("ab"), mdb_v_uint(7),
			mdb_v_text("x") },
		{ mdb_v_int(12345), mdb_v_text("\xc3\xa9\xc3\xa9"),
			mdb_v_none(), mdb_v_text("") },
	};

	for (size_t i = 0; i < 2; i++)
		assert_int_equal(mdb_row(&f->cx, t, rows[i]), MDB_OK);
}

static void
test_out_table_layout(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, MDB_OUT_TEXT);
	state_rows(&f, &table);
	assert_string_equal(printed(&f), "  N S    SHOWN\n"
					 "  1 ab   x\n"
					 "12345 \xc3\xa9\xc3\xa9\n");
	end(&f);
}

static void
test_out_table_separator(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, MDB_OUT_TEXT);
	state_rows(&f, &bars);
	assert_string_equal(printed(&f), "  N S    SHOWN\n"
					 "  1|ab  |x\n"
					 "12345|\xc3\xa9\xc3\xa9  |\n");
	end(&f);
}

static void
test_out_json_rows(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, MDB_OUT_JSON);
	state_rows(&f, &table);
	assert_int_equal(mdb_blank(&f.cx), MDB_OK);
	assert_int_equal(mdb_line(&f.cx, "%d%%", 5), MDB_OK);
	assert_string_equal(printed(&f),
		"{\"n\":1,\"s\":\"ab\",\"raw\":7}\n"
		"{\"n\":12345,\"s\":\"\xc3\xa9\xc3\xa9\",\"raw\":null}\n"
		"{\"text\":\"5%\"}\n");
	end(&f);
}

/* A value whose place is not proven is marked; what is no value is not. */
static void
test_out_marks_unproven_values(void **state)
{
	const struct mdb_value row[] = { mdb_v_unproven(mdb_v_int(1)),
		mdb_v_text("ab"), mdb_v_unproven(mdb_v_uint(7)),
		mdb_v_unproven(mdb_v_none()) };
	struct fixture f;

	(void)state;
	begin(&f, MDB_OUT_TEXT);
	assert_int_equal(mdb_row(&f.cx, &table, row), MDB_OK);
	assert_string_equal(printed(&f), "  N S    SHOWN\n"
					 " 1? ab   -\n");
	end(&f);
	begin(&f, MDB_OUT_JSON);
	assert_int_equal(mdb_row(&f.cx, &table, row), MDB_OK);
	assert_string_equal(printed(&f), "{\"n\":1,\"s\":\"ab\",\"raw\":7,"
					 "\"unproven\":[\"n\",\"raw\"]}\n");
	end(&f);
}

static void
leaf(struct fixture *f, const char *name, bool unproven)
{
	struct mdb_value v = mdb_v_int(1);

	assert_int_equal(mdb_tree_leaf(&f->cx, NULL, name, "1",
				 unproven ? mdb_v_unproven(v) : v),
		MDB_OK);
}

static void
branch(struct fixture *f, const char *name, enum mdb_branch kind)
{
	assert_int_equal(mdb_tree_open(&f->cx, NULL, name, kind), MDB_OK);
}

/* Named in the object that has it, an element by its array; an unnamed struct's
 * members are its parent's. */
static void
test_out_names_what_is_unproven_in_trees(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, MDB_OUT_JSON);
	branch(&f, NULL, MDB_BRANCH_STRUCT);
	leaf(&f, "a", true);
	branch(&f, "in", MDB_BRANCH_STRUCT);
	leaf(&f, "b", true);
	assert_int_equal(mdb_tree_close(&f.cx), MDB_OK);
	branch(&f, NULL, MDB_BRANCH_STRUCT);
	leaf(&f, "c", true);
	leaf(&f, "d", false);
	assert_int_equal(mdb_tree_close(&f.cx), MDB_OK);
	branch(&f, "e", MDB_BRANCH_ARRAY);
	leaf(&f, NULL, true);
	leaf(&f, NULL, true);
	assert_int_equal(mdb_tree_close(&f.cx), MDB_OK);
	assert_int_equal(mdb_tree_close(&f.cx), MDB_OK);
	leaf(&f, "x", false);
	leaf(&f, "y", true);
	assert_string_equal(printed(&f),
		"{\"a\":1,\"in\":{\"b\":1,\"unproven\":[\"b\"]},\"c\":1,"
		"\"d\":1,\"e\":[1,1],\"unproven\":[\"a\",\"c\",\"e\"]}\n"
		"{\"x\":1,\"y\":1,\"unproven\":[\"y\"]}\n");
	end(&f);
}

static void
test_out_heading_again(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, MDB_OUT_TEXT);
	state_rows(&f, &table);
	mdb_heading_again(&f.cx);
	mdb_sink_clear(f.sink);
	state_rows(&f, &table);
	assert_int_equal(strncmp(printed(&f), "  N S    SHOWN\n", 15), 0);
	end(&f);
}

static void
test_out_tree_has_a_deepest_branch(void **state)
{
	struct fixture f;
	enum mdb_status st = MDB_OK;
	int depth = 0;

	(void)state;
	begin(&f, MDB_OUT_JSON);
	while (st == MDB_OK && depth < 1000) {
		st = mdb_tree_open(&f.cx, NULL, "a", MDB_BRANCH_STRUCT);
		depth++;
	}
	assert_int_equal(st, MDB_E_CORRUPT);
	assert_int_equal(depth, MDB_TREE_MAX_DEPTH + 1);
	assert_non_null(strstr(printed(&f), "}}}}"));
	end(&f);
}

static void
test_out_long_arrays_are_broken(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, MDB_OUT_TEXT);
	assert_int_equal(mdb_tree_open(&f.cx, NULL, "a", MDB_BRANCH_ARRAY),
		MDB_OK);
	for (int i = 0; i < 30; i++)
		assert_int_equal(mdb_tree_leaf(&f.cx, NULL, NULL, "0x12345",
					 mdb_v_hex(0x12345)),
			MDB_OK);
	assert_int_equal(mdb_tree_close(&f.cx), MDB_OK);
	for (const char *line = printed(&f); *line != '\0';) {
		size_t len = strcspn(line, "\n");

		assert_true(len <= 80);
		line += len + 1;
	}
	end(&f);
}

static void
test_suggest_takes_the_nearest(void **state)
{
	struct mdb_suggest s;

	(void)state;
	mdb_suggest_init(&s, "stauts");
	mdb_suggest_offer(&s, "stack");
	mdb_suggest_offer(&s, "status");
	mdb_suggest_offer(&s, "stacks");
	assert_string_equal(s.best, "status");
	mdb_suggest_init(&s, "x");
	mdb_suggest_offer(&s, "regs");
	assert_null(s.best);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_out_escapes_what_is_not_printable),
		cmocka_unit_test(test_out_escapes_malformed_utf8),
		cmocka_unit_test(test_out_keeps_harmless_utf8),
		cmocka_unit_test(test_out_values),
		cmocka_unit_test(test_out_sizes_for_humans),
		cmocka_unit_test(test_out_table_layout),
		cmocka_unit_test(test_out_table_separator),
		cmocka_unit_test(test_out_json_rows),
		cmocka_unit_test(test_out_marks_unproven_values),
		cmocka_unit_test(test_out_names_what_is_unproven_in_trees),
		cmocka_unit_test(test_out_heading_again),
		cmocka_unit_test(test_out_tree_has_a_deepest_branch),
		cmocka_unit_test(test_out_long_arrays_are_broken),
		cmocka_unit_test(test_suggest_takes_the_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
