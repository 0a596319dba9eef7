/* SPDX-License-Identifier: MIT */
/*
 * CPUs of a Linux world: which were online, which panicked, where their
 * per-CPU areas are, and which of the dump's register notes is whose.
 *
 * A crash kernel's notes are of the online CPUs in ascending order.  QEMU's
 * are of all CPUs of the machine; there the GS base in kernel mode, which is
 * the per-CPU offset, tells whose they are.  The CPUs of a domain are virtual:
 * the hypervisor's world knows where each of them was.
 */
#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"
#include "mdb/world/linux_world.h"
#include "mdb/world/xen_world.h"

#include <inttypes.h>
#include <stdlib.h>

/* ---- which there are -----------------------------------------------------
 */

/* Fills lx->online from a bit mask of nr bits. */
static void
online_from_mask(struct mdb_linux *lx, const uint8_t *mask, uint32_t nr)
{
	free(lx->online);
	lx->online = mdb_xarray(nr, sizeof(*lx->online));
	lx->nr_online = 0;
	for (uint32_t i = 0; i < nr; i++)
		if (mask[i / 8] >> i % 8 & 1)
			lx->online[lx->nr_online++] = i;
}

static enum mdb_status
online_read(struct mdb_ctx *cx, struct mdb_linux *lx, mdb_addr_t addr)
{
	uint32_t nr = lx->world->nr_cpu_ids;
	MDB_AUTO_FREE uint8_t *mask = mdb_xalloc(nr / 8 + 8);
	enum mdb_status st;

	st = mdb_space_read(cx, lx->world->space, addr, mask,
		(nr + 63) / 64 * (size_t)8);
	if (st == MDB_OK)
		online_from_mask(lx, mask, nr);
	return st;
}

/* nr_cpu_ids; where that is a constant of the build, the mask's length. */
static enum mdb_status
cpu_ids_read(struct mdb_ctx *cx, struct mdb_linux *lx,
	const struct mdb_sym *mask, uint64_t *nr_out)
{
	enum mdb_status st;
	uint64_t nr;

	st = mdb_linux_variable(cx, lx, "nr_cpu_ids", mask->value, 4, &nr);
	if (st == MDB_E_NOTFOUND) {
		nr = mask->size * 8;
		st = MDB_OK;
	}
	if (st == MDB_OK && (nr == 0 || nr > MDB_LINUX_MAX_CPUS))
		st = mdb_fail(cx, MDB_E_CORRUPT, "%" PRIu64 " CPU ids", nr);
	if (st == MDB_OK)
		*nr_out = nr;
	return st;
}

/* Without the kernel's word: as many as the dump has registers of. */
static void
online_guess(struct mdb_linux *lx)
{
	const struct dfmt *dump = mdb_memory_dump(lx->world->target->memory);
	size_t nr = dump != NULL ? dfmt_nr_cpus(dump) : 0;

	if (nr == 0 || nr > MDB_LINUX_MAX_CPUS)
		nr = 1;
	lx->world->nr_cpu_ids = (unsigned int)nr;
	lx->online = mdb_xarray(nr, sizeof(*lx->online));
	for (size_t i = 0; i < nr; i++)
		lx->online[i] = (uint32_t)i;
	lx->nr_online = nr;
}

/*
 * Without __per_cpu_offset the kernel was built for one processor, unless its
 * table has no variables at all (no CONFIG_KALLSYMS_ALL).
 */
static enum mdb_status
percpu_init(struct mdb_ctx *cx, struct mdb_linux *lx)
{
	mdb_addr_t near_addr = mdb_kallsyms_layout(lx->kallsyms)->token_index;
	mdb_addr_t uts;
	enum mdb_status st;

	st = mdb_linux_symbol(cx, lx, "__per_cpu_offset", near_addr,
		&lx->percpu_offset_addr);
	if (st == MDB_OK)
		lx->percpu_known = true;
	else if (st == MDB_E_NOTFOUND)
		lx->percpu_known = mdb_linux_symbol(cx, lx, "init_uts_ns",
					   lx->uts_addr, &uts) == MDB_OK;
	return st;
}

enum mdb_status
mdb_linux_cpus_init(struct mdb_ctx *cx, struct mdb_linux *lx)
{
	mdb_addr_t masks = mdb_linux_info_symbol(lx, "node_online_map");
	struct mdb_sym mask;
	enum mdb_status st;
	uint64_t nr;

	online_guess(lx);
	if (lx->kallsyms == NULL)
		return MDB_OK;
	st = percpu_init(cx, lx);
	if (st == MDB_E_NOTFOUND)
		return MDB_OK;
	if (st == MDB_OK)
		st = mdb_linux_sym(cx, lx, "__cpu_online_mask", masks, &mask);
	if (st == MDB_OK)
		st = cpu_ids_read(cx, lx, &mask, &nr);
	if (st != MDB_OK)
		return st;
	lx->world->nr_cpu_ids = (unsigned int)nr;
	return online_read(cx, lx, mask.value);
}

enum mdb_status
mdb_linux_cpu_next(struct mdb_ctx *cx, struct mdb_world *world, int *cpu)
{
	struct mdb_linux *lx = mdb_linux_of(world);

	(void)cx;
	for (size_t i = 0; i < lx->nr_online; i++) {
		if (*cpu >= 0 && lx->online[i] <= (uint32_t)*cpu)
			continue;
		*cpu = (int)lx->online[i];
		return MDB_OK;
	}
	return MDB_DONE;
}

/* ---- per-CPU areas -------------------------------------------------------
 */

enum mdb_status
mdb_linux_percpu_addr(struct mdb_ctx *cx, struct mdb_world *world,
	mdb_addr_t symbol_value, int cpu, mdb_addr_t *addr_out)
{
	struct mdb_linux *lx = mdb_linux_of(world);
	uint64_t offset = 0;
	enum mdb_status st;

	if (cpu < 0 || (unsigned int)cpu >= world->nr_cpu_ids)
		return mdb_fail(cx, MDB_E_NOTFOUND, "no CPU %d: ids go to %u",
			cpu, world->nr_cpu_ids - 1);
	if (!lx->percpu_known)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"the kernel's symbols do not tell where per-CPU areas "
			"are");
	if (lx->percpu_offset_addr != 0) {
		st = mdb_space_read_uint(cx, world->space,
			lx->percpu_offset_addr + 8 * (uint64_t)cpu, 8, &offset);
		if (st != MDB_OK)
			return mdb_context(cx, st, "per-CPU offset of CPU %d",
				cpu);
	}
	*addr_out = symbol_value + offset;
	return MDB_OK;
}

/* ---- the one that panicked -----------------------------------------------
 */

int
mdb_linux_panic_cpu(struct mdb_ctx *cx, struct mdb_world *world)
{
	struct mdb_linux *lx = mdb_linux_of(world);
	mdb_addr_t near_addr = mdb_linux_info_symbol(lx, "prb");
	enum mdb_status st;
	uint64_t v;

	if (lx->panic_cpu_tried)
		return lx->panic_cpu;
	lx->panic_cpu_tried = true;
	if (near_addr > MDB_LINUX_TEXT_MAP)
		near_addr -= 96u << 10; /* where it is most likely */
	st = mdb_linux_variable(cx, lx, "panic_cpu", near_addr, 4, &v);
	if (st == MDB_E_NOTFOUND)
		st = mdb_linux_variable(cx, lx, "crashing_cpu", near_addr, 4,
			&v);
	if (st == MDB_OK && v < world->nr_cpu_ids)
		lx->panic_cpu = (int)v;
	mdb_forget(cx);
	return lx->panic_cpu;
}

/* ---- registers -----------------------------------------------------------
 */

/* The note whose GS base is this CPU's per-CPU area; -1: none. */
static int64_t
note_by_gs(const struct dfmt *dump, uint64_t offset)
{
	for (size_t i = 0; i < dfmt_nr_cpus(dump); i++) {
		struct dfmt_cpu c = dfmt_cpu_at(dump, i);
		bool user = (c.cs & 3) != 0;

		if (!c.has_bases || !c.has_cr)
			continue;
		if ((user ? c.kernel_gs_base : c.gs_base) == offset ||
			c.gs_base == offset || c.kernel_gs_base == offset)
			return (int64_t)i;
	}
	return -1;
}

static int64_t
note_by_order(const struct mdb_linux *lx, const struct dfmt *dump, int cpu)
{
	if (dfmt_nr_cpus(dump) != lx->nr_online)
		return (size_t)cpu < dfmt_nr_cpus(dump) ? cpu : -1;
	for (size_t i = 0; i < lx->nr_online; i++)
		if (lx->online[i] == (uint32_t)cpu)
			return (int64_t)i;
	return -1;
}

/* A domain's: the hypervisor knows them by numbers that may be others. */
static enum mdb_status
virtual_regs(struct mdb_ctx *cx, struct mdb_linux *lx, int cpu,
	struct mdb_regs *regs_out)
{
	struct mdb_xen *xen = mdb_xen_of_target(lx->world->target);
	uint64_t vcpu = (uint64_t)cpu;
	mdb_addr_t symbol, at;
	uint8_t b[4];

	if (xen == NULL || !xen->has_dom0 || lx->world->domain != 0)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"the hypervisor does not tell where virtual CPU %d "
			"was",
			cpu);
	if (mdb_linux_percpu_symbol(cx, lx, "xen_vcpu_id", &symbol) == MDB_OK &&
		mdb_linux_percpu_addr(cx, lx->world, symbol, cpu, &at) ==
			MDB_OK &&
		mdb_space_try(lx->world->space, at, b, 4) == MDB_OK)
		vcpu = mdb_le32(b);
	mdb_forget(cx);
	return mdb_xen_vcpu_regs(cx, xen, &xen->dom0, (unsigned int)vcpu,
		regs_out);
}

enum mdb_status
mdb_linux_cpu_regs(struct mdb_ctx *cx, struct mdb_world *world, int cpu,
	struct mdb_regs *regs_out)
{
	struct mdb_linux *lx = mdb_linux_of(world);
	const struct dfmt *dump = mdb_memory_dump(world->target->memory);
	mdb_addr_t offset;
	int64_t note = -1;
	enum mdb_status st;

	if (dump == NULL || dfmt_nr_cpus(dump) == 0)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"the dump has no registers");
	st = mdb_linux_percpu_addr(cx, world, 0, cpu, &offset);
	if (st == MDB_E_NOTFOUND)
		return st;
	mdb_forget(cx);
	if (world->domain >= 0)
		return virtual_regs(cx, lx, cpu, regs_out);
	if (st == MDB_OK && offset != 0)
		note = note_by_gs(dump, offset);
	if (note < 0)
		note = note_by_order(lx, dump, cpu);
	if (note < 0)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"the dump has no registers of CPU %d", cpu);
	return mdb_regs_of_note(cx, world->target, (size_t)note, regs_out);
}
