/* SPDX-License-Identifier: MIT */
/* ::domain */
#include "xpv.h"

#include <inttypes.h>

static const struct mdb_column columns[] = {
	{ "addr", "ADDR", MDB_WIDTH_ADDR,
		MDB_COL_LEFT | MDB_COL_PIPE | MDB_COL_ZERO, 0,
		"its struct domain" },
	{ "id", "ID", 3, 0, 0, "domain id, decimal" },
	{ "tot_pages", "TPAGES", 8, 0, 0, "pages that it has, hex" },
	{ "max_pages", "MPAGES", 8, 0, 0, "pages that it may have, hex" },
	{ "flags", "FLAGS", 8, 0, 0, "domain_flags, hex; Xen 3" },
	{ "hvm", "HVM", 3, 0, 0, "1: fully virtualized" },
	{ "vcpu", "VCPU", MDB_WIDTH_ADDR, MDB_COL_LEFT | MDB_COL_ZERO, 0,
		"its array of pointers to vcpus" },
	{ "evtchn", "EVTCHN", MDB_WIDTH_ADDR, MDB_COL_LEFT | MDB_COL_ZERO, 0,
		"its array of event channels" },
	{ "type", "TYPE", 4, MDB_COL_LEFT, 0, "PV, PVH, HVM" },
	{ "state", "STATE", 7, MDB_COL_LEFT, 0,
		"as xl list: running, blocked, paused, shut down, crashed, "
		"dying" },
	{ "vcpus_online", "ON", 3, 0, 0, "vcpus that are not down" },
	{ "vcpus", "OF", 3, 0, 0, "vcpus that it has" },
	{ "outstanding_pages", NULL, 0, MDB_COL_JSON_ONLY, 0,
		"pages claimed but not had yet" },
	{ "xenheap_pages", NULL, 0, MDB_COL_JSON_ONLY, 0,
		"pages shared with it by the hypervisor" },
	{ "pause_count", NULL, 0, MDB_COL_JSON_ONLY, 0,
		"reasons for which it is paused, counted" },
	{ "shutdown_code", NULL, 0, MDB_COL_JSON_ONLY, 0,
		"SHUTDOWN_*, of a domain that shut down" },
	{ "why", "WHY", 0, MDB_COL_LEFT, 0,
		"why it does not run, if it does not" },
	{ NULL },
};

const struct mdb_table xpv_domain_table = { .name = "domains",
	.columns = columns };

const struct mdb_option xpv_domain_options[] = {
	XPV_OPTION_DOMAIN,
	{ 'v', MDB_OPT_FLAG, NULL, "each with its members, as a tree" },
	{ 0 },
};

const struct mdb_example xpv_domain_examples[] = {
	{ "::domain", "all domains" },
	{ "::domain -v -d 0", "everything of domain 0" },
	{ "::walk domain | ::domain", "the same as ::domain" },
	{ "::walk domain | ::walk vcpu | ::vcpu", "the vcpus of all" },
	{ NULL },
};

/* ---- states -------------------------------------------------------------- */

/* xen/include/public/sched.h: SHUTDOWN_* */
#define SHUTDOWN_CRASH 3u
static const char *const shutdown_words[] = { "poweroff", "reboot", "suspend",
	"crash", "watchdog", "soft reset" };
static const char *const dying_words[] = { "alive", "dying", "dead" };

/* xen/include/xen/sched.h: VPF_* */
#define VPF_BLOCKED 1u
#define VPF_DOWN 2u

/* How many there are, are not down, run; whether one could. */
struct vcpus {
	unsigned int all, online, running, unblocked;
	enum mdb_status st;
};

static enum mdb_status
count_vcpu(struct mdb_ctx *cx, struct mdb_loc loc, void *arg)
{
	struct vcpus *n = arg;
	struct xpv_vcpu v;
	enum mdb_status st = xpv_vcpu_read(cx, loc, &v);

	n->all++;
	if (st != MDB_OK)
		return st;
	if ((v.flags & VPF_DOWN) != 0)
		return MDB_OK;
	n->online++;
	if ((v.flags & VPF_BLOCKED) == 0)
		n->unblocked++;
	if (v.is_running)
		n->running++;
	return MDB_OK;
}

/* The letters of `xl list` (XEN_DOMINF_*, xen/common/domctl.c). */
static const char *
state_text(struct mdb_ctx *cx, const struct xpv_domain *d,
	const struct vcpus *n)
{
	bool crashed = d->is_shut_down && d->shutdown_code == SHUTDOWN_CRASH;

	return mdb_tmp_printf(cx, "%c%c%c%c%c%c", n->running ? 'r' : '-',
		n->unblocked == 0 ? 'b' : '-',
		d->controller_pause_count > 0 ? 'p' : '-',
		d->is_shut_down && !crashed ? 's' : '-', crashed ? 'c' : '-',
		d->dying == 2 ? 'd' : '-');
}

static const char *
join(struct mdb_ctx *cx, const char *text, const char *more)
{
	return *text == '\0' ? more : mdb_tmp_printf(cx, "%s; %s", text, more);
}

#define WORDS(w) (w), sizeof(w) / sizeof((w)[0])

const char *
xpv_domain_why(struct mdb_ctx *cx, const struct xpv_domain *d)
{
	const char *text = "";

	if (d->dying != 0)
		text = xpv_word(cx, WORDS(dying_words), d->dying);
	if (d->is_shut_down || d->is_shutting_down)
		text = join(cx, text,
			mdb_tmp_printf(cx, "%s: %s",
				d->is_shut_down ? "shut down" : "shutting down",
				xpv_word(cx, WORDS(shutdown_words),
					d->shutdown_code)));
	if (!d->is_created && d->controller_pause_count > 0)
		text = join(cx, text, "not started yet");
	if (d->controller_pause_count > 0)
		text = join(cx, text,
			mdb_tmp_printf(cx, "paused by the toolstack (%d)",
				d->controller_pause_count));
	if (d->pause_count > d->controller_pause_count)
		text = join(cx, text,
			mdb_tmp_printf(cx, "paused by the hypervisor (%d)",
				d->pause_count - d->controller_pause_count));
	if (d->debugger_attached)
		text = join(cx, text, "a debugger is attached");
	return text;
}

/* ---- rows ---------------------------------------------------------------- */

/* Later ones say it in options, earlier ones in a member of its own. */
static struct mdb_value
hvm_cell(struct mdb_ctx *cx, const struct xpv_domain *d)
{
	struct mdb_value v = mdb_v_uint(d->is_hvm), options;

	if (!d->has_hvm)
		return mdb_v_none();
	options = xpv_domain_cell(cx, d, XPV_DOMAIN_OPTIONS, v);
	return options.kind != MDB_V_NONE ? options : v;
}

static struct mdb_value
array_cell(struct mdb_ctx *cx, const struct xpv_domain *d, const char *name,
	mdb_addr_t addr)
{
	if (addr == 0)
		return mdb_v_none();
	return xpv_trusted(
		xpv_member_trust(cx, d->loc.world, "struct domain", name),
		mdb_v_addr(mdb_at(d->loc, addr)));
}

static enum mdb_status
row(struct mdb_ctx *cx, const struct xpv_domain *d)
{
	struct vcpus n = { 0 };
	bool known = d->has_state;
	const char *why = known ? xpv_domain_why(cx, d) : "";

	n.st = xpv_each_vcpu(cx, d, count_vcpu, &n);
	mdb_forget(cx);
	enum mdb_trust trust = xpv_domain_state_trust(cx, d);
	struct mdb_value unknown =
		d->is_bad ? mdb_v_error(MDB_E_CORRUPT) : mdb_v_none();
#define KNOWN(v) (known ? xpv_trusted(trust, (v)) : unknown)
#define COUNTED(v) (n.st != MDB_OK ? mdb_v_error(n.st) : KNOWN(v))
#define MEMBER(field, v) xpv_domain_cell(cx, d, XPV_DOMAIN_##field, (v))
	struct mdb_value v[] = {
		mdb_v_addr(d->loc),
		MEMBER(ID, mdb_v_uint(d->id)),
		MEMBER(TOT_PAGES, mdb_v_hex(d->tot_pages)),
		MEMBER(MAX_PAGES, mdb_v_hex(d->max_pages)),
		MEMBER(FLAGS, mdb_v_hex(d->flags)),
		hvm_cell(cx, d),
		array_cell(cx, d, "vcpu", d->vcpu),
		array_cell(cx, d, "evtchn", d->evtchn),
		known ? MEMBER(OPTIONS, mdb_v_text(d->type)) : unknown,
		COUNTED(mdb_v_text(state_text(cx, d, &n))),
		COUNTED(mdb_v_uint(n.online)),
		n.st != MDB_OK ? mdb_v_error(n.st) : mdb_v_uint(n.all),
		MEMBER(OUTSTANDING, mdb_v_uint(d->outstanding_pages)),
		MEMBER(XENHEAP, mdb_v_uint(d->xenheap_pages)),
		KNOWN(mdb_v_int(d->pause_count)),
		known && d->is_shut_down ? KNOWN(mdb_v_uint(d->shutdown_code))
					 : unknown,
		*why != '\0' ? KNOWN(mdb_v_text(why)) : unknown,
	};

	return mdb_row(cx, &xpv_domain_table, v);
}

/* ---- -v ------------------------------------------------------------------ */

/* xen/include/public/domctl.h: XEN_DOMCTL_CDF_* */
static const struct xpv_bit option_bits[] = {
	{ 1u << 0, "hvm" },
	{ 1u << 1, "hap" },
	{ 1u << 2, "s3_integrity" },
	{ 1u << 3, "oos_off" },
	{ 1u << 4, "xs_domain" },
	{ 1u << 5, "iommu" },
	{ 1u << 6, "nested_virt" },
	{ 1u << 7, "vpmu" },
	{ 0, NULL },
};
/* xen/include/public/xen.h: VMASST_TYPE_* */
static const struct xpv_bit assist_bits[] = {
	{ 1u << 0, "4gb_segments" },
	{ 1u << 1, "4gb_segments_notify" },
	{ 1u << 2, "writable_pagetables" },
	{ 1u << 3, "pae_extended_cr3" },
	{ 1u << 4, "architectural_iopl" },
	{ 1u << 5, "runstate_update_flag" },
	{ 1ull << 32, "m2p_strict" },
	{ 0, NULL },
};
/* xen/include/public/arch-x86/xen.h: XEN_X86_EMU_* */
static const struct xpv_bit emulation_bits[] = {
	{ 1u << 0, "lapic" },
	{ 1u << 1, "hpet" },
	{ 1u << 2, "pm" },
	{ 1u << 3, "rtc" },
	{ 1u << 4, "ioapic" },
	{ 1u << 5, "pic" },
	{ 1u << 6, "vga" },
	{ 1u << 7, "iommu" },
	{ 1u << 8, "pit" },
	{ 1u << 9, "use_pirq" },
	{ 1u << 10, "vpci" },
	{ 0, NULL },
};

static const struct xpv_leaf leaves[] = {
	XPV_LEAF(UUID, "handle"),
	XPV_LEAF_FLAGS("options", option_bits),
	{ "emulated", "arch.emulation_flags\0", XPV_LEAF_BITS, emulation_bits,
		0 },
	XPV_LEAF_FLAGS("vm_assist", assist_bits),
	XPV_LEAF(BOOL, "is_privileged"),
	XPV_LEAF(BOOL, "is_console"),
	XPV_LEAF(INT, "refcnt"),
	XPV_LEAF(INT, "pause_count"),
	XPV_LEAF(INT, "controller_pause_count"),
	XPV_LEAF_WORDS("is_dying", "is_dying", dying_words),
	XPV_LEAF(BOOL, "is_shutting_down"),
	XPV_LEAF(BOOL, "is_shut_down"),
	XPV_LEAF(BOOL, "debugger_attached"),
	XPV_LEAF(BOOL, "creation_finished"),
	XPV_LEAF(UINT, "tot_pages"),
	XPV_LEAF(UINT, "max_pages"),
	XPV_LEAF(UINT, "outstanding_pages"),
	XPV_LEAF(UINT, "xenheap_pages"),
	XPV_LEAF(UINT, "extra_pages"),
	XPV_LEAF(INT, "shr_pages"),
	XPV_LEAF(INT, "paged_pages"),
	XPV_LEAF(UINT, "max_vcpus"),
	XPV_LEAF_NAMED(CPUS, "dirty_cpus", "dirty_cpumask"),
	XPV_LEAF(UINT, "valid_evtchns"),
	XPV_LEAF(UINT, "active_evtchns"),
	XPV_LEAF(UINT, "xen_evtchns"),
	XPV_LEAF(UINT, "nr_pirqs"),
	XPV_LEAF(PTR, "shared_info"),
	XPV_LEAF(PTR, "grant_table"),
	XPV_LEAF(PTR, "cpupool"),
	XPV_LEAF(PTR, "target"),
	XPV_LEAVES_END,
};

static enum mdb_status
tree_vcpu(struct mdb_ctx *cx, struct mdb_loc loc, void *arg)
{
	struct xpv_vcpu v;
	enum mdb_status st = xpv_vcpu_read(cx, loc, &v);
	const char *name, *pauses;

	(void)arg;
	if (st != MDB_OK) {
		mdb_forget(cx);
		return xpv_leaf(cx, NULL,
			mdb_tmp_printf(cx, "%#" PRIx64 " <%s>", loc.addr,
				mdb_status_name(st)),
			mdb_v_error(st));
	}
	name = xpv_vcpu_name_at(cx, loc);
	pauses = xpv_pause_text(cx, &v);
	return xpv_leaf(cx, NULL,
		mdb_tmp_printf(cx, "%#" PRIx64 " (%s, CPU %d, %s%s%s%s)",
			loc.addr, name, v.processor, xpv_state_name(&v),
			*pauses != '\0' ? ": " : "", pauses,
			xpv_vcpu_state_trust(cx, &v) == MDB_TRUST_UNPROVEN
				? "?"
				: ""),
		mdb_v_addr(loc));
}

static enum mdb_status
tree(struct mdb_ctx *cx, const struct xpv_domain *d)
{
	const char *why = d->has_state ? xpv_domain_why(cx, d) : "";
	enum mdb_trust trust = xpv_domain_state_trust(cx, d);
	enum mdb_status st = mdb_tree_open(cx, NULL,
		mdb_tmp_printf(cx, "domain %u", d->id), MDB_BRANCH_STRUCT);

	if (st == MDB_OK)
		st = xpv_leaf(cx, "addr",
			mdb_tmp_printf(cx, "%#" PRIx64, d->loc.addr),
			mdb_v_addr(d->loc));
	if (st == MDB_OK)
		st = xpv_leaf(cx, "id", mdb_tmp_printf(cx, "%u", d->id),
			mdb_v_uint(d->id));
	if (st == MDB_OK && d->has_state)
		st = xpv_leaf_trusted(cx, "type", d->type, mdb_v_text(d->type),
			xpv_domain_trust(cx, d, XPV_DOMAIN_OPTIONS));
	if (st == MDB_OK && *why != '\0')
		st = xpv_leaf_trusted(cx, "why", why, mdb_v_text(why), trust);
	if (st == MDB_OK)
		st = xpv_leaves(cx, d->loc, "struct domain", leaves);
	if (st == MDB_OK && d->is_shut_down)
		st = xpv_leaf_trusted(cx, "shutdown_code",
			xpv_word(cx, WORDS(shutdown_words), d->shutdown_code),
			mdb_v_uint(d->shutdown_code), trust);
	if (st == MDB_OK)
		st = mdb_tree_open(cx, NULL, "vcpus", MDB_BRANCH_ARRAY);
	if (st == MDB_OK)
		st = xpv_each_vcpu(cx, d, tree_vcpu, NULL);
	if (st == MDB_OK)
		st = mdb_tree_close(cx);
	return st == MDB_OK ? mdb_tree_close(cx) : st;
}

/* xen/include/public/xen.h: ids from here to 0x7fff are no guest's. */
#define FIRST_RESERVED 0x7ff0u
#define LAST_RESERVED 0x7fffu

struct back {
	mdb_addr_t domain;
	bool leads;
};

static enum mdb_status
lead_back(struct mdb_ctx *cx, struct mdb_loc loc, void *arg)
{
	struct back *b = arg;
	struct xpv_vcpu v;
	enum mdb_status st = xpv_vcpu_read(cx, loc, &v);

	b->leads = st == MDB_OK && v.domain == b->domain;
	mdb_forget(cx);
	return MDB_DONE;
}

/*
 * Anything may lie at an address that was typed: a domain's vcpus lead back to
 * it, and one that has none is in the list.
 */
static enum mdb_status
must_be_domain(struct mdb_ctx *cx, const struct xpv_domain *d)
{
	struct back b = { .domain = d->loc.addr };
	struct mdb_loc listed;

	if (d->id >= FIRST_RESERVED && d->id <= LAST_RESERVED)
		return MDB_OK;
	if (d->id < FIRST_RESERVED) {
		if (xpv_each_vcpu(cx, d, lead_back, &b) == MDB_OK && b.leads)
			return MDB_OK;
		if (xpv_domain_by_id(cx, d->loc.world, d->id, &listed) ==
				MDB_OK &&
			listed.addr == d->loc.addr)
			return MDB_OK;
	}
	return mdb_fail(cx, MDB_E_CORRUPT,
		"%" PRIx64 " is no domain: no vcpu leads back to it, and no "
		"list to it",
		d->loc.addr);
}

static enum mdb_status
show(struct mdb_ctx *cx, struct mdb_loc loc, void *arg)
{
	const struct mdb_call *call = arg;
	struct xpv_domain d;
	enum mdb_status st = xpv_domain_read(cx, loc, &d);

	if (st == MDB_OK && call->has_addr)
		st = must_be_domain(cx, &d);
	if (st != MDB_OK)
		return st;
	return mdb_opt(call, 'v') && !mdb_is_piped(cx) ? tree(cx, &d)
						       : row(cx, &d);
}

enum mdb_status
xpv_domain(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_call copy = *call;

	return xpv_each_meant(cx, call, true, show, &copy);
}
