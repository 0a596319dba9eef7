/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <unistd.h>

#include "mdb/world/linux_build.h"

static struct mdb_ctx cx;

static void
begin(struct kernel *k)
{
	kernel_init(k, 0x1000);
	mdb_ctx_init(&cx);
	cx.target = k->target;
}

static void
end(struct kernel *k)
{
	kernel_fini(k);
	mdb_ctx_fini(&cx);
}

static struct mdb_world *
found(struct kernel *k)
{
	assert_int_equal(mdb_find_linux(&cx, k->target), MDB_OK);
	assert_non_null(k->target->worlds);
	cx.world = k->target->worlds;
	return cx.world;
}

static void
test_find_linux_finds_the_text_in_memory(void **state)
{
	struct mdb_world *w;
	struct mdb_sym sym;
	struct kernel k;

	(void)state;
	begin(&k);
	w = found(&k);
	assert_int_equal(w->kind, MDB_WORLD_LINUX);
	assert_int_equal(mdb_space_root(w->space), phys(PGD));
	assert_string_equal(mdb_world_fact(&cx, w, "release"), "6.1.0-test");
	assert_string_equal(mdb_world_fact(&cx, w, "nodename"), "lab");
	assert_string_equal(mdb_world_fact(&cx, w, "build_id"), "0123abcd");
	assert_null(mdb_world_fact(&cx, w, "no such fact"));
	assert_int_equal(mdb_sym_by_name(&cx, w, "start_kernel", &sym), MDB_OK);
	assert_int_equal(sym.value, TEXT + 0x100);
	assert_int_equal(w->objects->base, TEXT);
	assert_int_equal(w->objects->end, DATA);
	end(&k);
}

static void
test_find_linux_knows_the_cpus(void **state)
{
	struct mdb_world *w;
	struct kernel k;
	mdb_addr_t addr;
	int cpu = -1;

	(void)state;
	begin(&k);
	w = found(&k);
	assert_int_equal(mdb_nr_cpu_ids(w), 3);
	assert_int_equal(mdb_cpu_next(&cx, w, &cpu), MDB_OK);
	assert_int_equal(cpu, 0);
	assert_int_equal(mdb_cpu_next(&cx, w, &cpu), MDB_OK);
	assert_int_equal(cpu, 2);
	assert_int_equal(mdb_cpu_next(&cx, w, &cpu), MDB_DONE);
	assert_int_equal(mdb_panic_cpu(&cx, w), 2);
	assert_int_equal(mdb_percpu_addr(&cx, w, 0x1000, 2, &addr), MDB_OK);
	assert_int_equal(addr, MAP + PERCPU - PHYS_BASE + 0x20000 + 0x1000);
	assert_int_equal(mdb_percpu_addr(&cx, w, 0x1000, 3, &addr),
		MDB_E_NOTFOUND);
	end(&k);
}

/* A stale copy states another release; the right one comes later. */
static void
test_find_linux_passes_over_a_stale_copy(void **state)
{
	static const char stale[] = "OSRELEASE=5.0.0-gone\nPAGESIZE=4096\n";
	struct kernel k;

	(void)state;
	begin(&k);
	mdb_fake_write(k.mem, 0x3000, stale, sizeof(stale));
	k.info[strlen("OSRELEASE=")] = '7';
	mdb_fake_write(k.mem, 0x4000, k.info, strlen(k.info) + 1);
	assert_string_equal(mdb_world_fact(&cx, found(&k), "release"),
		"6.1.0-test");
	end(&k);
}

static void
test_find_linux_finds_page_tables_by_shape(void **state)
{
	struct mdb_world *w;
	struct kernel k;

	(void)state;
	begin(&k);
	put_u64(&k, INFO, 0);
	w = found(&k);
	assert_null(w->vmcoreinfo);
	assert_int_equal(mdb_space_root(w->space), phys(PGD));
	assert_string_equal(mdb_world_fact(&cx, w, "release"), "6.1.0-test");
	assert_int_equal(mdb_nr_cpu_ids(w), 3);
	end(&k);
}

static void
test_find_linux_claims_nothing_where_xen_is_mapped(void **state)
{
	struct kernel k;
	mdb_paddr_t pgd = phys(PGD);

	(void)state;
	begin(&k);
	/* 0xffff82d040000000 is slot 261, slot 321 in it. */
	mdb_fake_write_u64(k.mem, pgd + 261 * 8, (pgd + 0x3000) | 0x63);
	mdb_fake_write_u64(k.mem, pgd + 0x3000 + 321 * 8, 0x40000000 | 0xe3);
	assert_int_equal(mdb_find_linux(&cx, k.target), MDB_E_NOTFOUND);
	assert_null(k.target->worlds);
	end(&k);
}

static void
test_find_linux_keeps_a_world_whose_symbols_are_lost(void **state)
{
	struct mdb_world *w;
	struct mdb_sym sym;
	struct kernel k;

	(void)state;
	begin(&k);
	mdb_fake_fault(k.mem, phys(k.b.layout.token_index) & ~4095ull,
		MDB_E_LOST);
	w = found(&k);
	assert_string_equal(mdb_world_fact(&cx, w, "release"), "6.1.0-test");
	assert_int_equal(mdb_sym_by_name(&cx, w, "start_kernel", &sym),
		MDB_E_NOTFOUND);
	assert_int_equal(mdb_panic_cpu(&cx, w), -1);
	end(&k);
}

static void
test_find_linux_is_not_there(void **state)
{
	struct kernel k;

	(void)state;
	begin(&k);
	put_u64(&k, INFO, 0);
	mdb_fake_write_u64(k.mem, phys(PGD) + 511 * 8, 0);
	assert_int_equal(mdb_find_linux(&cx, k.target), MDB_E_NOTFOUND);
	end(&k);
}

/* Whatever read fails, and for how long: no crash, no world half made. */
static void
test_find_linux_survives_each_failing_read(void **state)
{
	(void)state;
	for (unsigned long nth = 1; nth < 400; nth += 3) {
		struct kernel k;
		enum mdb_status st;

		begin(&k);
		mdb_fake_fail_nth(k.mem, nth, MDB_E_LOST, nth % 2);
		st = mdb_find_linux(&cx, k.target);
		assert_int_equal(st == MDB_OK, k.target->worlds != NULL);
		if (st == MDB_OK) {
			struct mdb_sym sym;

			cx.world = k.target->worlds;
			(void)mdb_world_fact(&cx, cx.world, "panic_message");
			(void)!mdb_sym_by_name(&cx, cx.world, "do_one", &sym);
		}
		end(&k);
	}
}

/* Offsets so large that with the length of a word they are small again. */
static void
test_find_linux_refuses_a_log_layout_that_wraps(void **state)
{
	static const char *const keys[] = { "prb_desc.state_var",
		"prb_data_blk_lpos.begin", "prb_data_blk_lpos.next",
		"printk_info.text_len" };
	struct mdb_world *w;
	struct kernel k;
	char text[4096];

	(void)state;
	for (size_t bad = 0; bad < 4; bad++) {
		begin(&k);
		int n = snprintf(text, sizeof(text),
			"%sSYMBOL(prb)=%llx\nSIZE(prb_desc)=24\n"
			"SIZE(printk_info)=32\nOFFSET(prb_desc.text_blk_lpos)=0"
			"\nOFFSET(printk_ringbuffer.desc_ring)=0\n"
			"OFFSET(printk_ringbuffer.text_data_ring)=0\n"
			"OFFSET(prb_desc_ring.count_bits)=8\n"
			"OFFSET(prb_desc_ring.descs)=16\n"
			"OFFSET(prb_desc_ring.infos)=16\n"
			"OFFSET(prb_desc_ring.head_id)=8\n"
			"OFFSET(prb_desc_ring.tail_id)=8\n"
			"OFFSET(atomic_long_t.counter)=0\n"
			"OFFSET(prb_data_ring.size_bits)=8\n"
			"OFFSET(prb_data_ring.data)=16\n",
			k.info, (unsigned long long)VARS + 0x400);
		for (size_t i = 0; i < 4; i++)
			n += snprintf(text + n, sizeof(text) - (size_t)n,
				"OFFSET(%s)=%d\n", keys[i],
				i == bad ? -2 - 6 * (i < 3) : 0);
		put(&k, INFO, text, (size_t)n + 1);
		put_u64(&k, VARS + 0x400, VARS + 0x500);
		put_u64(&k, VARS + 0x508, 0);
		put_u64(&k, VARS + 0x510, VARS + 0x600);
		put_u64(&k, VARS + 0x600, 1ull << 62);
		put_u64(&k, VARS + 0x608, 0);
		w = found(&k);
		assert_null(mdb_world_fact(&cx, w, "panic_message"));
		end(&k);
	}
}

#define REAL "../shared/data/linux-kdump.lzo"

static void
test_find_linux_opens_a_real_kdump_reading_little(void **state)
{
	const char *const path = REAL;
	struct mdb_target_options options = { .dump_paths = &path,
		.nr_dump_paths = 1 };
	struct mdb_target *target;
	struct dfmt_stats stats;
	struct mdb_world *w;
	struct mdb_sym sym;

	(void)state;
	if (access(path, R_OK) != 0) {
		puts("skipped find_linux_real: no ../shared/data");
		return;
	}
	mdb_ctx_init(&cx);
	assert_int_equal(mdb_target_open(&cx, &options, &target), MDB_OK);
	w = target->worlds;
	assert_int_equal(w->kind, MDB_WORLD_LINUX);
	assert_string_equal(mdb_world_fact(&cx, w, "release"),
		"6.1.0-56-amd64");
	assert_string_equal(mdb_world_fact(&cx, w, "panic_message"),
		"sysrq triggered crash");
	assert_int_equal(mdb_panic_cpu(&cx, w), 1);
	dfmt_stats_get(mdb_memory_dump(target->memory), &stats);
	assert_true(stats.bytes_read < 512 << 10);
	assert_int_equal(mdb_sym_by_name(&cx, w, "schedule", &sym), MDB_OK);
	assert_int_equal(sym.value, 0xffffffffaac52dd0);
	mdb_target_destroy(target);
	mdb_ctx_fini(&cx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find_linux_finds_the_text_in_memory),
		cmocka_unit_test(test_find_linux_knows_the_cpus),
		cmocka_unit_test(test_find_linux_passes_over_a_stale_copy),
		cmocka_unit_test(test_find_linux_finds_page_tables_by_shape),
		cmocka_unit_test(
			test_find_linux_claims_nothing_where_xen_is_mapped),
		cmocka_unit_test(
			test_find_linux_keeps_a_world_whose_symbols_are_lost),
		cmocka_unit_test(test_find_linux_is_not_there),
		cmocka_unit_test(test_find_linux_survives_each_failing_read),
		cmocka_unit_test(
			test_find_linux_refuses_a_log_layout_that_wraps),
		cmocka_unit_test(
			test_find_linux_opens_a_real_kdump_reading_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
