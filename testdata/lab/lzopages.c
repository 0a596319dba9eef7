/* SPDX-License-Identifier: MIT */
/*
 * What a dump would be with its pages in LZO, page by page: the other way to
 * write them, and the size that ours is held to.
 *
 *	lzopages DUMP
 *
 * Each page that can be read: one of zeros costs nothing but its descriptor,
 * one that does not get smaller is stored; a descriptor is 24 bytes, as in a
 * compressed kdump (docs/DUMPFORMAT.md has ours).  Prints "pages N zero N lzo
 * BYTES".
 */
#include <lzo/lzo1x.h>

#include <stdio.h>
#include <stdlib.h>

#include "dfmt-reader.h"

#define DESCRIPTOR 24u

struct tally {
	unsigned long nr_pages, nr_zero, len;
};

static bool
is_zero(const unsigned char *page)
{
	for (size_t i = 0; i < DFMT_PAGE_SIZE; i++)
		if (page[i])
			return false;
	return true;
}

static void
page_count(const unsigned char *page, struct tally *t)
{
	static unsigned char out[DFMT_PAGE_SIZE * 2], work[LZO1X_1_MEM_COMPRESS];
	lzo_uint len = sizeof out;

	t->nr_pages++;
	t->len += DESCRIPTOR;
	if (is_zero(page)) {
		t->nr_zero++;
		return;
	}
	if (lzo1x_1_compress(page, DFMT_PAGE_SIZE, out, &len, work) != LZO_E_OK ||
		len > DFMT_PAGE_SIZE)
		len = DFMT_PAGE_SIZE;
	t->len += len;
}

int
main(int argc, char **argv)
{
	unsigned char page[DFMT_PAGE_SIZE];
	uint64_t addr = 0, start, end;
	struct tally t = { 0 };
	struct dfmt *dump = NULL;
	struct dfmt_err err;
	const char *name = argc == 2 ? argv[1] : NULL;

	if (!name || lzo_init() != LZO_E_OK)
		return 2;
	if (dfmt_open(&name, 1, NULL, &dump, &err) != DFMT_OK) {
		(void)fprintf(stderr, "%s: %s\n", name, err.what);
		return 2;
	}
	while (dfmt_next_range(dump, addr, &start, &end, NULL) == DFMT_OK)
		for (addr = start & -4096ull; addr < end; addr += 4096)
			if (dfmt_read(dump, addr, page, sizeof page, &err) ==
				DFMT_OK)
				page_count(page, &t);
	printf("pages %lu zero %lu lzo %lu\n", t.nr_pages, t.nr_zero, t.len);
	dfmt_close(dump);
	return 0;
}
