/* SPDX-License-Identifier: MIT */
/*
 * ::modinfo, ::modctl: the loadable modules, in the order of their loading.
 *
 * The columns are mdb's; REF, the reference count, stands where mdb has the
 * revision, which Linux modules have not.
 */
#include "kern.h"

#include <mdb/xen.h>

#include <string.h>

const struct mdb_option kern_modinfo_options[] = {
	{ 'v', MDB_OPT_FLAG, NULL, "state, taints, version and address too" },
	{ 0 },
};

static const struct mdb_column modinfo_columns[] = {
	{ "id", "ID", 3, 0, 0, "1 was loaded first" },
	{ "base", "LOADADDR", MDB_WIDTH_ADDR, MDB_COL_ZERO, 0,
		"where its text begins" },
	{ "size", "SIZE", 8, 0, 0, "bytes of text and data, hex" },
	{ "refs", "REF", 3, 0, 0, "reference count" },
	{ "state", "STATE", 8, MDB_COL_LEFT, 'v',
		"live, coming, going, unformed" },
	{ "taints", "TAINT", 5, MDB_COL_LEFT, 'v',
		"P proprietary, O out of tree, E unsigned, C staging, ..." },
	{ "version", "VERSION", 12, MDB_COL_LEFT, 'v', "as the module says" },
	{ "addr", "ADDR", MDB_WIDTH_ADDR, MDB_COL_PIPE | MDB_COL_ZERO, 'v',
		"its struct module" },
	{ "name", "MODULE NAME", 24, MDB_COL_LEFT, 0, "name" },
	{ "used_by", "", 0, MDB_COL_LEFT, 0, "modules that use it" },
	{ NULL },
};

const struct mdb_table kern_modinfo_table = { .name = "modules",
	.columns = modinfo_columns };

static enum mdb_status
bad_row(struct mdb_ctx *cx, struct mdb_loc loc, uint64_t id,
	enum mdb_status why)
{
	struct mdb_value v[10];
	size_t i;

	mdb_warn(cx, why, "module at %llx", (unsigned long long)loc.addr);
	if (kern_view(loc.world)->modinfo != NULL)
		return MDB_OK;
	for (i = 0; i < 10; i++)
		v[i] = mdb_v_error(why);
	v[0] = mdb_v_uint(id);
	v[7] = mdb_v_addr(loc);
	return mdb_row(cx, &kern_modinfo_table, v);
}

static enum mdb_status
module_row(struct mdb_ctx *cx, struct mdb_loc loc, uint64_t id)
{
	const struct kern_view *view = kern_view(loc.world);
	struct kern_mod m;
	enum mdb_status st = kern_mod_info(cx, loc, &m);
	struct mdb_value v[10];

	if (st != MDB_OK)
		return bad_row(cx, loc, id, st);
	if (view->modinfo != NULL)
		return m.base == 0 ? MDB_OK : view->modinfo(cx, &m);
	v[0] = mdb_v_uint(id);
	v[1] = mdb_v_addr(mdb_at(loc, m.base));
	v[2] = mdb_v_hex(m.size);
	v[3] = m.has_refs ? mdb_v_int(m.refs) : mdb_v_none();
	v[4] = mdb_v_text(m.state);
	v[5] = m.taints[0] == '\0' ? mdb_v_none() : mdb_v_text(m.taints);
	v[6] = m.version[0] == '\0' ? mdb_v_none() : mdb_v_cstr(m.version);
	v[7] = mdb_v_addr(loc);
	v[8] = mdb_v_cstr(m.name);
	v[9] = mdb_v_cstr(
		m.used_by[0] == '\0'
			? ""
			: mdb_tmp_printf(cx, "(used by %s)", m.used_by));
	return mdb_row(cx, &kern_modinfo_table, v);
}

typedef enum mdb_status module_fn(struct mdb_ctx *cx, struct mdb_loc loc,
	uint64_t id);

static enum mdb_status
each_module(struct mdb_ctx *cx, const struct mdb_call *call, module_fn *fn,
	uint64_t *nr_out)
{
	struct kern_set set;
	enum mdb_status st = kern_mods(cx, &set);
	size_t i;

	for (i = 0; st == MDB_OK && i < set.count; i++) {
		struct mdb_loc loc = mdb_kernel_loc(set.world, set.addrs[i]);

		if (call->has_addr && call->loc.addr != loc.addr)
			continue;
		st = fn(cx, loc, i + 1);
		if (st == MDB_OK)
			st = mdb_check_interrupt(cx);
	}
	if (st == MDB_OK)
		kern_set_warn(cx, &set, "modules");
	if (nr_out != NULL)
		*nr_out = i;
	return st;
}

/* The hypervisor below: an object beside the kernel's modules, in no list. */
static enum mdb_status
hypervisor_row(struct mdb_ctx *cx, struct mdb_object *object, void *arg)
{
	const uint64_t *id = arg;
	struct mdb_object_info info;
	const char *version;

	mdb_object_info(object, &info);
	version = mdb_world_fact(cx, info.world, "release");
	struct mdb_value v[] = {
		mdb_v_uint(*id),
		mdb_v_addr(mdb_kernel_loc(info.world, info.base)),
		mdb_v_hex(info.size),
		mdb_v_none(),
		mdb_v_text("live"),
		mdb_v_none(),
		version == NULL ? mdb_v_none() : mdb_v_cstr(version),
		mdb_v_none(),
		mdb_v_cstr(info.name),
		mdb_v_cstr("(hypervisor)"),
	};

	return mdb_row(cx, &kern_modinfo_table, v);
}

enum mdb_status
kern_modinfo(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_world *world = mdb_world_current(cx);
	struct mdb_world *xen = mdb_xen_world(world);
	enum mdb_status st;
	uint64_t nr = 0;

	st = each_module(cx, call, module_row, &nr);
	if (st != MDB_OK || call->has_addr || xen == NULL || xen == world ||
		kern_view(world)->modinfo != NULL)
		return st;
	nr++;
	return mdb_object_each(cx, xen, hypervisor_row, &nr);
}

/* Loaded or not: what the list has. */
static enum mdb_status
modctl_row(struct mdb_ctx *cx, struct mdb_loc loc, uint64_t id)
{
	const struct kern_view *view = kern_view(loc.world);
	struct kern_mod m;
	enum mdb_status st;

	if (view->modctl == NULL)
		return module_row(cx, loc, id);
	st = kern_mod_info(cx, loc, &m);
	if (st == MDB_OK)
		return view->modctl(cx, &m);
	mdb_warn(cx, st, "module at %llx", (unsigned long long)loc.addr);
	return MDB_OK;
}

enum mdb_status
kern_modctl(struct mdb_ctx *cx, const struct mdb_call *call)
{
	return each_module(cx, call, modctl_row, NULL);
}
