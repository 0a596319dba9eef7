/* SPDX-License-Identifier: MIT */
/*
 * Names across worlds and objects: which object's symbol table is asked, and
 * in which order.  A world's kernel comes first and needs no prefix; its
 * modules are only listed when the kernel does not know the answer.
 */
#include "mdb/base/ctx.h"
#include "mdb/world/synthetic.h"
#include "mdb/world/target.h"

#include <inttypes.h>
#include <string.h>

/* ---- objects --------------------------------------------------------------
 */

static bool
holds(const struct mdb_object *o, mdb_addr_t addr)
{
	if (addr >= o->base && addr < o->end)
		return true;
	for (size_t i = 0; i < o->nr_sections; i++)
		if (addr >= o->sections[i].start && addr < o->sections[i].end)
			return true;
	return false;
}

struct mdb_object *
mdb_object_by_addr(struct mdb_ctx *cx, struct mdb_loc loc)
{
	if (!loc.world || loc.space || loc.addr < loc.world->objects_low)
		return NULL;
	/* The kernel can answer for itself without a list of modules. */
	if (loc.world->objects && holds(loc.world->objects, loc.addr))
		return loc.world->objects;
	for (struct mdb_object *o = mdb_world_objects(cx, loc.world); o;
		o = o->next)
		if (holds(o, loc.addr))
			return o;
	return NULL;
}

static enum mdb_status
each_of_world(struct mdb_ctx *cx, struct mdb_world *w, mdb_object_fn *fn,
	void *arg)
{
	for (struct mdb_object *o = mdb_world_objects(cx, w); o; o = o->next) {
		enum mdb_status st = fn(cx, o, arg);

		if (st != MDB_OK)
			return st;
	}
	return MDB_OK;
}

enum mdb_status
mdb_object_each(struct mdb_ctx *cx, struct mdb_world *world, mdb_object_fn *fn,
	void *arg)
{
	enum mdb_status st = MDB_OK;

	if (world)
		st = each_of_world(cx, world, fn, arg);
	else
		for (struct mdb_world *w = cx->target->worlds;
			w && st == MDB_OK; w = w->next)
			st = each_of_world(cx, w, fn, arg);
	return st == MDB_DONE ? MDB_OK : st;
}

static struct mdb_object *
object_in(struct mdb_ctx *cx, struct mdb_world *w, const char *name, size_t len)
{
	struct mdb_object *o = w->objects;

	if (!o || strlen(o->name) != len || strncmp(o->name, name, len) != 0)
		o = mdb_world_objects(cx, w);
	for (; o; o = o->next)
		if (strlen(o->name) == len && !strncmp(o->name, name, len))
			return o;
	return NULL;
}

static struct mdb_object *
object_named(struct mdb_ctx *cx, struct mdb_world *world, const char *name,
	size_t len)
{
	struct mdb_object *o = object_in(cx, world, name, len);

	for (struct mdb_world *w = cx->target->worlds; w && !o; w = w->next)
		if (w != world)
			o = object_in(cx, w, name, len);
	return o;
}

enum mdb_status
mdb_object_by_name(struct mdb_ctx *cx, struct mdb_world *world,
	const char *name, struct mdb_object **object_out)
{
	struct mdb_object *o = object_named(cx, world, name, strlen(name));

	if (!o)
		return mdb_fail(cx, MDB_E_NOTFOUND, "no object is named %s",
			name);
	*object_out = o;
	return MDB_OK;
}

/* ---- symbols --------------------------------------------------------------
 */

static enum mdb_status
name_in_object(struct mdb_ctx *cx, struct mdb_object *o, const char *name,
	struct mdb_sym *sym_out)
{
	if (!o->symtab_ops || !o->symtab_ops->by_name)
		return MDB_E_NOTFOUND;
	return o->symtab_ops->by_name(cx, o, name, sym_out);
}

static enum mdb_status
name_in_world(struct mdb_ctx *cx, struct mdb_world *w, const char *name,
	struct mdb_sym *sym_out)
{
	enum mdb_status st = MDB_E_NOTFOUND;

	if (w->objects)
		st = name_in_object(cx, w->objects, name, sym_out);
	if (st != MDB_E_NOTFOUND)
		return st;
	struct mdb_object *o = mdb_world_objects(cx, w);

	for (o = o ? o->next : NULL; o && st == MDB_E_NOTFOUND; o = o->next)
		st = name_in_object(cx, o, name, sym_out);
	return st;
}

/* What modules made up comes after everything that the dump has. */
static enum mdb_status
name_made_up(struct mdb_ctx *cx, struct mdb_world *world, const char *name,
	struct mdb_sym *sym_out)
{
	enum mdb_status st = mdb_synthetic_by_name(cx, world, name, sym_out);

	for (struct mdb_world *w = cx->target->worlds;
		w && st == MDB_E_NOTFOUND; w = w->next)
		st = mdb_synthetic_by_name(cx, w, name, sym_out);
	return st;
}

static enum mdb_status
not_found(struct mdb_ctx *cx, const char *name)
{
	return mdb_fail(cx, MDB_E_NOTFOUND, "unknown symbol name: %s",
		mdb_escape_name(cx, name));
}

enum mdb_status
mdb_sym_by_name(struct mdb_ctx *cx, struct mdb_world *world, const char *name,
	struct mdb_sym *sym_out)
{
	const char *tick = strrchr(name, '`');
	enum mdb_status st;

	if (tick) {
		struct mdb_object *o =
			object_named(cx, world, name, (size_t)(tick - name));

		st = o ? name_in_object(cx, o, tick + 1, sym_out)
		       : MDB_E_NOTFOUND;
		if (st == MDB_E_NOTFOUND && o && o == o->world->objects)
			st = mdb_synthetic_by_name(cx, o->world, tick + 1,
				sym_out);
	} else {
		st = name_in_world(cx, world, name, sym_out);
		for (struct mdb_world *w = cx->target->worlds;
			w && st == MDB_E_NOTFOUND; w = w->next)
			if (w != world)
				st = name_in_world(cx, w, name, sym_out);
		if (st == MDB_E_NOTFOUND)
			st = name_made_up(cx, world, name, sym_out);
	}
	return st == MDB_E_NOTFOUND ? not_found(cx, name) : st;
}

enum mdb_status
mdb_sym_by_addr(struct mdb_ctx *cx, struct mdb_loc loc, bool near,
	struct mdb_sym *sym_out)
{
	struct mdb_object *o = mdb_object_by_addr(cx, loc);
	enum mdb_status st = MDB_E_NOTFOUND;

	if (o && o->symtab_ops && o->symtab_ops->by_addr)
		st = o->symtab_ops->by_addr(cx, o, loc.addr, near, sym_out);
	if (st == MDB_E_NOTFOUND && !o && loc.world && !loc.space)
		st = mdb_synthetic_by_addr(cx, loc.world, loc.addr, sym_out);
	if (st == MDB_E_NOTFOUND)
		return mdb_fail(cx, st, "no symbol contains %#" PRIx64,
			loc.addr);
	return st;
}

/* The symbol that an address is shown by: see sym_distance. */
static enum mdb_status
shown_by(struct mdb_ctx *cx, struct mdb_loc loc, struct mdb_sym *sym_out)
{
	enum mdb_status st = mdb_sym_by_addr(cx, loc, false, sym_out);

	if (cx->sym_distance == 0)
		return st;
	if (st == MDB_E_NOTFOUND)
		st = mdb_sym_by_addr(cx, loc, true, sym_out);
	if (st == MDB_OK && loc.addr - sym_out->value >= cx->sym_distance)
		return MDB_E_NOTFOUND;
	return st;
}

/* Would the name alone lead there? */
static bool
is_unique(struct mdb_ctx *cx, const struct mdb_sym *sym)
{
	struct mdb_sym found;
	enum mdb_status st =
		name_in_world(cx, sym->object->world, sym->name, &found);

	return st == MDB_OK && found.value == sym->value;
}

const char *
mdb_sym_prefix(struct mdb_ctx *cx, const struct mdb_sym *sym)
{
	const struct mdb_world *w = sym->object->world;

	if (w->kind == MDB_WORLD_XEN || w != cx->target->worlds)
		return sym->object->name;
	if (sym->object == w->objects ||
		(w->kind == MDB_WORLD_ILLUMOS && is_unique(cx, sym)))
		return NULL;
	return sym->object->name;
}

const char *
mdb_sym_offset(struct mdb_ctx *cx, uint64_t offset)
{
	bool bare = offset < 10 && cx->target && cx->target->worlds &&
		    cx->target->worlds->kind == MDB_WORLD_ILLUMOS;

	if (offset == 0)
		return "";
	return mdb_tmp_printf(cx, bare ? "+%" PRIx64 : "+0x%" PRIx64, offset);
}

const char *
mdb_sym_format(struct mdb_ctx *cx, struct mdb_loc loc)
{
	struct mdb_sym sym;

	if (shown_by(cx, loc, &sym) != MDB_OK) {
		mdb_forget(cx);
		return mdb_tmp_printf(cx, "%#" PRIx64, loc.addr);
	}
	const char *prefix = mdb_sym_prefix(cx, &sym);

	return mdb_tmp_printf(cx, "%s%s%s%s",
		prefix ? mdb_escape_name(cx, prefix) : "", prefix ? "`" : "",
		mdb_escape_name(cx, sym.name),
		mdb_sym_offset(cx, loc.addr - sym.value));
}

enum mdb_status
mdb_sym_each(struct mdb_ctx *cx, struct mdb_object *o, mdb_sym_fn *fn,
	void *arg)
{
	if (!o->symtab_ops || !o->symtab_ops->each)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"no symbols are known of %s", o->name);
	enum mdb_status st = o->symtab_ops->each(cx, o, fn, arg);

	return st == MDB_DONE ? MDB_OK : st;
}

enum mdb_status
mdb_sym_loc(struct mdb_ctx *cx, struct mdb_world *world, const char *name,
	struct mdb_loc *loc_out)
{
	struct mdb_sym sym;
	enum mdb_status st = mdb_sym_by_name(cx, world, name, &sym);

	if (st == MDB_OK)
		*loc_out = mdb_kernel_loc(sym.object->world, sym.value);
	return st;
}
