/* SPDX-License-Identifier: MIT */
/*
 * Finds the Linux kernel of domain 0 on a machine that Xen runs.
 *
 * A paravirtual guest's page tables hold machine frames, so any top table of
 * its is a space.  Which frames are such: its vCPUs have them (arch.cr3,
 * arch.guest_table), and what looks like a top table among the words of a
 * struct vcpu is one; so no layout need be known.  Domain 0 is reached from
 * a CPU that runs it, the list of domains, or the owner of a frame.
 *
 * A hardware guest's tables hold frames of its own, which a second stage leads
 * to the machine's: xen_hvm.c finds both.
 *
 * Without a hypervisor that could be asked, top tables are sought in all of
 * memory by their shape, and the kernel that they lead to must say of itself
 * that it is the initial domain's.
 */
#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"
#include "mdb/world/linux_world.h"
#include "mdb/world/xen_world.h"

#include <stdlib.h>

#define PAGE 4096u
#define FRAME_MASK 0x000ffffffffff000ull
#define MAX_FRAME (1ull << 40)

/* struct vcpu may have this many pages (xen/arch/x86/domain.c). */
#define VCPU_PAGES 2u
#define MAX_TRIED 64u
#define MAX_VCPUS 8u /* of domain 0, that are looked at */

/* Xen's linear map of frames in a top table: the same in all of them. */
#define SLOT_DIRECTMAP 262u

/* FRAMETABLE_VIRT_START of a build without BIGMEM; struct page_info. */
#define FRAME_TABLE 0xffff82e000000000ull
#define PAGE_INFO_LEN 32u
#define PAGE_INFO_OWNER 24u
#define MAX_FRAMES (1ull << 22)

struct scan {
	struct mdb_target *target;
	struct mdb_xen *xen; /* or NULL */
	struct mdb_linux_found *found_out;
	mdb_paddr_t tried[MAX_TRIED]; /* tables of the kernel's half */
	size_t nr_tried;
};

bool
mdb_linux_is_above_xen(const struct mdb_target *target)
{
	const struct dfmt *d = mdb_memory_dump(target->memory);
	size_t len;

	if (mdb_xen_of_target(target) != NULL)
		return true;
	return d != NULL && dfmt_vmcoreinfo_xen(d, &len) != NULL;
}

/* ---- one top table -------------------------------------------------------
 */

static uint64_t
word_at(const struct scan *s, mdb_paddr_t addr)
{
	uint8_t b[8];

	return mdb_memory_try(s->target->memory, addr, b, 8) == MDB_OK
		       ? mdb_le64(b)
		       : 0;
}

/* Does a table have the hypervisor's own map of memory, if that is known? */
static bool
maps_memory(const struct scan *s, mdb_paddr_t table)
{
	uint64_t own;

	if (s->xen == NULL ||
		mdb_space_paging(s->xen->world->space) == MDB_PAGING_NONE)
		return true;
	own = word_at(s,
		mdb_space_root(s->xen->world->space) + 8ul * SLOT_DIRECTMAP);
	return own == 0 || ((own ^ word_at(s, table + 8ul * SLOT_DIRECTMAP)) &
				   FRAME_MASK) == 0;
}

/* Does a page of memory look like a top table of a paravirtual Linux? */
static bool
is_root(const struct scan *s, mdb_paddr_t table)
{
	const uint64_t present = 1, large = 0x80;
	uint64_t e = word_at(s, table + 511ul * 8);

	if (!(e & present) || (e & large) || (e & FRAME_MASK) == 0)
		return false;
	e = word_at(s, (e & FRAME_MASK) + 510ul * 8);
	return (e & present) && !(e & large) && (e & FRAME_MASK) != 0 &&
	       maps_memory(s, table);
}

/* All processes of a kernel share its half: one of them is enough. */
static bool
was_tried(struct scan *s, mdb_paddr_t table)
{
	mdb_paddr_t half = word_at(s, table + 511ul * 8) & FRAME_MASK;

	for (size_t i = 0; i < s->nr_tried; i++)
		if (s->tried[i] == half)
			return true;
	if (s->nr_tried < MAX_TRIED)
		s->tried[s->nr_tried++] = half;
	return s->nr_tried == MAX_TRIED;
}

/* xen_start_flags (arch/x86/xen/enlighten.c): SIF_INITDOMAIN. */
#define SIF_INITDOMAIN 2u

bool
mdb_linux_is_initial(struct mdb_ctx *cx, struct mdb_linux_found *found)
{
	struct mdb_object kernel = { 0 };
	struct mdb_kallsyms *k;
	struct mdb_sym sym;
	uint64_t flags = 0;
	bool known = false;

	if (mdb_kallsyms_create(cx, found->space, &found->layout, &k) ==
		MDB_OK) {
		kernel.symtab = k;
		known = mdb_kallsyms_ops.by_name(cx, &kernel, "xen_start_flags",
				&sym) == MDB_OK &&
			mdb_space_read_uint(cx, found->space, sym.value, 4,
				&flags) == MDB_OK;
		mdb_kallsyms_destroy(k);
	}
	mdb_forget(cx);
	return known && (flags & SIF_INITDOMAIN) != 0;
}

static void
found_destroy(struct mdb_linux_found *found)
{
	mdb_space_destroy(found->space);
	free(found->info_owned);
}

/* sure: the table is known to be domain 0's. */
static enum mdb_status
frame_try(struct mdb_ctx *cx, struct scan *s, mdb_pfn_t mfn, bool sure)
{
	enum mdb_status st;

	if (mfn == 0 || mfn >= MAX_FRAME || !is_root(s, mfn * PAGE) ||
		was_tried(s, mfn * PAGE))
		return MDB_E_NOTFOUND;
	st = mdb_linux_space_try(cx,
		mdb_space_create("kernel", s->target->memory, &mdb_arch_x86_64,
			MDB_PAGING_4LEVEL, mfn * PAGE),
		s->found_out);
	if (st != MDB_OK)
		return st;
	if (!sure && !mdb_linux_is_initial(cx, s->found_out)) {
		found_destroy(s->found_out);
		return MDB_E_NOTFOUND;
	}
	s->found_out->has_domain = true;
	s->found_out->domain = sure ? (int)s->xen->dom0.domid : 0;
	return MDB_OK;
}

/* ---- domain 0 ------------------------------------------------------------
 */

static bool
by_cpus(struct mdb_ctx *cx, struct mdb_xen *xen, struct mdb_xen_domain *out)
{
	const struct mdb_xen_cpus *cpus = mdb_xen_cpus(cx, xen);
	struct mdb_xen_vcpu v;

	for (size_t i = 0; i < cpus->nr; i++)
		if (mdb_xen_vcpu_try(xen, cpus->list[i].current, &v) &&
			v.domid == 0 && mdb_xen_domain_try(xen, v.domain, out))
			return true;
	return false;
}

/* The list of domains is in the order of their ids. */
static bool
by_variables(struct mdb_ctx *cx, struct mdb_xen *xen,
	struct mdb_xen_domain *out)
{
	static const char *const names[] = { "domain_list", "hardware_domain",
		"dom0" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint64_t addr;

		if (mdb_xen_number(cx, xen, names[i], 8, &addr) &&
			mdb_xen_domain_try(xen, addr, out) && out->domid == 0)
			return true;
	}
	return false;
}

/* The owner of any frame; owners are few, so a new one is worth a look. */
static bool
by_owners(struct mdb_ctx *cx, struct mdb_xen *xen, struct mdb_xen_domain *out)
{
	uint64_t table = FRAME_TABLE, len = PAGE_INFO_LEN;
	uint64_t at_owner = PAGE_INFO_OWNER;
	uint32_t last = 0;
	uint8_t b[PAGE];

	(void)mdb_xen_info_number(xen, "SIZE(page_info)", &len);
	(void)mdb_xen_info_number(xen, "OFFSET(page_info._domain)", &at_owner);
	if (len == 0 || len > 256 || len % 8 != 0 || at_owner > len - 4)
		return false;
	for (uint64_t done = 0; done < MAX_FRAMES * len; done += PAGE) {
		if (done % (1u << 20) == 0 && mdb_check_interrupt(cx) != MDB_OK)
			return false;
		if (mdb_space_try(xen->world->space, table + done, b, PAGE) !=
			MDB_OK)
			continue;
		for (uint64_t i = (len - done % len) % len;
			i + at_owner + 4 <= PAGE; i += len) {
			uint32_t owner = mdb_le32(b + i + at_owner);

			if (owner == 0 || owner == last)
				continue;
			last = owner;
			if (mdb_xen_domain_try(xen,
				    MDB_XEN_DIRECTMAP + (uint64_t)owner * PAGE,
				    out) &&
				out->domid == 0)
				return true;
		}
	}
	return false;
}

static bool
domain_find(struct mdb_ctx *cx, struct mdb_xen *xen)
{
	struct mdb_xen_domain *d = &xen->dom0;

	if (!xen->dom0_tried)
		xen->has_dom0 = by_cpus(cx, xen, d) ||
				by_variables(cx, xen, d) ||
				by_owners(cx, xen, d);
	xen->dom0_tried = true;
	return xen->has_dom0;
}

/* ---- its top tables ------------------------------------------------------
 */

/* A word of struct vcpu: a frame's number, or its address. */
static enum mdb_status
word_try(struct mdb_ctx *cx, struct scan *s, uint64_t word)
{
	if (word != 0 && word < MAX_FRAME) {
		enum mdb_status st = frame_try(cx, s, word, true);

		if (st != MDB_E_NOTFOUND)
			return st;
	}
	return (word & FRAME_MASK) == word && word != 0
		       ? frame_try(cx, s, word / PAGE, true)
		       : MDB_E_NOTFOUND;
}

static enum mdb_status
vcpu_try(struct mdb_ctx *cx, struct scan *s, mdb_addr_t addr)
{
	enum mdb_status st = MDB_E_NOTFOUND;
	uint8_t b[PAGE];

	for (size_t page = 0; page < VCPU_PAGES; page++) {
		if (mdb_space_try(s->xen->world->space, addr + page * PAGE, b,
			    PAGE) != MDB_OK)
			break;
		for (size_t i = 0; i < PAGE && st == MDB_E_NOTFOUND; i += 8)
			st = word_try(cx, s, mdb_le64(b + i));
	}
	return st;
}

/* The kernel of a hardware guest, by one of its vCPUs. */
static enum mdb_status
hvm_try(struct mdb_ctx *cx, struct scan *s, mdb_addr_t addr)
{
	struct mdb_xen_hvm hvm;
	struct mdb_memory *mem;
	enum mdb_status st = MDB_E_NOTFOUND;

	if (!mdb_xen_hvm_try(cx, s->xen, addr, s->xen->dom0.addr, &hvm) ||
		mdb_xen_hvm_paging(&hvm) == MDB_PAGING_NONE)
		return st;
	mem = mdb_memory_create_guest(s->target->memory, hvm.stage,
		hvm.stage_root);
	/* With page table isolation user mode has the second of two pages. */
	for (int i = 0; i < 2 && st == MDB_E_NOTFOUND; i++) {
		mdb_paddr_t root = hvm.cr3 & FRAME_MASK;

		if (i == 1 && (root & PAGE) == 0)
			break;
		st = mdb_linux_space_try(cx,
			mdb_space_create("kernel", mem, &mdb_arch_x86_64,
				mdb_xen_hvm_paging(&hvm),
				i == 1 ? root & ~(uint64_t)PAGE : root),
			s->found_out);
	}
	if (st != MDB_OK) {
		mdb_memory_destroy(mem);
		return st;
	}
	s->found_out->memory = mem;
	s->found_out->has_domain = true;
	s->found_out->domain = (int)s->xen->dom0.domid;
	return MDB_OK;
}

typedef enum mdb_status vcpu_fn(struct mdb_ctx *cx, struct scan *s,
	mdb_addr_t addr);

static enum mdb_status
each_vcpu(struct mdb_ctx *cx, struct scan *s, vcpu_fn *fn)
{
	const struct mdb_xen_domain *d = &s->xen->dom0;
	enum mdb_status st = MDB_E_NOTFOUND;

	for (unsigned int i = 0;
		i < d->max_vcpus && i < MAX_VCPUS && st == MDB_E_NOTFOUND;
		i++) {
		uint8_t b[8];

		if (mdb_space_try(s->xen->world->space, d->vcpus + 8ul * i, b,
			    8) == MDB_OK &&
			mdb_le64(b) != 0)
			st = fn(cx, s, mdb_le64(b));
	}
	return st;
}

static enum mdb_status
by_domain(struct mdb_ctx *cx, struct scan *s)
{
	enum mdb_status st = each_vcpu(cx, s, vcpu_try);

	return st == MDB_E_NOTFOUND ? each_vcpu(cx, s, hvm_try) : st;
}

/* What the CPUs had loaded: the table of a guest's that ran, whose we ask. */
static enum mdb_status
by_notes(struct mdb_ctx *cx, struct scan *s)
{
	const struct dfmt *d = mdb_memory_dump(s->target->memory);
	enum mdb_status st = MDB_E_NOTFOUND;

	for (size_t i = 0; d != NULL && i < dfmt_nr_cpus(d) && i < MAX_TRIED &&
			   st == MDB_E_NOTFOUND;
		i++) {
		struct dfmt_cpu cpu = dfmt_cpu_at(d, i);

		if (cpu.has_cr)
			st = frame_try(cx, s, (cpu.cr3 & FRAME_MASK) / PAGE,
				false);
	}
	return st;
}

static enum mdb_status
by_memory(struct mdb_ctx *cx, struct scan *s)
{
	mdb_paddr_t at = 0, start, end;
	enum mdb_status st = MDB_E_NOTFOUND;
	unsigned int nr_lost = 0;

	while (st == MDB_E_NOTFOUND &&
		mdb_memory_next(s->target->memory, at, &start, &end) ==
			MDB_OK &&
		end > at) {
		for (at = (start + PAGE - 1) / PAGE * PAGE;
			st == MDB_E_NOTFOUND && at < end && end - at >= PAGE;
			at +=
			mdb_linux_scan_step(s->target->memory, at, &nr_lost)) {
			st = frame_try(cx, s, at / PAGE, false);
			if (st == MDB_E_NOTFOUND &&
				mdb_check_interrupt(cx) != MDB_OK)
				st = MDB_E_INTERRUPTED;
		}
		at = end;
	}
	return st;
}

enum mdb_status
mdb_linux_scan_xen(struct mdb_ctx *cx, struct mdb_target *target,
	struct mdb_world *xen, struct mdb_linux_found *found_out)
{
	struct scan s = { .target = target,
		.xen = xen != NULL ? mdb_xen_of(xen) : NULL,
		.found_out = found_out };
	bool known = s.xen != NULL && domain_find(cx, s.xen);
	enum mdb_status st = known ? by_domain(cx, &s) : MDB_E_NOTFOUND;

	if (st == MDB_E_NOTFOUND)
		st = by_notes(cx, &s);
	if (st == MDB_E_NOTFOUND)
		st = by_memory(cx, &s);
	if (st != MDB_E_NOTFOUND)
		return st;
	return mdb_fail(cx, st,
		known ? "no page tables of domain 0 lead to a kernel"
		      : "no page tables in memory lead to a kernel of domain "
			"0");
}
