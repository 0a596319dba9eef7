/* SPDX-License-Identifier: MIT */
/*
 * What the files of the writer share.  Private to writer*.c; freestanding.
 *
 *   writer-init.c    memory, laid out before the panic
 *   writer.c         the run: passes over memory, ends
 *   writer-label.c   is the range ours to write?
 *   writer-facts.c   what the caller says, held to the format
 *   writer-out.c     the device: bounds, retries, places given up
 *   writer-flight.c  segments that the device has and has not written yet
 *   writer-crypt.c   payloads encrypted, each once
 *   writer-meta.c    triage record, CPUs, worlds, ranges, objects, blobs
 *   writer-survey.c  what there is, and roughly where
 *   writer-frames.c  one frame: fill, repeat, or into a block
 *   writer-scout.c   frames ahead that are one word over and over
 *   writer-jobs.c    blocks through one or several compressors, in order
 *   writer-pages.c   blocks to pages segments
 *   writer-index.c   the index trees
 *
 * The state that a second panic needs is what was committed: struct wplace,
 * kept twice and switched by one store.
 */
#ifndef DFMT_WRITER_IMPL_H
#define DFMT_WRITER_IMPL_H

#include "dfmt-crc.h"
#include "dfmt-writer.h"

#define SEG_LEN (256u << 10) /* the buffer of a pages segment */
#define MAX_RUNS 2048u	     /* in a segment */
#define MAX_BLOCKS 256u	     /* in a segment */
#define SLOT_RUNS 256u	     /* between one block and the next */
#define TABLES_LEN 40960u    /* header, head, runs, blocks; 4096-aligned */
#define INDEX_LEN 16384u     /* an index segment, whole */
#define INDEX_LEVELS 5u
#define REPEATS_LEN (256u << 10)
#define MAX_HELPERS 31u
#define MAX_SLOTS 1024u
#define CODEC_STATE_MAX (16u << 20)
#define HELPER_MS 1000u /* a helper that takes longer for a block is gone */
#define HELPER_SPINS (1u << 26) /* the same, where no clock runs */
#define RETRIES 3u
#define MAX_SKIPS 64u /* places given up before the device is */
#define BLOB_PIECE (128u << 10)
#define NR_FLIGHTS 2u /* segments that are being written at a time */
/* Room kept for index nodes and the end record when the range gets full. */
#define RESERVE ((INDEX_LEVELS + 1) * INDEX_LEN + DFMT_END_LEN)

_Static_assert(TABLES_LEN >= DFMT_SEG_HEADER_LEN +
				     sizeof(struct dfmt_fmt_pages) +
				     MAX_RUNS * sizeof(struct dfmt_fmt_run) +
				     MAX_BLOCKS * sizeof(struct dfmt_fmt_block),
	"tables do not fit");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	"the writer fills little endian structures");

/* Why the run goes on or ends.  0: it goes on. */
enum wstop {
	STOP_NO = 0,
	STOP_FULL,
	STOP_TIME,
	STOP_DEVICE,
	STOP_TOLD,
};

/* Where the next segment goes; committed as a whole. */
struct wplace {
	uint64_t next; /* from the dump's first byte */
	uint64_t seq;
	uint64_t nr_segments;
};

struct wout {
	uint64_t base;	 /* of the dump in the range */
	uint64_t limit;	 /* of the dump area, from base */
	uint64_t anchor; /* offset in the range, or 0: none */
	uint32_t align;
	struct wplace place[2];
	uint32_t current; /* which of the two counts */
	uint32_t nr_retries, nr_skipped, nr_unflushed;
	uint8_t dump_id[16];
	uint64_t nonce; /* the last one used; see writer-crypt.c */
};

/* Frames in a row, all of one kind. */
struct wspan {
	uint64_t pfn;
	uint64_t arg;
	uint32_t count;
	uint32_t kind;
};

/* A block on its way, with the frames between it and the one before. */
enum wslot_state {
	SLOT_FREE = 0,
	SLOT_READY, /* to be compressed */
	SLOT_BUSY,
	SLOT_DONE,
};

/* A block as it goes into a segment. */
struct wblock {
	const uint8_t *stored;
	uint32_t len;
	uint32_t crc;
	uint16_t codec;
};

struct wslot {
	uint32_t state;	     /* atomic */
	struct wblock block; /* of who took it, until DONE */
	bool dead;	     /* who took it never answered: see drain_one */
	bool closes;	     /* the segment ends after it */
	uint32_t nr_data;
	uint32_t nr_spans;
	uint8_t *in, *out;
	struct wspan spans[SLOT_RUNS];
};

/* Frames ahead of the run, and which of them are one word over and over. */
#define SCOUT_FRAMES 64u
#define NR_SCOUTS 8u
struct wscout {
	uint32_t state; /* atomic; enum wslot_state */
	uint32_t nr;	/* frames from pfn on */
	uint64_t pfn;	/* a multiple of SCOUT_FRAMES, or ~0: none */
	uint64_t fills; /* bit i: frame pfn + i is words[i] over and over */
	uint64_t words[SCOUT_FRAMES];
};

#define NR_CHUNKS 32768u

struct wpages {
	uint8_t *buf; /* SEG_LEN; one of the writer's seg_bufs */
	uint32_t class;
	uint32_t nr_runs, nr_blocks, nr_frames;
	uint32_t nr_kind[4]; /* of the frames, by enum dfmt_fmt_run_kind */
	uint32_t shorter;    /* the next one's room is halved so often */
	uint32_t data_len;
	uint32_t data_room;
	uint64_t first_pfn, last_pfn;
	struct dfmt_fmt_run *runs;
	struct dfmt_fmt_block *blocks;
};

/* What a segment's header says besides its place. */
struct wseg {
	uint8_t *buf; /* the segment, its header's bytes first; 4096-aligned */
	uint64_t payload_len;
	uint64_t raw_len;
	uint32_t crc_len;
	uint32_t clear_len; /* of the payload: not encrypted */
	uint16_t type;
	uint16_t codec;
	bool last;   /* may use what is kept for the end */
	bool sealed; /* it is encrypted already: dfmt_w_encrypt */
};

/* A pages segment on its way; its entry is in the lowest node of the index. */
struct wflight {
	struct wseg seg;
	struct wplace place; /* where it goes */
	uint64_t total;	     /* bytes there */
	uint32_t class;
	uint32_t nr_kind[4];
};

struct wlevel {
	uint8_t *buf; /* INDEX_LEN */
	uint32_t nr_entries;
	struct dfmt_fmt_entry *entries;
};

struct wrepeat {
	uint64_t hash;
	uint64_t pfn; /* ~0: none */
};

enum wphase {
	PHASE_NEW = 0,
	PHASE_RUNNING,
	PHASE_REENTERED,
	PHASE_DONE,
};

struct dfmt_writer {
	struct dfmt_writer_config config;
	const struct dfmt_writer_ops *ops;
	struct dfmt_writer_facts facts; /* see dfmt_w_facts_take */
	struct dfmt_crc crc;
	struct wout out;
	uint32_t frame_len, block_frames;
	uint32_t phase;	  /* atomic */
	uint32_t told;	  /* atomic: dfmt_writer_stop */
	uint32_t helping; /* atomic: helpers look for work while it is 1 */
	enum wstop stop;
	const char *stop_why;
	uint64_t start_ms;
	uint64_t meta_end;

	struct wslot *slots;
	uint32_t nr_slots;
	uint32_t head, tail; /* slots handed out and drained, counting up */
	uint8_t *states; /* of the compressors; the run's own is the first */

	struct wscout *scouts; /* NR_SCOUTS */
	uint8_t *scout_frames; /* one for each helper */

	struct wpages pages;
	uint8_t *seg_bufs; /* NR_FLIGHTS + 1, or 1 where a write is one step */
	uint32_t seg_buf;  /* which one is filled */
	struct wflight flights[NR_FLIGHTS];
	uint32_t flown,
		landed; /* counting up; what lies between is on its way */
	struct wlevel levels[INDEX_LEVELS];
	bool indexed;
	struct dfmt_fmt_root roots[DFMT_MAX_ROOTS];
	uint32_t nr_roots;

	struct wrepeat *repeats;
	uint32_t nr_repeats;
	uint8_t *scratch; /* a frame, or a label */
	uint8_t *end_buf; /* DFMT_END_LEN: of nothing else */

	uint32_t class; /* the pass */
	struct dfmt_fmt_class_count classes[8];
	uint64_t nr_kind[4]; /* frames in segments that were written */
	uint64_t nr_looked, nr_to_look;
	uint8_t *chunks; /* NR_CHUNKS: which classes are in each, as bits */
	uint32_t chunk_shift; /* a chunk is 1 << that many frames */
	uint32_t nr_steps;    /* over memory, of whatever length */
	struct dfmt_writer_result result;
};

/* unit is a power of two: nothing divides 64 bits, see check-freestanding. */
static inline uint64_t
round_up(uint64_t n, uint64_t unit)
{
	return (n + unit - 1) & ~(unit - 1);
}

static inline uint64_t
lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Bytes of text before its NUL, at most max; 0 for NULL. */
size_t dfmt_w_text_len(const char *text, size_t max);

/* ---- writer-out.c -------------------------------------------------------- */

/* The place that counts. */
const struct wplace *dfmt_w_place(const struct dfmt_writer *w);
/* Bytes left for segments before what is kept for the end. */
uint64_t dfmt_w_room(const struct dfmt_writer *w);
/* Reads a piece of the range; false when the device refuses. */
bool dfmt_w_read(struct dfmt_writer *w, uint64_t offset, void *buf,
	uint32_t len);
/* The run ends; the first reason given stays. */
void dfmt_w_stop(struct dfmt_writer *w, enum wstop stop, const char *why);
/* Has it been told to stop, or is the time over?  Then stops it. */
bool dfmt_w_stopped(struct dfmt_writer *w);

/*
 * Completes header and padding in buf and writes the segment, here or, where
 * the device refuses, further on; false: it could not be written, and the run
 * is stopped for that reason.  The buffer has room for the padding.
 * *offset_out, where not NULL, is the place that it got.
 */
bool dfmt_w_emit(struct dfmt_writer *w, const struct wseg *seg,
	uint64_t *offset_out);
/* The first segment: at the first slot that takes it and reads back right. */
bool dfmt_w_emit_first(struct dfmt_writer *w, const struct wseg *seg);
/* The end segment, its copy, and both read back. */
bool dfmt_w_emit_end(struct dfmt_writer *w, const struct wseg *seg);

/*
 * Fills in header and padding for that place; returns the whole length.  The
 * first time encrypts what is to be encrypted, and marks it as sealed.
 */
uint64_t dfmt_w_seal(struct dfmt_writer *w, struct wseg *seg,
	const struct wplace *place);
/* Place is behind what was written. */
void dfmt_w_commit(struct dfmt_writer *w, const struct wplace *place);
/* As dfmt_w_emit, for one that nothing is on its way before. */
bool dfmt_w_emit_now(struct dfmt_writer *w, const struct wseg *seg,
	uint64_t *offset_out);

/* ---- writer-flight.c ----------------------------------------------------- */

/* Where the next segment goes when all that is on its way arrives. */
struct wplace dfmt_w_ahead(const struct dfmt_writer *w);
/*
 * Writes the segment of w->pages and enters it into the index, in its own time
 * where the device can; the next one is filled in another buffer then.
 */
void dfmt_w_fly(struct dfmt_writer *w, const struct wseg *seg);
/* All that is on its way is on the device, or the run is stopped. */
void dfmt_w_land(struct dfmt_writer *w);

/* ---- writer-crypt.c ------------------------------------------------------ */

/*
 * Encrypts the segment in its buffer, whose header is filled in but for place
 * and checksums.  was: that header as it was before.  Of one that is sealed
 * already takes over from there what was made then.
 */
void dfmt_w_encrypt(struct dfmt_writer *w, struct wseg *seg,
	const struct dfmt_fmt_seg *was);
/* After a second panic: nonces that the run cannot have used. */
void dfmt_w_encrypt_again(struct dfmt_writer *w);

/* ---- writer.c ------------------------------------------------------------ */

/* The next run of memory at or after pfn, cut to what is after it. */
bool dfmt_w_next_range(struct dfmt_writer *w, uint64_t pfn,
	struct dfmt_wrun *run_out);

void dfmt_w_progress(struct dfmt_writer *w);
/* The class of frame pfn, and for how many frames, at most `most`, it holds. */
uint32_t dfmt_w_class_of(struct dfmt_writer *w, uint64_t pfn, uint64_t most,
	uint64_t *count_out);

/* ---- writer-survey.c ----------------------------------------------------- */

/* Counts classes and notes where they are. */
void dfmt_w_survey(struct dfmt_writer *w);
/* The first frame from pfn on, or end, that may be of the pass's class. */
uint64_t dfmt_w_survey_skip(const struct dfmt_writer *w, uint64_t pfn,
	uint64_t end);

/* ---- writer-facts.c ------------------------------------------------------ */

/* Into w->facts, with everything in it that cannot be so left out. */
void dfmt_w_facts_take(struct dfmt_writer *w,
	const struct dfmt_writer_facts *facts);

/* ---- writer-label.c ------------------------------------------------------ */

/* DFMT_W_COMPLETE: the range is ours; out is filled in, *generation_out too. */
enum dfmt_writer_status dfmt_w_label_check(struct dfmt_writer *w,
	uint64_t range_len, uint64_t *generation_out);

/* ---- writer-meta.c ------------------------------------------------------- */

/* (writer.c) */
void dfmt_w_id_make(struct dfmt_writer *w, uint64_t generation);
/* Puts the triage record together, without writing it. */
struct wseg dfmt_w_triage_make(struct dfmt_writer *w, uint64_t generation,
	uint64_t range_len);
bool dfmt_w_triage(struct dfmt_writer *w, uint64_t generation,
	uint64_t range_len);
void dfmt_w_records(struct dfmt_writer *w);
void dfmt_w_blobs(struct dfmt_writer *w);

/* ---- writer-frames.c ----------------------------------------------------- */

void dfmt_w_frame(struct dfmt_writer *w, uint64_t pfn);
/* The same for a frame that is known to be word over and over. */
void dfmt_w_fill(struct dfmt_writer *w, uint64_t pfn, uint64_t word);
bool dfmt_w_is_fill(const uint8_t *frame, uint32_t len, uint64_t *word_out);
void dfmt_w_frames_reset(struct dfmt_writer *w);

/* ---- writer-scout.c ------------------------------------------------------ */

/* Looks at one chunk that waits for it; false: there is none. */
bool dfmt_w_scout_one(struct dfmt_writer *w, uint8_t *scratch);
/*
 * At the first frame of a chunk: what is known of it, or NULL; has the next
 * ones, up to end, looked at.
 */
const struct wscout *dfmt_w_scouted(struct dfmt_writer *w, uint64_t pfn,
	uint64_t end);
/* Nothing that was asked for is needed any more. */
void dfmt_w_scouts_recall(struct dfmt_writer *w);

/* ---- writer-jobs.c ------------------------------------------------------- */

/* The slot that is being filled. */
struct wslot *dfmt_w_slot(struct dfmt_writer *w);
/* The device may go on. */
void dfmt_w_poke(struct dfmt_writer *w);
/* It is full: on to the next; closes: the segment ends with it. */
void dfmt_w_submit(struct dfmt_writer *w, bool closes);
/* Waits for all that was submitted. */
void dfmt_w_drain(struct dfmt_writer *w);

/* ---- writer-pages.c ------------------------------------------------------ */

void dfmt_w_pages_begin(struct dfmt_writer *w, uint32_t class);
void dfmt_w_pages_add(struct dfmt_writer *w, const struct wslot *slot,
	const struct wblock *block);
void dfmt_w_pages_flush(struct dfmt_writer *w);

/* ---- writer-index.c ------------------------------------------------------ */

/* A full lowest node is written: there is room for one more entry. */
void dfmt_w_index_room(struct dfmt_writer *w);
void dfmt_w_index_add(struct dfmt_writer *w,
	const struct dfmt_fmt_entry *entry);
/* Of the entries that were added last, the one with n behind it: its place. */
void dfmt_w_index_move(struct dfmt_writer *w, uint32_t n, uint64_t offset);
/* The last n are taken back: they are not on the device. */
void dfmt_w_index_drop(struct dfmt_writer *w, uint32_t n);
/* Ends the tree of the class: its root is kept for the end record. */
void dfmt_w_index_close(struct dfmt_writer *w);

#endif
