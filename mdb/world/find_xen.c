/* SPDX-License-Identifier: MIT */
/*
 * Finds a Xen hypervisor in the dump and makes a world of it.
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
#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"
#include "mdb/sym/vmcoreinfo.h"
#include "mdb/world/xen_types.h"
#include "mdb/world/xen_world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GIB (1ull << 30)
#define MIB (1ull << 20)
#define FRAME_MASK 0x000ffffffffff000ull

/* The image is linked at XEN_VIRT_START + 2 MiB and is smaller than this. */
#define TEXT_OFFSET (2 * MIB)
#define MAX_IMAGE (64 * MIB)
#define USUAL_IMAGE (16 * MIB)
#define MAX_CHECKED 4096u /* looks at the direct map's tables */

#define MULTIBOOT_MAGIC 0x1badb002u
#define MIN_POINTERS 256u

#define NOTE_CRASH_INFO 0x1000001u /* xen/include/public/elfnote.h */
#define NOTE_CRASH_REGS 0x1000002u
#define NT_PRSTATUS 1u
#define INFO_PHYS_START 8 /* crash_xen_info_t, xen/include/xen/elfcore.h */

struct mdb_xen *
mdb_xen_of(const struct mdb_world *world)
{
	return world->ops == &mdb_xen_ops ? world->priv : NULL;
}

struct mdb_xen *
mdb_xen_of_target(const struct mdb_target *target)
{
	for (const struct mdb_world *w = target->worlds; w; w = w->next)
		if (mdb_xen_of(w) != NULL)
			return mdb_xen_of(w);
	return NULL;
}

mdb_addr_t
mdb_xen_info_symbol(const struct mdb_xen *xen, const char *name)
{
	const struct mdb_world *w = xen->world;
	uint64_t v;

	if (w->vmcoreinfo == NULL || !mdb_vmcoreinfo_symbol(w->vmcoreinfo,
					     w->vmcoreinfo_len, name, &v))
		return 0;
	return v;
}

bool
mdb_xen_info_number(const struct mdb_xen *xen, const char *key,
	uint64_t *value_out)
{
	const struct mdb_world *w = xen->world;

	return w->vmcoreinfo != NULL &&
	       mdb_vmcoreinfo_number(w->vmcoreinfo, w->vmcoreinfo_len, key,
		       value_out);
}

/* ---- what the notes say --------------------------------------------------
 */

struct stated {
	const char *info; /* VMCOREINFO_XEN, or NULL */
	size_t info_len;
	bool has_crash_info;
	size_t crash_note;
	uint64_t crash_info[10];
};

static void
crash_info_read(const struct dfmt_note *n, struct stated *s)
{
	const uint8_t *p = n->desc;

	for (size_t i = 0; i < 10; i++)
		s->crash_info[i] = mdb_le64(p + 8 * i);
	s->has_crash_info = true;
}

/* The crash note follows the registers of the CPU that wrote it. */
static void
stated_read(const struct dfmt *d, struct stated *s)
{
	size_t nr_status = 0;

	*s = (struct stated){ 0 };
	s->info = dfmt_vmcoreinfo_xen(d, &s->info_len);
	for (size_t i = 0; i < dfmt_nr_notes(d); i++) {
		struct dfmt_note n = dfmt_note_at(d, i);

		if (strcmp(n.name, "CORE") == 0 && n.type == NT_PRSTATUS)
			nr_status++;
		if (strcmp(n.name, "Xen") != 0 || n.type != NOTE_CRASH_INFO ||
			n.desc_len < 80 || s->has_crash_info)
			continue;
		crash_info_read(&n, s);
		s->crash_note = nr_status > 0 ? nr_status - 1 : 0;
	}
}

/* ---- where it is ---------------------------------------------------------
 */

struct place {
	struct mdb_space *space;
	mdb_addr_t virt_start, text_start, text_end;
	mdb_paddr_t phys_start;
	struct mdb_kallsyms_layout layout;
	bool has_layout;
	bool is_fixed; /* the tables do not say where the image is */
};

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
		if (run.executable && run.start % GIB == TEXT_OFFSET) {
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
table_find(struct mdb_ctx *cx, struct place *p)
{
	const struct mdb_kallsyms_xen where = { .start = p->text_end,
		.end = p->text_start + MAX_IMAGE,
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
space_try(struct mdb_ctx *cx, struct mdb_space *space, struct place *place_out)
{
	struct place p = { .space = space };
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
	p.virt_start = text.start - TEXT_OFFSET;
	p.phys_start = vtop.paddr - TEXT_OFFSET;
	(void)table_find(cx, &p);
	*place_out = p;
	return true;
}

static bool
root_try(struct mdb_ctx *cx, struct mdb_target *target, enum mdb_paging mode,
	mdb_paddr_t root, struct place *place_out)
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
	struct place *place_out)
{
	bool found = false;

	for (size_t i = 0; i < dfmt_nr_cpus(d) && i < 64; i++) {
		struct dfmt_cpu cpu = dfmt_cpu_at(d, i);
		struct place p;

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
memory_end(const struct dfmt *d)
{
	struct dfmt_info info;

	dfmt_info_get(d, &info);
	return info.max_addr;
}

/*
 * Reads what lost tables mapped by its fixed place: the image in one piece from
 * phys_start on, all memory in the direct map (DIRECTMAP_VIRT_START).  Where
 * the machine's frames are numbered without their holes (pdx), an address above
 * a hole leads into one: no memory is there, and none is made up.
 *
 * Of the tables of Xen 4.14 to 4.20 the entries for the image in the two
 * outermost levels are always present, for the direct map in the outermost.
 */
static void
fixed_add(const struct dfmt *d, struct place *p)
{
	mdb_space_add_fixed(p->space, p->text_start,
		p->virt_start + USUAL_IMAGE, p->phys_start - p->virt_start,
		p->is_fixed ? MDB_VTOP_MAX_STEPS : 2);
	mdb_space_add_fixed(p->space, MDB_XEN_DIRECTMAP,
		MDB_XEN_DIRECTMAP + memory_end(d), 0 - MDB_XEN_DIRECTMAP, 1);
}

/* Looks at the tables of the image and of the direct map. */
static void
tables_check(struct mdb_ctx *cx, struct mdb_target *target, struct place *p)
{
	mdb_paddr_t at = 0, start, end;
	struct mdb_vtop vtop;
	uint64_t step = 2 * MIB;

	if (memory_end(mdb_memory_dump(target->memory)) > MAX_CHECKED * step)
		step = GIB;
	(void)mdb_space_vtop(cx, p->space, p->text_start, &vtop);
	for (unsigned int i = 0; i < MAX_CHECKED; i++) {
		if (mdb_memory_next(target->memory, at, &start, &end) !=
			MDB_OK)
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
fixed_try(struct mdb_ctx *cx, struct mdb_target *target, mdb_addr_t virt_start,
	mdb_paddr_t phys_start, enum mdb_paging mode, mdb_paddr_t root,
	struct place *place_out)
{
	struct place p = { .virt_start = virt_start,
		.text_start = virt_start + TEXT_OFFSET,
		.phys_start = phys_start,
		.is_fixed = true };

	p.space = mdb_space_create("xpv", target->memory, &mdb_arch_x86_64,
		mode, root);
	fixed_add(mdb_memory_dump(target->memory), &p);
	p.text_end = p.text_start + 1;
	if (!table_find(cx, &p)) {
		mdb_space_destroy(p.space);
		return false;
	}
	*place_out = p;
	return true;
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
is_linked_at(const struct mdb_target *target, mdb_addr_t virt,
	mdb_paddr_t phys)
{
	uint8_t b[4096];
	size_t nr = 0;

	for (uint64_t at = TEXT_OFFSET; at < USUAL_IMAGE; at += sizeof(b)) {
		if (mdb_memory_try(target->memory, phys + at, b, sizeof(b)) !=
			MDB_OK)
			continue;
		for (size_t i = 0; i < sizeof(b); i += 8)
			nr += mdb_le64(b + i) - virt - TEXT_OFFSET <
			      USUAL_IMAGE - TEXT_OFFSET;
	}
	return nr >= MIN_POINTERS;
}

/*
 * The second table of its range, l3_xenmap, is in the image, whose place is a
 * multiple of 2 MiB (xen/arch/x86/boot/x86_64.S).
 */
static bool
image_try(struct mdb_ctx *cx, struct mdb_target *target,
	const struct dfmt_cpu *cpu, struct place *place_out)
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
	for (uint64_t i = 0; i < USUAL_IMAGE / (2 * MIB) && phys != 0; i++) {
		for (size_t j = 0; is_image(target, phys + TEXT_OFFSET) &&
				   j < sizeof(links) / sizeof(links[0]);
			j++)
			if (is_linked_at(target, links[j], phys) &&
				fixed_try(cx, target, links[j], phys,
					mode_of(cpu), root, place_out))
				return true;
		phys -= 2 * MIB;
	}
	return false;
}

static bool
images_try(struct mdb_ctx *cx, struct mdb_target *target, const struct dfmt *d,
	struct place *place_out)
{
	for (size_t i = 0; i < dfmt_nr_cpus(d) && i < 64; i++) {
		struct dfmt_cpu cpu = dfmt_cpu_at(d, i);

		if (cpu.has_cr && image_try(cx, target, &cpu, place_out))
			return true;
	}
	return false;
}

/* By the notes, with the tables that they name, or else without any. */
static bool
stated_try(struct mdb_ctx *cx, struct mdb_target *target,
	const struct stated *s, uint64_t pgd, struct place *place_out)
{
	mdb_paddr_t phys = s->crash_info[INFO_PHYS_START];
	mdb_addr_t virt = pgd & ~(GIB - 1);

	return pgd != 0 && s->has_crash_info &&
	       (fixed_try(cx, target, virt, phys, MDB_PAGING_4LEVEL,
			pgd % GIB + phys, place_out) ||
		       fixed_try(cx, target, virt, phys, MDB_PAGING_4LEVEL, 0,
			       place_out));
}

/* ---- the place -----------------------------------------------------------
 */

static bool
place_find(struct mdb_ctx *cx, struct mdb_target *target, const struct dfmt *d,
	const struct stated *s, struct place *place_out)
{
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
	       images_try(cx, target, d, place_out);
}

/* ---- the object ----------------------------------------------------------
 */

#define NOTE_BUILD_ID 3u /* NT_GNU_BUILD_ID */

/* The build-id's note lies in the read-only data. */
static char *
build_id_find(struct mdb_space *space, mdb_addr_t start, mdb_addr_t end)
{
	static const uint8_t head[] = { 4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0,
		'G', 'N', 'U', 0 };
	uint8_t b[4096 + 64];

	for (mdb_addr_t at = start; at < end; at += 4096) {
		size_t len = sizeof(b);

		if (mdb_space_try(space, at, b, len) != MDB_OK) {
			len = 4096;
			if (mdb_space_try(space, at, b, len) != MDB_OK)
				continue;
		}
		for (size_t i = 0; i + sizeof(head) + 20 <= len; i += 4) {
			char *text;

			if (memcmp(b + i, head, sizeof(head)) != 0)
				continue;
			text = mdb_xalloc(41);
			for (size_t j = 0; j < 20; j++)
				(void)snprintf(text + 2 * j, 3, "%02x",
					b[i + sizeof(head) + j]);
			return text;
		}
	}
	return NULL;
}

static void
add_section(struct mdb_object *o, const char *name, mdb_addr_t start,
	mdb_addr_t end)
{
	if (start < end && o->nr_sections < MDB_OBJECT_MAX_SECTIONS)
		o->sections[o->nr_sections++] =
			(struct mdb_section){ name, start, end };
}

/* A run of the image's pages with one set of rights. */
static void
section_take(struct mdb_xen *xen, const struct mdb_mapped *run)
{
	struct mdb_object *o = xen->object;

	if (run->start < xen->text_end)
		return;
	if (run->writable)
		add_section(o, "data", run->start, run->last + 1);
	else if (!run->executable)
		add_section(o, "rodata", run->start, run->last + 1);
	if (!run->writable && !run->executable && xen->rodata_start == 0) {
		xen->rodata_start = run->start;
		xen->rodata_end = run->last + 1;
	}
}

/* All behind the text, where no rights tell more. */
static void
rest_is_data(struct mdb_xen *xen)
{
	xen->rodata_start = xen->text_end;
	xen->rodata_end = xen->image_end = xen->virt_start + USUAL_IMAGE;
	add_section(xen->object, "data", xen->text_end, xen->image_end);
}

/*
 * Sections by the rights of the image's pages: 2 MiB pages give text,
 * read-only data, [init, freed], data.
 */
static void
sections_init(struct mdb_ctx *cx, struct mdb_xen *xen)
{
	struct mdb_object *o = xen->object;
	mdb_addr_t at = xen->text_start;
	mdb_addr_t limit = xen->virt_start + GIB;
	struct mdb_mapped run;

	add_section(o, "text", xen->text_start, xen->text_end);
	xen->image_end = xen->text_end;
	for (int i = 0; i < 16 && at < limit; i++) {
		if (mdb_space_next_mapped(cx, xen->world->space, at, &run) !=
				MDB_OK ||
			run.start >= limit ||
			run.start - xen->image_end > MAX_IMAGE)
			break;
		section_take(xen, &run);
		xen->image_end = run.last + 1;
		at = run.last + 1;
	}
	if (xen->rodata_start == 0)
		rest_is_data(xen);
	mdb_forget(cx);
}

/* By fixed places nothing says where in the image what is. */
static void
sections_fixed(struct mdb_ctx *cx, struct mdb_xen *xen)
{
	struct mdb_object *o = xen->object;
	struct mdb_sym etext;

	if (mdb_xensyms_ops.by_name(cx, o, "_etext", &etext) == MDB_OK &&
		etext.value > xen->text_start &&
		etext.value - xen->text_start < MAX_IMAGE)
		xen->text_end = (etext.value + 4095) & ~4095ull;
	mdb_forget(cx);
	add_section(o, "text", xen->text_start, xen->text_end);
	rest_is_data(xen);
	o->end = xen->text_end;
}

static void
symbols_init(struct mdb_ctx *cx, struct mdb_xen *xen, struct place *p)
{
	struct mdb_object *o = xen->object;
	enum mdb_status st = MDB_OK;

	xen->symbols = mdb_xensyms_create();
	o->symtab = xen->symbols;
	o->symtab_ops = &mdb_xensyms_ops;
	if (p->has_layout)
		st = mdb_xensyms_add_table(cx, xen->symbols, xen->world->space,
			&p->layout);
	xen->has_table = p->has_layout;
	xen->is_table_whole = p->has_layout && st == MDB_OK;
	if (st != MDB_OK || !p->has_layout)
		mdb_warn(cx, st, "the hypervisor's symbols are incomplete");
}

static void
object_init(struct mdb_ctx *cx, struct mdb_xen *xen, struct place *p)
{
	struct mdb_object *o = mdb_object_create(xen->world, "xpv");

	xen->object = xen->world->objects = o;
	o->base = xen->text_start;
	o->end = xen->text_end;
	symbols_init(cx, xen, p);
	if (p->is_fixed)
		sections_fixed(cx, xen);
	else
		sections_init(cx, xen);
	o->size = xen->image_end - xen->text_start;
	o->build_id = build_id_find(xen->world->space, xen->rodata_start,
		xen->rodata_end);
	mdb_xensyms_set_more(xen->symbols, mdb_xen_data_symbols, xen);
}

/* ---- the world -----------------------------------------------------------
 */

/* The series of which dumps were taken and tried. */
static const char *
support_of(const char *release)
{
	static const char *const tested[] = { "4.17.", "4.20." };

	if (release == NULL)
		return "untested: the version is not known";
	for (size_t i = 0; i < sizeof(tested) / sizeof(tested[0]); i++)
		if (strncmp(release, tested[i], strlen(tested[i])) == 0)
			return "tested";
	return "untested: no hypervisor of this series was tried";
}

static void
xen_destroy(struct mdb_world *world)
{
	struct mdb_xen *xen = world->priv;

	mdb_xen_cpus_fini(xen);
	mdb_xen_types_fini(xen);
	mdb_xen_facts_fini(xen);
	free(xen);
}

const struct mdb_world_ops mdb_xen_ops = {
	.cpu_next = mdb_xen_cpu_next,
	.percpu_addr = mdb_xen_percpu_addr,
	.panic_cpu = mdb_xen_panic_cpu,
	.cpu_regs = mdb_xen_cpu_regs,
	.stack_range = mdb_xen_stack_range,
	.guest_on_stack = mdb_xen_guest_on_stack,
	.fact = mdb_xen_fact,
	.load_types = mdb_xen_load_types,
	.member_trust = mdb_xen_member_trust,
	.trust_all = mdb_xen_trust_all,
	.destroy = xen_destroy,
};

static struct mdb_world *
world_create(struct mdb_ctx *cx, struct mdb_target *target, struct place *p,
	const struct stated *s)
{
	struct mdb_world *w = mdb_world_create(target, MDB_WORLD_XEN, "xpv");
	struct mdb_xen *xen = mdb_xalloc(sizeof(*xen));

	w->arch = &mdb_arch_x86_64;
	w->space = p->space;
	w->priv = xen;
	w->ops = &mdb_xen_ops;
	w->range_start = MDB_XEN_RANGE_START;
	w->range_last = MDB_XEN_RANGE_LAST;
	w->vmcoreinfo = s->info;
	w->vmcoreinfo_len = s->info_len;
	w->objects_loaded = true;
	w->nr_cpu_ids = 1;
	xen->world = w;
	xen->virt_start = p->virt_start;
	xen->phys_start = p->phys_start;
	xen->text_start = p->text_start;
	xen->text_end = p->text_end;
	xen->has_crash_info = s->has_crash_info;
	xen->crash_note = s->crash_note;
	memcpy(xen->crash_info, s->crash_info, sizeof(xen->crash_info));
	object_init(cx, xen, p);
	w->support = support_of(mdb_xen_fact(cx, w, "release"));
	return w;
}

/* A kernel that is no Xen may map something there, but no table of symbols. */
static bool
is_xen(const struct place *p, const struct stated *s)
{
	return p->has_layout || s->info != NULL || s->has_crash_info;
}

/* Nothing but a hypervisor has code there. */
static bool
ran_xen(const struct dfmt *d)
{
	for (size_t i = 0; i < dfmt_nr_cpus(d) && i < MDB_XEN_MAX_CPUS; i++) {
		struct dfmt_cpu cpu = dfmt_cpu_at(d, i);

		if (cpu.has_regs && (cpu.cs & 3) == 0 &&
			cpu.rip >= MDB_XEN_TEXT && cpu.rip < MDB_XEN_TEXT_END)
			return true;
	}
	return false;
}

enum mdb_status
mdb_find_xen(struct mdb_ctx *cx, struct mdb_target *target)
{
	const struct dfmt *d = mdb_memory_dump(target->memory);
	struct dfmt_info info;
	struct stated s;
	struct place p;

	if (d == NULL)
		return MDB_E_NOTFOUND;
	dfmt_info_get(d, &info);
	if (info.machine == DFMT_MACHINE_I386)
		return MDB_E_NOTFOUND;
	stated_read(d, &s);
	if (!place_find(cx, target, d, &s, &p)) {
		if (s.info == NULL && !s.has_crash_info && ran_xen(d))
			return mdb_fail(cx, MDB_E_LOST,
				"the page tables that lead to it are lost: a "
				"CPU was in its code");
		if (s.info == NULL && !s.has_crash_info)
			return MDB_E_NOTFOUND;
		return mdb_fail(cx, MDB_E_CORRUPT,
			"nothing of it is where its notes say");
	}
	if (!is_xen(&p, &s)) {
		mdb_space_destroy(p.space);
		return MDB_E_NOTFOUND;
	}
	if (!p.is_fixed)
		fixed_add(d, &p);
	tables_check(cx, target, &p);
	if (mdb_space_is_damaged(p.space))
		mdb_warn(cx, MDB_OK,
			"the hypervisor's page tables are damaged: its image "
			"and the direct map are read by their fixed places, "
			"what else is lost of it cannot be");
	mdb_target_add_world(target, world_create(cx, target, &p, &s));
	return MDB_OK;
}
