/* SPDX-License-Identifier: MIT */
/*
 * ::hypercall: what a guest asked of the hypervisor.
 *
 * A hypercall's number is in rax, its arguments in rdi, rsi, rdx, r10, r8
 * (xen/include/public/arch-x86/xen-x86_64.h); of a 32-bit guest in ebx, ecx,
 * edx, esi, edi.  The registers with which a guest came in are at the top of
 * the CPU's stack.  rax holds the number only until the hypercall is done: so
 * the stack is asked whether its handler is still there.
 */
#include "hypercall.h"
#include "xpv.h"

#include <inttypes.h>
#include <string.h>

const struct mdb_option xpv_hypercall_options[] = {
	XPV_OPTION_DOMAIN,
	{ 'v', MDB_OPT_FLAG, NULL,
		"of a number or name: the operations that it has" },
	{ 0 },
};

static const struct mdb_column columns[] = {
	{ "vcpu", "VCPU", MDB_WIDTH_ADDR,
		MDB_COL_LEFT | MDB_COL_PIPE | MDB_COL_ZERO, 0,
		"the struct vcpu that made it" },
	{ "name", "NAME", 6, MDB_COL_LEFT, 0, "the same as d0v1" },
	{ "cpu", "CPU", 4, 0, 0, "processor that it runs on" },
	{ "nr", "NR", 3, 0, 0, "its number" },
	{ "hypercall", "HYPERCALL", 18, MDB_COL_LEFT, 0, "its name" },
	{ "op", "OP", 16, MDB_COL_LEFT, 0, "the operation asked for" },
	{ "args", "ARGUMENTS", 0, MDB_COL_LEFT, 0, "name=value, hex" },
	{ NULL },
};

const struct mdb_table xpv_hypercall_table = { .name = "hypercalls",
	.columns = columns };

static const struct mdb_column op_columns[] = {
	{ "nr", NULL, 4, 0, 0, "number of the operation" },
	{ "op", NULL, 0, MDB_COL_LEFT, 0, "its name" },
	{ NULL },
};
static const struct mdb_table op_table = { .name = "ops",
	.columns = op_columns,
	.indent = 4 };

const struct mdb_example xpv_hypercall_examples[] = {
	{ "::hypercall", "the hypercalls that were being served" },
	{ "0t35::hypercall", "which one is number 35" },
	{ "::hypercall -v sched_op", "and its operations" },
	{ NULL },
};

/* ---- decoding ------------------------------------------------------------ */

struct call {
	uint64_t number;
	uint64_t args[XPV_HYPERCALL_ARGS];
	struct mdb_loc guest; /* where its pointers lead; world NULL: unknown */
};

/* HYPERCALL_VECTOR, asm/mach-default/irq_vectors.h: by which only
 * 32-bit guests come in. */
#define VECTOR_HYPERCALL_32 0x82u

static void
call_of_regs(const struct mdb_regs *r, bool wide, struct call *c)
{
	static const enum mdb_reg wide_regs[] = { MDB_R_DI, MDB_R_SI, MDB_R_DX,
		MDB_R_10, MDB_R_8 };
	static const enum mdb_reg narrow_regs[] = { MDB_R_BX, MDB_R_CX,
		MDB_R_DX, MDB_R_SI, MDB_R_DI };
	uint64_t mask = wide ? ~0ull : 0xffffffff;

	/* do_hypercall takes eax. */
	c->number = (uint32_t)r->r[MDB_R_AX];
	for (size_t i = 0; i < XPV_HYPERCALL_ARGS; i++)
		c->args[i] = r->r[(wide ? wide_regs : narrow_regs)[i]] & mask;
}

static struct mdb_value
op_cell(struct mdb_ctx *cx, const struct call *c)
{
	enum mdb_hypercall_op place = mdb_hypercall_op_place(c->number);
	uint64_t op = c->args[0];
	const char *name;

	if (place == MDB_HYPERCALL_OP_NONE)
		return mdb_v_none();
	if (place == MDB_HYPERCALL_OP_MEMORY) {
		enum mdb_status st = MDB_E_UNMAPPED;

		if (c->guest.world != NULL)
			st = mdb_read_uint(cx, mdb_at(c->guest, c->args[0]), 4,
				&op);
		if (st != MDB_OK) {
			mdb_forget(cx);
			return mdb_v_error(st);
		}
	}
	name = mdb_hypercall_op_name(c->number, op);
	return mdb_v_text(
		name != NULL ? name : mdb_tmp_printf(cx, "?(%" PRIu64 ")", op));
}

static const char *
args_text(struct mdb_ctx *cx, const struct call *c)
{
	const char *text = "", *name;

	for (size_t i = 0; (name = xpv_hypercall_arg(c->number, i)) != NULL;
		i++)
		text = mdb_tmp_printf(cx, "%s%s%s=%#" PRIx64, text,
			i > 0 ? ", " : "", name, c->args[i]);
	return *text != '\0' ? text : "-";
}

/* ---- what a number means ------------------------------------------------- */

static enum mdb_status
show_ops(struct mdb_ctx *cx, uint64_t number)
{
	size_t count = mdb_hypercall_nr_ops(number);
	enum mdb_status st = MDB_OK;

	for (size_t i = 0; i < count && st == MDB_OK; i++) {
		const char *name = mdb_hypercall_op_name(number, i);
		struct mdb_value v[] = {
			mdb_v_uint(i),
			mdb_v_text(name != NULL ? name : ""),
		};

		if (name != NULL)
			st = mdb_subrow(cx, &op_table, v);
	}
	return st;
}

static enum mdb_status
show_number(struct mdb_ctx *cx, uint64_t number, bool verbose)
{
	const char *name = mdb_hypercall_name(number);
	const char *args = "", *arg;
	enum mdb_status st;

	if (name == NULL)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"there is no hypercall %" PRIu64, number);
	for (size_t i = 0; (arg = xpv_hypercall_arg(number, i)) != NULL; i++)
		args = mdb_tmp_printf(cx, "%s%s%s", args, i > 0 ? ", " : "",
			arg);
	struct mdb_value v[] = {
		mdb_v_none(),
		mdb_v_none(),
		mdb_v_none(),
		mdb_v_uint(number),
		mdb_v_text(name),
		mdb_v_none(),
		mdb_v_text(*args != '\0' ? args : "-"),
	};

	st = mdb_row(cx, &xpv_hypercall_table, v);
	return st == MDB_OK && verbose ? show_ops(cx, number) : st;
}

static enum mdb_status
show_name(struct mdb_ctx *cx, const char *name, bool verbose)
{
	for (uint64_t n = 0; n < MDB_HYPERCALL_MAX; n++) {
		const char *known = mdb_hypercall_name(n);

		if (known != NULL && strcmp(known, name) == 0)
			return show_number(cx, n, verbose);
	}
	return mdb_fail(cx, MDB_E_NOTFOUND, "there is no hypercall \"%s\"",
		mdb_escape(cx, name, strlen(name)));
}

/* ---- what was being served ----------------------------------------------- */

static const char *const handlers[] = { "pv_hypercall", "hvm_hypercall" };

/* The frames of the hypervisor up to the guest's. */
static enum mdb_status
note_handler(struct mdb_ctx *cx, const struct mdb_frame *f, void *arg)
{
	bool *found = arg;
	struct mdb_sym sym;

	if (mdb_world_kind(f->world) != MDB_WORLD_XEN)
		return MDB_DONE;
	if (mdb_sym_by_addr(cx,
		    mdb_kernel_loc(f->world, f->pc - (f->pc_is_return ? 1 : 0)),
		    false, &sym) != MDB_OK) {
		mdb_forget(cx);
		return MDB_OK;
	}
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
		if (strcmp(sym.name, handlers[i]) == 0)
			*found = true;
	return *found ? MDB_DONE : MDB_OK;
}

/* Is a hypercall being served on the CPU's stack? */
static enum mdb_status
is_serving(struct mdb_ctx *cx, struct mdb_world *world,
	const struct mdb_xen_pcpu *p, bool *serving_out)
{
	struct mdb_regs regs;
	enum mdb_stack_end end;
	const char *why;
	bool found = false;
	enum mdb_status st = MDB_OK;

	*serving_out = false;
	if (p->in_guest || !p->has_guest_regs || !p->has_regs)
		return MDB_OK;
	st = mdb_cpu_regs(cx, world, p->cpu, &regs);
	if (st == MDB_OK)
		st = mdb_stack_walk(cx, world, &regs, note_handler, &found,
			&end, &why);
	if (st == MDB_OK)
		*serving_out = found;
	return st;
}

/* The page tables that the vcpu has: its pointers are of these. */
static struct mdb_loc
guest_of(struct mdb_ctx *cx, struct mdb_loc vcpu, const struct xpv_domain *d)
{
	struct mdb_loc guest = { 0 };
	struct xpv_vcpu v;

	if (d->is_hvm || xpv_vcpu_read(cx, vcpu, &v) != MDB_OK || !v.has_cr3 ||
		mdb_space_of_root(cx, vcpu.world, v.cr3 & ~0xfffull,
			&guest.space) != MDB_OK) {
		mdb_forget(cx);
		return guest;
	}
	guest.world = vcpu.world;
	return guest;
}

struct show {
	const struct mdb_call *call;
	unsigned int count;
};

static enum mdb_status
row(struct mdb_ctx *cx, struct mdb_world *world, const struct mdb_xen_pcpu *p)
{
	const struct mdb_xen_vcpu *v = &p->loaded;
	struct mdb_loc vcpu = mdb_kernel_loc(world, v->addr);
	const char *name;
	struct xpv_domain d;
	struct mdb_regs regs;
	struct call c = { 0 };
	unsigned int vector;
	enum mdb_status st =
		mdb_xen_regs_read(cx, world, p->cpu_info, &regs, &vector);

	if (st == MDB_OK)
		st = xpv_domain_read(cx, mdb_at(vcpu, v->domain), &d);
	if (st != MDB_OK)
		return st;
	call_of_regs(&regs, vector != VECTOR_HYPERCALL_32, &c);
	c.guest = guest_of(cx, vcpu, &d);
	name = mdb_hypercall_name(c.number);
	struct mdb_value cells[] = {
		mdb_v_addr(vcpu),
		mdb_v_text(xpv_vcpu_name(cx, v->domid, (int)v->vcpu)),
		mdb_v_int(p->cpu),
		mdb_v_uint(c.number),
		mdb_v_text(name != NULL ? name : "?"),
		op_cell(cx, &c),
		mdb_v_text(args_text(cx, &c)),
	};

	return mdb_row(cx, &xpv_hypercall_table, cells);
}

static enum mdb_status
show_cpu(struct mdb_ctx *cx, struct mdb_world *world, int cpu, void *arg)
{
	struct show *s = arg;
	struct mdb_xen_pcpu p;
	bool serving;
	enum mdb_status st = mdb_xen_pcpu(cx, world, cpu, &p);

	if (st == MDB_OK)
		st = is_serving(cx, world, &p, &serving);
	if (st != MDB_OK || !serving || !p.loaded.known)
		return st;
	if (s->call->has_addr && p.loaded.addr != s->call->loc.addr)
		return MDB_OK;
	if (mdb_opt(s->call, 'd') &&
		p.loaded.domid != mdb_opt_uint(s->call, 'd', 0))
		return MDB_OK;
	s->count++;
	return row(cx, world, &p);
}

enum mdb_status
xpv_hypercall(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct show s = { .call = call };
	bool verbose = mdb_opt(call, 'v');
	struct mdb_world *world;
	enum mdb_status st;

	if (call->argc > 1 || (call->argc == 1 && call->has_addr))
		return mdb_fail(cx, MDB_E_USAGE, "a number or a name");
	if (call->argc == 1)
		return show_name(cx, call->argv[0], verbose);
	if (call->has_addr && call->loc.addr < 0x1000)
		return show_number(cx, call->loc.addr, verbose);
	st = xpv_world(cx, &world);
	if (st == MDB_OK)
		st = xpv_each_cpu(cx, world, show_cpu, &s);
	if (st == MDB_OK && s.count == 0 && call->has_addr)
		st = mdb_fail(cx, MDB_E_NOTFOUND,
			"no hypercall of that vcpu was being served");
	return st;
}
