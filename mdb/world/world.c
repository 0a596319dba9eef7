/* SPDX-License-Identifier: MIT */
/*
 * Worlds: creation, and the public questions about them, which go to the
 * finder's ops where they need the system's own knowledge.
 */
#include "mdb/world/world.h"

#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"
#include "mdb/world/synthetic.h"
#include "mdb/world/target.h"

#include <stdio.h>
#include <stdlib.h>

struct mdb_space_list {
	struct mdb_space_list *next;
	struct mdb_space *space;
};

struct mdb_world *
mdb_world_create(struct mdb_target *target, enum mdb_world_kind kind,
	const char *name)
{
	struct mdb_world *w = mdb_xalloc(sizeof(*w));

	w->target = target;
	w->kind = kind;
	(void)snprintf(w->name, sizeof(w->name), "%s", name);
	w->arch = &mdb_arch_x86_64;
	w->support = "untested";
	w->domain = -1;
	return w;
}

static void
free_spaces(struct mdb_space_list *list)
{
	while (list) {
		struct mdb_space_list *next = list->next;

		mdb_space_destroy(list->space);
		free(list);
		list = next;
	}
}

static void
free_objects(struct mdb_object *o)
{
	/* A module's types build on the kernel's, which come first. */
	if (!o)
		return;
	struct mdb_object *first = o;

	for (o = first->next; o;) {
		struct mdb_object *next = o->next;

		mdb_object_destroy(o);
		o = next;
	}
	mdb_object_destroy(first);
}

void
mdb_world_destroy(struct mdb_world *w)
{
	if (!w)
		return;
	if (w->ops && w->ops->destroy)
		w->ops->destroy(w);
	if (w->shape_cache_destroy)
		w->shape_cache_destroy(w->shape_cache);
	mdb_synthetic_destroy(w->synthetics);
	free_objects(w->objects);
	free_spaces(w->spaces);
	mdb_space_destroy(w->space);
	mdb_memory_destroy(w->memory);
	free(w->vmcoreinfo_owned);
	free(w);
}

struct mdb_object *
mdb_world_objects(struct mdb_ctx *cx, struct mdb_world *w)
{
	if (!w->objects_loaded && w->ops && w->ops->load_objects) {
		w->objects_loaded = true;
		enum mdb_status st = w->ops->load_objects(cx, w);

		if (st != MDB_OK)
			mdb_warn(cx, st, "the list of modules is incomplete");
	}
	return w->objects;
}

struct mdb_types *
mdb_object_types(struct mdb_ctx *cx, struct mdb_object *o)
{
	const struct mdb_world_ops *ops = o->world->ops;

	if (o->types_tried)
		return o->types;
	o->types_tried = true;
	struct mdb_types *types;

	if (ops && ops->load_types && ops->load_types(cx, o, &types) == MDB_OK)
		o->types = types;
	else
		o->types = mdb_object_debug_types(cx, o);
	return o->types;
}

struct mdb_world *
mdb_world_current(struct mdb_ctx *cx)
{
	return cx->world;
}

struct mdb_world *
mdb_world_next(struct mdb_ctx *cx, const struct mdb_world *w)
{
	if (w)
		return w->next;
	return cx->target ? cx->target->worlds : NULL;
}

enum mdb_world_kind
mdb_world_kind(const struct mdb_world *w)
{
	return w->kind;
}

const char *
mdb_world_name(const struct mdb_world *w)
{
	return w->name;
}

size_t
mdb_world_word(const struct mdb_world *w)
{
	return w->arch->word;
}

const char *
mdb_world_fact(struct mdb_ctx *cx, struct mdb_world *w, const char *key)
{
	return w->ops && w->ops->fact ? w->ops->fact(cx, w, key) : NULL;
}

unsigned int
mdb_nr_cpu_ids(struct mdb_world *w)
{
	return w->nr_cpu_ids;
}

/* Without a system's own list: the CPUs that the dump has registers of. */
static enum mdb_status
note_cpu_next(struct mdb_world *w, int *cpu)
{
	const struct dfmt *d = mdb_memory_dump(w->target->memory);

	if (!d || (size_t)*cpu + 1 >= dfmt_nr_cpus(d))
		return MDB_DONE;
	++*cpu;
	return MDB_OK;
}

enum mdb_status
mdb_cpu_next(struct mdb_ctx *cx, struct mdb_world *w, int *cpu)
{
	if (w->ops && w->ops->cpu_next)
		return w->ops->cpu_next(cx, w, cpu);
	return note_cpu_next(w, cpu);
}

int
mdb_panic_cpu(struct mdb_ctx *cx, struct mdb_world *w)
{
	return w->ops && w->ops->panic_cpu ? w->ops->panic_cpu(cx, w) : -1;
}

enum mdb_status
mdb_percpu_addr(struct mdb_ctx *cx, struct mdb_world *w,
	mdb_addr_t symbol_value, int cpu, mdb_addr_t *addr_out)
{
	if (!w->ops || !w->ops->percpu_addr)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"per-CPU areas are not known in world %s", w->name);
	return w->ops->percpu_addr(cx, w, symbol_value, cpu, addr_out);
}

enum mdb_status
mdb_cpu_regs(struct mdb_ctx *cx, struct mdb_world *w, int cpu,
	struct mdb_regs *regs_out)
{
	if (w->ops && w->ops->cpu_regs)
		return w->ops->cpu_regs(cx, w, cpu, regs_out);
	return mdb_regs_of_note(cx, w->target, (size_t)cpu, regs_out);
}

enum mdb_status
mdb_space_of_root(struct mdb_ctx *cx, struct mdb_world *w, mdb_paddr_t root,
	struct mdb_space **space_out)
{
	if (!w->space || mdb_space_paging(w->space) == MDB_PAGING_NONE)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"world %s has no page tables", w->name);
	for (struct mdb_space_list *l = w->spaces; l; l = l->next)
		if (mdb_space_root(l->space) == root) {
			*space_out = l->space;
			return MDB_OK;
		}
	struct mdb_space_list *l = mdb_xalloc(sizeof(*l));

	l->space = mdb_space_create("process",
		w->memory ? w->memory : w->target->memory, w->arch,
		mdb_space_paging(w->space), root);
	l->next = w->spaces;
	w->spaces = l;
	*space_out = l->space;
	return MDB_OK;
}
