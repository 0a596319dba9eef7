/* SPDX-License-Identifier: MIT */
/*
 * One group of pages segments: expanded, its runs joined, its frames put into
 * larger blocks, these compressed by all CPUs, and written as one segment.
 */
#include "cmd/savecore/recode.h"

#include "cmd/common/zstd.h"
#include "dfmt-codec.h"
#include "mdb/base/alloc.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RUN_LEN ((size_t)sizeof(struct dfmt_fmt_run))
#define BLOCK_LEN ((size_t)sizeof(struct dfmt_fmt_block))
#define HEAD_LEN ((size_t)sizeof(struct dfmt_fmt_pages))

void
save_group_init(struct recode *r, int level)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	r->nr_threads = cpus < 1		   ? 1
			: cpus > (long)MAX_THREADS ? MAX_THREADS
						   : (uint32_t)cpus;
	r->codec = cmd_zstd_codec(level);
	r->in = mdb_xalloc(DFMT_SEGMENT_MAX);
	r->group = mdb_xarray(GROUP_SEGMENTS, sizeof(*r->group));
	r->raw = mdb_xalloc(GROUP_LEN);
	r->coded = mdb_xalloc(GROUP_LEN);
	r->runs = mdb_xarray(GROUP_RUNS, RUN_LEN);
	r->blocks = mdb_xarray(GROUP_LEN / 4096, BLOCK_LEN);
	r->segment = mdb_xalloc(
		DFMT_SEG_HEADER_LEN + HEAD_LEN + GROUP_RUNS * RUN_LEN +
		GROUP_LEN / 4096 * BLOCK_LEN + GROUP_LEN + DFMT_ALIGN_MAX);
	for (uint32_t i = 0; i < r->nr_threads; i++)
		r->states[i] = mdb_xalloc(r->codec.state_len);
}

void
save_group_fini(struct recode *r)
{
	free(r->in);
	free(r->group);
	free(r->raw);
	free(r->coded);
	free(r->runs);
	free(r->blocks);
	free(r->segment);
	for (uint32_t i = 0; i < r->nr_threads; i++)
		free(r->states[i]);
}

/* ---- expanding -----------------------------------------------------------
 */

static enum dfmt_codec
codec_of(uint16_t id)
{
	return id == DFMT_FMT_LZ4    ? DFMT_CODEC_LZ4
	       : id == DFMT_FMT_ZSTD ? DFMT_CODEC_ZSTD
				     : DFMT_CODEC_STORED;
}

static bool
expand_block(struct recode *r, const struct cmd_pages *p, uint32_t i,
	uint8_t *out)
{
	struct cmd_block b = cmd_pages_block(p, i);
	const uint8_t *data = cmd_pages_data(p, &b);

	return data != NULL && b.codec <= DFMT_FMT_ZSTD &&
	       dfmt_crc32c(&r->n->crc, data, b.len) == b.crc &&
	       dfmt_codec_expand(codec_of(b.codec), data, b.len, out,
		       (size_t)b.nr_frames * r->page) == DFMT_OK;
}

/* The number of the block that holds data frame i of the segment. */
static uint32_t
block_of(const struct cmd_pages *p, uint32_t i)
{
	return p->block_frames == 0 ? 0 : i / p->block_frames;
}

/* ---- runs ----------------------------------------------------------------
 */

/* Does a run go on with the one before it? Then it is part of that one. */
static bool
run_join(struct dfmt_fmt_run *last, uint64_t rel, uint32_t count, uint32_t kind,
	uint64_t arg)
{
	uint32_t had = last->count & DFMT_RUN_COUNT_MASK;
	bool moves = kind == DFMT_RUN_DATA || kind == DFMT_RUN_REPEAT;

	if (last->count >> DFMT_RUN_KIND_SHIFT != kind ||
		last->rel + (uint64_t)had != rel ||
		last->arg + (moves ? had : 0) != arg ||
		had + (uint64_t)count > DFMT_RUN_COUNT_MASK)
		return false;
	last->count += count;
	return true;
}

static void
run_add(struct recode *r, uint64_t pfn, uint32_t count, uint32_t kind,
	uint64_t arg)
{
	uint64_t rel = pfn - r->group[0].pages.first_pfn;

	if (r->nr_runs > 0 &&
		run_join(&r->runs[r->nr_runs - 1], rel, count, kind, arg))
		return;
	if (r->nr_runs == GROUP_RUNS)
		return;
	r->runs[r->nr_runs++] = (struct dfmt_fmt_run){
		.rel = (uint32_t)rel,
		.count = count | kind << DFMT_RUN_KIND_SHIFT,
		.arg = arg,
	};
}

/* A frame of a block: kept, or lost with its block. */
static void
data_frame(struct recode *r, const struct cmd_pages *p, uint64_t pfn,
	uint64_t i, const uint8_t *bytes, const bool *bad)
{
	if (i >= p->nr_data || bad[block_of(p, (uint32_t)i)]) {
		run_add(r, pfn, 1, DFMT_RUN_LOST, 0);
		r->nr_made_lost++;
		return;
	}
	run_add(r, pfn, 1, DFMT_RUN_DATA, r->nr_data);
	memcpy(r->raw + (size_t)r->nr_data++ * r->page, bytes + i * r->page,
		r->page);
}

static void
add_runs(struct recode *r, const struct cmd_pages *p, const uint8_t *bytes,
	const bool *bad)
{
	uint64_t end = 0;

	for (uint32_t i = 0; i < p->nr_runs; i++) {
		struct cmd_run run = cmd_pages_run(p, i);
		uint64_t pfn = p->first_pfn + run.rel;

		/* What contradicts the head is not carried over. */
		if (run.rel < end || run.kind > DFMT_RUN_LOST ||
			run.rel + (uint64_t)run.count >
				p->last_pfn - p->first_pfn + 1)
			continue;
		end = run.rel + (uint64_t)run.count;
		if (run.kind != DFMT_RUN_DATA && run.count > 0)
			run_add(r, pfn, run.count, run.kind, run.arg);
		for (uint32_t k = 0;
			run.kind == DFMT_RUN_DATA && k < run.count &&
			r->nr_data < GROUP_LEN / r->page;
			k++)
			data_frame(r, p, pfn + k, run.arg + k, bytes, bad);
	}
}

/* Blocks must lie one behind the other as the format says. */
static bool
blocks_fit(const struct cmd_pages *p, uint32_t page)
{
	uint64_t frames = 0;

	for (uint32_t i = 0; i < p->nr_blocks; i++) {
		struct cmd_block b = cmd_pages_block(p, i);

		if (b.nr_frames > p->block_frames ||
			(i + 1 < p->nr_blocks &&
				b.nr_frames != p->block_frames))
			return false;
		frames += b.nr_frames;
	}
	return frames == p->nr_data && frames * page <= GROUP_LEN;
}

/* Expands one member of the group behind what is there. */
static bool
add_member(struct recode *r, const struct member *m)
{
	const uint8_t *payload = r->in + m->seg.header_len;
	struct cmd_tally *tally = &r->result->tally;
	struct cmd_pages p;
	uint8_t *bytes;
	bool *bad;

	(void)cmd_native_read(r->n, &m->seg, r->in);
	cmd_seg_check(&r->n->crc, &m->seg, r->in, tally);
	if (tally->n.nr_bad_segments > tally->before.nr_bad_segments ||
		!cmd_pages_parse(payload, m->seg.payload_len, &p) ||
		!blocks_fit(&p, r->page))
		return false;
	bytes = mdb_xalloc((size_t)p.nr_data * r->page + 1);
	bad = mdb_xarray(p.nr_blocks + 1, sizeof(*bad));
	bad[p.nr_blocks] = true;
	for (uint32_t i = 0; i < p.nr_blocks; i++)
		bad[i] = !expand_block(r, &p, i,
			bytes + (size_t)i * p.block_frames * r->page);
	add_runs(r, &p, bytes, bad);
	free(bytes);
	free(bad);
	return true;
}

/* ---- compressing ---------------------------------------------------------
 */

struct job {
	struct recode *r;
	atomic_uint next;
	uint32_t nr_blocks;
	uint32_t index; /* of a thread's state */
	atomic_uint nr_threads;
};

static void
compress_block(struct recode *r, uint32_t i, void *state)
{
	size_t block = (size_t)r->block_frames * r->page;
	size_t all = (size_t)r->nr_data * r->page;
	size_t len = i * block + block <= all ? block : all - i * block;
	uint8_t *out = r->coded + i * block;
	size_t n = r->codec.compress(state, r->raw + i * block, len, out,
		len - len / 32);

	if (n == 0)
		memcpy(out, r->raw + i * block, len);
	r->blocks[i] = (struct dfmt_fmt_block){
		.len = (uint32_t)(n == 0 ? len : n),
		.codec = n == 0 ? DFMT_FMT_STORED : DFMT_FMT_ZSTD,
		.nr_frames = (uint16_t)(len / r->page),
	};
	r->blocks[i].crc = dfmt_crc32c(&r->e.crc, out, r->blocks[i].len);
}

static void *
work(void *arg)
{
	struct job *job = arg;
	void *state = job->r->states[atomic_fetch_add(&job->nr_threads, 1)];
	uint32_t i;

	while ((i = atomic_fetch_add(&job->next, 1)) < job->nr_blocks)
		compress_block(job->r, i, state);
	return NULL;
}

static uint32_t
compress(struct recode *r)
{
	struct job job = { .r = r };
	pthread_t threads[MAX_THREADS];
	uint32_t nr = 0;

	job.nr_blocks = (r->nr_data + r->block_frames - 1) / r->block_frames;
	while (nr + 1 < r->nr_threads && nr + 1 < job.nr_blocks &&
		pthread_create(&threads[nr], NULL, work, &job) == 0)
		nr++;
	(void)work(&job);
	while (nr > 0)
		(void)pthread_join(threads[--nr], NULL);
	return job.nr_blocks;
}

/* ---- writing -------------------------------------------------------------
 */

/* Lays head, runs, blocks and data out behind the header; the payload's len. */
static size_t
lay_out(struct recode *r, uint32_t nr_blocks, struct dfmt_fmt_pages *head,
	uint32_t *tables_out)
{
	uint8_t *p = r->segment + DFMT_SEG_HEADER_LEN;
	size_t tables = HEAD_LEN + r->nr_runs * RUN_LEN + nr_blocks * BLOCK_LEN;
	size_t data = 0, block = (size_t)r->block_frames * r->page;

	for (uint32_t i = 0; i < nr_blocks; i++) {
		r->blocks[i].off = (uint32_t)data;
		memcpy(p + tables + data, r->coded + i * block,
			r->blocks[i].len);
		data += r->blocks[i].len;
	}
	for (uint32_t i = 0; i < r->nr_runs; i++)
		head->nr_frames += r->runs[i].count & DFMT_RUN_COUNT_MASK;
	head->nr_runs = r->nr_runs;
	head->nr_blocks = nr_blocks;
	head->nr_data = r->nr_data;
	head->data_off = (uint32_t)tables;
	head->block_frames = r->block_frames;
	memcpy(p, head, HEAD_LEN);
	memcpy(p + HEAD_LEN, r->runs, r->nr_runs * RUN_LEN);
	memcpy(p + HEAD_LEN + r->nr_runs * RUN_LEN, r->blocks,
		nr_blocks * BLOCK_LEN);
	*tables_out = (uint32_t)tables;
	return tables + data;
}

static enum cmd_status
index_segment(struct recode *r, const struct cmd_seg *seg,
	const struct dfmt_fmt_pages *head, struct cmd_error *err)
{
	struct cmd_entry entry = {
		.first_pfn = head->first_pfn,
		.last_pfn = head->last_pfn,
		.offset = seg->offset,
		.total_len = (uint32_t)seg->total_len,
		.nr_frames = head->nr_frames,
	};

	return cmd_emit_index(&r->e, head->class, &entry, err);
}

static enum cmd_status
emit(struct recode *r, struct cmd_error *err)
{
	struct dfmt_fmt_pages head = {
		.first_pfn = r->group[0].pages.first_pfn,
		.last_pfn = r->group[r->nr_group - 1].pages.last_pfn,
		.class = r->group[0].pages.class,
	};
	struct cmd_seg seg = { .type = DFMT_SEG_PAGES };
	uint32_t nr_blocks = compress(r);
	enum cmd_status st;

	seg.payload_len = lay_out(r, nr_blocks, &head, &seg.crc_len);
	seg.raw_len = (uint64_t)r->nr_data * r->page;
	st = cmd_emit_segment(&r->e, &seg, r->segment, err);
	return st == CMD_OK ? index_segment(r, &seg, &head, err) : st;
}

static void
add_counts(struct cmd_counts *to, const struct cmd_counts *from)
{
	to->nr_segments += from->nr_segments;
	to->nr_data += from->nr_data;
	to->nr_fill += from->nr_fill;
	to->nr_repeat += from->nr_repeat;
	to->nr_lost += from->nr_lost;
	for (size_t i = 0; i < 8; i++)
		to->nr_class[i] += from->nr_class[i];
}

/*
 * The part has the group's segment already: at this place, with this number,
 * of these frames, and every CRC in it is right.
 */
static bool
part_has(struct recode *r, struct cmd_seg *seg, struct dfmt_fmt_pages *head)
{
	const struct cmd_pages *first = &r->group[0].pages;
	const struct cmd_pages *last = &r->group[r->nr_group - 1].pages;
	struct cmd_tally tally = { 0 };
	uint32_t nr_frames = 0;
	uint8_t bytes[DFMT_SEG_HEADER_LEN];

	for (uint32_t i = 0; i < r->nr_group; i++)
		nr_frames += r->group[i].pages.nr_frames;
	if (!cmd_pread_all(r->out->fd, bytes, sizeof(bytes), r->e.at) ||
		!cmd_seg_decode(&r->e.crc, bytes, r->e.at, seg) ||
		seg->type != DFMT_SEG_PAGES || seg->seq != r->e.seq ||
		memcmp(seg->id, r->e.id, DFMT_ID_LEN) != 0 ||
		!cmd_pread_all(r->out->fd, r->in, seg->total_len, r->e.at))
		return false;
	cmd_seg_check(&r->e.crc, seg, r->in, &tally);
	memcpy(head, r->in + seg->header_len, sizeof(*head));
	if (tally.n.nr_bad_segments + tally.n.nr_bad_blocks != 0 ||
		head->first_pfn != first->first_pfn ||
		head->last_pfn != last->last_pfn ||
		head->nr_frames != nr_frames ||
		head->block_frames != r->block_frames)
		return false;
	r->e.written_crc = dfmt_crc32c_more(&r->e.crc, r->e.written_crc, r->in,
		seg->total_len);
	r->e.at += seg->total_len;
	r->e.seq++;
	r->result->resumed += seg->total_len;
	add_counts(&r->result->tally.n, &tally.n);
	return true;
}

enum cmd_status
save_carry_pages(struct recode *r, const struct cmd_seg *from,
	struct cmd_tally *tally, struct cmd_error *err)
{
	uint64_t got = cmd_native_read(r->n, from, r->in);
	struct cmd_seg seg = *from;
	struct dfmt_fmt_pages head;
	enum cmd_status st;
	bool bad;

	r->result->cut = got < from->total_len;
	cmd_seg_check(&r->n->crc, from, r->in, tally);
	bad = tally->n.nr_bad_segments > tally->before.nr_bad_segments;
	r->nr_kept_bad += bad;
	r->result->nr_bad_blocks +=
		tally->n.nr_bad_blocks - tally->before.nr_bad_blocks;
	memmove(r->in + DFMT_SEG_HEADER_LEN, r->in + seg.header_len,
		seg.payload_len);
	memcpy(&head, r->in + DFMT_SEG_HEADER_LEN, sizeof(head));
	seg.total_len = 0;
	r->e.keep_crc = true;
	st = cmd_emit_segment(&r->e, &seg, r->in, err);
	r->e.keep_crc = false;
	if (st == CMD_OK && !bad && seg.type_version == 0 &&
		head.first_pfn <= head.last_pfn &&
		head.class < CMD_INDEX_CLASSES)
		st = index_segment(r, &seg, &head, err);
	return st;
}

/* A group that cannot be re-coded; its segments were counted. */
static enum cmd_status
carry_group(struct recode *r, struct cmd_error *err)
{
	enum cmd_status st = CMD_OK;

	for (uint32_t i = 0; i < r->nr_group && st == CMD_OK; i++) {
		struct cmd_tally tally = { 0 };

		st = save_carry_pages(r, &r->group[i].seg, &tally, err);
	}
	return st;
}

static enum cmd_status
flush(struct recode *r, struct cmd_error *err)
{
	struct dfmt_fmt_pages head;
	struct cmd_seg seg;
	uint64_t lost = r->nr_made_lost;
	bool whole = true;

	if (r->resuming) {
		r->resuming = part_has(r, &seg, &head);
		if (r->resuming)
			return index_segment(r, &seg, &head, err);
		if (ftruncate(r->out->fd, (off_t)r->e.at) != 0)
			return cmd_fail_errno(err, CMD_FAILED, "%s/%s",
				r->out->dir, r->out->part);
	}
	r->nr_runs = r->nr_data = 0;
	for (uint32_t i = 0; i < r->nr_group; i++)
		whole = add_member(r, &r->group[i]) && whole;
	if (whole)
		return emit(r, err);
	r->nr_made_lost = lost;
	return carry_group(r, err);
}

enum cmd_status
save_group_flush(struct recode *r, struct cmd_error *err)
{
	enum cmd_status st = CMD_OK;

	if (r->nr_group > 0)
		st = flush(r, err);
	r->nr_group = r->group_runs = 0;
	r->group_data = 0;
	return st;
}
