/* SPDX-License-Identifier: MIT */
/*
 * The panic: on a stack of our own, with the other CPUs stopped and every
 * other device off the bus, the dump is written; then all goes on as Xen was
 * told.  A panic inside ends the dump and comes back here no more.
 */
#include "xdump-impl.h"

#include <xen/console.h>
#include <xen/lib.h>
#include <xen/mm.h>
#include <xen/sched.h>
#include <xen/string.h>
#include <xen/watchdog.h>

#include <asm/current.h>
#include <asm/msr.h>
#include <asm/processor.h>

struct xdump_state __read_mostly xdump;

/* Whose dump it is: one CPU's, for good. */
#define NOBODY UINT32_MAX
static uint32_t owner = NOBODY;

enum phase {
	FIRST, /* a panic on the owner is a second one: the dump ends */
	AGAIN, /* and in that a third: the controller is stopped */
	LAST,  /* and in that a fourth: the other CPUs go on */
	OVER,
};
static uint32_t phase;
static uint32_t nr_checks; /* atomic: machine checks on stopped CPUs */

void
xdump_crc(uint32_t *code_out, uint32_t *config_out)
{
	const uint8_t *first = (const uint8_t *)xdump_text_start;
	const uint8_t *end = (const uint8_t *)xdump_text_end;

	*code_out = dfmt_crc32c(&xdump.crc, first, (size_t)(end - first));
	*config_out =
		dfmt_crc32c(&xdump.crc, &xdump.config, sizeof(xdump.config));
	*config_out = dfmt_crc32c_more(&xdump.crc, *config_out, &xdump.target,
		sizeof(xdump.target));
	*config_out = dfmt_crc32c_more(&xdump.crc, *config_out, &xdump.cipher,
		sizeof(xdump.cipher));
	*config_out = dfmt_crc32c_more(&xdump.crc, *config_out, &xdump_ops,
		sizeof(xdump_ops));
	*config_out = xdump_iommus_crc(*config_out);
}

/* ---- the run ------------------------------------------------------------- */

struct job {
	enum crash_reason reason;
	struct cpu_user_regs regs;
};

static bool
same_disk(const struct xdump_target *a, const struct xdump_target *b)
{
	return a->function == b->function && a->offset == b->offset &&
	       a->len == b->len && a->partition == b->partition &&
	       dfmt_disk_same(&a->id, &b->id);
}

/* The disk of boot, found again and running. */
static bool
disk_open(void)
{
	static struct xdump_target now;
	struct xdump_run *r = &xdump.run;

	if (!xdump.ready) {
		printk("xdump: nothing is written: %s\n", xdump.target.why);
		return false;
	}
	if (!xdump_target_find(&now, &r->disk, false)) {
		printk("xdump: nothing is written: %s\n", now.why);
		return false;
	}
	if (!same_disk(&now, &xdump.target)) {
		dfmt_disk_stop(&r->disk);
		printk("xdump: nothing is written: the label is on another disk than at boot\n");
		return false;
	}
	r->offset = now.offset;
	return true;
}

/* A device that refuses a flush may lose what it has read back to us. */
static const char *
outcome(const struct dfmt_writer_result *r)
{
	if (r->status != DFMT_W_COMPLETE || !r->ended)
		return r->why;
	if (xdump.config.dry_run)
		return "dry run, nothing is written";
	return r->nr_unflushed ? "dump complete, but not flushed"
			       : "dump complete";
}

static void
result_say(void)
{
	const struct dfmt_writer_result *r =
		dfmt_writer_result_get(xdump.writer);
	const struct dfmt_disk *d = &xdump.run.disk;
	uint32_t checks = __atomic_load_n(&nr_checks, __ATOMIC_ACQUIRE);
	uint64_t ms = r->elapsed_ms ? r->elapsed_ms : 1;
	uint64_t all_us = d->busy_us + d->idle_us + 1;

	if (checks)
		printk("xdump: %u machine checks on stopped CPUs\n", checks);
	if (r->status >= DFMT_W_CONFIG) {
		printk("xdump: nothing is written: %s\n", r->why);
		return;
	}
	printk("xdump: %s: %lu pages (%lu lost), %lu KiB of %lu KiB, %lu.%03lu s, %u write errors, device busy %lu%%, %u bytes of stack\n",
		outcome(r), r->nr_data + r->nr_fill + r->nr_repeat, r->nr_lost,
		r->dump_len >> 10, r->raw_len >> 10, ms / 1000, ms % 1000,
		r->nr_skipped, d->busy_us * 100 / all_us, xdump_stack_used());
}

/* From here on memory is ours and our controller's alone. */
static bool
bus_take(void)
{
	const char *why;

	xdump_quiesce();
	why = xdump_iommus_off();
	if (why != NULL)
		printk("xdump: nothing is written: %s\n", why);
	return why == NULL;
}

static void
silent_say(void)
{
	uint32_t nr;
	const struct dfmt_fmt_cpu *r = xdump_cpu_records(&nr);

	for (uint32_t i = 0; i < nr; i++)
		if (r[i].flags & DFMT_CPU_SILENT)
			printk("xdump: CPU %u does not answer\n", r[i].id);
	if (num_online_cpus() > XDUMP_CPUS)
		printk("xdump: of %u CPUs only %u are told of\n",
			num_online_cpus(), nr);
}

static void
serial_put(void *arg, const char *line, size_t len)
{
	console_serial_puts(line, len);
}

/* Where nothing was written; not through the console's ring. */
static void
serial_send(const struct job *job)
{
	if (!xdump.config.serial)
		return;
	printk("xdump: the triage record goes over the serial line\n");
	if (dfmt_writer_serial(xdump.writer, xdump_facts(job->reason),
		    serial_put, NULL))
		printk("xdump: that was the triage record\n");
	else
		printk("xdump: it does not: the dump would have been encrypted\n");
}

static void
run(const struct job *job)
{
	uint32_t code, config;

	xdump_test_run();
	xdump_crc(&code, &config);
	if (code != xdump.code_crc || config != xdump.config_crc) {
		console_force_unlock();
		printk("xdump: nothing is written: its own code or configuration has changed since boot\n");
		return;
	}
	xdump_cpus_stop(&job->regs);
	console_force_unlock();
	silent_say();
	if (!bus_take() || !disk_open()) {
		serial_send(job);
		return;
	}
	xdump_dom0_begin();
	xdump.run.said_us = xdump_now_us();
	printk("xdump: dumping to %s %s/%u\n", xdump.run.disk.driver->name,
		xdump.run.disk.id.serial, xdump.run.disk.id.unit);
	__atomic_store_n(&xdump.helping, 1, __ATOMIC_RELEASE);
	(void)dfmt_writer_run(xdump.writer, xdump_facts(job->reason),
		xdump.target.len);
	__atomic_store_n(&xdump.helping, 0, __ATOMIC_RELEASE);
	dfmt_disk_stop(&xdump.run.disk);
	result_say();
	if (dfmt_writer_result_get(xdump.writer)->status >= DFMT_W_CONFIG)
		serial_send(job);
}

static void
run_again(void)
{
	__atomic_store_n(&xdump.helping, 0, __ATOMIC_RELEASE);
	printk("xdump: a panic inside the dump: it ends here\n");
	(void)dfmt_writer_reenter(xdump.writer, "the writer panicked");
	dfmt_disk_stop(&xdump.run.disk);
	result_say();
}

/* Back to what Xen expects, but for devices off the bus. */
static void
over(void)
{
	xdump_cipher_wipe();
	xdump_iommus_restore();
	__atomic_store_n(&phase, OVER, __ATOMIC_RELEASE);
	xdump_cpus_release();
}

static void
first(const struct job *job)
{
	run(job);
	over();
}

static void
second(const struct job *job)
{
	run_again();
	over();
}

/* Where it is: Xen came this far on the stack that it has. */
static void
third(void)
{
	printk("xdump: a third panic: the dump has no end record\n");
	dfmt_disk_stop(&xdump.run.disk);
	over();
}

/* ---- onto our own stack -------------------------------------------------- */

/*
 * Xen finds the current CPU from the stack pointer: what stands at the end of
 * its stack stands at the end of ours too.
 */
static void
on_own_stack(uint32_t which, void (*fn)(const struct job *),
	const struct job *job)
{
	uint8_t *stack = xdump.memory + XDUMP_STACK_AT + which * STACK_SIZE;
	struct cpu_info *info = get_cpu_info();
	struct cpu_info *copy = (struct cpu_info *)(stack + STACK_SIZE) - 1;
	unsigned long sp = (unsigned long)copy & ~15ul;

	memcpy(copy, info, sizeof(*copy));
	asm volatile("	movq	%%rsp, %%rbx\n"
		     "	movq	%[sp], %%rsp\n"
		     "	call	*%[fn]\n"
		     "	movq	%%rbx, %%rsp\n"
		     :
		     : [sp] "r"(sp), [fn] "r"(fn), "D"(job)
		     : "rbx", "rax", "rcx", "rdx", "rsi", "r8", "r9", "r10",
		     "r11", "memory", "cc");
}

/* They were filled with one byte at boot. */
uint32_t
xdump_stack_used(void)
{
	uint32_t most = 0;

	for (uint32_t i = 0; i < XDUMP_NR_STACKS; i++) {
		const uint8_t *s =
			xdump.memory + XDUMP_STACK_AT + i * STACK_SIZE;
		uint32_t n = 0;

		while (n < STACK_SIZE && s[n] == XDUMP_STACK_FILL)
			n++;
		if (STACK_SIZE - n > most)
			most = STACK_SIZE - n;
	}
	return most;
}

/* Where the caller is, with what is in the registers right here. */
static void
regs_take(struct cpu_user_regs *r)
{
	unsigned long ss;

	memset(r, 0, sizeof(*r));
#define TAKE(reg) asm volatile("movq %%" #reg ", %0" : "=m"(r->reg))
	TAKE(rax);
	TAKE(rbx);
	TAKE(rcx);
	TAKE(rdx);
	TAKE(rsi);
	TAKE(rdi);
	TAKE(rbp);
	TAKE(rsp);
	TAKE(r8);
	TAKE(r9);
	TAKE(r10);
	TAKE(r11);
	TAKE(r12);
	TAKE(r13);
	TAKE(r14);
	TAKE(r15);
#undef TAKE
	asm volatile("leaq 0(%%rip), %%rax; movq %%rax, %0"
		     : "=m"(r->rip)
		     :
		     : "rax");
	asm volatile("pushfq; popq %0" : "=m"(r->rflags));
	asm volatile("movq %%ss, %0" : "=r"(ss));
	r->cs = __HYPERVISOR_CS;
	r->ss = (uint16_t)ss;
}

bool
xdump_is_mine(void)
{
	return __atomic_load_n(&owner, __ATOMIC_ACQUIRE) ==
		       smp_processor_id() &&
	       __atomic_load_n(&phase, __ATOMIC_ACQUIRE) != OVER;
}

bool
xdump_is_on(void)
{
	return xdump.ready;
}

void __attribute__((__noinline__)) xdump_crash(enum crash_reason reason)
{
	struct job job = { .reason = reason };
	uint32_t cpu = smp_processor_id(), who = NOBODY, now;

	if (!xdump.ready && !xdump.serial_only)
		return;
	local_irq_disable();
	watchdog_disable();
	if (__atomic_compare_exchange_n(&owner, &who, cpu, false,
		    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		regs_take(&job.regs);
		on_own_stack(0, first, &job);
		return;
	}
	/*
	 * Another CPU's dump, which sends us an NMI; or we had one, and helped.
	 * Xen's reboot is then that CPU's alone: it forgets the calls between
	 * CPUs, and one that we began would never end.
	 */
	while (who != cpu && __atomic_load_n(&phase, __ATOMIC_ACQUIRE) != OVER)
		cpu_relax();
	if (who != cpu && xdump_cpus_stopped())
		xdump_cpu_park();
	if (who != cpu)
		return;
	now = __atomic_load_n(&phase, __ATOMIC_ACQUIRE);
	if (now < OVER)
		__atomic_store_n(&phase, now + 1, __ATOMIC_RELEASE);
	if (now == FIRST)
		on_own_stack(1, second, &job);
	else if (now == AGAIN)
		third();
	else if (now == LAST)
		over();
}

/*
 * Xen's own handler waits for CPUs that stand still.  On the CPU that dumps the
 * dump ends, by a second panic.  Another one helps no more and is asked
 * nothing: where it was about to read a page that is broken it would come back
 * for ever. Should the page be broken, the CPU that dumps will meet it too.
 */
void
xdump_machine_check(void)
{
	uint32_t who = __atomic_load_n(&owner, __ATOMIC_ACQUIRE);

	if (who == NOBODY || __atomic_load_n(&phase, __ATOMIC_ACQUIRE) == OVER)
		return;
	wrmsrl(MSR_IA32_MCG_STATUS, 0);
	if (who != smp_processor_id()) {
		__atomic_fetch_add(&nr_checks, 1, __ATOMIC_ACQ_REL);
		xdump_cpu_park();
	}
	console_force_unlock();
	panic("Machine check inside the dump\n");
}
