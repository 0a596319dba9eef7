/* SPDX-License-Identifier: MIT */
/*
 * The choice of the provider, and the dispatch of its operations: an absent
 * one is MDB_E_UNSUPPORTED.
 */
#include "kern.h"

const struct kern_provider *
kern_provider(const struct mdb_world *world)
{
	switch (mdb_world_kind(world)) {
	case MDB_WORLD_LINUX:
		return &kern_linux;
	case MDB_WORLD_ILLUMOS:
		return &kern_illumos;
	default:
		return NULL;
	}
}

struct mdb_world *
kern_world(struct mdb_ctx *cx)
{
	struct mdb_world *current = mdb_world_current(cx), *w = NULL;

	if (kern_provider(current) != NULL)
		return current;
	while ((w = mdb_world_next(cx, w)) != NULL)
		if (kern_provider(w) != NULL)
			return w;
	return current;
}

const struct kern_view *
kern_view(const struct mdb_world *world)
{
	static const struct kern_view none;
	const struct kern_provider *p = kern_provider(world);

	return p == NULL || p->view == NULL ? &none : p->view;
}

static enum mdb_status
unsupported(struct mdb_ctx *cx, const struct mdb_world *world, const char *what)
{
	return mdb_fail(cx, MDB_E_UNSUPPORTED, "%s: not known of world %s",
		what, mdb_world_name(world));
}

static const struct kern_thread_ops *
thread_ops(const struct mdb_world *world)
{
	static const struct kern_thread_ops none;
	const struct kern_provider *p = kern_provider(world);

	return p == NULL || p->thread == NULL ? &none : p->thread;
}

static const struct kern_sys_ops *
sys_ops(const struct mdb_world *world)
{
	static const struct kern_sys_ops none;
	const struct kern_provider *p = kern_provider(world);

	return p == NULL || p->sys == NULL ? &none : p->sys;
}

/* Runs one of the collecting operations on a fresh set of world. */
static enum mdb_status
collect(struct mdb_ctx *cx, struct mdb_world *world, const char *what,
	enum mdb_status (*op)(struct mdb_ctx *, struct kern_set *),
	struct kern_set *set_out)
{
	struct kern_set set = { .world = world };
	enum mdb_status st;

	if (op == NULL)
		return unsupported(cx, world, what);
	st = op(cx, &set);
	if (st == MDB_OK)
		*set_out = set;
	return st;
}

enum mdb_status
kern_threads(struct mdb_ctx *cx, struct kern_set *set_out)
{
	struct mdb_world *world = kern_world(cx);

	return collect(cx, world, "threads", thread_ops(world)->threads,
		set_out);
}

enum mdb_status
kern_procs(struct mdb_ctx *cx, struct kern_set *set_out)
{
	struct mdb_world *world = kern_world(cx);

	return collect(cx, world, "processes", thread_ops(world)->procs,
		set_out);
}

enum mdb_status
kern_mods(struct mdb_ctx *cx, struct kern_set *set_out)
{
	struct mdb_world *world = kern_world(cx);

	return collect(cx, world, "modules", sys_ops(world)->mods, set_out);
}

enum mdb_status
kern_threads_of(struct mdb_ctx *cx, struct mdb_loc thread,
	struct kern_set *set_out)
{
	struct kern_set set = { .world = thread.world };
	enum mdb_status st;

	if (thread_ops(thread.world)->of_proc == NULL)
		return unsupported(cx, thread.world, "threads of a process");
	st = thread_ops(thread.world)->of_proc(cx, thread, &set);
	if (st == MDB_OK)
		*set_out = set;
	return st;
}

enum mdb_status
kern_thread_info(struct mdb_ctx *cx, struct mdb_loc thread,
	struct kern_thread *out)
{
	const struct kern_thread_ops *ops = thread_ops(thread.world);

	if (ops->info == NULL)
		return unsupported(cx, thread.world, "threads");
	return ops->info(cx, thread, out);
}

enum mdb_status
kern_thread_regs(struct mdb_ctx *cx, const struct kern_thread *thread,
	struct mdb_regs *regs_out)
{
	const struct kern_thread_ops *ops = thread_ops(thread->loc.world);

	if (ops->regs == NULL)
		return unsupported(cx, thread->loc.world, "registers");
	return ops->regs(cx, thread, regs_out);
}

enum mdb_status
kern_proc_info(struct mdb_ctx *cx, struct mdb_loc thread, struct kern_proc *out)
{
	const struct kern_thread_ops *ops = thread_ops(thread.world);

	if (ops->proc_info == NULL)
		return unsupported(cx, thread.world, "processes");
	return ops->proc_info(cx, thread, out);
}

enum mdb_status
kern_proc_args(struct mdb_ctx *cx, const struct kern_thread *thread, char *buf,
	size_t len)
{
	const struct kern_thread_ops *ops = thread_ops(thread->loc.world);

	if (ops->proc_args == NULL)
		return unsupported(cx, thread->loc.world, "arguments");
	return ops->proc_args(cx, thread, buf, len);
}

enum mdb_status
kern_cpu_next(struct mdb_ctx *cx, struct mdb_world *world, int *cpu)
{
	if (sys_ops(world)->cpu_next == NULL)
		return mdb_cpu_next(cx, world, cpu);
	return sys_ops(world)->cpu_next(cx, world, cpu);
}

enum mdb_status
kern_cpu_info(struct mdb_ctx *cx, struct mdb_world *world, int id,
	struct kern_cpu *out)
{
	if (sys_ops(world)->cpu == NULL)
		return unsupported(cx, world, "CPUs");
	return sys_ops(world)->cpu(cx, world, id, out);
}

enum mdb_status
kern_runq(struct mdb_ctx *cx, const struct kern_cpu *cpu, kern_runq_fn *fn,
	void *arg)
{
	const struct kern_sys_ops *ops = sys_ops(cpu->loc.world);

	if (ops->runq == NULL)
		return unsupported(cx, cpu->loc.world, "run queues");
	return ops->runq(cx, cpu, fn, arg);
}

enum mdb_status
kern_log(struct mdb_ctx *cx, struct mdb_world *world, kern_record_fn *fn,
	void *arg)
{
	if (sys_ops(world)->log == NULL)
		return unsupported(cx, world, "the log");
	return sys_ops(world)->log(cx, world, fn, arg);
}

enum mdb_status
kern_mod_info(struct mdb_ctx *cx, struct mdb_loc mod, struct kern_mod *out)
{
	if (sys_ops(mod.world)->mod_info == NULL)
		return unsupported(cx, mod.world, "modules");
	return sys_ops(mod.world)->mod_info(cx, mod, out);
}

enum mdb_status
kern_time(struct mdb_ctx *cx, struct mdb_world *world, struct kern_time *out)
{
	if (sys_ops(world)->time == NULL)
		return unsupported(cx, world, "the time");
	return sys_ops(world)->time(cx, world, out);
}

static struct mdb_loc
running_on(struct mdb_ctx *cx, struct mdb_world *world, int id)
{
	struct kern_cpu cpu;

	if (id >= 0 && kern_cpu_info(cx, world, id, &cpu) == MDB_OK)
		return cpu.thread;
	mdb_forget(cx);
	return mdb_kernel_loc(world, 0);
}

enum mdb_status
kern_panic(struct mdb_ctx *cx, struct mdb_world *world, struct kern_panic *out)
{
	struct kern_panic p = {
		.cpu = mdb_panic_cpu(cx, world),
		.vcpu_id = -1,
		.message = mdb_world_fact(cx, world, "panic_message"),
		.thread = mdb_kernel_loc(world, 0),
		.vcpu = mdb_kernel_loc(world, 0),
		.domain = mdb_kernel_loc(world, 0),
	};
	enum mdb_status st = MDB_OK;

	p.panicked = p.cpu >= 0 || p.message != NULL;
	if (sys_ops(world)->panic != NULL)
		st = sys_ops(world)->panic(cx, world, &p);
	if (st == MDB_E_INTERRUPTED)
		return st;
	mdb_forget(cx);
	if (p.thread.addr == 0)
		p.thread = running_on(cx, world, p.cpu);
	*out = p;
	return MDB_OK;
}

enum mdb_status
kern_panic_pairs(struct mdb_ctx *cx, struct mdb_world *world, kern_pair_fn *fn,
	void *arg)
{
	if (sys_ops(world)->panic_pairs == NULL)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"this kernel notes no registers");
	return sys_ops(world)->panic_pairs(cx, world, fn, arg);
}

struct mdb_loc
kern_panic_thread(struct mdb_ctx *cx, struct mdb_world *world)
{
	struct kern_panic p;

	if (sys_ops(world)->panic == NULL)
		return running_on(cx, world, mdb_panic_cpu(cx, world));
	if (kern_panic(cx, world, &p) == MDB_OK)
		return p.thread;
	mdb_forget(cx);
	return mdb_kernel_loc(world, 0);
}

enum mdb_status
kern_whatis(struct mdb_ctx *cx, struct mdb_loc loc, bool *found_out)
{
	if (sys_ops(loc.world)->whatis == NULL)
		return MDB_OK;
	return sys_ops(loc.world)->whatis(cx, loc, found_out);
}
