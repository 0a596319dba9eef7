/* SPDX-License-Identifier: MIT */
/*
 * The walkers over what the provider lists: processes, threads, CPUs, modules.
 *
 * A walk collects its whole set before the first step, so that a damaged list
 * is read from both of its ends; what is missing is said once, on stderr.
 */
#include "kern.h"

struct set_walk {
	struct kern_set set;
	size_t next;
};

static enum mdb_status
begin(struct mdb_ctx *cx, struct mdb_walk *w, const struct kern_set *set,
	const char *what)
{
	struct set_walk *sw = mdb_tmp(cx, sizeof(*sw));

	kern_set_warn(cx, set, what);
	sw->set = *set;
	w->state = sw;
	return MDB_OK;
}

enum mdb_status
kern_walk_proc_init(struct mdb_ctx *cx, struct mdb_walk *w)
{
	struct kern_set set;
	enum mdb_status st = kern_procs(cx, &set);

	return st != MDB_OK ? st : begin(cx, w, &set, "processes");
}

enum mdb_status
kern_walk_thread_init(struct mdb_ctx *cx, struct mdb_walk *w)
{
	struct kern_set set;
	enum mdb_status st;

	st = w->has_start ? kern_threads_of(cx, w->start, &set)
			  : kern_threads(cx, &set);
	return st != MDB_OK ? st : begin(cx, w, &set, "threads");
}

/* As `thread`, without the idle threads: what has an entry in /proc. */
enum mdb_status
kern_walk_task_init(struct mdb_ctx *cx, struct mdb_walk *w)
{
	struct kern_set set;
	struct kern_thread t;
	size_t i, n = 0;
	bool in_front;
	enum mdb_status st;

	if (w->has_start)
		return kern_walk_thread_init(cx, w);
	st = kern_threads(cx, &set);
	if (st != MDB_OK)
		return st;
	in_front = kern_provider(set.world)->idle_in_front;
	for (i = 0; i < set.count; i++) {
		struct mdb_loc loc = mdb_kernel_loc(set.world, set.addrs[i]);

		if ((n == 0 || !in_front) &&
			kern_thread_info(cx, loc, &t) == MDB_OK && t.is_idle)
			continue;
		set.addrs[n++] = set.addrs[i];
	}
	mdb_forget(cx);
	set.count = n;
	return begin(cx, w, &set, "threads");
}

enum mdb_status
kern_walk_module_init(struct mdb_ctx *cx, struct mdb_walk *w)
{
	struct kern_set set;
	enum mdb_status st = kern_mods(cx, &set);

	return st != MDB_OK ? st : begin(cx, w, &set, "modules");
}

enum mdb_status
kern_walk_set_step(struct mdb_ctx *cx, struct mdb_walk *w,
	struct mdb_loc *loc_out)
{
	struct set_walk *sw = w->state;

	(void)cx;
	if (sw->next == sw->set.count)
		return MDB_DONE;
	*loc_out = mdb_kernel_loc(sw->set.world, sw->set.addrs[sw->next++]);
	return MDB_OK;
}

enum mdb_status
kern_walk_cpu_step(struct mdb_ctx *cx, struct mdb_walk *w,
	struct mdb_loc *loc_out)
{
	struct mdb_world *world = kern_world(cx);
	int *id = w->state;
	struct kern_cpu cpu;
	enum mdb_status st;

	if (id == NULL) {
		id = mdb_tmp(cx, sizeof(*id));
		*id = -1;
		w->state = id;
	}
	st = kern_cpu_next(cx, world, id);
	if (st != MDB_OK)
		return st;
	st = kern_cpu_info(cx, world, *id, &cpu);
	if (st != MDB_OK)
		return mdb_context(cx, st, "CPU %d", *id);
	*loc_out = cpu.loc;
	return MDB_OK;
}
