/* SPDX-License-Identifier: MIT */
/* Flattened files: any order, any overlap, against a model that rewrites. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dfmt-impl.h"

#include <stdlib.h>
#include <string.h>

#define SIZE 20000
#define FLAT_MAX (4096 + 300 * (16 + 2000))

struct model {
	uint8_t flat[FLAT_MAX];
	size_t len;
	uint8_t bytes[SIZE];
	bool there[SIZE];
	uint64_t seed;
};

static uint64_t
random_below(struct model *m, uint64_t n)
{
	m->seed = m->seed * 6364136223846793005u + 1442695040888963407u;
	return (m->seed >> 33) % n;
}

static void
put_be64(uint8_t *p, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> 8 * (7 - i));
}

static void
begin(struct model *m)
{
	uint64_t seed = m->seed;

	memset(m, 0, sizeof(*m));
	m->seed = seed;
	memcpy(m->flat, "makedumpfile", 12);
	m->flat[23] = m->flat[31] = 1;
	m->len = 4096;
}

static void
record(struct model *m, size_t off, size_t len)
{
	put_be64(m->flat + m->len, off);
	put_be64(m->flat + m->len + 8, len);
	m->len += 16;
	for (size_t i = 0; i < len; i++) {
		uint8_t byte = (uint8_t)random_below(m, 256);

		m->flat[m->len++] = byte;
		m->bytes[off + i] = byte;
		m->there[off + i] = true;
	}
}

static void
end(struct model *m)
{
	put_be64(m->flat + m->len, UINT64_MAX);
	put_be64(m->flat + m->len + 8, UINT64_MAX);
	m->len += 16;
}

static struct dfmt_source *
open_flat(const struct model *m, size_t len)
{
	struct dfmt_source *base, *src = NULL;

	assert_int_equal(dfmt_source_open_memory(m->flat, len, &base, NULL),
		DFMT_OK);
	assert_int_equal(dfmt_flattened_open(base, &src, NULL), DFMT_OK);
	return src;
}

static void
check_reads(struct model *m, struct dfmt_source *src)
{
	uint8_t out[SIZE];
	size_t got;

	for (int i = 0; i < 400; i++) {
		size_t off = random_below(m, SIZE);
		size_t len = random_below(m, SIZE - off) + 1;
		bool there = true;

		if (i % 2 && len > 50)
			len = 50;
		for (size_t k = off; k < off + len; k++)
			there = there && m->there[k];
		enum dfmt_status st =
			dfmt_source_read(src, off, out, len, NULL);
		assert_int_equal(st, there ? DFMT_OK : DFMT_E_LOST);
		if (there)
			assert_memory_equal(out, m->bytes + off, len);
		const void *p = dfmt_source_view(src, off, len, &got);
		assert_int_equal(p != NULL, m->there[off]);
		if (p)
			assert_memory_equal(p, m->bytes + off, got);
	}
}

static void
test_flattened_later_records_win(void **state)
{
	struct model *m = calloc(1, sizeof(*m));

	(void)state;
	assert_non_null(m);
	for (int round = 0; round < 60; round++) {
		m->seed += (uint64_t)round;
		begin(m);
		size_t nr = random_below(m, 200) + 1;
		for (size_t i = 0; i < nr; i++) {
			size_t off = random_below(m, SIZE - 2000);

			/* Some rounds of small records, some of large. */
			record(m, off,
				random_below(m, round % 2 ? 1999 : 40) + 1);
		}
		end(m);
		struct dfmt_source *src = open_flat(m, m->len);
		assert_false(src->cut);
		check_reads(m, src);
		dfmt_source_destroy(src);
	}
	free(m);
}

static void
test_flattened_in_order_needs_no_sorting(void **state)
{
	struct model *m = calloc(1, sizeof(*m));

	(void)state;
	assert_non_null(m);
	begin(m);
	for (size_t off = 0; off < SIZE; off += 100)
		record(m, off, 100);
	end(m);
	struct dfmt_source *src = open_flat(m, m->len);
	assert_int_equal(src->size, SIZE);
	check_reads(m, src);
	dfmt_source_destroy(src);
	free(m);
}

/* Cut anywhere: what came before is there, and it is known to be cut. */
static void
test_flattened_cut_anywhere_opens(void **state)
{
	struct model *m = calloc(1, sizeof(*m));
	uint8_t out[100];

	(void)state;
	assert_non_null(m);
	begin(m);
	for (size_t i = 0; i < 5; i++)
		record(m, i * 100, 100);
	end(m);
	for (size_t len = 4096; len <= m->len; len++) {
		struct dfmt_source *src = open_flat(m, len);

		assert_int_equal(src->cut, len < m->len);
		for (size_t i = 0; i < 5; i++) {
			bool whole = len >= 4096 + (i + 1) * 116;
			enum dfmt_status st =
				dfmt_source_read(src, i * 100, out, 100, NULL);

			assert_int_equal(st, whole ? DFMT_OK : DFMT_E_LOST);
			if (whole)
				assert_memory_equal(out, m->bytes + i * 100,
					100);
		}
		dfmt_source_destroy(src);
	}
	free(m);
}

static enum dfmt_status
open_status(const struct model *m, size_t len, struct dfmt_err *err)
{
	struct dfmt_source *base, *src = NULL;

	assert_int_equal(dfmt_source_open_memory(m->flat, len, &base, NULL),
		DFMT_OK);
	enum dfmt_status st = dfmt_flattened_open(base, &src, err);
	dfmt_source_destroy(st == DFMT_OK ? src : base);
	return st;
}

static void
test_flattened_wild_records_are_malformed(void **state)
{
	static const uint64_t wild[] = { UINT64_MAX - 1, INT64_MAX,
		(uint64_t)INT64_MIN };
	struct model *m = calloc(1, sizeof(*m));
	struct dfmt_err err;

	(void)state;
	assert_non_null(m);
	begin(m);
	record(m, 0, 100);
	end(m);
	for (size_t i = 0; i < 3; i++) {
		put_be64(m->flat + 4096, wild[i]);
		put_be64(m->flat + 4104, 100);
		assert_int_equal(open_status(m, m->len, &err),
			DFMT_E_MALFORMED);
		assert_int_equal(err.offset, 4096);
	}
	put_be64(m->flat + 4096, 0);
	put_be64(m->flat + 4104, UINT64_MAX);
	assert_int_equal(open_status(m, m->len, &err), DFMT_E_MALFORMED);
	/* Longer than the file: cut. */
	put_be64(m->flat + 4104, INT64_MAX);
	assert_int_equal(open_status(m, m->len, &err), DFMT_OK);
	m->flat[31] = 2;
	assert_int_equal(open_status(m, m->len, &err), DFMT_E_UNSUPPORTED);
	m->flat[31] = 1;
	assert_int_equal(open_status(m, 4095, &err), DFMT_E_LOST);
	m->flat[0] = 'M';
	assert_int_equal(open_status(m, m->len, &err), DFMT_E_FORMAT);
	free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flattened_later_records_win),
		cmocka_unit_test(test_flattened_in_order_needs_no_sorting),
		cmocka_unit_test(test_flattened_cut_anywhere_opens),
		cmocka_unit_test(test_flattened_wild_records_are_malformed),
	};

	return cmocka_run_group_tests_name("flattened", tests, NULL, NULL);
}
