/* SPDX-License-Identifier: MIT */
/*
 * What is written before all else, so that a dump that ends early still shows
 * what happened: Xen's image, the stacks of its CPUs and the vCPUs and domains
 * that these were in, the upper two levels of its page tables below the top
 * one, and all of those of the image.  Only
 * frames that are the hypervisor's: of the image's some went back to the heap
 * after boot, and may be a guest's.
 */
#include "xdump-impl.h"

#include <xen/kernel.h>
#include <xen/mm.h>
#include <xen/pfn.h>
#include <xen/sched.h>

#include <asm/page.h>

#define NR_RUNS 256u
#define NR_TABLES 64u /* of the third level */

static struct dfmt_wrun runs[NR_RUNS];
static uint32_t nr_runs;

static void
frame_add(uint64_t pfn)
{
	struct dfmt_wrun *last = nr_runs ? &runs[nr_runs - 1] : NULL;

	if (!xdump_is_hypervisor(pfn))
		return;
	if (last != NULL && last->pfn + last->count == pfn)
		last->count++;
	else if (nr_runs < NR_RUNS)
		runs[nr_runs++] = (struct dfmt_wrun){ pfn, 1 };
}

static void
virtual_add(const void *first, const void *end)
{
	uint64_t pfn = virt_to_maddr(first) >> PAGE_SHIFT;
	uint64_t n = PFN_UP((const char *)end - (const char *)first);

	for (uint64_t i = 0; i < n; i++)
		frame_add(pfn + i);
}

static void
vcpu_add(const struct vcpu *v)
{
	virtual_add(v, v + 1);
	virtual_add(v->domain, v->domain + 1);
}

/* The tables that this one leads to; *nr_out of them in below. */
static void
table_add(const intpte_t *table, uint64_t *below, uint32_t *nr_out)
{
	for (uint32_t i = 0; i < L3_PAGETABLE_ENTRIES; i++) {
		uint64_t pfn = (table[i] & PADDR_MASK) >> PAGE_SHIFT;

		if (!(table[i] & _PAGE_PRESENT) || (table[i] & _PAGE_PSE) ||
			!xdump_is_hypervisor(pfn))
			continue;
		frame_add(pfn);
		if (*nr_out < NR_TABLES)
			below[(*nr_out)++] = pfn;
	}
}

static void
tables_add(void)
{
	static intpte_t table[L3_PAGETABLE_ENTRIES];
	static uint64_t thirds[NR_TABLES], seconds[NR_TABLES];
	uint32_t nr_thirds = 0;

	table_add((const intpte_t *)idle_pg_table, thirds, &nr_thirds);
	for (uint32_t i = 0; i < nr_thirds; i++) {
		uint32_t nr_seconds = 0;

		if (xdump_ops.read_frame(NULL, thirds[i], table) == 0)
			table_add(table, seconds, &nr_seconds);
	}
	/* What went back to the heap has the image mapped by pages there. */
	nr_thirds = 0;
	table_add((const intpte_t *)l2_xenmap, thirds, &nr_thirds);
}

/* They ascend; what two have in common is the first one's. */
static void
runs_sort(void)
{
	uint32_t n = 0;

	for (uint32_t i = 1; i < nr_runs; i++) {
		struct dfmt_wrun run = runs[i];
		uint32_t at = i;

		for (; at > 0 && runs[at - 1].pfn > run.pfn; at--)
			runs[at] = runs[at - 1];
		runs[at] = run;
	}
	for (uint32_t i = 0; i < nr_runs; i++) {
		uint64_t end = runs[i].pfn + runs[i].count;
		uint64_t before = n ? runs[n - 1].pfn + runs[n - 1].count : 0;

		if (end <= before)
			continue;
		if (runs[i].pfn < before)
			runs[i].pfn = before;
		runs[n].pfn = runs[i].pfn;
		runs[n++].count = end - runs[i].pfn;
	}
	nr_runs = n;
}

const struct dfmt_wrun *
xdump_first(size_t *nr_out)
{
	uint32_t nr_cpus;
	const struct dfmt_fmt_cpu *r = xdump_cpu_records(&nr_cpus);

	nr_runs = 0;
	virtual_add(_start, _end);
	for (uint32_t i = 0; i < nr_cpus; i++) {
		if (r[i].flags & DFMT_CPU_STACK)
			virtual_add((void *)r[i].stack_first,
				(void *)r[i].stack_end);
		if (r[i].flags & DFMT_CPU_VCPU)
			vcpu_add((const struct vcpu *)r[i].current_vcpu);
	}
	tables_add();
	runs_sort();
	*nr_out = nr_runs;
	return runs;
}
