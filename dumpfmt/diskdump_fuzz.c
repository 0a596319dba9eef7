/* SPDX-License-Identifier: MIT */
/* Fuzzes compressed kdumps: headers, bitmaps, descriptors and codecs. */
#include "dfmt-fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	/* Inputs need not spell the signature. */
	static const uint8_t signature[] = "KDUMP   ";

	dfmt_fuzz(data, len, signature, 8);
	return 0;
}
