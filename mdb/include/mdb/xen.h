/* SPDX-License-Identifier: MIT */
/*
 * A 64-bit Xen hypervisor as a module sees it: its physical CPUs, whom they
 * ran, and from the frames of a guest to those of the machine and back.
 *
 * Everything here works without types.  A function that is asked of a world
 * which is no such hypervisor says MDB_E_UNSUPPORTED; what is not known is
 * said field by field, never as 0.
 */
#ifndef MDB_XEN_H
#define MDB_XEN_H

#include <mdb/stack.h>
#include <mdb/world.h>

/* xen/include/public/xen.h */
#define MDB_XEN_DOMID_FIRST_RESERVED 0x7ff0u
#define MDB_XEN_DOMID_IDLE 0x7fffu /* xen/include/xen/sched.h: DOMID_IDLE */

/*
 * Each CPU's stack is STACK_SIZE bytes, aligned to that (asm/config.h), and
 * struct cpu_info lies at its top: the registers of the guest at the last entry
 * (struct cpu_user_regs), the CPU's number, its current vCPU, the offset of its
 * per-CPU area (asm/current.h; Xen 4.14 to 4.20).
 */
#define MDB_XEN_STACK_LEN 0x8000u
#define MDB_XEN_REGS_LEN 0xc8u /* struct cpu_user_regs of a 64-bit Xen */

/* A vCPU and whose it is; proven by the pointers that lead back to it. */
struct mdb_xen_vcpu {
	mdb_addr_t addr;	  /* its struct vcpu; 0: not known */
	bool known;		  /* what follows is */
	mdb_addr_t domain;	  /* its struct domain */
	unsigned int domid, vcpu; /* domid MDB_XEN_DOMID_IDLE: idles */
	int processor;		  /* where it is or was last */
	struct mdb_world *world;  /* of its domain, if found; else NULL */
};

struct mdb_xen_pcpu {
	int cpu;
	bool online;	     /* in the hypervisor's own mask, or it ran */
	mdb_addr_t stack;    /* the lowest of its stack's pages; 0: unknown */
	mdb_addr_t cpu_info; /* also where the guest's registers are; or 0 */
	bool has_percpu;
	uint64_t percpu_offset; /* to be added to a per-CPU symbol's value */
	struct mdb_xen_vcpu current; /* cpu_info's current_vcpu */
	/* Whose state is loaded: also that of a vCPU that stopped running when
	 * the CPU became idle (per-CPU curr_vcpu); addr 0: not known. */
	struct mdb_xen_vcpu loaded;
	bool has_regs; /* the dump has registers: mdb_cpu_regs */
	/* The registers at cpu_info are those of `loaded`: it entered here. */
	bool has_guest_regs;
	bool in_guest; /* the dump's registers are the guest's own */
};

/*
 * What is known of a physical CPU.  MDB_E_NOTFOUND: there is none of that
 * number.  CPUs are listed by mdb_cpu_next, their registers are mdb_cpu_regs.
 */
MDB_API enum mdb_status mdb_xen_pcpu(struct mdb_ctx *cx,
	struct mdb_world *world, int cpu, struct mdb_xen_pcpu *pcpu_out);

/*
 * Which CPU's stack holds sp, and which part of it: "primary", "NMI", "#DF",
 * "#DB", "#MC", "shadow", "IST shadow", "guest registers" (cpu_info).
 * MDB_E_NOTFOUND without a trail: no CPU's that is known.
 */
MDB_API enum mdb_status mdb_xen_stack_of(struct mdb_ctx *cx,
	struct mdb_world *world, mdb_addr_t sp, int *cpu_out,
	const char **part_out);

/* The vCPU whose struct vcpu lies at addr; MDB_E_CORRUPT when none does. */
MDB_API enum mdb_status mdb_xen_vcpu_at(struct mdb_ctx *cx,
	struct mdb_world *world, mdb_addr_t addr,
	struct mdb_xen_vcpu *vcpu_out);

/*
 * struct cpu_user_regs at an address of the hypervisor's, of which vector_out
 * (entry_vector; may be NULL) is how the hypervisor was entered.
 */
MDB_API enum mdb_status mdb_xen_regs_read(struct mdb_ctx *cx,
	struct mdb_world *world, mdb_addr_t addr, struct mdb_regs *regs_out,
	unsigned int *vector_out);

/* The hypervisor that world is, or that runs it as a guest; NULL: none. */
MDB_API struct mdb_world *mdb_xen_world(struct mdb_world *world);
/* The domain that a world is; -1: it is none, or which one is not known. */
MDB_API int mdb_xen_domain_of(const struct mdb_world *world);

/*
 * Frames.  A guest's own frame numbers (gfn; pseudo-physical in a PV guest)
 * are not the machine's (mfn).  gfn to mfn by the guest's own table where it is
 * paravirtual, by its second stage of page tables where it is not; mfn to gfn
 * by the hypervisor's table (RO_MPT), which does not say of which domain.
 * MDB_E_UNMAPPED with a trail: that frame has no other side.
 */
MDB_API enum mdb_status mdb_xen_gfn_to_mfn(struct mdb_ctx *cx,
	struct mdb_world *guest, mdb_pfn_t gfn, mdb_pfn_t *mfn_out);
MDB_API enum mdb_status mdb_xen_mfn_to_gfn(struct mdb_ctx *cx,
	struct mdb_world *world, mdb_pfn_t mfn, mdb_pfn_t *gfn_out);

#endif
