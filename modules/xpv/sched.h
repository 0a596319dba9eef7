/* SPDX-License-Identifier: MIT */
/* What the parts of ::xensched share: units, and what a scheduler says. */
#ifndef XPV_SCHED_H
#define XPV_SCHED_H

#include "xpv.h"

/* A struct sched_unit. */
struct sched_unit {
	struct mdb_loc loc;
	mdb_addr_t domain, vcpu, priv, res;
	uint32_t id;
	uint8_t is_running;
};
enum mdb_status sched_unit_read(struct mdb_ctx *cx, struct mdb_loc loc,
	struct sched_unit *u);

/* What a scheduler knows of a unit. */
struct sched_info {
	bool has_credit;
	int64_t credit;
	bool has_weight;
	uint64_t weight;
	const char *detail;   /* flags in words, budgets; never NULL */
	enum mdb_trust trust; /* of all that, the worst */
	mdb_addr_t queue;     /* where it queues; 0: not said by the unit */
};

/* A unit on a queue, in order; place: "queued", "depleted", "waiting". */
typedef enum mdb_status sched_queued_fn(struct mdb_ctx *cx, struct mdb_loc unit,
	const char *place, void *arg);

/* A CPU's share of a scheduler, as struct sched_resource has it. */
struct sched_place {
	struct mdb_world *world;
	mdb_addr_t sched_data; /* struct scheduler.sched_data */
	mdb_addr_t sched_priv; /* struct sched_resource.sched_priv */
};

/* A scheduler that is known: by its struct scheduler.opt_name. */
struct sched_kind {
	const char *opt_name;
	enum mdb_status (*unit)(struct mdb_ctx *cx, const struct sched_unit *u,
		struct sched_info *info_out);
	/* Which queue a CPU takes from; queues are told apart by it. */
	enum mdb_status (*queue)(struct mdb_ctx *cx,
		const struct sched_place *p, mdb_addr_t *queue_out);
	/* Each unit of that queue. */
	enum mdb_status (*queued)(struct mdb_ctx *cx,
		const struct sched_place *p, mdb_addr_t queue,
		sched_queued_fn *fn, void *arg);
	/* "load 2, 2 CPUs": of the queue, and how sure that is; or NULL. */
	const char *(*queue_text)(struct mdb_ctx *cx,
		const struct sched_place *p, mdb_addr_t queue,
		enum mdb_trust *trust_out);
};
/* NULL: not known. */
const struct sched_kind *sched_kind_find(const char *opt_name);

#endif
