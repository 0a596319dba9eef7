/* SPDX-License-Identifier: MIT */
/*
 * The bytes of a frame of a native dump.
 *
 * A block is expanded as a whole after its checksum was seen to be right; all
 * its frames go to the page cache, for who reads one frame soon reads its
 * neighbours.  Only frames that lie wholly in the machine's memory do: a hit in
 * the cache is not held against the ranges any more.
 */
#include "dfmt-cache.h"
#include "dfmt-native.h"

#include <stdlib.h>
#include <string.h>

#define ON_STACK 65536u /* expanded blocks of that size need no allocation */
#define NEIGHBOURS 64u	/* runs looked at for the other frames of a block */

struct block {
	uint64_t off; /* of the dump */
	uint32_t len, crc;
	uint32_t nr_frames;
	enum dfmt_codec codec;
};

/* ---- a block ------------------------------------------------------------ */

static enum dfmt_status
block_lost(const struct dfmt_nstate *n, uint64_t off, const char *what,
	struct dfmt_err *err)
{
	return dfmt_fail(err, DFMT_E_LOST, what, dfmt_add_sat(n->base, off),
		DFMT_NONE);
}

static enum dfmt_status
block_find(const struct dfmt_nstate *n, const struct dfmt_npages *p,
	uint64_t index, struct block *block_out, struct dfmt_err *err)
{
	uint64_t i = index / p->block_frames, at = p->blocks + i * 16;
	uint8_t b[sizeof(struct dfmt_fmt_block)];

	if (index >= p->nr_data || i >= p->nr_blocks)
		return block_lost(n, p->offset, "a run leads to no block", err);
	enum dfmt_status st = dfmt_nread(n, at, b, sizeof(b), err);
	if (st != DFMT_OK)
		return st;
	uint64_t off = dfmt_le32(b);
	struct block block = {
		.off = p->data + off,
		.len = dfmt_le32(b + 4),
		.crc = dfmt_le32(b + 8),
		.nr_frames = dfmt_le16(b + 14),
	};
	uint64_t raw = (uint64_t)block.nr_frames << n->shift;
	if (block.nr_frames > p->block_frames ||
		index % p->block_frames >= block.nr_frames ||
		!dfmt_inside(off, block.len, p->data_len) || block.len > raw)
		return block_lost(n, at, "a block contradicts itself", err);
	if (!dfmt_ncodec(dfmt_le16(b + 12), &block.codec))
		return dfmt_fail(err, DFMT_E_UNSUPPORTED, "an unknown codec",
			n->base + at, DFMT_NONE);
	if (!dfmt_inside(block.off, block.len, n->len))
		return block_lost(n, block.off, "the dump ends before it", err);
	*block_out = block;
	return DFMT_OK;
}

static enum dfmt_status
bytes_expand(const struct dfmt_nstate *n, const struct block *b,
	const void *stored, uint8_t *raw, struct dfmt_err *err)
{
	size_t len = (size_t)b->nr_frames << n->shift;

	if (dfmt_crc32c(&n->crc, stored, b->len) != b->crc)
		return block_lost(n, b->off, "a block's checksum is wrong",
			err);
	if (dfmt_codec_expand(b->codec, stored, b->len, raw, len) != DFMT_OK)
		return block_lost(n, b->off, "a block does not decompress",
			err);
	return DFMT_OK;
}

static enum dfmt_status
block_expand(const struct dfmt_nstate *n, const struct block *b, uint8_t *raw,
	struct dfmt_err *err)
{
	size_t got;
	const void *view = n->crypt ? NULL
				    : dfmt_source_view(n->src, n->base + b->off,
					      b->len, &got);

	if (view && got == b->len)
		return bytes_expand(n, b, view, raw, err);
	uint8_t *copy = malloc(b->len + (size_t)1);
	if (!copy)
		return dfmt_fail(err, DFMT_E_NOMEM, "a block", DFMT_NONE,
			DFMT_NONE);
	enum dfmt_status st = dfmt_nread(n, b->off, copy, b->len, err);
	if (st == DFMT_OK)
		st = bytes_expand(n, b, copy, raw, err);
	free(copy);
	return st;
}

/* ---- the cache ---------------------------------------------------------- */

static bool
wholly_memory(const struct dfmt_nstate *n, uint64_t addr, uint64_t len)
{
	if (n->nr_memory == 0)
		return true;
	size_t i = dfmt_nmemory_find(n, addr);

	return i < n->nr_memory && n->memory[i].addr <= addr &&
	       n->memory[i].addr + n->memory[i].len - addr >= len;
}

/* The frames of a run that are in the block with data frames from index on. */
static void
run_cache(const struct dfmt *d, const struct dfmt_nrun *run, uint64_t index,
	uint64_t nr, const uint8_t *raw, uint64_t missed)
{
	const struct dfmt_nstate *n = d->impl;
	uint64_t from = run->arg > index ? run->arg : index;
	uint64_t to = dfmt_min(dfmt_add_sat(run->arg, run->count), index + nr);

	for (uint64_t i = from; i < to; i++) {
		uint64_t addr = (run->first + (i - run->arg)) << n->shift;

		const uint8_t *page = raw + ((i - index) << n->shift);

		if (!wholly_memory(n, addr, d->info.page_size))
			continue;
		if (addr == missed)
			dfmt_cache_put(d->cache, addr, page);
		else
			dfmt_cache_add(d->cache, addr, page);
	}
}

/* All frames of an expanded block, found from the run of one of them. */
static void
block_cache(const struct dfmt *d, const struct dfmt_nframe *f,
	const struct block *b, const uint8_t *raw)
{
	const struct dfmt_nstate *n = d->impl;
	uint64_t index = f->arg - f->arg % f->pages.block_frames;
	uint32_t i = f->run, first = i > NEIGHBOURS ? i - NEIGHBOURS : 0;
	struct dfmt_nrun run;

	while (i > first &&
		dfmt_npages_run(n, &f->pages, i - 1, &run, NULL) == DFMT_OK &&
		(run.kind != DFMT_RUN_DATA || run.arg + run.count > index))
		i--;
	for (uint32_t k = 0; k < 2 * NEIGHBOURS && i < f->pages.nr_runs;
		k++, i++) {
		if (dfmt_npages_run(n, &f->pages, i, &run, NULL) != DFMT_OK)
			return;
		if (run.kind != DFMT_RUN_DATA)
			continue;
		if (run.arg >= index + b->nr_frames)
			return;
		run_cache(d, &run, index, b->nr_frames, raw,
			f->pfn << n->shift);
	}
}

/* ---- a frame ------------------------------------------------------------ */

/* What is wanted of a frame. */
struct piece {
	size_t in_frame;
	size_t len;
	uint8_t *out;
};

static enum dfmt_status
block_read(const struct dfmt *d, const struct dfmt_nframe *f,
	const struct block *b, uint8_t *raw, const struct piece *piece,
	struct dfmt_err *err)
{
	const struct dfmt_nstate *n = d->impl;
	enum dfmt_status st = block_expand(n, b, raw, err);
	uint64_t i = f->arg % f->pages.block_frames;

	if (st != DFMT_OK)
		return st;
	memcpy(piece->out, raw + (i << n->shift) + piece->in_frame, piece->len);
	block_cache(d, f, b, raw);
	return DFMT_OK;
}

static enum dfmt_status
data_read(const struct dfmt *d, const struct dfmt_nframe *f,
	const struct piece *piece, struct dfmt_err *err)
{
	const struct dfmt_nstate *n = d->impl;
	_Alignas(8) uint8_t room[ON_STACK];
	struct block b;
	enum dfmt_status st = block_find(n, &f->pages, f->arg, &b, err);

	if (st != DFMT_OK)
		return st;
	size_t raw_len = (size_t)b.nr_frames << n->shift;
	if (raw_len <= sizeof(room))
		return block_read(d, f, &b, room, piece, err);
	uint8_t *raw = malloc(raw_len);
	if (!raw)
		return dfmt_fail(err, DFMT_E_NOMEM, "a block", DFMT_NONE,
			DFMT_NONE);
	st = block_read(d, f, &b, raw, piece, err);
	free(raw);
	return st;
}

static void
fill_read(uint64_t word, const struct piece *piece)
{
	uint8_t bytes[8];
	size_t i = 0;

	/* The word as it lies from the piece's first byte on. */
	for (size_t k = 0; k < 8; k++)
		bytes[k] = (uint8_t)(word >> 8 * ((piece->in_frame + k) % 8));
	for (; i + 8 <= piece->len; i += 8)
		memcpy(piece->out + i, bytes, 8);
	memcpy(piece->out + i, bytes, piece->len - i);
}

/* The frame that this one equals: it holds data itself, no chain. */
static enum dfmt_status
repeat_read(const struct dfmt *d, uint64_t pfn, const struct piece *piece,
	struct dfmt_err *err)
{
	struct dfmt_nstate *n = d->impl;
	struct dfmt_nframe f;

	if (pfn >= DFMT_MAX_PFN)
		return dfmt_fail(err, DFMT_E_LOST,
			"the frame that this one equals is no frame", DFMT_NONE,
			DFMT_NONE);
	if (dfmt_cache_get(d->cache, pfn << n->shift, (uint32_t)piece->in_frame,
		    piece->out, piece->len))
		return DFMT_OK;
	enum dfmt_status st = dfmt_nframe_find(n, pfn, &f, err);
	if (st == DFMT_OK && f.kind == DFMT_RUN_DATA)
		return data_read(d, &f, piece, err);
	if (st == DFMT_OK || st == DFMT_E_EXCLUDED)
		return dfmt_fail(err, DFMT_E_LOST,
			"the frame that this one equals is not stored",
			DFMT_NONE, DFMT_NONE);
	return st;
}

static enum dfmt_status
frame_read(const struct dfmt *d, const struct dfmt_nframe *f,
	const struct piece *piece, struct dfmt_err *err)
{
	const struct dfmt_nstate *n = d->impl;

	switch (f->kind) {
	case DFMT_RUN_DATA:
		return data_read(d, f, piece, err);
	case DFMT_RUN_FILL:
		if (!n->shift_known)
			return dfmt_fail(err, DFMT_E_LOST,
				"nothing says how long frames are", DFMT_NONE,
				DFMT_NONE);
		fill_read(f->arg, piece);
		return DFMT_OK;
	case DFMT_RUN_REPEAT:
		return repeat_read(d, f->arg, piece, err);
	case DFMT_RUN_LOST:
		return dfmt_fail(err, DFMT_E_LOST,
			"could not be read when the dump was made", DFMT_NONE,
			DFMT_NONE);
	}
	return dfmt_fail(err, DFMT_E_UNSUPPORTED, "an unknown kind of frames",
		DFMT_NONE, DFMT_NONE);
}

/* How far memory goes from addr on, at most *len. */
static enum dfmt_status
memory_clip(const struct dfmt_nstate *n, uint64_t addr, size_t *len,
	struct dfmt_err *err)
{
	if (n->has_head && addr >> n->shift >= n->end_pfn)
		return dfmt_fail(err, DFMT_E_RANGE,
			"beyond the machine's memory", DFMT_NONE, addr);
	if (n->ranges_open || !n->nr_memory)
		return DFMT_OK;
	size_t i = dfmt_nmemory_find(n, addr);
	if (i == n->nr_memory || n->memory[i].addr > addr)
		return dfmt_fail(err, DFMT_E_RANGE, "no memory there",
			DFMT_NONE, addr);
	*len = dfmt_min(*len, n->memory[i].addr + n->memory[i].len - addr);
	return DFMT_OK;
}

enum dfmt_status
dfmt_nread_some(const struct dfmt *d, uint64_t addr, void *buf, size_t len,
	size_t *len_out, struct dfmt_err *err)
{
	struct dfmt_nstate *n = d->impl;
	size_t in_frame = addr & (d->info.page_size - 1);
	struct dfmt_nframe f;

	*len_out = dfmt_min(len, d->info.page_size - in_frame);
	enum dfmt_status st = memory_clip(n, addr, len_out, err);
	if (st == DFMT_OK && addr >> n->shift >= DFMT_MAX_PFN)
		st = dfmt_fail(err, DFMT_E_RANGE, "beyond any memory",
			DFMT_NONE, addr);
	if (st == DFMT_OK)
		st = dfmt_nframe_find(n, addr >> n->shift, &f, err);
	if (st != DFMT_OK)
		return st;
	const struct piece piece = { in_frame, *len_out, buf };
	return frame_read(d, &f, &piece, err);
}

/* A frame is memory when any byte of it is. */
static enum dfmt_status
frame_clip(const struct dfmt_nstate *n, uint64_t pfn, struct dfmt_err *err)
{
	uint64_t addr = pfn << n->shift, last = addr + (1u << n->shift) - 1;
	size_t i = dfmt_nmemory_find(n, addr), len = 1;

	if (i < n->nr_memory && n->memory[i].addr > addr &&
		n->memory[i].addr <= last)
		addr = n->memory[i].addr;
	return memory_clip(n, addr, &len, err);
}

enum dfmt_status
dfmt_frame_info_get(const struct dfmt *d, uint64_t pfn,
	struct dfmt_frame_info *info_out, struct dfmt_err *err)
{
	struct dfmt_nstate *n = d->impl;
	struct dfmt_nframe f;

	if (d->info.kind != DFMT_KIND_NATIVE)
		return dfmt_fail(err, DFMT_E_UNSUPPORTED,
			"only the native format says it", DFMT_NONE, DFMT_NONE);
	if (pfn >= DFMT_MAX_PFN)
		return dfmt_fail(err, DFMT_E_RANGE, "beyond any memory",
			DFMT_NONE, DFMT_NONE);
	enum dfmt_status st = frame_clip(n, pfn, err);
	if (st == DFMT_OK)
		st = dfmt_nframe_find(n, pfn, &f, err);
	if (st != DFMT_OK) {
		if (err)
			err->addr = pfn << n->shift;
		return st;
	}
	*info_out = (struct dfmt_frame_info){
		.kind = f.kind,
		.class = f.pages.class,
		.arg = f.kind == DFMT_RUN_DATA ? 0 : f.arg,
	};
	return DFMT_OK;
}
