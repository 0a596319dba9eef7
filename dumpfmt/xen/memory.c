/* SPDX-License-Identifier: MIT */
/*
 * The machine's memory for the writer: which frames there are, what each holds
 * by the frame table, and a read that survives a hole.
 *
 * What may hold a guest's secrets is of class FREE or GUEST: frames of any
 * domain but dom0, free ones, and those that somebody is just taking or giving
 * back.  FREE is never written, GUEST only with content=guests, encrypted.
 * Nothing is taken on trust: only owners that are known by address count, no
 * pointer is followed.
 */
#include "xdump-impl.h"

#include <xen/kexec.h>
#include <xen/mm.h>
#include <xen/pfn.h>
#include <xen/sched.h>

#include <asm/asm_defns.h>
#include <asm/e820.h>
#include <asm/processor.h>

#define RUN_MAX 512u /* frames that are classified at a time */
#define SAMPLES 65536u
#define FIRST_MIB (MB(1) >> PAGE_SHIFT)

static struct dfmt_wrun ranges[XDUMP_RANGES];
static uint32_t nr_ranges;

static void
range_add(uint64_t first, uint64_t end)
{
	if (first >= end || nr_ranges == XDUMP_RANGES)
		return;
	ranges[nr_ranges].pfn = first;
	ranges[nr_ranges++].count = end - first;
}

/* The crash kernel's region is not ours to look at. */
void __init
xdump_memory_init(void)
{
	uint64_t skip = 0, skip_end = 0;

#ifdef CONFIG_KEXEC
	skip = kexec_crash_area.start >> PAGE_SHIFT;
	skip_end = PFN_UP(kexec_crash_area.start + kexec_crash_area.size);
#endif
	for (uint32_t i = 0; i < e820.nr_map; i++) {
		const struct e820entry *e = &e820.map[i];
		uint64_t first = PFN_UP(e->addr);
		uint64_t end = (e->addr + e->size) >> PAGE_SHIFT;

		if (e->type != E820_RAM)
			continue;
		if (skip >= end || skip_end <= first) {
			range_add(first, end);
			continue;
		}
		range_add(first, skip);
		range_add(skip_end, end);
	}
}

static int
next_range(void *arg, uint64_t pfn, struct dfmt_wrun *run_out)
{
	for (uint32_t i = 0; i < nr_ranges; i++)
		if (pfn < ranges[i].pfn + ranges[i].count) {
			*run_out = ranges[i];
			return 0;
		}
	return 1;
}

/* ---- what a frame holds -------------------------------------------------- */

/*
 * Where an allocation of whole pages is noted how many there are, in the place
 * of the owner, in the first of them (xmalloc_tlsf.c, PFN_ORDER).  No domain's
 * structure lies in the first MiB.
 */
static bool
is_page_count(const struct page_info *page)
{
	return (page->count_info & PGC_xen_heap) &&
	       page->v.inuse._domain < FIRST_MIB;
}

static int
class_of(uint64_t pfn)
{
	const struct page_info *page;
	const struct domain *owner;
	unsigned long info;

	if (!mfn_valid(_mfn(pfn)))
		return DFMT_CLASS_FREE;
	page = mfn_to_page(_mfn(pfn));
	info = page->count_info;
	if ((info & PGC_state) != PGC_state_inuse &&
		(info & PGC_state) != PGC_state_offlining)
		return DFMT_CLASS_FREE;
	owner = page_get_owner(page);
	if (owner == hardware_domain && owner != NULL)
		return xdump_dom0_class(pfn, page);
	if (owner == NULL || is_page_count(page))
		/* Without an owner this bit says: not scrubbed yet. */
		return info & PGC_need_scrub ? DFMT_CLASS_FREE
					     : DFMT_CLASS_HYPERVISOR;
	if (owner == dom_xen)
		return DFMT_CLASS_HYPERVISOR;
	return owner == dom_io ? DFMT_CLASS_FREE : DFMT_CLASS_GUEST;
}

bool
xdump_is_hypervisor(uint64_t pfn)
{
	return class_of(pfn) == DFMT_CLASS_HYPERVISOR;
}

static int
classify(void *arg, uint64_t pfn, uint64_t *count_out)
{
	int class = class_of(pfn);
	uint64_t n = 1;

	xdump_test_classify();
	while (n < RUN_MAX && class_of(pfn + n) == class)
		n++;
	*count_out = n;
	return class;
}

/* Every few frames one, on a large machine. */
uint64_t
xdump_memory_estimate(uint32_t content)
{
	uint64_t step = 1 + total_pages / SAMPLES, n = 0, pfn;

	for (uint32_t i = 0; i < nr_ranges; i++)
		for (pfn = ranges[i].pfn; pfn < ranges[i].pfn + ranges[i].count;
			pfn += step)
			n += content >> class_of(pfn) & 1;
	return n * step;
}

/* ---- reading one --------------------------------------------------------- */

bool
xdump_words_copy(void *to, const void *from, unsigned long nr)
{
	unsigned long left = nr;

	asm volatile("1:	rep movsq\n"
		     "2:\n" _ASM_EXTABLE(1b, 2b)
		     : "+c"(left), "+D"(to), "+S"(from)
		     :
		     : "memory");
	return left == 0;
}

static int
read_frame(void *arg, uint64_t pfn, void *buf)
{
	xdump_test_page();
	if (!mfn_valid(_mfn(pfn)) ||
		(mfn_to_page(_mfn(pfn))->count_info & PGC_broken))
		return 1;
	return !xdump_words_copy(buf, maddr_to_virt(pfn << PAGE_SHIFT),
		PAGE_SIZE / 8);
}

/* ---- the disk ------------------------------------------------------------ */

static int
disk_write(void *arg, uint64_t offset, const void *buf, size_t len)
{
	struct xdump_run *r = arg;

	xdump_test_write();
	return !dfmt_disk_write(&r->disk, r->offset + offset, buf, len);
}

static int
disk_read(void *arg, uint64_t offset, void *buf, size_t len)
{
	struct xdump_run *r = arg;

	return !dfmt_disk_read(&r->disk, r->offset + offset, buf, len);
}

static int
disk_flush(void *arg)
{
	struct xdump_run *r = arg;

	return !dfmt_disk_flush(&r->disk);
}

static int
disk_submit(void *arg, uint32_t ticket, uint64_t offset, const void *buf,
	size_t len)
{
	struct xdump_run *r = arg;

	return !dfmt_disk_submit(&r->disk, ticket, r->offset + offset, buf,
		len);
}

static int
disk_wait(void *arg, uint32_t ticket)
{
	struct xdump_run *r = arg;

	return !dfmt_disk_wait(&r->disk, ticket);
}

static void
disk_poke(void *arg)
{
	struct xdump_run *r = arg;

	dfmt_disk_poke(&r->disk);
}

static uint64_t
now_ms(void *arg)
{
	return xdump_now_us() / 1000;
}

static void
relax(void *arg)
{
	cpu_relax();
}

/* Every few seconds: somebody may be watching. */
static void
progress(void *arg, const struct dfmt_wprogress *p)
{
	struct xdump_run *r = arg;
	uint64_t now = xdump_now_us();

	if (now - r->said_us < 3000000)
		return;
	r->said_us = now;
	printk("xdump: dumping to %s %s/%u, %u%% done\n", r->disk.driver->name,
		r->disk.id.serial, r->disk.id.unit, p->percent);
}

const struct dfmt_writer_ops xdump_ops = {
	.next_range = next_range,
	.read_frame = read_frame,
	.classify = classify,
	.write = disk_write,
	.read = disk_read,
	.flush = disk_flush,
	.submit = disk_submit,
	.wait = disk_wait,
	.poke = disk_poke,
	.now_ms = now_ms,
	.progress = progress,
	.relax = relax,
	.remark = xdump_dom0_remark,
};
