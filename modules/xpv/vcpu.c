/* SPDX-License-Identifier: MIT */
/* Virtual CPUs: ::vcpu. */
#include "xpv.h"

#include <inttypes.h>

struct vcpu {
	int32_t id, processor;
	mdb_addr_t domain;
	uint32_t state;
	uint64_t since;
	uint64_t flags, pause_flags;
	int32_t pause_count;
	uint8_t is_running;
	mdb_addr_t cr3;
	uint64_t arch_flags;
	mdb_addr_t unit;
	int32_t poll_evtchn;
};

enum {
	F_FLAGS,
	F_STATE,
	F_SINCE,
	F_RUNNING,
	F_CR3,
	F_PAUSE_FLAGS,
	F_ARCH_FLAGS,
};

static const struct mdb_field fields[] = {
	[F_FLAGS] =
		MDB_FIELD_OPT(struct vcpu, flags, "vcpu_flags\0pause_flags"),
	[F_STATE] = MDB_FIELD_OPT(struct vcpu, state, "runstate.state"),
	[F_SINCE] =
		MDB_FIELD_OPT(struct vcpu, since, "runstate.state_entry_time"),
	[F_RUNNING] = MDB_FIELD_OPT(struct vcpu, is_running, "is_running"),
	[F_CR3] = MDB_FIELD_OPT(struct vcpu, cr3, "arch.cr3"),
	[F_PAUSE_FLAGS] =
		MDB_FIELD_OPT(struct vcpu, pause_flags, "pause_flags"),
	[F_ARCH_FLAGS] = MDB_FIELD_OPT(struct vcpu, arch_flags, "arch.flags"),
	MDB_FIELD(struct vcpu, id, "vcpu_id"),
	MDB_FIELD(struct vcpu, processor, "processor"),
	MDB_FIELD(struct vcpu, domain, "domain"),
	MDB_FIELD_OPT(struct vcpu, pause_count, "pause_count"),
	MDB_FIELD_OPT(struct vcpu, unit, "sched_unit"),
	MDB_FIELD_OPT(struct vcpu, poll_evtchn, "poll_evtchn"),
	MDB_FIELD_END,
};

static const struct mdb_shape shape = { "struct vcpu", fields };

/* xen/include/public/vcpu.h: RUNSTATE_* */
static const char *const state_names[] = { "running", "runnable", "blocked",
	"offline" };
#define NR_STATES (sizeof(state_names) / sizeof(state_names[0]))
#define MAX_CPUS 4096 /* as in Xen: NR_CPUS is less */

static bool
has(struct mdb_ctx *cx, struct mdb_world *world, size_t field)
{
	return mdb_shape_has(cx, world, &shape, field);
}

enum mdb_status
xpv_vcpu_read(struct mdb_ctx *cx, struct mdb_loc loc, struct xpv_vcpu *out)
{
	struct vcpu v;
	enum mdb_status st = mdb_read_shape(cx, &shape, loc, &v);

	if (st != MDB_OK)
		return st;
	if (v.id < 0 || v.id >= (int32_t)XPV_MAX_VCPUS || v.processor < 0 ||
		v.processor >= MAX_CPUS)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"%" PRIx64 " is no vcpu: it cannot be number %d, on "
			"processor %d",
			loc.addr, v.id, v.processor);
	*out = (struct xpv_vcpu){
		.loc = loc,
		.id = v.id,
		.processor = v.processor,
		.domain = v.domain,
		.has_state = has(cx, loc.world, F_STATE) && v.state < NR_STATES,
		.is_bad = has(cx, loc.world, F_STATE) && v.state >= NR_STATES,
		.state = v.state,
		.has_since = has(cx, loc.world, F_SINCE),
		.since = v.since,
		.flags = v.flags,
		.has_pause_flags = has(cx, loc.world, F_PAUSE_FLAGS),
		.pause_count = v.pause_count,
		.has_running = has(cx, loc.world, F_RUNNING),
		.is_running = v.is_running,
		.cr3 = v.cr3,
		.has_cr3 = has(cx, loc.world, F_CR3),
		.has_arch_flags = has(cx, loc.world, F_ARCH_FLAGS),
		.arch_flags = v.arch_flags,
		.unit = v.unit,
		.poll_evtchn = v.poll_evtchn,
	};
	return MDB_OK;
}

const char *
xpv_state_name(const struct xpv_vcpu *v)
{
	if (!v->has_state)
		return "?";
	return state_names[v->state];
}

enum mdb_trust
xpv_vcpu_state_trust(struct mdb_ctx *cx, const struct xpv_vcpu *v)
{
	enum mdb_trust state =
		mdb_shape_trust(cx, v->loc.world, &shape, F_STATE);
	enum mdb_trust flags =
		mdb_shape_trust(cx, v->loc.world, &shape, F_FLAGS);

	return state > flags ? state : flags;
}

/* xen/include/xen/sched.h: VPF_* */
static const struct xpv_bit pause_bits[] = {
	{ 1u << 0, "blocked" },
	{ 1u << 1, "down" },
	{ 1u << 2, "blocked_in_xen" },
	{ 1u << 3, "migrating" },
	{ 1u << 4, "mem_paging" },
	{ 1u << 5, "mem_access" },
	{ 1u << 6, "mem_sharing" },
	{ 1u << 7, "in_reset" },
	{ 1u << 8, "parked" },
	{ 0, NULL },
};

const char *
xpv_pause_text(struct mdb_ctx *cx, const struct xpv_vcpu *v)
{
	const char *text;

	if (!v->has_pause_flags)
		return "";
	text = xpv_bits_text(cx, pause_bits, v->flags);
	if (v->pause_count != 0)
		text = mdb_tmp_printf(cx, "%s%spaused(%d)", text,
			*text != '\0' ? "," : "", v->pause_count);
	return text;
}

/* ---- ::vcpu -------------------------------------------------------------- */

static const struct mdb_column columns[] = {
	{ "addr", "ADDR", MDB_WIDTH_ADDR,
		MDB_COL_LEFT | MDB_COL_PIPE | MDB_COL_ZERO, 0,
		"its struct vcpu" },
	{ "domain", "DOM", 5, 0, 0, "id of its domain, decimal" },
	{ "id", "VCPU", 4, 0, 0, "its number in the domain" },
	{ "cpu", "CPU", 4, 0, 0, "processor that it is on, or was on last" },
	{ "state", "STATE", 9, MDB_COL_LEFT, 0,
		"running, runnable, blocked, offline" },
	{ "flags", "FLAGS", 8, 0, 0, "vcpu_flags or pause_flags, hex" },
	{ "cr3", "CR3", MDB_WIDTH_ADDR, MDB_COL_LEFT, 0,
		"the page tables that it has, a machine address" },
	{ "mode", "MODE", 7, MDB_COL_LEFT, 0,
		"kernel or user: whose page tables a PV vcpu has" },
	{ "for_ns", "FOR", 12, 0, 0,
		"seconds in that state, at least: to the latest time that "
		"the hypervisor noted" },
	{ "since_ns", NULL, 0, MDB_COL_JSON_ONLY, 0,
		"system time in ns at which the state was entered" },
	{ "affinity", "AFFINITY", 8, MDB_COL_LEFT, 0,
		"processors on which it may run (hard)" },
	{ "soft_affinity", NULL, 0, MDB_COL_JSON_ONLY, 0,
		"processors that it prefers (soft)" },
	{ "why", "WHY", 0, MDB_COL_LEFT, 0, "the flags in words, pauses" },
	{ NULL },
};

const struct mdb_table xpv_vcpu_table = { .name = "vcpus", .columns = columns };

const struct mdb_option xpv_vcpu_options[] = {
	XPV_OPTION_DOMAIN,
	{ 'v', MDB_OPT_FLAG, NULL, "each with its members, as a tree" },
	{ 0 },
};

const struct mdb_example xpv_vcpu_examples[] = {
	{ "::vcpu", "the vcpus of all domains" },
	{ "::vcpu -d 0", "those of domain 0" },
	{ "::walk domain | ::walk vcpu | ::vcpu", "the same as ::vcpu" },
	{ NULL },
};

/* The id of the domain at an address. */
struct mdb_value
xpv_domain_id_cell(struct mdb_ctx *cx, struct mdb_loc domain)
{
	uint64_t id;
	enum mdb_status st =
		xpv_member(cx, domain, "struct domain", "domain_id\0", &id);

	if (st == MDB_OK)
		return mdb_v_uint(id);
	mdb_forget(cx);
	return mdb_v_error(st);
}

static bool
is_pv(struct mdb_ctx *cx, const struct xpv_vcpu *v)
{
	struct xpv_domain d;

	if (xpv_domain_read(cx, mdb_at(v->loc, v->domain), &d) == MDB_OK)
		return d.has_state && !d.is_hvm &&
		       d.id < MDB_XEN_DOMID_FIRST_RESERVED;
	mdb_forget(cx);
	return false;
}

/* TF_kernel_mode, xen/arch/x86/include/asm/processor.h. */
static struct mdb_value
mode_cell(struct mdb_ctx *cx, const struct xpv_vcpu *v)
{
	if (!v->has_arch_flags || !is_pv(cx, v))
		return mdb_v_none();
	return mdb_v_text((v->arch_flags & 1) != 0 ? "kernel" : "user");
}

struct mdb_value
xpv_for_cell(struct mdb_ctx *cx, const struct xpv_vcpu *v)
{
	struct mdb_world *world = v->loc.world;
	uint64_t now;

	if (v->is_bad)
		return mdb_v_error(MDB_E_CORRUPT);
	if (v->has_since && xpv_time_latest(cx, world, &now) == MDB_OK &&
		(int64_t)v->since > 0 && v->since <= now)
		return xpv_shape_cell(cx, world, &shape, F_SINCE,
			mdb_v_ns(now - v->since));
	mdb_forget(cx);
	return mdb_v_none();
}

static enum mdb_status
row(struct mdb_ctx *cx, const struct xpv_vcpu *x)
{
	struct mdb_loc unit = mdb_at(x->loc, x->unit);
	const char *why = xpv_pause_text(cx, x);
	struct mdb_value bad = mdb_v_error(MDB_E_CORRUPT);
#define MEMBER(field, v) \
	(x->is_bad ? bad \
		   : xpv_shape_cell(cx, x->loc.world, &shape, F_##field, (v)))
	struct mdb_value v[] = {
		mdb_v_addr(x->loc),
		xpv_domain_id_cell(cx, mdb_at(x->loc, x->domain)),
		mdb_v_int(x->id),
		mdb_v_int(x->processor),
		x->is_bad      ? bad
		: x->has_state ? MEMBER(STATE, mdb_v_text(xpv_state_name(x)))
			       : mdb_v_none(),
		MEMBER(FLAGS, mdb_v_hex(x->flags)),
		xpv_shape_cell(cx, x->loc.world, &shape, F_CR3,
			mdb_v_hex(x->cr3)),
		MEMBER(ARCH_FLAGS, mode_cell(cx, x)),
		xpv_for_cell(cx, x),
		MEMBER(SINCE, mdb_v_uint(x->since)),
		x->unit != 0 ? xpv_cpus_cell(cx, unit, "struct sched_unit",
				       "cpu_hard_affinity\0")
			     : mdb_v_none(),
		x->unit != 0 ? xpv_cpus_cell(cx, unit, "struct sched_unit",
				       "cpu_soft_affinity\0")
			     : mdb_v_none(),
		x->is_bad      ? bad
		: *why != '\0' ? MEMBER(FLAGS, mdb_v_text(why))
			       : mdb_v_none(),
	};

	return mdb_row(cx, &xpv_vcpu_table, v);
}

/* ---- -v ------------------------------------------------------------------ */

#define WORDS(w) (w), sizeof(w) / sizeof((w)[0])

/* VCPU_CPU_CLEAN, xen/include/xen/sched.h: no CPU has its state. */
static const struct xpv_special dirty_cpus[] = {
	{ 0xffffffff, "none", true },
	{ 0, NULL, false },
};
/* do_poll, xen/common/sched/core.c. */
static const struct xpv_special polled[] = {
	{ 0, "none", true },
	{ -1, "several", false },
	{ 0, NULL, false },
};

static const struct xpv_leaf leaves[] = {
	XPV_LEAF(INT, "processor"),
	XPV_LEAF_WORDS("state", "runstate.state", state_names),
	XPV_LEAF_NAMED(NS, "since", "runstate.state_entry_time"),
	XPV_LEAF_NAMED(NS, "time_running", "runstate.time[0]"),
	XPV_LEAF_NAMED(NS, "time_runnable", "runstate.time[1]"),
	XPV_LEAF_NAMED(NS, "time_blocked", "runstate.time[2]"),
	XPV_LEAF_NAMED(NS, "time_offline", "runstate.time[3]"),
	XPV_LEAF(BOOL, "is_running"),
	XPV_LEAF(BOOL, "is_initialised"),
	XPV_LEAF_FLAGS("pause_flags", pause_bits),
	XPV_LEAF(INT, "pause_count"),
	XPV_LEAF(INT, "controller_pause_count"),
	XPV_LEAF(INT, "vm_event_pause_count"),
	XPV_LEAF(BOOL, "defer_shutdown"),
	XPV_LEAF(BOOL, "paused_for_shutdown"),
	XPV_LEAF(BOOL, "hcall_preempted"),
	XPV_LEAF_SPECIALS("dirty_cpu", dirty_cpus),
	XPV_LEAF_SPECIALS("poll_evtchn", polled),
	XPV_LEAF(BOOL, "fpu_dirtied"),
	XPV_LEAF(NS, "periodic_period"),
	XPV_LEAF(ADDR, "singleshot_timer"),
	XPV_LEAF_NAMED(PTR, "vcpu_info", "vcpu_info_area.map\0vcpu_info"),
	XPV_LEAF(PTR, "sched_unit"),
	XPV_LEAF(HEX, "arch.flags"),
	XPV_LEAF(HEX, "arch.cr3"),
	XPV_LEAF_NAMED(HEX, "guest_table_mfn", "arch.guest_table.pfn"),
	XPV_LEAF_NAMED(HEX, "guest_table_user_mfn",
		"arch.guest_table_user.pfn"),
	XPV_LEAF_NAMED(ADDR, "user_regs", "arch.user_regs"),
	XPV_LEAVES_END,
};

static const struct xpv_leaf unit_leaves[] = {
	XPV_LEAF_NAMED(CPUS, "hard_affinity", "cpu_hard_affinity"),
	XPV_LEAF_NAMED(CPUS, "soft_affinity", "cpu_soft_affinity"),
	XPV_LEAVES_END,
};

static enum mdb_status
tree(struct mdb_ctx *cx, const struct xpv_vcpu *v)
{
	enum mdb_status st = mdb_tree_open(cx, NULL,
		xpv_vcpu_name_at(cx, v->loc), MDB_BRANCH_STRUCT);

	if (st == MDB_OK)
		st = xpv_leaf(cx, "addr",
			mdb_tmp_printf(cx, "%#" PRIx64, v->loc.addr),
			mdb_v_addr(v->loc));
	if (st == MDB_OK)
		st = xpv_leaf(cx, "domain",
			mdb_tmp_printf(cx, "%#" PRIx64, v->domain),
			mdb_v_addr(mdb_at(v->loc, v->domain)));
	if (st == MDB_OK)
		st = xpv_leaves(cx, v->loc, "struct vcpu", leaves);
	if (st == MDB_OK && v->unit != 0)
		st = xpv_leaves(cx, mdb_at(v->loc, v->unit),
			"struct sched_unit", unit_leaves);
	return st == MDB_OK ? mdb_tree_close(cx) : st;
}

static enum mdb_status
show(struct mdb_ctx *cx, struct mdb_loc loc, void *arg)
{
	const struct mdb_call *call = arg;
	struct xpv_vcpu v;
	enum mdb_status st = xpv_vcpu_read(cx, loc, &v);

	if (st != MDB_OK)
		return st;
	return mdb_opt(call, 'v') && !mdb_is_piped(cx) ? tree(cx, &v)
						       : row(cx, &v);
}

static enum mdb_status
show_domain(struct mdb_ctx *cx, struct mdb_loc loc, void *arg)
{
	struct xpv_domain d;
	enum mdb_status st = xpv_domain_read(cx, loc, &d);

	return st == MDB_OK ? xpv_each_vcpu(cx, &d, show, arg) : st;
}

enum mdb_status
xpv_vcpu(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_call copy = *call;

	if (call->has_addr)
		return show(cx, call->loc, &copy);
	return xpv_each_meant(cx, call, false, show_domain, &copy);
}
