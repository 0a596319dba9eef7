/* SPDX-License-Identifier: MIT */
/*
 * ::evtchn, and the walker evtchn.
 */
#include "evtchn.h"

#include <inttypes.h>
#include <string.h>

static const struct mdb_column columns[] = {
	{ "addr", "ADDR", MDB_WIDTH_ADDR,
		MDB_COL_LEFT | MDB_COL_PIPE | MDB_COL_ZERO, 0,
		"its struct evtchn" },
	{ "domain", "DOM", 5, MDB_COL_LEFT, 0, "domain whose port it is" },
	{ "port", "PORT", 5, 0, 0, "number of the port, decimal" },
	{ "state", "STATE", 12, MDB_COL_LEFT, 0,
		"free, reserved, unbound, interdomain, pirq, virq, ipi" },
	{ "pending", "PEND", 4, MDB_COL_LEFT, 0, "the guest was told" },
	{ "masked", "MASK", 4, MDB_COL_LEFT, 0, "the guest does not want it" },
	{ "vcpu", "VCPU", 4, 0, 0, "virtual CPU that is told" },
	{ "priority", "PRIO", 4, 0, 'v', "of FIFO channels: 0 is the highest" },
	{ "word", "FIFO", 22, MDB_COL_LEFT, 'v',
		"what else the event word says: linked to the next port, busy" },
	{ "remote_domain", "", 0, MDB_COL_JSON_ONLY, 0,
		"id of the domain at the other end" },
	{ "remote_port", "", 0, MDB_COL_JSON_ONLY, 0, "its port" },
	{ "pirq", "", 0, MDB_COL_JSON_ONLY, 0, "the domain's interrupt" },
	{ "irq", "", 0, MDB_COL_JSON_ONLY, 0, "the machine's behind it" },
	{ "virq", "", 0, MDB_COL_JSON_ONLY, 0, "virtual interrupt" },
	{ "bound", "BOUND TO", 0, MDB_COL_LEFT, 0,
		"the other end: domain and port, interrupt; the function in Xen "
		"that consumes it" },
	{ NULL },
};

const struct mdb_table xpv_evtchn_table = { .name = "evtchns",
	.columns = columns };

const struct mdb_option xpv_evtchn_options[] = {
	{ 'd', MDB_OPT_EXPR, "domid", "the ports of that domain" },
	{ 'a', MDB_OPT_FLAG, NULL, "free ports, too" },
	{ 'p', MDB_OPT_FLAG, NULL, "only those that are pending" },
	{ 'v', MDB_OPT_FLAG, NULL, "priority and event word" },
	{ 0 },
};

const struct mdb_example xpv_evtchn_examples[] = {
	{ "::evtchn", "the ports of all domains that are in use" },
	{ "::evtchn -d 0 0t13", "port 13 of domain 0" },
	{ "::evtchn -p", "what is pending" },
	{ "::walk evtchn | ::print struct evtchn state port",
		"each structure" },
	{ NULL },
};

static const char *
state_name(uint32_t state)
{
	static const char *const names[XPV_NR_ECS] = { "free", "reserved",
		"unbound", "interdomain", "pirq", "virq", "ipi" };

	return state < XPV_NR_ECS ? names[state] : "?";
}

/* xen/include/public/xen.h: VIRQ_*; arch-x86/xen-mca.h */
static const char *
virq_name(uint32_t virq)
{
	static const char *const names[] = { "timer", "debug", "console",
		"domain exception", "trace buffer", NULL, "debugger",
		"profiler", "console ring", "pcpu state", "memory event",
		"argo", "no memory", "pmu", NULL, NULL, "machine check" };

	if (virq >= sizeof(names) / sizeof(names[0]) || names[virq] == NULL)
		return NULL;
	return names[virq];
}

/* ---- the other end -------------------------------------------------------
 */

struct end {
	struct mdb_value domain, port, pirq, irq, virq;
	const char *text;
};

/* The other end must lead back. */
static const char *
way_back(struct mdb_ctx *cx, const struct xpv_evtchns *e,
	const struct xpv_evtchn *c)
{
	struct xpv_evtchns other;
	struct xpv_evtchn far;
	enum mdb_status st = xpv_evtchns_get(cx,
		mdb_at(e->domain, c->remote_domain), &other);

	if (st == MDB_OK)
		st = xpv_evtchn_read(cx, &other, c->remote_port, &far);
	if (st != MDB_OK) {
		mdb_forget(cx);
		return " (the other end is not readable)";
	}
	if (far.state == XPV_ECS_INTERDOMAIN &&
		far.remote_domain == e->domain.addr &&
		far.remote_port == c->port)
		return "";
	return " (the other end does not lead back)";
}

static void
interdomain(struct mdb_ctx *cx, const struct xpv_evtchns *e,
	const struct xpv_evtchn *c, struct end *end)
{
	uint64_t id = 0;
	enum mdb_status st =
		xpv_domid_of(cx, mdb_at(e->domain, c->remote_domain), &id);

	end->port = mdb_v_uint(c->remote_port);
	if (st != MDB_OK) {
		mdb_forget(cx);
		end->domain = mdb_v_error(st);
		end->text = mdb_tmp_printf(cx, "<%s> port %u",
			mdb_status_name(st), c->remote_port);
		return;
	}
	end->domain = mdb_v_uint(id);
	end->text = mdb_tmp_printf(cx, "%s port %u%s", xpv_domid_name(cx, id),
		c->remote_port, way_back(cx, e, c));
}

static void
physical(struct mdb_ctx *cx, const struct xpv_evtchns *e,
	const struct xpv_evtchn *c, struct end *end)
{
	uint64_t irq = 0, port = 0;
	bool masked = false;
	const char *extra = "";

	end->pirq = mdb_v_uint(c->pirq);
	if (xpv_pirq_read(cx, e->domain, c->pirq, &irq, &port, &masked) !=
		MDB_OK) {
		mdb_forget(cx);
		end->text = mdb_tmp_printf(cx, "pirq %u", c->pirq);
		return;
	}
	if (port != c->port)
		extra = mdb_tmp_printf(cx, " (the pirq says port %" PRIu64 ")",
			port);
	if (irq == 0) {
		end->text = mdb_tmp_printf(cx, "pirq %u%s", c->pirq, extra);
		return;
	}
	end->irq = mdb_v_uint(irq);
	end->text = mdb_tmp_printf(cx, "pirq %u, irq %" PRIu64 "%s", c->pirq,
		irq, extra);
}

/* ", for FUNCTION in Xen" */
static const char *
consumer(struct mdb_ctx *cx, struct mdb_world *world, uint32_t n)
{
	struct mdb_loc table;
	mdb_addr_t fn;

	if (n == 0)
		return "";
	if (mdb_sym_loc(cx, world, "xen_consumers", &table) != MDB_OK ||
		table.world != world ||
		mdb_read_ptr(cx, mdb_at(table, table.addr + 8ull * (n - 1)),
			&fn) != MDB_OK) {
		mdb_forget(cx);
		return mdb_tmp_printf(cx, ", for Xen's consumer %u", n);
	}
	return mdb_tmp_printf(cx, ", for %s",
		mdb_sym_format(cx, mdb_kernel_loc(world, fn)));
}

static void
other_end(struct mdb_ctx *cx, const struct xpv_evtchns *e,
	const struct xpv_evtchn *c, struct end *end)
{
	*end = (struct end){ .text = "" };
	if (!c->end_known) {
		end->text = "(not known where in this hypervisor)";
		return;
	}
	switch (c->state) {
	case XPV_ECS_UNBOUND:
		end->domain = mdb_v_uint(c->unbound_domid);
		end->text = mdb_tmp_printf(cx, "waits for %s",
			xpv_domid_name(cx, c->unbound_domid));
		break;
	case XPV_ECS_INTERDOMAIN:
		interdomain(cx, e, c, end);
		break;
	case XPV_ECS_PIRQ:
		physical(cx, e, c, end);
		break;
	case XPV_ECS_VIRQ:
		end->virq = mdb_v_uint(c->virq);
		end->text = mdb_tmp_printf(cx, "virq %u%s%s", c->virq,
			virq_name(c->virq) != NULL ? " " : "",
			virq_name(c->virq) != NULL ? virq_name(c->virq) : "");
		break;
	default:
		break;
	}
	if (c->consumer != 0)
		end->text = mdb_tmp_printf(cx, "%s%s", end->text,
			consumer(cx, e->domain.world, c->consumer));
}

/* ---- rows ----------------------------------------------------------------
 */

static struct mdb_value
bit_value(const struct xpv_evtchn *c, bool bit)
{
	if (c->bits == MDB_OK)
		return mdb_v_bool(bit);
	return c->bits == MDB_E_NOTFOUND ? mdb_v_none() : mdb_v_error(c->bits);
}

/* Bits 29 linked, 28 busy, the low 17 the next port of the queue. */
static const char *
word_text(struct mdb_ctx *cx, const struct xpv_evtchn *c)
{
	uint32_t w = c->word;

	if ((w >> 28 & 3) == 0)
		return "";
	return mdb_tmp_printf(cx, "%s%s%s",
		(w >> 29 & 1) != 0
			? (w & 0x1ffff) == 0
				  ? "linked, last"
				  : mdb_tmp_printf(cx, "linked to %u",
					    w & 0x1ffff)
			: "",
		(w >> 28 & 3) == 3 ? ", " : "", (w >> 28 & 1) ? "busy" : "");
}

static enum mdb_status
row(struct mdb_ctx *cx, const struct xpv_evtchns *e, const struct xpv_evtchn *c)
{
	bool fifo = e->fifo && c->bits == MDB_OK;
	enum mdb_trust trust = xpv_evtchn_trust(cx, e->domain.world);
	struct end end;

	other_end(cx, e, c, &end);
	struct mdb_value v[] = {
		mdb_v_addr(c->loc),
		mdb_v_text(xpv_domid_name(cx, e->domid)),
		mdb_v_uint(c->port),
		xpv_trusted(trust, mdb_v_text(state_name(c->state))),
		xpv_trusted(e->bits_trust, bit_value(c, c->pending)),
		xpv_trusted(e->bits_trust, bit_value(c, c->masked)),
		xpv_trusted(trust, mdb_v_uint(c->vcpu)),
		fifo ? xpv_trusted(trust, mdb_v_uint(c->priority))
		     : mdb_v_none(),
		fifo ? xpv_trusted(e->bits_trust, mdb_v_text(word_text(cx, c)))
		     : mdb_v_none(),
		xpv_trusted(trust, end.domain),
		xpv_trusted(trust, end.port),
		xpv_trusted(trust, end.pirq),
		xpv_trusted(trust, end.irq),
		xpv_trusted(trust, end.virq),
		*end.text == '\0' ? mdb_v_none()
				  : xpv_trusted(trust, mdb_v_text(end.text)),
	};

	return mdb_row(cx, &xpv_evtchn_table, v);
}

struct wanted {
	const struct mdb_call *call;
	bool one;
	uint64_t port;
};

/* A channel that cannot be read is said, and the others are still shown. */
static enum mdb_status
domain_rows(struct mdb_ctx *cx, struct mdb_loc domain, void *arg)
{
	const struct wanted *w = arg;
	struct xpv_evtchns e;
	struct xpv_evtchn c;
	enum mdb_status st = xpv_evtchns_get(cx, domain, &e);

	if (st == MDB_OK && w->one) {
		st = xpv_evtchn_read(cx, &e, w->port, &c);
		return st == MDB_OK ? row(cx, &e, &c) : st;
	}
	for (uint64_t port = 1; port < e.nr_ports && st == MDB_OK; port++) {
		st = xpv_evtchn_read(cx, &e, port, &c);
		if (st == MDB_E_CORRUPT || mdb_is_fault(st)) {
			mdb_warn(cx, st, "an event channel is not shown");
			st = mdb_check_interrupt(cx);
			continue;
		}
		if (st != MDB_OK)
			break;
		if (c.state == XPV_ECS_FREE && !mdb_opt(w->call, 'a'))
			continue;
		if (mdb_opt(w->call, 'p') && !(c.bits == MDB_OK && c.pending))
			continue;
		st = row(cx, &e, &c);
	}
	return st;
}

enum mdb_status
xpv_evtchn_cmd(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct wanted w = { .call = call };
	enum mdb_status st = MDB_OK;

	if (call->argc > 1)
		return mdb_fail(cx, MDB_E_USAGE, "one port, or all");
	if (call->argc == 1) {
		w.one = true;
		st = mdb_eval_expr(cx, call->argv[0], &w.port);
	}
	if (st != MDB_OK)
		return st;
	return xpv_each_meant(cx, call, true, domain_rows, &w);
}

/* ---- the walker ----------------------------------------------------------
 */

static enum mdb_status
walk_add(struct mdb_ctx *cx, struct mdb_loc domain, void *arg)
{
	struct xpv_evtchns e;
	struct xpv_evtchn c;
	enum mdb_status st = xpv_evtchns_get(cx, domain, &e);

	for (uint64_t port = 1; port < e.nr_ports && st == MDB_OK; port++) {
		st = xpv_evtchn_read(cx, &e, port, &c);
		if (st == MDB_OK && c.state != XPV_ECS_FREE)
			st = xpv_found_add(cx, c.loc, arg);
		if (st == MDB_OK)
			st = mdb_check_interrupt(cx);
	}
	return st;
}

enum mdb_status
xpv_walk_evtchn_init(struct mdb_ctx *cx, struct mdb_walk *w)
{
	struct xpv_found *f = mdb_tmp(cx, sizeof(*f));
	enum mdb_status st = xpv_world(cx, &f->world);

	w->state = f;
	if (st != MDB_OK)
		return st;
	return w->has_start ? walk_add(cx, w->start, f)
			    : xpv_each_domain(cx, f->world, walk_add, f);
}
