/* SPDX-License-Identifier: MIT */
/*
 * For tests: a world over fake memory whose types and symbols are tables.
 * Its memory begins at machine address 0 and is mapped as it is.
 */
#ifndef MDB_WORLD_FAKE_BUILD_H
#define MDB_WORLD_FAKE_BUILD_H

#include "mdb/base/ctx.h"
#include "mdb/mem/memory.h"
#include "mdb/sym/btf_build.h"
#include "mdb/world/target.h"

#include <string.h>

struct fake_member {
	const char *name;
	uint32_t offset, size;
	/* NULL: an unsigned integer of that size; "-": a signed one; "c":
	 * characters; "p": pointers to characters, size in bytes; else the
	 * name of a structure that came before. */
	const char *type;
};

struct fake_struct {
	const char *name, *alias; /* struct NAME; typedef or NULL */
	uint32_t size;
	/* ended by name NULL; or NULL: alias is an array of the structure of
	 * that name that came before, size FAKE_ARRAY of its dimensions */
	const struct fake_member *members;
};
#define FAKE_ARRAY(outer, inner) ((uint32_t)(outer) << 16 | (inner))

struct fake_sym {
	const char *name;
	mdb_addr_t value;
	uint64_t size;
	const char *type; /* a structure, or NULL */
};

#define FAKE_MAX_STRUCTS 64

/* ---- types --------------------------------------------------------------- */

struct fake_types {
	struct btf_build b;
	uint32_t ints[2][9];  /* by signedness and size */
	uint32_t chars, text; /* char, char * */
	uint32_t word;
	const struct fake_struct *structs;
	uint32_t ids[FAKE_MAX_STRUCTS];
};

static inline uint32_t
fake_member_type(struct fake_types *t, const struct fake_member *m)
{
	if (!m->type || !strcmp(m->type, "-"))
		return t->ints[m->type != NULL][m->size];
	if (!strcmp(m->type, "c"))
		return btf_array(&t->b, t->chars, m->size);
	if (!strcmp(m->type, "p"))
		return m->size == t->word
			       ? t->text
			       : btf_array(&t->b, t->text, m->size / t->word);
	for (size_t i = 0; t->structs[i].name; i++)
		if (!strcmp(t->structs[i].name, m->type))
			return t->ids[i];
	return 0;
}

static inline void
fake_begin_types(struct fake_types *t)
{
	static const char *const names[2][9] = {
		{ NULL, "uchar_t", "ushort_t", NULL, "uint_t", NULL, NULL, NULL,
			"uint64_t" },
		{ NULL, "int8_t", "short", NULL, "int", NULL, NULL, NULL,
			"int64_t" },
	};

	btf_begin(&t->b, 0);
	for (uint32_t s = 0; s < 2; s++)
		for (uint32_t size = 1; size <= 8; size *= 2)
			t->ints[s][size] =
				btf_int(&t->b, names[s][size], size, s);
	t->chars = btf_int(&t->b, "char", 1, 1);
	t->text = btf_type(&t->b, "", 2, 0, false, t->chars);
}

/* typedef struct NAME ALIAS[outer][inner]; */
static inline void
fake_add_array(struct fake_types *t, const struct fake_struct *s)
{
	for (size_t i = 0; &t->structs[i] != s; i++)
		if (!strcmp(t->structs[i].name, s->name))
			btf_type(&t->b, s->alias, 8, 0, false,
				btf_array(&t->b,
					btf_array(&t->b, t->ids[i],
						s->size & 0xffff),
					s->size >> 16));
}

/* Members' own types come before the structure, as ids count up. */
static inline void
fake_add_struct(struct fake_types *t, size_t at)
{
	const struct fake_struct *s = &t->structs[at];
	uint32_t types[64];
	uint32_t n = 0;

	if (!s->members) {
		fake_add_array(t, s);
		return;
	}
	for (; s->members[n].name; n++)
		types[n] = fake_member_type(t, &s->members[n]);
	t->ids[at] = btf_type(&t->b, s->name, 4, n, false, s->size);
	for (uint32_t i = 0; i < n; i++)
		btf_member(&t->b, s->members[i].name, types[i],
			8 * s->members[i].offset);
	if (s->alias)
		btf_type(&t->b, s->alias, 8, 0, false, t->ids[at]);
}

/* Variables of a structure's type (BTF_KIND_VAR, global). */
static inline void
fake_add_vars(struct fake_types *t, const struct fake_sym *syms)
{
	for (; syms->name; syms++)
		for (size_t i = 0; syms->type && t->structs[i].name; i++) {
			if (strcmp(t->structs[i].name, syms->type) != 0)
				continue;
			btf_type(&t->b, syms->name, 14, 0, false, t->ids[i]);
			btf_u32(&t->b.types, 1);
		}
}

/* NULL when the reader refuses them. */
static inline struct mdb_types *
fake_types(struct mdb_ctx *cx, const struct fake_struct *structs,
	const struct fake_sym *syms, size_t word)
{
	struct fake_types t = { .structs = structs, .word = (uint32_t)word };
	struct mdb_types *types = NULL;
	size_t len;

	fake_begin_types(&t);
	for (size_t i = 0; structs[i].name; i++)
		fake_add_struct(&t, i);
	fake_add_vars(&t, syms);

	void *bytes = btf_end(&t.b, &len);

	if (mdb_btf_create(cx, bytes, len, NULL, word, &types) != MDB_OK)
		return NULL;
	return types;
}

/* ---- symbols ------------------------------------------------------------- */

static inline void
fake_sym_fill(struct mdb_object *o, const struct fake_sym *s,
	struct mdb_sym *sym_out)
{
	*sym_out = (struct mdb_sym){ .object = o,
		.name = s->name,
		.value = s->value,
		.size = s->size,
		.size_exact = true,
		.global = true,
		.kind = MDB_SYM_DATA };
}

static inline enum mdb_status
fake_by_name(struct mdb_ctx *cx, struct mdb_object *o, const char *name,
	struct mdb_sym *sym_out)
{
	(void)cx;
	for (const struct fake_sym *s = o->symtab; s->name; s++)
		if (!strcmp(s->name, name)) {
			fake_sym_fill(o, s, sym_out);
			return MDB_OK;
		}
	return MDB_E_NOTFOUND;
}

static inline enum mdb_status
fake_by_addr(struct mdb_ctx *cx, struct mdb_object *o, mdb_addr_t addr,
	bool near, struct mdb_sym *sym_out)
{
	(void)cx;
	(void)near;
	for (const struct fake_sym *s = o->symtab; s->name; s++)
		if (addr >= s->value && addr - s->value < s->size) {
			fake_sym_fill(o, s, sym_out);
			return MDB_OK;
		}
	return MDB_E_NOTFOUND;
}

static const struct mdb_symtab_ops fake_symtab = { .by_name = fake_by_name,
	.by_addr = fake_by_addr };

/* ---- the world ----------------------------------------------------------- */

/* Added to the target; of 32 bits; its object spans all memory. */
static inline struct mdb_world *
fake_world(struct mdb_ctx *cx, struct mdb_target *target,
	enum mdb_world_kind kind, const char *name,
	const struct fake_struct *structs, const struct fake_sym *syms)
{
	struct mdb_world *w = mdb_world_create(target, kind, name);

	w->arch = &mdb_arch_i386;
	w->space = mdb_space_create(name, target->memory, w->arch,
		MDB_PAGING_NONE, 0);
	mdb_space_add_window(w->space, 0x1000, 0xffffffff, 0);
	w->objects = mdb_object_create(w, name);
	w->objects->base = 0x1000;
	w->objects->end = 0xffffffff;
	w->objects->symtab_ops = &fake_symtab;
	w->objects->symtab = (void *)(uintptr_t)syms;
	w->objects->types = fake_types(cx, structs, syms, 4);
	w->objects->types_tried = true;
	w->objects_loaded = true;
	mdb_target_add_world(target, w);
	return w;
}

static inline void
fake_put(struct mdb_target *t, mdb_addr_t addr, uint64_t value, size_t len)
{
	mdb_fake_write(t->memory, addr, &value, len);
}

static inline void
fake_put_str(struct mdb_target *t, mdb_addr_t addr, const char *text)
{
	mdb_fake_write(t->memory, addr, text, strlen(text) + 1);
}

/* A member of the structure at addr; a mistyped name writes nothing. */
static inline void
fake_set(struct mdb_target *t, const struct fake_struct *s, mdb_addr_t addr,
	const char *member, uint64_t value)
{
	for (const struct fake_member *m = s->members; m->name; m++)
		if (!strcmp(m->name, member))
			fake_put(t, addr + m->offset, value, m->size);
}

#endif
