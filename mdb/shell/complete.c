/* SPDX-License-Identifier: MIT */
/*
 * Completion: what may stand at the end of a line being typed.
 *
 * The last command of the line decides: its name after `::`, a walker after
 * ::walk, a type and then its members after ::print and the like, else a
 * symbol, or after `<` a variable.
 */
#include "mdb/shell/edit.h"

#include "mdb/base/alloc.h"
#include "mdb/world/world.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CANDIDATES 5000
#define MAX_VISITS 100000 /* members looked at for one line */

/* What was found so far. */
struct found {
	struct mdb_session *s;
	struct mdb_ctx *cx;
	const char *prefix; /* of the name sought */
	size_t prefix_len;
	const char *before; /* goes in front of each name: "se." */
	bool quoted;	    /* within "..." */
	char **list;
	size_t count;
	unsigned int nr_visits;
};

/* Names of the dump go to the terminal, and into the line to be run. */
static bool
is_typeable(const char *name)
{
	for (; *name != '\0'; name++)
		if (!isgraph((unsigned char)*name) || strchr("|;!", *name))
			return false;
	return true;
}

static void
offer(struct found *f, const char *name)
{
	struct mdb_buf b;

	if (strncmp(name, f->prefix, f->prefix_len) != 0 || *name == '\0' ||
		f->count == MAX_CANDIDATES || !is_typeable(name))
		return;
	mdb_buf_init(&b);
	mdb_buf_puts(&b, f->before);
	mdb_buf_puts(&b, name);
	f->list = mdb_xrealloc(f->list, f->count + 2, sizeof(*f->list));
	f->list[f->count++] = mdb_buf_steal(&b);
	f->list[f->count] = NULL;
}

/* ---- sources of names ----------------------------------------------------
 */

static void
offer_entries(struct found *f, bool dcmds, bool walkers)
{
	const struct mdb_registry *r = &f->s->registry;

	for (size_t i = 0; i < r->nr_entries; i++) {
		const struct mdb_entry *e = &r->entries[i];

		if (dcmds && e->dcmd != NULL &&
			isalnum((unsigned char)e->dcmd->name[0]))
			offer(f, e->dcmd->name);
		if (walkers && e->walker != NULL)
			offer(f, e->walker->name);
	}
}

static bool
is_word_char(char c, bool member)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '`' ||
	       (member && (c == '[' || c == ']' || c == '-' || c == '>'));
}

static bool
is_word(const char *name)
{
	while (is_word_char(*name, false))
		name++;
	return *name == '\0';
}

/* A static's name is "file.c#name": its own stands for it where no quote was
 * opened, and is all that may stand there. */
static enum mdb_status
offer_symbol(struct mdb_ctx *cx, const struct mdb_sym *sym, void *arg)
{
	struct found *f = arg;
	const char *hash = strrchr(sym->name, '#');
	const char *name = hash != NULL && !f->quoted ? hash + 1 : sym->name;

	(void)cx;
	if (f->quoted || is_word(name))
		offer(f, name);
	return f->count == MAX_CANDIDATES ? MDB_DONE : MDB_OK;
}

static enum mdb_status
offer_object(struct mdb_ctx *cx, struct mdb_object *object, void *arg)
{
	struct mdb_object_info info;

	(void)cx;
	mdb_object_info(object, &info);
	offer(arg, info.name);
	return MDB_OK;
}

static enum mdb_status
offer_object_symbols(struct mdb_ctx *cx, struct mdb_object *object, void *arg)
{
	return mdb_sym_each(cx, object, offer_symbol, arg);
}

static enum mdb_status
offer_qualifier(struct mdb_ctx *cx, struct mdb_object *object, void *arg)
{
	struct mdb_object_info info;

	mdb_object_info(object, &info);
	offer(arg, mdb_tmp_printf(cx, "%s`", info.name));
	return MDB_OK;
}

/* "xpv`do": what that object has. */
static void
offer_qualified(struct found *f, const char *tick)
{
	struct mdb_object *object;
	const char *name = mdb_tmp_printf(f->cx, "%.*s",
		(int)(tick - f->prefix), f->prefix);

	if (mdb_object_by_name(f->cx, f->cx->world, name, &object) != MDB_OK)
		return;
	f->before = mdb_tmp_printf(f->cx, "%s`", name);
	f->prefix = tick + 1;
	f->prefix_len = strlen(f->prefix);
	(void)!offer_object_symbols(f->cx, object, f);
}

/*
 * All names of symbols are too many to list: one letter must be there.  Those
 * of every world are known by their names alone.
 */
static void
offer_symbols(struct found *f)
{
	const char *tick = strrchr(f->prefix, '`');

	if (f->cx->world == NULL || f->prefix_len == 0)
		return;
	if (tick != NULL) {
		offer_qualified(f, tick);
		return;
	}
	(void)!mdb_object_each(f->cx, NULL, offer_object_symbols, f);
	(void)!mdb_object_each(f->cx, NULL, offer_qualifier, f);
}

static void
offer_variables(struct found *f)
{
	const char *name;
	uint64_t value;

	for (size_t i = 0; mdb_vars_at(f->s->lang.vars, i, &name, &value); i++)
		offer(f, name);
}

/* Types of a kernel by their names; kind MDB_T_VOID: all that have one. */
static void
offer_types(struct found *f, enum mdb_type_kind kind)
{
	struct mdb_object *kernel;
	struct mdb_types *types = NULL;
	struct mdb_type_desc desc;

	if (f->cx->world == NULL || f->prefix_len == 0)
		return;
	kernel = mdb_world_objects(f->cx, f->cx->world);
	if (kernel != NULL)
		types = mdb_object_types(f->cx, kernel);
	for (uint32_t id = 1; types != NULL && id < types->nr_ids; id++) {
		types->ops->get(types, id, &desc);
		if (kind == MDB_T_VOID ? desc.kind == MDB_T_STRUCT ||
						 desc.kind == MDB_T_UNION ||
						 desc.kind == MDB_T_TYPEDEF
				       : desc.kind == kind)
			offer(f, desc.name);
	}
}

/* Members, those of unnamed structs and unions among them. */
static void
offer_members(struct found *f, struct mdb_type type, int depth)
{
	struct mdb_type t = mdb_type_resolve(type);
	size_t count;

	while (mdb_type_kind(t) == MDB_T_POINTER ||
		mdb_type_kind(t) == MDB_T_ARRAY)
		t = mdb_type_resolve(mdb_type_target(t));
	if (mdb_type_kind(t) != MDB_T_STRUCT && mdb_type_kind(t) != MDB_T_UNION)
		return;
	count = mdb_type_nr_members(t);
	for (size_t i = 0; i < count && i < MAX_CANDIDATES; i++) {
		struct mdb_member m;

		if (f->nr_visits++ >= MAX_VISITS)
			return;
		if (mdb_type_member_at(f->cx, t, i, &m) != MDB_OK)
			return;
		if (m.name[0] != '\0')
			offer(f, m.name);
		else if (depth < 8)
			offer_members(f, m.type, depth + 1);
	}
}

/* ---- what the line asks for ----------------------------------------------
 */

/* The last command of the line, taken apart. */
struct typed {
	const char *name; /* after ::, or NULL: no command yet */
	size_t name_len;
	bool in_name;	   /* the cursor is in it */
	bool after_less;   /* the last word is a variable's */
	bool quoted;	   /* it is in quotes that are not closed */
	const char *words; /* what follows it */
	const char *word;  /* the last word, to the cursor */
};

static const char *
last_command(const char *line)
{
	const char *start = line;
	char quote = '\0';

	for (const char *c = line; *c != '\0'; c++) {
		if (quote != 0 && *c == quote)
			quote = '\0';
		else if (quote != 0)
			continue;
		else if (*c == '\'' || *c == '"')
			quote = *c;
		else if (*c == ';' || *c == '|')
			start = c + 1;
	}
	return start;
}

/* Behind the quote that is open at the end; NULL: none is. */
static const char *
open_quote(const char *line)
{
	const char *open = NULL;

	for (; *line != '\0'; line++)
		if (*line == '"')
			open = open != NULL ? NULL : line + 1;
	return open;
}

static struct typed
take_apart(const char *line)
{
	const char *end = line + strlen(line);
	const char *colons = strstr(last_command(line), "::");
	const char *quote = open_quote(last_command(line));
	struct typed t = { .word = end };

	if (quote != NULL && strchr(quote, ' ') == NULL) {
		t.word = quote;
		t.quoted = true;
		return t;
	}
	if (colons != NULL) {
		t.name = colons + 2;
		t.name_len = strcspn(t.name, " \t");
		t.in_name = t.name[t.name_len] == '\0';
		t.words = t.name + t.name_len;
		line = t.name;
	}
	while (t.word > line && is_word_char(t.word[-1], colons != NULL))
		t.word--;
	/* "-a" is an option, not a member. */
	while (t.word < end && (*t.word == '-' || *t.word == '>'))
		t.word++;
	t.after_less = colons == NULL && t.word > line && t.word[-1] == '<';
	return t;
}

static bool
is_command(const struct typed *t, const char *names)
{
	char name[MDB_NAME_MAX];

	if (t->name == NULL || t->in_name || t->name_len + 3 > sizeof(name))
		return false;
	(void)snprintf(name, sizeof(name), " %.*s ", (int)t->name_len, t->name);
	return strstr(names, name) != NULL;
}

/* "se.vru": the members of what "se" names. */
static void
complete_member(struct found *f, struct mdb_type type, const char *word)
{
	const char *dot = word + strlen(word);
	struct mdb_member m = { .type = type };

	while (dot > word &&
		(isalnum((unsigned char)dot[-1]) || dot[-1] == '_'))
		dot--;
	f->prefix = dot;
	f->prefix_len = strlen(dot);
	f->before = mdb_tmp_printf(f->cx, "%.*s", (int)(dot - word), word);
	while (dot > word && strchr(".->", dot[-1]) != NULL)
		dot--;
	if (dot > word &&
		mdb_type_member(f->cx, type,
			mdb_tmp_printf(f->cx, "%.*s", (int)(dot - word), word),
			&m) != MDB_OK)
		return;
	offer_members(f, m.type, 0);
}

/* The kind that a word like "struct" announces; MDB_T_VOID: none. */
static enum mdb_type_kind
tag_kind(const char *word, size_t len)
{
	if (len == 6 && memcmp(word, "struct", len) == 0)
		return MDB_T_STRUCT;
	if (len == 5 && memcmp(word, "union", len) == 0)
		return MDB_T_UNION;
	if (len == 4 && memcmp(word, "enum", len) == 0)
		return MDB_T_ENUM;
	return MDB_T_VOID;
}

static const char *
next_word(const char *w)
{
	w += strcspn(w, " \t");
	return w + strspn(w, " \t'");
}

/* ::print [-opts] [struct] type member ...; is_printf has a format first. */
static void
complete_type(struct found *f, const struct typed *t, bool is_printf)
{
	const char *w = t->words + strspn(t->words, " \t'");
	enum mdb_type_kind tag = MDB_T_VOID;
	struct mdb_type type;
	const char *start;

	if (is_printf && *w == '"') {
		w = strchr(w + 1, '"');
		w = w == NULL ? t->word : w + 1 + strspn(w + 1, " \t'");
	}
	while (*w == '-')
		w = next_word(w);
	start = w;
	if (w < t->word) {
		tag = tag_kind(w, strcspn(w, " \t"));
		if (tag != MDB_T_VOID)
			w = next_word(w);
	}
	if (w >= t->word) {
		offer_types(f, tag);
		if (tag == MDB_T_VOID) {
			offer(f, "struct");
			offer(f, "union");
			offer(f, "enum");
		}
		return;
	}
	w += strcspn(w, " \t'");
	if (f->cx->world != NULL &&
		mdb_type_by_name(f->cx, f->cx->world,
			mdb_tmp_printf(f->cx, "%.*s", (int)(w - start), start),
			&type) == MDB_OK)
		complete_member(f, type, t->word);
}

static void
complete(struct found *f, const struct typed *t)
{
	if (t->name != NULL && t->in_name)
		offer_entries(f, true, false);
	else if (is_command(t, " walk "))
		offer_entries(f, false, true);
	else if (is_command(t, " help which whence "))
		offer_entries(f, true, true);
	else if (is_command(t, " nm objects mappings "))
		(void)!mdb_object_each(f->cx, NULL, offer_object, f);
	else if (is_command(t, " printf "))
		complete_type(f, t, true);
	else if (is_command(t, " print sizeof offsetof list array enum "))
		complete_type(f, t, false);
	else if (t->after_less)
		offer_variables(f);
	else
		offer_symbols(f);
}

static int
by_text(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static char **
sorted_once(struct found *f)
{
	size_t kept = 0;

	if (f->count == 0)
		return NULL;
	qsort(f->list, f->count, sizeof(*f->list), by_text);
	for (size_t i = 0; i < f->count; i++) {
		if (kept > 0 && strcmp(f->list[kept - 1], f->list[i]) == 0)
			free(f->list[i]);
		else
			f->list[kept++] = f->list[i];
	}
	f->list[kept] = NULL;
	return f->list;
}

char **
mdb_complete(struct mdb_session *s, const char *line, size_t *start_out)
{
	struct typed t = take_apart(line);
	struct mdb_ctx cx;
	struct found f = { .s = s,
		.cx = &cx,
		.prefix = t.word,
		.prefix_len = strlen(t.word),
		.before = "",
		.quoted = t.quoted };

	mdb_session_ctx_init(s, &cx, &s->cx);
	if (t.name != NULL && t.in_name) {
		t.word = t.name;
		f.prefix = t.name;
		f.prefix_len = t.name_len;
	}
	complete(&f, &t);
	mdb_session_ctx_fini(s, &cx);
	*start_out = (size_t)(t.word - line);
	return sorted_once(&f);
}
