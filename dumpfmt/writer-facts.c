/* SPDX-License-Identifier: MIT */
/*
 * What the caller says besides memory, held to what the format can say.  It
 * was put together by a program that has just died: a table that is not there
 * counts as empty, and nothing in it keeps a reader from the dump.
 */
#include "writer-impl.h"

#include <string.h>

/* Frames to write first: how many of the runs ascend and do not overlap. */
static size_t
first_right(const struct dfmt_writer_facts *f)
{
	uint64_t end = 0;
	size_t i;

	for (i = 0; i < f->nr_first; i++) {
		const struct dfmt_wrun *run = &f->first[i];

		if (run->pfn < end || run->pfn > f->end_pfn ||
			run->count > f->end_pfn - run->pfn)
			break;
		end = run->pfn + run->count;
	}
	return i;
}

static void
tables_check(struct dfmt_writer_facts *f)
{
	if (!f->versions)
		f->nr_versions = 0;
	if (!f->frames)
		f->nr_frames_walked = 0;
	if (!f->console)
		f->console_len = 0;
	if (!f->cpus)
		f->nr_cpus = 0;
	if (!f->worlds)
		f->nr_worlds = 0;
	if (!f->ranges)
		f->nr_ranges = 0;
	if (!f->objects)
		f->nr_objects = 0;
	if (!f->blobs)
		f->nr_blobs = 0;
	if (!f->first)
		f->nr_first = 0;
}

void
dfmt_w_facts_take(struct dfmt_writer *w, const struct dfmt_writer_facts *facts)
{
	struct dfmt_writer_facts *f = &w->facts;

	*f = *facts;
	tables_check(f);
	if (f->nr_cpus > DFMT_MAX_CPUS)
		f->nr_cpus = DFMT_MAX_CPUS;
	if (f->panic_cpu >= f->nr_cpus)
		f->panic_cpu = UINT32_MAX;
	if (f->panic_world >= f->nr_worlds)
		f->panic_world = UINT32_MAX;
	/* Frames from the end on are no memory to a reader. */
	if (f->end_pfn == 0 || f->end_pfn > DFMT_MAX_PFN)
		f->end_pfn = DFMT_MAX_PFN;
	f->nr_first = first_right(f);
}
