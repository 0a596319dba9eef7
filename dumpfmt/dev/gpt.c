/* SPDX-License-Identifier: MIT */
#include "dfmt-gpt.h"

#include <string.h>

#define MBR_RECORDS 446u
#define MBR_RECORD_LEN 16u
#define MBR_TYPE 4u
#define MBR_SIGNATURE 510u
#define MBR_PROTECTIVE 0xeeu

#define HEADER_REVISION 0x00010000u
#define HEADER_MIN 92u
#define HEADER_CRC 16u

#define ENTRY_MIN 128u
#define ENTRY_FIRST 32u
#define ENTRY_LAST 40u

static uint64_t
number(const void *p, size_t at, uint32_t len)
{
	uint64_t v = 0;

	memcpy(&v, (const uint8_t *)p + at, len);
	return v;
}

/* CRC-32 as UEFI has it, of the bytes with those of a hole taken as zero. */
static uint32_t
crc_with_hole(const void *p, size_t len, size_t hole)
{
	const uint8_t *b = p;
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		crc ^= (i >= hole && i - hole < 4) ? 0 : b[i];
		for (uint32_t k = 0; k < 8; k++)
			crc = crc >> 1 ^ (0xedb88320u & -(crc & 1));
	}
	return ~crc;
}

/* ---- the header ---------------------------------------------------------- */

/*
 * One record that covers all, and nothing else: a table that was left behind
 * when the disk got another one has no such MBR.
 */
static bool
is_protective(const void *mbr)
{
	uint32_t nr = 0;

	if (number(mbr, MBR_SIGNATURE, 2) != 0xaa55)
		return false;
	for (uint32_t i = 0; i < 4; i++) {
		uint64_t type = number(mbr,
			MBR_RECORDS + i * MBR_RECORD_LEN + MBR_TYPE, 1);

		if (type != 0 && type != MBR_PROTECTIVE)
			return false;
		nr += type == MBR_PROTECTIVE;
	}
	return nr == 1;
}

static bool
header_is_whole(const void *h, uint32_t sector_len)
{
	uint64_t len = number(h, 12, 4);

	return memcmp(h, "EFI PART", 8) == 0 &&
	       number(h, 8, 4) == HEADER_REVISION && len >= HEADER_MIN &&
	       len <= sector_len && number(h, 24, 8) == 1 &&
	       number(h, HEADER_CRC, 4) == crc_with_hole(h, len, HEADER_CRC);
}

const char *
dfmt_gpt_header(struct dfmt_gpt *out, const void *mbr, const void *header,
	uint32_t sector_len, uint64_t nr_sectors)
{
	uint32_t nr, len;

	memset(out, 0, sizeof(*out));
	if (!is_protective(mbr))
		return "it has no partition table of GUIDs";
	if (!header_is_whole(header, sector_len))
		return "its partition table is damaged";
	nr = (uint32_t)number(header, 80, 4);
	len = (uint32_t)number(header, 84, 4);
	if (len < ENTRY_MIN || (len & (len - 1)) || nr == 0 ||
		len > DFMT_GPT_ENTRIES_MAX || nr > DFMT_GPT_ENTRIES_MAX / len)
		return "its partition table is too long";
	out->entries_at = number(header, 72, 8);
	out->entries_len = nr * len;
	out->entry_len = len;
	out->nr_entries = nr;
	out->entries_crc = (uint32_t)number(header, 88, 4);
	out->first_usable = number(header, 40, 8);
	out->last_usable = number(header, 48, 8);
	len = (out->entries_len + sector_len - 1) / sector_len;
	if (out->last_usable >= nr_sectors ||
		out->first_usable > out->last_usable || out->entries_at < 2 ||
		out->entries_at > out->first_usable ||
		len > out->first_usable - out->entries_at)
		return "its partition table contradicts itself";
	return NULL;
}

/* ---- entries ------------------------------------------------------------- */

static const uint8_t *
entry(const struct dfmt_gpt *g, const void *entries, uint32_t i)
{
	return (const uint8_t *)entries + (size_t)i * g->entry_len;
}

static bool
is_used(const uint8_t *e)
{
	static const uint8_t none[16];

	return memcmp(e, none, sizeof(none)) != 0;
}

/* Does it overlap one before it? */
static bool
overlaps(const struct dfmt_gpt *g, const void *entries, uint32_t i)
{
	const uint8_t *e = entry(g, entries, i);

	for (uint32_t k = 0; k < i; k++) {
		const uint8_t *o = entry(g, entries, k);

		if (is_used(o) &&
			number(e, ENTRY_FIRST, 8) <= number(o, ENTRY_LAST, 8) &&
			number(o, ENTRY_FIRST, 8) <= number(e, ENTRY_LAST, 8))
			return true;
	}
	return false;
}

const char *
dfmt_gpt_entries(const struct dfmt_gpt *g, const void *entries)
{
	if (crc_with_hole(entries, g->entries_len, SIZE_MAX - 4) !=
		g->entries_crc)
		return "its partition table is damaged";
	for (uint32_t i = 0; i < g->nr_entries; i++) {
		const uint8_t *e = entry(g, entries, i);

		if (!is_used(e))
			continue;
		if (number(e, ENTRY_FIRST, 8) < g->first_usable ||
			number(e, ENTRY_LAST, 8) > g->last_usable ||
			number(e, ENTRY_FIRST, 8) > number(e, ENTRY_LAST, 8))
			return "a partition lies where none may be";
		if (overlaps(g, entries, i))
			return "two of its partitions overlap";
	}
	return NULL;
}

bool
dfmt_gpt_next(const struct dfmt_gpt *g, const void *entries,
	struct dfmt_gpt_part *part)
{
	static const uint8_t ours[16] = DFMT_GPT_TYPE;

	for (uint32_t i = part->number; i < g->nr_entries; i++) {
		const uint8_t *e = entry(g, entries, i);

		if (memcmp(e, ours, sizeof(ours)) != 0)
			continue;
		part->number = i + 1;
		part->first = number(e, ENTRY_FIRST, 8);
		part->nr_sectors = number(e, ENTRY_LAST, 8) - part->first + 1;
		return true;
	}
	return false;
}
