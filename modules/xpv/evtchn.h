/* SPDX-License-Identifier: MIT */
/*
 * Event channels: each domain's ports, with both ends.
 *
 * Xen 4.4 on: struct evtchn in buckets of a page, buckets in groups of a page
 * of pointers; the first bucket is also at domain.evtchn (xen/event.h).
 */
#ifndef XPV_EVTCHN_H
#define XPV_EVTCHN_H

#include "frame.h"

/* xen/sched.h: ECS_* */
enum xpv_evtchn_state {
	XPV_ECS_FREE = 0,
	XPV_ECS_RESERVED,
	XPV_ECS_UNBOUND,
	XPV_ECS_INTERDOMAIN,
	XPV_ECS_PIRQ,
	XPV_ECS_VIRQ,
	XPV_ECS_IPI,
	XPV_NR_ECS,
};

/* What a domain has of them. */
struct xpv_evtchns {
	struct mdb_loc domain;
	uint64_t domid;
	uint64_t nr_ports; /* that have a struct evtchn */
	uint64_t entry_len, per_bucket;
	mdb_addr_t first_bucket, groups; /* groups: an array of pointers */
	uint64_t nr_groups;
	bool fifo;
	mdb_addr_t words; /* FIFO: array of pointers to pages of event words */
	uint64_t nr_words;
	mdb_addr_t pending, mask;  /* 2-level: bit maps in the shared page */
	enum mdb_trust bits_trust; /* how sure it is that they are there */
	uint64_t nr_bits;
};

struct xpv_evtchn {
	struct mdb_loc loc;
	uint32_t port;
	uint32_t state;	   /* XPV_ECS_*, below XPV_NR_ECS */
	uint32_t consumer; /* in Xen if not 0 */
	bool end_known;	   /* false: the types do not tell the other end */
	uint32_t vcpu;	   /* that is told */
	uint32_t priority;
	uint16_t unbound_domid;
	mdb_addr_t remote_domain;
	uint32_t remote_port, pirq, virq;
	/* Does the guest have it, and are its bits known? */
	enum mdb_status bits; /* MDB_OK, MDB_E_NOTFOUND: it has none, a fault */
	bool pending, masked;
	uint32_t word; /* FIFO: the event word */
};

enum mdb_status xpv_evtchns_get(struct mdb_ctx *cx, struct mdb_loc domain,
	struct xpv_evtchns *out);
/* MDB_E_RANGE: no such port.  MDB_E_CORRUPT: what is there says that it is of
 * another port, or in no known state. */
enum mdb_status xpv_evtchn_read(struct mdb_ctx *cx, const struct xpv_evtchns *e,
	uint64_t port, struct xpv_evtchn *out);

/*
 * How sure what xpv_evtchn_read tells is.  Where the types do not say, the
 * channels themselves do, once for all: each is of its own port and of a vCPU
 * that there is, and other ends and pirqs lead back.
 */
enum mdb_trust xpv_evtchn_trust(struct mdb_ctx *cx, struct mdb_world *world);

/* The interrupt of the machine behind a domain's pirq; 0: none. */
enum mdb_status xpv_pirq_read(struct mdb_ctx *cx, struct mdb_loc domain,
	uint64_t pirq, uint64_t *irq_out, uint64_t *port_out, bool *masked_out);

enum mdb_status xpv_evtchn_cmd(struct mdb_ctx *cx, const struct mdb_call *call);
extern const struct mdb_table xpv_evtchn_table;
extern const struct mdb_option xpv_evtchn_options[];
extern const struct mdb_example xpv_evtchn_examples[];
enum mdb_status xpv_walk_evtchn_init(struct mdb_ctx *cx, struct mdb_walk *w);

#endif
