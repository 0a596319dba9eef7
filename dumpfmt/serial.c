/* SPDX-License-Identifier: MIT */
#include "dfmt-serial.h"

#include "dfmt-crc.h"
#include "dfmt-format.h"
#include "dfmt-impl.h"

#include <string.h>

#define MARK_LEN (sizeof(DFMT_SERIAL_MARK) - 1)
#define LINES_MAX \
	((DFMT_TRIAGE_LEN + DFMT_SERIAL_BYTES - 1) / DFMT_SERIAL_BYTES)
#define HEAD_LEN (DFMT_SEG_HEADER_LEN + sizeof(struct dfmt_fmt_triage))

/* What is left of a line. */
struct cursor {
	const char *at, *end;
};

/* The next line's rest behind the mark; false: there is none any more. */
static bool
line_next(struct cursor *text, struct cursor *line)
{
	const char *found =
		text->at == text->end
			? NULL
			: memmem(text->at, (size_t)(text->end - text->at),
				  DFMT_SERIAL_MARK, MARK_LEN);

	if (found == NULL)
		return false;
	line->at = found + MARK_LEN;
	line->end = memchr(line->at, '\n', (size_t)(text->end - line->at));
	if (line->end == NULL)
		line->end = text->end;
	/* Another one may have begun where this one broke off. */
	text->at = line->at;
	return true;
}

static bool
word_take(struct cursor *c, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(c->end - c->at) < n || memcmp(c->at, word, n) != 0)
		return false;
	c->at += n;
	return true;
}

/* Decimal, at most `most`. */
static bool
number_take(struct cursor *c, uint32_t most, uint32_t *out)
{
	const char *first = c->at;
	uint32_t v = 0;

	for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) {
		v = v * 10 + (uint32_t)(*c->at - '0');
		if (v > most)
			return false;
	}
	*out = v;
	return c->at != first;
}

static bool
crc_take(struct cursor *c, uint32_t *out)
{
	uint32_t v = 0;

	if (c->end - c->at < 8)
		return false;
	for (uint32_t i = 0; i < 8; i++) {
		char d = *c->at++;

		if (d >= '0' && d <= '9')
			v = v << 4 | (uint32_t)(d - '0');
		else if (d >= 'a' && d <= 'f')
			v = v << 4 | (uint32_t)(d - 'a' + 10);
		else
			return false;
	}
	*out = v;
	return true;
}

static int
letter(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Exactly n bytes of base64 with its filling. */
static bool
base64_take(struct cursor *c, uint8_t *out, uint32_t n)
{
	for (uint32_t i = 0; i < n; i += 3) {
		uint32_t v = 0;

		if (c->end - c->at < 4)
			return false;
		for (uint32_t k = 0; k < 4; k++) {
			int l = letter(*c->at++);

			if (i + k > n ? l >= 0 : l < 0)
				return false;
			v = v << 6 | (l < 0 ? 0 : (uint32_t)l);
		}
		for (uint32_t k = 0; k < 3 && i + k < n; k++)
			out[i + k] = (uint8_t)(v >> (16 - 8 * k));
	}
	return true;
}

/* ---- the record ---------------------------------------------------------- */

struct record {
	struct dfmt_crc crc;
	uint32_t len, whole_crc;
	bool seen[LINES_MAX];
	uint8_t *out;
};

static bool
begin_take(struct cursor line, struct record *r)
{
	uint32_t len, crc;

	if (!word_take(&line, "begin ") ||
		!number_take(&line, DFMT_TRIAGE_LEN, &len) || len < HEAD_LEN ||
		!word_take(&line, " ") || !crc_take(&line, &crc))
		return false;
	r->len = len;
	r->whole_crc = crc;
	return true;
}

/* One line into its place, if it is whole; any other is as if lost. */
static void
data_take(struct cursor line, struct record *r)
{
	uint8_t bytes[DFMT_SERIAL_BYTES];
	uint32_t number, at, n, said, crc;

	if (!number_take(&line, LINES_MAX - 1, &number) ||
		!word_take(&line, " "))
		return;
	at = number * DFMT_SERIAL_BYTES;
	if (at >= r->len)
		return;
	n = r->len - at < DFMT_SERIAL_BYTES ? r->len - at : DFMT_SERIAL_BYTES;
	if (!base64_take(&line, bytes, n) || !word_take(&line, " ") ||
		!crc_take(&line, &said))
		return;
	crc = dfmt_crc32c(&r->crc, &number, sizeof(number));
	if (dfmt_crc32c_more(&r->crc, crc, bytes, n) != said)
		return;
	memcpy(r->out + at, bytes, n);
	r->seen[number] = true;
}

/* Behind where the last record begins; false: there is none. */
static bool
last_find(struct cursor *text, struct record *r, uint32_t *nr_out)
{
	struct cursor at = *text, line;
	bool found = false;

	while (line_next(&at, &line)) {
		if (!begin_take(line, r))
			continue;
		found = true;
		(*nr_out)++;
		*text = at;
	}
	return found;
}

static bool
is_head_whole(const struct record *r)
{
	for (uint32_t i = 0; i * DFMT_SERIAL_BYTES < HEAD_LEN; i++)
		if (!r->seen[i])
			return false;
	return true;
}

enum dfmt_status
dfmt_serial_decode(const char *text, size_t len, uint8_t *out,
	struct dfmt_serial *s_out, struct dfmt_err *err)
{
	struct cursor c = { text, text + len }, line;
	struct record r = { .out = out };

	memset(s_out, 0, sizeof(*s_out));
	memset(out, 0, DFMT_TRIAGE_LEN);
	dfmt_crc_init(&r.crc, false);
	if (!last_find(&c, &r, &s_out->nr_records))
		return dfmt_fail(err, DFMT_E_FORMAT,
			"no triage record in the text", DFMT_NONE, DFMT_NONE);
	while (line_next(&c, &line))
		data_take(line, &r);
	s_out->len = r.len;
	s_out->nr_lines = (r.len + DFMT_SERIAL_BYTES - 1) / DFMT_SERIAL_BYTES;
	for (uint32_t i = 0; i < s_out->nr_lines; i++)
		s_out->nr_lost += !r.seen[i];
	if (!is_head_whole(&r))
		return dfmt_fail(err, DFMT_E_LOST,
			"the beginning of the triage record", DFMT_NONE,
			DFMT_NONE);
	if (s_out->nr_lost == 0 &&
		dfmt_crc32c(&r.crc, out, r.len) != r.whole_crc)
		return dfmt_fail(err, DFMT_E_MALFORMED,
			"triage record: the checksum is wrong", DFMT_NONE,
			DFMT_NONE);
	return DFMT_OK;
}
