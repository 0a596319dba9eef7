/* SPDX-License-Identifier: MIT */
/* Page tables of every mode, the cache, boundaries and faults. */
#include "mdb/base/ctx.h"
#include "mdb/mem/space.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
	struct mdb_ctx cx;
	struct mdb_memory *mem;
	struct mdb_space *space;
};

#define P 1ull	   /* present */
#define W 2ull	   /* writable */
#define U 4ull	   /* user */
#define PS 0x80ull /* large */
#define NX (1ull << 63)

static int
setup(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	mdb_ctx_init(&f.cx);
	f.mem = mdb_memory_create_fake();
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	mdb_space_destroy(f->space);
	mdb_memory_destroy(f->mem);
	mdb_ctx_fini(&f->cx);
	return 0;
}

static void
use(struct fixture *f, const struct mdb_arch *arch, enum mdb_paging mode)
{
	f->space = mdb_space_create("test", f->mem, arch, mode, 0x1000);
}

static void
entry(struct fixture *f, mdb_paddr_t table, unsigned int index, uint64_t v)
{
	mdb_fake_write_u64(f->mem, table + 8 * index, v);
}

static void
entry32(struct fixture *f, mdb_paddr_t table, unsigned int index, uint32_t v)
{
	mdb_fake_write(f->mem, table + 4 * index, &v, sizeof(v));
}

/* 4-level: 0xffff800000000000 -> 1000,2000,3000,4000 -> page at 0x8000. */
static void
four_levels(struct fixture *f)
{
	entry(f, 0x1000, 256, 0x2000 | P | W);
	entry(f, 0x2000, 0, 0x3000 | P | W);
	entry(f, 0x3000, 0, 0x4000 | P | W);
	entry(f, 0x4000, 0, 0x8000 | P | W);
	entry(f, 0x4000, 1, 0x6000 | P | NX);
	mdb_fake_write(f->mem, 0x8ffc, "abcd", 4);
	mdb_fake_write(f->mem, 0x6000, "efgh", 4);
	use(f, &mdb_arch_x86_64, MDB_PAGING_4LEVEL);
}

#define BASE 0xffff800000000000ull

static void
test_space_reads_across_pages(void **state)
{
	struct fixture *f = *state;
	char buf[9] = "";

	four_levels(f);
	for (int again = 0; again < 3; again++) {
		assert_int_equal(
			mdb_space_read(&f->cx, f->space, BASE + 0xffc, buf, 8),
			MDB_OK);
		assert_string_equal(buf, "abcdefgh");
	}
}

static void
test_space_read_stops_where_unmapped(void **state)
{
	struct fixture *f = *state;
	char buf[16];
	size_t len;

	four_levels(f);
	assert_int_equal(
		mdb_space_read(&f->cx, f->space, BASE + 0x1ffc, buf, 8),
		MDB_E_UNMAPPED);
	assert_non_null(strstr(mdb_trail(&f->cx), "0xffff800000002000"));
	assert_non_null(strstr(mdb_trail(&f->cx), "pte"));
	assert_int_equal(mdb_space_read_some(&f->cx, f->space, BASE + 0x1ffc,
				 buf, 8, &len),
		MDB_OK);
	assert_int_equal(len, 4);
}

static void
test_space_vtop_tells_rights_and_steps(void **state)
{
	struct fixture *f = *state;
	struct mdb_vtop v;

	four_levels(f);
	assert_int_equal(mdb_space_vtop(&f->cx, f->space, BASE + 0x1004, &v),
		MDB_OK);
	assert_int_equal(v.paddr, 0x6004);
	assert_int_equal(v.nr_steps, 4);
	assert_string_equal(v.steps[0].level, "pml4e");
	assert_int_equal(v.steps[3].entry_addr, 0x4008);
	assert_false(v.writable);
	assert_false(v.executable);
	assert_false(v.user);
}

static void
test_space_not_canonical_is_unmapped(void **state)
{
	struct fixture *f = *state;
	char c;

	four_levels(f);
	assert_int_equal(
		mdb_space_read(&f->cx, f->space, 0x0000800000000000, &c, 1),
		MDB_E_UNMAPPED);
	assert_non_null(strstr(mdb_trail(&f->cx), "canonical"));
}

static void
test_space_end_of_address_space(void **state)
{
	struct fixture *f = *state;
	char buf[8];
	size_t len;

	entry(f, 0x1000, 511, 0x2000 | P);
	entry(f, 0x2000, 511, 0x3000 | P);
	entry(f, 0x3000, 511, 0x4000 | P);
	entry(f, 0x4000, 511, 0x8000 | P);
	mdb_fake_write(f->mem, 0x8ff8, "12345678", 8);
	use(f, &mdb_arch_x86_64, MDB_PAGING_4LEVEL);
	assert_int_equal(
		mdb_space_read(&f->cx, f->space, UINT64_MAX - 7, buf, 8),
		MDB_OK);
	assert_int_equal(
		mdb_space_read(&f->cx, f->space, UINT64_MAX - 6, buf, 8),
		MDB_E_RANGE);
	assert_int_equal(mdb_space_read_some(&f->cx, f->space, UINT64_MAX - 3,
				 buf, 8, &len),
		MDB_OK);
	assert_int_equal(len, 4);
	assert_int_equal(mdb_space_read(&f->cx, f->space, UINT64_MAX, buf, 0),
		MDB_OK);
}

static void
test_space_large_pages(void **state)
{
	struct fixture *f = *state;
	struct mdb_vtop v;

	entry(f, 0x1000, 0, 0x2000 | P | U);
	entry(f, 0x2000, 0, 0x3000 | P | U);
	entry(f, 0x2000, 1, 0x80000000 | P | PS); /* 1 GiB */
	entry(f, 0x3000, 1, 0x600000 | P | PS);	  /* 2 MiB */
	entry(f, 0x3000, 2, 0x602000 | P | PS);	  /* reserved bit */
	use(f, &mdb_arch_x86_64, MDB_PAGING_4LEVEL);
	assert_int_equal(mdb_space_vtop(&f->cx, f->space, 0x2abcde, &v),
		MDB_OK);
	assert_int_equal(v.paddr, 0x6abcde);
	assert_int_equal(v.page_len, 0x200000);
	assert_int_equal(
		mdb_space_vtop(&f->cx, f->space, 0x40000000 + 0x12345678, &v),
		MDB_OK);
	assert_int_equal(v.paddr, 0x92345678);
	assert_int_equal(mdb_space_vtop(&f->cx, f->space, 0x400000, &v),
		MDB_E_UNMAPPED);
	assert_non_null(strstr(mdb_trail(&f->cx), "reserved"));
	assert_int_equal(v.nr_steps, 3);
}

static void
test_space_five_levels(void **state)
{
	struct fixture *f = *state;
	struct mdb_vtop v;

	entry(f, 0x1000, 511, 0x2000 | P);
	entry(f, 0x2000, 0, 0x3000 | P);
	entry(f, 0x3000, 0, 0x4000 | P);
	entry(f, 0x4000, 0, 0x5000 | P);
	entry(f, 0x5000, 3, 0x9000 | P);
	use(f, &mdb_arch_x86_64, MDB_PAGING_5LEVEL);
	assert_int_equal(
		mdb_space_vtop(&f->cx, f->space, 0xffff000000003010, &v),
		MDB_OK);
	assert_int_equal(v.paddr, 0x9010);
	assert_int_equal(v.nr_steps, 5);
}

static void
test_space_pae_and_32bit(void **state)
{
	struct fixture *f = *state;
	struct mdb_vtop v;

	entry(f, 0x1000, 3, 0x2000 | P);
	entry(f, 0x2000, 511, 0x3000 | P);
	entry(f, 0x3000, 511, 0x123456000 | P);
	use(f, &mdb_arch_i386, MDB_PAGING_PAE);
	assert_int_equal(mdb_space_vtop(&f->cx, f->space, 0xfffff123, &v),
		MDB_OK);
	assert_int_equal(v.paddr, 0x123456123);
	assert_int_equal(mdb_space_vtop(&f->cx, f->space, 0x1fffff123, &v),
		MDB_E_UNMAPPED);
	mdb_space_destroy(f->space);

	entry32(f, 0x1000, 0x300, 0x5000 | 1);
	entry32(f, 0x1000, 0x301, 0x00c00000 | 0x2000 | 0x81); /* PSE-36 */
	entry32(f, 0x5000, 1, 0x7000 | 1);
	use(f, &mdb_arch_i386, MDB_PAGING_32BIT);
	assert_int_equal(mdb_space_vtop(&f->cx, f->space, 0xc0001234, &v),
		MDB_OK);
	assert_int_equal(v.paddr, 0x7234);
	assert_int_equal(mdb_space_vtop(&f->cx, f->space, 0xc0412345, &v),
		MDB_OK);
	assert_int_equal(v.paddr, 0x100c12345);
	assert_int_equal(v.page_len, 0x400000);
}

static void
test_space_tables_that_point_at_themselves_end(void **state)
{
	struct fixture *f = *state;
	struct mdb_vtop v;

	entry(f, 0x1000, 0, 0x1000 | P);
	use(f, &mdb_arch_x86_64, MDB_PAGING_4LEVEL);
	assert_int_equal(mdb_space_vtop(&f->cx, f->space, 8, &v), MDB_OK);
	assert_int_equal(v.paddr, 0x1008);
}

static void
test_space_lost_table_names_its_level(void **state)
{
	struct fixture *f = *state;
	char c;

	four_levels(f);
	mdb_fake_fault(f->mem, 0x3000, MDB_E_EXCLUDED);
	assert_int_equal(mdb_space_read(&f->cx, f->space, BASE, &c, 1),
		MDB_E_EXCLUDED);
	assert_non_null(strstr(mdb_trail(&f->cx), "pde at machine"));
}

static void
test_space_window_shadows_tables(void **state)
{
	struct fixture *f = *state;
	char buf[5] = "";

	four_levels(f);
	mdb_space_add_window(f->space, BASE, BASE + 0x1000, 0x6000 - BASE);
	assert_int_equal(mdb_space_read(&f->cx, f->space, BASE, buf, 4),
		MDB_OK);
	assert_string_equal(buf, "efgh");
}

static void
test_space_mapped_runs_merge_by_rights(void **state)
{
	struct fixture *f = *state;
	struct mdb_mapped run;

	four_levels(f);
	assert_int_equal(mdb_space_next_mapped(&f->cx, f->space, 0, &run),
		MDB_OK);
	assert_int_equal(run.start, BASE);
	assert_int_equal(run.last, BASE + 0xfff);
	assert_true(run.writable);
	assert_int_equal(
		mdb_space_next_mapped(&f->cx, f->space, run.last + 1, &run),
		MDB_OK);
	assert_int_equal(run.start, BASE + 0x1000);
	assert_int_equal(run.last, BASE + 0x1fff);
	assert_false(run.writable);
	assert_int_equal(
		mdb_space_next_mapped(&f->cx, f->space, run.last + 1, &run),
		MDB_DONE);
}

/* Four shared tables map every address: a listing still comes back. */
static void
test_space_listing_is_bounded(void **state)
{
	struct fixture *f = *state;
	struct mdb_mapped run;

	for (unsigned int i = 0; i < 512; i++) {
		entry(f, 0x1000, i, 0x2000 | P);
		entry(f, 0x2000, i, 0x3000 | P);
		entry(f, 0x3000, i, 0x4000 | P);
		entry(f, 0x4000, i, 0x8000 | P);
	}
	use(f, &mdb_arch_x86_64, MDB_PAGING_4LEVEL);
	assert_int_equal(mdb_space_next_mapped(&f->cx, f->space, 0, &run),
		MDB_OK);
	assert_int_equal(run.last, (1ull << 30) - 1);
	for (unsigned int i = 0; i < 512; i++)
		entry(f, 0x4000, i, 0);
	assert_int_equal(mdb_space_next_mapped(&f->cx, f->space, 0, &run),
		MDB_E_CORRUPT);
}

static void
test_space_every_failing_read_fails_cleanly(void **state)
{
	struct fixture *f = *state;
	unsigned long nth = 1;
	char buf[8];

	four_levels(f);
	for (;; nth++) {
		mdb_space_set_root(f->space, MDB_PAGING_4LEVEL, 0x1000);
		mdb_fake_fail_nth(f->mem, nth, MDB_E_LOST, true);
		if (mdb_space_read(&f->cx, f->space, BASE + 0xffc, buf, 8) ==
			MDB_OK)
			break;
		assert_true(*mdb_trail(&f->cx) != '\0');
		assert_true(nth < 100);
	}
	assert_int_equal(nth, 11); /* two walks of four, two pages, and one */
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

/* ---- a guest's memory ---------------------------------------------------- */

/* A page at guest-physical 0x5000 and 2 MiB at 0x200000, elsewhere here. */
static void
make_stage(struct fixture *f, uint64_t flags)
{
	entry(f, 0x10000, 0, 0x11000 | flags);
	entry(f, 0x11000, 0, 0x12000 | flags);
	entry(f, 0x12000, 0, 0x13000 | flags);
	entry(f, 0x12000, 1, 0x600000 | flags | PS);
	entry(f, 0x13000, 5, 0x9000 | flags);
	mdb_fake_write_u64(f->mem, 0x9000, 0x1122334455667788);
	mdb_fake_write_u64(f->mem, 0x600010, 0x99);
}

static void
read_through(struct fixture *f, enum mdb_paging mode)
{
	struct mdb_memory *guest =
		mdb_memory_create_guest(f->mem, mode, 0x10000);
	mdb_paddr_t start, end, machine;
	uint64_t v;

	assert_int_equal(mdb_memory_read(&f->cx, guest, 0x5000, &v, 8), MDB_OK);
	assert_int_equal(v, 0x1122334455667788);
	assert_int_equal(mdb_memory_try(guest, 0x200010, &v, 8), MDB_OK);
	assert_int_equal(v, 0x99);
	assert_int_equal(mdb_memory_to_machine(&f->cx, guest, 0x5008, &machine),
		MDB_OK);
	assert_int_equal(machine, 0x9008);
	assert_int_equal(mdb_memory_read(&f->cx, guest, 0x6000, &v, 8),
		MDB_E_UNMAPPED);
	assert_non_null(strstr(mdb_trail(&f->cx), "guest-physical"));
	/* no sign: an address of 64 bits is none */
	assert_int_equal(mdb_memory_try(guest, 0xffff800000000000, &v, 8),
		MDB_E_UNMAPPED);
	assert_int_equal(mdb_memory_next(guest, 0, &start, &end), MDB_OK);
	assert_int_equal(start, 0x5000);
	assert_int_equal(end, 0x6000);
	assert_int_equal(mdb_memory_next(guest, end, &start, &end), MDB_OK);
	assert_int_equal(start, 0x200000);
	assert_int_equal(end, 0x400000);
	assert_int_equal(mdb_memory_next(guest, end, &start, &end), MDB_DONE);
	assert_null(mdb_memory_dump(guest));
	mdb_memory_destroy(guest);
}

static void
test_memory_of_a_guest_by_nested_tables(void **state)
{
	struct fixture *f = *state;

	make_stage(f, P | W | U);
	read_through(f, MDB_PAGING_NPT);
}

static void
test_memory_of_a_guest_by_extended_tables(void **state)
{
	struct fixture *f = *state;

	/* execute only and write only lead somewhere, too: no P bit */
	make_stage(f, 4);
	read_through(f, MDB_PAGING_EPT);
}

static void
test_space_over_a_guests_memory(void **state)
{
	struct fixture *f = *state;
	struct mdb_memory *guest;
	uint64_t v;

	make_stage(f, P | W | U);
	guest = mdb_memory_create_guest(f->mem, MDB_PAGING_NPT, 0x10000);
	/* its own tables, at guest-physical 0x200000 and on */
	mdb_fake_write_u64(f->mem, 0x600000, 0x201000 | P | W);
	mdb_fake_write_u64(f->mem, 0x601000, 0x202000 | P | W);
	mdb_fake_write_u64(f->mem, 0x602000, 0x203000 | P | W);
	mdb_fake_write_u64(f->mem, 0x603000 + 8 * 7, 0x5000 | P | W);
	mdb_fake_write_u64(f->mem, 0x603000 + 8 * 8, 0x700000 | P | W);
	f->space = mdb_space_create("guest", guest, &mdb_arch_x86_64,
		MDB_PAGING_4LEVEL, 0x200000);
	assert_int_equal(mdb_space_read_uint(&f->cx, f->space, 0x7000, 8, &v),
		MDB_OK);
	assert_int_equal(v, 0x1122334455667788);
	assert_int_equal(mdb_space_read_uint(&f->cx, f->space, 0x8000, 8, &v),
		MDB_E_UNMAPPED);
	mdb_memory_destroy(guest);
}

/* Of 0xffff800000000000 on the machine has 0x8000 in place, 64 KiB of it. */
static void
fixed(struct fixture *f)
{
	four_levels(f);
	mdb_fake_write(f->mem, 0xa000, "last", 4);
	mdb_space_add_fixed(f->space, BASE, BASE + 0x10000, 0x8000 - BASE, 1);
}

static enum mdb_status
byte_at(struct fixture *f, mdb_addr_t addr, char *byte_out)
{
	return mdb_space_read(&f->cx, f->space, addr, byte_out, 1);
}

static void
test_space_fixed_places_add_nothing_to_whole_tables(void **state)
{
	struct fixture *f = *state;
	char c = 0;

	fixed(f);
	assert_int_equal(byte_at(f, BASE + 0x1000, &c), MDB_OK);
	assert_int_equal(c, 'e'); /* as mapped */
	assert_int_equal(byte_at(f, BASE + 0x2000, &c), MDB_E_UNMAPPED);
	assert_int_equal(byte_at(f, BASE + 0x10000, &c), MDB_E_UNMAPPED);
	entry(f, 0x2000, 0, 0);
	entry(f, 0x2000, 9, 0x3000 | P);
	assert_int_equal(byte_at(f, BASE + 0x2000, &c), MDB_E_UNMAPPED);
	assert_false(mdb_space_is_damaged(f->space));
}

static void
test_space_fixed_places_stand_in_for_lost_tables(void **state)
{
	static const mdb_paddr_t tables[] = { 0x1000, 0x2000, 0x3000, 0x4000 };
	struct fixture *f = *state;
	struct mdb_vtop v;
	char c = 0;

	fixed(f);
	for (size_t i = 0; i < 4; i++) {
		mdb_fake_fault(f->mem, tables[i], MDB_E_LOST);
		assert_int_equal(byte_at(f, BASE + 0x2000, &c), MDB_OK);
		assert_int_equal(c, 'l');
		assert_true(mdb_space_is_damaged(f->space));
		/* nothing is made up where the machine has no memory */
		assert_int_not_equal(byte_at(f, BASE + 0x7000, &c), MDB_OK);
		assert_int_not_equal(byte_at(f, BASE + 0x10000, &c), MDB_OK);
		mdb_fake_fault(f->mem, tables[i], MDB_OK);
		mdb_space_set_root(f->space, MDB_PAGING_4LEVEL, 0x1000);
	}
	assert_int_equal(mdb_space_vtop(&f->cx, f->space, BASE + 0x2000, &v),
		MDB_E_UNMAPPED);
}

static void
test_space_fixed_places_stand_in_for_wiped_tables(void **state)
{
	struct fixture *f = *state;
	char c = 0;

	fixed(f);
	entry(f, 0x3000, 0, 0);
	assert_int_equal(byte_at(f, BASE + 0x2000, &c), MDB_OK);
	assert_int_equal(c, 'l');
	entry(f, 0x3000, 0, 0x4000 | P | W);
	entry(f, 0x1000, 256, 0);
	entry(f, 0x1000, 300, 0x2000 | P); /* not empty, but must have it */
	mdb_space_set_root(f->space, MDB_PAGING_4LEVEL, 0x1000);
	assert_int_equal(byte_at(f, BASE + 0x2000, &c), MDB_OK);
	assert_int_equal(c, 'l');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_space_reads_across_pages),
		TEST(test_space_read_stops_where_unmapped),
		TEST(test_space_vtop_tells_rights_and_steps),
		TEST(test_space_not_canonical_is_unmapped),
		TEST(test_space_end_of_address_space),
		TEST(test_space_large_pages),
		TEST(test_space_five_levels),
		TEST(test_space_pae_and_32bit),
		TEST(test_space_tables_that_point_at_themselves_end),
		TEST(test_space_lost_table_names_its_level),
		TEST(test_space_window_shadows_tables),
		TEST(test_space_mapped_runs_merge_by_rights),
		TEST(test_space_listing_is_bounded),
		TEST(test_space_every_failing_read_fails_cleanly),
		TEST(test_memory_of_a_guest_by_nested_tables),
		TEST(test_memory_of_a_guest_by_extended_tables),
		TEST(test_space_over_a_guests_memory),
		TEST(test_space_fixed_places_add_nothing_to_whole_tables),
		TEST(test_space_fixed_places_stand_in_for_lost_tables),
		TEST(test_space_fixed_places_stand_in_for_wiped_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
