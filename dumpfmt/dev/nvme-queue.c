/* SPDX-License-Identifier: MIT */
/*
 * NVMe queues: commands go in at a tail, completions are taken at a head as
 * their phase bit changes.  Queue 0 is admin, 1 is for I/O; the id of an I/O
 * command is its slot.
 */
#include "nvme.h"

#include <string.h>

#define ADMIN_CREATE_SQ 0x01u
#define ADMIN_CREATE_CQ 0x05u
#define ADMIN_SET_FEATURES 0x09u
#define FEATURE_QUEUES 0x07u
#define CONTIGUOUS 1u

#define IO_FLUSH 0x00u
#define IO_WRITE 0x01u
#define IO_READ 0x02u

#define ID_SYNC 0x100u /* no slot has it */
#define PAGE_MASK 4095ull

static const struct {
	uint32_t sq, cq;
} places[2] = {
	{ NVME_ADMIN_SQ, NVME_ADMIN_CQ },
	{ NVME_IO_SQ, NVME_IO_CQ },
};

static uint32_t
depth_of(const struct dfmt_disk *d, uint32_t q)
{
	return q == 0 ? NVME_ADMIN_DEPTH : d->u.nvme.depth;
}

/* which: 0 the submission queue's tail, 1 the completion queue's head. */
static void
ring(const struct dfmt_disk *d, uint32_t q, uint32_t which, uint32_t value)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	d->hw.ops->write32(d->hw.arg,
		NVME_DOORBELLS + (2 * q + which) * d->u.nvme.stride, value);
}

void
dfmt_nvme_queues_reset(struct dfmt_disk *d)
{
	struct dfmt_nvme *n = &d->u.nvme;

	memset(d->hw.queues.virt, 0, DFMT_DISK_QUEUES);
	for (uint32_t q = 0; q < 2; q++) {
		n->sq_tail[q] = 0;
		n->cq_head[q] = 0;
		n->phase[q] = 1;
	}
}

static void
put(struct dfmt_disk *d, uint32_t q, const struct nvme_command *c)
{
	struct dfmt_nvme *n = &d->u.nvme;
	uint8_t *at =
		d->hw.queues.virt + places[q].sq + n->sq_tail[q] * sizeof(*c);

	memcpy(at, c, sizeof(*c));
	n->sq_tail[q] = (uint16_t)((n->sq_tail[q] + 1u) % depth_of(d, q));
	ring(d, q, 0, n->sq_tail[q]);
}

/* The next completion, if there is one. */
static bool
take(struct dfmt_disk *d, uint32_t q, struct nvme_completion *out)
{
	struct dfmt_nvme *n = &d->u.nvme;
	const volatile struct nvme_completion *c =
		(const volatile struct nvme_completion *)(void
				*)(d->hw.queues.virt + places[q].cq +
				   n->cq_head[q] * sizeof(*c));
	uint16_t status = c->status;

	if ((status & 1) != n->phase[q])
		return false;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	out->id = c->id;
	out->dw0 = c->dw0;
	out->status = status >> 1;
	if (++n->cq_head[q] == depth_of(d, q)) {
		n->cq_head[q] = 0;
		n->phase[q] ^= 1;
	}
	ring(d, q, 1, n->cq_head[q]);
	return true;
}

/* ---- one at a time ------------------------------------------------------- */

static const char *
reason_of(uint32_t status)
{
	switch (status & 0x7ff) {
	case 0x02:
		return "the controller knows no such command or field";
	case 0x0b:
		return "there is no such namespace";
	case 0x20:
		return "the namespace is write protected";
	case 0x1d:
		return "the device is being sanitized";
	case 0x82:
		return "the namespace is not ready";
	case 0x83:
		return "another host has reserved the namespace";
	case 0x84:
		return "the namespace is being formatted";
	default:
		return "the controller refuses a command";
	}
}

static bool
sync(struct dfmt_disk *d, uint32_t q, struct nvme_command *c)
{
	uint64_t begin = d->hw.ops->now_us(d->hw.arg);
	struct nvme_completion done;

	c->id = ID_SYNC;
	put(d, q, c);
	while (!take(d, q, &done)) {
		if (d->hw.ops->now_us(d->hw.arg) - begin >
			d->command_ms * 1000ull)
			return dfmt_disk_fail(d,
				"the controller does not answer");
		d->hw.ops->relax(d->hw.arg);
	}
	if (done.id != ID_SYNC)
		return dfmt_disk_fail(d, "it answers what nobody asked");
	/* The number of an error; bits above say what to do about it. */
	if (done.status & 0x7ff)
		return dfmt_disk_fail(d, reason_of(done.status));
	return true;
}

bool
dfmt_nvme_admin(struct dfmt_disk *d, struct nvme_command *c)
{
	return sync(d, 0, c);
}

bool
dfmt_nvme_io(struct dfmt_disk *d, struct nvme_command *c)
{
	return sync(d, 1, c);
}

bool
dfmt_nvme_queues_make(struct dfmt_disk *d)
{
	uint32_t size = (d->u.nvme.depth - 1) << 16 | 1;
	struct nvme_command c = {
		.opcode = ADMIN_SET_FEATURES,
		.dw10 = FEATURE_QUEUES, /* one of each, as zero-based counts */
	};

	if (!dfmt_nvme_admin(d, &c))
		return false;
	c = (struct nvme_command){
		.opcode = ADMIN_CREATE_CQ,
		.prp1 = d->hw.queues.bus + NVME_IO_CQ,
		.dw10 = size,
		.dw11 = CONTIGUOUS, /* and no interrupt */
	};
	if (!dfmt_nvme_admin(d, &c))
		return false;
	c = (struct nvme_command){
		.opcode = ADMIN_CREATE_SQ,
		.prp1 = d->hw.queues.bus + NVME_IO_SQ,
		.dw10 = size,
		.dw11 = 1u << 16 | CONTIGUOUS, /* completions to queue 1 */
	};
	return dfmt_nvme_admin(d, &c);
}

/* ---- many at a time ------------------------------------------------------ */

/*
 * Where the data is: one page in prp1, a second one in prp2, or prp2 the place
 * of a list of all but the first.
 */
static void
pages_put(struct dfmt_disk *d, uint32_t slot, uint64_t bus, uint64_t len,
	struct nvme_command *c)
{
	uint64_t first = 4096 - (bus & PAGE_MASK);
	uint32_t list = NVME_LISTS + slot * NVME_LIST_LEN;
	uint64_t at = (bus | PAGE_MASK) + 1;
	uint8_t *entry = d->hw.queues.virt + list;

	c->prp1 = bus;
	if (len <= first)
		return;
	if (len <= first + 4096) {
		c->prp2 = at;
		return;
	}
	c->prp2 = d->hw.queues.bus + list;
	for (uint64_t done = first; done < len; done += 4096, at += 4096) {
		memcpy(entry, &at, sizeof(at));
		entry += sizeof(at);
	}
}

void
dfmt_nvme_submit(struct dfmt_disk *d, uint32_t slot, enum dfmt_disk_op op,
	uint64_t sector, uint64_t bus, uint32_t nr_sectors)
{
	static const uint8_t opcodes[] = {
		[DFMT_DISK_READ] = IO_READ,
		[DFMT_DISK_WRITE] = IO_WRITE,
		[DFMT_DISK_FLUSH] = IO_FLUSH,
	};
	struct nvme_command c = {
		.opcode = opcodes[op],
		.id = (uint16_t)slot,
		.nsid = d->u.nvme.nsid,
	};

	if (op != DFMT_DISK_FLUSH) {
		c.dw10 = (uint32_t)sector;
		c.dw11 = (uint32_t)(sector >> 32);
		c.dw12 = nr_sectors - 1;
		pages_put(d, slot, bus, (uint64_t)nr_sectors * d->sector_len,
			&c);
	}
	put(d, 1, &c);
}

bool
dfmt_nvme_poll(struct dfmt_disk *d)
{
	struct nvme_completion done;

	for (uint32_t i = 0; i < d->u.nvme.depth; i++) {
		struct dfmt_disk_slot *s;

		if (!take(d, 1, &done))
			return true;
		if (done.id >= DFMT_DISK_SLOTS ||
			d->slots[done.id].state != DFMT_SLOT_BUSY)
			return dfmt_disk_fail(d,
				"it answers what nobody asked");
		s = &d->slots[done.id];
		s->state = DFMT_SLOT_DONE;
		if (done.status & 0x7ff) {
			s->state = DFMT_SLOT_FAILED;
			d->why = reason_of(done.status);
		}
	}
	return true;
}
