/* SPDX-License-Identifier: MIT */
/*
 * Unwinding without tables: entry stubs whose registers lie at the top of
 * their stack, frame pointers, and the jump to an address that is no code.
 *
 * A frame pointer proves nothing by itself: bp may hold anything.  What it
 * leads to is taken only if a call instruction ends there.  Linux' entry code
 * marks saved registers in the chain of frame pointers by an odd value
 * (x86-64) or one without its top bit (i386).
 */
#include "mdb/stack/unwind.h"

#include "mdb/base/endian.h"

#include <string.h>

static size_t
word(const struct mdb_unwind *u)
{
	return u->world->arch->word;
}

enum mdb_unwind_step
mdb_unwind_through_regs(struct mdb_unwind *u, mdb_addr_t addr, bool partial,
	struct mdb_caller *caller_out)
{
	struct mdb_caller c = { .is_regs = true, .literal = true, .fp = addr };
	enum mdb_status st;

	if (u->world->kind == MDB_WORLD_XEN)
		return mdb_xen_through_regs(u, addr, caller_out);
	c.regs = u->frame.regs;
	if (!partial)
		mdb_regs_keep_system(&c.regs);
	st = mdb_unwind_read_regs(u, addr, partial, &c.regs);
	if (st == MDB_E_CORRUPT)
		return MDB_STEP_NONE;
	if (st != MDB_OK)
		return mdb_unwind_end_unread(u, addr);
	c.trap = mdb_unwind_trap(u);
	if (c.trap.fred)
		mdb_trap_of_fred_ss(&c.trap, c.regs.r[MDB_R_SS]);
	c.regs.r[MDB_R_CS] &= 0xffff;
	c.regs.r[MDB_R_SS] &= 0xffff;
	c.cfa = c.regs.r[MDB_R_SP];
	*caller_out = c;
	return MDB_STEP_CALLER;
}

/* bp as the entry code left it: the address of saved registers, or 0. */
static mdb_addr_t
encoded_regs(const struct mdb_unwind *u, uint64_t bp)
{
	if (u->world->kind == MDB_WORLD_XEN)
		return mdb_xen_regs_of_bp(u, bp);
	if (u->world->kind == MDB_WORLD_ILLUMOS)
		return 0;
	if (word(u) == 8)
		return bp & 1 ? bp & ~1ull : 0;
	return bp != 0 && bp < 0x80000000u ? bp | 0x80000000u : 0;
}

/*
 * A return into text that cannot show its call: the kernel's init text, which
 * is freed (the boot CPU's idle thread began there), or text that the dump
 * does not hold.  The chain must lead on, to a frame or to saved registers.
 */
static bool
in_lost_text(struct mdb_unwind *u, mdb_addr_t ip, mdb_addr_t bp_addr)
{
	mdb_addr_t regs_addr;
	uint64_t next;

	if (bp_addr == 0 || !mdb_unwind_object(u, ip) ||
		mdb_unwind_check_call(u, ip) != MDB_CALL_UNKNOWN ||
		mdb_unwind_word(u, bp_addr, &next) != MDB_OK)
		return false;
	regs_addr = encoded_regs(u, next);
	if (regs_addr != 0)
		next = regs_addr;
	return next > bp_addr && next - bp_addr < MDB_UNWIND_MAX_FRAME;
}

/* A thread begins where nothing called it, above a frame pointer of 0. */
static bool
is_last(struct mdb_unwind *u, mdb_addr_t ip, mdb_addr_t bp_addr)
{
	uint64_t bp;

	return u->world->keeps_frame_pointers && bp_addr != 0 &&
	       mdb_unwind_object(u, ip) &&
	       mdb_unwind_word(u, bp_addr, &bp) == MDB_OK && bp == 0;
}

/*
 * SunOS' entry code saves user mode's frame pointer and instruction where its
 * own frame pointer leads, in front of all registers (struct regs, r_savfp).
 */
static bool
to_user_mode(struct mdb_unwind *u, mdb_addr_t bp, struct mdb_caller *caller_out)
{
	mdb_addr_t low = u->world->objects_low;
	struct mdb_caller c = { .is_user = true,
		.literal = true,
		.cfa = bp + 2 * word(u),
		.fp = bp };
	uint64_t user_bp, ip;

	if (u->world->kind != MDB_WORLD_ILLUMOS ||
		mdb_unwind_word(u, bp, &user_bp) != MDB_OK ||
		mdb_unwind_word(u, bp + word(u), &ip) != MDB_OK ||
		user_bp >= low || ip == 0 || mdb_unwind_object(u, ip))
		return false;
	mdb_reg_set(&c.regs, MDB_R_IP, ip);
	mdb_reg_set(&c.regs, MDB_R_BP, user_bp);
	c.regs.r[MDB_R_SP] = user_bp; /* the frame's address; sp is not told */
	*caller_out = c;
	return true;
}

/* The caller whose return address lies at addr; bp_addr 0: bp is not saved. */
static enum mdb_unwind_step
through_call(struct mdb_unwind *u, mdb_addr_t addr, mdb_addr_t bp_addr,
	struct mdb_caller *caller_out)
{
	struct mdb_caller c = { .cfa = addr + word(u), .fp = addr - word(u) };
	bool bp_known = mdb_reg_known(&u->frame.regs, MDB_R_BP);
	uint64_t bp = u->frame.regs.r[MDB_R_BP];
	uint64_t ip;

	if (mdb_unwind_word(u, addr, &ip) != MDB_OK)
		return MDB_STEP_NONE;
	if (ip == 0 && bp_addr != 0 && u->world->keeps_frame_pointers) {
		*caller_out = c;
		return mdb_unwind_end(u, MDB_END_ENTRY, NULL);
	}
	if (mdb_unwind_check_call(u, ip) != MDB_CALL_YES &&
		!in_lost_text(u, ip, bp_addr) && !is_last(u, ip, bp_addr) &&
		!(bp_addr != 0 && mdb_unwind_trap_at(u, ip - 1).outermost))
		return MDB_STEP_NONE;
	if (bp_addr != 0)
		bp_known = mdb_unwind_word(u, bp_addr, &bp) == MDB_OK;
	c.regs = u->frame.regs;
	mdb_regs_keep_system(&c.regs);
	mdb_reg_set(&c.regs, MDB_R_IP, ip);
	mdb_reg_set(&c.regs, MDB_R_SP, c.cfa);
	if (bp_known)
		mdb_reg_set(&c.regs, MDB_R_BP, bp);
	*caller_out = c;
	return MDB_STEP_CALLER;
}

/*
 * Where the return address is while the frame is being made or taken down:
 * before `push %bp`, between it and `mov %sp,%bp`, at `ret`.
 */
static bool
at_edge(struct mdb_unwind *u, mdb_addr_t *ip_addr_out, mdb_addr_t *bp_addr_out)
{
	static const uint8_t mov_64[] = { 0x48, 0x89, 0xe5 };
	static const uint8_t mov_32[] = { 0x89, 0xe5 };
	mdb_addr_t sp = u->frame.regs.r[MDB_R_SP];
	uint8_t code[3] = { 0 };
	bool is_mov;

	if (u->frame.pc_is_return || mdb_space_try(u->world->space, u->frame.pc,
					     code, sizeof(code)) != MDB_OK)
		return false;
	is_mov = word(u) == 8 ? memcmp(code, mov_64, 3) == 0
			      : memcmp(code, mov_32, 2) == 0;
	if (code[0] != 0x55 && code[0] != 0xc3 && !is_mov)
		return false;
	*ip_addr_out = is_mov ? sp + word(u) : sp;
	*bp_addr_out = is_mov ? sp : 0;
	return true;
}

/* A call or jump to an address that holds no code: nothing was pushed yet. */
static enum mdb_unwind_step
nowhere_step(struct mdb_unwind *u, struct mdb_caller *caller_out)
{
	uint8_t code;
	bool unmapped;

	if (u->frame.pc_is_return || u->object)
		return MDB_STEP_NONE;
	unmapped = mdb_space_try(u->world->space, u->frame.pc, &code, 1) ==
		   MDB_E_UNMAPPED;
	if (!unmapped && u->frame.pc >= 0x1000)
		return MDB_STEP_NONE;
	return through_call(u, u->frame.regs.r[MDB_R_SP], 0, caller_out);
}

/*
 * bp is kept when the interrupt stack is entered, and is the task's then; up
 * to 5.7 it is marked, and leads to the registers saved there.
 */
static enum mdb_unwind_step
elsewhere_step(struct mdb_unwind *u, uint64_t bp, struct mdb_caller *caller_out)
{
	mdb_addr_t regs_addr = encoded_regs(u, bp);
	mdb_addr_t at = regs_addr != 0 ? regs_addr : bp;
	enum mdb_unwind_step step;
	uint64_t value;

	if (!mdb_unwind_on_known_stack(u) ||
		(at >= u->stack.low && at < u->stack.high) ||
		mdb_unwind_word(u, at, &value) != MDB_OK)
		return MDB_STEP_NONE;
	if (regs_addr != 0)
		return mdb_unwind_through_regs(u, at, false, caller_out);
	step = through_call(u, bp + word(u), bp, caller_out);
	if (step == MDB_STEP_CALLER)
		caller_out->framed = true;
	return step;
}

static enum mdb_unwind_step
chain_step(struct mdb_unwind *u, struct mdb_caller *caller_out)
{
	uint64_t bp = u->frame.regs.r[MDB_R_BP];
	mdb_addr_t sp = u->frame.regs.r[MDB_R_SP];
	mdb_addr_t regs_addr, ip_addr, bp_addr;

	if (at_edge(u, &ip_addr, &bp_addr)) {
		enum mdb_unwind_step step =
			through_call(u, ip_addr, bp_addr, caller_out);

		if (step != MDB_STEP_NONE || !u->world->keeps_frame_pointers)
			return step;
	}
	if (!mdb_reg_known(&u->frame.regs, MDB_R_BP))
		return MDB_STEP_NONE;
	if (bp == 0 && u->world->keeps_frame_pointers)
		return mdb_unwind_end(u, MDB_END_ENTRY, NULL);
	regs_addr = encoded_regs(u, bp);
	if (regs_addr >= sp && regs_addr - sp < MDB_UNWIND_MAX_FRAME)
		return mdb_unwind_through_regs(u, regs_addr, false, caller_out);
	if (bp < sp || bp - sp >= MDB_UNWIND_MAX_FRAME)
		return elsewhere_step(u, bp, caller_out);
	if (to_user_mode(u, bp, caller_out))
		return MDB_STEP_CALLER;
	return through_call(u, bp + word(u), bp, caller_out);
}

/*
 * Since 6.6 ret_from_fork is C, called from ret_from_fork_asm; in a kernel
 * with frame pointers it keeps one, and nothing else tells the two apart.
 */
static bool
through_fork(struct mdb_unwind *u, struct mdb_caller *caller_out)
{
	mdb_addr_t sp = u->frame.regs.r[MDB_R_SP];
	uint64_t bp = u->frame.regs.r[MDB_R_BP];

	return u->frame.pc_is_return && u->object &&
	       mdb_unwind_table_of(u->object)->layout == MDB_ORC_LAYOUT_NONE &&
	       mdb_reg_known(&u->frame.regs, MDB_R_BP) && bp >= sp &&
	       bp - sp < MDB_UNWIND_MAX_FRAME &&
	       through_call(u, bp + word(u), bp, caller_out) == MDB_STEP_CALLER;
}

/*
 * An entry stub without unwind data has called C code with the registers it
 * saved on top of its stack, or a few words deeper.
 */
enum mdb_unwind_step
mdb_entry_step(struct mdb_unwind *u, struct mdb_caller *caller_out)
{
	mdb_addr_t sp = u->frame.regs.r[MDB_R_SP];
	struct mdb_trap trap = mdb_unwind_trap(u);

	if (trap.forked) {
		/* Behind it lie a new process's registers, or zeros. */
		enum mdb_unwind_step step =
			mdb_unwind_through_regs(u, sp, false, caller_out);

		if (step == MDB_STEP_CALLER &&
			mdb_regs_is_user(u->world->arch, &caller_out->regs))
			return step;
	}
	if (trap.forked && through_fork(u, caller_out))
		return MDB_STEP_CALLER;
	if (trap.outermost)
		return mdb_unwind_end(u, MDB_END_ENTRY, NULL);
	if (trap.kind == MDB_TRAP_NONE)
		return MDB_STEP_NONE;
	for (int i = 0; i < 4; i++, sp += word(u)) {
		struct mdb_regs regs = u->frame.regs;

		if (mdb_unwind_read_regs(u, sp, false, &regs) == MDB_OK)
			return mdb_unwind_through_regs(u, sp, false,
				caller_out);
	}
	return MDB_STEP_NONE;
}

enum mdb_unwind_step
mdb_frameptr_step(struct mdb_unwind *u, struct mdb_caller *caller_out)
{
	enum mdb_unwind_step step = nowhere_step(u, caller_out);

	if (step != MDB_STEP_NONE)
		return step;
	step = chain_step(u, caller_out);
	/* Code that has a table which says nothing of it may not keep a frame
	 * pointer at all. */
	if (step == MDB_STEP_CALLER && !caller_out->is_regs && u->object &&
		mdb_unwind_table_of(u->object)->layout != MDB_ORC_LAYOUT_NONE)
		caller_out->guess = true;
	return step;
}
