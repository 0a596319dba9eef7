/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

#include "mdb/base/ctx.h"
#include "mdb/sym/kallsyms_build.h"

#define IMAGE 0xffffffff81000000ull
#define TABLES (IMAGE + 0x1200000)
#define NR 1700u
#define NR_PERCPU 40u

static struct mdb_ctx cx;
static struct ksym_in syms[NR];

/* Every layout that a kernel of 4.14 to 7.x has. */
static const struct ksym_build layouts[] = {
	{ .form = MDB_KALLSYMS_BASE_PERCPU, .marker_size = 8, .align = 8 },
	{ .form = MDB_KALLSYMS_BASE_PERCPU, .marker_size = 4, .align = 8 },
	{ .form = MDB_KALLSYMS_BASE, .marker_size = 4, .align = 8 },
	{ .form = MDB_KALLSYMS_ADDRESSES, .marker_size = 8, .align = 8 },
	{ .form = MDB_KALLSYMS_BASE_PERCPU,
		.marker_size = 4,
		.align = 8,
		.seqs = true },
	{ .form = MDB_KALLSYMS_BASE_PERCPU,
		.marker_size = 4,
		.align = 8,
		.seqs = true,
		.late = true },
	{ .form = MDB_KALLSYMS_BASE,
		.marker_size = 4,
		.align = 8,
		.seqs = true,
		.late = true },
	{ .form = MDB_KALLSYMS_PLACE,
		.marker_size = 4,
		.align = 4,
		.seqs = true,
		.late = true },
};
#define NR_LAYOUTS (sizeof(layouts) / sizeof(layouts[0]))

static bool
has_percpu(enum mdb_kallsyms_form form)
{
	return form == MDB_KALLSYMS_BASE_PERCPU ||
	       form == MDB_KALLSYMS_ADDRESSES;
}

/* Symbols in address order; with aliases, a long name and a hole. */
static void
make_syms(bool percpu)
{
	for (uint32_t i = 0; i < NR; i++) {
		struct ksym_in *s = &syms[i];

		s->value = IMAGE + 0x40ull * (i - i % 7 / 6) +
			   (i > 900 ? 0x100000 : 0);
		if (percpu && i < NR_PERCPU)
			s->value = 0x20ull * i;
		(void)snprintf(s->text, sizeof(s->text), "%ct_sys_%u_init%s",
			percpu && i < NR_PERCPU ? 'A'
			: i < 900		? 'T'
						: 'd',
			i * 7919 % NR, i % 5 ? "" : ".isra.0");
	}
	memset(syms[1000].text, 'x', 400);
	syms[1000].text[0] = 'D';
	syms[1000].text[400] = '\0';
	strcpy(syms[50].text, "Ttwice");
	strcpy(syms[1600].text, "dtwice");
}

struct fixture {
	struct ksym_build b;
	struct mdb_memory *mem;
	struct mdb_space *space;
	struct mdb_object object;
};

/* The tables in memory, one page after them left out. */
static void
fixture_init(struct fixture *f, const struct ksym_build *like)
{
	const uint64_t delta = 0x100000 - IMAGE;

	make_syms(has_percpu(like->form));
	memset(f, 0, sizeof(*f));
	f->b = *like;
	f->b.syms = syms;
	f->b.nr = NR;
	f->b.base = TABLES;
	f->b.relative_base = IMAGE;
	ksym_make(&f->b);
	f->mem = mdb_memory_create_fake();
	mdb_fake_write(f->mem, TABLES + delta - 4096, "", 1);
	mdb_fake_write(f->mem, TABLES + delta, f->b.bytes.data, f->b.bytes.len);
	f->space = mdb_space_create("test", f->mem, &mdb_arch_x86_64,
		MDB_PAGING_NONE, 0);
	mdb_space_add_window(f->space, IMAGE, IMAGE + (64u << 20), delta);
}

static void
fixture_fini(struct fixture *f)
{
	mdb_kallsyms_destroy(f->object.symtab);
	mdb_space_destroy(f->space);
	mdb_memory_destroy(f->mem);
	mdb_buf_fini(&f->b.bytes);
	mdb_arena_release(&cx.tmp);
}

static void
open_table(struct fixture *f, const struct mdb_kallsyms_layout *l)
{
	struct mdb_kallsyms *k;

	assert_int_equal(mdb_kallsyms_create(&cx, f->space, l, &k), MDB_OK);
	f->object.symtab = k;
	f->object.symtab_ops = &mdb_kallsyms_ops;
	f->object.end = IMAGE + 0x40 * 900;
}

static void
assert_layout(const struct mdb_kallsyms_layout *a,
	const struct mdb_kallsyms_layout *b)
{
	assert_int_equal(a->names, b->names);
	assert_int_equal(a->markers, b->markers);
	assert_int_equal(a->token_table, b->token_table);
	assert_int_equal(a->token_index, b->token_index);
	assert_int_equal(a->addresses, b->addresses);
	assert_int_equal(a->seqs, b->seqs);
	assert_int_equal(a->nr_syms, b->nr_syms);
	assert_int_equal(a->marker_size, b->marker_size);
	assert_int_equal(a->form, b->form);
}

static void
test_kallsyms_tells_each_layout_from_its_tables(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_LAYOUTS; i++) {
		struct mdb_kallsyms_layout known = { 0 };
		struct mdb_kallsyms_layout l;
		struct fixture f;

		fixture_init(&f, &layouts[i]);
		known.names = f.b.layout.names;
		known.nr_syms = NR;
		known.token_table = f.b.layout.token_table;
		known.token_index = f.b.layout.token_index;
		assert_int_equal(mdb_kallsyms_locate(&cx, f.space, &known, &l),
			MDB_OK);
		assert_layout(&l, &f.b.layout);
		assert_int_equal(mdb_kallsyms_scan(&cx, f.space, IMAGE,
					 IMAGE + (32u << 20), &l),
			MDB_OK);
		assert_layout(&l, &f.b.layout);
		fixture_fini(&f);
	}
}

static void
test_kallsyms_finds_every_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_LAYOUTS; i++) {
		struct mdb_sym sym;
		struct fixture f;

		fixture_init(&f, &layouts[i]);
		open_table(&f, &f.b.layout);
		for (uint32_t k = 0; k < NR; k++) {
			if (k == 50 || k == 1600)
				continue;
			assert_int_equal(mdb_kallsyms_ops.by_name(&cx,
						 &f.object, syms[k].text + 1,
						 &sym),
				MDB_OK);
			assert_int_equal(sym.value, syms[k].value);
			assert_int_equal(sym.letter, syms[k].text[0]);
			assert_string_equal(sym.name, syms[k].text + 1);
		}
		assert_int_equal(mdb_kallsyms_ops.by_name(&cx, &f.object,
					 "t_sys_1_ini", &sym),
			MDB_E_NOTFOUND);
		assert_int_equal(
			mdb_kallsyms_ops.by_name(&cx, &f.object, "", &sym),
			MDB_E_NOTFOUND);
		fixture_fini(&f);
	}
}

static void
test_kallsyms_prefers_data_to_a_function_of_that_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_LAYOUTS; i++) {
		struct mdb_sym sym;
		struct fixture f;

		if (!layouts[i].seqs)
			continue;
		fixture_init(&f, &layouts[i]);
		open_table(&f, &f.b.layout);
		assert_int_equal(
			mdb_kallsyms_ops.by_name(&cx, &f.object, "twice", &sym),
			MDB_OK);
		assert_int_equal(sym.value, syms[1600].value);
		fixture_fini(&f);
	}
}

static void
test_kallsyms_answers_every_address(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_LAYOUTS; i++) {
		uint32_t k = has_percpu(layouts[i].form) ? NR_PERCPU : 0;
		struct mdb_sym sym;
		struct fixture f;

		fixture_init(&f, &layouts[i]);
		open_table(&f, &f.b.layout);
		for (; k + 1 < NR; k++) {
			uint32_t first = k;

			if (syms[k + 1].value == syms[k].value)
				continue;
			while (first > 0 &&
				syms[first - 1].value == syms[k].value)
				first--;
			assert_int_equal(
				mdb_kallsyms_ops.by_addr(&cx, &f.object,
					syms[k].value + 0x3f, false, &sym),
				MDB_OK);
			assert_string_equal(sym.name, syms[first].text + 1);
			assert_int_equal(sym.size,
				syms[k + 1].value - syms[k].value);
			assert_false(sym.size_exact);
		}
		assert_int_equal(mdb_kallsyms_ops.by_addr(&cx, &f.object,
					 IMAGE - 1, true, &sym),
			MDB_E_NOTFOUND);
		assert_int_equal(mdb_kallsyms_ops.by_addr(&cx, &f.object,
					 syms[NR - 1].value + 1, false, &sym),
			MDB_E_NOTFOUND);
		fixture_fini(&f);
	}
}

static enum mdb_status
count_one(struct mdb_ctx *c, const struct mdb_sym *sym, void *arg)
{
	uint32_t *n = arg;

	(void)c;
	assert_int_equal(sym->value, syms[*n].value);
	assert_string_equal(sym->name, syms[*n].text + 1);
	++*n;
	return *n == 1500 ? MDB_DONE : MDB_OK;
}

static void
test_kallsyms_each_is_in_address_order_and_stops(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_LAYOUTS; i++) {
		struct fixture f;
		uint32_t n = 0;

		fixture_init(&f, &layouts[i]);
		open_table(&f, &f.b.layout);
		assert_int_equal(
			mdb_kallsyms_ops.each(&cx, &f.object, count_one, &n),
			MDB_OK);
		assert_int_equal(n, 1500);
		fixture_fini(&f);
	}
}

static void
test_kallsyms_tells_percpu_variables(void **state)
{
	mdb_addr_t first, last, percpu;
	struct mdb_sym sym;
	struct fixture f;

	(void)state;
	fixture_init(&f, &layouts[1]);
	open_table(&f, &f.b.layout);
	assert_int_equal(mdb_kallsyms_range(&cx, f.object.symtab, &first, &last,
				 &percpu),
		MDB_OK);
	assert_int_equal(first, syms[NR_PERCPU].value);
	assert_int_equal(last, syms[NR - 1].value);
	assert_int_equal(percpu, syms[NR_PERCPU - 1].value);
	mdb_kallsyms_set_percpu(f.object.symtab, 0, percpu);
	assert_int_equal(mdb_kallsyms_by_name_near(&cx, &f.object,
				 syms[3].text + 1, 0, 1, &sym),
		MDB_OK);
	assert_int_equal(sym.kind, MDB_SYM_PERCPU);
	fixture_fini(&f);
}

/* Each table in turn is overwritten: an error, never a wrong layout. */
static void
test_kallsyms_refuses_tables_that_disagree(void **state)
{
	(void)state;
	for (unsigned int part = 0; part < 4; part++) {
		struct mdb_kallsyms_layout known = { 0 };
		struct mdb_kallsyms_layout l;
		struct fixture f;
		uint8_t junk[64];

		fixture_init(&f, &layouts[1]);
		memset(junk, 0xa5, sizeof(junk));
		mdb_fake_write(f.mem,
			(part == 0	    ? f.b.layout.names
				: part == 1 ? f.b.layout.markers
				: part == 2 ? f.b.layout.addresses
					    : f.b.layout.token_index) -
				IMAGE + 0x100000,
			junk, sizeof(junk));
		known.names = f.b.layout.names;
		known.nr_syms = NR;
		known.token_table = f.b.layout.token_table;
		known.token_index = f.b.layout.token_index;
		if (mdb_kallsyms_locate(&cx, f.space, &known, &l) == MDB_OK) {
			struct mdb_kallsyms *k;

			assert_int_equal(part, 3);
			assert_int_equal(
				mdb_kallsyms_create(&cx, f.space, &l, &k),
				MDB_E_CORRUPT);
		}
		assert_int_not_equal(mdb_kallsyms_scan(&cx, f.space, IMAGE,
					     IMAGE + (32u << 20), &l),
			MDB_OK);
		fixture_fini(&f);
	}
}

static void
test_kallsyms_says_when_names_cannot_be_read(void **state)
{
	struct mdb_sym sym;
	struct fixture f;

	(void)state;
	fixture_init(&f, &layouts[1]);
	open_table(&f, &f.b.layout);
	mdb_fake_fault(f.mem,
		(f.b.layout.names + 8192 - IMAGE + 0x100000) & ~4095ull,
		MDB_E_EXCLUDED);
	assert_int_equal(
		mdb_kallsyms_ops.by_name(&cx, &f.object, "nowhere", &sym),
		MDB_E_EXCLUDED);
	assert_non_null(mdb_trail(&cx));
	mdb_forget(&cx);
	fixture_fini(&f);
}

/* Page tables may map the last page there is. */
static void
test_kallsyms_scan_ends_at_the_last_page(void **state)
{
	struct mdb_kallsyms_layout found;
	struct fixture f;

	(void)state;
	fixture_init(&f, &layouts[0]);
	alarm(60);
	assert_int_equal(mdb_kallsyms_scan(&cx, f.space, UINT64_MAX - 0x8fff,
				 UINT64_MAX, &found),
		MDB_E_NOTFOUND);
	alarm(0);
	mdb_forget(&cx);
	fixture_fini(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_kallsyms_tells_each_layout_from_its_tables),
		cmocka_unit_test(test_kallsyms_finds_every_name),
		cmocka_unit_test(
			test_kallsyms_prefers_data_to_a_function_of_that_name),
		cmocka_unit_test(test_kallsyms_answers_every_address),
		cmocka_unit_test(
			test_kallsyms_each_is_in_address_order_and_stops),
		cmocka_unit_test(test_kallsyms_tells_percpu_variables),
		cmocka_unit_test(test_kallsyms_refuses_tables_that_disagree),
		cmocka_unit_test(test_kallsyms_says_when_names_cannot_be_read),
		cmocka_unit_test(test_kallsyms_scan_ends_at_the_last_page),
	};

	mdb_ctx_init(&cx);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	mdb_ctx_fini(&cx);
	return failed;
}
