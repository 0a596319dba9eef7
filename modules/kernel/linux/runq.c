/* SPDX-License-Identifier: MIT */
/*
 * Linux's CPUs and run queues (struct rq, kernel/sched/sched.h).
 *
 * What waits is in three places: the deadline tree, the real-time queues by
 * priority, and the fair tree, where an entity that owns a queue (my_q) is a
 * group of tasks.  The running task is in none of the answers.  An entity
 * that sleeps but is still in the fair tree (sched_delayed, 6.12 on) does not
 * wait for the CPU and is passed over.
 */
#include "linux.h"

#include <inttypes.h>
#include <string.h>

struct rq {
	uint32_t nr_running;
	uint32_t nr_rt;
	mdb_addr_t curr;
	uint64_t clock;
};

static const struct mdb_field rq_fields[] = {
	MDB_FIELD(struct rq, nr_running, "nr_running"),
	MDB_FIELD_OPT(struct rq, nr_rt, "rt.rt_nr_running"),
	MDB_FIELD(struct rq, curr, "curr"),
	MDB_FIELD_OPT(struct rq, clock, "clock"),
	MDB_FIELD_END,
};

static const struct mdb_shape rq_shape = { "struct rq", rq_fields };

struct running {
	uint64_t last_arrival;
	int32_t pid;
};

static const struct mdb_field running_fields[] = {
	MDB_FIELD_OPT(struct running, last_arrival, "sched_info.last_arrival"),
	MDB_FIELD(struct running, pid, "pid"),
	MDB_FIELD_END,
};

static const struct mdb_shape running_shape = { "struct task_struct",
	running_fields };

static bool
cpu_in_mask(struct mdb_ctx *cx, struct mdb_world *w, const char *name, int id)
{
	struct mdb_loc loc;
	uint64_t word;
	size_t len = mdb_world_word(w);
	size_t i = (size_t)id / (8 * len);

	if (mdb_sym_loc(cx, w, name, &loc) == MDB_OK &&
		mdb_read_uint(cx, mdb_at(loc, loc.addr + i * len), len,
			&word) == MDB_OK)
		return (word >> ((size_t)id % (8 * len)) & 1) != 0;
	mdb_forget(cx);
	return false;
}

/*
 * A panic takes the CPUs that it stops off the online mask: they are present.
 */
enum mdb_status
linux_cpu_next(struct mdb_ctx *cx, struct mdb_world *w, int *cpu)
{
	int id, nr = (int)mdb_nr_cpu_ids(w);
	struct mdb_loc mask;

	if (mdb_sym_loc(cx, w, "__cpu_present_mask", &mask) != MDB_OK) {
		mdb_forget(cx);
		return mdb_cpu_next(cx, w, cpu);
	}
	for (id = *cpu + 1; id >= 0 && id < nr; id++) {
		if (!cpu_in_mask(cx, w, "__cpu_present_mask", id) &&
			!cpu_in_mask(cx, w, "__cpu_online_mask", id))
			continue;
		*cpu = id;
		return MDB_OK;
	}
	return MDB_DONE;
}

/* In a variable of its own before 6.2 and after 6.14; between in pcpu_hot. */
static bool
preempt_count(struct mdb_ctx *cx, struct mdb_world *w, int id,
	uint64_t *count_out)
{
	uint64_t offset = 0;
	struct mdb_loc loc;
	const char *name = "__preempt_count";

	if (linux_offset(cx, w, "struct pcpu_hot", "preempt_count\0", &offset))
		name = "pcpu_hot";
	if (linux_percpu_loc(cx, w, name, id, &loc) == MDB_OK &&
		mdb_read_uint(cx, mdb_at(loc, loc.addr + offset), 4,
			count_out) == MDB_OK)
		return true;
	mdb_forget(cx);
	return false;
}

/*
 * Bit 31 is the inverse of "must reschedule" (arch/x86/include/asm/preempt.h);
 * the flag of the task is a bit whose number no type tells.
 */
#define PREEMPT_NEED_RESCHED 0x80000000u

enum mdb_status
linux_cpu(struct mdb_ctx *cx, struct mdb_world *w, int id, struct kern_cpu *out)
{
	struct kern_cpu cpu = { .id = id };
	struct running t;
	struct rq rq;
	enum mdb_status st;

	st = linux_percpu_loc(cx, w, "runqueues", id, &cpu.loc);
	if (st == MDB_OK)
		st = mdb_read_shape(cx, &rq_shape, cpu.loc, &rq);
	if (st != MDB_OK)
		return mdb_context(cx, st, "the run queue");
	if (cpu_in_mask(cx, w, "__cpu_online_mask", id))
		cpu.flags |= KERN_CPU_ONLINE;
	if (cpu_in_mask(cx, w, "__cpu_active_mask", id))
		cpu.flags |= KERN_CPU_ACTIVE;
	if (cpu_in_mask(cx, w, "__cpu_present_mask", id))
		cpu.flags |= KERN_CPU_PRESENT;
	cpu.nr_running = rq.nr_running;
	cpu.nr_rt = rq.nr_rt;
	cpu.thread = mdb_kernel_loc(w, rq.curr);
	if (preempt_count(cx, w, id, &cpu.preempt_count)) {
		cpu.has_preempt = true;
		cpu.need_resched =
			(cpu.preempt_count & PREEMPT_NEED_RESCHED) == 0;
		cpu.preempt_count &= ~(uint64_t)PREEMPT_NEED_RESCHED;
	}
	if (mdb_read_shape(cx, &running_shape, cpu.thread, &t) == MDB_OK) {
		cpu.has_since = t.pid != 0 && t.last_arrival != 0 &&
				rq.clock >= t.last_arrival;
		cpu.since_ns = rq.clock - t.last_arrival;
	}
	mdb_forget(cx);
	*out = cpu;
	return MDB_OK;
}

/* ---- the queues ---------------------------------------------------------- */

struct visit {
	struct mdb_world *world;
	mdb_addr_t curr;
	kern_runq_fn *fn;
	void *arg;
	enum mdb_status lost; /* the first queue that was not read whole */
	const char *why;
};

static enum mdb_status
visit_task(struct mdb_ctx *cx, struct visit *v, mdb_addr_t task,
	const char *queue)
{
	if (task == v->curr)
		return MDB_OK;
	return v->fn(cx, mdb_kernel_loc(v->world, task), queue, v->arg);
}

/* A queue that cannot be read to its end does not hide the others. */
static enum mdb_status
visit_end(struct mdb_ctx *cx, struct visit *v, enum mdb_status st)
{
	if (st == MDB_OK || st == MDB_DONE)
		return MDB_OK;
	if (!mdb_is_fault(st) && st != MDB_E_CORRUPT && st != MDB_E_NOTFOUND)
		return st;
	if (v->lost == MDB_OK) {
		v->lost = st;
		v->why = kern_strdup(cx, mdb_trail(cx));
	}
	mdb_forget(cx);
	return MDB_OK;
}

struct entity {
	mdb_addr_t my_q;
	uint8_t delayed;
};

static const struct mdb_field entity_fields[] = {
	MDB_FIELD_OPT(struct entity, my_q, "my_q"),
	MDB_FIELD_OPT(struct entity, delayed, "sched_delayed"),
	MDB_FIELD_END,
};

static const struct mdb_shape entity_shape = { "struct sched_entity",
	entity_fields };

struct cfs {
	mdb_addr_t curr;
	mdb_addr_t root;
};

static const struct mdb_field cfs_fields[] = {
	MDB_FIELD(struct cfs, curr, "curr"),
	MDB_FIELD(struct cfs, root,
		"tasks_timeline.rb_root.rb_node\0tasks_timeline.rb_node"),
	MDB_FIELD_END,
};

static const struct mdb_shape cfs_shape = { "struct cfs_rq", cfs_fields };

/* One level of groups; the levels below it stand on a list of their own. */
struct fair {
	struct visit *v;
	mdb_addr_t queues[256];
	size_t count;
	uint64_t run_node, se;
};

static enum mdb_status
fair_entity(struct mdb_ctx *cx, struct fair *f, mdb_addr_t addr, bool is_curr)
{
	struct entity e;
	enum mdb_status st = mdb_read_shape(cx, &entity_shape,
		mdb_kernel_loc(f->v->world, addr), &e);

	if (st != MDB_OK)
		return visit_end(cx, f->v, st);
	if (e.my_q == 0)
		return e.delayed != 0 || is_curr
			       ? MDB_OK
			       : visit_task(cx, f->v, addr - f->se, "TS");
	if (f->count < sizeof(f->queues) / sizeof(f->queues[0]))
		f->queues[f->count++] = e.my_q;
	return MDB_OK;
}

static enum mdb_status
fair_queue(struct mdb_ctx *cx, struct fair *f, mdb_addr_t queue)
{
	struct linux_rb it;
	struct cfs cfs;
	mdb_addr_t node;
	enum mdb_status st = mdb_read_shape(cx, &cfs_shape,
		mdb_kernel_loc(f->v->world, queue), &cfs);

	if (st != MDB_OK)
		return visit_end(cx, f->v, st);
	if (cfs.curr != 0) {
		st = fair_entity(cx, f, cfs.curr, true);
		if (st != MDB_OK)
			return st;
	}
	linux_rb_begin(&it, f->v->world, cfs.root);
	while ((st = linux_rb_next(cx, &it, &node)) == MDB_OK) {
		st = fair_entity(cx, f, node - f->run_node, false);
		if (st != MDB_OK)
			return st;
	}
	return visit_end(cx, f->v, st);
}

/* Queues are met breadth first and each once, so groups cannot loop. */
static enum mdb_status
visit_fair(struct mdb_ctx *cx, struct visit *v, mdb_addr_t rq)
{
	struct fair *f = mdb_tmp(cx, sizeof(*f));
	struct linux_seen seen = { 0 };
	uint64_t cfs;
	size_t i;
	enum mdb_status st;

	f->v = v;
	st = mdb_offset_of(cx, v->world, "struct rq", "cfs\0", &cfs);
	if (st == MDB_OK)
		st = mdb_offset_of(cx, v->world, "struct sched_entity",
			"run_node\0", &f->run_node);
	if (st == MDB_OK)
		st = mdb_offset_of(cx, v->world, "struct task_struct", "se\0",
			&f->se);
	if (st != MDB_OK)
		return visit_end(cx, v, st);
	f->queues[f->count++] = rq + cfs;
	for (i = 0; i < f->count; i++) {
		if (!linux_seen_add(cx, &seen, f->queues[i]))
			continue;
		st = fair_queue(cx, f, f->queues[i]);
		if (st != MDB_OK)
			return st;
	}
	return MDB_OK;
}

#define NR_RT_PRIO 100

static enum mdb_status
visit_rt(struct mdb_ctx *cx, struct visit *v, mdb_addr_t rq)
{
	uint64_t queue = 0, run_list = 0, rt = 0;
	size_t word = mdb_world_word(v->world), i, j;
	enum mdb_status st;

	st = mdb_offset_of(cx, v->world, "struct rq", "rt.active.queue\0",
		&queue);
	if (st == MDB_OK)
		st = mdb_offset_of(cx, v->world, "struct sched_rt_entity",
			"run_list\0", &run_list);
	if (st == MDB_OK)
		st = mdb_offset_of(cx, v->world, "struct task_struct", "rt\0",
			&rt);
	for (i = 0; st == MDB_OK && i < NR_RT_PRIO; i++) {
		struct mdb_loc head =
			mdb_kernel_loc(v->world, rq + queue + i * 2 * word);
		struct kern_set set = { .world = v->world };

		st = linux_list_collect(cx, head, rt + run_list, &set);
		for (j = 0; st == MDB_OK && j < set.count; j++)
			st = visit_task(cx, v, set.addrs[j], "RT");
		if (st == MDB_OK && set.why != NULL)
			st = mdb_fail(cx, MDB_E_CORRUPT, "real-time queue: %s",
				set.why);
	}
	return visit_end(cx, v, st);
}

struct deadline {
	uint8_t server;
};

static const struct mdb_field deadline_fields[] = {
	MDB_FIELD_OPT(struct deadline, server, "dl_server"),
	MDB_FIELD_END,
};

static const struct mdb_shape deadline_shape = { "struct sched_dl_entity",
	deadline_fields };

/* A deadline server (6.8 on) stands for the fair queue and is no task. */
static enum mdb_status
visit_dl(struct mdb_ctx *cx, struct visit *v, mdb_addr_t rq)
{
	uint64_t root, rb_node, dl;
	struct mdb_world *w = v->world;
	struct deadline d;
	struct linux_rb it;
	mdb_addr_t node;
	enum mdb_status st;

	st = mdb_offset_of(cx, w, "struct rq",
		"dl.root.rb_root.rb_node\0dl.root.rb_node\0"
		"dl.rb_root.rb_node\0",
		&root);
	if (st == MDB_OK)
		st = mdb_offset_of(cx, w, "struct sched_dl_entity", "rb_node\0",
			&rb_node);
	if (st == MDB_OK)
		st = mdb_offset_of(cx, w, "struct task_struct", "dl\0", &dl);
	if (st == MDB_OK)
		st = mdb_read_ptr(cx, mdb_kernel_loc(w, rq + root), &node);
	if (st != MDB_OK)
		return visit_end(cx, v, st);
	linux_rb_begin(&it, w, node);
	while ((st = linux_rb_next(cx, &it, &node)) == MDB_OK) {
		st = mdb_read_shape(cx, &deadline_shape,
			mdb_kernel_loc(w, node - rb_node), &d);
		if (st == MDB_OK && d.server == 0)
			st = visit_task(cx, v, node - rb_node - dl, "DL");
		if (st != MDB_OK)
			break;
	}
	return visit_end(cx, v, st);
}

enum mdb_status
linux_runq(struct mdb_ctx *cx, const struct kern_cpu *cpu, kern_runq_fn *fn,
	void *arg)
{
	struct visit v = { .world = cpu->loc.world,
		.curr = cpu->thread.addr,
		.fn = fn,
		.arg = arg };
	enum mdb_status st = visit_dl(cx, &v, cpu->loc.addr);

	if (st == MDB_OK)
		st = visit_rt(cx, &v, cpu->loc.addr);
	if (st == MDB_OK)
		st = visit_fair(cx, &v, cpu->loc.addr);
	if (st == MDB_OK && v.lost != MDB_OK)
		return mdb_fail(cx, v.lost, "%s", v.why);
	return st;
}
