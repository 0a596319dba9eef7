/* SPDX-License-Identifier: MIT */
/* One value as text, as JSON, and as a location. */
#include "mdb/shell/out.h"

#include "mdb/base/ctx.h"

#include <inttypes.h>
#include <string.h>

struct mdb_value
mdb_v_cstr(const char *text)
{
	if (text == NULL)
		return mdb_v_none();
	return mdb_v_str(text, strlen(text));
}

struct mdb_value
mdb_v_text(const char *text)
{
	struct mdb_value v = { .kind = MDB_V_TEXT };

	if (text == NULL)
		return mdb_v_none();
	v.s.text = text;
	v.s.len = strlen(text);
	return v;
}

/* 1023, 1.0K, 12.5G: one decimal, units of 1024. */
static void
human(struct mdb_buf *buf, uint64_t n)
{
	static const char units[] = "KMGTPE";
	unsigned int shift = 10;
	size_t unit = 0;

	if (n < 1024) {
		mdb_buf_printf(buf, "%" PRIu64, n);
		return;
	}
	while (n >> shift >= 1024 && units[unit + 1] != '\0') {
		shift += 10;
		unit++;
	}
	mdb_buf_printf(buf, "%.1f%c", (double)n / (double)(1ull << shift),
		units[unit]);
}

static void
hex(struct mdb_buf *buf, uint64_t n, size_t width, unsigned int flags)
{
	int digits = (flags & MDB_COL_ZERO) != 0 ? (int)width : 1;

	mdb_buf_printf(buf, "%0*" PRIx64, digits, n);
}

void
mdb_value_text(struct mdb_ctx *cx, struct mdb_buf *buf,
	const struct mdb_value *v, size_t width, unsigned int flags)
{
	switch (v->kind) {
	case MDB_V_NONE:
		mdb_buf_putc(buf, '-');
		break;
	case MDB_V_ERROR:
		mdb_buf_printf(buf, "<%s>", mdb_status_name(v->status));
		break;
	case MDB_V_INT:
		mdb_buf_printf(buf, "%" PRId64, v->i);
		break;
	case MDB_V_UINT:
		mdb_buf_printf(buf, "%" PRIu64, v->u);
		break;
	case MDB_V_HEX:
		hex(buf, v->u, width, flags);
		break;
	case MDB_V_FLAGS:
		mdb_buf_puts(buf, "0x");
		hex(buf, v->u, width > 2 ? width - 2 : 1, MDB_COL_ZERO);
		break;
	case MDB_V_ADDR:
		hex(buf, v->loc.addr, width, flags);
		break;
	case MDB_V_SYM:
		mdb_buf_puts(buf, mdb_sym_format(cx, v->loc));
		break;
	case MDB_V_STR:
		mdb_escape_text(buf, v->s.text, v->s.len, width == 0);
		break;
	case MDB_V_TEXT:
		mdb_buf_add(buf, v->s.text, v->s.len);
		break;
	case MDB_V_BOOL:
		mdb_buf_puts(buf, v->u != 0 ? "yes" : "no");
		break;
	case MDB_V_NS:
		mdb_buf_printf(buf, "%" PRIu64 ".%06" PRIu64, v->u / 1000000000,
			v->u % 1000000000 / 1000);
		break;
	case MDB_V_BYTES:
		human(buf, v->u);
		break;
	}
	if (mdb_value_is_unproven(v))
		mdb_buf_putc(buf, '?');
}

bool
mdb_value_is_unproven(const struct mdb_value *v)
{
	return v->unproven && v->kind != MDB_V_NONE && v->kind != MDB_V_ERROR;
}

static void
json_sym(struct mdb_ctx *cx, struct mdb_buf *buf, struct mdb_loc loc)
{
	const char *text = mdb_sym_format(cx, loc);

	mdb_escape_json(buf, text, strlen(text));
}

void
mdb_value_json(struct mdb_ctx *cx, struct mdb_buf *buf,
	const struct mdb_value *v)
{
	switch (v->kind) {
	case MDB_V_NONE:
		mdb_buf_puts(buf, "null");
		break;
	case MDB_V_ERROR:
		mdb_buf_printf(buf, "{\"error\":\"%s\"}",
			mdb_status_name(v->status));
		break;
	case MDB_V_INT:
		mdb_buf_printf(buf, "%" PRId64, v->i);
		break;
	case MDB_V_UINT:
	case MDB_V_NS:
	case MDB_V_BYTES:
		mdb_buf_printf(buf, "%" PRIu64, v->u);
		break;
	case MDB_V_HEX:
	case MDB_V_FLAGS:
		mdb_buf_printf(buf, "\"0x%" PRIx64 "\"", v->u);
		break;
	case MDB_V_ADDR:
		mdb_buf_printf(buf, "\"0x%" PRIx64 "\"", v->loc.addr);
		break;
	case MDB_V_SYM:
		json_sym(cx, buf, v->loc);
		break;
	case MDB_V_STR:
	case MDB_V_TEXT:
		mdb_escape_json(buf, v->s.text, v->s.len);
		break;
	case MDB_V_BOOL:
		mdb_buf_puts(buf, v->u != 0 ? "true" : "false");
		break;
	}
}

bool
mdb_value_loc(struct mdb_ctx *cx, const struct mdb_value *v,
	struct mdb_loc *loc_out)
{
	switch (v->kind) {
	case MDB_V_ADDR:
	case MDB_V_SYM:
		*loc_out = v->loc;
		return true;
	case MDB_V_INT:
	case MDB_V_UINT:
	case MDB_V_HEX:
	case MDB_V_FLAGS:
	case MDB_V_BYTES:
	case MDB_V_NS:
		*loc_out = mdb_locate(cx, v->u);
		return true;
	case MDB_V_NONE:
	case MDB_V_ERROR:
	case MDB_V_STR:
	case MDB_V_TEXT:
	case MDB_V_BOOL:
		break;
	}
	return false;
}
