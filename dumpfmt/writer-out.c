/* SPDX-License-Identifier: MIT */
/*
 * The device under the writer.  Nothing else calls its write: what leaves
 * here is inside the range, after the label and before the anchor, or the
 * anchor itself.
 *
 * A write that fails is done again RETRIES times; then its place is given up
 * and the same segment, with the same number, goes behind it.  A reader takes
 * the last whole one of a number.
 */
#include "writer-impl.h"

#include <string.h>

const struct wplace *
dfmt_w_place(const struct dfmt_writer *w)
{
	return &w->out.place[w->out.current & 1];
}

/* A second panic sees the old place or the new one, never half of it. */
void
dfmt_w_commit(struct dfmt_writer *w, const struct wplace *place)
{
	uint32_t other = (w->out.current & 1) ^ 1;

	w->out.place[other] = *place;
	__atomic_store_n(&w->out.current, other, __ATOMIC_RELEASE);
}

uint64_t
dfmt_w_room(const struct dfmt_writer *w)
{
	uint64_t used = dfmt_w_ahead(w).next + RESERVE;

	return used < w->out.limit ? w->out.limit - used : 0;
}

void
dfmt_w_stop(struct dfmt_writer *w, enum wstop stop, const char *why)
{
	if (w->stop != STOP_NO)
		return;
	w->stop = stop;
	w->stop_why = why;
}

bool
dfmt_w_stopped(struct dfmt_writer *w)
{
	uint64_t limit = w->config.time_limit_ms;

	if (__atomic_load_n(&w->told, __ATOMIC_ACQUIRE))
		dfmt_w_stop(w, STOP_TOLD, "told to stop");
	if (limit && w->ops->now_ms && w->stop == STOP_NO &&
		w->ops->now_ms(w->config.arg) - w->start_ms >= limit)
		dfmt_w_stop(w, STOP_TIME, "the time limit was reached");
	return w->stop != STOP_NO;
}

bool
dfmt_w_read(struct dfmt_writer *w, uint64_t offset, void *buf, uint32_t len)
{
	for (uint32_t i = 0; i <= RETRIES; i++)
		if (w->ops->read(w->config.arg, offset, buf, len) == 0)
			return true;
	return false;
}

/* offset is in the range; the caller has checked where it may write. */
static bool
write_again(struct dfmt_writer *w, uint64_t offset, const void *buf,
	uint64_t len)
{
	if (w->config.flags & DFMT_WRITER_DRY_RUN)
		return true;
	for (uint32_t i = 0; i <= RETRIES; i++) {
		if (i)
			w->out.nr_retries++;
		if (w->ops->write(w->config.arg, offset, buf, len) == 0)
			return true;
	}
	return false;
}

static void
flush(struct dfmt_writer *w)
{
	if (w->ops->flush && !(w->config.flags & DFMT_WRITER_DRY_RUN) &&
		w->ops->flush(w->config.arg) != 0)
		w->out.nr_unflushed++;
}

/* Is what is on the device what is in buf?  Reads into the scratch frame. */
static bool
reads_back(struct dfmt_writer *w, uint64_t offset, const uint8_t *buf,
	uint64_t len)
{
	if (w->config.flags & DFMT_WRITER_DRY_RUN)
		return true;
	for (uint64_t at = 0; at < len; at += DFMT_LABEL_LEN) {
		uint32_t n = (uint32_t)lesser(len - at, DFMT_LABEL_LEN);

		if (!dfmt_w_read(w, offset + at, w->scratch, n) ||
			memcmp(w->scratch, buf + at, n) != 0)
			return false;
	}
	return true;
}

/* The end record says where it ends, wherever the device takes it. */
static void
end_place(const struct wseg *seg, const struct wplace *place)
{
	struct dfmt_fmt_end *e =
		(struct dfmt_fmt_end *)(void *)(seg->buf + DFMT_SEG_HEADER_LEN);

	e->end = place->next + DFMT_END_LEN;
}

uint64_t
dfmt_w_seal(struct dfmt_writer *w, struct wseg *seg, const struct wplace *place)
{
	struct dfmt_fmt_seg *h = (struct dfmt_fmt_seg *)(void *)seg->buf;
	struct dfmt_fmt_seg was = *h;
	uint64_t len = DFMT_SEG_HEADER_LEN + seg->payload_len;
	uint64_t total = round_up(len, w->out.align);

	if (seg->type == DFMT_SEG_TRIAGE)
		total = DFMT_TRIAGE_LEN;
	else if (seg->type == DFMT_SEG_END)
		total = DFMT_END_LEN;
	memset(seg->buf + len, 0, total - len);
	memset(h, 0, sizeof(*h));
	memcpy(h->magic, DFMT_SEG_MAGIC, sizeof(h->magic));
	h->major = DFMT_FORMAT_MAJOR;
	h->header_len = DFMT_SEG_HEADER_LEN;
	h->type = seg->type;
	memcpy(h->dump_id, w->out.dump_id, sizeof(h->dump_id));
	h->seq = place->seq;
	h->total_len = total;
	h->payload_len = seg->payload_len;
	h->raw_len = seg->raw_len;
	h->codec = seg->codec;
	if (seg->type == DFMT_SEG_END)
		end_place(seg, place);
	h->crc_len = seg->crc_len;
	if (w->config.cipher) {
		h->crc_len = 0;
		dfmt_w_encrypt(w, seg, &was);
		h->crc_len = (uint32_t)seg->payload_len;
	}
	h->offset = place->next;
	h->payload_crc = dfmt_crc32c(&w->crc, seg->buf + DFMT_SEG_HEADER_LEN,
		h->crc_len);
	h->header_crc = dfmt_crc32c(&w->crc, h,
		offsetof(struct dfmt_fmt_seg, header_crc));
	return total;
}

bool
dfmt_w_emit(struct dfmt_writer *w, const struct wseg *seg, uint64_t *offset_out)
{
	dfmt_w_land(w);
	return dfmt_w_emit_now(w, seg, offset_out);
}

bool
dfmt_w_emit_now(struct dfmt_writer *w, const struct wseg *seg,
	uint64_t *offset_out)
{
	uint64_t kept = seg->last ? DFMT_END_LEN : RESERVE;
	struct wplace place = *dfmt_w_place(w);
	struct wseg own = *seg;

	if (seg->type == DFMT_SEG_END)
		kept = 0;
	for (uint32_t skips = 0; skips < MAX_SKIPS; skips++) {
		uint64_t total = dfmt_w_seal(w, &own, &place);

		if (place.next + total + kept > w->out.limit) {
			if (skips)
				break;
			dfmt_w_stop(w, STOP_FULL, "the range is full");
			return false;
		}
		if (write_again(w, w->out.base + place.next, seg->buf, total)) {
			if (offset_out)
				*offset_out = place.next;
			place.next += total;
			place.seq++;
			place.nr_segments++;
			dfmt_w_commit(w, &place);
			return true;
		}
		w->out.nr_skipped++;
		place.next += total;
		/* A device that fails may take its time for each place. */
		if (seg->type != DFMT_SEG_END && dfmt_w_stopped(w))
			return false;
	}
	dfmt_w_stop(w, STOP_DEVICE, "the device refuses to be written");
	return false;
}

bool
dfmt_w_emit_first(struct dfmt_writer *w, const struct wseg *seg)
{
	bool file = w->config.flags & DFMT_WRITER_FILE;
	struct wplace place = { 0 };
	struct wseg own = *seg;
	uint64_t total = dfmt_w_seal(w, &own, &place);
	uint64_t area = w->out.limit;

	for (uint32_t k = 0; k < (file ? 1 : DFMT_NR_SLOTS); k++) {
		uint64_t base = file ? 0 : DFMT_SLOT_OFFSET(k);

		if (base + total + RESERVE > area)
			break;
		if (write_again(w, base, seg->buf, total)) {
			flush(w);
			if (reads_back(w, base, seg->buf, total)) {
				w->out.base = base;
				w->out.limit = area - base;
				place = (struct wplace){ total, 1, 1 };
				dfmt_w_commit(w, &place);
				return true;
			}
		}
		w->out.nr_skipped++;
	}
	return false;
}

/* At the anchor's place, as a copy or, where nothing else was left, alone. */
static bool
anchor_put(struct dfmt_writer *w, const struct wseg *seg)
{
	return write_again(w, w->out.anchor, seg->buf, DFMT_END_LEN) &&
	       reads_back(w, w->out.anchor, seg->buf, DFMT_END_LEN);
}

bool
dfmt_w_emit_end(struct dfmt_writer *w, const struct wseg *seg)
{
	struct wplace place;
	struct wseg own = *seg;
	uint64_t offset;
	bool ok;

	flush(w);
	if (dfmt_w_emit(w, seg, &offset)) {
		ok = reads_back(w, w->out.base + offset, seg->buf,
			DFMT_END_LEN);
		if (w->out.anchor)
			ok = anchor_put(w, seg) && ok;
	} else if (w->out.anchor) {
		place = *dfmt_w_place(w);
		place.next = w->out.anchor - w->out.base;
		(void)dfmt_w_seal(w, &own, &place);
		ok = anchor_put(w, seg);
	} else {
		return false;
	}
	flush(w);
	return ok;
}
