/* SPDX-License-Identifier: MIT */
/*
 * Native dumps with checksums that are right and fields that lie, and such of a
 * later version.
 */
#include "native_damage.h"

#include <zstd.h>

/* ---- fields ------------------------------------------------------------- */

/* Each field of a segment at its worst, with checksums that are right. */
static void
break_segment(struct nb *b, uint8_t *h, size_t from, size_t to)
{
	static const uint64_t values[] = { 0, 1, 0x1000, INT64_MAX, UINT64_MAX,
		0x80000000, 0x10000000, 0xfffffff };
	uint8_t kept[8];

	for (size_t at = from; at < to; at += 4) {
		for (size_t v = 0; v < 16; v += SPARSE) {
			int len = v % 2 ? 8 : 4;

			memcpy(kept, h + at, 8);
			nb_put(h + at, values[v / 2], len);
			fix(h);
			struct dfmt *d = NULL;
			if (dfmt_open_memory(b->buf, b->len, NULL, &d, NULL) ==
				DFMT_OK) {
				uint8_t page[NB_FRAME];
				uint64_t s, e, a = 0;

				for (uint64_t p = 0; p < NM_END;
					p += 3 * SPARSE)
					(void)dfmt_read(d, p * NB_FRAME, page,
						NB_FRAME, NULL);
				for (int i = 0;
					i < 9 && dfmt_next_range(d, a, &s, &e,
							 NULL) == DFMT_OK;
					i++)
					a = e;
			}
			dfmt_close(d);
			memcpy(h + at, kept, 8);
		}
	}
	fix(h);
}

static void
test_damage_of_each_field_is_survived(void **state)
{
	static const uint32_t types[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct nb *b = dump_new(3);
		uint8_t *h = segment(b, types[i], 0);

		/* A length that is too long reaches over the buffer's end. */
		nb_room(b, 4096);
		b->len -= 4096;
		break_segment(b, h, 80, 84);
		break_segment(b, h, 128, types[i] == 9 ? 128 + 300 : 128 + 160);
		nb_free(b);
	}
}

/* A header's lengths, its payload left alone. */
static void
test_damage_of_lengths_is_survived(void **state)
{
	static const size_t fields[] = { 10, 32, 40, 48, 56, 64, 72 };
	static const uint64_t values[] = { 0, 1, 127, 129, 511, 512, 1u << 24,
		(1u << 24) + 512, UINT32_MAX, INT64_MAX, UINT64_MAX };

	(void)state;
	for (size_t f = 0; f < sizeof(fields) / sizeof(fields[0]); f++) {
		for (size_t v = 0; v < sizeof(values) / sizeof(values[0]);
			v++) {
			struct nb *b = dump_new(f % 2 ? 3 : 0);
			uint8_t *h = segment(b, 7, 5);

			nb_put(h + fields[f], values[v],
				fields[f] == 10	  ? 2
				: fields[f] == 72 ? 4
						  : 8);
			nb_header_fix(h);
			(void)count_dump(b);
			nb_free(b);
		}
	}
}

/* ---- lies of pages ------------------------------------------------------ */

static void
put_frames(struct nb *b, const struct nb_frame *f, size_t nr)
{
	b->nr_frames = 64;
	b->end_pfn = 64;
	nb_triage(b, NULL);
	nb_pages(b, 5, f, nr);
	nb_end(b, 0, 100);
}

static void
check_read(const struct nb *b, uint64_t pfn, enum dfmt_status want)
{
	struct dfmt *d = open_nb(b);
	uint8_t byte;

	assert_int_equal(dfmt_read(d, pfn * NB_FRAME, &byte, 1, NULL), want);
	dfmt_close(d);
}

static void
test_damage_by_repeats_ends_after_one_step(void **state)
{
	static const uint8_t page[NB_FRAME] = { 1, 2, 3 };
	const struct nb_frame f[] = {
		{ 1, 0, 0, page }, { 2, 2, 1, NULL }, /* right */
		{ 3, 2, 2, NULL },		      /* a repeat of a repeat */
		{ 5, 2, 5, NULL },		      /* of itself */
		{ 7, 2, 60, NULL },		      /* of what is not there */
		{ 9, 2, UINT64_MAX, NULL }, { 11, 3, 0, NULL },
		{ 13, 2, 11, NULL }, /* of what was lost */
		{ 15, 9, 0, NULL },  /* of a kind that is not known */
	};
	struct nb *b = nb_new();

	(void)state;
	memset(b->counts, 0, sizeof(b->counts));
	put_frames(b, f, 8);
	check_read(b, 1, DFMT_OK);
	check_read(b, 2, DFMT_OK);
	check_read(b, 3, DFMT_E_LOST);
	check_read(b, 5, DFMT_E_LOST);
	check_read(b, 7, DFMT_E_LOST);
	check_read(b, 9, DFMT_E_LOST);
	check_read(b, 11, DFMT_E_LOST);
	check_read(b, 13, DFMT_E_LOST);
	check_read(b, 20, DFMT_E_EXCLUDED);
	nb_put(segment(b, 7, 0) + 128 + 64 + 16 + 4, 1 | 9u << 28, 4);
	fix(segment(b, 7, 0));
	check_read(b, 2, DFMT_E_UNSUPPORTED);
	nb_free(b);
}

static void
test_damage_by_blocks_that_lie_is_refused(void **state)
{
	static const struct {
		size_t at;
		uint64_t value;
		int len;
		enum dfmt_status st;
	} lies[] = {
		{ 0, 0, 4, DFMT_OK },
		{ 0, UINT32_MAX, 4, DFMT_E_LOST }, /* off */
		{ 0, 16, 4, DFMT_E_LOST },	   /* overlapping */
		{ 4, UINT32_MAX, 4, DFMT_E_LOST }, /* len */
		{ 4, 0, 4, DFMT_E_LOST },
		{ 8, 1, 4, DFMT_E_LOST },	  /* crc */
		{ 12, 3, 2, DFMT_E_UNSUPPORTED }, /* codec */
		{ 12, 2, 2, DFMT_E_LOST },	  /* another codec */
		{ 14, 0, 2, DFMT_E_LOST },	  /* frames */
		{ 14, 2, 2, DFMT_E_LOST },
		{ 14, 65535, 2, DFMT_E_LOST },
	};
	static const uint8_t page[NB_FRAME] = { 1, 2, 3 };
	const struct nb_frame f[] = { { 1, 0, 0, page } };

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct nb *b = nb_new();

		put_frames(b, f, 1);
		uint8_t *h = segment(b, 7, 0);
		nb_put(h + 128 + 64 + 16 + lies[i].at, lies[i].value,
			lies[i].len);
		fix(h);
		check_read(b, 1, lies[i].st);
		nb_free(b);
	}
}

/* Blocks of 2^40 frames, runs of 2^28, frames beyond any memory. */
static void
test_damage_by_heads_that_lie_is_refused(void **state)
{
	static const struct {
		size_t at;
		uint64_t value;
		int len;
	} lies[] = {
		{ 0, UINT64_MAX, 8 },
		{ 8, UINT64_MAX, 8 },
		{ 8, UINT64_C(1) << 40, 8 },
		{ 16, UINT32_MAX, 4 },
		{ 20, UINT32_MAX, 4 },
		{ 28, 0, 4 },
		{ 32, UINT32_MAX, 4 },
		{ 32, 0, 4 },
		{ 36, 8, 4 },
		{ 40, 0, 4 },
		{ 40, 257, 4 },
		{ 40, UINT32_MAX, 4 },
	};
	static const uint8_t page[NB_FRAME] = { 1, 2, 3 };
	const struct nb_frame f[] = { { 1, 0, 0, page } };

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct nb *b = nb_new();

		put_frames(b, f, 1);
		uint8_t *h = segment(b, 7, 0);
		nb_put(h + 128 + lies[i].at, lies[i].value, lies[i].len);
		fix(h);
		check_read(b, 1, DFMT_E_LOST);
		nb_free(b);
	}
}

/* ---- later versions ----------------------------------------------------- */

static void
test_later_version_of_the_format_is_not_read(void **state)
{
	struct nb *b = dump_new(3);
	struct dfmt_err err;
	struct dfmt *d;

	(void)state;
	nb_put(b->buf + 8, 2, 2);
	nb_header_fix(b->buf);
	assert_int_equal(dfmt_open_memory(b->buf, b->len, NULL, &d, &err),
		DFMT_E_UNSUPPORTED);
	assert_string_equal(err.detail, "version 2");
	nb_free(b);
}

static void
test_later_versions_of_parts_are_passed_over(void **state)
{
	(void)state;
	for (size_t fan = 0; fan <= 3; fan += 3) {
		struct nb *b = dump_new(fan);
		uint8_t *h = segment(b, 7, 5), byte;
		uint64_t pfn = nb_get(h + 128, 8);

		/* Objects become a type that nobody knows. */
		uint8_t *o = segment(b, 5, 0);
		nb_put(o + 12, 77, 2);
		nb_header_fix(o);
		/* Pages whose payload is another one. */
		nb_put(h + 14, 1, 2);
		nb_header_fix(h);
		struct dfmt *d = open_nb(b);
		assert_int_equal(dfmt_nr_objects(d), 0);
		enum dfmt_status st =
			dfmt_read(d, pfn * NB_FRAME, &byte, 1, NULL);
		assert_true(st == DFMT_E_LOST || st == DFMT_E_UNSUPPORTED);
		assert_true(count_right(d) + 9 >= count_all());
		dfmt_close(d);
		nb_free(b);
	}
}

/* A longer header: what is behind it is payload. */
static void
test_later_header_may_be_longer(void **state)
{
	struct nb *b = nb_new();
	static const uint8_t page[NB_FRAME] = { 1, 2, 3 };
	const struct nb_frame f[] = { { 1, 0, 0, page } };

	(void)state;
	put_frames(b, f, 1);
	uint8_t *h = segment(b, 7, 0);
	uint64_t len = nb_get(h + 56, 8);
	assert_true(len + 160 <= 512);
	memmove(h + 160, h + 128, len);
	memset(h + 128, 0xee, 32);
	nb_put(h + 10, 160, 2);
	nb_header_fix(h);
	check_read(b, 1, DFMT_OK);
	nb_free(b);
}

static void
test_native_blocks_of_zstd_are_read(void **state)
{
	static uint8_t page[NB_FRAME] = { 1, 2, 3 };
	const struct nb_frame f[] = { { 1, 0, 0, page } };
	struct nb *b = nb_new();
	uint8_t coded[NB_FRAME];

	(void)state;
	put_frames(b, f, 1);
	uint8_t *h = segment(b, 7, 0), *block = h + 128 + 64 + 16;
	size_t len = ZSTD_compress(coded, sizeof(coded), page, NB_FRAME, 3);
	assert_true(len <= nb_get(block + 4, 4));
	memcpy(h + 128 + nb_get(h + 128 + 32, 4), coded, len);
	nb_put(block + 4, len, 4);
	nb_put(block + 8, nb_crc(coded, len), 4);
	nb_put(block + 12, 2, 2);
	fix(h);
	check_read(b, 1, DFMT_OK);
	nb_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damage_of_each_field_is_survived),
		cmocka_unit_test(test_damage_of_lengths_is_survived),
		cmocka_unit_test(test_damage_by_repeats_ends_after_one_step),
		cmocka_unit_test(test_damage_by_blocks_that_lie_is_refused),
		cmocka_unit_test(test_damage_by_heads_that_lie_is_refused),
		cmocka_unit_test(test_later_version_of_the_format_is_not_read),
		cmocka_unit_test(test_later_versions_of_parts_are_passed_over),
		cmocka_unit_test(test_later_header_may_be_longer),
		cmocka_unit_test(test_native_blocks_of_zstd_are_read),
	};

	return cmocka_run_group_tests_name("native lies", tests, NULL, NULL);
}
