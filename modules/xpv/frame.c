/* SPDX-License-Identifier: MIT */
/*
 * The frame table: where it is, how long, and how a struct page_info reads.
 *
 * That the table is where it is thought to be is proven by a domain: the page
 * that it shares with the hypervisor is its own.
 */
#include "frame.h"

#include <inttypes.h>
#include <string.h>

#define PGC_ALLOCATED (1ull << 63)
#define PGC_XEN_HEAP (1ull << 62)
#define PGT_VALIDATED (1ull << 58)

/* asm-x86/mm.h of 4.14 to 4.16, of 4.17, of 4.18 to 4.21, of 4.22 */
static const struct xpv_pgc pgc_414 = { 55, 54, 1ull << 57, 1ull << 54,
	1ull << 61, 0, PGC_ALLOCATED };
static const struct xpv_pgc pgc_417 = { 58, 57, 1ull << 60, 1ull << 57,
	1ull << 61, 0, PGC_ALLOCATED };
static const struct xpv_pgc pgc_418 = { 58, 57, 1ull << 60, 1ull << 61, 0,
	1ull << 57, PGC_ALLOCATED };
static const struct xpv_pgc pgc_422 = { 58, 56, 1ull << 60, 1ull << 61, 0,
	1ull << 56, 1ull << 57 };

/* The number a fact begins with; -1: not known. */
static int
fact_number(struct mdb_ctx *cx, struct mdb_world *w, const char *key)
{
	const char *text = mdb_world_fact(cx, w, key);
	int n = 0;

	if (text == NULL || *text < '0' || *text > '9')
		return -1;
	for (; *text >= '0' && *text <= '9' && n < 10000; text++)
		n = 10 * n + (*text - '0');
	return n;
}

static const struct xpv_pgc *
flags_of(struct mdb_ctx *cx, struct mdb_world *w)
{
	int major = fact_number(cx, w, "major");
	int minor = fact_number(cx, w, "minor");

	if (major != 4 || minor < 14)
		return NULL;
	return minor < 17   ? &pgc_414
	       : minor < 18 ? &pgc_417
	       : minor < 22 ? &pgc_418
			    : &pgc_422;
}

/* ---- layout --------------------------------------------------------------
 */

static enum mdb_status
member(struct mdb_ctx *cx, struct mdb_type type, const char *path,
	uint64_t *offset_out, size_t *len_out)
{
	struct mdb_member m;
	uint64_t len = 0;
	enum mdb_status st = mdb_type_member(cx, type, path, &m);

	if (st == MDB_OK)
		st = mdb_type_size(cx, m.type, &len);
	if (st != MDB_OK)
		return mdb_context(cx, st, "struct page_info");
	*offset_out = m.bit_offset / 8;
	if (len_out != NULL)
		*len_out = len;
	return MDB_OK;
}

static enum mdb_status
layout_get(struct mdb_ctx *cx, struct xpv_frames *f)
{
	size_t count_len = 0, type_len = 0, order_len = 0;
	struct mdb_type t;
	uint64_t unused;
	enum mdb_status st =
		mdb_type_by_name(cx, f->world, "struct page_info", &t);

	if (st == MDB_OK)
		st = mdb_type_size(cx, t, &f->page_len);
	if (st == MDB_OK)
		st = member(cx, t, "list.next", &f->list_off, &f->link_len);
	if (st == MDB_OK)
		st = member(cx, t, "list.prev", &unused, NULL);
	if (st == MDB_OK)
		st = member(cx, t, "count_info", &f->count_off, &count_len);
	if (st == MDB_OK)
		st = member(cx, t, "u.inuse.type_info", &f->type_off,
			&type_len);
	if (st == MDB_OK)
		st = member(cx, t, "v.inuse._domain", &f->owner_off,
			&f->owner_len);
	if (st == MDB_OK)
		st = member(cx, t, "v.free.order", &f->order_off, &order_len);
	if (st != MDB_OK)
		return st;
	if (f->page_len < 16 || f->page_len > 256 || count_len != 8 ||
		type_len != 8 || order_len != 4 ||
		(f->owner_len != 4 && f->owner_len != 8) ||
		f->link_len != f->owner_len || f->count_off > f->page_len - 8 ||
		f->type_off > f->page_len - 8 ||
		f->owner_off > f->page_len - f->owner_len ||
		f->list_off > f->page_len - 2 * f->link_len ||
		f->order_off > f->page_len - 4)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"a struct page_info of %" PRIu64
			" bytes and such members is not known",
			f->page_len);
	return MDB_OK;
}

/* CONFIG_BIGMEM is told by how wide a pdx is in struct page_info. */
static void
places_get(struct xpv_frames *f)
{
	bool big = f->owner_len == 8;

	f->table = big ? XPV_FRAME_TABLE_BIG : XPV_FRAME_TABLE;
	f->direct = big ? XPV_DIRECTMAP_BIG : XPV_DIRECTMAP;
}

/* Where the last part of the table is mapped; the hypervisor maps it in pieces
 * of 2 MiB. */
static uint64_t
mapped_end(struct mdb_ctx *cx, const struct xpv_frames *f)
{
	uint64_t room = f->direct - f->table, end = 0;
	struct mdb_vtop v;

	/* holes are of whole groups; the table of all 16 TiB would be 64k */
	for (uint64_t at = 0; at < room; at += 2ull << 20) {
		if (mdb_vtop(cx, mdb_kernel_loc(f->world, f->table + at), &v) ==
			MDB_OK)
			end = at + (2ull << 20);
		mdb_forget(cx);
	}
	return end / f->page_len;
}

/* ---- PDX -----------------------------------------------------------------
 */

/* Does the direct map show machine frame N at place N? */
static bool
direct_is_identity(struct mdb_ctx *cx, const struct xpv_frames *f)
{
	uint64_t tested = 0;

	for (uint64_t pdx = f->nr_pdx; pdx > 0 && tested < 4; pdx /= 2) {
		struct mdb_loc loc = mdb_kernel_loc(f->world,
			f->direct + ((pdx - 1) << XPV_PAGE_SHIFT));
		struct mdb_vtop v;

		if (mdb_vtop(cx, loc, &v) != MDB_OK) {
			mdb_forget(cx);
			continue;
		}
		if (v.paddr >> XPV_PAGE_SHIFT != pdx - 1)
			return false;
		tested++;
	}
	return tested > 0;
}

static enum mdb_status
compression_get(struct mdb_ctx *cx, struct xpv_frames *f)
{
	uint64_t shift = 0, bottom = 0, top = 0;

	f->bottom_mask = UINT64_MAX;
	if (xpv_var_uint(cx, f->world, "pfn_pdx_hole_shift", 4, &shift) ==
			MDB_OK &&
		shift == 0)
		return MDB_OK;
	mdb_forget(cx);
	if (shift > 0 && shift < 52 &&
		xpv_var_uint(cx, f->world, "pfn_pdx_bottom_mask", 8, &bottom) ==
			MDB_OK &&
		xpv_var_uint(cx, f->world, "pfn_top_mask", 8, &top) == MDB_OK &&
		(bottom & top) == 0 && bottom != 0) {
		f->compressed = true;
		f->hole_shift = (unsigned int)shift;
		f->bottom_mask = bottom;
		f->top_mask = top;
		return MDB_OK;
	}
	mdb_forget(cx);
	if (shift == 0 && direct_is_identity(cx, f))
		return MDB_OK;
	return mdb_fail(cx, MDB_E_UNSUPPORTED,
		"the hypervisor compresses frame numbers (PDX), and how is not "
		"known: pfn_pdx_bottom_mask, pfn_top_mask");
}

bool
xpv_pdx_of_mfn(const struct xpv_frames *f, uint64_t mfn, uint64_t *pdx_out)
{
	uint64_t pdx = mfn;

	if (f->compressed) {
		if ((mfn & ~(f->bottom_mask | f->top_mask)) != 0)
			return false;
		pdx = (mfn & f->bottom_mask) |
		      (mfn & f->top_mask) >> f->hole_shift;
	}
	if (pdx >= f->nr_pdx)
		return false;
	*pdx_out = pdx;
	return true;
}

uint64_t
xpv_mfn_of_pdx(const struct xpv_frames *f, uint64_t pdx)
{
	if (!f->compressed)
		return pdx;
	return (pdx & f->bottom_mask) | (pdx << f->hole_shift & f->top_mask);
}

static void
extent_get(struct mdb_ctx *cx, struct xpv_frames *f)
{
	uint64_t limit = (f->direct - f->table) / f->page_len;

	if (xpv_var_uint(cx, f->world, "max_pdx", 8, &f->nr_pdx) == MDB_OK &&
		f->nr_pdx > 0 && f->nr_pdx <= limit) {
		f->nr_exact = true;
		return;
	}
	mdb_forget(cx);
	if (xpv_var_uint(cx, f->world, "max_page", 8, &f->nr_pdx) == MDB_OK &&
		f->nr_pdx > 0 && f->nr_pdx <= limit) {
		f->nr_exact = true;
		return;
	}
	mdb_forget(cx);
	f->nr_pdx = mapped_end(cx, f);
}

/* ---- proof ---------------------------------------------------------------
 */

struct proof {
	const struct xpv_frames *frames;
	unsigned int right, wrong;
};

/*
 * The page that the domain shares is the domain's, of the Xen heap, allocated,
 * and its type validated (xen/arch/x86/mm.c: share_xen_page_with_guest): owner,
 * count_info and type_info are where they are thought to be.
 */
static enum mdb_status
shares_own_page(struct mdb_ctx *cx, struct mdb_loc domain, void *arg)
{
	struct proof *proof = arg;
	const struct xpv_frames *f = proof->frames;
	uint64_t shared = 0;
	struct xpv_page p;

	if (xpv_member(cx, domain, "struct domain", "shared_info\0", &shared) !=
			MDB_OK ||
		shared < f->direct || shared >= XPV_HYPERVISOR_END ||
		xpv_page_read(cx, f, (shared - f->direct) >> XPV_PAGE_SHIFT,
			&p) != MDB_OK) {
		mdb_forget(cx);
		return MDB_OK;
	}
	if (p.owner == domain.addr &&
		(p.count_info & (PGC_ALLOCATED | PGC_XEN_HEAP)) ==
			(PGC_ALLOCATED | PGC_XEN_HEAP) &&
		(p.type_info & PGT_VALIDATED) != 0)
		proof->right++;
	else
		proof->wrong++;
	return proof->right + proof->wrong < 8 ? MDB_OK : MDB_DONE;
}

/* Where no shared page tells, the types must. */
static bool
types_tell(struct mdb_ctx *cx, struct mdb_world *world)
{
	static const char *const names[] = { "list\0", "count_info\0",
		"u.inuse.type_info\0", "v.inuse._domain\0", "v.free.order\0" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (xpv_member_trust(cx, world, "struct page_info", names[i]) >
			MDB_TRUST_PROVEN)
			return false;
	return true;
}

static enum mdb_status
prove(struct mdb_ctx *cx, const struct xpv_frames *f)
{
	struct proof proof = { .frames = f };
	enum mdb_status st =
		xpv_each_domain(cx, f->world, shares_own_page, &proof);

	if (st == MDB_E_INTERRUPTED)
		return st;
	mdb_forget(cx);
	if (proof.right > 0)
		return MDB_OK;
	if (proof.wrong == 0 && types_tell(cx, f->world))
		return MDB_OK;
	if (proof.wrong == 0)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"how struct page_info is laid out in this hypervisor "
			"is not known: the types are of another build");
	return mdb_fail(cx, MDB_E_CORRUPT,
		"the frame table at %" PRIx64
		" does not give any domain the page that it shares",
		f->table);
}

static enum mdb_status
frames_find(struct mdb_ctx *cx, struct mdb_world *world, struct xpv_frames *f)
{
	enum mdb_status st;

	*f = (struct xpv_frames){ .world = world };
	if (mdb_world_word(world) != 8)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"only the frame table of a 64-bit hypervisor is known");
	st = layout_get(cx, f);
	if (st != MDB_OK)
		return st;
	places_get(f);
	extent_get(cx, f);
	if (f->nr_pdx == 0)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"the frame table at %" PRIx64 " is not mapped",
			f->table);
	f->flags = flags_of(cx, world);
	st = compression_get(cx, f);
	return st == MDB_OK ? prove(cx, f) : st;
}

enum mdb_status
xpv_frames_get(struct mdb_ctx *cx, struct mdb_world *world,
	struct xpv_frames *frames_out)
{
	struct xpv_state *s = xpv_state(cx, world);
	enum mdb_status st = MDB_OK;

	if (!s->frames_found)
		st = frames_find(cx, world, &s->frames);
	if (st != MDB_OK)
		return st;
	s->frames_found = true;
	*frames_out = s->frames;
	return MDB_OK;
}
