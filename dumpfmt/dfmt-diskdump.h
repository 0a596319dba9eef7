/* SPDX-License-Identifier: MIT */
/*
 * The headers of compressed kdump files, as numbers: what diskdump-header.c
 * reads and diskdump.c works with.
 *
 * Layouts: struct disk_dump_header and struct kdump_sub_header of makedumpfile
 * (diskdump_mod.h, 1.7), which are those of the machine that wrote the file:
 * a 64-bit writer pads the time stamp and has 64-bit longs, a 32-bit one
 * neither; DiskDumpHeader32/64 of QEMU (include/sysemu/dump.h) are the same.
 */
#ifndef DFMT_DISKDUMP_H
#define DFMT_DISKDUMP_H

#include "dfmt-rank.h"

/* disk_dump_header.status */
#define DFMT_DH_INCOMPLETE 0x8u

/* page_desc.flags and the codec bits of disk_dump_header.status */
#define DFMT_DH_ZLIB 0x1u
#define DFMT_DH_LZO 0x2u
#define DFMT_DH_SNAPPY 0x4u
#define DFMT_DH_ZSTD 0x20u

#define DFMT_PAGE_DESC_LEN 24

struct dfmt_kdump_header {
	bool is_kdump; /* "KDUMP", else the old "DISKDUMP" */
	bool is_64;
	bool split;
	int32_t version;
	char machine[66];
	uint32_t status;
	uint32_t block_size;
	uint32_t sub_hdr_blocks;
	uint32_t bitmap_blocks;
	uint32_t dump_level;
	uint64_t max_pfn;   /* exclusive */
	uint64_t start_pfn; /* of this part of a split dump */
	uint64_t end_pfn;
	uint64_t vmcoreinfo_offset, vmcoreinfo_len;
	uint64_t notes_offset, notes_len;
};

/* DFMT_E_FORMAT (err not filled) when src holds no such header. */
enum dfmt_status dfmt_kdump_header_read(struct dfmt_source *src,
	struct dfmt_kdump_header *h_out, struct dfmt_err *err);

#endif
