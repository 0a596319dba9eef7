/* SPDX-License-Identifier: MIT */
/*
 * Load objects (the kernel, its modules, the hypervisor) and their symbols.
 *
 * Names: `name`, `object`name`; quoted parts for odd characters.  A bare name
 * is sought in the current world, its kernel first, then its modules, then
 * the other worlds.
 */
#ifndef MDB_SYM_H
#define MDB_SYM_H

#include <mdb/world.h>

struct mdb_object;

/* clang-format off */
enum mdb_sym_kind {
	MDB_SYM_OTHER = 0,
	MDB_SYM_FUNC,	/* kallsyms t T w W */
	MDB_SYM_DATA,	/* d D b B r R v V */
	MDB_SYM_PERCPU,	/* value is an offset into the per-CPU area */
	MDB_SYM_ABS,	/* a number, not an address */
};
/* clang-format on */

struct mdb_sym {
	struct mdb_object *object;
	const char *name; /* valid until the command ends */
	mdb_addr_t value;
	uint64_t size;	 /* bytes; 0 = not known */
	bool size_exact; /* false: up to the next symbol */
	bool global;
	enum mdb_sym_kind kind;
	char letter; /* nm's, as kallsyms has it: 't' 'T' 'd' ... or 0 */
};

/* MDB_E_NOTFOUND without such a name.  Several: the first by the rule. */
MDB_API enum mdb_status mdb_sym_by_name(struct mdb_ctx *cx,
	struct mdb_world *world, const char *name, struct mdb_sym *sym_out);

/*
 * The symbol that contains loc.  With near, the nearest symbol below within
 * the same section when none contains it.
 */
MDB_API enum mdb_status mdb_sym_by_addr(struct mdb_ctx *cx, struct mdb_loc loc,
	bool near, struct mdb_sym *sym_out);

/* "object`name+0x12" or "0x..." for an address; lives until the command ends.
 * Names of the kernel proper have no prefix. */
MDB_API const char *mdb_sym_format(struct mdb_ctx *cx, struct mdb_loc loc);

/* All symbols of an object in address order; fn may end it with MDB_DONE. */
typedef enum mdb_status mdb_sym_fn(struct mdb_ctx *cx,
	const struct mdb_sym *sym, void *arg);
MDB_API enum mdb_status mdb_sym_each(struct mdb_ctx *cx,
	struct mdb_object *object, mdb_sym_fn *fn, void *arg);

/* Convenience: the value of a symbol as a location in that world. */
MDB_API enum mdb_status mdb_sym_loc(struct mdb_ctx *cx, struct mdb_world *world,
	const char *name, struct mdb_loc *loc_out);

/* Objects. */
struct mdb_object_info {
	const char *name; /* "vmlinux", "ext4", "xpv" */
	struct mdb_world *world;
	mdb_addr_t base, end;	/* text: [base, end) */
	uint64_t size;		/* whole, in bytes */
	mdb_addr_t struct_addr; /* struct module, or 0 */
	const char *build_id;	/* hex, or NULL */
	bool has_types;
	bool has_unwind;
};
MDB_API void mdb_object_info(const struct mdb_object *object,
	struct mdb_object_info *info_out);
typedef enum mdb_status mdb_object_fn(struct mdb_ctx *cx,
	struct mdb_object *object, void *arg);
/* world NULL: the objects of all worlds. */
MDB_API enum mdb_status mdb_object_each(struct mdb_ctx *cx,
	struct mdb_world *world, mdb_object_fn *fn, void *arg);
MDB_API enum mdb_status mdb_object_by_name(struct mdb_ctx *cx,
	struct mdb_world *world, const char *name,
	struct mdb_object **object_out);
/* The object whose range holds loc, or NULL. */
MDB_API struct mdb_object *mdb_object_by_addr(struct mdb_ctx *cx,
	struct mdb_loc loc);

#endif
