/* SPDX-License-Identifier: MIT */
/*
 * Frames of the machine and of its guests.
 *
 * The hypervisor has one table by machine frame (M2P; xen/arch/x86/include/asm
 * config.h, mm.h: RDWR_MPT_VIRT_START, INVALID_M2P_ENTRY).  A paravirtual Linux
 * has one by its own frames, in virtual memory since 3.19 (xen_p2m_addr,
 * arch/x86/xen/p2m.c), and a tree of frames of it for a crash kernel, whose
 * root the crash note has (pfn_to_mfn_frame_list_list,
 * xen/include/public/arch-x86/ xen.h).
 */
#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"
#include "mdb/world/xen_world.h"

#include <inttypes.h>

#define PAGE_LEN 4096u
#define PER_PAGE (PAGE_LEN / 8)

#define M2P 0xffff828000000000ull	    /* slot 261 */
#define M2P_READ_ONLY 0xffff800000000000ull /* slot 256, what guests see */
#define MAX_FRAME (1ull << 40)
#define SHARED_M2P (UINT64_MAX - 1)

#define FOREIGN_FRAME (1ull << 63)
#define IDENTITY_FRAME (1ull << 62)

#define INFO_FRAME_LISTS 9 /* crash_xen_info_t */

enum mdb_status
mdb_xen_mfn_to_gfn(struct mdb_ctx *cx, struct mdb_world *world, mdb_pfn_t mfn,
	mdb_pfn_t *gfn_out)
{
	struct mdb_world *below = mdb_xen_world(world);
	uint8_t b[8];
	uint64_t gfn;

	if (below == NULL)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"world %s has no hypervisor that was found",
			mdb_world_name(world));
	if (mfn >= MAX_FRAME)
		return mdb_fail(cx, MDB_E_RANGE,
			"there is no machine frame %#" PRIx64, mfn);
	if (mdb_space_try(below->space, M2P + 8 * mfn, b, 8) != MDB_OK &&
		mdb_space_try(below->space, M2P_READ_ONLY + 8 * mfn, b, 8) !=
			MDB_OK) {
		enum mdb_status st =
			mdb_space_read(cx, below->space, M2P + 8 * mfn, b, 8);

		return mdb_context(cx, st == MDB_OK ? MDB_E_UNMAPPED : st,
			"the hypervisor's table of frames");
	}
	gfn = mdb_le64(b);
	if (gfn == SHARED_M2P)
		return mdb_fail(cx, MDB_E_UNMAPPED,
			"machine frame %#" PRIx64
			" is shared among domains: it is several of their "
			"frames",
			mfn);
	if (gfn >= MAX_FRAME)
		return mdb_fail(cx, MDB_E_UNMAPPED,
			"machine frame %#" PRIx64 " is no domain's", mfn);
	*gfn_out = gfn;
	return MDB_OK;
}

/* ---- the guest's side ----------------------------------------------------
 */

/* The entry for gfn in the guest's own table; false: it has none. */
static bool
entry_of_guest(struct mdb_ctx *cx, struct mdb_world *guest, mdb_pfn_t gfn,
	uint64_t *entry_out)
{
	struct mdb_loc table, count;
	mdb_addr_t addr;
	uint64_t size;
	bool ok = mdb_sym_loc(cx, guest, "xen_p2m_addr", &table) == MDB_OK &&
		  mdb_sym_loc(cx, guest, "xen_p2m_size", &count) == MDB_OK &&
		  table.world == guest && count.world == guest &&
		  mdb_read_ptr(cx, table, &addr) == MDB_OK &&
		  mdb_read_uint(cx, count, 8, &size) == MDB_OK && gfn < size &&
		  mdb_read_uint(cx, mdb_kernel_loc(guest, addr + 8 * gfn), 8,
			  entry_out) == MDB_OK;

	mdb_forget(cx);
	return ok;
}

static bool
word_of_frame(const struct mdb_xen *xen, mdb_pfn_t mfn, uint64_t index,
	uint64_t *word_out)
{
	uint8_t b[8];

	if (mfn == 0 || mfn >= MAX_FRAME ||
		mdb_memory_try(xen->world->target->memory,
			mfn * PAGE_LEN + 8 * index, b, 8) != MDB_OK)
		return false;
	*word_out = mdb_le64(b);
	return true;
}

/* The same from the tree that domain 0 keeps for a crash kernel. */
static bool
entry_of_tree(const struct mdb_xen *xen, mdb_pfn_t gfn, uint64_t *entry_out)
{
	uint64_t frame;

	return xen != NULL && xen->has_crash_info &&
	       gfn / PER_PAGE / PER_PAGE < PER_PAGE &&
	       word_of_frame(xen, xen->crash_info[INFO_FRAME_LISTS],
		       gfn / PER_PAGE / PER_PAGE, &frame) &&
	       word_of_frame(xen, frame, gfn / PER_PAGE % PER_PAGE, &frame) &&
	       word_of_frame(xen, frame, gfn % PER_PAGE, entry_out);
}

static enum mdb_status
no_domain(struct mdb_ctx *cx, const struct mdb_world *world)
{
	return mdb_fail(cx, MDB_E_UNSUPPORTED,
		"world %s is no domain of a hypervisor, as far as is known",
		mdb_world_name(world));
}

enum mdb_status
mdb_xen_gfn_to_mfn(struct mdb_ctx *cx, struct mdb_world *guest, mdb_pfn_t gfn,
	mdb_pfn_t *mfn_out)
{
	uint64_t entry;

	if (guest->domain < 0)
		return no_domain(cx, guest);
	if (gfn >= MAX_FRAME)
		return mdb_fail(cx, MDB_E_RANGE, "there is no frame %#" PRIx64,
			gfn);
	if (guest->memory != NULL) {
		mdb_paddr_t machine;
		enum mdb_status st = mdb_memory_to_machine(cx, guest->memory,
			gfn * PAGE_LEN, &machine);

		if (st != MDB_OK)
			return mdb_context(cx, st, "frame %#" PRIx64 " of %s",
				gfn, mdb_world_name(guest));
		*mfn_out = machine / PAGE_LEN;
		return MDB_OK;
	}
	if (!entry_of_guest(cx, guest, gfn, &entry) &&
		!(guest->domain == 0 &&
			entry_of_tree(mdb_xen_of_target(guest->target), gfn,
				&entry)))
		return mdb_fail(cx, MDB_E_UNMAPPED,
			"frame %#" PRIx64
			" is not in a table of machine frames that %s keeps",
			gfn, mdb_world_name(guest));
	if (entry == UINT64_MAX)
		return mdb_fail(cx, MDB_E_UNMAPPED,
			"frame %#" PRIx64 " of %s has no machine frame", gfn,
			mdb_world_name(guest));
	entry &= ~(FOREIGN_FRAME | IDENTITY_FRAME);
	if (entry >= MAX_FRAME)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"frame %#" PRIx64 " of %s has the entry %#" PRIx64, gfn,
			mdb_world_name(guest), entry);
	*mfn_out = entry;
	return MDB_OK;
}
