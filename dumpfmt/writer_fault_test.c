/* SPDX-License-Identifier: MIT */
/*
 * The writer under faults, seen by the reader: whatever fails, the device holds
 * a dump that opens, says why it ended, and tells no frame wrong; and nothing
 * outside the label's range was touched.
 */
#include "dfmt-reader.h"
#include "writer_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Every test is made with a device that writes in one step, and in two. */
static bool two_steps;

/* The writer's memory, and what became of one run. */
struct run {
	struct wfix f;
	void *memory;
	struct dfmt_writer *w;
	struct dfmt_writer_config config;
	struct dfmt_writer_facts facts;
	enum dfmt_writer_status status;
	uint8_t *before; /* the device */
};

/* A device with a margin that is not the label's: 64 KiB behind the range. */
#define MARGIN 65536u

static void
run_init(struct run *r, uint64_t nr_frames, uint64_t range_len)
{
	memset(r, 0, sizeof(*r));
	wfix_init(&r->f, nr_frames, range_len + MARGIN);
	memset(r->f.device + range_len - DFMT_LABEL_LEN, 0xa5,
		MARGIN + DFMT_LABEL_LEN);
	wfix_label(&r->f, range_len);
	r->config = wfix_config(&r->f);
	if (two_steps)
		r->config.ops = &wfix_ops_two_steps;
	r->facts = wfix_facts(&r->f);
}

static void
run_start(struct run *r)
{
	size_t len = dfmt_writer_memory(&r->config);

	r->before = malloc(r->f.device_len);
	r->memory = aligned_alloc(4096, len);
	assert_non_null(r->before);
	memcpy(r->before, r->f.device, r->f.device_len);
	r->w = dfmt_writer_init(&r->config, r->memory, len);
	assert_non_null(r->w);
}

static void
run_whole(struct run *r)
{
	run_start(r);
	r->status = dfmt_writer_run(r->w, &r->facts, r->f.device_len);
}

static void
run_fini(struct run *r)
{
	free(r->memory);
	free(r->before);
	wfix_fini(&r->f);
}

/* Byte for byte: labels and what lies behind the range. */
static void
check_untouched(const struct run *r)
{
	uint64_t end = r->f.range_end - DFMT_LABEL_LEN;

	assert_false(r->f.outside);
	assert_false(r->f.changed);
	assert_memory_equal(r->before, r->f.device, DFMT_LABEL_LEN);
	assert_memory_equal(r->before + end, r->f.device + end,
		r->f.device_len - end);
}

/* What the reader says of each frame is right; how many it has. */
static uint64_t
check_frames(const struct run *r, const struct dfmt *d)
{
	uint8_t want[WFIX_FRAME], got[WFIX_FRAME];
	uint64_t nr = 0;

	for (uint64_t pfn = 0; pfn < r->f.nr_frames + 70; pfn++) {
		enum dfmt_status st =
			dfmt_read(d, pfn * WFIX_FRAME, got, WFIX_FRAME, NULL);

		if (!wfix_is_memory(&r->f, pfn)) {
			assert_int_not_equal(st, DFMT_OK);
			continue;
		}
		if (st != DFMT_OK) {
			/* Memory that the machine did not tell is no memory. */
			assert_true(st == DFMT_E_LOST ||
				    st == DFMT_E_EXCLUDED ||
				    (r->f.fail_at && st == DFMT_E_RANGE));
			continue;
		}
		wfix_content(r->f.seed, pfn, want);
		assert_memory_equal(got, want, WFIX_FRAME);
		nr++;
	}
	return nr;
}

static struct dfmt *
open_device(const struct run *r)
{
	struct dfmt_err err = { .what = "" };
	struct dfmt *d;

	if (dfmt_open_memory(r->f.device, r->f.range_end, NULL, &d, &err) !=
		DFMT_OK) {
		print_error("%s\n", err.what);
		return NULL;
	}
	return d;
}

static uint64_t
nr_written(const struct run *r)
{
	const struct dfmt_writer_result *res = dfmt_writer_result_get(r->w);

	return res->nr_data + res->nr_fill + res->nr_repeat;
}

/* The dump opens and tells as many frames as the writer says, all right. */
static void
check_dump(const struct run *r)
{
	struct dfmt *d = open_device(r);
	const struct dfmt_native *n;

	check_untouched(r);
	assert_non_null(d);
	n = dfmt_native_get(d);
	assert_non_null(n);
	assert_true(n->has_triage);
	assert_string_equal(n->reason, "Domain 0 crashed");
	assert_int_equal(dfmt_nr_frames(d), 2);
	assert_true(n->has_end);
	assert_int_equal(n->end_status, r->status);
	/* A range that was not told when the ranges were stated hides frames.
	 */
	if (r->f.fail_at)
		assert_true(check_frames(r, d) <= nr_written(r));
	else
		assert_int_equal(check_frames(r, d), nr_written(r));
	dfmt_close(d);
}

static void
test_writer_whole_dump_reads_right(void **state)
{
	struct run r;

	(void)state;
	run_init(&r, 5000, 24u << 20);
	r.f.lost_every = 501;
	run_whole(&r);
	assert_int_equal(r.status, DFMT_W_COMPLETE);
	assert_int_equal(dfmt_writer_result_get(r.w)->nr_lost, 9);
	check_dump(&r);
	run_fini(&r);
}

static void
test_writer_bad_places_are_passed_over(void **state)
{
	uint64_t random = 7;

	(void)state;
	for (int i = 0; i < 60; i++) {
		struct run r;

		run_init(&r, 1500, 8u << 20);
		r.f.bad_first = wfix_next(&random) % (6u << 20);
		r.f.bad_first -= r.f.bad_first % 512;
		if (r.f.bad_first < DFMT_LABEL_LEN)
			r.f.bad_first = DFMT_LABEL_LEN;
		r.f.bad_end =
			r.f.bad_first + 512 + wfix_next(&random) % (256u << 10);
		run_whole(&r);
		assert_int_equal(r.status, DFMT_W_COMPLETE);
		/* Reading fails there too: the reader must not need it. */
		check_dump(&r);
		run_fini(&r);
	}
}

/* From some place on nothing can be written but the anchor. */
static void
test_writer_end_is_at_the_anchor_alone(void **state)
{
	struct run r;

	(void)state;
	run_init(&r, 5000, 24u << 20);
	r.f.bad_first = 2u << 20;
	r.f.bad_end = r.f.range_end - DFMT_ANCHOR_FROM_END;
	run_whole(&r);
	assert_int_equal(r.status, DFMT_W_DEVICE);
	assert_true(dfmt_writer_result_get(r.w)->ended);
	assert_true(nr_written(&r) > 100);
	check_dump(&r);
	run_fini(&r);
}

static void
test_writer_full_device_keeps_the_best(void **state)
{
	uint64_t before = 0;

	(void)state;
	for (uint64_t len = DFMT_MIN_RANGE; len <= 6u << 20;
		len += 512u << 10) {
		struct run r;

		run_init(&r, 9000, len);
		run_whole(&r);
		assert_int_equal(r.status, DFMT_W_FULL);
		check_dump(&r);
		assert_true(nr_written(&r) >= before);
		before = nr_written(&r);
		run_fini(&r);
	}
	assert_true(before > 1000);
}

static void
test_writer_time_limit_leaves_a_dump(void **state)
{
	(void)state;
	for (uint64_t limit = 1; limit < 400; limit += 40) {
		struct run r;

		run_init(&r, 9000, 24u << 20);
		r.f.ms_per_call = 1;
		r.config.time_limit_ms = limit;
		run_whole(&r);
		assert_true(r.status == DFMT_W_TIME);
		check_dump(&r);
		run_fini(&r);
	}
}

static void
test_writer_told_to_stop(void **state)
{
	struct run r;

	(void)state;
	run_init(&r, 500, 4u << 20);
	run_start(&r);
	dfmt_writer_stop(r.w);
	r.status = dfmt_writer_run(r.w, &r.facts, r.f.device_len);
	assert_int_equal(r.status, DFMT_W_STOPPED);
	check_dump(&r);
	run_fini(&r);
}

/* Runs with a fault at call n of all callbacks; false: there is no call n. */
static bool
run_fault(struct run *r, unsigned long n, bool panic)
{
	run_start(r);
	r->f.panic_at = panic ? n : 0;
	r->f.fail_at = panic ? 0 : n;
	if (setjmp(r->f.panic) == 0) {
		r->status = dfmt_writer_run(r->w, &r->facts, r->f.device_len);
	} else {
		r->f.panic_at = 0;
		r->status = dfmt_writer_reenter(r->w, "panic in the writer");
	}
	return r->f.nr_calls >= n;
}

/* What the first fault may prevent is only the dump itself. */
static void
check_fault(const struct run *r)
{
	const struct dfmt_writer_result *res = dfmt_writer_result_get(r->w);

	if (res->dump_len) {
		check_dump(r);
		return;
	}
	check_untouched(r);
	struct dfmt *d = open_device(r);

	if (d)
		assert_int_equal(check_frames(r, d), 0);
	dfmt_close(d);
}

static void
each_call(bool panic)
{
	volatile bool more = true;

	for (volatile unsigned long n = 1; more; n++) {
		struct run *r = malloc(sizeof(*r));

		assert_non_null(r);
		run_init(r, 260, 2u << 20);
		more = run_fault(r, n, panic);
		check_fault(r);
		run_fini(r);
		free(r);
	}
}

static void
test_writer_panic_at_every_callback(void **state)
{
	(void)state;
	each_call(true);
}

static void
test_writer_failure_of_every_callback(void **state)
{
	(void)state;
	each_call(false);
}

/* A third panic, at each call of the end that the second one made. */
static void
test_writer_third_panic_ends_at_once(void **state)
{
	(void)state;
	for (volatile unsigned long n = 30; n < 300; n += 27) {
		volatile bool more = true;

		for (volatile unsigned long m = 1; more; m++) {
			struct run *r = malloc(sizeof(*r));

			assert_non_null(r);
			run_init(r, 260, 2u << 20);
			run_start(r);
			r->f.panic_at = n;
			if (setjmp(r->f.panic) == 0) {
				(void)dfmt_writer_run(r->w, &r->facts,
					r->f.device_len);
				fail();
			}
			r->f.panic_at = n + m;
			if (setjmp(r->f.panic) == 0) {
				(void)dfmt_writer_reenter(r->w, NULL);
				more = false;
			}
			unsigned long calls = r->f.nr_calls;
			assert_int_equal(dfmt_writer_reenter(r->w, NULL),
				DFMT_W_SECOND_PANIC);
			assert_int_equal(r->f.nr_calls, calls);
			check_untouched(r);
			struct dfmt *d = open_device(r);
			assert_non_null(d);
			(void)check_frames(r, d);
			dfmt_close(d);
			run_fini(r);
			free(r);
		}
	}
}

static void
test_writer_shorter_dump_hides_the_first(void **state)
{
	(void)state;
	for (int bad = 0; bad < 3; bad++) {
		struct run r;

		run_init(&r, 3000, 16u << 20);
		run_whole(&r);
		assert_int_equal(r.status, DFMT_W_COMPLETE);
		free(r.memory);
		free(r.before);
		/* Another machine, and the places at the front may be bad. */
		r.f.seed = 1000;
		r.f.nr_frames = 400;
		r.f.bad_first = DFMT_LABEL_LEN;
		r.f.bad_end = DFMT_LABEL_LEN + (uint64_t)bad * 40000;
		r.config.flags = DFMT_WRITER_OVERWRITE;
		r.facts.end_pfn = 464;
		run_whole(&r);
		assert_int_equal(r.status, DFMT_W_COMPLETE);
		check_dump(&r);
		run_fini(&r);
	}
}

/* Counts without tables, and numbers beyond what the format can say. */
static void
test_writer_facts_that_cannot_be(void **state)
{
	static struct dfmt_fmt_cpu cpus[DFMT_MAX_CPUS + 10];
	static const char *const texts[] = { NULL, "a=b", NULL };
	static const struct dfmt_wframe frames[] = { { 1, 2, 0, NULL },
		{ 3, 4, 0, "f()" } };
	const struct dfmt_wblob blobs[] = {
		{ 0, DFMT_BLOB_BTF, NULL, 100 },
		{ 0, DFMT_BLOB_BTF, texts, UINT64_MAX - 5 },
		{ 0, DFMT_BLOB_BTF, texts, 0 },
	};
	struct run r;

	(void)state;
	run_init(&r, 300, 8u << 20);
	memset(&r.facts, 0, sizeof(r.facts));
	r.facts.nr_versions = r.facts.nr_frames_walked = r.facts.nr_cpus = 5;
	r.facts.nr_worlds = r.facts.nr_ranges = r.facts.nr_objects = 5;
	r.facts.nr_blobs = r.facts.nr_first = r.facts.console_len = 5;
	r.facts.reason = "Domain 0 crashed";
	run_whole(&r);
	assert_int_equal(r.status, DFMT_W_COMPLETE);
	struct dfmt *d = open_device(&r);
	assert_non_null(d);
	assert_int_equal(check_frames(&r, d), 300);
	dfmt_close(d);
	free(r.memory);
	free(r.before);

	r.config.flags = DFMT_WRITER_OVERWRITE;
	r.facts = wfix_facts(&r.f);
	r.facts.versions = texts;
	r.facts.nr_versions = 3;
	r.facts.frames = frames;
	r.facts.blobs = blobs;
	r.facts.nr_blobs = 3;
	r.facts.cpus = cpus;
	r.facts.nr_cpus = DFMT_MAX_CPUS + 10;
	r.facts.panic_cpu = DFMT_MAX_CPUS + 5;
	r.facts.end_pfn = UINT64_MAX;
	run_whole(&r);
	assert_int_equal(r.status, DFMT_W_COMPLETE);
	check_dump(&r);
	run_fini(&r);
}

/* They are written, first or later, and a reader finds each. */
static void
test_writer_first_frames_in_disorder(void **state)
{
	static const struct dfmt_wrun first[][4] = {
		{ { 10, 1 }, { 20, 1 }, { 15, 2 }, { 30, 1 } },
		{ { 10, 5 }, { 12, 5 }, { 40, 1 }, { 50, 1 } },
		{ { 10, 5 }, { 1ull << 63, 1ull << 63 }, { 5, 1 }, { 6, 1 } },
		{ { 250, 1 }, { 10, UINT64_MAX }, { 7, 0 }, { 7, 1 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		struct run r;

		run_init(&r, 300, 8u << 20);
		r.facts.first = first[i];
		r.facts.nr_first = 4;
		run_whole(&r);
		assert_int_equal(r.status, DFMT_W_COMPLETE);
		assert_int_equal(nr_written(&r), 300);
		check_dump(&r);
		run_fini(&r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writer_whole_dump_reads_right),
		cmocka_unit_test(test_writer_bad_places_are_passed_over),
		cmocka_unit_test(test_writer_end_is_at_the_anchor_alone),
		cmocka_unit_test(test_writer_full_device_keeps_the_best),
		cmocka_unit_test(test_writer_time_limit_leaves_a_dump),
		cmocka_unit_test(test_writer_told_to_stop),
		cmocka_unit_test(test_writer_panic_at_every_callback),
		cmocka_unit_test(test_writer_failure_of_every_callback),
		cmocka_unit_test(test_writer_third_panic_ends_at_once),
		cmocka_unit_test(test_writer_shorter_dump_hides_the_first),
		cmocka_unit_test(test_writer_facts_that_cannot_be),
		cmocka_unit_test(test_writer_first_frames_in_disorder),
	};

	int nr_failed =
		cmocka_run_group_tests_name("one step", tests, NULL, NULL);

	two_steps = true;
	return nr_failed +
	       cmocka_run_group_tests_name("two steps", tests, NULL, NULL);
}
