/* SPDX-License-Identifier: MIT */
/*
 * The last resort: the nearest word up the stack that a call returns to.
 * It may be left from a call that ended long ago, so each is a guess.
 */
#include "mdb/stack/unwind.h"

#define MAX_WORDS 2048

static bool
is_candidate(struct mdb_unwind *u, uint64_t value)
{
	const struct mdb_object *object = mdb_unwind_object(u, value);

	/* Without objects anything with a call before it may be code. */
	if (!object && u->world->objects)
		return false;
	return mdb_unwind_check_call(u, value) == MDB_CALL_YES;
}

static enum mdb_unwind_step
take(struct mdb_unwind *u, mdb_addr_t addr, uint64_t ip,
	struct mdb_caller *caller_out)
{
	size_t word = u->world->arch->word;
	struct mdb_caller c = { .cfa = addr + word,
		.fp = addr - word,
		.guess = true };

	c.regs = u->frame.regs;
	mdb_regs_keep_system(&c.regs);
	mdb_reg_set(&c.regs, MDB_R_IP, ip);
	mdb_reg_set(&c.regs, MDB_R_SP, c.cfa);
	*caller_out = c;
	return MDB_STEP_CALLER;
}

enum mdb_unwind_step
mdb_scan_step(struct mdb_unwind *u, struct mdb_caller *caller_out)
{
	size_t word = u->world->arch->word;
	mdb_addr_t addr = u->frame.regs.r[MDB_R_SP];

	for (int i = 0; i < MAX_WORDS; i++, addr += word) {
		uint64_t value;

		if (u->on_known_stack && addr >= u->stack.high)
			break;
		if (mdb_unwind_word(u, addr, &value) != MDB_OK) {
			if (i == 0)
				return mdb_unwind_end_unread(u, addr);
			break;
		}
		if (is_candidate(u, value))
			return take(u, addr, value, caller_out);
	}
	return mdb_unwind_end(u, MDB_END_NO_UNWIND,
		"nothing says what called 0x%llx, and no return address "
		"is recognised further up the stack",
		(unsigned long long)u->frame.pc);
}
