/* SPDX-License-Identifier: MIT */
/* Registers by name, as variables of the language. */
#ifndef MDB_SHELL_REGS_H
#define MDB_SHELL_REGS_H

#include <mdb/stack.h>

/*
 * The value of "rip", "eax", "ax", "al" ... in the registers that stand for
 * "here".  MDB_E_NOTFOUND without a trail when it is no register's name; with
 * one when the dump does not have its value.
 */
enum mdb_status mdb_session_reg(struct mdb_ctx *cx, const char *name,
	uint64_t *value_out);

/* Names in order; NULL past the end. */
const char *mdb_reg_name_at(size_t index);

#endif
