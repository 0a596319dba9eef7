/* SPDX-License-Identifier: MIT */
/*
 * virtio disks, polled: one split virtqueue, three descriptors for each slot.
 * Virtual I/O Device 1.2, 2.7 (split virtqueues), 5.2 (block device).
 *
 * virtio-pci.c has the registers.
 */
#include "virtio.h"

#include <string.h>

#define VENDOR 0x1af4u
#define DEVICE_BOTH 0x1001u /* the old interface, and mostly the new one */
#define DEVICE 0x1042u

/* Places in hw.queues. */
#define AT_DESC 0x0000u
#define AT_AVAIL 0x1000u
#define AT_USED 0x2000u
#define AT_HEADERS 0x3000u
#define AT_STATUS 0x3800u
#define AT_SERIAL 0x3900u

#define QUEUE_MAX 64u
#define SLOT_DESCS 3u
#define DESC_LEN 16u
#define DESC_NEXT 1u
#define DESC_WRITE 2u /* by the device */
#define HEADER_LEN 16u
#define SERIAL_LEN 20u
#define SLOT_SERIAL 0u /* while nothing else is in flight */

_Static_assert(DFMT_DISK_SLOTS *SLOT_DESCS <= QUEUE_MAX, "descriptors");

#define REQUEST_READ 0u
#define REQUEST_WRITE 1u
#define REQUEST_FLUSH 4u
#define REQUEST_SERIAL 8u
#define STATUS_NONE 0xffu
#define STATUS_UNKNOWN 2u

/* What the disk says of itself: 5.2.4. */
#define DISK_CAPACITY 0u /* in 512 bytes, whatever its sectors are */
#define DISK_SIZE_MAX 8u
#define DISK_SECTOR_LEN 20u

#define MAY                                                            \
	(FEATURE_SIZE_MAX | FEATURE_READ_ONLY | FEATURE_SECTOR_LEN |   \
		FEATURE_FLUSH | FEATURE_VERSION_1 | FEATURE_PLATFORM | \
		FEATURE_ORDER)

static bool
match(const struct dfmt_hw *hw)
{
	uint32_t id = hw->ops->config_read(hw->arg, DFMT_PCI_VENDOR, 4);

	return id == (DEVICE << 16 | VENDOR) ||
	       id == (DEVICE_BOTH << 16 | VENDOR);
}

static const char *
refusal(const struct dfmt_hw *hw)
{
	return dfmt_virtio_bar(hw) < VIRTIO_NO_BAR
		       ? NULL
		       : "it has the old interface of virtio only";
}

/* ---- the queue ----------------------------------------------------------- */

static void
le_put(uint8_t *p, uint64_t v, uint32_t len)
{
	memcpy(p, &v, len);
}

static void
desc_put(struct dfmt_disk *d, uint32_t i, uint64_t bus, uint32_t len,
	uint32_t flags)
{
	uint8_t *p = d->hw.queues.virt + AT_DESC + i * (size_t)DESC_LEN;

	le_put(p, bus, 8);
	le_put(p + 8, len, 4);
	le_put(p + 12, flags, 2);
	le_put(p + 14, i + 1, 2);
}

/* One request: what, the data if there is any, and a byte for the answer. */
static void
put(struct dfmt_disk *d, uint32_t slot, uint32_t type, uint64_t at,
	uint64_t bus, uint32_t len)
{
	struct dfmt_virtio *v = &d->u.virtio;
	uint8_t *q = d->hw.queues.virt;
	uint8_t *header = q + AT_HEADERS + slot * (size_t)HEADER_LEN;
	uint64_t base = d->hw.queues.bus;
	uint32_t first = slot * SLOT_DESCS, i = first;
	bool in = type != REQUEST_WRITE;

	le_put(header, type, 8);
	le_put(header + 8, at, 8);
	q[AT_STATUS + slot] = STATUS_NONE;
	desc_put(d, i++, base + AT_HEADERS + slot * HEADER_LEN, HEADER_LEN,
		DESC_NEXT);
	if (len)
		desc_put(d, i++, bus, len, DESC_NEXT | (in ? DESC_WRITE : 0));
	desc_put(d, i, base + AT_STATUS + slot, 1, DESC_WRITE);
	v->lens[slot] = 1 + (in ? len : 0);

	le_put(q + AT_AVAIL + 4 + 2 * (size_t)(v->next % v->depth), first, 2);
	v->next++;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	__atomic_store_n((uint16_t *)(void *)(q + AT_AVAIL + 2), v->next,
		__ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	dfmt_virtio_write(d, VIRTIO_NOTIFY, v->doorbell, 2, 0);
}

/*
 * The next one that the device is done with: its slot, DFMT_DISK_SLOTS: there
 * is none.  false: nobody asked for that.
 */
static bool
take(struct dfmt_disk *d, uint32_t *slot_out)
{
	struct dfmt_virtio *v = &d->u.virtio;
	const uint8_t *q = d->hw.queues.virt, *e;
	uint32_t id, len;
	uint16_t used = __atomic_load_n(
		(const uint16_t *)(const void *)(q + AT_USED + 2),
		__ATOMIC_ACQUIRE);

	*slot_out = DFMT_DISK_SLOTS;
	if (used == v->taken)
		return true;
	if ((uint16_t)(used - v->taken) > (uint16_t)(v->next - v->taken))
		return dfmt_disk_fail(d, "it answers what nobody asked");
	e = q + AT_USED + 4 + 8 * (size_t)(v->taken % v->depth);
	memcpy(&id, e, 4);
	memcpy(&len, e + 4, 4);
	v->taken++;
	if (id % SLOT_DESCS || id / SLOT_DESCS >= DFMT_DISK_SLOTS ||
		v->lens[id / SLOT_DESCS] == 0)
		return dfmt_disk_fail(d, "it answers what nobody asked");
	*slot_out = id / SLOT_DESCS;
	if (len > v->lens[*slot_out])
		return dfmt_disk_fail(d,
			"it says that it wrote more than it may");
	v->lens[*slot_out] = 0;
	return true;
}

static bool
queue_make(struct dfmt_disk *d)
{
	static const struct {
		uint32_t reg, at;
	} parts[] = {
		{ COMMON_QUEUE_DESC, AT_DESC },
		{ COMMON_QUEUE_AVAIL, AT_AVAIL },
		{ COMMON_QUEUE_USED, AT_USED },
	};
	struct dfmt_virtio *v = &d->u.virtio;
	uint32_t size, notify;

	memset(d->hw.queues.virt, 0, DFMT_DISK_QUEUES);
	le_put(d->hw.queues.virt + AT_AVAIL, 1, 2); /* no interrupts */
	dfmt_virtio_write(d, VIRTIO_COMMON, COMMON_VECTOR, 2, NO_VECTOR);
	dfmt_virtio_write(d, VIRTIO_COMMON, COMMON_QUEUE, 2, 0);
	size = dfmt_virtio_read(d, VIRTIO_COMMON, COMMON_QUEUE_SIZE, 2);
	if (size < SLOT_DESCS + 1 || (size & (size - 1)))
		return dfmt_disk_fail(d, "its queue has no sensible length");
	v->depth = size < QUEUE_MAX ? size : QUEUE_MAX;
	dfmt_virtio_write(d, VIRTIO_COMMON, COMMON_QUEUE_SIZE, 2, v->depth);
	dfmt_virtio_write(d, VIRTIO_COMMON, COMMON_QUEUE_VECTOR, 2, NO_VECTOR);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		uint64_t bus = d->hw.queues.bus + parts[i].at;

		dfmt_virtio_write(d, VIRTIO_COMMON, parts[i].reg, 4,
			(uint32_t)bus);
		dfmt_virtio_write(d, VIRTIO_COMMON, parts[i].reg + 4, 4,
			(uint32_t)(bus >> 32));
	}
	notify = dfmt_virtio_read(d, VIRTIO_COMMON, COMMON_QUEUE_NOTIFY, 2);
	if ((uint64_t)notify * v->stride + VIRTIO_DOORBELL_LEN >
		v->places[VIRTIO_NOTIFY].len)
		return dfmt_disk_fail(d,
			"its doorbell is where it has no registers");
	v->doorbell = notify * v->stride;
	dfmt_virtio_write(d, VIRTIO_COMMON, COMMON_QUEUE_ENABLE, 2, 1);
	return true;
}

/* ---- bring-up ------------------------------------------------------------ */

static void
status_set(struct dfmt_disk *d, uint32_t status)
{
	dfmt_virtio_write(d, VIRTIO_COMMON, COMMON_STATUS, 1, status);
}

static bool
start(struct dfmt_disk *d)
{
	struct dfmt_virtio *v = &d->u.virtio;

	memset(v, 0, sizeof(*v));
	if (!dfmt_pci_decode(&d->hw))
		return dfmt_disk_fail(d, "the PCI function does not answer");
	if (!dfmt_virtio_places(d) || !dfmt_virtio_reset(d))
		return false;
	/* Nothing of the driver before us runs any more. */
	if (!dfmt_pci_master(&d->hw))
		return dfmt_disk_fail(d, "it does not take bus mastering");
	status_set(d, STATUS_SEEN);
	status_set(d, STATUS_SEEN | STATUS_DRIVER);
	if (!dfmt_virtio_features(d, MAY, FEATURE_VERSION_1) || !queue_make(d))
		return false;
	status_set(d,
		STATUS_SEEN | STATUS_DRIVER | STATUS_FEATURES | STATUS_RUNNING);
	v->up = true;
	return true;
}

static uint32_t
unit_next(struct dfmt_disk *d, uint32_t after)
{
	(void)d;
	return after == 0 ? 1 : 0;
}

/* Waits for a request that is alone; its answer. */
static bool
sync(struct dfmt_disk *d, uint32_t slot, uint8_t *status_out)
{
	uint64_t begin = d->hw.ops->now_us(d->hw.arg);
	uint32_t done;

	for (;;) {
		if (!take(d, &done))
			return false;
		if (done == slot)
			break;
		if (d->hw.ops->now_us(d->hw.arg) - begin >
			d->command_ms * 1000ull)
			return dfmt_disk_fail(d, "the device does not answer");
		d->hw.ops->relax(d->hw.arg);
	}
	*status_out = d->hw.queues.virt[AT_STATUS + slot];
	return true;
}

/* A disk need not have a serial number. */
static bool
serial_take(struct dfmt_disk *d)
{
	uint8_t status;

	memset(d->hw.queues.virt + AT_SERIAL, 0, SERIAL_LEN);
	put(d, SLOT_SERIAL, REQUEST_SERIAL, 0, d->hw.queues.bus + AT_SERIAL,
		SERIAL_LEN);
	if (!sync(d, SLOT_SERIAL, &status))
		return false;
	if (status == 0)
		dfmt_disk_text(d->id.serial, d->hw.queues.virt + AT_SERIAL,
			SERIAL_LEN);
	return true;
}

/* Read twice until nothing changed in between: 4.1.4.3.1. */
static uint64_t
capacity(const struct dfmt_disk *d)
{
	uint64_t sectors = 0;

	for (uint32_t i = 0; i < 8; i++) {
		uint32_t was = dfmt_virtio_read(d, VIRTIO_COMMON,
			COMMON_GENERATION, 1);

		sectors = dfmt_virtio_read(d, VIRTIO_DEVICE, DISK_CAPACITY, 4);
		sectors |= (uint64_t)dfmt_virtio_read(d, VIRTIO_DEVICE,
				   DISK_CAPACITY + 4, 4)
			   << 32;
		if (was == dfmt_virtio_read(d, VIRTIO_COMMON, COMMON_GENERATION,
				   1))
			break;
	}
	return sectors;
}

static bool
sectors_take(struct dfmt_disk *d)
{
	uint64_t features = d->u.virtio.features;

	d->sector_len = 512;
	if (features & FEATURE_SECTOR_LEN)
		d->sector_len =
			dfmt_virtio_read(d, VIRTIO_DEVICE, DISK_SECTOR_LEN, 4);
	if (d->sector_len != 512 && d->sector_len != 4096)
		return dfmt_disk_fail(d,
			"its sectors are neither 512 nor 4096 bytes");
	/* No division: a 32-bit caller has none of 64 bits. */
	d->nr_sectors = capacity(d) >> (d->sector_len == 4096 ? 3 : 0);
	d->max_len = DFMT_DISK_PIECE;
	if (features & FEATURE_SIZE_MAX) {
		uint32_t most =
			dfmt_virtio_read(d, VIRTIO_DEVICE, DISK_SIZE_MAX, 4);

		if (most < d->max_len)
			d->max_len = most;
	}
	return true;
}

static bool
select(struct dfmt_disk *d, uint32_t unit)
{
	struct dfmt_virtio *v = &d->u.virtio;

	memset(&d->id, 0, sizeof(d->id));
	if (unit != 1 || !v->up)
		return dfmt_disk_fail(d, "there is no such disk");
	d->id.unit = 1;
	memcpy(d->id.model, "virtio", sizeof("virtio"));
	if (v->features & FEATURE_READ_ONLY)
		return dfmt_disk_fail(d, "it is read only");
	d->nr_slots = v->depth / SLOT_DESCS;
	d->has_cache = v->features & FEATURE_FLUSH;
	return sectors_take(d) && serial_take(d);
}

/* ---- many at a time ------------------------------------------------------ */

static void
submit(struct dfmt_disk *d, uint32_t slot, enum dfmt_disk_op op,
	uint64_t sector, uint64_t bus, uint32_t nr_sectors)
{
	static const uint8_t types[] = {
		[DFMT_DISK_READ] = REQUEST_READ,
		[DFMT_DISK_WRITE] = REQUEST_WRITE,
		[DFMT_DISK_FLUSH] = REQUEST_FLUSH,
	};
	struct dfmt_virtio *v = &d->u.virtio;

	v->ops[slot] = op;
	if (op == DFMT_DISK_WRITE)
		v->dirty = true;
	put(d, slot, types[op],
		op == DFMT_DISK_FLUSH ? 0 : sector << (d->sector_shift - 9),
		bus, nr_sectors << d->sector_shift);
}

static void
finish(struct dfmt_disk *d, uint32_t slot)
{
	uint8_t status = d->hw.queues.virt[AT_STATUS + slot];
	bool ok = status == 0;

	d->slots[slot].state = ok ? DFMT_SLOT_DONE : DFMT_SLOT_FAILED;
	if (!ok)
		d->why = status == STATUS_UNKNOWN
				 ? "the device knows no such command"
				 : "the device refuses a command";
	else if (d->u.virtio.ops[slot] == DFMT_DISK_FLUSH)
		d->u.virtio.dirty = false;
}

static bool
poll(struct dfmt_disk *d)
{
	for (uint32_t i = 0; i < QUEUE_MAX; i++) {
		uint32_t slot;

		if (!take(d, &slot))
			return false;
		if (slot == DFMT_DISK_SLOTS)
			break;
		if (d->slots[slot].state != DFMT_SLOT_BUSY)
			return dfmt_disk_fail(d,
				"it answers what nobody asked");
		finish(d, slot);
	}
	return true;
}

/* Nothing in flight: what was written goes to the medium, if it still can. */
static void
flush(struct dfmt_disk *d)
{
	struct dfmt_virtio *v = &d->u.virtio;
	uint8_t status;

	if (!v->dirty || !d->has_cache || v->next != v->taken)
		return;
	put(d, 0, REQUEST_FLUSH, 0, 0, 0);
	(void)sync(d, 0, &status);
	v->dirty = false;
}

static void
stop(struct dfmt_disk *d)
{
	const char *why = d->why;

	if (d->u.virtio.up)
		flush(d);
	d->u.virtio.up = false;
	if (d->u.virtio.access)
		(void)dfmt_virtio_reset(d);
	dfmt_pci_quiet(&d->hw);
	d->why = why;
}

const struct dfmt_disk_driver dfmt_disk_virtio = {
	.name = "virtio",
	.match = match,
	.refusal = refusal,
	.bar = dfmt_virtio_bar, /* none of it is reached by address */
	.start = start,
	.unit_next = unit_next,
	.select = select,
	.submit = submit,
	.poll = poll,
	.stop = stop,
};
