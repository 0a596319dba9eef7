/* SPDX-License-Identifier: MIT */
/*
 * Loadable modules of a Linux world: the list `modules' of struct module
 * (include/linux/module.h) made into objects.
 *
 * Where a module lies: mem[] since 6.4, core_layout and init_layout before.
 * The members come from the kernel's types.  A list that is cut or bent gives
 * the modules up to there and says so.
 */
#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"
#include "mdb/world/linux_module.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* More modules than this are not believed. */
#define MAX_MODULES 16384u
#define MAX_MODULE_LEN (256ull << 20)
#define MAX_NOTES 64u

static const struct mdb_field module_fields[] = {
	MDB_FIELD(struct mdb_linux_module, state, "state"),
	MDB_FIELD(struct mdb_linux_module, next, "list.next"),
	MDB_FIELD(struct mdb_linux_module, name, "name"),
	MDB_FIELD_OPT(struct mdb_linux_module, build_id, "build_id"),
	MDB_FIELD_OPT(struct mdb_linux_module, core_base,
		"core_layout.base\0module_core"),
	MDB_FIELD_OPT(struct mdb_linux_module, core_size,
		"core_layout.size\0core_size"),
	MDB_FIELD_OPT(struct mdb_linux_module, core_text_size,
		"core_layout.text_size\0core_text_size"),
	MDB_FIELD_OPT(struct mdb_linux_module, core_ro_size,
		"core_layout.ro_size\0core_ro_size"),
	MDB_FIELD_OPT(struct mdb_linux_module, init_base,
		"init_layout.base\0module_init"),
	MDB_FIELD_OPT(struct mdb_linux_module, init_size,
		"init_layout.size\0init_size"),
	MDB_FIELD_OPT(struct mdb_linux_module, init_text_size,
		"init_layout.text_size\0init_text_size"),
	MDB_FIELD_OPT(struct mdb_linux_module, kallsyms, "kallsyms"),
	MDB_FIELD_OPT(struct mdb_linux_module, percpu, "percpu"),
	MDB_FIELD_OPT(struct mdb_linux_module, percpu_size, "percpu_size"),
	MDB_FIELD_OPT(struct mdb_linux_module, notes_attrs, "notes_attrs"),
	MDB_FIELD_OPT(struct mdb_linux_module, orc_ip, "arch.orc_unwind_ip"),
	MDB_FIELD_OPT(struct mdb_linux_module, orc, "arch.orc_unwind"),
	MDB_FIELD_OPT(struct mdb_linux_module, num_orcs, "arch.num_orcs"),
	MDB_FIELD_END,
};
static const struct mdb_shape module_shape = { "struct module", module_fields };

/* include/linux/module.h: a module that is being set up or torn down. */
#define STATE_UNFORMED 3u

/* ---- where it lies -------------------------------------------------------
 */

static void
section_add(struct mdb_object *o, const char *name, mdb_addr_t start,
	uint64_t len)
{
	if (len == 0 || len > MAX_MODULE_LEN || start > UINT64_MAX - len ||
		o->nr_sections == MDB_OBJECT_MAX_SECTIONS)
		return;
	o->sections[o->nr_sections++] =
		(struct mdb_section){ name, start, start + len };
	o->size += len;
}

/* One block, text first, then read-only data, then data. */
static void
place_in_layout(struct mdb_object *o, const struct mdb_linux_module *m)
{
	uint64_t text = m->core_text_size;
	uint64_t ro = m->core_ro_size;

	if (text > m->core_size)
		text = m->core_size;
	if (ro < text || ro > m->core_size)
		ro = text;
	section_add(o, "text", m->core_base, text);
	section_add(o, "rodata", m->core_base + text, ro - text);
	section_add(o, "data", m->core_base + ro, m->core_size - ro);
	text = m->init_text_size < m->init_size ? m->init_text_size
						: m->init_size;
	section_add(o, "init.text", m->init_base, text);
	section_add(o, "init.data", m->init_base + text, m->init_size - text);
	o->base = m->core_base;
	o->end = m->core_base + m->core_text_size;
}

/* The layout of struct module_memory, an element of mem[]. */
struct mem_layout {
	bool known;
	uint64_t mem, element, base, size; /* offsets, and the element's size */
};

static bool
mem_layout_get(struct mdb_ctx *cx, struct mdb_world *world,
	struct mem_layout *l)
{
	static const char type[] = "struct module_memory";
	struct mdb_type t;

	l->known =
		mdb_offset_of(cx, world, "struct module", "mem\0", &l->mem) ==
			MDB_OK &&
		mdb_offset_of(cx, world, type, "base\0", &l->base) == MDB_OK &&
		mdb_offset_of(cx, world, type, "size\0", &l->size) == MDB_OK &&
		mdb_type_by_name(cx, world, type, &t) == MDB_OK &&
		mdb_type_size(cx, t, &l->element) == MDB_OK &&
		l->element <= 4096;
	mdb_forget(cx);
	return l->known;
}

/* enum mod_mem_type: text, data, rodata, ro_after_init, init's three. */
static enum mdb_status
place_in_mem(struct mdb_ctx *cx, struct mdb_object *o,
	const struct mem_layout *l)
{
	static const char *const names[] = { "text", "data", "rodata",
		"ro_after_init", "init.text", "init.data", "init.rodata" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		mdb_addr_t at = o->struct_addr + l->mem + i * l->element;
		struct mdb_loc loc = mdb_kernel_loc(o->world, at);
		uint64_t base, size;
		enum mdb_status st;

		st = mdb_read_uint(cx, mdb_at(loc, at + l->base), 8, &base);
		if (st == MDB_OK)
			st = mdb_read_uint(cx, mdb_at(loc, at + l->size), 4,
				&size);
		if (st != MDB_OK)
			return st;
		section_add(o, names[i], base, size);
		if (i == 0) {
			o->base = base;
			o->end = base + size;
		}
	}
	return MDB_OK;
}

/* ---- build-id ------------------------------------------------------------
 */

static char *
hex_of(const uint8_t *bytes, size_t len)
{
	char *hex = mdb_xalloc(2 * len + 1);

	for (size_t i = 0; i < len; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	return hex;
}

/* The head of a GNU build-id note with an id of 20 bytes. */
static const uint8_t build_id_note[] = { 4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0,
	'G', 'N', 'U', 0 };
#define BUILD_ID_NOTE_LEN (sizeof(build_id_note) + 20)
#define NOTES_REACH (64u << 10)

/* The id in the note at addr; NULL if it is another note. */
static char *
note_build_id(struct mdb_ctx *cx, struct mdb_world *world, mdb_addr_t addr,
	uint64_t size)
{
	uint8_t b[BUILD_ID_NOTE_LEN];

	if (size < sizeof(b) || mdb_read(cx, mdb_kernel_loc(world, addr), b,
					sizeof(b)) != MDB_OK)
		return NULL;
	if (memcmp(b, build_id_note, sizeof(build_id_note)) != 0)
		return NULL;
	return hex_of(b + sizeof(build_id_note), 20);
}

/*
 * Where sysfs keeps a module's notes: struct bin_attribute attrs[], whose
 * private member is the note's address; how many there are is in notes, since
 * 6.14 in a list of pointers to them that ends with NULL.
 */
struct notes_layout {
	uint64_t attrs, step, private_off, size_off;
	uint64_t nr_off, list_off;
	bool counted;
};

static bool
notes_layout_get(struct mdb_ctx *cx, struct mdb_world *world,
	struct notes_layout *l)
{
	static const char notes[] = "struct module_notes_attrs";
	static const char attr[] = "struct bin_attribute";
	struct mdb_type t;

	l->counted = mdb_offset_of(cx, world, notes, "notes\0", &l->nr_off) ==
		     MDB_OK;
	if (!l->counted && mdb_offset_of(cx, world, notes, "grp.bin_attrs\0",
				   &l->list_off) != MDB_OK)
		return false;
	return mdb_offset_of(cx, world, notes, "attrs\0", &l->attrs) ==
		       MDB_OK &&
	       mdb_offset_of(cx, world, attr, "private\0", &l->private_off) ==
		       MDB_OK &&
	       mdb_offset_of(cx, world, attr, "size\0", &l->size_off) ==
		       MDB_OK &&
	       mdb_type_by_name(cx, world, attr, &t) == MDB_OK &&
	       mdb_type_size(cx, t, &l->step) == MDB_OK;
}

static uint64_t
notes_count(struct mdb_ctx *cx, struct mdb_world *world,
	const struct notes_layout *l, mdb_addr_t notes)
{
	struct mdb_loc loc = mdb_kernel_loc(world, notes);
	uint64_t nr = 0;
	mdb_addr_t list, entry;

	if (l->counted)
		return mdb_read_uint(cx, mdb_at(loc, notes + l->nr_off), 4,
			       &nr) == MDB_OK
			       ? nr
			       : 0;
	if (mdb_read_ptr(cx, mdb_at(loc, notes + l->list_off), &list) != MDB_OK)
		return 0;
	while (nr < MAX_NOTES &&
		mdb_read_ptr(cx, mdb_at(loc, list + 8 * nr), &entry) ==
			MDB_OK &&
		entry != 0)
		nr++;
	return nr;
}

static char *
notes_build_id(struct mdb_ctx *cx, struct mdb_world *world, mdb_addr_t notes)
{
	struct notes_layout l;
	char *id = NULL;
	uint64_t nr;

	if (!notes_layout_get(cx, world, &l))
		return NULL;
	nr = notes_count(cx, world, &l, notes);
	for (uint64_t i = 0; i < nr && i < MAX_NOTES && id == NULL; i++) {
		mdb_addr_t at = notes + l.attrs + i * l.step;
		struct mdb_loc loc = mdb_kernel_loc(world, at);
		uint64_t addr, size;

		if (mdb_read_uint(cx, mdb_at(loc, at + l.private_off), 8,
			    &addr) != MDB_OK ||
			mdb_read_uint(cx, mdb_at(loc, at + l.size_off), 8,
				&size) != MDB_OK)
			return NULL;
		id = note_build_id(cx, world, addr, size);
	}
	return id;
}

/* Where sysfs' memory is not in the dump: the note is in the read-only
 * data, often near its start. */
static char *
section_build_id(struct mdb_ctx *cx, struct mdb_world *world,
	const struct mdb_section *s)
{
	size_t len = s->end - s->start < NOTES_REACH ? s->end - s->start
						     : NOTES_REACH;
	MDB_AUTO_FREE uint8_t *b = mdb_xalloc(len);

	if (mdb_read_some(cx, mdb_kernel_loc(world, s->start), b, len, &len) !=
		MDB_OK)
		return NULL;
	for (size_t at = 0; at + BUILD_ID_NOTE_LEN <= len; at += 4)
		if (memcmp(b + at, build_id_note, sizeof(build_id_note)) == 0)
			return hex_of(b + at + sizeof(build_id_note), 20);
	return NULL;
}

static char *
rodata_build_id(struct mdb_ctx *cx, const struct mdb_object *o)
{
	char *id = NULL;

	for (size_t i = 0; i < o->nr_sections && id == NULL; i++)
		if (strcmp(o->sections[i].name, "rodata") == 0)
			id = section_build_id(cx, o->world, &o->sections[i]);
	return id;
}

static char *
build_id_of(struct mdb_ctx *cx, const struct mdb_object *o,
	const struct mdb_linux_module *m)
{
	static const uint8_t none[20] = { 0 };
	char *id = NULL;

	if (memcmp(m->build_id, none, sizeof(none)) != 0)
		return hex_of(m->build_id, sizeof(m->build_id));
	if (m->notes_attrs != 0)
		id = notes_build_id(cx, o->world, m->notes_attrs);
	if (id == NULL)
		id = rodata_build_id(cx, o);
	mdb_forget(cx);
	return id;
}

/* ---- the list ------------------------------------------------------------
 */

struct module_list {
	struct mdb_world *world;
	struct mdb_object **tail;
	struct mem_layout mem;
	uint64_t list_off;
};

/* A name is what an object is called by: printable, and ended. */
static bool
name_is_sane(const struct mdb_linux_module *m)
{
	size_t len = strnlen(m->name, sizeof(m->name));

	if (len == 0 || len == sizeof(m->name))
		return false;
	for (size_t i = 0; i < len; i++)
		if (m->name[i] <= ' ' || m->name[i] > '~')
			return false;
	return true;
}

static enum mdb_status
module_add(struct mdb_ctx *cx, struct module_list *list, mdb_addr_t addr,
	const struct mdb_linux_module *m)
{
	struct mdb_object *o;
	enum mdb_status st = MDB_OK;

	if (m->state == STATE_UNFORMED)
		return MDB_OK;
	if (m->state > STATE_UNFORMED || !name_is_sane(m))
		return mdb_fail(cx, MDB_E_CORRUPT, "no module at %#" PRIx64,
			addr);
	o = mdb_object_create(list->world, m->name);
	o->struct_addr = addr;
	if (list->mem.known)
		st = place_in_mem(cx, o, &list->mem);
	else
		place_in_layout(o, m);
	if (st != MDB_OK) {
		mdb_object_destroy(o);
		return st;
	}
	o->build_id = build_id_of(cx, o, m);
	if (m->orc_ip != 0 && m->orc != 0) {
		o->orc_ip_addr = m->orc_ip;
		o->orc_addr = m->orc;
		o->orc_count = m->num_orcs;
		o->orc_header_addr =
			mdb_linux_of(list->world)->kernel->orc_header_addr;
	}
	mdb_linux_module_symbols(o, m);
	*list->tail = o;
	list->tail = &o->next;
	return MDB_OK;
}

enum mdb_status
mdb_linux_modules_account(struct mdb_ctx *cx, struct mdb_linux *lx,
	uint64_t len)
{
	if (len > MDB_LINUX_MODULES_MAX - lx->modules_len)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"the modules' tables are more than %llu MiB",
			MDB_LINUX_MODULES_MAX >> 20);
	lx->modules_len += len;
	return MDB_OK;
}

/* Follows the list from its head; a cycle that avoids the head is found by
 * a mark that jumps ahead (Brent). */
static enum mdb_status
list_follow(struct mdb_ctx *cx, struct module_list *list, mdb_addr_t head)
{
	mdb_addr_t mark = head;
	mdb_addr_t at;
	unsigned long jump = 1;
	unsigned long nr = 0;
	enum mdb_status st;

	st = mdb_read_ptr(cx, mdb_kernel_loc(list->world, head), &at);
	while (st == MDB_OK && at != head) {
		mdb_addr_t addr = at - list->list_off;
		struct mdb_linux_module m;

		if (at == mark || nr >= MAX_MODULES)
			return mdb_fail(cx, MDB_E_CORRUPT,
				"the list of modules does not end: %#" PRIx64
				" comes again",
				at);
		if (nr++ == jump) {
			mark = at;
			jump *= 2;
		}
		st = mdb_read_shape(cx, &module_shape,
			mdb_kernel_loc(list->world, addr), &m);
		if (st == MDB_OK)
			st = module_add(cx, list, addr, &m);
		if (st == MDB_OK)
			at = m.next;
		else
			st = mdb_context(cx, st, "module %lu", nr - 1);
	}
	return st;
}

enum mdb_status
mdb_linux_load_objects(struct mdb_ctx *cx, struct mdb_world *world)
{
	struct mdb_linux *lx = mdb_linux_of(world);
	struct module_list list = { .world = world, .tail = &lx->kernel->next };
	MDB_AUTO_FREE char *why = NULL;
	mdb_addr_t head;
	enum mdb_status st;

	mdb_linux_btf_init(cx, lx);
	if (lx->kallsyms == NULL)
		return MDB_OK;
	st = mdb_linux_symbol(cx, lx, "modules",
		mdb_linux_info_symbol(lx, "prb"), &head);
	if (st == MDB_E_NOTFOUND) /* built without modules */
		return MDB_OK;
	if (st == MDB_OK)
		st = mdb_offset_of(cx, world, "struct module", "list\0",
			&list.list_off);
	if (st != MDB_OK)
		return st;
	(void)mem_layout_get(cx, world, &list.mem);
	st = list_follow(cx, &list, head);
	if (st != MDB_OK)
		why = mdb_xstrdup(mdb_trail(cx) != NULL ? mdb_trail(cx) : "");
	mdb_linux_module_types(cx, lx);
	return st == MDB_OK ? st : mdb_fail(cx, st, "%s", why);
}
