/* SPDX-License-Identifier: MIT */
/*
 * Pages segments of a native dump: which frames are in one, and what is said
 * of each.  A segment's header and tables are checked once; the blocks' own
 * checksums when they are expanded.
 */
#include "dfmt-native.h"

#include <string.h>

#define PAGES_HEAD sizeof(struct dfmt_fmt_pages)
#define RUN_LEN sizeof(struct dfmt_fmt_run)
#define BLOCK_LEN sizeof(struct dfmt_fmt_block)

static enum dfmt_status
pages_lost(const struct dfmt_nstate *n, uint64_t off, struct dfmt_err *err)
{
	return dfmt_fail(err, DFMT_E_LOST, "a segment of pages is damaged",
		dfmt_add_sat(n->base, off), DFMT_NONE);
}

static bool
head_right(const struct dfmt_nstate *n, const struct dfmt_nseg *seg,
	const struct dfmt_npages *p, uint64_t data_off)
{
	uint64_t tables = PAGES_HEAD + (uint64_t)p->nr_runs * RUN_LEN +
			  (uint64_t)p->nr_blocks * BLOCK_LEN;

	return tables <= seg->crc_len && data_off >= tables &&
	       data_off <= seg->payload_len && p->class < DFMT_NCLASSES &&
	       p->first_pfn <= p->last_pfn && p->last_pfn < DFMT_MAX_PFN &&
	       p->block_frames && p->block_frames <= DFMT_BLOCK_MAX >> n->shift;
}

static enum dfmt_status
head_read(const struct dfmt_nstate *n, const struct dfmt_nseg *seg,
	struct dfmt_npages *pages_out, struct dfmt_err *err)
{
	uint64_t payload = seg->offset + seg->header_len;
	uint8_t b[PAGES_HEAD];
	enum dfmt_status st = dfmt_nread(n, payload, b, sizeof(b), err);

	if (st != DFMT_OK)
		return st;
	uint64_t data_off = dfmt_le32(b + 32);
	struct dfmt_npages p = {
		.offset = seg->offset,
		.first_pfn = dfmt_le64(b),
		.last_pfn = dfmt_le64(b + 8),
		.nr_runs = dfmt_le32(b + 16),
		.nr_blocks = dfmt_le32(b + 20),
		.nr_data = dfmt_le32(b + 28),
		.class = dfmt_le32(b + 36),
		.block_frames = dfmt_le32(b + 40),
		.runs = payload + PAGES_HEAD,
		.data = payload + data_off,
		.data_len = seg->payload_len - data_off,
	};
	p.blocks = p.runs + (uint64_t)p.nr_runs * RUN_LEN;
	if (!head_right(n, seg, &p, data_off))
		return pages_lost(n, seg->offset, err);
	*pages_out = p;
	return DFMT_OK;
}

/* Of a segment that was cut: how many data frames lie before the end. */
static enum dfmt_status
there_count(const struct dfmt_nstate *n, struct dfmt_npages *p,
	struct dfmt_err *err)
{
	uint64_t lo = 0, hi = p->nr_blocks;

	p->nr_there = p->nr_data;
	if (dfmt_inside(p->data, p->data_len, n->len))
		return DFMT_OK;
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		uint8_t b[8];
		enum dfmt_status st = dfmt_nread(n, p->blocks + mid * BLOCK_LEN,
			b, sizeof(b), err);

		if (st != DFMT_OK)
			return st;
		if (dfmt_inside(p->data + dfmt_le32(b), dfmt_le32(b + 4),
			    n->len))
			lo = mid + 1;
		else
			hi = mid;
	}
	p->nr_there = (uint32_t)dfmt_min(p->nr_data, lo * p->block_frames);
	return DFMT_OK;
}

enum dfmt_status
dfmt_npages_load(struct dfmt_nstate *n, uint64_t off,
	struct dfmt_npages *pages_out, struct dfmt_err *err)
{
	struct dfmt_npages p;
	struct dfmt_nseg seg;

	if (!dfmt_nseg_at(n, off, &seg) || seg.type != DFMT_SEG_PAGES)
		return dfmt_nmisled(n, off, err);
	if (seg.type_version || seg.codec || seg.flags)
		return dfmt_fail(err, DFMT_E_UNSUPPORTED,
			"a segment of pages of a later version", n->base + off,
			DFMT_NONE);
	enum dfmt_status st = head_read(n, &seg, &p, err);
	if (st != DFMT_OK)
		return st;
	if (!dfmt_nseen(n, off)) {
		if (!dfmt_nseg_payload_right(n, &seg))
			return pages_lost(n, off, err);
		dfmt_nseen_add(n, off);
	}
	st = there_count(n, &p, err);
	if (st == DFMT_OK)
		*pages_out = p;
	return st;
}

/* ---- runs --------------------------------------------------------------- */

enum dfmt_status
dfmt_npages_run(const struct dfmt_nstate *n, const struct dfmt_npages *pages,
	uint32_t i, struct dfmt_nrun *run_out, struct dfmt_err *err)
{
	uint8_t b[RUN_LEN];
	enum dfmt_status st = dfmt_nread(n, pages->runs + (uint64_t)i * RUN_LEN,
		b, sizeof(b), err);

	if (st != DFMT_OK)
		return st;
	uint32_t count = dfmt_le32(b + 4);
	*run_out = (struct dfmt_nrun){
		.first = pages->first_pfn + dfmt_le32(b),
		.count = count & DFMT_RUN_COUNT_MASK,
		.kind = count >> DFMT_RUN_KIND_SHIFT,
		.arg = dfmt_le64(b + 8),
	};
	return DFMT_OK;
}

enum dfmt_status
dfmt_npages_search(const struct dfmt_nstate *n, const struct dfmt_npages *pages,
	uint64_t pfn, uint32_t *i_out, struct dfmt_nrun *run_out,
	struct dfmt_err *err)
{
	uint32_t lo = 0, hi = pages->nr_runs;
	struct dfmt_nrun run;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		enum dfmt_status st = dfmt_npages_run(n, pages, mid, &run, err);

		if (st != DFMT_OK)
			return st;
		if (run.first + run.count <= pfn)
			lo = mid + 1;
		else
			hi = mid;
	}
	*i_out = lo;
	return lo == pages->nr_runs
		       ? DFMT_OK
		       : dfmt_npages_run(n, pages, lo, run_out, err);
}

/* Is the frame in this segment, but behind the place where it was cut? */
static enum dfmt_status
cut_off(const struct dfmt_nstate *n, const struct dfmt_npages *pages,
	uint64_t pfn, bool *cut_out, struct dfmt_err *err)
{
	struct dfmt_nrun run;
	uint32_t i;

	*cut_out = false;
	if (pfn < pages->first_pfn || pfn > pages->last_pfn)
		return DFMT_OK;
	enum dfmt_status st = dfmt_npages_search(n, pages, pfn, &i, &run, err);
	if (st == DFMT_OK && i < pages->nr_runs && run.first <= pfn &&
		run.kind == DFMT_RUN_DATA)
		*cut_out = dfmt_add_sat(run.arg, pfn - run.first) >=
			   pages->nr_there;
	return st;
}

/* The frames that repeated ones equal ascend: those not cut off come first. */
static enum dfmt_status
repeats_there(const struct dfmt_nstate *n, const struct dfmt_npages *pages,
	const struct dfmt_nrun *run, uint64_t *there_out, struct dfmt_err *err)
{
	uint64_t lo = 0, hi = run->count;

	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		bool cut;
		enum dfmt_status st = cut_off(n, pages,
			dfmt_add_sat(run->arg, mid), &cut, err);

		if (st != DFMT_OK)
			return st;
		if (cut)
			hi = mid;
		else
			lo = mid + 1;
	}
	*there_out = lo;
	return DFMT_OK;
}

enum dfmt_status
dfmt_npages_there(const struct dfmt_nstate *n, const struct dfmt_npages *pages,
	const struct dfmt_nrun *run, uint64_t *there_out, struct dfmt_err *err)
{
	uint64_t there = pages->nr_there;

	*there_out = run->count;
	if (run->kind == DFMT_RUN_DATA)
		*there_out = run->arg < there
				     ? dfmt_min(run->count, there - run->arg)
				     : 0;
	else if (run->kind == DFMT_RUN_REPEAT && there < pages->nr_data)
		return repeats_there(n, pages, run, there_out, err);
	else if (run->kind != DFMT_RUN_FILL && run->kind != DFMT_RUN_REPEAT)
		*there_out = 0;
	return DFMT_OK;
}

enum dfmt_status
dfmt_npages_count(const struct dfmt_nstate *n, const struct dfmt_npages *pages,
	uint64_t counts[4], struct dfmt_err *err)
{
	for (uint32_t i = 0; i < pages->nr_runs; i++) {
		struct dfmt_nrun run;
		uint64_t there = 0;
		enum dfmt_status st = dfmt_npages_run(n, pages, i, &run, err);

		if (st == DFMT_OK)
			st = dfmt_npages_there(n, pages, &run, &there, err);
		if (st != DFMT_OK)
			return st;
		counts[run.kind <= DFMT_RUN_LOST ? run.kind : DFMT_RUN_LOST] +=
			there;
		counts[DFMT_RUN_LOST] += run.count - there;
	}
	return DFMT_OK;
}

/* ---- one frame ---------------------------------------------------------- */

/* DFMT_E_RANGE: it is not in this segment. */
static enum dfmt_status
pages_find(struct dfmt_nstate *n, uint64_t off, uint64_t pfn,
	struct dfmt_nframe *f, struct dfmt_err *err)
{
	struct dfmt_nrun run = { .count = 0 };
	enum dfmt_status st = dfmt_npages_load(n, off, &f->pages, err);

	if (st != DFMT_OK)
		return st;
	if (pfn < f->pages.first_pfn || pfn > f->pages.last_pfn)
		return DFMT_E_RANGE;
	st = dfmt_npages_search(n, &f->pages, pfn, &f->run, &run, err);
	if (st != DFMT_OK)
		return st;
	if (f->run == f->pages.nr_runs || run.first > pfn)
		return DFMT_E_RANGE;
	f->pfn = pfn;
	f->kind = run.kind;
	f->arg = run.arg;
	if (run.kind == DFMT_RUN_DATA || run.kind == DFMT_RUN_REPEAT)
		f->arg = dfmt_add_sat(run.arg, pfn - run.first);
	atomic_store_explicit(&n->hint, off, memory_order_relaxed);
	return DFMT_OK;
}

/* What a class's segment says: DFMT_E_RANGE when the class has none. */
static enum dfmt_status
class_find(struct dfmt_nstate *n, uint32_t class, uint64_t pfn,
	struct dfmt_nframe *f, struct dfmt_err *err)
{
	struct dfmt_nentry e;
	enum dfmt_status st = dfmt_nentry_find(n, class, pfn, &e, err);

	if (st != DFMT_OK)
		return st;
	if (pfn < e.first_pfn)
		return DFMT_E_RANGE;
	st = pages_find(n, e.offset, pfn, f, err);
	if (st == DFMT_E_RANGE &&
		(f->pages.class != class || pfn < f->pages.first_pfn ||
			pfn > f->pages.last_pfn))
		return dfmt_nmisled(n, e.offset, err);
	return st;
}

/*
 * The classes in turn; what is damaged on the way counts when none has it, most
 * of all an index that misled.
 */
static enum dfmt_status
classes_find(struct dfmt_nstate *n, uint64_t pfn, struct dfmt_nframe *f,
	struct dfmt_err *err)
{
	enum dfmt_status worst = DFMT_E_RANGE;
	struct dfmt_err why;

	for (uint32_t class = 0; class < DFMT_NCLASSES; class ++) {
		enum dfmt_status st = class_find(n, class, pfn, f, &why);

		if (st == DFMT_OK)
			return DFMT_OK;
		if (worst == DFMT_E_RANGE || st == DFMT_E_MALFORMED) {
			worst = st;
			if (err)
				*err = why;
		}
	}
	return worst;
}

/* In no segment: by choice, or lost? */
static enum dfmt_status
absent(struct dfmt_nstate *n, struct dfmt_err *err)
{
	const struct dfmt_ntable *t = atomic_load(&n->table);

	if (n->complete && (t ? t->whole : n->index_whole))
		return dfmt_fail(err, DFMT_E_EXCLUDED,
			"frame left out when the dump was made", DFMT_NONE,
			DFMT_NONE);
	return dfmt_fail(err, DFMT_E_LOST,
		n->info.has_end && n->info.end_status
			? "the writer stopped before it"
			: "the dump ends before it",
		DFMT_NONE, DFMT_NONE);
}

enum dfmt_status
dfmt_nframe_find(struct dfmt_nstate *n, uint64_t pfn,
	struct dfmt_nframe *frame_out, struct dfmt_err *err)
{
	uint64_t hint = atomic_load_explicit(&n->hint, memory_order_relaxed);
	struct dfmt_nframe f = { .run = 0 };

	if (n->locked)
		return dfmt_nlocked(err);
	if (hint && pages_find(n, hint, pfn, &f, NULL) == DFMT_OK) {
		*frame_out = f;
		return DFMT_OK;
	}
	enum dfmt_status st = classes_find(n, pfn, &f, err);
	if (st == DFMT_E_MALFORMED && !atomic_load(&n->table)) {
		st = dfmt_ntable_build(n, err);
		if (st == DFMT_OK)
			st = classes_find(n, pfn, &f, err);
	}
	if (st == DFMT_E_RANGE)
		return absent(n, err);
	if (st == DFMT_E_MALFORMED)
		return pages_lost(n, f.pages.offset, err);
	if (st == DFMT_OK)
		*frame_out = f;
	return st;
}
