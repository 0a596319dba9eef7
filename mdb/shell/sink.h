/* SPDX-License-Identifier: MIT */
/*
 * Where text ends up: a file descriptor, or memory for tests.  Buffers,
 * copies to the log, pages on a terminal, and is quiet when the reader of a
 * pipe has gone.
 *
 * Writing never fails; a sink that nobody reads any more says so with
 * mdb_sink_done(), and swallows what it still gets.
 */
#ifndef MDB_SHELL_SINK_H
#define MDB_SHELL_SINK_H

#include "mdb/base/buf.h"

struct mdb_sink;

/* The descriptor is borrowed. */
struct mdb_sink *mdb_sink_create(int fd);
/* Keeps everything; see mdb_sink_text(). */
struct mdb_sink *mdb_sink_create_memory(void);
void mdb_sink_destroy(struct mdb_sink *sink); /* flushes */

void mdb_sink_write(struct mdb_sink *sink, const char *data, size_t len);
void mdb_sink_puts(struct mdb_sink *sink, const char *text);
void mdb_sink_flush(struct mdb_sink *sink);

bool mdb_sink_done(const struct mdb_sink *sink);
/* May it be given the escapes for bold and underlined? */
bool mdb_sink_has_style(const struct mdb_sink *sink);
/* Why writing failed: an errno; 0: it did not, or the reader has gone. */
int mdb_sink_error(const struct mdb_sink *sink);
/* Columns of the terminal; 80 when it is none. */
unsigned int mdb_sink_width(const struct mdb_sink *sink);
/* Is the last thing written an unfinished line? */
bool mdb_sink_in_line(const struct mdb_sink *sink);

/* What a memory sink was given since the last mdb_sink_clear(). */
const char *mdb_sink_text(const struct mdb_sink *sink);
void mdb_sink_clear(struct mdb_sink *sink);

/* Copies all output to this descriptor too; -1: no more. */
void mdb_sink_log(struct mdb_sink *sink, int fd);
/* Text that goes to the log alone: what the user typed. */
void mdb_sink_log_text(struct mdb_sink *sink, const char *text, size_t len);

/*
 * Paging, on terminals only.  A statement begins a new page and forgets the
 * answers to the prompt; a command forgets the answer q.  The keys are read
 * from key_fd.
 */
void mdb_sink_page(struct mdb_sink *sink, bool on, int key_fd);
void mdb_sink_begin_statement(struct mdb_sink *sink);
void mdb_sink_begin_command(struct mdb_sink *sink);
/* Was the statement given up at the prompt (answer a)? */
bool mdb_sink_aborted(const struct mdb_sink *sink);

#endif
