/* SPDX-License-Identifier: MIT */
/* Fuzzes the decoder of triage records that came as text. */
#include "dfmt-format.h"
#include "dfmt-serial.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *out = malloc(DFMT_TRIAGE_LEN);
	char *text = malloc(len ? len : 1);
	struct dfmt_serial s;
	struct dfmt_err err;
	enum dfmt_status st;

	if (out == NULL || text == NULL)
		abort();
	memcpy(text, data, len);
	st = dfmt_serial_decode(text, len, out, &s, &err);
	if (st == DFMT_OK &&
		(s.len > DFMT_TRIAGE_LEN || s.nr_lost > s.nr_lines ||
			s.nr_records == 0))
		abort();
	free(text);
	free(out);
	return 0;
}
