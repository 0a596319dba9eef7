/* SPDX-License-Identifier: MIT */
/*
 * The p2m of a fully virtualized domain: the second stage of page tables.
 *
 * In both forms an entry keeps its type also where nothing is mapped: Intel's
 * in bits 52 to 57 (asm/hvm/vmx/vmx.h: ept_entry_t), else in bits 52 to 58
 * (asm/p2m.h: p2m_flags_to_type).
 */
#include "p2m.h"

#include <inttypes.h>

#define FRAME_MASK 0x000ffffffffff000ull
#define P2M_INVALID 1
#define P2M_POD 6

/* asm/p2m.h: p2m_type_t of 4.14 to 4.22 */
static const char *
type_name(uint64_t type)
{
	static const char *const names[] = { "ram-rw", "invalid",
		"ram-logdirty", "ram-ro", "mmio-dm", "mmio-direct",
		"populate-on-demand", "grant-map-rw", "grant-map-ro",
		"paging-out", "paged", "paging-in", "ram-shared", "ram-broken",
		"map-foreign", "ioreq-server" };

	return type < sizeof(names) / sizeof(names[0]) ? names[type] : "?";
}

/* What is wanted of struct p2m_domain. */
struct p2m_domain {
	mdb_addr_t domain;
	uint64_t root, last, eptp;
	uint32_t class;
};

static const struct mdb_field p2m_fields[] = {
	MDB_FIELD(struct p2m_domain, domain, "domain"),
	MDB_FIELD(struct p2m_domain, root, "phys_table.pfn"),
	MDB_FIELD(struct p2m_domain, last, "max_mapped_pfn"),
	MDB_FIELD_OPT(struct p2m_domain, eptp, "ept.eptp"),
	MDB_FIELD_OPT(struct p2m_domain, class, "p2m_class"),
	MDB_FIELD_END,
};

static const struct mdb_shape p2m_shape = { "struct p2m_domain", p2m_fields };

/* It points back to its domain, and is the one for the host's processors. */
static bool
is_p2m(struct mdb_ctx *cx, struct mdb_loc domain, mdb_addr_t at,
	struct p2m_domain *d)
{
	bool is = (at & 7) == 0 && at >= XPV_RO_MPT &&
		  at < XPV_HYPERVISOR_END &&
		  mdb_read_shape(cx, &p2m_shape, mdb_at(domain, at), d) ==
			  MDB_OK &&
		  d->domain == domain.addr && d->class == 0 && d->root != 0 &&
		  d->root >> 40 == 0 && d->last >> 40 == 0;

	mdb_forget(cx);
	return is;
}

/*
 * By the member, and where another release has it elsewhere by what it is: the
 * one pointer in struct domain to a p2m that points back.
 */
static enum mdb_status
p2m_find(struct mdb_ctx *cx, struct mdb_loc domain, struct p2m_domain *d_out)
{
	uint64_t at = 0, found = 0;
	enum mdb_status st = MDB_OK;

	if (xpv_member(cx, domain, "struct domain", "arch.p2m\0", &at) ==
			MDB_OK &&
		is_p2m(cx, domain, at, d_out))
		return MDB_OK;
	mdb_forget(cx);
	for (uint64_t i = 0; st == MDB_OK && i < XPV_DOMAIN_ROOM; i += 8) {
		struct p2m_domain d;
		mdb_addr_t p;

		st = mdb_read_ptr(cx, mdb_at(domain, domain.addr + i), &p);
		if (st != MDB_OK || !is_p2m(cx, domain, p, &d) || p == found)
			continue;
		if (found != 0)
			return mdb_fail(cx, MDB_E_CORRUPT,
				"two could be its p2m: %" PRIx64 ", %" PRIx64,
				found, p);
		found = p;
		*d_out = d;
	}
	if (st != MDB_OK)
		return st;
	return found != 0 ? MDB_OK
			  : mdb_fail(cx, MDB_E_CORRUPT,
				    "no struct p2m_domain is found that points "
				    "back to the domain at %" PRIx64,
				    domain.addr);
}

/*
 * The tables' root is told twice where they are Intel's: in the EPT pointer,
 * too, whose low bits then have the length of a walk.
 */
enum mdb_status
xpv_p2m_tables_get(struct mdb_ctx *cx, struct xpv_p2m *p)
{
	struct p2m_domain d = { 0 };
	enum mdb_status st = p2m_find(cx, p->domain, &d);

	if (st != MDB_OK)
		return st;
	p->kind =
		d.eptp >> XPV_PAGE_SHIFT == d.root ? XPV_P2M_EPT : XPV_P2M_NPT;
	p->levels = p->kind == XPV_P2M_EPT ? (unsigned int)(d.eptp >> 3 & 7) + 1
					   : 4;
	p->root = d.root << XPV_PAGE_SHIFT;
	p->nr_gfns = d.last + 1;
	if (p->levels < 3 || p->levels > 5)
		return mdb_fail(cx, MDB_E_CORRUPT, "an EPT walk of %u levels",
			p->levels);
	return MDB_OK;
}

static const char *
access_name(const struct xpv_p2m *p, uint64_t v)
{
	static const char *const names[] = { "---", "r--", "-w-", "rw-", "--x",
		"r-x", "-wx", "rwx" };

	if (p->kind == XPV_P2M_EPT)
		return names[v & 7];
	return names[(v & 1) | (v & 2) | (v >> 63 != 0 ? 0 : (v & 1) << 2)];
}

static void
leaf(const struct xpv_p2m *p, uint64_t gfn, unsigned int level, uint64_t v,
	struct xpv_p2m_entry *e)
{
	uint64_t count = 1ull << 9 * level;
	bool present = p->kind == XPV_P2M_EPT ? (v & 7) != 0 : (v & 1) != 0;
	uint64_t type = v >> 52 & (p->kind == XPV_P2M_EPT ? 0x3f : 0x7f);

	if (v == 0)
		type = P2M_INVALID;
	e->gfn = gfn & ~(count - 1);
	e->count = count;
	e->type = type_name(type);
	/* Above the last level only what is still to be populated has a type.
	 */
	if (!present && level > 0 && type != P2M_POD)
		e->type = type_name(P2M_INVALID);
	/* A grant or a device's frame is mapped as RAM is. */
	e->mapped = present;
	if (present) {
		e->access = access_name(p, v);
		e->mfn = (v & FRAME_MASK & ~((count << XPV_PAGE_SHIFT) - 1)) >>
			 XPV_PAGE_SHIFT;
	}
}

enum mdb_status
xpv_p2m_tables_lookup(struct mdb_ctx *cx, const struct xpv_p2m *p, uint64_t gfn,
	struct xpv_p2m_entry *e)
{
	static const char *const names[] = { "L1", "L2", "L3", "L4", "L5" };
	mdb_paddr_t table = p->root;

	if (gfn >> 9 * p->levels != 0) {
		e->type = "beyond the end";
		return MDB_OK;
	}
	for (unsigned int level = p->levels; level-- > 0;) {
		mdb_paddr_t at = table + 8 * (gfn >> 9 * level & 511);
		uint64_t v = 0;
		enum mdb_status st = mdb_read_machine(cx, at, &v, 8);
		bool present;

		if (st != MDB_OK)
			return mdb_context(cx, st,
				"the %s entry of gfn %" PRIx64, names[level],
				gfn);
		e->steps[e->nr_steps++] =
			(struct xpv_p2m_step){ names[level], at, v };
		present = p->kind == XPV_P2M_EPT ? (v & 7) != 0 : (v & 1) != 0;
		if (!present || level == 0 || (level < 3 && (v & 0x80) != 0)) {
			leaf(p, gfn, level, v, e);
			return MDB_OK;
		}
		table = v & FRAME_MASK;
	}
	return MDB_OK;
}
