/* SPDX-License-Identifier: MIT */
/*
 * Frames of guests and of the machine: ::pfn2mfn, ::mfn2pfn, ::p2m, ::m2p.
 *
 * The guest's table and the hypervisor's are two witnesses: where both are
 * there, each answer says whether the other agrees.
 */
#include "p2m.h"

#include <mdb/xen.h>

#include <inttypes.h>
#include <string.h>

/* -d, else the domain that the current world is, else the control domain. */
static enum mdb_status
domain_meant(struct mdb_ctx *cx, const struct mdb_call *call,
	struct mdb_world *world, struct mdb_loc *domain_out)
{
	int current = mdb_xen_domain_of(mdb_world_current(cx));
	uint64_t id =
		mdb_opt_uint(call, 'd', current < 0 ? 0 : (uint64_t)current);

	return xpv_domain_any(cx, world, id, domain_out);
}

const struct mdb_option xpv_p2m_options[] = {
	{ 'd', MDB_OPT_EXPR, "domid",
		"the domain; else that of the current world, or 0" },
	{ 0 },
};

/* ---- ::pfn2mfn -----------------------------------------------------------
 */

static const struct mdb_column pfn2mfn_columns[] = {
	{ "domain", "DOM", 6, MDB_COL_LEFT, 0, "the domain" },
	{ "pfn", "PFN", 10, 0, 0, "frame of the guest, hex" },
	{ "mfn", "MFN", 10, MDB_COL_PIPE, 0, "frame of the machine, hex" },
	{ "type", "TYPE", 14, MDB_COL_LEFT, 0,
		"PV: ram, foreign (granted by another), identity (of the "
		"machine), invalid; else the p2m type" },
	{ "access", "ACC", 3, MDB_COL_LEFT, 0,
		"what the guest may do with it" },
	{ "order", "ORDER", 5, 0, 0, "of the page that maps it" },
	{ "check", "M2P", 0, MDB_COL_LEFT, 0,
		"what the hypervisor's table says of that machine frame" },
	{ NULL },
};

const struct mdb_table xpv_pfn2mfn_table = { .name = "frames",
	.columns = pfn2mfn_columns };

const struct mdb_example xpv_pfn2mfn_examples[] = {
	{ "1000::pfn2mfn", "where frame 1000 of the control domain is" },
	{ "1000::pfn2mfn -d 0", "the same, of the domain of that id" },
	{ NULL },
};

/* Does the hypervisor's table lead back? */
static const char *
m2p_check(struct mdb_ctx *cx, struct mdb_world *world, uint64_t mfn,
	uint64_t gfn)
{
	uint64_t back = 0;
	enum mdb_status st = xpv_m2p_read(cx, world, mfn, &back);

	if (st != MDB_OK) {
		mdb_forget(cx);
		return mdb_tmp_printf(cx, "<%s>", mdb_status_name(st));
	}
	if (back == gfn)
		return "agrees";
	if (xpv_m2p_name(back) != NULL)
		return mdb_tmp_printf(cx, "says %s", xpv_m2p_name(back));
	return mdb_tmp_printf(cx, "says %" PRIx64, back);
}

static unsigned int
order_of(uint64_t count)
{
	unsigned int order = 0;

	while (count >> order > 1)
		order++;
	return order;
}

static enum mdb_status
entry_row(struct mdb_ctx *cx, const struct xpv_p2m *p,
	const struct xpv_p2m_entry *e, uint64_t gfn)
{
	uint64_t mfn = e->mfn + (gfn - e->gfn);
	struct mdb_value v[] = {
		mdb_v_text(xpv_domid_name(cx, p->domid)),
		mdb_v_hex(gfn),
		e->mapped ? mdb_v_hex(mfn) : mdb_v_none(),
		mdb_v_text(e->type),
		e->access != NULL ? mdb_v_text(e->access) : mdb_v_none(),
		e->mapped ? mdb_v_uint(order_of(e->count)) : mdb_v_none(),
		e->mapped ? mdb_v_text(m2p_check(cx, p->domain.world, mfn, gfn))
			  : mdb_v_none(),
	};

	return mdb_row(cx, &xpv_pfn2mfn_table, v);
}

static enum mdb_status
p2m_meant(struct mdb_ctx *cx, const struct mdb_call *call,
	struct xpv_p2m *p2m_out)
{
	struct mdb_world *world;
	struct mdb_loc domain = { 0 };
	enum mdb_status st = xpv_world(cx, &world);

	if (st == MDB_OK)
		st = domain_meant(cx, call, world, &domain);
	return st == MDB_OK ? xpv_p2m_get(cx, domain, p2m_out) : st;
}

enum mdb_status
xpv_pfn2mfn(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct xpv_p2m *p = mdb_tmp(cx, sizeof(*p));
	struct xpv_p2m_entry e = { 0 };
	enum mdb_status st = p2m_meant(cx, call, p);

	if (st == MDB_OK)
		st = xpv_p2m_lookup(cx, p, call->loc.addr, &e);
	return st == MDB_OK ? entry_row(cx, p, &e, call->loc.addr) : st;
}

/* ---- ::p2m ---------------------------------------------------------------
 */

static const struct mdb_column p2m_columns[] = {
	{ "domain", "DOM", 6, MDB_COL_LEFT, 0, "the domain" },
	{ "pfn", "PFN", 10, MDB_COL_PIPE, 0, "first frame of the guest, hex" },
	{ "last", "LAST", 10, 0, 0, "last one of this run" },
	{ "count", "COUNT", 9, 0, 0, "frames in it, decimal" },
	{ "mfn", "MFN", 10, 0, 0, "machine frame of the first" },
	{ "access", "ACC", 3, MDB_COL_LEFT, 0, "what the guest may do" },
	{ "type", "TYPE", 0, MDB_COL_LEFT, 0, "as ::pfn2mfn has it" },
	{ NULL },
};

const struct mdb_table xpv_p2m_table = { .name = "p2m",
	.columns = p2m_columns };

static const struct mdb_column step_columns[] = {
	{ "level", "LEVEL", 9, MDB_COL_LEFT, 0, "which table" },
	{ "at", "AT", 16, 0, 0,
		"where the entry is: machine address, or the guest's virtual "
		"one" },
	{ "entry", "ENTRY", 16, 0, 0, "the entry" },
	{ NULL },
};

static const struct mdb_table step_table = { .name = "steps",
	.columns = step_columns,
	.indent = 4 };

const struct mdb_example xpv_p2m_examples[] = {
	{ "1000::p2m", "the way from frame 1000 to the machine's, in steps" },
	{ "::p2m -d 0", "all of domain 0's, in runs" },
	{ NULL },
};

struct run {
	uint64_t gfn, count, mfn;
	bool mapped;
	const char *type, *access;
};

static enum mdb_status
run_row(struct mdb_ctx *cx, const struct xpv_p2m *p, const struct run *r)
{
	struct mdb_value v[] = {
		mdb_v_text(xpv_domid_name(cx, p->domid)),
		mdb_v_hex(r->gfn),
		mdb_v_hex(r->gfn + r->count - 1),
		mdb_v_uint(r->count),
		r->mapped ? mdb_v_hex(r->mfn) : mdb_v_none(),
		r->access != NULL ? mdb_v_text(r->access) : mdb_v_none(),
		mdb_v_text(r->type),
	};

	return r->count == 0 ? MDB_OK : mdb_row(cx, &xpv_p2m_table, v);
}

static bool
run_extend(struct run *r, const struct xpv_p2m_entry *e)
{
	if (r->count == 0 || r->mapped != e->mapped || r->type != e->type ||
		r->access != e->access ||
		(r->mapped && r->mfn + r->count != e->mfn))
		return false;
	r->count += e->count;
	return true;
}

/* A piece that cannot be read is a run of its own. */
static void
lookup_or_say(struct mdb_ctx *cx, struct xpv_p2m *p, uint64_t gfn,
	struct xpv_p2m_entry *e)
{
	enum mdb_status st = xpv_p2m_lookup(cx, p, gfn, e);

	if (st == MDB_OK)
		return;
	mdb_forget(cx);
	*e = (struct xpv_p2m_entry){ .gfn = gfn, .count = 1 };
	e->type = mdb_status_name(st);
	if (p->kind == XPV_P2M_LINEAR || p->kind == XPV_P2M_TREE) {
		uint64_t per = XPV_PAGE_LEN / p->word;

		e->count = per - gfn % per;
	}
}

static enum mdb_status
runs(struct mdb_ctx *cx, struct xpv_p2m *p)
{
	struct run r = { 0 };
	enum mdb_status st = MDB_OK;

	for (uint64_t gfn = 0; gfn < p->nr_gfns && st == MDB_OK;) {
		struct xpv_p2m_entry e;
		uint64_t next;

		lookup_or_say(cx, p, gfn, &e);
		next = e.gfn + e.count;
		if (!run_extend(&r, &e)) {
			st = run_row(cx, p, &r);
			r = (struct run){ e.gfn, e.count, e.mfn, e.mapped,
				e.type, e.access };
		}
		if (st == MDB_OK && (gfn & 0xfff) == 0)
			st = mdb_check_interrupt(cx);
		if (next <= gfn)
			break;
		gfn = next;
	}
	return st == MDB_OK ? run_row(cx, p, &r) : st;
}

static enum mdb_status
steps(struct mdb_ctx *cx, const struct xpv_p2m *p, struct xpv_p2m_entry *e,
	uint64_t gfn, enum mdb_status found)
{
	struct run r = { gfn, 1, e->mfn + (gfn - e->gfn), e->mapped, e->type,
		e->access };
	enum mdb_status st;

	if (found != MDB_OK)
		r.type = mdb_status_name(found);
	st = run_row(cx, p, &r);
	for (size_t i = 0; i < e->nr_steps && st == MDB_OK; i++) {
		struct mdb_value v[] = {
			mdb_v_text(e->steps[i].level),
			mdb_v_hex(e->steps[i].entry_addr),
			mdb_v_hex(e->steps[i].entry),
		};

		st = mdb_subrow(cx, &step_table, v);
	}
	return st;
}

enum mdb_status
xpv_p2m(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct xpv_p2m *p = mdb_tmp(cx, sizeof(*p));
	struct xpv_p2m_entry e;
	enum mdb_status st = p2m_meant(cx, call, p), found;

	if (st != MDB_OK)
		return st;
	if (!call->has_addr)
		return runs(cx, p);
	found = xpv_p2m_lookup(cx, p, call->loc.addr, &e);
	st = steps(cx, p, &e, call->loc.addr, found);
	return st == MDB_OK ? found : st;
}

/* ---- ::mfn2pfn -----------------------------------------------------------
 */

static const struct mdb_column mfn2pfn_columns[] = {
	{ "mfn", "MFN", 10, 0, 0, "frame of the machine, hex" },
	{ "pfn", "PFN", 16, MDB_COL_PIPE, 0,
		"frame of its owner, hex; invalid, shared" },
	{ "owner", "OWNER", 6, MDB_COL_LEFT, 0, "the domain that has it" },
	{ "check", "P2M", 0, MDB_COL_LEFT, 0,
		"what the owner's own table says of that frame" },
	{ NULL },
};

const struct mdb_table xpv_mfn2pfn_table = { .name = "frames",
	.columns = mfn2pfn_columns };

const struct mdb_example xpv_mfn2pfn_examples[] = {
	{ "2fdb4::mfn2pfn", "whose frame that is, and what it calls it" },
	{ "1000::pfn2mfn | ::mfn2pfn", "there and back" },
	{ NULL },
};

static const char *
p2m_check(struct mdb_ctx *cx, struct mdb_loc domain, uint64_t mfn, uint64_t gfn)
{
	struct xpv_p2m *p = mdb_tmp(cx, sizeof(*p));
	struct xpv_p2m_entry e;
	enum mdb_status st = xpv_p2m_get(cx, domain, p);

	if (st == MDB_OK)
		st = xpv_p2m_lookup(cx, p, gfn, &e);
	if (st != MDB_OK) {
		mdb_forget(cx);
		return mdb_tmp_printf(cx, "<%s>", mdb_status_name(st));
	}
	if (!e.mapped)
		return mdb_tmp_printf(cx, "says %s", e.type);
	if (e.mfn + (gfn - e.gfn) == mfn)
		return "agrees";
	return mdb_tmp_printf(cx, "says %" PRIx64, e.mfn + (gfn - e.gfn));
}

/* Whose a machine frame is; 0: nobody's, or that is not known. */
static mdb_addr_t
owner_of(struct mdb_ctx *cx, struct mdb_world *world, uint64_t mfn)
{
	struct xpv_frames f;
	struct xpv_page page = { 0 };
	uint64_t pdx;

	if (xpv_frames_get(cx, world, &f) != MDB_OK ||
		!xpv_pdx_of_mfn(&f, mfn, &pdx) ||
		xpv_page_read(cx, &f, pdx, &page) != MDB_OK ||
		xpv_page_state(&f, &page) == XPV_FREE)
		page.owner = 0;
	mdb_forget(cx);
	return page.owner;
}

enum mdb_status
xpv_mfn2pfn(struct mdb_ctx *cx, const struct mdb_call *call)
{
	uint64_t mfn = call->loc.addr, gfn = 0;
	struct mdb_world *world;
	mdb_addr_t owner;
	const char *name;
	enum mdb_status st = xpv_world(cx, &world);

	if (st == MDB_OK)
		st = xpv_m2p_read(cx, world, mfn, &gfn);
	if (st != MDB_OK)
		return st;
	owner = owner_of(cx, world, mfn);
	name = xpv_m2p_name(gfn);
	struct mdb_value v[] = {
		mdb_v_hex(mfn),
		name != NULL ? mdb_v_text(name) : mdb_v_hex(gfn),
		owner != 0 ? mdb_v_cstr(xpv_owner_name(cx, world, owner))
			   : mdb_v_none(),
		owner != 0 && name == NULL
			? mdb_v_text(p2m_check(cx, mdb_kernel_loc(world, owner),
				  mfn, gfn))
			: mdb_v_none(),
	};

	return mdb_row(cx, &xpv_mfn2pfn_table, v);
}

/* ---- ::m2p ---------------------------------------------------------------
 */

static const struct mdb_column m2p_columns[] = {
	{ "mfn", "MFN", 10, MDB_COL_PIPE, 0,
		"first frame of the machine, hex" },
	{ "last", "LAST", 10, 0, 0, "last one of this run" },
	{ "count", "COUNT", 9, 0, 0, "frames in it, decimal" },
	{ "pfn", "PFN", 16, 0, 0,
		"what its owner calls the first; invalid, shared" },
	{ "owner", "OWNER", 6, MDB_COL_LEFT, 0, "the domain that has them" },
	{ "entry", "ENTRY", MDB_WIDTH_ADDR, MDB_COL_LEFT | MDB_COL_ZERO, 0,
		"where the first entry of the table is" },
	{ NULL },
};

const struct mdb_table xpv_m2p_table = { .name = "m2p",
	.columns = m2p_columns };

const struct mdb_example xpv_m2p_examples[] = {
	{ "2fdb4::m2p", "the entry of one machine frame" },
	{ "::m2p -d 0 | ::head 3", "the first runs of domain 0's frames" },
	{ NULL },
};

struct m2p_run {
	const struct xpv_frames *frames;
	bool selected;
	mdb_addr_t only;
	uint64_t mfn, count, gfn;
	mdb_addr_t owner;
};

static enum mdb_status
m2p_row(struct mdb_ctx *cx, const struct m2p_run *r)
{
	struct mdb_world *world = r->frames->world;
	const char *name = xpv_m2p_name(r->gfn);
	struct mdb_value v[] = {
		mdb_v_hex(r->mfn),
		mdb_v_hex(r->mfn + r->count - 1),
		mdb_v_uint(r->count),
		name != NULL ? mdb_v_text(name) : mdb_v_hex(r->gfn),
		r->owner != 0 ? mdb_v_cstr(xpv_owner_name(cx, world, r->owner))
			      : mdb_v_none(),
		mdb_v_addr(mdb_kernel_loc(world, XPV_RDWR_MPT + 8 * r->mfn)),
	};

	return r->count == 0 ? MDB_OK : mdb_row(cx, &xpv_m2p_table, v);
}

static enum mdb_status
m2p_add(struct mdb_ctx *cx, const struct xpv_page *p, void *arg)
{
	struct m2p_run *r = arg;
	bool is_free = xpv_page_state(r->frames, p) == XPV_FREE;
	mdb_addr_t owner = is_free ? 0 : p->owner;
	uint64_t gfn = 0;
	enum mdb_status st;

	if (r->selected && owner != r->only)
		return MDB_OK;
	if (xpv_m2p_read(cx, r->frames->world, p->mfn, &gfn) != MDB_OK) {
		mdb_forget(cx);
		return MDB_OK;
	}
	if (xpv_m2p_name(gfn) != NULL && !r->selected)
		return MDB_OK; /* no guest's frame */
	if (r->count != 0 && r->owner == owner && r->mfn + r->count == p->mfn &&
		gfn == (xpv_m2p_name(r->gfn) != NULL ? r->gfn
						     : r->gfn + r->count)) {
		r->count++;
		return MDB_OK;
	}
	st = m2p_row(cx, r);
	r->mfn = p->mfn;
	r->gfn = gfn;
	r->owner = owner;
	r->count = 1;
	return st;
}

enum mdb_status
xpv_m2p(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct m2p_run r = { 0 };
	struct mdb_world *world;
	struct mdb_loc domain = { 0 };
	struct xpv_frames f;
	enum mdb_status st = xpv_world(cx, &world);

	if (st == MDB_OK)
		st = xpv_frames_get(cx, world, &f);
	r.frames = &f;
	if (st == MDB_OK && mdb_opt(call, 'd')) {
		st = domain_meant(cx, call, world, &domain);
		r.selected = true;
		r.only = domain.addr;
	}
	if (st != MDB_OK)
		return st;
	if (!call->has_addr) {
		st = xpv_each_page(cx, &f, m2p_add, &r);
		return st == MDB_OK ? m2p_row(cx, &r) : st;
	}
	r.mfn = call->loc.addr;
	r.count = 1;
	r.owner = owner_of(cx, world, r.mfn);
	st = xpv_m2p_read(cx, world, r.mfn, &r.gfn);
	return st == MDB_OK ? m2p_row(cx, &r) : st;
}
