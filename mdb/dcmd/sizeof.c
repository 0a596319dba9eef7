/* SPDX-License-Identifier: MIT */
/* ::sizeof and ::offsetof. */
#include "mdb/dcmd/print.h"
#include "mdb/dcmd/typed.h"

#include <inttypes.h>

static enum mdb_status
answer(struct mdb_ctx *cx, const char *what, const char *text, uint64_t value)
{
	struct mdb_loc loc = { .world = mdb_world_current(cx), .addr = value };

	if (mdb_is_piped(cx))
		return mdb_emit_loc(cx, loc);
	return mdb_tree_leaf(cx, NULL, what, text, mdb_v_hex(value));
}

enum mdb_status
mdb_dcmd_sizeof(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_type type;
	struct mdb_member m = { 0 };
	enum mdb_status st;
	uint64_t size;
	int used;

	st = mdb_operand_type(cx, call, 0, &type, &used);
	if (st != MDB_OK)
		return st;
	if (call->argc > used + 1)
		return mdb_fail(cx, MDB_E_USAGE, "too many operands");
	m.type = type;
	if (used < call->argc)
		st = mdb_type_member(cx, type, call->argv[used], &m);
	if (st == MDB_OK)
		st = mdb_type_size(cx, mdb_type_complete(m.type), &size);
	if (st != MDB_OK)
		return st;
	const char *what = mdb_type_name(cx, type);
	what = used < call->argc ? mdb_tmp_printf(cx, "sizeof (%s->%s)", what,
					   call->argv[used])
				 : mdb_tmp_printf(cx, "sizeof (%s)", what);
	return answer(cx, what, mdb_tmp_printf(cx, "%#" PRIx64, size), size);
}

enum mdb_status
mdb_dcmd_offsetof(struct mdb_ctx *cx, const struct mdb_call *call)
{
	const char *name, *text;
	struct mdb_type type;
	struct mdb_member m;
	enum mdb_status st;
	uint64_t size = 0;
	int used;

	st = mdb_operand_type(cx, call, 0, &type, &used);
	if (st != MDB_OK)
		return st;
	if (call->argc != used + 1)
		return mdb_fail(cx, MDB_E_USAGE, "one member is needed");
	name = call->argv[used];
	st = mdb_type_member(cx, type, name, &m);
	if (st == MDB_OK)
		st = mdb_type_size(cx, m.type, &size);
	if (st != MDB_OK)
		return st;
	text = mdb_tmp_printf(cx, "%#" PRIx64, m.bit_offset / 8);
	if (m.bit_offset % 8)
		text = mdb_tmp_printf(cx, "%s.%u", text,
			(unsigned int)(m.bit_offset % 8));
	if (m.nr_bits)
		text = mdb_tmp_printf(cx, "%s, sizeof (...->%s) = %u bits",
			text, name, m.nr_bits);
	else
		text = mdb_tmp_printf(cx, "%s, sizeof (...->%s) = %#" PRIx64,
			text, name, size);
	return answer(cx,
		mdb_tmp_printf(cx, "offsetof (%s, %s)", mdb_type_name(cx, type),
			name),
		text, m.bit_offset / 8);
}
