/* SPDX-License-Identifier: MIT */
/*
 * The four physical processors.  The panicking one's registers are those that
 * the hypervisor kept in its own memory; the others stand where its interrupt
 * stopped them.
 */
#include "machine_impl.h"

#include <string.h>

#define PANIC_CPU 2u
#define XEN_CS 0xe008
#define XEN_DS 0xe010
#define CR0 0x8005003bu
#define CR4 0x6f0u
#define STOPPED 0x33 /* behind the hlt of stop_this_cpu */

/* Of struct panic_regs, as words. */
enum {
	PR_GS = 2,
	PR_FS,
	PR_ES,
	PR_DS,
	PR_EDI,
	PR_ESI,
	PR_EBP,
	PR_ESP,
	PR_EBX,
	PR_EDX,
	PR_ECX,
	PR_EAX,
	PR_TRAPNO,
	PR_ERR,
	PR_EIP,
	PR_CS,
	PR_EFL,
	PR_UESP,
	PR_SS,
	NR_PR
};

/* Members of struct panic_info. */
#define PI_REGS 4
#define PI_PANICSTR 12

static uint32_t
word(const struct gold_machine *m, uint32_t addr)
{
	uint32_t v;

	if (!gold_read_virtual(m, m->worlds[0].cr3, addr, &v, sizeof(v)))
		gold_die("not mapped", "registers");
	return v;
}

static uint32_t
value_of(const struct gold_machine *m, const char *name)
{
	return gold_need(&m->worlds[0], name)->value;
}

static struct gold_cpu
panicked(const struct gold_machine *m)
{
	uint32_t info = value_of(m, "panic_info");
	uint32_t r[NR_PR];

	if (!gold_read_virtual(m, m->worlds[0].cr3, word(m, info + PI_REGS), r,
		    sizeof(r)))
		gold_die("not mapped", "panic_regs");
	return (struct gold_cpu){
		.id = PANIC_CPU,
		.has_segments = true,
		.eax = r[PR_EAX],
		.ebx = r[PR_EBX],
		.ecx = r[PR_ECX],
		.edx = r[PR_EDX],
		.esi = r[PR_ESI],
		.edi = r[PR_EDI],
		.ebp = r[PR_EBP],
		.esp = r[PR_ESP],
		.eip = r[PR_EIP],
		.eflags = r[PR_EFL],
		.cs = (uint16_t)r[PR_CS],
		.ss = (uint16_t)r[PR_SS],
		.ds = (uint16_t)r[PR_DS],
		.es = (uint16_t)r[PR_ES],
		.fs = (uint16_t)r[PR_FS],
		.gs = (uint16_t)r[PR_GS],
		.cr0 = CR0,
		.cr2 = 0xc5a08fd4,
		.cr4 = CR4,
	};
}

static struct gold_cpu
stopped(const struct gold_machine *m, uint32_t id, uint32_t ebp)
{
	return (struct gold_cpu){
		.id = id,
		.has_segments = true,
		.ebp = ebp,
		.esp = ebp - 12,
		.eip = value_of(m, "stop_this_cpu") + STOPPED,
		.eflags = 0x46,
		.cs = XEN_CS,
		.ss = XEN_DS,
		.ds = XEN_DS,
		.es = XEN_DS,
		.cr0 = CR0,
		.cr4 = CR4,
	};
}

/* Its vcpu is named at the top of its stack; what that runs, in its struct. */
static void
find_vcpu(const struct gold_machine *m, struct gold_cpu *c)
{
	uint32_t top = (c->esp & ~0x1fffu) + 0x2000;
	uint32_t domain;

	c->vcpu = word(m, top - 4);
	c->vcpu_id = (int32_t)word(m, c->vcpu);
	domain = word(m, c->vcpu + 12);
	c->domain_id = (int16_t)word(m, domain);
	if (c->domain_id == 0x7fff)
		c->domain_id = -1;
	c->cr3 = (c->vcpu - XEN_DIRECT) + 0xc00;
	/* The idle one keeps the tables of who ran before. */
	if (c->domain_id < 0)
		c->cr3 = 0x00be5d00;
}

void
gold_fill_cpus(struct gold_machine *m)
{
	uint32_t info = value_of(m, "panic_info");

	m->cpus[0] = stopped(m, 0, 0xffbfdf90);
	m->cpus[1] = stopped(m, 1, 0xffbf7f90);
	m->cpus[2] = panicked(m);
	m->cpus[3] = stopped(m, 3, 0xffbedf3c);
	for (uint32_t i = 0; i < GOLD_NR_CPUS; i++)
		find_vcpu(m, &m->cpus[i]);
	/* A message ends within its buffer, which was zeroed. */
	if (!gold_read_virtual(m, m->worlds[0].cr3, word(m, info + PI_PANICSTR),
		    m->message, sizeof(m->message) - 1))
		gold_die("not mapped", "panicstr");
}

const struct gold_cpu *
gold_cpus(const struct gold_machine *m, size_t *nr_out)
{
	*nr_out = GOLD_NR_CPUS;
	return m->cpus;
}

uint32_t
gold_panic_cpu(const struct gold_machine *m)
{
	(void)m;
	return PANIC_CPU;
}

const char *
gold_panic_message(const struct gold_machine *m)
{
	return m->message;
}
