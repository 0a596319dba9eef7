/* SPDX-License-Identifier: MIT */
/*
 * The writer: makes a dump in the native format (docs/DUMPFORMAT.md) front to
 * back in one pass, from inside a program that has just died.
 *
 * Freestanding C: it calls memcpy, memset, memmove and memcmp, and what is
 * handed to it; it allocates nothing, keeps no static data that changes, uses
 * no floating point and no vector registers, and at most DFMT_WRITER_STACK
 * bytes of stack besides what the callbacks use.
 *
 * Before the panic: dfmt_writer_memory() says how much memory a configuration
 * needs, dfmt_writer_init() lays the writer out in it.  At the panic:
 * dfmt_writer_run() does everything.  Another CPU that has nothing to do may
 * call dfmt_writer_help(); the dump is the same with and without.  Should the
 * program die again inside dfmt_writer_run(), dfmt_writer_reenter() ends the
 * dump with what is there.
 *
 * It puts structures into byte buffers: build it with -fno-strict-aliasing, or
 * hand it memory that has no declared type.
 *
 * Every callback may fail; what fails is recorded in the dump and never ends
 * in a dump that says what is not so.
 */
#ifndef DFMT_WRITER_H
#define DFMT_WRITER_H

#include "dfmt-format.h"

#include <stdbool.h>

#define DFMT_WRITER_STACK 2560u

/* A run of frames: [pfn, pfn + count). */
struct dfmt_wrun {
	uint64_t pfn;
	uint64_t count;
};

struct dfmt_wprogress {
	uint64_t nr_done; /* frames looked at in this pass */
	uint64_t nr_data; /* frames stored in blocks so far */
	uint64_t offset;  /* bytes of the dump so far */
	uint32_t class;	  /* the pass: enum dfmt_fmt_class */
	uint32_t percent; /* of the passes selected, by frames */
};

/*
 * The machine and the device, as the writer sees them.  arg is the caller's.
 * Functions that return int return 0 for success; any other value is a failure.
 * None may call back into the writer.  All but those marked optional are
 * needed.
 */
struct dfmt_writer_ops {
	/*
	 * The next run of the machine's memory that holds pfn or begins after
	 * it; nonzero: there is none.  A run that makes no progress ends the
	 * memory.
	 */
	int (*next_range)(void *arg, uint64_t pfn, struct dfmt_wrun *run_out);
	/* Copies one frame to buf; nonzero: it faulted and is lost. */
	int (*read_frame)(void *arg, uint64_t pfn, void *buf);
	/*
	 * What pfn holds (enum dfmt_fmt_class), and in *count_out how many
	 * frames from it on are of that class for sure: at least 1.  Asked
	 * once for all frames, ascending, then again where it writes.
	 */
	int (*classify)(void *arg, uint64_t pfn, uint64_t *count_out);
	/*
	 * The device: offset and len are multiples of the label's sector and
	 * within the range handed to dfmt_writer_run; offset 0 is the range's
	 * first byte.  buf is aligned to the sector.
	 */
	int (*write)(void *arg, uint64_t offset, const void *buf, size_t len);
	int (*read)(void *arg, uint64_t offset, void *buf, size_t len);
	int (*flush)(void *arg); /* optional */
	/*
	 * Optional, both or none: a write in two steps, so that the device
	 * works while the next segment is made.  submit takes it and returns;
	 * buf stays as it is until wait says what became of it.  ticket is 0
	 * or 1, and one that waits is not used again.  wait is called for the
	 * older one first, and may be called for one that submit was not
	 * called for, or not any more: a failure.  While a write waits, write,
	 * read and flush are not called.
	 */
	int (*submit)(void *arg, uint32_t ticket, uint64_t offset,
		const void *buf, size_t len);
	int (*wait)(void *arg, uint32_t ticket);
	/* Optional: called often while a write waits. */
	void (*poke)(void *arg);
	uint64_t (*now_ms)(void *arg); /* optional: monotonic milliseconds */
	void (*progress)(void *arg, const struct dfmt_wprogress *p); /* opt. */
	void (*relax)(void *arg); /* optional: while waiting for a helper */
	/* Optional: text behind the reason in the end record; its length. */
	size_t (*remark)(void *arg, char *buf, size_t len);
};

/* A compressor; its output for a block must not depend on the ones before. */
struct dfmt_writer_codec {
	uint16_t id;	  /* DFMT_FMT_LZ4, or DFMT_FMT_STORED: no compressor */
	size_t state_len; /* memory that one compressor works in */
	/* Bytes put into out, or 0 when they would not fit. */
	size_t (*compress)(void *state, const void *in, size_t in_len,
		void *out, size_t out_len);
};

/*
 * Encryption of what the dump says (docs/DUMPFORMAT.md, section 14).  The key
 * was agreed on before the panic and is of this dump alone: whoever made it
 * hands it to no second run, and wipes it when the run is over.
 */
struct dfmt_writer_cipher {
	/*
	 * ChaCha20-Poly1305 (RFC 8439): encrypts len bytes in place; the tag
	 * is over aad and the result.
	 */
	void (*seal)(const uint8_t *key, const uint8_t *nonce, const void *aad,
		size_t aad_len, void *data, size_t len, uint8_t *tag_out);
	uint8_t key[DFMT_KEY_LEN];
	struct dfmt_fmt_keys keys; /* what the dump says of it */
};

/* Symbols, types, notes: readable at the panic. */
struct dfmt_wblob {
	uint32_t object; /* index into objects, or DFMT_NO_OBJECT */
	uint32_t kind;	 /* enum dfmt_fmt_blob_kind */
	const void *data;
	uint64_t len;
};

struct dfmt_wframe {
	uint64_t fp, pc;
	uint32_t world;
	const char *text; /* "xpv`panic+0x33()" */
};

/*
 * What the dump says besides memory.  Filled at the panic; everything is
 * borrowed until dfmt_writer_run returns.  Text and tables that are NULL are
 * left out, and so is what the format cannot say (CPUs from DFMT_MAX_CPUS on).
 */
struct dfmt_writer_facts {
	uint32_t machine; /* e_machine */
	uint32_t word_bits;
	uint64_t end_pfn; /* no memory from here on; 0: not known */
	uint64_t nr_frames;
	uint64_t time_sec;
	uint32_t time_nsec;
	uint32_t panic_cpu;   /* index into cpus, or ~0 */
	uint32_t panic_world; /* index into worlds, or ~0 */
	uint32_t dump_level;
	const char *reason;
	const char *format;	     /* what it was converted from */
	const char *const *versions; /* "name=value" */
	size_t nr_versions;
	const struct dfmt_wframe *frames;
	size_t nr_frames_walked;
	const char *console;
	size_t console_len; /* its end goes into the triage record */
	const struct dfmt_fmt_cpu *cpus;
	size_t nr_cpus;
	const struct dfmt_fmt_world *worlds;
	size_t nr_worlds;
	/* Ranges of memory; none: those of next_range are stated. */
	const struct dfmt_fmt_range *ranges;
	size_t nr_ranges;
	const struct dfmt_fmt_object *objects;
	size_t nr_objects;
	const struct dfmt_wblob *blobs;
	size_t nr_blobs;
	/*
	 * Frames to write before all others, ascending, without overlap: from
	 * the first run on that is not so they wait for their class.
	 */
	const struct dfmt_wrun *first;
	size_t nr_first;
};

enum dfmt_writer_flags {
	/* A file without a label: never set where a device can be reached. */
	DFMT_WRITER_FILE = 1,
	/* An unsaved dump may be overwritten; also the label's own flag. */
	DFMT_WRITER_OVERWRITE = 2,
	/* The CPU has SSE4.2's crc32 instruction (general registers only). */
	DFMT_WRITER_CRC32 = 4,
	/* Do all but write. */
	DFMT_WRITER_DRY_RUN = 8,
	/*
	 * read_frame may be called on the CPUs that help, several at once: they
	 * look ahead for frames that are one word over and over.  One may still
	 * be in it when the run has ended, until its dfmt_writer_help returns.
	 */
	DFMT_WRITER_SCOUT = 16,
};

struct dfmt_writer_config {
	const struct dfmt_writer_ops *ops;
	void *arg;
	const struct dfmt_writer_codec *codec; /* NULL: pages are stored */
	const struct dfmt_writer_cipher
		*cipher; /* NULL: nothing is encrypted */
	uint32_t flags;
	uint32_t content;	/* bits 1 << class; FIRST is always in */
	uint32_t page_shift;	/* 12 to 16 */
	uint32_t block_len;	/* bytes; 0: DFMT_WRITER_BLOCK */
	uint32_t nr_helpers;	/* CPUs that may call dfmt_writer_help() */
	uint32_t nr_slots;	/* blocks under way; 0: four for each CPU */
	uint32_t align;		/* with DFMT_WRITER_FILE; else the label's */
	uint64_t time_limit_ms; /* 0: none */
	uint8_t seed[16];	/* random, from before the panic */
	uint8_t uuid[16];	/* the label that it must be; 0: any */
};

#define DFMT_WRITER_BLOCK 32768u

enum dfmt_writer_status {
	DFMT_W_COMPLETE = 0, /* the same numbers as enum dfmt_fmt_end_status */
	DFMT_W_FULL = 1,
	DFMT_W_TIME = 2,
	DFMT_W_DEVICE = 3,
	DFMT_W_SECOND_PANIC = 4,
	DFMT_W_STOPPED = 5,
	/* Nothing was written: */
	DFMT_W_CONFIG = 16,    /* a configuration that makes no sense */
	DFMT_W_NO_LABEL = 17,  /* unreadable, torn, or none */
	DFMT_W_FOREIGN = 18,   /* another label than the one asked for */
	DFMT_W_TOO_SMALL = 19, /* the range is shorter than the label says */
	DFMT_W_UNSAVED = 20,   /* a dump that nobody has taken yet is there */
	DFMT_W_NO_SLOT = 21,   /* the device refused the triage record */
};

struct dfmt_writer_result {
	enum dfmt_writer_status status;
	bool ended;	     /* the end record is on the device and read back */
	uint64_t dump_start; /* offset of the dump in the range */
	uint64_t dump_len;
	uint8_t dump_id[16];
	uint64_t nr_data, nr_fill, nr_repeat, nr_lost; /* frames */
	uint64_t raw_len, stored_len; /* bytes of frames; of the dump */
	uint64_t elapsed_ms;
	uint32_t nr_retries, nr_skipped;
	uint32_t nr_unflushed; /* flushes that the device refused */
	const char *why;       /* static text */
};

struct dfmt_writer;

/*
 * Bytes that dfmt_writer_init needs, aligned to 4096; 0 for a configuration
 * that makes no sense.  With LZ4 and no helper 32 KiB blocks need little more
 * than 1 MiB; each helper adds its state and buffers.
 */
size_t dfmt_writer_memory(const struct dfmt_writer_config *config);

/*
 * Lays the writer out in memory, which is 4096-aligned and len bytes long and
 * stays the writer's.  config is copied; what it points to is borrowed.  NULL
 * when len is too small or the configuration makes no sense.
 */
struct dfmt_writer *dfmt_writer_init(const struct dfmt_writer_config *config,
	void *memory, size_t len);

/*
 * Before the panic: would a dump be written to the range [0, range_len) as it
 * is now?  DFMT_W_COMPLETE, or why not.  Reads, and writes nothing; any number
 * of times before dfmt_writer_run, which looks again.
 */
enum dfmt_writer_status dfmt_writer_check(struct dfmt_writer *w,
	uint64_t range_len);

/* In words why nothing is written, or NULL for a status that is no refusal. */
const char *dfmt_writer_refusal(enum dfmt_writer_status st);

/*
 * Writes the dump of the facts to the device's range [0, range_len), or to a
 * file of at most range_len bytes.  Reads and checks the label first; on any
 * doubt writes nothing.  To be called once.
 */
enum dfmt_writer_status dfmt_writer_run(struct dfmt_writer *w,
	const struct dfmt_writer_facts *facts, uint64_t range_len);

/*
 * For a CPU with nothing else to do: compresses until the run ends.  index is
 * from 0 to nr_helpers - 1, each used by one CPU.  Should it die in here, the
 * run goes on without it after a second.
 */
void dfmt_writer_help(struct dfmt_writer *w, uint32_t index);

/* Any CPU, any time: the run ends soon, with an end record. */
void dfmt_writer_stop(struct dfmt_writer *w);

/*
 * After a second panic, on the CPU that was in dfmt_writer_run: ends the dump
 * with an end record from what is there.  Does nothing when the run had ended.
 * A third panic inside it: a further call returns at once.
 */
enum dfmt_writer_status dfmt_writer_reenter(struct dfmt_writer *w,
	const char *why);

/*
 * The last resort, where no device takes anything: the first segment of a dump
 * (docs/DUMPFORMAT.md, 5), nothing else, as lines of text, each handed to put
 * with its end.  dfmt-serial.h makes a dump of them again.  Only while a run
 * has not begun or was refused; not with a cipher: the lines are read by
 * whoever reads the console.  false: put was not called.
 */
bool dfmt_writer_serial(struct dfmt_writer *w,
	const struct dfmt_writer_facts *facts,
	void (*put)(void *arg, const char *line, size_t len), void *arg);

/* What was done; valid after run or reenter. */
const struct dfmt_writer_result *dfmt_writer_result_get(
	const struct dfmt_writer *w);

#endif
