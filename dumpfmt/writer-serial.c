/* SPDX-License-Identifier: MIT */
/*
 * The triage record as lines of text, for a serial line: dfmt-serial.h has the
 * format.
 */
#include "writer-impl.h"

#include <string.h>

#define MARK "XDUMP-TRIAGE "
#define MARK_LEN 13u
#define LINE_BYTES 54u
#define LINE_MAX (MARK_LEN + 5 + LINE_BYTES / 3 * 4 + 1 + 8 + 1)

struct line {
	char text[LINE_MAX];
	uint32_t len;
};

static void
text_add(struct line *l, const char *text)
{
	while (*text)
		l->text[l->len++] = *text++;
}

static void
hex_add(struct line *l, uint32_t v)
{
	for (uint32_t i = 0; i < 8; i++)
		l->text[l->len++] = "0123456789abcdef"[v >> (28 - 4 * i) & 15];
}

static void
number_add(struct line *l, uint32_t v, uint32_t least)
{
	char digits[10];
	uint32_t n = 0;

	for (; n < least || v; v /= 10)
		digits[n++] = (char)('0' + v % 10);
	while (n > 0)
		l->text[l->len++] = digits[--n];
}

static void
base64_add(struct line *l, const uint8_t *p, uint32_t len)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (uint32_t i = 0; i < len; i += 3) {
		uint32_t v = (uint32_t)p[i] << 16;

		v |= i + 1 < len ? (uint32_t)p[i + 1] << 8 : 0;
		v |= i + 2 < len ? p[i + 2] : 0;
		for (uint32_t k = 0; k < 4; k++)
			l->text[l->len++] =
				i + k <= len ? letters[v >> (18 - 6 * k) & 63]
					     : '=';
	}
}

static struct line
line_begin(void)
{
	struct line l = { .len = 0 };

	text_add(&l, MARK);
	return l;
}

static uint32_t
line_crc(const struct dfmt_writer *w, uint32_t number, const uint8_t *p,
	uint32_t len)
{
	uint32_t crc = dfmt_crc32c(&w->crc, &number, sizeof(number));

	return dfmt_crc32c_more(&w->crc, crc, p, len);
}

/* ---- the record ---------------------------------------------------------- */

struct target {
	void (*put)(void *arg, const char *line, size_t len);
	void *arg;
};

static void
line_put(const struct target *to, struct line *l)
{
	text_add(l, "\n");
	to->put(to->arg, l->text, l->len);
}

static void
lines_put(const struct dfmt_writer *w, const struct target *to,
	const uint8_t *p, uint32_t len)
{
	struct line l = line_begin();
	uint32_t nr = 0;

	text_add(&l, "begin ");
	number_add(&l, len, 1);
	text_add(&l, " ");
	hex_add(&l, dfmt_crc32c(&w->crc, p, len));
	line_put(to, &l);
	for (uint32_t at = 0; at < len; at += LINE_BYTES, nr++) {
		uint32_t n = (uint32_t)lesser(len - at, LINE_BYTES);

		l = line_begin();
		number_add(&l, nr, 4);
		text_add(&l, " ");
		base64_add(&l, p + at, n);
		text_add(&l, " ");
		hex_add(&l, line_crc(w, nr, p + at, n));
		line_put(to, &l);
	}
	l = line_begin();
	text_add(&l, "end ");
	number_add(&l, nr, 1);
	line_put(to, &l);
}

bool
dfmt_writer_serial(struct dfmt_writer *w, const struct dfmt_writer_facts *facts,
	void (*put)(void *arg, const char *line, size_t len), void *arg)
{
	const struct target to = { put, arg };
	const struct wplace place = { .next = 0 };
	struct wseg seg;

	if (w->config.cipher ||
		!(w->phase == PHASE_NEW ||
			(w->phase == PHASE_DONE &&
				w->result.status >= DFMT_W_CONFIG)))
		return false;
	w->phase = PHASE_DONE;
	dfmt_w_facts_take(w, facts);
	if (w->out.align == 0)
		w->out.align = DFMT_ALIGN_MIN;
	dfmt_w_id_make(w, 0);
	seg = dfmt_w_triage_make(w, 0, 0);
	(void)dfmt_w_seal(w, &seg, &place);
	lines_put(w, &to, seg.buf,
		DFMT_SEG_HEADER_LEN + (uint32_t)seg.payload_len);
	return true;
}
