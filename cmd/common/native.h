/* SPDX-License-Identifier: MIT */
/*
 * A dump in the native format as it lies on a device or in a file: where it
 * begins, and its segments one after the other, as the specification's scan
 * finds them.  Survives what cannot be read.
 */
#ifndef CMD_COMMON_NATIVE_H
#define CMD_COMMON_NATIVE_H

#include "cmd/common/device.h"
#include "cmd/common/segment.h"
#include "dfmt-label.h"

struct cmd_native {
	const struct cmd_device *dev; /* borrowed */
	struct dfmt_crc crc;
	bool labelled; /* label is there and whole */
	struct dfmt_label label;
	struct dfmt_label_state label_state;
	bool torn;	/* places of a label are there, no whole one */
	bool found;	/* a dump: what follows is valid */
	uint64_t base;	/* of its first byte */
	uint64_t limit; /* bytes from base on that its segments may take */
	struct cmd_seg triage;
	bool encrypted;
	bool has_head; /* generation to page_shift are the triage record's */
	uint64_t generation, time_sec;
	uint32_t align, page_shift, block_frames;
	bool has_end;		      /* a whole end record is at end_offset */
	uint64_t end_offset, end_len; /* end_len: the dump's bytes */
	uint32_t end_status, end_flags;
	uint64_t nr_read_errors; /* 4096-byte pieces that cannot be read */
};

/*
 * Looks for a label, then for a dump.  CMD_OK also when there is none of
 * them; n->labelled and n->found say so.
 */
enum cmd_status cmd_native_open(struct cmd_native *n,
	const struct cmd_device *dev, struct cmd_error *err);

/* Is this dump the one that the label calls saved? */
bool cmd_native_saved(const struct cmd_native *n);

/*
 * The segment after prev (NULL: the first).  false: there is none.  *gap_out
 * is how many bytes were passed over, *lost_out how many segments.  One with
 * prev's seq takes prev's place.
 */
bool cmd_native_next(struct cmd_native *n, const struct cmd_seg *prev,
	struct cmd_seg *seg_out, uint64_t *gap_out, uint64_t *lost_out);

/*
 * Reads a segment into buf (total_len bytes; what cannot be read is zeros)
 * and returns how much of it lies within the limit.
 */
uint64_t cmd_native_read(struct cmd_native *n, const struct cmd_seg *seg,
	uint8_t *buf);

#endif
