/* SPDX-License-Identifier: MIT */
/*
 * How sure the place of a datum is.  Members are proven or refuted by the
 * bytes of the outermost structure that they are part of, so a datum remembers
 * that structure and its way from there; a pointer begins anew.  Structures
 * that are not of the hypervisor's own types, as those that a module makes up,
 * are what they are.
 */
#include "mdb/dcmd/print.h"

#include "mdb/world/world.h"

void
mdb_datum_enter(struct mdb_ctx *cx, const struct mdb_datum *parent,
	const char *name, struct mdb_datum *member)
{
	struct mdb_world *w = parent->loc.world;
	struct mdb_type outer = mdb_type_resolve(parent->type);

	if (!w || w->kind != MDB_WORLD_XEN || !w->objects ||
		outer.types != mdb_object_types(cx, w->objects))
		return;
	member->outer = parent->outer;
	member->way = name;
	if (!parent->outer)
		member->outer = mdb_type_name(cx, outer);
	else if (*parent->way)
		member->way =
			*name ? mdb_tmp_printf(cx, "%s.%s", parent->way, name)
			      : parent->way;
}

/* A structure without a name is nobody's evidence. */
static enum mdb_trust
trust_of(struct mdb_ctx *cx, const struct mdb_datum *d)
{
	struct mdb_type named;

	if (mdb_type_by_name(cx, d->loc.world, d->outer, &named) == MDB_OK)
		return mdb_member_trust(cx, d->loc.world, d->outer, d->way);
	mdb_forget(cx);
	return mdb_world_trust(cx, d->loc.world, NULL) == MDB_TRUST_EXACT
		       ? MDB_TRUST_EXACT
		       : MDB_TRUST_UNPROVEN;
}

enum mdb_trust
mdb_datum_trust(struct mdb_ctx *cx, const struct mdb_datum *d)
{
	if (!d->outer || !*d->way || d->place == MDB_PLACE_NONE)
		return MDB_TRUST_EXACT;
	return trust_of(cx, d);
}

enum mdb_status
mdb_datum_refuse(struct mdb_ctx *cx, const struct mdb_datum *d)
{
	if (mdb_datum_trust(cx, d) != MDB_TRUST_REFUTED)
		return MDB_OK;
	return mdb_fail(cx, MDB_E_UNSUPPORTED,
		"%s.%s is not where the types say: they are of another build "
		"(see `::trust %s`)",
		d->outer, d->way, d->outer);
}
