/* SPDX-License-Identifier: MIT */
/*
 * Synthetic objects.  Each is a structure of pointers, followed by the texts
 * that they point to.  Its types are a container of its own with three types:
 * char, pointer to it, the structure.
 */
#include "mdb/world/synthetic.h"

#include "mdb/base/alloc.h"
#include "mdb/base/buf.h"
#include "mdb/base/ctx.h"
#include "mdb/world/target.h"

#include <stdlib.h>
#include <string.h>

struct mdb_synthetic_object {
	struct mdb_synthetic_object *next;
	const struct mdb_synthetic *def;
	struct mdb_object *object; /* in no list; its types are ours */
	struct mdb_buf bytes;
	bool filled;
};

/* ---- types --------------------------------------------------------------- */

enum {
	ID_CHAR = 1,
	ID_TEXT,
	ID_STRUCT,
	NR_IDS
};

struct types {
	struct mdb_types base;
	const struct mdb_synthetic *def;
};

static size_t
nr_members(const struct mdb_synthetic *def)
{
	size_t n = 0;

	while (def->members[n] != NULL)
		n++;
	return n;
}

static const struct mdb_synthetic *
def_of(struct mdb_types *types)
{
	return ((struct types *)(void *)types)->def;
}

static void
types_get(struct mdb_types *types, uint32_t id, struct mdb_type_desc *d)
{
	const struct mdb_synthetic *def = def_of(types);

	*d = (struct mdb_type_desc){ .kind = MDB_T_VOID, .name = "" };
	switch (id) {
	case ID_CHAR:
		*d = (struct mdb_type_desc){ .kind = MDB_T_INT,
			.name = "char",
			.size = 1,
			.int_info = { .nr_bits = 8,
				.is_signed = true,
				.is_char = true } };
		break;
	case ID_TEXT:
		*d = (struct mdb_type_desc){ .kind = MDB_T_POINTER,
			.name = "",
			.size = types->word,
			.target = ID_CHAR };
		break;
	case ID_STRUCT:
		*d = (struct mdb_type_desc){ .kind = MDB_T_STRUCT,
			.name = def->name,
			.size = nr_members(def) * types->word,
			.count = nr_members(def) };
		break;
	default:
		break;
	}
}

static void
types_member(struct mdb_types *types, const struct mdb_type_desc *desc,
	size_t index, struct mdb_member_desc *m)
{
	(void)desc;
	*m = (struct mdb_member_desc){ .name = def_of(types)->members[index],
		.type = ID_TEXT,
		.bit_offset = index * types->word * 8 };
}

static uint32_t
types_find(struct mdb_types *types, enum mdb_type_kind kind, const char *name)
{
	return kind == MDB_T_STRUCT && strcmp(name, def_of(types)->name) == 0
		       ? ID_STRUCT
		       : 0;
}

static uint32_t
types_of_var(struct mdb_types *types, const char *name)
{
	return strcmp(name, def_of(types)->name) == 0 ? ID_STRUCT : 0;
}

static void
types_free(struct mdb_types *types)
{
	free(types);
}

static const struct mdb_types_ops types_ops = {
	.get = types_get,
	.member = types_member,
	.find = types_find,
	.of_var = types_of_var,
	.destroy = types_free,
};

static struct mdb_types *
types_create(const struct mdb_synthetic *def, size_t word)
{
	struct types *t = mdb_xalloc(sizeof(*t));

	t->base = (struct mdb_types){ .ops = &types_ops,
		.first_id = 1,
		.nr_ids = NR_IDS,
		.word = word,
		.source = "made up" };
	t->def = def;
	return &t->base;
}

/* ---- objects ------------------------------------------------------------- */

static void
add_to_world(struct mdb_world *w, const struct mdb_synthetic *def)
{
	struct mdb_synthetic_object *s = mdb_xalloc(sizeof(*s));

	s->def = def;
	s->object = mdb_object_create(w, w->name);
	s->object->types = types_create(def, w->arch->word);
	s->object->types_tried = true;
	s->object->debug_tried = true;
	mdb_buf_init(&s->bytes);
	s->next = w->synthetics;
	w->synthetics = s;
}

void
mdb_synthetic_add(struct mdb_ctx *cx, const struct mdb_synthetic *def)
{
	struct mdb_world *w = cx->target != NULL ? cx->target->worlds : NULL;

	for (; w != NULL; w = w->next)
		if (w->kind == def->kind &&
			(w->arch->word == 8 || def->addr >> 32 == 0))
			add_to_world(w, def);
}

void
mdb_synthetic_destroy(struct mdb_synthetic_object *list)
{
	while (list != NULL) {
		struct mdb_synthetic_object *next = list->next;

		mdb_object_destroy(list->object);
		mdb_buf_fini(&list->bytes);
		free(list);
		list = next;
	}
}

static void
put_word(struct mdb_buf *b, uint64_t value, size_t word)
{
	unsigned char bytes[8];

	for (size_t i = 0; i < word; i++)
		bytes[i] = (unsigned char)(value >> 8 * i);
	mdb_buf_add(b, bytes, word);
}

/* A text that is not known is a null pointer. */
static void
fill(struct mdb_ctx *cx, struct mdb_synthetic_object *s)
{
	struct mdb_world *w = s->object->world;
	size_t word = w->arch->word, nr = nr_members(s->def);
	const char **texts = mdb_tmp(cx, (nr + 1) * sizeof(*texts));
	uint64_t at = s->def->addr + nr * word;

	s->filled = true;
	for (size_t i = 0; i < nr; i++) {
		texts[i] = s->def->text(cx, w, s->def->members[i]);
		put_word(&s->bytes, texts[i] != NULL ? at : 0, word);
		if (texts[i] != NULL)
			at += strlen(texts[i]) + 1;
	}
	for (size_t i = 0; i < nr; i++)
		if (texts[i] != NULL)
			mdb_buf_add(&s->bytes, texts[i], strlen(texts[i]) + 1);
}

static void
sym_fill(const struct mdb_synthetic_object *s, struct mdb_sym *sym_out)
{
	*sym_out = (struct mdb_sym){ .object = s->object,
		.name = s->def->name,
		.value = s->def->addr,
		.size = nr_members(s->def) * s->object->world->arch->word,
		.size_exact = true,
		.global = true,
		.kind = MDB_SYM_DATA };
}

enum mdb_status
mdb_synthetic_by_name(struct mdb_ctx *cx, struct mdb_world *world,
	const char *name, struct mdb_sym *sym_out)
{
	(void)cx;
	for (const struct mdb_synthetic_object *s = world->synthetics;
		s != NULL; s = s->next)
		if (strcmp(s->def->name, name) == 0) {
			sym_fill(s, sym_out);
			return MDB_OK;
		}
	return MDB_E_NOTFOUND;
}

enum mdb_status
mdb_synthetic_by_addr(struct mdb_ctx *cx, struct mdb_world *world,
	mdb_addr_t addr, struct mdb_sym *sym_out)
{
	(void)cx;
	for (const struct mdb_synthetic_object *s = world->synthetics;
		s != NULL; s = s->next) {
		sym_fill(s, sym_out);
		if (addr >= sym_out->value &&
			addr - sym_out->value < sym_out->size)
			return MDB_OK;
	}
	return MDB_E_NOTFOUND;
}

bool
mdb_synthetic_read(struct mdb_ctx *cx, struct mdb_loc loc, void *buf,
	size_t len, size_t *len_out)
{
	if (loc.space != NULL)
		return false;
	for (struct mdb_synthetic_object *s = loc.world->synthetics; s != NULL;
		s = s->next) {
		uint64_t at = loc.addr - s->def->addr;

		/* The cheap test first: texts are asked for when needed. */
		if (loc.addr < s->def->addr || at >= MDB_SYNTHETIC_MAX)
			continue;
		if (!s->filled)
			fill(cx, s);
		if (at >= s->bytes.len)
			continue;
		if (len > s->bytes.len - at)
			len = s->bytes.len - at;
		memcpy(buf, s->bytes.data + at, len);
		*len_out = len;
		return true;
	}
	return false;
}
