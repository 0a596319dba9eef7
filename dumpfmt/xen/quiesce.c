/* SPDX-License-Identifier: MIT */
/*
 * Nothing reaches memory while it is read: bus mastering goes off on every
 * function of every segment, our controller among them until its driver has
 * reset it, since what it was doing may be addressed through an IOMMU that will
 * be off.  Virtual functions, which answer to no probing, go with the physical
 * one that has them.  Left alone are bridges: ours may be behind one.
 */
#include "xdump-impl.h"

#include <xen/acpi.h>
#include <xen/pci.h>
#include <xen/pci_regs.h>

#include <asm/pci.h>

#define BASE_CLASS_BRIDGE 0x06u
#define EXTENDED 0x100u
#define CAPABILITIES_MAX 480u /* of 8 bytes, in 4 KiB behind the first 256 */

/* Where it has no such space, or none that is mapped, all is ones. */
static void
virtual_functions_off(uint16_t segment, uint16_t bdf)
{
	uint32_t at = EXTENDED;

	for (uint32_t n = 0; n < CAPABILITIES_MAX && at >= EXTENDED; n++) {
		uint32_t head = xdump_config_read(segment, bdf, at, 4);

		if (head == UINT32_MAX || head == 0)
			return;
		if ((head & 0xffff) == PCI_EXT_CAP_ID_SRIOV) {
			uint32_t reg = at + PCI_SRIOV_CTRL;
			uint32_t control =
				xdump_config_read(segment, bdf, reg, 2);

			xdump_config_write(segment, bdf, reg, 2,
				control & ~(uint32_t)PCI_SRIOV_CTRL_VFE);
			return;
		}
		at = head >> 20 & 0xffc;
	}
}

static void
function_quiet(uint16_t segment, uint16_t bdf)
{
	uint32_t command;

	if (xdump_config_read(segment, bdf, 0, 2) == 0xffff ||
		xdump_config_read(segment, bdf, 0x0b, 1) == BASE_CLASS_BRIDGE)
		return;
	virtual_functions_off(segment, bdf);
	command = xdump_config_read(segment, bdf, PCI_COMMAND, 2);
	if (command & PCI_COMMAND_MASTER)
		xdump_config_write(segment, bdf, PCI_COMMAND, 2,
			command & ~(uint32_t)PCI_COMMAND_MASTER);
}

/* A device may have functions in the place of other devices. */
static void
bus_quiet(uint16_t segment, uint32_t bus)
{
	bool found = false;

	for (uint32_t devfn = 0; devfn < 256 && !found; devfn += 8)
		found = xdump_config_read(segment, (uint16_t)(bus << 8 | devfn),
				0, 2) != 0xffff;
	for (uint32_t devfn = 0; devfn < 256 && found; devfn++)
		function_quiet(segment, (uint16_t)(bus << 8 | devfn));
}

void
xdump_quiesce(void)
{
	for (uint32_t bus = 0; bus < 256; bus++)
		bus_quiet(0, bus);
	for (int i = 0; i < pci_mmcfg_config_num; i++) {
		const struct acpi_mcfg_allocation *m = &pci_mmcfg_config[i];

		for (uint32_t bus = m->start_bus_number;
			m->pci_segment != 0 && bus <= m->end_bus_number; bus++)
			bus_quiet(m->pci_segment, bus);
	}
}
