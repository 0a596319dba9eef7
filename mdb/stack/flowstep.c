/* SPDX-License-Identifier: MIT */
/*
 * Unwinding by the code itself: for functions that no table speaks of
 * (__crash_kexec is one), and for kernels without tables, such as Xen.
 *
 * Following the code gives the depth of the stack; the return address lies
 * where the stack pointer was on entry.  It is taken if a call stands before
 * it, in Xen only one that can lead into the function.  Several depths may be
 * possible; the first that passes is the answer.  If none does, there is none.
 */
#include "mdb/stack/reach.h"

#include "mdb/base/ctx.h"

#include <string.h>

/* Where the return address is, and the caller's bp; more from a table. */
struct slot {
	mdb_addr_t ip_at;
	bool bp_known;
	uint64_t bp;
	bool has_row;
	struct mdb_cfi_row row;
};

struct candidates {
	struct slot slots[2 * MDB_FLOW_PLACES + 1];
	size_t nr;
};

static bool
is_return_address(struct mdb_unwind *u, mdb_addr_t ip)
{
	if (!u->verify && mdb_unwind_object(u, ip))
		return true;
	return mdb_unwind_check_call(u, ip) == MDB_CALL_YES;
}

/* From a place behind the function's entry; sp there is the frame's. */
static bool
slot_of_entry(struct mdb_unwind *u, const struct mdb_flow_place *p,
	struct slot *slot)
{
	const struct mdb_regs *regs = &u->frame.regs;

	if (p->sp_known)
		slot->ip_at = regs->r[MDB_R_SP] - (uint64_t)p->sp;
	else if (p->bp == MDB_BP_FRAME && mdb_reg_known(regs, MDB_R_BP))
		slot->ip_at = regs->r[MDB_R_BP] - (uint64_t)p->bp_off;
	else
		return false;
	slot->bp = regs->r[MDB_R_BP];
	slot->bp_known = p->bp == MDB_BP_SAME && mdb_reg_known(regs, MDB_R_BP);
	if (p->bp_is_saved)
		slot->bp_known =
			mdb_unwind_word(u, slot->ip_at + (uint64_t)p->bp_saved,
				&slot->bp) == MDB_OK;
	return true;
}

/* From a place before the function's return. */
static bool
slot_of_return(struct mdb_unwind *u, const struct mdb_flow_place *p,
	struct slot *slot)
{
	mdb_addr_t sp = u->frame.regs.r[MDB_R_SP];

	if (!p->sp_known)
		return false;
	slot->ip_at = sp + (uint64_t)p->sp;
	slot->bp_known = false;
	if (p->bp_is_saved)
		slot->bp_known = mdb_unwind_word(u, sp + (uint64_t)p->bp_saved,
					 &slot->bp) == MDB_OK;
	else if (p->bp == MDB_BP_FRAME) {
		slot->bp = sp + (uint64_t)p->bp_off;
		slot->bp_known = true;
	}
	return true;
}

/* Which registers a called function keeps: System V ABI, x86-64. */
static bool
is_kept(unsigned int reg)
{
	return reg == MDB_R_BX || reg == MDB_R_BP ||
	       (reg >= MDB_R_12 && reg <= MDB_R_15);
}

/* The caller's registers, as the table says. */
static void
restore(struct mdb_unwind *u, const struct slot *slot, struct mdb_regs *regs)
{
	mdb_addr_t cfa = slot->ip_at + u->world->arch->word;

	for (unsigned int i = 0; i < MDB_CFI_IP; i++) {
		const struct mdb_cfi_rule *rule = &slot->row.rules[i];
		uint64_t value = u->frame.regs.r[i];
		bool known = false;

		if (!is_kept(i))
			continue;
		if (rule->kind == MDB_CFI_SAME)
			known = mdb_reg_known(&u->frame.regs, i);
		else if (rule->kind == MDB_CFI_AT)
			known = mdb_unwind_word(u, cfa + (uint64_t)rule->off,
					&value) == MDB_OK;
		if (known)
			mdb_reg_set(regs, i, value);
	}
}

/*
 * What the debug file says.  The entry must be of the function that the dump's
 * own symbol names: inline assembler may leave the stack otherwise for a while
 * without saying so, which the check of the return address shows.
 */
static bool
slot_of_table(struct mdb_unwind *u, struct slot *slot)
{
	const struct mdb_cfi *cfi = mdb_unwind_cfi_of(u->cx, u->object);
	mdb_addr_t pc = mdb_frame_lookup_pc(&u->frame);
	struct mdb_cfi_row *row = &slot->row;
	const struct mdb_cfi_rule *ip = &row->rules[MDB_CFI_IP];
	struct mdb_sym sym;
	uint64_t cfa;
	enum mdb_status st;

	if (!cfi || !mdb_cfi_find(cfi, pc, row) || ip->kind != MDB_CFI_AT ||
		!mdb_reg_known(&u->frame.regs, row->cfa_reg))
		return false;
	st = mdb_sym_by_addr(u->cx, mdb_kernel_loc(u->world, pc), false, &sym);
	mdb_forget(u->cx);
	if (st != MDB_OK || sym.value != row->start)
		return false;
	cfa = u->frame.regs.r[row->cfa_reg] + (uint64_t)row->cfa_off;
	if (row->cfa_is_read && mdb_unwind_word(u, cfa, &cfa) != MDB_OK)
		return false;
	slot->ip_at = cfa + (uint64_t)ip->off;
	slot->has_row = true;
	return ip->off == -(int64_t)u->world->arch->word;
}

static void
take(struct mdb_unwind *u, const struct slot *slot, uint64_t ip,
	struct mdb_caller *caller_out)
{
	size_t word = u->world->arch->word;
	struct mdb_caller c = { .cfa = slot->ip_at + word,
		.fp = slot->ip_at - word };

	c.regs = u->frame.regs;
	mdb_regs_keep_system(&c.regs);
	mdb_reg_set(&c.regs, MDB_R_IP, ip);
	mdb_reg_set(&c.regs, MDB_R_SP, c.cfa);
	if (slot->has_row)
		restore(u, slot, &c.regs);
	else if (slot->bp_known)
		mdb_reg_set(&c.regs, MDB_R_BP, slot->bp);
	*caller_out = c;
}

/* The functions that save registers for a crash dump, and are called for it. */
static bool
saves_registers(const struct mdb_unwind *u,
	const struct mdb_flow_function *function)
{
	return mdb_unwind_is_xen_64(u->world) && u->innermost &&
	       !u->frame.pc_is_return &&
	       (strstr(function->name, "crash_save") != NULL ||
		       strstr(function->name, "core_save_regs") != NULL);
}

static bool
is_possible(struct mdb_unwind *u, const struct mdb_flow_function *function,
	const struct slot *slot, uint64_t *ip_out)
{
	if (slot->ip_at < u->frame.regs.r[MDB_R_SP] ||
		slot->ip_at - u->frame.regs.r[MDB_R_SP] >=
			MDB_UNWIND_MAX_FRAME ||
		mdb_unwind_word(u, slot->ip_at, ip_out) != MDB_OK)
		return false;
	if (!mdb_unwind_is_xen_64(u->world))
		return is_return_address(u, *ip_out);
	if (saves_registers(u, function))
		return mdb_reach(u, *ip_out, function) == MDB_REACH_CALL;
	return mdb_reach(u, *ip_out, function) != MDB_REACH_NO;
}

/* ---- Xen ----------------------------------------------------------------- */

/*
 * Registers that were saved while a crash was handled are of a function that
 * has returned since: kexec_crash_save_cpu.  Another call of its caller has
 * written over the return address.  The function that this address is in is
 * right if it calls ours at all.
 */
static bool
has_returned(struct mdb_unwind *u, const struct mdb_flow_function *function,
	const struct slot *slot, struct mdb_caller *caller_out)
{
	struct mdb_flow_function caller;
	uint64_t ip;

	if (!saves_registers(u, function) ||
		mdb_unwind_word(u, slot->ip_at, &ip) != MDB_OK ||
		mdb_unwind_check_call(u, ip) != MDB_CALL_YES ||
		!mdb_flow_function(u, ip - 1, &caller) ||
		!mdb_reach_calls(u, &caller, function))
		return false;
	take(u, slot, ip, caller_out);
	caller_out->returned = true;
	return true;
}

/*
 * Functions that never return are entered with the stack emptied down to the
 * guest's registers (reset_stack_and_jump): idle_loop is one.  What has emptied
 * it itself to call one is there, too, with nothing left of its own frame.
 */
static bool
is_at_top(struct mdb_unwind *u, mdb_addr_t at)
{
	const struct mdb_world_ops *ops = u->world->ops;
	struct mdb_stack_range range = { 0 };
	enum mdb_status st = MDB_E_NOTFOUND;

	if (ops && ops->stack_range)
		st = ops->stack_range(u->cx, u->world, at, &range);
	mdb_forget(u->cx);
	return st == MDB_OK && range.top != 0 && at == range.top;
}

static enum mdb_unwind_step
end_at_top(struct mdb_unwind *u, mdb_addr_t at, struct mdb_caller *caller_out)
{
	size_t word = u->world->arch->word;

	caller_out->cfa = at + word;
	caller_out->fp = at - word;
	return mdb_unwind_end(u, MDB_END_ENTRY, NULL);
}

static enum mdb_unwind_step
try_xen(struct mdb_unwind *u, const struct mdb_flow_function *function,
	const struct candidates *c, struct mdb_caller *caller_out)
{
	for (size_t i = 0; i < c->nr; i++)
		if (has_returned(u, function, &c->slots[i], caller_out))
			return MDB_STEP_CALLER;
	for (size_t i = 0; i < c->nr; i++)
		if (is_at_top(u, c->slots[i].ip_at))
			return end_at_top(u, c->slots[i].ip_at, caller_out);
	return MDB_STEP_NONE;
}

/* ---- the step ------------------------------------------------------------ */

static void
add(struct candidates *c, const struct slot *slot)
{
	for (size_t i = 0; i < c->nr; i++)
		if (c->slots[i].ip_at == slot->ip_at &&
			c->slots[i].bp_known >= slot->bp_known)
			return;
	c->slots[c->nr++] = *slot;
}

static void
add_places(struct mdb_unwind *u, const struct mdb_flow_places *places,
	bool ahead, struct candidates *c)
{
	for (size_t i = 0; i < places->nr; i++) {
		struct slot slot = { 0 };

		if (ahead ? slot_of_return(u, &places->at[i], &slot)
			  : slot_of_entry(u, &places->at[i], &slot))
			add(c, &slot);
	}
}

static enum mdb_unwind_step
try_all(struct mdb_unwind *u, const struct mdb_flow_function *function,
	const struct candidates *c, struct mdb_caller *caller_out)
{
	for (size_t i = 0; i < c->nr; i++) {
		uint64_t ip;

		if (!is_possible(u, function, &c->slots[i], &ip))
			continue;
		take(u, &c->slots[i], ip, caller_out);
		return MDB_STEP_CALLER;
	}
	return MDB_STEP_NONE;
}

static void
look_ahead(struct mdb_unwind *u, struct candidates *c)
{
	const struct mdb_regs *regs = &u->frame.regs;
	uint64_t off = regs->r[MDB_R_BP] - regs->r[MDB_R_SP];
	struct mdb_flow_places places;

	mdb_flow_ahead(u, u->frame.pc,
		mdb_reg_known(regs, MDB_R_BP) && off < MDB_UNWIND_MAX_FRAME,
		(int64_t)off, &places);
	add_places(u, &places, true, c);
}

enum mdb_unwind_step
mdb_flow_step(struct mdb_unwind *u, struct mdb_caller *caller_out)
{
	struct mdb_flow_function function;
	struct mdb_flow_places places;
	struct candidates c = { 0 };
	enum mdb_unwind_step step;

	if (!u->object || !mdb_flow_function(u, mdb_frame_lookup_pc(&u->frame),
				  &function))
		return MDB_STEP_NONE;
	if (mdb_unwind_is_xen_64(u->world) && u->frame.pc_is_return &&
		is_at_top(u, u->frame.regs.r[MDB_R_SP]))
		return end_at_top(u, u->frame.regs.r[MDB_R_SP], caller_out);
	if (mdb_unwind_is_xen_64(u->world) && slot_of_table(u, &c.slots[0]))
		c.nr = 1;
	mdb_flow_to(u, &function, u->frame.pc, &places);
	add_places(u, &places, false, &c);
	step = try_all(u, &function, &c, caller_out);
	if (step == MDB_STEP_NONE && mdb_unwind_is_xen_64(u->world)) {
		look_ahead(u, &c);
		step = try_all(u, &function, &c, caller_out);
	}
	if (step == MDB_STEP_NONE && mdb_unwind_is_xen_64(u->world))
		step = try_xen(u, &function, &c, caller_out);
	return step;
}

/*
 * Code that keeps frame pointers says by them where its frame is; a caller that
 * cannot have called it is a guess.  In other code bp may hold anything: then
 * only the jump to an address that is no code is left.
 */
enum mdb_unwind_step
mdb_xen_frameptr_step(struct mdb_unwind *u, struct mdb_caller *caller_out)
{
	struct mdb_flow_function function;
	enum mdb_unwind_step step;

	if (u->object && !u->world->keeps_frame_pointers)
		return MDB_STEP_NONE;
	step = mdb_frameptr_step(u, caller_out);
	if (step != MDB_STEP_CALLER || caller_out->is_regs || !u->object)
		return step;
	if (!mdb_flow_function(u, mdb_frame_lookup_pc(&u->frame), &function) ||
		mdb_reach(u, caller_out->regs.r[MDB_R_IP], &function) ==
			MDB_REACH_NO)
		caller_out->guess = true;
	return step;
}
