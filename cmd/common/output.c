/* SPDX-License-Identifier: MIT */
/* Files that appear whole or not at all.  See output.h. */
#include "cmd/common/output.h"

#include "cmd/common/device.h"
#include "cmd/common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum cmd_status
cmd_output_open_at(struct cmd_output *out, int dir_fd, const char *dir,
	const char *name, bool resume, struct cmd_error *err)
{
	int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;

	*out = (struct cmd_output){ .fd = -1, .dir_fd = -1 };
	(void)snprintf(out->dir, sizeof(out->dir), "%s", dir);
	if (snprintf(out->name, sizeof(out->name), "%s", name) >=
		(int)sizeof(out->name) - 6)
		return cmd_fail(err, CMD_OPEN, "%s: the name is too long",
			name);
	(void)snprintf(out->part, sizeof(out->part), ".%s.part", out->name);
	out->dir_fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 3);
	out->resumed = faccessat(out->dir_fd, out->part, F_OK, 0) == 0;
	if (!resume && out->resumed) {
		(void)unlinkat(out->dir_fd, out->part, 0);
		out->resumed = false;
	}
	out->fd = openat(out->dir_fd, out->part, flags, 0600);
	if (out->fd < 0) {
		(void)cmd_fail_errno(err, CMD_OPEN, "%s/%s", dir, out->part);
		cmd_output_close(out, true);
		return CMD_OPEN;
	}
	return CMD_OK;
}

enum cmd_status
cmd_output_open(struct cmd_output *out, const char *path, bool resume,
	struct cmd_error *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;
	enum cmd_status st;
	char dir[4096];
	int fd;

	*out = (struct cmd_output){ .fd = -1, .dir_fd = -1 };
	if (slash == NULL)
		(void)snprintf(dir, sizeof(dir), ".");
	else
		(void)snprintf(dir, sizeof(dir), "%.*s",
			slash == path ? 1 : (int)(slash - path), path);
	if (*name == '\0')
		return cmd_fail(err, CMD_OPEN, "%s is a directory", path);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return cmd_fail_errno(err, CMD_OPEN, "%s", dir);
	st = cmd_output_open_at(out, fd, dir, name, resume, err);
	(void)close(fd);
	return st;
}

uint64_t
cmd_output_room(const struct cmd_output *out)
{
	struct statvfs fs;

	if (fstatvfs(out->dir_fd, &fs) != 0)
		return UINT64_MAX;
	return (uint64_t)fs.f_bavail * fs.f_frsize;
}

static enum cmd_status
no_room(const struct cmd_output *out, struct cmd_error *err)
{
	char text[CMD_SIZE_TEXT];

	return cmd_fail(err, CMD_FAILED,
		"%s: no room left for %s (%s to stay "
		"free)",
		out->dir, out->name, cmd_size_text(out->minfree, text));
}

enum cmd_status
cmd_output_write(struct cmd_output *out, const void *buf, size_t len,
	uint64_t off, struct cmd_error *err)
{
	if (out->minfree != 0 && cmd_output_room(out) < out->minfree + len)
		return no_room(out, err);
	if (cmd_pwrite_all(out->fd, buf, len, off))
		return CMD_OK;
	if (errno == ENOSPC || errno == EDQUOT)
		return no_room(out, err);
	return cmd_fail_errno(err, CMD_FAILED, "%s/%s: writing", out->dir,
		out->part);
}

enum cmd_status
cmd_output_sync(struct cmd_output *out, uint64_t len, struct cmd_error *err)
{
	if (ftruncate(out->fd, (off_t)len) != 0 || fsync(out->fd) != 0)
		return cmd_fail_errno(err, CMD_FAILED,
			"%s/%s: making it stable", out->dir, out->part);
	return CMD_OK;
}

enum cmd_status
cmd_output_rename(struct cmd_output *out, struct cmd_error *err)
{
	if (renameat(out->dir_fd, out->part, out->dir_fd, out->name) != 0)
		return cmd_fail_errno(err, CMD_FAILED, "%s/%s: renaming it",
			out->dir, out->part);
	out->part[0] = '\0';
	if (fsync(out->dir_fd) != 0)
		return cmd_fail_errno(err, CMD_FAILED,
			"%s: making %s stable in it", out->dir, out->name);
	return CMD_OK;
}

void
cmd_output_close(struct cmd_output *out, bool keep)
{
	if (out->fd >= 0 && !keep && out->part[0] != '\0')
		(void)unlinkat(out->dir_fd, out->part, 0);
	if (out->fd >= 0)
		(void)close(out->fd);
	if (out->dir_fd >= 0)
		(void)close(out->dir_fd);
	out->fd = out->dir_fd = -1;
}
