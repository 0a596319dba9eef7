/* SPDX-License-Identifier: MIT */
/*
 * The label's word that a dump was saved: the last step, after which a panic
 * may overwrite it.  Whatever changed on the device meanwhile forbids it.
 */
#include "cmd/savecore/save.h"

#include <string.h>
#include <time.h>

static bool
same_dump(const struct cmd_native *a, const struct cmd_native *b)
{
	return b->labelled && b->found && a->base == b->base &&
	       memcmp(a->triage.id, b->triage.id, DFMT_ID_LEN) == 0 &&
	       memcmp(a->label.uuid, b->label.uuid, DFMT_ID_LEN) == 0 &&
	       a->has_end == b->has_end && a->end_offset == b->end_offset;
}

static enum cmd_status
mark(const struct cmd_device *dev, const struct cmd_native *n,
	struct cmd_error *err)
{
	struct dfmt_err why = { 0 };
	struct cmd_native now;
	enum cmd_status st = cmd_native_open(&now, dev, err);

	if (st != CMD_OK)
		return st;
	if (!same_dump(n, &now))
		return cmd_fail(err, CMD_FAILED,
			"%s changed while it was read: it is not marked as "
			"saved",
			dev->path);
	memcpy(now.label.saved_id, n->triage.id, DFMT_ID_LEN);
	now.label.saved_generation = n->generation;
	now.label.saved_sec = (uint64_t)time(NULL);
	now.label.change++;
	if (dfmt_label_write(dev->fd, &now.label, &why) != DFMT_OK)
		return cmd_fail_dfmt(err, CMD_FAILED, dev->path, &why);
	return CMD_OK;
}

enum cmd_status
save_mark(const struct cmd_native *n, struct cmd_error *err)
{
	struct cmd_device dev;
	enum cmd_status st =
		cmd_device_open(&dev, n->dev->path, CMD_DEVICE_WRITE, err);

	if (st == CMD_OK)
		st = mark(&dev, n, err);
	cmd_device_close(&dev);
	return st == CMD_OK ? CMD_OK : CMD_FAILED;
}
