/* SPDX-License-Identifier: MIT */
/*
 * One step by ORC: from the registers of a frame and its entry to the
 * registers of the caller.  An entry whose base register is not known, or
 * whose type says that nothing is known, is no answer; what it leads to is
 * checked by the driver.
 */
#include "mdb/stack/unwind.h"

#define WORD 8ull

static bool
reg_of_base(const struct mdb_unwind *u, enum mdb_orc_base base,
	uint64_t *value_out)
{
	static const int8_t regs[MDB_ORC_BASE_BAD + 1] = {
		[MDB_ORC_BASE_UNDEFINED] = -1,
		[MDB_ORC_BASE_PREV_SP] = -1,
		[MDB_ORC_BASE_AX] = MDB_R_AX,
		[MDB_ORC_BASE_DX] = MDB_R_DX,
		[MDB_ORC_BASE_DI] = MDB_R_DI,
		[MDB_ORC_BASE_BP] = MDB_R_BP,
		[MDB_ORC_BASE_SP] = MDB_R_SP,
		[MDB_ORC_BASE_R10] = MDB_R_10,
		[MDB_ORC_BASE_R13] = MDB_R_13,
		[MDB_ORC_BASE_BP_INDIRECT] = MDB_R_BP,
		[MDB_ORC_BASE_SP_INDIRECT] = MDB_R_SP,
		[MDB_ORC_BASE_BAD] = -1,
	};

	if (regs[base] < 0 || !mdb_reg_known(&u->frame.regs, regs[base]))
		return false;
	*value_out = u->frame.regs.r[regs[base]];
	return true;
}

/* The caller's sp, before what the type adds. */
static enum mdb_unwind_step
find_cfa(struct mdb_unwind *u, const struct mdb_orc_entry *e,
	mdb_addr_t *cfa_out)
{
	uint64_t offset = (uint64_t)(int64_t)e->sp_offset;
	uint64_t base, value;

	if (!reg_of_base(u, e->sp_base, &base))
		return MDB_STEP_NONE;
	switch (e->sp_base) {
	case MDB_ORC_BASE_BP_INDIRECT: /* the word at bp + offset */
		if (mdb_unwind_word(u, base + offset, &value) != MDB_OK)
			return mdb_unwind_end_unread(u, base + offset);
		*cfa_out = value;
		return MDB_STEP_CALLER;
	case MDB_ORC_BASE_SP_INDIRECT: /* the word at sp, plus offset */
		if (mdb_unwind_word(u, base, &value) != MDB_OK)
			return mdb_unwind_end_unread(u, base);
		*cfa_out = value + offset;
		return MDB_STEP_CALLER;
	default:
		*cfa_out = base + offset;
		return MDB_STEP_CALLER;
	}
}

static void
restore_bp(struct mdb_unwind *u, const struct mdb_orc_entry *e,
	struct mdb_caller *c)
{
	uint64_t offset = (uint64_t)(int64_t)e->bp_offset;
	mdb_addr_t addr;
	uint64_t bp;

	if (e->bp_base == MDB_ORC_BASE_UNDEFINED) {
		if (mdb_reg_known(&u->frame.regs, MDB_R_BP))
			mdb_reg_set(&c->regs, MDB_R_BP,
				u->frame.regs.r[MDB_R_BP]);
		return;
	}
	if (e->bp_base == MDB_ORC_BASE_PREV_SP)
		addr = c->cfa + offset;
	else if (e->bp_base == MDB_ORC_BASE_BP &&
		 mdb_reg_known(&u->frame.regs, MDB_R_BP))
		addr = u->frame.regs.r[MDB_R_BP] + offset;
	else
		return;
	if (mdb_unwind_word(u, addr, &bp) == MDB_OK)
		mdb_reg_set(&c->regs, MDB_R_BP, bp);
}

static enum mdb_unwind_step
call_step(struct mdb_unwind *u, const struct mdb_orc_entry *e, mdb_addr_t cfa,
	struct mdb_caller *caller_out)
{
	struct mdb_caller c = { .cfa = cfa,
		.fp = cfa - 2 * WORD,
		.literal = e->signal,
		.switches = e->sp_base == MDB_ORC_BASE_SP_INDIRECT ||
			    e->sp_base == MDB_ORC_BASE_BP_INDIRECT,
		.framed = e->sp_base == MDB_ORC_BASE_BP };
	uint64_t ip;

	if (mdb_unwind_word(u, cfa - WORD, &ip) != MDB_OK)
		return mdb_unwind_end_unread(u, cfa - WORD);
	c.regs = u->frame.regs;
	mdb_regs_keep_system(&c.regs);
	mdb_reg_set(&c.regs, MDB_R_IP, ip);
	mdb_reg_set(&c.regs, MDB_R_SP, cfa);
	restore_bp(u, e, &c);
	*caller_out = c;
	return MDB_STEP_CALLER;
}

static enum mdb_unwind_step
regs_step(struct mdb_unwind *u, const struct mdb_orc_entry *e, mdb_addr_t cfa,
	struct mdb_caller *caller_out)
{
	bool partial = e->type == MDB_ORC_REGS_PARTIAL;
	mdb_addr_t addr =
		cfa - (partial ? mdb_regs_ip_offset(u->world->arch) : 0);
	enum mdb_unwind_step step =
		mdb_unwind_through_regs(u, addr, partial, caller_out);

	if (step == MDB_STEP_NONE)
		return mdb_unwind_end(u, MDB_END_NO_REGS,
			"what lies at 0x%llx cannot be saved registers",
			(unsigned long long)addr);
	return step;
}

static bool
lookup(struct mdb_unwind *u, struct mdb_orc_entry *entry_out)
{
	mdb_addr_t ip = mdb_frame_lookup_pc(&u->frame);

	if (u->world->arch->isa != MDB_ISA_X86_64 || !u->object)
		return false;
	return mdb_orc_find(mdb_unwind_table_of(u->object)->orc, ip,
		       entry_out) == MDB_OK;
}

enum mdb_unwind_step
mdb_orc_step(struct mdb_unwind *u, struct mdb_caller *caller_out)
{
	struct mdb_orc_entry e;
	mdb_addr_t cfa = 0;
	enum mdb_unwind_step step;

	if (!lookup(u, &e) || e.type == MDB_ORC_UNDEFINED)
		return MDB_STEP_NONE;
	if (e.type == MDB_ORC_END) {
		step = mdb_entry_step(u, caller_out);
		return step == MDB_STEP_NONE
			       ? mdb_unwind_end(u, MDB_END_ENTRY, NULL)
			       : step;
	}
	step = find_cfa(u, &e, &cfa);
	if (step != MDB_STEP_CALLER)
		return step;
	if (e.type == MDB_ORC_CALL)
		return call_step(u, &e, cfa, caller_out);
	return regs_step(u, &e, cfa, caller_out);
}
