/* SPDX-License-Identifier: MIT */
/*
 * The kallsyms tables as bytes: pages read on demand, tokens, one name, one
 * address.  Knows nothing of searching.
 */
#include "mdb/sym/kallsyms_table.h"
#include "mdb/base/alloc.h"
#include "mdb/base/endian.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PAGE MDB_LAZY_PAGE

/* Bytes that one name may take in the compressed form. */
#define MAX_CODE (2u + 0x3fffu)

enum mdb_status
mdb_lazy_init(struct mdb_ctx *cx, struct mdb_lazy *lazy,
	struct mdb_space *space, mdb_addr_t addr, uint64_t len)
{
	size_t skip = addr % PAGE;
	size_t nr_pages;

	if (len > (1u << 30) || addr > UINT64_MAX - 2ull * PAGE - len)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"kallsyms: a table of %#" PRIx64 " bytes at %#" PRIx64,
			len, addr);
	nr_pages = (skip + len + PAGE - 1) / PAGE;
	lazy->space = space;
	lazy->base = addr - skip;
	lazy->skip = skip;
	lazy->len = len;
	lazy->bytes = mdb_try_alloc(nr_pages + 1, PAGE);
	lazy->present = mdb_try_alloc(nr_pages + 1, 1);
	if (lazy->bytes != NULL && lazy->present != NULL)
		return MDB_OK;
	mdb_lazy_fini(lazy);
	return mdb_fail(cx, MDB_E_SYSTEM, "kallsyms: no memory for a table");
}

void
mdb_lazy_fini(struct mdb_lazy *lazy)
{
	free(lazy->bytes);
	free(lazy->present);
	lazy->bytes = NULL;
	lazy->present = NULL;
	lazy->len = 0;
}

enum mdb_status
mdb_lazy_get(struct mdb_ctx *cx, struct mdb_lazy *lazy, uint64_t offset,
	size_t len, const uint8_t **bytes_out)
{
	size_t first, last;

	if (len == 0 || offset >= lazy->len || len > lazy->len - offset)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"kallsyms: offset %#" PRIx64 " is beyond its table at "
			"%#" PRIx64,
			offset, lazy->base + lazy->skip);
	first = (lazy->skip + offset) / PAGE;
	last = (lazy->skip + offset + len - 1) / PAGE;
	for (size_t i = first; i <= last; i++) {
		enum mdb_status st;

		if (lazy->present[i])
			continue;
		st = mdb_space_read(cx, lazy->space, lazy->base + i * PAGE,
			lazy->bytes + i * PAGE, PAGE);
		if (st != MDB_OK)
			return mdb_context(cx, st, "kallsyms");
		lazy->present[i] = 1;
		lazy->nr_present++;
	}
	*bytes_out = lazy->bytes + lazy->skip + offset;
	return MDB_OK;
}

/* Splits the token bytes into strings. */
static bool
tokens_split(const char *bytes, size_t len, const uint8_t *index,
	struct mdb_token tokens[256])
{
	for (size_t i = 0; i < 256; i++) {
		size_t start = mdb_le16(index + 2 * i);
		const char *end;

		if (start >= len)
			return false;
		end = memchr(bytes + start, '\0', len - start);
		if (end == NULL)
			return false;
		tokens[i].text = bytes + start;
		tokens[i].len = (uint16_t)(end - (bytes + start));
	}
	return true;
}

/* The index goes up, so that its last entry bounds the strings. */
static bool
index_is_sane(const uint8_t *index)
{
	if (mdb_le16(index) != 0)
		return false;
	for (size_t i = 1; i < 256; i++)
		if (mdb_le16(index + 2 * i) <= mdb_le16(index + 2 * i - 2))
			return false;
	return true;
}

enum mdb_status
mdb_kallsyms_tokens_read(struct mdb_ctx *cx, struct mdb_space *space,
	mdb_addr_t token_table, mdb_addr_t token_index, char **bytes_out,
	struct mdb_token tokens_out[256])
{
	MDB_AUTO_FREE char *bytes = NULL;
	uint8_t index[512];
	enum mdb_status st;
	size_t len = 0;
	size_t want;

	st = mdb_space_read(cx, space, token_index, index, sizeof(index));
	if (st != MDB_OK)
		return mdb_context(cx, st, "kallsyms token index");
	if (!index_is_sane(index))
		return mdb_fail(cx, MDB_E_CORRUPT,
			"kallsyms: no token index at %#" PRIx64, token_index);
	want = mdb_le16(index + 510) + MDB_KALLSYMS_MAX_NAME;
	if (token_table < token_index && want > token_index - token_table)
		want = token_index - token_table;
	bytes = mdb_xalloc(want + 17); /* expand moves 16 at once */
	st = mdb_space_read_some(cx, space, token_table, bytes, want, &len);
	if (st != MDB_OK)
		return mdb_context(cx, st, "kallsyms tokens");
	if (!tokens_split(bytes, len, index, tokens_out))
		return mdb_fail(cx, MDB_E_CORRUPT,
			"kallsyms: token without end at %#" PRIx64,
			token_table);
	*bytes_out = bytes;
	bytes = NULL;
	return MDB_OK;
}

/* Marks all parts, so that fini is right at any time. */
static enum mdb_status
parts_init(struct mdb_ctx *cx, struct mdb_kallsyms_tables *t,
	struct mdb_space *space)
{
	const struct mdb_kallsyms_layout *l = &t->layout;
	uint64_t n = l->nr_syms;
	size_t width = l->form == MDB_KALLSYMS_ADDRESSES ? 8 : 4;
	const uint8_t *last;
	uint64_t names_len;
	enum mdb_status st;
	uint32_t blocks = mdb_kallsyms_nr_blocks(l);

	st = mdb_lazy_init(cx, &t->markers, space, l->markers,
		(uint64_t)blocks * l->marker_size);
	if (st == MDB_OK)
		st = mdb_lazy_init(cx, &t->addresses, space, l->addresses,
			n * width);
	if (st == MDB_OK && l->seqs != 0)
		st = mdb_lazy_init(cx, &t->seqs, space, l->seqs, n * 3);
	if (st == MDB_OK)
		st = mdb_lazy_get(cx, &t->markers,
			(uint64_t)(blocks - 1) * l->marker_size, l->marker_size,
			&last);
	if (st != MDB_OK)
		return st;
	names_len = mdb_le(last, l->marker_size);
	if (names_len > n * MAX_CODE)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"kallsyms: last marker %#" PRIx64, names_len);
	return mdb_lazy_init(cx, &t->names, space, l->names,
		names_len +
			MDB_KALLSYMS_BLOCK * (MDB_KALLSYMS_MAX_NAME + 2ull));
}

enum mdb_status
mdb_kallsyms_tables_init(struct mdb_ctx *cx, struct mdb_kallsyms_tables *t,
	struct mdb_space *space, const struct mdb_kallsyms_layout *layout)
{
	enum mdb_status st;

	memset(t, 0, sizeof(*t));
	t->layout = *layout;
	if (layout->nr_syms == 0 || layout->nr_syms > MDB_KALLSYMS_MAX_SYMS)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"kallsyms: %" PRIu32 " symbols", layout->nr_syms);
	st = mdb_kallsyms_tokens_read(cx, space, layout->token_table,
		layout->token_index, &t->token_bytes, t->tokens);
	if (st == MDB_OK)
		st = parts_init(cx, t, space);
	if (st != MDB_OK)
		mdb_kallsyms_tables_fini(t);
	return st;
}

void
mdb_kallsyms_tables_fini(struct mdb_kallsyms_tables *t)
{
	mdb_lazy_fini(&t->names);
	mdb_lazy_fini(&t->markers);
	mdb_lazy_fini(&t->addresses);
	mdb_lazy_fini(&t->seqs);
	free(t->token_bytes);
	t->token_bytes = NULL;
}

enum mdb_status
mdb_kallsyms_marker(struct mdb_ctx *cx, struct mdb_kallsyms_tables *t,
	uint32_t block, uint64_t *offset_out)
{
	const uint8_t *p;
	enum mdb_status st;

	st = mdb_lazy_get(cx, &t->markers,
		(uint64_t)block * t->layout.marker_size, t->layout.marker_size,
		&p);
	if (st == MDB_OK)
		*offset_out = mdb_le(p, t->layout.marker_size);
	return st;
}

enum mdb_status
mdb_kallsyms_code(struct mdb_ctx *cx, struct mdb_kallsyms_tables *t,
	uint64_t offset, struct mdb_code *code_out)
{
	enum mdb_status st;
	const uint8_t *p;
	size_t head = 1;
	size_t n;

	st = mdb_lazy_get(cx, &t->names, offset, 1, &p);
	if (st != MDB_OK)
		return st;
	n = *p;
	if (n & 0x80) {
		st = mdb_lazy_get(cx, &t->names, offset, 2, &p);
		if (st != MDB_OK)
			return st;
		n = (n & 0x7f) | (size_t)(p[1] & 0x7f) << 7;
		head = 2;
	}
	if (n == 0)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"kallsyms: empty name at offset %#" PRIx64, offset);
	st = mdb_lazy_get(cx, &t->names, offset + head, n, &p);
	if (st != MDB_OK)
		return st;
	code_out->tokens = p;
	code_out->nr_tokens = n;
	code_out->next = offset + head + n;
	return MDB_OK;
}

enum mdb_status
mdb_kallsyms_code_at(struct mdb_ctx *cx, struct mdb_kallsyms_tables *t,
	uint32_t idx, struct mdb_code *code_out)
{
	struct mdb_code code = { 0 };
	enum mdb_status st;

	st = mdb_kallsyms_marker(cx, t, idx / MDB_KALLSYMS_BLOCK, &code.next);
	for (uint32_t i = 0; st == MDB_OK && i <= idx % MDB_KALLSYMS_BLOCK; i++)
		st = mdb_kallsyms_code(cx, t, code.next, &code);
	if (st == MDB_OK)
		*code_out = code;
	return st;
}

size_t
mdb_kallsyms_expand(const struct mdb_kallsyms_tables *t,
	const struct mdb_code *code, char *buf)
{
	size_t len = 0;

	for (size_t i = 0; i < code->nr_tokens; i++) {
		const struct mdb_token *tok = &t->tokens[code->tokens[i]];

		if (tok->len >= MDB_KALLSYMS_MAX_NAME - len) {
			buf[0] = '\0';
			return 0;
		}
		/* Tokens are short: one move of fixed length does for most. */
		if (tok->len <= 16 && len <= MDB_KALLSYMS_MAX_NAME - 16)
			memcpy(buf + len, tok->text, 16);
		else
			memcpy(buf + len, tok->text, tok->len);
		len += tok->len;
	}
	buf[len] = '\0';
	return len;
}

enum mdb_status
mdb_kallsyms_address(struct mdb_ctx *cx, struct mdb_kallsyms_tables *t,
	uint32_t idx, mdb_addr_t *addr_out)
{
	const struct mdb_kallsyms_layout *l = &t->layout;
	size_t width = l->form == MDB_KALLSYMS_ADDRESSES ? 8 : 4;
	uint64_t offset = (uint64_t)idx * width;
	enum mdb_status st;
	const uint8_t *p;
	int64_t v;

	st = mdb_lazy_get(cx, &t->addresses, offset, width, &p);
	if (st != MDB_OK)
		return st;
	v = (int32_t)mdb_le32(p);
	switch (l->form) {
	case MDB_KALLSYMS_ADDRESSES:
		*addr_out = mdb_le64(p);
		break;
	case MDB_KALLSYMS_BASE:
		*addr_out = l->relative_base + (uint32_t)v;
		break;
	case MDB_KALLSYMS_BASE_PERCPU:
		*addr_out = v >= 0 ? (uint64_t)v
				   : l->relative_base - 1 - (uint64_t)v;
		break;
	case MDB_KALLSYMS_PLACE:
		*addr_out = l->addresses + offset + (uint64_t)v;
		break;
	}
	return MDB_OK;
}

enum mdb_status
mdb_kallsyms_seq(struct mdb_ctx *cx, struct mdb_kallsyms_tables *t,
	uint32_t position, uint32_t *idx_out)
{
	enum mdb_status st;
	const uint8_t *p;
	uint32_t idx;

	st = mdb_lazy_get(cx, &t->seqs, (uint64_t)position * 3, 3, &p);
	if (st != MDB_OK)
		return st;
	idx = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
	if (idx >= t->layout.nr_syms)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"kallsyms: symbol number %" PRIu32, idx);
	*idx_out = idx;
	return MDB_OK;
}
