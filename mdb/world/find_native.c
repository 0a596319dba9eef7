/* SPDX-License-Identifier: MIT */
/* Takes the facts that native.c needs out of a dump of our own format. */
#include "mdb/world/native.h"

#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"

#include <stdlib.h>

/* Owned copies of the arrays, for the time of the making. */
struct taken {
	struct dfmt_world *worlds;
	struct dfmt_object *objects;
	struct dfmt_cpu *cpus;
	const char **versions;
};

static void
drop(struct taken *t)
{
	free(t->worlds);
	free(t->objects);
	free(t->cpus);
	/* NOLINTNEXTLINE(bugprone-multi-level-implicit-pointer-conversion) */
	free(t->versions);
}

static void
take(const struct dfmt *d, struct taken *t, struct mdb_native_facts *f)
{
	f->nr_worlds = dfmt_nr_worlds(d);
	f->nr_objects = dfmt_nr_objects(d);
	f->nr_cpus = dfmt_nr_cpus(d);
	f->nr_versions = dfmt_nr_versions(d);
	t->worlds = mdb_xarray(f->nr_worlds, sizeof(*t->worlds));
	t->objects = mdb_xarray(f->nr_objects, sizeof(*t->objects));
	t->cpus = mdb_xarray(f->nr_cpus, sizeof(*t->cpus));
	t->versions = mdb_xarray(f->nr_versions, sizeof(*t->versions));
	for (size_t i = 0; i < f->nr_worlds; i++)
		t->worlds[i] = dfmt_world_at(d, i);
	for (size_t i = 0; i < f->nr_objects; i++)
		t->objects[i] = dfmt_object_at(d, i);
	for (size_t i = 0; i < f->nr_cpus; i++)
		t->cpus[i] = dfmt_cpu_at(d, i);
	for (size_t i = 0; i < f->nr_versions; i++)
		t->versions[i] = dfmt_version_at(d, i);
	f->worlds = t->worlds;
	f->objects = t->objects;
	f->cpus = t->cpus;
	f->versions = t->versions;
}

static enum mdb_status
blob(struct mdb_ctx *cx, void *arg, size_t object, uint32_t kind,
	const void **bytes_out, size_t *len_out)
{
	return mdb_memory_blob(cx, arg, object, kind, bytes_out, len_out);
}

enum mdb_status
mdb_find_native(struct mdb_ctx *cx, struct mdb_target *target)
{
	const struct dfmt *d = mdb_memory_dump(target->memory);
	const struct dfmt_native *n = d ? dfmt_native_get(d) : NULL;
	struct mdb_native_facts f = { .blob = blob,
		.blob_arg = target->memory };
	struct taken t;
	enum mdb_status st;

	if (!n)
		return MDB_E_NOTFOUND;
	f.panic_cpu = n->panic_cpu;
	f.reason = n->reason;
	take(d, &t, &f);
	st = mdb_native_create(cx, target, &f);
	drop(&t);
	return st;
}
