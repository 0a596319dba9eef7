/* SPDX-License-Identifier: MIT */
/* The commands that know types beside ::print; print.c has their table. */
#ifndef MDB_DCMD_TYPED_H
#define MDB_DCMD_TYPED_H

#include <mdb/module.h>

typedef enum mdb_status mdb_dcmd_fn(struct mdb_ctx *cx,
	const struct mdb_call *call);

mdb_dcmd_fn mdb_dcmd_printf;
mdb_dcmd_fn mdb_dcmd_sizeof;
mdb_dcmd_fn mdb_dcmd_offsetof;
mdb_dcmd_fn mdb_dcmd_list;
mdb_dcmd_fn mdb_dcmd_array;
mdb_dcmd_fn mdb_dcmd_enum;

extern const struct mdb_table mdb_table_enum;

#endif
