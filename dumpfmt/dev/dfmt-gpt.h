/* SPDX-License-Identifier: MIT */
/*
 * Partitions that are for dumps, in a GUID partition table: UEFI 2.10, 5.2.3
 * (protective MBR), 5.3.2 (header), 5.3.3 (entries).  Freestanding C.
 *
 * The primary table only: one that has to be mended first is no place to trust
 * at a panic.  Any doubt about any part of it is one about all of it.
 */
#ifndef DFMT_GPT_H
#define DFMT_GPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The type of a partition for dumps: A603C4B7-7329-4982-9FD4-5527125F229E. */
#define DFMT_GPT_TYPE                                                       \
	{                                                                   \
		0xb7, 0xc4, 0x03, 0xa6, 0x29, 0x73, 0x82, 0x49, 0x9f, 0xd4, \
			0x55, 0x27, 0x12, 0x5f, 0x22, 0x9e                  \
	}

/* The most that all entries take; the usual table of 128 fits. */
#define DFMT_GPT_ENTRIES_MAX (16u << 10)

struct dfmt_gpt {
	uint64_t entries_at;  /* sector */
	uint32_t entries_len; /* bytes, at most DFMT_GPT_ENTRIES_MAX */
	uint32_t entry_len, nr_entries;
	uint32_t entries_crc;
	uint64_t first_usable, last_usable; /* sectors */
};

struct dfmt_gpt_part {
	uint32_t number; /* as an operating system counts: from 1 */
	uint64_t first, nr_sectors;
};

/*
 * mbr and header are the disk's first two sectors, each of sector_len bytes.
 * NULL, or one phrase: why there is no table that can be trusted.
 */
const char *dfmt_gpt_header(struct dfmt_gpt *out, const void *mbr,
	const void *header, uint32_t sector_len, uint64_t nr_sectors);

/*
 * entries: g->entries_len bytes from sector g->entries_at on.  NULL: the
 * checksum is right, every partition lies where partitions may, none on
 * another; else why not.
 */
const char *dfmt_gpt_entries(const struct dfmt_gpt *g, const void *entries);

/*
 * The next partition for dumps behind number part->number (0: the first one).
 * Only for entries that dfmt_gpt_entries found good.
 */
bool dfmt_gpt_next(const struct dfmt_gpt *g, const void *entries,
	struct dfmt_gpt_part *part);

#endif
