/* SPDX-License-Identifier: MIT */
/* $c $C ::stack: where a CPU, or a frame that is named, came from. */
#include "mdb/dcmd/stackprint.h"

#include <inttypes.h>

/* Looks for the frame at an address and keeps the one after it. */
struct search {
	struct mdb_loc fp;
	bool found, have;
	bool faulted; /* the CPU's cr2 is of a frame before */
	struct mdb_frame next;
};

static enum mdb_status
look_at(struct mdb_ctx *cx, const struct mdb_frame *frame, void *arg)
{
	struct search *s = arg;

	(void)cx;
	if (s->found) {
		s->next = *frame;
		s->have = true;
		return MDB_DONE;
	}
	s->faulted = s->faulted || frame->vector == 14;
	s->found = frame->fp == s->fp.addr && frame->world == s->fp.world;
	return MDB_OK;
}

/*
 * The registers behind a frame's address: exactly, if it is a frame of the
 * current stack; else from what lies there.
 */
static enum mdb_status
start_at_frame(struct mdb_ctx *cx, struct mdb_loc loc,
	struct mdb_unwind_start *start)
{
	struct search s = { .fp = loc };
	struct mdb_regs regs;
	enum mdb_status st = mdb_context_regs(cx, &regs, NULL);

	if (st == MDB_OK)
		st = mdb_stack_walk(cx, mdb_world_current(cx), &regs, look_at,
			&s, NULL, NULL);
	if (st == MDB_E_INTERRUPTED)
		return st;
	mdb_forget(cx);
	if (!s.have)
		return mdb_unwind_regs_at(cx, loc, start);
	start->world = s.next.world;
	start->regs = s.next.regs;
	if (!s.faulted && mdb_reg_known(&regs, MDB_R_CR2))
		mdb_reg_set(&start->regs, MDB_R_CR2, regs.r[MDB_R_CR2]);
	start->is_return = s.next.pc_is_return;
	return MDB_OK;
}

static enum mdb_status
find_start(struct mdb_ctx *cx, const struct mdb_call *call,
	struct mdb_unwind_start *start, int *cpu)
{
	if (call->has_addr)
		return start_at_frame(cx, call->loc, start);
	start->world = mdb_world_current(cx);
	if (!mdb_opt(call, 'c'))
		return mdb_context_regs(cx, &start->regs, cpu);
	*cpu = (int)mdb_opt_uint(call, 'c', 0);
	return mdb_cpu_regs(cx, start->world, *cpu, &start->regs);
}

/* mdb's operand: how many arguments of each function to show. */
static enum mdb_status
find_count(struct mdb_ctx *cx, const struct mdb_call *call, unsigned int *flags)
{
	uint64_t n;
	enum mdb_status st;

	if (call->argc == 0)
		return MDB_OK;
	if (call->argc > 1)
		return mdb_fail(cx, MDB_E_USAGE, "one count at a time");
	st = mdb_eval_expr(cx, call->argv[0], &n);
	if (st == MDB_OK)
		*flags |= MDB_STACK_ARGS(n < 255 ? (unsigned int)n : 255u);
	return st;
}

/* Only the frames that the dump recorded are left of the stack. */
static bool
is_lost(const struct mdb_call *call, const struct mdb_unwind_start *start,
	enum mdb_status found)
{
	if (call->has_addr || mdb_opt(call, 'c'))
		return false;
	return found == MDB_E_NOTFOUND ||
	       (found == MDB_OK && !mdb_stack_is_readable(start));
}

static enum mdb_status
print(struct mdb_ctx *cx, const struct mdb_call *call, unsigned int flags)
{
	struct mdb_unwind_start start = { 0 };
	int cpu = -1;
	enum mdb_status found, st = find_count(cx, call, &flags);

	if (st != MDB_OK)
		return st;
	found = find_start(cx, call, &start, &cpu);
	if (is_lost(call, &start, found)) {
		st = mdb_stack_print_recorded(cx, cpu, flags);
		if (st != MDB_E_NOTFOUND) {
			mdb_forget(cx);
			return st;
		}
	}
	if (found != MDB_OK)
		return found;
	if (!call->has_addr && !mdb_opt(call, 'c'))
		flags |= MDB_STACK_RECORDED;
	return mdb_stack_print_from(cx, &start, cpu, flags);
}

static enum mdb_status
run_names(struct mdb_ctx *cx, const struct mdb_call *call)
{
	return print(cx, call, mdb_opt(call, 'v') ? MDB_STACK_REGS : 0);
}

static enum mdb_status
run_frames(struct mdb_ctx *cx, const struct mdb_call *call)
{
	return print(cx, call, MDB_STACK_FP | MDB_STACK_REGS);
}

static const struct mdb_option options[] = {
	{ 'c', MDB_OPT_EXPR, "cpu", "the stack of that CPU" },
	{ 'v', MDB_OPT_FLAG, NULL, "with the registers that traps saved" },
	{ 0 },
};

static const struct mdb_example examples[] = {
	{ "$C", "the stack of the CPU that panicked, with frame addresses" },
	{ "::stack -c 1", "the stack of CPU 1" },
	{ "ffffc9000001be38$C", "the callers of the frame at that address" },
	{ 0 },
};

static const char help[] =
	"Shows the functions that led to where the CPU is that panicked, "
	"innermost first. A line `--- ... ---` stands where an exception, "
	"interrupt or system call came in, or another stack begins. A "
	"question mark follows a frame that could not be verified. A stack "
	"that ends early says why.\n\n"
	"With an address: the callers of the frame that lies there, as $C "
	"prints it; the first line is the function that the frame returns "
	"to.\n\n"
	"A function of a 32-bit kernel is shown with its arguments, at most "
	"as many as the count says (6 without): those that its caller takes "
	"off the stack again. 64-bit code does not save its arguments. Where "
	"the hypervisor was entered from a kernel, the walk goes on there.\n\n"
	"`[place lost]` marks a function that is right but not where in it: "
	"a crash kernel's dump has registers of a function that has returned "
	"since, and its return address is written over.";

const struct mdb_dcmd mdb_dcmds_stack[] = {
	{
		.name = "$c",
		.operands = "[count]",
		.summary = "show the stack",
		.help = help,
		.addr = MDB_ADDR_OPTIONAL,
		.addr_what = "frame",
		.options = options,
		.table = &mdb_stack_table,
		.examples = examples,
		.run = run_names,
	},
	{
		.name = "$C",
		.operands = "[count]",
		.summary = "show the stack with the addresses of its frames",
		.help = help,
		.addr = MDB_ADDR_OPTIONAL,
		.addr_what = "frame",
		.options = options,
		.table = &mdb_stack_fp_table,
		.examples = examples,
		.run = run_frames,
	},
	{
		.name = "stack",
		.operands = "[count]",
		.summary = "show the stack",
		.help = help,
		.addr = MDB_ADDR_OPTIONAL,
		.addr_what = "frame",
		.options = options,
		.table = &mdb_stack_table,
		.examples = examples,
		.run = run_names,
	},
	{ 0 },
};
