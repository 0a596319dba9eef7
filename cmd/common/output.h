/* SPDX-License-Identifier: MIT */
/*
 * A file that appears whole or not at all: written as ".NAME.part" beside its
 * place, made stable, renamed.  An unfinished one stays for a later run only
 * where its maker says so.
 */
#ifndef CMD_COMMON_OUTPUT_H
#define CMD_COMMON_OUTPUT_H

#include "cmd/common/error.h"

struct cmd_output {
	int fd;
	int dir_fd;
	char name[256];	  /* in the directory */
	char part[264];	  /* the temporary name */
	char dir[4096];	  /* for messages */
	bool resumed;	  /* there was a part already */
	uint64_t minfree; /* bytes that are to stay free in the directory */
};

/* The directory and the name in it of a path. */
enum cmd_status cmd_output_open(struct cmd_output *out, const char *path,
	bool resume, struct cmd_error *err);

/* The same with the directory open; dir names it in messages. */
enum cmd_status cmd_output_open_at(struct cmd_output *out, int dir_fd,
	const char *dir, const char *name, bool resume, struct cmd_error *err);

/*
 * Writes; a full disk, or one that would have less than minfree left, is
 * CMD_FAILED.
 */
enum cmd_status cmd_output_write(struct cmd_output *out, const void *buf,
	size_t len, uint64_t off, struct cmd_error *err);

/* Cuts or grows (sparsely) to len and makes it stable. */
enum cmd_status cmd_output_sync(struct cmd_output *out, uint64_t len,
	struct cmd_error *err);

/* The file gets its name, replacing one that had it. */
enum cmd_status cmd_output_rename(struct cmd_output *out,
	struct cmd_error *err);

/* Closes; an unnamed file is removed unless it is kept for a later run. */
void cmd_output_close(struct cmd_output *out, bool keep);

/* Bytes free in the directory for us. */
uint64_t cmd_output_room(const struct cmd_output *out);

#endif
