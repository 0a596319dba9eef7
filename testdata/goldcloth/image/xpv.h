/* SPDX-License-Identifier: MIT */
/*
 * Structures of the hypervisor, 32 bits with PAE: the members that matter in a
 * dump, under their own names and in their own order.
 */
#ifndef GOLDCLOTH_XPV_H
#define GOLDCLOTH_XPV_H

#include "at.h"

#define MAX_VIRT_CPUS 32
#define NR_CPUS 32
#define NR_VIRQS 24
#define NR_EVTCHN_BUCKETS 8
#define NR_PIRQS 256
#define L3_ENTRIES 4
#define STACK_SIZE 0x2000

typedef uint16_t domid_t;
typedef int64_t s_time_t;
typedef uint16_t u16;
typedef uint64_t l3_pgentry_t;
typedef unsigned long pagetable_t;
typedef struct {
	volatile unsigned int slock;
} spinlock_t;
typedef struct {
	int counter;
} atomic_t;
typedef struct {
	unsigned long bits[1];
} cpumask_t;
typedef uint8_t xen_domain_handle_t[16];

struct list_head {
	struct list_head *next;
	struct list_head *prev;
};

struct timer {
	s_time_t expires;
	unsigned int cpu;
	void (*function)(void *);
	void *data;
	unsigned int heap_offset;
};

struct vcpu_runstate_info {
	int state;
	uint64_t state_entry_time;
	uint64_t time[4];
};

struct cpu_user_regs {
	uint32_t ebx;
	uint32_t ecx;
	uint32_t edx;
	uint32_t esi;
	uint32_t edi;
	uint32_t ebp;
	uint32_t eax;
	uint16_t error_code;
	uint16_t entry_vector;
	uint32_t eip;
	uint16_t cs;
	uint8_t saved_upcall_mask;
	uint8_t _pad0;
	uint32_t eflags;
	uint32_t esp;
	uint16_t ss, _pad1;
	uint16_t es, _pad2;
	uint16_t ds, _pad3;
	uint16_t fs, _pad4;
	uint16_t gs, _pad5;
};

/* At the top of each processor's stack. */
struct cpu_info {
	struct cpu_user_regs guest_cpu_user_regs;
	unsigned int processor_id;
	struct vcpu *current_vcpu;
};

struct trap_info {
	uint8_t vector;
	uint8_t flags;
	uint16_t cs;
	unsigned long address;
};

struct vcpu_guest_context {
	struct {
		char x[512];
	} __attribute__((aligned(16))) fpu_ctxt;
	unsigned long flags;
	struct cpu_user_regs user_regs;
	struct trap_info trap_ctxt[256];
	unsigned long ldt_base, ldt_ents;
	unsigned long gdt_frames[16], gdt_ents;
	unsigned long kernel_ss, kernel_sp;
	unsigned long ctrlreg[8];
	unsigned long debugreg[8];
	unsigned long event_callback_cs;
	unsigned long event_callback_eip;
	unsigned long failsafe_callback_cs;
	unsigned long failsafe_callback_eip;
	unsigned long vm_assist;
};

/* A copy of the guest's top table, which must lie below 4 GB. */
struct pae_l3_cache {
	l3_pgentry_t table[2][L3_ENTRIES] __attribute__((aligned(32)));
	unsigned long high_mfn;
	unsigned int inuse_idx;
	spinlock_t lock;
};

struct arch_vcpu {
	struct vcpu_guest_context guest_context;
	struct pae_l3_cache pae_l3_cache;
	unsigned long flags;
	void (*schedule_tail)(struct vcpu *);
	void (*ctxt_switch_from)(struct vcpu *);
	void (*ctxt_switch_to)(struct vcpu *);
	unsigned long iobmp;
	unsigned int iobmp_limit;
	unsigned int iopl;
	uint64_t *perdomain_ptes;
	pagetable_t guest_table_user;
	pagetable_t guest_table;
	pagetable_t shadow_table[4];
	pagetable_t monitor_table;
	unsigned long cr3;
};

struct vcpu {
	int vcpu_id;
	int processor;
	struct vcpu_info *vcpu_info;
	struct domain *domain;
	struct vcpu *next_in_list;
	struct timer timer;
	unsigned long sleep_tick;
	struct timer poll_timer;
	void *sched_priv;
	struct vcpu_runstate_info runstate;
	struct vcpu_runstate_info *runstate_guest;
	unsigned long vcpu_flags;
	spinlock_t pause_lock;
	unsigned int pause_count;
	u16 virq_to_evtchn[NR_VIRQS];
	cpumask_t cpu_affinity;
	unsigned long nmi_addr;
	cpumask_t vcpu_dirty_cpumask;
	struct arch_vcpu arch;
};

struct arch_domain {
	uint64_t *mm_perdomain_pt;
	unsigned long ioport_caps;
	int physaddr_bitsize;
	unsigned long max_pfn;
};

struct domain {
	domid_t domain_id;
	struct shared_info *shared_info;
	spinlock_t big_lock;
	spinlock_t page_alloc_lock;
	struct list_head page_list;
	struct list_head xenpage_list;
	unsigned int tot_pages;
	unsigned int max_pages;
	unsigned int xenheap_pages;
	int shutdown_code;
	void *sched_priv;
	struct domain *next_in_list;
	struct domain *next_in_hashbucket;
	struct list_head rangesets;
	spinlock_t rangesets_lock;
	struct evtchn *evtchn[NR_EVTCHN_BUCKETS];
	spinlock_t evtchn_lock;
	struct grant_table *grant_table;
	u16 pirq_to_evtchn[NR_PIRQS];
	unsigned long pirq_mask[NR_PIRQS / 32];
	struct rangeset *iomem_caps;
	struct rangeset *irq_caps;
	unsigned long domain_flags;
	char is_hvm;
	char is_privileged;
	spinlock_t pause_lock;
	unsigned int pause_count;
	unsigned long vm_assist;
	atomic_t refcnt;
	struct vcpu *vcpu[MAX_VIRT_CPUS];
	cpumask_t domain_dirty_cpumask;
	struct arch_domain arch;
	void *ssid;
	xen_domain_handle_t handle;
	struct xenoprof *xenoprof;
	int32_t time_offset_seconds;
};

/* ---- the panic --------------------------------------------------------- */

/* As the kernel's struct regs, in its order. */
struct panic_regs {
	unsigned long pr_savfp, pr_savpc;
	unsigned long pr_gs, pr_fs, pr_es, pr_ds;
	unsigned long pr_edi, pr_esi, pr_ebp, pr_esp;
	unsigned long pr_ebx, pr_edx, pr_ecx, pr_eax;
	unsigned long pr_trapno, pr_err, pr_eip, pr_cs;
	unsigned long pr_efl, pr_uesp, pr_ss;
};

struct panic_frame {
	unsigned long pf_fp;
	unsigned long pf_pc;
};

/* What a panicking hypervisor hands to its control domain. */
struct panic_info {
	int pi_version;
	struct panic_regs *pi_regs;
	void *pi_apic;
	char *pi_panicstr;
	void *pi_ram_start;
	void *pi_ram_end;
	void *pi_xen_start;
	void *pi_xen_end;
	void *pi_stktop;
	struct domain *pi_domain;
	struct vcpu *pi_vcpu;
	int pi_dom0cpu;
};

#endif
