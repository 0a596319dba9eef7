/* SPDX-License-Identifier: MIT */
/* A growing byte buffer, always NUL-terminated once something was added. */
#ifndef MDB_BASE_BUF_H
#define MDB_BASE_BUF_H

#include <mdb/status.h>

#include <stdarg.h>

struct mdb_buf {
	char *data; /* heap or NULL */
	size_t len; /* without the NUL */
	size_t cap;
};

void mdb_buf_init(struct mdb_buf *b);
void mdb_buf_fini(struct mdb_buf *b);
void mdb_buf_reset(struct mdb_buf *b); /* keeps the memory */
void mdb_buf_add(struct mdb_buf *b, const void *data, size_t len);
void mdb_buf_puts(struct mdb_buf *b, const char *s);
void mdb_buf_putc(struct mdb_buf *b, char c);
void mdb_buf_pad(struct mdb_buf *b, char c, size_t count);
void mdb_buf_printf(struct mdb_buf *b, const char *fmt, ...) MDB_PRINTF(2, 3);
void mdb_buf_vprintf(struct mdb_buf *b, const char *fmt, va_list ap);
/* Hands the heap string to the caller and leaves the buffer empty. */
char *mdb_buf_steal(struct mdb_buf *b);

#endif
