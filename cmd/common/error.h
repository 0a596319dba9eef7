/* SPDX-License-Identifier: MIT */
/*
 * How the dump programs fail: who discovers a failure writes one line into a
 * struct cmd_error, the program's main prints it.  The status is the exit
 * status.
 */
#ifndef CMD_COMMON_ERROR_H
#define CMD_COMMON_ERROR_H

#include "dfmt-reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CMD_NODISCARD [[nodiscard]]
#define CMD_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* clang-format off */
enum CMD_NODISCARD cmd_status {
	CMD_OK = 0,
	CMD_FAILED = 1, /* it could not be done */
	CMD_OPEN = 2,	/* nothing could be opened; the command line is wrong */
};
/* clang-format on */

struct cmd_error {
	char text[640];
};

/* Writes the line and returns st. */
enum cmd_status cmd_fail(struct cmd_error *err, enum cmd_status st,
	const char *fmt, ...) CMD_PRINTF(3, 4);

/* The same with ": " and the host's reason (errno) behind it. */
enum cmd_status cmd_fail_errno(struct cmd_error *err, enum cmd_status st,
	const char *fmt, ...) CMD_PRINTF(3, 4);

/* A failure of the reading library, with what it was doing in front. */
enum cmd_status cmd_fail_dfmt(struct cmd_error *err, enum cmd_status st,
	const char *what, const struct dfmt_err *why);

/* "program: text" on standard error. */
void cmd_print_error(const char *program, const struct cmd_error *err);

/* "program: warning: ..." on standard error. */
void cmd_warn(const char *program, const char *fmt, ...) CMD_PRINTF(2, 3);

#endif
