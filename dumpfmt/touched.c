/* SPDX-License-Identifier: MIT */
/*
 * Which 4 KiB blocks of a file were touched, for the statistics: a radix tree
 * of three levels whose leaves are bitmaps, grown without a lock.  A leaf
 * covers 128 MiB of file, the tree 256 PiB; what lies beyond is not counted,
 * nor is what finds no memory: the count is a statistic, never a reason to
 * fail.
 */
#include "dfmt-source.h"

#include <stdlib.h>

#define BLOCK_SHIFT 12
#define LEAF_SHIFT 15 /* blocks in a leaf */
#define MID_SHIFT 12  /* leaves in a middle node */
#define LEAF_WORDS ((1u << LEAF_SHIFT) / 64)

struct leaf {
	_Atomic uint64_t words[LEAF_WORDS];
};

struct mid {
	_Atomic(void *) leaves[1u << MID_SHIFT];
};

static void *
child(_Atomic(void *) *slot, size_t size)
{
	void *node = atomic_load_explicit(slot, memory_order_acquire);
	void *none = NULL;

	if (node)
		return node;
	node = calloc(1, size);
	if (!node)
		return NULL;
	if (atomic_compare_exchange_strong(slot, &none, node))
		return node;
	free(node);
	return none;
}

static void
mark_block(struct dfmt_touched *t, uint64_t block)
{
	uint64_t bit = UINT64_C(1) << (block % 64);
	uint64_t in_leaf = block % (1u << LEAF_SHIFT);
	uint64_t root = block >> LEAF_SHIFT >> MID_SHIFT;

	if (root >= sizeof(t->root) / sizeof(t->root[0]))
		return;
	struct mid *mid = child(&t->root[root], sizeof(*mid));
	if (!mid)
		return;
	uint64_t in_mid = (block >> LEAF_SHIFT) % (1u << MID_SHIFT);
	struct leaf *leaf = child(&mid->leaves[in_mid], sizeof(*leaf));
	if (!leaf)
		return;
	_Atomic uint64_t *word = &leaf->words[in_leaf / 64];
	if (atomic_load_explicit(word, memory_order_relaxed) & bit)
		return;
	if (!(atomic_fetch_or_explicit(word, bit, memory_order_relaxed) & bit))
		atomic_fetch_add_explicit(&t->nr_blocks, 1,
			memory_order_relaxed);
}

void
dfmt_touched_mark(struct dfmt_touched *t, uint64_t off, uint64_t len)
{
	if (!len)
		return;
	uint64_t last = (off + len - 1) >> BLOCK_SHIFT;

	for (uint64_t block = off >> BLOCK_SHIFT; block <= last; block++)
		mark_block(t, block);
}

void
dfmt_touched_fini(struct dfmt_touched *t)
{
	for (size_t i = 0; i < sizeof(t->root) / sizeof(t->root[0]); i++) {
		struct mid *mid = atomic_load(&t->root[i]);

		if (!mid)
			continue;
		for (size_t k = 0; k < 1u << MID_SHIFT; k++)
			free(atomic_load(&mid->leaves[k]));
		free(mid);
	}
}
