/* SPDX-License-Identifier: MIT */
/*
 * Damage: a file cut at any length, or with any header field broken, gives
 * nothing but statuses; and what a cut file still gives is right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dfmt-fixture.h"

#define NR_FRAMES 14

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

/* Opens damaged bytes and asks everything; only statuses may come back. */
static void
exercise(const uint8_t *bytes, size_t len, bool intact)
{
	struct dfmt_err err = { .what = NULL };
	struct dfmt_coverage cov;
	uint64_t start, end, at = 0;
	uint8_t page[4096];
	struct dfmt *d;

	enum dfmt_status st = dfmt_open_memory(bytes, len, NULL, &d, &err);
	if (st != DFMT_OK) {
		assert_non_null(err.what);
		assert_int_equal(err.status, st);
		return;
	}
	for (uint64_t pfn = 0; pfn < NR_FRAMES; pfn++) {
		st = dfmt_read(d, pfn * 4096, page, sizeof(page), &err);
		/* What a cut file still gives is right. */
		if (intact && st == DFMT_OK)
			assert_memory_equal(page, memory + pfn * 4096, 4096);
	}
	for (int i = 0; i < 20; i++) {
		if (dfmt_next_range(d, at, &start, &end, &err) != DFMT_OK)
			break;
		assert_true(start >= at && end > start);
		at = end;
	}
	(void)dfmt_coverage_get(d, &cov, &err);
	for (size_t i = 0; i < dfmt_nr_notes(d); i++)
		(void)dfmt_note_at(d, i);
	dfmt_close(d);
}

static void
cut_everywhere(const char *name)
{
	struct fixture fx = fixture_named(name);
	size_t step = 1;

	assert_non_null(fx.bytes);
	for (size_t len = 0; len < fx.len; len += step) {
		uint8_t *copy = fixture_exact(fx.bytes, len);

		exercise(copy, len, true);
		free(copy);
		/* Each length in the headers, then around each 4 KiB. */
		step = len < 1200 || (len + 40) % 4096 < 80 ? 1 : 37;
	}
	fixture_free(&fx);
}

static void
test_damage_cut_at_each_length_is_survived(void **state)
{
	(void)state;
	cut_everywhere("elf64");
	cut_everywhere("elf32");
	cut_everywhere("elf64-xnum");
	cut_everywhere("kdump-lzo");
	cut_everywhere("kdump-zstd");
	cut_everywhere("kdump-32");
	cut_everywhere("diskdump");
	cut_everywhere("flat");
}

/* Each aligned field of the first bytes: 0, 1, all ones, sign bit. */
static void
break_fields(const char *name, size_t from, size_t to, size_t size)
{
	static const uint64_t values[] = { 0, 1, UINT64_MAX, INT64_MIN,
		INT64_MAX, 0x1000 };
	struct fixture fx = fixture_named(name);

	assert_non_null(fx.bytes);
	uint8_t *copy = fixture_exact(fx.bytes, fx.len);
	for (size_t off = from; off + size <= to && off + size <= fx.len;
		off += size) {
		for (size_t v = 0; v < sizeof(values) / sizeof(values[0]);
			v++) {
			uint64_t value = values[v] >> (64 - 8 * size);

			if (values[v] < 0x10000)
				value = values[v];
			memcpy(copy + off, &value, size);
			exercise(copy, fx.len, false);
		}
		memcpy(copy + off, fx.bytes + off, size);
	}
	free(copy);
	fixture_free(&fx);
}

static void
break_all(const char *name, size_t from, size_t to)
{
	break_fields(name, from, to, 2);
	break_fields(name, from, to, 4);
	break_fields(name, from, to, 8);
}

static void
test_damage_to_each_header_field_is_survived(void **state)
{
	(void)state;
	break_all("elf64", 0, 0x900);
	break_all("elf32", 0, 0x600);
	break_all("elf64-xnum", 0, 0x200);
	break_all("elf64-paged", 0, 0x300);
	break_all("kdump-lzo", 400, 472);
	break_all("kdump-32", 400, 472);
	for (size_t i = 0; i < 2; i++) {
		const char *name = i ? "kdump-32" : "kdump-lzo";

		break_all(name, 0, 16);
		break_all(name, 4096, 4096 + 700);
		break_all(name, 8192, 8208);
		break_all(name, 12288, 12304);
		break_all(name, 16384, 16384 + 7 * 24);
	}
	break_all("diskdump", 400, 472);
	break_all("flat", 0, 64);
	break_all("flat", 4096, 4112);
	break_all("flat", 5112, 5128);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damage_cut_at_each_length_is_survived),
		cmocka_unit_test(test_damage_to_each_header_field_is_survived),
	};

	return cmocka_run_group_tests_name("damage", tests, load_memory, NULL);
}
