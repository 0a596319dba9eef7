/* SPDX-License-Identifier: MIT */
/*
 * Values without members as text, in the debugger's forms: hex unless asked
 * otherwise, 'c', [ "text" ], 1 (NAME), symbol+0x10, 0x... "string".
 *
 * What cannot be read is named as such; no value is ever made up for it.
 */
#include "mdb/dcmd/print.h"

#include <inttypes.h>
#include <string.h>

/* Of a string or an array of characters, whatever limit was asked. */
#define MAX_CHARS 65536
#define MAX_FLAGS_TEXT 512

static bool
is_char(struct mdb_type type)
{
	type = mdb_type_resolve(type);
	return mdb_type_kind(type) == MDB_T_INT &&
	       mdb_type_int_info(type).is_char;
}

static bool
is_char_array(struct mdb_type type)
{
	type = mdb_type_resolve(type);
	return mdb_type_kind(type) == MDB_T_ARRAY &&
	       is_char(mdb_type_target(type));
}

bool
mdb_datum_is_leaf(const struct mdb_datum *d)
{
	struct mdb_type type = mdb_type_resolve(d->type);

	if (d->missing != MDB_OK)
		return true;
	switch (mdb_type_kind(type)) {
	case MDB_T_STRUCT:
	case MDB_T_UNION:
		return false;
	case MDB_T_ARRAY:
		return d->place != MDB_PLACE_NONE && is_char_array(type);
	default:
		return true;
	}
}

static const char *
unreadable(struct mdb_ctx *cx, enum mdb_status st, struct mdb_value *json)
{
	mdb_forget(cx);
	*json = mdb_v_error(st);
	return mdb_tmp_printf(cx, "<%s>", mdb_status_name(st));
}

/* As in C source, with the quote given escaped. */
static const char *
quoted(struct mdb_ctx *cx, const char *text, size_t len, char quote)
{
	static const char from[] = "\n\t\r\\", to[] = "ntr\\";
	char *copy = mdb_tmp(cx, 4 * len + 3), *p = copy;

	*p++ = quote;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		const char *known = c ? strchr(from, c) : NULL;

		if (known || c == (unsigned char)quote) {
			*p++ = '\\';
			*p++ = (char)(known ? to[known - from] : quote);
		} else if (!c && len == 1) {
			*p++ = '\\';
			*p++ = '0';
		} else if (c < ' ' || c > '~') {
			*p++ = '\\';
			*p++ = (char)('0' + (c >> 6));
			*p++ = (char)('0' + (c >> 3 & 7));
			*p++ = (char)('0' + (c & 7));
		} else {
			*p++ = (char)c;
		}
	}
	*p++ = quote;
	*p = '\0';
	return copy;
}

static size_t
char_limit(const struct mdb_style *style)
{
	return style->max_chars < MAX_CHARS ? (size_t)style->max_chars
					    : MAX_CHARS;
}

/* Characters up to the first NUL; what follows it is left over. */
static const char *
chars_text(struct mdb_ctx *cx, const struct mdb_datum *d,
	const struct mdb_style *style, struct mdb_value *json)
{
	uint64_t count = mdb_type_array_count(d->type);
	size_t len =
		count < char_limit(style) ? (size_t)count : char_limit(style);
	char *buf = mdb_tmp(cx, len + 1);
	enum mdb_status st;

	st = mdb_datum_read(cx, d, buf, len);
	if (st != MDB_OK)
		return unreadable(cx, st, json);
	size_t used = strnlen(buf, len);
	*json = mdb_v_str(buf, used);
	return mdb_tmp_printf(cx, "[ %s%s ]", quoted(cx, buf, used, '"'),
		used == len && len < count ? ", ..." : "");
}

static const char *
number_text(struct mdb_ctx *cx, uint64_t v, bool is_signed,
	const struct mdb_datum *d, const struct mdb_style *style,
	struct mdb_value *json)
{
	uint64_t size = 8;

	if (style->decimal) {
		*json = is_signed ? mdb_v_int((int64_t)v) : mdb_v_uint(v);
		return is_signed ? mdb_tmp_printf(cx, "%" PRId64, (int64_t)v)
				 : mdb_tmp_printf(cx, "%" PRIu64, v);
	}
	/* Hex shows the bits that are there, not their extension. */
	if (mdb_type_size(cx, d->type, &size) != MDB_OK)
		mdb_forget(cx);
	if (d->nr_bits)
		v &= ~(uint64_t)0 >> (64 - d->nr_bits);
	else if (size < 8)
		v &= ((uint64_t)1 << 8 * size) - 1;
	*json = mdb_v_hex(v);
	return mdb_tmp_printf(cx, "%#" PRIx64, v);
}

static const char *
int128_text(struct mdb_ctx *cx, const struct mdb_datum *d,
	struct mdb_value *json)
{
	struct mdb_datum half = *d;
	uint64_t words[2];
	enum mdb_status st;

	st = mdb_datum_read(cx, &half, words, sizeof(words));
	if (st != MDB_OK)
		return unreadable(cx, st, json);
	const char *text =
		words[1] ? mdb_tmp_printf(cx, "%#" PRIx64 "%016" PRIx64,
				   words[1], words[0])
			 : mdb_tmp_printf(cx, "%#" PRIx64, words[0]);
	*json = words[1] ? mdb_v_text(text) : mdb_v_hex(words[0]);
	return text;
}

static const char *
int_text(struct mdb_ctx *cx, const struct mdb_datum *d,
	const struct mdb_style *style, struct mdb_value *json)
{
	struct mdb_int_info info = mdb_type_int_info(d->type);
	enum mdb_status st;
	uint64_t v;
	char *c;

	if (info.nr_bits == 128 && !d->nr_bits)
		return int128_text(cx, d, json);
	st = mdb_datum_number(cx, d, &v);
	if (st != MDB_OK)
		return unreadable(cx, st, json);
	if (info.is_char && !d->nr_bits && !style->decimal) {
		c = mdb_tmp(cx, 2);
		c[0] = (char)v;
		*json = mdb_v_str(c, 1);
		return quoted(cx, c, 1, '\'');
	}
	return number_text(cx, v, info.is_signed, d, style, json);
}

static const char *
float_text(struct mdb_ctx *cx, const struct mdb_datum *d,
	struct mdb_value *json)
{
	enum mdb_status st;
	uint64_t size = 0;
	double wide = 0;
	float narrow = 0;

	st = mdb_type_size(cx, d->type, &size);
	if (st == MDB_OK && size == sizeof(wide))
		st = mdb_datum_read(cx, d, &wide, sizeof(wide));
	else if (st == MDB_OK && size == sizeof(narrow))
		st = mdb_datum_read(cx, d, &narrow, sizeof(narrow));
	else if (st == MDB_OK)
		st = mdb_fail(cx, MDB_E_UNSUPPORTED,
			"a float of %" PRIu64 " bytes", size);
	if (st != MDB_OK)
		return unreadable(cx, st, json);
	const char *text = size == sizeof(wide)
				   ? mdb_tmp_printf(cx, "%.16g", wide)
				   : mdb_tmp_printf(cx, "%.7g", (double)narrow);
	*json = mdb_v_text(text);
	return text;
}

/* ---- enums --------------------------------------------------------------- */

/* Bits with a name each, at least two: flags rather than choices. */
static bool
is_flags(struct mdb_type type)
{
	size_t nr = mdb_type_nr_enumerators(type);
	uint64_t seen = 0;

	for (size_t i = 0; i < nr; i++) {
		uint64_t v = (uint64_t)mdb_type_enumerator_at(type, i).value;

		if (v & (v - 1) || v & seen)
			return false;
		seen |= v;
	}
	return (seen & (seen - 1)) != 0 && seen > 4;
}

/* "A|B", or NULL when a bit has no name. */
static const char *
flags_text(struct mdb_ctx *cx, struct mdb_type type, uint64_t v)
{
	size_t nr = mdb_type_nr_enumerators(type);
	const char *text = "";

	for (size_t i = 0; i < nr && strlen(text) < MAX_FLAGS_TEXT; i++) {
		struct mdb_enumerator e = mdb_type_enumerator_at(type, i);
		uint64_t bit = (uint64_t)e.value;

		if (!bit || (v & bit) != bit)
			continue;
		text = mdb_tmp_printf(cx, "%s%s%s", text, *text ? "|" : "",
			e.name);
		v &= ~bit;
	}
	return v ? NULL : text;
}

static const char *
enum_text(struct mdb_ctx *cx, const struct mdb_datum *d,
	const struct mdb_style *style, struct mdb_value *json)
{
	bool is_signed = mdb_type_int_info(d->type).is_signed;
	const char *name, *text;
	enum mdb_status st;
	uint64_t v;

	st = mdb_datum_number(cx, d, &v);
	if (st != MDB_OK)
		return unreadable(cx, st, json);
	*json = mdb_v_int((int64_t)v);
	name = mdb_type_enum_name(d->type, (int64_t)v);
	if (!name && v && is_flags(d->type)) {
		name = flags_text(cx, d->type, v);
		if (name)
			return mdb_tmp_printf(cx, "%#" PRIx64 " (%s)", v,
				mdb_escape(cx, name, strlen(name)));
	}
	if (is_signed || style->decimal || v < 10)
		text = mdb_tmp_printf(cx, "%" PRId64, (int64_t)v);
	else
		text = mdb_tmp_printf(cx, "%#" PRIx64, v);
	return name ? mdb_tmp_printf(cx, "%s (%s)", text,
			      mdb_escape(cx, name, strlen(name)))
		    : text;
}

/* ---- pointers ------------------------------------------------------------ */

static bool
is_text(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || (unsigned char)*s > '~')
			if (*s != '\n' && *s != '\t' && *s != '\r')
				return false;
	return true;
}

/* What a pointer to characters leads to, if that is text; else NULL.  cut:
 * there is more of it than is shown. */
static const char *
pointed_chars(struct mdb_ctx *cx, struct mdb_type type, struct mdb_loc to,
	const struct mdb_style *style, bool *cut_out)
{
	struct mdb_type target = mdb_type_target(mdb_type_resolve(type));
	size_t len = char_limit(style) + 1;
	char *buf;

	if (!is_char(target))
		return NULL;
	buf = mdb_tmp(cx, len);
	if (mdb_read_str(cx, to, buf, len) != MDB_OK) {
		mdb_forget(cx);
		return NULL;
	}
	*cut_out = strlen(buf) + 1 == len;
	return is_text(buf) ? buf : NULL;
}

const char *
mdb_datum_pointed(struct mdb_ctx *cx, const struct mdb_datum *d,
	const struct mdb_style *style)
{
	struct mdb_type type = mdb_type_resolve(d->type);
	struct mdb_loc to = d->loc;
	bool cut;

	if (d->missing != MDB_OK || d->place == MDB_PLACE_NONE ||
		mdb_type_kind(type) != MDB_T_POINTER)
		return NULL;
	if (mdb_datum_number(cx, d, &to.addr) != MDB_OK) {
		mdb_forget(cx);
		return NULL;
	}
	return to.addr != 0 ? pointed_chars(cx, type, to, style, &cut) : NULL;
}

/* ` "text"` for a pointer to characters that can be read, else "". */
static const char *
pointed_text(struct mdb_ctx *cx, const struct mdb_datum *d, struct mdb_loc to,
	const struct mdb_style *style)
{
	bool cut = false;
	const char *text = pointed_chars(cx, d->type, to, style, &cut);

	if (text == NULL)
		return "";
	return mdb_tmp_printf(cx, " %s%s", quoted(cx, text, strlen(text), '"'),
		cut ? "..." : "");
}

static const char *
pointer_text(struct mdb_ctx *cx, const struct mdb_datum *d,
	const struct mdb_style *style, struct mdb_value *json)
{
	struct mdb_loc to = d->loc;
	enum mdb_status st;
	const char *text;
	uint64_t v;

	st = mdb_datum_number(cx, d, &v);
	if (st != MDB_OK)
		return unreadable(cx, st, json);
	to.addr = v;
	*json = mdb_v_addr(to);
	if (!v)
		return "0";
	text = style->no_symbols ? mdb_tmp_printf(cx, "%#" PRIx64, v)
				 : mdb_sym_format(cx, to);
	return mdb_tmp_printf(cx, "%s%s", text, pointed_text(cx, d, to, style));
}

const char *
mdb_datum_text(struct mdb_ctx *cx, const struct mdb_datum *d,
	const struct mdb_style *style, struct mdb_value *json_out)
{
	struct mdb_datum at = *d;

	*json_out = mdb_v_none();
	if (d->missing != MDB_OK) {
		const char *text = unreadable(cx, d->missing, json_out);

		return d->is_null ? "<through a NULL pointer>" : text;
	}
	if (d->place == MDB_PLACE_NONE)
		return NULL;
	at.type = mdb_type_resolve(d->type);
	switch (mdb_type_kind(at.type)) {
	case MDB_T_INT:
		return int_text(cx, &at, style, json_out);
	case MDB_T_FLOAT:
		return float_text(cx, &at, json_out);
	case MDB_T_ENUM:
		return enum_text(cx, &at, style, json_out);
	case MDB_T_POINTER:
		return pointer_text(cx, &at, style, json_out);
	case MDB_T_ARRAY:
		if (is_char_array(at.type))
			return chars_text(cx, &at, style, json_out);
		break;
	case MDB_T_FUNC:
		*json_out = mdb_v_addr(d->loc);
		return mdb_sym_format(cx, d->loc);
	default:
		break;
	}
	*json_out = mdb_v_addr(d->loc);
	return "<no value: its type is not known>";
}
