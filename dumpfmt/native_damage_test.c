/* SPDX-License-Identifier: MIT */
/*
 * Native dumps that are damaged, lie, or come from a later version: what is
 * read of them is right, whatever else there is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "native_machine.h"

#include <zstd.h>

#ifdef MDB_TINY
#define STRIDE 1499 /* bytes of a dump between those damaged */
#define SPARSE 5    /* of the values and frames tried */
#else
#define STRIDE 151
#define SPARSE 1
#endif

static struct dfmt *
open_nb(const struct nb *b)
{
	struct dfmt_options opt = { .cache_bytes = 1u << 18 };
	struct dfmt *d = NULL;

	assert_int_equal(dfmt_open_memory(b->buf, b->len, &opt, &d, NULL),
		DFMT_OK);
	return d;
}

/* How many frames can be read, each of them rightly. */
static size_t
count_right(const struct dfmt *d)
{
	uint8_t got[NB_FRAME], want[NB_FRAME];
	size_t nr = 0;

	for (uint64_t pfn = 0; pfn < NM_END; pfn++) {
		size_t len = pfn == NM_LAST_LOW ? 0xc00 : NB_FRAME;

		if (dfmt_read(d, pfn * NB_FRAME, got, len, NULL) != DFMT_OK)
			continue;
		assert_true(nm_bytes(pfn, want));
		assert_memory_equal(got, want, len);
		nr++;
	}
	return nr;
}

static size_t
count_all(void)
{
	size_t nr = 0;

	for (uint64_t pfn = 0; pfn < NM_END; pfn++)
		nr += nm_kind(pfn) < NM_LOST;
	return nr;
}

static size_t
count_dump(const struct nb *b)
{
	struct dfmt *d = open_nb(b);
	size_t nr = count_right(d);

	dfmt_close(d);
	return nr;
}

static uint8_t *
header_at(const struct nb *b, uint64_t off)
{
	return b->buf + b->base + off;
}

/* The header of the i-th segment of a type. */
static uint8_t *
segment(const struct nb *b, uint32_t type, size_t i)
{
	uint64_t off = 0;

	while (off < b->len - b->base) {
		uint8_t *h = header_at(b, off);

		if (nb_get(h + 12, 2) == type && i-- == 0)
			return h;
		off += nb_get(h + 48, 8);
	}
	fail_msg("no such segment");
	return NULL;
}

/* Checksums of payload and header, after a change. */
static void
fix(uint8_t *h)
{
	nb_put(h + 76, nb_crc(h + 128, nb_get(h + 72, 4)), 4);
	nb_header_fix(h);
}

static struct nb *
dump_new(size_t fan)
{
	struct nb *b = nb_new();

	nm_dump(b, 9, fan);
	return b;
}

/* ---- an index that lies ------------------------------------------------- */

static void
test_damage_of_an_index_loses_no_frame(void **state)
{
	static const struct {
		size_t at; /* in an index segment's payload */
		uint64_t value;
		int len;
	} lies[] = {
		{ 0, 7, 4 },			   /* level */
		{ 4, 0, 4 },			   /* no entries */
		{ 4, UINT32_MAX, 4 },		   /* too many */
		{ 8, 6, 4 },			   /* class */
		{ 16, UINT64_MAX, 8 },		   /* first_pfn */
		{ 24, UINT64_MAX, 8 },		   /* last_pfn */
		{ 32, 0, 8 },			   /* the triage record */
		{ 32, UINT64_MAX, 8 },		   /* beyond everything */
		{ 32, 61440, 8 },		   /* the CPUs */
		{ 32 + 32, UINT64_C(1) << 62, 8 }, /* of the second entry */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		for (size_t node = 0; node < 4; node++) {
			struct nb *b = dump_new(3);
			uint8_t *h = segment(b, 8, node);

			nb_put(h + 128 + lies[i].at, lies[i].value,
				lies[i].len);
			fix(h);
			assert_int_equal(count_dump(b), count_all());
			nb_free(b);
		}
	}
}

static void
test_damage_of_an_index_that_leads_to_another_segment(void **state)
{
	struct nb *b = dump_new(3);
	uint8_t *h = segment(b, 8, 0);

	(void)state;
	/* Two entries lead to each other's segments. */
	uint64_t one = nb_get(h + 128 + 16 + 16, 8);
	uint64_t two = nb_get(h + 128 + 48 + 16, 8);
	nb_put(h + 128 + 16 + 16, two, 8);
	nb_put(h + 128 + 48 + 16, one, 8);
	fix(h);
	assert_int_equal(count_dump(b), count_all());
	/* A node leads back to itself. */
	nb_put(h + 128 + 16 + 16, nb_get(h + 40, 8), 8);
	fix(h);
	assert_int_equal(count_dump(b), count_all());
	/* A node whose checksum is wrong, without any other lie. */
	h[130] ^= 1;
	assert_int_equal(count_dump(b), count_all());
	nb_free(b);
}

static void
test_damage_of_roots_makes_a_scan(void **state)
{
	static const struct {
		size_t at;
		uint64_t value;
		int len;
	} lies[] = {
		{ 96, 17, 4 },
		{ 96, UINT32_MAX, 4 },
		{ 232, 99, 4 },
		{ 236, 3, 4 },
		{ 236, 4000, 4 },
		{ 256, UINT64_MAX, 8 },
		{ 256, 61440, 8 },
		{ 240, UINT64_MAX, 8 },
		{ 16, UINT64_MAX, 8 },
		{ 24, UINT64_MAX, 8 },
		{ 32, 0, 8 },
		{ 4, 0, 4 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct nb *b = dump_new(3);
		uint8_t *h = segment(b, 9, 0);

		nb_put(h + 128 + lies[i].at, lies[i].value, lies[i].len);
		fix(h);
		assert_int_equal(count_dump(b), count_all());
		nb_free(b);
	}
}

/* ---- bits --------------------------------------------------------------- */

/* Any byte that is wrong: what is read is right all the same. */
static void
test_damage_of_any_byte_gives_no_wrong_frame(void **state)
{
	struct nb *b = dump_new(3);

	(void)state;
	for (size_t at = 8; at < b->len; at += STRIDE) {
		if (!b->buf[at] && at % 16)
			continue;
		b->buf[at] ^= 0x41;
		size_t nr = count_dump(b);
		/* One segment is lost at the most, and who repeats of it. */
		assert_true(at < 61440 || nr + 9 + 20 >= count_all());
		b->buf[at] ^= 0x41;
	}
	nb_free(b);
}

static void
test_damage_of_a_block_loses_its_frames_only(void **state)
{
	struct nb *b = dump_new(100);
	uint8_t *h = segment(b, 7, 3);
	uint64_t data = nb_get(h + 128 + 32, 4);
	struct dfmt_err err;
	uint8_t byte;

	(void)state;
	h[128 + data + 20] ^= 1;
	struct dfmt *d = open_nb(b);
	size_t nr = count_right(d);
	assert_true(nr < count_all() && nr + 8 >= count_all());
	uint64_t pfn = nb_get(h + 128, 8);
	assert_int_equal(dfmt_read(d, pfn * NB_FRAME, &byte, 1, &err),
		DFMT_E_LOST);
	assert_string_equal(err.what, "a block's checksum is wrong");
	/* What was left out is still known to be. */
	assert_int_equal(dfmt_read(d, 300 * NB_FRAME, &byte, 1, NULL),
		DFMT_E_EXCLUDED);
	dfmt_close(d);
	nb_free(b);
}

static void
test_damage_of_tables_leaves_excluded_unsure(void **state)
{
	(void)state;
	for (size_t fan = 0; fan <= 100; fan += 100) {
		struct nb *b = dump_new(fan);
		uint8_t *h = segment(b, 7, 10), byte;
		struct dfmt *d;

		h[128 + 64 + 3] ^= 1;
		d = open_nb(b);
		assert_true(count_right(d) + 9 >= count_all());
		if (!fan) {
			assert_non_null(dfmt_native_get(d)->missing);
			assert_int_equal(
				dfmt_read(d, 300 * NB_FRAME, &byte, 1, NULL),
				DFMT_E_LOST);
		}
		dfmt_close(d);
		nb_free(b);
	}
}

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

/* ---- what is around pages ----------------------------------------------- */

/* A tool adds notes behind the end, and again. */
static void
append_notes(struct nb *b, const char *name, uint64_t *first)
{
	uint8_t note[64] = { 0 }, p[1000];
	size_t len = strlen(name) + 1;

	memcpy(p, segment(b, 9, 0) + 128, sizeof(p));
	nb_put(note, len, 4);
	nb_put(note + 8, 1234, 4);
	memcpy(note + 12, name, len);
	uint64_t meta = b->meta_end;
	nb_blob(b, 0xffffffff, 16, note, 12 + (len + 3) / 4 * 4, 1000, false);
	b->meta_end = meta;
	if (!*first)
		*first = b->last_off;
	nb_put(p + 24, *first, 8);
	nb_put(p + 8, b->seq, 8);
	nb_put(p + 32, b->len - b->base + 4096, 8);
	nb_seg(b, 9, p, sizeof(p), sizeof(p), 4096);
}

static void
test_native_notes_that_tools_added_are_found(void **state)
{
	(void)state;
	for (size_t fan = 0; fan <= 3; fan += 3) {
		struct nb *b = dump_new(fan);
		uint64_t first = 0;

		append_notes(b, "ONE", &first);
		append_notes(b, "TWO", &first);
		struct dfmt *d = open_nb(b);
		assert_int_equal(dfmt_native_get(d)->indexed, fan != 0);
		assert_int_equal(dfmt_nr_notes(d), 3);
		assert_string_equal(dfmt_note_at(d, 1).name, "ONE");
		assert_string_equal(dfmt_note_at(d, 2).name, "TWO");
		assert_int_equal(count_right(d), count_all());
		dfmt_close(d);
		nb_free(b);
	}
}

static void
test_damage_of_blobs_is_told(void **state)
{
	static const struct {
		size_t at;
		uint64_t value;
	} lies[] = {
		{ 8, UINT64_C(1) << 60 },		   /* total_len */
		{ 8, UINT64_MAX }, { 8, 2401 }, { 16, 1 }, /* piece_off */
	};
	const void *p;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct nb *b = dump_new(3);
		uint8_t *h = segment(b, 6, 0);

		nb_put(h + 128 + lies[i].at, lies[i].value, 8);
		fix(h);
		struct dfmt *d = open_nb(b);
		assert_int_equal(dfmt_object_blob(d, 0, 1, &p, &len, NULL),
			DFMT_E_LOST);
		dfmt_close(d);
		nb_free(b);
	}
	/* A piece whose bytes are damaged, one that is too long expanded. */
	struct nb *b = dump_new(3);
	segment(b, 6, 1)[170] ^= 1;
	struct dfmt *d = open_nb(b);
	assert_int_equal(dfmt_object_blob(d, 0, 1, &p, &len, NULL),
		DFMT_E_LOST);
	dfmt_close(d);
	segment(b, 6, 1)[170] ^= 1;
	nb_put(segment(b, 6, 1) + 64, UINT64_C(1) << 40, 8);
	nb_header_fix(segment(b, 6, 1));
	d = open_nb(b);
	assert_int_equal(dfmt_object_blob(d, 0, 1, &p, &len, NULL),
		DFMT_E_LOST);
	assert_non_null(dfmt_native_get(d)->missing);
	dfmt_close(d);
	nb_free(b);
}

static void
test_damage_of_triage_leaves_the_other_items(void **state)
{
	struct nb *b = dump_new(3);

	(void)state;
	/* A byte of the reason; then of the head. */
	b->buf[128 + 128 + 16 + 3] ^= 1;
	struct dfmt *d = open_nb(b);
	assert_false(dfmt_native_get(d)->triage_whole);
	assert_null(dfmt_native_get(d)->reason);
	assert_non_null(dfmt_native_get(d)->missing);
	assert_int_equal(dfmt_nr_versions(d), 2);
	assert_int_equal(count_right(d), count_all());
	dfmt_close(d);
	b->buf[128 + 128 + 16 + 3] ^= 1;
	b->buf[128 + 50] ^= 1;
	d = open_nb(b);
	assert_false(dfmt_native_get(d)->has_triage);
	assert_string_equal(dfmt_native_get(d)->reason, "Fatal: it went wrong");
	assert_int_equal(dfmt_native_get(d)->panic_cpu, 1);
	assert_int_equal(count_right(d), count_all());
	dfmt_close(d);
	nb_free(b);
}

/* Of ranges that are lost nothing is known to be a hole. */
static void
test_damage_of_ranges_makes_no_holes(void **state)
{
	struct nb *b = dump_new(3);
	uint8_t page[NB_FRAME], *h = segment(b, 4, 0);

	(void)state;
	h[128 + 5] ^= 1;
	struct dfmt *d = open_nb(b);
	assert_int_equal(dfmt_nr_ranges(d), 0);
	assert_true(count_right(d) == count_all());
	assert_int_not_equal(dfmt_read(d, 200 * NB_FRAME, page, 1, NULL),
		DFMT_OK);
	assert_int_equal(dfmt_read(d, NM_END * NB_FRAME, page, 1, NULL),
		DFMT_E_RANGE);
	dfmt_close(d);
	nb_free(b);
}

static void
test_native_label_without_a_dump_says_so(void **state)
{
	uint8_t *p = calloc(1, 1u << 20), byte;
	struct dfmt *d;

	(void)state;
	assert_non_null(p);
	nb_label(p, 0, 1u << 20, 1);
	assert_int_equal(dfmt_open_memory(p, 1u << 20, NULL, &d, NULL),
		DFMT_OK);
	assert_true(dfmt_native_get(d)->labelled);
	assert_string_equal(dfmt_native_get(d)->missing,
		"no dump in the labelled range");
	assert_int_equal(dfmt_read(d, 0, &byte, 1, NULL), DFMT_E_LOST);
	dfmt_close(d);
	free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damage_of_an_index_loses_no_frame),
		cmocka_unit_test(
			test_damage_of_an_index_that_leads_to_another_segment),
		cmocka_unit_test(test_damage_of_roots_makes_a_scan),
		cmocka_unit_test(test_damage_of_any_byte_gives_no_wrong_frame),
		cmocka_unit_test(test_damage_of_a_block_loses_its_frames_only),
		cmocka_unit_test(test_damage_of_tables_leaves_excluded_unsure),
		cmocka_unit_test(test_damage_of_each_field_is_survived),
		cmocka_unit_test(test_damage_of_lengths_is_survived),
		cmocka_unit_test(test_damage_by_repeats_ends_after_one_step),
		cmocka_unit_test(test_damage_by_blocks_that_lie_is_refused),
		cmocka_unit_test(test_damage_by_heads_that_lie_is_refused),
		cmocka_unit_test(test_later_version_of_the_format_is_not_read),
		cmocka_unit_test(test_later_versions_of_parts_are_passed_over),
		cmocka_unit_test(test_later_header_may_be_longer),
		cmocka_unit_test(test_native_blocks_of_zstd_are_read),
		cmocka_unit_test(test_native_notes_that_tools_added_are_found),
		cmocka_unit_test(test_damage_of_blobs_is_told),
		cmocka_unit_test(test_damage_of_triage_leaves_the_other_items),
		cmocka_unit_test(test_damage_of_ranges_makes_no_holes),
		cmocka_unit_test(test_native_label_without_a_dump_says_so),
	};

	return cmocka_run_group_tests_name("native damage", tests, NULL, NULL);
}
