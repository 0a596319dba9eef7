/* SPDX-License-Identifier: MIT */
/* What dumps there are, on a device or in a directory. */
#include "cmd/savecore/save.h"

#include "cmd/common/text.h"
#include "mdb/base/alloc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct dfmt *
open_dump(const char *path, struct dfmt_err *why)
{
	const struct dfmt_options options = { .no_mmap = true };
	struct dfmt *d = NULL;

	if (dfmt_open(&path, 1, &options, &d, why) != DFMT_OK)
		return NULL;
	return d;
}

static const char *
wholeness(const struct dfmt *d)
{
	const struct dfmt_native *native = dfmt_native_get(d);
	struct dfmt_info info;

	dfmt_info_get(d, &info);
	if (native == NULL)
		return info.truncated ? "cut" : "whole";
	return native->missing != NULL ? native->missing : "whole";
}

/* One dump: what it is, when, its state, of what it died. */
static void
print_dump(const char *name, const char *state, const struct dfmt *d)
{
	const struct dfmt_native *native = dfmt_native_get(d);
	char size[CMD_SIZE_TEXT], when[CMD_TIME_TEXT], id[CMD_ID_TEXT];
	struct dfmt_info info;

	dfmt_info_get(d, &info);
	(void)printf("%s  %s  %s  %s  %s%s", name,
		native == NULL ? "-" : cmd_id_text(native->dump_id, id),
		cmd_time_text(native == NULL ? 0 : native->time_sec, when),
		cmd_size_text(native == NULL ? info.file_size
					     : native->dump_len,
			size),
		state, *state == '\0' ? "" : ", ");
	cmd_put_text(stdout, wholeness(d));
	if (native == NULL)
		(void)printf("  %s", info.format);
	if (native != NULL && native->reason != NULL) {
		(void)printf("  ");
		cmd_put_text(stdout, native->reason);
	}
	(void)putchar('\n');
}

static enum cmd_status
list_device(const char *path, struct cmd_error *err)
{
	struct dfmt_err why = { 0 };
	struct cmd_device dev;
	struct cmd_native n = { 0 };
	struct dfmt *d = NULL;
	enum cmd_status st = cmd_device_open(&dev, path, CMD_DEVICE_READ, err);

	if (st == CMD_OK)
		st = cmd_native_open(&n, &dev, err);
	if (st == CMD_OK && n.labelled && !n.found) {
		(void)printf("%s: no dump\n", path);
	} else if (st == CMD_OK) {
		d = open_dump(path, &why);
		if (d == NULL)
			st = cmd_fail_dfmt(err, CMD_OPEN, path, &why);
		else
			print_dump(path,
				!n.labelled	       ? ""
				: cmd_native_saved(&n) ? "saved"
						       : "not saved",
				d);
	}
	dfmt_close(d);
	cmd_device_close(&dev);
	return st;
}

/* ---- directories ---------------------------------------------------------
 */

/* "vmcore.17": 17; false for other names. */
static bool
core_number(const char *name, uint32_t *number_out)
{
	if (strncmp(name, "vmcore.", 7) != 0)
		return false;
	return name[7] != '\0' &&
	       save_bounds_parse(name + 7, strlen(name + 7), number_out);
}

static int
by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* The numbers of the dumps in a directory, ascending; the caller's to free. */
static uint32_t *
numbers(int dir_fd, size_t *nr_out)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	uint32_t *list = NULL, number;
	const struct dirent *entry;

	*nr_out = 0;
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (!core_number(entry->d_name, &number))
			continue;
		list = mdb_xrealloc(list, *nr_out + 1, sizeof(*list));
		list[(*nr_out)++] = number;
	}
	if (dir != NULL)
		(void)closedir(dir);
	else if (fd >= 0)
		(void)close(fd);
	if (list != NULL)
		qsort(list, *nr_out, sizeof(*list), by_number);
	return list;
}

static enum cmd_status
list_directory(const char *dir, struct cmd_error *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint32_t *list;
	size_t nr;

	if (fd < 0)
		return cmd_fail_errno(err, CMD_OPEN, "%s", dir);
	list = numbers(fd, &nr);
	(void)close(fd);
	for (size_t i = 0; i < nr; i++) {
		struct dfmt_err why = { 0 };
		struct dfmt *d;
		char path[4200];

		(void)snprintf(path, sizeof(path), "%s/vmcore.%u", dir,
			list[i]);
		d = open_dump(path, &why);
		(void)snprintf(path, sizeof(path), "vmcore.%u", list[i]);
		if (d != NULL)
			print_dump(path, "", d);
		else
			(void)printf("%s: %s\n", path,
				dfmt_status_name(why.status));
		dfmt_close(d);
	}
	free(list);
	return CMD_OK;
}

enum cmd_status
save_list(const char *path, struct cmd_error *err)
{
	struct stat info;

	if (stat(path, &info) != 0)
		return cmd_fail_errno(err, CMD_OPEN, "%s", path);
	return S_ISDIR(info.st_mode) ? list_directory(path, err)
				     : list_device(path, err);
}

/* ---- was it saved here already? ------------------------------------------
 */

static bool
is_dump(int dir_fd, const char *name, const uint8_t *id)
{
	struct cmd_device dev = { .path = name };
	struct cmd_error ignored;
	struct cmd_native n;
	bool same = false;
	off_t end;

	dev.fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (dev.fd < 0)
		return false;
	end = lseek(dev.fd, 0, SEEK_END);
	dev.len = end < 0 ? 0 : (uint64_t)end;
	if (cmd_native_open(&n, &dev, &ignored) == CMD_OK)
		same = n.found && n.has_end && !n.labelled &&
		       memcmp(n.triage.id, id, DFMT_ID_LEN) == 0;
	cmd_device_close(&dev);
	return same;
}

bool
save_find(int dir_fd, const uint8_t *id, uint32_t *number_out)
{
	size_t nr;
	uint32_t *list = numbers(dir_fd, &nr);
	bool found = false;

	for (size_t i = 0; i < nr && !found; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "vmcore.%u", list[i]);
		found = is_dump(dir_fd, name, id);
		*number_out = list[i];
	}
	free(list);
	return found;
}
