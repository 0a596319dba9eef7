/* SPDX-License-Identifier: MIT */
/*
 * Allocation of sizes that we chose ourselves: never NULL; the program ends
 * with a line naming the size when the host has no more.  Sizes that come
 * from a dump go through mdb_alloc_capped (status.h) or mdb_try_alloc.
 */
#ifndef MDB_BASE_ALLOC_H
#define MDB_BASE_ALLOC_H

#include <stddef.h>

void *mdb_xalloc(size_t len);		     /* zeroed */
void *mdb_xarray(size_t count, size_t size); /* zeroed, overflow checked */
void *mdb_xrealloc(void *p, size_t count, size_t size);
char *mdb_xstrdup(const char *s);
char *mdb_xstrndup(const char *s, size_t len);
void *mdb_try_alloc(size_t count, size_t size); /* NULL when too much */

void mdb_cleanup_free(void *pp); /* for MDB_AUTO_FREE: frees *(void **)pp */
#define MDB_AUTO_FREE __attribute__((cleanup(mdb_cleanup_free)))

#endif
