/* SPDX-License-Identifier: MIT */
/*
 * The index of a dump whose writer did not come to write it, made from the
 * headers of the pages segments that were saved, and the end record behind it.
 */
#include "cmd/savecore/save.h"

#include <stdio.h>
#include <string.h>

/* An entry waits for the next segment, which may take its segment's place. */
struct waiting {
	bool any;
	uint32_t class;
	struct cmd_entry entry;
};

static void
take_pages(struct waiting *w, const struct cmd_native *n,
	const struct cmd_seg *seg)
{
	uint8_t head[sizeof(struct dfmt_fmt_pages)];

	w->any = seg->type == DFMT_SEG_PAGES && seg->type_version == 0 &&
		 cmd_pread_all(n->dev->fd, head, sizeof(head),
			 seg->offset + seg->header_len);
	if (!w->any)
		return;
	w->entry = (struct cmd_entry){
		.first_pfn = dfmt_le64(head),
		.last_pfn = dfmt_le64(head + 8),
		.offset = seg->offset,
		.total_len = (uint32_t)seg->total_len,
		.nr_frames = dfmt_le32(head + 24),
	};
	w->class = dfmt_le32(head + 36);
	w->any = w->entry.first_pfn <= w->entry.last_pfn &&
		 w->class < CMD_INDEX_CLASSES;
}

static enum cmd_status
walk(struct cmd_emit *e, struct cmd_native *n, struct cmd_error *err)
{
	struct waiting waiting = { 0 };
	enum cmd_status st = CMD_OK;
	struct cmd_seg seg, prev = { 0 };
	uint64_t gap, lost;

	for (bool any = cmd_native_next(n, NULL, &seg, &gap, &lost);
		any && st == CMD_OK;
		any = cmd_native_next(n, &prev, &seg, &gap, &lost)) {
		if (waiting.any && seg.seq != prev.seq)
			st = cmd_emit_index(e, waiting.class, &waiting.entry,
				err);
		take_pages(&waiting, n, &seg);
		prev = seg;
	}
	if (waiting.any && st == CMD_OK)
		st = cmd_emit_index(e, waiting.class, &waiting.entry, err);
	return st;
}

enum cmd_status
save_reindex(struct cmd_emit *e, uint64_t seq, uint64_t at,
	struct dfmt_fmt_end *end, struct cmd_error *err)
{
	struct cmd_device part = {
		.path = e->out->part,
		.fd = e->out->fd,
		.len = at,
	};
	struct cmd_native n;
	enum cmd_status st = cmd_native_open(&n, &part, err);

	e->seq = seq;
	e->at = at;
	if (st == CMD_OK)
		st = walk(e, &n, err);
	return st == CMD_OK ? cmd_emit_end(e, end, err) : st;
}

void
save_end_made_up(struct dfmt_fmt_end *end, const struct cmd_counts *tally,
	uint64_t meta_end, uint32_t page_shift)
{
	*end = (struct dfmt_fmt_end){
		.status = DFMT_END_STOPPED,
		.meta_end = meta_end,
		.nr_data = tally->nr_data,
		.nr_fill = tally->nr_fill,
		.nr_repeat = tally->nr_repeat,
		.nr_lost = tally->nr_lost,
	};
	end->raw_len = (end->nr_data + end->nr_fill + end->nr_repeat)
		       << page_shift;
	for (size_t i = 0; i < 8; i++)
		end->classes[i].nr_seen = end->classes[i].nr_written =
			tally->nr_class[i];
	(void)snprintf(end->why, sizeof(end->why), "%s",
		"the dump ended without an end record; savecore made this one");
}
