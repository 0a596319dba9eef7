/* SPDX-License-Identifier: MIT */
/*
 * What a world remembers of its types: shapes once resolved, offsets once
 * asked for, and C's own types where a world has none.
 */
#ifndef MDB_SYM_TYPECACHE_H
#define MDB_SYM_TYPECACHE_H

#include "mdb/sym/shape.h"

struct mdb_typecache;

struct mdb_typecache *mdb_typecache_create(size_t word);
void mdb_typecache_destroy(void *p); /* accepts NULL */

/* NULL: not there yet. */
const struct mdb_layout *mdb_typecache_layout(const struct mdb_typecache *cache,
	const struct mdb_shape *shape);
/* Takes the layout over. */
void mdb_typecache_add_layout(struct mdb_typecache *cache,
	struct mdb_layout *layout);

/* Offsets by type and names (as of struct mdb_field). */
bool mdb_typecache_offset(const struct mdb_typecache *cache,
	const char *type_name, const char *names, uint64_t *offset_out);
void mdb_typecache_add_offset(struct mdb_typecache *cache,
	const char *type_name, const char *names, uint64_t offset);

/* The container of C's own types. */
struct mdb_types *mdb_typecache_plain(const struct mdb_typecache *cache);

#endif
