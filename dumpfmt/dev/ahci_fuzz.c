/* SPDX-License-Identifier: MIT */
/* Fuzzes the AHCI driver with a controller of disk_fixture.h. */
#include "disk_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* CI of whatever port: what the disk says of itself, and a FIS. */
static bool
rings(bool is_config, uint32_t reg, uint32_t width)
{
	(void)width;
	return !is_config && reg >= 0x100 && reg % 0x80 == 0x38;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	fixture_run(&dfmt_disk_ahci, rings, data, len);
	return 0;
}
