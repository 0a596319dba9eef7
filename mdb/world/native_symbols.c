/* SPDX-License-Identifier: MIT */
/*
 * Symbols and types that a dump embeds for an object.  Nothing is expanded
 * before it is first asked for; what cannot be had is said once.
 */
#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"
#include "mdb/sym/symtab.h"
#include "mdb/world/native.h"

#include <stdlib.h>
#include <string.h>

/* What an object's symtab points to. */
struct embedded {
	struct mdb_native *native;
	size_t index;
	bool tried;
	struct mdb_symtab *table; /* NULL: none */
};

static enum mdb_status
load(struct mdb_ctx *cx, struct embedded *e)
{
	const struct mdb_native *n = e->native;
	const void *entries, *strings;
	size_t entries_len, strings_len;
	enum mdb_status st;

	st = n->blob(cx, n->blob_arg, e->index, DFMT_BLOB_SYMTAB, &entries,
		&entries_len);
	if (st == MDB_OK)
		st = n->blob(cx, n->blob_arg, e->index, DFMT_BLOB_STRTAB,
			&strings, &strings_len);
	if (st == MDB_OK)
		st = mdb_symtab_create(cx, entries, entries_len, strings,
			strings_len, &e->table);
	return st;
}

static struct mdb_symtab *
table_of(struct mdb_ctx *cx, struct mdb_object *o)
{
	struct embedded *e = o->symtab;
	enum mdb_status st;

	if (e->tried)
		return e->table;
	e->tried = true;
	st = load(cx, e);
	if (st != MDB_OK && st != MDB_E_NOTFOUND)
		mdb_warn(cx, st, "no symbols of %s",
			mdb_escape_name(cx, o->name));
	mdb_forget(cx);
	return e->table;
}

static enum mdb_status
by_name(struct mdb_ctx *cx, struct mdb_object *o, const char *name,
	struct mdb_sym *sym_out)
{
	struct mdb_symtab *t = table_of(cx, o);

	return t ? mdb_symtab_by_name(t, o, name, sym_out) : MDB_E_NOTFOUND;
}

static enum mdb_status
by_addr(struct mdb_ctx *cx, struct mdb_object *o, mdb_addr_t addr, bool near,
	struct mdb_sym *sym_out)
{
	struct mdb_symtab *t = table_of(cx, o);

	return t ? mdb_symtab_by_addr(t, o, addr, near, sym_out)
		 : MDB_E_NOTFOUND;
}

static enum mdb_status
each(struct mdb_ctx *cx, struct mdb_object *o, mdb_sym_fn *fn, void *arg)
{
	struct mdb_symtab *t = table_of(cx, o);

	return t ? mdb_symtab_each(cx, t, o, fn, arg) : MDB_OK;
}

static void
destroy(void *symtab)
{
	struct embedded *e = symtab;

	mdb_symtab_destroy(e->table);
	free(e);
}

static const struct mdb_symtab_ops embedded_ops = {
	.by_name = by_name,
	.by_addr = by_addr,
	.each = each,
	.destroy = destroy,
};

void
mdb_native_symbols_init(struct mdb_object *o, struct mdb_native *native,
	size_t index)
{
	struct embedded *e = mdb_xalloc(sizeof(*e));

	e->native = native;
	e->index = index;
	o->symtab = e;
	o->symtab_ops = &embedded_ops;
}

/* The container takes over what it is made of, so the bytes are copied. */
static enum mdb_status
make_types(struct mdb_ctx *cx, const void *bytes, size_t len,
	struct mdb_types *base, size_t word, struct mdb_types **types_out)
{
	void *copy = mdb_try_alloc(len ? len : 1, 1);

	if (!copy)
		return mdb_fail(cx, MDB_E_SYSTEM, "no memory for BTF");
	memcpy(copy, bytes, len);
	return mdb_btf_create(cx, copy, len, base, word, types_out);
}

/* A module's types may continue those of its kernel. */
enum mdb_status
mdb_native_load_types(struct mdb_ctx *cx, struct mdb_object *o,
	struct mdb_types **types_out)
{
	const struct embedded *e = o->symtab;
	struct mdb_object *first = o->world->objects;
	struct mdb_types *base;
	const void *bytes;
	size_t len;
	enum mdb_status st;

	if (!e)
		return MDB_E_NOTFOUND;
	st = e->native->blob(cx, e->native->blob_arg, e->index, DFMT_BLOB_BTF,
		&bytes, &len);
	if (st == MDB_E_NOTFOUND)
		return mdb_fail(cx, st, "no types of %s are in the dump",
			o->name);
	if (st == MDB_OK)
		st = make_types(cx, bytes, len, NULL, o->world->arch->word,
			types_out);
	if (st == MDB_OK || o == first)
		return st;
	base = mdb_object_types(cx, first);
	if (!base)
		return st;
	mdb_forget(cx);
	return make_types(cx, bytes, len, base, o->world->arch->word,
		types_out);
}
