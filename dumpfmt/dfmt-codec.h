/* SPDX-License-Identifier: MIT */
/*
 * Codecs: compressed pages to their bytes.  Bounded by the output's size; a
 * result of any other length than the page's is corrupt.
 */
#ifndef DFMT_CODEC_H
#define DFMT_CODEC_H

#include "dfmt-reader.h"

enum dfmt_codec {
	DFMT_CODEC_STORED = 0,
	DFMT_CODEC_ZLIB,
	DFMT_CODEC_LZO,
	DFMT_CODEC_SNAPPY,
	DFMT_CODEC_ZSTD,
	DFMT_CODEC_LZ4, /* a block */
};

/*
 * Expands in[0..in_len) to exactly out_len bytes.  DFMT_E_LOST when the bytes
 * are not what the codec expects or give another length; out is then garbage.
 */
enum dfmt_status dfmt_codec_expand(enum dfmt_codec codec, const void *in,
	size_t in_len, void *out, size_t out_len);

#endif
