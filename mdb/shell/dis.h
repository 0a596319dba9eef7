/* SPDX-License-Identifier: MIT */
/* One instruction of the target as text: for the formats i and I. */
#ifndef MDB_SHELL_DIS_H
#define MDB_SHELL_DIS_H

#include <mdb/mem.h>

/*
 * Disassembles what is at loc, with the names of what it refers to.  The text
 * is cut to len; insn_len_out is how many bytes the instruction has, 1 for
 * what is none.
 */
enum mdb_status mdb_session_dis(struct mdb_ctx *cx, struct mdb_loc loc,
	char *buf, size_t len, size_t *insn_len_out);

#endif
