/* SPDX-License-Identifier: MIT */
/* The names of the x86 registers and of their parts. */
#include "mdb/shell/regs.h"

#include <string.h>

static const struct {
	const char *name;
	unsigned char reg;
	unsigned char nr_bits;
	unsigned char shift;
} names[] = {
	{ "rax", MDB_R_AX, 64, 0 },
	{ "rbx", MDB_R_BX, 64, 0 },
	{ "rcx", MDB_R_CX, 64, 0 },
	{ "rdx", MDB_R_DX, 64, 0 },
	{ "rsi", MDB_R_SI, 64, 0 },
	{ "rdi", MDB_R_DI, 64, 0 },
	{ "rbp", MDB_R_BP, 64, 0 },
	{ "rsp", MDB_R_SP, 64, 0 },
	{ "r8", MDB_R_8, 64, 0 },
	{ "r9", MDB_R_9, 64, 0 },
	{ "r10", MDB_R_10, 64, 0 },
	{ "r11", MDB_R_11, 64, 0 },
	{ "r12", MDB_R_12, 64, 0 },
	{ "r13", MDB_R_13, 64, 0 },
	{ "r14", MDB_R_14, 64, 0 },
	{ "r15", MDB_R_15, 64, 0 },
	{ "rip", MDB_R_IP, 64, 0 },
	{ "pc", MDB_R_IP, 64, 0 },
	{ "rflags", MDB_R_FLAGS, 64, 0 },
	{ "cs", MDB_R_CS, 16, 0 },
	{ "ss", MDB_R_SS, 16, 0 },
	{ "ds", MDB_R_DS, 16, 0 },
	{ "es", MDB_R_ES, 16, 0 },
	{ "fs", MDB_R_FS, 16, 0 },
	{ "gs", MDB_R_GS, 16, 0 },
	{ "fsbase", MDB_R_FSBASE, 64, 0 },
	{ "gsbase", MDB_R_GSBASE, 64, 0 },
	{ "kgsbase", MDB_R_KGSBASE, 64, 0 },
	{ "cr0", MDB_R_CR0, 64, 0 },
	{ "cr2", MDB_R_CR2, 64, 0 },
	{ "cr3", MDB_R_CR3, 64, 0 },
	{ "cr4", MDB_R_CR4, 64, 0 },
	{ "eax", MDB_R_AX, 32, 0 },
	{ "ebx", MDB_R_BX, 32, 0 },
	{ "ecx", MDB_R_CX, 32, 0 },
	{ "edx", MDB_R_DX, 32, 0 },
	{ "esi", MDB_R_SI, 32, 0 },
	{ "edi", MDB_R_DI, 32, 0 },
	{ "ebp", MDB_R_BP, 32, 0 },
	{ "esp", MDB_R_SP, 32, 0 },
	{ "eip", MDB_R_IP, 32, 0 },
	{ "eflags", MDB_R_FLAGS, 32, 0 },
	{ "ax", MDB_R_AX, 16, 0 },
	{ "bx", MDB_R_BX, 16, 0 },
	{ "cx", MDB_R_CX, 16, 0 },
	{ "dx", MDB_R_DX, 16, 0 },
	{ "si", MDB_R_SI, 16, 0 },
	{ "di", MDB_R_DI, 16, 0 },
	{ "bp", MDB_R_BP, 16, 0 },
	{ "sp", MDB_R_SP, 16, 0 },
	{ "al", MDB_R_AX, 8, 0 },
	{ "ah", MDB_R_AX, 8, 8 },
	{ "bl", MDB_R_BX, 8, 0 },
	{ "bh", MDB_R_BX, 8, 8 },
	{ "cl", MDB_R_CX, 8, 0 },
	{ "ch", MDB_R_CX, 8, 8 },
	{ "dl", MDB_R_DX, 8, 0 },
	{ "dh", MDB_R_DX, 8, 8 },
};

const char *
mdb_reg_name_at(size_t index)
{
	return index < sizeof(names) / sizeof(names[0]) ? names[index].name
							: NULL;
}

enum mdb_status
mdb_session_reg(struct mdb_ctx *cx, const char *name, uint64_t *value_out)
{
	struct mdb_regs regs;
	enum mdb_status st;
	size_t i = 0;
	uint64_t v;

	while (mdb_reg_name_at(i) != NULL && strcmp(names[i].name, name) != 0)
		i++;
	if (mdb_reg_name_at(i) == NULL)
		return MDB_E_NOTFOUND;
	st = mdb_context_regs(cx, &regs, NULL);
	if (st != MDB_OK)
		return mdb_context(cx, st, "register %s", name);
	if (!mdb_reg_known(&regs, names[i].reg))
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"the dump does not have the value of %s", name);
	v = regs.r[names[i].reg] >> names[i].shift;
	if (names[i].nr_bits < 64)
		v &= (1ull << names[i].nr_bits) - 1;
	*value_out = v;
	return MDB_OK;
}
