/* SPDX-License-Identifier: MIT */
/*
 * Symbols by name from the kallsyms tables: by the order of names where the
 * kernel has one (6.2), else block by block, likely blocks first: per-CPU,
 * around the landmarks, data, text.  Blocks are compared compressed.
 */
#include "mdb/base/alloc.h"
#include "mdb/sym/kallsyms_table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A wanted name, prepared: what each token would match of it as the first. */
struct wanted {
	const char *name;
	size_t len;
	uint16_t first[256]; /* matched characters + 1, or 0 */
};

static void
wanted_init(struct wanted *w, const struct mdb_kallsyms *k, const char *name)
{
	w->name = name;
	w->len = strlen(name);
	for (size_t i = 0; i < 256; i++) {
		const struct mdb_token *tok = &k->t.tokens[i];
		size_t n = tok->len == 0 ? 0 : tok->len - 1u;

		w->first[i] = 0;
		if (tok->len > 0 && n <= w->len &&
			memcmp(tok->text + 1, name, n) == 0)
			w->first[i] = (uint16_t)(n + 1);
	}
}

static bool
wanted_is(const struct wanted *w, const struct mdb_kallsyms *k,
	const struct mdb_code *code)
{
	size_t done = w->first[code->tokens[0]];

	if (done == 0)
		return false;
	done--;
	for (size_t i = 1; i < code->nr_tokens; i++) {
		const struct mdb_token *tok = &k->t.tokens[code->tokens[i]];

		if (tok->len > w->len - done ||
			memcmp(tok->text, w->name + done, tok->len) != 0)
			return false;
		done += tok->len;
	}
	return done == w->len;
}

/* The wanted name's first symbol in a block; MDB_E_NOTFOUND if not there. */
static enum mdb_status
block_find(struct mdb_ctx *cx, struct mdb_kallsyms *k, uint32_t block,
	const struct wanted *w, uint32_t *idx_out)
{
	uint32_t idx = block * MDB_KALLSYMS_BLOCK;
	uint32_t end = idx + MDB_KALLSYMS_BLOCK;
	struct mdb_code code = { 0 };
	enum mdb_status st;

	if (end > k->t.layout.nr_syms)
		end = k->t.layout.nr_syms;
	st = mdb_kallsyms_marker(cx, &k->t, block, &code.next);
	for (; st == MDB_OK && idx < end; idx++) {
		st = mdb_kallsyms_code(cx, &k->t, code.next, &code);
		if (st == MDB_OK && wanted_is(w, k, &code)) {
			*idx_out = idx;
			return MDB_OK;
		}
	}
	return st == MDB_OK ? MDB_E_NOTFOUND : st;
}

/* A search through blocks, each visited once. */
struct block_search {
	struct mdb_kallsyms *k;
	const struct wanted *wanted;
	uint8_t *visited;
	uint32_t nr_blocks;
	enum mdb_status fault; /* of a block that could not be read */
	uint32_t idx;
};

/* MDB_OK when found there. */
static enum mdb_status
search_visit(struct mdb_ctx *cx, struct block_search *s, int64_t block)
{
	enum mdb_status st;

	if (block < 0 || block >= s->nr_blocks || s->visited[block])
		return MDB_E_NOTFOUND;
	s->visited[block] = 1;
	st = block_find(cx, s->k, (uint32_t)block, s->wanted, &s->idx);
	if (st != MDB_OK && st != MDB_E_NOTFOUND) {
		s->fault = st;
		st = MDB_E_NOTFOUND;
	}
	return st;
}

static enum mdb_status
search_range(struct mdb_ctx *cx, struct block_search *s, uint32_t first,
	uint32_t end)
{
	for (uint32_t b = first; b < end; b++)
		if (search_visit(cx, s, b) == MDB_OK)
			return MDB_OK;
	return MDB_E_NOTFOUND;
}

/* The block that holds the symbol at addr. */
static enum mdb_status
block_of(struct mdb_ctx *cx, struct mdb_kallsyms *k, mdb_addr_t addr,
	uint32_t *block_out)
{
	enum mdb_status st;
	uint32_t low, idx;

	st = mdb_kallsyms_absolute(cx, k, &low);
	if (st != MDB_OK)
		return st;
	if (low >= k->t.layout.nr_syms)
		return MDB_E_NOTFOUND;
	st = mdb_kallsyms_search(cx, k, addr, low, k->t.layout.nr_syms, &idx);
	if (st == MDB_OK)
		*block_out = idx / MDB_KALLSYMS_BLOCK;
	return st;
}

/* Outward from one address. */
static enum mdb_status
search_near(struct mdb_ctx *cx, struct block_search *s, mdb_addr_t addr,
	unsigned int reach)
{
	uint32_t block;

	if (addr < 1u << 31)
		block = 0;
	else if (block_of(cx, s->k, addr, &block) != MDB_OK)
		return MDB_E_NOTFOUND;
	for (int64_t r = 0; r <= (int64_t)reach; r++)
		if (search_visit(cx, s, block + r) == MDB_OK ||
			search_visit(cx, s, block - r) == MDB_OK)
			return MDB_OK;
	return MDB_E_NOTFOUND;
}

static enum mdb_status
search_blocks(struct mdb_ctx *cx, struct block_search *s,
	struct mdb_object *object)
{
	uint32_t head = 0;
	uint32_t text = 0;

	if (mdb_kallsyms_absolute(cx, s->k, &head) == MDB_OK)
		head = (head + MDB_KALLSYMS_BLOCK - 1) / MDB_KALLSYMS_BLOCK;
	if (search_range(cx, s, 0, head) == MDB_OK)
		return MDB_OK;
	for (size_t i = 0; i < s->k->nr_landmarks; i++)
		if (search_near(cx, s, s->k->landmarks[i], MDB_KALLSYMS_NEAR) ==
			MDB_OK)
			return MDB_OK;
	if (object->end == 0 ||
		block_of(cx, s->k, object->end, &text) != MDB_OK)
		text = 0;
	if (search_range(cx, s, text, s->nr_blocks) == MDB_OK)
		return MDB_OK;
	return search_range(cx, s, 0, text);
}

struct where {
	mdb_addr_t addr;
	unsigned int reach; /* blocks on either side */
};

static enum mdb_status
by_blocks(struct mdb_ctx *cx, struct mdb_object *object, const char *name,
	const struct where *only_near, uint32_t *idx_out)
{
	struct mdb_kallsyms *k = object->symtab;
	struct wanted w;
	struct block_search s = { .k = k, .wanted = &w };
	enum mdb_status st;

	wanted_init(&w, k, name);
	s.nr_blocks = mdb_kallsyms_nr_blocks(&k->t.layout);
	s.visited = mdb_xalloc(s.nr_blocks);
	if (only_near != NULL)
		st = search_near(cx, &s, only_near->addr, only_near->reach);
	else
		st = search_blocks(cx, &s, object);
	free(s.visited);
	if (st == MDB_OK) {
		*idx_out = s.idx;
		return MDB_OK;
	}
	if (s.fault != MDB_OK && only_near == NULL)
		return mdb_context(cx, s.fault, "looking for `%s'", name);
	mdb_forget(cx);
	return MDB_E_NOTFOUND;
}

/*
 * Order as the kernel's table has it.  With LTO it goes by what is before the
 * first dot, so both sides are cut there; names with one such stem are
 * neighbours in either order.
 */
static int
stem_compare(const char *a, const char *b)
{
	size_t la = strcspn(a, ".");
	size_t lb = strcspn(b, ".");
	int c = memcmp(a, b, la < lb ? la : lb);

	if (c != 0)
		return c;
	return la < lb ? -1 : la > lb;
}

static enum mdb_status
name_at(struct mdb_ctx *cx, struct mdb_kallsyms *k, uint32_t position,
	char *buf, uint32_t *idx_out)
{
	struct mdb_code code;
	enum mdb_status st;

	st = mdb_kallsyms_seq(cx, &k->t, position, idx_out);
	if (st == MDB_OK)
		st = mdb_kallsyms_code_at(cx, &k->t, *idx_out, &code);
	if (st == MDB_OK && mdb_kallsyms_expand(&k->t, &code, buf) == 0)
		st = mdb_fail(cx, MDB_E_CORRUPT,
			"kallsyms: name of symbol %" PRIu32, *idx_out);
	return st;
}

/*
 * Is this an order of names?  Two neighbours are compared, once: what is none
 * is not used, and names are then sought block by block.
 */
static bool
order_is_sane(struct mdb_ctx *cx, struct mdb_kallsyms *k)
{
	uint32_t middle = k->t.layout.nr_syms / 2;
	char a[MDB_KALLSYMS_MAX_NAME], b[MDB_KALLSYMS_MAX_NAME];
	uint32_t idx;

	if (k->t.layout.seqs == 0 || k->order_checked)
		return k->t.layout.seqs != 0;
	k->order_checked = true;
	if (middle == 0 || name_at(cx, k, middle - 1, a, &idx) != MDB_OK ||
		name_at(cx, k, middle, b, &idx) != MDB_OK ||
		stem_compare(a + 1, b + 1) > 0)
		k->t.layout.seqs = 0;
	mdb_forget(cx);
	return k->t.layout.seqs != 0;
}

/* Position of the first name whose stem is not below the wanted one's. */
static enum mdb_status
seq_lower_bound(struct mdb_ctx *cx, struct mdb_kallsyms *k, const char *name,
	uint32_t *position_out)
{
	char buf[MDB_KALLSYMS_MAX_NAME];
	uint32_t low = 0;
	uint32_t high = k->t.layout.nr_syms;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		enum mdb_status st;
		uint32_t idx;

		st = name_at(cx, k, mid, buf, &idx);
		if (st != MDB_OK)
			return st;
		if (stem_compare(buf + 1, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*position_out = low;
	return MDB_OK;
}

static bool
is_text(char letter)
{
	return letter == 't' || letter == 'T' || letter == 'w' || letter == 'W';
}

static enum mdb_status
by_order(struct mdb_ctx *cx, struct mdb_kallsyms *k, const char *name,
	uint32_t *idx_out)
{
	char buf[MDB_KALLSYMS_MAX_NAME];
	uint32_t best = UINT32_MAX;
	enum mdb_status st;
	uint32_t pos, idx;

	st = seq_lower_bound(cx, k, name, &pos);
	for (; st == MDB_OK && pos < k->t.layout.nr_syms; pos++) {
		st = name_at(cx, k, pos, buf, &idx);
		if (st != MDB_OK || stem_compare(buf + 1, name) != 0)
			break;
		if (strcmp(buf + 1, name) != 0)
			continue;
		if (best == UINT32_MAX)
			best = idx;
		if (!is_text(buf[0])) {
			best = idx;
			break;
		}
	}
	if (st != MDB_OK)
		return st;
	if (best == UINT32_MAX)
		return MDB_E_NOTFOUND;
	*idx_out = best;
	return MDB_OK;
}

enum mdb_status
mdb_kallsyms_by_name(struct mdb_ctx *cx, struct mdb_object *object,
	const char *name, struct mdb_sym *sym_out)
{
	struct mdb_kallsyms *k = object->symtab;
	enum mdb_status st;
	uint32_t idx;

	if (name[0] == '\0' || strlen(name) >= MDB_KALLSYMS_MAX_NAME)
		return MDB_E_NOTFOUND;
	if (order_is_sane(cx, k))
		st = by_order(cx, k, name, &idx);
	else
		st = by_blocks(cx, object, name, NULL, &idx);
	if (st != MDB_OK)
		return st;
	return mdb_kallsyms_sym(cx, object, idx, sym_out);
}

enum mdb_status
mdb_kallsyms_by_name_near(struct mdb_ctx *cx, struct mdb_object *object,
	const char *name, mdb_addr_t near_addr, unsigned int reach,
	struct mdb_sym *sym_out)
{
	const struct where where = { near_addr, reach };
	enum mdb_status st;
	uint32_t idx;

	if (name[0] == '\0' || strlen(name) >= MDB_KALLSYMS_MAX_NAME)
		return MDB_E_NOTFOUND;
	st = by_blocks(cx, object, name, &where, &idx);
	if (st != MDB_OK)
		return st;
	return mdb_kallsyms_sym(cx, object, idx, sym_out);
}
