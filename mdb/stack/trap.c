/* SPDX-License-Identifier: MIT */
/*
 * Names of traps.  Facts: arch/x86/entry/entry_64.S and
 * arch/x86/include/asm/{idtentry,irq_vectors,trapnr}.h of Linux 4.14 to 7.3;
 * vectors and error codes: Intel SDM volume 3, chapter 6 and section 4.7.
 */
#include "mdb/stack/trap.h"

#include <stdio.h>
#include <string.h>

/* clang-format off */
static const struct {
	const char *name;	/* after asm_exc_; the old stub's bare name */
	int vector;
} exceptions[] = {
	{ "divide_error", 0 },		{ "debug", 1 },
	{ "int3", 3 },			{ "overflow", 4 },
	{ "bounds", 5 },		{ "invalid_op", 6 },
	{ "device_not_available", 7 },	{ "double_fault", 8 },
	{ "coproc_segment_overrun", 9 },
	{ "coprocessor_segment_overrun", 9 },
	{ "invalid_TSS", 10 },		{ "invalid_tss", 10 },
	{ "segment_not_present", 11 },	{ "stack_segment", 12 },
	{ "general_protection", 13 },	{ "page_fault", 14 },
	{ "async_page_fault", 14 },	{ "coprocessor_error", 16 },
	{ "alignment_check", 17 },	{ "machine_check", 18 },
	{ "simd_coprocessor_error", 19 },
	{ "virtualization_exception", 20 },
	{ "control_protection", 21 },	{ "vmm_communication", 29 },
	{ NULL, 0 },
};

/* After asm_sysvec_; the old stub's bare name where it was the same. */
static const struct {
	const char *name;
	int vector;
} interrupts[] = {
	{ "apic_timer_interrupt", 0xec },
	{ "posted_msi_notification", 0xeb },
	{ "hyperv_stimer0", 0xed },
	{ "hyperv_reenlightenment", 0xee },
	{ "kvm_posted_intr_nested_ipi", 0xf0 },
	{ "kvm_posted_intr_wakeup_ipi", 0xf1 },
	{ "kvm_posted_intr_ipi", 0xf2 },
	{ "xen_hvm_callback", 0xf3 },	{ "hyperv_callback", 0xf3 },
	{ "kvm_asyncpf_interrupt", 0xf3 },
	{ "acrn_hv_callback", 0xf3 },
	{ "deferred_error", 0xf4 },	{ "irq_work", 0xf6 },
	{ "x86_platform_ipi", 0xf7 },	{ "reboot", 0xf8 },
	{ "threshold", 0xf9 },		{ "thermal", 0xfa },
	{ "call_function_single", 0xfb },
	{ "call_function", 0xfc },	{ "reschedule_ipi", 0xfd },
	{ "error_interrupt", 0xfe },	{ "spurious_apic_interrupt", 0xff },
	{ "irq_work_interrupt", 0xf6 },	{ "reboot_interrupt", 0xf8 },
	{ "threshold_interrupt", 0xf9 },{ "thermal_interrupt", 0xfa },
	{ "call_function_single_interrupt", 0xfb },
	{ "call_function_interrupt", 0xfc },
	{ "reschedule_interrupt", 0xfd },
	{ NULL, 0 },
};

/* Other names, whole or (ending in *) by their beginning. */
static const struct {
	const char *name;
	struct mdb_trap trap;
} others[] = {
	{ "entry_SYSCALL*", { .kind = MDB_TRAP_SYSCALL, .vector = -1 } },
	{ "entry_SYSENTER*", { .kind = MDB_TRAP_SYSCALL, .vector = -1 } },
	{ "entry_INT80*", { .kind = MDB_TRAP_SYSCALL, .vector = 0x80 } },
	{ "asm_int80_emulation", { .kind = MDB_TRAP_SYSCALL, .vector = 0x80 } },
	{ "int80_emulation", { .kind = MDB_TRAP_SYSCALL, .vector = 0x80 } },
	{ "asm_exc_nmi*", { .kind = MDB_TRAP_NMI, .vector = 2 } },
	{ "asm_exc_xennmi", { .kind = MDB_TRAP_NMI, .vector = 2 } },
	{ "nmi", { .kind = MDB_TRAP_NMI, .vector = 2 } },
	{ "first_nmi", { .kind = MDB_TRAP_NMI, .vector = 2 } },
	{ "repeat_nmi", { .kind = MDB_TRAP_NMI, .vector = 2 } },
	{ "end_repeat_nmi", { .kind = MDB_TRAP_NMI, .vector = 2 } },
	{ "nested_nmi*", { .kind = MDB_TRAP_NMI, .vector = 2 } },
	/* Xen's way into a paravirtual guest: no vector is told */
	{ "exc_xen_hypervisor_callback", { .kind = MDB_TRAP_UPCALL,
		.vector = -1 } },
	{ "asm_exc_xen_hypervisor_callback", { .kind = MDB_TRAP_UPCALL,
		.vector = -1 } },
	{ "hypervisor_callback", { .kind = MDB_TRAP_UPCALL, .vector = -1 } },
	{ "do_hypervisor_callback", { .kind = MDB_TRAP_UPCALL, .vector = -1 } },
	{ "failsafe_callback", { .kind = MDB_TRAP_UNKNOWN, .vector = -1 } },
	{ "asm_exc_xen_unknown_trap", { .kind = MDB_TRAP_UNKNOWN,
		.vector = -1 } },
	{ "asm_common_interrupt", { .kind = MDB_TRAP_IRQ, .vector = -1 } },
	{ "asm_spurious_interrupt", { .kind = MDB_TRAP_IRQ, .vector = -1 } },
	{ "common_interrupt", { .kind = MDB_TRAP_IRQ, .vector = -1 } },
	{ "common_spurious", { .kind = MDB_TRAP_IRQ, .vector = -1 } },
	{ "ret_from_intr", { .kind = MDB_TRAP_IRQ, .vector = -1 } },
	{ "asm_fred_*", { .kind = MDB_TRAP_UNKNOWN, .vector = -1,
		.fred = true } },
	{ "error_entry", { .kind = MDB_TRAP_UNKNOWN, .vector = -1 } },
	{ "error_return", { .kind = MDB_TRAP_UNKNOWN, .vector = -1 } },
	{ "paranoid_entry", { .kind = MDB_TRAP_UNKNOWN, .vector = -1 } },
	{ "common_interrupt_return", { .kind = MDB_TRAP_UNKNOWN,
		.vector = -1 } },
	{ "ret_from_fork*", { .kind = MDB_TRAP_NONE, .vector = -1,
		.outermost = true, .forked = true } },
	{ "secondary_startup_64*", { .vector = -1, .outermost = true } },
	{ "startup_64", { .vector = -1, .outermost = true } },
	{ "startup_32*", { .vector = -1, .outermost = true } },
	{ "start_cpu0", { .vector = -1, .outermost = true } },
	{ "xen_cpu_bringup_again", { .vector = -1, .outermost = true } },
	{ "asm_cpu_bringup_and_idle", { .vector = -1, .outermost = true } },
	{ NULL, { 0 } },
};

static const struct {
	const char *name;
	bool has_error;
} vectors[] = {
	[0] = { "#DE divide error", false },
	[1] = { "#DB debug", false },
	[2] = { "NMI", false },
	[3] = { "#BP breakpoint", false },
	[4] = { "#OF overflow", false },
	[5] = { "#BR bound range exceeded", false },
	[6] = { "#UD invalid opcode", false },
	[7] = { "#NM device not available", false },
	[8] = { "#DF double fault", true },
	[9] = { "coprocessor segment overrun", false },
	[10] = { "#TS invalid TSS", true },
	[11] = { "#NP segment not present", true },
	[12] = { "#SS stack segment fault", true },
	[13] = { "#GP general protection fault", true },
	[14] = { "#PF page fault", true },
	[15] = { NULL, false },
	[16] = { "#MF floating-point error", false },
	[17] = { "#AC alignment check", true },
	[18] = { "#MC machine check", false },
	[19] = { "#XM SIMD floating-point error", false },
	[20] = { "#VE virtualization exception", false },
	[21] = { "#CP control protection fault", true },
	[29] = { "#VC VMM communication", true },
	[30] = { "#SX security exception", true },
	[31] = { NULL, false },
};
/* clang-format on */

#define NR_VECTORS ((int)(sizeof(vectors) / sizeof(vectors[0])))

static const char *
after(const char *name, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(name, prefix, len) == 0 ? name + len : NULL;
}

static bool
name_is(const char *name, const char *pattern)
{
	size_t len = strlen(pattern);

	if (pattern[len - 1] == '*')
		return strncmp(name, pattern, len - 1) == 0;
	return strcmp(name, pattern) == 0;
}

static struct mdb_trap
exception_of(const char *name)
{
	for (size_t i = 0; exceptions[i].name; i++)
		if (strcmp(exceptions[i].name, name) == 0)
			return (struct mdb_trap){ .kind = MDB_TRAP_EXCEPTION,
				.vector = exceptions[i].vector };
	return (struct mdb_trap){ .vector = -1 };
}

static struct mdb_trap
interrupt_of(const char *name)
{
	for (size_t i = 0; interrupts[i].name; i++)
		if (strcmp(interrupts[i].name, name) == 0)
			return (struct mdb_trap){ .kind = MDB_TRAP_IRQ,
				.vector = interrupts[i].vector };
	return (struct mdb_trap){ .vector = -1 };
}

/* Also for a stub of a device whose vector is not in the table. */
static struct mdb_trap
named_or(struct mdb_trap trap, enum mdb_trap_kind kind)
{
	if (trap.kind == MDB_TRAP_NONE)
		trap.kind = kind;
	return trap;
}

struct mdb_trap
mdb_trap_of_name(const char *name)
{
	const char *rest;
	struct mdb_trap trap;

	rest = after(name, "xen_");
	if (rest)
		name = rest;
	for (size_t i = 0; others[i].name; i++)
		if (name_is(name, others[i].name))
			return others[i].trap;
	rest = after(name, "asm_exc_");
	if (!rest)
		rest = after(name, "asm_xenpv_exc_");
	if (rest)
		return named_or(exception_of(rest), MDB_TRAP_EXCEPTION);
	rest = after(name, "asm_sysvec_");
	if (rest)
		return named_or(interrupt_of(rest), MDB_TRAP_IRQ);
	trap = exception_of(name);
	if (trap.kind == MDB_TRAP_NONE)
		trap = interrupt_of(name);
	return trap;
}

void
mdb_trap_of_fred_ss(struct mdb_trap *trap, uint64_t ss)
{
	static const enum mdb_trap_kind kinds[8] = { MDB_TRAP_IRQ,
		MDB_TRAP_UNKNOWN, MDB_TRAP_NMI, MDB_TRAP_EXCEPTION,
		MDB_TRAP_SYSCALL, MDB_TRAP_EXCEPTION, MDB_TRAP_EXCEPTION,
		MDB_TRAP_SYSCALL };
	unsigned int type = ss >> 48 & 15;

	if (type >= 8)
		return;
	trap->kind = kinds[type];
	trap->vector = type == 7 ? -1 : (int)(ss >> 32 & 0xff);
}

const char *
mdb_trap_vector_name(int vector)
{
	if (vector >= 0 && vector < NR_VECTORS)
		return vectors[vector].name;
	for (size_t i = 0; vector >= 0 && interrupts[i].name; i++)
		if (interrupts[i].vector == vector)
			return vector == 0xf3 ? "hypervisor callback"
					      : interrupts[i].name;
	return NULL;
}

bool
mdb_trap_has_error(int vector)
{
	return vector >= 0 && vector < NR_VECTORS && vectors[vector].has_error;
}

/* ---- error codes --------------------------------------------------------- */

static void
page_fault_text(uint64_t error, char *buf, size_t len)
{
	const char *what = error & 16  ? "instruction fetch from"
			   : error & 2 ? "write to"
				       : "read of";
	const char *why = error & 8 ? "a page with reserved bits set"
			  : error & 32
				  ? "a page that its protection key forbids"
			  : error & 1 ? "a page that forbids it"
				      : "a page that is not present";

	(void)snprintf(buf, len, "%s %s, in %s mode", what, why,
		error & 4 ? "user" : "kernel");
}

static void
selector_text(uint64_t error, char *buf, size_t len)
{
	const char *table = error & 2 ? "IDT" : error & 4 ? "LDT" : "GDT";

	if (error == 0)
		return;
	(void)snprintf(buf, len, "%s entry %u%s", table,
		(unsigned int)(error >> 3 & 0x1fff),
		error & 1 ? ", external event" : "");
}

static void
control_text(uint64_t error, char *buf, size_t len)
{
	static const char *const names[] = { "", "near return", "far return",
		"missing ENDBRANCH", "RSTORSSP", "SETSSBSY" };
	uint64_t n = error & 0x7fff;

	if (n < sizeof(names) / sizeof(names[0]))
		(void)snprintf(buf, len, "%s", names[n]);
}

void
mdb_trap_error_text(int vector, uint64_t error, char *buf, size_t len)
{
	buf[0] = '\0';
	if (vector == 14)
		page_fault_text(error, buf, len);
	else if (vector >= 10 && vector <= 13)
		selector_text(error, buf, len);
	else if (vector == 21)
		control_text(error, buf, len);
}
