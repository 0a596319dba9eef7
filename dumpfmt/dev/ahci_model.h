/* SPDX-License-Identifier: MIT */
/*
 * For tests only: an AHCI controller with one disk in memory, as much of one as
 * the driver uses, that can be told to misbehave.  A command is done when CI is
 * looked at, one at a time, NCQ last one first; each look at the clock is a
 * microsecond, each relax a hundred.
 */
#ifndef AHCI_MODEL_H
#define AHCI_MODEL_H

#include "dfmt-disk.h"

#include <stdlib.h>
#include <string.h>

#define MODEL_BUS 0x100000000ull /* where the device sees our memory */
#define MODEL_BUFFERS (1u << 20)
#define MODEL_LEN (2u << 20)
#define MODEL_PORT 2u
#define MODEL_BASE (0x100u + 0x80u * MODEL_PORT)
#define MODEL_UNIT (MODEL_PORT + 1)

struct ahci_model {
	/* What it is. */
	uint32_t cap, cap2, ports, class, signature;
	uint32_t sector_len, depth;
	uint64_t nr_sectors, native_sectors;
	bool no_ncq, no_lba48, has_hpa, has_max_address, locked, incomplete;
	char serial[21], model[41];
	/* How it misbehaves. */
	bool never_reset, port_runs_on, firmware_stays, never_ready, no_link;
	bool bad_sum;
	uint32_t swallow, swallow_after; /* as nvme_model.h */
	uint64_t bad_sector;		 /* + 1; writes to it fail */
	uint8_t refused;		 /* this command fails */
	bool gone;
	uint32_t gone_after; /* so many commands */
	char other_serial;   /* after a second reset */
	/* State. */
	uint32_t ghc, bohc, cmd, is, tfd, sctl, serr, sact, ci, sig;
	uint64_t list, fis;
	uint32_t command; /* PCI */
	uint32_t bar5;
	bool bar_sized;
	uint64_t us;
	uint32_t nr_io, nr_resets, nr_link_resets, nr_flushes;
	uint32_t most; /* at work at a time */
	uint32_t nr_dma_outside, nr_wrong;
	uint8_t *memory; /* queues, then buffers */
	uint8_t *disk;
};

static inline void
model_init(struct ahci_model *m)
{
	memset(m, 0, sizeof(*m));
	m->cap = 1u << 31 | 1u << 30 | 31u << 8 | 5;
	m->cap2 = 1;
	m->ports = 0x3f;
	m->class = 0x010601;
	m->signature = 0x101;
	m->sector_len = 512;
	m->nr_sectors = m->native_sectors = MODEL_LEN / 512;
	m->depth = 32;
	memcpy(m->serial, "            MODEL-2 ", 20);
	memcpy(m->model, "A model of a disk                       ", 40);
	m->memory = aligned_alloc(4096, DFMT_DISK_QUEUES + MODEL_BUFFERS);
	m->disk = calloc(1, MODEL_LEN);
	memset(m->memory, 0xee, DFMT_DISK_QUEUES + MODEL_BUFFERS);
	/* Another driver left it running, with commands at work. */
	m->ghc = 0x80000002;
	m->bohc = 1;
	m->cmd = 0xc017;
	m->ci = 5;
	m->tfd = 0x80;
	m->command = 6;
	m->bar5 = 0xfebf1800;
}

static inline void
model_fini(struct ahci_model *m)
{
	free(m->memory);
	free(m->disk);
}

static inline uint8_t *
model_dma(struct ahci_model *m, uint64_t bus, uint64_t len)
{
	uint64_t all = DFMT_DISK_QUEUES + MODEL_BUFFERS;

	if (bus < MODEL_BUS || bus - MODEL_BUS > all ||
		len > all - (bus - MODEL_BUS) || !(m->command & 4)) {
		m->nr_dma_outside++;
		return NULL;
	}
	return m->memory + (bus - MODEL_BUS);
}

/* ---- IDENTIFY ------------------------------------------------------------ */

static inline void
model_word(uint8_t *p, uint32_t w, uint32_t v)
{
	p[2 * w] = (uint8_t)v;
	p[2 * w + 1] = (uint8_t)(v >> 8);
}

static inline void
model_text(uint8_t *p, uint32_t w, const char *text, uint32_t len)
{
	for (uint32_t i = 0; i < len; i += 2)
		model_word(p, w + i / 2,
			(uint32_t)(uint8_t)text[i] << 8 | (uint8_t)text[i + 1]);
}

static inline void
model_identify(const struct ahci_model *m, uint8_t *p)
{
	uint8_t sum = 0;

	memset(p, 0, 512);
	model_word(p, 0, m->incomplete ? 4 : 0x40);
	model_text(p, 10, m->serial, 20);
	model_text(p, 27, m->model, 40);
	if (m->other_serial && m->nr_resets > 1)
		model_word(p, 10, (uint32_t)m->other_serial << 8 | ' ');
	model_word(p, 75, m->depth - 1);
	model_word(p, 76, m->no_ncq ? 6 : 0x106);
	model_word(p, 82, m->has_hpa ? 0x4400 : 0x4000);
	model_word(p, 83, m->no_lba48 ? 0x4000 : 0x7400);
	model_word(p, 87, 0x4100);
	memcpy(p + 200, &m->nr_sectors, 8);
	model_word(p, 106, m->sector_len == 512 ? 0x4000 : 0x5000);
	model_word(p, 117, m->sector_len / 2);
	for (uint32_t i = 0; i < 4; i++)
		model_word(p, 108 + i, 0x5000 + i);
	model_word(p, 119, m->has_max_address ? 0x4100 : 0x4000);
	model_word(p, 128, m->locked ? 7 : 1);
	p[510] = 0xa5;
	for (uint32_t i = 0; i < 511; i++)
		sum = (uint8_t)(sum + p[i]);
	p[511] = (uint8_t)(0 - sum + m->bad_sum);
}

/* ---- commands ------------------------------------------------------------ */

static inline uint64_t
model_lba(const uint8_t *f)
{
	return f[4] | (uint64_t)f[5] << 8 | (uint64_t)f[6] << 16 |
	       (uint64_t)f[8] << 24 | (uint64_t)f[9] << 32 |
	       (uint64_t)f[10] << 40;
}

/* Where the data of a table is; all of it in one piece. */
static inline uint8_t *
model_data(struct ahci_model *m, const uint8_t *header, const uint8_t *table,
	uint64_t len)
{
	uint64_t at;
	uint32_t n;

	memcpy(&at, table + 0x80, 8);
	memcpy(&n, table + 0x8c, 4);
	if (header[2] != 1 || (n & 0x3fffff) + 1 != len || at % 2)
		m->nr_wrong++;
	return model_dma(m, at, len);
}

static inline bool
model_transfer(struct ahci_model *m, const uint8_t *header, const uint8_t *f,
	uint32_t count, bool is_write)
{
	uint64_t at = model_lba(f) * m->sector_len;
	uint64_t len = (uint64_t)(count ? count : 65536) * m->sector_len;
	uint64_t bad = (m->bad_sector - 1) * m->sector_len;
	uint8_t *p;

	if (at > MODEL_LEN || len > MODEL_LEN - at || !(f[7] & 0x40))
		return false;
	if (is_write != ((header[0] & 0x40) != 0))
		m->nr_wrong++;
	if (is_write && m->bad_sector && bad >= at && bad < at + len)
		return false;
	p = model_data(m, header, f, len);
	if (p == NULL)
		return false;
	if (is_write)
		memcpy(m->disk + at, p, len);
	else
		memcpy(p, m->disk + at, len);
	return true;
}

static inline bool
model_native(struct ahci_model *m)
{
	uint64_t last = m->native_sectors - 1;
	uint8_t *p = model_dma(m, m->fis + 0x40, 20);

	if (p == NULL)
		return false;
	memcpy(p + 4, &last, 3);
	last >>= 24;
	memcpy(p + 8, &last, 3);
	return true;
}

static inline bool
model_do(struct ahci_model *m, const uint8_t *header, const uint8_t *f)
{
	uint32_t count = f[12] | (uint32_t)f[13] << 8;
	uint32_t features = f[3] | (uint32_t)f[11] << 8;
	uint8_t *p;

	if (f[0] != 0x27 || f[1] != 0x80 || (header[0] & 31) != 5)
		m->nr_wrong++;
	if (f[2] == m->refused)
		return false;
	switch (f[2]) {
	case 0xec:
		p = model_data(m, header, f, 512);
		if (p != NULL)
			model_identify(m, p);
		return p != NULL;
	case 0x27:
		return m->has_hpa && model_native(m);
	case 0x78:
		return m->has_max_address && model_native(m);
	case 0xea:
		m->nr_flushes++;
		return true;
	case 0x25:
	case 0x35:
		return model_transfer(m, header, f, count, f[2] == 0x35);
	case 0x60:
	case 0x61:
		return !m->no_ncq &&
		       model_transfer(m, header, f, features, f[2] == 0x61);
	default:
		return false;
	}
}

/* The disk stops at an error until the port is started afresh. */
static inline void
model_run(struct ahci_model *m, uint32_t slot)
{
	uint8_t *header = model_dma(m, m->list + 32ull * slot, 32), *f;
	uint64_t at;
	bool ncq;

	if (header == NULL)
		return;
	memcpy(&at, header + 8, 8);
	f = model_dma(m, at, 0x90);
	if (f == NULL || at % 128)
		return;
	ncq = f[2] == 0x60 || f[2] == 0x61;
	if (ncq != (m->sact >> slot & 1) || (ncq && f[12] >> 3 != slot) ||
		(m->sact && !ncq) || (ncq && (m->ci & ~m->sact)))
		m->nr_wrong++;
	m->nr_io += f[2] != 0xec;
	if (m->gone_after && m->nr_io >= m->gone_after)
		m->gone = true;
	if (m->swallow && m->nr_io > m->swallow_after) {
		m->swallow--;
		m->ci &= ~(1u << slot);
		m->sact |= ncq ? 1u << slot : 0;
		m->ci |= ncq ? 0 : 1u << slot;
		m->tfd = ncq ? m->tfd : 0xd0;
		return;
	}
	if (!model_do(m, header, f)) {
		m->tfd = 0x0451;
		m->is |= 1u << 30;
		return;
	}
	m->ci &= ~(1u << slot);
	m->sact &= ~(1u << slot);
}

/* One command goes on. */
static inline void
model_step(struct ahci_model *m)
{
	uint32_t n = (uint32_t)__builtin_popcount(m->ci | m->sact), all = m->ci;

	if (n > m->most)
		m->most = n;
	if ((m->cmd & 1) == 0 || all == 0 || (m->tfd & 0x89))
		return;
	model_run(m, m->sact ? 31u - (uint32_t)__builtin_clz(all)
			     : (uint32_t)__builtin_ctz(all));
}

/* ---- registers ----------------------------------------------------------- */

static inline void
model_link(struct ahci_model *m)
{
	m->nr_link_resets++;
	m->tfd = m->never_ready ? 0x80 : 0x50;
	m->sig = m->signature;
	m->serr = 0x04050000;
}

static inline void
model_ghc(struct ahci_model *m, uint32_t v)
{
	m->ghc = v & 0x80000002;
	if (!(v & 1))
		return;
	m->nr_resets++;
	m->ghc = m->never_reset ? v : 0;
	m->ci = m->sact = m->is = 0;
	m->cmd = m->port_runs_on ? m->cmd : 6;
	m->tfd = 0x7f;
	m->sig = UINT32_MAX;
}

static inline void
model_cmd(struct ahci_model *m, uint32_t v)
{
	bool starts = (v & 1) && !(m->cmd & 1);

	if (starts && (!(m->cmd & 0x4000) || (m->tfd & 0x88)))
		m->nr_wrong++;
	if (!(v & 1))
		m->ci = m->sact = 0;
	m->cmd = (v & 0x1f) | (v & 1 ? 0x8000 : 0) | (v & 0x10 ? 0x4000 : 0);
	if (m->port_runs_on)
		m->cmd |= 0xc000;
}

static inline void
model_commands(struct ahci_model *m, uint32_t v, uint32_t *which)
{
	uint32_t nr = (m->cap >> 8 & 31) + 1;

	if (!(m->cmd & 1) || !(m->command & 4) || (nr < 32 && v >> nr))
		m->nr_wrong++;
	*which |= v;
}

static inline void
model_port_write(struct ahci_model *m, uint32_t reg, uint32_t v)
{
	switch (reg) {
	case 0x00:
		m->list = (m->list & ~0xffffffffull) | v;
		break;
	case 0x04:
		m->list = (uint32_t)m->list | (uint64_t)v << 32;
		break;
	case 0x08:
		m->fis = (m->fis & ~0xffffffffull) | v;
		break;
	case 0x0c:
		m->fis = (uint32_t)m->fis | (uint64_t)v << 32;
		break;
	case 0x10:
		m->is &= ~v;
		break;
	case 0x18:
		model_cmd(m, v);
		break;
	case 0x2c:
		if ((m->sctl & 15) == 1 && (v & 15) == 0)
			model_link(m);
		m->sctl = v;
		break;
	case 0x30:
		m->serr &= ~v;
		break;
	case 0x34:
		model_commands(m, v, &m->sact);
		break;
	case 0x38:
		model_commands(m, v, &m->ci);
		break;
	}
}

static inline uint32_t
model_port_read(struct ahci_model *m, uint32_t reg)
{
	switch (reg) {
	case 0x10:
		return m->is;
	case 0x18:
		return m->cmd;
	case 0x20:
		return m->tfd;
	case 0x24:
		return m->sig;
	case 0x28:
		return m->no_link ? 1 : 0x123;
	case 0x30:
		return m->serr;
	case 0x34:
		return m->sact;
	case 0x38:
		model_step(m);
		return m->ci;
	default:
		return 0;
	}
}

static inline uint32_t
model_read32(void *arg, uint32_t reg)
{
	struct ahci_model *m = arg;

	if (m->gone)
		return UINT32_MAX;
	if (reg >= MODEL_BASE && reg < MODEL_BASE + 0x80)
		return model_port_read(m, reg - MODEL_BASE);
	switch (reg) {
	case 0x00:
		return m->cap;
	case 0x04:
		return m->ghc;
	case 0x0c:
		return m->ports;
	case 0x24:
		return m->cap2;
	case 0x28:
		return m->bohc;
	default:
		return 0;
	}
}

static inline void
model_write32(void *arg, uint32_t reg, uint32_t v)
{
	struct ahci_model *m = arg;

	if (m->gone)
		return;
	if (reg >= MODEL_BASE && reg < MODEL_BASE + 0x80)
		model_port_write(m, reg - MODEL_BASE, v);
	else if (reg == 0x04)
		model_ghc(m, v);
	else if (reg == 0x28)
		m->bohc = m->firmware_stays ? v | 0x11 : v & ~1u;
}

/* ---- as the driver sees it ----------------------------------------------- */

static inline uint32_t
model_config_read(void *arg, uint32_t reg, uint32_t width)
{
	struct ahci_model *m = arg;

	if (m->gone)
		return width == 2 ? 0xffff : UINT32_MAX;
	switch (reg) {
	case 0x00:
		return 0x8086;
	case 0x04:
		return m->command;
	case 0x08:
		return m->class << 8;
	case 0x24:
		return m->bar_sized ? 0xfffff800 : m->bar5;
	default:
		return 0;
	}
}

static inline void
model_config_write(void *arg, uint32_t reg, uint32_t width, uint32_t value)
{
	struct ahci_model *m = arg;

	(void)width;
	if (reg == 0x04)
		m->command = value;
	if (reg != 0x24)
		return;
	if (m->command & 2)
		m->nr_wrong++;
	m->bar_sized = value == UINT32_MAX;
	if (!m->bar_sized)
		m->bar5 = value;
}

static inline uint64_t
model_now(void *arg)
{
	struct ahci_model *m = arg;

	return ++m->us;
}

static inline void
model_relax(void *arg)
{
	struct ahci_model *m = arg;

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
model_hw(struct ahci_model *m)
{
	return (struct dfmt_hw){
		.ops = &model_ops,
		.arg = m,
		.window_len = 0x800,
		.queues = { m->memory, MODEL_BUS, DFMT_DISK_QUEUES },
		.buffers = { m->memory + DFMT_DISK_QUEUES,
			MODEL_BUS + DFMT_DISK_QUEUES, MODEL_BUFFERS },
	};
}

#endif
