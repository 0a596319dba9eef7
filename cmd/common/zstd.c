/* SPDX-License-Identifier: MIT */
/* The zstd codec.  See zstd.h. */
#define ZSTD_STATIC_LINKING_ONLY
#include "cmd/common/zstd.h"

#include <zstd.h>

/* Larger than any block: the window and the tables are sized for it. */
#define BLOCK_MAX (128u << 10)

static size_t
state_len(int level)
{
	return ZSTD_estimateCCtxSize_usingCParams(
		ZSTD_getCParams(level, BLOCK_MAX, 0));
}

/* A compressor has no argument but its memory: one function for each level. */
static size_t
compress(int level, void *state, const void *in, size_t in_len, void *out,
	size_t out_len)
{
	ZSTD_CCtx *cx = ZSTD_initStaticCCtx(state, state_len(level));
	size_t n;

	if (cx == NULL)
		return 0;
	n = ZSTD_compressCCtx(cx, out, out_len, in, in_len, level);
	return ZSTD_isError(n) ? 0 : n;
}

#define LEVEL(n)                                                               \
	static size_t compress_##n(void *state, const void *in, size_t in_len, \
		void *out, size_t out_len)                                     \
	{                                                                      \
		return compress(n, state, in, in_len, out, out_len);           \
	}
LEVEL(1)
LEVEL(3)
LEVEL(6)
LEVEL(9)
LEVEL(19)

struct dfmt_writer_codec
cmd_zstd_codec(int level)
{
	struct dfmt_writer_codec codec = { .id = DFMT_FMT_ZSTD };
	int taken = level <= 0	 ? CMD_ZSTD_LEVEL
		    : level < 3	 ? 1
		    : level < 6	 ? 3
		    : level < 9	 ? 6
		    : level < 19 ? 9
				 : 19;

	codec.compress = taken == 1   ? compress_1
			 : taken == 3 ? compress_3
			 : taken == 6 ? compress_6
			 : taken == 9 ? compress_9
				      : compress_19;
	codec.state_len = state_len(taken);
	return codec;
}
