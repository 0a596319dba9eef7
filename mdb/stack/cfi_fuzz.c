/* SPDX-License-Identifier: MIT */
/* cfi.c: any section.  The first eight bytes are the place that is asked. */
#include "mdb/stack/cfi.h"

#include "mdb/base/endian.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct mdb_cfi_row row;
	struct mdb_cfi *cfi;
	mdb_addr_t pc;

	if (len < 8)
		return 0;
	pc = mdb_le64(data);
	cfi = mdb_cfi_create(data + 8, len - 8);
	for (unsigned int i = 0; i < 64; i++)
		(void)mdb_cfi_find(cfi, pc + i, &row);
	mdb_cfi_destroy(cfi);
	return 0;
}
