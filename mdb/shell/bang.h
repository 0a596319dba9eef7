/* SPDX-License-Identifier: MIT */
/* `!`: commands of the host's shell. */
#ifndef MDB_SHELL_BANG_H
#define MDB_SHELL_BANG_H

#include "mdb/shell/session.h"

/* A shell command that reads what we write. */
struct mdb_bang {
	int pid;
	int fd;
	struct mdb_sink *sink; /* into its standard input */
};

/* Runs a shell command and waits for it.  Its exit status is its own. */
enum mdb_status mdb_bang_run(struct mdb_ctx *cx, const char *text);

enum mdb_status mdb_bang_open(struct mdb_ctx *cx, const char *text,
	struct mdb_bang *bang_out);
/* Closes its input and waits. */
void mdb_bang_close(struct mdb_bang *bang);

#endif
