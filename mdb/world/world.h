/* SPDX-License-Identifier: MIT */
/*
 * A world as the core keeps it, and what a finder must deliver.
 *
 * A finder (find_linux.c, ...) looks at a target and, if it recognises a
 * system, fills in a world: arch, kernel space, the kernel's object, ops.
 * Everything else comes later through the ops, when first asked for.
 */
#ifndef MDB_WORLD_WORLD_H
#define MDB_WORLD_WORLD_H

#include <mdb/stack.h>
#include <mdb/world.h>

#include "mdb/sym/object.h"
#include "mdb/sym/types.h"

/* One of the stacks that a kernel runs on: [low, high). */
struct mdb_stack_range {
	mdb_addr_t low, high;
	const char
		*name; /* "task", "IRQ", "NMI", "#DF", "#DB", "#MC", "entry" */
	int cpu;       /* -1: not of a CPU */
	/* Of a hypervisor's: its guest's registers begin here, above all
	 * frames; 0: it has none. */
	mdb_addr_t top;
};

/* Whose code a hypervisor left when it entered itself. */
struct mdb_guest {
	struct mdb_world *world; /* NULL: it is no world of the dump */
	int domain, vcpu;	 /* -1: not known */
};

struct mdb_world_ops {
	/* Completes the list of objects (modules). Called once. */
	enum mdb_status (
		*load_objects)(struct mdb_ctx *cx, struct mdb_world *world);
	/* The type container of an object; called once per object. */
	enum mdb_status (*load_types)(struct mdb_ctx *cx,
		struct mdb_object *object, struct mdb_types **types_out);
	enum mdb_status (*cpu_next)(struct mdb_ctx *cx, struct mdb_world *world,
		int *cpu);
	enum mdb_status (*percpu_addr)(struct mdb_ctx *cx,
		struct mdb_world *world, mdb_addr_t symbol_value, int cpu,
		mdb_addr_t *addr_out);
	int (*panic_cpu)(struct mdb_ctx *cx, struct mdb_world *world);
	enum mdb_status (*cpu_regs)(struct mdb_ctx *cx, struct mdb_world *world,
		int cpu, struct mdb_regs *regs_out);
	/* Which special (per-CPU) stack holds sp?  MDB_E_NOTFOUND: none that
	 * is known; never walks all tasks. */
	enum mdb_status (*stack_range)(struct mdb_ctx *cx,
		struct mdb_world *world, mdb_addr_t sp,
		struct mdb_stack_range *range_out);
	/* Of a hypervisor: whose code it interrupted when it entered itself on
	 * the stack that holds sp.  MDB_E_NOTFOUND with a trail: its world is
	 * not known; then guest_out has what else is. */
	enum mdb_status (*guest_on_stack)(struct mdb_ctx *cx,
		struct mdb_world *world, mdb_addr_t sp,
		struct mdb_guest *guest_out);
	/* Of a hypervisor: what a guest left by a VM exit (vmcb, vmcs) had in
	 * ip, sp, flags, cs and cr3, on the CPU whose stack holds sp. */
	enum mdb_status (*guest_exit_regs)(struct mdb_ctx *cx,
		struct mdb_world *world, mdb_addr_t sp, struct mdb_regs *regs);
	/* How sure a member of the world's types is, and all of them together
	 * with a line on it; NULL: exact. */
	enum mdb_trust (*member_trust)(struct mdb_ctx *cx,
		struct mdb_world *world, const char *type_name,
		const char *path);
	enum mdb_trust (*trust_all)(struct mdb_ctx *cx, struct mdb_world *world,
		const char **text_out);
	/* mdb_world_fact; NULL when not known. Kept by the world. */
	const char *(*fact)(struct mdb_ctx *cx, struct mdb_world *world,
		const char *key);
	void (*destroy)(struct mdb_world *world);
};

struct mdb_world {
	struct mdb_world *next;
	struct mdb_target *target;
	enum mdb_world_kind kind;
	char name[32]; /* "linux" */
	const struct mdb_arch *arch;
	struct mdb_space *space;    /* the kernel's; owned */
	struct mdb_memory *memory;  /* that its page tables lead to, where that
				       is not the machine's; owned, or NULL */
	struct mdb_object *objects; /* owned; the kernel first */
	bool objects_loaded;
	mdb_addr_t range_start, range_last; /* addresses that are only its own;
					       0,0: none */
	mdb_addr_t objects_low; /* no object of it lies below: user memory */
	const char *vmcoreinfo; /* borrowed from the dump or owned; or NULL */
	size_t vmcoreinfo_len;
	char *vmcoreinfo_owned;
	unsigned int nr_cpu_ids;
	int domain;		   /* of a hypervisor, that it is; -1: none or
				      not known */
	bool keeps_frame_pointers; /* all its code does */
	const struct mdb_world_ops *ops;
	void *priv;		       /* the finder's */
	struct mdb_space_list *spaces; /* by root, see mdb_space_of_root */
	struct mdb_synthetic_object *synthetics; /* owned; synthetic.h */
	void *module_state;			 /* shell layer */
	void *shape_cache; /* type layer: resolved shapes */
	void (*shape_cache_destroy)(void *cache);
	/* How well the layout is known: said by ::status. */
	const char *support; /* "tested", "untested: ..." */
};

struct mdb_world *mdb_world_create(struct mdb_target *target,
	enum mdb_world_kind kind, const char *name);
void mdb_world_destroy(struct mdb_world *world);

/* Seen from world: the world whose own range holds addr, else world itself. */
struct mdb_world *mdb_world_of_addr(struct mdb_world *world, mdb_addr_t addr);

/* The objects of a world, complete. Failure to load modules is warned once. */
struct mdb_object *mdb_world_objects(struct mdb_ctx *cx,
	struct mdb_world *world);

/*
 * What an object's symbols are shown with before the backquote, or NULL: a
 * name that stands for itself.  The first world's kernel needs no prefix, nor
 * do the names of SunOS' modules that mean one thing only, as in mdb; the
 * hypervisor is a module beside them.
 */
const char *mdb_sym_prefix(struct mdb_ctx *cx, const struct mdb_sym *sym);

/*
 * An offset behind a symbol: "+0x9"; in a dump of SunOS "+9" and "+0xa", as
 * mdb prints it there; "" for 0.
 */
const char *mdb_sym_offset(struct mdb_ctx *cx, uint64_t offset);

/* The types of an object, loaded at first use; NULL with a trail if none. */
struct mdb_types *mdb_object_types(struct mdb_ctx *cx,
	struct mdb_object *object);

/*
 * The types in an object's debug file, opened at first use: the file that the
 * user named for the kernel, else one found by build-id.  NULL if there is
 * none; a file that turns out to be another's is warned of once.
 */
struct mdb_types *mdb_object_debug_types(struct mdb_ctx *cx,
	struct mdb_object *object);

/* That file's path; it lives until the command ends.  MDB_E_NOTFOUND. */
enum mdb_status mdb_object_debug_path(struct mdb_ctx *cx,
	struct mdb_object *object, const char **path_out);

/*
 * Does the symbols file that the user named belong to a kernel of the target?
 * MDB_E_FORMAT with both build-ids when not; a warning when nobody can tell.
 */
enum mdb_status mdb_target_check_symbols(struct mdb_ctx *cx,
	struct mdb_target *target);

/* Finders: MDB_OK with a world added to the target, MDB_E_NOTFOUND if it is
 * not there. */
enum mdb_status mdb_find_linux(struct mdb_ctx *cx, struct mdb_target *target);
enum mdb_status mdb_find_xen(struct mdb_ctx *cx, struct mdb_target *target);
enum mdb_status mdb_find_native(struct mdb_ctx *cx, struct mdb_target *target);

#endif
