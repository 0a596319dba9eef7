/* SPDX-License-Identifier: MIT */
/*
 * How fast the writer is, in memory, on the pages of a real dump, beside what
 * makedumpfile does with each page: the same library, page by page.
 *
 *   writer DUMP [RUNS]
 *
 * Prints a row for each way: MB/s of pages and the ratio of pages to bytes
 * written; medians of RUNS runs.  Zero pages are counted on both sides.
 */
#include "dfmt-crc.h"
#include "dfmt-reader.h"
#include "dfmt-writer-lz4.h"

#include <lz4.h>
#include <lzo/lzo1x.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>
#include <zstd.h>

#define FRAME 4096u
#define MOST (1ull << 30) /* bytes of pages, at most */

struct machine {
	uint8_t *pages; /* in the order of pfns */
	uint64_t *pfns;
	uint64_t nr;
	uint8_t *device;
	uint64_t device_len;
};

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* ---- the pages ----------------------------------------------------------- */

static void
load(struct machine *m, const char *path)
{
	struct dfmt_err err = { .what = "" };
	uint64_t at = 0, start, end;
	struct dfmt *d;

	if (dfmt_open(&path, 1, NULL, &d, &err) != DFMT_OK) {
		fprintf(stderr, "writer: %s: %s\n", path, err.what);
		exit(2);
	}
	m->pages = malloc(MOST);
	m->pfns = malloc(MOST / FRAME * sizeof(*m->pfns));
	while (dfmt_next_range(d, at, &start, &end, NULL) == DFMT_OK) {
		start = (start + FRAME - 1) / FRAME;
		for (uint64_t pfn = start;
			pfn < end / FRAME && m->nr < MOST / FRAME; pfn++) {
			if (dfmt_read(d, pfn * FRAME, m->pages + m->nr * FRAME,
				    FRAME, NULL) != DFMT_OK)
				continue;
			m->pfns[m->nr++] = pfn;
		}
		at = end;
	}
	dfmt_close(d);
	m->device_len = m->nr * FRAME + (64u << 20);
	m->device = malloc(m->device_len);
	memset(m->device, 1, m->device_len);
}

/* Of each thread: the index of the frame that was asked for last. */
static _Thread_local uint64_t last;

/* Index of the first frame at or after pfn. */
static uint64_t
find(const struct machine *m, uint64_t pfn)
{
	uint64_t low = 0, high = m->nr;

	if (last + 1 < m->nr && m->pfns[last + 1] == pfn)
		return ++last;
	while (low < high) {
		uint64_t mid = (low + high) / 2;

		if (m->pfns[mid] < pfn)
			low = mid + 1;
		else
			high = mid;
	}
	return last = low;
}

static int
next_range(void *arg, uint64_t pfn, struct dfmt_wrun *run)
{
	struct machine *m = arg;
	uint64_t i = find(m, pfn), n = 1;

	if (i == m->nr)
		return 1;
	while (i + n < m->nr && m->pfns[i + n] == m->pfns[i] + n)
		n++;
	*run = (struct dfmt_wrun){ m->pfns[i], n };
	return 0;
}

static int
read_frame(void *arg, uint64_t pfn, void *buf)
{
	struct machine *m = arg;

	memcpy(buf, m->pages + find(m, pfn) * FRAME, FRAME);
	return 0;
}

static int
classify(void *arg, uint64_t pfn, uint64_t *count)
{
	(void)arg;
	(void)pfn;
	*count = UINT64_MAX;
	return DFMT_CLASS_KERNEL;
}

static int
write_device(void *arg, uint64_t offset, const void *buf, size_t len)
{
	struct machine *m = arg;

	memcpy(m->device + offset, buf, len);
	return 0;
}

static int
read_device(void *arg, uint64_t offset, void *buf, size_t len)
{
	struct machine *m = arg;

	memcpy(buf, m->device + offset, len);
	return 0;
}

/* A CPU of a hypervisor would pause; a thread lets others run. */
static void
relax(void *arg)
{
	(void)arg;
	sched_yield();
}

static void *
help(void *w)
{
	dfmt_writer_help(w, 0);
	return NULL;
}

/* ---- the ways ------------------------------------------------------------ */

struct way {
	const char *name;
	uint32_t block_len;
	uint32_t nr_helpers;
	const struct dfmt_writer_codec *codec;
	uint64_t (*by_page)(const struct machine *m);
};

/* The writer's memory is its own since before the panic: not timed. */
static uint64_t
write_dump(struct machine *m, const struct way *way, double *seconds_out)
{
	static const struct dfmt_writer_ops ops = {
		.next_range = next_range,
		.read_frame = read_frame,
		.classify = classify,
		.write = write_device,
		.read = read_device,
		.relax = relax,
	};
	struct dfmt_writer_config config = {
		.ops = &ops,
		.arg = m,
		.codec = way->codec,
		.flags = DFMT_WRITER_FILE | DFMT_WRITER_SCOUT |
			 (__builtin_cpu_supports("sse4.2") ? DFMT_WRITER_CRC32
							   : 0),
		.content = 1u << DFMT_CLASS_KERNEL,
		.page_shift = 12,
		.block_len = way->block_len,
		.nr_helpers = way->nr_helpers,
	};
	struct dfmt_writer_facts facts = { .machine = 62,
		.word_bits = 64,
		.end_pfn = m->pfns[m->nr - 1] + 1,
		.panic_cpu = ~0u,
		.panic_world = ~0u };
	size_t len = dfmt_writer_memory(&config);
	void *memory = aligned_alloc(4096, len);
	struct dfmt_writer *w;
	pthread_t t;
	double start;

	memset(memory, 0, len);
	w = dfmt_writer_init(&config, memory, len);
	start = now();

	if (way->nr_helpers)
		pthread_create(&t, NULL, help, w);
	if (dfmt_writer_run(w, &facts, m->device_len) != DFMT_W_COMPLETE)
		abort();
	if (way->nr_helpers)
		pthread_join(t, NULL);
	*seconds_out = now() - start;

	uint64_t written = dfmt_writer_result_get(w)->dump_len;

	free(memory);
	return written;
}

/* As makedumpfile stores a page: compressed if that is shorter; one zero page
 * for all; 24 bytes of descriptor each. */
static bool
is_zero(const uint8_t *page)
{
	return page[0] == 0 && memcmp(page, page + 1, FRAME - 1) == 0;
}

static uint64_t
page_put(uint64_t total, size_t len)
{
	return total + 24 + (len && len < FRAME ? len : FRAME);
}

static uint64_t
by_lzo(const struct machine *m)
{
	uint8_t out[FRAME * 2];
	void *state = malloc(LZO1X_1_MEM_COMPRESS);
	uint64_t total = 0;

	for (uint64_t i = 0; i < m->nr; i++) {
		const uint8_t *p = m->pages + i * FRAME;
		lzo_uint len = 0;

		if (is_zero(p)) {
			total += 24;
			continue;
		}
		lzo1x_1_compress(p, FRAME, out, &len, state);
		memcpy(m->device + total, out, len < FRAME ? len : FRAME);
		total = page_put(total, len);
	}
	free(state);
	return total;
}

static uint64_t
by_zlib(const struct machine *m)
{
	uint8_t out[FRAME * 2];
	uint64_t total = 0;

	for (uint64_t i = 0; i < m->nr; i++) {
		uLongf len = sizeof(out);
		const uint8_t *p = m->pages + i * FRAME;

		if (is_zero(p)) {
			total += 24;
			continue;
		}
		compress2(out, &len, p, FRAME, Z_BEST_SPEED);
		memcpy(m->device + total, out, len < FRAME ? len : FRAME);
		total = page_put(total, len);
	}
	return total;
}

static uint64_t
by_zstd(const struct machine *m)
{
	uint8_t out[FRAME * 2];
	ZSTD_CCtx *c = ZSTD_createCCtx();
	uint64_t total = 0;

	for (uint64_t i = 0; i < m->nr; i++) {
		const uint8_t *p = m->pages + i * FRAME;

		if (is_zero(p)) {
			total += 24;
			continue;
		}
		size_t len =
			ZSTD_compressCCtx(c, out, sizeof(out), p, FRAME, 1);

		memcpy(m->device + total, out, len < FRAME ? len : FRAME);
		total = page_put(total, len);
	}
	ZSTD_freeCCtx(c);
	return total;
}

static int
by_time(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int
main(int argc, char **argv)
{
	static const struct way ways[] = {
		{ "writer, 32 KiB blocks, one core", 32u << 10, 0,
			&dfmt_writer_lz4, NULL },
		{ "writer, 32 KiB blocks, two cores", 32u << 10, 1,
			&dfmt_writer_lz4, NULL },
		{ "writer, 4 KiB blocks", 4u << 10, 0, &dfmt_writer_lz4, NULL },
		{ "writer, 16 KiB blocks", 16u << 10, 0, &dfmt_writer_lz4,
			NULL },
		{ "writer, 64 KiB blocks", 64u << 10, 0, &dfmt_writer_lz4,
			NULL },
		{ "writer, 128 KiB blocks", 128u << 10, 0, &dfmt_writer_lz4,
			NULL },
		{ "writer, without compression", 32u << 10, 0, NULL, NULL },
		{ "LZO by page (as makedumpfile -l)", 0, 0, NULL, by_lzo },
		{ "zlib 1 by page (as makedumpfile -c)", 0, 0, NULL, by_zlib },
		{ "zstd 1 by page (as makedumpfile -z)", 0, 0, NULL, by_zstd },
	};
	int runs = argc > 2 ? atoi(argv[2]) : 5;
	struct machine m = { 0 };
	double t[64];

	if (argc < 2 || runs < 1 || runs > 64 || lzo_init() != LZO_E_OK) {
		fprintf(stderr, "usage: writer DUMP [RUNS]\n");
		return 2;
	}
	load(&m, argv[1]);
	if (!m.nr)
		return 1;
	printf("%llu pages, %llu MB\n", (unsigned long long)m.nr,
		(unsigned long long)(m.nr * FRAME / 1000000));
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		uint64_t len = 0;

		for (int r = 0; r < runs; r++) {
			double start = now();

			if (ways[i].by_page) {
				len = ways[i].by_page(&m);
				t[r] = now() - start;
			} else {
				len = write_dump(&m, &ways[i], &t[r]);
			}
		}
		qsort(t, (size_t)runs, sizeof(t[0]), by_time);
		printf("%-38s %7.0f MB/s  ratio %5.3f  %llu bytes\n",
			ways[i].name,
			(double)(m.nr * FRAME) / 1e6 / t[runs / 2],
			(double)(m.nr * FRAME) / (double)len,
			(unsigned long long)len);
	}
	return 0;
}
