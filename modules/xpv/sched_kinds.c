/* SPDX-License-Identifier: MIT */
/*
 * The schedulers: credit (xen/common/sched/credit.c), credit2, rtds (rt.c),
 * null; 4.14 to 4.20.
 *
 * Each hangs a structure of its own at struct sched_unit.priv, another at
 * struct sched_resource.sched_priv, a third at struct scheduler.sched_data.
 */
#include "sched.h"

#include <inttypes.h>
#include <string.h>

static const char *
add(struct mdb_ctx *cx, const char *text, const char *more)
{
	if (*more == '\0')
		return text;
	return *text == '\0' ? more : mdb_tmp_printf(cx, "%s, %s", text, more);
}

/* A member that this Xen may lack. */
static bool
get(struct mdb_ctx *cx, struct mdb_loc loc, const char *type, const char *names,
	uint64_t *out)
{
	if (xpv_member(cx, loc, type, names, out) == MDB_OK)
		return true;
	mdb_forget(cx);
	return false;
}

/* How sure all of these members are; all are there. */
static enum mdb_trust
worst_of(struct mdb_ctx *cx, struct mdb_world *world, const char *type,
	const char *members)
{
	enum mdb_trust worst = MDB_TRUST_EXACT, t;

	for (; *members != '\0'; members += strlen(members) + 1) {
		t = mdb_member_trust(cx, world, type, members);
		if (t > worst)
			worst = t;
	}
	return worst;
}

/* The same of those that are read where they are there. */
static enum mdb_trust
worse(struct mdb_ctx *cx, struct mdb_world *world, const char *type,
	const char *members, enum mdb_trust worst)
{
	enum mdb_trust t;

	for (; *members != '\0'; members += strlen(members) + 1) {
		t = mdb_member_trust(cx, world, type, members);
		if (t != MDB_TRUST_REFUTED && t > worst)
			worst = t;
	}
	return worst;
}

/* The units on a list of a scheduler's own structures. */
struct list {
	const char *type, *place;
	sched_queued_fn *fn;
	void *arg;
};

static enum mdb_status
list_one(struct mdb_ctx *cx, struct mdb_loc loc, void *arg)
{
	const struct list *l = arg;
	struct mdb_loc unit;
	enum mdb_status st = xpv_member_ptr(cx, loc, l->type, "unit\0", &unit);

	return st == MDB_OK ? l->fn(cx, unit, l->place, l->arg) : st;
}

static enum mdb_status
each(struct mdb_ctx *cx, struct mdb_loc head, const char *links,
	const struct list *l)
{
	struct list copy = *l;
	uint64_t offset;
	enum mdb_status st =
		mdb_offset_of(cx, head.world, l->type, links, &offset);

	return st == MDB_OK
		       ? xpv_each_in_list(cx, head, offset, list_one, &copy)
		       : st;
}

/* ---- credit2 ------------------------------------------------------------- */

#define CREDIT2_UNIT "struct csched2_unit"
#define CREDIT2_QUEUE "struct csched2_runqueue_data"

static const struct xpv_bit credit2_bits[] = {
	{ 1u << 1, "scheduled" },
	{ 1u << 2, "delayed_runq_add" },
	{ 1u << 3, "runq_migrate_request" },
	{ 1u << 4, "yield" },
	{ 1u << 5, "pinned" },
	{ 0, NULL },
};

static enum mdb_status
credit2_unit(struct mdb_ctx *cx, const struct sched_unit *u,
	struct sched_info *i)
{
	struct mdb_loc loc = mdb_at(u->loc, u->priv), queue, sdom;
	uint64_t v, cap;
	enum mdb_status st = xpv_member(cx, loc, CREDIT2_UNIT, "credit\0", &v);

	if (st == MDB_OK)
		st = xpv_member(cx, loc, CREDIT2_UNIT, "weight\0", &i->weight);
	if (st == MDB_OK)
		st = xpv_member_ptr(cx, loc, CREDIT2_UNIT, "rqd\0", &queue);
	if (st != MDB_OK)
		return st;
	i->trust = worst_of(cx, u->loc.world, CREDIT2_UNIT,
		"credit\0weight\0flags\0");
	i->credit = (int64_t)v;
	i->has_credit = i->has_weight = true;
	i->queue = queue.addr;
	if (get(cx, loc, CREDIT2_UNIT, "flags\0", &v))
		i->detail = xpv_bits_text(cx, credit2_bits, v);
	if (xpv_member_ptr(cx, loc, CREDIT2_UNIT, "sdom\0", &sdom) != MDB_OK ||
		sdom.addr == 0) {
		mdb_forget(cx);
		return MDB_OK;
	}
	i->trust = worse(cx, u->loc.world, CREDIT2_UNIT, "sdom\0budget\0",
		worse(cx, u->loc.world, "struct csched2_dom", "cap\0",
			i->trust));
	if (get(cx, sdom, "struct csched2_dom", "cap\0", &cap) && cap != 0) {
		i->detail = add(cx, i->detail,
			mdb_tmp_printf(cx, "cap %" PRIu64 "%%", cap));
		if (get(cx, loc, CREDIT2_UNIT, "budget\0", &v))
			i->detail = add(cx, i->detail,
				mdb_tmp_printf(cx, "budget %" PRId64 " ns",
					(int64_t)v));
	}
	return MDB_OK;
}

/* Until 4.14 a CPU has its queue's number, later a pointer to it. */
static enum mdb_status
credit2_queue(struct mdb_ctx *cx, const struct sched_place *p,
	mdb_addr_t *queue_out)
{
	struct mdb_loc pcpu = mdb_kernel_loc(p->world, p->sched_priv), queue;
	enum mdb_status st = xpv_member_ptr(cx, pcpu, "struct csched2_pcpu",
		"rqd\0", &queue);

	if (st == MDB_OK)
		*queue_out = queue.addr;
	return st;
}

static enum mdb_status
credit2_queued(struct mdb_ctx *cx, const struct sched_place *p,
	mdb_addr_t queue, sched_queued_fn *fn, void *arg)
{
	const struct list l = { CREDIT2_UNIT, "queued", fn, arg };
	struct mdb_loc head;
	enum mdb_status st = xpv_member_loc(cx, mdb_kernel_loc(p->world, queue),
		CREDIT2_QUEUE, "runq\0", &head);

	return st == MDB_OK ? each(cx, head, "runq_elem\0", &l) : st;
}

static const char *
credit2_text(struct mdb_ctx *cx, const struct sched_place *p, mdb_addr_t queue,
	enum mdb_trust *trust_out)
{
	struct mdb_loc loc = mdb_kernel_loc(p->world, queue);
	struct mdb_loc prv = mdb_kernel_loc(p->world, p->sched_data);
	uint64_t id, load, average, shift;
	const char *text = "", *cpus;

	if (get(cx, loc, CREDIT2_QUEUE, "id\0", &id))
		text = mdb_tmp_printf(cx, "runqueue %" PRId64, (int64_t)id);
	if (xpv_member_cpus(cx, loc, CREDIT2_QUEUE, "active\0", &cpus) ==
		MDB_OK)
		text = add(cx, text, mdb_tmp_printf(cx, "CPUs %s", cpus));
	mdb_forget(cx);
	if (xpv_member_cpus(cx, loc, CREDIT2_QUEUE, "idle\0", &cpus) == MDB_OK)
		text = add(cx, text, mdb_tmp_printf(cx, "idle %s", cpus));
	mdb_forget(cx);
	if (get(cx, loc, CREDIT2_QUEUE, "load\0", &load))
		text = add(cx, text,
			mdb_tmp_printf(cx, "load %" PRId64, (int64_t)load));
	if (get(cx, loc, CREDIT2_QUEUE, "avgload\0", &average) &&
		get(cx, prv, "struct csched2_private", "load_precision_shift\0",
			&shift) &&
		shift > 0 && shift < 32)
		text = add(cx, text,
			mdb_tmp_printf(cx, "average ~%" PRIu64 "%%",
				(average * 100) >> shift));
	*trust_out = worse(cx, p->world, CREDIT2_QUEUE,
		"id\0active\0idle\0load\0avgload\0",
		worse(cx, p->world, "struct csched2_private",
			"load_precision_shift\0", MDB_TRUST_EXACT));
	return text;
}

/* ---- credit -------------------------------------------------------------- */

#define CREDIT_UNIT "struct csched_unit"

/* Numbers, not masks: CSCHED_FLAG_UNIT_* are given to set_bit(). */
static const struct xpv_bit credit_bits[] = {
	{ 1u << 0, "parked" },
	{ 1u << 1, "yield" },
	{ 1u << 2, "migrating" },
	{ 1u << 4, "pinned" },
	{ 0, NULL },
};

static const char *
credit_priority(struct mdb_ctx *cx, int64_t pri)
{
	switch (pri) {
	case 0:
		return "boost";
	case -1:
		return "under";
	case -2:
		return "over";
	case -64:
		return "idle";
	default:
		return mdb_tmp_printf(cx, "priority %" PRId64, pri);
	}
}

static enum mdb_status
credit_unit(struct mdb_ctx *cx, const struct sched_unit *u,
	struct sched_info *i)
{
	struct mdb_loc loc = mdb_at(u->loc, u->priv), sdom;
	uint64_t v, pri;
	enum mdb_status st = xpv_member(cx, loc, CREDIT_UNIT, "credit\0", &v);

	if (st == MDB_OK)
		st = xpv_member(cx, loc, CREDIT_UNIT, "pri\0", &pri);
	if (st != MDB_OK)
		return st;
	i->trust =
		worst_of(cx, u->loc.world, CREDIT_UNIT, "credit\0pri\0flags\0");
	i->credit = (int64_t)v;
	i->has_credit = true;
	i->detail = credit_priority(cx, (int64_t)pri);
	if (get(cx, loc, CREDIT_UNIT, "flags\0", &v))
		i->detail =
			add(cx, i->detail, xpv_bits_text(cx, credit_bits, v));
	if (xpv_member_ptr(cx, loc, CREDIT_UNIT, "sdom\0", &sdom) != MDB_OK)
		sdom.addr = 0;
	mdb_forget(cx);
	if (sdom.addr == 0)
		return MDB_OK;
	i->trust = worse(cx, u->loc.world, CREDIT_UNIT, "sdom\0",
		worse(cx, u->loc.world, "struct csched_dom", "weight\0cap\0",
			i->trust));
	i->has_weight =
		get(cx, sdom, "struct csched_dom", "weight\0", &i->weight);
	if (get(cx, sdom, "struct csched_dom", "cap\0", &v) && v != 0)
		i->detail = add(cx, i->detail,
			mdb_tmp_printf(cx, "cap %" PRIu64 "%%", v));
	return MDB_OK;
}

/* Each CPU has its own. */
static enum mdb_status
own_queue(struct mdb_ctx *cx, const struct sched_place *p,
	mdb_addr_t *queue_out)
{
	(void)cx;
	*queue_out = p->sched_priv;
	return MDB_OK;
}

static enum mdb_status
credit_queued(struct mdb_ctx *cx, const struct sched_place *p, mdb_addr_t queue,
	sched_queued_fn *fn, void *arg)
{
	const struct list l = { CREDIT_UNIT, "queued", fn, arg };
	struct mdb_loc head;
	enum mdb_status st = xpv_member_loc(cx, mdb_kernel_loc(p->world, queue),
		"struct csched_pcpu", "runq\0", &head);

	return st == MDB_OK ? each(cx, head, "runq_elem\0", &l) : st;
}

/* ---- rtds ---------------------------------------------------------------- */

#define RT_UNIT "struct rt_unit"

static const struct xpv_bit rt_bits[] = {
	{ 1u << 1, "scheduled" },
	{ 1u << 2, "delayed_runq_add" },
	{ 1u << 3, "depleted" },
	{ 1u << 4, "extratime" },
	{ 0, NULL },
};

static enum mdb_status
rt_unit(struct mdb_ctx *cx, const struct sched_unit *u, struct sched_info *i)
{
	struct mdb_loc loc = mdb_at(u->loc, u->priv);
	uint64_t period, budget, left, deadline, flags;
	enum mdb_status st = xpv_member(cx, loc, RT_UNIT, "period\0", &period);

	if (st == MDB_OK)
		st = xpv_member(cx, loc, RT_UNIT, "budget\0", &budget);
	if (st == MDB_OK)
		st = xpv_member(cx, loc, RT_UNIT, "cur_budget\0", &left);
	if (st == MDB_OK)
		st = xpv_member(cx, loc, RT_UNIT, "cur_deadline\0", &deadline);
	if (st == MDB_OK)
		st = xpv_member(cx, loc, RT_UNIT, "flags\0", &flags);
	if (st != MDB_OK)
		return st;
	i->trust = worst_of(cx, u->loc.world, RT_UNIT,
		"period\0budget\0cur_budget\0cur_deadline\0flags\0");
	i->detail = add(cx, xpv_bits_text(cx, rt_bits, flags),
		mdb_tmp_printf(cx,
			"%" PRId64 " of %" PRIu64 " ns in %" PRIu64
			", deadline %" PRIu64 ".%09" PRIu64,
			(int64_t)left, budget, period, deadline / 1000000000,
			deadline % 1000000000));
	return MDB_OK;
}

/* One for all CPUs. */
static enum mdb_status
common_queue(struct mdb_ctx *cx, const struct sched_place *p,
	mdb_addr_t *queue_out)
{
	(void)cx;
	*queue_out = p->sched_data;
	return MDB_OK;
}

static enum mdb_status
rt_queued(struct mdb_ctx *cx, const struct sched_place *p, mdb_addr_t queue,
	sched_queued_fn *fn, void *arg)
{
	struct list l = { RT_UNIT, "queued", fn, arg };
	struct mdb_loc prv = mdb_kernel_loc(p->world, queue), head;
	enum mdb_status st =
		xpv_member_loc(cx, prv, "struct rt_private", "runq\0", &head);

	if (st == MDB_OK)
		st = each(cx, head, "q_elem\0", &l);
	if (st == MDB_OK)
		st = xpv_member_loc(cx, prv, "struct rt_private", "depletedq\0",
			&head);
	l.place = "depleted";
	return st == MDB_OK ? each(cx, head, "q_elem\0", &l) : st;
}

/* ---- null ---------------------------------------------------------------- */

static enum mdb_status
null_unit(struct mdb_ctx *cx, const struct sched_unit *u, struct sched_info *i)
{
	(void)cx;
	(void)u;
	(void)i;
	return MDB_OK;
}

/* Those to which no CPU belongs. */
static enum mdb_status
null_queued(struct mdb_ctx *cx, const struct sched_place *p, mdb_addr_t queue,
	sched_queued_fn *fn, void *arg)
{
	const struct list l = { "struct null_unit", "waiting", fn, arg };
	struct mdb_loc head;
	enum mdb_status st = xpv_member_loc(cx, mdb_kernel_loc(p->world, queue),
		"struct null_private", "waitq\0", &head);

	return st == MDB_OK ? each(cx, head, "waitq_elem\0", &l) : st;
}

/* -------------------------------------------------------------------------- */

static const struct sched_kind kinds[] = {
	{ "credit2", credit2_unit, credit2_queue, credit2_queued,
		credit2_text },
	{ "credit", credit_unit, own_queue, credit_queued, NULL },
	{ "rtds", rt_unit, common_queue, rt_queued, NULL },
	{ "null", null_unit, common_queue, null_queued, NULL },
};

const struct sched_kind *
sched_kind_find(const char *opt_name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].opt_name, opt_name) == 0)
			return &kinds[i];
	return NULL;
}
