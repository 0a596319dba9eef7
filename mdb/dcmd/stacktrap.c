/* SPDX-License-Identifier: MIT */
/* What lies between two frames of a stack, in words. */
#include "mdb/dcmd/stackprint.h"

#include "mdb/base/ctx.h"
#include "mdb/mem/arch.h"
#include "mdb/stack/hypercall.h"
#include "mdb/stack/trap.h"

#include <inttypes.h>

static const char *
exception_text(struct mdb_ctx *cx, const struct mdb_frame *f)
{
	const char *name = mdb_trap_vector_name(f->vector);
	char error[160] = "";

	if (f->vector < 0)
		return "exception";
	if (f->has_error)
		mdb_trap_error_text(f->vector, f->error_code, error,
			sizeof(error));
	if (!f->has_error)
		return mdb_tmp_printf(cx, "%s (vector %d)",
			name ? name : "exception", f->vector);
	return mdb_tmp_printf(cx, "%s (vector %d), error 0x%" PRIx64 "%s%s",
		name ? name : "exception", f->vector, f->error_code,
		error[0] ? ": " : "", error);
}

static const char *
irq_text(struct mdb_ctx *cx, const struct mdb_frame *f)
{
	/* The names that are known are Linux'. */
	bool is_linux =
		mdb_unwind_has_linux_entries(f->world) && !f->into_hypervisor;
	bool is_xen = f->into_hypervisor || f->world->kind == MDB_WORLD_XEN;
	const char *name = is_linux ? mdb_trap_vector_name(f->vector)
			   : is_xen && f->world->arch->word == 8
				   ? mdb_xen_interrupt_name(f->vector)
				   : NULL;

	if (f->vector < 0)
		return "interrupt of a device";
	if (!name)
		return mdb_tmp_printf(cx, "interrupt, vector 0x%x",
			(unsigned int)f->vector);
	return mdb_tmp_printf(cx, "interrupt %s (vector 0x%x)", name,
		(unsigned int)f->vector);
}

bool
mdb_stack_has_syscall(const struct mdb_frame *f)
{
	return f->trap == MDB_TRAP_SYSCALL &&
	       mdb_reg_known(&f->regs, MDB_R_ORIG_AX) &&
	       f->regs.r[MDB_R_ORIG_AX] >> 32 == 0;
}

static const char *
trap_text(struct mdb_ctx *cx, const struct mdb_frame *f)
{
	switch (f->trap) {
	case MDB_TRAP_EXCEPTION:
		return exception_text(cx, f);
	case MDB_TRAP_IRQ:
		return irq_text(cx, f);
	case MDB_TRAP_NMI:
		return "NMI (vector 2)";
	case MDB_TRAP_SYSCALL:
		if (mdb_stack_has_syscall(f))
			return mdb_tmp_printf(cx, "system call %" PRIu64,
				f->regs.r[MDB_R_ORIG_AX]);
		return "system call (its number is no longer saved)";
	case MDB_TRAP_HYPERCALL:
		if (f->world->arch->word == 8)
			return mdb_hypercall_text(cx, f->world, &f->regs);
		return mdb_tmp_printf(cx, "hypercall %" PRIu64,
			f->regs.r[MDB_R_ORIG_AX]);
	case MDB_TRAP_VMEXIT:
		return "VM exit";
	case MDB_TRAP_UPCALL:
		return "event channel upcall";
	case MDB_TRAP_NONE:
	case MDB_TRAP_UNKNOWN:
		break;
	}
	return "exception or interrupt";
}

/* Whose code it was, and where a page fault was. */
static const char *
origin_text(struct mdb_ctx *cx, const struct mdb_frame *f)
{
	const char *cr2 = "", *who = "";

	if (f->vector == 14 && mdb_reg_known(&f->regs, MDB_R_CR2))
		cr2 = mdb_tmp_printf(cx, ", cr2 %" PRIx64,
			f->regs.r[MDB_R_CR2]);
	if (f->into_hypervisor)
		who = mdb_tmp_printf(cx, "%s %s",
			f->trap == MDB_TRAP_VMEXIT ? " of" : " from",
			f->guest ? f->guest : "a guest");
	else if (f->kind == MDB_FRAME_TRAP && f->world->kind == MDB_WORLD_XEN)
		who = ", in the hypervisor";
	return mdb_tmp_printf(cx, "%s%s%s", cr2, who,
		f->kind == MDB_FRAME_USER ? ", from user mode" : "");
}

/* Where a page fault was, and the place in whose world it happened. */
static const char *
crossing_text(struct mdb_ctx *cx, const struct mdb_frame *f)
{
	const char *where = mdb_sym_format(cx, mdb_kernel_loc(f->world, f->pc));
	const char *trap = f->vector < 0 ? ""
					 : mdb_tmp_printf(cx, "trap 0x%x ",
						   (unsigned int)f->vector);

	if (f->world->arch->word == 8)
		return mdb_tmp_printf(cx, "%s%s", trap_text(cx, f),
			origin_text(cx, f));
	if (!mdb_reg_known(&f->regs, MDB_R_CR2))
		return mdb_tmp_printf(cx, "%s%s; at %s", trap, trap_text(cx, f),
			where);
	return mdb_tmp_printf(cx, "%s%s; cr2 %" PRIx64 "; at %s", trap,
		trap_text(cx, f), f->regs.r[MDB_R_CR2], where);
}

const char *
mdb_stack_trap_text(struct mdb_ctx *cx, const struct mdb_frame *f)
{
	if (f->kind == MDB_FRAME_CROSSING)
		return crossing_text(cx, f);
	return mdb_tmp_printf(cx, "%s%s", trap_text(cx, f), origin_text(cx, f));
}
