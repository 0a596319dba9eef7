/* SPDX-License-Identifier: MIT */
/*
 * Native dumps that are damaged: what is read of them is right, whatever else
 * there is.
 */
#include "native_damage.h"

#include <pthread.h>

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

static void *
reader(void *arg)
{
	const struct dfmt *d = arg;

	for (int i = 0; i < 3; i++)
		(void)count_right(d);
	return NULL;
}

/* Several find out at once that the index lies; one scans. */
static void
test_damage_of_an_index_met_by_threads(void **state)
{
	struct nb *b = dump_new(3);
	uint8_t *h = segment(b, 8, 0);
	pthread_t threads[4];

	(void)state;
	nb_put(h + 128 + 32, 0, 8);
	fix(h);
	struct dfmt *d = open_nb(b);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, reader, d),
			0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(count_right(d), count_all());
	dfmt_close(d);
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
		assert_true(nr + 9 + 20 >= count_all());
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

/* The header itself: the next one says whose the dump is. */
static void
test_damage_of_the_first_header_loses_no_frame(void **state)
{
	(void)state;
	for (size_t fan = 0; fan <= 3; fan += 3) {
		struct nb *b = dump_new(fan);
		uint8_t byte;

		b->buf[20] ^= 1;
		struct dfmt *d = open_nb(b);
		assert_false(dfmt_native_get(d)->has_triage);
		assert_string_equal(dfmt_native_get(d)->missing,
			"the first segment is damaged: frames are taken to be "
			"of 4 KiB");
		assert_int_equal(dfmt_nr_cpus(d), 2);
		assert_int_equal(dfmt_native_get(d)->panic_cpu, 1);
		assert_int_equal(count_right(d), count_all());
		assert_int_equal(dfmt_read(d, 300 * NB_FRAME, &byte, 1, NULL),
			DFMT_E_EXCLUDED);
		assert_int_equal(dfmt_read(d, 200 * NB_FRAME, &byte, 1, NULL),
			DFMT_E_RANGE);
		dfmt_close(d);
		nb_free(b);
	}
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

/* A writer that stopped between two segments of ranges told only some. */
static void
test_damage_of_ranges_that_were_not_written(void **state)
{
	static const uint64_t some[][3] = { { 0, 64 * NB_FRAME, UINT64_MAX } };
	uint8_t byte;

	(void)state;
	for (uint32_t status = 0; status < 2; status++) {
		for (size_t fan = 0; fan < 2; fan++) {
			struct nb *b = nb_new();

			b->end_pfn = 1000;
			nb_triage(b, NULL);
			nb_range(b, some, 1);
			nb_end(b, status, fan ? 3 : 0);
			struct dfmt *d = open_nb(b);
			assert_int_equal(
				dfmt_read(d, 100 * NB_FRAME, &byte, 1, NULL),
				status ? DFMT_E_LOST : DFMT_E_RANGE);
			dfmt_close(d);
			nb_free(b);
		}
	}
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
		cmocka_unit_test(test_damage_of_an_index_met_by_threads),
		cmocka_unit_test(test_damage_of_roots_makes_a_scan),
		cmocka_unit_test(test_damage_of_any_byte_gives_no_wrong_frame),
		cmocka_unit_test(test_damage_of_a_block_loses_its_frames_only),
		cmocka_unit_test(test_damage_of_tables_leaves_excluded_unsure),
		cmocka_unit_test(test_native_notes_that_tools_added_are_found),
		cmocka_unit_test(test_damage_of_blobs_is_told),
		cmocka_unit_test(test_damage_of_triage_leaves_the_other_items),
		cmocka_unit_test(
			test_damage_of_the_first_header_loses_no_frame),
		cmocka_unit_test(test_damage_of_ranges_makes_no_holes),
		cmocka_unit_test(test_damage_of_ranges_that_were_not_written),
		cmocka_unit_test(test_native_label_without_a_dump_says_so),
	};

	return cmocka_run_group_tests_name("native damage", tests, NULL, NULL);
}
