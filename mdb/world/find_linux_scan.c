/* SPDX-License-Identifier: MIT */
/*
 * Finds a Linux kernel where no note tells of it.
 *
 * First through page tables that the CPU notes name: what they map at the
 * kernel's place must hold kallsyms tables.  Then the VMCOREINFO text is
 * sought in memory: it begins a page with "OSRELEASE=", and copies of kernels
 * that are gone may lie about, so each is verified through the page tables it
 * names.  Last, page tables are sought by their shape.
 *
 * A paravirtual guest's kernel is no bare machine's: where the page tables
 * also map Xen, or the dump has Xen's own notes, nothing is claimed here;
 * find_linux_xen.c looks for it with what the hypervisor knows.
 */
#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"
#include "mdb/sym/vmcoreinfo.h"
#include "mdb/world/linux_world.h"

#include <stdlib.h>
#include <string.h>

#define PAGE 4096u

/* PML4 slots 256..271 are Xen's (xen/include/asm-x86/config.h). */
#define XEN_TEXT 0xffff82d000000000ull
#define XEN_TEXT_END 0xffff82e000000000ull

#define MAX_ROOTS 64u

/* What one root may map of a kernel, at most: images are below 200 MiB. */
#define MAX_SCAN (256ull << 20)

static bool
maps_xen(struct mdb_ctx *cx, struct mdb_space *space)
{
	struct mdb_mapped run;

	return mdb_space_next_mapped(cx, space, XEN_TEXT, &run) == MDB_OK &&
	       run.start < XEN_TEXT_END;
}

/* Reads VMCOREINFO where the kernel's own pointer says it is. */
static void
info_of_kernel(struct mdb_ctx *cx, struct mdb_object *kernel,
	struct mdb_linux_found *found)
{
	struct mdb_sym sym;
	uint64_t addr;
	char *text;
	size_t len;

	if (mdb_kallsyms_ops.by_name(cx, kernel, "vmcoreinfo_data", &sym) !=
			MDB_OK ||
		mdb_space_read_uint(cx, found->space, sym.value, 8, &addr) !=
			MDB_OK)
		return;
	text = mdb_xalloc(PAGE + 1);
	if (mdb_space_read_some(cx, found->space, addr, text, PAGE, &len) !=
			MDB_OK ||
		memcmp(text, "OSRELEASE=", 10) != 0) {
		free(text);
		return;
	}
	found->info_owned = text;
	found->info = text;
	found->info_len = strlen(text);
}

/* A process's tables led here; the kernel's own are those to keep. */
static void
root_of_kernel(struct mdb_ctx *cx, struct mdb_object *kernel,
	struct mdb_linux_found *found)
{
	static const char *const names[] = { "init_top_pgt", "swapper_pg_dir",
		"init_level4_pgt" };

	for (size_t i = 0; i < 3; i++) {
		struct mdb_vtop vtop;
		struct mdb_sym sym;

		if (mdb_kallsyms_ops.by_name(cx, kernel, names[i], &sym) !=
				MDB_OK ||
			mdb_space_vtop(cx, found->space, sym.value, &vtop) !=
				MDB_OK)
			continue;
		mdb_space_set_root(found->space, mdb_space_paging(found->space),
			vtop.paddr);
		return;
	}
}

static void
kernel_ask(struct mdb_ctx *cx, struct mdb_linux_found *found)
{
	struct mdb_object kernel = { 0 };
	struct mdb_kallsyms *k;

	if (mdb_kallsyms_create(cx, found->space, &found->layout, &k) ==
		MDB_OK) {
		kernel.symtab = k;
		root_of_kernel(cx, &kernel, found);
		info_of_kernel(cx, &kernel, found);
		mdb_kallsyms_destroy(k);
	}
	mdb_forget(cx);
}

/* Looks for kallsyms tables in what is mapped with such rights. */
static enum mdb_status
tables_scan(struct mdb_ctx *cx, struct mdb_space *space, bool read_only,
	struct mdb_kallsyms_layout *layout_out)
{
	mdb_addr_t at = MDB_LINUX_TEXT_MAP;
	enum mdb_status st = MDB_E_NOTFOUND;
	uint64_t scanned = 0;

	for (unsigned int i = 0;
		st == MDB_E_NOTFOUND && scanned < MAX_SCAN && i < 4096; i++) {
		struct mdb_mapped run;

		if (mdb_space_next_mapped(cx, space, at, &run) != MDB_OK ||
			run.start >= MDB_LINUX_TEXT_MAP_END)
			break;
		at = run.last + 1;
		if ((!run.executable && !run.writable) != read_only)
			continue;
		if (run.last - run.start > MAX_SCAN)
			run.last = run.start + MAX_SCAN;
		st = mdb_kallsyms_scan(cx, space, run.start, run.last,
			layout_out);
		scanned += run.last - run.start;
	}
	mdb_forget(cx);
	return st;
}

enum mdb_status
mdb_linux_space_try(struct mdb_ctx *cx, struct mdb_space *space,
	struct mdb_linux_found *found_out)
{
	struct mdb_linux_found found = { .space = space };
	enum mdb_status st;

	/* They are read-only data, unless the kernel protects none. */
	st = tables_scan(cx, space, true, &found.layout);
	if (st == MDB_E_NOTFOUND)
		st = tables_scan(cx, space, false, &found.layout);
	if (st != MDB_OK) {
		mdb_space_destroy(found.space);
		return st;
	}
	found.has_layout = true;
	kernel_ask(cx, &found);
	*found_out = found;
	return MDB_OK;
}

/* Is there a kernel behind these tables? */
static enum mdb_status
root_try(struct mdb_ctx *cx, struct mdb_target *target, enum mdb_paging mode,
	mdb_paddr_t root, struct mdb_linux_found *found_out)
{
	struct mdb_space *space = mdb_space_create("kernel", target->memory,
		&mdb_arch_x86_64, mode, root);

	if (!maps_xen(cx, space))
		return mdb_linux_space_try(cx, space, found_out);
	mdb_space_destroy(space);
	return MDB_E_UNSUPPORTED;
}

/*
 * The CPUs' own page tables.  With page table isolation a CPU in user mode
 * has the second of two pages: the kernel's is the first.
 */
static enum mdb_status
scan_cpus(struct mdb_ctx *cx, struct mdb_target *target,
	struct mdb_linux_found *found_out)
{
	const struct dfmt *dump = mdb_memory_dump(target->memory);
	size_t nr = dump != NULL ? dfmt_nr_cpus(dump) : 0;
	const uint64_t la57 = 1u << 12;

	for (size_t i = 0; i < nr && i < MAX_ROOTS; i++) {
		struct dfmt_cpu cpu = dfmt_cpu_at(dump, i);
		mdb_paddr_t root = cpu.cr3 & 0x000ffffffffff000ull;
		enum mdb_paging mode =
			cpu.cr4 & la57 ? MDB_PAGING_5LEVEL : MDB_PAGING_4LEVEL;
		enum mdb_status st = MDB_E_NOTFOUND;

		if (!cpu.has_cr || root == 0)
			continue;
		if (root & PAGE)
			st = root_try(cx, target, mode, root & ~(uint64_t)PAGE,
				found_out);
		if (st == MDB_E_NOTFOUND)
			st = root_try(cx, target, mode, root, found_out);
		if (st != MDB_E_NOTFOUND)
			return st;
	}
	return MDB_E_NOTFOUND;
}

/* A page that begins like VMCOREINFO: is it that of a kernel in the dump? */
static enum mdb_status
info_try(struct mdb_ctx *cx, struct mdb_target *target, mdb_paddr_t addr,
	struct mdb_linux_found *found_out)
{
	struct mdb_linux_found found = { 0 };
	char *text = mdb_xalloc(PAGE + 1);
	enum mdb_status st;

	st = mdb_memory_try(target->memory, addr, text, PAGE);
	if (st == MDB_OK)
		st = mdb_linux_space_of_info(cx, target, text, strlen(text),
			&found.space);
	mdb_forget(cx);
	if (st == MDB_OK && maps_xen(cx, found.space)) {
		mdb_space_destroy(found.space);
		st = MDB_E_UNSUPPORTED;
	}
	if (st != MDB_OK) {
		free(text);
		return MDB_E_NOTFOUND;
	}
	found.info_owned = text;
	found.info = text;
	found.info_len = strlen(text);
	*found_out = found;
	return MDB_OK;
}

/*
 * A top table that any process of a Linux may have: its last entry leads to
 * a table whose last but one entry (the kernel's gigabyte) is a table too.
 */
static bool
looks_like_root(const struct mdb_memory *mem, const uint8_t *page,
	enum mdb_paging mode)
{
	const uint64_t present = 1, frame = 0x000ffffffffff000ull;
	uint64_t e = mdb_le64(page + 511ul * 8);
	uint8_t b[8];

	if (!(e & present) || (e & 0x80) || (e & frame) == 0)
		return false;
	if (mode == MDB_PAGING_5LEVEL) {
		if (mdb_memory_try(mem, (e & frame) + 511ul * 8, b, 8) !=
			MDB_OK)
			return false;
		e = mdb_le64(b);
		if (!(e & present) || (e & 0x80))
			return false;
	}
	if (mdb_memory_try(mem, (e & frame) + 510ul * 8, b, 8) != MDB_OK)
		return false;
	e = mdb_le64(b);
	return (e & present) && !(e & 0x80) && (e & frame) != 0;
}

struct page_scan {
	struct mdb_target *target;
	struct mdb_linux_found *found_out;
	unsigned int nr_roots; /* tried */
};

typedef enum mdb_status page_fn(struct mdb_ctx *cx, struct page_scan *scan,
	mdb_paddr_t addr);

static enum mdb_status
page_info(struct mdb_ctx *cx, struct page_scan *scan, mdb_paddr_t addr)
{
	char head[10];

	if (mdb_memory_try(scan->target->memory, addr, head, sizeof(head)) !=
			MDB_OK ||
		memcmp(head, "OSRELEASE=", sizeof(head)) != 0)
		return MDB_E_NOTFOUND;
	return info_try(cx, scan->target, addr, scan->found_out);
}

static enum mdb_status
page_root(struct mdb_ctx *cx, struct page_scan *scan, mdb_paddr_t addr)
{
	static const enum mdb_paging modes[] = { MDB_PAGING_4LEVEL,
		MDB_PAGING_5LEVEL };
	uint8_t page[PAGE];

	if (mdb_memory_try(scan->target->memory, addr, page, PAGE) != MDB_OK)
		return MDB_E_NOTFOUND;
	for (size_t i = 0; i < 2; i++) {
		enum mdb_status st;

		if (!looks_like_root(scan->target->memory, page, modes[i]))
			continue;
		if (scan->nr_roots++ >= MAX_ROOTS)
			return MDB_E_NOTFOUND;
		st = root_try(cx, scan->target, modes[i], addr,
			scan->found_out);
		if (st != MDB_E_NOTFOUND)
			return st;
	}
	return MDB_E_NOTFOUND;
}

mdb_paddr_t
mdb_linux_scan_step(const struct mdb_memory *mem, mdb_paddr_t at,
	unsigned int *nr_lost)
{
	uint8_t b;

	if (mdb_memory_try(mem, at, &b, 1) != MDB_E_LOST) {
		*nr_lost = 0;
		return PAGE;
	}
	if (*nr_lost < 64u * 40)
		++*nr_lost;
	return (mdb_paddr_t)PAGE << *nr_lost / 64;
}

/* Calls fn for each page of the dump until it says more than "not here". */
static enum mdb_status
each_page(struct mdb_ctx *cx, struct page_scan *scan, page_fn *fn)
{
	const struct mdb_memory *mem = scan->target->memory;
	unsigned int nr_lost = 0;
	mdb_paddr_t at = 0;
	mdb_paddr_t start, end;

	while (mdb_memory_next(mem, at, &start, &end) == MDB_OK && end > at) {
		start = (start + PAGE - 1) & ~(mdb_paddr_t)(PAGE - 1);
		for (at = start; at + PAGE <= end && at + PAGE > at;
			at += mdb_linux_scan_step(mem, at, &nr_lost)) {
			enum mdb_status st = fn(cx, scan, at);

			if (st == MDB_E_NOTFOUND)
				st = mdb_check_interrupt(cx);
			else
				return st;
			if (st != MDB_OK)
				return st;
		}
		at = end;
	}
	return MDB_E_NOTFOUND;
}

enum mdb_status
mdb_linux_scan(struct mdb_ctx *cx, struct mdb_target *target,
	struct mdb_linux_found *found_out)
{
	struct page_scan scan = { .target = target, .found_out = found_out };
	enum mdb_status st = scan_cpus(cx, target, found_out);

	if (st == MDB_E_NOTFOUND)
		st = each_page(cx, &scan, page_info);
	if (st == MDB_E_NOTFOUND)
		st = each_page(cx, &scan, page_root);
	/* Where the hypervisor's part of the tables is destroyed, the kernel
	 * itself says that it had one. */
	if (st == MDB_OK && found_out->has_layout)
		found_out->has_domain = mdb_linux_is_initial(cx, found_out);
	return st;
}
