/* SPDX-License-Identifier: MIT */
/*
 * A triage record that came over a serial line, out of the text that somebody
 * kept of it: what dfmt_writer_serial wrote.
 *
 *	XDUMP-TRIAGE begin LEN CRC
 *	XDUMP-TRIAGE NUMBER DATA CRC
 *	XDUMP-TRIAGE end NUMBER
 *
 * LEN (decimal) is of the bytes before the segment's closing zeros, at most
 * DFMT_TRIAGE_LEN; CRC (8 hexadecimal digits) the CRC32C of them.  A line's
 * NUMBER counts from 0 (4 digits), DATA is base64 of 54 bytes, fewer in the
 * last one; its CRC is that of the number (4 bytes, little endian) and the
 * bytes.  At the end the number of lines.  What stands before the first word of
 * a line and behind the last does not matter.
 */
#ifndef DFMT_SERIAL_H
#define DFMT_SERIAL_H

#include "dfmt-reader.h"

#define DFMT_SERIAL_MARK "XDUMP-TRIAGE "
#define DFMT_SERIAL_BYTES 54u

struct dfmt_serial {
	uint32_t nr_records; /* in the text; the last one was taken */
	uint32_t nr_lines, nr_lost;
	uint32_t len; /* of the record's bytes, without closing zeros */
};

/*
 * out has DFMT_TRIAGE_LEN bytes: a dump that has nothing else.  Lost lines are
 * zeros in it: every item of the record has a checksum of its own, so a reader
 * shows none that one was lost of.
 *
 * DFMT_E_FORMAT: there is no record in the text.  DFMT_E_LOST: its head is not
 * whole.  DFMT_E_MALFORMED: the lines are whole and the record is not.
 */
enum dfmt_status dfmt_serial_decode(const char *text, size_t len, uint8_t *out,
	struct dfmt_serial *s_out, struct dfmt_err *err);

#endif
