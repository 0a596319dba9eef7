/* SPDX-License-Identifier: MIT */
/*
 * For fuzz targets only: opens bytes as a dump and asks for everything that
 * the public interface gives.
 */
#ifndef DFMT_FUZZ_H
#define DFMT_FUZZ_H

#include "dfmt-reader.h"

#include <stdlib.h>
#include <string.h>

static inline void
dfmt_fuzz_ranges(const struct dfmt *d)
{
	uint64_t start, end, at = 0;
	uint8_t buf[4096];
	struct dfmt_err err;
	const void *p;
	size_t len;

	for (int i = 0; i < 16; i++) {
		if (dfmt_next_range(d, at, &start, &end, &err) != DFMT_OK)
			return;
		if (start < at || end <= start)
			abort();
		for (uint64_t a = start; a < end && a < start + 8 * 4096;
			a += 4096)
			(void)dfmt_read(d, a, buf, sizeof(buf), &err);
		(void)dfmt_read(d, start + 4090, buf, 20, &err);
		if (dfmt_view(d, start, 4096, &p, &len, &err) == DFMT_OK)
			memcpy(buf, p, len);
		if (dfmt_view(d, end - 1, 4096, &p, &len, &err) == DFMT_OK)
			memcpy(buf, p, len);
		at = end;
	}
}

static inline void
dfmt_fuzz_notes(const struct dfmt *d)
{
	volatile unsigned int sum = 0;
	size_t len;
	const char *text;

	for (size_t i = 0; i < dfmt_nr_notes(d); i++) {
		struct dfmt_note n = dfmt_note_at(d, i);

		sum += (unsigned int)strlen(n.name);
		for (size_t k = 0; k < n.desc_len; k++)
			sum += ((const uint8_t *)n.desc)[k];
	}
	for (size_t i = 0; i < dfmt_nr_cpus(d); i++)
		sum += (unsigned int)dfmt_cpu_at(d, i).rip;
	for (size_t i = 0; i < dfmt_nr_vranges(d); i++)
		sum += (unsigned int)dfmt_vrange_at(d, i).len;
	text = dfmt_vmcoreinfo(d, &len);
	for (size_t i = 0; text && i <= len; i++)
		sum += (unsigned int)text[i];
	text = dfmt_vmcoreinfo_xen(d, &len);
	for (size_t i = 0; text && i <= len; i++)
		sum += (unsigned int)text[i];
}

static inline void
dfmt_fuzz_blobs(const struct dfmt *d, size_t object)
{
	volatile unsigned int sum = 0;
	const void *p;
	size_t len;

	for (uint32_t kind = 0; kind < 6; kind++) {
		if (dfmt_object_blob(d, object, kind, &p, &len, NULL) !=
			DFMT_OK)
			continue;
		for (size_t i = 0; i < len; i += 512)
			sum += ((const uint8_t *)p)[i];
	}
}

static inline void
dfmt_fuzz_native(const struct dfmt *d)
{
	const struct dfmt_native *n = dfmt_native_get(d);
	volatile size_t sum = 0;
	struct dfmt_frame_info info;

	if (!n)
		return;
	if (n->console && strlen(n->console) > n->console_len)
		abort();
	if (n->panic_cpu != UINT32_MAX && n->panic_cpu >= dfmt_nr_cpus(d))
		abort();
	for (size_t i = 0; i < dfmt_nr_versions(d); i++)
		sum += strlen(dfmt_version_at(d, i));
	for (size_t i = 0; i < dfmt_nr_frames(d); i++)
		sum += strlen(dfmt_frame_at(d, i).text);
	for (size_t i = 0; i < dfmt_nr_worlds(d); i++)
		sum += strlen(dfmt_world_at(d, i).name);
	for (size_t i = 0; i < dfmt_nr_objects(d) && i < 8; i++) {
		sum += strlen(dfmt_object_at(d, i).name);
		dfmt_fuzz_blobs(d, i);
	}
	for (size_t i = 0; i < dfmt_nr_ranges(d); i++)
		sum += dfmt_range_at(d, i).len;
	for (uint64_t pfn = 0; pfn < 40; pfn++)
		(void)dfmt_frame_info_get(d, pfn, &info, NULL);
	(void)dfmt_frame_info_get(d, UINT64_MAX, &info, NULL);
}

/* With the key of an encrypted dump, or NULL. */
static inline void
dfmt_fuzz_with(const uint8_t *data, size_t len, const uint8_t *magic,
	size_t magic_len, const uint8_t *key)
{
	const struct dfmt_options opt = { .key = key };
	uint8_t *copy = malloc(len ? len : 1);
	struct dfmt_coverage cov;
	struct dfmt_err err;
	struct dfmt *d;

	if (!copy)
		return;
	if (len)
		memcpy(copy, data, len);
	if (len >= magic_len)
		memcpy(copy, magic, magic_len);
	if (dfmt_open_memory(copy, len, &opt, &d, &err) == DFMT_OK) {
		dfmt_fuzz_notes(d);
		dfmt_fuzz_native(d);
		dfmt_fuzz_ranges(d);
		(void)dfmt_coverage_get(d, &cov, &err);
		dfmt_close(d);
	}
	free(copy);
}

static inline void
dfmt_fuzz(const uint8_t *data, size_t len, const uint8_t *magic,
	size_t magic_len)
{
	dfmt_fuzz_with(data, len, magic, magic_len, NULL);
}

#endif
