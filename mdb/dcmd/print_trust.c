/* SPDX-License-Identifier: MIT */
/*
 * How sure the place of a datum is.  Members are proven or refuted by the
 * bytes of the outermost structure that they are part of, so a datum remembers
 * that structure and its way from there; a pointer begins anew.
 */
#include "mdb/dcmd/print.h"

void
mdb_datum_enter(struct mdb_ctx *cx, const struct mdb_datum *parent,
	const char *name, struct mdb_datum *member)
{
	const struct mdb_world *w = parent->loc.world;

	if (!w || mdb_world_kind(w) != MDB_WORLD_XEN)
		return;
	member->outer = parent->outer;
	member->way = name;
	if (!parent->outer)
		member->outer =
			mdb_type_name(cx, mdb_type_resolve(parent->type));
	else if (*parent->way)
		member->way =
			*name ? mdb_tmp_printf(cx, "%s.%s", parent->way, name)
			      : parent->way;
}

enum mdb_trust
mdb_datum_trust(struct mdb_ctx *cx, const struct mdb_datum *d)
{
	if (!d->outer || !*d->way || d->place == MDB_PLACE_NONE)
		return MDB_TRUST_EXACT;
	return mdb_member_trust(cx, d->loc.world, d->outer, d->way);
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
