/* SPDX-License-Identifier: MIT */
/*
 * CPUs, virtual and physical: ::vcpu, ::pcpu.
 */
#include "xpv.h"

#include <inttypes.h>

struct vcpu {
	int32_t id, processor;
	mdb_addr_t domain;
	uint32_t state;
	uint64_t flags;
	mdb_addr_t cr3;
};

enum {
	F_STATE = 3,
	F_CR3 = 5
};

static const struct mdb_field vcpu_fields[] = {
	MDB_FIELD(struct vcpu, id, "vcpu_id"),
	MDB_FIELD(struct vcpu, processor, "processor"),
	MDB_FIELD(struct vcpu, domain, "domain"),
	MDB_FIELD_OPT(struct vcpu, state, "runstate.state"),
	MDB_FIELD_OPT(struct vcpu, flags, "vcpu_flags\0pause_flags"),
	MDB_FIELD_OPT(struct vcpu, cr3, "arch.cr3"),
	MDB_FIELD_END,
};

static const struct mdb_shape vcpu_shape = { "struct vcpu", vcpu_fields };

enum mdb_status
xpv_vcpu_read(struct mdb_ctx *cx, struct mdb_loc loc, struct xpv_vcpu *out)
{
	struct vcpu v;
	enum mdb_status st = mdb_read_shape(cx, &vcpu_shape, loc, &v);

	if (st != MDB_OK)
		return mdb_context(cx, st, "vcpu %" PRIx64, loc.addr);
	*out = (struct xpv_vcpu){
		.loc = loc,
		.id = v.id,
		.processor = v.processor,
		.domain = v.domain,
		.has_state = mdb_shape_has(cx, loc.world, &vcpu_shape, F_STATE),
		.state = v.state,
		.flags = v.flags,
		.cr3 = v.cr3,
		.has_cr3 = mdb_shape_has(cx, loc.world, &vcpu_shape, F_CR3),
	};
	return MDB_OK;
}

/* xen/include/public/vcpu.h: RUNSTATE_* */
#define RUNSTATE_RUNNING 0

const char *
xpv_state_name(const struct xpv_vcpu *v)
{
	static const char *const names[] = { "running", "runnable", "blocked",
		"offline" };

	if (!v->has_state || v->state >= sizeof(names) / sizeof(names[0]))
		return "?";
	return names[v->state];
}

/* The id of the domain at an address. */
static struct mdb_value
domain_id(struct mdb_ctx *cx, struct mdb_loc loc)
{
	uint64_t offset = 0, id = 0;
	enum mdb_status st = mdb_offset_of(cx, loc.world, "struct domain",
		"domain_id\0", &offset);

	if (st == MDB_OK)
		st = mdb_read_uint(cx, mdb_at(loc, loc.addr + offset), 2, &id);
	if (st == MDB_OK)
		return mdb_v_uint(id);
	mdb_forget(cx);
	return mdb_v_error(st);
}

/* ---- ::vcpu -------------------------------------------------------------- */

static const struct mdb_column vcpu_columns[] = {
	{ "addr", "ADDR", MDB_WIDTH_ADDR,
		MDB_COL_LEFT | MDB_COL_PIPE | MDB_COL_ZERO, 0,
		"its struct vcpu" },
	{ "domain", "DOM", 5, 0, 0, "id of its domain, decimal" },
	{ "id", "VCPU", 4, 0, 0, "its number in the domain" },
	{ "cpu", "CPU", 4, 0, 0, "processor that it is on, or was on last" },
	{ "state", "STATE", 8, MDB_COL_LEFT, 0,
		"running, runnable, blocked, offline" },
	{ "flags", "FLAGS", 8, 0, 0, "vcpu_flags, hex" },
	{ "cr3", "CR3", MDB_WIDTH_ADDR, MDB_COL_LEFT, 0,
		"the page tables that it has, a machine address" },
	{ NULL },
};

const struct mdb_table xpv_vcpu_table = { .name = "vcpus",
	.columns = vcpu_columns };

static enum mdb_status
vcpu_row(struct mdb_ctx *cx, struct mdb_loc loc, void *arg)
{
	struct xpv_vcpu x;
	enum mdb_status st = xpv_vcpu_read(cx, loc, &x);

	(void)arg;
	if (st != MDB_OK)
		return st;
	struct mdb_value v[] = {
		mdb_v_addr(loc),
		domain_id(cx, mdb_at(loc, x.domain)),
		mdb_v_int(x.id),
		mdb_v_int(x.processor),
		mdb_v_text(xpv_state_name(&x)),
		mdb_v_hex(x.flags),
		x.has_cr3 ? mdb_v_hex(x.cr3) : mdb_v_none(),
	};

	return mdb_row(cx, &xpv_vcpu_table, v);
}

static enum mdb_status
domain_vcpus(struct mdb_ctx *cx, struct mdb_loc loc, void *arg)
{
	struct xpv_domain d;
	enum mdb_status st = xpv_domain_read(cx, loc, &d);

	return st == MDB_OK ? xpv_each_vcpu(cx, &d, vcpu_row, arg) : st;
}

enum mdb_status
xpv_vcpu(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_world *world;
	enum mdb_status st;

	if (call->has_addr)
		return vcpu_row(cx, call->loc, NULL);
	st = xpv_world(cx, &world);
	return st == MDB_OK ? xpv_each_domain(cx, world, domain_vcpus, NULL)
			    : st;
}

/* ---- ::pcpu -------------------------------------------------------------- */

static const struct mdb_column pcpu_columns[] = {
	{ "cpu", "CPU", 4, 0, 0, "number of the processor" },
	{ "vcpu", "VCPU", MDB_WIDTH_ADDR,
		MDB_COL_LEFT | MDB_COL_PIPE | MDB_COL_ZERO, 0,
		"the vcpu that it runs" },
	{ "domain", "DOM", 5, 0, 0, "id of the vcpu's domain; idle" },
	{ "id", "ID", 3, 0, 0, "number of the vcpu in the domain" },
	{ "idle", "IDLE", MDB_WIDTH_ADDR, MDB_COL_LEFT | MDB_COL_ZERO, 0,
		"the processor's idle vcpu" },
	{ NULL },
};

const struct mdb_table xpv_pcpu_table = { .name = "pcpus",
	.columns = pcpu_columns };

#define MAX_CPUS 4096

/* Which vcpu of a domain runs on each processor. */
struct running {
	struct xpv_vcpu on[MAX_CPUS];
};

static enum mdb_status
note_running(struct mdb_ctx *cx, struct mdb_loc loc, void *arg)
{
	struct running *r = arg;
	struct xpv_vcpu v;
	enum mdb_status st = xpv_vcpu_read(cx, loc, &v);

	if (st == MDB_OK && v.has_state && v.state == RUNSTATE_RUNNING &&
		v.processor >= 0 && v.processor < MAX_CPUS)
		r->on[v.processor] = v;
	return st;
}

static enum mdb_status
note_domain(struct mdb_ctx *cx, struct mdb_loc loc, void *arg)
{
	struct xpv_domain d;
	enum mdb_status st = xpv_domain_read(cx, loc, &d);

	return st == MDB_OK ? xpv_each_vcpu(cx, &d, note_running, arg) : st;
}

static enum mdb_status
pcpu_row(struct mdb_ctx *cx, const struct running *r, unsigned int cpu,
	struct mdb_loc idle)
{
	const struct xpv_vcpu *on = &r->on[cpu];
	bool busy = on->loc.world != NULL;
	struct mdb_value v[] = {
		mdb_v_uint(cpu),
		mdb_v_addr(busy ? on->loc : idle),
		busy ? domain_id(cx, mdb_at(idle, on->domain))
		     : mdb_v_text("idle"),
		busy ? mdb_v_int(on->id) : mdb_v_none(),
		mdb_v_addr(idle),
	};

	return mdb_row(cx, &xpv_pcpu_table, v);
}

/* How many elements the array of idle vcpus has. */
static uint64_t
nr_pcpus(struct mdb_ctx *cx, struct mdb_world *world)
{
	struct mdb_sym sym;
	uint64_t count = 0;

	if (mdb_sym_by_name(cx, world, "idle_vcpu", &sym) == MDB_OK &&
		sym.size != 0)
		count = sym.size / mdb_world_word(world);
	mdb_forget(cx);
	return count < MAX_CPUS ? count : MAX_CPUS;
}

enum mdb_status
xpv_pcpu(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct running *r = mdb_tmp(cx, sizeof(*r));
	struct mdb_world *world = NULL;
	struct mdb_loc array, idle;
	uint64_t count;
	enum mdb_status st = xpv_world(cx, &world);

	(void)call;
	if (st == MDB_OK)
		st = mdb_sym_loc(cx, world, "idle_vcpu", &array);
	if (st == MDB_OK)
		st = xpv_each_domain(cx, world, note_domain, r);
	if (st != MDB_OK)
		return st;
	count = nr_pcpus(cx, world);
	for (unsigned int i = 0; i < count && st == MDB_OK; i++) {
		idle = mdb_kernel_loc(world, 0);
		st = mdb_read_ptr(cx,
			mdb_at(array, array.addr + i * mdb_world_word(world)),
			&idle.addr);
		if (st == MDB_OK && idle.addr != 0)
			st = pcpu_row(cx, r, i, idle);
	}
	return st;
}
