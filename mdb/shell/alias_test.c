/* SPDX-License-Identifier: MIT */
/* Which built-in macros a world has. */
#include "mdb/mem/memory.h"
#include "mdb/shell/alias.h"
#include "mdb/world/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
test_alias_of_illumos_is_no_other_worlds(void **state)
{
	struct mdb_target *t =
		mdb_target_create_memory(mdb_memory_create_fake());
	struct mdb_world *own = mdb_world_create(t, MDB_WORLD_ILLUMOS, "a");
	struct mdb_world *other = mdb_world_create(t, MDB_WORLD_LINUX, "b");

	(void)state;
	mdb_target_add_world(t, own);
	mdb_target_add_world(t, other);
	assert_string_equal(mdb_alias_find(own, "utsname")->text,
		"utsname::print");
	assert_null(mdb_alias_find(other, "utsname"));
	assert_null(mdb_alias_find(NULL, "utsname"));
	assert_non_null(mdb_alias_find(other, "msgbuf"));
	assert_null(mdb_alias_find(own, "msg"));
	mdb_target_destroy(t);
}

static void
test_alias_of_hypervisor_needs_one(void **state)
{
	struct mdb_target *t =
		mdb_target_create_memory(mdb_memory_create_fake());
	struct mdb_world *kernel = mdb_world_create(t, MDB_WORLD_LINUX, "a");

	(void)state;
	mdb_target_add_world(t, kernel);
	assert_null(mdb_alias_find(kernel, "doms"));
	mdb_target_add_world(t, mdb_world_create(t, MDB_WORLD_XEN, "b"));
	assert_string_equal(mdb_alias_find(kernel, "doms")->text, "::domain");
	mdb_target_destroy(t);
}

static void
test_aliases_are_sorted(void **state)
{
	const struct mdb_alias *a, *before = mdb_alias_at(NULL, 0);
	size_t i;

	(void)state;
	for (i = 1; (a = mdb_alias_at(NULL, i)) != NULL; i++) {
		assert_true(strcmp(before->name, a->name) < 0);
		before = a;
	}
	assert_true(i > 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alias_of_illumos_is_no_other_worlds),
		cmocka_unit_test(test_alias_of_hypervisor_needs_one),
		cmocka_unit_test(test_aliases_are_sorted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
