/* SPDX-License-Identifier: MIT */
/*
 * What the files of the hypervisor's side share.
 *
 *   config.c    the command line
 *   hardware.c  PCI functions, their registers, the clock
 *   device.c    which disk: at boot and at the panic
 *   partition.c which part of it, where that was asked for
 *   quiesce.c   no function of the machine reaches memory
 *   translate.c IOMMUs, off and on again
 *   cpus.c      the other CPUs stand still
 *   memory.c    frames: which there are, what they hold, reading one
 *   first.c     which frames are written before all others
 *   dom0.c      of dom0's frames, which are its kernel's
 *   facts.c     what the dump says besides memory
 *   crypt-boot.c, crypt-seal.c  encryption: the key, the messages
 *   crash.c     the panic
 *   init.c      boot
 *   state.c     what dom0 sees, and what it tells
 *   estimate.c  how large a dump would be
 *   last.c      the dump that the disk holds from before
 */
#ifndef XDUMP_IMPL_H
#define XDUMP_IMPL_H

#include <asm/xdump.h>
#include <xen/types.h>

#include "dfmt-crc.h"
#include "dfmt-crypt.h"
#include "dfmt-disk.h"
#include "dfmt-format.h"
#include "dfmt-gpt.h"
#include "dfmt-writer-lz4.h"
#include "dfmt-writer.h"

struct cpu_user_regs;
struct page_info;

#define XDUMP_FUNCTIONS 8u   /* controllers that are looked at */
#define XDUMP_WINDOW 0x4000u /* bytes of registers, at most */
#define XDUMP_CPUS 64u
#define XDUMP_RANGES 1026u /* Xen's table has 1024; one may be cut in two */
#define XDUMP_PARTS 8u	   /* partitions of our type on one disk */
#define XDUMP_IOMMUS 32u
#define XDUMP_UNITS 32u	 /* of one controller; AHCI has as many ports */
#define XDUMP_HELPERS 3u /* CPUs that compress besides the panicking one */

/* Memory in one run, taken at boot: the writer's, the driver's, the stacks. */
#define XDUMP_ORDER 9u /* 2 MiB, of which it gives back what it leaves */
/* With our data, which the build holds to 96 KiB, not above 2 MiB. */
#define XDUMP_MEMORY_MAX ((2u << 20) - (96u << 10))
#define XDUMP_QUEUES_AT 0u
#define XDUMP_LABEL_AT 0xc000u
#define XDUMP_STACK_AT 0x10000u /* two, each as long and aligned as Xen's */
#define XDUMP_NR_STACKS 2u
#define XDUMP_STACK_FILL 0xa5u
#define XDUMP_WRITER_AT 0x20000u

/* ---- config.c ------------------------------------------------------------ */

struct xdump_config {
	bool enabled, dry_run, overwrite;
	bool partition; /* the label is in one, not the whole disk's */
	bool serial;	/* the triage record, where no disk is written */
	uint8_t uuid[16];
	uint32_t content; /* bits 1 << class */
	uint32_t limit_s;
	bool has_key;
	uint8_t key[DFMT_KEY_LEN]; /* public: whom the dump is encrypted to */
	bool has_place;		   /* the hint */
	uint16_t segment;
	uint16_t bdf;
};

/*
 * false: it stays off, and *c is zero; said on the console what is wrong,
 * unless it was not asked for.
 */
bool xdump_config_parse(struct xdump_config *c);

/* ---- hardware.c ---------------------------------------------------------- */

/* One PCI function; its registers are mapped at boot. */
struct xdump_function {
	uint16_t segment;
	uint16_t bdf;
	uint32_t vendor_device;
	uint64_t bar; /* where its registers were then */
	uint32_t window_len;
	volatile uint8_t *window;
	const struct dfmt_disk_driver *driver;
};

struct dfmt_hw xdump_hw(struct xdump_function *f, uint8_t *memory);
/* Maps the registers; false: it has none. */
bool xdump_function_map(struct xdump_function *f);
uint32_t xdump_config_read(uint16_t segment, uint16_t bdf, uint32_t reg,
	uint32_t width);
void xdump_config_write(uint16_t segment, uint16_t bdf, uint32_t reg,
	uint32_t width, uint32_t value);
uint64_t xdump_now_us(void);

/* ---- device.c ------------------------------------------------------------ */

/* What is known of the device from boot on. */
struct xdump_target {
	struct xdump_function *function; /* NULL: there is none */
	struct dfmt_disk_id id;
	uint64_t offset, len; /* of the label's range on the disk; bytes */
	uint32_t partition;   /* its number; 0: the whole disk */
	const char *why;      /* there is none, because */
};

/* All functions of a kind that there is a driver for, mapped. */
void xdump_functions_find(void);
/*
 * Looks through all of them for the label; exactly one may have it.  That disk
 * is left running in *disk; all others are stopped.  aloud: says which ones
 * cannot be used.
 */
bool xdump_target_find(struct xdump_target *target, struct dfmt_disk *disk,
	bool aloud);
/* The functions that were found, for quiesce.c. */
const struct xdump_function *xdump_functions(uint32_t *nr_out);

/* ---- partition.c --------------------------------------------------------- */

/*
 * The partitions for dumps of the disk that runs in *d; their number, at most
 * XDUMP_PARTS.  0: none; d->why says why where there could be some.  Uses the
 * buffer at XDUMP_LABEL_AT.
 */
uint32_t xdump_partitions(struct dfmt_disk *d, struct dfmt_gpt_part *parts);

/* ---- quiesce.c ----------------------------------------------------------- */

/* Bus mastering off for all but bridges. */
void xdump_quiesce(void);

/* ---- translate.c --------------------------------------------------------- */

/* At boot, when Xen has set them up: NULL, or why it cannot work with them. */
const char *xdump_iommus_find(void);
/*
 * When no function masters the bus any more: NULL, or which one does not obey.
 * Whatever it returns, xdump_iommus_restore puts things back; it may be called
 * at any time.
 */
const char *xdump_iommus_off(void);
void xdump_iommus_restore(void);
/* The checksum, with what was found at boot. */
uint32_t xdump_iommus_crc(uint32_t crc);

/* ---- cpus.c -------------------------------------------------------------- */

/*
 * Takes this CPU's registers, stops all others and takes theirs.  Waits at most
 * a second; those that did not answer have records that say so.
 */
void xdump_cpus_stop(const struct cpu_user_regs *regs);
/* They were told to stop; for good once the dump is over. */
bool xdump_cpus_stopped(void);
/*
 * This CPU is of no more use: waits, outside of Xen, and is released too.  Does
 * not return.
 */
void xdump_cpu_park(void);
/* They go to a place where they answer interrupts and do nothing else. */
void xdump_cpus_release(void);
/* The records, the panicking CPU's first. */
const struct dfmt_fmt_cpu *xdump_cpu_records(uint32_t *nr_out);

/* ---- memory.c ------------------------------------------------------------ */

void xdump_memory_init(void);
extern const struct dfmt_writer_ops xdump_ops;
/* A frame of the hypervisor's own, by the frame table. */
bool xdump_is_hypervisor(uint64_t pfn);

/* ---- first.c ------------------------------------------------------------- */

/* What is written before all else; the CPUs have stopped. */
const struct dfmt_wrun *xdump_first(size_t *nr_out);
/* Copies words of 8 bytes; false: it faulted somewhere. */
bool xdump_words_copy(void *to, const void *from, unsigned long nr);
/* Frames of these classes, more or less: some are looked at. */
uint64_t xdump_memory_estimate(uint32_t content);

/* ---- dom0.c -------------------------------------------------------------- */

/* What a frame holds that is dom0's own. */
int xdump_dom0_class(uint64_t frame, const struct page_info *page);
/*
 * Registration, by one at a time: the place of the text, to be filled with
 * DFMT_LINUX_TEXT_MAX bytes at most (nobody is registered from here on), and
 * then what it comes to.  NULL, or why it is refused.
 */
char *xdump_dom0_text(void);
const char *xdump_dom0_register(size_t len);
bool xdump_dom0_is_registered(void);
int xdump_dom0_say(char *buf, size_t len);
/* At the panic, before frames are looked at: says which of dom0's are written.
 */
void xdump_dom0_begin(void);
/* Its VMCOREINFO as a note, or NULL; for the end record what was made of it. */
const void *xdump_dom0_note(size_t *len_out);
size_t xdump_dom0_remark(void *arg, char *buf, size_t len);

/* ---- state.c ------------------------------------------------------------- */

/* At boot: it stays off, because; said on the console too. */
void xdump_off(const char *why);
/* The disk was found, and runs; st is what would come of a panic. */
void xdump_state_disk(struct dfmt_disk *disk, enum dfmt_writer_status st);
/* All is decided. */
void xdump_state_init(void);
/* dom0 has its memory. */
void xdump_state_estimate(void);

/* ---- estimate.c ---------------------------------------------------------- */

void xdump_estimate_init(void);
void xdump_estimate_make(void);
void xdump_estimate_say(bool registered);
/* Bytes of memory in a dump made now, or 0; is the range large enough? */
uint64_t xdump_estimate(bool *fits_out);

/* ---- last.c -------------------------------------------------------------- */

struct xdump_last {
	bool found, saved;
	const char *how; /* it ended */
	uint64_t nr_frames, len;
};

void xdump_last_read(struct dfmt_disk *disk, struct xdump_last *last);

/* ---- facts.c ------------------------------------------------------------- */

const struct dfmt_writer_facts *xdump_facts(enum crash_reason reason);

/* ---- crypt-boot.c, crypt-seal.c ------------------------------------------ */

/* At boot: the key of this boot's dump.  NULL, or why there is none. */
const char *xdump_cipher_make(const uint8_t *recipient,
	struct dfmt_writer_cipher *cipher);
/* The dump is made: its key is needed no more. */
void xdump_cipher_wipe(void);

/* ---- crash.c ------------------------------------------------------------- */

/* The disk that is written to, while it is; the argument of xdump_ops. */
struct xdump_run {
	struct dfmt_disk disk;
	uint64_t offset;
	uint64_t said_us; /* when progress was said last */
};

extern struct xdump_state {
	struct xdump_config config;
	struct xdump_target target;
	bool ready;	  /* there is a disk */
	bool serial_only; /* there is none, and the record was asked for */
	uint8_t *memory;
	struct dfmt_writer *writer;
	uint32_t helping; /* atomic: the other CPUs may help */
	struct xdump_run run;
	uint32_t memory_len;
	struct dfmt_crc crc;
	struct dfmt_writer_cipher cipher; /* seal is NULL: not encrypted */
	uint32_t code_crc, config_crc;
} xdump;

/* Bytes of our own stacks that were in use at most. */
uint32_t xdump_stack_used(void);

void xdump_text_start(void);
void xdump_text_end(void);
/* Checksums of our code and of what was decided at boot. */
void xdump_crc(uint32_t *code_out, uint32_t *config_out);

/* ---- test/test-hooks.c: in no other build than one for tests ------------- */

#ifdef XDUMP_TEST
bool xdump_test(const char *what);  /* does the command line ask for it? */
void xdump_test_run(void);	    /* the dump begins */
void xdump_test_stop(uint32_t cpu); /* an NMI has come to stop it */
void xdump_test_page(void);	    /* a page is read */
void xdump_test_classify(void);	    /* the classes are gone through */
void xdump_test_write(void);	    /* something is written */
#else
#define xdump_test(what) false
#define xdump_test_run() ((void)0)
#define xdump_test_stop(cpu) ((void)0)
#define xdump_test_page() ((void)0)
#define xdump_test_classify() ((void)0)
#define xdump_test_write() ((void)0)
#endif

#endif
