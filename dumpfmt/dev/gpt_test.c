/* SPDX-License-Identifier: MIT */
/* The partition table of a small disk: good, damaged, and lying. */
#include "dfmt-gpt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#define NR_SECTORS 10000u

struct disk {
	uint8_t mbr[4096], header[4096];
	uint8_t entries[DFMT_GPT_ENTRIES_MAX];
	uint32_t sector_len;
};

static void
put(uint8_t *p, uint64_t v, size_t len)
{
	memcpy(p, &v, len);
}

static void
crc_put(struct disk *k)
{
	uint32_t len = 0;

	memcpy(&len, k->header + 12, 4);
	put(k->header + 88, crc32(0, k->entries, sizeof(k->entries)), 4);
	put(k->header + 16, 0, 4);
	if (len <= 4096)
		put(k->header + 16, crc32(0, k->header, len), 4);
}

static void
part(struct disk *k, uint32_t i, const uint8_t *type, uint64_t first,
	uint64_t last)
{
	uint8_t *e = k->entries + 128 * (size_t)i;

	memcpy(e, type, 16);
	e[16] = (uint8_t)(i + 1);
	put(e + 32, first, 8);
	put(e + 40, last, 8);
	crc_put(k);
}

static const uint8_t ours[16] = DFMT_GPT_TYPE;
static const uint8_t other[16] = { 1, 2, 3 };

/* Somebody's, ours, somebody's, ours; out of order on the disk. */
static void
make(struct disk *k, uint32_t sector_len)
{
	memset(k, 0, sizeof(*k));
	k->sector_len = sector_len;
	put(k->mbr + 510, 0xaa55, 2);
	k->mbr[446 + 4] = 0xee;
	memcpy(k->header, "EFI PART", 8);
	put(k->header + 8, 0x10000, 4);
	put(k->header + 12, 92, 4);
	put(k->header + 24, 1, 8);
	put(k->header + 32, NR_SECTORS - 1, 8);
	put(k->header + 40, 34, 8);
	put(k->header + 48, NR_SECTORS - 34, 8);
	put(k->header + 72, 2, 8);
	put(k->header + 80, 128, 4);
	put(k->header + 84, 128, 4);
	part(k, 0, other, 34, 99);
	part(k, 2, ours, 5000, 7999);
	part(k, 3, other, 100, 4999);
	part(k, 127, ours, 8000, NR_SECTORS - 34);
}

static const char *
look(struct disk *k, struct dfmt_gpt *g)
{
	const char *why = dfmt_gpt_header(g, k->mbr, k->header, k->sector_len,
		NR_SECTORS);

	return why ? why : dfmt_gpt_entries(g, k->entries);
}

static void
test_good(void **state)
{
	static struct disk k;
	struct dfmt_gpt g;
	struct dfmt_gpt_part p = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		make(&k, i ? 4096 : 512);
		assert_null(look(&k, &g));
		p.number = 0;
		assert_true(dfmt_gpt_next(&g, k.entries, &p));
		assert_int_equal(p.number, 3);
		assert_int_equal(p.first, 5000);
		assert_int_equal(p.nr_sectors, 3000);
		assert_true(dfmt_gpt_next(&g, k.entries, &p));
		assert_int_equal(p.number, 128);
		assert_int_equal(p.first + p.nr_sectors, NR_SECTORS - 33);
		assert_false(dfmt_gpt_next(&g, k.entries, &p));
	}
}

/* One byte anywhere in header or entries changed: it is seen. */
static void
test_damaged(void **state)
{
	static struct disk k;
	struct dfmt_gpt g;

	(void)state;
	make(&k, 512);
	for (size_t i = 0; i < 92; i++) {
		k.header[i] ^= 0x40;
		assert_non_null(look(&k, &g));
		k.header[i] ^= 0x40;
	}
	for (size_t i = 0; i < sizeof(k.entries); i += 5) {
		k.entries[i] ^= 1;
		assert_string_equal(look(&k, &g),
			"its partition table is damaged");
		k.entries[i] ^= 1;
	}
	assert_null(look(&k, &g));
}

static void
check_header(size_t at, uint64_t v, size_t len, const char *why)
{
	static struct disk k;
	struct dfmt_gpt g;

	make(&k, 512);
	put(k.header + at, v, len);
	crc_put(&k);
	assert_string_equal(look(&k, &g), why);
}

/* Whole by its checksum, and wrong. */
static void
test_header_lies(void **state)
{
	static const char damaged[] = "its partition table is damaged";
	static const char longer[] = "its partition table is too long";
	static const char lies[] = "its partition table contradicts itself";

	(void)state;
	check_header(8, 0x20000, 4, damaged);
	check_header(12, 91, 4, damaged);
	check_header(12, 513, 4, damaged);
	check_header(12, UINT32_MAX, 4, damaged);
	check_header(24, NR_SECTORS - 1, 8, damaged);
	check_header(80, 129, 4, longer);
	check_header(80, 0, 4, longer);
	check_header(80, UINT32_MAX, 4, longer);
	check_header(84, 64, 4, longer);
	check_header(84, 192, 4, longer);
	check_header(84, 1u << 31, 4, longer);
	check_header(40, NR_SECTORS, 8, lies);
	check_header(48, NR_SECTORS, 8, lies);
	check_header(48, UINT64_MAX, 8, lies);
	check_header(72, 1, 8, lies);
	check_header(72, 3, 8, lies);
	check_header(72, UINT64_MAX, 8, lies);
}

static void
test_mbr(void **state)
{
	static const char none[] = "it has no partition table of GUIDs";
	static struct disk k;
	struct dfmt_gpt g;

	(void)state;
	make(&k, 512);
	k.mbr[446 + 4] = 0x83;
	assert_string_equal(look(&k, &g), none);
	make(&k, 512);
	k.mbr[446 + 16 + 4] = 0x0c;
	assert_string_equal(look(&k, &g), none);
	make(&k, 512);
	k.mbr[511] = 0;
	assert_string_equal(look(&k, &g), none);
}

static void
check_part(uint64_t first, uint64_t last, const char *why)
{
	static struct disk k;
	struct dfmt_gpt g;

	make(&k, 512);
	part(&k, 60, other, first, last);
	assert_string_equal(look(&k, &g), why);
}

static void
test_parts(void **state)
{
	static const char where[] = "a partition lies where none may be";
	static const char twice[] = "two of its partitions overlap";

	(void)state;
	check_part(7999, 7999, twice);
	check_part(5000, 5000, twice);
	check_part(34, NR_SECTORS - 34, twice);
	check_part(33, 33, where);
	check_part(NR_SECTORS - 33, NR_SECTORS - 33, where);
	check_part(0, UINT64_MAX, where);
	check_part(200, 199, where);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_header_lies),
		cmocka_unit_test(test_mbr),
		cmocka_unit_test(test_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
