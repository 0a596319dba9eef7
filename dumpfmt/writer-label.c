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

/* A copy counts at its own place only: the range begins and ends with one. */
static bool
label_is_whole(const struct dfmt_writer *w, const struct dfmt_fmt_label *l,
	uint32_t copy)
{
	return memcmp(l->magic, DFMT_LABEL_MAGIC, sizeof(l->magic)) == 0 &&
	       l->version == DFMT_LABEL_VERSION &&
	       l->label_len == DFMT_LABEL_LEN && l->copy == copy &&
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
label_look(struct dfmt_writer *w, uint64_t offset, uint32_t copy,
	struct seen *seen)
{
	const struct dfmt_fmt_label *l = (const void *)w->scratch;

	seen->whole = false;
	if (!dfmt_w_read(w, offset, w->scratch, DFMT_LABEL_LEN) ||
		!label_is_whole(w, l, copy))
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

/*
 * The last label is looked for where the first one says that the range ends, or
 * else at the end of what was handed over.  One that says another end was made
 * for another range: this one may be somebody else's.
 */
static enum dfmt_writer_status
label_find(struct dfmt_writer *w, uint64_t range_len, struct seen *label)
{
	struct seen last;

	label_look(w, 0, 0, label);
	if (label->whole && label->range_len > range_len)
		return DFMT_W_TOO_SMALL;
	if (label->whole)
		range_len = label->range_len;
	label_look(w, range_len - DFMT_LABEL_LEN, 1, &last);
	if (last.whole && last.range_len != range_len)
		return last.range_len > range_len ? DFMT_W_TOO_SMALL
						  : DFMT_W_FOREIGN;
	if (label->whole && last.whole &&
		memcmp(label->uuid, last.uuid, sizeof(last.uuid)) != 0)
		return DFMT_W_FOREIGN;
	if (!label->whole || (last.whole && last.change > label->change))
		*label = last;
	if (!label->whole)
		return DFMT_W_NO_LABEL;
	if (!is_zero(w->config.uuid, sizeof(w->config.uuid)) &&
		memcmp(label->uuid, w->config.uuid, sizeof(label->uuid)) != 0)
		return DFMT_W_FOREIGN;
	return DFMT_W_COMPLETE;
}

/* Is there the first segment of a dump of this device in the scratch? */
static bool
is_dump(const struct dfmt_writer *w, const uint8_t *uuid)
{
	const struct dfmt_fmt_seg *h = (const void *)w->scratch;
	const struct dfmt_fmt_triage *t =
		(const void *)(w->scratch + DFMT_SEG_HEADER_LEN);

	return memcmp(h->magic, DFMT_SEG_MAGIC, sizeof(h->magic)) == 0 &&
	       h->type == DFMT_SEG_TRIAGE &&
	       h->header_crc ==
		       dfmt_crc32c(&w->crc, h,
			       offsetof(struct dfmt_fmt_seg, header_crc)) &&
	       t->crc == dfmt_crc32c(&w->crc, t,
				 offsetof(struct dfmt_fmt_triage, crc)) &&
	       memcmp(t->label_uuid, uuid, DFMT_ID_LEN) == 0;
}

/*
 * The newest dump that begins in one of the slots; 0: none.  What another
 * label's dump left there, or a page that looks like one, does not count: the
 * reader would not show it either, so nobody could ever save it.
 */
static uint64_t
newest_dump(struct dfmt_writer *w, uint64_t area_end, const uint8_t *uuid,
	uint8_t *id_out)
{
	const struct dfmt_fmt_seg *h = (const void *)w->scratch;
	const struct dfmt_fmt_triage *t =
		(const void *)(w->scratch + DFMT_SEG_HEADER_LEN);
	uint64_t newest = 0;

	for (uint32_t k = 0; k < DFMT_NR_SLOTS; k++) {
		uint64_t at = DFMT_SLOT_OFFSET(k);

		if (at + DFMT_LABEL_LEN > area_end ||
			!dfmt_w_read(w, at, w->scratch, DFMT_LABEL_LEN) ||
			!is_dump(w, uuid))
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

	uint64_t newest = newest_dump(w, w->out.limit, label.uuid, id);

	if (newest && memcmp(id, label.saved_id, sizeof(id)) != 0 &&
		!(w->config.flags & DFMT_WRITER_OVERWRITE) &&
		!(label.flags & DFMT_LABEL_OVERWRITE))
		return DFMT_W_UNSAVED;
	if (newest < label.saved_generation)
		newest = label.saved_generation;
	/* Of equals the last counts; none is larger than the largest. */
	*generation_out = newest == UINT64_MAX ? newest : newest + 1;
	return DFMT_W_COMPLETE;
}
