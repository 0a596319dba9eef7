/* SPDX-License-Identifier: MIT */
/*
 * Sources over files and memory.  See dfmt-source.h for the contract.
 *
 * A file is mapped whole, read-only; the mapping is only believed while no
 * fault was seen in it.  With no_mmap, after a fault, and for long passes
 * (which would otherwise fill our memory with mapped pages) pread is used.
 */
#include "dfmt-impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOST_PAGE 4096u
#define VIEW_MAX (1u << 20)

static enum dfmt_status
past_end(const struct dfmt_source *src, uint64_t off, struct dfmt_err *err)
{
	(void)src;
	return dfmt_fail(err, DFMT_E_LOST, "past the end of the file", off,
		DFMT_NONE);
}

/* ---- pread -------------------------------------------------------------- */

static enum dfmt_status
file_pread(struct dfmt_source *src, uint64_t off, void *buf, size_t len,
	struct dfmt_err *err)
{
	uint8_t *out = buf;

	if (off > INT64_MAX || len > INT64_MAX - off)
		return past_end(src, off, err);
	dfmt_touched_mark(&src->touched, off, dfmt_min(len, src->size));
	while (len) {
		ssize_t n = pread(src->fd, out, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return dfmt_fail_errno(err, "reading the file", off);
		if (n == 0)
			return past_end(src, off, err);
		out += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return DFMT_OK;
}

static uint64_t
file_hole_end(struct dfmt_source *src, uint64_t off)
{
	if (off >= src->size)
		return off;
	off_t data = lseek(src->fd, (off_t)off, SEEK_DATA);
	if (data < 0)
		return errno == ENXIO ? src->size : off;
	return (uint64_t)data;
}

static void
file_destroy(struct dfmt_source *src)
{
	if (src->map) {
		dfmt_sigbus_unguard(src->map);
		munmap(src->map, src->size);
	}
	close(src->fd);
}

/* ---- mapping ------------------------------------------------------------ */

static bool
believed(struct dfmt_source *src)
{
	return !atomic_load_explicit(&src->faulted, memory_order_acquire);
}

static enum dfmt_status
map_read(struct dfmt_source *src, uint64_t off, void *buf, size_t len,
	struct dfmt_err *err)
{
	if (!dfmt_inside(off, len, src->size))
		return past_end(src, off, err);
	if (believed(src)) {
		memcpy(buf, src->base + off, len);
		atomic_signal_fence(memory_order_seq_cst);
		if (believed(src)) {
			dfmt_touched_mark(&src->touched, off, len);
			return DFMT_OK;
		}
	}
	return file_pread(src, off, buf, len, err);
}

static const void *
map_view(struct dfmt_source *src, uint64_t off, size_t len, size_t *len_out)
{
	const volatile uint8_t *p = src->base + off;

	if (!believed(src))
		return NULL;
	len = dfmt_min(len, VIEW_MAX);
	for (size_t i = 0; i < len; i += HOST_PAGE)
		(void)p[i];
	(void)p[len - 1];
	if (!believed(src))
		return NULL;
	dfmt_touched_mark(&src->touched, off, len);
	*len_out = len;
	return src->base + off;
}

static const struct dfmt_source_ops map_ops = {
	.read = map_read,
	.pass = file_pread,
	.hole_end = file_hole_end,
	.view = map_view,
	.destroy = file_destroy,
};

static const struct dfmt_source_ops pread_ops = {
	.read = file_pread,
	.pass = file_pread,
	.hole_end = file_hole_end,
	.destroy = file_destroy,
};

/* ---- memory ------------------------------------------------------------- */

static enum dfmt_status
memory_read(struct dfmt_source *src, uint64_t off, void *buf, size_t len,
	struct dfmt_err *err)
{
	if (!dfmt_inside(off, len, src->size))
		return past_end(src, off, err);
	if (len)
		memcpy(buf, src->base + off, len);
	dfmt_touched_mark(&src->touched, off, len);
	return DFMT_OK;
}

static const void *
memory_view(struct dfmt_source *src, uint64_t off, size_t len, size_t *len_out)
{
	dfmt_touched_mark(&src->touched, off, len);
	*len_out = len;
	return src->base + off;
}

static const struct dfmt_source_ops memory_ops = {
	.read = memory_read,
	.pass = memory_read,
	.view = memory_view,
};

/* ---- opening ------------------------------------------------------------ */

static enum dfmt_status
file_size(int fd, uint64_t *size_out, struct dfmt_err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return dfmt_fail_errno(err, "asking for the file's size",
			DFMT_NONE);
	if (S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return dfmt_fail_errno(err, "is a directory", DFMT_NONE);
	}
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
		errno = ESPIPE;
		return dfmt_fail_errno(err,
			"not a file that can be read at any place", DFMT_NONE);
	}
	off_t end = lseek(fd, 0, SEEK_END);
	if (end < 0)
		return dfmt_fail_errno(err, "asking for the file's size",
			DFMT_NONE);
	*size_out = (uint64_t)end;
	return DFMT_OK;
}

static struct dfmt_source *
source_new(const struct dfmt_source_ops *ops, int fd, uint64_t size)
{
	struct dfmt_source *src = calloc(1, sizeof(*src));

	if (!src)
		return NULL;
	src->ops = ops;
	src->fd = fd;
	src->size = size;
	return src;
}

/* Falls back to pread when the host will not map the file. */
static void
file_map(struct dfmt_source *src)
{
	if (src->size == 0 || src->size > SIZE_MAX / 2)
		return;
	void *base = mmap(NULL, src->size, PROT_READ, MAP_PRIVATE, src->fd, 0);
	if (base == MAP_FAILED)
		return;
	if (!dfmt_sigbus_guard(base, src->size, &src->faulted)) {
		munmap(base, src->size);
		return;
	}
	src->base = src->map = base;
	src->ops = &map_ops;
}

enum dfmt_status
dfmt_source_open_fd(int fd, bool no_mmap, struct dfmt_source **src_out,
	struct dfmt_err *err)
{
	uint64_t size = 0;
	enum dfmt_status st = file_size(fd, &size, err);

	if (st != DFMT_OK) {
		close(fd);
		return st;
	}
	struct dfmt_source *src = source_new(&pread_ops, fd, size);
	if (!src) {
		close(fd);
		return dfmt_fail(err, DFMT_E_NOMEM, "opening the file",
			DFMT_NONE, DFMT_NONE);
	}
	if (!no_mmap)
		file_map(src);
	*src_out = src;
	return DFMT_OK;
}

enum dfmt_status
dfmt_source_open(const char *path, bool no_mmap, struct dfmt_source **src_out,
	struct dfmt_err *err)
{
	/* O_NONBLOCK: a named pipe must not hang us. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return dfmt_fail_errno(err, "opening the file", DFMT_NONE);
	return dfmt_source_open_fd(fd, no_mmap, src_out, err);
}

enum dfmt_status
dfmt_source_open_memory(const void *buf, size_t len,
	struct dfmt_source **src_out, struct dfmt_err *err)
{
	struct dfmt_source *src = source_new(&memory_ops, -1, len);

	if (!src)
		return dfmt_fail(err, DFMT_E_NOMEM, "opening memory", DFMT_NONE,
			DFMT_NONE);
	src->base = buf;
	*src_out = src;
	return DFMT_OK;
}

void
dfmt_source_destroy(struct dfmt_source *src)
{
	if (!src)
		return;
	if (src->ops->destroy)
		src->ops->destroy(src);
	dfmt_touched_fini(&src->touched);
	free(src);
}

/* ---- dispatch ----------------------------------------------------------- */

enum dfmt_status
dfmt_source_read(struct dfmt_source *src, uint64_t off, void *buf, size_t len,
	struct dfmt_err *err)
{
	return src->ops->read(src, off, buf, len, err);
}

enum dfmt_status
dfmt_source_pass(struct dfmt_source *src, uint64_t off, void *buf, size_t len,
	struct dfmt_err *err)
{
	return src->ops->pass(src, off, buf, len, err);
}

uint64_t
dfmt_source_hole_end(struct dfmt_source *src, uint64_t off)
{
	return src->ops->hole_end ? src->ops->hole_end(src, off) : off;
}

const void *
dfmt_source_view(struct dfmt_source *src, uint64_t off, size_t len,
	size_t *len_out)
{
	if (!src->ops->view || len == 0 || off >= src->size)
		return NULL;
	return src->ops->view(src, off, dfmt_min(len, src->size - off),
		len_out);
}

uint64_t
dfmt_source_touched_bytes(const struct dfmt_source *src)
{
	if (src->ops->touched)
		return src->ops->touched(src);
	uint64_t bytes = atomic_load(&src->touched.nr_blocks) * 4096;

	return src->unpacked_from + dfmt_min(bytes, src->size);
}
