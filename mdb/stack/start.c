/* SPDX-License-Identifier: MIT */
/*
 * Where a walk starts that begins at a frame's address: at registers that an
 * exception saved there, or at a saved frame pointer and a return address.
 */
#include "mdb/stack/unwind.h"

#include "mdb/base/ctx.h"

#include <inttypes.h>
#include <string.h>

static enum mdb_status
regs_of_pair(struct mdb_unwind *u, mdb_addr_t addr, struct mdb_regs *regs)
{
	size_t word = u->world->arch->word;
	uint64_t bp, ip;

	if (mdb_unwind_word(u, addr, &bp) != MDB_OK ||
		mdb_unwind_word(u, addr + word, &ip) != MDB_OK) {
		(void)mdb_unwind_end_unread(u, addr);
		return mdb_fail(u->cx, MDB_E_UNMAPPED, "%s", u->why);
	}
	if (mdb_unwind_check_call(u, ip) == MDB_CALL_NO ||
		(u->world->objects && !mdb_unwind_object(u, ip)))
		return mdb_fail(u->cx, MDB_E_CORRUPT,
			"no frame at 0x%" PRIx64 ": 0x%" PRIx64
			" is no return address",
			addr, ip);
	mdb_reg_set(regs, MDB_R_IP, ip);
	mdb_reg_set(regs, MDB_R_SP, addr + 2 * word);
	/* Anything may lie where code without frame pointers saves nothing. */
	if ((bp > addr && bp - addr < MDB_UNWIND_MAX_FRAME) ||
		u->world->keeps_frame_pointers)
		mdb_reg_set(regs, MDB_R_BP, bp);
	return MDB_OK;
}

enum mdb_status
mdb_unwind_regs_at(struct mdb_ctx *cx, struct mdb_loc loc,
	struct mdb_unwind_start *start_out)
{
	struct mdb_unwind_start start = { .world = loc.world };
	struct mdb_unwind u;
	enum mdb_status st;

	memset(&u, 0, offsetof(struct mdb_unwind, window));
	u.cx = cx;
	u.world = loc.world;
	st = mdb_unwind_has_linux_entries(loc.world)
		     ? mdb_unwind_read_regs(&u, loc.addr, false, &start.regs)
		     : MDB_E_CORRUPT;
	if (st != MDB_OK) {
		start.regs = (struct mdb_regs){ 0 };
		start.is_return = true;
		st = regs_of_pair(&u, loc.addr, &start.regs);
	}
	if (st == MDB_OK)
		*start_out = start;
	return st;
}
