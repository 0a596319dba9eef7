/* SPDX-License-Identifier: MIT */
/*
 * The machine built: the hypervisor in its direct map, the kernel in scattered
 * frames behind page tables, an address space for each of the control domain's
 * four vcpus, a guest, and what is left over.
 */
#include "machine_impl.h"

#include <string.h>

#define SHARED_INFO_PFN 0xbd8u
#define SHARED_INFO_ADDR 0xf4bfe000u
#define MFN_LIST_ADDR 0xf4400000u
#define MFN_LIST_END (MFN_LIST_ADDR + DOM0_NR * 4)

#define READ_ONLY (PTE_PRESENT | PTE_USED)
#define READ_WRITE (PTE_PRESENT | PTE_USED | PTE_WRITE)

/* The top table of each vcpu lies in its struct vcpu. */
static const uint32_t cr3s[] = { 0x00be1d00, 0x00be9d00, 0x00be7d00,
	0x00be5d00 };
#define KERNEL_CR3 cr3s[0]

static const struct {
	const char *name;
	uint32_t text, text_len, data, data_len;
} modules[] = {
#define MODULE(name, t, t_len, d, d_len, file, what) \
	{ #name, t, t_len, d, d_len },
#include "image/modules.def"
#undef MODULE
};
#define NR_MODULES (sizeof(modules) / sizeof(modules[0]))

static void
place_xpv(struct gold_machine *m, uint32_t addr, const uint8_t *bytes,
	size_t len, bool is_writable)
{
	(void)is_writable;
	gold_poke(m, addr - XEN_DIRECT, bytes, len, GOLD_HYPERVISOR);
}

/* The first that comes to a page decides whether it can be written. */
static void
place_kernel(struct gold_machine *m, uint32_t addr, const uint8_t *bytes,
	size_t len, bool is_writable)
{
	uint32_t first = addr & ~(GOLD_PAGE - 1);
	uint64_t paddr;

	for (uint32_t page = first; page < addr + len; page += GOLD_PAGE)
		if (!gold_vtop(m, KERNEL_CR3, page, &paddr))
			gold_map(m, KERNEL_CR3, page, gold_take(m, GOLD_KERNEL),
				is_writable ? READ_WRITE : READ_ONLY);
	gold_poke_virtual(m, KERNEL_CR3, addr, bytes, len);
}

void
gold_map_kernel(struct gold_machine *m, uint32_t addr, uint32_t end)
{
	uint64_t paddr;

	for (addr &= ~(GOLD_PAGE - 1); addr < end; addr += GOLD_PAGE)
		if (!gold_vtop(m, KERNEL_CR3, addr, &paddr))
			gold_map(m, KERNEL_CR3, addr, gold_take(m, GOLD_KERNEL),
				READ_WRITE);
}

/* Both pages of each stack exist, whatever was put on it. */
static void
map_rest_of_stacks(struct gold_machine *m)
{
	static const uint32_t stacks[] = { 0xc53fc000, 0xc5af6000, 0xc5af9000,
		0xc61a4000, 0xc61a8000, 0xc61ac000, 0xc61b0000 };

	for (size_t i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++)
		gold_map_kernel(m, stacks[i], stacks[i] + 0x2000);
}

/* ---- processes, a guest ------------------------------------------------ */

/* Bytes that are neither zero nor alike, the same in each run. */
static void
fill(struct gold_machine *m, uint32_t pfn, enum gold_class c, uint32_t seed)
{
	uint8_t *p = gold_frame(m, pfn, c);

	for (uint32_t i = 0; i < GOLD_PAGE; i++) {
		seed = seed * 1103515245u + 12345u;
		p[i] = i % 16 < 4 ? (uint8_t)(seed >> 16) : 0;
	}
}

static void
map_user(struct gold_machine *m, uint32_t cr3, uint32_t addr, uint32_t end,
	uint32_t flags)
{
	for (; addr < end; addr += GOLD_PAGE) {
		uint32_t pfn = gold_take(m, GOLD_USER);

		fill(m, pfn, GOLD_USER, addr ^ cr3);
		gold_map(m, cr3, addr, pfn, flags | PTE_USER);
	}
}

static void
add_processes(struct gold_machine *m)
{
	for (size_t i = 1; i < sizeof(cr3s) / sizeof(cr3s[0]); i++)
		gold_share_kernel(m, KERNEL_CR3, cr3s[i]);
	map_user(m, cr3s[1], 0x08046000, 0x08048000, READ_WRITE);
	map_user(m, cr3s[1], 0x08068000, 0x0806c000, READ_ONLY);
	map_user(m, cr3s[1], 0x080d0000, 0x080d4000, READ_WRITE);
	map_user(m, cr3s[2], 0x08047000, 0x08048000, READ_WRITE);
	map_user(m, cr3s[2], 0x08050000, 0x08054000, READ_ONLY);
	map_user(m, cr3s[2], 0xbfff0000, 0xbfff2000, READ_ONLY);
}

static void
add_guest(struct gold_machine *m)
{
	for (uint32_t i = 0; i < GUEST_NR; i++)
		m->classes[GUEST_PFN + i] = GOLD_GUEST;
	for (uint32_t i = 0; i < GUEST_NR; i += 3)
		fill(m, GUEST_PFN + i, GOLD_GUEST, i);
}

/* A frame that was used and given back keeps what it held. */
static void
add_leftovers(struct gold_machine *m)
{
	for (uint32_t pfn = 0x1e00; pfn < 0x1e20; pfn += 5)
		fill(m, pfn, GOLD_FREE, pfn);
}

/* The machine frames of the control domain by its own frame numbers. */
static void
fill_mfn_list(struct gold_machine *m)
{
	for (uint32_t pfn = 0; pfn < DOM0_NR; pfn++)
		if (pfn >= m->nr_dom0_used)
			m->pfn_to_mfn[pfn] = ~0u;
	gold_poke_virtual(m, KERNEL_CR3, MFN_LIST_ADDR, m->pfn_to_mfn,
		sizeof(m->pfn_to_mfn));
}

/* ---- worlds ------------------------------------------------------------ */

static void
name_kernel(struct gold_machine *m, struct gold_world *w)
{
	struct gold_object *objects =
		gold_keep(m, NR_MODULES * sizeof(*objects));

	for (size_t i = 0; i < NR_MODULES; i++) {
		objects[i] = (struct gold_object){
			.name = modules[i].name,
			.base = modules[i].text,
			.end = modules[i].text + modules[i].text_len,
			.data = modules[i].data,
			.data_end = modules[i].data + modules[i].data_len,
		};
		gold_load_symbols(m, &gold_kernel_elf, &objects[i]);
	}
	*w = (struct gold_world){
		.name = "unix",
		.version = "SunOS 5.11 matrix-build-2007-04-02",
		.start = 0xc3000000,
		.last = 0xf57fffff,
		.cr3 = KERNEL_CR3,
		.objects = objects,
		.nr_objects = NR_MODULES,
		.btf = gold_kernel_btf.bytes,
		.btf_len = gold_kernel_btf.len,
	};
}

static void
name_xpv(struct gold_machine *m, struct gold_world *w)
{
	struct gold_object *object = gold_keep(m, sizeof(*object));

	*object = (struct gold_object){
		.name = "xpv",
		.base = 0xff100000,
		.end = 0xff1a0000,
		.data = 0xff1a0000,
		.data_end = 0xff1e0000,
	};
	gold_load_symbols(m, &gold_xpv_elf, object);
	*w = (struct gold_world){
		.name = "xpv",
		.version = "3.0.4-1-sun",
		.start = 0xf5800000,
		.last = 0xffffffff,
		.cr3 = KERNEL_CR3,
		.objects = object,
		.nr_objects = 1,
		.btf = gold_xpv_btf.bytes,
		.btf_len = gold_xpv_btf.len,
	};
}

void
gold_lay_out(struct gold_machine *m)
{
	name_xpv(m, &m->worlds[0]);
	name_kernel(m, &m->worlds[1]);
	for (uint32_t pfn = 0x100; pfn < XEN_END_PFN; pfn++)
		m->classes[pfn] = GOLD_HYPERVISOR;
	gold_load_image(m, &gold_xpv_elf, place_xpv);
	gold_map_hypervisor(m, KERNEL_CR3);
	gold_load_image(m, &gold_kernel_elf, place_kernel);
	map_rest_of_stacks(m);
	gold_fill_symtabs(m);
	gold_map_kernel(m, MFN_LIST_ADDR, MFN_LIST_END);
	(void)gold_frame(m, SHARED_INFO_PFN, GOLD_HYPERVISOR);
	gold_map(m, KERNEL_CR3, SHARED_INFO_ADDR, SHARED_INFO_PFN, READ_WRITE);
	add_processes(m);
	add_guest(m);
	add_leftovers(m);
	fill_mfn_list(m);
	gold_fill_m2p(m);
}
