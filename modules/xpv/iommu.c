/* SPDX-License-Identifier: MIT */
/*
 * ::iommu: is it on, whose is it, which units, what each domain has.
 */
#include "iommu.h"

#include "frame.h"

#include <inttypes.h>
#include <string.h>

#define MAX_UNITS 256u

const struct mdb_example xpv_iommu_examples[] = {
	{ "::iommu", "the units, and the state of each domain" },
	{ "::iommu -v -d 0", "domain 0 with its devices" },
	{ NULL },
};

static enum mdb_status
leaf(struct mdb_ctx *cx, const char *name, struct mdb_value v, const char *text)
{
	return xpv_leaf(cx, name, text, v);
}

static enum mdb_status
leaf_status(struct mdb_ctx *cx, const char *name, enum mdb_status st)
{
	mdb_forget(cx);
	if (st == MDB_E_NOTFOUND || st == MDB_E_UNSUPPORTED)
		return leaf(cx, name, mdb_v_none(), "not known");
	return leaf(cx, name, mdb_v_error(st),
		mdb_tmp_printf(cx, "<%s>", mdb_status_name(st)));
}

/* ---- switches ------------------------------------------------------------
 */

/* xen/drivers/passthrough/iommu.c; a build may have some as constants. */
static enum mdb_status
switches(struct mdb_ctx *cx, struct mdb_world *w)
{
	static const struct {
		const char *symbol, *name;
		size_t len;
	} vars[] = {
		{ "iommu_enabled", "enabled", 1 },
		{ "force_iommu", "required", 1 },
		/* off, restricted, full */
		{ "iommu_intremap", "interrupt_remapping", 1 },
		{ "iommu_intpost", "interrupt_posting", 1 },
		{ "iommu_quarantine", "quarantine", 1 },
		{ "iommu_hap_pt_share", "shares_p2m", 1 },
		{ "iommu_hwdom_passthrough", "dom0_passthrough", 1 },
	};
	enum mdb_status st = MDB_OK;

	for (size_t i = 0; i < sizeof(vars) / sizeof(vars[0]) && st == MDB_OK;
		i++) {
		uint64_t v = 0;
		enum mdb_status known =
			xpv_var_uint(cx, w, vars[i].symbol, vars[i].len, &v);

		if (known != MDB_OK) {
			st = leaf_status(cx, vars[i].name, known);
			continue;
		}
		st = leaf(cx, vars[i].name, mdb_v_uint(v),
			v == 0	 ? "off"
			: v == 1 ? "on"
				 : mdb_tmp_printf(cx, "%" PRIu64, v));
	}
	return st;
}

static enum mdb_status
vendor(struct mdb_ctx *cx, struct mdb_world *w)
{
	const char *name = xpv_iommu_maker(cx, w);

	if (name == NULL)
		return leaf(cx, "vendor", mdb_v_none(), "none");
	name = strstr(name, "amd") != NULL     ? "AMD"
	       : strstr(name, "intel") != NULL ? "Intel VT-d"
					       : name;
	return leaf(cx, "vendor", mdb_v_text(name), name);
}

/* ---- units ---------------------------------------------------------------
 */

struct unit_kind {
	const char *head, *type, *link;
	const char *at, *segment, *vendor;
};

/* drivers/passthrough/vtd/dmar.h, amd/iommu.h */
static const struct unit_kind kinds[] = {
	{ "acpi_drhd_units", "struct acpi_drhd_unit", "list\0", "address\0",
		"segment\0", "VT-d" },
	{ "amd_iommu_head", "struct amd_iommu", "list\0", "mmio_base_phys\0",
		"seg\0", "AMD" },
};

static enum mdb_status
unit(struct mdb_ctx *cx, const struct unit_kind *k, struct mdb_loc loc)
{
	uint64_t at = 0, segment = 0;
	enum mdb_status st = xpv_member(cx, loc, k->type, k->at, &at);
	const char *text;

	if (st == MDB_OK)
		st = xpv_member(cx, loc, k->type, k->segment, &segment);
	if (st != MDB_OK)
		return leaf_status(cx, NULL, st);
	text = mdb_tmp_printf(cx,
		"%s at machine address %" PRIx64 ", segment %" PRIu64
		" (%s %" PRIx64 ")",
		k->vendor, at, segment, k->type, loc.addr);
	return leaf(cx, NULL, mdb_v_text(text), text);
}

static enum mdb_status
units_of(struct mdb_ctx *cx, struct mdb_world *w, const struct unit_kind *k)
{
	struct mdb_loc head;
	mdb_addr_t next = 0;
	uint64_t link = 0;
	unsigned int met = 0;
	enum mdb_status st = mdb_sym_loc(cx, w, k->head, &head);

	if (st == MDB_OK && head.world == w)
		st = mdb_offset_of(cx, w, k->type, k->link, &link);
	if (st == MDB_OK)
		st = mdb_read_ptr(cx, head, &next);
	if (st != MDB_OK || head.world != w) {
		mdb_forget(cx);
		return MDB_OK;
	}
	/* never made: all zero */
	while (st == MDB_OK && next != head.addr && next != 0) {
		if (met++ == MAX_UNITS)
			return leaf(cx, NULL, mdb_v_none(),
				"(the list does not end)");
		st = unit(cx, k, mdb_at(head, next - link));
		if (st == MDB_OK &&
			mdb_read_ptr(cx, mdb_at(head, next), &next) != MDB_OK) {
			mdb_forget(cx);
			return leaf(cx, NULL, mdb_v_none(),
				"(the list breaks off)");
		}
	}
	return st;
}

/* ---- domains -------------------------------------------------------------
 */

static enum mdb_status
tables(struct mdb_ctx *cx, struct mdb_loc domain)
{
	uint64_t root = 0;
	enum mdb_status st = xpv_iommu_root(cx, domain, &root);

	if (st != MDB_OK)
		return leaf_status(cx, "tables", st);
	if (root == 0)
		return leaf(cx, "tables", mdb_v_none(), "none");
	return leaf(cx, "tables", mdb_v_hex(root),
		mdb_tmp_printf(cx, "machine address %" PRIx64, root));
}

static const struct xpv_leaf domain_flags[] = {
	XPV_LEAF_NAMED(BOOL, "shares_p2m", "iommu.hap_pt_share"),
	XPV_LEAF_NAMED(BOOL, "needs_sync", "iommu.need_sync"),
	XPV_LEAVES_END,
};

/* A domain that has an IOMMU has its operations (iommu_domain_init). */
static enum mdb_status
state_leaf(struct mdb_ctx *cx, struct mdb_loc domain, bool *on_out)
{
	static const char names[] = "iommu.platform_ops\0";
	uint64_t ops = 0;
	enum mdb_status st =
		xpv_member(cx, domain, "struct domain", names, &ops);

	if (st != MDB_OK)
		return leaf_status(cx, "state", st);
	*on_out = ops != 0;
	return xpv_leaf_trusted(cx, "state", ops != 0 ? "on" : "off",
		mdb_v_bool(ops != 0),
		xpv_member_trust(cx, domain.world, "struct domain", names));
}

static enum mdb_status
domain_leaves(struct mdb_ctx *cx, struct mdb_loc domain, void *arg)
{
	const struct mdb_call *call = arg;
	uint64_t id = 0;
	bool on = false;
	enum mdb_status st = xpv_domid_of(cx, domain, &id);

	if (st == MDB_OK)
		st = mdb_tree_open(cx, NULL, xpv_domid_name(cx, id),
			MDB_BRANCH_STRUCT);
	if (st == MDB_OK)
		st = state_leaf(cx, domain, &on);
	if (st == MDB_OK && on)
		st = xpv_leaves(cx, domain, "struct domain", domain_flags);
	if (st == MDB_OK && on)
		st = tables(cx, domain);
	if (st == MDB_OK && mdb_opt(call, 'v'))
		st = xpv_iommu_devices(cx, domain);
	return st == MDB_OK ? mdb_tree_close(cx) : st;
}

/* Whose devices no guest has: those that the hypervisor hides, and those in
 * quarantine.  A Xen whose variables are not known has none here. */
static enum mdb_status
system_domains(struct mdb_ctx *cx, struct mdb_world *w,
	const struct mdb_call *call)
{
	static const uint64_t ids[] = { XPV_DOMID_XEN, XPV_DOMID_IO };
	struct mdb_call copy = *call;
	struct mdb_loc domain;
	enum mdb_status st = MDB_OK;

	for (size_t i = 0; i < 2 && st == MDB_OK; i++) {
		if (xpv_domain_any(cx, w, ids[i], &domain) == MDB_OK)
			st = domain_leaves(cx, domain, &copy);
		else
			mdb_forget(cx);
	}
	return st;
}

enum mdb_status
xpv_iommu(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_call copy = *call;
	struct mdb_world *w;
	enum mdb_status st = xpv_world(cx, &w);

	if (st == MDB_OK)
		st = mdb_tree_open(cx, NULL, "iommu", MDB_BRANCH_STRUCT);
	if (st == MDB_OK)
		st = switches(cx, w);
	if (st == MDB_OK)
		st = vendor(cx, w);
	if (st == MDB_OK)
		st = mdb_tree_open(cx, NULL, "units", MDB_BRANCH_ARRAY);
	for (size_t i = 0; i < 2 && st == MDB_OK; i++)
		st = units_of(cx, w, &kinds[i]);
	if (st == MDB_OK)
		st = mdb_tree_close(cx);
	if (st == MDB_OK)
		st = mdb_tree_open(cx, NULL, "domains", MDB_BRANCH_STRUCT);
	if (st == MDB_OK)
		st = xpv_each_meant(cx, call, false, domain_leaves, &copy);
	if (st == MDB_OK && mdb_opt(call, 'v') && !mdb_opt(call, 'd'))
		st = system_domains(cx, w, call);
	if (st == MDB_OK)
		st = mdb_tree_close(cx);
	return st == MDB_OK ? mdb_tree_close(cx) : st;
}

const struct mdb_option xpv_iommu_options[] = {
	{ 'd', MDB_OPT_EXPR, "domid", "only that domain" },
	{ 'v', MDB_OPT_FLAG, NULL, "each with its PCI devices" },
	{ 0 },
};
