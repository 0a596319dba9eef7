/* SPDX-License-Identifier: MIT */
/*
 * Notes and the registers in them: NT_PRSTATUS of Linux for x86-64 and i386,
 * QEMU's CPU note, Xen's register note.
 */
#include "mkdump.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
mk_note_add(struct mk *m, const char *name, uint32_t type,
	const struct mk_bytes *desc)
{
	struct mk_bytes *n = &m->notes;
	size_t name_len = strlen(name) + 1;

	mk_bytes_int(n, name_len, 4);
	mk_bytes_int(n, desc->len, 4);
	mk_bytes_int(n, type, 4);
	mk_bytes_add(n, name, name_len);
	mk_bytes_zero(n, -name_len % 4);
	if (!strcmp(name, "VMCOREINFO")) {
		m->info_offset = n->len;
		m->info_len = desc->len;
		m->has_info = true;
	}
	mk_bytes_add(n, desc->p, desc->len);
	mk_bytes_zero(n, -desc->len % 4);
}

/* The option `name=`, or its 32-bit name, or 0. */
static uint64_t
reg(struct mk *m, const struct mk_token *t, size_t nr, const char *name)
{
	const char *v = mk_option(t, nr, name);
	char *low = mk_dup(name, strlen(name));

	if (low[0] == 'r')
		low[0] = 'e';
	if (!v)
		v = mk_option(t, nr, low);
	if (!v && !strncmp(name, "orig_", 5))
		v = mk_option(t, nr, "orig_eax");
	free(low);
	return v ? mk_expr(m, v) : 0;
}

static void
regs(struct mk *m, const struct mk_token *t, size_t nr, struct mk_bytes *out,
	const char *names, unsigned int size)
{
	char name[16];

	while (*names) {
		size_t len = strcspn(names, " ");

		memcpy(name, names, len);
		name[len] = 0;
		mk_bytes_int(out, reg(m, t, nr, name), size);
		names += len + (names[len] == ' ');
	}
}

static void
prstatus(struct mk *m, const struct mk_token *t, size_t nr)
{
	struct mk_bytes b = { 0 };

	mk_bytes_zero(&b, m->is_i386 ? 24 : 32);
	mk_bytes_int(&b, reg(m, t, nr, "pid"), 4);
	mk_bytes_zero(&b, m->is_i386 ? 44 : 76);
	if (m->is_i386)
		regs(m, t, nr, &b,
			"rbx rcx rdx rsi rdi rbp rax ds es fs gs orig_rax rip "
			"cs rflags rsp ss",
			4);
	else
		regs(m, t, nr, &b,
			"r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi "
			"rdi orig_rax rip cs rflags rsp ss fs_base gs_base ds "
			"es fs gs",
			8);
	mk_bytes_zero(&b, m->is_i386 ? 4 : 8);
	mk_note_add(m, "CORE", 1, &b);
	free(b.p);
}

static void
qemu_segment(struct mk *m, const struct mk_token *t, size_t nr,
	struct mk_bytes *b, const char *name)
{
	char base[16];

	(void)snprintf(base, sizeof(base), "%s_base", name);
	mk_bytes_int(b, reg(m, t, nr, name), 4);
	mk_bytes_int(b, 0xffffffff, 4);
	mk_bytes_int(b, 0, 8);
	mk_bytes_int(b, reg(m, t, nr, base), 8);
}

static void
qemu_cpu(struct mk *m, const struct mk_token *t, size_t nr)
{
	static const char *const segments[] = { "cs", "ds", "es", "fs", "gs",
		"ss", "ldt", "tr", "gdt", "idt" };
	struct mk_bytes b = { 0 };

	mk_bytes_int(&b, 1, 4);
	mk_bytes_int(&b, 440, 4);
	regs(m, t, nr, &b,
		"rax rbx rcx rdx rsi rdi rsp rbp r8 r9 r10 r11 r12 r13 r14 r15 "
		"rip rflags",
		8);
	for (size_t i = 0; i < sizeof(segments) / sizeof(segments[0]); i++)
		qemu_segment(m, t, nr, &b, segments[i]);
	regs(m, t, nr, &b, "cr0 cr1 cr2 cr3 cr4 kernel_gs_base", 8);
	mk_note_add(m, "QEMU", 0, &b);
	free(b.p);
}

static void
xen_regs(struct mk *m, const struct mk_token *t, size_t nr)
{
	struct mk_bytes b = { 0 };

	regs(m, t, nr, &b, "cr0 cr2 cr3 cr4", 8);
	mk_note_add(m, "Xen", 0x1000002, &b);
	free(b.p);
}

bool
mk_cpu(struct mk *m, const struct mk_token *t, size_t nr)
{
	if (!strcmp(t[0].text, "prstatus"))
		prstatus(m, t, nr);
	else if (!strcmp(t[0].text, "qemu_cpu"))
		qemu_cpu(m, t, nr);
	else if (!strcmp(t[0].text, "xen_regs"))
		xen_regs(m, t, nr);
	else
		return false;
	return true;
}
