/* SPDX-License-Identifier: MIT */
/*
 * ELF notes of a dump.  Layouts as dumpfmt/cpus.c reads them: Linux's
 * elf_prstatus for both word sizes, and QEMU's QEMUCPUState, version 1, which
 * is where crash and drgn look for control registers.
 */
#include "cmd/common/notes.h"

#include <string.h>

#define NT_PRSTATUS 1u
#define PRSTATUS64_LEN 336u
#define PRSTATUS32_LEN 144u
#define QEMU_LEN 440u
#define QEMU_SEGMENT(i) (152u + 24u * (size_t)(i))

static void
put(uint8_t *p, uint64_t value, unsigned int len)
{
	for (unsigned int i = 0; i < len; i++)
		p[i] = (uint8_t)(value >> (8 * i));
}

void
cmd_note_add(struct mdb_buf *b, const char *name, uint32_t type,
	const void *desc, size_t desc_len)
{
	size_t name_len = strlen(name) + 1;
	uint8_t head[12];

	put(head, name_len, 4);
	put(head + 4, desc_len, 4);
	put(head + 8, type, 4);
	mdb_buf_add(b, head, sizeof(head));
	mdb_buf_add(b, name, name_len);
	mdb_buf_pad(b, '\0', -name_len & 3);
	mdb_buf_add(b, desc, desc_len);
	mdb_buf_pad(b, '\0', -desc_len & 3);
}

void
cmd_notes_copy(const struct dfmt *d, struct mdb_buf *b)
{
	for (size_t i = 0; i < dfmt_nr_notes(d); i++) {
		struct dfmt_note note = dfmt_note_at(d, i);

		cmd_note_add(b, note.name, note.type, note.desc, note.desc_len);
	}
}

/* ---- NT_PRSTATUS ---------------------------------------------------------
 */

static void
prstatus_64(const struct dfmt_cpu *c, uint8_t *p)
{
	const uint64_t regs[] = { c->r15, c->r14, c->r13, c->r12, c->rbp,
		c->rbx, c->r11, c->r10, c->r9, c->r8, c->rax, c->rcx, c->rdx,
		c->rsi, c->rdi, c->orig_rax, c->rip, c->cs, c->rflags, c->rsp,
		c->ss, c->fs_base, c->gs_base, c->ds, c->es, c->fs, c->gs };

	put(p + 32, c->pid, 4);
	for (size_t i = 0; i < sizeof(regs) / sizeof(regs[0]); i++)
		put(p + 112 + 8 * i, regs[i], 8);
	put(p + 328, 1, 4); /* pr_fpvalid: of no meaning here */
}

static void
prstatus_32(const struct dfmt_cpu *c, uint8_t *p)
{
	const uint64_t regs[] = { c->rbx, c->rcx, c->rdx, c->rsi, c->rdi,
		c->rbp, c->rax, c->ds, c->es, c->fs, c->gs, c->orig_rax, c->rip,
		c->cs, c->rflags, c->rsp, c->ss };

	put(p + 24, c->pid, 4);
	for (size_t i = 0; i < sizeof(regs) / sizeof(regs[0]); i++)
		put(p + 72 + 4 * i, regs[i], 4);
}

static void
add_prstatus(struct mdb_buf *b, const struct dfmt_cpu *cpu, bool is_32)
{
	uint8_t desc[PRSTATUS64_LEN] = { 0 };

	if (is_32)
		prstatus_32(cpu, desc);
	else
		prstatus_64(cpu, desc);
	cmd_note_add(b, "CORE", NT_PRSTATUS, desc,
		is_32 ? PRSTATUS32_LEN : PRSTATUS64_LEN);
}

/* ---- QEMU's --------------------------------------------------------------
 */

static void
add_qemu(struct mdb_buf *b, const struct dfmt_cpu *c)
{
	const uint64_t regs[] = { c->rax, c->rbx, c->rcx, c->rdx, c->rsi,
		c->rdi, c->rsp, c->rbp, c->r8, c->r9, c->r10, c->r11, c->r12,
		c->r13, c->r14, c->r15, c->rip, c->rflags };
	const uint16_t selectors[] = { c->cs, c->ds, c->es, c->fs, c->gs,
		c->ss };
	uint8_t desc[QEMU_LEN] = { 0 };

	put(desc, 1, 4);
	put(desc + 4, QEMU_LEN, 4);
	for (size_t i = 0; i < sizeof(regs) / sizeof(regs[0]); i++)
		put(desc + 8 + 8 * i, regs[i], 8);
	for (size_t i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++)
		put(desc + QEMU_SEGMENT(i), selectors[i], 4);
	put(desc + QEMU_SEGMENT(3) + 16, c->fs_base, 8);
	put(desc + QEMU_SEGMENT(4) + 16, c->gs_base, 8);
	put(desc + 392, c->cr0, 8);
	put(desc + 408, c->cr2, 8);
	put(desc + 416, c->cr3, 8);
	put(desc + 424, c->cr4, 8);
	put(desc + 432, c->kernel_gs_base, 8);
	cmd_note_add(b, "QEMU", 0, desc, QEMU_LEN);
}

void
cmd_notes_make(const struct dfmt *d, struct mdb_buf *b)
{
	bool all_cr = dfmt_nr_cpus(d) > 0;
	struct dfmt_info info;

	dfmt_info_get(d, &info);
	for (size_t i = 0; i < dfmt_nr_cpus(d); i++) {
		struct dfmt_cpu cpu = dfmt_cpu_at(d, i);

		add_prstatus(b, &cpu, info.machine == DFMT_MACHINE_I386);
		all_cr = all_cr && cpu.has_cr;
	}
	/* The i-th belongs to the i-th NT_PRSTATUS: for all or for none. */
	for (size_t i = 0; all_cr && i < dfmt_nr_cpus(d); i++) {
		struct dfmt_cpu cpu = dfmt_cpu_at(d, i);

		add_qemu(b, &cpu);
	}
}
