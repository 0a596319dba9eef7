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

/* ---- opening ------------------------------------------------------------ */

static bool
has_two_bitmaps(const struct dfmt_kdump_header *h)
{
	uint64_t per_block = (uint64_t)h->block_size * 8;
	uint64_t need = h->max_pfn / per_block + (h->max_pfn % per_block != 0);

	return h->bitmap_blocks >= 2 * need;
}

static enum dfmt_status
part_open(struct dfmt_kdump_part *part, struct dfmt_source *src,
	size_t nr_parts, struct dfmt_err *err)
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
	part->rank.src = src;
	part->rank.offset = part->written;
	part->rank.first = h->start_pfn;
	part->rank.end = h->end_pfn;
	return dfmt_rank_init(&part->rank, RANK_BUDGET / nr_parts, err);
}

static int
part_compare(const void *a, const void *b)
{
	const struct dfmt_kdump_part *x = a, *y = b;

	if (x->h.start_pfn != y->h.start_pfn)
		return x->h.start_pfn < y->h.start_pfn ? -1 : 1;
	/* A part without frames comes before the one it shares a start with. */
	return x->h.end_pfn < y->h.end_pfn ? -1 : x->h.end_pfn > y->h.end_pfn;
}

static enum dfmt_status
parts_check(const struct dfmt_kdump *dd, struct dfmt_err *err)
{
	const struct dfmt_kdump_part *p = dd->parts;

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
describe(struct dfmt *d, const struct dfmt_kdump *dd)
{
	const struct dfmt_kdump_header *h = &dd->parts[0].h;

	d->info.kind = DFMT_KIND_DISKDUMP;
	d->info.machine = machine_of(h->machine);
	d->info.page_size = h->block_size;
	d->info.max_addr = h->max_pfn * h->block_size;
	d->info.dump_level = h->dump_level;
	(void)snprintf(d->format_name, sizeof(d->format_name), "%s (%s)",
		h->is_kdump ? "kdump compressed" : "diskdump",
		codec_of_status(h->status));
	d->info.format = d->format_name;
	int n = snprintf(d->details, sizeof(d->details), "header %d%s",
		h->version, h->is_64 ? "" : ", 32 bit");
	if (h->split)
		(void)snprintf(d->details + n, sizeof(d->details) - (size_t)n,
			", %zu part%s", dd->nr_parts,
			dd->nr_parts == 1 ? "" : "s");
	for (size_t i = 0; i < dd->nr_parts; i++) {
		const struct dfmt_kdump_part *p = &dd->parts[i];

		if (p->h.status & DFMT_DH_INCOMPLETE ||
			p->src->size < p->written + (dd->max_pfn + 7) / 8)
			d->info.truncated = true;
	}
}

/* Notes that cannot be read are lost notes; the dump opens without. */
static enum dfmt_status
notes_read(struct dfmt *d, const struct dfmt_kdump_part *p,
	struct dfmt_err *err)
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
	struct dfmt_kdump *dd = d->impl = calloc(1, sizeof(*dd));
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
	struct dfmt_kdump *dd = d->impl;

	if (!dd)
		return;
	for (size_t i = 0; dd->parts && i < dd->nr_parts; i++)
		dfmt_rank_fini(&dd->parts[i].rank);
	free(dd->parts);
	free(dd);
}

/* ---- one frame ---------------------------------------------------------- */

static struct dfmt_kdump_part *
part_of(const struct dfmt_kdump *dd, uint64_t pfn)
{
	for (size_t i = 0; i < dd->nr_parts; i++) {
		struct dfmt_kdump_part *p = &dd->parts[i];

		if (pfn >= p->h.start_pfn && pfn < p->h.end_pfn)
			return p;
	}
	return NULL;
}

/* The frame is in no descriptor's reach: say which of the reasons it is. */
static enum dfmt_status
absent(const struct dfmt_kdump *dd, uint64_t pfn, uint64_t addr,
	struct dfmt_err *err)
{
	const struct dfmt_kdump_part *p = &dd->parts[0];
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
absent_part(const struct dfmt_kdump *dd, uint64_t pfn, uint64_t addr,
	struct dfmt_err *err)
{
	const struct dfmt_kdump_part *p = &dd->parts[0];
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

enum dfmt_status
dfmt_kdump_desc_parse(const struct dfmt_kdump_part *p, const uint8_t *desc,
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
	const struct dfmt_kdump *dd = d->impl;
	uint64_t pfn = addr / d->info.page_size, rank;
	uint8_t desc[DFMT_PAGE_DESC_LEN];
	struct dfmt_extent ext;
	bool set;

	if (pfn >= dd->max_pfn)
		return dfmt_fail(err, DFMT_E_RANGE,
			"beyond the machine's memory", DFMT_NONE, addr);
	struct dfmt_kdump_part *p = part_of(dd, pfn);
	if (!p)
		return absent_part(dd, pfn, addr, err);
	enum dfmt_status st = dfmt_rank_find(&p->rank, pfn, &set, &rank, err);
	if (st == DFMT_OK && !set)
		return absent(dd, pfn, addr, err);
	uint64_t at = p->descs + rank * DFMT_PAGE_DESC_LEN;
	if (st == DFMT_OK)
		st = dfmt_source_read(p->src, at, desc, sizeof(desc), err);
	if (st == DFMT_OK)
		st = dfmt_kdump_desc_parse(p, desc, &ext, err, at);
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

const struct dfmt_format dfmt_format_diskdump = {
	.open = diskdump_open,
	.locate = diskdump_locate,
	.next_range = dfmt_kdump_next_range,
	.coverage = dfmt_kdump_coverage,
	.close = diskdump_close,
};
