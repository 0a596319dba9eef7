/* SPDX-License-Identifier: MIT */
/*
 * DWARF states a type in each unit that knows it.  Two are one here if their
 * own bytes come out the same: name, size, and for structures the names,
 * places and spelled types of the members.
 */
#include "btfwrite.h"

#include "mdb/base/alloc.h"
#include "mdb/sym/btf_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct out_type {
	struct mdb_type_desc desc;
	uint32_t id; /* in the container; 0: a variable or made up */
	uint32_t kind, name, size_or_type, vlen;
	bool flag;
	struct mdb_buf extra;
	char *key;
};

struct btfwrite {
	struct mdb_types *types;
	struct out_type *out; /* [0] is void */
	uint32_t nr, cap, nr_done;
	uint32_t *memo; /* by the container's id */
	uint32_t nr_memo;
	struct mdb_buf strings;
	uint32_t *slots; /* of keys */
	uint32_t nr_slots, index_int;
};

static void
put32(struct mdb_buf *b, uint32_t v)
{
	uint8_t p[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16),
		(uint8_t)(v >> 24) };

	mdb_buf_add(b, p, 4);
}

/* Strings once each: compression is not enough, a name index is faster too. */
static uint32_t
string(struct btfwrite *w, const char *s)
{
	size_t len = strlen(s) + 1;
	char *hit;

	if (len == 1)
		return 0;
	hit = memmem(w->strings.data, w->strings.len, s, len);
	while (hit && hit != w->strings.data && hit[-1] != '\0')
		hit = memmem(hit + 1,
			w->strings.len - (size_t)(hit + 1 - w->strings.data), s,
			len);
	if (hit)
		return (uint32_t)(hit - w->strings.data);
	mdb_buf_add(&w->strings, s, len);
	return (uint32_t)(w->strings.len - len);
}

struct btfwrite *
btfwrite_create(struct mdb_types *types)
{
	struct btfwrite *w = mdb_xalloc(sizeof(*w));

	w->types = types;
	w->cap = 1 << 17;
	w->out = mdb_xarray(w->cap, sizeof(*w->out));
	w->nr = w->nr_done = 1;
	w->nr_slots = 1 << 18;
	w->slots = mdb_xarray(w->nr_slots, sizeof(*w->slots));
	mdb_buf_init(&w->strings);
	mdb_buf_putc(&w->strings, '\0');
	return w;
}

void
btfwrite_destroy(struct btfwrite *w)
{
	for (uint32_t i = 1; i < w->nr; i++) {
		mdb_buf_fini(&w->out[i].extra);
		free(w->out[i].key);
	}
	free(w->out);
	free(w->memo);
	free(w->slots);
	mdb_buf_fini(&w->strings);
	free(w);
}

static uint32_t *
slot_of(struct btfwrite *w, const char *key)
{
	uint32_t h = 2166136261u, i;

	for (const char *p = key; *p; p++)
		h = (h ^ (uint8_t)*p) * 16777619u;
	for (i = h & (w->nr_slots - 1); w->slots[i];
		i = (i + 1) & (w->nr_slots - 1))
		if (!strcmp(w->out[w->slots[i]].key, key))
			break;
	return &w->slots[i];
}

static struct out_type *
add(struct btfwrite *w, char *key, uint32_t kind)
{
	struct out_type *t;

	if (w->nr == w->cap) {
		fputs("btfwrite: too many types\n", stderr);
		exit(1);
	}
	*slot_of(w, key) = w->nr;
	t = &w->out[w->nr++];
	t->key = key;
	t->kind = kind;
	mdb_buf_init(&t->extra);
	return t;
}

static char *
key_of(const char *fmt, ...)
{
	struct mdb_buf b;
	va_list ap;

	mdb_buf_init(&b);
	va_start(ap, fmt);
	mdb_buf_vprintf(&b, fmt, ap);
	va_end(ap);
	return mdb_buf_steal(&b);
}

/* What a name alone may say of a member's type: through pointers, not deep. */
static void
spell(struct btfwrite *w, struct mdb_buf *b, uint32_t id, int depth)
{
	struct mdb_type_desc d;

	w->types->ops->get(w->types, id, &d);
	mdb_buf_printf(b, "%u.%s.%llu", (unsigned)d.kind, d.name,
		(unsigned long long)d.size);
	if (d.kind == MDB_T_ARRAY)
		mdb_buf_printf(b, "[%llu]", (unsigned long long)d.count);
	if (depth < 6 && d.name[0] == '\0' && d.target &&
		d.kind != MDB_T_FUNC) {
		mdb_buf_putc(b, '>');
		spell(w, b, d.target, depth + 1);
	}
	if (depth >= 6 || d.name[0] != '\0' ||
		(d.kind != MDB_T_STRUCT && d.kind != MDB_T_UNION))
		return;
	mdb_buf_putc(b, '{');
	for (uint64_t i = 0; i < d.count; i++) {
		struct mdb_member_desc m;

		w->types->ops->member(w->types, &d, i, &m);
		mdb_buf_printf(b, "%s@%llu:%u=", m.name,
			(unsigned long long)m.bit_offset, m.nr_bits);
		spell(w, b, m.type, depth + 1);
		mdb_buf_putc(b, ';');
	}
	mdb_buf_putc(b, '}');
}

static char *
composite_key(struct btfwrite *w, const struct mdb_type_desc *d)
{
	struct mdb_buf b;

	mdb_buf_init(&b);
	mdb_buf_printf(&b, "%u %s %llu {", (unsigned)d->kind, d->name,
		(unsigned long long)d->size);
	for (uint64_t i = 0; i < d->count; i++) {
		struct mdb_member_desc m;

		w->types->ops->member(w->types, d, i, &m);
		mdb_buf_printf(&b, "%s@%llu:%u=", m.name,
			(unsigned long long)m.bit_offset, m.nr_bits);
		spell(w, &b, m.type, 0);
		mdb_buf_putc(&b, ';');
	}
	return mdb_buf_steal(&b);
}

static char *
enum_key(struct btfwrite *w, const struct mdb_type_desc *d)
{
	struct mdb_buf b;

	mdb_buf_init(&b);
	mdb_buf_printf(&b, "E %s %llu", d->name, (unsigned long long)d->size);
	for (uint64_t i = 0; i < d->count; i++) {
		struct mdb_enumerator e;

		w->types->ops->enumerator(w->types, d, i, &e);
		mdb_buf_printf(&b, " %s=%lld", e.name, (long long)e.value);
	}
	return mdb_buf_steal(&b);
}

/* Finds or adds; *new_out says which. */
static uint32_t
intern(struct btfwrite *w, char *key, uint32_t kind, struct out_type **new_out)
{
	uint32_t id = *slot_of(w, key);

	*new_out = NULL;
	if (id) {
		free(key);
		return id;
	}
	*new_out = add(w, key, kind);
	return w->nr - 1;
}

static uint32_t
write_int(struct btfwrite *w, const struct mdb_type_desc *d)
{
	const struct mdb_int_info *info = &d->int_info;
	struct out_type *t;
	uint32_t enc = (info->is_signed ? 1u : 0) | (info->is_bool ? 4u : 0);
	uint32_t id = intern(w,
		key_of("i %s %llu %u %u", d->name, (unsigned long long)d->size,
			info->nr_bits, enc),
		BTF_INT, &t);

	if (t) {
		t->name = string(w, d->name);
		t->size_or_type = (uint32_t)d->size;
		put32(&t->extra, enc << 24 | info->nr_bits);
	}
	return id;
}

static uint32_t
write_reference(struct btfwrite *w, const struct mdb_type_desc *d,
	uint32_t kind)
{
	uint32_t target = btfwrite_type(w, d->target);
	struct out_type *t;
	uint32_t id = intern(w, key_of("r %u %s %u", kind, d->name, target),
		kind, &t);

	if (t) {
		t->name = string(w, d->name);
		t->size_or_type = target;
	}
	return id;
}

static uint32_t
write_array(struct btfwrite *w, const struct mdb_type_desc *d)
{
	uint32_t element = btfwrite_type(w, d->target);
	struct mdb_type_desc index = { .kind = MDB_T_INT,
		.name = "__ARRAY_SIZE_TYPE__",
		.size = 4,
		.int_info = { .nr_bits = 32 } };
	uint32_t index_id = write_int(w, &index), id;
	struct out_type *t;

	id = intern(w,
		key_of("a %u %llu", element, (unsigned long long)d->count),
		BTF_ARRAY, &t);
	if (t) {
		put32(&t->extra, element);
		put32(&t->extra, index_id);
		put32(&t->extra, (uint32_t)d->count);
	}
	return id;
}

static uint32_t
write_func(struct btfwrite *w, const struct mdb_type_desc *d)
{
	uint32_t ret = btfwrite_type(w, d->target), id;
	struct mdb_buf key, extra;
	struct out_type *t;

	mdb_buf_init(&key);
	mdb_buf_init(&extra);
	mdb_buf_printf(&key, "f %u", ret);
	for (uint64_t i = 0; i < d->count; i++) {
		struct mdb_member_desc m;
		uint32_t type;

		w->types->ops->member(w->types, d, i, &m);
		type = btfwrite_type(w, m.type);
		mdb_buf_printf(&key, " %u", type);
		put32(&extra, 0);
		put32(&extra, type);
	}
	id = intern(w, mdb_buf_steal(&key), BTF_FUNC_PROTO, &t);
	if (t) {
		t->size_or_type = ret;
		t->vlen = (uint32_t)d->count;
		t->extra = extra;
	} else {
		mdb_buf_fini(&extra);
	}
	return id;
}

static uint32_t
write_enum(struct btfwrite *w, const struct mdb_type_desc *d)
{
	bool wide = d->size > 4;
	struct out_type *t;
	uint32_t id =
		intern(w, enum_key(w, d), wide ? BTF_ENUM64 : BTF_ENUM, &t);

	if (!t)
		return id;
	t->name = string(w, d->name);
	t->size_or_type = (uint32_t)d->size;
	t->vlen = (uint32_t)d->count;
	t->flag = d->int_info.is_signed;
	for (uint64_t i = 0; i < d->count; i++) {
		struct mdb_enumerator e;

		w->types->ops->enumerator(w->types, d, i, &e);
		put32(&t->extra, string(w, e.name));
		put32(&t->extra, (uint32_t)e.value);
		if (wide)
			put32(&t->extra, (uint32_t)((uint64_t)e.value >> 32));
	}
	return id;
}

/* The members come later, or a list would have no end. */
static uint32_t
write_composite(struct btfwrite *w, uint32_t from,
	const struct mdb_type_desc *d)
{
	struct out_type *t;
	uint32_t id = intern(w, composite_key(w, d),
		d->kind == MDB_T_UNION ? BTF_UNION : BTF_STRUCT, &t);

	if (t) {
		t->desc = *d;
		t->id = from;
		t->name = string(w, d->name);
		t->size_or_type = (uint32_t)d->size;
		t->vlen = (uint32_t)d->count;
	}
	return id;
}

static uint32_t
write_forward(struct btfwrite *w, const struct mdb_type_desc *d)
{
	uint32_t whole = w->types->ops->find(w->types,
			 d->is_union ? MDB_T_UNION : MDB_T_STRUCT, d->name),
		 id;
	struct mdb_type_desc there;
	struct out_type *t;

	if (whole) {
		w->types->ops->get(w->types, whole, &there);
		if (there.kind != MDB_T_FORWARD)
			return btfwrite_type(w, whole);
	}
	id = intern(w, key_of("w %u %s", d->is_union, d->name), BTF_FWD, &t);
	if (t) {
		t->name = string(w, d->name);
		t->flag = d->is_union;
	}
	return id;
}

static uint32_t
write_float(struct btfwrite *w, const struct mdb_type_desc *d)
{
	struct out_type *t;
	uint32_t id = intern(w, key_of("d %s", d->name), BTF_FLOAT, &t);

	if (t) {
		t->name = string(w, d->name);
		t->size_or_type = (uint32_t)d->size;
	}
	return id;
}

static uint32_t
write_any(struct btfwrite *w, uint32_t id)
{
	struct mdb_type_desc d;

	w->types->ops->get(w->types, id, &d);
	switch (d.kind) {
	case MDB_T_INT:
		return write_int(w, &d);
	case MDB_T_FLOAT:
		return write_float(w, &d);
	case MDB_T_POINTER:
		return write_reference(w, &d, BTF_PTR);
	case MDB_T_ARRAY:
		return write_array(w, &d);
	case MDB_T_STRUCT:
	case MDB_T_UNION:
		return write_composite(w, id, &d);
	case MDB_T_ENUM:
		return write_enum(w, &d);
	case MDB_T_TYPEDEF:
		return write_reference(w, &d, BTF_TYPEDEF);
	case MDB_T_CONST:
		return write_reference(w, &d, BTF_CONST);
	case MDB_T_VOLATILE:
		return write_reference(w, &d, BTF_VOLATILE);
	case MDB_T_RESTRICT:
		return write_reference(w, &d, BTF_RESTRICT);
	case MDB_T_FUNC:
		return write_func(w, &d);
	case MDB_T_FORWARD:
		return write_forward(w, &d);
	case MDB_T_VOID:
		break;
	}
	return 0;
}

uint32_t
btfwrite_type(struct btfwrite *w, uint32_t id)
{
	uint32_t written;

	if (!id)
		return 0;
	if (id < w->nr_memo && w->memo[id])
		return w->memo[id];
	written = write_any(w, id);
	if (id >= w->nr_memo) {
		uint32_t nr = 2 * id + 1024;

		w->memo = mdb_xrealloc(w->memo, nr, sizeof(*w->memo));
		memset(w->memo + w->nr_memo, 0,
			(nr - w->nr_memo) * sizeof(*w->memo));
		w->nr_memo = nr;
	}
	w->memo[id] = written;
	return written;
}

static void
write_members(struct btfwrite *w, uint32_t index)
{
	struct mdb_type_desc d = w->out[index].desc;
	struct mdb_member_desc m;
	struct mdb_buf extra;
	bool flag = false;

	mdb_buf_init(&extra);
	for (uint64_t i = 0; i < d.count; i++) {
		w->types->ops->member(w->types, &d, i, &m);
		flag = flag || m.nr_bits;
	}
	for (uint64_t i = 0; i < d.count; i++) {
		uint32_t type;

		w->types->ops->member(w->types, &d, i, &m);
		type = btfwrite_type(w, m.type);
		put32(&extra, string(w, m.name));
		put32(&extra, type);
		put32(&extra,
			(uint32_t)m.bit_offset | (flag ? m.nr_bits << 24 : 0));
	}
	w->out[index].extra = extra;
	w->out[index].flag = flag;
}

void
btfwrite_var(struct btfwrite *w, const char *name, uint32_t id)
{
	uint32_t type = btfwrite_type(w, id);
	struct out_type *t = add(w, key_of("v %s", name), BTF_VAR);

	t->name = string(w, name);
	t->size_or_type = type;
	put32(&t->extra, 1);
}

void
btfwrite_finish(struct btfwrite *w, struct mdb_buf *out)
{
	struct mdb_buf types;

	for (; w->nr_done < w->nr; w->nr_done++)
		if (w->out[w->nr_done].id)
			write_members(w, w->nr_done);
	mdb_buf_init(&types);
	for (uint32_t i = 1; i < w->nr; i++) {
		const struct out_type *t = &w->out[i];

		put32(&types, t->name);
		put32(&types,
			(uint32_t)t->flag << 31 | t->kind << 24 | t->vlen);
		put32(&types, t->size_or_type);
		mdb_buf_add(&types, t->extra.data, t->extra.len);
	}
	put32(out, 0x0001eb9f);
	put32(out, 24);
	put32(out, 0);
	put32(out, (uint32_t)types.len);
	put32(out, (uint32_t)types.len);
	put32(out, (uint32_t)w->strings.len);
	mdb_buf_add(out, types.data, types.len);
	mdb_buf_add(out, w->strings.data, w->strings.len);
	mdb_buf_fini(&types);
}
