/* SPDX-License-Identifier: MIT */
/*
 * The first instructions of 64-bit Xen after a guest's syscall: a stub of this
 * CPU's own, outside of the image, and the beginning of lstar_enter.  The guest
 * is in rcx (ip) and r11 (flags); its stack pointer is in rsp, then in rax,
 * then on the CPU's stack, where the rest follows.
 *
 * Facts: write_stub_trampoline() of xen/arch/x86/x86_64/traps.c and lstar_enter
 * of xen/arch/x86/x86_64/entry.S of Xen 4.14 to 4.20.
 */
#include "mdb/stack/flow.h"

#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"

#include <string.h>

#define MAX_INSNS 6
#define STUB_MAX 32u

/* struct cpu_user_regs: where sp and, behind it, ss are. */
#define REGS_SP 152u
#define REGS_SS 160u
#define REGS_IP 128u

/* What the stub has still to do, and where on the CPU's stack ss will be. */
struct stub {
	bool copies_sp, loads_sp;
	mdb_addr_t ss_at;
};

static bool
is_lstar_enter(struct mdb_unwind *u, mdb_addr_t pc)
{
	struct mdb_sym sym;

	return mdb_flow_symbol(u, pc, &sym) &&
	       strcmp(mdb_bare_name(sym.name), "lstar_enter") == 0;
}

static void
note(struct stub *s, const uint8_t *insn)
{
	static const uint8_t copy[] = { 0x48, 0x89, 0xe0 },
			     load[] = { 0x48, 0xbc };

	if (memcmp(insn, copy, sizeof(copy)) == 0)
		s->copies_sp = true;
	if (memcmp(insn, load, sizeof(load)) == 0) {
		s->loads_sp = true;
		s->ss_at = mdb_le64(insn + 2);
	}
}

/* From here to the jump, if this is such a stub. */
static bool
read_stub(struct mdb_unwind *u, struct stub *s)
{
	uint8_t code[STUB_MAX + MDB_INSN_MAX] = { 0 };
	mdb_addr_t pc = u->frame.pc;
	struct mdb_insn insn;
	size_t at = 0;

	if (mdb_space_try(u->world->space, pc, code, STUB_MAX) != MDB_OK)
		return false;
	*s = (struct stub){ .ss_at = u->frame.regs.r[MDB_R_SP] };
	for (int i = 0; i < MAX_INSNS && at < STUB_MAX; i++) {
		mdb_insn_decode(code + at, STUB_MAX - at, pc + at, 64, &insn);
		if (insn.kind == MDB_INSN_JUMP)
			return insn.has_target &&
			       is_lstar_enter(u, insn.target);
		if (insn.kind != MDB_INSN_OTHER && insn.kind != MDB_INSN_SP_SET)
			return false;
		note(s, code + at);
		at += insn.len;
	}
	return false;
}

static enum mdb_unwind_step
in_stub(struct mdb_unwind *u, struct mdb_caller *caller_out)
{
	struct mdb_regs regs = u->frame.regs;
	struct stub s;
	uint64_t ax;

	if (!read_stub(u, &s))
		return MDB_STEP_NONE;
	if (!s.loads_sp)
		mdb_reg_set(&regs, MDB_R_SP, regs.r[MDB_R_AX]);
	/* It saves rax first, in the place of ss. */
	if (!s.copies_sp) {
		regs.valid &= ~(1ull << MDB_R_AX);
		if (mdb_unwind_word(u, s.ss_at, &ax) == MDB_OK)
			mdb_reg_set(&regs, MDB_R_AX, ax);
	}
	return mdb_xen_through_syscall(u, s.ss_at, &regs, caller_out);
}

/* Until ip is on the stack, and all can be read there. */
static enum mdb_unwind_step
in_lstar_enter(struct mdb_unwind *u, struct mdb_caller *caller_out)
{
	const struct mdb_world_ops *ops = u->world->ops;
	struct mdb_stack_range range = { 0 };
	struct mdb_regs regs = u->frame.regs;
	mdb_addr_t sp = regs.r[MDB_R_SP];
	uint64_t guest_sp = regs.r[MDB_R_AX];
	enum mdb_status st = MDB_E_NOTFOUND;

	if (ops && ops->stack_range)
		st = ops->stack_range(u->cx, u->world, sp, &range);
	mdb_forget(u->cx);
	if (st != MDB_OK || range.top == 0 || sp <= range.top + REGS_IP ||
		sp > range.top + REGS_SS)
		return MDB_STEP_NONE;
	if (sp <= range.top + REGS_SP &&
		mdb_unwind_word(u, range.top + REGS_SP, &guest_sp) != MDB_OK)
		return MDB_STEP_NONE;
	mdb_reg_set(&regs, MDB_R_SP, guest_sp);
	regs.valid &= ~(1ull << MDB_R_AX);
	return mdb_xen_through_syscall(u, range.top + REGS_SS, &regs,
		caller_out);
}

enum mdb_unwind_step
mdb_xen_syscall_step(struct mdb_unwind *u, struct mdb_caller *caller_out)
{
	const uint64_t needed =
		1ull << MDB_R_CX | 1ull << MDB_R_11 | 1ull << MDB_R_AX;

	if (!u->innermost || u->frame.pc_is_return ||
		(u->frame.regs.valid & needed) != needed)
		return MDB_STEP_NONE;
	if (!u->object)
		return in_stub(u, caller_out);
	return is_lstar_enter(u, u->frame.pc) ? in_lstar_enter(u, caller_out)
					      : MDB_STEP_NONE;
}
