/* SPDX-License-Identifier: MIT */
/*
 * C spelling of types: reading it, finding what it names, and writing it.
 *
 * Reading knows abstract declarators of pointers and arrays with parentheses,
 * and the words of C's integers in any order.  It does not know function
 * types.  Writing knows all kinds; what a hostile container makes too deep or
 * too long is cut with "...".
 */
#include "mdb/sym/typename.h"

#include "mdb/base/ctx.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ------------------------------------------------------------- */

struct parser {
	struct mdb_ctx *cx;
	const char *text; /* whole, for messages */
	const char *p;
	struct mdb_typename *tn;
	int nr_long;
	bool has_base; /* "struct foo", "char", ... was read */
	bool has_int;  /* a word of an integer was */
	bool has_kind; /* ... that is char, short, ... and not just a sign */
};

static enum mdb_status
bad(struct parser *ps, const char *what)
{
	return mdb_fail(ps->cx, MDB_E_SYNTAX, "type \"%s\": %s near \"%s\"",
		ps->text, what, ps->p);
}

static void
blanks(struct parser *ps)
{
	ps->p += strspn(ps->p, " \t\n");
}

static bool
is_word_char(char c)
{
	return c == '_' || c == '`' || c == '.' || c == '$' ||
	       (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

/* "#2" behind a name. */
static enum mdb_status
nth(struct parser *ps)
{
	char *end;

	if (*ps->p != '#')
		return MDB_OK;
	if (ps->tn->nth || ps->p[1] < '1' || ps->p[1] > '9')
		return bad(ps, "the number of a definition expected");
	ps->tn->nth = (unsigned int)strtoul(ps->p + 1, &end, 10);
	if (!ps->tn->nth)
		ps->tn->nth = 1;
	ps->p = end;
	return MDB_OK;
}

/* The next word; its object, if it has one, goes to the name's. */
static enum mdb_status
word(struct parser *ps, char buf[MDB_TYPENAME_MAX])
{
	size_t len = 0, tick = 0;

	for (; is_word_char(ps->p[len]); len++)
		if (ps->p[len] == '`')
			tick = len + 1;
	if (len >= MDB_TYPENAME_MAX)
		return bad(ps, "too long a name");
	if (tick) {
		if (*ps->tn->object)
			return bad(ps, "a second object");
		memcpy(ps->tn->object, ps->p, tick - 1);
		ps->tn->object[tick - 1] = '\0';
	}
	memcpy(buf, ps->p + tick, len - tick);
	buf[len - tick] = '\0';
	ps->p += len;
	return nth(ps);
}

static bool
is_any(const char *w, const char *const *set)
{
	for (; *set; set++)
		if (!strcmp(w, *set))
			return true;
	return false;
}

static const char *const qualifiers[] = { "const", "volatile", "restrict",
	"__restrict", "_Atomic", NULL };

static const struct {
	const char *word;
	enum mdb_c_int c_int;
} int_words[] = {
	{ "char", MDB_C_CHAR },
	{ "short", MDB_C_SHORT },
	{ "int", MDB_C_INT },
	{ "long", MDB_C_LONG },
	{ "__int128", MDB_C_INT128 },
	{ "_Bool", MDB_C_BOOL },
	{ "signed", MDB_C_INT },
	{ "unsigned", MDB_C_INT },
};

/* Takes a word of an integer type; false: it is none. */
static bool
int_word(struct parser *ps, const char *w)
{
	struct mdb_typename *tn = ps->tn;
	size_t i = 0;

	while (strcmp(w, int_words[i].word) != 0)
		if (++i == sizeof(int_words) / sizeof(int_words[0]))
			return false;
	ps->has_int = true;
	tn->tag = MDB_TAG_INT;
	if (*w == 'u' || !strcmp(w, "signed")) {
		tn->is_unsigned = *w == 'u';
		tn->is_signed = !tn->is_unsigned;
		if (!ps->has_kind)
			tn->c_int = MDB_C_INT;
	} else if (!strcmp(w, "long")) {
		tn->c_int = ps->nr_long++ ? MDB_C_LLONG : MDB_C_LONG;
		ps->has_kind = true;
	} else if (!ps->has_kind || int_words[i].c_int != MDB_C_INT) {
		tn->c_int = int_words[i].c_int;
		ps->has_kind = true;
	}
	return true;
}

static enum mdb_typename_tag
tag_of(const char *w)
{
	if (!strcmp(w, "struct"))
		return MDB_TAG_STRUCT;
	if (!strcmp(w, "union"))
		return MDB_TAG_UNION;
	if (!strcmp(w, "enum"))
		return MDB_TAG_ENUM;
	return MDB_TAG_ANY;
}

/* A word that is neither a qualifier nor part of an integer. */
static enum mdb_status
base_word(struct parser *ps, const char *w)
{
	static const char *const floats[] = { "float", "double", NULL };
	struct mdb_typename *tn = ps->tn;
	enum mdb_status st;

	if (ps->has_base || ps->has_int)
		return bad(ps, "a second name");
	ps->has_base = true;
	tn->tag = tag_of(w);
	if (tn->tag != MDB_TAG_ANY) {
		blanks(ps);
		st = word(ps, tn->name);
		if (st == MDB_OK && !*tn->name)
			st = bad(ps, "name expected");
		return st;
	}
	if (!strcmp(w, "void"))
		tn->tag = MDB_TAG_VOID;
	else if (is_any(w, floats))
		tn->tag = MDB_TAG_FLOAT;
	memcpy(tn->name, w, strlen(w) + 1);
	return MDB_OK;
}

static enum mdb_status
specifiers(struct parser *ps)
{
	char w[MDB_TYPENAME_MAX];
	enum mdb_status st;

	for (;;) {
		blanks(ps);
		if (!is_word_char(*ps->p))
			break;
		st = word(ps, w);
		if (st != MDB_OK)
			return st;
		if (is_any(w, qualifiers))
			continue;
		if (!ps->has_base && int_word(ps, w))
			continue;
		st = base_word(ps, w);
		if (st != MDB_OK)
			return st;
	}
	if (!ps->has_base && !ps->has_int)
		return bad(ps, "type name expected");
	return MDB_OK;
}

static enum mdb_status
add_step(struct parser *ps, bool is_array, uint64_t count)
{
	struct mdb_typename *tn = ps->tn;

	if (tn->nr_steps == MDB_TYPENAME_MAX_STEPS)
		return bad(ps, "too many pointers and arrays");
	tn->steps[tn->nr_steps].is_array = is_array;
	tn->steps[tn->nr_steps].count = count;
	tn->nr_steps++;
	return MDB_OK;
}

/* "*", "* const", ... */
static enum mdb_status
stars(struct parser *ps)
{
	char w[MDB_TYPENAME_MAX];
	enum mdb_status st = MDB_OK;

	for (;;) {
		blanks(ps);
		if (*ps->p == '*') {
			ps->p++;
			st = add_step(ps, false, 0);
		} else if (is_word_char(*ps->p)) {
			st = word(ps, w);
			if (st == MDB_OK && !is_any(w, qualifiers))
				st = bad(ps, "a second name");
		} else {
			return MDB_OK;
		}
		if (st != MDB_OK)
			return st;
	}
}

/* "[2][3]": the last dimension is applied first. */
static enum mdb_status
dimensions(struct parser *ps)
{
	uint64_t counts[MDB_TYPENAME_MAX_STEPS];
	size_t nr = 0;
	enum mdb_status st;
	char *end;

	for (blanks(ps); *ps->p == '['; blanks(ps)) {
		if (nr == MDB_TYPENAME_MAX_STEPS)
			return bad(ps, "too many dimensions");
		ps->p++;
		blanks(ps);
		counts[nr] = 0;
		if (*ps->p >= '0' && *ps->p <= '9') {
			counts[nr] = strtoull(ps->p, &end, 0);
			ps->p = end;
		}
		blanks(ps);
		if (*ps->p != ']')
			return bad(ps, "']' expected");
		ps->p++;
		nr++;
	}
	while (nr-- > 0) {
		st = add_step(ps, true, counts[nr]);
		if (st != MDB_OK)
			return st;
	}
	return MDB_OK;
}

/* The parenthesis that closes the one at p, or NULL. */
static const char *
closing(const char *p)
{
	int depth = 0;

	for (; *p; p++) {
		depth += (*p == '(') - (*p == ')');
		if (!depth)
			return p;
	}
	return NULL;
}

/* Steps over a parenthesis; where its inside begins, or NULL: there is none. */
static enum mdb_status
parenthesis(struct parser *ps, const char **inside_out)
{
	const char *close;

	*inside_out = NULL;
	if (*ps->p != '(')
		return MDB_OK;
	close = closing(ps->p);
	if (!close)
		return bad(ps, "')' expected");
	*inside_out = ps->p + 1;
	ps->p = close + 1;
	return MDB_OK;
}

/*
 * Pointers, then what follows a parenthesis, then what is inside it: from the
 * name outwards.  Loops inwards instead of recursing.
 */
static enum mdb_status
declarator(struct parser *ps)
{
	const char *inside;
	enum mdb_status st;
	char end = '\0';

	for (;;) {
		st = stars(ps);
		if (st == MDB_OK)
			st = parenthesis(ps, &inside);
		if (st == MDB_OK)
			st = dimensions(ps);
		if (st != MDB_OK)
			return st;
		if (*ps->p == '(')
			return bad(ps, "a function type cannot be named");
		if (*ps->p != end)
			return bad(ps, "unexpected text");
		if (!inside)
			return MDB_OK;
		ps->p = inside;
		end = ')';
	}
}

enum mdb_status
mdb_typename_parse(struct mdb_ctx *cx, const char *text,
	struct mdb_typename *typename_out)
{
	struct mdb_typename tn = { .tag = MDB_TAG_ANY };
	struct parser ps = { .cx = cx, .text = text, .p = text, .tn = &tn };
	enum mdb_status st;

	st = specifiers(&ps);
	if (st == MDB_OK)
		st = declarator(&ps);
	if (st == MDB_OK)
		*typename_out = tn;
	return st;
}

/* ---- finding ------------------------------------------------------------- */

/* gcc's name, clang's name. */
static const struct {
	const char *names[2][2]; /* signed, unsigned */
	uint8_t size;		 /* 0: a word */
} c_ints[] = {
	[MDB_C_CHAR] = { { { "char", "char" },
				 { "unsigned char", "unsigned char" } },
		1 },
	[MDB_C_SHORT] = { { { "short int", "short" },
				  { "short unsigned int", "unsigned short" } },
		2 },
	[MDB_C_INT] = { { { "int", "int" },
				{ "unsigned int", "unsigned int" } },
		4 },
	[MDB_C_LONG] = { { { "long int", "long" },
				 { "long unsigned int", "unsigned long" } },
		0 },
	[MDB_C_LLONG] = { { { "long long int", "long long" },
				  { "long long unsigned int",
					  "unsigned long long" } },
		8 },
	[MDB_C_INT128] = { { { "__int128", "__int128" },
				   { "__int128 unsigned",
					   "unsigned __int128" } },
		16 },
	[MDB_C_BOOL] = { { { "_Bool", "bool" }, { "_Bool", "bool" } }, 1 },
};

static uint32_t
find_up(struct mdb_types *types, enum mdb_type_kind kind, const char *name,
	unsigned int nth, struct mdb_type *type_out)
{
	for (; types; types = types->base) {
		uint32_t id = 0;

		if (nth <= 1)
			id = types->ops->find(types, kind, name);
		else if (types->ops->find_nth)
			id = types->ops->find_nth(types, kind, name, nth);

		if (id) {
			*type_out = (struct mdb_type){ types, id };
			return id;
		}
	}
	return 0;
}

static struct mdb_type
find_int(struct mdb_types *types, const struct mdb_typename *tn)
{
	const char *const *names = c_ints[tn->c_int].names[tn->is_unsigned];
	static const char *const signed_char[] = { "signed char",
		"signed char" };
	struct mdb_int_info info = { 0 };
	struct mdb_type type;
	size_t size;

	if (tn->c_int == MDB_C_CHAR && tn->is_signed)
		names = signed_char;
	for (int i = 0; i < 2; i++)
		if (find_up(types, MDB_T_INT, names[i], 1, &type))
			return type;
	size = c_ints[tn->c_int].size;
	if (!size)
		size = types->word;
	info.nr_bits = 8 * (uint32_t)size;
	info.is_bool = tn->c_int == MDB_C_BOOL;
	info.is_signed = !tn->is_unsigned && !info.is_bool;
	info.is_char = !strcmp(names[0], "char");
	return mdb_type_derive_int(types, names[0], size, info);
}

static bool
find_base(struct mdb_types *types, const struct mdb_typename *tn,
	struct mdb_type *type_out)
{
	static const uint8_t any[] = { MDB_T_STRUCT, MDB_T_UNION, MDB_T_ENUM,
		MDB_T_TYPEDEF, MDB_T_INT, MDB_T_FLOAT };

	switch (tn->tag) {
	case MDB_TAG_VOID:
		*type_out = (struct mdb_type){ types, 0 };
		return true;
	case MDB_TAG_INT:
		*type_out = find_int(types, tn);
		return true;
	case MDB_TAG_STRUCT:
		return find_up(types, MDB_T_STRUCT, tn->name, tn->nth,
			type_out);
	case MDB_TAG_UNION:
		return find_up(types, MDB_T_UNION, tn->name, tn->nth, type_out);
	case MDB_TAG_ENUM:
		return find_up(types, MDB_T_ENUM, tn->name, tn->nth, type_out);
	case MDB_TAG_FLOAT:
		return find_up(types, MDB_T_FLOAT, tn->name, tn->nth, type_out);
	case MDB_TAG_ANY:
		break;
	}
	for (size_t i = 0; i < sizeof(any); i++)
		if (find_up(types, any[i], tn->name, tn->nth, type_out))
			return true;
	return false;
}

enum mdb_status
mdb_typename_find(struct mdb_types *types, const struct mdb_typename *tn,
	struct mdb_type *type_out)
{
	struct mdb_type type;

	if (!find_base(types, tn, &type))
		return MDB_E_NOTFOUND;
	for (size_t i = 0; i < tn->nr_steps; i++)
		type = tn->steps[i].is_array
			       ? mdb_type_derive_array(type, tn->steps[i].count)
			       : mdb_type_derive_pointer(type);
	*type_out = type;
	return MDB_OK;
}
