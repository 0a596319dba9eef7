/* SPDX-License-Identifier: MIT */
/*
 * vCPUs, their units and what schedules them, against each other.
 */
#include "mdb/base/ctx.h"
#include "mdb/world/xen_trust.h"

#include <stdio.h>
#include <string.h>

#define RUNSTATE_RUNNING 0u /* xen/include/public/vcpu.h */
#define RUNSTATE_BLOCKED 2u
#define VPF_BLOCKED 0x1u /* xen/include/xen/sched.h */
#define FRAME_MASK 0x000ffffffffff000ull

#define DOMAIN "struct domain"
#define VCPU "struct vcpu"
#define UNIT "struct sched_unit"
#define RESOURCE "struct sched_resource"
#define POOL "struct cpupool"
#define SCHEDULER "struct scheduler"

/* ---- scheduling ---------------------------------------------------------- */

/* Is that a scheduler: has it the name of one? */
static enum mdb_xen_evidence
test_scheduler(struct mdb_xen_prover *p, mdb_addr_t addr)
{
	static const char *const names[] = { "credit", "credit2", "rtds",
		"null", "arinc653", "idle" };
	enum mdb_xen_evidence says;
	char text[16];
	bool known = false;
	uint64_t at;

	if (!mdb_xen_is_own(addr))
		return MDB_XEN_CONTRADICTS;
	if (!mdb_xen_value(p, SCHEDULER, "opt_name", addr, &at))
		return MDB_XEN_SAYS_NOTHING;
	says = mdb_xen_text(p, at, text, sizeof(text));
	if (says != MDB_XEN_AGREES)
		return says;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		known = known || strcmp(text, names[i]) == 0;
	if (!known)
		return MDB_XEN_CONTRADICTS;
	mdb_xen_say(p, SCHEDULER, "opt_name", addr, MDB_XEN_AGREES);
	if (mdb_xen_value(p, SCHEDULER, "name", addr, &at))
		mdb_xen_say(p, SCHEDULER, "name", addr,
			mdb_xen_agrees_if(at >= p->xen->text_start &&
					  at < p->xen->image_end));
	mdb_xen_evidence(p, SCHEDULER, addr);
	return MDB_XEN_AGREES;
}

void
mdb_xen_test_pool(struct mdb_xen_prover *p, mdb_addr_t domain)
{
	enum mdb_xen_evidence says = MDB_XEN_CONTRADICTS;
	uint64_t pool, sched = 0;

	if (!mdb_xen_value(p, DOMAIN, "cpupool", domain, &pool) || pool == 0)
		return;
	if (mdb_xen_is_own(pool))
		says = mdb_xen_value(p, POOL, "sched", pool, &sched)
			       ? test_scheduler(p, sched)
			       : MDB_XEN_SAYS_NOTHING;
	mdb_xen_say(p, DOMAIN, "cpupool", domain, says);
	if (says != MDB_XEN_AGREES)
		return;
	mdb_xen_say(p, POOL, "sched", pool, MDB_XEN_AGREES);
	mdb_xen_evidence(p, POOL, pool);
}

static void
test_resource(struct mdb_xen_prover *p, mdb_addr_t unit, int processor)
{
	enum mdb_xen_evidence says = MDB_XEN_CONTRADICTS;
	uint64_t res, cpu, sched;

	if (!mdb_xen_value(p, UNIT, "res", unit, &res) || res == 0)
		return;
	if (mdb_xen_is_own(res))
		says = mdb_xen_value(p, RESOURCE, "scheduler", res, &sched)
			       ? test_scheduler(p, sched)
			       : MDB_XEN_SAYS_NOTHING;
	if (says == MDB_XEN_CONTRADICTS)
		mdb_xen_say(p, UNIT, "res", unit, says);
	if (says != MDB_XEN_AGREES ||
		!mdb_xen_value(p, RESOURCE, "master_cpu", res, &cpu))
		return;
	mdb_xen_say(p, RESOURCE, "scheduler", res, MDB_XEN_AGREES);
	(void)mdb_xen_expect(p, RESOURCE, "master_cpu", res,
		(uint64_t)processor);
	mdb_xen_say(p, UNIT, "res", unit,
		mdb_xen_agrees_if(cpu == (uint64_t)processor));
	mdb_xen_evidence(p, RESOURCE, res);
}

static void
test_unit(struct mdb_xen_prover *p, mdb_addr_t vcpu,
	const struct mdb_xen_vcpu *v, mdb_addr_t next)
{
	static const struct mdb_xen_link link = { VCPU, "sched_unit", UNIT,
		"vcpu_list" };
	uint64_t unit, next_unit;

	if (!mdb_xen_circle(p, &link, vcpu, &unit))
		return;
	(void)mdb_xen_expect(p, UNIT, "domain", unit, v->domain);
	(void)mdb_xen_expect(p, UNIT, "unit_id", unit, v->vcpu);
	if (next && mdb_xen_value(p, VCPU, "sched_unit", next, &next_unit))
		(void)mdb_xen_expect(p, UNIT, "next_in_list", unit, next_unit);
	test_resource(p, unit, v->processor);
	mdb_xen_evidence(p, UNIT, unit);
	if (v->vcpu == 0 && v->domid != MDB_XEN_DOMID_IDLE)
		(void)mdb_xen_expect(p, DOMAIN, "sched_unit_list", v->domain,
			unit);
}

/* ---- vCPUs --------------------------------------------------------------- */

/* Is it on its processor, as far as that can be seen? */
static bool
current_known(struct mdb_xen_prover *p, mdb_addr_t vcpu, int processor,
	bool *current_out)
{
	const struct mdb_xen_cpus *cpus = mdb_xen_cpus(p->cx, p->xen);
	const struct mdb_xen_cpu *c;
	struct mdb_xen_vcpu v;

	*current_out = true;
	for (size_t i = 0; cpus && i < cpus->nr; i++)
		if (cpus->list[i].current == vcpu)
			return true;
	*current_out = false;
	c = cpus ? mdb_xen_cpu_of_id(cpus, processor) : NULL;
	return c && mdb_xen_vcpu_try(p->xen, c->current, &v);
}

static void
test_running(struct mdb_xen_prover *p, mdb_addr_t vcpu, bool current)
{
	uint64_t state;

	(void)mdb_xen_expect(p, VCPU, "is_running", vcpu, current);
	if (!mdb_xen_value(p, VCPU, "runstate.state", vcpu, &state))
		return;
	if (current ? state != RUNSTATE_RUNNING : state == 0 || state > 3)
		mdb_xen_say(p, VCPU, "runstate.state", vcpu,
			MDB_XEN_CONTRADICTS);
	else if (!current)
		mdb_xen_say(p, VCPU, "runstate.state", vcpu, MDB_XEN_AGREES);
}

/* A vCPU that waits says why; what is no set of VPF_ flags is elsewhere. */
static void
test_paused(struct mdb_xen_prover *p, mdb_addr_t vcpu, bool waits)
{
	uint64_t state, flags;

	if (!mdb_xen_value(p, VCPU, "runstate.state", vcpu, &state) ||
		!mdb_xen_value(p, VCPU, "pause_flags", vcpu, &flags))
		return;
	if (flags >> 16 != 0)
		mdb_xen_say(p, VCPU, "pause_flags", vcpu, MDB_XEN_CONTRADICTS);
	else if (state == RUNSTATE_BLOCKED && (flags & VPF_BLOCKED) != 0 &&
		 waits)
		mdb_xen_say(p, VCPU, "pause_flags", vcpu, MDB_XEN_AGREES);
}

/* What cr3 was loaded with is one of the guest's two tables. */
static void
test_tables(struct mdb_xen_prover *p, mdb_addr_t vcpu)
{
	static const char *const tables[] = { "arch.guest_table",
		"arch.guest_table_user" };
	uint64_t cr3, frame;

	if (!mdb_xen_value(p, VCPU, "arch.cr3", vcpu, &cr3) ||
		(cr3 & FRAME_MASK) == 0)
		return;
	for (size_t i = 0; i < 2; i++)
		if (mdb_xen_value(p, VCPU, tables[i], vcpu, &frame) &&
			frame == (cr3 & FRAME_MASK) >> 12) {
			mdb_xen_say(p, VCPU, tables[i], vcpu, MDB_XEN_AGREES);
			mdb_xen_say(p, VCPU, "arch.cr3", vcpu, MDB_XEN_AGREES);
		}
}

static void
test_vcpu_timers(struct mdb_xen_prover *p, mdb_addr_t vcpu)
{
	static const char *const names[] = { "periodic_timer",
		"singleshot_timer", "poll_timer" };
	char path[48];

	for (size_t i = 0; i < 3; i++) {
		uint64_t data;

		(void)snprintf(path, sizeof(path), "%s.data", names[i]);
		if (mdb_xen_value(p, VCPU, path, vcpu, &data) && data != 0)
			mdb_xen_say(p, VCPU, path, vcpu,
				mdb_xen_agrees_if(data == vcpu));
	}
}

void
mdb_xen_test_vcpu(struct mdb_xen_prover *p, mdb_addr_t vcpu, mdb_addr_t next)
{
	struct mdb_xen_vcpu v;
	bool current, known;

	if (!mdb_xen_vcpu_try(p->xen, vcpu, &v))
		return;
	(void)mdb_xen_expect(p, VCPU, "vcpu_id", vcpu, v.vcpu);
	(void)mdb_xen_expect(p, VCPU, "processor", vcpu, (uint64_t)v.processor);
	(void)mdb_xen_expect(p, VCPU, "domain", vcpu, v.domain);
	if (next)
		(void)mdb_xen_expect(p, VCPU, "next_in_list", vcpu, next);
	test_unit(p, vcpu, &v, next);
	known = current_known(p, vcpu, v.processor, &current);
	if (known)
		test_running(p, vcpu, current);
	test_paused(p, vcpu, known && !current);
	test_tables(p, vcpu);
	test_vcpu_timers(p, vcpu);
	mdb_xen_evidence(p, VCPU, vcpu);
}
