/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <unistd.h>

#include "mdb/world/xen_build.h"

static struct mdb_ctx cx;
static char warned[4096];

static void
note_warning(struct mdb_ctx *c, const char *text)
{
	size_t len = strlen(warned);

	(void)c;
	(void)snprintf(warned + len, sizeof(warned) - len, "%s\n", text);
}

static void
begin(struct xen_machine *m)
{
	xm_init(m);
	warned[0] = '\0';
	mdb_ctx_init(&cx);
	cx.warn = note_warning;
}

/* As target.c finds the worlds of a dump. */
static void
find(struct mdb_target *t)
{
	enum mdb_status st;

	cx.target = t;
	st = mdb_find_xen(&cx, t);
	if (st != MDB_OK && st != MDB_E_NOTFOUND)
		mdb_warn(&cx, st, "a hypervisor is there, but");
	st = mdb_find_linux(&cx, t);
	if (st != MDB_OK)
		mdb_warn(&cx, st, "no kernel");
	mdb_forget(&cx);
	cx.world = t->worlds;
}

static struct mdb_world *
world_of(const struct xen_machine *m, enum mdb_world_kind kind)
{
	struct mdb_world *w = m->target->worlds;

	while (w != NULL && w->kind != kind)
		w = w->next;
	return w;
}

static struct mdb_world *
found(struct xen_machine *m)
{
	assert_non_null(xm_open(m, SIZE_MAX));
	find(m->target);
	return world_of(m, MDB_WORLD_XEN);
}

static void
end(struct xen_machine *m)
{
	xm_fini(m);
	mdb_ctx_fini(&cx);
}

static mdb_addr_t
ip_of(struct mdb_world *w, int cpu)
{
	struct mdb_regs regs;

	assert_int_equal(mdb_cpu_regs(&cx, w, cpu, &regs), MDB_OK);
	return regs.r[MDB_R_IP];
}

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
	assert_int_equal(guest.domain, MDB_XEN_DOMID_IDLE);
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
		cmocka_unit_test(test_xen_the_console_says_who_panicked),
		cmocka_unit_test(
			test_xen_without_a_console_the_stack_says_who_panicked),
		cmocka_unit_test(
			test_xen_nobody_panicked_where_nothing_says_so),
		cmocka_unit_test(test_xen_frames_both_ways),
		cmocka_unit_test(test_xen_outlives_its_own_page_tables),
		cmocka_unit_test(test_xen_outlives_domain_0s_page_tables),
		cmocka_unit_test(test_xen_that_is_nowhere_is_said_to_be_lost),
		cmocka_unit_test(test_xen_dump_may_be_cut_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
