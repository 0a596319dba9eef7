/* SPDX-License-Identifier: MIT */
/*
 * SATA disks behind an AHCI controller, polled, one port at a time.  Serial ATA
 * AHCI 1.3.1: registers (3), handing over from the firmware (10.6), resets
 * (10.4).
 *
 * ahci-port.c starts and stops a port, ahci-queue.c has its commands,
 * ahci-identify.c what a disk says of itself.
 */
#include "ahci.h"

#include <string.h>

#define CLASS_AHCI 0x010601u
#define CLASS_RAID 0x0104u
#define BAR_AHCI 5u

#define REG_CAP 0x00u
#define REG_GHC 0x04u
#define REG_IS 0x08u
#define REG_PI 0x0cu
#define REG_CAP2 0x24u
#define REG_BOHC 0x28u

#define CAP_NCQ (1u << 30)
#define CAP_64 (1u << 31)
#define GHC_RESET 1u
#define GHC_AHCI (1u << 31)
#define CAP2_HANDOFF 1u
#define BOHC_FIRMWARE 1u
#define BOHC_OS 2u
#define BOHC_BUSY 16u

#define HANDOFF_MS 25u
#define FIRMWARE_MS 2000u /* where it says that it is busy */
#define RESET_MS 1000u
#define EMPTY_MS 200u /* nothing answers behind a port */
#define LINK_MS 1000u /* something does, but not its link */

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

static bool
match(const struct dfmt_hw *hw)
{
	uint32_t class = dfmt_pci_class(hw);

	return class == CLASS_AHCI || class >> 8 == CLASS_RAID;
}

/* Whatever makes one disk of many does so behind our back. */
static const char *
refusal(const struct dfmt_hw *hw)
{
	return dfmt_pci_class(hw) == CLASS_AHCI
		       ? NULL
		       : "it is a RAID controller, or AHCI in RAID mode";
}

static uint32_t
bar(const struct dfmt_hw *hw)
{
	(void)hw;
	return BAR_AHCI;
}

/* ---- bring-up ------------------------------------------------------------ */

/* The firmware gives it up, or had time to; what it left is reset anyhow. */
static void
handoff(struct dfmt_disk *d)
{
	if (!(reg_read(d, REG_CAP2) & CAP2_HANDOFF))
		return;
	reg_write(d, REG_BOHC, reg_read(d, REG_BOHC) | BOHC_OS);
	if (dfmt_ahci_wait(d, REG_BOHC, BOHC_FIRMWARE, 0, HANDOFF_MS))
		return;
	if (reg_read(d, REG_BOHC) & BOHC_BUSY)
		(void)dfmt_ahci_wait(d, REG_BOHC, BOHC_FIRMWARE | BOHC_BUSY, 0,
			FIRMWARE_MS);
}

/* Every port stops; what another driver had in flight is forgotten. */
static bool
reset(struct dfmt_disk *d)
{
	struct dfmt_ahci *a = &d->u.ahci;

	reg_write(d, REG_GHC, GHC_AHCI);
	reg_write(d, REG_GHC, GHC_AHCI | GHC_RESET);
	if (!dfmt_ahci_wait(d, REG_GHC, GHC_RESET, 0, RESET_MS))
		return dfmt_disk_fail(d,
			"the controller does not end its reset");
	reg_write(d, REG_GHC, GHC_AHCI);
	if (!(reg_read(d, REG_GHC) & GHC_AHCI))
		return dfmt_disk_fail(d,
			"the controller does not take AHCI mode");
	for (uint32_t p = 0; p < AHCI_NR_PORTS; p++)
		if ((a->ports >> p & 1) &&
			(dfmt_ahci_read(d, p, PORT_CMD) &
				(CMD_RUNNING | CMD_FIS_RUNNING)))
			return dfmt_disk_fail(d,
				"a port runs on behind a reset");
	reg_write(d, REG_IS, UINT32_MAX);
	a->used = false;
	return true;
}

static bool
capabilities(struct dfmt_disk *d)
{
	struct dfmt_ahci *a = &d->u.ahci;
	uint32_t cap = reg_read(d, REG_CAP), ports = reg_read(d, REG_PI);
	uint64_t end = d->hw.buffers.bus + d->hw.buffers.len;

	if (cap == UINT32_MAX && ports == UINT32_MAX)
		return dfmt_disk_fail(d, "its registers cannot be read");
	if (!(cap & CAP_64) &&
		(end > UINT32_MAX ||
			d->hw.queues.bus + d->hw.queues.len > UINT32_MAX))
		return dfmt_disk_fail(d,
			"it does not reach memory above 4 GiB");
	a->nr_commands = (cap >> 8 & 31) + 1;
	a->can_queue = cap & CAP_NCQ;
	/* A port whose registers would lie behind the window is none. */
	for (uint32_t p = 0; p < AHCI_NR_PORTS; p++)
		if (AHCI_PORTS + (p + 1) * AHCI_PORT_LEN > d->hw.window_len)
			ports &= ~(1u << p);
	a->ports = ports;
	return ports != 0 || dfmt_disk_fail(d, "it has no port");
}

/* Looks once at all ports; is there one that may still come? */
static bool
look(struct dfmt_disk *d, uint64_t waited_us)
{
	struct dfmt_ahci *a = &d->u.ahci;
	bool more = false;

	a->present = 0;
	for (uint32_t p = 0; p < AHCI_NR_PORTS; p++) {
		uint32_t s;

		if (!(a->ports >> p & 1))
			continue;
		s = dfmt_ahci_read(d, p, PORT_SSTS) & SSTS_DETECT;
		if (s == SSTS_THERE)
			a->present |= 1u << p;
		else
			more |= waited_us <
				(s == SSTS_NO_LINK ? LINK_MS : EMPTY_MS) *
					1000ull;
	}
	return more;
}

/* Power and link for all of them; those that answer are present. */
static void
ports_find(struct dfmt_disk *d)
{
	struct dfmt_ahci *a = &d->u.ahci;
	uint64_t begin = d->hw.ops->now_us(d->hw.arg);

	for (uint32_t p = 0; p < AHCI_NR_PORTS; p++) {
		if (!(a->ports >> p & 1))
			continue;
		dfmt_ahci_write(d, p, PORT_IE, 0);
		dfmt_ahci_write(d, p, PORT_CMD,
			(dfmt_ahci_read(d, p, PORT_CMD) & ~CMD_STATE) |
				CMD_SPIN_UP | CMD_POWER_ON | CMD_ACTIVE);
	}
	while (look(d, d->hw.ops->now_us(d->hw.arg) - begin))
		d->hw.ops->relax(d->hw.arg);
}

static bool
start(struct dfmt_disk *d)
{
	memset(&d->u.ahci, 0, sizeof(d->u.ahci));
	if (!dfmt_pci_decode(&d->hw))
		return dfmt_disk_fail(d, "the PCI function does not answer");
	if (refusal(&d->hw))
		return dfmt_disk_fail(d, refusal(&d->hw));
	if (!capabilities(d))
		return false;
	handoff(d);
	if (!reset(d))
		return false;
	/* Nothing of the driver before us runs any more. */
	if (!dfmt_pci_master(&d->hw))
		return dfmt_disk_fail(d, "it does not take bus mastering");
	ports_find(d);
	return true;
}

static uint32_t
unit_next(struct dfmt_disk *d, uint32_t after)
{
	for (uint32_t p = after; p < AHCI_NR_PORTS; p++)
		if (d->u.ahci.present >> p & 1)
			return p + 1;
	return 0;
}

static void
stop(struct dfmt_disk *d)
{
	struct dfmt_ahci *a = &d->u.ahci;
	const char *why = d->why;

	if (a->up)
		dfmt_ahci_flush(d);
	a->up = false;
	if (a->used && !dfmt_ahci_port_stop(d, a->port))
		(void)reset(d);
	dfmt_pci_quiet(&d->hw);
	d->why = why;
}

const struct dfmt_disk_driver dfmt_disk_ahci = {
	.name = "ahci",
	.match = match,
	.refusal = refusal,
	.bar = bar,
	.start = start,
	.unit_next = unit_next,
	.select = dfmt_ahci_select,
	.submit = dfmt_ahci_submit,
	.poll = dfmt_ahci_poll,
	.stop = stop,
};
