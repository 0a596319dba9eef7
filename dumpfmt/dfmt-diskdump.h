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

#define DFMT_PAGE_DESC_LEN ((size_t)24)

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

struct dfmt_kdump_part {
	struct dfmt_kdump_header h;
	struct dfmt_source *src;
	uint64_t exists;  /* offset of the first bitmap */
	uint64_t written; /* of the second */
	uint64_t descs;
	struct dfmt_rank rank;
};

struct dfmt_kdump {
	struct dfmt_kdump_part *parts; /* sorted by start_pfn, disjoint */
	size_t nr_parts;
	uint64_t max_pfn;
	bool two_bitmaps;
};

/* DFMT_E_FORMAT (err not filled) when src holds no such header. */
enum dfmt_status dfmt_kdump_header_read(struct dfmt_source *src,
	struct dfmt_kdump_header *h_out, struct dfmt_err *err);

struct dfmt_extent;

/*
 * One page_desc, read at file offset `at`: offset 64, size 32, flags 32,
 * page_flags 64.  An incomplete dump has descriptors of zeros for what was
 * never written.
 */
enum dfmt_status dfmt_kdump_desc_parse(const struct dfmt_kdump_part *p,
	const uint8_t *desc, struct dfmt_extent *ext_out, struct dfmt_err *err,
	uint64_t at);

/* diskdump-pass.c: two of the ops. */
enum dfmt_status dfmt_kdump_next_range(const struct dfmt *d, uint64_t addr,
	uint64_t *start_out, uint64_t *end_out, struct dfmt_err *err);
enum dfmt_status dfmt_kdump_coverage(const struct dfmt *d,
	struct dfmt_coverage *cov_out, struct dfmt_err *err);

#endif
