/* SPDX-License-Identifier: MIT */
/* The page cache: bounded, never torn, many threads at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dfmt-cache.h"

#include <pthread.h>
#include <string.h>

#define PAGE 4096

static void
page_fill(uint64_t *page, uint64_t key)
{
	for (size_t i = 0; i < PAGE / 8; i++)
		page[i] = key * 0x100000001 + i;
}

static bool
page_is(const uint8_t *bytes, uint32_t off, size_t len, uint64_t key)
{
	uint64_t page[PAGE / 8];

	page_fill(page, key);
	return memcmp(bytes, (uint8_t *)page + off, len) == 0;
}

static void
test_cache_gives_back_what_was_put(void **state)
{
	struct dfmt_cache *c = dfmt_cache_create(64 * PAGE, PAGE);
	uint64_t page[PAGE / 8];
	uint8_t out[PAGE];

	(void)state;
	assert_non_null(c);
	assert_false(dfmt_cache_get(c, 7, 0, out, 8));
	page_fill(page, 7);
	dfmt_cache_put(c, 7, page);
	for (uint32_t off = 0; off < PAGE; off += 61) {
		for (size_t len = 1; len < 40 && off + len <= PAGE; len++) {
			assert_true(dfmt_cache_get(c, 7, off, out, len));
			assert_true(page_is(out, off, len, 7));
		}
	}
	assert_true(dfmt_cache_get(c, 7, 0, out, PAGE));
	assert_true(page_is(out, 0, PAGE, 7));
	dfmt_cache_destroy(c);
	dfmt_cache_destroy(NULL);
}

static void
test_cache_holds_no_more_than_its_bound(void **state)
{
	struct dfmt_cache *c = dfmt_cache_create(64 * PAGE, PAGE);
	struct dfmt_stats stats;
	uint64_t page[PAGE / 8];
	uint8_t out[8];
	size_t held = 0;

	(void)state;
	for (uint64_t key = 0; key < 1000; key++) {
		page_fill(page, key);
		dfmt_cache_put(c, key, page);
		dfmt_cache_put(c, key, page);
	}
	dfmt_cache_stats(c, &stats);
	assert_true(stats.cache_bytes <= 64 * PAGE);
	for (uint64_t key = 0; key < 1000; key++) {
		if (!dfmt_cache_get(c, key, 8, out, 8))
			continue;
		assert_true(page_is(out, 8, 8, key));
		held++;
	}
	assert_int_equal(held * PAGE, stats.cache_bytes);
	dfmt_cache_destroy(c);
}

static void
test_cache_keeps_what_is_used(void **state)
{
	struct dfmt_cache *c = dfmt_cache_create(1, PAGE);
	uint64_t page[PAGE / 8];
	uint8_t out[8];

	(void)state;
	page_fill(page, 1);
	dfmt_cache_put(c, 1, page);
	for (uint64_t key = 2; key < 200; key++) {
		assert_true(dfmt_cache_get(c, 1, 0, out, 8));
		page_fill(page, key);
		dfmt_cache_put(c, key, page);
	}
	dfmt_cache_destroy(c);
}

struct worker {
	struct dfmt_cache *c;
	uint64_t seed;
	size_t nr_wrong;
	size_t nr_hits;
};

static void *
work(void *arg)
{
	struct worker *w = arg;
	uint64_t page[PAGE / 8];
	uint8_t out[PAGE];

	for (int i = 0; i < 20000; i++) {
		w->seed = w->seed * 6364136223846793005u + 1442695040888963407u;
		uint64_t key = w->seed >> 60;
		uint32_t off = (w->seed >> 40) % PAGE;
		size_t len = (w->seed >> 20) % (PAGE - off) + 1;

		if (dfmt_cache_get(w->c, key, off, out, len)) {
			w->nr_hits++;
			w->nr_wrong += !page_is(out, off, len, key);
		} else {
			page_fill(page, key);
			dfmt_cache_put(w->c, key, page);
		}
	}
	return NULL;
}

/* Sixteen pages fight for eight slots. */
static void
test_cache_is_never_torn(void **state)
{
	struct dfmt_cache *c = dfmt_cache_create(1, PAGE);
	struct worker w[4];
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		w[i] = (struct worker){ .c = c, .seed = i };
		assert_int_equal(pthread_create(&threads[i], NULL, work, &w[i]),
			0);
	}
	for (size_t i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(w[i].nr_wrong, 0);
		assert_true(w[i].nr_hits > 0);
	}
	dfmt_cache_destroy(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cache_gives_back_what_was_put),
		cmocka_unit_test(test_cache_holds_no_more_than_its_bound),
		cmocka_unit_test(test_cache_keeps_what_is_used),
		cmocka_unit_test(test_cache_is_never_torn),
	};

	return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
