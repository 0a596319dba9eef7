/* SPDX-License-Identifier: MIT */
/* The symbol table of an ELF file beside the dump. */
#ifndef MDB_SYM_ELFSYMS_H
#define MDB_SYM_ELFSYMS_H

#include <mdb/status.h>

#include <stdbool.h>
#include <stdint.h>

struct mdb_elfsym {
	const char *name; /* until fn returns */
	uint64_t value, size;
	bool is_func, is_local;
};

/*
 * Functions, objects and symbols without a type of section .symtab, in its
 * order; none has an empty name.  MDB_E_NOTFOUND: there is no such section;
 * MDB_E_FORMAT: no ELF file; MDB_E_SYSTEM: it cannot be opened.
 */
enum mdb_status mdb_elfsyms_each(struct mdb_ctx *cx, const char *path,
	void (*fn)(void *arg, const struct mdb_elfsym *sym), void *arg);

#endif
