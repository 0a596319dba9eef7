/* SPDX-License-Identifier: MIT */
/*
 * The AHCI driver on a disk that works, on ones that cannot hold a dump, and on
 * ones that fail: what it says, that it ends, that the port is stopped and has
 * no address of ours when it is over.
 */
#include "ahci_model.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct rig {
	struct ahci_model m;
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

	return dfmt_disk_start(&r->d, &dfmt_disk_ahci, &hw);
}

static void
rig_up(struct rig *r)
{
	assert_true(rig_start(r));
	assert_int_equal(dfmt_disk_unit_next(&r->d, 0), MODEL_UNIT);
	assert_true(dfmt_disk_select(&r->d, MODEL_UNIT));
}

static void
rig_end(struct rig *r)
{
	dfmt_disk_stop(&r->d);
	if (!r->m.gone) {
		assert_int_equal(r->m.command & 4, 0);
		if (r->m.class == 0x010601 && !r->m.port_runs_on &&
			!r->m.never_reset && r->m.nr_resets > 0) {
			assert_int_equal(r->m.cmd & 0xc011, 0);
			assert_int_equal(r->m.list | r->m.fis, 0);
		}
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
	assert_false(dfmt_disk_select(&r->d, MODEL_UNIT));
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
	assert_int_equal(dfmt_pci_bar_len(&hw, 5), 0x800);
	assert_int_equal(dfmt_pci_bar(&hw, 5), 0xfebf1800);
	assert_ptr_equal(dfmt_disk_driver_of(&hw), &dfmt_disk_ahci);
	assert_null(dfmt_disk_refusal(&dfmt_disk_ahci, &hw));
	rig_up(&r);
	assert_string_equal(r.d.id.serial, "MODEL-2");
	assert_string_equal(r.d.id.model, "A model of a disk");
	assert_int_equal(r.d.id.unit, MODEL_UNIT);
	assert_int_equal(r.d.id.eui64[0], 0x50);
	assert_int_equal(r.d.id.eui64[7], 0x03);
	assert_int_equal(r.d.sector_len, 512);
	assert_int_equal(r.d.nr_sectors, MODEL_LEN / 512);
	assert_int_equal(dfmt_disk_unit_next(&r.d, MODEL_UNIT), 0);
	/* Picked once more. */
	assert_true(dfmt_disk_select(&r.d, MODEL_UNIT));
	assert_false(dfmt_disk_select(&r.d, MODEL_UNIT + 1));
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
	assert_true(dfmt_disk_flush(&r->d));
	assert_int_equal(r->m.nr_flushes, 1);
}

static void
test_transfers(void **state)
{
	struct rig r;

	(void)state;
	model_init(&r.m);
	rig_up(&r);
	assert_int_equal(r.d.nr_slots, DFMT_DISK_SLOTS);
	check_transfers(&r);
	assert_true(r.m.most > 1);
	assert_true(dfmt_disk_write(&r.d, 0, buffer(&r), 1u << 20));
	assert_int_equal(r.m.most, 8);
	/* What was written behind the last flush. */
	dfmt_disk_stop(&r.d);
	assert_int_equal(r.m.nr_flushes, 2);
	rig_end(&r);
}

/* Without NCQ, with long sectors, and with few commands at a time. */
static void
test_kinds(void **state)
{
	struct rig r;

	(void)state;
	model_init(&r.m);
	r.m.no_ncq = true;
	rig_up(&r);
	check_transfers(&r);
	rig_end(&r);

	model_init(&r.m);
	r.m.sector_len = 4096;
	r.m.nr_sectors = MODEL_LEN / 4096;
	r.m.depth = 3;
	rig_up(&r);
	assert_int_equal(r.d.nr_slots, 3);
	assert_int_equal(r.d.sector_len, 4096);
	check_transfers(&r);
	assert_false(dfmt_disk_write(&r.d, 512, buffer(&r), 4096));
	rig_end(&r);

	model_init(&r.m);
	r.m.cap = 1u << 31; /* no NCQ, one command */
	rig_up(&r);
	assert_int_equal(r.d.nr_slots, 1);
	check_transfers(&r);
	rig_end(&r);
}

/*
 * A flush among commands of NCQ: the two are never at work together, and both
 * are done, in whatever slots they are.
 */
static void
test_mixed(void **state)
{
	static const uint32_t slots[] = { 0, 3, 15 };
	struct rig r;

	(void)state;
	model_init(&r.m);
	rig_up(&r);
	for (size_t i = 0; i < 3; i++) {
		uint32_t flush = slots[i], n = 0;

		for (uint32_t s = 1; s < 14; s += 3) {
			r.d.slots[s + 1].state = DFMT_SLOT_BUSY;
			dfmt_disk_ahci.submit(&r.d, s + 1, DFMT_DISK_WRITE, s,
				r.d.hw.buffers.bus, 1);
			if (s != 7)
				continue;
			r.d.slots[flush].state = DFMT_SLOT_BUSY;
			dfmt_disk_ahci.submit(&r.d, flush, DFMT_DISK_FLUSH, 0,
				0, 0);
		}
		while (r.d.u.ahci.active | r.d.u.ahci.waiting) {
			assert_true(dfmt_disk_ahci.poll(&r.d));
			assert_true(n++ < 100);
		}
		assert_int_equal(r.m.nr_flushes, i + 1);
		for (uint32_t s = 0; s < DFMT_DISK_SLOTS; s++) {
			assert_int_not_equal(r.d.slots[s].state,
				DFMT_SLOT_BUSY);
			assert_int_not_equal(r.d.slots[s].state,
				DFMT_SLOT_FAILED);
		}
	}
	rig_end(&r);
}

/* ---- ones that cannot hold a dump ---------------------------------------- */

static void
test_unfit(void **state)
{
	struct rig r;

	(void)state;
	model_init(&r.m);
	r.m.locked = true;
	check_select_fails(&r, "it is locked by a password");
	model_init(&r.m);
	r.m.has_hpa = true;
	r.m.native_sectors += 100;
	check_select_fails(&r, "it hides a part of itself");
	model_init(&r.m);
	r.m.has_max_address = true;
	r.m.native_sectors += 1ull << 33;
	check_select_fails(&r, "it hides a part of itself");
	model_init(&r.m);
	r.m.no_lba48 = true;
	check_select_fails(&r, "it does not know addresses of 48 bits");
	model_init(&r.m);
	r.m.incomplete = true;
	check_select_fails(&r, "it does not say all of itself: it may sleep");
	model_init(&r.m);
	r.m.sector_len = 1024;
	check_select_fails(&r, "its sectors are neither 512 nor 4096 bytes");
	model_init(&r.m);
	r.m.signature = 0xeb140101;
	check_select_fails(&r, "it is no disk: a drive for removable media");
	model_init(&r.m);
	r.m.signature = 0x96690101;
	check_select_fails(&r, "there is a port multiplier at the port");
	model_init(&r.m);
	r.m.no_link = true;
	check_select_fails(&r, "there is no disk at the port");
	model_init(&r.m);
	r.m.bad_sum = true;
	check_select_fails(&r, "what it says of itself has a wrong checksum");
}

/* A disk that could hide a part of itself and does not. */
static void
test_nothing_hidden(void **state)
{
	struct rig r;

	(void)state;
	model_init(&r.m);
	r.m.has_hpa = true;
	rig_up(&r);
	rig_end(&r);
}

static void
test_raid(void **state)
{
	static const char why[] =
		"it is a RAID controller, or AHCI in RAID mode";
	struct rig r;
	struct dfmt_hw hw;

	(void)state;
	model_init(&r.m);
	r.m.class = 0x010400;
	hw = model_hw(&r.m);
	assert_ptr_equal(dfmt_disk_driver_of(&hw), &dfmt_disk_ahci);
	assert_string_equal(dfmt_disk_refusal(&dfmt_disk_ahci, &hw), why);
	check_start_fails(&r, why);
}

/* ---- ones that fail ------------------------------------------------------ */

static void
test_bring_up_fails(void **state)
{
	struct rig r;

	(void)state;
	model_init(&r.m);
	r.m.never_reset = true;
	check_start_fails(&r, "the controller does not end its reset");
	model_init(&r.m);
	r.m.port_runs_on = true;
	check_start_fails(&r, "a port runs on behind a reset");
	model_init(&r.m);
	r.m.gone = true;
	check_start_fails(&r, "the PCI function does not answer");
	model_init(&r.m);
	r.m.ports = 0;
	check_start_fails(&r, "it has no port");
	model_init(&r.m);
	r.m.cap &= ~(1u << 31);
	check_start_fails(&r, "it does not reach memory above 4 GiB");
	model_init(&r.m);
	r.m.never_ready = true;
	check_select_fails(&r, "the disk does not get ready");
	model_init(&r.m);
	r.m.refused = 0xec;
	check_select_fails(&r, "the disk refuses a command");
	model_init(&r.m);
	r.m.swallow = 1;
	r.m.has_hpa = true;
	check_select_fails(&r, "it does not say where it ends");
}

/* Firmware that does not let go is not waited for without an end. */
static void
test_firmware(void **state)
{
	struct rig r;

	(void)state;
	model_init(&r.m);
	r.m.firmware_stays = true;
	rig_up(&r);
	assert_true(r.m.us > 2000000 && r.m.us < 4000000);
	rig_end(&r);
}

/* One of eight fails: the others are done, and only it is refused. */
static void
check_bad_sector(bool ncq)
{
	struct rig r;

	model_init(&r.m);
	r.m.no_ncq = !ncq;
	rig_up(&r);
	r.m.bad_sector = 1101;
	memset(buffer(&r), 0x5a, 1u << 20);
	assert_false(dfmt_disk_write(&r.d, 0, buffer(&r), 1u << 20));
	assert_string_equal(r.d.why, "the disk refuses a command");
	assert_int_equal(r.d.nr_failed, 1);
	assert_int_equal(r.d.nr_resets, 0);
	assert_memory_equal(r.m.disk, buffer(&r), 512ull * 1024);
	assert_int_equal(r.m.disk[512 * 1024], 0);
	assert_memory_equal(r.m.disk + 512ull * 1280, buffer(&r),
		(1u << 20) - 512 * 1280);
	assert_true(dfmt_disk_write(&r.d, 0, buffer(&r), 512 * 1100));
	assert_true(dfmt_disk_flush(&r.d));
	rig_end(&r);
}

static void
test_bad_sector(void **state)
{
	(void)state;
	check_bad_sector(true);
	check_bad_sector(false);
}

static void
test_flush_refused(void **state)
{
	struct rig r;

	(void)state;
	model_init(&r.m);
	rig_up(&r);
	r.m.refused = 0xea;
	assert_true(dfmt_disk_write(&r.d, 0, buffer(&r), 512));
	assert_false(dfmt_disk_flush(&r.d));
	assert_true(dfmt_disk_read(&r.d, 0, buffer(&r), 512));
	rig_end(&r);
}

/* A command without an answer: reset, and everything once more. */
static void
check_timeout(bool ncq)
{
	struct rig r;

	model_init(&r.m);
	r.m.no_ncq = !ncq;
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
test_timeout(void **state)
{
	(void)state;
	check_timeout(true);
	check_timeout(false);
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
	assert_false(dfmt_disk_write(&r.d, 0, buffer(&r), 512));
	assert_string_equal(r.d.why, "it is not running");
	rig_end(&r);
}

static void
test_unplugged(void **state)
{
	struct rig r;

	(void)state;
	model_init(&r.m);
	rig_up(&r);
	r.m.gone_after = r.m.nr_io + 2;
	assert_false(dfmt_disk_write(&r.d, 0, buffer(&r), 400384));
	assert_false(dfmt_disk_flush(&r.d));
	rig_end(&r);
}

static void
test_exchanged(void **state)
{
	struct rig r;

	(void)state;
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
		cmocka_unit_test(test_mixed),
		cmocka_unit_test(test_unfit),
		cmocka_unit_test(test_nothing_hidden),
		cmocka_unit_test(test_raid),
		cmocka_unit_test(test_bring_up_fails),
		cmocka_unit_test(test_firmware),
		cmocka_unit_test(test_bad_sector),
		cmocka_unit_test(test_flush_refused),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_dead),
		cmocka_unit_test(test_unplugged),
		cmocka_unit_test(test_exchanged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
