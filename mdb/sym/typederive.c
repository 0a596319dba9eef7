/* SPDX-License-Identifier: MIT */
/*
 * Types that nobody declared: "struct foo **" where the kernel has none, the
 * integers of C where a container names them otherwise or there is none.
 *
 * Each container carries at most one container of derived types, made when
 * first needed and destroyed with it.  Its ids begin at MDB_TYPES_DERIVED,
 * above any reader's; lower ids are those of the container that it extends.
 * The same derivation always gives the same id, so what a session asks again
 * costs nothing.
 */
#include "mdb/sym/types.h"

#include "mdb/base/alloc.h"

#include <stdlib.h>
#include <string.h>

struct derived {
	struct mdb_types types;
	struct mdb_type_desc *descs; /* by id - first_id */
	uint32_t nr, cap;
};

static const struct mdb_types_ops derived_ops;

static const struct mdb_type_desc *
desc_at(const struct mdb_types *types, uint32_t id)
{
	const struct derived *d = (const struct derived *)types;

	return id - types->first_id < d->nr ? &d->descs[id - types->first_id]
					    : NULL;
}

static void
get(struct mdb_types *types, uint32_t id, struct mdb_type_desc *desc_out)
{
	const struct mdb_type_desc *desc;

	*desc_out = (struct mdb_type_desc){ .name = "" };
	if (id < types->first_id) {
		if (types->base)
			types->base->ops->get(types->base, id, desc_out);
		return;
	}
	desc = desc_at(types, id);
	if (desc)
		*desc_out = *desc;
}

static void
member(struct mdb_types *types, const struct mdb_type_desc *desc, size_t index,
	struct mdb_member_desc *member_out)
{
	(void)types;
	(void)desc;
	(void)index;
	*member_out = (struct mdb_member_desc){ .name = "" };
}

static void
enumerator(struct mdb_types *types, const struct mdb_type_desc *desc,
	size_t index, struct mdb_enumerator *enumerator_out)
{
	(void)types;
	(void)desc;
	(void)index;
	*enumerator_out = (struct mdb_enumerator){ .name = "" };
}

static uint32_t
find(struct mdb_types *types, enum mdb_type_kind kind, const char *name)
{
	const struct derived *d = (const struct derived *)types;

	for (uint32_t i = 0; i < d->nr; i++)
		if (d->descs[i].kind == kind && *name &&
			!strcmp(d->descs[i].name, name))
			return types->first_id + i;
	return 0;
}

static void
destroy(struct mdb_types *types)
{
	struct derived *d = (struct derived *)types;

	free(d->descs);
	free(d);
}

static const struct mdb_types_ops derived_ops = {
	.get = get,
	.member = member,
	.enumerator = enumerator,
	.find = find,
	.destroy = destroy,
};

static struct mdb_types *
create(struct mdb_types *base, size_t word)
{
	struct derived *d = mdb_xalloc(sizeof(*d));

	d->types.ops = &derived_ops;
	d->types.base = base;
	d->types.first_id = MDB_TYPES_DERIVED;
	d->types.nr_ids = MDB_TYPES_DERIVED;
	d->types.word = word;
	d->types.source = "derived";
	return &d->types;
}

struct mdb_types *
mdb_types_create_plain(size_t word)
{
	return create(NULL, word);
}

/* The container that extends types; it extends itself. */
static struct mdb_types *
extension(struct mdb_types *types)
{
	if (types->ops == &derived_ops)
		return types;
	if (!types->derived)
		types->derived = create(types, types->word);
	return types->derived;
}

static struct mdb_type
add(struct mdb_types *types, const struct mdb_type_desc *desc)
{
	struct derived *d = (struct derived *)types;

	for (uint32_t i = 0; i < d->nr; i++) {
		const struct mdb_type_desc *have = &d->descs[i];

		if (have->kind == desc->kind && have->target == desc->target &&
			have->count == desc->count &&
			!strcmp(have->name, desc->name))
			return (struct mdb_type){ types, types->first_id + i };
	}
	if (d->nr == d->cap) {
		d->cap = d->cap ? 2 * d->cap : 16;
		d->descs = mdb_xrealloc(d->descs, d->cap, sizeof(*d->descs));
	}
	d->descs[d->nr++] = *desc;
	types->nr_ids++;
	return (struct mdb_type){ types, types->nr_ids - 1 };
}

struct mdb_type
mdb_type_derive_pointer(struct mdb_type target)
{
	struct mdb_types *types = extension(target.types);
	struct mdb_type_desc desc = {
		.kind = MDB_T_POINTER,
		.name = "",
		.size = types->word,
		.target = target.id,
	};

	return add(types, &desc);
}

struct mdb_type
mdb_type_derive_array(struct mdb_type element, uint64_t count)
{
	struct mdb_types *types = extension(element.types);
	struct mdb_type_desc desc = {
		.kind = MDB_T_ARRAY,
		.name = "",
		.target = element.id,
		.count = count,
	};

	return add(types, &desc);
}

struct mdb_type
mdb_type_derive_int(struct mdb_types *types, const char *name, size_t size,
	struct mdb_int_info info)
{
	struct mdb_type_desc desc = {
		.kind = MDB_T_INT,
		.name = name,
		.size = size,
		.int_info = info,
	};

	return add(extension(types), &desc);
}

void
mdb_types_destroy(struct mdb_types *types)
{
	if (!types)
		return;
	if (types->derived)
		mdb_types_destroy(types->derived);
	types->ops->destroy(types);
}
