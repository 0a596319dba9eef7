/* SPDX-License-Identifier: MIT */
/*
 * ::xenheap: the free memory of the machine, by node, zone and order.
 *
 * Zone N holds frames below 2^N (bits of the frame number; zone 0 is the Xen
 * heap where that is apart), order N blocks of 2^N frames
 * (xen/common/page_alloc.c: _heap, avail).  Each list is walked, and what it
 * holds is held against the hypervisor's own counters.
 */
#include "heap.h"
#include "frame.h"

#include <inttypes.h>

#define MAX_NODES 64u
#define MAX_ZONES 64u
#define MAX_ORDERS 32u

static const struct mdb_column zone_columns[] = {
	{ "node", "NODE", 4, 0, 0, "NUMA node, decimal" },
	{ "zone", "ZONE", 4, 0, 0, "bits of the frame numbers in it, decimal" },
	{ "below", "BELOW", 8, 0, 0, "memory below that address" },
	{ "frames", "FRAMES", 10, 0, 0, "free frames on its lists" },
	{ "counter", "COUNTER", 10, 0, 0, "what the hypervisor counts" },
	{ "bytes", "SIZE", 8, 0, 0, "what they hold" },
	{ "blocks", "ORDERS", 0, MDB_COL_LEFT, 0,
		"order:blocks, of the orders that have any; what is wrong" },
	{ NULL },
};

const struct mdb_table xpv_heap_table = { .name = "zones",
	.columns = zone_columns };

static const struct mdb_column block_columns[] = {
	{ "node", "NODE", 4, 0, 0, "NUMA node, decimal" },
	{ "zone", "ZONE", 4, 0, 0, "bits of the frame numbers, decimal" },
	{ "order", "ORDER", 5, 0, 0, "of the block" },
	{ "page", "PAGE", MDB_WIDTH_ADDR,
		MDB_COL_LEFT | MDB_COL_PIPE | MDB_COL_ZERO, 0,
		"struct page_info of its first frame" },
	{ "mfn", "MFN", 10, 0, 0, "its first frame, hex" },
	{ "last", "LAST", 10, 0, 0, "its last one, hex" },
	{ "flags", "FLAGS", 0, MDB_COL_LEFT, 0, "need-scrub, and other words" },
	{ NULL },
};

static const struct mdb_table block_table = { .name = "blocks",
	.columns = block_columns };

const struct mdb_option xpv_heap_options[] = {
	{ 'v', MDB_OPT_FLAG, NULL, "each free block" },
	{ 0 },
};

const struct mdb_example xpv_heap_examples[] = {
	{ "::xenheap", "free memory by node and zone" },
	{ "::xenheap -v | ::head 3", "the first free blocks" },
	{ NULL },
};

struct heap {
	struct xpv_frames frames;
	uint64_t nr_zones, nr_orders, head_len, tail_off;
	struct mdb_loc lists, counters; /* arrays by node of pointers */
	uint64_t nr_nodes;
	bool blocks; /* -v */
	bool has_counters;
	uint64_t total;
	enum mdb_status lost; /* of any list */
	bool wrong;	      /* is any list */
};

/* What one list holds. */
struct found {
	uint64_t blocks, frames;
	const char *wrong; /* or NULL */
};

/* ---- layout --------------------------------------------------------------
 */

static enum mdb_status
layout_get(struct mdb_ctx *cx, struct heap *h)
{
	struct mdb_world *w = h->frames.world;
	struct mdb_type t, inner;
	enum mdb_status st =
		mdb_type_by_name(cx, w, "heap_by_zone_and_order_t", &t);

	if (st == MDB_OK)
		st = xpv_type_len(cx, w, "struct page_list_head", &h->head_len);
	if (st == MDB_OK)
		st = mdb_offset_of(cx, w, "struct page_list_head", "tail\0",
			&h->tail_off);
	if (st != MDB_OK)
		return st;
	t = mdb_type_resolve(t);
	inner = mdb_type_resolve(mdb_type_target(t));
	h->nr_zones = mdb_type_array_count(t);
	h->nr_orders = mdb_type_array_count(inner);
	/* A dimension may be in one type: [41][19] as 41 arrays or as one. */
	if (h->nr_zones == 0 || h->nr_zones > MAX_ZONES || h->nr_orders == 0 ||
		h->nr_orders > MAX_ORDERS || h->head_len < 16 ||
		h->head_len > 64)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"a heap of %" PRIu64 " zones and %" PRIu64
			" orders is not known",
			h->nr_zones, h->nr_orders);
	return MDB_OK;
}

static enum mdb_status
heap_get(struct mdb_ctx *cx, struct heap *h)
{
	struct mdb_world *w;
	struct mdb_sym sym;
	enum mdb_status st = xpv_world(cx, &w);

	if (st == MDB_OK)
		st = xpv_frames_get(cx, w, &h->frames);
	if (st == MDB_OK)
		st = layout_get(cx, h);
	if (st == MDB_OK)
		st = mdb_sym_by_name(cx, w, "_heap", &sym);
	if (st != MDB_OK)
		return mdb_context(cx, st, "the heap");
	h->lists = mdb_kernel_loc(w, sym.value);
	h->nr_nodes =
		sym.size_exact && sym.size >= 8 ? sym.size / 8 : MAX_NODES;
	if (h->nr_nodes > MAX_NODES)
		h->nr_nodes = MAX_NODES;
	h->has_counters = mdb_sym_loc(cx, w, "avail", &h->counters) == MDB_OK &&
			  h->counters.world == w;
	mdb_forget(cx);
	if (h->frames.flags == NULL)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"how a free frame looks is not known of this version "
			"of the hypervisor");
	return MDB_OK;
}

/* ---- a list --------------------------------------------------------------
 */

/* Which list. */
struct place {
	uint64_t node, zone, order;
	mdb_addr_t head;
};

static enum mdb_status
block_row(struct mdb_ctx *cx, const struct heap *h, const struct place *at,
	const struct xpv_page *p)
{
	struct mdb_value v[] = {
		mdb_v_uint(at->node),
		mdb_v_uint(at->zone),
		mdb_v_uint(p->order),
		mdb_v_addr(mdb_kernel_loc(h->frames.world, p->addr)),
		mdb_v_hex(p->mfn),
		mdb_v_hex(p->mfn + (1ull << p->order) - 1),
		mdb_v_text(xpv_page_count_flags(cx, &h->frames, p)),
	};

	return mdb_row(cx, &block_table, v);
}

/* The pdx of an entry of the frame table; false: it is none. */
static bool
pdx_of_entry(const struct xpv_frames *f, mdb_addr_t addr, uint64_t *pdx_out)
{
	if (addr < f->table || (addr - f->table) % f->page_len != 0 ||
		(addr - f->table) / f->page_len >= f->nr_pdx)
		return false;
	*pdx_out = (addr - f->table) / f->page_len;
	return true;
}

/* Why a page cannot be a free block of this list; NULL: it can. */
static const char *
misplaced(struct mdb_ctx *cx, const struct heap *h, const struct xpv_page *p,
	uint64_t order)
{
	if (xpv_page_state(&h->frames, p) != XPV_FREE &&
		xpv_page_state(&h->frames, p) != XPV_OFFLINED)
		return mdb_tmp_printf(cx, "frame %" PRIx64 " is not free",
			p->mfn);
	if (p->order != order)
		return mdb_tmp_printf(cx, "frame %" PRIx64 " is of order %u",
			p->mfn, p->order);
	return NULL;
}

/*
 * page_list_head has pointers, page_list_entry the pdx of its neighbours, all
 * ones where there is none (xen/mm.h).  The list ends at its tail; more blocks
 * than the machine has frames are a cycle.
 */
static enum mdb_status
list_walk(struct mdb_ctx *cx, const struct heap *h, const struct place *at,
	struct found *found)
{
	const struct xpv_frames *f = &h->frames;
	uint64_t limit = f->nr_pdx >> at->order, pdx = 0, prev = UINT64_MAX;
	mdb_addr_t first = 0, tail = 0;
	struct mdb_loc loc = mdb_kernel_loc(f->world, at->head);
	enum mdb_status st = mdb_read_ptr(cx, loc, &first);

	if (st == MDB_OK)
		st = mdb_read_ptr(cx, mdb_at(loc, at->head + h->tail_off),
			&tail);
	if (st != MDB_OK || first == 0)
		return st;
	if (!pdx_of_entry(f, first, &pdx)) {
		found->wrong = "the list begins at no frame";
		return MDB_OK;
	}
	for (;;) {
		struct xpv_page p;

		st = mdb_check_interrupt(cx);
		if (st == MDB_OK)
			st = xpv_page_read(cx, f, pdx, &p);
		if (st != MDB_OK)
			return st;
		found->wrong = misplaced(cx, h, &p, at->order);
		if (found->wrong == NULL && prev != UINT64_MAX &&
			p.prev != prev)
			found->wrong = mdb_tmp_printf(cx,
				"frame %" PRIx64 " does not lead back", p.mfn);
		if (found->wrong == NULL && found->blocks > limit)
			found->wrong = "the list does not end";
		if (found->wrong != NULL)
			return MDB_OK;
		found->blocks++;
		found->frames += 1ull << at->order;
		if (h->blocks)
			st = block_row(cx, h, at, &p);
		if (st != MDB_OK || p.addr == tail)
			return st;
		prev = pdx;
		pdx = p.next;
	}
}

/* ---- a zone --------------------------------------------------------------
 */

static enum mdb_status
counter_read(struct mdb_ctx *cx, const struct heap *h, mdb_addr_t counters,
	uint64_t zone, struct mdb_value *out, uint64_t *value_out)
{
	enum mdb_status st;

	*out = mdb_v_none();
	if (!h->has_counters || counters == 0)
		return MDB_E_NOTFOUND;
	st = mdb_read_uint(cx, mdb_at(h->counters, counters + 8 * zone), 8,
		value_out);
	*out = st == MDB_OK ? mdb_v_uint(*value_out) : mdb_v_error(st);
	mdb_forget(cx);
	return st;
}

/* A sum over lists: none where one is lost, doubtful where one is wrong. */
static struct mdb_value
summed(struct mdb_value v, enum mdb_status lost, bool wrong)
{
	if (lost != MDB_OK)
		return mdb_v_error(lost);
	return wrong ? mdb_v_unproven(v) : v;
}

static enum mdb_status
zone_row(struct mdb_ctx *cx, struct heap *h, uint64_t node, uint64_t zone,
	mdb_addr_t lists, mdb_addr_t counters)
{
	uint64_t frames = 0, counter = 0;
	struct mdb_value count;
	const char *text = "";
	enum mdb_status st = MDB_OK, counted, lost = MDB_OK;
	bool wrong = false;

	for (uint64_t order = 0; order < h->nr_orders; order++) {
		struct found f = { 0 };
		struct place at = { node, zone, order,
			lists + (zone * h->nr_orders + order) * h->head_len };

		st = list_walk(cx, h, &at, &f);
		if (mdb_is_fault(st)) {
			f.wrong = mdb_status_name(st);
			lost = st;
			mdb_forget(cx);
			st = MDB_OK;
		}
		if (st != MDB_OK)
			return st;
		frames += f.frames;
		wrong = wrong || f.wrong != NULL;
		if (f.blocks != 0 || f.wrong != NULL)
			text = mdb_tmp_printf(cx,
				"%s%s%" PRIu64 ":%" PRIu64 "%s%s%s", text,
				*text != '\0' ? " " : "", order, f.blocks,
				f.wrong != NULL ? " (" : "",
				f.wrong != NULL ? f.wrong : "",
				f.wrong != NULL ? ")" : "");
	}
	counted = counter_read(cx, h, counters, zone, &count, &counter);
	h->total += frames;
	h->lost = lost != MDB_OK ? lost : h->lost;
	h->wrong = h->wrong || wrong;
	if (counted == MDB_OK && counter != frames && lost == MDB_OK)
		text = mdb_tmp_printf(cx, "%s (not what is counted)", text);
	if (h->blocks || (frames == 0 && counter == 0 && *text == '\0'))
		return MDB_OK;
	struct mdb_value v[] = {
		mdb_v_uint(node),
		mdb_v_uint(zone),
		mdb_v_bytes(1ull << (zone + XPV_PAGE_SHIFT)),
		summed(mdb_v_uint(frames), lost, wrong),
		count,
		summed(mdb_v_bytes(frames << XPV_PAGE_SHIFT), lost, wrong),
		mdb_v_text(text),
	};

	return mdb_row(cx, &xpv_heap_table, v);
}

static enum mdb_status
node_rows(struct mdb_ctx *cx, struct heap *h, uint64_t node)
{
	mdb_addr_t lists = 0, counters = 0;
	enum mdb_status st = mdb_read_ptr(cx,
		mdb_at(h->lists, h->lists.addr + 8 * node), &lists);

	if (st != MDB_OK || lists == 0)
		return st;
	if (h->has_counters &&
		mdb_read_ptr(cx,
			mdb_at(h->counters, h->counters.addr + 8 * node),
			&counters) != MDB_OK)
		mdb_forget(cx);
	for (uint64_t zone = 0; zone < h->nr_zones && st == MDB_OK; zone++)
		st = zone_row(cx, h, node, zone, lists, counters);
	return st;
}

/* The whole, against the hypervisor's sum of all. */
static enum mdb_status
total_row(struct mdb_ctx *cx, const struct heap *h)
{
	uint64_t counter = 0, claims = 0;
	const char *text = "";
	struct mdb_world *w = h->frames.world;
	bool known =
		xpv_var_uint(cx, w, "total_avail_pages", 8, &counter) == MDB_OK;

	mdb_forget(cx);
	if (xpv_var_uint(cx, w, "outstanding_claims", 8, &claims) == MDB_OK &&
		claims != 0)
		text = mdb_tmp_printf(cx, "%" PRIu64 " of them are claimed",
			claims);
	mdb_forget(cx);
	if (known && counter != h->total && h->lost == MDB_OK)
		text = mdb_tmp_printf(cx, "%s (not what is counted)", text);
	struct mdb_value v[] = {
		mdb_v_text("all"),
		mdb_v_none(),
		mdb_v_none(),
		summed(mdb_v_uint(h->total), h->lost, h->wrong),
		known ? mdb_v_uint(counter) : mdb_v_none(),
		summed(mdb_v_bytes(h->total << XPV_PAGE_SHIFT), h->lost,
			h->wrong),
		mdb_v_text(text),
	};

	return mdb_row(cx, &xpv_heap_table, v);
}

enum mdb_status
xpv_xenheap(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct heap *h = mdb_tmp(cx, sizeof(*h));
	enum mdb_status st = heap_get(cx, h);

	h->blocks = mdb_opt(call, 'v');
	for (uint64_t node = 0; node < h->nr_nodes && st == MDB_OK; node++)
		st = node_rows(cx, h, node);
	return st == MDB_OK && !h->blocks ? total_row(cx, h) : st;
}
