/* SPDX-License-Identifier: MIT */
/* Rank over a bitmap in a file; the idea is in dfmt-rank.h. */
#include "dfmt-impl.h"
#include "dfmt-rank.h"

#include <stdlib.h>
#include <string.h>

#define MIN_SHIFT 9 /* blocks of 64 bytes */
#define CHUNK 65536u
#define LINE 4096u

/* Set bits of p that are not set in minus; words of the host's order, for a
 * count has none. */
static inline uint64_t
count_words(const uint8_t *p, const uint8_t *minus, uint64_t nr_words)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < nr_words; i++) {
		uint64_t w, m = 0;

		memcpy(&w, p + 8 * i, 8);
		if (minus)
			memcpy(&m, minus + 8 * i, 8);
		n += (unsigned int)__builtin_popcountll(w & ~m);
	}
	return n;
}

#ifdef __x86_64__
__attribute__((target("popcnt"))) static uint64_t
count_words_fast(const uint8_t *p, const uint8_t *minus, uint64_t nr_words)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < nr_words; i++) {
		uint64_t w, m = 0;

		memcpy(&w, p + 8 * i, 8);
		if (minus)
			memcpy(&m, minus + 8 * i, 8);
		n += (unsigned int)__builtin_popcountll(w & ~m);
	}
	return n;
}
#endif

static uint64_t
count_best(const uint8_t *p, const uint8_t *minus, uint64_t nr_words)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("popcnt"))
		return count_words_fast(p, minus, nr_words);
#endif
	return count_words(p, minus, nr_words);
}

uint64_t
dfmt_popcount_minus(const uint8_t *p, const uint8_t *minus, uint64_t nr_bits)
{
	uint64_t nr_words = nr_bits / 64;
	uint64_t n = count_best(p, minus, nr_words);

	if (nr_bits % 64) {
		uint64_t w = dfmt_le64(p + 8 * nr_words);

		if (minus)
			w &= ~dfmt_le64(minus + 8 * nr_words);
		w &= (UINT64_C(1) << nr_bits % 64) - 1;
		n += (unsigned int)__builtin_popcountll(w);
	}
	return n;
}

uint64_t
dfmt_popcount(const uint8_t *p, uint64_t nr_bits)
{
	return dfmt_popcount_minus(p, NULL, nr_bits);
}

/*
 * Counts set bits in [from, to), from a multiple of 8, with reads of a few
 * KiB (`pass` false) or a long pass.
 */
static enum dfmt_status
count_bits(struct dfmt_rank *r, uint64_t from, uint64_t to, bool pass,
	uint64_t *count_out, struct dfmt_err *err)
{
	uint8_t small[LINE + 8];
	uint8_t *buf = pass ? malloc(CHUNK + 8) : small;
	uint64_t step = (pass ? CHUNK : LINE) * UINT64_C(8);
	uint64_t count = 0;
	enum dfmt_status st = DFMT_OK;

	if (!buf)
		return dfmt_fail(err, DFMT_E_NOMEM, "bitmap", DFMT_NONE,
			DFMT_NONE);
	while (from < to && st == DFMT_OK) {
		uint64_t nr = dfmt_min(to - from, step);
		size_t len = (nr + 7) / 8;

		memset(buf + len, 0, 8);
		st = (pass ? dfmt_source_pass : dfmt_source_read)(r->src,
			r->offset + from / 8, buf, len, err);
		if (st == DFMT_OK)
			count += dfmt_popcount(buf, nr);
		from += nr;
	}
	if (pass)
		free(buf);
	if (st == DFMT_OK)
		*count_out = count;
	return st;
}

enum dfmt_status
dfmt_rank_init(struct dfmt_rank *r, size_t budget, struct dfmt_err *err)
{
	uint64_t nr_entries = budget / sizeof(*r->counts);
	uint64_t first = r->first, end = r->end;

	r->shift = MIN_SHIFT;
	while ((end - (first >> r->shift << r->shift)) >> r->shift >=
			nr_entries - 1 &&
		1u << (r->shift - 3) < DFMT_RANK_MAX_BLOCK)
		r->shift++;
	r->base = first >> r->shift << r->shift;
	r->nr_blocks = ((end - r->base) >> r->shift) + 1;
	if (r->nr_blocks > nr_entries)
		return dfmt_fail(err, DFMT_E_UNSUPPORTED,
			"bitmap: more frames than can be counted", r->offset,
			DFMT_NONE);
	r->counts = calloc(r->nr_blocks, sizeof(*r->counts));
	if (!r->counts)
		return dfmt_fail(err, DFMT_E_NOMEM, "bitmap", r->offset,
			DFMT_NONE);
	pthread_mutex_init(&r->lock, NULL);
	return DFMT_OK;
}

void
dfmt_rank_fini(struct dfmt_rank *r)
{
	if (!r->counts)
		return;
	free(r->counts);
	pthread_mutex_destroy(&r->lock);
}

/* Adds one block's count behind the last that is built. */
static enum dfmt_status
block_add(struct dfmt_rank *r, uint64_t k, const uint8_t *bits)
{
	uint64_t from = r->base + (k << r->shift);
	uint64_t nr = dfmt_min(r->end - from, UINT64_C(1) << r->shift);
	uint64_t n = dfmt_popcount(bits, nr);

	if (k == 0)
		n -= dfmt_popcount(bits, r->first - r->base);
	r->counts[k + 1] = r->counts[k] + n;
	return DFMT_OK;
}

/* Builds counts up to block k, in reads of many blocks each. */
static enum dfmt_status
build_locked(struct dfmt_rank *r, uint64_t k, struct dfmt_err *err)
{
	uint64_t block = UINT64_C(1) << (r->shift - 3);
	uint64_t per_read = block < CHUNK ? CHUNK / block : 1;
	uint64_t built = atomic_load(&r->nr_built);
	uint8_t *buf = malloc(block * per_read + 8);
	enum dfmt_status st = DFMT_OK;

	if (!buf)
		return dfmt_fail(err, DFMT_E_NOMEM, "bitmap", DFMT_NONE,
			DFMT_NONE);
	while (built < k && st == DFMT_OK) {
		uint64_t from = r->base + (built << r->shift);
		uint64_t at = r->offset + from / 8;
		uint64_t hole = dfmt_source_hole_end(r->src, at) - at;

		if (hole >= block) {
			uint64_t nr = dfmt_min(k - built, hole / block);

			for (uint64_t i = 0; i < nr; i++)
				r->counts[built + i + 1] = r->counts[built];
			built += nr;
			atomic_store(&r->nr_built, built);
			continue;
		}
		uint64_t nr = dfmt_min(k - built, per_read);
		uint64_t len = dfmt_min(nr * block, (r->end - from + 7) / 8);

		memset(buf + len, 0, 8);
		st = dfmt_source_pass(r->src, r->offset + from / 8, buf, len,
			err);
		for (uint64_t i = 0; i < nr && st == DFMT_OK; i++)
			st = block_add(r, built + i, buf + i * block);
		built += nr;
		if (st == DFMT_OK)
			atomic_store(&r->nr_built, built);
	}
	free(buf);
	return st;
}

static enum dfmt_status
build(struct dfmt_rank *r, uint64_t k, struct dfmt_err *err)
{
	if (atomic_load_explicit(&r->nr_built, memory_order_acquire) >= k)
		return DFMT_OK;
	pthread_mutex_lock(&r->lock);
	enum dfmt_status st = build_locked(r, k, err);
	pthread_mutex_unlock(&r->lock);
	return st;
}

enum dfmt_status
dfmt_rank_find(struct dfmt_rank *r, uint64_t bit, bool *set_out,
	uint64_t *rank_out, struct dfmt_err *err)
{
	uint64_t k = (bit - r->base) >> r->shift;
	uint64_t from = k ? r->base + (k << r->shift) : r->first & ~7ull;
	uint64_t before = 0, skipped = 0;
	uint8_t byte;
	enum dfmt_status st =
		dfmt_source_read(r->src, r->offset + bit / 8, &byte, 1, err);

	if (st != DFMT_OK)
		return st;
	bool set = byte >> bit % 8 & 1;
	if (set) {
		st = build(r, k, err);
		if (st == DFMT_OK)
			st = count_bits(r, from, bit, false, &before, err);
		if (st == DFMT_OK && k == 0)
			st = count_bits(r, from, r->first, false, &skipped,
				err);
		if (st != DFMT_OK)
			return st;
	}
	*set_out = set;
	*rank_out = r->counts[k] + before - skipped;
	return DFMT_OK;
}

enum dfmt_status
dfmt_rank_total(struct dfmt_rank *r, uint64_t *total_out, struct dfmt_err *err)
{
	uint64_t k = r->nr_blocks - 1;
	uint64_t from = r->base + (k << r->shift);
	uint64_t tail = 0, skipped = 0;
	enum dfmt_status st = build(r, k, err);

	if (st == DFMT_OK && from < r->end)
		st = count_bits(r, from, r->end, true, &tail, err);
	if (st == DFMT_OK && k == 0)
		st = count_bits(r, from, r->first, true, &skipped, err);
	if (st == DFMT_OK)
		*total_out = r->counts[k] + tail - skipped;
	return st;
}
