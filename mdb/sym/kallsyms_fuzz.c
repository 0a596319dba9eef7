/* SPDX-License-Identifier: MIT */
/*
 * kallsyms*.c: tables of each layout, damaged as the input says: its first
 * byte chooses the layout, then each four bytes are an offset and a byte
 * written there (offset 24 bits, little-endian).
 */
#include <stdio.h>

#include "mdb/base/ctx.h"
#include "mdb/sym/kallsyms_build.h"

#define IMAGE 0xffffffff81000000ull
#define TABLES (IMAGE + 0x400000)
#define NR 600u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct ksym_in syms[NR];

static void
make(struct ksym_build *b, unsigned int choice)
{
	memset(b, 0, sizeof(*b));
	for (uint32_t i = 0; i < NR; i++) {
		syms[i].value = IMAGE + 64ull * i;
		(void)snprintf(syms[i].text, sizeof(syms[i].text),
			"%csys_%u_init", i < 300 ? 'T' : 'd', i * 31 % NR);
	}
	b->syms = syms;
	b->nr = NR;
	b->base = TABLES;
	b->relative_base = IMAGE;
	b->form = (enum mdb_kallsyms_form)(1 + choice % 4);
	b->marker_size = choice & 4 ? 8 : 4;
	b->align = choice & 8 ? 4 : 8;
	b->late = (choice & 16) != 0;
	b->seqs = (choice & 32) != 0;
	ksym_make(b);
}

static enum mdb_status
look(struct mdb_ctx *cx, const struct mdb_sym *sym, void *arg)
{
	size_t *total = arg;

	(void)cx;
	*total += strlen(sym->name);
	return MDB_OK;
}

static void
ask(struct mdb_ctx *cx, struct mdb_space *space,
	const struct mdb_kallsyms_layout *layout)
{
	struct mdb_object object = { 0 };
	struct mdb_kallsyms *k;
	struct mdb_sym sym;
	size_t total = 0;

	if (mdb_kallsyms_create(cx, space, layout, &k) != MDB_OK)
		return;
	object.symtab = k;
	(void)!mdb_kallsyms_ops.by_name(cx, &object, "sys_31_init", &sym);
	(void)!mdb_kallsyms_ops.by_name(cx, &object, "absent", &sym);
	(void)!mdb_kallsyms_by_name_near(cx, &object, "sys_1_init", IMAGE, 1,
		&sym);
	for (uint64_t at = IMAGE; at < IMAGE + 64 * NR; at += 999)
		(void)!mdb_kallsyms_ops.by_addr(cx, &object, at, true, &sym);
	(void)!mdb_kallsyms_ops.each(cx, &object, look, &total);
	mdb_kallsyms_destroy(k);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct mdb_kallsyms_layout l;
	struct mdb_memory *mem;
	struct mdb_space *space;
	struct ksym_build b;
	struct mdb_ctx cx;

	if (len == 0)
		return 0;
	mdb_ctx_init(&cx);
	make(&b, data[0]);
	for (size_t i = 1; i + 4 <= len; i += 4) {
		size_t at = data[i] | (size_t)data[i + 1] << 8 |
			    (size_t)data[i + 2] << 16;

		b.bytes.data[at % b.bytes.len] = (char)data[i + 3];
	}
	mem = mdb_memory_create_fake();
	mdb_fake_write(mem, TABLES - IMAGE, b.bytes.data, b.bytes.len);
	space = mdb_space_create("fuzz", mem, &mdb_arch_x86_64, MDB_PAGING_NONE,
		0);
	mdb_space_add_window(space, IMAGE, IMAGE + (16u << 20), -IMAGE);
	ask(&cx, space, &b.layout);
	if (mdb_kallsyms_locate(&cx, space, &b.layout, &l) == MDB_OK)
		ask(&cx, space, &l);
	if (mdb_kallsyms_scan(&cx, space, TABLES & ~4095ull,
		    TABLES + b.bytes.len, &l) == MDB_OK)
		ask(&cx, space, &l);
	mdb_space_destroy(space);
	mdb_memory_destroy(mem);
	mdb_buf_fini(&b.bytes);
	mdb_ctx_fini(&cx);
	return 0;
}
