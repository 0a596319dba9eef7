/* SPDX-License-Identifier: MIT */
/*
 * The cache behind shapes.  Shapes are found by address (they are constants
 * of their module), offsets by text.  There are as many as the program has
 * shapes and calls, so nothing is ever dropped.
 */
#include "mdb/sym/typecache.h"

#include "mdb/base/alloc.h"

#include <stdlib.h>
#include <string.h>

struct offset_entry {
	char *type_name;
	char *names; /* with its inner NULs and the empty one */
	size_t names_len;
	uint64_t offset;
};

struct mdb_typecache {
	struct mdb_types *plain;
	struct mdb_layout **layouts; /* open addressing; NULL is empty */
	size_t nr_layouts, size;     /* size is a power of two, or 0 */
	struct offset_entry *offsets;
	size_t nr_offsets;
};

struct mdb_typecache *
mdb_typecache_create(size_t word)
{
	struct mdb_typecache *cache = mdb_xalloc(sizeof(*cache));

	cache->plain = mdb_types_create_plain(word);
	return cache;
}

void
mdb_typecache_destroy(void *p)
{
	struct mdb_typecache *cache = p;

	if (!cache)
		return;
	for (size_t i = 0; i < cache->size; i++)
		mdb_layout_destroy(cache->layouts[i]);
	for (size_t i = 0; i < cache->nr_offsets; i++) {
		free(cache->offsets[i].type_name);
		free(cache->offsets[i].names);
	}
	free(cache->layouts);
	free(cache->offsets);
	mdb_types_destroy(cache->plain);
	free(cache);
}

struct mdb_types *
mdb_typecache_plain(const struct mdb_typecache *cache)
{
	return cache->plain;
}

/* The slot that holds the shape, or the empty one where it belongs. */
static size_t
slot_of(const struct mdb_typecache *cache, const struct mdb_shape *shape)
{
	uint64_t h = (uint64_t)(uintptr_t)shape * 0x9e3779b97f4a7c15u;
	size_t i = (size_t)(h >> 32) & (cache->size - 1);

	while (cache->layouts[i] && cache->layouts[i]->shape != shape)
		i = (i + 1) & (cache->size - 1);
	return i;
}

const struct mdb_layout *
mdb_typecache_layout(const struct mdb_typecache *cache,
	const struct mdb_shape *shape)
{
	return cache->size ? cache->layouts[slot_of(cache, shape)] : NULL;
}

static void
grow(struct mdb_typecache *cache)
{
	struct mdb_layout **old = cache->layouts;
	size_t size = cache->size;

	cache->size = size ? 2 * size : 32;
	cache->layouts = mdb_xarray(cache->size, sizeof(struct mdb_layout *));
	for (size_t i = 0; i < size; i++)
		if (old[i])
			cache->layouts[slot_of(cache, old[i]->shape)] = old[i];
	free(old);
}

void
mdb_typecache_add_layout(struct mdb_typecache *cache, struct mdb_layout *layout)
{
	size_t i;

	if (2 * (cache->nr_layouts + 1) > cache->size)
		grow(cache);
	i = slot_of(cache, layout->shape);
	if (cache->layouts[i])
		mdb_layout_destroy(cache->layouts[i]);
	else
		cache->nr_layouts++;
	cache->layouts[i] = layout;
}

static size_t
names_len(const char *names)
{
	const char *p = names;

	while (*p)
		p += strlen(p) + 1;
	return (size_t)(p - names) + 1;
}

bool
mdb_typecache_offset(const struct mdb_typecache *cache, const char *type_name,
	const char *names, uint64_t *offset_out)
{
	size_t len = names_len(names);

	for (size_t i = 0; i < cache->nr_offsets; i++) {
		const struct offset_entry *e = &cache->offsets[i];

		if (e->names_len == len && !memcmp(e->names, names, len) &&
			!strcmp(e->type_name, type_name)) {
			*offset_out = e->offset;
			return true;
		}
	}
	return false;
}

void
mdb_typecache_add_offset(struct mdb_typecache *cache, const char *type_name,
	const char *names, uint64_t offset)
{
	size_t nr = cache->nr_offsets++;

	cache->offsets = mdb_xrealloc(cache->offsets, cache->nr_offsets,
		sizeof(*cache->offsets));
	cache->offsets[nr].type_name = mdb_xstrdup(type_name);
	cache->offsets[nr].names_len = names_len(names);
	cache->offsets[nr].names = mdb_xalloc(cache->offsets[nr].names_len);
	memcpy(cache->offsets[nr].names, names, cache->offsets[nr].names_len);
	cache->offsets[nr].offset = offset;
}
