/* SPDX-License-Identifier: MIT */
/*
 * Types of a world: which object's container is asked, and in which order.
 *
 * The kernel comes first.  The types of a module are loaded only when the
 * name says which, or when the kernel has no such type.  A world without any
 * types still has the integers of C.
 */
#include "mdb/base/ctx.h"
#include "mdb/sym/typecache.h"
#include "mdb/sym/typename.h"
#include "mdb/world/target.h"

#include <string.h>

static struct mdb_typecache *
cache_of(struct mdb_world *world)
{
	if (!world->shape_cache) {
		world->shape_cache = mdb_typecache_create(world->arch->word);
		world->shape_cache_destroy = mdb_typecache_destroy;
	}
	return world->shape_cache;
}

/* An object's types; their absence is not the failure of the command yet. */
static struct mdb_types *
types_of(struct mdb_ctx *cx, struct mdb_object *object)
{
	struct mdb_types *types = mdb_object_types(cx, object);

	if (!types)
		mdb_forget(cx);
	return types;
}

static enum mdb_status
find_in_object(struct mdb_ctx *cx, struct mdb_world *world,
	const struct mdb_typename *tn, struct mdb_type *type_out)
{
	struct mdb_object *object;
	struct mdb_types *types;
	enum mdb_status st;

	st = mdb_object_by_name(cx, world, tn->object, &object);
	if (st != MDB_OK)
		return st;
	types = mdb_object_types(cx, object);
	if (!types)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"no types are known of object %s", tn->object);
	if (mdb_typename_find(types, tn, type_out) == MDB_OK)
		return MDB_OK;
	return mdb_fail(cx, MDB_E_NOTFOUND, "object %s has no type \"%s\"",
		tn->object, tn->name);
}

/* Structures and their like may be a module's; C's own never are. */
static bool
is_of_modules(const struct mdb_typename *tn)
{
	return tn->tag != MDB_TAG_INT && tn->tag != MDB_TAG_VOID &&
	       tn->tag != MDB_TAG_FLOAT;
}

static enum mdb_status
find_in_world(struct mdb_ctx *cx, struct mdb_world *world,
	const struct mdb_typename *tn, struct mdb_type *type_out)
{
	struct mdb_object *kernel = world->objects;
	struct mdb_types *types = kernel ? types_of(cx, kernel) : NULL;
	struct mdb_object *o;

	if (types && mdb_typename_find(types, tn, type_out) == MDB_OK)
		return MDB_OK;
	if (!is_of_modules(tn))
		return mdb_typename_find(
			types ? types : mdb_typecache_plain(cache_of(world)),
			tn, type_out);
	/* Linux' modules build on the kernel's types. */
	if (!types && world->kind == MDB_WORLD_LINUX)
		return MDB_E_NOTFOUND;
	o = mdb_world_objects(cx, world);
	for (o = o ? o->next : NULL; o; o = o->next) {
		types = types_of(cx, o);
		if (types && mdb_typename_find(types, tn, type_out) == MDB_OK)
			return MDB_OK;
	}
	return MDB_E_NOTFOUND;
}

/* Why there is none: no such type, or no types at all. */
static enum mdb_status
not_found(struct mdb_ctx *cx, struct mdb_world *world, const char *name)
{
	struct mdb_object *kernel = world->objects;

	if (!kernel || !mdb_object_types(cx, kernel)) {
		mdb_forget(cx);
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"no type \"%s\": no type information was found for "
			"world %s; name a file with debug data that belongs "
			"to it",
			mdb_escape_name(cx, name), world->name);
	}
	return mdb_fail(cx, MDB_E_NOTFOUND, "no type \"%s\"",
		mdb_escape_name(cx, name));
}

enum mdb_status
mdb_type_by_name(struct mdb_ctx *cx, struct mdb_world *world, const char *name,
	struct mdb_type *type_out)
{
	struct mdb_typename tn;
	enum mdb_status st;

	st = mdb_typename_parse(cx, name, &tn);
	if (st != MDB_OK)
		return st;
	if (*tn.object)
		return find_in_object(cx, world, &tn, type_out);
	st = find_in_world(cx, world, &tn, type_out);
	for (struct mdb_world *w = world->target ? world->target->worlds : NULL;
		w && st == MDB_E_NOTFOUND; w = w->next)
		if (w != world)
			st = find_in_world(cx, w, &tn, type_out);
	return st == MDB_E_NOTFOUND ? not_found(cx, world, name) : st;
}

/* ---- variables ----------------------------------------------------------- */

/*
 * Types of Linux variables, as declared in the kernel's headers from 4.14 to
 * 7.x: BTF states the types of per-CPU variables only.
 */
static const struct {
	const char *name, *type;
} linux_vars[] = {
	{ "init_task", "struct task_struct" },
	{ "init_mm", "struct mm_struct" },
	{ "init_cred", "struct cred" },
	{ "init_pid_ns", "struct pid_namespace" },
	{ "init_user_ns", "struct user_namespace" },
	{ "init_uts_ns", "struct uts_namespace" },
	{ "init_net", "struct net" },
	{ "init_nsproxy", "struct nsproxy" },
	{ "init_fs", "struct fs_struct" },
	{ "init_files", "struct files_struct" },
	{ "init_signals", "struct signal_struct" },
	{ "init_sighand", "struct sighand_struct" },
	{ "jiffies", "unsigned long" },
	{ "jiffies_64", "unsigned long long" },
	{ "modules", "struct list_head" },
	{ "slab_caches", "struct list_head" },
	{ "super_blocks", "struct list_head" },
	{ "vmap_area_list", "struct list_head" },
	{ "net_namespace_list", "struct list_head" },
	{ "nr_cpu_ids", "unsigned int" },
	{ "nr_threads", "int" },
	{ "total_forks", "unsigned long" },
	{ "max_pfn", "unsigned long" },
	{ "panic_cpu", "atomic_t" },
	{ "panic_on_oops", "int" },
	{ "panic_timeout", "int" },
	{ "oops_in_progress", "int" },
	{ "tainted_mask", "unsigned long" },
	{ "boot_cpu_data", "struct cpuinfo_x86" },
	{ "iomem_resource", "struct resource" },
	{ "ioport_resource", "struct resource" },
	{ "crashk_res", "struct resource" },
	{ "page_offset_base", "unsigned long" },
	{ "vmalloc_base", "unsigned long" },
	{ "vmemmap_base", "unsigned long" },
	{ "phys_base", "unsigned long" },
	{ "prb", "struct printk_ringbuffer *" },
	{ "log_buf", "char *" },
	{ "saved_command_line", "char *" },
	{ "__cpu_possible_mask", "struct cpumask" },
	{ "__cpu_online_mask", "struct cpumask" },
	{ "__cpu_present_mask", "struct cpumask" },
	{ "__cpu_active_mask", "struct cpumask" },
	{ "root_task_group", "struct task_group" },
	{ "system_wq", "struct workqueue_struct *" },
	{ "workqueues", "struct list_head" },
	{ "idt_table", "gate_desc [256]" },
};

static const char *
known_type(const struct mdb_sym *sym)
{
	if (sym->object->world->kind != MDB_WORLD_LINUX ||
		sym->object != sym->object->world->objects)
		return NULL;
	for (size_t i = 0; i < sizeof(linux_vars) / sizeof(linux_vars[0]); i++)
		if (!strcmp(sym->name, linux_vars[i].name))
			return linux_vars[i].type;
	return NULL;
}

enum mdb_status
mdb_type_of_sym(struct mdb_ctx *cx, const struct mdb_sym *sym,
	struct mdb_type *type_out)
{
	struct mdb_types *types = types_of(cx, sym->object);
	const char *known = known_type(sym);
	uint32_t id = 0;

	if (types && types->ops->of_var)
		id = types->ops->of_var(types, sym->name);
	if (id) {
		*type_out = (struct mdb_type){ types, id };
		return MDB_OK;
	}
	if (known && mdb_type_by_name(cx, sym->object->world, known,
			     type_out) == MDB_OK)
		return MDB_OK;
	types = mdb_object_debug_types(cx, sym->object);
	if (types)
		id = types->ops->of_var(types, sym->name);
	/* One container may describe all objects of a world. */
	if (!id && sym->object != sym->object->world->objects) {
		types = types_of(cx, sym->object->world->objects);
		if (types && types->ops->of_var)
			id = types->ops->of_var(types, sym->name);
	}
	if (id) {
		*type_out = (struct mdb_type){ types, id };
		return MDB_OK;
	}
	mdb_forget(cx);
	return mdb_fail(cx, MDB_E_NOTFOUND,
		"the type of \"%s\" is not known; name one",
		mdb_escape_name(cx, sym->name));
}

/* ---- shapes -------------------------------------------------------------- */

enum mdb_trust
mdb_member_trust(struct mdb_ctx *cx, struct mdb_world *world,
	const char *type_name, const char *path)
{
	struct mdb_member member;
	struct mdb_type type;

	if (world->ops && world->ops->member_trust)
		return world->ops->member_trust(cx, world, type_name, path);
	if (mdb_type_by_name(cx, world, type_name, &type) == MDB_OK &&
		mdb_type_member(cx, type, path, &member) == MDB_OK)
		return MDB_TRUST_EXACT;
	mdb_forget(cx);
	return MDB_TRUST_REFUTED;
}

enum mdb_trust
mdb_world_trust(struct mdb_ctx *cx, struct mdb_world *world,
	const char **text_out)
{
	const char *text = "exact";
	enum mdb_trust trust = MDB_TRUST_EXACT;

	if (world->ops && world->ops->trust_all)
		trust = world->ops->trust_all(cx, world, &text);
	if (text_out)
		*text_out = text;
	return trust;
}

static enum mdb_trust
trust_of_field(struct mdb_ctx *cx, void *arg, const char *type_name,
	const char *path)
{
	struct mdb_world *world = arg;

	return world->ops->member_trust(cx, world, type_name, path);
}

/* Types may be of another build of what is looked at. */
static enum mdb_status
judge(struct mdb_ctx *cx, struct mdb_world *world, struct mdb_layout *layout)
{
	if (!world->ops || !world->ops->member_trust)
		return MDB_OK;
	return mdb_layout_judge(cx, layout, trust_of_field, world);
}

static enum mdb_status
layout_of(struct mdb_ctx *cx, struct mdb_world *world,
	const struct mdb_shape *shape, const struct mdb_layout **layout_out)
{
	struct mdb_typecache *cache = cache_of(world);
	struct mdb_layout *layout;
	struct mdb_type type = { 0 };
	enum mdb_status st;

	*layout_out = mdb_typecache_layout(cache, shape);
	if (*layout_out)
		return MDB_OK;
	st = mdb_type_by_name(cx, world, shape->type_name, &type);
	if (st == MDB_OK)
		st = mdb_layout_create(cx, shape, type, &layout);
	if (st != MDB_OK)
		return st;
	st = judge(cx, world, layout);
	if (st != MDB_OK) {
		mdb_layout_destroy(layout);
		return st;
	}
	mdb_typecache_add_layout(cache, layout);
	*layout_out = layout;
	return MDB_OK;
}

enum mdb_status
mdb_read_shape(struct mdb_ctx *cx, const struct mdb_shape *shape,
	struct mdb_loc loc, void *local)
{
	const struct mdb_layout *layout;
	enum mdb_status st = layout_of(cx, loc.world, shape, &layout);

	return st == MDB_OK ? mdb_layout_read(cx, layout, loc, local) : st;
}

bool
mdb_shape_has(struct mdb_ctx *cx, struct mdb_world *world,
	const struct mdb_shape *shape, size_t field_index)
{
	const struct mdb_layout *layout;

	if (layout_of(cx, world, shape, &layout) != MDB_OK) {
		mdb_forget(cx);
		return false;
	}
	return mdb_layout_has(layout, field_index);
}

enum mdb_trust
mdb_shape_trust(struct mdb_ctx *cx, struct mdb_world *world,
	const struct mdb_shape *shape, size_t field_index)
{
	const struct mdb_layout *layout;

	if (layout_of(cx, world, shape, &layout) != MDB_OK) {
		mdb_forget(cx);
		return MDB_TRUST_REFUTED;
	}
	return mdb_layout_trust(layout, field_index);
}

enum mdb_status
mdb_offset_of(struct mdb_ctx *cx, struct mdb_world *world,
	const char *type_name, const char *names, uint64_t *offset_out)
{
	struct mdb_typecache *cache = cache_of(world);
	struct mdb_member member;
	struct mdb_type type = { 0 };
	const char *name = names;
	enum mdb_status st;

	if (mdb_typecache_offset(cache, type_name, names, offset_out))
		return MDB_OK;
	st = mdb_type_by_name(cx, world, type_name, &type);
	if (st == MDB_OK)
		st = mdb_type_member_any(cx, type, names, &member, &name);
	if (st != MDB_OK)
		return st;
	if (world->ops && world->ops->member_trust &&
		world->ops->member_trust(cx, world, type_name, name) ==
			MDB_TRUST_REFUTED)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"%s: where %s lies in this hypervisor is not known: "
			"the types are of another build, and the dump refutes "
			"them; name its xen-syms",
			type_name, name);
	*offset_out = member.bit_offset / 8;
	mdb_typecache_add_offset(cache, type_name, names, *offset_out);
	return MDB_OK;
}
