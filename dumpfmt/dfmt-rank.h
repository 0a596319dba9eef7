/* SPDX-License-Identifier: MIT */
/*
 * Rank over a bitmap in a file: how many bits are set before a given one.
 *
 * The bitmap is never held in memory.  Counts at block boundaries are, in at
 * most the budget given (the block grows to fit it), built lazily up to the
 * highest bit asked for.  Thread safe; a look-up below what is built takes no
 * lock.
 */
#ifndef DFMT_RANK_H
#define DFMT_RANK_H

#include "dfmt-source.h"

#include <pthread.h>

/* The largest block, in bytes: 2^40 frames in 1 MiB need 1 MiB blocks. */
#define DFMT_RANK_MAX_BLOCK (1u << 20)

struct dfmt_rank {
	struct dfmt_source *src;
	uint64_t offset;    /* of bit 0 in the file */
	uint64_t first;	    /* counting begins here */
	uint64_t end;	    /* exclusive */
	uint64_t base;	    /* first, rounded down to a block */
	unsigned int shift; /* log2 of bits in a block */
	uint64_t *counts;   /* [k]: set bits in [first, base + (k << shift)) */
	uint64_t nr_blocks;
	_Atomic uint64_t nr_built;
	pthread_mutex_t lock;
};

/* src, offset, first and end are the caller's to set; budget in bytes. */
enum dfmt_status dfmt_rank_init(struct dfmt_rank *r, size_t budget,
	struct dfmt_err *err);
void dfmt_rank_fini(struct dfmt_rank *r);

/* bit must lie in [first, end).  The rank is only found when it is set. */
enum dfmt_status dfmt_rank_find(struct dfmt_rank *r, uint64_t bit,
	bool *set_out, uint64_t *rank_out, struct dfmt_err *err);

/* The number of bits set in [first, end). */
enum dfmt_status dfmt_rank_total(struct dfmt_rank *r, uint64_t *total_out,
	struct dfmt_err *err);

/* Set bits among the first nr_bits of p, which is padded to 8 bytes. */
uint64_t dfmt_popcount(const uint8_t *p, uint64_t nr_bits);

/* The same of those that are not set in minus (padded alike; may be NULL). */
uint64_t dfmt_popcount_minus(const uint8_t *p, const uint8_t *minus,
	uint64_t nr_bits);

#endif
