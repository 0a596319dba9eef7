/* SPDX-License-Identifier: MIT */
/* Fuzzes ELF cores: every header and note, and the reads that they lead to. */
#include "dfmt-fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	/* Inputs need not spell the signature. */
	static const uint8_t ident[] = { 0x7f, 'E', 'L', 'F' };

	dfmt_fuzz(data, len, ident, sizeof(ident));
	return 0;
}
