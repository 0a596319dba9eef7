/* SPDX-License-Identifier: MIT */
/*
 * <mdb/out.h>: takes rows, lines and locations, and hands them to the
 * renderer of the stage that runs.
 */
#include "mdb/shell/out.h"

#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
mdb_out_init(struct mdb_out *out, enum mdb_out_mode mode, struct mdb_sink *sink)
{
	*out = (struct mdb_out){ .mode = mode, .sink = sink };
	mdb_buf_init(&out->line);
	mdb_buf_init(&out->unproven);
}

void
mdb_out_fini(struct mdb_out *out)
{
	for (size_t i = 0; i < out->nr_subs; i++)
		mdb_buf_fini(&out->subs[i].rows);
	free(out->held);
	mdb_buf_fini(&out->unproven);
	mdb_buf_fini(&out->line);
}

void
mdb_out_hold(struct mdb_out *out, struct mdb_loc loc, size_t max)
{
	if (max == 0)
		return;
	if (out->nr_held < max) {
		out->held = mdb_xrealloc(out->held, out->nr_held + 1,
			sizeof(*out->held));
		out->held[out->nr_held++] = loc;
		return;
	}
	out->held[out->first_held] = loc;
	out->first_held = (out->first_held + 1) % out->nr_held;
}

void
mdb_out_begin(struct mdb_out *out, const struct mdb_call *call)
{
	out->call = call;
}

void
mdb_out_end(struct mdb_out *out)
{
	mdb_tree_abandon(out);
	mdb_out_flush_json(out);
	out->call = NULL;
}

enum mdb_status
mdb_out_check(struct mdb_ctx *cx)
{
	enum mdb_status st = mdb_check_interrupt(cx);

	if (st != MDB_OK || cx->out == NULL || cx->out->sink == NULL)
		return st;
	return mdb_sink_done(cx->out->sink) ? MDB_DONE : MDB_OK;
}

bool
mdb_out_shows(const struct mdb_out *out, const struct mdb_column *column)
{
	return column->option == 0 ||
	       (out->call != NULL && mdb_opt(out->call, column->option));
}

static enum mdb_status
pass_row(struct mdb_ctx *cx, struct mdb_out *out, const struct mdb_table *table,
	const struct mdb_value *values)
{
	enum mdb_status st = MDB_OK;
	bool passable = false;
	struct mdb_loc loc;

	for (const struct mdb_column *c = table->columns;
		c->name != NULL && st == MDB_OK; c++, values++) {
		/* Remarks between rows are not meant to be passed. */
		if ((c->flags & MDB_COL_TEXT_ONLY) != 0 && c[1].name == NULL &&
			c == table->columns)
			return MDB_OK;
		if ((c->flags & MDB_COL_PIPE) == 0)
			continue;
		passable = true;
		if (mdb_value_loc(cx, values, &loc))
			st = mdb_emit_loc(cx, loc);
	}
	if (!passable)
		out->nr_unpassable++;
	return st;
}

enum mdb_status
mdb_row(struct mdb_ctx *cx, const struct mdb_table *table,
	const struct mdb_value *values)
{
	struct mdb_out *out = cx->out;
	enum mdb_status st = mdb_out_check(cx);

	if (out == NULL || st != MDB_OK)
		return st;
	if (out->mode == MDB_OUT_PIPE)
		return pass_row(cx, out, table, values);
	if (out->mode == MDB_OUT_JSON)
		return mdb_json_row(cx, out, table, values, false);
	return mdb_table_row(cx, out, table, values, false);
}

enum mdb_status
mdb_subrow(struct mdb_ctx *cx, const struct mdb_table *table,
	const struct mdb_value *values)
{
	struct mdb_out *out = cx->out;
	enum mdb_status st = mdb_out_check(cx);

	if (out == NULL || st != MDB_OK || out->mode == MDB_OUT_PIPE)
		return st;
	if (out->mode == MDB_OUT_JSON)
		return mdb_json_row(cx, out, table, values, true);
	return mdb_table_row(cx, out, table, values, true);
}

enum mdb_status
mdb_blank(struct mdb_ctx *cx)
{
	struct mdb_out *out = cx->out;

	if (out != NULL && out->mode == MDB_OUT_TEXT)
		mdb_sink_puts(out->sink, "\n");
	return mdb_out_check(cx);
}

void
mdb_heading_again(struct mdb_ctx *cx)
{
	if (cx->out != NULL)
		cx->out->headed = NULL;
}

static void
json_line(struct mdb_out *out, const struct mdb_buf *text)
{
	struct mdb_buf line;

	mdb_out_flush_json(out);
	mdb_buf_init(&line);
	mdb_buf_puts(&line, "{\"text\":");
	mdb_escape_json(&line, text->len == 0 ? "" : text->data, text->len);
	mdb_buf_puts(&line, "}\n");
	mdb_sink_write(out->sink, line.data, line.len);
	mdb_buf_fini(&line);
}

enum mdb_status
mdb_line(struct mdb_ctx *cx, const char *fmt, ...)
{
	struct mdb_out *out = cx->out;
	enum mdb_status st = mdb_out_check(cx);
	struct mdb_buf text;
	va_list ap;

	if (out == NULL || st != MDB_OK)
		return st;
	if (out->mode == MDB_OUT_PIPE) {
		out->nr_unpassable++;
		return MDB_OK;
	}
	mdb_buf_init(&text);
	va_start(ap, fmt);
	mdb_buf_vprintf(&text, fmt, ap);
	va_end(ap);
	if (out->mode == MDB_OUT_JSON) {
		json_line(out, &text);
	} else {
		mdb_buf_putc(&text, '\n');
		mdb_sink_write(out->sink, text.data, text.len);
	}
	mdb_buf_fini(&text);
	return mdb_out_check(cx);
}

enum mdb_status
mdb_out_raw(struct mdb_ctx *cx, const char *text, size_t len)
{
	struct mdb_out *out = cx->out;
	enum mdb_status st = mdb_out_check(cx);

	if (out == NULL || st != MDB_OK || out->mode != MDB_OUT_TEXT)
		return st;
	mdb_sink_write(out->sink, text, len);
	return mdb_out_check(cx);
}

static const struct mdb_column loc_columns[] = {
	{ .name = "address", .flags = MDB_COL_PIPE, .help = "the address" },
	{ 0 },
};
static const struct mdb_table loc_table = { .name = "locations",
	.columns = loc_columns };

static const struct mdb_column world_loc_columns[] = {
	{ .name = "world", .help = "whose address it is" },
	{ .name = "address", .flags = MDB_COL_PIPE, .help = "the address" },
	{ 0 },
};
static const struct mdb_table world_loc_table = { .name = "locations",
	.columns = world_loc_columns };

static enum mdb_status
json_loc(struct mdb_ctx *cx, struct mdb_out *out, struct mdb_loc loc)
{
	const struct mdb_value values[] = {
		mdb_v_text(
			loc.world == NULL ? NULL : mdb_world_name(loc.world)),
		mdb_v_addr(loc),
	};

	if (loc.world == cx->world)
		return mdb_json_row(cx, out, &loc_table, values + 1, false);
	return mdb_json_row(cx, out, &world_loc_table, values, false);
}

enum mdb_status
mdb_emit_loc(struct mdb_ctx *cx, struct mdb_loc loc)
{
	struct mdb_out *out = cx->out;
	enum mdb_status st = mdb_out_check(cx);
	char text[32];

	if (out == NULL || st != MDB_OK)
		return st;
	out->nr_emitted++;
	if (out->mode == MDB_OUT_PIPE) {
		out->nr_passed++;
		return out->pass(cx, loc, out->pass_arg);
	}
	if (out->mode == MDB_OUT_JSON)
		return json_loc(cx, out, loc);
	(void)snprintf(text, sizeof(text), "0x%" PRIx64 "\n", loc.addr);
	mdb_sink_puts(out->sink, text);
	return mdb_out_check(cx);
}

bool
mdb_is_piped(const struct mdb_ctx *cx)
{
	return cx->out != NULL && cx->out->mode == MDB_OUT_PIPE;
}
