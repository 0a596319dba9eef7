/* SPDX-License-Identifier: MIT */
/* Fuzzes flattened files: records out of order, over each other, and cut. */
#include "dfmt-fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	/* Inputs need not spell the signature, the type and the version. */
	static const uint8_t header[32] = { 'm', 'a', 'k', 'e', 'd', 'u', 'm',
		'p', 'f', 'i', 'l', 'e', [23] = 1, [31] = 1 };

	dfmt_fuzz(data, len, header, sizeof(header));
	return 0;
}
