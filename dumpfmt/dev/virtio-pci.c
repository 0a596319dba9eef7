/* SPDX-License-Identifier: MIT */
/*
 * A virtio device on PCI as of version 1: where its registers are, its reset,
 * what both sides can do.  Virtual I/O Device 1.2, 2.1 (status), 2.2
 * (features), 3.1 (initialisation), 4.1 (PCI).
 *
 * The registers are reached through the window that every such device has in
 * its configuration space (4.1.4.9): they may lie in several BARs, have one,
 * two and four bytes, and with it no place that the device names is ever
 * mapped.
 */
#include "virtio.h"

#include <string.h>

#define CAP_KIND 3u
#define CAP_BAR 4u
#define CAP_OFFSET 8u
#define CAP_LEN 12u
#define CAP_EXTRA 16u /* stride of doorbells; the window itself */
#define NR_CAPS 48u

#define RESET_MS 1000u

static uint32_t
config_read(const struct dfmt_hw *hw, uint32_t reg, uint32_t width)
{
	return hw->ops->config_read(hw->arg, reg, width);
}

static void
config_write(const struct dfmt_hw *hw, uint32_t reg, uint32_t width,
	uint32_t value)
{
	hw->ops->config_write(hw->arg, reg, width, value);
}

/* ---- places -------------------------------------------------------------- */

/* The first capability of each kind counts; the window is one of its own. */
static void
cap_take(struct dfmt_disk *d, uint32_t at)
{
	struct dfmt_virtio *v = &d->u.virtio;
	uint32_t kind = config_read(&d->hw, at + CAP_KIND, 1);
	struct dfmt_virtio_place *p;

	if (kind == VIRTIO_ACCESS && v->access == 0 && at + CAP_EXTRA < 0xfd)
		v->access = at;
	if (kind != VIRTIO_COMMON && kind != VIRTIO_NOTIFY &&
		kind != VIRTIO_DEVICE)
		return;
	p = &v->places[kind];
	if (p->len || at + CAP_LEN > 0xfc)
		return;
	p->bar = (uint8_t)config_read(&d->hw, at + CAP_BAR, 1);
	p->offset = config_read(&d->hw, at + CAP_OFFSET, 4);
	p->len = config_read(&d->hw, at + CAP_LEN, 4);
	/* Others than 0 to 5 are reserved and to be passed over. */
	if (p->bar > 5 || p->len > UINT32_MAX - p->offset)
		p->len = 0;
	if (kind == VIRTIO_NOTIFY && at + CAP_EXTRA <= 0xfc)
		v->stride = config_read(&d->hw, at + CAP_EXTRA, 4);
}

bool
dfmt_virtio_places(struct dfmt_disk *d)
{
	struct dfmt_virtio *v = &d->u.virtio;
	uint32_t at = 0;

	for (uint32_t i = 0; i < NR_CAPS; i++) {
		at = dfmt_pci_cap(&d->hw, DFMT_PCI_CAP_VENDOR, at);
		if (at == 0)
			break;
		cap_take(d, at);
	}
	if (v->places[VIRTIO_COMMON].len < COMMON_LEN ||
		v->places[VIRTIO_NOTIFY].len < VIRTIO_DOORBELL_LEN ||
		v->places[VIRTIO_DEVICE].len == 0)
		return dfmt_disk_fail(d,
			"it has the old interface of virtio only");
	if (v->access == 0)
		return dfmt_disk_fail(d, "it has no window to its registers");
	return true;
}

uint32_t
dfmt_virtio_bar(const struct dfmt_hw *hw)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < NR_CAPS; i++) {
		at = dfmt_pci_cap(hw, DFMT_PCI_CAP_VENDOR, at);
		if (at == 0)
			break;
		if (config_read(hw, at + CAP_KIND, 1) == VIRTIO_COMMON)
			return config_read(hw, at + CAP_BAR, 1);
	}
	return VIRTIO_NO_BAR;
}

/* ---- registers ----------------------------------------------------------- */

/* Points the window there; false: the place does not have it. */
static bool
window_set(const struct dfmt_disk *d, uint32_t kind, uint32_t reg,
	uint32_t width)
{
	const struct dfmt_virtio *v = &d->u.virtio;
	const struct dfmt_virtio_place *p = &v->places[kind];

	if (width > p->len || reg > p->len - width)
		return false;
	config_write(&d->hw, v->access + CAP_BAR, 1, p->bar);
	config_write(&d->hw, v->access + CAP_OFFSET, 4, p->offset + reg);
	config_write(&d->hw, v->access + CAP_LEN, 4, width);
	return true;
}

uint32_t
dfmt_virtio_read(const struct dfmt_disk *d, uint32_t kind, uint32_t reg,
	uint32_t width)
{
	uint32_t ones = width == 4 ? UINT32_MAX : (1u << 8 * width) - 1;

	if (!window_set(d, kind, reg, width))
		return ones;
	return config_read(&d->hw, d->u.virtio.access + CAP_EXTRA, width) &
	       ones;
}

void
dfmt_virtio_write(const struct dfmt_disk *d, uint32_t kind, uint32_t reg,
	uint32_t width, uint32_t value)
{
	if (window_set(d, kind, reg, width))
		config_write(&d->hw, d->u.virtio.access + CAP_EXTRA, width,
			value);
}

/* ---- reset, features ----------------------------------------------------- */

bool
dfmt_virtio_reset(struct dfmt_disk *d)
{
	uint64_t begin = d->hw.ops->now_us(d->hw.arg);
	uint32_t status;

	dfmt_virtio_write(d, VIRTIO_COMMON, COMMON_STATUS, 1, 0);
	for (;;) {
		status = dfmt_virtio_read(d, VIRTIO_COMMON, COMMON_STATUS, 1);
		if (status == 0)
			return true;
		if (status == 0xff)
			return dfmt_disk_fail(d, "the device is gone");
		if (d->hw.ops->now_us(d->hw.arg) - begin > RESET_MS * 1000ull)
			return dfmt_disk_fail(d,
				"the device does not end its reset");
		d->hw.ops->relax(d->hw.arg);
	}
}

static uint64_t
offered(const struct dfmt_disk *d)
{
	uint64_t all = 0;

	for (uint32_t i = 0; i < 2; i++) {
		dfmt_virtio_write(d, VIRTIO_COMMON, COMMON_OFFERED_SELECT, 4,
			i);
		all |= (uint64_t)dfmt_virtio_read(d, VIRTIO_COMMON,
			       COMMON_OFFERED, 4)
		       << 32 * i;
	}
	return all;
}

bool
dfmt_virtio_features(struct dfmt_disk *d, uint64_t may, uint64_t must)
{
	uint32_t status = STATUS_SEEN | STATUS_DRIVER;
	uint64_t take = offered(d) & may;

	if ((take & must) != must)
		return dfmt_disk_fail(d,
			"it does not offer the interface of virtio 1");
	for (uint32_t i = 0; i < 2; i++) {
		dfmt_virtio_write(d, VIRTIO_COMMON, COMMON_TAKEN_SELECT, 4, i);
		dfmt_virtio_write(d, VIRTIO_COMMON, COMMON_TAKEN, 4,
			(uint32_t)(take >> 32 * i));
	}
	status |= STATUS_FEATURES;
	dfmt_virtio_write(d, VIRTIO_COMMON, COMMON_STATUS, 1, status);
	status = dfmt_virtio_read(d, VIRTIO_COMMON, COMMON_STATUS, 1);
	if (!(status & STATUS_FEATURES) || (status & STATUS_FAILED))
		return dfmt_disk_fail(d,
			"the device does not take what it offered");
	d->u.virtio.features = take;
	return true;
}
