/* SPDX-License-Identifier: MIT */
/*
 * mkdump --grow BYTES IN OUT: the same dump, taken on a machine with that much
 * memory: a 64-bit kdump gets longer bitmaps, an ELF64 core a segment that
 * reaches there.  What is added is sparse.  For measuring how opening scales.
 */
#include "mkdump.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct grow {
	int in, out;
	uint64_t size;
	bool failed;
};

static uint64_t
get(struct grow *g, uint64_t off, unsigned int size)
{
	uint64_t v = 0;

	if (pread(g->in, &v, size, (off_t)off) != (ssize_t)size)
		g->failed = true;
	return v;
}

static void
put(struct grow *g, uint64_t off, uint64_t v, unsigned int size)
{
	if (pwrite(g->out, &v, size, (off_t)off) != (ssize_t)size)
		g->failed = true;
}

static void
copy(struct grow *g, uint64_t from, uint64_t to, uint64_t len)
{
	static uint8_t buf[1 << 16];

	while (len && !g->failed) {
		size_t n = len < sizeof(buf) ? len : sizeof(buf);

		if (pread(g->in, buf, n, (off_t)from) != (ssize_t)n ||
			pwrite(g->out, buf, n, (off_t)to) != (ssize_t)n)
			g->failed = true;
		from += n;
		to += n;
		len -= n;
	}
}

/* Descriptors keep their order; all data move by the same distance. */
static void
grow_kdump(struct grow *g, uint64_t bytes)
{
	uint64_t block = get(g, 428, 4), sub = get(g, 432, 4);
	uint64_t blocks = get(g, 436, 4), max_pfn = bytes / 4096;
	uint64_t half = (max_pfn + block * 8 - 1) / (block * 8);
	uint64_t start = (1 + sub) * block, end = start + blocks * block;
	uint64_t shift = (2 * half - blocks) * block;
	uint64_t data = UINT64_MAX;

	if (block != 4096 || get(g, 8, 4) != 6 || 2 * half < blocks) {
		g->failed = true;
		return;
	}
	copy(g, 0, 0, start);
	copy(g, start, start, blocks * block / 2);
	copy(g, start + blocks * block / 2, start + half * block,
		blocks * block / 2);
	copy(g, end, end + shift, g->size - end);
	for (uint64_t at = end; at < data && !g->failed; at += 24) {
		uint64_t off = get(g, at, 8);

		data = off && off < data ? off : data;
		put(g, at + shift, off + shift, 8);
	}
	put(g, 436, 2 * half, 4);
	put(g, 440, max_pfn, 4);
	put(g, block + 96, max_pfn, 8);
}

static void
grow_elf(struct grow *g, uint64_t bytes)
{
	uint64_t phoff = get(g, 32, 8), nr = get(g, 56, 2), end = 0;

	copy(g, 0, 0, g->size);
	for (uint64_t i = 0; i < nr && !g->failed; i++) {
		uint64_t at = phoff + i * 56;
		uint64_t top = get(g, at + 24, 8) + get(g, at + 40, 8);

		if (get(g, at, 4) == 1 && top > end)
			end = top;
	}
	/* Headers move to the end of the file, with one more. */
	uint64_t to = (g->size + 4095) & ~4095ull;
	uint64_t data = (to + (nr + 1) * 56 + 4095) & ~4095ull;
	uint64_t more = bytes > end ? bytes - end : 0;
	copy(g, phoff, to, nr * 56);
	to += nr * 56;
	put(g, to, 1 | UINT64_C(7) << 32, 8);
	put(g, to + 8, data, 8);
	put(g, to + 16, 0, 8);
	put(g, to + 24, end, 8);
	put(g, to + 32, more, 8);
	put(g, to + 40, more, 8);
	put(g, to + 48, 0, 8);
	put(g, 32, to - nr * 56, 8);
	put(g, 56, nr + 1, 2);
	if (ftruncate(g->out, (off_t)(data + more)) != 0)
		g->failed = true;
}

int
mk_grow_dump(const char *in, const char *out, uint64_t bytes)
{
	struct grow g = { .in = open(in, O_RDONLY),
		.out = open(out, O_RDWR | O_CREAT | O_TRUNC, 0644) };
	struct stat st;

	if (g.in < 0 || g.out < 0 || fstat(g.in, &st) != 0) {
		(void)fprintf(stderr, "mkdump: cannot open %s or %s\n", in,
			out);
		return 1;
	}
	g.size = (uint64_t)st.st_size;
	if (get(&g, 0, 4) == 0x464c457f)
		grow_elf(&g, bytes);
	else if (get(&g, 0, 4) == 0x4d55444b)
		grow_kdump(&g, bytes);
	else
		g.failed = true;
	if (g.failed)
		(void)fputs(
			"mkdump: only ELF64 cores and 64-bit kdump 6 grow\n",
			stderr);
	close(g.in);
	close(g.out);
	return g.failed;
}
