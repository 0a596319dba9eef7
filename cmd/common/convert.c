/* SPDX-License-Identifier: MIT */
/*
 * Native dumps of other dumps: the writer that a hypervisor runs at its panic
 * is run here, over callbacks that read the other dump and write a file.  So a
 * converted dump is what a machine would have written.
 *
 * All frames are of one class, KERNEL: the other formats do not say what a
 * frame holds.
 */
#include "cmd/common/convert.h"

#include "cmd/common/device.h"
#include "cmd/common/facts.h"
#include "cmd/common/progress.h"
#include "cmd/common/zstd.h"
#include "dfmt-bytes.h"
#include "dfmt-writer-lz4.h"
#include "mdb/base/alloc.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define AHEAD (256u << 10)
#define MAX_THREADS 8u
#define BLOCK_ZSTD (64u << 10)

struct convert {
	const struct dfmt *d;
	struct cmd_output *out;
	struct cmd_progress progress;
	uint32_t page;
	/* The run of memory that was asked for last. */
	uint64_t run_start, run_end;
	/* Bytes read ahead. */
	uint8_t *ahead;
	uint64_t ahead_addr, ahead_len;
	struct cmd_error *err;
	bool failed; /* err is filled */
	struct dfmt_writer *writer;
};

/* ---- the machine, as the writer sees it ----------------------------------
 */

static int
next_range(void *arg, uint64_t pfn, struct dfmt_wrun *run_out)
{
	struct convert *c = arg;
	uint64_t first, end;

	if (dfmt_next_range(c->d, pfn * c->page, &c->run_start, &c->run_end,
		    NULL) != DFMT_OK)
		return 1;
	first = c->run_start / c->page;
	end = (c->run_end + c->page - 1) / c->page;
	*run_out = (struct dfmt_wrun){ first, end - first };
	return end <= pfn;
}

/* A frame of which not all is memory, or not all can be read. */
static int
read_parts(const struct convert *c, uint64_t addr, uint8_t *buf)
{
	uint64_t at = addr, end = addr + c->page, from, to;
	bool any = false;

	memset(buf, 0, c->page);
	while (at < end &&
		dfmt_next_range(c->d, at, &from, &to, NULL) == DFMT_OK &&
		from < end) {
		from = from < at ? at : from;
		to = to < end ? to : end;
		if (dfmt_read(c->d, from, buf + (from - addr),
			    (size_t)(to - from), NULL) != DFMT_OK)
			return 1;
		any = true;
		at = to;
	}
	return any ? 0 : 1;
}

static bool
read_ahead(struct convert *c, uint64_t addr)
{
	uint64_t len = AHEAD;

	if (addr < c->run_start || addr >= c->run_end)
		return false;
	len = dfmt_min(len, c->run_end - addr) / c->page * c->page;
	c->ahead_len = 0;
	if (len == 0 ||
		dfmt_read(c->d, addr, c->ahead, (size_t)len, NULL) != DFMT_OK)
		return false;
	c->ahead_addr = addr;
	c->ahead_len = len;
	return true;
}

static int
read_frame(void *arg, uint64_t pfn, void *buf)
{
	struct convert *c = arg;
	uint64_t addr = pfn * c->page;

	if (addr - c->ahead_addr >= c->ahead_len && !read_ahead(c, addr)) {
		if (dfmt_read(c->d, addr, buf, c->page, NULL) == DFMT_OK)
			return 0;
		return read_parts(c, addr, buf);
	}
	memcpy(buf, c->ahead + (addr - c->ahead_addr), c->page);
	return 0;
}

static int
classify(void *arg, uint64_t pfn, uint64_t *count_out)
{
	(void)arg;
	(void)pfn;
	*count_out = DFMT_MAX_PFN;
	return DFMT_CLASS_KERNEL;
}

/* ---- the file ------------------------------------------------------------
 */

static int
write_file(void *arg, uint64_t offset, const void *buf, size_t len)
{
	struct convert *c = arg;

	if (!c->failed &&
		cmd_output_write(c->out, buf, len, offset, c->err) != CMD_OK) {
		c->failed = true;
		/* Nothing that follows can be better. */
		dfmt_writer_stop(c->writer);
	}
	return c->failed;
}

static int
read_file(void *arg, uint64_t offset, void *buf, size_t len)
{
	const struct convert *c = arg;

	return cmd_pread_all(c->out->fd, buf, len, offset) ? 0 : 1;
}

static uint64_t
now_ms(void *arg)
{
	(void)arg;
	return cmd_now_ms();
}

static void
progress(void *arg, const struct dfmt_wprogress *p)
{
	struct convert *c = arg;

	cmd_progress_set(&c->progress, p->nr_done * c->page);
}

static void
relax(void *arg)
{
	(void)arg;
	(void)sched_yield();
}

static const struct dfmt_writer_ops ops = {
	.next_range = next_range,
	.read_frame = read_frame,
	.classify = classify,
	.write = write_file,
	.read = read_file,
	.now_ms = now_ms,
	.progress = progress,
	.relax = relax,
};

/* ---- helpers -------------------------------------------------------------
 */

struct helper {
	pthread_t thread;
	struct dfmt_writer *writer;
	uint32_t index;
};

static void *
help(void *arg)
{
	const struct helper *h = arg;

	dfmt_writer_help(h->writer, h->index);
	return NULL;
}

static uint32_t
nr_helpers(const struct cmd_convert_options *opt)
{
	long nr = opt->nr_threads != 0 ? (long)opt->nr_threads
				       : sysconf(_SC_NPROCESSORS_ONLN);

	if (nr < 1)
		nr = 1;
	return (uint32_t)(nr < (long)MAX_THREADS ? nr : MAX_THREADS) - 1;
}

static enum dfmt_writer_status
run_with_helpers(struct convert *c, uint32_t nr,
	const struct dfmt_writer_facts *facts)
{
	struct helper helpers[MAX_THREADS];
	enum dfmt_writer_status status;
	uint32_t nr_made = 0;

	for (uint32_t i = 0; i < nr; i++) {
		helpers[i] = (struct helper){ .writer = c->writer, .index = i };
		if (pthread_create(&helpers[i].thread, NULL, help,
			    &helpers[i]) != 0)
			break;
		nr_made++;
	}
	status = dfmt_writer_run(c->writer, facts, INT64_MAX / 2);
	for (uint32_t i = 0; i < nr_made; i++)
		(void)pthread_join(helpers[i].thread, NULL);
	return status;
}

/* ---- the whole -----------------------------------------------------------
 */

static uint32_t
page_shift(uint32_t page)
{
	uint32_t shift = 12;

	while (shift < 16 && 1u << shift < page)
		shift++;
	return shift;
}

static enum cmd_status
judge(struct convert *c, enum dfmt_writer_status status,
	struct cmd_convert_stats *stats_out, struct cmd_error *err)
{
	const struct dfmt_writer_result *r = dfmt_writer_result_get(c->writer);

	if (c->failed)
		return CMD_FAILED;
	if (status != DFMT_W_COMPLETE || !r->ended)
		return cmd_fail(err, CMD_FAILED, "writing %s/%s: %s",
			c->out->dir, c->out->name,
			r->why != NULL ? r->why : "it could not be ended");
	*stats_out = (struct cmd_convert_stats){
		.nr_data = r->nr_data,
		.nr_fill = r->nr_fill,
		.nr_repeat = r->nr_repeat,
		.nr_lost = r->nr_lost,
		.len = r->dump_len,
	};
	memcpy(stats_out->dump_id, r->dump_id, sizeof(stats_out->dump_id));
	return cmd_output_sync(c->out, r->dump_len, err);
}

static enum cmd_status
run(struct convert *c, struct dfmt_writer_config *config,
	const struct dfmt_writer_facts *facts,
	struct cmd_convert_stats *stats_out, struct cmd_error *err)
{
	size_t len = dfmt_writer_memory(config);
	enum dfmt_writer_status status;
	enum cmd_status st;
	void *memory;

	if (len == 0)
		return cmd_fail(err, CMD_FAILED,
			"blocks of %u bytes do not hold pages of %u",
			config->block_len, c->page);
	if (posix_memalign(&memory, 4096, len) != 0)
		return cmd_fail(err, CMD_FAILED, "no memory for the writer");
	c->writer = dfmt_writer_init(config, memory, len);
	if (c->writer == NULL) {
		free(memory);
		return cmd_fail(err, CMD_FAILED, "the writer does not start");
	}
	status = run_with_helpers(c, config->nr_helpers, facts);
	cmd_progress_end(&c->progress, c->progress.total);
	st = judge(c, status, stats_out, err);
	free(memory);
	return st;
}

static uint64_t
memory_len(const struct dfmt *d)
{
	uint64_t addr = 0, start, end, len = 0;

	while (dfmt_next_range(d, addr, &start, &end, NULL) == DFMT_OK &&
		end > start) {
		len += end - start;
		addr = end;
	}
	return len;
}

enum cmd_status
cmd_native_write(const struct dfmt *d, struct cmd_output *out,
	const struct cmd_convert_options *opt,
	struct cmd_convert_stats *stats_out, struct cmd_error *err)
{
	struct convert c = { .d = d, .out = out, .err = err };
	struct cmd_facts facts;
	struct dfmt_info info;
	struct dfmt_writer_codec zstd = cmd_zstd_codec(opt->level);
	enum cmd_status st = cmd_facts_make(d, &facts, err);
	struct dfmt_writer_config config = {
		.ops = &ops,
		.arg = &c,
		.codec = opt->zstd ? &zstd : &dfmt_writer_lz4,
		.flags = DFMT_WRITER_FILE,
		.content = 1u << DFMT_CLASS_KERNEL,
		.block_len = opt->block != 0 ? opt->block
			     : opt->zstd     ? BLOCK_ZSTD
					     : 0,
		.nr_helpers = nr_helpers(opt),
	};

	dfmt_info_get(d, &info);
	c.page = info.page_size;
	config.page_shift = page_shift(info.page_size);
	if (config.block_len < c.page && c.page > DFMT_WRITER_BLOCK)
		config.block_len = c.page;
	if (__builtin_cpu_supports("sse4.2"))
		config.flags |= DFMT_WRITER_CRC32;
	(void)!getrandom(config.seed, sizeof(config.seed), 0);
	c.ahead = mdb_xalloc(AHEAD);
	cmd_progress_start(&c.progress, "converting", memory_len(d),
		opt->verbose);
	if (st == CMD_OK)
		st = run(&c, &config, &facts.facts, stats_out, err);
	free(c.ahead);
	cmd_facts_fini(&facts);
	return st;
}
