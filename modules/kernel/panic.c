/* SPDX-License-Identifier: MIT */
/*
 * What died and when: ::panicinfo, ::time, ::uptime.
 */
#include "kern.h"

#include <mdb/xen.h>

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

static const struct {
	enum mdb_reg reg;
	const char *name, *narrow; /* narrow NULL: not of 32 bits */
} reg_names[] = {
	{ MDB_R_DI, "rdi", "edi" },
	{ MDB_R_SI, "rsi", "esi" },
	{ MDB_R_DX, "rdx", "edx" },
	{ MDB_R_CX, "rcx", "ecx" },
	{ MDB_R_8, "r8", NULL },
	{ MDB_R_9, "r9", NULL },
	{ MDB_R_AX, "rax", "eax" },
	{ MDB_R_BX, "rbx", "ebx" },
	{ MDB_R_BP, "rbp", "ebp" },
	{ MDB_R_10, "r10", NULL },
	{ MDB_R_11, "r11", NULL },
	{ MDB_R_12, "r12", NULL },
	{ MDB_R_13, "r13", NULL },
	{ MDB_R_14, "r14", NULL },
	{ MDB_R_15, "r15", NULL },
	{ MDB_R_FSBASE, "fsbase", NULL },
	{ MDB_R_GSBASE, "gsbase", NULL },
	{ MDB_R_KGSBASE, "kgsbase", NULL },
	{ MDB_R_DS, "ds", "ds" },
	{ MDB_R_ES, "es", "es" },
	{ MDB_R_FS, "fs", "fs" },
	{ MDB_R_GS, "gs", "gs" },
	{ MDB_R_IP, "rip", "eip" },
	{ MDB_R_CS, "cs", "cs" },
	{ MDB_R_FLAGS, "rflags", "eflags" },
	{ MDB_R_SP, "rsp", "esp" },
	{ MDB_R_SS, "ss", "ss" },
	{ MDB_R_CR0, "cr0", "cr0" },
	{ MDB_R_CR2, "cr2", "cr2" },
	{ MDB_R_CR3, "cr3", "cr3" },
	{ MDB_R_CR4, "cr4", "cr4" },
};

static enum mdb_status
reg_rows(struct mdb_ctx *cx, const struct mdb_world *world,
	const struct mdb_regs *regs)
{
	bool wide = mdb_world_word(world) == 8;
	size_t i;

	for (i = 0; i < sizeof(reg_names) / sizeof(reg_names[0]); i++) {
		const char *name =
			wide ? reg_names[i].name : reg_names[i].narrow;
		enum mdb_status st;

		if (name == NULL || !mdb_reg_known(regs, reg_names[i].reg))
			continue;
		st = pair(cx, name, mdb_v_hex(regs->r[reg_names[i].reg]));
		if (st != MDB_OK)
			return st;
	}
	return MDB_OK;
}

static enum mdb_status
noted_pair(struct mdb_ctx *cx, const char *name, uint64_t value, void *arg)
{
	bool *any = arg;

	*any = true;
	return pair(cx, mdb_escape(cx, name, strlen(name)), mdb_v_hex(value));
}

/* What the kernel noted itself, else what the dump states of the CPU. */
static enum mdb_status
panic_regs(struct mdb_ctx *cx, struct mdb_world *world, int cpu)
{
	struct mdb_regs regs;
	bool noted = false;
	enum mdb_status st = kern_panic_pairs(cx, world, noted_pair, &noted);

	if (noted || st == MDB_E_INTERRUPTED || st == MDB_DONE)
		return st;
	if (mdb_is_fault(st))
		mdb_warn(cx, st, "what the kernel noted of its registers");
	mdb_forget(cx);
	if (cpu < 0)
		return MDB_OK;
	st = mdb_cpu_regs(cx, world, cpu, &regs);
	if (st != MDB_OK)
		return mdb_context(cx, st, "registers of CPU %d", cpu);
	return reg_rows(cx, world, &regs);
}

/* It was not this system that panicked but the hypervisor below, if any. */
static enum mdb_status
hypervisor_panic(struct mdb_ctx *cx, struct mdb_world *world)
{
	struct mdb_world *xen = mdb_xen_world(world);
	int cpu = xen != NULL ? mdb_panic_cpu(cx, xen) : -1;
	const char *message;
	struct mdb_regs regs;
	enum mdb_status st;

	if (cpu < 0)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"this system did not panic, as far as the dump tells");
	message = mdb_world_fact(cx, xen, "panic_message");
	st = pair(cx, "panicked", mdb_v_text("the hypervisor"));
	if (st == MDB_OK)
		st = pair(cx, "cpu", mdb_v_int(cpu));
	if (st == MDB_OK)
		st = pair(cx, "message",
			message == NULL ? mdb_v_none() : mdb_v_cstr(message));
	if (st == MDB_OK)
		st = mdb_cpu_regs(cx, xen, cpu, &regs);
	if (st != MDB_OK)
		return mdb_context(cx, st, "registers of CPU %d", cpu);
	return reg_rows(cx, xen, &regs);
}

enum mdb_status
kern_panicinfo(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_world *world = kern_world(cx);
	struct kern_panic p;
	enum mdb_status st = kern_panic(cx, world, &p);

	(void)call;
	if (st != MDB_OK)
		return st;
	if (!p.panicked)
		return hypervisor_panic(cx, world);
	st = pair(cx, "cpu", p.cpu < 0 ? mdb_v_none() : mdb_v_int(p.cpu));
	if (st == MDB_OK)
		st = pair(cx, "thread",
			p.thread.addr == 0 ? mdb_v_none()
					   : mdb_v_addr(p.thread));
	if (st == MDB_OK)
		st = pair(cx, "message",
			p.message == NULL ? mdb_v_none()
					  : mdb_v_cstr(p.message));
	return st == MDB_OK ? panic_regs(cx, world, p.cpu) : st;
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
	enum mdb_status st = kern_time(cx, kern_world(cx), &t);
	struct mdb_value shown;

	if (st == MDB_OK && !t.has_wall)
		st = mdb_fail(cx, MDB_E_NOTFOUND,
			"the kernel's wall clock was not found");
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
	enum mdb_status st = kern_time(cx, kern_world(cx), &t);
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
