/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mdb/stack/stack_fixture.h"

/* Entries as found in Debian's kernels: plain, saved bp, registers, end. */
static const uint8_t old_plain[6] = { 16, 0, 0, 0, 0x05, 0 };
static const uint8_t old_iret[6] = { 0, 0, 0, 0, 0x05, 2 };
static const uint8_t old_end[6] = { 0, 0, 0, 0, 0, 4 };
static const uint8_t mid_plain[6] = { 16, 0, 0, 0, 0x05, 2 };
static const uint8_t mid_signal[6] = { 0, 0, 0, 0, 0x05, 0x0b };
static const uint8_t new_plain[6] = { 16, 0, 0xf0, 0xff, 0x83, 2 };
static const uint8_t new_end[6] = { 0, 0, 0, 0, 0, 1 };

static void
test_orc_decodes_the_old_layout(void **state)
{
	struct mdb_orc_entry e;

	(void)state;
	mdb_orc_decode(MDB_ORC_LAYOUT_2BIT, old_plain, &e);
	assert_int_equal(e.type, MDB_ORC_CALL);
	assert_int_equal(e.sp_base, MDB_ORC_BASE_SP);
	assert_int_equal(e.sp_offset, 16);
	assert_false(e.signal);
	mdb_orc_decode(MDB_ORC_LAYOUT_2BIT, old_iret, &e);
	assert_int_equal(e.type, MDB_ORC_REGS_PARTIAL);
	assert_true(e.signal);
	mdb_orc_decode(MDB_ORC_LAYOUT_2BIT, old_end, &e);
	assert_int_equal(e.type, MDB_ORC_END);
}

static void
test_orc_decodes_the_new_layouts(void **state)
{
	struct mdb_orc_entry e;

	(void)state;
	mdb_orc_decode(MDB_ORC_LAYOUT_3BIT, mid_plain, &e);
	assert_int_equal(e.type, MDB_ORC_CALL);
	mdb_orc_decode(MDB_ORC_LAYOUT_3BIT, mid_signal, &e);
	assert_int_equal(e.type, MDB_ORC_REGS);
	assert_true(e.signal);
	mdb_orc_decode(MDB_ORC_LAYOUT_3BIT_AX, new_plain, &e);
	assert_int_equal(e.type, MDB_ORC_CALL);
	assert_int_equal(e.sp_base, MDB_ORC_BASE_SP);
	assert_int_equal(e.bp_base, MDB_ORC_BASE_PREV_SP);
	assert_int_equal(e.bp_offset, -16);
	mdb_orc_decode(MDB_ORC_LAYOUT_3BIT_AX, new_end, &e);
	assert_int_equal(e.type, MDB_ORC_END);
}

static enum mdb_orc_layout
guess_of(const uint8_t *entry)
{
	uint8_t bytes[64 * 6] = { 0 };

	/* Every fourth is a terminator. */
	for (size_t i = 0; i < 64; i++)
		if (i % 4 != 3)
			memcpy(bytes + i * 6, entry, 6);
	return mdb_orc_layout_guess(bytes, 64);
}

static void
test_orc_layouts_are_told_apart(void **state)
{
	const uint8_t nonsense[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	(void)state;
	assert_int_equal(guess_of(old_plain), MDB_ORC_LAYOUT_2BIT);
	assert_int_equal(guess_of(mid_plain), MDB_ORC_LAYOUT_3BIT);
	assert_int_equal(guess_of(new_plain), MDB_ORC_LAYOUT_3BIT_AX);
	assert_int_equal(guess_of(nonsense), MDB_ORC_LAYOUT_NONE);
	assert_int_equal(mdb_orc_layout_guess(old_plain, 0),
		MDB_ORC_LAYOUT_NONE);
}

static void
test_orc_knows_the_hash_of_the_header(void **state)
{
	static const uint8_t hash[20] = { 0x13, 0x7c, 0x36, 0xad, 0x76, 0x27,
		0xc4, 0xdd, 0x55, 0x93, 0x21, 0x76, 0xbb, 0x0e, 0xcd, 0xbd,
		0x50, 0x41, 0xfc, 0x82 };
	static const uint8_t other[20] = { 1 };

	(void)state;
	assert_int_equal(mdb_orc_layout_of_hash(hash), MDB_ORC_LAYOUT_3BIT_AX);
	assert_int_equal(mdb_orc_layout_of_hash(other), MDB_ORC_LAYOUT_NONE);
}

/* Entries at uneven distances, so that a guess by proportion goes astray. */
static mdb_addr_t
place(size_t i)
{
	return FX_TEXT + i * 8 + (i > 600 ? 0x10000 : 0) + (i > 700 ? 64 : 0);
}

#define NR_ENTRIES 1000

static void
test_orc_finds_each_entry(void **state)
{
	struct fixture fx;
	struct mdb_orc *orc;
	struct mdb_orc_entry e;

	(void)state;
	fx_init(&fx, NULL);
	for (size_t i = 0; i < NR_ENTRIES; i++)
		fx_orc(&fx, place(i), (int)i * 8, 0, 0x05);
	orc = mdb_orc_create(fx.kernel, MDB_ORC_LAYOUT_2BIT);
	for (size_t k = 0; k < NR_ENTRIES; k++) {
		size_t i = k * 7 % NR_ENTRIES;

		assert_int_equal(mdb_orc_find(orc, place(i), &e), MDB_OK);
		assert_int_equal(e.sp_offset, i * 8);
		assert_int_equal(mdb_orc_find(orc, place(i) + 7, &e), MDB_OK);
		assert_int_equal(e.sp_offset, i * 8);
	}
	assert_int_equal(mdb_orc_find(orc, FX_TEXT - 1, &e), MDB_E_NOTFOUND);
	assert_int_equal(mdb_orc_find(orc, FX_TEXT + 0x30000, &e), MDB_OK);
	mdb_orc_destroy(orc);
	fx_fini(&fx);
}

/* The kernel's index of its table, right and wrong. */
static void
test_orc_takes_the_index_only_if_it_is_right(void **state)
{
	(void)state;
	for (uint32_t wrong = 0; wrong < 3; wrong++) {
		struct fixture fx;
		struct mdb_orc *orc;
		struct mdb_orc_entry e;
		mdb_addr_t index;

		fx_init(&fx, NULL);
		for (size_t i = 0; i < NR_ENTRIES; i++)
			fx_orc(&fx, FX_TEXT + i * 64, (int)i * 8, 0, 0x05);
		index = (FX_ORC + NR_ENTRIES * 6 + 3) & ~3ull;
		for (uint32_t k = 0; k < NR_ENTRIES / 4; k++) {
			uint32_t v = k * 4 + (wrong == 1 ? 9 : 0);

			if (wrong == 2)
				v = 0xfffffff0;
			fx_write(&fx, index + k * 4, &v, 4);
		}
		orc = mdb_orc_create(fx.kernel, MDB_ORC_LAYOUT_2BIT);
		for (size_t i = 0; i < NR_ENTRIES; i += 13) {
			assert_int_equal(
				mdb_orc_find(orc, FX_TEXT + i * 64 + 5, &e),
				MDB_OK);
			assert_int_equal(e.sp_offset, i * 8);
		}
		mdb_orc_destroy(orc);
		fx_fini(&fx);
	}
}

static void
test_orc_says_when_a_table_cannot_be_read(void **state)
{
	struct fixture fx;
	struct mdb_orc *orc;
	struct mdb_orc_entry e;

	(void)state;
	fx_init(&fx, NULL);
	for (size_t i = 0; i < NR_ENTRIES; i++)
		fx_orc(&fx, place(i), 8, 0, 0x05);
	mdb_fake_fault(fx.mem, fx_paddr(FX_ORC), MDB_E_LOST);
	orc = mdb_orc_create(fx.kernel, MDB_ORC_LAYOUT_2BIT);
	assert_int_equal(mdb_orc_find(orc, FX_TEXT + 8, &e), MDB_E_LOST);
	mdb_orc_destroy(orc);
	fx_fini(&fx);
}

static void
test_call_is_recognised_before_a_return_address(void **state)
{
	static const struct {
		uint8_t bytes[7];
		bool is_call;
	} cases[] = {
		{ { 0x90, 0x90, 0xe8, 1, 2, 3, 4 }, true },
		{ { 0x90, 0x90, 0x90, 0x90, 0x90, 0xff, 0xd0 }, true },
		{ { 0x90, 0x90, 0x90, 0x90, 0x41, 0xff, 0xd4 }, true },
		{ { 0x90, 0xff, 0x15, 1, 2, 3, 4 }, true },
		{ { 0xff, 0x14, 0x25, 1, 2, 3, 4 }, true },
		{ { 0x90, 0x90, 0x90, 0x90, 0xff, 0x50, 8 }, true },
		{ { 0x90, 0x90, 0x90, 0x90, 0x90, 0xff, 0xe0 }, false },
		{ { 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90 }, false },
		{ { 0x90, 0x90, 0xe9, 1, 2, 3, 4 }, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(mdb_call_ends(cases[i].bytes, 7, true),
			cases[i].is_call);
	assert_false(mdb_call_ends(cases[0].bytes + 3, 4, true));
}

static void
test_trap_names(void **state)
{
	char text[120];
	struct mdb_trap t = mdb_trap_of_name("asm_exc_page_fault");

	(void)state;
	assert_int_equal(t.kind, MDB_TRAP_EXCEPTION);
	assert_int_equal(t.vector, 14);
	t = mdb_trap_of_name("asm_sysvec_apic_timer_interrupt");
	assert_int_equal(t.kind, MDB_TRAP_IRQ);
	assert_int_equal(t.vector, 0xec);
	t = mdb_trap_of_name("entry_SYSCALL_64_after_hwframe");
	assert_int_equal(t.kind, MDB_TRAP_SYSCALL);
	t = mdb_trap_of_name("page_fault"); /* 4.14 */
	assert_int_equal(t.vector, 14);
	t = mdb_trap_of_name("ret_from_fork_asm");
	assert_true(t.outermost);
	t = mdb_trap_of_name("vfs_write");
	assert_int_equal(t.kind, MDB_TRAP_NONE);
	assert_false(t.outermost);
	mdb_trap_of_fred_ss(&t, 3ull << 48 | 14ull << 32 | 0x18);
	assert_int_equal(t.kind, MDB_TRAP_EXCEPTION);
	assert_int_equal(t.vector, 14);
	mdb_trap_error_text(14, 2, text, sizeof(text));
	assert_string_equal(text,
		"write to a page that is not present, in kernel mode");
	mdb_trap_error_text(13, 0, text, sizeof(text));
	assert_string_equal(text, "");
	assert_null(mdb_trap_vector_name(200));
	assert_null(mdb_trap_vector_name(-1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_orc_decodes_the_old_layout),
		cmocka_unit_test(test_orc_decodes_the_new_layouts),
		cmocka_unit_test(test_orc_layouts_are_told_apart),
		cmocka_unit_test(test_orc_knows_the_hash_of_the_header),
		cmocka_unit_test(test_orc_finds_each_entry),
		cmocka_unit_test(test_orc_takes_the_index_only_if_it_is_right),
		cmocka_unit_test(test_orc_says_when_a_table_cannot_be_read),
		cmocka_unit_test(
			test_call_is_recognised_before_a_return_address),
		cmocka_unit_test(test_trap_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
