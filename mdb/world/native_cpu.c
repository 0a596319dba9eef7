/* SPDX-License-Identifier: MIT */
/*
 * CPUs of worlds that a dump states.  A hypervisor's CPUs are the machine's.
 * Those of a domain are its virtual ones: the dump says which of them each
 * CPU ran, and what it has of a CPU's registers may be the hypervisor's code
 * that was entered from there.
 */
#include "mdb/base/ctx.h"
#include "mdb/world/native.h"

#include <inttypes.h>
#include <limits.h>

/* Numbers of CPUs beyond this are not believed. */
#define MAX_CPU_ID 65535u

static bool
runs(const struct dfmt_world *w, const struct dfmt_cpu *c)
{
	return c->has_vcpu && w->domain != UINT32_MAX && c->domain == w->domain;
}

/* Does the dump say which of the domain's virtual CPUs run? */
static bool
is_virtual(const struct mdb_native *n, const struct dfmt_world *w)
{
	for (size_t i = 0; i < n->nr_cpus; i++)
		if (runs(w, &n->cpus[i]))
			return true;
	return false;
}

bool
mdb_native_is_virtual(const struct mdb_world *world)
{
	const struct mdb_native *n = world->target->native;

	for (size_t i = 0; n && i < n->nr_worlds; i++)
		if (n->worlds[i] == world && world->kind != MDB_WORLD_LINUX &&
			world->kind != MDB_WORLD_XEN)
			return is_virtual(n, &n->records[i]);
	return false;
}

struct view {
	const struct mdb_native *native;
	const struct dfmt_world *record;
	uint32_t index;
	bool hypervisor, virtual;
};

static struct view
view_of(const struct mdb_world *world)
{
	const struct mdb_native_world *nw = mdb_native_world_of(world);
	struct view v = { .native = nw->native,
		.record = &nw->native->records[nw->index],
		.index = nw->index,
		.hypervisor = world->kind == MDB_WORLD_XEN };

	v.virtual = !v.hypervisor && is_virtual(v.native, v.record);
	return v;
}

/* The number by which this world knows the CPU; -1: it is none of its. */
static int
number_of(const struct view *v, const struct dfmt_cpu *c)
{
	bool is_own = v->virtual      ? runs(v->record, c)
		      : v->hypervisor ? true
				      : c->world == v->index;
	uint32_t id = v->virtual ? c->vcpu : c->id;

	return is_own && id <= MAX_CPU_ID ? (int)id : -1;
}

enum mdb_status
mdb_native_cpu_next(struct mdb_ctx *cx, struct mdb_world *world, int *cpu)
{
	struct view v = view_of(world);
	int best = -1;

	(void)cx;
	for (size_t i = 0; i < v.native->nr_cpus; i++) {
		int id = number_of(&v, &v.native->cpus[i]);

		if (id > *cpu && (best < 0 || id < best))
			best = id;
	}
	if (best < 0)
		return MDB_DONE;
	*cpu = best;
	return MDB_OK;
}

unsigned int
mdb_native_nr_cpu_ids(const struct mdb_world *world)
{
	struct view v = view_of(world);
	int most = 0;

	for (size_t i = 0; i < v.native->nr_cpus; i++) {
		int id = number_of(&v, &v.native->cpus[i]);

		most = id > most ? id : most;
	}
	return (unsigned int)most + 1;
}

int
mdb_native_panic_cpu(struct mdb_ctx *cx, struct mdb_world *world)
{
	struct view v = view_of(world);

	(void)cx;
	return v.native->panic_cpu < 0
		       ? -1
		       : number_of(&v, &v.native->cpus[v.native->panic_cpu]);
}

static bool
is_wide(const struct mdb_native *n, const struct dfmt_cpu *c,
	const struct mdb_world *otherwise)
{
	const struct mdb_world *w =
		c->world < n->nr_worlds ? n->worlds[c->world] : NULL;

	return (w ? w : otherwise)->arch->word == 8;
}

enum mdb_status
mdb_native_cpu_regs(struct mdb_ctx *cx, struct mdb_world *world, int cpu,
	struct mdb_regs *regs_out)
{
	struct view v = view_of(world);

	for (size_t i = 0; i < v.native->nr_cpus; i++) {
		const struct dfmt_cpu *c = &v.native->cpus[i];

		if (cpu < 0 || number_of(&v, c) != cpu)
			continue;
		if (!c->has_regs)
			break;
		*regs_out = mdb_regs_of_cpu(c, is_wide(v.native, c, world));
		if (c->has_trap) {
			mdb_reg_set(regs_out, MDB_R_TRAP, c->trap);
			mdb_reg_set(regs_out, MDB_R_ERR, c->error);
		}
		return MDB_OK;
	}
	return mdb_fail(cx, MDB_E_NOTFOUND,
		"the dump has no registers of CPU %d of %s", cpu, world->name);
}

/* The CPU whose stack, in this world, holds sp; NULL: none is known to. */
static const struct dfmt_cpu *
cpu_on_stack(const struct view *v, mdb_addr_t sp)
{
	for (size_t i = 0; i < v->native->nr_cpus; i++) {
		const struct dfmt_cpu *c = &v->native->cpus[i];

		if (c->has_stack && c->world == v->index &&
			sp >= c->stack_first && sp < c->stack_end)
			return c;
	}
	return NULL;
}

enum mdb_status
mdb_native_stack_range(struct mdb_ctx *cx, struct mdb_world *world,
	mdb_addr_t sp, struct mdb_stack_range *range_out)
{
	struct view v = view_of(world);
	const struct dfmt_cpu *c = cpu_on_stack(&v, sp);

	(void)cx;
	if (!c)
		return MDB_E_NOTFOUND;
	*range_out = (struct mdb_stack_range){ .low = c->stack_first,
		.high = c->stack_end,
		.name = v.hypervisor ? "hypervisor" : "CPU",
		.cpu = number_of(&v, c) };
	return MDB_OK;
}

static struct mdb_world *
world_of_domain(const struct mdb_native *n, uint32_t domain)
{
	for (size_t i = 0; i < n->nr_worlds; i++)
		if (n->worlds[i] && n->records[i].domain == domain &&
			n->worlds[i]->kind != MDB_WORLD_XEN)
			return n->worlds[i];
	return NULL;
}

/* Without a word on whom the CPU ran: the one there is to run. */
static struct mdb_world *
only_guest(const struct mdb_native *n)
{
	struct mdb_world *found = NULL;

	for (size_t i = 0; i < n->nr_worlds; i++) {
		if (!n->worlds[i] || n->worlds[i]->kind == MDB_WORLD_XEN)
			continue;
		if (found)
			return NULL;
		found = n->worlds[i];
	}
	return found;
}

enum mdb_status
mdb_native_guest_on_stack(struct mdb_ctx *cx, struct mdb_world *world,
	mdb_addr_t sp, struct mdb_guest *guest_out)
{
	struct view v = view_of(world);
	const struct dfmt_cpu *c = cpu_on_stack(&v, sp);
	bool told = c && c->has_vcpu;
	struct mdb_world *guest = told ? world_of_domain(v.native, c->domain)
				       : only_guest(v.native);

	*guest_out = (struct mdb_guest){ .world = guest,
		.domain = told && c->domain <= INT_MAX ? (int)c->domain : -1,
		.vcpu = told && c->vcpu <= INT_MAX ? (int)c->vcpu : -1 };
	if (!guest && told)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"domain %" PRIu32 ", which ran there, is no world of "
			"this dump",
			c->domain);
	if (!guest)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"the dump does not say which domain ran there");
	return MDB_OK;
}
