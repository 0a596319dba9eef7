/* SPDX-License-Identifier: MIT */
/* Lines beside records; see remark.h. */
#include "mdb/dcmd/remark.h"

#include "mdb/base/buf.h"
#include "mdb/shell/out.h"

#include <inttypes.h>

static const struct mdb_column columns[] = {
	{ .name = "text",
		.flags = MDB_COL_LEFT | MDB_COL_TEXT_ONLY,
		.help = "a remark" },
	{ 0 },
};
static const struct mdb_table table = { .name = "remarks", .columns = columns };

enum mdb_status
mdb_remark(struct mdb_ctx *cx, const char *fmt, ...)
{
	struct mdb_value value;
	struct mdb_buf text, escaped;
	enum mdb_status st;
	va_list ap;

	mdb_buf_init(&text);
	mdb_buf_init(&escaped);
	va_start(ap, fmt);
	mdb_buf_vprintf(&text, fmt, ap);
	va_end(ap);
	value = mdb_v_text(
		text.len == 0 ? "" : mdb_escape(cx, text.data, text.len));
	st = mdb_row(cx, &table, &value);
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
