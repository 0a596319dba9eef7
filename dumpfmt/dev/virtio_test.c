/* SPDX-License-Identifier: MIT */
/*
 * The virtio driver on a disk that works, on ones that cannot hold a dump, and
 * on ones that fail or lie: what it says, that it ends, that the device is
 * reset when it is over.
 */
#include "virtio_model.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct rig {
	struct virtio_model m;
	struct dfmt_disk d;
};

static uint8_t *
buffer(struct rig *r)
{
	return r->m.memory + DFMT_DISK_QUEUES;
}

static bool
rig_start(struct rig *r)
{
	struct dfmt_hw hw = model_hw(&r->m);

	return dfmt_disk_start(&r->d, &dfmt_disk_virtio, &hw);
}

static void
rig_up(struct rig *r)
{
	assert_true(rig_start(r));
	assert_int_equal(dfmt_disk_unit_next(&r->d, 0), 1);
	assert_int_equal(dfmt_disk_unit_next(&r->d, 1), 0);
	assert_true(dfmt_disk_select(&r->d, 1));
}

static void
rig_end(struct rig *r)
{
	dfmt_disk_stop(&r->d);
	if (!r->m.gone) {
		assert_int_equal(r->m.command & 4, 0);
		if (!r->m.never_reset && !r->m.old_only && !r->m.no_window)
			assert_int_equal(r->m.status, 0);
	}
	assert_int_equal(r->m.nr_dma_outside, 0);
	assert_int_equal(r->m.nr_wrong, 0);
	model_fini(&r->m);
}

static void
check_start_fails(struct rig *r, const char *why)
{
	assert_false(rig_start(r));
	assert_string_equal(r->d.why, why);
	rig_end(r);
}

static void
check_select_fails(struct rig *r, const char *why)
{
	assert_true(rig_start(r));
	assert_false(dfmt_disk_select(&r->d, 1));
	assert_string_equal(r->d.why, why);
	assert_false(dfmt_disk_write(&r->d, 0, buffer(r), 4096));
	rig_end(r);
}

/* ---- one that works ------------------------------------------------------ */

static void
test_identity(void **state)
{
	struct rig r;
	struct dfmt_hw hw;

	(void)state;
	model_init(&r.m);
	hw = model_hw(&r.m);
	assert_ptr_equal(dfmt_disk_driver_of(&hw), &dfmt_disk_virtio);
	assert_null(dfmt_disk_refusal(&dfmt_disk_virtio, &hw));
	assert_int_equal(dfmt_disk_virtio.bar(&hw), 4);
	rig_up(&r);
	assert_string_equal(r.d.id.serial, "MODEL-3");
	assert_int_equal(r.d.id.unit, 1);
	assert_int_equal(r.d.sector_len, 512);
	assert_int_equal(r.d.nr_sectors, MODEL_LEN / 512);
	assert_int_equal(r.d.nr_slots, DFMT_DISK_SLOTS);
	/* What was not understood was not taken. */
	assert_int_equal(r.m.taken, 1ull << 32 | 1u << 6 | 1u << 9);
	assert_true(dfmt_disk_select(&r.d, 1));
	assert_false(dfmt_disk_select(&r.d, 2));
	rig_end(&r);
}

static void
check_transfers(struct rig *r)
{
	static const size_t lens[] = { 4096, 8192, 131072, 135168, 401408 };
	static const size_t shifts[] = { 0, 4, 2048, 4092 };

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
		for (size_t k = 0; k < 4; k++) {
			uint8_t *p = buffer(r) + shifts[k];
			uint64_t at = 4096 * (i + 1);

			for (size_t b = 0; b < lens[i]; b++)
				p[b] = (uint8_t)(b * 7 + b / 251 + i + k);
			assert_true(dfmt_disk_write(&r->d, at, p, lens[i]));
			assert_memory_equal(r->m.disk + at, p, lens[i]);
			memset(p, 0, lens[i]);
			assert_true(dfmt_disk_read(&r->d, at, p, lens[i]));
			assert_memory_equal(r->m.disk + at, p, lens[i]);
		}
}

static void
test_transfers(void **state)
{
	struct rig r;

	(void)state;
	model_init(&r.m);
	rig_up(&r);
	check_transfers(&r);
	assert_true(dfmt_disk_flush(&r.d));
	assert_int_equal(r.m.nr_flushes, 1);
	/* Both rings go round. */
	for (uint32_t i = 0; i < 70000; i++)
		assert_true(dfmt_disk_write(&r.d, 0, buffer(&r), 512));
	dfmt_disk_stop(&r.d);
	assert_int_equal(r.m.nr_flushes, 2);
	rig_end(&r);
}

static void
test_kinds(void **state)
{
	struct rig r;

	(void)state;
	model_init(&r.m);
	r.m.features |= 1u << 1 | 1ull << 33 | 1ull << 36;
	r.m.features &= ~(1ull << 9);
	r.m.size_max = 10000;
	r.m.sector_len = 4096;
	r.m.queue_size = 8;
	rig_up(&r);
	assert_int_equal(r.m.taken, r.m.features & ~(1ull << 29));
	assert_int_equal(r.d.sector_len, 4096);
	assert_int_equal(r.d.nr_sectors, MODEL_LEN / 4096);
	assert_int_equal(r.d.nr_slots, 2);
	assert_int_equal(r.d.max_len, 8192);
	check_transfers(&r);
	assert_true(dfmt_disk_flush(&r.d));
	assert_int_equal(r.m.nr_flushes, 0);
	assert_false(dfmt_disk_write(&r.d, 512, buffer(&r), 4096));
	rig_end(&r);

	model_init(&r.m);
	r.m.no_serial = true;
	rig_up(&r);
	assert_string_equal(r.d.id.serial, "");
	rig_end(&r);
}

/* ---- ones that cannot hold a dump ---------------------------------------- */

static void
test_unfit(void **state)
{
	static const char old[] = "it has the old interface of virtio only";
	struct rig r;
	struct dfmt_hw hw;

	(void)state;
	model_init(&r.m);
	r.m.features |= 1u << 5;
	check_select_fails(&r, "it is read only");
	model_init(&r.m);
	r.m.sector_len = 2048;
	check_select_fails(&r, "its sectors are neither 512 nor 4096 bytes");
	model_init(&r.m);
	r.m.features |= 1u << 1;
	r.m.size_max = 511;
	check_select_fails(&r, "it does not take a whole sector at a time");
	model_init(&r.m);
	r.m.old_only = true;
	hw = model_hw(&r.m);
	assert_string_equal(dfmt_disk_refusal(&dfmt_disk_virtio, &hw), old);
	check_start_fails(&r, old);
	model_init(&r.m);
	r.m.features &= ~(1ull << 32);
	check_start_fails(&r, "it does not offer the interface of virtio 1");
}

/* ---- ones that fail ------------------------------------------------------ */

static void
test_bring_up_fails(void **state)
{
	struct rig r;

	(void)state;
	model_init(&r.m);
	r.m.never_reset = true;
	check_start_fails(&r, "the device does not end its reset");
	model_init(&r.m);
	r.m.gone = true;
	check_start_fails(&r, "the PCI function does not answer");
	model_init(&r.m);
	r.m.no_window = true;
	check_start_fails(&r, "it has no window to its registers");
	model_init(&r.m);
	r.m.refuses_features = true;
	check_start_fails(&r, "the device does not take what it offered");
	model_init(&r.m);
	r.m.queue_size = 0;
	check_start_fails(&r, "its queue has no sensible length");
	model_init(&r.m);
	r.m.queue_size = 96;
	check_start_fails(&r, "its queue has no sensible length");
	model_init(&r.m);
	r.m.notify_off = 0xffff;
	r.m.stride = UINT32_MAX;
	check_start_fails(&r, "its doorbell is where it has no registers");
	model_init(&r.m);
	r.m.swallow = UINT32_MAX;
	check_select_fails(&r, "the device does not answer");
}

static void
test_bad_sector(void **state)
{
	struct rig r;

	(void)state;
	model_init(&r.m);
	rig_up(&r);
	r.m.bad_sector = 101;
	assert_false(dfmt_disk_write(&r.d, 51200, buffer(&r), 512));
	assert_string_equal(r.d.why, "the device refuses a command");
	assert_true(dfmt_disk_write(&r.d, 51712, buffer(&r), 512));
	assert_int_equal(r.d.nr_resets, 0);
	/* A byte that nobody touched is no success. */
	r.m.silent_ok = true;
	assert_false(dfmt_disk_write(&r.d, 0, buffer(&r), 512));
	rig_end(&r);
}

/* Lies of the used ring: reset, and what it says then is not believed either.
 */
static void
test_lies(void **state)
{
	static const char unasked[] = "it answers what nobody asked";
	struct rig r;

	(void)state;
	for (uint32_t i = 0; i < 6; i++) {
		model_init(&r.m);
		rig_up(&r);
		r.m.stray = i == 0 ? 3 : i == 1 ? 1 : i == 2 ? UINT32_MAX : 0;
		r.m.extra = i == 3 ? 1 : 0;
		r.m.jump = i == 4 ? 40000 : 0;
		r.m.twice = i == 5;
		assert_false(dfmt_disk_read(&r.d, 0, buffer(&r), 4096));
		assert_string_equal(r.d.why,
			i == 3 ? "it says that it wrote more than it may"
			       : unasked);
		assert_int_equal(r.d.nr_resets, 1);
		assert_false(dfmt_disk_read(&r.d, 0, buffer(&r), 4096));
		assert_string_equal(r.d.why, "it is not running");
		rig_end(&r);
	}
}

/* A request without an answer: reset, and everything once more. */
static void
test_timeout(void **state)
{
	struct rig r;

	(void)state;
	model_init(&r.m);
	rig_up(&r);
	r.m.swallow = 1;
	memset(buffer(&r), 0x77, 400384);
	assert_true(dfmt_disk_write(&r.d, 0, buffer(&r), 400384));
	assert_memory_equal(r.m.disk, buffer(&r), 400384);
	assert_int_equal(r.d.nr_timeouts, 1);
	assert_int_equal(r.m.nr_resets, 2);
	rig_end(&r);
}

static void
test_dead(void **state)
{
	struct rig r;

	(void)state;
	model_init(&r.m);
	rig_up(&r);
	r.m.swallow = UINT32_MAX;
	assert_false(dfmt_disk_write(&r.d, 0, buffer(&r), 400384));
	assert_string_equal(r.d.why, "it does not answer a command");
	rig_end(&r);

	model_init(&r.m);
	rig_up(&r);
	r.m.gone_after = r.m.nr_io + 2;
	assert_false(dfmt_disk_write(&r.d, 0, buffer(&r), 400384));
	rig_end(&r);

	model_init(&r.m);
	rig_up(&r);
	r.m.swallow = 1;
	r.m.other_serial = 'X';
	memset(buffer(&r), 0x77, 512);
	assert_false(dfmt_disk_write(&r.d, 0, buffer(&r), 512));
	assert_string_equal(r.d.why, "after a reset it is another device");
	assert_int_equal(r.m.disk[0], 0);
	rig_end(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_transfers),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_unfit),
		cmocka_unit_test(test_bring_up_fails),
		cmocka_unit_test(test_bad_sector),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
