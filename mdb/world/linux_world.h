/* SPDX-License-Identifier: MIT */
/*
 * What the Linux finder knows of the world it made: world->priv.  Private to
 * find_linux*.c and linux_*.c.
 *
 * Everything below "lazy" is filled at first use; a *_tried flag says that
 * the attempt was made, whatever came of it.
 */
#ifndef MDB_WORLD_LINUX_WORLD_H
#define MDB_WORLD_LINUX_WORLD_H

#include "mdb/sym/kallsyms.h"
#include "mdb/world/target.h"

/* Where x86-64 Linux maps itself (Documentation/arch/x86/x86_64/mm.rst). */
#define MDB_LINUX_TEXT_MAP 0xffffffff80000000ull
#define MDB_LINUX_TEXT_MAP_END 0xffffffffc0000000ull

/* More CPUs than this are not believed (NR_CPUS is at most 8192). */
#define MDB_LINUX_MAX_CPUS 65536u

#define MDB_LINUX_UTS_LEN 65u

struct mdb_linux_fact {
	char *key;
	char *value; /* NULL: not known */
};

struct mdb_linux {
	struct mdb_world *world;
	struct mdb_object *kernel;     /* world->objects */
	struct mdb_kallsyms *kallsyms; /* kernel->symtab, or NULL */
	mdb_addr_t uts_addr;	       /* of struct new_utsname; 0: not known */
	char uts[6][MDB_LINUX_UTS_LEN + 1]; /* sysname nodename release version
					       machine domainname */

	/* CPUs */
	mdb_addr_t percpu_start; /* __per_cpu_start */
	bool percpu_known;
	mdb_addr_t percpu_offset_addr; /* __per_cpu_offset; 0: one CPU */
	uint32_t *online;	       /* ids of online CPUs, ascending */
	size_t nr_online;

	/* lazy */
	bool btf_tried;
	bool panic_cpu_tried;
	int panic_cpu;
	bool messages_tried;
	char *panic_message, *oops_message; /* or NULL */
	struct mdb_linux_fact *facts;
	size_t nr_facts;
	uint64_t modules_len; /* bytes read of modules' symbols and types */
	bool stacks_tried;
	struct mdb_linux_stacks *stacks; /* linux_stacks.c */
};

static inline struct mdb_linux *
mdb_linux_of(struct mdb_world *world)
{
	return world->priv;
}

/*
 * The value of a symbol of the kernel proper.  With near_addr not 0 it is
 * first sought around that address.  MDB_E_NOTFOUND without a trail.
 */
enum mdb_status mdb_linux_symbol(struct mdb_ctx *cx, struct mdb_linux *lx,
	const char *name, mdb_addr_t near_addr, mdb_addr_t *value_out);
enum mdb_status mdb_linux_sym(struct mdb_ctx *cx, struct mdb_linux *lx,
	const char *name, mdb_addr_t near_addr, struct mdb_sym *sym_out);
/* The same for a per-CPU variable. */
enum mdb_status mdb_linux_percpu_symbol(struct mdb_ctx *cx,
	struct mdb_linux *lx, const char *name, mdb_addr_t *value_out);
/* A number of size bytes in a variable of the kernel. */
enum mdb_status mdb_linux_variable(struct mdb_ctx *cx, struct mdb_linux *lx,
	const char *name, mdb_addr_t near_addr, size_t size,
	uint64_t *value_out);

/* SYMBOL(name) of VMCOREINFO, or 0. */
mdb_addr_t mdb_linux_info_symbol(const struct mdb_linux *lx, const char *name);
/* Any other key; false when absent. */
bool mdb_linux_info_number(const struct mdb_linux *lx, const char *key,
	uint64_t *value_out);

/*
 * find_linux.c: makes a world of a kernel space that was found; info is its
 * VMCOREINFO text or NULL.  Takes space over, also on failure.
 */
struct mdb_linux_found {
	struct mdb_space *space;
	const char *info; /* borrowed from the dump, unless owned */
	size_t info_len;
	char *info_owned;
	bool has_layout;
	struct mdb_kallsyms_layout layout;
	struct mdb_memory *memory; /* owned: world->memory; or NULL */
	bool has_domain; /* it is a guest of a hypervisor: which one */
	int domain;
};
enum mdb_status mdb_linux_create(struct mdb_ctx *cx, struct mdb_target *target,
	struct mdb_linux_found *found);

/* The space that a VMCOREINFO text describes, verified by reading through it
 * the release that the text states. */
enum mdb_status mdb_linux_space_of_info(struct mdb_ctx *cx,
	struct mdb_target *target, const char *info, size_t len,
	struct mdb_space **space_out);

/*
 * find_linux_scan.c: how far from page at the next one to look at is.  A header
 * may promise any length: where page after page is lost, the steps grow.
 */
mdb_paddr_t mdb_linux_scan_step(const struct mdb_memory *mem, mdb_paddr_t at,
	unsigned int *nr_lost);

/* find_linux_scan.c: without a VMCOREINFO note.  MDB_E_UNSUPPORTED: a CPU's
 * tables are those of a paravirtual guest. */
enum mdb_status mdb_linux_scan(struct mdb_ctx *cx, struct mdb_target *target,
	struct mdb_linux_found *found_out);

/* Is there a kernel in this space?  Takes it over.  MDB_E_NOTFOUND: none. */
enum mdb_status mdb_linux_space_try(struct mdb_ctx *cx, struct mdb_space *space,
	struct mdb_linux_found *found_out);

/*
 * find_linux_xen.c: the kernel of domain 0.  xen is the hypervisor's world, or
 * NULL when that was not found although the dump is of such a machine.
 * MDB_E_NOTFOUND with what was looked for in the trail.
 */
enum mdb_status mdb_linux_scan_xen(struct mdb_ctx *cx,
	struct mdb_target *target, struct mdb_world *xen,
	struct mdb_linux_found *found_out);
/* Does a kernel say of itself that it is the initial domain's?  False also
 * when it says nothing. */
bool mdb_linux_is_initial(struct mdb_ctx *cx, struct mdb_linux_found *found);
/* Has the dump a word of a hypervisor? */
bool mdb_linux_is_above_xen(const struct mdb_target *target);

/* linux_cpu.c */
enum mdb_status mdb_linux_cpus_init(struct mdb_ctx *cx, struct mdb_linux *lx);
enum mdb_status mdb_linux_cpu_next(struct mdb_ctx *cx, struct mdb_world *world,
	int *cpu);
enum mdb_status mdb_linux_percpu_addr(struct mdb_ctx *cx,
	struct mdb_world *world, mdb_addr_t symbol_value, int cpu,
	mdb_addr_t *addr_out);
int mdb_linux_panic_cpu(struct mdb_ctx *cx, struct mdb_world *world);
enum mdb_status mdb_linux_cpu_regs(struct mdb_ctx *cx, struct mdb_world *world,
	int cpu, struct mdb_regs *regs_out);

/* linux_facts.c */
const char *mdb_linux_fact(struct mdb_ctx *cx, struct mdb_world *world,
	const char *key);
void mdb_linux_facts_fini(struct mdb_linux *lx);
/* struct new_utsname at addr -> lx->uts; false if it is none. */
bool mdb_linux_uts_read(struct mdb_space *space, mdb_addr_t init_uts_ns,
	mdb_addr_t *uts_out, char uts_out_text[6][MDB_LINUX_UTS_LEN + 1]);

/* linux_log.c: lx->panic_message and oops_message. */
void mdb_linux_messages_find(struct mdb_ctx *cx, struct mdb_linux *lx);

/* linux_modules.c */
enum mdb_status mdb_linux_load_objects(struct mdb_ctx *cx,
	struct mdb_world *world);

/* linux_types.c */
enum mdb_status mdb_linux_load_types(struct mdb_ctx *cx,
	struct mdb_object *object, struct mdb_types **types_out);
/* ORC tables, and BTF, of the kernel proper, from its symbols. */
void mdb_linux_tables_init(struct mdb_ctx *cx, struct mdb_linux *lx);
void mdb_linux_btf_init(struct mdb_ctx *cx, struct mdb_linux *lx);

/* linux_stacks.c */
enum mdb_status mdb_linux_stack_range(struct mdb_ctx *cx,
	struct mdb_world *world, mdb_addr_t sp,
	struct mdb_stack_range *range_out);
void mdb_linux_stacks_fini(struct mdb_linux *lx);

#endif
