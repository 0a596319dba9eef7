/* SPDX-License-Identifier: MIT */
/* Rank over a bitmap against counting bit by bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dfmt-rank.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BITS 40000

static uint8_t bitmap[BITS / 8 + 100];

static int
fill(void **state)
{
	uint64_t x = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(bitmap); i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		/* Runs of ones, of zeros, and noise. */
		bitmap[i] = i / 300 % 3 == 0   ? 0
			    : i / 300 % 3 == 1 ? 0xff
					       : (uint8_t)(x >> 56);
	}
	return 0;
}

static bool
bit(uint64_t i)
{
	return bitmap[i / 8] >> i % 8 & 1;
}

static void
check(uint64_t first, uint64_t end, size_t budget, size_t offset)
{
	struct dfmt_rank r = { .offset = offset, .first = first, .end = end };
	uint64_t want = 0, rank, total;
	bool set;

	assert_int_equal(
		dfmt_source_open_memory(bitmap, sizeof(bitmap), &r.src, NULL),
		DFMT_OK);
	assert_int_equal(dfmt_rank_init(&r, budget, NULL), DFMT_OK);
	assert_true(r.nr_blocks * sizeof(*r.counts) <= budget);
	/* The end first: all is built at once; then from the start. */
	assert_int_equal(dfmt_rank_total(&r, &total, NULL), DFMT_OK);
	for (uint64_t i = first; i < end; i++) {
		bool is = bit(offset * 8 + i);

		if (i % 7 == 0 || i < first + 200 || i + 200 > end) {
			assert_int_equal(
				dfmt_rank_find(&r, i, &set, &rank, NULL),
				DFMT_OK);
			assert_int_equal(set, is);
			if (is)
				assert_int_equal(rank, want);
		}
		want += is;
	}
	assert_int_equal(total, want);
	dfmt_rank_fini(&r);
	dfmt_source_destroy(r.src);
}

static void
test_rank_agrees_with_counting(void **state)
{
	static const uint64_t firsts[] = { 0, 1, 7, 8, 63, 511, 512, 513,
		5000 };

	(void)state;
	for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
		check(firsts[i], BITS, 1 << 20, 0);
		check(firsts[i], BITS - 13, 256, 0);
		check(firsts[i], firsts[i] + 1, 1 << 20, 3);
		check(firsts[i], firsts[i] + 700, 64, 5);
	}
	check(100, 100, 1 << 20, 0);
}

static void
test_rank_is_built_no_further_than_asked(void **state)
{
	struct dfmt_rank r = { .end = BITS };
	uint64_t rank;
	bool set;

	(void)state;
	assert_int_equal(
		dfmt_source_open_memory(bitmap, sizeof(bitmap), &r.src, NULL),
		DFMT_OK);
	assert_int_equal(dfmt_rank_init(&r, 1 << 20, NULL), DFMT_OK);
	assert_int_equal(dfmt_rank_find(&r, 4000, &set, &rank, NULL), DFMT_OK);
	assert_true(set);
	assert_int_equal(atomic_load(&r.nr_built), 4000 / 512);
	/* A bit that is not set needs no rank. */
	assert_int_equal(dfmt_rank_find(&r, BITS - 1, &set, &rank, NULL),
		DFMT_OK);
	if (!set)
		assert_int_equal(atomic_load(&r.nr_built), 4000 / 512);
	dfmt_rank_fini(&r);
	dfmt_source_destroy(r.src);
}

/* 2^31 bits in a sparse file: holes are skipped, memory stays bounded. */
static void
test_rank_skips_holes_of_a_sparse_file(void **state)
{
	char path[] = "/tmp/dfmt-rank-XXXXXX";
	int fd = mkstemp(path);
	struct dfmt_rank r = { .end = UINT64_C(1) << 31 };
	uint64_t rank;
	bool set;

	(void)state;
	unlink(path);
	assert_int_equal(ftruncate(fd, 1 << 28), 0);
	assert_int_equal(pwrite(fd, "\xff", 1, 5), 1);
	assert_int_equal(pwrite(fd, "\x81", 1, (1 << 28) - 1), 1);
	assert_int_equal(dfmt_source_open_fd(fd, false, &r.src, NULL), DFMT_OK);
	assert_int_equal(dfmt_rank_init(&r, 1 << 20, NULL), DFMT_OK);
	assert_true(r.nr_blocks * sizeof(*r.counts) <= 1 << 20);
	assert_int_equal(
		dfmt_rank_find(&r, (UINT64_C(1) << 31) - 1, &set, &rank, NULL),
		DFMT_OK);
	assert_true(set);
	assert_int_equal(rank, 9);
	dfmt_rank_fini(&r);
	dfmt_source_destroy(r.src);
}

static void
test_rank_says_where_a_cut_bitmap_ends(void **state)
{
	struct dfmt_rank r = { .end = BITS };
	struct dfmt_err err;
	uint64_t rank;
	bool set;

	(void)state;
	assert_int_equal(dfmt_source_open_memory(bitmap, 1000, &r.src, NULL),
		DFMT_OK);
	assert_int_equal(dfmt_rank_init(&r, 1 << 20, NULL), DFMT_OK);
	assert_int_equal(dfmt_rank_find(&r, 8000, &set, &rank, &err),
		DFMT_E_LOST);
	assert_int_equal(err.offset, 1000);
	assert_int_equal(dfmt_rank_total(&r, &rank, &err), DFMT_E_LOST);
	assert_int_equal(dfmt_rank_find(&r, 7999, &set, &rank, &err), DFMT_OK);
	dfmt_rank_fini(&r);
	dfmt_source_destroy(r.src);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rank_agrees_with_counting),
		cmocka_unit_test(test_rank_is_built_no_further_than_asked),
		cmocka_unit_test(test_rank_skips_holes_of_a_sparse_file),
		cmocka_unit_test(test_rank_says_where_a_cut_bitmap_ends),
	};

	return cmocka_run_group_tests_name("rank", tests, fill, NULL);
}
