/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dfmt-crc.h"

#include <stdlib.h>
#include <string.h>

/* Bit by bit, straight from the definition. */
static uint32_t
slow(const uint8_t *p, size_t len)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < len; i++) {
		crc ^= p[i];
		for (int k = 0; k < 8; k++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
	}
	return ~crc;
}

static bool
has_instruction(void)
{
#ifdef __x86_64__
	return __builtin_cpu_supports("sse4.2");
#else
	return false;
#endif
}

static void
check_values(const struct dfmt_crc *c)
{
	uint8_t zeros[32] = { 0 };

	assert_int_equal(dfmt_crc32c(c, "123456789", 9), 0xe3069283u);
	assert_int_equal(dfmt_crc32c(c, "", 0), 0);
	/* RFC 3720, B.4 */
	assert_int_equal(dfmt_crc32c(c, zeros, 32), 0x8a9136aau);
}

/* All lengths around the steps, at each alignment, in one and in two parts. */
static void
check_lengths(const struct dfmt_crc *c)
{
	static const size_t around[] = { 0, 768, 6144, 6144 + 768, 2 * 6144,
		32768 };
	uint8_t *p = malloc(33000);

	assert_non_null(p);
	for (size_t i = 0; i < 33000; i++)
		p[i] = (uint8_t)(i * i >> 3 ^ i * 7);
	for (size_t k = 0; k < sizeof(around) / sizeof(around[0]); k++) {
		for (size_t d = 0; d < 40; d++) {
			size_t len =
				around[k] + d > 20 ? around[k] + d - 20 : 0;
			size_t cut = len / 3;
			const uint8_t *at = p + d % 8;
			uint32_t want = slow(at, len);

			assert_int_equal(dfmt_crc32c(c, at, len), want);
			uint32_t first = dfmt_crc32c(c, at, cut);
			assert_int_equal(
				dfmt_crc32c_more(c, first, at + cut, len - cut),
				want);
		}
	}
	free(p);
}

static void
test_crc_in_software_is_castagnoli(void **state)
{
	struct dfmt_crc c;

	(void)state;
	dfmt_crc_init(&c, false);
	assert_false(c.hw);
	check_values(&c);
	check_lengths(&c);
}

static void
test_crc_by_instruction_is_the_same(void **state)
{
	struct dfmt_crc c;

	(void)state;
	if (!has_instruction())
		skip();
	dfmt_crc_init(&c, true);
	assert_true(c.hw);
	check_values(&c);
	check_lengths(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crc_in_software_is_castagnoli),
		cmocka_unit_test(test_crc_by_instruction_is_the_same),
	};

	return cmocka_run_group_tests_name("crc", tests, NULL, NULL);
}
