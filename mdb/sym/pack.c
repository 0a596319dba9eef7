/* SPDX-License-Identifier: MIT */
/*
 * Type packs.  Every column's place is checked once against the bytes that
 * are there; the indexes that columns hold are checked where they are used.
 */
#include "mdb/sym/pack.h"

#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define HEADER_LEN 24u
#define FORMAT 2u
#define MAX_TEXT 8192u
#define MAX_EXPANDED (16u << 20)
#define NR_COUNTS 6u
#define NO_VALUE 0xffffffffu

static const char magic[8] = "MDBXPACK";

struct mdb_pack {
	struct mdb_pack_info info;
	uint8_t *bytes;
	size_t len;
	uint32_t btf_len, nr_syms, nr_builds, nr_refs, nr_functions,
		strings_len;
	const uint8_t *btf, *names, *sizes, *flags, *ref_counts, *values;
	const uint8_t *ref_functions, *ref_ordinals, *ref_addends;
	const uint8_t *function_names, *function_refs;
	const char *strings;
	uint32_t *first_refs;
};

/* ---- the text ------------------------------------------------------------ */

static void
copy(char *out, size_t size, const char *p, size_t len)
{
	if (len > size - 1)
		len = size - 1;
	memcpy(out, p, len);
	out[len] = '\0';
}

/* The next word of a line: [*p, result) is it. */
static const char *
word_of(const char **p, const char *end)
{
	const char *stop;

	while (*p < end && **p == ' ')
		++*p;
	for (stop = *p; stop < end && *stop != ' '; stop++)
		;
	return stop;
}

static void
take_build(struct mdb_pack_info *info, const char *p, const char *end)
{
	struct mdb_pack_build *b = &info->builds[info->nr_builds];
	const char *stop;

	if (info->nr_builds == MDB_PACK_MAX_BUILDS)
		return;
	stop = word_of(&p, end);
	copy(b->id, sizeof(b->id), p, (size_t)(stop - p));
	p = stop;
	stop = word_of(&p, end);
	b->is_exact = stop - p == 5 && strncmp(p, "exact", 5) == 0;
	p = stop;
	stop = word_of(&p, end);
	copy(b->name, sizeof(b->name), p, (size_t)(stop - p));
	info->nr_builds++;
}

static uint64_t
hex_of(const char *p, size_t len)
{
	uint64_t v = 0;

	for (size_t i = 0; i < len && i < 16; i++) {
		unsigned int digit = (unsigned char)p[i];

		if (digit >= '0' && digit <= '9')
			digit -= '0';
		else if (digit >= 'a' && digit <= 'f')
			digit -= 'a' - 10;
		else
			return 0;
		v = v << 4 | digit;
	}
	return v;
}

static void
take_line(struct mdb_pack_info *info, const char *p, const char *end)
{
	const char *stop = word_of(&p, end), *value = stop;
	size_t key_len = (size_t)(stop - p), len;
	static const struct {
		const char *key;
		size_t offset, size;
	} texts[] = {
		{ "name", offsetof(struct mdb_pack_info, name),
			sizeof(info->name) },
		{ "series", offsetof(struct mdb_pack_info, series),
			sizeof(info->series) },
		{ "flavour", offsetof(struct mdb_pack_info, flavour),
			sizeof(info->flavour) },
		{ "source", offsetof(struct mdb_pack_info, source),
			sizeof(info->source) },
	};

	/* word_of() moves value to where the word begins. */
	stop = word_of(&value, end);
	len = (size_t)(stop - value);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strlen(texts[i].key) == key_len &&
			!memcmp(p, texts[i].key, key_len))
			copy((char *)info + texts[i].offset, texts[i].size,
				value, len);
	if (key_len == 5 && !memcmp(p, "build", 5))
		take_build(info, value, end);
	if (key_len == 4 && !memcmp(p, "base", 4))
		info->base = hex_of(value, len);
}

struct parts {
	const char *text;
	const uint8_t *frame;
	uint32_t text_len, frame_len, expanded_len;
};

static enum mdb_status
take_apart(struct mdb_ctx *cx, const struct mdb_pack_blob *blob,
	struct parts *parts)
{
	const uint8_t *p = blob->bytes;

	if (blob->len < HEADER_LEN || memcmp(p, magic, sizeof(magic)) != 0)
		return mdb_fail(cx, MDB_E_FORMAT, "not a type pack");
	if (mdb_le32(p + 8) != FORMAT)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"a type pack of format %u, not %u", mdb_le32(p + 8),
			FORMAT);
	parts->text = (const char *)p + HEADER_LEN;
	parts->text_len = mdb_le32(p + 12);
	parts->frame_len = mdb_le32(p + 16);
	parts->expanded_len = mdb_le32(p + 20);
	if (parts->text_len > MAX_TEXT || parts->expanded_len > MAX_EXPANDED ||
		(uint64_t)HEADER_LEN + parts->text_len + parts->frame_len >
			blob->len)
		return mdb_fail(cx, MDB_E_FORMAT,
			"a type pack of %llu bytes states %u of text, %u of "
			"%u",
			(unsigned long long)blob->len, parts->text_len,
			parts->frame_len, parts->expanded_len);
	parts->frame = p + HEADER_LEN + parts->text_len;
	return MDB_OK;
}

enum mdb_status
mdb_pack_info(struct mdb_ctx *cx, const struct mdb_pack_blob *blob,
	struct mdb_pack_info *info_out)
{
	struct parts parts;
	enum mdb_status st = take_apart(cx, blob, &parts);
	const char *p, *end;

	if (st != MDB_OK)
		return st;
	*info_out = (struct mdb_pack_info){ 0 };
	p = parts.text;
	end = p + parts.text_len;
	while (p < end) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));

		if (!eol)
			eol = end;
		take_line(info_out, p, eol);
		p = eol + (eol < end);
	}
	return MDB_OK;
}

/* ---- the expanded part --------------------------------------------------- */

/* The next column; NULL once there is no room, and then for all after it. */
static const uint8_t *
column(const struct mdb_pack *pack, uint64_t *at, uint64_t count, size_t size)
{
	uint64_t start = *at, len = count * size;

	if (start > pack->len || len > pack->len - start) {
		*at = UINT64_MAX;
		return NULL;
	}
	*at = start + len;
	return pack->bytes + start;
}

static bool
lay_out(struct mdb_pack *pack)
{
	const uint8_t *counts = pack->bytes;
	uint64_t at = 4 * (uint64_t)NR_COUNTS;

	if (pack->len < at)
		return false;
	pack->btf_len = mdb_le32(counts);
	pack->nr_syms = mdb_le32(counts + 4);
	pack->nr_builds = mdb_le32(counts + 8);
	pack->nr_refs = mdb_le32(counts + 12);
	pack->nr_functions = mdb_le32(counts + 16);
	pack->strings_len = mdb_le32(counts + 20);
	if (pack->nr_builds != pack->info.nr_builds)
		return false;
	pack->btf = column(pack, &at, pack->btf_len, 1);
	pack->names = column(pack, &at, pack->nr_syms, 4);
	pack->sizes = column(pack, &at, pack->nr_syms, 4);
	pack->flags = column(pack, &at, pack->nr_syms, 1);
	pack->ref_counts = column(pack, &at, pack->nr_syms, 1);
	pack->values =
		column(pack, &at, (uint64_t)pack->nr_syms * pack->nr_builds, 4);
	pack->ref_functions = column(pack, &at, pack->nr_refs, 2);
	pack->ref_ordinals = column(pack, &at, pack->nr_refs, 2);
	pack->ref_addends = column(pack, &at, pack->nr_refs, 4);
	pack->function_names = column(pack, &at, pack->nr_functions, 4);
	pack->function_refs = column(pack, &at, pack->nr_functions, 2);
	pack->strings = (const char *)column(pack, &at, pack->strings_len, 1);
	return pack->strings && pack->strings_len &&
	       !pack->strings[pack->strings_len - 1];
}

/* References follow each other in the order of the symbols. */
static bool
number_refs(struct mdb_pack *pack)
{
	uint32_t sum = 0;

	pack->first_refs = mdb_xarray((size_t)pack->nr_syms + 1,
		sizeof(*pack->first_refs));
	for (uint32_t i = 0; i < pack->nr_syms; i++) {
		pack->first_refs[i] = sum;
		sum += pack->ref_counts[i];
		if (sum > pack->nr_refs)
			return false;
	}
	return true;
}

static enum mdb_status
expand(struct mdb_ctx *cx, const struct parts *parts, struct mdb_pack *pack)
{
	size_t got;

	pack->len = parts->expanded_len;
	pack->bytes = mdb_try_alloc(pack->len ? pack->len : 1, 1);
	if (!pack->bytes)
		return mdb_fail(cx, MDB_E_SYSTEM, "no memory for a type pack");
	got = ZSTD_decompress(pack->bytes, pack->len, parts->frame,
		parts->frame_len);
	if (ZSTD_isError(got) || got != pack->len)
		return mdb_fail(cx, MDB_E_FORMAT,
			"type pack %s does not expand to %zu bytes",
			mdb_escape_name(cx, pack->info.name), pack->len);
	return MDB_OK;
}

enum mdb_status
mdb_pack_create(struct mdb_ctx *cx, const struct mdb_pack_blob *blob,
	struct mdb_pack **pack_out)
{
	struct mdb_pack *pack = mdb_xalloc(sizeof(*pack));
	struct parts parts = { 0 };
	enum mdb_status st = take_apart(cx, blob, &parts);

	if (st == MDB_OK)
		st = mdb_pack_info(cx, blob, &pack->info);
	if (st == MDB_OK)
		st = expand(cx, &parts, pack);
	if (st == MDB_OK && (!lay_out(pack) || !number_refs(pack)))
		st = mdb_fail(cx, MDB_E_FORMAT,
			"type pack %s: its parts do not fit %zu bytes",
			mdb_escape_name(cx, pack->info.name), pack->len);
	if (st != MDB_OK) {
		mdb_pack_destroy(pack);
		return st;
	}
	*pack_out = pack;
	return MDB_OK;
}

void
mdb_pack_destroy(struct mdb_pack *pack)
{
	if (!pack)
		return;
	free(pack->bytes);
	free(pack->first_refs);
	free(pack);
}

/* ---- what it holds ------------------------------------------------------- */

const struct mdb_pack_info *
mdb_pack_info_of(const struct mdb_pack *pack)
{
	return &pack->info;
}

size_t
mdb_pack_nr_syms(const struct mdb_pack *pack)
{
	return pack->nr_syms;
}

size_t
mdb_pack_nr_functions(const struct mdb_pack *pack)
{
	return pack->nr_functions;
}

static const char *
string_at(const struct mdb_pack *pack, uint32_t offset)
{
	return offset < pack->strings_len ? pack->strings + offset : "";
}

struct mdb_pack_sym
mdb_pack_sym_at(const struct mdb_pack *pack, size_t index)
{
	if (index >= pack->nr_syms)
		return (struct mdb_pack_sym){ .name = "" };
	return (struct mdb_pack_sym){
		.name = string_at(pack, mdb_le32(pack->names + 4 * index)),
		.size = mdb_le32(pack->sizes + 4 * index),
		.flags = pack->flags[index],
		.first_ref = pack->first_refs[index],
		.nr_refs = pack->ref_counts[index],
	};
}

struct mdb_pack_ref
mdb_pack_ref_at(const struct mdb_pack *pack, size_t index)
{
	struct mdb_pack_ref ref = { .function = "" };

	if (index >= pack->nr_refs)
		return ref;
	ref.function_index = mdb_le16(pack->ref_functions + 2 * index);
	ref.ordinal = mdb_le16(pack->ref_ordinals + 2 * index);
	ref.addend = (int32_t)mdb_le32(pack->ref_addends + 4 * index);
	if (ref.function_index >= pack->nr_functions)
		return (struct mdb_pack_ref){ .function = "" };
	ref.function =
		string_at(pack, mdb_le32(pack->function_names +
					 4 * (size_t)ref.function_index));
	ref.nr_function_refs =
		mdb_le16(pack->function_refs + 2 * (size_t)ref.function_index);
	return ref;
}

bool
mdb_pack_value(const struct mdb_pack *pack, size_t build, size_t sym,
	uint64_t *value_out)
{
	uint32_t v;

	if (build >= pack->nr_builds || sym >= pack->nr_syms)
		return false;
	v = mdb_le32(pack->values + 4 * (build * pack->nr_syms + sym));
	if (v == NO_VALUE)
		return false;
	*value_out = v;
	return true;
}

enum mdb_status
mdb_pack_types(struct mdb_ctx *cx, const struct mdb_pack *pack, size_t word,
	struct mdb_types **types_out)
{
	void *bytes = mdb_try_alloc(pack->btf_len ? pack->btf_len : 1, 1);

	if (!bytes)
		return mdb_fail(cx, MDB_E_SYSTEM, "no memory for BTF");
	memcpy(bytes, pack->btf, pack->btf_len);
	return mdb_btf_create(cx, bytes, pack->btf_len, NULL, word, types_out);
}
