/* SPDX-License-Identifier: MIT */
/*
 * Finds where in the dump a hypervisor is.
 *
 * A crash kernel's notes say where Xen was loaded and where its page tables
 * are; a whole-machine dump has only the page tables that its CPUs were using.
 * In either case something must run at the place of the hypervisor's image,
 * and what lies there decides: the embedded table of symbols begins with the
 * image's own first byte.
 *
 * Where page tables are lost, the image and the direct map are still read by
 * their fixed places, and that is said.  If no note says where the image is,
 * its own top table does: the next one is part of the image.
 */
#include "mdb/world/xen_place.h"

#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"
#include "mdb/sym/vmcoreinfo.h"

#define GIB (1ull << 30)
#define MIB (1ull << 20)
#define FRAME_MASK 0x000ffffffffff000ull
#define MAX_CHECKED 4096u /* looks at the direct map's tables */

#define MULTIBOOT_MAGIC 0x1badb002u
#define MIN_POINTERS 256u
#define INFO_PHYS_START 8 /* crash_xen_info_t, xen/include/xen/elfcore.h */

/* ---- where it is ---------------------------------------------------------
 */

/* The first executable run of an image in these tables. */
static bool
text_find(struct mdb_ctx *cx, struct mdb_space *space,
	struct mdb_mapped *text_out)
{
	mdb_addr_t at = MDB_XEN_TEXT;
	struct mdb_mapped run;

	for (int i = 0; i < 3; i++) {
		if (mdb_space_next_mapped(cx, space, at, &run) != MDB_OK ||
			run.start >= MDB_XEN_TEXT_END)
			break;
		if (run.executable && run.start % GIB == MDB_XEN_TEXT_OFFSET) {
			*text_out = run;
			return true;
		}
		at = run.last + 1;
		if (at == 0)
			break;
	}
	mdb_forget(cx);
	return false;
}

/* The symbol table lies in what follows the text, unless it is far away. */
static bool
table_find(struct mdb_ctx *cx, struct mdb_xen_place *p)
{
	const struct mdb_kallsyms_xen where = { .start = p->text_end,
		.end = p->text_start + MDB_XEN_MAX_IMAGE,
		.origin = p->virt_start,
		.first = p->text_start };
	enum mdb_status st =
		mdb_kallsyms_scan_xen(cx, p->space, &where, &p->layout);

	mdb_forget(cx);
	p->has_layout = st == MDB_OK;
	return p->has_layout;
}

/* Is there a hypervisor behind these tables?  Takes the space. */
static bool
space_try(struct mdb_ctx *cx, struct mdb_space *space,
	struct mdb_xen_place *place_out)
{
	struct mdb_xen_place p = { .space = space };
	struct mdb_mapped text;
	struct mdb_vtop vtop;

	if (!text_find(cx, space, &text) ||
		mdb_space_vtop(cx, space, text.start, &vtop) != MDB_OK) {
		mdb_forget(cx);
		mdb_space_destroy(space);
		return false;
	}
	p.text_start = text.start;
	p.text_end = text.last + 1;
	p.virt_start = text.start - MDB_XEN_TEXT_OFFSET;
	p.phys_start = vtop.paddr - MDB_XEN_TEXT_OFFSET;
	(void)table_find(cx, &p);
	*place_out = p;
	return true;
}

static bool
root_try(struct mdb_ctx *cx, struct mdb_target *target, enum mdb_paging mode,
	mdb_paddr_t root, struct mdb_xen_place *place_out)
{
	return root != 0 && space_try(cx,
				    mdb_space_create("xpv", target->memory,
					    &mdb_arch_x86_64, mode, root),
				    place_out);
}

static enum mdb_paging
mode_of(const struct dfmt_cpu *cpu)
{
	return cpu->has_cr && (cpu->cr4 & 1u << 12) ? MDB_PAGING_5LEVEL
						    : MDB_PAGING_4LEVEL;
}

/* By the CPUs' own tables, those first that also hold the symbols. */
static bool
cpus_try(struct mdb_ctx *cx, struct mdb_target *target, const struct dfmt *d,
	struct mdb_xen_place *place_out)
{
	bool found = false;

	for (size_t i = 0; i < dfmt_nr_cpus(d) && i < 64; i++) {
		struct dfmt_cpu cpu = dfmt_cpu_at(d, i);
		struct mdb_xen_place p;

		if (!cpu.has_cr || !root_try(cx, target, mode_of(&cpu),
					   cpu.cr3 & FRAME_MASK, &p))
			continue;
		if (found)
			mdb_space_destroy(place_out->space);
		*place_out = p;
		found = true;
		if (p.has_layout)
			break;
	}
	return found;
}

/* ---- where its tables are lost -------------------------------------------
 */

static mdb_paddr_t
memory_end(const struct mdb_target *target)
{
	struct dfmt_info info;

	dfmt_info_get(mdb_memory_dump(target->memory), &info);
	return info.max_addr;
}

/*
 * Where the machine's memory below 4 GiB ends: what a whole-machine dump has
 * above are devices', which no table need map.
 */
static mdb_paddr_t
low_end(const struct mdb_target *target)
{
	mdb_paddr_t start, end;

	return mdb_memory_next(target->memory, MIB, &start, &end) == MDB_OK &&
			       start < 4 * GIB
		       ? end
		       : 0;
}

static void
directmap_add(struct mdb_space *space, mdb_paddr_t start, mdb_paddr_t end)
{
	if (start < end)
		mdb_space_add_fixed(space, MDB_XEN_DIRECTMAP + start,
			MDB_XEN_DIRECTMAP + end, 0 - MDB_XEN_DIRECTMAP, 1);
}

/*
 * Reads what lost tables mapped by its fixed place: the image in one piece from
 * phys_start on, all memory in the direct map (DIRECTMAP_VIRT_START).  Where
 * the machine's frames are numbered without their holes (pdx), an address above
 * a hole leads into one: no memory is there, and none is made up.
 *
 * Of the tables of Xen 4.14 to 4.20 the entries for the image in the two
 * outermost levels are always present, for the direct map in the outermost.  A
 * table may be empty where there is no memory: that of the fourth GiB is made
 * before it is known (l2_directmap, xen/arch/x86/boot/x86_64.S).
 */
static void
fixed_add(const struct mdb_target *target, const struct mdb_xen_stated *s,
	struct mdb_xen_place *p)
{
	mdb_paddr_t end = memory_end(target);

	mdb_space_add_fixed(p->space, p->text_start,
		p->virt_start + MDB_XEN_USUAL_IMAGE,
		p->phys_start - p->virt_start,
		p->is_fixed ? MDB_VTOP_MAX_STEPS : 2);
	if (s->has_crash_info) { /* such a dump has nothing but memory */
		directmap_add(p->space, 0, end);
	} else {
		directmap_add(p->space, 0, low_end(target));
		directmap_add(p->space, 4 * GIB, end);
	}
}

/* Looks at the tables of the image and of the direct map. */
static void
tables_check(struct mdb_ctx *cx, struct mdb_target *target,
	struct mdb_xen_place *p)
{
	mdb_paddr_t at = 0, start, end;
	struct mdb_vtop vtop;
	uint64_t step = 2 * MIB;

	if (memory_end(target) > MAX_CHECKED * step)
		step = GIB;
	(void)mdb_space_vtop(cx, p->space, p->text_start, &vtop);
	for (unsigned int i = 0; i < MAX_CHECKED; i++) {
		if (mdb_memory_next(target->memory, at, &start, &end) != MDB_OK)
			break;
		(void)mdb_space_vtop(cx, p->space, MDB_XEN_DIRECTMAP + start,
			&vtop);
		at = (start / step + 1) * step;
		if (at == 0)
			break;
	}
	mdb_forget(cx);
}

/* The fixed places, with what is left of the tables of `root`. */
static bool
fixed_try(struct mdb_ctx *cx, struct mdb_target *target,
	const struct mdb_xen_stated *s, enum mdb_paging mode, mdb_paddr_t root,
	struct mdb_xen_place *p)
{
	p->text_start = p->virt_start + MDB_XEN_TEXT_OFFSET;
	p->text_end = p->text_start + 1;
	p->is_fixed = true;
	p->space = mdb_space_create("xpv", target->memory, &mdb_arch_x86_64,
		mode, root);
	fixed_add(target, s, p);
	if (table_find(cx, p))
		return true;
	mdb_space_destroy(p->space);
	return false;
}

/* xen/include/xen/multiboot.h: in the image's first bytes. */
static bool
is_image(const struct mdb_target *target, mdb_paddr_t text)
{
	uint8_t b[12];

	return mdb_memory_try(target->memory, text, b, sizeof(b)) == MDB_OK &&
	       mdb_le32(b + 8) == MULTIBOOT_MAGIC;
}

/* An image that is linked there has many pointers to itself. */
static bool
is_linked_at(const struct mdb_target *target, mdb_addr_t virt, mdb_paddr_t phys)
{
	uint8_t b[4096];
	size_t nr = 0;

	for (uint64_t at = MDB_XEN_TEXT_OFFSET; at < MDB_XEN_USUAL_IMAGE;
		at += sizeof(b)) {
		if (mdb_memory_try(target->memory, phys + at, b, sizeof(b)) !=
			MDB_OK)
			continue;
		for (size_t i = 0; i < sizeof(b); i += 8)
			nr += mdb_le64(b + i) - virt - MDB_XEN_TEXT_OFFSET <
			      MDB_XEN_USUAL_IMAGE - MDB_XEN_TEXT_OFFSET;
	}
	return nr >= MIN_POINTERS;
}

/*
 * The second table of its range, l3_xenmap, is in the image, whose place is a
 * multiple of 2 MiB (xen/arch/x86/boot/x86_64.S).
 */
static bool
image_try(struct mdb_ctx *cx, struct mdb_target *target,
	const struct mdb_xen_stated *s, const struct dfmt_cpu *cpu,
	struct mdb_xen_place *place_out)
{
	static const mdb_addr_t links[] = { 0xffff82d040000000ull,
		0xffff82d080000000ull }; /* XEN_VIRT_START */
	mdb_paddr_t root = cpu->cr3 & FRAME_MASK, phys;
	uint8_t b[8];

	if (mdb_memory_try(target->memory,
		    root + 8 * (MDB_XEN_TEXT >> 39 & 511), b, 8) != MDB_OK ||
		(mdb_le64(b) & 1) == 0)
		return false;
	phys = mdb_le64(b) & FRAME_MASK & ~(2 * MIB - 1);
	for (uint64_t i = 0; i < MDB_XEN_USUAL_IMAGE / (2 * MIB) && phys != 0;
		i++, phys -= 2 * MIB) {
		if (!is_image(target, phys + MDB_XEN_TEXT_OFFSET))
			continue;
		for (size_t j = 0; j < sizeof(links) / sizeof(links[0]); j++) {
			*place_out =
				(struct mdb_xen_place){ .virt_start = links[j],
					.phys_start = phys };
			if (is_linked_at(target, links[j], phys) &&
				fixed_try(cx, target, s, mode_of(cpu), root,
					place_out))
				return true;
		}
	}
	return false;
}

static bool
images_try(struct mdb_ctx *cx, struct mdb_target *target,
	const struct mdb_xen_stated *s, const struct dfmt *d,
	struct mdb_xen_place *place_out)
{
	for (size_t i = 0; i < dfmt_nr_cpus(d) && i < 64; i++) {
		struct dfmt_cpu cpu = dfmt_cpu_at(d, i);

		if (cpu.has_cr && image_try(cx, target, s, &cpu, place_out))
			return true;
	}
	return false;
}

/* By the notes, with the tables that they name, or else without any. */
static bool
stated_try(struct mdb_ctx *cx, struct mdb_target *target,
	const struct mdb_xen_stated *s, uint64_t pgd,
	struct mdb_xen_place *place_out)
{
	mdb_paddr_t phys = s->crash_info[INFO_PHYS_START];

	if (pgd == 0 || !s->has_crash_info)
		return false;
	*place_out = (struct mdb_xen_place){ .virt_start = pgd & ~(GIB - 1),
		.phys_start = phys };
	return fixed_try(cx, target, s, MDB_PAGING_4LEVEL, pgd % GIB + phys,
		       place_out) ||
	       fixed_try(cx, target, s, MDB_PAGING_4LEVEL, 0, place_out);
}

/* ---- the place -----------------------------------------------------------
 */

static bool
place_find(struct mdb_ctx *cx, struct mdb_target *target,
	const struct mdb_xen_stated *s, struct mdb_xen_place *place_out)
{
	const struct dfmt *d = mdb_memory_dump(target->memory);
	mdb_paddr_t phys = s->crash_info[INFO_PHYS_START];
	uint64_t pgd = 0;

	if (s->info != NULL && s->has_crash_info &&
		mdb_vmcoreinfo_symbol(s->info, s->info_len, "pgd_l4", &pgd) &&
		pgd >= MDB_XEN_TEXT && pgd < MDB_XEN_TEXT_END &&
		root_try(cx, target, MDB_PAGING_4LEVEL, pgd % GIB + phys,
			place_out))
		return true;
	return cpus_try(cx, target, d, place_out) ||
	       stated_try(cx, target, s, pgd, place_out) ||
	       images_try(cx, target, s, d, place_out);
}

bool
mdb_xen_place_find(struct mdb_ctx *cx, struct mdb_target *target,
	const struct mdb_xen_stated *stated, struct mdb_xen_place *place_out)
{
	if (!place_find(cx, target, stated, place_out))
		return false;
	if (!place_out->is_fixed)
		fixed_add(target, stated, place_out);
	tables_check(cx, target, place_out);
	return true;
}
