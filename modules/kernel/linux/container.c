/* SPDX-License-Identifier: MIT */
/*
 * Lists and trees of the kernel, read from memory that may lie.
 *
 * No loop here trusts a pointer: a list remembers what it met, a tree has a
 * depth.  What cannot be read is counted and told, and the rest is had.
 */
#include "linux.h"

#include <inttypes.h>
#include <string.h>

/* ---- what was met before ------------------------------------------------- */

static size_t
slot_of(const struct linux_seen *seen, mdb_addr_t addr)
{
	uint64_t h = (addr >> 3) * 0x9e3779b97f4a7c15ull;
	size_t i = (size_t)(h >> 20) & (seen->room - 1);

	while (seen->slots[i] != 0 && seen->slots[i] != addr)
		i = (i + 1) & (seen->room - 1);
	return i;
}

static void
seen_grow(struct mdb_ctx *cx, struct linux_seen *seen)
{
	struct linux_seen old = *seen;
	size_t i;

	seen->room = old.room == 0 ? 16 : old.room * 2;
	seen->slots = mdb_tmp(cx, seen->room * sizeof(*seen->slots));
	for (i = 0; i < old.room; i++)
		if (old.slots[i] != 0)
			seen->slots[slot_of(seen, old.slots[i])] = old.slots[i];
}

bool
linux_seen_add(struct mdb_ctx *cx, struct linux_seen *seen, mdb_addr_t addr)
{
	size_t i;

	if (addr == 0)
		return false;
	if (2 * seen->count >= seen->room)
		seen_grow(cx, seen);
	i = slot_of(seen, addr);
	if (seen->slots[i] == addr)
		return false;
	seen->slots[i] = addr;
	seen->count++;
	return true;
}

/* ---- list_head ----------------------------------------------------------- */

/* The reason why a list ended, kept for the set. */
static void
damaged(struct mdb_ctx *cx, struct kern_set *set, const char *why)
{
	if (set->why == NULL)
		set->why = kern_strdup(cx, why);
	mdb_forget(cx);
}

struct list {
	struct mdb_loc head;
	uint64_t offset; /* of the node in an entry */
	struct linux_seen seen;
	struct kern_set *set;
	bool whole; /* came back to the head */
};

/* Adds a node, unless the list was there before: true then. */
static enum mdb_status
add_node(struct mdb_ctx *cx, struct list *l, mdb_addr_t node, bool *again_out)
{
	*again_out = !linux_seen_add(cx, &l->seen, node);
	if (!*again_out)
		return kern_set_add(cx, l->set, node - l->offset);
	if (l->set->why == NULL)
		damaged(cx, l->set,
			mdb_tmp_printf(cx, "it comes back to %" PRIx64, node));
	return MDB_OK;
}

/*
 * Follows the pointers that lie link bytes into each node.  A node that the
 * dump does not hold is still one of the list; one that no page table maps is
 * no node but a bad pointer.
 */
static enum mdb_status
follow(struct mdb_ctx *cx, struct list *l, uint64_t link)
{
	mdb_addr_t node = l->head.addr;
	bool again = false;
	enum mdb_status st;

	while (!again) {
		st = mdb_check_interrupt(cx);
		if (st != MDB_OK)
			return st;
		st = mdb_read_ptr(cx, mdb_at(l->head, node + link), &node);
		if (st != MDB_OK) {
			damaged(cx, l->set, mdb_trail(cx));
			if (node != l->head.addr && l->set->count != 0 &&
				(st == MDB_E_UNMAPPED || st == MDB_E_RANGE))
				l->set->count--;
			return MDB_OK;
		}
		if (node == l->head.addr) {
			l->whole = true;
			return MDB_OK;
		}
		st = add_node(cx, l, node, &again);
		if (st != MDB_OK)
			return st;
	}
	return MDB_OK;
}

enum mdb_status
linux_list_collect(struct mdb_ctx *cx, struct mdb_loc head, uint64_t offset,
	struct kern_set *set)
{
	struct list l = { .head = head, .offset = offset, .set = set };
	size_t from, i, j;
	enum mdb_status st = follow(cx, &l, 0);

	if (st != MDB_OK || l.whole)
		return st;
	from = set->count;
	st = follow(cx, &l, mdb_world_word(head.world));
	/* what was met from the far end comes in the list's own order */
	for (i = from, j = set->count; i + 1 < j; i++, j--) {
		mdb_addr_t addr = set->addrs[i];

		set->addrs[i] = set->addrs[j - 1];
		set->addrs[j - 1] = addr;
	}
	return st;
}

/* ---- red-black trees ----------------------------------------------------- */

void
linux_rb_begin(struct linux_rb *it, struct mdb_world *world, mdb_addr_t node)
{
	it->world = world;
	it->depth = 0;
	it->next = node;
	it->nr_nodes = 0;
	it->nr_lost = 0;
	it->lost = MDB_OK;
	it->lost_why = NULL;
}

static void
rb_lost(struct mdb_ctx *cx, struct linux_rb *it, enum mdb_status st)
{
	if (it->nr_lost++ == 0) {
		it->lost = st;
		it->lost_why = kern_strdup(cx, mdb_trail(cx));
	}
	mdb_forget(cx);
}

/* Pushes the leftmost path from it->next; MDB_E_CORRUPT is a cycle. */
static enum mdb_status
rb_descend(struct mdb_ctx *cx, struct linux_rb *it)
{
	size_t word = mdb_world_word(it->world);
	mdb_addr_t node = it->next, left;
	enum mdb_status st;

	while (node != 0) {
		if (it->depth == LINUX_RB_DEPTH)
			return mdb_fail(cx, MDB_E_CORRUPT,
				"the tree is deeper than %d: a cycle",
				LINUX_RB_DEPTH);
		st = mdb_read_ptr(cx,
			mdb_kernel_loc(it->world, node + 2 * word), &left);
		if (st == MDB_E_INTERRUPTED)
			return st;
		if (st != MDB_OK) {
			rb_lost(cx, it, st);
			break;
		}
		it->stack[it->depth++] = node;
		node = left;
	}
	it->next = 0;
	return MDB_OK;
}

enum mdb_status
linux_rb_next(struct mdb_ctx *cx, struct linux_rb *it, mdb_addr_t *node_out)
{
	mdb_addr_t node;
	enum mdb_status st = mdb_check_interrupt(cx);

	if (st == MDB_OK)
		st = rb_descend(cx, it);
	if (st != MDB_OK)
		return st;
	if (it->depth == 0 && it->nr_lost != 0)
		return mdb_fail(cx, it->lost,
			"%" PRIu64 " subtrees could not be read after %" PRIu64
			" nodes: %s",
			it->nr_lost, it->nr_nodes, it->lost_why);
	if (it->depth == 0)
		return MDB_DONE;
	if (++it->nr_nodes > KERN_SET_MAX)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"the tree has more than %u nodes: a cycle",
			KERN_SET_MAX);
	node = it->stack[--it->depth];
	st = mdb_read_ptr(cx,
		mdb_kernel_loc(it->world, node + mdb_world_word(it->world)),
		&it->next);
	if (st != MDB_OK) {
		it->next = 0;
		rb_lost(cx, it, st);
	}
	*node_out = node;
	return MDB_OK;
}
