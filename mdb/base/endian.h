/* SPDX-License-Identifier: MIT */
/* Unaligned little- and big-endian numbers in byte buffers. */
#ifndef MDB_BASE_ENDIAN_H
#define MDB_BASE_ENDIAN_H

#include <stddef.h>
#include <stdint.h>

static inline uint64_t
mdb_le(const void *p, size_t size)
{
	const uint8_t *b = p;
	uint64_t v = 0;

	for (size_t i = size; i-- > 0;)
		v = v << 8 | b[i];
	return v;
}

static inline uint16_t
mdb_le16(const void *p)
{
	return (uint16_t)mdb_le(p, 2);
}

static inline uint32_t
mdb_le32(const void *p)
{
	return (uint32_t)mdb_le(p, 4);
}

static inline uint64_t
mdb_le64(const void *p)
{
	return mdb_le(p, 8);
}

/* The low nr_bits of v as a signed number; nr_bits 1..64. */
static inline int64_t
mdb_sign_extend(uint64_t v, unsigned int nr_bits)
{
	unsigned int shift = 64 - nr_bits;

	return (int64_t)(v << shift) >> shift;
}

#endif
