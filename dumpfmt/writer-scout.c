/* SPDX-License-Identifier: MIT */
/*
 * Looking ahead: most memory of an idle machine is one word over and over, and
 * finding that out takes longer than compressing the rest.  While the run works
 * on one chunk of frames, CPUs that help look at the next ones and note which
 * frames are such, with their words.  The run takes their word for these; all
 * other frames it reads itself, in order.
 *
 * A chunk's state goes FREE -> READY by the run, READY -> BUSY by who looks,
 * BUSY -> DONE by the same, DONE or READY -> FREE by the run.
 */
#include "writer-impl.h"

#include <string.h>

#define SPINS 100000u	 /* a helper that takes longer is not waited for */
#define GIVE_UP_AFTER 8u /* frames that are something else */

static bool
claim(struct wscout *s, uint32_t from, uint32_t to)
{
	return __atomic_load_n(&s->state, __ATOMIC_RELAXED) == from &&
	       __atomic_compare_exchange_n(&s->state, &from, to, false,
		       __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static void
look(const struct dfmt_writer *w, struct wscout *s, uint8_t *scratch)
{
	uint32_t others = 0;

	s->fills = 0;
	for (uint32_t i = 0; i < s->nr && others < GIVE_UP_AFTER; i++) {
		if (w->ops->read_frame(w->config.arg, s->pfn + i, scratch) ==
				0 &&
			dfmt_w_is_fill(scratch, w->frame_len, &s->words[i]))
			s->fills |= UINT64_C(1) << i;
		else
			others++;
	}
}

bool
dfmt_w_scout_one(struct dfmt_writer *w, uint8_t *scratch)
{
	for (uint32_t i = 0; i < NR_SCOUTS; i++) {
		struct wscout *s = &w->scouts[i];

		if (!claim(s, SLOT_READY, SLOT_BUSY))
			continue;
		look(w, s, scratch);
		__atomic_store_n(&s->state, SLOT_DONE, __ATOMIC_RELEASE);
		return true;
	}
	return false;
}

static struct wscout *
scout_of(struct dfmt_writer *w, uint64_t pfn)
{
	return &w->scouts[pfn / SCOUT_FRAMES % NR_SCOUTS];
}

/* Chunks after the one of pfn, as far as the run of frames goes. */
static void
publish(struct dfmt_writer *w, uint64_t pfn, uint64_t end)
{
	uint64_t at = (pfn / SCOUT_FRAMES + 1) * SCOUT_FRAMES;

	for (uint32_t i = 1; i < NR_SCOUTS && at < end; i++) {
		struct wscout *s = scout_of(w, at);
		uint32_t state = __atomic_load_n(&s->state, __ATOMIC_ACQUIRE);

		if (state != SLOT_BUSY && s->pfn != at) {
			if (state == SLOT_READY &&
				!claim(s, SLOT_READY, SLOT_FREE))
				return;
			s->pfn = at;
			s->nr = (uint32_t)lesser(end - at, SCOUT_FRAMES);
			__atomic_store_n(&s->state, SLOT_READY,
				__ATOMIC_RELEASE);
		}
		at += SCOUT_FRAMES;
	}
}

/* Is the chunk done?  Waits a while for who looks at it, and helps meanwhile.
 */
static bool
is_done(struct dfmt_writer *w, struct wscout *s)
{
	for (uint32_t spins = 0; spins < SPINS; spins++) {
		uint32_t state = __atomic_load_n(&s->state, __ATOMIC_ACQUIRE);

		if (state != SLOT_BUSY)
			return state == SLOT_DONE;
		if (!dfmt_w_scout_one(w, w->scratch) && w->ops->relax)
			w->ops->relax(w->config.arg);
	}
	return false;
}

const struct wscout *
dfmt_w_scouted(struct dfmt_writer *w, uint64_t pfn, uint64_t end)
{
	struct wscout *s = scout_of(w, pfn);

	if (!(w->config.flags & DFMT_WRITER_SCOUT) || !w->config.nr_helpers)
		return NULL;
	if (s->pfn == pfn)
		(void)claim(s, SLOT_READY, SLOT_FREE);
	publish(w, pfn, end);
	return s->pfn == pfn && is_done(w, s) ? s : NULL;
}

void
dfmt_w_scouts_recall(struct dfmt_writer *w)
{
	for (uint32_t i = 0; i < NR_SCOUTS; i++) {
		struct wscout *s = &w->scouts[i];

		(void)claim(s, SLOT_READY, SLOT_FREE);
		if (__atomic_load_n(&s->state, __ATOMIC_ACQUIRE) != SLOT_BUSY)
			s->pfn = UINT64_MAX;
	}
}
