/* SPDX-License-Identifier: MIT */
/* A 32-bit Xen's stack and its kernel's: xen.c, args.c, frame pointers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mdb/stack/unwind.h"
#include "mdb/world/native_build.h"

#define MAX_FRAMES 32

/* In the kernel: functions and the addresses that their calls return to. */
#define INNER (NB_UNIX + 0x76e94) /* page_ctr_sub_internal */
#define SUB (NB_UNIX + 0x77000)
#define LIST (NB_UNIX + 0x78000)
#define THREAD (NB_UNIX + 0x79000)

struct stack {
	struct native_build nb;
	struct mdb_frame frames[MAX_FRAMES];
	size_t nr;
	enum mdb_stack_end end;
	const char *why;
};

static void
frame(struct stack *s, uint32_t at, uint32_t bp, uint32_t ip)
{
	nb_word(&s->nb, at, bp);
	nb_word(&s->nb, at + 4, ip);
	nb_call_before(&s->nb, ip);
}

static void
hypervisor_stack(struct stack *s)
{
	static const uint32_t regs[] = { 1, 2, 3, 4, 5, 0xc5a0901c, 0,
		0x000e0002, INNER + 9, 0x61, 0x10286, 0xc5a08fe0, 0x69, 0x7b,
		0x7b, 0, 0x161 };

	frame(s, 0xffbf3f38, 0xffbf3f48, 0xff11b058);
	frame(s, 0xffbf3f48, 0xffbf3f68, 0xff1043f0);
	frame(s, 0xffbf3f68, 0xffbf3f88, 0xff10435c);
	frame(s, 0xffbf3f88, 0xffbf3fa8, 0xff10438b);
	frame(s, 0xffbf3fa8, ~0xffbf3fc8u, 0xff17daf1);
	nb_write(&s->nb, 0xffbf3fb4, regs, sizeof(regs));
}

static void
kernel_stack(struct stack *s)
{
	static const uint32_t args[] = { 0, 0, 0xf3328700, 1 };
	static const uint8_t pop_four[] = { 0x83, 0xc4, 0x10 };
	static const uint8_t pop_one[] = { 0x59 };

	frame(s, 0xc5a0901c, 0xc5a0904c, SUB + 0x47);
	nb_write(&s->nb, SUB + 0x47, pop_one, sizeof(pop_one));
	nb_word(&s->nb, 0xc5a09024, 0xf00f);
	frame(s, 0xc5a0904c, 0xc5a090e4, LIST + 0x3c1);
	nb_write(&s->nb, 0xc5a09054, args, sizeof(args));
	nb_write(&s->nb, LIST + 0x3c1, pop_four, sizeof(pop_four));
	/* The thread's first function: nothing called it. */
	nb_word(&s->nb, 0xc5a090e4, 0);
	nb_word(&s->nb, 0xc5a090e8, THREAD + 8);
	nb_word(&s->nb, THREAD, 0x90909090);
}

static void
begin(struct stack *s)
{
	memset(s, 0, sizeof(*s));
	nb_init(&s->nb);
	nb_sym(&s->nb, NB_OBJ_XPV, "panic", 0xff13b80c, 0x80);
	nb_sym(&s->nb, NB_OBJ_UNIX, "page_ctr_sub_internal", INNER, 0x100);
	hypervisor_stack(s);
	kernel_stack(s);
}

static enum mdb_status
collect(struct mdb_ctx *cx, const struct mdb_frame *f, void *arg)
{
	struct stack *s = arg;

	(void)cx;
	if (s->nr < MAX_FRAMES)
		s->frames[s->nr++] = *f;
	return MDB_OK;
}

static void
walk(struct stack *s)
{
	struct mdb_regs regs;

	assert_int_equal(nb_create(&s->nb), MDB_OK);
	assert_int_equal(mdb_context_regs(&s->nb.cx, &regs, NULL), MDB_OK);
	assert_int_equal(mdb_stack_walk(&s->nb.cx, s->nb.cx.world, &regs,
				 collect, s, &s->end, &s->why),
		MDB_OK);
}

static void
test_xen_walk_goes_on_in_the_kernel(void **state)
{
	static const struct {
		uint32_t fp, pc;
	} want[] = { { 0xffbf3f38, 0xff13b83f }, { 0xffbf3f48, 0xff11b058 },
		{ 0xffbf3f68, 0xff1043f0 }, { 0xffbf3f88, 0xff10435c },
		{ 0xffbf3fa8, 0xff10438b }, { 0xffbf3fc8, 0xff17daf1 },
		{ 0xc5a0901c, INNER + 9 }, { 0xc5a0904c, SUB + 0x47 },
		{ 0xc5a090e4, LIST + 0x3c1 }, { 0xc5a090ec, THREAD + 8 } };
	struct stack s;

	(void)state;
	begin(&s);
	walk(&s);
	assert_int_equal(s.nr, 10);
	for (size_t i = 0; i < s.nr; i++) {
		assert_int_equal(s.frames[i].fp, want[i].fp);
		assert_int_equal(s.frames[i].pc, want[i].pc);
		assert_false(s.frames[i].guess);
		assert_string_equal(s.frames[i].world->name,
			i < 6 ? "xpv" : "unix");
	}
	assert_int_equal(s.end, MDB_END_ENTRY);
	nb_fini(&s.nb);
}

static void
test_xen_decodes_the_crossing(void **state)
{
	const struct mdb_frame *f;
	struct stack s;

	(void)state;
	begin(&s);
	walk(&s);
	f = &s.frames[6];
	assert_int_equal(f->kind, MDB_FRAME_CROSSING);
	assert_int_equal(f->trap, MDB_TRAP_EXCEPTION);
	assert_int_equal(f->vector, 14);
	assert_true(f->has_error);
	assert_int_equal(f->error_code, 2);
	assert_int_equal(f->regs.r[MDB_R_CR2], 0xc5a08fd4);
	assert_int_equal(f->regs.r[MDB_R_CS], 0x61);
	assert_int_equal(f->regs.r[MDB_R_BX], 1);
	assert_int_equal(f->regs.r[MDB_R_DI], 5);
	assert_int_equal(f->regs.r[MDB_R_SP], 0xc5a08fe0);
	assert_string_equal(f->note, "from unix into xpv");
	assert_false(f->pc_is_return);
	nb_fini(&s.nb);
}

static void
test_xen_arguments_are_what_the_caller_pops(void **state)
{
	struct stack s;
	uint64_t args[8];

	(void)state;
	begin(&s);
	walk(&s);
	assert_int_equal(mdb_frame_args(&s.frames[0], 8, args), 0);
	assert_int_equal(mdb_frame_args(&s.frames[6], 8, args), 1);
	assert_int_equal(args[0], 0xf00f);
	assert_int_equal(mdb_frame_args(&s.frames[7], 8, args), 4);
	assert_int_equal(args[0], 0);
	assert_int_equal(args[2], 0xf3328700);
	assert_int_equal(args[3], 1);
	assert_int_equal(mdb_frame_args(&s.frames[7], 3, args), 3);
	nb_fini(&s.nb);
}

static void
test_xen_nested_exception_stays_in_the_hypervisor(void **state)
{
	/* Within the hypervisor neither sp nor ss is saved. */
	static const uint32_t regs[] = { 1, 2, 3, 4, 5, 0xffbf3fa8, 0,
		0x000d0000, 0xff104000, 0xe008, 0x10246 };
	struct stack s;

	(void)state;
	begin(&s);
	frame(&s, 0xffbf3f38, ~0xffbf3f64u, 0xff17db00);
	nb_write(&s.nb, 0xffbf3f50, regs, sizeof(regs));
	walk(&s);
	assert_int_equal(s.frames[1].fp, 0xffbf3f64);
	assert_int_equal(s.frames[2].kind, MDB_FRAME_TRAP);
	assert_int_equal(s.frames[2].vector, 13);
	assert_int_equal(s.frames[2].pc, 0xff104000);
	assert_int_equal(s.frames[2].regs.r[MDB_R_SP], 0xffbf3f7c);
	assert_int_equal(s.frames[2].fp, 0xffbf3fa8);
	assert_int_equal(s.frames[3].pc, 0xff17daf1);
	assert_int_equal(s.frames[4].regs.r[MDB_R_CR2], 0xc5a08fd4);
	nb_fini(&s.nb);
}

static void
test_xen_a_domain_that_is_not_here_ends_the_walk(void **state)
{
	struct stack s;

	(void)state;
	begin(&s);
	s.nb.cpus[0].domain = 7;
	walk(&s);
	assert_int_equal(s.nr, 7);
	assert_int_equal(s.frames[6].kind, MDB_FRAME_CROSSING);
	assert_int_equal(s.frames[6].pc, INNER + 9);
	assert_int_equal(s.end, MDB_END_NO_UNWIND);
	assert_non_null(strstr(s.why, "domain 7"));
	nb_fini(&s.nb);
}

static void
test_xen_wild_markers_end(void **state)
{
	static const uint32_t wild[] = { 0, 1, 0xffffffff, ~0xffbf3fb0u,
		~0xffbf3fc9u, ~0xffbf3ff8u, ~0xc5a0901cu, 0xffbf3fa8,
		0xffbf3f48 };

	(void)state;
	for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
		struct stack s;

		begin(&s);
		nb_word(&s.nb, 0xffbf3fa8, wild[i]);
		walk(&s);
		assert_true(s.nr >= 6 && s.nr < MAX_FRAMES);
		nb_fini(&s.nb);
	}
}

static void
test_xen_walk_starts_at_a_frame(void **state)
{
	struct mdb_unwind_start start;
	struct stack s;

	(void)state;
	begin(&s);
	assert_int_equal(nb_create(&s.nb), MDB_OK);
	assert_int_equal(mdb_unwind_regs_at(&s.nb.cx,
				 mdb_locate(&s.nb.cx, 0xffbf3fa8), &start),
		MDB_OK);
	assert_int_equal(
		mdb_unwind_walk(&s.nb.cx, &start, collect, &s, &s.end, &s.why),
		MDB_OK);
	assert_int_equal(s.nr, 5);
	assert_int_equal(s.frames[0].pc, 0xff17daf1);
	assert_int_equal(s.frames[1].pc, INNER + 9);
	nb_fini(&s.nb);
}

static void
test_frameptr_system_call_came_from_user_mode(void **state)
{
	const struct mdb_frame *f;
	struct stack s;

	(void)state;
	begin(&s);
	frame(&s, 0xc5a090e4, 0xc5a09100, THREAD + 8);
	nb_word(&s.nb, 0xc5a09100, 0x08047ad8);
	nb_word(&s.nb, 0xc5a09104, 0x08050000);
	walk(&s);
	assert_int_equal(s.end, MDB_END_USER);
	assert_int_equal(s.nr, 11);
	assert_int_equal(s.frames[9].fp, 0xc5a09100);
	f = &s.frames[10];
	assert_int_equal(f->kind, MDB_FRAME_USER);
	assert_int_equal(f->pc, 0x08050000);
	assert_int_equal(f->fp, 0x08047ad8);
	assert_false(mdb_reg_known(&f->regs, MDB_R_SP));
	nb_fini(&s.nb);
}

static void
test_frameptr_32_bit_at_the_edge(void **state)
{
	struct stack s;
	struct mdb_regs regs = { 0 };
	uint8_t push = 0x55;

	(void)state;
	begin(&s);
	assert_int_equal(nb_create(&s.nb), MDB_OK);
	nb_write(&s.nb, INNER, &push, 1);
	nb_word(&s.nb, 0xc5a09020, SUB + 0x47);
	mdb_reg_set(&regs, MDB_R_IP, INNER);
	mdb_reg_set(&regs, MDB_R_SP, 0xc5a09020);
	mdb_reg_set(&regs, MDB_R_BP, 0xc5a0904c);
	assert_int_equal(mdb_stack_walk(&s.nb.cx, s.nb.cx.world, &regs, collect,
				 &s, &s.end, &s.why),
		MDB_OK);
	assert_int_equal(s.nr, 4);
	assert_int_equal(s.frames[1].pc, SUB + 0x47);
	assert_int_equal(s.frames[1].fp, 0xc5a0904c);
	nb_fini(&s.nb);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_xen_walk_goes_on_in_the_kernel),
		cmocka_unit_test(test_xen_decodes_the_crossing),
		cmocka_unit_test(test_xen_arguments_are_what_the_caller_pops),
		cmocka_unit_test(
			test_xen_nested_exception_stays_in_the_hypervisor),
		cmocka_unit_test(
			test_xen_a_domain_that_is_not_here_ends_the_walk),
		cmocka_unit_test(test_xen_wild_markers_end),
		cmocka_unit_test(test_xen_walk_starts_at_a_frame),
		cmocka_unit_test(test_frameptr_system_call_came_from_user_mode),
		cmocka_unit_test(test_frameptr_32_bit_at_the_edge),
	};

	return cmocka_run_group_tests_name("xen", tests, NULL, NULL);
}
