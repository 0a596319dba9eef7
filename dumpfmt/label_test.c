/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dfmt-label.h"
#include "native_build.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define LEN ((uint64_t)1 << 20)

static int
range_make(void)
{
	char path[] = "/tmp/dfmt-label-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(ftruncate(fd, LEN), 0);
	return fd;
}

static struct dfmt_label
label_make(void)
{
	struct dfmt_label label = {
		.range_start = 12345,
		.range_len = LEN,
		.sector_len = 4096,
		.overwrite = true,
		.change = 3,
		.created_sec = 1700000000,
		.saved_generation = 9,
		.saved_sec = 1700000001,
		.purpose = "crash dumps of goldcloth",
	};

	memset(label.uuid, 7, sizeof(label.uuid));
	memset(label.saved_id, 8, sizeof(label.saved_id));
	return label;
}

static void
put_at(int fd, uint64_t off, const void *p, size_t len)
{
	assert_int_equal(pwrite(fd, p, len, (off_t)off), len);
}

static void
test_label_bytes_are_those_of_the_specification(void **state)
{
	struct dfmt_label label = { .range_len = LEN, .sector_len = 512 };
	uint8_t ours[4096], theirs[4096];

	(void)state;
	nb_label(theirs, 1, LEN, 4);
	label.change = 4;
	memset(label.uuid, 0x55, 16);
	memcpy(label.purpose, "test", 4);
	dfmt_label_encode(&label, 1, ours);
	assert_memory_equal(ours, theirs, sizeof(ours));
}

static void
test_label_comes_back_as_it_was(void **state)
{
	struct dfmt_label label = label_make(), got;
	uint8_t bytes[4096];

	(void)state;
	memset(&got, 0, sizeof(got));
	dfmt_label_encode(&label, 0, bytes);
	assert_int_equal(dfmt_label_decode(bytes, &got, NULL), DFMT_OK);
	assert_memory_equal(&got, &label, sizeof(got));
	memset(label.purpose, 'x', 64);
	dfmt_label_encode(&label, 0, bytes);
	assert_int_equal(dfmt_label_decode(bytes, &got, NULL), DFMT_OK);
	assert_int_equal(strlen(got.purpose), 64);
}

static void
test_label_with_a_broken_bit_is_torn(void **state)
{
	struct dfmt_label label = label_make(), got;
	uint8_t bytes[4096];

	(void)state;
	dfmt_label_encode(&label, 0, bytes);
	for (size_t i = 0; i < sizeof(bytes); i += 3) {
		bytes[i] ^= 0x10;
		assert_int_equal(dfmt_label_decode(bytes, &got, NULL),
			i < 8 ? DFMT_E_FORMAT : DFMT_E_MALFORMED);
		bytes[i] ^= 0x10;
	}
}

static void
crc_fix(uint8_t *bytes)
{
	nb_put(bytes + 4092, nb_crc(bytes, 4092), 4);
}

static void
test_label_of_a_wrong_shape_is_refused(void **state)
{
	static const struct {
		size_t at;
		uint64_t value;
		int len;
		enum dfmt_status st;
	} cases[] = {
		{ 8, 2, 2, DFMT_E_UNSUPPORTED },
		{ 8, 0, 2, DFMT_E_MALFORMED },
		{ 10, 512, 2, DFMT_E_MALFORMED },
		{ 40, LEN + 512, 8, DFMT_E_MALFORMED },
		{ 40, LEN / 2, 8, DFMT_E_MALFORMED },
		{ 40, UINT64_MAX << 12, 8, DFMT_E_MALFORMED },
		{ 48, 1024, 4, DFMT_E_MALFORMED },
	};
	struct dfmt_label label = label_make(), got;
	uint8_t bytes[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		dfmt_label_encode(&label, 0, bytes);
		nb_put(bytes + cases[i].at, cases[i].value, cases[i].len);
		crc_fix(bytes);
		assert_int_equal(dfmt_label_decode(bytes, &got, NULL),
			cases[i].st);
	}
}

static void
test_label_pair_is_written_and_read(void **state)
{
	struct dfmt_label label = label_make(), got;
	struct dfmt_label_state s;
	int fd = range_make();

	(void)state;
	assert_int_equal(dfmt_label_read(fd, LEN, &got, &s, NULL),
		DFMT_E_FORMAT);
	assert_string_equal(s.why, "it has no label");
	assert_int_equal(dfmt_label_write(fd, &label, NULL), DFMT_OK);
	assert_int_equal(dfmt_label_read(fd, LEN, &got, &s, NULL), DFMT_OK);
	assert_true(s.first && s.last && s.magic && !s.conflict && !s.newer);
	assert_null(s.why);
	assert_int_equal(got.change, 3);
	/* The range is a part of what the descriptor is of. */
	assert_int_equal(ftruncate(fd, 2 * LEN), 0);
	assert_int_equal(dfmt_label_read(fd, 2 * LEN, &got, &s, NULL), DFMT_OK);
	assert_null(s.why);
	close(fd);
}

/* A rewrite that stops at any place leaves one whole label. */
static void
test_label_survives_a_torn_rewrite(void **state)
{
	struct dfmt_label label = label_make(), got;
	struct dfmt_label_state s;
	uint8_t bytes[2][4096];
	int fd = range_make();

	(void)state;
	for (size_t cut = 0; cut <= 8192; cut += 512) {
		label.change = 3;
		assert_int_equal(dfmt_label_write(fd, &label, NULL), DFMT_OK);
		label.change = 4;
		dfmt_label_encode(&label, 0, bytes[0]);
		dfmt_label_encode(&label, 1, bytes[1]);
		size_t first = cut < 4096 ? cut : 4096;
		put_at(fd, 0, bytes[0], first);
		put_at(fd, LEN - 4096, bytes[1], cut - first);
		assert_int_equal(dfmt_label_read(fd, LEN, &got, &s, NULL),
			DFMT_OK);
		assert_int_equal(got.change, cut >= 4096 ? 4 : 3);
		assert_true(s.first || s.last);
		assert_true((s.why != NULL) == (cut != 0 && cut != 8192));
	}
	close(fd);
}

/* A range that a longer or shorter one left its last label in. */
static void
test_label_of_another_length_does_not_count(void **state)
{
	struct dfmt_label label = label_make(), got;
	struct dfmt_label_state s;
	uint8_t bytes[4096];
	int fd = range_make();

	(void)state;
	label.range_len = LEN - 4096;
	dfmt_label_encode(&label, 1, bytes);
	put_at(fd, LEN - 4096, bytes, sizeof(bytes));
	assert_int_not_equal(dfmt_label_read(fd, LEN, &got, &s, NULL), DFMT_OK);
	assert_false(s.first || s.last);
	label.range_len = LEN;
	assert_int_equal(dfmt_label_write(fd, &label, NULL), DFMT_OK);
	label.range_len = LEN + 4096;
	label.change++;
	dfmt_label_encode(&label, 1, bytes);
	put_at(fd, LEN - 4096, bytes, sizeof(bytes));
	assert_int_equal(dfmt_label_read(fd, LEN, &got, &s, NULL), DFMT_OK);
	assert_int_equal(got.range_len, LEN);
	assert_non_null(s.why);
	close(fd);
}

/* With the last copy gone already the first one is not put at stake. */
static void
test_label_write_begins_with_what_is_broken(void **state)
{
	struct dfmt_label label = label_make(), got;
	struct dfmt_label_state s;
	struct rlimit old, no_growth;
	uint8_t bytes[4096];
	int fd = range_make();

	(void)state;
	assert_int_equal(dfmt_label_write(fd, &label, NULL), DFMT_OK);
	/* The last one is beyond what may be written: writing it fails. */
	assert_int_equal(ftruncate(fd, LEN - 4096), 0);
	assert_int_equal(pread(fd, bytes, sizeof(bytes), 0), 4096);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	no_growth = old;
	no_growth.rlim_cur = LEN - 4096;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &no_growth), 0);
	label.change++;
	assert_int_equal(dfmt_label_write(fd, &label, NULL), DFMT_E_IO);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(dfmt_label_read(fd, LEN, &got, &s, NULL), DFMT_OK);
	assert_int_equal(got.change + 1, label.change);
	close(fd);
}

static void
test_label_copies_of_two_devices_are_in_conflict(void **state)
{
	struct dfmt_label label = label_make(), got;
	struct dfmt_label_state s;
	uint8_t bytes[4096];
	int fd = range_make();

	(void)state;
	assert_int_equal(dfmt_label_write(fd, &label, NULL), DFMT_OK);
	label.uuid[3] ^= 1;
	dfmt_label_encode(&label, 1, bytes);
	put_at(fd, LEN - 4096, bytes, sizeof(bytes));
	assert_int_equal(dfmt_label_read(fd, LEN, &got, &s, NULL),
		DFMT_E_MALFORMED);
	assert_true(s.conflict);
	assert_non_null(s.why);
	close(fd);
}

static void
test_label_that_nobody_can_use_says_why(void **state)
{
	struct dfmt_label label = label_make(), got;
	struct dfmt_label_state s;
	uint8_t bytes[4096];
	int fd = range_make();

	(void)state;
	dfmt_label_encode(&label, 0, bytes);
	bytes[100] ^= 1;
	put_at(fd, 0, bytes, sizeof(bytes));
	assert_int_equal(dfmt_label_read(fd, LEN, &got, &s, NULL),
		DFMT_E_MALFORMED);
	assert_true(s.magic && !s.first && !s.last);
	bytes[100] ^= 1;
	bytes[8] = 2;
	crc_fix(bytes);
	put_at(fd, LEN - 4096, bytes, sizeof(bytes));
	assert_int_equal(dfmt_label_read(fd, LEN, &got, &s, NULL),
		DFMT_E_UNSUPPORTED);
	assert_true(s.newer);
	/* Shorter than two labels; nothing at all; no descriptor. */
	assert_int_equal(dfmt_label_read(fd, 4096, &got, &s, NULL),
		DFMT_E_MALFORMED);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(dfmt_label_read(fd, 0, &got, &s, NULL), DFMT_E_LOST);
	close(fd);
	assert_int_equal(dfmt_label_read(-1, LEN, &got, &s, NULL), DFMT_E_IO);
	assert_int_equal(dfmt_label_write(-1, &label, NULL), DFMT_E_IO);
	label.range_len = 4096;
	assert_int_equal(dfmt_label_write(-1, &label, NULL), DFMT_E_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_label_bytes_are_those_of_the_specification),
		cmocka_unit_test(test_label_comes_back_as_it_was),
		cmocka_unit_test(test_label_with_a_broken_bit_is_torn),
		cmocka_unit_test(test_label_of_a_wrong_shape_is_refused),
		cmocka_unit_test(test_label_pair_is_written_and_read),
		cmocka_unit_test(test_label_survives_a_torn_rewrite),
		cmocka_unit_test(test_label_of_another_length_does_not_count),
		cmocka_unit_test(test_label_write_begins_with_what_is_broken),
		cmocka_unit_test(
			test_label_copies_of_two_devices_are_in_conflict),
		cmocka_unit_test(test_label_that_nobody_can_use_says_why),
	};

	return cmocka_run_group_tests_name("label", tests, NULL, NULL);
}
