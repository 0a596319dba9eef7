/* SPDX-License-Identifier: MIT */
/* The stacks that belong to CPUs: interrupts, exceptions, entry. */
#include "mdb/base/ctx.h"
#include "mdb/world/linux_world.h"

enum mdb_status
mdb_linux_stack_range(struct mdb_ctx *cx, struct mdb_world *world,
	mdb_addr_t sp, struct mdb_stack_range *range_out)
{
	(void)cx;
	(void)world;
	(void)sp;
	(void)range_out;
	return MDB_E_NOTFOUND;
}

void
mdb_linux_stacks_fini(struct mdb_linux *lx)
{
	(void)lx;
}
