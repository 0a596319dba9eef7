/* SPDX-License-Identifier: MIT */
/* Sizes, ids and times as text. */
#include "cmd/common/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
test_text_sizes_parse(void **state)
{
	static const struct {
		const char *text;
		uint64_t size;
	} good[] = { { "0", 0 }, { "4096", 4096 }, { "64M", 64u << 20 },
		{ "64MiB", 64u << 20 }, { "2g", UINT64_C(2) << 30 },
		{ "1.5K", 1536 }, { "1T", UINT64_C(1) << 40 }, { "7B", 7 },
		{ "3KB", 3072 } };
	static const char *const bad[] = { "", "M", "-1", "+1", "64X", "64MM",
		"0x10", "1e400", "99999999P", "nan", "inf", " 1" };
	uint64_t size;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(cmd_parse_size(good[i].text, &size));
		assert_int_equal(size, good[i].size);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(cmd_parse_size(bad[i], &size));
}

static void
test_text_sizes_print(void **state)
{
	char buf[CMD_SIZE_TEXT];

	(void)state;
	assert_string_equal(cmd_size_text(0, buf), "0");
	assert_string_equal(cmd_size_text(1023, buf), "1023");
	assert_string_equal(cmd_size_text(1024, buf), "1K");
	assert_string_equal(cmd_size_text(1536, buf), "1.5K");
	assert_string_equal(cmd_size_text(UINT64_C(3) << 30, buf), "3G");
	assert_string_equal(cmd_size_text(UINT64_MAX, buf), "16384P");
}

static void
test_text_times_and_ids(void **state)
{
	uint8_t id[16] = { 0 };
	char buf[CMD_ID_TEXT];

	(void)state;
	assert_true(cmd_id_is_zero(id));
	id[0] = 0xab;
	id[15] = 1;
	assert_false(cmd_id_is_zero(id));
	assert_string_equal(cmd_id_text(id, buf),
		"ab000000-0000-0000-0000-000000000001");
	assert_string_equal(cmd_time_text(0, buf), "unknown");
	assert_string_equal(cmd_time_text(UINT64_MAX, buf), "unknown");
	assert_string_equal(cmd_time_text(86400, buf), "1970-01-02T00:00:00Z");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_sizes_parse),
		cmocka_unit_test(test_text_sizes_print),
		cmocka_unit_test(test_text_times_and_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
