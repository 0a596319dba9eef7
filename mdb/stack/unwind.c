/* SPDX-License-Identifier: MIT */
/*
 * The stack walk.
 *
 * One frame is current.  The unwinders say who its caller is: ORC, an entry
 * stub's registers, the code, frame pointers, a scan, in this order.  The
 * driver then asks three things of the answer, so that a walk ends on any
 * memory:
 *
 *   - inside one stack the stack pointer only grows, and by no more than a
 *     frame can be large;
 *   - a stack that was left is not entered again; leaving one backwards takes
 *     a stack known to the world, or registers or a pointer that the code
 *     saved for this, and those a few times only;
 *   - there are no more frames than stacks can hold.
 *
 * A walk that ends in user mode or an outermost function is right all along.
 * In another, a return address that no call instruction precedes is a guess,
 * and so is all that rests on one, until saved registers show where the code
 * was.
 */
#include "mdb/stack/unwind.h"

#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAX_UNKNOWN_SWITCHES 4
#define MAX_CROSSINGS 8

const char *
mdb_stack_end_name(enum mdb_stack_end end)
{
	switch (end) {
	case MDB_END_USER:
		return "user mode";
	case MDB_END_ENTRY:
		return "outermost function";
	case MDB_END_STOPPED:
		return "stopped";
	case MDB_END_UNREADABLE:
		return "unreadable";
	case MDB_END_NO_UNWIND:
		return "no unwind information";
	case MDB_END_CYCLE:
		return "no progress";
	case MDB_END_LIMIT:
		return "too many frames";
	case MDB_END_NO_REGS:
		return "registers not known";
	}
	return "unknown";
}

/* ---- services for the unwinders ------------------------------------------ */

enum mdb_status
mdb_unwind_word(struct mdb_unwind *u, mdb_addr_t addr, uint64_t *value_out)
{
	mdb_addr_t start = addr & ~(mdb_addr_t)(MDB_UNWIND_WINDOW - 1);
	size_t word = u->world->arch->word;

	if (addr % word != 0)
		return MDB_E_CORRUPT;
	if (!u->window_filled || u->window_addr != start) {
		enum mdb_status st = mdb_space_try(u->world->space, start,
			u->window, sizeof(u->window));

		u->window_filled = st == MDB_OK;
		u->window_addr = start;
		if (st != MDB_OK)
			return st;
	}
	*value_out = mdb_le(u->window + (addr - start), word);
	return MDB_OK;
}

enum mdb_unwind_step
mdb_unwind_end(struct mdb_unwind *u, enum mdb_stack_end end, const char *fmt,
	...)
{
	char text[256] = "";
	va_list ap;

	u->end = end;
	u->why = NULL;
	if (fmt) {
		va_start(ap, fmt);
		(void)vsnprintf(text, sizeof(text), fmt, ap);
		va_end(ap);
		u->why = mdb_tmp_printf(u->cx, "%s", text);
	}
	return MDB_STEP_END;
}

enum mdb_unwind_step
mdb_unwind_end_unread(struct mdb_unwind *u, mdb_addr_t addr)
{
	size_t word = u->world->arch->word;
	uint64_t value;

	if (addr % word != 0)
		return mdb_unwind_end(u, MDB_END_UNREADABLE,
			"the stack address 0x%" PRIx64 " is not aligned", addr);
	if (mdb_space_read_uint(u->cx, u->world->space, addr, word, &value) ==
		MDB_OK)
		return mdb_unwind_end(u, MDB_END_UNREADABLE,
			"the stack around 0x%" PRIx64 " cannot be read", addr);
	(void)mdb_unwind_end(u, MDB_END_UNREADABLE, "%s",
		mdb_trail(u->cx) ? mdb_trail(u->cx) : "");
	mdb_forget(u->cx);
	return MDB_STEP_END;
}

static bool
holds(const struct mdb_object *object, mdb_addr_t pc)
{
	if (pc >= object->base && pc <= object->end)
		return true;
	for (size_t i = 0; i < object->nr_sections; i++) {
		const struct mdb_section *s = &object->sections[i];

		if (pc >= s->start && pc < s->end &&
			(strcmp(s->name, "init") == 0 ||
				strcmp(s->name, "text") == 0))
			return true;
	}
	return false;
}

struct mdb_object *
mdb_unwind_object(struct mdb_unwind *u, mdb_addr_t pc)
{
	struct mdb_object *kernel = u->world->objects;

	if (u->object && holds(u->object, pc))
		return u->object;
	if (kernel && holds(kernel, pc))
		return kernel;
	if (!mdb_unwind_may_be_code(u->world, pc))
		return NULL;
	return mdb_object_by_addr(u->cx, mdb_kernel_loc(u->world, pc));
}

bool
mdb_unwind_has_linux_entries(const struct mdb_world *world)
{
	return world->kind == MDB_WORLD_LINUX || world->kind == MDB_WORLD_BARE;
}

struct mdb_trap
mdb_unwind_trap_at(struct mdb_unwind *u, mdb_addr_t pc)
{
	struct mdb_trap trap = { .vector = -1 };
	struct mdb_sym sym;
	enum mdb_status st;

	if (!mdb_unwind_has_linux_entries(u->world))
		return trap;
	st = mdb_sym_by_addr(u->cx, mdb_kernel_loc(u->world, pc), true, &sym);
	if (st == MDB_OK)
		trap = mdb_trap_of_name(sym.name);
	mdb_forget(u->cx);
	return trap;
}

struct mdb_trap
mdb_unwind_trap(struct mdb_unwind *u)
{
	mdb_addr_t pc = mdb_frame_lookup_pc(&u->frame);
	size_t slot = (pc ^ pc >> 7) % MDB_TABLE_TRAPS;
	struct mdb_unwind_table *t;

	if (!u->object || !mdb_unwind_has_linux_entries(u->world))
		return (struct mdb_trap){ .vector = -1 };
	t = mdb_unwind_table_of(u->object);
	if (t->traps[slot].pc != pc || pc == 0) {
		t->traps[slot].trap = mdb_unwind_trap_at(u, pc);
		t->traps[slot].pc = pc;
	}
	return t->traps[slot].trap;
}

/* ---- progress ------------------------------------------------------------ */

static bool
was_left(const struct mdb_unwind *u, mdb_addr_t low)
{
	for (size_t i = 0; i < u->nr_left; i++)
		if (u->left[i] == low)
			return true;
	return false;
}

/* Which of the known stacks is sp on? */
static bool
find_stack(struct mdb_unwind *u, mdb_addr_t sp, struct mdb_stack_range *range)
{
	const struct mdb_world_ops *ops = u->world->ops;
	enum mdb_status st = MDB_E_NOTFOUND;

	if (ops && ops->stack_range)
		st = ops->stack_range(u->cx, u->world, sp, range);
	mdb_forget(u->cx);
	return st == MDB_OK && sp >= range->low && sp <= range->high;
}

bool
mdb_unwind_on_known_stack(struct mdb_unwind *u)
{
	if (!u->asked_stack)
		u->on_known_stack =
			find_stack(u, u->frame.regs.r[MDB_R_SP], &u->stack);
	u->asked_stack = true;
	return u->on_known_stack;
}

/* From the stack that the walk is on to the one of sp. */
static bool
enter_stack(struct mdb_unwind *u, mdb_addr_t sp)
{
	struct mdb_stack_range range;

	if (u->on_known_stack) {
		if (u->nr_left == MDB_UNWIND_MAX_LEFT)
			return false;
		u->left[u->nr_left++] = u->stack.low;
	}
	u->on_known_stack = find_stack(u, sp, &range);
	if (!u->on_known_stack)
		return true;
	u->stack = range;
	return !was_left(u, range.low);
}

static const char *
name_of_stack(const struct mdb_unwind *u)
{
	return u->on_known_stack && u->stack.name ? u->stack.name : "task";
}

static bool
switch_stack(struct mdb_unwind *u, mdb_addr_t sp, const char **note_out)
{
	bool backwards = sp <= u->frame.regs.r[MDB_R_SP];
	bool knew = u->on_known_stack;
	const char *from = name_of_stack(u);

	if (!enter_stack(u, sp))
		return false;
	*note_out = mdb_tmp_printf(u->cx, "from the %s stack to the %s stack",
		from, name_of_stack(u));
	if (knew || u->on_known_stack)
		return true;
	*note_out = "another stack";
	return !backwards || u->nr_unknown_switches++ < MAX_UNKNOWN_SWITCHES;
}

/* Further than this a frame pointer may lead to a stack near this one. */
#define USUAL_FRAME 4096u

/*
 * False: the walk does not get on.  Saved registers and saved stack pointers
 * lead to other stacks; which stack it is, is asked only then.  So does the
 * frame pointer of code that has switched (asm_call_irq_on_stack of 5.9 to
 * 5.11), if one of the two stacks is known.
 */
static bool
progresses(struct mdb_unwind *u, const struct mdb_caller *c,
	const char **note_out)
{
	mdb_addr_t old = u->frame.regs.r[MDB_R_SP];
	mdb_addr_t sp = c->regs.r[MDB_R_SP];
	bool near = sp > old && sp - old <= MDB_UNWIND_MAX_FRAME;
	bool here = near && (!u->on_known_stack || sp <= u->stack.high);
	bool known;

	if (!c->is_regs && !c->switches &&
		(!c->framed || (here && sp - old <= USUAL_FRAME)))
		return here;
	if (sp == old) /* no stack is another one that begins here */
		return false;
	known = mdb_unwind_on_known_stack(u);
	if (known && sp >= u->stack.low && sp <= u->stack.high)
		return sp > old;
	if (!known && near)
		return true;
	return switch_stack(u, sp, note_out) &&
	       (!c->framed || known || u->on_known_stack);
}

/* ---- the driver ---------------------------------------------------------- */

static void
init_frame(struct mdb_unwind *u, const struct mdb_regs *regs, bool is_return)
{
	struct mdb_frame *f = &u->frame;

	f->world = u->world;
	f->regs = *regs;
	f->pc = regs->r[MDB_R_IP];
	f->pc_is_return = is_return;
	f->vector = -1;
	u->innermost = true;
	u->object = mdb_unwind_object(u, f->pc);
	/* A paravirtual kernel runs in ring 3 of the upper half. */
	if (mdb_regs_is_user(u->world->arch, regs) && !u->object &&
		!(u->foreign && f->pc >> 63 != 0))
		f->kind = MDB_FRAME_USER;
}

/* Asks the unwinders in turn. */
static enum mdb_unwind_step
find_caller(struct mdb_unwind *u, struct mdb_caller *c)
{
	bool xen = mdb_unwind_is_xen_64(u->world);
	enum mdb_unwind_step step;

	if (u->foreign)
		return mdb_unwind_end(u, MDB_END_NO_UNWIND, "%s", u->foreign);
	if (u->frame.kind == MDB_FRAME_USER)
		return mdb_unwind_end(u, MDB_END_USER, NULL);
	mdb_unwind_ask_frame_pointers(u->cx, u->world);
	/* Only what was interrupted is there. */
	step = u->innermost || u->frame.kind == MDB_FRAME_CROSSING
		       ? mdb_pv_iret_step(u, c)
		       : MDB_STEP_NONE;
	if (step == MDB_STEP_NONE)
		step = mdb_orc_step(u, c);
	if (step == MDB_STEP_NONE)
		step = xen ? mdb_xen_entry_step(u, c) : mdb_entry_step(u, c);
	if (step == MDB_STEP_NONE && u->world->keeps_frame_pointers && !xen)
		step = mdb_frameptr_step(u, c);
	if (step == MDB_STEP_NONE)
		step = mdb_flow_step(u, c);
	if (step == MDB_STEP_NONE && xen)
		step = mdb_xen_frameptr_step(u, c);
	else if (step == MDB_STEP_NONE && !u->world->keeps_frame_pointers)
		step = mdb_frameptr_step(u, c);
	if (step == MDB_STEP_NONE)
		step = mdb_scan_step(u, c);
	return step;
}

/* Is what the unwinder found code at all, and a place that calls return to? */
static enum mdb_unwind_step
check_caller(struct mdb_unwind *u, struct mdb_caller *c)
{
	mdb_addr_t ip = c->regs.r[MDB_R_IP];
	enum mdb_call_check verdict;

	if (c->literal || c->is_regs)
		return MDB_STEP_CALLER;
	if (!u->verify && mdb_unwind_object(u, ip))
		return MDB_STEP_CALLER;
	verdict = mdb_unwind_check_call(u, ip);
	if (verdict == MDB_CALL_YES)
		return MDB_STEP_CALLER;
	if (!mdb_unwind_object(u, ip))
		return mdb_unwind_end(u, MDB_END_NO_UNWIND,
			"the return address 0x%" PRIx64 " at 0x%" PRIx64
			" is not in the code of the kernel or its modules",
			ip, c->cfa - u->world->arch->word);
	/* The first code of a CPU is entered by a far return, not a call. */
	if (verdict == MDB_CALL_NO && !mdb_unwind_trap_at(u, ip - 1).outermost)
		c->guess = true;
	return MDB_STEP_CALLER;
}

static bool
crosses(const struct mdb_unwind *u, const struct mdb_caller *c)
{
	return c->world && c->world != u->world;
}

/*
 * User mode?  A 64-bit kernel above Xen runs in ring 3 as well; its addresses
 * are of the upper half.
 */
static bool
is_user(const struct mdb_unwind *u, const struct mdb_caller *c)
{
	const struct mdb_world *w = c->world ? c->world : u->world;

	if (c->is_user || !c->is_regs)
		return c->is_user;
	if ((crosses(u, c) || c->foreign) && w->arch->word == 8)
		return c->regs.r[MDB_R_IP] >> 63 == 0 &&
		       (c->regs.r[MDB_R_CS] & 3) != 1;
	return mdb_regs_is_user(w->arch, &c->regs);
}

static enum mdb_unwind_step
check_crossing(struct mdb_unwind *u, const struct mdb_caller *c,
	const char **note_out)
{
	*note_out = mdb_tmp_printf(u->cx, "from %s into %s", c->world->name,
		u->world->name);
	if (u->nr_crossings < MAX_CROSSINGS)
		return MDB_STEP_CALLER;
	return mdb_unwind_end(u, MDB_END_CYCLE,
		"it went from one world into another %d times", MAX_CROSSINGS);
}

static enum mdb_unwind_step
check_progress(struct mdb_unwind *u, const struct mdb_caller *c,
	const char **note_out)
{
	mdb_addr_t sp = u->frame.regs.r[MDB_R_SP];

	if (c->foreign)
		return MDB_STEP_CALLER;
	if (crosses(u, c))
		return check_crossing(u, c, note_out);
	/* User mode is another stack and the end: nothing to check. */
	if (is_user(u, c))
		return MDB_STEP_CALLER;
	if (c->returned)
		*note_out = "registers saved for the crash dump: that function "
			    "has returned since, and its return address is "
			    "written over";
	if (!progresses(u, c, note_out))
		return mdb_unwind_end(u, MDB_END_CYCLE,
			"the caller's stack pointer 0x%" PRIx64
			" does not lead on from 0x%" PRIx64,
			c->regs.r[MDB_R_SP], sp);
	return MDB_STEP_CALLER;
}

/* Nothing that is known of stacks in one world holds in another. */
static void
enter_world(struct mdb_unwind *u, struct mdb_world *world)
{
	u->world = world;
	u->nr_crossings++;
	u->nr_left = 0;
	u->asked_stack = u->on_known_stack = false;
	u->window_filled = false;
	u->object = NULL;
}

static void
enter_caller(struct mdb_unwind *u, const struct mdb_caller *c, const char *note)
{
	struct mdb_frame *f = &u->frame;
	bool crossing = crosses(u, c) || c->foreign, user = is_user(u, c);

	if (crosses(u, c))
		enter_world(u, c->world);
	struct mdb_frame next = { .world = u->world,
		.regs = c->regs,
		.pc = c->regs.r[MDB_R_IP],
		.pc_is_return = !c->literal,
		.vector = -1,
		.note = note };

	/* Registers that a processor saved say where it was for sure. */
	u->guessing = c->is_regs ? false : u->guessing || c->guess;
	next.guess = u->guessing;
	next.returned = c->returned;
	next.into_hypervisor = crossing;
	if (c->is_user)
		next.kind = MDB_FRAME_USER;
	if (c->is_regs) {
		next.kind = user       ? MDB_FRAME_USER
			    : crossing ? MDB_FRAME_CROSSING
				       : MDB_FRAME_TRAP;
		next.trap = c->trap.kind;
		next.vector = c->trap.vector;
		next.guest = c->guest;
		next.error_code = c->regs.r[MDB_R_ORIG_AX];
		next.has_error = mdb_trap_has_error(next.vector) &&
				 mdb_reg_known(&c->regs, MDB_R_ORIG_AX) &&
				 next.error_code >> 32 == 0;
	}
	if (c->is_regs && !user && next.trap == MDB_TRAP_NONE)
		next.trap = MDB_TRAP_UNKNOWN;
	*f = next;
	u->innermost = false;
	u->foreign = c->foreign;
	u->object = f->kind == MDB_FRAME_USER || c->foreign
			    ? NULL
			    : mdb_unwind_object(u, f->pc);
}

static enum mdb_status
walk(struct mdb_unwind *u, mdb_frame_fn *fn, void *arg)
{
	for (int n = 0; n < MDB_UNWIND_MAX_FRAMES; n++) {
		struct mdb_caller c = { 0 };
		const char *note = NULL;
		enum mdb_unwind_step step = find_caller(u, &c);
		enum mdb_status st;

		u->frame.fp = u->frame.cfa = u->frame.regs.r[MDB_R_SP];
		if (c.fp != 0) { /* also where the last frame lies */
			u->frame.cfa = c.cfa;
			u->frame.fp = c.fp;
		}
		if (step == MDB_STEP_CALLER)
			step = check_caller(u, &c);
		if (step == MDB_STEP_CALLER)
			step = check_progress(u, &c, &note);
		st = fn(u->cx, &u->frame, arg);
		if (st == MDB_DONE)
			(void)mdb_unwind_end(u, MDB_END_STOPPED, NULL);
		if (st != MDB_OK)
			return st == MDB_DONE ? MDB_OK : st;
		if (step == MDB_STEP_END)
			return MDB_OK;
		enter_caller(u, &c, note);
		st = mdb_check_interrupt(u->cx);
		if (st != MDB_OK)
			return st;
	}
	(void)mdb_unwind_end(u, MDB_END_LIMIT, "more than %d frames",
		MDB_UNWIND_MAX_FRAMES);
	return MDB_OK;
}

static void
start_walk(struct mdb_unwind *u, struct mdb_ctx *cx,
	const struct mdb_unwind_start *start)
{
	memset(u, 0, offsetof(struct mdb_unwind, window));
	u->cx = cx;
	u->world = mdb_world_of_addr(start->world, start->regs.r[MDB_R_IP]);
	u->has_cr2 = mdb_reg_known(&start->regs, MDB_R_CR2);
	u->cr2 = start->regs.r[MDB_R_CR2];
	mdb_xen_start_in_guest(u, &start->regs);
	init_frame(u, &start->regs, start->is_return);
}

static enum mdb_status
note_guess(struct mdb_ctx *cx, const struct mdb_frame *frame, void *arg)
{
	bool *guessed = arg;

	(void)cx;
	*guessed = *guessed || frame->guess;
	return *guessed ? MDB_DONE : MDB_OK;
}

/*
 * Does the walk come to a proper end when each return address in the kernel's
 * code is believed?  A false one leads astray, so then none is: the code
 * before them need not be read, which costs more than all the rest.
 */
static enum mdb_status
ends_well(struct mdb_unwind *u, bool *well_out)
{
	bool guessed = false;
	enum mdb_status st = walk(u, note_guess, &guessed);

	*well_out =
		!guessed && (u->end == MDB_END_USER || u->end == MDB_END_ENTRY);
	return st;
}

enum mdb_status
mdb_unwind_walk(struct mdb_ctx *cx, const struct mdb_unwind_start *start,
	mdb_frame_fn *fn, void *arg, enum mdb_stack_end *end_out,
	const char **why_out)
{
	struct mdb_unwind u;
	bool well = false;
	enum mdb_status st = MDB_OK;

	memset(&u, 0, sizeof(u));
	u.cx = cx;
	if (!mdb_reg_known(&start->regs, MDB_R_IP) ||
		!mdb_reg_known(&start->regs, MDB_R_SP)) {
		(void)mdb_unwind_end(&u, MDB_END_NO_REGS,
			"the instruction or stack pointer is not known");
	} else {
		start_walk(&u, cx, start);
		st = ends_well(&u, &well);
		start_walk(&u, cx, start);
		u.verify = !well;
		if (st == MDB_OK)
			st = walk(&u, fn, arg);
	}
	if (end_out)
		*end_out = u.end;
	if (why_out)
		*why_out = u.why;
	return st;
}

/* NOLINTBEGIN(readability-function-size): the interface's parameters */
enum mdb_status
mdb_stack_walk(struct mdb_ctx *cx, struct mdb_world *world,
	const struct mdb_regs *regs, mdb_frame_fn *fn, void *arg,
	enum mdb_stack_end *end_out, const char **why_out)
{
	const struct mdb_unwind_start start = { .world = world, .regs = *regs };

	return mdb_unwind_walk(cx, &start, fn, arg, end_out, why_out);
}
/* NOLINTEND(readability-function-size) */
