/* SPDX-License-Identifier: MIT */
/*
 * Address spaces: windows first, then page tables, then the fixed places of
 * what lost tables mapped, with one cache of translations per space.
 *
 * The cache is an array of two-word slots that threads share without a lock:
 * a slot holds (tag ^ frame, frame), so a torn pair does not match its tag
 * and reads as a miss.
 */
#include "mdb/mem/space.h"

#include "mdb/base/alloc.h"
#include "mdb/base/endian.h"
#include "mdb/mem/paging.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#ifdef MDB_TINY
#define NR_SLOTS 2u
#else
#define NR_SLOTS 512u
#endif
#define PAGE_LEN 4096u
#define PAGE_MASK (PAGE_LEN - 1ull)
#define MAX_WINDOWS 4u
#define MAX_STEPS (1ul << 18) /* of one listing: 1 GiB in 4 KiB pages */

struct slot {
	atomic_uint_least64_t check; /* tag ^ frame */
	atomic_uint_least64_t frame; /* machine page address | 1 */
};

struct window {
	mdb_addr_t start, end;
	uint64_t delta;
};

/* What is where by the system's own layout, if its tables cannot say. */
struct fixed {
	mdb_addr_t start, end;
	uint64_t delta;
	unsigned int nr_present; /* levels whose entries must be present */
};

struct mdb_space {
	char *name;
	const struct mdb_memory *mem;
	const struct mdb_arch *arch;
	enum mdb_paging mode;
	mdb_paddr_t root;
	struct window windows[MAX_WINDOWS];
	size_t nr_windows;
	struct fixed fixed[MAX_WINDOWS];
	size_t nr_fixed;
	atomic_bool is_damaged;
	struct slot slots[NR_SLOTS];
};

struct mdb_space *
mdb_space_create(const char *name, const struct mdb_memory *mem,
	const struct mdb_arch *arch, enum mdb_paging mode, mdb_paddr_t root)
{
	struct mdb_space *s = mdb_xalloc(sizeof(*s));

	s->name = mdb_xstrdup(name);
	s->mem = mem;
	s->arch = arch;
	s->mode = mode;
	s->root = root;
	return s;
}

void
mdb_space_destroy(struct mdb_space *s)
{
	if (!s)
		return;
	free(s->name);
	free(s);
}

static void
forget_all(struct mdb_space *s)
{
	for (size_t i = 0; i < NR_SLOTS; i++)
		atomic_store(&s->slots[i].frame, 0);
}

void
mdb_space_add_window(struct mdb_space *s, mdb_addr_t start, mdb_addr_t end,
	uint64_t delta)
{
	if (s->nr_windows < MAX_WINDOWS)
		s->windows[s->nr_windows++] =
			(struct window){ start, end, delta };
	forget_all(s);
}

void
mdb_space_add_fixed(struct mdb_space *s, mdb_addr_t start, mdb_addr_t end,
	uint64_t delta, unsigned int nr_present)
{
	if (s->nr_fixed < MAX_WINDOWS)
		s->fixed[s->nr_fixed++] =
			(struct fixed){ start, end, delta, nr_present };
}

bool
mdb_space_is_damaged(const struct mdb_space *s)
{
	return atomic_load(&s->is_damaged);
}

void
mdb_space_set_root(struct mdb_space *s, enum mdb_paging mode, mdb_paddr_t root)
{
	s->mode = mode;
	s->root = root;
	forget_all(s);
}

enum mdb_paging
mdb_space_paging(const struct mdb_space *s)
{
	return s->mode;
}

mdb_paddr_t
mdb_space_root(const struct mdb_space *s)
{
	return s->root;
}

static const struct window *
window_of(const struct mdb_space *s, mdb_addr_t addr)
{
	for (size_t i = 0; i < s->nr_windows; i++)
		if (addr >= s->windows[i].start && addr < s->windows[i].end)
			return &s->windows[i];
	return NULL;
}

static const struct fixed *
fixed_of(const struct mdb_space *s, mdb_addr_t addr)
{
	for (size_t i = 0; i < s->nr_fixed; i++)
		if (addr >= s->fixed[i].start && addr < s->fixed[i].end)
			return &s->fixed[i];
	return NULL;
}

/* No table is empty where something is mapped: its page was wiped. */
static bool
is_wiped(const struct mdb_space *s, mdb_paddr_t entry_addr)
{
	static const uint8_t zeroes[PAGE_LEN];
	uint8_t page[PAGE_LEN];

	return mdb_memory_try(s->mem, entry_addr & ~PAGE_MASK, page,
		       PAGE_LEN) == MDB_OK &&
	       memcmp(page, zeroes, PAGE_LEN) == 0;
}

/*
 * Did the walk end at a table that is lost, rather than at an address that is
 * not mapped?  Where the machine has no memory nothing was mapped.
 */
static bool
is_lost(const struct mdb_space *s, const struct fixed *f, mdb_addr_t addr,
	const struct mdb_vtop *v, const struct mdb_paging_end *end)
{
	uint8_t byte;

	if (v->nr_steps == 0 || mdb_memory_try(s->mem, addr + f->delta, &byte,
					1) == MDB_E_RANGE)
		return false;
	return end->in_table || end->level < f->nr_present ||
	       is_wiped(s, v->steps[v->nr_steps - 1].entry_addr);
}

static enum mdb_status
place(mdb_paddr_t paddr, struct mdb_vtop *v, struct mdb_paging_end *end)
{
	*v = (struct mdb_vtop){ .paddr = paddr,
		.page_len = PAGE_LEN,
		.writable = true,
		.executable = true };
	*end = (struct mdb_paging_end){ 0, NULL, false };
	return MDB_OK;
}

/* Silent translation, not cached. */
static enum mdb_status
walk(struct mdb_space *s, mdb_addr_t addr, struct mdb_vtop *v,
	struct mdb_paging_end *end)
{
	const struct mdb_paging_mode *mode = mdb_paging_mode_get(s->mode);
	const struct window *w = window_of(s, addr);
	const struct fixed *f;
	enum mdb_status st;

	if (w)
		return place(addr + w->delta, v, end);
	if (!mode) {
		*v = (struct mdb_vtop){ 0 };
		*end = (struct mdb_paging_end){ 0,
			"lies in no known range, and there are no page tables",
			false };
		return MDB_E_UNMAPPED;
	}
	st = mdb_paging_walk(s->mem, mode, s->root, addr, v, end);
	f = st == MDB_OK ? NULL : fixed_of(s, addr);
	if (!f || !is_lost(s, f, addr, v, end))
		return st;
	atomic_store(&s->is_damaged, true);
	return place(addr + f->delta, v, end);
}

static struct slot *
slot_of(struct mdb_space *s, mdb_addr_t page)
{
	return &s->slots[(page >> 12) % NR_SLOTS];
}

static bool
cached(struct mdb_space *s, mdb_addr_t page, mdb_paddr_t *frame_out)
{
	struct slot *slot = slot_of(s, page);
	uint64_t frame =
		atomic_load_explicit(&slot->frame, memory_order_relaxed);
	uint64_t check =
		atomic_load_explicit(&slot->check, memory_order_relaxed);

	if (!frame || (check ^ frame) != page)
		return false;
	*frame_out = frame & ~1ull;
	return true;
}

static void
remember(struct mdb_space *s, mdb_addr_t page, mdb_paddr_t frame)
{
	struct slot *slot = slot_of(s, page);

	frame |= 1;
	atomic_store_explicit(&slot->check, page ^ frame, memory_order_relaxed);
	atomic_store_explicit(&slot->frame, frame, memory_order_relaxed);
}

static enum mdb_status
translate(struct mdb_space *s, mdb_addr_t addr, mdb_paddr_t *paddr_out)
{
	mdb_addr_t page = addr & ~PAGE_MASK;
	mdb_paddr_t frame;

	if (!cached(s, page, &frame)) {
		struct mdb_vtop v;
		struct mdb_paging_end end;
		enum mdb_status st = walk(s, page, &v, &end);

		if (st != MDB_OK)
			return st;
		frame = v.paddr;
		remember(s, page, frame);
	}
	*paddr_out = frame | (addr & PAGE_MASK);
	return MDB_OK;
}

/* Copies what lies in the page of addr. */
static enum mdb_status
read_piece(struct mdb_space *s, mdb_addr_t addr, void *buf, size_t len)
{
	mdb_paddr_t paddr;
	enum mdb_status st = translate(s, addr, &paddr);

	return st == MDB_OK ? mdb_memory_try(s->mem, paddr, buf, len) : st;
}

/* Reads up to the first failure; done_out is how far it came. */
static enum mdb_status
read_pieces(struct mdb_space *s, mdb_addr_t addr, void *buf, size_t len,
	size_t *done_out)
{
	uint8_t *to = buf;
	size_t done = 0;
	enum mdb_status st = MDB_OK;

	while (done < len) {
		size_t n = PAGE_LEN - ((addr + done) & PAGE_MASK);

		if (n > len - done)
			n = len - done;
		st = read_piece(s, addr + done, to + done, n);
		if (st != MDB_OK)
			break;
		done += n;
	}
	*done_out = done;
	return st;
}

static bool
wraps(const struct mdb_space *s, mdb_addr_t addr, size_t len)
{
	uint64_t last = addr + (len ? len - 1 : 0);

	if (last < addr)
		return true;
	return s->arch->addr_bits == 32 && last >> 32 != 0;
}

/* Says why addr cannot be read, by doing it once more, slowly. */
static enum mdb_status
explain(struct mdb_ctx *cx, struct mdb_space *s, mdb_addr_t addr,
	enum mdb_status st)
{
	struct mdb_vtop v;
	struct mdb_paging_end end;
	uint8_t byte;

	if (walk(s, addr, &v, &end) == MDB_OK)
		return mdb_context(cx,
			mdb_memory_read(cx, s->mem, v.paddr, &byte, 1),
			"%#" PRIx64 " (%s)", addr, s->name);
	if (!v.nr_steps)
		return mdb_fail(cx, st, "unmapped: %#" PRIx64 " (%s) %s", addr,
			s->name, end.why);

	const struct mdb_vtop_step *step = &v.steps[v.nr_steps - 1];

	if (end.in_table)
		return mdb_fail(cx, st,
			"%s: %#" PRIx64 " (%s): its %s at %s %#" PRIx64
			" cannot be read",
			mdb_status_name(st), addr, s->name, step->level,
			mdb_memory_address(s->mem), step->entry_addr);
	return mdb_fail(cx, st,
		"unmapped: %#" PRIx64 " (%s): its %s %#" PRIx64
		" at %s %#" PRIx64 " %s",
		addr, s->name, step->level, step->entry,
		mdb_memory_address(s->mem), step->entry_addr, end.why);
}

enum mdb_status
mdb_space_read_some(struct mdb_ctx *cx, struct mdb_space *s, mdb_addr_t addr,
	void *buf, size_t len, size_t *len_out)
{
	size_t done;

	if (wraps(s, addr, len))
		len = (size_t)(0 - addr) ? (size_t)(0 - addr) : 1;
	enum mdb_status st = read_pieces(s, addr, buf, len, &done);

	if (st != MDB_OK && !done)
		return explain(cx, s, addr, st);
	*len_out = done;
	return MDB_OK;
}

enum mdb_status
mdb_space_read(struct mdb_ctx *cx, struct mdb_space *s, mdb_addr_t addr,
	void *buf, size_t len)
{
	size_t done;

	if (wraps(s, addr, len))
		return mdb_fail(cx, MDB_E_RANGE,
			"out of range: %zu bytes at %#" PRIx64
			" (%s) go beyond the end of the address space",
			len, addr, s->name);
	enum mdb_status st = read_pieces(s, addr, buf, len, &done);

	/* Say the first byte that failed, at the start of its page. */
	if (st != MDB_OK)
		return explain(cx, s, addr + done, st);
	return MDB_OK;
}

enum mdb_status
mdb_space_try(struct mdb_space *s, mdb_addr_t addr, void *buf, size_t len)
{
	size_t done;

	return wraps(s, addr, len) ? MDB_E_RANGE
				   : read_pieces(s, addr, buf, len, &done);
}

enum mdb_status
mdb_space_read_uint(struct mdb_ctx *cx, struct mdb_space *s, mdb_addr_t addr,
	size_t size, uint64_t *value_out)
{
	uint8_t bytes[8];

	if (size == 0 || size > sizeof(bytes))
		return mdb_fail(cx, MDB_E_USAGE, "no number has %zu bytes",
			size);
	enum mdb_status st = mdb_space_read(cx, s, addr, bytes, size);

	if (st == MDB_OK)
		*value_out = mdb_le(bytes, size);
	return st;
}

enum mdb_status
mdb_space_vtop(struct mdb_ctx *cx, struct mdb_space *s, mdb_addr_t addr,
	struct mdb_vtop *vtop_out)
{
	struct mdb_paging_end end;
	enum mdb_status st = walk(s, addr, vtop_out, &end);

	return st == MDB_OK ? st : explain(cx, s, addr, st);
}

/* How many bytes from addr on share what the walk at addr found. */
static uint64_t
span_at(const struct mdb_space *s, const struct mdb_vtop *v,
	const struct mdb_paging_end *end, enum mdb_status st)
{
	const struct mdb_paging_mode *mode = mdb_paging_mode_get(s->mode);

	if (st == MDB_OK)
		return v->page_len;
	return 1ull << mode->levels[end->level].shift;
}

static bool
same_rights(const struct mdb_mapped *run, const struct mdb_vtop *v)
{
	return run->writable == v->writable && run->user == v->user &&
	       run->executable == v->executable;
}

/* The first address of the upper half when addr is in the hole, else addr. */
static mdb_addr_t
skip_hole(const struct mdb_paging_mode *mode, mdb_addr_t addr)
{
	if (mode->addr_bits == 32 || mode->is_physical)
		return addr;
	mdb_addr_t low_end = 1ull << (mode->addr_bits - 1);

	return addr >= low_end && addr < 0 - low_end ? 0 - low_end : addr;
}

enum mdb_status
mdb_space_next_mapped(struct mdb_ctx *cx, struct mdb_space *s, mdb_addr_t addr,
	struct mdb_mapped *run_out)
{
	const struct mdb_paging_mode *mode = mdb_paging_mode_get(s->mode);
	struct mdb_mapped run = { 0 };
	bool found = false;

	if (!mode)
		return MDB_DONE;
	for (unsigned long steps = 0;; steps++) {
		struct mdb_vtop v;
		struct mdb_paging_end end;
		mdb_addr_t at = skip_hole(mode, addr);

		if (steps % 1024 == 0 && mdb_check_interrupt(cx) != MDB_OK)
			return MDB_E_INTERRUPTED;
		/* Four tables can map all addresses, page by page. */
		if (steps == MAX_STEPS && found)
			break;
		if (steps == MAX_STEPS)
			return mdb_fail(cx, MDB_E_CORRUPT,
				"the page tables (%s) from %#" PRIx64
				" on have more than %lu entries for nothing",
				s->name, at, MAX_STEPS);
		enum mdb_status st =
			mdb_paging_walk(s->mem, mode, s->root, at, &v, &end);

		if (found &&
			(at != addr || st != MDB_OK || !same_rights(&run, &v)))
			break;
		if (st == MDB_OK && !found) {
			found = true;
			run = (struct mdb_mapped){ at, 0, v.writable, v.user,
				v.executable };
		}
		run.last = at | (span_at(s, &v, &end, st) - 1);
		addr = run.last + 1;
		if (!addr || (mode->addr_bits == 32 && addr >> 32) ||
			(mode->is_physical && addr >> mode->addr_bits))
			break;
	}
	if (!found)
		return MDB_DONE;
	*run_out = run;
	return MDB_OK;
}
