/* SPDX-License-Identifier: MIT */
/*
 * Writing segments of the native format on a host: numbering, padding, the
 * index tree and the end record.  For what savecore makes anew; a dump of a
 * machine is made by the writer (dfmt-writer.h).
 */
#ifndef CMD_COMMON_EMIT_H
#define CMD_COMMON_EMIT_H

#include "cmd/common/output.h"
#include "cmd/common/segment.h"

/* Entries of one index segment, which is then 64 KiB. */
#define CMD_INDEX_ENTRIES 2043u
#define CMD_INDEX_LEVELS 4u
#define CMD_INDEX_CLASSES 8u

struct cmd_entry {
	uint64_t first_pfn, last_pfn, offset;
	uint32_t total_len, nr_frames;
};

/* One level of one class: entries that are not written yet. */
struct cmd_index_level {
	uint8_t *payload; /* NULL: none yet */
	uint32_t nr;
	struct cmd_entry sum; /* of those in the payload */
	uint64_t nr_written;  /* index segments of this level */
};

struct cmd_emit {
	struct cmd_output *out;
	struct dfmt_crc crc;
	uint8_t id[DFMT_ID_LEN];
	uint32_t align;
	uint64_t at; /* where the next segment goes */
	uint64_t seq;
	uint32_t written_crc; /* over all segments written, in order */
	bool keep_crc;	      /* payload_crc stays: what was bad stays bad */
	struct cmd_index_level index[CMD_INDEX_CLASSES][CMD_INDEX_LEVELS];
	bool unordered; /* a class does not ascend: no index can be made */
	struct dfmt_fmt_root roots[DFMT_MAX_ROOTS];
	uint32_t nr_roots;
};

void cmd_emit_init(struct cmd_emit *e, struct cmd_output *out,
	const uint8_t *id, uint32_t align);
void cmd_emit_fini(struct cmd_emit *e);

/*
 * Writes a segment at e->at.  bytes has room for total_len: the header is put
 * into its first 128 bytes, payload_len of payload follow it already.  seg
 * says type, codec, lengths; seq, offset and the CRC are filled in.
 */
enum cmd_status cmd_emit_segment(struct cmd_emit *e, struct cmd_seg *seg,
	uint8_t *bytes, struct cmd_error *err);

/* total_len of a segment with so much payload. */
uint64_t cmd_emit_total(const struct cmd_emit *e, uint64_t payload_len);

/* A pages segment was written: it goes into the index. */
enum cmd_status cmd_emit_index(struct cmd_emit *e, uint32_t class,
	const struct cmd_entry *entry, struct cmd_error *err);

/*
 * Writes what is left of the index, then the end record: end's counts are
 * taken, its places (nr_segments, end, roots, the flag) filled in.
 */
enum cmd_status cmd_emit_end(struct cmd_emit *e, struct dfmt_fmt_end *end,
	struct cmd_error *err);

#endif
