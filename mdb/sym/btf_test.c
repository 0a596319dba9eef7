/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "mdb/base/ctx.h"
#include "mdb/sym/btf_build.h"
#include "mdb/sym/types.h"

static struct mdb_ctx cx;

static int
setup(void **state)
{
	(void)state;
	mdb_ctx_init(&cx);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	mdb_ctx_fini(&cx);
	return 0;
}

static struct mdb_types *
finish(struct btf_build *b, struct mdb_types *base)
{
	struct mdb_types *types = NULL;
	size_t len;
	void *bytes = btf_end(b, &len);

	assert_int_equal(mdb_btf_create(&cx, bytes, len, base, 8, &types),
		MDB_OK);
	return types;
}

static struct mdb_type
named(struct mdb_types *types, enum mdb_type_kind kind, const char *name)
{
	uint32_t id = types->ops->find(types, kind, name);

	assert_int_not_equal(id, 0);
	return (struct mdb_type){ types, id };
}

/* int 1, struct s { int a; union { int u; unsigned b:3, c:5; }; int d[4]; } */
static struct mdb_types *
sample(void)
{
	struct btf_build b;

	btf_begin(&b, 0);
	uint32_t i = btf_int(&b, "int", 4, 1);
	uint32_t u = btf_int(&b, "unsigned int", 4, 0);
	uint32_t array = btf_array(&b, i, 4);
	uint32_t anon = btf_type(&b, "", 5, 3, true, 4);
	btf_member(&b, "u", i, 0);
	btf_member(&b, "b", u, 3u << 24 | 0);
	btf_member(&b, "c", u, 5u << 24 | 3);
	btf_type(&b, "s", 4, 3, false, 24);
	btf_member(&b, "a", i, 0);
	btf_member(&b, "", anon, 32);
	btf_member(&b, "d", array, 64);
	return finish(&b, NULL);
}

static void
test_btf_members_are_found_through_anonymous_unions(void **state)
{
	struct mdb_types *types = sample();
	struct mdb_type s = named(types, MDB_T_STRUCT, "s");
	struct mdb_member m;
	uint64_t size;

	(void)state;
	assert_int_equal(mdb_type_size(&cx, s, &size), MDB_OK);
	assert_int_equal(size, 24);
	assert_int_equal(mdb_type_member(&cx, s, "c", &m), MDB_OK);
	assert_int_equal(m.bit_offset, 35);
	assert_int_equal(m.nr_bits, 5);
	assert_int_equal(mdb_type_member(&cx, s, "d[3]", &m), MDB_OK);
	assert_int_equal(m.bit_offset, 64 + 96);
	assert_int_equal(mdb_type_member(&cx, s, "d[4]", &m), MDB_E_NOTFOUND);
	assert_int_equal(mdb_type_member(&cx, s, "nosuch", &m), MDB_E_NOTFOUND);
	assert_non_null(strstr(mdb_trail(&cx), "nosuch"));
	mdb_types_destroy(types);
}

static void
test_btf_split_continues_its_base(void **state)
{
	struct mdb_types *base = sample(), *split;
	struct btf_build b;
	struct mdb_member m;

	(void)state;
	/* The strings of the sample, counted by what makes them. */
	uint32_t n = 1 + 4 + 13 + 2 + 2 + 2 + 2 + 2 + 2;
	btf_begin(&b, n);
	btf_type(&b, "t", 4, 2, false, 32);
	btf_member(&b, "x", 1, 0);
	btf_member(&b, "base", 5, 64);
	split = finish(&b, base);
	struct mdb_type t = named(split, MDB_T_STRUCT, "t");
	assert_int_equal(t.id, 6);
	assert_int_equal(mdb_type_member(&cx, t, "base.a", &m), MDB_OK);
	assert_int_equal(m.bit_offset, 64);
	assert_ptr_equal(m.type.types, base);
	assert_int_equal(split->ops->find(split, MDB_T_STRUCT, "s"), 0);
	mdb_types_destroy(split);
	mdb_types_destroy(base);
}

static void
test_btf_enums_know_their_sign(void **state)
{
	struct btf_build b;

	(void)state;
	btf_begin(&b, 0);
	btf_type(&b, "plain", 6, 1, false, 4);
	btf_u32(&b.types, btf_str(&b, "TOP"));
	btf_u32(&b.types, 0xffffffff);
	btf_type(&b, "wide", 19, 1, true, 8);
	btf_u32(&b.types, btf_str(&b, "NEG"));
	btf_u32(&b.types, 0xfffffffe);
	btf_u32(&b.types, 0xffffffff);
	struct mdb_types *types = finish(&b, NULL);
	struct mdb_type plain = named(types, MDB_T_ENUM, "plain");
	struct mdb_type wide = named(types, MDB_T_ENUM, "wide");

	assert_int_equal(mdb_type_enumerator_at(plain, 0).value, 0xffffffff);
	assert_int_equal(mdb_type_enumerator_at(wide, 0).value, -2);
	assert_string_equal(mdb_type_enum_name(wide, -2), "NEG");
	assert_null(mdb_type_enum_name(wide, 7));
	mdb_types_destroy(types);
}

static void
test_btf_old_bitfields_come_from_the_integer(void **state)
{
	struct btf_build b;
	struct mdb_member m;

	(void)state;
	btf_begin(&b, 0);
	uint32_t i = btf_type(&b, "unsigned int", 1, 0, false, 4);
	btf_u32(&b.types, 2 << 16 | 3);
	btf_type(&b, "old", 4, 1, false, 8);
	btf_member(&b, "bits", i, 32);
	struct mdb_types *types = finish(&b, NULL);
	struct mdb_type old = named(types, MDB_T_STRUCT, "old");

	assert_int_equal(mdb_type_member(&cx, old, "bits", &m), MDB_OK);
	assert_int_equal(m.bit_offset, 34);
	assert_int_equal(m.nr_bits, 3);
	mdb_types_destroy(types);
}

static void
test_btf_variables_and_tags_are_looked_through(void **state)
{
	struct btf_build b;

	(void)state;
	btf_begin(&b, 0);
	uint32_t i = btf_int(&b, "int", 4, 1);
	uint32_t tag = btf_type(&b, "percpu", 18, 0, false, i);
	btf_type(&b, "var", 14, 0, false, tag);
	btf_u32(&b.types, 0);
	uint32_t proto = btf_type(&b, "", 13, 1, false, i);
	btf_u32(&b.types, btf_str(&b, "arg"));
	btf_u32(&b.types, i);
	btf_type(&b, "fn", 12, 0, false, proto);
	struct mdb_types *types = finish(&b, NULL);
	struct mdb_type var = { types, types->ops->of_var(types, "var") };
	struct mdb_type fn = { types, types->ops->of_var(types, "fn") };

	assert_int_equal(mdb_type_kind(var), MDB_T_INT);
	assert_int_equal(mdb_type_kind(fn), MDB_T_FUNC);
	assert_string_equal(mdb_type_name(&cx, fn), "int (int)");
	assert_int_equal(types->ops->of_var(types, "none"), 0);
	mdb_types_destroy(types);
}

static void
test_btf_cycles_end(void **state)
{
	struct btf_build b;
	struct mdb_member m;
	uint64_t size;

	(void)state;
	btf_begin(&b, 0);
	btf_type(&b, "loop", 8, 0, false, 1); /* typedef of itself */
	btf_type(&b, "tag", 18, 0, false, 2); /* tag of itself */
	btf_array(&b, 3, 1);		      /* array of itself */
	btf_type(&b, "self", 4, 2, false, 8); /* holds itself */
	btf_member(&b, "", 4, 0);
	btf_member(&b, "", 4, 0);
	btf_type(&b, "", 2, 0, false, 5);  /* points to itself */
	btf_type(&b, "", 13, 1, false, 6); /* returns, takes itself */
	btf_u32(&b.types, 0);
	btf_u32(&b.types, 6);
	struct mdb_types *types = finish(&b, NULL);

	for (uint32_t id = 0; id < types->nr_ids + 2; id++) {
		struct mdb_type t = { types, id };

		(void)mdb_type_resolve(t);
		(void)mdb_type_name(&cx, t);
		(void)!mdb_type_size(&cx, t, &size);
		(void)!mdb_type_member(&cx, t, "nosuch", &m);
	}
	mdb_types_destroy(types);
}

/* Each cut and each byte changed: refused or bounded, never a crash. */
static void
test_btf_bad_bytes_do_no_harm(void **state)
{
	struct btf_build b;
	size_t len;

	(void)state;
	btf_begin(&b, 0);
	uint32_t i = btf_int(&b, "int", 4, 1);
	btf_type(&b, "s", 4, 1, false, 4);
	btf_member(&b, "a", i, 0);
	char *good = btf_end(&b, &len);

	for (size_t n = 0; n < 2 * len; n++) {
		struct mdb_types *types;
		size_t use = n < len ? n : len;
		char *bytes = malloc(use ? use : 1);

		memcpy(bytes, good, use);
		if (n >= len)
			bytes[n - len] ^= (char)0xff;
		if (mdb_btf_create(&cx, bytes, use, NULL, 8, &types) != MDB_OK)
			continue;
		for (uint32_t id = 0; id < types->nr_ids; id++)
			(void)mdb_type_name(&cx,
				(struct mdb_type){ types, id });
		(void)types->ops->find(types, MDB_T_STRUCT, "s");
		mdb_types_destroy(types);
	}
	free(good);
}

static void
test_btf_forward_is_completed(void **state)
{
	struct btf_build b;
	struct mdb_member m;

	(void)state;
	btf_begin(&b, 0);
	uint32_t i = btf_int(&b, "int", 4, 1);
	uint32_t fwd = btf_type(&b, "s", 7, 0, false, 0);
	btf_type(&b, "s", 4, 1, false, 4);
	btf_member(&b, "a", i, 0);
	btf_type(&b, "gone", 7, 0, true, 0);
	struct mdb_types *types = finish(&b, NULL);
	struct mdb_type t = { types, fwd };

	assert_int_equal(mdb_type_member(&cx, t, "a", &m), MDB_OK);
	t = named(types, MDB_T_FORWARD, "gone");
	assert_string_equal(mdb_type_name(&cx, t), "union gone");
	assert_int_equal(mdb_type_member(&cx, t, "a", &m), MDB_E_NOTFOUND);
	mdb_types_destroy(types);
}

/* What does not fit is cut visibly, not left out. */
static void
test_btf_long_names_are_cut(void **state)
{
	struct btf_build b;
	char name[3000];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	btf_begin(&b, 0);
	uint32_t s = btf_type(&b, name, 4, 0, false, 0);
	uint32_t c = btf_type(&b, "", 10, 0, false, s);
	uint32_t p = btf_type(&b, "", 2, 0, false, c);
	struct mdb_types *types = finish(&b, NULL);
	const char *text = mdb_type_name(&cx, (struct mdb_type){ types, p });

	assert_int_equal(strncmp(text, "const struct xxxx", 17), 0);
	assert_non_null(strstr(text, "x... *"));
	mdb_types_destroy(types);
}

/* Work that grows with the square of the count would not end. */
static void
test_btf_many_namesakes_cost_little(void **state)
{
	const uint32_t nr = 100000;
	struct btf_build b;

	(void)state;
	btf_begin(&b, 0);
	uint32_t first = btf_type(&b, "same", 8, 0, false, 0);
	uint32_t at = btf_str(&b, "other");
	for (uint32_t i = 0; i < nr; i++)
		btf_type(&b, "", 8, 0, false, 0);
	for (uint32_t i = 0; i < nr; i++) /* the names of all but the first */
		memcpy(b.types.data + 12 * (size_t)(i + 1),
			i + 1 < nr ? b.types.data : (const char *)&at, 4);
	struct mdb_types *types = finish(&b, NULL);

	assert_int_equal(types->ops->find(types, MDB_T_TYPEDEF, "same"), first);
	assert_int_not_equal(
		types->ops->find_nth(types, MDB_T_TYPEDEF, "same", 100), 0);
	assert_int_equal(types->ops->find_nth(types, MDB_T_TYPEDEF, "same", nr),
		0);
	assert_int_not_equal(types->ops->find(types, MDB_T_TYPEDEF, "other"),
		0);
	mdb_types_destroy(types);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_btf_members_are_found_through_anonymous_unions),
		cmocka_unit_test(test_btf_split_continues_its_base),
		cmocka_unit_test(test_btf_enums_know_their_sign),
		cmocka_unit_test(test_btf_old_bitfields_come_from_the_integer),
		cmocka_unit_test(
			test_btf_variables_and_tags_are_looked_through),
		cmocka_unit_test(test_btf_cycles_end),
		cmocka_unit_test(test_btf_bad_bytes_do_no_harm),
		cmocka_unit_test(test_btf_forward_is_completed),
		cmocka_unit_test(test_btf_many_namesakes_cost_little),
		cmocka_unit_test(test_btf_long_names_are_cut),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
