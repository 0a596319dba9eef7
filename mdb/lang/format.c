/* SPDX-License-Identifier: MIT */
/*
 * Running a format list over memory or over a value.
 *
 * A run keeps the column it is at: values wrap at the width and go on behind
 * a margin of 16, where the first line has its address.  Nothing that cannot
 * be read is printed; what was printed before the failure stays.
 */
#include "mdb/lang/format.h"

#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#define MARGIN 16u
#define STR_MAX 1024u
#define OUT_MAX (64u << 20)
#define DEFAULT_FORMATS "X^\"= \"i"

struct run {
	struct mdb_ctx *cx;
	struct mdb_lang *lang;
	struct mdb_buf *out;
	char verb;
	struct mdb_loc dot;
	uint64_t value;	    /* verb = */
	uint64_t increment; /* of the last value */
	size_t line_start;  /* in out */
	unsigned int width;
	unsigned int margin;
};

static size_t
column(const struct run *r)
{
	return r->out->len - r->line_start;
}

static void
newline(struct run *r)
{
	mdb_buf_putc(r->out, '\n');
	r->line_start = r->out->len;
}

/* Starts a continuation line when n more columns do not fit. */
static void
make_room(struct run *r, size_t n)
{
	if (column(r) > r->margin && column(r) + n > r->width)
		newline(r);
	if (column(r) == 0)
		mdb_buf_pad(r->out, ' ', r->margin);
}

static void
put(struct run *r, const char *text, size_t len)
{
	make_room(r, len);
	mdb_buf_add(r->out, text, len);
	const char *last = memrchr(text, '\n', len);

	if (last)
		r->line_start = r->out->len - (size_t)(text + len - last - 1);
}

static void
put_buf(struct run *r, struct mdb_buf *b)
{
	if (b->len)
		put(r, b->data, b->len);
	mdb_buf_fini(b);
}

static enum mdb_status
read_bytes(struct run *r, void *buf, size_t len)
{
	enum mdb_status st;

	if (r->verb == '\\' || r->verb == '@')
		st = mdb_read_machine(r->cx, r->dot.addr, buf, len);
	else
		st = mdb_read(r->cx, r->dot, buf, len);
	return st == MDB_OK ? st
			    : mdb_context(r->cx, st, "failed to read %zu bytes",
				      len);
}

static void
advance(struct run *r, uint64_t len)
{
	r->lang->last_addr = r->dot.addr;
	r->dot.addr += len;
	r->increment = len;
}

static enum mdb_status
next_number(struct run *r, size_t size, uint64_t *value_out)
{
	uint8_t bytes[8];

	if (r->verb == '=') {
		*value_out = size < 8 ? r->value & ((1ull << 8 * size) - 1)
				      : r->value;
		return MDB_OK;
	}
	enum mdb_status st = read_bytes(r, bytes, size);

	if (st != MDB_OK)
		return st;
	advance(r, size);
	*value_out = mdb_le(bytes, size);
	return MDB_OK;
}

static void
remember(struct run *r, uint64_t v)
{
	(void)!(mdb_vars_set(r->cx, r->lang->vars, "0", v) == MDB_OK);
}

/* ---- one format ------------------------------------------------------------
 */

/* "sym+0x10:" in a field that ends at a multiple of the margin. */
static void
put_label(struct run *r, struct mdb_loc loc)
{
	bool machine = r->verb == '\\' || r->verb == '@';
	const char *text =
		machine ? mdb_tmp_printf(r->cx, "%#" PRIx64 ":", loc.addr)
			: mdb_tmp_printf(r->cx,
				  "%s:", mdb_sym_format(r->cx, loc));

	mdb_buf_puts(r->out, text);
	mdb_buf_pad(r->out, ' ', MARGIN - column(r) % MARGIN);
}

static enum mdb_status
put_symbol(struct run *r)
{
	struct mdb_world *w = r->dot.world;
	struct mdb_buf b;
	uint64_t v;
	enum mdb_status st = next_number(r, mdb_world_word(w), &v);

	if (st != MDB_OK)
		return st;
	remember(r, v);
	mdb_buf_init(&b);
	mdb_buf_printf(&b, "%-19s", mdb_sym_format(r->cx, mdb_at(r->dot, v)));
	put_buf(r, &b);
	return MDB_OK;
}

static enum mdb_status
put_string(struct run *r, bool all)
{
	char text[STR_MAX];
	struct mdb_buf b;

	if (r->verb == '=' || r->verb == '\\' || r->verb == '@')
		return mdb_fail(r->cx, MDB_E_USAGE,
			"format s and S read virtual memory only");
	enum mdb_status st = mdb_read_str(r->cx, r->dot, text, sizeof(text));

	if (st != MDB_OK)
		return st;
	size_t len = strlen(text);

	mdb_buf_init(&b);
	mdb_format_text(&b, text, len, all);
	if (b.len)
		put_buf(r, &b);
	else
		mdb_buf_fini(&b);
	advance(r, len + 1);
	return MDB_OK;
}

static enum mdb_status
put_insn(struct run *r, char letter)
{
	char text[256];
	uint8_t bytes[16];
	size_t len;

	if (r->verb == '=' || !r->lang->dis)
		return mdb_fail(r->cx, MDB_E_UNSUPPORTED,
			"nothing can be disassembled here");
	enum mdb_status st =
		r->lang->dis(r->cx, r->dot, text, sizeof(text), &len);

	if (st != MDB_OK)
		return st;
	if (letter == 'I') {
		struct mdb_buf b;

		if (len > sizeof(bytes))
			len = sizeof(bytes);
		st = read_bytes(r, bytes, len);
		if (st != MDB_OK)
			return st;
		mdb_buf_init(&b);
		mdb_buf_printf(&b, "%" PRIx64 ":  ", r->dot.addr);
		for (size_t i = 0; i < len; i++)
			mdb_buf_printf(&b, "%02x ", bytes[i]);
		mdb_buf_pad(&b, ' ', len < 8 ? 3 * (8 - len) : 0);
		put_buf(r, &b);
	}
	put(r, text, strlen(text));
	if (r->margin != 0) /* else the label of the next begins a line */
		newline(r);
	advance(r, len);
	return MDB_OK;
}

static enum mdb_status
put_number(struct run *r, char letter)
{
	size_t word = mdb_world_word(r->dot.world);
	size_t size = mdb_format_size(letter, word);
	struct mdb_buf b;
	uint64_t v;

	if (!size)
		return mdb_fail(r->cx, MDB_E_USAGE,
			"invalid format character '%c'", letter);
	enum mdb_status st = next_number(r, size, &v);

	if (st != MDB_OK)
		return st;
	remember(r, v);
	mdb_buf_init(&b);
	if (letter == 'j') {
		make_room(r, 0);
		mdb_format_bits(&b, v, (unsigned int)column(r));
	} else {
		(void)mdb_format_number(&b, letter, v, word);
	}
	put_buf(r, &b);
	return MDB_OK;
}

static bool
moves(struct run *r, char letter, uint64_t count)
{
	switch (letter) {
	case '+':
		r->dot.addr += count;
		return true;
	case '-':
		r->dot.addr -= count;
		return true;
	case '^':
		r->dot.addr -= r->increment * count;
		return true;
	default:
		return false;
	}
}

static enum mdb_status
run_one(struct run *r, char letter)
{
	switch (letter) {
	case 'n':
	case 'N':
		newline(r);
		return MDB_OK;
	case 'r':
		put(r, " ", 1);
		return MDB_OK;
	case 'a':
		put_label(r,
			r->verb == '=' ? mdb_at(r->dot, r->value) : r->dot);
		return MDB_OK;
	case 'p':
	case 'P':
		return put_symbol(r);
	case 's':
	case 'S':
		return put_string(r, letter == 'S');
	case 'i':
	case 'I':
		return put_insn(r, letter);
	default:
		return put_number(r, letter);
	}
}

/* Tab to the next multiple of count. */
static void
put_tab(struct run *r, uint64_t count)
{
	size_t stop = count > 1 && count <= 256 ? (size_t)count : 8;

	make_room(r, 0);
	mdb_buf_pad(r->out, ' ', stop - column(r) % stop);
}

/* ---- the list --------------------------------------------------------------
 */

static enum mdb_status
check_size(struct run *r)
{
	if (r->out->len > OUT_MAX)
		return mdb_fail(r->cx, MDB_E_UNSUPPORTED,
			"more than %u MiB of output: use a smaller count",
			OUT_MAX >> 20);
	return mdb_check_interrupt(r->cx);
}

static enum mdb_status
repeat(struct run *r, char letter, uint64_t count)
{
	enum mdb_status st = MDB_OK;

	if (moves(r, letter, count))
		return MDB_OK;
	if (letter == 't' || letter == 'T') {
		put_tab(r, count);
		return MDB_OK;
	}
	for (uint64_t i = 0; i < count && st == MDB_OK; i++) {
		st = check_size(r);
		if (st == MDB_OK)
			st = run_one(r, letter);
	}
	return st;
}

static const char *
skip_quoted(struct run *r, const char *p)
{
	const char *end = strchr(p, '"');

	if (!end)
		end = p + strlen(p);
	put(r, p, (size_t)(end - p));
	return *end ? end + 1 : end;
}

static enum mdb_status
run_list(struct run *r, const char *formats)
{
	enum mdb_status st = MDB_OK;

	for (const char *p = formats; *p && st == MDB_OK;) {
		uint64_t count = 0;
		bool counted = false;

		if (*p == ' ' || *p == '\t') {
			p++;
			continue;
		}
		if (*p == '"') {
			p = skip_quoted(r, p + 1);
			continue;
		}
		for (; isdigit((unsigned char)*p); p++, counted = true)
			if (count < UINT32_MAX)
				count = count * 10 + (uint64_t)(*p - '0');
		if (!*p)
			return mdb_fail(r->cx, MDB_E_USAGE,
				"a count needs a format character");
		st = repeat(r, *p++, counted ? count : 1);
	}
	return st;
}

/* Addresses that stand in the list themselves replace the label. */
static bool
has_layout(const char *formats)
{
	return strncmp(formats, "ai", 2) == 0 ||
	       strncmp(formats, "ia", 2) == 0 || formats[0] == 'a' ||
	       formats[0] == 'I';
}

static void
put_heading(struct run *r, const char *formats)
{
	struct mdb_sym sym;

	if (r->verb == '=')
		return;
	if (r->verb == '/' || r->verb == '?') {
		if (mdb_sym_by_addr(r->cx, r->dot, false, &sym) == MDB_OK &&
			sym.value == r->dot.addr) {
			put_label(r, r->dot);
			while (r->out->data[r->out->len - 1] == ' ')
				r->out->len--;
			newline(r);
		}
		mdb_forget(r->cx);
	}
	if (!has_layout(formats))
		put_label(r, r->dot);
}

static enum mdb_status
check_formats(struct mdb_ctx *cx, char verb, const char *formats)
{
	bool quoted = false;

	if (!*formats && verb == '=')
		return mdb_fail(cx, MDB_E_USAGE, "= needs a format");
	for (const char *p = formats; *p; p++) {
		if (*p == '"')
			quoted = !quoted;
		if (quoted || isdigit((unsigned char)*p) || strchr("\" \t", *p))
			continue;
		if (!mdb_format_find(*p))
			return mdb_fail(cx, MDB_E_USAGE,
				"invalid format character '%c'; ::formats "
				"lists them",
				isprint((unsigned char)*p) ? *p : '?');
	}
	return MDB_OK;
}

/* NOLINTBEGIN(readability-function-size): the interface's parameters */
enum mdb_status
mdb_format_run(struct mdb_ctx *cx, struct mdb_lang *lang, char verb,
	const char *formats, struct mdb_loc loc, uint64_t value, uint64_t count,
	unsigned int width, struct mdb_buf *buf)
{
	struct run r = {
		.cx = cx,
		.lang = lang,
		.out = buf,
		.verb = verb,
		.dot = loc,
		.value = value,
		.line_start = buf->len,
		.width = width,
		.margin = has_layout(formats) ? 0 : MARGIN,
	};
	enum mdb_status st = check_formats(cx, verb, formats);

	if (st != MDB_OK || count == 0)
		return st;
	if (!*formats)
		formats = DEFAULT_FORMATS;
	put_heading(&r, formats);
	for (uint64_t i = 0; i < count && st == MDB_OK; i++) {
		lang->dot = r.dot;
		if (i && has_layout(formats) && column(&r))
			newline(&r);
		st = check_size(&r);
		if (st == MDB_OK)
			st = run_list(&r, formats);
		lang->increment = r.dot.addr - lang->dot.addr;
	}
	if (column(&r))
		newline(&r);
	return st;
}

enum mdb_status
mdb_format_match(struct mdb_ctx *cx, struct mdb_lang *lang, char verb,
	char letter, struct mdb_loc loc, uint64_t value, uint64_t mask,
	struct mdb_loc *loc_out)
{
	struct run r = { .cx = cx, .lang = lang, .verb = verb, .dot = loc };
	size_t size = mdb_format_size(letter, 8);
	enum mdb_status st = MDB_OK;

	if (!size || !strchr("lLM", letter))
		return mdb_fail(cx, MDB_E_USAGE, "'%c' does not search",
			letter);
	for (unsigned long i = 0; st == MDB_OK; i++) {
		uint64_t v = 0;

		if (i % 4096 == 0)
			st = mdb_check_interrupt(cx);
		if (st == MDB_OK)
			st = next_number(&r, size, &v);
		if (st == MDB_OK && (v & mask) == (value & mask)) {
			*loc_out = mdb_at(r.dot, r.dot.addr - size);
			lang->dot = *loc_out;
			lang->increment = size;
			return MDB_OK;
		}
	}
	return mdb_context(cx, st, "not found before");
}
/* NOLINTEND(readability-function-size) */
