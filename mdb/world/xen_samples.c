/* SPDX-License-Identifier: MIT */
/*
 * The objects that types are tested on, and what they say of each other.
 *
 * Domains and vCPUs are those that xen_vcpu.c recognises without any types;
 * from them the rest is reached by the types under test.  A pointer is right if
 * what it leads to leads back, or is what only it can be.
 */
#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"
#include "mdb/world/xen_trust.h"

#include <stdio.h>
#include <string.h>

#define MAX_DOMAINS 4096u
#define MAX_VCPUS 64u /* of one domain */
#define MAX_PAGES (1u << 22)
#define MAX_PORTS 16u
#define MAX_TIMERS 64u
#define MAX_IRQS 64u

#define DOMID_IO 0x7ff1u /* xen/include/public/xen.h */
#define DOMID_XEN 0x7ff2u
#define FRAME_TABLE 0xffff82e000000000ull /* asm/config.h, without BIGMEM */
#define ECS_VIRQ 5u			  /* xen/include/xen/sched.h */
#define NR_VIRQS 24u
#define VIRQ_TIMER 0u	 /* of each vCPU; xen/include/public/xen.h */
#define TIMER_IN_HEAP 3u /* xen/include/xen/timer.h */

#define DOMAIN "struct domain"
#define VCPU "struct vcpu"
#define CHANNEL "struct evtchn"
#define GRANTS "struct grant_table"
#define PAGE "struct page_info"

static bool
variable(struct mdb_xen_prover *p, const char *name, mdb_addr_t *addr_out)
{
	return mdb_xen_variable(p->cx, p->xen, name, addr_out);
}

/* ---- vCPUs --------------------------------------------------------------- */

static mdb_addr_t
vcpu_at(struct mdb_xen_prover *p, const struct mdb_xen_domain *d, uint32_t i)
{
	uint64_t v;

	return i < d->max_vcpus &&
			       mdb_xen_word(p, d->vcpus + 8 * (uint64_t)i, &v)
		       ? v
		       : 0;
}

/* ---- pages --------------------------------------------------------------- */

static uint64_t
pdx_of(mdb_addr_t addr)
{
	return (addr - MDB_XEN_DIRECTMAP) >> 12;
}

/* struct page_info as bytes: lists have a hundred thousand of them. */
struct page_layout {
	uint64_t size, next, count, owner;
};

static bool
page_layout_get(struct mdb_xen_prover *p, struct page_layout *l)
{
	struct mdb_xen_proof *proof = mdb_xen_proof_of(p, PAGE);

	if (!proof || proof->size < 8 || proof->size > 64)
		return false;
	l->size = proof->size;
	l->next = mdb_xen_member_addr(p, PAGE, "list.next", 0);
	l->count = mdb_xen_member_addr(p, PAGE, "count_info", 0);
	l->owner = mdb_xen_member_addr(p, PAGE, "v.inuse._domain", 0);
	return l->next + 4 <= l->size && l->count + 8 <= l->size &&
	       l->owner + 4 <= l->size;
}

/* Is this a page of the heap that the domain owns?  b is its page_info. */
static enum mdb_xen_evidence
test_owned(struct mdb_xen_prover *p, const struct page_layout *l,
	mdb_addr_t page, mdb_addr_t domain, uint8_t b[64])
{
	if (!mdb_xen_look(p, page, b, l->size))
		return MDB_XEN_SAYS_NOTHING;
	if (mdb_le32(b + l->owner) == pdx_of(domain) &&
		mdb_le64(b + l->count) >> 63 != 0) /* PGC_allocated, asm/mm.h */
		return MDB_XEN_AGREES;
	return mdb_xen_is_wiped(p, page, l->size) ? MDB_XEN_SAYS_NOTHING
						  : MDB_XEN_CONTRADICTS;
}

/*
 * Walks a page_list_head; how many pages, if all are owned and it ends.  What
 * cannot be read says nothing.
 */
static enum mdb_xen_evidence
walk_pages(struct mdb_xen_prover *p, mdb_addr_t domain, const char *list,
	uint64_t *count_out)
{
	mdb_addr_t head = mdb_xen_member_addr(p, DOMAIN, list, domain);
	struct page_layout l = { 0 };
	uint64_t page, tail, link = head;
	uint8_t b[64];

	*count_out = 0;
	if (head == 0 || !page_layout_get(p, &l) ||
		!mdb_xen_word(p, head, &page) ||
		!mdb_xen_word(p, head + 8, &tail))
		return MDB_XEN_SAYS_NOTHING;
	while (*count_out < MAX_PAGES) {
		enum mdb_xen_evidence says = MDB_XEN_CONTRADICTS;

		if (page >= FRAME_TABLE && (page - FRAME_TABLE) % l.size == 0)
			says = test_owned(p, &l, page, domain, b);
		/* What led there may have been wiped. */
		if (says == MDB_XEN_CONTRADICTS && mdb_xen_is_wiped(p, link, 4))
			return MDB_XEN_SAYS_NOTHING;
		if (says != MDB_XEN_AGREES)
			return says;
		++*count_out;
		if (page == tail)
			return MDB_XEN_AGREES;
		link = page + l.next;
		page = FRAME_TABLE + mdb_le32(b + l.next) * l.size;
	}
	return MDB_XEN_CONTRADICTS;
}

static void
test_page_list(struct mdb_xen_prover *p, mdb_addr_t domain, const char *list,
	const char *number)
{
	struct mdb_xen_proof *proof = mdb_xen_proof_of(p, PAGE);
	uint64_t first, count, stated;
	enum mdb_xen_evidence says;

	if (!mdb_xen_value(p, DOMAIN, number, domain, &stated) || !proof ||
		!mdb_xen_word(p, mdb_xen_member_addr(p, DOMAIN, list, domain),
			&first))
		return;
	if (first == 0 && stated == 0)
		return;
	says = walk_pages(p, domain, list, &count);
	mdb_xen_say(p, DOMAIN, list, domain, says);
	if (says != MDB_XEN_AGREES)
		return;
	mdb_xen_say(p, DOMAIN, number, domain,
		mdb_xen_agrees_if(count == stated));
	if (count < 2)
		return;
	mdb_xen_note_member(p, PAGE, "list.next", MDB_XEN_AGREES);
	mdb_xen_note_member(p, PAGE, "count_info", MDB_XEN_AGREES);
	mdb_xen_note_member(p, PAGE, "v.inuse._domain", MDB_XEN_AGREES);
	proof->size_proven = true;
}

static void
test_shared_info(struct mdb_xen_prover *p, mdb_addr_t domain)
{
	enum mdb_xen_evidence says = MDB_XEN_CONTRADICTS;
	struct page_layout l = { 0 };
	uint64_t shared;
	uint8_t b[64];

	if (!page_layout_get(p, &l) ||
		!mdb_xen_value(p, DOMAIN, "shared_info", domain, &shared) ||
		shared == 0)
		return;
	if (shared >= MDB_XEN_DIRECTMAP && shared <= MDB_XEN_RANGE_LAST &&
		shared % 4096 == 0)
		says = test_owned(p, &l, FRAME_TABLE + pdx_of(shared) * l.size,
			domain, b);
	mdb_xen_say(p, DOMAIN, "shared_info", domain, says);
}

/* ---- event channels and grants ------------------------------------------- */

/* All but those of a vCPU's own: timer, debug, profiler, counters
 * (common/event_channel.c: virq_is_global; public/xen.h). */
static bool
is_global(uint64_t virq)
{
	return virq != 0 && virq != 1 && virq != 7 && virq != 13;
}

/* A virtual interrupt's port leads to the vCPU that has it, and back. */
static void
test_virq(struct mdb_xen_prover *p, const struct mdb_xen_domain *d,
	mdb_addr_t channel, uint64_t port)
{
	uint64_t state, virq, id, back;
	char path[32];
	mdb_addr_t vcpu;

	if (!mdb_xen_value(p, CHANNEL, "state", channel, &state) ||
		state != ECS_VIRQ ||
		!mdb_xen_value(p, CHANNEL, "u.virq", channel, &virq) ||
		virq >= NR_VIRQS ||
		!mdb_xen_value(p, CHANNEL, "notify_vcpu_id", channel, &id))
		return;
	(void)snprintf(path, sizeof(path), "virq_to_evtchn[%u]",
		(unsigned int)virq);
	for (uint32_t i = 0; i < d->max_vcpus && i < MAX_VCPUS; i++) {
		vcpu = vcpu_at(p, d, i);
		if (vcpu == 0 || !mdb_xen_value(p, VCPU, path, vcpu, &back) ||
			back != port)
			continue;
		mdb_xen_note_member(p, CHANNEL, "state", MDB_XEN_AGREES);
		mdb_xen_note_member(p, CHANNEL, "u.virq", MDB_XEN_AGREES);
		mdb_xen_note_member(p, VCPU, "virq_to_evtchn", MDB_XEN_AGREES);
		/* A global one may tell another vCPU than it was bound to
		 * (common/event_channel.c: evtchn_bind_vcpu). */
		if (!is_global(virq))
			(void)mdb_xen_expect(p, CHANNEL, "notify_vcpu_id",
				channel, i);
		return;
	}
}

/* Is that the channel of this port? */
static enum mdb_xen_evidence
test_port(struct mdb_xen_prover *p, mdb_addr_t channel, uint64_t port)
{
	uint64_t value;

	if (!mdb_xen_is_own(channel))
		return MDB_XEN_CONTRADICTS;
	if (!mdb_xen_value(p, CHANNEL, "port", channel, &value))
		return MDB_XEN_SAYS_NOTHING;
	if (value == port)
		return MDB_XEN_AGREES;
	return mdb_xen_is_wiped(p,
		       mdb_xen_member_addr(p, CHANNEL, "port", channel), 4)
		       ? MDB_XEN_SAYS_NOTHING
		       : MDB_XEN_CONTRADICTS;
}

/* The first ports, of which some may be lost. */
static enum mdb_xen_evidence
test_ports(struct mdb_xen_prover *p, mdb_addr_t base, uint64_t size)
{
	uint32_t right = 0;

	for (uint32_t i = 1; i < MAX_PORTS; i++) {
		enum mdb_xen_evidence says = test_port(p, base + i * size, i);

		if (says == MDB_XEN_CONTRADICTS)
			return says;
		right += says == MDB_XEN_AGREES;
	}
	return right >= MAX_PORTS / 2 ? MDB_XEN_AGREES : MDB_XEN_SAYS_NOTHING;
}

/*
 * The operations are functions of event channels.  The first, init, is left out
 * where there are two levels (common/event_2l.c).
 */
static enum mdb_xen_evidence
test_ops(struct mdb_xen_prover *p, mdb_addr_t ops)
{
	enum mdb_xen_evidence says = MDB_XEN_SAYS_NOTHING;
	struct mdb_sym sym;
	uint64_t first;

	if (!mdb_xen_is_own(ops))
		return MDB_XEN_CONTRADICTS;
	if (!mdb_xen_word(p, ops, &first) ||
		(first == 0 && !mdb_xen_word(p, ops + 8, &first)))
		return MDB_XEN_SAYS_NOTHING;
	if (first < p->xen->text_start || first >= p->xen->image_end)
		return mdb_xen_is_wiped(p, ops, 8) ? MDB_XEN_SAYS_NOTHING
						   : MDB_XEN_CONTRADICTS;
	if (mdb_xensyms_ops.by_addr(p->cx, p->xen->object, first, false,
		    &sym) == MDB_OK)
		says = strstr(sym.name, "evtchn_") ? MDB_XEN_AGREES
		       : p->xen->is_table_whole	   ? MDB_XEN_CONTRADICTS
						   : MDB_XEN_SAYS_NOTHING;
	mdb_forget(p->cx);
	return says;
}

static void
test_channels(struct mdb_xen_prover *p, const struct mdb_xen_domain *d)
{
	struct mdb_xen_proof *proof = mdb_xen_proof_of(p, CHANNEL);
	enum mdb_xen_evidence says;
	uint64_t base, valid, ops;

	if (!proof || !mdb_xen_value(p, DOMAIN, "evtchn", d->addr, &base) ||
		base == 0)
		return;
	says = test_ports(p, base, proof->size);
	mdb_xen_say(p, DOMAIN, "evtchn", d->addr, says);
	if (says != MDB_XEN_AGREES)
		return;
	mdb_xen_note_member(p, CHANNEL, "port", MDB_XEN_AGREES);
	proof->size_proven = true;
	for (uint32_t i = 1; i < MAX_PORTS; i++)
		test_virq(p, d, base + i * proof->size, i);
	if (mdb_xen_value(p, DOMAIN, "valid_evtchns", d->addr, &valid) &&
		valid > MAX_PORTS && valid <= 1u << 17)
		mdb_xen_say(p, DOMAIN, "valid_evtchns", d->addr,
			valid > 64
				? MDB_XEN_AGREES
				: test_port(p, base + (valid - 1) * proof->size,
					  valid - 1));
	if (mdb_xen_value(p, DOMAIN, "evtchn_port_ops", d->addr, &ops) &&
		ops != 0)
		mdb_xen_say(p, DOMAIN, "evtchn_port_ops", d->addr,
			test_ops(p, ops));
}

/* ---- domains ------------------------------------------------------------- */

static void
test_domain(struct mdb_xen_prover *p, const struct mdb_xen_domain *d)
{
	static const struct mdb_xen_link grants = { DOMAIN, "grant_table",
		GRANTS, "domain" };
	bool idle = d->domid == MDB_XEN_DOMID_IDLE;
	mdb_addr_t there;

	(void)mdb_xen_expect(p, DOMAIN, "domain_id", d->addr, d->domid);
	(void)mdb_xen_expect(p, DOMAIN, "max_vcpus", d->addr, d->max_vcpus);
	(void)mdb_xen_expect(p, DOMAIN, "vcpu", d->addr, d->vcpus);
	for (uint32_t i = 0; i < d->max_vcpus && i < MAX_VCPUS; i++)
		if (vcpu_at(p, d, i))
			mdb_xen_test_vcpu(p, vcpu_at(p, d, i),
				idle ? 0 : vcpu_at(p, d, i + 1));
	mdb_xen_evidence(p, DOMAIN, d->addr);
	if (idle)
		return;
	mdb_xen_test_pool(p, d->addr);
	test_page_list(p, d->addr, "page_list", "tot_pages");
	test_page_list(p, d->addr, "xenpage_list", "xenheap_pages");
	test_shared_info(p, d->addr);
	test_channels(p, d);
	if (mdb_xen_circle(p, &grants, d->addr, &there))
		mdb_xen_evidence(p, GRANTS, there);
}

/* The list of domains by id; a list of one says nothing of its link. */
static void
test_domains(struct mdb_xen_prover *p)
{
	struct mdb_xen_domain d;
	mdb_addr_t head, from = 0;
	uint64_t addr, next;
	int64_t last = -1;

	if (!variable(p, "domain_list", &head) || !mdb_xen_word(p, head, &addr))
		return;
	for (uint32_t i = 0; i < MAX_DOMAINS && addr != 0; i++) {
		enum mdb_xen_evidence says = mdb_xen_is_domain(p, addr, &d);

		/* A list that leads back is broken, not its place. */
		if (from)
			mdb_xen_say(p, DOMAIN, "next_in_list", from, says);
		if (says != MDB_XEN_AGREES || (int64_t)d.domid <= last)
			return;
		from = addr;
		last = d.domid;
		test_domain(p, &d);
		if (!mdb_xen_value(p, DOMAIN, "next_in_list", addr, &next))
			return;
		addr = next;
	}
}

static void
test_idle(struct mdb_xen_prover *p)
{
	struct mdb_xen_domain d;
	struct mdb_xen_vcpu v;
	mdb_addr_t table;
	uint64_t vcpu;

	if (variable(p, "idle_vcpu", &table) && mdb_xen_word(p, table, &vcpu) &&
		mdb_xen_vcpu_try(p->xen, vcpu, &v) &&
		v.domid == MDB_XEN_DOMID_IDLE &&
		mdb_xen_domain_try(p->xen, v.domain, &d))
		test_domain(p, &d);
}

static void
test_special(struct mdb_xen_prover *p)
{
	static const struct {
		const char *name;
		unsigned int domid;
	} special[] = { { "dom_xen", DOMID_XEN }, { "dom_io", DOMID_IO } };
	mdb_addr_t at;
	uint64_t addr;

	for (size_t i = 0; i < 2; i++)
		if (variable(p, special[i].name, &at) &&
			mdb_xen_word(p, at, &addr) &&
			mdb_xen_expect(p, DOMAIN, "domain_id", addr,
				special[i].domid))
			mdb_xen_evidence(p, DOMAIN, addr);
}

/* ---- CPUs ---------------------------------------------------------------- */

static void
test_timers(struct mdb_xen_prover *p, mdb_addr_t timers, uint64_t cpu)
{
	uint64_t heap, timer, at, status, head;

	mdb_xen_evidence(p, "struct timers", timers);
	if (!mdb_xen_value(p, "struct timers", "heap", timers, &heap) ||
		!mdb_xen_word(p, heap + 8, &timer) || timer == 0)
		return;
	/* Of a heap that is not empty: the first must know its place. */
	if (mdb_xen_word(p, heap, &head) && (head & 0xffff) != 0 &&
		mdb_xen_value(p, "struct timer", "heap_offset", timer, &at) &&
		(at & 0xffffffff) != 1)
		mdb_xen_say(p, "struct timer", "heap_offset", timer,
			MDB_XEN_CONTRADICTS);
	for (uint32_t i = 1; i < MAX_TIMERS; i++) {
		if (!mdb_xen_word(p, heap + 8 * (uint64_t)i, &timer) ||
			!mdb_xen_value(p, "struct timer", "status", timer,
				&status) ||
			!mdb_xen_value(p, "struct timer", "heap_offset", timer,
				&at) ||
			(at & 0xffffffff) != i)
			break;
		mdb_xen_say(p, "struct timers", "heap", timers, MDB_XEN_AGREES);
		mdb_xen_say(p, "struct timer", "heap_offset", timer,
			MDB_XEN_AGREES);
		mdb_xen_say(p, "struct timer", "status", timer,
			mdb_xen_agrees_if(status == TIMER_IN_HEAP));
		(void)mdb_xen_expect(p, "struct timer", "cpu", timer, cpu);
		mdb_xen_evidence(p, "struct timer", timer);
	}
}

static void
test_cpus(struct mdb_xen_prover *p)
{
	const struct mdb_xen_cpus *cpus = mdb_xen_cpus(p->cx, p->xen);
	mdb_addr_t timers = 0, rcu = 0;

	(void)variable(p, "per_cpu__timers", &timers);
	(void)variable(p, "per_cpu__rcu_data", &rcu);
	for (size_t i = 0; cpus && i < cpus->nr; i++) {
		const struct mdb_xen_cpu *c = &cpus->list[i];

		(void)mdb_xen_expect(p, "struct cpu_info", "processor_id",
			c->info, c->id);
		(void)mdb_xen_expect(p, "struct cpu_info", "current_vcpu",
			c->info, c->current);
		if (!c->has_percpu)
			continue;
		(void)mdb_xen_expect(p, "struct cpu_info", "per_cpu_offset",
			c->info, c->percpu_offset);
		if (timers)
			test_timers(p, timers + c->percpu_offset, c->id);
		if (!rcu)
			continue;
		(void)mdb_xen_expect(p, "struct rcu_data", "cpu",
			rcu + c->percpu_offset, c->id);
		mdb_xen_evidence(p, "struct rcu_data", rcu + c->percpu_offset);
	}
}

static void
test_irqs(struct mdb_xen_prover *p)
{
	struct mdb_xen_proof *proof = mdb_xen_proof_of(p, "struct irq_desc");
	mdb_addr_t at;
	uint64_t base;

	if (!proof || !variable(p, "irq_desc", &at) ||
		!mdb_xen_word(p, at, &base))
		return;
	for (uint32_t i = 1; i < MAX_IRQS; i++) {
		mdb_addr_t desc = base + i * proof->size;
		uint64_t irq;

		if (!mdb_xen_value(p, "struct irq_desc", "irq", desc, &irq))
			continue;
		if (!mdb_xen_expect(p, "struct irq_desc", "irq", desc, i))
			return;
		proof->size_proven = true;
		mdb_xen_evidence(p, "struct irq_desc", desc);
	}
}

/* ---- what VMCOREINFO_XEN states ------------------------------------------ */

/* xen/common/kexec.c, arch/x86/machine_kexec.c. */
static void
test_stated(struct mdb_xen_prover *p)
{
	static const struct {
		const char *key, *type, *path; /* path NULL: the size */
	} stated[] = {
		{ "SIZE(page_info)", PAGE, NULL },
		{ "SIZE(domain)", DOMAIN, NULL },
		{ "OFFSET(page_info.count_info)", PAGE, "count_info" },
		{ "OFFSET(domain.domain_id)", DOMAIN, "domain_id" },
		{ "OFFSET(domain.next_in_list)", DOMAIN, "next_in_list" },
	};

	for (size_t i = 0; i < sizeof(stated) / sizeof(stated[0]); i++) {
		struct mdb_xen_proof *proof =
			mdb_xen_proof_of(p, stated[i].type);
		uint64_t value;

		if (!proof ||
			!mdb_xen_info_number(p->xen, stated[i].key, &value))
			continue;
		if (stated[i].path)
			mdb_xen_note_member(p, stated[i].type, stated[i].path,
				mdb_xen_agrees_if(
					mdb_xen_member_addr(p, stated[i].type,
						stated[i].path, 0) == value));
		else if (value == proof->size)
			proof->size_proven = true;
		else
			mdb_xen_note(proof, proof->size, proof->size + 1,
				MDB_XEN_CONTRADICTS);
	}
}

void
mdb_xen_samples(struct mdb_xen_prover *p)
{
	test_stated(p);
	test_cpus(p);
	test_idle(p);
	test_special(p);
	test_domains(p);
	test_irqs(p);
	mdb_forget(p->cx);
}
