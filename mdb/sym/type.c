/* SPDX-License-Identifier: MIT */
/*
 * What can be asked of a type, over any container.
 *
 * Trusts no id: a chain of typedefs, arrays or anonymous members that comes
 * back to itself ends at a bound, as void or as "no such member".  A type
 * handed out names the container that its id lives in, so that a module's
 * pointer to a kernel structure is the kernel's own type.
 */
#include "mdb/sym/types.h"

#include "mdb/base/ctx.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CHAIN 64 /* typedefs and qualifiers, array dimensions */
#define MAX_NAMESAKES 100
#define MAX_NESTING 32	  /* of anonymous members */
#define MAX_VISITS 200000 /* members looked at for one name */

void
mdb_type_describe(struct mdb_type type, struct mdb_type_desc *desc_out)
{
	if (type.types)
		type.types->ops->get(type.types, type.id, desc_out);
	else
		*desc_out = (struct mdb_type_desc){ .name = "" };
}

/* An id met in a container as a type of the container that it lives in. */
static struct mdb_type
type_at(struct mdb_types *types, uint32_t id)
{
	while (types->base && id < types->first_id)
		types = types->base;
	return (struct mdb_type){ types, id };
}

static bool
is_alias(enum mdb_type_kind kind)
{
	return kind == MDB_T_TYPEDEF || kind == MDB_T_CONST ||
	       kind == MDB_T_VOLATILE || kind == MDB_T_RESTRICT;
}

/* Resolved and decoded in one go. */
static struct mdb_type
resolve(struct mdb_type type, struct mdb_type_desc *desc)
{
	mdb_type_describe(type, desc);
	for (int i = 0; is_alias(desc->kind); i++) {
		if (i == MAX_CHAIN) {
			type.id = 0;
			mdb_type_describe(type, desc);
			break;
		}
		type = type_at(type.types, desc->target);
		mdb_type_describe(type, desc);
	}
	return type;
}

enum mdb_type_kind
mdb_type_kind(struct mdb_type type)
{
	struct mdb_type_desc desc;

	mdb_type_describe(type, &desc);
	return desc.kind;
}

struct mdb_type
mdb_type_resolve(struct mdb_type type)
{
	struct mdb_type_desc desc;

	return resolve(type, &desc);
}

struct mdb_type
mdb_type_target(struct mdb_type type)
{
	struct mdb_type_desc desc;

	mdb_type_describe(type, &desc);
	if (!type.types || !desc.target)
		return (struct mdb_type){ type.types, 0 };
	return type_at(type.types, desc.target);
}

struct mdb_type
mdb_type_complete(struct mdb_type type)
{
	struct mdb_type_desc desc;
	struct mdb_type full;
	uint32_t id = 0;

	full = resolve(type, &desc);
	if (desc.kind != MDB_T_FORWARD)
		return type;
	for (struct mdb_types *t = full.types; t && !id; t = t->base) {
		id = t->ops->find(t, desc.is_union ? MDB_T_UNION : MDB_T_STRUCT,
			desc.name);
		full.types = t;
	}
	return id ? (struct mdb_type){ full.types, id } : type;
}

size_t
mdb_type_nr_namesakes(struct mdb_type type)
{
	struct mdb_type_desc desc;
	unsigned int n = 1;

	mdb_type_describe(type, &desc);
	if (type.types && *desc.name && type.types->ops->find_nth)
		while (n < MAX_NAMESAKES &&
			type.types->ops->find_nth(type.types, desc.kind,
				desc.name, n + 1))
			n++;
	return n;
}

enum mdb_status
mdb_type_size(struct mdb_ctx *cx, struct mdb_type type, uint64_t *size_out)
{
	struct mdb_type_desc desc;
	uint64_t count = 1, size;

	type = resolve(type, &desc);
	for (int i = 0; desc.kind == MDB_T_ARRAY; i++) {
		if (i == MAX_CHAIN ||
			__builtin_mul_overflow(count, desc.count, &count))
			return mdb_fail(cx, MDB_E_CORRUPT,
				"a type of arrays without end");
		type = resolve(type_at(type.types, desc.target), &desc);
	}
	switch (desc.kind) {
	case MDB_T_VOID:
	case MDB_T_FUNC:
		return mdb_fail(cx, MDB_E_NOTFOUND, "\"%s\" has no size",
			mdb_type_name(cx, type));
	case MDB_T_FORWARD:
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"\"%s\" is declared but not defined",
			mdb_type_name(cx, type));
	default:
		break;
	}
	if (__builtin_mul_overflow(count, desc.size, &size))
		return mdb_fail(cx, MDB_E_CORRUPT,
			"a type of %" PRIu64 " elements of %" PRIu64 " bytes",
			count, desc.size);
	*size_out = size;
	return MDB_OK;
}

struct mdb_int_info
mdb_type_int_info(struct mdb_type type)
{
	struct mdb_type_desc desc;

	resolve(type, &desc);
	return desc.int_info;
}

uint64_t
mdb_type_array_count(struct mdb_type type)
{
	struct mdb_type_desc desc;

	resolve(type, &desc);
	return desc.kind == MDB_T_ARRAY ? desc.count : 0;
}

/* ---- members ------------------------------------------------------------- */

static bool
has_members(const struct mdb_type_desc *desc)
{
	return desc->kind == MDB_T_STRUCT || desc->kind == MDB_T_UNION;
}

static void
member_of(struct mdb_type type, const struct mdb_type_desc *desc, size_t index,
	struct mdb_member *member_out)
{
	struct mdb_member_desc m;

	type.types->ops->member(type.types, desc, index, &m);
	member_out->name = m.name;
	member_out->type = type_at(type.types, m.type);
	member_out->bit_offset = m.bit_offset;
	member_out->nr_bits = m.nr_bits;
}

size_t
mdb_type_nr_members(struct mdb_type type)
{
	struct mdb_type_desc desc;

	resolve(type, &desc);
	return has_members(&desc) || desc.kind == MDB_T_FUNC ? desc.count : 0;
}

enum mdb_status
mdb_type_member_at(struct mdb_ctx *cx, struct mdb_type type, size_t index,
	struct mdb_member *member_out)
{
	struct mdb_type_desc desc;

	(void)cx;
	type = resolve(type, &desc);
	if ((!has_members(&desc) && desc.kind != MDB_T_FUNC) ||
		index >= desc.count)
		return MDB_DONE;
	member_of(type, &desc, index, member_out);
	return MDB_OK;
}

/* A name sought among the members of a type, anonymous ones included. */
struct search {
	const char *name;
	size_t len;
	unsigned int visits; /* left */
	struct mdb_member found;
};

static bool
search_members(struct search *s, struct mdb_type type, uint64_t bit_offset,
	int depth)
{
	struct mdb_type_desc desc;
	struct mdb_member m;

	type = resolve(type, &desc);
	if (!has_members(&desc) || depth == MAX_NESTING)
		return false;
	for (size_t i = 0; i < desc.count && s->visits; i++) {
		s->visits--;
		member_of(type, &desc, i, &m);
		m.bit_offset += bit_offset;
		if (*m.name ? strncmp(m.name, s->name, s->len) == 0 &&
					!m.name[s->len]
			    : search_members(s, m.type, m.bit_offset,
				      depth + 1)) {
			if (*m.name)
				s->found = m;
			return true;
		}
	}
	return false;
}

/* One name at the front of *path. */
static enum mdb_status
step_name(struct mdb_ctx *cx, const char **path, struct mdb_member *m)
{
	struct search s = { .visits = MAX_VISITS };
	struct mdb_type full = mdb_type_complete(m->type);

	s.name = *path;
	s.len = strcspn(*path, ".[ \t");
	if (!s.len)
		return mdb_fail(cx, MDB_E_SYNTAX,
			"member name expected near \"%s\"", *path);
	if (mdb_type_kind(mdb_type_resolve(full)) == MDB_T_FORWARD)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"\"%s\" is declared but not defined",
			mdb_type_name(cx, full));
	if (!search_members(&s, full, m->bit_offset, 0))
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"\"%s\" has no member \"%.*s\"",
			mdb_type_name(cx, m->type), (int)s.len, s.name);
	*m = s.found;
	*path += s.len;
	return MDB_OK;
}

/* One "[n]" at the front of *path; n is decimal, or hex with 0x. */
static enum mdb_status
step_index(struct mdb_ctx *cx, const char **path, struct mdb_member *m)
{
	struct mdb_type array = mdb_type_resolve(m->type);
	uint64_t index, count, size = 0, bits;
	enum mdb_status st;
	char *end;

	if (mdb_type_kind(array) != MDB_T_ARRAY)
		return mdb_fail(cx, MDB_E_NOTFOUND, "\"%s\" is no array",
			mdb_type_name(cx, m->type));
	if ((*path)[1] < '0' || (*path)[1] > '9')
		return mdb_fail(cx, MDB_E_SYNTAX, "index expected near \"%s\"",
			*path);
	index = strtoull(*path + 1, &end,
		!strncmp(*path + 1, "0x", 2) ? 16 : 10);
	if (*end != ']')
		return mdb_fail(cx, MDB_E_SYNTAX, "']' expected near \"%s\"",
			end);
	count = mdb_type_array_count(array);
	if (count > 1 && index >= count)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"index %" PRIu64 " is beyond the %" PRIu64
			" elements of \"%s\"",
			index, count, mdb_type_name(cx, m->type));
	st = mdb_type_size(cx, mdb_type_target(array), &size);
	if (st != MDB_OK)
		return st;
	if (__builtin_mul_overflow(size, 8 * (uint64_t)1, &size) ||
		__builtin_mul_overflow(size, index, &bits) ||
		__builtin_add_overflow(m->bit_offset, bits, &m->bit_offset))
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"index %" PRIu64 " is too large", index);
	m->type = mdb_type_target(array);
	m->nr_bits = 0;
	*path = end + 1;
	return MDB_OK;
}

enum mdb_status
mdb_type_member(struct mdb_ctx *cx, struct mdb_type type, const char *path,
	struct mdb_member *member_out)
{
	struct mdb_member m = { .name = "", .type = type };
	enum mdb_status st;

	st = *path == '[' ? step_index(cx, &path, &m)
			  : step_name(cx, &path, &m);
	while (st == MDB_OK && *path) {
		if (*path == '[') {
			st = step_index(cx, &path, &m);
		} else if (*path == '.') {
			path++;
			st = step_name(cx, &path, &m);
		} else {
			return mdb_fail(cx, MDB_E_SYNTAX,
				"member path near \"%s\"", path);
		}
	}
	if (st == MDB_OK)
		*member_out = m;
	return st;
}

/* ---- enumerators --------------------------------------------------------- */

size_t
mdb_type_nr_enumerators(struct mdb_type type)
{
	struct mdb_type_desc desc;

	resolve(type, &desc);
	return desc.kind == MDB_T_ENUM ? desc.count : 0;
}

struct mdb_enumerator
mdb_type_enumerator_at(struct mdb_type type, size_t index)
{
	struct mdb_enumerator e = { .name = "" };
	struct mdb_type_desc desc;

	type = resolve(type, &desc);
	if (desc.kind == MDB_T_ENUM && index < desc.count)
		type.types->ops->enumerator(type.types, &desc, index, &e);
	return e;
}

const char *
mdb_type_enum_name(struct mdb_type type, int64_t value)
{
	struct mdb_enumerator e;
	struct mdb_type_desc desc;

	type = resolve(type, &desc);
	if (desc.kind != MDB_T_ENUM)
		return NULL;
	for (size_t i = 0; i < desc.count; i++) {
		type.types->ops->enumerator(type.types, &desc, i, &e);
		if (e.value == value)
			return e.name;
	}
	return NULL;
}
