/* SPDX-License-Identifier: MIT */
/*
 * PAE page tables of a paravirtual guest: they hold machine frames, and the
 * hypervisor has its own part at the top of each address space.
 *
 * The hypervisor's part, from config.h of 32-bit Xen with PAE: the machine-to-
 * physical table to read at f5800000 and to write at f6800000, the tables
 * themselves as pages at fd800000, the first 12 MB of the machine at ff000000.
 */
#include "machine_impl.h"

#include <string.h>

#define M2P_READ 0xf5800000u
#define M2P_WRITE 0xf6800000u
#define LINEAR 0xfd800000u
#define M2P_PADDR 0x00b10000u
#define M2P_TABLE_PADDR 0x00b0f000u
#define LARGE_LEN 0x200000u
#define NR_LARGE 6u

/* Bits 12 to 35 of an entry. */
#define PTE_ADDR UINT64_C(0xffffff000)

static uint32_t
index_of(uint32_t addr, unsigned int shift)
{
	return addr >> shift & (shift == 30 ? 3 : 511);
}

static void
set(struct gold_machine *m, uint32_t table, uint32_t i, uint64_t entry)
{
	enum gold_class c = m->classes[table / GOLD_PAGE];

	gold_poke(m, table + 8 * i, &entry, 8, c);
}

/* The table that the entry leads to, made if there is none. */
static uint32_t
below(struct gold_machine *m, uint32_t table, uint32_t i, uint32_t flags)
{
	uint64_t entry = gold_peek64(m, table + 8 * i);

	if (!(entry & PTE_PRESENT)) {
		entry = (uint64_t)gold_take(m, GOLD_PAGE_TABLE) * GOLD_PAGE |
			flags;
		set(m, table, i, entry);
	}
	return (uint32_t)(entry & PTE_ADDR);
}

void
gold_map(struct gold_machine *m, uint32_t cr3, uint32_t addr, uint32_t pfn,
	uint32_t flags)
{
	uint32_t dir = below(m, cr3, index_of(addr, 30), PTE_PRESENT);
	uint32_t table = below(m, dir, index_of(addr, 21),
		PTE_PRESENT | PTE_WRITE | PTE_USED | (flags & PTE_USER));

	set(m, table, index_of(addr, 12), (uint64_t)pfn * GOLD_PAGE | flags);
}

/* The four directories as pages of the linear table. */
static void
map_linear(struct gold_machine *m, uint32_t cr3)
{
	uint32_t dir = (uint32_t)(gold_peek64(m, cr3 + 24) & PTE_ADDR);

	for (uint32_t i = 0; i < 4; i++) {
		uint64_t entry = gold_peek64(m, cr3 + 8 * i);

		if (entry & PTE_PRESENT)
			set(m, dir, index_of(LINEAR, 21) + i,
				(entry & PTE_ADDR) | PTE_PRESENT | PTE_WRITE |
					PTE_USED);
	}
}

/* One table of 4 KB pages serves the readable and the writable place. */
static void
map_m2p(struct gold_machine *m, uint32_t dir)
{
	uint32_t nr = NR_FRAMES * 4 / GOLD_PAGE;

	(void)gold_frame(m, M2P_TABLE_PADDR / GOLD_PAGE, GOLD_PAGE_TABLE);
	for (uint32_t i = 0; i < nr; i++) {
		uint32_t at = M2P_PADDR + i * GOLD_PAGE;

		(void)gold_frame(m, at / GOLD_PAGE, GOLD_HYPERVISOR);
		set(m, M2P_TABLE_PADDR, i,
			at | PTE_PRESENT | PTE_WRITE | PTE_USED | PTE_USER);
	}
	set(m, dir, index_of(M2P_READ, 21),
		M2P_TABLE_PADDR | PTE_PRESENT | PTE_USED | PTE_USER);
	set(m, dir, index_of(M2P_WRITE, 21),
		M2P_TABLE_PADDR | PTE_PRESENT | PTE_WRITE | PTE_USED);
}

void
gold_map_hypervisor(struct gold_machine *m, uint32_t cr3)
{
	uint32_t dir = below(m, cr3, 3, PTE_PRESENT);

	for (uint32_t i = 0; i < NR_LARGE; i++)
		set(m, dir, index_of(XEN_DIRECT, 21) + i,
			i * LARGE_LEN | PTE_PRESENT | PTE_WRITE | PTE_USED |
				PTE_LARGE | PTE_GLOBAL);
	map_m2p(m, dir);
	map_linear(m, cr3);
}

void
gold_fill_m2p(struct gold_machine *m)
{
	for (uint32_t mfn = 0; mfn < NR_FRAMES; mfn++) {
		uint32_t none = ~0u;

		gold_poke(m, M2P_PADDR + 4 * mfn, &none, 4, GOLD_HYPERVISOR);
	}
	for (uint32_t pfn = 0; pfn < m->nr_dom0_used; pfn++)
		gold_poke(m, M2P_PADDR + 4 * m->pfn_to_mfn[pfn], &pfn, 4,
			GOLD_HYPERVISOR);
}

void
gold_share_kernel(struct gold_machine *m, uint32_t from, uint32_t cr3)
{
	uint32_t old = (uint32_t)(gold_peek64(m, from + 24) & PTE_ADDR);
	uint32_t dir = below(m, cr3, 3, PTE_PRESENT);

	memcpy(gold_frame(m, dir / GOLD_PAGE, GOLD_PAGE_TABLE),
		m->frames[old / GOLD_PAGE], GOLD_PAGE);
	map_linear(m, cr3);
}

/* ---- reading ----------------------------------------------------------- */

size_t
gold_walk(const struct gold_machine *m, uint32_t cr3, uint32_t addr,
	uint64_t tables[3], uint64_t *paddr_out)
{
	uint64_t table = cr3, entry;
	size_t nr = 0;

	for (unsigned int shift = 30; shift >= 12; shift -= 9) {
		if (table / GOLD_PAGE >= NR_FRAMES)
			return 0;
		tables[nr++] = table / GOLD_PAGE;
		entry = gold_peek64(m,
			(uint32_t)table + 8 * index_of(addr, shift));
		if (!(entry & PTE_PRESENT))
			return 0;
		table = entry & PTE_ADDR;
		if (shift == 21 && entry & PTE_LARGE) {
			*paddr_out = (table & ~(LARGE_LEN - 1ull)) +
				     addr % LARGE_LEN;
			return nr;
		}
	}
	*paddr_out = table + addr % GOLD_PAGE;
	return nr;
}

bool
gold_vtop(const struct gold_machine *m, uint32_t cr3, uint32_t addr,
	uint64_t *paddr_out)
{
	uint64_t tables[3];

	return gold_walk(m, cr3, addr, tables, paddr_out) != 0;
}

/* Calls for each piece that does not cross a page; false at the first hole. */
static bool
by_page(const struct gold_machine *m, uint32_t cr3, uint32_t addr, size_t len,
	uint8_t *to)
{
	uint8_t page[GOLD_PAGE];

	while (len) {
		size_t off = addr % GOLD_PAGE;
		size_t n = GOLD_PAGE - off < len ? GOLD_PAGE - off : len;
		uint64_t paddr;

		if (!gold_vtop(m, cr3, addr, &paddr) ||
			!gold_read_frame(m, paddr / GOLD_PAGE, page))
			return false;
		memcpy(to, page + off, n);
		addr += (uint32_t)n;
		to += n;
		len -= n;
	}
	return true;
}

bool
gold_read_virtual(const struct gold_machine *m, uint32_t cr3, uint32_t addr,
	void *bytes_out, size_t len)
{
	return by_page(m, cr3, addr, len, bytes_out);
}

void
gold_poke_virtual(struct gold_machine *m, uint32_t cr3, uint32_t addr,
	const void *bytes, size_t len)
{
	const uint8_t *from = bytes;

	for (size_t i = 0; i < len; i++) {
		uint64_t paddr = 0;

		if (!gold_vtop(m, cr3, addr + (uint32_t)i, &paddr))
			gold_die("not mapped", "layout");
		gold_poke(m, (uint32_t)paddr, from + i, 1,
			m->classes[paddr / GOLD_PAGE]);
	}
}
