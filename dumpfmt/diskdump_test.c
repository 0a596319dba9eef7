/* SPDX-License-Identifier: MIT */
/* Compressed kdumps: descriptors, bitmaps and headers that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dfmt-fixture.h"

#define MEMORY                                                             \
	"format kdump\ncodec zlib\n"                                       \
	"repeat i 16\n at 0x10000+i*0x1000\n u64 i+1\n fill 4088 7\nend\n" \
	"excluded 0x20000 0x4000\n"

static struct dfmt *
open_text(struct fixture *fx, const char *text)
{
	struct dfmt_err err = { .what = "" };
	struct dfmt *d = NULL;

	*fx = fixture_text(text);
	assert_non_null(fx->bytes);
	if (dfmt_open_memory(fx->bytes, fx->len, NULL, &d, &err) != DFMT_OK)
		fail_msg("%s", err.what);
	return d;
}

static enum dfmt_status
fails(const char *text, struct dfmt_err *err)
{
	struct fixture fx = fixture_text(text);
	struct dfmt *d = NULL;

	assert_non_null(fx.bytes);
	enum dfmt_status st = dfmt_open_memory(fx.bytes, fx.len, NULL, &d, err);
	dfmt_close(d);
	fixture_free(&fx);
	return st;
}

/* Frame 0x12 with its descriptor damaged; its neighbours stand. */
static void
check_desc(const char *damage, const char *what)
{
	struct fixture fx;
	char text[512];
	struct dfmt_err err;
	uint64_t v;

	snprintf(text, sizeof(text), MEMORY "%s\n", damage);
	struct dfmt *d = open_text(&fx, text);
	assert_int_equal(dfmt_read(d, 0x12008, &v, 8, &err), DFMT_E_LOST);
	assert_string_equal(err.what, what);
	assert_int_equal(err.addr, 0x12008);
	assert_int_equal(dfmt_read(d, 0x11000, &v, 8, &err), DFMT_OK);
	assert_int_equal(v, 2);
	assert_int_equal(dfmt_read(d, 0x13000, &v, 8, &err), DFMT_OK);
	assert_int_equal(v, 4);
	/* A read across says which byte is the first that is lost. */
	assert_int_equal(dfmt_read(d, 0x11ffc, &v, 8, &err), DFMT_E_LOST);
	assert_int_equal(err.addr, 0x12000);
	dfmt_close(d);
	fixture_free(&fx);
}

static void
test_diskdump_bad_descriptor_loses_its_page_only(void **state)
{
	(void)state;
	check_desc("patch32 file.descs+48+12 3",
		"page descriptor: unknown flags");
	check_desc("patch32 file.descs+48+12 0", "page descriptor: size");
	check_desc("patch32 file.descs+48+12 2", "page does not decompress");
	check_desc("patch32 file.descs+48+12 4", "page does not decompress");
	check_desc("patch32 file.descs+48+12 0x20", "page does not decompress");
	check_desc("patch32 file.descs+48+8 0", "page descriptor: size");
	check_desc("patch32 file.descs+48+8 4097", "page descriptor: size");
	check_desc("patch32 file.descs+48+8 0xffffffff",
		"page descriptor: size");
	check_desc("patch32 file.descs+48+8 10", "page does not decompress");
	check_desc("patch64 file.descs+48 0", "page was never written");
	check_desc("patch64 file.descs+48 16", "page descriptor: offset");
	check_desc("patch64 file.descs+48 0x7fffffffffffffff",
		"past the end of the file");
	check_desc("patch64 file.descs+48 0xfffffffffffffff0",
		"past the end of the file");
}

static void
test_diskdump_tells_excluded_from_no_memory(void **state)
{
	struct fixture fx;
	struct dfmt *d = open_text(&fx, MEMORY "max_pfn 0x1000\n");
	struct dfmt_coverage cov;
	struct dfmt_err err;
	uint64_t v;

	(void)state;
	assert_int_equal(dfmt_read(d, 0x20000, &v, 8, &err), DFMT_E_EXCLUDED);
	assert_int_equal(dfmt_read(d, 0x23ff8, &v, 8, &err), DFMT_E_EXCLUDED);
	assert_int_equal(dfmt_read(d, 0x24000, &v, 8, &err), DFMT_E_RANGE);
	assert_string_equal(err.what, "no memory there");
	assert_int_equal(dfmt_read(d, 0xfff000, &v, 8, &err), DFMT_E_RANGE);
	assert_int_equal(dfmt_read(d, 0x1000000, &v, 8, &err), DFMT_E_RANGE);
	assert_string_equal(err.what, "beyond the machine's memory");
	assert_int_equal(dfmt_read(d, UINT64_MAX - 7, &v, 8, &err),
		DFMT_E_RANGE);
	assert_int_equal(dfmt_coverage_get(d, &cov, NULL), DFMT_OK);
	assert_int_equal(cov.nr_present, 16);
	assert_int_equal(cov.nr_excluded, 4);
	dfmt_close(d);
	fixture_free(&fx);
}

static void
test_diskdump_with_one_bitmap_knows_no_exclusion(void **state)
{
	struct fixture fx;
	struct dfmt *d = open_text(&fx,
		"format diskdump\none_bitmap\nat 0x1000\nu64 5\nat 0x3000\n"
		"u64 6\n");
	struct dfmt_err err;
	uint64_t v;

	(void)state;
	assert_int_equal(dfmt_read(d, 0x3000, &v, 8, &err), DFMT_OK);
	assert_int_equal(v, 6);
	assert_int_equal(dfmt_read(d, 0x2000, &v, 8, &err), DFMT_E_RANGE);
	dfmt_close(d);
	fixture_free(&fx);
}

/* Cut among the pages: what is lost is counted when asked. */
static void
test_diskdump_counts_what_a_cut_lost(void **state)
{
	struct fixture fx;
	struct dfmt *d =
		open_text(&fx, MEMORY "truncate u64(0)+file.data+100\n");
	struct dfmt_coverage cov;
	uint64_t v, nr = 0;

	(void)state;
	for (uint64_t pfn = 0x10; pfn < 0x20; pfn++)
		nr += dfmt_read(d, pfn * 4096, &v, 8, NULL) == DFMT_OK;
	assert_true(nr > 0 && nr < 16);
	assert_int_equal(dfmt_coverage_get(d, &cov, NULL), DFMT_OK);
	assert_int_equal(cov.nr_present, nr);
	assert_int_equal(cov.nr_lost, 16 - nr);
	dfmt_close(d);
	fixture_free(&fx);
}

/* The last page is of zeros, whose data lie at the front. */
static void
test_diskdump_counts_a_cut_behind_zeros(void **state)
{
	struct fixture fx;
	struct dfmt *d = open_text(&fx,
		"format kdump\ncodec zlib\nat 0x1000\nzero 4096\n"
		"at 0x2000\nnoise 4096 1\nat 0x3000\nnoise 4096 2\n"
		"at 0x4000\nzero 8192\ntruncate file.data+5000\n");
	struct dfmt_coverage cov;
	uint64_t v;

	(void)state;
	assert_int_equal(dfmt_read(d, 0x3000, &v, 8, NULL), DFMT_OK);
	assert_int_equal(dfmt_read(d, 0x3ff8, &v, 8, NULL), DFMT_E_LOST);
	assert_int_equal(dfmt_read(d, 0x5000, &v, 8, NULL), DFMT_OK);
	assert_int_equal(dfmt_coverage_get(d, &cov, NULL), DFMT_OK);
	assert_int_equal(cov.nr_present, 4);
	assert_int_equal(cov.nr_lost, 1);
	dfmt_close(d);
	fixture_free(&fx);
}

static void
test_diskdump_incomplete_status_is_truncated(void **state)
{
	struct fixture fx;
	struct dfmt *d =
		open_text(&fx, MEMORY "status 9\npatch64 file.descs+24*15 0\n");
	struct dfmt_coverage cov;
	struct dfmt_info info;

	(void)state;
	dfmt_info_get(d, &info);
	assert_true(info.truncated);
	assert_int_equal(dfmt_coverage_get(d, &cov, NULL), DFMT_OK);
	assert_int_equal(cov.nr_lost, 1);
	dfmt_close(d);
	fixture_free(&fx);
}

static void
test_diskdump_says_what_is_wrong(void **state)
{
	struct dfmt_err err;

	(void)state;
	assert_int_equal(fails(MEMORY "patch32 428 0\n", &err),
		DFMT_E_MALFORMED);
	assert_int_equal(fails(MEMORY "patch32 428 0x20000\n", &err),
		DFMT_E_MALFORMED);
	assert_int_equal(fails(MEMORY "patch32 432 0\n", &err),
		DFMT_E_MALFORMED);
	assert_int_equal(fails(MEMORY "patch32 436 0\n", &err),
		DFMT_E_MALFORMED);
	assert_int_equal(fails(MEMORY "patch32 8 7\n", &err),
		DFMT_E_UNSUPPORTED);
	assert_int_equal(fails(MEMORY "patch32 8 0xffffffff\n", &err),
		DFMT_E_UNSUPPORTED);
	assert_int_equal(fails(MEMORY "patch64 file.sub+96 0\n", &err),
		DFMT_E_MALFORMED);
	assert_int_equal(
		fails(MEMORY "patch64 file.sub+96 0xffffffffffffffff\n", &err),
		DFMT_E_MALFORMED);
	assert_int_equal(fails(MEMORY "truncate 100\n", &err), DFMT_E_LOST);
	assert_int_equal(fails(MEMORY "truncate 4100\n", &err), DFMT_E_LOST);
}

/* Notes that point nowhere are lost; the memory is not. */
static void
test_diskdump_opens_without_its_notes(void **state)
{
	struct fixture fx;
	struct dfmt *d = open_text(&fx,
		MEMORY "prstatus pid=1\npatch64 file.sub+48 0xffffffff00\n");
	struct dfmt_info info;
	uint64_t v;

	(void)state;
	dfmt_info_get(d, &info);
	assert_string_equal(info.details, "header 6, notes cut short");
	assert_int_equal(dfmt_nr_cpus(d), 0);
	assert_int_equal(dfmt_read(d, 0x10000, &v, 8, NULL), DFMT_OK);
	dfmt_close(d);
	fixture_free(&fx);
}

/* A 32-bit kernel under a 64-bit QEMU: the header says x86_64. */
static void
test_diskdump_believes_the_notes_about_the_machine(void **state)
{
	struct fixture fx;
	struct dfmt *d =
		open_text(&fx, MEMORY "machine i386\nprstatus rip=0xc0001000\n"
				      "patch64 0x110 0x34365f363878\n");
	struct dfmt_info info;

	(void)state;
	dfmt_info_get(d, &info);
	assert_int_equal(info.machine, DFMT_MACHINE_I386);
	assert_int_equal(dfmt_cpu_at(d, 0).rip, 0xc0001000);
	dfmt_close(d);
	fixture_free(&fx);
}

static void
test_diskdump_reads_larger_blocks(void **state)
{
	struct fixture fx = fixture_named("kdump-64k");
	struct dfmt_info info;
	uint8_t buf[32];
	struct dfmt *d;

	(void)state;
	assert_int_equal(dfmt_open_memory(fx.bytes, fx.len, NULL, &d, NULL),
		DFMT_OK);
	dfmt_info_get(d, &info);
	assert_int_equal(info.page_size, 65536);
	assert_int_equal(dfmt_read(d, 0xb000, buf, 19, NULL), DFMT_OK);
	assert_memory_equal(buf, "behind the excluded", 19);
	dfmt_close(d);
	fixture_free(&fx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_diskdump_bad_descriptor_loses_its_page_only),
		cmocka_unit_test(test_diskdump_tells_excluded_from_no_memory),
		cmocka_unit_test(
			test_diskdump_with_one_bitmap_knows_no_exclusion),
		cmocka_unit_test(test_diskdump_counts_what_a_cut_lost),
		cmocka_unit_test(test_diskdump_counts_a_cut_behind_zeros),
		cmocka_unit_test(test_diskdump_incomplete_status_is_truncated),
		cmocka_unit_test(test_diskdump_says_what_is_wrong),
		cmocka_unit_test(test_diskdump_opens_without_its_notes),
		cmocka_unit_test(
			test_diskdump_believes_the_notes_about_the_machine),
		cmocka_unit_test(test_diskdump_reads_larger_blocks),
	};

	return cmocka_run_group_tests_name("diskdump", tests, NULL, NULL);
}
