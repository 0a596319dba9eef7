/* SPDX-License-Identifier: MIT */
/*
 * The walkers over Linux's containers.
 *
 * list_head, hlist and rbtree take two operands, a type and a member, and
 * then hand out what holds each node.
 */
#include "linux.h"

#include <string.h>

/* The member's offset of the operands; 0 without. */
static enum mdb_status
holder_offset(struct mdb_ctx *cx, const struct mdb_walk *w,
	uint64_t *offset_out)
{
	struct mdb_type type;
	struct mdb_member member = { 0 };
	enum mdb_status st;

	if (w->argc == 0) {
		*offset_out = 0;
		return MDB_OK;
	}
	if (w->argc != 2)
		return mdb_fail(cx, MDB_E_USAGE,
			"a type and a member are needed, or neither");
	st = mdb_type_by_name(cx, w->start.world, w->argv[0], &type);
	if (st == MDB_OK)
		st = mdb_type_member(cx, type, w->argv[1], &member);
	if (st == MDB_OK)
		*offset_out = member.bit_offset / 8;
	return st;
}

/* ---- list_head, hlist ---------------------------------------------------- */

struct list_walk {
	struct kern_set set;
	size_t next;
};

enum mdb_status
linux_walk_list_init(struct mdb_ctx *cx, struct mdb_walk *w)
{
	struct list_walk *l = mdb_tmp(cx, sizeof(*l));
	uint64_t offset = 0;
	enum mdb_status st = holder_offset(cx, w, &offset);

	if (st != MDB_OK)
		return st;
	l->set.world = w->start.world;
	w->state = l;
	return linux_list_collect(cx, w->start, offset, &l->set);
}

enum mdb_status
linux_walk_list_step(struct mdb_ctx *cx, struct mdb_walk *w,
	struct mdb_loc *loc_out)
{
	struct list_walk *l = w->state;

	if (l->next < l->set.count) {
		*loc_out = mdb_at(w->start, l->set.addrs[l->next++]);
		return MDB_OK;
	}
	if (l->set.why == NULL)
		return MDB_DONE;
	return mdb_fail(cx, MDB_E_CORRUPT,
		"the list is damaged, entries may be missing: %s", l->set.why);
}

struct hlist_walk {
	uint64_t offset;
	mdb_addr_t at; /* whose first word is the next pointer */
};

enum mdb_status
linux_walk_hlist_init(struct mdb_ctx *cx, struct mdb_walk *w)
{
	struct hlist_walk *h = mdb_tmp(cx, sizeof(*h));

	h->at = w->start.addr;
	w->state = h;
	return holder_offset(cx, w, &h->offset);
}

/* An hlist_nulls ends with an odd number. */
enum mdb_status
linux_walk_hlist_step(struct mdb_ctx *cx, struct mdb_walk *w,
	struct mdb_loc *loc_out)
{
	struct hlist_walk *h = w->state;
	mdb_addr_t node;
	enum mdb_status st = mdb_read_ptr(cx, mdb_at(w->start, h->at), &node);

	if (st != MDB_OK)
		return mdb_context(cx, st, "following the list");
	if (node == 0 || (node & 1) != 0)
		return MDB_DONE;
	h->at = node;
	*loc_out = mdb_at(w->start, node - h->offset);
	return MDB_OK;
}

/* ---- rbtree -------------------------------------------------------------- */

struct rb_walk {
	struct linux_rb it;
	uint64_t offset;
};

enum mdb_status
linux_walk_rbtree_init(struct mdb_ctx *cx, struct mdb_walk *w)
{
	struct rb_walk *r = mdb_tmp(cx, sizeof(*r));
	mdb_addr_t root = 0;
	enum mdb_status st = holder_offset(cx, w, &r->offset);

	if (st == MDB_OK)
		st = mdb_read_ptr(cx, w->start, &root);
	if (st != MDB_OK)
		return st;
	linux_rb_begin(&r->it, w->start.world, root);
	w->state = r;
	return MDB_OK;
}

enum mdb_status
linux_walk_rbtree_step(struct mdb_ctx *cx, struct mdb_walk *w,
	struct mdb_loc *loc_out)
{
	struct rb_walk *r = w->state;
	mdb_addr_t node;
	enum mdb_status st = linux_rb_next(cx, &r->it, &node);

	if (st == MDB_OK)
		*loc_out = mdb_at(w->start, node - r->offset);
	return st;
}

/* ---- xarray, radix_tree -------------------------------------------------- */

enum mdb_status
linux_walk_xarray_init(struct mdb_ctx *cx, struct mdb_walk *w)
{
	struct linux_xa *it = mdb_tmp(cx, sizeof(*it));

	w->state = it;
	return linux_xa_begin(cx, it, w->start);
}

enum mdb_status
linux_walk_xarray_step(struct mdb_ctx *cx, struct mdb_walk *w,
	struct mdb_loc *loc_out)
{
	mdb_addr_t entry;
	uint64_t index;
	enum mdb_status st = linux_xa_next(cx, w->state, &entry, &index);

	if (st == MDB_OK)
		*loc_out = mdb_at(w->start, entry);
	return st;
}

/* ---- percpu -------------------------------------------------------------- */

enum mdb_status
linux_walk_percpu_step(struct mdb_ctx *cx, struct mdb_walk *w,
	struct mdb_loc *loc_out)
{
	int *cpu = w->state;
	mdb_addr_t addr;
	enum mdb_status st;

	if (cpu == NULL) {
		cpu = mdb_tmp(cx, sizeof(*cpu));
		*cpu = -1;
		w->state = cpu;
	}
	st = kern_cpu_next(cx, w->start.world, cpu);
	if (st == MDB_OK)
		st = mdb_percpu_addr(cx, w->start.world, w->start.addr, *cpu,
			&addr);
	if (st == MDB_OK)
		*loc_out = mdb_at(w->start, addr);
	return st;
}
