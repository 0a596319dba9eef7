/* SPDX-License-Identifier: MIT */
/* The commands on a hypervisor of 32 bits beside its control domain. */
#include "xpv.h"

#include "mdb/dcmd/dcmd.h"
#include "mdb/shell/load.h"
#include "mdb/shell/session.h"
#include "mdb/world/fake_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define END          \
	{            \
		NULL \
	}

static const struct fake_member runstate_members[] = {
	{ "state", 0, 4, NULL },
	END,
};
static const struct fake_member arch_members[] = {
	{ "cr3", 0, 4, NULL },
	END,
};
static const struct fake_member vcpu_members[] = {
	{ "vcpu_id", 0, 4, "-" },
	{ "processor", 4, 4, "-" },
	{ "domain", 8, 4, NULL },
	{ "runstate", 12, 4, "vcpu_runstate_info" },
	{ "vcpu_flags", 16, 4, NULL },
	{ "arch", 20, 4, "arch_vcpu" },
	END,
};
static const struct fake_member domain_members[] = {
	{ "domain_id", 0, 2, NULL },
	{ "tot_pages", 4, 4, NULL },
	{ "max_pages", 8, 4, NULL },
	{ "next_in_list", 12, 4, NULL },
	{ "evtchn", 16, 8, "p" },
	{ "domain_flags", 24, 4, NULL },
	{ "is_hvm", 28, 1, NULL },
	{ "vcpu", 32, 16, "p" },
	END,
};

enum {
	RUNSTATE,
	ARCH,
	VCPU,
	DOMAIN
};

static const struct fake_struct structs[] = {
	[RUNSTATE] = { "vcpu_runstate_info", NULL, 4, runstate_members },
	[ARCH] = { "arch_vcpu", NULL, 4, arch_members },
	[VCPU] = { "vcpu", NULL, 24, vcpu_members },
	[DOMAIN] = { "domain", NULL, 48, domain_members },
	{ NULL },
};

static const struct fake_struct no_structs[] = { { NULL } };
static const struct fake_sym no_syms[] = { { NULL } };
static const struct fake_sym syms[] = {
	{ "domain_list", 0xff1a0000, 4, NULL },
	{ "idle_vcpu", 0xff1a0010, 8, NULL },
	{ NULL },
};

#define DOM0 0xffbee080
#define DOM1 0xffbd3080
#define D0V0 0xffbe1100
#define D0V1 0xffbe9100
#define D1V0 0xffbd1100
#define IDLE0 0xffbfa100
#define IDLE1 0xffbf0100

static void
set(struct mdb_session *s, int kind, mdb_addr_t addr, const char *member,
	uint64_t value)
{
	fake_set(s->target, &structs[kind], addr, member, value);
}

static void
add_vcpu(struct mdb_session *s, mdb_addr_t at, mdb_addr_t domain, int id,
	int cpu, uint32_t state)
{
	set(s, VCPU, at, "vcpu_id", (uint64_t)id);
	set(s, VCPU, at, "processor", (uint64_t)cpu);
	set(s, VCPU, at, "domain", domain);
	set(s, VCPU, at, "vcpu_flags", 1);
	set(s, VCPU, at, "arch", 0xbe1d00);
	set(s, VCPU, at, "runstate", state);
}

static void
add_domain(struct mdb_session *s, mdb_addr_t at, int id, mdb_addr_t next,
	mdb_addr_t vcpu0, mdb_addr_t vcpu1)
{
	for (mdb_addr_t a = at; a < at + 48; a += 8)
		fake_put(s->target, a, 0, 8);
	set(s, DOMAIN, at, "domain_id", (uint64_t)id);
	set(s, DOMAIN, at, "tot_pages", 0x1000);
	set(s, DOMAIN, at, "max_pages", 0xffffffff);
	set(s, DOMAIN, at, "next_in_list", next);
	fake_put(s->target, at + 32, vcpu0, 4);
	fake_put(s->target, at + 36, vcpu1, 4);
}

static int
setup(void **state)
{
	struct mdb_session *s = mdb_session_create(mdb_sink_create_memory(),
		mdb_sink_create_memory(), NULL);
	struct mdb_target *t =
		mdb_target_create_memory(mdb_memory_create_fake());

	(void)fake_world(&s->cx, t, MDB_WORLD_ILLUMOS, "unix", no_structs,
		no_syms);
	(void)fake_world(&s->cx, t, MDB_WORLD_XEN, "xpv", structs, syms);
	mdb_session_set_target(s, t);
	fake_put(t, 0xff1a0000, DOM0, 4);
	fake_put(t, 0xff1a0010, IDLE0, 4);
	fake_put(t, 0xff1a0014, IDLE1, 4);
	add_domain(s, DOM0, 0, DOM1, D0V0, D0V1);
	add_domain(s, DOM1, 1, 0, D1V0, 0);
	add_vcpu(s, D0V0, DOM0, 0, 1, 0);
	add_vcpu(s, D0V1, DOM0, 1, 0, 2);
	add_vcpu(s, D1V0, DOM1, 0, 0, 9);
	mdb_registry_add_dcmds(&s->registry, "mdb", mdb_dcmds_pipes);
	mdb_load_builtin(s, &mdb_module_xpv);
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

static void
test_domain_has_the_columns_of_mdb(void **state)
{
	assert_string_equal(eval(*state, "::domain"),
		"ADDR      ID   TPAGES   MPAGES    FLAGS HVM VCPU     EVTCHN   "
		"TYPE STATE    ON  OF WHY\n"
		"ffbee080   0     1000 ffffffff        0   0 ffbee0a0 "
		"ffbee090 -    -         -   2 -\n"
		"ffbd3080   1     1000 ffffffff        0   0 ffbd30a0 "
		"ffbd3090 -    -         -   1 -\n");
}

static void
test_vcpus_of_domains(void **state)
{
	static const char all[] =
		"ADDR       DOM VCPU  CPU STATE        FLAGS CR3      MODE     "
		"        FOR AFFINITY WHY\n"
		"ffbe1100     0    0    1 running          1 be1d00   -         "
		"         - -        -\n"
		"ffbe9100     0    1    0 blocked          1 be1d00   -         "
		"         - -        -\n"
		"ffbd1100     1    0    0 <corrupt> <corrupt> be1d00   "
		"<corrupt>    <corrupt> -        <corrupt>\n";

	assert_string_equal(eval(*state, "::vcpu"), all);
	assert_string_equal(eval(*state, "::walk domain | ::walk vcpu | "
					 "::vcpu"),
		all);
	assert_string_equal(eval(*state, "::walk vcpu"),
		"0xffbe1100\n0xffbe9100\n0xffbd1100\n");
}

static void
test_pcpu_runs_a_vcpu_or_is_idle(void **state)
{
	assert_string_equal(eval(*state, "::pcpu"),
		" CPU VCPU       DOM  ID IDLE     STACK    IRQ        "
		"SOFTIRQS\n"
		"   0 ffbfa100  idle   - ffbfa100 -        -          -\n"
		"   1 ffbe1100     0   0 ffbf0100 -        -          -\n");
	(void)eval(*state, "::pcpu -v");
	assert_non_null(
		strstr(mdb_sink_text(((struct mdb_session *)*state)->err),
			"for a hypervisor of 64 bits"));
}

static void
test_damaged_lists_end(void **state)
{
	struct mdb_session *s = *state;

	set(s, DOMAIN, DOM1, "next_in_list", DOM1);
	assert_non_null(strstr(eval(s, "::domain"), "ffbd3080"));
	assert_non_null(strstr(mdb_sink_text(s->err), "comes back to"));
	assert_string_equal(eval(s, "::walk domain"),
		"0xffbee080\n0xffbd3080\n");
	mdb_fake_fault(s->target->memory, DOM1 & ~0xfffull, MDB_E_EXCLUDED);
	assert_non_null(strstr(eval(s, "::vcpu"), "ffbe9100"));
	assert_non_null(strstr(mdb_sink_text(s->err), "excluded"));
	(void)eval(s, "::domain; ::pcpu; ::walk vcpu");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_domain_has_the_columns_of_mdb),
		TEST(test_vcpus_of_domains),
		TEST(test_pcpu_runs_a_vcpu_or_is_idle),
		TEST(test_damaged_lists_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
