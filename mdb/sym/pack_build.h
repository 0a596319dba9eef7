/* SPDX-License-Identifier: MIT */
/* A small type pack in memory, for tests; shares no code with the reader. */
#ifndef MDB_SYM_PACK_BUILD_H
#define MDB_SYM_PACK_BUILD_H

#include "mdb/sym/pack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define PACK_TEXT                                                          \
	"name 4.17.5-release\nseries 4.17\nflavour release\nsource test\n" \
	"base ffff82d040000000\nbuild aa11 exact own\nbuild bb22 symbols o\n"

static inline size_t
pack_put(uint8_t *p, uint64_t v, size_t size)
{
	for (size_t i = 0; i < size; i++)
		p[i] = (uint8_t)(v >> 8 * i);
	return size;
}

/* Two symbols, two builds, three references of two functions; no BTF. */
static inline size_t
pack_payload(uint8_t *p)
{
	static const uint32_t counts[] = { 0, 2, 2, 3, 2, 20 };
	static const char strings[20] = "one\0per_cpu__x\0f\0g";
	static const uint32_t names[] = { 0, 4 }, sizes[] = { 8, 4 };
	static const uint32_t values[] = { 0x5000, 0x6000, 0x7000, 0xffffffff };
	static const uint32_t addends[] = { 0, 0xfffffffc, 4 };
	static const uint16_t functions[] = { 0, 1, 1 },
			      ordinals[] = { 2, 0, 1 };
	static const uint32_t function_names[] = { 15, 17 };
	static const uint16_t function_refs[] = { 3, 2 };
	size_t n = 0;

	for (size_t i = 0; i < 6; i++)
		n += pack_put(p + n, counts[i], 4);
	for (size_t i = 0; i < 2; i++)
		n += pack_put(p + n, names[i], 4);
	for (size_t i = 0; i < 2; i++)
		n += pack_put(p + n, sizes[i], 4);
	n += pack_put(p + n, MDB_PACK_SYM_PERCPU << 8, 2);
	n += pack_put(p + n, 2 | 1 << 8, 2);
	for (size_t i = 0; i < 4; i++)
		n += pack_put(p + n, values[i], 4);
	for (size_t i = 0; i < 3; i++)
		n += pack_put(p + n, functions[i], 2);
	for (size_t i = 0; i < 3; i++)
		n += pack_put(p + n, ordinals[i], 2);
	for (size_t i = 0; i < 3; i++)
		n += pack_put(p + n, addends[i], 4);
	for (size_t i = 0; i < 2; i++)
		n += pack_put(p + n, function_names[i], 4);
	for (size_t i = 0; i < 2; i++)
		n += pack_put(p + n, function_refs[i], 2);
	memcpy(p + n, strings, sizeof(strings));
	return n + sizeof(strings);
}

/* Heap bytes of a pack with this payload. */
static inline uint8_t *
pack_build(const uint8_t *payload, size_t payload_len, size_t *len_out)
{
	size_t bound = ZSTD_compressBound(payload_len);
	size_t text_len = sizeof(PACK_TEXT) - 1, frame_len;
	uint8_t *p = calloc(1, 24 + text_len + bound);

	assert(p);
	memcpy(p, "MDBXPACK", 8);
	memcpy(p + 24, PACK_TEXT, text_len);
	frame_len = ZSTD_compress(p + 24 + text_len, bound, payload,
		payload_len, 3);
	assert(!ZSTD_isError(frame_len));
	(void)pack_put(p + 8, 2, 4);
	(void)pack_put(p + 12, text_len, 4);
	(void)pack_put(p + 16, frame_len, 4);
	(void)pack_put(p + 20, payload_len, 4);
	*len_out = 24 + text_len + frame_len;
	return p;
}

#endif
