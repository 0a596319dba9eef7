/* SPDX-License-Identifier: MIT */
/*
 * The pieces of savecore.  A dump goes from a device into a directory as
 * vmcore.N in steps that each can be done again: copy (or re-code) into
 * .vmcore.N.part, make stable, read back and check, rename, unix.N, bounds,
 * and only then the device's label says that it was saved.
 */
#ifndef CMD_SAVECORE_SAVE_H
#define CMD_SAVECORE_SAVE_H

#include "cmd/common/emit.h"
#include "cmd/common/key.h"
#include "cmd/common/native.h"
#include "cmd/common/output.h"
#include "cmd/common/progress.h"

struct save_options {
	bool verbose, force, zstd, elf;
	bool no_wait; /* a dump without an end record is not being written */
	bool has_minfree;
	uint64_t minfree;   /* bytes */
	int level;	    /* of zstd */
	uint32_t block;	    /* bytes of a block of zstd */
	struct cmd_key key; /* decrypt with it */
};

/* What was taken off, and what was wrong with it. */
struct save_result {
	struct cmd_tally tally; /* of the source's segments */
	uint64_t nr_gaps, gap_bytes, nr_lost_segments;
	uint64_t nr_read_errors;
	bool has_end;		/* the writer's own end record was there */
	uint32_t end_status;	/* what that one says */
	bool cut;		/* the last segment runs over the end */
	bool reindexed;		/* index and end record were made here */
	bool no_end;		/* the copy has none: it is encrypted */
	bool growing;		/* somebody is writing the dump now */
	bool any_bytes;		/* crc is not known */
	uint64_t resumed;	/* bytes that were there already */
	uint64_t len;		/* of the file */
	uint32_t crc;		/* over its segments */
	uint64_t nr_kept_bad;	/* of these, segments known to be bad ... */
	uint64_t nr_bad_blocks; /* ... and blocks */
};

/* 128 KiB would be 0.6 % smaller, and twice as long to read a page of. */
#define SAVE_ZSTD_BLOCK (64u << 10)

/* run.c: the whole, from a device or file into a directory. */
enum cmd_status save_run(const char *device, const char *dir,
	const struct save_options *opt, struct cmd_error *err);

/* say.c: what is missing of what was saved, as warnings. */
void save_say_missing(const struct cmd_native *n,
	const struct save_result *result);

/* ---- bounds.c: which number --------------------------------------------- */

/* The text of a bounds file as a number; false: garbage. */
bool save_bounds_parse(const char *text, size_t len, uint32_t *number_out);

/*
 * The number for the next dump: that of bounds, or the next one for which
 * there is neither vmcore.N nor vmdump.N.  *garbage_out: bounds made no
 * sense.
 */
enum cmd_status save_bounds_read(int dir_fd, uint32_t *number_out,
	bool *garbage_out, struct cmd_error *err);
enum cmd_status save_bounds_write(int dir_fd, const char *dir, uint32_t number,
	struct cmd_error *err);

/* Bytes that the file minfree (KiB) wants free; 0 without one. */
uint64_t save_minfree_read(int dir_fd);

/* ---- copy.c, recode.c: the work ------------------------------------------ */

/* Copies the segments as they are, dropping the label. */
enum cmd_status save_copy(struct cmd_native *n, struct cmd_output *out,
	const struct save_options *opt, struct save_result *result_out,
	struct cmd_error *err);

/* The same with the pages coded anew by zstd. */
enum cmd_status save_recode(struct cmd_native *n, struct cmd_output *out,
	const struct save_options *opt, struct save_result *result_out,
	struct cmd_error *err);

/* index.c: makes the index of what lies in out before e->at; with an end. */
enum cmd_status save_reindex(struct cmd_emit *e, uint64_t seq, uint64_t at,
	struct dfmt_fmt_end *end, struct cmd_error *err);

/* What an end record says that was not the writer's. */
void save_end_made_up(struct dfmt_fmt_end *end, const struct cmd_counts *tally,
	uint64_t meta_end, uint32_t page_shift);

/*
 * Is somebody writing this dump now?  Asked where the end record is missing;
 * waits a second for something to change behind `last`.
 */
bool save_growing(const struct cmd_native *n, const struct cmd_seg *last);

/* ---- verify.c ------------------------------------------------------------ */

/* Reads out back from the disk and holds it against result. */
enum cmd_status save_verify(const struct cmd_output *out,
	const struct save_options *opt, const struct save_result *result,
	struct cmd_error *err);

/* ---- mark.c -------------------------------------------------------------- */

/* The label says that this dump was saved; n is as it was when reading. */
enum cmd_status save_mark(const struct cmd_native *n, struct cmd_error *err);

/* ---- list.c -------------------------------------------------------------- */

/* What is on a device, or the dumps in a directory. */
enum cmd_status save_list(const char *path, struct cmd_error *err);

/*
 * The number of the dump in the directory that has this id and an end record;
 * false: there is none.
 */
bool save_find(int dir_fd, const uint8_t *id, uint32_t *number_out);

/* ---- unix.c -------------------------------------------------------------- */

/*
 * Writes the symbol file of the dump that is at path; *made_out: false when
 * nothing that could go into one is found.
 */
enum cmd_status save_unix(const struct dfmt *d, const char *path,
	struct cmd_output *out, bool *made_out, struct cmd_error *err);

#endif
