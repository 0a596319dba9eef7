/* SPDX-License-Identifier: MIT */
/* A hypervisor in words: see hypervisor.h. */
#include "mdb/dcmd/hypervisor.h"

#include <mdb/xen.h>

#include "mdb/base/ctx.h"
#include "mdb/world/target.h"

bool
mdb_hypervisor_get(struct mdb_ctx *cx, struct mdb_hypervisor *hv_out)
{
	struct mdb_hypervisor hv = { .panic_cpu = -1 };
	int cpu = -1;

	for (struct mdb_world *w = cx->target->worlds; w && !hv.world;
		w = w->next)
		hv.world = mdb_xen_world(w);
	if (hv.world == NULL)
		return false;
	hv.panic_cpu = mdb_panic_cpu(cx, hv.world);
	while (mdb_cpu_next(cx, hv.world, &cpu) == MDB_OK)
		hv.nr_cpus++;
	mdb_forget(cx);
	*hv_out = hv;
	return true;
}

const char *
mdb_hypervisor_panic(struct mdb_ctx *cx, const struct mdb_hypervisor *hv)
{
	const char *text = mdb_world_fact(cx, hv->world, "panic_message");

	if (hv->panic_cpu < 0)
		return NULL;
	return text && text[0] ? text
			       : "(not known: the hypervisor's console is not "
				 "found)";
}

static const char *
fact_or(struct mdb_ctx *cx, const struct mdb_hypervisor *hv, const char *key,
	const char *otherwise)
{
	const char *text = mdb_world_fact(cx, hv->world, key);

	return text && text[0] ? text : otherwise;
}

const char *
mdb_hypervisor_name(struct mdb_ctx *cx, const struct mdb_hypervisor *hv)
{
	const char *id = fact_or(cx, hv, "build_id", NULL);

	return mdb_tmp_printf(cx, "Xen %s%s%s",
		fact_or(cx, hv, "release", "of an unknown version"),
		id ? ", build-id " : "", id ? id : "");
}

const char *
mdb_hypervisor_culprit(struct mdb_ctx *cx, const struct mdb_hypervisor *hv)
{
	struct mdb_xen_pcpu p;

	if (hv->panic_cpu < 0)
		return NULL;
	if (mdb_xen_pcpu(cx, hv->world, hv->panic_cpu, &p) != MDB_OK ||
		!p.current.known) {
		mdb_forget(cx);
		return mdb_tmp_printf(cx, "CPU %d in the hypervisor",
			hv->panic_cpu);
	}
	if (p.current.domid == MDB_XEN_DOMID_IDLE)
		return mdb_tmp_printf(cx, "CPU %d in the hypervisor, idle",
			hv->panic_cpu);
	return mdb_tmp_printf(cx,
		"CPU %d in the hypervisor, running vCPU %u of domain %u",
		hv->panic_cpu, p.current.vcpu, p.current.domid);
}

/* ---- the record ---------------------------------------------------------- */

static const struct mdb_column columns[] = {
	{ .name = "release",
		.flags = MDB_COL_JSON_ONLY,
		.help = "its version" },
	{ .name = "changeset",
		.flags = MDB_COL_JSON_ONLY,
		.help = "of its source" },
	{ .name = "build_id", .flags = MDB_COL_JSON_ONLY, .help = "in hex" },
	{ .name = "panic_message",
		.flags = MDB_COL_JSON_ONLY,
		.help = "why it panicked; null: not, or not known" },
	{ .name = "panicked",
		.flags = MDB_COL_JSON_ONLY,
		.help = "whether it did" },
	{ .name = "panic_cpu",
		.flags = MDB_COL_JSON_ONLY,
		.help = "the physical CPU, or null" },
	{ .name = "culprit",
		.flags = MDB_COL_JSON_ONLY,
		.help = "the CPU that panicked, in words" },
	{ .name = "cpus",
		.flags = MDB_COL_JSON_ONLY,
		.help = "physical, online" },
	{ .name = "support",
		.flags = MDB_COL_JSON_ONLY,
		.help = "how well its layout is known" },
	{ 0 },
};
static const struct mdb_table table = { .name = "hypervisor",
	.columns = columns };

static struct mdb_value
fact_value(struct mdb_ctx *cx, const struct mdb_hypervisor *hv, const char *key)
{
	const char *text = fact_or(cx, hv, key, NULL);

	return text ? mdb_v_cstr(text) : mdb_v_none();
}

enum mdb_status
mdb_hypervisor_status_record(struct mdb_ctx *cx,
	const struct mdb_hypervisor *hv)
{
	const char *culprit = mdb_hypervisor_culprit(cx, hv);
	const struct mdb_value values[] = {
		fact_value(cx, hv, "release"),
		fact_value(cx, hv, "changeset"),
		fact_value(cx, hv, "build_id"),
		fact_value(cx, hv, "panic_message"),
		mdb_v_bool(hv->panic_cpu >= 0),
		hv->panic_cpu < 0 ? mdb_v_none() : mdb_v_int(hv->panic_cpu),
		culprit ? mdb_v_cstr(culprit) : mdb_v_none(),
		mdb_v_int(hv->nr_cpus),
		mdb_v_cstr(
			hv->world->support ? hv->world->support : "untested"),
	};

	return mdb_subrow(cx, &table, values);
}
