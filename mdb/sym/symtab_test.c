/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mdb/base/ctx.h"
#include "mdb/sym/symtab.h"

#include <elf.h>
#include <string.h>

#define MAX_SYMS 16

struct table {
	struct mdb_ctx cx;
	struct mdb_object object;
	Elf64_Sym syms[MAX_SYMS];
	size_t nr;
	char strings[256];
	size_t strings_len;
	struct mdb_symtab *t;
};

static void
setup(struct table *tb)
{
	memset(tb, 0, sizeof(*tb));
	mdb_ctx_init(&tb->cx);
	tb->object.base = 0x1000;
	tb->object.end = 0x2000;
	tb->nr = 1; /* the null symbol */
	tb->strings_len = 1;
}

static Elf64_Sym *
add(struct table *tb, const char *name, uint64_t value, uint64_t size,
	unsigned int info)
{
	Elf64_Sym *s = &tb->syms[tb->nr++];

	s->st_name = (Elf64_Word)tb->strings_len;
	s->st_value = value;
	s->st_size = size;
	s->st_info = (unsigned char)info;
	s->st_shndx = 1;
	memcpy(tb->strings + tb->strings_len, name, strlen(name) + 1);
	tb->strings_len += strlen(name) + 1;
	return s;
}

#define FUNC ELF64_ST_INFO(STB_GLOBAL, STT_FUNC)
#define LOCAL ELF64_ST_INFO(STB_LOCAL, STT_FUNC)
#define DATA ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT)
#define LABEL ELF64_ST_INFO(STB_LOCAL, STT_NOTYPE)

static void
make(struct table *tb)
{
	assert_int_equal(mdb_symtab_create(&tb->cx, tb->syms,
				 tb->nr * sizeof(tb->syms[0]), tb->strings,
				 tb->strings_len, &tb->t),
		MDB_OK);
}

static void
teardown(struct table *tb)
{
	mdb_symtab_destroy(tb->t);
	mdb_ctx_fini(&tb->cx);
}

static const char *
at(struct table *tb, mdb_addr_t addr, bool near)
{
	static struct mdb_sym sym;

	if (mdb_symtab_by_addr(tb->t, &tb->object, addr, near, &sym) != MDB_OK)
		return "";
	return sym.name;
}

static void
test_symtab_finds_by_address(void **state)
{
	struct table tb;

	(void)state;
	setup(&tb);
	add(&tb, "first", 0x1000, 0x10, FUNC);
	add(&tb, "second", 0x1020, 0x10, FUNC);
	make(&tb);
	assert_string_equal(at(&tb, 0xfff, true), "");
	assert_string_equal(at(&tb, 0x1000, false), "first");
	assert_string_equal(at(&tb, 0x100f, false), "first");
	assert_string_equal(at(&tb, 0x1010, false), "");
	assert_string_equal(at(&tb, 0x1010, true), "first");
	assert_string_equal(at(&tb, 0x1020, false), "second");
	assert_string_equal(at(&tb, UINT64_MAX, false), "");
	assert_string_equal(at(&tb, UINT64_MAX, true), "second");
	teardown(&tb);
}

static void
test_symtab_sorts_what_is_not(void **state)
{
	struct table tb;

	(void)state;
	setup(&tb);
	add(&tb, "late", 0x1800, 0x10, FUNC);
	add(&tb, "early", 0x1000, 0x10, FUNC);
	make(&tb);
	assert_string_equal(at(&tb, 0x1004, false), "early");
	assert_string_equal(at(&tb, 0x1804, false), "late");
	teardown(&tb);
}

static void
test_symtab_prefers_inner_and_public(void **state)
{
	struct table tb;

	(void)state;
	setup(&tb);
	add(&tb, "outer", 0x1000, 0x100, FUNC);
	add(&tb, "private", 0x1010, 0x10, LOCAL);
	add(&tb, "public", 0x1010, 0x10, FUNC);
	add(&tb, "label", 0x1018, 0, LABEL);
	make(&tb);
	assert_string_equal(at(&tb, 0x1014, false), "public");
	assert_string_equal(at(&tb, 0x1018, false), "public");
	assert_string_equal(at(&tb, 0x1020, false), "outer");
	teardown(&tb);
}

static void
test_symtab_label_names_its_own_address_only(void **state)
{
	struct table tb;

	(void)state;
	setup(&tb);
	add(&tb, "label", 0x1018, 0, LABEL);
	make(&tb);
	assert_string_equal(at(&tb, 0x1018, false), "label");
	assert_string_equal(at(&tb, 0x1019, false), "");
	assert_string_equal(at(&tb, 0x1019, true), "label");
	teardown(&tb);
}

static void
test_symtab_finds_by_name(void **state)
{
	struct table tb;
	struct mdb_sym sym;

	(void)state;
	setup(&tb);
	add(&tb, "twice", 0x1100, 0x10, LOCAL);
	add(&tb, "twice", 0x1200, 0x10, FUNC);
	add(&tb, "data", 0x3000, 8, DATA);
	make(&tb);
	assert_int_equal(mdb_symtab_by_name(tb.t, &tb.object, "twice", &sym),
		MDB_OK);
	assert_int_equal(sym.value, 0x1200);
	assert_int_equal(sym.kind, MDB_SYM_FUNC);
	assert_int_equal(sym.letter, 'T');
	assert_int_equal(mdb_symtab_by_name(tb.t, &tb.object, "data", &sym),
		MDB_OK);
	assert_int_equal(sym.kind, MDB_SYM_DATA);
	assert_int_equal(sym.size, 8);
	assert_true(sym.size_exact);
	assert_ptr_equal(sym.object, &tb.object);
	assert_int_equal(mdb_symtab_by_name(tb.t, &tb.object, "none", &sym),
		MDB_E_NOTFOUND);
	teardown(&tb);
}

static enum mdb_status
count_to_two(struct mdb_ctx *cx, const struct mdb_sym *sym, void *arg)
{
	unsigned int *n = arg;

	(void)cx;
	(void)sym;
	return ++*n == 2 ? MDB_DONE : MDB_OK;
}

static void
test_symtab_each_stops_when_told(void **state)
{
	struct table tb;
	unsigned int n = 0;

	(void)state;
	setup(&tb);
	add(&tb, "a", 0x1000, 1, FUNC);
	add(&tb, "b", 0x1001, 1, FUNC);
	add(&tb, "c", 0x1002, 1, FUNC);
	make(&tb);
	assert_int_equal(mdb_symtab_count(tb.t), 3);
	assert_int_equal(
		mdb_symtab_each(&tb.cx, tb.t, &tb.object, count_to_two, &n),
		MDB_DONE);
	assert_int_equal(n, 2);
	teardown(&tb);
}

static void
test_symtab_leaves_out_what_is_no_symbol(void **state)
{
	struct table tb;

	(void)state;
	setup(&tb);
	add(&tb, "file.c", 0, 0, ELF64_ST_INFO(STB_LOCAL, STT_FILE));
	add(&tb, "section", 0x1000, 0, ELF64_ST_INFO(STB_LOCAL, STT_SECTION));
	add(&tb, "undefined", 0, 0, FUNC)->st_shndx = SHN_UNDEF;
	add(&tb, "wild", 0x1000, 4, FUNC)->st_name = 0xffffff;
	add(&tb, "whole", 0x1000, 4, FUNC);
	make(&tb);
	assert_int_equal(mdb_symtab_count(tb.t), 1);
	assert_string_equal(at(&tb, 0x1000, false), "whole");
	teardown(&tb);
}

static void
test_symtab_refuses_what_has_none(void **state)
{
	struct table tb;

	(void)state;
	setup(&tb);
	assert_int_equal(mdb_symtab_create(&tb.cx, tb.syms, sizeof(tb.syms),
				 tb.strings, sizeof(tb.strings), &tb.t),
		MDB_E_CORRUPT);
	add(&tb, "a", 0x1000, 1, FUNC);
	assert_int_equal(
		mdb_symtab_create(&tb.cx, tb.syms, 2 * 24, "abc", 3, &tb.t),
		MDB_E_CORRUPT);
	assert_int_equal(mdb_symtab_create(&tb.cx, NULL, 0, "", 1, &tb.t),
		MDB_E_CORRUPT);
	mdb_ctx_fini(&tb.cx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_symtab_finds_by_address),
		cmocka_unit_test(test_symtab_sorts_what_is_not),
		cmocka_unit_test(test_symtab_prefers_inner_and_public),
		cmocka_unit_test(test_symtab_label_names_its_own_address_only),
		cmocka_unit_test(test_symtab_finds_by_name),
		cmocka_unit_test(test_symtab_each_stops_when_told),
		cmocka_unit_test(test_symtab_leaves_out_what_is_no_symbol),
		cmocka_unit_test(test_symtab_refuses_what_has_none),
	};

	return cmocka_run_group_tests_name("symtab", tests, NULL, NULL);
}
