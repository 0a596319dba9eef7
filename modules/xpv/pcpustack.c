/* SPDX-License-Identifier: MIT */
/* ::pcpustack: the stack of a physical CPU, on into the guest that it ran. */
#include "xpv.h"

#include <inttypes.h>
#include <stdlib.h>

const struct mdb_option xpv_pcpustack_options[] = {
	{ 'a', MDB_OPT_FLAG, NULL, "of all CPUs" },
	{ 'v', MDB_OPT_FLAG, NULL, "with the registers of exception frames" },
	{ 0 },
};

static const struct mdb_column columns[] = {
	{ "cpu", "CPU", 4, 0, 0, "number of the processor" },
	{ "vcpu", "VCPU", MDB_WIDTH_ADDR,
		MDB_COL_LEFT | MDB_COL_PIPE | MDB_COL_ZERO, 0,
		"the vcpu that it runs" },
	{ "name", "NAME", 8, MDB_COL_LEFT, 0, "the same as d0v1, or idle0" },
	{ "stack_base", "STACK", MDB_WIDTH_ADDR, MDB_COL_LEFT | MDB_COL_ZERO, 0,
		"the lowest page of its stacks" },
	{ "on", "ON", 0, MDB_COL_LEFT, 0,
		"which of them its stack pointer is on" },
	{ NULL },
};

const struct mdb_table xpv_pcpustack_table = { .name = "pcpus",
	.columns = columns };

const struct mdb_example xpv_pcpustack_examples[] = {
	{ "::pcpustack", "of the CPU that panicked, or of the first" },
	{ "1::pcpustack", "of CPU 1" },
	{ "::pcpustack -a", "of all, one after the other" },
	{ NULL },
};

static const char *
part_of(struct mdb_ctx *cx, struct mdb_world *world,
	const struct mdb_xen_pcpu *p, const struct mdb_regs *regs)
{
	const char *part;
	int cpu;

	if (p->in_guest)
		return "guest";
	if (!mdb_reg_known(regs, MDB_R_SP) ||
		mdb_xen_stack_of(cx, world, regs->r[MDB_R_SP], &cpu, &part) !=
			MDB_OK) {
		mdb_forget(cx);
		return "?";
	}
	if (cpu != p->cpu)
		return mdb_tmp_printf(cx, "%s of CPU %d", part, cpu);
	return part;
}

static enum mdb_status
head(struct mdb_ctx *cx, struct mdb_world *world, const struct mdb_xen_pcpu *p,
	const struct mdb_regs *regs)
{
	const struct mdb_xen_vcpu *c = &p->current;
	struct mdb_value v[] = {
		mdb_v_int(p->cpu),
		c->addr != 0 ? mdb_v_addr(mdb_kernel_loc(world, c->addr))
			     : mdb_v_none(),
		c->known ? mdb_v_text(xpv_vcpu_name(cx, c->domid, (int)c->vcpu))
			 : mdb_v_none(),
		p->stack != 0 ? mdb_v_addr(mdb_kernel_loc(world, p->stack))
			      : mdb_v_none(),
		mdb_v_text(regs != NULL ? part_of(cx, world, p, regs)
					: "its registers are not in the dump"),
	};

	mdb_heading_again(cx);
	return mdb_row(cx, &xpv_pcpustack_table, v);
}

static enum mdb_status
stack(struct mdb_ctx *cx, struct mdb_world *world, int cpu, void *arg)
{
	const struct mdb_call *call = arg;
	unsigned int flags = MDB_STACK_FP | MDB_STACK_NESTED;
	struct mdb_xen_pcpu p;
	struct mdb_regs regs;
	enum mdb_status st = mdb_xen_pcpu(cx, world, cpu, &p);

	/* Of an older hypervisor only the registers are known. */
	if (st == MDB_E_UNSUPPORTED) {
		mdb_forget(cx);
		p = (struct mdb_xen_pcpu){ .cpu = cpu, .has_regs = true };
	} else if (st != MDB_OK) {
		return st;
	}
	if (!p.has_regs || mdb_cpu_regs(cx, world, cpu, &regs) != MDB_OK) {
		mdb_forget(cx);
		return head(cx, world, &p, NULL);
	}
	st = head(cx, world, &p, &regs);
	if (mdb_opt(call, 'v'))
		flags |= MDB_STACK_REGS;
	if (st == MDB_OK && !mdb_is_piped(cx))
		st = mdb_stack_print(cx, world, &regs, flags);
	return st;
}

/* The CPU that is meant: by address, by operand, else that which panicked. */
static enum mdb_status
cpu_of(struct mdb_ctx *cx, const struct mdb_call *call, struct mdb_world *world,
	int *cpu_out)
{
	uint64_t n;
	enum mdb_status st = MDB_OK;

	*cpu_out = mdb_panic_cpu(cx, world);
	if (call->has_addr) {
		n = call->loc.addr;
	} else if (call->argc == 1) {
		st = mdb_eval_expr(cx, call->argv[0], &n);
	} else {
		if (*cpu_out >= 0)
			return MDB_OK;
		*cpu_out = -1;
		return mdb_cpu_next(cx, world, cpu_out);
	}
	if (st == MDB_OK && n >= mdb_nr_cpu_ids(world))
		st = mdb_fail(cx, MDB_E_NOTFOUND, "there is no CPU %" PRIu64,
			n);
	if (st == MDB_OK)
		*cpu_out = (int)n;
	return st;
}

enum mdb_status
xpv_pcpustack(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_call copy = *call;
	struct mdb_world *world;
	enum mdb_status st = xpv_world(cx, &world);
	int cpu;

	if (call->argc > 1 ||
		(mdb_opt(call, 'a') && (call->argc > 0 || call->has_addr)))
		return mdb_fail(cx, MDB_E_USAGE, "one CPU, or -a");
	if (st != MDB_OK)
		return st;
	if (mdb_opt(call, 'a'))
		return xpv_each_cpu(cx, world, stack, &copy);
	st = cpu_of(cx, call, world, &cpu);
	return st == MDB_OK ? stack(cx, world, cpu, &copy) : st;
}
