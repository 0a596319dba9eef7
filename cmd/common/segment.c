/* SPDX-License-Identifier: MIT */
/* Segments of the native format as bytes.  See segment.h. */
#include "cmd/common/segment.h"

#include <string.h>

static void
put(uint8_t *p, uint64_t value, unsigned int len)
{
	for (unsigned int i = 0; i < len; i++)
		p[i] = (uint8_t)(value >> (8 * i));
}

/* ---- headers -------------------------------------------------------------
 */

static bool
lengths_fit(const struct cmd_seg *s)
{
	return s->header_len >= DFMT_SEG_HEADER_LEN &&
	       s->total_len <= DFMT_SEGMENT_MAX &&
	       s->total_len % DFMT_ALIGN_MIN == 0 &&
	       dfmt_inside(s->header_len, s->payload_len, s->total_len) &&
	       s->crc_len <= s->payload_len;
}

bool
cmd_seg_decode(const struct dfmt_crc *crc, const uint8_t *bytes,
	uint64_t offset, struct cmd_seg *seg_out)
{
	struct cmd_seg s;

	if (memcmp(bytes, DFMT_SEG_MAGIC, 8) != 0 ||
		dfmt_le16(bytes + 8) != DFMT_FORMAT_MAJOR ||
		dfmt_crc32c(crc, bytes, 124) != dfmt_le32(bytes + 124))
		return false;
	s = (struct cmd_seg){
		.header_len = dfmt_le16(bytes + 10),
		.type = dfmt_le16(bytes + 12),
		.type_version = dfmt_le16(bytes + 14),
		.seq = dfmt_le64(bytes + 32),
		.offset = dfmt_le64(bytes + 40),
		.total_len = dfmt_le64(bytes + 48),
		.payload_len = dfmt_le64(bytes + 56),
		.raw_len = dfmt_le64(bytes + 64),
		.crc_len = dfmt_le32(bytes + 72),
		.payload_crc = dfmt_le32(bytes + 76),
		.codec = dfmt_le16(bytes + 80),
		.flags = dfmt_le16(bytes + 82),
	};
	memcpy(s.id, bytes + 16, sizeof(s.id));
	if (!lengths_fit(&s) || s.offset != offset)
		return false;
	*seg_out = s;
	return true;
}

void
cmd_seg_encode(const struct dfmt_crc *crc, const struct cmd_seg *seg,
	uint8_t *bytes)
{
	static const uint8_t magic[8] = DFMT_SEG_MAGIC;

	memset(bytes, 0, DFMT_SEG_HEADER_LEN);
	memcpy(bytes, magic, sizeof(magic));
	put(bytes + 8, DFMT_FORMAT_MAJOR, 2);
	put(bytes + 10, DFMT_SEG_HEADER_LEN, 2);
	put(bytes + 12, seg->type, 2);
	put(bytes + 14, seg->type_version, 2);
	memcpy(bytes + 16, seg->id, sizeof(seg->id));
	put(bytes + 32, seg->seq, 8);
	put(bytes + 40, seg->offset, 8);
	put(bytes + 48, seg->total_len, 8);
	put(bytes + 56, seg->payload_len, 8);
	put(bytes + 64, seg->raw_len, 8);
	put(bytes + 72, seg->crc_len, 4);
	put(bytes + 76, seg->payload_crc, 4);
	put(bytes + 80, seg->codec, 2);
	put(bytes + 82, seg->flags, 2);
	put(bytes + 124, dfmt_crc32c(crc, bytes, 124), 4);
}

/* ---- pages ---------------------------------------------------------------
 */

#define RUN_LEN ((uint64_t)sizeof(struct dfmt_fmt_run))
#define BLOCK_LEN ((uint64_t)sizeof(struct dfmt_fmt_block))
#define HEAD_LEN ((uint64_t)sizeof(struct dfmt_fmt_pages))

bool
cmd_pages_parse(const uint8_t *payload, uint64_t len,
	struct cmd_pages *pages_out)
{
	struct cmd_pages p;
	uint64_t tables;

	if (len < HEAD_LEN)
		return false;
	p = (struct cmd_pages){
		.first_pfn = dfmt_le64(payload),
		.last_pfn = dfmt_le64(payload + 8),
		.nr_runs = dfmt_le32(payload + 16),
		.nr_blocks = dfmt_le32(payload + 20),
		.nr_frames = dfmt_le32(payload + 24),
		.nr_data = dfmt_le32(payload + 28),
		.data_off = dfmt_le32(payload + 32),
		.class = dfmt_le32(payload + 36),
		.block_frames = dfmt_le32(payload + 40),
		.runs = payload + HEAD_LEN,
	};
	tables = HEAD_LEN + p.nr_runs * RUN_LEN + p.nr_blocks * BLOCK_LEN;
	if (tables > len || p.data_off < tables || p.first_pfn > p.last_pfn ||
		p.last_pfn >= DFMT_MAX_PFN || p.class >= 8)
		return false;
	p.blocks = p.runs + p.nr_runs * RUN_LEN;
	p.data = payload + p.data_off;
	p.data_len = p.data_off < len ? len - p.data_off : 0;
	*pages_out = p;
	return true;
}

struct cmd_run
cmd_pages_run(const struct cmd_pages *pages, uint32_t i)
{
	const uint8_t *p = pages->runs + i * RUN_LEN;
	uint32_t word = dfmt_le32(p + 4);

	return (struct cmd_run){
		.rel = dfmt_le32(p),
		.count = word & DFMT_RUN_COUNT_MASK,
		.kind = word >> DFMT_RUN_KIND_SHIFT,
		.arg = dfmt_le64(p + 8),
	};
}

struct cmd_block
cmd_pages_block(const struct cmd_pages *pages, uint32_t i)
{
	const uint8_t *p = pages->blocks + i * BLOCK_LEN;

	return (struct cmd_block){
		.off = dfmt_le32(p),
		.len = dfmt_le32(p + 4),
		.crc = dfmt_le32(p + 8),
		.codec = dfmt_le16(p + 12),
		.nr_frames = dfmt_le16(p + 14),
	};
}

const uint8_t *
cmd_pages_data(const struct cmd_pages *pages, const struct cmd_block *block)
{
	if (!dfmt_inside(block->off, block->len, pages->data_len))
		return NULL;
	return pages->data + block->off;
}

/* ---- checking ------------------------------------------------------------
 */

static void
count_frames(const struct cmd_pages *pages, struct cmd_counts *n)
{
	uint64_t *const counts[] = { &n->nr_data, &n->nr_fill, &n->nr_repeat,
		&n->nr_lost };

	for (uint32_t i = 0; i < pages->nr_runs; i++) {
		struct cmd_run run = cmd_pages_run(pages, i);

		if (run.kind > DFMT_RUN_LOST)
			continue;
		*counts[run.kind] += run.count;
		if (run.kind != DFMT_RUN_LOST)
			n->nr_class[pages->class] += run.count;
	}
}

static void
check_blocks(const struct dfmt_crc *crc, const uint8_t *payload, uint64_t len,
	struct cmd_counts *n)
{
	struct cmd_pages pages;

	if (!cmd_pages_parse(payload, len, &pages)) {
		n->nr_bad_segments++;
		return;
	}
	count_frames(&pages, n);
	for (uint32_t i = 0; i < pages.nr_blocks; i++) {
		struct cmd_block block = cmd_pages_block(&pages, i);
		const uint8_t *data = cmd_pages_data(&pages, &block);

		if (data == NULL ||
			dfmt_crc32c(crc, data, block.len) != block.crc)
			n->nr_bad_blocks++;
	}
}

void
cmd_seg_check(const struct dfmt_crc *crc, const struct cmd_seg *seg,
	const uint8_t *bytes, struct cmd_tally *tally)
{
	const uint8_t *payload = bytes + seg->header_len;

	if (tally->n.nr_segments > 0 && seg->seq == tally->last_seq)
		tally->n = tally->before;
	tally->before = tally->n;
	tally->last_seq = seg->seq;
	tally->n.nr_segments++;
	tally->bytes += seg->total_len;
	tally->crc = dfmt_crc32c_more(crc, tally->crc, bytes,
		(size_t)seg->total_len);
	if (dfmt_crc32c(crc, payload, seg->crc_len) != seg->payload_crc)
		tally->n.nr_bad_segments++;
	else if (seg->type == DFMT_SEG_PAGES && seg->type_version == 0 &&
		 !(seg->flags & DFMT_SEG_ENCRYPTED))
		check_blocks(crc, payload, seg->payload_len, &tally->n);
}
