/* SPDX-License-Identifier: MIT */
/* ::xenirq, and the walker irq_desc. */
#ifndef XPV_IRQ_H
#define XPV_IRQ_H

#include "xpv.h"

enum mdb_status xpv_xenirq(struct mdb_ctx *cx, const struct mdb_call *call);
extern const struct mdb_table xpv_irq_table;
extern const struct mdb_option xpv_irq_options[];
extern const struct mdb_example xpv_irq_examples[];
enum mdb_status xpv_walk_irq_init(struct mdb_ctx *cx, struct mdb_walk *w);
enum mdb_status xpv_walk_irq_step(struct mdb_ctx *cx, struct mdb_walk *w,
	struct mdb_loc *loc_out);

#endif
