/* SPDX-License-Identifier: MIT */
/*
 * Symbols of a hypervisor, expanded into one array and put in order when first
 * asked after a change.  Order is by value; names have two more orders: whole
 * and bare.
 */
#include "mdb/sym/xensyms.h"

#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"
#include "mdb/sym/kallsyms_table.h"

#include <stdlib.h>
#include <string.h>

/* So many of one bare name are listed. */
#define MAX_LISTED 8u
/* So many of one value are looked through; a hostile table may have more. */
#define MAX_ALIASES 4096u

struct entry {
	char *name;
	const char *bare; /* behind '#' */
	mdb_addr_t value;
	uint64_t size;
	char letter;
	enum mdb_sym_kind kind;
	bool is_gap;   /* from here on symbols are lost; it is none itself */
	bool is_guess; /* the gap begins behind the symbol, who knows where */
};

struct mdb_xensyms {
	struct entry *entries; /* by value once sorted */
	size_t count, room;
	struct entry **by_name; /* by bare name, then by whole name */
	bool sorted;
	mdb_xensyms_more_fn *more; /* NULL: asked, or nobody to ask */
	void *more_arg;
	unsigned int quiet;
};

struct mdb_xensyms *
mdb_xensyms_create(void)
{
	return mdb_xalloc(sizeof(struct mdb_xensyms));
}

void
mdb_xensyms_destroy(struct mdb_xensyms *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->count; i++)
		free(t->entries[i].name);
	free(t->entries);
	/* NOLINTNEXTLINE(bugprone-multi-level-implicit-pointer-conversion) */
	free(t->by_name);
	free(t);
}

void
mdb_xensyms_set_more(struct mdb_xensyms *t, mdb_xensyms_more_fn *fn, void *arg)
{
	t->more = fn;
	t->more_arg = arg;
}

void
mdb_xensyms_quiet(struct mdb_xensyms *t, bool quiet)
{
	if (quiet)
		t->quiet++;
	else if (t->quiet > 0)
		t->quiet--;
}

size_t
mdb_xensyms_count(const struct mdb_xensyms *t)
{
	return t->count;
}

static void
grow(struct mdb_xensyms *t)
{
	size_t room = t->room ? 2 * t->room : 4096;
	struct entry *more = mdb_xarray(room, sizeof(*more));

	if (t->count)
		memcpy(more, t->entries, t->count * sizeof(*more));
	free(t->entries);
	t->entries = more;
	t->room = room;
}

bool
mdb_xensyms_add(struct mdb_xensyms *t, const struct mdb_xensym *sym)
{
	struct entry *e;
	const char *hash;

	if (t->count >= MDB_XENSYMS_MAX)
		return false;
	if (t->count == t->room)
		grow(t);
	e = &t->entries[t->count++];
	e->name = mdb_xstrdup(sym->name);
	hash = strrchr(e->name, '#');
	e->bare = hash != NULL ? hash + 1 : e->name;
	e->value = sym->value;
	e->size = sym->size;
	e->letter = sym->letter;
	e->kind = sym->kind;
	t->sorted = false;
	return true;
}

/* ---- the embedded table --------------------------------------------------
 */

static enum mdb_sym_kind
kind_of(char letter)
{
	if (letter == 't' || letter == 'T' || letter == 'w' || letter == 'W')
		return MDB_SYM_FUNC;
	return letter == 'a' || letter == 'A' ? MDB_SYM_ABS : MDB_SYM_DATA;
}

/* What lies here belongs to no symbol that is known. */
static void
add_gap(struct mdb_xensyms *t, mdb_addr_t value, bool is_guess)
{
	const struct mdb_xensym none = { .name = "", .value = value };

	if (t->count > 0 && t->entries[t->count - 1].is_gap)
		return;
	if (!mdb_xensyms_add(t, &none))
		return;
	t->entries[t->count - 1].is_gap = true;
	t->entries[t->count - 1].is_guess = is_guess;
}

/* False: it is lost.  Symbols go up, so that an address below was wiped. */
static bool
add_one(struct mdb_ctx *cx, struct mdb_xensyms *t,
	struct mdb_kallsyms_tables *tables, uint32_t i,
	const struct mdb_code *code)
{
	mdb_addr_t last = t->count ? t->entries[t->count - 1].value : 0;
	char buf[MDB_KALLSYMS_MAX_NAME];
	struct mdb_xensym sym = { .name = buf + 1 };

	if (mdb_kallsyms_address(cx, tables, i, &sym.value) != MDB_OK ||
		sym.value < last) {
		add_gap(t, last + 1, true);
		return false;
	}
	if (!code || mdb_kallsyms_expand(tables, code, buf) < 2) {
		add_gap(t, sym.value, false);
		return false;
	}
	sym.letter = buf[0];
	sym.kind = kind_of(buf[0]);
	return mdb_xensyms_add(t, &sym);
}

/* Those whose names one marker leads to; how many are lost. */
static uint32_t
add_block(struct mdb_ctx *cx, struct mdb_xensyms *t,
	struct mdb_kallsyms_tables *tables, uint32_t first)
{
	uint32_t end = first + MDB_KALLSYMS_BLOCK, nr_lost = 0;
	struct mdb_code code = { 0 };
	enum mdb_status st;

	st = mdb_kallsyms_marker(cx, tables, first / MDB_KALLSYMS_BLOCK,
		&code.next);
	if (end > tables->layout.nr_syms)
		end = tables->layout.nr_syms;
	for (uint32_t i = first; i < end; i++) {
		if (st == MDB_OK)
			st = mdb_kallsyms_code(cx, tables, code.next, &code);
		if (!add_one(cx, t, tables, i, st == MDB_OK ? &code : NULL))
			nr_lost++;
	}
	mdb_forget(cx);
	return nr_lost;
}

/* All that are there; a failure says that some are not. */
static enum mdb_status
add_tables(struct mdb_ctx *cx, struct mdb_xensyms *t,
	struct mdb_kallsyms_tables *tables)
{
	uint32_t nr_syms = tables->layout.nr_syms, nr_lost = 0;

	for (uint32_t i = 0; i < nr_syms; i += MDB_KALLSYMS_BLOCK)
		nr_lost += add_block(cx, t, tables, i);
	if (nr_lost == 0)
		return MDB_OK;
	return mdb_fail(cx, MDB_E_CORRUPT, "%u of %u symbols are lost", nr_lost,
		nr_syms);
}

enum mdb_status
mdb_xensyms_add_table(struct mdb_ctx *cx, struct mdb_xensyms *t,
	struct mdb_space *space, const struct mdb_kallsyms_layout *layout)
{
	struct mdb_kallsyms_tables tables;
	enum mdb_status st =
		mdb_kallsyms_tables_init(cx, &tables, space, layout);

	if (st != MDB_OK)
		return st;
	st = add_tables(cx, t, &tables);
	mdb_kallsyms_tables_fini(&tables);
	return st;
}

/* ---- order ---------------------------------------------------------------
 */

static int
is_static(const struct entry *e)
{
	return e->bare != e->name;
}

/* What ends there does not begin there: kexec_reloc_end, before a function. */
static int
is_end(const struct entry *e)
{
	size_t len = strlen(e->bare);

	return len > 4 && strcmp(e->bare + len - 4, "_end") == 0;
}

/* By value; of one value the most public name first. */
static int
compare_values(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	if (is_end(x) != is_end(y))
		return is_end(x) - is_end(y);
	if (is_static(x) != is_static(y))
		return is_static(x) - is_static(y);
	return strcmp(x->name, y->name);
}

static int
compare_names(const void *a, const void *b)
{
	const struct entry *const *x = a;
	const struct entry *const *y = b;
	int order = strcmp((*x)->bare, (*y)->bare);

	if (order == 0)
		order = strcmp((*x)->name, (*y)->name);
	return order != 0		    ? order
	       : (*x)->value != (*y)->value ? (*x)->value < (*y)->value ? -1 : 1
					    : 0;
}

static void
sort(struct mdb_xensyms *t)
{
	if (t->sorted)
		return;
	/* NOLINTNEXTLINE(bugprone-multi-level-implicit-pointer-conversion) */
	free(t->by_name);
	if (t->count > 0)
		qsort(t->entries, t->count, sizeof(*t->entries),
			compare_values);
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
	t->by_name = mdb_xarray(t->count, sizeof(*t->by_name));
	for (size_t i = 0; i < t->count; i++)
		t->by_name[i] = &t->entries[i];
	if (t->count > 0)
		/* NOLINTNEXTLINE(bugprone-sizeof-expression) */
		qsort(t->by_name, t->count, sizeof(*t->by_name), compare_names);
	t->sorted = true;
}

/* False: nobody knows more. */
static bool
ask_more(struct mdb_ctx *cx, struct mdb_object *object)
{
	struct mdb_xensyms *t = object->symtab;
	mdb_xensyms_more_fn *fn = t->more;

	if (fn == NULL || t->quiet > 0)
		return false;
	t->more = NULL;
	fn(cx, object, t->more_arg);
	mdb_forget(cx);
	sort(t);
	return true;
}

/* ---- what is asked -------------------------------------------------------
 */

/* A mark of the linker's below the image: __image_base__ has nothing in it. */
static bool
is_mark(const struct mdb_object *object, const struct entry *e)
{
	return e->size == 0 && e->value < object->base &&
	       e->kind != MDB_SYM_ABS && e->kind != MDB_SYM_PERCPU;
}

/* Up to the next symbol of another value; never into another section. */
static uint64_t
size_of(const struct mdb_xensyms *t, const struct mdb_object *object, size_t i)
{
	const struct entry *e = &t->entries[i];
	mdb_addr_t end = 0;

	if (e->size != 0 || e->kind == MDB_SYM_ABS ||
		e->kind == MDB_SYM_PERCPU || is_mark(object, e))
		return e->size;
	for (size_t j = i + 1; j < t->count && j - i < MAX_ALIASES; j++)
		if (t->entries[j].value > e->value) {
			if (t->entries[j].is_guess)
				return 0;
			end = t->entries[j].value;
			break;
		}
	for (size_t j = 0; j < object->nr_sections; j++) {
		const struct mdb_section *s = &object->sections[j];

		if (e->value >= s->start && e->value < s->end &&
			(end == 0 || end > s->end))
			end = s->end;
	}
	return end > e->value ? end - e->value : 0;
}

static void
fill(const struct mdb_xensyms *t, struct mdb_object *object, size_t i,
	struct mdb_sym *sym)
{
	const struct entry *e = &t->entries[i];

	*sym = (struct mdb_sym){ .object = object,
		.name = e->name,
		.value = e->value,
		.size = size_of(t, object, i),
		.size_exact = e->size != 0,
		.global = e->letter >= 'A' && e->letter <= 'Z',
		.kind = is_mark(object, e) ? MDB_SYM_OTHER : e->kind,
		.letter = e->letter };
}

/* The first of by_name with this bare name; count if none. */
static size_t
first_of(const struct mdb_xensyms *t, const char *bare)
{
	size_t low = 0, high = t->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(t->by_name[mid]->bare, bare) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static enum mdb_status
ambiguous(struct mdb_ctx *cx, const struct mdb_xensyms *t, size_t first,
	const char *name)
{
	const char *list = "";

	for (size_t i = first;
		i < t->count && strcmp(t->by_name[i]->bare, name) == 0; i++) {
		const char *one = mdb_escape_name(cx, t->by_name[i]->name);

		if (i - first == MAX_LISTED) {
			list = mdb_tmp_printf(cx, "%s, ...", list);
			break;
		}
		list = mdb_tmp_printf(cx, "%s%s%s", list, i > first ? ", " : "",
			one);
	}
	return mdb_fail(cx, MDB_E_SYNTAX, "%s is one of several: %s",
		mdb_escape_name(cx, name), list);
}

/* Whole names first; a bare one if it is the only one. */
static enum mdb_status
find(struct mdb_ctx *cx, const struct mdb_xensyms *t, const char *name,
	size_t *index_out)
{
	const char *hash = strrchr(name, '#');
	const char *bare = hash != NULL ? hash + 1 : name;
	size_t first = first_of(t, bare), nr = 0;

	for (size_t i = first;
		i < t->count && strcmp(t->by_name[i]->bare, bare) == 0; i++) {
		if (strcmp(t->by_name[i]->name, name) == 0 &&
			!t->by_name[i]->is_gap) {
			*index_out = (size_t)(t->by_name[i] - t->entries);
			return MDB_OK;
		}
		nr++;
	}
	if (nr == 0 || hash != NULL || name[0] == '\0')
		return MDB_E_NOTFOUND;
	if (nr > 1)
		return ambiguous(cx, t, first, name);
	*index_out = (size_t)(t->by_name[first] - t->entries);
	return MDB_OK;
}

static enum mdb_status
by_name(struct mdb_ctx *cx, struct mdb_object *object, const char *name,
	struct mdb_sym *sym_out)
{
	struct mdb_xensyms *t = object->symtab;
	enum mdb_status st;
	size_t index = 0;

	sort(t);
	st = find(cx, t, name, &index);
	if (st == MDB_E_NOTFOUND && ask_more(cx, object))
		st = find(cx, t, name, &index);
	if (st == MDB_OK)
		fill(t, object, index, sym_out);
	return st;
}

/* The last entry at or below addr; false: none is. */
static bool
below(const struct mdb_xensyms *t, mdb_addr_t addr, size_t *index_out)
{
	size_t low = 0, high = t->count, lowest;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->entries[mid].value <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	lowest = low > MAX_ALIASES ? low - MAX_ALIASES : 0;
	while (low > lowest &&
		(t->entries[low - 1].kind == MDB_SYM_ABS ||
			t->entries[low - 1].kind == MDB_SYM_PERCPU))
		low--;
	if (low == lowest)
		return false;
	low--;
	while (low > lowest &&
		t->entries[low - 1].value == t->entries[low].value)
		low--;
	*index_out = low;
	return true;
}

static enum mdb_status
find_addr(const struct mdb_xensyms *t, struct mdb_object *object,
	mdb_addr_t addr, bool near, struct mdb_sym *sym_out)
{
	struct mdb_sym sym;
	size_t index;

	if (!below(t, addr, &index) || t->entries[index].is_gap)
		return MDB_E_NOTFOUND;
	fill(t, object, index, &sym);
	if (!near && addr - sym.value >= (sym.size ? sym.size : 1))
		return MDB_E_NOTFOUND;
	*sym_out = sym;
	return MDB_OK;
}

static bool
in_text(const struct mdb_object *object, mdb_addr_t addr)
{
	return addr >= object->base && addr < object->end;
}

static enum mdb_status
by_addr(struct mdb_ctx *cx, struct mdb_object *object, mdb_addr_t addr,
	bool near, struct mdb_sym *sym_out)
{
	struct mdb_xensyms *t = object->symtab;

	sort(t);
	/* What text symbols tell of data is only what lies before it. */
	if (!in_text(object, addr))
		(void)ask_more(cx, object);
	return find_addr(t, object, addr, near, sym_out);
}

static enum mdb_status
each(struct mdb_ctx *cx, struct mdb_object *object, mdb_sym_fn *fn, void *arg)
{
	struct mdb_xensyms *t = object->symtab;
	enum mdb_status st = MDB_OK;

	sort(t);
	(void)ask_more(cx, object);
	for (size_t i = 0; i < t->count && st == MDB_OK; i++) {
		struct mdb_sym sym;

		if (t->entries[i].is_gap)
			continue;
		fill(t, object, i, &sym);
		st = fn(cx, &sym, arg);
	}
	return st;
}

static void
destroy(void *symtab)
{
	mdb_xensyms_destroy(symtab);
}

const struct mdb_symtab_ops mdb_xensyms_ops = {
	.by_name = by_name,
	.by_addr = by_addr,
	.each = each,
	.destroy = destroy,
};
