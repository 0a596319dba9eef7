/* SPDX-License-Identifier: MIT */
/*
 * The data that machine code refers to: what tells where a variable is when no
 * symbol says so.
 *
 * The nth reference of a function is the nth instruction, in order of address,
 * with an operand in memory relative to rip.  Calls and jumps through memory
 * do not count: a hypervisor rewrites them at boot (Xen's alternative calls).
 * x86, 64 bits.
 */
#ifndef MDB_SYM_CODEREF_H
#define MDB_SYM_CODEREF_H

#include <stddef.h>
#include <stdint.h>

/*
 * Where the references of the code point to: at most max addresses are
 * stored, all are counted.  Bytes that are no instruction are passed over one
 * by one, so that any bytes have an answer.
 */
size_t mdb_coderef_list(const uint8_t *code, size_t len, uint64_t addr,
	uint64_t *targets_out, size_t max);

#endif
