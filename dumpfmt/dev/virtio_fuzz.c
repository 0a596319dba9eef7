/* SPDX-License-Identifier: MIT */
/* Fuzzes the virtio driver with a device of disk_fixture.h. */
#include "disk_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A doorbell; all registers are in configuration space. */
static bool
rings(bool is_config, uint32_t reg, uint32_t width)
{
	return is_config && reg >= 0x40 && width == 2;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	fixture_run(&dfmt_disk_virtio, rings, data, len);
	return 0;
}
