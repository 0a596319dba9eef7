/* SPDX-License-Identifier: MIT */
/*
 * Frames of the machine: ::xenpage, and the walker xenpage.
 */
#include "frame.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct mdb_column page_columns[] = {
	{ "page", "PAGE", MDB_WIDTH_ADDR,
		MDB_COL_LEFT | MDB_COL_PIPE | MDB_COL_ZERO, 0,
		"its struct page_info" },
	{ "mfn", "MFN", 9, 0, 0, "number of the machine frame, hex" },
	{ "owner", "OWNER", 6, MDB_COL_LEFT, 0,
		"domain that it belongs to; ?: one that is not in the list" },
	{ "state", "STATE", 9, MDB_COL_LEFT, 0,
		"inuse, offlining, offlined, free" },
	{ "refs", "REFS", 5, 0, 0, "references to it" },
	{ "type", "TYPE", 8, MDB_COL_LEFT, 0,
		"none, l1 to l4 (page tables), segdesc, shared, writable; of a "
		"free block its order" },
	{ "type_refs", "TREFS", 5, 0, 0, "uses as that type" },
	{ "count_info", "COUNT_INFO", 16, MDB_COL_JSON_ONLY, 0, "as it is" },
	{ "type_info", "TYPE_INFO", 16, MDB_COL_JSON_ONLY, 0, "as it is" },
	{ "flags", "FLAGS", 0, MDB_COL_LEFT, 0,
		"PGC_ and PGT_ flags in words" },
	{ NULL },
};

const struct mdb_table xpv_page_table = { .name = "pages",
	.columns = page_columns };

const struct mdb_option xpv_page_options[] = {
	{ 'd', MDB_OPT_EXPR, "domid", "the frames of that domain" },
	{ 's', MDB_OPT_FLAG, NULL,
		"sums by owner and type over the whole frame table" },
	{ 'm', MDB_OPT_FLAG, NULL, "the address is a machine address" },
	{ 'v', MDB_OPT_FLAG, NULL, "all that is known of the frame" },
	{ 0 },
};

const struct mdb_example xpv_page_examples[] = {
	{ "2fdb4::xenpage", "the machine frame 2fdb4" },
	{ "ffff83002fdb4000::xenpage -v", "the frame there, with all details" },
	{ "::xenpage -s", "who has how many frames, of which type" },
	{ "::xenpage -d 0 | ::head 3", "the first three frames of domain 0" },
	{ NULL },
};

/* "l1" "order 4" */
static const char *
type_text(struct mdb_ctx *cx, const struct xpv_frames *f,
	const struct xpv_page *p)
{
	struct xpv_page head;

	if (xpv_page_state(f, p) != XPV_FREE)
		return xpv_page_type_name(xpv_page_type(p));
	if (!xpv_free_block(cx, f, p->pdx, &head))
		return "?";
	return head.pdx == p->pdx ? mdb_tmp_printf(cx, "order %u", head.order)
				  : "(inner)";
}

/* A free frame has no owner and no type: other things are in their place. */
static enum mdb_status
page_row(struct mdb_ctx *cx, const struct xpv_frames *f,
	const struct xpv_page *p)
{
	bool used = xpv_page_state(f, p) != XPV_FREE;
	const char *words = xpv_page_count_flags(cx, f, p);

	if (used && *xpv_page_type_flags(cx, p) != '\0')
		words = mdb_tmp_printf(cx, "%s%s%s", words,
			*words == '\0' ? "" : " ", xpv_page_type_flags(cx, p));

	struct mdb_value v[] = {
		mdb_v_addr(mdb_kernel_loc(f->world, p->addr)),
		mdb_v_hex(p->mfn),
		used && p->owner != 0
			? mdb_v_cstr(xpv_owner_name(cx, f->world, p->owner))
			: mdb_v_none(),
		f->flags != NULL
			? mdb_v_text(xpv_page_state_name(xpv_page_state(f, p)))
			: mdb_v_none(),
		mdb_v_uint(xpv_page_refs(f, p)),
		mdb_v_text(type_text(cx, f, p)),
		used ? mdb_v_uint(xpv_page_type_refs(p)) : mdb_v_none(),
		mdb_v_hex(p->count_info),
		mdb_v_hex(p->type_info),
		mdb_v_text(words),
	};

	return mdb_row(cx, &xpv_page_table, v);
}

/* ---- -v ------------------------------------------------------------------
 */

static enum mdb_status
leaf_hex(struct mdb_ctx *cx, const char *name, uint64_t v)
{
	return xpv_leaf(cx, name, mdb_tmp_printf(cx, "%" PRIx64, v),
		mdb_v_hex(v));
}

static enum mdb_status
leaf_text(struct mdb_ctx *cx, const char *name, const char *text)
{
	return xpv_leaf(cx, name, text, mdb_v_text(text));
}

/* What the machine-to-guest table says of it. */
static enum mdb_status
leaf_m2p(struct mdb_ctx *cx, const struct xpv_frames *f, uint64_t mfn)
{
	uint64_t gfn = 0;
	enum mdb_status st = xpv_m2p_read(cx, f->world, mfn, &gfn);

	if (st != MDB_OK) {
		mdb_forget(cx);
		return xpv_leaf(cx, "gfn",
			mdb_tmp_printf(cx, "<%s>", mdb_status_name(st)),
			mdb_v_error(st));
	}
	if (xpv_m2p_name(gfn) != NULL)
		return leaf_text(cx, "gfn", xpv_m2p_name(gfn));
	return leaf_hex(cx, "gfn", gfn);
}

static enum mdb_status
tree_used(struct mdb_ctx *cx, const struct xpv_frames *f,
	const struct xpv_page *p)
{
	const char *owner =
		p->owner == 0 ? "none"
			      : mdb_tmp_printf(cx, "%s (%" PRIx64 ")",
					mdb_escape(cx,
						xpv_owner_name(cx, f->world,
							p->owner),
						strlen(xpv_owner_name(cx,
							f->world, p->owner))),
					p->owner);
	enum mdb_status st = leaf_text(cx, "owner", owner);

	if (st == MDB_OK)
		st = leaf_text(cx, "type",
			xpv_page_type_name(xpv_page_type(p)));
	if (st == MDB_OK)
		st = xpv_leaf(cx, "type_refs",
			mdb_tmp_printf(cx, "%" PRIu64, xpv_page_type_refs(p)),
			mdb_v_uint(xpv_page_type_refs(p)));
	if (st == MDB_OK)
		st = leaf_text(cx, "type_flags", xpv_page_type_flags(cx, p));
	if (st == MDB_OK)
		st = leaf_m2p(cx, f, p->mfn);
	return st;
}

static enum mdb_status
tree_free(struct mdb_ctx *cx, const struct xpv_frames *f,
	const struct xpv_page *p)
{
	struct xpv_page head;

	if (!xpv_free_block(cx, f, p->pdx, &head))
		return leaf_text(cx, "block", "not found");
	return leaf_text(cx, "block",
		mdb_tmp_printf(cx, "order %u, from frame %" PRIx64, head.order,
			head.mfn));
}

static enum mdb_status
page_tree(struct mdb_ctx *cx, const struct xpv_frames *f,
	const struct xpv_page *p)
{
	enum xpv_page_state state = xpv_page_state(f, p);
	enum mdb_status st = mdb_tree_open(cx, NULL, NULL, MDB_BRANCH_STRUCT);

	if (st == MDB_OK)
		st = leaf_hex(cx, "page", p->addr);
	if (st == MDB_OK)
		st = leaf_hex(cx, "mfn", p->mfn);
	if (st == MDB_OK)
		st = leaf_hex(cx, "machine", p->mfn << XPV_PAGE_SHIFT);
	if (st == MDB_OK)
		st = leaf_hex(cx, "direct_map",
			f->direct + (p->pdx << XPV_PAGE_SHIFT));
	if (st == MDB_OK)
		st = leaf_hex(cx, "count_info", p->count_info);
	if (st == MDB_OK)
		st = leaf_hex(cx, "type_info", p->type_info);
	if (st == MDB_OK && f->flags != NULL)
		st = leaf_text(cx, "state", xpv_page_state_name(state));
	if (st == MDB_OK)
		st = xpv_leaf(cx, "refs",
			mdb_tmp_printf(cx, "%" PRIu64, xpv_page_refs(f, p)),
			mdb_v_uint(xpv_page_refs(f, p)));
	if (st == MDB_OK)
		st = leaf_text(cx, "count_flags",
			xpv_page_count_flags(cx, f, p));
	if (st == MDB_OK)
		st = state == XPV_FREE ? tree_free(cx, f, p)
				       : tree_used(cx, f, p);
	return st == MDB_OK ? mdb_tree_close(cx) : st;
}

/* ---- -s ------------------------------------------------------------------
 */

static const struct mdb_column sum_columns[] = {
	{ "owner", "OWNER", 6, MDB_COL_LEFT, 0,
		"domain; -: nobody (the hypervisor's own, or free)" },
	{ "type", "TYPE", 10, MDB_COL_LEFT, 0,
		"type in use; xen-heap; free; total" },
	{ "frames", "FRAMES", 10, 0, 0, "how many" },
	{ "bytes", "SIZE", 8, 0, 0, "what they hold" },
	{ NULL },
};

static const struct mdb_table sum_table = { .name = "sums",
	.columns = sum_columns };

/* What is counted apart from the types of pages in use. */
enum {
	SUM_XENHEAP = XPV_NR_PAGE_TYPES,
	SUM_FREE,
	SUM_OFFLINE,
	SUM_NEVER, /* count_info and type_info 0: nobody took it */
	NR_SUMS
};

struct sum {
	mdb_addr_t owner;
	uint64_t frames[NR_SUMS];
};

#define MAX_OWNERS 4096u

struct sums {
	const struct xpv_frames *frames;
	bool selected;
	mdb_addr_t only;
	struct sum *sums, *last;
	size_t count;
	uint64_t read, others; /* others: owners beyond MAX_OWNERS */
};

static struct sum *
sum_of(struct sums *s, mdb_addr_t owner)
{
	if (s->last != NULL && s->last->owner == owner)
		return s->last;
	for (size_t i = 0; i < s->count; i++)
		if (s->sums[i].owner == owner)
			return s->last = &s->sums[i];
	if (s->count == MAX_OWNERS)
		return NULL;
	s->sums[s->count].owner = owner;
	return s->last = &s->sums[s->count++];
}

static enum mdb_status
sum_add(struct mdb_ctx *cx, const struct xpv_page *p, void *arg)
{
	struct sums *s = arg;
	enum xpv_page_state state = xpv_page_state(s->frames, p);
	mdb_addr_t owner = state == XPV_FREE ? 0 : p->owner;
	struct sum *sum;
	unsigned int kind;

	(void)cx;
	s->read++;
	if (s->selected && owner != s->only)
		return MDB_OK;
	kind = state == XPV_FREE	? (unsigned int)SUM_FREE
	       : state == XPV_OFFLINED	? (unsigned int)SUM_OFFLINE
	       : xpv_page_is_xenheap(p) ? (unsigned int)SUM_XENHEAP
	       : owner == 0 && p->count_info == 0 && p->type_info == 0
		       ? (unsigned int)SUM_NEVER
		       : xpv_page_type(p);
	sum = sum_of(s, owner);
	if (sum != NULL)
		sum->frames[kind]++;
	else
		s->others++;
	return MDB_OK;
}

static enum mdb_status
sum_row(struct mdb_ctx *cx, struct mdb_value owner, const char *type,
	uint64_t frames)
{
	struct mdb_value v[] = {
		owner,
		mdb_v_text(type),
		mdb_v_uint(frames),
		mdb_v_bytes(frames << XPV_PAGE_SHIFT),
	};

	return mdb_row(cx, &sum_table, v);
}

static const char *
sum_name(unsigned int kind)
{
	switch (kind) {
	case SUM_XENHEAP:
		return "xen-heap";
	case SUM_FREE:
		return "free";
	case SUM_OFFLINE:
		return "offlined";
	case SUM_NEVER:
		return "unused";
	default:
		return xpv_page_type_name(kind);
	}
}

static enum mdb_status
sum_rows(struct mdb_ctx *cx, const struct sums *s, const struct sum *sum)
{
	struct mdb_value owner =
		sum->owner == 0 ? mdb_v_none()
				: mdb_v_cstr(xpv_owner_name(cx,
					  s->frames->world, sum->owner));
	uint64_t total = 0;
	enum mdb_status st = MDB_OK;

	for (unsigned int i = 0; i < NR_SUMS && st == MDB_OK; i++) {
		total += sum->frames[i];
		if (sum->frames[i] != 0)
			st = sum_row(cx, owner, sum_name(i), sum->frames[i]);
	}
	return st == MDB_OK ? sum_row(cx, owner, "total", total) : st;
}

/* A domain counts its frames itself; those of the Xen heap apart. */
static void
sum_check(struct mdb_ctx *cx, const struct sums *s, const struct sum *sum)
{
	struct mdb_loc domain = mdb_kernel_loc(s->frames->world, sum->owner);
	uint64_t frames = 0, counted = 0, id = 0;

	for (unsigned int i = 0; i < NR_SUMS; i++)
		frames += i == SUM_XENHEAP ? 0 : sum->frames[i];
	if (sum->owner == 0 || xpv_domid_of(cx, domain, &id) != MDB_OK ||
		id >= XPV_DOMID_FIRST_RESERVED ||
		xpv_member(cx, domain, "struct domain", "tot_pages\0",
			&counted) != MDB_OK) {
		mdb_forget(cx);
		return;
	}
	if (counted != frames)
		mdb_warn(cx, MDB_OK,
			"%s itself counts %" PRIu64 " frames, not %" PRIu64,
			xpv_owner_name(cx, s->frames->world, sum->owner),
			counted, frames);
}

static int
by_owner(const void *a, const void *b)
{
	const struct sum *x = a, *y = b;

	return x->owner < y->owner ? -1 : x->owner > y->owner;
}

static enum mdb_status
sums_print(struct mdb_ctx *cx, struct sums *s)
{
	enum mdb_status st;

	s->sums = mdb_tmp(cx, MAX_OWNERS * sizeof(*s->sums));
	if (s->frames->flags == NULL)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"which frames are free is not known of this version of "
			"the hypervisor");
	st = xpv_each_page(cx, s->frames, sum_add, s);
	if (st != MDB_OK)
		return st;
	qsort(s->sums, s->count, sizeof(*s->sums), by_owner);
	for (size_t i = 0; i < s->count && st == MDB_OK; i++)
		st = sum_rows(cx, s, &s->sums[i]);
	for (size_t i = 0; i < s->count && st == MDB_OK; i++)
		sum_check(cx, s, &s->sums[i]);
	if (st == MDB_OK && !s->selected)
		st = sum_row(cx, mdb_v_text("all"), "total", s->read);
	if (s->others != 0)
		mdb_warn(cx, MDB_OK, "%" PRIu64 " frames are of still others",
			s->others);
	if (!s->frames->nr_exact)
		mdb_warn(cx, MDB_OK,
			"how many frames the machine has is not known: all "
			"that the frame table has entries for are counted");
	if (s->read != s->frames->nr_pdx)
		mdb_warn(cx, MDB_OK,
			"%" PRIu64 " of %" PRIu64
			" entries of the frame table are not there",
			s->frames->nr_pdx - s->read, s->frames->nr_pdx);
	return st;
}

/* ---- ::xenpage -----------------------------------------------------------
 */

static enum mdb_status
owned_row(struct mdb_ctx *cx, const struct xpv_page *p, void *arg)
{
	const struct sums *s = arg;

	if (xpv_page_state(s->frames, p) == XPV_FREE || p->owner != s->only)
		return MDB_OK;
	return page_row(cx, s->frames, p);
}

static enum mdb_status
one(struct mdb_ctx *cx, const struct xpv_frames *f, const struct mdb_call *call)
{
	struct xpv_page p;
	uint64_t pdx = 0;
	enum mdb_status st = MDB_OK;

	if (!mdb_opt(call, 'm'))
		st = xpv_frame_meant(cx, f, call->loc, &pdx);
	else if (!xpv_pdx_of_mfn(f, call->loc.addr >> XPV_PAGE_SHIFT, &pdx))
		st = mdb_fail(cx, MDB_E_NOTFOUND,
			"machine address %" PRIx64
			" is of no frame in the frame table",
			call->loc.addr);
	if (st == MDB_OK)
		st = xpv_page_read(cx, f, pdx, &p);
	if (st != MDB_OK)
		return st;
	return mdb_opt(call, 'v') ? page_tree(cx, f, &p) : page_row(cx, f, &p);
}

enum mdb_status
xpv_xenpage(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_world *world;
	struct mdb_loc domain = { 0 };
	struct xpv_frames f;
	struct sums s = { .frames = &f };
	enum mdb_status st = xpv_world(cx, &world);

	if (st == MDB_OK)
		st = xpv_frames_get(cx, world, &f);
	if (st == MDB_OK && mdb_opt(call, 'd')) {
		st = xpv_domain_any(cx, world, mdb_opt_uint(call, 'd', 0),
			&domain);
		s.selected = true;
		s.only = domain.addr;
	}
	if (st != MDB_OK)
		return st;
	if (mdb_opt(call, 's'))
		return sums_print(cx, &s);
	if (call->has_addr)
		return one(cx, &f, call);
	if (s.selected)
		return xpv_each_page(cx, &f, owned_row, &s);
	return mdb_fail(cx, MDB_E_USAGE, "a frame, -d domid or -s is needed");
}

/* ---- the walker ----------------------------------------------------------
 */

struct page_walk {
	struct xpv_frames frames;
	mdb_addr_t owner;
	uint64_t next;
};

enum mdb_status
xpv_walk_xenpage_init(struct mdb_ctx *cx, struct mdb_walk *w)
{
	struct page_walk *p = mdb_tmp(cx, sizeof(*p));
	struct mdb_world *world;
	enum mdb_status st = xpv_world(cx, &world);

	w->state = p;
	if (st == MDB_OK)
		st = xpv_frames_get(cx, world, &p->frames);
	if (st == MDB_OK && w->has_start)
		p->owner = w->start.addr;
	return st;
}

/* Those of a domain, else all; an entry that cannot be read is passed over. */
enum mdb_status
xpv_walk_xenpage_step(struct mdb_ctx *cx, struct mdb_walk *w,
	struct mdb_loc *loc_out)
{
	struct page_walk *walk = w->state;
	const struct xpv_frames *f = &walk->frames;
	struct xpv_page p;

	while (walk->next < f->nr_pdx) {
		if ((walk->next & 0xffff) == 0) {
			enum mdb_status st = mdb_check_interrupt(cx);

			if (st != MDB_OK)
				return st;
		}
		if (xpv_page_read(cx, f, walk->next++, &p) != MDB_OK) {
			mdb_forget(cx);
			continue;
		}
		if (walk->owner != 0 && (xpv_page_state(f, &p) == XPV_FREE ||
						p.owner != walk->owner))
			continue;
		*loc_out = mdb_kernel_loc(f->world, p.addr);
		return MDB_OK;
	}
	return MDB_DONE;
}
