/* SPDX-License-Identifier: MIT */
/*
 * ::dump: memory as hex and ASCII, in the layout of illumos' mdb (2021):
 * lines at multiples of 16 bytes per paragraph, a heading of column digits in
 * which `\/` and `v` mark the column of the address asked for.
 *
 * A byte that cannot be read is blank; the line that has one is the last, and
 * the failure follows.
 */
#include "mdb/dcmd/dcmd.h"
#include "mdb/shell/out.h"
#include "mdb/shell/session.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PARAGRAPH ((size_t)16)
#define MAX_PARAGRAPHS ((size_t)16)
#define MAX_LINE (MAX_PARAGRAPHS * PARAGRAPH)
/* More than any memory; no sum of addresses overflows. */
#define MAX_LEN (1ull << 62)

struct dump {
	mdb_addr_t base;   /* that lines are counted from: see -r */
	mdb_addr_t wanted; /* the first byte asked for */
	uint64_t len;	   /* bytes asked for */
	size_t line;	   /* bytes per line */
	size_t group;
	int addr_width;
	bool swap;     /* -e: each group as a little-endian number */
	bool relative; /* -r */
	bool only;     /* -t: nothing but what was asked for */
	bool no_ascii; /* -q */
	bool squeeze;  /* -s */
	bool machine;  /* -p */
	bool headed;   /* the heading was printed */
};

/* The byte of the line that is printed i-th. */
static size_t
order(const struct dump *d, size_t i)
{
	if (!d->swap || d->group == 0)
		return i;
	return i / d->group * d->group + d->group - 1 - i % d->group;
}

/* Bytes on the first line that come before those asked for. */
static uint64_t
before_wanted(const struct dump *d)
{
	return (d->wanted - d->base) % (d->line == 0 ? 1 : d->line);
}

static void
heading(struct mdb_ctx *cx, struct dump *d)
{
	size_t mark = (size_t)before_wanted(d);
	struct mdb_buf b;

	if (cx->out->mode != MDB_OUT_TEXT || d->headed)
		return;
	d->headed = true;
	mdb_buf_init(&b);
	mdb_buf_pad(&b, ' ', (size_t)d->addr_width + 3);
	for (size_t i = 0; i < d->line; i++) {
		size_t at = order(d, i);

		if (i > 0 && i % d->group == 0)
			mdb_buf_putc(&b, ' ');
		if (at == mark)
			mdb_buf_puts(&b, "\\/");
		else
			mdb_buf_printf(&b, "%2zx", at % PARAGRAPH);
	}
	mdb_buf_puts(&b, d->no_ascii ? "" : "  ");
	for (size_t i = 0; i < d->line && !d->no_ascii; i++) {
		if (i == mark)
			mdb_buf_putc(&b, 'v');
		else
			mdb_buf_printf(&b, "%zx", i % PARAGRAPH);
	}
	mdb_buf_putc(&b, '\n');
	(void)!mdb_out_raw(cx, b.data, b.len);
	mdb_buf_fini(&b);
}

/* JSON's columns and the line itself. */
static const struct mdb_column dump_columns[] = {
	{ .name = "text", .flags = MDB_COL_TEXT_ONLY, .help = "the line" },
	{ .name = "address",
		.flags = MDB_COL_JSON_ONLY | MDB_COL_PIPE,
		.help = "of the first byte" },
	{ .name = "bytes", .flags = MDB_COL_JSON_ONLY, .help = "in hex" },
	{ .name = "ascii",
		.flags = MDB_COL_JSON_ONLY,
		.help = "the same, with . for what is not printable" },
	{ 0 },
};
static const struct mdb_table dump_table = { .name = "dump",
	.columns = dump_columns };

/* Of a line, the bytes [first, end) are shown. */
struct span {
	const uint8_t *bytes;
	size_t first, end;
};

static void
add_line(struct mdb_buf *b, const struct dump *d, mdb_addr_t addr,
	const struct span *s)
{
	mdb_buf_printf(b, "%*" PRIx64 ":  ", d->addr_width,
		d->relative ? addr - d->base : addr);
	for (size_t i = 0; i < d->line; i++) {
		size_t at = order(d, i);

		if (i > 0 && i % d->group == 0)
			mdb_buf_putc(b, ' ');
		if (at < s->first || at >= s->end)
			mdb_buf_puts(b, "  ");
		else
			mdb_buf_printf(b, "%02x", s->bytes[at]);
	}
}

static enum mdb_status
put_line(struct mdb_ctx *cx, struct dump *d, struct mdb_loc loc,
	const struct span *s)
{
	static const uint8_t dot[] = { '.' };
	struct mdb_buf text, hex, ascii;
	enum mdb_status st;

	heading(cx, d);
	mdb_buf_init(&text);
	mdb_buf_init(&hex);
	mdb_buf_init(&ascii);
	add_line(&text, d, loc.addr, s);
	mdb_buf_puts(&text, d->no_ascii ? "" : "  ");
	if (!d->no_ascii)
		mdb_buf_pad(&text, ' ', s->first);
	for (size_t i = s->first; i < s->end; i++) {
		bool plain = s->bytes[i] >= 0x20 && s->bytes[i] < 0x7f;

		mdb_buf_printf(&hex, "%02x", s->bytes[i]);
		mdb_buf_add(&ascii, plain ? &s->bytes[i] : dot, 1);
	}
	mdb_buf_add(&text, ascii.data, d->no_ascii ? 0 : ascii.len);

	const struct mdb_value values[] = {
		mdb_v_text(text.data),
		mdb_v_addr(mdb_at(loc, loc.addr + s->first)),
		mdb_v_text(hex.data),
		mdb_v_text(ascii.data),
	};

	st = mdb_row(cx, &dump_table, values);
	mdb_buf_fini(&text);
	mdb_buf_fini(&hex);
	mdb_buf_fini(&ascii);
	return st;
}

static enum mdb_status
read_bytes(struct mdb_ctx *cx, const struct dump *d, struct mdb_loc loc,
	uint8_t *buf, size_t len, size_t *len_out)
{
	enum mdb_status st;

	if (!d->machine)
		return mdb_read_some(cx, loc, buf, len, len_out);
	st = mdb_read_machine(cx, loc.addr, buf, len);
	if (st == MDB_OK)
		*len_out = len;
	return st;
}

/*
 * Reads one line; what was asked for must be readable, what surrounds it need
 * not be.
 */
static enum mdb_status
read_line(struct mdb_ctx *cx, struct dump *d, struct mdb_loc loc, uint8_t *buf,
	struct span *span)
{
	uint64_t last = d->wanted + d->len - 1;
	size_t first =
		loc.addr < d->wanted ? (size_t)(d->wanted - loc.addr) : 0;
	size_t end = last - loc.addr < d->line ? (size_t)(last - loc.addr) + 1
					       : d->line;
	size_t got = 0, need = end;
	enum mdb_status st;

	*span = (struct span){ buf, first, first };
	if (!d->only && read_bytes(cx, d, loc, buf, d->line, &got) == MDB_OK &&
		got == d->line) {
		*span = (struct span){ buf, 0, d->line };
		return MDB_OK;
	}
	mdb_forget(cx);
	loc.addr += first;
	st = read_bytes(cx, d, loc, buf + first, need - first, &got);
	if (st != MDB_OK)
		return st;
	span->end = first + got;
	if (span->end == end)
		return MDB_OK;
	st = put_line(cx, d, mdb_at(loc, loc.addr - first), span);
	if (st == MDB_OK)
		st = mdb_read(cx, mdb_at(loc, loc.addr + got), buf, 1);
	return st;
}

static enum mdb_status
dump_lines(struct mdb_ctx *cx, struct dump *d, struct mdb_loc loc)
{
	uint64_t start = d->wanted - before_wanted(d);
	uint64_t span = d->wanted - start + d->len;
	uint8_t bufs[2][MAX_LINE];
	bool elided = false, have_last = false;
	enum mdb_status st = MDB_OK;

	for (uint64_t at = 0, n = 0; at < span && st == MDB_OK;
		at += d->line, n++) {
		uint8_t *buf = bufs[n & 1], *last = bufs[~n & 1];
		struct mdb_loc here = mdb_at(loc, start + at);
		struct span s;
		bool same;

		st = read_line(cx, d, here, buf, &s);
		if (st != MDB_OK)
			break;
		same = d->squeeze && have_last && s.first == 0 &&
		       s.end == d->line && memcmp(buf, last, d->line) == 0;
		have_last = s.first == 0 && s.end == d->line;
		if (!same)
			st = put_line(cx, d, here, &s);
		else if (!elided)
			st = mdb_out_raw(cx, "*\n", 2);
		elided = same;
	}
	return st;
}

static enum mdb_status
check_shape(struct mdb_ctx *cx, const struct dump *d)
{
	if (d->line == 0 || d->line > MAX_LINE)
		return mdb_fail(cx, MDB_E_USAGE,
			"1 to %zu paragraphs fit on a line", MAX_PARAGRAPHS);
	if (d->group == 0 || d->group > d->line ||
		(d->group & (d->group - 1)) != 0)
		return mdb_fail(cx, MDB_E_USAGE,
			"a group has 1, 2, 4, 8 or 16 bytes");
	return MDB_OK;
}

static enum mdb_status
run_dump(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_loc loc = call->loc;
	struct dump d = {
		.wanted = loc.addr,
		.len = call->has_count ? call->count : 1,
		.group = (size_t)mdb_opt_uint(call, 'g', 4),
		.swap = mdb_opt(call, 'e'),
		.relative = mdb_opt(call, 'r'),
		.only = mdb_opt(call, 't'),
		.no_ascii = mdb_opt(call, 'q'),
		.squeeze = mdb_opt(call, 's'),
		.machine = mdb_opt(call, 'p'),
	};
	uint64_t paragraphs = mdb_opt_uint(call, 'w', 1);
	enum mdb_status st;

	if (paragraphs <= MAX_PARAGRAPHS)
		d.line = (size_t)paragraphs * PARAGRAPH;
	if (d.relative || mdb_opt(call, 'u'))
		d.base = d.wanted;
	if (!call->has_count && d.only)
		d.len = d.line;
	if (d.len > MAX_LEN)
		d.len = MAX_LEN;
	if (d.len > 0 && d.wanted + (d.len - 1) < d.wanted)
		d.len = ~d.wanted + 1;
	d.addr_width = snprintf(NULL, 0, "%" PRIx64,
		d.relative ? d.len : d.wanted + d.len - 1);
	st = check_shape(cx, &d);
	if (st != MDB_OK)
		return st;
	st = dump_lines(cx, &d, loc);
	/* The count was the number of bytes: it is not a loop's. */
	return st == MDB_OK ? MDB_DONE : st;
}

static const struct mdb_option dump_options[] = {
	{ 'e', MDB_OPT_FLAG, NULL, "the bytes of a group as a number" },
	{ 'g', MDB_OPT_EXPR, "bytes", "bytes in a group; 4" },
	{ 'p', MDB_OPT_FLAG, NULL, "the address is a machine address" },
	{ 'q', MDB_OPT_FLAG, NULL, "no ASCII" },
	{ 'r', MDB_OPT_FLAG, NULL, "number lines from the address on" },
	{ 's', MDB_OPT_FLAG, NULL, "print * for lines like the one before" },
	{ 't', MDB_OPT_FLAG, NULL, "nothing but the bytes asked for" },
	{ 'u', MDB_OPT_FLAG, NULL, "begin the first line at the address" },
	{ 'w', MDB_OPT_EXPR, "paragraphs", "units of 16 bytes on a line; 1" },
	{ 0 },
};

static const struct mdb_example dump_examples[] = {
	{ "init_task,100::dump", "256 bytes" },
	{ "init_task,100::dump -g 8 -e", "the same as numbers of 8 bytes" },
	{ 0 },
};

const struct mdb_dcmd mdb_dcmds_dump[] = {
	{
		.name = "dump",
		.summary = "dump memory from specified address",
		.help = "The count is the number of bytes; whole lines are "
			"printed. A byte that the dump does not have ends "
			"the output: it is never shown as zero.",
		.addr = MDB_ADDR_OPTIONAL,
		.options = dump_options,
		.table = &dump_table,
		.examples = dump_examples,
		.run = run_dump,
	},
	{ 0 },
};
