/* SPDX-License-Identifier: MIT */
/* The trail, the arena, capped allocation, buffers, numbers. */
#include "mdb/base/buf.h"
#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
test_trail_grows_at_the_front(void **state)
{
	struct mdb_ctx cx;

	(void)state;
	mdb_ctx_init(&cx);
	assert_string_equal(mdb_trail(&cx), "");
	assert_int_equal(mdb_fail(&cx, MDB_E_UNMAPPED, "at %d", 7),
		MDB_E_UNMAPPED);
	assert_int_equal(mdb_context(&cx, MDB_E_UNMAPPED, "list of %s", "x"),
		MDB_E_UNMAPPED);
	assert_string_equal(mdb_trail(&cx), "list of x: at 7");
	mdb_forget(&cx);
	assert_string_equal(mdb_trail(&cx), "");
	assert_int_equal(mdb_context(&cx, MDB_E_LOST, "alone"), MDB_E_LOST);
	assert_string_equal(mdb_trail(&cx), "alone");
	mdb_ctx_fini(&cx);
}

static void
test_trail_stays_bounded(void **state)
{
	struct mdb_ctx cx;
	char word[1001];

	(void)state;
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	mdb_ctx_init(&cx);
	for (int i = 0; i < 100; i++)
		(void)!mdb_context(&cx, MDB_E_LOST, "%s", word);
	assert_true(strlen(mdb_trail(&cx)) < 8192);
	mdb_ctx_fini(&cx);
}

static void
test_tmp_is_zeroed_and_aligned(void **state)
{
	struct mdb_ctx cx;

	(void)state;
	mdb_ctx_init(&cx);
	for (size_t len = 0; len < 300; len += 7) {
		unsigned char *p = mdb_tmp(&cx, len);

		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < len; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, len);
	}
	assert_string_equal(mdb_tmp_printf(&cx, "%s-%d", "a", 5), "a-5");
	mdb_ctx_fini(&cx);
}

static void
test_alloc_capped_refuses_what_overflows(void **state)
{
	struct mdb_ctx cx;
	void *p = NULL;

	(void)state;
	mdb_ctx_init(&cx);
	assert_int_equal(mdb_alloc_capped(&cx, UINT64_MAX / 2, 4, 1000, &p),
		MDB_E_CORRUPT);
	assert_int_equal(mdb_alloc_capped(&cx, 251, 4, 1000, &p),
		MDB_E_CORRUPT);
	assert_null(p);
	assert_int_equal(mdb_alloc_capped(&cx, 250, 4, 1000, &p), MDB_OK);
	assert_non_null(p);
	mdb_ctx_fini(&cx);
}

static void
test_escape_name_leaves_no_control_character(void **state)
{
	struct mdb_ctx cx;
	const char *plain = "plain";

	(void)state;
	mdb_ctx_init(&cx);
	assert_ptr_equal(mdb_escape_name(&cx, plain), plain);
	assert_string_equal(mdb_escape_name(&cx, "a\x1b[0m\n\xff"),
		"a\\x1b[0m\\x0a\\xff");
	mdb_ctx_fini(&cx);
}

static void
test_interrupt_is_a_status(void **state)
{
	volatile sig_atomic_t flag = 0;
	struct mdb_ctx cx;

	(void)state;
	mdb_ctx_init(&cx);
	assert_int_equal(mdb_check_interrupt(&cx), MDB_OK);
	cx.interrupted = &flag;
	assert_int_equal(mdb_check_interrupt(&cx), MDB_OK);
	flag = 1;
	assert_int_equal(mdb_check_interrupt(&cx), MDB_E_INTERRUPTED);
	mdb_ctx_fini(&cx);
}

static void
test_buf_grows_and_is_terminated(void **state)
{
	struct mdb_buf b;

	(void)state;
	mdb_buf_init(&b);
	for (int i = 0; i < 1000; i++)
		mdb_buf_printf(&b, "%d,", i % 10);
	mdb_buf_pad(&b, '.', 3);
	assert_int_equal(b.len, 2003);
	assert_int_equal(strlen(b.data), 2003);
	mdb_buf_reset(&b);
	assert_string_equal(b.data, "");
	mdb_buf_puts(&b, "kept");
	char *s = mdb_buf_steal(&b);

	assert_string_equal(s, "kept");
	assert_null(b.data);
	free(s);
	mdb_buf_fini(&b);
}

static void
test_numbers_are_little_endian(void **state)
{
	static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 0x88 };

	(void)state;
	assert_int_equal(mdb_le16(bytes), 0x0201);
	assert_int_equal(mdb_le32(bytes), 0x04030201);
	assert_int_equal(mdb_le64(bytes), 0x8807060504030201);
	assert_int_equal(mdb_sign_extend(0x80, 8), -128);
	assert_int_equal(mdb_sign_extend(0x7f, 8), 127);
	assert_int_equal(mdb_sign_extend(UINT64_MAX, 64), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trail_grows_at_the_front),
		cmocka_unit_test(test_trail_stays_bounded),
		cmocka_unit_test(test_tmp_is_zeroed_and_aligned),
		cmocka_unit_test(test_alloc_capped_refuses_what_overflows),
		cmocka_unit_test(test_escape_name_leaves_no_control_character),
		cmocka_unit_test(test_interrupt_is_a_status),
		cmocka_unit_test(test_buf_grows_and_is_terminated),
		cmocka_unit_test(test_numbers_are_little_endian),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
