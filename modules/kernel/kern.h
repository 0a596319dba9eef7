/* SPDX-License-Identifier: MIT */
/*
 * The kernel module: commands written once, over a provider.
 *
 * A provider knows one family of kernels (linux/) and turns its structures
 * into the records below; it prints nothing but what whatis finds.  The
 * commands know columns and options and no target structure.  An operation
 * that a provider has not is NULL, and the dispatching functions at the end
 * of this header answer MDB_E_UNSUPPORTED.
 *
 * Objects are named by their location alone: a thread by its task_struct or
 * kthread_t.  A set of objects is collected before it is shown, so that a
 * damaged list yields what can be had from both of its ends, once each, and
 * a statement of what is missing.
 */
#ifndef KERN_H
#define KERN_H

#include <mdb/module.h>

#define KERN_NAME_LEN 64

/* ---- records ------------------------------------------------------------- */

/* Addresses of one kind of object; memory lives until the command ends. */
struct kern_set {
	struct mdb_world *world;
	mdb_addr_t *addrs;
	size_t count;
	size_t room;
	uint64_t missing; /* known to exist but not found */
	bool counted;	  /* missing is what the kernel's counter says */
	const char *why;  /* the list is damaged: how; else NULL */
};

/* A bound on objects in one set: far beyond any real system. */
#define KERN_SET_MAX (4u << 20)

enum mdb_status kern_set_add(struct mdb_ctx *cx, struct kern_set *set,
	mdb_addr_t addr);
/* Says on stderr what is known to be missing of "tasks", if anything. */
void kern_set_warn(struct mdb_ctx *cx, const struct kern_set *set,
	const char *what);

/* clang-format off */
enum kern_state {
	KERN_RUN = 0,	/* runnable, waiting for a CPU */
	KERN_ONPROC,	/* on a CPU */
	KERN_SLEEP,	/* interruptible */
	KERN_DISK,	/* uninterruptible */
	KERN_IDLE,	/* uninterruptible, no load: waiting for work */
	KERN_STOPPED,
	KERN_TRACED,
	KERN_PARKED,
	KERN_ZOMB,
	KERN_DEAD,
	KERN_PANIC,	/* on the CPU that panicked */
	KERN_FREE,	/* no thread any more: its structure waits for reuse */
	KERN_WAIT,	/* held back from the run queue by its scheduler */
};
/* clang-format on */

/* "SLEEP": at most eight letters. */
const char *kern_state_name(enum kern_state state);

struct kern_thread {
	struct mdb_loc loc;
	struct mdb_loc proc; /* its process: the leader of the thread group */
	int64_t pid;	     /* of the process */
	int64_t tid;
	char name[KERN_NAME_LEN];
	enum kern_state state;
	char letter;	    /* ps' letter for the state: R S D I T t Z X P */
	uint64_t raw_state; /* as the kernel has it */
	uint64_t flags;
	int64_t priority;      /* the kernel's: 0-99 real time, 120 default */
	const char *sched;     /* class: "TS" "RT" "DL" "IDL" ... */
	int cpu;	       /* on which it is or ran last; -1 unknown */
	bool on_cpu;	       /* it is what that CPU was running */
	bool is_idle;	       /* a CPU's idle thread */
	bool is_kernel;	       /* has no user memory */
	mdb_addr_t stack;      /* lowest address of its stack, or 0 */
	mdb_addr_t stack_end;  /* exclusive */
	mdb_addr_t sp;	       /* saved, unless on_cpu */
	mdb_addr_t user_space; /* what proc_args needs, or 0 */
	/* what only an illumos thread has */
	uint64_t proc_flag, sched_flag;
	int64_t epri; /* inherited priority */
	int64_t cid;  /* number of the scheduling class */
	uint64_t pil; /* interrupt level */
	mdb_addr_t intr, lwp, wchan, start_pc;
};

struct kern_proc {
	struct kern_thread leader;
	struct mdb_loc parent; /* addr 0: none */
	int64_t ppid;
	int64_t pgid; /* -1: not known */
	int64_t sid;  /* -1: not known */
	int64_t uid;  /* -1: not known */
};

/* Bits of struct kern_cpu.flags */
#define KERN_CPU_ONLINE 0x1u
#define KERN_CPU_ACTIVE 0x2u
#define KERN_CPU_PRESENT 0x4u

struct kern_cpu {
	int id;
	struct mdb_loc loc; /* run queue or cpu_t */
	unsigned int flags;
	uint64_t nr_running;
	uint64_t nr_rt;	       /* of those, real time */
	struct mdb_loc thread; /* current; addr 0: not known */
	uint64_t preempt_count;
	bool has_preempt;
	bool need_resched;
	bool has_since;
	uint64_t since_ns; /* the current thread has been running */
	/* what only an illumos CPU has */
	int64_t base_spl;
	int64_t priority;
	bool runrun, kprunrun;
	int64_t ticks;	 /* has_since: instead of since_ns */
	bool is_idle;	 /* it runs its idle thread */
	mdb_addr_t idle; /* that thread, or 0 */
};

/* One waiting thread of a run queue: "DL", "RT", "TS". */
typedef enum mdb_status kern_runq_fn(struct mdb_ctx *cx, struct mdb_loc thread,
	const char *queue, void *arg);

/* One record of the kernel's log. */
struct kern_record {
	uint64_t seq;
	uint64_t time_ns; /* since boot, by the log's clock */
	unsigned int facility;
	unsigned int level;
	unsigned int flags;
	uint32_t caller; /* thread id, or CPU with KERN_CALLER_CPU */
	bool has_caller;
	const char *text; /* without a newline at its end */
	size_t len;
	const char *dict; /* "SUBSYSTEM=.. DEVICE=.." or "" */
	size_t dict_len;
	enum mdb_status status; /* not MDB_OK: the text could not be had */
};
#define KERN_CALLER_CPU 0x80000000u

typedef enum mdb_status kern_record_fn(struct mdb_ctx *cx,
	const struct kern_record *rec, void *arg);

struct kern_mod {
	struct mdb_loc loc;
	char name[KERN_NAME_LEN];
	mdb_addr_t base;
	uint64_t size;
	int64_t refs;
	bool has_refs;
	const char *state;   /* "live" "coming" "going" "unformed" */
	const char *taints;  /* letters, or "" */
	const char *used_by; /* names, comma separated, or ""; dump's text */
	char version[KERN_NAME_LEN];
	/* what only an illumos module has */
	int64_t id;
	uint64_t flags;
	int64_t rev;
	bool has_rev;
	const char
		*bits; /* B busy, W wanted, P primary, L loaded, I installed */
	const char *file; /* dump's text */
	const char *description;
};

/* Who died, as far as the dump tells. */
struct kern_panic {
	bool panicked;
	const char *message;   /* the dump's text; or NULL */
	int cpu;	       /* of this kernel; -1: not known */
	struct mdb_loc thread; /* addr 0: not known */
	/* The hypervisor below panicked, on behalf of this virtual CPU. */
	bool by_hypervisor;
	struct mdb_loc vcpu;   /* addr 0: not known */
	struct mdb_loc domain; /* addr 0: not known */
	int vcpu_id;	       /* -1: not known */
};

/* A register or the like that the kernel noted of its panic. */
typedef enum mdb_status kern_pair_fn(struct mdb_ctx *cx, const char *name,
	uint64_t value, void *arg);

struct kern_time {
	bool has_wall;
	int64_t wall_sec; /* since 1970, UTC */
	uint64_t wall_ns;
	uint64_t up_ns; /* since boot, suspended time counted */
	/* Wall-clock time of time 0 of the log's clock. */
	int64_t boot_sec;
	uint64_t boot_ns;
};

/* ---- the provider -------------------------------------------------------- */

struct kern_thread_ops {
	/* every thread, those of the CPUs that are idle too */
	enum mdb_status (*threads)(struct mdb_ctx *cx, struct kern_set *set);
	enum mdb_status (*procs)(struct mdb_ctx *cx, struct kern_set *set);
	/* the threads of the process of a thread */
	enum mdb_status (*of_proc)(struct mdb_ctx *cx, struct mdb_loc thread,
		struct kern_set *set);
	enum mdb_status (*info)(struct mdb_ctx *cx, struct mdb_loc thread,
		struct kern_thread *out);
	/* as saved when it left its CPU, or the CPU's if it is on one */
	enum mdb_status (*regs)(struct mdb_ctx *cx,
		const struct kern_thread *thread, struct mdb_regs *regs_out);
	enum mdb_status (*proc_info)(struct mdb_ctx *cx, struct mdb_loc thread,
		struct kern_proc *out);
	/* arguments, blanks between, or the [whole name] of a kernel thread;
	 * fails when the dump has neither */
	enum mdb_status (*proc_args)(struct mdb_ctx *cx,
		const struct kern_thread *thread, char *buf, size_t len);
};

struct kern_sys_ops {
	/* as mdb_cpu_next(), those too that were stopped or taken offline */
	enum mdb_status (*cpu_next)(struct mdb_ctx *cx, struct mdb_world *world,
		int *cpu);
	enum mdb_status (*cpu)(struct mdb_ctx *cx, struct mdb_world *world,
		int id, struct kern_cpu *out);
	enum mdb_status (*runq)(struct mdb_ctx *cx, const struct kern_cpu *cpu,
		kern_runq_fn *fn, void *arg);
	enum mdb_status (*log)(struct mdb_ctx *cx, struct mdb_world *world,
		kern_record_fn *fn, void *arg);
	/* in the order of their loading */
	enum mdb_status (*mods)(struct mdb_ctx *cx, struct kern_set *set);
	enum mdb_status (*mod_info)(struct mdb_ctx *cx, struct mdb_loc mod,
		struct kern_mod *out);
	enum mdb_status (*time)(struct mdb_ctx *cx, struct mdb_world *world,
		struct kern_time *out);
	/* NULL: what the world's facts say */
	enum mdb_status (*panic)(struct mdb_ctx *cx, struct mdb_world *world,
		struct kern_panic *out);
	/* MDB_E_NOTFOUND: none noted */
	enum mdb_status (*panic_pairs)(struct mdb_ctx *cx,
		struct mdb_world *world, kern_pair_fn *fn, void *arg);
	mdb_whatis_fn *whatis;
};

/*
 * Rows of a family whose columns are others than the commands' own; NULL: the
 * commands' own.
 */
struct kern_view {
	enum mdb_status (*cpu)(struct mdb_ctx *cx, const struct kern_cpu *cpu);
	enum mdb_status (
		*thread)(struct mdb_ctx *cx, const struct kern_thread *t);
	enum mdb_status (*threadlist)(struct mdb_ctx *cx,
		const struct kern_thread *t, bool verbose);
	enum mdb_status (
		*modinfo)(struct mdb_ctx *cx, const struct kern_mod *mod);
	enum mdb_status (
		*modctl)(struct mdb_ctx *cx, const struct kern_mod *mod);
};

struct kern_provider {
	const char *name;
	const struct kern_thread_ops *thread;
	const struct kern_sys_ops *sys;
	const struct kern_view *view;
	/* by bit, from 0; ended by NULL */
	const char *const *cpu_flags;
	bool pid_is_proc;   /* a pid names a process' own structure */
	bool idle_in_front; /* threads() lists the idle threads first */
};

extern const struct kern_provider kern_linux, kern_illumos;

/* NULL: this world is no kernel that we know. */
const struct kern_provider *kern_provider(const struct mdb_world *world);

/*
 * The kernel that a command without an address means: the current world, or
 * where that is none (a hypervisor), the first kernel of the dump.
 */
struct mdb_world *kern_world(struct mdb_ctx *cx);

/* Views; never NULL. */
const struct kern_view *kern_view(const struct mdb_world *world);

/* The operations, dispatched.  Sets are begun by these functions. */
enum mdb_status kern_threads(struct mdb_ctx *cx, struct kern_set *set_out);
enum mdb_status kern_procs(struct mdb_ctx *cx, struct kern_set *set_out);
enum mdb_status kern_threads_of(struct mdb_ctx *cx, struct mdb_loc thread,
	struct kern_set *set_out);
enum mdb_status kern_thread_info(struct mdb_ctx *cx, struct mdb_loc thread,
	struct kern_thread *out);
enum mdb_status kern_thread_regs(struct mdb_ctx *cx,
	const struct kern_thread *thread, struct mdb_regs *regs_out);
enum mdb_status kern_proc_info(struct mdb_ctx *cx, struct mdb_loc thread,
	struct kern_proc *out);
enum mdb_status kern_proc_args(struct mdb_ctx *cx,
	const struct kern_thread *thread, char *buf, size_t len);
enum mdb_status kern_cpu_next(struct mdb_ctx *cx, struct mdb_world *world,
	int *cpu);
enum mdb_status kern_cpu_info(struct mdb_ctx *cx, struct mdb_world *world,
	int id, struct kern_cpu *out);
enum mdb_status kern_runq(struct mdb_ctx *cx, const struct kern_cpu *cpu,
	kern_runq_fn *fn, void *arg);
enum mdb_status kern_log(struct mdb_ctx *cx, struct mdb_world *world,
	kern_record_fn *fn, void *arg);
enum mdb_status kern_mods(struct mdb_ctx *cx, struct kern_set *set_out);
enum mdb_status kern_mod_info(struct mdb_ctx *cx, struct mdb_loc mod,
	struct kern_mod *out);
enum mdb_status kern_time(struct mdb_ctx *cx, struct mdb_world *world,
	struct kern_time *out);

/* Says what an address is, as a module's whatis. */
enum mdb_status kern_whatis(struct mdb_ctx *cx, struct mdb_loc loc,
	bool *found_out);

/* Fails only on ^C; what is not known is said to be so. */
enum mdb_status kern_panic(struct mdb_ctx *cx, struct mdb_world *world,
	struct kern_panic *out);
enum mdb_status kern_panic_pairs(struct mdb_ctx *cx, struct mdb_world *world,
	kern_pair_fn *fn, void *arg);

/* The thread that panicked: that of the panic CPU; else addr 0. */
struct mdb_loc kern_panic_thread(struct mdb_ctx *cx, struct mdb_world *world);

MDB_API extern const struct mdb_module mdb_module_kernel;

/* ---- what the commands share --------------------------------------------- */

/*
 * Commands: the function, and the tables of the manifest that stand beside it.
 */
typedef enum mdb_status kern_dcmd_fn(struct mdb_ctx *cx,
	const struct mdb_call *call);

kern_dcmd_fn kern_ps, kern_ptree, kern_pgrep, kern_pid2task, kern_thread,
	kern_threadlist, kern_findstack, kern_stacks, kern_cpuinfo, kern_msgbuf,
	kern_modinfo, kern_modctl, kern_panicinfo, kern_time_show, kern_uptime,
	kern_analyze;

extern const struct mdb_option kern_ps_options[], kern_pgrep_options[],
	kern_threadlist_options[], kern_findstack_options[],
	kern_stacks_options[], kern_cpuinfo_options[], kern_msgbuf_options[],
	kern_modinfo_options[], kern_time_options[];
extern const struct mdb_table kern_ps_table, kern_ptree_table,
	kern_thread_table, kern_threadlist_table, kern_findstack_table,
	kern_stacks_table, kern_cpuinfo_table, kern_msgbuf_table,
	kern_modinfo_table, kern_panicinfo_table, kern_time_table,
	kern_uptime_table, kern_analyze_table;

/* Walkers over sets: state is made by the init, stepped by one function. */
typedef enum mdb_status kern_walk_init_fn(struct mdb_ctx *cx,
	struct mdb_walk *w);
typedef enum mdb_status kern_walk_step_fn(struct mdb_ctx *cx,
	struct mdb_walk *w, struct mdb_loc *loc_out);

kern_walk_init_fn kern_walk_proc_init, kern_walk_task_init,
	kern_walk_thread_init, kern_walk_module_init;
kern_walk_step_fn kern_walk_set_step, kern_walk_cpu_step;

/* Of containers, which are Linux's. */
kern_walk_init_fn linux_walk_list_init, linux_walk_hlist_init,
	linux_walk_rbtree_init, linux_walk_xarray_init;
kern_walk_step_fn linux_walk_list_step, linux_walk_hlist_step,
	linux_walk_rbtree_step, linux_walk_xarray_step, linux_walk_percpu_step;

/* States a row of ::ps for a process; with -t its threads below. */
enum mdb_status kern_ps_row(struct mdb_ctx *cx, const struct mdb_call *call,
	const struct kern_proc *proc);

/* A copy that lives until the command ends. */
const char *kern_strdup(struct mdb_ctx *cx, const char *text);

/*
 * "func+0x12".  A call that never returns may end its function: where it would
 * return to is named by the function that called, not by the one behind it.
 */
const char *kern_pc_text(struct mdb_ctx *cx, struct mdb_loc pc, bool is_return);

/* "Sun Nov 22 23:20:56 2026", UTC. */
const char *kern_date(struct mdb_ctx *cx, int64_t sec);

#endif
