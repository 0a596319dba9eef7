/* SPDX-License-Identifier: MIT */
/*
 * Entries of the frame table: what a struct page_info says, in words, and
 * which one is meant.
 */
#include "frame.h"

#include <inttypes.h>

#define PGC_ALLOCATED (1ull << 63)
#define PGC_XEN_HEAP (1ull << 62)

/* ---- a page --------------------------------------------------------------
 */

static uint64_t
little(const uint8_t *p, size_t len)
{
	uint64_t v = 0;

	while (len-- > 0)
		v = v << 8 | p[len];
	return v;
}

void
xpv_page_decode(const struct xpv_frames *f, uint64_t pdx, const void *raw,
	struct xpv_page *page_out)
{
	const uint8_t *b = raw;
	uint64_t owner = little(b + f->owner_off, f->owner_len);
	uint64_t count = little(b + f->count_off, 8);

	/* The first page of what xmalloc took whole has its length there
	 * (common/xmalloc_tlsf.c: PFN_ORDER); those that a domain shares are
	 * allocated to it. */
	if ((count & PGC_XEN_HEAP) != 0 && (count & PGC_ALLOCATED) == 0)
		owner = 0;
	*page_out = (struct xpv_page){
		.mfn = xpv_mfn_of_pdx(f, pdx),
		.pdx = pdx,
		.addr = f->table + pdx * f->page_len,
		.count_info = count,
		.type_info = little(b + f->type_off, 8),
		.owner = owner == 0 ? 0 : f->direct + (owner << XPV_PAGE_SHIFT),
		.next = little(b + f->list_off, f->link_len),
		.prev = little(b + f->list_off + f->link_len, f->link_len),
		.order = (uint32_t)little(b + f->order_off, 4),
	};
}

enum mdb_status
xpv_page_read(struct mdb_ctx *cx, const struct xpv_frames *f, uint64_t pdx,
	struct xpv_page *page_out)
{
	mdb_addr_t at = f->table + pdx * f->page_len;
	uint8_t raw[256];
	enum mdb_status st;

	if (pdx >= f->nr_pdx)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"frame %" PRIx64 " is beyond the last, %" PRIx64,
			xpv_mfn_of_pdx(f, pdx),
			xpv_mfn_of_pdx(f, f->nr_pdx - 1));
	st = mdb_read(cx, mdb_kernel_loc(f->world, at), raw, f->page_len);
	if (st != MDB_OK)
		return mdb_context(cx, st, "struct page_info of frame %" PRIx64,
			xpv_mfn_of_pdx(f, pdx));
	xpv_page_decode(f, pdx, raw, page_out);
	return MDB_OK;
}

enum xpv_page_state
xpv_page_state(const struct xpv_frames *f, const struct xpv_page *p)
{
	return f->flags == NULL
		       ? XPV_INUSE
		       : (enum xpv_page_state)(
				 p->count_info >> f->flags->state_shift & 3);
}

uint64_t
xpv_page_refs(const struct xpv_frames *f, const struct xpv_page *p)
{
	unsigned int bits = f->flags == NULL ? 54 : f->flags->count_bits;

	return p->count_info & ((1ull << bits) - 1);
}

bool
xpv_page_is_xenheap(const struct xpv_page *p)
{
	return (p->count_info & PGC_XEN_HEAP) != 0;
}

unsigned int
xpv_page_type(const struct xpv_page *p)
{
	return (unsigned int)(p->type_info >> 61);
}

uint64_t
xpv_page_type_refs(const struct xpv_page *p)
{
	return p->type_info & ((1ull << 55) - 1);
}

const char *
xpv_page_type_name(unsigned int type)
{
	static const char *const names[XPV_NR_PAGE_TYPES] = { "none", "l1",
		"l2", "l3", "l4", "segdesc", "shared", "writable" };

	return type < XPV_NR_PAGE_TYPES ? names[type] : "?";
}

const char *
xpv_page_state_name(enum xpv_page_state state)
{
	static const char *const names[] = { "inuse", "offlining", "offlined",
		"free" };

	return names[state & 3];
}

const char *
xpv_page_count_flags(struct mdb_ctx *cx, const struct xpv_frames *f,
	const struct xpv_page *p)
{
	const struct xpv_pgc *g = f->flags;
	uint64_t info = p->count_info;
	bool is_free = g != NULL && xpv_page_state(f, p) == XPV_FREE;

	if (g == NULL)
		return "(not known of this version)";

	struct xpv_bit bits[] = {
		{ is_free ? g->need_scrub : PGC_ALLOCATED,
			is_free ? "need-scrub" : "allocated" },
		{ PGC_XEN_HEAP, "xen-heap" },
		{ g->broken, "broken" },
		{ g->extra, "extra" },
		{ g->page_table != 0 ? g->page_table : g->shadowed,
			g->page_table != 0 ? "page-table" : "shadowed-pt" },
		{ 0, NULL },
	};
	return xpv_words(cx, bits, info);
}

const char *
xpv_page_type_flags(struct mdb_ctx *cx, const struct xpv_page *p)
{
	static const struct xpv_bit bits[] = {
		{ 1ull << 60, "locked" },
		{ 1ull << 59, "pinned" },
		{ 1ull << 58, "validated" },
		{ 1ull << 57, "pae-xen-l2" },
		{ 1ull << 56, "partial" },
		{ 1ull << 55, "non-coherent" },
		{ 0, NULL },
	};

	return xpv_words(cx, bits, p->type_info);
}

/* ---- which frame ---------------------------------------------------------
 */

static enum mdb_status
frame_mapped(struct mdb_ctx *cx, const struct xpv_frames *f, struct mdb_loc loc,
	uint64_t *pdx_out)
{
	struct mdb_vtop v;
	enum mdb_status st = mdb_vtop(cx, loc, &v);

	if (st != MDB_OK)
		return st;
	if (!xpv_pdx_of_mfn(f, v.paddr >> XPV_PAGE_SHIFT, pdx_out))
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"machine address %" PRIx64
			" is of no frame in the frame table",
			v.paddr);
	return MDB_OK;
}

enum mdb_status
xpv_frame_meant(struct mdb_ctx *cx, const struct xpv_frames *f,
	struct mdb_loc loc, uint64_t *pdx_out)
{
	mdb_addr_t addr = loc.addr;

	if (addr >= f->table && addr < f->table + f->nr_pdx * f->page_len) {
		*pdx_out = (addr - f->table) / f->page_len;
		return MDB_OK;
	}
	if (addr >= f->direct && addr < XPV_HYPERVISOR_END) {
		*pdx_out = (addr - f->direct) >> XPV_PAGE_SHIFT;
		if (*pdx_out < f->nr_pdx)
			return MDB_OK;
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"%" PRIx64 " is beyond the last frame", addr);
	}
	if (addr >= XPV_RO_MPT && addr < XPV_HYPERVISOR_END)
		return frame_mapped(cx, f, mdb_kernel_loc(f->world, addr),
			pdx_out);
	if (addr >= XPV_HYPERVISOR_END)
		return frame_mapped(cx, f, loc, pdx_out);
	if (xpv_pdx_of_mfn(f, addr, pdx_out))
		return MDB_OK;
	if (xpv_pdx_of_mfn(f, addr >> XPV_PAGE_SHIFT, pdx_out)) {
		mdb_warn(cx, MDB_OK,
			"%" PRIx64 " is beyond the last frame: taken for a "
			"machine address",
			addr);
		return MDB_OK;
	}
	return mdb_fail(cx, MDB_E_NOTFOUND,
		"%" PRIx64 " is no frame and no machine address: the last "
		"frame is %" PRIx64,
		addr, xpv_mfn_of_pdx(f, f->nr_pdx - 1));
}

/* A frame inside a block may still say the order of a smaller one that it once
 * headed: the largest block is the true one. */
bool
xpv_free_block(struct mdb_ctx *cx, const struct xpv_frames *f, uint64_t pdx,
	struct xpv_page *head_out)
{
	bool found = false;

	for (unsigned int order = 0; order <= XPV_MAX_ORDER; order++) {
		uint64_t head = pdx & ~((1ull << order) - 1);
		struct xpv_page p;

		if (xpv_page_read(cx, f, head, &p) != MDB_OK) {
			mdb_forget(cx);
			break;
		}
		if (xpv_page_state(f, &p) != XPV_FREE)
			break;
		if (p.order <= XPV_MAX_ORDER && p.order >= order) {
			*head_out = p;
			found = true;
		}
	}
	return found;
}

/* ---- all of them ---------------------------------------------------------
 */

#define CHUNK_LEN 65536u

struct all {
	const struct xpv_frames *frames;
	xpv_page_fn *fn;
	void *arg;
	uint8_t *raw; /* a chunk */
};

/* So many entries at once; MDB_E_UNMAPPED and its like: not all are there. */
static enum mdb_status
each_in(struct mdb_ctx *cx, const struct all *a, uint64_t first, uint64_t count,
	bool *read_out)
{
	const struct xpv_frames *f = a->frames;
	mdb_addr_t at = f->table + first * f->page_len;
	enum mdb_status st = mdb_read(cx, mdb_kernel_loc(f->world, at), a->raw,
		count * f->page_len);

	*read_out = st == MDB_OK;
	if (st != MDB_OK) {
		mdb_forget(cx);
		return MDB_OK;
	}
	for (uint64_t i = 0; i < count && st == MDB_OK; i++) {
		struct xpv_page p;

		xpv_page_decode(f, first + i, a->raw + i * f->page_len, &p);
		st = a->fn(cx, &p, a->arg);
	}
	return st;
}

/* A chunk that cannot be read as a whole is read by its pages. */
static enum mdb_status
each_of_chunk(struct mdb_ctx *cx, const struct all *a, uint64_t first,
	uint64_t count)
{
	uint64_t step = XPV_PAGE_LEN / a->frames->page_len;
	bool read = false;
	enum mdb_status st = each_in(cx, a, first, count, &read);

	for (uint64_t i = 0; i < count && st == MDB_OK && !read; i += step) {
		uint64_t n = count - i < step ? count - i : step;
		bool unused;

		st = each_in(cx, a, first + i, n, &unused);
	}
	return st;
}

enum mdb_status
xpv_each_page(struct mdb_ctx *cx, const struct xpv_frames *f, xpv_page_fn *fn,
	void *arg)
{
	struct all a = { f, fn, arg, mdb_tmp(cx, CHUNK_LEN) };
	uint64_t step = CHUNK_LEN / f->page_len;
	enum mdb_status st = MDB_OK;

	for (uint64_t pdx = 0; pdx < f->nr_pdx && st == MDB_OK; pdx += step) {
		uint64_t n = f->nr_pdx - pdx < step ? f->nr_pdx - pdx : step;

		st = mdb_check_interrupt(cx);
		if (st == MDB_OK)
			st = each_of_chunk(cx, &a, pdx, n);
	}
	return st == MDB_DONE ? MDB_OK : st;
}
