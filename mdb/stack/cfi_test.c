/* SPDX-License-Identifier: MIT */
/* cfi.c: entries typed from the standard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mdb/stack/cfi.h"

#include <string.h>

/* clang-format off */
/* push %rbp; mov %rsp,%rbp; ...; leave; ret; more: as gcc states it. */
static const uint8_t frame[] = {
	/* CIE */
	0x14, 0, 0, 0,			/* length */
	0xff, 0xff, 0xff, 0xff,		/* it is common */
	3, 0,				/* version, no augmentation */
	1, 0x78, 16,			/* code 1, data -8, return address */
	0x0c, 7, 8,			/* CFA = rsp + 8 */
	0x90, 1,			/* the return address at CFA - 8 */
	0, 0, 0, 0, 0, 0,
	/* FDE */
	0x24, 0, 0, 0,
	0, 0, 0, 0,			/* its CIE is at 0 */
	0, 0x10, 0x20, 0x40, 0xd0, 0x82, 0xff, 0xff,
	0x40, 0, 0, 0, 0, 0, 0, 0,	/* 64 bytes of code */
	0x41, 0x0e, 16, 0x86, 2,	/* +1: CFA = rsp + 16, rbp at -16 */
	0x43, 0x0d, 6,			/* +4: CFA = rbp + 16 */
	0x0a,				/* remember */
	0x5c, 0x0c, 7, 8, 0xc6,		/* +32: CFA = rsp + 8, rbp as before */
	0x41, 0x0b,			/* +33: as it was */
};
/* clang-format on */

#define FUNCTION 0xffff82d040201000ull

static void
test_cfi_rows_follow_the_code(void **state)
{
	static const struct {
		unsigned int at, reg;
		int64_t cfa;
		bool saved;
	} want[] = { { 0, 7, 8, false }, { 1, 7, 16, true }, { 3, 7, 16, true },
		{ 4, 6, 16, true }, { 31, 6, 16, true }, { 32, 7, 8, false },
		{ 33, 6, 16, true }, { 63, 6, 16, true } };
	struct mdb_cfi *cfi = mdb_cfi_create(frame, sizeof(frame));
	struct mdb_cfi_row row;

	(void)state;
	assert_int_equal(mdb_cfi_count(cfi), 1);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_true(mdb_cfi_find(cfi, FUNCTION + want[i].at, &row));
		assert_int_equal(row.start, FUNCTION);
		assert_int_equal(row.end, FUNCTION + 64);
		assert_int_equal(row.cfa_reg, want[i].reg);
		assert_int_equal(row.cfa_off, want[i].cfa);
		assert_int_equal(row.rules[MDB_CFI_IP].kind, MDB_CFI_AT);
		assert_int_equal(row.rules[MDB_CFI_IP].off, -8);
		assert_int_equal(row.rules[6].kind,
			want[i].saved ? MDB_CFI_AT : MDB_CFI_SAME);
		if (want[i].saved)
			assert_int_equal(row.rules[6].off, -16);
	}
	assert_false(mdb_cfi_find(cfi, FUNCTION - 1, &row));
	assert_false(mdb_cfi_find(cfi, FUNCTION + 64, &row));
	mdb_cfi_destroy(cfi);
}

static void
test_cfi_cut_anywhere(void **state)
{
	struct mdb_cfi_row row;

	(void)state;
	for (size_t len = 0; len < sizeof(frame); len++) {
		struct mdb_cfi *cfi = mdb_cfi_create(frame, len);

		assert_int_equal(mdb_cfi_count(cfi), 0);
		assert_false(mdb_cfi_find(cfi, FUNCTION, &row));
		mdb_cfi_destroy(cfi);
	}
}

static bool
find_changed(size_t at, uint8_t value, unsigned int pc)
{
	uint8_t bytes[sizeof(frame)];
	struct mdb_cfi_row row;
	struct mdb_cfi *cfi;
	bool found;

	memcpy(bytes, frame, sizeof(bytes));
	bytes[at] = value;
	cfi = mdb_cfi_create(bytes, sizeof(bytes));
	found = mdb_cfi_find(cfi, FUNCTION + pc, &row);
	mdb_cfi_destroy(cfi);
	return found;
}

static void
test_cfi_refuses_what_it_does_not_know(void **state)
{
	(void)state;
	assert_true(find_changed(23, 0, 40));
	assert_false(find_changed(8, 2, 40));	  /* version */
	assert_false(find_changed(9, 'z', 40));	  /* augmentation */
	assert_false(find_changed(12, 17, 40));	  /* the return address */
	assert_false(find_changed(28, 24, 40));	  /* an FDE as a CIE */
	assert_false(find_changed(48, 0x3f, 40)); /* an instruction */
	assert_false(find_changed(56, 0x0b, 40)); /* nothing remembered */
}

static void
test_cfi_expression_for_the_cfa(void **state)
{
	uint8_t bytes[sizeof(frame)];
	struct mdb_cfi_row row;
	struct mdb_cfi *cfi;

	(void)state;
	memcpy(bytes, frame, sizeof(bytes));
	/* +1: CFA = *(rbp - 16) */
	memcpy(bytes + 49, "\x0f\x03\x76\x70\x06\x00\x00", 7);
	cfi = mdb_cfi_create(bytes, sizeof(bytes));
	assert_true(mdb_cfi_find(cfi, FUNCTION + 1, &row));
	assert_int_equal(row.cfa_reg, 6);
	assert_int_equal(row.cfa_off, -16);
	assert_true(row.cfa_is_read);
	mdb_cfi_destroy(cfi);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cfi_rows_follow_the_code),
		cmocka_unit_test(test_cfi_cut_anywhere),
		cmocka_unit_test(test_cfi_refuses_what_it_does_not_know),
		cmocka_unit_test(test_cfi_expression_for_the_cfa),
	};

	return cmocka_run_group_tests_name("cfi", tests, NULL, NULL);
}
