/* SPDX-License-Identifier: MIT */
/*
 * Physical CPUs: ::pcpu.
 *
 * A 64-bit hypervisor's current vcpu is in struct cpu_info at the top of the
 * CPU's stack; of an older one it is that vcpu whose state says that it runs
 * there, else the idle one.
 */
#include "pcpu.h"

#include <inttypes.h>

static const struct mdb_column columns[] = {
	{ "cpu", "CPU", 4, 0, 0, "number of the processor" },
	{ "vcpu", "VCPU", MDB_WIDTH_ADDR,
		MDB_COL_LEFT | MDB_COL_PIPE | MDB_COL_ZERO, 0,
		"the vcpu that it runs" },
	{ "domain", "DOM", 5, 0, 0, "id of the vcpu's domain; idle" },
	{ "id", "ID", 3, 0, 0, "number of the vcpu in the domain" },
	{ "idle", "IDLE", MDB_WIDTH_ADDR, MDB_COL_LEFT | MDB_COL_ZERO, 0,
		"the processor's idle vcpu" },
	{ "stack_base", "STACK", MDB_WIDTH_ADDR, MDB_COL_LEFT | MDB_COL_ZERO, 0,
		"the lowest page of its stacks" },
	{ "irq", "IRQ", 10, MDB_COL_LEFT, 0,
		"interrupts on or off; guest: it runs the guest; in an irq, "
		"nmi, mce" },
	{ "softirq_pending", NULL, 0, MDB_COL_JSON_ONLY, 0,
		"softirqs that are pending, hex" },
	{ "loaded", NULL, 0, MDB_COL_JSON_ONLY, 0,
		"the vcpu whose state is loaded" },
	{ "softirqs", "SOFTIRQS", 0, MDB_COL_LEFT, 0, "the same by name" },
	{ NULL },
};

const struct mdb_table xpv_pcpu_table = { .name = "pcpus", .columns = columns };

const struct mdb_example xpv_pcpu_examples[] = {
	{ "::pcpu", "what each processor runs" },
	{ "::pcpu -v -c 0", "all of processor 0" },
	{ "::walk pcpu | ::vcpu", "the vcpus that run" },
	{ NULL },
};

const struct mdb_option xpv_pcpu_options[] = {
	{ 'v', MDB_OPT_FLAG, NULL,
		"each with its registers, stacks, tables and what waits" },
	{ 'c', MDB_OPT_EXPR, "cpu", "only that processor" },
	{ 0 },
};

#define MAX_CPUS 4096

/* ---- what a CPU is doing ------------------------------------------------- */

/* xen/include/xen/softirq.h, then xen/arch/x86/include/asm/softirq.h; 4.14 to
 * 4.20. */
const struct xpv_bit xpv_softirq_bits[] = {
	{ 1u << 0, "timer" },
	{ 1u << 1, "rcu" },
	{ 1u << 2, "sched_slave" },
	{ 1u << 3, "schedule" },
	{ 1u << 4, "new_tlbflush_clock_period" },
	{ 1u << 5, "tasklet" },
	{ 1u << 6, "nmi" },
	{ 1u << 7, "time_calibrate" },
	{ 1u << 8, "vcpu_kick" },
	{ 1u << 9, "machine_check" },
	{ 1u << 10, "hvm_dpci" },
	{ 0, NULL },
};

enum mdb_status
xpv_irq_stat(struct mdb_ctx *cx, struct mdb_world *world, int cpu,
	struct mdb_loc *loc_out)
{
	struct mdb_type type;
	uint64_t size;
	enum mdb_status st =
		mdb_type_by_name(cx, world, "irq_cpustat_t", &type);

	if (st == MDB_OK)
		st = mdb_type_size(cx, type, &size);
	if (st == MDB_OK)
		st = xpv_var_loc(cx, world, "irq_stat", loc_out);
	if (st == MDB_OK)
		loc_out->addr += (uint64_t)cpu * size;
	return st;
}

static struct mdb_value
pending_cell(struct mdb_ctx *cx, struct mdb_world *world, int cpu, bool words)
{
	struct mdb_loc loc;
	uint64_t pending;
	enum mdb_status st = xpv_irq_stat(cx, world, cpu, &loc);

	if (st == MDB_OK)
		st = xpv_member(cx, loc, "irq_cpustat_t", "__softirq_pending\0",
			&pending);
	if (st != MDB_OK) {
		mdb_forget(cx);
		return st == MDB_E_NOTFOUND ? mdb_v_none() : mdb_v_error(st);
	}
	if (!words)
		return mdb_v_hex(pending);
	return pending == 0 ? mdb_v_text("none")
			    : mdb_v_text(xpv_bits_text(cx, xpv_softirq_bits,
				      pending));
}

/* ",irq" when the CPU is in one, by its counters; "" else. */
static const char *
nesting(struct mdb_ctx *cx, struct mdb_world *world, int cpu)
{
	static const struct {
		const char *names, *word;
	} counters[] = { { "__local_irq_count\0", "irq" },
		{ "nmi_count\0", "nmi" }, { "mce_count\0", "mce" } };
	const char *text = "";
	struct mdb_loc loc;
	uint64_t n;

	if (xpv_irq_stat(cx, world, cpu, &loc) != MDB_OK) {
		mdb_forget(cx);
		return text;
	}
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		if (xpv_member(cx, loc, "irq_cpustat_t", counters[i].names,
			    &n) == MDB_OK &&
			n != 0)
			text = mdb_tmp_printf(cx, "%s,%s", text,
				counters[i].word);
		mdb_forget(cx);
	}
	return text;
}

#define RFLAGS_IF (1u << 9)

const char *
xpv_irq_text(struct mdb_ctx *cx, struct mdb_world *world,
	const struct mdb_xen_pcpu *p)
{
	struct mdb_regs regs;
	const char *word = "?";

	if (p->in_guest)
		word = "guest";
	else if (p->has_regs &&
		 mdb_cpu_regs(cx, world, p->cpu, &regs) == MDB_OK &&
		 mdb_reg_known(&regs, MDB_R_FLAGS))
		word = (regs.r[MDB_R_FLAGS] & RFLAGS_IF) != 0 ? "on" : "off";
	mdb_forget(cx);
	return mdb_tmp_printf(cx, "%s%s", word, nesting(cx, world, p->cpu));
}

static struct mdb_value
addr_cell(struct mdb_world *world, mdb_addr_t addr)
{
	return addr != 0 ? mdb_v_addr(mdb_kernel_loc(world, addr))
			 : mdb_v_none();
}

static struct mdb_value
idle_cell(struct mdb_ctx *cx, struct mdb_world *world, int cpu)
{
	struct mdb_loc idle;
	enum mdb_status st = xpv_idle_vcpu(cx, world, cpu, &idle);

	if (st == MDB_OK)
		return mdb_v_addr(idle);
	mdb_forget(cx);
	return st == MDB_E_NOTFOUND ? mdb_v_none() : mdb_v_error(st);
}

static enum mdb_status
row(struct mdb_ctx *cx, struct mdb_world *world, int cpu, void *arg)
{
	const struct mdb_call *call = arg;
	struct mdb_xen_pcpu p;
	enum mdb_status st;
	bool idle;

	if (mdb_opt(call, 'v') && !mdb_is_piped(cx))
		return xpv_pcpu_tree(cx, world, cpu);
	st = mdb_xen_pcpu(cx, world, cpu, &p);
	if (st != MDB_OK)
		return st;
	idle = p.current.known && p.current.domid == MDB_XEN_DOMID_IDLE;
	struct mdb_value v[] = {
		mdb_v_int(cpu),
		addr_cell(world, p.current.addr),
		!p.current.known ? mdb_v_none()
		: idle		 ? mdb_v_text("idle")
				 : mdb_v_uint(p.current.domid),
		p.current.known && !idle ? mdb_v_uint(p.current.vcpu)
					 : mdb_v_none(),
		idle_cell(cx, world, cpu),
		addr_cell(world, p.stack),
		mdb_v_text(xpv_irq_text(cx, world, &p)),
		pending_cell(cx, world, cpu, false),
		addr_cell(world, p.loaded.addr),
		pending_cell(cx, world, cpu, true),
	};

	return mdb_row(cx, &xpv_pcpu_table, v);
}

/* ---- by the states of all vcpus ------------------------------------------ */

#define RUNSTATE_RUNNING 0

/* Which vcpu of a domain runs on each processor. */
struct running {
	struct xpv_vcpu on[MAX_CPUS];
};

static enum mdb_status
note_running(struct mdb_ctx *cx, struct mdb_loc loc, void *arg)
{
	struct running *r = arg;
	struct xpv_vcpu v;
	enum mdb_status st = xpv_vcpu_read(cx, loc, &v);

	if (st == MDB_OK && v.has_state && v.state == RUNSTATE_RUNNING &&
		v.processor >= 0 && v.processor < MAX_CPUS)
		r->on[v.processor] = v;
	return st;
}

static enum mdb_status
note_domain(struct mdb_ctx *cx, struct mdb_loc loc, void *arg)
{
	struct xpv_domain d;
	enum mdb_status st = xpv_domain_read(cx, loc, &d);

	return st == MDB_OK ? xpv_each_vcpu(cx, &d, note_running, arg) : st;
}

static enum mdb_status
old_row(struct mdb_ctx *cx, const struct running *r, unsigned int cpu,
	struct mdb_loc idle)
{
	const struct xpv_vcpu *on = &r->on[cpu];
	bool busy = on->loc.world != NULL;
	struct mdb_value v[] = {
		mdb_v_uint(cpu),
		mdb_v_addr(busy ? on->loc : idle),
		busy ? xpv_domain_id_cell(cx, mdb_at(idle, on->domain))
		     : mdb_v_text("idle"),
		busy ? mdb_v_int(on->id) : mdb_v_none(),
		mdb_v_addr(idle),
		mdb_v_none(),
		mdb_v_none(),
		mdb_v_none(),
		mdb_v_none(),
		mdb_v_none(),
	};

	return mdb_row(cx, &xpv_pcpu_table, v);
}

/* How many elements the array of idle vcpus has. */
static uint64_t
nr_idle_vcpus(struct mdb_ctx *cx, struct mdb_world *world)
{
	struct mdb_sym sym;
	uint64_t count = 0;

	if (mdb_sym_by_name(cx, world, "idle_vcpu", &sym) == MDB_OK &&
		sym.size != 0)
		count = sym.size / mdb_world_word(world);
	mdb_forget(cx);
	return count < MAX_CPUS ? count : MAX_CPUS;
}

enum mdb_status
xpv_idle_vcpu(struct mdb_ctx *cx, struct mdb_world *world, int cpu,
	struct mdb_loc *loc_out)
{
	struct mdb_loc loc;
	enum mdb_status st = xpv_var_loc(cx, world, "idle_vcpu", &loc);

	if (st == MDB_OK)
		st = mdb_read_ptr(cx,
			mdb_at(loc, loc.addr + (uint64_t)cpu *
						       mdb_world_word(world)),
			&loc.addr);
	if (st == MDB_OK && loc.addr == 0)
		st = mdb_fail(cx, MDB_E_NOTFOUND, "CPU %d has no idle vcpu",
			cpu);
	if (st == MDB_OK)
		*loc_out = loc;
	return st;
}

static enum mdb_status
old_rows(struct mdb_ctx *cx, struct mdb_world *world)
{
	struct running *r = mdb_tmp(cx, sizeof(*r));
	struct mdb_loc array, idle;
	uint64_t count;
	enum mdb_status st = xpv_var_loc(cx, world, "idle_vcpu", &array);

	if (st == MDB_OK)
		st = xpv_each_domain(cx, world, note_domain, r);
	if (st != MDB_OK)
		return st;
	count = nr_idle_vcpus(cx, world);
	for (unsigned int i = 0; i < count && st == MDB_OK; i++) {
		idle = mdb_kernel_loc(world, 0);
		st = mdb_read_ptr(cx,
			mdb_at(array, array.addr + i * mdb_world_word(world)),
			&idle.addr);
		if (st == MDB_OK && idle.addr != 0)
			st = old_row(cx, r, i, idle);
	}
	return st;
}

/* ---- the command, the walker --------------------------------------------- */

static enum mdb_status
show(struct mdb_ctx *cx, struct mdb_world *world, struct mdb_call *call)
{
	uint64_t cpu = mdb_opt_uint(call, 'c', 0);

	if (!mdb_opt(call, 'c'))
		return xpv_each_cpu(cx, world, row, call);
	if (cpu >= mdb_nr_cpu_ids(world))
		return mdb_fail(cx, MDB_E_NOTFOUND, "there is no CPU %" PRIu64,
			cpu);
	return row(cx, world, (int)cpu, call);
}

enum mdb_status
xpv_pcpu(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_call copy = *call;
	struct mdb_world *world;
	struct mdb_xen_pcpu p;
	enum mdb_status st = xpv_world(cx, &world);
	int cpu = -1;

	if (st != MDB_OK)
		return st;
	if (mdb_cpu_next(cx, world, &cpu) == MDB_OK &&
		mdb_xen_pcpu(cx, world, cpu, &p) != MDB_E_UNSUPPORTED)
		return show(cx, world, &copy);
	mdb_forget(cx);
	if (mdb_opt(call, 'v') || mdb_opt(call, 'c'))
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"-v and -c are for a hypervisor of 64 bits");
	return old_rows(cx, world);
}

static enum mdb_status
walk_cpu(struct mdb_ctx *cx, struct mdb_world *world, int cpu, void *arg)
{
	struct mdb_xen_pcpu p;
	enum mdb_status st = mdb_xen_pcpu(cx, world, cpu, &p);

	if (st == MDB_OK && p.current.addr != 0)
		st = xpv_found_add(cx, mdb_kernel_loc(world, p.current.addr),
			arg);
	return st;
}

enum mdb_status
xpv_walk_pcpu_init(struct mdb_ctx *cx, struct mdb_walk *w)
{
	struct xpv_found *f = mdb_tmp(cx, sizeof(*f));
	enum mdb_status st = xpv_world(cx, &f->world);

	w->state = f;
	return st == MDB_OK ? xpv_each_cpu(cx, f->world, walk_cpu, f) : st;
}
