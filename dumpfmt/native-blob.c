/* SPDX-License-Identifier: MIT */
/*
 * Blobs of a native dump: symbols, types and notes in pieces.
 *
 * Opening only notes where the pieces are.  One that is asked for is put
 * together, checked and kept.  Nothing is allocated before the pieces are known
 * to cover it.
 */
#include "dfmt-native.h"

#include <stdlib.h>
#include <string.h>

#define BLOB_HEAD sizeof(struct dfmt_fmt_blob)

/* Where a stored piece's length is not said twice, the payload's counts. */
static uint64_t
piece_len(const struct dfmt_nseg *seg)
{
	return seg->codec == DFMT_FMT_STORED ? seg->payload_len - BLOB_HEAD
					     : seg->raw_len;
}

enum dfmt_status
dfmt_nblob_take(struct dfmt_nstate *n, const struct dfmt_nseg *seg, bool again,
	struct dfmt_err *err)
{
	uint8_t p[BLOB_HEAD];
	size_t i = n->nr_pieces;

	if (seg->payload_len < BLOB_HEAD || seg->type_version || seg->flags ||
		piece_len(seg) > DFMT_NMAX_PIECE || i >= DFMT_NMAX_PIECES ||
		dfmt_nread(n, seg->offset + seg->header_len, p, sizeof(p),
			NULL) != DFMT_OK) {
		n->meta_lost = true;
		return DFMT_OK;
	}
	if (again && i && n->taken_seq == seg->seq)
		i--;
	if (!dfmt_ngrow(&n->pieces, &n->nr_pieces, i, sizeof(*n->pieces)))
		return dfmt_fail(err, DFMT_E_NOMEM, "blobs", DFMT_NONE,
			DFMT_NONE);
	n->taken_seq = seg->seq;
	n->pieces[i] = (struct dfmt_npiece){
		.object = dfmt_le32(p),
		.kind = dfmt_le32(p + 4),
		.total_len = dfmt_le64(p + 8),
		.piece_off = dfmt_le64(p + 16),
		.raw_len = piece_len(seg),
		.offset = seg->offset,
	};
	return DFMT_OK;
}

/* ---- putting together --------------------------------------------------- */

static bool
same_blob(const struct dfmt_npiece *a, const struct dfmt_npiece *b)
{
	return a->object == b->object && a->kind == b->kind &&
	       a->total_len == b->total_len;
}

/* The piece behind i that goes on at off, before the blob begins anew. */
static size_t
piece_next(const struct dfmt_nstate *n, size_t i, uint64_t off)
{
	for (size_t k = i + 1; k < n->nr_pieces; k++) {
		const struct dfmt_npiece *p = &n->pieces[k];

		if (p->object != n->pieces[i].object ||
			p->kind != n->pieces[i].kind)
			continue;
		if (p->piece_off == 0)
			break;
		if (p->piece_off == off && same_blob(p, &n->pieces[i]))
			return k;
	}
	return n->nr_pieces;
}

/* Do the pieces from i on cover the blob? */
static bool
covered(const struct dfmt_nstate *n, size_t i)
{
	const struct dfmt_npiece *first = &n->pieces[i];
	uint64_t off = first->raw_len;

	if (first->piece_off || first->total_len > DFMT_NMAX_BLOB)
		return false;
	while (off < first->total_len) {
		i = piece_next(n, i, off);
		if (i == n->nr_pieces || n->pieces[i].raw_len == 0)
			return false;
		off += n->pieces[i].raw_len;
	}
	return off == first->total_len;
}

static enum dfmt_status
piece_lost(const struct dfmt_nstate *n, const struct dfmt_npiece *p,
	struct dfmt_err *err)
{
	return dfmt_fail(err, DFMT_E_LOST, "a piece of it is damaged",
		n->base + p->offset, DFMT_NONE);
}

static enum dfmt_status
piece_expand(const struct dfmt_nstate *n, const struct dfmt_npiece *p,
	uint8_t *out, struct dfmt_err *err)
{
	struct dfmt_nseg seg;
	enum dfmt_codec codec;

	if (!dfmt_nseg_at(n, p->offset, &seg) ||
		seg.crc_len != seg.payload_len || piece_len(&seg) != p->raw_len)
		return piece_lost(n, p, err);
	if (!dfmt_ncodec(seg.codec, &codec))
		return dfmt_fail(err, DFMT_E_UNSUPPORTED, "an unknown codec",
			n->base + p->offset, DFMT_NONE);
	uint8_t *stored = malloc(seg.payload_len);
	if (!stored)
		return dfmt_fail(err, DFMT_E_NOMEM, "a blob", DFMT_NONE,
			DFMT_NONE);
	enum dfmt_status st = dfmt_nread(n, seg.offset + seg.header_len, stored,
		seg.payload_len, err);
	if (st == DFMT_OK &&
		((!n->crypt && dfmt_crc32c(&n->crc, stored, seg.payload_len) !=
				       seg.payload_crc) ||
			dfmt_codec_expand(codec, stored + BLOB_HEAD,
				seg.payload_len - BLOB_HEAD, out,
				p->raw_len) != DFMT_OK))
		st = piece_lost(n, p, err);
	free(stored);
	return st;
}

/* The blob that begins with piece i, which is covered. */
static enum dfmt_status
blob_build(struct dfmt_nstate *n, size_t i, struct dfmt_nblob **blob_out,
	struct dfmt_err *err)
{
	size_t len = n->pieces[i].total_len;
	struct dfmt_nblob *b = malloc(sizeof(*b) + len + 1);
	uint64_t off = 0;

	if (!b)
		return dfmt_fail(err, DFMT_E_NOMEM, "a blob", DFMT_NONE,
			DFMT_NONE);
	b->piece = i;
	b->len = len;
	b->bytes[len] = 0;
	for (;;) {
		enum dfmt_status st =
			piece_expand(n, &n->pieces[i], b->bytes + off, err);

		if (st != DFMT_OK) {
			free(b);
			return st;
		}
		off += n->pieces[i].raw_len;
		if (off >= len)
			break;
		i = piece_next(n, i, off);
	}
	*blob_out = b;
	return DFMT_OK;
}

/* The last one of a kind that can be put together: tools append newer ones. */
static enum dfmt_status
blob_find(struct dfmt_nstate *n, uint32_t object, uint32_t kind,
	struct dfmt_nblob **blob_out, struct dfmt_err *err)
{
	enum dfmt_status st = dfmt_fail(err, DFMT_E_RANGE,
		"the dump has none of it", DFMT_NONE, DFMT_NONE);

	for (size_t i = n->nr_pieces; i-- > 0;) {
		const struct dfmt_npiece *p = &n->pieces[i];

		if (p->object != object || p->kind != kind)
			continue;
		if (!covered(n, i)) {
			if (st == DFMT_E_RANGE)
				st = dfmt_fail(err, DFMT_E_LOST,
					"a piece of it is not there",
					n->base + p->offset, DFMT_NONE);
			continue;
		}
		if (p->total_len > DFMT_NMAX_KEPT - n->blobs_len)
			return dfmt_fail(err, DFMT_E_NOMEM,
				"blobs: more than is kept", DFMT_NONE,
				DFMT_NONE);
		st = blob_build(n, i, blob_out, err);
		if (st == DFMT_OK || st == DFMT_E_NOMEM)
			return st;
	}
	return st;
}

static struct dfmt_nblob *
blob_kept(const struct dfmt_nstate *n, uint32_t object, uint32_t kind)
{
	struct dfmt_nblob *b = n->blobs;

	while (b && (n->pieces[b->piece].object != object ||
			    n->pieces[b->piece].kind != kind))
		b = b->next;
	return b;
}

static void
blob_keep(struct dfmt_nstate *n, struct dfmt_nblob *b)
{
	b->next = n->blobs;
	n->blobs = b;
	n->blobs_len += b->len;
}

enum dfmt_status
dfmt_object_blob(const struct dfmt *d, size_t i, uint32_t kind,
	const void **bytes_out, size_t *len_out, struct dfmt_err *err)
{
	struct dfmt_nstate *n = d->impl;
	enum dfmt_status st = DFMT_OK;

	if (d->info.kind != DFMT_KIND_NATIVE || i >= n->nr_objects)
		return dfmt_fail(err, DFMT_E_RANGE, "no such object", DFMT_NONE,
			DFMT_NONE);
	pthread_mutex_lock(&n->lock);
	struct dfmt_nblob *b = blob_kept(n, (uint32_t)i, kind);
	if (!b) {
		st = blob_find(n, (uint32_t)i, kind, &b, err);
		if (st == DFMT_OK)
			blob_keep(n, b);
	}
	pthread_mutex_unlock(&n->lock);
	if (st != DFMT_OK)
		return st;
	*bytes_out = b->bytes;
	*len_out = b->len;
	return DFMT_OK;
}

/* ---- notes -------------------------------------------------------------- */

/* What they are read from lives no longer than this. */
static enum dfmt_status
notes_add(struct dfmt *d, const struct dfmt_nblob *b, struct dfmt_err *err)
{
	struct dfmt_source *src;
	enum dfmt_status st =
		dfmt_source_open_memory(b->bytes, b->len, &src, err);

	if (st != DFMT_OK)
		return st;
	st = dfmt_notes_add(&d->notes, src, 0, b->len, err);
	dfmt_source_destroy(src);
	return st;
}

static enum dfmt_status
notes_take(struct dfmt *d, struct dfmt_nstate *n, size_t i,
	struct dfmt_err *err)
{
	struct dfmt_nblob *b;

	if (n->pieces[i].total_len > DFMT_NOTES_MAX_BYTES - d->notes.nr_bytes ||
		!covered(n, i)) {
		d->notes.cut = true;
		return DFMT_OK;
	}
	enum dfmt_status st = blob_build(n, i, &b, err);
	if (st == DFMT_E_NOMEM)
		return st;
	if (st != DFMT_OK) {
		d->notes.cut = true;
		return DFMT_OK;
	}
	st = notes_add(d, b, err);
	free(b);
	return st;
}

enum dfmt_status
dfmt_nblob_notes(struct dfmt *d, struct dfmt_nstate *n, struct dfmt_err *err)
{
	for (size_t i = 0; i < n->nr_pieces; i++) {
		const struct dfmt_npiece *p = &n->pieces[i];

		if (p->kind != DFMT_BLOB_NOTES || p->object != DFMT_NO_OBJECT ||
			p->piece_off)
			continue;
		enum dfmt_status st = notes_take(d, n, i, err);
		if (st != DFMT_OK)
			return st;
	}
	return DFMT_OK;
}
