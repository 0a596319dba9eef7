/* SPDX-License-Identifier: MIT */
/*
 * Before the panic: how much memory a configuration needs, and the writer laid
 * out in it, piece by piece.
 */
#include "writer-impl.h"

#include <string.h>

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
		!ops->write || !ops->read || !ops->submit != !ops->wait)
		return false;
	if (c->page_shift < 12 || c->page_shift > 16 ||
		c->nr_helpers > MAX_HELPERS || c->nr_slots > MAX_SLOTS)
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
	PIECE_CHUNKS,
	PIECE_SCOUTS,
	PIECE_SCOUT_FRAMES,
	PIECE_IN,
	PIECE_OUT,
	NR_PIECES,
};

static uint32_t
nr_slots_of(const struct dfmt_writer_config *c)
{
	if (c->nr_helpers == 0)
		return 1;
	return c->nr_slots ? c->nr_slots : 4 * c->nr_helpers + 4;
}

/* One to fill besides those on their way. */
static uint32_t
nr_seg_bufs_of(const struct dfmt_writer_config *c)
{
	return c->ops->submit ? NR_FLIGHTS + 1 : 1;
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
		return nr_seg_bufs_of(c) * SEG_LEN;
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
	case PIECE_CHUNKS:
		return NR_CHUNKS;
	case PIECE_SCOUTS:
		return NR_SCOUTS * sizeof(struct wscout);
	case PIECE_SCOUT_FRAMES:
		return (size_t)c->nr_helpers << c->page_shift;
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
	w->seg_bufs = piece[PIECE_SEGMENT];
	w->pages.buf = w->seg_bufs;
	w->pages.runs = (void *)piece[PIECE_RUNS];
	w->pages.blocks = (void *)piece[PIECE_BLOCKS];
	w->end_buf = piece[PIECE_END];
	w->scratch = piece[PIECE_SCRATCH];
	w->repeats = (void *)piece[PIECE_REPEATS];
	w->nr_repeats = REPEATS_LEN / sizeof(*w->repeats);
	w->states = piece[PIECE_STATES];
	w->chunks = piece[PIECE_CHUNKS];
	w->scouts = (void *)piece[PIECE_SCOUTS];
	w->scout_frames = piece[PIECE_SCOUT_FRAMES];
	memset(w->scouts, 0, NR_SCOUTS * sizeof(*w->scouts));
	dfmt_w_scouts_recall(w);
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
