/* SPDX-License-Identifier: MIT */
/* Registers as a dump's notes have them, in the core's own numbering. */
#include "mdb/base/ctx.h"
#include "mdb/world/target.h"

static void
general(const struct dfmt_cpu *c, bool wide, struct mdb_regs *regs)
{
	const uint64_t low[] = { c->rax, c->rdx, c->rcx, c->rbx, c->rsi, c->rdi,
		c->rbp, c->rsp };
	const uint64_t high[] = { c->r8, c->r9, c->r10, c->r11, c->r12, c->r13,
		c->r14, c->r15 };

	for (int i = 0; i < 8; i++)
		mdb_reg_set(regs, (enum mdb_reg)(MDB_R_AX + i), low[i]);
	for (int i = 0; wide && i < 8; i++)
		mdb_reg_set(regs, (enum mdb_reg)(MDB_R_8 + i), high[i]);
	mdb_reg_set(regs, MDB_R_IP, c->rip);
	mdb_reg_set(regs, MDB_R_FLAGS, c->rflags);
	mdb_reg_set(regs, MDB_R_CS, c->cs);
	mdb_reg_set(regs, MDB_R_SS, c->ss);
	mdb_reg_set(regs, MDB_R_DS, c->ds);
	mdb_reg_set(regs, MDB_R_ES, c->es);
	mdb_reg_set(regs, MDB_R_FS, c->fs);
	mdb_reg_set(regs, MDB_R_GS, c->gs);
}

static void
control(const struct dfmt_cpu *c, struct mdb_regs *regs)
{
	mdb_reg_set(regs, MDB_R_CR0, c->cr0);
	mdb_reg_set(regs, MDB_R_CR2, c->cr2);
	mdb_reg_set(regs, MDB_R_CR3, c->cr3);
	mdb_reg_set(regs, MDB_R_CR4, c->cr4);
}

static void
bases(const struct dfmt_cpu *c, struct mdb_regs *regs)
{
	bool user = c->has_regs && (c->cs & 3) == 3;

	mdb_reg_set(regs, MDB_R_FSBASE, c->fs_base);
	if (c->has_kernel_gs) {
		mdb_reg_set(regs, MDB_R_GSBASE, c->gs_base);
		mdb_reg_set(regs, MDB_R_KGSBASE, c->kernel_gs_base);
		return;
	}
	/* A crash path stored the inactive base, which is user mode's. */
	mdb_reg_set(regs, user ? MDB_R_GSBASE : MDB_R_KGSBASE, c->gs_base);
}

struct mdb_regs
mdb_regs_of_cpu(const struct dfmt_cpu *c, bool wide)
{
	struct mdb_regs regs = { 0 };

	if (c->has_regs)
		general(c, wide, &regs);
	if (c->has_cr)
		control(c, &regs);
	if (c->has_bases)
		bases(c, &regs);
	return regs;
}

enum mdb_status
mdb_regs_of_note(struct mdb_ctx *cx, struct mdb_target *target, size_t index,
	struct mdb_regs *regs_out)
{
	const struct dfmt *d = mdb_memory_dump(target->memory);
	struct dfmt_info info;

	if (!d || index >= dfmt_nr_cpus(d))
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"the dump has no registers of CPU %zu", index);
	struct dfmt_cpu c = dfmt_cpu_at(d, index);

	dfmt_info_get(d, &info);
	*regs_out = mdb_regs_of_cpu(&c, info.machine != DFMT_MACHINE_I386);
	return MDB_OK;
}
