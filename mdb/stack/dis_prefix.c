/* SPDX-License-Identifier: MIT */
/*
 * Prefixes in front of the mnemonic: those that do something.  A segment or an
 * operand size shows in the operands and the name; one that does nothing is
 * padding and not written.
 */
#include "mdb/stack/dis_impl.h"

/* A near branch other than loop and jcxz may carry the prefix bnd. */
static bool
takes_bound(const ZydisDecodedInstruction *i)
{
	return i->meta.branch_type != ZYDIS_BRANCH_TYPE_NONE &&
	       i->meta.branch_type != ZYDIS_BRANCH_TYPE_FAR &&
	       !(i->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT &&
		       (i->opcode & 0xfc) == 0xe0);
}

/* repz or repnz, unless the byte is part of the opcode. */
static const char *
repeat_prefix(const ZydisDecodedInstruction *i)
{
	bool counts =
		i->attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE |
					ZYDIS_ATTRIB_HAS_REPNE);

	for (int k = i->raw.prefix_count - 1; k >= 0; k--) {
		uint8_t byte = i->raw.prefixes[k].value;

		if (byte != 0xf2 && byte != 0xf3)
			continue;
		if (!counts &&
			i->raw.prefixes[k].type != ZYDIS_PREFIX_TYPE_IGNORED)
			return "";
		if (byte == 0xf2 && takes_bound(i))
			return "bnd ";
		return byte == 0xf2 ? "repnz " : "repz ";
	}
	return "";
}

/* loop counts in ecx or rcx: only the address size tells. */
static const char *
count_prefix(const ZydisDecodedInstruction *i)
{
	unsigned int usual = i->machine_mode == ZYDIS_MACHINE_MODE_LONG_64
				     ? 64
				     : i->stack_width;

	switch (i->mnemonic) {
	case ZYDIS_MNEMONIC_LOOP:
	case ZYDIS_MNEMONIC_LOOPE:
	case ZYDIS_MNEMONIC_LOOPNE:
		return i->address_width == usual ? ""
		       : i->address_width == 16	 ? "addr16 "
						 : "addr32 ";
	default:
		return "";
	}
}

void
dis_mnemonic(const struct raw_insn *raw, struct dis_text *t)
{
	ZydisInstructionAttributes a = raw->i.attributes;
	const char *elision = a & ZYDIS_ATTRIB_HAS_XACQUIRE   ? "xacquire "
			      : a & ZYDIS_ATTRIB_HAS_XRELEASE ? "xrelease "
							      : "";
	bool untracked = a & ZYDIS_ATTRIB_HAS_NOTRACK &&
			 raw->i.meta.branch_type == ZYDIS_BRANCH_TYPE_NEAR;
	bool marked = *elision || untracked || a & ZYDIS_ATTRIB_HAS_BND;

	if (raw->young) {
		DIS_PUT(t, raw->young->name);
		return;
	}
	DIS_PUT(t, elision, a & ZYDIS_ATTRIB_HAS_LOCK ? "lock " : "",
		a & ZYDIS_ATTRIB_HAS_BND ? "bnd " : "",
		untracked ? "notrack " : "",
		marked ? "" : repeat_prefix(&raw->i), count_prefix(&raw->i));
	dis_bare_name(raw, t);
}
