/* SPDX-License-Identifier: MIT */
/*
 * For tests: a Linux made of few pages: page tables, VMCOREINFO, names,
 * kallsyms, and room for more.
 */
#ifndef MDB_WORLD_LINUX_BUILD_H
#define MDB_WORLD_LINUX_BUILD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"
#include "mdb/sym/kallsyms_build.h"
#include "mdb/world/linux_world.h"

#define MAP MDB_LINUX_TEXT_MAP
#define PHYS_BASE 0x1000000ull /* of MAP */
#define TEXT (MAP + 0x200000)
#define DATA (MAP + 0x400000)
#define PGD (DATA + 0x1000)
#define UTS (DATA + 0x5000)
#define VARS (DATA + 0x6000)
#define INFO (DATA + 0x7000)
#define MODULES (DATA + 0x6800)
#define TABLES (DATA + 0x10000)
#define BTF (DATA + 0x40000)
#define PERCPU 0x800000ull /* machine address of CPU 0's area */

static inline mdb_paddr_t
phys(mdb_addr_t addr)
{
	return addr - MAP + PHYS_BASE;
}

static const struct ksym_in syms[] = {
	{ 0, "A__per_cpu_start" }, { 0x1000, "Acpu_tss_rw" },
	{ 0x1100, "Ahardirq_stack_ptr" }, { 0x2000, "A__per_cpu_end" },
	{ TEXT, "T_stext" }, { TEXT, "T_text" },
	{ TEXT + 0x100, "Tstart_kernel" }, { TEXT + 0x180, "tdo_one" },
	{ TEXT + 0x1000, "T_etext" }, { PGD, "Dinit_top_pgt" },
	{ UTS, "Dinit_uts_ns" }, { VARS, "D__per_cpu_offset" },
	{ VARS + 0x100, "D__cpu_online_mask" }, { VARS + 0x200, "Dnr_cpu_ids" },
	{ VARS + 0x210, "Dpanic_cpu" }, { VARS + 0x300, "dvmcoreinfo_data" },
	{ MODULES, "Dmodules" }, { BTF, "D__start_BTF" },
	{ BTF + 0x1000, "D__stop_BTF" }, /* where the BTF ends */
};
#define NR_SYMS (sizeof(syms) / sizeof(syms[0]))
/* The tables want more than one block of names. */
#define NR_ALL 1200u

#define STOP_BTF (NR_SYMS - 1)

static struct ksym_in all[NR_ALL];

struct kernel {
	struct mdb_memory *mem;
	struct mdb_target *target;
	struct ksym_build b;
	char info[1024];
};

static inline void
put(struct kernel *k, mdb_addr_t addr, const void *bytes, size_t len)
{
	mdb_fake_write(k->mem, phys(addr), bytes, len);
}

static inline void
put_u64(struct kernel *k, mdb_addr_t addr, uint64_t v)
{
	mdb_fake_write_u64(k->mem, phys(addr), v);
}

/* The kernel's gigabyte by 2 MiB pages: text may run, data may not. */
static inline void
put_tables(struct kernel *k)
{
	const uint64_t table = 0x63, large = 0xe3, nx = 1ull << 63;
	mdb_paddr_t pgd = phys(PGD);

	mdb_fake_write_u64(k->mem, pgd + 511 * 8, (pgd + 0x1000) | table);
	mdb_fake_write_u64(k->mem, pgd + 0x1000 + 510 * 8,
		(pgd + 0x2000) | table);
	mdb_fake_write_u64(k->mem, pgd + 0x2000 + 8,
		(PHYS_BASE + 0x200000) | large);
	mdb_fake_write_u64(k->mem, pgd + 0x2000 + 16,
		(PHYS_BASE + 0x400000) | large | nx);
}

static inline void
put_symbols(struct kernel *k, uint64_t btf_len)
{
	memcpy(all, syms, sizeof(syms));
	all[STOP_BTF].value = BTF + btf_len;
	for (uint32_t i = NR_SYMS; i < NR_ALL; i++) {
		all[i].value = BTF + 0x10000 + i;
		(void)snprintf(all[i].text, sizeof(all[i].text), "dfiller_%u",
			i);
	}
	k->b.syms = all;
	k->b.nr = NR_ALL;
	k->b.base = TABLES;
	k->b.form = MDB_KALLSYMS_BASE_PERCPU;
	k->b.marker_size = 4;
	k->b.align = 8;
	k->b.seqs = true;
	k->b.late = true;
	k->b.relative_base = TEXT;
	ksym_make(&k->b);
	put(k, TABLES, k->b.bytes.data, k->b.bytes.len);
}

static inline void
put_data(struct kernel *k)
{
	static const char *const names[] = { "Linux", "lab", "6.1.0-test",
		"#1 SMP", "x86_64", "(none)" };
	const uint8_t mask[8] = { 5 }; /* CPUs 0 and 2 */

	for (size_t i = 0; i < 6; i++)
		put(k, UTS + i * MDB_LINUX_UTS_LEN, names[i],
			strlen(names[i]) + 1);
	for (uint64_t i = 0; i < 4; i++)
		put_u64(k, VARS + 8 * i,
			MAP + PERCPU - PHYS_BASE + 0x10000 * i);
	put(k, VARS + 0x100, mask, 8);
	put_u64(k, VARS + 0x200, 3);
	put_u64(k, VARS + 0x210, 2);
	put_u64(k, VARS + 0x300, INFO);
	(void)snprintf(k->info, sizeof(k->info),
		"OSRELEASE=6.1.0-test\nBUILD-ID=0123abcd\nPAGESIZE=4096\n"
		"SYMBOL(init_uts_ns)=%llx\nSYMBOL(swapper_pg_dir)=%llx\n"
		"SYMBOL(_stext)=%llx\nNUMBER(phys_base)=%llu\n"
		"NUMBER(pgtable_l5_enabled)=0\nCRASHTIME=1700000000\n",
		(unsigned long long)UTS, (unsigned long long)PGD,
		(unsigned long long)TEXT, (unsigned long long)PHYS_BASE);
	put(k, INFO, k->info, strlen(k->info) + 1);
}

static inline void
kernel_init(struct kernel *k, uint64_t btf_len)
{
	memset(k, 0, sizeof(*k));
	k->mem = mdb_memory_create_fake();
	k->target = mdb_target_create_memory(k->mem);
	put_tables(k);
	put_data(k);
	put_symbols(k, btf_len);
}

static inline void
kernel_fini(struct kernel *k)
{
	mdb_target_destroy(k->target);
	mdb_buf_fini(&k->b.bytes);
}

#endif
