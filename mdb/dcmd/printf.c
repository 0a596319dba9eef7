/* SPDX-License-Identifier: MIT */
/*
 * ::printf: members under a format.
 *
 * The format is checked piece by piece and never handed to the host's printf
 * as it is; a conversion gets the number or text that it wants or the command
 * fails.  A value that cannot be read is shown as unreadable.
 */
#include "mdb/dcmd/print.h"
#include "mdb/dcmd/typed.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MAX_WIDTH 1024
#define MAX_TEXT 4096

/* One conversion: flags, width, letter. */
struct conversion {
	bool left, zero, alternate, plus;
	int width, precision; /* precision -1: none */
	char letter;
};

/* Reads "%-12.3x" at p; how much of it there was, 0 when it is none. */
static size_t
parse_conversion(const char *p, size_t word, struct conversion *c)
{
	const char *start = p++;

	*c = (struct conversion){ .precision = -1 };
	for (; *p && strchr("-0#+", *p); p++) {
		c->left |= *p == '-';
		c->zero |= *p == '0';
		c->alternate |= *p == '#';
		c->plus |= *p == '+';
	}
	if (*p == '?') {
		c->width = (int)word * 2;
		p++;
	}
	for (; *p >= '0' && *p <= '9'; p++)
		if (c->width < MAX_WIDTH)
			c->width = c->width * 10 + (*p - '0');
	if (*p == '.') {
		c->precision = 0;
		for (p++; *p >= '0' && *p <= '9'; p++)
			if (c->precision < MAX_WIDTH)
				c->precision = c->precision * 10 + (*p - '0');
	}
	p += strspn(p, "lh");
	c->letter = *p;
	if (!*p || !strchr("%adHINopqrRsuxXY", *p))
		return 0;
	return (size_t)(p - start) + 1;
}

static const char *
pad(struct mdb_ctx *cx, const struct conversion *c, const char *text)
{
	int precision = c->precision >= 0 ? c->precision : MAX_TEXT;

	if (c->left)
		return mdb_tmp_printf(cx, "%-*.*s", c->width, precision, text);
	return mdb_tmp_printf(cx, "%*.*s", c->width, precision, text);
}

/* A number with its prefix, filled with zeros where asked. */
static const char *
pad_number(struct mdb_ctx *cx, const struct conversion *c, const char *prefix,
	const char *digits)
{
	int room = c->width - (int)strlen(prefix) - (int)strlen(digits);
	struct conversion plain = *c;

	plain.precision = -1;
	if (c->zero && !c->left && room > 0)
		prefix = mdb_tmp_printf(cx, "%s%0*d", prefix, room, 0);
	return pad(cx, &plain, mdb_tmp_printf(cx, "%s%s", prefix, digits));
}

static const char *
human(struct mdb_ctx *cx, uint64_t v)
{
	static const char units[] = "KMGTPE";
	double n = (double)v;
	int unit = -1;

	while (n >= 1024 && unit < 5) {
		n /= 1024;
		unit++;
	}
	return unit < 0 ? mdb_tmp_printf(cx, "%" PRIu64, v)
			: mdb_tmp_printf(cx, "%.1f%c", n, units[unit]);
}

static const char *
date(struct mdb_ctx *cx, uint64_t v)
{
	time_t t = (time_t)v;
	char buf[64];
	struct tm tm;

	if (!gmtime_r(&t, &tm) ||
		!strftime(buf, sizeof(buf), "%Y %b %e %H:%M:%S", &tm))
		return mdb_tmp_printf(cx, "%" PRIu64, v);
	return mdb_tmp_printf(cx, "%s", buf);
}

static const char *
decimal(struct mdb_ctx *cx, const struct conversion *c, int64_t v)
{
	uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;

	return pad_number(cx, c,
		v < 0	  ? "-"
		: c->plus ? "+"
			  : "",
		mdb_tmp_printf(cx, "%" PRIu64, u));
}

static const char *
number(struct mdb_ctx *cx, const struct conversion *c, struct mdb_loc loc)
{
	const char *prefix = c->alternate && loc.addr ? "0x" : "";
	uint64_t v = loc.addr;
	uint8_t ip[4];

	switch (c->letter) {
	case 'd':
		return decimal(cx, c, (int64_t)v);
	case 'u':
		return pad_number(cx, c, "", mdb_tmp_printf(cx, "%" PRIu64, v));
	case 'o':
	case 'q':
		return pad_number(cx, c, c->alternate && v ? "0" : "",
			mdb_tmp_printf(cx, "%" PRIo64, v));
	case 'X':
		return pad_number(cx, c, prefix,
			mdb_tmp_printf(cx, "%" PRIX64, v));
	case 'a':
		return pad(cx, c, mdb_sym_format(cx, loc));
	case 'H':
		return pad(cx, c, human(cx, v));
	case 'I':
		for (int i = 0; i < 4; i++)
			ip[i] = (uint8_t)(v >> 8 * i);
		return pad(cx, c,
			mdb_tmp_printf(cx, "%u.%u.%u.%u", ip[0], ip[1], ip[2],
				ip[3]));
	case 'Y':
		return pad(cx, c, date(cx, v));
	default: /* x, p, r, R */
		return pad_number(cx, c, prefix,
			mdb_tmp_printf(cx, "%" PRIx64, v));
	}
}

/* %s: an array of characters, or what a pointer to them points to. */
static enum mdb_status
string(struct mdb_ctx *cx, const struct mdb_datum *d, const char **text_out)
{
	struct mdb_type type = mdb_type_resolve(d->type);
	char *buf = mdb_tmp(cx, MAX_TEXT);
	struct mdb_loc loc = d->loc;
	enum mdb_status st;
	uint64_t len;

	if (mdb_type_kind(type) == MDB_T_POINTER) {
		st = mdb_datum_number(cx, d, &loc.addr);
		if (st == MDB_OK)
			st = mdb_read_str(cx, loc, buf, MAX_TEXT);
	} else if (mdb_type_kind(type) == MDB_T_ARRAY) {
		st = mdb_type_size(cx, type, &len);
		if (st == MDB_OK && len >= MAX_TEXT)
			len = MAX_TEXT - 1;
		if (st == MDB_OK)
			st = mdb_datum_read(cx, d, buf, len);
	} else {
		return mdb_fail(cx, MDB_E_USAGE, "%%s of \"%s\"",
			mdb_type_name(cx, d->type));
	}
	if (st == MDB_OK)
		*text_out = mdb_escape(cx, buf, strlen(buf));
	return st;
}

static enum mdb_status
convert(struct mdb_ctx *cx, const struct conversion *c,
	const struct mdb_datum *d, const char **text_out)
{
	struct mdb_loc loc = d->loc;
	const char *text = NULL;
	enum mdb_status st;
	struct mdb_style style = { .max_chars = 1024 };
	struct mdb_value json;

	if (d->is_null) {
		*text_out = pad(cx, c, "<null>");
		return MDB_OK;
	}
	if (c->letter == 's' &&
		mdb_type_kind(mdb_type_resolve(d->type)) == MDB_T_ENUM) {
		text = mdb_datum_text(cx, d, &style, &json);
		st = MDB_OK;
	} else if (c->letter == 's') {
		st = string(cx, d, &text);
	} else {
		st = mdb_datum_number(cx, d, &loc.addr);
	}
	if (mdb_is_fault(st)) {
		mdb_forget(cx);
		text = mdb_tmp_printf(cx, "<%s>", mdb_status_name(st));
	} else if (st != MDB_OK) {
		return st;
	}
	*text_out = text ? pad(cx, c, text) : number(cx, c, loc);
	return MDB_OK;
}

/* The member `.` is the address of the object, as a number. */
static enum mdb_status
operand(struct mdb_ctx *cx, const struct conversion *c,
	const struct mdb_datum *d, const char *path, const char **text_out)
{
	struct mdb_datum at;
	enum mdb_status st;

	if (!strcmp(path, ".")) {
		if (c->letter == 's')
			return mdb_fail(cx, MDB_E_USAGE, "%%s of an address");
		*text_out = number(cx, c, d->loc);
		return MDB_OK;
	}
	st = mdb_datum_path(cx, d, path, &at);
	return st == MDB_OK ? convert(cx, c, &at, text_out) : st;
}

/* A backslash sequence at p, or one character; how long it was. */
static size_t
plain_char(const char *p, char *c_out)
{
	static const char from[] = "ntr\\\"", to[] = "\n\t\r\\\"";
	const char *known = *p == '\\' && p[1] ? strchr(from, p[1]) : NULL;

	*c_out = (char)(known ? to[known - from] : *p);
	return known ? 2 : 1;
}

static enum mdb_status
state_lines(struct mdb_ctx *cx, const char *text)
{
	enum mdb_status st = MDB_OK;

	while (*text && st == MDB_OK) {
		size_t len = strcspn(text, "\n");

		st = mdb_line(cx, "%.*s", (int)len, text);
		text += len + (text[len] == '\n');
	}
	return st;
}

enum mdb_status
mdb_dcmd_printf(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_datum d = { .loc = call->loc, .place = MDB_PLACE_MEMORY };
	size_t word = mdb_world_word(mdb_call_world(cx, call));
	const char *text = "", *piece = "", *p;
	enum mdb_status st;
	int arg, used;

	if (call->argc < 2)
		return mdb_fail(cx, MDB_E_USAGE,
			"a format and a type are needed");
	st = mdb_operand_type(cx, call, 1, &d.type, &used);
	arg = 1 + used;
	for (p = call->argv[0]; *p && st == MDB_OK;) {
		struct conversion c;
		char one;

		if (*p != '%') {
			p += plain_char(p, &one);
			text = mdb_tmp_printf(cx, "%s%c", text, one);
			continue;
		}
		size_t len = parse_conversion(p, word, &c);
		if (!len)
			return mdb_fail(cx, MDB_E_USAGE,
				"unknown conversion near \"%s\"", p);
		p += len;
		if (c.letter == '%') {
			piece = "%";
		} else if (arg == call->argc) {
			return mdb_fail(cx, MDB_E_USAGE,
				"more conversions than members");
		} else {
			st = operand(cx, &c, &d, call->argv[arg++], &piece);
		}
		if (st == MDB_OK)
			text = mdb_tmp_printf(cx, "%s%s", text, piece);
	}
	if (st == MDB_OK && arg < call->argc)
		return mdb_fail(cx, MDB_E_USAGE,
			"more members than conversions");
	return st == MDB_OK ? state_lines(cx, text) : st;
}
