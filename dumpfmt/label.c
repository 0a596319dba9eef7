/* SPDX-License-Identifier: MIT */
/*
 * The label of a dump device: its two copies, read, judged and written.  The
 * writer of dumps has a check of its own; readers of dumps use the decoder.
 */
#include "dfmt-label.h"

#include "dfmt-crc.h"
#include "dfmt-format.h"
#include "dfmt-impl.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define CRC_AT (DFMT_LABEL_LEN - 4u)

/* ---- bytes -------------------------------------------------------------- */

static bool
crc_right(const uint8_t *p)
{
	struct dfmt_crc crc;

	dfmt_crc_init(&crc, false);
	return dfmt_crc32c(&crc, p, CRC_AT) == dfmt_le32(p + CRC_AT);
}

static enum dfmt_status
bytes_check(const uint8_t *p, struct dfmt_err *err)
{
	uint64_t range_len = dfmt_le64(p + 40);
	uint32_t sector = dfmt_le32(p + 48);

	if (memcmp(p, DFMT_LABEL_MAGIC, 8) != 0)
		return dfmt_fail(err, DFMT_E_FORMAT, "no dump label", DFMT_NONE,
			DFMT_NONE);
	if (!crc_right(p))
		return dfmt_fail(err, DFMT_E_MALFORMED,
			"dump label: the checksum is wrong", DFMT_NONE,
			DFMT_NONE);
	if (dfmt_le16(p + 8) > DFMT_LABEL_VERSION)
		return dfmt_fail(err, DFMT_E_UNSUPPORTED,
			"dump label: a later version", DFMT_NONE, DFMT_NONE);
	if (dfmt_le16(p + 8) != DFMT_LABEL_VERSION ||
		dfmt_le16(p + 10) != DFMT_LABEL_LEN)
		return dfmt_fail(err, DFMT_E_MALFORMED,
			"dump label: version and length", DFMT_NONE, DFMT_NONE);
	if (range_len < DFMT_MIN_RANGE || range_len % DFMT_LABEL_LEN ||
		range_len > INT64_MAX)
		return dfmt_fail(err, DFMT_E_MALFORMED,
			"dump label: length of the range", DFMT_NONE,
			DFMT_NONE);
	if (sector != DFMT_ALIGN_MIN && sector != DFMT_ALIGN_MAX)
		return dfmt_fail(err, DFMT_E_MALFORMED,
			"dump label: length of a sector", DFMT_NONE, DFMT_NONE);
	return DFMT_OK;
}

enum dfmt_status
dfmt_label_decode(const void *bytes, struct dfmt_label *label_out,
	struct dfmt_err *err)
{
	const uint8_t *p = bytes;
	enum dfmt_status st = bytes_check(p, err);

	if (st != DFMT_OK)
		return st;
	struct dfmt_label label = {
		.range_start = dfmt_le64(p + 32),
		.range_len = dfmt_le64(p + 40),
		.sector_len = dfmt_le32(p + 48),
		.overwrite = dfmt_le32(p + 52) & DFMT_LABEL_OVERWRITE,
		.change = dfmt_le64(p + 56),
		.created_sec = dfmt_le64(p + 64),
		.saved_generation = dfmt_le64(p + 88),
		.saved_sec = dfmt_le64(p + 96),
	};
	memcpy(label.uuid, p + 16, sizeof(label.uuid));
	memcpy(label.saved_id, p + 72, sizeof(label.saved_id));
	memcpy(label.purpose, p + 104, sizeof(label.purpose) - 1);
	*label_out = label;
	return DFMT_OK;
}

static void
put(uint8_t *p, uint64_t v, int len)
{
	for (int i = 0; i < len; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

void
dfmt_label_encode(const struct dfmt_label *label, unsigned int copy,
	void *bytes)
{
	static const uint8_t magic[8] = DFMT_LABEL_MAGIC;
	struct dfmt_crc crc;
	uint8_t *p = bytes;

	dfmt_crc_init(&crc, false);
	memset(p, 0, DFMT_LABEL_LEN);
	memcpy(p, magic, sizeof(magic));
	put(p + 8, DFMT_LABEL_VERSION, 2);
	put(p + 10, DFMT_LABEL_LEN, 2);
	put(p + 12, copy, 4);
	memcpy(p + 16, label->uuid, sizeof(label->uuid));
	put(p + 32, label->range_start, 8);
	put(p + 40, label->range_len, 8);
	put(p + 48, label->sector_len, 4);
	put(p + 52, label->overwrite ? DFMT_LABEL_OVERWRITE : 0, 4);
	put(p + 56, label->change, 8);
	put(p + 64, label->created_sec, 8);
	memcpy(p + 72, label->saved_id, sizeof(label->saved_id));
	put(p + 88, label->saved_generation, 8);
	put(p + 96, label->saved_sec, 8);
	for (size_t i = 0; i < 64 && label->purpose[i]; i++)
		p[104 + i] = (uint8_t)label->purpose[i];
	put(p + CRC_AT, dfmt_crc32c(&crc, p, CRC_AT), 4);
}

/* ---- reading ------------------------------------------------------------ */

static enum dfmt_status
full_read(int fd, uint64_t off, uint8_t *p, struct dfmt_err *err)
{
	size_t done = 0;

	while (done < DFMT_LABEL_LEN) {
		ssize_t n = pread(fd, p + done, DFMT_LABEL_LEN - done,
			(off_t)(off + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return dfmt_fail_errno(err, "reading a dump label",
				off);
		if (n == 0)
			return dfmt_fail(err, DFMT_E_LOST,
				"a dump label: the range ends before it", off,
				DFMT_NONE);
		done += (size_t)n;
	}
	return DFMT_OK;
}

/* One of the two places. */
struct place {
	enum dfmt_status st;
	struct dfmt_err err;
	struct dfmt_label label;
	bool magic;
};

static void
place_read(int fd, uint64_t off, struct place *pl)
{
	uint8_t p[DFMT_LABEL_LEN];

	*pl = (struct place){ .err = { .what = NULL } };
	pl->st = full_read(fd, off, p, &pl->err);
	if (pl->st != DFMT_OK)
		return;
	pl->magic = memcmp(p, DFMT_LABEL_MAGIC, 8) == 0;
	pl->st = dfmt_label_decode(p, &pl->label, &pl->err);
	if (pl->st != DFMT_OK)
		pl->err.offset = off;
}

/* The phrase that says what is not good about two places. */
static const char *
places_judge(const struct place *first, const struct place *last, uint64_t len,
	const struct dfmt_label_state *state)
{
	if (state->conflict)
		return "its two labels are of different devices";
	if (!state->first && !state->last)
		return state->newer   ? "its label is of a later version"
		       : state->magic ? "both copies of its label are damaged"
				      : "it has no label";
	if (!state->first)
		return "the first copy of its label is damaged";
	if (!state->last)
		return "the last copy of its label is damaged";
	if (first->label.change != last->label.change)
		return "an update of its label was cut short";
	if (first->label.range_len > len)
		return "it is shorter than its label says";
	return NULL;
}

/* Neither is whole: the more telling of two failures. */
static enum dfmt_status
places_failed(const struct place *first, const struct place *last,
	struct dfmt_err *err)
{
	const struct place *p = first;

	if (last->st == DFMT_E_UNSUPPORTED ||
		(first->st == DFMT_E_FORMAT && last->magic))
		p = last;
	if (err)
		*err = p->err;
	return p->st;
}

enum dfmt_status
dfmt_label_read(int fd, uint64_t len, struct dfmt_label *label_out,
	struct dfmt_label_state *state_out, struct dfmt_err *err)
{
	struct dfmt_label_state state = { .why = NULL };
	struct place first, last = { .st = DFMT_E_FORMAT };
	uint64_t end = len;

	place_read(fd, 0, &first);
	if (first.st == DFMT_OK)
		end = dfmt_min(len, first.label.range_len);
	if (end >= DFMT_MIN_RANGE)
		place_read(fd, end - DFMT_LABEL_LEN, &last);
	/* What was made for a range that ends elsewhere says nothing here. */
	if (last.st == DFMT_OK &&
		last.label.range_len !=
			(first.st == DFMT_OK ? first.label.range_len : len))
		last.st = dfmt_fail(&last.err, DFMT_E_MALFORMED,
			"dump label: it is of a range of another length",
			end - DFMT_LABEL_LEN, DFMT_NONE);
	state.first = first.st == DFMT_OK;
	state.last = last.st == DFMT_OK;
	state.magic = first.magic || last.magic;
	state.newer =
		first.st == DFMT_E_UNSUPPORTED || last.st == DFMT_E_UNSUPPORTED;
	state.conflict = state.first && state.last &&
			 memcmp(first.label.uuid, last.label.uuid,
				 sizeof(first.label.uuid)) != 0;
	state.why = places_judge(&first, &last, len, &state);
	*state_out = state;
	if (state.conflict)
		return dfmt_fail(err, DFMT_E_MALFORMED, state.why, DFMT_NONE,
			DFMT_NONE);
	if (!state.first && !state.last)
		return places_failed(&first, &last, err);
	*label_out = state.first && (!state.last || first.label.change >=
							    last.label.change)
			     ? first.label
			     : last.label;
	return DFMT_OK;
}

/* ---- writing ------------------------------------------------------------ */

static enum dfmt_status
full_write(int fd, uint64_t off, const uint8_t *p, struct dfmt_err *err)
{
	size_t done = 0;

	while (done < DFMT_LABEL_LEN) {
		ssize_t n = pwrite(fd, p + done, DFMT_LABEL_LEN - done,
			(off_t)(off + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return dfmt_fail_errno(err, "writing a dump label",
				off);
		done += (size_t)n;
	}
	if (fsync(fd) != 0)
		return dfmt_fail_errno(err, "making a dump label stable", off);
	return DFMT_OK;
}

enum dfmt_status
dfmt_label_write(int fd, const struct dfmt_label *label, struct dfmt_err *err)
{
	_Alignas(4096) uint8_t p[DFMT_LABEL_LEN];

	if (label->range_len < DFMT_MIN_RANGE ||
		label->range_len % DFMT_LABEL_LEN)
		return dfmt_fail(err, DFMT_E_MALFORMED,
			"dump label: length of the range", DFMT_NONE,
			DFMT_NONE);
	uint64_t last = label->range_len - DFMT_LABEL_LEN;
	struct place now;
	/* The one that is not whole goes first: the other one stays meanwhile.
	 */
	place_read(fd, last, &now);
	unsigned int copy = now.st == DFMT_OK ? 0 : 1;

	for (unsigned int i = 0; i < 2; i++, copy ^= 1) {
		dfmt_label_encode(label, copy, p);
		enum dfmt_status st = full_write(fd, copy ? last : 0, p, err);
		if (st != DFMT_OK)
			return st;
	}
	return DFMT_OK;
}
