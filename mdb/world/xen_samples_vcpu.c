/* SPDX-License-Identifier: MIT */
/*
 * vCPUs, their units and what schedules them, against each other.
 */
#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"
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

/* A short text of printable characters at the address. */
static bool
text_at(struct mdb_xen_prover *p, mdb_addr_t addr, char *buf, size_t len)
{
	if (addr < p->xen->text_start || addr >= p->xen->image_end ||
		mdb_space_try(p->xen->world->space, addr, buf, len) != MDB_OK ||
		!memchr(buf, 0, len) || !buf[0])
		return false;
	for (; *buf; buf++)
		if (*buf < ' ' || *buf > '~')
			return false;
	return true;
}

/* ---- scheduling ---------------------------------------------------------- */

static void
test_scheduler(struct mdb_xen_prover *p, mdb_addr_t addr, bool *is_one_out)
{
	static const char *const names[] = { "credit", "credit2", "rtds",
		"null", "arinc653", "idle" };
	char text[16];
	uint64_t at;

	*is_one_out = false;
	if (!mdb_xen_value(p, SCHEDULER, "opt_name", addr, &at) ||
		!text_at(p, at, text, sizeof(text)))
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(text, names[i]) == 0)
			*is_one_out = true;
	if (!*is_one_out)
		return;
	mdb_xen_say(p, SCHEDULER, "opt_name", true);
	if (mdb_xen_value(p, SCHEDULER, "name", addr, &at))
		mdb_xen_say(p, SCHEDULER, "name",
			text_at(p, at, text, 1) || at >= p->xen->text_start);
	mdb_xen_evidence(p, SCHEDULER, addr);
}

void
mdb_xen_test_pool(struct mdb_xen_prover *p, mdb_addr_t domain)
{
	uint64_t pool, sched = 0;
	bool is_one = false;

	if (!mdb_xen_value(p, DOMAIN, "cpupool", domain, &pool) || pool == 0)
		return;
	if (mdb_xen_value(p, POOL, "sched", pool, &sched))
		test_scheduler(p, sched, &is_one);
	mdb_xen_say(p, DOMAIN, "cpupool", is_one);
	if (!is_one)
		return;
	mdb_xen_say(p, POOL, "sched", true);
	mdb_xen_evidence(p, POOL, pool);
}

static void
test_resource(struct mdb_xen_prover *p, mdb_addr_t unit, int processor)
{
	uint64_t res, cpu, sched;
	bool is_one = false;

	if (!mdb_xen_value(p, UNIT, "res", unit, &res) || res == 0)
		return;
	if (mdb_xen_value(p, RESOURCE, "scheduler", res, &sched))
		test_scheduler(p, sched, &is_one);
	if (!is_one || !mdb_xen_value(p, RESOURCE, "master_cpu", res, &cpu)) {
		mdb_xen_say(p, UNIT, "res", false);
		return;
	}
	mdb_xen_say(p, RESOURCE, "scheduler", true);
	(void)mdb_xen_expect(p, RESOURCE, "master_cpu", res,
		(uint64_t)processor);
	mdb_xen_say(p, UNIT, "res", cpu == (uint64_t)processor);
	mdb_xen_evidence(p, RESOURCE, res);
}

static void
test_unit(struct mdb_xen_prover *p, mdb_addr_t vcpu,
	const struct mdb_xen_vcpu *v, mdb_addr_t next)
{
	uint64_t unit, next_unit;

	if (!mdb_xen_circle(p, VCPU, "sched_unit", vcpu, UNIT, "vcpu_list",
		    vcpu, &unit))
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

static bool
is_current(const struct mdb_xen_prover *p, mdb_addr_t vcpu)
{
	const struct mdb_xen_cpus *cpus = p->xen->cpus;

	for (size_t i = 0; cpus && i < cpus->nr; i++)
		if (cpus->list[i].current == vcpu)
			return true;
	return false;
}

static void
test_running(struct mdb_xen_prover *p, mdb_addr_t vcpu)
{
	bool current = is_current(p, vcpu);
	uint64_t state;

	(void)mdb_xen_expect(p, VCPU, "is_running", vcpu, current);
	if (!mdb_xen_value(p, VCPU, "runstate.state", vcpu, &state))
		return;
	if (current ? state != RUNSTATE_RUNNING : state == 0 || state > 3)
		mdb_xen_say(p, VCPU, "runstate.state", false);
	else if (!current)
		mdb_xen_say(p, VCPU, "runstate.state", true);
}

/* A vCPU that waits says why; what is no set of VPF_ flags is elsewhere. */
static void
test_paused(struct mdb_xen_prover *p, mdb_addr_t vcpu)
{
	uint64_t state, flags;

	if (!mdb_xen_value(p, VCPU, "runstate.state", vcpu, &state) ||
		!mdb_xen_value(p, VCPU, "pause_flags", vcpu, &flags))
		return;
	if (flags >> 16 != 0)
		mdb_xen_say(p, VCPU, "pause_flags", false);
	else if (state == RUNSTATE_BLOCKED && (flags & VPF_BLOCKED) != 0 &&
		 !is_current(p, vcpu))
		mdb_xen_say(p, VCPU, "pause_flags", true);
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
			mdb_xen_say(p, VCPU, tables[i], true);
			mdb_xen_say(p, VCPU, "arch.cr3", true);
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
			mdb_xen_say(p, VCPU, path, data == vcpu);
	}
}

void
mdb_xen_test_vcpu(struct mdb_xen_prover *p, mdb_addr_t vcpu, mdb_addr_t next)
{
	struct mdb_xen_vcpu v;

	if (!mdb_xen_vcpu_try(p->xen, vcpu, &v))
		return;
	(void)mdb_xen_expect(p, VCPU, "vcpu_id", vcpu, v.vcpu);
	(void)mdb_xen_expect(p, VCPU, "processor", vcpu, (uint64_t)v.processor);
	(void)mdb_xen_expect(p, VCPU, "domain", vcpu, v.domain);
	if (next)
		(void)mdb_xen_expect(p, VCPU, "next_in_list", vcpu, next);
	test_unit(p, vcpu, &v, next);
	test_running(p, vcpu);
	test_paused(p, vcpu);
	test_tables(p, vcpu);
	test_vcpu_timers(p, vcpu);
	mdb_xen_evidence(p, VCPU, vcpu);
}
