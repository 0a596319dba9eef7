/* SPDX-License-Identifier: MIT */
/*
 * Worlds of the facts that a dump states: their spaces, objects and names.
 */
#include "mdb/world/native.h"

#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* struct utsname of SunOS: five texts of SYS_NMLN bytes. */
#define UTS_FIELD 257ull
#define UTS_LEN (5 * UTS_FIELD)
/* A machine that runs more is not believed; objects are sought in each. */
#define MAX_WORLDS 256u

/* ---- facts --------------------------------------------------------------- */

static void
uts_init(struct mdb_ctx *cx, struct mdb_world *w)
{
	struct mdb_native_world *nw = mdb_native_world_of(w);
	struct mdb_sym sym;

	nw->uts_tried = true;
	if (w->kind != MDB_WORLD_ILLUMOS ||
		mdb_sym_by_name(cx, w, "utsname", &sym) != MDB_OK ||
		sym.object->world != w || sym.size != UTS_LEN) {
		mdb_forget(cx);
		return;
	}
	for (size_t i = 0; i < 5; i++)
		if (mdb_read_str(cx,
			    mdb_kernel_loc(w, sym.value + i * UTS_FIELD),
			    nw->uts[i], sizeof(nw->uts[i])) != MDB_OK)
			mdb_forget(cx);
}

static const char *
version_of(const struct mdb_native *n, const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < n->nr_versions; i++)
		if (!strncmp(n->versions[i], key, len) &&
			n->versions[i][len] == '=')
			return n->versions[i] + len + 1;
	return NULL;
}

static const char *
native_fact(struct mdb_ctx *cx, struct mdb_world *w, const char *key)
{
	static const char *const uts[] = { "sysname", "nodename", "release",
		"version", "machine" };
	struct mdb_native_world *nw = mdb_native_world_of(w);

	if (!strcmp(key, "panic_message"))
		return nw->native->reason;
	if (!strcmp(key, "build_id"))
		return w->objects ? w->objects->build_id : NULL;
	if (!nw->uts_tried)
		uts_init(cx, w);
	for (size_t i = 0; i < 5; i++)
		if (!strcmp(key, uts[i]) && nw->uts[i][0])
			return nw->uts[i];
	return version_of(nw->native, key);
}

/* ---- one world ----------------------------------------------------------- */

static void
native_world_destroy(struct mdb_world *w)
{
	free(w->priv);
}

static const struct mdb_world_ops native_ops = {
	.load_types = mdb_native_load_types,
	.cpu_next = mdb_native_cpu_next,
	.panic_cpu = mdb_native_panic_cpu,
	.cpu_regs = mdb_native_cpu_regs,
	.stack_range = mdb_native_stack_range,
	.fact = native_fact,
	.destroy = native_world_destroy,
};

static const struct mdb_world_ops hypervisor_ops = {
	.load_types = mdb_native_load_types,
	.cpu_next = mdb_native_cpu_next,
	.panic_cpu = mdb_native_panic_cpu,
	.cpu_regs = mdb_native_cpu_regs,
	.stack_range = mdb_native_stack_range,
	.guest_on_stack = mdb_native_guest_on_stack,
	.fact = native_fact,
	.destroy = native_world_destroy,
};

static const struct mdb_arch *
arch_of(const struct dfmt_world *r)
{
	return r->machine == DFMT_MACHINE_I386	   ? &mdb_arch_i386
	       : r->machine == DFMT_MACHINE_X86_64 ? &mdb_arch_x86_64
						   : NULL;
}

static enum mdb_world_kind
kind_of(const struct dfmt_world *r)
{
	if (r->kind == DFMT_WORLD_HYPERVISOR)
		return MDB_WORLD_XEN;
	return strcmp(r->system, "illumos") == 0 ? MDB_WORLD_ILLUMOS
						 : MDB_WORLD_BARE;
}

/* Page tables that this machine cannot have are none. */
static enum mdb_paging
paging_of(struct mdb_ctx *cx, const struct dfmt_world *r,
	const struct mdb_arch *arch)
{
	static const enum mdb_paging modes[] = { MDB_PAGING_NONE,
		MDB_PAGING_32BIT, MDB_PAGING_PAE, MDB_PAGING_4LEVEL,
		MDB_PAGING_5LEVEL };
	bool wide = r->paging >= DFMT_PAGING_4LEVEL;

	if (r->paging <= DFMT_PAGING_5LEVEL &&
		(r->paging == DFMT_PAGING_NONE || wide == (arch->word == 8)))
		return modes[r->paging];
	mdb_warn(cx, MDB_OK,
		"world %s: paging %" PRIu32 " is not known of %s machines",
		mdb_escape_name(cx, r->name), r->paging, arch->name);
	return MDB_PAGING_NONE;
}

static void
space_init(struct mdb_ctx *cx, struct mdb_world *w, const struct dfmt_world *r)
{
	w->space = mdb_space_create(w->name, w->target->memory, w->arch,
		paging_of(cx, r, w->arch), r->root);
	if (r->window_len != 0 &&
		r->window_start + r->window_len > r->window_start)
		mdb_space_add_window(w->space, r->window_start,
			r->window_start + r->window_len,
			r->window_machine - r->window_start);
}

/* The addresses that are the hypervisor's in whatever world they are met. */
static void
range_init(struct mdb_world *w, const struct dfmt_world *r)
{
	mdb_addr_t most = w->arch->word == 4 ? UINT32_MAX : UINT64_MAX;

	if (w->kind != MDB_WORLD_XEN || r->first == 0 || r->first > r->last ||
		r->last > most)
		return;
	w->range_start = r->first;
	w->range_last = r->last;
}

static struct mdb_world *
make_world(struct mdb_ctx *cx, struct mdb_target *target, struct mdb_native *n,
	uint32_t index)
{
	const struct dfmt_world *r = &n->records[index];
	struct mdb_native_world *nw = mdb_xalloc(sizeof(*nw));
	struct mdb_world *w;

	w = mdb_world_create(target, kind_of(r),
		r->name[0] ? r->name : r->system);
	nw->native = n;
	nw->index = index;
	w->priv = nw;
	w->arch = arch_of(r);
	w->ops = w->kind == MDB_WORLD_XEN ? &hypervisor_ops : &native_ops;
	w->support = "stated by the dump";
	w->objects_loaded = true;
	w->keeps_frame_pointers =
		w->kind == MDB_WORLD_ILLUMOS ||
		(w->kind == MDB_WORLD_XEN && w->arch->word == 4);
	space_init(cx, w, r);
	range_init(w, r);
	n->worlds[index] = w;
	w->nr_cpu_ids = mdb_native_nr_cpu_ids(w);
	return w;
}

/* ---- objects ------------------------------------------------------------- */

static void
add_section(struct mdb_object *o, const char *name, mdb_addr_t start,
	mdb_addr_t end)
{
	if (start < end)
		o->sections[o->nr_sections++] =
			(struct mdb_section){ name, start, end };
}

static char *
hex_of(const uint8_t *bytes, size_t len)
{
	char *text = mdb_xalloc(2 * len + 1);

	for (size_t i = 0; i < len; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return text;
}

static struct mdb_object *
make_object(struct mdb_world *w, struct mdb_native *n,
	const struct dfmt_object *r, size_t index)
{
	struct mdb_object *o = mdb_object_create(w, r->name);
	uint32_t id_len = r->build_id_len;

	if (r->base < r->end) {
		o->base = r->base;
		o->end = r->end;
	}
	add_section(o, "text", r->base, r->end);
	add_section(o, "data", r->data_base, r->data_end);
	for (size_t i = 0; i < o->nr_sections; i++)
		o->size += o->sections[i].end - o->sections[i].start;
	if (id_len > 0 && id_len <= sizeof(r->build_id))
		o->build_id = hex_of(r->build_id, id_len);
	mdb_native_symbols_init(o, n, index);
	return o;
}

/* The world's own is first; the others keep their order. */
static void
add_object(struct mdb_world *w, struct mdb_object *o, struct mdb_object ***end)
{
	struct mdb_object *first = w->objects;
	bool has_own = first && strcmp(first->name, w->name) == 0;

	if (strcmp(o->name, w->name) != 0 || has_own) {
		**end = o;
		*end = &o->next;
		return;
	}
	o->next = first;
	w->objects = o;
	if (!first)
		*end = &o->next;
}

static mdb_addr_t
lowest(const struct mdb_world *w, mdb_addr_t first)
{
	for (const struct mdb_object *o = w->objects; o; o = o->next)
		for (size_t i = 0; i < o->nr_sections; i++)
			if (o->sections[i].start < first)
				first = o->sections[i].start;
	return first;
}

static void
objects_init(struct mdb_world *w, struct mdb_native *n,
	const struct mdb_native_facts *f)
{
	uint32_t index = mdb_native_world_of(w)->index;
	struct mdb_object **end = &w->objects;

	for (size_t i = 0; i < f->nr_objects; i++)
		if (f->objects[i].world == index)
			add_object(w, make_object(w, n, &f->objects[i], i),
				&end);
	/* What lies below a kernel is user memory. */
	if (w->kind == MDB_WORLD_ILLUMOS)
		w->objects_low = lowest(w, n->records[index].first);
	/* Its code is in there, whatever else is known of it. */
	if (!w->objects && w->range_last) {
		w->objects = mdb_object_create(w, w->name);
		w->objects->base = w->range_start;
		w->objects->end = w->range_last;
	}
}

/* ---- all of them --------------------------------------------------------- */

static void
keep_facts(struct mdb_native *n, const struct mdb_native_facts *f)
{
	n->nr_worlds = f->nr_worlds < MAX_WORLDS ? f->nr_worlds : MAX_WORLDS;
	n->records = mdb_xarray(n->nr_worlds, sizeof(*n->records));
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
	n->worlds = mdb_xarray(n->nr_worlds, sizeof(*n->worlds));
	memcpy(n->records, f->worlds, n->nr_worlds * sizeof(*n->records));
	n->nr_cpus = f->nr_cpus;
	n->cpus = mdb_xarray(f->nr_cpus, sizeof(*n->cpus));
	if (f->nr_cpus)
		memcpy(n->cpus, f->cpus, f->nr_cpus * sizeof(*n->cpus));
	n->panic_cpu = f->panic_cpu < f->nr_cpus ? (int64_t)f->panic_cpu : -1;
	for (size_t i = 0; i < f->nr_cpus && n->panic_cpu < 0; i++)
		if (f->cpus[i].panicked)
			n->panic_cpu = (int64_t)i;
	n->reason = f->reason ? mdb_xstrdup(f->reason) : NULL;
	n->versions = mdb_xarray(f->nr_versions, sizeof(*n->versions));
	n->nr_versions = f->nr_versions;
	for (size_t i = 0; i < f->nr_versions; i++)
		n->versions[i] = mdb_xstrdup(f->versions[i]);
	n->blob = f->blob;
	n->blob_arg = f->blob_arg;
}

void
mdb_native_destroy(struct mdb_native *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->nr_versions; i++)
		free(n->versions[i]);
	free(n->versions);
	free(n->reason);
	free(n->cpus);
	free(n->worlds);
	free(n->records);
	free(n);
}

/* Which come first: 0, 1, 2. */
static unsigned int
rank_of(const struct dfmt_world *r)
{
	return r->kind == DFMT_WORLD_HYPERVISOR ? 1
	       : r->kind == DFMT_WORLD_GUEST	? 2
						: 0;
}

/* Linux describes itself better than any record can. */
static bool
find_linux(struct mdb_ctx *cx, struct mdb_target *target, struct mdb_native *n,
	uint32_t index)
{
	struct mdb_world **end = &target->worlds;
	enum mdb_status st;

	if (strcmp(n->records[index].system, "linux") != 0 ||
		n->records[index].kind == DFMT_WORLD_GUEST)
		return false;
	while (*end)
		end = &(*end)->next;
	st = mdb_find_linux(cx, target);
	if (st != MDB_OK && st != MDB_E_NOTFOUND)
		mdb_warn(cx, st, "a Linux kernel is there, but");
	mdb_forget(cx);
	n->worlds[index] = *end;
	return *end != NULL;
}

static void
add_world(struct mdb_ctx *cx, struct mdb_target *target, struct mdb_native *n,
	const struct mdb_native_facts *f, uint32_t index)
{
	struct mdb_world *w;

	if (find_linux(cx, target, n, index))
		return;
	if (!arch_of(&n->records[index])) {
		mdb_warn(cx, MDB_OK,
			"world %s is of machine %u, which is not supported",
			mdb_escape_name(cx, n->records[index].name),
			(unsigned int)n->records[index].machine);
		return;
	}
	w = make_world(cx, target, n, index);
	objects_init(w, n, f);
	mdb_target_add_world(target, w);
}

enum mdb_status
mdb_native_create(struct mdb_ctx *cx, struct mdb_target *target,
	const struct mdb_native_facts *f)
{
	struct mdb_native *n;

	if (f->nr_worlds == 0)
		return MDB_E_NOTFOUND;
	n = mdb_xalloc(sizeof(*n));
	keep_facts(n, f);
	target->native = n;
	for (unsigned int rank = 0; rank < 3; rank++)
		for (size_t i = 0; i < n->nr_worlds; i++)
			if (rank_of(&f->worlds[i]) == rank)
				add_world(cx, target, n, f, (uint32_t)i);
	return target->worlds ? MDB_OK : MDB_E_NOTFOUND;
}
