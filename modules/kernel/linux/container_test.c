/* SPDX-License-Identifier: MIT */
/*
 * Lists and trees that are whole, cut by unreadable pages, or loops.
 */
#include "linux.h"

#include "mdb/base/ctx.h"
#include "mdb/mem/memory.h"
#include "mdb/mem/space.h"
#include "mdb/world/target.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define BASE 0xffff888000000000ull
#define PAGE 4096u

/* One node per page, so that each can be made unreadable alone. */
#define NODE(i) (BASE + (uint64_t)(i)*PAGE + 0x100)

struct fixture {
	struct mdb_ctx cx;
	struct mdb_memory *mem;
	struct mdb_target *target;
	struct mdb_world *world;
};

static int
setup(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	mdb_ctx_init(&f.cx);
	f.mem = mdb_memory_create_fake();
	f.target = mdb_target_create_memory(f.mem);
	f.world = mdb_world_create(f.target, MDB_WORLD_LINUX, "linux");
	f.world->space = mdb_space_create("kernel", f.mem, &mdb_arch_x86_64,
		MDB_PAGING_NONE, 0);
	mdb_space_add_window(f.world->space, BASE, BASE + 0x10000000,
		0ull - BASE);
	mdb_target_add_world(f.target, f.world);
	f.cx.target = f.target;
	f.cx.world = f.world;
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	mdb_ctx_fini(&f->cx);
	mdb_target_destroy(f->target);
	return 0;
}

static void
poke(struct fixture *f, mdb_addr_t addr, uint64_t value)
{
	mdb_fake_write_u64(f->mem, addr - BASE, value);
}

/* A ring of count nodes; node 0 is the head. */
static void
make_list(struct fixture *f, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		poke(f, NODE(i), NODE((i + 1) % count));
		poke(f, NODE(i) + 8, NODE((i + count - 1) % count));
	}
}

static struct kern_set
collect(struct fixture *f)
{
	struct kern_set set = { .world = f->world };

	assert_int_equal(linux_list_collect(&f->cx,
				 mdb_kernel_loc(f->world, NODE(0)), 0x10, &set),
		MDB_OK);
	return set;
}

static void
test_list_whole_is_in_order(void **state)
{
	struct kern_set set;
	size_t i;

	make_list(*state, 2000);
	set = collect(*state);
	assert_null(set.why);
	assert_int_equal(set.count, 1999);
	for (i = 0; i < set.count; i++)
		assert_int_equal(set.addrs[i], NODE(i + 1) - 0x10);
}

static void
test_list_empty_has_nothing(void **state)
{
	struct kern_set set;

	make_list(*state, 1);
	set = collect(*state);
	assert_null(set.why);
	assert_int_equal(set.count, 0);
}

/* An unreadable node hides no other: the far end is read backward. */
static void
test_list_is_read_from_both_ends(void **state)
{
	struct fixture *f = *state;
	struct kern_set set;
	size_t i;

	make_list(f, 10);
	mdb_fake_fault(f->mem, NODE(4) - BASE - 0x100, MDB_E_EXCLUDED);
	set = collect(f);
	assert_non_null(set.why);
	assert_int_equal(set.count, 9);
	for (i = 0; i < set.count; i++)
		assert_int_equal(set.addrs[i], NODE(i + 1) - 0x10);
}

static void
test_list_gap_is_told(void **state)
{
	struct fixture *f = *state;
	struct kern_set set;

	make_list(f, 10);
	mdb_fake_fault(f->mem, NODE(3) - BASE - 0x100, MDB_E_EXCLUDED);
	mdb_fake_fault(f->mem, NODE(7) - BASE - 0x100, MDB_E_EXCLUDED);
	set = collect(f);
	assert_non_null(set.why);
	/* 1 2 3 from the front, 7 8 9 from the end */
	assert_int_equal(set.count, 6);
	assert_int_equal(set.addrs[2], NODE(3) - 0x10);
	assert_int_equal(set.addrs[3], NODE(7) - 0x10);
}

static void
test_list_cycle_ends(void **state)
{
	struct fixture *f = *state;
	struct kern_set set;

	make_list(f, 10);
	poke(f, NODE(5), NODE(2));
	set = collect(f);
	assert_non_null(set.why);
	assert_int_equal(set.count, 9);
	make_list(f, 10);
	poke(f, NODE(5), NODE(5));
	poke(f, NODE(7) + 8, NODE(7));
	set = collect(f);
	assert_non_null(set.why);
	assert_int_equal(set.count, 8);
	poke(f, NODE(1), 0);
	set = collect(f);
	assert_non_null(set.why);
}

/* ---- trees: a balanced one of 2^depth - 1 nodes -------------------------- */

static mdb_addr_t
make_tree(struct fixture *f, unsigned int first, unsigned int end)
{
	unsigned int middle = first + (end - first) / 2;

	if (first >= end)
		return 0;
	poke(f, NODE(middle), 0);
	poke(f, NODE(middle) + 8, make_tree(f, middle + 1, end));
	poke(f, NODE(middle) + 16, make_tree(f, first, middle));
	return NODE(middle);
}

static enum mdb_status
count_tree(struct fixture *f, mdb_addr_t root, unsigned int *count_out)
{
	struct linux_rb it;
	mdb_addr_t node, last = 0;
	enum mdb_status st;

	*count_out = 0;
	linux_rb_begin(&it, f->world, root);
	while ((st = linux_rb_next(&f->cx, &it, &node)) == MDB_OK) {
		if (++*count_out > 100000)
			return MDB_E_CORRUPT;
		assert_true(node > last || last == 0);
		last = node;
	}
	return st;
}

static void
test_tree_is_in_order(void **state)
{
	struct fixture *f = *state;
	unsigned int n;
	mdb_addr_t root = make_tree(f, 1, 512);

	assert_int_equal(count_tree(f, root, &n), MDB_DONE);
	assert_int_equal(n, 511);
	assert_int_equal(count_tree(f, 0, &n), MDB_DONE);
	assert_int_equal(n, 0);
}

static void
test_tree_skips_what_it_cannot_read(void **state)
{
	struct fixture *f = *state;
	unsigned int n;
	mdb_addr_t root = make_tree(f, 1, 16);

	/* 8 is the root, 4 its left child, 2 that one's */
	mdb_fake_fault(f->mem, NODE(2) - BASE - 0x100, MDB_E_LOST);
	assert_int_equal(count_tree(f, root, &n), MDB_E_LOST);
	assert_int_equal(n, 12);
	assert_non_null(strstr(mdb_trail(&f->cx), "12 nodes"));
}

static void
test_tree_cycle_ends(void **state)
{
	struct fixture *f = *state;
	struct linux_rb it;
	unsigned int n = 0;
	mdb_addr_t root = make_tree(f, 1, 16), node;
	enum mdb_status st;

	poke(f, NODE(1) + 16, root);
	assert_int_equal(count_tree(f, root, &n), MDB_E_CORRUPT);
	make_tree(f, 1, 16);
	poke(f, NODE(15) + 8, NODE(15));
	linux_rb_begin(&it, f->world, root);
	n = 0;
	while ((st = linux_rb_next(&f->cx, &it, &node)) == MDB_OK)
		assert_true(++n <= KERN_SET_MAX);
	assert_int_equal(st, MDB_E_CORRUPT);
}

/* ---- xarrays: each node's slots all lead to the same child --------------- */

static void
make_braid(struct fixture *f, struct linux_xa *it)
{
	memset(it, 0, sizeof(*it));
	it->world = f->world;
	it->nr_slots = LINUX_XA_SLOTS;
	it->slots_offset = 8;
	it->depth = 1;
	it->levels[0].shift = 60;
	for (unsigned int s = 0; s < LINUX_XA_SLOTS; s++)
		it->levels[0].slots[s] = NODE(1) | 2;
	for (unsigned int i = 1; i <= 10; i++) {
		poke(f, NODE(i), 60 - 6 * i);
		for (unsigned int s = 0; s < LINUX_XA_SLOTS; s++)
			poke(f, NODE(i) + 8 + 8ull * s,
				i < 10 ? NODE(i + 1) | 2 : 0);
	}
}

static void
test_xarray_braid_ends(void **state)
{
	struct fixture *f = *state;
	struct linux_xa it;
	mdb_addr_t entry, index;

	make_braid(f, &it);
	assert_int_equal(linux_xa_next(&f->cx, &it, &entry, &index),
		MDB_E_CORRUPT);
}

static void
test_trees_heed_the_interrupt(void **state)
{
	struct fixture *f = *state;
	volatile sig_atomic_t interrupted = 1;
	struct linux_xa it;
	mdb_addr_t entry, index;
	unsigned int n;

	f->cx.interrupted = &interrupted;
	make_braid(f, &it);
	assert_int_equal(linux_xa_next(&f->cx, &it, &entry, &index),
		MDB_E_INTERRUPTED);
	assert_int_equal(count_tree(f, make_tree(f, 1, 16), &n),
		MDB_E_INTERRUPTED);
	f->cx.interrupted = NULL;
}

/* ---- what was met before ------------------------------------------------- */

static void
test_seen_tells_each_once(void **state)
{
	struct fixture *f = *state;
	struct linux_seen seen = { 0 };
	unsigned int i;

	for (i = 1; i < 5000; i++)
		assert_true(linux_seen_add(&f->cx, &seen, i * 8));
	for (i = 1; i < 5000; i++)
		assert_false(linux_seen_add(&f->cx, &seen, i * 8));
	assert_false(linux_seen_add(&f->cx, &seen, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_list_whole_is_in_order),
		TEST(test_list_empty_has_nothing),
		TEST(test_list_is_read_from_both_ends),
		TEST(test_list_gap_is_told),
		TEST(test_list_cycle_ends),
		TEST(test_tree_is_in_order),
		TEST(test_tree_skips_what_it_cannot_read),
		TEST(test_tree_cycle_ends),
		TEST(test_xarray_braid_ends),
		TEST(test_trees_heed_the_interrupt),
		TEST(test_seen_tells_each_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
