/* SPDX-License-Identifier: MIT */
/*
 * The stacks that belong to CPUs and not to threads: interrupt, exception
 * (IST) and entry stacks.
 *
 * Found without types, so that a first stack costs no reading of BTF: the
 * hardware's task state segment (Intel SDM volume 3, 8.7) has the tops of the
 * exception stacks and of the entry stack, a per-CPU variable that of the
 * interrupt stack:
 *   irq_stack_ptr       4.14 .. 5.1    top - 64
 *   hardirq_stack_ptr   5.2 .. 6.1, 6.15 ..    top, since 5.11 top - 8
 *   pcpu_hot            6.2 .. 6.14    a member of it, after call_depth if
 *                                      that is configured
 * A stack reaches down to where the page tables map nothing, or to the next
 * stack's top.
 */
#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"
#include "mdb/world/linux_world.h"

#include <stdlib.h>
#include <string.h>

#define PAGE 4096ull

/* IRQ_STACK_SIZE without KASAN; a guarded one may be larger. */
#define IRQ_STACK_LEN (16ull << 10)
#define MAX_STACK_LEN (64ull << 10)

/* struct x86_hw_tss: sp0 and the interrupt stack table. */
#define TSS_SP0 4u
#define TSS_IST 36u
#define NR_IST 5u

/* Where cpu_entry_area and, below it, vmalloc'ed stacks lie. */
#define CEA_START 0xfffffe0000000000ull
#define CEA_END 0xfffffe8000000000ull

enum {
	STACK_IRQ,
	STACK_ENTRY,
	STACK_IST,
	NR_STACKS = STACK_IST + NR_IST
};

static const char *const stack_names[NR_STACKS] = { "IRQ", "entry", "#DF",
	"NMI", "#DB", "#MC", "#VC" };

struct cpu_stacks {
	bool irq_tried, ist_tried;
	struct {
		mdb_addr_t low, high; /* 0, 0: not known */
	} stacks[NR_STACKS];
};

struct mdb_linux_stacks {
	mdb_addr_t irq_symbol, hot_symbol, tss_symbol; /* 0: none */
	struct cpu_stacks *cpus;		       /* by online index */
};

static bool
is_kernel_addr(mdb_addr_t addr)
{
	return addr >= 0xff00000000000000ull;
}

/* How far down from high memory is mapped, at most len bytes. */
static mdb_addr_t
mapped_down(struct mdb_ctx *cx, struct mdb_space *space, mdb_addr_t high,
	uint64_t len)
{
	mdb_addr_t low = high;

	while (high - low < len) {
		struct mdb_vtop vtop;

		if (mdb_space_vtop(cx, space, low - PAGE, &vtop) != MDB_OK) {
			mdb_forget(cx);
			break;
		}
		low -= PAGE;
	}
	return low;
}

/* ---- interrupt stacks ----------------------------------------------------
 */

/* hardirq_stack_ptr in struct pcpu_hot: the top less one word. */
static mdb_addr_t
top_in_hot(const uint8_t *hot)
{
	for (size_t i = 24; i <= 32; i += 8) {
		mdb_addr_t v = mdb_le64(hot + i);

		if (is_kernel_addr(v) && v % PAGE == PAGE - 8)
			return v;
	}
	return 0;
}

static mdb_addr_t
irq_top(struct mdb_ctx *cx, struct mdb_linux *lx, int cpu)
{
	const struct mdb_linux_stacks *s = lx->stacks;
	mdb_addr_t symbol = s->irq_symbol != 0 ? s->irq_symbol : s->hot_symbol;
	uint8_t b[64];
	mdb_addr_t at;

	if (symbol == 0 || mdb_linux_percpu_addr(cx, lx->world, symbol, cpu,
				   &at) != MDB_OK)
		return 0;
	if (s->irq_symbol == 0)
		return mdb_space_try(lx->world->space, at, b, sizeof(b)) ==
				       MDB_OK
			       ? top_in_hot(b)
			       : 0;
	return mdb_space_try(lx->world->space, at, b, 8) == MDB_OK ? mdb_le64(b)
								   : 0;
}

static void
irq_stack_find(struct mdb_ctx *cx, struct mdb_linux *lx, struct cpu_stacks *c,
	int cpu)
{
	mdb_addr_t top = irq_top(cx, lx, cpu);
	mdb_addr_t low;

	c->irq_tried = true;
	if (!is_kernel_addr(top) || top > UINT64_MAX - PAGE)
		return;
	top = (top + PAGE - 1) & ~(PAGE - 1);
	low = mapped_down(cx, lx->world->space, top, MAX_STACK_LEN);
	/* No guard below: it is in the per-CPU area, of the usual size. */
	if (top - low == MAX_STACK_LEN)
		low = top - IRQ_STACK_LEN;
	c->stacks[STACK_IRQ].low = low;
	c->stacks[STACK_IRQ].high = top;
}

/* ---- exception stacks ----------------------------------------------------
 */

/* Not below another stack's top: before 5.2 they adjoin. */
static mdb_addr_t
above_others(const mdb_addr_t tops[NR_IST], size_t i, mdb_addr_t low)
{
	for (size_t k = 0; k < NR_IST; k++)
		if (k != i && tops[k] < tops[i] && tops[k] > low)
			low = tops[k];
	return low;
}

static void
ist_stacks_find(struct mdb_ctx *cx, struct mdb_linux *lx, struct cpu_stacks *c,
	int cpu)
{
	struct mdb_space *space = lx->world->space;
	uint8_t tss[TSS_IST + 8 * NR_IST];
	mdb_addr_t tops[NR_IST] = { 0 };
	mdb_addr_t at, sp0;

	c->ist_tried = true;
	if (lx->stacks->tss_symbol == 0 ||
		mdb_linux_percpu_addr(cx, lx->world, lx->stacks->tss_symbol,
			cpu, &at) != MDB_OK ||
		mdb_space_try(space, at, tss, sizeof(tss)) != MDB_OK)
		return;
	sp0 = mdb_le64(tss + TSS_SP0);
	if (sp0 > CEA_START && sp0 < CEA_END) {
		c->stacks[STACK_ENTRY].low = (sp0 - 1) & ~(PAGE - 1);
		c->stacks[STACK_ENTRY].high = sp0;
	}
	for (size_t i = 0; i < NR_IST; i++) {
		tops[i] = mdb_le64(tss + TSS_IST + 8 * i);
		if (!is_kernel_addr(tops[i]) || tops[i] % 8 != 0)
			tops[i] = 0;
	}
	for (size_t i = 0; i < NR_IST; i++) {
		mdb_addr_t high = (tops[i] + PAGE - 1) & ~(PAGE - 1);
		mdb_addr_t low;

		if (tops[i] == 0)
			continue;
		low = mapped_down(cx, space, high, MAX_STACK_LEN / 2);
		c->stacks[STACK_IST + i].low = above_others(tops, i, low);
		c->stacks[STACK_IST + i].high = high;
	}
}

/* ---- asking --------------------------------------------------------------
 */

static mdb_addr_t
percpu_symbol(struct mdb_ctx *cx, struct mdb_linux *lx, const char *name)
{
	mdb_addr_t value = 0;

	if (mdb_linux_percpu_symbol(cx, lx, name, &value) != MDB_OK)
		mdb_forget(cx);
	return value;
}

static void
stacks_init(struct mdb_ctx *cx, struct mdb_linux *lx)
{
	struct mdb_linux_stacks *s = mdb_xalloc(sizeof(*s));

	lx->stacks = s;
	s->cpus = mdb_xarray(lx->nr_online, sizeof(*s->cpus));
	s->irq_symbol = percpu_symbol(cx, lx, "hardirq_stack_ptr");
	if (s->irq_symbol == 0)
		s->hot_symbol = percpu_symbol(cx, lx, "pcpu_hot");
	if (s->irq_symbol == 0 && s->hot_symbol == 0)
		s->irq_symbol = percpu_symbol(cx, lx, "irq_stack_ptr");
	s->tss_symbol = percpu_symbol(cx, lx, "cpu_tss_rw");
	if (s->tss_symbol == 0)
		s->tss_symbol = percpu_symbol(cx, lx, "cpu_tss");
}

static bool
range_in(const struct cpu_stacks *c, size_t first, size_t end, mdb_addr_t sp,
	struct mdb_stack_range *range)
{
	for (size_t i = first; i < end; i++) {
		if (sp < c->stacks[i].low || sp >= c->stacks[i].high)
			continue;
		range->low = c->stacks[i].low;
		range->high = c->stacks[i].high;
		range->name = stack_names[i];
		return true;
	}
	return false;
}

/* Exception stacks are in cpu_entry_area since 4.15, and only there. */
enum mdb_status
mdb_linux_stack_range(struct mdb_ctx *cx, struct mdb_world *world,
	mdb_addr_t sp, struct mdb_stack_range *range_out)
{
	struct mdb_linux *lx = mdb_linux_of(world);
	bool in_cea = sp >= CEA_START && sp < CEA_END;
	bool found = false;

	if (!is_kernel_addr(sp) || lx->kallsyms == NULL)
		return MDB_E_NOTFOUND;
	if (lx->stacks == NULL)
		stacks_init(cx, lx);
	for (size_t i = 0; i < lx->nr_online && !found; i++) {
		struct cpu_stacks *c = &lx->stacks->cpus[i];
		int cpu = (int)lx->online[i];

		if (in_cea && !c->ist_tried)
			ist_stacks_find(cx, lx, c, cpu);
		if (!in_cea && !c->irq_tried)
			irq_stack_find(cx, lx, c, cpu);
		found = in_cea ? range_in(c, STACK_ENTRY, NR_STACKS, sp,
					 range_out)
			       : range_in(c, STACK_IRQ, STACK_ENTRY, sp,
					 range_out);
		if (found)
			range_out->cpu = cpu;
	}
	mdb_forget(cx);
	return found ? MDB_OK : MDB_E_NOTFOUND;
}

void
mdb_linux_stacks_fini(struct mdb_linux *lx)
{
	if (lx->stacks == NULL)
		return;
	free(lx->stacks->cpus);
	free(lx->stacks);
}
