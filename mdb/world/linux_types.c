/* SPDX-License-Identifier: MIT */
/* Where the kernel keeps its unwind tables and its types. */
#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"
#include "mdb/world/linux_module.h"

#include <stdlib.h>
#include <string.h>

/* BTF larger than this is not believed (5 MiB on a distribution's kernel). */
#define MAX_BTF (64u << 20)
/* ... and less than this is not the kernel's. */
#define BTF_LEAST (256u << 10)

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
		st = mdb_linux_modules_account(cx, mdb_linux_of(w),
			object->btf_len);
		if (st != MDB_OK)
			return st;
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

/* struct btf_header (Documentation/bpf/btf.rst): magic 0xeb9f, version 1, no
 * flags; types, then strings, with nothing between them. */
static bool
btf_header(const uint8_t *b, uint64_t *len_out)
{
	const uint32_t hdr = mdb_le32(b + 4);
	const uint64_t types = mdb_le32(b + 12);
	const uint64_t strings = mdb_le32(b + 20);

	if (mdb_le16(b) != 0xeb9f || b[2] != 1 || b[3] != 0 || hdr < 24 ||
		hdr > 64 || mdb_le32(b + 8) != 0 || mdb_le32(b + 16) != types)
		return false;
	*len_out = hdr + types + strings;
	return types >= BTF_LEAST && *len_out <= MAX_BTF;
}

/* The BTF that begins in one page; false: none does. */
static bool
btf_in_page(struct mdb_space *space, mdb_addr_t page, mdb_addr_t *addr_out,
	uint64_t *len_out)
{
	static const uint8_t magic[4] = { 0x9f, 0xeb, 1, 0 };
	uint8_t b[4096], header[24];

	if (mdb_space_try(space, page, b, sizeof(b)) != MDB_OK)
		return false;
	for (size_t i = 0; i < sizeof(b); i += 4) {
		if (memcmp(b + i, magic, sizeof(magic)) != 0 ||
			mdb_space_try(space, page + i, header,
				sizeof(header)) != MDB_OK ||
			!btf_header(header, len_out))
			continue;
		*addr_out = page + i;
		return true;
	}
	return false;
}

/* Without symbols of variables: it is in the kernel's read-only data. */
static void
btf_scan(struct mdb_ctx *cx, struct mdb_linux *lx)
{
	struct mdb_space *space = lx->world->space;
	struct mdb_object *o = lx->kernel;
	mdb_addr_t at = MDB_LINUX_TEXT_MAP;
	struct mdb_mapped run;

	while (mdb_space_next_mapped(cx, space, at, &run) == MDB_OK &&
		run.start < MDB_LINUX_TEXT_MAP_END) {
		mdb_addr_t page =
			run.executable || run.writable ? run.last : run.start;

		if (run.last >= MDB_LINUX_TEXT_MAP_END)
			run.last = MDB_LINUX_TEXT_MAP_END - 1;
		for (; page < run.last; page += 4096)
			if (btf_in_page(space, page, &o->btf_addr,
				    &o->btf_len) ||
				mdb_check_interrupt(cx) != MDB_OK)
				return;
		at = run.last + 1;
	}
}

/* The kernel's BTF, sought when types are first wanted. */
void
mdb_linux_btf_init(struct mdb_ctx *cx, struct mdb_linux *lx)
{
	mdb_addr_t start, end;

	if (lx->btf_tried)
		return;
	lx->btf_tried = true;
	if (mdb_linux_symbol(cx, lx, "__start_BTF", 0, &start) == MDB_OK &&
		mdb_linux_symbol(cx, lx, "__stop_BTF", start, &end) == MDB_OK &&
		end > start) {
		lx->kernel->btf_addr = start;
		lx->kernel->btf_len = end - start;
	} else {
		btf_scan(cx, lx);
	}
	mdb_forget(cx);
}
