/* SPDX-License-Identifier: MIT */
/*
 * Register notes to struct dfmt_cpu.  Knows the layouts of three notes:
 *
 * NT_PRSTATUS: struct elf_prstatus of Linux, arch/x86 (include/linux/
 * elfcore.h, arch/x86/include/uapi/asm/ptrace.h): 336 bytes on x86-64 with
 * the registers at 112, 144 bytes on i386 with the registers at 72.
 *
 * "QEMU" type 0: QEMUCPUState, version 1, target/i386/arch_dump.c of QEMU.
 *
 * "Xen" type 0x1000002: four 64-bit values cr0 cr2 cr3 cr4, XEN_ELFNOTE_CRASH_
 * REGS, xen/include/public/elfnote.h.
 */
#include "dfmt-bytes.h"
#include "dfmt-notes.h"

#include <string.h>

#define PRSTATUS64_LEN 336
#define PRSTATUS64_PID 32
#define PRSTATUS64_REGS 112
#define PRSTATUS32_LEN 144
#define PRSTATUS32_PID 24
#define PRSTATUS32_REGS 72

#define QEMU_MIN_LEN 432 /* without kernel_gs_base */
#define QEMU_KERNEL_GS 432
#define QEMU_SEGMENTS 152
#define QEMU_SEGMENT_LEN ((size_t)24)
#define QEMU_CR 392

static uint64_t
reg_64(const uint8_t *p, size_t i)
{
	return dfmt_le64(p + 8 * i);
}

static void
regs_64(const uint8_t *p, struct dfmt_cpu *cpu)
{
	uint64_t *const regs[] = { &cpu->r15, &cpu->r14, &cpu->r13, &cpu->r12,
		&cpu->rbp, &cpu->rbx, &cpu->r11, &cpu->r10, &cpu->r9, &cpu->r8,
		&cpu->rax, &cpu->rcx, &cpu->rdx, &cpu->rsi, &cpu->rdi,
		&cpu->orig_rax, &cpu->rip };

	for (size_t i = 0; i < sizeof(regs) / sizeof(regs[0]); i++)
		*regs[i] = reg_64(p, i);
	cpu->cs = (uint16_t)reg_64(p, 17);
	cpu->rflags = reg_64(p, 18);
	cpu->rsp = reg_64(p, 19);
	cpu->ss = (uint16_t)reg_64(p, 20);
	cpu->fs_base = reg_64(p, 21);
	cpu->gs_base = reg_64(p, 22);
	cpu->ds = (uint16_t)reg_64(p, 23);
	cpu->es = (uint16_t)reg_64(p, 24);
	cpu->fs = (uint16_t)reg_64(p, 25);
	cpu->gs = (uint16_t)reg_64(p, 26);
	cpu->has_bases = true;
}

static void
regs_32(const uint8_t *p, struct dfmt_cpu *cpu)
{
	cpu->rbx = dfmt_le32(p);
	cpu->rcx = dfmt_le32(p + 4);
	cpu->rdx = dfmt_le32(p + 8);
	cpu->rsi = dfmt_le32(p + 12);
	cpu->rdi = dfmt_le32(p + 16);
	cpu->rbp = dfmt_le32(p + 20);
	cpu->rax = dfmt_le32(p + 24);
	cpu->ds = dfmt_le16(p + 28);
	cpu->es = dfmt_le16(p + 32);
	cpu->fs = dfmt_le16(p + 36);
	cpu->gs = dfmt_le16(p + 40);
	cpu->orig_rax = dfmt_le32(p + 44);
	cpu->rip = dfmt_le32(p + 48);
	cpu->cs = dfmt_le16(p + 52);
	cpu->rflags = dfmt_le32(p + 56);
	cpu->rsp = dfmt_le32(p + 60);
	cpu->ss = dfmt_le16(p + 64);
}

enum dfmt_machine
dfmt_cpu_machine(size_t len)
{
	if (len == PRSTATUS64_LEN)
		return DFMT_MACHINE_X86_64;
	return len == PRSTATUS32_LEN ? DFMT_MACHINE_I386 : DFMT_MACHINE_UNKNOWN;
}

bool
dfmt_cpu_from_prstatus(const void *desc, size_t len, struct dfmt_cpu *cpu_out)
{
	const uint8_t *p = desc;
	struct dfmt_cpu cpu = { .has_regs = true };

	if (len == PRSTATUS64_LEN) {
		cpu.pid = dfmt_le32(p + PRSTATUS64_PID);
		regs_64(p + PRSTATUS64_REGS, &cpu);
	} else if (len == PRSTATUS32_LEN) {
		cpu.pid = dfmt_le32(p + PRSTATUS32_PID);
		regs_32(p + PRSTATUS32_REGS, &cpu);
	} else {
		return false;
	}
	*cpu_out = cpu;
	return true;
}

static void
qemu_regs(const uint8_t *p, struct dfmt_cpu *cpu)
{
	uint64_t *const regs[] = { &cpu->rax, &cpu->rbx, &cpu->rcx, &cpu->rdx,
		&cpu->rsi, &cpu->rdi, &cpu->rsp, &cpu->rbp, &cpu->r8, &cpu->r9,
		&cpu->r10, &cpu->r11, &cpu->r12, &cpu->r13, &cpu->r14,
		&cpu->r15, &cpu->rip, &cpu->rflags };

	for (size_t i = 0; i < sizeof(regs) / sizeof(regs[0]); i++)
		*regs[i] = reg_64(p, i);
}

/* Segments in the note's order: cs ds es fs gs ss ldt tr gdt idt. */
static void
qemu_segments(const uint8_t *p, struct dfmt_cpu *cpu)
{
	uint16_t *const selectors[] = { &cpu->cs, &cpu->ds, &cpu->es, &cpu->fs,
		&cpu->gs, &cpu->ss };

	for (size_t i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++)
		*selectors[i] = dfmt_le16(p + i * QEMU_SEGMENT_LEN);
	cpu->fs_base = dfmt_le64(p + 3 * QEMU_SEGMENT_LEN + 16);
	cpu->gs_base = dfmt_le64(p + 4 * QEMU_SEGMENT_LEN + 16);
}

bool
dfmt_cpu_add_qemu(const void *desc, size_t len, struct dfmt_cpu *cpu)
{
	const uint8_t *p = desc;

	if (len < QEMU_MIN_LEN || dfmt_le32(p) != 1 || dfmt_le32(p + 4) > len ||
		dfmt_le32(p + 4) < QEMU_MIN_LEN)
		return false;
	qemu_regs(p + 8, cpu);
	qemu_segments(p + QEMU_SEGMENTS, cpu);
	cpu->cr0 = dfmt_le64(p + QEMU_CR);
	cpu->cr2 = dfmt_le64(p + QEMU_CR + 16);
	cpu->cr3 = dfmt_le64(p + QEMU_CR + 24);
	cpu->cr4 = dfmt_le64(p + QEMU_CR + 32);
	cpu->has_regs = cpu->has_cr = cpu->has_bases = true;
	if (dfmt_le32(p + 4) >= QEMU_KERNEL_GS + 8) {
		cpu->kernel_gs_base = dfmt_le64(p + QEMU_KERNEL_GS);
		cpu->has_kernel_gs = true;
	}
	return true;
}

bool
dfmt_cpu_add_xen(const void *desc, size_t len, struct dfmt_cpu *cpu)
{
	const uint8_t *p = desc;

	if (len != 32)
		return false;
	cpu->cr0 = dfmt_le64(p);
	cpu->cr2 = dfmt_le64(p + 8);
	cpu->cr3 = dfmt_le64(p + 16);
	cpu->cr4 = dfmt_le64(p + 24);
	cpu->has_cr = true;
	return true;
}
