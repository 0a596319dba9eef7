/* SPDX-License-Identifier: MIT */
/* What the files of the virtio driver share.  Private to virtio*.c. */
#ifndef DFMT_VIRTIO_H
#define DFMT_VIRTIO_H

#include "dfmt-disk.h"

/* Kinds of places: Virtual I/O Device 1.2, 4.1.4. */
#define VIRTIO_COMMON 1u
#define VIRTIO_NOTIFY 2u
#define VIRTIO_DEVICE 4u
#define VIRTIO_ACCESS 5u

/* The common registers: 4.1.4.3. */
#define COMMON_OFFERED_SELECT 0x00u
#define COMMON_OFFERED 0x04u
#define COMMON_TAKEN_SELECT 0x08u
#define COMMON_TAKEN 0x0cu
#define COMMON_VECTOR 0x10u
#define COMMON_STATUS 0x14u
#define COMMON_GENERATION 0x15u
#define COMMON_QUEUE 0x16u
#define COMMON_QUEUE_SIZE 0x18u
#define COMMON_QUEUE_VECTOR 0x1au
#define COMMON_QUEUE_ENABLE 0x1cu
#define COMMON_QUEUE_NOTIFY 0x1eu
#define COMMON_QUEUE_DESC 0x20u
#define COMMON_QUEUE_AVAIL 0x28u
#define COMMON_QUEUE_USED 0x30u
#define COMMON_LEN 0x38u

#define STATUS_SEEN 1u
#define STATUS_DRIVER 2u
#define STATUS_RUNNING 4u
#define STATUS_FEATURES 8u
#define STATUS_NEEDS_RESET 64u
#define STATUS_FAILED 128u
#define NO_VECTOR 0xffffu

/* Features: 6 (any device), 5.2.3 (a disk). */
#define FEATURE_SIZE_MAX (1ull << 1)
#define FEATURE_READ_ONLY (1ull << 5)
#define FEATURE_SECTOR_LEN (1ull << 6)
#define FEATURE_FLUSH (1ull << 9)
#define FEATURE_VERSION_1 (1ull << 32)
#define FEATURE_PLATFORM (1ull << 33)
#define FEATURE_ORDER (1ull << 36)

/* The least that a place holds is one register; a doorbell has two bytes. */
#define VIRTIO_DOORBELL_LEN 2u

#define VIRTIO_NO_BAR 6u

/* The BAR of the common registers; VIRTIO_NO_BAR or more: there are none. */
uint32_t dfmt_virtio_bar(const struct dfmt_hw *hw);
/* Where the registers are; false: why is set. */
bool dfmt_virtio_places(struct dfmt_disk *d);
/*
 * A register of a place, 1, 2 or 4 bytes.  One that lies behind the place's end
 * reads as all ones; nothing is written there.
 */
uint32_t dfmt_virtio_read(const struct dfmt_disk *d, uint32_t kind,
	uint32_t reg, uint32_t width);
void dfmt_virtio_write(const struct dfmt_disk *d, uint32_t kind, uint32_t reg,
	uint32_t width, uint32_t value);
/* The device holds no address of memory afterwards. */
bool dfmt_virtio_reset(struct dfmt_disk *d);
/* Takes of the features in `may` what is offered; those in `must` all. */
bool dfmt_virtio_features(struct dfmt_disk *d, uint64_t may, uint64_t must);

#endif
