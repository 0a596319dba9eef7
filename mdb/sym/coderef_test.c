/* SPDX-License-Identifier: MIT */
#include "mdb/sym/coderef.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t code[] = {
	0x48, 0x8d, 0x05, 0x10, 0x00, 0x00, 0x00, /* lea 0x10(%rip),%rax */
	0x8b, 0x43, 0x08,			  /* mov 8(%rbx),%eax */
	0xff, 0x15, 0x20, 0x00, 0x00, 0x00,	  /* call *0x20(%rip) */
	0xc7, 0x05, 0xf8, 0xff, 0xff, 0xff, 1, 0, 0, 0, /* movl $1,-8(%rip) */
	0x0f, 0x1f, 0x05, 0, 0, 0, 0,			/* nopl 0(%rip) */
	0xc3						/* ret */
};

/* Calls through memory are rewritten at boot, so they do not count. */
static void
test_coderef_lists_data_only(void **state)
{
	uint64_t t[4] = { 0 };

	(void)state;
	assert_int_equal(mdb_coderef_list(code, sizeof(code), 0x1000, t, 4), 2);
	assert_int_equal(t[0], 0x1007 + 0x10);
	assert_int_equal(t[1], 0x101a - 8);
}

static void
test_coderef_counts_beyond_room(void **state)
{
	uint64_t t[2] = { 0, 7 };

	(void)state;
	assert_int_equal(mdb_coderef_list(code, sizeof(code), 0x1000, t, 1), 2);
	assert_int_equal(t[1], 7);
}

static void
test_coderef_takes_any_bytes(void **state)
{
	uint8_t bytes[64];
	uint64_t t[4];

	(void)state;
	memset(bytes, 0x06, sizeof(bytes)); /* no instruction in 64 bits */
	assert_int_equal(mdb_coderef_list(bytes, sizeof(bytes), 0, t, 4), 0);
	assert_int_equal(mdb_coderef_list(code, 3, 0, t, 4), 0); /* cut */
	assert_int_equal(mdb_coderef_list(code, 0, 0, t, 4), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_coderef_lists_data_only),
		cmocka_unit_test(test_coderef_counts_beyond_room),
		cmocka_unit_test(test_coderef_takes_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
