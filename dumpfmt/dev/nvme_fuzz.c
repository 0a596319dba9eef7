/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the NVMe driver with a controller that says and does what the input
 * says: every register and configuration word is taken from it, and when a
 * doorbell rings, so is what then stands in the memory that it reaches.  Each
 * look at the clock lets much time pass, so every wait ends soon.
 */
#include "dfmt-disk.h"

#include <stdlib.h>
#include <string.h>

#define BUFFERS (256u << 10)

struct source {
	const uint8_t *data;
	size_t len, at;
	uint64_t us;
	uint8_t *memory;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Behind the input's end: zeros. */
static uint32_t
next(struct source *s, size_t n)
{
	uint32_t v = 0;

	if (n > s->len - s->at)
		n = s->len - s->at;
	memcpy(&v, s->data + s->at, n);
	s->at += n;
	return v;
}

static uint32_t
config_read(void *arg, uint32_t reg, uint32_t width)
{
	if (reg >= 4096 || reg % width)
		abort();
	return next(arg, width);
}

static void
config_write(void *arg, uint32_t reg, uint32_t width, uint32_t value)
{
	(void)arg;
	(void)value;
	if (reg >= 4096 || reg % width)
		abort();
}

static uint32_t
read32(void *arg, uint32_t reg)
{
	if (reg >= 0x4000 || reg % 4)
		abort();
	return next(arg, 4);
}

/* A run of bytes from the input somewhere into the queues. */
static void
put(struct source *s)
{
	uint32_t at = next(s, 2), n = next(s, 1);

	if (n > s->len - s->at)
		n = (uint32_t)(s->len - s->at);
	if (at + n <= DFMT_DISK_QUEUES)
		memcpy(s->memory + at, s->data + s->at, n);
	s->at += n;
}

/* A doorbell: data and a completion, say. */
static void
write32(void *arg, uint32_t reg, uint32_t value)
{
	(void)value;
	if (reg >= 0x4000 || reg % 4)
		abort();
	if (reg < 0x1000)
		return;
	put(arg);
	put(arg);
}

static uint64_t
now_us(void *arg)
{
	struct source *s = arg;

	return s->us += 300000;
}

static void
relax(void *arg)
{
	(void)arg;
}

static const struct dfmt_hw_ops ops = { config_read, config_write, read32,
	write32, now_us, relax };

static void
use(struct dfmt_disk *d, uint8_t *buf)
{
	uint32_t unit = dfmt_disk_unit_next(d, 0);

	if (!dfmt_disk_select(d, unit ? unit : 1))
		return;
	if (d->nr_sectors == 0 || d->max_len == 0 || d->nr_slots == 0)
		abort();
	(void)dfmt_disk_read(d, 0, buf, 4096);
	(void)dfmt_disk_write(d, 4096, buf, BUFFERS);
	(void)dfmt_disk_flush(d);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct source s = { .data = data, .len = len };
	struct dfmt_hw hw = { .ops = &ops, .arg = &s, .window_len = 0x4000 };
	struct dfmt_disk d;

	s.memory = aligned_alloc(4096, DFMT_DISK_QUEUES + BUFFERS);
	if (s.memory == NULL)
		abort();
	memset(s.memory, 0, DFMT_DISK_QUEUES + BUFFERS);
	hw.queues =
		(struct dfmt_hw_memory){ s.memory, 1u << 20, DFMT_DISK_QUEUES };
	hw.buffers = (struct dfmt_hw_memory){ s.memory + DFMT_DISK_QUEUES,
		2u << 20, BUFFERS };
	(void)dfmt_disk_driver_of(&hw);
	if (dfmt_disk_start(&d, &dfmt_disk_nvme, &hw))
		use(&d, s.memory + DFMT_DISK_QUEUES);
	dfmt_disk_stop(&d);
	free(s.memory);
	return 0;
}
