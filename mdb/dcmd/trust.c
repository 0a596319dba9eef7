/* SPDX-License-Identifier: MIT */
/* ::trust: how sure the members of a structure are. */
#include "mdb/base/ctx.h"
#include "mdb/dcmd/dcmd.h"
#include "mdb/dcmd/print.h"
#include "mdb/world/world.h"

#include <mdb/module.h>
#include <mdb/out.h>

#include <string.h>

static const struct mdb_column columns[] = {
	{ "offset", "OFFSET", 6, 0, 0, "of the member, in bytes" },
	{ "trust", "TRUST", 8, MDB_COL_LEFT, 0,
		"exact, proven, unproven or refuted" },
	{ "member", "MEMBER", 0, MDB_COL_LEFT, 0, "its name" },
	{ 0 },
};

static const struct mdb_table table = { "trust", columns, 0, NULL };

static const char *
trust_name(enum mdb_trust trust)
{
	switch (trust) {
	case MDB_TRUST_EXACT:
		return "exact";
	case MDB_TRUST_PROVEN:
		return "proven";
	case MDB_TRUST_UNPROVEN:
		return "unproven";
	case MDB_TRUST_REFUTED:
		break;
	}
	return "refuted";
}

static enum mdb_status
state(struct mdb_ctx *cx, struct mdb_world *world, const char *type_name,
	const struct mdb_member *m)
{
	enum mdb_trust trust = mdb_member_trust(cx, world, type_name, m->name);
	struct mdb_value values[] = {
		mdb_v_hex(m->bit_offset / 8),
		mdb_v_text(trust_name(trust)),
		mdb_v_str(m->name, strlen(m->name)),
	};

	return mdb_row(cx, &table, values);
}

static bool
has_types(const struct mdb_world *w, const struct mdb_types *types)
{
	for (const struct mdb_object *o = w->objects; o; o = o->next)
		if (o->types == types)
			return true;
	return false;
}

/* The members of the hypervisor's type, or of the current world's. */
static enum mdb_status
run(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_world *world = mdb_world_current(cx), *w = NULL;
	struct mdb_type type;
	struct mdb_member m;
	enum mdb_status st;
	const char *name;
	int used;

	st = mdb_operand_type(cx, call, 0, &type, &used);
	if (st != MDB_OK)
		return st;
	if (used < call->argc)
		return mdb_fail(cx, MDB_E_USAGE, "too many operands");
	/* Whose type it is says whom to ask. */
	while ((w = mdb_world_next(cx, w)) != NULL)
		if (has_types(w, type.types))
			world = w;
	type = mdb_type_resolve(type);
	name = mdb_type_name(cx, type);
	for (size_t i = 0; i < mdb_type_nr_members(type); i++) {
		st = mdb_type_member_at(cx, type, i, &m);
		if (st == MDB_OK && m.name[0] != '\0')
			st = state(cx, world, name, &m);
		if (st != MDB_OK)
			return st;
	}
	return MDB_OK;
}

static const struct mdb_example examples[] = {
	{ "::trust struct vcpu", "which members of a vCPU are where they are "
				 "said to be" },
	{ 0 },
};

const struct mdb_dcmd mdb_dcmds_trust[] = {
	{
		.name = "trust",
		.summary = "say how sure the members of a structure are",
		.help = "Types of a hypervisor may be those of another build "
			"of its version. The dump then proves members or "
			"refutes them: `proven` were seen to hold what only "
			"they can hold, or lie between such without a gap; "
			"`refuted` are not where they should be, or are "
			"in a structure that changed; of `unproven` nothing "
			"is known, and values from them are marked with `?`. "
			"Types that came with the system are `exact`.",
		.operands = "type",
		.table = &table,
		.examples = examples,
		.run = run,
	},
	{ 0 },
};
