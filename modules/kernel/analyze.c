/* SPDX-License-Identifier: MIT */
/*
 * ::analyze: what died, and of what, from the panic's facts, the registers
 * and the stack that the panicking CPU has.
 *
 * A sentence is stated only if all that it rests on was read; where something
 * was not, the sentence says what.
 */
#include "kern.h"
#include "overflow.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FRAMES 512
#define SHOW_FRAMES 6

static const struct mdb_column columns[] = {
	{ "finding", NULL, 0, MDB_COL_JSON_ONLY, 0,
		"panic, oops, cpu, thread, exception, overflow, store, "
		"delivery, stack, frames" },
	{ "text", NULL, 0, MDB_COL_LEFT, 0, "a sentence about it" },
	{ "addr", NULL, 0, MDB_COL_JSON_ONLY, 0,
		"what it is about: a thread, an address" },
	{ "bytes", NULL, 0, MDB_COL_JSON_ONLY, 0, "below the stack; left" },
	{ "known", NULL, 0, MDB_COL_JSON_ONLY, 0,
		"false: the text says what could not be read" },
	{ NULL },
};

const struct mdb_table kern_analyze_table = { .name = "analysis",
	.columns = columns };

static const struct mdb_column size_columns[] = {
	{ "size", NULL, 6, 0, 0, "bytes of stack that the frame takes" },
	{ "fp", NULL, MDB_WIDTH_ADDR, MDB_COL_ZERO, 0, "the frame" },
	{ "func", NULL, 0, MDB_COL_LEFT, 0, "function and offset" },
	{ "pc", NULL, 0, MDB_COL_JSON_ONLY, 0, "program counter" },
	{ NULL },
};

static const struct mdb_table size_table = { .name = "frames",
	.columns = size_columns,
	.indent = 4 };

static const struct mdb_column top_columns[] = {
	{ "fp", NULL, MDB_WIDTH_ADDR, MDB_COL_ZERO, 0, "the frame" },
	{ "func", NULL, 0, MDB_COL_LEFT, 0, "function and offset" },
	{ "pc", NULL, 0, MDB_COL_JSON_ONLY, 0, "program counter" },
	{ NULL },
};

static const struct mdb_table top_table = { .name = "frames",
	.columns = top_columns,
	.indent = 4 };

struct frame {
	struct mdb_loc pc;
	bool is_return;
	mdb_addr_t fp;
	uint64_t size; /* 0: not known */
};

struct analysis {
	struct mdb_world *world; /* the kernel that is analyzed */
	struct kern_panic panic;
	bool has_thread;
	struct kern_thread thread;
	bool has_cr2;
	mdb_addr_t cr2;
	struct frame frames[MAX_FRAMES];
	size_t nr_frames;
	bool has_trap;
	size_t trap_index;
	struct mdb_frame trap; /* the exception that led to it */
};

static enum mdb_status
say(struct mdb_ctx *cx, const char *finding, const char *text,
	struct mdb_value addr, struct mdb_value bytes, bool known)
{
	struct mdb_value v[] = { mdb_v_text(finding), mdb_v_text(text), addr,
		bytes, mdb_v_bool(known) };

	return mdb_row(cx, &kern_analyze_table, v);
}

static enum mdb_status
say_plain(struct mdb_ctx *cx, const char *finding, const char *text)
{
	return say(cx, finding, text, mdb_v_none(), mdb_v_none(), true);
}

/* What could not be read, with the trail of the failure. */
static enum mdb_status
say_unknown(struct mdb_ctx *cx, const char *finding, const char *text)
{
	const char *trail = mdb_trail(cx);

	if (trail != NULL && trail[0] != '\0')
		text = mdb_tmp_printf(cx, "%s: %s", text,
			mdb_escape(cx, trail, strlen(trail)));
	mdb_forget(cx);
	return say(cx, finding, text, mdb_v_none(), mdb_v_none(), false);
}

static const char *
escaped(struct mdb_ctx *cx, const char *text)
{
	return mdb_escape(cx, text, strlen(text));
}

/* ---- what is gathered ---------------------------------------------------- */

static bool
is_interrupted(const struct mdb_frame *f)
{
	return f->kind == MDB_FRAME_TRAP || f->kind == MDB_FRAME_CROSSING;
}

/* Did an exception stop the kernel that is analyzed in this frame? */
static bool
is_exception(const struct analysis *a, const struct mdb_frame *f)
{
	return is_interrupted(f) && f->world == a->world &&
	       (f->trap == MDB_TRAP_EXCEPTION || f->trap == MDB_TRAP_UNKNOWN);
}

static enum mdb_status
take_frame(struct mdb_ctx *cx, const struct mdb_frame *f, void *arg)
{
	struct analysis *a = arg;
	struct frame *to = &a->frames[a->nr_frames];
	const struct frame *inner = a->nr_frames > 0 ? to - 1 : NULL;

	(void)cx;
	if (f->kind == MDB_FRAME_USER)
		return MDB_DONE;
	*to = (struct frame){
		.pc = mdb_kernel_loc(f->world, f->pc),
		.is_return = f->pc_is_return,
		.fp = f->fp,
	};
	if (inner != NULL && inner->pc.world == f->world && f->fp > inner->fp &&
		!f->guess)
		to->size = f->fp - inner->fp;
	if (!a->has_trap && is_exception(a, f)) {
		a->has_trap = true;
		a->trap = *f;
		a->trap_index = a->nr_frames;
	}
	return ++a->nr_frames == MAX_FRAMES ? MDB_DONE : MDB_OK;
}

static enum mdb_status
gather_stack(struct mdb_ctx *cx, struct analysis *a)
{
	struct mdb_regs regs = { 0 };
	enum mdb_stack_end end;
	enum mdb_status st = mdb_context_regs(cx, &regs, NULL);

	if (st == MDB_E_INTERRUPTED)
		return st;
	if (st != MDB_OK)
		return say_unknown(cx, "frames",
			"the registers at the panic are not known");
	a->has_cr2 = mdb_reg_known(&regs, MDB_R_CR2);
	a->cr2 = regs.r[MDB_R_CR2];
	st = mdb_stack_walk(cx, mdb_world_current(cx), &regs, take_frame, a,
		&end, NULL);
	if (st != MDB_OK && st != MDB_DONE)
		return st;
	/* Where the outermost function's own stack ends nothing says. */
	if (a->nr_frames > 0)
		a->frames[a->nr_frames - 1].size = 0;
	if (a->has_trap && mdb_reg_known(&a->trap.regs, MDB_R_CR2)) {
		a->has_cr2 = true;
		a->cr2 = a->trap.regs.r[MDB_R_CR2];
	}
	return MDB_OK;
}

/* ---- what is said of it -------------------------------------------------- */

static enum mdb_status
say_reason(struct mdb_ctx *cx, const struct analysis *a)
{
	const char *oops = mdb_world_fact(cx, a->world, "oops_message");
	const char *who =
		a->panic.by_hypervisor ? "the hypervisor panicked" : "panic";
	enum mdb_status st;

	if (a->panic.message == NULL)
		return say(cx, "panic",
			mdb_tmp_printf(cx, "%s: its message is not known", who),
			mdb_v_none(), mdb_v_none(), false);
	st = say_plain(cx, "panic",
		mdb_tmp_printf(cx, "%s: %s", who,
			escaped(cx, a->panic.message)));
	if (st == MDB_OK && oops != NULL && oops[0] != '\0')
		st = say_plain(cx, "oops",
			mdb_tmp_printf(cx, "before it: %s", escaped(cx, oops)));
	return st;
}

static enum mdb_status
say_cpu(struct mdb_ctx *cx, const struct analysis *a)
{
	const struct kern_panic *p = &a->panic;
	const char *text;

	if (p->cpu < 0)
		return say_unknown(cx, "cpu",
			"which CPU panicked is not known");
	if (p->vcpu.addr == 0 || p->vcpu_id < 0)
		return say_plain(cx, "cpu",
			mdb_tmp_printf(cx, "it happened on CPU %d", p->cpu));
	text = mdb_tmp_printf(cx,
		"it happened on vcpu %llx, whose vcpu_id %d is CPU %d",
		(unsigned long long)p->vcpu.addr, p->vcpu_id, p->cpu);
	return say(cx, "cpu", text, mdb_v_addr(p->vcpu), mdb_v_none(), true);
}

/* The CPU would have told: it is asked again for what it says now. */
static enum mdb_status
say_no_thread(struct mdb_ctx *cx, const struct analysis *a)
{
	struct kern_cpu cpu;
	enum mdb_status st = MDB_OK;

	if (a->panic.cpu >= 0)
		st = kern_cpu_info(cx, a->world, a->panic.cpu, &cpu);
	if (st == MDB_E_INTERRUPTED)
		return st;
	return say_unknown(cx, "thread", "which thread ran there is not known");
}

static enum mdb_status
say_thread(struct mdb_ctx *cx, struct analysis *a)
{
	const struct kern_panic *p = &a->panic;
	const struct kern_thread *t = &a->thread;
	enum mdb_status st = MDB_OK;
	const char *text;

	if (p->thread.addr == 0)
		return say_no_thread(cx, a);
	st = kern_thread_info(cx, p->thread, &a->thread);
	if (st == MDB_E_INTERRUPTED)
		return st;
	a->has_thread = st == MDB_OK;
	if (!a->has_thread)
		return say_unknown(cx, "thread",
			mdb_tmp_printf(cx,
				"thread %llx ran there and cannot be read",
				(unsigned long long)p->thread.addr));
	text = mdb_tmp_printf(cx, "thread %llx (%s) ran there",
		(unsigned long long)t->loc.addr, escaped(cx, t->name));
	if (t->stack != 0)
		text = mdb_tmp_printf(cx, "%s; its stack base is %llx", text,
			(unsigned long long)t->stack);
	return say(cx, "thread", text, mdb_v_addr(t->loc), mdb_v_none(), true);
}

static const char *
exception_name(struct mdb_ctx *cx, const struct mdb_frame *f)
{
	const char *name = mdb_trap_vector_name(f->vector);
	char error[160] = "";

	if (f->vector < 0)
		return "an exception";
	if (f->has_error)
		mdb_trap_error_text(f->vector, f->error_code, error,
			sizeof(error));
	if (!f->has_error)
		return name != NULL ? name : "an exception";
	return mdb_tmp_printf(cx, "%s, error %llx%s%s",
		name != NULL ? name : "an exception",
		(unsigned long long)f->error_code, error[0] != '\0' ? ": " : "",
		error);
}

static enum mdb_status
say_exception(struct mdb_ctx *cx, const struct analysis *a)
{
	struct mdb_loc pc = mdb_kernel_loc(a->world, a->trap.pc);
	const char *text;

	if (!a->has_trap)
		return MDB_OK;
	text = mdb_tmp_printf(cx, "%s, at %s", exception_name(cx, &a->trap),
		mdb_sym_format(cx, pc));
	if (mdb_reg_known(&a->trap.regs, MDB_R_SP))
		text = mdb_tmp_printf(cx, "%s, stack pointer %llx", text,
			(unsigned long long)a->trap.regs.r[MDB_R_SP]);
	if (a->has_cr2 && (a->trap.vector == 14 || a->trap.vector == 8))
		text = mdb_tmp_printf(cx, "%s, cr2 %llx", text,
			(unsigned long long)a->cr2);
	return say(cx, "exception", text, mdb_v_addr(pc), mdb_v_none(), true);
}

/* ---- the overflow -------------------------------------------------------- */

static void
judge(struct mdb_ctx *cx, const struct analysis *a, struct overflow *out)
{
	struct overflow_facts f = {
		.word = mdb_world_word(a->world),
		.base = a->thread.stack,
		.end = a->thread.stack_end != 0 ? a->thread.stack_end
						: UINT64_MAX,
		.sp = a->trap.regs.r[MDB_R_SP],
		.has_cr2 = a->has_cr2 &&
			   (a->trap.vector == 14 || a->trap.vector == 8),
		.cr2 = a->cr2,
	};

	*out = (struct overflow){ 0 };
	if (!a->has_trap || !a->has_thread || a->thread.stack == 0 ||
		!mdb_reg_known(&a->trap.regs, MDB_R_SP))
		return;
	if (mdb_read_some(cx, mdb_kernel_loc(a->world, a->trap.pc), f.code,
		    sizeof(f.code), &f.code_len) != MDB_OK) {
		mdb_forget(cx);
		f.code_len = 0;
	}
	overflow_judge(&f, out);
}

/* The exception was delivered by the hypervisor, if its frames are inside. */
static const char *
deliverer(const struct analysis *a)
{
	for (size_t i = 0; i < a->trap_index; i++)
		if (mdb_world_kind(a->frames[i].pc.world) == MDB_WORLD_XEN)
			return "the hypervisor's delivery of that fault";
	return "the delivery of that fault";
}

static enum mdb_status
say_below(struct mdb_ctx *cx, const struct analysis *a, const char *finding,
	const char *what, mdb_addr_t addr, const char *how)
{
	uint64_t bytes = a->thread.stack - addr;
	const char *text = mdb_tmp_printf(cx,
		"%s at %llx, %llu bytes below the base, %s", what,
		(unsigned long long)addr, (unsigned long long)bytes, how);

	return say(cx, finding, text,
		mdb_v_addr(mdb_kernel_loc(a->world, addr)), mdb_v_uint(bytes),
		true);
}

static enum mdb_status
say_overflow(struct mdb_ctx *cx, const struct analysis *a,
	const struct overflow *o)
{
	const char *on = a->panic.cpu < 0 ? ""
					  : mdb_tmp_printf(cx, " on CPU %d",
						    a->panic.cpu);
	enum mdb_status st = say(cx, "overflow",
		mdb_tmp_printf(cx, "stack overflow of thread %llx%s",
			(unsigned long long)a->thread.loc.addr, on),
		mdb_v_addr(a->thread.loc), mdb_v_none(), true);

	if (st == MDB_OK && o->has_store)
		st = say_below(cx, a, "store", "a store", o->store, "faulted");
	if (st == MDB_OK && !o->has_store)
		st = say(cx, "store",
			mdb_tmp_printf(cx,
				"the store that faulted first cannot be told: "
				"it is no push, and cr2 is %s",
				a->has_cr2 ? "of another fault" : "not known"),
			mdb_v_none(), mdb_v_none(), false);
	if (st == MDB_OK && o->has_delivery)
		st = say_below(cx, a, "delivery", deliverer(a), o->delivery,
			o->has_store ? "faulted too" : "faulted");
	return st;
}

static int
by_size(const void *a, const void *b)
{
	const struct frame *x = a, *y = b;

	if (x->size != y->size)
		return x->size < y->size ? 1 : -1;
	return x->fp < y->fp ? -1 : x->fp > y->fp;
}

/* Those on the thread's stack outside the exception, the largest first. */
static enum mdb_status
say_sizes(struct mdb_ctx *cx, const struct analysis *a)
{
	struct frame *f = mdb_tmp(cx, (a->nr_frames + 1) * sizeof(*f));
	enum mdb_status st;
	size_t n = 0, i;

	for (i = a->trap_index + 1; i < a->nr_frames; i++)
		if (a->frames[i].size != 0 &&
			a->frames[i].pc.world == a->world &&
			a->frames[i].fp >= a->thread.stack &&
			(a->thread.stack_end == 0 ||
				a->frames[i].fp < a->thread.stack_end))
			f[n++] = a->frames[i];
	if (n == 0)
		return say_unknown(cx, "frames",
			"the stack's frames are not known");
	qsort(f, n, sizeof(*f), by_size);
	st = say_plain(cx, "frames", "the frames that take most of the stack:");
	for (i = 0; i < n && i < SHOW_FRAMES && st == MDB_OK; i++) {
		struct mdb_value v[] = { mdb_v_uint(f[i].size),
			mdb_v_addr(mdb_at(f[i].pc, f[i].fp)),
			mdb_v_text(kern_pc_text(cx, f[i].pc, f[i].is_return)),
			mdb_v_addr(f[i].pc) };

		st = mdb_subrow(cx, &size_table, v);
	}
	return st;
}

/* How near to its base the stack was. */
static enum mdb_status
say_room(struct mdb_ctx *cx, const struct analysis *a)
{
	const struct kern_thread *t = &a->thread;
	mdb_addr_t sp = a->trap.regs.r[MDB_R_SP];

	if (!a->has_trap || !a->has_thread || t->stack == 0 ||
		!mdb_reg_known(&a->trap.regs, MDB_R_SP) || sp < t->stack ||
		sp >= t->stack_end)
		return MDB_OK;
	return say(cx, "stack",
		mdb_tmp_printf(cx, "%llu bytes of the thread's stack were left",
			(unsigned long long)(sp - t->stack)),
		mdb_v_addr(mdb_kernel_loc(a->world, sp)),
		mdb_v_uint(sp - t->stack), true);
}

/* The innermost frames, from the exception on if there is one. */
static enum mdb_status
say_top(struct mdb_ctx *cx, const struct analysis *a)
{
	size_t first = a->has_trap ? a->trap_index : 0, i;
	enum mdb_status st;

	if (a->nr_frames == 0)
		return MDB_OK;
	st = say_plain(cx, "frames",
		a->has_trap ? "it was in:" : "the stack at the panic:");
	for (i = first;
		i < a->nr_frames && i < first + SHOW_FRAMES && st == MDB_OK;
		i++) {
		const struct frame *f = &a->frames[i];
		struct mdb_value v[] = { mdb_v_addr(mdb_at(f->pc, f->fp)),
			mdb_v_text(kern_pc_text(cx, f->pc, f->is_return)),
			mdb_v_addr(f->pc) };

		st = mdb_subrow(cx, &top_table, v);
	}
	return st;
}

enum mdb_status
kern_analyze(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct analysis *a = mdb_tmp(cx, sizeof(*a));
	struct overflow o;
	enum mdb_status st;

	(void)call;
	a->world = kern_world(cx);
	st = kern_panic(cx, a->world, &a->panic);
	if (st != MDB_OK)
		return st;
	if (!a->panic.panicked)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"this system did not panic, as far as the dump tells");
	st = say_reason(cx, a);
	if (st == MDB_OK)
		st = say_cpu(cx, a);
	if (st == MDB_OK)
		st = say_thread(cx, a);
	if (st == MDB_OK)
		st = gather_stack(cx, a);
	if (st == MDB_OK)
		st = say_exception(cx, a);
	if (st != MDB_OK)
		return st;
	judge(cx, a, &o);
	if (o.is_overflow) {
		st = say_overflow(cx, a, &o);
		return st == MDB_OK ? say_sizes(cx, a) : st;
	}
	st = say_room(cx, a);
	return st == MDB_OK ? say_top(cx, a) : st;
}
