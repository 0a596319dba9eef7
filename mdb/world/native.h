/* SPDX-License-Identifier: MIT */
/*
 * The worlds that a dump of our own format states: the program that wrote it
 * knew its worlds, CPUs and objects, and embedded symbols and types.
 *
 * find_native.c takes the facts out of the dump; native.c makes worlds of
 * them, native_cpu.c answers for their CPUs.  All are hostile: a record that
 * contradicts itself is left out, with a warning.
 */
#ifndef MDB_WORLD_NATIVE_H
#define MDB_WORLD_NATIVE_H

#include "mdb/world/target.h"

/* What the dump says; a test fills it by hand. */
struct mdb_native_facts {
	const struct dfmt_world *worlds;
	size_t nr_worlds;
	const struct dfmt_object *objects;
	size_t nr_objects;
	const struct dfmt_cpu *cpus;
	size_t nr_cpus;
	uint32_t panic_cpu;	     /* index, or ~0 */
	const char *reason;	     /* the panic message, or NULL */
	const char *const *versions; /* "name=value" */
	size_t nr_versions;
	/* Bytes embedded for an object, valid as long as the target is;
	 * MDB_E_NOTFOUND without a trail: it has none of that kind. */
	enum mdb_status (*blob)(struct mdb_ctx *cx, void *arg, size_t object,
		uint32_t kind, const void **bytes_out, size_t *len_out);
	void *blob_arg;
};

/*
 * What is kept of the facts, owned by the target.  worlds[i] is the world of
 * record i, or NULL.
 */
struct mdb_native {
	struct dfmt_world *records;
	struct mdb_world **worlds;
	size_t nr_worlds;
	struct dfmt_cpu *cpus;
	size_t nr_cpus;
	int64_t panic_cpu; /* index, or -1 */
	char *reason;
	char **versions;
	size_t nr_versions;
	enum mdb_status (*blob)(struct mdb_ctx *cx, void *arg, size_t object,
		uint32_t kind, const void **bytes_out, size_t *len_out);
	void *blob_arg;
};

/*
 * Adds a world to the target for each record that can be one: kernels of the
 * control domain first, then hypervisors, then guests.  Linux is looked for by
 * its own finder.  MDB_E_NOTFOUND when there is no world in it.
 */
enum mdb_status mdb_native_create(struct mdb_ctx *cx, struct mdb_target *target,
	const struct mdb_native_facts *facts);
void mdb_native_destroy(struct mdb_native *native); /* accepts NULL */

/* A world's own part: which record it is. */
struct mdb_native_world {
	struct mdb_native *native;
	uint32_t index;
	bool uts_tried;
	char uts[5][65]; /* sysname nodename release version machine */
};

static inline struct mdb_native_world *
mdb_native_world_of(const struct mdb_world *world)
{
	return world->priv;
}

/* native_symbols.c: symbols and types out of embedded bytes. */
void mdb_native_symbols_init(struct mdb_object *object,
	struct mdb_native *native, size_t index);
enum mdb_status mdb_native_load_types(struct mdb_ctx *cx,
	struct mdb_object *object, struct mdb_types **types_out);

/* native_cpu.c: the operations of struct mdb_world_ops. */
enum mdb_status mdb_native_cpu_next(struct mdb_ctx *cx, struct mdb_world *world,
	int *cpu);
int mdb_native_panic_cpu(struct mdb_ctx *cx, struct mdb_world *world);
enum mdb_status mdb_native_cpu_regs(struct mdb_ctx *cx, struct mdb_world *world,
	int cpu, struct mdb_regs *regs_out);
enum mdb_status mdb_native_stack_range(struct mdb_ctx *cx,
	struct mdb_world *world, mdb_addr_t sp,
	struct mdb_stack_range *range_out);
enum mdb_status mdb_native_guest_on_stack(struct mdb_ctx *cx,
	struct mdb_world *world, mdb_addr_t sp, struct mdb_guest *guest_out);
/* Are the world's CPUs those of a domain, as far as they ran? */
bool mdb_native_is_virtual(const struct mdb_world *world);
unsigned int mdb_native_nr_cpu_ids(const struct mdb_world *world);

#endif
