/* SPDX-License-Identifier: MIT */
/*
 * For tests: a machine that Xen ran, as an ELF dump in memory.  Two CPUs; the
 * first ran vCPU 0 of domain 0, whose kernel is that of linux_build.h, the
 * second was idle.  Of the memory only what is written is in the dump.
 */
#ifndef MDB_WORLD_XEN_BUILD_H
#define MDB_WORLD_XEN_BUILD_H

#include "mdb/world/linux_build.h"
#include "mdb/world/xen_world.h"

/* The image: text, read-only data and data, 2 MiB each. */
#define XM_VIRT 0xffff82d040000000ull
#define XM_PHYS 0x2000000ull
#define XM_TEXT (XM_VIRT + 0x200000)
#define XM_RODATA (XM_VIRT + 0x400000)
#define XM_DATA (XM_VIRT + 0x600000)
#define XM_PANIC (XM_TEXT + 0x100)
#define XM_CONRING (XM_DATA + 0x100)
#define XM_CONRING_SIZE (XM_DATA + 0x108)
#define XM_CONRINGP (XM_DATA + 0x10c)
#define XM_DOMAIN_LIST (XM_DATA + 0x200)
#define XM_STACK_BASE (XM_DATA + 0x300)
#define XM_ONLINE (XM_DATA + 0x400)
#define XM_CURR_VCPU (XM_DATA + 0x800)
#define XM_NR_CPU_IDS (XM_DATA + 0x500)
#define XM_L4 (XM_PHYS + 0x603000ull) /* at XM_PGD */
#define XM_PGD (XM_DATA + 0x3000)
#define XM_NR 1200u

/* Low memory, shown in the direct map. */
#define XM_HEAP(paddr) (MDB_XEN_DIRECTMAP + (paddr))
#define XM_M2P 0x8000ull
#define XM_STACK(cpu) (0x10000ull + 0x8000ull * (cpu))
#define XM_INFO(cpu) (XM_STACK(cpu) + 0x8000 - 0x108)
#define XM_IDLE_VCPU(cpu) (0x20000ull + 0x1000ull * (cpu))
#define XM_VCPU 0x22000ull
#define XM_IDLE_DOMAIN 0x24000ull
#define XM_DOMAIN 0x25000ull
#define XM_ARRAYS 0x26000ull /* idle vCPUs; 0x100 on: domain 0's */
#define XM_TSS(cpu) (0x27000ull + 0x80ull * (cpu))
#define XM_RING 0x28000ull
#define XM_FRAME_LISTS 0x29000ull /* three pages */
#define XM_PERCPU(cpu) (0x30000ull * (cpu))

#define XM_NR_SEGMENTS 7u
#define XM_MAX_NOTES 0x2000u

struct xen_machine {
	struct kernel dom0;
	struct ksym_build symbols;
	uint8_t notes[XM_MAX_NOTES];
	size_t notes_len;
	uint8_t *file;
	size_t file_len;
	struct mdb_target *target;
};

static const struct {
	uint64_t start, len;
} xm_segments[XM_NR_SEGMENTS] = {
	{ 0, 0x40000 },
	{ XM_PHYS + 0x200000, 0x20000 },
	{ XM_PHYS + 0x400000, 0x20000 },
	{ XM_PHYS + 0x600000, 0x4000 },
	{ PERCPU, 0x40000 },
	{ PHYS_BASE + 0x200000, 0x2000 },
	{ PHYS_BASE + 0x400000, 0x60000 },
};

static inline mdb_paddr_t
xm_phys(mdb_addr_t addr)
{
	return addr >= MDB_XEN_DIRECTMAP ? addr - MDB_XEN_DIRECTMAP
					 : addr - XM_VIRT + XM_PHYS;
}

static inline void
xm_write(struct xen_machine *m, mdb_paddr_t addr, const void *buf, size_t len)
{
	mdb_fake_write(m->dom0.mem, addr, buf, len);
}

static inline void
xm_u64(struct xen_machine *m, mdb_paddr_t addr, uint64_t v)
{
	mdb_fake_write_u64(m->dom0.mem, addr, v);
}

/* ---- what is in memory --------------------------------------------------- */

static inline void
xm_tables(struct xen_machine *m)
{
	const uint64_t table = 0x67, large = 0xe3, nx = 1ull << 63;

	xm_u64(m, XM_L4 + 8 * 261, 0x2000 | table);
	xm_u64(m, XM_L4 + 8 * 262, 0x4000 | table);
	xm_u64(m, 0x2000 + 8 * 321, 0x3000 | table);
	xm_u64(m, 0x2000, 0x6000 | table);
	xm_u64(m, 0x3000 + 8, (XM_PHYS + 0x200000) | 0xe1);
	xm_u64(m, 0x3000 + 16, (XM_PHYS + 0x400000) | 0xe1 | nx);
	xm_u64(m, 0x3000 + 24, (XM_PHYS + 0x600000) | large | nx);
	xm_u64(m, 0x4000, 0x5000 | table);
	for (uint64_t i = 0; i < 24; i++)
		xm_u64(m, 0x5000 + 8 * i, i << 21 | large | nx);
	xm_u64(m, 0x6000, 0x7000 | table);
	xm_u64(m, 0x7000, XM_M2P | 0x63 | nx);
	for (uint64_t i = 0; i < 512; i++)
		xm_u64(m, XM_M2P + 8 * i, UINT64_MAX);
	/* domain 0's top table has the hypervisor's slots */
	xm_u64(m, phys(PGD) + 8 * 261, 0x2000 | table);
	xm_u64(m, phys(PGD) + 8 * 262, 0x4000 | table);
}

static inline void
xm_symbols(struct xen_machine *m)
{
	static const struct ksym_in given[] = {
		{ XM_VIRT, "Tstart_of_image" },
		{ XM_TEXT, "T_start" },
		{ XM_PANIC, "Tpanic" },
		{ XM_PANIC + 0x80, "Tafter_panic" },
		{ XM_CONRING, "dconsole.c#conring" },
		{ XM_CONRING_SIZE, "dconsole.c#conring_size" },
		{ XM_CONRINGP, "bconsole.c#conringp" },
		{ XM_DOMAIN_LIST, "Bdomain_list" },
		{ XM_STACK_BASE, "Bstack_base" },
		{ XM_ONLINE, "Dcpu_online_map" },
		{ XM_NR_CPU_IDS, "Dnr_cpu_ids" },
		{ XM_CURR_VCPU, "Bper_cpu__curr_vcpu" },
	};
	static struct ksym_in table[XM_NR];
	size_t nr = sizeof(given) / sizeof(given[0]);

	memcpy(table, given, sizeof(given));
	for (size_t i = nr; i < XM_NR; i++) {
		table[i].value = XM_DATA + 0x1000 + i;
		(void)snprintf(table[i].text, sizeof(table[i].text),
			"bfiller_%zu", i);
	}
	m->symbols = (struct ksym_build){ .syms = table,
		.nr = XM_NR,
		.base = XM_RODATA + 0x1000,
		.relative_base = XM_VIRT,
		.form = MDB_KALLSYMS_BASE,
		.marker_size = 4,
		.align = 4,
		.xen = true };
	ksym_make(&m->symbols);
	xm_write(m, xm_phys(XM_RODATA + 0x1000), m->symbols.bytes.data,
		m->symbols.bytes.len);
}

static inline void
xm_vcpu(struct xen_machine *m, mdb_paddr_t at, uint32_t id, uint32_t cpu,
	mdb_paddr_t domain)
{
	xm_u64(m, at, id | (uint64_t)cpu << 32);
	xm_u64(m, at + 0x10, XM_HEAP(domain));
}

static inline void
xm_domains(struct xen_machine *m)
{
	xm_u64(m, XM_IDLE_DOMAIN, 0x7fff | 2ull << 32);
	xm_u64(m, XM_IDLE_DOMAIN + 8, XM_HEAP(XM_ARRAYS));
	xm_u64(m, XM_DOMAIN, 0 | 1ull << 32);
	xm_u64(m, XM_DOMAIN + 8, XM_HEAP(XM_ARRAYS + 0x100));
	xm_u64(m, XM_ARRAYS, XM_HEAP(XM_IDLE_VCPU(0)));
	xm_u64(m, XM_ARRAYS + 8, XM_HEAP(XM_IDLE_VCPU(1)));
	xm_u64(m, XM_ARRAYS + 0x100, XM_HEAP(XM_VCPU));
	xm_vcpu(m, XM_IDLE_VCPU(0), 0, 0, XM_IDLE_DOMAIN);
	xm_vcpu(m, XM_IDLE_VCPU(1), 1, 1, XM_IDLE_DOMAIN);
	xm_vcpu(m, XM_VCPU, 0, 0, XM_DOMAIN);
	xm_u64(m, XM_VCPU + 0x800, phys(PGD) / 4096); /* arch.guest_table */
	xm_u64(m, xm_phys(XM_DOMAIN_LIST), XM_HEAP(XM_DOMAIN));
}

/* The registers that a guest left: in its kernel, in a hypercall. */
static inline void
xm_guest_regs(struct xen_machine *m, mdb_paddr_t at, mdb_addr_t ip)
{
	xm_u64(m, at + 120, 0x100ull << 32);
	xm_u64(m, at + 128, ip);
	xm_u64(m, at + 136, 0xe033);
	xm_u64(m, at + 144, 0x246);
	xm_u64(m, at + 152, DATA + 0x2f00);
	xm_u64(m, at + 160, 0xe02b);
}

static inline void
xm_cpus(struct xen_machine *m)
{
	const mdb_paddr_t current[] = { XM_VCPU, XM_IDLE_VCPU(1) };
	const uint8_t both = 3;

	for (uint32_t cpu = 0; cpu < 2; cpu++) {
		xm_u64(m, XM_INFO(cpu) + 0xc8, cpu);
		xm_u64(m, XM_INFO(cpu) + 0xd0, XM_HEAP(current[cpu]));
		/* the second's area is the page after the first's */
		xm_u64(m, XM_INFO(cpu) + 0xd8, 0x1000 * cpu);
		xm_u64(m, XM_INFO(cpu) + 0xe0, 0x1526e0);
		xm_u64(m, xm_phys(XM_CURR_VCPU) + 0x1000 * cpu,
			XM_HEAP(current[cpu]));
		xm_u64(m, xm_phys(XM_STACK_BASE) + 8 * cpu,
			XM_HEAP(XM_STACK(cpu)));
		xm_u64(m, XM_TSS(cpu) + 4, XM_HEAP(XM_INFO(cpu) + 0xa8));
	}
	xm_guest_regs(m, XM_INFO(0), TEXT + 0x184);
	xm_write(m, xm_phys(XM_ONLINE), &both, 1);
	xm_u64(m, xm_phys(XM_NR_CPU_IDS), 2);
}

/* Into the console's ring, which is 4 KiB. */
static inline void
xm_console(struct xen_machine *m, const char *text)
{
	const uint32_t len[2] = { 4096, (uint32_t)strlen(text) };

	xm_u64(m, xm_phys(XM_CONRING), XM_HEAP(XM_RING));
	xm_write(m, xm_phys(XM_CONRING_SIZE), len, 8);
	xm_write(m, XM_RING, text, strlen(text));
}

static inline void
xm_init(struct xen_machine *m)
{
	memset(m, 0, sizeof(*m));
	kernel_init(&m->dom0, 0x1000);
	put_u64(&m->dom0, VARS + 0x210, UINT64_MAX); /* panic_cpu: nobody */
	xm_tables(m);
	xm_symbols(m);
	xm_domains(m);
	xm_cpus(m);
	xm_console(m, "(XEN) Xen version 4.17.0\n");
}

/*
 * Domain 0 as a hardware guest instead: a VMCB, and a second stage that shows
 * the first gigabyte of the machine as its first and as its second.
 */
#define XM_VMCB 0x2d000ull
#define XM_STAGE 0x2e000ull

static inline void
xm_hardware_guest(struct xen_machine *m)
{
	xm_u64(m, phys(PGD) + 8 * 261, 0);
	xm_u64(m, phys(PGD) + 8 * 262, 0);
	xm_u64(m, XM_VCPU + 0x800, 0); /* arch.guest_table */
	xm_u64(m, XM_VCPU + 0x5c0, XM_HEAP(XM_VMCB));
	xm_u64(m, XM_VCPU + 0x5c8, XM_VMCB);
	xm_u64(m, XM_STAGE, (XM_STAGE + 0x1000) | 0x67);
	xm_u64(m, XM_STAGE + 0x1000, 0xe7);
	xm_u64(m, XM_STAGE + 0x1008, 0xe7);
	xm_u64(m, XM_VMCB + 0x90, 1);
	xm_u64(m, XM_VMCB + 0xb0, XM_STAGE);
	xm_u64(m, XM_VMCB + 0x410, 0x10);
	xm_u64(m, XM_VMCB + 0x4d0, 0x1d01);
	xm_u64(m, XM_VMCB + 0x548, 0x20);
	xm_u64(m, XM_VMCB + 0x550, (1ull << 30) + phys(PGD));
	xm_u64(m, XM_VMCB + 0x558, 0x80050033);
	xm_u64(m, XM_VMCB + 0x570, 0x246);
	xm_u64(m, XM_VMCB + 0x578, TEXT + 0x10f);
	xm_u64(m, XM_VMCB + 0x5d8, DATA + 0x2f00);
}

/* ---- notes --------------------------------------------------------------- */

static inline void
xm_note(struct xen_machine *m, const char *name, uint32_t type,
	const void *desc, size_t len)
{
	const uint32_t head[3] = { (uint32_t)strlen(name) + 1, (uint32_t)len,
		type };
	size_t name_len = (head[0] + 3) & ~3u, desc_len = (len + 3) & ~3ul;
	uint8_t *at = m->notes + m->notes_len;

	if (m->notes_len + 12 + name_len + desc_len > XM_MAX_NOTES)
		abort();
	memcpy(at, head, 12);
	memcpy(at + 12, name, head[0]);
	memcpy(at + 12 + name_len, desc, len);
	m->notes_len += 12 + name_len + desc_len;
}

/* NT_PRSTATUS of code at ip. */
static inline void
xm_status(struct xen_machine *m, mdb_addr_t ip, mdb_addr_t sp, uint16_t cs)
{
	uint64_t words[336 / 8] = { 0 };

	words[14 + 16] = ip;
	words[14 + 17] = cs;
	words[14 + 18] = 0x46;
	words[14 + 19] = sp;
	xm_note(m, "CORE", 1, words, sizeof(words));
}

/* QEMU's note of a CPU: where it was, its control registers, task segment. */
static inline void
xm_qemu(struct xen_machine *m, mdb_addr_t ip, uint16_t cs, mdb_paddr_t cr3,
	mdb_addr_t tss)
{
	uint8_t b[440] = { 1, 0, 0, 0, 184, 1 };

	memcpy(b + 136, &ip, 8);
	memcpy(b + 152, &cs, 2);
	memcpy(b + 336, &tss, 8);
	b[392] = 0x33;
	b[395] = 0x80; /* cr0.PG */
	memcpy(b + 392 + 3 * 8, &cr3, 8);
	b[392 + 4 * 8] = 0x20; /* cr4.PAE */
	xm_status(m, ip, 0, cs);
	xm_note(m, "QEMU", 0, b, sizeof(b));
}

/* What a crash kernel's dump has: of CPU 0, that crashed, then of CPU 1. */
static inline void
xm_crash_notes(struct xen_machine *m)
{
	const uint64_t info[10] = { 4, 17, 0, 0, 0, 0, 0, 0, XM_PHYS,
		XM_FRAME_LISTS / 4096 };
	const uint64_t cr[4] = { 0x80050033, 0, XM_L4, 0x20 };
	char text[512];

	xm_status(m, XM_PANIC + 0x20, XM_HEAP(XM_STACK(0) + 0x7e00), 0xe008);
	xm_note(m, "Xen", 0x1000002, cr, sizeof(cr));
	xm_note(m, "Xen", 0x1000001, info, sizeof(info));
	xm_status(m, XM_TEXT + 0x20, XM_HEAP(XM_STACK(1) + 0x7e00), 0xe008);
	xm_note(m, "Xen", 0x1000002, cr, sizeof(cr));
	(void)snprintf(text, sizeof(text),
		"PAGESIZE=4096\nSYMBOL(pgd_l4)=%llx\n"
		"SYMBOL(domain_list)=%llx\nSIZE(page_info)=32\n"
		"OFFSET(page_info._domain)=24\n",
		(unsigned long long)XM_PGD, (unsigned long long)XM_DOMAIN_LIST);
	xm_note(m, "VMCOREINFO_XEN", 0, text, strlen(text) + 1);
}

/* ---- the dump ------------------------------------------------------------ */

static inline void
xm_header(uint8_t *p, uint32_t type, uint64_t offset, uint64_t addr,
	uint64_t len)
{
	const uint32_t head[2] = { type, 4 };
	const uint64_t rest[6] = { offset, 0, addr, len, len, 0 };

	memcpy(p, head, 8);
	memcpy(p + 8, rest, 48);
}

static inline void
xm_elf(struct xen_machine *m)
{
	static const uint8_t ident[24] = { 0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 4, 0, 62, 0, 1, 0, 0, 0 };
	const uint64_t phoff = 64;
	const uint16_t sizes[3] = { 64, 56, 1 + XM_NR_SEGMENTS };
	uint64_t at = 0x1000;

	m->file_len = at + XM_MAX_NOTES;
	for (size_t i = 0; i < XM_NR_SEGMENTS; i++)
		m->file_len += xm_segments[i].len;
	m->file = calloc(1, m->file_len);
	memcpy(m->file, ident, sizeof(ident));
	memcpy(m->file + 32, &phoff, 8);
	memcpy(m->file + 52, sizes, 6);
	xm_header(m->file + 64, 4, at, 0, m->notes_len);
	memcpy(m->file + at, m->notes, m->notes_len);
	at += XM_MAX_NOTES;
	for (size_t i = 0; i < XM_NR_SEGMENTS; i++) {
		uint64_t len = xm_segments[i].len;

		xm_header(m->file + 64 + 56 * (i + 1), 1, at,
			xm_segments[i].start, len);
		for (uint64_t done = 0; done < len; done += 4096)
			if (mdb_memory_try(m->dom0.mem,
				    xm_segments[i].start + done,
				    m->file + at + done, 4096) != MDB_OK)
				memset(m->file + at + done, 0, 4096);
		at += len;
	}
}

/* The target over a dump of len bytes of the file; NULL: it is no dump. */
static inline struct mdb_target *
xm_open(struct xen_machine *m, size_t len)
{
	struct dfmt *d;

	if (m->file == NULL)
		xm_elf(m);
	if (dfmt_open_memory(m->file, len < m->file_len ? len : m->file_len,
		    NULL, &d, NULL) != DFMT_OK)
		return NULL;
	m->target = mdb_target_create_memory(mdb_memory_create_dump(d));
	return m->target;
}

static inline void
xm_fini(struct xen_machine *m)
{
	mdb_target_destroy(m->target);
	free(m->file);
	mdb_buf_fini(&m->symbols.bytes);
	kernel_fini(&m->dom0);
}

#endif
