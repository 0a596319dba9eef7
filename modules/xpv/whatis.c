/* SPDX-License-Identifier: MIT */
/*
 * What an address of the hypervisor is: a processor's stack or per-CPU area, a
 * domain, a vCPU, an entry of the frame table or of the M2P table, a frame in
 * the direct map and whose it is, another of its areas.
 *
 * The most particular finding is the answer, in a line.
 */
#include "frame.h"

#include <mdb/xen.h>

#include <inttypes.h>
#include <string.h>

/* ---- per-CPU areas -------------------------------------------------------
 */

struct nearest {
	mdb_addr_t addr, best, first;
	const char *name;
};

static enum mdb_status
nearest_percpu(struct mdb_ctx *cx, const struct mdb_sym *sym, void *arg)
{
	struct nearest *n = arg;

	if (sym->kind != MDB_SYM_PERCPU)
		return MDB_OK;
	if (n->first == 0 || sym->value < n->first)
		n->first = sym->value;
	if (sym->value > n->addr ||
		(n->name != NULL && sym->value <= n->best) ||
		(sym->size_exact && sym->size != 0 &&
			n->addr - sym->value >= sym->size))
		return MDB_OK;
	n->best = sym->value;
	n->name = mdb_tmp_printf(cx, "%s", sym->name);
	return MDB_OK;
}

/* Areas are of some pages (PERCPU_ORDER); the variables begin them. */
#define MAX_PERCPU 0x20000u

static enum mdb_status
in_percpu_of(struct mdb_ctx *cx, struct mdb_loc loc,
	const struct mdb_xen_pcpu *cpu, bool *found_out)
{
	struct nearest n = { .addr = loc.addr - cpu->percpu_offset };
	struct mdb_object *xpv;
	const char *name;

	if (mdb_object_by_name(cx, loc.world, "xpv", &xpv) != MDB_OK ||
		mdb_sym_each(cx, xpv, nearest_percpu, &n) != MDB_OK) {
		mdb_forget(cx);
		return MDB_OK;
	}
	if (n.name == NULL || n.addr - n.first >= MAX_PERCPU)
		return MDB_OK;
	*found_out = true;
	name = mdb_escape(cx, n.name, strlen(n.name));
	if (n.addr != n.best)
		name = mdb_tmp_printf(cx, "%s+0x%" PRIx64, name,
			n.addr - n.best);
	return mdb_line(cx, "%" PRIx64 " is CPU %d's copy of %s", loc.addr,
		cpu->cpu, name);
}

static enum mdb_status
in_percpu(struct mdb_ctx *cx, struct mdb_loc loc, bool *found_out)
{
	int cpu = -1;
	enum mdb_status st = MDB_OK;

	while (st == MDB_OK && !*found_out &&
		mdb_cpu_next(cx, loc.world, &cpu) == MDB_OK) {
		struct mdb_xen_pcpu p;

		if (mdb_xen_pcpu(cx, loc.world, cpu, &p) == MDB_OK &&
			p.has_percpu)
			st = in_percpu_of(cx, loc, &p, found_out);
		mdb_forget(cx);
	}
	mdb_forget(cx);
	return st;
}

/* ---- stacks --------------------------------------------------------------
 */

static enum mdb_status
in_stack(struct mdb_ctx *cx, struct mdb_loc loc, bool *found_out)
{
	mdb_addr_t base = loc.addr & ~(uint64_t)(MDB_XEN_STACK_LEN - 1);
	const char *part = "";
	int cpu = -1;
	enum mdb_status st =
		mdb_xen_stack_of(cx, loc.world, loc.addr, &cpu, &part);

	mdb_forget(cx);
	if (st != MDB_OK)
		return MDB_OK;
	*found_out = true;
	return mdb_line(cx,
		"%" PRIx64 " is %" PRIx64 "+%" PRIx64
		", in CPU %d's stack (%s)",
		loc.addr, base, loc.addr - base, cpu, part);
}

/* ---- domains and vCPUs ---------------------------------------------------
 */

struct sought {
	mdb_addr_t addr;
	uint64_t domain_len, vcpu_len;
	struct mdb_loc domain, vcpu;
	bool found;
	uint64_t domid;
};

static enum mdb_status
is_vcpu(struct mdb_ctx *cx, struct mdb_loc vcpu, void *arg)
{
	struct sought *s = arg;

	(void)cx;
	if (s->addr < vcpu.addr || s->addr - vcpu.addr >= s->vcpu_len)
		return MDB_OK;
	s->vcpu = vcpu;
	s->found = true;
	return MDB_DONE;
}

static enum mdb_status
is_domain(struct mdb_ctx *cx, struct mdb_loc domain, void *arg)
{
	struct sought *s = arg;
	struct xpv_domain d;

	s->domain = domain;
	if (s->addr >= domain.addr && s->addr - domain.addr < s->domain_len)
		s->found = true;
	else if (xpv_domain_read(cx, domain, &d) == MDB_OK &&
		 xpv_each_vcpu(cx, &d, is_vcpu, s) != MDB_OK)
		mdb_forget(cx);
	mdb_forget(cx);
	return s->found ? MDB_DONE : MDB_OK;
}

/* A vCPU that no list has: an idle one.  Each lies in pages of its own. */
static enum mdb_status
in_lone_vcpu(struct mdb_ctx *cx, struct mdb_loc loc, bool *found_out)
{
	mdb_addr_t base = loc.addr & ~(uint64_t)(XPV_PAGE_LEN - 1);
	struct mdb_xen_vcpu v;
	enum mdb_status st = mdb_xen_vcpu_at(cx, loc.world, base, &v);

	mdb_forget(cx);
	if (st != MDB_OK || !v.known)
		return MDB_OK;
	*found_out = true;
	return mdb_line(cx,
		"%" PRIx64 " is %" PRIx64 "+%" PRIx64
		", in the struct vcpu of %sv%u",
		loc.addr, base, loc.addr - base, xpv_domid_name(cx, v.domid),
		v.vcpu);
}

static enum mdb_status
in_domain(struct mdb_ctx *cx, struct mdb_loc loc, bool *found_out)
{
	struct sought s = { .addr = loc.addr };
	struct xpv_vcpu v;
	uint64_t id = 0;

	if (xpv_type_len(cx, loc.world, "struct domain", &s.domain_len) !=
			MDB_OK ||
		xpv_type_len(cx, loc.world, "struct vcpu", &s.vcpu_len) !=
			MDB_OK ||
		xpv_each_domain(cx, loc.world, is_domain, &s) != MDB_OK)
		mdb_forget(cx);
	if (!s.found || xpv_domid_of(cx, s.domain, &id) != MDB_OK) {
		mdb_forget(cx);
		return MDB_OK;
	}
	if (s.vcpu.addr == 0) {
		*found_out = true;
		return mdb_line(cx,
			"%" PRIx64 " is %" PRIx64 "+%" PRIx64
			", in the struct domain of %s",
			loc.addr, s.domain.addr, loc.addr - s.domain.addr,
			xpv_domid_name(cx, id));
	}
	if (xpv_vcpu_read(cx, s.vcpu, &v) != MDB_OK) {
		mdb_forget(cx);
		return MDB_OK;
	}
	*found_out = true;
	return mdb_line(cx,
		"%" PRIx64 " is %" PRIx64 "+%" PRIx64
		", in the struct vcpu of %sv%d",
		loc.addr, s.vcpu.addr, loc.addr - s.vcpu.addr,
		xpv_domid_name(cx, id), v.id);
}

/* ---- tables of frames ----------------------------------------------------
 */

/* "d0, writable" "free, in a block of order 5 from frame 1000" */
static const char *
use_of(struct mdb_ctx *cx, const struct xpv_frames *f, const struct xpv_page *p)
{
	const char *owner;
	struct xpv_page head;
	uint64_t gfn = 0;

	if (xpv_page_state(f, p) == XPV_FREE) {
		if (!xpv_free_block(cx, f, p->pdx, &head))
			return "free";
		return mdb_tmp_printf(cx,
			"free, in a block of order %u from frame %" PRIx64,
			head.order, head.mfn);
	}
	if (p->owner == 0)
		return xpv_page_is_xenheap(p) ? "of the Xen heap"
					      : "the hypervisor's or nobody's";
	owner = xpv_owner_name(cx, f->world, p->owner);
	owner = mdb_tmp_printf(cx, "of %s, %s%s", owner,
		xpv_page_type_name(xpv_page_type(p)),
		xpv_page_is_xenheap(p) ? ", of the Xen heap" : "");
	if (xpv_m2p_read(cx, f->world, p->mfn, &gfn) == MDB_OK &&
		xpv_m2p_name(gfn) == NULL)
		owner = mdb_tmp_printf(cx, "%s, its frame %" PRIx64, owner,
			gfn);
	mdb_forget(cx);
	return owner;
}

static enum mdb_status
in_frames(struct mdb_ctx *cx, struct mdb_loc loc, bool *found_out)
{
	struct xpv_frames f;
	struct xpv_page p;
	uint64_t pdx;
	bool direct;

	if (xpv_frames_get(cx, loc.world, &f) != MDB_OK) {
		mdb_forget(cx);
		return MDB_OK;
	}
	direct = loc.addr >= f.direct && loc.addr < XPV_HYPERVISOR_END;
	if (!direct && (loc.addr < f.table ||
			       loc.addr >= f.table + f.nr_pdx * f.page_len))
		return MDB_OK;
	pdx = direct ? (loc.addr - f.direct) >> XPV_PAGE_SHIFT
		     : (loc.addr - f.table) / f.page_len;
	if (pdx >= f.nr_pdx || xpv_page_read(cx, &f, pdx, &p) != MDB_OK) {
		mdb_forget(cx);
		return MDB_OK;
	}
	*found_out = true;
	if (direct)
		return mdb_line(cx,
			"%" PRIx64
			" is in the direct map, machine frame %" PRIx64
			" (struct page_info %" PRIx64 "), %s",
			loc.addr, p.mfn, p.addr, use_of(cx, &f, &p));
	return mdb_line(cx,
		"%" PRIx64 " is %" PRIx64 "+%" PRIx64
		", the struct page_info of machine frame %" PRIx64
		" (at %" PRIx64 "), %s",
		loc.addr, p.addr, loc.addr - p.addr, p.mfn,
		f.direct + (pdx << XPV_PAGE_SHIFT), use_of(cx, &f, &p));
}

static enum mdb_status
in_m2p(struct mdb_ctx *cx, struct mdb_loc loc, bool *found_out)
{
	mdb_addr_t base = loc.addr >= XPV_RDWR_MPT ? XPV_RDWR_MPT : XPV_RO_MPT;
	uint64_t mfn = (loc.addr - base) / 8, gfn = 0;
	enum mdb_status st;

	if (loc.addr < base || loc.addr - base >= XPV_MPT_LEN)
		return MDB_OK;
	*found_out = true;
	st = xpv_m2p_read(cx, loc.world, mfn, &gfn);
	mdb_forget(cx);
	return mdb_line(cx,
		"%" PRIx64 " is the M2P entry of machine frame %" PRIx64 ": %s",
		loc.addr, mfn,
		st != MDB_OK ? mdb_tmp_printf(cx, "<%s>", mdb_status_name(st))
		: xpv_m2p_name(gfn) != NULL
			? xpv_m2p_name(gfn)
			: mdb_tmp_printf(cx, "its owner's frame %" PRIx64,
				  gfn));
}

/* ---- areas ---------------------------------------------------------------
 */

/* xen/arch/x86/include/asm/config.h */
static const struct {
	mdb_addr_t start, last;
	const char *name;
} areas[] = {
	{ 0xffff808000000000, 0xffff80ffffffffff, "PCI configuration area" },
	{ 0xffff810000000000, 0xffff817fffffffff, "guest linear page tables" },
	{ 0xffff818000000000, 0xffff81ffffffffff, "shadow linear page tables" },
	{ 0xffff820000000000, 0xffff827fffffffff, "per-domain mappings" },
	{ 0xffff82c000000000, 0xffff82cfffffffff, "vmap and fixmap area" },
	{ 0xffff82d000000000, 0xffff82dfffffffff,
		"image of the hypervisor, or the area around it" },
};

static enum mdb_status
in_area(struct mdb_ctx *cx, struct mdb_loc loc, bool *found_out)
{
	for (size_t i = 0; i < sizeof(areas) / sizeof(areas[0]); i++) {
		struct mdb_vtop v;

		if (loc.addr < areas[i].start || loc.addr > areas[i].last)
			continue;
		if (mdb_vtop(cx, loc, &v) != MDB_OK) {
			mdb_forget(cx);
			return MDB_OK;
		}
		*found_out = true;
		return mdb_line(cx,
			"%" PRIx64 " is in the %s, at machine address %" PRIx64,
			loc.addr, areas[i].name, v.paddr);
	}
	return MDB_OK;
}

enum mdb_status
xpv_whatis(struct mdb_ctx *cx, struct mdb_loc loc, bool *found_out)
{
	static mdb_whatis_fn *const finders[] = { in_stack, in_percpu,
		in_domain, in_lone_vcpu, in_m2p, in_frames, in_area };

	if (loc.space != NULL || mdb_world_kind(loc.world) != MDB_WORLD_XEN ||
		mdb_world_word(loc.world) != 8)
		return MDB_OK;
	for (size_t i = 0; i < sizeof(finders) / sizeof(finders[0]); i++) {
		bool found = false;
		enum mdb_status st = finders[i](cx, loc, &found);

		if (found)
			*found_out = true;
		if (st != MDB_OK || found)
			return st;
	}
	return MDB_OK;
}
