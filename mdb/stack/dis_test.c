/* SPDX-License-Identifier: MIT */
/*
 * Tests of the disassembler.  With arguments this program is also the listing
 * that testdata/dis/compare.py holds against objdump:
 *
 *   dis_test BITS BASE FILE     reads "ADDRESS" lines (hexadecimal), and for
 *                               each prints "LENGTH<tab>TEXT" of the bytes at
 *                               ADDRESS - BASE of FILE
 *   dis_test bench BITS FILE    decodes FILE and prints the speed
 */
#include "mdb/stack/dis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static size_t
symbol(void *arg, uint64_t addr, char *buf, size_t len)
{
	(void)arg;
	if (addr < 0xffffffff81000000 || addr >= 0xffffffff81001000)
		return 0;
	if (addr == 0xffffffff81000000)
		return (size_t)snprintf(buf, len, "panic");
	return (size_t)snprintf(buf, len, "panic+0x%x",
		(unsigned int)(addr & 0xfff));
}

/* One line of a listing: the bytes in hexadecimal, and how they read. */
struct golden {
	unsigned int bits;
	const char *hex;
	const char *text;
};

static size_t
unhex(const char *hex, uint8_t *out)
{
	size_t n = 0;

	for (; hex[2 * n]; n++) {
		unsigned int byte;

		assert_int_equal(sscanf(hex + 2 * n, "%2x", &byte), 1);
		out[n] = (uint8_t)byte;
	}
	return n;
}

static void
check(const struct golden *g, size_t nr)
{
	for (size_t k = 0; k < nr; k++) {
		uint8_t bytes[32];
		size_t len = unhex(g[k].hex, bytes);
		struct mdb_insn in;
		char text[256];

		mdb_insn_decode(bytes, len, 0xffffffff81000100, g[k].bits, &in);
		mdb_insn_format(&in, symbol, NULL, text, sizeof(text));
		assert_string_equal(text, g[k].text);
		assert_int_equal(in.len, len);
	}
}

static struct mdb_insn
decode(const char *hex, unsigned int bits)
{
	uint8_t bytes[32];
	size_t len = unhex(hex, bytes);
	struct mdb_insn in;

	mdb_insn_decode(bytes, len, 0x1000, bits, &in);
	return in;
}

#define CHECK(table) check(table, sizeof(table) / sizeof(*(table)))

static void
test_dis_spells_integer_instructions(void **state)
{
	static const struct golden g[] = {
		{ 32, "89e5", "movl   %esp,%ebp" },
		{ 32, "55", "pushl  %ebp" },
		{ 32, "83ec30", "subl   $0x30,%esp" },
		{ 32, "83e4f0", "andl   $0xfffffff0,%esp" },
		{ 64, "55", "pushq  %rbp" },
		{ 64, "4889e5", "movq   %rsp,%rbp" },
		{ 64, "4883ec30", "subq   $0x30,%rsp" },
		{ 64, "4883e4f0", "andq   $0xfffffffffffffff0,%rsp" },
		{ 64, "c3", "ret" },
		{ 64, "c9", "leave" },
		{ 64, "90", "nop" },
		{ 64, "0f1f440000", "nopl   0x0(%rax,%rax)" },
		{ 64, "488b45f8", "movq   -0x8(%rbp),%rax" },
		{ 64, "488b85c8feffff", "movq   -0x138(%rbp),%rax" },
		{ 64, "65488b042528000000", "movq   %gs:0x28,%rax" },
		{ 64, "0fb6c0", "movzbl %al,%eax" },
		{ 64, "4863d0", "movslq %eax,%rdx" },
		{ 64, "480f44c3", "cmovq.e %rbx,%rax" },
		{ 64, "0f4ac3", "cmovl.pe %ebx,%eax" },
		{ 64, "f0480fb117", "lock cmpxchgq %rdx,(%rdi)" },
		{ 64, "f348ab", "repz stosq %rax,(%rdi)" },
		{ 64, "f3a4", "repz movsb (%rsi),(%rdi)" },
		{ 64, "f3c3", "repz ret" },
		{ 64, "cc", "int    $0x3" },
		{ 64, "cd80", "int    $0x80" },
		{ 64, "0f0b", "ud2" },
		{ 64, "4899", "cqtd" },
		{ 64, "4898", "cltq" },
		{ 64, "d1e0", "shll   $0x1,%eax" },
		{ 64, "48d3e0", "shlq   %cl,%rax" },
		{ 64, "ec", "inb    (%dx),%al" },
		{ 64, "ef", "outl   %eax,(%dx)" },
		{ 64, "0f94c0", "sete   %al" },
		{ 64, "0f20d8", "movq   %cr3,%rax" },
		{ 64, "8cd8", "movw   %ds,%eax" },
		{ 64, "9c", "pushfq" },
		{ 64, "48cf", "iretq" },
		{ 64, "480f07", "sysretq" },
		{ 64, "48cb", "lretq" },
		{ 64, "f20f38f1c8", "crc32l %eax,%ecx" },
		{ 64, "c8100001", "enter  $0x10,$0x1" },
		{ 64, "480fc9", "bswap  %rcx" },
		{ 64, "f3480fb8d8", "popcntq %rax,%rbx" },
		{ 16, "8b4604", "movw   0x4(%bp),%ax" },
		{ 32, "648b1500000000", "movl   %fs:0x0,%edx" },
		{ 32, "61", "popal" },
	};

	(void)state;
	CHECK(g);
}

static void
test_dis_writes_small_negative_immediates_with_their_bits(void **state)
{
	static const struct golden g[] = {
		{ 64, "83f8ff", "cmpl   $-0x1,%eax       <0xffffffff>" },
		{ 64, "4883c480",
			"addq   $-0x80,%rsp      "
			"<0xffffffffffffff80>" },
		{ 64, "48c7c0ffffffff",
			"movq   $-0x1,%rax       "
			"<0xffffffffffffffff>" },
		{ 64, "4883c8ff", "orq    $0xffffffffffffffff,%rax" },
		{ 64, "81fb00ffffff", "cmpl   $0xffffff00,%ebx" },
		{ 64, "3cff", "cmpb   $-0x1,%al        <0xff>" },
	};

	(void)state;
	CHECK(g);
}

static void
test_dis_names_targets(void **state)
{
	static const struct golden g[] = {
		{ 64, "e8fbfeffff", "call   -0x105   <panic>" },
		{ 64, "e8fb0f0000", "call   +0xffb   <0xffffffff81001100>" },
		{ 64, "74e1", "je     -0x1f    <panic+0xe3>" },
		{ 64, "eb10", "jmp    +0x10    <panic+0x112>" },
		{ 64, "e37b", "jrcxz  +0x7b    <panic+0x17d>" },
		{ 64, "488d3d34020000",
			"leaq   +0x234(%rip),%rdi        "
			"<panic+0x33b>" },
		{ 64, "48c7c700000081",
			"movq   $0xffffffff81000000,%rdi "
			"<panic>" },
		{ 64, "ff14c540000081",
			"call   *0xffffffff81000040(,%rax,8)     "
			"<panic+0x40>" },
		{ 64, "488b80c0000081",
			"movq   0xffffffff810000c0(%rax),%rax    "
			"<panic+0xc0>" },
		{ 64, "483d00f0ffff", "cmpq   $0xfffffffffffff000,%rax" },
		{ 64, "ffd0", "call   *%rax" },
		{ 64, "ff5008", "call   *0x8(%rax)" },
		{ 64, "ff2500000000", "jmp    *+0x0(%rip)      <panic+0x106>" },
		{ 64, "658b0425c0fb0100", "movl   %gs:0x1fbc0,%eax" },
		{ 64, "658b0500010000",
			"movl   %gs:+0x100(%rip),%eax    <panic+0x207>" },
	};

	(void)state;
	CHECK(g);
}

static void
test_dis_knows_what_the_library_does_not(void **state)
{
	static const struct golden g[] = {
		{ 64, "f30f09", "wbnoinvd" },
		{ 64, "0f09", "wbinvd" },
		{ 64, "f30f01d9", "vmgexit" },
		{ 64, "0f01d9", "vmmcall" },
		{ 64, "f20f01ca", "erets" },
		{ 64, "f30f01ca", "eretu" },
		{ 64, "0f01ca", "clac" },
		{ 64, "0f01c6", "wrmsrns" },
		{ 64, "f20f00f7", "lkgs   %di" },
		{ 64, "f2410f00f7", "lkgs   %r15w" },
		{ 64, "f20f007508", "lkgs   0x8(%rbp)" },
	};

	(void)state;
	CHECK(g);
	assert_int_equal(decode("f20f01ca", 64).kind, MDB_INSN_RET);
	assert_false(decode("f20f01ca", 64).has_sp_delta);
	assert_int_equal(decode("f20f01", 64).kind, MDB_INSN_INVALID);
	assert_true(decode("f20f01", 64).truncated);
	assert_true(decode("f20f0075", 64).truncated);
}

static void
test_dis_spells_vectors_and_x87(void **state)
{
	static const struct golden g[] = {
		{ 64, "0f28c1", "movaps %xmm1,%xmm0" },
		{ 64, "f20f1000", "movsd  (%rax),%xmm0" },
		{ 64, "a5", "movsl  (%rsi),(%rdi)" },
		{ 64, "0fc2c101", "cmpltps %xmm1,%xmm0" },
		{ 64, "c4e2f8f5cb", "bzhi   %rax,%rbx,%rcx" },
		{ 64, "f2480f2a00", "cvtsi2sdq (%rax),%xmm0" },
		{ 64, "62f1fd4b28ca", "vmovapd %zmm2,%zmm1{%k3}" },
		{ 64, "62f1fdcb28ca", "vmovapd %zmm2,%zmm1{%k3}{z}" },
		{ 64, "62f1ed5858c8", "vaddpd {ru-sae},%zmm0,%zmm2,%zmm1" },
		{ 64, "62f1ed585808", "vaddpd (%rax){1to8},%zmm2,%zmm1" },
		{ 32, "dec1", "faddp  %st,%st(1)" },
		{ 32, "dee1", "fsubp  %st,%st(1)" },
		{ 32, "d9c9", "fxch   %st(1)" },
		{ 32, "d900", "flds   (%eax)" },
		{ 32, "dd5d08", "fstpl  0x8(%ebp)" },
		{ 32, "df28", "fildll (%eax)" },
		{ 32, "dae9", "fucompp" },
	};

	(void)state;
	CHECK(g);
}

static void
test_dis_knows_the_stack_pointer(void **state)
{
	static const struct {
		unsigned int bits;
		const char *hex;
		enum mdb_insn_kind kind;
		bool known;
		int delta;
	} t[] = {
		{ 64, "55", MDB_INSN_PUSH, true, -8 },
		{ 64, "6a01", MDB_INSN_PUSH, true, -8 },
		{ 64, "9c", MDB_INSN_PUSH, true, -8 },
		{ 64, "6655", MDB_INSN_PUSH, true, -2 },
		{ 32, "60", MDB_INSN_PUSH, true, -32 },
		{ 64, "415f", MDB_INSN_POP, true, 8 },
		{ 64, "5c", MDB_INSN_SP_SET, false, 0 },
		{ 64, "4883ec30", MDB_INSN_SP_ADD, true, -0x30 },
		{ 64, "4881c480000000", MDB_INSN_SP_ADD, true, 0x80 },
		{ 64, "488d642420", MDB_INSN_SP_ADD, true, 0x20 },
		{ 64, "83ec30", MDB_INSN_SP_SET, false, 0 }, /* %esp */
		{ 64, "4883e4f0", MDB_INSN_SP_SET, false, 0 },
		{ 64, "4829c4", MDB_INSN_SP_SET, false, 0 },
		{ 64, "40b401", MDB_INSN_SP_SET, false, 0 }, /* %spl */
		{ 64, "b401", MDB_INSN_OTHER, true, 0 },     /* %ah */
		{ 64, "4887e0", MDB_INSN_SP_SET, false, 0 },
		{ 64, "c9", MDB_INSN_LEAVE, false, 0 },
		{ 64, "c8100000", MDB_INSN_ENTER, false, 0 },
		{ 64, "c3", MDB_INSN_RET, true, 8 },
		{ 64, "c21000", MDB_INSN_RET, true, 24 },
		{ 32, "c20400", MDB_INSN_RET, true, 8 },
		{ 64, "48cf", MDB_INSN_RET, false, 0 },
		{ 64, "48cb", MDB_INSN_RET, false, 0 },
		{ 64, "480f07", MDB_INSN_RET, false, 0 },
		{ 64, "e800000000", MDB_INSN_CALL, true, 0 },
		{ 64, "89c3", MDB_INSN_OTHER, true, 0 },
		{ 64, "0f0b", MDB_INSN_TRAP, false, 0 },
		{ 64, "4839e0", MDB_INSN_OTHER, true, 0 },
	};

	(void)state;
	for (size_t k = 0; k < sizeof(t) / sizeof(*t); k++) {
		struct mdb_insn in = decode(t[k].hex, t[k].bits);

		assert_int_equal(in.kind, t[k].kind);
		assert_int_equal(in.has_sp_delta, t[k].known);
		assert_int_equal(in.sp_delta, t[k].delta);
	}
}

static void
test_dis_knows_frame_registers(void **state)
{
	struct mdb_insn in;

	(void)state;
	in = decode("4889e5", 64);
	assert_int_equal(in.kind, MDB_INSN_FRAME);
	assert_int_equal(in.sp_off, 0);
	in = decode("488d6c2410", 64);
	assert_int_equal(in.kind, MDB_INSN_FRAME);
	assert_int_equal(in.sp_off, 0x10);
	in = decode("488d65d8", 64);
	assert_int_equal(in.kind, MDB_INSN_SP_SET);
	assert_int_equal(in.reg, 5);
	assert_int_equal(in.sp_off, -0x28);
	in = decode("c9", 64);
	assert_int_equal(in.reg, 5);
	assert_int_equal(in.sp_off, 8);
	in = decode("4157", 64);
	assert_int_equal(in.reg, 15);
	in = decode("ff30", 64);
	assert_int_equal(in.reg, MDB_INSN_NO_REG);
}

static void
test_dis_knows_targets_and_addresses(void **state)
{
	struct mdb_insn in;

	(void)state;
	in = decode("e8fbffffff", 64);
	assert_int_equal(in.kind, MDB_INSN_CALL);
	assert_true(in.has_target);
	assert_int_equal(in.target, 0x1000);
	in = decode("7ffe", 64);
	assert_int_equal(in.kind, MDB_INSN_BRANCH);
	assert_int_equal(in.target, 0x1000);
	in = decode("e2fe", 64);
	assert_int_equal(in.kind, MDB_INSN_BRANCH);
	in = decode("ffe0", 64);
	assert_int_equal(in.kind, MDB_INSN_JUMP);
	assert_false(in.has_target);
	in = decode("ff2510000000", 64);
	assert_int_equal(in.kind, MDB_INSN_JUMP);
	assert_false(in.has_target);
	assert_true(in.has_mem);
	assert_int_equal(in.mem, 0x1016);
	in = decode("65488b042528000000", 64);
	assert_false(in.has_mem);
	in = decode("a100100080", 32);
	assert_true(in.has_mem);
	assert_int_equal(in.mem, 0x80001000);
	in = decode("e9fbefffff", 32); /* wraps at 4 GiB */
	assert_int_equal(in.target, 0);
}

static void
test_dis_reads_no_further_than_given(void **state)
{
	static const uint8_t insn[] = { 0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8 };
	struct mdb_insn in;
	char text[32];

	(void)state;
	for (size_t nr = 0; nr < sizeof(insn); nr++) {
		uint8_t *copy = malloc(nr ? nr : 1);

		assert_non_null(copy);
		memcpy(copy, insn, nr);
		mdb_insn_decode(copy, nr, 0, 64, &in);
		free(copy);
		assert_int_equal(in.kind, MDB_INSN_INVALID);
		assert_int_equal(in.len, nr ? 1 : 0);
		assert_true(in.truncated);
		mdb_insn_format(&in, NULL, NULL, text, sizeof(text));
		assert_string_equal(text, nr ? ".byte  0x48" : "");
	}
	mdb_insn_decode(insn, sizeof(insn), 0, 64, &in);
	assert_int_equal(in.len, 10);
	in = decode("06ffffffff", 64); /* push %es is gone in 64 bits */
	assert_int_equal(in.kind, MDB_INSN_INVALID);
	assert_false(in.truncated);
}

static size_t
hostile_symbol(void *arg, uint64_t addr, char *buf, size_t len)
{
	(void)arg;
	(void)addr;
	memset(buf, 'x', len); /* without a final 0, and lies about it */
	return len * 4;
}

static void
test_dis_cuts_text_to_the_buffer(void **state)
{
	struct mdb_insn in = decode("e800000000", 64);
	char text[64];
	size_t full = mdb_insn_format(&in, NULL, NULL, text, sizeof(text));

	(void)state;
	assert_int_equal(full, strlen(text));
	for (size_t len = 0; len <= full; len++) {
		char cut[64];

		memset(cut, '~', sizeof(cut));
		assert_int_equal(mdb_insn_format(&in, NULL, NULL, cut, len),
			full);
		assert_int_equal(cut[len], '~');
		if (len) {
			assert_int_equal(cut[len - 1], '\0');
			assert_memory_equal(cut, text, len - 1);
		}
	}
	mdb_insn_format(&in, hostile_symbol, NULL, text, sizeof(text));
	assert_int_equal(strlen(text), sizeof(text) - 1);
}

/* ---- the listing for compare.py -------------------------------------- */

static uint8_t *
slurp(const char *path, size_t *len_out)
{
	FILE *f = fopen(path, "rb");
	uint8_t *buf = NULL;
	long len;

	if (f && fseek(f, 0, SEEK_END) == 0 && (len = ftell(f)) >= 0) {
		rewind(f);
		buf = malloc((size_t)len + 1);
		*len_out = buf ? fread(buf, 1, (size_t)len, f) : 0;
	}
	if (f)
		fclose(f);
	if (!buf)
		perror(path);
	return buf;
}

static int
list(unsigned int bits, uint64_t base, const char *path)
{
	size_t len = 0;
	uint8_t *text = slurp(path, &len);
	char line[64];

	if (!text)
		return 1;
	while (fgets(line, sizeof(line), stdin)) {
		uint64_t addr = strtoull(line, NULL, 16);
		char out[256] = "";
		struct mdb_insn in = { 0 };

		if (addr >= base && addr - base < len)
			mdb_insn_decode(text + (addr - base),
				len - (addr - base), addr, bits, &in);
		mdb_insn_format(&in, NULL, NULL, out, sizeof(out));
		printf("%u\t%s\n", in.len, out);
	}
	free(text);
	return 0;
}

static int
bench(unsigned int bits, const char *path)
{
	size_t len = 0;
	uint8_t *text = slurp(path, &len);
	struct timespec a, b, c;
	char out[256];
	size_t nr = 0, chars = 0;
	struct mdb_insn in;

	if (!text)
		return 1;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	for (size_t pos = 0; pos < len; pos += in.len, nr++)
		mdb_insn_decode(text + pos, len - pos, pos, bits, &in);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	for (size_t pos = 0; pos < len; pos += in.len) {
		mdb_insn_decode(text + pos, len - pos, pos, bits, &in);
		chars += mdb_insn_format(&in, NULL, NULL, out, sizeof(out));
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &c);
	double t1 = (double)(b.tv_sec - a.tv_sec) +
		    (double)(b.tv_nsec - a.tv_nsec) / 1e9;
	double t2 = (double)(c.tv_sec - b.tv_sec) +
		    (double)(c.tv_nsec - b.tv_nsec) / 1e9;
	printf("%zu instructions, %zu characters: decode %.2f M/s, "
	       "decode and format %.2f M/s\n",
		nr, chars, (double)nr / t1 / 1e6, (double)nr / t2 / 1e6);
	free(text);
	return 0;
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dis_spells_integer_instructions),
		cmocka_unit_test(
			test_dis_writes_small_negative_immediates_with_their_bits),
		cmocka_unit_test(test_dis_names_targets),
		cmocka_unit_test(test_dis_knows_what_the_library_does_not),
		cmocka_unit_test(test_dis_spells_vectors_and_x87),
		cmocka_unit_test(test_dis_knows_the_stack_pointer),
		cmocka_unit_test(test_dis_knows_frame_registers),
		cmocka_unit_test(test_dis_knows_targets_and_addresses),
		cmocka_unit_test(test_dis_reads_no_further_than_given),
		cmocka_unit_test(test_dis_cuts_text_to_the_buffer),
	};

	if (argc == 4 && strcmp(argv[1], "bench") == 0)
		return bench((unsigned int)strtoul(argv[2], NULL, 10), argv[3]);
	if (argc == 4)
		return list((unsigned int)strtoul(argv[1], NULL, 10),
			strtoull(argv[2], NULL, 16), argv[3]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
