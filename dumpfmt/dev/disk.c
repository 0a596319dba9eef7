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
		return dfmt_disk_fail(d,
			"the driver was given too little memory");
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
		return dfmt_disk_fail(d,
			"its sectors are neither 512 nor 4096 bytes");
	d->sector_shift = d->sector_len == 512 ? 9 : 12;
	if (d->nr_sectors == 0 ||
		d->nr_sectors > (UINT64_MAX >> 1) >> d->sector_shift)
		return dfmt_disk_fail(d, "its size makes no sense");
	if (d->max_len > DFMT_DISK_PIECE)
		d->max_len = DFMT_DISK_PIECE;
	d->max_len -= d->max_len % d->sector_len;
	if (d->max_len == 0)
		return dfmt_disk_fail(d,
			"it does not take a whole sector at a time");
	if (d->nr_slots > DFMT_DISK_SLOTS)
		d->nr_slots = DFMT_DISK_SLOTS;
	if (d->nr_slots == 0)
		return dfmt_disk_fail(d, "it takes no command");
	return true;
}

static void
slots_clear(struct dfmt_disk *d)
{
	memset(d->slots, 0, sizeof(d->slots));
	d->nr_busy = 0;
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

static uint64_t
now(const struct dfmt_disk *d)
{
	return d->hw.ops->now_us(d->hw.arg);
}

static void
put(struct dfmt_disk *d, uint32_t slot, uint32_t job, uint32_t n)
{
	struct dfmt_disk_job *j = &d->jobs[job];

	d->slots[slot].state = DFMT_SLOT_BUSY;
	d->slots[slot].job = job;
	d->slots[slot].since_us = now(d);
	d->nr_commands++;
	d->nr_busy++;
	j->nr_busy++;
	d->driver->submit(d, slot, j->op, j->sector + j->done,
		j->bus + (j->done << d->sector_shift), n);
	j->done += n;
	j->put = true;
}

/* Has it a piece that the device was not given yet? */
static bool
has_more(const struct dfmt_disk_job *j)
{
	if (j->state != DFMT_JOB_GOING || j->failed)
		return false;
	return j->done < j->nr_sectors || (j->nr_sectors == 0 && !j->put);
}

/* Fills idle slots with the job's next pieces. */
static void
fill(struct dfmt_disk *d, uint32_t job)
{
	const struct dfmt_disk_job *j = &d->jobs[job];
	uint32_t most = d->max_len / d->sector_len;

	for (uint32_t i = 0; i < d->nr_slots && has_more(j); i++) {
		uint64_t n = j->nr_sectors - j->done;

		if (d->slots[i].state == DFMT_SLOT_IDLE)
			put(d, i, job, (uint32_t)(n < most ? n : most));
	}
}

/* Empties the slots that are done; false: one has been busy for too long. */
static bool
collect(struct dfmt_disk *d)
{
	uint64_t t = now(d);
	bool late = false;

	for (uint32_t i = 0; i < d->nr_slots; i++) {
		struct dfmt_disk_slot *s = &d->slots[i];

		if (s->state == DFMT_SLOT_BUSY &&
			t - s->since_us > d->command_ms * 1000ull)
			late = true;
		if (s->state == DFMT_SLOT_BUSY || s->state == DFMT_SLOT_IDLE)
			continue;
		d->jobs[s->job].nr_busy--;
		d->nr_busy--;
		if (s->state == DFMT_SLOT_FAILED) {
			d->jobs[s->job].failed = true;
			d->nr_failed++;
		}
		s->state = DFMT_SLOT_IDLE;
	}
	return !late;
}

/* A piece that fails ends its job once what is in flight has come back. */
static void
jobs_end(struct dfmt_disk *d)
{
	for (uint32_t i = 0; i < DFMT_DISK_JOBS; i++) {
		struct dfmt_disk_job *j = &d->jobs[i];

		if (j->state == DFMT_JOB_GOING && j->nr_busy == 0 &&
			!has_more(j))
			j->state = j->failed ? DFMT_JOB_FAILED : DFMT_JOB_DONE;
	}
}

static void
time_count(struct dfmt_disk *d)
{
	uint64_t t = now(d);

	if (d->last_us && d->nr_busy)
		d->busy_us += t - d->last_us;
	else if (d->last_us)
		d->idle_us += t - d->last_us;
	d->last_us = t;
}

/* One step of all jobs; false: the controller is dead. */
static bool
step(struct dfmt_disk *d)
{
	time_count(d);
	for (uint32_t i = 0; i < DFMT_DISK_JOBS; i++)
		fill(d, i);
	if (!d->driver->poll(d))
		return false;
	if (!collect(d)) {
		d->nr_timeouts++;
		d->why = "it does not answer a command";
		return false;
	}
	jobs_end(d);
	return true;
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
		return dfmt_disk_fail(d, "after a reset it is another device");
	}
	return true;
}

/* After a reset all that was going begins anew, if it did not before. */
static bool
revive(struct dfmt_disk *d)
{
	for (uint32_t i = 0; i < DFMT_DISK_JOBS; i++)
		if (d->jobs[i].state == DFMT_JOB_GOING && d->jobs[i].again)
			return false;
	if (!restart(d))
		return false;
	for (uint32_t i = 0; i < DFMT_DISK_JOBS; i++) {
		struct dfmt_disk_job *j = &d->jobs[i];

		if (j->state != DFMT_JOB_GOING)
			continue;
		j->done = 0;
		j->nr_busy = 0;
		j->put = j->failed = false;
		j->again = true;
	}
	return true;
}

/* No job that is going will end any more. */
static void
give_up(struct dfmt_disk *d)
{
	d->running = false;
	for (uint32_t i = 0; i < DFMT_DISK_JOBS; i++)
		if (d->jobs[i].state == DFMT_JOB_GOING)
			d->jobs[i].state = DFMT_JOB_FAILED;
}

static void
advance(struct dfmt_disk *d)
{
	if (!step(d) && !revive(d))
		give_up(d);
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
submit(struct dfmt_disk *d, uint32_t job, const struct dfmt_disk_job *what)
{
	if (!d->running)
		return dfmt_disk_fail(d, "it is not running");
	if (job >= DFMT_DISK_JOBS || d->jobs[job].state != DFMT_JOB_NONE)
		return dfmt_disk_fail(d, "a job that is under way");
	d->jobs[job] = *what;
	d->jobs[job].state = DFMT_JOB_GOING;
	advance(d);
	return true;
}

void
dfmt_disk_bound(struct dfmt_disk *d, uint64_t offset, uint64_t len)
{
	d->bound_first = offset;
	d->bound_len = len;
}

static bool
is_inside(const struct dfmt_disk *d, uint64_t offset, uint64_t len)
{
	uint64_t from = offset - d->bound_first;

	if (d->bound_first == 0 && d->bound_len == 0)
		return true;
	return offset >= d->bound_first && from <= d->bound_len &&
	       len <= d->bound_len - from;
}

static bool
job_make(struct dfmt_disk *d, enum dfmt_disk_op op, uint64_t offset,
	const void *buf, size_t len, struct dfmt_disk_job *out)
{
	uint64_t mask = d->sector_len - 1, size;

	*out = (struct dfmt_disk_job){ .op = op };
	if (!d->running)
		return dfmt_disk_fail(d, "it is not running");
	size = d->nr_sectors << d->sector_shift;
	if (len == 0 || (offset & mask) || (len & mask) || offset > size ||
		len > size - offset)
		return dfmt_disk_fail(d, "a place that it does not have");
	if (op == DFMT_DISK_WRITE && !is_inside(d, offset, len))
		return dfmt_disk_fail(d, "a place that it may not write to");
	if (!bus_of(d, buf, len, &out->bus))
		return dfmt_disk_fail(d, "a buffer that it does not reach");
	out->sector = offset >> d->sector_shift;
	out->nr_sectors = len >> d->sector_shift;
	return true;
}

bool
dfmt_disk_submit(struct dfmt_disk *d, uint32_t job, uint64_t offset,
	const void *buf, size_t len)
{
	struct dfmt_disk_job j;

	return job_make(d, DFMT_DISK_WRITE, offset, buf, len, &j) &&
	       submit(d, job, &j);
}

bool
dfmt_disk_wait(struct dfmt_disk *d, uint32_t job)
{
	struct dfmt_disk_job *j;
	bool done;

	if (job >= DFMT_DISK_JOBS)
		return dfmt_disk_fail(d, "a job that is not there");
	j = &d->jobs[job];
	while (j->state == DFMT_JOB_GOING) {
		advance(d);
		if (j->state == DFMT_JOB_GOING)
			d->hw.ops->relax(d->hw.arg);
	}
	done = j->state == DFMT_JOB_DONE;
	j->state = DFMT_JOB_NONE;
	return done;
}

void
dfmt_disk_poke(struct dfmt_disk *d)
{
	if (d->nr_busy)
		advance(d);
}

/* From its beginning to its end.  A panic may have left another one behind. */
static bool
carry(struct dfmt_disk *d, const struct dfmt_disk_job *j)
{
	(void)dfmt_disk_wait(d, 0);
	return submit(d, 0, j) && dfmt_disk_wait(d, 0);
}

bool
dfmt_disk_read(struct dfmt_disk *d, uint64_t offset, void *buf, size_t len)
{
	struct dfmt_disk_job j;

	return job_make(d, DFMT_DISK_READ, offset, buf, len, &j) &&
	       carry(d, &j);
}

bool
dfmt_disk_write(struct dfmt_disk *d, uint64_t offset, const void *buf,
	size_t len)
{
	struct dfmt_disk_job j;

	return job_make(d, DFMT_DISK_WRITE, offset, buf, len, &j) &&
	       carry(d, &j);
}

bool
dfmt_disk_flush(struct dfmt_disk *d)
{
	const struct dfmt_disk_job j = { .op = DFMT_DISK_FLUSH };

	return !d->has_cache || carry(d, &j);
}
