/* SPDX-License-Identifier: MIT */
/* For tests only: dumps of the small machine, to be damaged and read. */
#ifndef DFMT_NATIVE_DAMAGE_H
#define DFMT_NATIVE_DAMAGE_H

#include "native_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#ifdef MDB_TINY
#define STRIDE 1499 /* bytes of a dump between those damaged */
#define SPARSE 5    /* of the values and frames tried */
#else
#define STRIDE 151
#define SPARSE 1
#endif

static inline struct dfmt *
open_nb(const struct nb *b)
{
	struct dfmt_options opt = { .cache_bytes = 1u << 18 };
	struct dfmt *d = NULL;

	assert_int_equal(dfmt_open_memory(b->buf, b->len, &opt, &d, NULL),
		DFMT_OK);
	return d;
}

/* How many frames can be read, each of them rightly. */
static inline size_t
count_right(const struct dfmt *d)
{
	uint8_t got[NB_FRAME], want[NB_FRAME];
	size_t nr = 0;

	for (uint64_t pfn = 0; pfn < NM_END; pfn++) {
		size_t len = pfn == NM_LAST_LOW ? 0xc00 : NB_FRAME;

		if (dfmt_read(d, pfn * NB_FRAME, got, len, NULL) != DFMT_OK)
			continue;
		assert_true(nm_bytes(pfn, want));
		assert_memory_equal(got, want, len);
		nr++;
	}
	return nr;
}

static inline size_t
count_all(void)
{
	size_t nr = 0;

	for (uint64_t pfn = 0; pfn < NM_END; pfn++)
		nr += nm_kind(pfn) < NM_LOST;
	return nr;
}

static inline size_t
count_dump(const struct nb *b)
{
	struct dfmt *d = open_nb(b);
	size_t nr = count_right(d);

	dfmt_close(d);
	return nr;
}

static inline uint8_t *
header_at(const struct nb *b, uint64_t off)
{
	return b->buf + b->base + off;
}

/* The header of the i-th segment of a type. */
static inline uint8_t *
segment(const struct nb *b, uint32_t type, size_t i)
{
	uint64_t off = 0;

	while (off < b->len - b->base) {
		uint8_t *h = header_at(b, off);

		if (nb_get(h + 12, 2) == type && i-- == 0)
			return h;
		off += nb_get(h + 48, 8);
	}
	fail_msg("no such segment");
	return NULL;
}

/* Checksums of payload and header, after a change. */
static inline void
fix(uint8_t *h)
{
	nb_put(h + 76, nb_crc(h + 128, nb_get(h + 72, 4)), 4);
	nb_header_fix(h);
}

static inline struct nb *
dump_new(size_t fan)
{
	struct nb *b = nb_new();

	nm_dump(b, 9, fan);
	return b;
}

#endif
