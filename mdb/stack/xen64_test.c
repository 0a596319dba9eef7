/* SPDX-License-Identifier: MIT */
/*
 * 64-bit Xen: stacks followed by the code (flow.c, reach.c, flowstep.c), the
 * entry code's registers (xenentry.c, xen.c) and what lies beyond.  The machine
 * code is typed in; the layout of stacks is that of Xen 4.17.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mdb/stack/stack_fixture.h"

#include "mdb/stack/hypercall.h"

/* Stacks are 32 KiB and aligned to that. */
#define STACK_END (FX_STACK_END + 0x4000)
#define TOP (STACK_END - 0x108) /* the guest's registers */

/* Functions, 0x100 bytes apart. */
#define FN(n) (FX_TEXT + 0x1000 + (mdb_addr_t)(n)*0x100)

enum {
	INNER,
	MIDDLE,
	OUTER,
	OTHER,
	THUNK,
	NORETURN,
	COLD,
	IST,
	LSTAR,
	SOFTIRQS,
	IDLE,
	SAVE,
	RETTHUNK,
	REST,
	STUBS,
	NR_FN
};

static const struct fx_sym syms[] = { { "_stext", FX_TEXT },
	{ "inner", FN(INNER) }, { "file.c#middle", FN(MIDDLE) },
	{ "outer", FN(OUTER) }, { "other", FN(OTHER) },
	{ "__x86_indirect_thunk_rax", FN(THUNK) }, { "noreturn", FN(NORETURN) },
	{ "file.c#middle.cold", FN(COLD) },
	{ "x86_64/entry.S#handle_ist_exception", FN(IST) },
	{ "lstar_enter", FN(LSTAR) }, { "process_softirqs", FN(SOFTIRQS) },
	{ "idle_loop", FN(IDLE) }, { "kexec_crash_save_cpu", FN(SAVE) },
	{ "__x86_return_thunk", FN(RETTHUNK) },
	{ "arch/x86/xdump/cpus.c#xdump_rest", FN(REST) },
	{ "x86_64/entry.S#autogen_stubs", FN(STUBS) }, { "_etext", FN(NR_FN) },
	{ NULL, 0 } };

static enum mdb_status
sized_by_addr(struct mdb_ctx *cx, struct mdb_object *object, mdb_addr_t addr,
	bool near, struct mdb_sym *sym_out)
{
	enum mdb_status st = fx_by_addr(cx, object, addr, near, sym_out);

	if (st == MDB_OK)
		sym_out->size = 0x100;
	return st;
}

static enum mdb_status
by_name(struct mdb_ctx *cx, struct mdb_object *object, const char *name,
	struct mdb_sym *sym_out)
{
	for (const struct fx_sym *s = syms; s->name; s++)
		if (strcmp(s->name, name) == 0)
			return sized_by_addr(cx, object, s->addr, false,
				sym_out);
	return MDB_E_NOTFOUND;
}

static const struct mdb_symtab_ops symtab = { .by_addr = sized_by_addr,
	.by_name = by_name };

static struct mdb_world *guest_world;
static struct mdb_guest guest;

static enum mdb_status
guest_on_stack(struct mdb_ctx *cx, struct mdb_world *world, mdb_addr_t sp,
	struct mdb_guest *guest_out)
{
	(void)world;
	(void)sp;
	*guest_out = guest;
	guest_out->world = guest_world;
	if (!guest_world)
		return mdb_fail(cx, MDB_E_NOTFOUND, "not in the dump");
	return MDB_OK;
}

static enum mdb_status
stack_range(struct mdb_ctx *cx, struct mdb_world *world, mdb_addr_t sp,
	struct mdb_stack_range *range_out)
{
	(void)cx;
	(void)world;
	if (sp >= FX_IRQ && sp <= FX_IRQ_END)
		*range_out = (struct mdb_stack_range){ FX_IRQ, FX_IRQ_END,
			"NMI", 0, 0 };
	else if (sp >= FX_STACK && sp <= STACK_END)
		*range_out = (struct mdb_stack_range){ FX_STACK, STACK_END,
			"primary", 0, TOP };
	else
		return MDB_E_NOTFOUND;
	return MDB_OK;
}

static const struct mdb_world_ops ops = { .stack_range = stack_range,
	.guest_on_stack = guest_on_stack };

/* ---- code ---------------------------------------------------------------- */

struct code {
	struct fixture *fx;
	mdb_addr_t at;
};

static void
bytes(struct code *c, const char *p, size_t len)
{
	fx_write(c->fx, c->at, p, len);
	c->at += len;
}
#define EMIT(c, s) bytes(c, s, sizeof(s) - 1)

static void
relative(struct code *c, const char *op, size_t len, mdb_addr_t to)
{
	int32_t rel;

	bytes(c, op, len);
	rel = (int32_t)(to - (c->at + 4));
	fx_write(c->fx, c->at, &rel, 4);
	c->at += 4;
}
#define CALL(c, to) relative(c, "\xe8", 1, to)
#define JUMP(c, to) relative(c, "\xe9", 1, to)
#define JNE(c, to) relative(c, "\x0f\x85", 2, to)

#define PUSH_RBX "\x53"
#define POP_RBX "\x5b"
#define SUB_16 "\x48\x83\xec\x10"
#define ADD_16 "\x48\x83\xc4\x10"
#define RET "\xc3"
#define NOP "\x90"

/* Where the calls of the usual functions return to. */
struct places {
	mdb_addr_t in_middle, in_outer, in_ist, in_lstar, in_softirqs, in_idle;
};

/*
 * outer: push, call middle; middle: push, sub 16, call inner; inner: nops.
 * Each entry stub calls outer.
 */
static struct places
usual_code(struct fixture *fx)
{
	struct code c = { fx, FN(INNER) };
	struct places p;

	EMIT(&c, NOP NOP NOP NOP NOP NOP NOP NOP RET);
	c.at = FN(MIDDLE);
	EMIT(&c, PUSH_RBX SUB_16);
	CALL(&c, FN(INNER));
	p.in_middle = c.at;
	EMIT(&c, ADD_16 POP_RBX RET);
	c.at = FN(OUTER);
	EMIT(&c, PUSH_RBX);
	CALL(&c, FN(MIDDLE));
	p.in_outer = c.at;
	EMIT(&c, POP_RBX RET);
	c.at = FN(OTHER);
	EMIT(&c, RET);
	c.at = FN(THUNK);
	EMIT(&c, "\xff\xe0");
	c.at = FN(NORETURN);
	EMIT(&c, "\xf4\xeb\xfd");
	c.at = FN(IST) + 0x80;
	CALL(&c, FN(OUTER));
	p.in_ist = c.at;
	c.at = FN(LSTAR) + 0x80;
	CALL(&c, FN(OUTER));
	p.in_lstar = c.at;
	c.at = FN(SOFTIRQS);
	CALL(&c, FN(OUTER));
	p.in_softirqs = c.at;
	c.at = FN(IDLE);
	EMIT(&c, PUSH_RBX);
	CALL(&c, FN(OUTER));
	p.in_idle = c.at;
	JUMP(&c, FN(IDLE) + 1);
	return p;
}

/* ---- stacks -------------------------------------------------------------- */

static struct places
begin(struct fixture *fx)
{
	fx_init(fx, syms);
	fx_window(fx, FX_STACK_END, STACK_END);
	fx_map(fx, FX_STACK_END, STACK_END);
	fx->world->kind = MDB_WORLD_XEN;
	fx->world->ops = &ops;
	fx->world->range_start = FX_IRQ;
	fx->world->range_last = FX_TEXT + 0x80000;
	fx->kernel->symtab_ops = &symtab;
	guest_world = NULL;
	guest = (struct mdb_guest){ .domain = 3, .vcpu = 1 };
	return usual_code(fx);
}

/* inner called by middle called by outer, which returns to `to`; returns sp. */
static mdb_addr_t
usual_stack(struct fixture *fx, const struct places *p, mdb_addr_t top,
	mdb_addr_t to)
{
	fx_word(fx, top - 8, to);
	fx_word(fx, top - 16, 0x1111);
	fx_word(fx, top - 24, p->in_outer);
	fx_word(fx, top - 32, 0x2222);
	fx_word(fx, top - 56, p->in_middle);
	return top - 56;
}

static void
user_regs(struct fixture *fx, mdb_addr_t at, unsigned int vector, uint64_t ip,
	uint64_t cs, uint64_t sp)
{
	const uint64_t words[21] = { 15, 14, 13, 12, 5, 3, 11, 10, 9, 8, 35, 1,
		2, 6, 7, (uint64_t)vector << 32, ip, cs, 0x246, sp,
		cs & 3 ? 0xe02b : 0xe010 };

	fx_write(fx, at, words, sizeof(words));
}

static void
assert_usual(const struct fixture *fx, const struct places *p)
{
	assert_true(fx->nr_frames >= 4);
	assert_int_equal(fx->frames[0].pc, FN(INNER) + 3);
	assert_int_equal(fx->frames[1].pc, p->in_middle);
	assert_int_equal(fx->frames[2].pc, p->in_outer);
	for (size_t i = 0; i < 4; i++) {
		assert_false(fx->frames[i].guess);
		assert_false(fx->frames[i].returned);
	}
}

static void
test_xen64_idle_stack_ends_at_its_top(void **state)
{
	struct fixture fx;
	struct places p = begin(&fx);
	mdb_addr_t sp;

	(void)state;
	sp = usual_stack(&fx, &p, TOP - 8, p.in_idle);
	user_regs(&fx, TOP, 0x100, 0xffffffff88000000, 0xe033, 0x1000);
	assert_int_equal(fx_walk(&fx, FN(INNER) + 3, sp, 0), MDB_OK);
	assert_int_equal(fx.nr_frames, 4);
	assert_usual(&fx, &p);
	assert_int_equal(fx.frames[3].pc, p.in_idle);
	assert_int_equal(fx.end, MDB_END_ENTRY);
	fx_fini(&fx);
}

static void
test_xen64_call_of_another_function_refutes(void **state)
{
	struct fixture fx;
	struct places p = begin(&fx);
	struct code c = { &fx, FN(OTHER) + 0x40 };
	mdb_addr_t sp;

	(void)state;
	/* A place that calls `other` lies where middle's caller should. */
	CALL(&c, FN(OTHER));
	sp = usual_stack(&fx, &p, TOP - 8, p.in_idle);
	fx_word(&fx, sp, c.at);
	assert_int_equal(fx_walk(&fx, FN(INNER) + 3, sp, 0), MDB_OK);
	/* Then only a scan is left, and says so. */
	assert_true(fx.nr_frames > 1);
	assert_true(fx.frames[1].guess);
	fx_fini(&fx);
}

static void
test_xen64_tail_call_and_pointer_are_possible(void **state)
{
	struct fixture fx;
	struct places p = begin(&fx);
	struct code c = { &fx, FN(OTHER) };
	mdb_addr_t sp;

	(void)state;
	/* other jumps to inner; middle calls other. */
	JUMP(&c, FN(INNER));
	c.at = FN(MIDDLE) + 5;
	CALL(&c, FN(OTHER));
	/* outer calls middle through a pointer. */
	c.at = FN(OUTER) + 1;
	CALL(&c, FN(THUNK));
	sp = usual_stack(&fx, &p, TOP - 8, p.in_idle);
	assert_int_equal(fx_walk(&fx, FN(INNER) + 3, sp, 0), MDB_OK);
	assert_int_equal(fx.nr_frames, 4);
	assert_usual(&fx, &p);
	fx_fini(&fx);
}

static void
test_xen64_code_behind_a_call_that_stays_away(void **state)
{
	struct fixture fx;
	struct places p = begin(&fx);
	struct code c = { &fx, FN(MIDDLE) };
	mdb_addr_t sp;

	(void)state;
	/*
	 * A path that never returns ends where the block begins that makes our
	 * call: 64 bytes deeper, were it to go on.
	 */
	JNE(&c, FN(MIDDLE) + 0x20);
	EMIT(&c, "\x48\x83\xec\x40");
	CALL(&c, FN(NORETURN));
	assert_true(c.at < FN(MIDDLE) + 0x20);
	JUMP(&c, FN(MIDDLE) + 0x20);
	c.at = FN(MIDDLE) + 0x20;
	EMIT(&c, PUSH_RBX SUB_16);
	CALL(&c, FN(INNER));
	p.in_middle = c.at;
	EMIT(&c, ADD_16 POP_RBX RET);
	sp = usual_stack(&fx, &p, TOP - 8, p.in_idle);
	assert_int_equal(fx_walk(&fx, FN(INNER) + 3, sp, 0), MDB_OK);
	assert_int_equal(fx.nr_frames, 4);
	assert_usual(&fx, &p);
	fx_fini(&fx);
}

static void
test_xen64_cold_part_is_of_its_function(void **state)
{
	struct fixture fx;
	struct places p = begin(&fx);
	struct code c = { &fx, FN(MIDDLE) };
	mdb_addr_t sp;

	(void)state;
	EMIT(&c, PUSH_RBX SUB_16);
	JNE(&c, FN(COLD));
	EMIT(&c, ADD_16 POP_RBX RET);
	/* Ends with the call: nothing of its own says how deep it is. */
	c.at = FN(COLD);
	CALL(&c, FN(INNER));
	p.in_middle = c.at;
	EMIT(&c, "\x0f\x0b");
	sp = usual_stack(&fx, &p, TOP - 8, p.in_idle);
	assert_int_equal(fx_walk(&fx, FN(INNER) + 3, sp, 0), MDB_OK);
	assert_int_equal(fx.nr_frames, 4);
	assert_usual(&fx, &p);
	fx_fini(&fx);
}

static void
test_xen64_what_only_a_table_leads_to_is_followed_ahead(void **state)
{
	struct fixture fx;
	struct places p = begin(&fx);
	struct code c = { &fx, FN(MIDDLE) };
	mdb_addr_t sp;

	(void)state;
	EMIT(&c, PUSH_RBX SUB_16 "\xff\xe0"); /* jmp *%rax */
	c.at = FN(MIDDLE) + 0x40;
	CALL(&c, FN(INNER));
	p.in_middle = c.at;
	EMIT(&c, ADD_16 POP_RBX);
	JUMP(&c, FN(RETTHUNK));
	sp = usual_stack(&fx, &p, TOP - 8, p.in_idle);
	assert_int_equal(fx_walk(&fx, FN(INNER) + 3, sp, 0), MDB_OK);
	assert_int_equal(fx.nr_frames, 4);
	assert_usual(&fx, &p);
	fx_fini(&fx);
}

static void
test_xen64_interrupted_in_a_thunk(void **state)
{
	struct fixture fx;
	struct places p = begin(&fx);
	struct code c = { &fx, FN(THUNK) };
	mdb_addr_t sp;

	(void)state;
	/* call 1f; 2: pause; jmp 2b; 1: mov %rax,(%rsp); ret */
	EMIT(&c, "\xe8\x04\x00\x00\x00\xf3\x90\xeb\xfc"
		 "\x48\x89\x04\x24\xc3");
	c.at = FN(MIDDLE) + 5;
	CALL(&c, FN(THUNK));
	sp = usual_stack(&fx, &p, TOP - 8, p.in_idle);
	fx_word(&fx, sp - 8, FN(THUNK) + 5);
	assert_int_equal(fx_walk(&fx, FN(THUNK) + 9, sp - 8, 0), MDB_OK);
	assert_int_equal(fx.nr_frames, 4);
	assert_int_equal(fx.frames[1].pc, p.in_middle);
	assert_false(fx.frames[1].guess);
	assert_int_equal(fx.end, MDB_END_ENTRY);
	fx_fini(&fx);
}

/* Every function ends there: who was called says nothing of it. */
static void
test_xen64_interrupted_in_the_return_thunk(void **state)
{
	struct fixture fx;
	struct places p = begin(&fx);
	struct code c = { &fx, FN(RETTHUNK) };
	mdb_addr_t sp;

	(void)state;
	EMIT(&c, RET "\xcc");
	sp = usual_stack(&fx, &p, TOP - 8, p.in_idle);
	assert_int_equal(fx_walk(&fx, FN(RETTHUNK), sp, 0), MDB_OK);
	assert_int_equal(fx.nr_frames, 4);
	assert_int_equal(fx.frames[1].pc, p.in_middle);
	assert_int_equal(fx.frames[2].pc, p.in_outer);
	assert_false(fx.frames[1].guess);
	assert_false(fx.frames[2].guess);
	fx_fini(&fx);
}

/* A dump writer stopped it in the midst of a function, and left it so. */
static void
test_xen64_rests_on_the_stack_where_it_was(void **state)
{
	struct fixture fx;
	struct places p = begin(&fx);
	mdb_addr_t sp = usual_stack(&fx, &p, TOP - 8, p.in_idle) - 8;

	(void)state;
	fx_word(&fx, sp, FN(INNER) + 3);
	assert_int_equal(fx_walk(&fx, FN(REST) + 5, sp, 0), MDB_OK);
	assert_int_equal(fx.nr_frames, 5);
	assert_int_equal(fx.frames[1].pc, FN(INNER) + 3);
	assert_false(fx.frames[1].pc_is_return);
	assert_int_equal(fx.frames[2].pc, p.in_middle);
	for (size_t i = 0; i < fx.nr_frames; i++)
		assert_false(fx.frames[i].guess);
	fx_fini(&fx);
	/* Or not: no code is there. */
	(void)begin(&fx);
	fx_word(&fx, sp, 0x1234);
	(void)fx_walk(&fx, FN(REST) + 5, sp, 0);
	assert_true(fx.nr_frames == 1 || fx.frames[1].guess);
	fx_fini(&fx);
}

static void
test_xen64_nmi_then_hypercall_then_a_guest_that_is_not_here(void **state)
{
	const struct mdb_frame *f;
	struct fixture fx;
	struct places p = begin(&fx);
	mdb_addr_t sp, regs = FX_IRQ_END - 0x200 - 0xa8;

	(void)state;
	sp = usual_stack(&fx, &p, regs, p.in_ist);
	user_regs(&fx, regs, 2, FN(INNER) + 3, 0xe008,
		usual_stack(&fx, &p, TOP, p.in_lstar));
	user_regs(&fx, TOP, 0x100, 0xffffffff88000005, 0xe033,
		0xffffc90000100000);
	assert_int_equal(fx_walk(&fx, FN(INNER) + 3, sp, 0), MDB_OK);
	assert_int_equal(fx.nr_frames, 9);
	assert_usual(&fx, &p);
	assert_int_equal(fx.frames[3].pc, p.in_ist);
	f = &fx.frames[4];
	assert_int_equal(f->kind, MDB_FRAME_TRAP);
	assert_int_equal(f->trap, MDB_TRAP_NMI);
	assert_int_equal(f->pc, FN(INNER) + 3);
	assert_false(f->pc_is_return);
	assert_non_null(strstr(f->note, "NMI"));
	assert_int_equal(fx.frames[7].pc, p.in_lstar);
	f = &fx.frames[8];
	assert_int_equal(f->kind, MDB_FRAME_CROSSING);
	assert_int_equal(f->trap, MDB_TRAP_HYPERCALL);
	assert_int_equal(f->regs.r[MDB_R_ORIG_AX], 35);
	assert_string_equal(f->guest, "d3v1");
	assert_int_equal(fx.end, MDB_END_NO_UNWIND);
	assert_non_null(strstr(fx.why, "not in the dump"));
	fx_fini(&fx);
}

static void
test_xen64_number_of_a_hypercall_that_is_done_is_not_told(void **state)
{
	const struct mdb_frame *f;
	struct fixture fx;
	struct places p = begin(&fx);
	mdb_addr_t sp;

	(void)state;
	sp = usual_stack(&fx, &p, TOP, p.in_softirqs);
	user_regs(&fx, TOP, 0x100, 0xffffffff88000005, 0xe033,
		0xffffc90000100000);
	assert_int_equal(fx_walk(&fx, FN(INNER) + 3, sp, 0), MDB_OK);
	assert_int_equal(fx.nr_frames, 5);
	f = &fx.frames[4];
	assert_int_equal(f->trap, MDB_TRAP_HYPERCALL);
	assert_false(mdb_reg_known(&f->regs, MDB_R_ORIG_AX));
	assert_non_null(strstr(mdb_hypercall_text(&fx.cx, NULL, &f->regs),
		"no longer"));
	fx_fini(&fx);
}

static void
test_xen64_interrupted_in_the_entry_code(void **state)
{
	const struct mdb_frame *f;
	struct fixture fx;
	struct places p = begin(&fx);

	(void)state;
	(void)p;
	/* Five registers are on the stack above the ten that are not. */
	user_regs(&fx, TOP, 0x100, 0xffffffff88000005, 0xe033,
		0xffffc90000100000);
	assert_int_equal(fx_walk(&fx, FN(LSTAR) + 4, TOP + 0x50, 0), MDB_OK);
	assert_int_equal(fx.nr_frames, 2);
	f = &fx.frames[1];
	assert_int_equal(f->pc, 0xffffffff88000005);
	assert_true(mdb_reg_known(&f->regs, MDB_R_SP));
	assert_false(mdb_reg_known(&f->regs, MDB_R_BX));
	assert_false(mdb_reg_known(&f->regs, MDB_R_ORIG_AX));
	fx_fini(&fx);
}

/* The processor has come in and pushed its own words: nothing else is there. */
static void
test_xen64_stopped_at_an_interrupt_s_first_instruction(void **state)
{
	const struct mdb_frame *f;
	struct fixture fx;
	struct places p = begin(&fx);
	mdb_addr_t regs = TOP - 0x100, sp;

	(void)state;
	sp = usual_stack(&fx, &p, TOP - 8, p.in_idle);
	user_regs(&fx, regs, 0, FN(INNER) + 3, 0xe008, sp);
	assert_int_equal(fx_walk(&fx, FN(STUBS), regs + 128, 0), MDB_OK);
	assert_int_equal(fx.nr_frames, 5);
	f = &fx.frames[1];
	assert_int_equal(f->pc, FN(INNER) + 3);
	assert_false(mdb_reg_known(&f->regs, MDB_R_BX));
	for (size_t i = 0; i < 5; i++)
		assert_false(fx.frames[i].guess);
	assert_int_equal(fx.frames[4].pc, p.in_idle);
	assert_int_equal(fx.end, MDB_END_ENTRY);
	/* And with the vector. */
	assert_int_equal(fx_walk(&fx, FN(STUBS) + 6, regs + 120, 0), MDB_OK);
	assert_int_equal(fx.nr_frames, 5);
	assert_int_equal(fx.frames[1].pc, FN(INNER) + 3);
	fx_fini(&fx);
}

#define STUB (FX_TEXT + 0x60000) /* in no object */
#define GUEST_IP 0xffffffff88000005ull
#define GUEST_SP 0xffffc90000100000ull

/* A walk from a CPU whose guest has just made a hypercall. */
static const struct mdb_frame *
walk_syscall(struct fixture *fx, mdb_addr_t pc, uint64_t sp, uint64_t ax)
{
	struct mdb_regs regs = { 0 };

	mdb_reg_set(&regs, MDB_R_IP, pc);
	mdb_reg_set(&regs, MDB_R_SP, sp);
	mdb_reg_set(&regs, MDB_R_AX, ax);
	mdb_reg_set(&regs, MDB_R_CX, GUEST_IP);
	mdb_reg_set(&regs, MDB_R_11, 0x246);
	fx->nr_frames = 0;
	assert_int_equal(mdb_stack_walk(&fx->cx, fx->world, &regs, fx_collect,
				 fx, &fx->end, &fx->why),
		MDB_OK);
	assert_int_equal(fx->nr_frames, 2);
	assert_int_equal(fx->frames[1].kind, MDB_FRAME_CROSSING);
	assert_int_equal(fx->frames[1].trap, MDB_TRAP_HYPERCALL);
	assert_int_equal(fx->frames[1].pc, GUEST_IP);
	assert_int_equal(fx->frames[1].regs.r[MDB_R_SP], GUEST_SP);
	assert_string_equal(fx->frames[1].guest, "d3v1");
	return &fx->frames[1];
}

/* The stub saves rax, loads rsp and jumps: at each of its instructions. */
static void
test_xen64_a_syscall_in_its_stub(void **state)
{
	const mdb_addr_t ss = TOP + 160;
	struct fixture fx;
	const struct mdb_frame *f;
	struct code c = { &fx, STUB };

	(void)state;
	(void)begin(&fx);
	EMIT(&c, "\x48\xa3");
	fx_word(&fx, c.at, ss);
	c.at += 8;
	EMIT(&c, "\x48\x89\xe0\x48\xbc");
	fx_word(&fx, c.at, ss);
	c.at += 8;
	JUMP(&c, FN(LSTAR));
	f = walk_syscall(&fx, STUB, GUEST_SP, 35);
	assert_int_equal(f->regs.r[MDB_R_ORIG_AX], 35);
	fx_word(&fx, ss, 35);
	(void)walk_syscall(&fx, STUB + 10, GUEST_SP, 35);
	(void)walk_syscall(&fx, STUB + 13, GUEST_SP, GUEST_SP);
	f = walk_syscall(&fx, STUB + 23, ss, GUEST_SP);
	assert_int_equal(f->regs.r[MDB_R_ORIG_AX], 35);
	/* And where that jumps to, until ip is on the stack. */
	(void)walk_syscall(&fx, FN(LSTAR), ss, GUEST_SP);
	fx_word(&fx, ss - 8, GUEST_SP);
	for (unsigned int i = 1; i < 4; i++)
		(void)walk_syscall(&fx, FN(LSTAR) + 8 * i, ss - 8ull * i, 35);
	fx_fini(&fx);
}

/* A Linux beyond, with a stack at FX_STACK. */
static void
make_guest(struct fixture *fx)
{
	guest_world = mdb_world_create(fx->target, MDB_WORLD_LINUX, "linux");
	guest_world->space = mdb_space_create("guest", fx->mem,
		&mdb_arch_x86_64, MDB_PAGING_NONE, 0);
	mdb_space_add_window(guest_world->space, FX_STACK, FX_STACK_END,
		fx_paddr(FX_STACK) - FX_STACK);
	guest_world->objects_loaded = true;
	mdb_target_add_world(fx->target, guest_world);
}

static void
test_xen64_crosses_into_the_guest_s_kernel(void **state)
{
	struct fixture fx;
	struct places p = begin(&fx);
	mdb_addr_t sp;

	(void)state;
	make_guest(&fx);
	sp = usual_stack(&fx, &p, TOP, p.in_lstar);
	user_regs(&fx, TOP, 0x100, 0xffffffff88000005, 0xe033,
		0xffffc90000100000);
	assert_int_equal(fx_walk(&fx, FN(INNER) + 3, sp, 0), MDB_OK);
	assert_int_equal(fx.frames[4].kind, MDB_FRAME_CROSSING);
	assert_ptr_equal(fx.frames[4].world, guest_world);
	assert_string_equal(fx.frames[4].note, "from linux into linux");
	fx_fini(&fx);
}

/* The guest's kernel leaves for user mode: the hypercall iret. */
static void
test_xen64_crosses_into_a_guest_on_its_way_out(void **state)
{
	const mdb_addr_t stack = FX_STACK + 0x1000;
	const uint64_t context[] = { 0xaa, 0x246, 0xcc, 0, 0x401956, 0x33,
		0x206, 0x7f488f84c240, 0x2b };
	struct fixture fx;
	struct places p = begin(&fx);
	mdb_addr_t sp;

	(void)state;
	make_guest(&fx);
	fx_write(&fx, stack, context, sizeof(context));
	sp = usual_stack(&fx, &p, TOP, p.in_lstar);
	user_regs(&fx, TOP, 0x100, 0xffffffff88000005, 0xe033, stack);
	fx_word(&fx, TOP + 80, 23); /* rax */
	assert_int_equal(fx_walk(&fx, FN(INNER) + 3, sp, 0), MDB_OK);
	assert_int_equal(fx.nr_frames, 6);
	assert_int_equal(fx.frames[4].kind, MDB_FRAME_CROSSING);
	assert_int_equal(fx.frames[5].kind, MDB_FRAME_USER);
	assert_int_equal(fx.frames[5].pc, 0x401956);
	assert_int_equal(fx.frames[5].regs.r[MDB_R_AX], 0xaa);
	assert_int_equal(fx.frames[5].regs.r[MDB_R_CX], 0xcc);
	assert_int_equal(fx.frames[5].regs.r[MDB_R_BX], 3);
	assert_int_equal(fx.end, MDB_END_USER);
	fx_fini(&fx);
}

/* And when Xen has taken its registers over: no divide error. */
static void
test_xen64_vector_of_a_guest_on_its_way_out_is_not_told(void **state)
{
	struct fixture fx;
	struct places p = begin(&fx);
	const struct {
		mdb_addr_t from;
		enum mdb_trap_kind trap;
	} ways[] = { { p.in_lstar, MDB_TRAP_HYPERCALL },
		{ p.in_softirqs, MDB_TRAP_UNKNOWN },
		{ p.in_ist, MDB_TRAP_EXCEPTION } };

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		mdb_addr_t sp = usual_stack(&fx, &p, TOP, ways[i].from);

		user_regs(&fx, TOP, 0, 0xffffffff88000005, 0xe033,
			0xffffc90000100000);
		assert_int_equal(fx_walk(&fx, FN(INNER) + 3, sp, 0), MDB_OK);
		assert_int_equal(fx.nr_frames, 5);
		assert_int_equal(fx.frames[4].trap, ways[i].trap);
		assert_false(ways[i].trap == MDB_TRAP_HYPERCALL &&
			     mdb_reg_known(&fx.frames[4].regs, MDB_R_ORIG_AX));
	}
	fx_fini(&fx);
}

static void
test_xen64_return_address_that_is_written_over(void **state)
{
	struct fixture fx;
	struct places p = begin(&fx);
	struct code c = { &fx, FN(SAVE) };
	mdb_addr_t sp = TOP - 8 - 32, second;

	(void)state;
	EMIT(&c, NOP NOP NOP NOP RET);
	/* middle calls the one that saves registers, then another. */
	c.at = FN(MIDDLE);
	EMIT(&c, PUSH_RBX);
	CALL(&c, FN(SAVE));
	CALL(&c, FN(OTHER));
	second = c.at;
	EMIT(&c, POP_RBX RET);
	fx_word(&fx, TOP - 16, p.in_idle);
	fx_word(&fx, TOP - 24, 0x1111);
	fx_word(&fx, TOP - 32, p.in_outer);
	fx_word(&fx, TOP - 40, 0x2222);
	fx_word(&fx, TOP - 48, second);
	sp = TOP - 48;
	assert_int_equal(fx_walk(&fx, FN(SAVE) + 2, sp, 0), MDB_OK);
	assert_int_equal(fx.nr_frames, 4);
	assert_true(fx.frames[1].returned);
	assert_false(fx.frames[1].guess);
	assert_int_equal(fx.frames[1].pc, second);
	assert_non_null(fx.frames[1].note);
	assert_false(fx.frames[2].returned);
	assert_int_equal(fx.frames[2].pc, p.in_outer);
	assert_int_equal(fx.end, MDB_END_ENTRY);
	fx_fini(&fx);
}

static void
test_xen64_frame_pointers_are_seen_in_the_code(void **state)
{
	struct fixture fx;

	(void)state;
	(void)begin(&fx);
	mdb_unwind_ask_frame_pointers(&fx.cx, fx.world);
	assert_false(fx.world->keeps_frame_pointers);
	fx_fini(&fx);
	(void)begin(&fx);
	fx.kernel->base = FX_TEXT + 0x1000;
	fx.kernel->end = FN(NR_FN);
	for (int i = 0; i < NR_FN; i++) {
		struct code c = { &fx, FN(i) };

		EMIT(&c, "\xf3\x0f\x1e\xfa\x55\x48\x89\xe5");
	}
	mdb_unwind_ask_frame_pointers(&fx.cx, fx.world);
	assert_true(fx.world->keeps_frame_pointers);
	fx_fini(&fx);
}

static void
test_xen64_names(void **state)
{
	(void)state;
	assert_string_equal(mdb_hypercall_name(35), "sysctl");
	assert_null(mdb_hypercall_name(43));
	assert_null(mdb_hypercall_name(UINT64_MAX));
	assert_string_equal(mdb_hypercall_op_name(29, 1), "block");
	assert_null(mdb_hypercall_op_name(29, 1000));
	assert_null(mdb_hypercall_op_name(3, 0));
	/* memory_op that goes on where it was broken off */
	assert_string_equal(mdb_hypercall_op_name(12, 6 | 0x400),
		"populate_physmap");
	assert_int_equal(mdb_hypercall_op_place(12), MDB_HYPERCALL_OP_ARGUMENT);
	assert_int_equal(mdb_hypercall_op_place(35), MDB_HYPERCALL_OP_MEMORY);
	assert_int_equal(mdb_hypercall_op_place(3), MDB_HYPERCALL_OP_NONE);
	assert_int_equal(mdb_hypercall_nr_ops(18), 2);
	assert_int_equal(mdb_hypercall_nr_ops(UINT64_MAX), 0);
	assert_string_equal(mdb_xen_interrupt_name(0xfb), "function call");
	assert_null(mdb_xen_interrupt_name(0x31));
	assert_int_equal(mdb_xen_entry_of_name("lstar_enter"),
		MDB_XEN_ENTRY_CALL);
	assert_int_equal(
		mdb_xen_entry_of_name("x86_64/entry.S#restore_all_xen"),
		MDB_XEN_ENTRY_BACK);
	assert_int_equal(mdb_xen_entry_of_name("vmx_asm_vmexit_handler"),
		MDB_XEN_ENTRY_VMEXIT);
	assert_int_equal(mdb_xen_entry_of_name("nmi_shootdown"),
		MDB_XEN_ENTRY_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_xen64_idle_stack_ends_at_its_top),
		cmocka_unit_test(test_xen64_call_of_another_function_refutes),
		cmocka_unit_test(test_xen64_tail_call_and_pointer_are_possible),
		cmocka_unit_test(test_xen64_code_behind_a_call_that_stays_away),
		cmocka_unit_test(test_xen64_cold_part_is_of_its_function),
		cmocka_unit_test(
			test_xen64_what_only_a_table_leads_to_is_followed_ahead),
		cmocka_unit_test(test_xen64_interrupted_in_a_thunk),
		cmocka_unit_test(test_xen64_interrupted_in_the_return_thunk),
		cmocka_unit_test(test_xen64_rests_on_the_stack_where_it_was),
		cmocka_unit_test(
			test_xen64_nmi_then_hypercall_then_a_guest_that_is_not_here),
		cmocka_unit_test(
			test_xen64_number_of_a_hypercall_that_is_done_is_not_told),
		cmocka_unit_test(test_xen64_interrupted_in_the_entry_code),
		cmocka_unit_test(
			test_xen64_stopped_at_an_interrupt_s_first_instruction),
		cmocka_unit_test(test_xen64_a_syscall_in_its_stub),
		cmocka_unit_test(test_xen64_crosses_into_the_guest_s_kernel),
		cmocka_unit_test(
			test_xen64_crosses_into_a_guest_on_its_way_out),
		cmocka_unit_test(
			test_xen64_vector_of_a_guest_on_its_way_out_is_not_told),
		cmocka_unit_test(
			test_xen64_return_address_that_is_written_over),
		cmocka_unit_test(
			test_xen64_frame_pointers_are_seen_in_the_code),
		cmocka_unit_test(test_xen64_names),
	};

	return cmocka_run_group_tests_name("xen64", tests, NULL, NULL);
}
