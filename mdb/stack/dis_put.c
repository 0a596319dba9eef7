/* SPDX-License-Identifier: MIT */
/*
 * Text into a buffer of fixed size, cut where it ends and counted to the end.
 * A listing is a million short pieces: this is what printf would cost too much
 * for.
 */
#include "mdb/stack/dis_impl.h"

#include <string.h>

void
dis_put_n(struct dis_text *t, const char *s, size_t n)
{
	size_t room = t->pos < t->len ? t->len - t->pos - 1 : 0;

	if (t->pos < t->len) {
		size_t fit = n < room ? n : room;

		memcpy(t->buf + t->pos, s, fit);
		t->buf[t->pos + fit] = '\0';
	}
	t->pos += n;
}

void
dis_put_all(struct dis_text *t, const char *const *s)
{
	for (; *s; s++)
		dis_put_n(t, *s, strlen(*s));
}

void
dis_put_number(struct dis_text *t, uint64_t value, unsigned int base)
{
	char digits[24];
	size_t pos = sizeof(digits);

	do {
		digits[--pos] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	if (base == 16) {
		digits[--pos] = 'x';
		digits[--pos] = '0';
	}
	dis_put_n(t, digits + pos, sizeof(digits) - pos);
}

void
dis_put_signed(struct dis_text *t, const char *plus, int64_t value)
{
	DIS_PUT(t, value < 0 ? "-" : plus);
	dis_put_number(t, value < 0 ? 0 - (uint64_t)value : (uint64_t)value,
		16);
}

void
dis_put_blanks(struct dis_text *t, size_t column)
{
	while (t->pos < column)
		DIS_PUT(t, " ");
}
