/* SPDX-License-Identifier: MIT */
/*
 * NVM Express, polled: one admin and one I/O queue pair, PRPs.  NVM Express
 * Base Specification 2.0 (registers: 3.1.3; reset: 3.5; shutdown: 3.6), NVM
 * Command Set Specification 1.0.
 *
 * nvme-queue.c has the queues, nvme-identify.c what a controller and a
 * namespace say of themselves.
 */
#include "nvme.h"

#include <string.h>

#define CLASS_NVME 0x010802u

#define REG_CAP 0x00u
#define REG_CC 0x14u
#define REG_CSTS 0x1cu
#define REG_AQA 0x24u
#define REG_ASQ 0x28u
#define REG_ACQ 0x30u
#define REG_CMBMSC 0x50u

#define CC_EN 0x1u
#define CC_SHN_NORMAL (1u << 14)
#define CC_SHN_MASK (3u << 14)
#define CC_QUEUES (6u << 16 | 4u << 20) /* entries of 64 and 16 bytes */
#define CSTS_RDY 0x1u
#define CSTS_CFS 0x2u
#define CSTS_SHST_MASK 0xcu
#define CSTS_SHST_DONE 0x8u

#define STOP_MS 10000u /* where the controller does not say (RTD3E) */
#define STOP_MAX_MS 30000u

static uint32_t
reg_read(const struct dfmt_disk *d, uint32_t reg)
{
	return d->hw.ops->read32(d->hw.arg, reg);
}

static void
reg_write(const struct dfmt_disk *d, uint32_t reg, uint32_t value)
{
	d->hw.ops->write32(d->hw.arg, reg, value);
}

static void
reg_write64(const struct dfmt_disk *d, uint32_t reg, uint64_t value)
{
	reg_write(d, reg, (uint32_t)value);
	reg_write(d, reg + 4, (uint32_t)(value >> 32));
}

static bool
match(const struct dfmt_hw *hw)
{
	return dfmt_pci_class(hw) == CLASS_NVME;
}

static uint32_t
bar(const struct dfmt_hw *hw)
{
	(void)hw;
	return 0;
}

/* ---- bring-up ------------------------------------------------------------ */

/* Waits until the bits of CSTS are as wanted; all ones: it is gone. */
static bool
status_wait(struct dfmt_disk *d, uint32_t mask, uint32_t want, uint32_t ms,
	const char *why)
{
	uint64_t begin = d->hw.ops->now_us(d->hw.arg);

	for (;;) {
		uint32_t csts = reg_read(d, REG_CSTS);

		if (csts == UINT32_MAX)
			return dfmt_disk_fail(d, "the controller is gone");
		if ((csts & mask) == want)
			return true;
		/* One that failed answers a reset only. */
		if (want && (csts & CSTS_CFS))
			return dfmt_disk_fail(d,
				"the controller says that it failed");
		if (d->hw.ops->now_us(d->hw.arg) - begin > ms * 1000ull)
			return dfmt_disk_fail(d, why);
		d->hw.ops->relax(d->hw.arg);
	}
}

/* What the controller can do, of CAP; false: not with this driver. */
static bool
capabilities(struct dfmt_disk *d)
{
	struct dfmt_nvme *n = &d->u.nvme;
	uint32_t low = reg_read(d, REG_CAP), high = reg_read(d, REG_CAP + 4);

	if (low == UINT32_MAX && high == UINT32_MAX)
		return dfmt_disk_fail(d, "its registers cannot be read");
	n->stride = 4u << (high & 0xf);
	if (NVME_DOORBELLS + 4 * n->stride > d->hw.window_len)
		return dfmt_disk_fail(d, "its doorbells are too far apart");
	if (!(high >> 5 & 1))
		return dfmt_disk_fail(d,
			"it does not have the NVM command set");
	if (high >> 16 & 0xf)
		return dfmt_disk_fail(d,
			"it does not take pages of 4096 bytes");
	n->min_page = 4096;
	n->ready_ms = ((low >> 24) + 1) * 500;
	n->has_cmb = high >> 25 & 1;
	n->depth = (low & 0xffff) + 1;
	if (n->depth > NVME_DEPTH)
		n->depth = NVME_DEPTH;
	if (n->depth < 2)
		return dfmt_disk_fail(d, "its queues are too short");
	return true;
}

/* The controller forgets every queue, and so every address of memory. */
static bool
disable(struct dfmt_disk *d)
{
	uint32_t cc = reg_read(d, REG_CC);

	/* A controller that is starting must be ready before it may stop. */
	if ((cc & CC_EN) && !(reg_read(d, REG_CSTS) & (CSTS_RDY | CSTS_CFS)))
		(void)status_wait(d, CSTS_RDY, CSTS_RDY, d->u.nvme.ready_ms,
			"");
	reg_write(d, REG_CC, cc & ~(CC_EN | CC_SHN_MASK));
	return status_wait(d, CSTS_RDY, 0, d->u.nvme.ready_ms,
		"the controller does not stop");
}

static bool
enable(struct dfmt_disk *d)
{
	const struct dfmt_hw_memory *m = &d->hw.queues;
	struct dfmt_nvme *n = &d->u.nvme;

	dfmt_nvme_queues_reset(d);
	/* Its own memory is not for our queues, nor for anybody's. */
	if (n->has_cmb)
		reg_write64(d, REG_CMBMSC, 0);
	reg_write(d, REG_AQA,
		(NVME_ADMIN_DEPTH - 1) << 16 | (NVME_ADMIN_DEPTH - 1));
	reg_write64(d, REG_ASQ, m->bus + NVME_ADMIN_SQ);
	reg_write64(d, REG_ACQ, m->bus + NVME_ADMIN_CQ);
	reg_write(d, REG_CC, CC_QUEUES | CC_EN);
	return status_wait(d, CSTS_RDY, CSTS_RDY, n->ready_ms,
		"the controller does not get ready");
}

static bool
start(struct dfmt_disk *d)
{
	memset(&d->u.nvme, 0, sizeof(d->u.nvme));
	d->u.nvme.stop_ms = STOP_MS;
	if (!dfmt_pci_decode(&d->hw))
		return dfmt_disk_fail(d, "the PCI function does not answer");
	if (!capabilities(d) || !disable(d))
		return false;
	/* Nothing of the driver before us runs any more. */
	if (!dfmt_pci_master(&d->hw))
		return dfmt_disk_fail(d, "it does not take bus mastering");
	return enable(d) && dfmt_nvme_identify(d) && dfmt_nvme_queues_make(d);
}

static void
stop(struct dfmt_disk *d)
{
	const char *why = d->why;
	uint32_t cc = reg_read(d, REG_CC);
	uint32_t ms = d->u.nvme.stop_ms;

	if (cc != UINT32_MAX && (cc & CC_EN)) {
		reg_write(d, REG_CC, (cc & ~CC_SHN_MASK) | CC_SHN_NORMAL);
		(void)status_wait(d, CSTS_SHST_MASK, CSTS_SHST_DONE,
			ms < STOP_MAX_MS ? ms : STOP_MAX_MS, "");
		(void)disable(d);
	}
	dfmt_pci_quiet(&d->hw);
	d->why = why;
}

const struct dfmt_disk_driver dfmt_disk_nvme = {
	.name = "nvme",
	.match = match,
	.bar = bar,
	.start = start,
	.unit_next = dfmt_nvme_unit_next,
	.select = dfmt_nvme_select,
	.submit = dfmt_nvme_submit,
	.poll = dfmt_nvme_poll,
	.stop = stop,
};
