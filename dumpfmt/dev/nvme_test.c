/* SPDX-License-Identifier: MIT */
/*
 * The NVMe driver on a controller that works, on ones that cannot hold a dump,
 * and on ones that fail: what it says, that it ends, that the controller is off
 * when it has been stopped.
 */
#include "nvme_model.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct rig {
	struct nvme_model m;
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

	return dfmt_disk_start(&r->d, &dfmt_disk_nvme, &hw);
}

static void
rig_init(struct rig *r)
{
	model_init(&r->m);
}

static void
rig_up(struct rig *r)
{
	rig_init(r);
	assert_true(rig_start(r));
	assert_true(dfmt_disk_select(&r->d, 1));
}

/* Stopped: disabled, no bus master, and it never left the memory. */
static void
rig_end(struct rig *r)
{
	dfmt_disk_stop(&r->d);
	if (!r->m.gone && !r->m.never_idle) {
		assert_int_equal(r->m.cc & 1, 0);
		assert_int_equal(r->m.command & 4, 0);
	}
	assert_int_equal(r->m.nr_dma_outside, 0);
	assert_int_equal(r->m.doorbells, 0);
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
	assert_int_equal(r->m.nr_io, r->m.reserved_type ? 1 : 0);
	rig_end(r);
}

/* ---- one that works ------------------------------------------------------ */

static void
test_identity(void **state)
{
	struct rig r;
	struct dfmt_hw hw;

	(void)state;
	rig_up(&r);
	hw = model_hw(&r.m);
	assert_ptr_equal(dfmt_disk_driver_of(&hw), &dfmt_disk_nvme);
	assert_string_equal(r.d.id.serial, "MODEL-1");
	assert_string_equal(r.d.id.model, "A model of a controller");
	assert_int_equal(r.d.id.unit, 1);
	assert_int_equal(r.d.id.nguid[0], 0x6e);
	assert_int_equal(r.d.id.eui64[7], 0x65);
	assert_int_equal(r.d.sector_len, 512);
	assert_int_equal(r.d.nr_sectors, MODEL_SECTORS);
	assert_int_equal(r.m.msix & 0x8000, 0);
	assert_int_equal(dfmt_disk_unit_next(&r.d, 0), 1);
	assert_int_equal(dfmt_disk_unit_next(&r.d, 1), 0);
	rig_end(&r);
}

/* Every length and alignment of buffers, there and back. */
static void
test_transfers(void **state)
{
	static const size_t lens[] = { 512, 4096, 4608, 8192, 8704, 131072,
		131584, 400384 };
	static const size_t shifts[] = { 0, 4, 2048, 4092 };
	struct rig r;

	(void)state;
	rig_up(&r);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
		for (size_t k = 0; k < 4; k++) {
			uint8_t *p = buffer(&r) + shifts[k];
			uint64_t at = 512 * (i + 1);

			for (size_t b = 0; b < lens[i]; b++)
				p[b] = (uint8_t)(b * 7 + b / 251 + i + k);
			assert_true(dfmt_disk_write(&r.d, at, p, lens[i]));
			assert_memory_equal(r.m.disk + at, p, lens[i]);
			memset(p, 0, lens[i]);
			assert_true(dfmt_disk_read(&r.d, at, p, lens[i]));
			assert_memory_equal(r.m.disk + at, p, lens[i]);
		}
	assert_true(dfmt_disk_flush(&r.d));
	assert_int_equal(r.m.nr_flushes, 1);
	dfmt_disk_stop(&r.d);
	assert_int_equal(r.m.nr_normal_shutdowns, 1);
	rig_end(&r);
}

static void
test_limits(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r);
	r.m.mdts = 1; /* 8 KiB */
	r.m.lbads = 12;
	r.m.cap_low = 3u | 2u << 24; /* queues of 4 */
	r.m.cap_high |= 2;	     /* doorbells 16 bytes apart */
	r.m.vwc = 0;
	assert_true(rig_start(&r));
	assert_true(dfmt_disk_select(&r.d, 1));
	assert_int_equal(r.d.nr_slots, 3);
	memset(buffer(&r), 0x5a, 1u << 20);
	assert_true(dfmt_disk_write(&r.d, 0, buffer(&r), 1u << 20));
	assert_memory_equal(r.m.disk, buffer(&r), 1u << 20);
	assert_int_equal(r.m.nr_io, 128);
	assert_true(dfmt_disk_flush(&r.d));
	assert_int_equal(r.m.nr_flushes, 0);
	rig_end(&r);
}

static void
test_places_refused(void **state)
{
	struct rig r;
	uint64_t size = MODEL_SECTORS * 512ull;
	uint8_t foreign[512];

	(void)state;
	rig_up(&r);
	assert_false(dfmt_disk_write(&r.d, size, buffer(&r), 512));
	assert_false(dfmt_disk_write(&r.d, size - 512, buffer(&r), 1024));
	assert_false(dfmt_disk_write(&r.d, UINT64_MAX - 511, buffer(&r), 512));
	assert_false(dfmt_disk_write(&r.d, 1, buffer(&r), 512));
	assert_false(dfmt_disk_write(&r.d, 0, buffer(&r), 100));
	assert_false(dfmt_disk_write(&r.d, 0, buffer(&r), 0));
	assert_false(dfmt_disk_write(&r.d, 0, buffer(&r) + 1, 512));
	assert_false(dfmt_disk_write(&r.d, 0, foreign, 512));
	assert_false(dfmt_disk_write(&r.d, 0, buffer(&r) + MODEL_BUFFERS - 512,
		1024));
	assert_int_equal(r.m.nr_io, 0);
	rig_end(&r);
}

/* Behind a reset, too. */
static void
test_bound(void **state)
{
	static const char why[] = "a place that it may not write to";
	struct rig r;

	(void)state;
	rig_up(&r);
	memset(buffer(&r), 0x77, 8192);
	dfmt_disk_bound(&r.d, 4096, 8192);
	for (uint32_t i = 0; i < 2; i++) {
		assert_false(dfmt_disk_write(&r.d, 0, buffer(&r), 4096));
		assert_string_equal(r.d.why, why);
		assert_false(dfmt_disk_write(&r.d, 3584, buffer(&r), 1024));
		assert_false(dfmt_disk_write(&r.d, 8192, buffer(&r), 4608));
		assert_false(dfmt_disk_write(&r.d, 12288, buffer(&r), 512));
		assert_false(dfmt_disk_submit(&r.d, 0, 12288, buffer(&r), 512));
		r.m.swallow = i == 0;
		assert_true(dfmt_disk_write(&r.d, 4096, buffer(&r), 8192));
	}
	assert_int_equal(r.d.nr_resets, 1);
	assert_true(dfmt_disk_read(&r.d, 0, buffer(&r), 4096));
	assert_int_equal(r.m.disk[4095], 0);
	assert_int_equal(r.m.disk[12288], 0);
	rig_end(&r);
}

/* ---- ones that cannot hold a dump ---------------------------------------- */

static void
test_unfit(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r);
	r.m.metadata = 8;
	check_select_fails(&r, "it is formatted with metadata");
	rig_init(&r);
	r.m.protection = 1;
	check_select_fails(&r, "it is formatted with protection information");
	rig_init(&r);
	r.m.sharing = 1;
	check_select_fails(&r, "it is shared with other controllers");
	rig_init(&r);
	r.m.attributes = 1;
	check_select_fails(&r, "it is write protected");
	rig_init(&r);
	r.m.lbads = 16;
	check_select_fails(&r, "its sectors are neither 512 nor 4096 bytes");
	rig_init(&r);
	r.m.oncs = 0x20;
	r.m.rescap = 1;
	r.m.reserved_type = 1;
	check_select_fails(&r, "a host has reserved it or registered for it");
	rig_init(&r);
	r.m.nsids[0] = 7;
	check_select_fails(&r, "there is no such namespace");
}

/* ---- ones that fail ------------------------------------------------------ */

static void
test_bring_up_fails(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r);
	r.m.never_ready = true;
	check_start_fails(&r, "the controller does not get ready");
	rig_init(&r);
	r.m.never_idle = true;
	check_start_fails(&r, "the controller does not stop");
	rig_init(&r);
	r.m.fatal = true;
	check_start_fails(&r, "the controller says that it failed");
	rig_init(&r);
	r.m.gone = true;
	check_start_fails(&r, "the PCI function does not answer");
	rig_init(&r);
	r.m.stray = true;
	check_start_fails(&r, "it answers what nobody asked");
	rig_init(&r);
	r.m.admin_status = 0x1d;
	check_start_fails(&r, "the device is being sanitized");
	rig_init(&r);
	r.m.admin_status = 2;
	r.m.admin_opcode = 1;
	check_start_fails(&r, "the controller knows no such command or field");
	rig_init(&r);
	r.m.cap_high |= 15;
	check_start_fails(&r, "its doorbells are too far apart");
	rig_init(&r);
	r.m.cap_high = 0;
	check_start_fails(&r, "it does not have the NVM command set");
	rig_init(&r);
	r.m.cap_high |= 1u << 16;
	check_start_fails(&r, "it does not take pages of 4096 bytes");
}

/* A slow one gets the time that it asks for (CAP.TO). */
static void
test_slow(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r);
	r.m.ready_us = 1400000;
	assert_true(rig_start(&r));
	rig_end(&r);
}

static void
test_bad_sector(void **state)
{
	struct rig r;

	(void)state;
	rig_up(&r);
	r.m.bad_sector = 101;
	assert_false(dfmt_disk_write(&r.d, 51200, buffer(&r), 512));
	assert_string_equal(r.d.why, "the controller refuses a command");
	assert_false(dfmt_disk_write(&r.d, 0, buffer(&r), 400384));
	assert_true(dfmt_disk_write(&r.d, 51712, buffer(&r), 512));
	assert_int_equal(r.m.nr_resets, 1);
	rig_end(&r);
}

/* A command without an answer: reset, and everything once more. */
static void
test_timeout(void **state)
{
	struct rig r;

	(void)state;
	rig_up(&r);
	r.m.swallow = 1;
	memset(buffer(&r), 0x77, 400384);
	assert_true(dfmt_disk_write(&r.d, 0, buffer(&r), 400384));
	assert_memory_equal(r.m.disk, buffer(&r), 400384);
	assert_int_equal(r.d.nr_timeouts, 1);
	assert_int_equal(r.d.nr_resets, 1);
	assert_int_equal(r.m.nr_resets, 2);
	rig_end(&r);
}

static void
test_dead(void **state)
{
	struct rig r;

	(void)state;
	rig_up(&r);
	r.m.swallow = UINT32_MAX;
	assert_false(dfmt_disk_write(&r.d, 0, buffer(&r), 400384));
	assert_string_equal(r.d.why, "it does not answer a command");
	assert_int_equal(r.d.nr_resets, 1);
	/* And from then on at once. */
	assert_false(dfmt_disk_write(&r.d, 0, buffer(&r), 512));
	assert_string_equal(r.d.why, "it is not running");
	rig_end(&r);
}

/* Two writes on their way at a time; each says what became of it. */
static void
test_two_steps(void **state)
{
	uint8_t *b;
	struct rig r;

	(void)state;
	rig_up(&r);
	b = buffer(&r);
	memset(b, 0x11, 262144);
	memset(b + 262144, 0x22, 262144);
	assert_false(dfmt_disk_wait(&r.d, 0));
	assert_true(dfmt_disk_submit(&r.d, 0, 0, b, 262144));
	assert_true(dfmt_disk_submit(&r.d, 1, 262144, b + 262144, 262144));
	assert_false(dfmt_disk_submit(&r.d, 1, 0, b, 512));
	assert_string_equal(r.d.why, "a job that is under way");
	assert_true(dfmt_disk_wait(&r.d, 1));
	assert_true(dfmt_disk_wait(&r.d, 0));
	assert_false(dfmt_disk_wait(&r.d, 0));
	assert_memory_equal(r.m.disk, b, 524288);
	assert_false(dfmt_disk_submit(&r.d, 2, 0, b, 512));
	assert_false(dfmt_disk_wait(&r.d, 2));
	assert_true(dfmt_disk_flush(&r.d));
	rig_end(&r);

	/* One of the two is refused. */
	rig_up(&r);
	r.m.bad_sector = 3;
	assert_true(dfmt_disk_submit(&r.d, 0, 0, buffer(&r), 65536));
	assert_true(dfmt_disk_submit(&r.d, 1, 65536, buffer(&r), 65536));
	assert_false(dfmt_disk_wait(&r.d, 0));
	assert_true(dfmt_disk_wait(&r.d, 1));
	assert_int_equal(r.d.nr_resets, 0);
	rig_end(&r);
}

/* The reset that one of them needs has both done once more, and only once. */
static void
test_two_steps_timeout(void **state)
{
	struct rig r;

	(void)state;
	rig_up(&r);
	memset(buffer(&r), 0x33, 524288);
	r.m.swallow = 3;
	assert_true(dfmt_disk_submit(&r.d, 0, 0, buffer(&r), 262144));
	assert_true(
		dfmt_disk_submit(&r.d, 1, 262144, buffer(&r) + 262144, 262144));
	assert_true(dfmt_disk_wait(&r.d, 0));
	assert_true(dfmt_disk_wait(&r.d, 1));
	assert_memory_equal(r.m.disk, buffer(&r), 524288);
	assert_int_equal(r.d.nr_resets, 1);
	rig_end(&r);

	rig_up(&r);
	r.m.swallow = UINT32_MAX;
	assert_true(dfmt_disk_submit(&r.d, 0, 0, buffer(&r), 262144));
	assert_true(
		dfmt_disk_submit(&r.d, 1, 262144, buffer(&r) + 262144, 262144));
	assert_false(dfmt_disk_wait(&r.d, 0));
	assert_false(dfmt_disk_wait(&r.d, 1));
	assert_int_equal(r.d.nr_resets, 1);
	assert_false(dfmt_disk_submit(&r.d, 0, 0, buffer(&r), 512));
	rig_end(&r);
}

static void
test_unplugged(void **state)
{
	struct rig r;

	(void)state;
	rig_up(&r);
	r.m.gone_after = 2;
	r.m.swallow = UINT32_MAX;
	r.m.swallow_after = 2;
	assert_false(dfmt_disk_write(&r.d, 0, buffer(&r), 400384));
	assert_false(dfmt_disk_flush(&r.d));
	rig_end(&r);
}

/* What comes back from a reset must be what went in. */
static void
test_exchanged(void **state)
{
	struct rig r;

	(void)state;
	rig_up(&r);
	r.m.swallow = 1;
	r.m.other_serial = 'X';
	memset(buffer(&r), 0x77, 512);
	assert_false(dfmt_disk_write(&r.d, 0, buffer(&r), 512));
	assert_string_equal(r.d.why, "after a reset it is another device");
	assert_int_equal(r.m.disk[0], 0);
	rig_end(&r);
}

static void
test_stop_anyhow(void **state)
{
	struct rig r;

	(void)state;
	rig_up(&r);
	r.m.no_shutdown = true;
	rig_end(&r);
	rig_up(&r);
	dfmt_disk_stop(&r.d);
	rig_end(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_transfers),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_places_refused),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_unfit),
		cmocka_unit_test(test_bring_up_fails),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_bad_sector),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_dead),
		cmocka_unit_test(test_two_steps),
		cmocka_unit_test(test_two_steps_timeout),
		cmocka_unit_test(test_unplugged),
		cmocka_unit_test(test_exchanged),
		cmocka_unit_test(test_stop_anyhow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
