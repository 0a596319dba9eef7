/* SPDX-License-Identifier: MIT */
/*
 * What modules keep for the session: a short list per world, and one of the
 * session for what belongs to no world.
 */
#include "mdb/base/alloc.h"
#include "mdb/shell/session.h"
#include "mdb/world/world.h"

#include <stdlib.h>

struct mdb_module_mem {
	struct mdb_module_mem *next;
	const struct mdb_module *module;
	void *mem; /* its own allocation: aligned for anything */
};

void
mdb_module_mem_free(struct mdb_module_mem *list)
{
	while (list != NULL) {
		struct mdb_module_mem *next = list->next;

		free(list->mem);
		free(list);
		list = next;
	}
}

void *
mdb_module_state(struct mdb_ctx *cx, const struct mdb_module *module,
	struct mdb_world *world, size_t len)
{
	struct mdb_module_mem *head, *m;

	head = world == NULL ? cx->session->state : world->module_state;
	for (m = head; m != NULL; m = m->next) {
		if (m->module == module)
			return m->mem;
	}
	m = mdb_xalloc(sizeof(*m));
	*m = (struct mdb_module_mem){ head, module, mdb_xalloc(len) };
	if (world == NULL)
		cx->session->state = m;
	else
		world->module_state = m;
	return m->mem;
}
