/* SPDX-License-Identifier: MIT */
/*
 * Mnemonics: from Zydis' Intel names to those of the Solaris disassembler,
 * which are AT&T's with a few of its own (cmovq.e, cqtd, repz stosq).
 *
 * Names that are the same in both, and take no size, are in no table.  The
 * families with a condition (jcc, setcc, cmovcc) share one table of its names.
 */
#include "mdb/stack/dis_impl.h"

#include <string.h>

/* How a name ends. */
enum ending {
	AS_IS,
	SIZE,	   /* b, w, l, q of the first operand, even a register */
	SIZE_OF_2, /* of the second operand */
	STACK,	   /* w, l, q of what moves on the stack */
	STRING,	   /* of the element moved */
	IF_MEMORY, /* l, q of an integer operand, if it is in memory */
	X87,	   /* s, l, t of a real number in memory */
	X87_INT	   /* nothing, l, ll of an integer in memory */
};

struct spelling {
	ZydisMnemonic m;
	enum ending end;
	const char *name; /* NULL: Zydis' own */
};

#define M(x) ZYDIS_MNEMONIC_##x
static const struct spelling spellings[] = {
	{ M(MOV), SIZE, NULL },
	{ M(ADC), SIZE, NULL },
	{ M(ADD), SIZE, NULL },
	{ M(AND), SIZE, NULL },
	{ M(CMP), SIZE, NULL },
	{ M(OR), SIZE, NULL },
	{ M(SBB), SIZE, NULL },
	{ M(SUB), SIZE, NULL },
	{ M(TEST), SIZE, NULL },
	{ M(XOR), SIZE, NULL },
	{ M(LEA), SIZE, NULL },
	{ M(INC), SIZE, NULL },
	{ M(DEC), SIZE, NULL },
	{ M(NEG), SIZE, NULL },
	{ M(NOT), SIZE, NULL },
	{ M(MUL), SIZE, NULL },
	{ M(IMUL), SIZE, NULL },
	{ M(DIV), SIZE, NULL },
	{ M(IDIV), SIZE, NULL },
	{ M(RCL), SIZE, NULL },
	{ M(RCR), SIZE, NULL },
	{ M(ROL), SIZE, NULL },
	{ M(ROR), SIZE, NULL },
	{ M(SAR), SIZE, NULL },
	{ M(SHL), SIZE, NULL },
	{ M(SHR), SIZE, NULL },
	{ M(SHLD), SIZE, NULL },
	{ M(SHRD), SIZE, NULL },
	{ M(BT), SIZE, NULL },
	{ M(BTC), SIZE, NULL },
	{ M(BTR), SIZE, NULL },
	{ M(BTS), SIZE, NULL },
	{ M(BSF), SIZE, NULL },
	{ M(BSR), SIZE, NULL },
	{ M(BOUND), SIZE, NULL },
	{ M(CMPXCHG), SIZE, NULL },
	{ M(XADD), SIZE, NULL },
	{ M(XCHG), SIZE, NULL },
	{ M(LZCNT), SIZE, NULL },
	{ M(TZCNT), SIZE, NULL },
	{ M(POPCNT), SIZE, NULL },
	{ M(MOVBE), SIZE, NULL },
	{ M(CRC32), SIZE_OF_2, NULL },
	{ M(LSS), SIZE, NULL },
	{ M(LFS), SIZE, NULL },
	{ M(LGS), SIZE, NULL },
	{ M(IN), SIZE, NULL },
	{ M(OUT), SIZE_OF_2, NULL },
	{ M(NOP), SIZE, NULL },
	{ M(PUSH), STACK, NULL },
	{ M(POP), STACK, NULL },
	{ M(PUSHF), AS_IS, "pushfw" },
	{ M(PUSHFD), AS_IS, "pushfl" },
	{ M(PUSHFQ), AS_IS, NULL },
	{ M(POPF), AS_IS, "popfw" },
	{ M(POPFD), AS_IS, "popfl" },
	{ M(POPFQ), AS_IS, NULL },
	{ M(PUSHA), AS_IS, "pushaw" },
	{ M(PUSHAD), AS_IS, "pushal" },
	{ M(POPA), AS_IS, "popaw" },
	{ M(POPAD), AS_IS, "popal" },
	{ M(CBW), AS_IS, "cbtw" },
	{ M(CWDE), AS_IS, "cwtl" },
	{ M(CDQE), AS_IS, "cltq" },
	{ M(CWD), AS_IS, "cwtd" },
	{ M(CDQ), AS_IS, "cltd" },
	{ M(CQO), AS_IS, "cqtd" },
	{ M(INT3), AS_IS, "int" },
	{ M(INT1), AS_IS, "icebp" },
	{ M(IRET), AS_IS, "iretw" },
	{ M(IRETD), AS_IS, "iret" },
	{ M(LOOPE), AS_IS, "loopz" },
	{ M(LOOPNE), AS_IS, "loopnz" },
	{ M(INSB), STRING, "ins" },
	{ M(INSW), STRING, "ins" },
	{ M(INSD), STRING, "ins" },
	{ M(OUTSB), STRING, "outs" },
	{ M(OUTSW), STRING, "outs" },
	{ M(OUTSD), STRING, "outs" },
	{ M(MOVSB), STRING, "movs" },
	{ M(MOVSW), STRING, "movs" },
	{ M(MOVSD), STRING, "movs" },
	{ M(MOVSQ), STRING, "movs" },
	{ M(CMPSB), STRING, "cmps" },
	{ M(CMPSW), STRING, "cmps" },
	{ M(CMPSD), STRING, "cmps" },
	{ M(CMPSQ), STRING, "cmps" },
	{ M(STOSB), STRING, "stos" },
	{ M(STOSW), STRING, "stos" },
	{ M(STOSD), STRING, "stos" },
	{ M(STOSQ), STRING, "stos" },
	{ M(LODSB), STRING, "lods" },
	{ M(LODSW), STRING, "lods" },
	{ M(LODSD), STRING, "lods" },
	{ M(LODSQ), STRING, "lods" },
	{ M(SCASB), STRING, "scas" },
	{ M(SCASW), STRING, "scas" },
	{ M(SCASD), STRING, "scas" },
	{ M(SCASQ), STRING, "scas" },
	{ M(CVTSI2SD), IF_MEMORY, NULL },
	{ M(CVTSI2SS), IF_MEMORY, NULL },
	{ M(VCVTSI2SD), IF_MEMORY, NULL },
	{ M(VCVTSI2SS), IF_MEMORY, NULL },
	{ M(VCVTUSI2SD), IF_MEMORY, NULL },
	{ M(VCVTUSI2SS), IF_MEMORY, NULL },
	{ M(FADD), X87, NULL },
	{ M(FCOM), X87, NULL },
	{ M(FCOMP), X87, NULL },
	{ M(FDIV), X87, NULL },
	{ M(FDIVR), X87, NULL },
	{ M(FLD), X87, NULL },
	{ M(FMUL), X87, NULL },
	{ M(FST), X87, NULL },
	{ M(FSTP), X87, NULL },
	{ M(FSUB), X87, NULL },
	{ M(FSUBR), X87, NULL },
	{ M(FDIVP), X87, NULL },
	{ M(FDIVRP), X87, NULL },
	{ M(FSUBP), X87, NULL },
	{ M(FSUBRP), X87, NULL },
	{ M(FIADD), X87_INT, NULL },
	{ M(FICOM), X87_INT, NULL },
	{ M(FICOMP), X87_INT, NULL },
	{ M(FIDIV), X87_INT, NULL },
	{ M(FIDIVR), X87_INT, NULL },
	{ M(FILD), X87_INT, NULL },
	{ M(FIMUL), X87_INT, NULL },
	{ M(FIST), X87_INT, NULL },
	{ M(FISTP), X87_INT, NULL },
	{ M(FISTTP), X87_INT, NULL },
	{ M(FISUB), X87_INT, NULL },
	{ M(FISUBR), X87_INT, NULL },
	{ M(FCMOVB), AS_IS, "fcmov.b" },
	{ M(FCMOVBE), AS_IS, "fcmov.be" },
	{ M(FCMOVE), AS_IS, "fcmov.e" },
	{ M(FCMOVNB), AS_IS, "fcmov.nb" },
	{ M(FCMOVNBE), AS_IS, "fcmov.nbe" },
	{ M(FCMOVNE), AS_IS, "fcmov.ne" },
	{ M(FCMOVNU), AS_IS, "fcmov.nu" },
	{ M(FCMOVU), AS_IS, "fcmov.u" },
};
#undef M

/* AT&T's names of the sixteen conditions, by the opcode's low four bits. */
static const char *const conditions[16] = { "o", "no", "b", "ae", "e", "ne",
	"be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g" };

/* The predicates of cmpps and its kin; the first 8 of cmpps, all of vcmpps. */
static const char *const predicates[32] = { "eq", "lt", "le", "unord", "neq",
	"nlt", "nle", "ord", "eq_uq", "nge", "ngt", "false", "neq_oq", "ge",
	"gt", "true", "eq_os", "lt_oq", "le_oq", "unord_s", "neq_us", "nlt_uq",
	"nle_uq", "ord_s", "eq_us", "nge_uq", "ngt_uq", "false_os", "neq_os",
	"ge_oq", "gt_oq", "true_us" };

static const struct spelling *
spelling_of(ZydisMnemonic m)
{
	for (size_t k = 0; k < sizeof(spellings) / sizeof(*spellings); k++) {
		if (spellings[k].m == m)
			return &spellings[k];
	}
	return NULL;
}

static const char *
size_letter(unsigned int bits)
{
	switch (bits) {
	case 8:
		return "b";
	case 16:
		return "w";
	case 32:
		return "l";
	case 64:
		return "q";
	default:
		return "";
	}
}

static bool
is_memory(const ZydisDecodedOperand *op)
{
	return op->type == ZYDIS_OPERAND_TYPE_MEMORY;
}

static const char *
x87_letter(const ZydisDecodedOperand *op)
{
	if (!is_memory(op))
		return "";
	return op->size == 32 ? "s" : op->size == 64 ? "l" : "t";
}

static const char *
x87_int_letter(const ZydisDecodedOperand *op)
{
	return op->size == 32 ? "l" : op->size == 64 ? "ll" : "";
}

/* A move to or from a segment register is of 16 bits, whatever the other is. */
static bool
moves_segment(const struct raw_insn *raw)
{
	for (int k = 0; k < 2; k++) {
		if (raw->i.mnemonic == ZYDIS_MNEMONIC_MOV &&
			raw->op[k].type == ZYDIS_OPERAND_TYPE_REGISTER &&
			ZydisRegisterGetClass(raw->op[k].reg.value) ==
				ZYDIS_REGCLASS_SEGMENT)
			return true;
	}
	return false;
}

static const char *
ending_of(const struct raw_insn *raw, enum ending end)
{
	int nr = raw->i.operand_count_visible;
	const ZydisDecodedOperand *last = &raw->op[nr ? nr - 1 : 0];

	switch (end) {
	case SIZE:
		if (moves_segment(raw))
			return "w";
		return nr ? size_letter(raw->op[0].size) : "";
	case SIZE_OF_2:
		return nr > 1 ? size_letter(raw->op[1].size) : "";
	case STACK:
		return size_letter(raw->i.operand_width);
	case STRING:
		return size_letter(dis_element_width(&raw->i));
	case IF_MEMORY:
		return nr && is_memory(last) ? size_letter(last->size) : "";
	case X87:
		return nr ? x87_letter(&raw->op[0]) : "";
	case X87_INT:
		return nr ? x87_int_letter(&raw->op[0]) : "";
	case AS_IS:
		break;
	}
	return "";
}

bool
dis_is_string(const ZydisDecodedInstruction *i)
{
	return i->encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY &&
	       i->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT &&
	       ((i->opcode >= 0xa4 && i->opcode <= 0xa7) ||
		       (i->opcode >= 0xaa && i->opcode <= 0xaf) ||
		       (i->opcode >= 0x6c && i->opcode <= 0x6f));
}

unsigned int
dis_element_width(const ZydisDecodedInstruction *i)
{
	bool port = i->opcode >= 0x6c && i->opcode <= 0x6f;

	return port && i->operand_width > 32 ? 32 : i->operand_width;
}

/* A family of comparisons whose predicate is written in the name. */
struct compare {
	ZydisMnemonic m;
	unsigned char stem;  /* where in the name it goes */
	unsigned char count; /* how many have names */
};

#define M(x) ZYDIS_MNEMONIC_##x
static const struct compare compares[] = {
	{ M(CMPPS), 3, 8 },
	{ M(CMPPD), 3, 8 },
	{ M(CMPSS), 3, 8 },
	{ M(CMPSD), 3, 8 },
	{ M(VCMPPS), 4, 32 },
	{ M(VCMPPD), 4, 32 },
	{ M(VCMPSS), 4, 32 },
	{ M(VCMPSD), 4, 32 },
	{ M(VPCMPB), 5, 7 },
	{ M(VPCMPUB), 5, 7 },
	{ M(VPCMPW), 5, 7 },
	{ M(VPCMPUW), 5, 7 },
	{ M(VPCMPD), 5, 7 },
	{ M(VPCMPUD), 5, 7 },
	{ M(VPCMPQ), 5, 7 },
	{ M(VPCMPUQ), 5, 7 },
};
#undef M

static const struct compare *
compare_of(const struct raw_insn *raw)
{
	int nr = raw->i.operand_count_visible;
	const ZydisDecodedOperand *imm = &raw->op[nr ? nr - 1 : 0];

	if (dis_is_string(&raw->i) || nr < 2 ||
		imm->type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
		return NULL;
	for (size_t k = 0; k < sizeof(compares) / sizeof(*compares); k++) {
		const struct compare *c = &compares[k];
		uint64_t p = imm->imm.value.u;

		/* Integers are never unordered: 3 and 7 have no names. */
		if (c->m == raw->i.mnemonic && p < c->count &&
			!(c->stem == 5 && p == 3))
			return c;
	}
	return NULL;
}

/* The name with the condition of the opcode, for jcc, setcc and cmovcc. */
static bool
conditional(const struct raw_insn *raw, struct dis_text *t)
{
	const ZydisDecodedInstruction *i = &raw->i;
	const char *cc = conditions[i->opcode & 15];
	bool two = i->opcode_map == ZYDIS_OPCODE_MAP_0F;
	const char *parity = (i->opcode & 15) == 10   ? "pe"
			     : (i->opcode & 15) == 11 ? "po"
						      : NULL;

	if (i->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY)
		return false;
	if ((i->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT &&
		    (i->opcode & 0xf0) == 0x70) ||
		(two && (i->opcode & 0xf0) == 0x80))
		DIS_PUT(t, "j", cc);
	else if (two && (i->opcode & 0xf0) == 0x90)
		DIS_PUT(t, "set", cc);
	else if (two && (i->opcode & 0xf0) == 0x40)
		DIS_PUT(t, "cmov", size_letter(raw->op[0].size), ".",
			parity ? parity : cc);
	else
		return false;
	return true;
}

/* movzbl, movslq: both sizes are in the name. */
static bool
extending(const struct raw_insn *raw, struct dis_text *t)
{
	const char *verb;

	switch (raw->i.mnemonic) {
	case ZYDIS_MNEMONIC_MOVZX:
		verb = "movz";
		break;
	case ZYDIS_MNEMONIC_MOVSX:
		verb = "movs";
		break;
	case ZYDIS_MNEMONIC_MOVSXD: /* without REX.W it extends nothing */
		if (raw->op[0].size != 64)
			return false;
		verb = "movs";
		break;
	default:
		return false;
	}
	DIS_PUT(t, verb, size_letter(raw->op[1].size),
		size_letter(raw->op[0].size));
	return true;
}

/* Far transfers, and returns from the kernel: a name with the size. */
static bool
far(const struct raw_insn *raw, struct dis_text *t)
{
	bool wide =
		raw->i.attributes & ZYDIS_ATTRIB_HAS_REX && raw->i.raw.rex.W;
	unsigned int usual =
		raw->i.machine_mode == ZYDIS_MACHINE_MODE_LEGACY_16 ? 16 : 32;
	const char *name;

	switch (raw->i.mnemonic) {
	case ZYDIS_MNEMONIC_RET:
		name = "lret";
		break;
	case ZYDIS_MNEMONIC_CALL:
		name = "lcall";
		break;
	case ZYDIS_MNEMONIC_JMP:
		name = "ljmp";
		break;
	case ZYDIS_MNEMONIC_SYSRET:
		DIS_PUT(t, "sysret", wide ? "q" : "l");
		return true;
	case ZYDIS_MNEMONIC_SYSEXIT:
		DIS_PUT(t, "sysexit", wide ? "q" : "");
		return true;
	default:
		return false;
	}
	if (raw->i.meta.branch_type != ZYDIS_BRANCH_TYPE_FAR &&
		!(raw->i.mnemonic == ZYDIS_MNEMONIC_RET && (raw->i.opcode & 8)))
		return false;
	DIS_PUT(t, name,
		raw->i.operand_width == usual
			? ""
			: size_letter(raw->i.operand_width));
	return true;
}

/*
 * AT&T's assembler exchanged fsub with fsubr and fdiv with fdivr where the
 * result goes to %st(i); everybody has kept to it.
 */
static ZydisMnemonic
unswapped(const struct raw_insn *raw)
{
	bool to_sti = (raw->i.opcode == 0xdc || raw->i.opcode == 0xde) &&
		      raw->i.operand_count_visible > 0 &&
		      !is_memory(&raw->op[0]);

	switch (to_sti ? raw->i.mnemonic : ZYDIS_MNEMONIC_INVALID) {
	case ZYDIS_MNEMONIC_FSUB:
		return ZYDIS_MNEMONIC_FSUBR;
	case ZYDIS_MNEMONIC_FSUBR:
		return ZYDIS_MNEMONIC_FSUB;
	case ZYDIS_MNEMONIC_FDIV:
		return ZYDIS_MNEMONIC_FDIVR;
	case ZYDIS_MNEMONIC_FDIVR:
		return ZYDIS_MNEMONIC_FDIV;
	case ZYDIS_MNEMONIC_FSUBP:
		return ZYDIS_MNEMONIC_FSUBRP;
	case ZYDIS_MNEMONIC_FSUBRP:
		return ZYDIS_MNEMONIC_FSUBP;
	case ZYDIS_MNEMONIC_FDIVP:
		return ZYDIS_MNEMONIC_FDIVRP;
	case ZYDIS_MNEMONIC_FDIVRP:
		return ZYDIS_MNEMONIC_FDIVP;
	default:
		return raw->i.mnemonic;
	}
}

/* Which halves are multiplied is in the name of pclmulqdq. */
static const char *
multiply_halves(const struct raw_insn *raw)
{
	int nr = raw->i.operand_count_visible;

	if (raw->i.mnemonic != ZYDIS_MNEMONIC_PCLMULQDQ &&
		raw->i.mnemonic != ZYDIS_MNEMONIC_VPCLMULQDQ)
		return NULL;
	switch (raw->op[nr - 1].imm.value.u) {
	case 0x00:
		return "lqlqdq";
	case 0x01:
		return "hqlqdq";
	case 0x10:
		return "lqhqdq";
	case 0x11:
		return "hqhqdq";
	default:
		return NULL;
	}
}

/* A vector comparison: the predicate goes before the type (cmp-lt-ps). */
static void
compare_name(const struct raw_insn *raw, const struct compare *c,
	const char *name, struct dis_text *t)
{
	const ZydisDecodedOperand *imm =
		&raw->op[raw->i.operand_count_visible - 1];

	dis_put_n(t, name, c->stem);
	DIS_PUT(t, predicates[imm->imm.value.u & 31], name + c->stem);
}

bool
dis_names_immediate(const struct raw_insn *raw)
{
	return compare_of(raw) != NULL || multiply_halves(raw) != NULL;
}

/* ret, call, ... with an operand size that is not the mode's own. */
static const char *
odd_size(const struct raw_insn *raw)
{
	unsigned int usual = raw->i.machine_mode == ZYDIS_MACHINE_MODE_LONG_64
				     ? 64
				     : raw->i.stack_width;

	switch (raw->i.mnemonic) {
	case ZYDIS_MNEMONIC_RET:
	case ZYDIS_MNEMONIC_CALL:
	case ZYDIS_MNEMONIC_JMP:
	case ZYDIS_MNEMONIC_ENTER:
	case ZYDIS_MNEMONIC_LEAVE:
		return raw->i.operand_width == usual
			       ? ""
			       : size_letter(raw->i.operand_width);
	default:
		return "";
	}
}

void
dis_bare_name(const struct raw_insn *raw, struct dis_text *t)
{
	const struct compare *cmp = compare_of(raw);
	const struct spelling *sp;
	const char *name;
	ZydisMnemonic m = unswapped(raw);

	if (conditional(raw, t) || extending(raw, t) || far(raw, t))
		return;
	name = ZydisMnemonicGetString(m);
	sp = spelling_of(m);
	/* The vector movsd and cmpsd share a name with string instructions. */
	if (sp && sp->end == STRING && !dis_is_string(&raw->i))
		sp = NULL;
	if (cmp) {
		compare_name(raw, cmp, name, t);
	} else if (multiply_halves(raw)) {
		dis_put_n(t, name, strlen(name) - strlen("qdq"));
		DIS_PUT(t, multiply_halves(raw));
	} else if (sp) {
		DIS_PUT(t, sp->name ? sp->name : name, ending_of(raw, sp->end));
	} else {
		DIS_PUT(t, name, odd_size(raw));
	}
}
