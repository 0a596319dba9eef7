/* SPDX-License-Identifier: MIT */
/*
 * The reader on what the writer writes: whole dumps, dumps of a writer that
 * was hindered, and dumps over older ones.  Whatever happened, a frame that is
 * read is the machine's.
 */
#include "writer_fixture.h"

#include "dfmt-reader.h"

#include <stdarg.h>

#include <cmocka.h>

#ifdef MDB_TINY
#define SPARSE 11 /* of the lengths and places tried */
#else
#define SPARSE 1
#endif

/* ---- writing ------------------------------------------------------------ */

struct written {
	struct dfmt_writer_result result;
	bool died; /* and was not entered again */
};

/* A file has no label and may be written from its first byte. */
static int
file_write(void *arg, uint64_t offset, const void *buf, size_t len)
{
	struct wfix *f = arg;

	if (wfix_call(f) || offset + len > f->device_len)
		return 1;
	memcpy(f->device + offset, buf, len);
	return 0;
}

static struct written
write_dump(struct wfix *f, struct dfmt_writer_config config, bool reenter)
{
	struct dfmt_writer_facts facts = wfix_facts(f);
	size_t len = dfmt_writer_memory(&config);
	void *memory = aligned_alloc(4096, len);
	struct written wr = { .died = false };

	assert_non_null(memory);
	struct dfmt_writer *w = dfmt_writer_init(&config, memory, len);
	assert_non_null(w);
	if (setjmp(f->panic) == 0) {
		(void)dfmt_writer_run(w, &facts, f->device_len);
	} else {
		f->panic_at = 0;
		wr.died = true;
		if (reenter)
			(void)dfmt_writer_reenter(w, "it died");
	}
	wr.result = *dfmt_writer_result_get(w);
	free(memory);
	return wr;
}

static struct written
write_plain(struct wfix *f, uint32_t flags)
{
	struct dfmt_writer_config config = wfix_config(f);
	struct dfmt_writer_ops ops = wfix_ops;

	config.flags = flags;
	if (flags & DFMT_WRITER_FILE) {
		ops.write = file_write;
		config.ops = &ops;
	}
	return write_dump(f, config, true);
}

/* ---- reading ------------------------------------------------------------ */

static struct dfmt *
open_bytes(const uint8_t *bytes, size_t len)
{
	struct dfmt_options opt = { .cache_bytes = 1u << 20 };
	struct dfmt *d = NULL;

	assert_int_equal(dfmt_open_memory(bytes, len, &opt, &d, NULL), DFMT_OK);
	return d;
}

/* How many frames can be read; all of them are right, the rest is not OK. */
static size_t
check_frames(const struct dfmt *d, const struct wfix *f)
{
	uint8_t got[WFIX_FRAME], want[WFIX_FRAME];
	size_t nr = 0;

	for (uint64_t pfn = 0; pfn < f->nr_frames + 70; pfn++) {
		if (dfmt_read(d, pfn * WFIX_FRAME, got, sizeof(got), NULL) !=
			DFMT_OK)
			continue;
		assert_true(wfix_is_memory(f, pfn));
		wfix_content(f->seed, pfn, want);
		assert_memory_equal(got, want, sizeof(want));
		nr++;
	}
	return nr;
}

/* The runs of frames are those that can be read. */
static void
check_ranges(const struct dfmt *d, const struct wfix *f)
{
	uint64_t at = 0, start, end;
	uint8_t byte;

	while (dfmt_next_range(d, at, &start, &end, NULL) == DFMT_OK) {
		for (; at < start; at += WFIX_FRAME)
			assert_int_not_equal(dfmt_read(d, at, &byte, 1, NULL),
				DFMT_OK);
		for (; at < end; at += WFIX_FRAME)
			assert_int_equal(dfmt_read(d, at, &byte, 1, NULL),
				DFMT_OK);
	}
	for (; at < (f->nr_frames + 70) * WFIX_FRAME; at += WFIX_FRAME)
		assert_int_not_equal(dfmt_read(d, at, &byte, 1, NULL), DFMT_OK);
}

static void
check_facts(const struct dfmt *d)
{
	const struct dfmt_native *n = dfmt_native_get(d);
	const void *p;
	size_t len;

	assert_string_equal(n->reason, "Domain 0 crashed");
	assert_string_equal(n->console, "the console's last words\n");
	assert_int_equal(n->panic_cpu, 1);
	assert_int_equal(n->panic_world, 0);
	assert_int_equal(dfmt_nr_cpus(d), 2);
	assert_true(dfmt_cpu_at(d, 1).panicked);
	assert_int_equal(dfmt_cpu_at(d, 1).rip, 0xff13b83f);
	assert_int_equal(dfmt_nr_worlds(d), 1);
	assert_string_equal(dfmt_world_at(d, 0).name, "xpv");
	assert_int_equal(dfmt_nr_frames(d), 2);
	assert_string_equal(dfmt_frame_at(d, 1).text,
		"xpv`dom0_shutdown+0x43()");
	assert_string_equal(dfmt_version_at(d, 0), "xpv=3.0.4-1-sun");
	assert_int_equal(
		dfmt_object_blob(d, 0, DFMT_BLOB_STRTAB, &p, &len, NULL),
		DFMT_OK);
	assert_memory_equal(p, "names\0of\0things", 16);
	assert_int_equal(dfmt_nr_ranges(d), 2);
}

static void
check_whole(const struct dfmt *d, const struct wfix *f,
	const struct dfmt_writer_result *r)
{
	const struct dfmt_native *n = dfmt_native_get(d);
	struct dfmt_coverage cov;

	assert_null(n->missing);
	assert_true(n->has_end && n->triage_whole);
	assert_memory_equal(n->dump_id, r->dump_id, 16);
	assert_int_equal(n->base, r->dump_start);
	assert_int_equal(n->dump_len, r->dump_len);
	assert_int_equal(check_frames(d, f), f->nr_frames - r->nr_lost);
	assert_int_equal(dfmt_coverage_get(d, &cov, NULL), DFMT_OK);
	assert_int_equal(cov.nr_present, f->nr_frames - r->nr_lost);
	assert_int_equal(cov.nr_lost, r->nr_lost);
	assert_int_equal(cov.nr_excluded, 0);
	check_ranges(d, f);
	check_facts(d);
}

/* Takes the end record's copy away: as if the writer had died. */
static void
anchor_wipe(struct wfix *f)
{
	memset(f->device + f->device_len - DFMT_ANCHOR_FROM_END, 0,
		DFMT_END_LEN);
}

/* ---- tests -------------------------------------------------------------- */

static void
test_native_device_comes_back_whole(void **state)
{
	struct wfix f;

	(void)state;
	wfix_init(&f, 3000, 16u << 20);
	f.lost_every = 301;
	struct written wr = write_plain(&f, 0);
	assert_int_equal(wr.result.status, DFMT_W_COMPLETE);
	struct dfmt *d = open_bytes(f.device, f.device_len);
	assert_true(dfmt_native_get(d)->indexed);
	assert_true(dfmt_native_get(d)->labelled);
	check_whole(d, &f, &wr.result);
	dfmt_close(d);
	/* The same by a scan, which finds the end record itself. */
	anchor_wipe(&f);
	d = open_bytes(f.device, f.device_len);
	assert_false(dfmt_native_get(d)->indexed);
	check_whole(d, &f, &wr.result);
	dfmt_close(d);
	wfix_fini(&f);
}

static void
test_native_file_comes_back_whole(void **state)
{
	struct wfix f;

	(void)state;
	wfix_init(&f, 500, 8u << 20);
	struct written wr = write_plain(&f, DFMT_WRITER_FILE);
	assert_int_equal(wr.result.status, DFMT_W_COMPLETE);
	struct dfmt *d = open_bytes(f.device, wr.result.dump_len);
	assert_true(dfmt_native_get(d)->indexed);
	assert_false(dfmt_native_get(d)->labelled);
	check_whole(d, &f, &wr.result);
	dfmt_close(d);
	wfix_fini(&f);
}

static void
test_native_classes_left_out_are_excluded(void **state)
{
	struct wfix f;
	uint8_t byte;

	(void)state;
	wfix_init(&f, 400, 8u << 20);
	struct dfmt_writer_config config = wfix_config(&f);
	config.content = 1u << DFMT_CLASS_FIRST | 1u << DFMT_CLASS_HYPERVISOR;
	write_dump(&f, config, true);
	struct dfmt *d = open_bytes(f.device, f.device_len);
	for (uint64_t pfn = 0; pfn < 464; pfn++) {
		bool first = pfn == 5 || pfn == 6 || pfn == 37;
		enum dfmt_status st =
			dfmt_read(d, pfn * WFIX_FRAME, &byte, 1, NULL);

		if (!wfix_is_memory(&f, pfn))
			assert_int_equal(st, DFMT_E_RANGE);
		else if (first || wfix_class(pfn) == DFMT_CLASS_HYPERVISOR)
			assert_int_equal(st, DFMT_OK);
		else
			assert_int_equal(st, DFMT_E_EXCLUDED);
	}
	dfmt_close(d);
	wfix_fini(&f);
}

/* Meta segments and the end are short: each sector of theirs is tried. */
static uint64_t
refused_step(uint64_t at)
{
	return (at >= 60000 && at < 72000) || (at >= 250000 && at < 270000)
		       ? 512
		       : 9 * 512 * SPARSE;
}

/* Every place of the device fails in turn, in the middle of a write too. */
static void
test_native_device_that_refuses_places_loses_nothing(void **state)
{
	(void)state;
	for (uint64_t at = 4096; at < 400000; at += refused_step(at)) {
		struct wfix f;

		wfix_init(&f, 120, 2u << 20);
		f.bad_first = at;
		f.bad_end = at + 512;
		struct written wr = write_plain(&f, 0);
		assert_int_equal(wr.result.status, DFMT_W_COMPLETE);
		for (int i = 0; i < 2; i++) {
			struct dfmt *d = open_bytes(f.device, f.device_len);

			check_whole(d, &f, &wr.result);
			dfmt_close(d);
			anchor_wipe(&f);
		}
		wfix_fini(&f);
	}
}

static void
test_native_dump_of_a_writer_that_died_is_right(void **state)
{
	bool died = true;

	(void)state;
	for (unsigned long at = 1; died; at += 3 * SPARSE) {
		for (int reenter = 0; reenter < 2; reenter++) {
			struct wfix f;

			wfix_init(&f, 100, 2u << 20);
			f.panic_at = at;
			struct dfmt_writer_config config = wfix_config(&f);
			struct written wr = write_dump(&f, config, reenter);
			struct dfmt *d = open_bytes(f.device, f.device_len);
			const struct dfmt_native *n = dfmt_native_get(d);

			(void)check_frames(d, &f);
			check_ranges(d, &f);
			assert_true(n->missing || n->has_end);
			/* It may have been over but for the last word. */
			if (wr.result.ended && wr.died && reenter)
				assert_int_equal(n->end_status,
					DFMT_END_SECOND_PANIC);
			died = wr.died;
			dfmt_close(d);
			wfix_fini(&f);
		}
	}
}

static void
test_native_range_that_is_too_small_holds_what_it_can(void **state)
{
	(void)state;
	for (uint64_t len = 1u << 20; len < 3u << 20; len += 13 * 4096) {
		struct wfix f;

		wfix_init(&f, 2000, len);
		struct written wr = write_plain(&f, 0);
		bool full = wr.result.status == DFMT_W_FULL;
		struct dfmt *d = open_bytes(f.device, f.device_len);
		assert_int_equal(check_frames(d, &f),
			wr.result.nr_data + wr.result.nr_fill +
				wr.result.nr_repeat);
		check_ranges(d, &f);
		check_facts(d);
		assert_true(full == (dfmt_native_get(d)->missing != NULL));
		dfmt_close(d);
		wfix_fini(&f);
	}
}

/* ---- over an older dump ------------------------------------------------- */

/* A big dump of one machine, then a smaller one of another over it. */
static void
over_older(uint64_t bad_first, uint64_t bad_end, unsigned long panic_at)
{
	struct wfix f;

	wfix_init(&f, 1500, 6u << 20);
	assert_int_equal(write_plain(&f, 0).result.status, DFMT_W_COMPLETE);
	f.seed = 4711;
	f.nr_frames = 300;
	f.bad_first = bad_first;
	f.bad_end = bad_end;
	f.panic_at = panic_at ? f.nr_calls + panic_at : 0;
	struct dfmt_writer_config config = wfix_config(&f);
	config.flags = DFMT_WRITER_OVERWRITE;
	config.seed[0] = 77;
	struct written wr = write_dump(&f, config, false);
	struct dfmt *d = open_bytes(f.device, f.device_len);
	if (!wr.died)
		check_whole(d, &f, &wr.result);
	else if (dfmt_native_get(d)->generation == 2)
		(void)check_frames(d, &f);
	dfmt_close(d);
	if (!wr.died) {
		anchor_wipe(&f);
		d = open_bytes(f.device, f.device_len);
		check_whole(d, &f, &wr.result);
		dfmt_close(d);
	}
	wfix_fini(&f);
}

static void
test_native_older_dump_never_shows(void **state)
{
	(void)state;
	over_older(0, 0, 0);
	/* The first slot, the first two: the older triage record stays. */
	over_older(4096, 4608, 0);
	over_older(4096 + 512, 4096 + 61440 + 512, 0);
	for (unsigned long at = 10; at < 700; at += 17 * SPARSE) {
		over_older(0, 0, at);
		over_older(4096, 4608, at);
	}
}

/* ---- cut ---------------------------------------------------------------- */

#define CUT_FRAMES 96

struct cut {
	struct wfix f;
	size_t len;
	bool readable[CUT_FRAMES + 70];
	size_t nr_readable;
};

static void
cut_init(struct cut *c, uint32_t flags)
{
	memset(c, 0, sizeof(*c));
	wfix_init(&c->f, CUT_FRAMES, 2u << 20);
	struct written wr = write_plain(&c->f, flags);
	assert_int_equal(wr.result.status, DFMT_W_COMPLETE);
	c->len = wr.result.dump_start + wr.result.dump_len;
}

/* What can be read is right, and no less than in a shorter piece. */
static void
cut_read(struct cut *c, const struct dfmt *d)
{
	uint8_t got[WFIX_FRAME], want[WFIX_FRAME];

	for (uint64_t pfn = 0; pfn < CUT_FRAMES + 70; pfn++) {
		enum dfmt_status st =
			dfmt_read(d, pfn * WFIX_FRAME, got, sizeof(got), NULL);

		if (st != DFMT_OK) {
			assert_false(c->readable[pfn]);
			continue;
		}
		assert_true(wfix_is_memory(&c->f, pfn));
		wfix_content(c->f.seed, pfn, want);
		assert_memory_equal(got, want, sizeof(want));
		c->nr_readable += !c->readable[pfn];
		c->readable[pfn] = true;
	}
}

static struct dfmt *
cut_open(const struct cut *c, size_t len)
{
	struct dfmt_options opt = { .cache_bytes = 1u << 16 };
	struct dfmt_err err = { .what = NULL };
	struct dfmt *d = NULL;
	enum dfmt_status st =
		dfmt_open_memory(c->f.device, len, &opt, &d, &err);

	if (len < 8) {
		assert_int_equal(st, DFMT_E_FORMAT);
		assert_non_null(err.what);
		return NULL;
	}
	assert_int_equal(st, DFMT_OK);
	assert_true(dfmt_native_get(d)->dump_len <= len);
	if (len < c->len)
		assert_non_null(dfmt_native_get(d)->missing);
	return d;
}

/* Does a segment begin near here, or is it time to look anyway? */
static bool
cut_looks(const struct cut *c, size_t len)
{
	size_t near = len / 512 * 512;

	if (len % 509 == 0)
		return true;
	for (size_t at = near; at <= near + 512; at += 512) {
		if ((len > at ? len - at : at - len) <= 2 && at + 8 < c->len &&
			memcmp(c->f.device + at, DFMT_SEG_MAGIC, 8) == 0)
			return true;
	}
	return false;
}

static void
cut_everywhere(uint32_t flags)
{
	struct cut c;
	size_t end;

	cut_init(&c, flags);
	end = c.len < 128u << 10 ? c.len : 128u << 10;
	for (size_t len = 0; len <= c.len; len++) {
		/* Every byte at first, then where it matters. */
		bool looks = cut_looks(&c, len) || len == c.len;

		if (!looks && (len > end || len % SPARSE))
			continue;
		struct dfmt *d = cut_open(&c, len);
		if (d && looks)
			cut_read(&c, d);
		dfmt_close(d);
	}
	assert_int_equal(c.nr_readable, CUT_FRAMES);
	wfix_fini(&c.f);
}

static void
test_native_dump_cut_at_each_byte_is_survived(void **state)
{
	(void)state;
	cut_everywhere(0);
	cut_everywhere(DFMT_WRITER_FILE);
}

static void
test_native_dump_cut_at_random_is_right(void **state)
{
	struct wfix f;
	uint64_t random = 1;

	(void)state;
	wfix_init(&f, 1500, 8u << 20);
	struct written wr = write_plain(&f, DFMT_WRITER_FILE);
	for (int i = 0; i < 2000 / SPARSE; i++) {
		size_t len = 8 + wfix_next(&random) % (wr.result.dump_len - 8);
		struct dfmt *d = open_bytes(f.device, len);
		uint8_t got[WFIX_FRAME], want[WFIX_FRAME];

		for (int k = 0; k < 40; k++) {
			uint64_t pfn = wfix_next(&random) % 1564;

			if (dfmt_read(d, pfn * WFIX_FRAME, got, WFIX_FRAME,
				    NULL) != DFMT_OK)
				continue;
			wfix_content(f.seed, pfn, want);
			assert_memory_equal(got, want, WFIX_FRAME);
		}
		if (i % 100 == 0)
			check_ranges(d, &f);
		dfmt_close(d);
	}
	wfix_fini(&f);
}

/* Frames of 64 KiB, each of its number over and over. */
static int
long_read(void *arg, uint64_t pfn, void *buf)
{
	uint64_t *words = buf;

	(void)arg;
	for (size_t i = 0; i < 65536 / 8; i++)
		words[i] = pfn;
	return 0;
}

static size_t
long_count(const struct dfmt *d)
{
	size_t nr = 0;

	for (uint64_t pfn = 0; pfn < 200; pfn++) {
		uint64_t word;

		if (dfmt_read(d, pfn << 16, &word, 8, NULL) != DFMT_OK)
			continue;
		assert_int_equal(word, pfn);
		nr++;
	}
	return nr;
}

/* Only the triage record says how long frames are; the end lets it be known. */
static void
test_native_long_frames_without_their_length(void **state)
{
	struct dfmt_writer_ops ops = wfix_ops;
	struct wfix f;
	struct dfmt *d;

	(void)state;
	wfix_init(&f, 200, 8u << 20);
	ops.write = file_write;
	ops.read_frame = long_read;

	struct dfmt_writer_config config = wfix_config(&f);

	config.ops = &ops;
	config.flags = DFMT_WRITER_FILE;
	config.page_shift = 16;
	struct written wr = write_dump(&f, config, true);

	assert_int_equal(wr.result.status, DFMT_W_COMPLETE);
	size_t len = wr.result.dump_len;
	d = open_bytes(f.device, len);
	size_t whole = long_count(d);
	assert_true(whole > 100);
	dfmt_close(d);
	for (size_t at = 0; at < 2; at++) {
		/* The head's checksum; the header too. */
		f.device[at ? 20 : 130] ^= 1;
		d = open_bytes(f.device, len);
		assert_int_equal(long_count(d), whole);
		dfmt_close(d);
		d = open_bytes(f.device, len - 4096);
		(void)long_count(d);
		dfmt_close(d);
	}
	wfix_fini(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_native_device_comes_back_whole),
		cmocka_unit_test(test_native_file_comes_back_whole),
		cmocka_unit_test(test_native_classes_left_out_are_excluded),
		cmocka_unit_test(
			test_native_device_that_refuses_places_loses_nothing),
		cmocka_unit_test(
			test_native_dump_of_a_writer_that_died_is_right),
		cmocka_unit_test(
			test_native_range_that_is_too_small_holds_what_it_can),
		cmocka_unit_test(test_native_older_dump_never_shows),
		cmocka_unit_test(test_native_dump_cut_at_each_byte_is_survived),
		cmocka_unit_test(test_native_dump_cut_at_random_is_right),
		cmocka_unit_test(test_native_long_frames_without_their_length),
	};

	return cmocka_run_group_tests_name("native writer", tests, NULL, NULL);
}
