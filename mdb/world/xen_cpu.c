/* SPDX-License-Identifier: MIT */
/*
 * The machine's CPUs as the hypervisor knows them.
 *
 * Each has a stack of its own, aligned to its size, with struct cpu_info at the
 * top, which has the CPU's number.  So it is the stack that tells whose a note
 * of registers is: the one that the stack pointer is on, or, where the CPU was
 * in a guest, the one that its task segment names (struct tss64, rsp0), which
 * QEMU's notes have.  The order of notes tells nothing; only a single CPU
 * and a single note that are left over belong together.
 *
 * struct cpu_info differs between versions in length, not in its first members
 * (xen/arch/x86/include/asm/current.h of 4.14 to 4.20): it is looked for until
 * its current vCPU is one of a domain, and on that very CPU.
 */
#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"
#include "mdb/world/xen_world.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* struct cpu_info */
#define INFO_ES 0xa8u /* of its registers: stack pointers begin here */
#define INFO_ID 0xc8u
#define INFO_CURRENT 0xd0u
#define INFO_PERCPU 0xd8u
#define INFO_CR4 0xe0u
#define INFO_HEAD 0xe8u /* all versions have as much */
#define INFO_MAX 0x200u

#define MAX_NOTES 8192u

struct info {
	uint32_t id;
	mdb_addr_t current;
	uint64_t percpu, cr4;
};

static bool
info_read(struct mdb_xen *xen, mdb_addr_t addr, struct info *info_out)
{
	uint8_t b[INFO_HEAD];

	if (mdb_space_try(xen->world->space, addr, b, sizeof(b)) != MDB_OK)
		return false;
	*info_out = (struct info){ .id = mdb_le32(b + INFO_ID),
		.current = mdb_le64(b + INFO_CURRENT),
		.percpu = mdb_le64(b + INFO_PERCPU),
		.cr4 = mdb_le64(b + INFO_CR4) };
	return info_out->id < MDB_XEN_MAX_CPUS;
}

/* How far below the top of this stack struct cpu_info is; 0: nowhere. */
static uint64_t
info_len_find(struct mdb_xen *xen, mdb_addr_t stack)
{
	mdb_addr_t top = stack + MDB_XEN_STACK_LEN;

	for (uint64_t len = INFO_HEAD; len <= INFO_MAX; len += 8) {
		struct mdb_xen_vcpu v;
		struct info info;

		if ((top - len + INFO_ES) % 16 == 0 &&
			info_read(xen, top - len, &info) &&
			mdb_xen_vcpu_try(xen, info.current, &v) &&
			v.processor == (int)info.id)
			return len;
	}
	return 0;
}

/* Without a vCPU to go by: the processor's control register 4 has PAE and no
 * bits that there are not, and the number is the one that is expected. */
static bool
info_is_likely(const struct info *info)
{
	return (info->cr4 & 0x20) != 0 && info->cr4 >> 32 == 0 &&
	       info->percpu % 4096 == 0;
}

/* ---- notes ---------------------------------------------------------------
 */

/* QEMUCPUState (target/i386/arch_dump.c): the task register's base. */
#define QEMU_NOTE_LEN 432u
#define QEMU_TR_BASE 336u
#define TSS_RSP0 4u

/* The task segment of CPU note i; 0: the dump does not say. */
static mdb_addr_t
tss_of_note(const struct dfmt *d, size_t index)
{
	size_t nr = 0;

	for (size_t i = 0; i < dfmt_nr_notes(d); i++) {
		struct dfmt_note n = dfmt_note_at(d, i);

		if (strcmp(n.name, "QEMU") != 0 || n.type != 0)
			continue;
		if (nr++ == index)
			return n.desc_len >= QEMU_NOTE_LEN
				       ? mdb_le64((const uint8_t *)n.desc +
						  QEMU_TR_BASE)
				       : 0;
	}
	return 0;
}

static bool
is_own(mdb_addr_t addr)
{
	return addr >= MDB_XEN_RANGE_START && addr <= MDB_XEN_RANGE_LAST;
}

static mdb_addr_t
stack_of(mdb_addr_t sp)
{
	return sp & ~(mdb_addr_t)(MDB_XEN_STACK_LEN - 1);
}

/* The stack of the CPU that a note is of; 0: the note does not tell. */
static mdb_addr_t
stack_of_note(struct mdb_xen *xen, const struct dfmt *d, size_t i)
{
	struct dfmt_cpu cpu = dfmt_cpu_at(d, i);
	mdb_addr_t tss = tss_of_note(d, i);
	uint8_t b[8];

	if (is_own(tss) &&
		mdb_space_try(xen->world->space, tss + TSS_RSP0, b, 8) ==
			MDB_OK &&
		is_own(mdb_le64(b)))
		return stack_of(mdb_le64(b));
	return cpu.has_regs && is_own(cpu.rsp) ? stack_of(cpu.rsp) : 0;
}

/* ---- the list ------------------------------------------------------------
 */

static struct mdb_xen_cpu *
find_id(struct mdb_xen_cpus *cpus, uint32_t id)
{
	for (size_t i = 0; i < cpus->nr; i++)
		if (cpus->list[i].id == id)
			return &cpus->list[i];
	return NULL;
}

/* The CPU whose stack this is, added if it is new; NULL: it is nobody's. */
static struct mdb_xen_cpu *
cpu_add(struct mdb_xen *xen, mdb_addr_t stack)
{
	struct mdb_xen_cpus *cpus = xen->cpus;
	mdb_addr_t at = stack + MDB_XEN_STACK_LEN - cpus->info_len;
	struct mdb_xen_vcpu v;
	struct mdb_xen_cpu *cpu;
	struct info info;

	if (cpus->info_len == 0 || !info_read(xen, at, &info) ||
		(!mdb_xen_vcpu_try(xen, info.current, &v) &&
			!info_is_likely(&info)))
		return NULL;
	cpu = find_id(cpus, info.id);
	if (cpu != NULL)
		return cpu->stack == stack ? cpu : NULL;
	cpus->list =
		mdb_xrealloc(cpus->list, cpus->nr + 1, sizeof(*cpus->list));
	cpu = &cpus->list[cpus->nr++];
	*cpu = (struct mdb_xen_cpu){ .id = info.id,
		.stack = stack,
		.info = at,
		.percpu_offset = info.percpu,
		.has_percpu = info.percpu % 4096 == 0,
		.current = info.current,
		.note = -1 };
	return cpu;
}

static void
note_give(struct mdb_xen_cpu *cpu, const struct dfmt *d, size_t i)
{
	struct dfmt_cpu regs = dfmt_cpu_at(d, i);

	cpu->note = (int)i;
	cpu->in_guest =
		regs.has_regs && ((regs.cs & 3) != 0 || !is_own(regs.rip));
}

static void
by_notes(struct mdb_xen *xen, const struct dfmt *d)
{
	struct mdb_xen_cpus *cpus = xen->cpus;
	size_t nr = dfmt_nr_cpus(d) < MAX_NOTES ? dfmt_nr_cpus(d) : MAX_NOTES;
	MDB_AUTO_FREE mdb_addr_t *stacks = mdb_xarray(nr + 1, sizeof(*stacks));

	for (size_t i = 0; i < nr; i++)
		stacks[i] = stack_of_note(xen, d, i);
	for (size_t i = 0; i < nr && cpus->info_len == 0; i++)
		if (stacks[i] != 0)
			cpus->info_len = info_len_find(xen, stacks[i]);
	for (size_t i = 0; i < nr; i++) {
		struct mdb_xen_cpu *cpu =
			stacks[i] != 0 ? cpu_add(xen, stacks[i]) : NULL;

		if (cpu != NULL && cpu->note < 0)
			note_give(cpu, d, i);
		else
			cpus->nr_strays++;
	}
}

/* The hypervisor's own table, which has CPUs that no note tells of. */
static void
by_table(struct mdb_ctx *cx, struct mdb_xen *xen)
{
	mdb_addr_t table;
	uint64_t nr = MDB_XEN_MAX_CPUS;
	uint8_t b[8];

	if (!mdb_xen_variable(cx, xen, "stack_base", &table))
		return;
	(void)mdb_xen_number(cx, xen, "nr_cpu_ids", 4, &nr);
	if (nr > MDB_XEN_MAX_CPUS)
		nr = MDB_XEN_MAX_CPUS;
	for (uint64_t i = 0; i < nr; i++) {
		mdb_addr_t stack;

		if (mdb_space_try(xen->world->space, table + 8 * i, b, 8) !=
			MDB_OK)
			return;
		stack = mdb_le64(b);
		if (!is_own(stack) || stack != stack_of(stack))
			continue;
		if (xen->cpus->info_len == 0)
			xen->cpus->info_len = info_len_find(xen, stack);
		(void)cpu_add(xen, stack);
	}
}

/* A CPU in a hardware guest has that guest's registers alone. */
static void
by_elimination(struct mdb_xen *xen, const struct dfmt *d)
{
	struct mdb_xen_cpus *cpus = xen->cpus;
	struct mdb_xen_cpu *left = NULL;

	for (size_t i = 0; i < cpus->nr; i++) {
		if (cpus->list[i].note >= 0)
			continue;
		if (left != NULL)
			return;
		left = &cpus->list[i];
	}
	if (left == NULL || cpus->nr_strays != 1)
		return;
	for (size_t i = 0; i < dfmt_nr_cpus(d); i++) {
		bool taken = false;

		for (size_t j = 0; j < cpus->nr; j++)
			taken = taken || cpus->list[j].note == (int)i;
		if (taken)
			continue;
		note_give(left, d, i);
		cpus->nr_strays = 0;
		return;
	}
}

/*
 * Who was online: the hypervisor's own word, unless it is down: on the way each
 * CPU takes itself off.
 */
static void
online_init(struct mdb_ctx *cx, struct mdb_xen *xen)
{
	struct mdb_xen_cpus *cpus = xen->cpus;
	mdb_addr_t mask = 0;
	size_t nr_online = 0;
	uint8_t b[1];

	(void)mdb_xen_variable(cx, xen, "cpu_online_map", &mask);
	for (size_t i = 0; i < cpus->nr; i++) {
		struct mdb_xen_cpu *c = &cpus->list[i];

		c->online = mask != 0 &&
			    mdb_space_try(xen->world->space, mask + c->id / 8,
				    b, 1) == MDB_OK &&
			    (b[0] >> c->id % 8 & 1) != 0;
		nr_online += c->online ? 1 : 0;
	}
	for (size_t i = 0; i < cpus->nr; i++)
		if (xen->has_crash_info || nr_online <= 1)
			cpus->list[i].online |= cpus->list[i].note >= 0;
}

static int
by_id(const void *a, const void *b)
{
	const struct mdb_xen_cpu *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

struct mdb_xen_cpus *
mdb_xen_cpus(struct mdb_ctx *cx, struct mdb_xen *xen)
{
	const struct dfmt *d = mdb_memory_dump(xen->world->target->memory);
	struct mdb_xen_cpus *cpus = xen->cpus;

	if (cpus != NULL)
		return cpus;
	cpus = xen->cpus = mdb_xalloc(sizeof(*cpus));
	cpus->panic_cpu = -1;
	if (d != NULL)
		by_notes(xen, d);
	by_table(cx, xen);
	if (d != NULL)
		by_elimination(xen, d);
	online_init(cx, xen);
	if (cpus->nr != 0) {
		qsort(cpus->list, cpus->nr, sizeof(*cpus->list), by_id);
		xen->world->nr_cpu_ids = cpus->list[cpus->nr - 1].id + 1;
	}
	if (cpus->nr == 0)
		mdb_warn(cx, MDB_OK,
			"no CPU's stack could be found in the hypervisor");
	else if (cpus->nr_strays != 0)
		mdb_warn(cx, MDB_OK,
			"the dump has registers of %zu CPU%s that the "
			"hypervisor's stacks do not tell which it is",
			cpus->nr_strays, cpus->nr_strays == 1 ? "" : "s");
	return cpus;
}

void
mdb_xen_cpus_fini(struct mdb_xen *xen)
{
	if (xen->cpus != NULL)
		free(xen->cpus->list);
	free(xen->cpus);
}

const struct mdb_xen_cpu *
mdb_xen_cpu_of_id(const struct mdb_xen_cpus *cpus, int id)
{
	for (size_t i = 0; i < cpus->nr; i++)
		if (id >= 0 && cpus->list[i].id == (uint32_t)id)
			return &cpus->list[i];
	return NULL;
}

const struct mdb_xen_cpu *
mdb_xen_cpu_of_stack(const struct mdb_xen_cpus *cpus, mdb_addr_t sp)
{
	for (size_t i = 0; i < cpus->nr; i++)
		if (cpus->list[i].stack == stack_of(sp))
			return &cpus->list[i];
	return NULL;
}

/* ---- a world's questions -------------------------------------------------
 */

enum mdb_status
mdb_xen_cpu_next(struct mdb_ctx *cx, struct mdb_world *world, int *cpu)
{
	const struct mdb_xen_cpus *cpus = mdb_xen_cpus(cx, mdb_xen_of(world));

	for (size_t i = 0; i < cpus->nr; i++) {
		const struct mdb_xen_cpu *c = &cpus->list[i];

		if (!c->online || (*cpu >= 0 && c->id <= (uint32_t)*cpu))
			continue;
		*cpu = (int)c->id;
		return MDB_OK;
	}
	return MDB_DONE;
}

static enum mdb_status
no_cpu(struct mdb_ctx *cx, int cpu)
{
	return mdb_fail(cx, MDB_E_NOTFOUND,
		"the hypervisor has no CPU %d whose stack is known", cpu);
}

/* Symbols of per-CPU variables have the addresses that they were linked at. */
enum mdb_status
mdb_xen_percpu_addr(struct mdb_ctx *cx, struct mdb_world *world,
	mdb_addr_t symbol_value, int cpu, mdb_addr_t *addr_out)
{
	struct mdb_xen *xen = mdb_xen_of(world);
	const struct mdb_xen_cpu *c =
		mdb_xen_cpu_of_id(mdb_xen_cpus(cx, xen), cpu);
	mdb_addr_t table;
	uint64_t offset;

	if (c != NULL && c->has_percpu) {
		*addr_out = symbol_value + c->percpu_offset;
		return MDB_OK;
	}
	if (c == NULL && (cpu < 0 || (unsigned int)cpu >= world->nr_cpu_ids))
		return no_cpu(cx, cpu);
	if (!mdb_xen_variable(cx, xen, "__per_cpu_offset", &table))
		return no_cpu(cx, cpu);
	if (mdb_space_read_uint(cx, world->space, table + 8 * (uint64_t)cpu, 8,
		    &offset) != MDB_OK)
		return mdb_context(cx, MDB_E_UNMAPPED,
			"per-CPU offset of CPU %d", cpu);
	*addr_out = symbol_value + offset;
	return MDB_OK;
}

enum mdb_status
mdb_xen_cpu_regs(struct mdb_ctx *cx, struct mdb_world *world, int cpu,
	struct mdb_regs *regs_out)
{
	const struct mdb_xen_cpu *c =
		mdb_xen_cpu_of_id(mdb_xen_cpus(cx, mdb_xen_of(world)), cpu);

	if (c == NULL)
		return no_cpu(cx, cpu);
	if (c->note < 0)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"the dump has no registers of CPU %d", cpu);
	return mdb_regs_of_note(cx, world->target, (size_t)c->note, regs_out);
}
