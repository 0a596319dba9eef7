/* SPDX-License-Identifier: MIT */
/* Lines beside records; see remark.h. */
#include "mdb/dcmd/remark.h"

#include "mdb/base/buf.h"

#include <inttypes.h>

static const struct mdb_column columns[] = {
	{ .name = "text",
		.flags = MDB_COL_LEFT | MDB_COL_TEXT_ONLY,
		.help = "a remark" },
	{ 0 },
};
static const struct mdb_table table = { .name = "remarks", .columns = columns };

/* Tabs go to columns that are multiples of 8. */
static void
expand(const struct mdb_buf *text, struct mdb_buf *plain)
{
	for (size_t i = 0; i < text->len; i++) {
		if (text->data[i] == '\t')
			mdb_buf_pad(plain, ' ', 8 - plain->len % 8);
		else
			mdb_buf_putc(plain, text->data[i]);
	}
}

enum mdb_status
mdb_remark(struct mdb_ctx *cx, const char *fmt, ...)
{
	struct mdb_value value;
	struct mdb_buf text, plain;
	enum mdb_status st;
	va_list ap;

	mdb_buf_init(&text);
	mdb_buf_init(&plain);
	va_start(ap, fmt);
	mdb_buf_vprintf(&text, fmt, ap);
	va_end(ap);
	expand(&text, &plain);
	value = mdb_v_str(plain.len > 0 ? plain.data : "", plain.len);
	st = mdb_row(cx, &table, &value);
	mdb_buf_fini(&plain);
	mdb_buf_fini(&text);
	return st;
}

const char *
mdb_size_text(struct mdb_ctx *cx, uint64_t bytes)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB",
		"TiB" };
	uint64_t tenths = bytes * 10;
	size_t i = 0;

	if (bytes > UINT64_MAX / 10)
		return mdb_tmp_printf(cx, "%" PRIu64 " bytes", bytes);
	while (tenths >= 10240 && i < 4) {
		tenths = (tenths + 512) / 1024;
		i++;
	}
	if (tenths % 10 == 0 || i == 0)
		return mdb_tmp_printf(cx, "%" PRIu64 " %s", tenths / 10,
			units[i]);
	return mdb_tmp_printf(cx, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10,
		tenths % 10, units[i]);
}
