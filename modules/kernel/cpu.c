/* SPDX-License-Identifier: MIT */
/*
 * ::cpuinfo: what each CPU runs, and with -v what waits on its run queue.
 *
 * The columns are mdb's.  Where Linux has nothing of the kind another stands
 * in the same place: NRT (real-time threads that wait) for BSPL, PRMPT (the
 * preemption count) for KRNRN.
 */
#include "kern.h"

#include <string.h>

const struct mdb_option kern_cpuinfo_options[] = {
	{ 'v', MDB_OPT_FLAG, NULL, "flags by name, and the run queue" },
	{ 0 },
};

static const struct mdb_column cpu_columns[] = {
	{ "id", "ID", 3, 0, 0, "the system's number of the CPU" },
	{ "addr", "ADDR", 16, MDB_COL_LEFT | MDB_COL_PIPE | MDB_COL_ZERO, 0,
		"its run queue (struct rq)" },
	{ "flags", "FLG", 3, 0, 0, "1 online, 2 active, 4 present" },
	{ "nrun", "NRUN", 4, 0, 0, "runnable threads, the running one too" },
	{ "nrt", "NRT", 4, 0, 0, "of those, real-time threads" },
	{ "pri", "PRI", 3, 0, 0, "priority of the running thread" },
	{ "need_resched", "RNRN", 4, 0, 0, "was it asked to reschedule?" },
	{ "preempt", "PRMPT", 5, 0, 0,
		"preemption count, hex; 0: preemptible" },
	{ "switch", "SWITCH", 6, MDB_COL_LEFT | MDB_COL_TEXT_ONLY, 0,
		"milliseconds since the thread came to run: t-N" },
	{ "since", NULL, 0, MDB_COL_JSON_ONLY, 0, "the same, in ns" },
	{ "thread", "THREAD", MDB_WIDTH_ADDR, MDB_COL_LEFT | MDB_COL_ZERO, 0,
		"the running thread" },
	{ "proc", "PROC", 0, MDB_COL_LEFT, 0, "its name; (idle)" },
	{ NULL },
};

const struct mdb_table kern_cpuinfo_table = { .name = "cpus",
	.columns = cpu_columns };

/* In text the art is all; in JSON the waiting threads. */
static const struct mdb_column art_columns[] = {
	{ "art", NULL, 0, MDB_COL_LEFT | MDB_COL_TEXT_ONLY, 0, "the tree" },
	{ NULL },
};
static const struct mdb_table art_table = { .name = "art",
	.columns = art_columns };

static const struct mdb_column runq_columns[] = {
	{ "art", NULL, 0, MDB_COL_LEFT | MDB_COL_TEXT_ONLY, 0, "the tree" },
	{ "queue", NULL, 0, MDB_COL_JSON_ONLY, 0, "DL, RT or TS" },
	{ "pri", NULL, 0, MDB_COL_JSON_ONLY, 0, "priority" },
	{ "thread", NULL, 0, MDB_COL_JSON_ONLY, 0, "task" },
	{ "name", NULL, 0, MDB_COL_JSON_ONLY, 0, "name" },
	{ NULL },
};
static const struct mdb_table runq_table = { .name = "runq",
	.columns = runq_columns };

/* Columns of the art: where FLG and NRUN end, as in the heading above. */
struct art {
	int flg, nrun, addr; /* addr: digits of an address */
};
#define MAX_FLAGS 32

struct waiter {
	struct waiter *next;
	struct mdb_loc loc;
	const char *queue;
	struct kern_thread thread;
	bool known;
};

struct waiters {
	struct waiter *first, **tail;
	size_t count;
};

static enum mdb_status
waiter_add(struct mdb_ctx *cx, struct mdb_loc thread, const char *queue,
	void *arg)
{
	struct waiters *all = arg;
	struct waiter *w = mdb_tmp(cx, sizeof(*w));

	w->loc = thread;
	w->queue = queue;
	w->known = kern_thread_info(cx, thread, &w->thread) == MDB_OK;
	if (!w->known)
		mdb_forget(cx);
	*all->tail = w;
	all->tail = &w->next;
	all->count++;
	return MDB_OK;
}

/* The names of the flags that are set, in the order that they are shown. */
static size_t
flag_names(const struct kern_cpu *cpu, const char *names[MAX_FLAGS])
{
	const char *const *all = kern_provider(cpu->loc.world)->cpu_flags;
	size_t n = 0;

	for (size_t i = 0; i < MAX_FLAGS && all[i] != NULL; i++)
		if ((cpu->flags >> i & 1) != 0)
			names[n++] = all[i];
	return n;
}

static struct art
art_of(const struct mdb_world *world)
{
	int addr = 2 * (int)mdb_world_word(world);
	/* ::cpuinfo's ADDR of Linux is wide on any machine */
	int shown = kern_view(world)->cpu == NULL ? 16 : addr;

	return (struct art){ 3 + 1 + shown + 1 + 3,
		3 + 1 + shown + 1 + 3 + 1 + 4, addr };
}

/* The left half of a line of the art: up to where NRUN ends. */
static const char *
art_left(struct mdb_ctx *cx, struct art at, const char *flag, bool first)
{
	if (flag == NULL)
		return mdb_tmp_printf(cx, "%*s", at.nrun, "");
	return mdb_tmp_printf(cx, "%*s%-*s", at.flg - 5, flag,
		at.nrun - at.flg + 5, first ? " <--+" : "");
}

static enum mdb_status
art_row(struct mdb_ctx *cx, const char *text)
{
	char *line = mdb_tmp_printf(cx, "%s", text);
	size_t len = strlen(line);

	while (len > 0 && line[len - 1] == ' ')
		line[--len] = '\0';
	struct mdb_value v[] = { mdb_v_text(line) };
	return mdb_subrow(cx, &art_table, v);
}

static enum mdb_status
waiter_row(struct mdb_ctx *cx, struct art at, const char *left,
	const struct waiter *w)
{
	const char *name = w->known ? w->thread.name : "?";
	const char *pri = w->known ? mdb_tmp_printf(cx, "%lld",
					     (long long)w->thread.priority)
				   : "?";
	struct mdb_value v[] = {
		mdb_v_text(mdb_tmp_printf(cx, "%s     %3s %0*llx %s", left, pri,
			at.addr, (unsigned long long)w->loc.addr,
			mdb_escape(cx, name, strlen(name)))),
		mdb_v_text(w->queue),
		w->known ? mdb_v_int(w->thread.priority) : mdb_v_none(),
		mdb_v_addr(w->loc),
		mdb_v_cstr(name),
	};

	return mdb_subrow(cx, &runq_table, v);
}

/*
 * Flags to the left, the run queue to the right:
 *                        |    |
 *              ONLINE <--+    +-->  PRI THREAD           PROC
 *              ACTIVE               120 ffff888003c05c60 kworker/0:1
 */
static enum mdb_status
cpu_detail(struct mdb_ctx *cx, const struct kern_cpu *cpu)
{
	struct waiters all = { .tail = &all.first };
	const struct waiter *w;
	const char *names[MAX_FLAGS];
	struct art at = art_of(cpu->loc.world);
	size_t nr_flags = flag_names(cpu, names), i;
	enum mdb_status st = kern_runq(cx, cpu, waiter_add, &all);

	if (st == MDB_E_INTERRUPTED)
		return st;
	if (st != MDB_OK)
		mdb_warn(cx, st, "the run queue of CPU %d is incomplete",
			cpu->id);
	st = art_row(cx, mdb_tmp_printf(cx, "%*s%*s", at.flg, "|",
				 at.nrun - at.flg, all.count != 0 ? "|" : ""));
	w = all.first;
	for (i = 0; st == MDB_OK && (i < nr_flags || w != NULL); i++) {
		const char *left = art_left(cx, at,
			i < nr_flags ? names[i] : NULL, i == 0);

		if (i == 0 && w != NULL) {
			st = art_row(cx,
				mdb_tmp_printf(cx, "%.*s+-->  PRI %-*s PROC",
					at.nrun - 1, left, at.addr, "THREAD"));
		} else if (w != NULL && i != 0) {
			st = waiter_row(cx, at, left, w);
			w = w->next;
		} else {
			st = art_row(cx, left);
		}
	}
	return st;
}

static enum mdb_status
own_row(struct mdb_ctx *cx, const struct kern_cpu *cpu)
{
	struct kern_thread t;
	bool known = false;

	if (cpu->thread.addr != 0) {
		known = kern_thread_info(cx, cpu->thread, &t) == MDB_OK;
		if (!known)
			mdb_forget(cx);
	}
	struct mdb_value v[] = {
		mdb_v_int(cpu->id),
		mdb_v_addr(cpu->loc),
		mdb_v_hex(cpu->flags),
		mdb_v_uint(cpu->nr_running),
		mdb_v_uint(cpu->nr_rt),
		known ? mdb_v_int(t.priority) : mdb_v_none(),
		cpu->has_preempt ? mdb_v_bool(cpu->need_resched) : mdb_v_none(),
		cpu->has_preempt ? mdb_v_hex(cpu->preempt_count) : mdb_v_none(),
		cpu->has_since ? mdb_v_text(mdb_tmp_printf(cx, "t-%llu",
					 (unsigned long long)(cpu->since_ns /
							      1000000)))
			       : mdb_v_none(),
		cpu->has_since ? mdb_v_uint(cpu->since_ns) : mdb_v_none(),
		cpu->thread.addr != 0 ? mdb_v_addr(cpu->thread) : mdb_v_none(),
		!known	    ? mdb_v_none()
		: t.is_idle ? mdb_v_text("(idle)")
			    : mdb_v_cstr(t.name),
	};
	return mdb_row(cx, &kern_cpuinfo_table, v);
}

static enum mdb_status
cpu_row(struct mdb_ctx *cx, const struct mdb_call *call,
	struct mdb_world *world, int id)
{
	const struct kern_view *view = kern_view(world);
	struct kern_cpu cpu;
	enum mdb_status st = kern_cpu_info(cx, world, id, &cpu);

	if (st != MDB_OK)
		return mdb_context(cx, st, "CPU %d", id);
	st = view->cpu != NULL ? view->cpu(cx, &cpu) : own_row(cx, &cpu);
	if (st != MDB_OK || !mdb_opt(call, 'v') || mdb_is_piped(cx))
		return st;
	st = cpu_detail(cx, &cpu);
	mdb_heading_again(cx);
	return st != MDB_OK ? st : mdb_blank(cx);
}

/* By number; by the address of its run queue. */
static enum mdb_status
cpu_named(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_world *world = kern_world(cx);
	struct kern_cpu cpu;
	enum mdb_status st;
	int id = -1;

	while ((st = kern_cpu_next(cx, world, &id)) == MDB_OK) {
		if ((uint64_t)id == call->loc.addr)
			return cpu_row(cx, call, world, id);
		if (kern_cpu_info(cx, world, id, &cpu) != MDB_OK)
			mdb_forget(cx);
		else if (cpu.loc.addr == call->loc.addr)
			return cpu_row(cx, call, world, id);
	}
	if (st != MDB_DONE)
		return st;
	return mdb_fail(cx, MDB_E_NOTFOUND, "%llx is no CPU",
		(unsigned long long)call->loc.addr);
}

enum mdb_status
kern_cpuinfo(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_world *world = kern_world(cx);
	enum mdb_status st;
	int id = -1;

	if (call->has_addr)
		return cpu_named(cx, call);
	while ((st = kern_cpu_next(cx, world, &id)) == MDB_OK) {
		st = cpu_row(cx, call, world, id);
		if (mdb_is_fault(st)) {
			mdb_warn(cx, st, "this CPU is left out");
			st = MDB_OK;
		}
		if (st != MDB_OK)
			return st;
	}
	return st == MDB_DONE ? MDB_OK : st;
}
