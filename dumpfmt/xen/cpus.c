/* SPDX-License-Identifier: MIT */
/*
 * The other CPUs.  An NMI stops each wherever it is; its registers are taken
 * there, and it waits.  When the dump is done it goes on in a loop that answers
 * interrupts and NMIs and touches nothing else, on the stack where it was:
 * kexec finds its frames as they were, and a reboot its IPIs answered.
 */
#include "xdump-impl.h"

#include <xen/cpumask.h>
#include <xen/delay.h>
#include <xen/sched.h>
#include <xen/smp.h>
#include <xen/string.h>

#include <asm/apic.h>
#include <asm/current.h>
#include <asm/msr.h>
#include <asm/nmi.h>
#include <asm/processor.h>
#include <asm/shstk.h>

#define WAIT_US 1000000u

enum stand {
	RUNNING,
	STOPPED,
	RELEASED,
};

static struct {
	uint32_t panicked; /* CPU */
	uint32_t release;  /* atomic */
	bool stopped;	   /* they were told to */
	uint32_t stand[NR_CPUS];
} cpus;

static struct dfmt_fmt_cpu records[XDUMP_CPUS];
static uint32_t nr_records;

/* ---- registers ----------------------------------------------------------- */

static void
control_take(struct dfmt_fmt_cpu *r)
{
	r->cr0 = read_cr0();
	r->cr2 = read_cr2();
	r->cr3 = read_cr3();
	r->cr4 = read_cr4();
	r->flags |= DFMT_CPU_CR;
}

static void
general_take(struct dfmt_fmt_cpu *r, const struct cpu_user_regs *regs)
{
	const uint64_t gp[DFMT_NR_GP] = {
		regs->rax,
		regs->rbx,
		regs->rcx,
		regs->rdx,
		regs->rsi,
		regs->rdi,
		regs->rbp,
		regs->rsp,
		regs->r8,
		regs->r9,
		regs->r10,
		regs->r11,
		regs->r12,
		regs->r13,
		regs->r14,
		regs->r15,
		regs->rip,
		regs->rflags,
		0,
	};

	memcpy(r->gp, gp, sizeof(gp));
	r->cs = regs->cs;
	r->ss = regs->ss;
	r->flags |= DFMT_CPU_REGS;
}

/* What Xen leaves as a guest had them, so they are in the CPU itself. */
static void
segments_take(struct dfmt_fmt_cpu *r)
{
	asm volatile("movw %%ds, %0" : "=m"(r->ds));
	asm volatile("movw %%es, %0" : "=m"(r->es));
	asm volatile("movw %%fs, %0" : "=m"(r->fs));
	asm volatile("movw %%gs, %0" : "=m"(r->gs));
	rdmsrl(MSR_FS_BASE, r->fs_base);
	rdmsrl(MSR_GS_BASE, r->gs_base);
	rdmsrl(MSR_SHADOW_GS_BASE, r->kernel_gs_base);
	r->flags |= DFMT_CPU_BASES | DFMT_CPU_KERNEL_GS;
}

/* Where Xen's structures are, and there. */
static bool
is_readable(const void *p)
{
	unsigned long va = (unsigned long)p & ~7ul, word;

	return va >= DIRECTMAP_VIRT_START && va < DIRECTMAP_VIRT_END &&
	       xdump_words_copy(&word, (const void *)va, 1);
}

/*
 * The vCPU whose place this CPU was in; idle ones have a domain too.  Either
 * may be what Xen died of.
 */
static void
vcpu_take(struct dfmt_fmt_cpu *r, const struct cpu_info *info)
{
	const struct vcpu *v = info->current_vcpu;

	if (!is_readable(&v->domain) || !is_readable(&v->vcpu_id) ||
		!is_readable(&v->domain->domain_id))
		return;
	r->current_vcpu = (unsigned long)v;
	r->domain = v->domain->domain_id;
	r->vcpu = v->vcpu_id;
	r->flags |= DFMT_CPU_VCPU;
}

/* Slot 0 is the panicking CPU's; the others come as they come. */
static void
record_take(uint32_t slot, uint32_t cpu, const struct cpu_user_regs *regs)
{
	struct dfmt_fmt_cpu *r;

	if (slot >= XDUMP_CPUS)
		return;
	r = &records[slot];
	r->id = cpu;
	r->world = UINT32_MAX;
	general_take(r, regs);
	segments_take(r);
	control_take(r);
	vcpu_take(r, get_cpu_info());
	/* Who dumps is on a stack of our own by now. */
	r->stack_first = (slot ? (unsigned long)get_cpu_info() : regs->rsp) &
			 ~(STACK_SIZE - 1);
	r->stack_end = r->stack_first + STACK_SIZE;
	r->flags |= DFMT_CPU_STACK;
}

/* ---- standing still ------------------------------------------------------ */

/*
 * In Xen's own code: interrupts on, since a reboot wants its IPIs answered.
 * Naked of everything: no stack, no data.
 */
asm(".pushsection .text\n"
    "xdump_rest:\n"
    "	endbr64\n"
    "1:	sti\n"
    "	hlt\n"
    "	jmp 1b\n"
    ".popsection\n");
extern const char xdump_rest[];

/*
 * An interrupt that was coming in when the NMI came is still in service, and
 * none of its class or below is let in: were it one of Xen's own, its IPIs
 * would not.  Those are of the highest class, 0xf0 on; ISR's last word has the
 * vectors from 0xe0 on.
 */
static void
interrupts_end(void)
{
	for (uint32_t i = 0; i < 16; i++) {
		if (!(apic_read(APIC_ISR + 0x70) >> 16))
			break;
		apic_write(APIC_EOI, 0);
	}
}

/* A function of its own, so that whoever walks the stack sees a call. */
static void noinline
nmis_enable(void)
{
	enable_nmis();
}

/* Right here, above all that is on the stack; NMIs come again. */
static void noreturn
rest_here(void)
{
	interrupts_end();
	nmis_enable();
	for (;;)
		asm volatile("sti; hlt" ::: "memory");
}

/*
 * Where shadow stacks are on, an NMI returns only to where it came from: the
 * frame that it left there is changed too.  False: there is none.
 */
static bool
shadow_return_set(const struct cpu_user_regs *regs, unsigned long rip)
{
	unsigned long ssp, end, *p;

	if (!IS_ENABLED(CONFIG_XEN_SHSTK))
		return true;
	ssp = rdssp();
	if (ssp == SSP_NO_SHSTK)
		return true;
	end = (ssp | (IST_SHSTK_SIZE - 1)) & ~7ul;
	for (p = (unsigned long *)ssp; (unsigned long)p < end; p++)
		if (p[0] == regs->rip && p[1] == regs->cs) {
			wrss(rip, p);
			return true;
		}
	return false;
}

/*
 * A guest's CPU rests on its empty stack, above the guest's registers.  One in
 * Xen goes back to where it was and rests there, after a call, as it were: this
 * NMI's stack is free for the next one, and nothing of its own is lost.  Where
 * it had no stack of its own yet, it gets the end of it.
 */
static void
rest(struct cpu_user_regs *regs)
{
	const struct cpu_info *info = get_cpu_info();
	unsigned long sp = regs->rsp;

	if (guest_mode(regs) ||
		!shadow_return_set(regs, (unsigned long)xdump_rest))
		rest_here();
	interrupts_end();
	if ((sp ^ (unsigned long)info) & ~(STACK_SIZE - 1)) {
		regs->rsp = ((unsigned long)info - 256) & ~15ul;
	} else {
		regs->rsp = sp - sizeof(unsigned long);
		*(unsigned long *)regs->rsp = regs->rip;
	}
	regs->rip = (unsigned long)xdump_rest;
	regs->rflags = X86_EFLAGS_MBS;
}

void
xdump_cpu_park(void)
{
	while (!__atomic_load_n(&cpus.release, __ATOMIC_ACQUIRE))
		cpu_relax();
	cpus.stand[smp_processor_id()] = RELEASED;
	rest_here();
}

bool
xdump_cpus_stopped(void)
{
	return cpus.stopped;
}

static int
stop_here(const struct cpu_user_regs *regs, int cpu)
{
	uint32_t slot;

	if ((uint32_t)cpu == cpus.panicked || cpus.stand[cpu] != RUNNING)
		return 1;
	xdump_test_stop((uint32_t)cpu);
	slot = __atomic_fetch_add(&nr_records, 1, __ATOMIC_ACQ_REL);
	record_take(slot, (uint32_t)cpu, regs);
	__atomic_store_n(&cpus.stand[cpu], STOPPED, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&cpus.release, __ATOMIC_ACQUIRE)) {
		if (__atomic_load_n(&xdump.helping, __ATOMIC_ACQUIRE))
			dfmt_writer_help(xdump.writer, slot - 1);
		cpu_relax();
	}
	cpus.stand[cpu] = RELEASED;
	rest((struct cpu_user_regs *)regs);
	return 1;
}

static uint32_t
nr_running(void)
{
	uint32_t cpu, n = 0;

	for_each_online_cpu(cpu) if (cpu != cpus.panicked &&
				     __atomic_load_n(&cpus.stand[cpu],
					     __ATOMIC_ACQUIRE) == RUNNING) n++;
	return n;
}

/* It is there, and nothing more is known of it. */
static void
silent_add(void)
{
	uint32_t cpu;

	for_each_online_cpu(cpu)
	{
		uint32_t slot;

		if (cpu == cpus.panicked || cpus.stand[cpu] != RUNNING)
			continue;
		slot = __atomic_fetch_add(&nr_records, 1, __ATOMIC_ACQ_REL);
		if (slot >= XDUMP_CPUS)
			continue;
		records[slot].id = cpu;
		records[slot].world = UINT32_MAX;
		records[slot].flags = DFMT_CPU_SILENT;
	}
}

void
xdump_cpus_stop(const struct cpu_user_regs *regs)
{
	uint64_t begin = xdump_now_us();
	uint32_t n;

	cpus.panicked = smp_processor_id();
	nr_records = 1;
	record_take(0, cpus.panicked, regs);
	records[0].flags |= DFMT_CPU_PANICKED;
	set_nmi_callback(stop_here);
	smp_wmb();
	smp_send_nmi_allbutself();
	do {
		cpu_relax();
		n = nr_running();
	} while (n && xdump_now_us() - begin < WAIT_US);
	cpus.stopped = true;
	silent_add();
}

/*
 * Who did not answer us answers nobody: a reboot would wait for it without an
 * end.
 */
static void
silent_remove(void)
{
	uint32_t cpu;

	for_each_online_cpu(
		cpu) if (cpu != cpus.panicked && cpus.stand[cpu] == RUNNING)
		cpumask_clear_cpu(cpu, &cpu_online_map);
}

void
xdump_cpus_release(void)
{
	uint64_t begin = xdump_now_us();
	bool waiting = true;

	/* Before they let in the IPI of one that still waits for them. */
	if (cpus.stopped)
		xdump_calls_forget();
	__atomic_store_n(&cpus.release, 1, __ATOMIC_RELEASE);
	if (!cpus.stopped)
		return;
	while (waiting && xdump_now_us() - begin < WAIT_US) {
		uint32_t cpu;

		waiting = false;
		for_each_online_cpu(cpu) if (__atomic_load_n(&cpus.stand[cpu],
						     __ATOMIC_ACQUIRE) ==
					     STOPPED) waiting = true;
		cpu_relax();
	}
	/* Who comes late rests too. */
	silent_remove();
}

const struct dfmt_fmt_cpu *
xdump_cpu_records(uint32_t *nr_out)
{
	uint32_t n = __atomic_load_n(&nr_records, __ATOMIC_ACQUIRE);

	*nr_out = n < XDUMP_CPUS ? n : XDUMP_CPUS;
	return records;
}
