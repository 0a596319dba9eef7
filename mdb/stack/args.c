/* SPDX-License-Identifier: MIT */
/*
 * Arguments of functions on i386.  They lie above the return address, and how
 * many there are is told by the instruction that the function returns to:
 * the caller takes them off with `popl` (one) or `addl $n,%esp`.  One that
 * does so later, or never, tells nothing.
 */
#include "mdb/stack/dis.h"
#include "mdb/stack/unwind.h"

#include "mdb/base/endian.h"

#define REG_SP 4 /* as the processor numbers it */

static size_t
count_at(struct mdb_world *world, mdb_addr_t pc)
{
	uint8_t code[MDB_INSN_MAX];
	struct mdb_insn insn;
	size_t len = sizeof(code);

	/* The page behind need not be there. */
	while (len > 0 && mdb_space_try(world->space, pc, code, len) != MDB_OK)
		len /= 2;
	if (len == 0)
		return 0;
	mdb_insn_decode(code, len, pc, 32, &insn);
	if (insn.kind == MDB_INSN_POP && insn.reg != REG_SP)
		return 1;
	/* Only the two forms of add: a lea moves the pointer for itself. */
	if (insn.kind == MDB_INSN_SP_ADD && insn.has_sp_delta &&
		insn.sp_delta > 0 && (code[0] == 0x83 || code[0] == 0x81))
		return (size_t)insn.sp_delta / 4;
	return 0;
}

size_t
mdb_frame_args(const struct mdb_frame *f, size_t max, uint64_t *args_out)
{
	struct mdb_world *w = f->world;
	uint8_t word[4];
	size_t count;

	if (w->arch->isa != MDB_ISA_I386 || !w->space || f->guess ||
		f->kind == MDB_FRAME_USER || f->cfa != f->fp + 8 ||
		mdb_space_try(w->space, f->fp + 4, word, 4) != MDB_OK)
		return 0;
	count = count_at(w, mdb_le32(word));
	if (count > max)
		count = max;
	for (size_t i = 0; i < count; i++) {
		if (mdb_space_try(w->space, f->cfa + 4 * i, word, 4) != MDB_OK)
			return i;
		args_out[i] = mdb_le32(word);
	}
	return count;
}
