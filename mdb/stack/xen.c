/* SPDX-License-Identifier: MIT */
/*
 * Into and out of Xen.  Whatever enters the hypervisor saves the registers of
 * the interrupted code on the CPU's stack as struct cpu_user_regs and sets the
 * frame pointer to the inverted address of the saved one.  What was
 * interrupted is Xen itself, or a domain: then the walk goes on in its world.
 *
 * Facts: xen/include/public/arch-x86/xen-x86_32.h and xen-x86_64.h,
 * xen/arch/x86/{x86_32,x86_64}/entry.S and traps.c of Xen 3.0 to 4.17.
 */
#include "mdb/stack/unwind.h"

#include "mdb/base/ctx.h"

struct slot {
	uint8_t reg, offset, len;
};

struct layout {
	const struct slot *slots;
	size_t nr_slots;
	uint8_t bp;	    /* offset of the saved bp, which is marked */
	uint8_t vector;	    /* offset of the entry vector, two bytes of it */
	uint8_t sp;	    /* offset of the saved sp */
	uint16_t hypercall; /* the vector that hypercalls are given */
	bool always_has_sp; /* also when the privilege did not change */
};

/* MDB_R_ORIG_AX stands for the error code. */
static const struct slot slots_32[] = { { MDB_R_BX, 0, 4 }, { MDB_R_CX, 4, 4 },
	{ MDB_R_DX, 8, 4 }, { MDB_R_SI, 12, 4 }, { MDB_R_DI, 16, 4 },
	{ MDB_R_BP, 20, 4 }, { MDB_R_AX, 24, 4 }, { MDB_R_ORIG_AX, 28, 2 },
	{ MDB_R_IP, 32, 4 }, { MDB_R_CS, 36, 2 }, { MDB_R_FLAGS, 40, 4 },
	{ MDB_R_SP, 44, 4 }, { MDB_R_SS, 48, 2 } };
static const struct slot slots_64[] = { { MDB_R_15, 0, 8 }, { MDB_R_14, 8, 8 },
	{ MDB_R_13, 16, 8 }, { MDB_R_12, 24, 8 }, { MDB_R_BP, 32, 8 },
	{ MDB_R_BX, 40, 8 }, { MDB_R_11, 48, 8 }, { MDB_R_10, 56, 8 },
	{ MDB_R_9, 64, 8 }, { MDB_R_8, 72, 8 }, { MDB_R_AX, 80, 8 },
	{ MDB_R_CX, 88, 8 }, { MDB_R_DX, 96, 8 }, { MDB_R_SI, 104, 8 },
	{ MDB_R_DI, 112, 8 }, { MDB_R_ORIG_AX, 120, 4 }, { MDB_R_IP, 128, 8 },
	{ MDB_R_CS, 136, 2 }, { MDB_R_FLAGS, 144, 8 }, { MDB_R_SP, 152, 8 },
	{ MDB_R_SS, 160, 2 } };

static const struct layout layout_32 = {
	.slots = slots_32,
	.nr_slots = sizeof(slots_32) / sizeof(slots_32[0]),
	.bp = 20,
	.vector = 30,
	.sp = 44,
	.hypercall = 0x82,
};
static const struct layout layout_64 = {
	.slots = slots_64,
	.nr_slots = sizeof(slots_64) / sizeof(slots_64[0]),
	.bp = 32,
	.vector = 124,
	.sp = 152,
	.hypercall = 0x100,
	.always_has_sp = true,
};

static const struct layout *
layout_of(const struct mdb_unwind *u)
{
	return u->world->arch->word == 8 ? &layout_64 : &layout_32;
}

mdb_addr_t
mdb_xen_regs_of_bp(const struct mdb_unwind *u, uint64_t bp)
{
	uint64_t mask = u->world->arch->word == 8 ? UINT64_MAX : UINT32_MAX;
	mdb_addr_t at = ~bp & mask;

	return at % u->world->arch->word == 0 ? at - layout_of(u)->bp : 0;
}

/* len bytes, none of them across a word. */
static enum mdb_status
read_field(struct mdb_unwind *u, mdb_addr_t addr, size_t len,
	uint64_t *value_out)
{
	size_t word = u->world->arch->word;
	uint64_t value;
	enum mdb_status st = mdb_unwind_word(u, addr - addr % word, &value);

	if (st != MDB_OK)
		return st;
	value >>= 8 * (addr % word);
	*value_out = len < 8 ? value & ((1ull << 8 * len) - 1) : value;
	return MDB_OK;
}

static enum mdb_status
read_regs(struct mdb_unwind *u, mdb_addr_t addr, struct mdb_regs *regs)
{
	const struct layout *l = layout_of(u);

	for (size_t i = 0; i < l->nr_slots; i++) {
		const struct slot *s = &l->slots[i];
		uint64_t value;
		enum mdb_status st =
			read_field(u, addr + s->offset, s->len, &value);

		if (st != MDB_OK)
			return st;
		mdb_reg_set(regs, s->reg, value);
	}
	/* Within the hypervisor a 32-bit processor saves no sp. */
	if (!l->always_has_sp && (regs->r[MDB_R_CS] & 3) == 0) {
		mdb_reg_set(regs, MDB_R_SP, addr + l->sp);
		regs->valid &= ~(1ull << MDB_R_SS);
	}
	return mdb_regs_is_plausible(u->world->arch, regs) ? MDB_OK
							   : MDB_E_CORRUPT;
}

static struct mdb_trap
trap_of(const struct layout *l, uint64_t vector)
{
	struct mdb_trap trap = { .vector = (int)vector };

	if (vector == l->hypercall)
		trap = (struct mdb_trap){ .kind = MDB_TRAP_HYPERCALL,
			.vector = -1 };
	else if (vector == 2)
		trap.kind = MDB_TRAP_NMI;
	else if (vector < 32)
		trap.kind = MDB_TRAP_EXCEPTION;
	else if (vector < 256)
		trap.kind = MDB_TRAP_IRQ;
	else
		trap = (struct mdb_trap){ .kind = MDB_TRAP_UNKNOWN,
			.vector = -1 };
	return trap;
}

/* Whose code it was: false ends the walk, as its world is not here. */
static bool
find_world(struct mdb_unwind *u, mdb_addr_t addr, struct mdb_caller *c)
{
	const struct mdb_world_ops *ops = u->world->ops;
	struct mdb_guest guest = { 0 };
	enum mdb_status st;

	if ((c->regs.r[MDB_R_CS] & 3) == 0)
		return true;
	if (!ops || !ops->guest_on_stack) {
		(void)mdb_unwind_end(u, MDB_END_NO_UNWIND,
			"a domain went on at 0x%llx",
			(unsigned long long)c->regs.r[MDB_R_IP]);
		return false;
	}
	st = ops->guest_on_stack(u->cx, u->world, addr, &guest);
	c->world = guest.world;
	if (st != MDB_OK)
		(void)mdb_unwind_end(u, MDB_END_NO_UNWIND,
			"at 0x%llx, outside of the hypervisor: %s",
			(unsigned long long)c->regs.r[MDB_R_IP],
			mdb_trail(u->cx) ? mdb_trail(u->cx) : "");
	mdb_forget(u->cx);
	return st == MDB_OK;
}

enum mdb_unwind_step
mdb_xen_through_regs(struct mdb_unwind *u, mdb_addr_t addr,
	struct mdb_caller *caller_out)
{
	const struct layout *l = layout_of(u);
	struct mdb_caller c = { .is_regs = true,
		.literal = true,
		.fp = addr + l->bp };
	uint64_t vector = 0;
	enum mdb_status st;

	c.regs = u->frame.regs;
	mdb_regs_keep_system(&c.regs);
	st = read_regs(u, addr, &c.regs);
	if (st == MDB_OK)
		st = read_field(u, addr + l->vector, 2, &vector);
	if (st == MDB_E_CORRUPT)
		return MDB_STEP_NONE;
	if (st != MDB_OK)
		return mdb_unwind_end_unread(u, addr);
	c.trap = trap_of(l, vector);
	if (c.trap.kind == MDB_TRAP_HYPERCALL)
		mdb_reg_set(&c.regs, MDB_R_ORIG_AX, c.regs.r[MDB_R_AX]);
	if (vector == 14 && u->has_cr2)
		mdb_reg_set(&c.regs, MDB_R_CR2, u->cr2);
	u->has_cr2 = u->has_cr2 && vector != 14;
	c.cfa = c.regs.r[MDB_R_SP];
	if (!find_world(u, addr, &c))
		return MDB_STEP_END;
	*caller_out = c;
	return MDB_STEP_CALLER;
}
