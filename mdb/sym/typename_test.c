/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "mdb/base/ctx.h"
#include "mdb/sym/btf_build.h"
#include "mdb/sym/typename.h"

static struct mdb_ctx cx;
static struct mdb_types *types;

/* int, char, struct foo, typedef foo_t, int (*)(struct foo *, ...), void * */
static int
setup(void **state)
{
	struct btf_build b;
	size_t len;

	(void)state;
	mdb_ctx_init(&cx);
	btf_begin(&b, 0);
	uint32_t i = btf_int(&b, "int", 4, 1);
	btf_int(&b, "char", 1, 0);
	btf_int(&b, "long unsigned int", 8, 0);
	uint32_t foo = btf_type(&b, "foo", 4, 1, false, 4);
	btf_member(&b, "a", i, 0);
	btf_type(&b, "foo_t", 8, 0, false, foo);
	uint32_t cfoo = btf_type(&b, "", 10, 0, false, foo);
	uint32_t pfoo = btf_type(&b, "", 2, 0, false, cfoo);
	uint32_t fn = btf_type(&b, "", 13, 2, false, i);
	btf_u32(&b.types, 0);
	btf_u32(&b.types, pfoo);
	btf_u32(&b.types, 0);
	btf_u32(&b.types, 0);
	uint32_t pfn = btf_type(&b, "", 2, 0, false, fn);
	btf_array(&b, pfn, 3);
	btf_type(&b, "", 10, 0, false, pfoo);
	void *bytes = btf_end(&b, &len);
	return mdb_btf_create(&cx, bytes, len, NULL, 8, &types) != MDB_OK;
}

static int
teardown(void **state)
{
	(void)state;
	mdb_types_destroy(types);
	mdb_ctx_fini(&cx);
	return 0;
}

static const char *
round_trip(const char *text)
{
	struct mdb_typename tn;
	struct mdb_type type;

	if (mdb_typename_parse(&cx, text, &tn) != MDB_OK)
		return "syntax";
	if (mdb_typename_find(types, &tn, &type) != MDB_OK)
		return "none";
	return mdb_type_name(&cx, type);
}

static void
test_typename_names_round_trip(void **state)
{
	static const struct {
		const char *text, *name;
	} cases[] = {
		{ "struct foo", "struct foo" },
		{ "foo", "struct foo" },
		{ "foo_t", "foo_t" },
		{ "const struct foo *", "struct foo *" },
		{ "struct foo*", "struct foo *" },
		{ "struct foo *const *", "struct foo **" },
		{ "char [16]", "char [16]" },
		{ "char[2][3]", "char [2][3]" },
		{ "int *[4]", "int *[4]" },
		{ "int (*)[4]", "int (*)[4]" },
		{ "int (*(*)[2])[4]", "int (*(*)[2])[4]" },
		{ "unsigned long", "unsigned long" },
		{ "long unsigned int", "unsigned long" },
		{ "long long unsigned", "unsigned long long" },
		{ "unsigned", "unsigned int" },
		{ "short", "short" },
		{ "signed char", "signed char" },
		{ "void *", "void *" },
		{ "_Bool", "_Bool" },
		{ "ext4`struct foo", "struct foo" },
		{ "struct ext4`foo *", "struct foo *" },
		{ "struct bar", "none" },
		{ "union foo", "none" },
		{ "", "syntax" },
		{ "struct", "syntax" },
		{ "struct foo bar", "syntax" },
		{ "int [", "syntax" },
		{ "int (*", "syntax" },
		{ "int (*)(int)", "syntax" },
		{ "int )", "syntax" },
		{ "a`b`c", "none" },
		{ "a`struct b`c", "syntax" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(round_trip(cases[i].text), cases[i].name);
}

static void
test_typename_object_may_stand_on_either_side(void **state)
{
	struct mdb_typename tn;

	(void)state;
	assert_int_equal(mdb_typename_parse(&cx, "ext4`struct foo *", &tn),
		MDB_OK);
	assert_string_equal(tn.object, "ext4");
	assert_string_equal(tn.name, "foo");
	assert_int_equal(mdb_typename_parse(&cx, "struct d1:x`foo", &tn),
		MDB_E_SYNTAX);
	assert_int_equal(mdb_typename_parse(&cx, "struct ext4`foo", &tn),
		MDB_OK);
	assert_string_equal(tn.object, "ext4");
}

static void
test_typename_spells_function_pointers(void **state)
{
	(void)state;
	assert_string_equal(mdb_type_name(&cx, (struct mdb_type){ types, 9 }),
		"int (*)(const struct foo *, ...)");
	assert_string_equal(mdb_type_name(&cx, (struct mdb_type){ types, 10 }),
		"int (*[3])(const struct foo *, ...)");
	assert_string_equal(mdb_type_name(&cx, (struct mdb_type){ types, 11 }),
		"const struct foo *const");
}

static void
test_typename_derived_types_are_the_same_each_time(void **state)
{
	struct mdb_type foo = { types, 4 }, p, q;
	uint64_t size;

	(void)state;
	p = mdb_type_derive_pointer(foo);
	q = mdb_type_derive_pointer(foo);
	assert_int_equal(p.id, q.id);
	assert_int_equal(mdb_type_target(p).id, 4);
	assert_ptr_equal(mdb_type_target(p).types, types);
	p = mdb_type_derive_array(p, 5);
	assert_int_equal(mdb_type_size(&cx, p, &size), MDB_OK);
	assert_int_equal(size, 40);
	assert_int_equal(mdb_type_target(p).id, q.id);
}

static void
test_typename_integers_without_any_container(void **state)
{
	struct mdb_types *plain = mdb_types_create_plain(4);
	struct mdb_typename tn;
	struct mdb_type type;
	uint64_t size;

	(void)state;
	assert_int_equal(mdb_typename_parse(&cx, "unsigned long *[2]", &tn),
		MDB_OK);
	assert_int_equal(mdb_typename_find(plain, &tn, &type), MDB_OK);
	assert_int_equal(mdb_type_size(&cx, type, &size), MDB_OK);
	assert_int_equal(size, 8);
	type = mdb_type_target(mdb_type_target(type));
	assert_int_equal(mdb_type_size(&cx, type, &size), MDB_OK);
	assert_int_equal(size, 4);
	assert_false(mdb_type_int_info(type).is_signed);
	mdb_types_destroy(plain);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_typename_names_round_trip),
		cmocka_unit_test(test_typename_object_may_stand_on_either_side),
		cmocka_unit_test(test_typename_spells_function_pointers),
		cmocka_unit_test(
			test_typename_derived_types_are_the_same_each_time),
		cmocka_unit_test(test_typename_integers_without_any_container),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
