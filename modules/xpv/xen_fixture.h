/* SPDX-License-Identifier: MIT */
/*
 * For tests: a hypervisor with the structures of Xen 4.17, made small: pointers
 * are of 4 bytes, and each has only the members that are asked for.
 */
#ifndef XPV_XEN_FIXTURE_H
#define XPV_XEN_FIXTURE_H

#include "xpv.h"

#include "mdb/dcmd/dcmd.h"
#include "mdb/shell/load.h"
#include "mdb/shell/session.h"
#include "mdb/world/fake_build.h"

#define XF_END       \
	{            \
		NULL \
	}

static const struct fake_member xf_runstate[] = { { "state", 0, 4, NULL },
	{ "state_entry_time", 8, 8, NULL }, XF_END };
static const struct fake_member xf_list_head[] = { { "next", 0, 4, "p" },
	{ "prev", 4, 4, "p" }, XF_END };
static const struct fake_member xf_timer[] = { { "expires", 0, 8, "-" },
	{ "heap_offset", 8, 4, NULL }, { "list_next", 8, 4, "p" },
	{ "inactive", 8, 8, "list_head" }, { "function", 16, 4, "p" },
	{ "data", 20, 4, "p" }, { "cpu", 24, 2, NULL },
	{ "status", 26, 1, NULL }, XF_END };
static const struct fake_member xf_timers[] = { { "heap", 0, 4, "p" },
	{ "list", 4, 4, "p" }, { "running", 8, 4, "p" },
	{ "inactive", 12, 8, "list_head" }, XF_END };
static const struct fake_member xf_vcpu[] = { { "vcpu_id", 0, 4, "-" },
	{ "processor", 4, 4, "-" }, { "domain", 8, 4, "p" },
	{ "sched_unit", 12, 4, "p" },
	{ "runstate", 16, 16, "vcpu_runstate_info" },
	{ "is_running", 32, 1, NULL }, { "pause_flags", 36, 4, NULL },
	{ "pause_count", 40, 4, "-" }, XF_END };
static const struct fake_member xf_unit[] = { { "domain", 0, 4, "p" },
	{ "vcpu_list", 4, 4, "p" }, { "priv", 8, 4, "p" },
	{ "next_in_list", 12, 4, "p" }, { "res", 16, 4, "p" },
	{ "unit_id", 20, 4, NULL }, { "is_running", 24, 1, NULL },
	{ "state_entry_time", 32, 8, NULL },
	{ "cpu_hard_affinity", 40, 4, "p" },
	{ "cpu_soft_affinity", 44, 4, "p" }, XF_END };
static const struct fake_member xf_domain[] = { { "domain_id", 0, 2, NULL },
	{ "max_vcpus", 4, 4, NULL }, { "vcpu", 8, 4, "p" },
	{ "tot_pages", 12, 4, NULL }, { "max_pages", 16, 4, NULL },
	{ "outstanding_pages", 20, 4, NULL }, { "next_in_list", 24, 4, "p" },
	{ "options", 28, 4, NULL }, { "is_dying", 32, 4, NULL },
	{ "controller_pause_count", 36, 4, "-" }, { "pause_count", 40, 4, "-" },
	{ "is_shutting_down", 44, 1, NULL }, { "is_shut_down", 45, 1, NULL },
	{ "creation_finished", 46, 1, NULL }, { "shutdown_code", 48, 4, NULL },
	{ "sched_unit_list", 52, 4, "p" }, { "cpupool", 56, 4, "p" }, XF_END };
static const struct fake_member xf_pool[] = { { "cpupool_id", 0, 4, NULL },
	{ "n_dom", 4, 4, NULL }, { "cpu_valid", 8, 4, "p" },
	{ "sched_gran", 12, 4, NULL }, XF_END };
static const struct fake_member xf_scheduler[] = { { "name", 0, 4, "p" },
	{ "opt_name", 4, 4, "p" }, { "sched_data", 8, 4, "p" }, XF_END };
static const struct fake_member xf_resource[] = { { "scheduler", 0, 4, "p" },
	{ "cpupool", 4, 4, "p" }, { "curr", 8, 4, "p" },
	{ "sched_unit_idle", 12, 4, "p" }, { "prev", 16, 4, "p" },
	{ "sched_priv", 20, 4, "p" }, { "master_cpu", 24, 4, NULL }, XF_END };
static const struct fake_member xf_csched_pcpu[] = {
	{ "runq", 0, 8, "list_head" }, XF_END
};
static const struct fake_member xf_csched_unit[] = { { "runq_elem", 0, 8,
							     "list_head" },
	{ "sdom", 8, 4, "p" }, { "unit", 12, 4, "p" }, { "flags", 16, 4, NULL },
	{ "pri", 20, 4, "-" }, { "credit", 24, 4, "-" }, XF_END };
static const struct fake_member xf_csched_dom[] = { { "weight", 0, 2, NULL },
	{ "cap", 2, 2, NULL }, XF_END };
static const struct fake_member xf_rcu_ctrl[] = { { "cur", 0, 4, "-" },
	{ "completed", 4, 4, "-" }, { "next_pending", 8, 4, "-" },
	{ "cpumask", 12, 4, NULL }, { "idle_cpumask", 16, 4, NULL }, XF_END };
static const struct fake_member xf_rcu_data[] = { { "quiescbatch", 0, 4, "-" },
	{ "qs_pending", 4, 4, "-" }, { "batch", 8, 4, "-" },
	{ "nxtlist", 12, 4, "p" }, { "qlen", 16, 4, "-" },
	{ "curlist", 20, 4, "p" }, { "donelist", 24, 4, "p" },
	{ "cpu", 28, 4, "-" }, XF_END };

enum {
	XF_RUNSTATE,
	XF_LIST_HEAD,
	XF_TIMER,
	XF_TIMERS,
	XF_VCPU,
	XF_UNIT,
	XF_DOMAIN,
	XF_POOL,
	XF_SCHEDULER,
	XF_RESOURCE,
	XF_CSCHED_PCPU,
	XF_CSCHED_UNIT,
	XF_CSCHED_DOM,
	XF_RCU_CTRL,
	XF_RCU_DATA,
};

static const struct fake_struct xf_structs[] = {
	[XF_RUNSTATE] = { "vcpu_runstate_info", NULL, 16, xf_runstate },
	[XF_LIST_HEAD] = { "list_head", NULL, 8, xf_list_head },
	[XF_TIMER] = { "timer", NULL, 32, xf_timer },
	[XF_TIMERS] = { "timers", NULL, 20, xf_timers },
	[XF_VCPU] = { "vcpu", NULL, 44, xf_vcpu },
	[XF_UNIT] = { "sched_unit", NULL, 48, xf_unit },
	[XF_DOMAIN] = { "domain", NULL, 60, xf_domain },
	[XF_POOL] = { "cpupool", NULL, 16, xf_pool },
	[XF_SCHEDULER] = { "scheduler", NULL, 12, xf_scheduler },
	[XF_RESOURCE] = { "sched_resource", NULL, 28, xf_resource },
	[XF_CSCHED_PCPU] = { "csched_pcpu", NULL, 8, xf_csched_pcpu },
	[XF_CSCHED_UNIT] = { "csched_unit", NULL, 28, xf_csched_unit },
	[XF_CSCHED_DOM] = { "csched_dom", NULL, 4, xf_csched_dom },
	[XF_RCU_CTRL] = { "rcu_ctrlblk", NULL, 20, xf_rcu_ctrl },
	[XF_RCU_DATA] = { "rcu_data", NULL, 32, xf_rcu_data },
	{ NULL },
};

/* Addresses of what there is; a CPU's area is XF_PERCPU_LEN further on. */
#define XF_PERCPU 0x10000000u
#define XF_PERCPU_LEN 0x10000u
#define XF_DOM0 0x20000000u
#define XF_DOM1 0x20001000u
#define XF_D0V0 0x20010000u
#define XF_D0V1 0x20011000u
#define XF_D1V0 0x20012000u
#define XF_IDLE0 0x20013000u
#define XF_IDLE1 0x20014000u
#define XF_UNIT_OF(vcpu) ((vcpu) + 0x800u)

static const struct fake_sym xf_syms[] = {
	{ "domain_list", 0x30000000, 4, NULL },
	{ "idle_vcpu", 0x30000010, 8, NULL },
	{ "nr_cpu_ids", 0x30000020, 4, NULL },
	{ "conring", 0x30000030, 4, NULL },
	{ "conring_size", 0x30000034, 4, NULL },
	{ "conringc", 0x30000038, 4, NULL },
	{ "conringp", 0x3000003c, 4, NULL },
	{ "rcu_ctrlblk", 0x30000040, 20, "rcu_ctrlblk" },
	{ "per_cpu__timers", XF_PERCPU, 20, "timers" },
	{ "per_cpu__rcu_data", XF_PERCPU + 0x100, 32, "rcu_data" },
	{ "per_cpu__sched_res", XF_PERCPU + 0x200, 4, NULL },
	{ "called_function", 0x31000000, 16, NULL },
	{ NULL },
};

static inline enum mdb_status
xf_cpu_next(struct mdb_ctx *cx, struct mdb_world *w, int *cpu)
{
	(void)cx;
	(void)w;
	return ++*cpu < 2 ? MDB_OK : MDB_DONE;
}

static inline enum mdb_status
xf_percpu_addr(struct mdb_ctx *cx, struct mdb_world *w, mdb_addr_t value,
	int cpu, mdb_addr_t *addr_out)
{
	(void)cx;
	(void)w;
	*addr_out = value + (mdb_addr_t)cpu * XF_PERCPU_LEN;
	return MDB_OK;
}

static const struct mdb_world_ops xf_ops = { .cpu_next = xf_cpu_next,
	.percpu_addr = xf_percpu_addr };

static inline void
xf_set(struct mdb_session *s, int kind, mdb_addr_t addr, const char *member,
	uint64_t value)
{
	fake_set(s->target, &xf_structs[kind], addr, member, value);
}

static inline void
xf_clear(struct mdb_session *s, mdb_addr_t addr, size_t len)
{
	for (size_t i = 0; i < len; i += 8)
		fake_put(s->target, addr + i, 0, 8);
}

/* An empty list, or one of the elements named, linked both ways. */
static inline void
xf_list(struct mdb_session *s, mdb_addr_t head, const mdb_addr_t *links,
	size_t count)
{
	mdb_addr_t at = head;

	for (size_t i = 0; i <= count; i++) {
		mdb_addr_t next = i < count ? links[i] : head;

		fake_put(s->target, at, next, 4);
		fake_put(s->target, next + 4, at, 4);
		at = next;
	}
}

static inline void
xf_add_vcpu(struct mdb_session *s, mdb_addr_t at, mdb_addr_t domain, int id,
	int cpu, uint32_t state)
{
	mdb_addr_t unit = XF_UNIT_OF(at);

	xf_clear(s, at, 0x100);
	xf_clear(s, unit, 0x100);
	xf_set(s, XF_VCPU, at, "vcpu_id", (uint64_t)id);
	xf_set(s, XF_VCPU, at, "processor", (uint64_t)cpu);
	xf_set(s, XF_VCPU, at, "domain", domain);
	xf_set(s, XF_VCPU, at, "sched_unit", unit);
	fake_put(s->target, at + 16, state, 4);
	fake_put(s->target, at + 24, 1000000000u + at, 8);
	xf_set(s, XF_VCPU, at, "is_running", state == 0);
	xf_set(s, XF_VCPU, at, "pause_flags", state == 2);
	xf_set(s, XF_UNIT, unit, "domain", domain);
	xf_set(s, XF_UNIT, unit, "vcpu_list", at);
	xf_set(s, XF_UNIT, unit, "state_entry_time", 1000000000u + at);
	fake_put(s->target, at + 0x700, 3, 4); /* its affinity: CPUs 0-1 */
	xf_set(s, XF_UNIT, unit, "cpu_hard_affinity", at + 0x700);
	xf_set(s, XF_UNIT, unit, "cpu_soft_affinity", at + 0x700);
}

static inline void
xf_add_domain(struct mdb_session *s, mdb_addr_t at, int id, mdb_addr_t next,
	mdb_addr_t vcpu0, mdb_addr_t vcpu1)
{
	xf_clear(s, at, 0x100);
	xf_set(s, XF_DOMAIN, at, "domain_id", (uint64_t)id);
	xf_set(s, XF_DOMAIN, at, "max_vcpus", 2);
	xf_set(s, XF_DOMAIN, at, "vcpu", at + 0x200);
	xf_set(s, XF_DOMAIN, at, "tot_pages", 0x1000);
	xf_set(s, XF_DOMAIN, at, "max_pages", 0x1100);
	xf_set(s, XF_DOMAIN, at, "next_in_list", next);
	xf_set(s, XF_DOMAIN, at, "creation_finished", 1);
	xf_set(s, XF_DOMAIN, at, "shutdown_code", 0xffffffff);
	xf_set(s, XF_DOMAIN, at, "sched_unit_list", XF_UNIT_OF(vcpu0));
	fake_put(s->target, at + 0x200, vcpu0, 4);
	fake_put(s->target, at + 0x204, vcpu1, 4);
}

static inline void
xf_add_domains(struct mdb_session *s)
{
	xf_add_domain(s, XF_DOM0, 0, XF_DOM1, XF_D0V0, XF_D0V1);
	xf_add_domain(s, XF_DOM1, 1, 0, XF_D1V0, 0);
	xf_add_vcpu(s, XF_D0V0, XF_DOM0, 0, 0, 0);
	xf_add_vcpu(s, XF_D0V1, XF_DOM0, 1, 1, 1);
	xf_add_vcpu(s, XF_D1V0, XF_DOM1, 0, 1, 2);
	xf_set(s, XF_UNIT, XF_UNIT_OF(XF_D0V0), "next_in_list",
		XF_UNIT_OF(XF_D0V1));
	fake_put(s->target, 0x30000000, XF_DOM0, 4);
	fake_put(s->target, 0x30000010, 0, 8);
	fake_put(s->target, 0x30000020, 2, 4);
}

/* A session whose current world is the hypervisor. */
static inline struct mdb_session *
xf_session(void)
{
	struct mdb_session *s = mdb_session_create(mdb_sink_create_memory(),
		mdb_sink_create_memory(), NULL);
	struct mdb_target *t =
		mdb_target_create_memory(mdb_memory_create_fake());
	struct mdb_world *w = fake_world(&s->cx, t, MDB_WORLD_XEN, "xpv",
		xf_structs, xf_syms);

	w->ops = &xf_ops;
	w->nr_cpu_ids = 2;
	mdb_session_set_target(s, t);
	xf_add_domains(s);
	mdb_registry_add_dcmds(&s->registry, "mdb", mdb_dcmds_pipes);
	mdb_load_builtin(s, &mdb_module_xpv);
	return s;
}

static inline const char *
xf_eval(struct mdb_session *s, const char *text)
{
	mdb_sink_clear(s->out);
	mdb_sink_clear(s->err);
	(void)!mdb_session_eval(s, text, strlen(text), NULL);
	return mdb_sink_text(s->out);
}

#endif
