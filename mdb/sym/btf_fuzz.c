/* SPDX-License-Identifier: MIT */
/* btf.c, type.c, typespell.c: BTF of any bytes; every type is asked all. */
#include "mdb/base/ctx.h"
#include "mdb/sym/types.h"

#include <stdlib.h>
#include <string.h>

#define MAX_ASKED 200 /* types, and members of each */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
ask(struct mdb_ctx *cx, struct mdb_type type)
{
	struct mdb_member m;
	uint64_t size;

	(void)mdb_type_name(cx, type);
	(void)!mdb_type_size(cx, type, &size);
	(void)mdb_type_complete(type);
	for (size_t i = 0; i < MAX_ASKED; i++) {
		if (mdb_type_member_at(cx, type, i, &m) != MDB_OK)
			break;
		(void)mdb_type_name(cx, m.type);
	}
	(void)!mdb_type_member(cx, type, "a.b[1].c", &m);
	for (size_t i = 0; i < MAX_ASKED && i < mdb_type_nr_enumerators(type);
		i++)
		(void)mdb_type_enumerator_at(type, i);
	(void)mdb_type_enum_name(type, 1);
	mdb_arena_release(&cx->tmp);
}

static void
ask_all(struct mdb_ctx *cx, struct mdb_types *types)
{
	for (uint32_t id = 0; id <= types->nr_ids && id < MAX_ASKED; id++)
		ask(cx, (struct mdb_type){ types, id });
	(void)types->ops->find(types, MDB_T_STRUCT, "a");
	(void)types->ops->of_var(types, "a");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	/* The first byte says where a split begins: base, then module. */
	size_t cut = len ? (size_t)data[0] * 8 : 0;
	struct mdb_types *base, *split;
	struct mdb_ctx cx;
	uint8_t *bytes;

	if (!len)
		return 0;
	data++;
	len--;
	if (!cut || cut > len)
		cut = len;
	mdb_ctx_init(&cx);
	bytes = malloc(cut ? cut : 1);
	memcpy(bytes, data, cut);
	if (mdb_btf_create(&cx, bytes, cut, NULL, 8, &base) == MDB_OK) {
		ask_all(&cx, base);
		bytes = malloc(len - cut + 1);
		memcpy(bytes, data + cut, len - cut);
		if (mdb_btf_create(&cx, bytes, len - cut, base, 8, &split) ==
			MDB_OK) {
			ask_all(&cx, split);
			mdb_types_destroy(split);
		}
		mdb_types_destroy(base);
	}
	mdb_ctx_fini(&cx);
	return 0;
}
