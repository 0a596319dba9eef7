/* SPDX-License-Identifier: MIT */
/* The fixture compiler: expressions, labels, page tables, damage, errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dfmt-fixture.h"

/* Raw images: memory without a reader between. */
static struct fixture
raw(const char *text)
{
	char all[4096];

	(void)snprintf(all, sizeof(all), "format raw\n%s", text);
	struct fixture fx = fixture_text(all);
	assert_non_null(fx.bytes);
	return fx;
}

static uint64_t
word(const struct fixture *fx, uint64_t at)
{
	uint64_t v = 0;

	assert_true(at + 8 <= fx->len);
	memcpy(&v, fx->bytes + at, 8);
	return v;
}

static void
test_mkdump_evaluates_expressions(void **state)
{
	struct fixture fx = raw("at 0\n"
				"u64 1+2*3 (1+2)*3 10-2-3 7/2 7%4 1<<4|1 ~0 -1 "
				"0x10^1 'A' 6&3 last\n"
				"last:\n"
				"place 0xffff888000000000 0 0x1000\n"
				"u64 phys(0xffff888000000040) u64(8)\n");
	static const uint64_t want[] = { 7, 9, 5, 3, 3, 17, UINT64_MAX,
		UINT64_MAX, 17, 'A', 2, 12 * 8, 0x40, 9 };

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		assert_int_equal(word(&fx, 8 * i), want[i]);
	fixture_free(&fx);
}

static void
test_mkdump_labels_settle(void **state)
{
	/* The text's length depends on a label that comes after it. */
	struct fixture fx = raw("at 0\nstr \"%{last}\"\nalign 8\nu64 last\n"
				"macro twice A\n u8 ${A} ${A}\nend\n"
				"repeat i 3\n twice i+1\nend\n"
				"fill 300 9\nlast:\nu64 last\n");

	(void)state;
	assert_memory_equal(fx.bytes, "142", 3);
	assert_int_equal(word(&fx, 8), 0x142);
	assert_memory_equal(fx.bytes + 16, "\1\1\2\2\3\3\x9", 7);
	assert_int_equal(word(&fx, 0x142), 0x142);
	fixture_free(&fx);
}

/* ---- page tables -------------------------------------------------------- */

struct mode {
	const char *name;
	unsigned int levels, bits, entry;
};

static uint64_t
entry(const struct fixture *fx, const struct mode *m, uint64_t table,
	uint64_t vaddr, unsigned int level)
{
	uint64_t i =
		vaddr >> (12 + m->bits * (level - 1)) & ((1u << m->bits) - 1);
	uint64_t v = 0;

	assert_true(table + (i + 1) * m->entry <= fx->len);
	memcpy(&v, fx->bytes + table + i * m->entry, m->entry);
	return v;
}

/* The entry that maps vaddr, or the one that is not present. */
static uint64_t
walk(const struct fixture *fx, const struct mode *m, uint64_t root,
	uint64_t vaddr, unsigned int *level_out)
{
	uint64_t e = root;

	for (unsigned int l = m->levels; l > 0; l--) {
		e = entry(fx, m, e & 0xffffffffff000, vaddr, l);
		*level_out = l;
		if (!(e & 1) || (l > 1 && l < 4 && e & 0x80))
			break;
	}
	return e;
}

static void
test_mkdump_builds_page_tables(void **state)
{
	static const struct mode modes[] = { { "32bit", 2, 10, 4 },
		{ "pae", 3, 9, 8 }, { "4level", 4, 9, 8 },
		{ "5level", 5, 9, 8 } };
	unsigned int level;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const struct mode *m = &modes[i];
		char text[512];

		(void)snprintf(text, sizeof(text),
			"pgtable root %s at=0x10000\n"
			"map 0xc0001000 0x5000 0x2000\n"
			"map 0xc0800000 0x800000 0x800000 size=2m flags=0x23\n"
			"at 0\nu64 root\nvat 0xc0002008\nu64 0x77\n",
			m->name);
		struct fixture fx = raw(text);
		assert_int_equal(word(&fx, 0), 0x10000);
		assert_int_equal(word(&fx, 0x6008), 0x77);
		assert_int_equal(walk(&fx, m, 0x10000, 0xc0001000, &level),
			0x5063);
		assert_int_equal(level, 1);
		assert_int_equal(walk(&fx, m, 0x10000, 0xc0002000, &level),
			0x6063);
		assert_int_equal(walk(&fx, m, 0x10000, 0xc0003000, &level), 0);
		assert_int_equal(walk(&fx, m, 0x10000, 0xc0c00000, &level),
			0xc000a3);
		assert_int_equal(level, 2);
		assert_int_equal(walk(&fx, m, 0x10000, 0x1000, &level), 0);
		fixture_free(&fx);
	}
}

static void
test_mkdump_maps_1_gib_pages_and_wrong_entries(void **state)
{
	static const struct mode m = { "4level", 4, 9, 8 };
	struct fixture fx =
		raw("pgtable root 4level at=0x10000\n"
		    "map 0xffff888000000000 0 0x80000000 size=1g nx\n"
		    "pte 0xffff888040000000 3 0x1234\n"
		    "pte 0xffffffff81000000 1 0xdead\n");
	unsigned int level;

	(void)state;
	assert_int_equal(walk(&fx, &m, 0x10000, 0xffff888012345000, &level),
		0x80000000000000e3);
	assert_int_equal(level, 3);
	assert_int_equal(walk(&fx, &m, 0x10000, 0xffff888040000000, &level),
		0x1234);
	assert_int_equal(walk(&fx, &m, 0x10000, 0xffffffff81000000, &level),
		0xdead);
	assert_int_equal(level, 1);
	fixture_free(&fx);
}

static void
test_mkdump_refuses_with_file_and_line(void **state)
{
	static const char *const texts[] = { "nonsense\n", "at\n", "u64 (1\n",
		"u64 nobody\n", "str \"open\n", "repeat i 2\n", "format tape\n",
		"map 0 0 0x1000\n", "u64 1/0\n", "pgtable r 6level at=0\n",
		"macro m A\nend\nm\n", "vat 0xffff\nu8 1\n", "patch7 0 0\n",
		"include \"nofile\"\n", "codec brotli\n", "split 1/0\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct fixture fx = fixture_text(texts[i]);

		if (fx.bytes)
			fail_msg("accepted: %s", texts[i]);
		fixture_free(&fx);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mkdump_evaluates_expressions),
		cmocka_unit_test(test_mkdump_labels_settle),
		cmocka_unit_test(test_mkdump_builds_page_tables),
		cmocka_unit_test(
			test_mkdump_maps_1_gib_pages_and_wrong_entries),
		cmocka_unit_test(test_mkdump_refuses_with_file_and_line),
	};

	return cmocka_run_group_tests_name("mkdump", tests, NULL, NULL);
}
