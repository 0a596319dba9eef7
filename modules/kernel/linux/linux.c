/* SPDX-License-Identifier: MIT */
/*
 * The Linux provider: its operations, and what its files share.
 */
#include "linux.h"

#include <string.h>

const struct kern_thread_ops linux_thread_ops = {
	.threads = linux_threads,
	.procs = linux_procs,
	.of_proc = linux_threads_of,
	.info = linux_thread_info,
	.regs = linux_thread_regs,
	.proc_info = linux_proc_info,
	.proc_args = linux_proc_args,
};

const struct kern_sys_ops linux_sys_ops = {
	.cpu_next = linux_cpu_next,
	.cpu = linux_cpu,
	.runq = linux_runq,
	.log = linux_log,
	.mods = linux_mods,
	.mod_info = linux_mod_info,
	.time = linux_time,
	.whatis = linux_whatis,
};

/* By bit: KERN_CPU_ONLINE and the others. */
static const char *const cpu_flags[] = { "ONLINE", "ACTIVE", "PRESENT", NULL };

const struct kern_provider kern_linux = {
	.name = "linux",
	.thread = &linux_thread_ops,
	.sys = &linux_sys_ops,
	.cpu_flags = cpu_flags,
	.idle_in_front = true,
};

enum mdb_status
linux_percpu_loc(struct mdb_ctx *cx, struct mdb_world *world, const char *name,
	int cpu, struct mdb_loc *loc_out)
{
	struct mdb_sym sym;
	mdb_addr_t addr;
	enum mdb_status st = mdb_sym_by_name(cx, world, name, &sym);

	if (st == MDB_OK)
		st = mdb_percpu_addr(cx, world, sym.value, cpu, &addr);
	if (st == MDB_OK)
		*loc_out = mdb_kernel_loc(world, addr);
	return st;
}

enum mdb_status
linux_sym_ptr(struct mdb_ctx *cx, struct mdb_world *world, const char *name,
	mdb_addr_t *addr_out)
{
	struct mdb_loc loc;
	enum mdb_status st = mdb_sym_loc(cx, world, name, &loc);

	if (st == MDB_OK)
		st = mdb_read_ptr(cx, loc, addr_out);
	return st == MDB_OK ? st : mdb_context(cx, st, "variable %s", name);
}

enum mdb_status
linux_sym_uint(struct mdb_ctx *cx, struct mdb_world *world, const char *name,
	size_t size, uint64_t *value_out)
{
	struct mdb_loc loc;
	enum mdb_status st = mdb_sym_loc(cx, world, name, &loc);

	if (st == MDB_OK)
		st = mdb_read_uint(cx, loc, size, value_out);
	return st == MDB_OK ? st : mdb_context(cx, st, "variable %s", name);
}

bool
linux_offset(struct mdb_ctx *cx, struct mdb_world *world, const char *type_name,
	const char *names, uint64_t *offset_out)
{
	if (mdb_offset_of(cx, world, type_name, names, offset_out) == MDB_OK)
		return true;
	mdb_forget(cx);
	return false;
}

bool
linux_type_size(struct mdb_ctx *cx, struct mdb_world *world,
	const char *type_name, uint64_t *size_out)
{
	struct mdb_type type;

	if (mdb_type_by_name(cx, world, type_name, &type) == MDB_OK &&
		mdb_type_size(cx, type, size_out) == MDB_OK)
		return true;
	mdb_forget(cx);
	return false;
}

bool
linux_enumerator(struct mdb_ctx *cx, struct mdb_world *world,
	const char *enum_name, const char *name, int64_t *value_out)
{
	struct mdb_type type;
	size_t i, count;

	if (mdb_type_by_name(cx, world, enum_name, &type) != MDB_OK) {
		mdb_forget(cx);
		return false;
	}
	count = mdb_type_nr_enumerators(type);
	for (i = 0; i < count; i++) {
		struct mdb_enumerator e = mdb_type_enumerator_at(type, i);

		if (e.name != NULL && strcmp(e.name, name) == 0) {
			*value_out = e.value;
			return true;
		}
	}
	return false;
}

/* ---- what is kept for the session ---------------------------------------- */

#define DEFAULT_THREAD_LEN 0x4000

/* Two kernels' worth of ways to learn THREAD_SIZE; else x86-64's default. */
static uint64_t
thread_len(struct mdb_ctx *cx, struct mdb_world *world)
{
	struct mdb_loc a, b;
	uint64_t len;

	if (linux_type_size(cx, world, "union thread_union", &len) &&
		len >= 0x1000 && len <= 0x40000)
		return len;
	if (mdb_sym_loc(cx, world, "__start_init_task", &a) == MDB_OK &&
		mdb_sym_loc(cx, world, "__end_init_task", &b) == MDB_OK &&
		b.addr - a.addr >= 0x1000 && b.addr - a.addr <= 0x40000)
		return b.addr - a.addr;
	mdb_forget(cx);
	return mdb_world_word(world) == 8 ? DEFAULT_THREAD_LEN
					  : DEFAULT_THREAD_LEN / 2;
}

/* What `current` is on a CPU: a variable of its own, or in pcpu_hot. */
static mdb_addr_t
current_of(struct mdb_ctx *cx, struct mdb_world *world, int cpu)
{
	uint64_t offset = 0;
	struct mdb_loc loc;
	mdb_addr_t task;

	if (linux_offset(cx, world, "struct pcpu_hot", "current_task\0",
		    &offset) &&
		linux_percpu_loc(cx, world, "pcpu_hot", cpu, &loc) == MDB_OK) {
		loc.addr += offset;
	} else if (linux_percpu_loc(cx, world, "current_task", cpu, &loc) !=
		   MDB_OK) {
		mdb_forget(cx);
		return 0;
	}
	if (mdb_read_ptr(cx, loc, &task) == MDB_OK)
		return task;
	mdb_forget(cx);
	return 0;
}

static void
state_fill(struct mdb_ctx *cx, struct mdb_world *world, struct linux_state *s)
{
	static const char *const classes[] = { "fair_sched_class",
		"rt_sched_class", "dl_sched_class", "stop_sched_class",
		"idle_sched_class", "ext_sched_class" };
	struct mdb_loc loc;
	size_t i;
	int cpu = -1;

	for (i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (mdb_sym_loc(cx, world, classes[i], &loc) == MDB_OK)
			s->sched_class[i] = loc.addr;
	s->thread_len = thread_len(cx, world);
	while (kern_cpu_next(cx, world, &cpu) == MDB_OK)
		if (cpu >= 0 && (unsigned int)cpu < s->nr_cpus)
			s->current[cpu] = current_of(cx, world, cpu);
	mdb_forget(cx);
}

const struct linux_state *
linux_state_get(struct mdb_ctx *cx, struct mdb_world *world)
{
	unsigned int nr = mdb_nr_cpu_ids(world);
	struct linux_state *s = mdb_module_state(cx, &mdb_module_kernel, world,
		sizeof(*s) + nr * sizeof(s->current[0]));

	if (!s->ready) {
		s->nr_cpus = nr;
		state_fill(cx, world, s);
		s->ready = true;
	}
	return s;
}
