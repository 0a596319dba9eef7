/* SPDX-License-Identifier: MIT */
/*
 * The label of a dump device, for programs that run on a host: look at it,
 * make it, mark a dump as saved.  The writer has its own check (writer.c); it
 * never writes a label.
 */
#ifndef DFMT_LABEL_H
#define DFMT_LABEL_H

#include "dfmt-reader.h"

struct dfmt_label {
	uint8_t uuid[16];
	uint64_t range_start, range_len;
	uint32_t sector_len;
	bool overwrite; /* an unsaved dump may be overwritten */
	uint64_t change;
	uint64_t created_sec;
	uint8_t saved_id[16];
	uint64_t saved_generation, saved_sec;
	char purpose[65];
};

/* What was found at a range's two label places. */
struct dfmt_label_state {
	bool first, last;  /* each whole and of a known version */
	bool magic;	   /* at least one place begins like a label */
	bool conflict;	   /* both whole, of different devices */
	bool newer;	   /* of a version that this build does not know */
	const char *why;   /* one phrase when it is not good, or NULL */
};

/*
 * Decodes 4096 bytes.  DFMT_E_FORMAT: no label; DFMT_E_MALFORMED: torn (CRC,
 * lengths); DFMT_E_UNSUPPORTED: a later version.
 */
enum dfmt_status dfmt_label_decode(const void *bytes,
	struct dfmt_label *label_out, struct dfmt_err *err);

/* Encodes; copy is 0 for the first place, 1 for the last. */
void dfmt_label_encode(const struct dfmt_label *label, unsigned int copy,
	void *bytes);

/*
 * Reads both places of the range [0, len) of fd.  DFMT_OK with the newer of
 * the two when at least one is whole and they do not contradict each other;
 * state_out says the rest and is always filled.
 */
enum dfmt_status dfmt_label_read(int fd, uint64_t len,
	struct dfmt_label *label_out, struct dfmt_label_state *state_out,
	struct dfmt_err *err);

/*
 * Writes both copies, one after the other, each followed by fsync; the last one
 * first where that is not whole: a torn write leaves one whole label, if there
 * was one.  label->change must have been raised.
 */
enum dfmt_status dfmt_label_write(int fd, const struct dfmt_label *label,
	struct dfmt_err *err);

#endif
