/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's variables: its domains and their vcpus, each processor's
 * idle vcpu, and what its panic hands on.
 */
#include "xpv.h"

#define DATA __attribute__((section("xpv.data"), used))
#define RODATA __attribute__((section("xpv.rodata"), used))

#define DIRECT(machine) ((void *)(0xff000000 + (machine)))

#define RUNSTATE_running 0
#define RUNSTATE_blocked 2
#define _VCPUF_initialised 1
#define KERNEL_CS 0x159
#define KERNEL_SS 0x161

static struct domain domain0, domain1, idle_domain;
static struct vcpu d0v0, d0v1, d0v2, d0v3, d1v0, idle0, idle1, idle2, idle3;

/* ---- vcpus ------------------------------------------------------------- */

#define VCPU(id, cpu, dom, next, st, table, ...)                        \
	{                                                               \
		.vcpu_id = (id), .processor = (cpu), .domain = (dom), \
		.next_in_list = (next), .vcpu_flags = _VCPUF_initialised, \
		.runstate = { .state = (st), \
			.state_entry_time = 3619042772104ULL, \
			.time = { 31904122806ULL, 77140221ULL, \
				3587060722077ULL } }, \
		.cpu_affinity = { { 0xf } }, \
		.vcpu_dirty_cpumask = { { (st) ? 0 : 1u << (cpu) } }, \
		.vcpu_info = DIRECT(0xbd8000 + 0x40 * (id)), \
		.arch = { .guest_context = { \
				  .user_regs = { __VA_ARGS__ }, \
				  .kernel_ss = KERNEL_SS, \
				  .event_callback_cs = KERNEL_CS, \
				  .failsafe_callback_cs = KERNEL_CS, \
			  }, \
			.pae_l3_cache = { .inuse_idx = 1 }, \
			.flags = 2, .guest_table = (table), \
			.cr3 = (table) } \
	}

/* The session's vcpu; its page's last quarter holds the top page table. */
AT(0xffbe1100)
static struct vcpu d0v0 =
	VCPU(0, 2, &domain0, &d0v1, RUNSTATE_running, 0x00be1d00, 0);
AT(0xffbe9100)
static struct vcpu d0v1 =
	VCPU(1, 0, &domain0, &d0v2, RUNSTATE_running, 0x00be9d00, 0);
AT(0xffbe7100)
static struct vcpu d0v2 =
	VCPU(2, 1, &domain0, &d0v3, RUNSTATE_running, 0x00be7d00, 0);
AT(0xffbe5100)
static struct vcpu d0v3 = VCPU(3, 3, &domain0, 0, RUNSTATE_blocked, 0x00be5d00,
	/* In hypercall 29, sched_op, of its idle thread. */
	.eip = 0xf4c903a7, .ebp = 0xc5afdd78, .esp = 0xc5afdd50, .eax = 0,
	.ebx = 1, .eflags = 0x1246, .cs = KERNEL_CS, .ss = KERNEL_SS,
	.ds = KERNEL_SS, .es = KERNEL_SS);
AT(0xffbd1100)
static struct vcpu d1v0 = VCPU(0, 3, &domain1, 0, RUNSTATE_blocked, 0x00bd1d00,
	.eip = 0xc01013a7, .ebp = 0xc0379fb8, .esp = 0xc0379f90,
	.eflags = 0x1246, .cs = 0x61, .ss = 0x69, .ds = 0x7b, .es = 0x7b);

_Static_assert(sizeof(struct cpu_info) == 0x4c, "top of the stack");
_Static_assert(__builtin_offsetof(struct vcpu, arch.pae_l3_cache.table[1]) ==
		       0xc00,
	"the top page table is in the vcpu's page");

#define IDLE(id)                      \
	VCPU(id, id, &idle_domain, 0, \
		(id) == 3 ? RUNSTATE_running : RUNSTATE_blocked, 0, 0)

AT(0xffbfa100) static struct vcpu idle0 = IDLE(0);
AT(0xffbf0100) static struct vcpu idle1 = IDLE(1);
AT(0xffbea100) static struct vcpu idle2 = IDLE(2);
AT(0xffbe3100) static struct vcpu idle3 = IDLE(3);

/* ---- domains ----------------------------------------------------------- */

AT(0xffbee080)
static struct domain domain0 = {
	.domain_id = 0,
	.shared_info = DIRECT(0xbd8000),
	.tot_pages = 0x1000,
	.max_pages = 0xffffffff,
	.xenheap_pages = 4,
	.next_in_list = &domain1,
	.domain_flags = 0,
	.is_privileged = 1,
	.refcnt = { 3 },
	.vcpu = { &d0v0, &d0v1, &d0v2, &d0v3 },
	.domain_dirty_cpumask = { { 0x7 } },
	.arch = { .max_pfn = 0x1000 },
};
AT(0xffbd3080)
static struct domain domain1 = {
	.domain_id = 1,
	.shared_info = DIRECT(0xbd0000),
	.tot_pages = 0x100,
	.max_pages = 0x100,
	.xenheap_pages = 2,
	.refcnt = { 1 },
	.vcpu = { &d1v0 },
	.arch = { .max_pfn = 0x100 },
};
AT(0xffbfb080)
static struct domain idle_domain = {
	.domain_id = 0x7fff,
	.vcpu = { &idle0, &idle1, &idle2, &idle3 },
};

DATA struct domain *dom0 = &domain0;
DATA struct domain *domain_list = &domain0;
DATA struct vcpu *idle_vcpu[NR_CPUS] = { &idle0, &idle1, &idle2, &idle3 };

/* ---- versions ---------------------------------------------------------- */

RODATA const char xen_version[] = "3.0.4-1-sun";
RODATA const char xen_changeset[] =
	"Fri Jan 05 16:11:49 2007 +0000 13187:e2466414acc3";
RODATA const char xen_compiler[] =
	"gcc version 3.4.3 (csl-sol210-3_4-20050802)";
RODATA const char xen_compile_date[] = "Mon Apr  2 06:59:37 PDT 2007";
RODATA const char xen_compile_by[] = "xen-discuss";
RODATA const char xen_caps[] = "xen-3.0-x86_32p";

DATA unsigned int opt_noreboot;
DATA unsigned long max_page = 0x3000;
DATA unsigned long xenheap_phys_end = 0xc00000;
DATA cpumask_t cpu_online_map = { { 0xf } };
DATA char saved_command_line[1024] = "/boot/xen.gz console=com1 com1=9600,8n1";

/* What went to the console since boot; the machine's loader fills it. */
DATA char conring[16384];
DATA unsigned int conringc;
DATA unsigned int conringp;

/* ---- the panic --------------------------------------------------------- */

__attribute__((section("xpv.panic_format"), used)) const char panic_format[] =
	"Domain 0 crashed: ";

/* The control domain was told this address. */
AT(0xff1bff00)
struct panic_info panic_info = {
	.pi_version = 1,
	.pi_regs = P(struct panic_regs, 0xffbf3ea0),
	.pi_apic = P(void, 0xffff8000),
	.pi_panicstr = (char *)panic_format,
	.pi_ram_start = P(void, 0xff000000),
	.pi_ram_end = P(void, 0xffc00000),
	.pi_xen_start = P(void, 0xff100000),
	.pi_xen_end = P(void, 0xffc00000),
	.pi_stktop = P(void, 0xffbf4000),
	.pi_domain = &domain0,
	.pi_vcpu = &d0v0,
	.pi_dom0cpu = 0,
};

/* Below the stack's top while the panic runs. */
AT(0xffbf3ea0)
static struct panic_regs panic_regs = {
	.pr_savfp = 0xffbf3f38,
	.pr_savpc = 0xff13b83f,
	.pr_gs = 0x161,
	.pr_es = 0xe010,
	.pr_ds = 0xe010,
	.pr_edi = 0xf4b63000,
	.pr_esi = 0xff192f62,
	.pr_ebp = 0xffbf3f38,
	.pr_esp = 0xffbf3f1c,
	.pr_ebx = 0xffbf3f44,
	.pr_edx = 3,
	.pr_ecx = 0x1efc,
	.pr_eax = 3,
	.pr_eip = 0xff13b83f,
	.pr_cs = 0xe008,
	.pr_efl = 0x282,
	.pr_uesp = 0xffbf3fe0,
	.pr_ss = 0xe010,
};
