/* SPDX-License-Identifier: MIT */
/* The goldcloth machine as a whole, and its names by address. */
#include "machine.h"
#include "machine_impl.h"

#include <stdlib.h>
#include <string.h>

struct gold_machine *
gold_create(void)
{
	struct gold_machine *m = gold_alloc(sizeof(*m));

	gold_lay_out(m);
	gold_fill_cpus(m);
	gold_fill_console(m);
	return m;
}

void
gold_destroy(struct gold_machine *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < NR_FRAMES; i++)
		free(m->frames[i]);
	for (size_t i = 0; i < m->nr_owned; i++)
		free(m->owned[i]);
	free(m->console);
	free(m);
}

const struct gold_world *
gold_worlds(const struct gold_machine *m, size_t *nr_out)
{
	*nr_out = sizeof(m->worlds) / sizeof(m->worlds[0]);
	return m->worlds;
}

const char *
gold_console(const struct gold_machine *m)
{
	return m->console;
}

/* ---- names ------------------------------------------------------------- */

static const struct gold_object *
object_in(const struct gold_world *w, uint32_t addr)
{
	for (size_t i = 0; i < w->nr_objects; i++) {
		const struct gold_object *o = &w->objects[i];

		if ((addr >= o->base && addr < o->end) ||
			(addr >= o->data && addr < o->data_end))
			return o;
	}
	return NULL;
}

const struct gold_object *
gold_object_at(const struct gold_machine *m, uint32_t addr)
{
	const struct gold_object *o = object_in(&m->worlds[0], addr);

	return o ? o : object_in(&m->worlds[1], addr);
}

const struct gold_symbol *
gold_symbol_at(const struct gold_machine *m, uint32_t addr)
{
	const struct gold_object *o = gold_object_at(m, addr);

	for (size_t i = 0; o && i < o->nr_symbols; i++) {
		const struct gold_symbol *s = &o->symbols[i];

		if (addr >= s->value && addr - s->value < s->size)
			return s;
	}
	return NULL;
}

const struct gold_symbol *
gold_symbol_named(const struct gold_world *w, const char *name)
{
	for (size_t i = 0; i < w->nr_objects; i++)
		for (size_t k = 0; k < w->objects[i].nr_symbols; k++)
			if (strcmp(w->objects[i].symbols[k].name, name) == 0)
				return &w->objects[i].symbols[k];
	return NULL;
}

const struct gold_symbol *
gold_need(const struct gold_world *w, const char *name)
{
	const struct gold_symbol *s = gold_symbol_named(w, name);

	if (s)
		return s;
	gold_die("no symbol", name);
}
