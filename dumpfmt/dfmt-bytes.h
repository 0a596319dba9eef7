/* SPDX-License-Identifier: MIT */
/*
 * Numbers in dump files: loads from unaligned bytes, little and big endian,
 * and arithmetic on sizes that came from a file.  Every multi-byte field of
 * every format is read through these; no structure is ever cast onto a file.
 */
#ifndef DFMT_BYTES_H
#define DFMT_BYTES_H

#include <stdbool.h>
#include <stdint.h>

static inline uint16_t
dfmt_le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t
dfmt_le32(const uint8_t *p)
{
	return dfmt_le16(p) | (uint32_t)dfmt_le16(p + 2) << 16;
}

static inline uint64_t
dfmt_le64(const uint8_t *p)
{
	return dfmt_le32(p) | (uint64_t)dfmt_le32(p + 4) << 32;
}

static inline uint64_t
dfmt_be64(const uint8_t *p)
{
	return __builtin_bswap64(dfmt_le64(p));
}

/* Is [off, off + len) inside [0, size)? Never overflows. */
static inline bool
dfmt_inside(uint64_t off, uint64_t len, uint64_t size)
{
	return off <= size && len <= size - off;
}

static inline uint64_t
dfmt_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* a + b, or the largest number when that does not fit. */
static inline uint64_t
dfmt_add_sat(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

#endif
