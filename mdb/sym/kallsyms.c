/* SPDX-License-Identifier: MIT */
/*
 * Symbols by address, and all of them, from the kallsyms tables.
 *
 * By address: an interpolating binary search that touches few pages of the
 * addresses, then one block of names.
 */
#include "mdb/sym/kallsyms.h"

#include "mdb/base/alloc.h"
#include "mdb/sym/kallsyms_table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Symbols that share one address, at most, before we stop looking. */
#define MAX_ALIASES 4096u

enum mdb_status
mdb_kallsyms_create(struct mdb_ctx *cx, struct mdb_space *space,
	const struct mdb_kallsyms_layout *layout,
	struct mdb_kallsyms **table_out)
{
	struct mdb_kallsyms *k = mdb_xalloc(sizeof(*k));
	enum mdb_status st;

	st = mdb_kallsyms_tables_init(cx, &k->t, space, layout);
	if (st != MDB_OK) {
		free(k);
		return st;
	}
	k->nr_absolute = UINT32_MAX;
	*table_out = k;
	return MDB_OK;
}

void
mdb_kallsyms_destroy(struct mdb_kallsyms *k)
{
	if (k == NULL)
		return;
	mdb_kallsyms_tables_fini(&k->t);
	free(k);
}

const struct mdb_kallsyms_layout *
mdb_kallsyms_layout(const struct mdb_kallsyms *k)
{
	return &k->t.layout;
}

void
mdb_kallsyms_add_landmark(struct mdb_kallsyms *k, mdb_addr_t addr)
{
	if (k->nr_landmarks < MDB_KALLSYMS_MAX_LANDMARKS)
		k->landmarks[k->nr_landmarks++] = addr;
}

void
mdb_kallsyms_set_percpu(struct mdb_kallsyms *k, mdb_addr_t start,
	mdb_addr_t end)
{
	k->percpu_start = start;
	k->percpu_end = end;
}

enum mdb_status
mdb_kallsyms_range(struct mdb_ctx *cx, struct mdb_kallsyms *k,
	mdb_addr_t *first_out, mdb_addr_t *last_out,
	mdb_addr_t *percpu_last_out)
{
	uint32_t n = k->t.layout.nr_syms;
	mdb_addr_t first, last;
	mdb_addr_t percpu = 0;
	enum mdb_status st;
	uint32_t low;

	st = mdb_kallsyms_absolute(cx, k, &low);
	if (st == MDB_OK && low >= n)
		st = mdb_fail(cx, MDB_E_CORRUPT,
			"kallsyms: no symbol of the image");
	if (st == MDB_OK && low > 0)
		st = mdb_kallsyms_address(cx, &k->t, low - 1, &percpu);
	if (st == MDB_OK)
		st = mdb_kallsyms_address(cx, &k->t, low, &first);
	if (st == MDB_OK)
		st = mdb_kallsyms_address(cx, &k->t, n - 1, &last);
	if (st != MDB_OK)
		return st;
	*first_out = first;
	*last_out = last;
	*percpu_last_out = percpu;
	return MDB_OK;
}

/* ---- one symbol ----------------------------------------------------------
 */

static enum mdb_sym_kind
kind_of(const struct mdb_kallsyms *k, char letter, mdb_addr_t value)
{
	if (k->percpu_start < k->percpu_end && value >= k->percpu_start &&
		value <= k->percpu_end)
		return MDB_SYM_PERCPU;
	switch (letter) {
	case 't':
	case 'T':
	case 'w':
	case 'W':
		return MDB_SYM_FUNC;
	case 'a':
	case 'A':
		return MDB_SYM_ABS;
	default:
		return MDB_SYM_DATA;
	}
}

/* The address of the first symbol after idx that has another one; 0: none. */
static mdb_addr_t
next_address(struct mdb_ctx *cx, struct mdb_kallsyms *k, uint32_t idx,
	mdb_addr_t value)
{
	uint32_t n = k->t.layout.nr_syms;
	uint32_t last = n - idx > MAX_ALIASES ? idx + MAX_ALIASES : n;

	for (uint32_t i = idx + 1; i < last; i++) {
		mdb_addr_t addr;

		if (mdb_kallsyms_address(cx, &k->t, i, &addr) != MDB_OK) {
			mdb_forget(cx);
			return 0;
		}
		if (addr > value)
			return addr;
	}
	return 0;
}

/* The per-CPU range ends the last per-CPU variable, not the kernel's text. */
static mdb_addr_t
clip_next(const struct mdb_kallsyms *k, mdb_addr_t value, mdb_addr_t next)
{
	/* Offsets from 0 have nothing behind their end, so that is clipped. */
	bool inside = value < k->percpu_end ||
		      (k->percpu_start == 0 && value == k->percpu_end);

	if (k->percpu_start < k->percpu_end && inside && next > k->percpu_end)
		return k->percpu_end;
	return next;
}

/* text is the letter and the name; next the next symbol's address or 0. */
static void
sym_fill(struct mdb_object *object, const char *text, mdb_addr_t value,
	mdb_addr_t next, struct mdb_sym *sym)
{
	const struct mdb_kallsyms *k = object->symtab;
	char letter = text[0];

	next = clip_next(k, value, next);
	memset(sym, 0, sizeof(*sym));
	sym->object = object;
	sym->name = text + 1;
	sym->value = value;
	sym->size = next > value ? next - value : 0;
	sym->letter = letter;
	sym->global = (letter >= 'A' && letter <= 'Z') || letter == 'u';
	sym->kind = kind_of(k, letter, value);
}

enum mdb_status
mdb_kallsyms_sym(struct mdb_ctx *cx, struct mdb_object *object, uint32_t idx,
	struct mdb_sym *sym_out)
{
	struct mdb_kallsyms *k = object->symtab;
	char buf[MDB_KALLSYMS_MAX_NAME];
	struct mdb_code code;
	enum mdb_status st;
	mdb_addr_t value;
	char *name;
	size_t len;

	st = mdb_kallsyms_code_at(cx, &k->t, idx, &code);
	if (st == MDB_OK)
		st = mdb_kallsyms_address(cx, &k->t, idx, &value);
	if (st != MDB_OK)
		return st;
	len = mdb_kallsyms_expand(&k->t, &code, buf);
	if (len < 2)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"kallsyms: name of symbol %" PRIu32, idx);
	name = mdb_tmp(cx, len + 1);
	memcpy(name, buf, len + 1);
	sym_fill(object, name, value, next_address(cx, k, idx, value), sym_out);
	return MDB_OK;
}

/* ---- by address ----------------------------------------------------------
 */

/* A bracket: symbol low is at or below the address sought, high is above. */
struct bracket {
	mdb_addr_t addr;
	uint32_t low, high;
	mdb_addr_t low_addr, high_addr;
};

static enum mdb_status
bracket_try(struct mdb_ctx *cx, struct mdb_kallsyms *k, struct bracket *b,
	uint32_t idx)
{
	enum mdb_status st;
	mdb_addr_t at;

	if (idx <= b->low || idx >= b->high)
		return MDB_OK;
	st = mdb_kallsyms_address(cx, &k->t, idx, &at);
	if (st != MDB_OK)
		return st;
	if (at <= b->addr) {
		b->low = idx;
		b->low_addr = at;
	} else {
		b->high = idx;
		b->high_addr = at;
	}
	return MDB_OK;
}

/* Narrows the bracket by a page that was read, from its ends inward. */
static enum mdb_status
bracket_page(struct mdb_ctx *cx, struct mdb_kallsyms *k, struct bracket *b,
	size_t page)
{
	const struct mdb_lazy *lazy = &k->t.addresses;
	size_t width = k->t.layout.form == MDB_KALLSYMS_ADDRESSES ? 8 : 4;
	size_t first = 0;
	enum mdb_status st;

	if (page > 0)
		first = (page * MDB_LAZY_PAGE - lazy->skip + width - 1) / width;
	st = bracket_try(cx, k, b, (uint32_t)first);
	first = ((page + 1) * MDB_LAZY_PAGE - lazy->skip) / width;
	if (st == MDB_OK && first > 0)
		st = bracket_try(cx, k, b, (uint32_t)first - 1);
	return st;
}

/* Narrows the bracket by what was read before: that costs no page. */
static enum mdb_status
bracket_known(struct mdb_ctx *cx, struct mdb_kallsyms *k, struct bracket *b)
{
	const struct mdb_lazy *lazy = &k->t.addresses;
	size_t nr_pages = (lazy->skip + lazy->len) / MDB_LAZY_PAGE;
	enum mdb_status st = MDB_OK;

	if (lazy->nr_present > MDB_LAZY_FEW)
		return MDB_OK;
	for (size_t i = 0; st == MDB_OK && i < nr_pages; i++)
		if (lazy->present[i])
			st = bracket_page(cx, k, b, i);
	return st;
}

/* One probe, and what else its page tells. */
static enum mdb_status
bracket_probe(struct mdb_ctx *cx, struct mdb_kallsyms *k, struct bracket *b,
	uint32_t idx)
{
	size_t width = k->t.layout.form == MDB_KALLSYMS_ADDRESSES ? 8 : 4;
	size_t page = (k->t.addresses.skip + idx * width) / MDB_LAZY_PAGE;
	enum mdb_status st = bracket_try(cx, k, b, idx);

	if (st != MDB_OK || b->high - b->low < 2)
		return st;
	return bracket_page(cx, k, b, page);
}

static uint32_t
bracket_guess(const struct bracket *b, unsigned int step)
{
	uint32_t n = b->high - b->low;
	double share;

	/* Every third step halves: that bounds the work on any table. */
	if (step % 3 == 2 || n < 512 || b->high_addr <= b->low_addr)
		return b->low + n / 2;
	share = (double)(b->addr - b->low_addr) /
		(double)(b->high_addr - b->low_addr);
	return b->low + 1 + (uint32_t)(share * (double)(n - 2));
}

/*
 * By interpolation, which touches fewer pages than halving does, and within
 * what earlier searches have read.
 */
enum mdb_status
mdb_kallsyms_search(struct mdb_ctx *cx, struct mdb_kallsyms *k, mdb_addr_t addr,
	uint32_t low, uint32_t high, uint32_t *idx_out)
{
	struct bracket b = { .addr = addr, .low = low, .high = high - 1 };
	enum mdb_status st;

	st = mdb_kallsyms_address(cx, &k->t, low, &b.low_addr);
	if (st == MDB_OK)
		st = mdb_kallsyms_address(cx, &k->t, b.high, &b.high_addr);
	if (st != MDB_OK)
		return st;
	if (b.low_addr >= addr || b.high_addr <= addr) {
		*idx_out = b.low_addr >= addr ? low : b.high;
		return MDB_OK;
	}
	st = bracket_known(cx, k, &b);
	for (unsigned int i = 0; st == MDB_OK && b.high - b.low > 1; i++)
		st = bracket_probe(cx, k, &b, bracket_guess(&b, i));
	if (st == MDB_OK)
		*idx_out = b.low;
	return st;
}

/* How many symbols come before those of the image: absolute per-CPU ones. */
enum mdb_status
mdb_kallsyms_absolute(struct mdb_ctx *cx, struct mdb_kallsyms *k,
	uint32_t *nr_out)
{
	const struct mdb_kallsyms_layout *l = &k->t.layout;
	enum mdb_status st = MDB_OK;
	uint32_t low = 0;
	uint32_t high = l->nr_syms;
	mdb_addr_t at;

	if (k->nr_absolute == UINT32_MAX) {
		while (st == MDB_OK && low < high) {
			/* They are few: steps of a page, then bisection. */
			uint32_t mid = high - low > 4096
					       ? low + 1023
					       : low + (high - low) / 2;

			st = mdb_kallsyms_address(cx, &k->t, mid, &at);
			if (st == MDB_OK && at < 1u << 31)
				low = mid + 1;
			else
				high = mid;
		}
		if (st != MDB_OK)
			return st;
		k->nr_absolute = low;
	}
	*nr_out = k->nr_absolute;
	return MDB_OK;
}

/* The first of the symbols that share idx's address. */
static enum mdb_status
first_alias(struct mdb_ctx *cx, struct mdb_kallsyms *k, uint32_t *idx)
{
	mdb_addr_t value, at;
	enum mdb_status st;

	st = mdb_kallsyms_address(cx, &k->t, *idx, &value);
	for (unsigned int i = 0; st == MDB_OK && *idx > 0 && i < MAX_ALIASES;
		i++) {
		st = mdb_kallsyms_address(cx, &k->t, *idx - 1, &at);
		if (st != MDB_OK || at != value)
			break;
		(*idx)--;
	}
	return st;
}

static enum mdb_status
kallsyms_by_addr(struct mdb_ctx *cx, struct mdb_object *object, mdb_addr_t addr,
	bool near, struct mdb_sym *sym_out)
{
	struct mdb_kallsyms *k = object->symtab;
	uint32_t n = k->t.layout.nr_syms;
	enum mdb_status st;
	struct mdb_sym sym;
	mdb_addr_t first;
	uint32_t low, idx;

	st = mdb_kallsyms_absolute(cx, k, &low);
	if (st != MDB_OK)
		return st;
	if (low >= n)
		return MDB_E_NOTFOUND;
	st = mdb_kallsyms_address(cx, &k->t, low, &first);
	if (st != MDB_OK)
		return st;
	if (addr < first)
		return MDB_E_NOTFOUND;
	st = mdb_kallsyms_search(cx, k, addr, low, n, &idx);
	if (st == MDB_OK)
		st = first_alias(cx, k, &idx);
	if (st == MDB_OK)
		st = mdb_kallsyms_sym(cx, object, idx, &sym);
	if (st != MDB_OK)
		return st;
	if (!near && sym.size != 0 && addr - sym.value >= sym.size)
		return MDB_E_NOTFOUND;
	if (!near && sym.size == 0 && addr != sym.value)
		return MDB_E_NOTFOUND;
	*sym_out = sym;
	return MDB_OK;
}

/* ---- all -----------------------------------------------------------------
 */

/* One block, decoded: letter and name, address, and the next address. */
struct block {
	const char *names[MDB_KALLSYMS_BLOCK]; /* NULL: empty or too long */
	mdb_addr_t values[MDB_KALLSYMS_BLOCK];
	mdb_addr_t nexts[MDB_KALLSYMS_BLOCK];
	uint32_t nr;
};

/* Where a block's names end; the last one's is found by walking it. */
static enum mdb_status
block_span(struct mdb_ctx *cx, struct mdb_kallsyms *k, uint32_t block,
	uint32_t nr, uint64_t *start_out, uint64_t *end_out)
{
	struct mdb_code code = { 0 };
	enum mdb_status st;

	st = mdb_kallsyms_marker(cx, &k->t, block, start_out);
	if (st != MDB_OK)
		return st;
	if (block + 1 < mdb_kallsyms_nr_blocks(&k->t.layout))
		return mdb_kallsyms_marker(cx, &k->t, block + 1, end_out);
	code.next = *start_out;
	for (uint32_t i = 0; st == MDB_OK && i < nr; i++)
		st = mdb_kallsyms_code(cx, &k->t, code.next, &code);
	*end_out = code.next;
	return st;
}

/* The code at p, which has room bytes; its whole length, 0 if it does not
 * fit. */
static size_t
code_parse(const uint8_t *p, size_t room, struct mdb_code *code)
{
	size_t head = 1;
	size_t n;

	if (room < 2)
		return 0;
	n = p[0];
	if (n & 0x80) {
		n = (n & 0x7f) | (size_t)(p[1] & 0x7f) << 7;
		head = 2;
	}
	if (n == 0 || n > room - head)
		return 0;
	code->tokens = p + head;
	code->nr_tokens = n;
	return head + n;
}

/* Room for most blocks' names; what is over goes piece by piece. */
#define TEXT_LEN (32u << 10)

/* Expands a block's names into memory that lives until the command ends. */
static enum mdb_status
block_names(struct mdb_ctx *cx, struct mdb_kallsyms *k, uint32_t block,
	struct block *b)
{
	char text[TEXT_LEN];
	uint64_t start, end;
	size_t used = 0;
	uint32_t first = 0; /* of those in text */
	enum mdb_status st;
	const uint8_t *p;

	st = block_span(cx, k, block, b->nr, &start, &end);
	if (st == MDB_OK && end <= start)
		st = mdb_fail(cx, MDB_E_CORRUPT, "kallsyms: block %" PRIu32,
			block);
	if (st == MDB_OK)
		st = mdb_lazy_get(cx, &k->t.names, start, end - start, &p);
	for (uint32_t i = 0; st == MDB_OK && i < b->nr; i++) {
		struct mdb_code code;
		size_t n = code_parse(p, end - start, &code);

		if (n == 0)
			return mdb_fail(cx, MDB_E_CORRUPT,
				"kallsyms: names of block %" PRIu32, block);
		p += n;
		start += n;
		used += mdb_kallsyms_expand(&k->t, &code, text + used) + 1;
		if (i + 1 < b->nr && TEXT_LEN - used >= MDB_KALLSYMS_MAX_NAME)
			continue;
		char *copy = memcpy(mdb_tmp(cx, used), text, used);

		for (; first <= i; first++) {
			b->names[first] = copy;
			copy += strlen(copy) + 1;
		}
		used = 0;
	}
	return st;
}

static enum mdb_status
block_addresses(struct mdb_ctx *cx, struct mdb_kallsyms *k, uint32_t first,
	struct block *b)
{
	enum mdb_status st = MDB_OK;
	mdb_addr_t next;

	for (uint32_t i = 0; st == MDB_OK && i < b->nr; i++)
		st = mdb_kallsyms_address(cx, &k->t, first + i, &b->values[i]);
	if (st != MDB_OK)
		return st;
	next = next_address(cx, k, first + b->nr - 1, b->values[b->nr - 1]);
	for (uint32_t i = b->nr; i-- > 0;) {
		if (i + 1 < b->nr && b->values[i + 1] > b->values[i])
			next = b->values[i + 1];
		b->nexts[i] = next;
	}
	return MDB_OK;
}

static enum mdb_status
block_each(struct mdb_ctx *cx, struct mdb_object *object, uint32_t block,
	mdb_sym_fn *fn, void *arg)
{
	struct mdb_kallsyms *k = object->symtab;
	uint32_t first = block * MDB_KALLSYMS_BLOCK;
	struct block b;
	enum mdb_status st;

	b.nr = k->t.layout.nr_syms - first;
	if (b.nr > MDB_KALLSYMS_BLOCK)
		b.nr = MDB_KALLSYMS_BLOCK;
	st = block_names(cx, k, block, &b);
	if (st == MDB_OK)
		st = block_addresses(cx, k, first, &b);
	for (uint32_t i = 0; st == MDB_OK && i < b.nr; i++) {
		struct mdb_sym sym;

		if (b.names[i][0] == '\0' || b.names[i][1] == '\0')
			continue;
		sym_fill(object, b.names[i], b.values[i], b.nexts[i], &sym);
		st = fn(cx, &sym, arg);
	}
	return st;
}

static enum mdb_status
kallsyms_each(struct mdb_ctx *cx, struct mdb_object *object, mdb_sym_fn *fn,
	void *arg)
{
	struct mdb_kallsyms *k = object->symtab;
	uint32_t nr_blocks = mdb_kallsyms_nr_blocks(&k->t.layout);

	for (uint32_t b = 0; b < nr_blocks; b++) {
		enum mdb_status st = block_each(cx, object, b, fn, arg);

		if (mdb_is_fault(st)) {
			mdb_warn(cx, st, "symbols %" PRIu32 "..%" PRIu32,
				b * MDB_KALLSYMS_BLOCK,
				(b + 1) * MDB_KALLSYMS_BLOCK - 1);
			continue;
		}
		if (st != MDB_OK)
			return st == MDB_DONE ? MDB_OK : st;
	}
	return MDB_OK;
}

static void
kallsyms_destroy(void *symtab)
{
	mdb_kallsyms_destroy(symtab);
}

const struct mdb_symtab_ops mdb_kallsyms_ops = {
	.by_name = mdb_kallsyms_by_name,
	.by_addr = kallsyms_by_addr,
	.each = kallsyms_each,
	.destroy = kallsyms_destroy,
};
