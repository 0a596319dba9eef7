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

/*
 * The tables' root is told twice where they are Intel's: in the EPT pointer,
 * too, whose low bits then have the length of a walk.
 */
enum mdb_status
xpv_p2m_tables_get(struct mdb_ctx *cx, struct xpv_p2m *p)
{
	uint64_t at = 0, root = 0, eptp = 0, last = 0, back = 0;
	struct mdb_loc loc;
	enum mdb_status st = xpv_member_uint(cx, p->domain, "struct domain",
		"arch.p2m\0", &at);

	if (st != MDB_OK)
		return st;
	loc = mdb_at(p->domain, at);
	st = xpv_member_uint(cx, loc, "struct p2m_domain", "domain\0", &back);
	if (st == MDB_OK && back != p->domain.addr)
		st = mdb_fail(cx, MDB_E_CORRUPT,
			"struct p2m_domain at %" PRIx64
			" is of another domain, %" PRIx64,
			at, back);
	if (st == MDB_OK)
		st = xpv_member_uint(cx, loc, "struct p2m_domain",
			"phys_table.pfn\0", &root);
	if (st == MDB_OK)
		st = xpv_member_uint(cx, loc, "struct p2m_domain",
			"max_mapped_pfn\0", &last);
	if (st != MDB_OK)
		return st;
	if (xpv_member_uint(cx, loc, "struct p2m_domain", "ept.eptp\0",
		    &eptp) != MDB_OK)
		mdb_forget(cx);
	if (root == 0 || root >> 40 != 0 || last >> 40 != 0)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"it has no second stage of page tables (root %" PRIx64
			", last gfn %" PRIx64 ")",
			root, last);
	p->kind = eptp >> XPV_PAGE_SHIFT == root ? XPV_P2M_EPT : XPV_P2M_NPT;
	p->levels =
		p->kind == XPV_P2M_EPT ? (unsigned int)(eptp >> 3 & 7) + 1 : 4;
	p->root = root << XPV_PAGE_SHIFT;
	p->nr_gfns = last + 1;
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
