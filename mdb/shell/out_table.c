/* SPDX-License-Identifier: MIT */
/*
 * Rows as a table.  Columns are separated by a blank; a value wider than its
 * column pushes the rest to the right; the last column is not padded.
 */
#include "mdb/shell/out.h"

#include "mdb/base/ctx.h"

#include <string.h>

#define UNDERLINE "\033[4m"
#define PLAIN "\033[m"

static size_t
width_of(struct mdb_ctx *cx, const struct mdb_column *column)
{
	if (column->width != MDB_WIDTH_ADDR)
		return (size_t)column->width;
	return cx->world == NULL ? 16 : 2 * mdb_world_word(cx->world);
}

static bool
in_table(const struct mdb_out *out, const struct mdb_column *column)
{
	return (column->flags & MDB_COL_JSON_ONLY) == 0 &&
	       mdb_out_shows(out, column);
}

static bool
is_last(const struct mdb_out *out, const struct mdb_column *column)
{
	while ((++column)->name != NULL) {
		if (in_table(out, column))
			return false;
	}
	return true;
}

/* Pads what was added to the line from `from` on. */
static void
pad(struct mdb_out *out, size_t from, size_t width, bool left)
{
	struct mdb_buf *b = &out->line;
	size_t len = b->len - from;
	size_t have = len == 0 ? 0 : mdb_text_width(b->data + from, len);
	size_t blanks = have < width ? width - have : 0;

	mdb_buf_pad(b, ' ', blanks);
	if (!left && len > 0 && blanks > 0) {
		memmove(b->data + from + blanks, b->data + from, len);
		memset(b->data + from, ' ', blanks);
	}
}

static void
add_cell(struct mdb_out *out, const struct mdb_table *table,
	const struct mdb_column *column, size_t from, size_t width)
{
	bool left = (column->flags & MDB_COL_LEFT) != 0;

	if (!is_last(out, column)) {
		pad(out, from, width, left);
		mdb_buf_puts(&out->line,
			table->separator == NULL ? " " : table->separator);
	} else if (!left) {
		pad(out, from, width, false);
	}
}

/* Removes the blanks that separators and empty cells left at the end. */
static void
trim(struct mdb_buf *b, size_t value_len)
{
	if (value_len > 0)
		return;
	while (b->len > 0 && b->data[b->len - 1] == ' ')
		b->data[--b->len] = '\0';
}

static void
put_line(struct mdb_out *out)
{
	mdb_buf_putc(&out->line, '\n');
	mdb_sink_write(out->sink, out->line.data, out->line.len);
	mdb_buf_reset(&out->line);
}

static bool
has_heading(const struct mdb_out *out, const struct mdb_table *table)
{
	for (const struct mdb_column *c = table->columns; c->name != NULL;
		c++) {
		if (in_table(out, c) && c->heading == NULL)
			return false;
	}
	return true;
}

static void
heading_row(struct mdb_ctx *cx, struct mdb_out *out,
	const struct mdb_table *table)
{
	bool styled = mdb_sink_has_style(out->sink);
	struct mdb_table plain = *table;

	if (!has_heading(out, table))
		return;
	plain.separator = NULL;
	mdb_buf_reset(&out->line);
	mdb_buf_pad(&out->line, ' ', (size_t)table->indent);
	if (styled)
		mdb_buf_puts(&out->line, UNDERLINE);
	for (const struct mdb_column *c = table->columns; c->name != NULL;
		c++) {
		size_t from = out->line.len;

		if (!in_table(out, c))
			continue;
		mdb_buf_puts(&out->line, c->heading);
		add_cell(out, &plain, c, from, width_of(cx, c));
	}
	trim(&out->line, 0);
	if (styled)
		mdb_buf_puts(&out->line, PLAIN);
	put_line(out);
}

static void
value_row(struct mdb_ctx *cx, struct mdb_out *out,
	const struct mdb_table *table, const struct mdb_value *values)
{
	size_t last_len = 1;

	mdb_buf_reset(&out->line);
	mdb_buf_pad(&out->line, ' ', (size_t)table->indent);
	for (const struct mdb_column *c = table->columns; c->name != NULL;
		c++, values++) {
		size_t from = out->line.len, width = width_of(cx, c);

		if (!in_table(out, c))
			continue;
		mdb_value_text(cx, &out->line, values, width, c->flags);
		last_len = out->line.len - from;
		add_cell(out, table, c, from, width);
	}
	trim(&out->line, last_len);
	put_line(out);
}

/* Some tables are for programs only. */
static bool
is_json_only(const struct mdb_out *out, const struct mdb_table *table)
{
	for (const struct mdb_column *c = table->columns; c->name != NULL; c++)
		if (in_table(out, c))
			return false;
	return true;
}

enum mdb_status
mdb_table_row(struct mdb_ctx *cx, struct mdb_out *out,
	const struct mdb_table *table, const struct mdb_value *values,
	bool nested)
{
	const struct mdb_table **headed =
		nested ? &out->sub_headed : &out->headed;

	if (is_json_only(out, table))
		return mdb_out_check(cx);
	if (*headed != table)
		heading_row(cx, out, table);
	*headed = table;
	if (!nested)
		out->sub_headed = NULL;
	value_row(cx, out, table, values);
	return mdb_out_check(cx);
}
