/* SPDX-License-Identifier: MIT */
/*
 * The BTF reader's parts: btf.c is the container, btf_names.c its index of
 * names.  Formats: include/uapi/linux/btf.h of Linux 4.18 to 7.x.
 */
#ifndef MDB_SYM_BTF_IMPL_H
#define MDB_SYM_BTF_IMPL_H

#include <endian.h>
#include <string.h>

#include "mdb/sym/types.h"

enum btf_kind {
	BTF_VOID = 0,
	BTF_INT,
	BTF_PTR,
	BTF_ARRAY,
	BTF_STRUCT,
	BTF_UNION,
	BTF_ENUM,
	BTF_FWD,
	BTF_TYPEDEF,
	BTF_VOLATILE,
	BTF_CONST,
	BTF_RESTRICT,
	BTF_FUNC,
	BTF_FUNC_PROTO,
	BTF_VAR,
	BTF_DATASEC,
	BTF_FLOAT,
	BTF_DECL_TAG,
	BTF_TYPE_TAG,
	BTF_ENUM64,
	BTF_NR_KINDS,
};

/* Ids by the hash of their name: open addressing, 0 is empty. */
struct btf_names {
	uint32_t *slots;
	uint32_t mask;
	bool made;
};

struct btf {
	struct mdb_types types;
	uint8_t *bytes;
	const uint8_t *section; /* of types */
	const char *strings;
	uint32_t strings_len;
	uint32_t base_strings_len;
	uint32_t *offsets;	/* by id - first_id, into section */
	bool knows_signs;	/* enums say whether they are signed (6.0 on) */
	struct btf_names names; /* types and variables */
	struct btf_names funcs;
};

static inline uint32_t
mdb_btf_u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

/* One type's bytes, taken apart. */
struct btf_raw {
	const uint8_t *extra; /* what follows the header */
	uint32_t name;
	uint32_t kind;
	uint32_t vlen;
	bool flag;
	uint32_t size_or_type;
};

/* vlen has 24 bits and kind 7 since 7.x; before, those bits were zero. */
static inline void
mdb_btf_decode(const uint8_t *p, struct btf_raw *raw)
{
	uint32_t info = mdb_btf_u32(p + 4);

	raw->extra = p + 12;
	raw->name = mdb_btf_u32(p);
	raw->kind = info >> 24 & 0x7f;
	raw->vlen = info & 0xffffff;
	raw->flag = info >> 31;
	raw->size_or_type = mdb_btf_u32(p + 8);
}

static inline const struct btf *
mdb_btf_of(const struct mdb_types *types)
{
	return (const struct btf *)types;
}

static inline const char *
mdb_btf_string(const struct btf *btf, uint32_t offset)
{
	while (btf && offset < btf->base_strings_len)
		btf = mdb_btf_of(btf->types.base);
	if (!btf || offset - btf->base_strings_len >= btf->strings_len)
		return "";
	return btf->strings + (offset - btf->base_strings_len);
}

/* The nth (from 1) with that name and a kind in the set of enum btf_kind. */
uint32_t mdb_btf_lookup(struct btf *btf, const char *name, uint32_t set,
	unsigned int nth);

#endif
