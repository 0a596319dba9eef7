/* SPDX-License-Identifier: MIT */
/*
 * Rows of an illumos world, with the columns that its own mdb shows.
 */
#include "illumos.h"

#include <string.h>

/* ---- ::cpuinfo ----------------------------------------------------------- */

static const struct mdb_column cpu_columns[] = {
	{ "id", "ID", 3, 0, 0, "the system's number of the CPU" },
	{ "addr", "ADDR", MDB_WIDTH_ADDR,
		MDB_COL_LEFT | MDB_COL_PIPE | MDB_COL_ZERO, 0, "its cpu_t" },
	{ "flags", "FLG", 3, 0, 0, "cpu_flags" },
	{ "nrun", "NRUN", 4, 0, 0, "runnable threads in its queue" },
	{ "bspl", "BSPL", 4, 0, 0, "base interrupt level" },
	{ "pri", "PRI", 3, 0, 0, "priority of the running thread" },
	{ "runrun", "RNRN", 4, 0, 0, "was it asked to reschedule?" },
	{ "kprunrun", "KRNRN", 5, 0, 0, "in the kernel too?" },
	{ "switch", "SWITCH", 6, MDB_COL_LEFT | MDB_COL_TEXT_ONLY, 0,
		"clock ticks since the thread came to run: t-N" },
	{ "ticks", NULL, 0, MDB_COL_JSON_ONLY, 0, "the same" },
	{ "thread", "THREAD", MDB_WIDTH_ADDR, MDB_COL_LEFT | MDB_COL_ZERO, 0,
		"the running thread" },
	{ "proc", "PROC", 0, MDB_COL_LEFT, 0, "its process; (idle)" },
	{ NULL },
};

static const struct mdb_table cpu_table = { .name = "cpus",
	.columns = cpu_columns };

static struct mdb_value
proc_value(struct mdb_ctx *cx, const struct kern_cpu *cpu)
{
	struct kern_thread t;

	if (cpu->is_idle)
		return mdb_v_text("(idle)");
	if (cpu->thread.addr == 0)
		return mdb_v_none();
	if (kern_thread_info(cx, cpu->thread, &t) == MDB_OK && t.proc.addr != 0)
		return mdb_v_cstr(kern_strdup(cx, t.name));
	mdb_forget(cx);
	return mdb_v_none();
}

static enum mdb_status
cpu_row(struct mdb_ctx *cx, const struct kern_cpu *cpu)
{
	struct mdb_value v[] = {
		mdb_v_int(cpu->id),
		mdb_v_addr(cpu->loc),
		mdb_v_hex(cpu->flags),
		mdb_v_uint(cpu->nr_running),
		mdb_v_int(cpu->base_spl),
		mdb_v_int(cpu->priority),
		mdb_v_bool(cpu->runrun),
		mdb_v_bool(cpu->kprunrun),
		cpu->has_since ? mdb_v_text(mdb_tmp_printf(cx, "t-%lld",
					 (long long)cpu->ticks))
			       : mdb_v_none(),
		cpu->has_since ? mdb_v_int(cpu->ticks) : mdb_v_none(),
		cpu->thread.addr != 0 ? mdb_v_addr(cpu->thread) : mdb_v_none(),
		proc_value(cx, cpu),
	};

	return mdb_row(cx, &cpu_table, v);
}

/* ---- ::thread ------------------------------------------------------------ */

static const struct mdb_column thread_columns[] = {
	{ "addr", "ADDR", MDB_WIDTH_ADDR, MDB_COL_PIPE | MDB_COL_ZERO, 0,
		"its kthread_t" },
	{ "state", "STATE", 8, MDB_COL_LEFT, 0,
		"free, sleep, run, onproc, zomb, stopped, wait, panic" },
	{ "flag", "FLG", 4, 0, 0, "t_flag" },
	{ "proc_flag", "PFLG", 4, 0, 0, "t_proc_flag" },
	{ "sched_flag", "SFLG", 4, 0, 0, "t_schedflag" },
	{ "pri", "PRI", 5, 0, 0, "priority" },
	{ "epri", "EPRI", 5, 0, 0, "inherited priority" },
	{ "pil", "PIL", 3, 0, 0, "interrupt level" },
	{ "intr", "INTR", MDB_WIDTH_ADDR, MDB_COL_ZERO, 0,
		"the thread that it interrupted" },
	{ "name", NULL, 0, MDB_COL_JSON_ONLY, 0, "its process' name" },
	{ NULL },
};

static const struct mdb_table thread_table = { .name = "threads",
	.columns = thread_columns };

static const char *
lower(struct mdb_ctx *cx, const char *text)
{
	char *copy = mdb_tmp_printf(cx, "%s", text);

	for (char *c = copy; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return copy;
}

static enum mdb_status
thread_row(struct mdb_ctx *cx, const struct kern_thread *t)
{
	struct mdb_value v[] = {
		mdb_v_addr(t->loc),
		mdb_v_text(lower(cx, kern_state_name(t->state))),
		mdb_v_hex(t->flags),
		mdb_v_hex(t->proc_flag),
		mdb_v_hex(t->sched_flag),
		mdb_v_int(t->priority),
		mdb_v_int(t->epri),
		mdb_v_uint(t->pil),
		t->intr != 0 ? mdb_v_addr(mdb_at(t->loc, t->intr))
			     : mdb_v_text("n/a"),
		mdb_v_cstr(t->name),
	};

	return mdb_row(cx, &thread_table, v);
}

/* ---- ::threadlist -------------------------------------------------------- */

#define THREADLIST_COLUMNS                                                \
	{ "addr", "ADDR", MDB_WIDTH_ADDR, MDB_COL_PIPE | MDB_COL_ZERO, 0, \
		"its kthread_t" },                                        \
		{ "proc", "PROC", MDB_WIDTH_ADDR, MDB_COL_ZERO, 0,        \
			"its proc_t" },                                   \
	{                                                                 \
		"lwp", "LWP", MDB_WIDTH_ADDR, 0, 0,                       \
			"its klwp_t; 0: a kernel "                        \
			"thread"                                          \
	}

static const struct mdb_column brief_columns[] = {
	THREADLIST_COLUMNS,
	{ "command", "CMD/LWPID", 0, MDB_COL_LEFT, 0,
		"process and lwp; of a kernel thread where it began" },
	{ NULL },
};

static const struct mdb_column verbose_columns[] = {
	THREADLIST_COLUMNS,
	{ "class", "CLS", 3, 0, 0, "number of the scheduling class" },
	{ "pri", "PRI", 3, 0, 0, "priority" },
	{ "wchan", "WCHAN", MDB_WIDTH_ADDR, 0, 0, "what it waits for" },
	{ "command", NULL, 0, MDB_COL_JSON_ONLY, 0,
		"process and lwp; of a kernel thread where it began" },
	{ NULL },
};

static const struct mdb_table brief_table = { .name = "threads",
	.columns = brief_columns };
static const struct mdb_table verbose_table = { .name = "threads",
	.columns = verbose_columns };

static struct mdb_value
command_value(struct mdb_ctx *cx, const struct kern_thread *t)
{
	if (t->lwp != 0)
		return mdb_v_cstr(mdb_tmp_printf(cx, "%s/%lld", t->name,
			(long long)t->tid));
	if (t->start_pc != 0)
		return mdb_v_text(mdb_tmp_printf(cx, "%s()",
			mdb_sym_format(cx, mdb_at(t->loc, t->start_pc))));
	return mdb_v_cstr(t->name);
}

static struct mdb_value
addr_or_0(const struct kern_thread *t, mdb_addr_t addr)
{
	return addr != 0 ? mdb_v_addr(mdb_at(t->loc, addr)) : mdb_v_hex(0);
}

static enum mdb_status
threadlist_row(struct mdb_ctx *cx, const struct kern_thread *t, bool verbose)
{
	struct mdb_value v[7] = {
		mdb_v_addr(t->loc),
		addr_or_0(t, t->proc.addr),
		addr_or_0(t, t->lwp),
	};

	if (!verbose) {
		v[3] = command_value(cx, t);
		return mdb_row(cx, &brief_table, v);
	}
	v[3] = mdb_v_int(t->cid);
	v[4] = mdb_v_int(t->priority);
	v[5] = addr_or_0(t, t->wchan);
	v[6] = command_value(cx, t);
	return mdb_row(cx, &verbose_table, v);
}

/* ---- ::modinfo, ::modctl ------------------------------------------------- */

static const struct mdb_column modinfo_columns[] = {
	{ "id", "ID", 3, 0, 0, "the system's number of the module" },
	{ "base", "LOADADDR", MDB_WIDTH_ADDR, MDB_COL_ZERO, 0,
		"where its text begins" },
	{ "size", "SIZE", 8, 0, 0, "bytes of text, data and bss, hex" },
	{ "rev", "REV", 3, 0, 0, "revision of its interface" },
	{ "shown", "MODULE NAME", 0, MDB_COL_LEFT | MDB_COL_TEXT_ONLY, 0,
		"name and description" },
	{ "name", NULL, 0, MDB_COL_JSON_ONLY, 0, "name" },
	{ "description", NULL, 0, MDB_COL_JSON_ONLY, 0,
		"what it says that it is" },
	{ "addr", NULL, 0, MDB_COL_JSON_ONLY | MDB_COL_PIPE, 0,
		"its struct modctl" },
	{ NULL },
};

static const struct mdb_table modinfo_table = { .name = "modules",
	.columns = modinfo_columns };

static enum mdb_status
modinfo_row(struct mdb_ctx *cx, const struct kern_mod *m)
{
	bool described = m->description[0] != '\0';
	struct mdb_value v[] = {
		mdb_v_int(m->id),
		mdb_v_addr(mdb_at(m->loc, m->base)),
		mdb_v_hex(m->size),
		m->has_rev ? mdb_v_int(m->rev) : mdb_v_none(),
		mdb_v_cstr(described ? mdb_tmp_printf(cx, "%s (%s)", m->name,
					       m->description)
				     : m->name),
		mdb_v_cstr(m->name),
		described ? mdb_v_cstr(m->description) : mdb_v_none(),
		mdb_v_addr(m->loc),
	};

	return mdb_row(cx, &modinfo_table, v);
}

static const struct mdb_column modctl_columns[] = {
	{ "addr", "MODCTL", MDB_WIDTH_ADDR, MDB_COL_PIPE | MDB_COL_ZERO, 0,
		"its struct modctl" },
	{ "name", "MODULE", 24, 0, 0, "name" },
	{ "bits", "BITS", 6, 0, 0,
		"B busy, W wanted, P primary, L loaded, I installed" },
	{ "flags", "FLAGS", 5, 0, 0, "mod_loadflags" },
	{ "refs", "REF", 3, 0, 0, "modules that need it" },
	{ "file", "FILE", 0, MDB_COL_LEFT, 0, "what it was loaded from" },
	{ NULL },
};

static const struct mdb_table modctl_table = { .name = "modules",
	.columns = modctl_columns };

static enum mdb_status
modctl_row(struct mdb_ctx *cx, const struct kern_mod *m)
{
	struct mdb_value v[] = {
		mdb_v_addr(m->loc),
		mdb_v_cstr(m->name),
		mdb_v_text(m->bits),
		mdb_v_hex(m->flags),
		m->has_refs ? mdb_v_int(m->refs) : mdb_v_none(),
		mdb_v_cstr(m->file),
	};

	return mdb_row(cx, &modctl_table, v);
}

const struct kern_view illumos_view = {
	.cpu = cpu_row,
	.thread = thread_row,
	.threadlist = threadlist_row,
	.modinfo = modinfo_row,
	.modctl = modctl_row,
};
