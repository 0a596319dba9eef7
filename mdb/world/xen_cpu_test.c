/* SPDX-License-Identifier: MIT */
/* Physical CPUs, their stacks, whom they ran, and vCPUs' registers. */
#include "mdb/world/xen_fixture.h"

/* ---- CPUs ---------------------------------------------------------------- */

static void
test_xen_notes_in_any_order_are_of_the_right_cpu(void **state)
{
	const uint64_t cr[4] = { 0x80050033, 0, XM_L4, 0x20 };
	struct xen_machine m;
	struct mdb_world *w;

	(void)state;
	begin(&m);
	xm_status(&m, XM_TEXT + 0x21, XM_HEAP(XM_STACK(1) + 0x7e00), 0xe008);
	xm_note(&m, "Xen", 0x1000002, cr, sizeof(cr));
	xm_status(&m, XM_TEXT + 0x20, XM_HEAP(XM_STACK(0) + 0x2e00), 0xe008);
	xm_note(&m, "Xen", 0x1000002, cr, sizeof(cr));
	w = found(&m);
	assert_int_equal(ip_of(w, 0), XM_TEXT + 0x20);
	assert_int_equal(ip_of(w, 1), XM_TEXT + 0x21);
	end(&m);
}

static void
test_xen_a_cpu_in_a_guest_is_told_by_its_task_segment(void **state)
{
	struct mdb_xen_pcpu p;
	struct xen_machine m;
	struct mdb_world *w;

	(void)state;
	begin(&m);
	xm_qemu(&m, XM_TEXT + 0x20, 0xe008, XM_L4, XM_HEAP(XM_TSS(1)));
	xm_qemu(&m, TEXT + 0x184, 0xe033, phys(PGD), XM_HEAP(XM_TSS(0)));
	w = found(&m);
	assert_int_equal(ip_of(w, 0), TEXT + 0x184);
	assert_int_equal(mdb_xen_pcpu(&cx, w, 0, &p), MDB_OK);
	assert_true(p.in_guest);
	assert_false(p.has_guest_regs);
	assert_true(p.current.known);
	assert_int_equal(p.current.domid, 0);
	assert_ptr_equal(p.current.world, world_of(&m, MDB_WORLD_LINUX));
	assert_int_equal(mdb_xen_pcpu(&cx, w, 1, &p), MDB_OK);
	assert_int_equal(p.current.domid, MDB_XEN_DOMID_IDLE);
	assert_int_equal(p.percpu_offset, 0x1000);
	end(&m);
}

static void
test_xen_a_cpu_without_a_note_has_no_registers(void **state)
{
	const uint64_t cr[4] = { 0x80050033, 0, XM_L4, 0x20 };
	struct mdb_regs regs;
	struct mdb_xen_pcpu p;
	struct xen_machine m;
	struct mdb_world *w;

	(void)state;
	begin(&m);
	xm_status(&m, XM_TEXT + 0x20, XM_HEAP(XM_STACK(0) + 0x7e00), 0xe008);
	xm_note(&m, "Xen", 0x1000002, cr, sizeof(cr));
	w = found(&m);
	assert_int_equal(mdb_xen_pcpu(&cx, w, 1, &p), MDB_OK);
	assert_int_equal(p.stack, XM_HEAP(XM_STACK(1)));
	assert_false(p.has_regs);
	assert_int_equal(mdb_cpu_regs(&cx, w, 1, &regs), MDB_E_NOTFOUND);
	assert_int_equal(mdb_xen_pcpu(&cx, w, 2, &p), MDB_E_NOTFOUND);
	end(&m);
}

static void
test_xen_notes_with_wild_addresses_are_of_nobody(void **state)
{
	static const mdb_addr_t wild[] = { 0, 8, UINT64_MAX,
		0xffff830000000000ull, 0xffff87fffffffff8ull,
		0xffff82d040607ff8ull, 0x1234567890abcdefull };
	const uint64_t cr[4] = { 0x80050033, 0, XM_L4, 0x20 };

	(void)state;
	for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
		struct xen_machine m;
		struct mdb_regs regs;
		struct mdb_world *w;

		begin(&m);
		xm_status(&m, wild[i], wild[i], 0xe008);
		xm_note(&m, "Xen", 0x1000002, cr, sizeof(cr));
		xm_status(&m, wild[i], wild[i], 0xe008);
		w = found(&m);
		assert_non_null(w);
		assert_int_equal(mdb_cpu_regs(&cx, w, 0, &regs),
			MDB_E_NOTFOUND);
		assert_non_null(strstr(warned, "registers of 2 CPUs"));
		end(&m);
	}
}

static void
test_xen_a_wild_vcpu_is_not_believed(void **state)
{
	struct mdb_guest guest;
	struct mdb_xen_pcpu p;
	struct xen_machine m;
	struct mdb_world *w;

	(void)state;
	begin(&m);
	xm_u64(&m, XM_INFO(0) + 0xd0, XM_HEAP(XM_VCPU + 0x100));
	xm_crash_notes(&m);
	w = found(&m);
	assert_int_equal(mdb_xen_pcpu(&cx, w, 0, &p), MDB_OK);
	assert_false(p.current.known);
	assert_true(p.loaded.known);
	assert_int_equal(w->ops->guest_on_stack(&cx, w,
				 XM_HEAP(XM_STACK(0) + 0x7e00), &guest),
		MDB_OK);
	assert_int_equal(guest.domain, 0);
	end(&m);
	begin(&m);
	xm_u64(&m, XM_INFO(0) + 0xd0, XM_HEAP(XM_VCPU + 0x100));
	xm_u64(&m, xm_phys(XM_CURR_VCPU), XM_HEAP(XM_VCPU + 0x200));
	xm_crash_notes(&m);
	w = found(&m);
	assert_int_equal(w->ops->guest_on_stack(&cx, w,
				 XM_HEAP(XM_STACK(0) + 0x7e00), &guest),
		MDB_E_CORRUPT);
	assert_int_equal(guest.domain, -1);
	end(&m);
}

static void
test_xen_a_vcpu_must_be_led_back_to(void **state)
{
	struct mdb_xen_vcpu v;
	struct xen_machine m;
	struct mdb_world *w;

	(void)state;
	begin(&m);
	/* a copy of a vCPU, as a stale page has one */
	xm_vcpu(&m, 0x23000, 0, 0, XM_DOMAIN);
	xm_crash_notes(&m);
	w = found(&m);
	assert_int_equal(mdb_xen_vcpu_at(&cx, w, XM_HEAP(XM_VCPU), &v), MDB_OK);
	assert_int_equal(v.domain, XM_HEAP(XM_DOMAIN));
	assert_int_equal(mdb_xen_vcpu_at(&cx, w, XM_HEAP(0x23000), &v),
		MDB_E_CORRUPT);
	assert_int_equal(mdb_xen_vcpu_at(&cx, w, XM_HEAP(1ull << 40), &v),
		MDB_E_UNMAPPED);
	end(&m);
}

/* ---- stacks -------------------------------------------------------------- */

static void
test_xen_stack_parts_have_names(void **state)
{
	static const struct {
		mdb_addr_t at;
		const char *name;
	} parts[] = { { 0x0, "IST shadow" }, { 0x1ff8, "#MC" },
		{ 0x2000, "NMI" }, { 0x3008, "#DB" }, { 0x4ff8, "#DF" },
		{ 0x5000, "shadow" }, { 0x6000, "primary" },
		{ 0x7ef0, "primary" }, { 0x7ef8, "guest registers" } };
	struct mdb_stack_range range;
	struct xen_machine m;
	struct mdb_world *w;
	const char *name;
	int cpu;

	(void)state;
	begin(&m);
	xm_crash_notes(&m);
	w = found(&m);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		assert_int_equal(mdb_xen_stack_of(&cx, w,
					 XM_HEAP(XM_STACK(1)) + parts[i].at,
					 &cpu, &name),
			MDB_OK);
		assert_string_equal(name, parts[i].name);
		assert_int_equal(cpu, 1);
	}
	assert_int_equal(w->ops->stack_range(&cx, w,
				 XM_HEAP(XM_STACK(0)) + 0x2800, &range),
		MDB_OK);
	assert_int_equal(range.low, XM_HEAP(XM_STACK(0)) + 0x2000);
	assert_int_equal(range.high, XM_HEAP(XM_STACK(0)) + 0x3000);
	assert_int_equal(w->ops->stack_range(&cx, w,
				 XM_HEAP(XM_STACK(2)) + 0x2800, &range),
		MDB_E_NOTFOUND);
	end(&m);
}

static void
test_xen_a_stack_tells_whom_it_left(void **state)
{
	struct mdb_guest guest;
	struct xen_machine m;
	struct mdb_world *w;

	(void)state;
	begin(&m);
	xm_crash_notes(&m);
	w = found(&m);
	assert_int_equal(w->ops->guest_on_stack(&cx, w,
				 XM_HEAP(XM_STACK(0) + 0x7e00), &guest),
		MDB_OK);
	assert_ptr_equal(guest.world, world_of(&m, MDB_WORLD_LINUX));
	assert_int_equal(guest.domain, 0);
	assert_int_equal(guest.vcpu, 0);
	assert_int_equal(w->ops->guest_on_stack(&cx, w,
				 XM_HEAP(XM_STACK(1) + 0x7e00), &guest),
		MDB_E_NOTFOUND);
	assert_int_equal(guest.domain, -1);
	end(&m);
}

/* ---- a vCPU's registers -------------------------------------------------- */

static void
test_xen_a_running_vcpu_has_its_cpus_registers(void **state)
{
	struct xen_machine m;

	(void)state;
	begin(&m);
	xm_crash_notes(&m);
	(void)found(&m);
	assert_int_equal(ip_of(world_of(&m, MDB_WORLD_LINUX), 0),
		XM_PANIC + 0x20);
	end(&m);
}

static void
idle_everywhere(struct xen_machine *m)
{
	xm_u64(m, XM_INFO(0) + 0xd0, XM_HEAP(XM_IDLE_VCPU(0)));
	xm_crash_notes(m);
}

static void
test_xen_an_idle_cpu_keeps_the_registers_of_the_last(void **state)
{
	struct mdb_guest guest;
	struct mdb_xen_pcpu p;
	struct xen_machine m;
	struct mdb_world *w;

	(void)state;
	begin(&m);
	idle_everywhere(&m);
	w = found(&m);
	assert_int_equal(ip_of(world_of(&m, MDB_WORLD_LINUX), 0), TEXT + 0x184);
	assert_int_equal(mdb_xen_pcpu(&cx, w, 0, &p), MDB_OK);
	assert_true(p.has_guest_regs);
	assert_int_equal(p.loaded.addr, XM_HEAP(XM_VCPU));
	/* The idler is the current one; what is on the stack is not its. */
	assert_int_equal(p.current.domid, MDB_XEN_DOMID_IDLE);
	assert_int_equal(w->ops->guest_on_stack(&cx, w,
				 XM_HEAP(XM_STACK(0) + 0x7e00), &guest),
		MDB_OK);
	assert_int_equal(guest.domain, 0);
	end(&m);
}

static void
test_xen_a_vcpu_at_rest_has_what_was_saved(void **state)
{
	struct xen_machine m;

	(void)state;
	begin(&m);
	idle_everywhere(&m);
	xm_u64(&m, xm_phys(XM_CURR_VCPU), XM_HEAP(XM_IDLE_VCPU(0)));
	xm_guest_regs(&m, XM_VCPU + 0x308, TEXT + 0x111);
	(void)found(&m);
	assert_int_equal(ip_of(world_of(&m, MDB_WORLD_LINUX), 0), TEXT + 0x111);
	end(&m);
}

static void
test_xen_saved_registers_at_two_places_are_refused(void **state)
{
	struct mdb_regs regs;
	struct xen_machine m;

	(void)state;
	begin(&m);
	idle_everywhere(&m);
	xm_u64(&m, xm_phys(XM_CURR_VCPU), XM_HEAP(XM_IDLE_VCPU(0)));
	xm_guest_regs(&m, XM_VCPU + 0x308, TEXT + 0x111);
	xm_guest_regs(&m, XM_VCPU + 0x608, TEXT + 0x112);
	(void)found(&m);
	assert_int_equal(
		mdb_cpu_regs(&cx, world_of(&m, MDB_WORLD_LINUX), 0, &regs),
		MDB_E_NOTFOUND);
	end(&m);
}

/* ---- a hardware guest ---------------------------------------------------- */

static void
test_xen_a_hardware_guest_is_read_through_two_stages(void **state)
{
	struct xen_machine m;
	struct mdb_world *dom0;
	mdb_pfn_t mfn = 0;

	(void)state;
	begin(&m);
	xm_hardware_guest(&m);
	xm_crash_notes(&m);
	(void)found(&m);
	assert_string_equal(warned, "");
	dom0 = world_of(&m, MDB_WORLD_LINUX);
	assert_non_null(dom0);
	assert_non_null(dom0->memory);
	assert_int_equal(mdb_xen_domain_of(dom0), 0);
	assert_string_equal(mdb_world_fact(&cx, dom0, "release"), "6.1.0-test");
	assert_int_equal(mdb_xen_gfn_to_mfn(&cx, dom0, 0x40123, &mfn), MDB_OK);
	assert_int_equal(mfn, 0x123);
	assert_int_equal(mdb_xen_gfn_to_mfn(&cx, dom0, 0x80123, &mfn),
		MDB_E_UNMAPPED);
	end(&m);
}

static void
test_xen_a_hardware_guests_registers_have_its_selectors(void **state)
{
	struct mdb_regs regs;
	struct xen_machine m;

	(void)state;
	begin(&m);
	xm_hardware_guest(&m);
	idle_everywhere(&m);
	xm_u64(&m, xm_phys(XM_CURR_VCPU), XM_HEAP(XM_IDLE_VCPU(0)));
	xm_guest_regs(&m, XM_VCPU + 0x308, TEXT + 0x111);
	(void)found(&m);
	assert_int_equal(
		mdb_cpu_regs(&cx, world_of(&m, MDB_WORLD_LINUX), 0, &regs),
		MDB_OK);
	assert_int_equal(regs.r[MDB_R_IP], TEXT + 0x111);
	assert_int_equal(regs.r[MDB_R_CS], 0x10);
	assert_int_equal(regs.r[MDB_R_CR3], (1ull << 30) + phys(PGD));
	end(&m);
}

static void
test_xen_a_second_stage_that_leads_nowhere_loses_the_guest(void **state)
{
	struct xen_machine m;
	struct mdb_world *w;

	(void)state;
	begin(&m);
	xm_hardware_guest(&m);
	xm_u64(&m, XM_STAGE, XM_STAGE | 0x67); /* itself, again and again */
	xm_crash_notes(&m);
	w = found(&m);
	assert_non_null(w);
	assert_null(world_of(&m, MDB_WORLD_LINUX));
	assert_non_null(strstr(warned, "no page tables of domain 0"));
	end(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_xen_notes_in_any_order_are_of_the_right_cpu),
		cmocka_unit_test(
			test_xen_a_cpu_in_a_guest_is_told_by_its_task_segment),
		cmocka_unit_test(
			test_xen_a_cpu_without_a_note_has_no_registers),
		cmocka_unit_test(
			test_xen_notes_with_wild_addresses_are_of_nobody),
		cmocka_unit_test(test_xen_a_wild_vcpu_is_not_believed),
		cmocka_unit_test(test_xen_a_vcpu_must_be_led_back_to),
		cmocka_unit_test(test_xen_stack_parts_have_names),
		cmocka_unit_test(test_xen_a_stack_tells_whom_it_left),
		cmocka_unit_test(
			test_xen_a_running_vcpu_has_its_cpus_registers),
		cmocka_unit_test(
			test_xen_an_idle_cpu_keeps_the_registers_of_the_last),
		cmocka_unit_test(test_xen_a_vcpu_at_rest_has_what_was_saved),
		cmocka_unit_test(
			test_xen_saved_registers_at_two_places_are_refused),
		cmocka_unit_test(
			test_xen_a_hardware_guest_is_read_through_two_stages),
		cmocka_unit_test(
			test_xen_a_hardware_guests_registers_have_its_selectors),
		cmocka_unit_test(
			test_xen_a_second_stage_that_leads_nowhere_loses_the_guest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
