/* SPDX-License-Identifier: MIT */
/*
 * XArrays (4.20 on) and radix trees (before).
 *
 * Both are trees of nodes of 64 slots, whose pointers carry their meaning in
 * the low bits.  XArray (include/linux/xarray.h): 10 is internal, which is a
 * node above 4096, else a sibling or reserved; x1 is a value.  Radix tree
 * (include/linux/radix-tree.h of 4.14): 01 is a node, or a sibling if it
 * points into the slots of its own node; 10 is an exceptional value.
 */
#include "linux.h"

#include <inttypes.h>
#include <string.h>

static enum mdb_status
layout(struct mdb_ctx *cx, struct linux_xa *it)
{
	struct mdb_world *w = it->world;
	const char *name = "struct xa_node";
	struct mdb_member slots;
	struct mdb_type type;
	enum mdb_status st = mdb_type_by_name(cx, w, name, &type);

	if (st != MDB_OK) {
		it->old = true;
		name = "struct radix_tree_node";
		st = mdb_type_by_name(cx, w, name, &type);
	}
	if (st == MDB_OK)
		st = mdb_offset_of(cx, w, name, "shift\0", &it->shift_offset);
	if (st == MDB_OK)
		st = mdb_type_member(cx, type, "slots", &slots);
	if (st != MDB_OK)
		return mdb_context(cx, st, "the nodes of an xarray");
	it->slots_offset = slots.bit_offset / 8;
	it->nr_slots = (unsigned int)mdb_type_array_count(slots.type);
	if (it->nr_slots == 0 || it->nr_slots > LINUX_XA_SLOTS)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"nodes of %u slots are not known", it->nr_slots);
	return MDB_OK;
}

static bool
is_node(const struct linux_xa *it, uint64_t entry)
{
	if (it->old)
		return (entry & 3) == 1;
	return (entry & 3) == 2 && entry > 4096;
}

/* Is this entry an item that has an address? */
static bool
is_item(const struct linux_xa *it, uint64_t entry)
{
	(void)it;
	return entry > 4096 && (entry & 3) == 0;
}

static void
lost(struct mdb_ctx *cx, struct linux_xa *it, enum mdb_status st)
{
	if (it->nr_lost++ == 0) {
		it->lost = st;
		it->lost_why = kern_strdup(cx, mdb_trail(cx));
	}
	mdb_forget(cx);
}

static enum mdb_status
read_slots(struct mdb_ctx *cx, struct linux_xa *it, struct linux_xa_level *l)
{
	struct mdb_loc loc =
		mdb_kernel_loc(it->world, l->node + it->slots_offset);
	size_t word = mdb_world_word(it->world), i;
	uint32_t narrow[LINUX_XA_SLOTS];
	enum mdb_status st;

	if (word == 8)
		return mdb_read(cx, loc, l->slots, it->nr_slots * word);
	st = mdb_read(cx, loc, narrow, it->nr_slots * word);
	for (i = 0; st == MDB_OK && i < it->nr_slots; i++)
		l->slots[i] = narrow[i];
	return st;
}

/* Enters a node whose first index is index; a loss is not a failure. */
static enum mdb_status
enter(struct mdb_ctx *cx, struct linux_xa *it, uint64_t entry, uint64_t index)
{
	struct linux_xa_level *l;
	mdb_addr_t node = entry & ~(uint64_t)3;
	uint64_t shift;
	enum mdb_status st = mdb_check_interrupt(cx);

	if (st != MDB_OK)
		return st;
	/* Nodes that share their children make few into many. */
	if (it->nr_nodes++ == LINUX_XA_NODES)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"the tree has more than %u nodes: a cycle",
			LINUX_XA_NODES);
	if (it->depth == LINUX_XA_DEPTH)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"the tree is deeper than %d: a cycle", LINUX_XA_DEPTH);
	l = &it->levels[it->depth];
	*l = (struct linux_xa_level){ .node = node, .index = index };
	st = mdb_read_uint(cx,
		mdb_kernel_loc(it->world, node + it->shift_offset), 1, &shift);
	if (st == MDB_OK)
		st = read_slots(cx, it, l);
	if (st == MDB_OK &&
		(shift > 63 || (it->depth > 0 && shift >= l[-1].shift)))
		st = mdb_fail(cx, MDB_E_CORRUPT,
			"node %" PRIx64 " is not below its parent", node);
	if (st == MDB_E_INTERRUPTED)
		return st;
	if (st != MDB_OK) {
		lost(cx, it, st);
		return MDB_OK;
	}
	l->shift = (unsigned int)shift;
	it->depth++;
	return MDB_OK;
}

enum mdb_status
linux_xa_begin(struct mdb_ctx *cx, struct linux_xa *it, struct mdb_loc root)
{
	uint64_t offset;
	enum mdb_status st;

	memset(it, 0, sizeof(*it));
	it->world = root.world;
	st = layout(cx, it);
	if (st != MDB_OK)
		return st;
	if (!linux_offset(cx, root.world, "struct xarray", "xa_head\0",
		    &offset)) {
		st = mdb_offset_of(cx, root.world, "struct radix_tree_root",
			"xa_head\0rnode\0", &offset);
		if (st != MDB_OK)
			return st;
	}
	st = mdb_read_ptr(cx, mdb_at(root, root.addr + offset), &it->root);
	if (st != MDB_OK)
		return mdb_context(cx, st, "the root of the xarray");
	if (is_node(it, it->root))
		return enter(cx, it, it->root, 0);
	it->single = is_item(it, it->root);
	return MDB_OK;
}

/* A radix tree's sibling points into the slots of its own node. */
static bool
is_sibling(const struct linux_xa *it, const struct linux_xa_level *l,
	uint64_t entry)
{
	mdb_addr_t slots = l->node + it->slots_offset;
	mdb_addr_t at = entry & ~(uint64_t)3;

	return it->old && at >= slots &&
	       at < slots + it->nr_slots * mdb_world_word(it->world);
}

enum mdb_status
linux_xa_next(struct mdb_ctx *cx, struct linux_xa *it, mdb_addr_t *entry_out,
	uint64_t *index_out)
{
	enum mdb_status st;

	if (it->single) {
		it->single = false;
		*entry_out = it->root;
		*index_out = 0;
		return MDB_OK;
	}
	while (it->depth > 0) {
		struct linux_xa_level *l = &it->levels[it->depth - 1];
		uint64_t entry, index;

		if (l->slot == it->nr_slots) {
			it->depth--;
			continue;
		}
		entry = l->slots[l->slot];
		index = l->index + ((uint64_t)l->slot << l->shift);
		l->slot++;
		if (is_node(it, entry) && l->shift != 0 &&
			!is_sibling(it, l, entry)) {
			st = enter(cx, it, entry, index);
			if (st != MDB_OK)
				return st;
		} else if (is_item(it, entry)) {
			*entry_out = entry;
			*index_out = index;
			return MDB_OK;
		}
	}
	if (it->nr_lost == 0)
		return MDB_DONE;
	return mdb_fail(cx, it->lost, "%" PRIu64 " nodes could not be read: %s",
		it->nr_lost, it->lost_why);
}
