/* SPDX-License-Identifier: MIT */
/*
 * ::msgbuf: the kernel's log.
 *
 * A record may have several lines; each is a row, so that no newline meets
 * the escaping of the renderer, and the sequence number ties them together.
 */
#include "kern.h"

#include <string.h>

const struct mdb_option kern_msgbuf_options[] = {
	{ 't', MDB_OPT_FLAG, NULL, "time since boot, as dmesg shows it" },
	{ 'T', MDB_OPT_FLAG, NULL, "wall-clock time (UTC) of each message" },
	{ 'v', MDB_OPT_FLAG, NULL,
		"facility, level, and the thread or CPU that called" },
	{ 'd', MDB_OPT_FLAG, NULL, "the record's dictionary below it" },
	{ 0 },
};

static const struct mdb_column msgbuf_columns[] = {
	{ "time", "TIMESTAMP", 14, MDB_COL_LEFT | MDB_COL_TEXT_ONLY, 't',
		"seconds since boot" },
	{ "date", "DATE", 26, MDB_COL_LEFT | MDB_COL_TEXT_ONLY, 'T',
		"wall-clock time, UTC, by the clock at the dump" },
	{ "facility", "FAC", 6, MDB_COL_LEFT, 'v', "kern, user, daemon ..." },
	{ "level", "LEVEL", 6, MDB_COL_LEFT, 'v', "emerg ... debug" },
	{ "caller", "CALLER", 8, 0, 'v', "T and a thread id, or C and a CPU" },
	{ "seq", NULL, 0, MDB_COL_JSON_ONLY, 0, "number of the record" },
	{ "ns", NULL, 0, MDB_COL_JSON_ONLY, 0, "nanoseconds since boot" },
	{ "message", "MESSAGE", 0, MDB_COL_LEFT, 0, "one line of text" },
	{ NULL },
};

const struct mdb_table kern_msgbuf_table = { .name = "messages",
	.columns = msgbuf_columns };

static const struct mdb_column dict_columns[] = {
	{ "dict", NULL, 0, MDB_COL_LEFT, 0, "KEY=value" },
	{ NULL },
};

static const struct mdb_table dict_table = { .name = "dict",
	.columns = dict_columns,
	.indent = 1 };

struct msgbuf {
	const struct mdb_call *call;
	bool has_time;
	struct kern_time time;
};

static const char *
facility_name(struct mdb_ctx *cx, unsigned int facility)
{
	static const char *const names[] = { "kern", "user", "mail", "daemon",
		"auth", "syslog", "lpr", "news", "uucp", "cron", "authpr",
		"ftp" };

	if (facility < sizeof(names) / sizeof(names[0]))
		return names[facility];
	return mdb_tmp_printf(cx, "%u", facility);
}

static const char *
level_name(unsigned int level)
{
	static const char *const names[] = { "emerg", "alert", "crit", "err",
		"warn", "notice", "info", "debug" };

	return names[level & 7];
}

static const char *
date_of(struct mdb_ctx *cx, const struct msgbuf *m, uint64_t ns)
{
	uint64_t sum = m->time.boot_ns + ns % 1000000000u;

	return mdb_tmp_printf(cx, "[%s]",
		kern_date(cx, m->time.boot_sec + (int64_t)(ns / 1000000000u) +
				      (int64_t)(sum / 1000000000u)));
}

static const char *
caller_of(struct mdb_ctx *cx, const struct kern_record *r)
{
	if (!r->has_caller)
		return "-";
	return mdb_tmp_printf(cx, "%c%u",
		(r->caller & KERN_CALLER_CPU) != 0 ? 'C' : 'T',
		r->caller & ~KERN_CALLER_CPU);
}

static enum mdb_status
line_row(struct mdb_ctx *cx, const struct msgbuf *m,
	const struct kern_record *r, const char *text, size_t len)
{
	uint64_t us = r->time_ns / 1000;
	struct mdb_value v[] = {
		mdb_v_text(mdb_tmp_printf(cx, "[%5llu.%06llu]",
			(unsigned long long)(us / 1000000),
			(unsigned long long)(us % 1000000))),
		m->has_time ? mdb_v_text(date_of(cx, m, r->time_ns))
			    : mdb_v_none(),
		mdb_v_text(facility_name(cx, r->facility)),
		mdb_v_text(level_name(r->level)),
		mdb_v_text(caller_of(cx, r)),
		mdb_v_uint(r->seq),
		mdb_v_uint(r->time_ns),
		r->status == MDB_OK ? mdb_v_str(text, len)
				    : mdb_v_error(r->status),
	};

	return mdb_row(cx, &kern_msgbuf_table, v);
}

static enum mdb_status
dict_rows(struct mdb_ctx *cx, const struct kern_record *r)
{
	size_t at = 0, end;
	enum mdb_status st;

	for (at = 0; at < r->dict_len; at = end + 1) {
		for (end = at; end < r->dict_len && r->dict[end] != '\0' &&
			       r->dict[end] != '\n';
			end++)
			;
		if (end == at)
			continue;
		struct mdb_value v[] = { mdb_v_str(r->dict + at, end - at) };
		st = mdb_subrow(cx, &dict_table, v);
		if (st != MDB_OK)
			return st;
	}
	return MDB_OK;
}

static enum mdb_status
record(struct mdb_ctx *cx, const struct kern_record *r, void *arg)
{
	const struct msgbuf *m = arg;
	size_t at = 0, end;
	enum mdb_status st;

	do {
		for (end = at; end < r->len && r->text[end] != '\n'; end++)
			;
		st = line_row(cx, m, r, r->text + at, end - at);
		if (st != MDB_OK)
			return st;
		at = end + 1;
	} while (at < r->len);
	return mdb_opt(m->call, 'd') ? dict_rows(cx, r) : MDB_OK;
}

enum mdb_status
kern_msgbuf(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_world *world = kern_world(cx);
	struct msgbuf m = { .call = call };

	if (mdb_opt(call, 'T')) {
		enum mdb_status st = kern_time(cx, world, &m.time);

		if (st == MDB_OK && !m.time.has_wall)
			st = mdb_fail(cx, MDB_E_NOTFOUND,
				"the kernel's wall clock was not found");
		m.has_time = st == MDB_OK;
		if (st != MDB_OK)
			mdb_warn(cx, st, "no wall-clock times");
	}
	return kern_log(cx, world, record, &m);
}
