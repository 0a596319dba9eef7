/* SPDX-License-Identifier: MIT */
/*
 * Where a native dump begins and ends: its label, the slot that was used, its
 * first segment, its end record.
 */
#include "dfmt-native.h"

#include <string.h>

#define END_PAYLOAD sizeof(struct dfmt_fmt_end)

/* ---- where the dump begins ---------------------------------------------- */

enum dfmt_status
dfmt_nmagic_check(struct dfmt_source *src, bool *labelled_out,
	struct dfmt_err *err)
{
	uint8_t p[8];
	size_t len = dfmt_min(src->size, sizeof(p));
	enum dfmt_status st = dfmt_source_read(src, 0, p, len, err);

	if (st != DFMT_OK)
		return st;
	bool label = memcmp(p, DFMT_LABEL_MAGIC, len) == 0;
	bool segment = memcmp(p, DFMT_SEG_MAGIC, len) == 0;
	if (len == 0 || (!label && !segment))
		return DFMT_E_FORMAT;
	if (len < sizeof(p))
		return dfmt_fail(err, DFMT_E_FORMAT,
			"begins like a native dump, and ends within 8 bytes",
			len, DFMT_NONE);
	*labelled_out = label;
	return DFMT_OK;
}

static bool
label_at(const struct dfmt_nstate *n, uint64_t off, struct dfmt_label *label)
{
	uint8_t p[DFMT_LABEL_LEN];

	return dfmt_source_read(n->src, off, p, sizeof(p), NULL) == DFMT_OK &&
	       dfmt_label_decode(p, label, NULL) == DFMT_OK;
}

void
dfmt_nlabel_look(struct dfmt_nstate *n)
{
	struct dfmt_label last;
	uint64_t size = n->src->size;

	n->has_label = label_at(n, 0, &n->label);
	uint64_t end = n->has_label ? n->label.range_len : size;
	if (end >= DFMT_MIN_RANGE && label_at(n, end - DFMT_LABEL_LEN, &last) &&
		last.range_len == end &&
		(!n->has_label ||
			(memcmp(last.uuid, n->label.uuid, DFMT_ID_LEN) == 0 &&
				last.change > n->label.change))) {
		n->label = last;
		n->has_label = true;
	}
	n->range_len = n->has_label ? n->label.range_len : size;
}

/* A later version of the format must not be read as this one. */
static enum dfmt_status
major_check(const struct dfmt_nstate *n, const uint8_t *p, uint64_t off,
	struct dfmt_err *err)
{
	if (memcmp(p, DFMT_SEG_MAGIC, 8) != 0 ||
		dfmt_le16(p + 8) == DFMT_FORMAT_MAJOR ||
		dfmt_le32(p + 124) != dfmt_crc32c(&n->crc, p, 124))
		return DFMT_OK;
	enum dfmt_status st = dfmt_fail(err, DFMT_E_UNSUPPORTED,
		"a later version of the native format", off, DFMT_NONE);

	dfmt_detail(err, "version %u", dfmt_le16(p + 8));
	return st;
}

/* A dump may begin at base: DFMT_E_LOST when none does. */
static enum dfmt_status
first_at(const struct dfmt_nstate *n, uint64_t base,
	struct dfmt_nfirst *first_out, struct dfmt_err *err)
{
	uint8_t p[DFMT_SEG_HEADER_LEN], head[sizeof(struct dfmt_fmt_triage)];
	struct dfmt_nfirst f = { .base = base };

	if (dfmt_source_read(n->src, base, p, sizeof(p), NULL) != DFMT_OK)
		return DFMT_E_LOST;
	enum dfmt_status st = major_check(n, p, base, err);
	if (st != DFMT_OK)
		return st;
	if (!dfmt_nseg_parse(&n->crc, p, &f.seg) || f.seg.seq || f.seg.offset ||
		f.seg.type != DFMT_SEG_TRIAGE)
		return DFMT_E_LOST;
	f.head = dfmt_source_read(n->src, base + f.seg.header_len, head,
			 sizeof(head), NULL) == DFMT_OK &&
		 dfmt_le32(head + 124) == dfmt_crc32c(&n->crc, head, 124);
	if (f.head)
		f.generation = dfmt_le64(head);
	/* A dump of another device, or bytes that look like a dump. */
	if (f.head && n->has_label &&
		memcmp(head + 72, n->label.uuid, DFMT_ID_LEN) != 0)
		return DFMT_E_LOST;
	*first_out = f;
	return DFMT_OK;
}

enum dfmt_status
dfmt_nsecond_find(struct dfmt_nstate *n, struct dfmt_nfirst *first_out)
{
	uint64_t off = 0;

	n->len = n->src->size;
	while (dfmt_nmagic_search(n, off + DFMT_ALIGN_MIN, DFMT_NLOOKAHEAD,
		&off)) {
		uint8_t p[DFMT_SEG_HEADER_LEN];
		struct dfmt_nfirst f = { .base = 0 };

		if (dfmt_nread(n, off, p, sizeof(p), NULL) != DFMT_OK ||
			!dfmt_nseg_parse(&n->crc, p, &f.seg) ||
			f.seg.offset != off)
			continue;
		f.lost = true;
		*first_out = f;
		return DFMT_OK;
	}
	return DFMT_E_LOST;
}

static bool
newer(const struct dfmt_nfirst *a, const struct dfmt_nfirst *b)
{
	if (a->head != b->head)
		return a->head;
	return a->generation >= b->generation;
}

enum dfmt_status
dfmt_nfirst_find(const struct dfmt_nstate *n, bool labelled,
	struct dfmt_nfirst *first_out, struct dfmt_err *err)
{
	struct dfmt_nfirst best, f;
	bool found = false;

	if (!labelled)
		return first_at(n, 0, first_out, err);
	for (unsigned int k = 0; k < DFMT_NR_SLOTS; k++) {
		enum dfmt_status st = first_at(n, DFMT_SLOT_OFFSET(k), &f, err);

		if (st != DFMT_OK && st != DFMT_E_LOST)
			return st;
		if (st == DFMT_OK && (!found || newer(&f, &best))) {
			best = f;
			found = true;
		}
	}
	if (!found)
		return DFMT_E_LOST;
	*first_out = best;
	return DFMT_OK;
}

/* ---- the end record ----------------------------------------------------- */

static struct dfmt_nroot
root_parse(const uint8_t *p)
{
	return (struct dfmt_nroot){
		.class = dfmt_le32(p),
		.level = dfmt_le32(p + 4),
		.entry = { .first_pfn = dfmt_le64(p + 8),
			.last_pfn = dfmt_le64(p + 16),
			.offset = dfmt_le64(p + 24) },
	};
}

static void
end_counts(struct dfmt_native *i, const uint8_t *p)
{
	i->end_status = dfmt_le32(p);
	i->nr_data = dfmt_le64(p + 40);
	i->nr_fill = dfmt_le64(p + 48);
	i->nr_repeat = dfmt_le64(p + 56);
	i->nr_lost = dfmt_le64(p + 64);
	i->raw_len = dfmt_le64(p + 72);
	i->elapsed_ms = dfmt_le64(p + 80);
	i->nr_retries = dfmt_le32(p + 88);
	i->nr_skipped = dfmt_le32(p + 92);
	for (size_t k = 0; k < 8; k++) {
		i->nr_seen[k] = dfmt_le64(p + 104 + 16 * k);
		i->nr_written[k] = dfmt_le64(p + 112 + 16 * k);
	}
}

/* Without the triage record's head: what makes the bytes of the frames. */
static void
shift_guess(struct dfmt_nstate *n)
{
	const struct dfmt_native *i = &n->info;
	uint64_t frames = i->nr_data + i->nr_fill + i->nr_repeat;

	for (uint32_t shift = 12; !n->has_head && shift <= 16; shift++) {
		if (frames && frames < DFMT_MAX_PFN &&
			frames << shift == i->raw_len) {
			n->shift = shift;
			n->shift_known = true;
		}
	}
}

/* Takes the record; false when its numbers make no sense. */
static bool
end_take(struct dfmt_nstate *n, const struct dfmt_nseg *seg, const uint8_t *p)
{
	uint32_t nr_roots = dfmt_le32(p + 96);
	uint64_t end = seg->offset + seg->total_len;

	if (nr_roots > DFMT_MAX_ROOTS || dfmt_le64(p + 32) != end ||
		end > n->len)
		return false;
	n->info.has_end = true;
	end_counts(&n->info, p);
	shift_guess(n);
	n->complete = n->info.end_status == DFMT_END_COMPLETE;
	n->index_whole = dfmt_le32(p + 4) & DFMT_END_INDEXED;
	n->end = end;
	n->meta_end = dfmt_le64(p + 16);
	n->appended = dfmt_le64(p + 24);
	n->nr_roots = nr_roots;
	for (uint32_t i = 0; i < nr_roots; i++)
		n->roots[i] = root_parse(p + 232 + (size_t)40 * i);
	memcpy(n->why, p + 872, 128);
	n->info.why = n->why[0] ? n->why : NULL;
	return true;
}

bool
dfmt_nend_at(struct dfmt_nstate *n, uint64_t at, bool copy)
{
	uint8_t p[DFMT_END_LEN];
	struct dfmt_nseg seg;

	if (dfmt_source_read(n->src, at, p, sizeof(p), NULL) != DFMT_OK ||
		!dfmt_nseg_parse(&n->crc, p, &seg) ||
		memcmp(seg.id, n->id, DFMT_ID_LEN) != 0 ||
		(!copy && seg.offset != at - n->base) ||
		seg.type != DFMT_SEG_END || seg.type_version ||
		seg.crc_len < END_PAYLOAD ||
		!dfmt_inside(seg.header_len, seg.crc_len, sizeof(p)) ||
		dfmt_crc32c(&n->crc, p + seg.header_len, seg.crc_len) !=
			seg.payload_crc ||
		(n->crypt && !dfmt_ncrypt_right(n, p, sizeof(p))))
		return false;
	return end_take(n, &seg, p + seg.header_len);
}

void
dfmt_nend_find(struct dfmt_nstate *n, bool labelled)
{
	uint64_t size = n->src->size, at = size - DFMT_END_LEN;

	if (labelled)
		at = n->range_len - DFMT_ANCHOR_FROM_END;
	if (labelled ? n->range_len < DFMT_MIN_RANGE : size < DFMT_END_LEN)
		return;
	if (!dfmt_nend_at(n, at, labelled))
		return;
	n->end_in_place = n->meta_end <= n->end && n->appended <= n->end;
}
