/* SPDX-License-Identifier: MIT */
/* Frames, translations and the heap, on a hypervisor made for it. */
#include "frame_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FREE (3ull << 58)
#define ALLOCATED (1ull << 63)
#define XEN_HEAP (1ull << 62)

static int
setup(void **state)
{
	*state = ff_session();
	return 0;
}

static int
teardown(void **state)
{
	mdb_session_destroy(*state);
	return 0;
}

static void
has(struct mdb_session *s, const char *command, const char *text)
{
	if (strstr(ff_eval(s, command), text) == NULL)
		fail_msg("%s: no \"%s\" in\n%s%s", command, text,
			mdb_sink_text(s->out), mdb_sink_text(s->err));
}

static void
has_not(struct mdb_session *s, const char *command, const char *text)
{
	if (strstr(ff_eval(s, command), text) != NULL)
		fail_msg("%s: \"%s\" in\n%s", command, text,
			mdb_sink_text(s->out));
}

static void
refuses(struct mdb_session *s, const char *command, const char *text)
{
	(void)ff_eval(s, command);
	if (strstr(mdb_sink_text(s->err), text) == NULL)
		fail_msg("%s: no \"%s\" but\n%s%s", command, text,
			mdb_sink_text(s->out), mdb_sink_text(s->err));
}

/* ---- ::xenpage -----------------------------------------------------------
 */

static void
test_page_is_told_in_words(void **state)
{
	struct mdb_session *s = *state;

	ff_page_set(s, 0x123, ALLOCATED | 1ull << 61 | 3, 0x8cull << 56 | 2,
		FF_DOM1 >> 12);
	has(s, "123::xenpage",
		"ffff82e000002460       123 d1     inuse         3 l4           "
		"2 allocated page-table pinned validated\n");
	/* the same by its entry, the direct map, a machine address */
	has(s, "ffff82e000002464::xenpage", "      123 d1 ");
	has(s, "ffff830000123456::xenpage", "      123 d1 ");
	has(s, "123456::xenpage", "      123 d1 ");
	has(s, "123::xenpage -m", "        0 -  ");
	has(s, "123::xenpage -v", "count_flags = allocated page-table\n");
	refuses(s, "1ff000000::xenpage", "is no frame and no machine address");
}

static void
test_owner_is_a_domain_that_is_there(void **state)
{
	struct mdb_session *s = *state;

	ff_page_set(s, 0x100, ALLOCATED | 1, 7ull << 61 | 1, FF_DOM_IO >> 12);
	has(s, "100::xenpage", "100 io     inuse         1 writable     1 ");
	/* a domain that left the list */
	ff_set(s, FF_DOMAIN, 0x20000, "domain_id", 9);
	ff_page_set(s, 0x100, ALLOCATED | 1, 0, 0x20);
	has(s, "100::xenpage", "100 ?d9    inuse");
	/* xmalloc keeps a length in that place */
	ff_page_set(s, 0x100, XEN_HEAP, 0, 0x20);
	has(s, "100::xenpage",
		"100 -      inuse         0 none         0 "
		"xen-heap\n");
}

static void
test_largest_free_block_is_the_true_one(void **state)
{
	struct mdb_session *s = *state;

	for (uint64_t i = 0x40; i < 0x48; i++)
		ff_page_set(s, i, FREE, 0, 0);
	ff_page_set(s, 0x40, FREE | ALLOCATED, 0, 3);
	ff_page_set(s, 0x44, FREE, 0, 2); /* once a block's head */
	has(s, "40::xenpage", "free          0 order 3      - need-scrub\n");
	has(s, "44::xenpage", "free          0 (inner)      -");
	has(s, "45::xenpage -v", "block = order 3, from frame 40\n");
}

static void
test_sums_by_owner_and_type(void **state)
{
	struct mdb_session *s = *state;

	ff_page_set(s, 0x100, ALLOCATED | 1, 7ull << 61 | 1, FF_DOM0 >> 12);
	ff_page_set(s, 0x101, ALLOCATED | 1, 7ull << 61 | 1, FF_DOM0 >> 12);
	ff_page_set(s, 0x102, ALLOCATED | 1, 1ull << 61 | 1, FF_DOM0 >> 12);
	ff_page_set(s, 0x103, FREE, 0, 0);
	ff_set(s, FF_DOMAIN, FF_DOM0, "tot_pages", 3);
	has(s, "::xenpage -s", "d0     writable            2     8.0K\n");
	has(s, "::xenpage -s", "d0     l1                  1     4.0K\n");
	has(s, "::xenpage -s", "d0     xen-heap            1     4.0K\n");
	has(s, "::xenpage -s", "d0     total               4    16.0K\n");
	has(s, "::xenpage -s", "-      free                1     4.0K\n");
	has(s, "::xenpage -s", "all    total             512     2.0M\n");
	assert_string_equal(mdb_sink_text(s->err), "");
	has_not(s, "::xenpage -s -d 1", "d0");
	ff_set(s, FF_DOMAIN, FF_DOM0, "tot_pages", 5);
	refuses(s, "::xenpage -s", "d0 itself counts 5 frames, not 3");
	has(s, "::xenpage -d 0", "102 d0     inuse         1 l1 ");
	has_not(s, "::xenpage -d 0", " free ");
	has(s, "ffff830000002000::walk xenpage", "0xffff82e000002040\n");
}

static void
test_frame_table_is_proven(void **state)
{
	struct mdb_session *s = *state;

	ff_page_set(s, FF_SHARED0 >> 12, 0, 0, 0x99);
	has(s, "100::xenpage", "100 "); /* d1's is still right */
	mdb_session_destroy(s);
	*state = s = ff_session();
	ff_page_set(s, FF_SHARED0 >> 12, 0, 0, 0x99);
	ff_page_set(s, FF_SHARED1 >> 12, 0, 0, 0x99);
	refuses(s, "100::xenpage",
		"does not give any domain the page that it shares");
}

static void
test_hole_is_cut_out_of_frame_numbers(void **state)
{
	struct mdb_session *s = *state;

	/* 8 zero bits above bit 8: frame 0x10005 is entry 0x105 */
	ff_put(s, FF_VARS + 72, 8, 4);
	ff_put(s, FF_VARS + 80, 0xff, 8);
	ff_put(s, FF_VARS + 88, 0xffffffff0000, 8);
	ff_page_set(s, 0x105, ALLOCATED | 1, 0, FF_DOM0 >> 12);
	has(s, "10005::xenpage", "ffff82e0000020a0     10005 d0 ");
	has(s, "ffff830000105000::xenpage", "ffff82e0000020a0     10005 d0 ");
	refuses(s, "500::xenpage -m; ff00000000::xenpage", "no frame");
}

static void
test_hole_of_unknown_form_is_refused(void **state)
{
	ff_put(*state, FF_VARS + 72, 8, 4);
	refuses(*state, "100::xenpage", "compresses frame numbers (PDX)");
}

/* ---- translations --------------------------------------------------------
 */

static void
add_pv_p2m(struct mdb_session *s)
{
	ff_set(s, FF_SHARCH, FF_SHARED0 + 0xc00, "max_pfn", 0x400);
	ff_set(s, FF_SHARCH, FF_SHARED0 + 0xc00, "pfn_to_mfn_frame_list_list",
		FF_LIST_LIST >> 12);
	ff_put(s, FF_LIST_LIST, FF_LIST >> 12, 8);
	ff_put(s, FF_LIST, FF_ENTRIES >> 12, 8);
	ff_put(s, FF_LIST + 8, 0x900000, 8); /* where there is nothing */
	ff_put(s, FF_ENTRIES, 0x120, 8);
	ff_put(s, FF_ENTRIES + 8, 0x121, 8);
	ff_put(s, FF_ENTRIES + 16, UINT64_MAX, 8);
	ff_put(s, FF_ENTRIES + 24, 1ull << 62 | 0xa0, 8);
	ff_put(s, FF_ENTRIES + 32, 1ull << 63 | 0x150, 8);
	ff_put(s, FF_MPT_AT + 8 * 0x120, 0, 8);
	ff_put(s, FF_MPT_AT + 8 * 0x121, 7, 8);
	ff_page_set(s, 0x120, ALLOCATED | 1, 0, FF_DOM0 >> 12);
}

static void
test_pv_frames_both_ways(void **state)
{
	struct mdb_session *s = *state;

	add_pv_p2m(s);
	has(s, "0::pfn2mfn",
		"d0              0        120 ram            -       0 agrees\n");
	has(s, "1::pfn2mfn", "121 ram            -       0 says 7\n");
	has(s, "2::pfn2mfn", "  - invalid ");
	has(s, "3::pfn2mfn", "         a0 identity ");
	has(s, "4::pfn2mfn", "        150 foreign ");
	has(s, "400::pfn2mfn", "- beyond the end ");
	refuses(s, "200::pfn2mfn", "the guest's p2m of gfn 200");
	has(s, "120::mfn2pfn", "       120                0 d0     agrees\n");
	has(s, "130::mfn2pfn", "       130          invalid -      -\n");
	has(s, "120::m2p", "d0     ffff828000000900\n");
	refuses(s, "8000000000::m2p", "beyond the M2P table");
}

static void
test_pv_table_in_runs_and_steps(void **state)
{
	struct mdb_session *s = *state;

	add_pv_p2m(s);
	has(s, "::p2m",
		"d0              0          1         2        120 -   ram\n");
	has(s, "::p2m", "        200        3ff       512          - -   ");
	has(s, "1::p2m",
		"    list                 17000               18\n"
		"    entry                18008              121\n");
	has(s, "::m2p -d 0",
		"       120        120         1                0");
}

static void
add_npt(struct mdb_session *s)
{
	uint64_t l4 = FF_TABLES, l3 = l4 + 0x1000, l2 = l3 + 0x1000,
		 l1 = l2 + 0x1000;

	ff_set(s, FF_ARCH, FF_DOM1 + 128, "p2m", D(FF_P2M));
	ff_set(s, FF_P2M_DOMAIN, FF_P2M, "domain", D(FF_DOM1));
	ff_put(s, FF_P2M + 16, l4 >> 12, 8);
	ff_set(s, FF_P2M_DOMAIN, FF_P2M, "max_mapped_pfn", 0x7ff);
	ff_put(s, l4, l3 | 7, 8);
	ff_put(s, l3, l2 | 7, 8);
	ff_put(s, l2, l1 | 7, 8);
	ff_put(s, l2 + 8, 0x40000000 | 0xe7, 8); /* 2 MiB */
	ff_put(s, l2 + 16, 6ull << 52, 8);	 /* to be populated */
	ff_put(s, l1, 0x120000 | 7, 8);		 /* ram-rw */
	ff_put(s, l1 + 8, 1ull << 63 | 8ull << 52 | 0x121005, 8);
	ff_put(s, l1 + 16, 1ull << 63 | 4ull << 52, 8); /* mmio-dm */
	ff_put(s, FF_MPT_AT + 8 * 0x120, 0, 8);
}

static void
test_nested_tables_keep_types(void **state)
{
	struct mdb_session *s = *state;

	add_npt(s);
	has(s, "0::pfn2mfn -d 1",
		"d1              0        120 ram-rw         rwx     0 agrees\n");
	has(s, "1::pfn2mfn -d 1", "121 grant-map-ro   r--     0 ");
	has(s, "2::pfn2mfn -d 1", "  - mmio-dm        -       - -\n");
	has(s, "3::pfn2mfn -d 1", "  - invalid ");
	has(s, "205::pfn2mfn -d 1", "      40005 ram-rw         rwx     9 ");
	has(s, "400::pfn2mfn -d 1", "  - populate-on-demand ");
	has(s, "600::pfn2mfn -d 1", "  - invalid ");
	has(s, "1::p2m -d 1",
		"    L1                   15008 8080000000121005");
	has(s, "::p2m -d 1",
		"d1            200        3ff       512      40000 rwx ram-rw\n");
}

static void
test_ept_is_told_by_its_pointer(void **state)
{
	struct mdb_session *s = *state;

	add_npt(s);
	ff_put(s, FF_P2M + 32, FF_TABLES | 3 << 3 | 6, 8);
	/* the same entry: write and execute bits are elsewhere */
	has(s, "0::pfn2mfn -d 1", "120 ram-rw         rwx ");
	ff_put(s, FF_TABLES + 0x3000, 12ull << 52 | 0x120000 | 1, 8);
	has(s, "0::pfn2mfn -d 1", "120 ram-shared     r-- ");
}

static void
test_p2m_of_another_domain_is_refused(void **state)
{
	struct mdb_session *s = *state;

	add_npt(s);
	ff_set(s, FF_P2M_DOMAIN, FF_P2M, "domain", D(FF_DOM0));
	refuses(s, "0::pfn2mfn -d 1", "no struct p2m_domain is found");
	/* not at the member, but elsewhere in the domain */
	ff_set(s, FF_P2M_DOMAIN, FF_P2M, "domain", D(FF_DOM1));
	ff_set(s, FF_ARCH, FF_DOM1 + 128, "p2m", D(FF_SHARED0));
	ff_put(s, FF_DOM1 + 200, D(FF_P2M), 8);
	has(s, "0::pfn2mfn -d 1", "120 ram-rw ");
	refuses(s, "0::pfn2mfn -d 5", "there is no domain 5");
	refuses(s, "0::pfn2mfn", "has not told where its p2m is");
}

/* ---- ::xenheap -----------------------------------------------------------
 */

/* Zone 9, order 2: blocks at 0x100, 0x108; order 0: at 0x180. */
static void
add_heap(struct mdb_session *s)
{
	uint64_t head = FF_LISTS + (9 * 4 + 2) * 16;
	uint64_t single = FF_LISTS + (9 * 4) * 16;

	ff_put(s, FF_VARS + 24, D(FF_LISTS), 8);
	ff_put(s, FF_VARS + 32, D(FF_AVAIL), 8);
	ff_put(s, FF_VARS + 40, 9, 8);
	ff_put(s, FF_AVAIL + 8 * 9, 9, 8);
	ff_put(s, head, XPV_FRAME_TABLE + 32 * 0x100, 8);
	ff_put(s, head + 8, XPV_FRAME_TABLE + 32 * 0x108, 8);
	ff_page_set(s, 0x100, FREE, 0, 2);
	ff_page_set(s, 0x108, FREE, 0, 2);
	ff_link(s, 0x100, 0x108, UINT32_MAX);
	ff_link(s, 0x108, UINT32_MAX, 0x100);
	ff_put(s, single, XPV_FRAME_TABLE + 32 * 0x180, 8);
	ff_put(s, single + 8, XPV_FRAME_TABLE + 32 * 0x180, 8);
	ff_page_set(s, 0x180, FREE, 0, 0);
}

static void
test_heap_lists_and_counters(void **state)
{
	struct mdb_session *s = *state;

	add_heap(s);
	assert_string_equal(ff_eval(s, "::xenheap"),
		"NODE ZONE    BELOW     FRAMES    COUNTER     SIZE ORDERS\n"
		"   0    9     2.0M          9          9    36.0K 0:1 2:2\n"
		" all    -        -          9          9    36.0K\n");
	has(s, "::xenheap -v",
		"   0    9     2 ffff82e000002100        108        10b\n");
	ff_put(s, FF_AVAIL + 8 * 9, 8, 8);
	has(s, "::xenheap",
		"          9          8    36.0K 0:1 2:2 (not what "
		"is counted)\n");
}

static void
test_heap_lists_that_are_damaged_end(void **state)
{
	struct mdb_session *s = *state;

	add_heap(s);
	ff_link(s, 0x108, 0x100, 0x100); /* a way on past the tail */
	has(s, "::xenheap", "2:2\n");
	ff_put(s, FF_LISTS + (9 * 4 + 2) * 16 + 8, 0, 8); /* no tail */
	has(s, "::xenheap", "2:2 (frame 100 does not lead back)");
	ff_page_set(s, 0x108, ALLOCATED, 0, 2);
	has(s, "::xenheap", "2:1 (frame 108 is not free)");
	ff_page_set(s, 0x108, FREE, 0, 1);
	has(s, "::xenheap", "2:1 (frame 108 is of order 1)");
	ff_put(s, FF_LISTS + (9 * 4 + 2) * 16, 0x1234, 8);
	has(s, "::xenheap", "2:0 (the list begins at no frame)");
	mdb_fake_fault(s->target->memory, FF_LISTS, MDB_E_EXCLUDED);
	has(s, "::xenheap", "(excluded)");
}

/* ---- ::whatis ------------------------------------------------------------
 */

static void
test_whatis_of_frames(void **state)
{
	struct mdb_session *s = *state;

	ff_page_set(s, 0x123, ALLOCATED | 1, 7ull << 61 | 1, FF_DOM0 >> 12);
	ff_put(s, FF_MPT_AT + 8 * 0x123, 0x77, 8);
	has(s, "ffff830000123456::whatis",
		"in the direct map, machine frame 123 (struct page_info "
		"ffff82e000002460), of d0, writable, its frame 77\n");
	has(s, "ffff82e000002468::whatis",
		"is ffff82e000002460+8, the struct page_info of machine frame "
		"123 (at ffff830000123000), of d0, writable");
	has(s, "ffff828000000918::whatis",
		"is the M2P entry of machine frame 123: its owner's frame 77");
	ff_page_set(s, 0x123, FREE, 0, 0);
	has(s, "ffff830000123456::whatis",
		"free, in a block of order 0 from frame 123\n");
	has(s, "ffff84ffffffffff::whatis", "is unknown");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_page_is_told_in_words),
		TEST(test_owner_is_a_domain_that_is_there),
		TEST(test_largest_free_block_is_the_true_one),
		TEST(test_sums_by_owner_and_type),
		TEST(test_frame_table_is_proven),
		TEST(test_hole_is_cut_out_of_frame_numbers),
		TEST(test_hole_of_unknown_form_is_refused),
		TEST(test_pv_frames_both_ways),
		TEST(test_pv_table_in_runs_and_steps),
		TEST(test_nested_tables_keep_types),
		TEST(test_ept_is_told_by_its_pointer),
		TEST(test_p2m_of_another_domain_is_refused),
		TEST(test_heap_lists_and_counters),
		TEST(test_heap_lists_that_are_damaged_end),
		TEST(test_whatis_of_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
