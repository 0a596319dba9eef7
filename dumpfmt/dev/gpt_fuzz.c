/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the partition table: the input is a disk's beginning, its first byte
 * the sectors' length.  What is found must lie on the disk, apart from all
 * else.
 */
#include "dfmt-gpt.h"

#include <stdlib.h>
#include <string.h>

#define NR_SECTORS 100000u
#define DISK_LEN (8192u + 4096u + DFMT_GPT_ENTRIES_MAX)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Checksums are made right now and then: else nothing gets past them. */
static uint32_t
crc32(const uint8_t *b, size_t len)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		crc ^= b[i];
		for (uint32_t k = 0; k < 8; k++)
			crc = crc >> 1 ^ (0xedb88320u & -(crc & 1));
	}
	return ~crc;
}

static void
mend(uint8_t *disk, uint32_t sector)
{
	uint8_t *h = disk + sector;
	uint64_t at;
	uint32_t nr, len, crc;

	memcpy(&at, h + 72, 8);
	memcpy(&nr, h + 80, 4);
	memcpy(&len, h + 84, 4);
	if (at < DISK_LEN / sector && len && nr <= DFMT_GPT_ENTRIES_MAX / len &&
		at * sector + (size_t)nr * len <= DISK_LEN) {
		crc = crc32(disk + at * sector, (size_t)nr * len);
		memcpy(h + 88, &crc, 4);
	}
	memset(h + 16, 0, 4);
	memcpy(&len, h + 12, 4);
	if (len <= sector) {
		crc = crc32(h, len);
		memcpy(h + 16, &crc, 4);
	}
}

static void
check(const struct dfmt_gpt *g, const uint8_t *entries)
{
	struct dfmt_gpt_part p = { 0 };
	uint64_t end = 0, begin = UINT64_MAX;
	uint32_t nr = 0;

	for (; dfmt_gpt_next(g, entries, &p); nr++) {
		if (nr > g->nr_entries || p.number > g->nr_entries)
			abort();
		if (p.nr_sectors == 0 || p.first < 2 || p.first >= NR_SECTORS ||
			p.nr_sectors > NR_SECTORS - p.first)
			abort();
		if (p.first < end && p.first + p.nr_sectors > begin && nr == 1)
			abort();
		begin = p.first;
		end = p.first + p.nr_sectors;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *disk, *entries;
	struct dfmt_gpt g;
	uint32_t sector;

	if (len == 0)
		return 0;
	disk = calloc(1, DISK_LEN);
	if (disk == NULL)
		abort();
	sector = data[0] & 1 ? 4096 : 512;
	memcpy(disk, data + 1, len - 1 < DISK_LEN ? len - 1 : DISK_LEN);
	if (data[0] & 2)
		mend(disk, sector);
	if (dfmt_gpt_header(&g, disk, disk + sector, sector, NR_SECTORS) ==
			NULL &&
		g.entries_at < DISK_LEN / sector) {
		/* As long as it says, not a byte more. */
		size_t at = g.entries_at * sector, n = g.entries_len;

		entries = calloc(1, n);
		if (entries == NULL)
			abort();
		memcpy(entries, disk + at,
			n < DISK_LEN - at ? n : DISK_LEN - at);
		if (dfmt_gpt_entries(&g, entries) == NULL)
			check(&g, entries);
		free(entries);
	}
	free(disk);
	return 0;
}
