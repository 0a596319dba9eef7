/* SPDX-License-Identifier: MIT */
/*
 * What died and when: ::panicinfo, ::time, ::uptime.
 */
#include "kern.h"

#include <string.h>

/* ---- ::panicinfo --------------------------------------------------------- */

static const struct mdb_column panicinfo_columns[] = {
	{ "name", NULL, 16, 0, 0, "cpu, thread, message, or a register" },
	{ "value", NULL, 0, MDB_COL_LEFT, 0, "its value" },
	{ NULL },
};

const struct mdb_table kern_panicinfo_table = { .name = "panicinfo",
	.columns = panicinfo_columns };

static enum mdb_status
pair(struct mdb_ctx *cx, const char *name, struct mdb_value value)
{
	struct mdb_value v[] = { mdb_v_text(name), value };

	return mdb_row(cx, &kern_panicinfo_table, v);
}

static enum mdb_status
reg_rows(struct mdb_ctx *cx, const struct mdb_regs *regs)
{
	static const struct {
		enum mdb_reg reg;
		const char *name;
	} names[] = {
		{ MDB_R_DI, "rdi" },
		{ MDB_R_SI, "rsi" },
		{ MDB_R_DX, "rdx" },
		{ MDB_R_CX, "rcx" },
		{ MDB_R_8, "r8" },
		{ MDB_R_9, "r9" },
		{ MDB_R_AX, "rax" },
		{ MDB_R_BX, "rbx" },
		{ MDB_R_BP, "rbp" },
		{ MDB_R_10, "r10" },
		{ MDB_R_11, "r11" },
		{ MDB_R_12, "r12" },
		{ MDB_R_13, "r13" },
		{ MDB_R_14, "r14" },
		{ MDB_R_15, "r15" },
		{ MDB_R_FSBASE, "fsbase" },
		{ MDB_R_GSBASE, "gsbase" },
		{ MDB_R_KGSBASE, "kgsbase" },
		{ MDB_R_DS, "ds" },
		{ MDB_R_ES, "es" },
		{ MDB_R_FS, "fs" },
		{ MDB_R_GS, "gs" },
		{ MDB_R_IP, "rip" },
		{ MDB_R_CS, "cs" },
		{ MDB_R_FLAGS, "rflags" },
		{ MDB_R_SP, "rsp" },
		{ MDB_R_SS, "ss" },
		{ MDB_R_CR0, "cr0" },
		{ MDB_R_CR2, "cr2" },
		{ MDB_R_CR3, "cr3" },
		{ MDB_R_CR4, "cr4" },
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		enum mdb_status st;

		if (!mdb_reg_known(regs, names[i].reg))
			continue;
		st = pair(cx, names[i].name, mdb_v_hex(regs->r[names[i].reg]));
		if (st != MDB_OK)
			return st;
	}
	return MDB_OK;
}

enum mdb_status
kern_panicinfo(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_world *world = mdb_world_current(cx);
	const char *message = mdb_world_fact(cx, world, "panic_message");
	int cpu = mdb_panic_cpu(cx, world);
	struct mdb_loc thread;
	struct mdb_regs regs;
	enum mdb_status st;

	(void)call;
	if (cpu < 0 && message == NULL)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"this system did not panic, as far as the dump tells");
	thread = kern_panic_thread(cx, world);
	st = pair(cx, "cpu", cpu < 0 ? mdb_v_none() : mdb_v_int(cpu));
	if (st == MDB_OK)
		st = pair(cx, "thread",
			thread.addr == 0 ? mdb_v_none() : mdb_v_addr(thread));
	if (st == MDB_OK)
		st = pair(cx, "message",
			message == NULL ? mdb_v_none() : mdb_v_cstr(message));
	if (st != MDB_OK || cpu < 0)
		return st;
	st = mdb_cpu_regs(cx, world, cpu, &regs);
	if (st != MDB_OK)
		return mdb_context(cx, st, "registers of CPU %d", cpu);
	return reg_rows(cx, &regs);
}

/* ---- ::time, ::uptime ---------------------------------------------------- */

const struct mdb_option kern_time_options[] = {
	{ 'd', MDB_OPT_FLAG, NULL, "seconds since 1970, decimal" },
	{ 'x', MDB_OPT_FLAG, NULL, "seconds since 1970, hex" },
	{ 0 },
};

static const struct mdb_column time_columns[] = {
	{ "time", NULL, 0, MDB_COL_LEFT, 0,
		"wall-clock time at the dump, UTC" },
	{ "sec", NULL, 0, MDB_COL_JSON_ONLY, 0, "seconds since 1970" },
	{ "nsec", NULL, 0, MDB_COL_JSON_ONLY, 0, "and nanoseconds" },
	{ NULL },
};

const struct mdb_table kern_time_table = { .name = "time",
	.columns = time_columns };

enum mdb_status
kern_time_show(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct kern_time t;
	enum mdb_status st = kern_time(cx, mdb_world_current(cx), &t);
	struct mdb_value shown;

	if (st != MDB_OK)
		return st;
	if (mdb_opt(call, 'x'))
		shown = mdb_v_hex((uint64_t)t.wall_sec);
	else if (mdb_opt(call, 'd'))
		shown = mdb_v_int(t.wall_sec);
	else
		shown = mdb_v_text(mdb_tmp_printf(cx, "%s UTC",
			kern_date(cx, t.wall_sec)));
	struct mdb_value v[] = { shown, mdb_v_int(t.wall_sec),
		mdb_v_uint(t.wall_ns) };
	return mdb_row(cx, &kern_time_table, v);
}

static const struct mdb_column uptime_columns[] = {
	{ "uptime", NULL, 0, MDB_COL_LEFT | MDB_COL_TEXT_ONLY, 0,
		"time since boot" },
	{ "ns", NULL, 0, MDB_COL_JSON_ONLY, 0, "nanoseconds since boot" },
	{ NULL },
};

const struct mdb_table kern_uptime_table = { .name = "uptime",
	.columns = uptime_columns };

enum mdb_status
kern_uptime(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct kern_time t;
	enum mdb_status st = kern_time(cx, mdb_world_current(cx), &t);
	uint64_t s;

	(void)call;
	if (st != MDB_OK)
		return st;
	s = t.up_ns / 1000000000u;
	struct mdb_value v[] = {
		mdb_v_text(mdb_tmp_printf(cx,
			"%llu days, %02llu:%02llu:%02llu (%llu.%02llu s)",
			(unsigned long long)(s / 86400),
			(unsigned long long)(s / 3600 % 24),
			(unsigned long long)(s / 60 % 60),
			(unsigned long long)(s % 60), (unsigned long long)s,
			(unsigned long long)(t.up_ns / 10000000u % 100))),
		mdb_v_uint(t.up_ns),
	};
	return mdb_row(cx, &kern_uptime_table, v);
}
