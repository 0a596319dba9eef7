/* SPDX-License-Identifier: MIT */
/*
 * The renderers behind <mdb/out.h>: rows and trees become a table, JSON
 * lines, or locations handed to the next command of a pipeline.
 *
 * There is one struct mdb_out per stage of a pipeline; it lives as long as
 * the stage, so that headings are printed once for a loop.
 */
#ifndef MDB_SHELL_OUT_H
#define MDB_SHELL_OUT_H

#include <mdb/module.h>

#include "mdb/base/buf.h"
#include "mdb/shell/sink.h"

enum mdb_out_mode {
	MDB_OUT_TEXT = 0,
	MDB_OUT_JSON,
	MDB_OUT_PIPE,
};

/* Runs the next stage on a location; MDB_DONE: it needs no more. */
typedef enum mdb_status mdb_pass_fn(struct mdb_ctx *cx, struct mdb_loc loc,
	void *arg);

#define MDB_TREE_MAX_DEPTH 64
#define MDB_OUT_MAX_SUBTABLES 8

/* An open branch of a value tree. */
struct mdb_out_level {
	enum mdb_branch branch;
	bool member;	/* JSON: a root that is a member of an object */
	bool flat;	/* JSON: its members are the parent's */
	bool multiline; /* an array whose elements have lines of their own */
	bool unproven;	/* JSON: an array that has an element which is */
	size_t nr_children;
	const char *name;
	size_t unproven_at; /* JSON: where its names begin in out->unproven */
};

/* Rows nested under the one that waits to be written. */
struct mdb_out_sub {
	const struct mdb_table *table;
	struct mdb_buf rows;
};

struct mdb_out {
	enum mdb_out_mode mode;
	struct mdb_sink *sink;
	mdb_pass_fn *pass; /* MDB_OUT_PIPE */
	void *pass_arg;
	const struct mdb_call *call; /* that runs now: its options */
	const struct mdb_table *headed;
	const struct mdb_table *sub_headed;
	struct mdb_buf line; /* being made */

	struct mdb_out_level levels[MDB_TREE_MAX_DEPTH];
	size_t depth;
	size_t column; /* where an array's next element goes */

	struct mdb_buf unproven; /* JSON: members of open branches, a list */
	bool trees;   /* JSON: the object that waits is made of trees */
	bool pending; /* JSON: `line` is an object that lacks its brace */
	struct mdb_out_sub subs[MDB_OUT_MAX_SUBTABLES];
	size_t nr_subs;

	/* ::tail holds back the last so many; a ring. */
	struct mdb_loc *held;
	size_t nr_held, max_held, first_held;

	size_t nr_emitted;    /* mdb_emit_loc() calls */
	size_t nr_passed;     /* locations that went into the pipeline */
	size_t nr_unpassable; /* rows that had none */
};

void mdb_out_init(struct mdb_out *out, enum mdb_out_mode mode,
	struct mdb_sink *sink);
void mdb_out_fini(struct mdb_out *out);

/* A call begins, with its options; and ends: what is pending is written. */
void mdb_out_begin(struct mdb_out *out, const struct mdb_call *call);
void mdb_out_end(struct mdb_out *out);

/* Keeps loc until the stage ends, and of all those the last max. */
void mdb_out_hold(struct mdb_out *out, struct mdb_loc loc, size_t max);

/* Text that is laid out already, as the format verbs make it. */
enum mdb_status mdb_out_raw(struct mdb_ctx *cx, const char *text, size_t len);

/* {"error":{...}} on a line of its own. */
void mdb_out_json_error(struct mdb_sink *sink, const char *command,
	const char *status, const char *message);

/* ---- shared by the renderers ---------------------------------------------
 */

/* MDB_OK, or why a command should stop: ^C, nobody reads. */
enum mdb_status mdb_out_check(struct mdb_ctx *cx);
bool mdb_out_shows(const struct mdb_out *out, const struct mdb_column *column);
void mdb_out_flush_json(struct mdb_out *out);
/* JSON: ,"unproven":[...] of the members noted from there on. */
void mdb_out_put_unproven(struct mdb_out *out, size_t from);
/* Closes what a command that failed in the middle of a tree left open. */
void mdb_tree_abandon(struct mdb_out *out);

/* As a table shows it, unpadded; width is for what is zero padded. */
void mdb_value_text(struct mdb_ctx *cx, struct mdb_buf *buf,
	const struct mdb_value *value, size_t width, unsigned int flags);
/* Is it a value, and marked as unproven? */
bool mdb_value_is_unproven(const struct mdb_value *v);
void mdb_value_json(struct mdb_ctx *cx, struct mdb_buf *buf,
	const struct mdb_value *value);
/* False for a value that is no location. */
bool mdb_value_loc(struct mdb_ctx *cx, const struct mdb_value *value,
	struct mdb_loc *loc_out);

/* Escaped; a tab is kept if asked. */
void mdb_escape_text(struct mdb_buf *buf, const char *text, size_t len,
	bool keep_tab);
/* With its quotes. */
void mdb_escape_json(struct mdb_buf *buf, const char *text, size_t len);
/* Characters, as a terminal counts them. */
size_t mdb_text_width(const char *text, size_t len);

enum mdb_status mdb_table_row(struct mdb_ctx *cx, struct mdb_out *out,
	const struct mdb_table *table, const struct mdb_value *values,
	bool nested);
enum mdb_status mdb_json_row(struct mdb_ctx *cx, struct mdb_out *out,
	const struct mdb_table *table, const struct mdb_value *values,
	bool nested);

#endif
