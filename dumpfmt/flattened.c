/* SPDX-License-Identifier: MIT */
/*
 * The flattened form of makedumpfile -F and of QEMU's dump-guest-memory -z: a
 * stream of records that say where in the real file their bytes belong.
 *
 * A header of 4096 bytes (signature "makedumpfile" in 16 bytes, type 1,
 * version 1), then records of two big-endian 64-bit values, offset and length,
 * and the bytes; offset -1 ends the file (struct makedumpfile_header and
 * makedumpfile_data_header of makedumpfile 1.7).
 *
 * One pass over the record headers builds an index of disjoint pieces sorted
 * by their place in the real file; where records overlap, the later one was
 * written over the earlier.  The file itself is never rewritten.  What no
 * record wrote does not exist: reading it is lost.
 */
#include "dfmt-impl.h"

#include <stdlib.h>
#include <string.h>

#define HEADER_LEN 4096
#define SIGNATURE_LEN 16
#define RECORD_LEN 16
#define TYPE_FLAT 1
#define VERSION_FLAT 1
#define PIECES_MAX (1u << 26)

struct piece {
	uint64_t start; /* in the real file */
	uint64_t end;
	uint64_t offset; /* of start's byte in the flattened file */
};

struct flattened {
	struct dfmt_source src; /* first: what others see */
	struct dfmt_source *base;
	struct piece *pieces;
	size_t nr;
	size_t room;
	bool sorted; /* as read: in order and disjoint */
	bool cut;    /* no end record */
};

/* ---- the pass over the records ------------------------------------------ */

static bool
piece_append(struct flattened *f, const struct piece *p)
{
	if (f->nr == f->room) {
		size_t room = f->room ? 2 * f->room : 1024;
		struct piece *grown = realloc(f->pieces, room * sizeof(*grown));

		if (!grown)
			return false;
		f->pieces = grown;
		f->room = room;
	}
	if (f->nr && f->pieces[f->nr - 1].end > p->start)
		f->sorted = false;
	f->pieces[f->nr++] = *p;
	return true;
}

static enum dfmt_status
piece_add(struct flattened *f, uint64_t start, uint64_t len, uint64_t at,
	struct dfmt_err *err)
{
	uint64_t in_file = at < f->base->size ? f->base->size - at : 0;
	struct piece p = { start, start + len, at };

	if (start + len < start || start + len > INT64_MAX)
		return dfmt_fail(err, DFMT_E_MALFORMED,
			"flattened record: wraps around the file",
			at - RECORD_LEN, DFMT_NONE);
	/* The record that a cut file ends in: keep what is there. */
	if (len > in_file) {
		f->cut = true;
		p.end = start + in_file;
	}
	if (f->src.size < start + len)
		f->src.size = start + len;
	if (p.start == p.end)
		return DFMT_OK;
	if (f->nr >= PIECES_MAX || !piece_append(f, &p))
		return dfmt_fail(err, DFMT_E_NOMEM, "flattened index",
			at - RECORD_LEN, DFMT_NONE);
	return DFMT_OK;
}

static enum dfmt_status
records_read(struct flattened *f, struct dfmt_err *err)
{
	uint64_t at = HEADER_LEN;
	uint8_t rec[RECORD_LEN];

	for (;;) {
		if (!dfmt_inside(at, sizeof(rec), f->base->size)) {
			f->cut = true;
			return DFMT_OK;
		}
		enum dfmt_status st =
			dfmt_source_pass(f->base, at, rec, sizeof(rec), err);
		if (st != DFMT_OK)
			return st;
		uint64_t start = dfmt_be64(rec), len = dfmt_be64(rec + 8);
		if (start == UINT64_MAX)
			return DFMT_OK;
		if (start > INT64_MAX || len > INT64_MAX)
			return dfmt_fail(err, DFMT_E_MALFORMED,
				"flattened record: negative offset or length",
				at, DFMT_NONE);
		/* No writer makes an empty record; a hole in the file does. */
		if (len == 0) {
			f->cut = true;
			return DFMT_OK;
		}
		st = piece_add(f, start, len, at + RECORD_LEN, err);
		if (st != DFMT_OK)
			return st;
		at += RECORD_LEN + len;
	}
}

/* ---- putting pieces in order -------------------------------------------- */

/* By start; of two that start together the later record, at the higher file
 * offset, comes first. */
static int
piece_compare(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->offset == y->offset ? 0 : x->offset > y->offset ? -1 : 1;
}

/*
 * A heap of pieces that cover the sweep's place, the latest record on top.
 * Later means a higher offset in the flattened file.
 */
struct heap {
	struct piece *items;
	size_t nr;
};

static void
heap_push(struct heap *h, struct piece p)
{
	size_t i = h->nr++;

	while (i && h->items[(i - 1) / 2].offset < p.offset) {
		h->items[i] = h->items[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	h->items[i] = p;
}

static void
heap_pop(struct heap *h)
{
	struct piece last = h->items[--h->nr];
	size_t i = 0;

	for (;;) {
		size_t k = 2 * i + 1;

		if (k >= h->nr)
			break;
		if (k + 1 < h->nr &&
			h->items[k + 1].offset > h->items[k].offset)
			k++;
		if (h->items[k].offset <= last.offset)
			break;
		h->items[i] = h->items[k];
		i = k;
	}
	h->items[i] = last;
}

struct sweep {
	const struct piece *in;
	size_t nr_in;
	size_t next;
	uint64_t place;
	struct heap heap;
	struct piece *out;
	size_t nr_out;
};

/* Emits what is on top up to `end`, joined to the piece before it if it can. */
static void
sweep_emit(struct sweep *s, uint64_t end)
{
	const struct piece *top = &s->heap.items[0];
	struct piece p = { s->place, end,
		top->offset + (s->place - top->start) };
	struct piece *last = s->nr_out ? &s->out[s->nr_out - 1] : NULL;

	s->place = end;
	if (last && last->end == p.start &&
		last->offset + (last->end - last->start) == p.offset) {
		last->end = end;
		return;
	}
	s->out[s->nr_out++] = p; /* NOLINT: pieces_settle saw it is not NULL */
}

/* One step: false when nothing is left. */
static bool
sweep_step(struct sweep *s)
{
	while (s->heap.nr && s->heap.items[0].end <= s->place)
		heap_pop(&s->heap);
	if (!s->heap.nr) {
		if (s->next == s->nr_in)
			return false;
		s->place = s->in[s->next].start;
	}
	while (s->next < s->nr_in && s->in[s->next].start <= s->place)
		heap_push(&s->heap, s->in[s->next++]);
	uint64_t end = s->heap.items[0].end;
	if (end <= s->place)
		return true;
	if (s->next < s->nr_in)
		end = dfmt_min(end, s->in[s->next].start);
	sweep_emit(s, end);
	return true;
}

/* Each record starts or ends at most one piece more: 2n pieces at most. */
static enum dfmt_status
pieces_settle(struct flattened *f, struct dfmt_err *err)
{
	if (f->sorted)
		return DFMT_OK;
	qsort(f->pieces, f->nr, sizeof(*f->pieces), piece_compare);
	struct sweep s = { .in = f->pieces, .nr_in = f->nr };
	s.heap.items = malloc(f->nr * sizeof(*s.heap.items));
	s.out = malloc(2 * f->nr * sizeof(*s.out));
	if (!s.heap.items || !s.out) {
		free(s.heap.items);
		free(s.out);
		return dfmt_fail(err, DFMT_E_NOMEM, "flattened index",
			DFMT_NONE, DFMT_NONE);
	}
	while (sweep_step(&s))
		;
	free(s.heap.items);
	free(f->pieces);
	f->pieces = s.out;
	f->nr = s.nr_out;
	return DFMT_OK;
}

/* ---- the source --------------------------------------------------------- */

static size_t
piece_find(const struct flattened *f, uint64_t off)
{
	size_t lo = 0, hi = f->nr;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (f->pieces[mid].end <= off)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

typedef enum dfmt_status (*read_fn)(struct dfmt_source *src, uint64_t off,
	void *buf, size_t len, struct dfmt_err *err);

static enum dfmt_status
gather(struct flattened *f, read_fn read, uint64_t off, uint8_t *out,
	size_t len, struct dfmt_err *err)
{
	for (size_t i = piece_find(f, off); len; i++) {
		const struct piece *p = &f->pieces[i];

		if (i == f->nr || p->start > off)
			return dfmt_fail(err, DFMT_E_LOST,
				f->cut ? "the flattened file ends before it"
				       : "in no record of the flattened file",
				off, DFMT_NONE);
		size_t n = dfmt_min(len, p->end - off);
		enum dfmt_status st = read(f->base,
			p->offset + (off - p->start), out, n, err);
		if (st != DFMT_OK)
			return st;
		out += n;
		off += n;
		len -= n;
	}
	return DFMT_OK;
}

static enum dfmt_status
flattened_read(struct dfmt_source *src, uint64_t off, void *buf, size_t len,
	struct dfmt_err *err)
{
	return gather((struct flattened *)src, dfmt_source_read, off, buf, len,
		err);
}

static enum dfmt_status
flattened_pass(struct dfmt_source *src, uint64_t off, void *buf, size_t len,
	struct dfmt_err *err)
{
	return gather((struct flattened *)src, dfmt_source_pass, off, buf, len,
		err);
}

static const void *
flattened_view(struct dfmt_source *src, uint64_t off, size_t len,
	size_t *len_out)
{
	const struct flattened *f = (const struct flattened *)src;
	size_t i = piece_find(f, off);

	if (i == f->nr || f->pieces[i].start > off)
		return NULL;
	return dfmt_source_view(f->base,
		f->pieces[i].offset + (off - f->pieces[i].start),
		dfmt_min(len, f->pieces[i].end - off), len_out);
}

static void
flattened_destroy(struct dfmt_source *src)
{
	struct flattened *f = (struct flattened *)src;

	dfmt_source_destroy(f->base);
	free(f->pieces);
}

static uint64_t
flattened_touched(const struct dfmt_source *src)
{
	const struct flattened *f = (const struct flattened *)src;

	return dfmt_source_touched_bytes(f->base);
}

static const struct dfmt_source_ops flattened_ops = {
	.read = flattened_read,
	.pass = flattened_pass,
	.view = flattened_view,
	.touched = flattened_touched,
	.destroy = flattened_destroy,
};

/* ---- opening ------------------------------------------------------------ */

static enum dfmt_status
header_check(struct dfmt_source *base, struct dfmt_err *err)
{
	uint8_t p[SIGNATURE_LEN + 16];

	if (base->size < sizeof(p))
		return DFMT_E_FORMAT;
	enum dfmt_status st = dfmt_source_read(base, 0, p, sizeof(p), err);
	if (st != DFMT_OK)
		return st;
	if (memcmp(p, "makedumpfile\0\0\0", SIGNATURE_LEN) != 0)
		return DFMT_E_FORMAT;
	if (dfmt_be64(p + 16) != TYPE_FLAT || dfmt_be64(p + 24) != VERSION_FLAT)
		return dfmt_fail(err, DFMT_E_UNSUPPORTED,
			"flattened header: unknown type or version", 16,
			DFMT_NONE);
	if (base->size < HEADER_LEN)
		return dfmt_fail(err, DFMT_E_LOST,
			"flattened header: the file ends in it", base->size,
			DFMT_NONE);
	return DFMT_OK;
}

enum dfmt_status
dfmt_flattened_open(struct dfmt_source *base, struct dfmt_source **src_out,
	struct dfmt_err *err)
{
	enum dfmt_status st = header_check(base, err);

	if (st != DFMT_OK)
		return st;
	struct flattened *f = calloc(1, sizeof(*f));
	if (!f)
		return dfmt_fail(err, DFMT_E_NOMEM, "flattened file", DFMT_NONE,
			DFMT_NONE);
	f->src.ops = &flattened_ops;
	f->src.fd = -1;
	f->base = f->src.below = base;
	f->sorted = true;
	st = records_read(f, err);
	if (st == DFMT_OK)
		st = pieces_settle(f, err);
	if (st != DFMT_OK) {
		free(f->pieces);
		free(f);
		return st;
	}
	f->src.cut = f->cut;
	*src_out = &f->src;
	return DFMT_OK;
}
