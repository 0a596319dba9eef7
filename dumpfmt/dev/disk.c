/* SPDX-License-Identifier: MIT */
/*
 * What all polled disks have in common: pieces, several commands in flight,
 * time, and one more try behind a reset.
 */
#include "dfmt-disk.h"

#include <string.h>

static const struct dfmt_disk_driver *const drivers[] = {
	&dfmt_disk_nvme,
	&dfmt_disk_ahci,
	&dfmt_disk_virtio,
};

static bool
fail(struct dfmt_disk *d, const char *why)
{
	d->why = why;
	return false;
}

const struct dfmt_disk_driver *
dfmt_disk_driver_of(const struct dfmt_hw *hw)
{
	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (drivers[i]->match(hw))
			return drivers[i];
	return NULL;
}

const char *
dfmt_disk_refusal(const struct dfmt_disk_driver *driver,
	const struct dfmt_hw *hw)
{
	return driver->refusal ? driver->refusal(hw) : NULL;
}

void
dfmt_disk_text(char *out, const uint8_t *in, size_t len)
{
	size_t first = 0;

	while (len > 0 && (in[len - 1] == ' ' || in[len - 1] == 0))
		len--;
	while (first < len && in[first] == ' ')
		first++;
	for (size_t i = first; i < len; i++)
		*out++ = (char)(in[i] >= 0x20 && in[i] < 0x7f ? in[i] : '?');
	*out = 0;
}

bool
dfmt_disk_start(struct dfmt_disk *d, const struct dfmt_disk_driver *driver,
	const struct dfmt_hw *hw)
{
	memset(d, 0, sizeof(*d));
	d->driver = driver;
	d->hw = *hw;
	d->command_ms = DFMT_DISK_COMMAND_MS;
	if (hw->queues.len < DFMT_DISK_QUEUES || hw->queues.bus % 4096 ||
		(uintptr_t)hw->queues.virt % 4096)
		return fail(d, "the driver was given too little memory");
	return driver->start(d);
}

uint32_t
dfmt_disk_unit_next(struct dfmt_disk *d, uint32_t after)
{
	return d->driver->unit_next(d, after);
}

/* What a driver says of a unit is held to what the rest relies on. */
static bool
is_usable(struct dfmt_disk *d)
{
	if (d->sector_len != 512 && d->sector_len != 4096)
		return fail(d, "its sectors are neither 512 nor 4096 bytes");
	d->sector_shift = d->sector_len == 512 ? 9 : 12;
	if (d->nr_sectors == 0 ||
		d->nr_sectors > (UINT64_MAX >> 1) >> d->sector_shift)
		return fail(d, "its size makes no sense");
	if (d->max_len > DFMT_DISK_PIECE)
		d->max_len = DFMT_DISK_PIECE;
	d->max_len -= d->max_len % d->sector_len;
	if (d->max_len == 0)
		return fail(d, "it does not take a whole sector at a time");
	if (d->nr_slots > DFMT_DISK_SLOTS)
		d->nr_slots = DFMT_DISK_SLOTS;
	if (d->nr_slots == 0)
		return fail(d, "it takes no command");
	return true;
}

static void
slots_clear(struct dfmt_disk *d)
{
	memset(d->slots, 0, sizeof(d->slots));
}

bool
dfmt_disk_select(struct dfmt_disk *d, uint32_t unit)
{
	d->running = false;
	slots_clear(d);
	if (!d->driver->select(d, unit) || !is_usable(d))
		return false;
	d->running = true;
	return true;
}

void
dfmt_disk_stop(struct dfmt_disk *d)
{
	if (!d->driver)
		return;
	d->running = false;
	d->driver->stop(d);
}

/* ---- commands ------------------------------------------------------------ */

struct request {
	enum dfmt_disk_op op;
	uint64_t sector;
	uint64_t bus;
	uint64_t nr_sectors; /* of the whole; a flush has none */
};

enum outcome {
	OK,
	REFUSED, /* the device answered: no */
	DEAD,	 /* it does not answer, or answers nonsense */
};

static uint64_t
now(const struct dfmt_disk *d)
{
	return d->hw.ops->now_us(d->hw.arg);
}

static void
put(struct dfmt_disk *d, uint32_t slot, const struct request *r, uint64_t done,
	uint32_t n)
{
	d->slots[slot].state = DFMT_SLOT_BUSY;
	d->slots[slot].since_us = now(d);
	d->nr_commands++;
	d->driver->submit(d, slot, r->op, r->sector + done,
		r->bus + (done << d->sector_shift), n);
}

/* Fills idle slots with the next pieces; returns how far it came. */
static uint64_t
fill(struct dfmt_disk *d, const struct request *r, uint64_t done)
{
	uint32_t most = d->max_len / d->sector_len;

	for (uint32_t i = 0; i < d->nr_slots && done < r->nr_sectors; i++) {
		uint64_t n = r->nr_sectors - done;

		if (d->slots[i].state != DFMT_SLOT_IDLE)
			continue;
		if (n > most)
			n = most;
		put(d, i, r, done, (uint32_t)n);
		done += n;
	}
	return done;
}

struct flight {
	uint32_t nr_busy;
	bool failed, late;
};

/* Empties the slots that are done. */
static struct flight
collect(struct dfmt_disk *d)
{
	struct flight f = { 0 };
	uint64_t t = now(d);

	for (uint32_t i = 0; i < d->nr_slots; i++) {
		struct dfmt_disk_slot *s = &d->slots[i];

		if (s->state == DFMT_SLOT_BUSY) {
			f.nr_busy++;
			if (t - s->since_us > d->command_ms * 1000ull)
				f.late = true;
			continue;
		}
		if (s->state == DFMT_SLOT_FAILED) {
			f.failed = true;
			d->nr_failed++;
		}
		s->state = DFMT_SLOT_IDLE;
	}
	return f;
}

/* A piece that fails ends the request once what is in flight has come back. */
static enum outcome
carry(struct dfmt_disk *d, const struct request *r)
{
	uint64_t done = 0;
	bool failed = false;

	if (r->op == DFMT_DISK_FLUSH)
		put(d, 0, r, 0, 0);
	for (;;) {
		struct flight f;

		if (!failed)
			done = fill(d, r, done);
		if (!d->driver->poll(d))
			return DEAD;
		f = collect(d);
		failed |= f.failed;
		if (f.nr_busy == 0 && (failed || done == r->nr_sectors))
			return failed ? REFUSED : OK;
		if (f.late) {
			d->nr_timeouts++;
			d->why = "it does not answer a command";
			return DEAD;
		}
		d->hw.ops->relax(d->hw.arg);
	}
}

bool
dfmt_disk_same(const struct dfmt_disk_id *a, const struct dfmt_disk_id *b)
{
	return a->unit == b->unit &&
	       memcmp(a->model, b->model, sizeof(a->model)) == 0 &&
	       memcmp(a->serial, b->serial, sizeof(a->serial)) == 0 &&
	       memcmp(a->nguid, b->nguid, sizeof(a->nguid)) == 0 &&
	       memcmp(a->eui64, b->eui64, sizeof(a->eui64)) == 0;
}

/* Once more from a reset, to the same unit of the same device. */
static bool
restart(struct dfmt_disk *d)
{
	struct dfmt_disk_id id = d->id;
	uint64_t nr_sectors = d->nr_sectors;
	uint32_t sector_len = d->sector_len;
	const char *why = d->why;

	d->nr_resets++;
	d->running = false;
	if (!d->driver->start(d) || !dfmt_disk_select(d, id.unit)) {
		d->why = why;
		return false;
	}
	if (!dfmt_disk_same(&id, &d->id) || nr_sectors != d->nr_sectors ||
		sector_len != d->sector_len) {
		d->running = false;
		return fail(d, "after a reset it is another device");
	}
	return true;
}

static bool
request(struct dfmt_disk *d, const struct request *r)
{
	enum outcome o;
	uint64_t t = now(d);

	if (!d->running)
		return fail(d, "it is not running");
	if (d->last_us)
		d->idle_us += t - d->last_us;
	o = carry(d, r);
	if (o == DEAD && restart(d))
		o = carry(d, r);
	if (o == DEAD)
		d->running = false;
	d->last_us = now(d);
	d->busy_us += d->last_us - t;
	return o == OK;
}

/* The same memory as the device sees it; false: it does not reach it. */
static bool
bus_of(const struct dfmt_disk *d, const void *buf, size_t len,
	uint64_t *bus_out)
{
	const struct dfmt_hw_memory *m = &d->hw.buffers;
	uintptr_t at = (uintptr_t)buf, first = (uintptr_t)m->virt;

	if (at < first || at - first > m->len || len > m->len - (at - first) ||
		at % 4)
		return false;
	*bus_out = m->bus + (at - first);
	return true;
}

static bool
transfer(struct dfmt_disk *d, enum dfmt_disk_op op, uint64_t offset,
	const void *buf, size_t len)
{
	struct request r = { .op = op };
	uint64_t mask = d->sector_len - 1, size;

	if (!d->running)
		return fail(d, "it is not running");
	size = d->nr_sectors << d->sector_shift;
	if (len == 0 || (offset & mask) || (len & mask) || offset > size ||
		len > size - offset)
		return fail(d, "a place that it does not have");
	if (!bus_of(d, buf, len, &r.bus))
		return fail(d, "a buffer that it does not reach");
	r.sector = offset >> d->sector_shift;
	r.nr_sectors = len >> d->sector_shift;
	return request(d, &r);
}

bool
dfmt_disk_read(struct dfmt_disk *d, uint64_t offset, void *buf, size_t len)
{
	return transfer(d, DFMT_DISK_READ, offset, buf, len);
}

bool
dfmt_disk_write(struct dfmt_disk *d, uint64_t offset, const void *buf,
	size_t len)
{
	return transfer(d, DFMT_DISK_WRITE, offset, buf, len);
}

bool
dfmt_disk_flush(struct dfmt_disk *d)
{
	struct request r = { .op = DFMT_DISK_FLUSH };

	return !d->has_cache || request(d, &r);
}
