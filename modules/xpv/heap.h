/* SPDX-License-Identifier: MIT */
/* ::xenheap. */
#ifndef XPV_HEAP_H
#define XPV_HEAP_H

#include "xpv.h"

enum mdb_status xpv_xenheap(struct mdb_ctx *cx, const struct mdb_call *call);
extern const struct mdb_table xpv_heap_table;
extern const struct mdb_option xpv_heap_options[];
extern const struct mdb_example xpv_heap_examples[];

#endif
