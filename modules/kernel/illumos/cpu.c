/* SPDX-License-Identifier: MIT */
/*
 * CPUs of illumos: the ring of cpu_t that begins at cpu_list, and the queues
 * of their dispatchers (sys/cpuvar.h, sys/disp.h).
 */
#include "illumos.h"

#include <string.h>

#define MAX_CPUS 4096

struct cpu {
	int32_t id;
	uint32_t flags;
	int32_t base_spl;
	int32_t dispatch_pri;
	uint8_t runrun, kprunrun;
	mdb_addr_t dispatcher;
	mdb_addr_t dispthread, idle_thread;
	int64_t last_swtch;
};

enum {
	F_PRI = 3,
	F_SWTCH = 9
};

static const struct mdb_field cpu_fields[] = {
	MDB_FIELD(struct cpu, id, "cpu_id"),
	MDB_FIELD(struct cpu, flags, "cpu_flags"),
	MDB_FIELD_OPT(struct cpu, base_spl, "cpu_base_spl"),
	MDB_FIELD_OPT(struct cpu, dispatch_pri, "cpu_dispatch_pri"),
	MDB_FIELD_OPT(struct cpu, runrun, "cpu_runrun"),
	MDB_FIELD_OPT(struct cpu, kprunrun, "cpu_kprunrun"),
	MDB_FIELD(struct cpu, dispatcher, "cpu_disp"),
	MDB_FIELD(struct cpu, dispthread, "cpu_dispthread\0cpu_thread"),
	MDB_FIELD_OPT(struct cpu, idle_thread, "cpu_idle_thread"),
	MDB_FIELD_OPT(struct cpu, last_swtch, "cpu_last_swtch"),
	MDB_FIELD_END,
};

static const struct mdb_shape cpu_shape = { "cpu_t", cpu_fields };

/* ---- the list ------------------------------------------------------------ */

struct entry {
	int id;
	mdb_addr_t addr;
};

struct cpu_state {
	bool ready;
	size_t count;
	struct entry cpus[MAX_CPUS];
};

static const struct entry *
find(const struct cpu_state *s, int id)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->cpus[i].id == id)
			return &s->cpus[i];
	return NULL;
}

static enum mdb_status
list_cpus(struct mdb_ctx *cx, struct mdb_world *w, struct cpu_state *s)
{
	static const struct illumos_list ring = { "cpu_t", "cpu_next\0",
		"cpu_prev\0" };
	struct kern_set set = { .world = w };
	mdb_addr_t first = 0;
	uint64_t offset = 0, id = 0;
	enum mdb_status st;

	st = mdb_offset_of(cx, w, "cpu_t", "cpu_id\0", &offset);
	if (st == MDB_OK)
		st = illumos_var_ptr(cx, w, "cpu_list", &first);
	if (st == MDB_OK)
		st = illumos_collect(cx, &ring, first, &set);
	if (st != MDB_OK)
		return mdb_context(cx, st, "the list of CPUs");
	kern_set_warn(cx, &set, "CPUs");
	for (size_t i = 0; i < set.count && s->count < MAX_CPUS; i++) {
		st = mdb_read_uint(cx, mdb_kernel_loc(w, set.addrs[i] + offset),
			4, &id);
		if (st != MDB_OK)
			mdb_warn(cx, st, "a CPU is left out");
		else if (id <= INT32_MAX && find(s, (int)id) == NULL)
			s->cpus[s->count++] =
				(struct entry){ (int)id, set.addrs[i] };
	}
	return MDB_OK;
}

static enum mdb_status
state_get(struct mdb_ctx *cx, struct mdb_world *w,
	const struct cpu_state **state_out)
{
	struct cpu_state *s =
		mdb_module_state(cx, &mdb_module_kernel, w, sizeof(*s));
	enum mdb_status st;

	if (!s->ready) {
		s->count = 0;
		st = list_cpus(cx, w, s);
		if (st != MDB_OK)
			return st;
		s->ready = true;
	}
	*state_out = s;
	return MDB_OK;
}

/* In the order of the ring, as mdb shows them. */
enum mdb_status
illumos_cpu_next(struct mdb_ctx *cx, struct mdb_world *w, int *cpu)
{
	const struct cpu_state *s = NULL;
	const struct entry *e;
	size_t next = 0;
	enum mdb_status st = state_get(cx, w, &s);

	if (st != MDB_OK)
		return st;
	if (*cpu >= 0) {
		e = find(s, *cpu);
		next = e == NULL ? s->count : (size_t)(e - s->cpus) + 1;
	}
	if (next >= s->count)
		return MDB_DONE;
	*cpu = s->cpus[next].id;
	return MDB_OK;
}

enum mdb_status
illumos_cpu_loc(struct mdb_ctx *cx, struct mdb_world *w, int id,
	struct mdb_loc *loc_out)
{
	const struct cpu_state *s = NULL;
	const struct entry *e;
	enum mdb_status st = state_get(cx, w, &s);

	if (st != MDB_OK)
		return st;
	e = find(s, id);
	if (e == NULL)
		return mdb_fail(cx, MDB_E_NOTFOUND, "there is no CPU %d", id);
	*loc_out = mdb_kernel_loc(w, e->addr);
	return MDB_OK;
}

/* ---- one ----------------------------------------------------------------- */

struct dispatcher {
	mdb_addr_t queue; /* an array of dispq_t, one for each priority */
	int32_t nr_pri;
	int32_t nr_runnable;
};

static const struct mdb_field dispatcher_fields[] = {
	MDB_FIELD_OPT(struct dispatcher, queue, "disp_q"),
	MDB_FIELD_OPT(struct dispatcher, nr_pri, "disp_npri"),
	MDB_FIELD(struct dispatcher, nr_runnable, "disp_nrunnable"),
	MDB_FIELD_END,
};

static const struct mdb_shape dispatcher_shape = { "disp_t",
	dispatcher_fields };

bool
illumos_ticks(struct mdb_ctx *cx, struct mdb_world *w, int64_t *ticks_out)
{
	static const struct {
		const char *name;
		size_t size; /* 0: a long */
	} clocks[] = { { "panic_lbolt64", 8 }, { "panic_lbolt", 0 },
		{ "lbolt64", 8 }, { "lbolt", 0 } };
	size_t word = mdb_world_word(w);
	struct mdb_loc loc;
	uint64_t v;

	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		size_t size = clocks[i].size != 0 ? clocks[i].size : word;

		if (illumos_var(cx, w, clocks[i].name, &loc) != MDB_OK ||
			mdb_read_uint(cx, loc, size, &v) != MDB_OK || v == 0) {
			mdb_forget(cx);
			continue;
		}
		*ticks_out = size == 4 ? (int32_t)v : (int64_t)v;
		return true;
	}
	return false;
}

/* The dispatcher's number; else what the thread says of itself. */
static int64_t
priority_of(struct mdb_ctx *cx, const struct cpu *c, struct mdb_loc thread)
{
	struct kern_thread t;

	if (mdb_shape_has(cx, thread.world, &cpu_shape, F_PRI) ||
		thread.addr == 0)
		return c->dispatch_pri;
	if (kern_thread_info(cx, thread, &t) == MDB_OK)
		return t.priority;
	mdb_forget(cx);
	return c->dispatch_pri;
}

enum mdb_status
illumos_cpu(struct mdb_ctx *cx, struct mdb_world *w, int id,
	struct kern_cpu *out)
{
	struct kern_cpu cpu = { .id = id };
	struct dispatcher d = { 0 };
	struct cpu c = { 0 };
	int64_t now;
	enum mdb_status st = illumos_cpu_loc(cx, w, id, &cpu.loc);

	if (st == MDB_OK)
		st = mdb_read_shape(cx, &cpu_shape, cpu.loc, &c);
	if (st == MDB_OK)
		st = mdb_read_shape(cx, &dispatcher_shape,
			mdb_kernel_loc(w, c.dispatcher), &d);
	if (st != MDB_OK)
		return st;
	cpu.flags = c.flags;
	cpu.nr_running = (uint64_t)(d.nr_runnable < 0 ? 0 : d.nr_runnable);
	cpu.thread = mdb_kernel_loc(w, c.dispthread);
	cpu.idle = c.idle_thread;
	cpu.is_idle = c.dispthread != 0 && c.dispthread == c.idle_thread;
	cpu.base_spl = c.base_spl;
	cpu.runrun = c.runrun != 0;
	cpu.kprunrun = c.kprunrun != 0;
	cpu.priority = priority_of(cx, &c, cpu.thread);
	cpu.has_since = mdb_shape_has(cx, w, &cpu_shape, F_SWTCH) &&
			c.last_swtch != 0 && illumos_ticks(cx, w, &now);
	cpu.ticks = cpu.has_since ? now - c.last_swtch : 0;
	*out = cpu;
	return MDB_OK;
}

/* ---- what waits ---------------------------------------------------------- */

#define MAX_PRI 512

static enum mdb_status
queue_rows(struct mdb_ctx *cx, struct mdb_loc queue, kern_runq_fn *fn,
	void *arg)
{
	static const struct illumos_list links = { "kthread_t", "t_link\0",
		NULL };
	struct kern_set set = { .world = queue.world };
	mdb_addr_t first = 0;
	enum mdb_status st = mdb_read_ptr(cx, queue, &first);

	if (st == MDB_OK)
		st = illumos_collect(cx, &links, first, &set);
	for (size_t i = 0; st == MDB_OK && i < set.count; i++)
		st = fn(cx, mdb_at(queue, set.addrs[i]), "", arg);
	if (st == MDB_OK && set.why != NULL)
		st = mdb_fail(cx, MDB_E_CORRUPT, "%s", set.why);
	return st;
}

/* The highest priority first. */
enum mdb_status
illumos_runq(struct mdb_ctx *cx, const struct kern_cpu *cpu, kern_runq_fn *fn,
	void *arg)
{
	struct mdb_world *w = cpu->loc.world;
	struct dispatcher d = { 0 };
	uint64_t size = 0, first = 0;
	struct mdb_type type;
	struct cpu c = { 0 };
	enum mdb_status st = mdb_read_shape(cx, &cpu_shape, cpu->loc, &c);

	if (st == MDB_OK)
		st = mdb_read_shape(cx, &dispatcher_shape,
			mdb_kernel_loc(w, c.dispatcher), &d);
	if (st != MDB_OK || d.nr_runnable == 0)
		return st;
	st = mdb_type_by_name(cx, w, "dispq_t", &type);
	if (st == MDB_OK)
		st = mdb_type_size(cx, type, &size);
	if (st == MDB_OK)
		st = mdb_offset_of(cx, w, "dispq_t", "dq_first\0", &first);
	if (st != MDB_OK)
		return st;
	if (d.queue == 0 || d.nr_pri <= 0 || d.nr_pri > MAX_PRI)
		return mdb_fail(cx, MDB_E_CORRUPT, "a dispatcher of %d queues",
			d.nr_pri);
	for (int pri = d.nr_pri - 1; st == MDB_OK && pri >= 0; pri--)
		st = queue_rows(cx,
			mdb_kernel_loc(w,
				d.queue + (uint64_t)pri * size + first),
			fn, arg);
	return st;
}
