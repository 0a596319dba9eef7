/* SPDX-License-Identifier: MIT */
/*
 * In a test build only (XDUMP_TEST=1 install.sh ...): what cannot be had from
 * outside is brought about by xdump-test=WORD.
 *
 *	page-fault, double-fault, watchdog
 *			once Xen is up: a fault in it; one on a stack that is
 *			none; the NMI watchdog's own code finds a CPU stuck
 *	second-panic, third-panic, fault, mce
 *			among the pages of the dump: a panic; and one more when
 *			the end record is written; a page fault; a machine check
 *	call		CPU 1 panics in what CPU 0 has called it for, and waits
 *			for
 *	all-panic	every CPU panics at once
 *	all-nmi		the same, in an NMI's handler but for one: no other NMI
 *			reaches them
 *	helper-fault	a page fault on a CPU that helps
 *	stuck-cpu	the highest CPU never answers the NMI that stops it
 *	stopped-mce	and there: a machine check on it when it has stopped
 *	code, config	a bit of the writer's code, of its configuration changes
 *	broken		two frames are marked broken, two cannot be read
 *	iommu		no IOMMU answers
 */
#include "xdump-impl.h"

#include <xen/cpumask.h>
#include <xen/delay.h>
#include <xen/init.h>
#include <xen/lib.h>
#include <xen/mm.h>
#include <xen/param.h>
#include <xen/smp.h>
#include <xen/string.h>
#include <xen/watchdog.h>

#include <asm/apic.h>
#include <asm/nmi.h>
#include <asm/processor.h>

#define PAGES_BEFORE 400u /* behind those that come first */
#define HELPED_BEFORE 20u

static char opt_test[24];
string_param("xdump-test", opt_test);

static volatile uint32_t nr_pages;
static uint32_t nr_writes_left;
static bool is_past_first;

bool
xdump_test(const char *what)
{
	return !strcmp(opt_test, what);
}

/* Between Xen's own areas; nothing is ever mapped there. */
static void
fault_here(void)
{
	*(volatile uint32_t *)0xffff804000000000ul = 0;
}

/* On the CPU that dumps, or on one that helps it. */
static bool
is_mine(void)
{
	uint32_t nr;
	bool first = xdump_cpu_records(&nr)->id == smp_processor_id();

	return first != xdump_test("helper-fault");
}

void
xdump_test_page(void)
{
	uint32_t before =
		xdump_test("helper-fault") ? HELPED_BEFORE : PAGES_BEFORE;

	if (!is_past_first)
		return;
	if (!is_mine()) {
		/* A helper has time for its pages, however busy the host. */
		if (xdump_test("helper-fault") && nr_pages < before)
			mdelay(1);
		return;
	}
	if (++nr_pages != before)
		return;
	if (xdump_test("second-panic") || xdump_test("third-panic")) {
		nr_writes_left = 1;
		panic("xdump-test: a second one\n");
	}
	if (xdump_test("fault") || xdump_test("helper-fault"))
		fault_here();
	if (xdump_test("mce"))
		asm volatile("int $18");
}

void
xdump_test_classify(void)
{
	/* Boot's estimate asks, too. */
	if (xdump.helping)
		is_past_first = true;
}

void
xdump_test_write(void)
{
	if (nr_writes_left && xdump_test("third-panic") &&
		nr_writes_left-- == 1)
		panic("xdump-test: a third one\n");
}

void
xdump_test_stop(uint32_t cpu)
{
	if (cpu != cpumask_last(&cpu_online_map))
		return;
	while (xdump_test("stuck-cpu"))
		cpu_relax();
	if (xdump_test("stopped-mce"))
		asm volatile("int $18");
}

void
xdump_test_run(void)
{
	unsigned long cr0 = read_cr0();

	if (xdump_test("config"))
		xdump.config.limit_s++;
	if (!xdump_test("code"))
		return;
	write_cr0(cr0 & ~X86_CR0_WP);
	*(volatile uint8_t *)xdump_text_start ^= 1;
	write_cr0(cr0);
}

/* ---- at boot ------------------------------------------------------------- */

static void __init
frames_break(void)
{
	uint8_t *p = alloc_xenheap_pages(2, 0);

	if (p == NULL)
		panic("xdump-test: no memory\n");
	for (uint32_t i = 0; i < 4 * PAGE_SIZE; i++)
		p[i] = (uint8_t)(i * 7 + i / 251);
	for (uint32_t i = 0; i < 2; i++)
		set_bit(_PGC_broken,
			&virt_to_page(p + i * PAGE_SIZE)->count_info);
	if (destroy_xen_mappings((unsigned long)p + 2 * PAGE_SIZE,
		    (unsigned long)p + 4 * PAGE_SIZE))
		panic("xdump-test: cannot unmap\n");
}

/* The watchdog's own code, with nothing that counts. */
static int cf_check
watchdog_tick(const struct cpu_user_regs *regs, int cpu)
{
	for (uint32_t i = 0; i < 100000; i++)
		(void)nmi_watchdog_tick(regs);
	return 1;
}

static void __init
watchdog_bite(void)
{
	local_irq_disable();
	if (!watchdog_enabled())
		watchdog_enable();
	set_nmi_callback(watchdog_tick);
	self_nmi();
	mdelay(100);
	panic("xdump-test: the watchdog did not bite\n");
}

static void cf_check
die_called(void *arg)
{
	panic("xdump-test: called\n");
}

/* Not before all have come: the first to panic takes the handler away. */
static int cf_check
die_by_nmi(const struct cpu_user_regs *regs, int cpu)
{
	static uint32_t nr_come;

	__atomic_fetch_add(&nr_come, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&nr_come, __ATOMIC_ACQUIRE) <
		num_online_cpus() - 1)
		cpu_relax();
	panic("xdump-test: an NMI\n");
}

static void __init
all_die(void)
{
	if (xdump_test("all-panic")) {
		smp_call_function(die_called, NULL, 0);
	} else {
		set_nmi_callback(die_by_nmi);
		smp_send_nmi_allbutself();
		mdelay(100);
	}
	panic("xdump-test: the last one\n");
}

static int __init
test_init(void)
{
	if (opt_test[0])
		printk(XENLOG_WARNING "xdump: a test build: %s\n", opt_test);
	if (xdump_test("broken"))
		frames_break();
	if (xdump_test("call"))
		on_selected_cpus(cpumask_of(1), die_called, NULL, 1);
	if (xdump_test("all-panic") || xdump_test("all-nmi"))
		all_die();
	if (xdump_test("watchdog"))
		watchdog_bite();
	if (xdump_test("page-fault"))
		fault_here();
	if (xdump_test("double-fault"))
		asm volatile("movq %0, %%rsp; pushq %%rax"
			     :
			     : "r"(0x0f00000000000000ul)
			     : "memory");
	return 0;
}
__initcall(test_init);
