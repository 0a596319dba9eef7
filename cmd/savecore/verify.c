/* SPDX-License-Identifier: MIT */
/*
 * The check before a device is marked as saved: the file is read back from the
 * disk, every segment header, table and block is checked, and the whole must
 * be the bytes that were meant to be written.
 */
#include "cmd/savecore/save.h"

#include "mdb/base/alloc.h"

#include <fcntl.h>
#include <stdlib.h>

static enum cmd_status
differs(const struct cmd_output *out, const char *what, struct cmd_error *err)
{
	return cmd_fail(err, CMD_FAILED,
		"%s/%s is not what was written to it: %s", out->dir, out->part,
		what);
}

static enum cmd_status
judge(const struct cmd_output *out, const struct cmd_native *n,
	const struct save_result *r, const struct cmd_tally *t,
	struct cmd_error *err)
{
	if (n->nr_read_errors != 0)
		return differs(out, "it cannot be read back", err);
	if (!r->no_end && (!n->has_end || n->end_len != r->len))
		return differs(out, "it has no end record", err);
	if (t->n.nr_bad_segments != r->nr_kept_bad)
		return differs(out, "a segment's CRC is wrong", err);
	if (t->n.nr_bad_blocks != r->nr_bad_blocks)
		return differs(out, "a block's CRC is wrong", err);
	if (!r->any_bytes && t->crc != r->crc)
		return differs(out, "its bytes are others", err);
	return CMD_OK;
}

enum cmd_status
save_verify(const struct cmd_output *out, const struct save_options *opt,
	const struct save_result *result, struct cmd_error *err)
{
	struct cmd_device part = {
		.path = out->part,
		.fd = out->fd,
		.len = result->len,
	};
	struct cmd_tally tally = { 0 };
	struct cmd_progress progress;
	struct cmd_native n;
	struct cmd_seg seg, prev;
	uint64_t gap, lost;
	uint8_t *buf = mdb_xalloc(DFMT_SEGMENT_MAX);
	enum cmd_status st;

	(void)posix_fadvise(out->fd, 0, 0, POSIX_FADV_DONTNEED);
	cmd_progress_start(&progress, "checking", result->len, opt->verbose);
	st = cmd_native_open(&n, &part, err);
	for (bool any = st == CMD_OK &&
			cmd_native_next(&n, NULL, &seg, &gap, &lost);
		any; any = cmd_native_next(&n, &prev, &seg, &gap, &lost)) {
		(void)cmd_native_read(&n, &seg, buf);
		cmd_seg_check(&n.crc, &seg, buf, &tally);
		prev = seg;
		cmd_progress_set(&progress, seg.offset + seg.total_len);
	}
	cmd_progress_end(&progress, result->len);
	free(buf);
	return st == CMD_OK ? judge(out, &n, result, &tally, err) : st;
}
