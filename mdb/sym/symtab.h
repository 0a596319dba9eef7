/* SPDX-License-Identifier: MIT */
/*
 * A symbol table of ELF's 64-bit form: an array of Elf64_Sym and its strings,
 * as our own dump format embeds them for any machine.
 *
 * The bytes are hostile: any give a table, in which an entry that has no name
 * or no place is left out.  They are borrowed until the table's end.  Creation
 * looks at each entry once; the index by name is made when a name is first
 * asked for.
 */
#ifndef MDB_SYM_SYMTAB_H
#define MDB_SYM_SYMTAB_H

#include "mdb/sym/object.h"

struct mdb_symtab;

/*
 * MDB_E_CORRUPT when nothing in it is a symbol.  len is bytes; a rest that is
 * no whole entry, and strings behind the last NUL, are not looked at.
 */
enum mdb_status mdb_symtab_create(struct mdb_ctx *cx, const void *entries,
	size_t entries_len, const char *strings, size_t strings_len,
	struct mdb_symtab **table_out);
void mdb_symtab_destroy(struct mdb_symtab *table); /* accepts NULL */

/* How many symbols it has. */
size_t mdb_symtab_count(const struct mdb_symtab *table);

/*
 * As struct mdb_symtab_ops; names live as long as the table.  Of several
 * symbols that contain an address, the one that begins last and then the one
 * that is most public; one without a size contains its own address, if no
 * other does.  near: else the nearest below.
 */
enum mdb_status mdb_symtab_by_name(struct mdb_symtab *table,
	struct mdb_object *object, const char *name, struct mdb_sym *sym_out);
enum mdb_status mdb_symtab_by_addr(const struct mdb_symtab *table,
	struct mdb_object *object, mdb_addr_t addr, bool near,
	struct mdb_sym *sym_out);
enum mdb_status mdb_symtab_each(struct mdb_ctx *cx,
	const struct mdb_symtab *table, struct mdb_object *object,
	mdb_sym_fn *fn, void *arg);

#endif
