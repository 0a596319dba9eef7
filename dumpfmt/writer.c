/* SPDX-License-Identifier: MIT */
/*
 * The run of the writer: checks the label, then writes front to back: the
 * triage record, what is known besides memory, and memory in passes by worth,
 * one class of frames each.
 *
 * Freestanding; see dfmt-writer.h for the contract and writer-impl.h for the
 * files.
 */
#include "writer-impl.h"

#include <string.h>

/* ---- passes -------------------------------------------------------------- */

bool
dfmt_w_next_range(struct dfmt_writer *w, uint64_t pfn, struct dfmt_wrun *run)
{
	if (pfn >= DFMT_MAX_PFN ||
		w->ops->next_range(w->config.arg, pfn, run) != 0)
		return false;
	if (run->count == 0 || run->pfn >= DFMT_MAX_PFN ||
		run->count > DFMT_MAX_PFN - run->pfn ||
		run->pfn + run->count <= pfn)
		return false;
	if (run->pfn < pfn) {
		run->count -= pfn - run->pfn;
		run->pfn = pfn;
	}
	return true;
}

/* Of less than all; without a division of 64 bits. */
static uint32_t
percent(uint64_t part, uint64_t all)
{
	while (all > UINT32_MAX / 100) {
		part >>= 1;
		all >>= 1;
	}
	return (uint32_t)part * 100 / (uint32_t)all;
}

void
dfmt_w_progress(struct dfmt_writer *w)
{
	struct dfmt_wprogress p = {
		.nr_done = w->nr_looked,
		.nr_data = w->nr_kind[DFMT_RUN_DATA],
		.offset = dfmt_w_place(w)->next,
		.class = w->class,
		.percent = 100,
	};

	if (!w->ops->progress)
		return;
	if (w->nr_looked < w->nr_to_look)
		p.percent = percent(w->nr_looked, w->nr_to_look);
	w->ops->progress(w->config.arg, &p);
}

/* Is pfn among the frames that are written first?  They ascend. */
static bool
was_first(const struct dfmt_writer *w, uint64_t pfn)
{
	const struct dfmt_writer_facts *f = &w->facts;
	size_t low = 0, high = f->nr_first;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct dfmt_wrun *run = &f->first[mid];

		if (pfn < run->pfn)
			high = mid;
		else if (pfn - run->pfn < run->count)
			return true;
		else
			low = mid + 1;
	}
	return false;
}

/* Frame pfn of the pass; known: what was found out of its chunk, or NULL. */
static void
add_frame(struct dfmt_writer *w, uint64_t pfn, const struct wscout *known)
{
	uint32_t bit = (uint32_t)(pfn % SCOUT_FRAMES);

	if (w->class != DFMT_CLASS_FIRST && was_first(w, pfn))
		return;
	if (known && known->fills >> bit & 1)
		dfmt_w_fill(w, pfn, known->words[bit]);
	else
		dfmt_w_frame(w, pfn);
}

/* Frames [pfn, pfn + count) of the pass; every so often looks up. */
static void
add_frames(struct dfmt_writer *w, uint64_t pfn, uint64_t count)
{
	const struct wscout *known = NULL;

	for (uint64_t i = 0; i < count; i++) {
		if ((i & 63) == 0 && dfmt_w_stopped(w))
			break;
		if ((i & 0xfff) == 0xfff)
			dfmt_w_progress(w);
		if ((pfn + i) % SCOUT_FRAMES == 0)
			known = dfmt_w_scouted(w, pfn + i, pfn + count);
		add_frame(w, pfn + i, known);
	}
	dfmt_w_scouts_recall(w);
}

uint32_t
dfmt_w_class_of(struct dfmt_writer *w, uint64_t pfn, uint64_t most,
	uint64_t *count_out)
{
	uint64_t count = 1;
	int class = w->ops->classify(w->config.arg, pfn, &count);

	*count_out = count == 0 ? 1 : lesser(count, most);
	/* What nobody knows is kept out as what is free. */
	return class > DFMT_CLASS_FIRST && class < DFMT_NR_CLASSES
		       ? (uint32_t) class
		       : DFMT_CLASS_FREE;
}

static void
pass_over_run(struct dfmt_writer *w, const struct dfmt_wrun *run)
{
	uint64_t pfn = run->pfn, end = run->pfn + run->count, count;

	while (pfn < end && w->stop == STOP_NO) {
		uint64_t from = dfmt_w_survey_skip(w, pfn, end);

		w->nr_looked += from - pfn;
		pfn = from;
		/* One step may be one frame, here or in a run of its own. */
		if ((w->nr_steps++ & 63) == 0) {
			dfmt_w_progress(w);
			if (dfmt_w_stopped(w))
				return;
		}
		if (pfn == end)
			break;
		if (dfmt_w_class_of(w, pfn, end - pfn, &count) == w->class)
			add_frames(w, pfn, count);
		w->nr_looked += count;
		pfn += count;
	}
	dfmt_w_progress(w);
}

/* What there was is on its way, and on the device. */
static void
pass_out(struct dfmt_writer *w)
{
	dfmt_w_submit(w, true);
	dfmt_w_drain(w);
	dfmt_w_pages_flush(w);
}

static void
pass_end(struct dfmt_writer *w)
{
	dfmt_w_land(w);
	dfmt_w_index_close(w);
}

static void
pass(struct dfmt_writer *w, uint32_t class)
{
	struct dfmt_wrun run;
	uint64_t pfn = 0;

	w->class = class;
	dfmt_w_pages_begin(w, class);
	while (w->stop == STOP_NO && dfmt_w_next_range(w, pfn, &run)) {
		pass_over_run(w, &run);
		pfn = run.pfn + run.count;
	}
	pass_out(w);
	pass_end(w);
}

/* The tops of stacks and what else the caller holds dearest. */
static void
pass_first(struct dfmt_writer *w)
{
	const struct dfmt_writer_facts *f = &w->facts;

	w->class = DFMT_CLASS_FIRST;
	dfmt_w_pages_begin(w, DFMT_CLASS_FIRST);
	for (size_t i = 0; i < f->nr_first && w->stop == STOP_NO; i++)
		add_frames(w, f->first[i].pfn, f->first[i].count);
	pass_out(w);
	dfmt_w_survey(w);
	pass_end(w);
}

static void
passes(struct dfmt_writer *w)
{
	for (uint32_t c = 1; c < DFMT_NR_CLASSES && w->stop == STOP_NO; c++)
		if (w->config.content >> c & 1)
			pass(w, c);
}

/* ---- the end ------------------------------------------------------------- */

static enum dfmt_fmt_end_status
end_status(const struct dfmt_writer *w)
{
	switch (w->stop) {
	case STOP_NO:
		return DFMT_END_COMPLETE;
	case STOP_FULL:
		return DFMT_END_FULL;
	case STOP_TIME:
		return DFMT_END_TIME;
	case STOP_DEVICE:
		return DFMT_END_DEVICE;
	case STOP_TOLD:
		break;
	}
	return DFMT_END_STOPPED;
}

static uint64_t
elapsed(const struct dfmt_writer *w)
{
	return w->ops->now_ms ? w->ops->now_ms(w->config.arg) - w->start_ms : 0;
}

static void
end_counts(const struct dfmt_writer *w, struct dfmt_fmt_end *e)
{
	e->nr_data = w->nr_kind[DFMT_RUN_DATA];
	e->nr_fill = w->nr_kind[DFMT_RUN_FILL];
	e->nr_repeat = w->nr_kind[DFMT_RUN_REPEAT];
	e->nr_lost = w->nr_kind[DFMT_RUN_LOST];
	e->raw_len = (e->nr_data + e->nr_fill + e->nr_repeat)
		     << w->config.page_shift;
	e->nr_retries = w->out.nr_retries;
	e->nr_skipped = w->out.nr_skipped;
	memcpy(e->classes, w->classes, sizeof(e->classes));
}

/* "the time limit; and what the caller has to say" */
static void
why_put(const struct dfmt_writer *w, struct dfmt_fmt_end *e, const char *why)
{
	const size_t room = sizeof(e->why) - 1;
	size_t n = dfmt_w_text_len(why, room), more;

	memcpy(e->why, why, n);
	if (!w->ops->remark || n + 3 > room)
		return;
	more = w->ops->remark(w->config.arg, e->why + n + 2, room - n - 2);
	if (more == 0)
		return;
	memcpy(e->why + n, "; ", 2);
	/* Whatever it did, the text ends. */
	e->why[room] = 0;
}

static bool
end_emit(struct dfmt_writer *w, enum dfmt_fmt_end_status status,
	const char *why, bool indexed)
{
	struct dfmt_fmt_end *e = (void *)(w->end_buf + DFMT_SEG_HEADER_LEN);
	const struct wseg seg = {
		.buf = w->end_buf,
		.payload_len = sizeof(*e),
		.raw_len = sizeof(*e),
		.crc_len = sizeof(*e),
		.type = DFMT_SEG_END,
		.last = true,
	};

	dfmt_w_land(w);
	memset(w->end_buf, 0, DFMT_END_LEN);
	e->status = (uint32_t)status;
	e->flags = indexed ? DFMT_END_INDEXED : 0;
	e->nr_segments = dfmt_w_place(w)->nr_segments;
	e->meta_end = w->meta_end ? w->meta_end : dfmt_w_place(w)->next;
	e->elapsed_ms = elapsed(w);
	if (!why)
		why = "complete";
	end_counts(w, e);
	if (indexed) {
		e->nr_roots = w->nr_roots;
		memcpy(e->roots, w->roots, w->nr_roots * sizeof(w->roots[0]));
	}
	why_put(w, e, why);
	return dfmt_w_emit_end(w, &seg);
}

static void
result_fill(struct dfmt_writer *w, enum dfmt_writer_status st, const char *why)
{
	struct dfmt_writer_result *r = &w->result;

	r->status = st;
	r->why = why;
	r->dump_start = w->out.base;
	r->dump_len = dfmt_w_place(w)->next;
	memcpy(r->dump_id, w->out.dump_id, sizeof(r->dump_id));
	r->nr_data = w->nr_kind[DFMT_RUN_DATA];
	r->nr_fill = w->nr_kind[DFMT_RUN_FILL];
	r->nr_repeat = w->nr_kind[DFMT_RUN_REPEAT];
	r->nr_lost = w->nr_kind[DFMT_RUN_LOST];
	r->raw_len = (r->nr_data + r->nr_fill + r->nr_repeat)
		     << w->config.page_shift;
	r->stored_len = r->dump_len;
	r->elapsed_ms = elapsed(w);
	r->nr_retries = w->out.nr_retries;
	r->nr_unflushed = w->out.nr_unflushed;
	r->nr_skipped = w->out.nr_skipped;
}

/* Returns what the run, or the end after a second panic, returns. */
static enum dfmt_writer_status
finish(struct dfmt_writer *w, enum dfmt_fmt_end_status status, const char *why,
	bool indexed)
{
	bool ended = end_emit(w, status, why, indexed);

	if (!ended && status == DFMT_END_COMPLETE) {
		status = DFMT_END_DEVICE;
		why = "the end record could not be written";
	}
	w->result.ended = ended;
	result_fill(w, (enum dfmt_writer_status)status, why);
	return w->result.status;
}

/* ---- the run ------------------------------------------------------------- */

/*
 * No two dumps have one id: the seed is random, the rest differs.  The label's
 * uuid is in it, as generations begin anew with a label.
 */
void
dfmt_w_id_make(struct dfmt_writer *w, uint64_t generation)
{
	uint64_t half[2], uuid[2];
	uint64_t salt = w->facts.time_sec * 1000000007u + w->facts.time_nsec +
			generation;

	memcpy(half, w->config.seed, sizeof(half));
	memcpy(uuid, w->config.uuid, sizeof(uuid));
	for (uint32_t i = 0; i < 2; i++) {
		half[i] ^= salt + i;
		half[i] ^= uuid[i] * 0x9e3779b97f4a7c15u;
		half[i] = (half[i] ^ half[i] >> 30) * 0xbf58476d1ce4e5b9u;
		half[i] = (half[i] ^ half[i] >> 27) * 0x94d049bb133111ebu;
		half[i] ^= half[i] >> 31;
		salt = half[i];
	}
	half[0] |= 1; /* never zero */
	memcpy(w->out.dump_id, half, sizeof(half));
}

const char *
dfmt_writer_refusal(enum dfmt_writer_status st)
{
	static const char *const why[] = {
		[DFMT_W_CONFIG - DFMT_W_CONFIG] =
			"the configuration makes no sense",
		[DFMT_W_NO_LABEL - DFMT_W_CONFIG] = "there is no whole label",
		[DFMT_W_FOREIGN - DFMT_W_CONFIG] =
			"the label is of another device",
		[DFMT_W_TOO_SMALL - DFMT_W_CONFIG] =
			"the range is too small or shorter than its label says",
		[DFMT_W_UNSAVED - DFMT_W_CONFIG] =
			"a dump that was not saved is there",
		[DFMT_W_NO_SLOT - DFMT_W_CONFIG] =
			"the device refuses the triage record",
	};

	return st < DFMT_W_CONFIG || st > DFMT_W_NO_SLOT
		       ? NULL
		       : why[st - DFMT_W_CONFIG];
}

static enum dfmt_writer_status
refuse(struct dfmt_writer *w, enum dfmt_writer_status st)
{
	result_fill(w, st, dfmt_writer_refusal(st));
	return st;
}

static void
content(struct dfmt_writer *w)
{
	dfmt_w_records(w);
	if (w->stop == STOP_NO)
		pass_first(w);
	if (w->stop == STOP_NO)
		dfmt_w_blobs(w);
	w->meta_end = dfmt_w_place(w)->next;
	if (w->stop == STOP_NO)
		passes(w);
}

static enum dfmt_writer_status
run(struct dfmt_writer *w, uint64_t range_len)
{
	uint64_t generation = 1;
	enum dfmt_writer_status st;

	if (w->config.flags & DFMT_WRITER_FILE) {
		w->out.align = w->config.align ? w->config.align : 512;
		w->out.limit = range_len;
	} else {
		st = dfmt_w_label_check(w, range_len, &generation);
		if (st != DFMT_W_COMPLETE)
			return refuse(w, st);
		range_len = w->out.limit + DFMT_ANCHOR_FROM_END;
	}
	dfmt_w_id_make(w, generation);
	if (!dfmt_w_triage(w, generation, range_len))
		return refuse(w, DFMT_W_NO_SLOT);
	w->indexed = true;
	dfmt_w_frames_reset(w);
	content(w);
	return finish(w, end_status(w), w->stop_why, w->indexed);
}

enum dfmt_writer_status
dfmt_writer_check(struct dfmt_writer *w, uint64_t range_len)
{
	uint64_t generation;

	return w->phase != PHASE_NEW || (w->config.flags & DFMT_WRITER_FILE)
		       ? DFMT_W_CONFIG
		       : dfmt_w_label_check(w, range_len, &generation);
}

enum dfmt_writer_status
dfmt_writer_run(struct dfmt_writer *w, const struct dfmt_writer_facts *facts,
	uint64_t range_len)
{
	enum dfmt_writer_status st;

	if (w->phase != PHASE_NEW)
		return DFMT_W_CONFIG;
	dfmt_w_facts_take(w, facts);
	w->phase = PHASE_RUNNING;
	if (w->ops->now_ms)
		w->start_ms = w->ops->now_ms(w->config.arg);
	st = run(w, range_len);
	__atomic_store_n(&w->helping, 0, __ATOMIC_RELEASE);
	w->phase = PHASE_DONE;
	return st;
}

void
dfmt_writer_stop(struct dfmt_writer *w)
{
	__atomic_store_n(&w->told, 1, __ATOMIC_RELEASE);
}

enum dfmt_writer_status
dfmt_writer_reenter(struct dfmt_writer *w, const char *why)
{
	__atomic_store_n(&w->helping, 0, __ATOMIC_RELEASE);
	if (w->phase == PHASE_DONE)
		return w->result.status;
	if (w->phase != PHASE_RUNNING)
		return DFMT_W_SECOND_PANIC;
	w->phase = PHASE_REENTERED;
	dfmt_w_encrypt_again(w);
	if (!why)
		why = "a panic inside the writer";
	if (dfmt_w_place(w)->nr_segments == 0) {
		/* Nothing of this dump is there: there is nothing to end. */
		result_fill(w, DFMT_W_SECOND_PANIC, why);
		return DFMT_W_SECOND_PANIC;
	}
	return finish(w, DFMT_END_SECOND_PANIC, why, false);
}

const struct dfmt_writer_result *
dfmt_writer_result_get(const struct dfmt_writer *w)
{
	return &w->result;
}
