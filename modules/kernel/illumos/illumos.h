/* SPDX-License-Identifier: MIT */
/*
 * What the files of the illumos provider share.
 *
 * Structures and members are those of Solaris 10 to illumos of today, of 32
 * and 64 bits; a member is chosen because the type has it.
 */
#ifndef ILLUMOS_H
#define ILLUMOS_H

#include "../kern.h"

extern const struct kern_thread_ops illumos_thread_ops;
extern const struct kern_sys_ops illumos_sys_ops;
extern const struct kern_view illumos_view;

/* The location of a variable of this kernel, not of another world's. */
enum mdb_status illumos_var(struct mdb_ctx *cx, struct mdb_world *world,
	const char *name, struct mdb_loc *loc_out);
/* The pointer, the long, in a variable. */
enum mdb_status illumos_var_ptr(struct mdb_ctx *cx, struct mdb_world *world,
	const char *name, mdb_addr_t *addr_out);
/* As it, but absence is no failure: 0. */
mdb_addr_t illumos_var_ptr_or_0(struct mdb_ctx *cx, struct mdb_world *world,
	const char *name);

/* As mdb_read_str(), or "" with the trail forgotten. */
void illumos_str(struct mdb_ctx *cx, struct mdb_loc loc, char *buf, size_t len);

/*
 * Objects that are linked by pointers to each other, as a ring or up to NULL.
 * A link that cannot be followed, or that leads back into the middle, ends
 * the list: what a ring's other direction reaches is added, set->why says so,
 * and that is no failure.
 */
struct illumos_list {
	const char *type;
	const char *next; /* member, with alternatives */
	const char *prev; /* of a ring; or NULL */
};
enum mdb_status illumos_collect(struct mdb_ctx *cx,
	const struct illumos_list *list, mdb_addr_t first,
	struct kern_set *set);

/* A cpu_t by the CPU's number. */
enum mdb_status illumos_cpu_loc(struct mdb_ctx *cx, struct mdb_world *world,
	int id, struct mdb_loc *loc_out);

/* Clock ticks at the panic, or now. */
bool illumos_ticks(struct mdb_ctx *cx, struct mdb_world *world,
	int64_t *ticks_out);

/* ---- per file ------------------------------------------------------------ */

enum mdb_status illumos_threads(struct mdb_ctx *cx, struct kern_set *set);
enum mdb_status illumos_threads_of(struct mdb_ctx *cx, struct mdb_loc proc,
	struct kern_set *set);
enum mdb_status illumos_thread_info(struct mdb_ctx *cx, struct mdb_loc loc,
	struct kern_thread *out);
enum mdb_status illumos_thread_regs(struct mdb_ctx *cx,
	const struct kern_thread *thread, struct mdb_regs *regs_out);
enum mdb_status illumos_procs(struct mdb_ctx *cx, struct kern_set *set);
enum mdb_status illumos_proc_info(struct mdb_ctx *cx, struct mdb_loc loc,
	struct kern_proc *out);
enum mdb_status illumos_proc_args(struct mdb_ctx *cx,
	const struct kern_thread *thread, char *buf, size_t len);
enum mdb_status illumos_cpu_next(struct mdb_ctx *cx, struct mdb_world *world,
	int *cpu);
enum mdb_status illumos_cpu(struct mdb_ctx *cx, struct mdb_world *world, int id,
	struct kern_cpu *out);
enum mdb_status illumos_runq(struct mdb_ctx *cx, const struct kern_cpu *cpu,
	kern_runq_fn *fn, void *arg);
enum mdb_status illumos_log(struct mdb_ctx *cx, struct mdb_world *world,
	kern_record_fn *fn, void *arg);
enum mdb_status illumos_mods(struct mdb_ctx *cx, struct kern_set *set);
enum mdb_status illumos_mod_info(struct mdb_ctx *cx, struct mdb_loc mod,
	struct kern_mod *out);
enum mdb_status illumos_time(struct mdb_ctx *cx, struct mdb_world *world,
	struct kern_time *out);
enum mdb_status illumos_panic(struct mdb_ctx *cx, struct mdb_world *world,
	struct kern_panic *out);
enum mdb_status illumos_panic_pairs(struct mdb_ctx *cx, struct mdb_world *world,
	kern_pair_fn *fn, void *arg);

#endif
