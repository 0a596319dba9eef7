/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mdb/stack/stack_fixture.h"

#define A (FX_TEXT + 0x1000) /* innermost */
#define B (FX_TEXT + 0x2000)
#define C (FX_TEXT + 0x3000)
#define SYSCALL (FX_TEXT + 0x4000)
#define FAULT (FX_TEXT + 0x5000)
#define FORK (FX_TEXT + 0x6000)
#define NO_ORC (FX_TEXT + 0x7000)
#define IRET (FX_TEXT + 0x7800)
#define FILLER (FX_TEXT + 0x8000)

/* Bits of the 2-bit layout. */
#define SP_CALL 0x005u
#define BP_CALL 0x014u /* sp from bp, bp saved below the CFA */
#define REGS 0x105u
#define REGS_BP 0x115u
#define END 0x400u
#define SP_INDIRECT 0x009u

static const struct fx_sym syms[] = {
	{ "a", A },
	{ "b", B },
	{ "c", C },
	{ "entry_SYSCALL_64_after_hwframe", SYSCALL },
	{ "asm_exc_page_fault", FAULT },
	{ "ret_from_fork", FORK },
	{ "no_orc", NO_ORC },
	{ "xen_iret", IRET },
	{ NULL, 0 },
};

static void
setup(struct fixture *fx)
{
	fx_init(fx, syms);
	fx_orc(fx, A, 24, 0, SP_CALL);
	fx_orc(fx, B, 16, -16, BP_CALL);
	fx_orc(fx, C, 8, 0, SP_CALL);
	fx_orc(fx, SYSCALL, 0, 0, REGS);
	fx_orc(fx, FAULT, 0, 0, REGS);
	fx_orc(fx, FORK, 0, 0, END);
	fx_orc(fx, NO_ORC, 0, 0, 0);
	fx_orc(fx, IRET, 0, 0, 0);
	fx_orc_filler(fx, FILLER, 256);
	fx_call_before(fx, A + 0x40);
	fx_call_before(fx, B + 0x40);
	fx_call_before(fx, C + 0x40);
	fx_call_before(fx, SYSCALL + 0x40);
	fx_call_before(fx, FAULT + 0x40);
	fx_call_before(fx, FORK + 0x40);
	fx_call_before(fx, NO_ORC + 0x40);
	fx_call_before(fx, FILLER + 0x40);
}

/* a <- b <- c <- system call <- user mode, at sp. */
static void
put_stack(struct fixture *fx, mdb_addr_t sp)
{
	mdb_addr_t bp = sp + 24 + 32;

	fx_word(fx, sp + 16, B + 0x40);
	fx_word(fx, bp, 0x1234);
	fx_word(fx, bp + 8, C + 0x40);
	fx_word(fx, bp + 16, SYSCALL + 0x40);
	fx_pt_regs(fx, bp + 24, 0x47b7a0, 0x33, 0x7ffdf4e13238);
}

static void
test_unwind_orc_to_user_mode(void **state)
{
	struct fixture fx;
	mdb_addr_t sp = FX_STACK + 0x3000;

	(void)state;
	setup(&fx);
	put_stack(&fx, sp);
	assert_int_equal(fx_walk(&fx, A + 8, sp, sp + 56), MDB_OK);
	assert_int_equal(fx.nr_frames, 5);
	assert_int_equal(fx.end, MDB_END_USER);
	assert_int_equal(fx.frames[0].fp, sp + 8);
	assert_int_equal(fx.frames[0].cfa, sp + 24);
	assert_false(fx.frames[0].pc_is_return);
	assert_int_equal(fx.frames[1].pc, B + 0x40);
	assert_true(fx.frames[1].pc_is_return);
	assert_int_equal(fx.frames[1].fp, sp + 56);
	assert_int_equal(fx.frames[2].pc, C + 0x40);
	assert_int_equal(fx.frames[2].regs.r[MDB_R_BP], 0x1234);
	assert_int_equal(fx.frames[3].pc, SYSCALL + 0x40);
	assert_int_equal(fx.frames[3].fp, sp + 80);
	assert_int_equal(fx.frames[4].kind, MDB_FRAME_USER);
	assert_int_equal(fx.frames[4].trap, MDB_TRAP_SYSCALL);
	assert_int_equal(fx.frames[4].regs.r[MDB_R_ORIG_AX], 1);
	assert_int_equal(fx.frames[4].regs.r[MDB_R_15], 15);
	for (int i = 0; i < 5; i++)
		assert_false(fx.frames[i].guess);
	fx_fini(&fx);
}

static void
test_unwind_decodes_an_exception(void **state)
{
	struct fixture fx;
	mdb_addr_t sp = FX_STACK + 0x1000;
	mdb_addr_t outer = FX_STACK + 0x3000;

	(void)state;
	setup(&fx);
	put_stack(&fx, outer);
	fx_word(&fx, sp, FAULT + 0x40);
	fx_pt_regs(&fx, sp + 8, A + 9, 0x10, outer);
	fx_word(&fx, sp + 8 + 4 * 8, outer + 56); /* bp */
	assert_int_equal(fx_walk(&fx, C, sp, 0), MDB_OK);
	assert_int_equal(fx.nr_frames, 7);
	assert_int_equal(fx.frames[2].kind, MDB_FRAME_TRAP);
	assert_int_equal(fx.frames[2].trap, MDB_TRAP_EXCEPTION);
	assert_int_equal(fx.frames[2].vector, 14);
	assert_int_equal(fx.frames[2].pc, A + 9);
	assert_false(fx.frames[2].pc_is_return);
	assert_int_equal(fx.end, MDB_END_USER);
	fx_fini(&fx);
}

static void
test_unwind_leaves_the_irq_stack(void **state)
{
	struct fixture fx;
	mdb_addr_t sp = FX_IRQ + 0x3f00;
	mdb_addr_t outer = FX_STACK + 0x3000;

	(void)state;
	setup(&fx);
	put_stack(&fx, outer);
	fx_word(&fx, sp, FAULT + 0x40);
	fx_pt_regs(&fx, sp + 8, A + 9, 0x10, outer);
	fx_word(&fx, sp + 8 + 4 * 8, outer + 56);
	assert_int_equal(fx_walk(&fx, C, sp, 0), MDB_OK);
	assert_int_equal(fx.nr_frames, 7);
	assert_null(fx.frames[0].note);
	assert_null(fx.frames[1].note);
	assert_string_equal(fx.frames[2].note,
		"from the IRQ stack to the task stack");
	fx_fini(&fx);
}

static void
test_unwind_refuses_to_enter_a_stack_twice(void **state)
{
	struct fixture fx;
	mdb_addr_t irq = FX_IRQ + 0x3000, task = FX_STACK + 0x1000;

	(void)state;
	setup(&fx);
	fx_word(&fx, irq, FAULT + 0x40);
	fx_pt_regs(&fx, irq + 8, C + 9, 0x10, task);
	fx_word(&fx, task, FAULT + 0x40);
	fx_pt_regs(&fx, task + 8, C + 9, 0x10, irq);
	assert_int_equal(fx_walk(&fx, C, irq, 0), MDB_OK);
	assert_int_equal(fx.end, MDB_END_CYCLE);
	assert_true(fx.nr_frames < 8);
	assert_non_null(fx.why);
	fx_fini(&fx);
}

static void
test_unwind_ends_on_registers_that_point_back(void **state)
{
	struct fixture fx;
	mdb_addr_t sp = FX_STACK + 0x1000;

	(void)state;
	setup(&fx);
	fx_word(&fx, sp, FAULT + 0x40);
	fx_pt_regs(&fx, sp + 8, C, 0x10, sp);
	assert_int_equal(fx_walk(&fx, C, sp, 0), MDB_OK);
	assert_int_equal(fx.end, MDB_END_CYCLE);
	assert_true(fx.nr_frames <= 16);
	fx_fini(&fx);
}

static void
test_unwind_ends_at_the_outermost_function(void **state)
{
	struct fixture fx;
	mdb_addr_t sp = FX_STACK_END - 0x100;

	(void)state;
	setup(&fx);
	fx_word(&fx, sp, FORK + 0x40);
	assert_int_equal(fx_walk(&fx, C, sp, 0), MDB_OK);
	assert_int_equal(fx.nr_frames, 2);
	assert_int_equal(fx.end, MDB_END_ENTRY);
	assert_null(fx.why);
	fx_fini(&fx);
}

static void
test_unwind_shows_a_new_process(void **state)
{
	struct fixture fx;
	mdb_addr_t sp = FX_STACK_END - 168;

	(void)state;
	setup(&fx);
	fx_pt_regs(&fx, sp, 0x401000, 0x33, 0x7fff0000);
	assert_int_equal(fx_walk(&fx, FORK, sp, 0), MDB_OK);
	assert_int_equal(fx.nr_frames, 2);
	assert_int_equal(fx.end, MDB_END_USER);
	assert_int_equal(fx.frames[1].trap, MDB_TRAP_NONE);
	fx_fini(&fx);
}

static void
test_unwind_says_what_cannot_be_read(void **state)
{
	struct fixture fx;
	mdb_addr_t sp = FX_STACK + 0x1000;

	(void)state;
	setup(&fx);
	put_stack(&fx, sp);
	mdb_fake_fault(fx.mem, fx_paddr(FX_STACK + 0x1000), MDB_E_EXCLUDED);
	assert_int_equal(fx_walk(&fx, A, sp, sp + 56), MDB_OK);
	assert_int_equal(fx.nr_frames, 1);
	assert_int_equal(fx.end, MDB_END_UNREADABLE);
	assert_non_null(fx.why);
	assert_string_equal(mdb_trail(&fx.cx), "");
	fx_fini(&fx);
}

static void
test_unwind_marks_what_no_call_precedes(void **state)
{
	struct fixture fx;
	mdb_addr_t sp = FX_STACK + 0x3000;

	(void)state;
	setup(&fx);
	put_stack(&fx, sp);
	fx_word(&fx, sp + 16, B + 0x60);
	fx_word(&fx, sp + 24 + 32 + 24 + 17 * 8, 0); /* cs: no registers */
	assert_int_equal(fx_walk(&fx, A, sp, sp + 56), MDB_OK);
	assert_int_equal(fx.end, MDB_END_NO_REGS);
	assert_false(fx.frames[0].guess);
	assert_true(fx.frames[1].guess);
	assert_true(fx.frames[2].guess);
	fx_fini(&fx);
}

static void
test_unwind_refuses_what_is_no_code(void **state)
{
	struct fixture fx;
	mdb_addr_t sp = FX_STACK + 0x3000;

	(void)state;
	setup(&fx);
	fx_word(&fx, sp + 16, FX_STACK + 0x100);
	assert_int_equal(fx_walk(&fx, A, sp, 0), MDB_OK);
	assert_int_equal(fx.nr_frames, 1);
	assert_int_equal(fx.end, MDB_END_NO_UNWIND);
	fx_fini(&fx);
}

static void
test_unwind_scans_and_says_so(void **state)
{
	struct fixture fx;
	mdb_addr_t sp = FX_STACK + 0x2000;

	(void)state;
	setup(&fx);
	put_stack(&fx, sp + 0x200);
	fx_word(&fx, sp + 0x200 - 8, A + 0x40);
	assert_int_equal(fx_walk(&fx, NO_ORC + 8, sp, 0), MDB_OK);
	assert_int_equal(fx.frames[1].pc, A + 0x40);
	assert_true(fx.frames[1].guess);
	fx_fini(&fx);
}

/* push %rbp; push %rbx; sub $0x20,%rsp; jne +2; ...; call; here */
static void
test_unwind_follows_the_code_without_a_table(void **state)
{
	static const uint8_t code[] = { 0x55, 0x53, 0x48, 0x83, 0xec, 0x20,
		0x75, 0x02, 0x31, 0xc0, 0xe8, 0, 1, 0, 0, 0x90 };
	struct fixture fx;
	mdb_addr_t sp = FX_STACK + 0x2000;

	(void)state;
	setup(&fx);
	fx_write(&fx, NO_ORC, code, sizeof(code));
	/* 0x20, rbx, rbp, then the return address. */
	fx_word(&fx, sp + 0x28, sp + 0x38 + 56);
	fx_word(&fx, sp + 0x30, A + 0x40);
	put_stack(&fx, sp + 0x38);
	assert_int_equal(fx_walk(&fx, NO_ORC + 15, sp, 0xbad), MDB_OK);
	assert_int_equal(fx.nr_frames, 6);
	assert_int_equal(fx.frames[0].fp, sp + 0x28);
	assert_int_equal(fx.frames[1].pc, A + 0x40);
	assert_int_equal(fx.frames[1].regs.r[MDB_R_BP], sp + 0x38 + 56);
	assert_int_equal(fx.end, MDB_END_USER);
	for (int i = 0; i < 6; i++)
		assert_false(fx.frames[i].guess);
	fx_fini(&fx);
}

/* sub $0x7fffffff,%rsp; lea -0x7fffffff(%rsp),%rbp; ...: no stack is there */
static void
test_unwind_follows_code_that_overflows(void **state)
{
	static const uint8_t code[] = { 0x48, 0x81, 0xec, 0xff, 0xff, 0xff,
		0x7f, 0x48, 0x81, 0xec, 0xff, 0xff, 0xff, 0x7f, 0x48, 0x8d,
		0xac, 0x24, 1, 0, 0, 0x80, 0xe8, 0, 1, 0, 0, 0x90 };
	struct fixture fx;
	mdb_addr_t sp = FX_STACK + 0x2000;

	(void)state;
	setup(&fx);
	fx_write(&fx, NO_ORC, code, sizeof(code));
	put_stack(&fx, sp);
	assert_int_equal(fx_walk(&fx, NO_ORC + 27, sp, 0xbad), MDB_OK);
	assert_true(fx.nr_frames < 2 || fx.frames[1].guess);
	fx_fini(&fx);
}

static void
test_unwind_follows_a_call_to_null(void **state)
{
	struct fixture fx;
	mdb_addr_t sp = FX_STACK + 0x2000;

	(void)state;
	setup(&fx);
	put_stack(&fx, sp + 8);
	fx_word(&fx, sp, A + 0x40);
	struct mdb_regs regs = { 0 };

	mdb_reg_set(&regs, MDB_R_IP, 0);
	mdb_reg_set(&regs, MDB_R_CS, 0x10);
	mdb_reg_set(&regs, MDB_R_SP, sp);
	mdb_reg_set(&regs, MDB_R_BP, sp + 8 + 56);
	assert_int_equal(mdb_stack_walk(&fx.cx, fx.world, &regs, fx_collect,
				 &fx, &fx.end, &fx.why),
		MDB_OK);
	assert_int_equal(fx.nr_frames, 6);
	assert_int_equal(fx.frames[1].pc, A + 0x40);
	assert_false(fx.frames[1].guess);
	assert_int_equal(fx.end, MDB_END_USER);
	fx_fini(&fx);
}

static void
test_unwind_switches_stack_through_a_saved_pointer(void **state)
{
	struct fixture fx;
	mdb_addr_t sp = FX_IRQ + 0x3ff0;
	mdb_addr_t outer = FX_STACK + 0x3000;

	(void)state;
	fx_init(&fx, syms);
	fx_orc(&fx, A, 24, 0, SP_CALL);
	fx_orc(&fx, B, 16, -16, BP_CALL);
	fx_orc(&fx, C, 8, 0, SP_INDIRECT);
	fx_orc(&fx, SYSCALL, 0, 0, REGS);
	fx_orc_filler(&fx, FILLER, 256);
	fx_call_before(&fx, A + 0x40);
	fx_call_before(&fx, B + 0x40);
	fx_call_before(&fx, C + 0x40);
	fx_call_before(&fx, SYSCALL + 0x40);
	put_stack(&fx, outer);
	fx_word(&fx, outer - 8, A + 0x40);
	fx_word(&fx, sp, outer - 8);
	/* After the switch: *sp + 8 is the CFA, the return address below. */
	assert_int_equal(fx_walk(&fx, C, sp, outer + 56), MDB_OK);
	assert_int_equal(fx.frames[1].pc, A + 0x40);
	assert_string_equal(fx.frames[1].note,
		"from the IRQ stack to the task stack");
	fx_fini(&fx);
}

static void
test_unwind_switches_stack_through_a_frame_pointer(void **state)
{
	struct fixture fx;
	mdb_addr_t sp = FX_IRQ + 0x3ff0;
	mdb_addr_t outer = FX_STACK + 0x3000;

	(void)state;
	setup(&fx);
	/* Called on the IRQ stack, with a frame left on the task stack. */
	put_stack(&fx, outer);
	fx_word(&fx, sp, B + 0x40);
	assert_int_equal(fx_walk(&fx, C, sp, outer + 56), MDB_OK);
	assert_int_equal(fx.frames[1].pc, B + 0x40);
	assert_int_equal(fx.frames[2].pc, C + 0x40);
	assert_string_equal(fx.frames[2].note,
		"from the IRQ stack to the task stack");
	assert_int_equal(fx.end, MDB_END_USER);
	fx_fini(&fx);
}

static void
test_unwind_leaves_no_unknown_stack_by_a_frame_pointer(void **state)
{
	struct fixture fx;
	mdb_addr_t sp = FX_STACK + 0x3ff0;
	mdb_addr_t outer = FX_STACK + 0x1000;

	(void)state;
	setup(&fx);
	put_stack(&fx, outer);
	fx_word(&fx, sp, B + 0x40);
	assert_int_equal(fx_walk(&fx, C, sp, outer + 56), MDB_OK);
	assert_int_equal(fx.nr_frames, 2);
	assert_int_equal(fx.end, MDB_END_CYCLE);
	fx_fini(&fx);
}

static void
test_unwind_frame_pointers_without_a_table(void **state)
{
	struct fixture fx;
	mdb_addr_t sp = FX_STACK + 0x1000;

	(void)state;
	fx_init(&fx, syms);
	fx_call_before(&fx, B + 0x40);
	fx_call_before(&fx, SYSCALL + 0x40);
	fx_word(&fx, sp + 0x20, sp + 0x60);
	fx_word(&fx, sp + 0x28, B + 0x40);
	fx_word(&fx, sp + 0x60, 0);
	fx_word(&fx, sp + 0x68, SYSCALL + 0x40);
	fx_pt_regs(&fx, sp + 0x70, 0x47b7a0, 0x33, 0x7ffdf4e13238);
	assert_int_equal(fx_walk(&fx, A + 0x10, sp, sp + 0x20), MDB_OK);
	assert_int_equal(fx.nr_frames, 4);
	assert_int_equal(fx.end, MDB_END_USER);
	for (int i = 0; i < 4; i++)
		assert_false(fx.frames[i].guess);
	fx_fini(&fx);
}

static void
test_unwind_frame_pointers_off_the_irq_stack(void **state)
{
	struct fixture fx;
	mdb_addr_t sp = FX_IRQ + 0x3fe0;
	mdb_addr_t outer = FX_STACK + 0x3000;

	(void)state;
	fx_init(&fx, syms);
	fx_call_before(&fx, B + 0x40);
	fx_call_before(&fx, SYSCALL + 0x40);
	fx_word(&fx, sp, outer);
	fx_word(&fx, sp + 8, B + 0x40);
	fx_word(&fx, outer, 0);
	fx_word(&fx, outer + 8, SYSCALL + 0x40);
	fx_pt_regs(&fx, outer + 0x10, 0x47b7a0, 0x33, 0x7ffdf4e13238);
	assert_int_equal(fx_walk(&fx, A + 0x10, sp, sp), MDB_OK);
	assert_int_equal(fx.nr_frames, 4);
	assert_int_equal(fx.end, MDB_END_USER);
	for (int i = 0; i < 4; i++)
		assert_false(fx.frames[i].guess);
	fx_fini(&fx);
}

static void
test_unwind_marked_frame_pointer_off_the_irq_stack(void **state)
{
	struct fixture fx;
	mdb_addr_t sp = FX_IRQ + 0x3fe0;
	mdb_addr_t outer = FX_STACK + 0x3000;

	(void)state;
	fx_init(&fx, syms);
	fx_call_before(&fx, B + 0x40);
	fx_word(&fx, sp, outer | 1);
	fx_word(&fx, sp + 8, B + 0x40);
	fx_pt_regs(&fx, outer, 0x47b7a0, 0x33, 0x7ffdf4e13238);
	assert_int_equal(fx_walk(&fx, A + 0x10, sp, sp), MDB_OK);
	assert_int_equal(fx.nr_frames, 3);
	assert_int_equal(fx.end, MDB_END_USER);
	fx_fini(&fx);
}

/* The boot CPU's idle thread: freed init text, then a far return. */
static void
test_unwind_frame_pointers_through_freed_text(void **state)
{
	static const struct fx_sym names[] = { { "a", A },
		{ "secondary_startup_64", B }, { "start_kernel", C },
		{ NULL, 0 } };
	struct fixture fx;
	mdb_addr_t sp = FX_STACK + 0x1000;

	(void)state;
	fx_init(&fx, names);
	fx.kernel->end = C - 1;
	fx.kernel->sections[0] = (struct mdb_section){ .name = "init",
		.start = C,
		.end = C + 0x1000 };
	fx.kernel->nr_sections = 1;
	fx_word(&fx, sp + 0x20, sp + 0x60);
	fx_word(&fx, sp + 0x28, C + 0x40);
	fx_word(&fx, sp + 0x60, sp + 0x80);
	fx_word(&fx, sp + 0x68, C + 0x80);
	fx_word(&fx, sp + 0x80, 0);
	fx_word(&fx, sp + 0x88, B + 0x40);
	assert_int_equal(fx_walk(&fx, A + 0x10, sp, sp + 0x20), MDB_OK);
	assert_int_equal(fx.nr_frames, 4);
	assert_int_equal(fx.end, MDB_END_ENTRY);
	for (int i = 0; i < 4; i++)
		assert_false(fx.frames[i].guess);
	fx_fini(&fx);
}

static void
test_unwind_frame_pointers_to_the_stub_of_fork(void **state)
{
	static const struct fx_sym names[] = { { "a", A },
		{ "ret_from_fork", B }, { "ret_from_fork_asm", C },
		{ NULL, 0 } };
	struct fixture fx;
	mdb_addr_t sp = FX_STACK + 0x1000;

	(void)state;
	fx_init(&fx, names);
	fx_call_before(&fx, B + 0x40);
	fx_call_before(&fx, C + 0x40);
	fx_word(&fx, sp + 0x20, sp + 0x60);
	fx_word(&fx, sp + 0x28, B + 0x40);
	fx_word(&fx, sp + 0x60, 0);
	fx_word(&fx, sp + 0x68, C + 0x40);
	assert_int_equal(fx_walk(&fx, A + 8, sp, sp + 0x20), MDB_OK);
	assert_int_equal(fx.nr_frames, 3);
	assert_int_equal(fx.frames[2].pc, C + 0x40);
	assert_int_equal(fx.end, MDB_END_ENTRY);
	fx_fini(&fx);
}

static void
test_unwind_without_registers_says_so(void **state)
{
	struct fixture fx;
	struct mdb_regs regs = { 0 };

	(void)state;
	setup(&fx);
	assert_int_equal(mdb_stack_walk(&fx.cx, fx.world, &regs, fx_collect,
				 &fx, &fx.end, &fx.why),
		MDB_OK);
	assert_int_equal(fx.nr_frames, 0);
	assert_int_equal(fx.end, MDB_END_NO_REGS);
	fx_fini(&fx);
}

/* Any one read fails: the walk still ends with a reason. */
static void
test_unwind_survives_each_failing_read(void **state)
{
	(void)state;
	for (unsigned long nth = 1; nth < 200; nth++) {
		struct fixture fx;
		mdb_addr_t sp = FX_STACK + 0x3000;

		setup(&fx);
		put_stack(&fx, sp);
		mdb_fake_fail_nth(fx.mem, nth, MDB_E_LOST, true);
		assert_int_equal(fx_walk(&fx, A + 8, sp, sp + 56), MDB_OK);
		assert_true(fx.nr_frames >= 1);
		fx_fini(&fx);
	}
}

/*
 * A paravirtual kernel on its way out, stopped at each of its instructions:
 * push $0; push rcx, r11, rax; mov $23, eax; syscall.
 */
static void
test_unwind_on_the_way_out_of_a_paravirtual_kernel(void **state)
{
	static const uint8_t code[] = { 0x6a, 0, 0x51, 0x41, 0x53, 0x50, 0xb8,
		23, 0, 0, 0, 0x0f, 5 };
	static const struct {
		unsigned int at, pushed;
	} places[] = { { 0, 0 }, { 2, 1 }, { 3, 2 }, { 5, 3 }, { 6, 4 },
		{ 11, 4 } };
	mdb_addr_t words = FX_STACK_END - 40;
	struct fixture fx;

	(void)state;
	setup(&fx);
	fx_write(&fx, IRET, code, sizeof(code));
	fx_pt_regs(&fx, words - 128, 0x401956, 0x33, 0x7f488f84c240);
	fx_word(&fx, words - 24, 0xcc);
	fx_word(&fx, words - 32, 0xaa);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		assert_int_equal(fx_walk(&fx, IRET + places[i].at,
					 words - 8ull * places[i].pushed, 0),
			MDB_OK);
		assert_int_equal(fx.nr_frames, 2);
		assert_int_equal(fx.end, MDB_END_USER);
		assert_int_equal(fx.frames[1].kind, MDB_FRAME_USER);
		assert_int_equal(fx.frames[1].pc, 0x401956);
		assert_int_equal(mdb_reg_known(&fx.frames[1].regs, MDB_R_AX),
			places[i].pushed == 4);
	}
	assert_int_equal(fx.frames[1].regs.r[MDB_R_AX], 0xaa);
	fx_fini(&fx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unwind_orc_to_user_mode),
		cmocka_unit_test(test_unwind_decodes_an_exception),
		cmocka_unit_test(test_unwind_leaves_the_irq_stack),
		cmocka_unit_test(test_unwind_refuses_to_enter_a_stack_twice),
		cmocka_unit_test(test_unwind_ends_on_registers_that_point_back),
		cmocka_unit_test(test_unwind_ends_at_the_outermost_function),
		cmocka_unit_test(test_unwind_shows_a_new_process),
		cmocka_unit_test(test_unwind_says_what_cannot_be_read),
		cmocka_unit_test(test_unwind_marks_what_no_call_precedes),
		cmocka_unit_test(test_unwind_refuses_what_is_no_code),
		cmocka_unit_test(test_unwind_scans_and_says_so),
		cmocka_unit_test(test_unwind_follows_the_code_without_a_table),
		cmocka_unit_test(test_unwind_follows_code_that_overflows),
		cmocka_unit_test(test_unwind_follows_a_call_to_null),
		cmocka_unit_test(
			test_unwind_switches_stack_through_a_saved_pointer),
		cmocka_unit_test(
			test_unwind_switches_stack_through_a_frame_pointer),
		cmocka_unit_test(
			test_unwind_leaves_no_unknown_stack_by_a_frame_pointer),
		cmocka_unit_test(test_unwind_frame_pointers_without_a_table),
		cmocka_unit_test(test_unwind_frame_pointers_off_the_irq_stack),
		cmocka_unit_test(
			test_unwind_marked_frame_pointer_off_the_irq_stack),
		cmocka_unit_test(test_unwind_frame_pointers_through_freed_text),
		cmocka_unit_test(
			test_unwind_frame_pointers_to_the_stub_of_fork),
		cmocka_unit_test(
			test_unwind_on_the_way_out_of_a_paravirtual_kernel),
		cmocka_unit_test(test_unwind_without_registers_says_so),
		cmocka_unit_test(test_unwind_survives_each_failing_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
