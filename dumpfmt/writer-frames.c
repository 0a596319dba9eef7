/* SPDX-License-Identifier: MIT */
/*
 * One frame: is it one word over and over, does it equal one that is in the
 * dump, or does it go into a block?
 *
 * Repeats are found in a table of hashes of what was stored, one frame for each
 * place; before a repeat is believed the earlier frame is read again and
 * compared.  The writer's own memory changes meanwhile: a frame that equals
 * the earlier one now, and whose hash is that of what was stored then, is one.
 */
#include "writer-impl.h"

#include <string.h>

#define NO_FRAME UINT64_MAX

void
dfmt_w_frames_reset(struct dfmt_writer *w)
{
	for (uint32_t i = 0; i < w->nr_repeats; i++)
		w->repeats[i].pfn = NO_FRAME;
}

static uint64_t
word_at(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/*
 * Four words at a time: a hypervisor's memcmp may well go byte by byte, and
 * most of an idle machine's memory comes through here.
 */
static bool
is_same(const uint8_t *a, const uint8_t *b, uint32_t len)
{
	uint64_t differ = 0;

	for (uint32_t at = 0; at < len && differ == 0; at += 32)
		differ = (word_at(a + at) ^ word_at(b + at)) |
			 (word_at(a + at + 8) ^ word_at(b + at + 8)) |
			 (word_at(a + at + 16) ^ word_at(b + at + 16)) |
			 (word_at(a + at + 24) ^ word_at(b + at + 24));
	return differ == 0;
}

bool
dfmt_w_is_fill(const uint8_t *frame, uint32_t len, uint64_t *word_out)
{
	uint64_t word = word_at(frame);

	/* Most frames differ early. */
	if (word_at(frame + 8) != word || word_at(frame + 16) != word ||
		word_at(frame + 24) != word ||
		!is_same(frame, frame + 32, len - 32))
		return false;
	*word_out = word;
	return true;
}

static uint64_t
mix(uint64_t acc, uint64_t word)
{
	acc ^= word;
	return (acc << 29 | acc >> 35) * 0x9e3779b97f4a7c15u;
}

/* Four lanes, so that the multiplications overlap. */
static uint64_t
frame_hash(const uint8_t *p, uint32_t len)
{
	uint64_t a = 1, b = 2, c = 3, d = 4;

	for (const uint8_t *end = p + len; p < end; p += 32) {
		a = mix(a, word_at(p));
		b = mix(b, word_at(p + 8));
		c = mix(c, word_at(p + 16));
		d = mix(d, word_at(p + 24));
	}
	return mix(mix(mix(mix(0, a), b), c), d);
}

/* The earlier frame that this one equals; else it is the one from now on. */
static bool
is_repeat(struct dfmt_writer *w, uint64_t pfn, const uint8_t *frame,
	uint64_t *earlier_out)
{
	uint64_t hash = frame_hash(frame, w->frame_len);
	struct wrepeat *r = &w->repeats[hash >> 20 & (w->nr_repeats - 1)];

	if (r->pfn != NO_FRAME && r->hash == hash &&
		w->ops->read_frame(w->config.arg, r->pfn, w->scratch) == 0 &&
		is_same(w->scratch, frame, w->frame_len)) {
		*earlier_out = r->pfn;
		return true;
	}
	r->hash = hash;
	r->pfn = pfn;
	return false;
}

/* Does the frame go on what the span says? */
static bool
span_goes_on(const struct wspan *s, uint64_t pfn, uint32_t kind, uint64_t arg)
{
	if (s->kind != kind || s->pfn + s->count != pfn ||
		s->count >= DFMT_RUN_COUNT_MASK)
		return false;
	return kind == DFMT_RUN_DATA ||
	       arg == s->arg + (kind == DFMT_RUN_REPEAT ? s->count : 0);
}

/* The slot has room for one more span: kept so by slot_ready. */
static void
span_add(struct wslot *s, uint64_t pfn, uint32_t kind, uint64_t arg)
{
	struct wspan *last = s->nr_spans ? &s->spans[s->nr_spans - 1] : NULL;

	if (last && span_goes_on(last, pfn, kind, arg))
		last->count++;
	else
		s->spans[s->nr_spans++] = (struct wspan){ pfn, arg, 1, kind };
}

/* A slot that can take this frame. */
static struct wslot *
slot_ready(struct dfmt_writer *w, uint64_t pfn)
{
	struct wslot *s = dfmt_w_slot(w);

	if (s->nr_spans == SLOT_RUNS ||
		(s->nr_spans && pfn - s->spans[0].pfn >= 1u << 31)) {
		dfmt_w_submit(w, true);
		s = dfmt_w_slot(w);
	}
	return s;
}

void
dfmt_w_fill(struct dfmt_writer *w, uint64_t pfn, uint64_t word)
{
	span_add(slot_ready(w, pfn), pfn, DFMT_RUN_FILL, word);
}

void
dfmt_w_frame(struct dfmt_writer *w, uint64_t pfn)
{
	struct wslot *s = slot_ready(w, pfn);
	uint8_t *to = s->in + (size_t)s->nr_data * w->frame_len;
	uint64_t arg = 0;
	uint32_t kind = DFMT_RUN_DATA;

	if (w->ops->read_frame(w->config.arg, pfn, to) != 0)
		kind = DFMT_RUN_LOST;
	else if (dfmt_w_is_fill(to, w->frame_len, &arg))
		kind = DFMT_RUN_FILL;
	else if (is_repeat(w, pfn, to, &arg))
		kind = DFMT_RUN_REPEAT;
	else
		s->nr_data++;
	span_add(s, pfn, kind, arg);
	if (s->nr_data == w->block_frames)
		dfmt_w_submit(w, false);
}
