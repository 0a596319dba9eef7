/* SPDX-License-Identifier: MIT */
/*
 * Text beside records: commands whose text form is no table (::regs,
 * ::status) state one record for programs and these lines for people.
 */
#ifndef MDB_DCMD_REMARK_H
#define MDB_DCMD_REMARK_H

#include <mdb/out.h>

/* A line for people: nothing in JSON or a pipeline.  Escapes what it says. */
enum mdb_status mdb_remark(struct mdb_ctx *cx, const char *fmt, ...)
	MDB_PRINTF(2, 3);

/* A number of bytes as "768 MiB". */
const char *mdb_size_text(struct mdb_ctx *cx, uint64_t bytes);

#endif
