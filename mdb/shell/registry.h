/* SPDX-License-Identifier: MIT */
/*
 * Which commands and walkers there are.  Names come from the tables of the
 * built-in commands and of modules, in the order in which they were added: a
 * bare name means the first that has it, module`name means that module's.
 *
 * Knows tables and names only: it runs nothing.
 */
#ifndef MDB_SHELL_REGISTRY_H
#define MDB_SHELL_REGISTRY_H

#include <mdb/module.h>

#define MDB_NAME_MAX 64 /* of a command, walker or module, with its NUL */

/* A name that can be called: exactly one of dcmd and walker is not NULL. */
struct mdb_entry {
	const struct mdb_dcmd *dcmd;
	const struct mdb_walker *walker;
	const char *module; /* "mdb" for the built-in ones */
};

struct mdb_registry {
	struct mdb_entry *entries;
	size_t nr_entries;
	const struct mdb_module **modules; /* those that answered */
	size_t nr_modules;
	void **handles; /* of dlopen, parallel to modules; or NULL */
};

void mdb_registry_init(struct mdb_registry *r);
void mdb_registry_fini(struct mdb_registry *r); /* unloads modules */

/*
 * Adds tables, each ended by a NULL name or NULL altogether.  The tables and
 * module are borrowed until fini.
 */
void mdb_registry_add_dcmds(struct mdb_registry *r, const char *module,
	const struct mdb_dcmd *dcmds);
void mdb_registry_add_walkers(struct mdb_registry *r, const char *module,
	const struct mdb_walker *walkers);

/*
 * Adds a module with its tables.  handle is what dlopen gave, or NULL for one
 * that is linked in.
 */
void mdb_registry_add_module(struct mdb_registry *r,
	const struct mdb_module *module, void *handle);

/* By `name` or "module`name"; NULL: there is none. */
const struct mdb_dcmd *mdb_registry_dcmd(const struct mdb_registry *r,
	const char *name);
const struct mdb_walker *mdb_registry_walker(const struct mdb_registry *r,
	const char *name);

/* The name nearest to a mistyped one, or NULL when none is near. */
const char *mdb_registry_near_dcmd(const struct mdb_registry *r,
	const char *name);
const char *mdb_registry_near_walker(const struct mdb_registry *r,
	const char *name);

#endif
