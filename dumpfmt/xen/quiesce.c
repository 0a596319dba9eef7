/* SPDX-License-Identifier: MIT */
/*
 * Nothing reaches memory while it is read: bus mastering goes off on every
 * function of segment 0, our controller among them until its driver has reset
 * it, since what it was doing may be addressed through an IOMMU that will be
 * off.  Left alone are bridges: ours may be behind one.
 */
#include "xdump-impl.h"

#include <xen/pci.h>
#include <xen/pci_regs.h>

#define BASE_CLASS_BRIDGE 0x06u

static void
function_quiet(uint16_t bdf)
{
	uint32_t command = xdump_config_read(0, bdf, PCI_COMMAND, 2);

	if (!(command & PCI_COMMAND_MASTER) ||
		xdump_config_read(0, bdf, 0x0b, 1) == BASE_CLASS_BRIDGE)
		return;
	xdump_config_write(0, bdf, PCI_COMMAND, 2,
		command & ~(uint32_t)PCI_COMMAND_MASTER);
}

void
xdump_quiesce(void)
{
	for (uint32_t bdf = 0; bdf < 0x10000; bdf++) {
		bool first = (bdf & 7) == 0;

		if (xdump_config_read(0, (uint16_t)bdf, 0, 2) == 0xffff) {
			if (first)
				bdf |= 7;
			continue;
		}
		function_quiet((uint16_t)bdf);
		if (first &&
			!(xdump_config_read(0, (uint16_t)bdf, 0x0e, 1) & 0x80))
			bdf |= 7;
	}
}
