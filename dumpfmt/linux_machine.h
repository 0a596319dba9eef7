/* SPDX-License-Identifier: MIT */
/*
 * For tests: the memory of a Linux kernel that runs on a hypervisor: page
 * tables, sections, page structures.  Its own frame numbers are the machine's
 * with one bit turned over.
 */
#ifndef LINUX_MACHINE_H
#define LINUX_MACHINE_H

#include "dfmt-linux.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LM_FRAMES 512u
#define LM_FRAME_LEN 4096u
#define LM_PFN(frame) ((frame) ^ 1u)
#define LM_VMEMMAP 0xffffea0000000000u
#define LM_PAGES 8192u /* page structures: 128 frames of them */
#define LM_SECTIONS 0xffff888000100000u
#define LM_TOP 0xffffffff82a10000u

struct linux_machine {
	uint8_t mem[LM_FRAMES][LM_FRAME_LEN];
	uint8_t level[LM_FRAMES]; /* of a page table, or 0 */
	bool foreign[LM_FRAMES];
	uint32_t nr_used;
	uint32_t root;
	uint32_t of_pages[LM_PAGES / 64]; /* frames of page structures */
	unsigned int nr_entries, nr_reads;
};

static inline void
lm_put64(struct linux_machine *m, uint32_t frame, uint32_t off, uint64_t v)
{
	memcpy(m->mem[frame] + off, &v, sizeof(v));
}

static inline uint64_t
lm_get64(const struct linux_machine *m, uint32_t frame, uint32_t off)
{
	uint64_t v;

	memcpy(&v, m->mem[frame] + off, sizeof(v));
	return v;
}

static inline uint32_t
lm_frame(struct linux_machine *m)
{
	if (m->nr_used == LM_FRAMES)
		abort();
	return m->nr_used++;
}

/* Maps one page of the kernel's to the frame. */
static inline void
lm_map(struct linux_machine *m, uint64_t va, uint32_t frame)
{
	uint32_t table = m->root;

	for (unsigned int level = 4; level > 1; level--) {
		uint32_t off = (uint32_t)(va >> (3 + 9 * level) & 511) * 8;
		uint64_t entry = lm_get64(m, table, off);

		if (!entry) {
			uint32_t next = lm_frame(m);

			m->level[next] = (uint8_t)(level - 1);
			entry = (uint64_t)next * LM_FRAME_LEN | 0x67;
			lm_put64(m, table, off, entry);
		}
		table = (uint32_t)(entry / LM_FRAME_LEN);
	}
	lm_put64(m, table, (uint32_t)(va >> 12 & 511) * 8,
		(uint64_t)frame * LM_FRAME_LEN | 0x63);
}

static inline int
lm_entry(void *arg, uint64_t frame, unsigned int level, unsigned int index,
	uint64_t *entry_out)
{
	struct linux_machine *m = arg;

	if (level < 1 || level > 4 || index > 511)
		abort();
	m->nr_entries++;
	if (frame >= LM_FRAMES || m->foreign[frame] || m->level[frame] != level)
		return 1;
	*entry_out = lm_get64(m, (uint32_t)frame, index * 8);
	return 0;
}

static inline int
lm_read(void *arg, uint64_t frame, uint32_t off, void *buf, uint32_t len)
{
	struct linux_machine *m = arg;

	if (off % 8 || len % 8 || off > LM_FRAME_LEN ||
		len > LM_FRAME_LEN - off)
		abort();
	m->nr_reads++;
	if (frame >= LM_FRAMES || m->foreign[frame])
		return 1;
	memcpy(buf, m->mem[frame] + off, len);
	return 0;
}

static inline int
lm_pfn_of(void *arg, uint64_t frame, uint64_t *pfn_out)
{
	(void)arg;
	*pfn_out = frame == 7 ? UINT64_MAX : LM_PFN(frame);
	return 0;
}

static const struct dfmt_linux_ops lm_ops = { lm_entry, lm_read, lm_pfn_of };

/* Where a field of a page structure is. */
static inline uint8_t *
lm_field(struct linux_machine *m, const struct dfmt_linux *l, uint64_t pfn,
	unsigned int fact)
{
	if (pfn >= LM_PAGES)
		abort();
	return m->mem[m->of_pages[pfn / 64]] + pfn % 64 * 64 +
	       l->info.value[fact];
}

static inline void
lm_set64(struct linux_machine *m, const struct dfmt_linux *l, uint64_t pfn,
	unsigned int fact, uint64_t v)
{
	memcpy(lm_field(m, l, pfn, fact), &v, sizeof(v));
}

static inline void
lm_set32(struct linux_machine *m, const struct dfmt_linux *l, uint64_t pfn,
	unsigned int fact, int32_t v)
{
	memcpy(lm_field(m, l, pfn, fact), &v, sizeof(v));
}

/* Held once, mapped nowhere: a page of the kernel's. */
static inline void
lm_page_plain(struct linux_machine *m, const struct dfmt_linux *l, uint64_t pfn)
{
	memset(m->mem[m->of_pages[pfn / 64]] + pfn % 64 * 64, 0, 64);
	lm_set32(m, l, pfn, DFMT_LX_REFCOUNT, 1);
	lm_set32(m, l, pfn, DFMT_LX_MAPCOUNT, -1);
}

/* A kernel that says l->info of itself, its pages all plain. */
static inline void
lm_make(struct linux_machine *m, struct dfmt_linux *l)
{
	uint32_t roots, sections;

	memset(m, 0, sizeof(*m));
	l->ops = &lm_ops;
	l->arg = m;
	m->root = lm_frame(m);
	m->level[m->root] = 4;
	roots = lm_frame(m);
	sections = lm_frame(m);
	lm_map(m, l->info.value[DFMT_LX_ROOT], m->root);
	lm_map(m, l->info.value[DFMT_LX_SECTIONS], roots);
	lm_map(m, LM_SECTIONS, sections);
	lm_put64(m, roots, l->info.value[DFMT_LX_SECTIONS] % LM_FRAME_LEN,
		LM_SECTIONS);
	lm_put64(m, sections, (uint32_t)l->info.value[DFMT_LX_SECTION_MAP],
		LM_VMEMMAP | 0xf);
	for (uint32_t i = 0; i < LM_PAGES / 64; i++) {
		m->of_pages[i] = lm_frame(m);
		lm_map(m, LM_VMEMMAP + i * LM_FRAME_LEN, m->of_pages[i]);
	}
	for (uint32_t i = 0; i < LM_PAGES; i++)
		lm_page_plain(m, l, i);
}

static inline size_t
lm_text(const char *name, char *text)
{
	char path[64];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "testdata/vmcoreinfo/%s", name);
	f = fopen(path, "r");
	if (!f) {
		perror(path);
		abort();
	}
	n = fread(text, 1, DFMT_LINUX_TEXT_MAX, f);
	(void)fclose(f);
	return n;
}

#endif
