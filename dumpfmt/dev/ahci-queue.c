/* SPDX-License-Identifier: MIT */
/*
 * Commands of a port: a list of 32 places; a bit in CI hands one over, and goes
 * off when it is done; with NCQ the bit in SACT says that.  AHCI 1.3.1, 4.2
 * (list and tables), 5.6 (use), 6.2 (errors); ATA8-ACS 7 (commands), SATA 3.0,
 * 13.6 (NCQ).
 *
 * NCQ and other commands may not be at work at the same time, so some wait
 * here.  An error stops the port and does not always say whose it is: all that
 * was at work is done once more, one at a time.
 */
#include "ahci.h"

#include <string.h>

#define ATA_READ_EXT 0x25u
#define ATA_WRITE_EXT 0x35u
#define ATA_READ_NCQ 0x60u
#define ATA_WRITE_NCQ 0x61u
#define ATA_FLUSH_EXT 0xeau
#define DEVICE_LBA 0x40u

#define FIS_TO_DEVICE 0x27u
#define FIS_COMMAND 0x80u
#define FIS_WORDS 5u
#define HEADER_WRITE 0x40u
#define TABLE_DATA 0x80u

/* Task file; host bus, twice; interface; overflow. */
#define IS_ERRORS 0x79000000u

static void
le_put(uint8_t *p, uint64_t v, uint32_t len)
{
	memcpy(p, &v, len);
}

static void
header_put(struct dfmt_disk *d, uint32_t slot, uint32_t table, bool is_write,
	bool has_data)
{
	uint8_t *h = d->hw.queues.virt + AHCI_LIST + 32 * (size_t)slot;

	memset(h, 0, 32);
	h[0] = (uint8_t)(FIS_WORDS | (is_write ? HEADER_WRITE : 0));
	h[2] = has_data;
	le_put(h + 8, d->hw.queues.bus + AHCI_TABLES + table * AHCI_TABLE_LEN,
		8);
}

void
dfmt_ahci_command_put(struct dfmt_disk *d, uint32_t slot, uint32_t table,
	const struct ahci_command *c)
{
	uint8_t *t = d->hw.queues.virt + AHCI_TABLES +
		     table * (size_t)AHCI_TABLE_LEN;

	memset(t, 0, AHCI_TABLE_LEN);
	t[0] = FIS_TO_DEVICE;
	t[1] = FIS_COMMAND;
	t[2] = c->command;
	t[3] = (uint8_t)c->features;
	le_put(t + 4, c->lba, 3);
	t[7] = DEVICE_LBA;
	le_put(t + 8, c->lba >> 24, 3);
	t[11] = (uint8_t)(c->features >> 8);
	le_put(t + 12, c->count, 2);
	if (c->len) {
		le_put(t + TABLE_DATA, c->bus, 8);
		le_put(t + TABLE_DATA + 12, c->len - 1, 4);
	}
	header_put(d, slot, table, c->is_write, c->len != 0);
}

/* ---- slots --------------------------------------------------------------- */

/* NCQ waits for what is none, and lets it pass. */
static bool
may_go(const struct dfmt_ahci *a, uint32_t bit)
{
	if (a->careful)
		return a->active == 0;
	if (a->queued & bit)
		return ((a->active | a->waiting) & ~a->queued) == 0;
	return (a->active & a->queued) == 0;
}

/* Hands over what waits, as far as it goes with what is at work. */
static void
issue(struct dfmt_disk *d)
{
	struct dfmt_ahci *a = &d->u.ahci;

	for (uint32_t i = 0; i < DFMT_DISK_SLOTS; i++) {
		uint32_t bit = 1u << i;

		if (!(a->waiting & bit) || !may_go(a, bit))
			continue;
		a->waiting &= ~bit;
		a->active |= bit;
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (a->queued & bit)
			dfmt_ahci_write(d, a->port, PORT_SACT, bit);
		dfmt_ahci_write(d, a->port, PORT_CI, bit);
	}
}

void
dfmt_ahci_submit(struct dfmt_disk *d, uint32_t slot, enum dfmt_disk_op op,
	uint64_t sector, uint64_t bus, uint32_t nr_sectors)
{
	struct dfmt_ahci *a = &d->u.ahci;
	bool ncq = a->has_ncq && op != DFMT_DISK_FLUSH;
	struct ahci_command c = {
		.command = ATA_FLUSH_EXT,
		.lba = sector,
		.count = (uint16_t)nr_sectors,
		.bus = bus,
		.len = nr_sectors << d->sector_shift,
		.is_write = op == DFMT_DISK_WRITE,
	};

	if (op == DFMT_DISK_READ)
		c.command = ncq ? ATA_READ_NCQ : ATA_READ_EXT;
	else if (op == DFMT_DISK_WRITE)
		c.command = ncq ? ATA_WRITE_NCQ : ATA_WRITE_EXT;
	if (ncq) {
		c.features = c.count;
		c.count = (uint16_t)(slot << 3);
	}
	if (op == DFMT_DISK_WRITE)
		a->dirty = true;
	a->ops[slot] = op;
	a->waiting |= 1u << slot;
	a->queued = ncq ? a->queued | 1u << slot : a->queued & ~(1u << slot);
	dfmt_ahci_command_put(d, slot, slot, &c);
	issue(d);
}

static void
finish(struct dfmt_disk *d, uint32_t slots, enum dfmt_slot_state state)
{
	struct dfmt_ahci *a = &d->u.ahci;

	a->active &= ~slots;
	for (uint32_t i = 0; i < DFMT_DISK_SLOTS; i++) {
		if (!(slots >> i & 1))
			continue;
		d->slots[i].state = state;
		if (a->ops[i] == DFMT_DISK_FLUSH && state == DFMT_SLOT_DONE)
			a->dirty = false;
	}
}

/*
 * The port is started afresh.  One that was alone at work has failed; of
 * several nobody knows which.
 */
static bool
recover(struct dfmt_disk *d)
{
	struct dfmt_ahci *a = &d->u.ahci;
	uint32_t left = a->active;

	if (!dfmt_ahci_port_start(d, a->port))
		return false;
	if (left & (left - 1)) {
		a->careful = true;
		a->waiting |= left;
		a->active = 0;
	} else {
		d->why = "the disk refuses a command";
		finish(d, left, DFMT_SLOT_FAILED);
	}
	/* The list was cleared; the tables were not. */
	for (uint32_t i = 0; i < DFMT_DISK_SLOTS; i++)
		if (a->waiting >> i & 1)
			header_put(d, i, i, a->ops[i] == DFMT_DISK_WRITE,
				a->ops[i] != DFMT_DISK_FLUSH);
	return true;
}

bool
dfmt_ahci_poll(struct dfmt_disk *d)
{
	struct dfmt_ahci *a = &d->u.ahci;
	bool ncq = a->active & a->queued;
	uint32_t busy = dfmt_ahci_read(d, a->port, PORT_CI), is;

	if (ncq)
		busy |= dfmt_ahci_read(d, a->port, PORT_SACT);
	/* Behind the bits: some go off although the disk has refused. */
	is = dfmt_ahci_read(d, a->port, PORT_IS);
	if (is == UINT32_MAX)
		return dfmt_disk_fail(d, "the controller is gone");
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (ncq || !(is & IS_ERRORS))
		finish(d, a->active & ~busy, DFMT_SLOT_DONE);
	if ((is & IS_ERRORS) && !recover(d))
		return false;
	if (!(a->active | a->waiting))
		a->careful = false;
	issue(d);
	return true;
}

void
dfmt_ahci_flush(struct dfmt_disk *d)
{
	struct dfmt_ahci *a = &d->u.ahci;
	struct ahci_command c = {
		.command = ATA_FLUSH_EXT,
	};

	if (a->dirty && !(a->active | a->waiting))
		a->dirty = !dfmt_ahci_do(d, &c);
}
