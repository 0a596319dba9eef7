/* SPDX-License-Identifier: MIT */
/* Segments there and back, and index trees of one level and of more. */
#include "cmd/common/emit.h"

#include "cmd/common/device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static const uint8_t id[DFMT_ID_LEN] = { 1, 2, 3 };

static void
test_emit_header_there_and_back(void **state)
{
	struct cmd_seg in = { .type = DFMT_SEG_PAGES,
		.codec = 1,
		.header_len = 128,
		.seq = 5,
		.offset = 61440,
		.total_len = 4096,
		.payload_len = 900,
		.raw_len = 3000,
		.crc_len = 64,
		.payload_crc = 77 };
	uint8_t bytes[DFMT_SEG_HEADER_LEN];
	struct dfmt_crc crc;
	struct cmd_seg out;

	(void)state;
	dfmt_crc_init(&crc, false);
	memcpy(in.id, id, sizeof(in.id));
	cmd_seg_encode(&crc, &in, bytes);
	assert_true(cmd_seg_decode(&crc, bytes, 61440, &out));
	assert_memory_equal(&in.id, &out.id, sizeof(in.id));
	assert_int_equal(out.payload_len, 900);
	assert_int_equal(out.seq, 5);
	assert_false(cmd_seg_decode(&crc, bytes, 61952, &out));
	/* No byte of it can be another one. */
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] ^= 0x40;
		assert_false(cmd_seg_decode(&crc, bytes, 61440, &out));
		bytes[i] ^= 0x40;
	}
}

/* Follows the tree from a root and counts the pages segments it reaches. */
static uint64_t
reach(int fd, uint64_t off, uint32_t level, uint64_t first, uint64_t last)
{
	uint8_t head[16], entry[32];
	uint64_t nr = 0, at = off + DFMT_SEG_HEADER_LEN, was = 0;
	uint32_t n;

	assert_true(cmd_pread_all(fd, head, sizeof(head), at));
	assert_int_equal(dfmt_le32(head), level);
	n = dfmt_le32(head + 4);
	for (uint32_t i = 0; i < n; i++) {
		uint64_t a, b;

		assert_true(cmd_pread_all(fd, entry, sizeof(entry),
			at + 16 + i * 32u));
		a = dfmt_le64(entry);
		b = dfmt_le64(entry + 8);
		assert_true(a >= first && b <= last && a <= b);
		assert_true(i == 0 || a > was);
		was = b;
		nr += level == 0 ? 1
				 : reach(fd, dfmt_le64(entry + 16), level - 1,
					   a, b);
	}
	return nr;
}

static void
index_of(uint32_t nr, uint32_t levels)
{
	struct cmd_output out = { .fd = memfd_create("emit", 0), .dir_fd = -1 };
	struct dfmt_fmt_end end = { 0 };
	struct cmd_error err;
	struct cmd_emit e;

	cmd_emit_init(&e, &out, id, 512);
	for (uint32_t i = 0; i < nr; i++) {
		struct cmd_entry entry = { 10ull * i, 10ull * i + 9, 512ull * i,
			512, 10 };

		assert_int_equal(cmd_emit_index(&e, 3, &entry, &err), CMD_OK);
	}
	assert_int_equal(cmd_emit_end(&e, &end, &err), CMD_OK);
	assert_int_equal(end.flags, DFMT_END_INDEXED);
	assert_int_equal(end.nr_roots, nr > 0);
	assert_int_equal(end.end, e.at);
	if (nr > 0) {
		assert_int_equal(end.roots[0].level, levels - 1);
		assert_int_equal(end.roots[0].class, 3);
		assert_int_equal(end.roots[0].nr_frames, 10 * nr);
		assert_int_equal(reach(out.fd, end.roots[0].offset, levels - 1,
					 0, 10ull * nr - 1),
			nr);
	}
	cmd_emit_fini(&e);
	(void)close(out.fd);
}

static void
test_emit_index_reaches_all(void **state)
{
	(void)state;
	index_of(0, 0);
	index_of(1, 1);
	index_of(CMD_INDEX_ENTRIES, 1);
	index_of(CMD_INDEX_ENTRIES + 1, 2);
	index_of(2 * CMD_INDEX_ENTRIES, 2);
	index_of(3 * CMD_INDEX_ENTRIES + 7, 2);
}

static void
test_emit_index_refuses_disorder(void **state)
{
	struct cmd_output out = { .fd = memfd_create("emit", 0), .dir_fd = -1 };
	const struct cmd_entry a = { 100, 199, 0, 512, 100 };
	const struct cmd_entry b = { 150, 250, 512, 512, 100 };
	struct dfmt_fmt_end end = { 0 };
	struct cmd_error err;
	struct cmd_emit e;

	(void)state;
	cmd_emit_init(&e, &out, id, 512);
	assert_int_equal(cmd_emit_index(&e, 1, &a, &err), CMD_OK);
	assert_int_equal(cmd_emit_index(&e, 1, &b, &err), CMD_OK);
	assert_int_equal(cmd_emit_end(&e, &end, &err), CMD_OK);
	assert_int_equal(end.flags, 0);
	assert_int_equal(end.nr_roots, 0);
	cmd_emit_fini(&e);
	(void)close(out.fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_emit_header_there_and_back),
		cmocka_unit_test(test_emit_index_reaches_all),
		cmocka_unit_test(test_emit_index_refuses_disorder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
