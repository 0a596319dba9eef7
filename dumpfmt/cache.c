/* SPDX-License-Identifier: MIT */
/*
 * The page cache; the idea is in dfmt-cache.h.
 *
 * Page bytes are read and written as 64-bit atomics, loads acquiring and
 * stores releasing: on x86 plain moves, and a defined program when a reader
 * and a writer meet in one slot.  The order of the reader is number, key,
 * data, number; of the writer odd number, key, data, even number.
 */
#include "dfmt-cache.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define WAYS ((size_t)8)
#define NO_KEY UINT64_MAX

struct slot {
	_Atomic uint64_t seq;
	_Atomic uint64_t key;
	atomic_bool used; /* since the hand last passed */
};

struct dfmt_cache {
	struct slot *slots;
	_Atomic uint64_t *arena;
	size_t arena_len;
	size_t nr_sets; /* power of two */
	size_t words;	/* per page */
	atomic_uint hand;
	_Atomic uint64_t hits;
	_Atomic uint64_t misses;
	_Atomic uint64_t held;
};

struct dfmt_cache *
dfmt_cache_create(size_t bytes, uint32_t page_size)
{
	struct dfmt_cache *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->nr_sets = 1;
	while (c->nr_sets * 2 * WAYS * page_size <= bytes)
		c->nr_sets *= 2;
	c->words = page_size / 8;
	c->slots = calloc(c->nr_sets * WAYS, sizeof(*c->slots));
	c->arena_len = c->nr_sets * WAYS * page_size;
	/* Not touched before it is used. */
	void *arena = mmap(NULL, c->arena_len, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	c->arena = arena == MAP_FAILED ? NULL : arena;
	if (!c->slots || !c->arena) {
		dfmt_cache_destroy(c);
		return NULL;
	}
	for (size_t i = 0; i < c->nr_sets * WAYS; i++)
		c->slots[i].key = NO_KEY;
	return c;
}

void
dfmt_cache_destroy(struct dfmt_cache *c)
{
	if (!c)
		return;
	if (c->arena)
		munmap(c->arena, c->arena_len);
	free(c->slots);
	free(c);
}

static size_t
first_way(const struct dfmt_cache *c, uint64_t key)
{
	uint64_t hash = key * UINT64_C(0x9e3779b97f4a7c15);

	return (hash >> 32 & (c->nr_sets - 1)) * WAYS;
}

static uint64_t
load(const _Atomic uint64_t *word)
{
	return atomic_load_explicit(word, memory_order_acquire);
}

/* Bytes [off, off + len) of words, the ends of which may lie inside one. */
static void
copy_out(const _Atomic uint64_t *words, uint32_t off, uint8_t *out, size_t len)
{
	const _Atomic uint64_t *w = words + off / 8;
	size_t skip = off % 8;

	while (len) {
		uint64_t v = load(w++);
		size_t n = 8 - skip < len ? 8 - skip : len;

		if (n == 8)
			memcpy(out, &v, 8);
		else
			memcpy(out, (uint8_t *)&v + skip, n);
		out += n;
		len -= n;
		skip = 0;
	}
}

static bool
slot_get(struct dfmt_cache *c, size_t i, uint64_t key, uint32_t off, void *buf,
	size_t len)
{
	struct slot *s = &c->slots[i];
	uint64_t seq = load(&s->seq);

	if (seq & 1 || load(&s->key) != key)
		return false;
	copy_out(c->arena + i * c->words, off, buf, len);
	if (load(&s->seq) != seq)
		return false;
	if (!atomic_load_explicit(&s->used, memory_order_relaxed))
		atomic_store_explicit(&s->used, true, memory_order_relaxed);
	return true;
}

static void
count(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

bool
dfmt_cache_get(struct dfmt_cache *c, uint64_t key, uint32_t off, void *buf,
	size_t len)
{
	size_t first = first_way(c, key);

	for (size_t i = first; i < first + WAYS; i++) {
		if (slot_get(c, i, key, off, buf, len)) {
			count(&c->hits);
			return true;
		}
	}
	return false;
}

/* An empty way, else the first that was not used since the hand passed. */
static size_t
victim(struct dfmt_cache *c, size_t first)
{
	for (size_t i = first; i < first + WAYS; i++) {
		if (load(&c->slots[i].key) == NO_KEY)
			return i;
	}
	size_t i = 0;
	for (size_t tries = 0; tries < 2 * WAYS; tries++) {
		i = first + atomic_fetch_add(&c->hand, 1) % WAYS;
		if (!atomic_exchange(&c->slots[i].used, false))
			break;
	}
	return i;
}

void
dfmt_cache_put(struct dfmt_cache *c, uint64_t key, const void *page)
{
	count(&c->misses);
	dfmt_cache_add(c, key, page);
}

void
dfmt_cache_add(struct dfmt_cache *c, uint64_t key, const void *page)
{
	const uint64_t *in = page;
	size_t first = first_way(c, key);

	for (size_t i = first; i < first + WAYS; i++) {
		if (load(&c->slots[i].key) == key)
			return;
	}
	size_t i = victim(c, first);
	struct slot *s = &c->slots[i];
	uint64_t seq = load(&s->seq);

	if (seq & 1 || !atomic_compare_exchange_strong(&s->seq, &seq, seq + 1))
		return;
	if (atomic_load(&s->key) == NO_KEY)
		atomic_fetch_add(&c->held, c->words * 8);
	atomic_store_explicit(&s->key, key, memory_order_release);
	_Atomic uint64_t *out = c->arena + i * c->words;
	for (size_t k = 0; k < c->words; k++)
		atomic_store_explicit(&out[k], in[k], memory_order_release);
	atomic_store_explicit(&s->seq, seq + 2, memory_order_release);
}

void
dfmt_cache_stats(struct dfmt_cache *c, struct dfmt_stats *stats)
{
	stats->cache_hits = atomic_load(&c->hits);
	stats->cache_misses = atomic_load(&c->misses);
	stats->cache_bytes = atomic_load(&c->held);
}
