/* SPDX-License-Identifier: MIT */
/* Type packs: what one says, damaged ones, and those in the program. */
#include "mdb/base/ctx.h"
#include "mdb/sym/pack_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

extern const struct mdb_pack_blob mdb_xen_packs[];

static struct mdb_ctx cx;
static uint8_t payload[512];
static size_t payload_len;

static int
setup(void **state)
{
	(void)state;
	mdb_ctx_init(&cx);
	payload_len = pack_payload(payload);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	mdb_ctx_fini(&cx);
	return 0;
}

static void
test_pack_says_what_it_is(void **state)
{
	struct mdb_pack_info info;
	struct mdb_pack_blob blob;
	uint8_t *bytes = pack_build(payload, payload_len, &blob.len);

	(void)state;
	blob.bytes = bytes;
	assert_int_equal(mdb_pack_info(&cx, &blob, &info), MDB_OK);
	assert_string_equal(info.name, "4.17.5-release");
	assert_string_equal(info.series, "4.17");
	assert_string_equal(info.flavour, "release");
	assert_int_equal(info.base, 0xffff82d040000000);
	assert_int_equal(info.nr_builds, 2);
	assert_string_equal(info.builds[0].id, "aa11");
	assert_true(info.builds[0].is_exact);
	assert_string_equal(info.builds[1].name, "o");
	assert_false(info.builds[1].is_exact);
	free(bytes);
}

static void
test_pack_columns(void **state)
{
	struct mdb_pack_blob blob;
	uint8_t *bytes = pack_build(payload, payload_len, &blob.len);
	struct mdb_pack *pack;
	struct mdb_pack_ref ref;
	uint64_t v;

	(void)state;
	blob.bytes = bytes;
	assert_int_equal(mdb_pack_create(&cx, &blob, &pack), MDB_OK);
	free(bytes); /* it keeps nothing of the blob */
	assert_int_equal(mdb_pack_nr_syms(pack), 2);
	assert_string_equal(mdb_pack_sym_at(pack, 0).name, "one");
	assert_int_equal(mdb_pack_sym_at(pack, 0).size, 8);
	assert_int_equal(mdb_pack_sym_at(pack, 1).flags, MDB_PACK_SYM_PERCPU);
	assert_int_equal(mdb_pack_sym_at(pack, 1).first_ref, 2);
	assert_int_equal(mdb_pack_sym_at(pack, 1).nr_refs, 1);
	assert_string_equal(mdb_pack_sym_at(pack, 2).name, "");
	ref = mdb_pack_ref_at(pack, 1);
	assert_string_equal(ref.function, "g");
	assert_int_equal(ref.addend, -4);
	assert_int_equal(ref.nr_function_refs, 2);
	assert_string_equal(mdb_pack_ref_at(pack, 3).function, "");
	assert_true(mdb_pack_value(pack, 1, 0, &v));
	assert_int_equal(v, 0x7000);
	assert_false(mdb_pack_value(pack, 1, 1, &v)); /* it has none there */
	assert_false(mdb_pack_value(pack, 2, 0, &v));
	mdb_pack_destroy(pack);
}

/* Every cut and every wild count is refused or harmless. */
static void
test_pack_damaged(void **state)
{
	struct mdb_pack_blob blob;
	struct mdb_pack *pack;
	size_t len;

	(void)state;
	for (size_t at = 0; at < 24; at++) {
		uint8_t wild[512], *bytes;

		memcpy(wild, payload, payload_len);
		wild[at] ^= 0x55;
		bytes = pack_build(wild, payload_len, &len);
		blob = (struct mdb_pack_blob){ bytes, len };
		if (mdb_pack_create(&cx, &blob, &pack) == MDB_OK) {
			for (size_t i = 0; i < 9; i++)
				(void)mdb_pack_sym_at(pack, i);
			mdb_pack_destroy(pack);
		}
		free(bytes);
	}
	uint8_t *whole = pack_build(payload, payload_len, &len);

	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *part = malloc(cut + 1);

		memcpy(part, whole, cut);
		blob = (struct mdb_pack_blob){ part, cut };
		assert_int_not_equal(mdb_pack_create(&cx, &blob, &pack),
			MDB_OK);
		free(part);
	}
	free(whole);
}

/* What the program carries can all be read, and has what commands start at. */
static void
test_pack_of_each_release(void **state)
{
	size_t nr = 0;

	(void)state;
	for (const struct mdb_pack_blob *b = mdb_xen_packs; b->len; b++, nr++) {
		struct mdb_types *types;
		struct mdb_pack *pack;
		struct mdb_type type;
		uint64_t size;

		assert_true(b->len < 200 << 10);
		assert_int_equal(mdb_pack_create(&cx, b, &pack), MDB_OK);
		assert_int_equal(mdb_pack_types(&cx, pack, 8, &types), MDB_OK);
		type = (struct mdb_type){ types,
			types->ops->find(types, MDB_T_STRUCT, "domain") };
		assert_int_not_equal(type.id, 0);
		assert_int_equal(mdb_type_size(&cx, type, &size), MDB_OK);
		assert_true(size > 1024 && size <= 4096);
		type.id = types->ops->of_var(types, "domain_list");
		assert_string_equal(mdb_type_name(&cx, type),
			"struct domain *");
		mdb_types_destroy(types);
		mdb_pack_destroy(pack);
	}
	assert_true(nr > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pack_says_what_it_is,
			setup, teardown),
		cmocka_unit_test_setup_teardown(test_pack_columns, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_pack_damaged, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_pack_of_each_release,
			setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
