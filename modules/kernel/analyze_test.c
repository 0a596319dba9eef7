/* SPDX-License-Identifier: MIT */
/*
 * ::analyze on a Linux of 64 bits that died of a double fault, at the end of
 * a stack and elsewhere.
 */
#include "kern.h"

#include "mdb/dcmd/dcmd.h"
#include "mdb/shell/load.h"
#include "mdb/shell/session.h"
#include "mdb/stack/stack_fixture.h"
#include "mdb/world/fake_build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define A (FX_TEXT + 0x1000) /* innermost */
#define BIG (FX_TEXT + 0x2000)
#define C (FX_TEXT + 0x3000)
#define PANIC (FX_TEXT + 0x4000)
#define FAULT (FX_TEXT + 0x5000)
#define FORK (FX_TEXT + 0x6000)
#define FILLER (FX_TEXT + 0x8000)
#define TASK (FX_TEXT + 0x70000)
#define AREA (FX_TEXT + 0x71000) /* of CPU 0 */
#define RUNQUEUES 0x100
#define SP_CALL 0x005u
#define REGS 0x105u
#define END 0x400u

static const struct fx_sym code[] = {
	{ "a", A },
	{ "big", BIG },
	{ "c", C },
	{ "panic", PANIC },
	{ "asm_exc_double_fault", FAULT },
	{ "ret_from_fork", FORK },
	{ "filler", FILLER },
	{ NULL, 0 },
};

static const struct fake_member rq_members[] = {
	{ "nr_running", 0, 4, NULL },
	{ "curr", 8, 8, NULL },
	{ NULL },
};
static const struct fake_member arch_members[] = {
	{ "sp", 0, 8, NULL },
	{ NULL },
};
static const struct fake_member task_members[] = {
	{ "__state", 0, 4, NULL },
	{ "exit_state", 4, 4, NULL },
	{ "flags", 8, 4, NULL },
	{ "pid", 12, 4, "-" },
	{ "tgid", 16, 4, "-" },
	{ "prio", 20, 4, "-" },
	{ "cpu", 24, 4, NULL },
	{ "comm", 28, 16, "c" },
	{ "stack", 48, 8, NULL },
	{ "thread", 56, 8, "thread_struct" },
	{ "mm", 64, 8, NULL },
	{ "group_leader", 72, 8, NULL },
	{ NULL },
};
static const struct fake_struct structs[] = {
	{ "rq", NULL, 16, rq_members },
	{ "thread_struct", NULL, 8, arch_members },
	{ "task_struct", NULL, 80, task_members },
	{ NULL },
};
static const struct fake_sym no_syms[] = { { NULL } };

/* ---- the world ----------------------------------------------------------- */

static struct mdb_regs cpu_regs;

static enum mdb_status
by_name(struct mdb_ctx *cx, struct mdb_object *o, const char *name,
	struct mdb_sym *sym_out)
{
	(void)cx;
	if (strcmp(name, "runqueues") != 0)
		return MDB_E_NOTFOUND;
	*sym_out = (struct mdb_sym){ .object = o,
		.name = "runqueues",
		.value = RUNQUEUES,
		.kind = MDB_SYM_PERCPU };
	return MDB_OK;
}

static enum mdb_status
percpu_addr(struct mdb_ctx *cx, struct mdb_world *w, mdb_addr_t value, int cpu,
	mdb_addr_t *addr_out)
{
	(void)cx;
	(void)w;
	*addr_out = AREA + value + (mdb_addr_t)cpu * 0x1000;
	return MDB_OK;
}

static enum mdb_status
cpu_next(struct mdb_ctx *cx, struct mdb_world *w, int *cpu)
{
	(void)cx;
	(void)w;
	return ++*cpu == 0 ? MDB_OK : MDB_DONE;
}

static int
panic_cpu(struct mdb_ctx *cx, struct mdb_world *w)
{
	(void)cx;
	(void)w;
	return 0;
}

static enum mdb_status
get_regs(struct mdb_ctx *cx, struct mdb_world *w, int cpu,
	struct mdb_regs *regs_out)
{
	(void)w;
	(void)cpu;
	if (cpu_regs.valid == 0)
		return mdb_fail(cx, MDB_E_NOTFOUND, "no registers");
	*regs_out = cpu_regs;
	return MDB_OK;
}

static const char *
fact(struct mdb_ctx *cx, struct mdb_world *w, const char *key)
{
	(void)cx;
	(void)w;
	return strcmp(key, "panic_message") == 0 ? "Fatal exception" : NULL;
}

static const struct mdb_symtab_ops symtab = { .by_name = by_name,
	.by_addr = fx_by_addr };
static const struct mdb_world_ops ops = { .stack_range = fx_stack_range,
	.cpu_next = cpu_next,
	.percpu_addr = percpu_addr,
	.panic_cpu = panic_cpu,
	.cpu_regs = get_regs,
	.fact = fact };

static void
put_code(struct fixture *fx)
{
	static const uint8_t push = 0x53;

	fx_orc(fx, A, 24, 0, SP_CALL);
	fx_orc(fx, BIG, 0x408, 0, SP_CALL);
	fx_orc(fx, C, 8, 0, SP_CALL);
	fx_orc(fx, PANIC, 8, 0, SP_CALL);
	fx_orc(fx, FAULT, 0, 0, REGS);
	fx_orc(fx, FORK, 0, 0, END);
	fx_orc_filler(fx, FILLER, 256);
	fx_call_before(fx, BIG + 0x40);
	fx_call_before(fx, C + 0x40);
	fx_call_before(fx, FAULT + 0x40);
	fx_call_before(fx, FORK + 0x40);
	fx_write(fx, A + 1, &push, 1);
}

/* CPU 0 is in panic(), called for a fault in a() with this stack pointer. */
static void
put_stacks(struct fixture *fx, mdb_addr_t sp)
{
	mdb_addr_t top = FX_IRQ + 0x3000;

	fx_word(fx, top, FAULT + 0x40);
	fx_pt_regs(fx, top + 8, A + 1, 0x10, sp);
	fx_word(fx, top + 8 + 15 * 8, 0); /* the error code */
	fx_word(fx, sp + 16, BIG + 0x40);
	fx_word(fx, sp + 24 + 0x400, C + 0x40);
	fx_word(fx, sp + 24 + 0x408, FORK + 0x40);
	cpu_regs = (struct mdb_regs){ 0 };
	mdb_reg_set(&cpu_regs, MDB_R_IP, PANIC + 4);
	mdb_reg_set(&cpu_regs, MDB_R_SP, top);
}

static void
put_task(struct fixture *fx)
{
	fx_write(fx, TASK + 28, "recurse", 8);
	fx_word(fx, TASK + 48, FX_STACK);
	fx_word(fx, TASK + 72, TASK);
	fx_word(fx, AREA + RUNQUEUES + 8, TASK);
}

static int
setup(void **state)
{
	static struct fixture fx;
	struct mdb_session *s = mdb_session_create(mdb_sink_create_memory(),
		mdb_sink_create_memory(), NULL);

	fx_init(&fx, code);
	put_code(&fx);
	put_stacks(&fx, FX_STACK);
	put_task(&fx);
	fx.world->ops = &ops;
	fx.world->nr_cpu_ids = 1;
	fx.kernel->symtab_ops = &symtab;
	fx.kernel->types = fake_types(&s->cx, structs, no_syms, 8);
	fx.kernel->types_tried = true;
	mdb_session_set_target(s, fx.target);
	mdb_load_builtin(s, &mdb_module_kernel);
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	mdb_session_destroy(*state);
	return 0;
}

static struct fixture
fixture_of(struct mdb_session *s)
{
	return (struct fixture){ .mem = s->target->memory };
}

static const char *
eval(struct mdb_session *s, const char *text)
{
	mdb_sink_clear(s->out);
	mdb_sink_clear(s->err);
	(void)!mdb_session_eval(s, text, strlen(text), NULL);
	assert_string_equal(mdb_sink_text(s->err), "");
	return mdb_sink_text(s->out);
}

#define BEGINNING                                                      \
	"panic: Fatal exception\n"                                     \
	"it happened on CPU 0\n"                                       \
	"thread ffffffff81070000 (recurse) ran there; its stack base " \
	"is ffffc90000010000\n"

static void
test_analyze_tells_an_overflow_of_linux(void **state)
{
	assert_string_equal(eval(*state, "::analyze"), BEGINNING
		"#DF double fault, error 0, at a+0x1, stack pointer "
		"ffffc90000010000\n"
		"stack overflow of thread ffffffff81070000 on CPU 0\n"
		"a store at ffffc9000000fff8, 8 bytes below the base, faulted\n"
		"the frames that take most of the stack:\n"
		"      1032 ffffc90000010410 big+0x40\n"
		"         8 ffffc90000010418 c+0x40\n");
}

static void
test_analyze_tells_the_store_by_cr2(void **state)
{
	static const uint8_t mov[] = { 0x48, 0x89, 0x04, 0x24 };
	struct fixture fx = fixture_of(*state);

	fx_write(&fx, A + 1, mov, sizeof(mov));
	put_stacks(&fx, FX_STACK + 0x10);
	mdb_reg_set(&cpu_regs, MDB_R_CR2, FX_STACK - 0x100);
	assert_non_null(strstr(eval(*state, "::analyze"),
		", cr2 ffffc9000000ff00\n"
		"stack overflow of thread ffffffff81070000 on CPU 0\n"
		"a store at ffffc9000000ff00, 256 bytes below the base, "
		"faulted\n"));
	cpu_regs.valid &= ~(1ull << MDB_R_CR2);
	assert_null(strstr(eval(*state, "::analyze"), "overflow"));
}

static void
test_analyze_takes_no_other_fault_for_one(void **state)
{
	struct fixture fx = fixture_of(*state);

	put_stacks(&fx, FX_STACK + 0x1000);
	mdb_reg_set(&cpu_regs, MDB_R_CR2, 8);
	assert_string_equal(eval(*state, "::analyze"),
		BEGINNING "#DF double fault, error 0, at a+0x1, stack pointer "
			  "ffffc90000011000, cr2 8\n"
			  "4096 bytes of the thread's stack were left\n"
			  "it was in:\n"
			  "    ffffc90000011008 a+0x1\n"
			  "    ffffc90000011410 big+0x40\n"
			  "    ffffc90000011418 c+0x40\n"
			  "    ffffc90000011428 ret_from_fork+0x40\n");
}

static void
test_analyze_says_what_is_not_known(void **state)
{
	struct fixture fx = fixture_of(*state);

	cpu_regs.valid = 0;
	fx_word(&fx, AREA + RUNQUEUES + 8, 0);
	assert_string_equal(eval(*state, "::analyze"),
		"panic: Fatal exception\n"
		"it happened on CPU 0\n"
		"which thread ran there is not known\n"
		"the registers at the panic are not known: no registers\n");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_analyze_tells_an_overflow_of_linux),
		TEST(test_analyze_tells_the_store_by_cr2),
		TEST(test_analyze_takes_no_other_fault_for_one),
		TEST(test_analyze_says_what_is_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
