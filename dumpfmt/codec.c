/* SPDX-License-Identifier: MIT */
/*
 * The codecs of compressed pages, each through its library's bounded call.
 * Knows nothing of formats.
 *
 * A zstd context costs more to make than a page to expand, so each thread
 * keeps one.
 */
#include "dfmt-codec.h"

#include <limits.h>
#include <lz4.h>
#include <lzo/lzo1x.h>
#include <pthread.h>
#include <snappy-c.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

static bool
expand_zlib(const void *in, size_t in_len, void *out, size_t out_len)
{
	uLongf len = out_len;

	return uncompress(out, &len, in, in_len) == Z_OK && len == out_len;
}

static bool
expand_lzo(const void *in, size_t in_len, void *out, size_t out_len)
{
	lzo_uint len = out_len;

	return lzo1x_decompress_safe(in, in_len, out, &len, NULL) == LZO_E_OK &&
	       len == out_len;
}

static bool
expand_snappy(const void *in, size_t in_len, void *out, size_t out_len)
{
	size_t len = 0;

	if (snappy_uncompressed_length(in, in_len, &len) != SNAPPY_OK ||
		len != out_len)
		return false;
	return snappy_uncompress(in, in_len, out, &len) == SNAPPY_OK &&
	       len == out_len;
}

static bool
expand_lz4(const void *in, size_t in_len, void *out, size_t out_len)
{
	return in_len <= INT_MAX && out_len <= INT_MAX &&
	       LZ4_decompress_safe(in, out, (int)in_len, (int)out_len) ==
		       (int)out_len;
}

static pthread_key_t zstd_key;
static pthread_once_t zstd_once = PTHREAD_ONCE_INIT;
static bool zstd_has_key;

static void
zstd_free(void *ctx)
{
	ZSTD_freeDCtx(ctx);
}

static void
zstd_init(void)
{
	zstd_has_key = pthread_key_create(&zstd_key, zstd_free) == 0;
}

static ZSTD_DCtx *
zstd_context(void)
{
	pthread_once(&zstd_once, zstd_init);
	if (!zstd_has_key)
		return NULL;
	ZSTD_DCtx *ctx = pthread_getspecific(zstd_key);
	if (ctx)
		return ctx;
	ctx = ZSTD_createDCtx();
	if (ctx && pthread_setspecific(zstd_key, ctx) != 0) {
		ZSTD_freeDCtx(ctx);
		return NULL;
	}
	return ctx;
}

static bool
expand_zstd(const void *in, size_t in_len, void *out, size_t out_len)
{
	ZSTD_DCtx *ctx = zstd_context();

	if (!ctx)
		return ZSTD_decompress(out, out_len, in, in_len) == out_len;
	return ZSTD_decompressDCtx(ctx, out, out_len, in, in_len) == out_len;
}

static bool
expand(enum dfmt_codec codec, const void *in, size_t in_len, void *out,
	size_t out_len)
{
	switch (codec) {
	case DFMT_CODEC_STORED:
		if (in_len != out_len)
			return false;
		memcpy(out, in, out_len);
		return true;
	case DFMT_CODEC_ZLIB:
		return expand_zlib(in, in_len, out, out_len);
	case DFMT_CODEC_LZO:
		return expand_lzo(in, in_len, out, out_len);
	case DFMT_CODEC_SNAPPY:
		return expand_snappy(in, in_len, out, out_len);
	case DFMT_CODEC_ZSTD:
		return expand_zstd(in, in_len, out, out_len);
	case DFMT_CODEC_LZ4:
		return expand_lz4(in, in_len, out, out_len);
	}
	return false;
}

enum dfmt_status
dfmt_codec_expand(enum dfmt_codec codec, const void *in, size_t in_len,
	void *out, size_t out_len)
{
	return expand(codec, in, in_len, out, out_len) ? DFMT_OK : DFMT_E_LOST;
}
