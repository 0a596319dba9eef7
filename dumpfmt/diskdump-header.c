/* SPDX-License-Identifier: MIT */
/*
 * Reads and checks the headers of a compressed kdump file; see
 * dfmt-diskdump.h for the layouts' source.
 *
 * The width of the writer is in no field: it is the one under which the block
 * size is a page size and neither the sub header nor the bitmap is empty.
 */
#include "dfmt-diskdump.h"
#include "dfmt-impl.h"

#include <string.h>

#define UTSNAME 12u
#define UTSNAME_FIELD ((size_t)65)
#define FIELDS_64 424
#define FIELDS_32 412
#define HEADER_LEN 464
#define SUB_LEN 104
#define MAX_BLOCK 65536u

static enum dfmt_status
malformed(struct dfmt_err *err, const char *what, uint64_t off)
{
	return dfmt_fail(err, DFMT_E_MALFORMED, what, off, DFMT_NONE);
}

static bool
block_size_sane(uint32_t size)
{
	return size >= DFMT_PAGE_SIZE && size <= MAX_BLOCK &&
	       (size & (size - 1)) == 0;
}

/* The fields behind the time stamp, for one width; false: not this one. */
static bool
fields_parse(const uint8_t *p, bool is_64, struct dfmt_kdump_header *h)
{
	const uint8_t *f = p + (is_64 ? FIELDS_64 : FIELDS_32);

	h->is_64 = is_64;
	h->status = dfmt_le32(f);
	h->block_size = dfmt_le32(f + 4);
	h->sub_hdr_blocks = dfmt_le32(f + 8);
	h->bitmap_blocks = dfmt_le32(f + 12);
	h->max_pfn = dfmt_le32(f + 16);
	return block_size_sane(h->block_size) && h->sub_hdr_blocks &&
	       h->bitmap_blocks;
}

static enum dfmt_status
main_parse(const uint8_t *p, struct dfmt_kdump_header *h, struct dfmt_err *err)
{
	h->version = (int32_t)dfmt_le32(p + 8);
	memcpy(h->machine, p + UTSNAME + 4 * UTSNAME_FIELD, UTSNAME_FIELD);
	if (!fields_parse(p, true, h) && !fields_parse(p, false, h))
		return malformed(err,
			"kdump header: block size, sub header or bitmap size",
			FIELDS_64 + 4);
	if (h->version < 0 || h->version > 6)
		return dfmt_fail(err, DFMT_E_UNSUPPORTED,
			"kdump header: unknown version", 8, DFMT_NONE);
	return DFMT_OK;
}

/* A long of the writer at offset o64 or o32. */
static uint64_t
word(const uint8_t *p, bool is_64, unsigned int o64, unsigned int o32)
{
	return is_64 ? dfmt_le64(p + o64) : dfmt_le32(p + o32);
}

/* A 64-bit value of any writer. */
static uint64_t
quad(const uint8_t *p, bool is_64, unsigned int o64, unsigned int o32)
{
	return dfmt_le64(p + (is_64 ? o64 : o32));
}

static void
sub_parse(const uint8_t *p, struct dfmt_kdump_header *h)
{
	bool w = h->is_64;

	if (h->version >= 1)
		h->dump_level = dfmt_le32(p + (w ? 8 : 4));
	if (h->version >= 2) {
		h->split = dfmt_le32(p + (w ? 12 : 8)) != 0;
		h->start_pfn = word(p, w, 16, 12);
		h->end_pfn = word(p, w, 24, 16);
	}
	if (h->version >= 3) {
		h->vmcoreinfo_offset = quad(p, w, 32, 20);
		h->vmcoreinfo_len = word(p, w, 40, 28);
	}
	if (h->version >= 4) {
		h->notes_offset = quad(p, w, 48, 32);
		h->notes_len = word(p, w, 56, 40);
	}
	if (h->version >= 6) {
		h->start_pfn = quad(p, w, 80, 56);
		h->end_pfn = quad(p, w, 88, 64);
		h->max_pfn = quad(p, w, 96, 72);
	}
	if (!h->split) {
		h->start_pfn = 0;
		h->end_pfn = h->max_pfn;
	}
}

static enum dfmt_status
geometry_check(const struct dfmt_kdump_header *h, struct dfmt_err *err)
{
	uint64_t per_block = (uint64_t)h->block_size * 8;
	uint64_t need = h->max_pfn / per_block + (h->max_pfn % per_block != 0);

	if (h->max_pfn == 0)
		return malformed(err, "kdump header: no frames", DFMT_NONE);
	if (h->max_pfn > UINT64_MAX / h->block_size)
		return malformed(err, "kdump header: frames beyond any memory",
			DFMT_NONE);
	if (need > h->bitmap_blocks)
		return malformed(err,
			"kdump header: bitmap too small for the frames",
			DFMT_NONE);
	if (h->start_pfn > h->end_pfn || h->end_pfn > h->max_pfn)
		return malformed(err,
			"kdump sub header: range of the split part",
			h->block_size);
	return DFMT_OK;
}

/* A header that the file ends in is said to be one. */
static enum dfmt_status
header_part(struct dfmt_source *src, uint64_t off, uint8_t *p, size_t len,
	struct dfmt_err *err)
{
	enum dfmt_status st = dfmt_source_read(src, off, p, len, err);

	if (st == DFMT_E_LOST)
		return dfmt_fail(err, st, "kdump header: the file ends in it",
			off, DFMT_NONE);
	return st;
}

enum dfmt_status
dfmt_kdump_header_read(struct dfmt_source *src, struct dfmt_kdump_header *h_out,
	struct dfmt_err *err)
{
	uint8_t p[HEADER_LEN], sub[SUB_LEN];
	struct dfmt_kdump_header h = { 0 };
	enum dfmt_status st = DFMT_E_FORMAT;

	if (src->size >= 8)
		st = dfmt_source_read(src, 0, p, 8, err);
	if (st == DFMT_OK && memcmp(p, "KDUMP   ", 8) == 0)
		h.is_kdump = true;
	else if (st == DFMT_OK && memcmp(p, "DISKDUMP", 8) != 0)
		st = DFMT_E_FORMAT;
	if (st == DFMT_E_FORMAT)
		return st;
	if (st == DFMT_OK)
		st = header_part(src, 0, p, sizeof(p), err);
	if (st == DFMT_OK)
		st = main_parse(p, &h, err);
	if (st != DFMT_OK)
		return st;
	h.end_pfn = h.max_pfn;
	/* The sub header of the old form holds registers only. */
	if (h.is_kdump) {
		st = header_part(src, h.block_size, sub, sizeof(sub), err);
		if (st != DFMT_OK)
			return st;
		sub_parse(sub, &h);
	}
	st = geometry_check(&h, err);
	if (st == DFMT_OK)
		*h_out = h;
	return st;
}
