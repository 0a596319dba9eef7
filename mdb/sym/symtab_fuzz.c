/* SPDX-License-Identifier: MIT */
/* symtab.c: entries and strings of any bytes, asked in every way. */
#include "mdb/base/ctx.h"
#include "mdb/sym/symtab.h"

#include <string.h>

#define MAX_ASKED 64u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct asked {
	struct mdb_symtab *table;
	unsigned int nr;
};

static enum mdb_status
ask(struct mdb_ctx *cx, const struct mdb_sym *sym, void *arg)
{
	struct asked *a = arg;
	struct mdb_sym found;

	(void)cx;
	(void)!mdb_symtab_by_name(a->table, sym->object, sym->name, &found);
	for (int near = 0; near < 2; near++) {
		(void)!mdb_symtab_by_addr(a->table, sym->object, sym->value,
			near, &found);
		(void)!mdb_symtab_by_addr(a->table, sym->object,
			sym->value + sym->size, near, &found);
	}
	return ++a->nr < MAX_ASKED ? MDB_OK : MDB_DONE;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	/* The first byte says how many entries come before the strings. */
	size_t cut = len ? (size_t)data[0] * 24 : 0;
	struct mdb_object object = { .base = 0x1000, .end = 0x2000 };
	struct asked a = { 0 };
	struct mdb_ctx cx;

	if (!len)
		return 0;
	data++;
	len--;
	if (cut > len)
		cut = len;
	mdb_ctx_init(&cx);
	if (mdb_symtab_create(&cx, data, cut, (const char *)data + cut,
		    len - cut, &a.table) == MDB_OK) {
		(void)!mdb_symtab_each(&cx, a.table, &object, ask, &a);
		mdb_symtab_destroy(a.table);
	}
	mdb_ctx_fini(&cx);
	return 0;
}
