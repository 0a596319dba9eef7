/* SPDX-License-Identifier: MIT */
/* Segments, index and end record written on a host.  See emit.h. */
#include "cmd/common/emit.h"

#include "mdb/base/alloc.h"

#include <stdlib.h>
#include <string.h>

#define INDEX_HEAD ((size_t)sizeof(struct dfmt_fmt_index))
#define ENTRY_LEN ((size_t)sizeof(struct dfmt_fmt_entry))
#define INDEX_LEN \
	(DFMT_SEG_HEADER_LEN + INDEX_HEAD + CMD_INDEX_ENTRIES * ENTRY_LEN)

void
cmd_emit_init(struct cmd_emit *e, struct cmd_output *out, const uint8_t *id,
	uint32_t align)
{
	*e = (struct cmd_emit){ .out = out, .align = align };
	memcpy(e->id, id, sizeof(e->id));
	dfmt_crc_init(&e->crc, __builtin_cpu_supports("sse4.2"));
}

void
cmd_emit_fini(struct cmd_emit *e)
{
	for (size_t c = 0; c < CMD_INDEX_CLASSES; c++) {
		for (size_t l = 0; l < CMD_INDEX_LEVELS; l++)
			free(e->index[c][l].payload);
	}
}

uint64_t
cmd_emit_total(const struct cmd_emit *e, uint64_t payload_len)
{
	uint64_t len = DFMT_SEG_HEADER_LEN + payload_len;

	return (len + e->align - 1) / e->align * e->align;
}

enum cmd_status
cmd_emit_segment(struct cmd_emit *e, struct cmd_seg *seg, uint8_t *bytes,
	struct cmd_error *err)
{
	enum cmd_status st;
	uint64_t used = DFMT_SEG_HEADER_LEN + seg->payload_len;

	memcpy(seg->id, e->id, sizeof(seg->id));
	seg->header_len = DFMT_SEG_HEADER_LEN;
	seg->seq = e->seq;
	seg->offset = e->at;
	if (seg->total_len == 0)
		seg->total_len = cmd_emit_total(e, seg->payload_len);
	if (!e->keep_crc)
		seg->payload_crc = dfmt_crc32c(&e->crc,
			bytes + DFMT_SEG_HEADER_LEN, seg->crc_len);
	memset(bytes + used, 0, seg->total_len - used);
	cmd_seg_encode(&e->crc, seg, bytes);
	st = cmd_output_write(e->out, bytes, seg->total_len, e->at, err);
	if (st != CMD_OK)
		return st;
	e->written_crc = dfmt_crc32c_more(&e->crc, e->written_crc, bytes,
		seg->total_len);
	e->at += seg->total_len;
	e->seq++;
	return CMD_OK;
}

/* ---- the index -----------------------------------------------------------
 */

static enum cmd_status index_add(struct cmd_emit *e, uint32_t class,
	uint32_t level, const struct cmd_entry *entry, struct cmd_error *err);

/* Writes the entries gathered on a level, and hands their sum upwards. */
static enum cmd_status
index_flush(struct cmd_emit *e, uint32_t class, uint32_t level,
	struct cmd_entry *entry_out, struct cmd_error *err)
{
	struct cmd_index_level *l = &e->index[class][level];
	struct dfmt_fmt_index head = {
		.level = level,
		.nr_entries = l->nr,
		.class = class,
	};
	struct cmd_seg seg = {
		.type = DFMT_SEG_INDEX,
		.payload_len = INDEX_HEAD + l->nr * ENTRY_LEN,
	};
	enum cmd_status st;

	seg.raw_len = seg.payload_len;
	seg.crc_len = (uint32_t)seg.payload_len;
	memcpy(l->payload + DFMT_SEG_HEADER_LEN, &head, sizeof(head));
	st = cmd_emit_segment(e, &seg, l->payload, err);
	if (st != CMD_OK)
		return st;
	*entry_out = l->sum;
	entry_out->offset = seg.offset;
	entry_out->total_len = (uint32_t)seg.total_len;
	l->nr = 0;
	l->nr_written++;
	return CMD_OK;
}

static void
index_put(struct cmd_index_level *l, const struct cmd_entry *entry)
{
	struct dfmt_fmt_entry raw = {
		.first_pfn = entry->first_pfn,
		.last_pfn = entry->last_pfn,
		.offset = entry->offset,
		.total_len = entry->total_len,
		.nr_frames = entry->nr_frames,
	};

	if (l->payload == NULL)
		l->payload = mdb_xalloc(INDEX_LEN + DFMT_ALIGN_MAX);
	if (l->nr == 0)
		l->sum = (struct cmd_entry){ .first_pfn = entry->first_pfn };
	memcpy(l->payload + DFMT_SEG_HEADER_LEN + INDEX_HEAD +
			l->nr++ * ENTRY_LEN,
		&raw, sizeof(raw));
	l->sum.last_pfn = entry->last_pfn;
	if (l->sum.nr_frames > UINT32_MAX - entry->nr_frames)
		l->sum.nr_frames = UINT32_MAX;
	else
		l->sum.nr_frames += entry->nr_frames;
}

static enum cmd_status
index_add(struct cmd_emit *e, uint32_t class, uint32_t level,
	const struct cmd_entry *entry, struct cmd_error *err)
{
	struct cmd_index_level *l = &e->index[class][level];
	struct cmd_entry sum;
	enum cmd_status st;

	if (level + 1 >= CMD_INDEX_LEVELS && l->nr == CMD_INDEX_ENTRIES) {
		e->unordered = true;
		return CMD_OK;
	}
	if (l->nr == CMD_INDEX_ENTRIES) {
		st = index_flush(e, class, level, &sum, err);
		if (st == CMD_OK)
			st = index_add(e, class, level + 1, &sum, err);
		if (st != CMD_OK)
			return st;
	}
	index_put(l, entry);
	return CMD_OK;
}

enum cmd_status
cmd_emit_index(struct cmd_emit *e, uint32_t class,
	const struct cmd_entry *entry, struct cmd_error *err)
{
	const struct cmd_index_level *l = &e->index[class][0];

	/* sum.last_pfn stays when a level was written out. */
	if ((l->nr > 0 || l->nr_written > 0) &&
		entry->first_pfn <= l->sum.last_pfn)
		e->unordered = true;
	if (e->unordered)
		return CMD_OK;
	return index_add(e, class, 0, entry, err);
}

static void
root_add(struct cmd_emit *e, uint32_t class, uint32_t level,
	const struct cmd_entry *entry)
{
	e->roots[e->nr_roots++] = (struct dfmt_fmt_root){
		.class = class,
		.level = level,
		.first_pfn = entry->first_pfn,
		.last_pfn = entry->last_pfn,
		.offset = entry->offset,
		.total_len = entry->total_len,
		.nr_frames = entry->nr_frames,
	};
}

/* A level below the top is written and goes into the one above. */
static enum cmd_status
index_close_class(struct cmd_emit *e, uint32_t class, struct cmd_error *err)
{
	struct cmd_index_level *levels = e->index[class];
	struct cmd_entry sum;
	enum cmd_status st;

	if (levels[0].nr == 0)
		return CMD_OK;
	for (uint32_t l = 0; l < CMD_INDEX_LEVELS; l++) {
		st = index_flush(e, class, l, &sum, err);
		if (st != CMD_OK)
			return st;
		if (levels[l].nr_written == 1) {
			root_add(e, class, l, &sum);
			return CMD_OK;
		}
		if (l + 1 == CMD_INDEX_LEVELS)
			break;
		st = index_add(e, class, l + 1, &sum, err);
		if (st != CMD_OK)
			return st;
	}
	e->unordered = true;
	return CMD_OK;
}

enum cmd_status
cmd_emit_end(struct cmd_emit *e, struct dfmt_fmt_end *end,
	struct cmd_error *err)
{
	uint8_t bytes[DFMT_END_LEN] = { 0 };
	struct cmd_seg seg = {
		.type = DFMT_SEG_END,
		.total_len = DFMT_END_LEN,
		.payload_len = sizeof(*end),
		.raw_len = sizeof(*end),
		.crc_len = sizeof(*end),
	};
	enum cmd_status st = CMD_OK;

	e->nr_roots = 0;
	for (uint32_t c = 0; c < CMD_INDEX_CLASSES && st == CMD_OK; c++)
		st = index_close_class(e, c, err);
	if (st != CMD_OK)
		return st;
	if (e->unordered)
		e->nr_roots = 0;
	end->flags = e->unordered ? 0 : DFMT_END_INDEXED;
	end->nr_segments = e->seq;
	end->end = e->at + DFMT_END_LEN;
	end->nr_roots = e->nr_roots;
	memset(end->roots, 0, sizeof(end->roots));
	memcpy(end->roots, e->roots, e->nr_roots * sizeof(e->roots[0]));
	memcpy(bytes + DFMT_SEG_HEADER_LEN, end, sizeof(*end));
	return cmd_emit_segment(e, &seg, bytes, err);
}
