/* SPDX-License-Identifier: MIT */
/* Native dumps as they lie on a device.  See native.h. */
#include "cmd/common/native.h"

#include <stdlib.h>
#include <string.h>

#define PIECE 4096u
#define LOOK_AHEAD (UINT64_C(64) << 20)
#define WINDOW (256u << 10)

/* ---- reading what may not be readable ------------------------------------
 */

static void
read_pieces(struct cmd_native *n, uint8_t *buf, uint64_t len, uint64_t off)
{
	for (uint64_t at = 0; at < len; at += PIECE) {
		size_t piece = (size_t)dfmt_min(PIECE, len - at);

		if (cmd_pread_all(n->dev->fd, buf + at, piece, off + at))
			continue;
		memset(buf + at, 0, piece);
		n->nr_read_errors++;
	}
}

/* len bytes at off of the device, zeros where it refuses. */
static void
read_hard(struct cmd_native *n, uint8_t *buf, uint64_t len, uint64_t off)
{
	if (!cmd_pread_all(n->dev->fd, buf, (size_t)len, off))
		read_pieces(n, buf, len, off);
}

uint64_t
cmd_native_read(struct cmd_native *n, const struct cmd_seg *seg, uint8_t *buf)
{
	uint64_t got =
		seg->offset >= n->limit
			? 0
			: dfmt_min(seg->total_len, n->limit - seg->offset);

	read_hard(n, buf, got, n->base + seg->offset);
	memset(buf + got, 0, seg->total_len - got);
	return got;
}

static bool
header_at(struct cmd_native *n, uint64_t base, uint64_t offset,
	struct cmd_seg *seg_out)
{
	uint8_t bytes[DFMT_SEG_HEADER_LEN];

	return cmd_pread_all(n->dev->fd, bytes, sizeof(bytes), base + offset) &&
	       cmd_seg_decode(&n->crc, bytes, offset, seg_out);
}

/* ---- the scan ------------------------------------------------------------
 */

/*
 * Does the scan go on here, coming from seq `after`?  The same seq again is
 * the second try of a write that failed half-way.
 */
static bool
continues(const struct cmd_native *n, const struct cmd_seg *s, uint64_t after)
{
	return memcmp(s->id, n->triage.id, sizeof(s->id)) == 0 &&
	       s->seq >= after;
}

/* The first segment of the dump in [from, end) behind seq `after`. */
static bool
look_ahead(struct cmd_native *n, uint64_t from, uint64_t end, uint64_t after,
	struct cmd_seg *seg_out)
{
	uint8_t *window = malloc(WINDOW);
	bool found = false;

	for (uint64_t at = from; window != NULL && !found && at < end;
		at += WINDOW) {
		uint64_t len = dfmt_min(WINDOW, n->limit - at);

		read_hard(n, window, len, n->base + at);
		for (uint64_t i = 0; !found && i + DFMT_SEG_HEADER_LEN <= len &&
				     at + i < end;
			i += n->align)
			found = cmd_seg_decode(&n->crc, window + i, at + i,
					seg_out) &&
				continues(n, seg_out, after);
	}
	free(window);
	return found;
}

bool
cmd_native_next(struct cmd_native *n, const struct cmd_seg *prev,
	struct cmd_seg *seg_out, uint64_t *gap_out, uint64_t *lost_out)
{
	struct cmd_seg seg;
	uint64_t at, end;

	*gap_out = *lost_out = 0;
	if (prev == NULL) {
		*seg_out = n->triage;
		return n->found;
	}
	at = prev->offset + prev->total_len;
	at = (at + n->align - 1) / n->align * n->align;
	if (at >= n->limit || (n->has_end && prev->offset >= n->end_offset))
		return false;
	end = dfmt_min(n->limit, at + LOOK_AHEAD);
	/* Behind an end only what a tool appended, which follows at once. */
	if (prev->type == DFMT_SEG_END && !n->has_end)
		end = at;
	if (!(header_at(n, n->base, at, &seg) &&
		    continues(n, &seg, prev->seq)) &&
		!look_ahead(n, at, end, prev->seq, &seg))
		return false;
	*gap_out = seg.offset - at;
	*lost_out = seg.seq == prev->seq ? 0 : seg.seq - prev->seq - 1;
	*seg_out = seg;
	return true;
}

/* ---- finding the dump ----------------------------------------------------
 */

/* false: the record says that the dump is another device's. */
static bool
take_head(struct cmd_native *n, uint64_t base, const struct cmd_seg *seg)
{
	uint8_t head[128];

	n->has_head = cmd_pread_all(n->dev->fd, head, sizeof(head),
			      base + seg->header_len) &&
		      dfmt_crc32c(&n->crc, head, 124) == dfmt_le32(head + 124);
	n->generation = n->time_sec = 0;
	n->align = DFMT_ALIGN_MIN;
	n->page_shift = 12;
	n->block_frames = 0;
	if (!n->has_head)
		return true;
	n->generation = dfmt_le64(head);
	n->time_sec = dfmt_le64(head + 8);
	n->page_shift = dfmt_le32(head + 28);
	n->block_frames = dfmt_le32(head + 36);
	if (dfmt_le32(head + 32) == DFMT_ALIGN_MAX)
		n->align = DFMT_ALIGN_MAX;
	n->has_head = n->page_shift >= 12 && n->page_shift <= 16;
	return !n->labelled ||
	       memcmp(head + 72, n->label.uuid, DFMT_ID_LEN) == 0;
}

/* A triage segment at base: the dump, unless a newer one was found. */
static void
try_base(struct cmd_native *n, uint64_t base, uint64_t end)
{
	struct cmd_native best = *n;
	struct cmd_seg seg;

	if (!header_at(n, base, 0, &seg) || seg.type != DFMT_SEG_TRIAGE ||
		seg.seq != 0 || base >= end)
		return;
	if (!take_head(n, base, &seg) ||
		(best.found && best.generation > n->generation)) {
		*n = best;
		return;
	}
	n->found = true;
	n->base = base;
	n->limit = end - base;
	n->triage = seg;
	n->encrypted = seg.flags & DFMT_SEG_ENCRYPTED;
}

/* Reads the end segment whose bytes are at `at` of the device. */
static bool
try_end(struct cmd_native *n, uint64_t at)
{
	uint8_t bytes[DFMT_END_LEN];
	const uint8_t *payload = bytes + DFMT_SEG_HEADER_LEN;
	struct cmd_seg seg;

	if (!cmd_pread_all(n->dev->fd, bytes, sizeof(bytes), at) ||
		!cmd_seg_decode(&n->crc, bytes, dfmt_le64(bytes + 40), &seg) ||
		seg.type != DFMT_SEG_END || seg.type_version != 0 ||
		memcmp(seg.id, n->triage.id, sizeof(seg.id)) != 0 ||
		seg.crc_len < sizeof(struct dfmt_fmt_end) ||
		seg.header_len + (uint64_t)seg.crc_len > sizeof(bytes) ||
		dfmt_crc32c(&n->crc, payload, seg.crc_len) != seg.payload_crc ||
		!dfmt_inside(seg.offset, seg.total_len, n->limit))
		return false;
	n->has_end = true;
	n->end_offset = seg.offset;
	n->end_len = seg.offset + seg.total_len;
	n->end_status = dfmt_le32(payload);
	n->end_flags = dfmt_le32(payload + 4);
	return true;
}

/* Where segments end: before the anchor, or where a cut device ends. */
static uint64_t
area_end(const struct cmd_native *n)
{
	uint64_t len = n->dev->len / DFMT_LABEL_LEN * DFMT_LABEL_LEN;

	if (n->labelled)
		return dfmt_min(n->label.range_len - DFMT_ANCHOR_FROM_END,
			n->dev->len);
	return len < DFMT_MIN_RANGE ? n->dev->len : len - DFMT_ANCHOR_FROM_END;
}

static void
find_in_label(struct cmd_native *n)
{
	uint64_t end = area_end(n);

	for (unsigned int k = 0; k < DFMT_NR_SLOTS; k++)
		try_base(n, DFMT_SLOT_OFFSET(k), end);
	/* The copy tells where the original is; that one must be there. */
	if (n->found && try_end(n, end) && !try_end(n, n->base + n->end_offset))
		n->has_end = false;
}

enum cmd_status
cmd_native_open(struct cmd_native *n, const struct cmd_device *dev,
	struct cmd_error *err)
{
	struct dfmt_err why = { 0 };
	enum dfmt_status st;

	*n = (struct cmd_native){ .dev = dev };
	dfmt_crc_init(&n->crc, __builtin_cpu_supports("sse4.2"));
	st = dfmt_label_read(dev->fd, dev->len, &n->label, &n->label_state,
		&why);
	if (st == DFMT_E_IO && why.sys_errno != 0 && dev->len < DFMT_MIN_RANGE)
		return cmd_fail_dfmt(err, CMD_OPEN, dev->path, &why);
	n->labelled = st == DFMT_OK;
	n->torn = !n->labelled && n->label_state.magic;
	if (n->labelled || n->torn) {
		find_in_label(n);
	} else {
		try_base(n, 0, dev->len);
		if (n->found && dev->len >= DFMT_END_LEN)
			(void)try_end(n, dev->len - DFMT_END_LEN);
	}
	return CMD_OK;
}

bool
cmd_native_saved(const struct cmd_native *n)
{
	return n->labelled && n->found &&
	       memcmp(n->label.saved_id, n->triage.id, DFMT_ID_LEN) == 0;
}
