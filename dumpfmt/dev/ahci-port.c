/* SPDX-License-Identifier: MIT */
/*
 * A port of an AHCI controller: started, stopped, reset, and one command at a
 * time.  AHCI 1.3.1, 10.1.2 (start), 10.3.2 (stop), 10.4.2 (port reset).
 */
#include "ahci.h"

#include <string.h>

#define STOP_MS 500u
#define COMRESET_MS 2u
#define LINK_MS 1000u
#define BUSY_MS 10000u /* a disk that spins up */

#define SCTL_DETECT 0xfu
#define SCTL_NO_SLEEP 0x300u /* neither partial nor slumber */
#define SCTL_RESET 1u

#define TFD_REQUEST 0x08u
#define TFD_BUSY 0x80u

#define SIG_DISK 0x00000101u
#define SIG_PACKET 0xeb140101u
#define SIG_MULTIPLIER 0x96690101u

static uint32_t
place(uint32_t port, uint32_t reg)
{
	return AHCI_PORTS + port * AHCI_PORT_LEN + reg;
}

uint32_t
dfmt_ahci_read(const struct dfmt_disk *d, uint32_t port, uint32_t reg)
{
	return d->hw.ops->read32(d->hw.arg, place(port, reg));
}

void
dfmt_ahci_write(const struct dfmt_disk *d, uint32_t port, uint32_t reg,
	uint32_t value)
{
	d->hw.ops->write32(d->hw.arg, place(port, reg), value);
}

bool
dfmt_ahci_wait(struct dfmt_disk *d, uint32_t reg, uint32_t mask, uint32_t want,
	uint32_t ms)
{
	uint64_t begin = d->hw.ops->now_us(d->hw.arg);

	for (;;) {
		uint32_t v = d->hw.ops->read32(d->hw.arg, reg);

		if (v == UINT32_MAX)
			return false;
		if ((v & mask) == want)
			return true;
		if (d->hw.ops->now_us(d->hw.arg) - begin > ms * 1000ull)
			return false;
		d->hw.ops->relax(d->hw.arg);
	}
}

/* The bits go off; then so does what they drive. */
static bool
engine_stop(struct dfmt_disk *d, uint32_t port, uint32_t bit, uint32_t running)
{
	uint32_t cmd = dfmt_ahci_read(d, port, PORT_CMD);

	dfmt_ahci_write(d, port, PORT_CMD, cmd & ~bit);
	return dfmt_ahci_wait(d, place(port, PORT_CMD), running, 0, STOP_MS);
}

bool
dfmt_ahci_port_stop(struct dfmt_disk *d, uint32_t port)
{
	if (dfmt_ahci_read(d, port, PORT_CMD) == UINT32_MAX)
		return dfmt_disk_fail(d, "the controller is gone");
	if (!engine_stop(d, port, CMD_START, CMD_RUNNING) ||
		!engine_stop(d, port, CMD_FIS_RECEIVE, CMD_FIS_RUNNING))
		return dfmt_disk_fail(d, "a port does not stop");
	/* It keeps no address of ours. */
	for (uint32_t reg = PORT_CLB; reg < PORT_IS; reg += 4)
		dfmt_ahci_write(d, port, reg, 0);
	d->u.ahci.used = false;
	return true;
}

static void
address_put(struct dfmt_disk *d, uint32_t port, uint32_t reg, uint32_t at)
{
	uint64_t bus = d->hw.queues.bus + at;

	dfmt_ahci_write(d, port, reg, (uint32_t)bus);
	dfmt_ahci_write(d, port, reg + 4, (uint32_t)(bus >> 32));
}

static void
sleep_ms(const struct dfmt_disk *d, uint32_t ms)
{
	uint64_t begin = d->hw.ops->now_us(d->hw.arg);

	while (d->hw.ops->now_us(d->hw.arg) - begin < ms * 1000ull)
		d->hw.ops->relax(d->hw.arg);
}

/* COMRESET: the disk forgets what it was told, and says what it is. */
static bool
link_reset(struct dfmt_disk *d, uint32_t port)
{
	dfmt_ahci_write(d, port, PORT_SCTL, SCTL_NO_SLEEP | SCTL_RESET);
	sleep_ms(d, COMRESET_MS);
	dfmt_ahci_write(d, port, PORT_SCTL, SCTL_NO_SLEEP);
	if (!dfmt_ahci_wait(d, place(port, PORT_SSTS), SSTS_DETECT, SSTS_THERE,
		    LINK_MS))
		return dfmt_disk_fail(d, "there is no disk at the port");
	dfmt_ahci_write(d, port, PORT_SERR, UINT32_MAX);
	if (!dfmt_ahci_wait(d, place(port, PORT_TFD), TFD_BUSY | TFD_REQUEST, 0,
		    BUSY_MS))
		return dfmt_disk_fail(d, "the disk does not get ready");
	return true;
}

static bool
is_disk(struct dfmt_disk *d, uint32_t port)
{
	switch (dfmt_ahci_read(d, port, PORT_SIG)) {
	case SIG_DISK:
		return true;
	case SIG_PACKET:
		return dfmt_disk_fail(d,
			"it is no disk: a drive for removable media");
	case SIG_MULTIPLIER:
		return dfmt_disk_fail(d,
			"there is a port multiplier at the port");
	default:
		return dfmt_disk_fail(d, "it is no disk");
	}
}

bool
dfmt_ahci_port_start(struct dfmt_disk *d, uint32_t port)
{
	struct dfmt_ahci *a = &d->u.ahci;

	a->up = false;
	if (!dfmt_ahci_port_stop(d, port))
		return false;
	a->port = port;
	a->used = true;
	memset(d->hw.queues.virt, 0, AHCI_PAGE);
	address_put(d, port, PORT_CLB, AHCI_LIST);
	address_put(d, port, PORT_FB, AHCI_FIS);
	dfmt_ahci_write(d, port, PORT_SERR, UINT32_MAX);
	dfmt_ahci_write(d, port, PORT_CMD,
		dfmt_ahci_read(d, port, PORT_CMD) | CMD_FIS_RECEIVE);
	if (!dfmt_ahci_wait(d, place(port, PORT_CMD), CMD_FIS_RUNNING,
		    CMD_FIS_RUNNING, STOP_MS))
		return dfmt_disk_fail(d, "a port does not start");
	if (!link_reset(d, port) || !is_disk(d, port))
		return false;
	dfmt_ahci_write(d, port, PORT_IS, UINT32_MAX);
	dfmt_ahci_write(d, port, PORT_CMD,
		dfmt_ahci_read(d, port, PORT_CMD) | CMD_START);
	a->up = true;
	return true;
}

/* ---- one at a time ------------------------------------------------------- */

/* Done, or refused: on an error the command keeps its bit. */
static bool
is_over(const struct dfmt_disk *d, uint32_t port)
{
	uint32_t tfd = dfmt_ahci_read(d, port, PORT_TFD);

	return !(dfmt_ahci_read(d, port, PORT_CI) & 1) ||
	       ((tfd & AHCI_TFD_ERRORS) && !(tfd & TFD_BUSY));
}

bool
dfmt_ahci_do(struct dfmt_disk *d, const struct ahci_command *c)
{
	uint32_t port = d->u.ahci.port;
	uint64_t begin = d->hw.ops->now_us(d->hw.arg);

	dfmt_ahci_command_put(d, 0, DFMT_DISK_SLOTS, c);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	dfmt_ahci_write(d, port, PORT_CI, 1);
	while (!is_over(d, port)) {
		if (d->hw.ops->now_us(d->hw.arg) - begin >
			d->command_ms * 1000ull)
			return dfmt_disk_fail(d, "the disk does not answer");
		d->hw.ops->relax(d->hw.arg);
	}
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (dfmt_ahci_read(d, port, PORT_TFD) & AHCI_TFD_ERRORS)
		return dfmt_disk_fail(d, "the disk refuses a command");
	return true;
}
