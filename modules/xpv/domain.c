/* SPDX-License-Identifier: MIT */
/*
 * Domains: ::domain, and the walkers domain and vcpu.
 *
 * They hang together by next_in_list, from domain_list or dom0 on.  A domain's
 * vcpus are an array of pointers in it (vcpu[MAX_VIRT_CPUS]) or, from 3.4 on,
 * one to which it points, of max_vcpus elements.
 */
#include "xpv.h"

#include <inttypes.h>

struct domain {
	uint16_t id;
	uint32_t tot_pages, max_pages, max_vcpus;
	uint64_t flags;
	uint8_t is_hvm, guest_type;
	mdb_addr_t next;
};

enum {
	F_FLAGS = 4
};

static const struct mdb_field domain_fields[] = {
	MDB_FIELD(struct domain, id, "domain_id"),
	MDB_FIELD_OPT(struct domain, tot_pages, "tot_pages"),
	MDB_FIELD_OPT(struct domain, max_pages, "max_pages"),
	MDB_FIELD_OPT(struct domain, max_vcpus, "max_vcpus"),
	MDB_FIELD_OPT(struct domain, flags, "domain_flags"),
	MDB_FIELD_OPT(struct domain, is_hvm, "is_hvm"),
	MDB_FIELD_OPT(struct domain, guest_type, "guest_type"),
	MDB_FIELD(struct domain, next, "next_in_list"),
	MDB_FIELD_END,
};

static const struct mdb_shape domain_shape = { "struct domain", domain_fields };

/* Where the array begins that is a member or that a member points to. */
static enum mdb_status
array_at(struct mdb_ctx *cx, struct mdb_loc domain, const char *name,
	mdb_addr_t *addr_out, uint64_t *count_out)
{
	struct mdb_type type;
	struct mdb_member m;
	enum mdb_status st;

	st = mdb_type_by_name(cx, domain.world, "struct domain", &type);
	if (st == MDB_OK)
		st = mdb_type_member(cx, type, name, &m);
	if (st != MDB_OK)
		return st;
	type = mdb_type_resolve(m.type);
	domain.addr += m.bit_offset / 8;
	if (mdb_type_kind(type) == MDB_T_ARRAY) {
		*addr_out = domain.addr;
		*count_out = mdb_type_array_count(type);
		return MDB_OK;
	}
	*count_out = 0;
	return mdb_read_ptr(cx, domain, addr_out);
}

enum mdb_status
xpv_domain_read(struct mdb_ctx *cx, struct mdb_loc loc, struct xpv_domain *out)
{
	uint64_t count = 0, unused;
	struct xpv_domain x = { .loc = loc };
	struct domain d;
	enum mdb_status st = mdb_read_shape(cx, &domain_shape, loc, &d);

	if (st == MDB_OK)
		st = array_at(cx, loc, "vcpu", &x.vcpu, &count);
	if (st != MDB_OK)
		return mdb_context(cx, st, "domain %" PRIx64, loc.addr);
	if (array_at(cx, loc, "evtchn", &x.evtchn, &unused) != MDB_OK)
		mdb_forget(cx);
	x.id = d.id;
	x.tot_pages = d.tot_pages;
	x.max_pages = d.max_pages;
	x.flags = d.flags;
	x.has_flags = mdb_shape_has(cx, loc.world, &domain_shape, F_FLAGS);
	x.is_hvm = d.is_hvm != 0 || d.guest_type == 1;
	x.next = d.next;
	if (count == 0)
		count = d.max_vcpus;
	x.max_vcpus = count < XPV_MAX_VCPUS ? (uint32_t)count : XPV_MAX_VCPUS;
	*out = x;
	return MDB_OK;
}

static enum mdb_status
first_domain(struct mdb_ctx *cx, struct mdb_world *world, mdb_addr_t *addr_out)
{
	enum mdb_status st = xpv_var_ptr(cx, world, "domain_list", addr_out);

	if (st == MDB_E_NOTFOUND)
		st = xpv_var_ptr(cx, world, "dom0", addr_out);
	return st;
}

/* mark: the domain met at the last power of two; a cycle comes back to it. */
enum mdb_status
xpv_each_domain(struct mdb_ctx *cx, struct mdb_world *world, mdb_walk_fn *fn,
	void *arg)
{
	struct mdb_loc loc = mdb_kernel_loc(world, 0);
	mdb_addr_t mark = 0;
	struct xpv_domain d;
	unsigned int met = 0, power = 1;
	enum mdb_status st = first_domain(cx, world, &loc.addr);

	while (st == MDB_OK && loc.addr != 0) {
		if (loc.addr == mark || met > XPV_MAX_DOMAINS)
			return mdb_fail(cx, MDB_E_CORRUPT,
				"the list of domains comes back to %" PRIx64,
				loc.addr);
		if (met++ == power) {
			mark = loc.addr;
			power *= 2;
		}
		st = fn(cx, loc, arg);
		if (st == MDB_OK)
			st = mdb_check_interrupt(cx);
		if (st == MDB_OK)
			st = xpv_domain_read(cx, loc, &d);
		if (st == MDB_OK)
			loc.addr = d.next;
	}
	return st == MDB_DONE ? MDB_OK : st;
}

enum mdb_status
xpv_each_vcpu(struct mdb_ctx *cx, const struct xpv_domain *d, mdb_walk_fn *fn,
	void *arg)
{
	size_t word = mdb_world_word(d->loc.world);
	enum mdb_status st = MDB_OK;
	mdb_addr_t addr;

	for (uint32_t i = 0; i < d->max_vcpus && st == MDB_OK; i++) {
		st = mdb_read_ptr(cx, mdb_at(d->loc, d->vcpu + i * word),
			&addr);
		if (st == MDB_OK && addr != 0)
			st = fn(cx, mdb_at(d->loc, addr), arg);
	}
	return st == MDB_DONE ? MDB_OK : st;
}

/* ---- ::domain ------------------------------------------------------------ */

static const struct mdb_column domain_columns[] = {
	{ "addr", "ADDR", MDB_WIDTH_ADDR,
		MDB_COL_LEFT | MDB_COL_PIPE | MDB_COL_ZERO, 0,
		"its struct domain" },
	{ "id", "ID", 3, 0, 0, "domain id, decimal" },
	{ "tot_pages", "TPAGES", 8, 0, 0, "pages that it has, hex" },
	{ "max_pages", "MPAGES", 8, 0, 0, "pages that it may have, hex" },
	{ "flags", "FLAGS", 8, 0, 0, "domain_flags, hex" },
	{ "hvm", "HVM", 3, 0, 0, "1: fully virtualized" },
	{ "vcpu", "VCPU", MDB_WIDTH_ADDR, MDB_COL_LEFT | MDB_COL_ZERO, 0,
		"its array of pointers to vcpus" },
	{ "evtchn", "EVTCHN", MDB_WIDTH_ADDR, MDB_COL_LEFT | MDB_COL_ZERO, 0,
		"its array of event channels" },
	{ NULL },
};

const struct mdb_table xpv_domain_table = { .name = "domains",
	.columns = domain_columns };

static enum mdb_status
domain_row(struct mdb_ctx *cx, struct mdb_loc loc, void *arg)
{
	struct xpv_domain d;
	enum mdb_status st = xpv_domain_read(cx, loc, &d);

	(void)arg;
	if (st != MDB_OK)
		return st;
	struct mdb_value v[] = {
		mdb_v_addr(loc),
		mdb_v_uint(d.id),
		mdb_v_hex(d.tot_pages),
		mdb_v_hex(d.max_pages),
		d.has_flags ? mdb_v_hex(d.flags) : mdb_v_none(),
		mdb_v_uint(d.is_hvm),
		mdb_v_addr(mdb_at(loc, d.vcpu)),
		d.evtchn != 0 ? mdb_v_addr(mdb_at(loc, d.evtchn))
			      : mdb_v_none(),
	};

	return mdb_row(cx, &xpv_domain_table, v);
}

enum mdb_status
xpv_domain(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_world *world;
	enum mdb_status st;

	if (call->has_addr)
		return domain_row(cx, call->loc, NULL);
	st = xpv_world(cx, &world);
	return st == MDB_OK ? xpv_each_domain(cx, world, domain_row, NULL) : st;
}

/* ---- walkers ------------------------------------------------------------- */

struct found {
	struct mdb_world *world;
	mdb_addr_t *addrs;
	size_t count, room, next;
};

static enum mdb_status
found_add(struct mdb_ctx *cx, struct mdb_loc loc, void *arg)
{
	struct found *f = arg;

	if (f->count == f->room) {
		size_t room = f->room == 0 ? 16 : 2 * f->room;
		mdb_addr_t *addrs = mdb_tmp(cx, room * sizeof(*addrs));

		for (size_t i = 0; i < f->count; i++)
			addrs[i] = f->addrs[i];
		f->addrs = addrs;
		f->room = room;
	}
	f->addrs[f->count++] = loc.addr;
	return MDB_OK;
}

static enum mdb_status
vcpus_add(struct mdb_ctx *cx, struct mdb_loc loc, void *arg)
{
	struct xpv_domain d;
	enum mdb_status st = xpv_domain_read(cx, loc, &d);

	return st == MDB_OK ? xpv_each_vcpu(cx, &d, found_add, arg) : st;
}

/* A list that breaks off is walked as far as it goes, and says so. */
static enum mdb_status
walk_all(struct mdb_ctx *cx, struct mdb_walk *w, mdb_walk_fn *fn)
{
	struct found *f = mdb_tmp(cx, sizeof(*f));
	enum mdb_status st = xpv_world(cx, &f->world);

	w->state = f;
	if (st != MDB_OK)
		return st;
	st = xpv_each_domain(cx, f->world, fn, f);
	if (st == MDB_OK || st == MDB_E_INTERRUPTED || f->count == 0)
		return st;
	mdb_warn(cx, st, "there may be more");
	return MDB_OK;
}

enum mdb_status
xpv_walk_domain_init(struct mdb_ctx *cx, struct mdb_walk *w)
{
	return walk_all(cx, w, found_add);
}

enum mdb_status
xpv_walk_vcpu_init(struct mdb_ctx *cx, struct mdb_walk *w)
{
	struct found *f;

	if (!w->has_start)
		return walk_all(cx, w, vcpus_add);
	f = mdb_tmp(cx, sizeof(*f));
	f->world = w->start.world;
	w->state = f;
	return vcpus_add(cx, w->start, f);
}

enum mdb_status
xpv_walk_step(struct mdb_ctx *cx, struct mdb_walk *w, struct mdb_loc *loc_out)
{
	struct found *f = w->state;

	(void)cx;
	if (f->next == f->count)
		return MDB_DONE;
	*loc_out = mdb_kernel_loc(f->world, f->addrs[f->next++]);
	return MDB_OK;
}
