/* SPDX-License-Identifier: MIT */
/*
 * The table of names.  A few hundred entries in the order of their adding: a
 * search is one pass, and its first hit is the answer by the rule.
 */
#include "mdb/shell/registry.h"

#include "mdb/base/alloc.h"
#include "mdb/shell/suggest.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

void
mdb_registry_init(struct mdb_registry *r)
{
	*r = (struct mdb_registry){ 0 };
}

void
mdb_registry_fini(struct mdb_registry *r)
{
	for (size_t i = 0; i < r->nr_modules; i++) {
		if (r->handles[i] != NULL)
			dlclose(r->handles[i]);
	}
	free(r->entries);
	free(r->modules);
	free(r->handles);
	*r = (struct mdb_registry){ 0 };
}

static void
add(struct mdb_registry *r, struct mdb_entry entry)
{
	r->entries = mdb_xrealloc(r->entries, r->nr_entries + 1,
		sizeof(*r->entries));
	r->entries[r->nr_entries++] = entry;
}

void
mdb_registry_add_dcmds(struct mdb_registry *r, const char *module,
	const struct mdb_dcmd *dcmds)
{
	for (; dcmds != NULL && dcmds->name != NULL; dcmds++)
		add(r, (struct mdb_entry){ dcmds, NULL, module });
}

void
mdb_registry_add_walkers(struct mdb_registry *r, const char *module,
	const struct mdb_walker *walkers)
{
	for (; walkers != NULL && walkers->name != NULL; walkers++)
		add(r, (struct mdb_entry){ NULL, walkers, module });
}

void
mdb_registry_add_module(struct mdb_registry *r, const struct mdb_module *module,
	void *handle)
{
	size_t count = r->nr_modules + 1;

	r->modules = mdb_xrealloc(r->modules, count,
		sizeof(const struct mdb_module *));
	r->handles = mdb_xrealloc(r->handles, count, sizeof(*r->handles));
	r->modules[r->nr_modules] = module;
	r->handles[r->nr_modules++] = handle;
	mdb_registry_add_dcmds(r, module->name, module->dcmds);
	mdb_registry_add_walkers(r, module->name, module->walkers);
}

/* The entry's name if it is of the kind asked, else NULL. */
static const char *
name_of(const struct mdb_entry *e, bool walker)
{
	if (walker)
		return e->walker != NULL ? e->walker->name : NULL;
	return e->dcmd != NULL ? e->dcmd->name : NULL;
}

static const struct mdb_entry *
find(const struct mdb_registry *r, const char *name, bool walker)
{
	const char *tick = strrchr(name, '`');
	const char *bare = tick == NULL ? name : tick + 1;
	size_t len = tick == NULL ? 0 : (size_t)(tick - name);

	for (size_t i = 0; i < r->nr_entries; i++) {
		const struct mdb_entry *e = &r->entries[i];
		const char *n = name_of(e, walker);

		if (n == NULL || strcmp(n, bare) != 0)
			continue;
		if (tick == NULL || (strlen(e->module) == len &&
					    memcmp(e->module, name, len) == 0))
			return e;
	}
	return NULL;
}

const struct mdb_dcmd *
mdb_registry_dcmd(const struct mdb_registry *r, const char *name)
{
	const struct mdb_entry *e = find(r, name, false);

	return e == NULL ? NULL : e->dcmd;
}

const struct mdb_walker *
mdb_registry_walker(const struct mdb_registry *r, const char *name)
{
	const struct mdb_entry *e = find(r, name, true);

	return e == NULL ? NULL : e->walker;
}

static const char *
nearest(const struct mdb_registry *r, const char *name, bool walker)
{
	struct mdb_suggest s;

	mdb_suggest_init(&s, name);
	for (size_t i = 0; i < r->nr_entries; i++) {
		const char *n = name_of(&r->entries[i], walker);

		if (n != NULL)
			mdb_suggest_offer(&s, n);
	}
	return s.best;
}

const char *
mdb_registry_near_dcmd(const struct mdb_registry *r, const char *name)
{
	return nearest(r, name, false);
}

const char *
mdb_registry_near_walker(const struct mdb_registry *r, const char *name)
{
	return nearest(r, name, true);
}
