/* SPDX-License-Identifier: MIT */
/*
 * ELF cores: header, program headers, section 0 where there are too many of
 * those (PN_XNUM), notes, memory.  Program headers come right behind the
 * header because crash looks for them there, so their number is estimated
 * before the memory is written; where damage found on the way splits more than
 * was estimated, the whole is done once more with the number known.
 */
#include "cmd/common/elfcore.h"

#include "cmd/common/device.h"
#include "cmd/common/kernelmap.h"
#include "cmd/common/notes.h"
#include "cmd/common/progress.h"
#include "dfmt-bytes.h"
#include "mdb/base/alloc.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE 4096u
#define CHUNK (1u << 20)
#define SPARE 64u
#define MAX_EXTENTS (1u << 20)

/* A run of memory that is there, and where in the file. */
struct extent {
	uint64_t start, end, off;
};

struct elf {
	const struct dfmt *d;
	struct cmd_output *out;
	struct cmd_elf_stats stats;
	struct cmd_progress progress;
	struct dfmt_info info;
	bool is_32;
	struct mdb_buf notes;
	struct extent *extents;
	size_t nr_extents, room;
	struct dfmt_range *image; /* the kernel's, when no range says where */
	size_t nr_image;
	uint64_t nr_reserved; /* program headers that there is room for */
	uint8_t *chunk;
	/* While headers are put. */
	uint64_t nr_put;
	struct mdb_buf headers;
};

static uint64_t
round_page(uint64_t n)
{
	return (n + PAGE - 1) / PAGE * PAGE;
}

/* ---- what is there -------------------------------------------------------
 */

static enum cmd_status
extent_add(struct elf *e, uint64_t start, uint64_t end, uint64_t off,
	struct cmd_error *err)
{
	struct extent *last =
		e->nr_extents > 0 ? &e->extents[e->nr_extents - 1] : NULL;

	if (last != NULL && last->end == start &&
		last->off + (last->end - last->start) == off) {
		last->end = end;
		return CMD_OK;
	}
	if (e->nr_extents == MAX_EXTENTS)
		return cmd_fail(err, CMD_FAILED,
			"the memory is in more than %u pieces: ELF readers do "
			"not take that",
			MAX_EXTENTS);
	if (e->nr_extents == e->room) {
		e->room = e->room == 0 ? 1024 : 2 * e->room;
		e->extents =
			mdb_xrealloc(e->extents, e->room, sizeof(*e->extents));
	}
	e->extents[e->nr_extents++] = (struct extent){ start, end, off };
	return CMD_OK;
}

/* Everything that the dump says it has; off is set later. */
static enum cmd_status
find_extents(struct elf *e, uint64_t *bytes_out, struct cmd_error *err)
{
	uint64_t addr = 0, start, end;
	enum cmd_status st = CMD_OK;

	e->nr_extents = 0;
	*bytes_out = 0;
	while (st == CMD_OK &&
		dfmt_next_range(e->d, addr, &start, &end, NULL) == DFMT_OK) {
		if (end <= start || start < addr)
			break;
		/* off such that neighbours join. */
		st = extent_add(e, start, end, start, err);
		*bytes_out += end - start;
		addr = end;
	}
	return st;
}

/* ---- program headers -----------------------------------------------------
 */

static void
word(struct elf *e, uint64_t value, unsigned int len)
{
	for (unsigned int i = 0; i < len; i++)
		mdb_buf_putc(&e->headers, (char)(i < 8 ? value >> (8 * i) : 0));
}

static void
native_word(struct elf *e, uint64_t value)
{
	word(e, value, e->is_32 ? 4 : 8);
}

static void
phdr(struct elf *e, uint32_t type, uint64_t off, uint64_t vaddr, uint64_t paddr,
	uint64_t len)
{
	uint32_t flags = type == PT_LOAD ? PF_R | PF_W | PF_X : 0;

	e->nr_put++;
	word(e, type, 4);
	if (!e->is_32)
		word(e, flags, 4);
	native_word(e, off);
	native_word(e, vaddr);
	native_word(e, paddr);
	native_word(e, len);
	native_word(e, type == PT_LOAD ? len : 0);
	if (e->is_32)
		word(e, flags, 4);
	native_word(e, type == PT_LOAD ? 0 : 4);
}

/* The first extent that ends behind addr. */
static size_t
extent_find(const struct elf *e, uint64_t addr)
{
	size_t lo = 0, hi = e->nr_extents;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (e->extents[mid].end <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* PT_LOADs for what is there of one range; put: write them, else count. */
static void
range_loads(struct elf *e, const struct dfmt_range *r, bool put)
{
	uint64_t end =
		r->addr + r->len < r->addr ? UINT64_MAX : r->addr + r->len;

	for (size_t i = extent_find(e, r->addr);
		i < e->nr_extents && e->extents[i].start < end; i++) {
		const struct extent *x = &e->extents[i];
		uint64_t from = x->start > r->addr ? x->start : r->addr;
		uint64_t to = x->end < end ? x->end : end;
		/* All ones: at none.  0 would be taken for an address. */
		uint64_t vaddr = r->vaddr == DFMT_NONE
					 ? DFMT_NONE
					 : r->vaddr + (from - r->addr);

		if (put)
			phdr(e, PT_LOAD, x->off + (from - x->start), vaddr,
				from, to - from);
		else
			e->nr_put++;
	}
}

static void
all_loads(struct elf *e, bool put)
{
	const struct dfmt_range all = { 0, UINT64_MAX, DFMT_NONE };

	for (size_t i = 0; i < e->nr_image; i++)
		range_loads(e, &e->image[i], put);
	for (size_t i = 0; i < dfmt_nr_ranges(e->d); i++) {
		struct dfmt_range r = dfmt_range_at(e->d, i);

		range_loads(e, &r, put);
	}
	if (dfmt_nr_ranges(e->d) == 0)
		range_loads(e, &all, put);
}

/* Where nothing says at which virtual addresses, the kernel's tables do. */
static void
find_image(struct elf *e)
{
	for (size_t i = 0; i < dfmt_nr_ranges(e->d); i++) {
		if (dfmt_range_at(e->d, i).vaddr != DFMT_NONE)
			return;
	}
	e->image = cmd_kernel_ranges(e->d, &e->nr_image);
}

static uint64_t
count_loads(struct elf *e)
{
	e->nr_put = 0;
	all_loads(e, false);
	return e->nr_put;
}

/* ---- memory --------------------------------------------------------------
 */

static bool
is_zero(const uint8_t *p, size_t len)
{
	return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

/* Writes what is not zero; holes are zeros already. */
static enum cmd_status
put_memory(struct elf *e, const uint8_t *p, size_t len, uint64_t off,
	struct cmd_error *err)
{
	enum cmd_status st = CMD_OK;
	size_t at = 0;

	while (at < len && st == CMD_OK) {
		size_t run = 0;

		while (at < len && is_zero(p + at, dfmt_min(PAGE, len - at))) {
			at += dfmt_min(PAGE, len - at);
			e->stats.nr_zero++;
		}
		while (at + run < len &&
			!is_zero(p + at + run, dfmt_min(PAGE, len - at - run)))
			run += dfmt_min(PAGE, len - at - run);
		if (run > 0)
			st = cmd_output_write(e->out, p + at, run, off + at,
				err);
		at += run;
	}
	return st;
}

static enum cmd_status
take_memory(struct elf *e, uint64_t addr, size_t len, uint64_t off,
	struct cmd_error *err)
{
	enum cmd_status st = extent_add(e, addr, addr + len, off, err);

	e->stats.nr_pages += (len + PAGE - 1) / PAGE;
	return st == CMD_OK ? put_memory(e, e->chunk, len, off, err) : st;
}

/* A chunk that cannot be read as a whole: page by page. */
static enum cmd_status
by_page(struct elf *e, uint64_t addr, size_t len, uint64_t off,
	struct cmd_error *err)
{
	enum cmd_status st = CMD_OK;

	for (size_t at = 0; at < len && st == CMD_OK;) {
		size_t n = PAGE - (addr + at) % PAGE;

		n = n < len - at ? n : len - at;
		if (dfmt_read(e->d, addr + at, e->chunk, n, NULL) == DFMT_OK)
			st = take_memory(e, addr + at, n, off + at, err);
		else
			e->stats.nr_lost++;
		at += n;
	}
	return st;
}

static enum cmd_status
copy_extent(struct elf *e, const struct extent *x, uint64_t off,
	struct cmd_error *err)
{
	enum cmd_status st = CMD_OK;
	uint64_t addr = x->start;

	while (addr < x->end && st == CMD_OK) {
		/* Chunks end where memory does that is a multiple of one. */
		size_t len = CHUNK - addr % CHUNK;

		len = len < x->end - addr ? len : (size_t)(x->end - addr);
		if (dfmt_read(e->d, addr, e->chunk, len, NULL) == DFMT_OK)
			st = take_memory(e, addr, len, off, err);
		else
			st = by_page(e, addr, len, off, err);
		addr += len;
		off += len;
		cmd_progress_set(&e->progress, e->stats.nr_pages * PAGE);
	}
	e->stats.len = off;
	return st;
}

/* ---- the whole -----------------------------------------------------------
 */

static void
ehdr(struct elf *e, uint64_t nr, uint64_t shoff)
{
	uint64_t word_len = e->is_32 ? 4 : 8;
	uint64_t ehsize = 40 + 3 * word_len;

	mdb_buf_add(&e->headers, ELFMAG, SELFMAG);
	word(e, e->is_32 ? ELFCLASS32 : ELFCLASS64, 1);
	word(e, ELFDATA2LSB, 1);
	word(e, EV_CURRENT, 1);
	word(e, 0, 9);
	word(e, ET_CORE, 2);
	word(e, e->info.machine, 2);
	word(e, EV_CURRENT, 4);
	native_word(e, 0);
	native_word(e, ehsize);
	native_word(e, nr < PN_XNUM ? 0 : shoff);
	word(e, 0, 4);
	word(e, ehsize, 2);
	word(e, e->is_32 ? 32 : 56, 2);
	word(e, nr < PN_XNUM ? nr : PN_XNUM, 2);
	word(e, nr < PN_XNUM ? 0 : e->is_32 ? 40 : 64, 2);
	word(e, nr < PN_XNUM ? 0 : 1, 2);
	word(e, 0, 2);
}

/* Section 0 holds the number of program headers in sh_info. */
static void
section_0(struct elf *e, uint64_t nr)
{
	size_t start = e->headers.len;

	word(e, 0, e->is_32 ? 28 : 44);
	word(e, nr, 4);
	word(e, 0, (e->is_32 ? 40u : 64u) - (e->headers.len - start));
}

static uint64_t
headers_len(const struct elf *e)
{
	return 64 + 56 * (e->nr_reserved + 1) + 64;
}

/* All in front of the memory, into room that was left for it. */
static enum cmd_status
put_headers(struct elf *e, struct cmd_error *err)
{
	bool notes = e->notes.len > 0;
	uint64_t nr = count_loads(e) + notes;
	uint64_t ehsize = e->is_32 ? 52 : 64, phsize = e->is_32 ? 32 : 56;

	mdb_buf_reset(&e->headers);
	ehdr(e, nr, ehsize + nr * phsize);
	e->nr_put = 0;
	if (notes)
		phdr(e, PT_NOTE, headers_len(e), 0, 0, e->notes.len);
	all_loads(e, true);
	e->stats.nr_loads = e->nr_put - notes;
	if (nr >= PN_XNUM)
		section_0(e, nr);
	return cmd_output_write(e->out, e->headers.data, e->headers.len, 0,
		err);
}

/* One pass over all memory; done_out false: more headers than reserved. */
static enum cmd_status
attempt(struct elf *e, bool *done_out, struct cmd_error *err)
{
	struct extent *plan = e->extents;
	size_t nr_plan = e->nr_extents;
	uint64_t off = round_page(headers_len(e) + e->notes.len);
	enum cmd_status st = cmd_output_write(e->out, e->notes.data,
		e->notes.len, headers_len(e), err);

	e->extents = NULL;
	e->nr_extents = e->room = 0;
	e->stats = (struct cmd_elf_stats){ .len = off };
	for (size_t i = 0; i < nr_plan && st == CMD_OK; i++) {
		off += plan[i].start % PAGE;
		st = copy_extent(e, &plan[i], off, err);
		off = round_page(off + (plan[i].end - plan[i].start));
	}
	*done_out = count_loads(e) <= e->nr_reserved;
	if (st == CMD_OK && *done_out)
		st = put_headers(e, err);
	if (st == CMD_OK && !*done_out && ftruncate(e->out->fd, 0) != 0)
		st = cmd_fail_errno(err, CMD_FAILED, "%s/%s", e->out->dir,
			e->out->part);
	free(plan);
	return st;
}

static enum cmd_status
write_all(struct elf *e, bool verbose, struct cmd_error *err)
{
	uint64_t bytes;
	bool done = false;
	enum cmd_status st = find_extents(e, &bytes, err);

	if (st != CMD_OK)
		return st;
	e->nr_reserved = count_loads(e) + SPARE;
	while (st == CMD_OK && !done) {
		cmd_progress_start(&e->progress, "writing", bytes, verbose);
		st = attempt(e, &done, err);
		cmd_progress_end(&e->progress, e->stats.nr_pages * PAGE);
		if (st == CMD_OK && !done) {
			e->nr_reserved = count_loads(e);
			st = find_extents(e, &bytes, err);
		}
	}
	return st;
}

enum cmd_status
cmd_elf_write(const struct dfmt *d, struct cmd_output *out, bool verbose,
	struct cmd_elf_stats *stats_out, struct cmd_error *err)
{
	struct elf e = { .d = d, .out = out };
	enum cmd_status st;

	dfmt_info_get(d, &e.info);
	e.is_32 = e.info.machine == DFMT_MACHINE_I386 &&
		  e.info.max_addr <= UINT64_C(1) << 31;
	mdb_buf_init(&e.notes);
	mdb_buf_init(&e.headers);
	if (dfmt_nr_notes(d) > 0)
		cmd_notes_copy(d, &e.notes);
	else
		cmd_notes_make(d, &e.notes);
	find_image(&e);
	e.chunk = mdb_xalloc(CHUNK);
	st = write_all(&e, verbose, err);
	if (st == CMD_OK)
		st = cmd_output_sync(out, e.stats.len, err);
	*stats_out = e.stats;
	free(e.chunk);
	free(e.extents);
	free(e.image);
	mdb_buf_fini(&e.notes);
	mdb_buf_fini(&e.headers);
	return st;
}
