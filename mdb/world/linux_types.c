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

/* A symbol that is where it is expected or, for us, is not there. */
static mdb_addr_t
near_symbol(struct mdb_ctx *cx, struct mdb_linux *lx, const char *name,
	mdb_addr_t near_addr)
{
	struct mdb_sym sym;

	if (mdb_kallsyms_by_name_near(cx, lx->kernel, name, near_addr, 1,
		    &sym) == MDB_OK)
		return sym.value;
	mdb_forget(cx);
	return 0;
}

/* The tables that arch/x86/kernel/vmlinux.lds.S puts one after the other:
 * header, ip, entries; the lookup table follows as a bss. */
void
mdb_linux_tables_init(struct mdb_ctx *cx, struct mdb_linux *lx)
{
	mdb_addr_t near_addr = mdb_linux_info_symbol(lx, "node_online_map");
	mdb_addr_t ip, ip_end, entries, lookup, lookup_end;
	struct mdb_object *o = lx->kernel;

	if (lx->kallsyms == NULL)
		return;
	if (near_addr != 0)
		near_addr += 128u << 10; /* where they are most likely */
	if (mdb_linux_symbol(cx, lx, "__start_orc_unwind_ip", near_addr, &ip) !=
		MDB_OK) {
		mdb_forget(cx);
		return;
	}
	ip_end = near_symbol(cx, lx, "__stop_orc_unwind_ip", ip);
	entries = near_symbol(cx, lx, "__start_orc_unwind", ip);
	if (ip_end <= ip || entries == 0)
		return;
	o->orc_ip_addr = ip;
	o->orc_count = (ip_end - ip) / 4;
	o->orc_addr = entries;
	o->orc_header_addr = near_symbol(cx, lx, "__start_orc_header", ip);
	lookup = near_symbol(cx, lx, "orc_lookup", ip);
	lookup_end = near_symbol(cx, lx, "orc_lookup_end", ip);
	if (lookup != 0 && lookup_end > lookup) {
		o->orc_lookup_addr = lookup;
		o->orc_lookup_count = (lookup_end - lookup) / 4;
	}
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
