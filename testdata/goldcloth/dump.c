/* SPDX-License-Identifier: MIT */
/*
 * The goldcloth machine under the real writer: its memory through callbacks,
 * a labelled device or a file below it.
 */
#include "dump.h"

#include "dfmt-writer-lz4.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAX_HELPERS 8u
/* A dump without a label may be that long; all memory is 48 MiB. */
#define FILE_MAX (256ull << 20)

struct device {
	const struct gold_machine *machine; /* first: the memory's argument */
	int fd;
};

struct helper {
	struct dfmt_writer *writer;
	uint32_t index;
	pthread_t thread;
};

/* ---- memory ------------------------------------------------------------ */

static const struct gold_machine *
machine_of(void *arg)
{
	return *(const struct gold_machine *const *)arg;
}

static int
next_range(void *arg, uint64_t pfn, struct dfmt_wrun *run_out)
{
	size_t nr;
	const struct gold_range *r = gold_ranges(machine_of(arg), &nr);

	for (size_t i = 0; i < nr; i++)
		if (pfn < r[i].end_pfn) {
			run_out->pfn = r[i].start_pfn;
			run_out->count = r[i].end_pfn - r[i].start_pfn;
			return 0;
		}
	return 1;
}

static int
read_frame(void *arg, uint64_t pfn, void *buf)
{
	return !gold_read_frame(machine_of(arg), pfn, buf);
}

static int
classify(void *arg, uint64_t pfn, uint64_t *count_out)
{
	static const int classes[] = {
		[GOLD_FREE] = DFMT_CLASS_FREE,
		[GOLD_HYPERVISOR] = DFMT_CLASS_HYPERVISOR,
		[GOLD_PAGE_TABLE] = DFMT_CLASS_PAGETABLE,
		[GOLD_KERNEL] = DFMT_CLASS_KERNEL,
		[GOLD_USER] = DFMT_CLASS_USER,
		[GOLD_GUEST] = DFMT_CLASS_GUEST,
	};
	enum gold_class c = gold_classify(machine_of(arg), pfn);
	uint64_t n = 1;

	while (n < 64 && gold_classify(machine_of(arg), pfn + n) == c)
		n++;
	*count_out = n;
	return classes[c];
}

void
gold_memory_ops(struct dfmt_writer_ops *ops)
{
	ops->next_range = next_range;
	ops->read_frame = read_frame;
	ops->classify = classify;
}

/* ---- the device -------------------------------------------------------- */

static int
device_write(void *arg, uint64_t offset, const void *buf, size_t len)
{
	const struct device *d = arg;

	return pwrite(d->fd, buf, len, (off_t)offset) != (ssize_t)len;
}

static int
device_read(void *arg, uint64_t offset, void *buf, size_t len)
{
	const struct device *d = arg;

	return pread(d->fd, buf, len, (off_t)offset) != (ssize_t)len;
}

static int
device_flush(void *arg)
{
	const struct device *d = arg;

	return fdatasync(d->fd);
}

static uint64_t
now_ms(void *arg)
{
	struct timespec t;

	(void)arg;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void
relax(void *arg)
{
	(void)arg;
	sched_yield();
}

/* A file for the dump is made; a device is there and keeps its length. */
static int
device_open(const struct gold_dump *d, uint64_t *len_out)
{
	int flags = O_RDWR | O_CLOEXEC | (d->is_file ? O_CREAT | O_TRUNC : 0);
	int fd = open(d->path, flags, 0666);
	off_t end;

	if (fd < 0)
		return -1;
	end = lseek(fd, 0, SEEK_END);
	*len_out = d->is_file ? FILE_MAX : (uint64_t)(end < 0 ? 0 : end);
	return fd;
}

/* ---- the run ----------------------------------------------------------- */

static void *
help(void *arg)
{
	struct helper *h = arg;

	dfmt_writer_help(h->writer, h->index);
	return NULL;
}

/* Processors that were stopped and have nothing else to do. */
static uint32_t
start_helpers(struct helper *helpers, struct dfmt_writer *w, uint32_t nr)
{
	uint32_t i;

	for (i = 0; i < nr; i++) {
		helpers[i].writer = w;
		helpers[i].index = i;
		if (pthread_create(&helpers[i].thread, NULL, help,
			    &helpers[i]) != 0)
			break;
	}
	return i;
}

static struct dfmt_writer_config
config_of(const struct gold_dump *d, const struct dfmt_writer_ops *ops,
	struct device *device)
{
	struct dfmt_writer_config c = {
		.ops = ops,
		.arg = device,
		.codec = &dfmt_writer_lz4,
		.flags = d->is_file ? DFMT_WRITER_FILE : 0,
		.content = d->content,
		.page_shift = 12,
		.nr_helpers = d->nr_helpers < MAX_HELPERS ? d->nr_helpers
							  : MAX_HELPERS,
		.align = 4096,
		.time_limit_ms = d->time_limit_ms,
	};

	if (getrandom(c.seed, sizeof(c.seed), 0) != (ssize_t)sizeof(c.seed))
		memset(c.seed, 1, sizeof(c.seed));
	return c;
}

static bool
run(const struct dfmt_writer_config *c, const struct dfmt_writer_facts *facts,
	uint64_t len, struct dfmt_writer_result *result_out)
{
	size_t memory_len = dfmt_writer_memory(c);
	void *memory = aligned_alloc(4096, (memory_len + 4095) / 4096 * 4096);
	struct dfmt_writer *w;
	struct helper helpers[MAX_HELPERS];
	uint32_t nr;

	w = memory ? dfmt_writer_init(c, memory, memory_len) : NULL;
	if (!w) {
		free(memory);
		errno = memory ? EINVAL : ENOMEM;
		return false;
	}
	nr = start_helpers(helpers, w, c->nr_helpers);
	(void)dfmt_writer_run(w, facts, len);
	for (uint32_t i = 0; i < nr; i++)
		pthread_join(helpers[i].thread, NULL);
	*result_out = *dfmt_writer_result_get(w);
	free(memory);
	return true;
}

bool
gold_dump_write(const struct gold_machine *m, const struct gold_dump *d,
	struct dfmt_writer_result *result_out)
{
	struct dfmt_writer_ops ops = {
		.write = device_write,
		.read = device_read,
		.flush = device_flush,
		.now_ms = now_ms,
		.relax = relax,
	};
	struct device device = { .machine = m };
	struct gold_facts *facts;
	uint64_t len;
	bool ok;

	device.fd = device_open(d, &len);
	if (device.fd < 0)
		return false;
	gold_memory_ops(&ops);

	struct dfmt_writer_config c = config_of(d, &ops, &device);

	facts = gold_facts_create(m);
	ok = run(&c, gold_facts_get(facts), len, result_out);
	gold_facts_destroy(facts);
	return close(device.fd) == 0 && ok;
}
