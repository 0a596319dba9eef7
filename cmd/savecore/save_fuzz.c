/* SPDX-License-Identifier: MIT */
/*
 * savecore over a hostile device and a hostile part: both copies, and the
 * check of what they made.  The first byte says which copy, the next two how
 * many of the bytes at the end are the part; the rest is the device.
 */
#include "cmd/savecore/save.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int
file_of(const uint8_t *data, size_t len)
{
	int fd = memfd_create("save", MFD_CLOEXEC);

	if (fd < 0 || !cmd_pwrite_all(fd, data, len, 0))
		abort();
	return fd;
}

static void
save(const struct cmd_device *dev, struct cmd_output *out, bool zstd)
{
	const struct save_options opt = {
		.no_wait = true,
		.block = 16u << 10,
		.level = 1,
	};
	struct save_result result;
	struct cmd_error err;
	struct cmd_native n;
	enum cmd_status st = cmd_native_open(&n, dev, &err);

	if (st != CMD_OK || !n.found)
		return;
	st = zstd ? save_recode(&n, out, &opt, &result, &err)
		  : save_copy(&n, out, &opt, &result, &err);
	if (st != CMD_OK || ftruncate(out->fd, (off_t)result.len) != 0)
		return;
	/* What was made is what the check wants. */
	if (save_verify(out, &opt, &result, &err) != CMD_OK) {
		(void)fprintf(stderr, "%s\n", err.text);
		abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct cmd_output out = { .dir_fd = -1, .resumed = true };
	struct cmd_device dev = { .path = "fuzz", .sector = 512 };
	size_t part;
	uint32_t number;

	if (len < 3)
		return 0;
	(void)save_bounds_parse((const char *)data, len, &number);
	part = (size_t)(data[1] | data[2] << 8) * 16;
	part = part < len - 3 ? part : 0;
	dev.len = len - 3 - part;
	dev.fd = file_of(data + 3, dev.len);
	out.fd = file_of(data + len - part, part);
	save(&dev, &out, data[0] & 1);
	(void)close(dev.fd);
	(void)close(out.fd);
	return 0;
}
