/* SPDX-License-Identifier: MIT */
/* For tests: BTF put together type by type; ids count from 1 (or a base). */
#ifndef MDB_SYM_BTF_BUILD_H
#define MDB_SYM_BTF_BUILD_H

#include "mdb/base/buf.h"

struct btf_build {
	struct mdb_buf types, strings;
	uint32_t strings_base; /* bytes of the base's strings */
	uint32_t nr;
};

static inline void
btf_u32(struct mdb_buf *b, uint32_t v)
{
	const unsigned char bytes[4] = { (unsigned char)v,
		(unsigned char)(v >> 8), (unsigned char)(v >> 16),
		(unsigned char)(v >> 24) };

	mdb_buf_add(b, bytes, 4);
}

static inline void
btf_begin(struct btf_build *b, uint32_t strings_base)
{
	mdb_buf_init(&b->types);
	mdb_buf_init(&b->strings);
	b->strings_base = strings_base;
	b->nr = 0;
	if (!strings_base)
		mdb_buf_putc(&b->strings, '\0');
}

static inline uint32_t
btf_str(struct btf_build *b, const char *s)
{
	uint32_t at = b->strings_base + (uint32_t)b->strings.len;

	if (!*s)
		return 0;
	mdb_buf_puts(&b->strings, s);
	mdb_buf_putc(&b->strings, '\0');
	return at;
}

/* The header of a type; what follows it comes by btf_u32. */
static inline uint32_t
btf_type(struct btf_build *b, const char *name, uint32_t kind, uint32_t vlen,
	bool flag, uint32_t size_or_type)
{
	btf_u32(&b->types, btf_str(b, name));
	btf_u32(&b->types, kind << 24 | vlen | (uint32_t)flag << 31);
	btf_u32(&b->types, size_or_type);
	return ++b->nr;
}

static inline uint32_t
btf_int(struct btf_build *b, const char *name, uint32_t size, uint32_t enc)
{
	uint32_t id = btf_type(b, name, 1, 0, false, size);

	btf_u32(&b->types, enc << 24 | size * 8);
	return id;
}

static inline void
btf_member(struct btf_build *b, const char *name, uint32_t type, uint32_t at)
{
	btf_u32(&b->types, btf_str(b, name));
	btf_u32(&b->types, type);
	btf_u32(&b->types, at);
}

static inline uint32_t
btf_array(struct btf_build *b, uint32_t element, uint32_t count)
{
	uint32_t id = btf_type(b, "", 3, 0, false, 0);

	btf_u32(&b->types, element);
	btf_u32(&b->types, 1);
	btf_u32(&b->types, count);
	return id;
}

/* The whole as heap bytes; the builder is empty afterwards. */
static inline void *
btf_end(struct btf_build *b, size_t *len_out)
{
	struct mdb_buf all;

	mdb_buf_init(&all);
	mdb_buf_add(&all, "\x9f\xeb\x01\0", 4);
	btf_u32(&all, 24);
	btf_u32(&all, 0);
	btf_u32(&all, (uint32_t)b->types.len);
	btf_u32(&all, (uint32_t)b->types.len);
	btf_u32(&all, (uint32_t)b->strings.len);
	if (b->types.len)
		mdb_buf_add(&all, b->types.data, b->types.len);
	if (b->strings.len)
		mdb_buf_add(&all, b->strings.data, b->strings.len);
	mdb_buf_fini(&b->types);
	mdb_buf_fini(&b->strings);
	*len_out = all.len;
	return mdb_buf_steal(&all);
}

#endif
