/* SPDX-License-Identifier: MIT */
/*
 * The page-table walk.  It is bounded by the number of levels, so tables that
 * point at themselves cost nothing; whether that is meant (a linear map) or
 * damage is for the reader of ::vtop -v to say, who is shown each entry.
 */
#include "mdb/mem/paging.h"

#include "mdb/base/endian.h"

#define BIT(n) (1ull << (n))
#define BITS(hi, lo) ((~0ull >> (63 - (hi))) & ~(BIT(lo) - 1))

#define PRESENT BIT(0)
#define WRITABLE BIT(1)
#define USER BIT(2)
#define LARGE BIT(7)
#define NX BIT(63)
#define FRAME BITS(51, 12)

static const struct mdb_paging_level levels_32[] = {
	/* Bits 20:13 of a 4 MiB page are address bits 39:32 (PSE-36). */
	{ "pde", 22, 10, BIT(21), 0, true },
	{ "pte", 12, 10, 0, 0, false },
};

static const struct mdb_paging_level levels_pae[] = {
	{ "pdpte", 30, 2, 0, BITS(63, 52) | BITS(8, 5) | BITS(2, 1), false },
	{ "pde", 21, 9, BITS(20, 13), 0, true },
	{ "pte", 12, 9, 0, 0, false },
};

static const struct mdb_paging_level levels_64[] = {
	{ "pml5e", 48, 9, 0, LARGE, false },
	{ "pml4e", 39, 9, 0, LARGE, false },
	{ "pdpte", 30, 9, BITS(29, 13), 0, true },
	{ "pde", 21, 9, BITS(20, 13), 0, true },
	{ "pte", 12, 9, 0, 0, false },
};

#define EPT_PRESENT (BIT(0) | BIT(1) | BIT(2))
#define EPT_WRITABLE BIT(1)
#define EPT_EXECUTABLE BIT(2)

static const struct mdb_paging_level levels_ept[] = {
	{ "ept4e", 39, 9, 0, BITS(7, 3), false },
	{ "ept3e", 30, 9, BITS(29, 12), 0, true },
	{ "ept2e", 21, 9, BITS(20, 12), 0, true },
	{ "ept1e", 12, 9, 0, 0, false },
};

static const struct mdb_paging_mode modes[] = {
	[MDB_PAGING_32BIT] = { "32-bit", 4, 2, 32, BITS(31, 12), PRESENT, false,
		false, levels_32 },
	[MDB_PAGING_PAE] = { "PAE", 8, 3, 32, BITS(31, 5), PRESENT, false,
		false, levels_pae },
	[MDB_PAGING_4LEVEL] = { "4-level", 8, 4, 48, FRAME, PRESENT, false,
		false, levels_64 + 1 },
	[MDB_PAGING_5LEVEL] = { "5-level", 8, 5, 57, FRAME, PRESENT, false,
		false, levels_64 },
	[MDB_PAGING_NPT] = { "nested", 8, 4, 48, FRAME, PRESENT, true, false,
		levels_64 + 1 },
	[MDB_PAGING_EPT] = { "extended", 8, 4, 48, FRAME, EPT_PRESENT, true,
		true, levels_ept },
};

const struct mdb_paging_mode *
mdb_paging_mode_get(enum mdb_paging mode)
{
	if (mode <= MDB_PAGING_NONE || mode > MDB_PAGING_EPT)
		return NULL;
	return &modes[mode];
}

const char *
mdb_paging_name(enum mdb_paging mode)
{
	const struct mdb_paging_mode *m = mdb_paging_mode_get(mode);

	return m ? m->name : "none";
}

static bool
is_canonical(const struct mdb_paging_mode *mode, mdb_addr_t addr)
{
	if (mode->addr_bits == 32)
		return addr >> 32 == 0;
	if (mode->is_physical)
		return addr >> mode->addr_bits == 0;
	return (uint64_t)mdb_sign_extend(addr, mode->addr_bits) == addr;
}

static mdb_paddr_t
large_frame(const struct mdb_paging_mode *mode, uint64_t entry,
	unsigned int shift)
{
	if (mode->entry_len == 4)
		return (entry & BITS(31, 22)) |
		       (entry & BITS(20, 13)) >> 13 << 32;
	return entry & FRAME & ~(BIT(shift) - 1);
}

static void
note_rights(const struct mdb_paging_mode *mode, unsigned int level,
	uint64_t entry, struct mdb_vtop *v)
{
	if (mode->is_ept) {
		v->writable = v->writable && (entry & EPT_WRITABLE);
		v->executable = v->executable && (entry & EPT_EXECUTABLE);
		return;
	}
	/* PAE's outermost entries carry no rights. */
	if (mode->levels[level].nr_bits != 2) {
		v->writable = v->writable && (entry & WRITABLE);
		v->user = v->user && (entry & USER);
	}
	if (mode->entry_len == 8 && (entry & NX))
		v->executable = false;
}

static const char *
objection(const struct mdb_paging_mode *mode, const struct mdb_paging_level *lv,
	uint64_t entry, bool large)
{
	if (!(entry & mode->present))
		return "not present";
	if ((entry & lv->reserved) || (large && (entry & lv->large_reserved)))
		return "has a reserved bit set";
	return NULL;
}

static enum mdb_status
stop(struct mdb_paging_end *end, enum mdb_status st, unsigned int level,
	const char *why, bool in_table)
{
	*end = (struct mdb_paging_end){ level, why, in_table };
	return st;
}

enum mdb_status
mdb_paging_walk(const struct mdb_memory *mem,
	const struct mdb_paging_mode *mode, mdb_paddr_t root, mdb_addr_t addr,
	struct mdb_vtop *v, struct mdb_paging_end *end)
{
	mdb_paddr_t table = root & mode->root_mask;

	*v = (struct mdb_vtop){ .writable = true,
		.user = true,
		.executable = true };
	if (!is_canonical(mode, addr))
		return stop(end, MDB_E_UNMAPPED, 0, "is not canonical", false);

	for (unsigned int i = 0; i < mode->nr_levels; i++) {
		const struct mdb_paging_level *lv = &mode->levels[i];
		uint64_t index = addr >> lv->shift & (BIT(lv->nr_bits) - 1);
		struct mdb_vtop_step *step = &v->steps[i];
		uint8_t bytes[8];

		*step = (struct mdb_vtop_step){ lv->name,
			table + index * mode->entry_len, 0 };
		v->nr_steps = i + 1;
		enum mdb_status st = mdb_memory_try(mem, step->entry_addr,
			bytes, mode->entry_len);

		if (st != MDB_OK)
			return stop(end, st, i, mdb_status_name(st), true);
		step->entry = mdb_le(bytes, mode->entry_len);

		bool last = i + 1 == mode->nr_levels;
		bool large = lv->may_be_large && (step->entry & LARGE);
		const char *why = objection(mode, lv, step->entry, large);

		if (why)
			return stop(end, MDB_E_UNMAPPED, i, why, false);
		note_rights(mode, i, step->entry, v);
		if (large || last) {
			mdb_addr_t in_page = addr & (BIT(lv->shift) - 1);

			v->page_len = BIT(lv->shift);
			v->paddr = in_page |
				   (large ? large_frame(mode, step->entry,
						    lv->shift)
					  : step->entry & FRAME);
			return stop(end, MDB_OK, i, NULL, false);
		}
		table = step->entry & FRAME;
	}
	return stop(end, MDB_E_UNMAPPED, 0, "has no levels", false);
}
