/* SPDX-License-Identifier: MIT */
/*
 * Opens dumps and reads them: the public functions, above the formats.
 *
 * A format only says where an address lies (dfmt_extent); the copying, the
 * expanding and the cache are here, once.
 */
#include "dfmt-cache.h"
#include "dfmt-impl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef MDB_TINY
#define CACHE_DEFAULT (32u << 10)
#else
#define CACHE_DEFAULT (16u << 20)
#endif
#define PAGE_MAX 65536u

/* ---- failures ----------------------------------------------------------- */

const char *
dfmt_status_name(enum dfmt_status st)
{
	switch (st) {
	case DFMT_OK:
		return "ok";
	case DFMT_E_FORMAT:
		return "not this format";
	case DFMT_E_MALFORMED:
		return "malformed";
	case DFMT_E_EXCLUDED:
		return "excluded";
	case DFMT_E_LOST:
		return "lost";
	case DFMT_E_RANGE:
		return "out of range";
	case DFMT_E_UNSUPPORTED:
		return "unsupported";
	case DFMT_E_IO:
		return "I/O error";
	case DFMT_E_NOMEM:
		return "out of memory";
	}
	return "unknown";
}

void
dfmt_err_set(struct dfmt_err *err, enum dfmt_status st, const char *what,
	uint64_t offset, uint64_t addr)
{
	int saved = st == DFMT_E_IO ? errno : 0;

	if (!err)
		return;
	err->status = st;
	err->sys_errno = saved;
	err->offset = offset;
	err->addr = addr;
	err->what = what;
	err->detail[0] = 0;
}

void
dfmt_detail(struct dfmt_err *err, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(err->detail, sizeof(err->detail), fmt, ap);
	va_end(ap);
}

/* ---- opening ------------------------------------------------------------ */

/* A compressed file becomes its contents, a flattened one its real file. */
static enum dfmt_status
unwrap_one(struct dfmt *d, struct dfmt_source **part, struct dfmt_err *err)
{
	enum dfmt_status st = dfmt_container_open(*part, part, err);

	if (st == DFMT_OK)
		d->container = (*part)->container;

	if (st != DFMT_OK && st != DFMT_E_FORMAT)
		return st;
	st = dfmt_flattened_open(*part, part, err);
	if (st == DFMT_OK)
		d->flattened = true;
	return st == DFMT_E_FORMAT ? DFMT_OK : st;
}

static enum dfmt_status
format_find(struct dfmt *d, bool raw, struct dfmt_err *err)
{
	static const struct dfmt_format *const formats[] = {
		&dfmt_format_elf,
		&dfmt_format_diskdump,
		&dfmt_format_native,
	};

	struct dfmt_err hint = { .what = NULL };

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct dfmt_err why = { .what = NULL };

		d->format = formats[i];
		enum dfmt_status st = d->format->open(d, &why);
		if (st == DFMT_OK)
			return DFMT_OK;
		if (st != DFMT_E_FORMAT) {
			if (err)
				*err = why;
			return st;
		}
		if (why.what)
			hint = why;
		if (d->format->close)
			d->format->close(d);
		d->impl = NULL;
		d->info = (struct dfmt_info){ .file_size = d->info.file_size };
	}
	d->format = NULL;
	if (!raw && hint.what)
		return dfmt_fail(err, DFMT_E_FORMAT, hint.what, hint.offset,
			DFMT_NONE);
	if (!raw && !d->parts[0]->size)
		return dfmt_fail(err, DFMT_E_FORMAT, "the file is empty", 0,
			DFMT_NONE);
	if (!raw) {
		enum dfmt_status st = dfmt_fail(err, DFMT_E_FORMAT,
			"no known dump format", 0, DFMT_NONE);

		dfmt_detail(err,
			"no ELF core, no compressed kdump, no dump of mdb's");
		return st;
	}
	d->format = &dfmt_format_raw;
	return d->format->open(d, err);
}

static void
details_add(struct dfmt *d, const char *text, const char *more)
{
	size_t len = strlen(d->details);

	(void)snprintf(d->details + len, sizeof(d->details) - len, "%s%s%s",
		len ? ", " : "", text, more);
}

/* A format that states no ranges says where memory ends. */
static enum dfmt_status
ranges_settle(struct dfmt *d, struct dfmt_err *err)
{
	if (d->nr_ranges || d->info.kind == DFMT_KIND_NATIVE ||
		!d->info.max_addr)
		return DFMT_OK;
	free(d->ranges);
	d->ranges = calloc(1, sizeof(*d->ranges));
	if (!d->ranges)
		return dfmt_fail(err, DFMT_E_NOMEM, "ranges of memory",
			DFMT_NONE, DFMT_NONE);
	d->ranges[0] = (struct dfmt_range){ .addr = 0,
		.len = d->info.max_addr,
		.vaddr = DFMT_NONE };
	d->nr_ranges = 1;
	return DFMT_OK;
}

static enum dfmt_status
dump_settle(struct dfmt *d, const struct dfmt_options *opt,
	struct dfmt_err *err)
{
	for (size_t i = 0; i < d->nr_parts; i++) {
		enum dfmt_status st = unwrap_one(d, &d->parts[i], err);

		if (st != DFMT_OK)
			return st;
	}
	enum dfmt_status st = format_find(d, opt && opt->raw, err);
	if (st == DFMT_OK)
		st = dfmt_notes_finish(&d->notes, err);
	if (st == DFMT_OK)
		st = ranges_settle(d, err);
	if (st != DFMT_OK)
		return st;
	/*
	 * QEMU's kdump header names the machine that it emulates, also when a
	 * 32-bit kernel runs on it; its notes are of the kernel's kind.
	 */
	if (d->info.kind == DFMT_KIND_DISKDUMP && d->notes.machine)
		d->info.machine = d->notes.machine;
	for (size_t i = 0; i < d->nr_parts; i++)
		d->info.truncated = d->info.truncated || d->parts[i]->cut;
	if (d->flattened)
		details_add(d, "flattened", "");
	if (d->container)
		details_add(d, "unpacked from ", d->container);
	if (d->notes.cut)
		details_add(d, "notes cut short", "");
	d->info.details = d->details;
	if (d->info.kind == DFMT_KIND_DISKDUMP ||
		d->info.kind == DFMT_KIND_NATIVE) {
		d->cache = dfmt_cache_create(d->cache_bytes, d->info.page_size);
		if (!d->cache)
			return dfmt_fail(err, DFMT_E_NOMEM, "page cache",
				DFMT_NONE, DFMT_NONE);
	}
	return DFMT_OK;
}

static struct dfmt *
dump_new(size_t nr_parts, const struct dfmt_options *opt)
{
	struct dfmt *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->cache_bytes =
		opt && opt->cache_bytes ? opt->cache_bytes : CACHE_DEFAULT;
	d->key = opt ? opt->key : NULL;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are meant */
	d->parts = calloc(nr_parts, sizeof(*d->parts));
	d->reads = calloc(1, sizeof(*d->reads));
	if (!d->parts || !d->reads) {
		dfmt_close(d);
		return NULL;
	}
	return d;
}

static enum dfmt_status
dump_finish(struct dfmt *d, enum dfmt_status st, const struct dfmt_options *opt,
	struct dfmt **dump_out, struct dfmt_err *err)
{
	if (st == DFMT_OK)
		st = dump_settle(d, opt, err);
	d->key = NULL;
	if (st != DFMT_OK) {
		dfmt_close(d);
		return st;
	}
	*dump_out = d;
	return DFMT_OK;
}

enum dfmt_status
dfmt_open(const char *const *paths, size_t nr_paths,
	const struct dfmt_options *opt, struct dfmt **dump_out,
	struct dfmt_err *err)
{
	enum dfmt_status st = DFMT_OK;

	if (nr_paths == 0)
		return dfmt_fail(err, DFMT_E_FORMAT, "no file named", DFMT_NONE,
			DFMT_NONE);
	struct dfmt *d = dump_new(nr_paths, opt);
	if (!d)
		return dfmt_fail(err, DFMT_E_NOMEM, "opening a dump", DFMT_NONE,
			DFMT_NONE);
	for (size_t i = 0; i < nr_paths && st == DFMT_OK; i++) {
		st = dfmt_source_open(paths[i], opt && opt->no_mmap,
			&d->parts[i], err);
		if (st != DFMT_OK)
			break;
		d->nr_parts++;
		d->info.file_size += d->parts[i]->size;
	}
	return dump_finish(d, st, opt, dump_out, err);
}

enum dfmt_status
dfmt_open_memory(const void *buf, size_t len, const struct dfmt_options *opt,
	struct dfmt **dump_out, struct dfmt_err *err)
{
	struct dfmt *d = dump_new(1, opt);

	if (!d)
		return dfmt_fail(err, DFMT_E_NOMEM, "opening a dump", DFMT_NONE,
			DFMT_NONE);
	enum dfmt_status st =
		dfmt_source_open_memory(buf, len, &d->parts[0], err);
	d->nr_parts = st == DFMT_OK;
	d->info.file_size = len;
	return dump_finish(d, st, opt, dump_out, err);
}

void
dfmt_close(struct dfmt *d)
{
	if (!d)
		return;
	if (d->format && d->format->close)
		d->format->close(d);
	dfmt_notes_fini(&d->notes);
	dfmt_cache_destroy(d->cache);
	for (size_t i = 0; i < d->nr_parts; i++)
		dfmt_source_destroy(d->parts[i]);
	free(d->parts);
	free(d->reads);
	free(d->vranges);
	free(d->ranges);
	free(d);
}

/* ---- reading ------------------------------------------------------------ */

/* A failure below knows its file offset; here the address is known. */
static enum dfmt_status
at_addr(struct dfmt_err *err, enum dfmt_status st, uint64_t addr)
{
	if (err && st != DFMT_OK)
		err->addr = addr;
	return st;
}

static enum dfmt_status
page_expand(const struct dfmt_extent *ext, uint8_t *page, struct dfmt_err *err)
{
	uint8_t copy[PAGE_MAX];
	const void *in;
	size_t len;
	enum dfmt_status st;

	in = dfmt_source_view(ext->src, ext->offset, ext->stored_len, &len);
	if (!in || len < ext->stored_len) {
		st = dfmt_source_read(ext->src, ext->offset, copy,
			ext->stored_len, err);
		if (st != DFMT_OK)
			return st;
		in = copy;
	}
	st = dfmt_codec_expand(ext->codec, in, ext->stored_len, page, ext->len);
	if (st != DFMT_OK)
		return dfmt_fail(err, st, "page does not decompress",
			ext->offset, DFMT_NONE);
	return DFMT_OK;
}

/*
 * Expanded pages are kept by the address of their frame: a hit needs no look
 * at the file's tables.
 */
static bool
cached_read(const struct dfmt *d, uint64_t addr, void *buf, size_t len)
{
	uint64_t in_page = addr & (d->info.page_size - 1);

	return d->cache && dfmt_cache_get(d->cache, addr - in_page,
				   (uint32_t)in_page, buf, len);
}

/* Apart from what reads stored bytes: a word at a time needs no page. */
static enum dfmt_status __attribute__((noinline))
coded_read(const struct dfmt *d, const struct dfmt_extent *ext, uint64_t addr,
	void *buf, size_t len, struct dfmt_err *err)
{
	_Alignas(8) uint8_t page[PAGE_MAX];
	enum dfmt_status st = page_expand(ext, page, err);

	if (st != DFMT_OK)
		return st;
	dfmt_cache_put(d->cache, ext->addr, page);
	memcpy(buf, page + (addr - ext->addr), len);
	return DFMT_OK;
}

static enum dfmt_status
extent_read(const struct dfmt *d, const struct dfmt_extent *ext, uint64_t addr,
	void *buf, size_t len, struct dfmt_err *err)
{
	if (ext->codec == DFMT_CODEC_STORED)
		return dfmt_source_read(ext->src, ext->offset, buf, len, err);
	return coded_read(d, ext, addr, buf, len, err);
}

/* As many bytes at addr as one look-up gives, at most len. */
static enum dfmt_status
read_some(const struct dfmt *d, uint64_t addr, void *buf, size_t len,
	size_t *len_out, struct dfmt_err *err)
{
	uint64_t to_end = d->info.page_size - (addr & (d->info.page_size - 1));
	struct dfmt_extent ext;

	*len_out = dfmt_min(len, to_end);
	if (cached_read(d, addr, buf, *len_out))
		return DFMT_OK;
	if (d->format->read)
		return d->format->read(d, addr, buf, len, len_out, err);
	enum dfmt_status st = d->format->locate(d, addr, &ext, err);
	if (st != DFMT_OK)
		return st;
	*len_out = dfmt_min(len, ext.addr + ext.len - addr);
	return extent_read(d, &ext, addr, buf, *len_out, err);
}

static void
count_read(const struct dfmt *d)
{
	atomic_fetch_add_explicit(d->reads, 1, memory_order_relaxed);
}

enum dfmt_status
dfmt_read(const struct dfmt *d, uint64_t addr, void *buf, size_t len,
	struct dfmt_err *err)
{
	uint8_t *out = buf;

	count_read(d);
	while (len) {
		size_t n;
		enum dfmt_status st = read_some(d, addr, out, len, &n, err);

		if (st != DFMT_OK)
			return at_addr(err, st, addr);
		out += n;
		len -= n;
		addr += n;
		if (addr == 0 && len)
			return dfmt_fail(err, DFMT_E_RANGE,
				"wraps around memory", DFMT_NONE, addr);
	}
	return DFMT_OK;
}

enum dfmt_status
dfmt_view(const struct dfmt *d, uint64_t addr, size_t len,
	const void **bytes_out, size_t *len_out, struct dfmt_err *err)
{
	struct dfmt_extent ext;

	count_read(d);
	if (!d->format->locate)
		return dfmt_fail(err, DFMT_E_UNSUPPORTED, "pages lie in blocks",
			DFMT_NONE, addr);
	enum dfmt_status st = d->format->locate(d, addr, &ext, err);
	if (st != DFMT_OK)
		return at_addr(err, st, addr);
	if (ext.codec != DFMT_CODEC_STORED)
		return dfmt_fail(err, DFMT_E_UNSUPPORTED,
			"the page is compressed", ext.offset, addr);
	const void *bytes = dfmt_source_view(ext.src, ext.offset,
		dfmt_min(len, ext.len), len_out);
	if (!bytes)
		return dfmt_fail(err, DFMT_E_UNSUPPORTED,
			"the file is not mapped", ext.offset, addr);
	*bytes_out = bytes;
	return DFMT_OK;
}

bool
dfmt_views_hold(const struct dfmt *d)
{
	for (size_t i = 0; i < d->nr_parts; i++) {
		const struct dfmt_source *src = d->parts[i];

		for (; src; src = src->below) {
			if (atomic_load(&src->faulted))
				return false;
		}
	}
	return true;
}

enum dfmt_status
dfmt_next_range(const struct dfmt *d, uint64_t addr, uint64_t *start_out,
	uint64_t *end_out, struct dfmt_err *err)
{
	return d->format->next_range(d, addr, start_out, end_out, err);
}

enum dfmt_status
dfmt_coverage_get(const struct dfmt *d, struct dfmt_coverage *cov_out,
	struct dfmt_err *err)
{
	return d->format->coverage(d, cov_out, err);
}

/* ---- what the dump says of itself --------------------------------------- */

void
dfmt_info_get(const struct dfmt *d, struct dfmt_info *info_out)
{
	*info_out = d->info;
}

size_t
dfmt_nr_vranges(const struct dfmt *d)
{
	return d->nr_vranges;
}

struct dfmt_vrange
dfmt_vrange_at(const struct dfmt *d, size_t i)
{
	return d->vranges[i];
}

size_t
dfmt_nr_ranges(const struct dfmt *d)
{
	return d->nr_ranges;
}

struct dfmt_range
dfmt_range_at(const struct dfmt *d, size_t i)
{
	return d->ranges[i];
}

size_t
dfmt_nr_notes(const struct dfmt *d)
{
	return d->notes.nr_notes;
}

struct dfmt_note
dfmt_note_at(const struct dfmt *d, size_t i)
{
	return d->notes.notes[i];
}

const char *
dfmt_vmcoreinfo(const struct dfmt *d, size_t *len_out)
{
	*len_out = d->notes.vmcoreinfo_len;
	return d->notes.vmcoreinfo;
}

const char *
dfmt_vmcoreinfo_xen(const struct dfmt *d, size_t *len_out)
{
	*len_out = d->notes.vmcoreinfo_xen_len;
	return d->notes.vmcoreinfo_xen;
}

size_t
dfmt_nr_cpus(const struct dfmt *d)
{
	return d->nr_cpus ? d->nr_cpus : d->notes.nr_cpus;
}

struct dfmt_cpu
dfmt_cpu_at(const struct dfmt *d, size_t i)
{
	return d->nr_cpus ? d->cpus[i] : d->notes.cpus[i];
}

void
dfmt_stats_get(const struct dfmt *d, struct dfmt_stats *stats_out)
{
	struct dfmt_stats stats = { .reads = atomic_load(d->reads) };

	for (size_t i = 0; i < d->nr_parts; i++)
		stats.bytes_read += dfmt_source_touched_bytes(d->parts[i]);
	if (d->cache)
		dfmt_cache_stats(d->cache, &stats);
	*stats_out = stats;
}
