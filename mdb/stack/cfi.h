/* SPDX-License-Identifier: MIT */
/*
 * Call frame information: section .debug_frame of a debug file (DWARF 5,
 * section 6.4 and 7.24; also the forms of versions 2 to 4).
 *
 * For each place in a function it says where the stack pointer was before the
 * call (the CFA) and where the caller's registers were saved.  The bytes are
 * a file's and may be anything: entries that contradict themselves are passed
 * over, programs are run for a bounded number of steps.
 */
#ifndef MDB_STACK_CFI_H
#define MDB_STACK_CFI_H

#include <mdb/stack.h>

#define MDB_CFI_REGS 17 /* the 16 general registers, and the return address */
#define MDB_CFI_IP 16

enum mdb_cfi_kind {
	MDB_CFI_SAME = 0,  /* still in the register; the default */
	MDB_CFI_AT,	   /* saved at CFA + off */
	MDB_CFI_VALUE,	   /* is CFA + off */
	MDB_CFI_UNDEFINED, /* not to be had */
	MDB_CFI_OTHER,	   /* told in a way that is not understood */
};

struct mdb_cfi_rule {
	enum mdb_cfi_kind kind;
	int64_t off;
};

struct mdb_cfi_row {
	mdb_addr_t start, end; /* the function's, or its part's */
	bool has_cfa;
	bool cfa_is_read;     /* the CFA is the word at that address */
	unsigned int cfa_reg; /* the CFA is this register and cfa_off */
	int64_t cfa_off;
	struct mdb_cfi_rule rules[MDB_CFI_REGS];
};

struct mdb_cfi;

/* The bytes are borrowed, until it is destroyed.  Never NULL. */
struct mdb_cfi *mdb_cfi_create(const uint8_t *bytes, size_t len);
void mdb_cfi_destroy(struct mdb_cfi *cfi);	 /* accepts NULL */
size_t mdb_cfi_count(const struct mdb_cfi *cfi); /* of functions */

/* At pc.  False: nothing is said of it, or nothing that can be used. */
bool mdb_cfi_find(const struct mdb_cfi *cfi, mdb_addr_t pc,
	struct mdb_cfi_row *row_out);

#endif
