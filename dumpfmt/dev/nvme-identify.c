/* SPDX-License-Identifier: MIT */
/*
 * What an NVMe controller and its namespaces say of themselves, and which
 * namespaces cannot hold a dump.  Base Specification 2.0, 5.17 (Identify);
 * NVM Command Set 1.0, 4.1.5.1 (Identify Namespace), 7.3 (Reservation Report).
 */
#include "nvme.h"

#include <string.h>

#define ADMIN_IDENTIFY 0x06u
#define IO_RESERVATION_REPORT 0x0eu

#define CNS_NAMESPACE 0x00u
#define CNS_CONTROLLER 0x01u
#define CNS_NAMESPACES 0x02u

/* Identify Controller. */
#define CTRL_SERIAL 4
#define CTRL_MODEL 24
#define CTRL_MDTS 77
#define CTRL_RTD3E 88
#define CTRL_ONCS 520
#define CTRL_VWC 525
#define ONCS_RESERVATIONS 0x20u

/* Identify Namespace. */
#define NS_SIZE 0
#define NS_NR_FORMATS 25
#define NS_FORMAT 26
#define NS_PROTECTION 29
#define NS_SHARING 30
#define NS_RESERVATION 31
#define NS_ATTRIBUTES 99
#define NS_NGUID 104
#define NS_EUI64 120
#define NS_FORMATS 128
#define SHARED 1u
#define WRITE_PROTECTED 1u

#define UNIT_LAST 0xfffffffdu

static const uint8_t *
answer(const struct dfmt_disk *d)
{
	return d->hw.queues.virt + NVME_PAGE;
}

static uint64_t
number(const uint8_t *p, uint32_t len)
{
	uint64_t v = 0;

	memcpy(&v, p, len);
	return v;
}

static bool
identify(struct dfmt_disk *d, uint32_t what, uint32_t nsid)
{
	struct nvme_command c = {
		.opcode = ADMIN_IDENTIFY,
		.nsid = nsid,
		.prp1 = d->hw.queues.bus + NVME_PAGE,
		.dw10 = what,
	};

	memset(d->hw.queues.virt + NVME_PAGE, 0, 4096);
	return dfmt_nvme_admin(d, &c);
}

bool
dfmt_nvme_identify(struct dfmt_disk *d)
{
	struct dfmt_nvme *n = &d->u.nvme;
	const uint8_t *p = answer(d);
	uint32_t stop_us;

	if (!identify(d, CNS_CONTROLLER, 0))
		return false;
	dfmt_disk_text(d->id.serial, p + CTRL_SERIAL, 20);
	dfmt_disk_text(d->id.model, p + CTRL_MODEL, 40);
	n->max_transfer = 0;
	if (p[CTRL_MDTS] > 0 && p[CTRL_MDTS] < 20)
		n->max_transfer = (uint64_t)n->min_page << p[CTRL_MDTS];
	stop_us = (uint32_t)number(p + CTRL_RTD3E, 4);
	if (stop_us)
		n->stop_ms = stop_us / 1000 + 1;
	n->can_reserve = number(p + CTRL_ONCS, 2) & ONCS_RESERVATIONS;
	d->has_cache = p[CTRL_VWC] & 1;
	return true;
}

uint32_t
dfmt_nvme_unit_next(struct dfmt_disk *d, uint32_t after)
{
	uint32_t nsid;

	if (after > UNIT_LAST || !identify(d, CNS_NAMESPACES, after))
		return 0;
	nsid = (uint32_t)number(answer(d), 4);
	return nsid > after && nsid <= UNIT_LAST ? nsid : 0;
}

/* ---- one namespace ------------------------------------------------------- */

static bool
format_take(struct dfmt_disk *d)
{
	const uint8_t *p = answer(d);
	uint32_t index = p[NS_FORMAT] & 0xf;
	const uint8_t *format;

	if (p[NS_NR_FORMATS] >= 16)
		index |= (p[NS_FORMAT] & 0x60u) >> 1;
	if (index > p[NS_NR_FORMATS] || index > 63)
		return dfmt_disk_fail(d, "its format is none of those it has");
	format = p + NS_FORMATS + 4 * (size_t)index;
	if (number(format, 2) != 0)
		return dfmt_disk_fail(d, "it is formatted with metadata");
	if (p[NS_PROTECTION] & 7)
		return dfmt_disk_fail(d,
			"it is formatted with protection information");
	if (format[2] != 9 && format[2] != 12)
		return dfmt_disk_fail(d,
			"its sectors are neither 512 nor 4096 bytes");
	d->sector_len = 1u << format[2];
	return true;
}

/* Somebody's reservation: the disk may be in use by another machine. */
static bool
is_free(struct dfmt_disk *d, uint32_t nsid)
{
	struct nvme_command c = {
		.opcode = IO_RESERVATION_REPORT,
		.nsid = nsid,
		.prp1 = d->hw.queues.bus + NVME_PAGE,
		.dw10 = 4096 / 4 - 1,
	};

	memset(d->hw.queues.virt + NVME_PAGE, 0, 4096);
	if (!dfmt_nvme_io(d, &c))
		return false;
	/* Generation (4), type (1), registered controllers (2). */
	if (answer(d)[4] != 0 || number(answer(d) + 5, 2) != 0)
		return dfmt_disk_fail(d,
			"a host has reserved it or registered for it");
	return true;
}

bool
dfmt_nvme_select(struct dfmt_disk *d, uint32_t unit)
{
	struct dfmt_nvme *n = &d->u.nvme;
	const uint8_t *p = answer(d);
	bool reservable;

	if (unit == 0 || unit > UNIT_LAST)
		return dfmt_disk_fail(d, "there is no such namespace");
	if (!identify(d, CNS_NAMESPACE, unit))
		return false;
	d->nr_sectors = number(p + NS_SIZE, 8);
	if (d->nr_sectors == 0)
		return dfmt_disk_fail(d, "there is no such namespace");
	d->id.unit = n->nsid = unit;
	memcpy(d->id.nguid, p + NS_NGUID, sizeof(d->id.nguid));
	memcpy(d->id.eui64, p + NS_EUI64, sizeof(d->id.eui64));
	if (p[NS_SHARING] & SHARED)
		return dfmt_disk_fail(d, "it is shared with other controllers");
	if (p[NS_ATTRIBUTES] & WRITE_PROTECTED)
		return dfmt_disk_fail(d, "it is write protected");
	reservable = n->can_reserve && p[NS_RESERVATION] != 0;
	if (!format_take(d) || (reservable && !is_free(d, unit)))
		return false;
	d->max_len = n->max_transfer && n->max_transfer < DFMT_DISK_PIECE
			     ? (uint32_t)n->max_transfer
			     : DFMT_DISK_PIECE;
	d->nr_slots =
		n->depth - 1 < DFMT_DISK_SLOTS ? n->depth - 1 : DFMT_DISK_SLOTS;
	return true;
}
