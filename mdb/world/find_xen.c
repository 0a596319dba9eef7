/* SPDX-License-Identifier: MIT */
/*
 * Makes a world of the hypervisor that xen_place.c finds in the dump.
 */
#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"
#include "mdb/sym/vmcoreinfo.h"
#include "mdb/world/xen_place.h"
#include "mdb/world/xen_types.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GIB (1ull << 30)
#define MIB (1ull << 20)
#define NOTE_CRASH_INFO 0x1000001u /* xen/include/public/elfnote.h */
#define NT_PRSTATUS 1u

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

static void
crash_info_read(const struct dfmt_note *n, struct mdb_xen_stated *s)
{
	const uint8_t *p = n->desc;

	for (size_t i = 0; i < 10; i++)
		s->crash_info[i] = mdb_le64(p + 8 * i);
	s->has_crash_info = true;
}

/* The crash note follows the registers of the CPU that wrote it. */
static void
stated_read(const struct dfmt *d, struct mdb_xen_stated *s)
{
	size_t nr_status = 0;

	*s = (struct mdb_xen_stated){ 0 };
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
	xen->rodata_end = xen->image_end =
		xen->virt_start + MDB_XEN_USUAL_IMAGE;
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
			run.start - xen->image_end > MDB_XEN_MAX_IMAGE)
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
		etext.value - xen->text_start < MDB_XEN_MAX_IMAGE)
		xen->text_end = (etext.value + 4095) & ~4095ull;
	mdb_forget(cx);
	add_section(o, "text", xen->text_start, xen->text_end);
	rest_is_data(xen);
	o->end = xen->text_end;
}

static void
symbols_init(struct mdb_ctx *cx, struct mdb_xen *xen, struct mdb_xen_place *p)
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
object_init(struct mdb_ctx *cx, struct mdb_xen *xen, struct mdb_xen_place *p)
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
world_create(struct mdb_ctx *cx, struct mdb_target *target,
	struct mdb_xen_place *p, const struct mdb_xen_stated *s)
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
is_xen(const struct mdb_xen_place *p, const struct mdb_xen_stated *s)
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
	struct mdb_xen_stated s;
	struct mdb_xen_place p;
	struct mdb_world *w;
	const char *damage;

	if (d == NULL)
		return MDB_E_NOTFOUND;
	dfmt_info_get(d, &info);
	if (info.machine == DFMT_MACHINE_I386)
		return MDB_E_NOTFOUND;
	stated_read(d, &s);
	if (!mdb_xen_place_find(cx, target, &s, &p)) {
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
	w = world_create(cx, target, &p, &s);
	damage = mdb_xen_fact(cx, w, "page_tables");
	if (damage)
		mdb_warn(cx, MDB_OK, "page tables of xpv %s", damage);
	mdb_target_add_world(target, w);
	return MDB_OK;
}
