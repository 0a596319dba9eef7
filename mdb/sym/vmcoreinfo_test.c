/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "mdb/sym/vmcoreinfo.h"

static const char text[] = "OSRELEASE=6.1.0-56-amd64\n"
			   "BUILD-ID=eb4fbcd0\n"
			   "no value here\n"
			   "SYMBOL(_stext)=ffffffff88400000\n"
			   "SIZE(page)=64\n"
			   "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129\n"
			   "NUMBER(phys_base)=-639631360\n"
			   "NUMBER(hex)=0x10\n"
			   "NUMBER(bad)=12x\n"
			   "NUMBER(huge)=99999999999999999999\n"
			   "KERNELOFFSET=7400000\n"
			   "SYMBOL(last)=ff";

static void
test_vmcoreinfo_gives_values_of_whole_keys(void **state)
{
	const char *value;
	size_t len;

	(void)state;
	assert_true(mdb_vmcoreinfo_get(text, strlen(text), "OSRELEASE", &value,
		&len));
	assert_int_equal(len, 14);
	assert_memory_equal(value, "6.1.0-56-amd64", 14);
	assert_false(
		mdb_vmcoreinfo_get(text, strlen(text), "OSREL", &value, &len));
	assert_false(mdb_vmcoreinfo_get(text, strlen(text), "no value here",
		&value, &len));
}

static void
test_vmcoreinfo_reads_numbers_in_their_base(void **state)
{
	size_t len = strlen(text);
	uint64_t v;

	(void)state;
	assert_true(mdb_vmcoreinfo_symbol(text, len, "_stext", &v));
	assert_int_equal(v, 0xffffffff88400000);
	assert_true(mdb_vmcoreinfo_symbol(text, len, "last", &v));
	assert_int_equal(v, 0xff);
	assert_true(mdb_vmcoreinfo_number(text, len, "SIZE(page)", &v));
	assert_int_equal(v, 64);
	assert_true(mdb_vmcoreinfo_number(text, len,
		"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)", &v));
	assert_int_equal((int64_t)v, -129);
	assert_true(mdb_vmcoreinfo_number(text, len, "NUMBER(hex)", &v));
	assert_int_equal(v, 16);
	assert_true(mdb_vmcoreinfo_number(text, len, "KERNELOFFSET", &v));
	assert_int_equal(v, 0x7400000);
}

static void
test_vmcoreinfo_refuses_what_is_no_number(void **state)
{
	size_t len = strlen(text);
	uint64_t v;

	(void)state;
	assert_false(mdb_vmcoreinfo_number(text, len, "NUMBER(bad)", &v));
	assert_false(mdb_vmcoreinfo_number(text, len, "NUMBER(huge)", &v));
	assert_false(mdb_vmcoreinfo_number(text, len, "NUMBER(absent)", &v));
	assert_false(mdb_vmcoreinfo_number(text, 0, "SIZE(page)", &v));
}

static void
count_symbol(void *arg, const char *name, size_t name_len, uint64_t value)
{
	unsigned int *n = arg;

	assert_true(name_len == 6 || name_len == 4);
	assert_true(name[0] == '_' || name[0] == 'l');
	assert_int_not_equal(value, 0);
	++*n;
}

static void
test_vmcoreinfo_lists_symbols(void **state)
{
	unsigned int n = 0;

	(void)state;
	mdb_vmcoreinfo_each_symbol(text, strlen(text), count_symbol, &n);
	assert_int_equal(n, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vmcoreinfo_gives_values_of_whole_keys),
		cmocka_unit_test(test_vmcoreinfo_reads_numbers_in_their_base),
		cmocka_unit_test(test_vmcoreinfo_refuses_what_is_no_number),
		cmocka_unit_test(test_vmcoreinfo_lists_symbols),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
