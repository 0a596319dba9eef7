/* SPDX-License-Identifier: MIT */
/*
 * The same native dump, taken on a machine with much more memory, all of it
 * stored: for measuring how opening scales.
 *
 *   bench-grow BYTES IN OUT
 *
 * The added frames hold zeros in stored blocks, which are holes of the file; no
 * byte of the tables is missing, so every one of them can be read.
 */
#include "dfmt-crc.h"
#include "dfmt-format.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FRAME 4096u
#define BLOCK_FRAMES 8u
#define NR_BLOCKS 128u
#define SEG_FRAMES (BLOCK_FRAMES * NR_BLOCKS)
#define NODE_MAX 500u
#define LEVELS 5u

struct node {
	struct dfmt_fmt_index head;
	struct dfmt_fmt_entry entries[NODE_MAX];
};

struct grow {
	int in, out;
	struct dfmt_crc crc;
	struct dfmt_fmt_seg seg; /* of the segment written next */
	uint64_t pfn, end_pfn;
	struct node level[LEVELS];
};

static void
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("bench-grow: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(2);
}

static void
get(const struct grow *g, uint64_t off, void *buf, size_t len)
{
	if (pread(g->in, buf, len, (off_t)off) != (ssize_t)len)
		die("cannot read at %llu", (unsigned long long)off);
}

static void
put(const struct grow *g, uint64_t off, const void *buf, size_t len)
{
	if (pwrite(g->out, buf, len, (off_t)off) != (ssize_t)len)
		die("cannot write at %llu", (unsigned long long)off);
}

static void
seal(const struct grow *g, struct dfmt_fmt_seg *seg, const void *payload)
{
	seg->payload_crc = dfmt_crc32c(&g->crc, payload, seg->crc_len);
	seg->header_crc = dfmt_crc32c(&g->crc, seg,
		offsetof(struct dfmt_fmt_seg, header_crc));
}

/* Writes crc_len bytes of payload; the rest of payload_len is a hole. */
static uint64_t
emit(struct grow *g, uint16_t type, const void *payload, uint32_t crc_len,
	uint64_t payload_len)
{
	uint64_t at = g->seg.offset;
	uint64_t len = DFMT_SEG_HEADER_LEN + payload_len;

	g->seg.type = type;
	g->seg.crc_len = crc_len;
	g->seg.payload_len = payload_len;
	g->seg.raw_len = payload_len;
	g->seg.codec = 0;
	g->seg.total_len = (len + 4095) / 4096 * 4096;
	seal(g, &g->seg, payload);
	put(g, at, &g->seg, sizeof(g->seg));
	put(g, at + DFMT_SEG_HEADER_LEN, payload, crc_len);
	g->seg.offset += g->seg.total_len;
	g->seg.seq++;
	return at;
}

static void entry_add(struct grow *g, uint32_t level, struct dfmt_fmt_entry e);

static struct dfmt_fmt_entry
node_emit(struct grow *g, uint32_t level)
{
	struct node *n = &g->level[level];
	struct dfmt_fmt_entry e = n->entries[0];
	uint32_t len =
		(uint32_t)(sizeof(n->head) + n->head.nr_entries * sizeof(e));

	n->head.level = level;
	n->head.class = DFMT_CLASS_GUEST;
	e.last_pfn = n->entries[n->head.nr_entries - 1].last_pfn;
	e.offset = emit(g, DFMT_SEG_INDEX, n, len, len);
	e.total_len = (uint32_t)g->seg.total_len;
	n->head.nr_entries = 0;
	return e;
}

static void
entry_add(struct grow *g, uint32_t level, struct dfmt_fmt_entry e)
{
	struct node *n = &g->level[level];

	n->entries[n->head.nr_entries++] = e;
	if (n->head.nr_entries == NODE_MAX)
		entry_add(g, level + 1, node_emit(g, level));
}

/* One segment of stored blocks of zeros. */
static void
pages_emit(struct grow *g, uint32_t zeros_crc)
{
	struct {
		struct dfmt_fmt_pages head;
		struct dfmt_fmt_run run;
		struct dfmt_fmt_block blocks[NR_BLOCKS];
	} t = { .head = { .first_pfn = g->pfn,
			.last_pfn = g->pfn + SEG_FRAMES - 1,
			.nr_runs = 1,
			.nr_blocks = NR_BLOCKS,
			.nr_frames = SEG_FRAMES,
			.nr_data = SEG_FRAMES,
			.data_off = 4096 - DFMT_SEG_HEADER_LEN,
			.class = DFMT_CLASS_GUEST,
			.block_frames = BLOCK_FRAMES },
		.run = { 0, SEG_FRAMES, 0 } };
	struct dfmt_fmt_entry e = { g->pfn, t.head.last_pfn, 0, 0, SEG_FRAMES };

	for (uint32_t i = 0; i < NR_BLOCKS; i++)
		t.blocks[i] = (struct dfmt_fmt_block){ i * BLOCK_FRAMES * FRAME,
			BLOCK_FRAMES * FRAME, zeros_crc, 0, BLOCK_FRAMES };
	e.offset = emit(g, DFMT_SEG_PAGES, &t, sizeof(t),
		t.head.data_off + (uint64_t)SEG_FRAMES * FRAME);
	e.total_len = (uint32_t)g->seg.total_len;
	g->pfn += SEG_FRAMES;
	entry_add(g, 0, e);
}

static void
root_add(struct grow *g, struct dfmt_fmt_end *end)
{
	struct dfmt_fmt_entry e = { 0 };
	uint32_t top = 0;

	for (uint32_t l = 0; l < LEVELS; l++)
		if (g->level[l].head.nr_entries) {
			top = l;
			e = node_emit(g, l);
			if (l + 1 < LEVELS && g->level[l + 1].head.nr_entries)
				entry_add(g, l + 1, e);
		}
	end->roots[end->nr_roots++] =
		(struct dfmt_fmt_root){ DFMT_CLASS_GUEST, top, e.first_pfn,
			e.last_pfn, e.offset, e.total_len, UINT32_MAX };
}

/* The triage record of a larger machine. */
static void
triage_patch(const struct grow *g)
{
	static uint8_t buf[DFMT_TRIAGE_LEN];
	struct dfmt_fmt_seg *seg = (void *)buf;
	struct dfmt_fmt_triage *t = (void *)(buf + DFMT_SEG_HEADER_LEN);

	get(g, 0, buf, sizeof(buf));
	t->end_pfn = g->end_pfn;
	t->nr_frames += g->end_pfn - g->pfn;
	t->crc = dfmt_crc32c(&g->crc, t, offsetof(struct dfmt_fmt_triage, crc));
	seal(g, seg, t);
	put(g, 0, buf, sizeof(buf));
}

static void
end_emit(struct grow *g, struct dfmt_fmt_end *end, uint64_t meta_end)
{
	uint64_t added = g->end_pfn / SEG_FRAMES * SEG_FRAMES;

	end->meta_end = meta_end;
	end->nr_segments = g->seg.seq;
	end->nr_data += added;
	end->end = g->seg.offset + DFMT_END_LEN;
	end->classes[DFMT_CLASS_GUEST].nr_seen += added;
	end->classes[DFMT_CLASS_GUEST].nr_written += added;
	emit(g, DFMT_SEG_END, end, sizeof(*end), sizeof(*end));
	if (ftruncate(g->out, (off_t)g->seg.offset) != 0)
		die("cannot set the length");
}

static void
copy(const struct grow *g, uint64_t len)
{
	static uint8_t buf[1u << 16];

	for (uint64_t at = 0; at < len; at += sizeof(buf)) {
		size_t n = len - at < sizeof(buf) ? len - at : sizeof(buf);

		get(g, at, buf, n);
		put(g, at, buf, n);
	}
}

int
main(int argc, char **argv)
{
	static struct grow g;
	static const uint8_t zeros[BLOCK_FRAMES * FRAME];
	struct dfmt_fmt_end end;

	if (argc != 4)
		die("usage: bench-grow BYTES IN OUT");
	g.in = open(argv[2], O_RDONLY);
	g.out = open(argv[3], O_RDWR | O_CREAT | O_TRUNC, 0644);
	if (g.in < 0 || g.out < 0)
		die("cannot open %s or %s", argv[2], argv[3]);
	dfmt_crc_init(&g.crc, false);
	uint64_t at = (uint64_t)lseek(g.in, 0, SEEK_END) - DFMT_END_LEN;

	get(&g, at, &g.seg, sizeof(g.seg));
	get(&g, at + DFMT_SEG_HEADER_LEN, &end, sizeof(end));
	if (g.seg.type != DFMT_SEG_END)
		die("%s does not end with an end record", argv[2]);
	copy(&g, at);
	g.pfn = 1u << 20; /* above 4 GiB */
	g.end_pfn = g.pfn + strtoull(argv[1], NULL, 0) / FRAME;
	triage_patch(&g);

	struct dfmt_fmt_range range = { g.pfn * FRAME,
		(g.end_pfn - g.pfn) * FRAME, UINT64_MAX, DFMT_RANGE_RAM, 0 };

	emit(&g, DFMT_SEG_RANGES, &range, sizeof(range), sizeof(range));
	uint64_t meta_end = g.seg.offset;
	uint32_t zeros_crc = dfmt_crc32c(&g.crc, zeros, sizeof(zeros));

	while (g.pfn + SEG_FRAMES <= g.end_pfn)
		pages_emit(&g, zeros_crc);
	root_add(&g, &end);
	end_emit(&g, &end, meta_end);
	return 0;
}
