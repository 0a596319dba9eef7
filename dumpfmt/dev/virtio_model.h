/* SPDX-License-Identifier: MIT */
/*
 * For tests only: a virtio disk in memory, as much of one as the driver uses,
 * that can be told to misbehave.  A request is done when the doorbell rings;
 * each look at the clock is a microsecond, each relax a hundred.
 */
#ifndef VIRTIO_MODEL_H
#define VIRTIO_MODEL_H

#include "dfmt-disk.h"

#include <stdlib.h>
#include <string.h>

#define MODEL_BUS 0x100000000ull /* where the device sees our memory */
#define MODEL_BUFFERS (1u << 20)
#define MODEL_LEN (2u << 20)

/* Two BARs: the common registers in one, the rest in another. */
#define MODEL_COMMON_AT 0x1000u
#define MODEL_DEVICE_AT 0x0u
#define MODEL_NOTIFY_AT 0x2000u

struct virtio_model {
	/* What it is. */
	uint64_t features;
	uint32_t size_max, sector_len, queue_size;
	uint32_t notify_off, stride;
	char serial[21];
	bool old_only, no_window;
	/* How it misbehaves. */
	bool never_reset, refuses_features, gone, no_serial;
	uint32_t swallow, swallow_after;
	uint64_t bad_sector; /* of 512, + 1; writes fail */
	uint32_t stray;	     /* answers this descriptor instead */
	uint32_t extra;	     /* says that it wrote so many more bytes */
	uint32_t jump;	     /* answers so many that nobody asked for */
	bool twice;	     /* answers each request twice */
	bool silent_ok;	     /* does not touch the byte for the answer */
	char other_serial;   /* after a second reset */
	uint32_t gone_after;
	/* State. */
	uint32_t status, offered_select, taken_select, command;
	uint64_t taken;
	uint32_t depth, enabled;
	uint64_t desc, avail, used;
	uint16_t next, done;
	uint8_t cap[4]; /* of the window: BAR */
	uint32_t cap_offset, cap_len;
	uint64_t us;
	uint32_t nr_io, nr_resets, nr_flushes, nr_dma_outside, nr_wrong;
	uint8_t *memory, *disk;
};

static inline void
model_init(struct virtio_model *m)
{
	memset(m, 0, sizeof(*m));
	m->features = 1ull << 32 | 1u << 6 | 1u << 9 | 1u << 29;
	m->sector_len = 512;
	m->queue_size = 128;
	m->notify_off = 1;
	m->stride = 4;
	memcpy(m->serial, "MODEL-3", 7);
	m->memory = aligned_alloc(4096, DFMT_DISK_QUEUES + MODEL_BUFFERS);
	m->disk = calloc(1, MODEL_LEN);
	memset(m->memory, 0xee, DFMT_DISK_QUEUES + MODEL_BUFFERS);
	m->status = 15; /* another driver left it running */
	m->command = 6;
}

static inline void
model_fini(struct virtio_model *m)
{
	free(m->memory);
	free(m->disk);
}

static inline uint8_t *
model_dma(struct virtio_model *m, uint64_t bus, uint64_t len)
{
	uint64_t all = DFMT_DISK_QUEUES + MODEL_BUFFERS;

	if (bus < MODEL_BUS || bus - MODEL_BUS > all ||
		len > all - (bus - MODEL_BUS) || !(m->command & 4)) {
		m->nr_dma_outside++;
		return NULL;
	}
	return m->memory + (bus - MODEL_BUS);
}

/* ---- requests ------------------------------------------------------------ */

struct model_desc {
	uint64_t bus;
	uint32_t len;
	uint16_t flags, next;
};

static inline void
model_answer(struct virtio_model *m, uint32_t id, uint32_t len)
{
	uint8_t *u = model_dma(m, m->used, 4 + 8ull * m->depth);
	uint32_t e[2] = { id, len };

	if (u == NULL)
		return;
	memcpy(u + 4 + 8 * (size_t)(m->done % m->depth), e, 8);
	m->done++;
	memcpy(u + 2, &(uint16_t){ (uint16_t)(m->done + m->jump) }, 2);
}

/* Moves the data; the answer. */
static inline uint8_t
model_transfer(struct virtio_model *m, uint32_t type, uint64_t sector,
	const struct model_desc *data)
{
	uint64_t at = sector * 512, bad = (m->bad_sector - 1) * 512;
	uint8_t *p = model_dma(m, data->bus, data->len);

	if (p == NULL || at > MODEL_LEN || data->len > MODEL_LEN - at ||
		data->len % m->sector_len || at % m->sector_len)
		return 1;
	if (m->taken >> 1 & 1 && data->len > m->size_max)
		m->nr_wrong++;
	if (type == 1 && m->bad_sector && bad >= at && bad < at + data->len)
		return 1;
	if (type == 1)
		memcpy(m->disk + at, p, data->len);
	else
		memcpy(p, m->disk + at, data->len);
	return 0;
}

static inline uint8_t
model_request(struct virtio_model *m, const uint8_t *header,
	const struct model_desc *data)
{
	uint32_t type;
	uint64_t sector;
	uint8_t *p;

	memcpy(&type, header, 4);
	memcpy(&sector, header + 8, 8);
	if ((data != NULL) != (type != 4) ||
		(data != NULL && (data->flags & 2) != (type == 1 ? 0 : 2)))
		m->nr_wrong++;
	switch (type) {
	case 4:
		m->nr_flushes++;
		return m->taken >> 9 & 1 ? 0 : 2;
	case 8:
		p = data == NULL || m->no_serial ? NULL
						 : model_dma(m, data->bus, 20);
		if (p == NULL)
			return 2;
		memcpy(p, m->serial, 20);
		if (m->other_serial && m->nr_resets > 1)
			p[0] = (uint8_t)m->other_serial;
		return 0;
	case 0:
	case 1:
		return data == NULL ? 1 : model_transfer(m, type, sector, data);
	default:
		return 2;
	}
}

/* A chain: a header, perhaps data, a byte for the answer. */
static inline void
model_chain(struct virtio_model *m, uint32_t head)
{
	struct model_desc c[3];
	uint32_t n = 0, i = head, len;
	uint8_t *header, *answer, status;

	for (; n < 3; i = c[n++].next) {
		uint8_t *p = i < m->depth
				     ? model_dma(m, m->desc + 16ull * i, 16)
				     : NULL;

		if (p == NULL) {
			m->nr_wrong++;
			return;
		}
		memcpy(&c[n], p, 16);
		if (!(c[n].flags & 1))
			break;
	}
	if (n == 0 || n == 3 || c[n].len != 1 || !(c[n].flags & 2)) {
		m->nr_wrong++;
		return;
	}
	header = model_dma(m, c[0].bus, 16);
	answer = model_dma(m, c[n].bus, 1);
	if (header == NULL || answer == NULL)
		return;
	status = model_request(m, header, n == 2 ? &c[1] : NULL);
	if (!m->silent_ok)
		*answer = status;
	len = 1 + (n == 2 && (c[1].flags & 2) ? c[1].len : 0);
	for (uint32_t k = 0; k < 1u + m->twice; k++)
		model_answer(m, m->stray ? m->stray : head, len + m->extra);
}

static inline void
model_ring(struct virtio_model *m)
{
	uint8_t *a;
	uint16_t idx, head;

	if (!(m->status & 4) || !m->enabled) {
		m->nr_wrong++;
		return;
	}
	a = model_dma(m, m->avail, 4 + 2ull * m->depth);
	if (a == NULL)
		return;
	memcpy(&idx, a + 2, 2);
	while (m->next != idx) {
		memcpy(&head, a + 4 + 2 * (size_t)(m->next % m->depth), 2);
		m->next++;
		m->nr_io++;
		if (m->gone_after && m->nr_io >= m->gone_after)
			m->gone = true;
		if (m->swallow && m->nr_io > m->swallow_after)
			m->swallow--;
		else
			model_chain(m, head);
	}
}

/* ---- registers ----------------------------------------------------------- */

static inline uint32_t
model_common_read(struct virtio_model *m, uint32_t reg)
{
	switch (reg) {
	case 0x04:
		return (uint32_t)(m->features >> 32 * (m->offered_select & 1));
	case 0x14:
		return m->status;
	case 0x15:
		return 7;
	case 0x18:
		return m->queue_size;
	case 0x1e:
		return m->notify_off;
	default:
		return 0;
	}
}

static inline void
model_status(struct virtio_model *m, uint32_t v)
{
	if (v == 0) {
		m->nr_resets++;
		m->enabled = 0;
		m->next = m->done = 0;
		m->desc = m->avail = m->used = 0;
		m->taken = 0;
		m->status = m->never_reset ? m->status : 0;
		return;
	}
	if ((v & 8) && (m->refuses_features || (m->taken & ~m->features)))
		v &= ~8u;
	if ((v & 4) && (!(v & 8) || !m->enabled))
		m->nr_wrong++;
	m->status = v;
}

static inline void
model_half(uint64_t *v, uint32_t high, uint32_t half)
{
	*v = high ? (uint32_t)*v | (uint64_t)half << 32
		  : (*v & ~0xffffffffull) | half;
}

static inline void
model_common_write(struct virtio_model *m, uint32_t reg, uint32_t v)
{
	switch (reg) {
	case 0x00:
		m->offered_select = v;
		break;
	case 0x08:
		m->taken_select = v;
		break;
	case 0x0c:
		model_half(&m->taken, m->taken_select & 1, v);
		break;
	case 0x14:
		model_status(m, v);
		break;
	case 0x18:
		m->depth = v;
		m->nr_wrong += v > m->queue_size;
		break;
	case 0x1c:
		m->enabled = v;
		break;
	case 0x20:
	case 0x24:
		model_half(&m->desc, reg & 4, v);
		break;
	case 0x28:
	case 0x2c:
		model_half(&m->avail, reg & 4, v);
		break;
	case 0x30:
	case 0x34:
		model_half(&m->used, reg & 4, v);
		break;
	}
}

static inline uint32_t
model_device_read(struct virtio_model *m, uint32_t reg)
{
	switch (reg) {
	case 0:
		return MODEL_LEN / 512;
	case 8:
		return m->size_max;
	case 20:
		return m->sector_len;
	default:
		return 0;
	}
}

/* What the window points to; each register has its own width. */
static inline uint32_t
model_window(struct virtio_model *m, bool is_write, uint32_t width, uint32_t v)
{
	uint32_t at = m->cap_offset;

	if (m->cap_len != width || at % width)
		m->nr_wrong++;
	if (m->cap[0] == 4 && at >= MODEL_COMMON_AT) {
		at -= MODEL_COMMON_AT;
		if (!is_write)
			return model_common_read(m, at);
		model_common_write(m, at, v);
	} else if (m->cap[0] == 2 && at >= MODEL_NOTIFY_AT) {
		if (at - MODEL_NOTIFY_AT != m->notify_off * m->stride ||
			width != 2 || !is_write || v != 0)
			m->nr_wrong++;
		model_ring(m);
	} else if (m->cap[0] == 2 && !is_write) {
		return model_device_read(m, at - MODEL_DEVICE_AT);
	} else {
		m->nr_wrong++;
	}
	return 0;
}

/* ---- configuration space ------------------------------------------------- */

/* Capabilities: kind, BAR, offset, length, behind one of another kind. */
static const struct {
	uint8_t at, kind, bar;
	uint32_t offset, len;
} model_caps[] = {
	{ 0x50, 1, 4, MODEL_COMMON_AT, 0x38 },
	{ 0x60, 2, 2, MODEL_NOTIFY_AT, 0x10 },
	{ 0x74, 4, 2, MODEL_DEVICE_AT, 0x40 },
	{ 0x84, 5, 0, 0, 0 },
};

#define MODEL_NR_CAPS 4u
#define MODEL_WINDOW 0x84u

static inline uint32_t
model_cap_read(struct virtio_model *m, uint32_t reg, uint32_t width)
{
	for (uint32_t i = 0; i < MODEL_NR_CAPS; i++) {
		uint32_t at = model_caps[i].at;

		if (reg < at || reg > at + 16 || (reg == at + 16 && i % 2 == 0))
			continue;
		switch (reg - at) {
		case 0:
			return 9;
		case 1:
			return i + 1 < MODEL_NR_CAPS - m->no_window
				       ? model_caps[i + 1].at
				       : 0;
		case 3:
			return model_caps[i].kind;
		case 4:
			return model_caps[i].bar;
		case 8:
			return model_caps[i].offset;
		case 12:
			return model_caps[i].len;
		case 16:
			return i == 1	? m->stride
			       : i == 3 ? model_window(m, false, width, 0)
					: 0;
		}
	}
	return 0;
}

static inline uint32_t
model_config_read(void *arg, uint32_t reg, uint32_t width)
{
	struct virtio_model *m = arg;
	uint32_t ones = width == 4 ? UINT32_MAX : (1u << 8 * width) - 1;

	if (m->gone)
		return ones;
	switch (reg) {
	case 0x00:
		return width == 4 ? 0x10421af4 : 0x1af4;
	case 0x04:
		return m->command;
	case 0x06:
		return 0x10;
	case 0x20:
		return 0xfe000000;
	case 0x34:
		return 0x40;
	case 0x40:
		return 0x11;
	case 0x41:
		return m->old_only ? 0 : 0x50;
	case 0x42:
		return 0;
	default:
		return model_cap_read(m, reg, width);
	}
}

static inline void
model_config_write(void *arg, uint32_t reg, uint32_t width, uint32_t value)
{
	struct virtio_model *m = arg;

	if (m->gone)
		return;
	switch (reg) {
	case 0x04:
		m->command = value;
		break;
	case MODEL_WINDOW + 4:
		m->cap[0] = (uint8_t)value;
		break;
	case MODEL_WINDOW + 8:
		m->cap_offset = value;
		break;
	case MODEL_WINDOW + 12:
		m->cap_len = value;
		break;
	case MODEL_WINDOW + 16:
		(void)model_window(m, true, width, value);
		break;
	}
}

/* Nothing is reached by address. */
static inline uint32_t
model_read32(void *arg, uint32_t reg)
{
	(void)arg;
	(void)reg;
	abort();
}

static inline void
model_write32(void *arg, uint32_t reg, uint32_t v)
{
	(void)arg;
	(void)reg;
	(void)v;
	abort();
}

static inline uint64_t
model_now(void *arg)
{
	struct virtio_model *m = arg;

	return ++m->us;
}

static inline void
model_relax(void *arg)
{
	struct virtio_model *m = arg;

	m->us += 100;
}

static const struct dfmt_hw_ops model_ops = {
	.config_read = model_config_read,
	.config_write = model_config_write,
	.read32 = model_read32,
	.write32 = model_write32,
	.now_us = model_now,
	.relax = model_relax,
};

static inline struct dfmt_hw
model_hw(struct virtio_model *m)
{
	return (struct dfmt_hw){
		.ops = &model_ops,
		.arg = m,
		.window_len = 0x4000,
		.queues = { m->memory, MODEL_BUS, DFMT_DISK_QUEUES },
		.buffers = { m->memory + DFMT_DISK_QUEUES,
			MODEL_BUS + DFMT_DISK_QUEUES, MODEL_BUFFERS },
	};
}

#endif
