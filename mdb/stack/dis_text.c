/* SPDX-License-Identifier: MIT */
/*
 * The text of an instruction: operands in AT&T's order, then the names of the
 * addresses in it.  dis.h describes the spelling.
 *
 * The invariant: everything goes through dis_put.c, which never writes past
 * the caller's buffer and counts what did not fit.
 */
#include "mdb/stack/dis_impl.h"

enum {
	NAME_MAX_LEN = 512,
	/* An immediate from -255 to -1 is a small negative number. */
	SMALL_NEGATIVE = -255,
	/* A displacement below this is not into an object but an address. */
	FAR_NEGATIVE = -(16 << 20),
	/* What is below this is a number, whatever symbols are there. */
	FIRST_ADDRESS = 1 << 20,
	/* From here to -1 are error codes and small numbers, not addresses. */
	LAST_PAGE = -4096,
	OPERAND_COLUMN = 7,
	MAX_NOTES = 4
};

/* The line being written, and the addresses to be named at its end. */
struct line {
	struct dis_text t;
	const struct mdb_insn *insn;
	const struct raw_insn *raw;
	struct note {
		uint64_t value;
		enum {
			NOTE_TARGET, /* name, or <0x...> */
			NOTE_NAME,   /* name, or nothing */
			NOTE_NUMBER
		} how;
	} notes[MAX_NOTES];
	int nr_notes;
};

static void
note(struct line *l, uint64_t value, int how)
{
	if (l->nr_notes < MAX_NOTES) {
		l->notes[l->nr_notes].value = value;
		l->notes[l->nr_notes].how = how;
		l->nr_notes++;
	}
}

static uint64_t
mask_of(unsigned int bits)
{
	return bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
}

/* %st is the top of the x87 stack where no bits say so, %st(0) where they do.
 */
static void
put_x87(struct line *l, const ZydisDecodedOperand *op)
{
	if (op->encoding == ZYDIS_OPERAND_ENCODING_NONE)
		DIS_PUT(&l->t, "%st");
	else {
		DIS_PUT(&l->t, "%st(");
		dis_put_number(&l->t,
			(uint64_t)ZydisRegisterGetId(op->reg.value), 10);
		DIS_PUT(&l->t, ")");
	}
}

static void
put_register(struct line *l, ZydisRegister r)
{
	const char *name = ZydisRegisterGetString(r);

	DIS_PUT(&l->t, "%", name ? name : "?");
}

/* An immediate that is a number added, moved or compared: it has a sign. */
static bool
is_arithmetic(ZydisMnemonic m)
{
	switch (m) {
	case ZYDIS_MNEMONIC_MOV:
	case ZYDIS_MNEMONIC_ADD:
	case ZYDIS_MNEMONIC_ADC:
	case ZYDIS_MNEMONIC_SUB:
	case ZYDIS_MNEMONIC_SBB:
	case ZYDIS_MNEMONIC_CMP:
	case ZYDIS_MNEMONIC_PUSH:
	case ZYDIS_MNEMONIC_IMUL:
		return true;
	default:
		return false;
	}
}

/* Instructions whose immediate is as wide as what they work on. */
static bool
widens_immediate(ZydisMnemonic m)
{
	switch (m) {
	case ZYDIS_MNEMONIC_AND:
	case ZYDIS_MNEMONIC_OR:
	case ZYDIS_MNEMONIC_XOR:
	case ZYDIS_MNEMONIC_TEST:
		return true;
	default:
		return is_arithmetic(m);
	}
}

static void
put_branch(struct line *l, const ZydisDecodedOperand *op)
{
	int64_t off = op->imm.value.s;

	dis_put_signed(&l->t, "+", off);
	/* All relative operands are branch targets, so this one is known. */
	note(l, l->insn->target, NOTE_TARGET);
}

static void
put_immediate(struct line *l, const ZydisDecodedOperand *op)
{
	ZydisMnemonic m = l->raw->i.mnemonic;
	unsigned int bits =
		widens_immediate(m) ? l->raw->i.operand_width : op->size;
	uint64_t value = op->imm.value.u & mask_of(bits);
	uint64_t sign = UINT64_C(1) << (bits - 1);
	int64_t number = (int64_t)((value ^ sign) - sign);

	if (op->imm.is_relative) {
		put_branch(l, op);
	} else if (is_arithmetic(m) && number < 0 && number >= SMALL_NEGATIVE) {
		DIS_PUT(&l->t, "$");
		dis_put_signed(&l->t, "", number);
		note(l, value, NOTE_NUMBER);
	} else {
		DIS_PUT(&l->t, "$");
		dis_put_number(&l->t, value, 16);
		if (is_arithmetic(m) && bits >= 32 &&
			(number < LAST_PAGE || number >= FIRST_ADDRESS))
			note(l, value, NOTE_NAME);
	}
}

static bool
is_pc(ZydisRegister r)
{
	return r == ZYDIS_REGISTER_RIP || r == ZYDIS_REGISTER_EIP;
}

/* A displacement that is an address by itself, not an offset into something. */
static bool
is_absolute(const ZydisDecodedOperandMem *m)
{
	return m->base == ZYDIS_REGISTER_NONE || m->disp.value < FAR_NEGATIVE;
}

static bool
has_thread_segment(const ZydisDecodedOperandMem *m)
{
	return m->segment == ZYDIS_REGISTER_FS ||
	       m->segment == ZYDIS_REGISTER_GS;
}

/*
 * %gs counts from a CPU's or thread's own area: only
 * what the symbol function knows to be there has a name.
 */
static void
note_address(struct line *l, const ZydisDecodedOperandMem *m, uint64_t addr)
{
	bool own = has_thread_segment(m);

	if (own ? m->segment == ZYDIS_REGISTER_GS && l->insn->bits == 64
		: addr >= FIRST_ADDRESS)
		note(l, addr, NOTE_NAME);
}

static void
put_displacement(struct line *l, const ZydisDecodedOperandMem *m)
{
	uint64_t u = (uint64_t)m->disp.value;
	uint64_t mask = mask_of(l->raw->i.address_width);

	if (is_pc(m->base)) {
		dis_put_signed(&l->t, "+", m->disp.value);
		note(l, (l->insn->addr + l->insn->len + u) & mask, NOTE_TARGET);
	} else if (is_absolute(m)) {
		dis_put_number(&l->t, u & mask, 16);
		note_address(l, m, u & mask);
	} else {
		dis_put_signed(&l->t, "", m->disp.value);
	}
}

/* A segment is written if it was asked for and means something. */
static void
put_segment(struct line *l, const ZydisDecodedOperandMem *m)
{
	ZydisInstructionAttributes a = l->raw->i.attributes;

	if (has_thread_segment(m) ||
		(l->insn->bits != 64 && (a & ZYDIS_ATTRIB_HAS_SEGMENT))) {
		put_register(l, m->segment);
		DIS_PUT(&l->t, ":");
	}
}

static void
put_memory(struct line *l, const ZydisDecodedOperand *op)
{
	const ZydisDecodedOperandMem *m = &op->mem;
	bool vector = m->type == ZYDIS_MEMOP_TYPE_VSIB;

	put_segment(l, m);
	if (m->disp.has_displacement || l->raw->i.raw.disp.size ||
		(m->base == ZYDIS_REGISTER_NONE &&
			m->index == ZYDIS_REGISTER_NONE))
		put_displacement(l, m);
	if (m->base == ZYDIS_REGISTER_NONE && m->index == ZYDIS_REGISTER_NONE)
		return;
	DIS_PUT(&l->t, "(");
	if (m->base != ZYDIS_REGISTER_NONE)
		put_register(l, m->base);
	if (m->index != ZYDIS_REGISTER_NONE) {
		DIS_PUT(&l->t, ",");
		put_register(l, m->index);
		if (m->scale > 1 || vector)
			DIS_PUT(&l->t, m->scale == 8   ? ",8"
				       : m->scale == 4 ? ",4"
				       : m->scale == 2 ? ",2"
						       : ",1");
	}
	DIS_PUT(&l->t, ")");
}

/* The decorations of AVX-512: {1to8} on a memory operand, {%k1}{z}. */
static void
put_broadcast(struct line *l, const ZydisDecodedOperand *op)
{
	static const char *const to[] = { "", "2", "4", "8", "16", "32", "64",
		"4", "8", "16", "8", "16", "16" };
	ZydisBroadcastMode b = l->raw->i.avx.broadcast.mode;

	if (l->raw->i.encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX &&
		op->type == ZYDIS_OPERAND_TYPE_MEMORY &&
		!l->raw->i.avx.broadcast.is_static &&
		b != ZYDIS_BROADCAST_MODE_INVALID &&
		(size_t)b < sizeof(to) / sizeof(*to))
		DIS_PUT(&l->t, "{1to", to[b], "}");
}

static void
put_mask(struct line *l)
{
	const ZydisDecodedInstructionAvx *avx = &l->raw->i.avx;

	if (l->raw->i.encoding != ZYDIS_INSTRUCTION_ENCODING_EVEX ||
		avx->mask.reg == ZYDIS_REGISTER_NONE ||
		avx->mask.reg == ZYDIS_REGISTER_K0)
		return;
	DIS_PUT(&l->t, "{");
	put_register(l, avx->mask.reg);
	DIS_PUT(&l->t, "}");
	if (l->raw->i.raw.evex.z)
		DIS_PUT(&l->t, "{z}");
}

/* The rounding of a register form is written as a first operand. */
static bool
put_rounding(struct line *l)
{
	const ZydisDecodedInstructionAvx *avx = &l->raw->i.avx;
	static const char *const modes[] = { "", "rn", "rd", "ru", "rz" };

	if (l->raw->i.encoding != ZYDIS_INSTRUCTION_ENCODING_EVEX)
		return false;
	if (avx->rounding.mode != ZYDIS_ROUNDING_MODE_INVALID &&
		(size_t)avx->rounding.mode < sizeof(modes) / sizeof(*modes))
		DIS_PUT(&l->t, "{", modes[avx->rounding.mode], "-sae}");
	else if (avx->has_sae)
		DIS_PUT(&l->t, "{sae}");
	else
		return false;
	return true;
}

static bool
is_indirect_branch(const struct raw_insn *raw)
{
	return (raw->i.mnemonic == ZYDIS_MNEMONIC_CALL ||
		       raw->i.mnemonic == ZYDIS_MNEMONIC_JMP) &&
	       (raw->op[0].type == ZYDIS_OPERAND_TYPE_REGISTER ||
		       raw->op[0].type == ZYDIS_OPERAND_TYPE_MEMORY);
}

static void
put_operand(struct line *l, int k)
{
	const ZydisDecodedOperand *op = &l->raw->op[k];

	switch (op->type) {
	case ZYDIS_OPERAND_TYPE_REGISTER:
		if (ZydisRegisterGetClass(op->reg.value) == ZYDIS_REGCLASS_X87)
			put_x87(l, op);
		else
			put_register(l, op->reg.value);
		break;
	case ZYDIS_OPERAND_TYPE_MEMORY:
		put_memory(l, op);
		put_broadcast(l, op);
		break;
	case ZYDIS_OPERAND_TYPE_IMMEDIATE:
		put_immediate(l, op);
		break;
	case ZYDIS_OPERAND_TYPE_POINTER:
		DIS_PUT(&l->t, "$");
		dis_put_number(&l->t, op->ptr.segment, 16);
		DIS_PUT(&l->t, ",$");
		dis_put_number(&l->t, op->ptr.offset, 16);
		break;
	default:
		break;
	}
	if (k == 0)
		put_mask(l);
}

/* (%rsi), with the segment if it is not the usual one. */
static void
put_pointer(struct line *l, const char *reg)
{
	ZydisInstructionAttributes a = l->raw->i.attributes;
	unsigned int width = l->raw->i.address_width;
	const char *seg = a & ZYDIS_ATTRIB_HAS_SEGMENT_FS   ? "%fs:"
			  : a & ZYDIS_ATTRIB_HAS_SEGMENT_GS ? "%gs:"
			  : l->insn->bits == 64		    ? ""
			  : a & ZYDIS_ATTRIB_HAS_SEGMENT_CS ? "%cs:"
			  : a & ZYDIS_ATTRIB_HAS_SEGMENT_SS ? "%ss:"
			  : a & ZYDIS_ATTRIB_HAS_SEGMENT_ES ? "%es:"
							    : "";

	DIS_PUT(&l->t, reg[0] == 's' ? seg : "", "(%",
		width == 64   ? "r"
		: width == 32 ? "e"
			      : "",
		reg, ")");
}

static void
put_accumulator(struct line *l)
{
	switch (dis_element_width(&l->raw->i)) {
	case 8:
		DIS_PUT(&l->t, "%al");
		break;
	case 16:
		DIS_PUT(&l->t, "%ax");
		break;
	case 32:
		DIS_PUT(&l->t, "%eax");
		break;
	default:
		DIS_PUT(&l->t, "%rax");
	}
}

/* The operands of string instructions, which have no encoding. */
static void
put_string_operands(struct line *l)
{
	uint8_t op = l->raw->i.opcode;
	bool from_si = op == 0xa4 || op == 0xa5 || op == 0xa6 || op == 0xa7 ||
		       op == 0xac || op == 0xad || op == 0x6e || op == 0x6f;
	bool from_port = op == 0x6c || op == 0x6d;

	if (from_si)
		put_pointer(l, "si");
	else if (from_port)
		DIS_PUT(&l->t, "(%dx)");
	else
		put_accumulator(l);
	DIS_PUT(&l->t, ",");
	if (op == 0xac || op == 0xad)
		put_accumulator(l);
	else if (op == 0x6e || op == 0x6f)
		DIS_PUT(&l->t, "(%dx)");
	else
		put_pointer(l, "di");
}

/* in and out: the port in dx is written like an address. */
static bool
put_port(struct line *l, const ZydisDecodedOperand *op)
{
	ZydisMnemonic m = l->raw->i.mnemonic;

	if ((m != ZYDIS_MNEMONIC_IN && m != ZYDIS_MNEMONIC_OUT) ||
		op->type != ZYDIS_OPERAND_TYPE_REGISTER ||
		op->reg.value != ZYDIS_REGISTER_DX)
		return false;
	DIS_PUT(&l->t, "(%dx)");
	return true;
}

/* Operands that the encoding implies and the assembler does not write. */
static int
written_operands(const struct raw_insn *raw)
{
	int nr = raw->i.operand_count_visible;

	switch (raw->i.mnemonic) {
	case ZYDIS_MNEMONIC_NOP: /* of 0f 1f, the register means nothing */
		return nr > 1 ? 1 : nr;
	case ZYDIS_MNEMONIC_VMRUN:
	case ZYDIS_MNEMONIC_VMLOAD:
	case ZYDIS_MNEMONIC_VMSAVE:
	case ZYDIS_MNEMONIC_INVLPGA:
	case ZYDIS_MNEMONIC_SKINIT:
	case ZYDIS_MNEMONIC_CLZERO:
	case ZYDIS_MNEMONIC_PVALIDATE:
	case ZYDIS_MNEMONIC_PSMASH:
	case ZYDIS_MNEMONIC_RMPADJUST:
	case ZYDIS_MNEMONIC_RMPUPDATE:
		return 0;
	default:
		return dis_names_immediate(raw) ? nr - 1 : nr;
	}
}

/* The mask, which put_mask() writes, and the stack top of fucom. */
static bool
is_unwritten(const struct raw_insn *raw, const ZydisDecodedOperand *op)
{
	return op->encoding == ZYDIS_OPERAND_ENCODING_MASK ||
	       ((raw->i.mnemonic == ZYDIS_MNEMONIC_FUCOM ||
			raw->i.mnemonic == ZYDIS_MNEMONIC_FUCOMP) &&
		       op->encoding == ZYDIS_OPERAND_ENCODING_NONE);
}

/* Operands without encoding that are written nevertheless. */
static bool
put_implied(struct line *l)
{
	switch (l->raw->i.mnemonic) {
	case ZYDIS_MNEMONIC_INT3:
		DIS_PUT(&l->t, "$0x3");
		return true;
	case ZYDIS_MNEMONIC_SHA256RNDS2:
	case ZYDIS_MNEMONIC_BLENDVPS:
	case ZYDIS_MNEMONIC_BLENDVPD:
	case ZYDIS_MNEMONIC_PBLENDVB:
		DIS_PUT(&l->t, "%xmm0");
		return true;
	default:
		return false;
	}
}

static void
put_operands(struct line *l)
{
	int nr = written_operands(l->raw);
	bool forward = l->raw->i.mnemonic == ZYDIS_MNEMONIC_ENTER;
	bool comma = false;

	if (!l->raw->young && dis_is_string(&l->raw->i)) {
		put_string_operands(l);
		return;
	}
	comma = put_implied(l);
	if (is_indirect_branch(l->raw))
		DIS_PUT(&l->t, "*");
	for (int k = 0; k < nr; k++) {
		int which = forward ? k : nr - 1 - k;
		const ZydisDecodedOperand *op = &l->raw->op[which];
		bool imm = op->type == ZYDIS_OPERAND_TYPE_IMMEDIATE;

		if (is_unwritten(l->raw, op))
			continue;
		if (comma)
			DIS_PUT(&l->t, ",");
		if (!imm &&
			(k == 0 || l->raw->op[which + 1].type ==
					   ZYDIS_OPERAND_TYPE_IMMEDIATE) &&
			!forward && put_rounding(l))
			DIS_PUT(&l->t, ",");
		if (!put_port(l, op))
			put_operand(l, which);
		comma = true;
	}
}

/* To the next multiple of 8 columns, at least one blank, as a tab would. */
static void
put_tab(struct line *l)
{
	dis_put_blanks(&l->t, (l->t.pos | 7) + 1);
}

static void
put_notes(struct line *l, mdb_insn_symbol_fn *symbol, void *arg)
{
	for (int k = 0; k < l->nr_notes; k++) {
		const struct note *n = &l->notes[k];
		char name[NAME_MAX_LEN] = "";
		bool named = n->how != NOTE_NUMBER && symbol &&
			     symbol(arg, n->value, name, sizeof(name)) > 0;

		name[sizeof(name) - 1] = '\0';
		if (!named && n->how == NOTE_NAME)
			continue;
		put_tab(l);
		if (named)
			DIS_PUT(&l->t, "<", name, ">");
		else {
			DIS_PUT(&l->t, "<");
			dis_put_number(&l->t, n->value, 16);
			DIS_PUT(&l->t, ">");
		}
	}
}

/* Bytes that are no instruction: the first of them. */
static void
put_byte(struct line *l)
{
	uint8_t byte = l->insn->bytes[0];

	if (!l->insn->len)
		return;
	DIS_PUT(&l->t, ".byte  0x");
	dis_put_n(&l->t, &"0123456789abcdef"[byte >> 4], 1);
	dis_put_n(&l->t, &"0123456789abcdef"[byte & 15], 1);
}

size_t
mdb_insn_format(const struct mdb_insn *insn, mdb_insn_symbol_fn *symbol,
	void *arg, char *buf, size_t len)
{
	struct raw_insn raw;
	struct line l = { .t = { buf, len, 0 }, .insn = insn, .raw = &raw };
	size_t name_end, operands;
	bool truncated;

	if (len)
		buf[0] = '\0';
	if (insn->kind == MDB_INSN_INVALID || insn->len > MDB_INSN_MAX ||
		!dis_raw_decode(insn->bytes, insn->len, insn->bits, &raw,
			&truncated)) {
		put_byte(&l);
		return l.t.pos;
	}
	dis_mnemonic(&raw, &l.t);
	name_end = l.t.pos;
	dis_put_blanks(&l.t, OPERAND_COLUMN - 1);
	DIS_PUT(&l.t, " ");
	operands = l.t.pos;
	put_operands(&l);
	if (l.t.pos == operands) { /* none: no blanks at the end */
		l.t.pos = name_end;
		if (name_end < len)
			buf[name_end] = '\0';
	}
	put_notes(&l, symbol, arg);
	return l.t.pos;
}
