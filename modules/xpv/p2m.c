/* SPDX-License-Identifier: MIT */
/*
 * The p2m of a domain.
 *
 * A paravirtual guest keeps it itself and tells the hypervisor where, in the
 * page that both share (xen/include/public/arch-x86/xen.h: arch_shared_info):
 * as an array at a virtual address of its page tables, or as a tree of frames.
 * What an entry's top bits mean is the guest's own affair; Linux' are known
 * (arch/x86/include/asm/xen/page.h: FOREIGN_FRAME_BIT, IDENTITY_FRAME_BIT).
 */
#include "p2m.h"

#include <inttypes.h>
#include <string.h>

#define MAX_GFNS (1ull << 40)

const char *
xpv_p2m_kind_name(enum xpv_p2m_kind kind)
{
	static const char *const names[] = { "linear", "frame list", "NPT",
		"EPT" };

	return names[kind];
}

/* ---- the machine-to-guest table ------------------------------------------
 */

enum mdb_status
xpv_m2p_read(struct mdb_ctx *cx, struct mdb_world *world, uint64_t mfn,
	uint64_t *gfn_out)
{
	enum mdb_status st;

	if (mfn >= XPV_MPT_LEN / 8)
		return mdb_fail(cx, MDB_E_RANGE,
			"frame %" PRIx64 " is beyond the M2P table", mfn);
	st = mdb_read_uint(cx, mdb_kernel_loc(world, XPV_RDWR_MPT + 8 * mfn), 8,
		gfn_out);
	return st == MDB_OK ? st
			    : mdb_context(cx, st, "M2P entry of frame %" PRIx64,
				      mfn);
}

/* xen/arch/x86/include/asm/mm.h: *_M2P_ENTRY; x86_64/mm.c fills with 0x77 */
const char *
xpv_m2p_name(uint64_t entry)
{
	if (entry == UINT64_MAX)
		return "invalid";
	if (entry == UINT64_MAX - 1)
		return "shared";
	if (entry == 0x7777777777777777ull)
		return "never set";
	if (entry == 0x5555555555555555ull)
		return "debug";
	return entry >> 63 != 0 ? "invalid" : NULL;
}

/* ---- of a paravirtual guest ----------------------------------------------
 */

struct shared {
	uint64_t max_pfn, list_list, p2m_cr3, p2m_vaddr;
	size_t word;
};

static enum mdb_status
shared_get(struct mdb_ctx *cx, struct mdb_loc domain, struct shared *s)
{
	uint64_t at = 0, is_32 = 0;
	const char *type = "struct shared_info";
	struct mdb_loc loc;
	enum mdb_status st =
		xpv_member(cx, domain, "struct domain", "shared_info\0", &at);

	if (st == MDB_OK && at == 0)
		st = mdb_fail(cx, MDB_E_UNSUPPORTED,
			"the domain shares no page with the hypervisor");
	if (st != MDB_OK)
		return st;
	if (xpv_member(cx, domain, "struct domain",
		    "arch.pv.is_32bit\0arch.is_32bit_pv\0", &is_32) != MDB_OK)
		mdb_forget(cx);
	if (is_32 != 0)
		type = "struct compat_shared_info";
	s->word = is_32 != 0 ? 4 : 8;
	loc = mdb_at(domain, at);
	st = xpv_member(cx, loc, type, "arch.max_pfn\0", &s->max_pfn);
	if (st == MDB_OK)
		st = xpv_member(cx, loc, type,
			"arch.pfn_to_mfn_frame_list_list\0", &s->list_list);
	if (st != MDB_OK)
		return mdb_context(cx, st, "the page shared with the guest");
	if (xpv_member(cx, loc, type, "arch.p2m_cr3\0", &s->p2m_cr3) !=
			MDB_OK ||
		xpv_member(cx, loc, type, "arch.p2m_vaddr\0", &s->p2m_vaddr) !=
			MDB_OK) {
		mdb_forget(cx);
		s->p2m_cr3 = 0;
	}
	return MDB_OK;
}

static enum mdb_status
pv_get(struct mdb_ctx *cx, struct xpv_p2m *p)
{
	struct shared s = { 0 };
	enum mdb_status st = shared_get(cx, p->domain, &s);

	if (st != MDB_OK)
		return st;
	if (s.max_pfn == 0)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"the guest has not told where its p2m is (or it is the "
			"boot of it)");
	if (s.max_pfn > MAX_GFNS)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"the guest says that it has %" PRIx64 " frames",
			s.max_pfn);
	p->nr_gfns = s.max_pfn;
	p->word = s.word;
	if (s.p2m_cr3 != 0 && s.word == 8) {
		p->kind = XPV_P2M_LINEAR;
		p->array = s.p2m_vaddr;
		return mdb_space_of_root(cx, p->domain.world,
			s.p2m_cr3 & 0x000ffffffffff000ull, &p->space);
	}
	if (s.list_list == 0 || s.list_list >= MAX_GFNS)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"the guest's p2m is neither linear nor a list of "
			"frames");
	p->kind = XPV_P2M_TREE;
	p->root = s.list_list << XPV_PAGE_SHIFT;
	return MDB_OK;
}

static enum mdb_status
step_read(struct mdb_ctx *cx, struct xpv_p2m_entry *e, const char *level,
	mdb_paddr_t at, size_t word)
{
	struct xpv_p2m_step *step = &e->steps[e->nr_steps];
	uint64_t v = 0;
	enum mdb_status st = mdb_read_machine(cx, at, &v, word);

	if (st != MDB_OK)
		return mdb_context(cx, st, "%s of gfn %" PRIx64, level, e->gfn);
	*step = (struct xpv_p2m_step){ level, at, v };
	e->nr_steps++;
	return MDB_OK;
}

/* The frame of entries that has that of gfn, by the tree. */
static enum mdb_status
tree_leaf(struct mdb_ctx *cx, const struct xpv_p2m *p, uint64_t gfn,
	struct xpv_p2m_entry *e, mdb_paddr_t *at_out)
{
	uint64_t per = XPV_PAGE_LEN / p->word;
	uint64_t top = gfn / per / per, mid = gfn / per % per;
	enum mdb_status st;

	if (top >= per)
		return mdb_fail(cx, MDB_E_RANGE, "gfn %" PRIx64, gfn);
	st = step_read(cx, e, "list list", p->root + top * p->word, p->word);
	if (st == MDB_OK)
		st = step_read(cx, e, "list",
			(e->steps[0].entry << XPV_PAGE_SHIFT) + mid * p->word,
			p->word);
	if (st == MDB_OK)
		*at_out = e->steps[1].entry << XPV_PAGE_SHIFT;
	return st;
}

/* Entries are read a frame at a time and kept. */
static enum mdb_status
pv_fill(struct mdb_ctx *cx, struct xpv_p2m *p, uint64_t gfn,
	struct xpv_p2m_entry *e)
{
	uint64_t per = XPV_PAGE_LEN / p->word;
	uint64_t first = gfn / per * per;
	mdb_paddr_t at = 0;
	enum mdb_status st;

	if (p->kind == XPV_P2M_LINEAR) {
		struct mdb_loc loc = { p->domain.world, p->space,
			p->array + first * p->word };

		at = loc.addr;
		if (p->cached && p->cached_first == first)
			st = MDB_OK;
		else
			st = mdb_read(cx, loc, p->cache, XPV_PAGE_LEN);
	} else {
		st = tree_leaf(cx, p, gfn, e, &at);
		if (st == MDB_OK && !(p->cached && p->cached_first == first))
			st = mdb_read_machine(cx, at, p->cache, XPV_PAGE_LEN);
	}
	p->cached = st == MDB_OK;
	p->cached_first = first;
	if (st != MDB_OK)
		return mdb_context(cx, st, "the guest's p2m of gfn %" PRIx64,
			gfn);
	e->steps[e->nr_steps] =
		(struct xpv_p2m_step){ "entry", at + gfn % per * p->word, 0 };
	memcpy(&e->steps[e->nr_steps].entry, p->cache + gfn % per * p->word,
		p->word);
	e->nr_steps++;
	return MDB_OK;
}

static enum mdb_status
pv_lookup(struct mdb_ctx *cx, struct xpv_p2m *p, uint64_t gfn,
	struct xpv_p2m_entry *e)
{
	unsigned int top = (unsigned int)(8 * p->word - 1);
	enum mdb_status st;
	uint64_t v;

	e->count = 1;
	if (gfn >= p->nr_gfns) {
		e->type = "beyond the end";
		return MDB_OK;
	}
	st = pv_fill(cx, p, gfn, e);
	if (st != MDB_OK)
		return st;
	v = e->steps[e->nr_steps - 1].entry;
	if (v == (p->word == 8 ? UINT64_MAX : UINT32_MAX)) {
		e->type = "invalid";
		return MDB_OK;
	}
	e->type = (v >> top & 1) != 0	      ? "foreign"
		  : (v >> (top - 1) & 1) != 0 ? "identity"
					      : "ram";
	e->mapped = true;
	e->mfn = v & ((1ull << (top - 1)) - 1);
	return MDB_OK;
}

/* ---- of any --------------------------------------------------------------
 */

enum mdb_status
xpv_p2m_get(struct mdb_ctx *cx, struct mdb_loc domain, struct xpv_p2m *p2m_out)
{
	struct xpv_domain d;
	enum mdb_status st;

	*p2m_out = (struct xpv_p2m){ .domain = domain };
	if (mdb_world_word(domain.world) != 8)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"only the p2m of a 64-bit hypervisor's domains is "
			"known");
	st = xpv_domain_read(cx, domain, &d);
	if (st != MDB_OK)
		return st;
	p2m_out->domid = d.id;
	/* A PV domain has no second stage, whatever its flags are thought to
	 * say: where they are not known, what is there decides. */
	st = xpv_p2m_tables_get(cx, p2m_out);
	if (st != MDB_OK && !d.is_hvm)
		st = pv_get(cx, p2m_out);
	return st == MDB_OK ? st
			    : mdb_context(cx, st, "the p2m of %s",
				      xpv_domid_name(cx, d.id));
}

enum mdb_status
xpv_p2m_lookup(struct mdb_ctx *cx, struct xpv_p2m *p2m, uint64_t gfn,
	struct xpv_p2m_entry *entry_out)
{
	*entry_out = (struct xpv_p2m_entry){ .gfn = gfn, .count = 1 };
	if (p2m->kind == XPV_P2M_LINEAR || p2m->kind == XPV_P2M_TREE)
		return pv_lookup(cx, p2m, gfn, entry_out);
	return xpv_p2m_tables_lookup(cx, p2m, gfn, entry_out);
}
