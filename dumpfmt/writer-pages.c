/* SPDX-License-Identifier: MIT */
/*
 * Pages segments: blocks behind each other, with the runs that say which frames
 * they hold.  The tables come first on the device but are known last: the
 * buffer keeps room before the data, and the segment begins where its tables,
 * put right before the data, begin.
 */
#include "writer-impl.h"

#include <string.h>

/* Room for data; a pass's first segments are short: the device waits for them.
 */
static void
segment_begin(struct wpages *p)
{
	p->nr_runs = 0;
	p->nr_blocks = 0;
	p->nr_frames = 0;
	memset(p->nr_kind, 0, sizeof(p->nr_kind));
	p->data_len = 0;
	p->data_room = (SEG_LEN - TABLES_LEN - DFMT_ALIGN_MAX) >> p->shorter;
	if (p->shorter)
		p->shorter--;
}

void
dfmt_w_pages_begin(struct dfmt_writer *w, uint32_t class)
{
	struct wpages *p = &w->pages;

	p->class = class;
	p->shorter = 3;
	segment_begin(p);
}

static uint32_t
tables_len(const struct wpages *p)
{
	return (uint32_t)(sizeof(struct dfmt_fmt_pages) +
			  p->nr_runs * sizeof(struct dfmt_fmt_run) +
			  p->nr_blocks * sizeof(struct dfmt_fmt_block));
}

/* Would the device take the segment with this slot in it? */
static bool
device_has_room(const struct dfmt_writer *w, const struct wslot *s,
	const struct wblock *b)
{
	const struct wpages *p = &w->pages;
	uint64_t len = DFMT_SEG_HEADER_LEN + tables_len(p) + p->data_len +
		       s->nr_spans * sizeof(struct dfmt_fmt_run) +
		       sizeof(struct dfmt_fmt_block) + b->len +
		       2 * w->out.align;

	return len <= dfmt_w_room(w);
}

static bool
fits(const struct wpages *p, const struct wslot *s, const struct wblock *b)
{
	const struct wspan *last = &s->spans[s->nr_spans - 1];

	return p->nr_runs + s->nr_spans <= MAX_RUNS &&
	       p->nr_blocks + (s->nr_data ? 1 : 0) <= MAX_BLOCKS &&
	       p->data_len + b->len <= p->data_room &&
	       last->pfn + last->count - 1 - p->first_pfn < UINT32_MAX;
}

static bool
run_goes_on(const struct dfmt_fmt_run *r, uint64_t first,
	const struct wspan *span)
{
	uint32_t count = r->count & DFMT_RUN_COUNT_MASK;
	uint32_t kind = r->count >> DFMT_RUN_KIND_SHIFT;

	if (kind != span->kind || first + r->rel + count != span->pfn ||
		count + (uint64_t)span->count > DFMT_RUN_COUNT_MASK)
		return false;
	return kind == DFMT_RUN_DATA ||
	       span->arg == r->arg + (kind == DFMT_RUN_REPEAT ? count : 0);
}

static void
run_add(struct wpages *p, const struct wspan *span)
{
	struct dfmt_fmt_run *r = &p->runs[p->nr_runs];

	if (p->nr_runs && run_goes_on(r - 1, p->first_pfn, span)) {
		r[-1].count += span->count;
	} else {
		r->rel = (uint32_t)(span->pfn - p->first_pfn);
		r->count = span->count | span->kind << DFMT_RUN_KIND_SHIFT;
		r->arg = span->kind == DFMT_RUN_DATA ? p->nr_kind[DFMT_RUN_DATA]
						     : span->arg;
		p->nr_runs++;
	}
	p->nr_kind[span->kind] += span->count;
	p->nr_frames += span->count;
	p->last_pfn = span->pfn + span->count - 1;
}

static void
block_add(struct wpages *p, const struct wslot *s, const struct wblock *b)
{
	p->blocks[p->nr_blocks++] = (struct dfmt_fmt_block){
		.off = p->data_len,
		.len = b->len,
		.crc = b->crc,
		.codec = b->codec,
		.nr_frames = (uint16_t)s->nr_data,
	};
	memcpy(p->buf + TABLES_LEN + p->data_len, b->stored, b->len);
	p->data_len += b->len;
}

void
dfmt_w_pages_add(struct dfmt_writer *w, const struct wslot *s,
	const struct wblock *b)
{
	struct wpages *p = &w->pages;

	if (s->nr_spans == 0 || w->stop != STOP_NO)
		return;
	if (p->nr_frames && (!fits(p, s, b) || !device_has_room(w, s, b)))
		dfmt_w_pages_flush(w);
	if (w->stop == STOP_NO && !device_has_room(w, s, b))
		dfmt_w_stop(w, STOP_FULL, "the range is full");
	if (w->stop != STOP_NO)
		return;
	if (p->nr_frames == 0)
		p->first_pfn = s->spans[0].pfn;
	for (uint32_t i = 0; i < s->nr_spans; i++)
		run_add(p, &s->spans[i]);
	if (s->nr_data)
		block_add(p, s, b);
	if (s->closes)
		dfmt_w_pages_flush(w);
}

/* Puts header and tables right before the data; where the segment begins. */
static uint8_t *
tables_put(const struct dfmt_writer *w, uint32_t *data_off_out)
{
	const struct wpages *p = &w->pages;
	uint32_t len = (uint32_t)round_up(DFMT_SEG_HEADER_LEN + tables_len(p),
		w->out.align);
	uint8_t *start = p->buf + TABLES_LEN - len;
	struct dfmt_fmt_pages head = {
		.first_pfn = p->first_pfn,
		.last_pfn = p->last_pfn,
		.nr_runs = p->nr_runs,
		.nr_blocks = p->nr_blocks,
		.nr_frames = p->nr_frames,
		.nr_data = p->nr_kind[DFMT_RUN_DATA],
		.data_off = len - DFMT_SEG_HEADER_LEN,
		.class = p->class,
		.block_frames = w->block_frames,
	};
	uint8_t *at = start + DFMT_SEG_HEADER_LEN;

	memset(start, 0, len);
	memcpy(at, &head, sizeof(head));
	at += sizeof(head);
	memcpy(at, p->runs, p->nr_runs * sizeof(*p->runs));
	at += p->nr_runs * sizeof(*p->runs);
	memcpy(at, p->blocks, p->nr_blocks * sizeof(*p->blocks));
	*data_off_out = head.data_off;
	return start;
}

void
dfmt_w_pages_flush(struct dfmt_writer *w)
{
	struct wpages *p = &w->pages;
	uint32_t data_off;

	if (p->nr_frames == 0)
		return;

	struct wseg seg = { .type = DFMT_SEG_PAGES };

	seg.buf = tables_put(w, &data_off);
	seg.payload_len = data_off + p->data_len;
	seg.raw_len = seg.payload_len;
	seg.crc_len = tables_len(p);
	dfmt_w_fly(w, &seg);
	segment_begin(p);
}
