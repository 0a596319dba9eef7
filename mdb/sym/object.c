/* SPDX-License-Identifier: MIT */
/* Load objects: creation, and what modules may ask of them. */
#include "mdb/sym/object.h"

#include "mdb/base/alloc.h"
#include "mdb/sym/types.h"

#include <stdlib.h>

struct mdb_object *
mdb_object_create(struct mdb_world *world, const char *name)
{
	struct mdb_object *o = mdb_xalloc(sizeof(*o));

	o->world = world;
	o->name = mdb_xstrdup(name);
	return o;
}

void
mdb_object_destroy(struct mdb_object *o)
{
	if (!o)
		return;
	if (o->symtab_ops && o->symtab_ops->destroy)
		o->symtab_ops->destroy(o->symtab);
	if (o->unwind_destroy)
		o->unwind_destroy(o->unwind);
	if (o->debug_types != o->types)
		mdb_types_destroy(o->debug_types);
	mdb_types_destroy(o->types);
	free(o->build_id);
	free(o->name);
	free(o);
}

void
mdb_object_info(const struct mdb_object *o, struct mdb_object_info *info_out)
{
	*info_out = (struct mdb_object_info){
		.name = o->name,
		.world = o->world,
		.base = o->base,
		.end = o->end,
		.size = o->size,
		.struct_addr = o->struct_addr,
		.build_id = o->build_id,
		.has_types = o->types || o->btf_addr,
		.has_unwind = o->orc_count != 0,
	};
}
