/* SPDX-License-Identifier: MIT */
/*
 * Runs of frames that a native dump holds, and how many.
 *
 * Each class is a sequence of segments of its own, so memory in ascending order
 * is a merge of them: one cursor for each class.  A call takes a bounded number
 * of steps, and then ends its run though the next one may touch it.
 */
#include "dfmt-native.h"

#define MAX_STEPS 65536u

struct cursor {
	uint32_t class;
	bool done;
	uint64_t start, end; /* frames that are there; end is exclusive */
	struct dfmt_npages pages;
	uint32_t run; /* the next to look at */
};

size_t
dfmt_nmemory_find(const struct dfmt_nstate *n, uint64_t addr)
{
	size_t lo = 0, hi = n->nr_memory;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (n->memory[mid].addr + (n->memory[mid].len - 1) < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* ---- a cursor ----------------------------------------------------------- */

/* What of a run is there at or behind pfn, if anything. */
static enum dfmt_status
run_take(const struct dfmt_nstate *n, struct cursor *c,
	const struct dfmt_nrun *run, uint64_t pfn, struct dfmt_err *err)
{
	uint64_t count;
	enum dfmt_status st = dfmt_npages_there(n, &c->pages, run, &count, err);

	if (st != DFMT_OK)
		return st;
	c->start = run->first > pfn ? run->first : pfn;
	c->end = dfmt_min(run->first + count, c->pages.last_pfn + 1);
	return DFMT_OK;
}

/* To the next frames in the segment; *found_out: there were some. */
static enum dfmt_status
segment_go(const struct dfmt_nstate *n, struct cursor *c, uint64_t pfn,
	bool *found_out, struct dfmt_err *err)
{
	*found_out = false;
	while (c->run < c->pages.nr_runs && !*found_out) {
		struct dfmt_nrun run;
		enum dfmt_status st =
			dfmt_npages_run(n, &c->pages, c->run++, &run, err);

		if (st == DFMT_OK)
			st = run_take(n, c, &run, pfn, err);
		if (st != DFMT_OK)
			return st;
		*found_out = c->start < c->end;
	}
	return DFMT_OK;
}

/* To the first frames of the class at or behind pfn. */
static enum dfmt_status
cursor_seek(struct dfmt_nstate *n, struct cursor *c, uint64_t pfn,
	struct dfmt_err *err)
{
	bool found = false;

	while (!found) {
		struct dfmt_nentry e;
		struct dfmt_nrun run;
		enum dfmt_status st =
			dfmt_nentry_find(n, c->class, pfn, &e, err);

		c->done = st == DFMT_E_RANGE;
		if (st != DFMT_OK)
			return c->done ? DFMT_OK : st;
		st = dfmt_npages_load(n, e.offset, &c->pages, err);
		if (st == DFMT_OK)
			st = dfmt_npages_search(n, &c->pages, pfn, &c->run,
				&run, err);
		if (st == DFMT_OK)
			st = segment_go(n, c, pfn, &found, err);
		/* What is damaged holds nothing. */
		if (st != DFMT_OK && st != DFMT_E_LOST &&
			st != DFMT_E_UNSUPPORTED)
			return st;
		pfn = e.last_pfn + 1;
	}
	return DFMT_OK;
}

static enum dfmt_status
cursor_next(struct dfmt_nstate *n, struct cursor *c, struct dfmt_err *err)
{
	uint64_t pfn = c->end;
	bool found;
	enum dfmt_status st = segment_go(n, c, pfn, &found, err);

	if (st != DFMT_OK || found)
		return st;
	return cursor_seek(n, c,
		pfn > c->pages.last_pfn ? pfn : c->pages.last_pfn + 1, err);
}

/* ---- the merge ---------------------------------------------------------- */

static enum dfmt_status
cursors_seek(struct dfmt_nstate *n, struct cursor *cursors, uint64_t pfn,
	struct dfmt_err *err)
{
	for (uint32_t i = 0; i < DFMT_NCLASSES; i++) {
		cursors[i].class = i;
		enum dfmt_status st = cursor_seek(n, &cursors[i], pfn, err);

		if (st != DFMT_OK)
			return st;
	}
	return DFMT_OK;
}

/* Moves one cursor behind end and end behind what it holds there. */
static enum dfmt_status
cursor_extend(struct dfmt_nstate *n, struct cursor *c, uint64_t *end,
	uint32_t *steps, bool *grew, struct dfmt_err *err)
{
	while (!c->done && c->start <= *end && *steps < MAX_STEPS) {
		if (c->end > *end) {
			*end = c->end;
			*grew = true;
		}
		++*steps;
		enum dfmt_status st = cursor_next(n, c, err);
		if (st != DFMT_OK)
			return st;
	}
	return DFMT_OK;
}

/* The first run of frames at or behind pfn. */
static enum dfmt_status
frames_next(struct dfmt_nstate *n, uint64_t pfn, uint64_t *start_out,
	uint64_t *end_out, struct dfmt_err *err)
{
	struct cursor cursors[DFMT_NCLASSES];
	uint64_t start = UINT64_MAX;
	uint32_t steps = 0;
	bool grew = true;
	enum dfmt_status st = cursors_seek(n, cursors, pfn, err);

	if (st != DFMT_OK)
		return st;
	for (uint32_t i = 0; i < DFMT_NCLASSES; i++) {
		if (!cursors[i].done)
			start = dfmt_min(start, cursors[i].start);
	}
	if (start == UINT64_MAX)
		return dfmt_fail(err, DFMT_E_RANGE, "no more memory", DFMT_NONE,
			pfn << n->shift);
	uint64_t end = start;
	while (grew) {
		grew = false;
		for (uint32_t i = 0; i < DFMT_NCLASSES; i++) {
			st = cursor_extend(n, &cursors[i], &end, &steps, &grew,
				err);
			if (st != DFMT_OK)
				return st;
		}
	}
	*start_out = start;
	*end_out = end;
	return DFMT_OK;
}

static enum dfmt_status
frames_next_sure(struct dfmt_nstate *n, uint64_t pfn, uint64_t *start_out,
	uint64_t *end_out, struct dfmt_err *err)
{
	enum dfmt_status st = frames_next(n, pfn, start_out, end_out, err);

	if (st != DFMT_E_MALFORMED || atomic_load(&n->table))
		return st;
	st = dfmt_ntable_build(n, err);
	return st == DFMT_OK ? frames_next(n, pfn, start_out, end_out, err)
			     : st;
}

/* Cuts [*start, *end) to memory; false: nothing is left, go on at *start. */
static bool
memory_cut(const struct dfmt_nstate *n, uint64_t *start, uint64_t *end)
{
	if (n->ranges_open || !n->nr_memory)
		return true;
	size_t i = dfmt_nmemory_find(n, *start);
	if (i == n->nr_memory) {
		*start = UINT64_MAX;
		return false;
	}
	const struct dfmt_range *m = &n->memory[i];
	if (m->addr >= *end) {
		*start = m->addr;
		return false;
	}
	if (*start < m->addr)
		*start = m->addr;
	*end = dfmt_min(*end, m->addr + m->len);
	return true;
}

enum dfmt_status
dfmt_nnext_range(const struct dfmt *d, uint64_t addr, uint64_t *start_out,
	uint64_t *end_out, struct dfmt_err *err)
{
	struct dfmt_nstate *n = d->impl;
	uint64_t start, end;

	for (;;) {
		if (addr >> n->shift >= DFMT_MAX_PFN)
			return dfmt_fail(err, DFMT_E_RANGE, "no more memory",
				DFMT_NONE, addr);
		enum dfmt_status st = frames_next_sure(n, addr >> n->shift,
			&start, &end, err);
		if (st != DFMT_OK)
			return st;
		start <<= n->shift;
		end <<= n->shift;
		if (start < addr)
			start = addr;
		if (memory_cut(n, &start, &end))
			break;
		addr = start;
	}
	*start_out = start;
	*end_out = end;
	return DFMT_OK;
}

/* ---- how many ----------------------------------------------------------- */

static uint64_t
memory_frames(const struct dfmt_nstate *n)
{
	uint64_t nr = 0, last = UINT64_MAX;

	if (n->info.nr_frames)
		return n->info.nr_frames;
	for (size_t i = 0; i < n->nr_memory; i++) {
		uint64_t from = n->memory[i].addr >> n->shift;
		uint64_t to =
			(n->memory[i].addr + n->memory[i].len - 1) >> n->shift;

		/* Two ranges may share a frame. */
		nr += to - from + (from != last);
		last = to;
	}
	return nr;
}

enum dfmt_status
dfmt_ncoverage(const struct dfmt *d, struct dfmt_coverage *cov_out,
	struct dfmt_err *err)
{
	struct dfmt_nstate *n = d->impl;
	const struct dfmt_ntable *t = atomic_load(&n->table);
	struct dfmt_coverage cov = { .counted = n->has_head };

	(void)err;
	if (n->locked) {
		*cov_out = (struct dfmt_coverage){ .counted = false };
		return DFMT_OK;
	}
	if (t) {
		cov.nr_present = t->counts[DFMT_RUN_DATA] +
				 t->counts[DFMT_RUN_FILL] +
				 t->counts[DFMT_RUN_REPEAT];
		cov.nr_lost = t->counts[DFMT_RUN_LOST];
	} else {
		cov.nr_present =
			n->info.nr_data + n->info.nr_fill + n->info.nr_repeat;
		cov.nr_lost = n->info.nr_lost;
	}
	uint64_t known = cov.nr_present + cov.nr_lost;
	uint64_t all = memory_frames(n);
	uint64_t rest = all > known ? all - known : 0;
	if (n->complete && (t ? t->whole : n->index_whole))
		cov.nr_excluded = rest;
	else
		cov.nr_lost += rest;
	*cov_out = cov;
	return DFMT_OK;
}
