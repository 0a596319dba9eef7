/* SPDX-License-Identifier: MIT */
/*
 * The registers of a thread.
 *
 * On a CPU they are that CPU's.  Else __switch_to_asm has left them on the
 * thread's stack at thread.sp, as struct inactive_task_frame says
 * (arch/x86/include/asm/switch_to.h): callee-saved registers and the return
 * address; the stack pointer is then the end of that frame.
 */
#include "linux.h"

#include <inttypes.h>
#include <string.h>

struct frame {
	uint64_t r15, r14, r13, r12, si, di, bx, bp, ip;
};

static const struct mdb_field frame_fields[] = {
	MDB_FIELD_OPT(struct frame, r15, "r15"),
	MDB_FIELD_OPT(struct frame, r14, "r14"),
	MDB_FIELD_OPT(struct frame, r13, "r13"),
	MDB_FIELD_OPT(struct frame, r12, "r12"),
	MDB_FIELD_OPT(struct frame, si, "si"),
	MDB_FIELD_OPT(struct frame, di, "di"),
	MDB_FIELD(struct frame, bx, "bx"),
	MDB_FIELD(struct frame, bp, "bp"),
	MDB_FIELD(struct frame, ip, "ret_addr"),
	MDB_FIELD_END,
};

static const struct mdb_shape frame_shape = { "struct inactive_task_frame",
	frame_fields };

/* Without types: the layout of every x86-64 kernel from 5.2 on. */
static enum mdb_status
frame_untyped(struct mdb_ctx *cx, struct mdb_loc sp, struct frame *f,
	uint64_t *len_out)
{
	uint64_t w[7];
	enum mdb_status st;

	if (mdb_world_word(sp.world) != 8)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"no type struct inactive_task_frame");
	st = mdb_read(cx, sp, w, sizeof(w));
	if (st != MDB_OK)
		return st;
	*f = (struct frame){ .r15 = w[0],
		.r14 = w[1],
		.r13 = w[2],
		.r12 = w[3],
		.bx = w[4],
		.bp = w[5],
		.ip = w[6] };
	*len_out = sizeof(w);
	return MDB_OK;
}

static enum mdb_status
frame_read(struct mdb_ctx *cx, struct mdb_loc sp, struct frame *f,
	uint64_t *len_out)
{
	uint64_t len;
	enum mdb_status st;

	if (!linux_type_size(cx, sp.world, frame_shape.type_name, &len))
		return frame_untyped(cx, sp, f, len_out);
	st = mdb_read_shape(cx, &frame_shape, sp, f);
	if (st == MDB_OK)
		*len_out = len;
	return st;
}

static void
regs_set(struct mdb_regs *regs, const struct frame *f, mdb_addr_t sp, bool wide)
{
	memset(regs, 0, sizeof(*regs));
	mdb_reg_set(regs, MDB_R_IP, f->ip);
	mdb_reg_set(regs, MDB_R_SP, sp);
	mdb_reg_set(regs, MDB_R_BP, f->bp);
	mdb_reg_set(regs, MDB_R_BX, f->bx);
	if (!wide) {
		mdb_reg_set(regs, MDB_R_SI, f->si);
		mdb_reg_set(regs, MDB_R_DI, f->di);
		return;
	}
	mdb_reg_set(regs, MDB_R_12, f->r12);
	mdb_reg_set(regs, MDB_R_13, f->r13);
	mdb_reg_set(regs, MDB_R_14, f->r14);
	mdb_reg_set(regs, MDB_R_15, f->r15);
}

static enum mdb_status
saved_regs(struct mdb_ctx *cx, const struct kern_thread *t,
	struct mdb_regs *regs_out)
{
	struct frame f = { .ip = 0 };
	uint64_t len = 0;
	enum mdb_status st;

	if (t->stack == 0)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"no stack: the thread has exited");
	if (t->sp < t->stack || t->sp >= t->stack_end)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"the saved stack pointer %" PRIx64
			" is not in the thread's stack",
			t->sp);
	st = frame_read(cx, mdb_at(t->loc, t->sp), &f, &len);
	if (st != MDB_OK)
		return mdb_context(cx, st, "the saved registers");
	regs_set(regs_out, &f, t->sp + len, mdb_world_word(t->loc.world) == 8);
	return MDB_OK;
}

enum mdb_status
linux_thread_regs(struct mdb_ctx *cx, const struct kern_thread *t,
	struct mdb_regs *regs_out)
{
	enum mdb_status st;

	if (!t->on_cpu)
		return saved_regs(cx, t, regs_out);
	st = mdb_cpu_regs(cx, t->loc.world, t->cpu, regs_out);
	return st == MDB_OK
		       ? st
		       : mdb_context(cx, st, "registers of CPU %d", t->cpu);
}
