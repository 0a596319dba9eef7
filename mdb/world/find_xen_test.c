/* SPDX-License-Identifier: MIT */
/* Finding the hypervisor and domain 0; panics; frames; damage. */
#include "mdb/world/xen_fixture.h"

/* ---- finding ------------------------------------------------------------- */

static void
test_xen_is_found_by_a_crash_kernels_notes(void **state)
{
	struct xen_machine m;
	struct mdb_world *w;
	struct mdb_xen *xen;

	(void)state;
	begin(&m);
	xm_crash_notes(&m);
	w = found(&m);
	assert_string_equal(warned, "");
	assert_non_null(w);
	xen = mdb_xen_of(w);
	assert_int_equal(xen->virt_start, XM_VIRT);
	assert_int_equal(xen->phys_start, XM_PHYS);
	assert_true(xen->has_table);
	assert_int_equal(mdb_space_root(w->space), XM_L4);
	end(&m);
}

static void
test_xen_domain_0_is_a_linux_world(void **state)
{
	struct mdb_world *w, *dom0;
	struct xen_machine m;

	(void)state;
	begin(&m);
	xm_crash_notes(&m);
	w = found(&m);
	dom0 = world_of(&m, MDB_WORLD_LINUX);
	assert_non_null(dom0);
	assert_string_equal(mdb_world_fact(&cx, dom0, "release"), "6.1.0-test");
	assert_int_equal(mdb_xen_domain_of(dom0), 0);
	assert_ptr_equal(mdb_xen_world(dom0), w);
	assert_int_equal(mdb_panic_cpu(&cx, dom0), -1);
	end(&m);
}

static void
test_xen_is_found_by_page_tables_alone(void **state)
{
	struct xen_machine m;

	(void)state;
	begin(&m);
	xm_qemu(&m, TEXT + 0x184, 0xe033, phys(PGD), XM_HEAP(XM_TSS(0)));
	xm_qemu(&m, XM_TEXT + 0x20, 0xe008, XM_L4, XM_HEAP(XM_TSS(1)));
	assert_non_null(found(&m));
	assert_string_equal(warned, "");
	assert_non_null(world_of(&m, MDB_WORLD_LINUX));
	end(&m);
}

/* ---- panics -------------------------------------------------------------- */

static void
test_xen_the_console_says_who_panicked(void **state)
{
	struct xen_machine m;
	struct mdb_world *w;

	(void)state;
	begin(&m);
	xm_console(&m, "(XEN) Panic on CPU 7:\n(XEN) an old one\n"
		       "(XEN) ****************************************\n"
		       "(XEN) Panic on CPU 1:\n(XEN) FATAL TRAP: vec 2\n"
		       "(XEN) [ 12.5] more of it\n"
		       "(XEN) ****************************************\n"
		       "(XEN) Reboot in five seconds...\n");
	xm_crash_notes(&m);
	w = found(&m);
	assert_int_equal(mdb_panic_cpu(&cx, w), 1);
	assert_string_equal(mdb_world_fact(&cx, w, "panic_message"),
		"FATAL TRAP: vec 2; more of it");
	end(&m);
}

static void
test_xen_without_a_console_the_stack_says_who_panicked(void **state)
{
	struct xen_machine m;
	struct mdb_world *w;

	(void)state;
	begin(&m);
	xm_u64(&m, xm_phys(XM_CONRING), 8);
	xm_u64(&m, XM_STACK(1) + 0x7e40, XM_PANIC + 0x33);
	xm_crash_notes(&m);
	w = found(&m);
	assert_int_equal(mdb_panic_cpu(&cx, w), 1);
	assert_null(mdb_world_fact(&cx, w, "panic_message"));
	end(&m);
}

static void
test_xen_nobody_panicked_where_nothing_says_so(void **state)
{
	struct xen_machine m;
	struct mdb_world *w;

	(void)state;
	begin(&m);
	xm_crash_notes(&m); /* also a dead domain 0 makes such a dump */
	w = found(&m);
	assert_int_equal(mdb_panic_cpu(&cx, w), -1);
	assert_null(mdb_world_fact(&cx, w, "panic_message"));
	end(&m);
}

/* ---- frames -------------------------------------------------------------- */

static void
test_xen_frames_both_ways(void **state)
{
	mdb_pfn_t frame = 0;
	struct xen_machine m;
	struct mdb_world *w, *dom0;

	(void)state;
	begin(&m);
	xm_u64(&m, XM_M2P + 8 * 0x25, 0x77);
	xm_u64(&m, XM_M2P + 8 * 0x26, UINT64_MAX - 1);
	xm_u64(&m, XM_FRAME_LISTS, XM_FRAME_LISTS / 4096 + 1);
	xm_u64(&m, XM_FRAME_LISTS + 0x1000, XM_FRAME_LISTS / 4096 + 2);
	xm_u64(&m, XM_FRAME_LISTS + 0x2000 + 8 * 0x77, 0x25);
	xm_u64(&m, XM_FRAME_LISTS + 0x2000 + 8 * 0x78, UINT64_MAX);
	xm_u64(&m, XM_FRAME_LISTS + 0x2000 + 8 * 0x79, 1ull << 62 | 0xfee00);
	xm_crash_notes(&m);
	w = found(&m);
	dom0 = world_of(&m, MDB_WORLD_LINUX);
	assert_int_equal(mdb_xen_mfn_to_gfn(&cx, w, 0x25, &frame), MDB_OK);
	assert_int_equal(frame, 0x77);
	assert_int_equal(mdb_xen_mfn_to_gfn(&cx, w, 0x26, &frame),
		MDB_E_UNMAPPED);
	assert_int_equal(mdb_xen_mfn_to_gfn(&cx, w, 0x27, &frame),
		MDB_E_UNMAPPED);
	assert_int_equal(mdb_xen_mfn_to_gfn(&cx, w, UINT64_MAX, &frame),
		MDB_E_RANGE);
	assert_int_equal(mdb_xen_gfn_to_mfn(&cx, dom0, 0x77, &frame), MDB_OK);
	assert_int_equal(frame, 0x25);
	assert_int_equal(mdb_xen_gfn_to_mfn(&cx, dom0, 0x78, &frame),
		MDB_E_UNMAPPED);
	assert_int_equal(mdb_xen_gfn_to_mfn(&cx, dom0, 0x79, &frame), MDB_OK);
	assert_int_equal(frame, 0xfee00);
	assert_int_equal(mdb_xen_gfn_to_mfn(&cx, dom0, 1ull << 39, &frame),
		MDB_E_UNMAPPED);
	assert_int_equal(mdb_xen_gfn_to_mfn(&cx, w, 0x77, &frame),
		MDB_E_UNSUPPORTED);
	end(&m);
}

/* ---- damage -------------------------------------------------------------- */

static void
test_xen_outlives_its_own_page_tables(void **state)
{
	struct xen_machine m;
	struct mdb_world *w;

	(void)state;
	begin(&m);
	xm_u64(&m, 0x3000 + 8, 0);
	xm_crash_notes(&m);
	w = found(&m);
	assert_non_null(strstr(warned, "page tables"));
	assert_non_null(w);
	assert_int_equal(ip_of(w, 1), XM_TEXT + 0x20);
	assert_non_null(world_of(&m, MDB_WORLD_LINUX));
	end(&m);
}

/* All of a table is zeroes: the tables of image and direct map, by turns. */
static void
test_xen_outlives_wiped_tables(void **state)
{
	static const mdb_paddr_t tables[] = { XM_L4, 0x2000, 0x3000, 0x4000,
		0x5000 };

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct xen_machine m;
		struct mdb_world *w;
		uint64_t v;

		begin(&m);
		for (uint64_t at = 0; at < 4096; at += 8)
			xm_u64(&m, tables[i] + at, 0);
		xm_crash_notes(&m);
		w = found(&m);
		assert_non_null(w);
		assert_non_null(strstr(warned, "page tables of xpv are dam"));
		assert_non_null(mdb_world_fact(&cx, w, "page_tables"));
		assert_int_equal(ip_of(w, 0), XM_PANIC + 0x20);
		assert_int_equal(mdb_space_read_uint(&cx, w->space,
					 XM_HEAP(XM_DOMAIN) + 8, 8, &v),
			MDB_OK);
		assert_int_equal(v, XM_HEAP(XM_ARRAYS + 0x100));
		end(&m);
	}
}

/* No notes: the top table names one that is in the image. */
static void
test_xen_of_a_whole_machine_outlives_wiped_tables(void **state)
{
	const uint64_t magic = 0x1badb002;
	struct xen_machine m;
	struct mdb_world *w;

	(void)state;
	begin(&m);
	xm_u64(&m, xm_phys(XM_TEXT) + 8, magic);
	for (uint64_t i = 0; i < 300; i++)
		xm_u64(&m, xm_phys(XM_RODATA) + 0x1f000 + 8 * i, XM_TEXT + i);
	for (uint64_t at = 0; at < 4096; at += 8) {
		xm_u64(&m, XM_PHYS + 0x602000 + at, 0);
		xm_u64(&m, XM_L4 + at, 0);
		xm_u64(&m, phys(PGD) + at % 2048 + 2048, 0);
	}
	xm_u64(&m, XM_L4 + 8 * 261, (XM_PHYS + 0x602000) | 0x67);
	xm_u64(&m, XM_L4 + 8 * 262, 0x4000 | 0x67);
	xm_qemu(&m, XM_TEXT + 0x20, 0xe008, XM_L4, XM_HEAP(XM_TSS(1)));
	w = found(&m);
	assert_non_null(w);
	assert_int_equal(mdb_xen_of(w)->phys_start, XM_PHYS);
	assert_non_null(strstr(warned, "page tables of xpv are damaged"));
	end(&m);
}

/* What is not mapped while the tables are whole is not. */
static void
test_xen_guard_pages_stay_unmapped(void **state)
{
	struct xen_machine m;
	struct mdb_world *w;
	uint64_t v;

	(void)state;
	begin(&m);
	xm_u64(&m, 0x5000, 0x2f000 | 0x67); /* the first 2 MiB by pages */
	for (uint64_t i = 0; i < 512; i++)
		xm_u64(&m, 0x2f000 + 8 * i, i == 0x2e ? 0 : i << 12 | 0x63);
	xm_crash_notes(&m);
	w = found(&m);
	assert_non_null(w);
	assert_string_equal(warned, "");
	assert_int_equal(
		mdb_space_read_uint(&cx, w->space, XM_HEAP(0x2e000), 8, &v),
		MDB_E_UNMAPPED);
	assert_int_equal(
		mdb_space_read_uint(&cx, w->space, XM_HEAP(0x2d000), 8, &v),
		MDB_OK);
	assert_null(mdb_world_fact(&cx, w, "page_tables"));
	end(&m);
}

static void
test_xen_outlives_domain_0s_page_tables(void **state)
{
	struct xen_machine m;
	struct mdb_world *w;

	(void)state;
	begin(&m);
	put_u64(&m.dom0, PGD + 0x1000 + 510 * 8, 0);
	xm_crash_notes(&m);
	w = found(&m);
	assert_non_null(w);
	assert_null(world_of(&m, MDB_WORLD_LINUX));
	assert_non_null(strstr(warned, "no page tables of domain 0"));
	assert_int_equal(ip_of(w, 0), XM_PANIC + 0x20);
	end(&m);
}

static void
test_xen_that_is_nowhere_is_said_to_be_lost(void **state)
{
	struct xen_machine m;

	(void)state;
	begin(&m);
	for (uint64_t at = 0; at < m.symbols.bytes.len; at += 8)
		xm_u64(&m, xm_phys(XM_RODATA + 0x1000) + at, 0);
	xm_u64(&m, 0x3000 + 8, 0);
	xm_crash_notes(&m);
	assert_null(found(&m));
	assert_non_null(strstr(warned, "a hypervisor is there, but"));
	end(&m);
}

static void
ask_everything(struct xen_machine *m)
{
	for (struct mdb_world *w = m->target->worlds; w; w = w->next) {
		struct mdb_regs regs;
		int cpu = -1;

		(void)mdb_panic_cpu(&cx, w);
		(void)mdb_world_fact(&cx, w, "release");
		(void)mdb_world_fact(&cx, w, "panic_message");
		while (mdb_cpu_next(&cx, w, &cpu) == MDB_OK)
			(void)mdb_cpu_regs(&cx, w, cpu, &regs);
		mdb_forget(&cx);
	}
}

static void
test_xen_dump_may_be_cut_anywhere(void **state)
{
	struct xen_machine m;
	size_t nr_found = 0;

	(void)state;
	begin(&m);
	xm_crash_notes(&m);
	assert_non_null(xm_open(&m, SIZE_MAX));
	for (size_t i = 0; i < 64; i++) {
		mdb_target_destroy(m.target);
		m.target = NULL;
		cx.target = NULL;
		cx.world = NULL;
		if (xm_open(&m, m.file_len * i / 64) == NULL)
			continue;
		find(m.target);
		ask_everything(&m);
		nr_found += world_of(&m, MDB_WORLD_XEN) != NULL;
	}
	assert_true(nr_found > 16 && nr_found < 64);
	end(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_xen_is_found_by_a_crash_kernels_notes),
		cmocka_unit_test(test_xen_domain_0_is_a_linux_world),
		cmocka_unit_test(test_xen_is_found_by_page_tables_alone),
		cmocka_unit_test(test_xen_the_console_says_who_panicked),
		cmocka_unit_test(
			test_xen_without_a_console_the_stack_says_who_panicked),
		cmocka_unit_test(
			test_xen_nobody_panicked_where_nothing_says_so),
		cmocka_unit_test(test_xen_frames_both_ways),
		cmocka_unit_test(test_xen_outlives_its_own_page_tables),
		cmocka_unit_test(test_xen_outlives_wiped_tables),
		cmocka_unit_test(
			test_xen_of_a_whole_machine_outlives_wiped_tables),
		cmocka_unit_test(test_xen_guard_pages_stay_unmapped),
		cmocka_unit_test(test_xen_outlives_domain_0s_page_tables),
		cmocka_unit_test(test_xen_that_is_nowhere_is_said_to_be_lost),
		cmocka_unit_test(test_xen_dump_may_be_cut_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
