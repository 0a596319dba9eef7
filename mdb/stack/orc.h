/* SPDX-License-Identifier: MIT */
/*
 * ORC: Linux' own unwind tables on x86-64, read from the memory of the dump.
 *
 * Facts: arch/x86/include/asm/orc_types.h of Linux 4.14 to 7.3.  A table is
 * two arrays of equal count, sorted by address: .orc_unwind_ip, each a signed
 * 32-bit distance from its own place to the first byte of code it speaks of,
 * and .orc_unwind, entries of six bytes:
 *
 *	s16 sp_offset; s16 bp_offset; u16 bits
 *	bits 0-3 base register of sp, bits 4-7 of bp, then
 *	  4.14 ..	type in two bits; 4.18: end of stack in bit 10
 *	  6.3		signal in bit 10, end of stack in bit 11
 *	  6.4 ..	type in three bits, other numbers; signal in bit 11
 *
 * Until about 6.16 PREV_SP is register 1, SP 5; later SP is 3, PREV_SP 8.
 * Since 6.4 the kernel holds the SHA-1 of the definitions (.orc_header): a
 * known one tells the layout; otherwise the entries themselves do, never a
 * release string.
 *
 * Everything read here is hostile: results are bounded, not believed.
 */
#ifndef MDB_STACK_ORC_H
#define MDB_STACK_ORC_H

#include "mdb/sym/object.h"

#define MDB_ORC_ENTRY_LEN 6u
#define MDB_ORC_HASH_LEN 20u

/* clang-format off */
enum mdb_orc_type {
	MDB_ORC_UNDEFINED = 0,	/* the table knows nothing of that code */
	MDB_ORC_END,		/* outermost: no caller */
	MDB_ORC_CALL,		/* a return address lies below the CFA */
	MDB_ORC_REGS,		/* a whole struct pt_regs lies there */
	MDB_ORC_REGS_PARTIAL,	/* only its end: ip cs flags sp ss */
};

/* What an offset is added to.  INDIRECT: a word is then read. */
enum mdb_orc_base {
	MDB_ORC_BASE_UNDEFINED = 0,
	MDB_ORC_BASE_PREV_SP,
	MDB_ORC_BASE_AX, MDB_ORC_BASE_DX, MDB_ORC_BASE_DI,
	MDB_ORC_BASE_BP, MDB_ORC_BASE_SP,
	MDB_ORC_BASE_R10, MDB_ORC_BASE_R13,
	MDB_ORC_BASE_BP_INDIRECT, MDB_ORC_BASE_SP_INDIRECT,
	MDB_ORC_BASE_BAD,	/* a number that no kernel uses */
};

enum mdb_orc_layout {
	MDB_ORC_LAYOUT_NONE = 0, /* not told: the table is not used */
	MDB_ORC_LAYOUT_2BIT,	 /* 4.14 to 6.3 */
	MDB_ORC_LAYOUT_3BIT,	 /* from 6.4 */
	MDB_ORC_LAYOUT_3BIT_AX,	 /* 7.x: registers numbered anew */
};
/* clang-format on */

struct mdb_orc_entry {
	int16_t sp_offset, bp_offset;
	enum mdb_orc_type type;
	enum mdb_orc_base sp_base, bp_base;
	bool signal; /* the ip found is not a return address */
};

/* bytes holds MDB_ORC_ENTRY_LEN; any bytes give an entry. */
void mdb_orc_decode(enum mdb_orc_layout layout, const uint8_t *bytes,
	struct mdb_orc_entry *entry_out);

/* MDB_ORC_LAYOUT_NONE for a hash not known. */
enum mdb_orc_layout mdb_orc_layout_of_hash(const uint8_t *hash);

/*
 * By the statistics of count entries: in one layout nearly all are ordinary
 * calls over the stack pointer, in the others they are nonsense.
 */
enum mdb_orc_layout mdb_orc_layout_guess(const uint8_t *entries, size_t count);

/* The object's table: one per object, made at first use. */
struct mdb_orc;

/*
 * The entry for the code at ip.  MDB_E_NOTFOUND: the object has no table or
 * none that could be understood, or ip is outside of it; fault statuses: the
 * table could not be read.  No trail is written.
 */
enum mdb_status mdb_orc_find(struct mdb_orc *orc, mdb_addr_t ip,
	struct mdb_orc_entry *entry_out);

/* Reads nothing.  layout: what the kernel's own table is in. */
struct mdb_orc *mdb_orc_create(const struct mdb_object *object,
	enum mdb_orc_layout layout);
void mdb_orc_destroy(struct mdb_orc *orc); /* accepts NULL */

/* Looks at header and entries of the kernel's own object; says by_hash. */
enum mdb_orc_layout mdb_orc_layout_detect(const struct mdb_object *kernel,
	bool *by_hash_out);

#endif
