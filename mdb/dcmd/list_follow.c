/* SPDX-License-Identifier: MIT */
/*
 * ::list: the objects of a list, by the member that links them.
 *
 * Every address is remembered, so that a list which has been damaged into a
 * loop ends at the first object that comes a second time.
 */
#include "mdb/dcmd/print.h"
#include "mdb/dcmd/typed.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SEEN (1u << 24)

/* Addresses met so far: open addressing, 0 is empty. */
struct seen {
	mdb_addr_t *slots;
	size_t size, nr;
};

static bool
insert(struct seen *s, mdb_addr_t addr)
{
	size_t i = (size_t)(addr * 0x9e3779b97f4a7c15u >> 24) & (s->size - 1);

	if (!s->slots)
		return false;
	for (; s->slots[i]; i = (i + 1) & (s->size - 1))
		if (s->slots[i] == addr)
			return false;
	s->slots[i] = addr;
	s->nr++;
	return true;
}

static enum mdb_status
grow(struct mdb_ctx *cx, struct seen *s)
{
	struct seen old = *s;

	if (2 * (s->nr + 1) <= s->size)
		return MDB_OK;
	s->size = old.size ? 2 * old.size : 256;
	s->slots =
		s->size <= MAX_SEEN ? calloc(s->size, sizeof(*s->slots)) : NULL;
	if (!s->slots) {
		*s = old;
		return mdb_fail(cx, MDB_E_CORRUPT,
			"the list has more than %zu objects", old.nr);
	}
	s->nr = 0;
	for (size_t i = 0; i < old.size; i++)
		if (old.slots[i])
			(void)insert(s, old.slots[i]);
	free(old.slots);
	return MDB_OK;
}

/* How one object leads to the next. */
struct link {
	uint64_t offset;	/* of the pointer, in the object */
	uint64_t member_offset; /* what the pointer is beyond the next object */
	size_t size;		/* of the pointer */
};

/*
 * `tasks.next` points to the next `tasks`, not to the object around it: a
 * pointer to the kind of struct that it is itself a member of.
 */
static uint64_t
embedded_at(struct mdb_ctx *cx, struct mdb_type type, const char *name,
	struct mdb_type pointer)
{
	const char *dot = strrchr(name, '.');
	struct mdb_type target = mdb_type_resolve(mdb_type_target(pointer));
	struct mdb_type around;
	struct mdb_member m;

	if (!dot)
		return 0;
	const char *outer = mdb_tmp_printf(cx, "%.*s", (int)(dot - name), name);

	if (mdb_type_member(cx, type, outer, &m) != MDB_OK) {
		mdb_forget(cx);
		return 0;
	}
	around = mdb_type_resolve(m.type);
	return around.types == target.types && around.id == target.id
		       ? m.bit_offset / 8
		       : 0;
}

static enum mdb_status
link_of(struct mdb_ctx *cx, struct mdb_type type, const char *name,
	struct link *link)
{
	struct mdb_member m, next;
	struct mdb_type resolved;
	enum mdb_status st;
	uint64_t size;

	st = mdb_type_member(cx, type, name, &m);
	if (st != MDB_OK)
		return st;
	*link = (struct link){ .offset = m.bit_offset / 8 };
	resolved = mdb_type_resolve(m.type);
	if (mdb_type_kind(resolved) == MDB_T_STRUCT) {
		st = mdb_type_member(cx, resolved, "next", &next);
		if (st != MDB_OK)
			return st;
		link->member_offset = link->offset;
		link->offset += next.bit_offset / 8;
		resolved = mdb_type_resolve(next.type);
	} else if (mdb_type_kind(resolved) == MDB_T_POINTER) {
		link->member_offset = embedded_at(cx, type, name, resolved);
	}
	if (mdb_type_kind(resolved) != MDB_T_POINTER)
		return mdb_fail(cx, MDB_E_USAGE,
			"member \"%s\" is no pointer and no list link", name);
	st = mdb_type_size(cx, resolved, &size);
	link->size = (size_t)size;
	return st;
}

static enum mdb_status
follow(struct mdb_ctx *cx, struct mdb_loc loc, const struct link *link,
	struct seen *seen)
{
	const mdb_addr_t first = loc.addr;
	enum mdb_status st;
	uint64_t next;

	for (;;) {
		st = grow(cx, seen);
		if (st != MDB_OK)
			return st;
		if (!insert(seen, loc.addr))
			return mdb_fail(cx, MDB_E_CORRUPT,
				"the list comes back to %#" PRIx64
				", which is not its first object",
				loc.addr);
		st = mdb_emit_loc(cx, loc);
		if (st != MDB_OK)
			return st;
		st = mdb_read_uint(cx, mdb_at(loc, loc.addr + link->offset),
			link->size, &next);
		if (st != MDB_OK)
			return mdb_context(cx, st, "the object after %#" PRIx64,
				loc.addr);
		if (!next || next - link->member_offset == first)
			return MDB_OK;
		loc.addr = next - link->member_offset;
	}
}

enum mdb_status
mdb_dcmd_list(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct seen seen = { 0 };
	struct mdb_type type;
	struct link link;
	enum mdb_status st;
	int used;

	st = mdb_operand_type(cx, call, 0, &type, &used);
	if (st != MDB_OK)
		return st;
	if (call->argc != used + 1)
		return mdb_fail(cx, MDB_E_USAGE, "one member is needed");
	st = link_of(cx, mdb_type_complete(type), call->argv[used], &link);
	if (st != MDB_OK || !call->loc.addr)
		return st;
	st = follow(cx, call->loc, &link, &seen);
	free(seen.slots);
	return st;
}
