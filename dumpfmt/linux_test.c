/* SPDX-License-Identifier: MIT */
/* What VMCOREINFO texts say, and what frames of a made kernel hold. */
#include "linux_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define ANON 0xffff888003456781u
#define FILE_MAPPING 0xffff888003456780u

static struct linux_machine machine;
static struct dfmt_linux kernel;

static char text[DFMT_LINUX_TEXT_MAX + 64];
static size_t text_len;

static void
boot(const char *name)
{
	text_len = lm_text(name, text);
	memset(&kernel, 0, sizeof(kernel));
	assert_null(dfmt_linux_parse(text, text_len, &kernel.info));
	lm_make(&machine, &kernel);
	assert_null(dfmt_linux_start(&kernel, machine.root));
}

static enum dfmt_linux_kind
kind_of_pfn(uint64_t pfn)
{
	return dfmt_linux_kind(&kernel, LM_PFN(pfn));
}

static void
set_flag(uint64_t pfn, unsigned int fact)
{
	uint64_t v;

	memcpy(&v, lm_field(&machine, &kernel, pfn, DFMT_LX_FLAGS), sizeof(v));
	lm_set64(&machine, &kernel, pfn, DFMT_LX_FLAGS,
		v | 1ull << kernel.info.value[fact]);
}

static void
set64(uint64_t pfn, unsigned int fact, uint64_t v)
{
	lm_set64(&machine, &kernel, pfn, fact, v);
}

static void
set32(uint64_t pfn, unsigned int fact, int32_t v)
{
	lm_set32(&machine, &kernel, pfn, fact, v);
}

static uint64_t
va_of(uint64_t pfn)
{
	return LM_VMEMMAP + pfn * 64;
}

/* ---- the text ------------------------------------------------------------ */

static void
test_parse_real_texts(void **state)
{
	struct dfmt_linux_info info;

	(void)state;
	assert_null(dfmt_linux_parse(text, lm_text("linux-6.1", text), &info));
	assert_string_equal(info.release, "6.1.0-56-amd64");
	assert_int_equal(info.value[DFMT_LX_PAGE_LEN], 64);
	assert_int_equal(info.value[DFMT_LX_MAPPING], 24);
	assert_int_equal((int64_t)info.value[DFMT_LX_BUDDY], -129);
	assert_int_equal(info.value[DFMT_LX_SECTIONS], 0xffff888013f54000u);
	assert_int_equal(info.value[DFMT_LX_ROOT], 0xffffffff82a10000u);
	assert_true(info.has & 1u << DFMT_LX_DTOR);
	assert_false(info.has & 1u << DFMT_LX_SLAB);
	assert_null(dfmt_linux_parse(text, lm_text("linux-6.12", text), &info));
	assert_string_equal(info.release, "6.12.95+deb12-amd64");
	assert_int_equal(info.value[DFMT_LX_BIT_LRU], 5);
	assert_int_equal((uint32_t)info.value[DFMT_LX_BUDDY], 0xf0000000u);
	assert_int_equal((uint32_t)info.value[DFMT_LX_SLAB], 0xf5000000u);
	assert_false(info.has & 1u << DFMT_LX_BIT_SLAB);
}

/* The text with a line changed. */
static const char *
parse_with(const char *from, const char *to)
{
	char copy[DFMT_LINUX_TEXT_MAX + 256];
	struct dfmt_linux_info info;
	size_t len = lm_text("linux-6.1", text), skip = strlen(from);
	char *at;

	text[len] = 0;
	at = strstr(text, from);
	assert_non_null(at);
	*at = 0;
	len = (size_t)snprintf(copy, sizeof(copy), "%s%s%s", text, to,
		at + skip);
	return dfmt_linux_parse(copy, len, &info);
}

static void
test_parse_refuses(void **state)
{
	static const char *const bad[][2] = {
		{ "SIZE(page)=64", "SIZE(page)=0" },
		{ "SIZE(page)=64", "SIZE(page)=60" },
		{ "SIZE(page)=64", "SIZE(page)=4096" },
		{ "SIZE(page)=64", "SIZE(page)=" },
		{ "SIZE(page)=64", "SIZE(page)=-64" },
		{ "SIZE(page)=64", "SIZE(page)=64x" },
		{ "SIZE(page)=64", "SIZE(page)=18446744073709551680" },
		{ "SIZE(page)=64", "SIZE(page)=64\nSIZE(page)=64" },
		{ "SIZE(page)=64\n", "" },
		{ "PAGESIZE=4096", "PAGESIZE=8192" },
		{ "OFFSET(page.mapping)=24", "OFFSET(page.mapping)=60" },
		{ "OFFSET(page.mapping)=24", "OFFSET(page.mapping)=25" },
		{ "OFFSET(page.lru)=8", "OFFSET(page.lru)=56" },
		{ "OFFSET(page.compound_dtor)=16",
			"OFFSET(page.compound_dtor)=64" },
		{ "NUMBER(PG_lru)=4", "NUMBER(PG_lru)=64" },
		{ "NUMBER(PG_slab)=9\n", "" },
		{ "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129",
			"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-1" },
		{ "SYMBOL(init_top_pgt)=ffffffff82a10000",
			"SYMBOL(init_top_pgt)=00007fff82a10000" },
		{ "SYMBOL(init_top_pgt)=ffffffff82a10000",
			"SYMBOL(init_top_pgt)=ffffffff82a10008" },
		{ "SIZE(mem_section)=32", "SIZE(mem_section)=0" },
		{ "NUMBER(pgtable_l5_enabled)=0",
			"NUMBER(pgtable_l5_enabled)=1" },
		{ "LENGTH(zone.free_area)=11", "LENGTH(zone.free_area)=64" },
	};

	(void)state;
	assert_null(parse_with("KERNELOFFSET=0", "KERNELOFFSET=0"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!parse_with(bad[i][0], bad[i][1]))
			fail_msg("%s is taken", bad[i][1]);
}

static void
test_parse_bounds(void **state)
{
	struct dfmt_linux_info info;

	(void)state;
	memset(text, 'A', sizeof(text));
	assert_non_null(dfmt_linux_parse(text, sizeof(text), &info));
	assert_non_null(dfmt_linux_parse(text, DFMT_LINUX_TEXT_MAX, &info));
	assert_non_null(dfmt_linux_parse("", 0, &info));
	assert_non_null(dfmt_linux_parse("=\n=\n\n\0", 6, &info));
}

/* ---- frames -------------------------------------------------------------- */

static void
test_kinds(void **state)
{
	(void)state;
	boot("linux-6.1");
	assert_int_equal(kind_of_pfn(200), DFMT_LINUX_KERNEL);
	set64(200, DFMT_LX_MAPPING, ANON);
	assert_int_equal(kind_of_pfn(200), DFMT_LINUX_USER);
	set64(201, DFMT_LX_MAPPING, ANON | 2); /* KSM's */
	assert_int_equal(kind_of_pfn(201), DFMT_LINUX_USER);
	set64(202, DFMT_LX_MAPPING, FILE_MAPPING);
	set_flag(202, DFMT_LX_BIT_LRU);
	assert_int_equal(kind_of_pfn(202), DFMT_LINUX_CACHE);
	set64(203, DFMT_LX_MAPPING, FILE_MAPPING); /* not on the list yet */
	assert_int_equal(kind_of_pfn(203), DFMT_LINUX_CACHE);
	set64(204, DFMT_LX_MAPPING, FILE_MAPPING | 2); /* a driver's */
	assert_int_equal(kind_of_pfn(204), DFMT_LINUX_KERNEL);
	set64(205, DFMT_LX_MAPPING, FILE_MAPPING); /* a slab's cache is there */
	set_flag(205, DFMT_LX_BIT_SLAB);
	assert_int_equal(kind_of_pfn(205), DFMT_LINUX_KERNEL);
	set32(206, DFMT_LX_MAPCOUNT, (int32_t)0xfffffbff); /* page tables */
	assert_int_equal(kind_of_pfn(206), DFMT_LINUX_KERNEL);
	set_flag(207, DFMT_LX_BIT_HWPOISON);
	assert_int_equal(kind_of_pfn(207), DFMT_LINUX_FREE);
}

/* A type is the upper byte since 6.12, whatever is below it. */
static void
test_kinds_by_upper_byte(void **state)
{
	(void)state;
	boot("linux-6.12");
	set64(200, DFMT_LX_MAPPING, ANON);
	assert_int_equal(kind_of_pfn(200), DFMT_LINUX_USER);
	set32(200, DFMT_LX_MAPCOUNT, (int32_t)0xf5000000);
	assert_int_equal(kind_of_pfn(200), DFMT_LINUX_KERNEL);
	/* A slab page that nobody counts. */
	set64(200, DFMT_LX_MAPPING, 0);
	set32(200, DFMT_LX_REFCOUNT, 0);
	set32(200, DFMT_LX_MAPCOUNT, (int32_t)0xf5000123);
	assert_int_equal(kind_of_pfn(200), DFMT_LINUX_KERNEL);
	set32(201, DFMT_LX_MAPCOUNT, (int32_t)0xf4000000);
	assert_int_equal(kind_of_pfn(201), DFMT_LINUX_USER);
	set32(202, DFMT_LX_MAPCOUNT, (int32_t)0xf2000000);
	set64(202, DFMT_LX_MAPPING, FILE_MAPPING);
	assert_int_equal(kind_of_pfn(202), DFMT_LINUX_KERNEL);
	set32(208, DFMT_LX_MAPCOUNT, (int32_t)0xf0000000);
	set32(208, DFMT_LX_REFCOUNT, 0);
	set64(208, DFMT_LX_PRIVATE, 1);
	set32(209, DFMT_LX_REFCOUNT, 0);
	assert_int_equal(kind_of_pfn(209), DFMT_LINUX_FREE);
}

/* A page table that Xen knows has the bit of the swap cache. */
static void
test_swap_cache_has_two_bits(void **state)
{
	(void)state;
	boot("linux-6.1");
	set_flag(200, DFMT_LX_BIT_SWAPCACHE);
	assert_int_equal(kind_of_pfn(200), DFMT_LINUX_KERNEL);
	set_flag(200, DFMT_LX_BIT_SWAPBACKED);
	assert_int_equal(kind_of_pfn(200), DFMT_LINUX_CACHE);
}

static void
buddy_make(uint64_t pfn, unsigned int order)
{
	for (uint64_t i = 0; i < 1ull << order; i++)
		set32(pfn + i, DFMT_LX_REFCOUNT, 0);
	set32(pfn, DFMT_LX_MAPCOUNT, (int32_t)kernel.info.value[DFMT_LX_BUDDY]);
	set64(pfn, DFMT_LX_PRIVATE, order);
}

static void
test_free_blocks(void **state)
{
	(void)state;
	boot("linux-6.1");
	buddy_make(1024, 10);
	for (uint64_t i = 0; i < 1024; i++)
		assert_int_equal(kind_of_pfn(1024 + i), DFMT_LINUX_FREE);
	assert_int_equal(kind_of_pfn(1023), DFMT_LINUX_KERNEL);
	assert_int_equal(kind_of_pfn(2048), DFMT_LINUX_KERNEL);
	/* Beside a block, the rest of an allocation of two. */
	buddy_make(96, 3);
	set32(105, DFMT_LX_REFCOUNT, 0);
	assert_int_equal(kind_of_pfn(103), DFMT_LINUX_FREE);
	assert_int_equal(kind_of_pfn(105), DFMT_LINUX_KERNEL);
	/* An order that no block has. */
	set64(96, DFMT_LX_PRIVATE, 11);
	assert_int_equal(kind_of_pfn(96), DFMT_LINUX_KERNEL);
}

/* On a list of free pages only when both neighbours say so. */
static void
test_free_lists(void **state)
{
	const uint64_t pfns[3] = { 300, 305, 310 };

	(void)state;
	boot("linux-6.1");
	for (int i = 0; i < 3; i++) {
		set32(pfns[i], DFMT_LX_REFCOUNT, 0);
		set64(pfns[i], DFMT_LX_LRU, va_of(pfns[(i + 1) % 3]) + 8);
		memcpy(lm_field(&machine, &kernel, pfns[i], DFMT_LX_LRU) + 8,
			&(uint64_t){ va_of(pfns[(i + 2) % 3]) + 8 }, 8);
	}
	for (int i = 0; i < 3; i++)
		assert_int_equal(kind_of_pfn(pfns[i]), DFMT_LINUX_FREE);
	/* A neighbour went away: what is in 300 was left there. */
	set64(310, DFMT_LX_LRU, va_of(305) + 8);
	assert_int_equal(kind_of_pfn(300), DFMT_LINUX_KERNEL);
	set64(305, DFMT_LX_LRU, 0x1000);
	assert_int_equal(kind_of_pfn(305), DFMT_LINUX_KERNEL);
}

/* The first of four is on a list; the first of the next two is held. */
static void
test_free_lists_of_blocks(void **state)
{
	(void)state;
	boot("linux-6.1");
	for (uint64_t i = 300; i < 306; i++)
		set32(i, DFMT_LX_REFCOUNT, i == 304);
	set64(300, DFMT_LX_LRU, va_of(400) + 8);
	memcpy(lm_field(&machine, &kernel, 300, DFMT_LX_LRU) + 8,
		&(uint64_t){ va_of(400) + 8 }, 8);
	set64(400, DFMT_LX_LRU, va_of(300) + 8);
	memcpy(lm_field(&machine, &kernel, 400, DFMT_LX_LRU) + 8,
		&(uint64_t){ va_of(300) + 8 }, 8);
	for (uint64_t i = 300; i < 304; i++)
		assert_int_equal(kind_of_pfn(i), DFMT_LINUX_FREE);
	assert_int_equal(kind_of_pfn(304), DFMT_LINUX_KERNEL);
	assert_int_equal(kind_of_pfn(305), DFMT_LINUX_KERNEL);
	/* In any order, and after a change. */
	assert_int_equal(kind_of_pfn(303), DFMT_LINUX_FREE);
	set64(400, DFMT_LX_LRU, 0);
	assert_int_equal(kind_of_pfn(302), DFMT_LINUX_KERNEL);
}

/* All the memory a rest of something: it is walked once. */
static void
test_rests_are_walked_once(void **state)
{
	(void)state;
	boot("linux-6.1");
	for (uint64_t i = 0; i < LM_PAGES; i++)
		set32(i, DFMT_LX_REFCOUNT, 0);
	machine.nr_reads = 0;
	for (uint64_t i = 4096; i < LM_PAGES; i++)
		assert_int_equal(kind_of_pfn(i), DFMT_LINUX_KERNEL);
	assert_true(machine.nr_reads < 4096 * 16);
}

static void
compound_make(uint64_t pfn, uint64_t nr)
{
	uint64_t flags = kernel.info.value[DFMT_LX_HEAD_MASK];

	set64(pfn, DFMT_LX_FLAGS, flags);
	for (uint64_t i = 1; i < nr; i++) {
		set32(pfn + i, DFMT_LX_REFCOUNT, 0);
		set64(pfn + i, DFMT_LX_HEAD, va_of(pfn) | 1);
		set64(pfn + i, DFMT_LX_MAPPING, 0xdead000000000400u);
	}
}

static void
test_compound(void **state)
{
	(void)state;
	boot("linux-6.1");
	compound_make(512, 512);
	assert_int_equal(kind_of_pfn(513), DFMT_LINUX_KERNEL);
	set64(512, DFMT_LX_MAPPING, ANON);
	assert_int_equal(kind_of_pfn(512), DFMT_LINUX_USER);
	assert_int_equal(kind_of_pfn(1023), DFMT_LINUX_USER);
	/* One of a file of huge pages, which is on no list. */
	compound_make(2048, 4);
	assert_int_equal(kind_of_pfn(2048), DFMT_LINUX_KERNEL);
	*lm_field(&machine, &kernel, 2049, DFMT_LX_DTOR) =
		(uint8_t)kernel.info.value[DFMT_LX_HUGETLB_DTOR];
	assert_int_equal(kind_of_pfn(2048), DFMT_LINUX_USER);
	assert_int_equal(kind_of_pfn(2051), DFMT_LINUX_USER);
}

/* A head behind its tail, between two pages, of another's, far away. */
static void
test_compound_lies(void **state)
{
	(void)state;
	boot("linux-6.1");
	set64(600, DFMT_LX_HEAD, va_of(601) | 1);
	assert_int_equal(kind_of_pfn(600), DFMT_LINUX_UNKNOWN);
	set64(600, DFMT_LX_HEAD, (va_of(599) + 8) | 1);
	assert_int_equal(kind_of_pfn(600), DFMT_LINUX_UNKNOWN);
	set64(600, DFMT_LX_HEAD, va_of(600) | 1);
	assert_int_equal(kind_of_pfn(600), DFMT_LINUX_UNKNOWN);
	set64(599, DFMT_LX_HEAD, va_of(598) | 1);
	set64(600, DFMT_LX_HEAD, va_of(599) | 1);
	assert_int_equal(kind_of_pfn(600), DFMT_LINUX_UNKNOWN);
	set64(600, DFMT_LX_HEAD, 1);
	assert_int_equal(kind_of_pfn(600), DFMT_LINUX_UNKNOWN);
}

/* ---- page tables --------------------------------------------------------- */

static void
test_no_page_structure(void **state)
{
	(void)state;
	boot("linux-6.1");
	assert_int_equal(dfmt_linux_kind(&kernel, 7), DFMT_LINUX_UNKNOWN);
	assert_int_equal(kind_of_pfn(LM_PAGES), DFMT_LINUX_UNKNOWN);
	assert_int_equal(kind_of_pfn(1ull << 50), DFMT_LINUX_UNKNOWN);
	assert_int_equal(kind_of_pfn(UINT64_MAX / 64), DFMT_LINUX_UNKNOWN);
	/* Page structures that lie in another's memory are not read. */
	set64(64 * 3, DFMT_LX_MAPPING, ANON);
	machine.foreign[machine.of_pages[3]] = true;
	assert_int_equal(kind_of_pfn(64 * 3), DFMT_LINUX_UNKNOWN);
}

/* A table that is none, of another level, or another's. */
static void
test_tables_are_tables(void **state)
{
	(void)state;
	boot("linux-6.1");
	for (uint32_t f = 0; f < machine.nr_used; f++) {
		uint8_t was = machine.level[f];

		if (was == 0 || was == 4)
			continue;
		for (uint8_t now = 0; now < 5; now++) {
			machine.level[f] = now;
			dfmt_linux_forget(&kernel);
			if (now != was && kind_of_pfn(200) != DFMT_LINUX_KERNEL)
				assert_int_equal(kind_of_pfn(200),
					DFMT_LINUX_UNKNOWN);
		}
		machine.level[f] = was;
	}
	machine.level[machine.root] = 0;
	dfmt_linux_forget(&kernel);
	assert_int_equal(kind_of_pfn(200), DFMT_LINUX_UNKNOWN);
	assert_non_null(dfmt_linux_start(&kernel, machine.root));
}

static void
test_start_refuses(void **state)
{
	uint32_t sections;

	(void)state;
	boot("linux-6.1");
	sections = 2;
	assert_int_equal(lm_get64(&machine, sections, 0), LM_VMEMMAP | 0xf);
	/* Two sections whose page structures are not one run. */
	lm_put64(&machine, sections, 32, 0xffff888000000000u | 0xf);
	assert_non_null(dfmt_linux_start(&kernel, machine.root));
	lm_put64(&machine, sections, 32, LM_VMEMMAP | 0xf);
	assert_null(dfmt_linux_start(&kernel, machine.root));
	lm_put64(&machine, sections, 0, 0xf);
	assert_non_null(dfmt_linux_start(&kernel, machine.root));
	lm_put64(&machine, sections, 0, 0);
	lm_put64(&machine, sections, 32, 0);
	assert_non_null(dfmt_linux_start(&kernel, machine.root));
}

/* Pages of one frame of page structures are looked up once. */
static void
test_walks_are_few(void **state)
{
	(void)state;
	boot("linux-6.1");
	dfmt_linux_forget(&kernel);
	machine.nr_entries = machine.nr_reads = 0;
	for (uint64_t i = 0; i < LM_PAGES; i++)
		assert_int_equal(kind_of_pfn(i), i == LM_PFN(7)
							 ? DFMT_LINUX_UNKNOWN
							 : DFMT_LINUX_KERNEL);
	assert_int_equal(machine.nr_entries, LM_PAGES / 64 * 4);
	assert_int_equal(machine.nr_reads, LM_PAGES - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_real_texts),
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_parse_bounds),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_kinds_by_upper_byte),
		cmocka_unit_test(test_swap_cache_has_two_bits),
		cmocka_unit_test(test_free_blocks),
		cmocka_unit_test(test_free_lists),
		cmocka_unit_test(test_free_lists_of_blocks),
		cmocka_unit_test(test_rests_are_walked_once),
		cmocka_unit_test(test_compound),
		cmocka_unit_test(test_compound_lies),
		cmocka_unit_test(test_no_page_structure),
		cmocka_unit_test(test_tables_are_tables),
		cmocka_unit_test(test_start_refuses),
		cmocka_unit_test(test_walks_are_few),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
