/* SPDX-License-Identifier: MIT */
/*
 * Statements: from text to stages.  A statement sets dot, then runs its first
 * command as often as its count says; the other commands follow from what it
 * emits.  After a pipeline dot is the statement's address again.
 */
#include "mdb/shell/bang.h"
#include "mdb/shell/pipe.h"

#include "mdb/base/alloc.h"

#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 16 /* of ::eval within ::eval, macros within macros */
#define MAX_STAGES 32

/* A statement on its way. */
struct run {
	struct mdb_session *s;
	struct mdb_ctx *cx;
	const struct mdb_stmt *stmt;
	struct mdb_out *final; /* of whoever evaluates; or NULL */
	struct mdb_stage *stages;
	bool has_addr;
	uint64_t count;
};

static enum mdb_status
eval_address(struct run *r)
{
	struct mdb_loc loc;
	enum mdb_status st = MDB_OK;

	r->count = 1;
	if (r->stmt->addr != NULL) {
		st = mdb_eval(r->cx, &r->s->lang, r->stmt->addr, &loc);
		if (st != MDB_OK)
			return st;
		r->s->lang.dot = loc;
		r->has_addr = true;
	}
	if (r->stmt->count != NULL) {
		st = mdb_eval(r->cx, &r->s->lang, r->stmt->count, &loc);
		if (st == MDB_OK)
			r->count = loc.addr;
	}
	return st;
}

static enum mdb_status
init_stages(struct run *r, struct mdb_sink *sink, size_t *nr_done)
{
	size_t count = r->stmt->nr_cmds;
	enum mdb_status st = MDB_OK;

	for (size_t i = 0; i < count && st == MDB_OK; i++) {
		struct mdb_stage *next =
			i + 1 < count ? &r->stages[i + 1] : NULL;

		st = mdb_stage_init(r->cx, &r->stages[i], &r->stmt->cmds[i],
			next, sink, r->final);
		*nr_done = i + 1;
	}
	r->stages[0].count = r->count;
	r->stages[0].has_count = r->stmt->count != NULL;
	return st;
}

/* A format loops by itself; a dcmd that does so ends the loop. */
static void
loop(struct run *r)
{
	struct mdb_stage *stage = &r->stages[0];
	struct mdb_loc dot = r->s->lang.dot;
	bool format = stage->cmd->kind == MDB_CMD_FORMAT;
	uint64_t count = format && r->count > 0 ? 1 : r->count;

	for (uint64_t i = 0; i < count; i++) {
		enum mdb_status st =
			mdb_stage_call(r->cx, stage, r->has_addr ? &dot : NULL);

		if (st != MDB_OK || stage->stopped != MDB_OK)
			break;
	}
	if (r->stmt->nr_cmds > 1)
		r->s->lang.dot = dot;
}

static enum mdb_status
finish(struct run *r)
{
	enum mdb_status st = MDB_OK;

	for (size_t i = 0; i < r->stmt->nr_cmds; i++) {
		struct mdb_stage *stage = &r->stages[i];

		mdb_stage_finish(r->cx, stage);
		if (stage->stopped == MDB_E_INTERRUPTED)
			return MDB_E_INTERRUPTED;
		if (stage->stopped > MDB_DONE)
			st = stage->stopped;
		else if (stage->nr_failed > 0 && st == MDB_OK)
			st = MDB_E_CORRUPT;
	}
	return st;
}

static enum mdb_status
run_pipeline(struct run *r, struct mdb_sink *sink)
{
	size_t nr_done = 0;
	enum mdb_status st;

	if (r->stmt->nr_cmds > MAX_STAGES)
		return mdb_fail(r->cx, MDB_E_SYNTAX,
			"a pipeline of more than %d commands", MAX_STAGES);
	r->stages = mdb_xarray(r->stmt->nr_cmds, sizeof(*r->stages));
	st = init_stages(r, sink, &nr_done);
	if (st != MDB_OK) {
		mdb_session_error(r->s, r->cx, st, NULL);
	} else {
		loop(r);
		st = finish(r);
	}
	for (size_t i = 0; i < nr_done; i++)
		mdb_stage_fini(&r->stages[i]);
	free(r->stages);
	return st;
}

static enum mdb_status
run_piped_to_shell(struct run *r)
{
	struct mdb_bang bang;
	enum mdb_status st;

	st = mdb_bang_open(r->cx, r->stmt->shell, &bang);
	if (st != MDB_OK) {
		mdb_session_error(r->s, r->cx, st, "!");
		return st;
	}
	r->final = NULL;
	st = run_pipeline(r, bang.sink);
	mdb_bang_close(&bang);
	return st;
}

static enum mdb_status
run_statement(struct run *r)
{
	enum mdb_status st = eval_address(r);

	if (st != MDB_OK) {
		mdb_session_error(r->s, r->cx, st, NULL);
		return st;
	}
	if (r->stmt->nr_cmds > 0 && r->stmt->shell != NULL)
		return run_piped_to_shell(r);
	if (r->stmt->nr_cmds > 0)
		return run_pipeline(r, r->s->out);
	if (r->stmt->shell != NULL) {
		st = mdb_bang_run(r->cx, r->stmt->shell);
		if (st != MDB_OK)
			mdb_session_error(r->s, r->cx, st, "!");
		return st;
	}
	/* In a pipeline an address alone is what is passed on. */
	if (r->has_addr && r->final != NULL && r->final->mode == MDB_OUT_PIPE)
		return mdb_emit_loc(r->cx, r->s->lang.dot);
	return MDB_OK;
}

/* ---- repeating -----------------------------------------------------------
 */

static bool
is_empty(const struct mdb_stmt *stmt)
{
	return stmt->addr == NULL && stmt->count == NULL &&
	       stmt->nr_cmds == 0 && stmt->shell == NULL;
}

/*
 * An expression alone repeats the last command at the new address, an empty
 * line behind it (if so set).  Puts the commands of the last statement into
 * stmt; false when there are none.
 */
static bool
recall(struct run *r, struct mdb_stmt *stmt)
{
	const char *last = r->s->last;
	struct mdb_stmt old;
	size_t used;

	if (last == NULL || mdb_parse(r->cx, last, strlen(last),
				    r->s->lang.radix, &old, &used) != MDB_OK)
		return false;
	if (is_empty(stmt)) {
		r->s->lang.dot.addr += r->s->lang.increment;
		stmt->count = old.count;
	}
	stmt->cmds = old.cmds;
	stmt->nr_cmds = old.nr_cmds;
	stmt->shell = old.shell;
	return true;
}

static void
remember(struct mdb_session *s, const char *text, size_t len)
{
	free(s->last);
	s->last = mdb_xstrndup(text, len);
}

/* ---- text ----------------------------------------------------------------
 */

static void
syntax_error(struct mdb_session *s, struct mdb_ctx *cx, enum mdb_status st,
	const struct mdb_source *source, const char *text, const char *at)
{
	unsigned int line = source == NULL ? 0 : source->line;

	if (source == NULL || source->interactive || source->name == NULL) {
		mdb_session_error(s, cx, st, NULL);
		return;
	}
	for (const char *c = text; c < at; c++)
		line += *c == '\n';
	st = mdb_fail(cx, st, "%s on line %u of %s",
		mdb_tmp_printf(cx, "%s", mdb_trail(cx)), line, source->name);
	mdb_session_error(s, cx, st, NULL);
}

/* Runs one parsed statement; `text` is what it was parsed from. */
static enum mdb_status
eval_stmt(struct run *r, struct mdb_stmt *stmt, const char *text, size_t len,
	bool interactive)
{
	bool bare = stmt->nr_cmds == 0 && stmt->shell == NULL;

	if (interactive && bare && (!is_empty(stmt) || r->s->opts.repeatlast))
		(void)recall(r, stmt);
	else if (interactive && stmt->nr_cmds > 0)
		remember(r->s, text, len);
	r->stmt = stmt;
	mdb_sink_begin_command(r->s->out);
	return run_statement(r);
}

static enum mdb_status
eval_text(struct mdb_session *s, struct mdb_ctx *cx, struct mdb_out *final,
	const char *text, size_t len, const struct mdb_source *source)
{
	bool interactive = source != NULL && source->interactive;
	const char *at = text, *end = text + len;
	enum mdb_status st = MDB_OK;

	while (at < end && !s->quit) {
		struct run r = { .s = s, .cx = cx, .final = final };
		struct mdb_stmt stmt = { 0 };
		size_t used = 0;

		st = mdb_parse(cx, at, (size_t)(end - at), s->lang.radix, &stmt,
			&used);
		if (st != MDB_OK) {
			syntax_error(s, cx, st, source, text, at);
			at = memchr(at, '\n', (size_t)(end - at));
			at = at == NULL ? end : at + 1;
			continue;
		}
		st = eval_stmt(&r, &stmt, at, used, interactive);
		if (st == MDB_E_INTERRUPTED || mdb_sink_aborted(s->out))
			break;
		if (final == NULL)
			mdb_arena_release(&cx->tmp);
		at += used == 0 ? 1 : used;
	}
	return st;
}

enum mdb_status
mdb_session_eval(struct mdb_session *s, const char *text, size_t len,
	const struct mdb_source *source)
{
	enum mdb_status st;

	mdb_sink_begin_statement(s->out);
	st = eval_text(s, &s->cx, NULL, text, len, source);
	if (st == MDB_E_INTERRUPTED)
		mdb_session_error(s, &s->cx, st, NULL);
	mdb_arena_release(&s->cx.tmp);
	mdb_sink_flush(s->out);
	mdb_sink_flush(s->err);
	return st;
}

enum mdb_status
mdb_session_eval_nested(struct mdb_ctx *cx, const char *text)
{
	struct mdb_session *s = cx->session;
	const struct mdb_call *call = cx->out->call;
	enum mdb_status st;

	if (s->depth == MAX_DEPTH)
		return mdb_fail(cx, MDB_E_USAGE,
			"evaluation nested deeper than %d", MAX_DEPTH);
	s->depth++;
	st = eval_text(s, cx, cx->out, text, strlen(text), NULL);
	s->depth--;
	cx->out->call = call;
	/* Its failures were printed where they happened. */
	return st == MDB_E_INTERRUPTED ? st : MDB_OK;
}
