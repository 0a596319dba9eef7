/* SPDX-License-Identifier: MIT */
/*
 * Domains by their numbers, and small things that the files of this module
 * share.
 */
#include "frame.h"

#include <inttypes.h>
#include <string.h>

enum mdb_status
xpv_domid_of(struct mdb_ctx *cx, struct mdb_loc domain, uint64_t *id_out)
{
	return xpv_member_uint(cx, domain, "struct domain", "domain_id\0",
		id_out);
}

struct sought {
	uint64_t id;
	struct mdb_loc loc;
	bool found;
};

static enum mdb_status
is_sought(struct mdb_ctx *cx, struct mdb_loc domain, void *arg)
{
	struct sought *s = arg;
	uint64_t id = 0;
	enum mdb_status st = xpv_domid_of(cx, domain, &id);

	if (st != MDB_OK || id != s->id)
		return st;
	s->loc = domain;
	s->found = true;
	return MDB_DONE;
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
xpv_domain_by_id(struct mdb_ctx *cx, struct mdb_world *world, uint64_t id,
	struct mdb_loc *domain_out)
{
	struct sought s = { .id = id };
	enum mdb_status st;

	if (id >= XPV_DOMID_FIRST_RESERVED)
		return system_domain(cx, world, id, domain_out);
	st = xpv_each_domain(cx, world, is_sought, &s);
	if (s.found) {
		*domain_out = s.loc;
		return MDB_OK;
	}
	if (st != MDB_OK)
		return mdb_context(cx, st, "looking for domain %" PRIu64, id);
	return mdb_fail(cx, MDB_E_NOTFOUND, "there is no domain %" PRIu64, id);
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
	if (xpv_domain_by_id(cx, world, id, &found) == MDB_OK &&
		found.addr == domain)
		return xpv_domid_name(cx, id);
	mdb_forget(cx);
	/* Dying, out of the list already; or no domain at all. */
	return mdb_tmp_printf(cx, "?d%" PRIu64, id);
}

enum mdb_status
xpv_decimal_parse(struct mdb_ctx *cx, const char *text, uint64_t *value_out)
{
	uint64_t v = 0;
	const char *p = text;

	if (strncmp(p, "0x", 2) == 0 || strncmp(p, "0X", 2) == 0)
		return mdb_eval_expr(cx, text, value_out);
	for (; *p >= '0' && *p <= '9' && v < 1ull << 48; p++)
		v = 10 * v + (uint64_t)(*p - '0');
	if (*p != '\0' || p == text)
		return mdb_fail(cx, MDB_E_USAGE,
			"%s is no decimal number (nor one with 0x)", text);
	*value_out = v;
	return MDB_OK;
}

enum mdb_status
xpv_domid_parse(struct mdb_ctx *cx, const char *text, uint64_t *id_out)
{
	const char *p = text;
	uint64_t id = 0;
	enum mdb_status st;

	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (strcmp(reserved[i].name, text) == 0) {
			*id_out = reserved[i].id;
			return MDB_OK;
		}
	st = xpv_decimal_parse(cx, p + (*p == 'd' ? 1 : 0), &id);
	if (st != MDB_OK)
		return mdb_context(cx, st, "-d %s", text);
	if (id > 0x7fff)
		return mdb_fail(cx, MDB_E_USAGE,
			"-d wants a domain's number, 0 to 32767: not %s", text);
	*id_out = id;
	return MDB_OK;
}

/* xen/include/public/domctl.h: XEN_DOMCTL_CDF_hvm of domain.options (4.13 on)
 */
enum mdb_status
xpv_domain_is_hvm(struct mdb_ctx *cx, struct mdb_loc domain, bool *hvm_out)
{
	uint64_t v = 0;
	enum mdb_status st =
		xpv_member_uint(cx, domain, "struct domain", "options\0", &v);

	if (st == MDB_OK) {
		*hvm_out = (v & 1) != 0;
		return MDB_OK;
	}
	st = xpv_member_uint(cx, domain, "struct domain",
		"guest_type\0is_hvm\0", &v);
	if (st == MDB_OK)
		*hvm_out = v == 1;
	return st;
}

enum mdb_status
xpv_each_selected(struct mdb_ctx *cx, const struct mdb_call *call,
	struct mdb_world *world, mdb_walk_fn *fn, void *arg)
{
	const char *text = mdb_opt_str(call, 'd');
	struct mdb_loc domain;
	uint64_t id;
	enum mdb_status st;

	if (text == NULL)
		return xpv_each_domain(cx, world, fn, arg);
	st = xpv_domid_parse(cx, text, &id);
	if (st == MDB_OK)
		st = xpv_domain_by_id(cx, world, id, &domain);
	if (st == MDB_OK)
		st = fn(cx, domain, arg);
	return st == MDB_DONE ? MDB_OK : st;
}

/* ---- small things --------------------------------------------------------
 */

static enum mdb_status
read_bits(struct mdb_ctx *cx, struct mdb_loc loc, const struct mdb_member *m,
	uint64_t *value_out)
{
	uint64_t shift = m->bit_offset % 8, v = 0;
	size_t len = (shift + m->nr_bits + 7) / 8;
	enum mdb_status st;

	if (len > sizeof(v))
		return mdb_fail(cx, MDB_E_UNSUPPORTED, "a wide bit field");
	st = mdb_read(cx, mdb_at(loc, loc.addr + m->bit_offset / 8), &v, len);
	if (st == MDB_OK)
		*value_out = m->nr_bits >= 64
				     ? v >> shift
				     : v >> shift & ((1ull << m->nr_bits) - 1);
	return st;
}

enum mdb_status
xpv_member_uint(struct mdb_ctx *cx, struct mdb_loc loc, const char *type_name,
	const char *names, uint64_t *value_out)
{
	struct mdb_type type;
	struct mdb_member m;
	uint64_t len = 0;
	enum mdb_status st = mdb_type_by_name(cx, loc.world, type_name, &type);

	if (st != MDB_OK)
		return st;
	st = MDB_E_NOTFOUND;
	for (const char *n = names; *n != '\0' && st != MDB_OK;
		n += strlen(n) + 1)
		st = mdb_type_member(cx, type, n, &m);
	if (st == MDB_OK)
		st = mdb_type_size(cx, m.type, &len);
	if (st != MDB_OK)
		return mdb_context(cx, st, "%s", type_name);
	if (m.nr_bits != 0)
		return read_bits(cx, loc, &m, value_out);
	if (len != 1 && len != 2 && len != 4 && len != 8)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"%s.%s is no plain number", type_name, names);
	return mdb_read_uint(cx, mdb_at(loc, loc.addr + m.bit_offset / 8), len,
		value_out);
}

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
xpv_bits(struct mdb_ctx *cx, const struct xpv_bit *bits, uint64_t value)
{
	const char *text = "";

	for (; bits->name != NULL; bits++)
		if (bits->mask != 0 && (value & bits->mask) == bits->mask)
			text = *text == '\0' ? bits->name
					     : mdb_tmp_printf(cx, "%s %s", text,
						       bits->name);
	return text;
}

#define RADIX_SHIFT 6u
#define RADIX_MAX_HEIGHT 11u

enum mdb_status
xpv_radix_lookup(struct mdb_ctx *cx, struct mdb_loc root, uint64_t index,
	uint64_t *item_out)
{
	uint64_t height = 0, node = 0, slots = 0;
	enum mdb_status st = xpv_member_uint(cx, root, "struct radix_tree_root",
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
	st = xpv_member_uint(cx, mdb_at(root, node), "struct radix_tree_node",
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
