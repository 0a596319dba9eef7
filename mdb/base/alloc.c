/* SPDX-License-Identifier: MIT */
/* Allocation that cannot fail, for sizes that are our own. */
#include "mdb/base/alloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *
or_die(void *p, size_t len)
{
	if (!p) {
		(void)fprintf(stderr, "mdb: out of memory for %zu bytes\n",
			len);
		abort();
	}
	return p;
}

void *
mdb_xalloc(size_t len)
{
	return or_die(calloc(1, len ? len : 1), len);
}

void *
mdb_xarray(size_t count, size_t size)
{
	return or_die(calloc(count ? count : 1, size), count * size);
}

void *
mdb_xrealloc(void *p, size_t count, size_t size)
{
	size_t len;

	if (__builtin_mul_overflow(count, size, &len))
		return or_die(NULL, SIZE_MAX);
	return or_die(realloc(p, len ? len : 1), len);
}

char *
mdb_xstrndup(const char *s, size_t len)
{
	return or_die(strndup(s, len), len);
}

char *
mdb_xstrdup(const char *s)
{
	return or_die(strdup(s), strlen(s));
}

void *
mdb_try_alloc(size_t count, size_t size)
{
	return calloc(count ? count : 1, size);
}

void
mdb_cleanup_free(void *pp)
{
	void *p;

	memcpy(&p, pp, sizeof(p));
	free(p);
}
