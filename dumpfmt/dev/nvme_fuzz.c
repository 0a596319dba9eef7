/* SPDX-License-Identifier: MIT */
/* Fuzzes the NVMe driver with a controller of disk_fixture.h. */
#include "disk_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A doorbell: data and a completion, say. */
static bool
rings(bool is_config, uint32_t reg, uint32_t width)
{
	(void)width;
	return !is_config && reg >= 0x1000;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	fixture_run(&dfmt_disk_nvme, rings, data, len);
	return 0;
}
