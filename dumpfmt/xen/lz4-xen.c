/* SPDX-License-Identifier: MIT */
/*
 * LZ4's own source inside Xen, whose headers, forced upon every file, have
 * other ideas of these words.  In one file with its only user, so that what
 * that does not use is left out.
 */
#define LZ4LIB_VISIBILITY static __attribute__((__unused__))

#include <xen/string.h>
#include <xen/types.h>

#undef KB
#undef MB
#undef GB
#undef inline
#undef always_inline
#undef likely
#undef unlikely
#undef assert

#pragma GCC diagnostic ignored "-Wunused-function"
#include "lz4.h"

/* LZ4 has these for its own tests and does not mark them. */
static int LZ4_compress_forceExtDict(LZ4_stream_t *LZ4_dict, const char *source,
	char *dest, int srcSize);
static int LZ4_decompress_safe_forceExtDict(const char *source, char *dest,
	int compressedSize, int maxOutputSize, const void *dictStart,
	size_t dictSize);
static int LZ4_decompress_safe_partial_forceExtDict(const char *source,
	char *dest, int compressedSize, int targetOutputSize, int dstCapacity,
	const void *dictStart, size_t dictSize);

#include "lz4.inc"
#include "writer-lz4.inc"
