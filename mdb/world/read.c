/* SPDX-License-Identifier: MIT */
/* Reading at a location: which world, which space, then the space reads. */
#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"
#include "mdb/world/synthetic.h"
#include "mdb/world/target.h"

#include <string.h>

/* The world whose own range holds the address, or NULL. */
static struct mdb_world *
owner_of(const struct mdb_target *target, mdb_addr_t addr)
{
	for (struct mdb_world *w = target->worlds; w; w = w->next)
		if (w->range_last && addr >= w->range_start &&
			addr <= w->range_last)
			return w;
	return NULL;
}

struct mdb_world *
mdb_world_of_addr(struct mdb_world *world, mdb_addr_t addr)
{
	struct mdb_world *owner =
		world->target ? owner_of(world->target, addr) : NULL;

	return owner ? owner : world;
}

struct mdb_loc
mdb_locate(struct mdb_ctx *cx, mdb_addr_t addr)
{
	struct mdb_world *owner = owner_of(cx->target, addr);

	return owner ? mdb_kernel_loc(owner, addr)
		     : (struct mdb_loc){ cx->world, cx->space, addr };
}

static struct mdb_space *
space_of(struct mdb_loc loc)
{
	return loc.space ? loc.space : loc.world->space;
}

static enum mdb_status
no_space(struct mdb_ctx *cx, struct mdb_loc loc)
{
	return mdb_fail(cx, MDB_E_UNMAPPED,
		"unmapped: no address space is known for world %s",
		loc.world ? loc.world->name : "(none)");
}

/* Is it made up?  Then as many bytes as there are. */
static bool
read_made_up(struct mdb_ctx *cx, struct mdb_loc loc, void *buf, size_t len,
	size_t *len_out)
{
	return loc.world->synthetics &&
	       mdb_synthetic_read(cx, loc, buf, len, len_out);
}

enum mdb_status
mdb_read(struct mdb_ctx *cx, struct mdb_loc loc, void *buf, size_t len)
{
	size_t got;

	if (!loc.world || !space_of(loc))
		return no_space(cx, loc);
	if (read_made_up(cx, loc, buf, len, &got) && got == len)
		return MDB_OK;
	return mdb_space_read(cx, space_of(loc), loc.addr, buf, len);
}

enum mdb_status
mdb_read_some(struct mdb_ctx *cx, struct mdb_loc loc, void *buf, size_t len,
	size_t *len_out)
{
	if (!loc.world || !space_of(loc))
		return no_space(cx, loc);
	if (read_made_up(cx, loc, buf, len, len_out))
		return MDB_OK;
	return mdb_space_read_some(cx, space_of(loc), loc.addr, buf, len,
		len_out);
}

enum mdb_status
mdb_read_uint(struct mdb_ctx *cx, struct mdb_loc loc, size_t size,
	uint64_t *value_out)
{
	unsigned char bytes[8];
	size_t got;

	if (!loc.world || !space_of(loc))
		return no_space(cx, loc);
	if (size <= sizeof(bytes) &&
		read_made_up(cx, loc, bytes, size, &got) && got == size) {
		*value_out = 0;
		for (size_t i = size; i-- > 0;)
			*value_out = *value_out << 8 | bytes[i];
		return MDB_OK;
	}
	return mdb_space_read_uint(cx, space_of(loc), loc.addr, size,
		value_out);
}

enum mdb_status
mdb_read_ptr(struct mdb_ctx *cx, struct mdb_loc loc, mdb_addr_t *addr_out)
{
	if (!loc.world)
		return no_space(cx, loc);
	return mdb_read_uint(cx, loc, loc.world->arch->word, addr_out);
}

enum mdb_status
mdb_read_str(struct mdb_ctx *cx, struct mdb_loc loc, char *buf, size_t len)
{
	size_t got = 0;

	if (len == 0)
		return mdb_fail(cx, MDB_E_USAGE, "no room for a string");
	if (len > 1) {
		enum mdb_status st = mdb_read_some(cx, loc, buf, len - 1, &got);

		if (st != MDB_OK)
			return st;
	}
	buf[got] = '\0';
	return MDB_OK;
}

enum mdb_status
mdb_read_machine(struct mdb_ctx *cx, mdb_paddr_t addr, void *buf, size_t len)
{
	return mdb_memory_read(cx, cx->target->memory, addr, buf, len);
}

enum mdb_status
mdb_vtop(struct mdb_ctx *cx, struct mdb_loc loc, struct mdb_vtop *vtop_out)
{
	if (!loc.world || !space_of(loc))
		return no_space(cx, loc);
	return mdb_space_vtop(cx, space_of(loc), loc.addr, vtop_out);
}
