/* SPDX-License-Identifier: MIT */
/*
 * For tests: the machine of xen_build.h with what the proof of types looks at,
 * laid out by a type pack: units, what schedules them, a pool, event channels,
 * grants, lists of pages, timers, interrupts.
 */
#ifndef MDB_WORLD_XEN_TYPED_BUILD_H
#define MDB_WORLD_XEN_TYPED_BUILD_H

#include "mdb/sym/pack.h"
#include "mdb/world/xen_fixture.h"

extern const struct mdb_pack_blob mdb_xen_packs[];

#define XT_UNIT(i) (0x30000ull + 0x200 * (i)) /* idle 0, idle 1, domain 0 */
#define XT_RESOURCE(i) (0x30800ull + 0x200 * (i))
#define XT_POOL 0x31000ull
#define XT_GRANTS 0x31400ull
#define XT_HEAP 0x31800ull /* of timers */
#define XT_TIMERS 3u
#define XT_TIMER(i) (0x31a00ull + 0x80 * (i)) /* from 1 */
#define XT_CHANNELS 0x32000ull
#define XT_SHARED 0x33000ull
#define XT_FRAMES 0x34000ull /* page_info of the first 4 MiB: 0x8000 */
#define XT_IRQS 0x3c000ull   /* to the end of the segment */
#define XT_SCHEDULER (XM_DATA + 0x2000)
#define XT_TEXTS (XM_DATA + 0x2800)
#define XT_OPS (XT_TEXTS + 0x50)
#define XT_SET_PENDING (XM_PANIC + 0x200) /* a function */
#define XT_TIMERS_VAR (XM_DATA + 0x900)
#define XT_RCU_VAR (XM_DATA + 0xb00)
#define XT_IDLE_VCPU_VAR (XM_DATA + 0x600)
#define XT_IRQ_DESC_VAR (XM_DATA + 0x610)

struct xen_typed {
	struct xen_machine *m;
	struct mdb_types *types;
};

/* The types of the pack of that name. */
static inline struct mdb_types *
xt_types(const char *name)
{
	struct mdb_types *types = NULL;

	for (const struct mdb_pack_blob *b = mdb_xen_packs; b->len; b++) {
		struct mdb_pack_info info;
		struct mdb_pack *pack;

		assert_int_equal(mdb_pack_info(&cx, b, &info), MDB_OK);
		if (strcmp(info.name, name) != 0)
			continue;
		assert_int_equal(mdb_pack_create(&cx, b, &pack), MDB_OK);
		assert_int_equal(mdb_pack_types(&cx, pack, 8, &types), MDB_OK);
		mdb_pack_destroy(pack);
	}
	assert_non_null(types);
	return types;
}

static inline struct mdb_type
xt_struct(struct xen_typed *t, const char *type_name)
{
	struct mdb_type type = { t->types,
		t->types->ops->find(t->types, MDB_T_STRUCT,
			type_name + strlen("struct ")) };

	assert_int_not_equal(type.id, 0);
	return type;
}

static inline uint64_t
xt_size(struct xen_typed *t, const char *type_name)
{
	uint64_t size;

	assert_int_equal(mdb_type_size(&cx, xt_struct(t, type_name), &size),
		MDB_OK);
	return size;
}

static inline uint64_t
xt_offset(struct xen_typed *t, const char *type_name, const char *path,
	uint64_t *size_out)
{
	struct mdb_member member;

	assert_int_equal(
		mdb_type_member(&cx, xt_struct(t, type_name), path, &member),
		MDB_OK);
	assert_int_equal(mdb_type_size(&cx, member.type, size_out), MDB_OK);
	return member.bit_offset / 8;
}

/* Into the member of the object at that machine address. */
static inline void
xt_put(struct xen_typed *t, const char *type_name, const char *path,
	mdb_paddr_t at, uint64_t value)
{
	uint64_t size, offset = xt_offset(t, type_name, path, &size);

	assert_true(size <= 8);
	xm_write(t->m, at + offset, &value, size);
}

static inline void
xt_empty_list(struct xen_typed *t, const char *type_name, const char *path,
	mdb_paddr_t at, mdb_addr_t addr)
{
	uint64_t size, offset = xt_offset(t, type_name, path, &size);

	xm_u64(t->m, at + offset, addr + offset);
	xm_u64(t->m, at + offset + 8, addr + offset);
}

static inline void
xt_symbols(struct xen_machine *m)
{
	static const struct ksym_in more[] = {
		{ XT_SET_PENDING, "tevent_2l.c#evtchn_2l_set_pending" },
		{ XT_IDLE_VCPU_VAR, "Bidle_vcpu" },
		{ XT_IRQ_DESC_VAR, "Birq_desc" },
		{ XT_TIMERS_VAR, "Bper_cpu__timers" },
		{ XT_RCU_VAR, "Bper_cpu__rcu_data" },
	};
	static struct ksym_in table[XM_NR];
	size_t nr = sizeof(more) / sizeof(more[0]);

	memcpy(table, m->symbols.syms, (XM_NR - nr) * sizeof(table[0]));
	memcpy(table + XM_NR - nr, more, sizeof(more));
	for (size_t i = 1; i < XM_NR; i++)
		for (size_t j = i; j > 0 && table[j].value < table[j - 1].value;
			j--) {
			struct ksym_in swap = table[j];

			table[j] = table[j - 1];
			table[j - 1] = swap;
		}
	m->symbols.syms = table;
	mdb_buf_fini(&m->symbols.bytes);
	ksym_make(&m->symbols);
	xm_write(m, xm_phys(XM_RODATA + 0x1000), m->symbols.bytes.data,
		m->symbols.bytes.len);
}

static inline void
xt_scheduler(struct xen_typed *t)
{
	mdb_paddr_t at = xm_phys(XT_SCHEDULER);

	xm_write(t->m, xm_phys(XT_TEXTS), "SMP Credit Scheduler rev2", 26);
	xm_write(t->m, xm_phys(XT_TEXTS) + 0x40, "credit2", 8);
	xt_put(t, "struct scheduler", "name", at, XT_TEXTS);
	xt_put(t, "struct scheduler", "opt_name", at, XT_TEXTS + 0x40);
	xt_put(t, "struct scheduler", "init", at, XM_PANIC);
	xt_put(t, "struct scheduler", "wake", at, XM_PANIC + 0x80);
	xt_put(t, "struct cpupool", "sched", XT_POOL, XT_SCHEDULER);
	xt_empty_list(t, "struct cpupool", "list", XT_POOL, XM_HEAP(XT_POOL));
	for (uint64_t i = 0; i < 2; i++) {
		xt_put(t, "struct sched_resource", "scheduler", XT_RESOURCE(i),
			XT_SCHEDULER);
		xt_put(t, "struct sched_resource", "master_cpu", XT_RESOURCE(i),
			i);
	}
}

/* A vCPU with its unit; cpu: where it is, running or not. */
static inline void
xt_vcpu(struct xen_typed *t, mdb_paddr_t at, uint64_t i, mdb_paddr_t domain,
	uint64_t cpu, bool running)
{
	const char *s = "struct sched_unit", *v = "struct vcpu";

	xt_put(t, v, "sched_unit", at, XM_HEAP(XT_UNIT(i)));
	xt_put(t, v, "is_running", at, running);
	xt_put(t, v, "runstate.state", at, running ? 0 : 2);
	xt_put(t, v, "pause_flags", at, running ? 0 : 1);
	xt_put(t, v, "periodic_timer.data", at, XM_HEAP(at));
	xt_put(t, s, "vcpu_list", XT_UNIT(i), XM_HEAP(at));
	xt_put(t, s, "domain", XT_UNIT(i), XM_HEAP(domain));
	xt_put(t, s, "unit_id", XT_UNIT(i), i == 1);
	xt_put(t, s, "res", XT_UNIT(i), XM_HEAP(XT_RESOURCE(cpu)));
}

/* Pages of domain 0: a list of three, and the page it shares. */
static inline void
xt_pages(struct xen_typed *t)
{
	static const uint64_t frames[] = { 0x50, 0x31, 0x77 };
	const char *p = "struct page_info";
	uint64_t size = xt_size(t, p), none, list;
	mdb_paddr_t at;

	for (size_t i = 0; i < 3; i++) {
		at = XT_FRAMES + frames[i] * size;
		xt_put(t, p, "v.inuse._domain", at, XM_DOMAIN >> 12);
		xt_put(t, p, "count_info", at, 1ull << 63 | 1);
		xt_put(t, p, "list.next", at, i < 2 ? frames[i + 1] : 0);
	}
	list = xt_offset(t, "struct domain", "page_list", &none);
	xm_u64(t->m, XM_DOMAIN + list, 0xffff82e000000000ull + 0x50 * size);
	xm_u64(t->m, XM_DOMAIN + list + 8, 0xffff82e000000000ull + 0x77 * size);
	xt_put(t, "struct domain", "tot_pages", XM_DOMAIN, 3);
	at = XT_FRAMES + (XT_SHARED >> 12) * size;
	xt_put(t, p, "v.inuse._domain", at, XM_DOMAIN >> 12);
	xt_put(t, p, "count_info", at, 1ull << 63 | 1);
	xt_put(t, "struct domain", "shared_info", XM_DOMAIN,
		XM_HEAP(XT_SHARED));
	/* the frame table: slot 384 of what has the image in slot 321 */
	xm_u64(t->m, 0x2000 + 8 * 384, 0x2d000 | 0x67);
	xm_u64(t->m, 0x2d000, 0x2e000 | 0x67);
	for (uint64_t i = 0; i < 8; i++)
		xm_u64(t->m, 0x2e000 + 8 * i,
			(XT_FRAMES + 0x1000 * i) | 0x63 | 1ull << 63);
}

static inline void
xt_channels(struct xen_typed *t)
{
	const char *c = "struct evtchn", *d = "struct domain";
	uint64_t size = xt_size(t, c);

	for (uint64_t i = 0; i < 64; i++)
		xt_put(t, c, "port", XT_CHANNELS + i * size, i);
	xt_put(t, c, "state", XT_CHANNELS + size, 5);
	xt_put(t, c, "u.virq", XT_CHANNELS + size, 3);
	xt_put(t, "struct vcpu", "virq_to_evtchn[3]", XM_VCPU, 1);
	xt_put(t, d, "evtchn", XM_DOMAIN, XM_HEAP(XT_CHANNELS));
	xt_put(t, d, "valid_evtchns", XM_DOMAIN, 64);
	/* of two levels: without the first, init */
	xt_put(t, d, "evtchn_port_ops", XM_DOMAIN, XT_OPS);
	for (uint64_t i = 1; i < 6; i++)
		xm_u64(t->m, xm_phys(XT_OPS) + 8 * i, XT_SET_PENDING);
	xt_put(t, d, "cpupool", XM_DOMAIN, XM_HEAP(XT_POOL));
	xt_put(t, d, "grant_table", XM_DOMAIN, XM_HEAP(XT_GRANTS));
	xt_put(t, d, "sched_unit_list", XM_DOMAIN, XM_HEAP(XT_UNIT(2)));
	xt_empty_list(t, d, "pdev_list", XM_DOMAIN, XM_HEAP(XM_DOMAIN));
	xt_put(t, "struct grant_table", "domain", XT_GRANTS,
		XM_HEAP(XM_DOMAIN));
}

static inline void
xt_timers(struct xen_typed *t)
{
	mdb_paddr_t timers = xm_phys(XT_TIMERS_VAR);

	xt_put(t, "struct timers", "heap", timers, XM_HEAP(XT_HEAP));
	xt_empty_list(t, "struct timers", "inactive", timers, XT_TIMERS_VAR);
	for (uint64_t i = 1; i <= XT_TIMERS; i++) {
		xm_u64(t->m, XT_HEAP + 8 * i, XM_HEAP(XT_TIMER(i)));
		xt_put(t, "struct timer", "status", XT_TIMER(i), 3);
		xt_put(t, "struct timer", "heap_offset", XT_TIMER(i), i);
		xt_put(t, "struct timer", "function", XT_TIMER(i), XM_PANIC);
	}
	for (uint64_t i = 0; i < 2; i++)
		xt_put(t, "struct rcu_data", "cpu",
			xm_phys(XT_RCU_VAR) + 0x1000 * i, i);
}

static inline void
xt_irqs(struct xen_typed *t)
{
	uint64_t size = xt_size(t, "struct irq_desc");

	xm_u64(t->m, xm_phys(XT_IRQ_DESC_VAR), XM_HEAP(XT_IRQS));
	for (uint64_t i = 0; XT_IRQS + (i + 1) * size <= 0x40000; i++)
		xt_put(t, "struct irq_desc", "irq", XT_IRQS + i * size, i);
}

/* Before the notes; the types are destroyed by the caller. */
static inline void
xt_build(struct xen_typed *t, struct xen_machine *m, const char *pack)
{
	*t = (struct xen_typed){ m, xt_types(pack) };
	xm_u64(m, XM_VCPU + 0x800, 0); /* as xen_build.h would have it */
	xt_put(t, "struct vcpu", "arch.guest_table", XM_VCPU, phys(PGD) / 4096);
	xt_put(t, "struct vcpu", "arch.cr3", XM_VCPU, phys(PGD));
	xt_symbols(m);
	xm_u64(m, xm_phys(XT_IDLE_VCPU_VAR), XM_HEAP(XM_IDLE_VCPU(0)));
	xm_u64(m, xm_phys(XT_IDLE_VCPU_VAR) + 8, XM_HEAP(XM_IDLE_VCPU(1)));
	xt_scheduler(t);
	xt_vcpu(t, XM_IDLE_VCPU(0), 0, XM_IDLE_DOMAIN, 0, false);
	xt_vcpu(t, XM_IDLE_VCPU(1), 1, XM_IDLE_DOMAIN, 1, true);
	xt_vcpu(t, XM_VCPU, 2, XM_DOMAIN, 0, true);
	xt_pages(t);
	xt_channels(t);
	xt_timers(t);
	xt_irqs(t);
}

#endif
