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
#include <mdb/xen.h>

#include "mdb/stack/unwind.h"

#include "mdb/base/ctx.h"

#include <inttypes.h>

#define MAX_CPUS 4096u
#define HYPERCALL_VECTOR 0x82u /* of 32-bit guests */
#define SYSCALL_VECTOR 0x80u   /* int $0x80, which goes to the guest's kernel */

#define RING 3u
#define FLAT_KERNEL_CS 0xe033u
#define FLAT_KERNEL_SS 0xe02bu

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
	.hypercall = HYPERCALL_VECTOR,
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

	/* TRAP_syscall is also set in the vector of a trap that Xen has made
	 * its guest handle (create_bounce_frame). */
	if (l->hypercall > 0xff && vector > l->hypercall &&
		vector < 2ull * l->hypercall)
		trap.vector = (int)(vector -= l->hypercall);
	if (vector == l->hypercall || vector == HYPERCALL_VECTOR)
		trap = (struct mdb_trap){ .kind = MDB_TRAP_HYPERCALL,
			.vector = -1 };
	else if (vector == SYSCALL_VECTOR && l->always_has_sp)
		trap.kind = MDB_TRAP_SYSCALL;
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

static const char *
name_of_guest(struct mdb_unwind *u, const struct mdb_guest *guest)
{
	if (guest->domain < 0)
		return NULL;
	if (guest->vcpu < 0)
		return mdb_tmp_printf(u->cx, "d%d", guest->domain);
	return mdb_tmp_printf(u->cx, "d%dv%d", guest->domain, guest->vcpu);
}

/* It is known how the hypervisor was entered, but not what lies beyond. */
static void
end_at_guest(struct mdb_unwind *u, struct mdb_caller *c, const char *why)
{
	c->foreign = mdb_tmp_printf(u->cx, "%s at 0x%" PRIx64 "%s%s",
		c->guest ? c->guest : "outside of the hypervisor",
		c->regs.r[MDB_R_IP], why ? ": " : "", why ? why : "");
}

/* Whose code it was. */
static void
find_world(struct mdb_unwind *u, mdb_addr_t addr, struct mdb_caller *c)
{
	const struct mdb_world_ops *ops = u->world->ops;
	struct mdb_guest guest = { .domain = -1, .vcpu = -1 };
	enum mdb_status st;

	if (c->trap.kind != MDB_TRAP_VMEXIT && (c->regs.r[MDB_R_CS] & 3) == 0)
		return;
	if (!ops || !ops->guest_on_stack) {
		end_at_guest(u, c, NULL);
		return;
	}
	st = ops->guest_on_stack(u->cx, u->world, addr, &guest);
	c->guest = name_of_guest(u, &guest);
	c->world = guest.world;
	if (st != MDB_OK || !c->world)
		end_at_guest(u, c, mdb_trail(u->cx));
	mdb_forget(u->cx);
}

/* What is said of the trap, and where the walk goes on. */
static enum mdb_unwind_step
finish(struct mdb_unwind *u, mdb_addr_t addr, struct mdb_caller *c,
	struct mdb_caller *caller_out)
{
	int vector = c->trap.vector;

	if (u->world->arch->word == 8 &&
		(c->trap.kind == MDB_TRAP_HYPERCALL ||
			c->trap.kind == MDB_TRAP_SYSCALL))
		c->regs.valid &= ~(1ull << MDB_R_ORIG_AX);
	/* A guest's user mode calls its own kernel by way of Xen. */
	if (c->trap.kind == MDB_TRAP_HYPERCALL && u->world->arch->word == 8 &&
		c->regs.r[MDB_R_IP] >> 63 == 0 &&
		(c->regs.r[MDB_R_CS] & RING) == RING)
		c->trap.kind = MDB_TRAP_SYSCALL;
	if (c->trap.kind == MDB_TRAP_SYSCALL && c->has_number)
		mdb_reg_set(&c->regs, MDB_R_ORIG_AX, c->regs.r[MDB_R_AX]);
	if (c->trap.kind == MDB_TRAP_HYPERCALL && c->has_number)
		mdb_reg_set(&c->regs, MDB_R_ORIG_AX, c->regs.r[MDB_R_AX]);
	if (vector == 14 && u->has_cr2)
		mdb_reg_set(&c->regs, MDB_R_CR2, u->cr2);
	u->has_cr2 = u->has_cr2 && vector != 14;
	c->cfa = c->regs.r[MDB_R_SP];
	find_world(u, addr, c);
	*caller_out = *c;
	return MDB_STEP_CALLER;
}

enum mdb_unwind_step
mdb_xen_through_regs(struct mdb_unwind *u, mdb_addr_t addr,
	struct mdb_caller *caller_out)
{
	const struct layout *l = layout_of(u);
	struct mdb_caller c = { .is_regs = true,
		.literal = true,
		.has_number = true,
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
	return finish(u, addr, &c, caller_out);
}

/* ---- the entry code of 64-bit Xen ---------------------------------------- */

/*
 * Registers that are only supposed to be there: the hypervisor's code must be
 * its own, on a stack of its own; and a guest is above ring 0.
 */
static bool
is_likely(struct mdb_unwind *u, const struct mdb_regs *regs)
{
	bool own = mdb_unwind_object(u, regs->r[MDB_R_IP]) != NULL;

	/* A 32-bit guest's kernel is in ring 1. */
	if ((regs->r[MDB_R_CS] & RING) != 0)
		return !own &&
		       (regs->r[MDB_R_SS] & RING) == (regs->r[MDB_R_CS] & RING);
	return own && (regs->r[MDB_R_SS] & RING) == 0 &&
	       regs->r[MDB_R_SP] % 8 == 0 &&
	       mdb_world_of_addr(u->world, regs->r[MDB_R_SP]) == u->world;
}

static void
keep_iret_words(struct mdb_regs *regs, uint64_t system)
{
	regs->valid = system | 1ull << MDB_R_IP | 1ull << MDB_R_CS |
		      1ull << MDB_R_FLAGS | 1ull << MDB_R_SP | 1ull << MDB_R_SS;
}

/*
 * The hypercall iret puts what it returns to into these registers, and takes
 * the mark of a hypercall off the vector (do_iret, xen/arch/x86/pv/iret.c): the
 * 0 that is left is no divide error.
 */
static void
forget_vector(enum mdb_xen_words words, struct mdb_caller *c)
{
	enum mdb_trap_kind kind = words == MDB_XEN_CALLING ? MDB_TRAP_HYPERCALL
							   : MDB_TRAP_UNKNOWN;

	if (c->trap.vector != 0 || (c->regs.r[MDB_R_CS] & RING) == 0 ||
		(words != MDB_XEN_CALLING && words != MDB_XEN_RETURNING))
		return;
	c->trap = (struct mdb_trap){ .kind = kind, .vector = -1 };
	c->has_number = false;
}

enum mdb_unwind_step
mdb_xen_through_words(struct mdb_unwind *u, mdb_addr_t addr,
	enum mdb_xen_words words, struct mdb_caller *caller_out)
{
	const struct layout *l = layout_of(u);
	struct mdb_caller c = { .is_regs = true,
		.literal = true,
		.has_number = words == MDB_XEN_CALLING,
		.fp = addr + l->bp };
	uint64_t vector = 0, system;

	c.regs = u->frame.regs;
	mdb_regs_keep_system(&c.regs);
	system = c.regs.valid;
	if (read_regs(u, addr, &c.regs) != MDB_OK || !is_likely(u, &c.regs) ||
		read_field(u, addr + l->vector, 2, &vector) != MDB_OK)
		return MDB_STEP_NONE;
	c.trap = trap_of(l, vector);
	if (words == MDB_XEN_PARTIAL) {
		keep_iret_words(&c.regs, system);
		/* Nor need the vector be written yet. */
		c.trap = (struct mdb_trap){ .kind = MDB_TRAP_UNKNOWN,
			.vector = -1 };
	}
	forget_vector(words, &c);
	return finish(u, addr, &c, caller_out);
}

/* rcx and r11 have what syscall put there; the selectors are Xen's own. */
enum mdb_unwind_step
mdb_xen_through_syscall(struct mdb_unwind *u, mdb_addr_t at,
	const struct mdb_regs *regs, struct mdb_caller *caller_out)
{
	struct mdb_caller c = { .regs = *regs,
		.is_regs = true,
		.literal = true,
		.trap = { .kind = MDB_TRAP_HYPERCALL, .vector = -1 },
		.has_number = mdb_reg_known(regs, MDB_R_AX),
		.fp = at };

	mdb_reg_set(&c.regs, MDB_R_IP, regs->r[MDB_R_CX]);
	mdb_reg_set(&c.regs, MDB_R_FLAGS, regs->r[MDB_R_11]);
	mdb_reg_set(&c.regs, MDB_R_CS, FLAT_KERNEL_CS);
	mdb_reg_set(&c.regs, MDB_R_SS, FLAT_KERNEL_SS);
	if (!mdb_regs_is_plausible(u->world->arch, &c.regs) ||
		!is_likely(u, &c.regs))
		return MDB_STEP_NONE;
	return finish(u, at, &c, caller_out);
}

/*
 * A VM exit leaves ip, sp and flags in the guest's control block; Xen copies
 * them to the stack as soon as it handles the exit (svm_vmexit_handler,
 * vmx_vmexit_handler), but no segments.
 */
enum mdb_unwind_step
mdb_xen_through_exit(struct mdb_unwind *u, mdb_addr_t addr,
	struct mdb_caller *caller_out)
{
	const uint64_t segments =
		1ull << MDB_R_CS | 1ull << MDB_R_SS | 1ull << MDB_R_ORIG_AX;
	const struct mdb_world_ops *ops = u->world->ops;
	struct mdb_caller c = { .is_regs = true,
		.literal = true,
		.trap = { .kind = MDB_TRAP_VMEXIT, .vector = -1 },
		.fp = addr + layout_of(u)->bp };
	enum mdb_status st;

	c.regs.valid = 0;
	st = read_regs(u, addr, &c.regs);
	/* Without segments it does not look like what a processor pushes. */
	if (st != MDB_OK && st != MDB_E_CORRUPT)
		return mdb_unwind_end_unread(u, addr);
	c.regs.valid &= ~segments;
	if (ops && ops->guest_exit_regs)
		(void)!ops->guest_exit_regs(u->cx, u->world, addr, &c.regs);
	mdb_forget(u->cx);
	return finish(u, addr, &c, caller_out);
}

/* ---- registers of a guest ------------------------------------------------ */

static bool
same(const struct mdb_regs *a, const struct mdb_regs *b, enum mdb_reg reg)
{
	return mdb_reg_known(a, reg) == mdb_reg_known(b, reg) &&
	       (!mdb_reg_known(a, reg) || a->r[reg] == b->r[reg]);
}

/* The CPU that was in a guest with these registers. */
static bool
find_cpu(struct mdb_unwind *u, const struct mdb_regs *regs,
	struct mdb_xen_pcpu *pcpu_out)
{
	int cpu = -1;

	for (unsigned int n = 0;
		n < MAX_CPUS && mdb_cpu_next(u->cx, u->world, &cpu) == MDB_OK;
		n++) {
		struct mdb_regs its;

		if (mdb_xen_pcpu(u->cx, u->world, cpu, pcpu_out) != MDB_OK ||
			!pcpu_out->in_guest ||
			mdb_cpu_regs(u->cx, u->world, cpu, &its) != MDB_OK)
			continue;
		if (same(regs, &its, MDB_R_IP) && same(regs, &its, MDB_R_SP) &&
			same(regs, &its, MDB_R_CR3))
			return true;
	}
	return false;
}

void
mdb_xen_start_in_guest(struct mdb_unwind *u, const struct mdb_regs *regs)
{
	struct mdb_xen_pcpu pcpu;
	bool found;

	if (!mdb_unwind_is_xen_64(u->world) ||
		mdb_unwind_object(u, regs->r[MDB_R_IP]) != NULL)
		return;
	found = find_cpu(u, regs, &pcpu);
	mdb_forget(u->cx);
	if (!found)
		return;
	if (pcpu.loaded.known && pcpu.loaded.world) {
		u->world = pcpu.loaded.world;
		return;
	}
	u->foreign = "in a guest which is not known";
	if (pcpu.loaded.known)
		u->foreign = mdb_tmp_printf(u->cx,
			"in d%uv%u, which is no world of this dump",
			pcpu.loaded.domid, pcpu.loaded.vcpu);
}
