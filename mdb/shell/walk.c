/* SPDX-License-Identifier: MIT */
/*
 * The walk driver.  A walker is a state machine over hostile memory: the
 * driver, not each walker, remembers what came, ends a walk that comes back
 * to an address, and looks for ^C between steps.
 *
 * What came is a hash set of (space, address), open addressing, at most two
 * thirds full; it grows with the walk and nothing else.
 */
#include "mdb/shell/walk.h"

#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"
#include "mdb/shell/session.h"

#include <inttypes.h>
#include <stdlib.h>

#ifdef MDB_TINY
#define FIRST_SLOTS 4
#else
#define FIRST_SLOTS 64
#endif

struct slot {
	mdb_addr_t addr;
	const void *space; /* or the world; NULL: the slot is free */
};

struct seen {
	struct slot *slots;
	size_t nr_slots; /* a power of two */
	size_t nr_used;
};

static struct slot *
find_slot(const struct seen *seen, mdb_addr_t addr, const void *space)
{
	uint64_t h = (addr ^ (uint64_t)(uintptr_t)space) * 0x9e3779b97f4a7c15u;
	size_t i = (size_t)(h >> 20) & (seen->nr_slots - 1);

	while (seen->slots[i].space != NULL &&
		(seen->slots[i].addr != addr || seen->slots[i].space != space))
		i = (i + 1) & (seen->nr_slots - 1);
	return &seen->slots[i];
}

static void
grow(struct seen *seen)
{
	struct seen old = *seen;

	seen->nr_slots = old.nr_slots == 0 ? FIRST_SLOTS : 2 * old.nr_slots;
	seen->slots = mdb_xarray(seen->nr_slots, sizeof(*seen->slots));
	for (size_t i = 0; i < old.nr_slots; i++) {
		struct slot *s = &old.slots[i];

		if (s->space != NULL)
			*find_slot(seen, s->addr, s->space) = *s;
	}
	free(old.slots);
}

/* True when loc was there before. */
static bool
note(struct seen *seen, struct mdb_loc loc)
{
	static const char nowhere;
	const void *space = loc.space;
	struct slot *slot;

	if (space == NULL)
		space = loc.world;
	if (space == NULL)
		space = &nowhere;
	if (3 * (seen->nr_used + 1) > 2 * seen->nr_slots)
		grow(seen);
	slot = find_slot(seen, loc.addr, space);
	if (slot->space != NULL)
		return true;
	*slot = (struct slot){ loc.addr, space };
	seen->nr_used++;
	return false;
}

static enum mdb_status
run_steps(struct mdb_ctx *cx, const struct mdb_walker *walker,
	struct mdb_walk *w, struct seen *seen, mdb_walk_fn *fn, void *arg)
{
	enum mdb_status st;

	do {
		struct mdb_loc loc = { .world = cx->world };

		st = mdb_check_interrupt(cx);
		if (st == MDB_OK)
			st = walker->step(cx, w, &loc);
		if (st == MDB_OK && note(seen, loc))
			return mdb_fail(cx, MDB_E_CORRUPT,
				"walking %s: 0x%" PRIx64
				" comes a second time after %zu steps: "
				"the walk ends here",
				walker->name, loc.addr, seen->nr_used);
		if (st == MDB_OK)
			st = fn(cx, loc, arg);
	} while (st == MDB_OK);
	return st == MDB_DONE ? MDB_OK : st;
}

enum mdb_status
mdb_walk_run(struct mdb_ctx *cx, const struct mdb_walker *walker,
	const struct mdb_walk *start, mdb_walk_fn *fn, void *arg)
{
	struct mdb_walk w = *start;
	struct seen seen = { 0 };
	enum mdb_status st = MDB_OK;

	if (w.has_start && walker->addr == MDB_ADDR_NONE)
		return mdb_fail(cx, MDB_E_USAGE,
			"the walker %s takes no address", walker->name);
	if (!w.has_start && walker->addr == MDB_ADDR_REQUIRED)
		return mdb_fail(cx, MDB_E_USAGE,
			"the walker %s needs an address to start at",
			walker->name);
	if (walker->init != NULL)
		st = walker->init(cx, &w);
	if (st != MDB_OK)
		return st == MDB_DONE ? MDB_OK : st;
	st = run_steps(cx, walker, &w, &seen, fn, arg);
	if (walker->fini != NULL)
		walker->fini(cx, &w);
	free(seen.slots);
	return st;
}

enum mdb_status
mdb_walk(struct mdb_ctx *cx, const char *name, const struct mdb_loc *start,
	mdb_walk_fn *fn, void *arg)
{
	const struct mdb_walker *walker;
	struct mdb_walk w = { 0 };

	walker = mdb_registry_walker(&cx->session->registry, name);
	if (walker == NULL)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"no walker '%s' for this dump", name);
	if (start != NULL) {
		w.start = *start;
		w.has_start = true;
	}
	return mdb_walk_run(cx, walker, &w, fn, arg);
}
