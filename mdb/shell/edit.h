/* SPDX-License-Identifier: MIT */
/*
 * The interactive line: editing, history kept between sessions, completion.
 * readline is one per process, and so is this.
 */
#ifndef MDB_SHELL_EDIT_H
#define MDB_SHELL_EDIT_H

#include "mdb/shell/session.h"

struct mdb_edit;

/* Reads the history; the session is borrowed. */
struct mdb_edit *mdb_edit_create(struct mdb_session *s);
/* Writes the history. */
void mdb_edit_destroy(struct mdb_edit *edit);

/*
 * The next line, for the caller to free; "" after ^C.  NULL at the end of
 * file, unless the option ignoreeof is set.
 */
char *mdb_edit_line(struct mdb_edit *edit);

/*
 * Candidates that continue `line` up to its end, without readline: the word
 * to complete is line + *start_out.  A list ended by NULL, heap all of it;
 * NULL when there are none.
 */
char **mdb_complete(struct mdb_session *s, const char *line, size_t *start_out);

#endif
