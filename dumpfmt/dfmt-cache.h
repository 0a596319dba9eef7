/* SPDX-License-Identifier: MIT */
/*
 * One bounded cache of expanded pages.  Thread safe; a hit takes no lock.
 *
 * A set-associative table over one arena.  Each slot carries a sequence
 * number, odd while it is written.  A reader copies out and looks at the
 * number again: if it moved, the copy is thrown away and it is a miss.  A
 * writer that does not get the slot at once gives up: a cache may forget.
 */
#ifndef DFMT_CACHE_H
#define DFMT_CACHE_H

#include "dfmt-reader.h"

struct dfmt_cache;

/* At most `bytes` of pages of page_size (a multiple of 8); NULL: no memory. */
struct dfmt_cache *dfmt_cache_create(size_t bytes, uint32_t page_size);

/* Accepts NULL. */
void dfmt_cache_destroy(struct dfmt_cache *c);

/* Copies [off, off + len) of the page with this key; false when not there. */
bool dfmt_cache_get(struct dfmt_cache *c, uint64_t key, uint32_t off, void *buf,
	size_t len);

/* Offers an expanded page of page_size bytes, 8-aligned; counts a miss. */
void dfmt_cache_put(struct dfmt_cache *c, uint64_t key, const void *page);

/* The same for a neighbour of the page that was missed: counts nothing. */
void dfmt_cache_add(struct dfmt_cache *c, uint64_t key, const void *page);

/* Fills cache_hits, cache_misses and cache_bytes. */
void dfmt_cache_stats(struct dfmt_cache *c, struct dfmt_stats *stats);

#endif
