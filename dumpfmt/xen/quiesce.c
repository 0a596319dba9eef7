/* SPDX-License-Identifier: MIT */
/*
 * Nothing but our controller reaches memory while it is read: bus mastering
 * goes off on every other function of segment 0.  Left alone are bridges, since
 * ours may be behind one, and functions that do not decode anything.
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
xdump_quiesce(const struct xdump_function *ours)
{
	for (uint32_t bdf = 0; bdf < 0x10000; bdf++) {
		bool first = (bdf & 7) == 0;

		if (xdump_config_read(0, (uint16_t)bdf, 0, 2) == 0xffff) {
			if (first)
				bdf |= 7;
			continue;
		}
		if (ours == NULL || ours->segment != 0 || ours->bdf != bdf)
			function_quiet((uint16_t)bdf);
		if (first &&
			!(xdump_config_read(0, (uint16_t)bdf, 0x0e, 1) & 0x80))
			bdf |= 7;
	}
}
