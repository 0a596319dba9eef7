/* SPDX-License-Identifier: MIT */
/*
 * What the files of the reading library share: the dump object, the ops table
 * of a format, and how a format says where an address lies.  Private.
 *
 * The invariant of a dump: after open nothing in it changes but its cache, its
 * statistics and what the formats build lazily under their own lock.
 */
#ifndef DFMT_IMPL_H
#define DFMT_IMPL_H

#include "dfmt-bytes.h"
#include "dfmt-codec.h"
#include "dfmt-notes.h"
#include "dfmt-reader.h"
#include "dfmt-source.h"

#include <stdatomic.h>

struct dfmt_cache;

/*
 * Where memory lies in a file.  Stored: `len` bytes from `addr` on are at
 * `offset`, one to one.  Compressed: the `len` bytes of the frame at `addr`
 * are `stored_len` bytes at `offset`, coded.
 */
struct dfmt_extent {
	struct dfmt_source *src;
	enum dfmt_codec codec;
	uint32_t stored_len;
	uint64_t offset;
	uint64_t addr;
	uint64_t len;
};

/* One format.  An optional op that is NULL means what its line says. */
struct dfmt_format {
	/*
	 * DFMT_E_FORMAT: not mine, try the next; err is filled only when there
	 * is more to say than that.  Others are final.
	 */
	enum dfmt_status (*open)(struct dfmt *d, struct dfmt_err *err);
	/*
	 * The extent that holds addr; for a stored one it begins at addr.
	 * NULL: nothing can be viewed, and read is there.
	 */
	enum dfmt_status (*locate)(const struct dfmt *d, uint64_t addr,
		struct dfmt_extent *ext_out, struct dfmt_err *err);
	/*
	 * As many bytes at addr as one look-up gives, at most len, and fills
	 * the cache by itself.  NULL: through locate.
	 */
	enum dfmt_status (*read)(const struct dfmt *d, uint64_t addr, void *buf,
		size_t len, size_t *len_out, struct dfmt_err *err);
	enum dfmt_status (*next_range)(const struct dfmt *d, uint64_t addr,
		uint64_t *start_out, uint64_t *end_out, struct dfmt_err *err);
	enum dfmt_status (*coverage)(const struct dfmt *d,
		struct dfmt_coverage *cov_out, struct dfmt_err *err);
	void (*close)(struct dfmt *d); /* NULL: nothing to do */
};

extern const struct dfmt_format dfmt_format_elf;
extern const struct dfmt_format dfmt_format_diskdump;
extern const struct dfmt_format dfmt_format_native;
extern const struct dfmt_format dfmt_format_raw;

struct dfmt {
	const struct dfmt_format *format;
	void *impl; /* the format's own */
	struct dfmt_source **parts;
	size_t nr_parts;
	struct dfmt_info info;
	char format_name[48];
	char details[96];
	struct dfmt_notes notes;
	struct dfmt_vrange *vranges;
	size_t nr_vranges;
	struct dfmt_range *ranges; /* of machine memory, as stated */
	size_t nr_ranges;
	const struct dfmt_cpu *cpus; /* the format's own; else the notes' */
	size_t nr_cpus;
	struct dfmt_cache *cache; /* NULL: the format needs none */
	size_t cache_bytes;
	const uint8_t *key; /* only while it is opened; or NULL */
	bool flattened;
	const char *container;	 /* "zstd", or NULL */
	_Atomic uint64_t *reads; /* the one thing that a read changes */
};

/* Fills err, which may be NULL; sys_errno is 0 unless the host said no. */
void dfmt_err_set(struct dfmt_err *err, enum dfmt_status st, const char *what,
	uint64_t offset, uint64_t addr);

/* The same, and returns st. */
static inline enum dfmt_status
dfmt_fail(struct dfmt_err *err, enum dfmt_status st, const char *what,
	uint64_t offset, uint64_t addr)
{
	dfmt_err_set(err, st, what, offset, addr);
	return st;
}

/* For the host's refusal: takes errno. */
static inline enum dfmt_status
dfmt_fail_errno(struct dfmt_err *err, const char *what, uint64_t offset)
{
	dfmt_err_set(err, DFMT_E_IO, what, offset, DFMT_NONE);
	return DFMT_E_IO;
}

/* Adds a formatted detail to a failure that was just recorded. */
void dfmt_detail(struct dfmt_err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* flattened.c: DFMT_E_FORMAT (err not filled) when base is no flattened file.
 * On success the new source owns base. */
enum dfmt_status dfmt_flattened_open(struct dfmt_source *base,
	struct dfmt_source **src_out, struct dfmt_err *err);

/* container.c: DFMT_E_FORMAT (err not filled) when base is not compressed as a
 * whole.  On success base is destroyed and *src_out holds what was in it. */
enum dfmt_status dfmt_container_open(struct dfmt_source *base,
	struct dfmt_source **src_out, struct dfmt_err *err);

#endif
