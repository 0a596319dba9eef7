/* SPDX-License-Identifier: MIT */
/* The table of formats, and numbers in each of them. */
#include "mdb/base/endian.h"
#include "mdb/lang/format.h"

#include <byteswap.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

static const struct mdb_format_info formats[] = {
	{ '+', 0, "increment dot by the count" },
	{ '-', 0, "decrement dot by the count" },
	{ 'B', 1, "hexadecimal int (1 byte)" },
	{ 'C', 1, "character using C character notation (1 byte)" },
	{ 'D', 4, "decimal signed int (4 bytes)" },
	{ 'E', 8, "decimal unsigned long long (8 bytes)" },
	{ 'F', 8, "double (8 bytes)" },
	{ 'G', 8, "octal unsigned long long (8 bytes)" },
	{ 'H', 4, "swap bytes and shorts (4 bytes)" },
	{ 'I', 0, "address and disassembled instruction (variable size)" },
	{ 'J', 8, "hexadecimal long long (8 bytes)" },
	{ 'K', 0, "hexadecimal pointer (4 or 8 bytes)" },
	{ 'L', 4, "search for a 4-byte value; with a mask behind it" },
	{ 'M', 8, "search for an 8-byte value; with a mask behind it" },
	{ 'N', 0, "newline" },
	{ 'O', 4, "octal unsigned int (4 bytes)" },
	{ 'P', 0, "symbol (4 or 8 bytes)" },
	{ 'Q', 4, "octal signed int (4 bytes)" },
	{ 'R', 8, "binary long long (8 bytes)" },
	{ 'S', 0, "string using C string notation (variable size)" },
	{ 'T', 0, "horizontal tab" },
	{ 'U', 4, "decimal unsigned int (4 bytes)" },
	{ 'V', 1, "decimal unsigned int (1 byte)" },
	{ 'W', 4, "hexadecimal int (4 bytes); values cannot be written" },
	{ 'X', 4, "hexadecimal int (4 bytes)" },
	{ 'Y', 4, "decoded time32_t (4 bytes)" },
	{ 'Z', 8, "hexadecimal long long (8 bytes); values cannot be written" },
	{ '^', 0, "decrement dot by increment * count" },
	{ 'a', 0, "dot as symbol+offset" },
	{ 'b', 1, "octal unsigned int (1 byte)" },
	{ 'c', 1, "character (1 byte)" },
	{ 'd', 2, "decimal signed short (2 bytes)" },
	{ 'e', 8, "decimal signed long long (8 bytes)" },
	{ 'f', 4, "float (4 bytes)" },
	{ 'g', 8, "octal signed long long (8 bytes)" },
	{ 'h', 2, "swap bytes (2 bytes)" },
	{ 'i', 0, "disassembled instruction (variable size)" },
	{ 'j', 8, "jazzed-up binary long long (8 bytes)" },
	{ 'l', 2, "search for a 2-byte value; with a mask behind it" },
	{ 'n', 0, "newline" },
	{ 'o', 2, "octal unsigned short (2 bytes)" },
	{ 'p', 0, "symbol (4 or 8 bytes)" },
	{ 'q', 2, "octal signed short (2 bytes)" },
	{ 'r', 0, "whitespace" },
	{ 's', 0, "raw string (variable size)" },
	{ 't', 0, "horizontal tab" },
	{ 'u', 2, "decimal unsigned short (2 bytes)" },
	{ 'v', 1, "decimal signed int (1 byte)" },
	{ 'w', 2, "hexadecimal short (2 bytes); values cannot be written" },
	{ 'x', 2, "hexadecimal short (2 bytes)" },
	{ 'y', 8, "decoded time64_t (8 bytes)" },
};

const struct mdb_format_info *
mdb_format_at(size_t index)
{
	return index < sizeof(formats) / sizeof(formats[0]) ? &formats[index]
							    : NULL;
}

const struct mdb_format_info *
mdb_format_find(char letter)
{
	const struct mdb_format_info *f;

	for (size_t i = 0; (f = mdb_format_at(i)); i++)
		if (f->letter == letter)
			return f;
	return NULL;
}

size_t
mdb_format_size(char letter, size_t word)
{
	const struct mdb_format_info *f = mdb_format_find(letter);

	if (letter == 'K' || letter == 'P' || letter == 'p')
		return word;
	return f ? f->size : 0;
}

void
mdb_format_text(struct mdb_buf *b, const char *text, size_t len, bool all)
{
	static const char from[] = "\a\b\f\n\r\t\v\\\"";
	static const char to[] = "abfnrtv\\\"";

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		const char *p = c ? strchr(from, c) : NULL;
		bool keep = !all && c != '\0' && strchr("\n\t\\\"", c) != NULL;

		if (p && !keep)
			mdb_buf_printf(b, "\\%c", to[p - from]);
		else if ((c < ' ' || c > '~') && !keep)
			mdb_buf_printf(b, "\\%03o", c);
		else
			mdb_buf_putc(b, (char)c);
	}
}

static void
padded(struct mdb_buf *b, size_t start, size_t width)
{
	size_t len = b->len - start;

	if (len < width)
		mdb_buf_pad(b, ' ', width - len);
}

/* Octal with a leading 0 and a sign: mdb's %q. */
static void
signed_octal(struct mdb_buf *b, int64_t v, int width)
{
	size_t start = b->len;
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

	mdb_buf_printf(b, "%s%#" PRIo64, v < 0 ? "-" : "", u);
	padded(b, start, (size_t)width);
}

static void
binary(struct mdb_buf *b, uint64_t v)
{
	size_t start = b->len;
	int top = v ? 63 - __builtin_clzll(v) : 0;

	for (int i = top; i >= 0; i--)
		mdb_buf_putc(b, (v >> i & 1) ? '1' : '0');
	padded(b, start, 64);
}

static void
when(struct mdb_buf *b, int64_t seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm;
	char text[64];

	if (!localtime_r(&t, &tm) ||
		!strftime(text, sizeof(text), "%Y %b %e %H:%M:%S", &tm)) {
		mdb_buf_printf(b, "%-24" PRId64, seconds);
		return;
	}
	mdb_buf_printf(b, "%-24s", text);
}

/* Seven or sixteen digits after the first, the sign always. */
static void
floating(struct mdb_buf *b, char letter, uint64_t v)
{
	if (letter == 'f') {
		uint32_t bits = (uint32_t)v;
		float f;

		memcpy(&f, &bits, sizeof(f));
		mdb_buf_printf(b, "%+.7e", (double)f);
	} else {
		double d;

		memcpy(&d, &v, sizeof(d));
		mdb_buf_printf(b, "%+.16e", d);
	}
}

static void
character(struct mdb_buf *b, char letter, char c)
{
	mdb_format_text(b, &c, 1, letter == 'C');
}

static bool
decimal(struct mdb_buf *b, char letter, uint64_t v)
{
	switch (letter) {
	case 'D':
		mdb_buf_printf(b, "%-16d", (int32_t)v);
		return true;
	case 'd':
		mdb_buf_printf(b, "%-8d", (int16_t)v);
		return true;
	case 'U':
		mdb_buf_printf(b, "%-16u", (uint32_t)v);
		return true;
	case 'u':
		mdb_buf_printf(b, "%-8u", (uint16_t)v);
		return true;
	case 'V':
		mdb_buf_printf(b, "%-8u", (uint8_t)v);
		return true;
	case 'v':
		mdb_buf_printf(b, "%-8d", (int8_t)v);
		return true;
	case 'E':
		mdb_buf_printf(b, "%-21" PRIu64, v);
		return true;
	case 'e':
		mdb_buf_printf(b, "%-21" PRId64, (int64_t)v);
		return true;
	default:
		return false;
	}
}

static bool
octal(struct mdb_buf *b, char letter, uint64_t v)
{
	switch (letter) {
	case 'b':
		mdb_buf_printf(b, "%-#8o", (uint8_t)v);
		return true;
	case 'o':
		mdb_buf_printf(b, "%-#8o", (uint16_t)v);
		return true;
	case 'O':
		mdb_buf_printf(b, "%-#16o", (uint32_t)v);
		return true;
	case 'G':
		mdb_buf_printf(b, "%-#23" PRIo64, v);
		return true;
	case 'q':
		signed_octal(b, (int16_t)v, 8);
		return true;
	case 'Q':
		signed_octal(b, (int32_t)v, 16);
		return true;
	case 'g':
		signed_octal(b, (int64_t)v, 24);
		return true;
	default:
		return false;
	}
}

static bool
hexadecimal(struct mdb_buf *b, char letter, uint64_t v, size_t word)
{
	switch (letter) {
	case 'B':
		mdb_buf_printf(b, "%-8x", (uint8_t)v);
		return true;
	case 'x':
	case 'w':
		mdb_buf_printf(b, "%-8x", (uint16_t)v);
		return true;
	case 'h':
		mdb_buf_printf(b, "%-8x", bswap_16((uint16_t)v));
		return true;
	case 'X':
	case 'W':
		mdb_buf_printf(b, "%-16x", (uint32_t)v);
		return true;
	case 'H':
		mdb_buf_printf(b, "%-16x", bswap_32((uint32_t)v));
		return true;
	case 'K':
		if (word == 4)
			return hexadecimal(b, 'X', v, word);
		return hexadecimal(b, 'J', v, word);
	case 'J':
	case 'Z':
		/* Sixteen digits need a blank behind them. */
		mdb_buf_printf(b, v >> 60 ? "%-17" PRIx64 : "%-16" PRIx64, v);
		return true;
	default:
		return false;
	}
}

bool
mdb_format_number(struct mdb_buf *b, char letter, uint64_t v, size_t word)
{
	if (hexadecimal(b, letter, v, word) || decimal(b, letter, v) ||
		octal(b, letter, v))
		return true;
	switch (letter) {
	case 'C':
	case 'c':
		character(b, letter, (char)v);
		return true;
	case 'R':
		binary(b, v);
		return true;
	case 'F':
	case 'f':
		floating(b, letter, v);
		return true;
	case 'Y':
		when(b, (int32_t)v);
		return true;
	case 'y':
		when(b, (int64_t)v);
		return true;
	default:
		return false;
	}
}

/* The bits still to be named below bit i are drawn as bars. */
static void
bit_line(struct mdb_buf *b, uint64_t v, int top, int bit, unsigned int margin)
{
	mdb_buf_pad(b, ' ', margin);
	for (int i = top; i > bit; i--)
		mdb_buf_putc(b, (v >> i & 1) ? '|' : ' ');
	mdb_buf_putc(b, '+');
	mdb_buf_pad(b, '-', (size_t)bit + 2);
	mdb_buf_printf(b, " bit %-2d mask 0x%0*" PRIx64 "\n", bit,
		top > 31 ? 16 : (top > 15 ? 8 : 4), (uint64_t)1 << bit);
}

void
mdb_format_bits(struct mdb_buf *b, uint64_t v, unsigned int margin)
{
	int top = v ? 63 - __builtin_clzll(v) : 0;

	for (int i = top; i >= 0; i--)
		mdb_buf_putc(b, (v >> i & 1) ? '1' : '0');
	mdb_buf_putc(b, '\n');
	if (!v)
		return;
	mdb_buf_pad(b, ' ', margin);
	for (int i = top; i >= 0; i--)
		mdb_buf_putc(b, (v >> i & 1) ? '|' : ' ');
	mdb_buf_putc(b, '\n');
	for (int i = 0; i <= top; i++)
		if (v >> i & 1)
			bit_line(b, v, top, i, margin);
}
