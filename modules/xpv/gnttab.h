/* SPDX-License-Identifier: MIT */
/*
 * Grants: what a domain lets others map (its shared table and the hypervisor's
 * active entries for it), and what it has mapped of others (maptrack).
 *
 * Xen 4.5 on (xen/common/grant_table.c); entries of the shared table are ABI
 * (xen/include/public/grant_table.h).
 */
#ifndef XPV_GNTTAB_H
#define XPV_GNTTAB_H

#include "frame.h"

struct xpv_gnttab {
	struct mdb_loc domain;
	uint64_t domid;
	mdb_addr_t addr;  /* struct grant_table; 0: it has none */
	uint32_t version; /* 1, 2; 0: not yet set */
	uint32_t nr_frames, max_frames, nr_status, maptrack_limit, max_maptrack;
	uint32_t nr_maptrack;			     /* pages that are there */
	mdb_addr_t shared, status, active, maptrack; /* arrays of pages */
	uint64_t active_len, mapping_len;	     /* of a struct */
	uint64_t nr_refs;
};

/* GTF_*: the low two bits of the flags of a shared entry. */
enum xpv_grant_kind {
	XPV_GRANT_INVALID = 0,
	XPV_GRANT_ACCESS,
	XPV_GRANT_TRANSFER,
	XPV_GRANT_TRANSITIVE,
};

struct xpv_grant {
	uint32_t ref;
	mdb_addr_t active_addr;
	/* the guest's side */
	uint16_t flags, domid, status;
	uint64_t frame; /* gfn; of a transitive grant the ref there */
	uint16_t trans_domid;
	/* the hypervisor's, when pin is not 0 */
	uint32_t pin;
	uint16_t pin_domid;
	uint64_t mfn;
};

struct xpv_mapping {
	uint32_t handle;
	mdb_addr_t addr;
	uint32_t ref;
	uint16_t flags, domid;
	uint32_t vcpu;
};

enum mdb_status xpv_gnttab_get(struct mdb_ctx *cx, struct mdb_loc domain,
	struct xpv_gnttab *out);
enum mdb_status xpv_grant_read(struct mdb_ctx *cx, const struct xpv_gnttab *g,
	uint32_t ref, struct xpv_grant *out);
/* MDB_E_NOTFOUND: that part of the table is not there. */
enum mdb_status xpv_mapping_read(struct mdb_ctx *cx, const struct xpv_gnttab *g,
	uint32_t handle, struct xpv_mapping *out);

/*
 * How sure what these tell is.  Where the types do not say, the grants in use
 * do, once for all: what the hypervisor has of each is what the guest's entry,
 * whose form is fixed, and the machine's table of frames have; else they refute
 * it.
 */
enum mdb_trust xpv_gnttab_trust(struct mdb_ctx *cx, struct mdb_world *world);
/* The same of the vCPU that mapped, which nothing else tells. */
enum mdb_trust xpv_mapping_vcpu_trust(struct mdb_ctx *cx,
	struct mdb_world *world);

enum mdb_status xpv_gnttab_cmd(struct mdb_ctx *cx, const struct mdb_call *call);
extern const struct mdb_table xpv_gnttab_table;
extern const struct mdb_option xpv_gnttab_options[];
extern const struct mdb_example xpv_gnttab_examples[];

#endif
