/* SPDX-License-Identifier: MIT */
/*
 * A datum as a value tree: structures and unions member by member, arrays
 * element by element, with the address, type and holes that were asked for.
 *
 * Bounded by the style: depth, elements, and the number of values in all, so
 * that types which contain themselves end.
 */
#include "mdb/dcmd/print.h"
#include "mdb/shell/session.h"

#include <inttypes.h>
#include <string.h>

/* The output nests this deep. */
#define MAX_DEPTH 60

static enum mdb_status print(struct mdb_ctx *cx, const struct mdb_datum *d,
	const char *name, struct mdb_style *style, uint64_t depth);

/* As in a declaration: no blank between a star and the name. */
static const char *
spaced(struct mdb_ctx *cx, const char *before, const char *type)
{
	size_t len = strlen(type);

	return mdb_tmp_printf(cx, "%s%s%s", before, type,
		len && type[len - 1] == '*' ? "" : " ");
}

/* "ffff888003a4c0 struct list_head <<struct list_head>> ", or NULL. */
static const char *
prefix_of(struct mdb_ctx *cx, const struct mdb_datum *d,
	const struct mdb_style *style)
{
	const char *text = "";

	if (style->addresses && d->place != MDB_PLACE_IMMEDIATE)
		text = mdb_tmp_printf(cx, "%" PRIx64 "%s ", d->loc.addr,
			d->nr_bits ? mdb_tmp_printf(cx, ".%x", d->shift) : "");
	if (style->types || style->base_types)
		text = spaced(cx, text, mdb_type_name(cx, d->type));
	if (style->base_types)
		text = mdb_tmp_printf(cx, "%s<<%s>> ", text,
			mdb_type_name(cx, mdb_type_resolve(d->type)));
	return *text ? text : NULL;
}

/* With types, a bitfield's name carries its width. */
static const char *
name_of(struct mdb_ctx *cx, const struct mdb_datum *d, const char *name,
	const struct mdb_style *style)
{
	if (!name || !*name)
		return NULL;
	name = mdb_escape(cx, name, strlen(name));
	if (d->nr_bits && (style->types || style->base_types))
		return mdb_tmp_printf(cx, "%s :%u", name, d->nr_bits);
	return name;
}

static enum mdb_status
print_hole(struct mdb_ctx *cx, uint64_t bits)
{
	const char *text =
		bits % 8 ? mdb_tmp_printf(cx, "%" PRIu64 " bits", bits)
			 : mdb_tmp_printf(cx, "%" PRIu64 " bytes", bits / 8);

	return mdb_tree_leaf(cx, NULL, "<<hole>>", text, mdb_v_text(text));
}

/* Bits between what ended before and where the next begins. */
static enum mdb_status
hole_before(struct mdb_ctx *cx, const struct mdb_style *style, uint64_t *end,
	const struct mdb_member *m)
{
	enum mdb_status st = MDB_OK;
	uint64_t size;

	if (!style->holes)
		return MDB_OK;
	if (m->bit_offset > *end)
		st = print_hole(cx, m->bit_offset - *end);
	if (m->nr_bits) {
		size = m->nr_bits;
	} else if (mdb_type_size(cx, m->type, &size) == MDB_OK) {
		size *= 8;
	} else {
		mdb_forget(cx);
		size = 0;
	}
	if (m->bit_offset + size > *end)
		*end = m->bit_offset + size;
	return st;
}

static enum mdb_status
print_members(struct mdb_ctx *cx, const struct mdb_datum *d,
	struct mdb_style *style, uint64_t depth)
{
	bool is_struct = mdb_type_kind(d->type) == MDB_T_STRUCT;
	size_t nr = mdb_type_nr_members(d->type);
	enum mdb_status st = MDB_OK;
	uint64_t end = 0, size;
	struct mdb_member m;

	for (size_t i = 0; i < nr && st == MDB_OK; i++) {
		st = mdb_type_member_at(cx, d->type, i, &m);
		if (st == MDB_OK && is_struct)
			st = hole_before(cx, style, &end, &m);
		if (st != MDB_OK)
			break;
		struct mdb_datum member = mdb_datum_member(cx, d, &m, m.name);
		st = print(cx, &member, m.name, style, depth);
	}
	if (st == MDB_OK && is_struct && style->holes &&
		mdb_type_size(cx, d->type, &size) == MDB_OK && size * 8 > end)
		st = print_hole(cx, size * 8 - end);
	return st;
}

static enum mdb_status
print_elements(struct mdb_ctx *cx, const struct mdb_datum *d,
	struct mdb_style *style, uint64_t depth)
{
	uint64_t count = mdb_type_array_count(d->type);
	uint64_t show =
		count < style->max_elements ? count : style->max_elements;
	enum mdb_status st = MDB_OK;
	struct mdb_datum element;

	for (uint64_t i = 0; i < show && st == MDB_OK; i++) {
		st = mdb_datum_element(cx, d, i, &element);
		if (st == MDB_OK)
			st = print(cx, &element, NULL, style, depth);
	}
	if (st == MDB_OK && show < count)
		st = mdb_tree_leaf(cx, NULL, NULL, "...", mdb_v_text("..."));
	return st;
}

static enum mdb_status
print_branch(struct mdb_ctx *cx, const struct mdb_datum *d, const char *name,
	struct mdb_style *style, uint64_t depth)
{
	struct mdb_datum at = *d;
	enum mdb_status st;

	at.type = mdb_type_resolve(d->type);
	bool is_array = mdb_type_kind(at.type) == MDB_T_ARRAY;
	st = mdb_tree_open(cx, prefix_of(cx, d, style), name,
		is_array ? MDB_BRANCH_ARRAY : MDB_BRANCH_STRUCT);
	if (st != MDB_OK)
		return st;
	st = is_array ? print_elements(cx, &at, style, depth + 1)
		      : print_members(cx, &at, style, depth + 1);
	return st == MDB_OK ? mdb_tree_close(cx) : st;
}

/* What lies where a refuted member should be is something else. */
static const char *
leaf_text(struct mdb_ctx *cx, const struct mdb_datum *d,
	const struct mdb_style *style, struct mdb_value *json_out)
{
	enum mdb_trust trust = mdb_datum_trust(cx, d);
	const char *text;

	if (trust == MDB_TRUST_REFUTED) {
		*json_out = mdb_v_none();
		return "<refuted>";
	}
	text = mdb_datum_text(cx, d, style, json_out);
	if (trust != MDB_TRUST_UNPROVEN)
		return text;
	*json_out = mdb_v_unproven(*json_out);
	return mdb_tmp_printf(cx, "%s?", text);
}

/* In JSON a pointer is an address; what a member that points to text leads to
 * is one more member, named as in C: "*comm". */
static enum mdb_status
print_pointed(struct mdb_ctx *cx, const struct mdb_datum *d, const char *name,
	const struct mdb_style *style)
{
	const char *text;

	if (!cx->session->opts.json || mdb_is_piped(cx) || name == NULL ||
		mdb_datum_trust(cx, d) == MDB_TRUST_REFUTED)
		return MDB_OK;
	text = mdb_datum_pointed(cx, d, style);
	if (text == NULL)
		return MDB_OK;
	return mdb_tree_leaf(cx, NULL, mdb_tmp_printf(cx, "*%s", name), text,
		mdb_v_str(text, strlen(text)));
}

static enum mdb_status
print(struct mdb_ctx *cx, const struct mdb_datum *d, const char *name,
	struct mdb_style *style, uint64_t depth)
{
	struct mdb_value json;
	enum mdb_status st;
	const char *text;

	if (!style->values_left)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"a value of too many members; does its type contain "
			"itself?");
	style->values_left--;
	name = name_of(cx, d, name, style);
	if (mdb_datum_is_leaf(d)) {
		text = leaf_text(cx, d, style, &json);
		st = mdb_tree_leaf(cx, prefix_of(cx, d, style), name, text,
			json);
		return st == MDB_OK ? print_pointed(cx, d, name, style) : st;
	}
	if (depth >= style->max_depth || depth >= MAX_DEPTH)
		return mdb_tree_leaf(cx, prefix_of(cx, d, style), name,
			"{ ... }", mdb_v_text("..."));
	return print_branch(cx, d, name, style, depth);
}

enum mdb_status
mdb_datum_print(struct mdb_ctx *cx, const struct mdb_datum *d, const char *name,
	struct mdb_style *style)
{
	return print(cx, d, name, style, 0);
}

enum mdb_status
mdb_datum_emit(struct mdb_ctx *cx, const struct mdb_datum *d)
{
	struct mdb_datum at = *d;
	struct mdb_loc loc = d->loc;
	enum mdb_status st;

	if (d->is_null)
		return MDB_OK;
	at.type = mdb_type_resolve(d->type);
	switch (mdb_type_kind(at.type)) {
	case MDB_T_INT:
	case MDB_T_ENUM:
	case MDB_T_POINTER:
		break;
	default:
		return d->missing == MDB_OK ? mdb_emit_loc(cx, loc) : MDB_OK;
	}
	st = mdb_datum_number(cx, &at, &loc.addr);
	if (mdb_is_fault(st)) {
		mdb_warn(cx, st, "nothing is passed on for %#" PRIx64,
			d->loc.addr);
		return MDB_OK;
	}
	return st == MDB_OK ? mdb_emit_loc(cx, loc) : st;
}
