/* SPDX-License-Identifier: MIT */
/* Shapes and type names on a fake world whose types are built here. */
#include "mdb/base/ctx.h"
#include "mdb/mem/memory.h"
#include "mdb/sym/btf_build.h"
#include "mdb/world/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OBJECT 0x1000

struct fixture {
	struct mdb_ctx cx;
	struct mdb_target *target;
	struct mdb_world *world;
	struct mdb_loc loc;
};

/*
 * struct counter { int value; };
 * struct thing {
 *	int negative; struct counter count; unsigned a:4, b:4;
 *	char name[8] at 16; struct thing *next at 24; pad; long far at 12288;
 * };
 */
static struct mdb_types *
make_types(struct mdb_ctx *cx)
{
	struct mdb_types *types = NULL;
	struct btf_build b;
	size_t len;

	btf_begin(&b, 0);
	uint32_t i = btf_int(&b, "int", 4, 1);
	uint32_t c = btf_int(&b, "char", 1, 0);
	uint32_t l = btf_int(&b, "long int", 8, 1);
	uint32_t name = btf_array(&b, c, 8);
	uint32_t counter = btf_type(&b, "counter", 4, 1, false, 4);
	btf_member(&b, "value", i, 0);
	uint32_t next = btf_type(&b, "", 2, 0, false, b.nr + 2);
	btf_type(&b, "thing", 4, 7, true, 12296);
	btf_member(&b, "negative", i, 0);
	btf_member(&b, "count", counter, 32);
	btf_member(&b, "a", i, 4u << 24 | 64);
	btf_member(&b, "b", i, 4u << 24 | 68);
	btf_member(&b, "name", name, 128);
	btf_member(&b, "next", next, 192);
	btf_member(&b, "far", l, 12288 * 8);
	btf_type(&b, "init_task", 14, 0, false, b.nr);
	btf_u32(&b.types, 0);
	void *bytes = btf_end(&b, &len);
	assert_int_equal(mdb_btf_create(cx, bytes, len, NULL, 8, &types),
		MDB_OK);
	return types;
}

static void
put(struct fixture *f, uint64_t addr, uint64_t v, size_t len)
{
	mdb_fake_write(f->target->memory, addr, &v, len);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct mdb_world *w;

	if (!f)
		return -1;
	mdb_ctx_init(&f->cx);
	f->target = mdb_target_create_memory(mdb_memory_create_fake());
	w = mdb_world_create(f->target, MDB_WORLD_LINUX, "fake");
	w->space = mdb_space_create("fake", f->target->memory, w->arch,
		MDB_PAGING_NONE, 0);
	mdb_space_add_window(w->space, OBJECT, 0x10000, 0);
	w->objects = mdb_object_create(w, "vmlinux");
	w->objects->types = make_types(&f->cx);
	w->objects->types_tried = true;
	w->objects_loaded = true;
	mdb_target_add_world(f->target, w);
	f->cx.target = f->target;
	f->cx.world = f->world = w;
	f->loc = mdb_kernel_loc(w, OBJECT);
	put(f, OBJECT, (uint32_t)-5, 4);
	put(f, OBJECT + 4, 77, 4);
	put(f, OBJECT + 8, 0x93, 4);
	mdb_fake_write(f->target->memory, OBJECT + 16, "abcdefgh", 8);
	put(f, OBJECT + 24, 0xffff888012345678, 8);
	put(f, OBJECT + 12288, 99, 8);
	mdb_fake_fault(f->target->memory, OBJECT + 0x1000, MDB_E_EXCLUDED);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	mdb_target_destroy(f->target);
	mdb_ctx_fini(&f->cx);
	free(f);
	return 0;
}

struct local {
	int64_t negative;
	uint32_t count;
	uint8_t b;
	int8_t a;
	char name[4];
	uint64_t next;
	uint64_t name_addr;
	uint32_t absent;
	uint64_t far;
};

static const struct mdb_field local_fields[] = {
	MDB_FIELD(struct local, negative, "older\0negative"),
	MDB_FIELD(struct local, count, "count"),
	MDB_FIELD(struct local, b, "b"),
	MDB_FIELD(struct local, a, "a"),
	MDB_FIELD(struct local, name, "name"),
	MDB_FIELD(struct local, next, "next"),
	MDB_FIELD_ADDR(struct local, name_addr, "name[2]"),
	MDB_FIELD_OPT(struct local, absent, "was\0never\0there"),
	MDB_FIELD(struct local, far, "far"),
	MDB_FIELD_END,
};
static const struct mdb_shape local_shape = { "struct thing", local_fields };

static void
test_shape_converts_to_the_local_fields(void **state)
{
	struct fixture *f = *state;
	struct local l;

	for (int i = 0; i < 3; i++) {
		memset(&l, 0xff, sizeof(l));
		assert_int_equal(
			mdb_read_shape(&f->cx, &local_shape, f->loc, &l),
			MDB_OK);
		assert_int_equal(l.negative, -5);
		assert_int_equal(l.count, 77);
		assert_int_equal(l.a, 3);
		assert_int_equal(l.b, (uint8_t)-7);
		assert_memory_equal(l.name, "abcd", 4);
		assert_int_equal(l.next, 0xffff888012345678);
		assert_int_equal(l.name_addr, OBJECT + 18);
		assert_int_equal(l.absent, 0);
		assert_int_equal(l.far, 99);
	}
	assert_false(mdb_shape_has(&f->cx, f->world, &local_shape, 7));
	assert_true(mdb_shape_has(&f->cx, f->world, &local_shape, 0));
}

/* The page between the members is excluded: it must not be read. */
static void
test_shape_touches_only_pages_with_members(void **state)
{
	struct fixture *f = *state;
	struct local l;

	assert_int_equal(mdb_read_shape(&f->cx, &local_shape, f->loc, &l),
		MDB_OK);
	mdb_fake_fault(f->target->memory, OBJECT + 0x3000, MDB_E_LOST);
	assert_int_equal(mdb_read_shape(&f->cx, &local_shape, f->loc, &l),
		MDB_E_LOST);
	assert_non_null(strstr(mdb_trail(&f->cx), "struct thing far"));
}

static void
test_shape_absent_member_is_named(void **state)
{
	static const struct mdb_field fields[] = {
		MDB_FIELD(struct local, far, "one\0other"),
		MDB_FIELD_END,
	};
	static const struct mdb_shape shape = { "struct thing", fields };
	static const struct mdb_shape unknown = { "struct gone", fields };
	struct fixture *f = *state;
	struct local l;

	assert_int_equal(mdb_read_shape(&f->cx, &shape, f->loc, &l),
		MDB_E_NOTFOUND);
	assert_non_null(strstr(mdb_trail(&f->cx), "struct thing"));
	assert_non_null(strstr(mdb_trail(&f->cx), "other"));
	assert_int_equal(mdb_read_shape(&f->cx, &unknown, f->loc, &l),
		MDB_E_NOTFOUND);
	assert_non_null(strstr(mdb_trail(&f->cx), "struct gone"));
}

static void
test_shape_number_that_does_not_fit_is_refused(void **state)
{
	static const struct mdb_field fields[] = {
		MDB_FIELD(struct local, count, "next"),
		MDB_FIELD_END,
	};
	static const struct mdb_shape shape = { "struct thing", fields };
	struct fixture *f = *state;
	struct local l;

	assert_int_equal(mdb_read_shape(&f->cx, &shape, f->loc, &l),
		MDB_E_CORRUPT);
	put(f, OBJECT + 24, 12, 8);
	assert_int_equal(mdb_read_shape(&f->cx, &shape, f->loc, &l), MDB_OK);
	assert_int_equal(l.count, 12);
}

static void
test_offset_of_takes_alternatives(void **state)
{
	struct fixture *f = *state;
	uint64_t off = 0;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(mdb_offset_of(&f->cx, f->world, "struct thing",
					 "nope\0far\0", &off),
			MDB_OK);
		assert_int_equal(off, 12288);
	}
	assert_int_equal(
		mdb_offset_of(&f->cx, f->world, "struct thing", "nope\0", &off),
		MDB_E_NOTFOUND);
}

static void
test_type_by_name_says_what_is_missing(void **state)
{
	struct fixture *f = *state;
	struct mdb_type type;

	assert_int_equal(
		mdb_type_by_name(&f->cx, f->world, "struct thing *", &type),
		MDB_OK);
	assert_string_equal(mdb_type_name(&f->cx, type), "struct thing *");
	assert_int_equal(mdb_type_by_name(&f->cx, f->world,
				 "vmlinux`struct thing", &type),
		MDB_OK);
	assert_int_equal(
		mdb_type_by_name(&f->cx, f->world, "ext4`struct thing", &type),
		MDB_E_NOTFOUND);
	assert_non_null(strstr(mdb_trail(&f->cx), "ext4"));
	assert_int_equal(
		mdb_type_by_name(&f->cx, f->world, "struct x\033", &type),
		MDB_E_SYNTAX);
	assert_int_equal(mdb_type_by_name(&f->cx, f->world, "long long", &type),
		MDB_OK);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_shape_converts_to_the_local_fields),
		TEST(test_shape_touches_only_pages_with_members),
		TEST(test_shape_absent_member_is_named),
		TEST(test_shape_number_that_does_not_fit_is_refused),
		TEST(test_offset_of_takes_alternatives),
		TEST(test_type_by_name_says_what_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
