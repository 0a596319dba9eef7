/* SPDX-License-Identifier: MIT */
/*
 * Which layout the kallsyms tables have and where each of them lies.
 *
 * Nothing is believed because of a release: each layout is tried, and taken
 * only if the names end where the markers begin, walking a block of names
 * ends at the next marker, and the addresses ascend inside the kernel image.
 */
#include "mdb/base/alloc.h"
#include "mdb/base/endian.h"
#include "mdb/sym/kallsyms_table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* An image is smaller than this: all tables and symbols are that close. */
#define IMAGE_MAX (1ull << 30)

/* How far before the tokens the markers are sought: 6.2's seqs lie between. */
#define MARKERS_REACH (2u << 20)

/* Memory may be full of what looks like a table and is none. */
#define MAX_TRIES 16u

static uint64_t
align_up(uint64_t v, uint64_t align)
{
	return (v + align - 1) & ~(align - 1);
}

static bool
is_near(mdb_addr_t a, mdb_addr_t b)
{
	return a - b + IMAGE_MAX < 2 * IMAGE_MAX;
}

/* ---- names and markers ---------------------------------------------------
 */

/* As many bytes as can be read from addr on, up to two pages. */
static size_t
window_read(struct mdb_space *space, mdb_addr_t addr, uint8_t buf[8192])
{
	size_t rest = 4096 - addr % 4096;

	if (mdb_space_try(space, addr, buf, 4096 + rest) == MDB_OK)
		return 4096 + rest;
	return mdb_space_try(space, addr, buf, rest) == MDB_OK ? rest : 0;
}

/* Walks nr names from offset; where they end, or 0. */
static uint64_t
names_walk(struct mdb_space *space, mdb_addr_t names, uint64_t offset,
	uint32_t nr)
{
	uint8_t buf[8192];
	uint64_t pos = offset;
	uint64_t start = offset; /* buf has have bytes from here */
	uint64_t have = 0;

	for (uint32_t i = 0; i < nr; i++) {
		size_t n;

		if (pos + 2 > start + have) {
			start = pos;
			have = window_read(space, names + pos, buf);
		}
		if (have < 2)
			return 0;
		n = buf[pos - start];
		if (n & 0x80)
			n = 1 +
			    ((n & 0x7f) | (size_t)buf[pos - start + 1] << 7);
		if (n == 0)
			return 0;
		pos += n + 1;
	}
	return pos;
}

/* The marker array at this place, whole; NULL if it is none. */
static uint8_t *
markers_read(struct mdb_space *space, const struct mdb_kallsyms_layout *l)
{
	size_t blocks = mdb_kallsyms_nr_blocks(l);
	uint8_t *m = mdb_try_alloc(blocks, l->marker_size);
	uint64_t before = 0;

	if (m == NULL || mdb_space_try(space, l->markers, m,
				 blocks * l->marker_size) != MDB_OK) {
		free(m);
		return NULL;
	}
	for (size_t i = 0; i < blocks; i++) {
		uint64_t v = mdb_le(m + i * l->marker_size, l->marker_size);
		bool right =
			i == 0 ? v == 0
			       : v > before + 2ull * MDB_KALLSYMS_BLOCK - 1 &&
					 v - before <
						 0x4000ull * MDB_KALLSYMS_BLOCK;

		if (!right) {
			free(m);
			return NULL;
		}
		before = v;
	}
	return m;
}

/*
 * Do names and markers agree?  A block of names must end at the next marker;
 * where the number of symbols is not known for sure, also the last block at
 * the markers.
 */
static bool
names_agree(struct mdb_space *space, const struct mdb_kallsyms_layout *l,
	bool sure)
{
	MDB_AUTO_FREE uint8_t *m = markers_read(space, l);
	uint32_t last = mdb_kallsyms_nr_blocks(l) - 1;
	uint32_t rest = l->nr_syms - last * MDB_KALLSYMS_BLOCK;
	uint64_t begin, end;

	if (m == NULL)
		return false;
	if (last > 0 && names_walk(space, l->names, 0, MDB_KALLSYMS_BLOCK) !=
				mdb_le(m + l->marker_size, l->marker_size))
		return false;
	if (last > 0 && sure)
		return true;
	begin = mdb_le(m + (size_t)last * l->marker_size, l->marker_size);
	end = names_walk(space, l->names, begin, rest);
	return end != 0 && l->names + end <= l->markers &&
	       l->markers - (l->names + end) < 8;
}

/* Names and their number are known: where are the markers? */
static bool
markers_find(struct mdb_space *space, struct mdb_kallsyms_layout *l)
{
	uint64_t blocks = mdb_kallsyms_nr_blocks(l);

	for (uint32_t size = 4; size <= 8; size += 4) {
		for (unsigned int seqs = 0; seqs < 2; seqs++) {
			uint64_t gap =
				seqs ? align_up(3ull * l->nr_syms, 8) : 0;

			l->marker_size = size;
			l->markers =
				(l->token_table - gap - blocks * size) & ~7ull;
			l->seqs = seqs ? align_up(l->markers + blocks * size, 8)
				       : 0;
			if (names_agree(space, l, true))
				return true;
			l->markers += 4;
			if (size == 4 && names_agree(space, l, true))
				return true;
		}
	}
	return false;
}

/* ---- addresses -----------------------------------------------------------
 */

/* The address of symbol idx in the form of l; false if not to be read. */
static bool
address_try(struct mdb_space *space, const struct mdb_kallsyms_layout *l,
	uint32_t idx, mdb_addr_t *addr_out)
{
	size_t width = l->form == MDB_KALLSYMS_ADDRESSES ? 8 : 4;
	mdb_addr_t at = l->addresses + (uint64_t)idx * width;
	uint8_t b[8] = { 0 };
	int64_t v;

	if (mdb_space_try(space, at, b, width) != MDB_OK)
		return false;
	v = (int32_t)mdb_le32(b);
	if (l->form == MDB_KALLSYMS_ADDRESSES)
		*addr_out = mdb_le64(b);
	else if (l->form == MDB_KALLSYMS_BASE)
		*addr_out = l->relative_base + (uint32_t)v;
	else if (l->form == MDB_KALLSYMS_PLACE)
		*addr_out = at + (uint64_t)v;
	else
		*addr_out = v >= 0 ? (uint64_t)v
				   : l->relative_base - 1 - (uint64_t)v;
	return true;
}

/*
 * Samples ascend, per-CPU values first, the others inside the image.  Where
 * VMCOREINFO states this place, the ends will do.
 */
static bool
addresses_agree(struct mdb_space *space, const struct mdb_kallsyms_layout *l,
	mdb_addr_t stated)
{
	const unsigned int steps = l->addresses == stated ? 1 : 4;
	mdb_addr_t before = 0;
	mdb_addr_t addr = 0;

	for (unsigned int i = 0; i <= steps; i++) {
		uint32_t idx =
			(uint32_t)((uint64_t)(l->nr_syms - 1) * i / steps);

		if (!address_try(space, l, idx, &addr) || addr < before)
			return false;
		if (!is_near(addr, l->names) &&
			(addr >= 1u << 28 || l->form == MDB_KALLSYMS_BASE ||
				l->form == MDB_KALLSYMS_PLACE))
			return false;
		before = addr;
	}
	return is_near(addr, l->names);
}

/* Tries the forms that have a relative base, which is read from base_at. */
static bool
based_try(struct mdb_space *space, struct mdb_kallsyms_layout *l,
	mdb_addr_t base_at, mdb_addr_t stated)
{
	uint8_t b[8];

	if (mdb_space_try(space, base_at, b, 8) != MDB_OK)
		return false;
	l->relative_base = mdb_le64(b);
	if (!is_near(l->relative_base, l->names))
		return false;
	l->form = MDB_KALLSYMS_BASE_PERCPU;
	if (addresses_agree(space, l, stated))
		return true;
	l->form = MDB_KALLSYMS_BASE;
	return addresses_agree(space, l, stated);
}

static bool
plain_try(struct mdb_space *space, struct mdb_kallsyms_layout *l,
	enum mdb_kallsyms_form form, mdb_addr_t stated)
{
	l->form = form;
	l->relative_base = 0;
	return addresses_agree(space, l, stated);
}

/* Up to 6.3: addresses, relative_base, num_syms, names. */
static bool
addresses_before(struct mdb_space *space, struct mdb_kallsyms_layout *l,
	mdb_addr_t stated)
{
	mdb_addr_t nr_at = l->names - 8;

	l->addresses = (nr_at - 8 - 4ull * l->nr_syms) & ~7ull;
	if (based_try(space, l, nr_at - 8, stated))
		return true;
	l->addresses = nr_at - 8ull * l->nr_syms;
	return plain_try(space, l, MDB_KALLSYMS_ADDRESSES, stated);
}

/* Since 6.4: token_index, addresses, [relative_base], seqs. */
static bool
addresses_after(struct mdb_space *space, struct mdb_kallsyms_layout *l,
	mdb_addr_t stated)
{
	mdb_addr_t at = l->token_index + 512;

	/* 7.0 aligns to 4; where all is aligned to 8 that makes no odds. */
	for (unsigned int align = 4; align <= 8; align += 4) {
		mdb_addr_t end;

		l->addresses = align_up(at, align);
		end = align_up(l->addresses + 4ull * l->nr_syms, 8);
		l->seqs = end + 8;
		if (based_try(space, l, end, stated))
			return true;
		l->seqs = align_up(l->addresses + 4ull * l->nr_syms, align);
		if (plain_try(space, l, MDB_KALLSYMS_PLACE, stated))
			return true;
		l->seqs = l->addresses + 8ull * l->nr_syms;
		if (plain_try(space, l, MDB_KALLSYMS_ADDRESSES, stated))
			return true;
	}
	return false;
}

/*
 * Xen's table (xen/tools/symbols.c of 4.7 to 4.20): offsets from a constant of
 * the build, then the count, directly followed by the names.  Among the first
 * symbols are those of the first byte of the image's text.
 */
static bool
addresses_from(struct mdb_space *space, struct mdb_kallsyms_layout *l,
	const struct mdb_kallsyms_layout *known)
{
	mdb_addr_t addr = 0;

	l->form = MDB_KALLSYMS_BASE;
	l->relative_base = known->relative_base;
	l->seqs = 0;
	l->addresses = l->names - 4 - 4ull * l->nr_syms;
	if (!addresses_agree(space, l, 0))
		return false;
	for (uint32_t i = 0; i < 16 && i < l->nr_syms; i++)
		if (address_try(space, l, i, &addr) && addr == known->first)
			return true;
	return false;
}

/* Addresses before the names or after the tokens; a seqs table that lies
 * between markers and tokens goes with the former. */
static bool
addresses_find(struct mdb_space *space, struct mdb_kallsyms_layout *l,
	mdb_addr_t stated)
{
	const mdb_addr_t seqs = l->seqs;
	const bool before = stated != 0 && stated < l->names;

	if (before && addresses_before(space, l, stated))
		return true;
	if (addresses_after(space, l, stated))
		return true;
	l->seqs = seqs;
	return !before && addresses_before(space, l, stated);
}

enum mdb_status
mdb_kallsyms_locate(struct mdb_ctx *cx, struct mdb_space *space,
	const struct mdb_kallsyms_layout *known,
	struct mdb_kallsyms_layout *layout_out)
{
	struct mdb_kallsyms_layout l = *known;

	if (l.nr_syms < 2 || l.nr_syms > MDB_KALLSYMS_MAX_SYMS)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"kallsyms: %" PRIu32 " symbols", l.nr_syms);
	if (!markers_find(space, &l))
		return mdb_fail(cx, MDB_E_CORRUPT,
			"kallsyms: names at %#" PRIx64
			" and their markers do not agree",
			l.names);
	if (known->relative_base != 0
			? !addresses_from(space, &l, known)
			: !addresses_find(space, &l, known->addresses))
		return mdb_fail(cx, MDB_E_CORRUPT,
			"kallsyms: no table of addresses goes with the names "
			"at %#" PRIx64,
			l.names);
	*layout_out = l;
	return MDB_OK;
}

/* ---- by shape alone ------------------------------------------------------
 */

/* Length of the ascending run of markers in b, in entries. */
static size_t
markers_run(const uint8_t *b, size_t len, size_t size)
{
	uint64_t before = 0;
	size_t i;

	if (len < 2 * size || b[0] != 0 || mdb_le(b, size) != 0)
		return 0;
	for (i = 1; (i + 1) * size <= len; i++) {
		uint64_t v = mdb_le(b + i * size, size);

		if (v < before + 2ull * MDB_KALLSYMS_BLOCK ||
			v - before > 64ull * MDB_KALLSYMS_BLOCK)
			break;
		before = v;
	}
	return i;
}

/* Is there a count of symbols 8 or 4 bytes before names that fit? */
static bool
names_from_markers(struct mdb_space *space, struct mdb_kallsyms_layout *l,
	size_t blocks, uint64_t last)
{
	mdb_addr_t high = l->markers - last;
	unsigned int tries = 0;
	uint8_t b[4];

	for (mdb_addr_t at = high & ~3ull; high - at < 1u << 16; at -= 4) {
		for (unsigned int i = 4; i <= 8; i += 4) {
			uint32_t n;

			if (mdb_space_try(space, at - i, b, 4) != MDB_OK)
				return false;
			n = mdb_le32(b);
			if (n <= (blocks - 1) * MDB_KALLSYMS_BLOCK ||
				n > blocks * MDB_KALLSYMS_BLOCK)
				continue;
			if (tries++ == MAX_TRIES)
				return false;
			l->names = at;
			l->nr_syms = n;
			if (names_agree(space, l, false))
				return true;
		}
	}
	return false;
}

/* Names and count, from markers found in the bytes before the tokens. */
static bool
markers_scan(struct mdb_space *space, struct mdb_kallsyms_layout *l)
{
	MDB_AUTO_FREE uint8_t *b = mdb_xalloc(MARKERS_REACH);
	mdb_addr_t start = (l->token_table - MARKERS_REACH) & ~7ull;
	size_t len = l->token_table - start;
	unsigned int tries = 0;

	if (len > MARKERS_REACH) {
		start += 8;
		len -= 8;
	}
	for (size_t i = 0; i < len; i += 4096) {
		size_t n = len - i < 4096 ? len - i : 4096;

		if (mdb_space_try(space, start + i, b + i, n) != MDB_OK)
			memset(b + i, 0xff, n);
	}
	for (size_t at = len & ~3ull; at >= 4; at -= 4) {
		for (uint32_t size = 4; size <= 8; size += 4) {
			size_t run;

			run = markers_run(b + at - 4, len - at + 4, size);
			if (run < 4)
				continue;
			if (tries++ == MAX_TRIES)
				return false;
			l->markers = start + at - 4;
			l->marker_size = size;
			if (names_from_markers(space, l, run,
				    mdb_le(b + at - 4 + (run - 1) * size,
					    size)))
				return true;
		}
	}
	return false;
}

/* Where the strings begin whose index this is; 0: nowhere. */
static mdb_addr_t
tokens_before(struct mdb_space *space, mdb_addr_t index_at,
	const uint8_t *index)
{
	size_t last = mdb_le16(index + 510);
	uint8_t b[0x10000 + 128];
	size_t len = last + 128;
	mdb_addr_t start = index_at - len;

	if (mdb_space_try(space, start, b, len) != MDB_OK)
		return 0;
	/* The last string has a character and its NUL, at least. */
	for (size_t t = 0; t <= 126; t++) {
		size_t i;

		if ((start + t) % 4 != 0)
			continue;
		for (i = 1; i < 256; i++)
			if (b[t + mdb_le16(index + 2 * i) - 1] != 0)
				break;
		if (i == 256 && b[t] != 0 &&
			memchr(b + t + last, 0, len - t - last) != NULL)
			return start + t;
	}
	return 0;
}

static bool
looks_like_index(const uint8_t *p)
{
	uint16_t second = mdb_le16(p + 2);
	uint16_t before = 0;

	if (mdb_le16(p) != 0 || second < 1 || second > 64)
		return false;
	for (size_t i = 1; i < 256; i++) {
		uint16_t v = mdb_le16(p + 2 * i);

		if (v <= before || v > before + 128)
			return false;
		before = v;
	}
	return true;
}

static bool
index_try(struct mdb_ctx *cx, struct mdb_space *space, mdb_addr_t at,
	const uint8_t *index, struct mdb_kallsyms_layout *layout_out)
{
	struct mdb_kallsyms_layout l = *layout_out;

	l.token_index = at;
	l.token_table = tokens_before(space, at, index);
	if (l.token_table == 0 || !markers_scan(space, &l))
		return false;
	if (mdb_kallsyms_locate(cx, space, &l, layout_out) == MDB_OK)
		return true;
	mdb_forget(cx);
	return false;
}

#define INDEX_LEN 512u

/* One look at a page and what was kept of the page before it. */
struct index_scan {
	uint8_t bytes[4096 + INDEX_LEN];
	size_t len;
	mdb_addr_t addr; /* of bytes */
	unsigned int tries;
};

/* MDB_DONE: there were too many that look like it. */
static enum mdb_status
page_look(struct mdb_ctx *cx, struct mdb_space *space, struct index_scan *s,
	struct mdb_kallsyms_layout *layout_out)
{
	size_t i;

	for (i = 0; i + INDEX_LEN <= s->len; i += 4) {
		if (!looks_like_index(s->bytes + i))
			continue;
		if (index_try(cx, space, s->addr + i, s->bytes + i, layout_out))
			return MDB_OK;
		if (++s->tries == MAX_TRIES)
			return MDB_DONE;
	}
	s->len -= i;
	memmove(s->bytes, s->bytes + i, s->len);
	return MDB_E_NOTFOUND;
}

static enum mdb_status
scan(struct mdb_ctx *cx, struct mdb_space *space, mdb_addr_t start,
	mdb_addr_t end, struct mdb_kallsyms_layout *layout_out)
{
	enum mdb_status st = MDB_E_NOTFOUND;
	struct index_scan s = { 0 };

	start &= ~4095ull;
	/* The last page's end wraps to 0: that is behind the end too. */
	for (mdb_addr_t at = start;
		st == MDB_E_NOTFOUND && at < end && at >= start; at += 4096) {
		if (mdb_check_interrupt(cx) != MDB_OK)
			return MDB_E_INTERRUPTED;
		if (mdb_space_try(space, at, s.bytes + s.len, 4096) != MDB_OK) {
			s.len = 0;
			continue;
		}
		s.addr = at - s.len;
		s.len += 4096;
		st = page_look(cx, space, &s, layout_out);
	}
	if (st == MDB_OK)
		return st;
	return mdb_fail(cx, MDB_E_NOTFOUND,
		"no kallsyms tables in %#" PRIx64 "..%#" PRIx64, start, end);
}

enum mdb_status
mdb_kallsyms_scan(struct mdb_ctx *cx, struct mdb_space *space, mdb_addr_t start,
	mdb_addr_t end, struct mdb_kallsyms_layout *layout_out)
{
	struct mdb_kallsyms_layout layout = { 0 };
	enum mdb_status st = scan(cx, space, start, end, &layout);

	if (st == MDB_OK)
		*layout_out = layout;
	return st;
}

enum mdb_status
mdb_kallsyms_scan_xen(struct mdb_ctx *cx, struct mdb_space *space,
	const struct mdb_kallsyms_xen *xen,
	struct mdb_kallsyms_layout *layout_out)
{
	struct mdb_kallsyms_layout layout = { .relative_base = xen->origin,
		.first = xen->first };
	enum mdb_status st = scan(cx, space, xen->start, xen->end, &layout);

	if (st == MDB_OK)
		*layout_out = layout;
	return st;
}
