/* SPDX-License-Identifier: MIT */
/*
 * An IOMMU seen by its registers only: translation goes off for as long as a
 * polled driver works with machine addresses, and comes back as it was.
 *
 * Freestanding C.  Facts: Intel Virtualization Technology for Directed I/O,
 * rev. 3.3, 11.4 (10.4 in older ones: VER, CAP, GCMD, GSTS, PMEN); AMD I/O
 * Virtualization Technology (IOMMU) Specification, rev. 3.05, 3.4.1 (control).
 *
 * No device may reach memory through the unit meanwhile but ours: the caller
 * turns bus mastering off everywhere first.  No table is changed while it is
 * off, so what the unit has cached is right when it is on again.
 */
#ifndef DFMT_IOMMU_H
#define DFMT_IOMMU_H

#include "dfmt-hw.h"

enum dfmt_iommu_kind {
	DFMT_IOMMU_VTD, /* Intel */
	DFMT_IOMMU_AMD,
};

/* Bytes of registers that are used of either kind. */
#define DFMT_IOMMU_WINDOW 0x80u
/* A unit that takes longer does not answer; microseconds. */
#define DFMT_IOMMU_WAIT_US 1000000u

struct dfmt_iommu {
	enum dfmt_iommu_kind kind;
	/* read32, write32, now_us and relax are used. */
	const struct dfmt_hw_ops *ops;
	void *arg;
	bool was_on;	    /* it translated; to be put back */
	bool was_protected; /* VT-d: regions of memory were closed */
};

/* Does it stand between devices and memory now?  true also when unknown. */
bool dfmt_iommu_is_on(const struct dfmt_iommu *u);
/*
 * Every access passes from here on with the address that the device puts on
 * the bus.  NULL, or what is wrong (static): then it may be in either state.
 */
const char *dfmt_iommu_off(struct dfmt_iommu *u);
/* As it was before dfmt_iommu_off; nothing where it was off already. */
const char *dfmt_iommu_restore(struct dfmt_iommu *u);

#endif
