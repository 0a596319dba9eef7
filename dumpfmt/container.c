/* SPDX-License-Identifier: MIT */
/*
 * Files compressed as a whole: gzip (RFC 1952), zstd (RFC 8878), xz.
 *
 * The usual such file has no index that would let us read in the middle, so it
 * is unpacked once into a temporary file in $TMPDIR (else /tmp) that has no
 * name: it vanishes with the dump or the process.  Blocks of zeros become
 * holes.  Memory is bounded by two buffers and the codec's window.  We stop
 * before the disk is full and say what to do instead.
 *
 * A file that was cut is unpacked as far as it goes and marked; one whose
 * bytes are wrong is refused.
 */
#include "dfmt-impl.h"

#include <errno.h>
#include <fcntl.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>
#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define BLOCK 4096u
#define CHUNK (256u << 10)
#define ROOM_CHECK (16u << 20)	  /* look at the disk after so much */
#define ROOM_MARGIN (64ull << 20) /* leave so much */
#define XZ_MEMORY (1ull << 30)
#ifdef MDB_TINY
#define UNPACKED_MAX (64ull << 20)
#else
#define UNPACKED_MAX (256ull << 30)
#endif

enum step {
	STEP_MORE,
	STEP_END, /* of a member; another may follow */
	STEP_CORRUPT,
	STEP_NOMEM,
};

/* What a codec reads and writes in one step. */
struct flow {
	const uint8_t *in;
	size_t in_len;
	bool last; /* no input will follow */
	uint8_t *out;
	size_t out_room;
	size_t used; /* set by the step */
	size_t made;
};

struct unpacker {
	const char *name;
	const char *command; /* that unpacks it by hand */
	uint8_t magic[6];
	size_t magic_len;
	void *(*create)(void); /* NULL: known, but not unpacked here */
	enum step (*step)(void *state, struct flow *f);
	void (*destroy)(void *state);
};

/* ---- gzip --------------------------------------------------------------- */

static void *
gzip_create(void)
{
	z_stream *z = calloc(1, sizeof(*z));

	if (z && inflateInit2(z, 15 + 16) != Z_OK) {
		free(z);
		return NULL;
	}
	return z;
}

static enum step
gzip_step(void *state, struct flow *f)
{
	z_stream *z = state;

	z->next_in = f->in;
	z->avail_in = (uInt)f->in_len;
	z->next_out = f->out;
	z->avail_out = (uInt)f->out_room;
	int ret = inflate(z, Z_NO_FLUSH);
	f->used = f->in_len - z->avail_in;
	f->made = f->out_room - z->avail_out;
	if (ret == Z_STREAM_END)
		return inflateReset(z) == Z_OK ? STEP_END : STEP_CORRUPT;
	if (ret == Z_MEM_ERROR)
		return STEP_NOMEM;
	return ret == Z_OK || ret == Z_BUF_ERROR ? STEP_MORE : STEP_CORRUPT;
}

static void
gzip_destroy(void *state)
{
	inflateEnd(state);
	free(state);
}

/* ---- zstd --------------------------------------------------------------- */

static void *
zstd_create(void)
{
	ZSTD_DStream *z = ZSTD_createDStream();

	/* zstd --long=31 and ultra levels; memory is taken as needed. */
	if (z)
		ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, 31);
	return z;
}

static enum step
zstd_step(void *state, struct flow *f)
{
	ZSTD_inBuffer in = { f->in, f->in_len, 0 };
	ZSTD_outBuffer out = { f->out, f->out_room, 0 };
	size_t ret = ZSTD_decompressStream(state, &out, &in);

	f->used = in.pos;
	f->made = out.pos;
	if (ZSTD_isError(ret))
		return ZSTD_getErrorCode(ret) == ZSTD_error_memory_allocation
			       ? STEP_NOMEM
			       : STEP_CORRUPT;
	return ret == 0 ? STEP_END : STEP_MORE;
}

static void
zstd_destroy(void *state)
{
	ZSTD_freeDStream(state);
}

/* ---- xz ----------------------------------------------------------------- */

static void *
xz_create(void)
{
	lzma_stream *z = calloc(1, sizeof(*z));

	if (z && lzma_stream_decoder(z, XZ_MEMORY, 0) != LZMA_OK) {
		free(z);
		return NULL;
	}
	return z;
}

static enum step
xz_step(void *state, struct flow *f)
{
	lzma_stream *z = state;

	z->next_in = f->in;
	z->avail_in = f->in_len;
	z->next_out = f->out;
	z->avail_out = f->out_room;
	lzma_ret ret = lzma_code(z, LZMA_RUN);
	f->used = f->in_len - z->avail_in;
	f->made = f->out_room - z->avail_out;
	if (ret == LZMA_STREAM_END)
		return lzma_stream_decoder(z, XZ_MEMORY, 0) == LZMA_OK
			       ? STEP_END
			       : STEP_NOMEM;
	if (ret == LZMA_MEM_ERROR || ret == LZMA_MEMLIMIT_ERROR)
		return STEP_NOMEM;
	return ret == LZMA_OK || ret == LZMA_BUF_ERROR ? STEP_MORE
						       : STEP_CORRUPT;
}

static void
xz_destroy(void *state)
{
	lzma_end(state);
	free(state);
}

static const struct unpacker unpackers[] = {
	{ "gzip", "gzip -dk FILE", { 0x1f, 0x8b }, 2, gzip_create, gzip_step,
		gzip_destroy },
	{ "zstd", "zstd -d --long=31 FILE", { 0x28, 0xb5, 0x2f, 0xfd }, 4,
		zstd_create, zstd_step, zstd_destroy },
	{ "xz", "xz -dk FILE", { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, xz_create,
		xz_step, xz_destroy },
	{ "bzip2", "bzip2 -dk FILE", { 'B', 'Z', 'h' }, 3, NULL, NULL, NULL },
	{ "lz4", "lz4 -d FILE", { 0x04, 0x22, 0x4d, 0x18 }, 4, NULL, NULL,
		NULL },
};

static const struct unpacker *
unpacker_of(const uint8_t *magic, size_t len)
{
	for (size_t i = 0; i < sizeof(unpackers) / sizeof(unpackers[0]); i++) {
		const struct unpacker *u = &unpackers[i];

		if (u->magic_len <= len &&
			memcmp(u->magic, magic, u->magic_len) == 0)
			return u;
	}
	return NULL;
}

/* ---- the temporary file ------------------------------------------------- */

struct sink {
	int fd;
	const char *dir;
	uint64_t size;	    /* unpacked so far */
	uint64_t unchecked; /* written since the disk was looked at */
	uint8_t buf[CHUNK];
	size_t fill;
};

static const char *
temp_dir(void)
{
	const char *dir = secure_getenv("TMPDIR");

	return dir && *dir ? dir : "/tmp";
}

static int
temp_open(const char *dir)
{
	char path[4096];
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	/* Not every file system knows nameless files. */
	int n = snprintf(path, sizeof(path), "%s/dumpXXXXXX", dir);
	if (n < 0 || (size_t)n >= sizeof(path))
		return -1;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

static bool
disk_has_room(struct sink *s, size_t more)
{
	struct statvfs vfs;

	s->unchecked += more;
	if (s->unchecked < ROOM_CHECK && s->size)
		return true;
	s->unchecked = 0;
	return fstatvfs(s->fd, &vfs) != 0 ||
	       (uint64_t)vfs.f_bavail * vfs.f_frsize > ROOM_MARGIN;
}

static bool
is_zero(const uint8_t *p, size_t len)
{
	return p[0] == 0 && memcmp(p, p + 1, len - 1) == 0;
}

static bool
write_all(struct sink *s, size_t from, size_t to)
{
	while (from < to) {
		ssize_t n = pwrite(s->fd, s->buf + from, to - from,
			(off_t)(s->size + from));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		from += (size_t)n;
	}
	return true;
}

/* Writes the buffer but its blocks of zeros. */
static bool
sink_flush(struct sink *s)
{
	size_t from = 0;

	if (!disk_has_room(s, s->fill)) {
		errno = ENOSPC;
		return false;
	}
	for (size_t at = 0; at < s->fill; at += BLOCK) {
		size_t len = dfmt_min(BLOCK, s->fill - at);

		if (!is_zero(s->buf + at, len))
			continue;
		if (!write_all(s, from, at))
			return false;
		from = at + len;
	}
	if (!write_all(s, from, s->fill))
		return false;
	s->size += s->fill;
	s->fill = 0;
	return true;
}

/* ---- unpacking ---------------------------------------------------------- */

struct work {
	const struct unpacker *u;
	void *state;
	struct dfmt_source *base;
	uint64_t at; /* in base, of what follows `in` */
	size_t in_pos, in_len;
	bool cut;
	struct sink sink;
	uint8_t in[CHUNK];
};

static enum dfmt_status
refill(struct work *w, struct dfmt_err *err)
{
	size_t n = dfmt_min(CHUNK, w->base->size - w->at);
	enum dfmt_status st = dfmt_source_pass(w->base, w->at, w->in, n, err);

	if (st == DFMT_OK) {
		w->at += n;
		w->in_pos = 0;
		w->in_len = n;
	}
	return st;
}

static enum dfmt_status
no_room(const struct work *w, struct dfmt_err *err)
{
	dfmt_fail_errno(err, "no room to unpack the compressed file", w->at);
	dfmt_detail(err, "%s is full after %llu MiB; run %s, or set TMPDIR",
		w->sink.dir, (unsigned long long)(w->sink.size >> 20),
		w->u->command);
	return DFMT_E_IO;
}

static enum dfmt_status
refuse(const struct work *w, struct dfmt_err *err, enum dfmt_status st,
	const char *what)
{
	dfmt_fail(err, st, what, w->at - (w->in_len - w->in_pos), DFMT_NONE);
	dfmt_detail(err, "unpack it: %s", w->u->command);
	return st;
}

/* One step; *end_out when the whole file is unpacked. */
static enum dfmt_status
unpack_step(struct work *w, bool *end_out, struct dfmt_err *err)
{
	struct flow f = { .in = w->in + w->in_pos,
		.in_len = w->in_len - w->in_pos,
		.last = w->at == w->base->size,
		.out = w->sink.buf + w->sink.fill,
		.out_room = CHUNK - w->sink.fill };
	enum step step = w->u->step(w->state, &f);

	w->in_pos += f.used;
	w->sink.fill += f.made;
	if (step == STEP_CORRUPT)
		return refuse(w, err, DFMT_E_LOST, "compressed file: corrupt");
	if (step == STEP_NOMEM)
		return refuse(w, err, DFMT_E_NOMEM,
			"compressed file: needs too much memory");
	bool dry = f.last && w->in_pos == w->in_len;
	if (step == STEP_END)
		*end_out = dry || (w->in_len - w->in_pos >= w->u->magic_len &&
					  memcmp(w->in + w->in_pos, w->u->magic,
						  w->u->magic_len) != 0);
	else if (dry && f.made == 0)
		*end_out = w->cut = true;
	if (w->sink.size + w->sink.fill > UNPACKED_MAX)
		return refuse(w, err, DFMT_E_UNSUPPORTED,
			"compressed file: too large to unpack here");
	if ((w->sink.fill == CHUNK || *end_out) && !sink_flush(&w->sink))
		return no_room(w, err);
	return DFMT_OK;
}

static enum dfmt_status
unpack(struct work *w, struct dfmt_err *err)
{
	enum dfmt_status st = DFMT_OK;
	bool end = false;

	while (!end && st == DFMT_OK) {
		if (w->in_pos == w->in_len && w->at < w->base->size)
			st = refill(w, err);
		if (st == DFMT_OK)
			st = unpack_step(w, &end, err);
	}
	if (st == DFMT_OK && w->cut && w->sink.size == 0)
		return refuse(w, err, DFMT_E_LOST,
			"compressed file: cut before its first bytes");
	if (st == DFMT_OK && ftruncate(w->sink.fd, (off_t)w->sink.size) != 0)
		return no_room(w, err);
	return st;
}

static enum dfmt_status
work_begin(struct work *w, struct dfmt_err *err)
{
	w->sink.dir = temp_dir();
	w->sink.fd = temp_open(w->sink.dir);
	if (w->sink.fd < 0) {
		dfmt_fail_errno(err, "no temporary file to unpack into",
			DFMT_NONE);
		dfmt_detail(err, "in %.60s; run %s, or set TMPDIR", w->sink.dir,
			w->u->command);
		return DFMT_E_IO;
	}
	w->state = w->u->create();
	if (!w->state)
		return dfmt_fail(err, DFMT_E_NOMEM, "compressed file",
			DFMT_NONE, DFMT_NONE);
	return DFMT_OK;
}

static enum dfmt_status
container_unpack(const struct unpacker *u, struct dfmt_source *base,
	struct dfmt_source **src_out, struct dfmt_err *err)
{
	struct work *w = calloc(1, sizeof(*w));

	if (!w)
		return dfmt_fail(err, DFMT_E_NOMEM, "compressed file",
			DFMT_NONE, DFMT_NONE);
	w->u = u;
	w->base = base;
	enum dfmt_status st = work_begin(w, err);
	if (st == DFMT_OK)
		st = unpack(w, err);
	if (w->state)
		u->destroy(w->state);
	if (st == DFMT_OK)
		st = dfmt_source_open_fd(w->sink.fd, false, src_out, err);
	else if (w->sink.fd >= 0)
		close(w->sink.fd);
	if (st == DFMT_OK) {
		(*src_out)->cut = w->cut;
		(*src_out)->container = u->name;
		(*src_out)->unpacked_from = base->size;
		dfmt_source_destroy(base);
	}
	free(w);
	return st;
}

enum dfmt_status
dfmt_container_open(struct dfmt_source *base, struct dfmt_source **src_out,
	struct dfmt_err *err)
{
	uint8_t magic[6];
	size_t len = dfmt_min(base->size, sizeof(magic));
	enum dfmt_status st = dfmt_source_read(base, 0, magic, len, err);

	if (st != DFMT_OK)
		return st;
	const struct unpacker *u = unpacker_of(magic, len);
	if (!u)
		return DFMT_E_FORMAT;
	if (u->create)
		return container_unpack(u, base, src_out, err);
	dfmt_fail(err, DFMT_E_UNSUPPORTED, "compressed as a whole", 0,
		DFMT_NONE);
	dfmt_detail(err, "unpack it: %s", u->command);
	return DFMT_E_UNSUPPORTED;
}
