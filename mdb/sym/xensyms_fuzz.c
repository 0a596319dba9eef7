/* SPDX-License-Identifier: MIT */
/*
 * xensyms.c and the finding of Xen's table: a good table damaged as the input
 * says: each four bytes are an offset and a byte written there (offset 24
 * bits, little-endian).
 */
#include "mdb/base/ctx.h"
#include "mdb/sym/xensyms_build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static enum mdb_status
look(struct mdb_ctx *cx, const struct mdb_sym *sym, void *arg)
{
	size_t *total = arg;

	(void)cx;
	*total += strlen(sym->name) + sym->size;
	return MDB_OK;
}

static void
ask(struct mdb_ctx *cx, struct mdb_space *space,
	const struct mdb_kallsyms_layout *layout)
{
	struct mdb_object object = { .base = XB_TEXT, .end = XB_TABLES };
	struct mdb_sym sym;
	size_t total = 0;

	object.symtab = mdb_xensyms_create();
	(void)!mdb_xensyms_add_table(cx, object.symtab, space, layout);
	(void)!mdb_xensyms_ops.by_name(cx, &object, "f77", &sym);
	(void)!mdb_xensyms_ops.by_name(cx, &object, "dup", &sym);
	(void)!mdb_xensyms_ops.by_name(cx, &object, "file1.c#dup", &sym);
	for (uint64_t at = XB_TEXT; at < XB_TEXT + 64 * XB_NR; at += 999)
		(void)!mdb_xensyms_ops.by_addr(cx, &object, at, true, &sym);
	(void)!mdb_xensyms_ops.each(cx, &object, look, &total);
	mdb_xensyms_destroy(object.symtab);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct ksym_in syms[XB_NR];
	struct mdb_kallsyms_layout l;
	struct mdb_memory *mem;
	struct mdb_space *space;
	struct ksym_build b;
	struct mdb_ctx cx;

	mdb_ctx_init(&cx);
	xb_symbols(syms);
	xb_make(&b, syms);
	for (size_t i = 0; i + 4 <= len; i += 4) {
		size_t at = data[i] | (size_t)data[i + 1] << 8 |
			    (size_t)data[i + 2] << 16;

		b.bytes.data[at % b.bytes.len] = (char)data[i + 3];
	}
	mem = mdb_memory_create_fake();
	space = xb_space(mem, &b);
	ask(&cx, space, &b.layout);
	if (xb_scan(&cx, space, &b, &l) == MDB_OK)
		ask(&cx, space, &l);
	mdb_space_destroy(space);
	mdb_memory_destroy(mem);
	mdb_buf_fini(&b.bytes);
	mdb_ctx_fini(&cx);
	return 0;
}
