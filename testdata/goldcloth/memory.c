/* SPDX-License-Identifier: MIT */
/*
 * The goldcloth machine's memory: frames that exist as soon as somebody writes
 * to them and are zero before, and what each is used for.
 */
#include "machine_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Odd, so that every one of the control domain's frames comes once. */
#define SCATTER 0x3d7u

/* Below the hole of the PC, and above it. */
static const struct gold_range ranges[] = {
	{ 0, 0x9f },
	{ 0x100, NR_FRAMES },
};

_Noreturn void
gold_die(const char *why, const char *what)
{
	(void)fprintf(stderr, "goldcloth: %s: %s\n", why, what);
	exit(1);
}

void *
gold_alloc(size_t len)
{
	void *p = calloc(1, len ? len : 1);

	if (!p)
		gold_die("no memory", "calloc");
	return p;
}

void *
gold_keep(struct gold_machine *m, size_t len)
{
	if (m->nr_owned == MAX_OWNED)
		gold_die("too many", "objects");
	m->owned[m->nr_owned] = gold_alloc(len);
	return m->owned[m->nr_owned++];
}

const struct gold_range *
gold_ranges(const struct gold_machine *m, size_t *nr_out)
{
	(void)m;
	*nr_out = sizeof(ranges) / sizeof(ranges[0]);
	return ranges;
}

static bool
is_memory(uint64_t pfn)
{
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (pfn >= ranges[i].start_pfn && pfn < ranges[i].end_pfn)
			return true;
	return false;
}

bool
gold_read_frame(const struct gold_machine *m, uint64_t pfn, void *page_out)
{
	if (!is_memory(pfn))
		return false;
	if (m->frames[pfn])
		memcpy(page_out, m->frames[pfn], GOLD_PAGE);
	else
		memset(page_out, 0, GOLD_PAGE);
	return true;
}

enum gold_class
gold_classify(const struct gold_machine *m, uint64_t pfn)
{
	return is_memory(pfn) ? (enum gold_class)m->classes[pfn] : GOLD_FREE;
}

uint8_t *
gold_frame(struct gold_machine *m, uint32_t pfn, enum gold_class c)
{
	if (!is_memory(pfn))
		gold_die("no such frame", "layout");
	if (!m->frames[pfn])
		m->frames[pfn] = gold_alloc(GOLD_PAGE);
	m->classes[pfn] = (uint8_t)c;
	return m->frames[pfn];
}

uint32_t
gold_take(struct gold_machine *m, enum gold_class c)
{
	uint32_t pfn = m->nr_dom0_used++;
	uint32_t mfn = DOM0_PFN + pfn * SCATTER % DOM0_NR;

	if (pfn >= DOM0_NR)
		gold_die("no memory", "control domain");
	m->pfn_to_mfn[pfn] = mfn;
	(void)gold_frame(m, mfn, c);
	return mfn;
}

void
gold_poke(struct gold_machine *m, uint32_t paddr, const void *bytes, size_t len,
	enum gold_class c)
{
	const uint8_t *from = bytes;

	while (len) {
		uint32_t off = paddr % GOLD_PAGE;
		size_t n = GOLD_PAGE - off < len ? GOLD_PAGE - off : len;

		memcpy(gold_frame(m, paddr / GOLD_PAGE, c) + off, from, n);
		paddr += (uint32_t)n;
		from += n;
		len -= n;
	}
}

uint64_t
gold_peek64(const struct gold_machine *m, uint32_t paddr)
{
	const uint8_t *p = m->frames[paddr / GOLD_PAGE];
	uint64_t v = 0;

	if (p)
		memcpy(&v, p + paddr % GOLD_PAGE, sizeof(v));
	return v;
}
