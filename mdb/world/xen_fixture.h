/* SPDX-License-Identifier: MIT */
/* For tests: the machine of xen_build.h, opened, and its warnings kept. */
#ifndef MDB_WORLD_XEN_FIXTURE_H
#define MDB_WORLD_XEN_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "mdb/world/xen_build.h"

static struct mdb_ctx cx;
static char warned[4096];

static inline void
note_warning(struct mdb_ctx *c, const char *text)
{
	size_t len = strlen(warned);

	(void)c;
	(void)snprintf(warned + len, sizeof(warned) - len, "%s\n", text);
}

static inline void
begin(struct xen_machine *m)
{
	xm_init(m);
	warned[0] = '\0';
	mdb_ctx_init(&cx);
	cx.warn = note_warning;
}

/* As target.c finds the worlds of a dump. */
static inline void
find(struct mdb_target *t)
{
	enum mdb_status st;

	cx.target = t;
	st = mdb_find_xen(&cx, t);
	if (st != MDB_OK && st != MDB_E_NOTFOUND)
		mdb_warn(&cx, st, "a hypervisor is there, but");
	st = mdb_find_linux(&cx, t);
	if (st != MDB_OK)
		mdb_warn(&cx, st, "no kernel");
	mdb_forget(&cx);
	cx.world = t->worlds;
}

static inline struct mdb_world *
world_of(const struct xen_machine *m, enum mdb_world_kind kind)
{
	struct mdb_world *w = m->target->worlds;

	while (w != NULL && w->kind != kind)
		w = w->next;
	return w;
}

static inline struct mdb_world *
found(struct xen_machine *m)
{
	assert_non_null(xm_open(m, SIZE_MAX));
	find(m->target);
	return world_of(m, MDB_WORLD_XEN);
}

static inline void
end(struct xen_machine *m)
{
	xm_fini(m);
	mdb_ctx_fini(&cx);
}

static inline mdb_addr_t
ip_of(struct mdb_world *w, int cpu)
{
	struct mdb_regs regs;

	assert_int_equal(mdb_cpu_regs(&cx, w, cpu, &regs), MDB_OK);
	return regs.r[MDB_R_IP];
}

#endif
