/* SPDX-License-Identifier: MIT */
/* What recode.c and group.c share.  Private to them. */
#ifndef CMD_SAVECORE_RECODE_H
#define CMD_SAVECORE_RECODE_H

#include "cmd/savecore/save.h"
#include "dfmt-writer.h"

#define GROUP_LEN (4u << 20) /* bytes of frames */
#define GROUP_SEGMENTS 256u
#define GROUP_RUNS 65536u
#define MAX_THREADS 8u

/* A pages segment that waits; of pages only the numbers are valid. */
struct member {
	struct cmd_seg seg;
	struct cmd_pages pages;
};

struct recode {
	struct cmd_native *n;
	struct cmd_output *out;
	struct save_result *result;
	struct cmd_progress progress;
	struct cmd_emit e;
	uint32_t page, block_frames;
	bool resuming;
	uint64_t nr_kept_bad, nr_made_lost, meta_end;
	bool has_end;
	struct dfmt_fmt_end end;
	uint8_t *in; /* a segment of the source */
	/* The group. */
	struct member *group;
	uint32_t nr_group, group_runs;
	uint64_t group_data;
	/* Its work. */
	struct dfmt_writer_codec codec;
	uint8_t *raw;		   /* its data frames, expanded */
	uint8_t *coded;		   /* blocks, one behind each room for one */
	uint8_t *segment;	   /* what is written */
	struct dfmt_fmt_run *runs; /* GROUP_RUNS */
	uint32_t nr_runs, nr_data;
	struct dfmt_fmt_block *blocks;
	void *states[MAX_THREADS];
	uint32_t nr_threads;
};

void save_group_init(struct recode *r, int level);
void save_group_fini(struct recode *r);

/* Re-codes and writes the group; nothing when it is empty. */
enum cmd_status save_group_flush(struct recode *r, struct cmd_error *err);

/* A pages segment as it is; counted in the tally. */
enum cmd_status save_carry_pages(struct recode *r, const struct cmd_seg *from,
	struct cmd_tally *tally, struct cmd_error *err);

#endif
