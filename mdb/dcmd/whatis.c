/* SPDX-License-Identifier: MIT */
/*
 * ::whatis: what an address is.  The core knows symbols, objects and the
 * stacks of CPUs; then each module is asked.
 */
#include "mdb/base/ctx.h"
#include "mdb/dcmd/dcmd.h"
#include "mdb/shell/session.h"
#include "mdb/world/world.h"

#include <inttypes.h>
#include <string.h>

struct query {
	struct mdb_loc loc;
	bool found;
};

static const char *
section_of(const struct mdb_object *object, mdb_addr_t addr)
{
	for (size_t i = 0; i < object->nr_sections; i++)
		if (addr >= object->sections[i].start &&
			addr < object->sections[i].end)
			return object->sections[i].name;
	return "text";
}

static enum mdb_status
say_symbol(struct mdb_ctx *cx, struct query *q)
{
	struct mdb_object *object = mdb_object_by_addr(cx, q->loc);
	struct mdb_sym sym;
	const char *name = "";

	mdb_forget(cx);
	if (!object)
		return MDB_OK;
	if (mdb_sym_by_addr(cx, q->loc, false, &sym) == MDB_OK)
		name = mdb_sym_format(cx, q->loc);
	mdb_forget(cx);
	q->found = true;
	return mdb_line(cx, "%" PRIx64 " is %s%sin %s's %s segment",
		q->loc.addr, mdb_escape(cx, name, strlen(name)),
		name[0] ? ", " : "",
		mdb_escape(cx, object->name, strlen(object->name)),
		section_of(object, q->loc.addr));
}

static enum mdb_status
say_stack(struct mdb_ctx *cx, struct query *q)
{
	const struct mdb_world_ops *ops = q->loc.world->ops;
	struct mdb_stack_range range;
	enum mdb_status st = MDB_E_NOTFOUND;

	if (ops && ops->stack_range)
		st = ops->stack_range(cx, q->loc.world, q->loc.addr, &range);
	mdb_forget(cx);
	if (st != MDB_OK)
		return MDB_OK;
	q->found = true;
	if (range.cpu < 0)
		return mdb_line(cx,
			"%" PRIx64 " is %" PRIx64 "+%" PRIx64
			", in the %s stack",
			q->loc.addr, range.low, q->loc.addr - range.low,
			range.name);
	return mdb_line(cx,
		"%" PRIx64 " is %" PRIx64 "+%" PRIx64
		", in the %s stack of CPU %d",
		q->loc.addr, range.low, q->loc.addr - range.low, range.name,
		range.cpu);
}

static enum mdb_status
ask_modules(struct mdb_ctx *cx, struct query *q)
{
	const struct mdb_registry *r = &cx->session->registry;
	enum mdb_status st = MDB_OK;

	for (size_t i = 0; i < r->nr_modules && st == MDB_OK; i++)
		if (r->modules[i]->whatis)
			st = r->modules[i]->whatis(cx, q->loc, &q->found);
	return st;
}

static enum mdb_status
run(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct query q = { .loc = call->loc };
	enum mdb_status st = MDB_OK;

	if (!q.loc.space) {
		st = say_symbol(cx, &q);
		if (st == MDB_OK && !q.found)
			st = say_stack(cx, &q);
	}
	if (st == MDB_OK && (!q.found || mdb_opt(call, 'a')))
		st = ask_modules(cx, &q);
	if (st == MDB_OK && !q.found)
		st = mdb_line(cx, "%" PRIx64 " is unknown", q.loc.addr);
	return st;
}

static const struct mdb_option options[] = {
	{ 'a', MDB_OPT_FLAG, NULL, "all answers, not only the first" },
	{ 0 },
};

static const struct mdb_example examples[] = {
	{ "<rsp::whatis", "whose stack that is" },
	{ 0 },
};

const struct mdb_dcmd mdb_dcmds_whatis[] = {
	{
		.name = "whatis",
		.summary = "say what an address is",
		.help = "Names the symbol, object, stack, per-CPU variable or "
			"allocation that the address lies in.",
		.addr = MDB_ADDR_REQUIRED,
		.addr_what = "address",
		.options = options,
		.examples = examples,
		.run = run,
	},
	{ 0 },
};
