/* SPDX-License-Identifier: MIT */
/*
 * The error trail, the command's arena and the interrupt flag.
 *
 * The trail is one heap string that grows at the front; the arena is a list
 * of zeroed chunks freed together when the command ends.  Neither can fail:
 * their sizes are ours.
 */
#include "mdb/base/ctx.h"

#include "mdb/base/alloc.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef MDB_TINY
#define CHUNK_LEN 64u
#else
#define CHUNK_LEN 65536u
#endif
#define TRAIL_MAX 8192u

struct mdb_chunk {
	struct mdb_chunk *next;
	size_t len, used;
	alignas(max_align_t) char bytes[];
};

void
mdb_ctx_init(struct mdb_ctx *cx)
{
	*cx = (struct mdb_ctx){ 0 };
}

void
mdb_ctx_fini(struct mdb_ctx *cx)
{
	mdb_arena_release(&cx->tmp);
	free(cx->trail);
	cx->trail = NULL;
}

void
mdb_arena_release(struct mdb_arena *arena)
{
	while (arena->chunks) {
		struct mdb_chunk *c = arena->chunks;

		arena->chunks = c->next;
		free(c);
	}
	arena->bytes = 0;
}

void *
mdb_arena_alloc(struct mdb_arena *arena, size_t len)
{
	const size_t align = alignof(max_align_t);
	struct mdb_chunk *c = arena->chunks;

	len = (len ? len + align - 1 : align) & ~(align - 1);
	if (!c || c->len - c->used < len) {
		size_t room = len > CHUNK_LEN ? len : CHUNK_LEN;

		c = mdb_xalloc(sizeof(*c) + room);
		c->len = room;
		c->next = arena->chunks;
		arena->chunks = c;
	}
	void *p = c->bytes + c->used;

	c->used += len;
	arena->bytes += len;
	return p;
}

void *
mdb_tmp(struct mdb_ctx *cx, size_t len)
{
	return mdb_arena_alloc(&cx->tmp, len);
}

char *
mdb_tmp_printf(struct mdb_ctx *cx, const char *fmt, ...)
{
	va_list ap, again;

	va_start(ap, fmt);
	va_copy(again, ap);
	int len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0)
		len = 0;
	char *s = mdb_tmp(cx, (size_t)len + 1);
	(void)vsnprintf(s, (size_t)len + 1, fmt, again);
	va_end(again);
	return s;
}

const char *
mdb_escape_name(struct mdb_ctx *cx, const char *text)
{
	static const char digits[] = "0123456789abcdef";
	size_t len = 0, odd = 0;

	for (; text[len]; len++)
		odd += text[len] < ' ' || text[len] > '~';
	if (!odd)
		return text;
	char *copy = mdb_tmp(cx, len + 3 * odd + 1);
	char *to = copy;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= ' ' && c <= '~') {
			*to++ = (char)c;
			continue;
		}
		*to++ = '\\';
		*to++ = 'x';
		*to++ = digits[c >> 4];
		*to++ = digits[c & 15];
	}
	return copy;
}

enum mdb_status
mdb_alloc_capped(struct mdb_ctx *cx, uint64_t count, size_t size, size_t cap,
	void *mem_out)
{
	uint64_t len;

	if (__builtin_mul_overflow(count, size, &len) || len > cap)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"%llu elements of %zu bytes are more than the %zu "
			"bytes allowed here",
			(unsigned long long)count, size, cap);
	void *p = mdb_tmp(cx, (size_t)len);
	memcpy(mem_out, &p, sizeof(p));
	return MDB_OK;
}

static void
set_trail(struct mdb_ctx *cx, char *text)
{
	free(cx->trail);
	cx->trail = text;
}

static char *
format_capped(const char *fmt, va_list ap)
{
	char *text = mdb_xalloc(TRAIL_MAX);

	if (vsnprintf(text, TRAIL_MAX, fmt, ap) < 0)
		text[0] = '\0';
	return mdb_xrealloc(text, strlen(text) + 1, 1);
}

enum mdb_status
mdb_vfail(struct mdb_ctx *cx, enum mdb_status st, const char *fmt, va_list ap)
{
	set_trail(cx, format_capped(fmt, ap));
	return st;
}

enum mdb_status
mdb_fail(struct mdb_ctx *cx, enum mdb_status st, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	st = mdb_vfail(cx, st, fmt, ap);
	va_end(ap);
	return st;
}

enum mdb_status
mdb_context(struct mdb_ctx *cx, enum mdb_status st, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *front = format_capped(fmt, ap);
	va_end(ap);

	const char *rest = mdb_trail(cx);
	size_t room = strlen(front) + strlen(rest) + 3;

	if (room > TRAIL_MAX) {
		free(front);
		return st;
	}
	char *text = mdb_xalloc(room);

	(void)snprintf(text, room, "%s%s%s", front, *rest ? ": " : "", rest);
	free(front);
	set_trail(cx, text);
	return st;
}

const char *
mdb_trail(const struct mdb_ctx *cx)
{
	return cx->trail ? cx->trail : "";
}

void
mdb_forget(struct mdb_ctx *cx)
{
	set_trail(cx, NULL);
}

enum mdb_status
mdb_check_interrupt(struct mdb_ctx *cx)
{
	if (cx->interrupted && *cx->interrupted)
		return mdb_fail(cx, MDB_E_INTERRUPTED, "interrupted");
	return MDB_OK;
}

void
mdb_warn(struct mdb_ctx *cx, enum mdb_status st, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *text = format_capped(fmt, ap);
	va_end(ap);

	const char *why = st == MDB_OK ? "" : mdb_trail(cx);
	const char *line = mdb_escape_name(cx,
		mdb_tmp_printf(cx, "%s%s%s", text, *why ? ": " : "", why));

	free(text);
	cx->nr_warnings++;
	if (cx->warn)
		cx->warn(cx, line);
	else
		(void)fprintf(stderr, "mdb: %s\n", line);
	if (st != MDB_OK)
		mdb_forget(cx);
}

const char *
mdb_status_name(enum mdb_status st)
{
	static const char *const names[] = {
		[MDB_OK] = "ok",
		[MDB_DONE] = "done",
		[MDB_E_UNMAPPED] = "unmapped",
		[MDB_E_EXCLUDED] = "excluded",
		[MDB_E_LOST] = "lost",
		[MDB_E_RANGE] = "out of range",
		[MDB_E_NOTFOUND] = "not found",
		[MDB_E_CORRUPT] = "corrupt",
		[MDB_E_FORMAT] = "bad format",
		[MDB_E_USAGE] = "usage",
		[MDB_E_SYNTAX] = "syntax error",
		[MDB_E_UNSUPPORTED] = "unsupported",
		[MDB_E_SYSTEM] = "system error",
		[MDB_E_INTERRUPTED] = "interrupted",
	};

	if ((size_t)st >= sizeof(names) / sizeof(names[0]))
		return "unknown";
	return names[st];
}
