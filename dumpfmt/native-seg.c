/* SPDX-License-Identifier: MIT */
/*
 * Segments of a native dump: their headers, and the walk from one to the next,
 * which also passes over places that the device refused.
 */
#include "dfmt-native.h"

#include <string.h>

enum dfmt_status
dfmt_nread(const struct dfmt_nstate *n, uint64_t off, void *buf, size_t len,
	struct dfmt_err *err)
{
	if (!dfmt_inside(off, len, n->len))
		return dfmt_fail(err, DFMT_E_LOST, "the dump ends before it",
			dfmt_add_sat(n->base, off), DFMT_NONE);
	if (n->crypt) {
		enum dfmt_status st = dfmt_ncrypt_read(n, off, buf, len, err);

		if (st != DFMT_E_RANGE)
			return st;
	}
	return dfmt_source_read(n->src, n->base + off, buf, len, err);
}

enum dfmt_status
dfmt_ncrc(const struct dfmt_nstate *n, uint64_t off, uint64_t len,
	uint32_t *crc_out, struct dfmt_err *err)
{
	uint32_t crc = 0;
	uint8_t copy[4096];

	if (!dfmt_inside(off, len, n->len))
		return dfmt_fail(err, DFMT_E_LOST, "the dump ends before it",
			dfmt_add_sat(n->base, off), DFMT_NONE);
	while (len) {
		size_t got;
		const void *p =
			dfmt_source_view(n->src, n->base + off, len, &got);

		if (!p) {
			got = dfmt_min(len, sizeof(copy));
			enum dfmt_status st = dfmt_source_read(n->src,
				n->base + off, copy, got, err);
			if (st != DFMT_OK)
				return st;
			p = copy;
		}
		crc = dfmt_crc32c_more(&n->crc, crc, p, got);
		off += got;
		len -= got;
	}
	*crc_out = crc;
	return DFMT_OK;
}

/* ---- headers ------------------------------------------------------------ */

bool
dfmt_nseg_parse(const struct dfmt_crc *crc, const uint8_t *p,
	struct dfmt_nseg *seg_out)
{
	struct dfmt_nseg s = {
		.header_len = dfmt_le16(p + 10),
		.type = dfmt_le16(p + 12),
		.type_version = dfmt_le16(p + 14),
		.seq = dfmt_le64(p + 32),
		.offset = dfmt_le64(p + 40),
		.total_len = dfmt_le64(p + 48),
		.payload_len = dfmt_le64(p + 56),
		.raw_len = dfmt_le64(p + 64),
		.crc_len = dfmt_le32(p + 72),
		.payload_crc = dfmt_le32(p + 76),
		.codec = dfmt_le16(p + 80),
		.flags = dfmt_le16(p + 82),
		.clear_len = dfmt_le32(p + 112),
	};

	if (memcmp(p, DFMT_SEG_MAGIC, 8) != 0 ||
		dfmt_le16(p + 8) != DFMT_FORMAT_MAJOR ||
		dfmt_le32(p + 124) != dfmt_crc32c(crc, p, 124))
		return false;
	if (s.header_len < DFMT_SEG_HEADER_LEN ||
		s.total_len > DFMT_SEGMENT_MAX ||
		s.total_len % DFMT_ALIGN_MIN ||
		!dfmt_inside(s.header_len, s.payload_len, s.total_len) ||
		s.crc_len > s.payload_len)
		return false;
	memcpy(s.id, p + 16, sizeof(s.id));
	*seg_out = s;
	return true;
}

bool
dfmt_nseg_at(const struct dfmt_nstate *n, uint64_t off,
	struct dfmt_nseg *seg_out)
{
	uint8_t p[DFMT_SEG_HEADER_LEN];
	struct dfmt_nseg s;

	if (!dfmt_inside(off, sizeof(p), n->len) ||
		dfmt_source_read(n->src, n->base + off, p, sizeof(p), NULL) !=
			DFMT_OK ||
		!dfmt_nseg_parse(&n->crc, p, &s) || s.offset != off ||
		memcmp(s.id, n->id, sizeof(s.id)) != 0 ||
		(n->crypt && !dfmt_ncrypt_note(n->crypt, &s)))
		return false;
	*seg_out = s;
	return true;
}

bool
dfmt_nseg_payload_right(const struct dfmt_nstate *n,
	const struct dfmt_nseg *seg)
{
	uint32_t crc;
	uint8_t first;

	if (n->crypt)
		return !seg->payload_len ||
		       dfmt_nread(n, seg->offset + seg->header_len, &first, 1,
			       NULL) == DFMT_OK;
	return dfmt_ncrc(n, seg->offset + seg->header_len, seg->crc_len, &crc,
		       NULL) == DFMT_OK &&
	       crc == seg->payload_crc;
}

bool
dfmt_ncodec(uint16_t codec, enum dfmt_codec *codec_out)
{
	static const enum dfmt_codec codecs[] = { DFMT_CODEC_STORED,
		DFMT_CODEC_LZ4, DFMT_CODEC_ZSTD };

	if (codec >= sizeof(codecs) / sizeof(codecs[0]))
		return false;
	*codec_out = codecs[codec];
	return true;
}

/* ---- the walk ----------------------------------------------------------- */

/*
 * Little is read at first, in case that a dump is full of places that only
 * begin so, and around what cannot be read.
 */
bool
dfmt_nmagic_search(const struct dfmt_nstate *n, uint64_t from, uint64_t to,
	uint64_t *off_out)
{
	uint8_t buf[DFMT_NWINDOW];
	size_t window = n->align;

	while (from <= to && from < n->len) {
		size_t len = dfmt_min(window, n->len - from);
		enum dfmt_status st = dfmt_source_pass(n->src, n->base + from,
			buf, len, NULL);

		for (size_t i = 0; st == DFMT_OK && i + 8 <= len;
			i += n->align) {
			if (from + i > to)
				return false;
			if (memcmp(buf + i, DFMT_SEG_MAGIC, 8) == 0) {
				*off_out = from + i;
				return true;
			}
		}
		if (st != DFMT_OK && window > n->align) {
			window = n->align;
			continue;
		}
		from += window;
		if (st == DFMT_OK)
			window = dfmt_min(2 * window, sizeof(buf));
	}
	return false;
}

/* A header that the walk takes: this one, the one before again, or later. */
static bool
taken(const struct dfmt_nstate *n, const struct dfmt_nwalk *w, uint64_t off,
	struct dfmt_nseg *seg_out)
{
	return dfmt_nseg_at(n, off, seg_out) && seg_out->seq + 1 >= w->seq;
}

static bool
walk_find(const struct dfmt_nstate *n, const struct dfmt_nwalk *w,
	struct dfmt_nseg *seg_out)
{
	uint64_t off = w->pos;
	uint64_t to = w->ended ? off : dfmt_add_sat(off, DFMT_NLOOKAHEAD);

	if (off >= n->len)
		return false;
	while (!taken(n, w, off, seg_out)) {
		if (off >= to ||
			!dfmt_nmagic_search(n, off + n->align, to, &off))
			return false;
	}
	/* Behind the end: what a tool appended, or the end once more. */
	return !w->ended || seg_out->seq <= w->seq;
}

bool
dfmt_nwalk_next(const struct dfmt_nstate *n, struct dfmt_nwalk *w,
	struct dfmt_nseg *seg_out)
{
	struct dfmt_nseg s;

	if (!walk_find(n, w, &s))
		return false;
	w->again = w->seq && s.seq + 1 == w->seq;
	w->gap = w->gap || s.seq > w->seq;
	w->ended = s.type == DFMT_SEG_END;
	w->seq = dfmt_add_sat(s.seq, 1);
	w->pos = s.offset + s.total_len;
	if (w->pos <= n->len)
		w->past = w->pos;
	w->pos = (w->pos + n->align - 1) & ~(uint64_t)(n->align - 1);
	*seg_out = s;
	return true;
}

/* ---- segments seen ------------------------------------------------------ */

static size_t
seen_slot(uint64_t off)
{
	return (off / DFMT_ALIGN_MIN * UINT64_C(0x9e3779b97f4a7c15) >> 32) %
	       DFMT_NSEEN;
}

/* One more than the offset, so that 0 is an empty place. */
bool
dfmt_nseen(const struct dfmt_nstate *n, uint64_t off)
{
	return atomic_load_explicit(&n->seen[seen_slot(off)],
		       memory_order_relaxed) == off + 1;
}

void
dfmt_nseen_add(struct dfmt_nstate *n, uint64_t off)
{
	atomic_store_explicit(&n->seen[seen_slot(off)], off + 1,
		memory_order_relaxed);
}
