/* SPDX-License-Identifier: MIT */
/*
 * $r ::regs ::cpuregs: the registers of a CPU, in the layout of illumos' mdb
 * for amd64.  What the dump does not have is printed as unknown, never as 0.
 */
#include "mdb/dcmd/dcmd.h"
#include "mdb/dcmd/remark.h"
#include "mdb/stack/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct reg_name {
	const char *wide, *narrow; /* without %; narrow NULL: not there */
	enum mdb_reg reg;
};

/* In the order of the record's columns. */
static const struct reg_name names[] = {
	{ "rax", "eax", MDB_R_AX },
	{ "rbx", "ebx", MDB_R_BX },
	{ "rcx", "ecx", MDB_R_CX },
	{ "rdx", "edx", MDB_R_DX },
	{ "rsi", "esi", MDB_R_SI },
	{ "rdi", "edi", MDB_R_DI },
	{ "rbp", "ebp", MDB_R_BP },
	{ "rsp", "esp", MDB_R_SP },
	{ "r8", NULL, MDB_R_8 },
	{ "r9", NULL, MDB_R_9 },
	{ "r10", NULL, MDB_R_10 },
	{ "r11", NULL, MDB_R_11 },
	{ "r12", NULL, MDB_R_12 },
	{ "r13", NULL, MDB_R_13 },
	{ "r14", NULL, MDB_R_14 },
	{ "r15", NULL, MDB_R_15 },
	{ "rip", "eip", MDB_R_IP },
	{ "rflags", "eflags", MDB_R_FLAGS },
	{ "cs", "cs", MDB_R_CS },
	{ "ss", "ss", MDB_R_SS },
	{ "ds", "ds", MDB_R_DS },
	{ "es", "es", MDB_R_ES },
	{ "fs", "fs", MDB_R_FS },
	{ "gs", "gs", MDB_R_GS },
	{ "fsbase", NULL, MDB_R_FSBASE },
	{ "gsbase", NULL, MDB_R_GSBASE },
	{ "kgsbase", NULL, MDB_R_KGSBASE },
	{ "cr0", "cr0", MDB_R_CR0 },
	{ "cr2", "cr2", MDB_R_CR2 },
	{ "cr3", "cr3", MDB_R_CR3 },
	{ "cr4", "cr4", MDB_R_CR4 },
};
#define NR_NAMES (sizeof(names) / sizeof(names[0]))

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

static enum mdb_status
print_record(struct mdb_ctx *cx, const struct mdb_regs *regs, int cpu)
{
	struct mdb_value values[NR_NAMES + 1];

	values[0] = mdb_v_int(cpu);
	for (size_t i = 0; i < NR_NAMES; i++)
		values[i + 1] = mdb_reg_known(regs, names[i].reg)
					? mdb_v_hex(regs->r[names[i].reg])
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

static const char *
name_of(enum mdb_reg reg, bool wide)
{
	for (size_t i = 0; i < NR_NAMES; i++)
		if (names[i].reg == reg)
			return wide ? names[i].wide : names[i].narrow;
	return "";
}

struct pair {
	enum mdb_reg left, right;
};

static enum mdb_status
print_pairs(struct mdb_ctx *cx, const struct mdb_regs *regs, bool wide)
{
	static const struct pair pairs[] = { { MDB_R_AX, MDB_R_9 },
		{ MDB_R_BX, MDB_R_10 }, { MDB_R_CX, MDB_R_11 },
		{ MDB_R_DX, MDB_R_12 }, { MDB_R_SI, MDB_R_13 },
		{ MDB_R_DI, MDB_R_14 }, { MDB_R_8, MDB_R_15 } };
	static const struct pair pairs_32[] = { { MDB_R_AX, MDB_R_SI },
		{ MDB_R_BX, MDB_R_DI }, { MDB_R_CX, MDB_R_BP },
		{ MDB_R_DX, MDB_R_SP } };
	const struct pair *list = wide ? pairs : pairs_32;
	size_t count = wide ? 7 : 4;
	int digits = wide ? 16 : 8;
	enum mdb_status st = MDB_OK;

	for (size_t i = 0; i < count && st == MDB_OK; i++)
		st = mdb_remark(cx, "%%%-3s = %s %-15s %%%-3s = %s %s",
			name_of(list[i].left, wide),
			number(cx, regs, list[i].left, digits),
			symbol(cx, regs, list[i].left),
			name_of(list[i].right, wide),
			number(cx, regs, list[i].right, digits),
			symbol(cx, regs, list[i].right));
	return st == MDB_OK ? mdb_blank(cx) : st;
}

static enum mdb_status
print_flags(struct mdb_ctx *cx, const struct mdb_regs *regs, bool wide)
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

	st = mdb_remark(cx, "%%%s = %s", name_of(MDB_R_FLAGS, wide),
		number(cx, regs, MDB_R_FLAGS, 8));
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
print_pointers(struct mdb_ctx *cx, const struct mdb_regs *regs, bool wide)
{
	static const enum mdb_reg list[] = { MDB_R_IP, MDB_R_BP, MDB_R_SP };
	enum mdb_status st = MDB_OK;

	for (size_t i = 0; i < 3 && st == MDB_OK; i++)
		st = mdb_remark(cx, "%%%s = %s %s", name_of(list[i], wide),
			number(cx, regs, list[i], wide ? 16 : 8),
			symbol(cx, regs, list[i]));
	if (st == MDB_OK)
		st = print_flags(cx, regs, wide);
	return st == MDB_OK ? mdb_blank(cx) : st;
}

static enum mdb_status
print_system(struct mdb_ctx *cx, const struct mdb_regs *regs, bool wide)
{
	enum mdb_status st;

	st = mdb_remark(cx, "%%cs = %s\t%%ds = %s\t%%es = %s\t%%fs = %s",
		number(cx, regs, MDB_R_CS, 4), number(cx, regs, MDB_R_DS, 4),
		number(cx, regs, MDB_R_ES, 4), number(cx, regs, MDB_R_FS, 4));
	if (st == MDB_OK && wide)
		st = mdb_remark(cx, "%%gs = %s\t%%gsbase = %s\t%%kgsbase = %s",
			number(cx, regs, MDB_R_GS, 4),
			number(cx, regs, MDB_R_GSBASE, 0),
			number(cx, regs, MDB_R_KGSBASE, 0));
	else if (st == MDB_OK)
		st = mdb_remark(cx, "%%gs = %s", number(cx, regs, MDB_R_GS, 4));
	if (st == MDB_OK)
		st = mdb_remark(cx,
			"%%ss = %s\t%%fsbase = %s\t%%cr0 = %s\t%%cr4 = %s",
			number(cx, regs, MDB_R_SS, 4),
			number(cx, regs, MDB_R_FSBASE, 0),
			number(cx, regs, MDB_R_CR0, 0),
			number(cx, regs, MDB_R_CR4, 0));
	if (st == MDB_OK)
		st = mdb_remark(cx,
			"%%trapno = unknown\t%%err = unknown\t%%cr2 = %s"
			"\t%%cr3 = %s",
			number(cx, regs, MDB_R_CR2, 0),
			number(cx, regs, MDB_R_CR3, 0));
	return st;
}

static enum mdb_status
print_regs(struct mdb_ctx *cx, const struct mdb_regs *regs, int cpu)
{
	bool wide = mdb_world_word(mdb_world_current(cx)) == 8;
	enum mdb_status st = print_record(cx, regs, cpu);

	if (st == MDB_OK)
		st = print_pairs(cx, regs, wide);
	if (st == MDB_OK)
		st = print_pointers(cx, regs, wide);
	if (st == MDB_OK)
		st = print_system(cx, regs, wide);
	return st;
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
