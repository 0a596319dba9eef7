/* SPDX-License-Identifier: MIT */
/*
 * Machine instructions of x86: what one does, and how it is written.
 *
 * mdb_insn_decode() turns bytes into struct mdb_insn, which says where control
 * goes and what becomes of the stack pointer; mdb_insn_format() writes it as
 * mdb on Solaris and illumos does.  Neither knows a target: the caller brings
 * the bytes and, for names, a function.  Nothing is allocated or remembered,
 * so both may be used from any thread.  Bytes that are no instruction are one
 * instruction of kind MDB_INSN_INVALID and length 1; no byte past the given
 * ones is read.
 *
 * The spelling (that of the Solaris disassembler, as in illumos, 2021):
 *
 *   movq   %rsp,%rbp            mnemonic with its size, padded to 7 columns;
 *                               no blank after a comma
 *   subl   $0x30,%esp           numbers in hexadecimal
 *   cmpl   $-0x1,%eax <0xffffffff>   an arithmetic immediate from -255 to -1
 *                               is negative; its bits follow
 *   movq   -0x8(%rbp),%rax      a displacement has a sign
 *   nopl   0x0(%rax,%rax)       a scale of 1 is not written
 *   movq   %gs:0x28,%rax        call   *0x8(%rax)
 *   call   +0x1234 <panic>      relative to the next instruction, and to where;
 *   jne    -0x1f   <foo+0x3>    without a name <0xffff...>
 *   leaq   +0x1234(%rip),%rdi <name>
 *   cmovq.e %rax,%rbx           lock cmpxchgq %rdx,(%rdi)
 *   repz stosq %rax,(%rdi)      int    $0x3
 *
 * What follows in <> begins at the next multiple of 8 columns.  A <> is also
 * put after an immediate or an address that stands alone, if it has a name.
 *
 * Where we differ from Solaris, to be clearer: displacements below -255 stay
 * negative (Solaris: 0xfffffffffffffec8(%rbp)), except those without a base or
 * beyond -16 MiB, which are addresses; in and out name the accumulator; iret,
 * lret and sysret carry their size; prefixes that do nothing are left out.
 */
#ifndef MDB_STACK_DIS_H
#define MDB_STACK_DIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MDB_INSN_MAX = 15,    /* the longest instruction, in bytes */
	MDB_INSN_TEXT = 160,  /* a line without its names fits here */
	MDB_INSN_NO_REG = 255 /* no general register, or none alone */
};

/* What an instruction does to control and stack. */
enum mdb_insn_kind {
	MDB_INSN_INVALID, /* no instruction begins here */
	MDB_INSN_OTHER,
	MDB_INSN_CALL,
	MDB_INSN_JUMP,	 /* never goes on to the next instruction */
	MDB_INSN_BRANCH, /* conditional: jcc, loop, jcxz, xbegin */
	MDB_INSN_RET,	 /* ret, lret, iret, sysret, sysexit, ... */
	MDB_INSN_TRAP,	 /* ud2, ud1, int3: may or may not come back */
	MDB_INSN_PUSH,
	MDB_INSN_POP,
	MDB_INSN_SP_ADD, /* add, sub or lea by a constant */
	MDB_INSN_SP_SET, /* any other write of the stack pointer */
	MDB_INSN_FRAME,	 /* bp := sp + sp_off: mov, lea */
	MDB_INSN_ENTER,
	MDB_INSN_LEAVE
};

/*
 * One instruction.  "Known" fields are meaningful where their has_ is set.
 */
struct mdb_insn {
	uint64_t addr;	  /* where it is */
	uint64_t target;  /* of CALL, JUMP, BRANCH, unless through a register
			     or memory */
	uint64_t mem;	  /* its operand in memory: relative to rip, or absolute
			     and not in fs or gs.  Also of `call *+8(%rip)` */
	int32_t sp_delta; /* what is added to the stack pointer, as the next
			     instruction to run in this function sees it: 0
			     for CALL, 8 + imm for RET, -8 for a PUSH */
	int32_t sp_off;	  /* SP_SET and LEAVE with reg: sp := reg + sp_off;
			     FRAME: bp := sp + sp_off */
	enum mdb_insn_kind kind;
	uint8_t len;  /* 1..15; 0 only if there were no bytes */
	uint8_t bits; /* 64, 32 or 16 */
	uint8_t reg;  /* PUSH, POP, SP_SET, LEAVE: 0 = ax, cx, dx, bx, sp, bp,
			 si, di, 8..15 as the processor numbers them; or
			 MDB_INSN_NO_REG */
	bool has_target;
	bool has_mem;
	bool has_sp_delta; /* false: SP_SET, ENTER, LEAVE, traps, iret */
	bool truncated;	   /* INVALID only because the bytes end here */
	uint8_t bytes[MDB_INSN_MAX];
};

/*
 * Decode the instruction at addr, of which nr bytes (any number) are there.
 * bits is that of the code segment; what is neither 64 nor 16 counts as 32.
 */
void mdb_insn_decode(const uint8_t *bytes, size_t nr, uint64_t addr,
	unsigned int bits, struct mdb_insn *insn_out);

/*
 * Write the name of addr ("panic+0x45") into buf, at most len bytes with the
 * final 0, and return its length; 0 if it has none.  It is asked about numbers
 * that may be no address: let it answer only for what lies inside an object.
 * For %gs in 64 bits it is asked about the offset into the per-CPU area.
 */
typedef size_t mdb_insn_symbol_fn(void *arg, uint64_t addr, char *buf,
	size_t len);

/*
 * Write the instruction into buf, cut to len with the final 0, and return the
 * whole text's length as snprintf does.  symbol may be NULL.
 */
size_t mdb_insn_format(const struct mdb_insn *insn, mdb_insn_symbol_fn *symbol,
	void *arg, char *buf, size_t len);

#endif
