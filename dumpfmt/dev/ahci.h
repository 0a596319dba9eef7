/* SPDX-License-Identifier: MIT */
/* What the files of the AHCI driver share.  Private to ahci*.c. */
#ifndef DFMT_AHCI_H
#define DFMT_AHCI_H

#include "dfmt-disk.h"

/* Registers of a port, from where the port's begin: AHCI 1.3.1, 3.3. */
#define AHCI_PORTS 0x100u
#define AHCI_PORT_LEN 0x80u
#define AHCI_NR_PORTS 32u

#define PORT_CLB 0x00u
#define PORT_FB 0x08u
#define PORT_IS 0x10u
#define PORT_IE 0x14u
#define PORT_CMD 0x18u
#define PORT_TFD 0x20u
#define PORT_SIG 0x24u
#define PORT_SSTS 0x28u
#define PORT_SCTL 0x2cu
#define PORT_SERR 0x30u
#define PORT_SACT 0x34u
#define PORT_CI 0x38u

#define CMD_START 0x1u
#define CMD_SPIN_UP 0x2u
#define CMD_POWER_ON 0x4u
#define CMD_FIS_RECEIVE 0x10u
#define CMD_FIS_RUNNING 0x4000u
#define CMD_RUNNING 0x8000u
#define CMD_ACTIVE (1u << 28) /* the interface out of its sleep */
#define CMD_STATE (15u << 28)

#define AHCI_TFD_ERRORS 0x21u /* error; device fault */

#define SSTS_DETECT 0xfu
#define SSTS_THERE 3u
#define SSTS_NO_LINK 1u

/* Places in hw.queues. */
#define AHCI_LIST 0x0000u /* 32 headers of 32 bytes */
#define AHCI_FIS 0x0400u  /* what the disk says, 256 bytes */
#define AHCI_FIS_D2H 0x40u
#define AHCI_PAGE 0x0800u   /* what IDENTIFY answers */
#define AHCI_TABLES 0x1000u /* a command table for each slot, and one */
#define AHCI_TABLE_LEN 0x100u
#define AHCI_USED (AHCI_TABLES + (DFMT_DISK_SLOTS + 1) * AHCI_TABLE_LEN)

_Static_assert(AHCI_USED <= DFMT_DISK_QUEUES, "the tables do not fit");

/* A command, as ATA has it; the count is of sectors or holds the tag. */
struct ahci_command {
	uint8_t command;
	uint16_t features, count;
	uint64_t lba;
	uint64_t bus; /* data, in one piece */
	uint32_t len; /* bytes, even; 0: none */
	bool is_write;
};

/* ---- ahci-port.c --------------------------------------------------------- */

uint32_t dfmt_ahci_read(const struct dfmt_disk *d, uint32_t port, uint32_t reg);
void dfmt_ahci_write(const struct dfmt_disk *d, uint32_t port, uint32_t reg,
	uint32_t value);
/* Waits until the bits of a register are as wanted. */
bool dfmt_ahci_wait(struct dfmt_disk *d, uint32_t reg, uint32_t mask,
	uint32_t want, uint32_t ms);
/* No command and no answer is moved any more. */
bool dfmt_ahci_port_stop(struct dfmt_disk *d, uint32_t port);
/* Resets link and disk; the port then takes commands. */
bool dfmt_ahci_port_start(struct dfmt_disk *d, uint32_t port);
/* One command while nothing else is in flight.  Waits; false: why is set. */
bool dfmt_ahci_do(struct dfmt_disk *d, const struct ahci_command *c);

/* ---- ahci-queue.c -------------------------------------------------------- */

/* Makes slot do it; handed over by whoever sets the bit in CI. */
void dfmt_ahci_command_put(struct dfmt_disk *d, uint32_t slot, uint32_t table,
	const struct ahci_command *c);
void dfmt_ahci_submit(struct dfmt_disk *d, uint32_t slot, enum dfmt_disk_op op,
	uint64_t sector, uint64_t bus, uint32_t nr_sectors);
bool dfmt_ahci_poll(struct dfmt_disk *d);
/* What was written since the last flush goes to the medium, if it still can. */
void dfmt_ahci_flush(struct dfmt_disk *d);

/* ---- ahci-identify.c ----------------------------------------------------- */

bool dfmt_ahci_select(struct dfmt_disk *d, uint32_t unit);

#endif
