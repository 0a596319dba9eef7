/* SPDX-License-Identifier: MIT */
/* Load objects: ::objects, ::mappings, $m. */
#include "mdb/dcmd/dcmd.h"
#include "mdb/world/world.h"

#include <inttypes.h>
#include <string.h>

static const struct mdb_column object_columns[] = {
	{ "base", "BASE", MDB_WIDTH_ADDR, MDB_COL_PIPE, 0, "of its text" },
	{ "limit", "LIMIT", MDB_WIDTH_ADDR, 0, 0, "end of its text" },
	{ "size", "SIZE", MDB_WIDTH_ADDR, 0, 0, "of its text, in bytes" },
	{ "name", "NAME", 0, MDB_COL_LEFT, 0, "of the object" },
	{ "world", NULL, 0, MDB_COL_JSON_ONLY, 0, "whose object it is" },
	{ "memory", NULL, 0, MDB_COL_JSON_ONLY, 0,
		"bytes of all its parts; 0: not known" },
	{ "build_id", NULL, 0, MDB_COL_JSON_ONLY, 0, "if it states one" },
	{ 0 },
};
static const struct mdb_table object_table = { .name = "objects",
	.columns = object_columns };

static const struct mdb_column version_columns[] = {
	{ "name", "NAME", 28, MDB_COL_LEFT, 0, "of the object" },
	{ "types", "TYPES", 5, MDB_COL_LEFT, 0, "are its types known" },
	{ "unwind", "UNWIND", 6, MDB_COL_LEFT, 0, "and its unwind tables" },
	{ "build_id", "BUILD ID", 0, MDB_COL_LEFT, 0, "in hex" },
	{ 0 },
};
static const struct mdb_table version_table = { .name = "versions",
	.columns = version_columns };

static enum mdb_status
print_object(struct mdb_ctx *cx, const struct mdb_object_info *info)
{
	const struct mdb_value values[] = {
		mdb_v_addr(mdb_kernel_loc(info->world, info->base)),
		mdb_v_addr(mdb_kernel_loc(info->world, info->end)),
		mdb_v_hex(info->end - info->base),
		mdb_v_cstr(info->name),
		mdb_v_text(mdb_world_name(info->world)),
		mdb_v_uint(info->size),
		mdb_v_cstr(info->build_id),
	};

	return mdb_row(cx, &object_table, values);
}

/* What a dump embeds is only known when it was looked at; Linux' modules,
 * whose types cost much to read, say where theirs are. */
static bool
has_types(struct mdb_ctx *cx, struct mdb_object *object,
	const struct mdb_object_info *info)
{
	bool has = info->has_types;

	if (!has && mdb_world_kind(info->world) != MDB_WORLD_LINUX)
		has = mdb_object_types(cx, object) != NULL;
	mdb_forget(cx);
	return has;
}

static enum mdb_status
print_version(struct mdb_ctx *cx, struct mdb_object *object,
	const struct mdb_object_info *info)
{
	const struct mdb_value values[] = {
		mdb_v_cstr(info->name),
		mdb_v_bool(has_types(cx, object, info)),
		mdb_v_bool(info->has_unwind),
		mdb_v_cstr(info->build_id),
	};

	return mdb_row(cx, &version_table, values);
}

struct choice {
	const struct mdb_call *call;
	bool found;
};

static bool
is_chosen(const struct choice *c, const struct mdb_object_info *info)
{
	const struct mdb_call *call = c->call;

	if (call->has_addr)
		return call->loc.world == info->world &&
		       call->loc.addr >= info->base &&
		       call->loc.addr < info->end;
	return call->argc == 0 || strcmp(call->argv[0], info->name) == 0;
}

static enum mdb_status
take_object(struct mdb_ctx *cx, struct mdb_object *object, void *arg)
{
	struct choice *c = arg;
	struct mdb_object_info info;

	mdb_object_info(object, &info);
	if (!is_chosen(c, &info))
		return MDB_OK;
	c->found = true;
	return mdb_opt(c->call, 'v') ? print_version(cx, object, &info)
				     : print_object(cx, &info);
}

static enum mdb_status
run_objects(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct choice c = { .call = call };
	enum mdb_status st;

	if (call->argc > 1)
		return mdb_fail(cx, MDB_E_USAGE, "name one object");
	st = mdb_object_each(cx, NULL, take_object, &c);
	if (st != MDB_OK || c.found)
		return st;
	if (call->has_addr)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"0x%" PRIx64 " is in no object's text", call->loc.addr);
	if (call->argc > 0)
		return mdb_fail(cx, MDB_E_NOTFOUND, "no object '%s'",
			call->argv[0]);
	return mdb_fail(cx, MDB_E_NOTFOUND, "no kernel was found in this dump");
}

static const struct mdb_option object_options[] = {
	{ 'v', MDB_OPT_FLAG, NULL, "what is known of each" },
	{ 0 },
};

const struct mdb_dcmd mdb_dcmds_objects[] = {
	{
		.name = "objects",
		.operands = "[name]",
		.summary = "print load objects information",
		.help = "Lists the objects of all worlds: each kernel, then "
			"its modules.",
		.options = object_options,
		.table = &object_table,
		.run = run_objects,
	},
	{
		.name = "mappings",
		.operands = "[name]",
		.summary = "print address space mappings",
		.help = "Lists the objects, or the one of that name, or the "
			"one whose text holds the address.",
		.addr = MDB_ADDR_OPTIONAL,
		.table = &object_table,
		.run = run_objects,
	},
	{
		.name = "$m",
		.operands = "[name]",
		.summary = "print address space mappings",
		.addr = MDB_ADDR_OPTIONAL,
		.table = &object_table,
		.run = run_objects,
	},
	{ 0 },
};
