/* SPDX-License-Identifier: MIT */
/*
 * Xen's entry code, which has neither unwind data nor frames: where it calls
 * C, the stack pointer is at the registers that it saved.
 *
 * Facts: xen/arch/x86/x86_64/{entry.S,compat/entry.S} and
 * xen/arch/x86/hvm/{svm,vmx}/entry.S of Xen 4.14 to 4.20; the names are those
 * of the symbols that the calls lie behind.
 */
#include "mdb/stack/flow.h"

#include "mdb/base/ctx.h"

#include <string.h>

/* clang-format off */
static const struct stub {
	const char *name;	/* ending in *: its beginning */
	enum mdb_xen_entry entry;
} stubs[] = {
	/* what the processor comes in by, and what that jumps to */
	{ "lstar_enter", MDB_XEN_ENTRY_CALL },
	{ "cstar_enter", MDB_XEN_ENTRY_CALL },
	{ "sysenter_entry", MDB_XEN_ENTRY_CALL },
	{ "sysenter_eflags_saved", MDB_XEN_ENTRY_CALL },
	{ "int80_*", MDB_XEN_ENTRY_REGS },
	{ "entry_int82", MDB_XEN_ENTRY_CALL },
	{ "entry_*", MDB_XEN_ENTRY_REGS },
	{ "autogen_stubs", MDB_XEN_ENTRY_REGS },
	{ "common_interrupt", MDB_XEN_ENTRY_REGS },
	{ "page_fault", MDB_XEN_ENTRY_REGS },
	{ "handle_exception*", MDB_XEN_ENTRY_REGS },
	{ "handle_ist_exception", MDB_XEN_ENTRY_REGS },
	{ "exception_with_ints_disabled", MDB_XEN_ENTRY_REGS },
	{ "FATAL_exception_with_ints_disabled", MDB_XEN_ENTRY_REGS },
	{ "fatal_exception_with_ints_disabled", MDB_XEN_ENTRY_REGS },
	{ "double_fault", MDB_XEN_ENTRY_REGS },
	{ "nmi", MDB_XEN_ENTRY_REGS },
	{ "machine_check", MDB_XEN_ENTRY_REGS },
	{ "divide_error", MDB_XEN_ENTRY_REGS },
	{ "coprocessor_error", MDB_XEN_ENTRY_REGS },
	{ "simd_coprocessor_error", MDB_XEN_ENTRY_REGS },
	{ "device_not_available", MDB_XEN_ENTRY_REGS },
	{ "debug", MDB_XEN_ENTRY_REGS },
	{ "int3", MDB_XEN_ENTRY_REGS },
	{ "overflow", MDB_XEN_ENTRY_REGS },
	{ "bounds", MDB_XEN_ENTRY_REGS },
	{ "invalid_op", MDB_XEN_ENTRY_REGS },
	{ "invalid_TSS", MDB_XEN_ENTRY_REGS },
	{ "segment_not_present", MDB_XEN_ENTRY_REGS },
	{ "stack_segment", MDB_XEN_ENTRY_REGS },
	{ "general_protection", MDB_XEN_ENTRY_REGS },
	{ "alignment_check", MDB_XEN_ENTRY_REGS },
	{ "early_page_fault", MDB_XEN_ENTRY_REGS },
	/* on the way back */
	{ "ret_from_intr", MDB_XEN_ENTRY_BACK },
	{ "restore_all_*", MDB_XEN_ENTRY_BACK },
	{ "iret_exit_to_guest", MDB_XEN_ENTRY_BACK },
	{ "switch_to_kernel", MDB_XEN_ENTRY_BACK },
	{ "test_all_events", MDB_XEN_ENTRY_BACK },
	{ "test_guest_events", MDB_XEN_ENTRY_BACK },
	{ "process_softirqs", MDB_XEN_ENTRY_BACK },
	{ "process_mce", MDB_XEN_ENTRY_BACK },
	{ "process_nmi", MDB_XEN_ENTRY_BACK },
	{ "process_trap", MDB_XEN_ENTRY_BACK },
	{ "continue_pv_domain", MDB_XEN_ENTRY_BACK },
	/* jumped to from there, with the stack at the registers */
	{ "asm_domain_crash_synchronous", MDB_XEN_ENTRY_REGS },
	{ "compat_test_all_events", MDB_XEN_ENTRY_BACK },
	{ "compat_test_guest_events", MDB_XEN_ENTRY_BACK },
	{ "compat_process_*", MDB_XEN_ENTRY_BACK },
	{ "compat_restore_all_guest", MDB_XEN_ENTRY_BACK },
	{ "compat_syscall", MDB_XEN_ENTRY_REGS },
	{ "compat_sysenter", MDB_XEN_ENTRY_REGS },
	{ "compat_int80_direct_trap", MDB_XEN_ENTRY_REGS },
	/* hardware guests */
	{ "svm_asm_do_resume", MDB_XEN_ENTRY_VMEXIT },
	{ "svm_stgi_label", MDB_XEN_ENTRY_VMEXIT },
	{ "vmx_asm_vmexit_handler", MDB_XEN_ENTRY_VMEXIT },
	{ "vmx_asm_do_vmentry", MDB_XEN_ENTRY_VMEXIT },
	/* where a dump writer leaves the CPUs that it stopped (dumpfmt/xen) */
	{ "xdump_rest", MDB_XEN_ENTRY_REST },
	{ NULL, MDB_XEN_ENTRY_NONE },
};
/* clang-format on */

/* A 64-bit struct cpu_user_regs: bytes before its ip, and in all. */
#define IP_OFFSET 128u
#define IRET_LEN 40u

enum mdb_xen_entry
mdb_xen_entry_of_name(const char *name)
{
	name = mdb_bare_name(name);
	for (const struct stub *s = stubs; s->name; s++) {
		size_t len = strlen(s->name);
		bool same = s->name[len - 1] == '*'
				    ? strncmp(name, s->name, len - 1) == 0
				    : strcmp(name, s->name) == 0;

		if (same)
			return s->entry;
	}
	return MDB_XEN_ENTRY_NONE;
}

static enum mdb_xen_entry
entry_at(struct mdb_unwind *u, mdb_addr_t pc)
{
	struct mdb_sym sym;
	enum mdb_status st = mdb_sym_by_addr(u->cx,
		mdb_kernel_loc(u->world, pc), false, &sym);

	mdb_forget(u->cx);
	return st == MDB_OK ? mdb_xen_entry_of_name(sym.name)
			    : MDB_XEN_ENTRY_NONE;
}

/*
 * Interrupted in the midst of it, between the processor's own words and the
 * last register, or when some have been restored already: the words are sought
 * a whole frame up, and the registers below them are not all there.
 */
static enum mdb_unwind_step
amidst(struct mdb_unwind *u, enum mdb_xen_words whole,
	struct mdb_caller *caller_out)
{
	mdb_addr_t sp = u->frame.regs.r[MDB_R_SP];

	for (mdb_addr_t at = sp; at <= sp + IP_OFFSET + 16; at += 8) {
		enum mdb_unwind_step step;

		/* The processor aligns the stack before it pushes. */
		if ((at + IRET_LEN) % 16 != 0)
			continue;
		step = mdb_xen_through_words(u, at - IP_OFFSET,
			at - IP_OFFSET < sp ? MDB_XEN_PARTIAL : whole,
			caller_out);
		if (step != MDB_STEP_NONE)
			return step;
	}
	return MDB_STEP_NONE;
}

/* An NMI came back here, as if by a call, with all registers as they were. */
static enum mdb_unwind_step
from_rest(struct mdb_unwind *u, struct mdb_caller *caller_out)
{
	mdb_addr_t sp = u->frame.regs.r[MDB_R_SP];
	struct mdb_caller c = { .regs = u->frame.regs,
		.literal = true,
		.cfa = sp + 8,
		.fp = sp - 8 };
	uint64_t ip;

	if (mdb_unwind_word(u, sp, &ip) != MDB_OK ||
		!mdb_unwind_object(u, ip)) {
		mdb_forget(u->cx);
		return MDB_STEP_NONE;
	}
	mdb_reg_set(&c.regs, MDB_R_IP, ip);
	mdb_reg_set(&c.regs, MDB_R_SP, c.cfa);
	*caller_out = c;
	return MDB_STEP_CALLER;
}

enum mdb_unwind_step
mdb_xen_entry_step(struct mdb_unwind *u, struct mdb_caller *caller_out)
{
	mdb_addr_t sp = u->frame.regs.r[MDB_R_SP];
	enum mdb_xen_entry entry;
	enum mdb_xen_words words;
	enum mdb_unwind_step step;

	if (!mdb_unwind_is_xen_64(u->world))
		return MDB_STEP_NONE;
	step = mdb_xen_syscall_step(u, caller_out);
	if (step != MDB_STEP_NONE || !u->object)
		return step;
	entry = entry_at(u, mdb_frame_lookup_pc(&u->frame));
	if (entry == MDB_XEN_ENTRY_VMEXIT)
		return mdb_xen_through_exit(u, sp, caller_out);
	if (entry == MDB_XEN_ENTRY_REST)
		return from_rest(u, caller_out);
	if (entry == MDB_XEN_ENTRY_NONE)
		return MDB_STEP_NONE;
	words = entry == MDB_XEN_ENTRY_BACK ? MDB_XEN_RETURNING : MDB_XEN_WHOLE;
	if (!u->frame.pc_is_return)
		return amidst(u, words, caller_out);
	if (entry == MDB_XEN_ENTRY_CALL)
		words = MDB_XEN_CALLING;
	for (int i = 0; i < 4; i++, sp += 8) {
		step = mdb_xen_through_words(u, sp, words, caller_out);
		if (step != MDB_STEP_NONE)
			return step;
	}
	return MDB_STEP_NONE;
}
