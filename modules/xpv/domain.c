/* SPDX-License-Identifier: MIT */
/*
 * Domains, and the walkers domain and vcpu.
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
	uint32_t options, emulation;
	uint32_t outstanding, xenheap, extra;
	uint32_t dying;
	uint8_t shutting_down, shut_down, privileged, debugged, created;
	uint32_t shutdown_code;
	int32_t controller_pauses, pauses;
};

static const struct mdb_field domain_fields[] = {
	[XPV_DOMAIN_ID] = MDB_FIELD(struct domain, id, "domain_id"),
	[XPV_DOMAIN_TOT_PAGES] =
		MDB_FIELD_OPT(struct domain, tot_pages, "tot_pages"),
	[XPV_DOMAIN_MAX_PAGES] =
		MDB_FIELD_OPT(struct domain, max_pages, "max_pages"),
	[XPV_DOMAIN_FLAGS] =
		MDB_FIELD_OPT(struct domain, flags, "domain_flags"),
	[XPV_DOMAIN_IS_HVM] = MDB_FIELD_OPT(struct domain, is_hvm, "is_hvm"),
	[XPV_DOMAIN_GUEST_TYPE] =
		MDB_FIELD_OPT(struct domain, guest_type, "guest_type"),
	[XPV_DOMAIN_OPTIONS] = MDB_FIELD_OPT(struct domain, options, "options"),
	[XPV_DOMAIN_EMULATION] =
		MDB_FIELD_OPT(struct domain, emulation, "arch.emulation_flags"),
	[XPV_DOMAIN_OUTSTANDING] =
		MDB_FIELD_OPT(struct domain, outstanding, "outstanding_pages"),
	[XPV_DOMAIN_XENHEAP] =
		MDB_FIELD_OPT(struct domain, xenheap, "xenheap_pages"),
	[XPV_DOMAIN_DYING] = MDB_FIELD_OPT(struct domain, dying, "is_dying"),
	[XPV_DOMAIN_SHUTTING_DOWN] =
		MDB_FIELD_OPT(struct domain, shutting_down, "is_shutting_down"),
	[XPV_DOMAIN_SHUT_DOWN] =
		MDB_FIELD_OPT(struct domain, shut_down, "is_shut_down"),
	[XPV_DOMAIN_SHUTDOWN_CODE] =
		MDB_FIELD_OPT(struct domain, shutdown_code, "shutdown_code"),
	[XPV_DOMAIN_CONTROLLER_PAUSES] = MDB_FIELD_OPT(struct domain,
		controller_pauses, "controller_pause_count"),
	[XPV_DOMAIN_PAUSES] =
		MDB_FIELD_OPT(struct domain, pauses, "pause_count"),
	MDB_FIELD_OPT(struct domain, max_vcpus, "max_vcpus"),
	MDB_FIELD(struct domain, next, "next_in_list"),
	MDB_FIELD_OPT(struct domain, extra, "extra_pages"),
	MDB_FIELD_OPT(struct domain, privileged, "is_privileged"),
	MDB_FIELD_OPT(struct domain, debugged, "debugger_attached"),
	MDB_FIELD_OPT(struct domain, created, "creation_finished"),
	MDB_FIELD_END,
};

static const struct mdb_shape domain_shape = { "struct domain", domain_fields };

/* XEN_DOMCTL_CDF_hvm, xen/include/public/domctl.h. */
#define OPTION_HVM 1u
/* What a PVH guest has of XEN_X86_EMU_*, xen/include/public/arch-x86/xen.h:
 * local APIC; as the hardware domain also I/O APIC, vPCI. */
#define EMU_PVH (1u << 0 | 1u << 4 | 1u << 10)

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
	if (xpv_member_trust(cx, domain.world, "struct domain", name) ==
		MDB_TRUST_REFUTED)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"struct domain.%s is not where the types have it: they "
			"are of another build",
			name);
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

static bool
has(struct mdb_ctx *cx, const struct xpv_domain *x, size_t field)
{
	return mdb_shape_has(cx, x->loc.world, &domain_shape, field);
}

/* xen/include/public/sched.h: SHUTDOWN_poweroff to SHUTDOWN_soft_reset. */
#define LAST_SHUTDOWN 5u
#define MAX_PAUSES 0x10000

/*
 * What no Xen writes there: a flag that is neither 0 nor 1, a number that means
 * nothing.  Then the members are elsewhere.
 */
static bool
is_bad(const struct domain *d)
{
	if ((d->shutting_down | d->shut_down | d->privileged | d->debugged |
		    d->created) > 1 ||
		d->dying > 2)
		return true;
	if (d->shut_down && !d->shutting_down)
		return true;
	if (d->shut_down && d->shutdown_code > LAST_SHUTDOWN)
		return true;
	return d->controller_pauses < 0 || d->pauses < 0 ||
	       d->controller_pauses > MAX_PAUSES || d->pauses > MAX_PAUSES;
}

static void
fill_state(struct mdb_ctx *cx, struct xpv_domain *x, const struct domain *d)
{
	x->is_hvm = d->is_hvm != 0 || d->guest_type == 1;
	x->has_hvm = has(cx, x, XPV_DOMAIN_IS_HVM) ||
		     has(cx, x, XPV_DOMAIN_GUEST_TYPE) ||
		     has(cx, x, XPV_DOMAIN_OPTIONS);
	if (has(cx, x, XPV_DOMAIN_OPTIONS))
		x->is_hvm = (d->options & OPTION_HVM) != 0;
	x->outstanding_pages = d->outstanding;
	x->xenheap_pages = d->xenheap;
	x->extra_pages = d->extra;
	x->has_state = true;
	for (size_t i = XPV_DOMAIN_DYING; i <= XPV_DOMAIN_PAUSES; i++)
		if (!has(cx, x, i))
			x->has_state = false;
	x->is_bad = x->has_state && is_bad(d);
	if (x->is_bad)
		x->has_state = false;
	if (!x->has_state)
		return;
	x->type = !x->is_hvm ? "PV" : "HVM";
	if (x->is_hvm && has(cx, x, XPV_DOMAIN_EMULATION) &&
		(d->emulation & ~EMU_PVH) == 0)
		x->type = "PVH";
	x->dying = d->dying;
	x->is_shutting_down = d->shutting_down;
	x->is_shut_down = d->shut_down;
	x->is_privileged = d->privileged;
	x->debugger_attached = d->debugged;
	x->is_created = d->created;
	x->shutdown_code = d->shutdown_code;
	x->controller_pause_count = d->controller_pauses;
	x->pause_count = d->pauses;
}

struct mdb_value
xpv_domain_cell(struct mdb_ctx *cx, const struct xpv_domain *domain,
	enum xpv_domain_field field, struct mdb_value v)
{
	return xpv_shape_cell(cx, domain->loc.world, &domain_shape, field, v);
}

enum mdb_trust
xpv_domain_trust(struct mdb_ctx *cx, const struct xpv_domain *domain,
	enum xpv_domain_field field)
{
	return mdb_shape_trust(cx, domain->loc.world, &domain_shape, field);
}

enum mdb_trust
xpv_domain_state_trust(struct mdb_ctx *cx, const struct xpv_domain *domain)
{
	enum mdb_trust worst = MDB_TRUST_EXACT, t;

	for (size_t i = XPV_DOMAIN_DYING; i <= XPV_DOMAIN_PAUSES; i++) {
		t = xpv_domain_trust(cx, domain, i);
		if (t > worst)
			worst = t;
	}
	return worst;
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
		return st;
	if (array_at(cx, loc, "evtchn", &x.evtchn, &unused) != MDB_OK)
		mdb_forget(cx);
	x.id = d.id;
	x.tot_pages = d.tot_pages;
	x.max_pages = d.max_pages;
	x.flags = d.flags;
	x.has_flags =
		mdb_shape_has(cx, loc.world, &domain_shape, XPV_DOMAIN_FLAGS);
	x.next = d.next;
	if (count == 0)
		count = d.max_vcpus;
	x.max_vcpus = count < XPV_MAX_VCPUS ? (uint32_t)count : XPV_MAX_VCPUS;
	fill_state(cx, &x, &d);
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
	mdb_addr_t mark = 0, first;
	struct xpv_domain d;
	unsigned int met = 0, power = 1;
	enum mdb_status st = first_domain(cx, world, &loc.addr);

	first = loc.addr;

	while (st == MDB_OK && loc.addr != 0) {
		if (loc.addr == mark || (met > 0 && loc.addr == first) ||
			met > XPV_MAX_DOMAINS)
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

struct by_id {
	uint64_t id;
	struct mdb_loc loc;
	bool found;
};

static enum mdb_status
match_id(struct mdb_ctx *cx, struct mdb_loc loc, void *arg)
{
	struct by_id *b = arg;
	struct xpv_domain d;
	enum mdb_status st = xpv_domain_read(cx, loc, &d);

	if (st != MDB_OK || d.id != b->id)
		return st;
	b->loc = loc;
	b->found = true;
	return MDB_DONE;
}

enum mdb_status
xpv_domain_by_id(struct mdb_ctx *cx, struct mdb_world *world, uint64_t id,
	struct mdb_loc *loc_out)
{
	struct by_id b = { .id = id };
	enum mdb_status st = xpv_each_domain(cx, world, match_id, &b);

	if (st == MDB_OK && !b.found)
		st = mdb_fail(cx, MDB_E_NOTFOUND, "there is no domain %" PRIu64,
			id);
	if (st == MDB_OK)
		*loc_out = b.loc;
	return st;
}

/* An id where an address is meant: the commonest slip. */
static enum mdb_status
must_be_address(struct mdb_ctx *cx, mdb_addr_t addr)
{
	if (addr >= MDB_XEN_DOMID_FIRST_RESERVED)
		return MDB_OK;
	return mdb_fail(cx, MDB_E_NOTFOUND,
		"%" PRIx64
		" is no address of a struct domain; option -d 0t%" PRIu64
		" means the domain of that id",
		addr, addr);
}

enum mdb_status
xpv_each_meant(struct mdb_ctx *cx, const struct mdb_call *call,
	bool addr_is_domain, mdb_walk_fn *fn, void *arg)
{
	struct mdb_world *world;
	struct mdb_loc loc;
	enum mdb_status st;

	if (call->has_addr && addr_is_domain) {
		if (mdb_opt(call, 'd'))
			return mdb_fail(cx, MDB_E_USAGE,
				"a domain's address or its id, not both");
		st = must_be_address(cx, call->loc.addr);
		if (st == MDB_OK)
			st = fn(cx, call->loc, arg);
		return st == MDB_DONE ? MDB_OK : st;
	}
	st = xpv_world(cx, &world);
	if (st != MDB_OK)
		return st;
	if (!mdb_opt(call, 'd'))
		return xpv_each_domain(cx, world, fn, arg);
	st = xpv_domain_by_id(cx, world, mdb_opt_uint(call, 'd', 0), &loc);
	if (st == MDB_OK)
		st = fn(cx, loc, arg);
	return st == MDB_DONE ? MDB_OK : st;
}

/* ---- walkers ------------------------------------------------------------- */

enum mdb_status
xpv_found_add(struct mdb_ctx *cx, struct mdb_loc loc, void *arg)
{
	struct xpv_found *f = arg;

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

	return st == MDB_OK ? xpv_each_vcpu(cx, &d, xpv_found_add, arg) : st;
}

/* A list that breaks off is walked as far as it goes, and says so. */
static enum mdb_status
walk_all(struct mdb_ctx *cx, struct mdb_walk *w, mdb_walk_fn *fn)
{
	struct xpv_found *f = mdb_tmp(cx, sizeof(*f));
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
	return walk_all(cx, w, xpv_found_add);
}

enum mdb_status
xpv_walk_vcpu_init(struct mdb_ctx *cx, struct mdb_walk *w)
{
	struct xpv_found *f;

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
	struct xpv_found *f = w->state;

	(void)cx;
	if (f->next == f->count)
		return MDB_DONE;
	*loc_out = mdb_kernel_loc(f->world, f->addrs[f->next++]);
	return MDB_OK;
}
