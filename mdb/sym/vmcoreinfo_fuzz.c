/* SPDX-License-Identifier: MIT */
/* vmcoreinfo.c: text of any bytes, not terminated. */
#include "mdb/sym/vmcoreinfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
look(void *arg, const char *name, size_t name_len, uint64_t value)
{
	uint64_t *sum = arg;

	for (size_t i = 0; i < name_len; i++)
		*sum += (unsigned char)name[i];
	*sum += value;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char *const keys[] = { "OSRELEASE", "BUILD-ID",
		"KERNELOFFSET", "NUMBER(phys_base)", "SYMBOL(_stext)", "" };
	const char *text = (const char *)data;
	const char *value;
	uint64_t sum = 0;
	uint64_t v;
	size_t n;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (mdb_vmcoreinfo_get(text, len, keys[i], &value, &n))
			look(&sum, value, n, 0);
		(void)mdb_vmcoreinfo_number(text, len, keys[i], &v);
		(void)mdb_vmcoreinfo_symbol(text, len, keys[i], &v);
	}
	mdb_vmcoreinfo_each_symbol(text, len, look, &sum);
	return sum == UINT64_MAX;
}
