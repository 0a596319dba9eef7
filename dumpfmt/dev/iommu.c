/* SPDX-License-Identifier: MIT */
/* IOMMUs by their registers: off and on again.  Facts: see dfmt-iommu.h. */
#include "dfmt-iommu.h"

/* VT-d: version, capabilities (low half), command, status, protection. */
#define VTD_VER 0x00u
#define VTD_CAP 0x08u
#define VTD_GCMD 0x18u
#define VTD_GSTS 0x1cu
#define VTD_PMEN 0x64u
#define VTD_TRANSLATES (1u << 31) /* TE of GCMD, TES of GSTS */
/* Bits of GSTS that stand for one-time commands: never written back. */
#define VTD_ONCE (~0x96ffffffu)
#define VTD_CAP_REGIONS (3u << 5) /* PLMR, PHMR */
#define VTD_PMEN_ENABLE (1u << 31)
#define VTD_PMEN_STATUS 1u

/* AMD: the control register's low half. */
#define AMD_CONTROL 0x18u
#define AMD_ENABLE 1u

static const char silent[] = "an IOMMU does not answer";

static uint32_t
get(const struct dfmt_iommu *u, uint32_t reg)
{
	return u->ops->read32(u->arg, reg);
}

static void
put(const struct dfmt_iommu *u, uint32_t reg, uint32_t value)
{
	u->ops->write32(u->arg, reg, value);
}

/* Until the bits of the register are `want`; false: they do not become so. */
static bool
await(const struct dfmt_iommu *u, uint32_t reg, uint32_t bits, uint32_t want)
{
	uint64_t begin = u->ops->now_us(u->arg);

	for (;;) {
		uint32_t v = get(u, reg);

		if (v != UINT32_MAX && (v & bits) == want)
			return true;
		if (u->ops->now_us(u->arg) - begin > DFMT_IOMMU_WAIT_US)
			return false;
		u->ops->relax(u->arg);
	}
}

/* ---- VT-d ---------------------------------------------------------------- */

static bool
vtd_answers(const struct dfmt_iommu *u)
{
	uint32_t version = get(u, VTD_VER);

	return version != 0 && version != UINT32_MAX &&
	       get(u, VTD_GSTS) != UINT32_MAX;
}

/* Older ones have no such register. */
static bool
vtd_protects(const struct dfmt_iommu *u)
{
	return (get(u, VTD_CAP) & VTD_CAP_REGIONS) &&
	       (get(u, VTD_PMEN) & VTD_PMEN_STATUS);
}

static bool
vtd_translate(const struct dfmt_iommu *u, bool on)
{
	uint32_t v = get(u, VTD_GSTS) & ~VTD_ONCE & ~VTD_TRANSLATES;
	uint32_t want = on ? VTD_TRANSLATES : 0;

	put(u, VTD_GCMD, v | want);
	return await(u, VTD_GSTS, VTD_TRANSLATES, want);
}

static bool
vtd_protect(const struct dfmt_iommu *u, bool on)
{
	uint32_t v = get(u, VTD_PMEN) & ~VTD_PMEN_ENABLE;

	put(u, VTD_PMEN, v | (on ? VTD_PMEN_ENABLE : 0));
	return await(u, VTD_PMEN, VTD_PMEN_STATUS, on ? VTD_PMEN_STATUS : 0);
}

static const char *
vtd_off(struct dfmt_iommu *u)
{
	if (!vtd_answers(u))
		return silent;
	if (get(u, VTD_GSTS) & VTD_TRANSLATES) {
		u->was_on = true;
		if (!vtd_translate(u, false))
			return "an IOMMU goes on translating";
	}
	if (vtd_protects(u)) {
		u->was_protected = true;
		if (!vtd_protect(u, false))
			return "an IOMMU goes on protecting memory";
	}
	return NULL;
}

/* Translation first: what is protected must not be open in between. */
static const char *
vtd_restore(struct dfmt_iommu *u)
{
	bool on = u->was_on, protected = u->was_protected;

	u->was_on = u->was_protected = false;
	if (!vtd_answers(u))
		return silent;
	if (on && !vtd_translate(u, true))
		return "an IOMMU does not translate again";
	if (protected && !vtd_protect(u, true))
		return "an IOMMU does not protect memory again";
	return NULL;
}

/* ---- AMD ----------------------------------------------------------------- */

/* There is no status: the bit reads as it was written. */
static const char *
amd_set(struct dfmt_iommu *u, bool on)
{
	uint32_t v = get(u, AMD_CONTROL);
	uint32_t want = on ? AMD_ENABLE : 0;

	if (v == UINT32_MAX)
		return silent;
	put(u, AMD_CONTROL, (v & ~AMD_ENABLE) | want);
	return await(u, AMD_CONTROL, AMD_ENABLE, want)
		       ? NULL
		       : "an IOMMU does not take a command";
}

static const char *
amd_off(struct dfmt_iommu *u)
{
	uint32_t v = get(u, AMD_CONTROL);

	if (v == UINT32_MAX)
		return silent;
	if (!(v & AMD_ENABLE))
		return NULL;
	u->was_on = true;
	return amd_set(u, false);
}

static const char *
amd_restore(struct dfmt_iommu *u)
{
	u->was_on = false;
	return amd_set(u, true);
}

/* ---- either -------------------------------------------------------------- */

bool
dfmt_iommu_is_on(const struct dfmt_iommu *u)
{
	if (u->kind == DFMT_IOMMU_AMD)
		return get(u, AMD_CONTROL) & AMD_ENABLE;
	return !vtd_answers(u) || (get(u, VTD_GSTS) & VTD_TRANSLATES) ||
	       vtd_protects(u);
}

const char *
dfmt_iommu_off(struct dfmt_iommu *u)
{
	return u->kind == DFMT_IOMMU_AMD ? amd_off(u) : vtd_off(u);
}

const char *
dfmt_iommu_restore(struct dfmt_iommu *u)
{
	if (!u->was_on && !u->was_protected)
		return NULL;
	return u->kind == DFMT_IOMMU_AMD ? amd_restore(u) : vtd_restore(u);
}
