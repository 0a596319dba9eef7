/* SPDX-License-Identifier: MIT */
/* A growing byte buffer. */
#include "mdb/base/buf.h"

#include "mdb/base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef MDB_TINY
#define FIRST_CAP 8u
#else
#define FIRST_CAP 256u
#endif

void
mdb_buf_init(struct mdb_buf *b)
{
	*b = (struct mdb_buf){ 0 };
}

void
mdb_buf_fini(struct mdb_buf *b)
{
	free(b->data);
	mdb_buf_init(b);
}

void
mdb_buf_reset(struct mdb_buf *b)
{
	b->len = 0;
	if (b->data)
		b->data[0] = '\0';
}

static void
reserve(struct mdb_buf *b, size_t more)
{
	size_t need = b->len + more + 1;

	if (need <= b->cap)
		return;
	size_t cap = b->cap ? b->cap : FIRST_CAP;

	while (cap < need)
		cap *= 2;
	b->data = mdb_xrealloc(b->data, cap, 1);
	b->cap = cap;
}

void
mdb_buf_add(struct mdb_buf *b, const void *data, size_t len)
{
	reserve(b, len);
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void
mdb_buf_puts(struct mdb_buf *b, const char *s)
{
	mdb_buf_add(b, s, strlen(s));
}

void
mdb_buf_putc(struct mdb_buf *b, char c)
{
	mdb_buf_add(b, &c, 1);
}

void
mdb_buf_pad(struct mdb_buf *b, char c, size_t count)
{
	reserve(b, count);
	memset(b->data + b->len, c, count);
	b->len += count;
	b->data[b->len] = '\0';
}

void
mdb_buf_vprintf(struct mdb_buf *b, const char *fmt, va_list ap)
{
	va_list again;

	va_copy(again, ap);
	int len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (len < 0)
		return;
	reserve(b, (size_t)len);
	(void)vsnprintf(b->data + b->len, (size_t)len + 1, fmt, ap);
	b->len += (size_t)len;
}

void
mdb_buf_printf(struct mdb_buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	mdb_buf_vprintf(b, fmt, ap);
	va_end(ap);
}

char *
mdb_buf_steal(struct mdb_buf *b)
{
	char *s = b->data ? b->data : mdb_xstrdup("");

	mdb_buf_init(b);
	return s;
}
