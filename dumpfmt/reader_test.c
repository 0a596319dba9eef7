/* SPDX-License-Identifier: MIT */
/*
 * What must hold of every format: the same text compiled to each gives the
 * same memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dfmt-bytes.h"
#include "dfmt-fixture.h"

#include <fcntl.h>
#include <pthread.h>

#define NR_FRAMES 14

/* What small.inc says of each frame. */
static const enum dfmt_status expected[NR_FRAMES] = { DFMT_E_RANGE, DFMT_OK,
	DFMT_OK, DFMT_OK, DFMT_OK, DFMT_OK, DFMT_E_RANGE, DFMT_E_RANGE, DFMT_OK,
	DFMT_E_EXCLUDED, DFMT_E_EXCLUDED, DFMT_OK, DFMT_E_RANGE, DFMT_E_RANGE };

static uint8_t memory[NR_FRAMES * 4096];

/* Fills `memory` from the raw image, which needs no reader. */
static int
load_memory(void **state)
{
	struct fixture fx = fixture_named("raw");

	(void)state;
	if (!fx.bytes || fx.len > sizeof(memory))
		return -1;
	memcpy(memory, fx.bytes, fx.len);
	fixture_free(&fx);
	return 0;
}

static void
check_frames(const struct dfmt *d)
{
	uint8_t page[4096];
	struct dfmt_err err;

	for (uint64_t pfn = 0; pfn < NR_FRAMES; pfn++) {
		memset(&err, 0, sizeof(err));
		enum dfmt_status st =
			dfmt_read(d, pfn * 4096, page, sizeof(page), &err);

		if (st != expected[pfn])
			fail_msg("frame %d: %s (%s)", (int)pfn,
				dfmt_status_name(st), err.what);
		if (st == DFMT_OK)
			assert_memory_equal(page, memory + pfn * 4096, 4096);
		else
			assert_int_equal(err.addr, pfn * 4096);
	}
}

static void
check_ranges(const struct dfmt *d)
{
	static const uint64_t want[][2] = { { 0x1000, 0x6000 },
		{ 0x8000, 0x9000 }, { 0xb000, 0xc000 } };
	uint64_t start, end, at = 0;

	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(dfmt_next_range(d, at, &start, &end, NULL),
			DFMT_OK);
		assert_int_equal(start, want[i][0]);
		assert_int_equal(end, want[i][1]);
		at = end;
	}
	assert_int_equal(dfmt_next_range(d, at, &start, &end, NULL),
		DFMT_E_RANGE);
	assert_int_equal(dfmt_next_range(d, 0x1234, &start, &end, NULL),
		DFMT_OK);
	assert_int_equal(start, 0x1234);
}

/* Reads of every kind of ends around the boundaries of frames. */
static void
check_boundaries(const struct dfmt *d)
{
	uint8_t buf[0x5000];
	struct dfmt_err err;

	for (uint64_t a = 0x1ff0; a < 0x2010; a++) {
		for (size_t len = 1; len <= 17; len++) {
			assert_int_equal(dfmt_read(d, a, buf, len, NULL),
				DFMT_OK);
			assert_memory_equal(buf, memory + a, len);
		}
	}
	assert_int_equal(dfmt_read(d, 0x1000, buf, 0x5000, NULL), DFMT_OK);
	assert_memory_equal(buf, memory + 0x1000, 0x5000);
	/* The first byte that is not there is named, not the first read. */
	assert_int_equal(dfmt_read(d, 0x5ff8, buf, 16, &err), DFMT_E_RANGE);
	assert_int_equal(err.addr, 0x6000);
	assert_int_equal(dfmt_read(d, 0x8ffc, buf, 8, &err), DFMT_E_EXCLUDED);
	assert_int_equal(err.addr, 0x9000);
	assert_int_equal(dfmt_read(d, UINT64_MAX - 3, buf, 8, &err),
		DFMT_E_RANGE);
	assert_int_equal(dfmt_read(d, 0x1000, buf, 0, NULL), DFMT_OK);
}

static void
check_notes(const struct dfmt *d, bool i386)
{
	size_t len;
	const char *text = dfmt_vmcoreinfo(d, &len);

	assert_int_equal(dfmt_nr_cpus(d), 2);
	struct dfmt_cpu cpu = dfmt_cpu_at(d, 0);
	assert_true(cpu.has_regs && cpu.has_cr && cpu.has_kernel_gs);
	assert_int_equal(cpu.pid, 42);
	assert_int_equal(cpu.rip, 0xffffffff81000010);
	assert_int_equal(cpu.cr0, 0x80050033);
	assert_int_equal(cpu.cr3, 0x1000);
	assert_int_equal(cpu.cr4, 0x6f0);
	assert_int_equal(cpu.gs_base, 0xffff888000000000);
	assert_int_equal(cpu.kernel_gs_base, 7);
	cpu = dfmt_cpu_at(d, 1);
	assert_true(cpu.has_regs && !cpu.has_cr && !cpu.has_kernel_gs);
	assert_int_equal(cpu.pid, 43);
	assert_int_equal(cpu.rip, 0x401000);
	assert_int_equal(cpu.cs, 0x33);
	assert_int_equal(cpu.has_bases, !i386);
	assert_non_null(text);
	assert_memory_equal(text, "OSRELEASE=0.0.0-fixture\n", 24);
	assert_int_equal(text[len - 1], '\n');
	assert_non_null(strstr(text, "SYMBOL(first)=ffffffff81000010\n"));
	assert_null(dfmt_vmcoreinfo_xen(d, &len));
}

static void
check_coverage(const struct dfmt *d, uint64_t excluded)
{
	struct dfmt_coverage cov;

	assert_int_equal(dfmt_coverage_get(d, &cov, NULL), DFMT_OK);
	assert_true(cov.counted);
	assert_int_equal(cov.nr_present, 7);
	assert_int_equal(cov.nr_excluded, excluded);
	assert_int_equal(cov.nr_lost, 0);
}

struct sort {
	const char *name;
	const char *format;
	const char *details;
	bool i386;
	bool notes;
	uint64_t excluded;
};

static const struct sort sorts[] = {
	{ "elf64", "ELF64 core", "4 program headers", false, true, 2 },
	{ "elf32", "ELF32 core", "4 program headers", true, true, 2 },
	{ "elf64-xnum", "ELF64 core", "4 program headers", false, true, 2 },
	{ "kdump-none", "kdump compressed (not compressed)", "header 6", false,
		true, 2 },
	{ "kdump-zlib", "kdump compressed (zlib)", "header 6", false, true, 2 },
	{ "kdump-lzo", "kdump compressed (lzo)", "header 6", false, true, 2 },
	{ "kdump-snappy", "kdump compressed (snappy)", "header 6", false, true,
		2 },
	{ "kdump-zstd", "kdump compressed (zstd)", "header 6", false, true, 2 },
	{ "kdump-v1", "kdump compressed (zlib)", "header 1", false, false, 2 },
	{ "kdump-v2", "kdump compressed (zlib)", "header 2", false, false, 2 },
	{ "kdump-v3", "kdump compressed (zlib)", "header 3", false, false, 2 },
	{ "kdump-v4", "kdump compressed (zlib)", "header 4", false, true, 2 },
	{ "kdump-v5", "kdump compressed (zlib)", "header 5", false, true, 2 },
	{ "kdump-32", "kdump compressed (zlib)", "header 6, 32 bit", true, true,
		2 },
	{ "diskdump", "diskdump (not compressed)", "header 0", false, false,
		2 },
	{ "flat", "kdump compressed (lzo)", "header 6, flattened", false, true,
		2 },
	{ "flat-wild", "kdump compressed (lzo)", "header 6, flattened", false,
		true, 2 },
};

static void
check_dump(const struct dfmt *d, const struct sort *s)
{
	struct dfmt_info info;

	dfmt_info_get(d, &info);
	assert_string_equal(info.format, s->format);
	assert_string_equal(info.details, s->details);
	assert_int_equal(info.machine,
		s->i386 ? DFMT_MACHINE_I386 : DFMT_MACHINE_X86_64);
	assert_int_equal(info.page_size, 4096);
	assert_int_equal(info.max_addr, 0xc000);
	assert_true(dfmt_nr_ranges(d) > 0);
	assert_false(info.truncated);
	check_frames(d);
	check_ranges(d);
	check_boundaries(d);
	check_coverage(d, s->excluded);
	if (s->notes)
		check_notes(d, s->i386);
}

static void
test_reader_gives_the_same_memory_for_each_format(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++) {
		struct fixture fx = fixture_named(sorts[i].name);
		struct dfmt_options no_mmap = { .no_mmap = true };
		const char *path = fx.path;
		struct dfmt *d;

		assert_non_null(fx.bytes);
		print_message("%s\n", sorts[i].name);
		assert_int_equal(dfmt_open(&path, 1, NULL, &d, NULL), DFMT_OK);
		check_dump(d, &sorts[i]);
		dfmt_close(d);
		assert_int_equal(dfmt_open(&path, 1, &no_mmap, &d, NULL),
			DFMT_OK);
		check_dump(d, &sorts[i]);
		dfmt_close(d);
		assert_int_equal(
			dfmt_open_memory(fx.bytes, fx.len, NULL, &d, NULL),
			DFMT_OK);
		check_dump(d, &sorts[i]);
		dfmt_close(d);
		fixture_free(&fx);
	}
}

static void
test_reader_opens_a_v3_kdump_with_its_vmcoreinfo(void **state)
{
	struct fixture fx = fixture_named("kdump-v3");
	struct dfmt *d;
	size_t len;

	(void)state;
	assert_int_equal(dfmt_open_memory(fx.bytes, fx.len, NULL, &d, NULL),
		DFMT_OK);
	assert_non_null(dfmt_vmcoreinfo(d, &len));
	assert_int_equal(len, 84);
	dfmt_close(d);
	fixture_free(&fx);
}

static void
test_reader_raw_image_only_when_asked(void **state)
{
	struct fixture fx = fixture_named("raw");
	struct dfmt_options raw = { .raw = true };
	struct dfmt_err err;
	struct dfmt *d;
	uint8_t buf[16];

	(void)state;
	assert_int_equal(dfmt_open_memory(fx.bytes, fx.len, NULL, &d, &err),
		DFMT_E_FORMAT);
	assert_int_equal(dfmt_open_memory(fx.bytes, fx.len, &raw, &d, &err),
		DFMT_OK);
	assert_int_equal(dfmt_read(d, 0xb000, buf, 16, &err), DFMT_OK);
	assert_memory_equal(buf, "behind the exclu", 16);
	assert_int_equal(dfmt_read(d, fx.len - 8, buf, 16, &err), DFMT_E_RANGE);
	assert_int_equal(err.addr, fx.len);
	dfmt_close(d);
	fixture_free(&fx);
}

static void
test_reader_views_what_is_not_compressed(void **state)
{
	struct fixture elf = fixture_named("elf64");
	struct fixture lzo = fixture_named("kdump-lzo");
	struct dfmt_err err;
	const void *p;
	struct dfmt *d;
	size_t len;

	(void)state;
	assert_int_equal(dfmt_open_memory(elf.bytes, elf.len, NULL, &d, NULL),
		DFMT_OK);
	assert_int_equal(dfmt_view(d, 0x1ff8, 0x100, &p, &len, &err), DFMT_OK);
	assert_int_equal(len, 0x100);
	assert_memory_equal(p, memory + 0x1ff8, len);
	/* A run ends the view. */
	assert_int_equal(dfmt_view(d, 0x5ff8, 0x100, &p, &len, &err), DFMT_OK);
	assert_int_equal(len, 8);
	assert_int_equal(dfmt_view(d, 0x9000, 8, &p, &len, &err),
		DFMT_E_EXCLUDED);
	dfmt_close(d);
	assert_int_equal(dfmt_open_memory(lzo.bytes, lzo.len, NULL, &d, NULL),
		DFMT_OK);
	assert_int_equal(dfmt_view(d, 0x1000, 8, &p, &len, &err),
		DFMT_E_UNSUPPORTED);
	assert_int_equal(dfmt_view(d, 0x5010, 0x2000, &p, &len, &err), DFMT_OK);
	assert_int_equal(len, 0xff0);
	assert_memory_equal(p, memory + 0x5010, len);
	dfmt_close(d);
	fixture_free(&elf);
	fixture_free(&lzo);
}

/* ---- statistics --------------------------------------------------------- */

static void
test_reader_counts_blocks_of_the_file_once(void **state)
{
	struct fixture fx = fixture_named("kdump-lzo");
	struct dfmt_stats before, after;
	struct dfmt *d;
	uint64_t v;

	(void)state;
	assert_int_equal(dfmt_open_memory(fx.bytes, fx.len, NULL, &d, NULL),
		DFMT_OK);
	dfmt_stats_get(d, &before);
	for (int i = 0; i < 10; i++)
		assert_int_equal(dfmt_read(d, 0x1000, &v, 8, NULL), DFMT_OK);
	dfmt_stats_get(d, &after);
	assert_int_equal(after.reads, before.reads + 10);
	assert_int_equal(after.cache_misses, 1);
	assert_int_equal(after.cache_hits, 9);
	assert_int_equal(after.cache_bytes, 4096);
	/* Header, sub header, two bitmaps, descriptors with their data. */
	assert_true(after.bytes_read <= 5 * 4096);
	dfmt_close(d);
	fixture_free(&fx);
}

/* ---- files -------------------------------------------------------------- */

static enum dfmt_status
open_path(const char *path, struct dfmt_err *err)
{
	struct dfmt *d = NULL;
	enum dfmt_status st = dfmt_open(&path, 1, NULL, &d, err);

	dfmt_close(st == DFMT_OK ? d : NULL);
	return st;
}

static void
test_reader_says_what_is_no_dump(void **state)
{
	struct dfmt_err err;

	(void)state;
	assert_int_equal(open_path("/", &err), DFMT_E_IO);
	assert_int_equal(open_path("/nonexistent/x", &err), DFMT_E_IO);
	assert_int_equal(open_path("/dev/null", &err), DFMT_E_IO);
	assert_int_equal(open_path("GNUmakefile", &err), DFMT_E_FORMAT);
	assert_int_equal(open_path("/proc/self/exe", &err), DFMT_E_FORMAT);
	assert_string_equal(err.what, "an ELF file, but no core dump");
	assert_int_equal(dfmt_open_memory("", 0, NULL, NULL, &err),
		DFMT_E_FORMAT);
	assert_string_equal(err.what, "the file is empty");
}

/* The file shrinks under the mapping: lost, not SIGBUS, not zeros. */
static void
test_reader_calls_lost_what_a_shrunk_file_had(void **state)
{
	struct fixture fx = fixture_named("elf64");
	const char *path = fx.path;
	uint8_t page[4096];
	const void *p;
	struct dfmt_err err;
	struct dfmt *d;
	size_t len;

	(void)state;
	assert_int_equal(dfmt_open(&path, 1, NULL, &d, NULL), DFMT_OK);
	assert_int_equal(dfmt_read(d, 0x8000, page, 4096, NULL), DFMT_OK);
	assert_int_equal(truncate(path, 0x2000), 0);
	assert_int_equal(dfmt_view(d, 0xb000, 8, &p, &len, &err),
		DFMT_E_UNSUPPORTED);
	assert_int_equal(dfmt_read(d, 0x8000, page, 4096, &err), DFMT_E_LOST);
	assert_int_equal(err.addr, 0x8000);
	assert_int_equal(dfmt_read(d, 0x8000, page, 8, &err), DFMT_E_LOST);
	/* What is still there is still read. */
	assert_int_equal(dfmt_read(d, 0x1000, page, 4096, &err), DFMT_OK);
	assert_memory_equal(page, memory + 0x1000, 4096);
	dfmt_close(d);
	fixture_free(&fx);
}

/* Who looks through a view of a file that shrinks can know. */
static void
test_reader_knows_when_views_no_longer_hold(void **state)
{
	struct fixture fx = fixture_named("elf64");
	const char *path = fx.path;
	const void *p;
	struct dfmt *d;
	size_t len;

	(void)state;
	assert_int_equal(dfmt_open(&path, 1, NULL, &d, NULL), DFMT_OK);
	assert_int_equal(dfmt_view(d, 0x8000, 4096, &p, &len, NULL), DFMT_OK);
	assert_memory_equal(p, memory + 0x8000, len);
	assert_true(dfmt_views_hold(d));
	assert_int_equal(truncate(path, 0x2000), 0);
	assert_int_equal(*(const volatile uint8_t *)p, 0);
	assert_false(dfmt_views_hold(d));
	dfmt_close(d);
	fixture_free(&fx);
}

/* With no_mmap what a file gained since is read. */
static void
test_reader_follows_a_file_that_grows(void **state)
{
	struct fixture fx = fixture_named("elf64");
	struct dfmt_options opt = { .no_mmap = true };
	const char *path = fx.path;
	uint8_t page[4096];
	struct dfmt *d;

	(void)state;
	assert_int_equal(truncate(path, 0x3000), 0);
	assert_int_equal(dfmt_open(&path, 1, &opt, &d, NULL), DFMT_OK);
	assert_int_equal(dfmt_read(d, 0x8000, page, 4096, NULL), DFMT_E_LOST);
	int fd = open(path, O_WRONLY);
	assert_int_equal(write(fd, fx.bytes, fx.len), fx.len);
	close(fd);
	assert_int_equal(dfmt_read(d, 0x8000, page, 4096, NULL), DFMT_OK);
	assert_memory_equal(page, memory + 0x8000, 4096);
	dfmt_close(d);
	fixture_free(&fx);
}

static void
test_reader_opens_split_parts_in_any_order(void **state)
{
	struct fixture fx = fixture_named("split");
	char part[4][80];
	const char *paths[4] = { part[2], part[0], part[3], part[1] };
	uint8_t page[4096];
	struct dfmt_info info;
	struct dfmt_err err;
	struct dfmt *d;

	(void)state;
	for (int i = 0; i < 4; i++)
		snprintf(part[i], sizeof(part[i]), "%s.%d", fx.path, i + 1);
	assert_int_equal(dfmt_open(paths, 4, NULL, &d, NULL), DFMT_OK);
	check_frames(d);
	check_ranges(d);
	check_coverage(d, 2);
	dfmt_info_get(d, &info);
	assert_string_equal(info.details, "header 6, 4 parts");
	dfmt_close(d);
	/* Without one its frames are lost, the others stand. */
	assert_int_equal(dfmt_open(paths, 2, NULL, &d, NULL), DFMT_OK);
	assert_int_equal(dfmt_read(d, 0x1000, page, 4096, &err), DFMT_OK);
	assert_int_equal(dfmt_read(d, 0x8000, page, 4096, &err), DFMT_E_LOST);
	assert_int_equal(dfmt_read(d, 0x9000, page, 4096, &err),
		DFMT_E_EXCLUDED);
	assert_int_equal(dfmt_read(d, 0x6000, page, 4096, &err), DFMT_E_RANGE);
	struct dfmt_coverage cov;
	assert_int_equal(dfmt_coverage_get(d, &cov, NULL), DFMT_OK);
	assert_int_equal(cov.nr_present, 5);
	assert_int_equal(cov.nr_lost, 2);
	dfmt_close(d);
	paths[1] = paths[0];
	assert_int_equal(dfmt_open(paths, 2, NULL, &d, &err), DFMT_E_MALFORMED);
	fixture_free(&fx);
}

static void
test_reader_refuses_files_that_are_no_parts(void **state)
{
	struct fixture one = fixture_named("kdump-lzo");
	struct fixture two = fixture_named("elf64");
	const char *paths[] = { one.path, one.path };
	struct dfmt_err err;
	struct dfmt *d;

	(void)state;
	assert_int_equal(dfmt_open(paths, 2, NULL, &d, &err), DFMT_E_MALFORMED);
	paths[0] = paths[1] = two.path;
	assert_int_equal(dfmt_open(paths, 2, NULL, &d, &err), DFMT_E_MALFORMED);
	paths[0] = one.path;
	assert_int_not_equal(dfmt_open(paths, 2, NULL, &d, &err), DFMT_OK);
	assert_int_equal(dfmt_open(paths, 0, NULL, &d, &err), DFMT_E_FORMAT);
	fixture_free(&one);
	fixture_free(&two);
}

/* ---- many readers ------------------------------------------------------- */

struct reader {
	const struct dfmt *d;
	unsigned int seed;
	size_t nr_wrong;
};

static void *
read_on(void *arg)
{
	static const uint64_t frames[] = { 1, 2, 3, 4, 5, 8, 11 };
	struct reader *r = arg;
	uint8_t buf[4096];

	for (int i = 0; i < 3000; i++) {
		uint64_t at = frames[rand_r(&r->seed) % 7] * 4096;
		uint64_t in = (uint64_t)rand_r(&r->seed) % 4096;
		size_t len = (size_t)rand_r(&r->seed) % (4096 - in) + 1;

		if (dfmt_read(r->d, at + in, buf, len, NULL) != DFMT_OK ||
			memcmp(buf, memory + at + in, len) != 0)
			r->nr_wrong++;
	}
	return NULL;
}

static void
test_reader_serves_many_threads(void **state)
{
	struct fixture fx = fixture_named("kdump-lzo");
	/* One set of eight slots. */
	struct dfmt_options opt = { .cache_bytes = 1 };
	struct reader readers[4];
	pthread_t threads[4];
	struct dfmt *d;

	(void)state;
	assert_int_equal(dfmt_open_memory(fx.bytes, fx.len, &opt, &d, NULL),
		DFMT_OK);
	for (unsigned int i = 0; i < 4; i++) {
		readers[i] = (struct reader){ d, i + 1, 0 };
		assert_int_equal(
			pthread_create(&threads[i], NULL, read_on, &readers[i]),
			0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(readers[i].nr_wrong, 0);
	}
	dfmt_close(d);
	fixture_free(&fx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_reader_gives_the_same_memory_for_each_format),
		cmocka_unit_test(
			test_reader_opens_a_v3_kdump_with_its_vmcoreinfo),
		cmocka_unit_test(test_reader_raw_image_only_when_asked),
		cmocka_unit_test(test_reader_views_what_is_not_compressed),
		cmocka_unit_test(test_reader_counts_blocks_of_the_file_once),
		cmocka_unit_test(test_reader_says_what_is_no_dump),
		cmocka_unit_test(test_reader_calls_lost_what_a_shrunk_file_had),
		cmocka_unit_test(test_reader_knows_when_views_no_longer_hold),
		cmocka_unit_test(test_reader_follows_a_file_that_grows),
		cmocka_unit_test(test_reader_opens_split_parts_in_any_order),
		cmocka_unit_test(test_reader_refuses_files_that_are_no_parts),
		cmocka_unit_test(test_reader_serves_many_threads),
	};

	return cmocka_run_group_tests_name("reader", tests, load_memory, NULL);
}
