/* SPDX-License-Identifier: MIT */
/*
 * Segments of the native format (docs/DUMPFORMAT.md) as bytes: what a program
 * needs to copy, check and re-code them without expanding what is in them.
 * Reading memory out of a dump is the library's (dfmt-reader.h).
 */
#ifndef CMD_COMMON_SEGMENT_H
#define CMD_COMMON_SEGMENT_H

#include "dfmt-bytes.h"
#include "dfmt-crc.h"
#include "dfmt-format.h"

/* A whole header, decoded. */
struct cmd_seg {
	uint16_t type, type_version, codec, flags;
	uint16_t header_len;
	uint8_t id[DFMT_ID_LEN];
	uint64_t seq, offset, total_len, payload_len, raw_len;
	uint32_t crc_len, payload_crc;
};

/*
 * Decodes 128 bytes found at offset (from the dump's first byte); false: not
 * a whole header of that place.
 */
bool cmd_seg_decode(const struct dfmt_crc *crc, const uint8_t *bytes,
	uint64_t offset, struct cmd_seg *seg_out);

/* The inverse: 128 bytes of header, payload_crc as given. */
void cmd_seg_encode(const struct dfmt_crc *crc, const struct cmd_seg *seg,
	uint8_t *bytes);

/* The tables of a pages segment; pointers into the segment's bytes. */
struct cmd_pages {
	uint64_t first_pfn, last_pfn;
	uint32_t nr_runs, nr_blocks, nr_frames, nr_data;
	uint32_t data_off, class, block_frames;
	const uint8_t *runs;   /* nr_runs of 16 bytes */
	const uint8_t *blocks; /* nr_blocks of 16 bytes */
	const uint8_t *data;
	uint64_t data_len; /* of it that is there */
};

/*
 * Takes a payload of which len bytes are there; false: its head or tables are
 * not there or contradict themselves.  CRCs are not looked at.
 */
bool cmd_pages_parse(const uint8_t *payload, uint64_t len,
	struct cmd_pages *pages_out);

struct cmd_run {
	uint32_t rel, count, kind;
	uint64_t arg;
};
struct cmd_run cmd_pages_run(const struct cmd_pages *pages, uint32_t i);

struct cmd_block {
	uint32_t off, len, crc;
	uint16_t codec, nr_frames;
};
struct cmd_block cmd_pages_block(const struct cmd_pages *pages, uint32_t i);

/* The bytes of block i, or NULL where they are cut off. */
const uint8_t *cmd_pages_data(const struct cmd_pages *pages,
	const struct cmd_block *block);

/* What segments hold, and what is wrong with them. */
struct cmd_counts {
	uint64_t nr_segments;
	uint64_t nr_bad_segments; /* tables or payload with a wrong CRC, cut */
	uint64_t nr_bad_blocks;
	uint64_t nr_data, nr_fill, nr_repeat, nr_lost; /* frames */
	uint64_t nr_class[8];			       /* frames not lost */
};

/* A pass over segments in order.  All zeros: at its beginning. */
struct cmd_tally {
	struct cmd_counts n;
	struct cmd_counts before; /* without the last segment */
	uint64_t last_seq;
	uint64_t bytes;
	uint32_t crc; /* over all bytes seen */
};

/*
 * Checks a segment whose total_len bytes (header first) are in bytes: its
 * payload's CRC, and of a pages segment that is not encrypted its tables and
 * each block; adds to the tally.  A segment with the number of the one before
 * takes its place.
 */
void cmd_seg_check(const struct dfmt_crc *crc, const struct cmd_seg *seg,
	const uint8_t *bytes, struct cmd_tally *tally);

#endif
