/* SPDX-License-Identifier: MIT */
/*
 * Disks driven by polling, for a program that has just died: NVMe, AHCI,
 * virtio-blk behind one interface.  Freestanding C, general registers only.
 *
 * The device may be in any state when it is started: it was another driver's a
 * moment ago.  It is reset first.  When it is stopped it holds no address of
 * memory any more and bus mastering is off.
 *
 * Nothing that the device says is believed without a check, and every wait
 * ends.  Calls that return bool leave in disk->why, where they return false,
 * one static phrase that says what is wrong.
 */
#ifndef DFMT_DISK_H
#define DFMT_DISK_H

#include "dfmt-hw.h"

#define DFMT_DISK_SLOTS 16u
/* The longest piece of one command; buffers are split at this. */
#define DFMT_DISK_PIECE (128u << 10)
/* What a driver needs of dfmt_hw.queues. */
#define DFMT_DISK_QUEUES (48u << 10)

enum dfmt_disk_op {
	DFMT_DISK_READ,
	DFMT_DISK_WRITE,
	DFMT_DISK_FLUSH,
};

enum dfmt_slot_state {
	DFMT_SLOT_IDLE,
	DFMT_SLOT_BUSY,
	DFMT_SLOT_DONE,
	DFMT_SLOT_FAILED,
};

struct dfmt_disk_slot {
	enum dfmt_slot_state state;
	uint32_t job;
	uint64_t since_us;
};

/* What was asked for, in pieces of one command each. */
#define DFMT_DISK_JOBS 2u
enum dfmt_job_state {
	DFMT_JOB_NONE,
	DFMT_JOB_GOING,
	DFMT_JOB_DONE,
	DFMT_JOB_FAILED,
};
struct dfmt_disk_job {
	enum dfmt_job_state state;
	enum dfmt_disk_op op;
	uint64_t sector;
	uint64_t bus;
	uint64_t nr_sectors; /* of the whole; a flush has none */
	uint64_t done;	     /* handed to the device */
	uint32_t nr_busy;    /* commands that it has */
	bool put;	     /* a flush was handed over */
	bool failed;	     /* one of its pieces has */
	bool again;	     /* this is behind a reset: there is no other */
};

/* Who it is.  Texts end in NUL, without blanks around; empty: not said. */
struct dfmt_disk_id {
	char model[41];
	char serial[21];
	/* NVMe: the namespace; AHCI: the port's number + 1; else 1. */
	uint32_t unit;
	uint8_t nguid[16];
	uint8_t eui64[8]; /* ATA: the World Wide Name */
};

/* Do both name one unit of one device? */
bool dfmt_disk_same(const struct dfmt_disk_id *a, const struct dfmt_disk_id *b);

struct dfmt_disk;

/* One kind of controller. */
struct dfmt_disk_driver {
	const char *name; /* "nvme" */
	/* Is the function of this kind (dfmt_pci_class, vendor)? */
	bool (*match)(const struct dfmt_hw *hw);
	/*
	 * Why a function that matches cannot be driven whatever is done, seen
	 * from configuration space; NULL: it can.  No function: none is.
	 */
	const char *(*refusal)(const struct dfmt_hw *hw);
	/* Which BAR holds the registers. */
	uint32_t (*bar)(const struct dfmt_hw *hw);
	/* Resets the controller and brings it up, without a unit. */
	bool (*start)(struct dfmt_disk *d);
	/* The lowest unit above `after` (0: any), or 0: there is none. */
	uint32_t (*unit_next)(struct dfmt_disk *d, uint32_t after);
	/* Fills in id, sectors and limits; the unit can be read and written. */
	bool (*select)(struct dfmt_disk *d, uint32_t unit);
	/* Hands a command to the device; the slot is idle. */
	void (*submit)(struct dfmt_disk *d, uint32_t slot, enum dfmt_disk_op op,
		uint64_t sector, uint64_t bus, uint32_t nr_sectors);
	/* Takes what is done; false: the controller cannot go on. */
	bool (*poll)(struct dfmt_disk *d);
	/* Caches to the medium, the controller off, bus mastering off. */
	void (*stop)(struct dfmt_disk *d);
};

struct dfmt_disk {
	const struct dfmt_disk_driver *driver;
	struct dfmt_hw hw;
	struct dfmt_disk_id id;
	uint32_t sector_len; /* 512 or 4096 */
	uint32_t sector_shift;
	uint64_t nr_sectors;
	uint32_t max_len;  /* bytes of one command */
	uint32_t nr_slots; /* commands that it takes at a time */
	bool has_cache;	   /* a flush means something */
	bool running;	   /* started and a unit selected */
	/* Where alone it may be written; bytes.  Both 0: all of it. */
	uint64_t bound_first, bound_len;
	uint32_t command_ms; /* a command that takes longer is dead */
	const char *why;
	struct dfmt_disk_slot slots[DFMT_DISK_SLOTS];
	struct dfmt_disk_job jobs[DFMT_DISK_JOBS];
	/* What happened: for the console and for tests. */
	uint32_t nr_commands, nr_failed, nr_timeouts, nr_resets;
	/*
	 * Microseconds with something in flight and without, from the first
	 * request on; an end is noticed when somebody looks.
	 */
	uint64_t busy_us, idle_us, last_us;
	uint32_t nr_busy; /* commands in flight when somebody looked last */
	union {
		struct dfmt_nvme {
			uint32_t stride;       /* bytes between doorbells */
			uint32_t ready_ms;     /* CAP.TO */
			uint32_t min_page;     /* CAP.MPSMIN, bytes */
			uint64_t max_transfer; /* MDTS, bytes; 0: no limit */
			uint32_t depth;	       /* of the I/O queues */
			uint32_t stop_ms;      /* RTD3E */
			bool has_cmb, can_reserve;
			uint16_t sq_tail[2], cq_head[2];
			uint8_t phase[2];
			uint32_t nsid;
		} nvme;
		struct dfmt_ahci {
			uint32_t ports;	      /* bit n: port n is there */
			uint32_t present;     /* ... with something behind it */
			uint32_t port;	      /* the one in use */
			bool used;	      /* that one knows our memory */
			uint32_t nr_commands; /* CAP.NCS */
			bool can_queue;	      /* CAP.SNCQ */
			bool up;	      /* the port takes commands */
			bool has_ncq;	      /* and the disk queues them */
			bool dirty;	      /* written since the last flush */
			/* Slots: not handed over yet; at work; of these NCQ. */
			uint32_t waiting, active, queued;
			bool careful; /* behind an error: one at a time */
			enum dfmt_disk_op ops[DFMT_DISK_SLOTS];
		} ahci;
		struct dfmt_virtio {
			/* The four places of registers, by kind; see virtio.h.
			 */
			struct dfmt_virtio_place {
				uint8_t bar;
				uint32_t offset, len;
			} places[6];
			uint32_t access; /* the window in configuration space */
			uint32_t stride; /* bytes between doorbells */
			uint64_t features;
			uint32_t depth;	      /* of the queue */
			uint32_t doorbell;    /* offset of the queue's */
			uint16_t next, taken; /* of the two rings */
			bool up;
			bool dirty; /* written since the last flush */
			uint32_t lens[DFMT_DISK_SLOTS]; /* that it may write */
			enum dfmt_disk_op ops[DFMT_DISK_SLOTS];
		} virtio;
	} u;
};

#define DFMT_DISK_COMMAND_MS 5000u

/* For drivers: says why, and that it did not work. */
static inline bool
dfmt_disk_fail(struct dfmt_disk *d, const char *why)
{
	d->why = why;
	return false;
}

/* The driver of that function, or NULL. */
const struct dfmt_disk_driver *dfmt_disk_driver_of(const struct dfmt_hw *hw);
/* Why that function cannot be driven at all; NULL: it can be tried. */
const char *dfmt_disk_refusal(const struct dfmt_disk_driver *driver,
	const struct dfmt_hw *hw);

/*
 * Starts the controller.  hw is copied; what it points to is borrowed until
 * dfmt_disk_stop.
 */
bool dfmt_disk_start(struct dfmt_disk *d, const struct dfmt_disk_driver *driver,
	const struct dfmt_hw *hw);
uint32_t dfmt_disk_unit_next(struct dfmt_disk *d, uint32_t after);
bool dfmt_disk_select(struct dfmt_disk *d, uint32_t unit);
/*
 * From now on, also behind a reset, nothing is written outside of these bytes
 * of the unit, whoever asks for it.
 */
void dfmt_disk_bound(struct dfmt_disk *d, uint64_t offset, uint64_t len);

/*
 * offset and len are bytes, multiples of the sector, within the unit: what is
 * not so is refused.  buf lies in hw.buffers, aligned to 4 bytes.  Several
 * commands are in flight at a time.  A command that the device does not answer
 * has the controller reset and the whole call done once more.
 */
bool dfmt_disk_read(struct dfmt_disk *d, uint64_t offset, void *buf,
	size_t len);
bool dfmt_disk_write(struct dfmt_disk *d, uint64_t offset, const void *buf,
	size_t len);
bool dfmt_disk_flush(struct dfmt_disk *d);

/*
 * A write in two steps: job is 0 or 1, buf stays as it is until dfmt_disk_wait
 * of that job says what became of it.  The reset of a controller that does not
 * answer has the other job done once more as well.  Meanwhile only these three
 * are called.  dfmt_disk_wait of a job that was not submitted is false.
 */
bool dfmt_disk_submit(struct dfmt_disk *d, uint32_t job, uint64_t offset,
	const void *buf, size_t len);
bool dfmt_disk_wait(struct dfmt_disk *d, uint32_t job);
/* Hands over what the device has room for; does not wait. */
void dfmt_disk_poke(struct dfmt_disk *d);

/* May be called in any state, more than once. */
void dfmt_disk_stop(struct dfmt_disk *d);

/*
 * For drivers: a text of a device, padded with blanks or NUL, without those
 * around it.  What is no printable ASCII becomes '?'.  out has len + 1 bytes.
 */
void dfmt_disk_text(char *out, const uint8_t *in, size_t len);

extern const struct dfmt_disk_driver dfmt_disk_nvme;
extern const struct dfmt_disk_driver dfmt_disk_ahci;
extern const struct dfmt_disk_driver dfmt_disk_virtio;

#endif
