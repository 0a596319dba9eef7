/* SPDX-License-Identifier: MIT */
/*
 * The text that a Linux kernel keeps for dump tools (kernel/crash_core.c,
 * kernel/vmcore_info.c; Documentation/admin-guide/kdump/vmcoreinfo.rst):
 * lines KEY=VALUE.  SYMBOL(x) and KERNELOFFSET are hexadecimal without 0x,
 * SIZE, OFFSET, LENGTH, NUMBER and CRASHTIME decimal, possibly negative.
 *
 * The text is hostile and need not be terminated.
 */
#ifndef MDB_SYM_VMCOREINFO_H
#define MDB_SYM_VMCOREINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kernel keeps it in one page; anything longer is cut. */
#define MDB_VMCOREINFO_MAX 65536u

/* The value of the last line with this key, not terminated. */
bool mdb_vmcoreinfo_get(const char *text, size_t len, const char *key,
	const char **value_out, size_t *value_len_out);

/* The same as a number; false when absent or not wholly a number. */
bool mdb_vmcoreinfo_number(const char *text, size_t len, const char *key,
	uint64_t *value_out);

/* The same for SYMBOL(name). */
bool mdb_vmcoreinfo_symbol(const char *text, size_t len, const char *name,
	uint64_t *value_out);

/* Calls fn for each SYMBOL line. */
void mdb_vmcoreinfo_each_symbol(const char *text, size_t len,
	void (*fn)(void *arg, const char *name, size_t name_len,
		uint64_t value),
	void *arg);

#endif
