/* SPDX-License-Identifier: MIT */
/*
 * What the files of the disassembler share: the library's view of one
 * instruction.  Only dis*.c include this; nobody else sees Zydis.
 */
#ifndef MDB_STACK_DIS_IMPL_H
#define MDB_STACK_DIS_IMPL_H

#include "mdb/stack/dis.h"

#include <Zydis/Zydis.h>

enum {
	MNEMONIC_MAX = 64
};

/* An instruction that Zydis does not know: [prefix] 0f opcode [modrm]. */
struct dis_new {
	uint8_t prefix; /* f2, f3 or none */
	uint8_t opcode;
	uint8_t modrm; /* all of it, or only the bits of reg */
	enum {
		DIS_NEW_NO_MODRM,
		DIS_NEW_FIXED,
		DIS_NEW_LIKE_LLDT /* operands as those of lldt */
	} form;
	const char *name;
	enum mdb_insn_kind kind;
};

/*
 * NULL if the bytes (at most MDB_INSN_MAX) are nothing new.  Otherwise its
 * length, and in stand_in, as long as bytes, what Zydis can read if it is like
 * lldt.
 */
const struct dis_new *dis_new_find(const uint8_t *bytes, size_t nr,
	unsigned int bits, uint8_t *stand_in, size_t *len_out);

/* Zydis' reading of one instruction; of a new one without operands only
   i.length and i.raw are set. */
struct raw_insn {
	const struct dis_new *young; /* NULL for most */
	ZydisDecodedInstruction i;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
};

/* False if the bytes are no instruction; *truncated if there are too few. */
bool dis_raw_decode(const uint8_t *bytes, size_t nr, unsigned int bits,
	struct raw_insn *raw_out, bool *truncated_out);

/* The mnemonic with its size, without prefixes; not of a new instruction. */
void dis_bare_name(const struct raw_insn *raw, char *buf, size_t len);

/* The mnemonic with prefixes and size, as Solaris spells it. */
void dis_mnemonic(const struct raw_insn *raw, char *buf, size_t len);

/* Has dis_mnemonic() put the last operand, an immediate, into the name? */
bool dis_names_immediate(const struct raw_insn *raw);

/* movs, cmps, stos, lods, scas, ins, outs: operands are not in the encoding. */
bool dis_is_string(const ZydisDecodedInstruction *i);

/* How much a string instruction moves, in bits. */
unsigned int dis_element_width(const ZydisDecodedInstruction *i);

#endif
