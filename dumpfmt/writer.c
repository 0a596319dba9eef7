/* SPDX-License-Identifier: MIT */
/*
 * The writer: lays itself out in the memory it was given, checks the label,
 * then writes front to back: the triage record, what is known besides memory,
 * and memory in passes by worth, one class of frames each.
 *
 * Freestanding; see dfmt-writer.h for the contract and writer-impl.h for the
 * files.
 */
#include "writer-impl.h"

#include <string.h>

/* ---- memory -------------------------------------------------------------- */

/* By default one frame where a frame is longer; only of a sane page_shift. */
static uint32_t
block_len_of(const struct dfmt_writer_config *c)
{
	uint32_t frame = 1u << c->page_shift;

	if (c->block_len)
		return c->block_len;
	return frame > DFMT_WRITER_BLOCK ? frame : DFMT_WRITER_BLOCK;
}

static bool
config_is_sane(const struct dfmt_writer_config *c)
{
	const struct dfmt_writer_ops *ops = c->ops;
	uint32_t block;

	if (!ops || !ops->next_range || !ops->read_frame || !ops->classify ||
		!ops->write || !ops->read)
		return false;
	if (c->page_shift < 12 || c->page_shift > 16 ||
		c->nr_helpers > MAX_HELPERS)
		return false;
	if ((c->flags & DFMT_WRITER_FILE) && c->align != 512 &&
		c->align != 4096 && c->align != 0)
		return false;
	if (c->codec && c->codec->state_len > CODEC_STATE_MAX)
		return false;
	block = block_len_of(c);
	return block <= 128u << 10 && block % (1u << c->page_shift) == 0;
}

/* The memory, piece by piece, each beginning a page. */
enum piece {
	PIECE_WRITER,
	PIECE_SEGMENT,
	PIECE_END,
	PIECE_SCRATCH,
	PIECE_INDEX,
	PIECE_REPEATS,
	PIECE_RUNS,
	PIECE_BLOCKS,
	PIECE_STATES,
	PIECE_SLOTS,
	PIECE_IN,
	PIECE_OUT,
	NR_PIECES,
};

static uint32_t
nr_slots_of(const struct dfmt_writer_config *c)
{
	return c->nr_helpers ? 4 * c->nr_helpers + 4 : 1;
}

static size_t
state_len_of(const struct dfmt_writer_config *c)
{
	return c->codec ? (size_t)round_up(c->codec->state_len, 64) : 0;
}

static size_t
piece_len(const struct dfmt_writer_config *c, enum piece piece)
{
	switch (piece) {
	case PIECE_WRITER:
		return sizeof(struct dfmt_writer);
	case PIECE_SEGMENT:
		return SEG_LEN;
	case PIECE_END:
		return DFMT_END_LEN;
	case PIECE_SCRATCH:
		return 1u << c->page_shift;
	case PIECE_INDEX:
		return INDEX_LEVELS * INDEX_LEN;
	case PIECE_REPEATS:
		return REPEATS_LEN;
	case PIECE_RUNS:
		return MAX_RUNS * sizeof(struct dfmt_fmt_run);
	case PIECE_BLOCKS:
		return MAX_BLOCKS * sizeof(struct dfmt_fmt_block);
	case PIECE_STATES:
		return (c->nr_helpers + 1) * state_len_of(c);
	case PIECE_SLOTS:
		return nr_slots_of(c) * sizeof(struct wslot);
	case PIECE_IN:
	case PIECE_OUT:
		return (size_t)nr_slots_of(c) * block_len_of(c);
	case NR_PIECES:
		break;
	}
	return 0;
}

size_t
dfmt_writer_memory(const struct dfmt_writer_config *config)
{
	size_t len = 0;

	if (!config_is_sane(config))
		return 0;
	for (enum piece i = 0; i < NR_PIECES; i++)
		len += round_up(piece_len(config, i), 4096);
	return len;
}

static void
buffers_lay_out(struct dfmt_writer *w, uint8_t *const piece[])
{
	w->pages.buf = piece[PIECE_SEGMENT];
	w->pages.runs = (void *)piece[PIECE_RUNS];
	w->pages.blocks = (void *)piece[PIECE_BLOCKS];
	w->end_buf = piece[PIECE_END];
	w->scratch = piece[PIECE_SCRATCH];
	w->repeats = (void *)piece[PIECE_REPEATS];
	w->nr_repeats = REPEATS_LEN / sizeof(*w->repeats);
	w->states = piece[PIECE_STATES];
	for (uint32_t i = 0; i < INDEX_LEVELS; i++) {
		struct wlevel *l = &w->levels[i];

		l->buf = piece[PIECE_INDEX] + i * INDEX_LEN;
		l->entries = (void *)(l->buf + DFMT_SEG_HEADER_LEN +
				      sizeof(struct dfmt_fmt_index));
	}
}

static void
slots_lay_out(struct dfmt_writer *w, uint8_t *const piece[])
{
	uint32_t len = block_len_of(&w->config);

	w->slots = (void *)piece[PIECE_SLOTS];
	w->nr_slots = nr_slots_of(&w->config);
	memset(w->slots, 0, w->nr_slots * sizeof(*w->slots));
	for (uint32_t i = 0; i < w->nr_slots; i++) {
		w->slots[i].in = piece[PIECE_IN] + (size_t)i * len;
		w->slots[i].out = piece[PIECE_OUT] + (size_t)i * len;
	}
}

struct dfmt_writer *
dfmt_writer_init(const struct dfmt_writer_config *config, void *memory,
	size_t len)
{
	struct dfmt_writer *w = memory;
	size_t need = dfmt_writer_memory(config);
	uint8_t *piece[NR_PIECES];
	uint8_t *at = memory;

	if (!need || need > len || !memory || (uintptr_t)memory % 4096)
		return NULL;
	for (enum piece i = 0; i < NR_PIECES; i++) {
		piece[i] = at;
		at += round_up(piece_len(config, i), 4096);
	}
	memset(w, 0, sizeof(*w));
	w->config = *config;
	w->ops = config->ops;
	w->frame_len = 1u << config->page_shift;
	w->block_frames = block_len_of(config) / w->frame_len;
	buffers_lay_out(w, piece);
	slots_lay_out(w, piece);
	dfmt_crc_init(&w->crc, config->flags & DFMT_WRITER_CRC32);
	w->helping = 1;
	return w;
}

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

static void
progress(struct dfmt_writer *w)
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

/* Frames [pfn, pfn + count) of the pass; every so often looks up. */
static void
add_frames(struct dfmt_writer *w, uint64_t pfn, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		if ((i & 63) == 0 && dfmt_w_stopped(w))
			return;
		if ((i & 0xfff) == 0xfff)
			progress(w);
		if (w->class == DFMT_CLASS_FIRST || !was_first(w, pfn + i))
			dfmt_w_frame(w, pfn + i);
	}
}

static uint32_t
class_of(struct dfmt_writer *w, uint64_t pfn, uint64_t most,
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
		uint32_t class;

		/* One step may be one frame, here or in a run of its own. */
		if ((w->nr_steps++ & 63) == 0 && dfmt_w_stopped(w))
			return;
		class = class_of(w, pfn, end - pfn, &count);

		if (!w->counted)
			w->classes[class].nr_seen += count;
		if (class == w->class)
			add_frames(w, pfn, count);
		w->nr_looked += count;
		pfn += count;
	}
	progress(w);
}

static void
pass_end(struct dfmt_writer *w)
{
	dfmt_w_submit(w, true);
	dfmt_w_drain(w);
	dfmt_w_pages_flush(w);
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
	w->counted = true;
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
	pass_end(w);
}

static void
count_work(struct dfmt_writer *w)
{
	struct dfmt_wrun run;
	uint64_t pfn = 0, frames = 0, passes = 0;

	while (w->stop == STOP_NO && dfmt_w_next_range(w, pfn, &run)) {
		if ((w->nr_steps++ & 63) == 0)
			(void)dfmt_w_stopped(w);
		frames += run.count;
		pfn = run.pfn + run.count;
	}
	for (uint32_t c = 1; c < DFMT_NR_CLASSES; c++)
		passes += w->config.content >> c & 1;
	w->nr_to_look = frames * passes;
}

static void
passes(struct dfmt_writer *w)
{
	count_work(w);
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
	memcpy(e->why, why, dfmt_w_text_len(why, sizeof(e->why) - 1));
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
static void
make_id(struct dfmt_writer *w, uint64_t generation)
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

static enum dfmt_writer_status
refuse(struct dfmt_writer *w, enum dfmt_writer_status st)
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

	result_fill(w, st, why[st - DFMT_W_CONFIG]);
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
	make_id(w, generation);
	if (!dfmt_w_triage(w, generation, range_len))
		return refuse(w, DFMT_W_NO_SLOT);
	w->indexed = true;
	dfmt_w_frames_reset(w);
	content(w);
	return finish(w, end_status(w), w->stop_why, w->indexed);
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
