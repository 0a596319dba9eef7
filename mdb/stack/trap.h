/* SPDX-License-Identifier: MIT */
/*
 * Exceptions, interrupts and system calls: which one an entry stub is for,
 * what a vector is called, what an error code says.
 */
#ifndef MDB_STACK_TRAP_H
#define MDB_STACK_TRAP_H

#include <mdb/stack.h>

struct mdb_trap {
	enum mdb_trap_kind kind;
	int vector;	/* -1: not told by the stub */
	bool outermost; /* where threads and CPUs begin: nobody called it */
	bool fred;	/* kind and vector lie in the saved ss */
	bool forked;	/* a new thread, on its way to user mode */
};

/*
 * By the name of the stub: asm_exc_page_fault, asm_sysvec_reboot,
 * entry_SYSCALL_64_after_hwframe, ... (arch/x86/entry of Linux 4.14 to 7.3;
 * also the names used before 5.8).  MDB_TRAP_NONE for other functions.
 */
struct mdb_trap mdb_trap_of_name(const char *name);

/* From the high bits of ss (Intel FRED specification, stack frame). */
void mdb_trap_of_fred_ss(struct mdb_trap *trap, uint64_t ss);

/* Does the processor push an error code for it? */
bool mdb_trap_has_error(int vector);

#endif
