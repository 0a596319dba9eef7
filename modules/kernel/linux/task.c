/* SPDX-License-Identifier: MIT */
/*
 * Threads and processes of Linux: the lists of task_struct.
 *
 * Processes hang on init_task.tasks, the threads of one on the thread_head of
 * its signal_struct.  The idle threads are on no list: they come from the run
 * queues.  What the lists have lost is sought in the table of pids, and what
 * is missing then is the difference to the kernel's own counter.
 */
#include "linux.h"

#include <string.h>

struct task {
	uint64_t state;
	uint32_t exit_state;
	uint32_t flags;
	int32_t pid;
	int32_t tgid;
	int32_t prio;
	int32_t cpu;
	char comm[17];
	mdb_addr_t stack;
	mdb_addr_t sp;
	mdb_addr_t mm;
	mdb_addr_t leader;
	mdb_addr_t sched_class;
};

static const struct mdb_field task_fields[] = {
	MDB_FIELD(struct task, state, "__state\0state"),
	MDB_FIELD(struct task, exit_state, "exit_state"),
	MDB_FIELD(struct task, flags, "flags"),
	MDB_FIELD(struct task, pid, "pid"),
	MDB_FIELD(struct task, tgid, "tgid"),
	MDB_FIELD(struct task, prio, "prio"),
	MDB_FIELD_OPT(struct task, cpu, "thread_info.cpu\0cpu"),
	MDB_FIELD(struct task, comm, "comm"),
	MDB_FIELD(struct task, stack, "stack"),
	MDB_FIELD(struct task, sp, "thread.sp"),
	MDB_FIELD(struct task, mm, "mm"),
	MDB_FIELD(struct task, leader, "group_leader"),
	MDB_FIELD_OPT(struct task, sched_class, "sched_class"),
	MDB_FIELD_END,
};

static const struct mdb_shape task_shape = { "struct task_struct",
	task_fields };

/* include/linux/sched.h, 4.14 on */
#define TASK_INTERRUPTIBLE 0x1u
#define TASK_UNINTERRUPTIBLE 0x2u
#define TASK_STOPPED 0x4u
#define TASK_TRACED 0x8u
#define EXIT_DEAD 0x10u
#define EXIT_ZOMBIE 0x20u
#define TASK_PARKED 0x40u
#define TASK_NOLOAD 0x400u
#define TASK_RTLOCK_WAIT 0x1000u
#define TASK_FROZEN 0x8000u
#define PF_KTHREAD 0x00200000u

/* In the order of linux_state.sched_class. */
static const char *const sched_names[] = { "TS", "RT", "DL", "ST", "ID", "EX" };

static enum kern_state
state_of(uint64_t s, char *letter_out)
{
	static const struct {
		uint64_t bits;
		enum kern_state state;
		char letter;
	} states[] = {
		{ EXIT_DEAD, KERN_DEAD, 'X' },
		{ EXIT_ZOMBIE, KERN_ZOMB, 'Z' },
		{ TASK_PARKED, KERN_PARKED, 'P' },
		{ TASK_TRACED, KERN_TRACED, 't' },
		{ TASK_STOPPED, KERN_STOPPED, 'T' },
		{ TASK_UNINTERRUPTIBLE | TASK_RTLOCK_WAIT | TASK_FROZEN,
			KERN_DISK, 'D' },
		{ TASK_INTERRUPTIBLE, KERN_SLEEP, 'S' },
	};
	size_t i;

	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if ((s & states[i].bits) == 0)
			continue;
		if (states[i].state == KERN_DISK && (s & TASK_NOLOAD) != 0 &&
			(s & TASK_UNINTERRUPTIBLE) != 0) {
			*letter_out = 'I';
			return KERN_IDLE;
		}
		*letter_out = states[i].letter;
		return states[i].state;
	}
	*letter_out = 'R';
	return KERN_RUN;
}

static const char *
sched_of(const struct linux_state *s, mdb_addr_t class)
{
	size_t i;

	for (i = 0; i < sizeof(sched_names) / sizeof(sched_names[0]); i++)
		if (class != 0 && s->sched_class[i] == class)
			return sched_names[i];
	return "?";
}

enum mdb_status
linux_thread_info(struct mdb_ctx *cx, struct mdb_loc loc,
	struct kern_thread *out)
{
	const struct linux_state *s = linux_state_get(cx, loc.world);
	struct task t;
	enum mdb_status st = mdb_read_shape(cx, &task_shape, loc, &t);

	if (st != MDB_OK)
		return st;
	memset(out, 0, sizeof(*out));
	out->loc = loc;
	out->proc = mdb_at(loc, t.leader);
	out->pid = t.tgid;
	out->tid = t.pid;
	memcpy(out->name, t.comm, sizeof(t.comm) - 1);
	out->raw_state = t.state | t.exit_state;
	out->state = state_of(out->raw_state, &out->letter);
	out->flags = t.flags;
	out->priority = t.prio;
	out->sched = sched_of(s, t.sched_class);
	out->cpu = t.cpu >= 0 && (unsigned int)t.cpu < s->nr_cpus ? t.cpu : -1;
	out->on_cpu = out->cpu >= 0 && s->current[out->cpu] == loc.addr;
	out->is_idle = t.pid == 0;
	out->is_kernel = (t.flags & PF_KTHREAD) != 0;
	out->stack = t.stack;
	out->stack_end = t.stack == 0 ? 0 : t.stack + s->thread_len;
	out->sp = t.sp;
	out->user_space = t.mm;
	if (out->on_cpu && out->state != KERN_ZOMB && out->state != KERN_DEAD)
		out->state = KERN_ONPROC;
	return MDB_OK;
}

/* ---- lists --------------------------------------------------------------- */

struct offsets {
	uint64_t tasks;	      /* task_struct.tasks */
	uint64_t signal;      /* task_struct.signal */
	uint64_t thread_node; /* task_struct.thread_node */
	uint64_t thread_head; /* signal_struct.thread_head */
};

static enum mdb_status
offsets_get(struct mdb_ctx *cx, struct mdb_world *w, struct offsets *o)
{
	enum mdb_status st;

	st = mdb_offset_of(cx, w, "struct task_struct", "tasks\0", &o->tasks);
	if (st == MDB_OK)
		st = mdb_offset_of(cx, w, "struct task_struct", "signal\0",
			&o->signal);
	if (st == MDB_OK)
		st = mdb_offset_of(cx, w, "struct task_struct", "thread_node\0",
			&o->thread_node);
	if (st == MDB_OK)
		st = mdb_offset_of(cx, w, "struct signal_struct",
			"thread_head\0", &o->thread_head);
	return st;
}

/*
 * The second way to the processes: init_pid_ns.idr holds struct pid by number
 * (4.15 on), and each leads to the thread group's leader.
 */
static enum mdb_status
procs_by_pid(struct mdb_ctx *cx, struct kern_set *set)
{
	struct linux_xa *it = mdb_tmp(cx, sizeof(*it));
	struct mdb_world *w = set->world;
	struct linux_seen seen = { 0 };
	uint64_t idr, links, tasks, node;
	struct mdb_loc ns;
	mdb_addr_t pid, index, task;
	enum mdb_status st;
	size_t i;

	if (!linux_offset(cx, w, "struct pid_namespace", "idr.idr_rt\0",
		    &idr) ||
		!linux_offset(cx, w, "struct pid", "tasks[1]\0", &tasks) ||
		!linux_offset(cx, w, "struct task_struct", "pid_links[1]\0",
			&links) ||
		mdb_sym_loc(cx, w, "init_pid_ns", &ns) != MDB_OK ||
		linux_xa_begin(cx, it, mdb_at(ns, ns.addr + idr)) != MDB_OK) {
		mdb_forget(cx);
		return MDB_OK;
	}
	for (i = 0; i < set->count; i++)
		(void)linux_seen_add(cx, &seen, set->addrs[i]);
	while ((st = linux_xa_next(cx, it, &pid, &index)) == MDB_OK) {
		if (mdb_read_ptr(cx, mdb_kernel_loc(w, pid + tasks), &node) !=
				MDB_OK ||
			node == 0)
			continue;
		task = node - links;
		if (linux_seen_add(cx, &seen, task) &&
			(st = kern_set_add(cx, set, task)) != MDB_OK)
			return st;
	}
	mdb_forget(cx);
	return st == MDB_E_INTERRUPTED ? st : MDB_OK;
}

/* A damaged list may have led astray: a process is its own leader. */
static void
drop_strangers(struct mdb_ctx *cx, struct kern_set *set)
{
	struct kern_thread t;
	size_t i, n = 0;

	for (i = 0; i < set->count; i++) {
		struct mdb_loc loc = mdb_kernel_loc(set->world, set->addrs[i]);

		if (linux_thread_info(cx, loc, &t) == MDB_OK &&
			(t.proc.addr != loc.addr || t.pid != t.tid))
			continue;
		set->addrs[n++] = set->addrs[i];
	}
	set->count = n;
	mdb_forget(cx);
}

enum mdb_status
linux_procs(struct mdb_ctx *cx, struct kern_set *set)
{
	struct offsets o;
	struct mdb_loc init = { 0 };
	enum mdb_status st = offsets_get(cx, set->world, &o);

	if (st == MDB_OK)
		st = mdb_sym_loc(cx, set->world, "init_task", &init);
	if (st == MDB_OK)
		st = linux_list_collect(cx, mdb_at(init, init.addr + o.tasks),
			o.tasks, set);
	if (st != MDB_OK)
		return mdb_context(cx, st, "the list of processes");
	if (set->why == NULL)
		return MDB_OK;
	drop_strangers(cx, set);
	return procs_by_pid(cx, set);
}

/* Appends the threads of a process; the leader even if the list is gone. */
static enum mdb_status
add_threads(struct mdb_ctx *cx, const struct offsets *o, mdb_addr_t leader,
	struct kern_set *set)
{
	struct mdb_loc loc = mdb_kernel_loc(set->world, leader);
	size_t before = set->count;
	mdb_addr_t signal;
	enum mdb_status st;

	st = mdb_read_ptr(cx, mdb_at(loc, leader + o->signal), &signal);
	if (st == MDB_OK && signal != 0)
		st = linux_list_collect(cx,
			mdb_at(loc, signal + o->thread_head), o->thread_node,
			set);
	if (st == MDB_E_INTERRUPTED)
		return st;
	if (st != MDB_OK) {
		if (set->why == NULL)
			set->why = kern_strdup(cx, mdb_trail(cx));
		mdb_forget(cx);
	}
	return set->count != before ? MDB_OK : kern_set_add(cx, set, leader);
}

enum mdb_status
linux_threads_of(struct mdb_ctx *cx, struct mdb_loc thread,
	struct kern_set *set)
{
	struct kern_thread t;
	struct offsets o;
	enum mdb_status st = offsets_get(cx, set->world, &o);

	if (st == MDB_OK)
		st = linux_thread_info(cx, thread, &t);
	if (st != MDB_OK)
		return st;
	return add_threads(cx, &o, t.proc.addr != 0 ? t.proc.addr : thread.addr,
		set);
}

/* The idle threads, by the run queues. */
static enum mdb_status
add_idle(struct mdb_ctx *cx, struct kern_set *set)
{
	struct mdb_world *w = set->world;
	struct mdb_loc rq;
	mdb_addr_t idle;
	uint64_t offset;
	enum mdb_status st;
	int cpu = -1;

	if (!linux_offset(cx, w, "struct rq", "idle\0", &offset))
		return MDB_OK;
	while (kern_cpu_next(cx, w, &cpu) == MDB_OK) {
		st = linux_percpu_loc(cx, w, "runqueues", cpu, &rq);
		if (st == MDB_OK)
			st = mdb_read_ptr(cx, mdb_at(rq, rq.addr + offset),
				&idle);
		if (st == MDB_OK && idle != 0)
			st = kern_set_add(cx, set, idle);
		if (st != MDB_OK)
			mdb_warn(cx, st, "no idle thread of CPU %d", cpu);
	}
	return MDB_OK;
}

/*
 * What a CPU runs may be on no list: a thread that is released runs its last
 * steps after it has left them, and may well panic there.
 */
static enum mdb_status
add_running(struct mdb_ctx *cx, struct kern_set *set)
{
	const struct linux_state *s = linux_state_get(cx, set->world);
	struct linux_seen seen = { 0 };
	struct kern_thread t;
	unsigned int cpu;
	size_t i;
	enum mdb_status st = MDB_OK;

	for (i = 0; i < set->count; i++)
		(void)linux_seen_add(cx, &seen, set->addrs[i]);
	for (cpu = 0; st == MDB_OK && cpu < s->nr_cpus; cpu++) {
		struct mdb_loc loc =
			mdb_kernel_loc(set->world, s->current[cpu]);

		if (linux_seen_add(cx, &seen, loc.addr) &&
			linux_thread_info(cx, loc, &t) == MDB_OK)
			st = kern_set_add(cx, set, loc.addr);
	}
	mdb_forget(cx);
	return st;
}

/* nr_threads counts every thread on the lists, but for the idle ones. */
static void
count_missing(struct mdb_ctx *cx, struct kern_set *set, size_t nr_idle)
{
	uint64_t counted;

	if (linux_sym_uint(cx, set->world, "nr_threads", 4, &counted) !=
		MDB_OK) {
		mdb_forget(cx);
		return;
	}
	set->counted = counted < KERN_SET_MAX;
	if (set->counted && counted > set->count - nr_idle)
		set->missing = counted - (set->count - nr_idle);
}

enum mdb_status
linux_threads(struct mdb_ctx *cx, struct kern_set *set)
{
	struct kern_set procs = { .world = set->world };
	struct offsets o;
	size_t i, nr_idle;
	enum mdb_status st = offsets_get(cx, set->world, &o);

	if (st == MDB_OK)
		st = linux_procs(cx, &procs);
	if (st == MDB_OK)
		st = add_idle(cx, set);
	if (st != MDB_OK)
		return st;
	nr_idle = set->count;
	for (i = 0; i < procs.count; i++) {
		st = add_threads(cx, &o, procs.addrs[i], set);
		if (st != MDB_OK)
			return st;
	}
	if (procs.why != NULL)
		set->why = procs.why;
	count_missing(cx, set, nr_idle);
	return add_running(cx, set);
}
