/* SPDX-License-Identifier: MIT */
/*
 * Labelling a device, a partition or a file as a place for dumps, and taking
 * that back.  The only bytes ever written are the two labels and the first
 * sectors of our own segments at the places where a dump may begin.
 */
#include "cmd/dumpadm/adm.h"

#include "cmd/common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define PLACE 4096u

/* A new file with all its blocks: a panic cannot allocate any. */
static enum cmd_status
create_file(const char *path, uint64_t size, struct cmd_error *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	enum cmd_status st = CMD_OK;

	if (fd < 0)
		return cmd_fail_errno(err, CMD_FAILED, "%s: making it", path);
	errno = posix_fallocate(fd, 0, (off_t)size);
	if (errno != 0) {
		st = cmd_fail_errno(err, CMD_FAILED,
			"%s: taking the room for it", path);
		(void)unlink(path);
	}
	(void)close(fd);
	return st;
}

static enum cmd_status
open_or_create(struct cmd_device *dev, const char *path,
	const struct adm_options *opt, bool *created_out, struct cmd_error *err)
{
	bool there = access(path, F_OK) == 0;
	enum cmd_status st;

	*created_out = !there;
	*dev = (struct cmd_device){ .fd = -1 };
	if (there && opt->has_size)
		return cmd_fail(err, CMD_FAILED,
			"%s exists already: -s is for a new file", path);
	if (!there && !opt->has_size && errno == ENOENT)
		return cmd_fail(err, CMD_OPEN,
			"%s does not exist (-s SIZE makes a file)", path);
	if (!there) {
		st = create_file(path, opt->size, err);
		if (st != CMD_OK)
			return st;
	}
	return cmd_device_open(dev, path, CMD_DEVICE_EXCLUSIVE, err);
}

/* ---- may it be written? --------------------------------------------------
 */

static enum cmd_status
refuse_unsaved(const struct cmd_native *n, const struct adm_options *opt,
	struct cmd_error *err)
{
	if (opt->force || !n->labelled || !n->found || cmd_native_saved(n))
		return CMD_OK;
	return cmd_fail(err, CMD_FAILED,
		"%s holds a dump that was not saved yet (savecore saves it, "
		"--force gives it up)",
		n->dev->path);
}

static enum cmd_status
refuse_foreign(const struct cmd_native *n, const struct adm_options *opt,
	struct cmd_error *err)
{
	enum cmd_status st;
	char what[160];

	if (opt->force)
		return CMD_OK;
	if (!n->labelled && n->found)
		return cmd_fail(err, CMD_FAILED,
			"%s is a dump itself (--force overwrites it)",
			n->dev->path);
	st = adm_foreign(n->dev, what, sizeof(what), err);
	if (st == CMD_OK && what[0] != '\0')
		st = cmd_fail(err, CMD_FAILED,
			"%s holds %s (--force overwrites it)", n->dev->path,
			what);
	return st;
}

/* ---- our places ----------------------------------------------------------
 */

/* Zeros over 4096 bytes that begin with our magic. */
static enum cmd_status
wipe(const struct cmd_device *dev, uint64_t at, const char *magic,
	struct cmd_error *err)
{
	static const uint8_t zeros[PLACE];
	uint8_t found[8];

	if (!dfmt_inside(at, PLACE, dev->len) ||
		!cmd_pread_all(dev->fd, found, sizeof(found), at) ||
		memcmp(found, magic, sizeof(found)) != 0)
		return CMD_OK;
	if (!cmd_pwrite_all(dev->fd, zeros, sizeof(zeros), at))
		return cmd_fail_errno(err, CMD_FAILED, "%s: writing",
			dev->path);
	return CMD_OK;
}

/* No dump of before is found any more. */
static enum cmd_status
wipe_dumps(const struct cmd_device *dev, uint64_t range_len,
	struct cmd_error *err)
{
	enum cmd_status st = wipe(dev, range_len - DFMT_ANCHOR_FROM_END,
		DFMT_SEG_MAGIC, err);

	for (unsigned int k = 0; k < DFMT_NR_SLOTS && st == CMD_OK; k++)
		st = wipe(dev, DFMT_SLOT_OFFSET(k), DFMT_SEG_MAGIC, err);
	return st;
}

static enum cmd_status
make_label(struct dfmt_label *label, const struct cmd_device *dev,
	const struct adm_options *opt, struct cmd_error *err)
{
	*label = (struct dfmt_label){
		.range_len = dev->len / PLACE * PLACE,
		.sector_len = opt->sector ? opt->sector : dev->sector,
		.overwrite = opt->overwrite,
		.change = 1,
		.created_sec = (uint64_t)time(NULL),
	};
	if (getrandom(label->uuid, sizeof(label->uuid), 0) !=
		(ssize_t)sizeof(label->uuid))
		return cmd_fail_errno(err, CMD_FAILED, "random numbers");
	/* Version 4 and its variant, as RFC 9562 has random ones. */
	label->uuid[6] = (uint8_t)(0x40 | (label->uuid[6] & 0x0f));
	label->uuid[8] = (uint8_t)(0x80 | (label->uuid[8] & 0x3f));
	if (opt->purpose != NULL)
		(void)snprintf(label->purpose, sizeof(label->purpose), "%s",
			opt->purpose);
	return CMD_OK;
}

static enum cmd_status
write_label(const struct cmd_device *dev, const struct dfmt_label *label,
	struct cmd_error *err)
{
	struct dfmt_err why = { 0 };

	if (dfmt_label_write(dev->fd, label, &why) != DFMT_OK)
		return cmd_fail_dfmt(err, CMD_FAILED, dev->path, &why);
	return CMD_OK;
}

static void
say_labelled(const struct cmd_device *dev, const struct dfmt_label *label)
{
	char id[CMD_ID_TEXT], size[CMD_SIZE_TEXT];

	(void)printf("%s is a dump device of %s, uuid %s\n", dev->path,
		cmd_size_text(label->range_len, size),
		cmd_id_text(label->uuid, id));
}

static enum cmd_status
label_device(const struct cmd_device *dev, const struct adm_options *opt,
	struct cmd_error *err)
{
	struct dfmt_label label = { 0 };
	struct cmd_native n = { 0 };
	enum cmd_status st = cmd_native_open(&n, dev, err);

	if (st == CMD_OK && dev->len < DFMT_MIN_RANGE)
		st = cmd_fail(err, CMD_FAILED,
			"%s is too small for dumps: 1M at least", dev->path);
	if (st == CMD_OK && n.label_state.newer && !opt->force)
		st = cmd_fail(err, CMD_FAILED,
			"%s has a label of a later version (--force "
			"overwrites it)",
			dev->path);
	if (st == CMD_OK)
		st = refuse_unsaved(&n, opt, err);
	if (st == CMD_OK)
		st = refuse_foreign(&n, opt, err);
	if (st == CMD_OK)
		st = make_label(&label, dev, opt, err);
	if (st == CMD_OK)
		st = wipe_dumps(dev, label.range_len, err);
	if (st == CMD_OK)
		st = write_label(dev, &label, err);
	if (st == CMD_OK)
		say_labelled(dev, &label);
	return st;
}

enum cmd_status
adm_label(const char *path, const struct adm_options *opt,
	struct cmd_error *err)
{
	struct cmd_device dev;
	bool created;
	enum cmd_status st;

	if (opt->purpose != NULL && strlen(opt->purpose) > 64)
		return cmd_fail(err, CMD_OPEN,
			"the purpose is longer than 64 bytes");
	if (opt->has_size && opt->size < DFMT_MIN_RANGE)
		return cmd_fail(err, CMD_OPEN, "-s: 1M at least");
	if (opt->sector && !opt->has_size)
		return cmd_fail(err, CMD_OPEN,
			"-b: only with -s; a device says it itself");
	st = open_or_create(&dev, path, opt, &created, err);
	if (st == CMD_OK)
		st = label_device(&dev, opt, err);
	cmd_device_close(&dev);
	if (st != CMD_OK && created && opt->has_size)
		(void)unlink(path);
	return st;
}

/* ---- clear ---------------------------------------------------------------
 */

static enum cmd_status
clear_device(const struct cmd_device *dev, const struct adm_options *opt,
	struct cmd_error *err)
{
	struct cmd_native n = { 0 };
	enum cmd_status st = cmd_native_open(&n, dev, err);
	uint64_t range;

	if (st != CMD_OK)
		return st;
	if (!n.label_state.magic || dev->len < DFMT_MIN_RANGE)
		return cmd_fail(err, CMD_FAILED, "%s has no label", dev->path);
	st = refuse_unsaved(&n, opt, err);
	range = n.labelled ? dfmt_min(n.label.range_len, dev->len)
			   : dev->len / PLACE * PLACE;
	if (st == CMD_OK)
		st = wipe_dumps(dev, range, err);
	if (st == CMD_OK)
		st = wipe(dev, range - PLACE, DFMT_LABEL_MAGIC, err);
	if (st == CMD_OK)
		st = wipe(dev, 0, DFMT_LABEL_MAGIC, err);
	if (st == CMD_OK && fsync(dev->fd) != 0)
		st = cmd_fail_errno(err, CMD_FAILED, "%s: making it stable",
			dev->path);
	return st;
}

enum cmd_status
adm_clear(const char *path, const struct adm_options *opt,
	struct cmd_error *err)
{
	struct cmd_device dev;
	enum cmd_status st =
		cmd_device_open(&dev, path, CMD_DEVICE_EXCLUSIVE, err);

	if (st == CMD_OK)
		st = clear_device(&dev, opt, err);
	cmd_device_close(&dev);
	return st;
}
