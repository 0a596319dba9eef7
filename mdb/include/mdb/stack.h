/* SPDX-License-Identifier: MIT */
/*
 * Stacks.  A frame is registers over registers: the walk hands out what each
 * frame's registers were, crosses exception frames, stacks and worlds, and
 * ends for a stated reason, also on hostile memory.
 */
#ifndef MDB_STACK_H
#define MDB_STACK_H

#include <mdb/sym.h>

/* clang-format off */
/* Registers by the numbers of the x86-64 ABI (DWARF); i386 uses the low
 * eight by its own meaning: MDB_R_AX is eax, and so on. */
enum mdb_reg {
	MDB_R_AX = 0, MDB_R_DX, MDB_R_CX, MDB_R_BX,
	MDB_R_SI, MDB_R_DI, MDB_R_BP, MDB_R_SP,
	MDB_R_8, MDB_R_9, MDB_R_10, MDB_R_11,
	MDB_R_12, MDB_R_13, MDB_R_14, MDB_R_15,
	MDB_R_IP, MDB_R_FLAGS,
	MDB_R_CS, MDB_R_SS, MDB_R_DS, MDB_R_ES, MDB_R_FS, MDB_R_GS,
	MDB_R_FSBASE, MDB_R_GSBASE, MDB_R_KGSBASE,
	MDB_R_CR0, MDB_R_CR2, MDB_R_CR3, MDB_R_CR4,
	MDB_R_ORIG_AX,	/* of a pt_regs: syscall number or error code */
	MDB_R_TRAP,	/* how the CPU stopped: vector and error code */
	MDB_R_ERR,
	MDB_NR_REGS,
};
/* clang-format on */

struct mdb_regs {
	uint64_t r[MDB_NR_REGS];
	uint64_t valid; /* bit n: r[n] is known */
};

static inline bool
mdb_reg_known(const struct mdb_regs *regs, enum mdb_reg n)
{
	return (regs->valid >> n & 1) != 0;
}

static inline void
mdb_reg_set(struct mdb_regs *regs, enum mdb_reg n, uint64_t value)
{
	regs->r[n] = value;
	regs->valid |= 1ull << n;
}

/* clang-format off */
enum mdb_frame_kind {
	MDB_FRAME_CALL = 0,	/* an ordinary function */
	MDB_FRAME_TRAP,		/* the function that an exception, interrupt
				   or NMI interrupted: registers are all known */
	MDB_FRAME_USER,		/* user mode, the last frame */
	MDB_FRAME_CROSSING,	/* as TRAP, and the trap led into another world:
				   into the hypervisor */
};

enum mdb_trap_kind {
	MDB_TRAP_NONE = 0,
	MDB_TRAP_EXCEPTION,	/* vector and error code, if known */
	MDB_TRAP_IRQ,
	MDB_TRAP_NMI,
	MDB_TRAP_SYSCALL,	/* number in orig_ax */
	MDB_TRAP_UNKNOWN,	/* an exception frame whose kind is not told */
	MDB_TRAP_HYPERCALL,	/* number in orig_ax */
	MDB_TRAP_VMEXIT,	/* a guest with hardware help was left; its
				   segments are not known */
	MDB_TRAP_UPCALL,	/* Xen told a paravirtual guest of events */
};
/* clang-format on */

struct mdb_frame {
	enum mdb_frame_kind kind;
	struct mdb_world *world;
	struct mdb_regs regs; /* in this frame, at pc */
	mdb_addr_t pc;
	mdb_addr_t cfa; /* where the caller's stack begins: sp after return */
	mdb_addr_t fp;	/* what mdb prints: where {saved bp, return address}
			   lies, cfa - 2 words */
	bool pc_is_return; /* pc is a return address: look up pc - 1 */
	bool guess;	   /* found by scanning, or could not be verified */
	bool returned;	   /* a call out of this function ended before the dump
			      was taken and pc is written over: the function is
			      right, the place in it is not known */
	/* How control left this frame's function towards the inner frame. */
	enum mdb_trap_kind trap; /* MDB_FRAME_TRAP and MDB_FRAME_USER */
	int vector;		 /* of an exception or irq, or -1 */
	bool into_hypervisor;	 /* it led into another world */
	bool has_error;
	uint64_t error_code;
	const char *guest; /* MDB_FRAME_CROSSING: who ran, "d0v1"; or NULL */
	const char *note;  /* a change of stack or world before it; or NULL */
};

/* "#PF page fault", "double fault"; NULL for a vector with no name. */
MDB_API const char *mdb_trap_vector_name(int vector);
/*
 * The error code in words: "write to a page that is not present, kernel
 * mode"; "" when there is nothing to say.  buf is always terminated.
 */
MDB_API void mdb_trap_error_text(int vector, uint64_t error, char *buf,
	size_t len);

/* Where a hypercall has the number of the operation that is asked for. */
enum mdb_hypercall_op {
	MDB_HYPERCALL_OP_NONE = 0, /* it has no operations, or none is known */
	MDB_HYPERCALL_OP_ARGUMENT, /* it is the first argument */
	MDB_HYPERCALL_OP_MEMORY,   /* 4 bytes, to which that points */
};

/* Xen's hypercalls, whose numbers are below 64: "sysctl"; NULL for a number
 * that is none. */
#define MDB_HYPERCALL_MAX 64u
MDB_API const char *mdb_hypercall_name(uint64_t number);
/*
 * An operation of a hypercall that has several: "block" of sched_op,
 * "getdomaininfo" of domctl; NULL: it has none of that number, or none at all.
 * op is as the guest gave it: bits of it that say where a hypercall that was
 * broken off goes on are left out of account.
 */
MDB_API const char *mdb_hypercall_op_name(uint64_t number, uint64_t op);
MDB_API enum mdb_hypercall_op mdb_hypercall_op_place(uint64_t number);
/* Operations that have names have numbers below that; not each has one. */
MDB_API size_t mdb_hypercall_nr_ops(uint64_t number);

/* Why a walk ended. */
enum mdb_stack_end {
	MDB_END_USER = 0,   /* reached user mode */
	MDB_END_ENTRY,	    /* reached a known outermost function */
	MDB_END_STOPPED,    /* the callback had enough */
	MDB_END_UNREADABLE, /* the next frame's memory cannot be read */
	MDB_END_NO_UNWIND,  /* no unwind information for the pc */
	MDB_END_CYCLE,	    /* the stack does not progress */
	MDB_END_LIMIT,	    /* more frames than a stack can hold */
	MDB_END_NO_REGS,    /* the registers needed are not known */
};
MDB_API const char *mdb_stack_end_name(enum mdb_stack_end end);

typedef enum mdb_status mdb_frame_fn(struct mdb_ctx *cx,
	const struct mdb_frame *frame, void *arg);

/*
 * Walks from regs outward, calling fn for each frame, innermost first.
 * Needs at least ip and sp.  A walk that ends early is not a failure: end_out
 * says why, and the trail of the reading that failed is in why_out (until
 * the command ends; may be NULL).  Fails only on ^C or what fn returned.
 */
MDB_API enum mdb_status mdb_stack_walk(struct mdb_ctx *cx,
	struct mdb_world *world, const struct mdb_regs *regs, mdb_frame_fn *fn,
	void *arg, enum mdb_stack_end *end_out, const char **why_out);

/* Registers of a CPU as the dump has them. */
MDB_API enum mdb_status mdb_cpu_regs(struct mdb_ctx *cx,
	struct mdb_world *world, int cpu, struct mdb_regs *regs_out);

/*
 * The registers that stand for "here": of the CPU on which the current world
 * panicked, else another one, else of the first CPU that the current world
 * has.  The code they are in may be the hypervisor's: mdb_stack_walk and
 * mdb_locate see that from the addresses.  cpu_out may be NULL.
 */
MDB_API enum mdb_status mdb_context_regs(struct mdb_ctx *cx,
	struct mdb_regs *regs_out, int *cpu_out);

/*
 * Shows registers as ::regs does: its record for JSON, its lines.  cpu is whose
 * they are, -1: no CPU's; wide: of 64-bit code.
 */
MDB_API enum mdb_status mdb_regs_show(struct mdb_ctx *cx,
	const struct mdb_regs *regs, int cpu, bool wide);

/* What to print of a stack. */
#define MDB_STACK_FP 0x1u     /* frame addresses ($C), else only names ($c) */
#define MDB_STACK_REGS 0x2u   /* the registers of exception and user frames */
#define MDB_STACK_NESTED 0x4u /* as rows nested under the last row */
/* At most n arguments of a function, where they are known; else 6. */
#define MDB_STACK_ARGS(n) (((n) + 1u) << 8)

/* Prints the stack from regs on as rows of the one frame table. */
MDB_API enum mdb_status mdb_stack_print(struct mdb_ctx *cx,
	struct mdb_world *world, const struct mdb_regs *regs,
	unsigned int flags);

#endif
