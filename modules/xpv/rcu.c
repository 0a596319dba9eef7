/* SPDX-License-Identifier: MIT */
/*
 * ::rcu: batches of read-copy-update and which CPUs hold them up
 * (xen/common/rcupdate.c, 4.14 to 4.20).
 *
 * rcu_ctrlblk counts batches.  Batch cur is done when each CPU of cpumask has
 * passed a quiescent state; completed is the last one done.  Callbacks wait on
 * a CPU's nxtlist for a batch to be started, on curlist for it to be done, on
 * donelist to be called.
 */
#include "xpv.h"

#include <inttypes.h>

const struct mdb_option xpv_rcu_options[] = {
	{ 'v', MDB_OPT_FLAG, NULL, "each callback that waits" },
	{ 0 },
};

static const struct mdb_column columns[] = {
	{ "cpu", "CPU", 4, 0, 0, "number of the processor" },
	{ "addr", "RCU_DATA", MDB_WIDTH_ADDR,
		MDB_COL_LEFT | MDB_COL_PIPE | MDB_COL_ZERO, 0,
		"its struct rcu_data" },
	{ "quiescbatch", "QBATCH", 10, 0, 0,
		"batch for which it looks out for a quiescent state" },
	{ "qs_pending", "QS", 3, MDB_COL_LEFT, 0,
		"yes: it has not passed one yet" },
	{ "batch", "BATCH", 10, 0, 0, "batch that curlist waits for" },
	{ "qlen", "QLEN", 6, 0, 0, "callbacks queued" },
	{ "next", "NEXT", 5, 0, 0, "of these, waiting for a new batch" },
	{ "current", "CUR", 5, 0, 0, "waiting for the batch to be done" },
	{ "done", "DONE", 5, 0, 0, "to be called" },
	{ "holds_up", "STATE", 0, MDB_COL_LEFT, 0,
		"whether the current batch waits for it" },
	{ NULL },
};

const struct mdb_table xpv_rcu_table = { .name = "rcu", .columns = columns };

static const struct mdb_column callback_columns[] = {
	{ "head", NULL, MDB_WIDTH_ADDR, MDB_COL_LEFT | MDB_COL_ZERO, 0,
		"its struct rcu_head" },
	{ "list", NULL, 4, MDB_COL_LEFT, 0, "on which list" },
	{ "function", NULL, 0, MDB_COL_LEFT, 0, "what is called" },
	{ NULL },
};

static const struct mdb_table callback_table = { .name = "callbacks",
	.columns = callback_columns,
	.indent = 5 };

const struct mdb_example xpv_rcu_examples[] = {
	{ "::rcu", "the batch, and each CPU" },
	{ "::rcu -v", "with the callbacks that wait" },
	{ NULL },
};

struct ctrl {
	struct mdb_loc loc;
	int64_t cur, completed;
	uint64_t next_pending;
	const char *mask, *idle;
	enum mdb_trust trust; /* of all that, the worst */
};

struct data {
	int64_t quiescbatch, batch, qlen;
	int32_t qs_pending, cpu;
	mdb_addr_t nxtlist, curlist, donelist;
};

enum {
	F_QUIESCBATCH,
	F_BATCH,
	F_QLEN,
	F_QS_PENDING,
	F_NEXT = 5, /* behind the CPU */
	F_CURRENT,
	F_DONE,
};

static const struct mdb_field data_fields[] = {
	[F_QUIESCBATCH] = MDB_FIELD(struct data, quiescbatch, "quiescbatch"),
	[F_BATCH] = MDB_FIELD(struct data, batch, "batch"),
	[F_QLEN] = MDB_FIELD(struct data, qlen, "qlen"),
	[F_QS_PENDING] = MDB_FIELD(struct data, qs_pending, "qs_pending"),
	MDB_FIELD(struct data, cpu, "cpu"),
	[F_NEXT] = MDB_FIELD(struct data, nxtlist, "nxtlist"),
	[F_CURRENT] = MDB_FIELD(struct data, curlist, "curlist"),
	[F_DONE] = MDB_FIELD(struct data, donelist, "donelist"),
	MDB_FIELD_END,
};
static const struct mdb_shape data_shape = { "struct rcu_data", data_fields };

static enum mdb_trust
ctrl_trust(struct mdb_ctx *cx, struct mdb_world *world, const char *type)
{
	static const char *const names[] = { "cur\0", "completed\0",
		"next_pending\0", "cpumask\0", "idle_cpumask\0" };
	enum mdb_trust worst = MDB_TRUST_EXACT, t;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		t = xpv_member_trust(cx, world, type, names[i]);
		if (t != MDB_TRUST_REFUTED && t > worst)
			worst = t;
	}
	return worst;
}

static enum mdb_status
ctrl_read(struct mdb_ctx *cx, struct mdb_world *world, struct ctrl *c)
{
	static const char type[] = "struct rcu_ctrlblk";
	uint64_t cur, completed;
	enum mdb_status st = xpv_var_loc(cx, world, "rcu_ctrlblk", &c->loc);

	if (st == MDB_OK)
		st = xpv_member(cx, c->loc, type, "cur\0", &cur);
	if (st == MDB_OK)
		st = xpv_member(cx, c->loc, type, "completed\0", &completed);
	if (st == MDB_OK)
		st = xpv_member(cx, c->loc, type, "next_pending\0",
			&c->next_pending);
	if (st == MDB_OK)
		st = xpv_member_cpus(cx, c->loc, type, "cpumask\0", &c->mask);
	if (st != MDB_OK)
		return st;
	c->cur = (int64_t)cur;
	c->completed = (int64_t)completed;
	/* One is started when the last is done, so they differ by 1 at most. */
	if (c->cur - c->completed < 0 || c->cur - c->completed > 1)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"batch %" PRId64 " cannot follow batch %" PRId64,
			c->cur, c->completed);
	if (xpv_member_cpus(cx, c->loc, type, "idle_cpumask\0", &c->idle) !=
		MDB_OK) {
		mdb_forget(cx);
		c->idle = "(unknown)";
	}
	c->trust = ctrl_trust(cx, world, type);
	return MDB_OK;
}

static enum mdb_status
ctrl_line(struct mdb_ctx *cx, const struct ctrl *c)
{
	const char *mark = c->trust == MDB_TRUST_UNPROVEN ? "?" : "";

	if (c->cur == c->completed)
		return mdb_line(cx,
			"batch %" PRId64 "%s is done; %s; idle CPUs: %s%s",
			c->cur, mark,
			c->next_pending ? "another is wanted"
					: "no other is wanted",
			c->idle, mark);
	return mdb_line(cx,
		"batch %" PRId64 "%s waits for CPUs: %s%s%s; idle CPUs: %s%s",
		c->cur, mark, c->mask, mark,
		c->next_pending ? "; another is wanted" : "", c->idle, mark);
}

/* Does the batch wait for the CPU? */
static bool
is_in_mask(struct mdb_ctx *cx, const struct ctrl *c, int cpu)
{
	struct mdb_loc mask;
	uint64_t byte;

	if (xpv_member_loc(cx, c->loc, "struct rcu_ctrlblk", "cpumask\0",
		    &mask) == MDB_OK) {
		mask.addr += (uint64_t)cpu / 8;
		if (mdb_read_uint(cx, mask, 1, &byte) == MDB_OK)
			return (byte >> cpu % 8 & 1) != 0;
	}
	mdb_forget(cx);
	return false;
}

/* struct rcu_head { next, func }: how many are on a list; shown if wanted. */
static enum mdb_status
callbacks(struct mdb_ctx *cx, struct mdb_loc at, const char *name, bool show,
	uint64_t *count_out)
{
	size_t word = mdb_world_word(at.world);
	enum mdb_status st = MDB_OK;
	mdb_addr_t function, mark = 0;
	uint64_t power = 1;

	for (*count_out = 0; at.addr != 0 && st == MDB_OK; ++*count_out) {
		if (at.addr == mark)
			return mdb_fail(cx, MDB_E_CORRUPT,
				"the list %s comes back to %" PRIx64, name,
				mark);
		if (*count_out == power) {
			mark = at.addr;
			power *= 2;
		}
		if (show) {
			st = mdb_read_ptr(cx, mdb_at(at, at.addr + word),
				&function);
			struct mdb_value v[] = {
				mdb_v_addr(at),
				mdb_v_text(name),
				st == MDB_OK ? mdb_v_sym(mdb_at(at, function))
					     : mdb_v_error(st),
			};

			if (st == MDB_OK)
				st = mdb_subrow(cx, &callback_table, v);
		}
		if (st == MDB_OK)
			st = mdb_read_ptr(cx, at, &at.addr);
	}
	return st;
}

static struct mdb_value
count_cell(struct mdb_ctx *cx, struct mdb_loc at, const char *name)
{
	uint64_t n;
	enum mdb_status st = callbacks(cx, at, name, false, &n);

	if (st == MDB_OK)
		return mdb_v_uint(n);
	mdb_warn(cx, st, "callbacks on list %s", name);
	return mdb_v_error(st);
}

struct show {
	struct ctrl ctrl;
	bool verbose;
};

static enum mdb_status
row(struct mdb_ctx *cx, struct mdb_world *world, int cpu, void *arg)
{
	const struct show *s = arg;
	struct mdb_loc loc;
	struct data d = { 0 };
	uint64_t n;
	bool waits;
	enum mdb_status st = xpv_percpu_loc(cx, world, "rcu_data", cpu, &loc);

	if (st == MDB_OK)
		st = mdb_read_shape(cx, &data_shape, loc, &d);
	if (st == MDB_OK && d.cpu != cpu)
		st = mdb_fail(cx, MDB_E_CORRUPT,
			"rcu_data of CPU %d says that it is CPU %d's", cpu,
			d.cpu);
	if (st != MDB_OK)
		return st;
	waits = s->ctrl.cur != s->ctrl.completed &&
		is_in_mask(cx, &s->ctrl, cpu);
#define MEMBER(field, v) xpv_shape_cell(cx, world, &data_shape, F_##field, (v))
	struct mdb_value v[] = {
		mdb_v_int(cpu),
		mdb_v_addr(loc),
		MEMBER(QUIESCBATCH, mdb_v_int(d.quiescbatch)),
		MEMBER(QS_PENDING, mdb_v_bool(d.qs_pending != 0)),
		MEMBER(BATCH, mdb_v_int(d.batch)),
		MEMBER(QLEN, mdb_v_int(d.qlen)),
		MEMBER(NEXT, count_cell(cx, mdb_at(loc, d.nxtlist), "next")),
		MEMBER(CURRENT, count_cell(cx, mdb_at(loc, d.curlist), "cur")),
		MEMBER(DONE, count_cell(cx, mdb_at(loc, d.donelist), "done")),
		xpv_trusted(s->ctrl.trust,
			mdb_v_text(
				!waits ? "-"
				: d.qs_pending != 0
					? "the batch waits for it"
					: "the batch waits; it does not know yet")),
	};

	st = mdb_row(cx, &xpv_rcu_table, v);
	if (st != MDB_OK || !s->verbose)
		return st;
	st = callbacks(cx, mdb_at(loc, d.nxtlist), "next", true, &n);
	if (st == MDB_OK)
		st = callbacks(cx, mdb_at(loc, d.curlist), "cur", true, &n);
	if (st == MDB_OK)
		st = callbacks(cx, mdb_at(loc, d.donelist), "done", true, &n);
	return st;
}

enum mdb_status
xpv_rcu(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct show s = { .verbose = mdb_opt(call, 'v') };
	struct mdb_world *world;
	enum mdb_status st = xpv_world(cx, &world);

	if (st == MDB_OK)
		st = ctrl_read(cx, world, &s.ctrl);
	if (st == MDB_OK)
		st = ctrl_line(cx, &s.ctrl);
	return st == MDB_OK ? xpv_each_cpu(cx, world, row, &s) : st;
}
