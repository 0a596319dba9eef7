/* SPDX-License-Identifier: MIT */
/* The test program's own debug data is what is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "mdb/base/ctx.h"
#include "mdb/sym/debugfile.h"
#include "mdb/sym/types.h"

#define SELF "/proc/self/exe"

enum sample_enum {
	SAMPLE_NEG = -1,
	SAMPLE_ONE = 1
};

struct sample_undefined;

struct sample_dwarf {
	int a;
	union {
		unsigned long u;
		char text[8];
	};
	unsigned int low : 3, high : 5;
	short grid[2][3];
	enum sample_enum e;
	struct sample_undefined *gone;
	int (*call)(const struct sample_dwarf *, ...);
	_Bool flag;
	char open[];
};

struct sample_dwarf *volatile sample_variable;
static struct mdb_ctx cx;
static struct mdb_types *types;

static int
setup(void **state)
{
	(void)state;
	mdb_ctx_init(&cx);
	return mdb_dwarf_create(&cx, SELF, sizeof(void *), &types) != MDB_OK;
}

static int
teardown(void **state)
{
	(void)state;
	mdb_types_destroy(types);
	mdb_ctx_fini(&cx);
	return 0;
}

static struct mdb_type
sample(void)
{
	uint32_t id = types->ops->find(types, MDB_T_STRUCT, "sample_dwarf");

	assert_int_not_equal(id, 0);
	return (struct mdb_type){ types, id };
}

static void
test_dwarf_agrees_with_the_compiler(void **state)
{
	struct mdb_type s = sample();
	struct mdb_member m;
	uint64_t size;

	(void)state;
	assert_int_equal(mdb_type_size(&cx, s, &size), MDB_OK);
	assert_int_equal(size, sizeof(struct sample_dwarf));
	assert_int_equal(mdb_type_member(&cx, s, "text", &m), MDB_OK);
	assert_int_equal(m.bit_offset / 8, offsetof(struct sample_dwarf, text));
	assert_string_equal(mdb_type_name(&cx, m.type), "char [8]");
	assert_int_equal(mdb_type_member(&cx, s, "high", &m), MDB_OK);
	assert_int_equal(m.nr_bits, 5);
	assert_int_equal(m.bit_offset % 32, 3);
	assert_int_equal(mdb_type_member(&cx, s, "grid[1][2]", &m), MDB_OK);
	assert_int_equal(m.bit_offset / 8,
		offsetof(struct sample_dwarf, grid[1][2]));
	assert_int_equal(mdb_type_member(&cx, s, "flag", &m), MDB_OK);
	assert_true(mdb_type_int_info(m.type).is_bool);
	assert_int_equal(mdb_type_member(&cx, s, "open", &m), MDB_OK);
	assert_int_equal(mdb_type_array_count(m.type), 0);
}

static void
test_dwarf_spells_members(void **state)
{
	struct mdb_type s = sample();
	struct mdb_member m;

	(void)state;
	assert_int_equal(mdb_type_member(&cx, s, "call", &m), MDB_OK);
	assert_string_equal(mdb_type_name(&cx, m.type),
		"int (*)(const struct sample_dwarf *, ...)");
	assert_int_equal(mdb_type_member(&cx, s, "gone", &m), MDB_OK);
	assert_string_equal(mdb_type_name(&cx, m.type),
		"struct sample_undefined *");
	assert_int_equal(mdb_type_member(&cx, s, "grid", &m), MDB_OK);
	assert_string_equal(mdb_type_name(&cx, m.type), "short [2][3]");
}

static void
test_dwarf_enums_are_signed_by_their_values(void **state)
{
	struct mdb_member m;

	(void)state;
	assert_int_equal(mdb_type_member(&cx, sample(), "e", &m), MDB_OK);
	assert_string_equal(mdb_type_enum_name(m.type, -1), "SAMPLE_NEG");
	assert_true(mdb_type_int_info(m.type).is_signed);
}

static void
test_dwarf_knows_variables_and_functions(void **state)
{
	struct mdb_type t = { types, 0 };

	(void)state;
	sample_variable = NULL;
	t.id = types->ops->of_var(types, "sample_variable");
	assert_string_equal(mdb_type_name(&cx, t),
		"struct sample_dwarf *volatile");
	t.id = types->ops->of_var(types, "test_dwarf_spells_members");
	assert_string_equal(mdb_type_name(&cx, t), "void (void **)");
	assert_int_equal(types->ops->of_var(types, "no_such_variable"), 0);
	assert_int_equal(
		types->ops->find(types, MDB_T_STRUCT, "sample_undefined"), 0);
}

static void
test_dwarf_refuses_what_is_no_elf_file(void **state)
{
	struct mdb_types *none = NULL;

	(void)state;
	assert_int_equal(mdb_dwarf_create(&cx, "/", 8, &none), MDB_E_FORMAT);
	assert_int_equal(mdb_dwarf_create(&cx, "/etc/passwd", 8, &none),
		MDB_E_FORMAT);
	assert_int_equal(mdb_dwarf_create(&cx, "/no/such/file", 8, &none),
		MDB_E_SYSTEM);
	assert_null(none);
}

static void
test_debugfile_names_both_ids_of_a_wrong_file(void **state)
{
	char id[MDB_BUILD_ID_TEXT] = "";
	const char *path;

	(void)state;
	if (mdb_build_id_of_file(&cx, SELF, id) != MDB_OK)
		skip();
	assert_int_equal(mdb_debugfile_check(&cx, SELF, "vmlinux", id), MDB_OK);
	assert_int_equal(mdb_debugfile_check(&cx, SELF, "vmlinux", "00ff"),
		MDB_E_FORMAT);
	assert_non_null(strstr(mdb_trail(&cx), id));
	assert_non_null(strstr(mdb_trail(&cx), "00ff"));
	assert_int_equal(mdb_debugfile_find(&cx, "/nowhere", id, &path),
		MDB_E_NOTFOUND);
	assert_int_equal(mdb_debugfile_find(&cx, "/", "../../etc", &path),
		MDB_E_NOTFOUND);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dwarf_agrees_with_the_compiler),
		cmocka_unit_test(test_dwarf_spells_members),
		cmocka_unit_test(test_dwarf_enums_are_signed_by_their_values),
		cmocka_unit_test(test_dwarf_knows_variables_and_functions),
		cmocka_unit_test(test_dwarf_refuses_what_is_no_elf_file),
		cmocka_unit_test(test_debugfile_names_both_ids_of_a_wrong_file),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
