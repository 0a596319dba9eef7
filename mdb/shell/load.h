/* SPDX-License-Identifier: MIT */
/* Debugger modules: shared objects with one constant manifest each. */
#ifndef MDB_SHELL_LOAD_H
#define MDB_SHELL_LOAD_H

#include "mdb/shell/session.h"

/*
 * MDB_OK if the manifest can be used, else what is wrong with it: version,
 * names, functions, duplicates.  file_name is what it must be called.
 */
enum mdb_status mdb_module_check(struct mdb_ctx *cx,
	const struct mdb_module *module, const char *file_name);

/*
 * Loads the modules of these directories, in the order of their names, and
 * keeps those that say the dump is their business.  Of two with one name the
 * first directory's counts.  A directory that is not there is no failure; a
 * module that cannot be used is warned of, and one that a world of the dump
 * needs and that is in none of them.
 */
void mdb_load_modules(struct mdb_session *s, const char *const *dirs,
	size_t nr_dirs);

/* Takes a module that is linked in, if it wants the dump. */
void mdb_load_builtin(struct mdb_session *s, const struct mdb_module *module);

#endif
