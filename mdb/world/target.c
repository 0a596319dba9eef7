/* SPDX-License-Identifier: MIT */
/*
 * A target: opens the dump, asks each finder, and falls back to a bare world
 * (memory and registers) so that there is always one.
 */
#include "mdb/world/target.h"

#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"
#include "mdb/world/native.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void
own_options(struct mdb_target_options *to,
	const struct mdb_target_options *from)
{
	char **paths = mdb_xarray(from->nr_dump_paths, sizeof(*paths));

	*to = *from;
	to->key_path = NULL; /* only for the opening */
	for (size_t i = 0; i < from->nr_dump_paths; i++)
		paths[i] = mdb_xstrdup(from->dump_paths[i]);
	to->dump_paths = (const char *const *)paths;
	if (from->symbols_path)
		to->symbols_path = mdb_xstrdup(from->symbols_path);
	to->debug_root = mdb_xstrdup(
		from->debug_root ? from->debug_root : "/usr/lib/debug");
}

static void
disown(const char *text)
{
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): only to drop the const */
	free((void *)(uintptr_t)text);
}

static void
disown_options(struct mdb_target_options *o)
{
	for (size_t i = 0; i < o->nr_dump_paths; i++)
		disown(o->dump_paths[i]);
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): only to drop the const */
	free((void *)(uintptr_t)o->dump_paths);
	disown(o->symbols_path);
	disown(o->debug_root);
}

void
mdb_target_add_world(struct mdb_target *t, struct mdb_world *w)
{
	struct mdb_world **at = &t->worlds;

	while (*at)
		at = &(*at)->next;
	*at = w;
}

/* What the first CPU's control registers say of its page tables. */
static enum mdb_paging
paging_of(const struct dfmt_cpu *cpu, bool wide)
{
	const uint64_t pg = 1ull << 31, pae = 1ull << 5, la57 = 1ull << 12;

	if (!cpu->has_cr || !(cpu->cr0 & pg))
		return MDB_PAGING_NONE;
	if (!wide)
		return cpu->cr4 & pae ? MDB_PAGING_PAE : MDB_PAGING_32BIT;
	return cpu->cr4 & la57 ? MDB_PAGING_5LEVEL : MDB_PAGING_4LEVEL;
}

static struct mdb_world *
bare_world(struct mdb_target *t)
{
	struct mdb_world *w = mdb_world_create(t, MDB_WORLD_BARE, "machine");
	const struct dfmt *d = mdb_memory_dump(t->memory);
	enum mdb_paging mode = MDB_PAGING_NONE;
	mdb_paddr_t root = 0;

	w->support = "no system was recognised";
	if (d) {
		struct dfmt_info info;

		dfmt_info_get(d, &info);
		if (info.machine == DFMT_MACHINE_I386)
			w->arch = &mdb_arch_i386;
		if (dfmt_nr_cpus(d)) {
			struct dfmt_cpu cpu = dfmt_cpu_at(d, 0);

			mode = paging_of(&cpu, w->arch->word == 8);
			root = cpu.cr3;
		}
	}
	w->space = mdb_space_create("machine", t->memory, w->arch, mode, root);
	return w;
}

/* A hypervisor found before the system that it runs comes after it. */
static void
order_worlds(struct mdb_target *t)
{
	struct mdb_world *first = t->worlds;

	if (!first || first->kind != MDB_WORLD_XEN || !first->next)
		return;
	t->worlds = first->next;
	first->next = NULL;
	mdb_target_add_world(t, first);
}

static enum mdb_status
find_worlds(struct mdb_ctx *cx, struct mdb_target *t)
{
	enum mdb_status st = mdb_find_native(cx, t);

	if (st == MDB_OK)
		return st;
	st = mdb_find_xen(cx, t);
	if (st != MDB_OK && st != MDB_E_NOTFOUND)
		mdb_warn(cx, st, "a hypervisor is there, but");
	mdb_forget(cx);
	st = mdb_find_linux(cx, t);
	if (st == MDB_E_INTERRUPTED)
		return st;
	if (st != MDB_OK && t->worlds)
		mdb_warn(cx, st, "the kernel of domain 0 is lost");
	else if (st != MDB_OK && st != MDB_E_NOTFOUND)
		mdb_warn(cx, st, "a Linux kernel is there, but");
	mdb_forget(cx);
	order_worlds(t);
	if (!t->worlds)
		mdb_target_add_world(t, bare_world(t));
	return MDB_OK;
}

/* The files' memory, decrypted where a key is named. */
static enum mdb_status
open_memory(struct mdb_ctx *cx, const struct mdb_target_options *options,
	struct mdb_memory **mem_out)
{
	uint8_t key[DFMT_KEY_LEN];
	const struct dfmt_options dopt = {
		.cache_bytes = options->cache_bytes,
		.raw = options->raw,
		.key = options->key_path ? key : NULL,
	};
	enum mdb_status st = MDB_OK;

	if (options->key_path)
		st = mdb_memory_key(cx, options->key_path, key);
	if (st == MDB_OK)
		st = mdb_memory_open(cx, options->dump_paths,
			options->nr_dump_paths, &dopt, mem_out);
	explicit_bzero(key, sizeof(key));
	return st;
}

enum mdb_status
mdb_target_open(struct mdb_ctx *cx, const struct mdb_target_options *options,
	struct mdb_target **target_out)
{
	struct mdb_memory *mem;
	enum mdb_status st = open_memory(cx, options, &mem);

	if (st != MDB_OK && options->nr_dump_paths > 1)
		return mdb_context(cx, st, "%s and %zu more",
			options->dump_paths[0], options->nr_dump_paths - 1);
	if (st != MDB_OK)
		return mdb_context(cx, st, "%s", options->dump_paths[0]);

	struct mdb_target *t = mdb_target_create_memory(mem);

	own_options(&t->options, options);
	t->name = mdb_xstrdup(options->dump_paths[0]);
	cx->target = t;
	st = find_worlds(cx, t);
	if (st == MDB_OK && options->symbols_path)
		st = mdb_target_check_symbols(cx, t);
	if (st != MDB_OK) {
		cx->target = NULL;
		mdb_target_destroy(t);
		return st;
	}
	cx->world = t->worlds;
	*target_out = t;
	return MDB_OK;
}

struct mdb_target *
mdb_target_create_memory(struct mdb_memory *memory)
{
	struct mdb_target *t = mdb_xalloc(sizeof(*t));

	t->memory = memory;
	return t;
}

void
mdb_target_destroy(struct mdb_target *t)
{
	if (!t)
		return;
	while (t->worlds) {
		struct mdb_world *next = t->worlds->next;

		mdb_world_destroy(t->worlds);
		t->worlds = next;
	}
	mdb_native_destroy(t->native);
	mdb_memory_destroy(t->memory);
	disown_options(&t->options);
	free(t->name);
	free(t);
}
