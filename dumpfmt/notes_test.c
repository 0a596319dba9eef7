/* SPDX-License-Identifier: MIT */
/* Notes and registers, from bytes laid out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dfmt-notes.h"

#include <stdlib.h>
#include <string.h>

static void
put(uint8_t *p, uint64_t v, size_t size)
{
	for (size_t i = 0; i < size; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

/* Offsets of struct elf_prstatus on x86-64. */
static void
test_notes_prstatus_64_has_its_registers(void **state)
{
	uint8_t p[336] = { 0 };
	struct dfmt_cpu cpu;

	(void)state;
	put(p + 32, 4711, 4);
	for (size_t i = 0; i < 27; i++)
		put(p + 112 + 8 * i, 0x100 + i, 8);
	assert_true(dfmt_cpu_from_prstatus(p, sizeof(p), &cpu));
	assert_true(cpu.has_regs && cpu.has_bases);
	assert_false(cpu.has_cr || cpu.has_kernel_gs);
	assert_int_equal(cpu.pid, 4711);
	assert_int_equal(cpu.r15, 0x100);
	assert_int_equal(cpu.rbp, 0x104);
	assert_int_equal(cpu.rbx, 0x105);
	assert_int_equal(cpu.r8, 0x109);
	assert_int_equal(cpu.rax, 0x10a);
	assert_int_equal(cpu.rdi, 0x10e);
	assert_int_equal(cpu.orig_rax, 0x10f);
	assert_int_equal(cpu.rip, 0x110);
	assert_int_equal(cpu.cs, 0x111);
	assert_int_equal(cpu.rflags, 0x112);
	assert_int_equal(cpu.rsp, 0x113);
	assert_int_equal(cpu.ss, 0x114);
	assert_int_equal(cpu.fs_base, 0x115);
	assert_int_equal(cpu.gs_base, 0x116);
	assert_int_equal(cpu.ds, 0x117);
	assert_int_equal(cpu.gs, 0x11a);
	assert_false(dfmt_cpu_from_prstatus(p, sizeof(p) - 1, &cpu));
}

static void
test_notes_prstatus_32_is_zero_extended(void **state)
{
	uint8_t p[144] = { 0 };
	struct dfmt_cpu cpu;

	(void)state;
	put(p + 24, 12, 4);
	for (size_t i = 0; i < 17; i++)
		put(p + 72 + 4 * i, 0xc0000000 + i, 4);
	assert_true(dfmt_cpu_from_prstatus(p, sizeof(p), &cpu));
	assert_true(cpu.has_regs && !cpu.has_bases);
	assert_int_equal(cpu.pid, 12);
	assert_int_equal(cpu.rbx, 0xc0000000);
	assert_int_equal(cpu.rbp, 0xc0000005);
	assert_int_equal(cpu.rax, 0xc0000006);
	assert_int_equal(cpu.gs, 10);
	assert_int_equal(cpu.orig_rax, 0xc000000b);
	assert_int_equal(cpu.rip, 0xc000000c);
	assert_int_equal(cpu.cs, 13);
	assert_int_equal(cpu.rflags, 0xc000000e);
	assert_int_equal(cpu.rsp, 0xc000000f);
	assert_int_equal(cpu.ss, 16);
}

static void
test_notes_qemu_has_control_registers_and_bases(void **state)
{
	uint8_t p[440] = { 0 };
	struct dfmt_cpu cpu = { .pid = 3 };

	(void)state;
	put(p, 1, 4);
	put(p + 4, 440, 4);
	for (size_t i = 0; i < 18; i++)
		put(p + 8 + 8 * i, 0x200 + i, 8);
	for (size_t i = 0; i < 10; i++) {
		put(p + 152 + 24 * i, 0x10 + i, 4);
		put(p + 152 + 24 * i + 16, 0x300 + i, 8);
	}
	for (size_t i = 0; i < 6; i++)
		put(p + 392 + 8 * i, 0x400 + i, 8);
	assert_true(dfmt_cpu_add_qemu(p, sizeof(p), &cpu));
	assert_true(cpu.has_regs && cpu.has_cr && cpu.has_bases &&
		    cpu.has_kernel_gs);
	assert_int_equal(cpu.pid, 3);
	assert_int_equal(cpu.rax, 0x200);
	assert_int_equal(cpu.rsp, 0x206);
	assert_int_equal(cpu.rbp, 0x207);
	assert_int_equal(cpu.rip, 0x210);
	assert_int_equal(cpu.rflags, 0x211);
	assert_int_equal(cpu.cs, 0x10);
	assert_int_equal(cpu.ss, 0x15);
	assert_int_equal(cpu.fs_base, 0x303);
	assert_int_equal(cpu.gs_base, 0x304);
	assert_int_equal(cpu.cr0, 0x400);
	assert_int_equal(cpu.cr2, 0x402);
	assert_int_equal(cpu.cr3, 0x403);
	assert_int_equal(cpu.cr4, 0x404);
	assert_int_equal(cpu.kernel_gs_base, 0x405);
	/* The older note ends before kernel_gs_base. */
	put(p + 4, 432, 4);
	memset(&cpu, 0, sizeof(cpu));
	assert_true(dfmt_cpu_add_qemu(p, 432, &cpu));
	assert_true(cpu.has_cr && !cpu.has_kernel_gs);
	assert_false(dfmt_cpu_add_qemu(p, 431, &cpu));
	put(p, 2, 4);
	assert_false(dfmt_cpu_add_qemu(p, sizeof(p), &cpu));
}

/* ---- lists -------------------------------------------------------------- */

struct list {
	uint8_t bytes[8192];
	size_t len;
};

static void
note(struct list *l, const char *name, uint32_t type, const void *desc,
	size_t len)
{
	uint8_t *p = l->bytes + l->len;
	size_t name_len = strlen(name) + 1;

	put(p, name_len, 4);
	put(p + 4, len, 4);
	put(p + 8, type, 4);
	memcpy(p + 12, name, name_len);
	memcpy(p + 12 + ((name_len + 3) & ~3u), desc, len);
	l->len += 12 + ((name_len + 3) & ~3u) + ((len + 3) & ~3u);
}

static struct dfmt_notes
parse(const struct list *l, size_t len)
{
	struct dfmt_notes notes = { 0 };
	struct dfmt_source *src;

	assert_int_equal(dfmt_source_open_memory(l->bytes, len, &src, NULL),
		DFMT_OK);
	assert_int_equal(dfmt_notes_add(&notes, src, 0, len, NULL), DFMT_OK);
	assert_int_equal(dfmt_notes_finish(&notes, NULL), DFMT_OK);
	dfmt_source_destroy(src);
	return notes;
}

static void
test_notes_go_to_their_cpus(void **state)
{
	uint8_t prstatus[336] = { 0 }, qemu[440] = { 0 }, xen[32] = { 0 };
	struct list l = { .len = 0 };

	(void)state;
	put(qemu, 1, 4);
	put(qemu + 4, 440, 4);
	/* Xen: a register note behind each status. */
	for (uint64_t i = 0; i < 3; i++) {
		put(prstatus + 32, i, 4);
		put(xen + 16, 0x1000 * (i + 1), 8);
		note(&l, "CORE", 1, prstatus, sizeof(prstatus));
		if (i != 1)
			note(&l, "Xen", 0x1000002, xen, sizeof(xen));
	}
	note(&l, "VMCOREINFO_XEN", 0, "X=1\n\0garbage", 12);
	struct dfmt_notes n = parse(&l, l.len);
	assert_int_equal(n.nr_cpus, 3);
	assert_int_equal(n.cpus[0].cr3, 0x1000);
	assert_false(n.cpus[1].has_cr);
	assert_int_equal(n.cpus[2].cr3, 0x3000);
	assert_string_equal(n.vmcoreinfo_xen, "X=1\n");
	assert_int_equal(n.vmcoreinfo_xen_len, 4);
	assert_null(n.vmcoreinfo);
	dfmt_notes_fini(&n);
	/* QEMU: all of the one, then all of the other. */
	l.len = 0;
	for (uint64_t i = 0; i < 2; i++)
		note(&l, "CORE", 1, prstatus, sizeof(prstatus));
	for (uint64_t i = 0; i < 2; i++) {
		put(qemu + 416, 0x5000 + i, 8);
		note(&l, "QEMU", 0, qemu, sizeof(qemu));
	}
	n = parse(&l, l.len);
	assert_int_equal(n.nr_cpus, 2);
	assert_int_equal(n.cpus[0].cr3, 0x5000);
	assert_int_equal(n.cpus[1].cr3, 0x5001);
	dfmt_notes_fini(&n);
}

/* However the list is cut: whole notes stand, the rest is known to be lost. */
static void
test_notes_cut_keep_what_is_whole(void **state)
{
	struct list l = { .len = 0 };
	size_t ends[3];

	(void)state;
	note(&l, "A", 1, "123", 3);
	ends[0] = l.len - 1; /* without the padding */
	note(&l, "LONGER", 2, "12345", 5);
	ends[1] = l.len - 3;
	note(&l, "C", 3, "", 0);
	ends[2] = l.len;
	for (size_t len = 0; len <= l.len; len++) {
		struct dfmt_notes n = parse(&l, len);
		size_t want =
			(len >= ends[0]) + (len >= ends[1]) + (len >= ends[2]);

		assert_int_equal(n.nr_notes, want);
		dfmt_notes_fini(&n);
	}
}

static void
test_notes_wild_lengths_end_the_list(void **state)
{
	static const uint32_t wild[] = { 0xffffffff, 0xfffffffd, 0x7fffffff,
		100 };
	struct list l = { .len = 0 };

	(void)state;
	note(&l, "GOOD", 1, "1234", 4);
	size_t second = l.len;
	note(&l, "BAD", 1, "1234", 4);
	for (size_t i = 0; i < 4; i++) {
		for (size_t field = 0; field < 8; field += 4) {
			struct list copy = l;

			put(copy.bytes + second + field, wild[i], 4);
			struct dfmt_notes n = parse(&copy, copy.len);
			assert_int_equal(n.nr_notes, 1);
			assert_true(n.cut);
			dfmt_notes_fini(&n);
		}
	}
	/* Zeros behind the last note are padding, not a cut. */
	struct dfmt_notes n = parse(&l, l.len + 100);
	assert_int_equal(n.nr_notes, 2);
	assert_false(n.cut);
	dfmt_notes_fini(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_notes_prstatus_64_has_its_registers),
		cmocka_unit_test(test_notes_prstatus_32_is_zero_extended),
		cmocka_unit_test(
			test_notes_qemu_has_control_registers_and_bases),
		cmocka_unit_test(test_notes_go_to_their_cpus),
		cmocka_unit_test(test_notes_cut_keep_what_is_whole),
		cmocka_unit_test(test_notes_wild_lengths_end_the_list),
	};

	return cmocka_run_group_tests_name("notes", tests, NULL, NULL);
}
