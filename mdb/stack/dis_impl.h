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

/* Zydis' reading of one instruction. */
struct raw_insn {
	ZydisDecodedInstruction i;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
};

/* False if the bytes are no instruction; *truncated if there are too few. */
bool dis_raw_decode(const uint8_t *bytes, size_t nr, unsigned int bits,
	struct raw_insn *raw_out, bool *truncated_out);

/* The mnemonic with prefixes and size, as Solaris spells it. */
void dis_mnemonic(const struct raw_insn *raw, char *buf, size_t len);

/* A vector comparison whose immediate dis_mnemonic() has put in the name. */
bool dis_is_named_compare(const struct raw_insn *raw);

/* movs, cmps, stos, lods, scas, ins, outs: operands are not in the encoding. */
bool dis_is_string(const ZydisDecodedInstruction *i);

#endif
