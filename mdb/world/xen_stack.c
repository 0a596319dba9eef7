/* SPDX-License-Identifier: MIT */
/*
 * The stack of a physical CPU: its parts, whom the CPU ran, and the registers
 * that were saved there.
 *
 * Eight pages (xen/arch/x86/include/asm/current.h of 4.14 to 4.20): shadow
 * stacks of the interrupt stack table, then its four stacks, a shadow stack or
 * guard page, and two pages of primary stack with struct cpu_info at the top.
 */
#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"
#include "mdb/world/xen_world.h"

#include <inttypes.h>

#define PAGE_LEN 0x1000ull

static const char *const parts[] = { "IST shadow", "#MC", "NMI", "#DB", "#DF",
	"shadow", "primary", "primary" };
#define PRIMARY 6u

enum mdb_status
mdb_xen_stack_range(struct mdb_ctx *cx, struct mdb_world *world, mdb_addr_t sp,
	struct mdb_stack_range *range_out)
{
	const struct mdb_xen_cpu *c =
		mdb_xen_cpu_of_stack(mdb_xen_cpus(cx, mdb_xen_of(world)), sp);
	size_t page;

	if (c == NULL)
		return MDB_E_NOTFOUND;
	page = (sp - c->stack) / PAGE_LEN;
	if (page >= PRIMARY)
		*range_out =
			(struct mdb_stack_range){ c->stack + PRIMARY * PAGE_LEN,
				c->stack + MDB_XEN_STACK_LEN, parts[PRIMARY],
				(int)c->id, c->info };
	else
		*range_out =
			(struct mdb_stack_range){ c->stack + page * PAGE_LEN,
				c->stack + (page + 1) * PAGE_LEN, parts[page],
				(int)c->id, 0 };
	return MDB_OK;
}

static enum mdb_status
not_xen(struct mdb_ctx *cx, const struct mdb_world *world)
{
	return mdb_fail(cx, MDB_E_UNSUPPORTED, "world %s is no 64-bit Xen",
		world->name);
}

enum mdb_status
mdb_xen_stack_of(struct mdb_ctx *cx, struct mdb_world *world, mdb_addr_t sp,
	int *cpu_out, const char **part_out)
{
	struct mdb_xen *xen = mdb_xen_of(world);
	const struct mdb_xen_cpu *c;
	size_t page;

	if (xen == NULL)
		return not_xen(cx, world);
	c = mdb_xen_cpu_of_stack(mdb_xen_cpus(cx, xen), sp);
	if (c == NULL)
		return MDB_E_NOTFOUND;
	page = (sp - c->stack) / PAGE_LEN;
	*cpu_out = (int)c->id;
	*part_out = sp >= c->info ? "guest registers" : parts[page];
	return MDB_OK;
}

/* ---- saved registers -----------------------------------------------------
 */

/* xen/include/public/arch-x86/xen-x86_64.h: struct cpu_user_regs */
enum mdb_status
mdb_xen_regs_read(struct mdb_ctx *cx, struct mdb_world *world, mdb_addr_t addr,
	struct mdb_regs *regs_out, unsigned int *vector_out)
{
	static const enum mdb_reg order[] = { MDB_R_15, MDB_R_14, MDB_R_13,
		MDB_R_12, MDB_R_BP, MDB_R_BX, MDB_R_11, MDB_R_10, MDB_R_9,
		MDB_R_8, MDB_R_AX, MDB_R_CX, MDB_R_DX, MDB_R_SI, MDB_R_DI };
	struct mdb_regs regs = { 0 };
	uint8_t b[MDB_XEN_REGS_LEN];
	enum mdb_status st =
		mdb_space_read(cx, world->space, addr, b, sizeof(b));

	if (st != MDB_OK)
		return mdb_context(cx, st, "saved registers");
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		mdb_reg_set(&regs, order[i], mdb_le64(b + 8 * i));
	mdb_reg_set(&regs, MDB_R_ERR, mdb_le32(b + 120));
	mdb_reg_set(&regs, MDB_R_TRAP, mdb_le16(b + 124));
	mdb_reg_set(&regs, MDB_R_IP, mdb_le64(b + 128));
	mdb_reg_set(&regs, MDB_R_CS, mdb_le16(b + 136));
	mdb_reg_set(&regs, MDB_R_FLAGS, mdb_le64(b + 144));
	mdb_reg_set(&regs, MDB_R_SP, mdb_le64(b + 152));
	mdb_reg_set(&regs, MDB_R_SS, mdb_le16(b + 160));
	*regs_out = regs;
	if (vector_out != NULL)
		*vector_out = mdb_le16(b + 124);
	return MDB_OK;
}

/* ---- whom it ran ---------------------------------------------------------
 */

/* Per-CPU curr_vcpu: whose state is loaded, also while the CPU idles. */
static mdb_addr_t
loaded_of(struct mdb_ctx *cx, struct mdb_xen *xen, const struct mdb_xen_cpu *c)
{
	mdb_addr_t symbol;
	uint8_t b[8];

	if (!c->has_percpu ||
		(!mdb_xen_variable(cx, xen, "per_cpu__curr_vcpu", &symbol) &&
			!mdb_xen_variable(cx, xen, "curr_vcpu", &symbol)) ||
		mdb_space_try(xen->world->space, symbol + c->percpu_offset, b,
			8) != MDB_OK)
		return 0;
	return mdb_le64(b);
}

enum mdb_status
mdb_xen_pcpu(struct mdb_ctx *cx, struct mdb_world *world, int cpu,
	struct mdb_xen_pcpu *pcpu_out)
{
	struct mdb_xen *xen = mdb_xen_of(world);
	const struct mdb_xen_cpu *c;
	struct mdb_xen_pcpu p = { .cpu = cpu };

	if (xen == NULL)
		return not_xen(cx, world);
	c = mdb_xen_cpu_of_id(mdb_xen_cpus(cx, xen), cpu);
	if (c == NULL)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"the hypervisor has no CPU %d whose stack is known",
			cpu);
	p.online = c->online;
	p.stack = c->stack;
	p.cpu_info = c->info;
	p.has_percpu = c->has_percpu;
	p.percpu_offset = c->percpu_offset;
	p.has_regs = c->note >= 0;
	p.in_guest = c->in_guest;
	p.current.addr = c->current;
	(void)mdb_xen_vcpu_try(xen, c->current, &p.current);
	p.loaded.addr = loaded_of(cx, xen, c);
	if (p.loaded.addr != 0)
		(void)mdb_xen_vcpu_try(xen, p.loaded.addr, &p.loaded);
	/* Who runs now and is no idler has loaded its own. */
	else if (p.current.known && p.current.domid != MDB_XEN_DOMID_IDLE)
		p.loaded = p.current;
	p.has_guest_regs = p.loaded.known && !p.in_guest &&
			   p.loaded.domid != MDB_XEN_DOMID_IDLE;
	*pcpu_out = p;
	return MDB_OK;
}

/*
 * Registers of a guest on the stack are those of the vCPU that is loaded: where
 * the scheduler has just chosen another, the current one is that already.
 */
enum mdb_status
mdb_xen_guest_on_stack(struct mdb_ctx *cx, struct mdb_world *world,
	mdb_addr_t sp, struct mdb_guest *guest_out)
{
	struct mdb_xen *xen = mdb_xen_of(world);
	const struct mdb_xen_cpu *c =
		mdb_xen_cpu_of_stack(mdb_xen_cpus(cx, xen), sp);
	struct mdb_xen_vcpu v;

	*guest_out = (struct mdb_guest){ .domain = -1, .vcpu = -1 };
	if (c == NULL)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"no CPU's stack holds %#" PRIx64, sp);
	if (!mdb_xen_vcpu_try(xen, loaded_of(cx, xen, c), &v) &&
		!mdb_xen_vcpu_try(xen, c->current, &v))
		return mdb_fail(cx, MDB_E_CORRUPT,
			"CPU %" PRIu32 "'s current vCPU at %#" PRIx64
			" is none",
			c->id, c->current);
	if (v.domid == MDB_XEN_DOMID_IDLE)
		return mdb_fail(cx, MDB_E_NOTFOUND, "CPU %" PRIu32 " was idle",
			c->id);
	guest_out->world = v.world;
	guest_out->domain = (int)v.domid;
	guest_out->vcpu = (int)v.vcpu;
	if (v.world == NULL)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"domain %u, which ran there, is no world of this dump",
			v.domid);
	return MDB_OK;
}
