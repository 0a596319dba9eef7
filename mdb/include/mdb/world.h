/* SPDX-License-Identifier: MIT */
/*
 * The running systems found in the dump, as a module sees them.
 */
#ifndef MDB_WORLD_H
#define MDB_WORLD_H

#include <mdb/mem.h>

/* What kind of system a world is. */
enum mdb_world_kind {
	MDB_WORLD_BARE = 0, /* memory and registers, nothing recognised */
	MDB_WORLD_LINUX,
	MDB_WORLD_XEN,
	MDB_WORLD_ILLUMOS,
};

/* The current world of a command; never NULL. */
MDB_API struct mdb_world *mdb_world_current(struct mdb_ctx *cx);
/* The worlds of the dump: the first (NULL), the next, NULL past the last. */
MDB_API struct mdb_world *mdb_world_next(struct mdb_ctx *cx,
	const struct mdb_world *world);
MDB_API enum mdb_world_kind mdb_world_kind(const struct mdb_world *world);
MDB_API const char *mdb_world_name(const struct mdb_world *world);
/* Size of a pointer: 4 or 8. */
MDB_API size_t mdb_world_word(const struct mdb_world *world);

/*
 * What is known of a world as text: "release" "version" "machine" "nodename"
 * "panic_message" "build_id" "banner" ...; NULL when not known.
 */
MDB_API const char *mdb_world_fact(struct mdb_ctx *cx, struct mdb_world *world,
	const char *key);

/* A number or symbol that VMCOREINFO states; MDB_E_NOTFOUND without it. */
MDB_API enum mdb_status mdb_vmcoreinfo_uint(struct mdb_ctx *cx,
	struct mdb_world *world, const char *key, uint64_t *value_out);

/* Location of an address of a world's kernel. */
static inline struct mdb_loc
mdb_kernel_loc(struct mdb_world *world, mdb_addr_t addr)
{
	struct mdb_loc loc = { world, (struct mdb_space *)0, addr };

	return loc;
}

/*
 * CPUs.  Ids are the system's own logical numbers; possible ids are below
 * nr_cpu_ids, those that were online are listed by mdb_cpu_next (pass -1 to
 * begin; MDB_DONE after the last).
 */
MDB_API unsigned int mdb_nr_cpu_ids(struct mdb_world *world);
MDB_API enum mdb_status mdb_cpu_next(struct mdb_ctx *cx,
	struct mdb_world *world, int *cpu);
/* The CPU that panicked, or -1 when nobody did or it is not known. */
MDB_API int mdb_panic_cpu(struct mdb_ctx *cx, struct mdb_world *world);

/* The address of CPU's copy of a per-CPU variable (given its symbol value). */
MDB_API enum mdb_status mdb_percpu_addr(struct mdb_ctx *cx,
	struct mdb_world *world, mdb_addr_t symbol_value, int cpu,
	mdb_addr_t *addr_out);

#endif
