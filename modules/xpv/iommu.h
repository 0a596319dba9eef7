/* SPDX-License-Identifier: MIT */
/* ::iommu. */
#ifndef XPV_IOMMU_H
#define XPV_IOMMU_H

#include "xpv.h"

enum mdb_status xpv_iommu(struct mdb_ctx *cx, const struct mdb_call *call);
extern const struct mdb_option xpv_iommu_options[];
extern const struct mdb_example xpv_iommu_examples[];

#endif
