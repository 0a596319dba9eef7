/* SPDX-License-Identifier: MIT */
/* A native dump in words: see native.h. */
#include "mdb/dcmd/native.h"

#include "mdb/base/ctx.h"
#include "mdb/dcmd/remark.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MAX_SILENT 4096u

const struct dfmt_native *
mdb_native_of(const struct mdb_ctx *cx)
{
	const struct dfmt *d =
		cx->target ? mdb_memory_dump(cx->target->memory) : NULL;

	return d ? dfmt_native_get(d) : NULL;
}

const char *
mdb_native_completeness(struct mdb_ctx *cx, const struct dfmt_native *n)
{
	static const char *const ends[] = { "complete",
		"the range was too small for all of it",
		"the time limit ended it", "the device failed",
		"a second panic ended it", "it was told to stop" };

	if (!n->has_end)
		return "cut: it has no end";
	if (n->end_status >= sizeof(ends) / sizeof(ends[0]))
		return mdb_tmp_printf(cx, "ended for reason %" PRIu32,
			n->end_status);
	return ends[n->end_status];
}

const char *
mdb_native_content(struct mdb_ctx *cx, const struct dfmt_native *n)
{
	static const char *const classes[] = { NULL, "hypervisor", "page table",
		"kernel", "user", "guest", "free" };
	const char *text = "", *last = NULL;

	for (size_t i = 1; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (!(n->content >> i & 1))
			continue;
		if (last)
			text = mdb_tmp_printf(cx, "%s%s%s", text,
				text[0] ? ", " : "", last);
		last = classes[i];
	}
	if (!last)
		return "stacks only";
	return mdb_tmp_printf(cx, "%s%s%s pages", text, text[0] ? " and " : "",
		last);
}

const char *
mdb_native_culprit(struct mdb_ctx *cx, const struct dfmt_native *n)
{
	const struct dfmt *d = mdb_memory_dump(cx->target->memory);
	const char *text;
	struct dfmt_cpu cpu;

	if (n->panic_cpu >= dfmt_nr_cpus(d))
		return NULL;
	cpu = dfmt_cpu_at(d, n->panic_cpu);
	text = mdb_tmp_printf(cx, "CPU %" PRIu32, cpu.id);
	if (cpu.world < dfmt_nr_worlds(d)) {
		struct dfmt_world w = dfmt_world_at(d, cpu.world);

		text = mdb_tmp_printf(cx, "%s in %s", text, w.name);
	}
	if (!cpu.has_vcpu)
		return text;
	return mdb_tmp_printf(cx,
		"%s, running vcpu %" PRIu32 " of domain %" PRIu32, text,
		cpu.vcpu, cpu.domain);
}

const char *
mdb_native_time(struct mdb_ctx *cx, const struct dfmt_native *n)
{
	time_t seconds = (time_t)n->time_sec;
	char text[64];
	struct tm tm;

	if (n->time_sec == 0)
		return NULL;
	if (n->time_sec > INT64_MAX || !gmtime_r(&seconds, &tm) ||
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
		return mdb_tmp_printf(cx, "%" PRIu64 " s", n->time_sec);
	return mdb_tmp_printf(cx, "%s", text);
}

const char *
mdb_native_hex(struct mdb_ctx *cx, const uint8_t *bytes, size_t len)
{
	char *text = mdb_tmp(cx, 2 * len + 1);

	for (size_t i = 0; i < len; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return text;
}

/* ---- ::status ------------------------------------------------------------ */

static const struct mdb_column columns[] = {
	{ .name = "dump_id", .flags = MDB_COL_JSON_ONLY, .help = "in hex" },
	{ .name = "complete",
		.flags = MDB_COL_JSON_ONLY,
		.help = "its writer came to the end" },
	{ .name = "completeness",
		.flags = MDB_COL_JSON_ONLY,
		.help = "in words" },
	{ .name = "why",
		.flags = MDB_COL_JSON_ONLY,
		.help = "the writer's own word on that, or null" },
	{ .name = "missing",
		.flags = MDB_COL_JSON_ONLY,
		.help = "what is not there, or null" },
	{ .name = "triage",
		.flags = MDB_COL_JSON_ONLY,
		.help = "yes, partly, no" },
	{ .name = "indexed",
		.flags = MDB_COL_JSON_ONLY,
		.help = "read through its index, not by a scan" },
	{ .name = "labelled",
		.flags = MDB_COL_JSON_ONLY,
		.help = "a dump device or its image" },
	{ .name = "saved",
		.flags = MDB_COL_JSON_ONLY,
		.help = "the label says that savecore took it" },
	{ .name = "found",
		.flags = MDB_COL_JSON_ONLY,
		.help = "bytes of the dump" },
	{ .name = "data",
		.flags = MDB_COL_JSON_ONLY,
		.help = "pages stored; null: the writer did not say" },
	{ .name = "fill",
		.flags = MDB_COL_JSON_ONLY,
		.help = "pages of one word" },
	{ .name = "repeat",
		.flags = MDB_COL_JSON_ONLY,
		.help = "pages like one before" },
	{ .name = "lost",
		.flags = MDB_COL_JSON_ONLY,
		.help = "pages that the writer could not read" },
	{ .name = "culprit",
		.flags = MDB_COL_JSON_ONLY,
		.help = "the CPU that panicked, in words" },
	{ .name = "time", .flags = MDB_COL_JSON_ONLY, .help = "UTC, or null" },
	{ .name = "encrypted",
		.flags = MDB_COL_JSON_ONLY,
		.help = "no, open (its key was given), locked" },
	{ .name = "key",
		.flags = MDB_COL_JSON_ONLY,
		.help = "the id of the key it is encrypted to, or null" },
	{ .name = "original",
		.flags = MDB_COL_JSON_ONLY,
		.help = "the format it was converted from, or null" },
	{ 0 },
};
static const struct mdb_table table = { .name = "native", .columns = columns };

static struct mdb_value
text_or_none(const char *text)
{
	return text ? mdb_v_cstr(text) : mdb_v_none();
}

static struct mdb_value
counted(const struct dfmt_native *n, uint64_t count)
{
	return n->has_end ? mdb_v_uint(count) : mdb_v_none();
}

static const char *
triage_text(const struct dfmt_native *n)
{
	if (!n->has_triage)
		return "no";
	return n->triage_whole ? "yes" : "partly";
}

static const char *
lock_text(const struct dfmt_native *n)
{
	if (!n->encrypted)
		return "no";
	return n->locked ? "locked" : "open";
}

static const char *
key_text(struct mdb_ctx *cx, const struct dfmt_native *n)
{
	return n->has_keys ? mdb_native_hex(cx, n->key_id, sizeof(n->key_id))
			   : NULL;
}

enum mdb_status
mdb_native_status_record(struct mdb_ctx *cx, const struct dfmt_native *n)
{
	const struct mdb_value values[] = {
		mdb_v_text(mdb_native_hex(cx, n->dump_id, sizeof(n->dump_id))),
		mdb_v_bool(n->has_end && n->end_status == 0),
		mdb_v_text(mdb_native_completeness(cx, n)),
		text_or_none(n->why),
		text_or_none(n->missing),
		mdb_v_text(triage_text(n)),
		mdb_v_bool(n->indexed),
		mdb_v_bool(n->labelled),
		mdb_v_bool(n->saved),
		mdb_v_uint(n->dump_len),
		counted(n, n->nr_data),
		counted(n, n->nr_fill),
		counted(n, n->nr_repeat),
		counted(n, n->nr_lost),
		text_or_none(mdb_native_culprit(cx, n)),
		text_or_none(mdb_native_time(cx, n)),
		mdb_v_text(lock_text(n)),
		text_or_none(key_text(cx, n)),
		text_or_none(n->original),
	};

	return mdb_subrow(cx, &table, values);
}

static enum mdb_status
print_writer(struct mdb_ctx *cx, const struct dfmt_native *n)
{
	enum mdb_status st;

	bool explained =
		n->has_end && n->end_status != 0 && n->why && n->why[0];

	st = mdb_remark(cx, "dump: %s%s%s, %s, read %s",
		mdb_native_completeness(cx, n), explained ? ": " : "",
		explained ? n->why : "", mdb_size_text(cx, n->dump_len),
		n->locked    ? "not at all"
		: n->indexed ? "through its index"
			     : "by a scan");
	if (st == MDB_OK && n->has_end)
		st = mdb_remark(cx,
			"pages: %" PRIu64 " stored, %" PRIu64 " of one word, "
			"%" PRIu64 " repeated, %" PRIu64
			" lost when it was written",
			n->nr_data, n->nr_fill, n->nr_repeat, n->nr_lost);
	if (st == MDB_OK && (n->nr_retries || n->nr_skipped))
		st = mdb_remark(cx,
			"device: %" PRIu32 " writes were done again, %" PRIu32
			" places given up",
			n->nr_retries, n->nr_skipped);
	if (st == MDB_OK && n->missing)
		st = mdb_remark(cx, "missing: %s", n->missing);
	if (st == MDB_OK && n->encrypted && !n->locked && n->has_keys)
		st = mdb_remark(cx, "encrypted to: key %s", key_text(cx, n));
	if (st == MDB_OK && !(n->has_triage && n->triage_whole) && !n->locked)
		st = mdb_remark(cx, "triage record: %s",
			n->has_triage ? "parts of it are damaged"
				      : "not there");
	return st;
}

/* Those that could not be stopped, and went on while memory was read. */
static enum mdb_status
print_silent(struct mdb_ctx *cx)
{
	const struct dfmt *d = mdb_memory_dump(cx->target->memory);
	const char *text = "";

	for (size_t i = 0; d && i < dfmt_nr_cpus(d) && i < MAX_SILENT; i++) {
		struct dfmt_cpu cpu = dfmt_cpu_at(d, i);

		if (cpu.has_native && cpu.silent)
			text = mdb_tmp_printf(cx, "%s%s%" PRIu32, text,
				text[0] ? ", " : "", cpu.id);
	}
	return text[0] == 0 ? MDB_OK
			    : mdb_remark(cx,
				      "CPUs that did not answer: %s; what they "
				      "wrote to may have changed while it was "
				      "read",
				      text);
}

enum mdb_status
mdb_native_status_lines(struct mdb_ctx *cx, const struct dfmt_native *n)
{
	const char *culprit = mdb_native_culprit(cx, n);
	const char *when = mdb_native_time(cx, n);
	enum mdb_status st = print_writer(cx, n);

	if (st == MDB_OK)
		st = print_silent(cx);
	if (st == MDB_OK && n->original)
		st = mdb_remark(cx, "converted from: %s", n->original);
	if (st == MDB_OK && n->labelled)
		st = mdb_remark(cx, "device: labelled %s, dump %" PRIu64 ", %s",
			mdb_native_hex(cx, n->label_uuid,
				sizeof(n->label_uuid)),
			n->generation, n->saved ? "saved" : "not saved yet");
	if (st == MDB_OK && culprit)
		st = mdb_remark(cx, "panicked: %s%s%s", culprit,
			when ? ", at " : "", when ? when : "");
	else if (st == MDB_OK && when)
		st = mdb_remark(cx, "time: %s", when);
	return st;
}
