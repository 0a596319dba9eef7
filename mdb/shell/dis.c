/* SPDX-License-Identifier: MIT */
/* The disassembler, with the target's bytes and names. */
#include "mdb/shell/dis.h"

#include "mdb/stack/dis.h"
#include "mdb/world/world.h"

#include <stdio.h>

struct names {
	struct mdb_ctx *cx;
	struct mdb_loc loc; /* of the instruction */
};

/* Only for what lies inside an object: any number may be asked about. */
static size_t
name_of(void *arg, uint64_t addr, char *buf, size_t len)
{
	const struct names *names = arg;
	struct mdb_loc loc = mdb_at(names->loc, addr);
	struct mdb_sym sym;
	int n;

	if (mdb_object_by_addr(names->cx, loc) == NULL ||
		mdb_sym_by_addr(names->cx, loc, false, &sym) != MDB_OK) {
		mdb_forget(names->cx);
		return 0;
	}
	n = snprintf(buf, len, "%s", mdb_sym_format(names->cx, loc));
	return n < 0 ? 0 : (size_t)n;
}

enum mdb_status
mdb_session_dis(struct mdb_ctx *cx, struct mdb_loc loc, char *buf, size_t len,
	size_t *insn_len_out)
{
	struct names names = { cx, loc };
	uint8_t bytes[MDB_INSN_MAX];
	struct mdb_insn insn;
	enum mdb_status st;
	size_t nr;

	st = mdb_read_some(cx, loc, bytes, sizeof(bytes), &nr);
	if (st != MDB_OK)
		return st;
	mdb_insn_decode(bytes, nr, loc.addr,
		8 * (unsigned int)mdb_world_word(loc.world), &insn);
	if (insn.truncated)
		return mdb_read(cx, loc, bytes, sizeof(bytes));
	(void)mdb_insn_format(&insn, name_of, &names, buf, len);
	*insn_len_out = insn.len;
	return MDB_OK;
}
