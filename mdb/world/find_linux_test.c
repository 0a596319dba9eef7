/* SPDX-License-Identifier: MIT */
/* A Linux made of few pages: page tables, VMCOREINFO, names, kallsyms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"
#include "mdb/sym/kallsyms_build.h"
#include "mdb/world/linux_world.h"

#define MAP MDB_LINUX_TEXT_MAP
#define PHYS_BASE 0x1000000ull /* of MAP */
#define TEXT (MAP + 0x200000)
#define DATA (MAP + 0x400000)
#define PGD (DATA + 0x1000)
#define UTS (DATA + 0x5000)
#define VARS (DATA + 0x6000)
#define INFO (DATA + 0x7000)
#define TABLES (DATA + 0x10000)
#define PERCPU 0x800000ull /* machine address of CPU 0's area */

static struct mdb_ctx cx;

static mdb_paddr_t
phys(mdb_addr_t addr)
{
	return addr - MAP + PHYS_BASE;
}

static const struct ksym_in syms[] = {
	{ 0, "A__per_cpu_start" },
	{ 0x1000, "Acpu_tss_rw" },
	{ 0x1100, "Ahardirq_stack_ptr" },
	{ 0x2000, "A__per_cpu_end" },
	{ TEXT, "T_stext" },
	{ TEXT, "T_text" },
	{ TEXT + 0x100, "Tstart_kernel" },
	{ TEXT + 0x180, "tdo_one" },
	{ TEXT + 0x1000, "T_etext" },
	{ PGD, "Dinit_top_pgt" },
	{ UTS, "Dinit_uts_ns" },
	{ VARS, "D__per_cpu_offset" },
	{ VARS + 0x100, "D__cpu_online_mask" },
	{ VARS + 0x200, "Dnr_cpu_ids" },
	{ VARS + 0x210, "Dpanic_cpu" },
	{ VARS + 0x300, "dvmcoreinfo_data" },
	{ INFO + 0x1000, "B_end" },
};
#define NR_SYMS (sizeof(syms) / sizeof(syms[0]))
/* The tables want more than one block of names. */
#define NR_ALL 1200u

static struct ksym_in all[NR_ALL];

struct kernel {
	struct mdb_memory *mem;
	struct mdb_target *target;
	struct ksym_build b;
	char info[1024];
};

static void
put(struct kernel *k, mdb_addr_t addr, const void *bytes, size_t len)
{
	mdb_fake_write(k->mem, phys(addr), bytes, len);
}

static void
put_u64(struct kernel *k, mdb_addr_t addr, uint64_t v)
{
	mdb_fake_write_u64(k->mem, phys(addr), v);
}

/* The kernel's gigabyte by 2 MiB pages: text may run, data may not. */
static void
put_tables(struct kernel *k)
{
	const uint64_t table = 0x63, large = 0xe3, nx = 1ull << 63;
	mdb_paddr_t pgd = phys(PGD);

	mdb_fake_write_u64(k->mem, pgd + 511 * 8, (pgd + 0x1000) | table);
	mdb_fake_write_u64(k->mem, pgd + 0x1000 + 510 * 8,
		(pgd + 0x2000) | table);
	mdb_fake_write_u64(k->mem, pgd + 0x2000 + 8,
		(PHYS_BASE + 0x200000) | large);
	mdb_fake_write_u64(k->mem, pgd + 0x2000 + 16,
		(PHYS_BASE + 0x400000) | large | nx);
}

static void
put_symbols(struct kernel *k)
{
	memcpy(all, syms, sizeof(syms));
	for (uint32_t i = NR_SYMS - 1; i < NR_ALL; i++) {
		all[i].value = INFO + 0x1000 + i;
		(void)snprintf(all[i].text, sizeof(all[i].text), "dfiller_%u",
			i);
	}
	k->b.syms = all;
	k->b.nr = NR_ALL;
	k->b.base = TABLES;
	k->b.form = MDB_KALLSYMS_BASE_PERCPU;
	k->b.marker_size = 4;
	k->b.align = 8;
	k->b.seqs = true;
	k->b.late = true;
	k->b.relative_base = TEXT;
	ksym_make(&k->b);
	put(k, TABLES, k->b.bytes.data, k->b.bytes.len);
}

static void
put_data(struct kernel *k)
{
	static const char *const names[] = { "Linux", "lab", "6.1.0-test",
		"#1 SMP", "x86_64", "(none)" };
	const uint8_t mask[8] = { 5 }; /* CPUs 0 and 2 */

	for (size_t i = 0; i < 6; i++)
		put(k, UTS + i * MDB_LINUX_UTS_LEN, names[i],
			strlen(names[i]) + 1);
	for (uint64_t i = 0; i < 4; i++)
		put_u64(k, VARS + 8 * i,
			MAP + PERCPU - PHYS_BASE + 0x10000 * i);
	put(k, VARS + 0x100, mask, 8);
	put_u64(k, VARS + 0x200, 3);
	put_u64(k, VARS + 0x210, 2);
	put_u64(k, VARS + 0x300, INFO);
	(void)snprintf(k->info, sizeof(k->info),
		"OSRELEASE=6.1.0-test\nBUILD-ID=0123abcd\nPAGESIZE=4096\n"
		"SYMBOL(init_uts_ns)=%llx\nSYMBOL(swapper_pg_dir)=%llx\n"
		"SYMBOL(_stext)=%llx\nNUMBER(phys_base)=%llu\n"
		"NUMBER(pgtable_l5_enabled)=0\nCRASHTIME=1700000000\n",
		(unsigned long long)UTS, (unsigned long long)PGD,
		(unsigned long long)TEXT, (unsigned long long)PHYS_BASE);
	put(k, INFO, k->info, strlen(k->info) + 1);
}

static void
kernel_init(struct kernel *k)
{
	memset(k, 0, sizeof(*k));
	k->mem = mdb_memory_create_fake();
	k->target = mdb_target_create_memory(k->mem);
	put_tables(k);
	put_data(k);
	put_symbols(k);
	mdb_ctx_init(&cx);
	cx.target = k->target;
}

static void
kernel_fini(struct kernel *k)
{
	mdb_target_destroy(k->target);
	mdb_buf_fini(&k->b.bytes);
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
	kernel_init(&k);
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
	kernel_fini(&k);
}

static void
test_find_linux_knows_the_cpus(void **state)
{
	struct mdb_world *w;
	struct kernel k;
	mdb_addr_t addr;
	int cpu = -1;

	(void)state;
	kernel_init(&k);
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
	kernel_fini(&k);
}

/* A stale copy states another release; the right one comes later. */
static void
test_find_linux_passes_over_a_stale_copy(void **state)
{
	static const char stale[] = "OSRELEASE=5.0.0-gone\nPAGESIZE=4096\n";
	struct kernel k;

	(void)state;
	kernel_init(&k);
	mdb_fake_write(k.mem, 0x3000, stale, sizeof(stale));
	k.info[strlen("OSRELEASE=")] = '7';
	mdb_fake_write(k.mem, 0x4000, k.info, strlen(k.info) + 1);
	assert_string_equal(mdb_world_fact(&cx, found(&k), "release"),
		"6.1.0-test");
	kernel_fini(&k);
}

static void
test_find_linux_finds_page_tables_by_shape(void **state)
{
	struct mdb_world *w;
	struct kernel k;

	(void)state;
	kernel_init(&k);
	put_u64(&k, INFO, 0);
	w = found(&k);
	assert_null(w->vmcoreinfo);
	assert_int_equal(mdb_space_root(w->space), phys(PGD));
	assert_string_equal(mdb_world_fact(&cx, w, "release"), "6.1.0-test");
	assert_int_equal(mdb_nr_cpu_ids(w), 3);
	kernel_fini(&k);
}

static void
test_find_linux_claims_nothing_where_xen_is_mapped(void **state)
{
	struct kernel k;
	mdb_paddr_t pgd = phys(PGD);

	(void)state;
	kernel_init(&k);
	/* 0xffff82d040000000 is slot 261, slot 321 in it. */
	mdb_fake_write_u64(k.mem, pgd + 261 * 8, (pgd + 0x3000) | 0x63);
	mdb_fake_write_u64(k.mem, pgd + 0x3000 + 321 * 8, 0x40000000 | 0xe3);
	assert_int_equal(mdb_find_linux(&cx, k.target), MDB_E_NOTFOUND);
	assert_null(k.target->worlds);
	kernel_fini(&k);
}

static void
test_find_linux_keeps_a_world_whose_symbols_are_lost(void **state)
{
	struct mdb_world *w;
	struct mdb_sym sym;
	struct kernel k;

	(void)state;
	kernel_init(&k);
	mdb_fake_fault(k.mem, phys(k.b.layout.token_index) & ~4095ull,
		MDB_E_LOST);
	w = found(&k);
	assert_string_equal(mdb_world_fact(&cx, w, "release"), "6.1.0-test");
	assert_int_equal(mdb_sym_by_name(&cx, w, "start_kernel", &sym),
		MDB_E_NOTFOUND);
	assert_int_equal(mdb_panic_cpu(&cx, w), -1);
	kernel_fini(&k);
}

static void
test_find_linux_is_not_there(void **state)
{
	struct kernel k;

	(void)state;
	kernel_init(&k);
	put_u64(&k, INFO, 0);
	mdb_fake_write_u64(k.mem, phys(PGD) + 511 * 8, 0);
	assert_int_equal(mdb_find_linux(&cx, k.target), MDB_E_NOTFOUND);
	kernel_fini(&k);
}

/* Whatever read fails, and for how long: no crash, no world half made. */
static void
test_find_linux_survives_each_failing_read(void **state)
{
	(void)state;
	for (unsigned long nth = 1; nth < 400; nth += 3) {
		struct kernel k;
		enum mdb_status st;

		kernel_init(&k);
		mdb_fake_fail_nth(k.mem, nth, MDB_E_LOST, nth % 2);
		st = mdb_find_linux(&cx, k.target);
		assert_int_equal(st == MDB_OK, k.target->worlds != NULL);
		if (st == MDB_OK) {
			struct mdb_sym sym;

			cx.world = k.target->worlds;
			(void)mdb_world_fact(&cx, cx.world, "panic_message");
			(void)!mdb_sym_by_name(&cx, cx.world, "do_one", &sym);
		}
		kernel_fini(&k);
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
			test_find_linux_opens_a_real_kdump_reading_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
