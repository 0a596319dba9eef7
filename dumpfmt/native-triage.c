/* SPDX-License-Identifier: MIT */
/*
 * The triage record: a head with its own checksum, then items, each with its
 * own.  What is whole of it is used, whatever became of the rest.
 *
 * Texts are copied into one block, each with a terminator; an item's head is
 * longer than that, so the block is never longer than the record.
 */
#include "dfmt-native.h"

#include <stdlib.h>
#include <string.h>

#define ITEM_HEAD 16u
#define FRAME_HEAD 24u
#define MAX_VERSIONS 1024u

struct items {
	struct dfmt_nstate *n;
	const uint8_t *bytes; /* of the payload that are there */
	size_t len;
	bool whole;
};

static const char *
text_keep(struct dfmt_nstate *n, const uint8_t *p, size_t len)
{
	char *text = n->texts + n->texts_len;

	memcpy(text, p, len);
	text[len] = 0;
	n->texts_len += len + 1;
	return text;
}

static enum dfmt_status
no_memory(struct dfmt_err *err)
{
	return dfmt_fail(err, DFMT_E_NOMEM, "the triage record", DFMT_NONE,
		DFMT_NONE);
}

static enum dfmt_status
version_add(struct dfmt_nstate *n, const uint8_t *p, size_t len,
	struct dfmt_err *err)
{
	size_t i = n->nr_versions;

	if (i >= MAX_VERSIONS)
		return DFMT_OK;
	if (!dfmt_ngrow(&n->versions, &n->nr_versions, i, sizeof(const char *)))
		return no_memory(err);
	n->versions[i] = text_keep(n, p, len);
	return DFMT_OK;
}

static enum dfmt_status
frames_add(struct dfmt_nstate *n, const uint8_t *p, size_t len,
	struct dfmt_err *err)
{
	while (len >= FRAME_HEAD) {
		size_t text = dfmt_le32(p + 20), i = n->nr_frames;
		size_t used = FRAME_HEAD + ((text + 7) & ~(size_t)7);

		if (text > len - FRAME_HEAD)
			break;
		if (!dfmt_ngrow(&n->frames, &n->nr_frames, i,
			    sizeof(*n->frames)))
			return no_memory(err);
		n->frames[i] = (struct dfmt_frame){
			.fp = dfmt_le64(p),
			.pc = dfmt_le64(p + 8),
			.world = dfmt_le32(p + 16),
			.text = text_keep(n, p + FRAME_HEAD, text),
		};
		if (used >= len)
			break;
		p += used;
		len -= used;
	}
	return DFMT_OK;
}

static void
text_take(struct dfmt_nstate *n, const char **text, const uint8_t *p,
	size_t len)
{
	if (!*text)
		*text = text_keep(n, p, len);
}

static void
console_take(struct dfmt_nstate *n, const uint8_t *p, size_t len)
{
	if (n->info.console)
		return;
	n->info.console = text_keep(n, p, len);
	n->info.console_len = len;
}

static enum dfmt_status
item_take(struct dfmt_nstate *n, uint16_t type, const uint8_t *p, size_t len,
	struct dfmt_err *err)
{
	switch (type) {
	case DFMT_ITEM_REASON:
		text_take(n, &n->info.reason, p, len);
		return DFMT_OK;
	case DFMT_ITEM_WORLD:
		return len < sizeof(struct dfmt_fmt_world)
			       ? DFMT_OK
			       : dfmt_nworld_add(n, p, err);
	case DFMT_ITEM_CPU:
		return len < sizeof(struct dfmt_fmt_cpu)
			       ? DFMT_OK
			       : dfmt_ncpu_add(n, p, err);
	case DFMT_ITEM_FRAMES:
		return frames_add(n, p, len, err);
	case DFMT_ITEM_CONSOLE:
		console_take(n, p, len);
		return DFMT_OK;
	case DFMT_ITEM_VERSION:
		return version_add(n, p, len, err);
	case DFMT_ITEM_FORMAT:
		text_take(n, &n->info.original, p, len);
		return DFMT_OK;
	}
	return DFMT_OK;
}

static enum dfmt_status
items_read(struct items *it, size_t at, size_t end, struct dfmt_err *err)
{
	while (at < end) {
		const uint8_t *p = it->bytes + at;
		enum dfmt_status st = DFMT_OK;

		if (!dfmt_inside(at, ITEM_HEAD, it->len))
			break;
		size_t len = dfmt_le32(p + 4);
		if (!dfmt_inside(at + ITEM_HEAD, len, it->len))
			break;
		if (dfmt_crc32c(&it->n->crc, p + ITEM_HEAD, len) ==
			dfmt_le32(p + 8))
			st = item_take(it->n, dfmt_le16(p), p + ITEM_HEAD, len,
				err);
		else
			it->whole = false;
		if (st != DFMT_OK)
			return st;
		at += ITEM_HEAD + ((len + 7) & ~(size_t)7);
	}
	it->whole = it->whole && at >= end;
	return DFMT_OK;
}

/* ---- the head ----------------------------------------------------------- */

static bool
head_right(const struct dfmt_nstate *n, const uint8_t *p, size_t len)
{
	return len >= sizeof(struct dfmt_fmt_triage) &&
	       dfmt_le32(p + 124) == dfmt_crc32c(&n->crc, p, 124) &&
	       dfmt_le32(p + 120) >= sizeof(struct dfmt_fmt_triage);
}

static enum dfmt_status
head_check(const uint8_t *p, uint64_t off, struct dfmt_err *err)
{
	uint32_t shift = dfmt_le32(p + 28), align = dfmt_le32(p + 32);

	if (shift < 12 || shift > 16)
		return dfmt_fail(err, DFMT_E_MALFORMED,
			"triage record: size of a frame", off + 28, DFMT_NONE);
	if (align != DFMT_ALIGN_MIN && align != DFMT_ALIGN_MAX)
		return dfmt_fail(err, DFMT_E_MALFORMED,
			"triage record: alignment of segments", off + 32,
			DFMT_NONE);
	if (dfmt_le64(p + 40) > DFMT_MAX_PFN)
		return dfmt_fail(err, DFMT_E_MALFORMED,
			"triage record: the end of memory", off + 40,
			DFMT_NONE);
	return DFMT_OK;
}

static void
head_take(struct dfmt *d, struct dfmt_nstate *n, const uint8_t *p)
{
	struct dfmt_native *i = &n->info;

	i->has_triage = true;
	i->generation = dfmt_le64(p);
	i->time_sec = dfmt_le64(p + 8);
	i->time_nsec = dfmt_le32(p + 16);
	i->nr_frames = dfmt_le64(p + 48);
	i->nr_cpus = dfmt_le32(p + 56);
	i->panic_cpu = dfmt_le32(p + 60);
	i->panic_world = dfmt_le32(p + 64);
	i->content = dfmt_le32(p + 68);
	memcpy(i->label_uuid, p + 72, DFMT_ID_LEN);
	uint32_t machine = dfmt_le32(p + 20);
	d->info.machine =
		machine == DFMT_MACHINE_X86_64 || machine == DFMT_MACHINE_I386
			? machine
			: DFMT_MACHINE_UNKNOWN;
	d->info.dump_level = dfmt_le32(p + 96);
	n->shift = dfmt_le32(p + 28);
	n->align = dfmt_le32(p + 32);
	n->end_pfn = dfmt_le64(p + 40);
	n->has_head = n->shift_known = true;
}

/* The payload, as much of it as is there. */
static enum dfmt_status
payload_read(const struct dfmt_nstate *n, const struct dfmt_nseg *seg,
	uint8_t **bytes_out, size_t *len_out, struct dfmt_err *err)
{
	uint64_t off = seg->offset + seg->header_len;
	uint64_t there = off < n->len ? n->len - off : 0;
	size_t len =
		dfmt_min(dfmt_min(seg->payload_len, DFMT_TRIAGE_LEN), there);
	uint8_t *bytes = malloc(len + 1);

	if (!bytes)
		return no_memory(err);
	enum dfmt_status st = dfmt_nread(n, off, bytes, len, err);
	/* Its clear part at least. */
	if (n->locked || (n->crypt && st == DFMT_E_LOST)) {
		len = dfmt_min(len, seg->clear_len);
		st = dfmt_source_read(n->src, n->base + off, bytes, len, err);
	}
	if (st != DFMT_OK) {
		free(bytes);
		return st;
	}
	*bytes_out = bytes;
	*len_out = len;
	return DFMT_OK;
}

static enum dfmt_status
payload_take(struct dfmt *d, struct dfmt_nstate *n, const struct dfmt_nseg *seg,
	const uint8_t *p, size_t len, struct dfmt_err *err)
{
	struct items it = { .n = n, .bytes = p, .len = len, .whole = true };
	uint64_t at = sizeof(struct dfmt_fmt_triage), end = len;

	if (head_right(n, p, len)) {
		enum dfmt_status st = head_check(p,
			n->base + seg->offset + seg->header_len, err);
		if (st != DFMT_OK)
			return st;
		head_take(d, n, p);
		at = dfmt_le32(p + 120);
		end = at + dfmt_le32(p + 100);
	}
	enum dfmt_status st = items_read(&it, at, end, err);
	n->info.triage_whole = n->has_head && it.whole;
	return st;
}

enum dfmt_status
dfmt_ntriage_read(struct dfmt *d, struct dfmt_nstate *n,
	const struct dfmt_nseg *seg, struct dfmt_err *err)
{
	uint8_t *bytes;
	size_t len;
	enum dfmt_status st = payload_read(n, seg, &bytes, &len, err);

	if (st != DFMT_OK)
		return st;
	n->texts = malloc(len + 1);
	st = n->texts ? payload_take(d, n, seg, bytes, len, err)
		      : no_memory(err);
	free(bytes);
	return st;
}
