/* SPDX-License-Identifier: MIT */
/* Encoders of pages. */
#include "mkdump.h"

#include <lzo/lzo1x.h>
#include <snappy-c.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

static size_t
lzo(const uint8_t *in, size_t len, uint8_t *out)
{
	void *work = malloc(LZO1X_1_MEM_COMPRESS);
	lzo_uint n = 0;

	if (!work || lzo_init() != LZO_E_OK ||
		lzo1x_1_compress(in, len, out, &n, work) != LZO_E_OK)
		n = 0;
	free(work);
	return n;
}

size_t
mk_compress(enum mk_codec codec, const uint8_t *in, size_t len, uint8_t *out,
	size_t room)
{
	size_t n = 0;
	uLongf zlib_len = room;

	switch (codec) {
	case MK_NONE:
		break;
	case MK_ZLIB:
		if (compress2(out, &zlib_len, in, len, 1) == Z_OK)
			n = zlib_len;
		break;
	case MK_LZO:
		n = lzo(in, len, out);
		break;
	case MK_SNAPPY:
		n = room;
		if (snappy_compress((const char *)in, len, (char *)out, &n) !=
			SNAPPY_OK)
			n = 0;
		break;
	case MK_ZSTD:
		n = ZSTD_compress(out, room, in, len, 1);
		if (ZSTD_isError(n))
			n = 0;
		break;
	}
	return n < len ? n : 0;
}

bool
mk_codec_named(const char *name, enum mk_codec *codec_out)
{
	static const char *const names[] = { "none", "zlib", "lzo", "snappy",
		"zstd" };

	for (int i = 0; i < 5; i++) {
		if (!strcmp(name, names[i])) {
			*codec_out = (enum mk_codec)i;
			return true;
		}
	}
	return false;
}

uint32_t
mk_codec_flag(enum mk_codec codec)
{
	static const uint32_t flags[] = { 0, 0x1, 0x2, 0x4, 0x20 };

	return flags[codec];
}
