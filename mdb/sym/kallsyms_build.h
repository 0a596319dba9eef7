/* SPDX-License-Identifier: MIT */
/*
 * For tests: kallsyms tables put together in any of the layouts that 4.14 to
 * 7.x have, as bytes at a virtual address.
 */
#ifndef MDB_SYM_KALLSYMS_BUILD_H
#define MDB_SYM_KALLSYMS_BUILD_H

#include "mdb/base/buf.h"
#include "mdb/sym/kallsyms.h"

#include <stdlib.h>
#include <string.h>

struct ksym_in {
	mdb_addr_t value;
	char text[600]; /* letter and name */
};

struct ksym_build {
	/* wanted */
	const struct ksym_in *syms;
	uint32_t nr;
	mdb_addr_t base; /* where the bytes will lie; aligned to 8 */
	enum mdb_kallsyms_form form;
	uint32_t marker_size;
	unsigned int align; /* 8, or 4 as in 7.0 */
	bool late;	    /* 6.4's order */
	bool seqs;
	bool xen; /* states no base */
	mdb_addr_t relative_base;
	/* made */
	struct mdb_buf bytes;
	struct mdb_kallsyms_layout layout;
};

/* Tokens that stand for more than one character, in unused slots. */
static const char *const ksym_tokens[] = { "sys_", "t_", "__", "init", "tt",
	"T_", "ern", "dd" };

static inline void
ksym_put(struct ksym_build *b, uint64_t v, size_t size)
{
	for (size_t i = 0; i < size; i++)
		mdb_buf_putc(&b->bytes, (char)(v >> 8 * i));
}

static inline mdb_addr_t
ksym_label(struct ksym_build *b)
{
	while ((b->base + b->bytes.len) % b->align != 0)
		mdb_buf_putc(&b->bytes, '\0');
	return b->base + b->bytes.len;
}

/* The token of slot i: itself where it can be in a name. */
static inline void
ksym_token(unsigned int i, char text[16])
{
	memset(text, 0, 16);
	if (i > ' ' && i < 0x7f)
		text[0] = (char)i;
	else if (i >= 0x80 &&
		 i - 0x80 < sizeof(ksym_tokens) / sizeof(ksym_tokens[0]))
		memcpy(text, ksym_tokens[i - 0x80],
			strlen(ksym_tokens[i - 0x80]));
	else
		memcpy(text, "~~", 2);
}

static inline size_t
ksym_compress(const char *text, uint8_t *out)
{
	size_t n = 0;

	while (*text) {
		unsigned int slot = (unsigned char)*text;
		size_t len = 1;

		for (unsigned int i = 0;
			i < sizeof(ksym_tokens) / sizeof(ksym_tokens[0]); i++) {
			size_t l = strlen(ksym_tokens[i]);

			if (strncmp(text, ksym_tokens[i], l) == 0 && l > len) {
				slot = 0x80 + i;
				len = l;
			}
		}
		out[n++] = (uint8_t)slot;
		text += len;
	}
	return n;
}

static inline void
ksym_addresses(struct ksym_build *b)
{
	b->layout.addresses = ksym_label(b);
	for (uint32_t i = 0; i < b->nr; i++) {
		mdb_addr_t v = b->syms[i].value;

		if (b->form == MDB_KALLSYMS_ADDRESSES)
			ksym_put(b, v, 8);
		else if (b->form == MDB_KALLSYMS_BASE)
			ksym_put(b, v - b->relative_base, 4);
		else if (b->form == MDB_KALLSYMS_PLACE)
			ksym_put(b, v - (b->base + b->bytes.len), 4);
		else
			ksym_put(b, v < 1u << 31 ? v : b->relative_base - v - 1,
				4);
	}
	b->layout.relative_base = b->xen ? b->relative_base : 0;
	if (!b->xen && (b->form == MDB_KALLSYMS_BASE ||
			       b->form == MDB_KALLSYMS_BASE_PERCPU)) {
		ksym_label(b);
		ksym_put(b, b->relative_base, 8);
		b->layout.relative_base = b->relative_base;
	}
}

static inline void
ksym_names(struct ksym_build *b)
{
	uint64_t *markers = calloc(b->nr / 256 + 1, sizeof(*markers));
	size_t start;

	ksym_label(b);
	ksym_put(b, b->nr, 4);
	b->layout.names = ksym_label(b);
	start = b->bytes.len;
	for (uint32_t i = 0; i < b->nr; i++) {
		uint8_t code[600];
		size_t n = ksym_compress(b->syms[i].text, code);

		if (i % 256 == 0)
			markers[i / 256] = b->bytes.len - start;
		if (n < 0x80)
			ksym_put(b, n, 1);
		else
			ksym_put(b, (n & 0x7f) | 0x80 | n >> 7 << 8, 2);
		mdb_buf_add(&b->bytes, code, n);
	}
	b->layout.markers = ksym_label(b);
	for (uint32_t i = 0; i < (b->nr + 255) / 256; i++)
		ksym_put(b, markers[i], b->marker_size);
	free(markers);
}

static const struct ksym_in *ksym_sorting;

static inline int
ksym_compare(const void *pa, const void *pb)
{
	uint32_t a = *(const uint32_t *)pa;
	uint32_t b = *(const uint32_t *)pb;
	int c = strcmp(ksym_sorting[a].text + 1, ksym_sorting[b].text + 1);

	return c != 0 ? c : a < b ? -1 : a > b;
}

static inline void
ksym_seqs(struct ksym_build *b)
{
	uint32_t *order;

	if (!b->seqs)
		return;
	order = calloc(b->nr, sizeof(*order));
	for (uint32_t i = 0; i < b->nr; i++)
		order[i] = i;
	ksym_sorting = b->syms;
	qsort(order, b->nr, sizeof(*order), ksym_compare);
	b->layout.seqs = ksym_label(b);
	for (uint32_t i = 0; i < b->nr; i++) {
		ksym_put(b, order[i] >> 16, 1);
		ksym_put(b, order[i] >> 8, 1);
		ksym_put(b, order[i], 1);
	}
	free(order);
}

static inline void
ksym_put_tokens(struct ksym_build *b)
{
	uint16_t index[256];
	char text[16];
	size_t start;

	b->layout.token_table = ksym_label(b);
	start = b->bytes.len;
	for (unsigned int i = 0; i < 256; i++) {
		index[i] = (uint16_t)(b->bytes.len - start);
		ksym_token(i, text);
		mdb_buf_add(&b->bytes, text, strlen(text) + 1);
	}
	b->layout.token_index = ksym_label(b);
	for (unsigned int i = 0; i < 256; i++)
		ksym_put(b, index[i], 2);
}

static inline void
ksym_make(struct ksym_build *b)
{
	mdb_buf_init(&b->bytes);
	b->layout.nr_syms = b->nr;
	b->layout.form = b->form;
	b->layout.marker_size = b->marker_size;
	if (!b->late)
		ksym_addresses(b);
	ksym_names(b);
	if (!b->late)
		ksym_seqs(b);
	ksym_put_tokens(b);
	if (b->late) {
		ksym_addresses(b);
		ksym_seqs(b);
	}
}

#endif
