/* SPDX-License-Identifier: MIT */
/*
 * Compressed kdump files: makedumpfile, QEMU's kdump variants, old diskdump;
 * one file, or the parts of a split dump.
 *
 * A file is header, sub header, two bitmaps (frames that exist; frames that
 * were written), one descriptor of 24 bytes for each written frame in order of
 * frames, data.  The descriptor of a frame is found by its rank in the second
 * bitmap.  Each part of a split dump carries both bitmaps whole, and
 * descriptors for its own range of frames.
 *
 * Opening reads headers and notes only.
 */
#include "dfmt-diskdump.h"
#include "dfmt-impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RANK_BUDGET (1u << 20)
#define MAX_PARTS 1024
#define CHUNK 65536u

struct part {
	struct dfmt_kdump_header h;
	struct dfmt_source *src;
	uint64_t exists;  /* offset of the first bitmap */
	uint64_t written; /* of the second */
	uint64_t descs;
	struct dfmt_rank rank;
};

struct diskdump {
	struct part *parts; /* sorted by start_pfn, disjoint */
	size_t nr_parts;
	uint64_t max_pfn;
	bool two_bitmaps;
};

/* ---- opening ------------------------------------------------------------ */

static bool
has_two_bitmaps(const struct dfmt_kdump_header *h)
{
	uint64_t per_block = (uint64_t)h->block_size * 8;
	uint64_t need = h->max_pfn / per_block + (h->max_pfn % per_block != 0);

	return h->bitmap_blocks >= 2 * need;
}

static enum dfmt_status
part_open(struct part *part, struct dfmt_source *src, size_t nr_parts,
	struct dfmt_err *err)
{
	enum dfmt_status st = dfmt_kdump_header_read(src, &part->h, err);
	const struct dfmt_kdump_header *h = &part->h;

	if (st != DFMT_OK)
		return st;
	uint64_t bitmap_len = (uint64_t)h->bitmap_blocks * h->block_size;
	part->src = src;
	part->exists = (UINT64_C(1) + h->sub_hdr_blocks) * h->block_size;
	part->written = part->exists;
	if (has_two_bitmaps(h))
		part->written += bitmap_len / 2;
	part->descs = part->exists + bitmap_len;
	return dfmt_rank_init(&part->rank, src, part->written, h->start_pfn,
		h->end_pfn, RANK_BUDGET / nr_parts, err);
}

static int
part_compare(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	if (x->h.start_pfn != y->h.start_pfn)
		return x->h.start_pfn < y->h.start_pfn ? -1 : 1;
	/* A part without frames comes before the one it shares a start with. */
	return x->h.end_pfn < y->h.end_pfn ? -1 : x->h.end_pfn > y->h.end_pfn;
}

static enum dfmt_status
parts_check(const struct diskdump *dd, struct dfmt_err *err)
{
	const struct part *p = dd->parts;

	for (size_t i = 0; i + 1 < dd->nr_parts; i++) {
		if (!p[i].h.split || !p[i + 1].h.split)
			return dfmt_fail(err, DFMT_E_MALFORMED,
				"several files that are not parts of a split dump",
				DFMT_NONE, DFMT_NONE);
		if (p[i].h.max_pfn != p[i + 1].h.max_pfn ||
			p[i].h.block_size != p[i + 1].h.block_size ||
			p[i].h.bitmap_blocks != p[i + 1].h.bitmap_blocks)
			return dfmt_fail(err, DFMT_E_MALFORMED,
				"split parts of different dumps", DFMT_NONE,
				DFMT_NONE);
		if (p[i].h.end_pfn > p[i + 1].h.start_pfn)
			return dfmt_fail(err, DFMT_E_MALFORMED,
				"split parts overlap: the same part twice?",
				DFMT_NONE,
				p[i + 1].h.start_pfn *
					(uint64_t)p[i].h.block_size);
	}
	return DFMT_OK;
}

static enum dfmt_machine
machine_of(const char *name)
{
	if (!strcmp(name, "x86_64"))
		return DFMT_MACHINE_X86_64;
	if (name[0] == 'i' && !strcmp(name + 2, "86"))
		return DFMT_MACHINE_I386;
	return DFMT_MACHINE_UNKNOWN;
}

static const char *
codec_of_status(uint32_t status)
{
	if (status & DFMT_DH_ZSTD)
		return "zstd";
	if (status & DFMT_DH_SNAPPY)
		return "snappy";
	if (status & DFMT_DH_LZO)
		return "lzo";
	return status & DFMT_DH_ZLIB ? "zlib" : "not compressed";
}

static void
describe(struct dfmt *d, const struct diskdump *dd)
{
	const struct dfmt_kdump_header *h = &dd->parts[0].h;

	d->info.kind = DFMT_KIND_DISKDUMP;
	d->info.machine = machine_of(h->machine);
	d->info.page_size = h->block_size;
	d->info.max_addr = h->max_pfn * h->block_size;
	d->info.dump_level = h->dump_level;
	snprintf(d->format_name, sizeof(d->format_name), "%s (%s)",
		h->is_kdump ? "kdump compressed" : "diskdump",
		codec_of_status(h->status));
	d->info.format = d->format_name;
	int n = snprintf(d->details, sizeof(d->details), "header %d%s",
		h->version, h->is_64 ? "" : ", 32 bit");
	if (h->split)
		snprintf(d->details + n, sizeof(d->details) - (size_t)n,
			", %zu part%s", dd->nr_parts,
			dd->nr_parts == 1 ? "" : "s");
	for (size_t i = 0; i < dd->nr_parts; i++) {
		const struct part *p = &dd->parts[i];

		if (p->h.status & DFMT_DH_INCOMPLETE ||
			p->src->size < p->written + (dd->max_pfn + 7) / 8)
			d->info.truncated = true;
	}
}

/* Notes that cannot be read are lost notes; the dump opens without. */
static enum dfmt_status
notes_read(struct dfmt *d, const struct part *p, struct dfmt_err *err)
{
	const struct dfmt_kdump_header *h = &p->h;
	enum dfmt_status st = DFMT_OK;

	if (h->notes_len > DFMT_NOTES_MAX_BYTES ||
		!dfmt_inside(h->notes_offset, h->notes_len, p->src->size))
		d->notes.cut = true;
	else if (h->notes_len)
		st = dfmt_notes_add(&d->notes, p->src, h->notes_offset,
			h->notes_len, err);
	if (st != DFMT_OK)
		return st;
	if (h->vmcoreinfo_len > DFMT_NOTES_MAX_BYTES ||
		!dfmt_inside(h->vmcoreinfo_offset, h->vmcoreinfo_len,
			p->src->size))
		d->notes.cut = true;
	else if (h->vmcoreinfo_len)
		st = dfmt_notes_add_vmcoreinfo(&d->notes, p->src,
			h->vmcoreinfo_offset, h->vmcoreinfo_len, err);
	return st;
}

static enum dfmt_status
diskdump_open(struct dfmt *d, struct dfmt_err *err)
{
	enum dfmt_status st = DFMT_OK;

	if (d->nr_parts > MAX_PARTS)
		return dfmt_fail(err, DFMT_E_UNSUPPORTED, "too many files",
			DFMT_NONE, DFMT_NONE);
	struct diskdump *dd = d->impl = calloc(1, sizeof(*dd));
	if (dd)
		dd->parts = calloc(d->nr_parts, sizeof(*dd->parts));
	if (!dd || !dd->parts)
		return dfmt_fail(err, DFMT_E_NOMEM, "kdump", DFMT_NONE,
			DFMT_NONE);
	for (size_t i = 0; i < d->nr_parts && st == DFMT_OK;
		i++, dd->nr_parts++)
		st = part_open(&dd->parts[i], d->parts[i], d->nr_parts, err);
	if (st != DFMT_OK)
		return st;
	qsort(dd->parts, dd->nr_parts, sizeof(*dd->parts), part_compare);
	st = parts_check(dd, err);
	if (st != DFMT_OK)
		return st;
	dd->max_pfn = dd->parts[0].h.max_pfn;
	dd->two_bitmaps = has_two_bitmaps(&dd->parts[0].h);
	describe(d, dd);
	return notes_read(d, &dd->parts[0], err);
}

static void
diskdump_close(struct dfmt *d)
{
	struct diskdump *dd = d->impl;

	if (!dd)
		return;
	for (size_t i = 0; dd->parts && i < dd->nr_parts; i++)
		dfmt_rank_fini(&dd->parts[i].rank);
	free(dd->parts);
	free(dd);
}

/* ---- one frame ---------------------------------------------------------- */

static struct part *
part_of(const struct diskdump *dd, uint64_t pfn)
{
	for (size_t i = 0; i < dd->nr_parts; i++) {
		struct part *p = &dd->parts[i];

		if (pfn >= p->h.start_pfn && pfn < p->h.end_pfn)
			return p;
	}
	return NULL;
}

/* The frame is in no descriptor's reach: say which of the reasons it is. */
static enum dfmt_status
absent(const struct diskdump *dd, uint64_t pfn, uint64_t addr,
	struct dfmt_err *err)
{
	const struct part *p = &dd->parts[0];
	uint8_t byte = 0;

	if (dd->two_bitmaps) {
		enum dfmt_status st = dfmt_source_read(p->src,
			p->exists + pfn / 8, &byte, 1, err);
		if (st != DFMT_OK)
			return st;
	}
	if (byte >> pfn % 8 & 1)
		return dfmt_fail(err, DFMT_E_EXCLUDED,
			"frame left out when the dump was made", DFMT_NONE,
			addr);
	return dfmt_fail(err, DFMT_E_RANGE, "no memory there", DFMT_NONE, addr);
}

static enum dfmt_status
absent_part(const struct diskdump *dd, uint64_t pfn, uint64_t addr,
	struct dfmt_err *err)
{
	const struct part *p = &dd->parts[0];
	uint8_t byte;
	enum dfmt_status st =
		dfmt_source_read(p->src, p->written + pfn / 8, &byte, 1, err);

	if (st != DFMT_OK)
		return st;
	if (byte >> pfn % 8 & 1)
		return dfmt_fail(err, DFMT_E_LOST,
			"in a part of the split dump that was not given",
			DFMT_NONE, addr);
	return absent(dd, pfn, addr, err);
}

static bool
codec_of_flags(uint32_t flags, enum dfmt_codec *codec_out)
{
	switch (flags) {
	case 0:
		*codec_out = DFMT_CODEC_STORED;
		return true;
	case DFMT_DH_ZLIB:
		*codec_out = DFMT_CODEC_ZLIB;
		return true;
	case DFMT_DH_LZO:
		*codec_out = DFMT_CODEC_LZO;
		return true;
	case DFMT_DH_SNAPPY:
		*codec_out = DFMT_CODEC_SNAPPY;
		return true;
	case DFMT_DH_ZSTD:
		*codec_out = DFMT_CODEC_ZSTD;
		return true;
	}
	return false;
}

/*
 * page_desc: offset 64, size 32, flags 32, page_flags 64.  An incomplete dump
 * has descriptors of zeros for what was never written.
 */
static enum dfmt_status
desc_parse(const struct part *p, const uint8_t *desc,
	struct dfmt_extent *ext_out, struct dfmt_err *err, uint64_t at)
{
	struct dfmt_extent ext = { .src = p->src,
		.offset = dfmt_le64(desc),
		.stored_len = dfmt_le32(desc + 8),
		.len = p->h.block_size };

	if (ext.offset == 0)
		return dfmt_fail(err, DFMT_E_LOST, "page was never written", at,
			DFMT_NONE);
	if (!codec_of_flags(dfmt_le32(desc + 12), &ext.codec))
		return dfmt_fail(err, DFMT_E_LOST,
			"page descriptor: unknown flags", at, DFMT_NONE);
	if (ext.stored_len == 0 || ext.stored_len > p->h.block_size ||
		(ext.codec == DFMT_CODEC_STORED && ext.stored_len != ext.len))
		return dfmt_fail(err, DFMT_E_LOST, "page descriptor: size", at,
			DFMT_NONE);
	if (ext.offset < p->descs)
		return dfmt_fail(err, DFMT_E_LOST, "page descriptor: offset",
			at, DFMT_NONE);
	*ext_out = ext;
	return DFMT_OK;
}

static enum dfmt_status
diskdump_locate(const struct dfmt *d, uint64_t addr,
	struct dfmt_extent *ext_out, struct dfmt_err *err)
{
	const struct diskdump *dd = d->impl;
	uint64_t pfn = addr / d->info.page_size, rank;
	uint8_t desc[DFMT_PAGE_DESC_LEN];
	struct dfmt_extent ext;
	bool set;

	if (pfn >= dd->max_pfn)
		return dfmt_fail(err, DFMT_E_RANGE,
			"beyond the machine's memory", DFMT_NONE, addr);
	struct part *p = part_of(dd, pfn);
	if (!p)
		return absent_part(dd, pfn, addr, err);
	enum dfmt_status st = dfmt_rank_find(&p->rank, pfn, &set, &rank, err);
	if (st == DFMT_OK && !set)
		return absent(dd, pfn, addr, err);
	uint64_t at = p->descs + rank * DFMT_PAGE_DESC_LEN;
	if (st == DFMT_OK)
		st = dfmt_source_read(p->src, at, desc, sizeof(desc), err);
	if (st == DFMT_OK)
		st = desc_parse(p, desc, &ext, err, at);
	if (st != DFMT_OK)
		return st;
	ext.addr = addr & ~(uint64_t)(d->info.page_size - 1);
	if (ext.codec == DFMT_CODEC_STORED) {
		ext.offset += addr - ext.addr;
		ext.len -= addr - ext.addr;
		ext.addr = addr;
	}
	*ext_out = ext;
	return DFMT_OK;
}

/* ---- passes over the bitmaps -------------------------------------------- */

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

/*
 * The first frame at or after pfn whose bit is `want`; max_pfn when there is
 * none.  Of a split dump with a part missing its frames count as written.
 */
static enum dfmt_status
bit_find(const struct diskdump *dd, uint64_t pfn, bool want, uint64_t *pfn_out,
	struct dfmt_err *err)
{
	const struct part *p = &dd->parts[0];
	uint64_t len = 512; /* runs are short or long: read ever more */
	uint8_t *buf = malloc(CHUNK + 8);

	if (!buf)
		return dfmt_fail(err, DFMT_E_NOMEM, "bitmap", DFMT_NONE,
			DFMT_NONE);
	while (pfn < dd->max_pfn) {
		uint64_t base = pfn & ~7ull;
		if (want && len > 512) {
			uint64_t at = p->written + base / 8;
			uint64_t end = dfmt_source_hole_end(p->src, at);

			if (end > at) {
				pfn = base + 8 * (end - at);
				continue;
			}
		}
		uint64_t nr = dfmt_min(dd->max_pfn - base, len * 8);
		size_t in = (nr + 7) / 8;

		memset(buf + in, 0, 8);
		enum dfmt_status st = dfmt_source_pass(p->src,
			p->written + base / 8, buf, in, err);
		if (st != DFMT_OK) {
			free(buf);
			return st;
		}
		uint64_t found = bit_in(buf, pfn - base, nr, want);
		pfn = base + found;
		if (found < nr)
			break;
		len = dfmt_min(2 * len, CHUNK);
	}
	free(buf);
	*pfn_out = dfmt_min(pfn, dd->max_pfn);
	return DFMT_OK;
}

static enum dfmt_status
diskdump_next_range(const struct dfmt *d, uint64_t addr, uint64_t *start_out,
	uint64_t *end_out, struct dfmt_err *err)
{
	const struct diskdump *dd = d->impl;
	uint64_t page = d->info.page_size, first, end;
	enum dfmt_status st = bit_find(dd, addr / page, true, &first, err);

	if (st != DFMT_OK)
		return st;
	if (addr / page >= dd->max_pfn || first >= dd->max_pfn)
		return dfmt_fail(err, DFMT_E_RANGE, "no more memory", DFMT_NONE,
			addr);
	st = bit_find(dd, first, false, &end, err);
	if (st != DFMT_OK)
		return st;
	*start_out = first * page > addr ? first * page : addr;
	*end_out = end * page;
	return DFMT_OK;
}

/* One chunk of both bitmaps, from a multiple of 8 frames on. */
static enum dfmt_status
chunk_count(const struct diskdump *dd, uint64_t pfn, uint64_t nr, uint8_t *buf,
	struct dfmt_coverage *cov, struct dfmt_err *err)
{
	const struct part *p = &dd->parts[0];
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
holes_skip(const struct diskdump *dd, uint64_t pfn)
{
	const struct part *p = &dd->parts[0];
	uint64_t one = dfmt_source_hole_end(p->src, p->exists + pfn / 8);
	uint64_t two = dfmt_source_hole_end(p->src, p->written + pfn / 8);

	return 8 * dfmt_min(one - p->exists, two - p->written);
}

static enum dfmt_status
bitmaps_count(const struct diskdump *dd, struct dfmt_coverage *cov,
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
		uint64_t nr = dfmt_min(dd->max_pfn - pfn, CHUNK * 8);

		st = chunk_count(dd, pfn, nr, buf, cov, err);
		pfn += nr;
	}
	free(buf);
	return st;
}

static bool
desc_is_whole(const struct part *p, const uint8_t *desc)
{
	struct dfmt_extent ext;

	return desc_parse(p, desc, &ext, NULL, 0) == DFMT_OK &&
	       dfmt_inside(ext.offset, ext.stored_len, p->src->size);
}

/* Reads all descriptors of a part that is known to be cut. */
static enum dfmt_status
descs_lost(const struct part *p, uint64_t nr, uint64_t *lost_out,
	struct dfmt_err *err)
{
	uint64_t in_file = 0, lost;
	const size_t per_read = CHUNK / DFMT_PAGE_DESC_LEN;
	enum dfmt_status st = DFMT_OK;

	if (p->src->size > p->descs)
		in_file = dfmt_min(
			(p->src->size - p->descs) / DFMT_PAGE_DESC_LEN, nr);
	lost = nr - in_file;
	uint8_t *buf = malloc(CHUNK);
	if (!buf)
		return dfmt_fail(err, DFMT_E_NOMEM, "page descriptors",
			DFMT_NONE, DFMT_NONE);
	for (uint64_t i = 0; i < in_file && st == DFMT_OK;) {
		uint64_t n = dfmt_min(in_file - i, per_read);

		st = dfmt_source_pass(p->src, p->descs + i * DFMT_PAGE_DESC_LEN,
			buf, n * DFMT_PAGE_DESC_LEN, err);
		for (uint64_t k = 0; k < n && st == DFMT_OK; k++)
			lost += !desc_is_whole(p, buf + k * DFMT_PAGE_DESC_LEN);
		i += n;
	}
	free(buf);
	if (st == DFMT_OK)
		*lost_out = lost;
	return st;
}

/*
 * Data lie in the order of descriptors: when the last page is whole, all are,
 * unless the writer itself says that it ran out of room.
 */
static enum dfmt_status
part_lost(struct part *p, uint64_t *nr_out, uint64_t *lost_out,
	struct dfmt_err *err)
{
	uint8_t desc[DFMT_PAGE_DESC_LEN];
	uint64_t nr;
	enum dfmt_status st = dfmt_rank_total(&p->rank, &nr, err);

	if (st != DFMT_OK)
		return st;
	*nr_out = nr;
	*lost_out = 0;
	if (nr == 0)
		return DFMT_OK;
	uint64_t at = p->descs + (nr - 1) * DFMT_PAGE_DESC_LEN;
	if (!(p->h.status & DFMT_DH_INCOMPLETE) &&
		dfmt_inside(at, sizeof(desc), p->src->size) &&
		dfmt_source_read(p->src, at, desc, sizeof(desc), NULL) ==
			DFMT_OK &&
		desc_is_whole(p, desc))
		return DFMT_OK;
	return descs_lost(p, nr, lost_out, err);
}

static enum dfmt_status
diskdump_coverage(const struct dfmt *d, struct dfmt_coverage *cov_out,
	struct dfmt_err *err)
{
	const struct diskdump *dd = d->impl;
	struct dfmt_coverage cov = { .counted = true };
	enum dfmt_status st = bitmaps_count(dd, &cov, err);
	uint64_t described = 0;

	for (size_t i = 0; i < dd->nr_parts && st == DFMT_OK; i++) {
		uint64_t nr, lost;

		st = part_lost(&dd->parts[i], &nr, &lost, err);
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

const struct dfmt_format dfmt_format_diskdump = {
	.open = diskdump_open,
	.locate = diskdump_locate,
	.next_range = diskdump_next_range,
	.coverage = diskdump_coverage,
	.close = diskdump_close,
};
