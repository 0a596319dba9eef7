/* SPDX-License-Identifier: MIT */
/*
 * For tests only: builds native dumps in memory, straight from the byte tables
 * of docs/DUMPFORMAT.md.  It shares no code and no structure with the reader or
 * the writer, or they could agree on a mistake.
 */
#ifndef DFMT_NATIVE_BUILD_H
#define DFMT_NATIVE_BUILD_H

#include <lz4.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NB_FRAME ((size_t)4096)

struct nb_entry {
	uint32_t class;
	uint64_t first, last, off, total, nr;
};

struct nb {
	uint8_t *buf;
	size_t len, room;
	size_t base; /* where the dump begins in buf */
	uint8_t id[16], uuid[16];
	uint64_t seq, generation, range_len, end_pfn, nr_frames;
	uint32_t align, block_frames, panic_cpu;
	int codec; /* of blocks: 0, 1 LZ4 */
	struct nb_entry entries[4096];
	size_t nr_entries;
	uint64_t meta_end, counts[4];
	uint64_t last_off; /* of the segment made last */
};

/* A frame to be put into a pages segment. */
struct nb_frame {
	uint64_t pfn;
	uint32_t kind; /* 0 data, 1 fill, 2 repeat, 3 lost */
	uint64_t arg;
	const uint8_t *data;
};

static inline void
nb_put(uint8_t *p, uint64_t v, int len)
{
	for (int i = 0; i < len; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static inline uint64_t
nb_get(const uint8_t *p, int len)
{
	uint64_t v = 0;

	for (int i = len; i-- > 0;)
		v = v << 8 | p[i];
	return v;
}

/* By four bits a step: short, and of nobody's making but its own. */
static inline uint32_t
nb_crc(const uint8_t *p, size_t len)
{
	uint32_t t[16], crc = ~0u;

	for (uint32_t i = 0; i < 16; i++) {
		t[i] = i;
		for (int k = 0; k < 4; k++)
			t[i] = t[i] & 1 ? t[i] >> 1 ^ 0x82f63b78u : t[i] >> 1;
	}
	for (size_t i = 0; i < len; i++) {
		crc = t[(crc ^ p[i]) & 15] ^ crc >> 4;
		crc = t[(crc ^ p[i] >> 4) & 15] ^ crc >> 4;
	}
	return ~crc;
}

static inline uint8_t *
nb_room(struct nb *b, size_t len)
{
	while (b->len + len > b->room) {
		size_t room = b->room ? 2 * b->room : 1u << 20;

		b->buf = realloc(b->buf, room);
		if (!b->buf)
			abort();
		memset(b->buf + b->room, 0, room - b->room);
		b->room = room;
	}
	uint8_t *p = b->buf + b->len;
	b->len += len;
	return p;
}

static inline struct nb *
nb_new(void)
{
	struct nb *b = calloc(1, sizeof(*b));

	if (!b)
		abort();
	for (int i = 0; i < 16; i++)
		b->id[i] = (uint8_t)(0xa0 + i);
	b->align = 512;
	b->block_frames = 4;
	b->codec = 1;
	b->generation = 7;
	b->panic_cpu = 0xffffffff;
	b->end_pfn = 1u << 20;
	return b;
}

static inline void
nb_free(struct nb *b)
{
	if (b)
		free(b->buf);
	free(b);
}

/* Recomputes a header's checksum, after a test has changed the header. */
static inline void
nb_header_fix(uint8_t *h)
{
	nb_put(h + 124, nb_crc(h, 124), 4);
}

/* A segment around a payload; total 0: as long as it needs. */
static inline uint64_t
nb_seg(struct nb *b, uint32_t type, const void *payload, size_t len,
	size_t crc_len, size_t total)
{
	uint64_t off = b->len - b->base;

	if (!total)
		total = (128 + len + b->align - 1) / b->align * b->align;
	uint8_t *h = nb_room(b, total);
	memset(h, 0, total);
	memcpy(h, "\x8dmdbSEG\n", 8);
	nb_put(h + 8, 1, 2);
	nb_put(h + 10, 128, 2);
	nb_put(h + 12, type, 2);
	memcpy(h + 16, b->id, 16);
	nb_put(h + 32, b->seq++, 8);
	nb_put(h + 40, off, 8);
	nb_put(h + 48, total, 8);
	nb_put(h + 56, len, 8);
	nb_put(h + 64, len, 8);
	nb_put(h + 72, crc_len, 4);
	nb_put(h + 76, nb_crc(payload, crc_len), 4);
	memcpy(h + 128, payload, len);
	nb_header_fix(h);
	b->last_off = off;
	if (type >= 2 && type <= 6)
		b->meta_end = b->len - b->base;
	return off;
}

/* ---- triage ------------------------------------------------------------- */

struct nb_items {
	uint8_t bytes[60000];
	size_t len;
};

static inline void
nb_item(struct nb_items *it, uint32_t type, const void *data, size_t len)
{
	uint8_t *p = it->bytes + it->len;

	memset(p, 0, 16);
	nb_put(p, type, 2);
	nb_put(p + 4, len, 4);
	nb_put(p + 8, nb_crc(data, len), 4);
	memcpy(p + 16, data, len);
	it->len += 16 + (len + 7) / 8 * 8;
}

static inline void
nb_triage(struct nb *b, const struct nb_items *it)
{
	static uint8_t p[61312];
	size_t items = it ? it->len : 0;

	memset(p, 0, sizeof(p));
	nb_put(p, b->generation, 8);
	nb_put(p + 8, 1700000000, 8);
	nb_put(p + 16, 500, 4);
	nb_put(p + 20, 62, 4);
	nb_put(p + 24, 64, 4);
	nb_put(p + 28, 12, 4);
	nb_put(p + 32, b->align, 4);
	nb_put(p + 36, b->block_frames, 4);
	nb_put(p + 40, b->end_pfn, 8);
	nb_put(p + 48, b->nr_frames, 8);
	nb_put(p + 56, 2, 4);
	nb_put(p + 60, b->panic_cpu, 4);
	nb_put(p + 64, 0xffffffff, 4);
	nb_put(p + 68, 0x5f, 4);
	memcpy(p + 72, b->uuid, 16);
	nb_put(p + 88, b->range_len, 8);
	nb_put(p + 96, 31, 4);
	nb_put(p + 100, items, 4);
	nb_put(p + 120, 128, 4);
	nb_put(p + 124, nb_crc(p, 124), 4);
	if (items)
		memcpy(p + 128, it->bytes, items);
	nb_seg(b, 1, p, 128 + items, 128 + items, 61440);
}

/* ---- meta --------------------------------------------------------------- */

static inline void
nb_cpu(uint8_t *p, uint32_t id, uint32_t flags, uint64_t rip)
{
	memset(p, 0, 320);
	nb_put(p, id, 4);
	nb_put(p + 4, flags, 4);
	nb_put(p + 16 + 16 * 8, rip, 8);
}

static inline void
nb_range(struct nb *b, const uint64_t (*ranges)[3], size_t nr)
{
	uint8_t *p = calloc(nr + 1, 32);

	if (!p)
		abort();
	for (size_t i = 0; i < nr; i++) {
		nb_put(p + 32 * i, ranges[i][0], 8);
		nb_put(p + 32 * i + 8, ranges[i][1], 8);
		nb_put(p + 32 * i + 16, ranges[i][2], 8);
		nb_put(p + 32 * i + 24, 1, 4);
	}
	nb_seg(b, 4, p, 32 * nr, 32 * nr, 0);
	free(p);
}

/* A blob in pieces of at most piece bytes, coded or not. */
static inline void
nb_blob(struct nb *b, uint32_t object, uint32_t kind, const void *data,
	size_t len, size_t piece, bool lz4)
{
	uint8_t *p = malloc(32 + (size_t)LZ4_compressBound((int)piece));

	if (!p)
		abort();
	for (size_t off = 0; off < len || off == 0; off += piece) {
		size_t n = len - off < piece ? len - off : piece, stored = n;

		memset(p, 0, 32);
		nb_put(p, object, 4);
		nb_put(p + 4, kind, 4);
		nb_put(p + 8, len, 8);
		nb_put(p + 16, off, 8);
		if (lz4)
			stored = (size_t)LZ4_compress_default(
				(const char *)data + off, (char *)p + 32,
				(int)n, LZ4_compressBound((int)piece));
		else if (n)
			memcpy(p + 32, (const uint8_t *)data + off, n);
		nb_seg(b, 6, p, 32 + stored, 32 + stored, 0);
		uint8_t *h = b->buf + b->base + b->last_off;
		nb_put(h + 64, n, 8);
		nb_put(h + 80, lz4, 2);
		nb_header_fix(h);
	}
	free(p);
}

/* ---- pages -------------------------------------------------------------- */

static inline size_t
nb_runs(struct nb *b, uint8_t *runs, const struct nb_frame *f, size_t nr,
	size_t *nr_data)
{
	size_t nr_runs = 0, data = 0;

	for (size_t i = 0; i < nr; i++) {
		uint8_t *last = runs + 16 * (nr_runs ? nr_runs - 1 : 0);
		uint64_t arg = f[i].kind == 0 ? data++ : f[i].arg;
		uint64_t count = nr_runs ? nb_get(last + 4, 4) & 0xfffffff : 0;
		uint64_t rel = f[i].pfn - f[0].pfn;
		uint64_t next = nb_get(last + 8, 8);

		if (f[i].kind == 0 || f[i].kind == 2)
			next += count;
		b->counts[f[i].kind]++;
		if (nr_runs && nb_get(last + 4, 4) >> 28 == f[i].kind &&
			next == arg && nb_get(last, 4) + count == rel) {
			nb_put(last + 4, nb_get(last + 4, 4) + 1, 4);
			continue;
		}
		last = runs + 16 * nr_runs++;
		nb_put(last, rel, 4);
		nb_put(last + 4, 1 | f[i].kind << 28, 4);
		nb_put(last + 8, arg, 8);
	}
	*nr_data = data;
	return nr_runs;
}

/* One block; its record at rec, its bytes appended to data. */
static inline size_t
nb_block(const struct nb *b, uint8_t *rec, const uint8_t *raw, size_t nr,
	uint8_t *data, size_t at)
{
	size_t raw_len = nr * NB_FRAME, len = 0;
	bool coded = false;

	if (b->codec == 1) {
		len = (size_t)LZ4_compress_default((const char *)raw,
			(char *)data + at, (int)raw_len, (int)raw_len - 1);
		coded = len != 0;
	}
	if (!coded) {
		memcpy(data + at, raw, raw_len);
		len = raw_len;
	}
	nb_put(rec, at, 4);
	nb_put(rec + 4, len, 4);
	nb_put(rec + 8, nb_crc(data + at, len), 4);
	nb_put(rec + 12, coded, 2);
	nb_put(rec + 14, nr, 2);
	return len;
}

static inline void
nb_pages(struct nb *b, uint32_t class, const struct nb_frame *f, size_t nr)
{
	uint8_t *runs = calloc(nr + 1, 16), *blocks = calloc(nr + 1, 16);
	uint8_t *data = malloc(nr * NB_FRAME + 1);
	uint8_t *raw = malloc(b->block_frames * NB_FRAME);
	size_t nr_data, nr_blocks = 0, held = 0, len = 0;

	if (!runs || !blocks || !data || !raw)
		abort();
	size_t nr_runs = nb_runs(b, runs, f, nr, &nr_data);
	for (size_t i = 0; i <= nr; i++) {
		if (held == b->block_frames || (i == nr && held)) {
			len += nb_block(b, blocks + 16 * nr_blocks++, raw, held,
				data, len);
			held = 0;
		}
		if (i < nr && f[i].kind == 0)
			memcpy(raw + NB_FRAME * held++, f[i].data, NB_FRAME);
	}
	size_t tables = 64 + 16 * (nr_runs + nr_blocks);
	uint8_t *p = calloc(1, tables + len);
	if (!p)
		abort();
	nb_put(p, f[0].pfn, 8);
	nb_put(p + 8, f[nr - 1].pfn, 8);
	nb_put(p + 16, nr_runs, 4);
	nb_put(p + 20, nr_blocks, 4);
	nb_put(p + 24, nr, 4);
	nb_put(p + 28, nr_data, 4);
	nb_put(p + 32, tables, 4);
	nb_put(p + 36, class, 4);
	nb_put(p + 40, b->block_frames, 4);
	memcpy(p + 64, runs, 16 * nr_runs);
	memcpy(p + 64 + 16 * nr_runs, blocks, 16 * nr_blocks);
	memcpy(p + tables, data, len);
	uint64_t off = nb_seg(b, 7, p, tables + len, tables, 0);
	b->entries[b->nr_entries++] = (struct nb_entry){ class, f[0].pfn,
		f[nr - 1].pfn, off, b->len - b->base - off, nr };
	free(p);
	free(raw);
	free(data);
	free(blocks);
	free(runs);
}

/* ---- index and end ------------------------------------------------------ */

/* One level over entries [from, to), fan a node; returns how many nodes. */
static inline size_t
nb_level(struct nb *b, uint32_t class, uint32_t level, struct nb_entry *e,
	size_t nr, size_t fan, struct nb_entry *up)
{
	uint8_t *p = malloc(16 + 32 * fan);
	size_t nr_up = 0;

	if (!p)
		abort();
	for (size_t i = 0; i < nr; i += fan) {
		size_t n = nr - i < fan ? nr - i : fan;
		uint64_t frames = 0;

		memset(p, 0, 16);
		nb_put(p, level, 4);
		nb_put(p + 4, n, 4);
		nb_put(p + 8, class, 4);
		for (size_t k = 0; k < n; k++) {
			uint8_t *q = p + 16 + 32 * k;

			nb_put(q, e[i + k].first, 8);
			nb_put(q + 8, e[i + k].last, 8);
			nb_put(q + 16, e[i + k].off, 8);
			nb_put(q + 24, e[i + k].total, 4);
			nb_put(q + 28, e[i + k].nr, 4);
			frames += e[i + k].nr;
		}
		uint64_t off = nb_seg(b, 8, p, 16 + 32 * n, 16 + 32 * n, 0);
		up[nr_up++] =
			(struct nb_entry){ class, e[i].first, e[i + n - 1].last,
				off, b->len - b->base - off, frames };
	}
	free(p);
	return nr_up;
}

/* A root for each class; returns how many. */
static inline size_t
nb_index(struct nb *b, size_t fan, struct nb_entry roots[16],
	uint32_t levels[16])
{
	static struct nb_entry at[4096];
	size_t nr_roots = 0;

	for (uint32_t class = 0; class < 8; class ++) {
		uint32_t level = 0xffffffff;
		size_t nr = 0;

		for (size_t i = 0; i < b->nr_entries; i++) {
			if (b->entries[i].class == class)
				at[nr++] = b->entries[i];
		}
		while (nr > 1 || (nr == 1 && level == 0xffffffff && fan > 2))
			nr = nb_level(b, class, ++level, at, nr, fan, at);
		if (nr) {
			roots[nr_roots] = at[0];
			levels[nr_roots++] = level;
		}
	}
	return nr_roots;
}

static inline void
nb_end_payload(const struct nb *b, uint8_t *p, uint32_t status, bool indexed,
	const struct nb_entry *roots, const uint32_t *levels, size_t nr)
{
	memset(p, 0, 1000);
	nb_put(p, status, 4);
	nb_put(p + 4, indexed, 4);
	nb_put(p + 8, b->seq, 8);
	nb_put(p + 16, b->meta_end, 8);
	nb_put(p + 32, b->len - b->base + 4096, 8);
	for (int i = 0; i < 4; i++)
		nb_put(p + 40 + 8 * i, b->counts[i], 8);
	nb_put(p + 72, (b->counts[0] + b->counts[1] + b->counts[2]) * NB_FRAME,
		8);
	nb_put(p + 96, nr, 4);
	for (size_t i = 0; i < nr; i++) {
		uint8_t *q = p + 232 + 40 * i;

		nb_put(q, roots[i].class, 4);
		nb_put(q + 4, levels[i], 4);
		nb_put(q + 8, roots[i].first, 8);
		nb_put(q + 16, roots[i].last, 8);
		nb_put(q + 24, roots[i].off, 8);
		nb_put(q + 32, roots[i].total, 4);
		nb_put(q + 36, roots[i].nr, 4);
	}
	if (status)
		memcpy(p + 872, "because", 7);
}

/* Index and end segment; fan 0: no index. */
static inline void
nb_end(struct nb *b, uint32_t status, size_t fan)
{
	struct nb_entry roots[16];
	uint32_t levels[16];
	uint8_t p[1000];
	size_t nr = fan ? nb_index(b, fan, roots, levels) : 0;

	nb_end_payload(b, p, status, fan != 0, roots, levels, nr);
	nb_seg(b, 9, p, sizeof(p), sizeof(p), 4096);
}

/* ---- labels ------------------------------------------------------------- */

static inline void
nb_label(uint8_t *p, uint32_t copy, uint64_t range_len, uint64_t change)
{
	memset(p, 0, 4096);
	memcpy(p, "\x8dmdbLBL\n", 8);
	nb_put(p + 8, 1, 2);
	nb_put(p + 10, 4096, 2);
	nb_put(p + 12, copy, 4);
	memset(p + 16, 0x55, 16);
	nb_put(p + 40, range_len, 8);
	nb_put(p + 48, 512, 4);
	nb_put(p + 56, change, 8);
	memcpy(p + 104, "test", 4);
	nb_put(p + 4092, nb_crc(p, 4092), 4);
}

#endif
