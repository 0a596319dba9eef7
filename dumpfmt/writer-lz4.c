/* SPDX-License-Identifier: MIT */
/*
 * LZ4 for the writer.  Apart from writer.c, so that a tree without LZ4 can
 * have the writer all the same.
 */
#include "dfmt-writer-lz4.h"

#include <lz4.h>

/* 1 is LZ4's default speed; its larger ones lose more than they gain. */
#define ACCELERATION 1

/*
 * As the first block of a stream: for inputs below 64 KiB LZ4's other calls
 * hash four bytes and not five, which is slower by a tenth on memory.  The
 * block is an ordinary one and depends on nothing before it.
 */
static size_t
compress(void *state, const void *in, size_t in_len, void *out, size_t out_len)
{
	LZ4_stream_t *stream = LZ4_initStream(state, sizeof(*stream));
	int n;

	if (!stream)
		return 0;
	n = LZ4_compress_fast_continue(stream, in, out, (int)in_len,
		(int)out_len, ACCELERATION);
	return n > 0 ? (size_t)n : 0;
}

const struct dfmt_writer_codec dfmt_writer_lz4 = {
	.id = DFMT_FMT_LZ4,
	.state_len = sizeof(LZ4_stream_t),
	.compress = compress,
};
