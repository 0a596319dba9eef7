/* SPDX-License-Identifier: MIT */
/*
 * Writes a dump of the made-up machine and prints the CRC32C of the device.
 * Linked once with the library and once with the freestanding objects and
 * LZ4's own sources: both have to print the same.
 */
#include "dumpfmt/writer_fixture.h"

#include <stdio.h>

int
main(void)
{
	struct wfix f;
	struct dfmt_crc crc;

	wfix_init(&f, 9000, 32u << 20);

	struct dfmt_writer_config config = wfix_config(&f);
	struct dfmt_writer_facts facts = wfix_facts(&f);
	size_t len = dfmt_writer_memory(&config);
	void *memory = aligned_alloc(4096, len);
	struct dfmt_writer *w = dfmt_writer_init(&config, memory, len);

	if (!w || dfmt_writer_run(w, &facts, f.device_len) != DFMT_W_COMPLETE)
		return 1;
	dfmt_crc_init(&crc, false);
	printf("%08x\n", dfmt_crc32c(&crc, f.device, f.device_len));
	printf("memory: %zu KiB with one compressor\n", len / 1024);
	free(memory);
	wfix_fini(&f);
	return 0;
}
