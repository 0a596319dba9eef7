/* SPDX-License-Identifier: MIT */
/*
 * Where a domain's grants are, and what they say.
 */
#include "gnttab.h"

#include <inttypes.h>

#define MAX_FRAMES 65536u
#define V1_LEN 8u
#define V2_LEN 16u

struct table {
	uint32_t version, nr_frames, max_frames, nr_status, limit, max_maptrack;
	mdb_addr_t shared, status, active, maptrack, domain;
};

enum {
	F_DOMAIN = 10
};

static const struct mdb_field table_fields[] = {
	MDB_FIELD(struct table, version, "gt_version"),
	MDB_FIELD(struct table, nr_frames, "nr_grant_frames"),
	MDB_FIELD_OPT(struct table, max_frames, "max_grant_frames"),
	MDB_FIELD(struct table, nr_status, "nr_status_frames"),
	MDB_FIELD(struct table, limit, "maptrack_limit"),
	MDB_FIELD_OPT(struct table, max_maptrack, "max_maptrack_frames"),
	MDB_FIELD(struct table, shared, "shared_raw"),
	MDB_FIELD(struct table, status, "status"),
	MDB_FIELD(struct table, active, "active"),
	MDB_FIELD(struct table, maptrack, "maptrack"),
	MDB_FIELD_OPT(struct table, domain, "domain"),
	MDB_FIELD_END,
};

static const struct mdb_shape table_shape = { "struct grant_table",
	table_fields };

struct active {
	uint32_t pin;
	uint16_t domid;
	uint64_t mfn;
};

static const struct mdb_field active_fields[] = {
	MDB_FIELD(struct active, pin, "pin"),
	MDB_FIELD(struct active, domid, "domid"),
	/* mfn_t is a struct of one member in a debug build */
	MDB_FIELD(struct active, mfn, "mfn.mfn\0mfn"),
	MDB_FIELD_END,
};

static const struct mdb_shape active_shape = { "struct active_grant_entry",
	active_fields };

struct mapping {
	uint32_t ref, vcpu;
	uint16_t flags, domid;
};

enum {
	F_VCPU = 3
};

static const struct mdb_field mapping_fields[] = {
	MDB_FIELD(struct mapping, ref, "ref"),
	MDB_FIELD(struct mapping, flags, "flags"),
	MDB_FIELD(struct mapping, domid, "domid"),
	[F_VCPU] = MDB_FIELD_OPT(struct mapping, vcpu, "vcpu"),
	MDB_FIELD_END,
};

static const struct mdb_shape mapping_shape = { "struct grant_mapping",
	mapping_fields };

/* ---- the table -----------------------------------------------------------
 */

static enum mdb_status
sane(struct mdb_ctx *cx, const struct xpv_gnttab *g, const struct table *t)
{
	if (t->version > 2)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"the grant table at %" PRIx64 " is of version %u",
			g->addr, t->version);
	if (t->nr_frames > MAX_FRAMES || t->nr_status > MAX_FRAMES ||
		(t->max_frames != 0 && t->nr_frames > t->max_frames))
		return mdb_fail(cx, MDB_E_CORRUPT,
			"the grant table at %" PRIx64
			" has %u frames and %u for status, at most %u",
			g->addr, t->nr_frames, t->nr_status, t->max_frames);
	if (t->domain != 0 && t->domain != g->domain.addr)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"the grant table at %" PRIx64
			" is of another domain, %" PRIx64,
			g->addr, t->domain);
	if (g->active_len == 0 || g->active_len > XPV_PAGE_LEN ||
		g->mapping_len == 0 || g->mapping_len > XPV_PAGE_LEN)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"active grants of %" PRIu64
			" bytes, mappings of %" PRIu64,
			g->active_len, g->mapping_len);
	return MDB_OK;
}

/*
 * How many pages track mappings: the array's pointers up to the first that is
 * none.  maptrack_limit says it, too, but a later point release has another
 * member before it (4.17.7: nr_v2_ops), so it is not believed alone.
 */
static void
maptrack_count(struct mdb_ctx *cx, struct xpv_gnttab *g)
{
	uint64_t max = g->max_maptrack != 0 && g->max_maptrack < MAX_FRAMES
			       ? g->max_maptrack
			       : MAX_FRAMES;
	mdb_addr_t page = 0;

	while (g->maptrack != 0 && g->nr_maptrack < max &&
		mdb_read_ptr(cx,
			mdb_at(g->domain, g->maptrack + 8ull * g->nr_maptrack),
			&page) == MDB_OK &&
		page != 0)
		g->nr_maptrack++;
	mdb_forget(cx);
}

enum mdb_status
xpv_gnttab_get(struct mdb_ctx *cx, struct mdb_loc domain,
	struct xpv_gnttab *out)
{
	struct table t = { 0 };
	enum mdb_status st;

	*out = (struct xpv_gnttab){ .domain = domain };
	st = xpv_domid_of(cx, domain, &out->domid);
	if (st == MDB_OK)
		st = xpv_member(cx, domain, "struct domain", "grant_table\0",
			&out->addr);
	if (st != MDB_OK || out->addr == 0)
		return st;
	st = mdb_read_shape(cx, &table_shape, mdb_at(domain, out->addr), &t);
	if (st == MDB_OK)
		st = xpv_type_len(cx, domain.world, "struct active_grant_entry",
			&out->active_len);
	if (st == MDB_OK)
		st = xpv_type_len(cx, domain.world, "struct grant_mapping",
			&out->mapping_len);
	if (st == MDB_OK)
		st = sane(cx, out, &t);
	if (st != MDB_OK)
		return mdb_context(cx, st, "the grants of %s",
			xpv_domid_name(cx, out->domid));
	out->version = t.version;
	out->nr_frames = t.nr_frames;
	out->max_frames = t.max_frames;
	out->nr_status = t.nr_status;
	out->maptrack_limit = t.limit;
	out->max_maptrack = t.max_maptrack;
	out->shared = t.shared;
	out->status = t.status;
	out->active = t.active;
	out->maptrack = t.maptrack;
	maptrack_count(cx, out);
	if (t.version != 0)
		out->nr_refs =
			(uint64_t)t.nr_frames *
			(XPV_PAGE_LEN / (t.version == 1 ? V1_LEN : V2_LEN));
	return MDB_OK;
}

/* Element index of an array of pages that hold each page / len of them. */
static enum mdb_status
element(struct mdb_ctx *cx, const struct xpv_gnttab *g, mdb_addr_t pages,
	uint64_t index, uint64_t len, mdb_addr_t *addr_out)
{
	uint64_t per = XPV_PAGE_LEN / len;
	mdb_addr_t page = 0;
	enum mdb_status st = mdb_read_ptr(cx,
		mdb_at(g->domain, pages + 8 * (index / per)), &page);

	if (st == MDB_OK && page == 0)
		return MDB_E_NOTFOUND;
	if (st == MDB_OK)
		*addr_out = page + index % per * len;
	return st;
}

/* ---- a grant -------------------------------------------------------------
 */

/* xen/include/public/grant_table.h: grant_entry_v1, grant_entry_v2 */
static enum mdb_status
shared_read(struct mdb_ctx *cx, const struct xpv_gnttab *g,
	struct xpv_grant *out)
{
	size_t len = g->version == 1 ? V1_LEN : V2_LEN;
	uint64_t status = 0;
	uint16_t half[8];
	uint32_t word[4];
	uint64_t wide[2];
	uint8_t raw[V2_LEN] = { 0 };
	mdb_addr_t at = 0;
	enum mdb_status st = element(cx, g, g->shared, out->ref, len, &at);

	if (st == MDB_OK)
		st = mdb_read(cx, mdb_at(g->domain, at), raw, len);
	if (st != MDB_OK)
		return st;
	__builtin_memcpy(half, raw, sizeof(half));
	__builtin_memcpy(word, raw, sizeof(word));
	__builtin_memcpy(wide, raw, sizeof(wide));
	out->flags = out->status = half[0];
	out->domid = half[1];
	if (g->version == 1) {
		out->frame = word[1];
		return MDB_OK;
	}
	if ((out->flags & 3) == XPV_GRANT_TRANSITIVE) {
		out->trans_domid = half[2];
		out->frame = word[2];
	} else {
		out->frame = wide[1];
	}
	st = element(cx, g, g->status, out->ref, 2, &at);
	if (st == MDB_OK)
		st = mdb_read_uint(cx, mdb_at(g->domain, at), 2, &status);
	out->status = (uint16_t)status;
	return st;
}

enum mdb_status
xpv_grant_read(struct mdb_ctx *cx, const struct xpv_gnttab *g, uint32_t ref,
	struct xpv_grant *out)
{
	struct active a = { 0 };
	enum mdb_status st;

	*out = (struct xpv_grant){ .ref = ref };
	if (ref >= g->nr_refs)
		return mdb_fail(cx, MDB_E_RANGE, "%s has no grant %u",
			xpv_domid_name(cx, g->domid), ref);
	st = element(cx, g, g->active, ref, g->active_len, &out->active_addr);
	if (st == MDB_OK)
		st = mdb_read_shape(cx, &active_shape,
			mdb_at(g->domain, out->active_addr), &a);
	if (st == MDB_OK)
		st = shared_read(cx, g, out);
	if (st == MDB_E_NOTFOUND)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"grant %u of %s has no page in the table", ref,
			xpv_domid_name(cx, g->domid));
	if (st != MDB_OK)
		return mdb_context(cx, st, "grant %u of %s", ref,
			xpv_domid_name(cx, g->domid));
	out->pin = a.pin;
	out->pin_domid = a.domid;
	out->mfn = a.mfn;
	return MDB_OK;
}

enum mdb_status
xpv_mapping_read(struct mdb_ctx *cx, const struct xpv_gnttab *g,
	uint32_t handle, struct xpv_mapping *out)
{
	struct mapping m;
	mdb_addr_t at = 0;
	enum mdb_status st =
		element(cx, g, g->maptrack, handle, g->mapping_len, &at);

	if (st == MDB_OK)
		st = mdb_read_shape(cx, &mapping_shape, mdb_at(g->domain, at),
			&m);
	if (st == MDB_E_NOTFOUND && at == 0)
		return st;
	if (st != MDB_OK)
		return mdb_context(cx, st, "mapping %u of %s", handle,
			xpv_domid_name(cx, g->domid));
	*out = (struct xpv_mapping){ handle, at, m.ref, m.flags, m.domid,
		m.vcpu };
	return MDB_OK;
}

/* ---- trust ---------------------------------------------------------------
 */

#define MAX_TESTED 4096u
/* So many grants and mappings must agree, and none may disagree. */
#define ENOUGH_GRANTS 2u
#define ENOUGH_MAPPINGS 1u

/* xen/common/grant_table.c: GNTPIN_*; public/grant_table.h: GTF_* */
#define PIN_WRITES 0x00ff00ffu
#define GTF_READING 8u
#define GTF_WRITING 16u

struct evidence {
	unsigned int tested, grants, mappings, wrong;
};

/* An entry that is in use says to whom, and whether to write. */
static bool
sides_agree(struct mdb_ctx *cx, const struct xpv_gnttab *g,
	const struct xpv_grant *r)
{
	uint64_t gfn = 0;
	bool same = (r->flags & 3) == XPV_GRANT_ACCESS &&
		    r->pin_domid == r->domid &&
		    (r->status & GTF_READING) != 0 &&
		    ((r->pin & PIN_WRITES) != 0) ==
			    ((r->status & GTF_WRITING) != 0) &&
		    (r->mfn == r->frame || (xpv_m2p_read(cx, g->domain.world,
						    r->mfn, &gfn) == MDB_OK &&
						   gfn == r->frame));

	mdb_forget(cx);
	return same;
}

/* A mapping is of a grant that is in use by this domain. */
static bool
leads_to_grant(struct mdb_ctx *cx, const struct xpv_gnttab *g,
	const struct xpv_mapping *m)
{
	struct mdb_loc other;
	struct xpv_gnttab table;
	struct xpv_grant r;
	bool leads = xpv_domain_any(cx, g->domain.world, m->domid, &other) ==
			     MDB_OK &&
		     xpv_gnttab_get(cx, other, &table) == MDB_OK &&
		     table.addr != 0 &&
		     xpv_grant_read(cx, &table, m->ref, &r) == MDB_OK &&
		     r.pin != 0 && r.pin_domid == g->domid;

	mdb_forget(cx);
	return leads;
}

static void
test_mappings(struct mdb_ctx *cx, const struct xpv_gnttab *g,
	struct evidence *ev)
{
	uint64_t nr = g->nr_maptrack * (XPV_PAGE_LEN / g->mapping_len);
	struct xpv_mapping m;

	for (uint64_t h = 0; h < nr && ev->tested < MAX_TESTED; h++) {
		if (xpv_mapping_read(cx, g, (uint32_t)h, &m) != MDB_OK)
			break;
		ev->tested++;
		if ((m.flags & 3) == 0)
			continue;
		if (leads_to_grant(cx, g, &m))
			ev->mappings++;
		else
			ev->wrong++;
	}
	mdb_forget(cx);
}

static enum mdb_status
test_domain(struct mdb_ctx *cx, struct mdb_loc domain, void *arg)
{
	struct evidence *ev = arg;
	struct xpv_gnttab g;
	struct xpv_grant r;

	if (xpv_gnttab_get(cx, domain, &g) != MDB_OK || g.addr == 0) {
		mdb_forget(cx);
		return MDB_OK;
	}
	for (uint64_t i = 0; i < g.nr_refs && ev->tested < MAX_TESTED; i++) {
		if (xpv_grant_read(cx, &g, (uint32_t)i, &r) != MDB_OK)
			break;
		ev->tested++;
		if (r.pin == 0)
			continue;
		if (sides_agree(cx, &g, &r))
			ev->grants++;
		else
			ev->wrong++;
	}
	mdb_forget(cx);
	test_mappings(cx, &g, ev);
	return MDB_OK;
}

static enum mdb_trust
worst_of(struct mdb_ctx *cx, struct mdb_world *world,
	const struct mdb_shape *shape, enum mdb_trust worst)
{
	for (size_t i = 0; shape->fields[i].names != NULL; i++) {
		enum mdb_trust t = mdb_shape_trust(cx, world, shape, i);

		if (t > worst && t != MDB_TRUST_REFUTED)
			worst = t;
	}
	return worst;
}

enum mdb_trust
xpv_gnttab_trust(struct mdb_ctx *cx, struct mdb_world *world)
{
	struct xpv_state *s = xpv_state(cx, world);
	enum mdb_trust worst = MDB_TRUST_EXACT;
	struct evidence ev = { 0 };

	if (s->gnttab_tried)
		return s->gnttab_trust;
	worst = worst_of(cx, world, &table_shape, worst);
	worst = worst_of(cx, world, &active_shape, worst);
	worst = worst_of(cx, world, &mapping_shape, worst);
	if (worst == MDB_TRUST_UNPROVEN) {
		if (xpv_each_domain(cx, world, test_domain, &ev) != MDB_OK)
			mdb_forget(cx);
		if (ev.grants >= ENOUGH_GRANTS &&
			ev.mappings >= ENOUGH_MAPPINGS && ev.wrong == 0)
			worst = MDB_TRUST_PROVEN;
		/* A few may be in the making. */
		else if (ev.wrong > ev.grants + ev.mappings)
			worst = MDB_TRUST_REFUTED;
	}
	s->gnttab_tried = true;
	s->gnttab_trust = worst;
	return worst;
}

enum mdb_trust
xpv_mapping_vcpu_trust(struct mdb_ctx *cx, struct mdb_world *world)
{
	return mdb_shape_trust(cx, world, &mapping_shape, F_VCPU);
}
