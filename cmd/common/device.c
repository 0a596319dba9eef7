/* SPDX-License-Identifier: MIT */
/* Devices and files with dumps in them.  See device.h. */
#include "cmd/common/device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static enum cmd_status
open_failed(const char *path, struct cmd_error *err)
{
	if (errno == EBUSY)
		return cmd_fail(err, CMD_OPEN,
			"%s is in use (mounted, swapped to, or part of another "
			"device)",
			path);
	return cmd_fail_errno(err, CMD_OPEN, "%s", path);
}

/* A regular file may be shared with whoever reads it: O_EXCL is for blocks. */
static int
open_flags(enum cmd_device_mode mode, bool block)
{
	int flags = O_CLOEXEC | (mode == CMD_DEVICE_READ ? O_RDONLY : O_RDWR);

	return mode == CMD_DEVICE_EXCLUSIVE && block ? flags | O_EXCL : flags;
}

static enum cmd_status
measure(struct cmd_device *dev, struct cmd_error *err)
{
	int sector = 512;
	off_t end = lseek(dev->fd, 0, SEEK_END);

	if (end < 0)
		return cmd_fail_errno(err, CMD_OPEN, "%s: its length",
			dev->path);
	dev->len = (uint64_t)end;
	dev->sector = 512;
	if (dev->block && ioctl(dev->fd, BLKSSZGET, &sector) != 0)
		return cmd_fail_errno(err, CMD_OPEN, "%s: its sector size",
			dev->path);
	if (sector > 512)
		dev->sector = 4096;
	return CMD_OK;
}

enum cmd_status
cmd_device_open(struct cmd_device *dev, const char *path,
	enum cmd_device_mode mode, struct cmd_error *err)
{
	enum cmd_status st;
	struct stat info;

	*dev = (struct cmd_device){ .path = path, .fd = -1 };
	if (stat(path, &info) != 0)
		return cmd_fail_errno(err, CMD_OPEN, "%s", path);
	dev->block = S_ISBLK(info.st_mode);
	if (!dev->block && !S_ISREG(info.st_mode))
		return cmd_fail(err, CMD_OPEN,
			"%s is neither a block device nor a regular file",
			path);
	dev->read_only = mode == CMD_DEVICE_READ;
	dev->fd = open(path, open_flags(mode, dev->block));
	if (dev->fd < 0)
		return open_failed(path, err);
	st = measure(dev, err);
	if (st != CMD_OK)
		cmd_device_close(dev);
	return st;
}

void
cmd_device_close(struct cmd_device *dev)
{
	if (dev->fd >= 0)
		(void)close(dev->fd);
	dev->fd = -1;
}

bool
cmd_pread_all(int fd, void *buf, size_t len, uint64_t off)
{
	char *p = buf;

	while (len > 0) {
		ssize_t n = pread(fd, p, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n == 0 ? 0 : errno;
			return false;
		}
		p += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return true;
}

bool
cmd_pwrite_all(int fd, const void *buf, size_t len, uint64_t off)
{
	const char *p = buf;

	while (len > 0) {
		ssize_t n = pwrite(fd, p, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return true;
}
