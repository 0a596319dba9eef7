/* SPDX-License-Identifier: MIT */
/* Variables that modules make up: found by name, read, typed. */
#include "mdb/world/synthetic.h"

#include "mdb/world/fake_build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct fake_struct no_structs[] = { { NULL } };
static const struct fake_sym no_syms[] = { { NULL } };
static const struct fake_sym real_syms[] = { { "made", 0x2000, 4, NULL },
	{ NULL } };

static const char *
text(struct mdb_ctx *cx, struct mdb_world *world, const char *member)
{
	(void)cx;
	(void)world;
	return strcmp(member, "second") == 0 ? NULL : member;
}

static const char *const members[] = { "first", "second", "third", NULL };
static const struct mdb_synthetic def = { "made", MDB_WORLD_XEN, 0xfff00000,
	members, text };
static const struct mdb_synthetic wide = { "wide", MDB_WORLD_XEN,
	0xffff82dfff000000, members, text };

struct fixture {
	struct mdb_ctx cx;
	struct mdb_target *target;
	struct mdb_world *kernel, *xen;
};

static void
begin(struct fixture *f, const struct fake_sym *kernel_syms)
{
	*f = (struct fixture){ 0 };
	f->target = mdb_target_create_memory(mdb_memory_create_fake());
	mdb_ctx_init(&f->cx);
	f->cx.target = f->target;
	f->kernel = fake_world(&f->cx, f->target, MDB_WORLD_ILLUMOS, "unix",
		no_structs, kernel_syms);
	f->xen = fake_world(&f->cx, f->target, MDB_WORLD_XEN, "xpv", no_structs,
		no_syms);
	f->cx.world = f->kernel;
	mdb_synthetic_add(&f->cx, &def);
	mdb_synthetic_add(&f->cx, &wide);
}

static void
end(struct fixture *f)
{
	mdb_target_destroy(f->target);
	mdb_ctx_fini(&f->cx);
}

static void
test_members_are_texts_and_unknown_ones_null(void **state)
{
	struct fixture f;
	struct mdb_loc loc;
	mdb_addr_t p;
	char buf[16];

	(void)state;
	begin(&f, no_syms);
	assert_int_equal(mdb_sym_loc(&f.cx, f.kernel, "made", &loc), MDB_OK);
	assert_ptr_equal(loc.world, f.xen);
	assert_int_equal(loc.addr, 0xfff00000);
	assert_int_equal(mdb_read_ptr(&f.cx, loc, &p), MDB_OK);
	assert_int_equal(p, 0xfff0000c);
	assert_int_equal(mdb_read_str(&f.cx, mdb_at(loc, p), buf, sizeof(buf)),
		MDB_OK);
	assert_string_equal(buf, "first");
	assert_int_equal(mdb_read_ptr(&f.cx, mdb_at(loc, 0xfff00004), &p),
		MDB_OK);
	assert_int_equal(p, 0);
	assert_int_equal(mdb_read_ptr(&f.cx, mdb_at(loc, 0xfff00008), &p),
		MDB_OK);
	assert_int_equal(mdb_read_str(&f.cx, mdb_at(loc, p), buf, sizeof(buf)),
		MDB_OK);
	assert_string_equal(buf, "third");
	/* Not a byte more: what comes behind is the machine's. */
	assert_int_not_equal(mdb_read(&f.cx, mdb_at(loc, p), buf, 16), MDB_OK);
	end(&f);
}

static void
test_it_has_a_type_and_a_symbol(void **state)
{
	struct fixture f;
	struct mdb_sym sym;
	struct mdb_type type;
	struct mdb_member m;
	uint64_t size;

	(void)state;
	begin(&f, no_syms);
	assert_int_equal(mdb_sym_by_name(&f.cx, f.kernel, "xpv`made", &sym),
		MDB_OK);
	assert_int_equal(mdb_type_of_sym(&f.cx, &sym, &type), MDB_OK);
	assert_string_equal(mdb_type_name(&f.cx, type), "struct made");
	assert_int_equal(mdb_type_size(&f.cx, type, &size), MDB_OK);
	assert_int_equal(size, 12);
	assert_int_equal(mdb_type_member(&f.cx, type, "third", &m), MDB_OK);
	assert_int_equal(m.bit_offset, 64);
	end(&f);
}

static void
test_symbols_of_the_dump_come_first(void **state)
{
	struct fixture f;
	struct mdb_loc loc;

	(void)state;
	begin(&f, real_syms);
	assert_int_equal(mdb_sym_loc(&f.cx, f.xen, "made", &loc), MDB_OK);
	assert_int_equal(loc.addr, 0x2000);
	assert_int_equal(mdb_sym_loc(&f.cx, f.kernel, "xpv`made", &loc),
		MDB_OK);
	assert_int_equal(loc.addr, 0xfff00000);
	end(&f);
}

static void
test_long_addresses_are_not_for_short_worlds(void **state)
{
	struct fixture f;
	struct mdb_loc loc;

	(void)state;
	begin(&f, no_syms);
	assert_int_equal(mdb_sym_loc(&f.cx, f.xen, "wide", &loc),
		MDB_E_NOTFOUND);
	mdb_forget(&f.cx);
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members_are_texts_and_unknown_ones_null),
		cmocka_unit_test(test_it_has_a_type_and_a_symbol),
		cmocka_unit_test(test_symbols_of_the_dump_come_first),
		cmocka_unit_test(test_long_addresses_are_not_for_short_worlds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
