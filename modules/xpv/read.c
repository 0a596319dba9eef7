/* SPDX-License-Identifier: MIT */
/* Reading of the hypervisor: members, per-CPU variables, lists, its clock. */
#include "xpv.h"

#include <inttypes.h>

/* More than any list of a hypervisor has. */
#define MAX_LIST 1000000u

/* ---- members ------------------------------------------------------------- */

/* The name that the type has; MDB_E_NOTFOUND for none. */
static enum mdb_status
choose(struct mdb_ctx *cx, struct mdb_world *world, const char *type_name,
	const char *names, const char **name_out, struct mdb_member *m)
{
	struct mdb_type type;
	enum mdb_status st = mdb_type_by_name(cx, world, type_name, &type);
	const char *name = names;

	if (st != MDB_OK)
		return st;
	do {
		mdb_forget(cx);
		*name_out = name;
		st = mdb_type_member(cx, type, name, m);
		while (*name++ != '\0')
			;
	} while (st == MDB_E_NOTFOUND && *name != '\0');
	return st;
}

enum mdb_status
xpv_member_find(struct mdb_ctx *cx, struct mdb_world *world,
	const char *type_name, const char *names, struct mdb_member *m)
{
	struct mdb_member found = { 0 };
	const char *name;
	enum mdb_status st = choose(cx, world, type_name, names, &name, &found);

	if (st != MDB_OK)
		return st;
	if (mdb_member_trust(cx, world, type_name, name) == MDB_TRUST_REFUTED)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"%s.%s is not where the types have it: they are of "
			"another build",
			type_name, name);
	*m = found;
	return MDB_OK;
}

enum mdb_trust
xpv_member_trust(struct mdb_ctx *cx, struct mdb_world *world,
	const char *type_name, const char *names)
{
	struct mdb_member m = { 0 };
	const char *name;

	if (choose(cx, world, type_name, names, &name, &m) == MDB_OK)
		return mdb_member_trust(cx, world, type_name, name);
	mdb_forget(cx);
	return MDB_TRUST_REFUTED;
}

struct mdb_value
xpv_trusted(enum mdb_trust trust, struct mdb_value v)
{
	if (trust == MDB_TRUST_REFUTED)
		return mdb_v_none();
	return trust == MDB_TRUST_UNPROVEN ? mdb_v_unproven(v) : v;
}

struct mdb_value
xpv_shape_cell(struct mdb_ctx *cx, struct mdb_world *world,
	const struct mdb_shape *shape, size_t field, struct mdb_value v)
{
	return xpv_trusted(mdb_shape_trust(cx, world, shape, field), v);
}

/* Through structures of one member: atomic_t, mfn_t. */
static struct mdb_type
unwrap(struct mdb_ctx *cx, struct mdb_type type)
{
	struct mdb_member m = { 0 };

	type = mdb_type_resolve(type);
	for (int i = 0; i < 4 && mdb_type_kind(type) == MDB_T_STRUCT &&
			mdb_type_nr_members(type) == 1;
		i++) {
		if (mdb_type_member_at(cx, type, 0, &m) != MDB_OK)
			break;
		type = mdb_type_resolve(m.type);
	}
	return type;
}

static uint64_t
cut(uint64_t v, unsigned int shift, unsigned int nr_bits, bool is_signed)
{
	v >>= shift;
	if (nr_bits >= 64)
		return v;
	v &= (1ull << nr_bits) - 1;
	if (is_signed && (v >> (nr_bits - 1) & 1) != 0)
		v |= ~0ull << nr_bits;
	return v;
}

enum mdb_status
xpv_member(struct mdb_ctx *cx, struct mdb_loc loc, const char *type_name,
	const char *names, uint64_t *value_out)
{
	struct mdb_member m = { 0 };
	struct mdb_type type;
	uint64_t size, v, bit;
	enum mdb_status st =
		xpv_member_find(cx, loc.world, type_name, names, &m);

	if (st != MDB_OK)
		return st;
	type = unwrap(cx, m.type);
	st = mdb_type_size(cx, type, &size);
	if (st == MDB_OK && (size == 0 || size > 8))
		st = mdb_fail(cx, MDB_E_UNSUPPORTED, "%s.%s is no number",
			type_name, names);
	if (st != MDB_OK)
		return st;
	bit = m.nr_bits != 0 ? m.bit_offset & ~(8 * size - 1) : m.bit_offset;
	st = mdb_read_uint(cx, mdb_at(loc, loc.addr + bit / 8), size, &v);
	if (st != MDB_OK)
		return mdb_context(cx, st, "%s.%s", type_name, names);
	*value_out = cut(v, (unsigned int)(m.bit_offset - bit),
		m.nr_bits != 0 ? m.nr_bits : (unsigned int)(8 * size),
		mdb_type_kind(type) != MDB_T_POINTER &&
			mdb_type_int_info(type).is_signed);
	return MDB_OK;
}

enum mdb_status
xpv_member_loc(struct mdb_ctx *cx, struct mdb_loc loc, const char *type_name,
	const char *names, struct mdb_loc *loc_out)
{
	struct mdb_member m = { 0 };
	enum mdb_status st =
		xpv_member_find(cx, loc.world, type_name, names, &m);

	if (st == MDB_OK)
		*loc_out = mdb_at(loc, loc.addr + m.bit_offset / 8);
	return st;
}

enum mdb_status
xpv_member_ptr(struct mdb_ctx *cx, struct mdb_loc loc, const char *type_name,
	const char *names, struct mdb_loc *loc_out)
{
	struct mdb_loc at;
	mdb_addr_t addr;
	enum mdb_status st = xpv_member_loc(cx, loc, type_name, names, &at);

	if (st == MDB_OK)
		st = mdb_read_ptr(cx, at, &addr);
	if (st != MDB_OK)
		return mdb_context(cx, st, "%s.%s", type_name, names);
	*loc_out = mdb_at(loc, addr);
	return MDB_OK;
}

/* ---- CPUs ---------------------------------------------------------------- */

enum mdb_status
xpv_percpu_loc(struct mdb_ctx *cx, struct mdb_world *world, const char *name,
	int cpu, struct mdb_loc *loc_out)
{
	struct mdb_loc loc;
	enum mdb_status st = xpv_var_loc(cx, world,
		mdb_tmp_printf(cx, "per_cpu__%s", name), &loc);

	if (st == MDB_OK)
		st = mdb_percpu_addr(cx, world, loc.addr, cpu, &loc.addr);
	if (st != MDB_OK)
		return mdb_context(cx, st, "%s of CPU %d", name, cpu);
	*loc_out = loc;
	return MDB_OK;
}

enum mdb_status
xpv_each_cpu(struct mdb_ctx *cx, struct mdb_world *world, xpv_cpu_fn *fn,
	void *arg)
{
	enum mdb_status st = MDB_OK;
	int cpu = -1;

	while (st == MDB_OK) {
		st = mdb_cpu_next(cx, world, &cpu);
		if (st == MDB_OK)
			st = fn(cx, world, cpu, arg);
	}
	return st == MDB_DONE ? MDB_OK : st;
}

/* ---- lists --------------------------------------------------------------- */

/* struct list_head { next, prev }, xen/include/xen/list.h. */
static enum mdb_status
next_of(struct mdb_ctx *cx, struct mdb_loc node, mdb_addr_t *next_out)
{
	size_t word = mdb_world_word(node.world);
	mdb_addr_t next, back;
	enum mdb_status st = mdb_read_ptr(cx, node, &next);

	if (st == MDB_OK)
		st = mdb_read_ptr(cx, mdb_at(node, next + word), &back);
	if (st != MDB_OK)
		return mdb_context(cx, st, "the list goes on behind %" PRIx64,
			node.addr);
	if (back != node.addr)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"the list does not close: %" PRIx64 " leads to %" PRIx64
			", which leads back to %" PRIx64,
			node.addr, next, back);
	*next_out = next;
	return MDB_OK;
}

enum mdb_status
xpv_each_in_list(struct mdb_ctx *cx, struct mdb_loc head, uint64_t offset,
	mdb_walk_fn *fn, void *arg)
{
	struct mdb_loc node = head;
	enum mdb_status st = MDB_OK;

	for (unsigned int i = 0; st == MDB_OK; i++) {
		if (i > MAX_LIST)
			return mdb_fail(cx, MDB_E_CORRUPT,
				"the list at %" PRIx64 " does not end",
				head.addr);
		st = next_of(cx, node, &node.addr);
		if (st == MDB_OK && node.addr == head.addr)
			break;
		if (st == MDB_OK)
			st = fn(cx, mdb_at(node, node.addr - offset), arg);
		if (st == MDB_OK)
			st = mdb_check_interrupt(cx);
	}
	return st == MDB_DONE ? MDB_OK : st;
}

/* ---- state --------------------------------------------------------------- */

struct xpv_state *
xpv_state(struct mdb_ctx *cx, struct mdb_world *world)
{
	return mdb_module_state(cx, &mdb_module_xpv, world,
		sizeof(struct xpv_state));
}

/* ---- time ---------------------------------------------------------------- */

/* What was never set is no time, nor is what lies 292 years away. */
static void
note(struct xpv_state *s, uint64_t ns)
{
	if ((int64_t)ns > 0 && ns > s->time_latest)
		s->time_latest = ns;
}

/* Where the CPU's clock was last put right (arch/x86/time.c). */
static enum mdb_status
note_cpu(struct mdb_ctx *cx, struct mdb_world *world, int cpu, void *arg)
{
	struct mdb_loc loc;
	uint64_t ns;

	if (xpv_percpu_loc(cx, world, "cpu_time", cpu, &loc) == MDB_OK &&
		xpv_member(cx, loc, "struct cpu_time", "stamp.local_stime\0",
			&ns) == MDB_OK)
		note(arg, ns);
	mdb_forget(cx);
	return MDB_OK;
}

static enum mdb_status
note_vcpu(struct mdb_ctx *cx, struct mdb_loc loc, void *arg)
{
	struct xpv_vcpu v;
	uint64_t ns;

	if (xpv_vcpu_read(cx, loc, &v) != MDB_OK) {
		mdb_forget(cx);
		return MDB_OK;
	}
	if (v.has_since && v.has_state)
		note(arg, v.since);
	if (v.unit != 0 &&
		xpv_member(cx, mdb_at(loc, v.unit), "struct sched_unit",
			"state_entry_time\0", &ns) == MDB_OK)
		note(arg, ns);
	mdb_forget(cx);
	return MDB_OK;
}

static enum mdb_status
note_domain(struct mdb_ctx *cx, struct mdb_loc loc, void *arg)
{
	struct xpv_domain d;

	if (xpv_domain_read(cx, loc, &d) != MDB_OK ||
		xpv_each_vcpu(cx, &d, note_vcpu, arg) != MDB_OK)
		mdb_forget(cx);
	return MDB_OK;
}

static enum mdb_status
note_idle(struct mdb_ctx *cx, struct mdb_world *world, int cpu, void *arg)
{
	struct mdb_loc loc;

	if (xpv_idle_vcpu(cx, world, cpu, &loc) == MDB_OK)
		return note_vcpu(cx, loc, arg);
	mdb_forget(cx);
	return MDB_OK;
}

enum mdb_status
xpv_time_latest(struct mdb_ctx *cx, struct mdb_world *world, uint64_t *ns_out)
{
	struct xpv_state *s = xpv_state(cx, world);

	if (!s->time_tried) {
		s->time_tried = true;
		if (xpv_each_cpu(cx, world, note_cpu, s) != MDB_OK)
			mdb_forget(cx);
		if (xpv_each_cpu(cx, world, note_idle, s) != MDB_OK)
			mdb_forget(cx);
		if (xpv_each_domain(cx, world, note_domain, s) != MDB_OK)
			mdb_forget(cx);
	}
	if (s->time_latest == 0)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"no point of time is known of the hypervisor");
	*ns_out = s->time_latest;
	return MDB_OK;
}
