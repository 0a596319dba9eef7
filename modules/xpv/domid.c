/* SPDX-License-Identifier: MIT */
/*
 * Domains by their numbers, and small things that the files of this module
 * share.
 */
#include "frame.h"

#include <inttypes.h>

enum mdb_status
xpv_domid_of(struct mdb_ctx *cx, struct mdb_loc domain, uint64_t *id_out)
{
	return xpv_member(cx, domain, "struct domain", "domain_id\0", id_out);
}

/* Those that are in no list (xen/common/domain.c: setup_system_domains). */
static enum mdb_status
system_domain(struct mdb_ctx *cx, struct mdb_world *world, uint64_t id,
	struct mdb_loc *domain_out)
{
	const char *name = id == XPV_DOMID_XEN	 ? "dom_xen"
			   : id == XPV_DOMID_IO	 ? "dom_io"
			   : id == XPV_DOMID_COW ? "dom_cow"
						 : NULL;
	uint64_t real = 0;
	mdb_addr_t addr;
	enum mdb_status st;

	if (name == NULL)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"there is no domain %" PRIu64, id);
	st = xpv_var_ptr(cx, world, name, &addr);
	if (st == MDB_OK)
		st = xpv_domid_of(cx, mdb_kernel_loc(world, addr), &real);
	if (st != MDB_OK)
		return st;
	if (real != id)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"%s at %" PRIx64 " says that it is domain %" PRIu64,
			name, addr, real);
	*domain_out = mdb_kernel_loc(world, addr);
	return MDB_OK;
}

enum mdb_status
xpv_domain_any(struct mdb_ctx *cx, struct mdb_world *world, uint64_t id,
	struct mdb_loc *domain_out)
{
	return id >= XPV_DOMID_FIRST_RESERVED
		       ? system_domain(cx, world, id, domain_out)
		       : xpv_domain_by_id(cx, world, id, domain_out);
}

static const struct {
	uint64_t id;
	const char *name;
} reserved[] = {
	{ XPV_DOMID_SELF, "self" },
	{ XPV_DOMID_IO, "io" },
	{ XPV_DOMID_XEN, "xen" },
	{ XPV_DOMID_COW, "cow" },
	{ XPV_DOMID_INVALID, "invalid" },
	{ XPV_DOMID_IDLE, "idle" },
};

const char *
xpv_domid_name(struct mdb_ctx *cx, uint64_t id)
{
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (reserved[i].id == id)
			return reserved[i].name;
	return mdb_tmp_printf(cx, "d%" PRIu64, id);
}

const char *
xpv_owner_name(struct mdb_ctx *cx, struct mdb_world *world, mdb_addr_t domain)
{
	struct mdb_loc found;
	uint64_t id = 0;

	if (xpv_domid_of(cx, mdb_kernel_loc(world, domain), &id) != MDB_OK) {
		mdb_forget(cx);
		return mdb_tmp_printf(cx, "?%" PRIx64, domain);
	}
	if (xpv_domain_any(cx, world, id, &found) == MDB_OK &&
		found.addr == domain)
		return xpv_domid_name(cx, id);
	mdb_forget(cx);
	/* Dying, out of the list already; or no domain at all. */
	return mdb_tmp_printf(cx, "?d%" PRIu64, id);
}

/* ---- small things --------------------------------------------------------
 */

/* A symbol that knows its size knows better. */
enum mdb_status
xpv_var_uint(struct mdb_ctx *cx, struct mdb_world *world, const char *name,
	size_t len, uint64_t *value_out)
{
	struct mdb_object_info info = { 0 };
	struct mdb_sym sym;
	enum mdb_status st = mdb_sym_by_name(cx, world, name, &sym);

	if (st == MDB_OK)
		mdb_object_info(sym.object, &info);
	if (st == MDB_OK && info.world != world)
		st = mdb_fail(cx, MDB_E_NOTFOUND, "the hypervisor has no %s",
			name);
	if (st == MDB_OK && sym.size_exact &&
		(sym.size == 1 || sym.size == 2 || sym.size == 4 ||
			sym.size == 8))
		len = sym.size;
	if (st == MDB_OK)
		st = mdb_read_uint(cx, mdb_kernel_loc(world, sym.value), len,
			value_out);
	return st == MDB_OK ? st : mdb_context(cx, st, "variable %s", name);
}

enum mdb_status
xpv_type_len(struct mdb_ctx *cx, struct mdb_world *world, const char *type_name,
	uint64_t *len_out)
{
	struct mdb_type type;
	enum mdb_status st = mdb_type_by_name(cx, world, type_name, &type);

	return st == MDB_OK ? mdb_type_size(cx, type, len_out) : st;
}

const char *
xpv_words(struct mdb_ctx *cx, const struct xpv_bit *bits, uint64_t value)
{
	const char *text = "";

	for (; bits->word != NULL; bits++)
		if (bits->mask != 0 && (value & bits->mask) == bits->mask)
			text = *text == '\0' ? bits->word
					     : mdb_tmp_printf(cx, "%s %s", text,
						       bits->word);
	return text;
}

#define RADIX_SHIFT 6u
#define RADIX_MAX_HEIGHT 11u

enum mdb_status
xpv_radix_lookup(struct mdb_ctx *cx, struct mdb_loc root, uint64_t index,
	uint64_t *item_out)
{
	uint64_t height = 0, node = 0, slots = 0;
	enum mdb_status st = xpv_member(cx, root, "struct radix_tree_root",
		"rnode\0", &node);

	if (st == MDB_OK)
		st = mdb_offset_of(cx, root.world, "struct radix_tree_node",
			"slots\0", &slots);
	if (st != MDB_OK)
		return st;
	if ((node & 1) == 0) { /* the only item, of index 0 */
		*item_out = index == 0 ? node : 0;
		return MDB_OK;
	}
	node &= ~1ull;
	st = xpv_member(cx, mdb_at(root, node), "struct radix_tree_node",
		"height\0", &height);
	if (st != MDB_OK)
		return mdb_context(cx, st, "a radix tree's node");
	if (height == 0 || height > RADIX_MAX_HEIGHT)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"the radix tree at %" PRIx64 " is %" PRIu64 " high",
			root.addr, height);
	if (height < RADIX_MAX_HEIGHT && index >> height * RADIX_SHIFT != 0) {
		*item_out = 0;
		return MDB_OK;
	}
	while (st == MDB_OK && height-- > 0 && node != 0) {
		uint64_t slot = index >> height * RADIX_SHIFT & 63;

		st = mdb_read_ptr(cx, mdb_at(root, node + slots + 8 * slot),
			&node);
	}
	if (st == MDB_OK)
		*item_out = node & ~1ull;
	return st;
}
