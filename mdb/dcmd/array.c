/* SPDX-License-Identifier: MIT */
/* ::array: the address of each element. */
#include "mdb/dcmd/print.h"
#include "mdb/dcmd/typed.h"

#include <inttypes.h>

enum mdb_status
mdb_dcmd_array(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_loc loc = call->loc;
	struct mdb_type type;
	enum mdb_status st;
	uint64_t count = 0, size = 0;
	int used = 0;

	if (call->argc <= 1) {
		st = mdb_implied_type(cx, call, &type);
		if (st == MDB_OK &&
			mdb_type_kind(mdb_type_resolve(type)) == MDB_T_ARRAY) {
			count = mdb_type_array_count(type);
			type = mdb_type_target(mdb_type_resolve(type));
		} else if (st == MDB_OK && !call->argc) {
			st = mdb_fail(cx, MDB_E_USAGE, "a count is needed");
		}
	} else {
		st = mdb_operand_type(cx, call, 0, &type, &used);
	}
	if (st == MDB_OK && used < call->argc)
		st = used + 1 == call->argc
			     ? mdb_eval_expr(cx, call->argv[used], &count)
			     : mdb_fail(cx, MDB_E_USAGE, "a type and a count");
	else if (st == MDB_OK && used)
		st = mdb_fail(cx, MDB_E_USAGE, "a count is needed");
	if (st == MDB_OK)
		st = mdb_type_size(cx, mdb_type_complete(type), &size);
	if (st == MDB_OK && !size)
		st = mdb_fail(cx, MDB_E_USAGE, "\"%s\" has no bytes",
			mdb_type_name(cx, type));
	for (uint64_t i = 0; st == MDB_OK && i < count; i++) {
		loc.addr = call->loc.addr + i * size;
		st = mdb_emit_loc(cx, loc);
	}
	return st;
}
