/* SPDX-License-Identifier: MIT */
/*
 * A copy with the pages coded anew: blocks of 64 KiB by zstd instead of what
 * the dying machine could afford.  Neighbouring pages segments are joined into
 * groups of some MiB; the runs stay as they are but for frames whose block is
 * damaged, which become lost.  Everything else is carried over; the index is
 * made anew.
 *
 * Which segments form a group follows from their heads alone, so that a run
 * that goes on with a part finds the same groups, and takes what is whole.
 */
#include "cmd/savecore/recode.h"

#include "cmd/common/zstd.h"
#include "dfmt-codec.h"
#include "mdb/base/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- segments that are not pages -----------------------------------------
 */

/* The triage record says how large blocks and alignment are. */
static void
patch_triage(struct recode *r, uint8_t *payload)
{
	uint32_t crc, frames = r->block_frames;

	if (!r->n->has_head)
		return;
	memcpy(payload + 36, &frames, sizeof(frames));
	crc = dfmt_crc32c(&r->e.crc, payload, 124);
	memcpy(payload + 124, &crc, sizeof(crc));
}

static enum cmd_status
carry_over(struct recode *r, const struct cmd_seg *seg, struct cmd_error *err)
{
	struct cmd_tally *tally = &r->result->tally;
	struct cmd_seg copy = *seg;
	enum cmd_status st;
	bool bad;

	r->result->cut = cmd_native_read(r->n, seg, r->in) < seg->total_len;
	cmd_seg_check(&r->n->crc, seg, r->in, tally);
	bad = tally->n.nr_bad_segments > tally->before.nr_bad_segments;
	if (seg->type == DFMT_SEG_END && !bad &&
		seg->payload_len >= sizeof(r->end)) {
		memcpy(&r->end, r->in + seg->header_len, sizeof(r->end));
		r->has_end = true;
	}
	if (seg->type == DFMT_SEG_END || seg->type == DFMT_SEG_INDEX)
		return CMD_OK;
	if (seg->type == DFMT_SEG_TRIAGE && !bad)
		patch_triage(r, r->in + seg->header_len);
	if (seg->header_len != DFMT_SEG_HEADER_LEN)
		memmove(r->in + DFMT_SEG_HEADER_LEN, r->in + seg->header_len,
			seg->payload_len);
	copy.total_len = seg->type == DFMT_SEG_TRIAGE ? seg->total_len : 0;
	r->e.keep_crc = bad;
	st = cmd_emit_segment(&r->e, &copy, r->in, err);
	r->e.keep_crc = false;
	r->nr_kept_bad += bad;
	if (seg->type <= DFMT_SEG_BLOB)
		r->meta_end = r->e.at;
	return st;
}

/* ---- groups --------------------------------------------------------------
 */

/* Does the segment go into the group that there is? */
static bool
joins(const struct recode *r, const struct cmd_pages *p)
{
	const struct cmd_pages *first = &r->group[0].pages;
	const struct cmd_pages *last = &r->group[r->nr_group - 1].pages;

	return r->nr_group < GROUP_SEGMENTS && p->class == first->class &&
	       p->first_pfn > last->last_pfn &&
	       p->last_pfn - first->first_pfn <= UINT32_MAX &&
	       r->group_data + (uint64_t)p->nr_data * r->page <= GROUP_LEN &&
	       r->group_runs + p->nr_runs + p->nr_data <= GROUP_RUNS;
}

/* The head of a pages segment; false: it is none that can be re-coded. */
static bool
read_head(struct recode *r, const struct cmd_seg *seg,
	struct cmd_pages *pages_out)
{
	uint8_t head[sizeof(struct dfmt_fmt_pages)];

	if (seg->type != DFMT_SEG_PAGES || seg->type_version != 0 ||
		seg->flags != 0 || seg->offset + seg->total_len > r->n->limit ||
		!cmd_pread_all(r->n->dev->fd, head, sizeof(head),
			r->n->base + seg->offset + seg->header_len))
		return false;
	*pages_out = (struct cmd_pages){
		.first_pfn = dfmt_le64(head),
		.last_pfn = dfmt_le64(head + 8),
		.nr_runs = dfmt_le32(head + 16),
		.nr_blocks = dfmt_le32(head + 20),
		.nr_frames = dfmt_le32(head + 24),
		.nr_data = dfmt_le32(head + 28),
		.class = dfmt_le32(head + 36),
		.block_frames = dfmt_le32(head + 40),
	};
	return pages_out->first_pfn <= pages_out->last_pfn &&
	       pages_out->class < CMD_INDEX_CLASSES &&
	       (uint64_t)pages_out->nr_data * r->page <= GROUP_LEN &&
	       (uint64_t)pages_out->nr_runs + pages_out->nr_data <= GROUP_RUNS;
}

static enum cmd_status
take_segment(struct recode *r, const struct cmd_seg *seg, struct cmd_error *err)
{
	struct cmd_pages pages;
	enum cmd_status st = CMD_OK;

	if (!read_head(r, seg, &pages)) {
		st = save_group_flush(r, err);
		if (st == CMD_OK && seg->type == DFMT_SEG_PAGES)
			return save_carry_pages(r, seg, &r->result->tally, err);
		return st == CMD_OK ? carry_over(r, seg, err) : st;
	}
	if (r->nr_group > 0 && !joins(r, &pages))
		st = save_group_flush(r, err);
	r->group[r->nr_group++] = (struct member){ *seg, pages };
	r->group_data += (uint64_t)pages.nr_data * r->page;
	r->group_runs += pages.nr_runs + pages.nr_data;
	return st;
}

/* A segment waits for the next one, which may take its place. */
static enum cmd_status
walk(struct recode *r, struct cmd_seg *last_out, struct cmd_error *err)
{
	struct cmd_seg seg, prev = { 0 };
	enum cmd_status st = CMD_OK;
	uint64_t gap, lost;
	bool any = cmd_native_next(r->n, NULL, &prev, &gap, &lost);

	while (any && st == CMD_OK) {
		any = cmd_native_next(r->n, &prev, &seg, &gap, &lost);
		if (!any || seg.seq != prev.seq)
			st = take_segment(r, &prev, err);
		*last_out = prev;
		r->result->nr_gaps += any && gap != 0;
		r->result->gap_bytes += any ? gap : 0;
		r->result->nr_lost_segments += any ? lost : 0;
		cmd_progress_set(&r->progress, prev.offset + prev.total_len);
		prev = seg;
	}
	return st == CMD_OK ? save_group_flush(r, err) : st;
}

/* ---- the whole -----------------------------------------------------------
 */

static enum cmd_status
finish(struct recode *r, const struct cmd_seg *last,
	const struct save_options *opt, struct cmd_error *err)
{
	struct save_result *result = r->result;
	enum cmd_status st;

	result->has_end = r->has_end;
	result->end_status = r->end.status;
	result->nr_read_errors = r->n->nr_read_errors;
	result->growing =
		!r->has_end && !opt->no_wait && save_growing(r->n, last);
	if (result->growing && !opt->force)
		return CMD_OK;
	if (!r->has_end)
		save_end_made_up(&r->end, &result->tally.n, r->meta_end,
			r->n->page_shift);
	r->end.meta_end = r->meta_end;
	r->end.appended = 0;
	r->end.nr_data -= dfmt_min(r->nr_made_lost, r->end.nr_data);
	r->end.nr_lost += r->nr_made_lost;
	st = cmd_emit_end(&r->e, &r->end, err);
	result->len = r->e.at;
	result->crc = r->e.written_crc;
	result->reindexed = !r->has_end;
	result->nr_kept_bad = r->nr_kept_bad;
	return st;
}

/* Parts of other dumps are of no use. */
static void
look_at_part(struct recode *r)
{
	uint8_t bytes[DFMT_SEG_HEADER_LEN];
	struct cmd_seg seg;

	r->resuming = r->out->resumed &&
		      cmd_pread_all(r->out->fd, bytes, sizeof(bytes), 0) &&
		      cmd_seg_decode(&r->n->crc, bytes, 0, &seg) &&
		      memcmp(seg.id, r->n->triage.id, DFMT_ID_LEN) == 0;
	if (!r->resuming)
		(void)!ftruncate(r->out->fd, 0);
}

enum cmd_status
save_recode(struct cmd_native *n, struct cmd_output *out,
	const struct save_options *opt, struct save_result *result_out,
	struct cmd_error *err)
{
	struct recode r = {
		.n = n,
		.out = out,
		.result = result_out,
		.page = 1u << n->page_shift,
	};
	struct cmd_seg last = n->triage;
	enum cmd_status st;

	*result_out = (struct save_result){ 0 };
	r.block_frames = opt->block / r.page;
	if (r.block_frames == 0)
		r.block_frames = 1;
	cmd_emit_init(&r.e, out, n->triage.id, n->align);
	save_group_init(&r, opt->level);
	look_at_part(&r);
	cmd_progress_start(&r.progress, "saving",
		n->has_end ? n->end_len : n->limit, opt->verbose);
	st = walk(&r, &last, err);
	cmd_progress_end(&r.progress, last.offset + last.total_len);
	if (st == CMD_OK)
		st = finish(&r, &last, opt, err);
	save_group_fini(&r);
	cmd_emit_fini(&r.e);
	return st;
}
