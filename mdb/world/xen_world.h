/* SPDX-License-Identifier: MIT */
/*
 * What the Xen finder knows of the world it made: world->priv of a world of
 * kind MDB_WORLD_XEN whose ops are mdb_xen_ops.  Private to find_xen.c and
 * xen_*.c.
 *
 * The hypervisor is one object named xpv.  Its image is linked at virt_start
 * and lies in one piece of machine memory from phys_start on: an address of the
 * image is virt_start + x where the machine has phys_start + x
 * (xen/arch/x86/include/asm/config.h, page.h; Xen 4.7 to 4.20).
 */
#ifndef MDB_WORLD_XEN_WORLD_H
#define MDB_WORLD_XEN_WORLD_H

#include <mdb/xen.h>

#include "mdb/sym/xensyms.h"
#include "mdb/world/target.h"

/* Slots 256 to 271 of the top table are Xen's in every address space of a
 * paravirtual guest (HYPERVISOR_VIRT_START, asm/config.h). */
#define MDB_XEN_RANGE_START 0xffff800000000000ull
#define MDB_XEN_RANGE_LAST 0xffff87ffffffffffull
/* Where its image may be: XEN_VIRT_START is in this slot part. */
#define MDB_XEN_TEXT 0xffff82d000000000ull
#define MDB_XEN_TEXT_END 0xffff82e000000000ull
/* DIRECTMAP_VIRT_START. */
#define MDB_XEN_DIRECTMAP 0xffff830000000000ull

#define MDB_XEN_MAX_CPUS 4096u

struct mdb_xen_fact {
	const char *key;
	char *value; /* NULL: not known */
};
#define MDB_XEN_MAX_FACTS 16

/* A physical CPU: one whose stack was found. */
struct mdb_xen_cpu {
	uint32_t id;
	mdb_addr_t stack, info; /* the lowest page; its struct cpu_info */
	uint64_t percpu_offset;
	bool has_percpu;
	mdb_addr_t current; /* as cpu_info says; may be wild */
	int note;	    /* as dfmt_cpu_at; -1: no registers */
	bool in_guest;	    /* the registers are not the hypervisor's */
	bool online;
};

struct mdb_xen_cpus {
	struct mdb_xen_cpu *list; /* by id, ascending */
	size_t nr;
	uint64_t info_len; /* sizeof(struct cpu_info) to the stack's top */
	size_t nr_strays;  /* registers that are of no CPU that was found */
	bool panic_tried;
	int panic_cpu; /* -1: none, or not known */
};

struct mdb_xen_domain {
	mdb_addr_t addr;
	unsigned int domid, max_vcpus;
	mdb_addr_t vcpus; /* max_vcpus pointers, 0 where there is none */
};

/* A hardware guest's vCPU. */
struct mdb_xen_hvm {
	enum mdb_paging stage; /* second: MDB_PAGING_NPT, _EPT */
	mdb_paddr_t stage_root;
	uint64_t cr0, cr2, cr3, cr4;
	bool has_state; /* what follows is known */
	uint64_t ip, sp, flags;
	uint16_t selectors[6]; /* es cs ss ds fs gs */
};

struct mdb_xen {
	struct mdb_world *world;
	struct mdb_object *object;   /* world->objects: xpv */
	struct mdb_xensyms *symbols; /* object->symtab; never NULL */
	bool has_table;		     /* its embedded table was found */
	bool is_table_whole;	     /* and nothing of it is lost */
	mdb_addr_t virt_start;	     /* XEN_VIRT_START */
	mdb_paddr_t phys_start;	     /* xen_phys_start */
	mdb_addr_t text_start, text_end;
	mdb_addr_t rodata_start, rodata_end;
	mdb_addr_t image_end; /* exclusive */
	/* XEN_ELFNOTE_CRASH_INFO; of the CPU that crashed */
	bool has_crash_info;
	size_t crash_note; /* which CPU's note precedes it, as dfmt_cpu_at */
	uint64_t crash_info[10];
	/* facts, filled once */
	bool facts_tried;
	struct mdb_xen_fact facts[MDB_XEN_MAX_FACTS];
	size_t nr_facts;
	char *panic_message;

	struct mdb_xen_cpus *cpus; /* xen_cpu.c; or NULL */
	bool dom0_tried, has_dom0; /* find_linux_xen.c */
	struct mdb_xen_domain dom0;
	void *types; /* xen_types.c */
};

/* NULL for a world that is not ours. */
struct mdb_xen *mdb_xen_of(const struct mdb_world *world);

extern const struct mdb_world_ops mdb_xen_ops;

/* The hypervisor of the target, or NULL. */
struct mdb_xen *mdb_xen_of_target(const struct mdb_target *target);

/* SYMBOL(name) of VMCOREINFO_XEN, or 0; any other number: false if absent. */
mdb_addr_t mdb_xen_info_symbol(const struct mdb_xen *xen, const char *name);
bool mdb_xen_info_number(const struct mdb_xen *xen, const char *key,
	uint64_t *value_out);

/* A variable of the hypervisor; false: no symbol of it is known. */
bool mdb_xen_variable(struct mdb_ctx *cx, struct mdb_xen *xen, const char *name,
	mdb_addr_t *addr_out);
/* A number there; false as well where it cannot be read. */
bool mdb_xen_number(struct mdb_ctx *cx, struct mdb_xen *xen, const char *name,
	size_t size, uint64_t *value_out);

/* xen_cpu.c: the CPUs, found at first use. */
struct mdb_xen_cpus *mdb_xen_cpus(struct mdb_ctx *cx, struct mdb_xen *xen);
void mdb_xen_cpus_fini(struct mdb_xen *xen);
const struct mdb_xen_cpu *mdb_xen_cpu_of_id(const struct mdb_xen_cpus *cpus,
	int id);
/* Whose stack holds sp; NULL: nobody's. */
const struct mdb_xen_cpu *mdb_xen_cpu_of_stack(const struct mdb_xen_cpus *cpus,
	mdb_addr_t sp);
enum mdb_status mdb_xen_cpu_next(struct mdb_ctx *cx, struct mdb_world *world,
	int *cpu);
enum mdb_status mdb_xen_percpu_addr(struct mdb_ctx *cx, struct mdb_world *world,
	mdb_addr_t symbol_value, int cpu, mdb_addr_t *addr_out);
enum mdb_status mdb_xen_cpu_regs(struct mdb_ctx *cx, struct mdb_world *world,
	int cpu, struct mdb_regs *regs_out);

/* xen_stack.c */
enum mdb_status mdb_xen_stack_range(struct mdb_ctx *cx, struct mdb_world *world,
	mdb_addr_t sp, struct mdb_stack_range *range_out);
enum mdb_status mdb_xen_guest_on_stack(struct mdb_ctx *cx,
	struct mdb_world *world, mdb_addr_t sp, struct mdb_guest *guest_out);

/* xen_vcpu.c: silent mdb_xen_vcpu_at; out untouched when false. */
bool mdb_xen_vcpu_try(struct mdb_xen *xen, mdb_addr_t addr,
	struct mdb_xen_vcpu *vcpu_out);
/* The vCPUs of a domain whose struct domain is at addr: how many there may be,
 * and where the pointers to them are.  False: no domain. */
bool mdb_xen_domain_try(struct mdb_xen *xen, mdb_addr_t addr,
	struct mdb_xen_domain *domain_out);

/* xen_guest.c: where a vCPU of a domain is, in the domain or in the
 * hypervisor; MDB_E_NOTFOUND with why not. */
enum mdb_status mdb_xen_vcpu_regs(struct mdb_ctx *cx, struct mdb_xen *xen,
	const struct mdb_xen_domain *domain, unsigned int vcpu,
	struct mdb_regs *regs_out);

/* xen_hvm.c: false: the vCPU is no hardware guest's, as far as is known. */
bool mdb_xen_hvm_try(struct mdb_ctx *cx, struct mdb_xen *xen, mdb_addr_t vcpu,
	mdb_addr_t domain, struct mdb_xen_hvm *hvm_out);
/* Of its own page tables; MDB_PAGING_NONE: it has not turned them on. */
enum mdb_paging mdb_xen_hvm_paging(const struct mdb_xen_hvm *hvm);
/* Puts what struct cpu_user_regs does not have of such a guest into regs. */
void mdb_xen_hvm_regs(const struct mdb_xen_hvm *hvm, struct mdb_regs *regs);

/* xen_panic.c */
int mdb_xen_panic_cpu(struct mdb_ctx *cx, struct mdb_world *world);
/*
 * The CPU that wrote the dump by its own word, whoever died: -1 where no dump
 * says so, or the world is no hypervisor.
 */
int mdb_xen_writer_cpu(const struct mdb_world *world);
const char *mdb_xen_panic_message(struct mdb_ctx *cx, struct mdb_xen *xen);

/* xen_facts.c */
const char *mdb_xen_fact(struct mdb_ctx *cx, struct mdb_world *world,
	const char *key);
void mdb_xen_facts_fini(struct mdb_xen *xen);

#endif
