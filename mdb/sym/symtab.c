/* SPDX-License-Identifier: MIT */
/*
 * Symbols of ELF's 64-bit form (System V ABI, "Symbol Table").  An index by
 * value holds the entries that are symbols; entries are decoded where they
 * are used and never copied.
 */
#include "mdb/sym/symtab.h"

#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#define ENTRY_LEN 24u
#define MAX_ENTRIES (1u << 28)
/* So many symbols may begin inside one that contains an address. */
#define MAX_NESTED 1024u

struct mdb_symtab {
	const uint8_t *entries;
	const char *strings; /* ends in NUL */
	size_t strings_len;  /* with it */
	uint32_t *order;     /* indexes of entries, by value */
	size_t count;
	uint32_t *heads; /* the index by name: first in order[], plus 1 */
	uint32_t *next;	 /* ... and the next of the same hash */
	size_t nr_heads; /* a power of two; 0: not made yet */
};

/* One entry, decoded. */
struct entry {
	const char *name;
	uint64_t value, size;
	uint8_t type, bind;
	uint16_t section;
};

static void
decode(const struct mdb_symtab *t, uint32_t index, struct entry *e)
{
	const uint8_t *p = t->entries + (size_t)index * ENTRY_LEN;
	uint32_t name = mdb_le32(p);

	e->name = name < t->strings_len ? t->strings + name : "";
	e->type = ELF64_ST_TYPE(p[4]);
	e->bind = ELF64_ST_BIND(p[4]);
	e->section = mdb_le16(p + 6);
	e->value = mdb_le64(p + 8);
	e->size = mdb_le64(p + 16);
}

static void
decode_nth(const struct mdb_symtab *t, size_t nth, struct entry *e)
{
	decode(t, t->order[nth], e);
}

static bool
is_symbol(const struct entry *e)
{
	if (e->name[0] == '\0' || e->type == STT_SECTION || e->type == STT_FILE)
		return false;
	return e->section != SHN_UNDEF || e->value != 0;
}

/* ---- creation ------------------------------------------------------------ */

struct key {
	uint64_t value;
	uint32_t index;
};

static int
compare_keys(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* Ours come sorted; another's are put in order. */
static enum mdb_status
sort(struct mdb_ctx *cx, struct mdb_symtab *t)
{
	struct key *keys = mdb_try_alloc(t->count, sizeof(*keys));
	struct entry e;

	if (!keys)
		return mdb_fail(cx, MDB_E_SYSTEM, "no memory for %zu symbols",
			t->count);
	for (size_t i = 0; i < t->count; i++) {
		decode_nth(t, i, &e);
		keys[i] = (struct key){ e.value, t->order[i] };
	}
	qsort(keys, t->count, sizeof(*keys), compare_keys);
	for (size_t i = 0; i < t->count; i++)
		t->order[i] = keys[i].index;
	free(keys);
	return MDB_OK;
}

static enum mdb_status
collect(struct mdb_ctx *cx, struct mdb_symtab *t, size_t nr_entries)
{
	uint64_t last = 0;
	bool sorted = true;
	struct entry e;

	for (size_t i = 0; i < nr_entries; i++) {
		decode(t, (uint32_t)i, &e);
		if (!is_symbol(&e))
			continue;
		sorted = sorted && e.value >= last;
		last = e.value;
		t->order[t->count++] = (uint32_t)i;
	}
	if (t->count == 0)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"none of %zu entries is a symbol", nr_entries);
	return sorted ? MDB_OK : sort(cx, t);
}

enum mdb_status
mdb_symtab_create(struct mdb_ctx *cx, const void *entries, size_t entries_len,
	const char *strings, size_t strings_len, struct mdb_symtab **table_out)
{
	const char *last = memrchr(strings, '\0', strings_len);
	size_t nr = entries_len / ENTRY_LEN;
	struct mdb_symtab *t;
	enum mdb_status st;

	if (!last || nr > MAX_ENTRIES)
		return mdb_fail(cx, MDB_E_CORRUPT,
			last ? "%zu entries are too many"
			     : "the names of %zu entries have no end",
			nr);
	t = mdb_xalloc(sizeof(*t));
	t->entries = entries;
	t->strings = strings;
	t->strings_len = (size_t)(last - strings) + 1;
	t->order = mdb_try_alloc(nr ? nr : 1, sizeof(*t->order));
	st = t->order ? collect(cx, t, nr)
		      : mdb_fail(cx, MDB_E_SYSTEM, "no memory for %zu entries",
				nr);
	if (st != MDB_OK) {
		mdb_symtab_destroy(t);
		return st;
	}
	*table_out = t;
	return MDB_OK;
}

void
mdb_symtab_destroy(struct mdb_symtab *t)
{
	if (!t)
		return;
	free(t->order);
	free(t->heads);
	free(t->next);
	free(t);
}

size_t
mdb_symtab_count(const struct mdb_symtab *t)
{
	return t->count;
}

/* ---- what a symbol is ---------------------------------------------------- */

static bool
in_text(const struct mdb_object *o, uint64_t value)
{
	return value >= o->base && value < o->end;
}

static enum mdb_sym_kind
kind_of(const struct mdb_object *o, const struct entry *e)
{
	if (e->type == STT_FUNC || e->type == STT_GNU_IFUNC)
		return MDB_SYM_FUNC;
	if (e->type == STT_OBJECT || e->type == STT_COMMON)
		return MDB_SYM_DATA;
	if (e->type == STT_TLS)
		return MDB_SYM_PERCPU;
	if (in_text(o, e->value))
		return MDB_SYM_FUNC;
	return e->section == SHN_ABS ? MDB_SYM_ABS : MDB_SYM_OTHER;
}

/* nm's letter; where nothing says more, writable data. */
static char
letter_of(const struct entry *e, enum mdb_sym_kind kind)
{
	bool local = e->bind == STB_LOCAL;

	if (e->bind == STB_WEAK)
		return kind == MDB_SYM_FUNC ? 'W' : 'V';
	if (kind == MDB_SYM_FUNC)
		return local ? 't' : 'T';
	if (kind == MDB_SYM_ABS)
		return local ? 'a' : 'A';
	return local ? 'd' : 'D';
}

static void
state(struct mdb_object *o, const struct entry *e, struct mdb_sym *sym_out)
{
	enum mdb_sym_kind kind = kind_of(o, e);

	*sym_out = (struct mdb_sym){ .object = o,
		.name = e->name,
		.value = e->value,
		.size = e->size,
		.size_exact = e->size != 0,
		.global = e->bind != STB_LOCAL,
		.kind = kind,
		.letter = letter_of(e, kind) };
}

/* Is a the name to show for a place that b names too? */
static bool
is_better(const struct entry *a, const struct entry *b)
{
	bool a_public = a->bind == STB_GLOBAL, b_public = b->bind == STB_GLOBAL;
	bool a_typed = a->type != STT_NOTYPE, b_typed = b->type != STT_NOTYPE;

	if (a->value != b->value)
		return a->value > b->value;
	if (a_typed != b_typed)
		return a_typed;
	return a_public && !b_public;
}

/* ---- by address ---------------------------------------------------------- */

/* How many symbols have values of at most addr. */
static size_t
nr_up_to(const struct mdb_symtab *t, mdb_addr_t addr)
{
	size_t lo = 0, hi = t->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		struct entry e;

		decode_nth(t, mid, &e);
		if (e.value <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool
contains(const struct entry *e, mdb_addr_t addr)
{
	return addr - e->value < e->size;
}

/* Those that begin at one place are asked together; then the next below. */
static bool
find_containing(const struct mdb_symtab *t, size_t end, mdb_addr_t addr,
	struct entry *best)
{
	bool found = false;
	struct entry e;

	for (size_t n = 0; n < end && n < MAX_NESTED; n++) {
		decode_nth(t, end - 1 - n, &e);
		if (found && e.value != best->value)
			break;
		if (contains(&e, addr) && (!found || is_better(&e, best))) {
			*best = e;
			found = true;
		}
	}
	return found;
}

/* The best of those at the nearest place below. */
static void
find_below(const struct mdb_symtab *t, size_t end, struct entry *best)
{
	struct entry e;

	decode_nth(t, end - 1, best);
	for (size_t n = 1; n < end && n < MAX_NESTED; n++) {
		decode_nth(t, end - 1 - n, &e);
		if (e.value != best->value)
			break;
		if (is_better(&e, best))
			*best = e;
	}
}

enum mdb_status
mdb_symtab_by_addr(const struct mdb_symtab *t, struct mdb_object *object,
	mdb_addr_t addr, bool near, struct mdb_sym *sym_out)
{
	size_t end = nr_up_to(t, addr);
	struct entry best;

	if (end == 0)
		return MDB_E_NOTFOUND;
	if (!find_containing(t, end, addr, &best)) {
		find_below(t, end, &best);
		if (!near && (best.value != addr || best.size != 0))
			return MDB_E_NOTFOUND;
	}
	state(object, &best, sym_out);
	return MDB_OK;
}

/* ---- by name ------------------------------------------------------------- */

static size_t
hash(const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return h ^ h >> 15;
}

static bool
make_names(struct mdb_symtab *t)
{
	size_t nr = 16;
	struct entry e;

	while (nr < t->count)
		nr *= 2;
	t->heads = mdb_try_alloc(nr, sizeof(*t->heads));
	t->next = mdb_try_alloc(t->count, sizeof(*t->next));
	if (!t->heads || !t->next) {
		free(t->heads);
		free(t->next);
		t->heads = t->next = NULL;
		return false;
	}
	memset(t->heads, 0, nr * sizeof(*t->heads));
	for (size_t i = t->count; i-- > 0;) {
		decode_nth(t, i, &e);
		uint32_t *head = &t->heads[hash(e.name) & (nr - 1)];

		t->next[i] = *head;
		*head = (uint32_t)i + 1;
	}
	t->nr_heads = nr;
	return true;
}

/* A public one before a file's own. */
enum mdb_status
mdb_symtab_by_name(struct mdb_symtab *t, struct mdb_object *object,
	const char *name, struct mdb_sym *sym_out)
{
	struct entry e, best;
	bool found = false;
	size_t steps = 0;

	if (t->nr_heads == 0 && !make_names(t))
		return MDB_E_NOTFOUND;
	for (uint32_t i = t->heads[hash(name) & (t->nr_heads - 1)];
		i != 0 && steps < t->count; i = t->next[i - 1], steps++) {
		decode_nth(t, i - 1, &e);
		if (strcmp(e.name, name) != 0 ||
			(found && (best.bind == STB_GLOBAL ||
					  e.bind != STB_GLOBAL)))
			continue;
		best = e;
		found = true;
	}
	if (!found)
		return MDB_E_NOTFOUND;
	state(object, &best, sym_out);
	return MDB_OK;
}

enum mdb_status
mdb_symtab_each(struct mdb_ctx *cx, const struct mdb_symtab *t,
	struct mdb_object *object, mdb_sym_fn *fn, void *arg)
{
	struct mdb_sym sym;
	struct entry e;

	for (size_t i = 0; i < t->count; i++) {
		decode_nth(t, i, &e);
		state(object, &e, &sym);
		enum mdb_status st = fn(cx, &sym, arg);

		if (st != MDB_OK)
			return st;
	}
	return MDB_OK;
}
