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

bool
mdb_xen_word(struct mdb_xen_prover *p, mdb_addr_t addr, uint64_t *value_out)
{
	uint8_t b[8];

	if (addr < MDB_XEN_RANGE_START || addr > MDB_XEN_RANGE_LAST ||
		mdb_space_try(p->xen->world->space, addr, b, 8) != MDB_OK)
		return false;
	*value_out = mdb_le64(b);
	return true;
}

/* An address that the hypervisor can have, of which the dump has nothing. */
static bool
is_lost(struct mdb_xen_prover *p, mdb_addr_t addr)
{
	uint64_t unused;

	return addr >= MDB_XEN_RANGE_START && addr <= MDB_XEN_RANGE_LAST &&
	       !mdb_xen_word(p, addr, &unused);
}

static bool
variable(struct mdb_xen_prover *p, const char *name, mdb_addr_t *addr_out)
{
	return mdb_xen_variable(p->cx, p->xen, name, addr_out);
}

/* S.path leads to T, whose back member is origin. */
bool
mdb_xen_circle(struct mdb_xen_prover *p, const char *s, const char *path,
	mdb_addr_t addr, const char *t, const char *back, mdb_addr_t origin,
	mdb_addr_t *there_out)
{
	uint64_t there, value;

	if (!mdb_xen_value(p, s, path, addr, &there) || there == 0)
		return false;
	if (!mdb_xen_value(p, t, back, there, &value) || value != origin) {
		mdb_xen_note_member(p, s, path, MDB_XEN_CONTRADICTS);
		return false;
	}
	mdb_xen_note_member(p, s, path, MDB_XEN_AGREES);
	mdb_xen_note_member(p, t, back, MDB_XEN_AGREES);
	*there_out = there;
	return true;
}

void
mdb_xen_say(struct mdb_xen_prover *p, const char *s, const char *path,
	bool agrees)
{
	mdb_xen_note_member(p, s, path,
		agrees ? MDB_XEN_AGREES : MDB_XEN_CONTRADICTS);
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

/* A page of the heap that this domain owns: a frame number stands for both. */
static bool
is_owned(struct mdb_xen_prover *p, mdb_addr_t page, mdb_addr_t domain)
{
	uint64_t owner, count;

	return mdb_xen_value(p, PAGE, "v.inuse._domain", page, &owner) &&
	       owner == pdx_of(domain) &&
	       mdb_xen_value(p, PAGE, "count_info", page, &count) &&
	       count >> 63 != 0; /* PGC_allocated, asm/mm.h */
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
	uint64_t page, tail;
	uint8_t b[64];

	*count_out = 0;
	if (head == 0 || !page_layout_get(p, &l) ||
		!mdb_xen_word(p, head, &page) ||
		!mdb_xen_word(p, head + 8, &tail))
		return MDB_XEN_SAYS_NOTHING;
	if (page == 0)
		return MDB_XEN_CONTRADICTS;
	while (*count_out < MAX_PAGES) {
		if (page < FRAME_TABLE || (page - FRAME_TABLE) % l.size)
			return MDB_XEN_CONTRADICTS;
		if (mdb_space_try(p->xen->world->space, page, b, l.size) !=
			MDB_OK)
			return MDB_XEN_SAYS_NOTHING;
		if (mdb_le32(b + l.owner) != pdx_of(domain) ||
			mdb_le64(b + l.count) >> 63 == 0)
			return MDB_XEN_CONTRADICTS;
		++*count_out;
		if (page == tail)
			return MDB_XEN_AGREES;
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
	if (says == MDB_XEN_CONTRADICTS)
		mdb_xen_say(p, DOMAIN, list, false);
	if (says != MDB_XEN_AGREES)
		return;
	mdb_xen_say(p, DOMAIN, list, true);
	mdb_xen_say(p, DOMAIN, number, count == stated);
	if (count < 2)
		return;
	mdb_xen_say(p, PAGE, "list.next", true);
	mdb_xen_say(p, PAGE, "count_info", true);
	mdb_xen_say(p, PAGE, "v.inuse._domain", true);
	proof->size_proven = true;
}

static void
test_shared_info(struct mdb_xen_prover *p, mdb_addr_t domain)
{
	struct mdb_xen_proof *proof = mdb_xen_proof_of(p, PAGE);
	uint64_t shared;

	if (!proof ||
		!mdb_xen_value(p, DOMAIN, "shared_info", domain, &shared) ||
		shared == 0)
		return;
	mdb_xen_say(p, DOMAIN, "shared_info",
		shared >= MDB_XEN_DIRECTMAP && shared % 4096 == 0 &&
			is_owned(p, FRAME_TABLE + pdx_of(shared) * proof->size,
				domain));
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
		mdb_xen_say(p, CHANNEL, "state", true);
		mdb_xen_say(p, CHANNEL, "u.virq", true);
		mdb_xen_say(p, VCPU, "virq_to_evtchn", true);
		/* A global one may tell another vCPU than it was bound to
		 * (common/event_channel.c: evtchn_bind_vcpu). */
		if (!is_global(virq))
			(void)mdb_xen_expect(p, CHANNEL, "notify_vcpu_id",
				channel, i);
		return;
	}
}

static void
test_channels(struct mdb_xen_prover *p, const struct mdb_xen_domain *d)
{
	struct mdb_xen_proof *proof = mdb_xen_proof_of(p, CHANNEL);
	uint64_t base, port, valid, ops, first;
	uint32_t right = 0;
	struct mdb_sym sym;

	if (!proof || !mdb_xen_value(p, DOMAIN, "evtchn", d->addr, &base) ||
		base == 0)
		return;
	for (uint32_t i = 1; i < MAX_PORTS; i++)
		right += mdb_xen_value(p, CHANNEL, "port",
				 base + i * proof->size, &port) &&
			 port == i;
	mdb_xen_say(p, DOMAIN, "evtchn", right == MAX_PORTS - 1);
	if (right != MAX_PORTS - 1)
		return;
	mdb_xen_say(p, CHANNEL, "port", true);
	proof->size_proven = true;
	for (uint32_t i = 1; i < MAX_PORTS; i++)
		test_virq(p, d, base + i * proof->size, i);
	if (mdb_xen_value(p, DOMAIN, "valid_evtchns", d->addr, &valid) &&
		valid > MAX_PORTS && valid <= 1u << 17)
		mdb_xen_say(p, DOMAIN, "valid_evtchns",
			valid > 64 || (mdb_xen_value(p, CHANNEL, "port",
					       base + (valid - 1) * proof->size,
					       &port) &&
					      port == valid - 1));
	if (!mdb_xen_value(p, DOMAIN, "evtchn_port_ops", d->addr, &ops) ||
		ops == 0)
		return;
	mdb_xen_say(p, DOMAIN, "evtchn_port_ops",
		mdb_xen_word(p, ops, &first) &&
			mdb_xensyms_ops.by_addr(p->cx, p->xen->object, first,
				false, &sym) == MDB_OK &&
			strstr(sym.name, "evtchn_") != NULL);
}

/* ---- domains ------------------------------------------------------------- */

static void
test_domain(struct mdb_xen_prover *p, const struct mdb_xen_domain *d)
{
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
	if (mdb_xen_circle(p, DOMAIN, "grant_table", d->addr, GRANTS, "domain",
		    d->addr, &there))
		mdb_xen_evidence(p, GRANTS, there);
}

/* The list of domains by id; a list of one says nothing of its link. */
static void
test_domains(struct mdb_xen_prover *p)
{
	struct mdb_xen_domain d;
	mdb_addr_t head;
	uint64_t addr, next;
	int64_t last = -1;

	if (!variable(p, "domain_list", &head) || !mdb_xen_word(p, head, &addr))
		return;
	for (uint32_t i = 0; i < MAX_DOMAINS && addr != 0; i++) {
		bool right = mdb_xen_domain_try(p->xen, addr, &d);

		/* Memory that is lost contradicts nothing, nor does a list
		 * that leads back: then the list is broken, not its place. */
		if (i > 0 && (right || !is_lost(p, addr)))
			mdb_xen_say(p, DOMAIN, "next_in_list", right);
		if (!right || (int64_t)d.domid <= last)
			return;
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
	uint64_t heap, timer, at, status;

	mdb_xen_evidence(p, "struct timers", timers);
	if (!mdb_xen_value(p, "struct timers", "heap", timers, &heap) ||
		!mdb_xen_word(p, heap + 8, &timer) || timer == 0)
		return;
	for (uint32_t i = 1; i < MAX_TIMERS; i++) {
		if (!mdb_xen_word(p, heap + 8 * (uint64_t)i, &timer) ||
			!mdb_xen_value(p, "struct timer", "status", timer,
				&status) ||
			!mdb_xen_value(p, "struct timer", "heap_offset", timer,
				&at) ||
			(at & 0xffffffff) != i)
			break;
		mdb_xen_say(p, "struct timers", "heap", true);
		mdb_xen_say(p, "struct timer", "heap_offset", true);
		mdb_xen_say(p, "struct timer", "status",
			status == TIMER_IN_HEAP);
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
			mdb_xen_say(p, stated[i].type, stated[i].path,
				mdb_xen_member_addr(p, stated[i].type,
					stated[i].path, 0) == value);
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
