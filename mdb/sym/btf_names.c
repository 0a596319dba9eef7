/* SPDX-License-Identifier: MIT */
/*
 * BTF's index of names: open addressing over ids, one table for types and
 * variables and one for functions, each made when first asked.  Ids of one
 * name stay in their order, so the first definition is found first.
 *
 * Bounded on any bytes: a name counts as far as no real one goes, and of ids
 * whose slots are all taken (a thousand of one name) the later are left out.
 */
#include "mdb/sym/btf_impl.h"

#include "mdb/base/alloc.h"

#define MAX_HASHED 256 /* characters of a name */
#define MAX_PROBES 1024

static uint32_t
hash(const char *s)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < MAX_HASHED && s[i]; i++)
		h = (h ^ (uint8_t)s[i]) * 16777619u;
	return h ^ h >> 15;
}

static bool
is_indexed(const struct btf_raw *raw, bool funcs)
{
	switch (raw->kind) {
	case BTF_INT:
	case BTF_STRUCT:
	case BTF_UNION:
	case BTF_ENUM:
	case BTF_ENUM64:
	case BTF_FWD:
	case BTF_TYPEDEF:
	case BTF_FLOAT:
	case BTF_VAR:
		return !funcs;
	case BTF_FUNC:
		return funcs;
	default:
		return false;
	}
}

/* NULL: too many were there before. */
static uint32_t *
free_slot(const struct btf_names *names, const char *name)
{
	uint32_t slot = hash(name) & names->mask;

	for (unsigned int i = 0; i < MAX_PROBES; i++) {
		if (!names->slots[slot])
			return &names->slots[slot];
		slot = (slot + 1) & names->mask;
	}
	return NULL;
}

/* Counted first, so that the table is half full at most. */
static void
make_names(const struct btf *btf, struct btf_names *names, bool funcs)
{
	uint32_t nr = btf->types.nr_ids - btf->types.first_id;
	uint32_t count = 0, size = 16, *slot;
	struct btf_raw raw;

	for (uint32_t i = 0; i < nr; i++) {
		mdb_btf_decode(btf->section + btf->offsets[i], &raw);
		count += is_indexed(&raw, funcs);
	}
	while (size < 2 * count)
		size *= 2;
	names->slots = mdb_xarray(size, sizeof(*names->slots));
	names->mask = size - 1;
	for (uint32_t i = 0; i < nr; i++) {
		mdb_btf_decode(btf->section + btf->offsets[i], &raw);
		const char *s = mdb_btf_string(btf, raw.name);
		if (!*s || !is_indexed(&raw, funcs))
			continue;
		slot = free_slot(names, s);
		if (slot)
			*slot = btf->types.first_id + i;
	}
	names->made = true;
}

uint32_t
mdb_btf_lookup(struct btf *btf, const char *name, uint32_t set,
	unsigned int nth)
{
	bool funcs = set == 1u << BTF_FUNC;
	struct btf_names *names = funcs ? &btf->funcs : &btf->names;
	struct btf_raw raw;

	if (!names->made)
		make_names(btf, names, funcs);
	for (uint32_t slot = hash(name) & names->mask; names->slots[slot];
		slot = (slot + 1) & names->mask) {
		uint32_t id = names->slots[slot];

		mdb_btf_decode(btf->section +
				       btf->offsets[id - btf->types.first_id],
			&raw);
		if (set >> raw.kind & 1 &&
			!strcmp(mdb_btf_string(btf, raw.name), name) && !--nth)
			return id;
	}
	return 0;
}
