/* SPDX-License-Identifier: MIT */
/*
 * The parts of a stack walk, for the unwinders.
 *
 * The driver (unwind.c) holds one frame at a time and asks the unwinders in
 * order who its caller is.  An unwinder reads through the functions here,
 * fills in a struct mdb_caller, and judges nothing but its own reading: the
 * driver checks that the walk progresses and decides when it ends.
 */
#ifndef MDB_STACK_UNWIND_H
#define MDB_STACK_UNWIND_H

#include <mdb/stack.h>

#include "mdb/mem/arch.h"
#include "mdb/stack/table.h"
#include "mdb/world/world.h"

#ifdef MDB_TINY
#define MDB_UNWIND_WINDOW 64u
#else
#define MDB_UNWIND_WINDOW 1024u
#endif
#define MDB_UNWIND_MAX_LEFT 8
#define MDB_UNWIND_MAX_FRAMES 4096
/* No kernel function's frame is larger; no kernel stack either. */
#define MDB_UNWIND_MAX_FRAME 0x10000u

/* clang-format off */
enum mdb_unwind_step {
	MDB_STEP_CALLER = 0,	/* the caller is known */
	MDB_STEP_NONE,		/* not by this unwinder: ask the next */
	MDB_STEP_END,		/* the walk ends: mdb_unwind_end() was called */
};
/* clang-format on */

/* What an unwinder found. */
struct mdb_caller {
	struct mdb_regs regs; /* at least ip and sp */
	mdb_addr_t cfa, fp;   /* of the frame left, as in struct mdb_frame */
	bool is_regs;	      /* through a register frame, not a call */
	bool is_user;	      /* user mode, of which only ip and bp are told */
	bool switches;	      /* sp was loaded from memory: another stack */
	bool framed;	      /* sp follows bp, which may be of another stack */
	bool literal;	      /* ip is no return address */
	bool guess;
	bool returned;	 /* ip lies in the caller, but it is not where the call
			    was: that return address is written over */
	bool has_number; /* is_regs, a hypercall: ax is still its number */
	const char *guest;	 /* is_regs, into another world: who ran */
	const char *foreign;	 /* is_regs, of a world that is not here: why */
	struct mdb_trap trap;	 /* is_regs: how control came in */
	struct mdb_world *world; /* whose code it is; NULL: of the same world */
};

struct mdb_unwind {
	struct mdb_ctx *cx;
	struct mdb_world *world;
	struct mdb_frame frame;	   /* the current one */
	struct mdb_object *object; /* that holds the frame's pc, or NULL */
	const char *foreign;	   /* its world is not here, and why */
	bool innermost;		   /* nothing was unwound yet */
	bool guessing;		   /* a frame below was a guess */
	bool verify; /* look for a call before each return address */

	/* Which stack sp is on, and those already left for good. */
	struct mdb_stack_range stack;
	bool asked_stack; /* on_known_stack is the answer */
	bool on_known_stack;
	mdb_addr_t left[MDB_UNWIND_MAX_LEFT];
	size_t nr_left;
	size_t nr_unknown_switches;
	size_t nr_crossings; /* into other worlds */

	/* Of the CPU itself, until a page fault on its stack explains it. */
	bool has_cr2;
	uint64_t cr2;

	mdb_addr_t window_addr;
	bool window_filled;
	uint8_t window[MDB_UNWIND_WINDOW];

	enum mdb_stack_end end;
	const char *why;
};

/* A word of the stack.  MDB_E_CORRUPT for an address that is not aligned. */
enum mdb_status mdb_unwind_word(struct mdb_unwind *u, mdb_addr_t addr,
	uint64_t *value_out);

/* Is the frame on a stack of a CPU's own, one whose bounds are known? */
bool mdb_unwind_on_known_stack(struct mdb_unwind *u);

/* Ends the walk; returns MDB_STEP_END.  The first reason given stays. */
enum mdb_unwind_step mdb_unwind_end(struct mdb_unwind *u,
	enum mdb_stack_end end, const char *fmt, ...) MDB_PRINTF(3, 4);
/* The same for a word that mdb_unwind_word could not read. */
enum mdb_unwind_step mdb_unwind_end_unread(struct mdb_unwind *u,
	mdb_addr_t addr);

/* The object whose code holds pc, without loading modules for kernel code. */
struct mdb_object *mdb_unwind_object(struct mdb_unwind *u, mdb_addr_t pc);

/* The address by which a frame's function and unwind data are found. */
static inline mdb_addr_t
mdb_frame_lookup_pc(const struct mdb_frame *frame)
{
	return frame->pc - (frame->pc_is_return ? 1 : 0);
}

/*
 * Its code, not its frame pointers, decides where the caller is: each return
 * address is held against what the call before it can reach.
 */
static inline bool
mdb_unwind_is_xen_64(const struct mdb_world *world)
{
	return world->kind == MDB_WORLD_XEN && world->arch->word == 8;
}

/* Does a call instruction end at pc? */
enum mdb_call_check {
	MDB_CALL_YES = 0,
	MDB_CALL_NO,
	MDB_CALL_UNKNOWN, /* the code cannot be read, or is no longer there */
};
enum mdb_call_check mdb_unwind_check_call(struct mdb_unwind *u, mdb_addr_t pc);
/* In len bytes, the last of which is before the address in question. */
bool mdb_call_ends(const uint8_t *bytes, size_t len, bool is_64bit);

/*
 * Registers saved by an entry stub.  addr: of the struct pt_regs.  With
 * partial only its last five words are there; the others stay as in regs.
 * MDB_E_CORRUPT when what lies there cannot be saved registers.
 */
enum mdb_status mdb_unwind_read_regs(struct mdb_unwind *u, mdb_addr_t addr,
	bool partial, struct mdb_regs *regs);
/* Bytes of struct pt_regs before its ip. */
size_t mdb_regs_ip_offset(const struct mdb_arch *arch);
bool mdb_regs_is_user(const struct mdb_arch *arch, const struct mdb_regs *regs);
/* Drop what a called function may have changed. */
void mdb_regs_keep_system(struct mdb_regs *regs);

/* The names of entry stubs that are known are Linux'. */
bool mdb_unwind_has_linux_entries(const struct mdb_world *world);
/* Which trap is the current frame's function an entry stub for? */
struct mdb_trap mdb_unwind_trap(struct mdb_unwind *u);
/* The same for the function that holds pc. */
struct mdb_trap mdb_unwind_trap_at(struct mdb_unwind *u, mdb_addr_t pc);

/* The caller through the pt_regs at addr, with cfa, fp and trap filled in. */
enum mdb_unwind_step mdb_unwind_through_regs(struct mdb_unwind *u,
	mdb_addr_t addr, bool partial, struct mdb_caller *caller_out);

/*
 * Registers that Xen saved when it was entered: struct cpu_user_regs
 * (xen/include/public/arch-x86/xen-x86_{32,64}.h).  Its code marks them in the
 * chain of frame pointers by the inverted address of the saved bp.
 * mdb_xen_regs_of_bp: where they would begin; mdb_xen_through_regs: as
 * mdb_unwind_through_regs, into the world whose code was interrupted.
 */
mdb_addr_t mdb_xen_regs_of_bp(const struct mdb_unwind *u, uint64_t bp);
enum mdb_unwind_step mdb_xen_through_regs(struct mdb_unwind *u, mdb_addr_t addr,
	struct mdb_caller *caller_out);

/*
 * The same in 64-bit Xen, where addr is only supposed: MDB_STEP_NONE when
 * there cannot be registers.
 */
enum mdb_xen_words {
	MDB_XEN_WHOLE = 0, /* all are there */
	MDB_XEN_CALLING,   /* and a hypercall goes on: ax is its number */
	MDB_XEN_RETURNING, /* and nobody needs the vector any more */
	MDB_XEN_PARTIAL,   /* only ip, cs, flags, sp and ss */
};
enum mdb_unwind_step mdb_xen_through_words(struct mdb_unwind *u,
	mdb_addr_t addr, enum mdb_xen_words words,
	struct mdb_caller *caller_out);
/*
 * The same for a guest whose syscall has just come in: regs are the CPU's, with
 * the guest's sp; at: a place on the CPU's stack.
 */
enum mdb_unwind_step mdb_xen_through_syscall(struct mdb_unwind *u,
	mdb_addr_t at, const struct mdb_regs *regs,
	struct mdb_caller *caller_out);
enum mdb_unwind_step mdb_xen_syscall_step(struct mdb_unwind *u,
	struct mdb_caller *caller_out);
/* The same for a guest that a VM exit left: not all registers are on the
 * stack. */
enum mdb_unwind_step mdb_xen_through_exit(struct mdb_unwind *u, mdb_addr_t addr,
	struct mdb_caller *caller_out);

/* A walk from registers that a CPU had in a guest starts in its world. */
void mdb_xen_start_in_guest(struct mdb_unwind *u, const struct mdb_regs *regs);

/* Xen's entry code, by the name of its symbol. */
enum mdb_xen_entry {
	MDB_XEN_ENTRY_NONE = 0,
	MDB_XEN_ENTRY_REGS,   /* its stack pointer is at the saved registers */
	MDB_XEN_ENTRY_CALL,   /* the same; hypercalls are made from there */
	MDB_XEN_ENTRY_BACK,   /* the same; on the way out */
	MDB_XEN_ENTRY_VMEXIT, /* of a guest with hardware help */
	MDB_XEN_ENTRY_REST,   /* its stack pointer is at where it was before */
};
enum mdb_xen_entry mdb_xen_entry_of_name(const char *name);
enum mdb_unwind_step mdb_xen_entry_step(struct mdb_unwind *u,
	struct mdb_caller *caller_out);
/* Frame pointers, where 64-bit Xen's code could not be followed. */
enum mdb_unwind_step mdb_xen_frameptr_step(struct mdb_unwind *u,
	struct mdb_caller *caller_out);

/* Could a processor have saved these? */
bool mdb_regs_is_plausible(const struct mdb_arch *arch,
	const struct mdb_regs *regs);

/*
 * The arguments that a function of a 32-bit world was called with, as many as
 * its caller takes off the stack where it returns to, at most max; 0: none, or
 * nobody can tell.
 */
size_t mdb_frame_args(const struct mdb_frame *frame, size_t max,
	uint64_t *args_out);

/* The unwinders, in the order in which they are asked. */
enum mdb_unwind_step mdb_pv_iret_step(struct mdb_unwind *u,
	struct mdb_caller *caller_out);
enum mdb_unwind_step mdb_orc_step(struct mdb_unwind *u,
	struct mdb_caller *caller_out);
enum mdb_unwind_step mdb_entry_step(struct mdb_unwind *u,
	struct mdb_caller *caller_out);
enum mdb_unwind_step mdb_flow_step(struct mdb_unwind *u,
	struct mdb_caller *caller_out);
enum mdb_unwind_step mdb_frameptr_step(struct mdb_unwind *u,
	struct mdb_caller *caller_out);
enum mdb_unwind_step mdb_scan_step(struct mdb_unwind *u,
	struct mdb_caller *caller_out);

/* Where a walk starts. */
struct mdb_unwind_start {
	struct mdb_world *world;
	struct mdb_regs regs;
	bool is_return; /* regs' ip is a return address */
};

/* As mdb_stack_walk. */
enum mdb_status mdb_unwind_walk(struct mdb_ctx *cx,
	const struct mdb_unwind_start *start, mdb_frame_fn *fn, void *arg,
	enum mdb_stack_end *end_out, const char **why_out);

/*
 * What lies at a frame's address: registers that an exception saved, or the
 * frame pointer and return address of a caller.  MDB_E_CORRUPT when it is
 * neither.
 */
enum mdb_status mdb_unwind_regs_at(struct mdb_ctx *cx, struct mdb_loc loc,
	struct mdb_unwind_start *start_out);

#endif
