/* SPDX-License-Identifier: MIT */
/*
 * Blocks through compressors.  The run fills slots in order and drains them in
 * order; in between any CPU may take a slot that is ready and compress it.  So
 * the dump does not depend on who compressed what, nor when.
 *
 * A slot's state is the only word that two CPUs change: FREE -> READY by the
 * run, READY -> BUSY by who takes it, BUSY -> DONE by the same, DONE -> FREE by
 * the run.
 */
#include "writer-impl.h"

#include <string.h>

/* As it is. */
static struct wblock
block_stored(const struct dfmt_writer *w, const struct wslot *s)
{
	struct wblock b = { s->in, s->nr_data * w->frame_len, 0,
		DFMT_FMT_STORED };

	b.crc = dfmt_crc32c(&w->crc, b.stored, b.len);
	return b;
}

static struct wblock
block_compress(const struct dfmt_writer *w, const struct wslot *s, void *state)
{
	const struct dfmt_writer_codec *codec = w->config.codec;
	size_t len = (size_t)s->nr_data * w->frame_len;
	size_t stored = 0;

	/* What saves less than a sixteenth is not worth expanding later. */
	if (codec && codec->compress && len)
		stored = codec->compress(state, s->in, len, s->out,
			len - len / 16);
	if (!stored || stored > len)
		return block_stored(w, s);

	struct wblock b = { s->out, (uint32_t)stored, 0, codec->id };

	b.crc = dfmt_crc32c(&w->crc, b.stored, b.len);
	return b;
}

/* Compresses one slot that is ready; false when there is none. */
static bool
take_one(struct dfmt_writer *w, void *state)
{
	for (uint32_t i = 0; i < w->nr_slots; i++) {
		struct wslot *s = &w->slots[i];
		uint32_t ready = SLOT_READY;

		if (__atomic_load_n(&s->state, __ATOMIC_RELAXED) != ready ||
			!__atomic_compare_exchange_n(&s->state, &ready,
				SLOT_BUSY, false, __ATOMIC_ACQUIRE,
				__ATOMIC_RELAXED))
			continue;
		s->block = block_compress(w, s, state);
		__atomic_store_n(&s->state, SLOT_DONE, __ATOMIC_RELEASE);
		return true;
	}
	return false;
}

static void
relax(const struct dfmt_writer *w)
{
	if (w->ops->relax)
		w->ops->relax(w->config.arg);
}

static struct wslot *
slot_at(const struct dfmt_writer *w, uint32_t n)
{
	return &w->slots[n % w->nr_slots];
}

/*
 * Waits until the slot is done, and helps; false: its helper is gone.  A clock
 * may stand still now that the machine is dead.
 */
static bool
slot_wait(struct dfmt_writer *w, struct wslot *s)
{
	const struct dfmt_writer_ops *ops = w->ops;
	uint64_t since = ops->now_ms ? ops->now_ms(w->config.arg) : 0;

	for (uint32_t spins = 0;; spins++) {
		if (__atomic_load_n(&s->state, __ATOMIC_ACQUIRE) == SLOT_DONE)
			return true;
		if (take_one(w, w->states))
			continue;
		if (spins > HELPER_SPINS ||
			(ops->now_ms &&
				ops->now_ms(w->config.arg) - since > HELPER_MS))
			return false;
		relax(w);
	}
}

/*
 * The oldest slot goes into the segment, once it is done.  Where the CPU that
 * took it is gone, its frames are stored as they are: they were only read.
 * It may come back and write the slot's output: that is never used again.
 */
static void
drain_one(struct dfmt_writer *w)
{
	struct wslot *s = slot_at(w, w->tail);
	struct wblock b;

	if (!s->dead && !slot_wait(w, s))
		s->dead = true;
	b = s->dead ? block_stored(w, s) : s->block;
	dfmt_w_pages_add(w, s, &b);
	s->nr_data = 0;
	s->nr_spans = 0;
	s->closes = false;
	if (!s->dead)
		__atomic_store_n(&s->state, SLOT_FREE, __ATOMIC_RELAXED);
	w->tail++;
}

/* Can the oldest slot be drained without waiting? */
static bool
oldest_is_done(const struct dfmt_writer *w)
{
	const struct wslot *s = slot_at(w, w->tail);

	return s->dead ||
	       __atomic_load_n(&s->state, __ATOMIC_ACQUIRE) == SLOT_DONE;
}

struct wslot *
dfmt_w_slot(struct dfmt_writer *w)
{
	return slot_at(w, w->head);
}

void
dfmt_w_poke(struct dfmt_writer *w)
{
	if (w->ops->poke && w->flown != w->landed)
		w->ops->poke(w->config.arg);
}

void
dfmt_w_submit(struct dfmt_writer *w, bool closes)
{
	struct wslot *s = slot_at(w, w->head);

	s->closes = closes;
	if (!s->dead)
		__atomic_store_n(&s->state, SLOT_READY, __ATOMIC_RELEASE);
	w->head++;
	if (w->nr_slots == 1 || w->head - w->tail == w->nr_slots)
		drain_one(w);
	dfmt_w_poke(w);
	/* What is done at the end of the line need not wait for the line. */
	while (w->tail != w->head && oldest_is_done(w))
		drain_one(w);
}

void
dfmt_w_drain(struct dfmt_writer *w)
{
	while (w->tail != w->head)
		drain_one(w);
}

void
dfmt_writer_help(struct dfmt_writer *w, uint32_t index)
{
	if (index >= w->config.nr_helpers)
		return;
	size_t len = w->config.codec ? w->config.codec->state_len : 0;
	uint8_t *state = w->states + (index + 1) * round_up(len, 64);

	while (__atomic_load_n(&w->helping, __ATOMIC_ACQUIRE) == 1)
		if (!take_one(w, state) &&
			!dfmt_w_scout_one(w,
				w->scout_frames + (size_t)index * w->frame_len))
			relax(w);
}
