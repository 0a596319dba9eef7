/* SPDX-License-Identifier: MIT */
/*
 * The text of an instruction: operands in AT&T's order, then the names of the
 * addresses in it.  dis.h describes the spelling.
 *
 * The invariant: everything goes through put(), which never writes past the
 * caller's buffer and counts what did not fit.
 */
#include "mdb/stack/dis_impl.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	NAME_MAX_LEN = 512,
	/* An immediate from -255 to -1 is a small negative number. */
	SMALL_NEGATIVE = -255,
	/* A displacement below this is not into an object but an address. */
	FAR_NEGATIVE = -(16 << 20),
	/* What is below this is a number, whatever symbols are there. */
	FIRST_ADDRESS = 1 << 20,
	MAX_NOTES = 4
};

/* The line being written, and the addresses to be named at its end. */
struct line {
	char *buf;
	size_t len;
	size_t pos; /* may exceed len */
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

static void put(struct line *l, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void
put(struct line *l, const char *fmt, ...)
{
	size_t room = l->pos < l->len ? l->len - l->pos : 0;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(room ? l->buf + l->pos : NULL, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		l->pos += (size_t)n;
}

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
		put(l, "%%st");
	else
		put(l, "%%st(%d)", ZydisRegisterGetId(op->reg.value));
}

static void
put_register(struct line *l, ZydisRegister r)
{
	const char *name = ZydisRegisterGetString(r);

	put(l, "%%%s", name ? name : "?");
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

	put(l, "%s0x%" PRIx64, off < 0 ? "-" : "+",
		off < 0 ? 0 - (uint64_t)off : (uint64_t)off);
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
		put(l, "$-0x%" PRIx64, 0 - (uint64_t)number);
		note(l, value, NOTE_NUMBER);
	} else {
		put(l, "$0x%" PRIx64, value);
		if (is_arithmetic(m) && bits >= 32 && value >= FIRST_ADDRESS)
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
	bool negative = m->disp.value < 0;

	if (is_pc(m->base)) {
		put(l, "%s0x%" PRIx64, negative ? "-" : "+",
			negative ? 0 - u : u);
		note(l, (l->insn->addr + l->insn->len + u) & mask, NOTE_TARGET);
	} else if (is_absolute(m)) {
		put(l, "0x%" PRIx64, u & mask);
		note_address(l, m, u & mask);
	} else {
		put(l, "%s0x%" PRIx64, negative ? "-" : "",
			negative ? 0 - u : u);
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
		put(l, ":");
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
	put(l, "(");
	if (m->base != ZYDIS_REGISTER_NONE)
		put_register(l, m->base);
	if (m->index != ZYDIS_REGISTER_NONE) {
		put(l, ",");
		put_register(l, m->index);
		if (m->scale > 1 || vector)
			put(l, ",%u", m->scale);
	}
	put(l, ")");
}

/* The decorations of AVX-512: {1to8} on a memory operand, {%k1}{z}. */
static void
put_broadcast(struct line *l, const ZydisDecodedOperand *op)
{
	static const unsigned char to[] = { 0, 2, 4, 8, 16, 32, 64, 4, 8, 16, 8,
		16, 16 };
	ZydisBroadcastMode b = l->raw->i.avx.broadcast.mode;

	if (l->raw->i.encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX &&
		op->type == ZYDIS_OPERAND_TYPE_MEMORY &&
		!l->raw->i.avx.broadcast.is_static &&
		b != ZYDIS_BROADCAST_MODE_INVALID && b < sizeof(to))
		put(l, "{1to%u}", to[b]);
}

static void
put_mask(struct line *l)
{
	const ZydisDecodedInstructionAvx *avx = &l->raw->i.avx;

	if (l->raw->i.encoding != ZYDIS_INSTRUCTION_ENCODING_EVEX ||
		avx->mask.reg == ZYDIS_REGISTER_NONE ||
		avx->mask.reg == ZYDIS_REGISTER_K0)
		return;
	put(l, "{");
	put_register(l, avx->mask.reg);
	put(l, "}");
	if (l->raw->i.raw.evex.z)
		put(l, "{z}");
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
		put(l, "{%s-sae}", modes[avx->rounding.mode]);
	else if (avx->has_sae)
		put(l, "{sae}");
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
		put(l, "$0x%x,$0x%x", op->ptr.segment, op->ptr.offset);
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

	put(l, "%s(%%%s%s)", reg[0] == 's' ? seg : "",
		width == 64   ? "r"
		: width == 32 ? "e"
			      : "",
		reg);
}

static void
put_accumulator(struct line *l)
{
	switch (dis_element_width(&l->raw->i)) {
	case 8:
		put(l, "%%al");
		break;
	case 16:
		put(l, "%%ax");
		break;
	case 32:
		put(l, "%%eax");
		break;
	default:
		put(l, "%%rax");
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
		put(l, "(%%dx)");
	else
		put_accumulator(l);
	put(l, ",");
	if (op == 0xac || op == 0xad)
		put_accumulator(l);
	else if (op == 0x6e || op == 0x6f)
		put(l, "(%%dx)");
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
	put(l, "(%%dx)");
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
		put(l, "$0x3");
		return true;
	case ZYDIS_MNEMONIC_SHA256RNDS2:
	case ZYDIS_MNEMONIC_BLENDVPS:
	case ZYDIS_MNEMONIC_BLENDVPD:
	case ZYDIS_MNEMONIC_PBLENDVB:
		put(l, "%%xmm0");
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
		put(l, "*");
	for (int k = 0; k < nr; k++) {
		int which = forward ? k : nr - 1 - k;
		const ZydisDecodedOperand *op = &l->raw->op[which];
		bool imm = op->type == ZYDIS_OPERAND_TYPE_IMMEDIATE;

		if (is_unwritten(l->raw, op))
			continue;
		if (comma)
			put(l, ",");
		if (!imm &&
			(k == 0 || l->raw->op[which + 1].type ==
					   ZYDIS_OPERAND_TYPE_IMMEDIATE) &&
			!forward && put_rounding(l))
			put(l, ",");
		if (!put_port(l, op))
			put_operand(l, which);
		comma = true;
	}
}

/* To the next multiple of 8 columns, at least one blank, as a tab would. */
static void
put_tab(struct line *l)
{
	put(l, "%*s", (int)(8 - l->pos % 8), "");
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
			put(l, "<%s>", name);
		else
			put(l, "<0x%" PRIx64 ">", n->value);
	}
}

size_t
mdb_insn_format(const struct mdb_insn *insn, mdb_insn_symbol_fn *symbol,
	void *arg, char *buf, size_t len)
{
	struct raw_insn raw;
	char name[MNEMONIC_MAX];
	bool truncated;
	struct line l = { .buf = buf, .len = len, .insn = insn, .raw = &raw };

	if (len)
		buf[0] = '\0';
	if (insn->kind == MDB_INSN_INVALID || insn->len > MDB_INSN_MAX ||
		!dis_raw_decode(insn->bytes, insn->len, insn->bits, &raw,
			&truncated)) {
		if (insn->len)
			put(&l, "%-6s 0x%02x", ".byte", insn->bytes[0]);
		return l.pos;
	}
	dis_mnemonic(&raw, name, sizeof(name));
	put(&l, "%-6s ", name);
	put_operands(&l);
	while (l.pos && l.pos <= len && buf[l.pos - 1] == ' ')
		buf[--l.pos] = '\0';
	put_notes(&l, symbol, arg);
	return l.pos;
}
