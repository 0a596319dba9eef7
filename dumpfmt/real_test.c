/* SPDX-License-Identifier: MIT */
/*
 * A real dump, when it is there: ../shared/data/linux-kdump.lzo.  The hash over
 * all its pages was found equal with another reader's bytes, page by page.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dfmt-fixture.h"

#include <time.h>

static const char *const path = "../shared/data/linux-kdump.lzo";

static void
needs_data(void)
{
	if (access(path, R_OK) == 0)
		return;
	print_message("skipped dumpfmt-real: no ../shared/data\n");
	skip();
}

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static struct dfmt *
open_timed(const char *file, double *ms_out)
{
	double start = now_ms();
	struct dfmt_err err = { .what = "" };
	struct dfmt *d = NULL;

	if (dfmt_open(&file, 1, NULL, &d, &err) != DFMT_OK)
		fail_msg("%s", err.what);
	*ms_out = now_ms() - start;
	return d;
}

/* FNV-1a over the 64-bit words of each page and its address. */
static uint64_t
hash_all(const struct dfmt *d, uint64_t *nr_out)
{
	uint64_t hash = 1469598103934665603u, nr = 0, at = 0, start, end;
	uint64_t page[512];

	while (dfmt_next_range(d, at, &start, &end, NULL) == DFMT_OK) {
		for (; start < end; start += 4096, nr++) {
			assert_int_equal(dfmt_read(d, start, page, 4096, NULL),
				DFMT_OK);
			for (size_t i = 0; i < 512; i++)
				hash = (hash ^ page[i]) * 1099511628211u;
			hash ^= start;
		}
		at = end;
	}
	*nr_out = nr;
	return hash;
}

static void
test_real_kdump_opens_without_work(void **state)
{
	struct dfmt_stats stats;
	double best = 1e9, ms;

	(void)state;
	needs_data();
	for (int i = 0; i < 10; i++) {
		struct dfmt *d = open_timed(path, &ms);

		dfmt_stats_get(d, &stats);
		/* Header, sub header with notes, nothing else. */
		assert_true(stats.bytes_read <= 4 * 4096);
		best = ms < best ? ms : best;
		dfmt_close(d);
	}
	print_message("opened in %.3f ms\n", best);
	assert_true(best < 5);
}

static void
test_real_kdump_says_what_it_is(void **state)
{
	struct dfmt_coverage cov;
	struct dfmt_info info;
	double ms;
	size_t len;

	(void)state;
	needs_data();
	struct dfmt *d = open_timed(path, &ms);
	dfmt_info_get(d, &info);
	assert_string_equal(info.format, "kdump compressed (lzo)");
	assert_int_equal(info.dump_level, 31);
	assert_int_equal(info.machine, DFMT_MACHINE_X86_64);
	assert_int_equal(dfmt_nr_cpus(d), 2);
	assert_int_equal(dfmt_cpu_at(d, 1).rip, 0xffffffffaa3741ba);
	assert_int_equal(dfmt_cpu_at(d, 1).pid, 1);
	assert_memory_equal(dfmt_vmcoreinfo(d, &len),
		"OSRELEASE=6.1.0-56-amd64\n", 25);
	assert_int_equal(dfmt_coverage_get(d, &cov, NULL), DFMT_OK);
	assert_int_equal(cov.nr_present, 22536);
	assert_int_equal(cov.nr_excluded, 124787);
	assert_int_equal(cov.nr_lost, 0);
	dfmt_close(d);
}

static void
test_real_kdump_has_each_byte_right(void **state)
{
	uint64_t nr;
	double ms;

	(void)state;
	needs_data();
	struct dfmt *d = open_timed(path, &ms);
	assert_int_equal(hash_all(d, &nr), 0x05d2a7b1831a4ec9);
	assert_int_equal(nr, 22536);
	dfmt_close(d);
}

/* The same dump of a machine of 1 TiB: same bytes, opened as fast. */
static void
test_real_kdump_of_1_tib_costs_no_more(void **state)
{
	char big[] = "/tmp/dfmt-grown-XXXXXX", cmd[512];
	const char *o = getenv("O");
	struct dfmt_coverage cov;
	uint64_t nr;
	double open_ms, count_ms;

	(void)state;
	needs_data();
	int fd = mkstemp(big);
	assert_true(fd >= 0);
	close(fd);
	snprintf(cmd, sizeof(cmd), "%s/bin/mkdump --grow 0x10000000000 %s %s",
		o ? o : "build/release", path, big);
	assert_int_equal(system(cmd), 0);
	struct dfmt *d = open_timed(big, &open_ms);
	double start = now_ms();
	assert_int_equal(dfmt_coverage_get(d, &cov, NULL), DFMT_OK);
	count_ms = now_ms() - start;
	print_message("1 TiB: opened in %.3f ms, counted in %.3f ms\n", open_ms,
		count_ms);
	assert_int_equal(cov.nr_present, 22536);
	assert_int_equal(hash_all(d, &nr), 0x05d2a7b1831a4ec9);
	dfmt_close(d);
	unlink(big);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_kdump_opens_without_work),
		cmocka_unit_test(test_real_kdump_says_what_it_is),
		cmocka_unit_test(test_real_kdump_has_each_byte_right),
		cmocka_unit_test(test_real_kdump_of_1_tib_costs_no_more),
	};

	return cmocka_run_group_tests_name("real", tests, NULL, NULL);
}
