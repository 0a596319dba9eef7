/* SPDX-License-Identifier: MIT */
/* A dump out of the log of a serial line (dumpfmt/dfmt-serial.h). */
#ifndef CMD_COMMON_SERIAL_H
#define CMD_COMMON_SERIAL_H

#include "cmd/common/output.h"

/*
 * Reads the log, at most 1 GiB, and writes the last triage record in it as a
 * dump that has nothing else.  Says on stderr when lines of it are lost.
 */
enum cmd_status cmd_serial_convert(const char *log, const char *path,
	struct cmd_error *err);

#endif
