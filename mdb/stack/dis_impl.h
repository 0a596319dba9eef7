/* SPDX-License-Identifier: MIT */
/*
 * What the files of the disassembler share: the library's view of one
 * instruction.  Only dis*.c include this; nobody else sees Zydis.
 */
#ifndef MDB_STACK_DIS_IMPL_H
#define MDB_STACK_DIS_IMPL_H

#include "mdb/stack/dis.h"

#include <Zydis/Zydis.h>

/* A text being written: pos counts on past len, buf ends in 0 if len > 0. */
struct dis_text {
	char *buf;
	size_t len;
	size_t pos;
};

void dis_put_n(struct dis_text *t, const char *s, size_t n);

/* All strings up to a NULL. */
void dis_put_all(struct dis_text *t, const char *const *s);
#define DIS_PUT(t, ...) \
	dis_put_all((t), (const char *const[]){ __VA_ARGS__, NULL })

/* In base 16 with 0x, or in base 10. */
void dis_put_number(struct dis_text *t, uint64_t value, unsigned int base);

/* In base 16 with a minus, or with plus (which may be "") in front. */
void dis_put_signed(struct dis_text *t, const char *plus, int64_t value);

/* Blanks up to a column. */
void dis_put_blanks(struct dis_text *t, size_t column);

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
void dis_bare_name(const struct raw_insn *raw, struct dis_text *t);

/* The mnemonic with prefixes and size, as Solaris spells it. */
void dis_mnemonic(const struct raw_insn *raw, struct dis_text *t);

/* Has dis_mnemonic() put the last operand, an immediate, into the name? */
bool dis_names_immediate(const struct raw_insn *raw);

/* movs, cmps, stos, lods, scas, ins, outs: operands are not in the encoding. */
bool dis_is_string(const ZydisDecodedInstruction *i);

/* How much a string instruction moves, in bits. */
unsigned int dis_element_width(const ZydisDecodedInstruction *i);

#endif
