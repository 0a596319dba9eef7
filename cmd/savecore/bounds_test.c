/* SPDX-License-Identifier: MIT */
/* The numbers in bounds and minfree, and what is taken instead of garbage. */
#include "cmd/savecore/save.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void
test_bounds_parse(void **state)
{
	static const char *const bad[] = { "", "\n", " 1", "-1", "1 2", "1x",
		"2147483647", "4294967296", "99999999999999999999", "0x1" };
	uint32_t n = 77;

	(void)state;
	assert_true(save_bounds_parse("0\n", 2, &n));
	assert_int_equal(n, 0);
	assert_true(save_bounds_parse("2147483646", 10, &n));
	assert_int_equal(n, 2147483646);
	assert_true(save_bounds_parse("12 \n\n", 5, &n));
	assert_int_equal(n, 12);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(save_bounds_parse(bad[i], strlen(bad[i]), &n));
	assert_false(save_bounds_parse("1\0002", 3, &n));
	assert_int_equal(n, 12);
}

static void
put(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
}

static uint32_t
number_in(int dir, bool *garbage)
{
	struct cmd_error err;
	uint32_t n = 0;

	assert_int_equal(save_bounds_read(dir, &n, garbage, &err), CMD_OK);
	return n;
}

static void
test_bounds_skips_what_is_there(void **state)
{
	static const char *const names[] = { "bounds", "vmcore.0", "vmcore.1",
		"vmdump.2", "vmcore.9", "minfree" };
	char path[] = "/tmp/bounds-test-XXXXXX";
	struct cmd_error err;
	bool garbage;
	int dir;

	(void)state;
	assert_non_null(mkdtemp(path));
	dir = open(path, O_RDONLY | O_DIRECTORY);
	assert_int_equal(number_in(dir, &garbage), 0);
	assert_false(garbage);
	put(dir, "vmcore.0", "");
	put(dir, "vmcore.1", "");
	put(dir, "vmdump.2", "");
	assert_int_equal(number_in(dir, &garbage), 3);
	put(dir, "bounds", "nonsense");
	assert_int_equal(number_in(dir, &garbage), 3);
	assert_true(garbage);
	put(dir, "vmcore.9", "");
	assert_int_equal(save_bounds_write(dir, path, 9, &err), CMD_OK);
	assert_int_equal(number_in(dir, &garbage), 10);
	assert_false(garbage);
	assert_int_equal(save_minfree_read(dir), 0);
	put(dir, "minfree", "1024\n");
	assert_int_equal(save_minfree_read(dir), 1 << 20);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(unlinkat(dir, names[i], 0), 0);
	(void)close(dir);
	assert_int_equal(rmdir(path), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounds_parse),
		cmocka_unit_test(test_bounds_skips_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
