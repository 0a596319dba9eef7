/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mdb/world/native_build.h"

static void
add_syms(struct native_build *nb)
{
	nb_sym(nb, NB_OBJ_XPV, "panic", 0xff13b80c, 0x80);
	nb_sym(nb, NB_OBJ_UNIX, "page_ctr_sub", NB_UNIX + 0x100, 0x80);
	nb_sym(nb, NB_OBJ_UNIX, "panic", NB_UNIX + 0x200, 0x10);
	nb_sym(nb, NB_OBJ_GENUNIX, "ldi_ioctl", NB_GENUNIX + 0x100, 0x100);
	nb_sym(nb, NB_OBJ_GENUNIX, "panic", NB_GENUNIX + 0x300, 0x10);
}

static void
begin(struct native_build *nb)
{
	nb_init(nb);
	add_syms(nb);
	assert_int_equal(nb_create(nb), MDB_OK);
}

static const char *
shown(struct native_build *nb, mdb_addr_t addr)
{
	return mdb_sym_format(&nb->cx, mdb_locate(&nb->cx, addr));
}

static void
test_native_puts_the_control_domain_first(void **state)
{
	struct native_build nb;
	struct mdb_world *w;

	(void)state;
	begin(&nb);
	w = nb.target->worlds;
	assert_string_equal(w->name, "unix");
	assert_int_equal(w->kind, MDB_WORLD_ILLUMOS);
	assert_int_equal(mdb_world_word(w), 4);
	assert_string_equal(w->objects->name, "unix");
	assert_string_equal(w->objects->next->name, "genunix");
	assert_string_equal(w->objects->build_id, "ab02");
	assert_string_equal(w->next->name, "xpv");
	assert_int_equal(w->next->kind, MDB_WORLD_XEN);
	assert_null(w->next->next);
	nb_fini(&nb);
}

static void
test_native_gives_the_hypervisor_its_range(void **state)
{
	struct native_build nb;

	(void)state;
	begin(&nb);
	assert_ptr_equal(mdb_locate(&nb.cx, 0xffbe1100).world,
		nb.target->worlds->next);
	assert_ptr_equal(mdb_locate(&nb.cx, NB_UNIX).world, nb.target->worlds);
	nb_fini(&nb);
}

static void
test_native_range_of_everything_is_none(void **state)
{
	struct native_build nb;

	(void)state;
	nb_init(&nb);
	nb.worlds[0].first = 0;
	assert_int_equal(nb_create(&nb), MDB_OK);
	assert_ptr_equal(mdb_locate(&nb.cx, 0xffbe1100).world,
		nb.target->worlds);
	nb_fini(&nb);
}

static void
test_native_names_as_mdb_does(void **state)
{
	struct native_build nb;

	(void)state;
	begin(&nb);
	assert_string_equal(shown(&nb, 0xff13b83f), "xpv`panic+0x33");
	assert_string_equal(shown(&nb, NB_UNIX + 0x147), "page_ctr_sub+0x47");
	assert_string_equal(shown(&nb, NB_UNIX + 0x109), "page_ctr_sub+9");
	assert_string_equal(shown(&nb, NB_UNIX + 0x200), "panic");
	assert_string_equal(shown(&nb, NB_GENUNIX + 0x1a4), "ldi_ioctl+0xa4");
	assert_string_equal(shown(&nb, NB_GENUNIX + 0x300), "genunix`panic");
	assert_string_equal(shown(&nb, 0xff17daf1), "0xff17daf1");
	nb_fini(&nb);
}

static void
test_native_finds_names_across_worlds(void **state)
{
	struct native_build nb;
	struct mdb_sym sym;

	(void)state;
	begin(&nb);
	assert_int_equal(
		mdb_sym_by_name(&nb.cx, nb.cx.world, "xpv`panic", &sym),
		MDB_OK);
	assert_int_equal(sym.value, 0xff13b80c);
	assert_int_equal(mdb_sym_by_name(&nb.cx, nb.cx.world, "panic", &sym),
		MDB_OK);
	assert_int_equal(sym.value, NB_UNIX + 0x200);
	nb_fini(&nb);
}

static void
test_native_loads_symbols_when_asked(void **state)
{
	struct native_build nb;

	(void)state;
	begin(&nb);
	assert_int_equal(nb.nr_blobs_asked, 0);
	(void)shown(&nb, NB_UNIX + 0x147);
	assert_int_equal(nb.nr_blobs_asked, 2);
	(void)shown(&nb, NB_UNIX + 0x148);
	assert_int_equal(nb.nr_blobs_asked, 2);
	nb_fini(&nb);
}

static unsigned int nr_warned;

static void
count_warning(struct mdb_ctx *cx, const char *text)
{
	(void)cx;
	(void)text;
	nr_warned++;
}

static void
test_native_says_once_that_symbols_are_lost(void **state)
{
	struct native_build nb;

	(void)state;
	begin(&nb);
	nb.cx.warn = count_warning;
	nb.blob_status = MDB_E_LOST;
	nr_warned = 0;
	assert_string_equal(shown(&nb, NB_UNIX + 0x147), "0xf4c00147");
	assert_string_equal(shown(&nb, NB_UNIX + 0x148), "0xf4c00148");
	assert_int_equal(nr_warned, 1);
	nb_fini(&nb);
}

static void
test_native_numbers_virtual_cpus(void **state)
{
	struct native_build nb;
	struct mdb_world *kernel, *xen;
	struct mdb_regs regs;
	int cpu = -1;

	(void)state;
	begin(&nb);
	kernel = nb.target->worlds;
	xen = kernel->next;
	assert_int_equal(mdb_panic_cpu(&nb.cx, xen), 2);
	assert_int_equal(mdb_panic_cpu(&nb.cx, kernel), 0);
	assert_int_equal(mdb_cpu_next(&nb.cx, kernel, &cpu), MDB_OK);
	assert_int_equal(cpu, 0);
	assert_int_equal(mdb_cpu_next(&nb.cx, kernel, &cpu), MDB_DONE);
	cpu = -1;
	assert_int_equal(mdb_cpu_next(&nb.cx, xen, &cpu), MDB_OK);
	assert_int_equal(cpu, 0);
	assert_int_equal(mdb_cpu_next(&nb.cx, xen, &cpu), MDB_OK);
	assert_int_equal(cpu, 2);
	assert_int_equal(mdb_nr_cpu_ids(xen), 3);
	assert_int_equal(mdb_cpu_regs(&nb.cx, kernel, 0, &regs), MDB_OK);
	assert_int_equal(regs.r[MDB_R_IP], 0xff13b83f);
	assert_false(mdb_reg_known(&regs, MDB_R_8));
	assert_int_equal(mdb_cpu_regs(&nb.cx, kernel, 1, &regs),
		MDB_E_NOTFOUND);
	nb_fini(&nb);
}

static void
test_native_knows_whom_a_stack_interrupted(void **state)
{
	struct native_build nb;
	struct mdb_guest guest = { 0 };
	struct mdb_world *xen;
	struct mdb_stack_range range;

	(void)state;
	begin(&nb);
	xen = nb.target->worlds->next;
	assert_int_equal(
		xen->ops->guest_on_stack(&nb.cx, xen, 0xffbf3f38, &guest),
		MDB_OK);
	assert_ptr_equal(guest.world, nb.target->worlds);
	assert_int_equal(guest.domain, 0);
	assert_int_equal(guest.vcpu, nb.cpus[0].vcpu);
	assert_int_equal(xen->ops->stack_range(&nb.cx, xen, 0xffbf3f38, &range),
		MDB_OK);
	assert_int_equal(range.low, 0xffbf2000);
	assert_int_equal(range.cpu, 2);
	assert_int_equal(xen->ops->stack_range(&nb.cx, xen, 0xffbf4000, &range),
		MDB_E_NOTFOUND);
	nb_fini(&nb);
}

static void
test_native_another_domain_is_no_guess(void **state)
{
	struct native_build nb;
	struct mdb_guest guest = { 0 };
	struct mdb_world *xen;

	(void)state;
	nb_init(&nb);
	nb.cpus[0].domain = 7;
	assert_int_equal(nb_create(&nb), MDB_OK);
	xen = nb.target->worlds->next;
	assert_int_equal(
		xen->ops->guest_on_stack(&nb.cx, xen, 0xffbf3f38, &guest),
		MDB_E_NOTFOUND);
	assert_null(guest.world);
	assert_int_equal(guest.domain, 7);
	assert_int_equal(mdb_panic_cpu(&nb.cx, nb.target->worlds), -1);
	nb_fini(&nb);
}

static void
put(struct native_build *nb, mdb_addr_t addr, const char *text)
{
	nb_write(nb, addr, text, strlen(text) + 1);
}

static void
test_native_facts_come_from_memory_then_the_dump(void **state)
{
	struct native_build nb;

	(void)state;
	nb_init(&nb);
	nb_sym(&nb, NB_OBJ_UNIX, "utsname", NB_UNIX_END, 5 * 257);
	put(&nb, NB_UNIX_END, "SunOS");
	put(&nb, NB_UNIX_END + 257, "goldcloth");
	assert_int_equal(nb_create(&nb), MDB_OK);
	assert_string_equal(mdb_world_fact(&nb.cx, nb.cx.world, "nodename"),
		"goldcloth");
	assert_string_equal(mdb_world_fact(&nb.cx, nb.cx.world, "release"),
		"5.11");
	assert_string_equal(
		mdb_world_fact(&nb.cx, nb.cx.world, "panic_message"),
		"Domain 0 crashed:");
	assert_null(mdb_world_fact(&nb.cx, nb.cx.world, "machine"));
	nb_fini(&nb);
}

static void
test_native_odd_records_do_no_harm(void **state)
{
	struct native_build nb;

	(void)state;
	nb_init(&nb);
	nb.cx.warn = count_warning;
	nb.worlds[0].machine = 183;
	nb.worlds[1].paging = DFMT_PAGING_4LEVEL;
	nb.worlds[1].window_start = UINT64_MAX;
	nb.objects[NB_OBJ_UNIX].base = nb.objects[NB_OBJ_UNIX].end + 1;
	nb.objects[NB_OBJ_GENUNIX].world = 99;
	nb.cpus[0].world = 99;
	nb.cpus[0].vcpu = UINT32_MAX;
	nb.facts.panic_cpu = 99;
	nr_warned = 0;
	assert_int_equal(nb_create(&nb), MDB_OK);
	assert_int_equal(nr_warned, 2);
	assert_null(nb.target->worlds->next);
	assert_int_equal(nb.target->worlds->objects->base, 0);
	assert_null(nb.target->worlds->objects->next);
	assert_int_equal(mdb_panic_cpu(&nb.cx, nb.cx.world), -1);
	nb_fini(&nb);
}

static void
test_native_without_worlds_is_for_others(void **state)
{
	struct native_build nb;

	(void)state;
	nb_init(&nb);
	nb.facts.nr_worlds = 0;
	assert_int_equal(nb_create(&nb), MDB_E_NOTFOUND);
	assert_null(nb.target->native);
	nb_fini(&nb);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_native_puts_the_control_domain_first),
		cmocka_unit_test(test_native_gives_the_hypervisor_its_range),
		cmocka_unit_test(test_native_range_of_everything_is_none),
		cmocka_unit_test(test_native_names_as_mdb_does),
		cmocka_unit_test(test_native_finds_names_across_worlds),
		cmocka_unit_test(test_native_loads_symbols_when_asked),
		cmocka_unit_test(test_native_says_once_that_symbols_are_lost),
		cmocka_unit_test(test_native_numbers_virtual_cpus),
		cmocka_unit_test(test_native_knows_whom_a_stack_interrupted),
		cmocka_unit_test(test_native_another_domain_is_no_guess),
		cmocka_unit_test(
			test_native_facts_come_from_memory_then_the_dump),
		cmocka_unit_test(test_native_odd_records_do_no_harm),
		cmocka_unit_test(test_native_without_worlds_is_for_others),
	};

	return cmocka_run_group_tests_name("native", tests, NULL, NULL);
}
