/* SPDX-License-Identifier: MIT */
/* What the files of the NVMe driver share.  Private to nvme*.c. */
#ifndef DFMT_NVME_H
#define DFMT_NVME_H

#include "dfmt-disk.h"

#define NVME_DOORBELLS 0x1000u
#define NVME_ADMIN_DEPTH 16u
#define NVME_DEPTH 32u /* more than slots: a queue is never full */

/* Places in hw.queues. */
#define NVME_ADMIN_SQ 0x0000u
#define NVME_ADMIN_CQ 0x1000u
#define NVME_IO_SQ 0x2000u
#define NVME_IO_CQ 0x3000u
#define NVME_PAGE 0x4000u  /* what Identify and the like answer */
#define NVME_LISTS 0x5000u /* a PRP list for each slot */
#define NVME_LIST_LEN 256u

_Static_assert(NVME_LISTS + DFMT_DISK_SLOTS * NVME_LIST_LEN <= DFMT_DISK_QUEUES,
	"the lists do not fit");
_Static_assert(DFMT_DISK_PIECE / 4096 * 8 <= NVME_LIST_LEN,
	"a list does not cover a piece");

/* Submission queue entry: Base Specification, figure 87. */
struct nvme_command {
	uint8_t opcode;
	uint8_t flags;
	uint16_t id;
	uint32_t nsid;
	uint32_t dw2, dw3;
	uint64_t metadata;
	uint64_t prp1, prp2;
	uint32_t dw10, dw11, dw12, dw13, dw14, dw15;
};

/* Completion queue entry: figure 90.  Bit 0 of status is the phase. */
struct nvme_completion {
	uint32_t dw0, dw1;
	uint16_t sq_head, sq_id;
	uint16_t id;
	uint16_t status;
};

_Static_assert(sizeof(struct nvme_command) == 64, "queue entry");
_Static_assert(sizeof(struct nvme_completion) == 16, "queue entry");

/* ---- nvme-queue.c -------------------------------------------------------- */

void dfmt_nvme_queues_reset(struct dfmt_disk *d);
/* Has the controller make the I/O queues. */
bool dfmt_nvme_queues_make(struct dfmt_disk *d);
/*
 * One admin command; its id is filled in.  Waits.  false: refused or dead, why
 * is set.
 */
bool dfmt_nvme_admin(struct dfmt_disk *d, struct nvme_command *c);
/* One command on the I/O queue while nothing else is in flight. */
bool dfmt_nvme_io(struct dfmt_disk *d, struct nvme_command *c);
void dfmt_nvme_submit(struct dfmt_disk *d, uint32_t slot, enum dfmt_disk_op op,
	uint64_t sector, uint64_t bus, uint32_t nr_sectors);
bool dfmt_nvme_poll(struct dfmt_disk *d);

/* ---- nvme-identify.c ----------------------------------------------------- */

bool dfmt_nvme_identify(struct dfmt_disk *d);
uint32_t dfmt_nvme_unit_next(struct dfmt_disk *d, uint32_t after);
bool dfmt_nvme_select(struct dfmt_disk *d, uint32_t unit);

#endif
