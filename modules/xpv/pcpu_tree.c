/* SPDX-License-Identifier: MIT */
/*
 * ::pcpu -v: all that is known of a physical CPU.
 *
 * Where its tables are comes of variables that may have been found by the code
 * that refers to them; so each is asked whether it is this CPU's: the task
 * segment has this CPU's stacks, the descriptor table this task segment, the
 * interrupt table gates into the hypervisor.
 */
#include "pcpu.h"

#include <inttypes.h>
#include <string.h>

#define PAGE_LEN 0x1000u

/* A CPU, and what its leaves are taken from. */
struct cpu {
	struct mdb_world *world;
	struct mdb_xen_pcpu p;
	bool has_regs;
	struct mdb_regs regs;
};

/* ---- leaves -------------------------------------------------------------- */

static enum mdb_status
leaf_status(struct mdb_ctx *cx, const char *name, enum mdb_status st)
{
	mdb_forget(cx);
	if (st == MDB_E_NOTFOUND || st == MDB_E_UNSUPPORTED)
		return xpv_leaf(cx, name, "not known", mdb_v_none());
	return xpv_leaf(cx, name,
		mdb_tmp_printf(cx, "<%s>", mdb_status_name(st)),
		mdb_v_error(st));
}

/* An address, and what it is in parentheses. */
static enum mdb_status
leaf_addr(struct mdb_ctx *cx, const struct cpu *c, const char *name,
	mdb_addr_t addr, const char *what)
{
	struct mdb_loc loc = mdb_kernel_loc(c->world, addr);

	if (addr == 0)
		return xpv_leaf(cx, name, "none", mdb_v_none());
	return xpv_leaf(cx, name,
		mdb_tmp_printf(cx, "%#" PRIx64 "%s%s%s", addr,
			*what != '\0' ? " (" : "", what,
			*what != '\0' ? ")" : ""),
		mdb_v_addr(loc));
}

static enum mdb_status
leaf_hex(struct mdb_ctx *cx, const char *name, uint64_t v)
{
	return xpv_leaf(cx, name, mdb_tmp_printf(cx, "%#" PRIx64, v),
		mdb_v_hex(v));
}

/* A variable of this CPU that is a number. */
static enum mdb_status
leaf_percpu(struct mdb_ctx *cx, const struct cpu *c, const char *name,
	const char *variable, size_t len, bool is_addr)
{
	struct mdb_loc loc;
	uint64_t v;
	enum mdb_status st =
		xpv_percpu_loc(cx, c->world, variable, c->p.cpu, &loc);

	if (st == MDB_OK)
		st = mdb_read_uint(cx, loc, len, &v);
	if (st != MDB_OK)
		return leaf_status(cx, name, st);
	if (is_addr)
		return leaf_addr(cx, c, name, v, "");
	return xpv_leaf(cx, name, mdb_tmp_printf(cx, "%" PRIu64, v),
		mdb_v_uint(v));
}

static enum mdb_status
branch(struct mdb_ctx *cx, const char *name)
{
	return mdb_tree_open(cx, NULL, name, MDB_BRANCH_STRUCT);
}

/* ---- whom it runs -------------------------------------------------------- */

static enum mdb_status
leaf_vcpu(struct mdb_ctx *cx, const struct cpu *c, const char *name,
	const struct mdb_xen_vcpu *v)
{
	return leaf_addr(cx, c, name, v->addr,
		v->known ? xpv_vcpu_name(cx, v->domid, (int)v->vcpu)
			 : "no vcpu: nothing leads back to it");
}

static enum mdb_status
leaf_idle(struct mdb_ctx *cx, const struct cpu *c)
{
	struct mdb_loc idle;
	enum mdb_status st = xpv_idle_vcpu(cx, c->world, c->p.cpu, &idle);

	return st == MDB_OK ? leaf_addr(cx, c, "idle_vcpu", idle.addr,
				      xpv_vcpu_name_at(cx, idle))
			    : leaf_status(cx, "idle_vcpu", st);
}

/* Since when the current one runs. */
static enum mdb_status
leaf_since(struct mdb_ctx *cx, const struct cpu *c)
{
	struct mdb_value ago;
	struct xpv_vcpu v;
	enum mdb_status st = xpv_vcpu_read(cx,
		mdb_kernel_loc(c->world, c->p.current.addr), &v);
	enum mdb_trust trust;

	if (st != MDB_OK || !v.has_since)
		return leaf_status(cx, "since",
			st != MDB_OK ? st : MDB_E_NOTFOUND);
	ago = xpv_for_cell(cx, &v);
	trust = xpv_member_trust(cx, c->world, "struct vcpu",
		"runstate.state_entry_time\0");
	st = xpv_leaf_trusted(cx, "since",
		mdb_tmp_printf(cx, "%" PRIu64 ".%09" PRIu64,
			v.since / 1000000000, v.since % 1000000000),
		mdb_v_ns(v.since), trust);
	if (st == MDB_OK && ago.kind == MDB_V_NS)
		st = xpv_leaf_trusted(cx, "for_at_least",
			mdb_tmp_printf(cx, "%" PRIu64 ".%09" PRIu64,
				ago.u / 1000000000, ago.u % 1000000000),
			mdb_v_ns(ago.u), trust);
	return st;
}

static enum mdb_status
vcpus(struct mdb_ctx *cx, const struct cpu *c)
{
	enum mdb_status st = leaf_vcpu(cx, c, "vcpu", &c->p.current);

	if (st == MDB_OK && c->p.current.addr != 0)
		st = leaf_since(cx, c);
	if (st == MDB_OK)
		st = leaf_vcpu(cx, c, "loaded", &c->p.loaded);
	return st == MDB_OK ? leaf_idle(cx, c) : st;
}

/* ---- interrupts ---------------------------------------------------------- */

static const struct xpv_leaf irq_leaves[] = {
	XPV_LEAF_NAMED(UINT, "irq_count", "__local_irq_count"),
	XPV_LEAF(UINT, "nmi_count"),
	XPV_LEAF(UINT, "mce_count"),
	XPV_LEAF_NAMED(BITS, "softirqs", "__softirq_pending"),
	XPV_LEAVES_END,
};

static enum mdb_status
interrupts(struct mdb_ctx *cx, const struct cpu *c)
{
	const char *text = xpv_irq_text(cx, c->world, &c->p);
	struct xpv_leaf leaves[sizeof(irq_leaves) / sizeof(irq_leaves[0])];
	struct mdb_loc loc;
	enum mdb_status st = xpv_leaf(cx, "interrupts", text, mdb_v_text(text));

	memcpy(leaves, irq_leaves, sizeof(leaves));
	for (struct xpv_leaf *l = leaves; l->name != NULL; l++)
		if (l->kind == XPV_LEAF_BITS)
			l->aux = xpv_softirq_bits;
	if (st == MDB_OK &&
		xpv_irq_stat(cx, c->world, c->p.cpu, &loc) == MDB_OK)
		st = xpv_leaves(cx, loc, "irq_cpustat_t", leaves);
	mdb_forget(cx);
	if (st == MDB_OK)
		st = leaf_percpu(cx, c, "preempt_count", "__preempt_count", 4,
			false);
	return st == MDB_OK
		       ? leaf_percpu(cx, c, "irq_regs", "irq_regs", 8, true)
		       : st;
}

/* ---- registers, stacks --------------------------------------------------- */

static enum mdb_status
leaf_reg(struct mdb_ctx *cx, const struct cpu *c, const char *name,
	enum mdb_reg reg)
{
	if (!mdb_reg_known(&c->regs, reg))
		return MDB_OK;
	return leaf_hex(cx, name, c->regs.r[reg]);
}

static enum mdb_status
registers(struct mdb_ctx *cx, const struct cpu *c)
{
	static const struct {
		const char *name;
		enum mdb_reg reg;
	} list[] = { { "rsp", MDB_R_SP }, { "rbp", MDB_R_BP },
		{ "rflags", MDB_R_FLAGS }, { "cr0", MDB_R_CR0 },
		{ "cr2", MDB_R_CR2 }, { "cr3", MDB_R_CR3 },
		{ "cr4", MDB_R_CR4 } };
	struct mdb_loc pc;
	enum mdb_status st;

	if (!c->has_regs)
		return xpv_leaf(cx, "registers", "not in the dump",
			mdb_v_none());
	st = branch(cx, "registers");
	pc = c->p.in_guest ? mdb_locate(cx, c->regs.r[MDB_R_IP])
			   : mdb_kernel_loc(c->world, c->regs.r[MDB_R_IP]);
	if (st == MDB_OK && mdb_reg_known(&c->regs, MDB_R_IP))
		st = xpv_leaf(cx, "rip", mdb_sym_format(cx, pc),
			mdb_v_addr(pc));
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]) && st == MDB_OK;
		i++)
		st = leaf_reg(cx, c, list[i].name, list[i].reg);
	return st == MDB_OK ? mdb_tree_close(cx) : st;
}

/* The part of its stack that an address is on; NULL: none of this CPU's. */
static const char *
part_of(struct mdb_ctx *cx, const struct cpu *c, mdb_addr_t addr)
{
	const char *part;
	int cpu;

	if (mdb_xen_stack_of(cx, c->world, addr, &cpu, &part) == MDB_OK &&
		cpu == c->p.cpu)
		return part;
	mdb_forget(cx);
	return NULL;
}

static enum mdb_status
leaf_part(struct mdb_ctx *cx, const char *part, mdb_addr_t start,
	mdb_addr_t end)
{
	const char *text =
		mdb_tmp_printf(cx, "%#" PRIx64 " to %#" PRIx64, start, end);

	return xpv_leaf(cx, part, text, mdb_v_text(text));
}

/* Which part the stack pointer is on, and from where that is in use. */
static enum mdb_status
leaf_in_use(struct mdb_ctx *cx, const struct cpu *c)
{
	mdb_addr_t sp = c->regs.r[MDB_R_SP];
	const char *part = NULL, *text;

	if (c->p.in_guest)
		return xpv_leaf(cx, "in_use", "none: it runs the guest",
			mdb_v_none());
	if (c->has_regs && mdb_reg_known(&c->regs, MDB_R_SP))
		part = part_of(cx, c, sp);
	if (part == NULL)
		return leaf_status(cx, "in_use", MDB_E_NOTFOUND);
	text = mdb_tmp_printf(cx, "%s, from %#" PRIx64, part, sp);
	return xpv_leaf(cx, "in_use", text, mdb_v_text(text));
}

static enum mdb_status
stack(struct mdb_ctx *cx, const struct cpu *c)
{
	mdb_addr_t base = c->p.stack, end = base + MDB_XEN_STACK_LEN;
	mdb_addr_t start = base;
	const char *part, *last = NULL;
	enum mdb_status st;

	if (base == 0)
		return leaf_status(cx, "stack", MDB_E_NOTFOUND);
	st = branch(cx, "stack");
	if (st == MDB_OK)
		st = leaf_in_use(cx, c);
	for (mdb_addr_t a = base; a <= end && st == MDB_OK; a += PAGE_LEN) {
		part = a < end ? part_of(cx, c, a) : NULL;
		if (last != NULL && part != NULL && strcmp(part, last) == 0)
			continue;
		if (last != NULL)
			st = leaf_part(cx, last, start, a);
		start = a;
		last = part;
	}
	if (st == MDB_OK)
		st = leaf_addr(cx, c, "cpu_info", c->p.cpu_info,
			c->p.has_guest_regs ? "registers of the guest"
					    : "no registers of a guest");
	return st == MDB_OK ? mdb_tree_close(cx) : st;
}

/* ---- its tables ---------------------------------------------------------- */

/* xen/arch/x86/include/asm/{desc,processor}.h, 4.14 to 4.20. */
#define TSS_DESCRIPTOR 0x40u /* of TSS_SELECTOR, behind per-CPU gdt */
#define NMI_GATE 32u	     /* of 16 bytes, number 2 */
#define TSS_RSP0 4u	     /* in struct tss64 */
#define TSS_IST 36u

/* The bits of an address that descriptors scatter. */
static uint64_t
base_of_descriptor(const uint64_t d[2])
{
	return (d[0] >> 16 & 0xffffff) | (d[0] >> 56) << 24 | d[1] << 32;
}

static uint64_t
target_of_gate(const uint64_t d[2])
{
	return (d[0] & 0xffff) | (d[0] >> 48) << 16 | d[1] << 32;
}

static enum mdb_status
read_two(struct mdb_ctx *cx, struct mdb_loc loc, uint64_t d[2])
{
	enum mdb_status st = mdb_read_uint(cx, loc, 8, &d[0]);

	return st == MDB_OK
		       ? mdb_read_uint(cx, mdb_at(loc, loc.addr + 8), 8, &d[1])
		       : st;
}

/* Does the pointer there lead into that part of this CPU's stack? */
static bool
leads_to(struct mdb_ctx *cx, const struct cpu *c, struct mdb_loc at,
	const char *part)
{
	const char *found;
	uint64_t sp;

	/* What grows down from the end of a page is in that page. */
	if (mdb_read_uint(cx, at, 8, &sp) != MDB_OK)
		return false;
	found = part_of(cx, c, sp - 8);
	return found != NULL && strcmp(found, part) == 0;
}

/* Are all its stacks this CPU's? */
static bool
is_tss(struct mdb_ctx *cx, const struct cpu *c, struct mdb_loc tss)
{
	static const char *const parts[] = { "#MC", "NMI", "#DB", "#DF" };
	mdb_addr_t at = tss.addr + TSS_IST;

	if (!leads_to(cx, c, mdb_at(tss, tss.addr + TSS_RSP0),
		    "guest registers"))
		return false;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++, at += 8)
		if (!leads_to(cx, c, mdb_at(tss, at), parts[i]))
			return false;
	return true;
}

/* per-CPU tss_page; struct tss64 is behind 8 shadow stack pointers. */
static enum mdb_status
leaf_tss(struct mdb_ctx *cx, const struct cpu *c, mdb_addr_t *tss_out)
{
	struct mdb_loc loc;
	enum mdb_status st =
		xpv_percpu_loc(cx, c->world, "tss_page", c->p.cpu, &loc);

	if (st != MDB_OK)
		return leaf_status(cx, "tss", st);
	loc.addr += 64;
	if (!is_tss(cx, c, loc)) {
		mdb_forget(cx);
		return xpv_leaf(cx, "tss", "none that has its stacks",
			mdb_v_none());
	}
	*tss_out = loc.addr;
	return leaf_addr(cx, c, "tss", loc.addr, "");
}

static enum mdb_status
leaf_gdt(struct mdb_ctx *cx, const struct cpu *c, mdb_addr_t tss)
{
	struct mdb_loc loc;
	uint64_t d[2];
	enum mdb_status st =
		xpv_percpu_loc(cx, c->world, "gdt", c->p.cpu, &loc);

	if (st == MDB_OK)
		st = mdb_read_ptr(cx, loc, &loc.addr);
	if (st == MDB_OK)
		st = read_two(cx, mdb_at(loc, loc.addr + TSS_DESCRIPTOR), d);
	if (st != MDB_OK)
		return leaf_status(cx, "gdt", st);
	if (tss == 0 || base_of_descriptor(d) != tss)
		return xpv_leaf(cx, "gdt", "none that has its task segment",
			mdb_v_none());
	return leaf_addr(cx, c, "gdt", loc.addr, "of selectors from e000");
}

static enum mdb_status
leaf_idt(struct mdb_ctx *cx, const struct cpu *c)
{
	struct mdb_loc loc, to;
	struct mdb_sym sym;
	uint64_t d[2];
	enum mdb_status st = xpv_var_loc(cx, c->world, "idt_tables", &loc);

	if (st == MDB_OK)
		st = mdb_read_ptr(cx,
			mdb_at(loc, loc.addr + 8 * (uint64_t)c->p.cpu),
			&loc.addr);
	if (st == MDB_OK)
		st = read_two(cx, mdb_at(loc, loc.addr + NMI_GATE), d);
	if (st != MDB_OK)
		return leaf_status(cx, "idt", st);
	to = mdb_kernel_loc(c->world, target_of_gate(d));
	if (mdb_sym_by_addr(cx, to, false, &sym) != MDB_OK) {
		mdb_forget(cx);
		return xpv_leaf(cx, "idt", "none that has gates", mdb_v_none());
	}
	return leaf_addr(cx, c, "idt", loc.addr,
		mdb_tmp_printf(cx, "NMI: %s", mdb_sym_format(cx, to)));
}

static enum mdb_status
tables(struct mdb_ctx *cx, const struct cpu *c)
{
	mdb_addr_t tss = 0;
	enum mdb_status st = leaf_tss(cx, c, &tss);

	if (st == MDB_OK)
		st = leaf_gdt(cx, c, tss);
	return st == MDB_OK ? leaf_idt(cx, c) : st;
}

/* ---- its area, the processor --------------------------------------------- */

static enum mdb_status
percpu(struct mdb_ctx *cx, const struct cpu *c)
{
	struct mdb_loc start;
	enum mdb_status st;

	if (!c->p.has_percpu)
		return leaf_status(cx, "percpu_offset", MDB_E_NOTFOUND);
	st = leaf_hex(cx, "percpu_offset", c->p.percpu_offset);
	if (st != MDB_OK)
		return st;
	st = xpv_var_loc(cx, c->world, "__per_cpu_start", &start);
	return st == MDB_OK ? leaf_addr(cx, c, "percpu_area",
				      start.addr + c->p.percpu_offset, "")
			    : leaf_status(cx, "percpu_area", st);
}

static const struct xpv_leaf processor_leaves[] = {
	XPV_LEAF_NAMED(UINT, "apic_id", "apicid"),
	XPV_LEAF_NAMED(UINT, "package", "phys_proc_id"),
	XPV_LEAF_NAMED(UINT, "core", "cpu_core_id"),
	XPV_LEAF(HEX, "microcode"),
	XPV_LEAVES_END,
};

/* cpu_data[cpu], xen/arch/x86/include/asm/processor.h. */
static enum mdb_status
processor(struct mdb_ctx *cx, const struct cpu *c)
{
	struct mdb_loc loc;
	struct mdb_type type;
	uint64_t len;
	enum mdb_status st =
		mdb_type_by_name(cx, c->world, "struct cpuinfo_x86", &type);

	if (st == MDB_OK)
		st = mdb_type_size(cx, type, &len);
	if (st == MDB_OK)
		st = xpv_var_loc(cx, c->world, "cpu_data", &loc);
	if (st != MDB_OK)
		return leaf_status(cx, "apic_id", st);
	loc.addr += len * (uint64_t)c->p.cpu;
	return xpv_leaves(cx, loc, "struct cpuinfo_x86", processor_leaves);
}

/* ---- what waits ---------------------------------------------------------- */

static const struct xpv_leaf resource_leaves[] = {
	XPV_LEAF_NAMED(PTR, "unit", "curr"),
	XPV_LEAF_NAMED(PTR, "switching_from", "prev"),
	XPV_LEAF_NAMED(PTR, "pool", "cpupool"),
	XPV_LEAF_NAMED(UINT, "master_cpu", "master_cpu"),
	XPV_LEAVES_END,
};

static enum mdb_status
leaf_scheduler(struct mdb_ctx *cx, struct mdb_loc resource)
{
	char buf[64];
	const char *text;
	struct mdb_loc loc;
	enum mdb_status st = xpv_member_ptr(cx, resource,
		"struct sched_resource", "scheduler\0", &loc);

	if (st == MDB_OK)
		st = xpv_member_ptr(cx, loc, "struct scheduler", "name\0",
			&loc);
	if (st == MDB_OK)
		st = mdb_read_str(cx, loc, buf, sizeof(buf));
	if (st != MDB_OK)
		return leaf_status(cx, "name", st);
	text = mdb_escape(cx, buf, strlen(buf));
	return xpv_leaf(cx, "name", text, mdb_v_text(text));
}

static enum mdb_status
scheduler(struct mdb_ctx *cx, const struct cpu *c)
{
	struct mdb_loc loc;
	enum mdb_status st =
		xpv_percpu_loc(cx, c->world, "sched_res", c->p.cpu, &loc);

	if (st == MDB_OK)
		st = mdb_read_ptr(cx, loc, &loc.addr);
	if (st != MDB_OK)
		return leaf_status(cx, "scheduler", st);
	st = branch(cx, "scheduler");
	if (st == MDB_OK)
		st = leaf_scheduler(cx, loc);
	if (st == MDB_OK)
		st = leaf_addr(cx, c, "resource", loc.addr, "");
	if (st == MDB_OK)
		st = xpv_leaves(cx, loc, "struct sched_resource",
			resource_leaves);
	return st == MDB_OK ? mdb_tree_close(cx) : st;
}

static enum mdb_status
timers(struct mdb_ctx *cx, const struct cpu *c)
{
	struct xpv_cpu_timers t;
	enum mdb_status st = xpv_cpu_timers(cx, c->world, c->p.cpu, &t);

	if (st != MDB_OK)
		return leaf_status(cx, "timers", st);
	st = branch(cx, "timers");
	if (st == MDB_OK)
		st = xpv_leaf(cx, "set",
			mdb_tmp_printf(cx, "%u", t.heap + t.list),
			mdb_v_uint(t.heap + t.list));
	if (st == MDB_OK && t.first.addr != 0)
		st = leaf_addr(cx, c, "first", t.first.addr,
			mdb_sym_format(cx, t.function));
	if (st == MDB_OK && t.first.addr != 0)
		st = xpv_leaf_trusted(cx, "expires",
			mdb_tmp_printf(cx, "%" PRId64 ".%09" PRId64,
				t.expires / 1000000000, t.expires % 1000000000),
			mdb_v_ns((uint64_t)t.expires),
			xpv_member_trust(cx, c->world, "struct timer",
				"expires\0"));
	return st == MDB_OK ? mdb_tree_close(cx) : st;
}

static const struct xpv_leaf rcu_leaves[] = {
	XPV_LEAF(INT, "quiescbatch"),
	XPV_LEAF(BOOL, "qs_pending"),
	XPV_LEAF(INT, "batch"),
	XPV_LEAF_NAMED(INT, "callbacks", "qlen"),
	XPV_LEAVES_END,
};

static enum mdb_status
rcu(struct mdb_ctx *cx, const struct cpu *c)
{
	struct mdb_loc loc;
	enum mdb_status st =
		xpv_percpu_loc(cx, c->world, "rcu_data", c->p.cpu, &loc);

	if (st != MDB_OK)
		return leaf_status(cx, "rcu", st);
	st = branch(cx, "rcu");
	if (st == MDB_OK)
		st = xpv_leaves(cx, loc, "struct rcu_data", rcu_leaves);
	return st == MDB_OK ? mdb_tree_close(cx) : st;
}

/* ---- the whole ----------------------------------------------------------- */

enum mdb_status
xpv_pcpu_tree(struct mdb_ctx *cx, struct mdb_world *world, int cpu)
{
	typedef enum mdb_status part_fn(struct mdb_ctx *, const struct cpu *);
	static part_fn *const parts[] = { vcpus, interrupts, registers, stack,
		percpu, tables, processor, scheduler, timers, rcu };
	struct cpu c = { .world = world };
	enum mdb_status st = mdb_xen_pcpu(cx, world, cpu, &c.p);

	if (st != MDB_OK)
		return st;
	c.has_regs =
		c.p.has_regs && mdb_cpu_regs(cx, world, cpu, &c.regs) == MDB_OK;
	mdb_forget(cx);
	st = branch(cx, mdb_tmp_printf(cx, "cpu %d", cpu));
	if (st == MDB_OK)
		st = xpv_leaf(cx, "online", c.p.online ? "yes" : "no",
			mdb_v_bool(c.p.online));
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && st == MDB_OK;
		i++)
		st = parts[i](cx, &c);
	return st == MDB_OK ? mdb_tree_close(cx) : st;
}
