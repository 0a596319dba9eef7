/* SPDX-License-Identifier: MIT */
/*
 * ::triage: the record at the front of a dump of our own format, which is
 * there when nothing else is: why and when it died, who, with which registers
 * and on which stack, and the end of the console.
 */
#include "mdb/dcmd/native.h"

#include "mdb/base/ctx.h"
#include "mdb/dcmd/remark.h"
#include "mdb/dcmd/stackprint.h"

#include <inttypes.h>
#include <string.h>

static const struct mdb_column columns[] = {
	{ .name = "dump_id", .flags = MDB_COL_JSON_ONLY, .help = "in hex" },
	{ .name = "whole",
		.flags = MDB_COL_JSON_ONLY,
		.help = "no part of the record is damaged" },
	{ .name = "reason",
		.flags = MDB_COL_JSON_ONLY,
		.help = "the panic message" },
	{ .name = "time", .flags = MDB_COL_JSON_ONLY, .help = "UTC, or null" },
	{ .name = "cpus",
		.flags = MDB_COL_JSON_ONLY,
		.help = "of the machine" },
	{ .name = "memory",
		.flags = MDB_COL_JSON_ONLY,
		.help = "of the machine, pages; 0: not known" },
	{ .name = "culprit",
		.flags = MDB_COL_JSON_ONLY,
		.help = "the CPU that panicked, in words" },
	{ .name = "original",
		.flags = MDB_COL_JSON_ONLY,
		.help = "the format it was converted from, or null" },
	{ 0 },
};
static const struct mdb_table table = { .name = "triage", .columns = columns };

static const struct mdb_column version_columns[] = {
	{ .name = "text", .flags = MDB_COL_LEFT, .help = "name=value" },
	{ 0 },
};
static const struct mdb_table version_table = { .name = "versions",
	.columns = version_columns,
	.indent = 4 };

static const struct mdb_column frame_columns[] = {
	{ .name = "fp",
		.width = MDB_WIDTH_ADDR,
		.flags = MDB_COL_ZERO,
		.help = "the frame's address" },
	{ .name = "text", .flags = MDB_COL_LEFT, .help = "as recorded" },
	{ .name = "pc", .flags = MDB_COL_JSON_ONLY, .help = "in it" },
	{ .name = "world", .flags = MDB_COL_JSON_ONLY, .help = "of it" },
	{ 0 },
};
static const struct mdb_table frame_table = { .name = "frames",
	.columns = frame_columns,
	.indent = 4 };

static const struct mdb_column reg_columns[] = {
	{ .name = "name", .flags = MDB_COL_JSON_ONLY, .help = "register" },
	{ .name = "value", .flags = MDB_COL_JSON_ONLY, .help = "of it" },
	{ 0 },
};
static const struct mdb_table reg_table = { .name = "registers",
	.columns = reg_columns };

static const struct mdb_column console_columns[] = {
	{ .name = "text", .flags = MDB_COL_LEFT, .help = "a line" },
	{ 0 },
};
static const struct mdb_table console_table = { .name = "console",
	.columns = console_columns,
	.indent = 4 };

static struct mdb_value
text_or_none(const char *text)
{
	return text ? mdb_v_cstr(text) : mdb_v_none();
}

static enum mdb_status
print_head(struct mdb_ctx *cx, const struct dfmt_native *n)
{
	const char *when = mdb_native_time(cx, n);
	const char *culprit = mdb_native_culprit(cx, n);
	const struct mdb_value values[] = {
		mdb_v_text(mdb_native_hex(cx, n->dump_id, sizeof(n->dump_id))),
		mdb_v_bool(n->triage_whole),
		text_or_none(n->reason),
		text_or_none(when),
		mdb_v_uint(n->nr_cpus),
		mdb_v_uint(n->nr_frames),
		text_or_none(culprit),
		text_or_none(n->original),
	};
	enum mdb_status st = mdb_row(cx, &table, values);

	if (st == MDB_OK)
		st = mdb_remark(cx, "panic message: %s",
			n->reason ? n->reason : "(not recorded)");
	if (st == MDB_OK)
		st = mdb_remark(cx, "time: %s", when ? when : "(no clock)");
	if (st == MDB_OK)
		st = mdb_remark(cx, "machine: %" PRIu32 " CPUs, %s", n->nr_cpus,
			n->nr_frames ? mdb_tmp_printf(cx, "%" PRIu64 " pages",
					       n->nr_frames)
				     : "memory not counted");
	if (st == MDB_OK)
		st = mdb_remark(cx, "panicked: %s",
			culprit ? culprit : "(not recorded)");
	if (st == MDB_OK && !n->triage_whole)
		st = mdb_remark(cx, "parts of this record are damaged");
	return st;
}

static enum mdb_status
print_versions(struct mdb_ctx *cx, const struct dfmt *d)
{
	enum mdb_status st = MDB_OK;

	if (dfmt_nr_versions(d))
		st = mdb_remark(cx, "versions:");
	for (size_t i = 0; i < dfmt_nr_versions(d) && st == MDB_OK; i++) {
		struct mdb_value value = mdb_v_cstr(dfmt_version_at(d, i));

		st = mdb_subrow(cx, &version_table, &value);
	}
	return st;
}

static enum mdb_status
print_cpu(struct mdb_ctx *cx, const struct dfmt *d, const struct dfmt_native *n)
{
	struct mdb_regs regs;
	struct dfmt_cpu cpu;
	bool wide = true;
	enum mdb_status st = MDB_OK;

	if (n->panic_cpu >= dfmt_nr_cpus(d))
		return MDB_OK;
	cpu = dfmt_cpu_at(d, n->panic_cpu);
	if (cpu.world < dfmt_nr_worlds(d))
		wide = dfmt_world_at(d, cpu.world).machine != DFMT_MACHINE_I386;
	regs = mdb_regs_of_cpu(&cpu, wide);
	if (cpu.has_trap) {
		mdb_reg_set(&regs, MDB_R_TRAP, cpu.trap);
		mdb_reg_set(&regs, MDB_R_ERR, cpu.error);
	}
	for (size_t i = 0; st == MDB_OK && mdb_regs_name_at(i); i++) {
		enum mdb_reg reg = mdb_regs_at(i);
		const struct mdb_value values[] = {
			mdb_v_text(mdb_regs_name_at(i)),
			mdb_v_hex(regs.r[reg]),
		};

		if (mdb_reg_known(&regs, reg))
			st = mdb_subrow(cx, &reg_table, values);
	}
	if (st == MDB_OK)
		st = mdb_remark(cx, "registers:");
	return st == MDB_OK ? mdb_regs_print(cx, &regs, wide) : st;
}

static enum mdb_status
print_frames(struct mdb_ctx *cx, const struct dfmt *d)
{
	enum mdb_status st = MDB_OK;

	if (dfmt_nr_frames(d))
		st = mdb_remark(cx, "stack, as recorded:");
	for (size_t i = 0; i < dfmt_nr_frames(d) && st == MDB_OK; i++) {
		struct dfmt_frame f = dfmt_frame_at(d, i);
		const struct mdb_value values[] = {
			mdb_v_hex(f.fp),
			text_or_none(f.text),
			mdb_v_hex(f.pc),
			f.world < dfmt_nr_worlds(d)
				? mdb_v_cstr(mdb_tmp_printf(cx, "%s",
					  dfmt_world_at(d, f.world).name))
				: mdb_v_none(),
		};

		st = mdb_subrow(cx, &frame_table, values);
	}
	return st;
}

static enum mdb_status
print_console(struct mdb_ctx *cx, const struct dfmt_native *n)
{
	const char *at = n->console, *end = at ? at + n->console_len : at;
	enum mdb_status st = MDB_OK;

	if (!at)
		return MDB_OK;
	st = mdb_remark(cx, "end of the console:");
	while (at < end && st == MDB_OK) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((newline ? newline : end) - at);
		struct mdb_value value = mdb_v_str(at, len);

		st = mdb_subrow(cx, &console_table, &value);
		at += len + 1;
	}
	return st;
}

static enum mdb_status
run(struct mdb_ctx *cx, const struct mdb_call *call)
{
	const struct dfmt_native *n = mdb_native_of(cx);
	const struct dfmt *d;
	enum mdb_status st;

	(void)call;
	if (!n)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"only dumps of the native format have a triage record");
	if (!n->has_triage)
		return mdb_fail(cx, MDB_E_LOST,
			"the dump's triage record is lost");
	d = mdb_memory_dump(cx->target->memory);
	st = print_head(cx, n);
	if (st == MDB_OK)
		st = print_versions(cx, d);
	if (st == MDB_OK)
		st = print_cpu(cx, d, n);
	if (st == MDB_OK)
		st = print_frames(cx, d);
	return st == MDB_OK ? print_console(cx, n) : st;
}

static const struct mdb_example examples[] = {
	{ "::triage", "who died and why, if nothing else of the dump is left" },
	{ 0 },
};

const struct mdb_dcmd mdb_dcmds_triage[] = {
	{
		.name = "triage",
		.summary = "print the record at the front of a native dump",
		.help = "Prints what the panicking program wrote first: the "
			"panic message, the time, versions, the registers of "
			"the CPU that panicked, its stack as that program saw "
			"it, and the end of the console. It is there as soon "
			"as the first 64 KiB of a dump device are.",
		.table = &table,
		.examples = examples,
		.run = run,
	},
	{ 0 },
};
