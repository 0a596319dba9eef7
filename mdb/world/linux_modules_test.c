/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "mdb/sym/btf_build.h"
#include "mdb/world/linux_build.h"

#define KIND_STRUCT 4u

#define MODULE(i) (DATA + 0x60000 + 0x1000ull * (i))
#define MODTEXT(i) (DATA + 0x80000 + 0x4000ull * (i))
#define SYMTAB (DATA + 0xa0000)

static struct mdb_ctx cx;

struct member {
	const char *name; /* NULL: no more */
	uint32_t type, at;
};

/* A struct of these members; the type's id. */
static uint32_t
members(struct btf_build *b, const char *name, uint32_t size,
	const struct member *m)
{
	uint32_t nr = 0;
	uint32_t id;

	while (m[nr].name)
		nr++;
	id = btf_type(b, name, KIND_STRUCT, nr, false, size);
	for (uint32_t i = 0; i < nr; i++)
		btf_member(b, m[i].name, m[i].type, 8 * m[i].at);
	return id;
}

/* struct module as far as it is wanted, with mem[] or core_layout. */
static uint64_t
put_btf(struct kernel *k, bool new_layout)
{
	struct btf_build b;
	size_t len;
	void *bytes;

	btf_begin(&b, 0);
	uint32_t u32 = btf_int(&b, "unsigned int", 4, 0);
	uint32_t u64 = btf_int(&b, "unsigned long", 8, 0);
	uint32_t c = btf_int(&b, "char", 1, 1);
	uint32_t name = btf_array(&b, c, 56);
	const struct member head_m[] = { { "next", u64, 0 }, { "prev", u64, 8 },
		{ NULL, 0, 0 } };
	uint32_t head = members(&b, "list_head", 16, head_m);
	const struct member memory_m[] = { { "base", u64, 0 },
		{ "size", u32, 8 }, { NULL, 0, 0 } };
	uint32_t memory = members(&b, "module_memory", 16, memory_m);
	uint32_t mem = btf_array(&b, memory, 7);
	const struct member layout_m[] = { { "base", u64, 0 },
		{ "size", u32, 8 }, { "text_size", u32, 12 },
		{ "ro_size", u32, 16 }, { NULL, 0, 0 } };
	uint32_t layout = members(&b, "module_layout", 24, layout_m);
	const struct member arch_m[] = { { "num_orcs", u32, 0 },
		{ "orc_unwind_ip", u64, 8 }, { "orc_unwind", u64, 16 },
		{ NULL, 0, 0 } };
	uint32_t arch = members(&b, "mod_arch_specific", 24, arch_m);
	const struct member kallsyms_m[] = { { "symtab", u64, 0 },
		{ "num_symtab", u32, 8 }, { "strtab", u64, 16 },
		{ "typetab", u64, 24 }, { NULL, 0, 0 } };

	(void)members(&b, "mod_kallsyms", 32, kallsyms_m);

	const struct member new_m[] = { { "state", u32, 0 },
		{ "list", head, 8 }, { "name", name, 24 }, { "mem", mem, 80 },
		{ "kallsyms", u64, 192 }, { "arch", arch, 200 },
		{ NULL, 0, 0 } };
	const struct member old_m[] = { { "state", u32, 0 },
		{ "list", head, 8 }, { "name", name, 24 },
		{ "core_layout", layout, 80 }, { "init_layout", layout, 104 },
		{ "kallsyms", u64, 192 }, { "arch", arch, 200 },
		{ NULL, 0, 0 } };

	(void)members(&b, "module", 256, new_layout ? new_m : old_m);
	bytes = btf_end(&b, &len);
	put(k, BTF, bytes, len);
	free(bytes);
	return len;
}

static void
put_module(struct kernel *k, unsigned int i, const char *name, bool new_layout,
	mdb_addr_t next)
{
	mdb_addr_t m = MODULE(i);

	put_u64(k, m, 0);
	put_u64(k, m + 8, next);
	put(k, m + 24, name, strlen(name) + 1);
	put_u64(k, m + 80, MODTEXT(i));
	if (new_layout) {
		put_u64(k, m + 88, 0x1000);
		put_u64(k, m + 96, MODTEXT(i) + 0x1000);
		put_u64(k, m + 104, 0x800);
	} else {
		put_u64(k, m + 88, 0x3000 | 0x1000ull << 32);
		put_u64(k, m + 96, 0x2000);
	}
	put_u64(k, m + 192, SYMTAB);
	put_u64(k, m + 200, 7);
	put_u64(k, m + 208, MODTEXT(i) + 0x1800);
	put_u64(k, m + 216, MODTEXT(i) + 0x1900);
}

static void
put_sym(struct kernel *k, unsigned int i, uint32_t name, uint8_t bind,
	mdb_addr_t value, uint64_t size)
{
	put_u64(k, SYMTAB + 0x100 + 24 * i,
		name | (uint64_t)bind << 36 | 1ull << 48);
	put_u64(k, SYMTAB + 0x108 + 24 * i, value);
	put_u64(k, SYMTAB + 0x110 + 24 * i, size);
}

/* Symbols of module 0, which all modules share. */
static void
put_symtab(struct kernel *k, uint32_t count)
{
	static const char strings[] = "\0cleanup\0init_one\0table";

	put_u64(k, SYMTAB, SYMTAB + 0x100);
	put_u64(k, SYMTAB + 8, count);
	put_u64(k, SYMTAB + 16, SYMTAB + 0x800);
	put_u64(k, SYMTAB + 24, SYMTAB + 0x900);
	put(k, SYMTAB + 0x800, strings, sizeof(strings));
	put(k, SYMTAB + 0x900, "?ttd", 4);
	put_sym(k, 1, 9, 1, MODTEXT(0) + 0x100, 0x40);
	put_sym(k, 2, 1, 0, MODTEXT(0) + 0x200, 0);
	put_sym(k, 3, 18, 0, MODTEXT(0) + 0x1000, 8);
}

/* Two modules; what comes after the second is the test's. */
static struct mdb_world *
begin(struct kernel *k, bool new_layout, mdb_addr_t after)
{
	struct kernel probe = { .mem = mdb_memory_create_fake() };
	uint64_t len = put_btf(&probe, new_layout);

	mdb_memory_destroy(probe.mem);
	kernel_init(k, len);
	(void)put_btf(k, new_layout);
	put_u64(k, MODULES, MODULE(0) + 8);
	put_module(k, 0, "ext9", new_layout, MODULE(1) + 8);
	put_module(k, 1, "jbd9", new_layout, after);
	put_symtab(k, 4);
	mdb_ctx_init(&cx);
	cx.target = k->target;
	assert_int_equal(mdb_find_linux(&cx, k->target), MDB_OK);
	cx.world = k->target->worlds;
	return cx.world;
}

static void
end(struct kernel *k)
{
	kernel_fini(k);
	mdb_ctx_fini(&cx);
}

static size_t
count(struct mdb_world *w)
{
	size_t n = 0;

	for (struct mdb_object *o = mdb_world_objects(&cx, w); o; o = o->next)
		n++;
	return n;
}

static void
test_linux_modules_lie_where_either_layout_says(void **state)
{
	(void)state;
	for (int new_layout = 0; new_layout < 2; new_layout++) {
		struct kernel k;
		struct mdb_world *w = begin(&k, new_layout, MODULES);
		struct mdb_object *o;

		assert_int_equal(count(w), 3);
		o = w->objects->next;
		assert_string_equal(o->name, "ext9");
		assert_string_equal(o->next->name, "jbd9");
		assert_int_equal(o->struct_addr, MODULE(0));
		assert_int_equal(o->base, MODTEXT(0));
		assert_int_equal(o->end, MODTEXT(0) + 0x1000);
		assert_int_equal(o->size, new_layout ? 0x1800 : 0x3000);
		assert_int_equal(o->orc_count, 7);
		assert_int_equal(o->orc_ip_addr, MODTEXT(0) + 0x1800);
		assert_int_equal(o->orc_addr, MODTEXT(0) + 0x1900);
		end(&k);
	}
}

static void
test_linux_modules_have_symbols(void **state)
{
	struct kernel k;
	struct mdb_world *w = begin(&k, true, MODULES);
	struct mdb_sym sym;

	(void)state;
	assert_int_equal(mdb_sym_by_name(&cx, w, "ext9`init_one", &sym),
		MDB_OK);
	assert_int_equal(sym.value, MODTEXT(0) + 0x100);
	assert_int_equal(sym.size, 0x40);
	assert_true(sym.size_exact);
	assert_true(sym.global);
	assert_int_equal(sym.letter, 'T');
	assert_int_equal(sym.kind, MDB_SYM_FUNC);
	assert_string_equal(
		mdb_sym_format(&cx, mdb_kernel_loc(w, MODTEXT(0) + 0x13f)),
		"ext9`init_one+0x3f");
	/* Past the function's end, before the next: in none. */
	assert_int_equal(mdb_sym_by_addr(&cx,
				 mdb_kernel_loc(w, MODTEXT(0) + 0x140), false,
				 &sym),
		MDB_E_NOTFOUND);
	/* Without a size it goes on to the end of its section. */
	assert_string_equal(
		mdb_sym_format(&cx, mdb_kernel_loc(w, MODTEXT(0) + 0xfff)),
		"ext9`cleanup+0xdff");
	assert_string_equal(
		mdb_sym_format(&cx, mdb_kernel_loc(w, MODTEXT(0) + 0x1004)),
		"ext9`table+0x4");
	end(&k);
}

static void
test_linux_modules_ends_on_a_cycle(void **state)
{
	struct kernel k;
	struct mdb_world *w = begin(&k, true, MODULE(1) + 8);

	(void)state;
	assert_int_equal(count(w), 3);
	end(&k);
	w = begin(&k, true, MODULE(0) + 8);
	assert_in_range(count(w), 3, 8);
	end(&k);
}

static void
test_linux_modules_keeps_those_before_a_cut(void **state)
{
	struct kernel k;
	struct mdb_world *w = begin(&k, true, 0xffffffffbf000008);

	(void)state;
	assert_int_equal(count(w), 3);
	end(&k);
	w = begin(&k, true, MODULES);
	put(&k, MODULE(1) + 24, "\x01\xff", 3);
	assert_int_equal(count(w), 2);
	end(&k);
}

static void
test_linux_modules_bounds_the_symbol_count(void **state)
{
	struct kernel k;
	struct mdb_world *w = begin(&k, true, MODULES);
	struct mdb_sym sym;

	(void)state;
	put_symtab(&k, 0xffffffff);
	assert_int_equal(mdb_sym_by_name(&cx, w, "ext9`init_one", &sym),
		MDB_E_NOTFOUND);
	end(&k);
	w = begin(&k, true, MODULES);
	put_u64(&k, SYMTAB + 16, 0x10);
	assert_int_equal(mdb_sym_by_name(&cx, w, "ext9`init_one", &sym),
		MDB_E_NOTFOUND);
	end(&k);
}

/* All modules may point to one large table. */
static void
test_linux_modules_bounds_all_tables_together(void **state)
{
	struct kernel k;
	struct mdb_world *w = begin(&k, true, MODULES);
	struct mdb_sym sym;

	(void)state;
	mdb_linux_of(w)->modules_len = 1ull << 30;
	assert_int_equal(mdb_sym_by_name(&cx, w, "ext9`init_one", &sym),
		MDB_E_NOTFOUND);
	end(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_linux_modules_lie_where_either_layout_says),
		cmocka_unit_test(test_linux_modules_have_symbols),
		cmocka_unit_test(test_linux_modules_ends_on_a_cycle),
		cmocka_unit_test(test_linux_modules_keeps_those_before_a_cut),
		cmocka_unit_test(test_linux_modules_bounds_the_symbol_count),
		cmocka_unit_test(test_linux_modules_bounds_all_tables_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
