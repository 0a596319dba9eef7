/* SPDX-License-Identifier: MIT */
/*
 * Threads of illumos: the ring of kthread_t at allthreads, and those of a
 * process at its p_tlist (sys/thread.h, sys/proc.h).
 *
 * A thread that left its CPU has its registers in t_pcb, a label_t: the
 * program counter, the stack pointer, the frame pointer, then the others that
 * a callee saves.
 */
#include "illumos.h"

#include <inttypes.h>
#include <string.h>

#define NR_LABEL 8

struct thread {
	uint32_t state;
	uint32_t flag, proc_flag, sched_flag;
	int64_t pri, epri, cid;
	uint64_t pil;
	uint64_t tid;
	mdb_addr_t stk, stkbase;
	mdb_addr_t intr, lwp, wchan, startpc;
	mdb_addr_t procp, cpu;
	mdb_addr_t label; /* address of the saved registers */
};

static const struct mdb_field thread_fields[] = {
	MDB_FIELD(struct thread, state, "t_state"),
	MDB_FIELD_OPT(struct thread, flag, "t_flag"),
	MDB_FIELD_OPT(struct thread, proc_flag, "t_proc_flag"),
	MDB_FIELD_OPT(struct thread, sched_flag, "t_schedflag"),
	MDB_FIELD_OPT(struct thread, pri, "t_pri"),
	MDB_FIELD_OPT(struct thread, epri, "t_epri"),
	MDB_FIELD_OPT(struct thread, cid, "t_cid"),
	MDB_FIELD_OPT(struct thread, pil, "t_pil"),
	MDB_FIELD_OPT(struct thread, tid, "t_tid"),
	MDB_FIELD_OPT(struct thread, stk, "t_stk"),
	MDB_FIELD(struct thread, stkbase, "t_stkbase"),
	MDB_FIELD_OPT(struct thread, intr, "t_intr"),
	MDB_FIELD_OPT(struct thread, lwp, "t_lwp"),
	MDB_FIELD_OPT(struct thread, wchan, "t_wchan"),
	MDB_FIELD_OPT(struct thread, startpc, "t_startpc"),
	MDB_FIELD(struct thread, procp, "t_procp"),
	MDB_FIELD_OPT(struct thread, cpu, "t_cpu"),
	{ offsetof(struct thread, label), sizeof(mdb_addr_t), "t_pcb\0", true,
		true },
	MDB_FIELD_END,
};

enum {
	F_LABEL = 17
};

static const struct mdb_shape thread_shape = { "kthread_t", thread_fields };

struct owner {
	char comm[17];
	mdb_addr_t as;
	mdb_addr_t pidp;
};

static const struct mdb_field owner_fields[] = {
	MDB_FIELD(struct owner, comm, "p_user.u_comm"),
	MDB_FIELD_OPT(struct owner, as, "p_as"),
	MDB_FIELD_OPT(struct owner, pidp, "p_pidp"),
	MDB_FIELD_END,
};

static const struct mdb_shape owner_shape = { "proc_t", owner_fields };

/* ---- the lists ----------------------------------------------------------- */

/* A thread of the ring: allthreads, else what a CPU runs. */
static enum mdb_status
some_thread(struct mdb_ctx *cx, struct mdb_world *w, mdb_addr_t *addr_out)
{
	struct kern_cpu cpu = { 0 };
	int id = -1;
	enum mdb_status st = illumos_var_ptr(cx, w, "allthreads", addr_out);

	if (st != MDB_E_NOTFOUND)
		return st;
	st = illumos_cpu_next(cx, w, &id);
	if (st == MDB_OK)
		st = illumos_cpu(cx, w, id, &cpu);
	if (st == MDB_DONE || (st == MDB_OK && cpu.thread.addr == 0))
		st = mdb_fail(cx, MDB_E_NOTFOUND, "no CPU names a thread");
	if (st == MDB_OK)
		*addr_out = cpu.thread.addr;
	return st;
}

enum mdb_status
illumos_threads(struct mdb_ctx *cx, struct kern_set *set)
{
	static const struct illumos_list ring = { "kthread_t", "t_next\0",
		"t_prev\0" };
	mdb_addr_t first = 0;
	enum mdb_status st = some_thread(cx, set->world, &first);

	if (st == MDB_OK)
		st = illumos_collect(cx, &ring, first, set);
	return st == MDB_OK ? st : mdb_context(cx, st, "the list of threads");
}

enum mdb_status
illumos_threads_of(struct mdb_ctx *cx, struct mdb_loc proc,
	struct kern_set *set)
{
	static const struct illumos_list ring = { "kthread_t", "t_forw\0",
		"t_back\0" };
	mdb_addr_t first = 0;
	uint64_t offset = 0;
	enum mdb_status st;

	st = mdb_offset_of(cx, proc.world, "proc_t", "p_tlist\0", &offset);
	if (st == MDB_OK)
		st = mdb_read_ptr(cx, mdb_at(proc, proc.addr + offset), &first);
	if (st == MDB_OK)
		st = illumos_collect(cx, &ring, first, set);
	return st == MDB_OK ? st
			    : mdb_context(cx, st, "the threads of process %llx",
				      (unsigned long long)proc.addr);
}

/* ---- one ----------------------------------------------------------------- */

/* sys/thread.h: TS_* */
static enum kern_state
state_of(uint32_t state, char *letter_out)
{
	static const struct {
		uint32_t bit;
		enum kern_state state;
		char letter;
	} states[] = {
		{ 0x00, KERN_FREE, 'F' },
		{ 0x01, KERN_SLEEP, 'S' },
		{ 0x02, KERN_RUN, 'R' },
		{ 0x04, KERN_ONPROC, 'O' },
		{ 0x08, KERN_ZOMB, 'Z' },
		{ 0x10, KERN_STOPPED, 'T' },
		{ 0x20, KERN_WAIT, 'W' },
	};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (states[i].bit == state) {
			*letter_out = states[i].letter;
			return states[i].state;
		}
	*letter_out = '?';
	return KERN_DEAD;
}

/* Which CPU it is on or was on last: by its cpu_t; is it the one there? */
static void
place(struct mdb_ctx *cx, const struct thread *t, struct kern_thread *out)
{
	struct mdb_world *w = out->loc.world;
	struct kern_cpu cpu;
	uint64_t id, offset;
	enum mdb_status st;

	out->cpu = -1;
	if (t->cpu == 0 ||
		mdb_offset_of(cx, w, "cpu_t", "cpu_id\0", &offset) != MDB_OK ||
		mdb_read_uint(cx, mdb_kernel_loc(w, t->cpu + offset), 4, &id) !=
			MDB_OK ||
		id > INT32_MAX)
		goto out;
	out->cpu = (int)id;
	st = illumos_cpu(cx, w, out->cpu, &cpu);
	out->on_cpu = st == MDB_OK && cpu.thread.addr == out->loc.addr;
	out->is_idle = st == MDB_OK && cpu.idle == out->loc.addr;
out:
	mdb_forget(cx);
}

static void
name_it(struct mdb_ctx *cx, const struct thread *t, struct kern_thread *out)
{
	struct owner p;
	uint64_t offset, pid;

	out->pid = -1;
	if (t->procp == 0 ||
		mdb_read_shape(cx, &owner_shape, out->proc, &p) != MDB_OK) {
		mdb_forget(cx);
		return;
	}
	p.comm[sizeof(p.comm) - 1] = '\0';
	memcpy(out->name, p.comm, sizeof(p.comm));
	if (p.pidp != 0 &&
		mdb_offset_of(cx, out->loc.world, "struct pid", "pid_id\0",
			&offset) == MDB_OK &&
		mdb_read_uint(cx, mdb_at(out->loc, p.pidp + offset), 4, &pid) ==
			MDB_OK)
		out->pid = (int32_t)pid;
	mdb_forget(cx);
}

enum mdb_status
illumos_thread_info(struct mdb_ctx *cx, struct mdb_loc loc,
	struct kern_thread *out)
{
	struct thread t;
	enum mdb_status st = mdb_read_shape(cx, &thread_shape, loc, &t);

	if (st != MDB_OK)
		return st;
	memset(out, 0, sizeof(*out));
	out->loc = loc;
	out->proc = mdb_at(loc, t.procp);
	out->tid = (int64_t)t.tid;
	out->state = state_of(t.state, &out->letter);
	out->raw_state = t.state;
	out->flags = t.flag;
	out->proc_flag = t.proc_flag;
	out->sched_flag = t.sched_flag;
	out->priority = t.pri;
	out->epri = t.epri;
	out->cid = t.cid;
	out->sched = "";
	out->pil = t.pil;
	out->intr = t.intr;
	out->lwp = t.lwp;
	out->wchan = t.wchan;
	out->start_pc = t.startpc;
	out->is_kernel = t.lwp == 0;
	out->stack = t.stkbase;
	out->stack_end = t.stk;
	out->user_space = t.procp;
	place(cx, &t, out);
	name_it(cx, &t, out);
	return MDB_OK;
}

/* ---- registers ----------------------------------------------------------- */

static enum mdb_status
saved_regs(struct mdb_ctx *cx, const struct kern_thread *t,
	struct mdb_regs *regs_out)
{
	static const enum mdb_reg narrow[] = { MDB_R_IP, MDB_R_SP, MDB_R_BP,
		MDB_R_BX, MDB_R_SI, MDB_R_DI };
	static const enum mdb_reg wide[] = { MDB_R_IP, MDB_R_SP, MDB_R_BP,
		MDB_R_BX, MDB_R_12, MDB_R_13, MDB_R_14, MDB_R_15 };
	size_t word = mdb_world_word(t->loc.world);
	const enum mdb_reg *order = word == 8 ? wide : narrow;
	size_t count = word == 8 ? 8 : 6;
	struct mdb_regs regs = { 0 };
	uint64_t offset, v = 0;
	enum mdb_status st;

	st = mdb_offset_of(cx, t->loc.world, "kthread_t", "t_pcb\0", &offset);
	for (size_t i = 0; st == MDB_OK && i < count; i++) {
		st = mdb_read_ptr(cx,
			mdb_at(t->loc, t->loc.addr + offset + i * word), &v);
		if (st == MDB_OK)
			mdb_reg_set(&regs, order[i], v);
	}
	if (st != MDB_OK)
		return mdb_context(cx, st, "the saved registers");
	if (regs.r[MDB_R_SP] < t->stack ||
		(t->stack_end != 0 && regs.r[MDB_R_SP] >= t->stack_end))
		return mdb_fail(cx, MDB_E_CORRUPT,
			"the saved stack pointer %" PRIx64
			" is not in the thread's stack",
			regs.r[MDB_R_SP]);
	*regs_out = regs;
	return MDB_OK;
}

enum mdb_status
illumos_thread_regs(struct mdb_ctx *cx, const struct kern_thread *t,
	struct mdb_regs *regs_out)
{
	enum mdb_status st;

	if (t->state == KERN_FREE)
		return mdb_fail(cx, MDB_E_NOTFOUND, "no stack: a free thread");
	if (!t->on_cpu)
		return saved_regs(cx, t, regs_out);
	st = mdb_cpu_regs(cx, t->loc.world, t->cpu, regs_out);
	return st == MDB_OK
		       ? st
		       : mdb_context(cx, st, "registers of CPU %d", t->cpu);
}
