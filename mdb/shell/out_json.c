/* SPDX-License-Identifier: MIT */
/*
 * Rows as JSON: one object per row and line.  A row waits, without its
 * closing brace, until the next thing is printed: its nested rows become
 * arrays in it, one per nested table.
 */
#include "mdb/shell/out.h"

#include <string.h>

static void
put_string(struct mdb_buf *buf, const char *text)
{
	mdb_escape_json(buf, text, strlen(text));
}

/* The names of the columns whose values are not proven, if any. */
static void
add_unproven(const struct mdb_out *out, struct mdb_buf *buf,
	const struct mdb_table *table, const struct mdb_value *values,
	const char *comma)
{
	bool any = false;

	for (const struct mdb_column *c = table->columns; c->name != NULL;
		c++, values++) {
		if (!mdb_value_is_unproven(values) ||
			(c->flags & MDB_COL_TEXT_ONLY) != 0 ||
			!mdb_out_shows(out, c))
			continue;
		if (any)
			mdb_buf_putc(buf, ',');
		else
			mdb_buf_printf(buf, "%s\"unproven\":[", comma);
		put_string(buf, c->name);
		any = true;
	}
	if (any)
		mdb_buf_putc(buf, ']');
}

/* The members of an object, without braces. */
static void
add_members(struct mdb_ctx *cx, struct mdb_out *out, struct mdb_buf *buf,
	const struct mdb_table *table, const struct mdb_value *values)
{
	const struct mdb_value *first = values;
	const char *comma = "";

	for (const struct mdb_column *c = table->columns; c->name != NULL;
		c++, values++) {
		if ((c->flags & MDB_COL_TEXT_ONLY) != 0 ||
			!mdb_out_shows(out, c))
			continue;
		mdb_buf_puts(buf, comma);
		put_string(buf, c->name);
		mdb_buf_putc(buf, ':');
		mdb_value_json(cx, buf, values);
		comma = ",";
	}
	add_unproven(out, buf, table, first, comma);
}

/* NULL when a row has more kinds of nested rows than anybody can mean. */
static struct mdb_buf *
sub_rows(struct mdb_out *out, const struct mdb_table *table)
{
	struct mdb_out_sub *sub;

	for (size_t i = 0; i < out->nr_subs; i++) {
		if (out->subs[i].table == table)
			return &out->subs[i].rows;
	}
	if (out->nr_subs == MDB_OUT_MAX_SUBTABLES)
		return NULL;
	sub = &out->subs[out->nr_subs++];
	sub->table = table;
	return &sub->rows;
}

static void
add_subrow(struct mdb_ctx *cx, struct mdb_out *out,
	const struct mdb_table *table, const struct mdb_value *values)
{
	struct mdb_buf *rows = sub_rows(out, table);

	if (rows == NULL)
		return;
	mdb_buf_puts(rows, rows->len == 0 ? "{" : ",{");
	add_members(cx, out, rows, table, values);
	mdb_buf_putc(rows, '}');
}

void
mdb_out_flush_json(struct mdb_out *out)
{
	if (!out->pending)
		return;
	for (size_t i = 0; i < out->nr_subs; i++) {
		struct mdb_out_sub *sub = &out->subs[i];

		/* An object of nothing but nested rows has no comma yet. */
		if (out->line.data[out->line.len - 1] != '{')
			mdb_buf_putc(&out->line, ',');
		put_string(&out->line, sub->table->name);
		mdb_buf_puts(&out->line, ":[");
		mdb_buf_add(&out->line, sub->rows.data, sub->rows.len);
		mdb_buf_putc(&out->line, ']');
		mdb_buf_fini(&sub->rows);
	}
	mdb_out_put_unproven(out, 0);
	mdb_buf_puts(&out->line, "}\n");
	mdb_sink_write(out->sink, out->line.data, out->line.len);
	mdb_buf_reset(&out->line);
	out->nr_subs = 0;
	out->pending = false;
	out->trees = false;
}

/* Remarks between rows are for people only. */
static bool
is_text_only(const struct mdb_table *table)
{
	for (const struct mdb_column *c = table->columns; c->name != NULL; c++)
		if ((c->flags & MDB_COL_TEXT_ONLY) == 0)
			return false;
	return true;
}

enum mdb_status
mdb_json_row(struct mdb_ctx *cx, struct mdb_out *out,
	const struct mdb_table *table, const struct mdb_value *values,
	bool nested)
{
	if (is_text_only(table))
		return mdb_out_check(cx);
	if (nested && out->pending) {
		add_subrow(cx, out, table, values);
		return mdb_out_check(cx);
	}
	mdb_out_flush_json(out);
	mdb_buf_reset(&out->line);
	mdb_buf_putc(&out->line, '{');
	add_members(cx, out, &out->line, table, values);
	out->pending = true;
	return mdb_out_check(cx);
}

void
mdb_out_json_error(struct mdb_sink *sink, const char *command,
	const char *status, const char *message)
{
	struct mdb_buf buf;

	mdb_buf_init(&buf);
	mdb_buf_puts(&buf, "{\"error\":{\"command\":");
	if (command == NULL)
		mdb_buf_puts(&buf, "null");
	else
		put_string(&buf, command);
	mdb_buf_puts(&buf, ",\"status\":");
	put_string(&buf, status);
	mdb_buf_puts(&buf, ",\"message\":");
	put_string(&buf, message);
	mdb_buf_puts(&buf, "}}\n");
	mdb_sink_write(sink, buf.data, buf.len);
	mdb_buf_fini(&buf);
}
