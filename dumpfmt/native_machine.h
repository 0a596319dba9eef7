/* SPDX-License-Identifier: MIT */
/*
 * For tests only: a small machine whose every frame is known by its number,
 * and a dump of it.
 *
 * Memory is [0, 0x9fc00) and [0x100000, 0x140000): frames 0 to 159, the last
 * one in part, and 256 to 319.  User frames (300 to 309) are left out.
 */
#ifndef DFMT_NATIVE_MACHINE_H
#define DFMT_NATIVE_MACHINE_H

#include "dfmt-reader.h"
#include "native_build.h"

#define NM_END 320u
#define NM_LAST_LOW 159u
#define NM_LOW_END UINT64_C(0x9fc00)

enum nm_kind {
	NM_DATA,
	NM_FILL,
	NM_REPEAT,
	NM_LOST,
	NM_EXCLUDED,
	NM_NONE
};

static inline enum nm_kind
nm_kind(uint64_t pfn)
{
	if (pfn >= NM_END || (pfn > NM_LAST_LOW && pfn < 256))
		return NM_NONE;
	if (pfn >= 300 && pfn < 310)
		return NM_EXCLUDED;
	if (pfn == 20 || pfn == 21 || pfn == 22 || pfn % 16 == 12)
		return NM_REPEAT;
	if (pfn % 32 == 7)
		return NM_LOST;
	if (pfn % 16 == 7 || pfn % 16 == 8 || pfn % 16 == 9)
		return NM_FILL;
	return NM_DATA;
}

static inline uint32_t
nm_class(uint64_t pfn)
{
	if (pfn == 258 || pfn == 259)
		return 0;
	if (pfn < 40)
		return 1;
	if (pfn % 5 == 0)
		return 2;
	return pfn % 3 == 0 ? 3 : 5;
}

static inline uint64_t
nm_arg(uint64_t pfn)
{
	switch (nm_kind(pfn)) {
	case NM_FILL:
		return pfn % 16 == 9 ? UINT64_C(0xf00dfeedcafe0000) + pfn : 0;
	case NM_REPEAT:
		return pfn % 16 == 12 ? 1 : pfn - 18;
	default:
		return 0;
	}
}

/* What the frame holds; false when no dump can say. */
static inline bool
nm_bytes(uint64_t pfn, uint8_t *p)
{
	enum nm_kind kind = nm_kind(pfn);
	uint64_t arg = nm_arg(pfn), v;

	if (kind == NM_REPEAT)
		return nm_bytes(arg, p);
	if (kind != NM_DATA && kind != NM_FILL)
		return false;
	for (size_t i = 0; i < NB_FRAME; i += 8) {
		v = arg;
		if (kind == NM_DATA)
			v = i < 1024
				    ? (pfn + 1) * UINT64_C(0x9e3779b97f4a7c15) *
					      (i | 1)
				    : pfn;
		nb_put(p + i, v, 8);
	}
	return true;
}

/* The frames of a class, per_segment in a segment. */
static inline void
nm_pass(struct nb *b, uint32_t class, size_t per_segment)
{
	static uint8_t bytes[NM_END][NB_FRAME];
	struct nb_frame f[NM_END];
	size_t nr = 0;

	for (uint64_t pfn = 0; pfn <= NM_END; pfn++) {
		bool in = nm_kind(pfn) < NM_EXCLUDED && nm_class(pfn) == class;

		if (nr && (pfn == NM_END || nr == per_segment)) {
			nb_pages(b, class, f, nr);
			nr = 0;
		}
		if (!in || pfn == NM_END)
			continue;
		f[nr] = (struct nb_frame){ pfn, nm_kind(pfn), nm_arg(pfn),
			bytes[pfn] };
		(void)nm_bytes(pfn, bytes[pfn]);
		nr++;
	}
}

static inline void
nm_symtab(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(i / 24 * 7 + i % 24);
}

static inline void
nm_meta(struct nb *b)
{
	static const uint64_t ranges[][3] = {
		{ 0, NM_LOW_END, UINT64_MAX },
		{ 0x100000, 0x40000, UINT64_C(0xffff830000100000) },
	};
	uint8_t cpus[640], worlds[256] = { 0 }, object[128] = { 0 };
	uint8_t symtab[24 * 100];
	static const uint8_t note[] = { 11, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0,
		'V', 'M', 'C', 'O', 'R', 'E', 'I', 'N', 'F', 'O', 0, 0, 'A',
		'=', 'b', 'c', 'd', '\n', 0, 0 };

	nb_cpu(cpus, 0, 1, 0x1000);
	nb_cpu(cpus + 320, 3, 1 | 16, UINT64_C(0xffff82d080201234));
	nb_seg(b, 2, cpus, sizeof(cpus), sizeof(cpus), 0);
	for (uint32_t i = 0; i < 2; i++) {
		nb_put(worlds + 128 * i, i, 4);
		nb_put(worlds + 128 * i + 4, i + 1, 4);
		nb_put(worlds + 128 * i + 8, 62, 4);
		nb_put(worlds + 128 * i + 12, 3, 4);
		nb_put(worlds + 128 * i + 16, 0x2000 + i * 0x1000, 8);
		memcpy(worlds + 128 * i + 48, i ? "linux" : "xen\0", 5);
		memcpy(worlds + 128 * i + 64,
			"0123456789abcdef0123456789abcdef", 32);
	}
	nb_seg(b, 3, worlds, sizeof(worlds), sizeof(worlds), 0);
	nb_range(b, ranges, 2);
	nb_put(object + 8, UINT64_C(0xffff82d080200000), 8);
	nb_put(object + 16, UINT64_C(0xffff82d080400000), 8);
	memset(object + 40, 0xbd, 20);
	nb_put(object + 72, 20, 4);
	memcpy(object + 80, "xen", 3);
	nb_seg(b, 5, object, sizeof(object), sizeof(object), 0);
	nm_pass(b, 0, 64);
	nm_symtab(symtab, sizeof(symtab));
	nb_blob(b, 0, 1, symtab, sizeof(symtab), 1000, true);
	nb_blob(b, 0, 2, "\0start\0", 7, 1000, false);
	nb_blob(b, 0xffffffff, 16, note, sizeof(note), 1000, false);
}

static inline void
nm_first(struct nb *b)
{
	static struct nb_items it;
	uint8_t cpu[320], frames[24 + 8 + 24 + 8] = { 0 };

	it.len = 0;
	nb_item(&it, 1, "Fatal: it went wrong", 20);
	nb_cpu(cpu, 3, 1 | 16, UINT64_C(0xffff82d080201234));
	nb_item(&it, 3, cpu, sizeof(cpu));
	nb_put(frames, 0x7000, 8);
	nb_put(frames + 8, 0x8000, 8);
	nb_put(frames + 20, 5, 4);
	memcpy(frames + 24, "panic", 5);
	nb_put(frames + 32 + 8, 0x9000, 8);
	nb_put(frames + 32 + 20, 4, 4);
	memcpy(frames + 56, "main", 4);
	nb_item(&it, 4, frames, sizeof(frames));
	nb_item(&it, 6, "xen=4.17", 8);
	nb_item(&it, 6, "linux=6.1.0", 11);
	nb_item(&it, 5, "line 1\nline 2\n", 14);
	b->panic_cpu = 1;
	b->nr_frames = NM_LAST_LOW + 1 + 64;
	b->end_pfn = NM_END;
	nb_triage(b, &it);
}

/* The whole dump; fan 0: without an index. */
static inline void
nm_dump(struct nb *b, size_t per_segment, size_t fan)
{
	nm_first(b);
	nm_meta(b);
	for (uint32_t class = 1; class < 6; class ++)
		nm_pass(b, class, per_segment);
	nb_end(b, 0, fan);
}

#endif
