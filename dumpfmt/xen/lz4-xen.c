/* SPDX-License-Identifier: MIT */
/*
 * LZ4's own source inside Xen, whose headers, forced upon every file, have
 * other ideas of these words; and the writer's codec on top of it.  In one file
 * and all of it static, so that what is not used is left out: of 28 KiB of code
 * three stay.
 */
#define LZ4LIB_VISIBILITY static __attribute__((__unused__))
#define LZ4_PUBLISH_STATIC_FUNCTIONS

#include <xen/string.h>
#include <xen/types.h>

#include "dfmt-writer-lz4.h"

#undef KB
#undef MB
#undef GB
#undef inline
#undef always_inline
#undef likely
#undef unlikely
#undef assert

#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wredundant-decls"
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#include "lz4.h"

/* Those that lz4.c does not make static itself. */
static int LZ4_compress_forceExtDict(LZ4_stream_t *, const char *, char *, int);
static int LZ4_decompress_safe_forceExtDict(const char *, char *, int, int,
	const void *, size_t);
static int LZ4_decompress_safe_partial_forceExtDict(const char *, char *, int,
	int, int, const void *, size_t);
static size_t read_long_length_no_check(const unsigned char **);

#include "lz4.inc"

/*
 * A block by itself, which is never given as much room as the worst case takes.
 * Hashes of five bytes (byU32), as in writer-lz4.c; the inner function, since
 * each of LZ4's calls brings four kinds of it along.
 */
static size_t
compress(void *state, const void *in, size_t in_len, void *out, size_t out_len)
{
	LZ4_stream_t *stream = LZ4_initStream(state, sizeof(*stream));
	int n;

	if (stream == NULL || in_len > LZ4_MAX_INPUT_SIZE)
		return 0;
	n = LZ4_compress_generic(&stream->internal_donotuse, in, out,
		(int)in_len, NULL, (int)out_len, limitedOutput, byU32, noDict,
		noDictIssue, 1);
	return n > 0 ? (size_t)n : 0;
}

const struct dfmt_writer_codec dfmt_writer_lz4 = {
	.id = DFMT_FMT_LZ4,
	.state_len = sizeof(LZ4_stream_t),
	.compress = compress,
};
