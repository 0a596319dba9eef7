/* SPDX-License-Identifier: MIT */
/*
 * Long passes over a compressed kdump: which frames it holds, how many it
 * lost.  Each reads the bitmaps in chunks and skips the holes of a sparse
 * file; descriptors are read only of a dump that is known to be cut.
 */
#include "dfmt-diskdump.h"
#include "dfmt-impl.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK ((size_t)65536)

/*
 * The first bit at or after `from` of nr that is `want`; nr when there is
 * none.  buf is padded to 8 bytes.
 */
static uint64_t
bit_in(const uint8_t *buf, uint64_t from, uint64_t nr, bool want)
{
	uint64_t skip = ~UINT64_C(0) << from % 64;

	for (uint64_t w = from / 64; w * 64 < nr; w++, skip = ~UINT64_C(0)) {
		uint64_t bits = dfmt_le64(buf + 8 * w);

		bits = (want ? bits : ~bits) & skip;
		if (bits)
			return dfmt_min(nr,
				w * 64 + (unsigned int)__builtin_ctzll(bits));
	}
	return nr;
}

/* The first frame at or after pfn that is in no hole of the second bitmap. */
static uint64_t
hole_skip(const struct dfmt_kdump_part *p, uint64_t pfn)
{
	uint64_t at = p->written + pfn / 8;
	uint64_t end = dfmt_source_hole_end(p->src, at);

	return end == at ? pfn : 8 * (end - p->written);
}

/* bit_find with room for a chunk. */
static enum dfmt_status
bit_find_in(const struct dfmt_kdump *dd, uint64_t *pfn, bool want, uint8_t *buf,
	struct dfmt_err *err)
{
	const struct dfmt_kdump_part *p = &dd->parts[0];
	uint64_t len = 512; /* runs are short or long: read ever more */

	while (*pfn < dd->max_pfn) {
		if (want && len > 512)
			*pfn = hole_skip(p, *pfn);
		if (*pfn >= dd->max_pfn)
			break;
		uint64_t base = *pfn & ~UINT64_C(7);
		uint64_t nr = dfmt_min(dd->max_pfn - base, len * 8);
		size_t in = (nr + 7) / 8;

		memset(buf + in, 0, 8);
		enum dfmt_status st = dfmt_source_pass(p->src,
			p->written + base / 8, buf, in, err);
		if (st != DFMT_OK)
			return st;
		uint64_t found = bit_in(buf, *pfn - base, nr, want);
		*pfn = base + found;
		if (found < nr)
			break;
		len = dfmt_min(2 * len, CHUNK);
	}
	return DFMT_OK;
}

/*
 * Moves *pfn to the first frame at or after it whose bit is `want`; max_pfn or
 * more when there is none.  Of a split dump with a part missing its frames
 * count as written.
 */
static enum dfmt_status
bit_find(const struct dfmt_kdump *dd, uint64_t *pfn, bool want,
	struct dfmt_err *err)
{
	uint8_t *buf = malloc(CHUNK + 8);

	if (!buf)
		return dfmt_fail(err, DFMT_E_NOMEM, "bitmap", DFMT_NONE,
			DFMT_NONE);
	enum dfmt_status st = bit_find_in(dd, pfn, want, buf, err);
	free(buf);
	return st;
}

enum dfmt_status
dfmt_kdump_next_range(const struct dfmt *d, uint64_t addr, uint64_t *start_out,
	uint64_t *end_out, struct dfmt_err *err)
{
	const struct dfmt_kdump *dd = d->impl;
	uint64_t page = d->info.page_size, first = addr / page, end;
	enum dfmt_status st = bit_find(dd, &first, true, err);

	if (st != DFMT_OK)
		return st;
	if (first >= dd->max_pfn)
		return dfmt_fail(err, DFMT_E_RANGE, "no more memory", DFMT_NONE,
			addr);
	end = first;
	st = bit_find(dd, &end, false, err);
	if (st != DFMT_OK)
		return st;
	*start_out = first * page > addr ? first * page : addr;
	*end_out = dfmt_min(end, dd->max_pfn) * page;
	return DFMT_OK;
}

/* One chunk of both bitmaps, from a multiple of 8 frames on. */
static enum dfmt_status
chunk_count(const struct dfmt_kdump *dd, uint64_t pfn, uint64_t nr,
	uint8_t *buf, struct dfmt_coverage *cov, struct dfmt_err *err)
{
	const struct dfmt_kdump_part *p = &dd->parts[0];
	uint8_t *exists = buf, *written = buf + CHUNK + 8;
	size_t len = (nr + 7) / 8;
	enum dfmt_status st;

	memset(exists + len, 0, 8);
	memset(written + len, 0, 8);
	st = dfmt_source_pass(p->src, p->written + pfn / 8, written, len, err);
	if (st == DFMT_OK)
		st = dfmt_source_pass(p->src, p->exists + pfn / 8, exists, len,
			err);
	if (st != DFMT_OK)
		return st;
	cov->nr_present += dfmt_popcount(written, nr);
	cov->nr_excluded += dfmt_popcount_minus(exists, written, nr);
	return DFMT_OK;
}

/* The first frame from pfn, a multiple of 8, that is in no hole of the file. */
static uint64_t
holes_skip(const struct dfmt_kdump *dd, uint64_t pfn)
{
	const struct dfmt_kdump_part *p = &dd->parts[0];
	uint64_t one = dfmt_source_hole_end(p->src, p->exists + pfn / 8);
	uint64_t two = dfmt_source_hole_end(p->src, p->written + pfn / 8);

	return 8 * dfmt_min(one - p->exists, two - p->written);
}

static enum dfmt_status
bitmaps_count(const struct dfmt_kdump *dd, struct dfmt_coverage *cov,
	struct dfmt_err *err)
{
	uint8_t *buf = malloc(2 * (CHUNK + 8));
	enum dfmt_status st = DFMT_OK;
	uint64_t pfn = 0;

	if (!buf)
		return dfmt_fail(err, DFMT_E_NOMEM, "bitmap", DFMT_NONE,
			DFMT_NONE);
	while (pfn < dd->max_pfn && st == DFMT_OK) {
		uint64_t data = holes_skip(dd, pfn);
		if (data > pfn) {
			pfn = data;
			continue;
		}
		uint64_t nr = dfmt_min(dd->max_pfn - pfn, CHUNK * UINT64_C(8));

		st = chunk_count(dd, pfn, nr, buf, cov, err);
		pfn += nr;
	}
	free(buf);
	return st;
}

static bool
desc_is_whole(const struct dfmt_kdump_part *p, const uint8_t *desc)
{
	struct dfmt_extent ext;

	return dfmt_kdump_desc_parse(p, desc, &ext, NULL, 0) == DFMT_OK &&
	       dfmt_inside(ext.offset, ext.stored_len, p->src->size);
}

/* Reads all descriptors of a part that is known to be cut. */
static enum dfmt_status
descs_lost(const struct dfmt_kdump_part *p, uint64_t nr, uint8_t *buf,
	uint64_t *lost_out, struct dfmt_err *err)
{
	uint64_t in_file = 0, lost;
	const size_t per_read = CHUNK / DFMT_PAGE_DESC_LEN;
	enum dfmt_status st = DFMT_OK;

	if (p->src->size > p->descs)
		in_file = dfmt_min(
			(p->src->size - p->descs) / DFMT_PAGE_DESC_LEN, nr);
	lost = nr - in_file;
	for (uint64_t i = 0; i < in_file && st == DFMT_OK;) {
		uint64_t n = dfmt_min(in_file - i, per_read);

		st = dfmt_source_pass(p->src, p->descs + i * DFMT_PAGE_DESC_LEN,
			buf, n * DFMT_PAGE_DESC_LEN, err);
		for (uint64_t k = 0; k < n && st == DFMT_OK; k++)
			lost += !desc_is_whole(p, buf + k * DFMT_PAGE_DESC_LEN);
		i += n;
	}
	if (st == DFMT_OK)
		*lost_out = lost;
	return st;
}

/* What a chunk of descriptors says of where data lie. */
struct data_span {
	uint64_t first; /* the offset in the first descriptor looked at */
	uint64_t end;	/* of the data that reach furthest */
	bool differ;	/* not all have the same offset */
	bool bad;	/* one cannot be followed */
};

static void
span_add(struct data_span *span, const struct dfmt_kdump_part *p,
	const uint8_t *desc)
{
	struct dfmt_extent ext;

	if (dfmt_kdump_desc_parse(p, desc, &ext, NULL, 0) != DFMT_OK) {
		span->bad = true;
		return;
	}
	if (!span->first)
		span->first = ext.offset;
	span->differ = span->differ || ext.offset != span->first;
	uint64_t end = dfmt_add_sat(ext.offset, ext.stored_len);
	if (end > span->end)
		span->end = end;
}

/*
 * Is the furthest data of nr pages in the file?  Data lie in the order of
 * descriptors, but for pages of zeros, which share one place: so we look from
 * the end until two descriptors differ.
 */
static bool
data_whole(const struct dfmt_kdump_part *p, uint64_t nr, uint8_t *buf)
{
	struct data_span span = { 0 };
	uint64_t step = 16; /* usually enough: read no more than need be */

	while (nr && !span.differ && !span.bad) {
		uint64_t n = dfmt_min(nr, step);
		uint64_t at = p->descs + (nr - n) * DFMT_PAGE_DESC_LEN;

		if (dfmt_source_pass(p->src, at, buf, n * DFMT_PAGE_DESC_LEN,
			    NULL) != DFMT_OK)
			return false;
		for (uint64_t k = 0; k < n; k++)
			span_add(&span, p, buf + k * DFMT_PAGE_DESC_LEN);
		nr -= n;
		step = dfmt_min(2 * step, CHUNK / DFMT_PAGE_DESC_LEN);
	}
	return !span.bad && span.end <= p->src->size;
}

/* A dump whose furthest data are there has lost nothing, unless the writer
 * itself says that it ran out of room. */
static enum dfmt_status
part_lost(const struct dfmt_kdump_part *p, uint64_t nr, uint64_t *lost_out,
	struct dfmt_err *err)
{
	enum dfmt_status st = DFMT_OK;
	uint8_t *buf = malloc(CHUNK);

	if (!buf)
		return dfmt_fail(err, DFMT_E_NOMEM, "page descriptors",
			DFMT_NONE, DFMT_NONE);
	*lost_out = 0;
	if (p->h.status & DFMT_DH_INCOMPLETE || !data_whole(p, nr, buf))
		st = descs_lost(p, nr, buf, lost_out, err);
	free(buf);
	return st;
}

enum dfmt_status
dfmt_kdump_coverage(const struct dfmt *d, struct dfmt_coverage *cov_out,
	struct dfmt_err *err)
{
	const struct dfmt_kdump *dd = d->impl;
	struct dfmt_coverage cov = { .counted = true };
	enum dfmt_status st = bitmaps_count(dd, &cov, err);
	uint64_t described = 0;

	for (size_t i = 0; i < dd->nr_parts && st == DFMT_OK; i++) {
		struct dfmt_kdump_part *p = &dd->parts[i];
		uint64_t nr = cov.nr_present, lost;

		/* A file that is all of the dump was just counted. */
		if (p->h.split)
			st = dfmt_rank_total(&p->rank, &nr, err);
		if (st == DFMT_OK)
			st = part_lost(p, nr, &lost, err);
		if (st != DFMT_OK)
			break;
		described += nr;
		cov.nr_lost += lost;
	}
	if (st != DFMT_OK)
		return st;
	/* What the bitmap has and no part given describes. */
	if (described < cov.nr_present)
		cov.nr_lost += cov.nr_present - described;
	cov.nr_present -= dfmt_min(cov.nr_lost, cov.nr_present);
	*cov_out = cov;
	return DFMT_OK;
}
