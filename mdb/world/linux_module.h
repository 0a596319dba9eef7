/* SPDX-License-Identifier: MIT */
/*
 * What is wanted of struct module.  Private to linux_mod*.c.
 */
#ifndef MDB_WORLD_LINUX_MODULE_H
#define MDB_WORLD_LINUX_MODULE_H

#include "mdb/world/linux_world.h"

/* Of all modules' symbols and types so many bytes are read: many modules may
 * point to one large table. */
#define MDB_LINUX_MODULES_MAX (1ull << 30)

struct mdb_linux_module {
	uint32_t state;
	uint64_t next; /* of its list_head */
	char name[56];
	uint8_t build_id[20];
	uint64_t core_base, init_base;
	uint32_t core_size, core_text_size, core_ro_size;
	uint32_t init_size, init_text_size;
	uint64_t kallsyms; /* struct mod_kallsyms */
	uint64_t percpu;
	uint32_t percpu_size;
	uint64_t notes_attrs;
	uint64_t orc_ip, orc;
	uint32_t num_orcs;
};

/* Counts what is about to be read; MDB_E_CORRUPT: that is too much. */
enum mdb_status mdb_linux_modules_account(struct mdb_ctx *cx,
	struct mdb_linux *lx, uint64_t len);

/* Gives the object a symbol table, read when first asked. */
void mdb_linux_module_symbols(struct mdb_object *object,
	const struct mdb_linux_module *module);

/* linux_modtypes.c: where the modules' BTF lies, for all modules. */
void mdb_linux_module_types(struct mdb_ctx *cx, struct mdb_linux *lx);

#endif
