/* SPDX-License-Identifier: MIT */
/*
 * For tests: a 64-bit hypervisor of 2 MiB with its direct map, frame table and
 * M2P table, two domains (d0 paravirtual, d1 not), and what they have.
 */
#ifndef XPV_FRAME_FIXTURE_H
#define XPV_FRAME_FIXTURE_H

#include "frame.h"

#include "mdb/dcmd/dcmd.h"
#include "mdb/shell/load.h"
#include "mdb/shell/session.h"
#include "mdb/world/fake_build.h"

#define FF_END       \
	{            \
		NULL \
	}

/* Of the machine: frames 0 to 0x1ff, then the tables. */
#define FF_NR_FRAMES 0x200u
#define FF_TABLE_AT 0x400000u
#define FF_MPT_AT 0x500000u
#define FF_MACHINE_END 0x600000u

#define D(machine) (XPV_DIRECTMAP + (machine))

enum {
	FF_VARS = 0x1000,
	FF_DOM0 = 0x2000,
	FF_DOM1 = 0x3000,
	FF_DOM_IO = 0x4000,
	FF_SHARED0 = 0x6000,
	FF_SHARED1 = 0x7000,
	FF_CHANNELS0 = 0x8000,
	FF_CHANNELS1 = 0x9000,
	FF_FIFO = 0xa000,
	FF_WORDS = 0xb000,
	FF_GRANTS0 = 0xc000,
	FF_GRANTS1 = 0xc800,
	FF_SHARED_GRANTS = 0xd000,
	FF_ACTIVE = 0xe000,
	FF_MAPTRACK = 0xf000,
	FF_ARRAYS = 0x10000,
	FF_P2M = 0x11000,
	FF_TABLES = 0x12000, /* L4 .. L1 */
	FF_LIST_LIST = 0x16000,
	FF_LIST = 0x17000,
	FF_ENTRIES = 0x18000,
	FF_LISTS = 0x19000,
	FF_AVAIL = 0x1a000,
	FF_IRQS = 0x1b000,
	FF_ACTION = 0x1c000,
	FF_PIRQ = 0x1d000,
	FF_STATUS = 0x1e000,
	FF_ZEROS = 0x1f000,
};

static const struct fake_member ff_list[] = { { "next", 0, 4, NULL },
	{ "prev", 4, 4, NULL }, FF_END };
static const struct fake_member ff_inuse[] = { { "type_info", 0, 8, NULL },
	FF_END };
static const struct fake_member ff_u[] = { { "inuse", 0, 8, "u_inuse" },
	FF_END };
static const struct fake_member ff_vinuse[] = { { "_domain", 0, 4, NULL },
	FF_END };
static const struct fake_member ff_vfree[] = { { "order", 0, 4, NULL },
	FF_END };
static const struct fake_member ff_v[] = { { "inuse", 0, 4, "v_inuse" },
	{ "free", 0, 4, "v_free" }, FF_END };
static const struct fake_member ff_page[] = {
	{ "list", 0, 8, "page_list_entry" }, { "count_info", 8, 8, NULL },
	{ "u", 16, 8, "page_u" }, { "v", 24, 4, "page_v" }, FF_END
};
static const struct fake_member ff_head[] = { { "next", 0, 8, "p" },
	{ "tail", 8, 8, "p" }, FF_END };
static const struct fake_member ff_radix[] = { { "height", 0, 4, NULL },
	{ "rnode", 8, 8, "p" }, FF_END };
static const struct fake_member ff_node[] = { { "height", 0, 4, NULL },
	{ "count", 4, 4, NULL }, { "slots", 8, 512, "p" }, FF_END };
static const struct fake_member ff_arch[] = { { "p2m", 0, 8, "p" },
	{ "has_32bit_shinfo", 8, 1, NULL },
	{ "irq_pirq", 16, 16, "radix_tree_root" }, FF_END };
static const struct fake_member ff_domain[] = { { "domain_id", 0, 2, NULL },
	{ "max_vcpus", 4, 4, NULL }, { "vcpu", 8, 8, "p" },
	{ "next_in_list", 16, 8, "p" }, { "options", 24, 4, NULL },
	{ "tot_pages", 28, 4, NULL }, { "shared_info", 32, 8, "p" },
	{ "evtchn", 40, 8, "p" }, { "evtchn_group", 48, 32, "p" },
	{ "valid_evtchns", 80, 4, NULL }, { "evtchn_fifo", 88, 8, "p" },
	{ "grant_table", 96, 8, "p" },
	{ "pirq_tree", 104, 16, "radix_tree_root" },
	{ "arch", 128, 32, "arch_domain" }, FF_END };
static const struct fake_member ff_sharch[] = { { "max_pfn", 0, 8, NULL },
	{ "pfn_to_mfn_frame_list_list", 8, 8, NULL }, FF_END };
static const struct fake_member ff_shared[] = { { "evtchn_pending", 0x800, 512,
							"c" },
	{ "evtchn_mask", 0xa00, 512, "c" },
	{ "arch", 0xc00, 16, "arch_shared_info" }, FF_END };
static const struct fake_member ff_unbound[] = { { "remote_domid", 0, 2, NULL },
	FF_END };
static const struct fake_member ff_inter[] = { { "remote_port", 0, 4, NULL },
	{ "remote_dom", 8, 8, "p" }, FF_END };
static const struct fake_member ff_upirq[] = { { "irq", 0, 4, NULL }, FF_END };
static const struct fake_member ff_evu[] = { { "unbound", 0, 2, "ev_unbound" },
	{ "interdomain", 0, 16, "ev_inter" }, { "pirq", 0, 4, "ev_pirq" },
	{ "virq", 0, 4, NULL }, FF_END };
static const struct fake_member ff_evtchn[] = { { "state", 0, 1, NULL },
	{ "xen_consumer", 1, 1, NULL }, { "port", 4, 4, NULL },
	{ "u", 8, 16, "ev_u" }, { "priority", 24, 1, NULL },
	{ "notify_vcpu_id", 26, 2, NULL }, FF_END };
static const struct fake_member ff_fifo[] = { { "event_array", 0, 64, "p" },
	{ "num_evtchns", 64, 4, NULL }, FF_END };
static const struct fake_member ff_grants[] = { { "gt_version", 0, 4, NULL },
	{ "max_grant_frames", 4, 4, NULL }, { "nr_grant_frames", 8, 4, NULL },
	{ "nr_status_frames", 12, 4, NULL }, { "maptrack_limit", 16, 4, NULL },
	{ "max_maptrack_frames", 20, 4, NULL }, { "shared_raw", 24, 8, "p" },
	{ "status", 32, 8, "p" }, { "active", 40, 8, "p" },
	{ "maptrack", 48, 8, "p" }, { "domain", 56, 8, "p" }, FF_END };
static const struct fake_member ff_active[] = { { "pin", 0, 4, NULL },
	{ "domid", 4, 2, NULL }, { "mfn", 8, 8, NULL }, FF_END };
static const struct fake_member ff_mapping[] = { { "ref", 0, 4, NULL },
	{ "flags", 4, 2, NULL }, { "domid", 6, 2, NULL },
	{ "vcpu", 8, 4, NULL }, FF_END };
static const struct fake_member ff_pt[] = { { "pfn", 0, 8, NULL }, FF_END };
static const struct fake_member ff_ept[] = { { "eptp", 0, 8, NULL }, FF_END };
static const struct fake_member ff_p2m[] = { { "domain", 0, 8, "p" },
	{ "p2m_class", 8, 4, NULL }, { "phys_table", 16, 8, "pagetable" },
	{ "max_mapped_pfn", 24, 8, NULL }, { "ept", 32, 8, "ept_data" },
	FF_END };
static const struct fake_member ff_irqarch[] = { { "vector", 0, 2, "-" },
	{ "cpu_mask", 8, 8, NULL }, FF_END };
static const struct fake_member ff_irq[] = { { "status", 0, 4, NULL },
	{ "handler", 8, 8, "p" }, { "action", 16, 8, "p" },
	{ "irq", 24, 4, "-" }, { "arch", 32, 16, "arch_irq_desc" },
	{ "affinity", 48, 8, NULL }, FF_END };
static const struct fake_member ff_type[] = { { "typename", 0, 8, "p" },
	FF_END };
static const struct fake_member ff_irqaction[] = { { "handler", 0, 8, "p" },
	FF_END };
static const struct fake_member ff_guests[] = { { "nr_guests", 0, 1, NULL },
	{ "in_flight", 1, 1, NULL }, { "guest", 8, 64, "p" }, FF_END };
static const struct fake_member ff_apirq[] = { { "irq", 0, 4, "-" }, FF_END };
static const struct fake_member ff_pirq[] = { { "pirq", 0, 4, "-" },
	{ "evtchn", 4, 4, NULL }, { "masked", 8, 1, NULL },
	{ "arch", 12, 4, "arch_pirq" }, FF_END };

enum {
	FF_LIST_ENTRY,
	FF_U_INUSE,
	FF_U,
	FF_V_INUSE,
	FF_V_FREE,
	FF_V,
	FF_PAGE,
	FF_HEAD,
	FF_HEAP,
	FF_RADIX,
	FF_NODE,
	FF_ARCH,
	FF_DOMAIN,
	FF_SHARCH,
	FF_SHARED,
	FF_UNBOUND,
	FF_INTER,
	FF_UPIRQ,
	FF_EVU,
	FF_EVTCHN,
	FF_FIFO_DOMAIN,
	FF_GRANT_TABLE,
	FF_ACTIVE_ENTRY,
	FF_MAPPING,
	FF_PT,
	FF_EPT,
	FF_P2M_DOMAIN,
	FF_IRQARCH,
	FF_IRQ,
	FF_TYPE,
	FF_IRQACTION,
	FF_GUESTS,
	FF_APIRQ,
	FF_PIRQ_TYPE,
};

static const struct fake_struct ff_structs[] = {
	[FF_LIST_ENTRY] = { "page_list_entry", NULL, 8, ff_list },
	[FF_U_INUSE] = { "u_inuse", NULL, 8, ff_inuse },
	[FF_U] = { "page_u", NULL, 8, ff_u },
	[FF_V_INUSE] = { "v_inuse", NULL, 4, ff_vinuse },
	[FF_V_FREE] = { "v_free", NULL, 4, ff_vfree },
	[FF_V] = { "page_v", NULL, 4, ff_v },
	[FF_PAGE] = { "page_info", NULL, 32, ff_page },
	[FF_HEAD] = { "page_list_head", NULL, 16, ff_head },
	[FF_HEAP] = { "page_list_head", "heap_by_zone_and_order_t",
		FAKE_ARRAY(12, 4), NULL },
	[FF_RADIX] = { "radix_tree_root", NULL, 16, ff_radix },
	[FF_NODE] = { "radix_tree_node", NULL, 520, ff_node },
	[FF_ARCH] = { "arch_domain", NULL, 32, ff_arch },
	[FF_DOMAIN] = { "domain", NULL, 256, ff_domain },
	[FF_SHARCH] = { "arch_shared_info", NULL, 16, ff_sharch },
	[FF_SHARED] = { "shared_info", NULL, 4096, ff_shared },
	[FF_UNBOUND] = { "ev_unbound", NULL, 2, ff_unbound },
	[FF_INTER] = { "ev_inter", NULL, 16, ff_inter },
	[FF_UPIRQ] = { "ev_pirq", NULL, 4, ff_upirq },
	[FF_EVU] = { "ev_u", NULL, 16, ff_evu },
	[FF_EVTCHN] = { "evtchn", NULL, 64, ff_evtchn },
	[FF_FIFO_DOMAIN] = { "evtchn_fifo_domain", NULL, 72, ff_fifo },
	[FF_GRANT_TABLE] = { "grant_table", NULL, 64, ff_grants },
	[FF_ACTIVE_ENTRY] = { "active_grant_entry", NULL, 40, ff_active },
	[FF_MAPPING] = { "grant_mapping", NULL, 16, ff_mapping },
	[FF_PT] = { "pagetable", NULL, 8, ff_pt },
	[FF_EPT] = { "ept_data", NULL, 8, ff_ept },
	[FF_P2M_DOMAIN] = { "p2m_domain", NULL, 64, ff_p2m },
	[FF_IRQARCH] = { "arch_irq_desc", NULL, 16, ff_irqarch },
	[FF_IRQ] = { "irq_desc", NULL, 128, ff_irq },
	[FF_TYPE] = { "hw_interrupt_type", NULL, 8, ff_type },
	[FF_IRQACTION] = { "irqaction", NULL, 8, ff_irqaction },
	[FF_GUESTS] = { "irq_guest_action", "irq_guest_action_t", 72,
		ff_guests },
	[FF_APIRQ] = { "arch_pirq", NULL, 4, ff_apirq },
	[FF_PIRQ_TYPE] = { "pirq", NULL, 16, ff_pirq },
	{ NULL },
};

/* Eight bytes for each, from FF_VARS on. */
static const struct fake_sym ff_syms[] = {
	{ "domain_list", D(FF_VARS), 8, NULL },
	{ "max_page", D(FF_VARS + 8), 8, NULL },
	{ "dom_io", D(FF_VARS + 16), 8, NULL },
	{ "_heap", D(FF_VARS + 24), 8, NULL },
	{ "avail", D(FF_VARS + 32), 8, NULL },
	{ "total_avail_pages", D(FF_VARS + 40), 8, NULL },
	{ "irq_desc", D(FF_VARS + 48), 8, NULL },
	{ "nr_irqs", D(FF_VARS + 56), 4, NULL },
	{ "nr_cpu_ids", D(FF_VARS + 64), 4, NULL },
	{ "pfn_pdx_hole_shift", D(FF_VARS + 72), 4, NULL },
	{ "pfn_pdx_bottom_mask", D(FF_VARS + 80), 8, NULL },
	{ "pfn_top_mask", D(FF_VARS + 88), 8, NULL },
	{ "timer_interrupt", D(FF_VARS + 0x100), 8, NULL },
	{ NULL },
};

static inline const char *
ff_fact(struct mdb_ctx *cx, struct mdb_world *w, const char *key)
{
	(void)cx;
	(void)w;
	return strcmp(key, "major") == 0   ? "4"
	       : strcmp(key, "minor") == 0 ? "17"
					   : NULL;
}
static const struct mdb_world_ops ff_ops = { .fact = ff_fact };

/* ---- writing -------------------------------------------------------------
 */

/* Addresses are the machine's. */
static inline void
ff_put(struct mdb_session *s, uint64_t at, uint64_t value, size_t len)
{
	fake_put(s->target, at, value, len);
}

static inline void
ff_set(struct mdb_session *s, int kind, uint64_t at, const char *member,
	uint64_t value)
{
	fake_set(s->target, &ff_structs[kind], at, member, value);
}

static inline void
ff_page_set(struct mdb_session *s, uint64_t pdx, uint64_t count_info,
	uint64_t type_info, uint64_t last)
{
	uint64_t at = FF_TABLE_AT + 32 * pdx;

	ff_put(s, at + 8, count_info, 8);
	ff_put(s, at + 16, type_info, 8);
	ff_put(s, at + 24, last, 4); /* owner's pdx, or order */
}

static inline void
ff_link(struct mdb_session *s, uint64_t pdx, uint64_t next, uint64_t prev)
{
	ff_put(s, FF_TABLE_AT + 32 * pdx, next, 4);
	ff_put(s, FF_TABLE_AT + 32 * pdx + 4, prev, 4);
}

static inline void
ff_add_domain(struct mdb_session *s, uint64_t at, uint64_t id, uint64_t next,
	uint64_t shared)
{
	ff_set(s, FF_DOMAIN, at, "domain_id", id);
	ff_set(s, FF_DOMAIN, at, "next_in_list", next);
	ff_set(s, FF_DOMAIN, at, "shared_info", shared == 0 ? 0 : D(shared));
	if (shared != 0)
		ff_page_set(s, shared >> 12, 3ull << 62 | 2, 0xe4ull << 56 | 2,
			at >> 12);
}

static inline struct mdb_world *
ff_world(struct mdb_session *s, struct mdb_target *t)
{
	struct mdb_world *w = mdb_world_create(t, MDB_WORLD_XEN, "xpv");

	w->arch = &mdb_arch_x86_64;
	w->space =
		mdb_space_create("xpv", t->memory, w->arch, MDB_PAGING_NONE, 0);
	mdb_space_add_window(w->space, XPV_DIRECTMAP,
		XPV_DIRECTMAP + FF_NR_FRAMES * 4096, 0 - XPV_DIRECTMAP);
	mdb_space_add_window(w->space, XPV_FRAME_TABLE,
		XPV_FRAME_TABLE + FF_NR_FRAMES * 32,
		FF_TABLE_AT - XPV_FRAME_TABLE);
	mdb_space_add_window(w->space, XPV_RDWR_MPT,
		XPV_RDWR_MPT + FF_NR_FRAMES * 8, FF_MPT_AT - XPV_RDWR_MPT);
	w->range_start = XPV_RO_MPT;
	w->range_last = XPV_HYPERVISOR_END - 1;
	w->objects = mdb_object_create(w, "xpv");
	w->objects->base = D(FF_VARS);
	w->objects->end = D(FF_VARS + 0x1000);
	w->objects->symtab_ops = &fake_symtab;
	w->objects->symtab = (void *)(uintptr_t)ff_syms;
	w->objects->types = fake_types(&s->cx, ff_structs, ff_syms, 8);
	w->objects->types_tried = true;
	w->objects_loaded = true;
	w->nr_cpu_ids = 2;
	w->ops = &ff_ops;
	mdb_target_add_world(t, w);
	return w;
}

/* Memory of zeros, and the variables and domains. */
static inline void
ff_fill(struct mdb_session *s)
{
	static const uint8_t zeros[4096];

	for (uint64_t at = 0; at < FF_MACHINE_END; at += sizeof(zeros))
		mdb_fake_write(s->target->memory, at, zeros, sizeof(zeros));
	ff_put(s, FF_VARS, D(FF_DOM0), 8);
	ff_put(s, FF_VARS + 8, FF_NR_FRAMES, 8);
	ff_put(s, FF_VARS + 16, D(FF_DOM_IO), 8);
	ff_add_domain(s, FF_DOM0, 0, D(FF_DOM1), FF_SHARED0);
	ff_add_domain(s, FF_DOM1, 1, 0, FF_SHARED1);
	ff_add_domain(s, FF_DOM_IO, XPV_DOMID_IO, 0, 0);
	ff_set(s, FF_DOMAIN, FF_DOM1, "options", 1);
	for (uint64_t i = 0; i < FF_NR_FRAMES; i++)
		ff_put(s, FF_MPT_AT + 8 * i, UINT64_MAX, 8);
}

static inline struct mdb_session *
ff_session(void)
{
	struct mdb_session *s = mdb_session_create(mdb_sink_create_memory(),
		mdb_sink_create_memory(), NULL);
	struct mdb_target *t =
		mdb_target_create_memory(mdb_memory_create_fake());

	(void)ff_world(s, t);
	mdb_session_set_target(s, t);
	ff_fill(s);
	mdb_registry_add_dcmds(&s->registry, "mdb", mdb_dcmds_pipes);
	mdb_registry_add_dcmds(&s->registry, "mdb", mdb_dcmds_whatis);
	mdb_load_builtin(s, &mdb_module_xpv);
	return s;
}

/* ---- asking --------------------------------------------------------------
 */

static inline const char *
ff_eval(struct mdb_session *s, const char *text)
{
	mdb_sink_clear(s->out);
	mdb_sink_clear(s->err);
	(void)!mdb_session_eval(s, text, strlen(text), NULL);
	return mdb_sink_text(s->out);
}

#endif
