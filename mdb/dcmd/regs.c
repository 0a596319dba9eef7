/* SPDX-License-Identifier: MIT */
/*
 * $r ::regs ::cpuregs: the registers of a CPU, in the layout of illumos' mdb
 * for amd64 and i386.  What the dump does not have is printed as unknown, never
 * as 0.
 */
#include "mdb/dcmd/dcmd.h"
#include "mdb/dcmd/remark.h"
#include "mdb/dcmd/stackprint.h"
#include "mdb/stack/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* In the order of the record's columns. */
static const enum mdb_reg record_regs[] = {
	MDB_R_AX,
	MDB_R_BX,
	MDB_R_CX,
	MDB_R_DX,
	MDB_R_SI,
	MDB_R_DI,
	MDB_R_BP,
	MDB_R_SP,
	MDB_R_8,
	MDB_R_9,
	MDB_R_10,
	MDB_R_11,
	MDB_R_12,
	MDB_R_13,
	MDB_R_14,
	MDB_R_15,
	MDB_R_IP,
	MDB_R_FLAGS,
	MDB_R_CS,
	MDB_R_SS,
	MDB_R_DS,
	MDB_R_ES,
	MDB_R_FS,
	MDB_R_GS,
	MDB_R_FSBASE,
	MDB_R_GSBASE,
	MDB_R_KGSBASE,
	MDB_R_CR0,
	MDB_R_CR2,
	MDB_R_CR3,
	MDB_R_CR4,
};
#define NR_NAMES (sizeof(record_regs) / sizeof(record_regs[0]))

#define REG_COLUMN(n)                                    \
	{                                                \
		.name = (n), .flags = MDB_COL_JSON_ONLY, \
		.help = "the register; null: unknown"    \
	}
static const struct mdb_column columns[] = {
	{ .name = "cpu", .flags = MDB_COL_JSON_ONLY, .help = "whose they are" },
	REG_COLUMN("rax"),
	REG_COLUMN("rbx"),
	REG_COLUMN("rcx"),
	REG_COLUMN("rdx"),
	REG_COLUMN("rsi"),
	REG_COLUMN("rdi"),
	REG_COLUMN("rbp"),
	REG_COLUMN("rsp"),
	REG_COLUMN("r8"),
	REG_COLUMN("r9"),
	REG_COLUMN("r10"),
	REG_COLUMN("r11"),
	REG_COLUMN("r12"),
	REG_COLUMN("r13"),
	REG_COLUMN("r14"),
	REG_COLUMN("r15"),
	REG_COLUMN("rip"),
	REG_COLUMN("rflags"),
	REG_COLUMN("cs"),
	REG_COLUMN("ss"),
	REG_COLUMN("ds"),
	REG_COLUMN("es"),
	REG_COLUMN("fs"),
	REG_COLUMN("gs"),
	REG_COLUMN("fsbase"),
	REG_COLUMN("gsbase"),
	REG_COLUMN("kgsbase"),
	REG_COLUMN("cr0"),
	REG_COLUMN("cr2"),
	REG_COLUMN("cr3"),
	REG_COLUMN("cr4"),
	{ 0 },
};
static const struct mdb_table table = { .name = "regs", .columns = columns };

_Static_assert(sizeof(columns) / sizeof(columns[0]) == NR_NAMES + 2,
	"one each");

const char *
mdb_regs_name_at(size_t index)
{
	return index < NR_NAMES ? columns[index + 1].name : NULL;
}

enum mdb_reg
mdb_regs_at(size_t index)
{
	return record_regs[index];
}

static enum mdb_status
print_record(struct mdb_ctx *cx, const struct mdb_regs *regs, int cpu)
{
	struct mdb_value values[NR_NAMES + 1];

	values[0] = mdb_v_int(cpu);
	for (size_t i = 0; i < NR_NAMES; i++)
		values[i + 1] = mdb_reg_known(regs, record_regs[i])
					? mdb_v_hex(regs->r[record_regs[i]])
					: mdb_v_none();
	return mdb_row(cx, &table, values);
}

/* ---- text ---------------------------------------------------------------- */

/* "0x0000000000000012"; digits 0: as short as it is. */
static const char *
number(struct mdb_ctx *cx, const struct mdb_regs *regs, enum mdb_reg reg,
	int digits)
{
	if (!mdb_reg_known(regs, reg))
		return mdb_tmp_printf(cx, "%-*s", digits ? digits + 2 : 0,
			"unknown");
	return mdb_tmp_printf(cx, "0x%0*" PRIx64, digits, regs->r[reg]);
}

/* The symbol that the value lies in, or "". */
static const char *
symbol(struct mdb_ctx *cx, const struct mdb_regs *regs, enum mdb_reg reg)
{
	struct mdb_loc loc = mdb_locate(cx, regs->r[reg]);
	struct mdb_sym sym;

	loc.space = NULL;

	if (!mdb_reg_known(regs, reg) || loc.addr < 0x1000 ||
		!mdb_unwind_may_be_code(loc.world, loc.addr))
		return "";
	if (mdb_sym_by_addr(cx, loc, false, &sym) != MDB_OK) {
		mdb_forget(cx);
		return "";
	}
	return mdb_sym_format(cx, loc);
}

struct pair {
	const char *left_name, *right_name;
	enum mdb_reg left, right;
};

static enum mdb_status
print_pairs(struct mdb_ctx *cx, const struct mdb_regs *regs)
{
	static const struct pair pairs[] = { { "rax", "r9", MDB_R_AX, MDB_R_9 },
		{ "rbx", "r10", MDB_R_BX, MDB_R_10 },
		{ "rcx", "r11", MDB_R_CX, MDB_R_11 },
		{ "rdx", "r12", MDB_R_DX, MDB_R_12 },
		{ "rsi", "r13", MDB_R_SI, MDB_R_13 },
		{ "rdi", "r14", MDB_R_DI, MDB_R_14 },
		{ "r8", "r15", MDB_R_8, MDB_R_15 } };
	enum mdb_status st = MDB_OK;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs) && st == MDB_OK;
		i++)
		st = mdb_remark(cx, "%%%-3s = %s %-15s %%%-3s = %s %s",
			pairs[i].left_name, number(cx, regs, pairs[i].left, 16),
			symbol(cx, regs, pairs[i].left), pairs[i].right_name,
			number(cx, regs, pairs[i].right, 16),
			symbol(cx, regs, pairs[i].right));
	return st == MDB_OK ? mdb_blank(cx) : st;
}

static enum mdb_status
print_pointers(struct mdb_ctx *cx, const struct mdb_regs *regs)
{
	static const struct {
		const char *name;
		enum mdb_reg reg;
	} list[] = { { "rip", MDB_R_IP }, { "rbp", MDB_R_BP },
		{ "rsp", MDB_R_SP } };
	enum mdb_status st = MDB_OK;

	for (size_t i = 0; i < 3 && st == MDB_OK; i++)
		st = mdb_remark(cx, "%%%s = %s %s", list[i].name,
			number(cx, regs, list[i].reg, 16),
			symbol(cx, regs, list[i].reg));
	return st;
}

static enum mdb_status
print_flags(struct mdb_ctx *cx, const struct mdb_regs *regs, const char *name)
{
	static const struct {
		const char *set, *clear;
		unsigned int bit;
	} bits[] = { { "OF", "of", 11 }, { "DF", "df", 10 }, { "IF", "if", 9 },
		{ "TF", "tf", 8 }, { "SF", "sf", 7 }, { "ZF", "zf", 6 },
		{ "AF", "af", 4 }, { "PF", "pf", 2 }, { "CF", "cf", 0 } };
	uint64_t f = regs->r[MDB_R_FLAGS];
	char text[64] = "";
	size_t len = 0;
	enum mdb_status st;

	st = mdb_remark(cx, "%s = %s", name, number(cx, regs, MDB_R_FLAGS, 8));
	if (st != MDB_OK || !mdb_reg_known(regs, MDB_R_FLAGS))
		return st;
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
			i ? "," : "",
			f >> bits[i].bit & 1 ? bits[i].set : bits[i].clear);
	st = mdb_remark(cx,
		"  id=%u vip=%u vif=%u ac=%u vm=%u rf=%u nt=%u iopl=0x%x",
		(unsigned int)(f >> 21 & 1), (unsigned int)(f >> 20 & 1),
		(unsigned int)(f >> 19 & 1), (unsigned int)(f >> 18 & 1),
		(unsigned int)(f >> 17 & 1), (unsigned int)(f >> 16 & 1),
		(unsigned int)(f >> 14 & 1), (unsigned int)(f >> 12 & 3));
	if (st == MDB_OK)
		st = mdb_remark(cx, "  status=<%s>", text);
	return st;
}

static enum mdb_status
print_segments(struct mdb_ctx *cx, const struct mdb_regs *regs)
{
	enum mdb_status st;

	st = mdb_remark(cx, "%%cs = %s\t%%ds = %s\t%%es = %s\t%%fs = %s",
		number(cx, regs, MDB_R_CS, 4), number(cx, regs, MDB_R_DS, 4),
		number(cx, regs, MDB_R_ES, 4), number(cx, regs, MDB_R_FS, 4));
	if (st == MDB_OK)
		st = mdb_remark(cx, "%%gs = %s\t%%gsbase = %s\t%%kgsbase = %s",
			number(cx, regs, MDB_R_GS, 4),
			number(cx, regs, MDB_R_GSBASE, 0),
			number(cx, regs, MDB_R_KGSBASE, 0));
	if (st == MDB_OK)
		st = mdb_remark(cx,
			"%%ss = %s\t%%fsbase = %s\t%%cr0 = %s\t%%cr4 = %s",
			number(cx, regs, MDB_R_SS, 4),
			number(cx, regs, MDB_R_FSBASE, 0),
			number(cx, regs, MDB_R_CR0, 0),
			number(cx, regs, MDB_R_CR4, 0));
	return st;
}

static enum mdb_status
print_wide(struct mdb_ctx *cx, const struct mdb_regs *regs)
{
	enum mdb_status st = print_pairs(cx, regs);

	if (st == MDB_OK)
		st = print_pointers(cx, regs);
	if (st == MDB_OK)
		st = print_flags(cx, regs, "%rflags");
	if (st == MDB_OK)
		st = mdb_blank(cx);
	if (st == MDB_OK)
		st = print_segments(cx, regs);
	if (st == MDB_OK)
		st = mdb_remark(cx,
			"%%trapno = %s\t%%err = %s\t%%cr2 = %s\t%%cr3 = %s",
			number(cx, regs, MDB_R_TRAP, 0),
			number(cx, regs, MDB_R_ERR, 0),
			number(cx, regs, MDB_R_CR2, 0),
			number(cx, regs, MDB_R_CR3, 0));
	return st;
}

/* ---- i386 ---------------------------------------------------------------- */

static enum mdb_status
print_general_32(struct mdb_ctx *cx, const struct mdb_regs *regs)
{
	static const struct {
		const char *segment, *general;
		enum mdb_reg left, right;
	} list[] = { { "cs", "eax", MDB_R_CS, MDB_R_AX },
		{ "ds", "ebx", MDB_R_DS, MDB_R_BX },
		{ "ss", "ecx", MDB_R_SS, MDB_R_CX },
		{ "es", "edx", MDB_R_ES, MDB_R_DX },
		{ "fs", "esi", MDB_R_FS, MDB_R_SI },
		{ "gs", "edi", MDB_R_GS, MDB_R_DI } };
	enum mdb_status st = MDB_OK;

	for (size_t i = 0; i < 6 && st == MDB_OK; i++)
		st = mdb_remark(cx, "%%%s = %s\t\t%%%s = %s %s",
			list[i].segment, number(cx, regs, list[i].left, 4),
			list[i].general, number(cx, regs, list[i].right, 8),
			symbol(cx, regs, list[i].right));
	return st == MDB_OK ? mdb_blank(cx) : st;
}

/* illumos' mdb_ia32_printregs, then what the dump has beyond. */
static enum mdb_status
print_narrow(struct mdb_ctx *cx, const struct mdb_regs *regs)
{
	enum mdb_status st = print_general_32(cx, regs);

	if (st == MDB_OK)
		st = mdb_remark(cx, " %%eip = %s %s",
			number(cx, regs, MDB_R_IP, 8),
			symbol(cx, regs, MDB_R_IP));
	if (st == MDB_OK)
		st = mdb_remark(cx, " %%ebp = %s",
			number(cx, regs, MDB_R_BP, 8));
	if (st == MDB_OK)
		st = mdb_remark(cx, " %%esp = %s",
			number(cx, regs, MDB_R_SP, 8));
	if (st == MDB_OK)
		st = mdb_blank(cx);
	if (st == MDB_OK)
		st = print_flags(cx, regs, " %eflags");
	if (st == MDB_OK)
		st = mdb_blank(cx);
	if (st == MDB_OK)
		st = mdb_remark(cx, "%%trapno = %s",
			number(cx, regs, MDB_R_TRAP, 0));
	if (st == MDB_OK)
		st = mdb_remark(cx, "   %%err = %s",
			number(cx, regs, MDB_R_ERR, 0));
	if (st == MDB_OK)
		st = mdb_remark(cx,
			"%%cr0 = %s\t%%cr2 = %s\t%%cr3 = %s\t%%cr4 = %s",
			number(cx, regs, MDB_R_CR0, 0),
			number(cx, regs, MDB_R_CR2, 0),
			number(cx, regs, MDB_R_CR3, 0),
			number(cx, regs, MDB_R_CR4, 0));
	return st;
}

enum mdb_status
mdb_regs_print(struct mdb_ctx *cx, const struct mdb_regs *regs, bool wide)
{
	return wide ? print_wide(cx, regs) : print_narrow(cx, regs);
}

enum mdb_status
mdb_regs_show(struct mdb_ctx *cx, const struct mdb_regs *regs, int cpu,
	bool wide)
{
	enum mdb_status st = print_record(cx, regs, cpu);

	if (st == MDB_OK)
		st = mdb_regs_print(cx, regs, wide);
	return st;
}

static enum mdb_status
print_regs(struct mdb_ctx *cx, const struct mdb_regs *regs, int cpu)
{
	return mdb_regs_show(cx, regs, cpu,
		mdb_world_word(mdb_world_current(cx)) == 8);
}

static enum mdb_status
run_regs(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_regs regs;
	enum mdb_status st;
	int cpu;

	if (mdb_opt(call, 'c')) {
		cpu = (int)mdb_opt_uint(call, 'c', 0);
		st = mdb_cpu_regs(cx, mdb_world_current(cx), cpu, &regs);
	} else {
		st = mdb_context_regs(cx, &regs, &cpu);
	}
	return st == MDB_OK ? print_regs(cx, &regs, cpu) : st;
}

static enum mdb_status
print_cpu(struct mdb_ctx *cx, int cpu)
{
	struct mdb_regs regs;
	enum mdb_status st =
		mdb_cpu_regs(cx, mdb_world_current(cx), cpu, &regs);

	if (st != MDB_OK)
		return st;
	st = mdb_remark(cx, "CPU %d:", cpu);
	return st == MDB_OK ? print_regs(cx, &regs, cpu) : st;
}

static enum mdb_status
run_cpuregs(struct mdb_ctx *cx, const struct mdb_call *call)
{
	enum mdb_status st = MDB_OK;

	if (call->has_addr)
		return print_cpu(cx, (int)call->loc.addr);
	for (int cpu = -1, n = 0; st == MDB_OK; n++) {
		enum mdb_status next =
			mdb_cpu_next(cx, mdb_world_current(cx), &cpu);

		if (next != MDB_OK)
			return next == MDB_DONE ? MDB_OK : next;
		if (n > 0)
			st = mdb_blank(cx);
		if (st == MDB_OK)
			st = print_cpu(cx, cpu);
		if (st == MDB_E_NOTFOUND) {
			mdb_warn(cx, st, "CPU %d", cpu);
			st = MDB_OK;
		}
	}
	return st;
}

static const struct mdb_option options[] = {
	{ 'c', MDB_OPT_EXPR, "cpu", "those of that CPU" },
	{ 0 },
};

static const struct mdb_example examples[] = {
	{ "$r", "where the CPU was that panicked" },
	{ "::regs -c 1", "the registers of CPU 1" },
	{ "1::cpuregs", "the same" },
	{ 0 },
};

static const char help[] =
	"Shows the registers of the CPU that panicked, or of the first one. "
	"What the dump does not have is `unknown`.";

const struct mdb_dcmd mdb_dcmds_regs[] = {
	{
		.name = "$r",
		.summary = "show the registers",
		.help = help,
		.options = options,
		.table = &table,
		.examples = examples,
		.run = run_regs,
	},
	{
		.name = "regs",
		.summary = "show the registers",
		.help = help,
		.options = options,
		.table = &table,
		.examples = examples,
		.run = run_regs,
	},
	{
		.name = "cpuregs",
		.summary = "show the registers of a CPU, or of each",
		.help = "Shows the registers of the CPU whose number is given "
			"as the address, or of all CPUs that were online.",
		.addr = MDB_ADDR_OPTIONAL,
		.addr_what = "cpu",
		.table = &table,
		.examples = examples,
		.run = run_cpuregs,
	},
	{ 0 },
};
