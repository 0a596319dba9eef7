/* SPDX-License-Identifier: MIT */
/*
 * Threads: ::thread (::task), ::threadlist, ::findstack.
 *
 * ADDR is the thread's own structure, PROC that of its process.  Stacks are
 * walked and shown by the core from the registers that the provider finds.
 */
#include "kern.h"

#include <string.h>

/* The provider's word on a thread, with PANIC for the one that panicked. */
static enum mdb_status
thread_get(struct mdb_ctx *cx, struct mdb_loc loc, struct mdb_loc panic,
	struct kern_thread *out)
{
	enum mdb_status st = kern_thread_info(cx, loc, out);

	if (st != MDB_OK)
		return mdb_context(cx, st, "thread %llx",
			(unsigned long long)loc.addr);
	if (panic.addr != 0 && panic.addr == loc.addr)
		out->state = KERN_PANIC;
	return MDB_OK;
}

static struct mdb_value
cpu_value(const struct kern_thread *t)
{
	return t->cpu < 0 ? mdb_v_none() : mdb_v_int(t->cpu);
}

/* ---- ::thread ------------------------------------------------------------ */

static const struct mdb_column thread_columns[] = {
	{ "addr", "ADDR", MDB_WIDTH_ADDR, MDB_COL_PIPE | MDB_COL_ZERO, 0,
		"the thread's task" },
	{ "state", "STATE", 8, MDB_COL_LEFT, 0,
		"RUN (ready), ONPROC, SLEEP, DISK (uninterruptible), IDLE, "
		"STOPPED, TRACED, PARKED, ZOMB, DEAD, PANIC" },
	{ "raw_state", "RAW", 5, 0, 0, "the state as the kernel has it" },
	{ "flags", "FLAGS", 10, 0, 0, "the kernel's flags (PF_*)" },
	{ "pri", "PRI", 4, 0, 0, "priority: 0-99 real time, 120 default" },
	{ "class", "CLS", 3, MDB_COL_LEFT, 0,
		"TS normal, RT real time, DL deadline, ST stop, ID idle, EX "
		"extensible" },
	{ "cpu", "CPU", 3, 0, 0, "on which it is, or ran last" },
	{ "pid", "PID", 6, 0, 0, "of its process" },
	{ "tid", "TID", 6, 0, 0, "its own id" },
	{ "stack", "STACK", MDB_WIDTH_ADDR, MDB_COL_ZERO, 0,
		"lowest address of its kernel stack" },
	{ "name", "NAME", 0, MDB_COL_LEFT, 0, "its name" },
	{ NULL },
};

const struct mdb_table kern_thread_table = { .name = "threads",
	.columns = thread_columns };

static enum mdb_status
thread_row(struct mdb_ctx *cx, struct mdb_loc loc, struct mdb_loc panic)
{
	struct kern_thread t;
	enum mdb_status st = thread_get(cx, loc, panic, &t);

	if (st != MDB_OK)
		return st;
	if (kern_view(loc.world)->thread != NULL)
		return kern_view(loc.world)->thread(cx, &t);
	struct mdb_value v[] = {
		mdb_v_addr(loc),
		mdb_v_text(kern_state_name(t.state)),
		mdb_v_hex(t.raw_state),
		mdb_v_flags(t.flags),
		mdb_v_int(t.priority),
		mdb_v_text(t.sched),
		cpu_value(&t),
		mdb_v_int(t.pid),
		mdb_v_int(t.tid),
		t.stack == 0 ? mdb_v_none() : mdb_v_addr(mdb_at(loc, t.stack)),
		mdb_v_cstr(t.name),
	};
	return mdb_row(cx, &kern_thread_table, v);
}

/* Calls fn for the thread at the address given, else for all. */
typedef enum mdb_status thread_fn(struct mdb_ctx *cx,
	const struct mdb_call *call, struct mdb_loc loc, struct mdb_loc panic);

static enum mdb_status
each_thread(struct mdb_ctx *cx, const struct mdb_call *call, thread_fn *fn)
{
	struct mdb_loc panic;
	struct kern_set set;
	enum mdb_status st;
	size_t i;

	if (call->has_addr) {
		panic = kern_panic_thread(cx, call->loc.world);
		return fn(cx, call, call->loc, panic);
	}
	panic = kern_panic_thread(cx, kern_world(cx));
	st = kern_threads(cx, &set);
	for (i = 0; st == MDB_OK && i < set.count; i++) {
		st = mdb_check_interrupt(cx);
		if (st != MDB_OK)
			return st;
		st = fn(cx, call, mdb_kernel_loc(set.world, set.addrs[i]),
			panic);
		if (mdb_is_fault(st) || st == MDB_E_CORRUPT) {
			mdb_warn(cx, st, "this thread is left out");
			st = MDB_OK;
		}
	}
	if (st == MDB_OK)
		kern_set_warn(cx, &set, "threads");
	return st;
}

static enum mdb_status
thread_one(struct mdb_ctx *cx, const struct mdb_call *call, struct mdb_loc loc,
	struct mdb_loc panic)
{
	(void)call;
	return thread_row(cx, loc, panic);
}

enum mdb_status
kern_thread(struct mdb_ctx *cx, const struct mdb_call *call)
{
	return each_thread(cx, call, thread_one);
}

/* ---- ::threadlist -------------------------------------------------------- */

const struct mdb_option kern_threadlist_options[] = {
	{ 'v', MDB_OPT_FLAG, NULL, "more columns, and each thread's stack" },
	{ 0 },
};

static const struct mdb_column threadlist_columns[] = {
	{ "addr", "ADDR", MDB_WIDTH_ADDR, MDB_COL_PIPE | MDB_COL_ZERO, 0,
		"the thread's task" },
	{ "proc", "PROC", MDB_WIDTH_ADDR, MDB_COL_ZERO, 0,
		"task of its process" },
	{ "tid", "TID", 6, 0, 0, "thread id, decimal" },
	{ "class", "CLS", 3, MDB_COL_LEFT, 'v', "scheduling class" },
	{ "pri", "PRI", 3, 0, 'v', "priority" },
	{ "cpu", "CPU", 3, 0, 'v', "on which it is, or ran last" },
	{ "state", "STATE", 8, MDB_COL_LEFT, 'v', "as in ::thread" },
	{ "name", "CMD", 0, MDB_COL_LEFT, 0, "its name" },
	{ NULL },
};

const struct mdb_table kern_threadlist_table = { .name = "threads",
	.columns = threadlist_columns };

/* With -v the name has a line of its own, as in mdb. */
static const struct mdb_column verbose_columns[] = {
	{ "addr", "ADDR", MDB_WIDTH_ADDR, MDB_COL_PIPE | MDB_COL_ZERO, 0,
		"the thread's task" },
	{ "proc", "PROC", MDB_WIDTH_ADDR, MDB_COL_ZERO, 0,
		"task of its process" },
	{ "tid", "TID", 6, 0, 0, "thread id, decimal" },
	{ "class", "CLS", 3, MDB_COL_LEFT, 0, "scheduling class" },
	{ "pri", "PRI", 3, 0, 0, "priority" },
	{ "cpu", "CPU", 3, 0, 0, "on which it is, or ran last" },
	{ "state", "STATE", 8, MDB_COL_LEFT, 0, "as in ::thread" },
	{ "pc", NULL, 0, MDB_COL_JSON_ONLY, 0, "where it is" },
	{ "name", NULL, 0, MDB_COL_JSON_ONLY, 0, "its name" },
	{ NULL },
};

static const struct mdb_table verbose_table = { .name = "threads",
	.columns = verbose_columns };

static const struct mdb_column where_columns[] = {
	{ "where", NULL, 0, MDB_COL_LEFT | MDB_COL_TEXT_ONLY, 0,
		"program counter and name" },
	{ NULL },
};

static const struct mdb_table where_table = { .name = "where",
	.columns = where_columns,
	.indent = 2 };

static const struct mdb_column note_columns[] = {
	{ "note", NULL, 0, MDB_COL_LEFT, 0, "why there is no stack" },
	{ NULL },
};

static const struct mdb_table note_table = { .name = "notes",
	.columns = note_columns,
	.indent = 2 };

static enum mdb_status
stack_note(struct mdb_ctx *cx, enum mdb_status why)
{
	const char *trail = mdb_trail(cx);
	struct mdb_value v[] = { mdb_v_cstr(mdb_tmp_printf(cx, "<%s>",
		trail != NULL ? trail : mdb_status_name(why))) };

	mdb_forget(cx);
	return mdb_subrow(cx, &note_table, v);
}

static enum mdb_status
where_row(struct mdb_ctx *cx, const struct kern_thread *t, const char *pc)
{
	struct mdb_value v[] = { mdb_v_text(
		mdb_tmp_printf(cx, "PC: %-25s CMD: %s", pc,
			mdb_escape(cx, t->name, strlen(t->name)))) };

	return mdb_subrow(cx, &where_table, v);
}

static enum mdb_status
verbose_row(struct mdb_ctx *cx, const struct kern_thread *t,
	struct mdb_value pc)
{
	const struct kern_view *view = kern_view(t->loc.world);
	struct mdb_value v[] = {
		mdb_v_addr(t->loc),
		t->proc.addr == 0 ? mdb_v_none() : mdb_v_addr(t->proc),
		mdb_v_int(t->tid),
		mdb_v_text(t->sched),
		mdb_v_int(t->priority),
		cpu_value(t),
		mdb_v_text(kern_state_name(t->state)),
		pc,
		mdb_v_cstr(t->name),
	};

	if (view->threadlist != NULL)
		return view->threadlist(cx, t, true);
	return mdb_row(cx, &verbose_table, v);
}

/* A thread with its stack below; one without registers says why. */
static enum mdb_status
verbose_rows(struct mdb_ctx *cx, const struct kern_thread *t)
{
	struct mdb_loc pc = t->loc;
	struct mdb_regs regs;
	enum mdb_status why = kern_thread_regs(cx, t, &regs), st;

	if (why == MDB_E_INTERRUPTED)
		return why;
	pc.addr = why == MDB_OK ? regs.r[MDB_R_IP] : 0;
	st = verbose_row(cx, t,
		why == MDB_OK ? mdb_v_addr(pc) : mdb_v_error(why));
	if (st != MDB_OK || mdb_is_piped(cx))
		return st;
	st = where_row(cx, t, why == MDB_OK ? mdb_sym_format(cx, pc) : "-");
	if (st == MDB_OK && why != MDB_OK)
		st = stack_note(cx, why);
	else if (st == MDB_OK)
		st = mdb_stack_print(cx, t->loc.world, &regs, MDB_STACK_NESTED);
	return st != MDB_OK ? st : mdb_blank(cx);
}

static enum mdb_status
threadlist_one(struct mdb_ctx *cx, const struct mdb_call *call,
	struct mdb_loc loc, struct mdb_loc panic)
{
	const struct kern_view *view = kern_view(loc.world);
	struct kern_thread t;
	enum mdb_status st = thread_get(cx, loc, panic, &t);

	if (st != MDB_OK)
		return st;
	if (mdb_opt(call, 'v'))
		return verbose_rows(cx, &t);
	if (view->threadlist != NULL)
		return view->threadlist(cx, &t, false);
	struct mdb_value v[] = {
		mdb_v_addr(loc),
		t.proc.addr == 0 ? mdb_v_none() : mdb_v_addr(t.proc),
		mdb_v_int(t.tid),
		mdb_v_none(),
		mdb_v_none(),
		mdb_v_none(),
		mdb_v_none(),
		mdb_v_cstr(t.name),
	};
	return mdb_row(cx, &kern_threadlist_table, v);
}

enum mdb_status
kern_threadlist(struct mdb_ctx *cx, const struct mdb_call *call)
{
	return each_thread(cx, call, threadlist_one);
}

/* ---- ::findstack --------------------------------------------------------- */

const struct mdb_option kern_findstack_options[] = {
	{ 'v', MDB_OPT_FLAG, NULL,
		"the registers of exception and user frames too" },
	{ 0 },
};

static const struct mdb_column findstack_columns[] = {
	{ "line", NULL, 0, MDB_COL_LEFT | MDB_COL_TEXT_ONLY, 0,
		"thread and stack pointer" },
	{ "addr", NULL, 0, MDB_COL_JSON_ONLY | MDB_COL_PIPE, 0,
		"the thread's task" },
	{ "sp", NULL, 0, MDB_COL_JSON_ONLY, 0, "its stack pointer" },
	{ "tid", NULL, 0, MDB_COL_JSON_ONLY, 0, "its id" },
	{ "name", NULL, 0, MDB_COL_JSON_ONLY, 0, "its name" },
	{ "state", NULL, 0, MDB_COL_JSON_ONLY, 0, "as in ::thread" },
	{ NULL },
};

const struct mdb_table kern_findstack_table = { .name = "stacks",
	.columns = findstack_columns };

static const char *
findstack_line(struct mdb_ctx *cx, const struct kern_thread *t,
	const struct mdb_regs *regs)
{
	const char *sp =
		mdb_reg_known(regs, MDB_R_SP)
			? mdb_tmp_printf(cx, "%llx",
				  (unsigned long long)regs->r[MDB_R_SP])
			: "not known";
	const char *state = t->state == KERN_PANIC    ? " (PANIC)"
			    : t->state == KERN_ONPROC ? " (ONPROC)"
			    : t->state == KERN_ZOMB || t->state == KERN_DEAD
				    ? " (exited)"
				    : "";

	return mdb_tmp_printf(cx, "stack pointer for thread %llx (%s)%s: %s",
		(unsigned long long)t->loc.addr,
		mdb_escape(cx, t->name, strlen(t->name)), state, sp);
}

enum mdb_status
kern_findstack(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_loc panic = kern_panic_thread(cx, call->loc.world);
	unsigned int flags = MDB_STACK_FP | MDB_STACK_NESTED;
	struct kern_thread t;
	struct mdb_regs regs;
	enum mdb_status st = thread_get(cx, call->loc, panic, &t);

	if (st == MDB_OK)
		st = kern_thread_regs(cx, &t, &regs);
	if (st != MDB_OK)
		return st;
	struct mdb_value v[] = {
		mdb_v_text(findstack_line(cx, &t, &regs)),
		mdb_v_addr(t.loc),
		mdb_reg_known(&regs, MDB_R_SP)
			? mdb_v_addr(mdb_at(t.loc, regs.r[MDB_R_SP]))
			: mdb_v_none(),
		mdb_v_int(t.tid),
		mdb_v_cstr(t.name),
		mdb_v_text(kern_state_name(t.state)),
	};
	st = mdb_row(cx, &kern_findstack_table, v);
	if (st != MDB_OK || mdb_is_piped(cx))
		return st;
	if (mdb_opt(call, 'v'))
		flags |= MDB_STACK_REGS;
	return mdb_stack_print(cx, t.loc.world, &regs, flags);
}
