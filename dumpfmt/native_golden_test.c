/* SPDX-License-Identifier: MIT */
/*
 * Dumps in testdata/golden, typed from the specification field by field: what
 * they hold is what the text of docs/DUMPFORMAT.md says they hold.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dfmt-reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct golden {
	uint8_t *bytes;
	size_t len, room;
};

static void
byte_add(struct golden *g, uint8_t byte)
{
	if (g->len == g->room) {
		g->room = g->room ? 2 * g->room : 65536;
		g->bytes = realloc(g->bytes, g->room);
		assert_non_null(g->bytes);
	}
	g->bytes[g->len++] = byte;
}

/* Pairs of hexadecimal digits; `@ N` zeros up to offset N; # a comment. */
static void
line_add(struct golden *g, char *line)
{
	size_t to;

	line[strcspn(line, "#\n")] = 0;
	if (sscanf(line, "@ %zu", &to) == 1) {
		while (g->len < to)
			byte_add(g, 0);
		return;
	}
	for (char *p = strtok(line, " "); p; p = strtok(NULL, " "))
		byte_add(g, (uint8_t)strtoul(p, NULL, 16));
}

static struct golden
golden_load(const char *name)
{
	struct golden g = { .bytes = NULL };
	char line[256];

	snprintf(line, sizeof(line), "testdata/golden/%s.hex", name);
	FILE *f = fopen(line, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		line_add(&g, line);
	fclose(f);
	assert_non_null(g.bytes);
	return g;
}

static struct dfmt *
golden_open(const struct golden *g)
{
	struct dfmt *d = NULL;

	assert_int_equal(dfmt_open_memory(g->bytes, g->len, NULL, &d, NULL),
		DFMT_OK);
	return d;
}

static enum dfmt_status
read_byte(const struct dfmt *d, uint64_t pfn, uint8_t *byte)
{
	uint8_t frame[4096];
	enum dfmt_status st =
		dfmt_read(d, pfn * 4096, frame, sizeof(frame), NULL);

	if (st != DFMT_OK)
		return st;
	for (size_t i = 1; i < sizeof(frame); i++)
		assert_int_equal(frame[i], frame[0]);
	*byte = frame[0];
	return DFMT_OK;
}

static void
check_frames(const struct dfmt *d)
{
	static const uint8_t want[] = { 'a', 'b', 0, 0, 0xc2, 'b' };
	uint8_t byte;

	for (uint64_t i = 0; i < sizeof(want); i++) {
		assert_int_equal(read_byte(d, 0x10 + i, &byte), DFMT_OK);
		assert_int_equal(byte, want[i]);
	}
	assert_int_equal(read_byte(d, 0x16, &byte), DFMT_E_LOST);
	assert_int_equal(read_byte(d, 0x17, &byte), DFMT_OK);
	assert_int_equal(byte, 'a');
}

/* What lies around the frames: absent is what was not written. */
static void
check_around(const struct dfmt *d, enum dfmt_status absent)
{
	uint64_t start, end;
	uint8_t byte;

	assert_int_equal(dfmt_read(d, 0xffff, &byte, 1, NULL), DFMT_E_RANGE);
	assert_int_equal(dfmt_read(d, 0x18000, &byte, 1, NULL), DFMT_E_RANGE);
	assert_int_equal(dfmt_read(d, 0x1f000, &byte, 1, NULL), absent);
	assert_int_equal(dfmt_read(d, 0x1f7ff, &byte, 1, NULL), absent);
	assert_int_equal(dfmt_read(d, 0x1f800, &byte, 1, NULL), DFMT_E_RANGE);
	assert_int_equal(dfmt_read(d, 0x20000, &byte, 1, NULL), DFMT_E_RANGE);
	assert_int_equal(dfmt_next_range(d, 0, &start, &end, NULL), DFMT_OK);
	assert_int_equal(start, 0x10000);
	assert_int_equal(end, 0x16000);
	assert_int_equal(dfmt_next_range(d, end, &start, &end, NULL), DFMT_OK);
	assert_int_equal(start, 0x17000);
	assert_int_equal(end, 0x18000);
	assert_int_equal(dfmt_next_range(d, end, &start, &end, NULL),
		DFMT_E_RANGE);
}

static void
check_cpus(const struct dfmt *d)
{
	struct dfmt_cpu cpu = dfmt_cpu_at(d, 0);

	assert_int_equal(dfmt_nr_cpus(d), 2);
	assert_true(cpu.has_regs && cpu.panicked && cpu.has_native);
	assert_int_equal(cpu.rip, 0xff13b83f);
	assert_int_equal(cpu.rflags, 0x202);
	assert_int_equal(cpu.cs, 0xe008);
	assert_int_equal(cpu.ss, 0xe010);
	assert_false(dfmt_cpu_at(d, 1).panicked);
	assert_int_equal(dfmt_native_get(d)->panic_cpu, 0);
}

static void
test_golden_whole_dump(void **state)
{
	struct golden g = golden_load("whole");
	struct dfmt *d = golden_open(&g);
	const struct dfmt_native *n = dfmt_native_get(d);
	struct dfmt_info info;

	(void)state;
	dfmt_info_get(d, &info);
	assert_int_equal(info.machine, DFMT_MACHINE_I386);
	assert_int_equal(info.max_addr, 0x20000);
	assert_false(info.truncated);
	assert_true(n->indexed && n->triage_whole && !n->labelled);
	assert_null(n->missing);
	assert_string_equal(n->reason, "Domain 0 crashed");
	assert_string_equal(dfmt_version_at(d, 0), "xpv=3.0");
	assert_int_equal(n->time_sec, 1180000000);
	assert_int_equal(n->time_nsec, 123456789);
	assert_int_equal(n->dump_id[15], 0xff);
	assert_int_equal(n->nr_seen[1], 9);
	assert_int_equal(n->nr_written[1], 7);
	assert_int_equal(n->elapsed_ms, 12);
	check_cpus(d);
	check_frames(d);
	check_around(d, DFMT_E_EXCLUDED);
	dfmt_close(d);
	free(g.bytes);
}

static void
test_golden_dump_that_was_cut(void **state)
{
	struct golden g = golden_load("cut");
	struct dfmt *d = golden_open(&g);
	const struct dfmt_native *n = dfmt_native_get(d);
	struct dfmt_coverage cov;

	(void)state;
	assert_false(n->indexed || n->has_end);
	assert_non_null(n->missing);
	assert_int_equal(n->nr_fill, 3);
	check_cpus(d);
	check_frames(d);
	check_around(d, DFMT_E_LOST);
	assert_int_equal(dfmt_coverage_get(d, &cov, NULL), DFMT_OK);
	assert_int_equal(cov.nr_present, 7);
	assert_int_equal(cov.nr_lost, 2);
	dfmt_close(d);
	free(g.bytes);
}

static void
check_device(const struct golden *g, bool indexed)
{
	struct dfmt *d = golden_open(g);
	const struct dfmt_native *n = dfmt_native_get(d);

	assert_true(n->labelled && n->indexed == indexed && !n->saved);
	assert_int_equal(n->generation, 2);
	assert_int_equal(n->base, 4096 + 61440);
	assert_string_equal(n->reason, "Domain 0 crashed");
	assert_null(n->missing);
	check_cpus(d);
	check_frames(d);
	check_around(d, DFMT_E_EXCLUDED);
	dfmt_close(d);
}

static void
test_golden_device(void **state)
{
	struct golden g = golden_load("device");

	(void)state;
	assert_int_equal(g.len, 1u << 20);
	check_device(&g, true);
	/* The same by a scan over the place that the device refused. */
	memset(g.bytes + g.len - 8192, 0, 4096);
	check_device(&g, false);
	/* And when only the last copy of the label is whole. */
	g.bytes[100] ^= 1;
	check_device(&g, false);
	free(g.bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_whole_dump),
		cmocka_unit_test(test_golden_dump_that_was_cut),
		cmocka_unit_test(test_golden_device),
	};

	return cmocka_run_group_tests_name("native golden", tests, NULL, NULL);
}
