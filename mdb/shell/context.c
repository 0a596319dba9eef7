/* SPDX-License-Identifier: MIT */
/*
 * Which registers stand for "here": those of the CPU that panicked, else of
 * the first CPU that was online.
 */
#include <mdb/stack.h>

#include "mdb/base/ctx.h"
#include "mdb/world/target.h"
#include "mdb/world/xen_world.h"

/*
 * The current world first; else whoever panicked took it down.  Where nobody
 * did, as when the hypervisor ended domain 0: who wrote the dump.
 */
static int
panic_cpu(struct mdb_ctx *cx, struct mdb_world **world)
{
	int cpu = mdb_panic_cpu(cx, *world);

	for (struct mdb_world *w = cx->target->worlds; w && cpu < 0;
		w = w->next) {
		cpu = mdb_panic_cpu(cx, w);
		if (cpu >= 0)
			*world = w;
	}
	for (struct mdb_world *w = cx->target->worlds; w && cpu < 0;
		w = w->next) {
		cpu = mdb_xen_writer_cpu(w);
		if (cpu >= 0)
			*world = w;
	}
	return cpu;
}

enum mdb_status
mdb_context_regs(struct mdb_ctx *cx, struct mdb_regs *regs_out, int *cpu_out)
{
	struct mdb_world *world = mdb_world_current(cx);
	int cpu = panic_cpu(cx, &world);
	enum mdb_status st = MDB_OK;

	if (cpu < 0) {
		st = mdb_cpu_next(cx, world, &cpu);
		if (st == MDB_DONE)
			return mdb_fail(cx, MDB_E_NOTFOUND,
				"the dump names no CPU");
	}
	if (st == MDB_OK)
		st = mdb_cpu_regs(cx, world, cpu, regs_out);
	if (st == MDB_OK && cpu_out != NULL)
		*cpu_out = cpu;
	return st;
}
