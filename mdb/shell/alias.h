/* SPDX-License-Identifier: MIT */
/*
 * Macros that are built in: names that Solaris' users type after `$<`, and
 * what is run for them; and what users of crash type for the hypervisor.
 */
#ifndef MDB_SHELL_ALIAS_H
#define MDB_SHELL_ALIAS_H

#include <mdb/world.h>

/* Which dumps have what an alias names. */
enum mdb_alias_of {
	MDB_ALIAS_ALL = 0,
	MDB_ALIAS_ILLUMOS, /* a world that is an illumos kernel, or its
			      hypervisor */
	MDB_ALIAS_XEN,	   /* dumps with a hypervisor */
};

struct mdb_alias {
	const char *name;
	const char *text; /* one statement; `.` is the address */
	enum mdb_alias_of of;
};

/* The alias of that name where the world has it, or NULL. */
const struct mdb_alias *mdb_alias_find(const struct mdb_world *world,
	const char *name);

/* The nth of those that the world has, sorted by name; NULL past the last. */
const struct mdb_alias *mdb_alias_at(const struct mdb_world *world, size_t n);

#endif
