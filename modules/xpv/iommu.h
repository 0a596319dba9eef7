/* SPDX-License-Identifier: MIT */
/* ::iommu. */
#ifndef XPV_IOMMU_H
#define XPV_IOMMU_H

#include "xpv.h"

enum mdb_status xpv_iommu(struct mdb_ctx *cx, const struct mdb_call *call);
extern const struct mdb_option xpv_iommu_options[];
extern const struct mdb_example xpv_iommu_examples[];

/* The function that makes a domain ready: its name tells the maker; NULL: there
 * is no IOMMU, or which is not known. */
const char *xpv_iommu_maker(struct mdb_ctx *cx, struct mdb_world *world);
/* Machine address of the page tables that its IOMMU has for a domain; 0: it has
 * none. */
enum mdb_status xpv_iommu_root(struct mdb_ctx *cx, struct mdb_loc domain,
	uint64_t *root_out);
/* A branch "devices" of those that a domain has. */
enum mdb_status xpv_iommu_devices(struct mdb_ctx *cx, struct mdb_loc domain);

#endif
