/* SPDX-License-Identifier: MIT */
/* ::enum: the names and values of an enumeration. */
#include "mdb/dcmd/print.h"
#include "mdb/dcmd/typed.h"

#include <inttypes.h>
#include <string.h>

static const struct mdb_column enum_columns[] = {
	{ .name = "value",
		.heading = "VALUE",
		.width = 11,
		.help = "the number that stands for it" },
	{ .name = "name",
		.heading = "NAME",
		.flags = MDB_COL_LEFT,
		.help = "the name" },
	{ 0 },
};
const struct mdb_table mdb_table_enum = { .name = "enum",
	.columns = enum_columns };

static const struct mdb_column hex_columns[] = {
	{ .name = "value",
		.heading = "VALUE",
		.width = 8,
		.help = "the number that stands for it" },
	{ .name = "name",
		.heading = "NAME",
		.flags = MDB_COL_LEFT,
		.help = "the name" },
	{ 0 },
};
static const struct mdb_table hex_table = { .name = "enum",
	.columns = hex_columns };

static enum mdb_status
state_one(struct mdb_ctx *cx, const struct mdb_call *call,
	const struct mdb_enumerator *e)
{
	bool hex = mdb_opt(call, 'x');
	struct mdb_loc loc = { .world = mdb_world_current(cx),
		.addr = (uint64_t)e->value };
	const struct mdb_value values[] = {
		hex ? mdb_v_hex((uint64_t)e->value) : mdb_v_int(e->value),
		mdb_v_cstr(e->name),
	};

	if (mdb_is_piped(cx))
		return mdb_emit_loc(cx, loc);
	return mdb_row(cx, hex ? &hex_table : &mdb_table_enum, values);
}

/* An operand that is no name is a value. */
static enum mdb_status
is_wanted(struct mdb_ctx *cx, struct mdb_type type, const char *text,
	const char **name_out, uint64_t *value_out)
{
	size_t nr = mdb_type_nr_enumerators(type);

	*name_out = NULL;
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(mdb_type_enumerator_at(type, i).name, text))
			*name_out = text;
	return *name_out ? MDB_OK : mdb_eval_expr(cx, text, value_out);
}

enum mdb_status
mdb_dcmd_enum(struct mdb_ctx *cx, const struct mdb_call *call)
{
	const char *name = NULL;
	struct mdb_type type;
	uint64_t value = 0;
	enum mdb_status st;
	bool found = false;
	int used;

	st = mdb_operand_type(cx, call, 0, &type, &used);
	if (st != MDB_OK)
		return st;
	if (mdb_type_kind(mdb_type_resolve(type)) != MDB_T_ENUM)
		return mdb_fail(cx, MDB_E_USAGE, "\"%s\" is no enumeration",
			mdb_type_name(cx, type));
	if (call->argc > used + 1)
		return mdb_fail(cx, MDB_E_USAGE, "too many operands");
	bool all = used == call->argc;
	if (!all)
		st = is_wanted(cx, type, call->argv[used], &name, &value);
	size_t nr = mdb_type_nr_enumerators(type);
	for (size_t i = 0; i < nr && st == MDB_OK; i++) {
		struct mdb_enumerator e = mdb_type_enumerator_at(type, i);

		if (!all && (name ? strcmp(e.name, name) != 0
				  : (uint64_t)e.value != value))
			continue;
		found = true;
		st = state_one(cx, call, &e);
	}
	if (st == MDB_OK && !found && !all)
		return mdb_fail(cx, MDB_E_NOTFOUND, "\"%s\" has no %s",
			mdb_type_name(cx, type), call->argv[used]);
	return st;
}
