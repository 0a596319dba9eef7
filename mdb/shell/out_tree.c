/* SPDX-License-Identifier: MIT */
/*
 * Value trees.  Text: `name = value`, branches indented by four; an array of
 * plain values is one line, broken at the width of the page; an array of
 * branches has one element per line.  JSON: one object per tree; the members
 * of an unnamed struct or union are its parent's, as in C.
 */
#include "mdb/shell/out.h"

#include "mdb/base/ctx.h"

#include <string.h>

static struct mdb_out_level *
top(struct mdb_out *out)
{
	return out->depth == 0 ? NULL : &out->levels[out->depth - 1];
}

static void
add(struct mdb_out *out, const char *text)
{
	mdb_buf_puts(&out->line, text);
}

static void
put(struct mdb_out *out)
{
	if (out->line.len > 0)
		mdb_sink_write(out->sink, out->line.data, out->line.len);
	mdb_buf_reset(&out->line);
}

/* ---- text ----------------------------------------------------------------
 */

static void
start_line(struct mdb_out *out, const char *prefix, const char *name)
{
	mdb_buf_pad(&out->line, ' ', 4 * out->depth);
	if (prefix != NULL)
		add(out, prefix);
	if (name != NULL)
		add(out, name);
}

/* An element with lines of its own comes into an array. */
static void
make_multiline(struct mdb_out *out)
{
	struct mdb_out_level *array = top(out);

	if (array == NULL || array->branch != MDB_BRANCH_ARRAY ||
		array->multiline)
		return;
	add(out, array->nr_children == 0 ? "\n" : ",\n");
	array->multiline = true;
}

static void
text_open(struct mdb_out *out, const char *prefix, const char *name,
	enum mdb_branch branch)
{
	make_multiline(out);
	start_line(out, prefix, name);
	if (name != NULL)
		add(out, " = ");
	add(out, branch == MDB_BRANCH_STRUCT ? "{\n" : "[");
	out->column = out->line.len + 2;
	put(out);
}

static void
text_element(struct mdb_out *out, const struct mdb_out_level *array,
	const char *text)
{
	size_t width = mdb_text_width(text, strlen(text));

	if (array->nr_children > 0) {
		add(out, ",");
		if (out->column + width + 2 > mdb_sink_width(out->sink)) {
			add(out, "\n");
			mdb_buf_pad(&out->line, ' ', 4 * out->depth + 3);
			out->column = 4 * out->depth + 4;
		}
	}
	add(out, " ");
	add(out, text);
	out->column += width + 2;
}

static void
text_leaf(struct mdb_out *out, const char *prefix, const char *name,
	const char *text)
{
	struct mdb_out_level *level = top(out);
	bool in_array = level != NULL && level->branch == MDB_BRANCH_ARRAY;

	if (in_array && !level->multiline && text != NULL) {
		text_element(out, level, text);
		put(out);
		return;
	}
	make_multiline(out);
	start_line(out, prefix, name);
	if (name != NULL)
		add(out, text == NULL ? " " : " = ");
	if (text != NULL)
		add(out, text);
	add(out, in_array ? ",\n" : "\n");
	put(out);
}

static void
text_close(struct mdb_out *out, const struct mdb_out_level *closed)
{
	struct mdb_out_level *parent = top(out);

	if (closed->branch == MDB_BRANCH_ARRAY && !closed->multiline) {
		add(out, " ]");
	} else {
		mdb_buf_pad(&out->line, ' ', 4 * out->depth);
		add(out, closed->branch == MDB_BRANCH_ARRAY ? "]" : "}");
	}
	if (parent != NULL && parent->branch == MDB_BRANCH_ARRAY)
		add(out, ",");
	add(out, "\n");
	put(out);
}

/* ---- JSON ----------------------------------------------------------------
 */

/* What separates from what came before, and the key. */
static void
json_key(struct mdb_out *out, const char *name)
{
	struct mdb_out_level *level = top(out);
	char before = '{';

	if (level == NULL && !out->pending)
		add(out, "{");
	if (out->line.len > 0)
		before = out->line.data[out->line.len - 1];
	if (before != '{' && before != '[')
		add(out, ",");
	if (level != NULL && level->branch == MDB_BRANCH_ARRAY)
		return;
	if (name == NULL)
		name = "value";
	mdb_escape_json(&out->line, name, strlen(name));
	add(out, ":");
}

/* A value that is not proven is named in the object that has it; an element of
 * an array by the array's name. */
static void
note_unproven(struct mdb_out *out, const char *name)
{
	struct mdb_out_level *level = top(out);

	if (level != NULL && level->branch == MDB_BRANCH_ARRAY) {
		level->unproven = true;
		return;
	}
	if (out->unproven.len > (level != NULL ? level->unproven_at : 0))
		mdb_buf_putc(&out->unproven, ',');
	if (name == NULL)
		name = "value";
	mdb_escape_json(&out->unproven, name, strlen(name));
}

void
mdb_out_put_unproven(struct mdb_out *out, size_t from)
{
	struct mdb_buf *names = &out->unproven;

	if (names->len <= from)
		return;
	add(out, ",\"unproven\":[");
	mdb_buf_add(&out->line, names->data + from, names->len - from);
	add(out, "]");
	names->len = from;
}

/* A new line, unless the tree is one more member of the call's object. */
static void
json_root(struct mdb_out *out, bool member)
{
	if (out->depth > 0)
		return;
	if (!member || !out->trees)
		mdb_out_flush_json(out);
}

/* The end of a tree: the call may state more members of the same object. */
static void
json_finish(struct mdb_out *out, bool member)
{
	if (out->depth > 0)
		return;
	if (member) {
		out->pending = true;
		out->trees = true;
		return;
	}
	add(out, "\n");
	put(out);
}

static void
json_open(struct mdb_out *out, const char *name, struct mdb_out_level *new)
{
	const struct mdb_out_level *level = top(out);
	bool is_object = new->branch == MDB_BRANCH_STRUCT;

	new->member = out->depth == 0 && (name != NULL || !is_object);
	new->flat = level != NULL &&
		    level->branch == MDB_BRANCH_STRUCT &&is_object &&
		    (name == NULL || name[0] == '\0');
	json_root(out, new->member);
	new->name = name;
	new->unproven_at = new->flat ? level->unproven_at : out->unproven.len;
	if (new->flat)
		return;
	if (out->depth > 0 || new->member)
		json_key(out, name);
	add(out, is_object ? "{" : "[");
}

static void
json_leaf(struct mdb_ctx *cx, struct mdb_out *out, const char *name,
	const struct mdb_value *value)
{
	json_root(out, true);
	json_key(out, name);
	mdb_value_json(cx, &out->line, value);
	if (mdb_value_is_unproven(value))
		note_unproven(out, name);
	json_finish(out, true);
}

static void
json_close(struct mdb_out *out, const struct mdb_out_level *closed)
{
	bool is_struct = closed->branch == MDB_BRANCH_STRUCT;

	if (is_struct && !closed->flat)
		mdb_out_put_unproven(out, closed->unproven_at);
	if (!closed->flat)
		add(out, is_struct ? "}" : "]");
	if (closed->unproven)
		note_unproven(out, closed->name);
	json_finish(out, closed->member);
}

static void
count_child(struct mdb_out *out)
{
	struct mdb_out_level *level = top(out);

	if (level != NULL)
		level->nr_children++;
}

/* ---- the interface -------------------------------------------------------
 */

enum mdb_status
mdb_tree_open(struct mdb_ctx *cx, const char *prefix, const char *name,
	enum mdb_branch branch)
{
	struct mdb_out *out = cx->out;
	struct mdb_out_level level = { .branch = branch };
	enum mdb_status st = mdb_out_check(cx);

	if (out == NULL || st != MDB_OK)
		return st;
	if (out->depth == MDB_TREE_MAX_DEPTH)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"values nested deeper than %d", MDB_TREE_MAX_DEPTH);
	if (out->mode == MDB_OUT_TEXT)
		text_open(out, prefix, name, branch);
	if (out->mode == MDB_OUT_JSON)
		json_open(out, name, &level);
	out->levels[out->depth++] = level;
	return MDB_OK;
}

enum mdb_status
mdb_tree_leaf(struct mdb_ctx *cx, const char *prefix, const char *name,
	const char *text, struct mdb_value json)
{
	struct mdb_out *out = cx->out;
	enum mdb_status st = mdb_out_check(cx);
	struct mdb_loc loc;

	if (out == NULL || st != MDB_OK)
		return st;
	if (out->mode == MDB_OUT_PIPE) {
		if (mdb_value_loc(cx, &json, &loc))
			return mdb_emit_loc(cx, loc);
		return MDB_OK;
	}
	if (out->mode == MDB_OUT_TEXT)
		text_leaf(out, prefix, name, text);
	else
		json_leaf(cx, out, name, &json);
	count_child(out);
	return MDB_OK;
}

enum mdb_status
mdb_tree_close(struct mdb_ctx *cx)
{
	struct mdb_out *out = cx->out;
	struct mdb_out_level closed;

	if (out == NULL || out->depth == 0)
		return MDB_OK;
	closed = out->levels[--out->depth];
	if (out->mode == MDB_OUT_TEXT)
		text_close(out, &closed);
	if (out->mode == MDB_OUT_JSON)
		json_close(out, &closed);
	count_child(out);
	return mdb_out_check(cx);
}

void
mdb_tree_abandon(struct mdb_out *out)
{
	if (out->depth == 0)
		return;
	if (out->mode == MDB_OUT_TEXT && mdb_sink_in_line(out->sink))
		mdb_sink_puts(out->sink, "\n");
	while (out->depth > 0) {
		struct mdb_out_level closed = out->levels[--out->depth];

		if (out->mode == MDB_OUT_JSON)
			json_close(out, &closed);
	}
}
