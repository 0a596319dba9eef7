/* SPDX-License-Identifier: MIT */
/*
 * ::xenirq: interrupts of the machine, and whom they are for.
 *
 * An interrupt that guests handle has an irq_guest_action_t where others have
 * their struct irqaction (xen/arch/x86/irq.c).
 */
#include "irq.h"
#include "evtchn.h"

#include <inttypes.h>

#define MAX_IRQS 65536u
#define MAX_GUESTS 128u
#define IRQ_GUEST (1u << 4)

static const struct mdb_column columns[] = {
	{ "addr", "ADDR", MDB_WIDTH_ADDR,
		MDB_COL_LEFT | MDB_COL_PIPE | MDB_COL_ZERO, 'v',
		"its struct irq_desc" },
	{ "irq", "IRQ", 4, 0, 0, "number of the interrupt, decimal" },
	{ "vector", "VEC", 3, 0, 0, "the processor's vector, hex" },
	{ "type", "TYPE", 15, MDB_COL_LEFT, 0, "who delivers it" },
	{ "affinity", "AFFINITY", 9, MDB_COL_LEFT, 0,
		"processors that it may go to" },
	{ "cpus", "CPUS", 7, MDB_COL_LEFT, 0,
		"processors that have its vector" },
	{ "raw_status", "", 0, MDB_COL_JSON_ONLY, 0,
		"IRQ_ flags, as they are" },
	{ "status", "STATUS", 18, MDB_COL_LEFT, 0, "IRQ_ flags in words" },
	{ "in_flight", "FLY", 3, 0, 0, "guests that have not ended it yet" },
	{ "action", "ACTION", 0, MDB_COL_LEFT, 0,
		"guests and their pirqs and ports; or Xen's handler" },
	{ NULL },
};

const struct mdb_table xpv_irq_table = { .name = "irqs", .columns = columns };

const struct mdb_option xpv_irq_options[] = {
	{ 'd', MDB_OPT_EXPR, "domid", "those that this domain handles" },
	{ 'a', MDB_OPT_FLAG, NULL, "those without a type, too" },
	{ 'v', MDB_OPT_FLAG, NULL, "addresses" },
	{ 0 },
};

const struct mdb_example xpv_irq_examples[] = {
	{ "::xenirq", "all interrupts in use" },
	{ "::xenirq 9", "interrupt 9" },
	{ "::xenirq -d 0", "those that domain 0 handles" },
	{ NULL },
};

struct desc {
	uint32_t status;
	mdb_addr_t handler, action;
	int32_t irq;
	int16_t vector;
};

enum {
	F_STATUS = 0,
	F_VECTOR = 4
};

static const struct mdb_field desc_fields[] = {
	MDB_FIELD(struct desc, status, "status"),
	MDB_FIELD(struct desc, handler, "handler"),
	MDB_FIELD(struct desc, action, "action"),
	MDB_FIELD(struct desc, irq, "irq"),
	MDB_FIELD(struct desc, vector, "arch.vector"),
	MDB_FIELD_END,
};

static const struct mdb_shape desc_shape = { "struct irq_desc", desc_fields };

struct guests {
	uint8_t count, in_flight;
	mdb_addr_t guest;
	/* and what came of it */
	const char *text;
	bool has_it;   /* the domain asked for is among them */
	bool led_back; /* the pirq of one is this interrupt */
};

static const struct mdb_field guests_fields[] = {
	MDB_FIELD(struct guests, count, "nr_guests"),
	MDB_FIELD(struct guests, in_flight, "in_flight"),
	MDB_FIELD_ADDR(struct guests, guest, "guest"),
	MDB_FIELD_END,
};

static const struct mdb_shape guests_shape = { "irq_guest_action_t",
	guests_fields };

struct irqs {
	const struct mdb_call *call;
	struct mdb_loc table;
	uint64_t nr, len;
	enum mdb_trust trust; /* of status and action */
	bool selected;
	mdb_addr_t only;
};

/* ---- whom it is for ------------------------------------------------------
 */

static const char *
port_state(struct mdb_ctx *cx, struct mdb_loc domain, uint64_t port)
{
	struct xpv_evtchns e;
	struct xpv_evtchn c = { .bits = MDB_E_NOTFOUND };
	enum mdb_status st = xpv_evtchns_get(cx, domain, &e);

	if (st == MDB_OK)
		st = xpv_evtchn_read(cx, &e, port, &c);
	mdb_forget(cx);
	if (st != MDB_OK || c.bits != MDB_OK)
		return "";
	return c.pending  ? c.masked ? ", pending, masked" : ", pending"
	       : c.masked ? ", masked"
			  : "";
}

/* The pirq that is this irq by a tree at an offset of the domain, which must
 * say so, too (domain_irq_to_pirq: the item is pirq << 2 | 2). */
static bool
pirq_in(struct mdb_ctx *cx, struct mdb_loc domain, uint64_t tree, uint64_t irq,
	uint64_t *pirq_out)
{
	uint64_t item = 0, back = 0, port;
	bool masked;
	bool found = xpv_radix_lookup(cx, mdb_at(domain, domain.addr + tree),
			     irq, &item) == MDB_OK &&
		     (item & 3) == 2 && item >> 2 < MAX_IRQS &&
		     xpv_pirq_read(cx, domain, item >> 2, &back, &port,
			     &masked) == MDB_OK &&
		     back == irq;

	mdb_forget(cx);
	*pirq_out = item >> 2;
	return found;
}

/* Where types do not tell it, the tree is looked for, once for all. */
static bool
pirq_by_tree(struct mdb_ctx *cx, struct mdb_loc domain, uint64_t irq,
	uint64_t *pirq_out)
{
	struct xpv_state *s = xpv_state(cx, domain.world);
	uint64_t tree = 0;

	if (mdb_offset_of(cx, domain.world, "struct domain", "arch.irq_pirq\0",
		    &tree) == MDB_OK &&
		pirq_in(cx, domain, tree, irq, pirq_out))
		return true;
	mdb_forget(cx);
	if (s->irqs_found)
		return pirq_in(cx, domain, s->irqs, irq, pirq_out);
	for (uint64_t at = 0; at + 16 < XPV_DOMAIN_ROOM; at += 8) {
		if (!pirq_in(cx, domain, at, irq, pirq_out))
			continue;
		s->irqs_found = true;
		s->irqs = at;
		return true;
	}
	return false;
}

/* By its event channels, where that tree is not where it is thought to be. */
static bool
pirq_by_port(struct mdb_ctx *cx, struct mdb_loc domain, uint64_t irq,
	uint64_t *pirq_out, bool *lost_out)
{
	struct xpv_evtchns e;
	bool found = false;
	enum mdb_status st = xpv_evtchns_get(cx, domain, &e);

	*lost_out = mdb_is_fault(st);
	if (st != MDB_OK)
		e.nr_ports = 0;
	for (uint64_t i = 1; i < e.nr_ports && !found; i++) {
		struct xpv_evtchn c;
		uint64_t back = 0, port;
		bool masked;

		st = xpv_evtchn_read(cx, &e, i, &c);
		if (st == MDB_OK && c.state == XPV_ECS_PIRQ) {
			*pirq_out = c.pirq;
			st = xpv_pirq_read(cx, domain, c.pirq, &back, &port,
				&masked);
			found = st == MDB_OK && back == irq;
		}
		*lost_out = *lost_out || mdb_is_fault(st);
	}
	mdb_forget(cx);
	return found;
}

/* "d0 pirq 9 (port 15)" */
static const char *
guest_text(struct mdb_ctx *cx, const struct irqs *q, mdb_addr_t domain,
	uint64_t irq, bool *led_back_out)
{
	struct mdb_loc loc = mdb_at(q->table, domain);
	const char *name = xpv_owner_name(cx, loc.world, domain);
	uint64_t pirq = 0, back = 0, port = 0;
	bool masked = false, lost = false;

	if ((!pirq_by_tree(cx, loc, irq, &pirq) &&
		    !pirq_by_port(cx, loc, irq, &pirq, &lost)) ||
		xpv_pirq_read(cx, loc, pirq, &back, &port, &masked) != MDB_OK) {
		mdb_forget(cx);
		return mdb_tmp_printf(cx, "%s, its pirq is %s", name,
			lost ? "unreadable" : "not found");
	}
	*led_back_out = true;
	return mdb_tmp_printf(cx, "%s pirq %" PRIu64 " (%s%s)", name, pirq,
		port == 0 ? "no port"
			  : mdb_tmp_printf(cx, "port %" PRIu64 "%s", port,
				    port_state(cx, loc, port)),
		masked ? ", pirq masked" : "");
}

/* What guests have it. */
static enum mdb_status
guests_text(struct mdb_ctx *cx, const struct irqs *q, const struct desc *d,
	struct guests *g)
{
	const char *text = "";
	enum mdb_status st;

	*g = (struct guests){ 0 };
	st = mdb_read_shape(cx, &guests_shape, mdb_at(q->table, d->action), g);
	if (st != MDB_OK)
		return st;
	if (g->count > MAX_GUESTS)
		return mdb_fail(cx, MDB_E_CORRUPT, "irq %d has %u guests",
			d->irq, g->count);
	for (unsigned int i = 0; i < g->count; i++) {
		mdb_addr_t domain;

		st = mdb_read_ptr(cx, mdb_at(q->table, g->guest + 8ull * i),
			&domain);
		if (st != MDB_OK)
			return st;
		g->has_it |= domain == q->only;
		text = mdb_tmp_printf(cx, "%s%s%s", text, i > 0 ? ", " : "",
			guest_text(cx, q, domain, (uint64_t)d->irq,
				&g->led_back));
	}
	g->text = text;
	return MDB_OK;
}

/* The handler is the start of a function, or is not where it should be. */
static const char *
handler_text(struct mdb_ctx *cx, const struct irqs *q, const struct desc *d)
{
	struct mdb_loc loc = mdb_at(q->table, d->action);
	struct mdb_sym sym;
	enum mdb_status st;

	if (d->action == 0)
		return "mapped, unbound";
	st = xpv_member_ptr(cx, loc, "struct irqaction", "handler\0", &loc);
	if (st == MDB_OK)
		st = mdb_sym_by_addr(cx, loc, false, &sym);
	if (st == MDB_OK && sym.value == loc.addr)
		return mdb_sym_format(cx, loc);
	mdb_forget(cx);
	return mdb_tmp_printf(cx, "<its handler is %s>",
		st == MDB_OK ? "not found" : mdb_status_name(st));
}

/* ---- rows ----------------------------------------------------------------
 */

/* Anything else is no name of a type. */
static bool
is_text(const char *text)
{
	const char *c = text;

	while (*c > ' ' && *c <= '~')
		c++;
	return c != text && *c == '\0';
}

static const char *
type_text(struct mdb_ctx *cx, const struct irqs *q, const struct desc *d)
{
	uint64_t name = 0;
	char *buf = mdb_tmp(cx, 32);
	enum mdb_status st = xpv_member(cx, mdb_at(q->table, d->handler),
		"struct hw_interrupt_type", "typename\0", &name);

	if (st == MDB_OK)
		st = mdb_read_str(cx, mdb_at(q->table, name), buf, 32);
	if (st == MDB_OK && !is_text(buf))
		st = MDB_E_CORRUPT;
	if (st == MDB_OK)
		return buf;
	mdb_forget(cx);
	return mdb_tmp_printf(cx, "<%s>", mdb_status_name(st));
}

static const struct xpv_bit status_bits[] = {
	{ 1 << 0, "in-progress" },
	{ 1 << 1, "disabled" },
	{ 1 << 2, "pending" },
	{ 1 << 3, "replay" },
	{ 1 << 4, "guest" },
	{ 1 << 5, "move-pending" },
	{ 1 << 6, "per-cpu" },
	{ 1 << 7, "eoi-pending" },
	{ 1 << 8, "shared" },
	{ 0, NULL },
};

/* Is the vector that interrupt's on a processor?  (per-CPU vector_irq) */
static bool
vector_agrees(struct mdb_ctx *cx, const struct irqs *q, const struct desc *d)
{
	bool agrees = false;
	int cpu = -1;

	while (!agrees && d->vector >= 0 && d->vector < 256 &&
		mdb_cpu_next(cx, q->table.world, &cpu) == MDB_OK) {
		struct mdb_loc loc;
		uint64_t irq = 0;

		agrees = xpv_percpu_loc(cx, q->table.world, "vector_irq", cpu,
				 &loc) == MDB_OK &&
			 mdb_read_uint(cx,
				 mdb_at(loc,
					 loc.addr + 4ull * (uint64_t)d->vector),
				 4, &irq) == MDB_OK &&
			 irq == (uint64_t)d->irq;
	}
	mdb_forget(cx);
	return agrees;
}

static enum mdb_status
desc_row(struct mdb_ctx *cx, const struct irqs *q, mdb_addr_t at,
	const struct desc *d)
{
	const char *type = type_text(cx, q, d), *action = "";
	bool guest = (d->status & IRQ_GUEST) != 0 && d->action != 0;
	struct guests g = { 0 }; /* of no guest: empty */

	if (guest) {
		enum mdb_status st = guests_text(cx, q, d, &g);

		if (st != MDB_OK) {
			g.text = mdb_tmp_printf(cx, "<%s>",
				st == MDB_E_CORRUPT ? mdb_trail(cx)
						    : mdb_status_name(st));
			mdb_forget(cx);
			guest = false;
		}
		action = g.text;
	} else {
		action = handler_text(cx, q, d);
	}
	if (q->selected && !g.has_it)
		return MDB_OK;
	enum mdb_trust trust = g.led_back ? MDB_TRUST_PROVEN : q->trust;
	enum mdb_trust vector_trust =
		vector_agrees(cx, q, d) ? MDB_TRUST_PROVEN
					: mdb_shape_trust(cx, q->table.world,
						  &desc_shape, F_VECTOR);
	struct mdb_value v[] = {
		mdb_v_addr(mdb_at(q->table, at)),
		mdb_v_int(d->irq),
		d->vector < 0
			? mdb_v_none()
			: xpv_trusted(vector_trust,
				  mdb_v_hex((uint64_t)(uint16_t)d->vector)),
		mdb_v_cstr(type),
		xpv_cpus_cell(cx, mdb_at(q->table, at), "struct irq_desc",
			"affinity\0"),
		xpv_cpus_cell(cx, mdb_at(q->table, at), "struct irq_desc",
			"arch.cpu_mask\0"),
		xpv_trusted(trust, mdb_v_hex(d->status)),
		xpv_trusted(trust,
			mdb_v_text(xpv_words(cx, status_bits, d->status))),
		guest ? xpv_trusted(trust, mdb_v_uint(g.in_flight))
		      : mdb_v_none(),
		xpv_trusted(trust, mdb_v_text(action)),
	};

	return mdb_row(cx, &xpv_irq_table, v);
}

/* A descriptor without a type is of an interrupt that is not there. */
static bool
is_in_use(struct mdb_ctx *cx, const struct irqs *q, const struct desc *d)
{
	const char *type;

	if (d->handler == 0)
		return false;
	type = type_text(cx, q, d);
	return !(type[0] == 'n' && type[1] == 'o' && type[2] == 'n' &&
		 type[3] == 'e' && type[4] == '\0');
}

static enum mdb_status
irq_row(struct mdb_ctx *cx, const struct irqs *q, uint64_t irq, bool always)
{
	mdb_addr_t at = q->table.addr + irq * q->len;
	struct desc d;
	enum mdb_status st =
		mdb_read_shape(cx, &desc_shape, mdb_at(q->table, at), &d);

	if (st == MDB_OK && d.irq != (int64_t)irq)
		st = mdb_fail(cx, MDB_E_CORRUPT,
			"the struct irq_desc at %" PRIx64
			" says that it is of irq %d",
			at, d.irq);
	if (st != MDB_OK)
		return mdb_context(cx, st, "irq %" PRIu64, irq);
	if (!always && !is_in_use(cx, q, &d))
		return MDB_OK;
	return desc_row(cx, q, at, &d);
}

/* A guest's pirq that leads back has proven what led to it, for all. */
static void
trust_get(struct mdb_ctx *cx, struct irqs *q)
{
	struct guests g;
	struct desc d;

	q->trust = mdb_shape_trust(cx, q->table.world, &desc_shape, F_STATUS);
	for (uint64_t i = 0; i < q->nr && q->trust == MDB_TRUST_UNPROVEN; i++) {
		struct mdb_loc at =
			mdb_at(q->table, q->table.addr + i * q->len);

		if (mdb_read_shape(cx, &desc_shape, at, &d) == MDB_OK &&
			d.irq == (int64_t)i && (d.status & IRQ_GUEST) != 0 &&
			d.action != 0 && guests_text(cx, q, &d, &g) == MDB_OK &&
			g.led_back)
			q->trust = MDB_TRUST_PROVEN;
	}
	mdb_forget(cx);
}

static enum mdb_status
irqs_get(struct mdb_ctx *cx, const struct mdb_call *call, struct irqs *q)
{
	struct mdb_world *w;
	struct mdb_loc domain = { 0 };
	enum mdb_status st = xpv_world(cx, &w);

	*q = (struct irqs){ .call = call };
	if (st == MDB_OK && mdb_world_word(w) != 8)
		st = mdb_fail(cx, MDB_E_UNSUPPORTED,
			"only the interrupts of a 64-bit hypervisor are known");
	if (st == MDB_OK) {
		q->table = mdb_kernel_loc(w, 0);
		st = xpv_var_ptr(cx, w, "irq_desc", &q->table.addr);
	}
	if (st == MDB_OK)
		st = xpv_var_uint(cx, w, "nr_irqs", 4, &q->nr);
	if (st == MDB_OK)
		st = xpv_type_len(cx, w, "struct irq_desc", &q->len);
	if (st == MDB_OK && (q->nr == 0 || q->nr > MAX_IRQS))
		st = mdb_fail(cx, MDB_E_CORRUPT, "nr_irqs is %" PRIu64, q->nr);
	if (st == MDB_OK && mdb_opt(call, 'd')) {
		st = xpv_domain_any(cx, w, mdb_opt_uint(call, 'd', 0), &domain);
		q->selected = true;
		q->only = domain.addr;
	}
	if (st == MDB_OK)
		trust_get(cx, q);
	return st;
}

enum mdb_status
xpv_xenirq(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct irqs q;
	uint64_t irq = 0;
	enum mdb_status st = irqs_get(cx, call, &q);

	if (st == MDB_OK && call->argc > 1)
		st = mdb_fail(cx, MDB_E_USAGE, "one interrupt, or all");
	if (st != MDB_OK)
		return st;
	if (call->has_addr) {
		irq = (call->loc.addr - q.table.addr) / q.len;
		if (call->loc.addr < q.table.addr || irq >= q.nr)
			return mdb_fail(cx, MDB_E_NOTFOUND,
				"%" PRIx64 " is no struct irq_desc",
				call->loc.addr);
		return irq_row(cx, &q, irq, true);
	}
	if (call->argc == 1) {
		st = mdb_eval_expr(cx, call->argv[0], &irq);
		if (st == MDB_OK && irq >= q.nr)
			st = mdb_fail(cx, MDB_E_NOTFOUND,
				"there is no irq %" PRIu64, irq);
		return st == MDB_OK ? irq_row(cx, &q, irq, true) : st;
	}
	for (; irq < q.nr && st == MDB_OK; irq++) {
		st = irq_row(cx, &q, irq, mdb_opt(call, 'a'));
		if (st == MDB_E_CORRUPT || mdb_is_fault(st)) {
			mdb_warn(cx, st, "an interrupt is not shown");
			st = MDB_OK;
		}
	}
	return st;
}

/* ---- the walker ----------------------------------------------------------
 */

struct walk {
	struct irqs irqs;
	uint64_t next;
};

enum mdb_status
xpv_walk_irq_init(struct mdb_ctx *cx, struct mdb_walk *w)
{
	static const struct mdb_call none = { .name = "irq_desc" };
	struct walk *walk = mdb_tmp(cx, sizeof(*walk));

	w->state = walk;
	return irqs_get(cx, &none, &walk->irqs);
}

enum mdb_status
xpv_walk_irq_step(struct mdb_ctx *cx, struct mdb_walk *w,
	struct mdb_loc *loc_out)
{
	struct walk *walk = w->state;
	const struct irqs *q = &walk->irqs;

	(void)cx;
	if (walk->next == q->nr)
		return MDB_DONE;
	*loc_out = mdb_at(q->table, q->table.addr + walk->next++ * q->len);
	return MDB_OK;
}
