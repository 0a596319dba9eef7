/* SPDX-License-Identifier: MIT */
/*
 * How a 64-bit paravirtual Linux leaves for what was interrupted: by the
 * hypercall iret, with the five words of the processor's iret on its stack and
 * below them a word of flags, rcx, r11 and rax.  Nothing has called that code,
 * and no table speaks of it.
 *
 * Facts: xen_iret of arch/x86/xen/xen-asm.S, Linux 5.10 to 7.3; struct
 * iret_context of xen/include/public/arch-x86/xen-x86_64.h.
 */
#include "mdb/stack/flow.h"

#include "mdb/base/ctx.h"

#include <string.h>

#define HYPERVISOR_IRET 23u
#define WORD 8u
#define BELOW (4 * WORD) /* rax r11 rcx flags */

static bool
has_called(const struct mdb_frame *f)
{
	return f->trap == MDB_TRAP_HYPERCALL &&
	       mdb_reg_known(&f->regs, MDB_R_ORIG_AX) &&
	       f->regs.r[MDB_R_ORIG_AX] == HYPERVISOR_IRET;
}

/* On the way there some of the words below may be missing. */
static bool
find_words(struct mdb_unwind *u, mdb_addr_t *words_out)
{
	mdb_addr_t sp = u->frame.regs.r[MDB_R_SP];
	struct mdb_flow_function function;
	struct mdb_flow_places places;

	*words_out = sp + BELOW;
	if (has_called(&u->frame))
		return true;
	if (!u->object || !mdb_flow_function(u, u->frame.pc, &function) ||
		strcmp(function.name, "xen_iret") != 0)
		return false;
	mdb_flow_to(u, &function, u->frame.pc, &places);
	if (places.nr == 0 || !places.at[0].sp_known)
		return false;
	*words_out = sp - (uint64_t)places.at[0].sp;
	return true;
}

/* What the call itself has used is on the stack. */
static void
restore(struct mdb_unwind *u, mdb_addr_t at, struct mdb_regs *regs)
{
	static const enum mdb_reg order[] = { MDB_R_AX, MDB_R_11, MDB_R_CX };

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		uint64_t value;

		if (mdb_unwind_word(u, at + i * WORD, &value) == MDB_OK)
			mdb_reg_set(regs, order[i], value);
		else
			regs->valid &= ~(1ull << order[i]);
	}
}

enum mdb_unwind_step
mdb_pv_iret_step(struct mdb_unwind *u, struct mdb_caller *caller_out)
{
	mdb_addr_t words;
	enum mdb_unwind_step step;

	if (u->frame.pc_is_return || u->world->arch->word != WORD ||
		!mdb_unwind_has_linux_entries(u->world) ||
		!find_words(u, &words))
		return MDB_STEP_NONE;
	step = mdb_unwind_through_regs(u,
		words - mdb_regs_ip_offset(u->world->arch), true, caller_out);
	if (step != MDB_STEP_CALLER)
		return step;
	if (words == u->frame.regs.r[MDB_R_SP] + BELOW)
		restore(u, words - BELOW, &caller_out->regs);
	caller_out->regs.valid &= ~(1ull << MDB_R_ORIG_AX);
	caller_out->fp = u->frame.regs.r[MDB_R_SP];
	return MDB_STEP_CALLER;
}
