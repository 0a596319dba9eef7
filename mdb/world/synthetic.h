/* SPDX-License-Identifier: MIT */
/*
 * Synthetic objects: variables that no memory of the dump holds, made up by a
 * module out of what is known of a world (struct mdb_synthetic, module.h).
 *
 * They have a place among the world's addresses where nothing else of it can
 * be; a real symbol of their name is found before them.
 */
#ifndef MDB_WORLD_SYNTHETIC_H
#define MDB_WORLD_SYNTHETIC_H

#include <mdb/module.h>

#include "mdb/sym/object.h"

struct mdb_synthetic_object;

/* To each world of the target that def is for; def is borrowed until the
 * worlds' end, its texts are asked for when it is first used. */
void mdb_synthetic_add(struct mdb_ctx *cx, const struct mdb_synthetic *def);
/* All of a world. */
void mdb_synthetic_destroy(struct mdb_synthetic_object *list);

/* As the operations of a symbol table: MDB_E_NOTFOUND without a trail. */
enum mdb_status mdb_synthetic_by_name(struct mdb_ctx *cx,
	struct mdb_world *world, const char *name, struct mdb_sym *sym_out);
enum mdb_status mdb_synthetic_by_addr(struct mdb_ctx *cx,
	struct mdb_world *world, mdb_addr_t addr, struct mdb_sym *sym_out);

/*
 * Reads from the front as many bytes as an object has at loc.  False: there is
 * none.
 */
bool mdb_synthetic_read(struct mdb_ctx *cx, struct mdb_loc loc, void *buf,
	size_t len, size_t *len_out);

#endif
