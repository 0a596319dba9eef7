/* SPDX-License-Identifier: MIT */
/*
 * Writes compressed kdump files: header, sub header and notes, two bitmaps,
 * descriptors, pages.  Layouts: diskdump_mod.h of makedumpfile 1.7.
 */
#include "mkdump.h"

#include <stdlib.h>
#include <string.h>

#define DESC_LEN 24u

struct kdump_out {
	uint64_t block;	  /* bytes */
	uint64_t max_pfn; /* in blocks */
	uint64_t sub_len; /* of the sub header alone */
	uint64_t sub_blocks;
	uint64_t bitmap_blocks;
	uint64_t bitmap1, bitmap2, descs, data;
};

bool
mk_block_bytes(const struct mk *m, uint64_t block, uint8_t *out,
	bool *exists_out, enum mk_codec *codec_out)
{
	uint64_t per = m->block_size / MK_PAGE;
	bool there = false;

	*exists_out = false;
	memset(out, 0, m->block_size);
	for (uint64_t i = 0; i < per; i++) {
		const struct mk_frame *f = mk_frame_find(m, block * per + i);

		if (!f)
			continue;
		*exists_out = true;
		if (f->excluded)
			continue;
		there = true;
		*codec_out = f->codec;
		memcpy(out + i * MK_PAGE, f->bytes, MK_PAGE);
	}
	return there;
}

uint64_t
mk_end_pfn(const struct mk *m)
{
	uint64_t per = m->block_size / MK_PAGE;

	if (m->max_pfn)
		return m->max_pfn;
	return m->nr_frames ? m->frames[m->nr_frames - 1]->pfn / per + 1 : 1;
}

static void
bit_set(struct mk_bytes *bitmap, uint64_t bit)
{
	bitmap->p[bit / 8] |= (uint8_t)(1u << bit % 8);
}

static void
bitmaps_write(struct mk *m, const struct kdump_out *o)
{
	uint64_t per = m->block_size / MK_PAGE;
	struct mk_bytes one = { 0 }, two = { 0 };

	mk_bytes_zero(&one, (o->max_pfn + 7) / 8);
	mk_bytes_zero(&two, (o->max_pfn + 7) / 8);
	for (size_t i = 0; i < m->nr_frames; i++) {
		const struct mk_frame *f = m->frames[i];

		if (f->pfn / per >= o->max_pfn)
			continue;
		bit_set(&one, f->pfn / per);
		if (!f->excluded)
			bit_set(&two, f->pfn / per);
	}
	if (!m->one_bitmap)
		mk_pwrite(m, o->bitmap1, one.p, one.len);
	mk_pwrite(m, o->bitmap2, two.p, two.len);
	free(one.p);
	free(two.p);
}

static bool
is_zero(const uint8_t *p, size_t len)
{
	return p[0] == 0 && memcmp(p, p + 1, len - 1) == 0;
}

struct page_out {
	uint8_t *page; /* block_size bytes */
	uint8_t *packed;
	size_t room;
	uint64_t at;	    /* where the next page's data go */
	uint64_t zero_page; /* where zeros are already, or 0 */
	struct mk_bytes descs;
};

/* One block's data and descriptor; zeros share theirs. */
static void
page_write(struct mk *m, struct page_out *p, enum mk_codec codec)
{
	size_t packed =
		mk_compress(codec, p->page, m->block_size, p->packed, p->room);
	size_t len = packed ? packed : m->block_size;
	bool zero = is_zero(p->page, m->block_size);
	uint64_t at = zero && p->zero_page ? p->zero_page : p->at;

	if (at == p->at) {
		mk_pwrite(m, at, packed ? p->packed : p->page, len);
		p->at += len;
	}
	if (zero)
		p->zero_page = at;
	mk_bytes_int(&p->descs, at, 8);
	mk_bytes_int(&p->descs, len, 4);
	mk_bytes_int(&p->descs, packed ? mk_codec_flag(codec) : 0, 4);
	mk_bytes_int(&p->descs, 0, 8);
}

/* The next block after `last` with bytes in the dump; false: there is none. */
static bool
block_next(const struct mk *m, size_t *i, uint64_t *last, uint8_t *page,
	enum mk_codec *codec)
{
	uint64_t per = m->block_size / MK_PAGE;
	bool exists;

	for (; *i < m->nr_frames; ++*i) {
		uint64_t b = m->frames[*i]->pfn / per;

		if (b != *last && mk_block_bytes(m, b, page, &exists, codec)) {
			*last = b;
			return true;
		}
	}
	return false;
}

/* Descriptors and data of the blocks [start, end). */
static void
pages_write(struct mk *m, struct kdump_out *o, uint64_t start, uint64_t end)
{
	struct page_out p = { .room = m->block_size * UINT64_C(2) + 1024 };
	enum mk_codec codec = MK_NONE;
	uint64_t nr = 0;

	p.page = malloc(m->block_size);
	p.packed = malloc(p.room);
	if (!p.page || !p.packed)
		mk_die(m, "out of memory");
	/* First how many descriptors there are, then the data behind them. */
	for (int pass = 0; pass < 2; pass++) {
		uint64_t last = UINT64_MAX;

		p.at = o->data = o->descs + DESC_LEN * nr;
		for (size_t i = 0; block_next(m, &i, &last, p.page, &codec);) {
			if (last < start || last >= end)
				continue;
			if (pass == 0)
				nr++;
			else
				page_write(m, &p, codec);
		}
	}
	mk_pwrite(m, o->descs, p.descs.p, p.descs.len);
	free(p.descs.p);
	free(p.page);
	free(p.packed);
}

static void
header_write(struct mk *m, const struct kdump_out *o)
{
	static const char *const uts[] = { "Linux", "(none)", "0.0.0-fixture",
		"#1", NULL, "(none)" };
	struct mk_bytes b = { 0 };

	mk_bytes_add(&b, m->format == MK_KDUMP ? "KDUMP   " : "DISKDUMP", 8);
	mk_bytes_int(&b, (uint64_t)m->version, 4);
	for (size_t i = 0; i < 6; i++) {
		const char *s =
			i == 4 ? (m->is_i386 ? "i686" : "x86_64") : uts[i];

		mk_bytes_add(&b, s, strlen(s));
		mk_bytes_zero(&b, 65 - strlen(s));
	}
	mk_bytes_zero(&b, (m->width_32 ? 412 : 424) - b.len);
	mk_bytes_int(&b,
		m->status >= 0 ? (uint64_t)m->status : mk_codec_flag(m->codec),
		4);
	mk_bytes_int(&b, o->block, 4);
	mk_bytes_int(&b, o->sub_blocks, 4);
	mk_bytes_int(&b, o->bitmap_blocks, 4);
	mk_bytes_int(&b, o->max_pfn, 4);
	mk_bytes_zero(&b, 16);
	mk_bytes_int(&b, 1, 4); /* nr_cpus */
	mk_pwrite(m, 0, b.p, b.len);
	free(b.p);
}

/* The sub header as far as this version has it; the rest stays zero. */
static void
sub_write(struct mk *m, const struct kdump_out *o, uint64_t start, uint64_t end,
	bool split)
{
	unsigned int w = m->width_32 ? 4 : 8;
	struct mk_bytes b = { 0 };
	uint64_t notes = o->block + o->sub_len;
	static const unsigned int lens_64[] = { 8, 16, 32, 48, 64, 80, 104 };
	static const unsigned int lens_32[] = { 4, 8, 20, 32, 44, 56, 80 };
	int v = m->version < 0 ? 0 : m->version > 6 ? 6 : m->version;

	mk_bytes_int(&b, 0, w);
	mk_bytes_int(&b, m->level, 4);
	mk_bytes_int(&b, split, 4);
	mk_bytes_int(&b, split ? start : 0, w);
	mk_bytes_int(&b, split ? end : 0, w);
	mk_bytes_int(&b, m->has_info ? notes + m->info_offset : 0, 8);
	mk_bytes_int(&b, m->info_len, w);
	mk_bytes_int(&b, m->notes.len ? notes : 0, 8);
	mk_bytes_int(&b, m->notes.len, w);
	mk_bytes_int(&b, 0, 8);
	mk_bytes_int(&b, 0, w);
	mk_bytes_int(&b, split ? start : 0, 8);
	mk_bytes_int(&b, split ? end : 0, 8);
	mk_bytes_int(&b, o->max_pfn, 8);
	mk_pwrite(m, o->block, b.p, m->width_32 ? lens_32[v] : lens_64[v]);
	mk_pwrite(m, notes, m->notes.p, m->notes.len);
	free(b.p);
}

void
mk_write_kdump(struct mk *m, uint64_t start, uint64_t end, bool split)
{
	struct kdump_out o = { .block = m->block_size,
		.max_pfn = mk_end_pfn(m),
		.sub_len = m->width_32 ? 80 : 104 };
	uint64_t bits = o.block * 8;
	uint64_t half = (o.max_pfn + bits - 1) / bits;

	o.sub_blocks = (o.sub_len + m->notes.len + o.block - 1) / o.block;
	o.bitmap_blocks = half * (m->one_bitmap ? 1 : 2);
	o.bitmap1 = (1 + o.sub_blocks) * o.block;
	o.bitmap2 = o.bitmap1 + (m->one_bitmap ? 0 : half * o.block);
	o.descs = o.bitmap1 + o.bitmap_blocks * o.block;
	bitmaps_write(m, &o);
	pages_write(m, &o, start, end);
	header_write(m, &o);
	if (m->format == MK_KDUMP)
		sub_write(m, &o, start, end, split);
	mk_label_set(m, "file.sub", o.block);
	mk_label_set(m, "file.notes", o.block + o.sub_len);
	mk_label_set(m, "file.bitmap1", o.bitmap1);
	mk_label_set(m, "file.bitmap2", o.bitmap2);
	mk_label_set(m, "file.descs", o.descs);
	mk_label_set(m, "file.data", o.data);
}
