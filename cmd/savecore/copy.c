/* SPDX-License-Identifier: MIT */
/*
 * The plain copy: segments go to the same offsets in the file as they had from
 * the dump's base, byte for byte, so that the writer's own index stays right.
 * A part that an earlier run left is believed as far as its headers are those
 * of the device and all its CRCs are right.
 */
#include "cmd/savecore/save.h"

#include "mdb/base/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define QUIET_SEC 60

struct copy {
	struct cmd_native *n;
	struct cmd_output *out;
	struct save_result *result;
	struct cmd_progress progress;
	uint8_t *buf;
	bool resuming;
	bool bad_index; /* an index segment is damaged */
	uint64_t meta_end;
	struct cmd_seg last;
	bool has_end;
	struct dfmt_fmt_end end; /* the writer's, or ours */
};

/* The segment is in the part already, with the same header, undamaged. */
static bool
part_has(struct copy *c, const struct cmd_seg *seg)
{
	struct cmd_tally tally = c->result->tally;
	uint8_t header[DFMT_SEG_HEADER_LEN];

	if (!cmd_pread_all(c->n->dev->fd, header, sizeof(header),
		    c->n->base + seg->offset) ||
		!cmd_pread_all(c->out->fd, c->buf, seg->total_len,
			seg->offset) ||
		memcmp(c->buf, header, sizeof(header)) != 0)
		return false;
	cmd_seg_check(&c->n->crc, seg, c->buf, &tally);
	if (tally.n.nr_bad_segments > tally.before.nr_bad_segments ||
		tally.n.nr_bad_blocks > tally.before.nr_bad_blocks)
		return false;
	c->result->tally = tally;
	c->result->resumed += seg->total_len;
	return true;
}

/*
 * What is behind the place where the part ceases to be the dump goes; so does
 * what the part has in a gap of the device, as nothing tells what it is.
 */
static enum cmd_status
resume(struct copy *c, const struct cmd_seg *seg, uint64_t gap,
	struct cmd_error *err)
{
	c->resuming = gap == 0 && part_has(c, seg);
	if (!c->resuming &&
		ftruncate(c->out->fd, (off_t)(seg->offset - gap)) != 0)
		return cmd_fail_errno(err, CMD_FAILED, "%s/%s", c->out->dir,
			c->out->part);
	return CMD_OK;
}

static void
note_end(struct copy *c, const struct cmd_seg *seg)
{
	if (seg->type != DFMT_SEG_END || seg->payload_len < sizeof(c->end))
		return;
	c->has_end = true;
	memcpy(&c->end, c->buf + seg->header_len, sizeof(c->end));
}

static enum cmd_status
copy_segment(struct copy *c, const struct cmd_seg *seg, uint64_t gap,
	struct cmd_error *err)
{
	const struct cmd_tally *tally = &c->result->tally;
	uint64_t got;
	enum cmd_status st = CMD_OK;

	if (c->resuming)
		st = resume(c, seg, gap, err);
	if (!c->resuming && st == CMD_OK) {
		got = cmd_native_read(c->n, seg, c->buf);
		c->result->cut = got < seg->total_len;
		cmd_seg_check(&c->n->crc, seg, c->buf, &c->result->tally);
		st = cmd_output_write(c->out, c->buf, (size_t)got, seg->offset,
			err);
	}
	if (tally->n.nr_bad_segments > tally->before.nr_bad_segments) {
		c->bad_index |= seg->type == DFMT_SEG_INDEX ||
				seg->type == DFMT_SEG_END;
	} else {
		note_end(c, seg);
	}
	if (seg->type <= DFMT_SEG_BLOB)
		c->meta_end = seg->offset + seg->total_len;
	return st;
}

static enum cmd_status
copy_all(struct copy *c, struct cmd_error *err)
{
	enum cmd_status st = CMD_OK;
	struct cmd_seg seg;
	uint64_t gap, lost;

	for (bool any = cmd_native_next(c->n, NULL, &seg, &gap, &lost);
		any && st == CMD_OK;
		any = cmd_native_next(c->n, &c->last, &seg, &gap, &lost)) {
		c->result->nr_gaps += gap != 0;
		c->result->gap_bytes += gap;
		c->result->nr_lost_segments += lost;
		st = copy_segment(c, &seg, gap, err);
		c->last = seg;
		cmd_progress_set(&c->progress, seg.offset + seg.total_len);
	}
	return st;
}

/* A file that nobody wrote to for a while is not being written. */
static bool
is_quiet(const struct cmd_device *dev)
{
	struct stat info;

	return !dev->block && fstat(dev->fd, &info) == 0 &&
	       info.st_mtime + QUIET_SEC < time(NULL);
}

/* The dump as it is now: there is more of it, or it is another one. */
static bool
has_changed(const struct cmd_native *n, const struct cmd_seg *last)
{
	struct cmd_device dev = *n->dev;
	off_t end = lseek(dev.fd, 0, SEEK_END);
	struct cmd_native now;
	struct cmd_error ignored;
	struct cmd_seg seg;
	uint64_t gap, lost;

	if (end >= 0)
		dev.len = (uint64_t)end;
	if (cmd_native_open(&now, &dev, &ignored) != CMD_OK)
		return false;
	return now.has_end || now.found != n->found || dev.len != n->dev->len ||
	       memcmp(now.triage.id, n->triage.id, DFMT_ID_LEN) != 0 ||
	       cmd_native_next(&now, last, &seg, &gap, &lost);
}

bool
save_growing(const struct cmd_native *n, const struct cmd_seg *last)
{
	const struct timespec pause = { .tv_nsec = 100000000 };

	for (unsigned int i = 0; i < 10 && !is_quiet(n->dev); i++) {
		if (has_changed(n, last))
			return true;
		(void)nanosleep(&pause, NULL);
	}
	return false;
}

/* The index and end record that the dump does not have. */
static enum cmd_status
add_index(struct copy *c, struct cmd_error *err)
{
	uint64_t at = c->last.offset + c->last.total_len;
	uint64_t seq = c->last.seq + 1;
	struct cmd_emit e;
	enum cmd_status st;

	cmd_emit_init(&e, c->out, c->n->triage.id, c->n->align);
	e.written_crc = c->result->tally.crc;
	if (c->has_end && c->end.appended == 0)
		c->end.appended = at;
	if (!c->has_end)
		save_end_made_up(&c->end, &c->result->tally.n, c->meta_end,
			c->n->page_shift);
	st = save_reindex(&e, seq, (at + e.align - 1) / e.align * e.align,
		&c->end, err);
	c->result->len = e.at;
	c->result->crc = e.written_crc;
	c->result->reindexed = true;
	cmd_emit_fini(&e);
	return st;
}

enum cmd_status
save_copy(struct cmd_native *n, struct cmd_output *out,
	const struct save_options *opt, struct save_result *result_out,
	struct cmd_error *err)
{
	struct copy c = {
		.n = n,
		.out = out,
		.result = result_out,
		.resuming = out->resumed,
	};
	enum cmd_status st;

	*result_out = (struct save_result){ 0 };
	c.buf = mdb_xalloc(DFMT_SEGMENT_MAX);
	cmd_progress_start(&c.progress, "saving",
		n->has_end ? n->end_len : n->limit, opt->verbose);
	st = copy_all(&c, err);
	cmd_progress_end(&c.progress, c.last.offset + c.last.total_len);
	free(c.buf);
	result_out->has_end = c.has_end;
	result_out->end_status = c.end.status;
	result_out->nr_read_errors = n->nr_read_errors;
	result_out->nr_kept_bad = result_out->tally.n.nr_bad_segments;
	result_out->nr_bad_blocks = result_out->tally.n.nr_bad_blocks;
	result_out->crc = result_out->tally.crc;
	result_out->len = c.last.offset + c.last.total_len;
	if (st == CMD_OK && !c.has_end && !opt->no_wait)
		result_out->growing = save_growing(n, &c.last);
	if (st == CMD_OK && result_out->growing && !opt->force)
		return CMD_OK;
	result_out->no_end = n->encrypted && !c.has_end;
	/* Of one that is encrypted nobody here knows what would be in it. */
	if (st == CMD_OK && !n->encrypted &&
		(!c.has_end || c.bad_index ||
			(c.end.flags & DFMT_END_INDEXED) == 0))
		st = add_index(&c, err);
	return st;
}
