/* SPDX-License-Identifier: MIT */
/*
 * Looking around: how many frames of each class there are and in which chunks
 * of memory, once, while the device writes what came first.  To tell what a
 * frame holds takes about as long as to compress it; so each pass looks only
 * where it will find something.
 */
#include "writer-impl.h"

#include <string.h>

static uint64_t
chunk_of(const struct dfmt_writer *w, uint64_t pfn)
{
	return pfn >> w->chunk_shift;
}

static void
mark(struct dfmt_writer *w, uint64_t pfn, uint64_t count, uint32_t class)
{
	uint64_t last = chunk_of(w, pfn + count - 1);

	for (uint64_t at = chunk_of(w, pfn); at <= last && at < NR_CHUNKS; at++)
		w->chunks[at] |= (uint8_t)(1u << class);
}

/* How much work there is, and chunks no smaller than that takes. */
static void
measure(struct dfmt_writer *w)
{
	struct dfmt_wrun run;
	uint64_t pfn = 0, frames = 0, passes;

	while (w->stop == STOP_NO && dfmt_w_next_range(w, pfn, &run)) {
		if ((w->nr_steps++ & 63) == 0)
			(void)dfmt_w_stopped(w);
		frames += run.count;
		pfn = run.pfn + run.count;
	}
	/* This is the first one. */
	passes = 1;
	for (uint32_t c = 1; c < DFMT_NR_CLASSES; c++)
		passes += w->config.content >> c & 1;
	w->nr_to_look = frames * passes;
	w->chunk_shift = 0;
	while (chunk_of(w, pfn) >= NR_CHUNKS)
		w->chunk_shift++;
}

static void
look_around(struct dfmt_writer *w, const struct dfmt_wrun *run)
{
	uint64_t pfn = run->pfn, end = run->pfn + run->count, count;

	while (pfn < end) {
		uint32_t class;

		if ((w->nr_steps++ & 63) == 0) {
			if (dfmt_w_stopped(w))
				return;
			dfmt_w_poke(w);
			dfmt_w_progress(w);
		}
		class = dfmt_w_class_of(w, pfn, end - pfn, &count);
		w->classes[class].nr_seen += count;
		mark(w, pfn, count, class);
		w->nr_looked += count;
		pfn += count;
	}
}

void
dfmt_w_survey(struct dfmt_writer *w)
{
	struct dfmt_wrun run;
	uint64_t pfn = 0;

	memset(w->chunks, 0, NR_CHUNKS);
	measure(w);
	while (w->stop == STOP_NO && dfmt_w_next_range(w, pfn, &run)) {
		look_around(w, &run);
		pfn = run.pfn + run.count;
	}
}

/* Memory may end elsewhere than it did: then nothing is known. */
uint64_t
dfmt_w_survey_skip(const struct dfmt_writer *w, uint64_t pfn, uint64_t end)
{
	uint64_t at = chunk_of(w, pfn), first = at;

	while (at < NR_CHUNKS && at << w->chunk_shift < end &&
		!(w->chunks[at] >> w->class & 1))
		at++;
	return at == first ? pfn : lesser(at << w->chunk_shift, end);
}
