/* SPDX-License-Identifier: MIT */
/*
 * Where a port's struct evtchn is, and what it says.
 *
 * Pending and masked are the guest's to see: bits in the page that it shares
 * with the hypervisor (2-level), or a word in pages of its own that it gave to
 * it (FIFO; xen/include/public/event_channel.h).
 */
#include "evtchn.h"

#include <inttypes.h>

#define FIFO_PENDING (1u << 31)
#define FIFO_MASKED (1u << 30)
#define MAX_PORTS (1u << 17) /* EVTCHN_FIFO_NR_CHANNELS */

struct domain {
	uint32_t valid;
	mdb_addr_t evtchn, groups, fifo, shared;
	uint8_t is_32;
};

enum {
	F_IS_32 = 5
};

static const struct mdb_field domain_fields[] = {
	MDB_FIELD(struct domain, valid, "valid_evtchns\0max_evtchns"),
	MDB_FIELD(struct domain, evtchn, "evtchn"),
	MDB_FIELD_ADDR(struct domain, groups, "evtchn_group"),
	MDB_FIELD_OPT(struct domain, fifo, "evtchn_fifo"),
	MDB_FIELD(struct domain, shared, "shared_info"),
	[F_IS_32] =
		MDB_FIELD_OPT(struct domain, is_32, "arch.has_32bit_shinfo"),
	MDB_FIELD_END,
};

static const struct mdb_shape domain_shape = { "struct domain", domain_fields };

struct fifo {
	mdb_addr_t words;
	uint32_t nr;
};

static const struct mdb_field fifo_fields[] = {
	MDB_FIELD_ADDR(struct fifo, words, "event_array"),
	MDB_FIELD(struct fifo, nr, "num_evtchns"),
	MDB_FIELD_END,
};

static const struct mdb_shape fifo_shape = { "struct evtchn_fifo_domain",
	fifo_fields };

struct channel {
	uint8_t state, consumer, priority;
	uint16_t vcpu, unbound;
	uint32_t port, remote_port, pirq, virq;
	mdb_addr_t remote;
};

enum {
	F_UNBOUND = 5,
	F_REMOTE,
	F_REMOTE_PORT,
	F_PIRQ,
	F_VIRQ
};

static const struct mdb_field channel_fields[] = {
	MDB_FIELD(struct channel, state, "state"),
	MDB_FIELD_OPT(struct channel, consumer, "xen_consumer"),
	MDB_FIELD(struct channel, port, "port"),
	MDB_FIELD(struct channel, vcpu, "notify_vcpu_id"),
	MDB_FIELD_OPT(struct channel, priority, "priority"),
	MDB_FIELD_OPT(struct channel, unbound, "u.unbound.remote_domid"),
	MDB_FIELD_OPT(struct channel, remote, "u.interdomain.remote_dom"),
	MDB_FIELD_OPT(struct channel, remote_port, "u.interdomain.remote_port"),
	MDB_FIELD_OPT(struct channel, pirq, "u.pirq.irq"),
	MDB_FIELD_OPT(struct channel, virq, "u.virq"),
	MDB_FIELD_END,
};

static const struct mdb_shape channel_shape = { "struct evtchn",
	channel_fields };

/* Is the other end of a channel in that state where the types have it? */
static bool
end_is_known(struct mdb_ctx *cx, struct mdb_world *w, uint32_t state)
{
	switch (state) {
	case XPV_ECS_UNBOUND:
		return mdb_shape_has(cx, w, &channel_shape, F_UNBOUND);
	case XPV_ECS_INTERDOMAIN:
		return mdb_shape_has(cx, w, &channel_shape, F_REMOTE) &&
		       mdb_shape_has(cx, w, &channel_shape, F_REMOTE_PORT);
	case XPV_ECS_PIRQ:
		return mdb_shape_has(cx, w, &channel_shape, F_PIRQ);
	case XPV_ECS_VIRQ:
		return mdb_shape_has(cx, w, &channel_shape, F_VIRQ);
	default:
		return true;
	}
}

/* ---- the domain ----------------------------------------------------------
 */

/*
 * As many pages of words as their number says, and none behind
 * (xen/common/event_fifo.c: add_page_to_event_array).
 */
static bool
words_agree(struct mdb_ctx *cx, const struct xpv_evtchns *e)
{
	uint64_t per = XPV_PAGE_LEN / 4, nr = e->nr_words / per;
	mdb_addr_t page = 0;
	bool agree = nr != 0 && e->nr_words % per == 0;

	for (uint64_t i = 0; i <= nr && i < MAX_PORTS / per && agree; i++)
		agree = mdb_read_ptr(cx, mdb_at(e->domain, e->words + 8 * i),
				&page) == MDB_OK &&
			(page == 0) == (i == nr);
	mdb_forget(cx);
	return agree;
}

static enum mdb_trust
words_trust(struct mdb_ctx *cx, const struct xpv_evtchns *e)
{
	enum mdb_trust worst = MDB_TRUST_EXACT, t;

	for (size_t i = 0; fifo_fields[i].names != NULL; i++) {
		t = mdb_shape_trust(cx, e->domain.world, &fifo_shape, i);
		if (t > worst)
			worst = t;
	}
	return worst == MDB_TRUST_UNPROVEN && words_agree(cx, e)
		       ? MDB_TRUST_PROVEN
		       : worst;
}

static enum mdb_status
fifo_get(struct mdb_ctx *cx, mdb_addr_t at, struct xpv_evtchns *out)
{
	struct fifo f;
	enum mdb_status st =
		mdb_read_shape(cx, &fifo_shape, mdb_at(out->domain, at), &f);

	if (st != MDB_OK)
		return st;
	if (f.nr > MAX_PORTS)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"evtchn_fifo at %" PRIx64 " has words for %u ports", at,
			f.nr);
	out->fifo = true;
	out->words = f.words;
	out->nr_words = f.nr;
	out->bits_trust = words_trust(cx, out);
	return MDB_OK;
}

static enum mdb_status
two_level_get(struct mdb_ctx *cx, mdb_addr_t shared, bool is_32,
	struct xpv_evtchns *out)
{
	const char *type =
		is_32 ? "struct compat_shared_info" : "struct shared_info";
	uint64_t pending, mask;
	enum mdb_status st = mdb_offset_of(cx, out->domain.world, type,
		"evtchn_pending\0", &pending);

	if (st == MDB_OK)
		st = mdb_offset_of(cx, out->domain.world, type, "evtchn_mask\0",
			&mask);
	if (st != MDB_OK)
		return st;
	out->pending = shared + pending;
	out->mask = shared + mask;
	out->nr_bits = is_32 ? 32 * 32 : 64 * 64;
	out->bits_trust =
		mdb_shape_trust(cx, out->domain.world, &domain_shape, F_IS_32);
	if (out->bits_trust == MDB_TRUST_REFUTED)
		out->bits_trust = MDB_TRUST_UNPROVEN;
	return MDB_OK;
}

/* The size of an entry is rounded up to a power of two (xen/sched.h). */
static enum mdb_status
buckets_get(struct mdb_ctx *cx, const struct domain *d, struct xpv_evtchns *out)
{
	struct mdb_type type = { 0 };
	struct mdb_member m;
	uint64_t len = 0, room = 1;
	enum mdb_status st =
		xpv_type_len(cx, out->domain.world, "struct evtchn", &len);

	if (st == MDB_OK)
		st = mdb_type_by_name(cx, out->domain.world, "struct domain",
			&type);
	if (st == MDB_OK)
		st = mdb_type_member(cx, type, "evtchn_group", &m);
	if (st != MDB_OK)
		return st;
	while (room < len && room < XPV_PAGE_LEN)
		room *= 2;
	out->entry_len = len;
	out->per_bucket = XPV_PAGE_LEN / room;
	out->first_bucket = d->evtchn;
	out->groups = d->groups;
	out->nr_groups = mdb_type_array_count(mdb_type_resolve(m.type));
	if (len == 0 || len > XPV_PAGE_LEN || d->valid > MAX_PORTS)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"%u ports, each a struct evtchn of %" PRIu64 " bytes",
			d->valid, len);
	return MDB_OK;
}

enum mdb_status
xpv_evtchns_get(struct mdb_ctx *cx, struct mdb_loc domain,
	struct xpv_evtchns *out)
{
	struct domain d;
	enum mdb_status st;

	*out = (struct xpv_evtchns){ .domain = domain };
	st = xpv_domid_of(cx, domain, &out->domid);
	if (st == MDB_OK)
		st = mdb_read_shape(cx, &domain_shape, domain, &d);
	if (st != MDB_OK)
		return mdb_context(cx, st,
			"the event channels of domain %" PRIx64, domain.addr);
	out->nr_ports = d.evtchn == 0 ? 0 : d.valid;
	st = buckets_get(cx, &d, out);
	if (st == MDB_OK && d.fifo != 0)
		st = fifo_get(cx, d.fifo, out);
	else if (st == MDB_OK && d.shared != 0 && d.is_32 <= 1)
		st = two_level_get(cx, d.shared, d.is_32 != 0, out);
	return st == MDB_OK ? st
			    : mdb_context(cx, st, "the event channels of %s",
				      xpv_domid_name(cx, out->domid));
}

/* ---- a channel -----------------------------------------------------------
 */

static enum mdb_status
entry_at(struct mdb_ctx *cx, const struct xpv_evtchns *e, uint64_t port,
	mdb_addr_t *addr_out)
{
	uint64_t buckets = XPV_PAGE_LEN / 8;
	uint64_t group = port / e->per_bucket / buckets;
	mdb_addr_t at;
	enum mdb_status st;

	if (port < e->per_bucket) {
		*addr_out = e->first_bucket + port * e->entry_len;
		return MDB_OK;
	}
	if (group >= e->nr_groups)
		return mdb_fail(cx, MDB_E_RANGE, "port %" PRIu64, port);
	st = mdb_read_ptr(cx, mdb_at(e->domain, e->groups + 8 * group), &at);
	if (st == MDB_OK)
		st = mdb_read_ptr(cx,
			mdb_at(e->domain,
				at + 8 * (port / e->per_bucket % buckets)),
			&at);
	if (st == MDB_OK)
		*addr_out = at + port % e->per_bucket * e->entry_len;
	return st;
}

static enum mdb_status
word_read(struct mdb_ctx *cx, const struct xpv_evtchns *e, uint64_t port,
	uint32_t *word_out)
{
	uint64_t per = XPV_PAGE_LEN / 4, v = 0;
	mdb_addr_t page;
	enum mdb_status st;

	if (port >= e->nr_words)
		return MDB_E_NOTFOUND;
	st = mdb_read_ptr(cx, mdb_at(e->domain, e->words + 8 * (port / per)),
		&page);
	if (st == MDB_OK)
		st = mdb_read_uint(cx,
			mdb_at(e->domain, page + 4 * (port % per)), 4, &v);
	*word_out = (uint32_t)v;
	return st;
}

static enum mdb_status
bit_read(struct mdb_ctx *cx, const struct xpv_evtchns *e, mdb_addr_t map,
	uint64_t port, bool *bit_out)
{
	uint64_t byte = 0;
	enum mdb_status st =
		mdb_read_uint(cx, mdb_at(e->domain, map + port / 8), 1, &byte);

	*bit_out = (byte >> port % 8 & 1) != 0;
	return st;
}

static void
bits_read(struct mdb_ctx *cx, const struct xpv_evtchns *e,
	struct xpv_evtchn *out)
{
	out->bits = MDB_E_NOTFOUND;
	if (out->consumer != 0 || out->state <= XPV_ECS_RESERVED)
		return;
	if (e->fifo) {
		out->bits = word_read(cx, e, out->port, &out->word);
		out->pending = (out->word & FIFO_PENDING) != 0;
		out->masked = (out->word & FIFO_MASKED) != 0;
	} else if (e->pending == 0) {
		out->bits = MDB_E_UNSUPPORTED; /* where they are */
	} else if (out->port < e->nr_bits) {
		out->bits =
			bit_read(cx, e, e->pending, out->port, &out->pending);
		if (out->bits == MDB_OK)
			out->bits = bit_read(cx, e, e->mask, out->port,
				&out->masked);
	}
	mdb_forget(cx);
}

enum mdb_status
xpv_evtchn_read(struct mdb_ctx *cx, const struct xpv_evtchns *e, uint64_t port,
	struct xpv_evtchn *out)
{
	struct channel c;
	struct mdb_loc loc = e->domain;
	enum mdb_status st = MDB_OK;

	if (port >= e->nr_ports)
		return mdb_fail(cx, MDB_E_RANGE, "%s has no port %" PRIu64,
			xpv_domid_name(cx, e->domid), port);
	st = entry_at(cx, e, port, &loc.addr);
	if (st == MDB_OK)
		st = mdb_read_shape(cx, &channel_shape, loc, &c);
	if (st == MDB_OK && c.port != port)
		st = mdb_fail(cx, MDB_E_CORRUPT,
			"the struct evtchn at %" PRIx64
			" says that it is of port %u",
			loc.addr, c.port);
	if (st == MDB_OK && c.state >= XPV_NR_ECS)
		st = mdb_fail(cx, MDB_E_CORRUPT,
			"the struct evtchn at %" PRIx64 " is in state %u",
			loc.addr, c.state);
	if (st != MDB_OK)
		return mdb_context(cx, st, "port %" PRIu64 " of %s", port,
			xpv_domid_name(cx, e->domid));
	*out = (struct xpv_evtchn){ .loc = loc,
		.port = c.port,
		.state = c.state,
		.end_known = end_is_known(cx, loc.world, c.state),
		.consumer = c.consumer,
		.vcpu = c.vcpu,
		.priority = c.priority,
		.unbound_domid = c.unbound,
		.remote_domain = c.remote,
		.remote_port = c.remote_port,
		.pirq = c.pirq,
		.virq = c.virq };
	bits_read(cx, e, out);
	return MDB_OK;
}

/* ---- physical interrupts of a domain -------------------------------------
 */

struct pirq {
	int32_t pirq, irq;
	uint32_t evtchn;
	uint8_t masked;
};

static const struct mdb_field pirq_fields[] = {
	MDB_FIELD(struct pirq, pirq, "pirq"),
	MDB_FIELD(struct pirq, evtchn, "evtchn"),
	MDB_FIELD(struct pirq, masked, "masked"),
	MDB_FIELD(struct pirq, irq, "arch.irq"),
	MDB_FIELD_END,
};

static const struct mdb_shape pirq_shape = { "struct pirq", pirq_fields };

/* The pirq in the tree at an offset of the domain; it says its number. */
static enum mdb_status
pirq_in(struct mdb_ctx *cx, struct mdb_loc domain, uint64_t tree, uint64_t pirq,
	struct pirq *p)
{
	uint64_t item = 0;
	enum mdb_status st = xpv_radix_lookup(cx,
		mdb_at(domain, domain.addr + tree), pirq, &item);

	if (st == MDB_OK && item == 0)
		return MDB_E_NOTFOUND;
	if (st == MDB_OK)
		st = mdb_read_shape(cx, &pirq_shape, mdb_at(domain, item), p);
	if (st == MDB_OK && p->pirq != (int64_t)pirq)
		st = mdb_fail(cx, MDB_E_CORRUPT,
			"the struct pirq at %" PRIx64 " says that it is of "
			"pirq %d",
			item, p->pirq);
	return st;
}

/*
 * Where another release has the tree elsewhere: it is the one in struct domain
 * under which a struct pirq of that number lies.  Found once for all domains.
 */
static enum mdb_status
pirq_sought(struct mdb_ctx *cx, struct mdb_loc domain, uint64_t pirq,
	struct pirq *p)
{
	struct xpv_state *s = xpv_state(cx, domain.world);

	if (s->pirqs_found)
		return pirq_in(cx, domain, s->pirqs, pirq, p);
	for (uint64_t at = 0; at + 16 < XPV_DOMAIN_ROOM; at += 8) {
		enum mdb_status st = pirq_in(cx, domain, at, pirq, p);

		mdb_forget(cx);
		if (st != MDB_OK)
			continue;
		s->pirqs_found = true;
		s->pirqs = at;
		return MDB_OK;
	}
	return mdb_fail(cx, MDB_E_NOTFOUND,
		"where domains have their pirqs is not found");
}

enum mdb_status
xpv_pirq_read(struct mdb_ctx *cx, struct mdb_loc domain, uint64_t pirq,
	uint64_t *irq_out, uint64_t *port_out, bool *masked_out)
{
	struct pirq p = { 0 };
	uint64_t tree = 0;
	enum mdb_status st = mdb_offset_of(cx, domain.world, "struct domain",
		"pirq_tree\0", &tree);

	if (st == MDB_OK)
		st = pirq_in(cx, domain, tree, pirq, &p);
	if (st != MDB_OK && st != MDB_E_NOTFOUND)
		st = pirq_sought(cx, domain, pirq, &p);
	if (st != MDB_OK && st != MDB_E_NOTFOUND)
		return st;
	mdb_forget(cx);
	*irq_out = p.irq > 0 ? (uint64_t)p.irq : 0;
	*port_out = p.evtchn;
	*masked_out = p.masked != 0;
	return MDB_OK;
}

/* ---- trust ---------------------------------------------------------------
 */

#define MAX_TESTED 4096u

struct evidence {
	unsigned int tested, led_back, wrong;
};

static void
test_end(struct mdb_ctx *cx, const struct xpv_evtchns *e,
	const struct xpv_evtchn *c, struct evidence *ev)
{
	struct xpv_evtchns other;
	struct xpv_evtchn far;
	uint64_t irq, port = 0;
	bool masked, back = false;

	if (c->state == XPV_ECS_INTERDOMAIN)
		back = xpv_evtchns_get(cx, mdb_at(e->domain, c->remote_domain),
			       &other) == MDB_OK &&
		       xpv_evtchn_read(cx, &other, c->remote_port, &far) ==
			       MDB_OK &&
		       far.remote_domain == e->domain.addr &&
		       far.remote_port == c->port;
	else if (c->state == XPV_ECS_PIRQ)
		back = xpv_pirq_read(cx, e->domain, c->pirq, &irq, &port,
			       &masked) == MDB_OK &&
		       port == c->port;
	else
		return;
	mdb_forget(cx);
	if (back)
		ev->led_back++;
	else
		ev->wrong++;
}

static enum mdb_status
test_domain(struct mdb_ctx *cx, struct mdb_loc domain, void *arg)
{
	struct evidence *ev = arg;
	struct xpv_evtchns e;
	struct xpv_evtchn c;
	struct xpv_domain d;

	if (xpv_domain_read(cx, domain, &d) != MDB_OK ||
		xpv_evtchns_get(cx, domain, &e) != MDB_OK) {
		mdb_forget(cx);
		return MDB_OK;
	}
	for (uint64_t i = 1; i < e.nr_ports && ev->tested < MAX_TESTED; i++) {
		if (xpv_evtchn_read(cx, &e, i, &c) != MDB_OK) {
			mdb_forget(cx);
			ev->wrong++;
			continue;
		}
		ev->tested++;
		if (c.state == XPV_ECS_FREE || !c.end_known)
			continue;
		ev->wrong += d.max_vcpus != 0 && c.vcpu >= d.max_vcpus;
		test_end(cx, &e, &c, ev);
	}
	return MDB_OK;
}

/* So many must agree, and none may disagree. */
#define ENOUGH_PORTS 16u
#define ENOUGH_ENDS 3u

enum mdb_trust
xpv_evtchn_trust(struct mdb_ctx *cx, struct mdb_world *world)
{
	struct xpv_state *s = xpv_state(cx, world);
	struct evidence ev = { 0 };
	enum mdb_trust worst = MDB_TRUST_EXACT;

	if (s->evtchn_tried)
		return s->evtchn_trust;
	for (size_t i = 0; channel_fields[i].names != NULL; i++) {
		enum mdb_trust t =
			mdb_shape_trust(cx, world, &channel_shape, i);

		if (t > worst && t != MDB_TRUST_REFUTED)
			worst = t;
	}
	if (worst == MDB_TRUST_UNPROVEN) {
		if (xpv_each_domain(cx, world, test_domain, &ev) != MDB_OK)
			mdb_forget(cx);
		if (ev.tested >= ENOUGH_PORTS && ev.led_back >= ENOUGH_ENDS &&
			ev.wrong == 0)
			worst = MDB_TRUST_PROVEN;
	}
	s->evtchn_tried = true;
	s->evtchn_trust = worst;
	return worst;
}
