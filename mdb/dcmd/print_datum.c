/* SPDX-License-Identifier: MIT */
/*
 * A datum: reading its bytes, its members, and the member expressions that
 * lead from one datum to another.
 */
#include "mdb/dcmd/print.h"

#include <inttypes.h>
#include <string.h>

enum mdb_status
mdb_datum_read(struct mdb_ctx *cx, const struct mdb_datum *d, void *buf,
	size_t len)
{
	if (d->missing != MDB_OK)
		return mdb_fail(cx, d->missing, "%s",
			mdb_status_name(d->missing));
	switch (d->place) {
	case MDB_PLACE_MEMORY:
		return mdb_read(cx, d->loc, buf, len);
	case MDB_PLACE_MACHINE:
		return mdb_read_machine(cx, d->loc.addr, buf, len);
	case MDB_PLACE_IMMEDIATE:
		if (d->loc.addr > 8 || len > 8 - d->loc.addr)
			break;
		for (size_t i = 0; i < len; i++)
			((uint8_t *)buf)[i] = (uint8_t)(d->immediate >>
							8 * (d->loc.addr + i));
		return MDB_OK;
	case MDB_PLACE_NONE:
		break;
	}
	return mdb_fail(cx, MDB_E_UNSUPPORTED, "there are no bytes to read");
}

static uint64_t
little(const uint8_t *bytes, size_t len)
{
	uint64_t v = 0;

	while (len-- > 0)
		v = v << 8 | bytes[len];
	return v;
}

enum mdb_status
mdb_datum_number(struct mdb_ctx *cx, const struct mdb_datum *d,
	uint64_t *value_out)
{
	struct mdb_int_info info = mdb_type_int_info(d->type);
	uint32_t nr_bits = d->nr_bits;
	uint8_t bytes[8] = { 0 };
	enum mdb_status st;
	uint64_t size, v;

	st = mdb_type_size(cx, d->type, &size);
	if (st != MDB_OK)
		return st;
	if (!nr_bits && size <= 8)
		nr_bits = (uint32_t)size * 8;
	if (!nr_bits || nr_bits > 64 || nr_bits + d->shift > 64)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"a number of %" PRIu64 " bytes", size);
	st = mdb_datum_read(cx, d, bytes, (d->shift + nr_bits + 7) / 8);
	if (st != MDB_OK)
		return st;
	v = little(bytes, sizeof(bytes)) >> d->shift;
	v <<= 64 - nr_bits;
	*value_out = info.is_signed ? (uint64_t)((int64_t)v >> (64 - nr_bits))
				    : v >> (64 - nr_bits);
	return MDB_OK;
}

struct mdb_datum
mdb_datum_member(struct mdb_ctx *cx, const struct mdb_datum *d,
	const struct mdb_member *m, const char *name)
{
	struct mdb_datum out = *d;

	out.type = m->type;
	out.loc.addr += m->bit_offset / 8;
	out.shift = m->bit_offset % 8;
	out.nr_bits = m->nr_bits;
	mdb_datum_enter(cx, d, name, &out);
	return out;
}

enum mdb_status
mdb_datum_element(struct mdb_ctx *cx, const struct mdb_datum *d, uint64_t index,
	struct mdb_datum *out)
{
	struct mdb_type element = mdb_type_target(mdb_type_resolve(d->type));
	enum mdb_status st;
	uint64_t size;

	st = mdb_type_size(cx, element, &size);
	if (st != MDB_OK)
		return st;
	*out = *d;
	out->type = element;
	out->loc.addr += index * size;
	out->shift = out->nr_bits = 0;
	return MDB_OK;
}

/* What a pointer points to. */
static enum mdb_status
follow(struct mdb_ctx *cx, struct mdb_datum *d)
{
	struct mdb_type pointer = mdb_type_resolve(d->type);
	uint64_t addr = 0;
	enum mdb_status st;

	if (mdb_type_kind(pointer) != MDB_T_POINTER)
		return mdb_fail(cx, MDB_E_USAGE, "\"%s\" is no pointer",
			mdb_type_name(cx, d->type));
	if (d->place == MDB_PLACE_NONE)
		return mdb_fail(cx, MDB_E_USAGE,
			"a pointer can be followed only with an address");
	st = mdb_datum_refuse(cx, d);
	if (st != MDB_OK)
		return st;
	if (d->missing == MDB_OK) {
		st = mdb_datum_number(cx, d, &addr);
		if (st != MDB_OK && !mdb_is_fault(st))
			return st;
		d->missing = st;
		if (st != MDB_OK)
			mdb_forget(cx);
		else if (!addr)
			d->missing = MDB_E_UNMAPPED;
		d->is_null = st == MDB_OK && !addr;
	}
	d->type = mdb_type_complete(mdb_type_target(pointer));
	d->loc.addr = addr;
	d->place = MDB_PLACE_MEMORY;
	d->shift = d->nr_bits = 0;
	d->outer = d->way = NULL;
	return MDB_OK;
}

static bool
is_pointer(struct mdb_type type)
{
	return mdb_type_kind(mdb_type_resolve(type)) == MDB_T_POINTER;
}

/* "[expr]" of an array or pointer. */
static enum mdb_status
step_index(struct mdb_ctx *cx, struct mdb_datum *d, const char **path)
{
	const char *end = strchr(*path, ']');
	uint64_t index, size = 0;
	enum mdb_status st;

	if (!end)
		return mdb_fail(cx, MDB_E_SYNTAX, "']' expected near \"%s\"",
			*path);
	st = mdb_eval_expr(cx,
		mdb_tmp_printf(cx, "%.*s", (int)(end - *path - 1), *path + 1),
		&index);
	if (st != MDB_OK)
		return st;
	*path = end + 1;
	if (is_pointer(d->type)) {
		st = follow(cx, d);
		if (st != MDB_OK)
			return st;
		st = mdb_type_size(cx, d->type, &size);
		d->loc.addr += index * size;
		return st;
	}
	if (mdb_type_kind(mdb_type_resolve(d->type)) != MDB_T_ARRAY)
		return mdb_fail(cx, MDB_E_USAGE, "\"%s\" is no array",
			mdb_type_name(cx, d->type));
	if (mdb_type_array_count(d->type) > 1 &&
		index >= mdb_type_array_count(d->type))
		return mdb_fail(cx, MDB_E_USAGE,
			"index %#" PRIx64 " is outside of array bounds "
			"[0 .. %#" PRIx64 "]",
			index, mdb_type_array_count(d->type) - 1);
	return mdb_datum_element(cx, d, index, d);
}

static enum mdb_status
step_name(struct mdb_ctx *cx, struct mdb_datum *d, const char **path)
{
	size_t len = strcspn(*path, ".[- \t");
	const char *name;
	struct mdb_member m;
	enum mdb_status st;

	if (!len)
		return mdb_fail(cx, MDB_E_SYNTAX,
			"member name expected near \"%s\"", *path);
	name = mdb_tmp_printf(cx, "%.*s", (int)len, *path);
	st = mdb_type_member(cx, d->type, name, &m);
	if (st != MDB_OK)
		return st;
	*d = mdb_datum_member(cx, d, &m, name);
	*path += len;
	return MDB_OK;
}

/* A dot is taken for an arrow where it stands at a pointer. */
enum mdb_status
mdb_datum_path(struct mdb_ctx *cx, const struct mdb_datum *d, const char *path,
	struct mdb_datum *out)
{
	struct mdb_datum at = *d;
	enum mdb_status st = MDB_OK;

	while (*path && st == MDB_OK) {
		if (*path == '[') {
			st = step_index(cx, &at, &path);
			continue;
		}
		if (!strncmp(path, "->", 2)) {
			path += 2;
			st = follow(cx, &at);
		} else {
			path += *path == '.';
			if (is_pointer(at.type))
				st = follow(cx, &at);
		}
		if (st == MDB_OK)
			st = step_name(cx, &at, &path);
	}
	if (st == MDB_OK && mdb_datum_is_leaf(&at))
		st = mdb_datum_refuse(cx, &at);
	if (st == MDB_OK)
		*out = at;
	return st;
}

/* ---- operands ------------------------------------------------------------ */

struct mdb_world *
mdb_call_world(struct mdb_ctx *cx, const struct mdb_call *call)
{
	if (call->has_addr && call->loc.world)
		return call->loc.world;
	return mdb_world_current(cx);
}

/* Does another word belong to a type that ends with this one? */
static bool
wants_more(const char *word, const char *next)
{
	static const char *const open[] = { "struct", "union", "enum", "const",
		"volatile", "unsigned", "signed", "long", "short", NULL };
	static const char *const ints[] = { "int", "long", "char", "short",
		"unsigned", NULL };
	const char *tick = strrchr(word, '`');

	word = tick ? tick + 1 : word;
	if (!next)
		return false;
	if (*next == '*' || *next == '[' || *next == '(')
		return strspn(next, "*[]()0123456789xabcdefABCDEF") ==
		       strlen(next);
	for (int i = 0; open[i]; i++) {
		if (strcmp(word, open[i]) != 0)
			continue;
		if (i < 5)
			return true;
		for (int j = 0; ints[j]; j++)
			if (!strcmp(next, ints[j]))
				return true;
	}
	return false;
}

/* Does a reader of the one see the other: the same members at one place? */
static bool
looks_same(struct mdb_ctx *cx, struct mdb_type a, struct mdb_type b)
{
	size_t nr = mdb_type_nr_members(a);
	struct mdb_member x, y;
	uint64_t a_size = 0, b_size = 0;

	if (nr != mdb_type_nr_members(b) ||
		mdb_type_size(cx, a, &a_size) != MDB_OK ||
		mdb_type_size(cx, b, &b_size) != MDB_OK || a_size != b_size)
		return false;
	for (size_t i = 0; i < nr; i++)
		if (mdb_type_member_at(cx, a, i, &x) != MDB_OK ||
			mdb_type_member_at(cx, b, i, &y) != MDB_OK ||
			x.bit_offset != y.bit_offset ||
			x.nr_bits != y.nr_bits || strcmp(x.name, y.name) != 0)
			return false;
	return true;
}

/*
 * Says so when a name means more than one structure.  What differs only in
 * how much a file knew of the types of its members is one.
 */
static void
warn_namesakes(struct mdb_ctx *cx, const struct mdb_call *call,
	const char *name, struct mdb_type type)
{
	enum mdb_type_kind kind = mdb_type_kind(type);
	size_t nr;

	while (kind == MDB_T_POINTER || kind == MDB_T_ARRAY) {
		type = mdb_type_target(type);
		kind = mdb_type_kind(type);
	}
	nr = strchr(name, '#') ? 1 : mdb_type_nr_namesakes(type);
	for (size_t i = 2; i <= nr; i++) {
		const char *nth = mdb_tmp_printf(cx, "%s#%zu",
			mdb_type_name(cx, type), i);
		struct mdb_type other;

		if (mdb_type_by_name(cx, mdb_call_world(cx, call), nth,
			    &other) == MDB_OK &&
			looks_same(cx, type, other))
			continue;
		mdb_forget(cx);
		mdb_warn(cx, MDB_OK,
			"\"%s\" has %zu definitions, this is the first: "
			"\"%s\" is another",
			mdb_type_name(cx, type), nr, nth);
		return;
	}
}

enum mdb_status
mdb_operand_type(struct mdb_ctx *cx, const struct mdb_call *call, int first,
	struct mdb_type *type_out, int *used_out)
{
	const char *name;
	enum mdb_status st;
	int n = first;

	if (first >= call->argc)
		return mdb_fail(cx, MDB_E_USAGE, "a type is needed");
	name = call->argv[n++];
	while (n < call->argc && wants_more(call->argv[n - 1], call->argv[n]))
		name = mdb_tmp_printf(cx, "%s %s", name, call->argv[n++]);
	st = mdb_type_by_name(cx, mdb_call_world(cx, call), name, type_out);
	if (st != MDB_OK)
		return st;
	*used_out = n - first;
	if (call->first)
		warn_namesakes(cx, call, name, *type_out);
	return MDB_OK;
}

enum mdb_status
mdb_implied_type(struct mdb_ctx *cx, const struct mdb_call *call,
	struct mdb_type *type_out)
{
	struct mdb_sym sym;
	enum mdb_status st;

	if (!call->has_addr)
		return mdb_fail(cx, MDB_E_USAGE, "a type is needed");
	st = mdb_sym_by_addr(cx, call->loc, false, &sym);
	if (st == MDB_OK && sym.value == call->loc.addr)
		return mdb_type_of_sym(cx, &sym, type_out);
	if (st == MDB_OK || st == MDB_E_NOTFOUND)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"no variable begins at %#" PRIx64 ": name a type",
			call->loc.addr);
	return st;
}
