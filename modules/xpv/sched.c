/* SPDX-License-Identifier: MIT */
/*
 * ::xensched and the walker runq: who runs, who waits, by CPU pool.
 *
 * A CPU has a struct sched_resource: its pool, its scheduler, the unit (of one
 * vcpu or, with core scheduling, several) that it runs
 * (xen/common/sched/private.h; 4.14 to 4.20).  Pools are those of the CPUs: no
 * list is needed to find them.
 */
#include "sched.h"

#include <inttypes.h>
#include <string.h>

const struct mdb_option xpv_sched_options[] = {
	{ 'v', MDB_OPT_FLAG, NULL, "also the units that neither run nor wait" },
	XPV_OPTION_DOMAIN,
	{ 0 },
};

static const struct mdb_column columns[] = {
	{ "pool", "POOL", MDB_WIDTH_ADDR,
		MDB_COL_LEFT | MDB_COL_PIPE | MDB_COL_ZERO, 0,
		"its struct cpupool" },
	{ "id", "ID", 3, 0, 0, "number of the pool" },
	{ "cpus", "CPUS", 12, MDB_COL_LEFT, 0, "its processors" },
	{ "domains", "DOMS", 4, 0, 0, "how many domains it has" },
	{ "granularity", "GRAN", 4, 0, 0, "processors that are one to it" },
	{ "scheduler", "SCHEDULER", 0, MDB_COL_LEFT, 0, "its scheduler" },
	{ NULL },
};

const struct mdb_table xpv_sched_table = { .name = "pools",
	.columns = columns };

static const struct mdb_column unit_columns[] = {
	{ "unit", "UNIT", MDB_WIDTH_ADDR, MDB_COL_LEFT | MDB_COL_ZERO, 0,
		"the struct sched_unit" },
	{ "vcpu", NULL, 0, MDB_COL_JSON_ONLY, 0, "its first struct vcpu" },
	{ "name", "VCPU", 8, MDB_COL_LEFT, 0, "the same as d0v1 or idle0" },
	{ "cpu", "CPU", 4, 0, 0, "processor that it is, or was, on" },
	{ "place", "PLACE", 10, MDB_COL_LEFT, 0,
		"running; queued, depleted, waiting and its turn; else its "
		"state" },
	{ "credit", "CREDIT", 10, 0, 0, "what the scheduler counts down" },
	{ "weight", "WEIGHT", 6, 0, 0, "its domain's share" },
	{ "for_ns", "FOR", 12, 0, 0,
		"seconds in its first vcpu's state, at least: as ::vcpu" },
	{ "detail", "DETAIL", 0, MDB_COL_LEFT, 0,
		"the scheduler's flags, caps, budgets" },
	{ NULL },
};

static const struct mdb_table unit_table = { .name = "units",
	.columns = unit_columns,
	.indent = 2 };

static const struct mdb_column queue_columns[] = {
	{ "queue", NULL, MDB_WIDTH_ADDR, MDB_COL_LEFT | MDB_COL_ZERO, 0,
		"where the queue is" },
	{ "text", NULL, 0, MDB_COL_LEFT, 0, "what the scheduler says of it" },
	{ NULL },
};

static const struct mdb_table queue_table = { .name = "queues",
	.columns = queue_columns,
	.indent = 2 };

const struct mdb_example xpv_sched_examples[] = {
	{ "::xensched", "what runs and waits, by pool" },
	{ "::xensched -v -d 0", "all of domain 0" },
	{ "::walk runq | ::vcpu", "the vcpus that wait for a processor" },
	{ NULL },
};

/* ---- reading ------------------------------------------------------------- */

static const struct mdb_field unit_fields[] = {
	MDB_FIELD(struct sched_unit, domain, "domain"),
	MDB_FIELD(struct sched_unit, vcpu, "vcpu_list"),
	MDB_FIELD(struct sched_unit, priv, "priv"),
	MDB_FIELD(struct sched_unit, res, "res"),
	MDB_FIELD(struct sched_unit, id, "unit_id"),
	MDB_FIELD(struct sched_unit, is_running, "is_running"),
	MDB_FIELD_END,
};
static const struct mdb_shape unit_shape = { "struct sched_unit", unit_fields };

enum mdb_status
sched_unit_read(struct mdb_ctx *cx, struct mdb_loc loc, struct sched_unit *u)
{
	struct mdb_loc back;
	enum mdb_status st = mdb_read_shape(cx, &unit_shape, loc, u);

	u->loc = loc;
	if (st == MDB_OK)
		st = xpv_member_ptr(cx, mdb_at(loc, u->vcpu), "struct vcpu",
			"sched_unit\0", &back);
	if (st == MDB_OK && back.addr != loc.addr)
		st = mdb_fail(cx, MDB_E_CORRUPT,
			"its vcpu %" PRIx64 " is of unit %" PRIx64, u->vcpu,
			back.addr);
	return st == MDB_OK ? st
			    : mdb_context(cx, st, "scheduling unit %" PRIx64,
				      loc.addr);
}

/* A CPU as a scheduler has it. */
struct cpu {
	int cpu;
	mdb_addr_t res, pool, curr, idle, prev;
	uint32_t master;
	const char *opt_name, *name;
	const struct sched_kind *kind; /* NULL: not known */
	struct sched_place place;
};

struct resource {
	mdb_addr_t scheduler, pool, curr, idle, prev, priv;
	uint32_t master;
};

static const struct mdb_field resource_fields[] = {
	MDB_FIELD(struct resource, scheduler, "scheduler"),
	MDB_FIELD(struct resource, pool, "cpupool"),
	MDB_FIELD(struct resource, curr, "curr"),
	MDB_FIELD(struct resource, idle, "sched_unit_idle"),
	MDB_FIELD(struct resource, prev, "prev"),
	MDB_FIELD(struct resource, priv, "sched_priv"),
	MDB_FIELD(struct resource, master, "master_cpu"),
	MDB_FIELD_END,
};
static const struct mdb_shape resource_shape = { "struct sched_resource",
	resource_fields };

static enum mdb_status
name_of(struct mdb_ctx *cx, struct mdb_loc scheduler, const char *names,
	const char **text_out)
{
	char buf[64];
	struct mdb_loc loc;
	enum mdb_status st =
		xpv_member_ptr(cx, scheduler, "struct scheduler", names, &loc);

	if (st == MDB_OK)
		st = mdb_read_str(cx, loc, buf, sizeof(buf));
	if (st == MDB_OK)
		*text_out = mdb_escape(cx, buf, strlen(buf));
	return st;
}

static enum mdb_status
cpu_read(struct mdb_ctx *cx, struct mdb_world *world, int cpu, struct cpu *c)
{
	struct mdb_loc loc, scheduler, data;
	struct resource r;
	enum mdb_status st = xpv_percpu_loc(cx, world, "sched_res", cpu, &loc);

	if (st == MDB_OK)
		st = mdb_read_ptr(cx, loc, &loc.addr);
	if (st == MDB_OK)
		st = mdb_read_shape(cx, &resource_shape, loc, &r);
	if (st != MDB_OK)
		return mdb_context(cx, st, "the scheduler of CPU %d", cpu);
	scheduler = mdb_at(loc, r.scheduler);
	st = name_of(cx, scheduler, "name\0", &c->name);
	if (st == MDB_OK)
		st = name_of(cx, scheduler, "opt_name\0", &c->opt_name);
	if (st == MDB_OK)
		st = xpv_member_ptr(cx, scheduler, "struct scheduler",
			"sched_data\0", &data);
	if (st != MDB_OK)
		return mdb_context(cx, st, "the scheduler of CPU %d", cpu);
	c->cpu = cpu;
	c->res = loc.addr;
	c->pool = r.pool;
	c->curr = r.curr;
	c->idle = r.idle;
	c->prev = r.prev;
	c->master = r.master;
	c->kind = sched_kind_find(c->opt_name);
	c->place = (struct sched_place){ world, data.addr, r.priv };
	return MDB_OK;
}

struct cpus {
	struct cpu *list;
	size_t count, room;
};

static enum mdb_status
add_cpu(struct mdb_ctx *cx, struct mdb_world *world, int cpu, void *arg)
{
	struct cpus *s = arg;
	enum mdb_status st;

	if (s->count == s->room)
		return MDB_DONE;
	st = cpu_read(cx, world, cpu, &s->list[s->count]);
	if (st == MDB_OK) {
		s->count++;
	} else if (st != MDB_E_INTERRUPTED) {
		mdb_warn(cx, st, "CPU %d is left out", cpu);
		st = MDB_OK;
	}
	return st;
}

static enum mdb_status
cpus_read(struct mdb_ctx *cx, struct mdb_world *world, struct cpus *s)
{
	s->count = 0;
	s->room = mdb_nr_cpu_ids(world);
	s->list = mdb_tmp(cx, (s->room + 1) * sizeof(*s->list));
	return xpv_each_cpu(cx, world, add_cpu, s);
}

/* ---- units --------------------------------------------------------------- */

struct show {
	const struct mdb_call *call;
	const struct sched_kind *kind;
	unsigned int turn;
};

/*
 * The unit's own state_entry_time is of its last change of CPU, some time after
 * the decision, and tells nothing of a wait that began later.
 */
static struct mdb_value
for_cell(struct mdb_ctx *cx, const struct sched_unit *u)
{
	struct xpv_vcpu v;
	enum mdb_status st = xpv_vcpu_read(cx, mdb_at(u->loc, u->vcpu), &v);

	if (st == MDB_OK)
		return xpv_for_cell(cx, &v);
	mdb_forget(cx);
	return mdb_v_error(st);
}

static struct mdb_value
place_cell(struct mdb_ctx *cx, const struct sched_unit *u, const char *place)
{
	struct xpv_vcpu v;
	enum mdb_status st;

	if (place != NULL)
		return mdb_v_text(place);
	st = xpv_vcpu_read(cx, mdb_at(u->loc, u->vcpu), &v);
	if (st == MDB_OK)
		return xpv_trusted(xpv_vcpu_state_trust(cx, &v),
			mdb_v_text(xpv_state_name(&v)));
	mdb_forget(cx);
	return mdb_v_error(st);
}

/* The number of the CPU of a struct sched_resource. */
static struct mdb_value
cpu_cell(struct mdb_ctx *cx, const struct sched_unit *u)
{
	uint64_t cpu;
	enum mdb_status st = xpv_member(cx, mdb_at(u->loc, u->res),
		"struct sched_resource", "master_cpu\0", &cpu);

	if (st == MDB_OK)
		return xpv_trusted(xpv_member_trust(cx, u->loc.world,
					   "struct sched_resource",
					   "master_cpu\0"),
			mdb_v_uint(cpu));
	mdb_forget(cx);
	return mdb_v_error(st);
}

static bool
is_wanted(struct mdb_ctx *cx, const struct show *s, const struct sched_unit *u)
{
	uint64_t id;

	if (!mdb_opt(s->call, 'd'))
		return true;
	if (xpv_member(cx, mdb_at(u->loc, u->domain), "struct domain",
		    "domain_id\0", &id) == MDB_OK)
		return id == mdb_opt_uint(s->call, 'd', 0);
	mdb_forget(cx);
	return true;
}

/* place NULL: what the vcpu's state says. */
static enum mdb_status
show_unit(struct mdb_ctx *cx, const struct show *s, const struct sched_unit *u,
	const char *place, bool idle)
{
	struct sched_info i = { .detail = "", .trust = MDB_TRUST_EXACT };
	struct mdb_loc vcpu = mdb_at(u->loc, u->vcpu);
	enum mdb_status st = MDB_OK;

	if (!is_wanted(cx, s, u))
		return MDB_OK;
	if (!idle && s->kind != NULL && u->priv != 0)
		st = s->kind->unit(cx, u, &i);
	mdb_forget(cx);
	struct mdb_value v[] = {
		mdb_v_addr(u->loc),
		mdb_v_addr(vcpu),
		mdb_v_text(xpv_vcpu_name_at(cx, vcpu)),
		cpu_cell(cx, u),
		place_cell(cx, u, place),
		st != MDB_OK   ? mdb_v_error(st)
		: i.has_credit ? xpv_trusted(i.trust, mdb_v_int(i.credit))
			       : mdb_v_none(),
		st != MDB_OK   ? mdb_v_error(st)
		: i.has_weight ? xpv_trusted(i.trust, mdb_v_uint(i.weight))
			       : mdb_v_none(),
		for_cell(cx, u),
		*i.detail != '\0' ? xpv_trusted(i.trust, mdb_v_text(i.detail))
				  : mdb_v_none(),
	};

	return mdb_subrow(cx, &unit_table, v);
}

static enum mdb_status
show_running(struct mdb_ctx *cx, const struct show *s, const struct cpu *c)
{
	struct sched_unit u;
	enum mdb_status st;

	if (c->cpu != (int)c->master)
		return MDB_OK;
	st = sched_unit_read(cx, mdb_kernel_loc(c->place.world, c->curr), &u);
	if (st == MDB_OK)
		return show_unit(cx, s, &u, "running", c->curr == c->idle);
	mdb_warn(cx, st, "what CPU %d runs", c->cpu);
	return MDB_OK;
}

static enum mdb_status
show_queued(struct mdb_ctx *cx, struct mdb_loc loc, const char *place,
	void *arg)
{
	struct show *s = arg;
	struct sched_unit u;
	enum mdb_status st = sched_unit_read(cx, loc, &u);

	if (st == MDB_OK)
		return show_unit(cx, s, &u,
			mdb_tmp_printf(cx, "%s %u", place, ++s->turn), false);
	mdb_warn(cx, st, "number %u of the queue", ++s->turn);
	return MDB_OK;
}

/* Has a CPU before this one the same queue? */
static bool
queue_is_new(struct mdb_ctx *cx, const struct cpus *cpus, size_t at,
	mdb_addr_t queue)
{
	for (size_t i = 0; i < at; i++) {
		const struct cpu *c = &cpus->list[i];
		mdb_addr_t other;

		if (c->pool != cpus->list[at].pool || c->kind == NULL)
			continue;
		if (c->kind->queue(cx, &c->place, &other) != MDB_OK)
			mdb_forget(cx);
		else if (other == queue)
			return false;
	}
	return true;
}

/* Calls fn for each unit of the queue of the CPU, once for each queue. */
static enum mdb_status
each_queued(struct mdb_ctx *cx, const struct cpus *cpus, size_t at,
	sched_queued_fn *fn, struct show *show, void *arg)
{
	const struct cpu *c = &cpus->list[at];
	mdb_addr_t queue;
	enum mdb_status st;

	if (c->kind == NULL || c->cpu != (int)c->master)
		return MDB_OK;
	st = c->kind->queue(cx, &c->place, &queue);
	if (st == MDB_OK && !queue_is_new(cx, cpus, at, queue))
		return MDB_OK;
	if (st == MDB_OK && show != NULL && c->kind->queue_text != NULL) {
		enum mdb_trust trust = MDB_TRUST_EXACT;
		const char *text =
			c->kind->queue_text(cx, &c->place, queue, &trust);
		struct mdb_value v[] = {
			mdb_v_addr(mdb_kernel_loc(c->place.world, queue)),
			xpv_trusted(trust, mdb_v_text(text)),
		};

		st = mdb_subrow(cx, &queue_table, v);
	}
	if (show != NULL)
		show->turn = 0;
	if (st == MDB_OK)
		st = c->kind->queued(cx, &c->place, queue, fn, arg);
	if (st == MDB_OK || st == MDB_DONE || st == MDB_E_INTERRUPTED)
		return st;
	mdb_warn(cx, st, "the run queue of CPU %d", c->cpu);
	return MDB_OK;
}

/* ---- those that neither run nor wait ------------------------------------- */

struct rest {
	const struct show *show;
	mdb_addr_t pool;
};

/* RUNSTATE_running and RUNSTATE_runnable were; of a state that is not known
 * only the first can be told. */
static bool
was_shown(const struct sched_unit *u, const struct xpv_vcpu *v)
{
	return v->has_state ? v->state <= 1 : u->is_running != 0;
}

static enum mdb_status
rest_of_domain(struct mdb_ctx *cx, struct mdb_loc loc, void *arg)
{
	const struct rest *r = arg;
	struct mdb_loc pool, at;
	struct sched_unit u;
	struct xpv_vcpu v;
	enum mdb_status st =
		xpv_member_ptr(cx, loc, "struct domain", "cpupool\0", &pool);

	if (st == MDB_OK)
		st = xpv_member_ptr(cx, loc, "struct domain",
			"sched_unit_list\0", &at);
	if (st != MDB_OK || pool.addr != r->pool)
		return st;
	for (uint32_t n = 0; at.addr != 0 && st == MDB_OK; n++) {
		if (n > XPV_MAX_VCPUS)
			return mdb_fail(cx, MDB_E_CORRUPT,
				"the list of units does not end");
		st = sched_unit_read(cx, at, &u);
		if (st == MDB_OK)
			st = xpv_vcpu_read(cx, mdb_at(at, u.vcpu), &v);
		if (st == MDB_OK && !was_shown(&u, &v))
			st = show_unit(cx, r->show, &u, NULL, false);
		if (st == MDB_OK)
			st = xpv_member_ptr(cx, at, "struct sched_unit",
				"next_in_list\0", &at);
	}
	return st;
}

/* ---- pools --------------------------------------------------------------- */

static struct mdb_value
number_cell(struct mdb_ctx *cx, struct mdb_loc pool, const char *names)
{
	uint64_t v;
	enum mdb_status st;

	if (pool.addr == 0)
		return mdb_v_none();
	st = xpv_member(cx, pool, "struct cpupool", names, &v);
	if (st == MDB_OK)
		return xpv_trusted(xpv_member_trust(cx, pool.world,
					   "struct cpupool", names),
			mdb_v_uint(v));
	mdb_forget(cx);
	return st == MDB_E_NOTFOUND ? mdb_v_none() : mdb_v_error(st);
}

static enum mdb_status
pool_row(struct mdb_ctx *cx, const struct cpu *c)
{
	struct mdb_loc pool = mdb_kernel_loc(c->place.world, c->pool);
	struct mdb_value v[] = {
		c->pool != 0 ? mdb_v_addr(pool) : mdb_v_none(),
		number_cell(cx, pool, "cpupool_id\0"),
		c->pool != 0 ? xpv_cpus_cell(cx, pool, "struct cpupool",
				       "cpu_valid\0")
			     : mdb_v_text("in no pool"),
		number_cell(cx, pool, "n_dom\0"),
		number_cell(cx, pool, "sched_gran\0granularity\0"),
		mdb_v_text(mdb_tmp_printf(cx, "%s (%s)%s", c->name, c->opt_name,
			c->kind != NULL || c->pool == 0
				? ""
				: ": its queues are not known")),
	};

	mdb_heading_again(cx);
	return mdb_row(cx, &xpv_sched_table, v);
}

static enum mdb_status
show_pool(struct mdb_ctx *cx, const struct cpus *cpus, size_t first,
	struct show *s)
{
	const struct cpu *c = &cpus->list[first];
	struct rest rest = { s, c->pool };
	enum mdb_status st = pool_row(cx, c);

	s->kind = c->kind;
	for (size_t i = first; i < cpus->count && st == MDB_OK; i++)
		if (cpus->list[i].pool == c->pool)
			st = show_running(cx, s, &cpus->list[i]);
	for (size_t i = first; i < cpus->count && st == MDB_OK; i++)
		if (cpus->list[i].pool == c->pool)
			st = each_queued(cx, cpus, i, show_queued, s, s);
	if (st == MDB_OK && mdb_opt(s->call, 'v') && c->pool != 0)
		st = xpv_each_domain(cx, c->place.world, rest_of_domain, &rest);
	return st;
}

static bool
pool_is_new(const struct cpus *cpus, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (cpus->list[i].pool == cpus->list[at].pool)
			return false;
	return true;
}

enum mdb_status
xpv_sched(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct show s = { .call = call };
	struct mdb_world *world;
	struct cpus cpus;
	enum mdb_status st = xpv_world(cx, &world);

	if (st == MDB_OK)
		st = cpus_read(cx, world, &cpus);
	if (st != MDB_OK)
		return st;
	for (size_t i = 0; i < cpus.count && st == MDB_OK; i++)
		if (pool_is_new(&cpus, i))
			st = show_pool(cx, &cpus, i, &s);
	return st;
}

/* ---- the walker ---------------------------------------------------------- */

static enum mdb_status
walk_queued(struct mdb_ctx *cx, struct mdb_loc loc, const char *place,
	void *arg)
{
	struct sched_unit u;
	enum mdb_status st = sched_unit_read(cx, loc, &u);

	(void)place;
	return st == MDB_OK ? xpv_found_add(cx, mdb_at(loc, u.vcpu), arg) : st;
}

enum mdb_status
xpv_walk_runq_init(struct mdb_ctx *cx, struct mdb_walk *w)
{
	struct xpv_found *f = mdb_tmp(cx, sizeof(*f));
	struct cpus cpus;
	enum mdb_status st = xpv_world(cx, &f->world);

	w->state = f;
	if (st == MDB_OK)
		st = cpus_read(cx, f->world, &cpus);
	if (st != MDB_OK)
		return st;
	for (size_t i = 0; i < cpus.count && st == MDB_OK; i++)
		st = each_queued(cx, &cpus, i, walk_queued, NULL, f);
	return st;
}
