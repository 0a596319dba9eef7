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

/* ---- domains and their vcpus --------------------------------------------- */

#define XPV_MAX_DOMAINS 0x8000u
#define XPV_MAX_VCPUS 8192u

struct xpv_domain {
	struct mdb_loc loc;
	uint16_t id;
	uint32_t tot_pages, max_pages;
	uint64_t flags;
	bool has_flags;
	bool is_hvm;
	mdb_addr_t vcpu, evtchn; /* where the arrays of pointers begin */
	mdb_addr_t next;
	uint32_t max_vcpus; /* elements of vcpu[] at most */
};

struct xpv_vcpu {
	struct mdb_loc loc;
	int32_t id;
	int32_t processor;
	mdb_addr_t domain;
	bool has_state;
	uint32_t state; /* RUNSTATE_* */
	uint64_t flags;
	mdb_addr_t cr3;
	bool has_cr3;
};

enum mdb_status xpv_domain_read(struct mdb_ctx *cx, struct mdb_loc loc,
	struct xpv_domain *out);
enum mdb_status xpv_vcpu_read(struct mdb_ctx *cx, struct mdb_loc loc,
	struct xpv_vcpu *out);
/* "running", "runnable", "blocked", "offline", or "?". */
const char *xpv_state_name(const struct xpv_vcpu *v);

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

extern const struct mdb_synthetic xpv_synthetics[];

enum mdb_status xpv_walk_domain_init(struct mdb_ctx *cx, struct mdb_walk *w);
enum mdb_status xpv_walk_vcpu_init(struct mdb_ctx *cx, struct mdb_walk *w);
enum mdb_status xpv_walk_step(struct mdb_ctx *cx, struct mdb_walk *w,
	struct mdb_loc *loc_out);

#endif
