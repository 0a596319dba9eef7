/* SPDX-License-Identifier: MIT */
/*
 * For tests only: an NVMe controller in memory, as much of one as the driver
 * uses, that can be told to misbehave.  It does what it was told when its
 * doorbell rings or when time passes; each look at the clock is a microsecond,
 * each relax a hundred.
 */
#ifndef NVME_MODEL_H
#define NVME_MODEL_H

#include "dfmt-disk.h"

#include <stdlib.h>
#include <string.h>

#define MODEL_BUS 0x100000000ull /* where the device sees our memory */
#define MODEL_BUFFERS (1u << 20)
#define MODEL_SECTORS 4096u

struct nvme_model {
	/* What it is. */
	uint32_t cap_low, cap_high;
	uint8_t mdts, vwc;
	uint16_t oncs, metadata;
	uint8_t protection, sharing, attributes, rescap, reserved_type;
	uint8_t lbads;
	uint32_t nsids[4];
	char serial[20], model[40];
	/* How it misbehaves. */
	uint32_t ready_us; /* before RDY follows EN */
	bool never_ready, never_idle, no_shutdown, fatal;
	uint32_t swallow;	/* I/O commands that are never answered */
	uint32_t swallow_after; /* once so many were answered */
	uint32_t bad_sector;	/* + 1; writes to it fail */
	uint16_t admin_status;	/* answer to all admin commands but ... */
	uint8_t admin_opcode;	/* ... where not 0, this one only */
	bool stray;		/* answers a command that nobody gave */
	bool gone;		/* all ones from now on */
	uint32_t gone_after;	/* ... after so many I/O commands, or 0 */
	char other_serial;	/* after a reset */
	/* State. */
	uint32_t cc, csts, aqa;
	uint64_t asq, acq, iosq, iocq;
	uint32_t depth[2];
	uint32_t sq_head[2], cq_tail[2];
	uint8_t phase[2];
	uint64_t us, enabled_us;
	uint32_t command; /* PCI */
	uint32_t nr_io, nr_resets, nr_flushes, nr_normal_shutdowns;
	uint32_t nr_dma_outside; /* accesses outside the memory handed over */
	uint32_t msix;		 /* its control word */
	uint8_t *memory;	 /* queues, then buffers */
	uint8_t *disk;
	uint32_t doorbells; /* rung while disabled */
};

static inline void
model_init(struct nvme_model *m)
{
	memset(m, 0, sizeof(*m));
	m->cap_low = 63u | 2u << 24; /* 64 entries, 1.5 s */
	m->cap_high = 1u << 5;
	m->lbads = 9;
	m->vwc = 1;
	m->nsids[0] = 1;
	memcpy(m->serial, "MODEL-1             ", 20);
	memcpy(m->model, "A model of a controller                 ", 40);
	m->memory = aligned_alloc(4096, DFMT_DISK_QUEUES + MODEL_BUFFERS);
	m->disk = calloc(MODEL_SECTORS, 512);
	m->msix = 0x8000;
	memset(m->memory, 0xee, DFMT_DISK_QUEUES + MODEL_BUFFERS);
	/* Another driver left it running. */
	m->cc = 0x00460001;
	m->csts = 1;
	m->command = 0x0006;
}

static inline void
model_fini(struct nvme_model *m)
{
	free(m->memory);
	free(m->disk);
}

/* Our memory at a bus address, or NULL and counted. */
static inline uint8_t *
model_dma(struct nvme_model *m, uint64_t bus, uint64_t len)
{
	uint64_t all = DFMT_DISK_QUEUES + MODEL_BUFFERS;

	if (bus < MODEL_BUS || bus - MODEL_BUS > all ||
		len > all - (bus - MODEL_BUS) || !(m->command & 4)) {
		m->nr_dma_outside++;
		return NULL;
	}
	return m->memory + (bus - MODEL_BUS);
}

static inline void
model_answer(struct nvme_model *m, uint32_t q, uint16_t id, uint16_t status)
{
	uint8_t *c = model_dma(m,
		(q ? m->iocq : m->acq) + 16ull * m->cq_tail[q], 16);
	uint16_t st = (uint16_t)(status << 1 | m->phase[q]);
	uint16_t head = (uint16_t)m->sq_head[q];

	if (c == NULL)
		return;
	memset(c, 0, 8);
	memcpy(c + 8, &head, 2);
	memcpy(c + 10, &(uint16_t){ (uint16_t)q }, 2);
	memcpy(c + 12, &id, 2);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	memcpy(c + 14, &st, 2);
	if (++m->cq_tail[q] == m->depth[q]) {
		m->cq_tail[q] = 0;
		m->phase[q] ^= 1;
	}
}

static inline void
model_put(uint8_t *p, size_t at, uint64_t v, size_t len)
{
	memcpy(p + at, &v, len);
}

static inline void
model_identify(struct nvme_model *m, const uint32_t *dw, uint8_t *p)
{
	memset(p, 0, 4096);
	switch (dw[10] & 0xff) {
	case 1:
		memcpy(p + 4, m->serial, 20);
		memcpy(p + 24, m->model, 40);
		if (m->other_serial && m->nr_resets > 1)
			p[4] = (uint8_t)m->other_serial;
		p[77] = m->mdts;
		model_put(p, 88, 2000000, 4);
		model_put(p, 520, m->oncs, 2);
		p[525] = m->vwc;
		return;
	case 2:
		for (size_t i = 0, n = 0; i < 4; i++)
			if (m->nsids[i] > dw[1])
				model_put(p, 4 * n++, m->nsids[i], 4);
		return;
	default:
		if (dw[1] != m->nsids[0])
			return;
		model_put(p, 0, MODEL_SECTORS * 512ull >> m->lbads, 8);
		p[29] = m->protection;
		p[30] = m->sharing;
		p[31] = m->rescap;
		p[99] = m->attributes;
		memset(p + 104, 0x6e, 16);
		memset(p + 120, 0x65, 8);
		model_put(p, 128, m->metadata, 2);
		p[130] = m->lbads;
	}
}

static inline void
model_admin(struct nvme_model *m, const uint32_t *dw)
{
	uint16_t id = (uint16_t)(dw[0] >> 16), status = 0;
	uint64_t prp = dw[6] | (uint64_t)dw[7] << 32;
	uint8_t op = (uint8_t)dw[0], *p;

	if (m->admin_status && (!m->admin_opcode || m->admin_opcode == op)) {
		model_answer(m, 0, id, m->admin_status);
		return;
	}
	switch (op) {
	case 6:
		p = model_dma(m, prp, 4096);
		if (p != NULL)
			model_identify(m, dw, p);
		break;
	case 5:
		m->iocq = prp;
		m->depth[1] = (dw[10] >> 16) + 1;
		break;
	case 1:
		m->iosq = prp;
		break;
	case 9:
		break;
	default:
		status = 1;
	}
	model_answer(m, 0, m->stray ? 0x33 : id, status);
}

/* One page of a transfer, wherever the PRPs say. */
static inline uint8_t *
model_page(struct nvme_model *m, const uint32_t *dw, uint32_t i, uint32_t len,
	bool last_of_two)
{
	uint64_t prp1 = dw[6] | (uint64_t)dw[7] << 32;
	uint64_t prp2 = dw[8] | (uint64_t)dw[9] << 32;
	uint64_t at;
	uint8_t *list;

	if (i == 0)
		return model_dma(m, prp1, len);
	if (last_of_two)
		return model_dma(m, prp2, len);
	list = model_dma(m, prp2 + 8ull * (i - 1), 8);
	if (list == NULL)
		return NULL;
	memcpy(&at, list, 8);
	return at % 4096 ? NULL : model_dma(m, at, len);
}

static inline uint16_t
model_transfer(struct nvme_model *m, const uint32_t *dw, bool is_write)
{
	uint64_t sector = dw[10] | (uint64_t)dw[11] << 32;
	uint64_t at = sector << m->lbads, size = MODEL_SECTORS * 512ull;
	uint64_t len = ((dw[12] & 0xffff) + 1ull) << m->lbads;
	uint64_t first = 4096 - (dw[6] & 4095), done = 0;

	if (at > size || len > size - at)
		return 0x80;
	if (m->mdts && len > 4096ull << m->mdts)
		return 0x02;
	if (is_write && m->bad_sector && m->bad_sector - 1 >= sector &&
		m->bad_sector - 1 < sector + (len >> m->lbads))
		return 0x280;
	for (uint32_t i = 0; done < len; i++) {
		uint64_t n = i ? 4096 : first;
		uint8_t *p;

		if (n > len - done)
			n = len - done;
		p = model_page(m, dw, i, (uint32_t)n, len <= first + 4096);
		if (p == NULL)
			return 0x04;
		if (is_write)
			memcpy(m->disk + at + done, p, n);
		else
			memcpy(p, m->disk + at + done, n);
		done += n;
	}
	return 0;
}

static inline void
model_io(struct nvme_model *m, const uint32_t *dw)
{
	uint16_t id = (uint16_t)(dw[0] >> 16), status = 1;
	uint8_t *p;

	m->nr_io++;
	if (m->gone_after && m->nr_io >= m->gone_after)
		m->gone = true;
	if (m->swallow && m->nr_io > m->swallow_after) {
		m->swallow--;
		return;
	}
	switch (dw[0] & 0xff) {
	case 0:
		m->nr_flushes++;
		status = 0;
		break;
	case 1:
	case 2:
		status = model_transfer(m, dw, (dw[0] & 0xff) == 1);
		break;
	case 0x0e:
		p = model_dma(m, dw[6] | (uint64_t)dw[7] << 32, 4096);
		if (p != NULL)
			p[4] = m->reserved_type;
		status = 0;
		break;
	}
	model_answer(m, 1, id, status);
}

static inline void
model_doorbell(struct nvme_model *m, uint32_t index, uint32_t value)
{
	uint32_t q = index / 2, dw[16];

	if (!(m->csts & 1) || index > 3) {
		m->doorbells++;
		return;
	}
	if (index % 2)
		return;
	while (m->sq_head[q] != value % m->depth[q]) {
		uint8_t *p = model_dma(m,
			(q ? m->iosq : m->asq) + 64ull * m->sq_head[q], 64);

		m->sq_head[q] = (m->sq_head[q] + 1) % m->depth[q];
		if (p == NULL)
			continue;
		memcpy(dw, p, 64);
		if (q)
			model_io(m, dw);
		else
			model_admin(m, dw);
	}
}

static inline void
model_cc(struct nvme_model *m, uint32_t v)
{
	if ((v & 1) && !(m->cc & 1)) {
		m->nr_resets++;
		m->enabled_us = m->us;
		m->depth[0] = (m->aqa & 0xfff) + 1;
		memset(m->sq_head, 0, sizeof(m->sq_head));
		memset(m->cq_tail, 0, sizeof(m->cq_tail));
		m->phase[0] = m->phase[1] = 1;
	}
	if (!(v & 1) && !m->never_idle)
		m->csts = 0;
	if ((v >> 14 & 3) == 1 && !m->no_shutdown) {
		m->csts |= 8;
		m->nr_normal_shutdowns++;
	}
	m->cc = v;
}

static inline void
model_time(struct nvme_model *m)
{
	if ((m->cc & 1) && !m->never_ready &&
		m->us - m->enabled_us >= m->ready_us)
		m->csts |= m->fatal ? 2 : 1;
}

/* ---- as the driver sees it ----------------------------------------------- */

static inline uint32_t
model_config_read(void *arg, uint32_t reg, uint32_t width)
{
	struct nvme_model *m = arg;
	uint32_t v = 0;

	(void)width;
	if (m->gone)
		return width == 2 ? 0xffff : UINT32_MAX;
	switch (reg) {
	case 0x00:
		v = 0x1b36;
		break;
	case 0x04:
		v = m->command;
		break;
	case 0x06:
		v = 0x10;
		break;
	case 0x08:
		v = 0x01080202;
		break;
	case 0x10:
		v = 0xfe000004;
		break;
	case 0x34:
		v = 0x40;
		break;
	case 0x40:
		v = 0x11;
		break;
	case 0x41:
		v = 0x40;
		break; /* a list that leads back */
	case 0x42:
		v = m->msix;
		break;
	}
	return v;
}

static inline void
model_config_write(void *arg, uint32_t reg, uint32_t width, uint32_t value)
{
	struct nvme_model *m = arg;

	(void)width;
	if (reg == 0x04)
		m->command = value;
	else if (reg == 0x42)
		m->msix = value;
}

static inline uint32_t
model_read32(void *arg, uint32_t reg)
{
	struct nvme_model *m = arg;

	if (m->gone)
		return UINT32_MAX;
	model_time(m);
	switch (reg) {
	case 0x00:
		return m->cap_low;
	case 0x04:
		return m->cap_high;
	case 0x14:
		return m->cc;
	case 0x1c:
		return m->csts;
	default:
		return 0;
	}
}

static inline void
model_write32(void *arg, uint32_t reg, uint32_t v)
{
	struct nvme_model *m = arg;

	if (m->gone)
		return;
	model_time(m);
	switch (reg) {
	case 0x14:
		model_cc(m, v);
		break;
	case 0x24:
		m->aqa = v;
		break;
	case 0x28:
		m->asq = v;
		break;
	case 0x2c:
		m->asq |= (uint64_t)v << 32;
		break;
	case 0x30:
		m->acq = v;
		break;
	case 0x34:
		m->acq |= (uint64_t)v << 32;
		break;
	default:
		if (reg >= 0x1000)
			model_doorbell(m,
				(reg - 0x1000) / (4u << (m->cap_high & 15)), v);
	}
}

static inline uint64_t
model_now(void *arg)
{
	struct nvme_model *m = arg;

	return ++m->us;
}

static inline void
model_relax(void *arg)
{
	struct nvme_model *m = arg;

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
model_hw(struct nvme_model *m)
{
	return (struct dfmt_hw){
		.ops = &model_ops,
		.arg = m,
		.window_len = 0x2000,
		.queues = { m->memory, MODEL_BUS, DFMT_DISK_QUEUES },
		.buffers = { m->memory + DFMT_DISK_QUEUES,
			MODEL_BUS + DFMT_DISK_QUEUES, MODEL_BUFFERS },
	};
}

#endif
