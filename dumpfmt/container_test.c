/* SPDX-License-Identifier: MIT */
/* Dumps compressed as a whole, made here with the libraries' encoders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dfmt-fixture.h"

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#define ROOM (1u << 20)

struct packed {
	const char *name;
	uint8_t *bytes;
	size_t len;
};

static struct packed
pack_gzip(const uint8_t *in, size_t len)
{
	struct packed p = { "gzip", malloc(ROOM), 0 };
	z_stream z = { .next_in = (uint8_t *)(uintptr_t)in,
		.avail_in = (uInt)len,
		.next_out = p.bytes,
		.avail_out = ROOM };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, 0), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	p.len = z.total_out;
	deflateEnd(&z);
	return p;
}

static struct packed
pack_zstd(const uint8_t *in, size_t len)
{
	struct packed p = { "zstd", malloc(ROOM), 0 };

	ZSTD_CCtx *z = ZSTD_createCCtx();

	/* As the zstd program does. */
	ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
	p.len = ZSTD_compress2(z, p.bytes, ROOM, in, len);
	assert_false(ZSTD_isError(p.len));
	ZSTD_freeCCtx(z);
	return p;
}

static struct packed
pack_xz(const uint8_t *in, size_t len)
{
	struct packed p = { "xz", malloc(ROOM), 0 };

	assert_int_equal(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, in,
				 len, p.bytes, &p.len, ROOM),
		LZMA_OK);
	return p;
}

typedef struct packed (*pack_fn)(const uint8_t *in, size_t len);
static const pack_fn packs[] = { pack_gzip, pack_zstd, pack_xz };

static uint64_t
readable(const struct dfmt *d)
{
	uint64_t mask = 0;
	uint8_t page[4096];

	for (uint64_t pfn = 0; pfn < 12; pfn++) {
		if (dfmt_read(d, pfn * 4096, page, 4096, NULL) == DFMT_OK)
			mask |= UINT64_C(1) << pfn;
	}
	return mask;
}

static void
test_container_opens_each_kind_in_place(void **state)
{
	struct fixture fx = fixture_named("elf64");

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct packed p = packs[i](fx.bytes, fx.len);
		struct dfmt_info info;
		char want[80];
		struct dfmt *d;

		assert_int_equal(
			dfmt_open_memory(p.bytes, p.len, NULL, &d, NULL),
			DFMT_OK);
		dfmt_info_get(d, &info);
		snprintf(want, sizeof(want),
			"4 program headers, unpacked from %s", p.name);
		assert_string_equal(info.details, want);
		assert_int_equal(info.file_size, p.len);
		assert_false(info.truncated);
		assert_int_equal(readable(d), 0x93e);
		dfmt_close(d);
		free(p.bytes);
	}
	fixture_free(&fx);
}

/* A flattened kdump inside: both wrappings come off. */
static void
test_container_may_hold_a_flattened_file(void **state)
{
	struct fixture fx = fixture_named("flat-wild");
	struct packed p = pack_zstd(fx.bytes, fx.len);
	struct dfmt_info info;
	struct dfmt *d;

	(void)state;
	assert_int_equal(dfmt_open_memory(p.bytes, p.len, NULL, &d, NULL),
		DFMT_OK);
	dfmt_info_get(d, &info);
	assert_string_equal(info.details,
		"header 6, flattened, unpacked from zstd");
	assert_int_equal(readable(d), 0x93e);
	dfmt_close(d);
	free(p.bytes);
	fixture_free(&fx);
}

static void
test_container_members_follow_each_other(void **state)
{
	struct fixture fx = fixture_named("elf64");

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct packed a = packs[i](fx.bytes, 5000);
		struct packed b = packs[i](fx.bytes + 5000, fx.len - 5000);
		struct dfmt *d;

		memcpy(a.bytes + a.len, b.bytes, b.len);
		assert_int_equal(dfmt_open_memory(a.bytes, a.len + b.len, NULL,
					 &d, NULL),
			DFMT_OK);
		assert_int_equal(readable(d), 0x93e);
		dfmt_close(d);
		free(a.bytes);
		free(b.bytes);
	}
	fixture_free(&fx);
}

/* Cut anywhere: a status, or a dump that says it is cut. */
static void
test_container_cut_is_truncated(void **state)
{
	struct fixture fx = fixture_named("elf64");

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct packed p = packs[i](fx.bytes, fx.len);
		size_t nr_opened = 0;

		for (size_t len = 6; len < p.len - 16; len += 97) {
			struct dfmt_err err = { .what = NULL };
			struct dfmt_info info;
			struct dfmt *d;

			if (dfmt_open_memory(p.bytes, len, NULL, &d, &err) !=
				DFMT_OK) {
				assert_non_null(err.what);
				continue;
			}
			nr_opened++;
			dfmt_info_get(d, &info);
			assert_true(info.truncated);
			assert_int_equal(readable(d) & ~UINT64_C(0x93e), 0);
			dfmt_close(d);
		}
		/* zstd gives whole blocks only, and this is one. */
		assert_true(nr_opened > 0 || i == 1);
		free(p.bytes);
	}
	fixture_free(&fx);
}

static void
test_container_corrupt_is_refused(void **state)
{
	struct fixture fx = fixture_named("elf64");

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct packed p = packs[i](fx.bytes, fx.len);
		struct dfmt_err err;
		struct dfmt *d;

		memset(p.bytes + p.len / 2, 0xa5, 64);
		enum dfmt_status st =
			dfmt_open_memory(p.bytes, p.len, NULL, &d, &err);
		assert_int_equal(st, DFMT_E_LOST);
		assert_string_equal(err.what, "compressed file: corrupt");
		assert_memory_equal(err.detail, "unpack it: ", 11);
		free(p.bytes);
	}
	fixture_free(&fx);
}

static void
test_container_says_what_to_run_without_room(void **state)
{
	struct fixture fx = fixture_named("elf64");
	struct packed p = pack_gzip(fx.bytes, fx.len);
	char *old = getenv("TMPDIR");
	struct dfmt_err err;
	struct dfmt *d;

	(void)state;
	old = old ? strdup(old) : NULL;
	setenv("TMPDIR", "/nonexistent", 1);
	assert_int_equal(dfmt_open_memory(p.bytes, p.len, NULL, &d, &err),
		DFMT_E_IO);
	assert_string_equal(err.detail,
		"in /nonexistent; run gzip -dk FILE, or set TMPDIR");
	if (old)
		setenv("TMPDIR", old, 1);
	else
		unsetenv("TMPDIR");
	free(old);
	free(p.bytes);
	fixture_free(&fx);
}

static void
test_container_known_but_not_unpacked_says_so(void **state)
{
	struct dfmt_err err;
	struct dfmt *d;

	(void)state;
	assert_int_equal(dfmt_open_memory("BZh91AY", 7, NULL, &d, &err),
		DFMT_E_UNSUPPORTED);
	assert_string_equal(err.detail, "unpack it: bzip2 -dk FILE");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_container_opens_each_kind_in_place),
		cmocka_unit_test(test_container_may_hold_a_flattened_file),
		cmocka_unit_test(test_container_members_follow_each_other),
		cmocka_unit_test(test_container_cut_is_truncated),
		cmocka_unit_test(test_container_corrupt_is_refused),
		cmocka_unit_test(test_container_says_what_to_run_without_room),
		cmocka_unit_test(test_container_known_but_not_unpacked_says_so),
	};

	return cmocka_run_group_tests_name("container", tests, NULL, NULL);
}
