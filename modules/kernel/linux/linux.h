/* SPDX-License-Identifier: MIT */
/*
 * What the files of the Linux provider share: the containers of Linux read
 * safely, and the facts that are kept for a session.
 *
 * Members and their alternatives are those of Linux 4.14 to 6.19; a name is
 * chosen because the type has it, never by a release string.
 */
#ifndef LINUX_H
#define LINUX_H

#include "../kern.h"

extern const struct kern_thread_ops linux_thread_ops;
extern const struct kern_sys_ops linux_sys_ops;

/* Facts of a world that do not change, found once. */
struct linux_state {
	bool ready;
	uint64_t thread_len;	   /* THREAD_SIZE */
	mdb_addr_t sched_class[6]; /* as in sched_names[] of task.c */
	unsigned int nr_cpus;
	mdb_addr_t current[]; /* per CPU, 0: not known */
};

/* Never NULL; what could not be found is 0. */
const struct linux_state *linux_state_get(struct mdb_ctx *cx,
	struct mdb_world *world);

/* Addresses of the per-CPU copy of a variable by its name. */
enum mdb_status linux_percpu_loc(struct mdb_ctx *cx, struct mdb_world *world,
	const char *name, int cpu, struct mdb_loc *loc_out);

/* The pointer in a global variable; an integer of a global variable. */
enum mdb_status linux_sym_ptr(struct mdb_ctx *cx, struct mdb_world *world,
	const char *name, mdb_addr_t *addr_out);
enum mdb_status linux_sym_uint(struct mdb_ctx *cx, struct mdb_world *world,
	const char *name, size_t size, uint64_t *value_out);

/* As mdb_offset_of(), but absence is no failure: false. */
bool linux_offset(struct mdb_ctx *cx, struct mdb_world *world,
	const char *type_name, const char *names, uint64_t *offset_out);
bool linux_type_size(struct mdb_ctx *cx, struct mdb_world *world,
	const char *type_name, uint64_t *size_out);
/* The value of NAME in `enum ENUM_NAME`; false without it. */
bool linux_enumerator(struct mdb_ctx *cx, struct mdb_world *world,
	const char *enum_name, const char *name, int64_t *value_out);

/* ---- containers ---------------------------------------------------------- */

/*
 * Adds what hangs on the list_head at head: entries are nodes minus offset.
 * A list that cannot be followed to its end is read backward from its head
 * too, and set->why says so: that is no failure.
 */
enum mdb_status linux_list_collect(struct mdb_ctx *cx, struct mdb_loc head,
	uint64_t offset, struct kern_set *set);

/* Red-black trees, in order.  A subtree that cannot be read is skipped. */
#define LINUX_RB_DEPTH 128

struct linux_rb {
	struct mdb_world *world;
	mdb_addr_t stack[LINUX_RB_DEPTH];
	size_t depth;
	mdb_addr_t next;      /* subtree to descend into */
	uint64_t nr_nodes;    /* handed out */
	uint64_t nr_lost;     /* subtrees not read */
	enum mdb_status lost; /* why the first was not */
	const char *lost_why;
};

/* node is what the root points to. */
void linux_rb_begin(struct linux_rb *it, struct mdb_world *world,
	mdb_addr_t node);
/* MDB_DONE after the last, or a failure that says what was lost. */
enum mdb_status linux_rb_next(struct mdb_ctx *cx, struct linux_rb *it,
	mdb_addr_t *node_out);

/*
 * XArrays and the radix trees before them: pointers in the order of their
 * index.  Values, siblings, reserved entries are passed over.
 */
#define LINUX_XA_DEPTH 12
#define LINUX_XA_SLOTS 64
#ifdef MDB_TINY
#define LINUX_XA_NODES (1u << 12)
#else
#define LINUX_XA_NODES (1u << 20) /* entered: 64 Mi items */
#endif

struct linux_xa_level {
	mdb_addr_t node;
	unsigned int slot;
	unsigned int shift;
	uint64_t index; /* of slot 0 */
	uint64_t slots[LINUX_XA_SLOTS];
};

struct linux_xa {
	struct mdb_world *world;
	bool old; /* radix tree of 4.14 to 4.19 */
	unsigned int nr_slots;
	uint64_t shift_offset, slots_offset;
	bool single; /* root entry that is itself an item */
	uint64_t root;
	size_t depth;
	uint64_t nr_nodes; /* entered */
	uint64_t nr_lost;
	enum mdb_status lost;
	const char *lost_why;
	struct linux_xa_level levels[LINUX_XA_DEPTH];
};

enum mdb_status linux_xa_begin(struct mdb_ctx *cx, struct linux_xa *it,
	struct mdb_loc root);
enum mdb_status linux_xa_next(struct mdb_ctx *cx, struct linux_xa *it,
	mdb_addr_t *entry_out, uint64_t *index_out);

/* A set of addresses already met: true if addr is new. */
struct linux_seen {
	mdb_addr_t *slots;
	size_t room;
	size_t count;
};
bool linux_seen_add(struct mdb_ctx *cx, struct linux_seen *seen,
	mdb_addr_t addr);

/* ---- per file ------------------------------------------------------------ */

enum mdb_status linux_threads(struct mdb_ctx *cx, struct kern_set *set);
enum mdb_status linux_procs(struct mdb_ctx *cx, struct kern_set *set);
enum mdb_status linux_threads_of(struct mdb_ctx *cx, struct mdb_loc thread,
	struct kern_set *set);
enum mdb_status linux_thread_info(struct mdb_ctx *cx, struct mdb_loc loc,
	struct kern_thread *out);
enum mdb_status linux_thread_regs(struct mdb_ctx *cx,
	const struct kern_thread *thread, struct mdb_regs *regs_out);
enum mdb_status linux_proc_info(struct mdb_ctx *cx, struct mdb_loc loc,
	struct kern_proc *out);
enum mdb_status linux_proc_args(struct mdb_ctx *cx,
	const struct kern_thread *thread, char *buf, size_t len);
enum mdb_status linux_cpu_next(struct mdb_ctx *cx, struct mdb_world *world,
	int *cpu);
enum mdb_status linux_cpu(struct mdb_ctx *cx, struct mdb_world *world, int id,
	struct kern_cpu *out);
enum mdb_status linux_runq(struct mdb_ctx *cx, const struct kern_cpu *cpu,
	kern_runq_fn *fn, void *arg);
enum mdb_status linux_log(struct mdb_ctx *cx, struct mdb_world *world,
	kern_record_fn *fn, void *arg);
enum mdb_status linux_mods(struct mdb_ctx *cx, struct kern_set *set);
enum mdb_status linux_mod_info(struct mdb_ctx *cx, struct mdb_loc mod,
	struct kern_mod *out);
enum mdb_status linux_time(struct mdb_ctx *cx, struct mdb_world *world,
	struct kern_time *out);
enum mdb_status linux_whatis(struct mdb_ctx *cx, struct mdb_loc loc,
	bool *found_out);
enum mdb_status linux_whatis_page(struct mdb_ctx *cx, struct mdb_loc loc,
	bool *found_out);
enum mdb_status linux_whatis_vmalloc(struct mdb_ctx *cx, struct mdb_loc loc,
	bool *found_out);

#endif
