/* SPDX-License-Identifier: MIT */
#include "cmd/common/serial.h"

#include "dfmt-format.h"
#include "dfmt-serial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_MAX (1u << 30)

static enum cmd_status
log_read(const char *path, char **text, size_t *len, struct cmd_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum cmd_status st = CMD_OK;
	struct stat s;
	size_t done = 0;
	ssize_t n = 1;

	if (fd < 0 || fstat(fd, &s) != 0)
		st = cmd_fail_errno(err, CMD_OPEN, "%s", path);
	else if (!S_ISREG(s.st_mode) || s.st_size > LOG_MAX)
		st = cmd_fail(err, CMD_OPEN,
			"%s is not a regular file of at most 1G", path);
	else if ((*text = malloc((size_t)s.st_size + 1)) == NULL)
		st = cmd_fail(err, CMD_FAILED, "no memory");
	while (st == CMD_OK && n != 0 && done < (size_t)s.st_size) {
		n = read(fd, *text + done, (size_t)s.st_size - done);
		if (n < 0 && errno != EINTR)
			st = cmd_fail_errno(err, CMD_OPEN, "%s", path);
		done += n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0)
		(void)close(fd);
	*len = done;
	return st;
}

static enum cmd_status
record_write(const uint8_t *record, const char *path, struct cmd_error *err)
{
	struct cmd_output out;
	enum cmd_status st = cmd_output_open(&out, path, false, err);

	if (st != CMD_OK)
		return st;
	st = cmd_output_write(&out, record, DFMT_TRIAGE_LEN, 0, err);
	if (st == CMD_OK)
		st = cmd_output_sync(&out, DFMT_TRIAGE_LEN, err);
	if (st == CMD_OK)
		st = cmd_output_rename(&out, err);
	cmd_output_close(&out, false);
	return st;
}

static void
loss_say(const char *log, const struct dfmt_serial *s)
{
	if (s->nr_records > 1)
		cmd_warn("dumpconv",
			"%s has %u triage records: the last one is taken", log,
			s->nr_records);
	if (s->nr_lost)
		cmd_warn("dumpconv",
			"%s: %u of the record's %u lines are lost or damaged",
			log, s->nr_lost, s->nr_lines);
}

enum cmd_status
cmd_serial_convert(const char *log, const char *path, struct cmd_error *err)
{
	uint8_t *record = malloc(DFMT_TRIAGE_LEN);
	struct dfmt_err why = { 0 };
	struct dfmt_serial s;
	char *text = NULL;
	size_t len = 0;
	enum cmd_status st;

	st = record == NULL ? cmd_fail(err, CMD_FAILED, "no memory")
			    : log_read(log, &text, &len, err);
	if (st == CMD_OK &&
		dfmt_serial_decode(text, len, record, &s, &why) != DFMT_OK)
		st = cmd_fail_dfmt(err, CMD_OPEN, log, &why);
	if (st == CMD_OK) {
		loss_say(log, &s);
		st = record_write(record, path, err);
	}
	free(text);
	free(record);
	return st;
}
