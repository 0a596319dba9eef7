/* SPDX-License-Identifier: MIT */
/*
 * Which types describe the hypervisor: its DWARF if there is such a file, else
 * the pack that lists its build-id, else of those of its series and flavour the
 * one that the dump refutes least (xen_trust.c), the nearest first.
 */
#include "mdb/world/xen_types.h"

#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Made by xen-types/packs.awk; one of no bytes is last. */
extern const struct mdb_pack_blob mdb_xen_packs[];

/* "4.17" of the release "4.17.5+72"; the third number. */
static bool
series_is(const char *release, const char *series, unsigned long *third_out)
{
	size_t len = strlen(series);

	if (!release || len == 0 || strncmp(release, series, len) != 0)
		return false;
	if (release[len] != '.' && release[len] != '\0' &&
		release[len] != '-' && release[len] != '+')
		return false;
	*third_out =
		release[len] == '.' ? strtoul(release + len + 1, NULL, 10) : 0;
	return true;
}

/* Whether it was built with CONFIG_DEBUG: version.c says "debug=y". */
static const char *
flavour_of(struct mdb_ctx *cx, struct mdb_xen *xen)
{
	const char *info = mdb_world_fact(cx, xen->world, "build_info");

	return info && strstr(info, "debug=y") ? "debug" : "release";
}

/* The pack that lists the build-id, first as exact; *build_out which it is. */
static const struct mdb_pack_blob *
by_build(struct mdb_ctx *cx, const char *id, int *build_out, bool *exact_out)
{
	const struct mdb_pack_blob *found = NULL;
	struct mdb_pack_info info;

	for (const struct mdb_pack_blob *b = mdb_xen_packs; id && b->len; b++) {
		if (mdb_pack_info(cx, b, &info) != MDB_OK)
			continue;
		for (size_t i = 0; i < info.nr_builds; i++) {
			if (strcasecmp(info.builds[i].id, id) != 0)
				continue;
			found = b;
			*build_out = (int)i;
			*exact_out = info.builds[i].is_exact;
			if (*exact_out)
				return found;
		}
	}
	return found;
}

/* Ordered by distance; what has no room is the farthest. */
static void
add_candidate(struct mdb_xen_types *t, const struct mdb_pack_blob *blob,
	unsigned long distance)
{
	size_t i = t->nr_candidates;

	if (i == MDB_XEN_MAX_CANDIDATES && distance >= t->distances[i - 1])
		return;
	if (i == MDB_XEN_MAX_CANDIDATES)
		i--;
	else
		t->nr_candidates++;
	for (; i > 0 && t->distances[i - 1] > distance; i--) {
		t->candidates[i] = t->candidates[i - 1];
		t->distances[i] = t->distances[i - 1];
	}
	t->candidates[i] = blob;
	t->distances[i] = distance;
}

static void
by_version(struct mdb_ctx *cx, const char *release, const char *flavour,
	struct mdb_xen_types *t)
{
	struct mdb_pack_info info;
	unsigned long ours, theirs;

	for (const struct mdb_pack_blob *b = mdb_xen_packs; b->len; b++)
		if (mdb_pack_info(cx, b, &info) == MDB_OK &&
			strcmp(info.flavour, flavour) == 0 &&
			series_is(release, info.series, &ours) &&
			series_is(info.name, info.series, &theirs))
			add_candidate(t, b,
				ours > theirs ? ours - theirs : theirs - ours);
}

static void
name_set(struct mdb_ctx *cx, struct mdb_xen_types *t,
	const struct mdb_pack_blob *blob)
{
	struct mdb_pack_info info;

	if (mdb_pack_info(cx, blob, &info) == MDB_OK)
		(void)snprintf(t->name, sizeof(t->name), "%s", info.name);
}

static void
choose(struct mdb_ctx *cx, struct mdb_xen *xen, struct mdb_xen_types *t)
{
	const struct mdb_pack_blob *blob;
	bool is_exact = false;
	enum mdb_status st;

	blob = by_build(cx, xen->object->build_id, &t->build, &is_exact);
	by_version(cx, mdb_world_fact(cx, xen->world, "release"),
		flavour_of(cx, xen), t);
	mdb_forget(cx);
	if (!blob && t->nr_candidates)
		blob = t->candidates[0];
	if (!blob)
		return;
	name_set(cx, t, blob);
	st = mdb_pack_create(cx, blob, &t->pack);
	if (st != MDB_OK)
		mdb_warn(cx, st, "a type pack of the hypervisor");
	else if (is_exact)
		t->source = MDB_XEN_TYPES_BUILD;
	else if (t->nr_candidates)
		t->source = MDB_XEN_TYPES_VERSION;
}

struct mdb_xen_types *
mdb_xen_types(struct mdb_ctx *cx, struct mdb_xen *xen)
{
	struct mdb_xen_types *t = xen->types;

	if (t)
		return t;
	t = xen->types = mdb_xalloc(sizeof(*t));
	t->build = -1;
	mdb_xensyms_quiet(xen->symbols, true);
	choose(cx, xen, t);
	mdb_xensyms_quiet(xen->symbols, false);
	if (mdb_object_debug_types(cx, xen->object))
		t->source = MDB_XEN_TYPES_DWARF;
	mdb_forget(cx);
	return t;
}

void
mdb_xen_types_fini(struct mdb_xen *xen)
{
	struct mdb_xen_types *t = xen->types;

	if (!t)
		return;
	mdb_xen_trust_destroy(t->trust);
	mdb_pack_destroy(t->pack);
	free(t);
	xen->types = NULL;
}

static enum mdb_status
types_of_blob(struct mdb_ctx *cx, const struct mdb_pack_blob *blob,
	struct mdb_types **types_out)
{
	struct mdb_pack *pack;
	enum mdb_status st = mdb_pack_create(cx, blob, &pack);

	if (st != MDB_OK)
		return st;
	st = mdb_pack_types(cx, pack, 8, types_out);
	mdb_pack_destroy(pack);
	return st;
}

/*
 * The least refuted, of those the one that fewest looks contradict: a structure
 * may be refuted as a whole by one of its members as by ten.  Where several are
 * not refuted at all, the nearest.
 */
static enum mdb_status
best_candidate(struct mdb_ctx *cx, struct mdb_xen *xen, struct mdb_xen_types *t,
	struct mdb_types **types_out)
{
	struct mdb_types *best = NULL, *types;
	size_t best_refuted = 0, best_nr = 0, refuted = 1;
	enum mdb_status st = MDB_E_NOTFOUND;

	for (size_t i = 0; i < t->nr_candidates && refuted > 0; i++) {
		struct mdb_xen_trust *trust;
		size_t nr;

		st = types_of_blob(cx, t->candidates[i], &types);
		if (st != MDB_OK)
			continue;
		trust = mdb_xen_prove(cx, xen, types, &refuted);
		nr = mdb_xen_nr_contradicted(trust);
		if (best &&
			(refuted > best_refuted ||
				(refuted == best_refuted && nr >= best_nr))) {
			mdb_xen_trust_destroy(trust);
			mdb_types_destroy(types);
			continue;
		}
		mdb_xen_trust_destroy(t->trust);
		mdb_types_destroy(best);
		t->trust = trust;
		best = types;
		best_refuted = refuted;
		best_nr = nr;
		name_set(cx, t, t->candidates[i]);
	}
	if (!best)
		return st;
	*types_out = best;
	return MDB_OK;
}

enum mdb_status
mdb_xen_load_types(struct mdb_ctx *cx, struct mdb_object *object,
	struct mdb_types **types_out)
{
	struct mdb_xen *xen = mdb_xen_of(object->world);
	struct mdb_xen_types *t = mdb_xen_types(cx, xen);
	const char *release = mdb_world_fact(cx, xen->world, "release");
	enum mdb_status st;

	/* The caller takes the debug file where there is one. */
	if (t->source == MDB_XEN_TYPES_DWARF)
		return MDB_E_NOTFOUND;
	if (!t->pack || t->source == MDB_XEN_TYPES_NONE)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"no type pack is of Xen %s (%s); name its xen-syms",
			release ? release : "of unknown version",
			flavour_of(cx, xen));
	if (t->source == MDB_XEN_TYPES_BUILD)
		st = mdb_pack_types(cx, t->pack, 8, types_out);
	else
		st = best_candidate(cx, xen, t, types_out);
	if (st == MDB_OK)
		(*types_out)->source = t->name;
	return st;
}
