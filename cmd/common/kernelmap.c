/* SPDX-License-Identifier: MIT */
/*
 * The mapping of a Linux kernel's image: the gigabyte from __START_KERNEL_map
 * on (Documentation/arch/x86/x86_64/mm.rst), read from swapper_pg_dir, which
 * lies in that image itself at phys_base.
 */
#include "cmd/common/kernelmap.h"

#include "dfmt-bytes.h"
#include "mdb/base/alloc.h"

#include <stdlib.h>
#include <string.h>

#define IMAGE UINT64_C(0xffffffff80000000)
#define TOP_INDEX 511u	 /* of IMAGE in a PGD, and in a P4D */
#define IMAGE_INDEX 510u /* in a PUD */
#define NR_ENTRIES 512u
#define PRESENT 1u
#define LARGE 0x80u
#define ADDR_MASK UINT64_C(0x000ffffffffff000)
#define MAX_RANGES 4096u

struct map {
	const struct dfmt *d;
	struct dfmt_range *ranges;
	size_t nr;
};

/* The value behind "KEY=" at the beginning of a line. */
static bool
fact(const char *text, const char *key, int base, uint64_t *value_out)
{
	size_t len = strlen(key);

	while (text != NULL && *text != '\0') {
		if (strncmp(text, key, len) == 0 && text[len] == '=') {
			*value_out = strtoull(text + len + 1, NULL, base);
			return true;
		}
		text = strchr(text, '\n');
		text = text == NULL ? NULL : text + 1;
	}
	return false;
}

static bool
entry(const struct dfmt *d, uint64_t table, unsigned int i, uint64_t *entry_out)
{
	uint8_t bytes[8];

	if (dfmt_read(d, (table & ADDR_MASK) + i * 8ull, bytes, sizeof(bytes),
		    NULL) != DFMT_OK)
		return false;
	*entry_out = dfmt_le64(bytes);
	return (*entry_out & PRESENT) != 0;
}

static bool
range_joins(const struct dfmt_range *last, uint64_t vaddr, uint64_t addr)
{
	return last->vaddr + last->len == vaddr &&
	       last->addr + last->len == addr;
}

static void
range_add(struct map *m, uint64_t vaddr, uint64_t addr, uint64_t len)
{
	if (m->nr > 0 && range_joins(&m->ranges[m->nr - 1], vaddr, addr))
		m->ranges[m->nr - 1].len += len;
	else if (m->nr < MAX_RANGES)
		m->ranges[m->nr++] = (struct dfmt_range){ addr, len, vaddr };
}

static void
walk_pages(struct map *m, uint64_t table, uint64_t vaddr)
{
	uint64_t e;

	for (unsigned int i = 0; i < NR_ENTRIES; i++) {
		if (entry(m->d, table, i, &e))
			range_add(m, vaddr + i * 4096ull, e & ADDR_MASK, 4096);
	}
}

static void
walk_image(struct map *m, uint64_t table)
{
	uint64_t e;

	for (unsigned int i = 0; i < NR_ENTRIES; i++) {
		uint64_t vaddr = IMAGE + ((uint64_t)i << 21);

		if (!entry(m->d, table, i, &e))
			continue;
		if ((e & LARGE) != 0)
			range_add(m, vaddr, e & ADDR_MASK & ~UINT64_C(0x1fffff),
				UINT64_C(1) << 21);
		else
			walk_pages(m, e, vaddr);
	}
}

/* The machine address of the table that maps the image's gigabyte. */
static bool
find_table(const struct dfmt *d, uint64_t *table_out)
{
	const char *text;
	uint64_t top, base, five = 0, e;
	size_t len;

	text = dfmt_vmcoreinfo(d, &len);
	if (!fact(text, "SYMBOL(swapper_pg_dir)", 16, &top) ||
		!fact(text, "NUMBER(phys_base)", 10, &base) || top < IMAGE)
		return false;
	(void)fact(text, "NUMBER(pgtable_l5_enabled)", 10, &five);
	return entry(d, top - IMAGE + base, TOP_INDEX, &e) &&
	       (five == 0 || entry(d, e, TOP_INDEX, &e)) &&
	       entry(d, e, IMAGE_INDEX, table_out) && (*table_out & LARGE) == 0;
}

struct dfmt_range *
cmd_kernel_ranges(const struct dfmt *d, size_t *nr_out)
{
	struct map m = { .d = d };
	struct dfmt_info info;
	uint64_t table;

	*nr_out = 0;
	dfmt_info_get(d, &info);
	if (info.machine == DFMT_MACHINE_I386 || !find_table(d, &table))
		return NULL;
	m.ranges = mdb_xarray(MAX_RANGES, sizeof(*m.ranges));
	walk_image(&m, table);
	*nr_out = m.nr;
	return m.ranges;
}
