/* SPDX-License-Identifier: MIT */
/*
 * Register sets that entry code saved on a stack: struct pt_regs,
 * arch/x86/include/asm/ptrace.h, the same from Linux 4.14 to 7.3.
 */
#include "mdb/stack/unwind.h"

/* Words of struct pt_regs in order. */
static const uint8_t pt_regs_64[] = { MDB_R_15, MDB_R_14, MDB_R_13, MDB_R_12,
	MDB_R_BP, MDB_R_BX, MDB_R_11, MDB_R_10, MDB_R_9, MDB_R_8, MDB_R_AX,
	MDB_R_CX, MDB_R_DX, MDB_R_SI, MDB_R_DI, MDB_R_ORIG_AX, MDB_R_IP,
	MDB_R_CS, MDB_R_FLAGS, MDB_R_SP, MDB_R_SS };
static const uint8_t pt_regs_32[] = { MDB_R_BX, MDB_R_CX, MDB_R_DX, MDB_R_SI,
	MDB_R_DI, MDB_R_BP, MDB_R_AX, MDB_R_DS, MDB_R_ES, MDB_R_FS, MDB_R_GS,
	MDB_R_ORIG_AX, MDB_R_IP, MDB_R_CS, MDB_R_FLAGS, MDB_R_SP, MDB_R_SS };

#define NR_IRET_WORDS 5 /* ip cs flags sp ss */

static size_t
pt_regs_count(const struct mdb_arch *arch)
{
	return arch->word == 8 ? sizeof(pt_regs_64) : sizeof(pt_regs_32);
}

size_t
mdb_regs_ip_offset(const struct mdb_arch *arch)
{
	return (pt_regs_count(arch) - NR_IRET_WORDS) * arch->word;
}

#define BIT(n) (1ull << (n))

void
mdb_regs_keep_system(struct mdb_regs *regs)
{
	regs->valid &= BIT(MDB_R_CR0) | BIT(MDB_R_CR3) | BIT(MDB_R_CR4) |
		       BIT(MDB_R_FSBASE);
}

bool
mdb_regs_is_user(const struct mdb_arch *arch, const struct mdb_regs *regs)
{
	const uint64_t vm86 = 1u << 17;

	if (mdb_reg_known(regs, MDB_R_CS) && (regs->r[MDB_R_CS] & 3) == 3)
		return true;
	if (arch->word == 4)
		return mdb_reg_known(regs, MDB_R_FLAGS) &&
		       (regs->r[MDB_R_FLAGS] & vm86) != 0;
	/* Linux on x86-64: the lower half of the addresses is user mode's. */
	return !mdb_reg_known(regs, MDB_R_CS) &&
	       mdb_reg_known(regs, MDB_R_SP) && regs->r[MDB_R_SP] >> 63 == 0 &&
	       regs->r[MDB_R_IP] >> 63 == 0;
}

static bool
is_canonical(const struct mdb_arch *arch, uint64_t addr)
{
	/* 57 bits hold for both 4- and 5-level paging. */
	return arch->word == 4 ? addr >> 32 == 0
			       : (uint64_t)((int64_t)(addr << 7) >> 7) == addr;
}

bool
mdb_regs_is_plausible(const struct mdb_arch *arch, const struct mdb_regs *regs)
{
	uint64_t cs = regs->r[MDB_R_CS] & 0xffff;
	uint64_t flags = regs->r[MDB_R_FLAGS];
	uint64_t rpl = cs & 3;
	/* Bit 1 is always set; 3, 5, 15 and all from 22 on never are. */
	bool flags_ok =
		(flags & 2) != 0 && (flags & (0x8028 | ~0x3fffffull)) == 0;
	bool sp_ok = arch->word == 4 || is_canonical(arch, regs->r[MDB_R_SP]);

	if (cs >> 2 == 0 || (rpl != 0 && rpl != 3 && rpl != 1))
		return false;
	if (rpl == 3 && (regs->r[MDB_R_SS] & 3) != 3)
		return false;
	return flags_ok && sp_ok && is_canonical(arch, regs->r[MDB_R_IP]);
}

enum mdb_status
mdb_unwind_read_regs(struct mdb_unwind *u, mdb_addr_t addr, bool partial,
	struct mdb_regs *regs)
{
	const struct mdb_arch *arch = u->world->arch;
	const uint8_t *order = arch->word == 8 ? pt_regs_64 : pt_regs_32;
	size_t count = pt_regs_count(arch);
	struct mdb_regs found = *regs;

	for (size_t i = partial ? count - NR_IRET_WORDS : 0; i < count; i++) {
		uint64_t value;
		enum mdb_status st =
			mdb_unwind_word(u, addr + i * arch->word, &value);

		if (st != MDB_OK)
			return st;
		mdb_reg_set(&found, order[i], value);
	}
	if (!mdb_regs_is_plausible(arch, &found))
		return MDB_E_CORRUPT;
	*regs = found;
	return MDB_OK;
}
