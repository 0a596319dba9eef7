/* SPDX-License-Identifier: MIT */
/* The commands on structures as Xen 4.17 has them. */
#include "xen_fixture.h"

#include "hypercall.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static int
setup(void **state)
{
	*state = xf_session();
	return 0;
}

static int
teardown(void **state)
{
	mdb_session_destroy(*state);
	return 0;
}

static void
has(struct mdb_session *s, const char *command, const char *text)
{
	if (strstr(xf_eval(s, command), text) == NULL)
		fail_msg("%s: no \"%s\" in\n%s%s", command, text,
			mdb_sink_text(s->out), mdb_sink_text(s->err));
}

static void
warns(struct mdb_session *s, const char *command, const char *text)
{
	(void)xf_eval(s, command);
	if (strstr(mdb_sink_text(s->err), text) == NULL)
		fail_msg("%s: no warning \"%s\" but\n%s", command, text,
			mdb_sink_text(s->err));
}

/* ---- domains, vcpus ------------------------------------------------------ */

static void
test_states_are_those_of_xl(void **state)
{
	struct mdb_session *s = *state;

	has(s, "::domain", "PV   r-----    2   2 -\n");
	has(s, "::domain -d 1", "PV   -b----    1   1 -\n");
	xf_set(s, XF_DOMAIN, XF_DOM1, "controller_pause_count", 1);
	xf_set(s, XF_DOMAIN, XF_DOM1, "pause_count", 2);
	has(s, "::domain -d 1",
		"PV   -bp---    1   1 paused by the toolstack (1); paused by "
		"the hypervisor (1)\n");
	xf_set(s, XF_DOMAIN, XF_DOM0, "is_shutting_down", 1);
	xf_set(s, XF_DOMAIN, XF_DOM0, "is_shut_down", 1);
	xf_set(s, XF_DOMAIN, XF_DOM0, "shutdown_code", 3);
	has(s, "::domain -d 0", "PV   r---c-    2   2 shut down: crash\n");
	xf_set(s, XF_DOMAIN, XF_DOM0, "is_dying", 2);
	has(s, "::domain -d 0", "r---cd    2   2 dead; shut down: crash\n");
	warns(s, "::domain -d 7", "there is no domain 7");
	warns(s, "1::domain", "-d 0t1 means the domain of that id");
}

static void
test_members_elsewhere_are_refused(void **state)
{
	struct mdb_session *s = *state;

	xf_set(s, XF_DOMAIN, XF_DOM0, "is_shut_down", 0x40);
	has(s, "::domain -d 0", "<corrupt>");
	assert_null(strstr(mdb_sink_text(s->out), "shut down"));
	xf_set(s, XF_DOMAIN, XF_DOM0, "is_shut_down", 0);
	xf_set(s, XF_DOMAIN, XF_DOM0, "pause_count", 0xffffffff);
	has(s, "::domain -d 0", "<corrupt>");
	xf_set(s, XF_VCPU, XF_D0V1, "vcpu_id", 0x40000000);
	warns(s, "::vcpu -d 0", "cannot be number 1073741824");
}

static void
test_vcpus_with_affinity_and_time(void **state)
{
	struct mdb_session *s = *state;

	/* Times are those of the vcpus; that of d1v0 is the latest. */
	has(s, "::vcpu",
		"20010000     0    0    0 running          0 -        -           "
		"0.000008 0-1      -\n");
	has(s, "::vcpu -d 1", "blocked          1");
	has(s, "::vcpu -d 1", "0-1      blocked\n");
	xf_set(s, XF_VCPU, XF_D1V0, "pause_flags", 0x101);
	xf_set(s, XF_VCPU, XF_D1V0, "pause_count", 2);
	has(s, "::vcpu -d 1", "blocked,parked,paused(2)\n");
	has(s, "::walk domain | ::walk vcpu | ::vcpu", "20012000");
	has(s, "20001000::domain -v",
		"0x20012000 (d1v0, CPU 1, blocked: "
		"blocked,parked,paused(2))");
}

/* ---- the console ring ---------------------------------------------------- */

static void
ring(struct mdb_session *s, uint32_t size, uint32_t consumed, uint32_t produced)
{
	fake_put(s->target, 0x30000030, 0x40000000, 4);
	fake_put(s->target, 0x30000034, size, 4);
	fake_put(s->target, 0x30000038, consumed, 4);
	fake_put(s->target, 0x3000003c, produced, 4);
}

static void
test_ring_that_wrapped_is_in_order(void **state)
{
	struct mdb_session *s = *state;

	mdb_fake_write(s->target->memory, 0x40000000, "two\nthr_one\nold", 16);
	ring(s, 16, 8, 20);
	mdb_fake_write(s->target->memory, 0x40000000, "ee\nX", 4);
	/* Bytes 8..19: "one\nold\0" of the end, then "ee\nX". */
	assert_string_equal(xf_eval(s, "::xenmsg"),
		"MESSAGE\none\nold\\x00ee\nX\n");
	ring(s, 16, 16, 20);
	assert_string_equal(xf_eval(s, "::xenmsg"), "MESSAGE\nee\nX\n");
	assert_non_null(strstr(xf_eval(s, "::xenmsg -a"), "one\n"));
	/* The counters wrap at 2^32. */
	ring(s, 16, 0xfffffff8, 4);
	assert_string_equal(xf_eval(s, "::xenmsg"),
		"MESSAGE\none\nold\\x00ee\nX\n");
}

static void
test_ring_that_cannot_be_is_refused(void **state)
{
	struct mdb_session *s = *state;

	ring(s, 24, 0, 4);
	warns(s, "::xenmsg", "cannot have 0x18 bytes");
	ring(s, 16, 0, 40);
	warns(s, "::xenmsg", "cannot hold");
	ring(s, 0x80000000, 0, 40);
	warns(s, "::xenmsg", "cannot have");
	ring(s, 16, 0, 8);
	mdb_fake_fault(s->target->memory, 0x40000000, MDB_E_EXCLUDED);
	warns(s, "::xenmsg", "8 bytes of the console ring");
}

/* ---- timers -------------------------------------------------------------- */

#define HEAP 0x41000000u
#define TIMER1 0x42000000u
#define TIMER2 0x42000100u

static void
timer(struct mdb_session *s, mdb_addr_t at, int cpu, int status, uint32_t place)
{
	xf_clear(s, at, 32);
	xf_set(s, XF_TIMER, at, "expires", 5000000000u);
	xf_set(s, XF_TIMER, at, "heap_offset", place);
	xf_set(s, XF_TIMER, at, "function", 0x31000000);
	xf_set(s, XF_TIMER, at, "data", 0x1234);
	xf_set(s, XF_TIMER, at, "cpu", (uint64_t)cpu);
	xf_set(s, XF_TIMER, at, "status", (uint64_t)status);
}

static void
timers(struct mdb_session *s, uint32_t size, uint32_t limit)
{
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		mdb_addr_t at = XF_PERCPU + cpu * XF_PERCPU_LEN;

		xf_clear(s, at, 24);
		xf_set(s, XF_TIMERS, at, "heap", HEAP + cpu * 0x100);
		xf_list(s, at + 12, NULL, 0);
		fake_put(s->target, HEAP + cpu * 0x100, 0, 8);
	}
	fake_put(s->target, HEAP, size | limit << 16, 4);
	fake_put(s->target, HEAP + 4, TIMER1, 4);
	timer(s, TIMER1, 0, 3, 1);
	timer(s, TIMER2, 0, 4, 0);
	xf_set(s, XF_TIMERS, XF_PERCPU, "list", TIMER2);
}

static void
test_timers_of_heap_and_list(void **state)
{
	struct mdb_session *s = *state;

	timers(s, 1, 3);
	has(s, "::xentimers", "42000000    0 heap 1         5.000000 ");
	has(s, "::xentimers", "00001234 xpv`called_function\n");
	has(s, "::xentimers", "42000100    0 list ");
	assert_string_equal(xf_eval(s, "::walk timer"),
		"0x42000000\n0x42000100\n");
	assert_null(strstr(xf_eval(s, "::xentimers -c 1"), "4200"));
	/* What is being called is in neither place, unless it was set again. */
	timer(s, 0x42000200, 0, 1, 0);
	xf_set(s, XF_TIMERS, XF_PERCPU, "running", 0x42000200);
	has(s, "::xentimers", "42000200    0 running  ");
	xf_set(s, XF_TIMERS, XF_PERCPU, "running", TIMER1);
	assert_string_equal(xf_eval(s, "::walk timer"),
		"0x42000000\n0x42000100\n");
}

static void
test_timers_that_contradict_are_left_out(void **state)
{
	struct mdb_session *s = *state;

	timers(s, 4, 3);
	warns(s, "::xentimers", "4 timers, but room for 3");
	timers(s, 1, 3);
	xf_set(s, XF_TIMER, TIMER1, "cpu", 7);
	warns(s, "::xentimers", "it says that CPU 7 has it");
	assert_null(strstr(mdb_sink_text(s->out), "42000000"));
	timers(s, 1, 3);
	xf_set(s, XF_TIMER, TIMER1, "status", 2);
	warns(s, "::xentimers", "its status is 2, not 3");
	timers(s, 0, 3);
	xf_set(s, XF_TIMER, TIMER2, "list_next", TIMER2);
	warns(s, "::xentimers", "comes back to 42000100");
}

/* ---- rcu ----------------------------------------------------------------- */

static void
rcu(struct mdb_session *s, int cur, int completed, unsigned int mask)
{
	xf_clear(s, 0x30000040, 24);
	xf_set(s, XF_RCU_CTRL, 0x30000040, "cur", (uint64_t)cur);
	xf_set(s, XF_RCU_CTRL, 0x30000040, "completed", (uint64_t)completed);
	xf_set(s, XF_RCU_CTRL, 0x30000040, "cpumask", mask);
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		mdb_addr_t at = XF_PERCPU + 0x100 + cpu * XF_PERCPU_LEN;

		xf_clear(s, at, 32);
		xf_set(s, XF_RCU_DATA, at, "cpu", cpu);
		xf_set(s, XF_RCU_DATA, at, "quiescbatch", (uint64_t)cur);
	}
}

static void
test_rcu_says_who_holds_up_the_batch(void **state)
{
	struct mdb_session *s = *state;
	const mdb_addr_t cpu1 = XF_PERCPU + 0x100 + XF_PERCPU_LEN;

	rcu(s, 7, 7, 0);
	has(s, "::rcu", "batch 7 is done; no other is wanted");
	rcu(s, 8, 7, 2);
	xf_set(s, XF_RCU_DATA, cpu1, "qs_pending", 1);
	xf_set(s, XF_RCU_DATA, cpu1, "qlen", 1);
	xf_set(s, XF_RCU_DATA, cpu1, "curlist", 0x43000000);
	fake_put(s->target, 0x43000000, 0, 4);
	fake_put(s->target, 0x43000004, 0x31000000, 4);
	has(s, "::rcu", "batch 8 waits for CPUs: 1;");
	has(s, "::rcu", "the batch waits for it\n");
	has(s, "::rcu -v", "43000000 cur  xpv`called_function\n");
	fake_put(s->target, 0x43000000, 0x43000000, 4);
	warns(s, "::rcu", "the list cur comes back to 43000000");
	rcu(s, 9, 7, 0);
	warns(s, "::rcu", "batch 9 cannot follow batch 7");
	rcu(s, 8, 7, 2);
	xf_set(s, XF_RCU_DATA, cpu1, "cpu", 5);
	warns(s, "::rcu", "rcu_data of CPU 1 says that it is CPU 5's");
}

/* ---- schedulers ---------------------------------------------------------- */

#define POOL 0x44000000u
#define SCHEDULER 0x44000100u
#define RESOURCE(cpu) (0x44001000u + (cpu)*0x100u)
#define PCPU(cpu) (0x44002000u + (cpu)*0x100u)
#define CUNIT 0x44003000u
#define CDOM 0x44004000u

static void
sched_cpu(struct mdb_session *s, unsigned int cpu, mdb_addr_t idle,
	mdb_addr_t curr)
{
	mdb_addr_t res = RESOURCE(cpu);

	fake_put(s->target, XF_PERCPU + 0x200 + cpu * XF_PERCPU_LEN, res, 4);
	xf_set(s, XF_RESOURCE, res, "scheduler", SCHEDULER);
	xf_set(s, XF_RESOURCE, res, "cpupool", POOL);
	xf_set(s, XF_RESOURCE, res, "curr", XF_UNIT_OF(curr));
	xf_set(s, XF_RESOURCE, res, "sched_unit_idle", XF_UNIT_OF(idle));
	xf_set(s, XF_RESOURCE, res, "prev", 0);
	xf_set(s, XF_RESOURCE, res, "sched_priv", PCPU(cpu));
	xf_set(s, XF_RESOURCE, res, "master_cpu", cpu);
	xf_add_vcpu(s, idle, XF_DOM0, (int)cpu, (int)cpu, 0);
	xf_set(s, XF_UNIT, XF_UNIT_OF(idle), "res", res);
	xf_set(s, XF_UNIT, XF_UNIT_OF(curr), "res", res);
	xf_list(s, PCPU(cpu), NULL, 0);
}

/* d0v0 runs on CPU 0, CPU 1 idles, d0v1 waits for CPU 0. */
static void
sched(struct mdb_session *s, const char *opt_name)
{
	const mdb_addr_t links[] = { CUNIT };

	fake_put(s->target, POOL, 0, 4);
	xf_set(s, XF_POOL, POOL, "n_dom", 2);
	xf_set(s, XF_POOL, POOL, "cpu_valid", POOL + 0x40);
	xf_set(s, XF_POOL, POOL, "sched_gran", 1);
	fake_put(s->target, POOL + 0x40, 3, 4);
	xf_set(s, XF_SCHEDULER, SCHEDULER, "name", SCHEDULER + 0x40);
	xf_set(s, XF_SCHEDULER, SCHEDULER, "opt_name", SCHEDULER + 0x80);
	xf_set(s, XF_SCHEDULER, SCHEDULER, "sched_data", 0);
	fake_put_str(s->target, SCHEDULER + 0x40, "A Scheduler");
	fake_put_str(s->target, SCHEDULER + 0x80, opt_name);
	sched_cpu(s, 0, XF_IDLE0, XF_D0V0);
	sched_cpu(s, 1, XF_IDLE1, XF_IDLE1);
	xf_set(s, XF_UNIT, XF_UNIT_OF(XF_D0V1), "res", RESOURCE(0));
	xf_set(s, XF_UNIT, XF_UNIT_OF(XF_D0V1), "priv", CUNIT);
	xf_clear(s, CUNIT, 32);
	xf_set(s, XF_CSCHED_UNIT, CUNIT, "unit", XF_UNIT_OF(XF_D0V1));
	xf_set(s, XF_CSCHED_UNIT, CUNIT, "sdom", CDOM);
	xf_set(s, XF_CSCHED_UNIT, CUNIT, "pri", (uint64_t)-2);
	xf_set(s, XF_CSCHED_UNIT, CUNIT, "credit", (uint64_t)-300);
	xf_set(s, XF_CSCHED_DOM, CDOM, "weight", 256);
	xf_set(s, XF_CSCHED_DOM, CDOM, "cap", 50);
	xf_list(s, PCPU(0), links, 1);
}

static void
test_credit_shows_what_runs_and_waits(void **state)
{
	struct mdb_session *s = *state;

	sched(s, "credit");
	has(s, "::xensched", "A Scheduler (credit)\n");
	has(s, "::xensched", "20010800 d0v0        0 running ");
	has(s, "::xensched",
		"20011800 d0v1        0 queued 1         -300    256 ");
	has(s, "::xensched", "over, cap 50%\n");
	assert_string_equal(xf_eval(s, "::walk runq"), "0x20011000\n");
	assert_null(strstr(xf_eval(s, "::xensched"), "d1v0"));
	xf_set(s, XF_DOMAIN, XF_DOM1, "cpupool", POOL);
	has(s, "::xensched -v", "d1v0");
	assert_null(strstr(xf_eval(s, "::xensched -d 1"), "d0v"));
}

static void
test_scheduler_that_is_not_known_says_so(void **state)
{
	struct mdb_session *s = *state;

	sched(s, "fancy");
	has(s, "::xensched", "A Scheduler (fancy): its queues are not known\n");
	has(s, "::xensched", "d0v0        0 running");
}

static void
test_queue_that_does_not_close_is_said(void **state)
{
	struct mdb_session *s = *state;

	sched(s, "credit");
	fake_put(s->target, CUNIT + 4, 0x1234, 4);
	warns(s, "::xensched", "the list does not close");
	sched(s, "credit");
	fake_put(s->target, CUNIT, CUNIT, 4);
	warns(s, "::xensched", "the list does not close");
	sched(s, "credit");
	xf_set(s, XF_VCPU, XF_D0V1, "sched_unit", 0x1234);
	warns(s, "::xensched", "is of unit 1234");
}

/* ---- hypercalls ---------------------------------------------------------- */

static void
test_hypercalls_by_number_and_name(void **state)
{
	struct mdb_session *s = *state;

	has(s, "0t35::hypercall", "35 sysctl ");
	has(s, "::hypercall memory_op", "12 memory_op ");
	has(s, "::hypercall -v sched_op", "2 shutdown\n");
	warns(s, "0t11::hypercall", "there is no hypercall 11");
	warns(s, "::hypercall no_such", "no hypercall \"no_such\"");
}

static void
test_hypercalls_have_their_arguments(void **state)
{
	(void)state;
	assert_string_equal(xpv_hypercall_arg(12, 1), "arg");
	assert_null(xpv_hypercall_arg(12, 2));
	assert_null(xpv_hypercall_arg(23, 0)); /* iret */
	assert_null(xpv_hypercall_arg(39, XPV_HYPERCALL_ARGS));
	assert_null(xpv_hypercall_arg(UINT64_MAX, 0));
	for (uint64_t n = 0; n < MDB_HYPERCALL_MAX; n++)
		if (mdb_hypercall_name(n) == NULL)
			assert_null(xpv_hypercall_arg(n, 0));
}

/* ---- registers ----------------------------------------------------------- */

static void
test_saved_registers_are_decoded_or_refused(void **state)
{
	struct mdb_session *s = *state;
	const mdb_addr_t at = 0x45000000;

	warns(s, "45000000::xenregs", "only those of 64 bits");
	s->target->worlds->arch = &mdb_arch_x86_64;
	xf_clear(s, at, 200);
	warns(s, "45000000::xenregs", "these are no registers");
	fake_put(s->target, at + 32, 0x1111, 8);      /* rbp */
	fake_put(s->target, at + 120, 2, 4);	      /* error code */
	fake_put(s->target, at + 124, 14, 4);	      /* vector */
	fake_put(s->target, at + 128, 0x31000004, 8); /* rip */
	fake_put(s->target, at + 136, 0xe033, 2);     /* cs */
	fake_put(s->target, at + 140, 1, 1);	      /* saved_upcall_mask */
	fake_put(s->target, at + 144, 0x246, 8);      /* rflags */
	has(s, "45000000::xenregs", "%rbp = 0x0000000000001111");
	has(s, "45000000::xenregs",
		"%rip = 0x0000000031000004 "
		"xpv`called_function+0x4\n");
	has(s, "45000000::xenregs", "entered by 0xe (#PF page fault: write");
	has(s, "45000000::xenregs", "event upcalls masked\n");
	/* In the context of a vcpu they come after the FPU's and the flags. */
	xf_clear(s, 0x46000000, 5168);
	fake_put(s->target, 0x46000200, 0x24, 8);
	fake_put(s->target, 0x46000208 + 144, 0x202, 8);
	fake_put(s->target, 0x46000208 + 112, 0x7777, 8); /* rdi */
	fake_put(s->target, 0x46000000 + 4984 + 24, 0x5000, 8);
	has(s, "46000000::xenregs -g", "%rdi = 0x0000000000007777");
	has(s, "46000000::xenregs -g", "%cr3 = 0x5000");
	has(s, "46000000::xenregs -g",
		"context flags: 0x24 (in_kernel,online)\n");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_states_are_those_of_xl),
		TEST(test_members_elsewhere_are_refused),
		TEST(test_vcpus_with_affinity_and_time),
		TEST(test_ring_that_wrapped_is_in_order),
		TEST(test_ring_that_cannot_be_is_refused),
		TEST(test_timers_of_heap_and_list),
		TEST(test_timers_that_contradict_are_left_out),
		TEST(test_rcu_says_who_holds_up_the_batch),
		TEST(test_credit_shows_what_runs_and_waits),
		TEST(test_scheduler_that_is_not_known_says_so),
		TEST(test_queue_that_does_not_close_is_said),
		TEST(test_hypercalls_by_number_and_name),
		TEST(test_hypercalls_have_their_arguments),
		TEST(test_saved_registers_are_decoded_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
