/* SPDX-License-Identifier: MIT */
/*
 * Types written in C, from the inside out: the declarator grows around
 * nothing (a type has no name of its own to declare) while the type is
 * followed to what it is made of.
 *
 * Bounded in depth and length, whatever the container says: what does not fit
 * is cut with "...".
 */
#include "mdb/sym/types.h"

#include "mdb/base/ctx.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAX_SPELLING 512
#define MAX_NAME 300  /* of a type's name: the rest is for what is around */
#define MAX_STEPS 64  /* of one chain */
#define MAX_WORK 1000 /* steps of all chains of one type */
#define MAX_PARAMS 16
#define MAX_DEPTH 3 /* of functions in the parameters of functions */

/* Text that grows at both ends. */
struct spelling {
	char text[2 * MAX_SPELLING];
	size_t start, end;
	bool cut;
	int *work; /* steps left */
};

static void
append(struct spelling *s, const char *text)
{
	size_t len = strlen(text);

	if (len >= sizeof(s->text) - s->end) {
		s->cut = true;
		return;
	}
	memcpy(s->text + s->end, text, len);
	s->end += len;
}

static void
prepend(struct spelling *s, const char *text)
{
	size_t len = strlen(text);

	if (len > s->start) {
		s->cut = true;
		return;
	}
	s->start -= len;
	memcpy(s->text + s->start, text, len);
}

/* A pointer to an array or function needs parentheses. */
static void
enclose(struct spelling *s)
{
	if (s->end > s->start && s->text[s->start] == '*') {
		prepend(s, "(");
		append(s, ")");
	}
}

static void spell(struct mdb_ctx *cx, struct mdb_type type, int depth,
	struct spelling *s);

static void
append_type(struct mdb_ctx *cx, struct mdb_type type, int depth,
	struct spelling *s)
{
	struct spelling inner = { .start = MAX_SPELLING,
		.end = MAX_SPELLING,
		.work = s->work };

	spell(cx, type, depth, &inner);
	inner.text[inner.end] = '\0';
	append(s, inner.text + inner.start);
}

static void
append_params(struct mdb_ctx *cx, struct mdb_type type, int depth,
	struct spelling *s)
{
	size_t nr = mdb_type_nr_members(type);
	struct mdb_member m;

	append(s, "(");
	for (size_t i = 0; i < nr; i++) {
		if (i)
			append(s, ", ");
		if (i == MAX_PARAMS || depth == MAX_DEPTH) {
			append(s, "...");
			break;
		}
		if (mdb_type_member_at(cx, type, i, &m) != MDB_OK)
			break;
		/* A last parameter without a type: variable arguments. */
		if (m.type.id == 0 && !*m.name && i + 1 == nr)
			append(s, "...");
		else
			append_type(cx, m.type, depth + 1, s);
	}
	append(s, nr ? ")" : "void)");
}

static void
prepend_name(struct spelling *s, const char *keyword, const char *name)
{
	if (s->end > s->start)
		prepend(s, " ");
	prepend(s, *name ? name : "{...}");
	if (*keyword)
		prepend(s, " ");
	prepend(s, keyword);
}

/* The leaf that ends the chain. */
static void
spell_base(struct mdb_ctx *cx, const struct mdb_type_desc *desc,
	struct spelling *s)
{
	const char *name = mdb_escape_name(cx, desc->name);

	if (strlen(name) > MAX_NAME)
		name = mdb_tmp_printf(cx, "%.*s...", MAX_NAME, name);
	switch (desc->kind) {
	case MDB_T_STRUCT:
		prepend_name(s, "struct", name);
		break;
	case MDB_T_UNION:
		prepend_name(s, "union", name);
		break;
	case MDB_T_ENUM:
		prepend_name(s, "enum", name);
		break;
	case MDB_T_FORWARD:
		prepend_name(s, desc->is_union ? "union" : "struct", name);
		break;
	case MDB_T_VOID:
		prepend_name(s, "", "void");
		break;
	default:
		prepend_name(s, "", name);
		break;
	}
}

/* C's usual order for gcc's names of integers. */
static const char *
usual_name(const char *name)
{
	static const char *const names[][2] = {
		{ "long unsigned int", "unsigned long" },
		{ "long int", "long" },
		{ "short unsigned int", "unsigned short" },
		{ "short int", "short" },
		{ "long long unsigned int", "unsigned long long" },
		{ "long long int", "long long" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i][0]))
			return names[i][1];
	return name;
}

static const char *
qualifier(enum mdb_type_kind kind)
{
	switch (kind) {
	case MDB_T_CONST:
		return "const";
	case MDB_T_VOLATILE:
		return "volatile";
	case MDB_T_RESTRICT:
		return "restrict";
	default:
		return NULL;
	}
}

/*
 * A qualifier of a pointer stands behind its star; any other stands before
 * the name, so it is kept until the name is written.
 */
static void
qualify(struct mdb_type type, const char *word, struct spelling *s,
	struct spelling *before)
{
	struct mdb_type target = mdb_type_target(type);

	for (int i = 0; i < MAX_STEPS && qualifier(mdb_type_kind(target)); i++)
		target = mdb_type_target(target);
	if (mdb_type_kind(target) == MDB_T_POINTER) {
		if (s->end > s->start)
			prepend(s, " ");
		prepend(s, word);
	} else {
		append(before, word);
		append(before, " ");
	}
}

static bool
spell_step(struct mdb_ctx *cx, struct mdb_type type,
	const struct mdb_type_desc *desc, int depth, struct spelling *s,
	struct spelling *before)
{
	char count[32] = "[]";
	const char *word = qualifier(desc->kind);

	if (word) {
		qualify(type, word, s, before);
		return true;
	}
	switch (desc->kind) {
	case MDB_T_POINTER:
		prepend(s, "*");
		return true;
	case MDB_T_ARRAY:
		enclose(s);
		if (desc->count)
			(void)snprintf(count, sizeof(count), "[%" PRIu64 "]",
				desc->count);
		append(s, count);
		return true;
	case MDB_T_FUNC:
		enclose(s);
		append_params(cx, type, depth, s);
		return true;
	default:
		return false;
	}
}

static void
spell(struct mdb_ctx *cx, struct mdb_type type, int depth, struct spelling *s)
{
	struct spelling before = { .start = 0, .end = 0 };
	struct mdb_type_desc desc;
	int steps = 0;

	mdb_type_describe(type, &desc);
	while (spell_step(cx, type, &desc, depth, s, &before)) {
		if (steps++ == MAX_STEPS || (*s->work)-- <= 0) {
			s->cut = true;
			break;
		}
		type = mdb_type_target(type);
		mdb_type_describe(type, &desc);
	}
	if (desc.kind == MDB_T_INT)
		desc.name = usual_name(desc.name);
	if (s->cut)
		prepend_name(s, "", "...");
	else
		spell_base(cx, &desc, s);
	before.text[before.end] = '\0';
	prepend(s, before.text);
}

const char *
mdb_type_name(struct mdb_ctx *cx, struct mdb_type type)
{
	int work = MAX_WORK;
	struct spelling s = { .start = MAX_SPELLING,
		.end = MAX_SPELLING,
		.work = &work };
	char *copy;

	if (!type.types)
		return "?";
	spell(cx, type, 0, &s);
	copy = mdb_tmp(cx, s.end - s.start + 1);
	memcpy(copy, s.text + s.start, s.end - s.start);
	return copy;
}
