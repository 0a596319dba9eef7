/* SPDX-License-Identifier: MIT */
/*
 * Stacks as rows.  mdb_stack_print() of <mdb/stack.h> for the commands of
 * this folder, which know more about where a stack starts.
 */
#ifndef MDB_DCMD_STACKPRINT_H
#define MDB_DCMD_STACKPRINT_H

#include "mdb/dcmd/dcmd.h"
#include "mdb/stack/unwind.h"

extern const struct mdb_table mdb_stack_table;	  /* $c */
extern const struct mdb_table mdb_stack_fp_table; /* $C */

/* Of flags: it is the stack that the panicking program recorded, too. */
#define MDB_STACK_RECORDED 0x80u

/* cpu: whose registers these are; -1: of no CPU. */
enum mdb_status mdb_stack_print_from(struct mdb_ctx *cx,
	const struct mdb_unwind_start *start, int cpu, unsigned int flags);

/* Is there memory behind the stack pointer? */
bool mdb_stack_is_readable(const struct mdb_unwind_start *start);
/*
 * The frames that the panicking program recorded, where its stack is lost.
 * MDB_E_NOTFOUND without a trail when the dump has none.
 */
enum mdb_status mdb_stack_print_recorded(struct mdb_ctx *cx, int cpu,
	unsigned int flags);

/* How control left a frame's function towards the inner one: of an exception,
 * system call or entry into another world. */
const char *mdb_stack_trap_text(struct mdb_ctx *cx, const struct mdb_frame *f);
/* A system call whose number is known. */
bool mdb_stack_has_syscall(const struct mdb_frame *f);

/* Lines such as "    %rax ffff...  %rbx ..." of what is known. */
enum mdb_status mdb_stack_print_regs(struct mdb_ctx *cx,
	const struct mdb_regs *regs, size_t word, bool nested);

/* The lines of ::regs; wide: of 64-bit code. */
enum mdb_status mdb_regs_print(struct mdb_ctx *cx, const struct mdb_regs *regs,
	bool wide);
/* The registers of the record of ::regs in order; a NULL name after the last.
 */
const char *mdb_regs_name_at(size_t index);
enum mdb_reg mdb_regs_at(size_t index);

#endif
