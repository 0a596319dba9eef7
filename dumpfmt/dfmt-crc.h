/* SPDX-License-Identifier: MIT */
/*
 * CRC32C: the Castagnoli polynomial 0x1EDC6F41, reflected 0x82F63B78, initial
 * value and final xor ~0.
 *
 * Freestanding, without static data: the tables are the caller's, 8 KiB, made
 * by dfmt_crc_init.  Used by the writer inside a hypervisor as by the readers.
 */
#ifndef DFMT_CRC_H
#define DFMT_CRC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Without hw: tables of slicing by 8.  With hw: operators that move a CRC over
 * bytes of zeros, which join streams computed side by side.
 */
struct dfmt_crc {
	uint32_t t[8][256];
	bool hw;
};

/*
 * hw: the CPU has SSE4.2's crc32 instruction, which works in general
 * registers; ignored where the code is not for x86-64.
 */
void dfmt_crc_init(struct dfmt_crc *c, bool hw);

/* Of len bytes. */
uint32_t dfmt_crc32c(const struct dfmt_crc *c, const void *bytes, size_t len);

/* crc: the value of all that came before; 0 when nothing did. */
uint32_t dfmt_crc32c_more(const struct dfmt_crc *c, uint32_t crc,
	const void *bytes, size_t len);

#endif
