/* SPDX-License-Identifier: MIT */
/*
 * Symbols of a loadable module: the part of its ELF symbol table that the
 * kernel keeps (struct mod_kallsyms, kernel/module/kallsyms.c).
 *
 * nm's letter is in typetab since 5.2, before that in st_info.  The table is
 * read whole when first asked; one that cannot be read is said so once and
 * then taken for empty.
 */
#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"
#include "mdb/world/linux_module.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* More than this is not believed: large modules have some ten thousand. */
#define MAX_SYMS (1u << 20)
#define MAX_STRTAB (32u << 20)
#define MAX_NAME 1024u

/* Elf64_Sym */
#define SYM_LEN 24u
#define SHN_UNDEF 0u
#define SHN_ABS 0xfff1u
#define STB_GLOBAL 1u
#define STB_WEAK 2u

struct modsym {
	const char *name;
	mdb_addr_t value;
	uint64_t size;
	uint32_t order; /* in the module's own table */
	char letter;
	bool global;
	bool absolute;
};

struct modsyms {
	mdb_addr_t kallsyms;
	mdb_addr_t percpu, percpu_end;
	bool tried;
	char *strtab;
	size_t strtab_len;
	struct modsym *syms; /* by value, then order */
	size_t nr;
};

struct mod_kallsyms {
	uint64_t symtab, strtab, typetab;
	uint32_t num_symtab;
};

static const struct mdb_field kallsyms_fields[] = {
	MDB_FIELD(struct mod_kallsyms, symtab, "symtab"),
	MDB_FIELD(struct mod_kallsyms, num_symtab, "num_symtab"),
	MDB_FIELD(struct mod_kallsyms, strtab, "strtab"),
	MDB_FIELD_OPT(struct mod_kallsyms, typetab, "typetab"),
	MDB_FIELD_END,
};
static const struct mdb_shape kallsyms_shape = { "struct mod_kallsyms",
	kallsyms_fields };

/* ---- reading -------------------------------------------------------------
 */

static int
by_value(const void *pa, const void *pb)
{
	const struct modsym *a = pa;
	const struct modsym *b = pb;

	if (a->value != b->value)
		return a->value < b->value ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* The strings: as far as the last name that a symbol has. */
static enum mdb_status
strtab_read(struct mdb_ctx *cx, struct mdb_world *w, struct modsyms *t,
	mdb_addr_t addr, const uint8_t *symtab, size_t nr)
{
	size_t want = 0;
	size_t got;
	enum mdb_status st;

	for (size_t i = 0; i < nr; i++) {
		uint32_t name = mdb_le32(symtab + i * SYM_LEN);

		if (name > want && name < MAX_STRTAB)
			want = name;
	}
	want += MAX_NAME;
	st = mdb_linux_modules_account(cx, mdb_linux_of(w), want);
	if (st != MDB_OK)
		return st;
	t->strtab = mdb_xalloc(want + 1);
	st = mdb_space_read_some(cx, w->space, addr, t->strtab, want, &got);
	if (st == MDB_OK)
		t->strtab_len = got;
	return st;
}

static char
letter_of(char letter, uint8_t info, bool has_types)
{
	unsigned int bind = info >> 4;

	if (letter < ' ' || letter > '~')
		return '?';
	if (has_types && bind == STB_GLOBAL && letter >= 'a' && letter <= 'z')
		return (char)(letter - 'a' + 'A');
	return letter;
}

static void
sym_add(struct modsyms *t, const uint8_t *e, size_t order, char type,
	bool has_types)
{
	struct modsym *s = &t->syms[t->nr];
	uint32_t name = mdb_le32(e);
	uint16_t section = mdb_le16(e + 6);

	if (section == SHN_UNDEF || name >= t->strtab_len ||
		t->strtab[name] == '\0')
		return;
	s->name = t->strtab + name;
	s->value = mdb_le64(e + 8);
	s->size = mdb_le64(e + 16);
	s->order = (uint32_t)order;
	if (!has_types)
		type = (char)e[4];
	s->letter = letter_of(type, e[4], has_types);
	s->global = has_types && e[4] >> 4 != 0;
	s->absolute = section == SHN_ABS;
	t->nr++;
}

static enum mdb_status
table_read(struct mdb_ctx *cx, struct mdb_world *w, struct modsyms *t)
{
	MDB_AUTO_FREE uint8_t *symtab = NULL;
	MDB_AUTO_FREE char *types = NULL;
	struct mod_kallsyms k;
	enum mdb_status st;

	st = mdb_read_shape(cx, &kallsyms_shape, mdb_kernel_loc(w, t->kallsyms),
		&k);
	if (st != MDB_OK || k.num_symtab == 0)
		return st;
	if (k.num_symtab > MAX_SYMS)
		return mdb_fail(cx, MDB_E_CORRUPT, "%" PRIu32 " symbols",
			k.num_symtab);
	st = mdb_linux_modules_account(cx, mdb_linux_of(w),
		k.num_symtab * (uint64_t)sizeof(*t->syms));
	if (st != MDB_OK)
		return st;
	symtab = mdb_xarray(k.num_symtab, SYM_LEN);
	types = mdb_xalloc(k.num_symtab);
	st = mdb_space_read(cx, w->space, k.symtab, symtab,
		(size_t)k.num_symtab * SYM_LEN);
	if (st == MDB_OK && k.typetab != 0)
		st = mdb_space_read(cx, w->space, k.typetab, types,
			k.num_symtab);
	if (st == MDB_OK)
		st = strtab_read(cx, w, t, k.strtab, symtab, k.num_symtab);
	if (st != MDB_OK)
		return st;
	t->syms = mdb_xarray(k.num_symtab, sizeof(*t->syms));
	for (size_t i = 0; i < k.num_symtab; i++)
		sym_add(t, symtab + i * SYM_LEN, i, types[i], k.typetab != 0);
	qsort(t->syms, t->nr, sizeof(*t->syms), by_value);
	return MDB_OK;
}

static struct modsyms *
table_of(struct mdb_ctx *cx, struct mdb_object *o)
{
	struct modsyms *t = o->symtab;
	enum mdb_status st;

	if (t->tried)
		return t;
	t->tried = true;
	st = table_read(cx, o->world, t);
	if (st != MDB_OK)
		mdb_warn(cx, st, "the symbols of module %s cannot be read",
			o->name);
	return t;
}

/* ---- asking --------------------------------------------------------------
 */

static enum mdb_sym_kind
kind_of(const struct modsyms *t, const struct modsym *s)
{
	if (s->value >= t->percpu && s->value < t->percpu_end)
		return MDB_SYM_PERCPU;
	if (s->absolute)
		return MDB_SYM_ABS;
	switch (s->letter) {
	case 't':
	case 'T':
	case 'w':
	case 'W':
		return MDB_SYM_FUNC;
	default:
		return MDB_SYM_DATA;
	}
}

static void
sym_out(struct mdb_object *o, size_t i, struct mdb_sym *sym)
{
	const struct modsyms *t = o->symtab;
	const struct modsym *s = &t->syms[i];

	memset(sym, 0, sizeof(*sym));
	sym->object = o;
	sym->name = s->name;
	sym->value = s->value;
	sym->size = s->size;
	sym->size_exact = s->size != 0;
	sym->letter = s->letter;
	sym->global = s->global;
	sym->kind = kind_of(t, s);
}

/* Data before functions, then global, then the lowest address. */
static enum mdb_status
modsym_by_name(struct mdb_ctx *cx, struct mdb_object *o, const char *name,
	struct mdb_sym *out)
{
	struct modsyms *t = table_of(cx, o);
	size_t best = SIZE_MAX;
	int best_rank = -1;

	for (size_t i = 0; i < t->nr; i++) {
		int rank;

		if (strcmp(t->syms[i].name, name) != 0)
			continue;
		rank = (kind_of(t, &t->syms[i]) != MDB_SYM_FUNC) +
		       2 * t->syms[i].global;
		if (rank > best_rank) {
			best_rank = rank;
			best = i;
		}
	}
	if (best == SIZE_MAX)
		return MDB_E_NOTFOUND;
	sym_out(o, best, out);
	return MDB_OK;
}

/* The section that holds addr; NULL: none. */
static const struct mdb_section *
section_of(const struct mdb_object *o, mdb_addr_t addr)
{
	for (size_t i = 0; i < o->nr_sections; i++)
		if (addr >= o->sections[i].start && addr < o->sections[i].end)
			return &o->sections[i];
	return NULL;
}

/* Of those at one address: one that has a size, else the first. */
static size_t
best_alias(const struct modsyms *t, size_t last)
{
	size_t best = last;

	for (size_t i = last;; i--) {
		if (t->syms[i].value != t->syms[last].value)
			break;
		if (t->syms[i].size != 0 || t->syms[best].size == 0)
			best = i;
		if (i == 0)
			break;
	}
	return best;
}

static enum mdb_status
modsym_by_addr(struct mdb_ctx *cx, struct mdb_object *o, mdb_addr_t addr,
	bool near, struct mdb_sym *out)
{
	struct modsyms *t = table_of(cx, o);
	const struct mdb_section *section = section_of(o, addr);
	struct mdb_sym sym;
	size_t low = 0;
	size_t high = t->nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->syms[mid].value <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0)
		return MDB_E_NOTFOUND;
	sym_out(o, best_alias(t, low - 1), &sym);
	if (sym.kind == MDB_SYM_ABS || sym.kind == MDB_SYM_PERCPU ||
		(section != NULL && sym.value < section->start))
		return MDB_E_NOTFOUND;
	/* One without a size goes on to the next. */
	if (sym.size == 0) {
		mdb_addr_t end = section != NULL ? section->end : 0;

		if (low < t->nr && (end == 0 || t->syms[low].value < end))
			end = t->syms[low].value;
		sym.size = end > sym.value ? end - sym.value : 0;
	}
	if (!near && addr != sym.value && addr - sym.value >= sym.size)
		return MDB_E_NOTFOUND;
	*out = sym;
	return MDB_OK;
}

static enum mdb_status
modsym_each(struct mdb_ctx *cx, struct mdb_object *o, mdb_sym_fn *fn, void *arg)
{
	struct modsyms *t = table_of(cx, o);

	for (size_t i = 0; i < t->nr; i++) {
		struct mdb_sym sym;
		enum mdb_status st;

		sym_out(o, i, &sym);
		st = fn(cx, &sym, arg);
		if (st != MDB_OK)
			return st == MDB_DONE ? MDB_OK : st;
	}
	return MDB_OK;
}

static void
modsym_destroy(void *symtab)
{
	struct modsyms *t = symtab;

	free(t->strtab);
	free(t->syms);
	free(t);
}

static const struct mdb_symtab_ops modsym_ops = {
	.by_name = modsym_by_name,
	.by_addr = modsym_by_addr,
	.each = modsym_each,
	.destroy = modsym_destroy,
};

void
mdb_linux_module_symbols(struct mdb_object *o, const struct mdb_linux_module *m)
{
	struct modsyms *t;

	if (m->kallsyms == 0)
		return;
	t = mdb_xalloc(sizeof(*t));
	t->kallsyms = m->kallsyms;
	t->percpu = m->percpu;
	if (m->percpu != 0 && m->percpu_size <= 64u << 20)
		t->percpu_end = m->percpu + m->percpu_size;
	o->symtab = t;
	o->symtab_ops = &modsym_ops;
}
