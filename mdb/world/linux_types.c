/* SPDX-License-Identifier: MIT */
/* Where the kernel keeps its unwind tables and its types. */
#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"
#include "mdb/world/linux_world.h"

#include <stdlib.h>

/* BTF larger than this is not believed (5 MiB on a distribution's kernel). */
#define MAX_BTF (64u << 20)

/* Types of one object from the BTF in memory. */
enum mdb_status
mdb_linux_load_types(struct mdb_ctx *cx, struct mdb_object *object,
	struct mdb_types **types_out)
{
	struct mdb_world *w = object->world;
	struct mdb_types *base = NULL;
	enum mdb_status st;
	void *bytes;

	if (object->btf_addr == 0 || object->btf_len == 0)
		return mdb_fail(cx, MDB_E_NOTFOUND, "%s has no BTF",
			object->name);
	if (object->btf_len > MAX_BTF)
		return mdb_fail(cx, MDB_E_CORRUPT, "BTF of %s is too large",
			object->name);
	if (object != w->objects) {
		base = mdb_object_types(cx, w->objects);
		if (base == NULL)
			return mdb_fail(cx, MDB_E_NOTFOUND,
				"the kernel's types are not known");
	}
	bytes = mdb_try_alloc(object->btf_len, 1);
	if (bytes == NULL)
		return mdb_fail(cx, MDB_E_SYSTEM, "no memory for BTF");
	st = mdb_space_read(cx, w->space, object->btf_addr, bytes,
		object->btf_len);
	if (st != MDB_OK) {
		free(bytes);
		return mdb_context(cx, st, "BTF of %s", object->name);
	}
	return mdb_btf_create(cx, bytes, object->btf_len, base, w->arch->word,
		types_out);
}

void
mdb_linux_tables_init(struct mdb_ctx *cx, struct mdb_linux *lx)
{
	static const char *const names[] = { "__start_orc_unwind_ip",
		"__stop_orc_unwind_ip", "__start_orc_unwind",
		"__start_orc_header", "__start_BTF", "__stop_BTF" };
	mdb_addr_t v[6] = { 0 };

	if (lx->kallsyms == NULL)
		return;
	for (size_t i = 0; i < 6; i++) {
		mdb_addr_t near_addr = i == 0 ? 0 : i == 5 ? v[4] : v[0];

		if (mdb_linux_symbol(cx, lx, names[i], near_addr, &v[i]) !=
			MDB_OK)
			mdb_forget(cx);
	}
	if (v[0] != 0 && v[1] > v[0] && v[2] != 0) {
		lx->kernel->orc_ip_addr = v[0];
		lx->kernel->orc_count = (v[1] - v[0]) / 4;
		lx->kernel->orc_addr = v[2];
		lx->kernel->orc_header_addr = v[3];
	}
	if (v[4] != 0 && v[5] > v[4]) {
		lx->kernel->btf_addr = v[4];
		lx->kernel->btf_len = v[5] - v[4];
	}
}
