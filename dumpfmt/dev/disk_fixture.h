/* SPDX-License-Identifier: MIT */
/*
 * For fuzz targets of the drivers: a controller that says and does what the
 * input says.  Every register and configuration word is taken from it, and when
 * a register is written that hands something over, so is what then stands in
 * the memory that the device reaches.  Each look at the clock lets much time
 * pass, so every wait ends soon.
 */
#ifndef DISK_FIXTURE_H
#define DISK_FIXTURE_H

#include "dfmt-disk.h"

#include <stdlib.h>
#include <string.h>

#define FIXTURE_BUFFERS (256u << 10)
#define FIXTURE_WINDOW 0x4000u

struct fixture {
	const uint8_t *data;
	size_t len, at;
	uint64_t us;
	uint8_t *memory;
	/* Does writing this hand something over? */
	bool (*rings)(bool is_config, uint32_t reg, uint32_t width);
};

/* Behind the input's end: zeros. */
static inline uint32_t
fixture_next(struct fixture *s, size_t n)
{
	uint32_t v = 0;

	if (n > s->len - s->at)
		n = s->len - s->at;
	memcpy(&v, s->data + s->at, n);
	s->at += n;
	return v;
}

/* A run of bytes from the input somewhere into the queues. */
static inline void
fixture_put(struct fixture *s)
{
	uint32_t at = fixture_next(s, 2), n = fixture_next(s, 1);

	if (n > s->len - s->at)
		n = (uint32_t)(s->len - s->at);
	if (at + n <= DFMT_DISK_QUEUES)
		memcpy(s->memory + at, s->data + s->at, n);
	s->at += n;
}

static inline uint32_t
fixture_config_read(void *arg, uint32_t reg, uint32_t width)
{
	if (reg >= 4096 || reg % width)
		abort();
	return fixture_next(arg, width);
}

static inline void
fixture_ring(struct fixture *s, bool is_config, uint32_t reg, uint32_t width)
{
	if (!s->rings(is_config, reg, width))
		return;
	fixture_put(s);
	fixture_put(s);
}

static inline void
fixture_config_write(void *arg, uint32_t reg, uint32_t width, uint32_t value)
{
	(void)value;
	if (reg >= 4096 || reg % width)
		abort();
	fixture_ring(arg, true, reg, width);
}

static inline uint32_t
fixture_read32(void *arg, uint32_t reg)
{
	if (reg >= FIXTURE_WINDOW || reg % 4)
		abort();
	return fixture_next(arg, 4);
}

static inline void
fixture_write32(void *arg, uint32_t reg, uint32_t value)
{
	(void)value;
	if (reg >= FIXTURE_WINDOW || reg % 4)
		abort();
	fixture_ring(arg, false, reg, 4);
}

static inline uint64_t
fixture_now_us(void *arg)
{
	struct fixture *s = arg;

	return s->us += 300000;
}

static inline void
fixture_relax(void *arg)
{
	(void)arg;
}

static inline void
fixture_use(struct dfmt_disk *d, uint8_t *buf)
{
	uint32_t unit = dfmt_disk_unit_next(d, 0);

	if (!dfmt_disk_select(d, unit ? unit : 1))
		return;
	if (d->nr_sectors == 0 || d->max_len == 0 || d->nr_slots == 0)
		abort();
	(void)dfmt_disk_read(d, 0, buf, 4096);
	(void)dfmt_disk_write(d, 4096, buf, FIXTURE_BUFFERS);
	(void)dfmt_disk_flush(d);
}

/* Starts that driver on the input, uses it, stops it. */
static inline void
fixture_run(const struct dfmt_disk_driver *driver,
	bool (*rings)(bool is_config, uint32_t reg, uint32_t width),
	const uint8_t *data, size_t len)
{
	static const struct dfmt_hw_ops ops = { fixture_config_read,
		fixture_config_write, fixture_read32, fixture_write32,
		fixture_now_us, fixture_relax };
	struct fixture s = { .data = data, .len = len, .rings = rings };
	struct dfmt_hw hw = { .ops = &ops,
		.arg = &s,
		.window_len = FIXTURE_WINDOW };
	struct dfmt_disk d;

	s.memory = aligned_alloc(4096, DFMT_DISK_QUEUES + FIXTURE_BUFFERS);
	if (s.memory == NULL)
		abort();
	memset(s.memory, 0, DFMT_DISK_QUEUES + FIXTURE_BUFFERS);
	hw.queues =
		(struct dfmt_hw_memory){ s.memory, 1u << 20, DFMT_DISK_QUEUES };
	hw.buffers = (struct dfmt_hw_memory){ s.memory + DFMT_DISK_QUEUES,
		2u << 20, FIXTURE_BUFFERS };
	(void)dfmt_disk_driver_of(&hw);
	if (dfmt_disk_start(&d, driver, &hw))
		fixture_use(&d, s.memory + DFMT_DISK_QUEUES);
	dfmt_disk_stop(&d);
	free(s.memory);
}

#endif
