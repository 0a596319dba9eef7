/* SPDX-License-Identifier: MIT */
/*
 * The IOMMUs: at boot it is noted where their registers are, which Xen has
 * mapped; at the panic they translate nothing while our disk is used, and do
 * again afterwards, as a crash kernel expects to find them.  No lock of Xen's
 * drivers is taken, none of their state is changed.
 *
 * At boot nothing is done to them: Intel's translate from dom0's construction
 * on, which is later than the search for the disk; AMD's are on, with entries
 * that let a device pass which has no domain yet (iommu_dte_add_device_entry).
 */
#include "xdump-impl.h"

#include <xen/compile.h>
#include <xen/init.h>
#include <xen/iommu.h>
#include <xen/lib.h>

#include <asm/io.h>
#include <asm/processor.h>

#include "dfmt-iommu.h"

/* Before 4.18 both are always there. */
#if XEN_VERSION * 100 + XEN_SUBVERSION < 418
#define HAS_AMD
#define HAS_VTD
#endif
#ifdef CONFIG_AMD_IOMMU
#define HAS_AMD
#endif
#ifdef CONFIG_INTEL_IOMMU
#define HAS_VTD
#endif

static struct dfmt_iommu units[XDUMP_IOMMUS];
static uint32_t nr_units;

static uint32_t
unit_read(void *arg, uint32_t reg)
{
	if (xdump_test("iommu"))
		return UINT32_MAX;
	return readl((volatile uint8_t *)arg + reg);
}

static void
unit_write(void *arg, uint32_t reg, uint32_t value)
{
	writel(value, (volatile uint8_t *)arg + reg);
}

static uint64_t
now_us(void *arg)
{
	return xdump_now_us();
}

static void
relax(void *arg)
{
	cpu_relax();
}

static const struct dfmt_hw_ops unit_ops = {
	.read32 = unit_read,
	.write32 = unit_write,
	.now_us = now_us,
	.relax = relax,
};

/* NULL, or why it cannot be used. */
static const char *__init
unit_add(enum dfmt_iommu_kind kind, void *registers)
{
	if (registers == NULL)
		return "an IOMMU's registers are not known";
	if (nr_units == XDUMP_IOMMUS)
		return "there are too many IOMMUs";
	units[nr_units++] = (struct dfmt_iommu){
		.kind = kind,
		.ops = &unit_ops,
		.arg = registers,
	};
	return NULL;
}

#ifdef HAS_VTD
#include <../drivers/passthrough/vtd/iommu.h>

#include <../drivers/passthrough/vtd/dmar.h>

static const char *__init
vtd_find(void)
{
	const struct acpi_drhd_unit *d;
	const char *why = NULL;

	list_for_each_entry(d, &acpi_drhd_units, list) if (why == NULL)
		why = unit_add(DFMT_IOMMU_VTD, d->iommu ? d->iommu->reg : NULL);
	return why;
}
#else
#define vtd_find() NULL
#endif

#ifdef HAS_AMD
#include <../drivers/passthrough/amd/iommu.h>

static const char *__init
amd_find(void)
{
	const struct amd_iommu *a;
	const char *why = NULL;

	list_for_each_entry(a, &amd_iommu_head, list) if (why == NULL)
		why = unit_add(DFMT_IOMMU_AMD, a->mmio_base);
	return why;
}
#else
#define amd_find() NULL
#endif

/* Those of Intel that firmware left on would not let the search through. */
static const char *__init
early_find(void)
{
	for (uint32_t i = 0; i < nr_units && !xdump_test("iommu"); i++)
		if (units[i].kind == DFMT_IOMMU_VTD &&
			dfmt_iommu_is_on(&units[i]))
			return "the firmware left an IOMMU on";
	return NULL;
}

const char *__init
xdump_iommus_find(void)
{
	const char *why;

	if (!iommu_enabled)
		return NULL;
	why = vtd_find();
	if (why == NULL)
		why = amd_find();
	if (why == NULL && nr_units == 0)
		why = "an IOMMU of a kind that is not known is on";
	return why ? why : early_find();
}

const char *
xdump_iommus_off(void)
{
	for (uint32_t i = 0; i < nr_units; i++) {
		const char *why = dfmt_iommu_off(&units[i]);

		if (why != NULL)
			return why;
	}
	return NULL;
}

void
xdump_iommus_restore(void)
{
	for (uint32_t i = 0; i < nr_units; i++) {
		const char *why = dfmt_iommu_restore(&units[i]);

		if (why != NULL)
			printk("xdump: %s\n", why);
	}
}

uint32_t
xdump_iommus_crc(uint32_t crc)
{
	for (uint32_t i = 0; i < nr_units; i++)
		crc = dfmt_crc32c_more(&xdump.crc, crc, &units[i],
			offsetof(struct dfmt_iommu, was_on));
	return crc;
}
