/* SPDX-License-Identifier: MIT */
/* What a frame of a Linux kernel holds, by its page structure: dfmt-linux.h. */
#include "dfmt-linux.h"

#include <string.h>

#define FRAME_LEN 4096u
#define ENTRY_PRESENT 1u
#define ENTRY_LARGE 0x80u
#define ENTRY_FRAME 0x000ffffffffff000u
#define NO_FRAME UINT64_MAX
/* The kernel places the page structures at a multiple of this. */
#define VMEMMAP_ALIGN (1ull << 30)
#define KERNEL_HALF 0xffff800000000000u
#define PFN_LIMIT (1ull << 40)
#define TAIL_MAX (1ull << 18) /* frames of a compound page: 1 GiB */
#define REST_MAX 512u	      /* of a block on a CPU's list: 2 MiB */
#define SECTION_FLAGS 0xfffu
#define SECTION_PRESENT 3u /* and its page structures are there */

/* The low bits of mapping: whose the page is. */
#define MAPPING_ANON 1u
#define MAPPING_MOVABLE 2u

/* ---- virtual memory ------------------------------------------------------ */

/* The frame of a page of the kernel, by its tables; NO_FRAME: there is none. */
static uint64_t
walk(struct dfmt_linux *l, uint64_t va)
{
	uint64_t frame = l->root, entry;

	for (unsigned int level = 4; level > 0; level--) {
		unsigned int index = va >> (3 + 9 * level) & 511;

		if (l->ops->entry(l->arg, frame, level, index, &entry) != 0 ||
			!(entry & ENTRY_PRESENT) ||
			(level > 1 && (entry & ENTRY_LARGE)))
			return NO_FRAME;
		frame = (entry & ENTRY_FRAME) / FRAME_LEN;
	}
	return frame;
}

static uint64_t
translate(struct dfmt_linux *l, uint64_t va)
{
	uint64_t page = va & ~(uint64_t)(FRAME_LEN - 1);
	unsigned int slot = va / FRAME_LEN % DFMT_LINUX_CACHED;

	if (l->cache[slot].va != page) {
		l->cache[slot].frame = walk(l, page);
		l->cache[slot].va = page;
	}
	return l->cache[slot].frame;
}

/* Whole words; a piece may lie on two pages, len is at most one. */
static bool
peek(struct dfmt_linux *l, uint64_t va, void *buf, uint32_t len)
{
	uint8_t *to = buf;

	if (va < KERNEL_HALF || va > UINT64_MAX - len || va % 8)
		return false;
	while (len) {
		uint32_t off = va % FRAME_LEN;
		uint32_t n = len < FRAME_LEN - off ? len : FRAME_LEN - off;
		uint64_t frame = translate(l, va);

		if (frame == NO_FRAME ||
			l->ops->read(l->arg, frame, off, to, n) != 0)
			return false;
		va += n;
		to += n;
		len -= n;
	}
	return true;
}

void
dfmt_linux_forget(struct dfmt_linux *l)
{
	memset(l->cache, 0, sizeof(l->cache));
	l->rest_pfn = 0;
	l->block_len = 0;
}

/* ---- page structures ----------------------------------------------------- */

struct page {
	uint64_t va;
	uint64_t flags, mapping, private, head, lru[2];
	int32_t refcount, mapcount;
	uint8_t dtor; /* where there is such a field */
};

static uint64_t
take64(const uint8_t *bytes, const struct dfmt_linux *l, unsigned int fact)
{
	uint64_t v;

	memcpy(&v, bytes + l->info.value[fact], sizeof(v));
	return v;
}

static int32_t
take32(const uint8_t *bytes, const struct dfmt_linux *l, unsigned int fact)
{
	int32_t v;

	memcpy(&v, bytes + l->info.value[fact], sizeof(v));
	return v;
}

static bool
page_get(struct dfmt_linux *l, uint64_t pfn, struct page *p)
{
	uint8_t bytes[DFMT_LINUX_PAGE_MAX];
	uint32_t len = (uint32_t)l->info.value[DFMT_LX_PAGE_LEN];

	p->va = l->vmemmap + pfn * len;
	if (pfn >= PFN_LIMIT || p->va < l->vmemmap ||
		!peek(l, p->va, bytes, len))
		return false;
	p->flags = take64(bytes, l, DFMT_LX_FLAGS);
	p->mapping = take64(bytes, l, DFMT_LX_MAPPING);
	p->private = take64(bytes, l, DFMT_LX_PRIVATE);
	p->head = take64(bytes, l, DFMT_LX_HEAD);
	memcpy(p->lru, bytes + l->info.value[DFMT_LX_LRU], sizeof(p->lru));
	p->refcount = take32(bytes, l, DFMT_LX_REFCOUNT);
	p->mapcount = take32(bytes, l, DFMT_LX_MAPCOUNT);
	p->dtor = bytes[l->info.value[DFMT_LX_DTOR]];
	return true;
}

static bool
has(const struct dfmt_linux *l, unsigned int fact)
{
	return l->info.has & 1u << fact;
}

static bool
has_bit(const struct dfmt_linux *l, uint64_t flags, unsigned int fact)
{
	return has(l, fact) && (flags >> l->info.value[fact] & 1);
}

/*
 * Until 6.11 a type is a bit that is not set in a word of ones; since then the
 * word's upper byte is the type.
 */
static bool
has_type(const struct dfmt_linux *l, const struct page *p, unsigned int fact)
{
	uint32_t type = (uint32_t)l->info.value[fact];
	uint32_t word = (uint32_t)p->mapcount;

	if (!has(l, fact))
		return false;
	return type & 0xffffff ? word == type : word >> 24 == type >> 24;
}

/* ---- free ones ----------------------------------------------------------- */

static bool
is_buddy(const struct dfmt_linux *l, const struct page *p, uint64_t order)
{
	return has_type(l, p, DFMT_LX_BUDDY) && p->private >= order &&
	       p->private < l->info.value[DFMT_LX_ORDERS];
}

/* Most free pages are in large blocks, one behind the other. */
static void
block_keep(struct dfmt_linux *l, uint64_t first, uint64_t order)
{
	if (first & ((1ull << order) - 1))
		return;
	l->block_pfn = first;
	l->block_len = 1ull << order;
}

/* Inside a free block: the head is at a multiple of the block's length. */
static bool
in_buddy(struct dfmt_linux *l, uint64_t pfn)
{
	struct page head;
	uint64_t last = pfn;

	if (pfn - l->block_pfn < l->block_len)
		return true;
	for (uint64_t o = 1; o < l->info.value[DFMT_LX_ORDERS]; o++) {
		uint64_t first = pfn & ~((1ull << o) - 1);

		if (first == last)
			continue;
		last = first;
		if (page_get(l, first, &head) && is_buddy(l, &head, o)) {
			block_keep(l, first, head.private);
			return true;
		}
	}
	return false;
}

/*
 * On a CPU's list of free pages, which has no mark of its own: both neighbours
 * must name it.
 */
static bool
is_listed(struct dfmt_linux *l, const struct page *p)
{
	uint64_t self = p->va + l->info.value[DFMT_LX_LRU], back;

	return p->lru[0] % 8 == 0 && p->lru[1] % 8 == 0 && p->lru[0] != self &&
	       peek(l, p->lru[0] + 8, &back, sizeof(back)) && back == self &&
	       peek(l, p->lru[1], &back, sizeof(back)) && back == self;
}

/*
 * Neither in a block nor on a list: the rest of several pages of which only the
 * first is marked, so whatever that is.  Whatever begins between them would be
 * marked itself.
 */
static enum dfmt_linux_kind
rest_walk(struct dfmt_linux *l, uint64_t pfn)
{
	struct page p;

	for (uint64_t i = 1; i < REST_MAX && i <= pfn; i++) {
		if (!page_get(l, pfn - i, &p) || p.refcount || p.mapping ||
			p.mapcount != -1 || p.head & 1)
			break;
		if (is_listed(l, &p))
			return DFMT_LINUX_FREE;
	}
	return DFMT_LINUX_KERNEL;
}

static enum dfmt_linux_kind
rest_kind(struct dfmt_linux *l, uint64_t pfn)
{
	if (l->rest_pfn == 0 || pfn != l->rest_pfn + 1)
		l->rest_kind = rest_walk(l, pfn);
	l->rest_pfn = pfn;
	return l->rest_kind;
}

/* Nobody holds it. */
static enum dfmt_linux_kind
unheld_kind(struct dfmt_linux *l, const struct page *p, uint64_t pfn)
{
	if (is_buddy(l, p, 0))
		return DFMT_LINUX_FREE;
	if (p->mapcount != -1 || p->mapping)
		return DFMT_LINUX_KERNEL;
	return in_buddy(l, pfn) || is_listed(l, p) ? DFMT_LINUX_FREE
						   : rest_kind(l, pfn);
}

/* ---- held ones ----------------------------------------------------------- */

/* Its mark is in the second of its pages, or in the type of the first. */
static bool
is_hugetlb(struct dfmt_linux *l, const struct page *p, uint64_t pfn)
{
	struct page second;

	if (has_type(l, p, DFMT_LX_HUGETLB))
		return true;
	if (!(p->flags & l->info.value[DFMT_LX_HEAD_MASK]) ||
		!(has(l, DFMT_LX_BIT_HUGETLB) ||
			(has(l, DFMT_LX_DTOR) && has(l, DFMT_LX_HUGETLB_DTOR))))
		return false;
	if (!page_get(l, pfn + 1, &second))
		return false;
	return has(l, DFMT_LX_BIT_HUGETLB)
		       ? has_bit(l, second.flags, DFMT_LX_BIT_HUGETLB)
		       : second.dtor == l->info.value[DFMT_LX_HUGETLB_DTOR];
}

/* A page that is not the rest of a compound one. */
static enum dfmt_linux_kind
whole_kind(struct dfmt_linux *l, const struct page *p, uint64_t pfn)
{
	if (has_bit(l, p->flags, DFMT_LX_BIT_SLAB) ||
		has_type(l, p, DFMT_LX_SLAB))
		return DFMT_LINUX_KERNEL;
	if (is_hugetlb(l, p, pfn))
		return DFMT_LINUX_USER;
	if (p->refcount == 0)
		return unheld_kind(l, p, pfn);
	/* Another type: page tables, what a driver took out of use. */
	if (p->mapcount < -1)
		return DFMT_LINUX_KERNEL;
	if (p->mapping & MAPPING_ANON)
		return DFMT_LINUX_USER;
	if (p->mapping & MAPPING_MOVABLE)
		return DFMT_LINUX_KERNEL;
	if (has_bit(l, p->flags, DFMT_LX_BIT_LRU) ||
		(has_bit(l, p->flags, DFMT_LX_BIT_SWAPCACHE) &&
			has_bit(l, p->flags, DFMT_LX_BIT_SWAPBACKED)))
		return DFMT_LINUX_CACHE;
	/* A file's, and a CPU has not put it on the list yet. */
	return p->mapping >= KERNEL_HALF ? DFMT_LINUX_CACHE : DFMT_LINUX_KERNEL;
}

/* The first page of a compound one that p is not the first of. */
static bool
head_get(struct dfmt_linux *l, const struct page *p, uint64_t pfn,
	struct page *head, uint64_t *pfn_out)
{
	uint64_t len = l->info.value[DFMT_LX_PAGE_LEN];
	uint64_t off = p->head - 1 - l->vmemmap;

	if (p->head - 1 < l->vmemmap || off % len || off / len >= pfn ||
		pfn - off / len >= TAIL_MAX)
		return false;
	*pfn_out = off / len;
	return page_get(l, *pfn_out, head) && !(head->head & 1);
}

enum dfmt_linux_kind
dfmt_linux_kind(struct dfmt_linux *l, uint64_t frame)
{
	struct page page, head;
	uint64_t pfn;

	if (l->ops->pfn_of(l->arg, frame, &pfn) != 0 ||
		!page_get(l, pfn, &page))
		return DFMT_LINUX_UNKNOWN;
	if (has_bit(l, page.flags, DFMT_LX_BIT_HWPOISON))
		return DFMT_LINUX_FREE;
	if (!(page.head & 1))
		return whole_kind(l, &page, pfn);
	if (!head_get(l, &page, pfn, &head, &pfn))
		return DFMT_LINUX_UNKNOWN;
	return whole_kind(l, &head, pfn);
}

/* ---- the beginning ------------------------------------------------------- */

/*
 * Where page structure 0 is, by the first table of sections: with one run of
 * page structures every section says the same.
 */
static const char *
vmemmap_find(struct dfmt_linux *l)
{
	const uint64_t *v = l->info.value;
	uint64_t table, base = 0, len = v[DFMT_LX_SECTION_LEN];
	bool found = false;

	if (!peek(l, v[DFMT_LX_SECTIONS], &table, sizeof(table)))
		return "its table of memory sections cannot be read";
	for (uint64_t i = 0; i < FRAME_LEN / len; i++) {
		uint64_t map;

		if (!peek(l, table + i * len + v[DFMT_LX_SECTION_MAP], &map,
			    sizeof(map)))
			return "its memory sections cannot be read";
		if ((map & SECTION_PRESENT) != SECTION_PRESENT)
			continue;
		map &= ~(uint64_t)SECTION_FLAGS;
		if (found && map != base)
			return "its page structures are not one run";
		base = map;
		found = true;
	}
	if (base < KERNEL_HALF || base % VMEMMAP_ALIGN)
		return "its page structures are not where one run would be";
	l->vmemmap = base;
	return NULL;
}

const char *
dfmt_linux_start(struct dfmt_linux *l, uint64_t root)
{
	uint64_t own;
	const char *why;

	dfmt_linux_forget(l);
	l->root = root;
	own = walk(l, l->info.value[DFMT_LX_ROOT]);
	if (own == NO_FRAME)
		return "its page tables do not map themselves";
	l->root = own;
	why = vmemmap_find(l);
	if (why)
		return why;
	/* A known page of its own. */
	return dfmt_linux_kind(l, own) == DFMT_LINUX_KERNEL
		       ? NULL
		       : "its page structures do not know its page tables";
}
