/* SPDX-License-Identifier: MIT */
/*
 * ::gnttab: grants given, grants mapped, the tables.
 */
#include "gnttab.h"

#include <inttypes.h>

static const struct mdb_column grant_columns[] = {
	{ "active", "ACTIVE", MDB_WIDTH_ADDR,
		MDB_COL_LEFT | MDB_COL_PIPE | MDB_COL_ZERO, 'v',
		"its struct active_grant_entry" },
	{ "domain", "DOM", 5, MDB_COL_LEFT, 0, "domain that grants" },
	{ "ref", "REF", 5, 0, 0, "number of the grant, decimal" },
	{ "to", "TO", 5, MDB_COL_LEFT, 0, "domain that may map it" },
	{ "gfn", "FRAME", 10, 0, 0, "frame of the granting domain, hex" },
	{ "mfn", "MFN", 10, 0, 0, "the machine's, while it is mapped, hex" },
	{ "writes", "W", 3, 0, 0, "times mapped to write" },
	{ "reads", "R", 3, 0, 0, "times mapped to read" },
	{ "dev_writes", "DW", 3, 0, 0, "the same for devices" },
	{ "dev_reads", "DR", 3, 0, 0, "the same for devices" },
	{ "flags", "FLAGS", 0, MDB_COL_LEFT, 0, "of the guest's entry" },
	{ NULL },
};

const struct mdb_table xpv_gnttab_table = { .name = "grants",
	.columns = grant_columns };

static const struct mdb_column mapped_columns[] = {
	{ "addr", "ADDR", MDB_WIDTH_ADDR,
		MDB_COL_LEFT | MDB_COL_PIPE | MDB_COL_ZERO, 'v',
		"its struct grant_mapping" },
	{ "domain", "DOM", 5, MDB_COL_LEFT, 0, "domain that has mapped" },
	{ "handle", "HANDLE", 6, 0, 0, "number of the mapping, decimal" },
	{ "of", "OF", 5, MDB_COL_LEFT, 0, "domain that granted" },
	{ "ref", "REF", 5, 0, 0, "its grant, decimal" },
	{ "vcpu", "VCPU", 4, 0, 0, "virtual CPU that mapped it" },
	{ "mfn", "MFN", 10, 0, 0, "frame of the machine, hex" },
	{ "flags", "FLAGS", 0, MDB_COL_LEFT, 0,
		"host, device, readonly, application, pte; what is wrong" },
	{ NULL },
};

static const struct mdb_table mapped_table = { .name = "mappings",
	.columns = mapped_columns };

static const struct mdb_column sum_columns[] = {
	{ "addr", "ADDR", MDB_WIDTH_ADDR,
		MDB_COL_LEFT | MDB_COL_PIPE | MDB_COL_ZERO, 0,
		"its struct grant_table" },
	{ "domain", "DOM", 5, MDB_COL_LEFT, 0, "whose it is" },
	{ "version", "VER", 3, 0, 0, "form of the entries: 1 or 2" },
	{ "frames", "FRAMES", 6, 0, 0, "pages of the shared table" },
	{ "max_frames", "MAX", 6, 0, 0, "at most" },
	{ "maptrack", "MAPTRACK", 8, 0, 0, "pages that track mappings" },
	{ "max_maptrack", "MAX", 6, 0, 0, "at most" },
	{ "granted", "GRANTED", 7, 0, 0, "grants that others may map" },
	{ "active", "ACTIVE", 6, 0, 0, "grants that are mapped" },
	{ "mapped", "MAPPED", 6, 0, 0, "grants of others that it has mapped" },
	{ NULL },
};

static const struct mdb_table sum_table = { .name = "grant_tables",
	.columns = sum_columns };

const struct mdb_option xpv_gnttab_options[] = {
	{ 'd', MDB_OPT_EXPR, "domid", "of that domain" },
	{ 'm', MDB_OPT_FLAG, NULL, "what it has mapped of others" },
	{ 's', MDB_OPT_FLAG, NULL, "the tables and sums only" },
	{ 'p', MDB_OPT_FLAG, NULL, "only grants that are mapped (pinned)" },
	{ 'v', MDB_OPT_FLAG, NULL, "addresses of the hypervisor's entries" },
	{ 0 },
};

const struct mdb_example xpv_gnttab_examples[] = {
	{ "::gnttab", "all that is granted, by whom to whom" },
	{ "::gnttab -m -d 0", "what domain 0 has mapped of others" },
	{ "::gnttab -s", "how large the tables are" },
	{ NULL },
};

/* ---- grants --------------------------------------------------------------
 */

static const char *
grant_flags(struct mdb_ctx *cx, const struct xpv_grant *r)
{
	static const struct xpv_bit bits[] = {
		{ 1 << 2, "readonly" },
		{ 1 << 5, "PWT" },
		{ 1 << 6, "PCD" },
		{ 1 << 7, "PAT" },
		{ 1 << 8, "sub-page" },
		{ 0, NULL },
	};
	static const struct xpv_bit transfer_bits[] = {
		{ 1 << 2, "committed" },
		{ 1 << 3, "completed" },
		{ 0, NULL },
	};
	static const struct xpv_bit status_bits[] = {
		{ 1 << 3, "reading" },
		{ 1 << 4, "writing" },
		{ 0, NULL },
	};
	static const char *const kinds[] = { "(withdrawn)", "access",
		"transfer", "transitive" };
	unsigned int kind = r->flags & 3;
	const char *more;

	if (kind == XPV_GRANT_TRANSFER)
		return mdb_tmp_printf(cx, "transfer %s",
			xpv_words(cx, transfer_bits, r->flags));
	more = xpv_words(cx, bits, r->flags);
	if (*xpv_words(cx, status_bits, r->status) != '\0')
		more = mdb_tmp_printf(cx, "%s%s%s", more,
			*more != '\0' ? " " : "",
			xpv_words(cx, status_bits, r->status));
	if (kind == XPV_GRANT_TRANSITIVE)
		more = mdb_tmp_printf(cx, "%s of %s", more,
			xpv_domid_name(cx, r->trans_domid));
	return mdb_tmp_printf(cx, "%s%s%s", kinds[kind],
		*more != '\0' ? " " : "", more);
}

/* The two sides may differ: an entry may be changed while it is mapped. */
static enum mdb_status
grant_row(struct mdb_ctx *cx, const struct xpv_gnttab *g,
	const struct xpv_grant *r)
{
	const char *flags = grant_flags(cx, r);
	uint16_t to = r->pin != 0 ? r->pin_domid : r->domid;

	if (r->pin != 0 && r->pin_domid != r->domid)
		flags = mdb_tmp_printf(cx, "%s (the entry is for %s now)",
			flags, xpv_domid_name(cx, r->domid));
	enum mdb_trust trust = xpv_gnttab_trust(cx, g->domain.world);
#define SURE(v) xpv_trusted(trust, (v))
	struct mdb_value v[] = {
		mdb_v_addr(mdb_at(g->domain, r->active_addr)),
		mdb_v_text(xpv_domid_name(cx, g->domid)),
		mdb_v_uint(r->ref),
		SURE(mdb_v_text(xpv_domid_name(cx, to))),
		SURE(mdb_v_hex(r->frame)),
		r->pin != 0 ? SURE(mdb_v_hex(r->mfn)) : mdb_v_none(),
		SURE(mdb_v_uint(r->pin & 0xff)),
		SURE(mdb_v_uint(r->pin >> 8 & 0xff)),
		SURE(mdb_v_uint(r->pin >> 16 & 0xff)),
		SURE(mdb_v_uint(r->pin >> 24 & 0xff)),
		SURE(mdb_v_text(flags)),
	};

	return mdb_row(cx, &xpv_gnttab_table, v);
}

struct sums {
	uint64_t granted, active, mapped;
};

typedef enum mdb_status grant_fn(struct mdb_ctx *cx, const struct xpv_gnttab *g,
	const struct xpv_grant *r, void *arg);

/* Each that is given or mapped; one that cannot be read is said. */
static enum mdb_status
each_grant(struct mdb_ctx *cx, const struct xpv_gnttab *g, grant_fn *fn,
	void *arg)
{
	enum mdb_status st = MDB_OK;
	struct xpv_grant r;

	for (uint64_t ref = 0; ref < g->nr_refs && st == MDB_OK; ref++) {
		st = xpv_grant_read(cx, g, (uint32_t)ref, &r);
		if (st == MDB_E_CORRUPT || mdb_is_fault(st)) {
			mdb_warn(cx, st, "a grant is not shown");
			st = MDB_OK;
			/* the rest of that page would fail alike */
			ref |= XPV_PAGE_LEN / 16 - 1;
			continue;
		}
		if (st == MDB_OK && (r.pin != 0 || (r.flags & 3) != 0))
			st = fn(cx, g, &r, arg);
		if (st == MDB_OK && (ref & 0xff) == 0)
			st = mdb_check_interrupt(cx);
	}
	return st;
}

static enum mdb_status
grant_show(struct mdb_ctx *cx, const struct xpv_gnttab *g,
	const struct xpv_grant *r, void *arg)
{
	const struct mdb_call *call = arg;

	return r->pin == 0 && mdb_opt(call, 'p') ? MDB_OK : grant_row(cx, g, r);
}

static enum mdb_status
grant_count(struct mdb_ctx *cx, const struct xpv_gnttab *g,
	const struct xpv_grant *r, void *arg)
{
	struct sums *s = arg;

	(void)cx;
	(void)g;
	s->granted += (r->flags & 3) != 0;
	s->active += r->pin != 0;
	return MDB_OK;
}

/* ---- mappings ------------------------------------------------------------
 */

/* Is the mapping's grant active, for this domain? */
static const char *
mapped_check(struct mdb_ctx *cx, const struct xpv_gnttab *g,
	const struct xpv_mapping *m, struct mdb_value *mfn_out)
{
	struct mdb_loc other;
	struct xpv_gnttab table;
	struct xpv_grant r;
	enum mdb_status st =
		xpv_domain_any(cx, g->domain.world, m->domid, &other);

	if (st == MDB_OK)
		st = xpv_gnttab_get(cx, other, &table);
	if (st == MDB_OK)
		st = xpv_grant_read(cx, &table, m->ref, &r);
	if (st != MDB_OK) {
		mdb_forget(cx);
		*mfn_out = mdb_v_error(st);
		return " (the grant is not readable)";
	}
	if (r.pin == 0)
		return " (the grant is not active)";
	*mfn_out = mdb_v_hex(r.mfn);
	return r.pin_domid == g->domid ? "" : " (the grant is another's)";
}

static enum mdb_status
mapped_row(struct mdb_ctx *cx, const struct xpv_gnttab *g,
	const struct xpv_mapping *m)
{
	static const struct xpv_bit bits[] = {
		{ 1 << 1, "host" },
		{ 1 << 0, "device" },
		{ 1 << 2, "readonly" },
		{ 1 << 3, "application" },
		{ 1 << 4, "pte" },
		{ 0, NULL },
	};
	struct mdb_value mfn = mdb_v_none();
	const char *check = mapped_check(cx, g, m, &mfn);
	enum mdb_trust trust = xpv_gnttab_trust(cx, g->domain.world);
	struct mdb_value v[] = {
		mdb_v_addr(mdb_at(g->domain, m->addr)),
		mdb_v_text(xpv_domid_name(cx, g->domid)),
		mdb_v_uint(m->handle),
		SURE(mdb_v_text(xpv_domid_name(cx, m->domid))),
		SURE(mdb_v_uint(m->ref)),
		xpv_trusted(xpv_mapping_vcpu_trust(cx, g->domain.world),
			mdb_v_uint(m->vcpu)),
		SURE(mfn),
		SURE(mdb_v_text(mdb_tmp_printf(cx, "%s%s",
			xpv_words(cx, bits, m->flags), check))),
	};

	return mdb_row(cx, &mapped_table, v);
}

/* A mapping in use has one of the low two bits (GNTMAP_host_map, _device_map);
 * the others are in lists of free ones. */
static enum mdb_status
each_mapping(struct mdb_ctx *cx, const struct xpv_gnttab *g, bool show,
	struct sums *sums)
{
	uint64_t nr = g->nr_maptrack * (XPV_PAGE_LEN / g->mapping_len);
	enum mdb_status st = MDB_OK;
	struct xpv_mapping m;

	for (uint64_t h = 0; h < nr && st == MDB_OK; h++) {
		st = xpv_mapping_read(cx, g, (uint32_t)h, &m);
		if (st == MDB_E_NOTFOUND || mdb_is_fault(st)) {
			mdb_warn(cx, st, "mappings of %s from %" PRIu64 " on",
				xpv_domid_name(cx, g->domid), h);
			return MDB_OK;
		}
		if (st == MDB_OK && (m.flags & 3) != 0) {
			sums->mapped++;
			if (show)
				st = mapped_row(cx, g, &m);
		}
		if (st == MDB_OK && (h & 0xff) == 0)
			st = mdb_check_interrupt(cx);
	}
	return st;
}

/* ---- ::gnttab ------------------------------------------------------------
 */

static struct mdb_value
cell(struct mdb_ctx *cx, const struct xpv_gnttab *g, const char *names,
	uint64_t value)
{
	return xpv_trusted(xpv_member_trust(cx, g->domain.world,
				   "struct grant_table", names),
		mdb_v_uint(value));
}

static enum mdb_status
sum_row(struct mdb_ctx *cx, const struct xpv_gnttab *g)
{
	struct sums s = { 0 };
	enum mdb_status st = each_grant(cx, g, grant_count, &s);

	if (st == MDB_OK)
		st = each_mapping(cx, g, false, &s);
	if (st != MDB_OK)
		return st;
	enum mdb_trust trust = xpv_gnttab_trust(cx, g->domain.world);
	struct mdb_value v[] = {
		mdb_v_addr(mdb_at(g->domain, g->addr)),
		mdb_v_text(xpv_domid_name(cx, g->domid)),
		g->version != 0 ? cell(cx, g, "gt_version\0", g->version)
				: mdb_v_none(),
		cell(cx, g, "nr_grant_frames\0", g->nr_frames),
		cell(cx, g, "max_grant_frames\0", g->max_frames),
		SURE(mdb_v_uint(g->nr_maptrack)),
		cell(cx, g, "max_maptrack_frames\0", g->max_maptrack),
		SURE(mdb_v_uint(s.granted)),
		SURE(mdb_v_uint(s.active)),
		SURE(mdb_v_uint(s.mapped)),
	};

	return mdb_row(cx, &sum_table, v);
}

static enum mdb_status
domain_grants(struct mdb_ctx *cx, struct mdb_loc domain, void *arg)
{
	const struct mdb_call *call = arg;
	struct sums unused = { 0 };
	struct xpv_gnttab g;
	enum mdb_status st = xpv_gnttab_get(cx, domain, &g);

	if (st != MDB_OK || g.addr == 0)
		return st;
	if (mdb_opt(call, 's'))
		return sum_row(cx, &g);
	if (mdb_opt(call, 'm'))
		return each_mapping(cx, &g, true, &unused);
	/* The callback's argument is not const. */
	return each_grant(cx, &g, grant_show, arg);
}

enum mdb_status
xpv_gnttab_cmd(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_call copy = *call;
	struct mdb_world *world;
	enum mdb_status st = xpv_world(cx, &world);

	if (st == MDB_OK && xpv_gnttab_trust(cx, world) == MDB_TRUST_REFUTED)
		st = mdb_fail(cx, MDB_E_UNSUPPORTED,
			"what the hypervisor has of grants is not what the "
			"guests' entries say: the types are of another build");
	if (st != MDB_OK)
		return st;
	return xpv_each_meant(cx, call, true, domain_grants, &copy);
}
