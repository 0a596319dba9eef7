/* SPDX-License-Identifier: MIT */
/*
 * How a guest came into Xen, in words.
 */
#ifndef MDB_STACK_HYPERCALL_H
#define MDB_STACK_HYPERCALL_H

#include <mdb/stack.h>

#include "mdb/world/world.h"

/*
 * "hypercall 29 sched_op (block)" of a 64-bit guest's registers at the call:
 * the number in orig_ax, arguments in rdi, ...  Where the operation is the
 * first word of a structure in memory, guest's address space is asked; guest
 * may be NULL.  Lives until the command ends.
 */
const char *mdb_hypercall_text(struct mdb_ctx *cx, struct mdb_world *guest,
	const struct mdb_regs *regs);

/* The hypervisor's own interrupts on x86; NULL for a device's. */
const char *mdb_xen_interrupt_name(int vector);

#endif
