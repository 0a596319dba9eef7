/* SPDX-License-Identifier: MIT */
/*
 * CRC32C in software, eight bytes a step, and by the crc32 instruction.
 *
 * The instruction takes three cycles and one can begin in each: long buffers
 * are cut into three streams computed side by side.  The CRC of a followed by
 * b is the CRC of a moved over len(b) zeros, xor that of b from 0; moving by a
 * fixed length is linear, so a table for each byte of the CRC does it.  What
 * is said of bits here is of the reflected CRC: bit 31 is x^0.
 */
#include "dfmt-crc.h"

#include "dfmt-bytes.h"

#define POLY 0x82f63b78u

static void
table_fill(struct dfmt_crc *c)
{
	for (uint32_t n = 0; n < 256; n++) {
		uint32_t v = n;

		for (int k = 0; k < 8; k++)
			v = v & 1 ? v >> 1 ^ POLY : v >> 1;
		c->t[0][n] = v;
	}
	for (uint32_t n = 0; n < 256; n++) {
		for (int k = 1; k < 8; k++) {
			uint32_t v = c->t[k - 1][n];

			c->t[k][n] = c->t[0][v & 0xff] ^ v >> 8;
		}
	}
}

static uint32_t
byte_step(const struct dfmt_crc *c, uint32_t crc, uint8_t byte)
{
	return c->t[0][(crc ^ byte) & 0xff] ^ crc >> 8;
}

static uint32_t
soft_run(const struct dfmt_crc *c, uint32_t crc, const uint8_t *p, size_t len)
{
	for (; len >= 8; p += 8, len -= 8) {
		uint32_t a = crc ^ dfmt_le32(p), b = dfmt_le32(p + 4);

		crc = c->t[7][a & 0xff] ^ c->t[6][a >> 8 & 0xff] ^
		      c->t[5][a >> 16 & 0xff] ^ c->t[4][a >> 24] ^
		      c->t[3][b & 0xff] ^ c->t[2][b >> 8 & 0xff] ^
		      c->t[1][b >> 16 & 0xff] ^ c->t[0][b >> 24];
	}
	while (len--)
		crc = byte_step(c, crc, *p++);
	return crc;
}

#ifdef __x86_64__

#define LONG_LEN ((size_t)2048) /* of one of three streams; powers of two */
#define SHORT_LEN ((size_t)256)

/* a times b modulo the polynomial. */
static uint32_t
multiply(uint32_t a, uint32_t b)
{
	uint32_t product = 0;

	for (; a; a <<= 1) {
		if (a & 0x80000000u)
			product ^= b;
		b = b & 1 ? b >> 1 ^ POLY : b >> 1;
	}
	return product;
}

/* Four tables that move a CRC over len bytes of zeros: times x^(8 * len). */
static void
operator_fill(uint32_t (*t)[256], size_t len)
{
	uint32_t power = 0x80000000u >> 8; /* x^8 */

	for (; len > 1; len /= 2)
		power = multiply(power, power);
	for (int k = 0; k < 4; k++) {
		t[k][0] = 0;
		/* Linear: what is more than one bit is the xor of two. */
		for (uint32_t n = 1; n < 256; n++)
			t[k][n] = n & (n - 1) ? t[k][n & (n - 1)] ^ t[k][n & -n]
					      : multiply(n << 8 * k, power);
	}
}

static uint32_t
move(const uint32_t (*t)[256], uint32_t crc)
{
	return t[0][crc & 0xff] ^ t[1][crc >> 8 & 0xff] ^
	       t[2][crc >> 16 & 0xff] ^ t[3][crc >> 24];
}

static uint64_t
hard_word(uint64_t crc, const uint8_t *p)
{
	uint64_t word;

	__builtin_memcpy(&word, p, sizeof(word));
	__asm__("crc32q %1, %0" : "+r"(crc) : "rm"(word));
	return crc;
}

static uint32_t
hard_byte(uint32_t crc, uint8_t byte)
{
	__asm__("crc32b %1, %0" : "+r"(crc) : "rm"(byte));
	return crc;
}

/* Three streams of len bytes each, one behind the other. */
static uint32_t
hard_three(const uint32_t (*t)[256], uint32_t crc, const uint8_t *p, size_t len)
{
	uint64_t a = crc, b = 0, d = 0;

	for (size_t i = 0; i < len; i += 8) {
		a = hard_word(a, p + i);
		b = hard_word(b, p + len + i);
		d = hard_word(d, p + 2 * len + i);
	}
	return move(t, move(t, (uint32_t)a) ^ (uint32_t)b) ^ (uint32_t)d;
}

static uint32_t
hard_run(const struct dfmt_crc *c, uint32_t crc, const uint8_t *p, size_t len)
{
	for (; len >= 3 * LONG_LEN; p += 3 * LONG_LEN, len -= 3 * LONG_LEN)
		crc = hard_three(c->t, crc, p, LONG_LEN);
	for (; len >= 3 * SHORT_LEN; p += 3 * SHORT_LEN, len -= 3 * SHORT_LEN)
		crc = hard_three(c->t + 4, crc, p, SHORT_LEN);
	for (; len >= 8; p += 8, len -= 8)
		crc = (uint32_t)hard_word(crc, p);
	while (len--)
		crc = hard_byte(crc, *p++);
	return crc;
}

#endif

void
dfmt_crc_init(struct dfmt_crc *c, bool hw)
{
	c->hw = false;
#ifdef __x86_64__
	if (hw) {
		c->hw = true;
		operator_fill(c->t, LONG_LEN);
		operator_fill(c->t + 4, SHORT_LEN);
		return;
	}
#endif
	(void)hw;
	table_fill(c);
}

uint32_t
dfmt_crc32c_more(const struct dfmt_crc *c, uint32_t crc, const void *bytes,
	size_t len)
{
#ifdef __x86_64__
	if (c->hw)
		return ~hard_run(c, ~crc, bytes, len);
#endif
	return ~soft_run(c, ~crc, bytes, len);
}

uint32_t
dfmt_crc32c(const struct dfmt_crc *c, const void *bytes, size_t len)
{
	return dfmt_crc32c_more(c, 0, bytes, len);
}
