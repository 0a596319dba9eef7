/* SPDX-License-Identifier: MIT */
/*
 * Which pages segment may hold a frame: through the index, or through the
 * table of a scan.
 *
 * The index is searched where it lies, each of its segments checked once.  It
 * is a shortcut and not a truth: when one of its segments is not what it should
 * be, the pages segments are scanned for, once, and the index is not used any
 * more.
 */
#include "dfmt-native.h"

#include <stdlib.h>
#include <string.h>

#define INDEX_HEAD sizeof(struct dfmt_fmt_index)
#define ENTRY_LEN sizeof(struct dfmt_fmt_entry)
#define CLASS_MASK ((uint64_t)DFMT_ALIGN_MIN - 1)

/* ---- the index ---------------------------------------------------------- */

/* A segment of the tree. */
struct node {
	uint64_t entries; /* where they begin */
	uint32_t nr, level, class;
};

enum dfmt_status
dfmt_nmisled(const struct dfmt_nstate *n, uint64_t off, struct dfmt_err *err)
{
	return dfmt_fail(err, DFMT_E_MALFORMED, "the index is damaged",
		dfmt_add_sat(n->base, off), DFMT_NONE);
}

static bool
node_whole(struct dfmt_nstate *n, const struct dfmt_nseg *seg)
{
	if (dfmt_nseen(n, seg->offset))
		return true;
	if (seg->crc_len != seg->payload_len ||
		!dfmt_nseg_payload_right(n, seg))
		return false;
	dfmt_nseen_add(n, seg->offset);
	return true;
}

static enum dfmt_status
node_load(struct dfmt_nstate *n, uint64_t off, struct node *node_out,
	struct dfmt_err *err)
{
	struct dfmt_nseg seg;
	uint8_t p[INDEX_HEAD];

	if (!dfmt_nseg_at(n, off, &seg) || seg.type != DFMT_SEG_INDEX ||
		seg.type_version || seg.codec || seg.flags ||
		seg.payload_len < INDEX_HEAD || !node_whole(n, &seg))
		return dfmt_nmisled(n, off, err);
	enum dfmt_status st =
		dfmt_nread(n, off + seg.header_len, p, sizeof(p), err);
	if (st != DFMT_OK)
		return st;
	struct node node = {
		.entries = off + seg.header_len + INDEX_HEAD,
		.level = dfmt_le32(p),
		.nr = dfmt_le32(p + 4),
		.class = dfmt_le32(p + 8),
	};
	if (node.nr == 0 ||
		node.nr > (seg.payload_len - INDEX_HEAD) / ENTRY_LEN)
		return dfmt_nmisled(n, off, err);
	*node_out = node;
	return DFMT_OK;
}

static enum dfmt_status
entry_read(const struct dfmt_nstate *n, const struct node *node, uint32_t i,
	struct dfmt_nentry *entry_out, struct dfmt_err *err)
{
	uint8_t p[24];
	enum dfmt_status st = dfmt_nread(n,
		node->entries + (uint64_t)i * ENTRY_LEN, p, sizeof(p), err);

	if (st == DFMT_OK)
		*entry_out = (struct dfmt_nentry){
			.first_pfn = dfmt_le64(p),
			.last_pfn = dfmt_le64(p + 8),
			.offset = dfmt_le64(p + 16),
		};
	return st;
}

/* The first entry that ends at or behind pfn. */
static enum dfmt_status
node_search(const struct dfmt_nstate *n, const struct node *node, uint64_t pfn,
	struct dfmt_nentry *entry_out, struct dfmt_err *err)
{
	uint32_t lo = 0, hi = node->nr;
	struct dfmt_nentry e;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		enum dfmt_status st = entry_read(n, node, mid, &e, err);

		if (st != DFMT_OK)
			return st;
		if (e.last_pfn < pfn)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == node->nr)
		return dfmt_nmisled(n, node->entries, err);
	return entry_read(n, node, lo, entry_out, err);
}

/* Down from a root that ends at or behind pfn, one level at each step. */
static enum dfmt_status
tree_search(struct dfmt_nstate *n, const struct dfmt_nroot *root, uint64_t pfn,
	struct dfmt_nentry *entry_out, struct dfmt_err *err)
{
	struct dfmt_nentry e = root->entry, sub;
	struct node node;

	for (uint32_t up = root->level + 1; up > 0; up--) {
		enum dfmt_status st = node_load(n, e.offset, &node, err);

		if (st == DFMT_OK &&
			(node.level != up - 1 || node.class != root->class))
			st = dfmt_nmisled(n, e.offset, err);
		if (st == DFMT_OK)
			st = node_search(n, &node, pfn, &sub, err);
		if (st != DFMT_OK)
			return st;
		if (sub.first_pfn > sub.last_pfn ||
			sub.first_pfn < e.first_pfn ||
			sub.last_pfn > e.last_pfn)
			return dfmt_nmisled(n, e.offset, err);
		e = sub;
	}
	*entry_out = e;
	return DFMT_OK;
}

static enum dfmt_status
index_find(struct dfmt_nstate *n, uint32_t class, uint64_t pfn,
	struct dfmt_nentry *entry_out, struct dfmt_err *err)
{
	const struct dfmt_nroot *best = NULL;

	for (uint32_t i = 0; i < n->nr_roots; i++) {
		const struct dfmt_nroot *r = &n->roots[i];

		if (r->class == class && r->entry.last_pfn >= pfn &&
			(!best || r->entry.first_pfn < best->entry.first_pfn))
			best = r;
	}
	if (!best)
		return dfmt_fail(err, DFMT_E_RANGE, "not in the index",
			DFMT_NONE, DFMT_NONE);
	return tree_search(n, best, pfn, entry_out, err);
}

static bool
root_right(const struct dfmt_nstate *n, const struct dfmt_nroot *r)
{
	struct dfmt_nseg seg;

	if (r->class >= DFMT_NCLASSES ||
		r->entry.first_pfn > r->entry.last_pfn ||
		r->entry.last_pfn >= DFMT_MAX_PFN ||
		(r->level > DFMT_NMAX_LEVEL && r->level != DFMT_ROOT_PAGES) ||
		!dfmt_nseg_at(n, r->entry.offset, &seg))
		return false;
	if (r->level == DFMT_ROOT_PAGES)
		return seg.type == DFMT_SEG_PAGES;
	return seg.type == DFMT_SEG_INDEX && seg.type_version == 0;
}

bool
dfmt_nroots_check(const struct dfmt_nstate *n)
{
	for (uint32_t i = 0; i < n->nr_roots; i++) {
		if (!root_right(n, &n->roots[i]))
			return false;
	}
	return true;
}

/* ---- the table ---------------------------------------------------------- */

static uint64_t
class_of(const struct dfmt_nentry *e)
{
	return e->offset & CLASS_MASK;
}

static void
counts_add(struct dfmt_ntable *t, uint64_t sign)
{
	for (int i = 0; i < 4; i++)
		t->counts[i] += sign * t->last_counts[i];
}

/* A segment that comes again takes the place of what it was before. */
static void
take_back(struct dfmt_ntable *t, uint64_t seq)
{
	if (t->lost_seq == seq)
		t->nr_lost--;
	if (t->last_seq == seq) {
		t->nr_entries--;
		counts_add(t, UINT64_MAX);
	}
	t->lost_seq = t->last_seq = UINT64_MAX;
}

enum dfmt_status
dfmt_ntable_take(struct dfmt_nstate *n, struct dfmt_ntable *t,
	const struct dfmt_nseg *seg, bool again, struct dfmt_err *err)
{
	uint64_t counts[4] = { 0 };
	struct dfmt_npages pages;
	enum dfmt_status st = dfmt_npages_load(n, seg->offset, &pages, NULL);

	if (st == DFMT_OK)
		st = dfmt_npages_count(n, &pages, counts, NULL);
	if (st != DFMT_OK && again && t->last_seq == seg->seq)
		return DFMT_OK;
	if (again)
		take_back(t, seg->seq);
	if (st != DFMT_OK) {
		t->nr_lost++;
		t->lost_seq = seg->seq;
		return DFMT_OK;
	}
	size_t i = t->nr_entries;
	if (!dfmt_ngrow(&t->entries, &t->nr_entries, i, sizeof(*t->entries)))
		return dfmt_fail(err, DFMT_E_NOMEM, "the table of a scan",
			DFMT_NONE, DFMT_NONE);
	t->entries[i] = (struct dfmt_nentry){
		.first_pfn = pages.first_pfn,
		.last_pfn = pages.last_pfn,
		.offset = seg->offset | pages.class,
	};
	t->last_seq = seg->seq;
	memcpy(t->last_counts, counts, sizeof(counts));
	counts_add(t, 1);
	return DFMT_OK;
}

static int
entry_compare(const void *a, const void *b)
{
	const struct dfmt_nentry *x = a, *y = b;

	if (class_of(x) != class_of(y))
		return class_of(x) < class_of(y) ? -1 : 1;
	if (x->first_pfn != y->first_pfn)
		return x->first_pfn < y->first_pfn ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

struct dfmt_ntable *
dfmt_ntable_create(void)
{
	struct dfmt_ntable *t = calloc(1, sizeof(*t));

	if (t)
		t->last_seq = t->lost_seq = UINT64_MAX;
	return t;
}

void
dfmt_ntable_destroy(struct dfmt_ntable *t)
{
	if (!t)
		return;
	free(t->entries);
	free(t);
}

void
dfmt_ntable_finish(struct dfmt_ntable *t, bool gap)
{
	size_t i = 0;

	t->whole = !gap && !t->nr_lost;
	if (t->nr_entries)
		qsort(t->entries, t->nr_entries, sizeof(*t->entries),
			entry_compare);
	for (uint32_t class = 0; class <= DFMT_NCLASSES; class ++) {
		while (i < t->nr_entries && class_of(&t->entries[i]) < class)
			i++;
		t->from[class] = i;
	}
}

static enum dfmt_status
pages_scan(struct dfmt_nstate *n, struct dfmt_ntable *t, struct dfmt_err *err)
{
	struct dfmt_nwalk w = { .seq = n->first_lost };
	struct dfmt_nseg seg;

	while (dfmt_nwalk_next(n, &w, &seg)) {
		enum dfmt_status st = DFMT_OK;

		if (seg.type == DFMT_SEG_PAGES)
			st = dfmt_ntable_take(n, t, &seg, w.again, err);
		if (st != DFMT_OK)
			return st;
	}
	dfmt_ntable_finish(t, w.gap || !w.ended);
	return DFMT_OK;
}

enum dfmt_status
dfmt_ntable_build(struct dfmt_nstate *n, struct dfmt_err *err)
{
	enum dfmt_status st = DFMT_OK;

	pthread_mutex_lock(&n->lock);
	if (!atomic_load(&n->table)) {
		struct dfmt_ntable *t = dfmt_ntable_create();

		st = t ? pages_scan(n, t, err)
		       : dfmt_fail(err, DFMT_E_NOMEM, "the table of a scan",
				 DFMT_NONE, DFMT_NONE);
		if (st == DFMT_OK)
			atomic_store(&n->table, t);
		else
			dfmt_ntable_destroy(t);
	}
	pthread_mutex_unlock(&n->lock);
	return st;
}

static enum dfmt_status
table_find(const struct dfmt_ntable *t, uint32_t class, uint64_t pfn,
	struct dfmt_nentry *entry_out, struct dfmt_err *err)
{
	size_t lo = t->from[class], hi = t->from[class + 1];
	size_t end = hi;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (t->entries[mid].last_pfn < pfn)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == end)
		return dfmt_fail(err, DFMT_E_RANGE, "in no segment", DFMT_NONE,
			DFMT_NONE);
	*entry_out = t->entries[lo];
	entry_out->offset &= ~CLASS_MASK;
	return DFMT_OK;
}

enum dfmt_status
dfmt_nentry_find(struct dfmt_nstate *n, uint32_t class, uint64_t pfn,
	struct dfmt_nentry *entry_out, struct dfmt_err *err)
{
	const struct dfmt_ntable *t = atomic_load(&n->table);

	return t ? table_find(t, class, pfn, entry_out, err)
		 : index_find(n, class, pfn, entry_out, err);
}
