/* SPDX-License-Identifier: MIT */
/*
 * From bytes to struct mdb_insn: where control goes, what becomes of the stack
 * pointer, which address is used.  Zydis decodes; this file interprets.
 *
 * The invariant: a field is "known" only if the encoding alone says so.  An
 * instruction that writes the stack pointer in a way not listed here is
 * MDB_INSN_SP_SET without a register, never MDB_INSN_OTHER.
 */
#include "mdb/stack/dis.h"

#include "mdb/stack/dis_impl.h"

enum {
	SP = 4,
	BP = 5
};

static void
init_decoder(ZydisDecoder *d, unsigned int bits)
{
	if (bits == 64)
		ZydisDecoderInit(d, ZYDIS_MACHINE_MODE_LONG_64,
			ZYDIS_STACK_WIDTH_64);
	else if (bits == 16)
		ZydisDecoderInit(d, ZYDIS_MACHINE_MODE_LEGACY_16,
			ZYDIS_STACK_WIDTH_16);
	else
		ZydisDecoderInit(d, ZYDIS_MACHINE_MODE_LEGACY_32,
			ZYDIS_STACK_WIDTH_32);
}

bool
dis_raw_decode(const uint8_t *bytes, size_t nr, unsigned int bits,
	struct raw_insn *raw_out, bool *truncated_out)
{
	uint8_t stand_in[MDB_INSN_MAX];
	ZydisDecoder d;
	ZyanStatus st;
	size_t len;

	*truncated_out = false;
	raw_out->young = dis_new_find(bytes, nr, bits, stand_in, &len);
	if (raw_out->young && raw_out->young->form != DIS_NEW_LIKE_LLDT) {
		raw_out->i =
			(ZydisDecodedInstruction){ .length = (uint8_t)len };
		return true;
	}
	init_decoder(&d, bits);
	st = ZydisDecoderDecodeFull(&d, raw_out->young ? stand_in : bytes, nr,
		&raw_out->i, raw_out->op);
	*truncated_out = st == ZYDIS_STATUS_NO_MORE_DATA;
	return ZYAN_SUCCESS(st);
}

/* The processor's number of a general register of any width. */
static uint8_t
gpr(ZydisRegister r)
{
	ZydisRegisterClass c = ZydisRegisterGetClass(r);

	if (c != ZYDIS_REGCLASS_GPR16 && c != ZYDIS_REGCLASS_GPR32 &&
		c != ZYDIS_REGCLASS_GPR64)
		return MDB_INSN_NO_REG;
	return (uint8_t)ZydisRegisterGetId(r);
}

static uint8_t
operand_gpr(const ZydisDecodedOperand *op)
{
	return op->type == ZYDIS_OPERAND_TYPE_REGISTER ? gpr(op->reg.value)
						       : MDB_INSN_NO_REG;
}

static uint64_t
address_mask(unsigned int bits)
{
	return bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
}

static bool
is_memory(const ZydisDecodedOperand *op)
{
	return op->type == ZYDIS_OPERAND_TYPE_MEMORY &&
	       op->mem.type != ZYDIS_MEMOP_TYPE_INVALID;
}

/* The memory operand, if its address does not hang on a register. */
static void
find_memory(const struct raw_insn *raw, struct mdb_insn *in)
{
	for (int k = 0; k < raw->i.operand_count_visible; k++) {
		const ZydisDecodedOperand *op = &raw->op[k];

		if (!is_memory(op) || op->mem.index != ZYDIS_REGISTER_NONE ||
			op->mem.segment == ZYDIS_REGISTER_FS ||
			op->mem.segment == ZYDIS_REGISTER_GS)
			continue;
		in->mem = (uint64_t)op->mem.disp.value;
		if (op->mem.base == ZYDIS_REGISTER_RIP ||
			op->mem.base == ZYDIS_REGISTER_EIP)
			in->mem += in->addr + in->len;
		else if (op->mem.base != ZYDIS_REGISTER_NONE)
			continue;
		in->mem &= address_mask(raw->i.address_width);
		in->has_mem = true;
		return;
	}
}

/* The bits of an instruction pointer that a near branch loads. */
static uint64_t
branch_mask(const struct raw_insn *raw, unsigned int bits)
{
	if (bits == 64)
		return UINT64_MAX;
	return raw->i.operand_width == 16 ? 0xffff : 0xffffffff;
}

static void
find_target(const struct raw_insn *raw, struct mdb_insn *in)
{
	const ZydisDecodedOperand *op = &raw->op[0];

	if (op->type != ZYDIS_OPERAND_TYPE_IMMEDIATE || !op->imm.is_relative)
		return;
	in->target = (in->addr + in->len + op->imm.value.u) &
		     branch_mask(raw, in->bits);
	in->has_target = true;
}

static int32_t
stack_word(const struct raw_insn *raw)
{
	return raw->i.operand_width / 8;
}

/* ret, ret $n: other returns load the stack pointer from the stack. */
static void
interpret_return(const struct raw_insn *raw, struct mdb_insn *in)
{
	in->kind = MDB_INSN_RET;
	if (raw->i.mnemonic != ZYDIS_MNEMONIC_RET ||
		raw->i.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
		return;
	in->sp_delta = stack_word(raw);
	if (raw->op[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
		in->sp_delta += (int32_t)raw->op[0].imm.value.u;
	in->has_sp_delta = true;
}

/* By how much push and pop move the stack pointer, 0 for others. */
static int32_t
push_delta(const struct raw_insn *raw)
{
	int32_t word = stack_word(raw);

	switch (raw->i.mnemonic) {
	case ZYDIS_MNEMONIC_PUSH:
	case ZYDIS_MNEMONIC_PUSHF:
	case ZYDIS_MNEMONIC_PUSHFD:
	case ZYDIS_MNEMONIC_PUSHFQ:
		return -word;
	case ZYDIS_MNEMONIC_POP:
	case ZYDIS_MNEMONIC_POPF:
	case ZYDIS_MNEMONIC_POPFD:
	case ZYDIS_MNEMONIC_POPFQ:
		return word;
	case ZYDIS_MNEMONIC_PUSHA:
	case ZYDIS_MNEMONIC_PUSHAD:
		return -8 * word;
	case ZYDIS_MNEMONIC_POPA:
	case ZYDIS_MNEMONIC_POPAD:
		return 8 * word;
	default:
		return 0;
	}
}

static void
interpret_push(const struct raw_insn *raw, struct mdb_insn *in, int32_t delta)
{
	in->kind = delta < 0 ? MDB_INSN_PUSH : MDB_INSN_POP;
	in->sp_delta = delta;
	in->has_sp_delta = true;
	if (raw->i.operand_count_visible > 0)
		in->reg = operand_gpr(&raw->op[0]);
	if (delta > 0 && in->reg == SP) { /* pop %rsp */
		in->kind = MDB_INSN_SP_SET;
		in->reg = MDB_INSN_NO_REG;
		in->sp_delta = 0;
		in->has_sp_delta = false;
	}
}

/* base + constant, as lea computes it: no index, no segment. */
static bool
simple_lea(const ZydisDecodedOperand *op, uint8_t *base_out, int32_t *off_out)
{
	if (!is_memory(op) || op->mem.index != ZYDIS_REGISTER_NONE ||
		gpr(op->mem.base) == MDB_INSN_NO_REG)
		return false;
	*base_out = gpr(op->mem.base);
	*off_out = (int32_t)op->mem.disp.value;
	return true;
}

/* The first operand becomes a register plus a constant: mov, lea, add, sub. */
static bool
register_plus(const struct raw_insn *raw, uint8_t *base_out, int32_t *off_out)
{
	const ZydisDecodedOperand *src = &raw->op[1];
	int64_t imm = src->type == ZYDIS_OPERAND_TYPE_IMMEDIATE
			      ? src->imm.value.s
			      : INT64_MAX;

	switch (raw->i.mnemonic) {
	case ZYDIS_MNEMONIC_LEA:
		return simple_lea(src, base_out, off_out);
	case ZYDIS_MNEMONIC_MOV:
		*base_out = operand_gpr(src);
		*off_out = 0;
		return *base_out != MDB_INSN_NO_REG;
	case ZYDIS_MNEMONIC_ADD:
	case ZYDIS_MNEMONIC_SUB:
		if (imm == INT64_MAX || imm == INT32_MIN)
			return false;
		*base_out = operand_gpr(&raw->op[0]);
		*off_out = raw->i.mnemonic == ZYDIS_MNEMONIC_ADD
				   ? (int32_t)imm
				   : -(int32_t)imm;
		return true;
	default:
		return false;
	}
}

/* The whole stack or frame pointer of this mode, not its lower half. */
static bool
is_full_width(const struct raw_insn *raw, unsigned int bits)
{
	return raw->op[0].size == bits;
}

/* Any part of the stack pointer, even %spl. */
static bool
writes_sp(const struct raw_insn *raw)
{
	for (int k = 0; k < raw->i.operand_count; k++) {
		const ZydisDecodedOperand *op = &raw->op[k];

		if (op->type == ZYDIS_OPERAND_TYPE_REGISTER &&
			(op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) &&
			gpr(ZydisRegisterGetLargestEnclosing(
				ZYDIS_MACHINE_MODE_LONG_64, op->reg.value)) ==
				SP)
			return true;
	}
	return false;
}

/* Anything that is not a branch, push or pop. */
static void
interpret_stack(const struct raw_insn *raw, struct mdb_insn *in)
{
	uint8_t dst = raw->i.operand_count_visible > 0
			      ? operand_gpr(&raw->op[0])
			      : MDB_INSN_NO_REG;
	uint8_t base;
	int32_t off;
	bool known = raw->i.operand_count_visible == 2 &&
		     is_full_width(raw, in->bits) &&
		     register_plus(raw, &base, &off);

	if (!writes_sp(raw)) {
		in->has_sp_delta = true;
		if (known && dst == BP && base == SP) {
			in->kind = MDB_INSN_FRAME;
			in->sp_off = off;
		}
	} else if (known && dst == SP && base == SP) {
		in->kind = MDB_INSN_SP_ADD;
		in->sp_delta = off;
		in->has_sp_delta = true;
	} else {
		in->kind = MDB_INSN_SP_SET;
		if (known && dst == SP) {
			in->reg = base;
			in->sp_off = off;
		}
	}
}

/* Kinds that the mnemonic alone decides; false if there is none. */
static bool
interpret_special(const struct raw_insn *raw, struct mdb_insn *in)
{
	switch (raw->i.mnemonic) {
	case ZYDIS_MNEMONIC_ENTER:
		in->kind = MDB_INSN_ENTER;
		return true;
	case ZYDIS_MNEMONIC_LEAVE:
		in->kind = MDB_INSN_LEAVE;
		in->reg = BP;
		in->sp_off = stack_word(raw);
		return true;
	case ZYDIS_MNEMONIC_INT3:
	case ZYDIS_MNEMONIC_UD0:
	case ZYDIS_MNEMONIC_UD1:
	case ZYDIS_MNEMONIC_UD2:
		in->kind = MDB_INSN_TRAP;
		return true;
	case ZYDIS_MNEMONIC_SYSEXIT:
	case ZYDIS_MNEMONIC_RSM:
		in->kind = MDB_INSN_RET;
		return true;
	default:
		return false;
	}
}

static void
interpret(const struct raw_insn *raw, struct mdb_insn *in)
{
	int32_t delta;

	if (raw->young) {
		in->kind = raw->young->kind;
		in->has_sp_delta = in->kind == MDB_INSN_OTHER;
		return;
	}
	in->kind = MDB_INSN_OTHER;
	delta = push_delta(raw);
	if (delta) {
		interpret_push(raw, in, delta);
		return;
	}
	if (interpret_special(raw, in))
		return;
	switch (raw->i.meta.category) {
	case ZYDIS_CATEGORY_CALL:
		in->kind = MDB_INSN_CALL;
		in->has_sp_delta = true;
		find_target(raw, in);
		break;
	case ZYDIS_CATEGORY_UNCOND_BR:
		in->kind = MDB_INSN_JUMP;
		in->has_sp_delta = true;
		find_target(raw, in);
		break;
	case ZYDIS_CATEGORY_COND_BR:
		in->kind = MDB_INSN_BRANCH;
		in->has_sp_delta = true;
		find_target(raw, in);
		break;
	case ZYDIS_CATEGORY_RET:
	case ZYDIS_CATEGORY_SYSRET:
		interpret_return(raw, in);
		break;
	default:
		interpret_stack(raw, in);
	}
}

void
mdb_insn_decode(const uint8_t *bytes, size_t nr, uint64_t addr,
	unsigned int bits, struct mdb_insn *insn_out)
{
	struct mdb_insn in = { .addr = addr, .reg = MDB_INSN_NO_REG };
	struct raw_insn raw;

	if (nr > MDB_INSN_MAX)
		nr = MDB_INSN_MAX;
	in.bits = bits == 64 || bits == 16 ? (uint8_t)bits : 32;
	if (nr && dis_raw_decode(bytes, nr, in.bits, &raw, &in.truncated)) {
		in.len = raw.i.length;
		interpret(&raw, &in);
		find_memory(&raw, &in);
	} else {
		in.truncated = in.truncated || !nr;
		in.len = nr ? 1 : 0;
	}
	for (size_t k = 0; k < in.len; k++)
		in.bytes[k] = bytes[k];
	*insn_out = in;
}
