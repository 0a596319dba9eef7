/* SPDX-License-Identifier: MIT */
/*
 * ORC tables: decoding an entry, telling the layouts apart, and finding the
 * entry of an address by reading only the few pages of the table needed.
 *
 * A search narrows [low, high) by turns with a guess from the addresses at
 * both ends (code is spread evenly, so two or three steps come close) and by
 * halves, so its length is bounded by the logarithm whatever the bytes say.
 * What is within one block is read at once; the last block and the last
 * answers are kept, as one walk's addresses are the next one's too.
 */
#include "mdb/stack/orc.h"

#include "mdb/base/alloc.h"
#include "mdb/base/endian.h"
#include "mdb/world/world.h"

#include <stdlib.h>
#include <string.h>

#ifdef MDB_TINY
#define BLOCK_COUNT 4u
#define NR_SLOTS 2u
#else
#define BLOCK_COUNT 256u
#define NR_SLOTS 512u
#endif

/* No kernel text is larger than this many entries of code. */
#define MAX_ENTRIES (1u << 26)

struct slot {
	mdb_addr_t ip; /* 0: empty */
	struct mdb_orc_entry entry;
};

struct mdb_orc {
	struct mdb_space *space;
	enum mdb_orc_layout layout;
	mdb_addr_t ip_addr, entry_addr;
	uint64_t count;
	mdb_addr_t lookup_addr; /* 0: none */
	mdb_addr_t lookup_base;
	mdb_addr_t first_ip, last_ip; /* of the first and last entry */
	bool have_ends;
	uint64_t block_first; /* index of block[0] */
	size_t block_count;   /* 0: nothing read yet */
	uint8_t block[BLOCK_COUNT * 4];
	struct slot slots[NR_SLOTS];
};

/* Old numbers (to 6.x) and new ones (7.x) of the registers. */
static const uint8_t bases[2][16] = {
	{
		MDB_ORC_BASE_UNDEFINED,
		MDB_ORC_BASE_PREV_SP,
		MDB_ORC_BASE_DX,
		MDB_ORC_BASE_DI,
		MDB_ORC_BASE_BP,
		MDB_ORC_BASE_SP,
		MDB_ORC_BASE_R10,
		MDB_ORC_BASE_R13,
		MDB_ORC_BASE_BP_INDIRECT,
		MDB_ORC_BASE_SP_INDIRECT,
		MDB_ORC_BASE_BAD,
		MDB_ORC_BASE_BAD,
		MDB_ORC_BASE_BAD,
		MDB_ORC_BASE_BAD,
		MDB_ORC_BASE_BAD,
		MDB_ORC_BASE_BAD,
	},
	{
		MDB_ORC_BASE_UNDEFINED,
		MDB_ORC_BASE_AX,
		MDB_ORC_BASE_DX,
		MDB_ORC_BASE_SP,
		MDB_ORC_BASE_BP,
		MDB_ORC_BASE_DI,
		MDB_ORC_BASE_R10,
		MDB_ORC_BASE_R13,
		MDB_ORC_BASE_PREV_SP,
		MDB_ORC_BASE_SP_INDIRECT,
		MDB_ORC_BASE_BP_INDIRECT,
		MDB_ORC_BASE_BAD,
		MDB_ORC_BASE_BAD,
		MDB_ORC_BASE_BAD,
		MDB_ORC_BASE_BAD,
		MDB_ORC_BASE_BAD,
	},
};

/*
 * SHA-1 over the definitions as scripts/orc_hash.sh takes them; computed from
 * the headers of Debian's 6.12 and 7.x kernels and found in their images.
 */
static const struct {
	uint8_t hash[MDB_ORC_HASH_LEN];
	enum mdb_orc_layout layout;
} known_hashes[] = {
	{
		{ 0xfe, 0x5d, 0x32, 0xbf, 0x58, 0x1b, 0xd6, 0x3b, 0x2c, 0xa9,
			0xa5, 0xc6, 0x5b, 0xa5, 0xa6, 0x25, 0xea, 0xb3, 0xfe,
			0x24 },
		MDB_ORC_LAYOUT_3BIT,
	},
	{
		{ 0x13, 0x7c, 0x36, 0xad, 0x76, 0x27, 0xc4, 0xdd, 0x55, 0x93,
			0x21, 0x76, 0xbb, 0x0e, 0xcd, 0xbd, 0x50, 0x41, 0xfc,
			0x82 },
		MDB_ORC_LAYOUT_3BIT_AX,
	},
};

/* ---- entries ------------------------------------------------------------- */

static enum mdb_orc_type
type_of_2bit(unsigned int bits, const struct mdb_orc_entry *entry)
{
	static const enum mdb_orc_type types[4] = { MDB_ORC_CALL, MDB_ORC_REGS,
		MDB_ORC_REGS_PARTIAL, MDB_ORC_UNDEFINED };

	/* Bit 10 is "end" until 6.2 and "signal" in 6.3, whose end is bit 11:
	 * an entry without a base for sp can only mean the former. */
	if (entry->sp_base == MDB_ORC_BASE_UNDEFINED)
		return bits & 0xc00 ? MDB_ORC_END : MDB_ORC_UNDEFINED;
	return types[bits >> 8 & 3];
}

static enum mdb_orc_type
type_of_3bit(unsigned int bits)
{
	static const enum mdb_orc_type types[8] = { MDB_ORC_UNDEFINED,
		MDB_ORC_END, MDB_ORC_CALL, MDB_ORC_REGS, MDB_ORC_REGS_PARTIAL,
		MDB_ORC_UNDEFINED, MDB_ORC_UNDEFINED, MDB_ORC_UNDEFINED };

	return types[bits >> 8 & 7];
}

void
mdb_orc_decode(enum mdb_orc_layout layout, const uint8_t *bytes,
	struct mdb_orc_entry *entry_out)
{
	unsigned int bits = mdb_le16(bytes + 4);
	const uint8_t *map = bases[layout == MDB_ORC_LAYOUT_3BIT_AX];
	struct mdb_orc_entry entry = {
		.sp_offset = (int16_t)mdb_le16(bytes),
		.bp_offset = (int16_t)mdb_le16(bytes + 2),
		.sp_base = map[bits & 15],
		.bp_base = map[bits >> 4 & 15],
	};

	if (layout == MDB_ORC_LAYOUT_2BIT) {
		entry.type = type_of_2bit(bits, &entry);
		entry.signal = entry.type == MDB_ORC_REGS ||
			       entry.type == MDB_ORC_REGS_PARTIAL;
	} else {
		entry.type = type_of_3bit(bits);
		entry.signal = (bits & 0x800) != 0;
	}
	*entry_out = entry;
}

/* ---- telling the layouts apart ------------------------------------------- */

enum mdb_orc_layout
mdb_orc_layout_of_hash(const uint8_t *hash)
{
	size_t count = sizeof(known_hashes) / sizeof(known_hashes[0]);

	for (size_t i = 0; i < count; i++)
		if (memcmp(known_hashes[i].hash, hash, MDB_ORC_HASH_LEN) == 0)
			return known_hashes[i].layout;
	return MDB_ORC_LAYOUT_NONE;
}

/* Is the entry what most entries of a table in its layout are? */
static bool
is_ordinary(const struct mdb_orc_entry *entry, unsigned int bits)
{
	bool base_ok = entry->sp_base == MDB_ORC_BASE_SP ||
		       entry->sp_base == MDB_ORC_BASE_BP;

	return entry->type == MDB_ORC_CALL && base_ok && bits >> 12 == 0 &&
	       entry->sp_offset >= 8 && entry->sp_offset % 8 == 0;
}

enum mdb_orc_layout
mdb_orc_layout_guess(const uint8_t *entries, size_t count)
{
	size_t nr_used = 0;
	size_t hits[MDB_ORC_LAYOUT_3BIT_AX + 1] = { 0 };

	for (size_t i = 0; i < count; i++) {
		const uint8_t *bytes = entries + i * MDB_ORC_ENTRY_LEN;
		unsigned int bits = mdb_le16(bytes + 4);

		if (bits == 0)
			continue; /* a terminator in every layout */
		nr_used++;
		for (int l = MDB_ORC_LAYOUT_2BIT; l <= MDB_ORC_LAYOUT_3BIT_AX;
			l++) {
			struct mdb_orc_entry entry;

			mdb_orc_decode(l, bytes, &entry);
			hits[l] += is_ordinary(&entry, bits);
		}
	}
	for (int l = MDB_ORC_LAYOUT_2BIT; l <= MDB_ORC_LAYOUT_3BIT_AX; l++)
		if (nr_used >= 4 && hits[l] * 4 >= nr_used * 3)
			return l;
	return MDB_ORC_LAYOUT_NONE;
}

/*
 * A run of entries somewhere in the table decides, the middle first: the
 * others only when it cannot be read or does not tell.
 */
#define SAMPLE_COUNT 64u

static enum mdb_orc_layout
layout_of_sample(const struct mdb_object *kernel, uint64_t eighth)
{
	uint8_t bytes[SAMPLE_COUNT * MDB_ORC_ENTRY_LEN];
	uint64_t room = kernel->orc_count;
	uint64_t run = room < SAMPLE_COUNT ? room : SAMPLE_COUNT;
	uint64_t first = room / 8 * eighth;

	if (first + run > room)
		first = room - run;
	if (run == 0 || mdb_space_try(kernel->world->space,
				kernel->orc_addr + first * MDB_ORC_ENTRY_LEN,
				bytes, run * MDB_ORC_ENTRY_LEN) != MDB_OK)
		return MDB_ORC_LAYOUT_NONE;
	return mdb_orc_layout_guess(bytes, run);
}

static enum mdb_orc_layout
layout_of_samples(const struct mdb_object *kernel)
{
	static const uint8_t eighths[] = { 4, 2, 6, 3, 5, 1, 7 };
	enum mdb_orc_layout layout = MDB_ORC_LAYOUT_NONE;

	for (size_t i = 0; i < sizeof(eighths) && layout == MDB_ORC_LAYOUT_NONE;
		i++)
		layout = layout_of_sample(kernel, eighths[i]);
	return layout;
}

enum mdb_orc_layout
mdb_orc_layout_detect(const struct mdb_object *kernel, bool *by_hash_out)
{
	uint8_t hash[MDB_ORC_HASH_LEN];
	enum mdb_orc_layout layout = MDB_ORC_LAYOUT_NONE;

	*by_hash_out = false;
	if (kernel->orc_addr == 0 || kernel->orc_ip_addr == 0)
		return MDB_ORC_LAYOUT_NONE;
	if (kernel->orc_header_addr != 0 &&
		mdb_space_try(kernel->world->space, kernel->orc_header_addr,
			hash, sizeof(hash)) == MDB_OK)
		layout = mdb_orc_layout_of_hash(hash);
	if (layout == MDB_ORC_LAYOUT_NONE)
		return layout_of_samples(kernel);
	*by_hash_out = true;
	return layout;
}

/* ---- a table ------------------------------------------------------------- */

struct mdb_orc *
mdb_orc_create(const struct mdb_object *object, enum mdb_orc_layout layout)
{
	struct mdb_orc *orc = mdb_xalloc(sizeof(*orc));

	orc->space = object->world->space;
	orc->layout = layout;
	orc->ip_addr = object->orc_ip_addr;
	orc->entry_addr = object->orc_addr;
	if (orc->ip_addr != 0 && orc->entry_addr != 0 &&
		object->orc_count <= MAX_ENTRIES)
		orc->count = object->orc_count;
	/* The kernel's own has its fast index right behind it. */
	if (object == object->world->objects) {
		orc->lookup_base = object->base;
		orc->lookup_addr =
			(orc->entry_addr + orc->count * MDB_ORC_ENTRY_LEN + 3) &
			~(mdb_addr_t)3;
	}
	return orc;
}

void
mdb_orc_destroy(struct mdb_orc *orc)
{
	free(orc);
}

static mdb_addr_t
ip_of(const struct mdb_orc *orc, uint64_t index, const uint8_t *bytes)
{
	return orc->ip_addr + index * 4 +
	       (uint64_t)(int64_t)(int32_t)mdb_le32(bytes);
}

static enum mdb_status
read_ip(struct mdb_orc *orc, uint64_t index, mdb_addr_t *ip_out)
{
	uint8_t bytes[4];
	enum mdb_status st = mdb_space_try(orc->space, orc->ip_addr + index * 4,
		bytes, sizeof(bytes));

	if (st == MDB_OK)
		*ip_out = ip_of(orc, index, bytes);
	return st;
}

static enum mdb_status
read_ends(struct mdb_orc *orc)
{
	enum mdb_status st;

	if (orc->have_ends)
		return MDB_OK;
	st = read_ip(orc, 0, &orc->first_ip);
	if (st == MDB_OK)
		st = read_ip(orc, orc->count - 1, &orc->last_ip);
	orc->have_ends = st == MDB_OK;
	return st;
}

/* [low, high): the entry sought is at or after low and before high. */
struct range {
	uint64_t low, high;
	mdb_addr_t low_ip, high_ip;
};

/* An index strictly within the range, where ip should be. */
static uint64_t
probe_of(const struct range *r, mdb_addr_t ip, bool halve)
{
	uint64_t span = r->high - r->low;
	uint64_t code = r->high_ip - r->low_ip;
	uint64_t at = span / 2;

	/* MAX_ENTRIES and 32 bits of code keep the product in 64 bits. */
	if (!halve && code >> 32 == 0 && ip - r->low_ip < code)
		at = span * (ip - r->low_ip) / code;
	if (at == 0)
		at = 1;
	return r->low + (at < span ? at : span - 1);
}

static enum mdb_status
narrow(struct mdb_orc *orc, mdb_addr_t ip, struct range *r)
{
	bool halve = false;

	while (r->high - r->low > BLOCK_COUNT) {
		uint64_t at = probe_of(r, ip, halve);
		uint64_t before = r->high - r->low;
		mdb_addr_t at_ip;
		enum mdb_status st = read_ip(orc, at, &at_ip);

		if (st != MDB_OK)
			return st;
		if (at_ip <= ip) {
			r->low = at;
			r->low_ip = at_ip;
		} else {
			r->high = at;
			r->high_ip = at_ip;
		}
		/* Where the guess left much, take the half next time. */
		halve = r->high - r->low > before / 2 && !halve;
	}
	return MDB_OK;
}

static enum mdb_status
read_block(struct mdb_orc *orc, const struct range *r)
{
	size_t count = (size_t)(r->high - r->low);
	enum mdb_status st = mdb_space_try(orc->space,
		orc->ip_addr + r->low * 4, orc->block, count * 4);

	orc->block_count = st == MDB_OK ? count : 0;
	orc->block_first = r->low;
	return st;
}

/* The last of the block's entries that begins at or before ip. */
static bool
search_block(const struct mdb_orc *orc, mdb_addr_t ip, uint64_t *index_out)
{
	size_t low = 0, high = orc->block_count;
	uint64_t first = orc->block_first;

	if (high == 0 || ip_of(orc, first, orc->block) > ip)
		return false;
	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (ip_of(orc, first + mid, orc->block + mid * 4) <= ip)
			low = mid;
		else
			high = mid;
	}
	*index_out = first + low;
	/* At the end of the block the next one may begin before ip too. */
	return low + 1 < orc->block_count;
}

/*
 * Linux keeps, for each 256 bytes of code, the index of the entry at its
 * start (orc_lookup, arch/x86/include/asm/orc_lookup.h).  Nothing says where
 * that index is, so what it gives is taken only if it is right.
 */
static bool
search_by_index(struct mdb_orc *orc, mdb_addr_t ip, uint64_t *index_out)
{
	uint64_t block = (ip - orc->lookup_base) >> 8;
	struct range r = { 0 };
	uint8_t bytes[8];

	if (orc->lookup_addr == 0 || ip < orc->lookup_base ||
		block >= orc->count ||
		mdb_space_try(orc->space, orc->lookup_addr + block * 4, bytes,
			sizeof(bytes)) != MDB_OK)
		return false;
	r.low = mdb_le32(bytes);
	r.high = (uint64_t)mdb_le32(bytes + 4) + 2;
	if (r.high > orc->count || r.low >= r.high ||
		r.high - r.low > BLOCK_COUNT || read_block(orc, &r) != MDB_OK)
		return false;
	return search_block(orc, ip, index_out);
}

static enum mdb_status
find_index(struct mdb_orc *orc, mdb_addr_t ip, uint64_t *index_out)
{
	struct range r = { 0, orc->count, 0, 0 };
	enum mdb_status st;

	if (search_block(orc, ip, index_out) ||
		search_by_index(orc, ip, index_out))
		return MDB_OK;
	st = read_ends(orc);
	if (st != MDB_OK)
		return st;
	if (ip < orc->first_ip)
		return MDB_E_NOTFOUND;
	r.low_ip = orc->first_ip;
	r.high_ip = orc->last_ip;
	st = narrow(orc, ip, &r);
	if (st == MDB_OK)
		st = read_block(orc, &r);
	if (st != MDB_OK)
		return st;
	*index_out = r.low;
	(void)search_block(orc, ip, index_out);
	return MDB_OK;
}

enum mdb_status
mdb_orc_find(struct mdb_orc *orc, mdb_addr_t ip,
	struct mdb_orc_entry *entry_out)
{
	struct slot *slot = &orc->slots[(ip ^ ip >> 9) % NR_SLOTS];
	uint8_t bytes[MDB_ORC_ENTRY_LEN];
	uint64_t index;
	enum mdb_status st;

	if (slot->ip == ip && ip != 0) {
		*entry_out = slot->entry;
		return MDB_OK;
	}
	if (orc->count == 0 || orc->layout == MDB_ORC_LAYOUT_NONE)
		return MDB_E_NOTFOUND;
	st = find_index(orc, ip, &index);
	if (st != MDB_OK)
		return st;
	st = mdb_space_try(orc->space,
		orc->entry_addr + index * MDB_ORC_ENTRY_LEN, bytes,
		sizeof(bytes));
	if (st != MDB_OK)
		return st;
	mdb_orc_decode(orc->layout, bytes, &slot->entry);
	slot->ip = ip;
	*entry_out = slot->entry;
	return MDB_OK;
}
