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

	mdb_linux_btf_init(cx, mdb_linux_of(w));
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
		"__start_orc_header" };
	mdb_addr_t near_addr = mdb_linux_info_symbol(lx, "node_online_map");
	mdb_addr_t v[4] = { 0 };

	for (size_t i = 0; lx->kallsyms != NULL && i < 4; i++) {
		struct mdb_sym sym;
		enum mdb_status st;

		/* A header is right before the tables or there is none. */
		if (i < 3)
			st = mdb_linux_symbol(cx, lx, names[i], near_addr,
				&v[i]);
		else if ((st = mdb_kallsyms_by_name_near(cx, lx->kernel,
				  names[i], near_addr, &sym)) == MDB_OK)
			v[i] = sym.value;
		if (st == MDB_OK)
			near_addr = v[0];
		mdb_forget(cx);
	}
	if (v[0] == 0 || v[1] <= v[0] || v[2] == 0)
		return;
	lx->kernel->orc_ip_addr = v[0];
	lx->kernel->orc_count = (v[1] - v[0]) / 4;
	lx->kernel->orc_addr = v[2];
	lx->kernel->orc_header_addr = v[3];
}

/* The kernel's BTF by its symbols; sought when types are first wanted. */
void
mdb_linux_btf_init(struct mdb_ctx *cx, struct mdb_linux *lx)
{
	mdb_addr_t start, end;

	if (lx->btf_tried || lx->kallsyms == NULL)
		return;
	lx->btf_tried = true;
	if (mdb_linux_symbol(cx, lx, "__start_BTF", 0, &start) == MDB_OK &&
		mdb_linux_symbol(cx, lx, "__stop_BTF", start, &end) == MDB_OK &&
		end > start) {
		lx->kernel->btf_addr = start;
		lx->kernel->btf_len = end - start;
	}
	mdb_forget(cx);
}
