/* SPDX-License-Identifier: MIT */
/*
 * The module of the hypervisor: what its files share.
 *
 * Members are those of Xen 3.0.4 to today; a member is chosen because the type
 * has it.
 */
#ifndef XPV_H
#define XPV_H

#include <mdb/module.h>
#include <mdb/xen.h>

MDB_API extern const struct mdb_module mdb_module_xpv;

/*
 * The hypervisor's world: the current one if it is that, else the first of
 * the dump.  MDB_E_NOTFOUND without.
 */
enum mdb_status xpv_world(struct mdb_ctx *cx, struct mdb_world **world_out);

/* Where a symbol of the hypervisor is; of no other world. */
enum mdb_status xpv_var_loc(struct mdb_ctx *cx, struct mdb_world *world,
	const char *name, struct mdb_loc *loc_out);

/* The pointer in a variable of the hypervisor. */
enum mdb_status xpv_var_ptr(struct mdb_ctx *cx, struct mdb_world *world,
	const char *name, mdb_addr_t *addr_out);

/* ---- reading (read.c) ---------------------------------------------------- */

/*
 * The number in one member of the object at loc, signed ones extended; names
 * as in struct mdb_field.  MDB_E_NOTFOUND: this Xen has no such member.
 */
enum mdb_status xpv_member(struct mdb_ctx *cx, struct mdb_loc loc,
	const char *type_name, const char *names, uint64_t *value_out);
/* The member that this Xen has, of several names. */
enum mdb_status xpv_member_find(struct mdb_ctx *cx, struct mdb_world *world,
	const char *type_name, const char *names,
	struct mdb_member *member_out);
/* How sure the place of the member is that xpv_member_find finds. */
enum mdb_trust xpv_member_trust(struct mdb_ctx *cx, struct mdb_world *world,
	const char *type_name, const char *names);
/*
 * A cell of what a member says: marked where its place is not proven; none
 * where this Xen has no such member, or where it is refuted.
 */
struct mdb_value xpv_trusted(enum mdb_trust trust, struct mdb_value v);
struct mdb_value xpv_shape_cell(struct mdb_ctx *cx, struct mdb_world *world,
	const struct mdb_shape *shape, size_t field, struct mdb_value v);

/* Where a member is. */
enum mdb_status xpv_member_loc(struct mdb_ctx *cx, struct mdb_loc loc,
	const char *type_name, const char *names, struct mdb_loc *loc_out);
/* The pointer in a member, as a location of the same world. */
enum mdb_status xpv_member_ptr(struct mdb_ctx *cx, struct mdb_loc loc,
	const char *type_name, const char *names, struct mdb_loc *loc_out);

/*
 * A CPU's copy of a per-CPU variable, by the name that the source has
 * ("timers": its symbol is per_cpu__timers).
 */
enum mdb_status xpv_percpu_loc(struct mdb_ctx *cx, struct mdb_world *world,
	const char *name, int cpu, struct mdb_loc *loc_out);

/* Each CPU that was online. */
typedef enum mdb_status xpv_cpu_fn(struct mdb_ctx *cx, struct mdb_world *world,
	int cpu, void *arg);
enum mdb_status xpv_each_cpu(struct mdb_ctx *cx, struct mdb_world *world,
	xpv_cpu_fn *fn, void *arg);

/*
 * The elements of a list whose struct list_head is at head; offset is that of
 * the links in the element, which fn gets.  A list whose links do not lead back
 * is MDB_E_CORRUPT at that place; fn may say MDB_DONE.
 */
enum mdb_status xpv_each_in_list(struct mdb_ctx *cx, struct mdb_loc head,
	uint64_t offset, mdb_walk_fn *fn, void *arg);

/* Where the frame table is and how it reads; frame.h. */
struct xpv_pgc;
struct xpv_frames {
	struct mdb_world *world;
	mdb_addr_t table, direct; /* of pdx 0 */
	uint64_t page_len;	  /* sizeof(struct page_info) */
	uint64_t nr_pdx;	  /* the frame table ends there */
	bool nr_exact;	 /* the hypervisor says so; else by what is mapped */
	bool compressed; /* then: */
	uint64_t bottom_mask, top_mask; /* of an mfn */
	unsigned int hole_shift;
	/* offsets in struct page_info */
	uint64_t list_off, count_off, type_off, owner_off, order_off;
	size_t owner_len, link_len;  /* 4 or 8 bytes */
	const struct xpv_pgc *flags; /* NULL: not known of this version */
};

/* What the module keeps of a hypervisor until the session ends. */
struct xpv_state {
	bool time_tried;
	uint64_t time_latest; /* 0: not known */
	bool frames_found;
	struct xpv_frames frames; /* xpv_frames_get */
	bool evtchn_tried;
	enum mdb_trust evtchn_trust; /* xpv_evtchn_trust */
	bool gnttab_tried;
	enum mdb_trust gnttab_trust; /* xpv_gnttab_trust */
	bool pirqs_found;
	uint64_t pirqs; /* offset of pirq_tree, where it was found */
	bool irqs_found;
	uint64_t irqs; /* the same of arch.irq_pirq */
};
struct xpv_state *xpv_state(struct mdb_ctx *cx, struct mdb_world *world);

/*
 * The latest point of time that Xen noted anywhere, in nanoseconds of its
 * system time (since boot): the dump was taken then or later.
 */
enum mdb_status xpv_time_latest(struct mdb_ctx *cx, struct mdb_world *world,
	uint64_t *ns_out);

/* ---- words (text.c) ------------------------------------------------------ */

struct xpv_bit {
	uint64_t mask;
	const char *word;
};
/* "blocked,down"; bits without a word in hex behind; "" for none.  bits end
 * with word NULL.  The text lives until the command ends, as all here. */
const char *xpv_bits_text(struct mdb_ctx *cx, const struct xpv_bit *bits,
	uint64_t value);
/* The word of a number, "?(7)" where there is none. */
const char *xpv_word(struct mdb_ctx *cx, const char *const *words,
	size_t nr_words, uint64_t value);

/* "d0v1"; "idle1" of the idle domain; by ids and by address. */
const char *xpv_vcpu_name(struct mdb_ctx *cx, unsigned int domid, int vcpu);
const char *xpv_vcpu_name_at(struct mdb_ctx *cx, struct mdb_loc vcpu);

/* "0-1,5" of a bitmap that is nr_bits long; "none". */
enum mdb_status xpv_cpus_text(struct mdb_ctx *cx, struct mdb_loc bitmap,
	unsigned int nr_bits, const char **text_out);
/* The same of a member that is a cpumask_t, or a cpumask_var_t of either kind
 * (xen/include/xen/cpumask.h). */
enum mdb_status xpv_member_cpus(struct mdb_ctx *cx, struct mdb_loc loc,
	const char *type_name, const char *names, const char **text_out);
/* As a cell of a table: a text or why there is none. */
struct mdb_value xpv_cpus_cell(struct mdb_ctx *cx, struct mdb_loc loc,
	const char *type_name, const char *names);

/*
 * The members of an object as leaves of the open tree: of those that this Xen
 * has, what can be read; why not of the others.
 */
enum xpv_leaf_kind {
	XPV_LEAF_UINT = 0,
	XPV_LEAF_INT,
	XPV_LEAF_HEX,
	XPV_LEAF_BOOL,
	XPV_LEAF_NS,
	XPV_LEAF_BITS, /* aux: struct xpv_bit[] */
	XPV_LEAF_WORD, /* aux: words, aux_len of them */
	XPV_LEAF_PTR,  /* shown as a symbol where it is one's */
	XPV_LEAF_ADDR, /* where the member is */
	XPV_LEAF_CPUS,
	XPV_LEAF_UUID,	  /* 16 bytes */
	XPV_LEAF_SPECIAL, /* signed; aux: struct xpv_special[] */
};
/* Numbers that mean something else; ends with word NULL. */
struct xpv_special {
	int64_t value;
	const char *word; /* shown instead */
	bool nothing;	  /* in JSON null, else the number as it is */
};
struct xpv_leaf {
	const char *name;  /* shown */
	const char *names; /* of the member, as in struct mdb_field */
	enum xpv_leaf_kind kind;
	const void *aux;
	size_t aux_len;
};
#define XPV_LEAF(kind, path)                                   \
	{                                                      \
		path, path "\0", XPV_LEAF_##kind, (void *)0, 0 \
	}
#define XPV_LEAF_NAMED(kind, name, path)                       \
	{                                                      \
		name, path "\0", XPV_LEAF_##kind, (void *)0, 0 \
	}
#define XPV_LEAF_FLAGS(path, bits)                      \
	{                                               \
		path, path "\0", XPV_LEAF_BITS, bits, 0 \
	}
#define XPV_LEAF_SPECIALS(path, specials)                      \
	{                                                      \
		path, path "\0", XPV_LEAF_SPECIAL, specials, 0 \
	}
#define XPV_LEAF_WORDS(name, path, words)                  \
	{                                                  \
		name, path "\0", XPV_LEAF_WORD, words,     \
			sizeof(words) / sizeof((words)[0]) \
	}
#define XPV_LEAVES_END                                \
	{                                             \
		(void *)0, (void *)0, 0, (void *)0, 0 \
	}
/* leaves end with XPV_LEAVES_END. */
enum mdb_status xpv_leaves(struct mdb_ctx *cx, struct mdb_loc loc,
	const char *type_name, const struct xpv_leaf *leaves);

/* A leaf of our own. */
enum mdb_status xpv_leaf(struct mdb_ctx *cx, const char *name, const char *text,
	struct mdb_value value);
/* The same, marked where it is not proven; none where it is refuted. */
enum mdb_status xpv_leaf_trusted(struct mdb_ctx *cx, const char *name,
	const char *text, struct mdb_value value, enum mdb_trust trust);

/* ---- domains and their vcpus --------------------------------------------- */

#define XPV_MAX_DOMAINS 0x8000u
#define XPV_MAX_VCPUS 8192u

/* Members of a domain, for xpv_domain_cell; those of its state are together. */
enum xpv_domain_field {
	XPV_DOMAIN_ID,
	XPV_DOMAIN_TOT_PAGES,
	XPV_DOMAIN_MAX_PAGES,
	XPV_DOMAIN_FLAGS,
	XPV_DOMAIN_IS_HVM,
	XPV_DOMAIN_GUEST_TYPE,
	XPV_DOMAIN_OPTIONS,
	XPV_DOMAIN_EMULATION,
	XPV_DOMAIN_OUTSTANDING,
	XPV_DOMAIN_XENHEAP,
	XPV_DOMAIN_DYING,
	XPV_DOMAIN_SHUTTING_DOWN,
	XPV_DOMAIN_SHUT_DOWN,
	XPV_DOMAIN_SHUTDOWN_CODE,
	XPV_DOMAIN_CONTROLLER_PAUSES,
	XPV_DOMAIN_PAUSES,
};

/* What a command wants of a domain; has: which members this Xen has. */
struct xpv_domain {
	struct mdb_loc loc;
	uint16_t id;
	uint32_t tot_pages, max_pages;
	uint64_t flags;
	bool has_flags;
	bool has_hvm; /* it is known whether */
	bool is_hvm;
	mdb_addr_t vcpu, evtchn; /* where the arrays of pointers begin */
	mdb_addr_t next;
	uint32_t max_vcpus; /* elements of vcpu[] at most */
	/* 4.14 and later; without has_state nothing of it is known */
	bool has_state;
	bool is_bad;	  /* ... or it contradicts itself */
	const char *type; /* "PV" "PVH" "HVM" */
	uint32_t outstanding_pages, xenheap_pages, extra_pages;
	uint32_t dying; /* DOMDYING_*: 0 alive, 1 dying, 2 dead */
	uint8_t is_shutting_down, is_shut_down, is_privileged;
	uint8_t debugger_attached, is_created;
	uint32_t shutdown_code;
	int32_t controller_pause_count, pause_count;
};

struct xpv_vcpu {
	struct mdb_loc loc;
	int32_t id;
	int32_t processor;
	mdb_addr_t domain;
	bool has_state; /* and it is one */
	bool is_bad;	/* there is one, but it is none */
	uint32_t state; /* RUNSTATE_* */
	uint64_t flags;
	bool has_pause_flags; /* flags are VPF_*; else Xen 3.0's VCPUF_* */
	mdb_addr_t cr3;
	bool has_cr3;
	bool has_since;
	uint64_t since; /* system time in ns of the change to state */
	bool has_running;
	uint8_t is_running;
	int32_t pause_count;
	bool has_arch_flags;
	uint64_t arch_flags; /* TF_* */
	mdb_addr_t unit;     /* its struct sched_unit, or 0 */
	int32_t poll_evtchn;
};

enum mdb_status xpv_domain_read(struct mdb_ctx *cx, struct mdb_loc loc,
	struct xpv_domain *out);
enum mdb_status xpv_vcpu_read(struct mdb_ctx *cx, struct mdb_loc loc,
	struct xpv_vcpu *out);
/* A cell of what was read of such a member, as xpv_trusted; how sure those of
 * its state are, together. */
struct mdb_value xpv_domain_cell(struct mdb_ctx *cx,
	const struct xpv_domain *domain, enum xpv_domain_field field,
	struct mdb_value v);
enum mdb_trust xpv_domain_trust(struct mdb_ctx *cx,
	const struct xpv_domain *domain, enum xpv_domain_field field);
enum mdb_trust xpv_domain_state_trust(struct mdb_ctx *cx,
	const struct xpv_domain *domain);
/* The same of what a vcpu says of its state and flags. */
enum mdb_trust xpv_vcpu_state_trust(struct mdb_ctx *cx,
	const struct xpv_vcpu *v);
/* "running", "runnable", "blocked", "offline", or "?". */
const char *xpv_state_name(const struct xpv_vcpu *v);

/* VPF_* in words, and what the first of a domain's set means:
 * "dying", "shut down: crash", "paused by the toolstack"; "" for neither. */
const char *xpv_pause_text(struct mdb_ctx *cx, const struct xpv_vcpu *v);
const char *xpv_domain_why(struct mdb_ctx *cx, const struct xpv_domain *d);

/* The domain of that id; MDB_E_NOTFOUND. */
enum mdb_status xpv_domain_by_id(struct mdb_ctx *cx, struct mdb_world *world,
	uint64_t id, struct mdb_loc *loc_out);
/*
 * Over the domains that a command means: that of option -d, else that at the
 * address if the command takes a domain there, else all.
 */
enum mdb_status xpv_each_meant(struct mdb_ctx *cx, const struct mdb_call *call,
	bool addr_is_domain, mdb_walk_fn *fn, void *arg);
/* { 'd', ... }: for a command's table of options. */
#define XPV_OPTION_DOMAIN                                                \
	{                                                                \
		'd', MDB_OPT_EXPR, "domid", "only the domain of that id" \
	}

/* Cells of tables: the id of the domain at an address; how long the vcpu has
 * been in its state (runstate.state_entry_time), to xpv_time_latest. */
struct mdb_value xpv_domain_id_cell(struct mdb_ctx *cx, struct mdb_loc domain);
struct mdb_value xpv_for_cell(struct mdb_ctx *cx, const struct xpv_vcpu *v);

/* The idle vCPU of a CPU. */
enum mdb_status xpv_idle_vcpu(struct mdb_ctx *cx, struct mdb_world *world,
	int cpu, struct mdb_loc *loc_out);

/* Each domain of the list; each vcpu of a domain.  fn may say MDB_DONE. */
enum mdb_status xpv_each_domain(struct mdb_ctx *cx, struct mdb_world *world,
	mdb_walk_fn *fn, void *arg);
enum mdb_status xpv_each_vcpu(struct mdb_ctx *cx,
	const struct xpv_domain *domain, mdb_walk_fn *fn, void *arg);

/* ---- commands and walkers ------------------------------------------------ */

enum mdb_status xpv_domain(struct mdb_ctx *cx, const struct mdb_call *call);
enum mdb_status xpv_vcpu(struct mdb_ctx *cx, const struct mdb_call *call);
enum mdb_status xpv_pcpu(struct mdb_ctx *cx, const struct mdb_call *call);

extern const struct mdb_table xpv_domain_table, xpv_vcpu_table, xpv_pcpu_table;
extern const struct mdb_option xpv_domain_options[], xpv_vcpu_options[],
	xpv_pcpu_options[];
extern const struct mdb_example xpv_domain_examples[], xpv_vcpu_examples[],
	xpv_pcpu_examples[];

enum mdb_status xpv_xenmsg(struct mdb_ctx *cx, const struct mdb_call *call);
enum mdb_status xpv_pcpustack(struct mdb_ctx *cx, const struct mdb_call *call);
enum mdb_status xpv_timers(struct mdb_ctx *cx, const struct mdb_call *call);
enum mdb_status xpv_rcu(struct mdb_ctx *cx, const struct mdb_call *call);
extern const struct mdb_table xpv_xenmsg_table, xpv_pcpustack_table,
	xpv_timers_table, xpv_rcu_table;
extern const struct mdb_option xpv_xenmsg_options[], xpv_pcpustack_options[],
	xpv_timers_options[], xpv_rcu_options[];
extern const struct mdb_example xpv_xenmsg_examples[], xpv_pcpustack_examples[],
	xpv_timers_examples[], xpv_rcu_examples[];

enum mdb_status xpv_hypercall(struct mdb_ctx *cx, const struct mdb_call *call);
enum mdb_status xpv_xenregs(struct mdb_ctx *cx, const struct mdb_call *call);
extern const struct mdb_table xpv_hypercall_table;
extern const struct mdb_option xpv_hypercall_options[], xpv_xenregs_options[];
extern const struct mdb_example xpv_hypercall_examples[],
	xpv_xenregs_examples[];

enum mdb_status xpv_sched(struct mdb_ctx *cx, const struct mdb_call *call);
extern const struct mdb_table xpv_sched_table;
extern const struct mdb_option xpv_sched_options[];
extern const struct mdb_example xpv_sched_examples[];

extern const struct mdb_synthetic xpv_synthetics[];

enum mdb_status xpv_walk_domain_init(struct mdb_ctx *cx, struct mdb_walk *w);
enum mdb_status xpv_walk_vcpu_init(struct mdb_ctx *cx, struct mdb_walk *w);
enum mdb_status xpv_walk_runq_init(struct mdb_ctx *cx, struct mdb_walk *w);
enum mdb_status xpv_walk_timer_init(struct mdb_ctx *cx, struct mdb_walk *w);
enum mdb_status xpv_walk_pcpu_init(struct mdb_ctx *cx, struct mdb_walk *w);

/* What a walker found at once: state of xpv_walk_step. */
struct xpv_found {
	struct mdb_world *world;
	mdb_addr_t *addrs; /* of the command's memory */
	size_t count, room, next;
};
/* A mdb_walk_fn whose arg is a struct xpv_found. */
enum mdb_status xpv_found_add(struct mdb_ctx *cx, struct mdb_loc loc,
	void *arg);
enum mdb_status xpv_walk_step(struct mdb_ctx *cx, struct mdb_walk *w,
	struct mdb_loc *loc_out);

#endif
