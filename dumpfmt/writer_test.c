/* SPDX-License-Identifier: MIT */
/*
 * The writer alone: what it refuses, what it writes where, that helpers change
 * nothing.  What a reader makes of its dumps is in native_writer_test.c.
 */
#include "writer_fixture.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

struct run {
	struct dfmt_writer *w;
	void *memory;
	size_t memory_len;
	enum dfmt_writer_status status;
};

static struct run
run_with(const struct dfmt_writer_config *config, uint64_t range_len,
	const struct dfmt_writer_facts *facts)
{
	struct run r = { .memory_len = dfmt_writer_memory(config) };

	r.memory = aligned_alloc(4096, r.memory_len);
	assert_non_null(r.memory);
	r.w = dfmt_writer_init(config, r.memory, r.memory_len);
	assert_non_null(r.w);
	r.status = dfmt_writer_run(r.w, facts, range_len);
	return r;
}

static enum dfmt_writer_status
run_once(struct wfix *f, uint32_t flags)
{
	struct dfmt_writer_config config = wfix_config(f);
	struct dfmt_writer_facts facts = wfix_facts(f);

	config.flags = flags;
	struct run r = run_with(&config, f->device_len, &facts);
	enum dfmt_writer_status st = r.status;

	free(r.memory);
	return st;
}

static void
test_writer_completes(void **state)
{
	struct wfix f;

	(void)state;
	wfix_init(&f, 4000, 16u << 20);

	struct dfmt_writer_config config = wfix_config(&f);
	struct dfmt_writer_facts facts = wfix_facts(&f);
	struct run r = run_with(&config, f.device_len, &facts);
	const struct dfmt_writer_result *res = dfmt_writer_result_get(r.w);

	assert_int_equal(r.status, DFMT_W_COMPLETE);
	assert_true(res->ended);
	assert_false(f.outside);
	assert_int_equal(res->nr_data + res->nr_fill + res->nr_repeat +
				 res->nr_lost,
		4000);
	assert_true(res->nr_repeat > 400);
	assert_true(res->nr_fill >= 1000);
	assert_true(res->dump_len < res->raw_len);
	free(r.memory);
	wfix_fini(&f);
}

static void
test_writer_memory_is_below_1_mib(void **state)
{
	struct wfix f = { 0 };
	struct dfmt_writer_config config = wfix_config(&f);

	(void)state;
	assert_in_range(dfmt_writer_memory(&config), 1, 1u << 20);
	config.page_shift = 16;
	assert_int_not_equal(dfmt_writer_memory(&config), 0);
	config.page_shift = 11;
	assert_int_equal(dfmt_writer_memory(&config), 0);
}

static void
test_writer_configurations(void **state)
{
	struct wfix f = { 0 };
	struct dfmt_writer_config config = wfix_config(&f);
	struct dfmt_writer_codec codec = dfmt_writer_lz4;
	size_t len = dfmt_writer_memory(&config);
	uint8_t *memory = aligned_alloc(4096, len + 4096);

	(void)state;
	assert_non_null(memory);
	assert_null(dfmt_writer_init(&config, memory, len - 1));
	assert_null(dfmt_writer_init(&config, memory + 64, len));
	assert_null(dfmt_writer_init(&config, NULL, len));
	free(memory);
	/* Blocks of one frame where a frame is longer than the default. */
	config.page_shift = 16;
	assert_in_range(dfmt_writer_memory(&config), 1, 1u << 21);
	config.block_len = 32768;
	assert_int_equal(dfmt_writer_memory(&config), 0);
	config = wfix_config(&f);
	config.codec = &codec;
	codec.state_len = SIZE_MAX - 8;
	assert_int_equal(dfmt_writer_memory(&config), 0);
}

static void
test_writer_refuses_without_label(void **state)
{
	struct wfix f;

	(void)state;
	wfix_init(&f, 100, 2u << 20);
	f.device[20] ^= 1;
	f.device[f.device_len - 4000] ^= 1;

	uint8_t *before = malloc(f.device_len);

	memcpy(before, f.device, f.device_len);
	assert_int_equal(run_once(&f, 0), DFMT_W_NO_LABEL);
	assert_memory_equal(before, f.device, f.device_len);
	free(before);
	wfix_fini(&f);
}

static void
test_writer_takes_the_second_label(void **state)
{
	struct wfix f;

	(void)state;
	wfix_init(&f, 100, 2u << 20);
	f.device[20] ^= 1;
	assert_int_equal(run_once(&f, 0), DFMT_W_COMPLETE);
	assert_false(f.outside);
	wfix_fini(&f);
}

static void
test_writer_refuses_foreign_label(void **state)
{
	struct wfix f;

	(void)state;
	wfix_init(&f, 100, 2u << 20);

	struct dfmt_writer_config config = wfix_config(&f);
	struct dfmt_writer_facts facts = wfix_facts(&f);

	config.uuid[0] = 99;
	struct run r = run_with(&config, f.device_len, &facts);

	assert_int_equal(r.status, DFMT_W_FOREIGN);
	free(r.memory);
	wfix_fini(&f);
}

static void
test_writer_refuses_two_labels(void **state)
{
	struct wfix f, other;

	(void)state;
	wfix_init(&f, 100, 2u << 20);
	wfix_init(&other, 100, 2u << 20);
	((struct dfmt_fmt_label *)(void *)other.device)->uuid[3] = 77;
	struct dfmt_crc crc;
	struct dfmt_fmt_label *l = (void *)other.device;

	dfmt_crc_init(&crc, false);
	l->crc = dfmt_crc32c(&crc, l, offsetof(struct dfmt_fmt_label, crc));
	memcpy(f.device, l, sizeof(*l));
	assert_int_equal(run_once(&f, 0), DFMT_W_FOREIGN);
	wfix_fini(&f);
	wfix_fini(&other);
}

/* The label at an offset, to be changed and sealed again. */
static struct dfmt_fmt_label *
label_of(struct wfix *f, uint64_t offset)
{
	return (void *)(f->device + offset);
}

static void
label_seal(struct dfmt_fmt_label *l)
{
	struct dfmt_crc crc;

	dfmt_crc_init(&crc, false);
	l->crc = dfmt_crc32c(&crc, l, offsetof(struct dfmt_fmt_label, crc));
}

/* The last label of a range that began elsewhere is no leave to write here. */
static void
test_writer_refuses_a_label_at_another_place(void **state)
{
	struct dfmt_fmt_label *l;
	struct wfix f;

	(void)state;
	wfix_init(&f, 100, 4u << 20);
	f.device[20] ^= 1;
	l = label_of(&f, f.device_len - DFMT_LABEL_LEN);
	l->range_len = 2u << 20;
	label_seal(l);
	assert_int_equal(run_once(&f, 0), DFMT_W_FOREIGN);
	l->range_len = 8u << 20;
	label_seal(l);
	assert_int_equal(run_once(&f, 0), DFMT_W_TOO_SMALL);
	/* A range that begins where another one ended. */
	l->range_len = 4u << 20;
	label_seal(l);
	memcpy(f.device, l, sizeof(*l));
	memset(l, 0, sizeof(*l));
	assert_int_equal(run_once(&f, 0), DFMT_W_NO_LABEL);
	assert_false(f.outside);
	wfix_fini(&f);
}

static void
test_writer_refuses_labels_of_two_lengths(void **state)
{
	struct dfmt_fmt_label *l;
	struct wfix f;

	(void)state;
	wfix_init(&f, 100, 4u << 20);
	l = label_of(&f, f.device_len - DFMT_LABEL_LEN);
	l->range_len = 3u << 20;
	l->change = 2;
	label_seal(l);
	assert_int_equal(run_once(&f, 0), DFMT_W_FOREIGN);
	wfix_fini(&f);
}

/* Nobody could save it: the reader shows no dump of another label. */
static void
test_writer_minds_no_dump_of_another_label(void **state)
{
	uint8_t before[DFMT_ID_LEN];
	struct wfix f;

	(void)state;
	wfix_init(&f, 100, 2u << 20);
	assert_int_equal(run_once(&f, 0), DFMT_W_COMPLETE);
	memcpy(before, f.device + DFMT_SLOT_OFFSET(0) + 16, sizeof(before));
	for (int copy = 0; copy < 2; copy++) {
		struct dfmt_fmt_label *l =
			label_of(&f, copy ? f.device_len - DFMT_LABEL_LEN : 0);

		l->uuid[5] ^= 1;
		label_seal(l);
	}
	assert_int_equal(run_once(&f, 0), DFMT_W_COMPLETE);
	/* Its segments may not be taken for the new dump's. */
	assert_memory_not_equal(before, f.device + DFMT_SLOT_OFFSET(0) + 16,
		sizeof(before));
	wfix_fini(&f);
}

static void
test_writer_refuses_shorter_device(void **state)
{
	struct wfix f;

	(void)state;
	wfix_init(&f, 100, 4u << 20);
	f.device_len = 3u << 20;
	assert_int_equal(run_once(&f, 0), DFMT_W_TOO_SMALL);
	wfix_fini(&f);
}

static void
test_writer_keeps_an_unsaved_dump(void **state)
{
	struct wfix f;

	(void)state;
	wfix_init(&f, 100, 2u << 20);
	assert_int_equal(run_once(&f, 0), DFMT_W_COMPLETE);
	assert_int_equal(run_once(&f, 0), DFMT_W_UNSAVED);
	assert_int_equal(run_once(&f, DFMT_WRITER_OVERWRITE), DFMT_W_COMPLETE);
	wfix_fini(&f);
}

/* What a run would say, as often as one likes, and then the run. */
static void
test_writer_check_says_what_would_be(void **state)
{
	struct wfix f;
	struct dfmt_writer_config config;
	struct dfmt_writer_facts facts;
	struct dfmt_writer *w;
	uint8_t *before, *memory;
	size_t len;

	(void)state;
	wfix_init(&f, 100, 2u << 20);
	config = wfix_config(&f);
	facts = wfix_facts(&f);
	len = dfmt_writer_memory(&config);
	memory = aligned_alloc(4096, len);
	before = malloc(f.device_len);
	memcpy(before, f.device, f.device_len);
	w = dfmt_writer_init(&config, memory, len);
	assert_int_equal(dfmt_writer_check(w, f.device_len), DFMT_W_COMPLETE);
	assert_int_equal(dfmt_writer_check(w, 4096), DFMT_W_TOO_SMALL);
	assert_int_equal(dfmt_writer_check(w, f.device_len - 4096),
		DFMT_W_TOO_SMALL);
	assert_memory_equal(before, f.device, f.device_len);
	assert_int_equal(dfmt_writer_run(w, &facts, f.device_len),
		DFMT_W_COMPLETE);
	assert_int_equal(dfmt_writer_check(w, f.device_len), DFMT_W_CONFIG);
	w = dfmt_writer_init(&config, memory, len);
	assert_int_equal(dfmt_writer_check(w, f.device_len), DFMT_W_UNSAVED);
	assert_string_equal(dfmt_writer_refusal(DFMT_W_UNSAVED),
		"a dump that was not saved is there");
	assert_null(dfmt_writer_refusal(DFMT_W_COMPLETE));
	free(before);
	free(memory);
	wfix_fini(&f);
}

static void
test_writer_dry_run_writes_nothing(void **state)
{
	struct wfix f;

	(void)state;
	wfix_init(&f, 1000, 4u << 20);
	uint8_t *before = malloc(f.device_len);

	memcpy(before, f.device, f.device_len);
	assert_int_equal(run_once(&f, DFMT_WRITER_DRY_RUN), DFMT_W_COMPLETE);
	assert_memory_equal(before, f.device, f.device_len);
	free(before);
	wfix_fini(&f);
}

static void
test_writer_full_device_ends(void **state)
{
	struct wfix f;

	(void)state;
	wfix_init(&f, 20000, 1u << 20);
	assert_int_equal(run_once(&f, 0), DFMT_W_FULL);
	assert_false(f.outside);
	wfix_fini(&f);
}

static void
test_writer_time_limit_ends(void **state)
{
	struct wfix f;

	(void)state;
	wfix_init(&f, 20000, 16u << 20);
	f.ms_per_call = 1;

	struct dfmt_writer_config config = wfix_config(&f);
	struct dfmt_writer_facts facts = wfix_facts(&f);

	config.time_limit_ms = 20;
	struct run r = run_with(&config, f.device_len, &facts);

	assert_int_equal(r.status, DFMT_W_TIME);
	assert_true(dfmt_writer_result_get(r.w)->ended);
	free(r.memory);
	wfix_fini(&f);
}

/* Memory of which nothing is wanted, in runs that never begin even. */
static unsigned long nr_classified;

static int
odd_range(void *arg, uint64_t pfn, struct dfmt_wrun *run)
{
	(void)arg;
	*run = (struct dfmt_wrun){ pfn | 1, (1u << 20) - 1 };
	return pfn >= 1u << 28;
}

static int
odd_classify(void *arg, uint64_t pfn, uint64_t *count)
{
	struct wfix *f = arg;

	f->now += f->ms_per_call;
	nr_classified++;
	*count = 2 - (pfn + 1) % 2;
	return DFMT_CLASS_FREE;
}

static void
test_writer_time_limit_ends_a_search(void **state)
{
	struct dfmt_writer_ops ops = wfix_ops;
	struct wfix f;

	(void)state;
	wfix_init(&f, 100, 16u << 20);
	ops.next_range = odd_range;
	ops.classify = odd_classify;

	struct dfmt_writer_config config = wfix_config(&f);
	struct dfmt_writer_facts facts = wfix_facts(&f);

	config.ops = &ops;
	config.content = 1u << DFMT_CLASS_HYPERVISOR;
	config.time_limit_ms = 1000;
	f.ms_per_call = 1;
	nr_classified = 0;
	struct run r = run_with(&config, f.device_len, &facts);

	assert_int_equal(r.status, DFMT_W_TIME);
	assert_in_range(nr_classified, 1, 1100);
	assert_true(dfmt_writer_result_get(r.w)->ended);
	free(r.memory);
	wfix_fini(&f);
}

/* A device that refuses everything behind the first segments, slowly. */
static int
slow_write(void *arg, uint64_t offset, const void *buf, size_t len)
{
	struct wfix *f = arg;

	if (offset < 100000 || offset > f->device_len - 100000)
		return wfix_write(arg, offset, buf, len);
	f->now += 1000;
	return 1;
}

static void
test_writer_time_limit_ends_retries(void **state)
{
	struct dfmt_writer_ops ops = wfix_ops;
	struct wfix f;

	(void)state;
	wfix_init(&f, 4000, 64u << 20);
	ops.write = slow_write;

	struct dfmt_writer_config config = wfix_config(&f);
	struct dfmt_writer_facts facts = wfix_facts(&f);

	config.ops = &ops;
	config.time_limit_ms = 10000;
	struct run r = run_with(&config, f.device_len, &facts);

	assert_int_equal(r.status, DFMT_W_TIME);
	assert_true(dfmt_writer_result_get(r.w)->nr_skipped <= 64 + 4);
	free(r.memory);
	wfix_fini(&f);
}

struct helper {
	struct dfmt_writer *w;
	uint32_t index;
};

static void *
help(void *arg)
{
	struct helper *h = arg;

	dfmt_writer_help(h->w, h->index);
	return NULL;
}

static void
test_writer_helpers_change_nothing(void **state)
{
	struct wfix alone, helped;
	struct helper h[3];
	pthread_t t[3];

	(void)state;
	wfix_init(&alone, 6000, 24u << 20);
	wfix_init(&helped, 6000, 24u << 20);
	assert_int_equal(run_once(&alone, 0), DFMT_W_COMPLETE);

	struct dfmt_writer_config config = wfix_config(&helped);
	struct dfmt_writer_facts facts = wfix_facts(&helped);

	config.nr_helpers = 3;
	config.flags = DFMT_WRITER_SCOUT;
	size_t len = dfmt_writer_memory(&config);
	void *memory = aligned_alloc(4096, len);
	struct dfmt_writer *w = dfmt_writer_init(&config, memory, len);

	assert_non_null(w);
	for (uint32_t i = 0; i < 3; i++) {
		h[i] = (struct helper){ w, i };
		pthread_create(&t[i], NULL, help, &h[i]);
	}
	assert_int_equal(dfmt_writer_run(w, &facts, helped.device_len),
		DFMT_W_COMPLETE);
	for (uint32_t i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	assert_memory_equal(alone.device, helped.device, alone.device_len);
	free(memory);
	wfix_fini(&alone);
	wfix_fini(&helped);
}

static int
classify_kernel(void *arg, uint64_t pfn, uint64_t *count)
{
	(void)arg;
	*count = 64 - pfn % 64;
	return DFMT_CLASS_KERNEL;
}

/* Enough segments that a node of the index fills up while others are written.
 */
static void
test_writer_two_steps_change_nothing(void **state)
{
	struct wfix one, two;

	(void)state;
	wfix_init(&one, 56000, 160u << 20);
	wfix_init(&two, 56000, 160u << 20);
	for (int i = 0; i < 2; i++) {
		struct wfix *f = i ? &two : &one;
		struct dfmt_writer_config config = wfix_config(f);
		struct dfmt_writer_facts facts = wfix_facts(f);

		struct dfmt_writer_ops ops = i ? wfix_ops_two_steps : wfix_ops;

		ops.classify = classify_kernel;
		config.codec = NULL;
		config.ops = &ops;
		struct run r = run_with(&config, f->device_len, &facts);

		assert_int_equal(r.status, DFMT_W_COMPLETE);
		assert_false(f->changed);
		assert_true(dfmt_writer_result_get(r.w)->dump_len >
			    509 * (212u << 10));
		free(r.memory);
	}
	assert_memory_equal(one.device, two.device, one.device_len);
	wfix_fini(&one);
	wfix_fini(&two);
}

/* Mostly one word over and over, in long runs; safe on any CPU. */
static int
read_idle_frame(void *arg, uint64_t pfn, void *buf)
{
	const struct wfix *f = arg;

	if (pfn % 997 == 0)
		return 1;
	if (pfn % 97 == 0 || (pfn >= 2000 && pfn < 2400))
		wfix_content(f->seed, pfn, buf);
	else
		memset(buf, (int)(pfn / 300), WFIX_FRAME);
	return 0;
}

static int
classify_idle(void *arg, uint64_t pfn, uint64_t *count)
{
	(void)arg;
	*count = pfn % 1000 < 900 ? 900 - pfn % 1000 : 1000 - pfn % 1000;
	return pfn % 1000 < 900 ? DFMT_CLASS_KERNEL : DFMT_CLASS_USER;
}

static void
run_idle(struct wfix *f, uint32_t nr_helpers)
{
	struct dfmt_writer_config config = wfix_config(f);
	struct dfmt_writer_facts facts = wfix_facts(f);
	struct dfmt_writer_ops ops = wfix_ops;
	struct helper h[3];
	pthread_t t[3];

	ops.read_frame = read_idle_frame;
	ops.classify = classify_idle;
	config.ops = &ops;
	config.nr_helpers = nr_helpers;
	config.flags = DFMT_WRITER_SCOUT;
	size_t len = dfmt_writer_memory(&config);
	void *memory = aligned_alloc(4096, len);
	struct dfmt_writer *w = dfmt_writer_init(&config, memory, len);

	assert_non_null(w);
	for (uint32_t i = 0; i < nr_helpers; i++) {
		h[i] = (struct helper){ w, i };
		pthread_create(&t[i], NULL, help, &h[i]);
	}
	assert_int_equal(dfmt_writer_run(w, &facts, f->device_len),
		DFMT_W_COMPLETE);
	for (uint32_t i = 0; i < nr_helpers; i++)
		pthread_join(t[i], NULL);
	free(memory);
}

static void
test_writer_scouts_change_nothing(void **state)
{
	struct wfix alone;

	(void)state;
	wfix_init(&alone, 30000, 24u << 20);
	run_idle(&alone, 0);
	for (uint32_t helpers = 1; helpers <= 3; helpers++) {
		struct wfix helped;

		wfix_init(&helped, 30000, 24u << 20);
		run_idle(&helped, helpers);
		assert_memory_equal(alone.device, helped.device,
			alone.device_len);
		wfix_fini(&helped);
	}
	wfix_fini(&alone);
}

/* A compressor that never returns on the helper's thread until told. */
static _Thread_local bool is_helper;
static _Atomic bool helper_stuck, helper_came;

static size_t
compress_stuck(void *state, const void *in, size_t in_len, void *out,
	size_t out_len)
{
	if (is_helper) {
		helper_came = true;
		while (helper_stuck)
			usleep(100);
		memset(out, 0xee, out_len);
		return 17;
	}
	for (int i = 0; i < 1000 && !helper_came; i++)
		usleep(100);
	return dfmt_writer_lz4.compress(state, in, in_len, out, out_len);
}

static void *
help_stuck(void *arg)
{
	is_helper = true;
	return help(arg);
}

static void
relax_until_helped(void *arg)
{
	(void)arg;
	usleep(10);
}

static void
without_a_helper(uint64_t ms_per_call)
{
	struct dfmt_writer_codec codec = dfmt_writer_lz4;
	struct dfmt_writer_ops ops = wfix_ops;
	struct wfix f;
	pthread_t t;

	wfix_init(&f, 3000, 32u << 20);
	f.ms_per_call = ms_per_call;
	codec.compress = compress_stuck;
	ops.relax = ms_per_call ? relax_until_helped : NULL;

	struct dfmt_writer_config config = wfix_config(&f);
	struct dfmt_writer_facts facts = wfix_facts(&f);

	config.codec = &codec;
	config.ops = &ops;
	config.nr_helpers = 1;
	size_t len = dfmt_writer_memory(&config);
	void *memory = aligned_alloc(4096, len);
	struct dfmt_writer *w = dfmt_writer_init(&config, memory, len);
	struct helper h = { w, 0 };

	helper_stuck = true;
	helper_came = false;
	pthread_create(&t, NULL, help_stuck, &h);
	assert_int_equal(dfmt_writer_run(w, &facts, f.device_len),
		DFMT_W_COMPLETE);
	assert_true(dfmt_writer_result_get(w)->ended);
	assert_true(helper_came);
	helper_stuck = false;
	pthread_join(t, NULL);
	free(memory);
	wfix_fini(&f);
}

static void
test_writer_goes_on_without_a_dead_helper(void **state)
{
	(void)state;
	without_a_helper(1);
}

static void
test_writer_goes_on_where_the_clock_stands(void **state)
{
	(void)state;
	without_a_helper(0);
}

/* A panic at each callback: the dump is ended, or nothing of it is there. */
static void
test_writer_second_panic_at_every_callback(void **state)
{
	struct wfix f;
	volatile unsigned long last = 0;

	(void)state;
	for (volatile unsigned long n = 1; !last; n++) {
		wfix_init(&f, 300, 2u << 20);

		struct dfmt_writer_config config = wfix_config(&f);
		struct dfmt_writer_facts facts = wfix_facts(&f);
		size_t len = dfmt_writer_memory(&config);
		void *memory = aligned_alloc(4096, len);
		struct dfmt_writer *w = dfmt_writer_init(&config, memory, len);

		f.panic_at = n;
		if (setjmp(f.panic) == 0) {
			assert_int_equal(
				dfmt_writer_run(w, &facts, f.device_len),
				DFMT_W_COMPLETE);
			last = n;
		} else {
			f.panic_at = 0;
			assert_int_equal(dfmt_writer_reenter(w, "again"),
				DFMT_W_SECOND_PANIC);
			const struct dfmt_writer_result *res =
				dfmt_writer_result_get(w);

			assert_true(res->ended || res->dump_len == 0);
		}
		assert_false(f.outside);
		free(memory);
		wfix_fini(&f);
	}
	assert_true(last > 300);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writer_completes),
		cmocka_unit_test(test_writer_memory_is_below_1_mib),
		cmocka_unit_test(test_writer_configurations),
		cmocka_unit_test(test_writer_refuses_without_label),
		cmocka_unit_test(test_writer_takes_the_second_label),
		cmocka_unit_test(test_writer_refuses_foreign_label),
		cmocka_unit_test(test_writer_refuses_two_labels),
		cmocka_unit_test(test_writer_refuses_a_label_at_another_place),
		cmocka_unit_test(test_writer_refuses_labels_of_two_lengths),
		cmocka_unit_test(test_writer_minds_no_dump_of_another_label),
		cmocka_unit_test(test_writer_refuses_shorter_device),
		cmocka_unit_test(test_writer_keeps_an_unsaved_dump),
		cmocka_unit_test(test_writer_check_says_what_would_be),
		cmocka_unit_test(test_writer_dry_run_writes_nothing),
		cmocka_unit_test(test_writer_full_device_ends),
		cmocka_unit_test(test_writer_time_limit_ends),
		cmocka_unit_test(test_writer_time_limit_ends_a_search),
		cmocka_unit_test(test_writer_time_limit_ends_retries),
		cmocka_unit_test(test_writer_helpers_change_nothing),
		cmocka_unit_test(test_writer_two_steps_change_nothing),
		cmocka_unit_test(test_writer_scouts_change_nothing),
		cmocka_unit_test(test_writer_goes_on_without_a_dead_helper),
		cmocka_unit_test(test_writer_goes_on_where_the_clock_stands),
		cmocka_unit_test(test_writer_second_panic_at_every_callback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
