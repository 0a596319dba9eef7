/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mdb/base/ctx.h"
#include "mdb/sym/xensyms_build.h"

struct world {
	struct mdb_ctx cx;
	struct mdb_memory *mem;
	struct mdb_space *space;
	struct ksym_build b;
	struct mdb_object object;
	unsigned int asked;
};

static struct ksym_in syms[XB_NR];

static void
setup(struct world *w)
{
	struct mdb_kallsyms_layout l;

	memset(w, 0, sizeof(*w));
	mdb_ctx_init(&w->cx);
	xb_symbols(syms);
	xb_make(&w->b, syms);
	w->mem = mdb_memory_create_fake();
	w->space = xb_space(w->mem, &w->b);
	w->object.base = XB_TEXT;
	w->object.end = XB_TEXT + 64 * XB_NR;
	w->object.symtab = mdb_xensyms_create();
	assert_int_equal(xb_scan(&w->cx, w->space, &w->b, &l), MDB_OK);
	assert_int_equal(l.names, w->b.layout.names);
	assert_int_equal(l.addresses, w->b.layout.addresses);
	assert_int_equal(
		mdb_xensyms_add_table(&w->cx, w->object.symtab, w->space, &l),
		MDB_OK);
}

static void
teardown(struct world *w)
{
	mdb_xensyms_destroy(w->object.symtab);
	mdb_space_destroy(w->space);
	mdb_memory_destroy(w->mem);
	mdb_buf_fini(&w->b.bytes);
	mdb_ctx_fini(&w->cx);
}

static enum mdb_status
name(struct world *w, const char *text, struct mdb_sym *sym)
{
	return mdb_xensyms_ops.by_name(&w->cx, &w->object, text, sym);
}

static enum mdb_status
at(struct world *w, mdb_addr_t addr, bool near, struct mdb_sym *sym)
{
	return mdb_xensyms_ops.by_addr(&w->cx, &w->object, addr, near, sym);
}

static void
test_xensyms_by_name(void **state)
{
	struct mdb_sym sym;
	struct world w;

	(void)state;
	setup(&w);
	assert_int_equal(mdb_xensyms_count(w.object.symtab), XB_NR);
	assert_int_equal(name(&w, "f77", &sym), MDB_OK);
	assert_int_equal(sym.value, XB_TEXT + 64 * 76);
	assert_int_equal(sym.size, 64);
	assert_true(sym.global);
	assert_int_equal(name(&w, "absent", &sym), MDB_E_NOTFOUND);
	teardown(&w);
}

static void
test_xensyms_static_by_bare_name(void **state)
{
	struct mdb_sym sym;
	struct world w;

	(void)state;
	setup(&w);
	assert_int_equal(name(&w, "f85", &sym), MDB_OK);
	assert_string_equal(sym.name, "file5.c#f85");
	assert_int_equal(sym.value, XB_TEXT + 64 * 84);
	assert_false(sym.global);
	assert_int_equal(name(&w, "file5.c#f85", &sym), MDB_OK);
	assert_int_equal(name(&w, "file6.c#f85", &sym), MDB_E_NOTFOUND);
	teardown(&w);
}

static void
test_xensyms_ambiguous_is_listed(void **state)
{
	struct mdb_sym sym;
	struct world w;

	(void)state;
	setup(&w);
	assert_int_equal(name(&w, "dup", &sym), MDB_E_SYNTAX);
	assert_non_null(strstr(mdb_trail(&w.cx), "file3.c#dup"));
	assert_int_equal(name(&w, "file3.c#dup", &sym), MDB_OK);
	assert_int_equal(sym.value, XB_TEXT + 64 * 349);
	teardown(&w);
}

static void
test_xensyms_by_addr(void **state)
{
	struct mdb_sym sym;
	struct world w;

	(void)state;
	setup(&w);
	assert_int_equal(at(&w, XB_TEXT + 64 * 10 + 63, false, &sym), MDB_OK);
	assert_string_equal(sym.name, "f11");
	assert_int_equal(at(&w, XB_ORIGIN - 1, true, &sym), MDB_E_NOTFOUND);
	teardown(&w);
}

static void
more(struct mdb_ctx *cx, struct mdb_object *object, void *arg)
{
	const struct mdb_xensym data = { "domain_list", XB_TABLES + 0x100000, 8,
		'D', MDB_SYM_DATA };
	const struct mdb_xensym percpu = { "per_cpu__x", XB_TABLES + 0x100008,
		8, 'D', MDB_SYM_PERCPU };
	struct world *w = arg;

	(void)cx;
	w->asked++;
	assert_true(mdb_xensyms_add(object->symtab, &data));
	assert_true(mdb_xensyms_add(object->symtab, &percpu));
}

static void
test_xensyms_asks_once_for_more(void **state)
{
	struct mdb_sym sym;
	struct world w;

	(void)state;
	setup(&w);
	mdb_xensyms_set_more(w.object.symtab, more, &w);
	assert_int_equal(name(&w, "f77", &sym), MDB_OK);
	assert_int_equal(w.asked, 0);
	assert_int_equal(name(&w, "domain_list", &sym), MDB_OK);
	assert_int_equal(sym.kind, MDB_SYM_DATA);
	assert_int_equal(name(&w, "absent", &sym), MDB_E_NOTFOUND);
	assert_int_equal(w.asked, 1);
	/* A per-CPU variable's value is no address of the image. */
	assert_int_equal(at(&w, XB_TABLES + 0x100008, false, &sym),
		MDB_E_NOTFOUND);
	assert_int_equal(at(&w, XB_TABLES + 0x100004, false, &sym), MDB_OK);
	assert_string_equal(sym.name, "domain_list");
	teardown(&w);
}

static void
test_xensyms_needs_the_first_byte(void **state)
{
	struct mdb_kallsyms_xen where = { .start = XB_TABLES & ~4095ull,
		.end = XB_TABLES + (1u << 20),
		.origin = XB_ORIGIN,
		.first = XB_TEXT + 4 };
	struct mdb_kallsyms_layout l;
	struct world w;

	(void)state;
	setup(&w);
	assert_int_equal(mdb_kallsyms_scan_xen(&w.cx, w.space, &where, &l),
		MDB_E_NOTFOUND);
	teardown(&w);
}

/* A symbol of which name or address is lost lends its place to no other. */
static void
lose_page(mdb_addr_t table, uint64_t first, uint64_t end)
{
	struct mdb_kallsyms_layout l;
	struct mdb_sym sym;
	struct world w;
	uint64_t nr_lost = 0;

	setup(&w);
	mdb_xensyms_destroy(w.object.symtab);
	w.object.symtab = mdb_xensyms_create();
	assert_int_equal(xb_scan(&w.cx, w.space, &w.b, &l), MDB_OK);
	mdb_fake_fault(w.mem,
		((table == 0 ? l.names : l.addresses) - XB_ORIGIN + 0x1000) &
			~0xfffull,
		MDB_E_LOST);
	assert_int_equal(
		mdb_xensyms_add_table(&w.cx, w.object.symtab, w.space, &l),
		MDB_E_CORRUPT);
	assert_non_null(strstr(mdb_trail(&w.cx), "symbols are lost"));
	for (uint64_t i = 1; i < XB_NR; i++) {
		mdb_addr_t addr = XB_TEXT + 64 * (i - 1);
		char want[16];

		if (at(&w, addr, true, &sym) != MDB_OK) {
			assert_int_not_equal(at(&w, addr + 4, true, &sym),
				MDB_OK);
			nr_lost++;
			continue;
		}
		assert_int_equal(sym.value, addr);
		(void)snprintf(want, sizeof(want), "f%u", (unsigned int)i);
		if (i % 100 != 50)
			assert_non_null(strstr(sym.name, want));
		if (at(&w, addr + 4, true, &sym) == MDB_OK)
			assert_int_equal(sym.value, addr);
	}
	assert_in_range(nr_lost, first, end);
	assert_int_equal(name(&w, "", &sym), MDB_E_NOTFOUND);
	teardown(&w);
}

static void
test_xensyms_lost_names_are_gaps(void **state)
{
	(void)state;
	lose_page(0, 100, 1100);
}

static void
test_xensyms_lost_addresses_are_gaps(void **state)
{
	(void)state;
	lose_page(1, 100, 1100);
}

/* As __image_base__, far below the text: nothing is in between. */
static void
test_xensyms_below_the_image_has_no_size(void **state)
{
	struct mdb_sym sym;
	struct world w;

	(void)state;
	setup(&w);
	assert_int_equal(name(&w, "f0", &sym), MDB_OK);
	assert_int_equal(sym.value, XB_ORIGIN);
	assert_int_equal(sym.size, 0);
	assert_int_equal(sym.kind, MDB_SYM_OTHER);
	assert_int_equal(at(&w, XB_ORIGIN, false, &sym), MDB_OK);
	assert_int_equal(at(&w, XB_ORIGIN + 8, false, &sym), MDB_E_NOTFOUND);
	teardown(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_xensyms_by_name),
		cmocka_unit_test(test_xensyms_static_by_bare_name),
		cmocka_unit_test(test_xensyms_ambiguous_is_listed),
		cmocka_unit_test(test_xensyms_by_addr),
		cmocka_unit_test(test_xensyms_asks_once_for_more),
		cmocka_unit_test(test_xensyms_needs_the_first_byte),
		cmocka_unit_test(test_xensyms_lost_names_are_gaps),
		cmocka_unit_test(test_xensyms_lost_addresses_are_gaps),
		cmocka_unit_test(test_xensyms_below_the_image_has_no_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
