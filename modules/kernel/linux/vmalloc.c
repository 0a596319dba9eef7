/* SPDX-License-Identifier: MIT */
/*
 * Vmalloc areas: struct vmap_area in a tree by address, one tree
 * (vmap_area_root) before 6.9, one for each of vmap_nodes[] since.
 */
#include "linux.h"

#include <inttypes.h>
#include <string.h>

struct area {
	mdb_addr_t start, end, vm;
};

static const struct mdb_field area_fields[] = {
	MDB_FIELD(struct area, start, "va_start"),
	MDB_FIELD(struct area, end, "va_end"),
	MDB_FIELD_OPT(struct area, vm, "vm"),
	MDB_FIELD_END,
};

static const struct mdb_shape area_shape = { "struct vmap_area", area_fields };

struct vm {
	uint64_t flags;
	mdb_addr_t phys_addr, caller;
};

static const struct mdb_field vm_fields[] = {
	MDB_FIELD(struct vm, flags, "flags"),
	MDB_FIELD_OPT(struct vm, phys_addr, "phys_addr"),
	MDB_FIELD_OPT(struct vm, caller, "caller"),
	MDB_FIELD_END,
};

static const struct mdb_shape vm_shape = { "struct vm_struct", vm_fields };

/* include/linux/vmalloc.h */
#define VM_IOREMAP 0x1u

/* Descends from a root's node; MDB_DONE: not in this tree. */
static enum mdb_status
find(struct mdb_ctx *cx, struct mdb_loc root, mdb_addr_t addr,
	uint64_t rb_offset, struct area *out)
{
	size_t word = mdb_world_word(root.world);
	mdb_addr_t node;
	int depth;
	enum mdb_status st = mdb_read_ptr(cx, root, &node);

	for (depth = 0; st == MDB_OK && node != 0; depth++) {
		if (depth == LINUX_RB_DEPTH)
			return mdb_fail(cx, MDB_E_CORRUPT,
				"the tree of vmalloc areas has a cycle");
		st = mdb_read_shape(cx, &area_shape,
			mdb_at(root, node - rb_offset), out);
		if (st != MDB_OK)
			return st;
		if (addr >= out->start && addr < out->end)
			return MDB_OK;
		st = mdb_read_ptr(cx,
			mdb_at(root,
				node + (addr < out->start ? 2 * word : word)),
			&node);
	}
	return st == MDB_OK ? MDB_DONE : st;
}

/* All the trees of 6.9 on. */
static enum mdb_status
find_in_nodes(struct mdb_ctx *cx, struct mdb_loc loc, uint64_t rb_offset,
	struct area *out)
{
	uint64_t count, len, busy, i;
	mdb_addr_t nodes;
	enum mdb_status st;

	st = linux_sym_ptr(cx, loc.world, "vmap_nodes", &nodes);
	if (st == MDB_OK)
		st = linux_sym_uint(cx, loc.world, "nr_vmap_nodes", 4, &count);
	if (st == MDB_OK)
		st = mdb_offset_of(cx, loc.world, "struct vmap_node",
			"busy.root\0", &busy);
	if (st != MDB_OK)
		return st;
	if (!linux_type_size(cx, loc.world, "struct vmap_node", &len) ||
		count > 1024)
		return mdb_fail(cx, MDB_E_CORRUPT, "vmap_nodes");
	for (i = 0; i < count; i++) {
		st = find(cx, mdb_at(loc, nodes + i * len + busy), loc.addr,
			rb_offset, out);
		if (st == MDB_OK || st == MDB_E_INTERRUPTED)
			return st;
	}
	return MDB_DONE;
}

static const char *
origin(struct mdb_ctx *cx, struct mdb_loc loc, mdb_addr_t addr)
{
	struct vm vm;

	if (addr == 0)
		return "";
	if (mdb_read_shape(cx, &vm_shape, mdb_at(loc, addr), &vm) != MDB_OK) {
		mdb_forget(cx);
		return "";
	}
	if ((vm.flags & VM_IOREMAP) != 0)
		return mdb_tmp_printf(cx, ", maps %" PRIx64 " for %s",
			vm.phys_addr,
			mdb_sym_format(cx, mdb_at(loc, vm.caller)));
	if (vm.caller == 0)
		return "";
	return mdb_tmp_printf(cx, ", allocated by %s",
		mdb_sym_format(cx, mdb_at(loc, vm.caller)));
}

enum mdb_status
linux_whatis_vmalloc(struct mdb_ctx *cx, struct mdb_loc loc, bool *found_out)
{
	uint64_t rb_offset;
	struct area a = { 0, 0, 0 };
	struct mdb_loc root;
	enum mdb_status st;

	if (!linux_offset(cx, loc.world, "struct vmap_area", "rb_node\0",
		    &rb_offset))
		return MDB_OK;
	if (mdb_sym_loc(cx, loc.world, "vmap_area_root", &root) == MDB_OK)
		st = find(cx, root, loc.addr, rb_offset, &a);
	else
		st = find_in_nodes(cx, loc, rb_offset, &a);
	if (st == MDB_E_INTERRUPTED)
		return st;
	mdb_forget(cx);
	if (st != MDB_OK)
		return MDB_OK;
	*found_out = true;
	return mdb_line(cx,
		"%" PRIx64 " is %" PRIx64 "+%" PRIx64
		", in a vmalloc area of %" PRIx64 " bytes%s",
		loc.addr, a.start, loc.addr - a.start, a.end - a.start,
		origin(cx, loc, a.vm));
}
