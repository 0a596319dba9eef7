/* SPDX-License-Identifier: MIT */
/*
 * pack.c: a pack of any bytes; and, as few bytes expand, any bytes as the
 * expanded part of a pack.
 */
#include "mdb/base/ctx.h"
#include "mdb/sym/pack_build.h"

#define MAX_ASKED 300

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
ask(struct mdb_ctx *cx, const struct mdb_pack_blob *blob)
{
	struct mdb_types *types;
	struct mdb_pack *pack;
	uint64_t v;

	if (mdb_pack_create(cx, blob, &pack) != MDB_OK)
		return;
	for (size_t i = 0; i < MAX_ASKED; i++) {
		(void)mdb_pack_sym_at(pack, i);
		(void)mdb_pack_ref_at(pack, i);
		(void)mdb_pack_value(pack, i % 3, i, &v);
	}
	if (mdb_pack_types(cx, pack, 8, &types) == MDB_OK) {
		(void)types->ops->of_var(types, "domain_list");
		mdb_types_destroy(types);
	}
	mdb_pack_destroy(pack);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct mdb_pack_blob blob = { data, len };
	struct mdb_ctx cx;
	uint8_t *bytes;

	mdb_ctx_init(&cx);
	ask(&cx, &blob);
	bytes = pack_build(data, len, &blob.len);
	blob.bytes = bytes;
	ask(&cx, &blob);
	free(bytes);
	mdb_ctx_fini(&cx);
	return 0;
}
