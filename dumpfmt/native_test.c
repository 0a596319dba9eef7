/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "native_machine.h"

#include <fcntl.h>
#include <unistd.h>

static struct dfmt *
open_bytes(const uint8_t *bytes, size_t len)
{
	struct dfmt_err err = { .what = "" };
	struct dfmt *d = NULL;
	enum dfmt_status st = dfmt_open_memory(bytes, len, NULL, &d, &err);

	if (st != DFMT_OK)
		print_error("open: %s %s\n", dfmt_status_name(st), err.what);
	assert_int_equal(st, DFMT_OK);
	return d;
}

static struct dfmt *
open_nb(const struct nb *b)
{
	return open_bytes(b->buf, b->len);
}

/* What a read of the whole frame must give in a complete dump. */
static enum dfmt_status
expected(uint64_t pfn)
{
	switch (nm_kind(pfn)) {
	case NM_LOST:
		return DFMT_E_LOST;
	case NM_EXCLUDED:
		return DFMT_E_EXCLUDED;
	case NM_NONE:
		return DFMT_E_RANGE;
	default:
		return DFMT_OK;
	}
}

static void
check_frame(const struct dfmt *d, uint64_t pfn)
{
	size_t len = pfn == NM_LAST_LOW ? 0xc00 : NB_FRAME;
	uint8_t got[NB_FRAME], want[NB_FRAME];
	struct dfmt_err err = { .what = "" };
	enum dfmt_status st = dfmt_read(d, pfn * NB_FRAME, got, len, &err);

	if (st != expected(pfn))
		print_error("frame %d: %s: %s\n", (int)pfn,
			dfmt_status_name(st), err.what);
	assert_int_equal(st, expected(pfn));
	if (st == DFMT_OK) {
		assert_true(nm_bytes(pfn, want));
		assert_memory_equal(got, want, len);
	} else {
		assert_int_equal(err.addr, pfn * NB_FRAME);
	}
}

static void
check_frames(const struct dfmt *d)
{
	for (uint64_t pfn = 0; pfn < NM_END + 10; pfn++)
		check_frame(d, pfn);
	/* Once more, out of the cache, and in another order. */
	for (uint64_t pfn = NM_END + 10; pfn-- > 0;)
		check_frame(d, pfn);
}

static bool
held(uint64_t addr)
{
	enum nm_kind kind = nm_kind(addr / NB_FRAME);

	return kind < NM_LOST && (addr < NM_LOW_END || addr >= 0x100000);
}

/* The runs of next_range are those of the machine, at steps of 1 KiB. */
static void
check_ranges(const struct dfmt *d)
{
	uint64_t at = 0, start, end;

	while (dfmt_next_range(d, at, &start, &end, NULL) == DFMT_OK) {
		assert_true(start >= at && end > start);
		for (; at < start; at += 1024)
			assert_false(held(at));
		for (; at < end; at += 1024)
			assert_true(held(at));
		assert_int_equal(at, end);
	}
	for (; at < NM_END * NB_FRAME; at += 1024)
		assert_false(held(at));
}

static void
test_native_frames_are_read_through_the_index(void **state)
{
	static const size_t fans[] = { 100, 3, 2 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct nb *b = nb_new();

		nm_dump(b, 9, fans[i]);
		struct dfmt *d = open_nb(b);
		assert_true(dfmt_native_get(d)->indexed);
		assert_null(dfmt_native_get(d)->missing);
		check_frames(d);
		check_ranges(d);
		dfmt_close(d);
		nb_free(b);
	}
}

static void
test_native_frames_are_read_without_an_index(void **state)
{
	struct nb *b = nb_new();

	(void)state;
	nm_dump(b, 9, 0);
	struct dfmt *d = open_nb(b);
	assert_false(dfmt_native_get(d)->indexed);
	assert_true(dfmt_native_get(d)->has_end);
	assert_null(dfmt_native_get(d)->missing);
	check_frames(d);
	check_ranges(d);
	dfmt_close(d);
	nb_free(b);
}

/* A file that is read with pread, of which nothing is in place. */
static void
test_native_frames_are_read_from_a_file(void **state)
{
	char path[] = "/tmp/dfmt-native-XXXXXX";
	const char *paths[] = { path };
	struct dfmt_options opt = { .no_mmap = true };

	(void)state;
	for (size_t fan = 0; fan <= 3; fan += 3) {
		struct nb *b = nb_new();
		struct dfmt *d;
		int fd = fan ? open(path, O_WRONLY) : mkstemp(path);

		b->align = fan ? 4096 : 512;
		nm_dump(b, 9, fan);
		assert_true(fd >= 0);
		assert_int_equal(write(fd, b->buf, b->len), b->len);
		close(fd);
		assert_int_equal(dfmt_open(paths, 1, &opt, &d, NULL), DFMT_OK);
		assert_int_equal(dfmt_native_get(d)->indexed, fan != 0);
		check_frames(d);
		check_ranges(d);
		dfmt_close(d);
		nb_free(b);
	}
	unlink(path);
}

static void
test_native_reads_cross_frames_and_end_at_memory(void **state)
{
	struct nb *b = nb_new();
	uint8_t got[3 * NB_FRAME], want[NB_FRAME];
	struct dfmt_err err;

	(void)state;
	nm_dump(b, 50, 100);
	struct dfmt *d = open_nb(b);
	assert_int_equal(dfmt_read(d, 8 * NB_FRAME + 4000, got, 4200, &err),
		DFMT_OK);
	nm_bytes(9, want);
	assert_memory_equal(got + 96, want, NB_FRAME);
	nm_bytes(10, want);
	assert_memory_equal(got + 96 + NB_FRAME, want, 8);
	/* A misaligned piece of a filled frame. */
	nm_bytes(9, want);
	assert_int_equal(dfmt_read(d, 9 * NB_FRAME + 3, got, 13, &err),
		DFMT_OK);
	assert_memory_equal(got, want + 3, 13);
	/* Memory ends inside a frame, also when the frame was read before. */
	assert_int_equal(dfmt_read(d, NM_LOW_END - 16, got, 17, &err),
		DFMT_E_RANGE);
	assert_int_equal(err.addr, NM_LOW_END);
	assert_int_equal(dfmt_read(d, NM_LOW_END - 16, got, 16, &err), DFMT_OK);
	assert_int_equal(dfmt_read(d, UINT64_MAX - 3, got, 4, &err),
		DFMT_E_RANGE);
	dfmt_close(d);
	nb_free(b);
}

static void
check_triage(const struct dfmt *d)
{
	const struct dfmt_native *n = dfmt_native_get(d);

	assert_true(n->has_triage && n->triage_whole);
	assert_string_equal(n->reason, "Fatal: it went wrong");
	assert_int_equal(n->console_len, 14);
	assert_string_equal(n->console, "line 1\nline 2\n");
	assert_int_equal(n->generation, 7);
	assert_int_equal(n->time_sec, 1700000000);
	assert_int_equal(n->time_nsec, 500);
	assert_null(n->original);
	assert_int_equal(dfmt_nr_versions(d), 2);
	assert_string_equal(dfmt_version_at(d, 1), "linux=6.1.0");
	assert_int_equal(dfmt_nr_frames(d), 2);
	assert_string_equal(dfmt_frame_at(d, 0).text, "panic");
	assert_int_equal(dfmt_frame_at(d, 0).pc, 0x8000);
	assert_string_equal(dfmt_frame_at(d, 1).text, "main");
}

static void
check_meta(const struct dfmt *d)
{
	const struct dfmt_native *n = dfmt_native_get(d);
	size_t len;

	assert_int_equal(dfmt_nr_cpus(d), 2);
	assert_int_equal(n->panic_cpu, 1);
	assert_true(dfmt_cpu_at(d, 1).panicked);
	assert_int_equal(dfmt_cpu_at(d, 1).id, 3);
	assert_true(dfmt_cpu_at(d, 1).rip == UINT64_C(0xffff82d080201234));
	assert_int_equal(dfmt_nr_worlds(d), 2);
	assert_string_equal(dfmt_world_at(d, 0).system, "xen");
	assert_int_equal(dfmt_world_at(d, 1).root, 0x3000);
	assert_string_equal(dfmt_world_at(d, 1).name,
		"0123456789abcdef0123456789abcdef");
	assert_int_equal(dfmt_nr_ranges(d), 2);
	assert_int_equal(dfmt_range_at(d, 0).len, NM_LOW_END);
	assert_int_equal(dfmt_nr_vranges(d), 1);
	assert_int_equal(dfmt_vrange_at(d, 0).paddr, 0x100000);
	assert_int_equal(dfmt_nr_notes(d), 1);
	assert_string_equal(dfmt_vmcoreinfo(d, &len), "A=bcd\n");
}

static void
test_native_says_what_it_was_told(void **state)
{
	struct nb *b = nb_new();
	struct dfmt_coverage cov;
	struct dfmt_info info;

	(void)state;
	nm_dump(b, 9, 100);
	struct dfmt *d = open_nb(b);
	check_triage(d);
	check_meta(d);
	dfmt_info_get(d, &info);
	assert_int_equal(info.kind, DFMT_KIND_NATIVE);
	assert_int_equal(info.machine, DFMT_MACHINE_X86_64);
	assert_int_equal(info.max_addr, NM_END * NB_FRAME);
	assert_false(info.truncated);
	assert_int_equal(dfmt_coverage_get(d, &cov, NULL), DFMT_OK);
	assert_true(cov.counted);
	assert_int_equal(cov.nr_present,
		b->counts[0] + b->counts[1] + b->counts[2]);
	assert_int_equal(cov.nr_lost, b->counts[3]);
	assert_int_equal(cov.nr_excluded, 10);
	dfmt_close(d);
	nb_free(b);
}

static void
test_native_blobs_are_put_together(void **state)
{
	struct nb *b = nb_new();
	uint8_t want[2400];
	struct dfmt_err err;
	const void *p, *again;
	size_t len;

	(void)state;
	nm_dump(b, 9, 100);
	struct dfmt *d = open_nb(b);
	assert_int_equal(dfmt_nr_objects(d), 1);
	assert_string_equal(dfmt_object_at(d, 0).name, "xen");
	assert_int_equal(dfmt_object_at(d, 0).build_id_len, 20);
	assert_int_equal(dfmt_object_blob(d, 0, 1, &p, &len, &err), DFMT_OK);
	assert_int_equal(len, sizeof(want));
	nm_symtab(want, sizeof(want));
	assert_memory_equal(p, want, len);
	assert_int_equal(dfmt_object_blob(d, 0, 1, &again, &len, &err),
		DFMT_OK);
	assert_ptr_equal(p, again);
	assert_int_equal(dfmt_object_blob(d, 0, 2, &p, &len, &err), DFMT_OK);
	assert_memory_equal(p, "\0start\0", 7);
	assert_int_equal(dfmt_object_blob(d, 0, 3, &p, &len, &err),
		DFMT_E_RANGE);
	assert_int_equal(dfmt_object_blob(d, 9, 1, &p, &len, &err),
		DFMT_E_RANGE);
	dfmt_close(d);
	nb_free(b);
}

static void
test_native_frame_info_needs_no_expanding(void **state)
{
	struct nb *b = nb_new();
	struct dfmt_frame_info info;

	(void)state;
	nm_dump(b, 9, 100);
	struct dfmt *d = open_nb(b);
	for (uint64_t pfn = 0; pfn < NM_END; pfn++) {
		enum nm_kind kind = nm_kind(pfn);
		enum dfmt_status st = dfmt_frame_info_get(d, pfn, &info, NULL);

		if (kind == NM_NONE || kind == NM_EXCLUDED) {
			assert_int_equal(st, expected(pfn));
			continue;
		}
		assert_int_equal(st, DFMT_OK);
		assert_int_equal(info.kind, kind);
		assert_int_equal(info.class, nm_class(pfn));
		assert_true(info.arg == nm_arg(pfn));
	}
	dfmt_close(d);
	nb_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_native_frames_are_read_through_the_index),
		cmocka_unit_test(test_native_frames_are_read_without_an_index),
		cmocka_unit_test(test_native_frames_are_read_from_a_file),
		cmocka_unit_test(
			test_native_reads_cross_frames_and_end_at_memory),
		cmocka_unit_test(test_native_says_what_it_was_told),
		cmocka_unit_test(test_native_blobs_are_put_together),
		cmocka_unit_test(test_native_frame_info_needs_no_expanding),
	};

	return cmocka_run_group_tests_name("native", tests, NULL, NULL);
}
