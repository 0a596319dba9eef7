/* SPDX-License-Identifier: MIT */
/*
 * What a disk says of itself, and which disks cannot hold a dump.  ATA8-ACS,
 * 7.16 (IDENTIFY DEVICE: words of 16 bits), 7.30 and ACS-3, 7.2.2 (where a
 * disk ends that hides a part).
 */
#include "ahci.h"

#include <string.h>

#define ATA_IDENTIFY 0xecu
#define ATA_NATIVE_MAX_EXT 0x27u
#define ATA_ACCESSIBLE_MAX 0x78u

#define W_GENERAL 0
#define W_SERIAL 10
#define W_MODEL 27
#define W_QUEUE_DEPTH 75
#define W_SATA 76
#define W_COMMANDS 82
#define W_COMMANDS_2 83
#define W_ENABLED_3 87
#define W_LBA48 100
#define W_SECTOR 106
#define W_WWN 108
#define W_SECTOR_LEN 117
#define W_COMMANDS_4 119
#define W_SECURITY 128
#define W_CHECKSUM 255

#define GENERAL_NOT_ATA 0x8000u
#define GENERAL_INCOMPLETE 0x0004u
#define SATA_NCQ 0x0100u
#define COMMANDS_PROTECTED_AREA 0x0400u
#define COMMANDS_2_LBA48 0x0400u
#define ENABLED_3_WWN 0x0100u
#define SECTOR_LONG 0x1000u
#define COMMANDS_4_MAX_ADDRESS 0x0100u
#define SECURITY_LOCKED 0x0004u
#define CHECKSUM_THERE 0xa5u

static const uint8_t *
answer(const struct dfmt_disk *d)
{
	return d->hw.queues.virt + AHCI_PAGE;
}

static uint32_t
word(const struct dfmt_disk *d, uint32_t w)
{
	return answer(d)[2 * w] | (uint32_t)answer(d)[2 * w + 1] << 8;
}

/* Words that say with two bits that they mean something. */
static bool
is_valid(uint32_t w)
{
	return (w & 0xc000) == 0x4000;
}

static bool
identify(struct dfmt_disk *d)
{
	struct ahci_command c = {
		.command = ATA_IDENTIFY,
		.bus = d->hw.queues.bus + AHCI_PAGE,
		.len = 512,
	};
	uint8_t sum = 0;

	memset(d->hw.queues.virt + AHCI_PAGE, 0, 512);
	if (!dfmt_ahci_do(d, &c))
		return false;
	if ((word(d, W_CHECKSUM) & 0xff) == CHECKSUM_THERE)
		for (uint32_t i = 0; i < 512; i++)
			sum = (uint8_t)(sum + answer(d)[i]);
	if (sum)
		return dfmt_disk_fail(d,
			"what it says of itself has a wrong checksum");
	return true;
}

/* Each word has its first letter in the upper half. */
static void
text_take(const struct dfmt_disk *d, char *out, uint32_t first, uint32_t nr)
{
	uint8_t text[40];

	for (uint32_t i = 0; i < nr && i < sizeof(text) / 2; i++) {
		text[2 * i] = (uint8_t)(word(d, first + i) >> 8);
		text[2 * i + 1] = (uint8_t)word(d, first + i);
	}
	dfmt_disk_text(out, text, 2 * (size_t)nr);
}

static void
names_take(struct dfmt_disk *d)
{
	memset(&d->id, 0, sizeof(d->id));
	text_take(d, d->id.serial, W_SERIAL, 10);
	text_take(d, d->id.model, W_MODEL, 20);
	if (!is_valid(word(d, W_ENABLED_3)) ||
		!(word(d, W_ENABLED_3) & ENABLED_3_WWN))
		return;
	for (uint32_t i = 0; i < 4; i++) {
		d->id.eui64[2 * i] = (uint8_t)(word(d, W_WWN + i) >> 8);
		d->id.eui64[2 * i + 1] = (uint8_t)word(d, W_WWN + i);
	}
}

static bool
sectors_take(struct dfmt_disk *d)
{
	uint32_t sector = word(d, W_SECTOR), words;

	if (!is_valid(word(d, W_COMMANDS_2)) ||
		!(word(d, W_COMMANDS_2) & COMMANDS_2_LBA48))
		return dfmt_disk_fail(d,
			"it does not know addresses of 48 bits");
	memcpy(&d->nr_sectors, answer(d) + (size_t)2 * W_LBA48, 8);
	if (d->nr_sectors >> 48)
		return dfmt_disk_fail(d, "its size makes no sense");
	d->sector_len = 512;
	if (is_valid(sector) && (sector & SECTOR_LONG)) {
		words = word(d, W_SECTOR_LEN) | word(d, W_SECTOR_LEN + 1) << 16;
		if (words != 2048)
			return dfmt_disk_fail(d,
				"its sectors are neither 512 nor 4096 bytes");
		d->sector_len = 4096;
	}
	d->sector_shift = d->sector_len == 512 ? 9 : 12;
	return true;
}

static bool
is_fit(struct dfmt_disk *d)
{
	uint32_t general = word(d, W_GENERAL);

	if (general & GENERAL_NOT_ATA)
		return dfmt_disk_fail(d, "it is no disk");
	if (general & GENERAL_INCOMPLETE)
		return dfmt_disk_fail(d,
			"it does not say all of itself: it may sleep");
	if (word(d, W_SECURITY) & SECURITY_LOCKED)
		return dfmt_disk_fail(d, "it is locked by a password");
	return sectors_take(d);
}

/* The last sector that there is, if the disk may hide some. */
static bool
is_all_there(struct dfmt_disk *d)
{
	struct ahci_command c = { .command = ATA_ACCESSIBLE_MAX };
	const uint8_t *fis = d->hw.queues.virt + AHCI_FIS + AHCI_FIS_D2H;
	uint32_t w82 = word(d, W_COMMANDS), w83 = word(d, W_COMMANDS_2);
	uint32_t w119 = word(d, W_COMMANDS_4);
	uint64_t last;

	if (!is_valid(w119) || !(w119 & COMMANDS_4_MAX_ADDRESS)) {
		if (!is_valid(w83) || !(w82 & COMMANDS_PROTECTED_AREA))
			return true;
		c.command = ATA_NATIVE_MAX_EXT;
	}
	if (!dfmt_ahci_do(d, &c))
		return dfmt_disk_fail(d, "it does not say where it ends");
	last = fis[4] | (uint64_t)fis[5] << 8 | (uint64_t)fis[6] << 16 |
	       (uint64_t)fis[8] << 24 | (uint64_t)fis[9] << 32 |
	       (uint64_t)fis[10] << 40;
	return last + 1 == d->nr_sectors ||
	       dfmt_disk_fail(d, "it hides a part of itself");
}

static uint32_t
depth_of(const struct dfmt_disk *d)
{
	uint32_t depth = d->u.ahci.nr_commands, disk;

	disk = (word(d, W_QUEUE_DEPTH) & 31) + 1;
	if (d->u.ahci.has_ncq && disk < depth)
		depth = disk;
	return depth < DFMT_DISK_SLOTS ? depth : DFMT_DISK_SLOTS;
}

bool
dfmt_ahci_select(struct dfmt_disk *d, uint32_t unit)
{
	struct dfmt_ahci *a = &d->u.ahci;
	uint32_t sata;

	memset(&d->id, 0, sizeof(d->id));
	if (unit == 0 || unit > AHCI_NR_PORTS ||
		!(a->present >> (unit - 1) & 1))
		return dfmt_disk_fail(d, "there is no disk at the port");
	if (a->used && !dfmt_ahci_port_stop(d, a->port))
		return false;
	a->waiting = a->active = a->queued = 0;
	a->careful = a->dirty = false;
	if (!dfmt_ahci_port_start(d, unit - 1) || !identify(d))
		return false;
	names_take(d);
	d->id.unit = unit;
	if (!is_fit(d) || !is_all_there(d))
		return false;
	sata = word(d, W_SATA);
	a->has_ncq = a->can_queue && sata != 0xffff && (sata & SATA_NCQ);
	d->nr_slots = depth_of(d);
	d->max_len = DFMT_DISK_PIECE;
	d->has_cache = true; /* who knows 48 bits knows FLUSH CACHE EXT */
	return true;
}
