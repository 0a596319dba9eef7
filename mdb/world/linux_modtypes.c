/* SPDX-License-Identifier: MIT */
/*
 * Where the modules' BTF lies.
 *
 * The module's own copy (struct module.btf_data) is gone once it is set up;
 * what stays is the BPF subsystem's (`btf_modules', kernel/bpf/btf.c), already
 * related to the kernel's BTF.  Without it modules have no types: no error.
 */
#include "mdb/base/ctx.h"
#include "mdb/world/linux_module.h"

#include <inttypes.h>

#define MAX_MODULES 16384u

struct btf_module {
	uint64_t next, module;
	uint64_t btf;
};

struct btf {
	uint64_t data;
	uint32_t data_size;
};

static const struct mdb_field module_fields[] = {
	MDB_FIELD(struct btf_module, next, "list.next"),
	MDB_FIELD(struct btf_module, module, "module"),
	MDB_FIELD(struct btf_module, btf, "btf"),
	MDB_FIELD_END,
};
static const struct mdb_shape module_shape = { "struct btf_module",
	module_fields };

static const struct mdb_field btf_fields[] = {
	MDB_FIELD(struct btf, data, "data"),
	MDB_FIELD(struct btf, data_size, "data_size"),
	MDB_FIELD_END,
};
static const struct mdb_shape btf_shape = { "struct btf", btf_fields };

static void
types_set(struct mdb_linux *lx, mdb_addr_t module, const struct btf *btf)
{
	for (struct mdb_object *o = lx->kernel->next; o != NULL; o = o->next) {
		if (o->struct_addr != module)
			continue;
		o->btf_addr = btf->data;
		o->btf_len = btf->data_size;
	}
}

void
mdb_linux_module_types(struct mdb_ctx *cx, struct mdb_linux *lx)
{
	struct mdb_world *w = lx->world;
	enum mdb_status st;
	mdb_addr_t head = 0, at = 0;
	uint64_t off = 0;

	st = mdb_linux_symbol(cx, lx, "btf_modules", 0, &head);
	if (st == MDB_OK)
		st = mdb_offset_of(cx, w, "struct btf_module", "list\0", &off);
	if (st == MDB_OK)
		st = mdb_read_ptr(cx, mdb_kernel_loc(w, head), &at);
	for (unsigned int i = 0; st == MDB_OK && at != head && i < MAX_MODULES;
		i++) {
		struct btf_module m;
		struct btf btf;

		st = mdb_read_shape(cx, &module_shape,
			mdb_kernel_loc(w, at - off), &m);
		if (st == MDB_OK)
			st = mdb_read_shape(cx, &btf_shape,
				mdb_kernel_loc(w, m.btf), &btf);
		if (st != MDB_OK)
			break;
		types_set(lx, m.module, &btf);
		at = m.next;
	}
	mdb_forget(cx);
}
