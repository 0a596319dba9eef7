/* SPDX-License-Identifier: MIT */
/*
 * The one place where text from the dump is made safe to print: what is not
 * printable ASCII or well-formed, harmless UTF-8 becomes \n, \t or \xNN (in
 * JSON \u00NN, or the text \xNN for a byte that is no UTF-8 at all).
 */
#include "mdb/shell/out.h"

#include "mdb/base/ctx.h"

#include <string.h>

/*
 * The length of the well-formed UTF-8 sequence at the front, with its code
 * point; 0 if there is none.  RFC 3629: no overlong forms, no surrogates.
 */
static size_t
decode(const unsigned char *p, size_t len, uint32_t *code_out)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = p[0] < 0x80		    ? 1
		   : (p[0] & 0xe0u) == 0xc0 ? 2
		   : (p[0] & 0xf0u) == 0xe0 ? 3
		   : (p[0] & 0xf8u) == 0xf0 ? 4
					    : 0;
	uint32_t code;

	if (n == 0 || n > len)
		return 0;
	code = n == 1 ? p[0] : p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0u) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3fu);
	}
	if (code < least[n] || code > 0x10ffff ||
		(code >= 0xd800 && code <= 0xdfff))
		return 0;
	*code_out = code;
	return n;
}

/* Would it move the cursor, hide, or turn the direction of writing? */
static bool
is_harmful(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) ||
	       (code >= 0x200b && code <= 0x200f) ||
	       (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2060 && code <= 0x206f) || code == 0xfeff ||
	       code == 0xad || code == 0x61c || (code & 0xfffe) == 0xfffe ||
	       (code >= 0xfff0 && code <= 0xfffb) || code >= 0xe0000;
}

static void
escape_bytes(struct mdb_buf *buf, const unsigned char *p, size_t n)
{
	static const char named[] = "\a\b\t\n\v\f\r";
	const char *at = n == 1 && p[0] != 0 ? strchr(named, p[0]) : NULL;

	if (at != NULL) {
		mdb_buf_printf(buf, "\\%c", "abtnvfr"[at - named]);
		return;
	}
	for (size_t i = 0; i < n; i++)
		mdb_buf_printf(buf, "\\x%02x", p[i]);
}

void
mdb_escape_text(struct mdb_buf *buf, const char *text, size_t len,
	bool keep_tab)
{
	const unsigned char *p = (const unsigned char *)text;

	while (len > 0) {
		uint32_t code = 0;
		size_t n = decode(p, len, &code);

		if (n > 0 && (!is_harmful(code) || (keep_tab && code == '\t')))
			mdb_buf_add(buf, p, n);
		else
			escape_bytes(buf, p, n == 0 ? 1 : n);
		p += n == 0 ? 1 : n;
		len -= n == 0 ? 1 : n;
	}
}

static void
json_code(struct mdb_buf *buf, uint32_t code)
{
	if (code == '\n' || code == '\t' || code == '\r') {
		mdb_buf_printf(buf, "\\%c",
			code == '\n'   ? 'n'
			: code == '\t' ? 't'
				       : 'r');
	} else if (code < 0x10000) {
		mdb_buf_printf(buf, "\\u%04x", code);
	} else {
		mdb_buf_printf(buf, "\\u%04x\\u%04x",
			0xd800 + ((code - 0x10000) >> 10),
			0xdc00 + ((code - 0x10000) & 0x3ff));
	}
}

void
mdb_escape_json(struct mdb_buf *buf, const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text;

	mdb_buf_putc(buf, '"');
	while (len > 0) {
		uint32_t code = 0;
		size_t n = decode(p, len, &code);

		if (n == 0)
			mdb_buf_printf(buf, "\\\\x%02x", p[0]);
		else if (code == '"' || code == '\\')
			mdb_buf_printf(buf, "\\%c", (char)code);
		else if (is_harmful(code))
			json_code(buf, code);
		else
			mdb_buf_add(buf, p, n);
		p += n == 0 ? 1 : n;
		len -= n == 0 ? 1 : n;
	}
	mdb_buf_putc(buf, '"');
}

size_t
mdb_text_width(const char *text, size_t len)
{
	size_t width = 0;

	for (size_t i = 0; i < len; i++)
		width += ((unsigned char)text[i] & 0xc0u) != 0x80;
	return width;
}

const char *
mdb_escape(struct mdb_ctx *cx, const char *text, size_t len)
{
	struct mdb_buf buf;
	char *copy;

	mdb_buf_init(&buf);
	mdb_escape_text(&buf, text, len, false);
	copy = mdb_tmp(cx, buf.len + 1);
	if (buf.len > 0)
		memcpy(copy, buf.data, buf.len);
	mdb_buf_fini(&buf);
	return copy;
}
