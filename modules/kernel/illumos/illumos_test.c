/* SPDX-License-Identifier: MIT */
/*
 * The commands on an illumos kernel of 32 bits, made of tables: two CPUs, four
 * threads, two processes, a log, modules, and the panic of a Xen below it.
 */
#include "illumos.h"

#include "mdb/dcmd/dcmd.h"
#include "mdb/shell/load.h"
#include "mdb/shell/session.h"
#include "modules/kernel/illumos/fake_types.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct fake_struct xen_structs[] = {
	{ "vcpu", NULL, 4, vcpu_members },
	{ "panic_info", NULL, 16, info_members },
	{ NULL },
};

/* Variables at 0x2000, in a page of their own. */
static const struct fake_sym syms[] = {
	{ "cpu_list", 0x2000, 4, NULL },
	{ "panic_lbolt", 0x2004, 4, NULL },
	{ "allthreads", 0x2008, 4, NULL },
	{ "practive", 0x200c, 4, NULL },
	{ "log_recentq", 0x2010, 4, NULL },
	{ "panicstr", 0x2014, 4, NULL },
	{ "xpv_panic_info", 0x2018, 4, NULL },
	{ "hrestime", 0x2020, 8, NULL },
	{ "modules", 0x2040, 36, NULL },
	{ "panicbuf", 0x2100, 0x200, NULL },
	{ "utsname", 0x2400, 514, "utsname" },
	{ "xenver", 0x2700, 8, "xenver" },
	{ "idle", 0x2800, 16, NULL },
	{ NULL },
};

static const struct fake_sym xen_syms[] = { { NULL } };

#define CPU0 0xf50454b8
#define CPU1 0xc5423080
#define THREAD0 0xc5a0ade0
#define THREAD1 0xc6178ee0
#define IDLE0 0xc53fdde0
#define IDLE1 0xc5af7de0
#define SCHED 0xf5001000
#define PYTHON 0xc61801c8
#define VCPU 0xffbe1100
#define INFO_AT 0xff1bff00
#define LBOLT 361904

/* ---- the machine --------------------------------------------------------- */

static void
set(struct mdb_session *s, int kind, mdb_addr_t addr, const char *member,
	uint64_t value)
{
	fake_set(s->target, &structs[kind], addr, member, value);
}

static void
put(struct mdb_session *s, mdb_addr_t addr, uint64_t value, size_t len)
{
	fake_put(s->target, addr, value, len);
}

static void
add_cpu(struct mdb_session *s, int id, mdb_addr_t at, mdb_addr_t disp,
	mdb_addr_t thread, mdb_addr_t idle)
{
	set(s, CPU, at, "cpu_id", (uint64_t)id);
	set(s, CPU, at, "cpu_flags", 0x1b);
	set(s, CPU, at, "cpu_idle_thread", idle);
	set(s, CPU, at, "cpu_disp", disp);
	set(s, CPU, at, "cpu_dispthread", thread);
	set(s, CPU, at, "cpu_last_swtch", LBOLT);
	set(s, CPU, at, "cpu_dispatch_pri",
		thread == idle ? 0xffff : (uint64_t)(60 - id));
	set(s, DISP, disp, "disp_npri", 170);
	set(s, DISP, disp, "disp_q", 0xc5434000);
	set(s, DISP, disp, "disp_nrunnable", 0);
}

static void
add_thread(struct mdb_session *s, mdb_addr_t at, mdb_addr_t next,
	mdb_addr_t prev, mdb_addr_t cpu, mdb_addr_t proc)
{
	for (mdb_addr_t a = at; a < at + 112; a += 8)
		put(s, a, 0, 8);
	set(s, THREAD, at, "t_state", 4);
	set(s, THREAD, at, "t_stkbase", at & ~0xfffull);
	set(s, THREAD, at, "t_stk", at - 16);
	set(s, THREAD, at, "t_cpu", cpu);
	set(s, THREAD, at, "t_procp", proc);
	set(s, THREAD, at, "t_next", next);
	set(s, THREAD, at, "t_prev", prev);
	set(s, THREAD, at, "t_pri", 60);
	set(s, THREAD, at, "t_tid", 1);
}

static void
add_proc(struct mdb_session *s, mdb_addr_t at, mdb_addr_t next, int pid,
	const char *comm, const char *args)
{
	mdb_addr_t id = 0x6000 + (mdb_addr_t)pid * 16;

	for (mdb_addr_t a = at; a < at + 136; a += 8)
		put(s, a, 0, 8);
	put(s, 0x6008, 0, 4); /* the credentials of root */
	set(s, PID, id, "pid_id", (uint64_t)pid);
	set(s, PROC, at, "p_stat", 2);
	set(s, PROC, at, "p_parent", SCHED);
	set(s, PROC, at, "p_next", next);
	set(s, PROC, at, "p_pidp", id);
	set(s, PROC, at, "p_pgidp", id);
	set(s, PROC, at, "p_cred", 0x6008);
	set(s, PROC, at, "p_flag", 9);
	fake_put_str(s->target, at + 36, comm);
	fake_put_str(s->target, at + 36 + 17, args);
}

static void
add_message(struct mdb_session *s, mdb_addr_t at, mdb_addr_t next,
	const char *text)
{
	set(s, MBLK, at, "b_next", next);
	set(s, MBLK, at, "b_cont", at + 0x40);
	set(s, MBLK, at, "b_rptr", at + 0x20);
	set(s, MBLK, at, "b_wptr", at + 0x30);
	put(s, at + 0x20, 0, 8);
	put(s, at + 0x28, 0, 8);
	set(s, LOG, at + 0x20, "ltime", 3100);
	set(s, MBLK, at + 0x40, "b_next", 0);
	set(s, MBLK, at + 0x40, "b_cont", 0);
	set(s, MBLK, at + 0x40, "b_rptr", at + 0x60);
	set(s, MBLK, at + 0x40, "b_wptr", at + 0x60 + strlen(text) + 1);
	fake_put_str(s->target, at + 0x60, text);
}

static void
add_module(struct mdb_session *s, mdb_addr_t at, mdb_addr_t next, int id,
	const char *name, const char *file)
{
	mdb_addr_t text = 0x7000 + (mdb_addr_t)id * 0x100;

	for (mdb_addr_t a = at; a < at + 40; a += 8)
		put(s, a, 0, 8);
	set(s, MODCTL, at, "mod_next", next);
	set(s, MODCTL, at, "mod_prev", next);
	set(s, MODCTL, at, "mod_id", (uint64_t)id);
	set(s, MODCTL, at, "mod_mp", text + 0x80);
	set(s, MODCTL, at, "mod_modname", text);
	set(s, MODCTL, at, "mod_filename", text + 0x40);
	set(s, MODCTL, at, "mod_loaded", 1);
	set(s, MODCTL, at, "mod_ref", 1);
	fake_put_str(s->target, text, name);
	fake_put_str(s->target, text + 0x40, file);
	set(s, MODULE, text + 0x80, "text", 0xf4c00000 + 0x100000u * id);
	set(s, MODULE, text + 0x80, "text_size", 0x1000);
	set(s, MODULE, text + 0x80, "data_size", 0x200);
}

static void
fill_variables(struct mdb_session *s)
{
	static const uint32_t words[] = { CPU0, LBOLT, THREAD0, PYTHON,
		0xc5e08140, 0, 0, 0, 1175519999, 5 };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		put(s, 0x2000 + 4 * i, words[i], 4);
	fake_put_str(s->target, 0x2400, "SunOS");
	fake_put_str(s->target, 0x2400 + 257, "goldcloth");
	put(s, 0x2700, 0xccad8fc0, 4);
	put(s, 0x2704, 0xccad8f80, 4);
	fake_put_str(s->target, 0xccad8fc0, "3.0.4-1-sun");
	put(s, THREAD0 & ~0xfffull, 0x88, 4); /* no text at the stack's base */
	put(s, 0xccad8f80, 0, 1);
}

static void
fill(struct mdb_session *s)
{
	fill_variables(s);
	add_cpu(s, 0, CPU0, 0x5000, THREAD0, IDLE0);
	add_cpu(s, 1, CPU1, 0x5040, IDLE1, IDLE1);
	set(s, CPU, CPU0, "cpu_next", CPU1);
	set(s, CPU, CPU0, "cpu_prev", CPU1);
	set(s, CPU, CPU1, "cpu_next", CPU0);
	set(s, CPU, CPU1, "cpu_prev", CPU0);
	add_thread(s, THREAD0, THREAD1, IDLE1, CPU0, SCHED);
	add_thread(s, THREAD1, IDLE0, THREAD0, CPU1, PYTHON);
	add_thread(s, IDLE0, IDLE1, THREAD1, CPU0, SCHED);
	add_thread(s, IDLE1, THREAD0, IDLE0, CPU1, SCHED);
	set(s, THREAD, THREAD1, "t_state", 1);
	set(s, THREAD, THREAD1, "t_lwp", 0xc6179240);
	set(s, THREAD, IDLE0, "t_startpc", 0x2800);
	add_proc(s, PYTHON, SCHED, 1217, "python2.4", "python2.4 xend start");
	add_proc(s, SCHED, 0, 0, "sched", "sched");
	set(s, PROC, PYTHON, "p_tlist", THREAD1);
	set(s, QUEUE, 0xc5e08140, "q_first", 0xc5e10000);
	add_message(s, 0xc5e10000, 0xc5e10100, "SunOS Release 5.11\n");
	add_message(s, 0xc5e10100, 0, "\r   cr0: 8005003b cr2: c5a08fd4\n");
	add_module(s, 0x2040, 0x4000, 0, "unix", "/platform/unix");
	add_module(s, 0x4000, 0x2040, 1, "zfs", "/kernel/drv/zfs");
}

/* The hypervisor below: its world owns the addresses from f5800000 up. */
static void
add_hypervisor(struct mdb_session *s)
{
	struct mdb_world *w = fake_world(&s->cx, s->target, MDB_WORLD_XEN,
		"xpv", xen_structs, xen_syms);

	w->range_start = 0xff000000;
	w->range_last = 0xffffffff;
	put(s, 0x2014, 0xff1b0000, 4);
	put(s, 0x2018, INFO_AT, 4);
	put(s, VCPU, 0, 4);
	set(s, INFO, INFO_AT, "pi_version", 1);
	set(s, INFO, INFO_AT, "pi_panicstr", 0xff1b0000);
	set(s, INFO, INFO_AT, "pi_domain", 0xffbee080);
	set(s, INFO, INFO_AT, "pi_vcpu", VCPU);
	fake_put_str(s->target, 0xff1b0000, "Domain 0 crashed: \n");
}

static int
setup(void **state)
{
	struct mdb_session *s = mdb_session_create(mdb_sink_create_memory(),
		mdb_sink_create_memory(), NULL);
	struct mdb_target *target =
		mdb_target_create_memory(mdb_memory_create_fake());

	(void)fake_world(&s->cx, target, MDB_WORLD_ILLUMOS, "illumos", structs,
		syms);
	mdb_session_set_target(s, target);
	fill(s);
	mdb_registry_add_dcmds(&s->registry, "mdb", mdb_dcmds_print);
	mdb_registry_add_dcmds(&s->registry, "mdb", mdb_dcmds_pipes);
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

static const char *
eval(struct mdb_session *s, const char *text)
{
	mdb_sink_clear(s->out);
	mdb_sink_clear(s->err);
	(void)!mdb_session_eval(s, text, strlen(text), NULL);
	return mdb_sink_text(s->out);
}

static const char *
errors(struct mdb_session *s)
{
	return mdb_sink_text(s->err);
}

/* ---- what is shown ------------------------------------------------------- */

static void
test_cpuinfo_has_the_columns_of_mdb(void **state)
{
	assert_string_equal(eval(*state, "::cpuinfo"),
		" ID ADDR     FLG NRUN BSPL PRI RNRN KRNRN SWITCH THREAD   "
		"PROC\n"
		"  0 f50454b8  1b    0    0  60   no    no t-0    c5a0ade0 "
		"sched\n"
		"  1 c5423080  1b    0    0  -1   no    no t-0    c5af7de0 "
		"(idle)\n");
	assert_string_equal(errors(*state), "");
}

static void
test_cpuinfo_shows_flags_and_queue(void **state)
{
	struct mdb_session *s = *state;

	for (mdb_addr_t a = 0xc5434000; a < 0xc5434000 + 170 * 12; a += 4)
		put(s, a, 0, 4);
	put(s, 0xc5434000 + 59 * 12, THREAD1, 4);
	set(s, DISP, 0x5000, "disp_nrunnable", 1);
	set(s, CPU, CPU0, "cpu_last_swtch", LBOLT - 7);
	set(s, CPU, CPU0, "cpu_runrun", 1);
	assert_string_equal(eval(s, "0::cpuinfo -v"),
		" ID ADDR     FLG NRUN BSPL PRI RNRN KRNRN SWITCH THREAD   "
		"PROC\n"
		"  0 f50454b8  1b    1    0  60  yes    no t-7    c5a0ade0 "
		"sched\n"
		"               |    |\n"
		"    RUNNING <--+    +-->  PRI THREAD   PROC\n"
		"      READY                60 c6178ee0 python2.4\n"
		"     EXISTS\n"
		"     ENABLE\n"
		"\n");
}

static void
test_msgbuf_is_the_text_as_logged(void **state)
{
	struct mdb_session *s = *state;

	assert_string_equal(eval(s, "::msgbuf"),
		"MESSAGE\n"
		"SunOS Release 5.11\n"
		"   cr0: 8005003b cr2: c5a08fd4\n");
	put(s, 0xc5e10100, 0xc5e10000, 4); /* the last leads to the first */
	assert_non_null(strstr(eval(s, "::msgbuf"), "cr2"));
	assert_non_null(strstr(errors(s), "comes back to"));
}

static void
test_log_text_that_is_unreadable_is_said(void **state)
{
	struct mdb_session *s = *state;

	set(s, MBLK, 0xc5e10140, "b_wptr", 0xc5e10100);
	assert_non_null(strstr(eval(s, "::msgbuf"), "<corrupt>"));
}

static void
test_ps_and_threads(void **state)
{
	assert_string_equal(eval(*state, "::ps"),
		"S    PID   PPID   PGID    SID    UID      FLAGS     ADDR "
		"NAME\n"
		"R   1217      0   1217      -      0 0x00000009 c61801c8 "
		"python2.4\n"
		"R      0      0      0      -      0 0x00000009 f5001000 "
		"sched\n");
	assert_string_equal(eval(*state, "::threadlist"),
		"    ADDR     PROC      LWP CMD/LWPID\n"
		"c5a0ade0 f5001000        0 sched\n"
		"c6178ee0 c61801c8 c6179240 python2.4/1\n"
		"c53fdde0 f5001000        0 idle()\n"
		"c5af7de0 f5001000        0 sched\n");
	assert_string_equal(eval(*state, "c6178ee0::thread"),
		"    ADDR STATE     FLG PFLG SFLG   PRI  EPRI PIL     INTR\n"
		"c6178ee0 sleep       0    0    0    60     0   0      n/a\n");
	assert_string_equal(eval(*state, "0t1217::pid2proc | ::ps -f"),
		"S    PID   PPID   PGID    SID    UID      FLAGS     ADDR "
		"NAME\n"
		"R   1217      0   1217      -      0 0x00000009 c61801c8 "
		"python2.4 xend start\n");
	assert_string_equal(eval(*state, "::walk task"),
		"0xc5a0ade0\n0xc6178ee0\n");
	assert_string_equal(eval(*state, "c61801c8::walk thread"),
		"0xc6178ee0\n");
}

/* A ring that is cut is read from both of its ends. */
static void
test_threads_of_a_cut_ring(void **state)
{
	struct mdb_session *s = *state;

	set(s, THREAD, THREAD1, "t_next", THREAD1);
	assert_string_equal(eval(s, "::walk thread"),
		"0xc5a0ade0\n0xc6178ee0\n0xc5af7de0\n0xc53fdde0\n");
	assert_non_null(strstr(errors(s), "comes back to c6178ee0"));
	set(s, THREAD, IDLE1, "t_prev", 3);
	assert_non_null(eval(s, "::walk thread"));
	assert_non_null(strstr(errors(s), "damaged"));
}

static void
test_modules_are_listed(void **state)
{
	assert_string_equal(eval(*state, "::modinfo"),
		" ID LOADADDR     SIZE REV MODULE NAME\n"
		"  0 f4c00000     1200   - unix\n"
		"  1 f4d00000     1200   - zfs\n");
	assert_string_equal(eval(*state, "::modctl"),
		"  MODCTL                   MODULE   BITS FLAGS REF FILE\n"
		"00002040                     unix      L     0   1 "
		"/platform/unix\n"
		"00004000                      zfs      L     0   1 "
		"/kernel/drv/zfs\n");
}

static void
test_print_of_32_bits(void **state)
{
	assert_string_equal(eval(*state, "$<utsname"),
		"{\n"
		"    sysname = [ \"SunOS\" ]\n"
		"    nodename = [ \"goldcloth\" ]\n"
		"}\n");
	assert_string_equal(eval(*state, "xenver::print"),
		"{\n"
		"    xv_ver = 0xccad8fc0 \"3.0.4-1-sun\"\n"
		"    xv_compile_domain = 0xccad8f80 \"\"\n"
		"}\n");
	assert_string_equal(eval(*state, "c5a0ade0::print kthread_t t_stkbase"),
		"t_stkbase = 0xc5a0a000\n");
}

/* ---- the panic ----------------------------------------------------------- */

static void
test_no_panic_is_said_to_be_none(void **state)
{
	assert_string_equal(eval(*state, "::panicinfo"), "");
	assert_non_null(strstr(errors(*state), "did not panic"));
	assert_string_equal(eval(*state, "::analyze"), "");
}

static void
test_panic_of_the_hypervisor_names_the_vcpu(void **state)
{
	struct mdb_session *s = *state;

	add_hypervisor(s);
	assert_string_equal(eval(s, "ffbe1100::print struct vcpu vcpu_id"),
		"vcpu_id = 0\n");
	assert_string_equal(eval(s, "::panicinfo"),
		"             cpu 0\n"
		"          thread c5a0ade0\n"
		"         message Domain 0 crashed:\n");
	assert_string_equal(eval(s, "::analyze"),
		"the hypervisor panicked: Domain 0 crashed:\n"
		"it happened on vcpu ffbe1100, whose vcpu_id 0 is CPU 0\n"
		"thread c5a0ade0 (sched) ran there; its stack base is "
		"c5a0a000\n"
		"the registers at the panic are not known: the dump names no "
		"CPU\n");
}

static void
test_panicinfo_shows_what_was_noted(void **state)
{
	struct mdb_session *s = *state;

	add_hypervisor(s);
	put(s, 0x2100, 1, 4);
	put(s, 0x2104, 8 + 2 * 24, 4);
	fake_put_str(s->target, 0x2108, "edi");
	put(s, 0x2108 + 16, 0xf4b63000, 8);
	fake_put_str(s->target, 0x2120, "cr2");
	put(s, 0x2120 + 16, 0xc5a08fd4, 8);
	assert_non_null(strstr(eval(s, "::panicinfo"),
		"             edi f4b63000\n             cr2 c5a08fd4\n"));
	put(s, 0x2100, 99, 4);
	assert_null(strstr(eval(s, "::panicinfo"), "edi"));
}

/* Each read of the machine fails in turn: a command ends, and says so. */
static void
test_commands_bear_unreadable_pages(void **state)
{
	static const mdb_addr_t pages[] = { 0x2000, 0x5000, 0x7000, CPU0, CPU1,
		THREAD0, THREAD1, SCHED, PYTHON, 0xc5e10000, 0xc5e08140, VCPU,
		INFO_AT };
	struct mdb_session *s = *state;

	add_hypervisor(s);
	for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++) {
		mdb_fake_fault(s->target->memory, pages[i] & ~0xfffull,
			MDB_E_EXCLUDED);
		(void)eval(s, "::cpuinfo -v; ::msgbuf -tTv; ::ps -ft; ::thread;"
			      "::threadlist -v; ::stacks; ::modinfo; ::modctl;"
			      "::panicinfo; ::analyze; ::time; ::ptree;"
			      "0::pid2proc");
		assert_non_null(strstr(errors(s), "excluded"));
	}
}

static void
test_time_is_that_of_the_clock(void **state)
{
	assert_string_equal(eval(*state, "::time"),
		"Mon Apr  2 13:19:59 2007 UTC\n");
	assert_string_equal(eval(*state, "::uptime"),
		"0 days, 01:00:19 (3619.04 s)\n");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_cpuinfo_has_the_columns_of_mdb),
		TEST(test_cpuinfo_shows_flags_and_queue),
		TEST(test_msgbuf_is_the_text_as_logged),
		TEST(test_log_text_that_is_unreadable_is_said),
		TEST(test_ps_and_threads),
		TEST(test_threads_of_a_cut_ring),
		TEST(test_modules_are_listed),
		TEST(test_print_of_32_bits),
		TEST(test_no_panic_is_said_to_be_none),
		TEST(test_panic_of_the_hypervisor_names_the_vcpu),
		TEST(test_panicinfo_shows_what_was_noted),
		TEST(test_commands_bear_unreadable_pages),
		TEST(test_time_is_that_of_the_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
