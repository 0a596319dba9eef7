/* SPDX-License-Identifier: MIT */
/*
 * Sources: the bytes under a dump, whatever they come from: a mapped file, a
 * file read with pread, memory, or records of a flattened file put in order.
 *
 * A read gives all the bytes or fails; it never gives zeros for what is not
 * there.  A read past the end is DFMT_E_LOST, a refusal by the host DFMT_E_IO.
 * Reads may come from any thread at once.
 *
 * A mapped file that shrinks, or whose disk fails, raises SIGBUS.  The handler
 * (sigbus.c) marks the source as faulted before it puts zeros under the
 * reader; the read then notices the mark and is done again with pread, as are
 * all later reads.  So a faulted mapping is never believed.
 */
#ifndef DFMT_SOURCE_H
#define DFMT_SOURCE_H

#include "dfmt-reader.h"

#include <stdatomic.h>

struct dfmt_source;

struct dfmt_source_ops {
	enum dfmt_status (*read)(struct dfmt_source *src, uint64_t off,
		void *buf, size_t len, struct dfmt_err *err);
	/* As read, but leaves no pages mapped: for long passes. */
	enum dfmt_status (*pass)(struct dfmt_source *src, uint64_t off,
		void *buf, size_t len, struct dfmt_err *err);
	/* At most len bytes in place, or NULL. NULL op: never in place. */
	const void *(*view)(struct dfmt_source *src, uint64_t off, size_t len,
		size_t *len_out);
	/* See dfmt_source_hole_end; NULL: holes are not known. */
	uint64_t (*hole_end)(struct dfmt_source *src, uint64_t off);
	/* Bytes of the file touched; NULL: counted in the source itself. */
	uint64_t (*touched)(const struct dfmt_source *src);
	void (*destroy)(struct dfmt_source *src);
};

/* Which 4 KiB blocks of a file were touched: a radix tree of bitmaps. */
struct dfmt_touched {
	_Atomic uint64_t nr_blocks;
	_Atomic(void *) root[512];
};

void dfmt_touched_mark(struct dfmt_touched *t, uint64_t off, uint64_t len);
void dfmt_touched_fini(struct dfmt_touched *t);

struct dfmt_source {
	const struct dfmt_source_ops *ops;
	uint64_t size;		   /* when it was opened */
	int fd;			   /* -1 when there is none */
	struct dfmt_source *below; /* whose bytes these are, put in order */
	const uint8_t *base;
	void *map;		/* what to unmap, or NULL */
	const char *container;	/* what it was unpacked from, or NULL */
	uint64_t unpacked_from; /* bytes of that file, all of them read */
	bool cut; /* known to be shorter than it was meant to be */
	atomic_bool faulted;
	struct dfmt_touched touched;
};

/*
 * Opens a regular file or block device for reading.  no_mmap: the file may
 * change, read each time what is there now.
 */
enum dfmt_status dfmt_source_open(const char *path, bool no_mmap,
	struct dfmt_source **src_out, struct dfmt_err *err);

/* The same over a descriptor that the source closes, also on failure. */
enum dfmt_status dfmt_source_open_fd(int fd, bool no_mmap,
	struct dfmt_source **src_out, struct dfmt_err *err);

/* Borrows buf until the source is destroyed. */
enum dfmt_status dfmt_source_open_memory(const void *buf, size_t len,
	struct dfmt_source **src_out, struct dfmt_err *err);

/* Accepts NULL. */
void dfmt_source_destroy(struct dfmt_source *src);

enum dfmt_status dfmt_source_read(struct dfmt_source *src, uint64_t off,
	void *buf, size_t len, struct dfmt_err *err);
enum dfmt_status dfmt_source_pass(struct dfmt_source *src, uint64_t off,
	void *buf, size_t len, struct dfmt_err *err);

/*
 * Where the hole (zeros that take no room in a sparse file) at off ends; off
 * when there is none, or the host does not say.  For long passes.
 */
uint64_t dfmt_source_hole_end(struct dfmt_source *src, uint64_t off);

/*
 * At most len bytes at off in place, at least one; NULL when the source has
 * none in place there.  They were readable when this returned.
 */
const void *dfmt_source_view(struct dfmt_source *src, uint64_t off, size_t len,
	size_t *len_out);

uint64_t dfmt_source_touched_bytes(const struct dfmt_source *src);

/*
 * sigbus.c: while a mapping is guarded, a SIGBUS in it sets *faulted and puts
 * zeros under the access.  false when all places are taken (then do not map).
 */
bool dfmt_sigbus_guard(const void *base, uint64_t len, atomic_bool *faulted);
void dfmt_sigbus_unguard(const void *base);

#endif
