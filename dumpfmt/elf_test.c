/* SPDX-License-Identifier: MIT */
/* ELF cores: overlaps, tails, wild headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dfmt-fixture.h"

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

static uint64_t
word(const struct dfmt *d, uint64_t addr)
{
	uint64_t v = 0;

	assert_int_equal(dfmt_read(d, addr, &v, 8, NULL), DFMT_OK);
	return v;
}

#define MEMORY           \
	"format elf64\n" \
	"repeat i 0x1000\n at 0x10000+i*8\n u64 0x10000+i*8\nend\n"

/* Each segment with its own bytes: the first to begin is believed. */
static void
test_elf_overlapping_segments_cover_all_of_them(void **state)
{
	struct fixture fx;
	struct dfmt *d = open_text(&fx,
		MEMORY "segment 0x10000 0x1000 copy\n"
		       "segment 0x10800 0x2000 copy\n"
		       "segment 0x10c00 0x400 copy\n"
		       "segment 0x11000 0x4000 filesz=0x3000 copy\n"
		       "segment 0x13000 0x800 copy\n"
		       "segment 0x10000 0x800 copy\n");
	struct dfmt_coverage cov;
	uint64_t start, end;
	struct dfmt_err err;

	(void)state;
	for (uint64_t a = 0x10000; a < 0x14000; a += 8)
		assert_int_equal(word(d, a), a);
	assert_int_equal(dfmt_read(d, 0x14000, &start, 8, &err),
		DFMT_E_EXCLUDED);
	assert_int_equal(dfmt_read(d, 0x15000, &start, 8, &err), DFMT_E_RANGE);
	assert_int_equal(dfmt_next_range(d, 0, &start, &end, NULL), DFMT_OK);
	assert_int_equal(start, 0x10000);
	assert_int_equal(end, 0x14000);
	assert_int_equal(dfmt_coverage_get(d, &cov, NULL), DFMT_OK);
	assert_int_equal(cov.nr_present, 4);
	assert_int_equal(cov.nr_excluded, 1);
	dfmt_close(d);
	fixture_free(&fx);
}

/* A tail that another segment's bytes cover is there. */
static void
test_elf_bytes_win_over_tails(void **state)
{
	struct fixture fx;
	struct dfmt *d =
		open_text(&fx, MEMORY "segment 0x10000 0x8000 filesz=0x1000\n"
				      "segment 0x12000 0x1000\n");
	struct dfmt_coverage cov;
	struct dfmt_err err;
	uint64_t v;

	(void)state;
	assert_int_equal(word(d, 0x10ff8), 0x10ff8);
	assert_int_equal(word(d, 0x12000), 0x12000);
	assert_int_equal(dfmt_read(d, 0x11000, &v, 8, &err), DFMT_E_EXCLUDED);
	assert_int_equal(dfmt_read(d, 0x13000, &v, 8, &err), DFMT_E_EXCLUDED);
	assert_int_equal(dfmt_read(d, 0x12ffc, &v, 8, &err), DFMT_E_EXCLUDED);
	assert_int_equal(err.addr, 0x13000);
	assert_int_equal(dfmt_coverage_get(d, &cov, NULL), DFMT_OK);
	assert_int_equal(cov.nr_present, 2);
	assert_int_equal(cov.nr_excluded, 6);
	dfmt_close(d);
	fixture_free(&fx);
}

static void
test_elf_states_virtual_ranges(void **state)
{
	struct fixture fx;
	struct dfmt *d = open_text(&fx,
		MEMORY "segment 0x10000 0x1000 vaddr=0xffff888000010000\n"
		       "segment 0x11000 0x1000\n"
		       "segment 0x12000 0x1000 vaddr=0xffffffffffffffff\n"
		       "segment 0x10000 0x1000 vaddr=0xffffffff81000000\n");
	struct dfmt_vrange r;

	(void)state;
	assert_int_equal(dfmt_nr_vranges(d), 2);
	r = dfmt_vrange_at(d, 0);
	assert_int_equal(r.vaddr, 0xffff888000010000);
	assert_int_equal(r.paddr, 0x10000);
	assert_int_equal(r.len, 0x1000);
	r = dfmt_vrange_at(d, 1);
	assert_int_equal(r.vaddr, 0xffffffff81000000);
	assert_int_equal(r.paddr, 0x10000);
	/* All four are ranges of memory. */
	assert_int_equal(dfmt_nr_ranges(d), 4);
	assert_int_equal(dfmt_range_at(d, 1).addr, 0x11000);
	assert_int_equal(dfmt_range_at(d, 1).len, 0x1000);
	assert_true(dfmt_range_at(d, 1).vaddr == DFMT_NONE);
	assert_true(dfmt_range_at(d, 2).vaddr == DFMT_NONE);
	assert_true(dfmt_range_at(d, 3).vaddr == 0xffffffff81000000);
	assert_null(dfmt_native_get(d));
	assert_int_equal(dfmt_nr_worlds(d), 0);
	dfmt_close(d);
	fixture_free(&fx);
}

static void
test_elf_many_segments_are_found(void **state)
{
	struct fixture fx;
	struct dfmt *d =
		open_text(&fx, "format elf64\nxnum\n"
			       "repeat i 3000\n at i*0x2000\n u64 i\nend\n");
	struct dfmt_info info;
	uint64_t v;

	(void)state;
	dfmt_info_get(d, &info);
	assert_string_equal(info.details, "3000 program headers");
	for (uint64_t i = 0; i < 3000; i++) {
		assert_int_equal(word(d, i * 0x2000), i);
		assert_int_equal(dfmt_read(d, i * 0x2000 + 0x1000, &v, 8, NULL),
			DFMT_E_RANGE);
	}
	dfmt_close(d);
	fixture_free(&fx);
}

static void
test_elf_says_what_is_wrong(void **state)
{
	struct dfmt_err err;

	(void)state;
	assert_int_equal(fails(MEMORY "patch16 16 2\n", &err), DFMT_E_FORMAT);
	assert_string_equal(err.what, "an ELF file, but no core dump");
	assert_int_equal(fails(MEMORY "patch8 5 2\n", &err),
		DFMT_E_UNSUPPORTED);
	assert_string_equal(err.what, "ELF header: a big-endian file");
	/* xl dump-core: sections, no segments. */
	assert_int_equal(fails(MEMORY "patch16 56 0\npatch64 40 0x40\n", &err),
		DFMT_E_UNSUPPORTED);
	assert_int_equal(fails(MEMORY "patch16 56 0\n", &err),
		DFMT_E_MALFORMED);
	assert_int_equal(fails(MEMORY "patch16 54 55\n", &err),
		DFMT_E_MALFORMED);
	assert_int_equal(err.offset, 54);
	assert_int_equal(fails(MEMORY "patch16 56 0xfffe\n", &err),
		DFMT_E_LOST);
	assert_int_equal(fails(MEMORY "xnum\npatch32 64+44 0xffffffff\n", &err),
		DFMT_E_MALFORMED);
	assert_int_equal(fails(MEMORY
				 "patch64 file.phdrs+24 0xffffffffffffff00\n",
				 &err),
		DFMT_E_MALFORMED);
	assert_string_equal(err.what, "ELF segment: wraps around memory");
	assert_int_equal(err.offset, 64);
	assert_int_equal(fails(MEMORY "truncate 40\n", &err), DFMT_E_LOST);
	assert_int_equal(err.offset, 40);
}

/* A core cut in its memory opens, says so, and loses just that. */
static void
test_elf_cut_in_memory_is_truncated(void **state)
{
	struct fixture fx;
	struct dfmt *d = open_text(&fx, MEMORY "truncate file.data+0x2800\n");
	struct dfmt_coverage cov;
	struct dfmt_info info;
	struct dfmt_err err;
	uint8_t buf[0x1000];

	(void)state;
	dfmt_info_get(d, &info);
	assert_true(info.truncated);
	assert_int_equal(word(d, 0x127f8), 0x127f8);
	assert_int_equal(dfmt_read(d, 0x12000, buf, 0x1000, &err), DFMT_E_LOST);
	assert_int_equal(err.addr, 0x12800);
	assert_int_equal(dfmt_coverage_get(d, &cov, NULL), DFMT_OK);
	assert_int_equal(cov.nr_present, 2);
	assert_int_equal(cov.nr_lost, 6);
	dfmt_close(d);
	fixture_free(&fx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_elf_overlapping_segments_cover_all_of_them),
		cmocka_unit_test(test_elf_bytes_win_over_tails),
		cmocka_unit_test(test_elf_states_virtual_ranges),
		cmocka_unit_test(test_elf_many_segments_are_found),
		cmocka_unit_test(test_elf_says_what_is_wrong),
		cmocka_unit_test(test_elf_cut_in_memory_is_truncated),
	};

	return cmocka_run_group_tests_name("elf", tests, NULL, NULL);
}
