/* SPDX-License-Identifier: MIT */
/* A device, a partition or a file with a dump in it: its length and bytes. */
#ifndef CMD_COMMON_DEVICE_H
#define CMD_COMMON_DEVICE_H

#include "cmd/common/error.h"

struct cmd_device {
	const char *path; /* borrowed */
	int fd;		  /* -1: closed */
	bool block;	  /* a block device; else a regular file */
	bool read_only;
	uint64_t len;	 /* bytes */
	uint32_t sector; /* what it writes as a unit: 512 or 4096 */
};

enum cmd_device_mode {
	CMD_DEVICE_READ,
	CMD_DEVICE_WRITE,     /* to write; a busy block device is opened too */
	CMD_DEVICE_EXCLUSIVE, /* a mounted or otherwise busy one is refused */
};

enum cmd_status cmd_device_open(struct cmd_device *dev, const char *path,
	enum cmd_device_mode mode, struct cmd_error *err);
void cmd_device_close(struct cmd_device *dev); /* accepts closed ones */

/* All len bytes at off, or false with errno; 0: the end came first. */
bool cmd_pread_all(int fd, void *buf, size_t len, uint64_t off);
bool cmd_pwrite_all(int fd, const void *buf, size_t len, uint64_t off);

#endif
