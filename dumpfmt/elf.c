/* SPDX-License-Identifier: MIT */
/*
 * ELF core files, 32 and 64 bit, little endian: /proc/vmcore of Linux,
 * makedumpfile -E, QEMU's dump-guest-memory.  Layouts: System V gABI, chapters
 * 4 and 5; PN_XNUM: elf(5).
 *
 * Segments may overlap in machine addresses (QEMU -p states a frame once for
 * each virtual range; kexec states the kernel's text twice): what they hold is
 * cut into disjoint runs sorted by address, the first to begin wins.  Every
 * look-up is a binary search.  What is past p_filesz in a segment was not
 * written: it is a tail, excluded, never zeros.
 */
#include "dfmt-impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EHDR_MAX 64
#define ET_CORE 4
#define PT_LOAD 1
#define PT_NOTE 4
#define PN_XNUM 0xffff
#define MAX_SEGMENTS (1u << 20)
#define MAX_NOTE_SEGMENTS 65536u

/* A run of machine memory; for a tail, offset has no meaning. */
struct run {
	uint64_t start;
	uint64_t end; /* exclusive */
	uint64_t offset;
};

struct runs {
	struct run *runs;
	size_t nr;
};

struct elf {
	struct runs file;  /* in the file, or it would be were it whole */
	struct runs tails; /* stated, not in the file */
};

struct header {
	bool is_64;
	uint64_t phoff;
	uint64_t shoff;
	uint32_t phentsize;
	uint32_t phnum;
};

struct segment {
	uint32_t type;
	uint64_t offset, vaddr, paddr, filesz, memsz;
};

/* ---- header ------------------------------------------------------------- */

static enum dfmt_status
malformed(struct dfmt_err *err, const char *what, uint64_t off)
{
	return dfmt_fail(err, DFMT_E_MALFORMED, what, off, DFMT_NONE);
}

static enum dfmt_status
ident_check(const uint8_t *p, uint64_t size, struct dfmt_err *err)
{
	if (size < 20 || memcmp(p, "\177ELF", 4) != 0)
		return DFMT_E_FORMAT;
	if (p[4] != 1 && p[4] != 2)
		return malformed(err, "ELF header: neither 32 nor 64 bit", 4);
	if (p[5] == 2)
		return dfmt_fail(err, DFMT_E_UNSUPPORTED,
			"ELF header: a big-endian file", 5, DFMT_NONE);
	if (p[5] != 1)
		return malformed(err, "ELF header: unknown byte order", 5);
	if (p[6] != 1)
		return malformed(err, "ELF header: unknown version", 6);
	if (dfmt_le16(p + 16) != ET_CORE)
		return dfmt_fail(err, DFMT_E_FORMAT,
			"an ELF file, but no core dump", 16, DFMT_NONE);
	if (size < (p[4] == 2 ? 64 : 52))
		return dfmt_fail(err, DFMT_E_LOST,
			"ELF header: the file ends in it", size, DFMT_NONE);
	return DFMT_OK;
}

/* e_phnum, or where it does not fit: sh_info of the first section header. */
static enum dfmt_status
segments_count(struct dfmt_source *src, struct header *h, struct dfmt_err *err)
{
	uint8_t info[4];

	if (h->phnum != PN_XNUM)
		return DFMT_OK;
	if (h->shoff == 0)
		return malformed(err, "ELF header: no section 0 for PN_XNUM",
			44);
	enum dfmt_status st = dfmt_source_read(src,
		dfmt_add_sat(h->shoff, h->is_64 ? 44 : 28), info, 4, err);
	if (st == DFMT_OK)
		h->phnum = dfmt_le32(info);
	return st;
}

static enum dfmt_status
header_read(struct dfmt *d, struct header *h_out, struct dfmt_err *err)
{
	struct dfmt_source *src = d->parts[0];
	uint8_t p[EHDR_MAX] = { 0 };
	enum dfmt_status st = dfmt_source_read(src, 0, p,
		dfmt_min(src->size, sizeof(p)), err);

	if (st == DFMT_OK)
		st = ident_check(p, src->size, err);
	if (st != DFMT_OK)
		return st;
	uint32_t machine = dfmt_le16(p + 18);
	d->info.machine =
		machine == DFMT_MACHINE_X86_64 || machine == DFMT_MACHINE_I386
			? machine
			: DFMT_MACHINE_UNKNOWN;
	struct header h = { .is_64 = p[4] == 2 };
	if (h.is_64) {
		h.phoff = dfmt_le64(p + 32);
		h.shoff = dfmt_le64(p + 40);
		h.phentsize = dfmt_le16(p + 54);
		h.phnum = dfmt_le16(p + 56);
	} else {
		h.phoff = dfmt_le32(p + 28);
		h.shoff = dfmt_le32(p + 32);
		h.phentsize = dfmt_le16(p + 42);
		h.phnum = dfmt_le16(p + 44);
	}
	st = segments_count(src, &h, err);
	if (st == DFMT_OK)
		*h_out = h;
	return st;
}

static enum dfmt_status
header_check(const struct header *h, struct dfmt_err *err)
{
	if (h->phnum == 0 && h->shoff != 0)
		return dfmt_fail(err, DFMT_E_UNSUPPORTED,
			"an ELF core with sections only (xl dump-core)", 0,
			DFMT_NONE);
	if (h->phnum == 0)
		return malformed(err, "ELF header: no program headers", 0);
	if (h->phentsize != (h->is_64 ? 56 : 32))
		return malformed(err, "ELF header: size of program headers",
			h->is_64 ? 54 : 42);
	if (h->phnum > MAX_SEGMENTS)
		return malformed(err, "ELF header: too many program headers",
			h->phoff);
	return DFMT_OK;
}

/* ---- segments ----------------------------------------------------------- */

static struct segment
segment_parse(const uint8_t *p, bool is_64)
{
	if (is_64)
		return (struct segment){
			.type = dfmt_le32(p),
			.offset = dfmt_le64(p + 8),
			.vaddr = dfmt_le64(p + 16),
			.paddr = dfmt_le64(p + 24),
			.filesz = dfmt_le64(p + 32),
			.memsz = dfmt_le64(p + 40),
		};
	return (struct segment){
		.type = dfmt_le32(p),
		.offset = dfmt_le32(p + 4),
		.vaddr = dfmt_le32(p + 8),
		.paddr = dfmt_le32(p + 12),
		.filesz = dfmt_le32(p + 16),
		.memsz = dfmt_le32(p + 20),
	};
}

static enum dfmt_status
segment_check(const struct segment *s, uint64_t at, struct dfmt_err *err)
{
	if (s->paddr + s->memsz < s->paddr || s->paddr + s->filesz < s->paddr)
		return malformed(err, "ELF segment: wraps around memory", at);
	if (s->offset + s->filesz < s->offset)
		return malformed(err, "ELF segment: wraps around the file", at);
	return DFMT_OK;
}

/* A segment is a range of memory, and where it says so a virtual one. */
static void
range_add(struct dfmt *d, const struct segment *s, bool is_64)
{
	uint64_t ones = is_64 ? UINT64_MAX : UINT32_MAX;
	bool mapped = s->vaddr != 0 && s->vaddr != ones;
	uint64_t len = s->memsz ? s->memsz : s->filesz;

	if (len)
		d->ranges[d->nr_ranges++] = (struct dfmt_range){
			.addr = s->paddr,
			.len = len,
			.vaddr = mapped ? s->vaddr : DFMT_NONE,
		};
	if (!mapped || s->memsz == 0)
		return;
	d->vranges[d->nr_vranges++] = (struct dfmt_vrange){
		.vaddr = s->vaddr,
		.paddr = s->paddr,
		.len = s->memsz,
	};
}

static void
load_add(struct dfmt *d, const struct segment *s, bool is_64)
{
	struct elf *elf = d->impl;
	uint64_t filesz = dfmt_min(s->filesz, s->memsz ? s->memsz : s->filesz);
	uint64_t memsz = s->memsz ? s->memsz : s->filesz;

	if (filesz)
		elf->file.runs[elf->file.nr++] =
			(struct run){ s->paddr, s->paddr + filesz, s->offset };
	if (memsz > filesz)
		elf->tails.runs[elf->tails.nr++] =
			(struct run){ s->paddr + filesz, s->paddr + memsz, 0 };
	range_add(d, s, is_64);
	if (filesz && !dfmt_inside(s->offset, filesz, d->parts[0]->size))
		d->info.truncated = true;
}

/* A note segment that cannot be read is a lost one; the dump opens. */
static enum dfmt_status
note_add(struct dfmt *d, const struct segment *s, struct dfmt_err *err)
{
	struct dfmt_source *src = d->parts[0];

	if (s->filesz == 0 || d->notes.nr_blocks >= MAX_NOTE_SEGMENTS)
		return DFMT_OK;
	if (s->filesz > DFMT_NOTES_MAX_BYTES - d->notes.nr_bytes ||
		!dfmt_inside(s->offset, s->filesz, src->size)) {
		d->notes.cut = true;
		return DFMT_OK;
	}
	return dfmt_notes_add(&d->notes, src, s->offset, s->filesz, err);
}

static enum dfmt_status
segments_read(struct dfmt *d, const struct header *h, struct dfmt_err *err)
{
	uint64_t at = h->phoff;
	uint8_t p[56];

	for (uint32_t i = 0; i < h->phnum; i++, at += h->phentsize) {
		enum dfmt_status st =
			dfmt_source_read(d->parts[0], at, p, h->phentsize, err);

		if (st != DFMT_OK)
			return st;
		struct segment s = segment_parse(p, h->is_64);
		if (s.type != PT_LOAD && s.type != PT_NOTE)
			continue;
		st = segment_check(&s, at, err);
		if (st == DFMT_OK && s.type == PT_NOTE)
			st = note_add(d, &s, err);
		else if (st == DFMT_OK)
			load_add(d, &s, h->is_64);
		if (st != DFMT_OK)
			return st;
	}
	return DFMT_OK;
}

/* ---- runs --------------------------------------------------------------- */

static int
run_compare(const void *a, const void *b)
{
	const struct run *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->end == y->end ? 0 : x->end > y->end ? -1 : 1;
}

/* Sorts, and cuts from each run what an earlier one covers. */
static void
runs_settle(struct runs *r)
{
	uint64_t covered = 0;
	size_t nr = 0;

	qsort(r->runs, r->nr, sizeof(*r->runs), run_compare);
	for (size_t i = 0; i < r->nr; i++) {
		struct run run = r->runs[i];

		if (run.end <= covered)
			continue;
		if (run.start < covered) {
			run.offset += covered - run.start;
			run.start = covered;
		}
		covered = run.end;
		struct run *last = nr ? &r->runs[nr - 1] : NULL;
		if (last && last->end == run.start &&
			last->offset + (last->end - last->start) == run.offset)
			last->end = run.end;
		else
			r->runs[nr++] = run;
	}
	r->nr = nr;
}

/* The index of the first run that ends after addr; nr when there is none. */
static size_t
runs_find(const struct runs *r, uint64_t addr)
{
	size_t lo = 0, hi = r->nr;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (r->runs[mid].end <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool
runs_hold(const struct runs *r, uint64_t addr)
{
	size_t i = runs_find(r, addr);

	return i < r->nr && r->runs[i].start <= addr;
}

/* ---- the ops ------------------------------------------------------------ */

static enum dfmt_status
elf_alloc(struct dfmt *d, const struct header *h, struct dfmt_err *err)
{
	struct elf *elf = calloc(1, sizeof(*elf));

	d->impl = elf;
	if (elf) {
		elf->file.runs = calloc(h->phnum, sizeof(struct run));
		elf->tails.runs = calloc(h->phnum, sizeof(struct run));
		d->vranges = calloc(h->phnum, sizeof(*d->vranges));
		d->ranges = calloc(h->phnum, sizeof(*d->ranges));
	}
	if (!elf || !elf->file.runs || !elf->tails.runs || !d->vranges ||
		!d->ranges)
		return dfmt_fail(err, DFMT_E_NOMEM, "ELF segments", h->phoff,
			DFMT_NONE);
	return DFMT_OK;
}

static void
elf_describe(struct dfmt *d, const struct header *h)
{
	const struct elf *elf = d->impl;
	uint64_t end = 0;

	if (elf->file.nr)
		end = elf->file.runs[elf->file.nr - 1].end;
	if (elf->tails.nr && elf->tails.runs[elf->tails.nr - 1].end > end)
		end = elf->tails.runs[elf->tails.nr - 1].end;
	d->info.kind = DFMT_KIND_ELF;
	d->info.page_size = DFMT_PAGE_SIZE;
	d->info.max_addr = end;
	(void)snprintf(d->format_name, sizeof(d->format_name), "ELF%d core",
		h->is_64 ? 64 : 32);
	d->info.format = d->format_name;
	(void)snprintf(d->details, sizeof(d->details), "%u program headers",
		h->phnum);
}

static enum dfmt_status
elf_open(struct dfmt *d, struct dfmt_err *err)
{
	struct header h;
	enum dfmt_status st = header_read(d, &h, err);

	if (st == DFMT_OK && d->nr_parts != 1)
		st = malformed(err, "an ELF core is one file", DFMT_NONE);
	if (st == DFMT_OK)
		st = header_check(&h, err);
	/* Before allocating: are there so many headers in the file? */
	if (st == DFMT_OK &&
		!dfmt_inside(h.phoff, (uint64_t)h.phnum * h.phentsize,
			d->parts[0]->size))
		st = dfmt_fail(err, DFMT_E_LOST,
			"ELF program headers: past the end of the file",
			h.phoff, DFMT_NONE);
	if (st == DFMT_OK)
		st = elf_alloc(d, &h, err);
	if (st == DFMT_OK)
		st = segments_read(d, &h, err);
	if (st != DFMT_OK)
		return st;
	struct elf *elf = d->impl;
	runs_settle(&elf->file);
	runs_settle(&elf->tails);
	elf_describe(d, &h);
	return DFMT_OK;
}

static void
elf_close(struct dfmt *d)
{
	struct elf *elf = d->impl;

	if (!elf)
		return;
	free(elf->file.runs);
	free(elf->tails.runs);
	free(elf);
}

static enum dfmt_status
elf_locate(const struct dfmt *d, uint64_t addr, struct dfmt_extent *ext_out,
	struct dfmt_err *err)
{
	const struct elf *elf = d->impl;
	size_t i = runs_find(&elf->file, addr);

	if (i == elf->file.nr || elf->file.runs[i].start > addr) {
		if (runs_hold(&elf->tails, addr))
			return dfmt_fail(err, DFMT_E_EXCLUDED,
				"in a segment, but not written to the file",
				DFMT_NONE, addr);
		return dfmt_fail(err, DFMT_E_RANGE, "in no segment", DFMT_NONE,
			addr);
	}
	const struct run *run = &elf->file.runs[i];
	uint64_t offset = run->offset + (addr - run->start);
	uint64_t size = d->parts[0]->size;
	/* A file that grows is asked anew by its source. */
	if (offset >= size && d->parts[0]->base)
		return dfmt_fail(err, DFMT_E_LOST, "past the end of the file",
			offset, addr);
	uint64_t len = run->end - addr;
	if (offset < size)
		len = dfmt_min(len, size - offset);
	*ext_out = (struct dfmt_extent){ .src = d->parts[0],
		.offset = offset,
		.addr = addr,
		.len = len };
	return DFMT_OK;
}

static enum dfmt_status
elf_next_range(const struct dfmt *d, uint64_t addr, uint64_t *start_out,
	uint64_t *end_out, struct dfmt_err *err)
{
	const struct elf *elf = d->impl;
	const struct runs *r = &elf->file;
	size_t i = runs_find(r, addr);

	if (i == r->nr)
		return dfmt_fail(err, DFMT_E_RANGE, "no more memory", DFMT_NONE,
			addr);
	*start_out = addr > r->runs[i].start ? addr : r->runs[i].start;
	while (i + 1 < r->nr && r->runs[i].end == r->runs[i + 1].start)
		i++;
	*end_out = r->runs[i].end;
	return DFMT_OK;
}

/* How many bytes of the run are in none of r. */
static uint64_t
run_outside(const struct run *run, const struct runs *r)
{
	uint64_t left = run->end - run->start;

	for (size_t i = runs_find(r, run->start);
		i < r->nr && r->runs[i].start < run->end; i++) {
		uint64_t from = r->runs[i].start > run->start ? r->runs[i].start
							      : run->start;

		left -= dfmt_min(r->runs[i].end, run->end) - from;
	}
	return left;
}

/* Whole frames, each counted once though two segments may share it. */
static enum dfmt_status
elf_coverage(const struct dfmt *d, struct dfmt_coverage *cov_out,
	struct dfmt_err *err)
{
	const struct elf *elf = d->impl;
	struct dfmt_coverage cov = { .counted = true };
	uint64_t size = d->parts[0]->size, present = 0, lost = 0, excluded = 0;

	(void)err;
	for (size_t i = 0; i < elf->file.nr; i++) {
		const struct run *run = &elf->file.runs[i];
		uint64_t len = run->end - run->start;
		uint64_t in = run->offset < size
				      ? dfmt_min(len, size - run->offset)
				      : 0;

		present += in;
		lost += len - in;
	}
	for (size_t i = 0; i < elf->tails.nr; i++)
		excluded += run_outside(&elf->tails.runs[i], &elf->file);
	cov.nr_present = present / DFMT_PAGE_SIZE;
	cov.nr_lost = (lost + DFMT_PAGE_SIZE - 1) / DFMT_PAGE_SIZE;
	cov.nr_excluded = excluded / DFMT_PAGE_SIZE;
	*cov_out = cov;
	return DFMT_OK;
}

const struct dfmt_format dfmt_format_elf = {
	.open = elf_open,
	.locate = elf_locate,
	.next_range = elf_next_range,
	.coverage = elf_coverage,
	.close = elf_close,
};
