/* SPDX-License-Identifier: MIT */
/*
 * How long a page read takes, of any dump: random pages, most of them in blocks
 * that are not in the cache; then pages of a block that was read just before.
 *
 *   reads DUMP [READS]
 *
 * The file is warm.  Prints microseconds: median, 90th percentile, worst.
 */
#include "dfmt-reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define FRAME 4096u
/* Small beside the dump, so that random reads miss. */
#define CACHE (1u << 20)

static double
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static int
by_time(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
print_row(const char *name, double *t, size_t n)
{
	if (!n)
		return;
	qsort(t, n, sizeof(*t), by_time);
	printf("%-34s median %7.2f us  90%% %7.2f us  worst %8.2f us (%zu reads)\n",
		name, t[n / 2], t[n * 9 / 10], t[n - 1], n);
}

/* Frames that hold more than one word: what costs something to read. */
static size_t
list_frames(const struct dfmt *d, uint64_t **frames_out)
{
	uint64_t at = 0, start, end, *frames = NULL;
	size_t n = 0, room = 0;

	while (dfmt_next_range(d, at, &start, &end, NULL) == DFMT_OK) {
		for (uint64_t a = (start + FRAME - 1) / FRAME * FRAME;
			a + FRAME <= end; a += FRAME) {
			struct dfmt_frame_info info;

			if (dfmt_frame_info_get(d, a / FRAME, &info, NULL) ==
					DFMT_OK &&
				info.kind != 0)
				continue;
			if (n == room) {
				room = room ? 2 * room : 65536;
				frames =
					realloc(frames, room * sizeof(*frames));
				if (!frames)
					abort();
			}
			frames[n++] = a;
		}
		at = end;
	}
	*frames_out = frames;
	return n;
}

static double
timed_read(const struct dfmt *d, uint64_t addr)
{
	uint8_t page[FRAME];
	double start = now_us();

	if (dfmt_read(d, addr, page, FRAME, NULL) != DFMT_OK)
		return -1;
	return now_us() - start;
}

int
main(int argc, char **argv)
{
	const struct dfmt_options opt = { .cache_bytes = CACHE };
	size_t reads = argc > 2 ? strtoul(argv[2], NULL, 0) : 20000;
	struct dfmt_err err = { .what = "" };
	uint64_t *frames, seed = 1;
	struct dfmt *d;

	if (argc < 2 || dfmt_open((const char *const *)&argv[1], 1, &opt, &d,
				&err) != DFMT_OK) {
		fprintf(stderr, "reads: %s\n",
			argc < 2 ? "name a dump" : err.what);
		return 2;
	}
	size_t n = list_frames(d, &frames);
	double *cold = calloc(reads, sizeof(*cold));
	double *warm = calloc(reads, sizeof(*warm));
	size_t nr_cold = 0, nr_warm = 0;

	for (size_t i = 0; n && i < reads; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		size_t k = (size_t)((seed >> 20) % n);
		double t = timed_read(d, frames[k]);

		if (t >= 0)
			cold[nr_cold++] = t;
		t = timed_read(d, frames[k]);
		if (t >= 0)
			warm[nr_warm++] = t;
	}
	print_row("random page", cold, nr_cold);
	print_row("a page of the block read last", warm, nr_warm);
	free(cold);
	free(warm);
	free(frames);
	dfmt_close(d);
	return 0;
}
