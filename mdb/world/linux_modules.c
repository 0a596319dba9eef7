/* SPDX-License-Identifier: MIT */
/* Loadable modules of a Linux world. */
#include "mdb/base/ctx.h"
#include "mdb/world/linux_world.h"

enum mdb_status
mdb_linux_load_objects(struct mdb_ctx *cx, struct mdb_world *world)
{
	(void)cx;
	(void)world;
	return MDB_OK;
}
