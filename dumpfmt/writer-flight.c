/* SPDX-License-Identifier: MIT */
/*
 * Pages segments on their way: the device writes them while the next one is
 * made.  Each has its place, right behind the one before, and its entry in the
 * lowest node of the index; its frames count when it has arrived.
 *
 * They arrive in order.  When one fails, what is behind it is waited for, and
 * all of them are written again one by one, further on where their places are
 * bad: so the order of segments on the device stays that of their numbers.
 *
 * For a second panic: a flight is noted before the device has it, and what is
 * committed has arrived.
 */
#include "writer-impl.h"

#include <string.h>

static uint32_t
nr_flying(const struct dfmt_writer *w)
{
	return w->flown - w->landed;
}

static struct wplace
behind(const struct wplace *place, uint64_t total)
{
	return (struct wplace){ place->next + total, place->seq + 1,
		place->nr_segments + 1 };
}

struct wplace
dfmt_w_ahead(const struct dfmt_writer *w)
{
	const struct wflight *last = &w->flights[(w->flown - 1) % NR_FLIGHTS];

	if (nr_flying(w) == 0)
		return *dfmt_w_place(w);
	return behind(&last->place, last->total);
}

/* Its frames are on the device. */
static void
count(struct dfmt_writer *w, const struct wflight *f)
{
	for (uint32_t kind = 0; kind < 4; kind++) {
		w->nr_kind[kind] += f->nr_kind[kind];
		if (kind != DFMT_RUN_LOST)
			w->classes[f->class].nr_written += f->nr_kind[kind];
	}
}

static int
wait(struct dfmt_writer *w, uint32_t n)
{
	return w->ops->wait(w->config.arg, n % NR_FLIGHTS);
}

/* The oldest did not arrive: it and those behind it, one by one. */
static void
fly_again(struct dfmt_writer *w)
{
	w->out.nr_retries++;
	for (uint32_t n = w->landed + 1; n != w->flown; n++)
		(void)wait(w, n);
	while (nr_flying(w)) {
		const struct wflight *f = &w->flights[w->landed % NR_FLIGHTS];
		uint64_t offset;

		if (!dfmt_w_emit_now(w, &f->seg, &offset)) {
			dfmt_w_index_drop(w, nr_flying(w));
			w->landed = w->flown;
			return;
		}
		dfmt_w_index_move(w, nr_flying(w) - 1, offset);
		count(w, f);
		w->landed++;
	}
}

/* The oldest arrives. */
static void
land_one(struct dfmt_writer *w)
{
	const struct wflight *f = &w->flights[w->landed % NR_FLIGHTS];
	struct wplace place = behind(&f->place, f->total);

	/* A panic came between the next two steps. */
	if (f->place.seq < dfmt_w_place(w)->seq) {
		w->landed++;
		return;
	}
	if (wait(w, w->landed) != 0) {
		fly_again(w);
		return;
	}
	dfmt_w_commit(w, &place);
	count(w, f);
	w->landed++;
}

void
dfmt_w_land(struct dfmt_writer *w)
{
	while (nr_flying(w))
		land_one(w);
}

/* In one step: here and now. */
static void
fly_now(struct dfmt_writer *w, const struct wflight *f,
	struct dfmt_fmt_entry *entry)
{
	if (!dfmt_w_emit(w, &f->seg, &entry->offset))
		return;
	entry->total_len = (uint32_t)(dfmt_w_place(w)->next - entry->offset);
	count(w, f);
	dfmt_w_index_add(w, entry);
}

/* The next buffer: the one whose flight was the oldest. */
static void
buffer_turn(struct dfmt_writer *w)
{
	w->seg_buf = (w->seg_buf + 1) % (NR_FLIGHTS + 1);
	w->pages.buf = w->seg_bufs + (size_t)w->seg_buf * SEG_LEN;
}

static void
take_off(struct dfmt_writer *w, const struct wflight *from,
	struct dfmt_fmt_entry *entry)
{
	struct wflight *f;

	if (nr_flying(w) == NR_FLIGHTS)
		land_one(w);
	if (w->stop == STOP_DEVICE)
		return;
	f = &w->flights[w->flown % NR_FLIGHTS];
	*f = *from;
	f->place = dfmt_w_ahead(w);
	f->total = dfmt_w_seal(w, &f->seg, &f->place);
	if (f->place.next + f->total + RESERVE > w->out.limit) {
		dfmt_w_stop(w, STOP_FULL, "the range is full");
		return;
	}
	entry->offset = f->place.next;
	entry->total_len = (uint32_t)f->total;
	dfmt_w_index_add(w, entry);
	__atomic_store_n(&w->flown, w->flown + 1, __ATOMIC_RELEASE);
	/* What it does not take, wait says did not arrive. */
	(void)w->ops->submit(w->config.arg, (w->flown - 1) % NR_FLIGHTS,
		w->out.base + f->place.next, f->seg.buf, f->total);
	buffer_turn(w);
}

void
dfmt_w_fly(struct dfmt_writer *w, const struct wseg *seg)
{
	const struct wpages *p = &w->pages;
	struct wflight f = { .seg = *seg, .class = p->class };
	struct dfmt_fmt_entry entry = { p->first_pfn, p->last_pfn, 0, 0,
		p->nr_frames };

	memcpy(f.nr_kind, p->nr_kind, sizeof(f.nr_kind));
	dfmt_w_index_room(w);
	if (w->ops->submit && !(w->config.flags & DFMT_WRITER_DRY_RUN))
		take_off(w, &f, &entry);
	else
		fly_now(w, &f, &entry);
}
