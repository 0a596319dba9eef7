/* SPDX-License-Identifier: MIT */
/*
 * Pipelines.  Each command of a statement is a stage.  A location that a
 * stage emits runs the next stage at once: nothing is collected, so a pipe
 * over a million objects needs no memory and ::head stops it.
 *
 * A stage's call has a context and memory of its own, freed when it returns.
 * A failure is printed where it happens.  One that is about a single object
 * (its memory cannot be read, it contradicts itself) does not keep the next
 * object from its turn; any other ends the pipeline.
 */
#ifndef MDB_SHELL_PIPE_H
#define MDB_SHELL_PIPE_H

#include "mdb/shell/alias.h"
#include "mdb/shell/out.h"
#include "mdb/shell/session.h"

struct mdb_stage {
	struct mdb_session *session;
	const struct mdb_cmd *cmd;
	const struct mdb_dcmd *dcmd;   /* of named commands; else NULL */
	const char *title;	       /* "::ps", for messages */
	const char *type_name;	       /* $<NAME that prints a type; or NULL */
	const struct mdb_alias *alias; /* $<NAME that is built in; or NULL */
	struct mdb_out own;
	struct mdb_out *out; /* own, or that of whoever evaluates */
	struct mdb_stage *next;
	uint64_t count; /* of `addr,count` */
	bool has_count;
	size_t nr_calls;
	size_t nr_failed;
	/* Why there are no more calls; MDB_OK: there may be. */
	enum mdb_status stopped;
};

/*
 * Finds the command and chooses the renderer: JSON or text into sink, or into
 * out if that is not NULL, or the next stage.  MDB_E_NOTFOUND for an unknown
 * command.
 */
enum mdb_status mdb_stage_init(struct mdb_ctx *cx, struct mdb_stage *stage,
	const struct mdb_cmd *cmd, struct mdb_stage *next,
	struct mdb_sink *sink, struct mdb_out *out);
void mdb_stage_fini(struct mdb_stage *stage);

/*
 * One call; loc NULL: without an address.  The status is the call's own; the
 * trail was printed.
 */
enum mdb_status mdb_stage_call(struct mdb_ctx *parent, struct mdb_stage *stage,
	const struct mdb_loc *loc);

/* After the last call: passes on what was held back. */
void mdb_stage_finish(struct mdb_ctx *cx, struct mdb_stage *stage);

/* The commands that are no dcmd (verbs.c). */
enum mdb_status mdb_verb_run(struct mdb_ctx *cx, struct mdb_stage *stage,
	const struct mdb_loc *loc);
/* Is there a file for $<name; its path, until the command ends. */
const char *mdb_macro_path(struct mdb_ctx *cx, const char *name);

#endif
