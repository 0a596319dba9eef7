/* SPDX-License-Identifier: MIT */
/*
 * The label before anything is written: is this range ours, and may it be
 * written?  Any doubt means no.
 */
#include "writer-impl.h"

#include <string.h>

static bool
is_zero(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i])
			return false;
	return true;
}

static bool
label_is_whole(const struct dfmt_writer *w, const struct dfmt_fmt_label *l)
{
	return memcmp(l->magic, DFMT_LABEL_MAGIC, sizeof(l->magic)) == 0 &&
	       l->version == DFMT_LABEL_VERSION &&
	       l->label_len == DFMT_LABEL_LEN &&
	       l->crc == dfmt_crc32c(&w->crc, l,
				 offsetof(struct dfmt_fmt_label, crc)) &&
	       l->range_len >= DFMT_MIN_RANGE &&
	       l->range_len % DFMT_LABEL_LEN == 0 &&
	       (l->sector_len == 512 || l->sector_len == 4096) &&
	       !is_zero(l->uuid, sizeof(l->uuid));
}

/* What is kept of a label. */
struct seen {
	bool whole;
	uint8_t uuid[16];
	uint8_t saved_id[16];
	uint64_t range_len, change, saved_generation;
	uint32_t sector_len, flags;
};

static void
label_look(struct dfmt_writer *w, uint64_t offset, struct seen *seen)
{
	const struct dfmt_fmt_label *l = (const void *)w->scratch;

	seen->whole = false;
	if (!dfmt_w_read(w, offset, w->scratch, DFMT_LABEL_LEN) ||
		!label_is_whole(w, l))
		return;
	seen->whole = true;
	memcpy(seen->uuid, l->uuid, sizeof(seen->uuid));
	memcpy(seen->saved_id, l->saved_id, sizeof(seen->saved_id));
	seen->range_len = l->range_len;
	seen->change = l->change;
	seen->saved_generation = l->saved_generation;
	seen->sector_len = l->sector_len;
	seen->flags = l->flags;
}

static enum dfmt_writer_status
label_find(struct dfmt_writer *w, uint64_t range_len, struct seen *label)
{
	struct seen last;

	label_look(w, 0, label);
	if (label->whole && label->range_len > range_len)
		return DFMT_W_TOO_SMALL;
	label_look(w,
		(label->whole ? label->range_len : range_len) - DFMT_LABEL_LEN,
		&last);
	if (label->whole && last.whole &&
		memcmp(label->uuid, last.uuid, sizeof(last.uuid)) != 0)
		return DFMT_W_FOREIGN;
	if (!label->whole || (last.whole && last.change > label->change))
		*label = last;
	if (!label->whole)
		return DFMT_W_NO_LABEL;
	if (label->range_len > range_len)
		return DFMT_W_TOO_SMALL;
	if (!is_zero(w->config.uuid, sizeof(w->config.uuid)) &&
		memcmp(label->uuid, w->config.uuid, sizeof(label->uuid)) != 0)
		return DFMT_W_FOREIGN;
	return DFMT_W_COMPLETE;
}

/* The newest dump that begins in one of the slots; 0: none. */
static uint64_t
newest_dump(struct dfmt_writer *w, uint64_t area_end, uint8_t *id_out)
{
	const struct dfmt_fmt_seg *h = (const void *)w->scratch;
	const struct dfmt_fmt_triage *t =
		(const void *)(w->scratch + DFMT_SEG_HEADER_LEN);
	uint64_t newest = 0;

	for (uint32_t k = 0; k < DFMT_NR_SLOTS; k++) {
		uint64_t at = DFMT_SLOT_OFFSET(k);

		if (at + DFMT_LABEL_LEN > area_end ||
			!dfmt_w_read(w, at, w->scratch, DFMT_LABEL_LEN))
			continue;
		if (memcmp(h->magic, DFMT_SEG_MAGIC, sizeof(h->magic)) != 0 ||
			h->type != DFMT_SEG_TRIAGE ||
			h->header_crc != dfmt_crc32c(&w->crc, h,
						 offsetof(struct dfmt_fmt_seg,
							 header_crc)) ||
			t->crc !=
				dfmt_crc32c(&w->crc, t,
					offsetof(struct dfmt_fmt_triage, crc)))
			continue;
		if (t->generation >= newest) {
			newest = t->generation;
			memcpy(id_out, h->dump_id, DFMT_ID_LEN);
		}
	}
	return newest;
}

enum dfmt_writer_status
dfmt_w_label_check(struct dfmt_writer *w, uint64_t range_len,
	uint64_t *generation_out)
{
	struct seen label;
	uint8_t id[16];
	enum dfmt_writer_status st;

	if (range_len < DFMT_MIN_RANGE)
		return DFMT_W_TOO_SMALL;
	st = label_find(w, range_len / DFMT_LABEL_LEN * DFMT_LABEL_LEN, &label);
	if (st != DFMT_W_COMPLETE)
		return st;
	w->out.align = label.sector_len;
	w->out.limit = label.range_len - DFMT_ANCHOR_FROM_END;
	w->out.anchor = w->out.limit;
	memcpy(w->config.uuid, label.uuid, sizeof(label.uuid));

	uint64_t newest = newest_dump(w, w->out.limit, id);

	if (newest && memcmp(id, label.saved_id, sizeof(id)) != 0 &&
		!(w->config.flags & DFMT_WRITER_OVERWRITE) &&
		!(label.flags & DFMT_LABEL_OVERWRITE))
		return DFMT_W_UNSAVED;
	if (newest < label.saved_generation)
		newest = label.saved_generation;
	*generation_out = newest + 1;
	return DFMT_W_COMPLETE;
}
