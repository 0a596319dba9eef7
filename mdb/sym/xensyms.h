/* SPDX-License-Identifier: MIT */
/*
 * The symbols of a hypervisor: what Xen's embedded table has (text always,
 * data where the build kept it), and what others found of its data.
 *
 * A static's name is "file.c#name" there; it is found by its bare name, too.
 * Where that means several things it is refused, and they are listed.
 */
#ifndef MDB_SYM_XENSYMS_H
#define MDB_SYM_XENSYMS_H

#include "mdb/sym/kallsyms.h"

/* A hypervisor has some 7,000. */
#define MDB_XENSYMS_MAX (1u << 20)

struct mdb_xensyms;

struct mdb_xensyms *mdb_xensyms_create(void);
void mdb_xensyms_destroy(struct mdb_xensyms *t); /* accepts NULL */

/* One symbol; the name is copied.  size 0: up to the next one. */
struct mdb_xensym {
	const char *name;
	mdb_addr_t value;
	uint64_t size;
	char letter; /* nm's */
	enum mdb_sym_kind kind;
};
/* False: there are too many. */
bool mdb_xensyms_add(struct mdb_xensyms *t, const struct mdb_xensym *sym);

/*
 * All of the embedded table.  A name that cannot be read ends it: what came
 * before stands, and the failure is returned.
 */
enum mdb_status mdb_xensyms_add_table(struct mdb_ctx *cx, struct mdb_xensyms *t,
	struct mdb_space *space, const struct mdb_kallsyms_layout *layout);

/*
 * Called once, when something is asked that the symbols so far do not tell; it
 * may add more.
 */
typedef void mdb_xensyms_more_fn(struct mdb_ctx *cx, struct mdb_object *object,
	void *arg);
void mdb_xensyms_set_more(struct mdb_xensyms *t, mdb_xensyms_more_fn *fn,
	void *arg);

/* Until it is called with false as often, nobody is asked for more. */
void mdb_xensyms_quiet(struct mdb_xensyms *t, bool quiet);

size_t mdb_xensyms_count(const struct mdb_xensyms *t);

/* object->symtab is a struct mdb_xensyms. */
extern const struct mdb_symtab_ops mdb_xensyms_ops;

#endif
