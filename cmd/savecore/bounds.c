/* SPDX-License-Identifier: MIT */
/*
 * Numbers of dumps in a directory: the file bounds holds the next one, the
 * file minfree how many KiB are to stay free.  Both are written by people and
 * by other systems, so neither is believed without a look at the directory.
 */
#include "cmd/savecore/save.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_MAX 64u

bool
save_bounds_parse(const char *text, size_t len, uint32_t *number_out)
{
	uint64_t value = 0;
	size_t i = 0;

	while (i < len && i < 10 && text[i] >= '0' && text[i] <= '9')
		value = value * 10 + (uint64_t)(text[i++] - '0');
	if (i == 0 || value >= INT32_MAX)
		return false;
	while (i < len && (text[i] == '\n' || text[i] == ' '))
		i++;
	if (i != len)
		return false;
	*number_out = (uint32_t)value;
	return true;
}

/* The first bytes of a small file; -1: it cannot be read. */
static ssize_t
read_small(int dir_fd, const char *name, char *text)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, text, TEXT_MAX);
	(void)close(fd);
	return n;
}

static bool
exists(int dir_fd, const char *stem, uint32_t number)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "%s.%u", stem, number);
	return faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

enum cmd_status
save_bounds_read(int dir_fd, uint32_t *number_out, bool *garbage_out,
	struct cmd_error *err)
{
	char text[TEXT_MAX];
	ssize_t n = read_small(dir_fd, "bounds", text);
	uint32_t number = 0;

	*garbage_out = n >= 0 && !save_bounds_parse(text, (size_t)n, &number);
	if (n < 0 && errno != ENOENT)
		*garbage_out = true;
	while (exists(dir_fd, "vmcore", number) ||
		exists(dir_fd, "vmdump", number)) {
		if (++number >= INT32_MAX)
			return cmd_fail(err, CMD_FAILED,
				"no number is free for a dump");
	}
	*number_out = number;
	return CMD_OK;
}

enum cmd_status
save_bounds_write(int dir_fd, const char *dir, uint32_t number,
	struct cmd_error *err)
{
	struct cmd_output out;
	enum cmd_status st;
	char text[16];
	int len = snprintf(text, sizeof(text), "%u\n", number);

	st = cmd_output_open_at(&out, dir_fd, dir, "bounds", false, err);
	if (st != CMD_OK)
		return st;
	st = cmd_output_write(&out, text, (size_t)len, 0, err);
	if (st == CMD_OK)
		st = cmd_output_sync(&out, (uint64_t)len, err);
	if (st == CMD_OK && fchmod(out.fd, 0644) == 0)
		st = cmd_output_rename(&out, err);
	cmd_output_close(&out, false);
	return st;
}

uint64_t
save_minfree_read(int dir_fd)
{
	char text[TEXT_MAX];
	ssize_t n = read_small(dir_fd, "minfree", text);
	uint32_t kib;

	if (n <= 0 || !save_bounds_parse(text, (size_t)n, &kib))
		return 0;
	return (uint64_t)kib << 10;
}
