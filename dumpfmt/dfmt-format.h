/* SPDX-License-Identifier: MIT */
/*
 * The native dump format on disk: docs/DUMPFORMAT.md in C.
 *
 * All numbers are little endian and naturally aligned; the structures have no
 * padding of the compiler's, which static_asserts hold against the byte tables
 * of the specification.  The writer fills these structures on a little endian
 * machine; readers take numbers through dfmt-bytes.h at the offsets here and
 * never cast a structure onto a file.
 *
 * Freestanding: used by the writer inside a hypervisor.
 */
#ifndef DFMT_FORMAT_H
#define DFMT_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#define DFMT_ID_LEN 16u /* dump id, UUID of a label */
#define DFMT_FORMAT_MAJOR 1u

/* ---- places ---------------------------------------------------------------
 *
 * A labelled range: label, dump area, end record's copy, second label.  A dump
 * begins at the first slot that could be written.  In a file without a label
 * the dump begins at 0 and its end record ends the file.
 */
#define DFMT_LABEL_LEN 4096u
#define DFMT_TRIAGE_LEN 61440u /* the whole first segment */
#define DFMT_NR_SLOTS 16u
#define DFMT_SLOT_OFFSET(k) (DFMT_LABEL_LEN + (uint64_t)(k)*DFMT_TRIAGE_LEN)
#define DFMT_END_LEN 4096u	     /* the whole end segment */
#define DFMT_ANCHOR_FROM_END 8192u   /* its copy, before the range's end */
#define DFMT_MIN_RANGE (1u << 20)    /* smaller ranges are not labelled */
#define DFMT_ALIGN_MIN 512u	     /* segments start at multiples: ... */
#define DFMT_ALIGN_MAX 4096u	     /* ... of the triage record's align */
#define DFMT_SEGMENT_MAX (16u << 20) /* total_len, at most */
#define DFMT_BLOCK_MAX (1u << 20)    /* bytes of a block, expanded */
#define DFMT_MAX_CPUS 4096u
#define DFMT_MAX_PFN (1ull << 40) /* 2^52 bytes of 4 KiB frames */

/* ---- label --------------------------------------------------------------- */

#define DFMT_LABEL_MAGIC "\x8dmdbLBL\n"
#define DFMT_LABEL_VERSION 1u

struct dfmt_fmt_label {
	uint8_t magic[8];
	uint16_t version;
	uint16_t label_len;	   /* 4096 */
	uint32_t copy;		   /* 0: the first, 1: the one at the end */
	uint8_t uuid[16];	   /* of the dump device; in both copies */
	uint64_t range_start;	   /* on the device, bytes */
	uint64_t range_len;	   /* bytes, both labels included */
	uint32_t sector_len;	   /* 512 or 4096 */
	uint32_t flags;		   /* DFMT_LABEL_* */
	uint64_t change;	   /* goes up with every rewrite of the label */
	uint64_t created_sec;	   /* since 1970 */
	uint8_t saved_id[16];	   /* the dump that was taken off last, or 0 */
	uint64_t saved_generation; /* of that dump */
	uint64_t saved_sec;
	char purpose[64]; /* text, NUL padded */
	uint8_t reserved[3924];
	uint32_t crc; /* CRC32C of the 4092 bytes before it */
};

#define DFMT_LABEL_OVERWRITE 1u /* an unsaved dump may be overwritten */

/* ---- segments ------------------------------------------------------------ */

#define DFMT_SEG_MAGIC "\x8dmdbSEG\n"
#define DFMT_SEG_HEADER_LEN 128u

enum dfmt_fmt_type {
	DFMT_SEG_TRIAGE = 1,
	DFMT_SEG_CPUS = 2,
	DFMT_SEG_WORLDS = 3,
	DFMT_SEG_RANGES = 4,
	DFMT_SEG_OBJECTS = 5,
	DFMT_SEG_BLOB = 6,
	DFMT_SEG_PAGES = 7,
	DFMT_SEG_INDEX = 8,
	DFMT_SEG_END = 9,
	DFMT_SEG_KEYS = 10,   /* struct dfmt_fmt_keys once more */
	DFMT_SEG_HASHES = 11, /* reserved: block hashes */
};

enum dfmt_fmt_codec {
	DFMT_FMT_STORED = 0,
	DFMT_FMT_LZ4 = 1,  /* an LZ4 block */
	DFMT_FMT_ZSTD = 2, /* a zstd frame; savecore -z, never the writer */
};

/* What of the payload lies behind clear_len is encrypted; all is sealed. */
#define DFMT_SEG_ENCRYPTED 1u

struct dfmt_fmt_seg {
	uint8_t magic[8];
	uint16_t major;
	uint16_t header_len;
	uint16_t type;
	uint16_t type_version;
	uint8_t dump_id[16];
	uint64_t seq;	      /* 0 for the triage record, then up by one */
	uint64_t offset;      /* of this header from the dump's first byte */
	uint64_t total_len;   /* header, payload, padding: to the next one */
	uint64_t payload_len; /* as stored */
	uint64_t raw_len;     /* what is coded, expanded; of a blob its piece */
	uint32_t crc_len;     /* of the payload: what payload_crc covers */
	uint32_t payload_crc;
	uint16_t codec;
	uint16_t flags;
	uint16_t stream;  /* reserved: which of several writers; 0 */
	uint16_t key;	  /* reserved: which key; 0 */
	uint8_t auth[16]; /* encrypted: the tag of header and payload; else 0 */
	uint64_t nonce;	  /* encrypted: counts the messages of a dump's key */
	uint32_t clear_len; /* encrypted: of the payload, from its first byte */
	uint8_t reserved[8];
	uint32_t header_crc; /* CRC32C of the 124 bytes before it */
};

/* ---- triage -------------------------------------------------------------- */

struct dfmt_fmt_triage {
	uint64_t generation; /* of dumps on this device: the newest counts */
	uint64_t time_sec;   /* since 1970; 0: the writer had no clock */
	uint32_t time_nsec;
	uint32_t machine; /* ELF's e_machine: 3, 62, 183 */
	uint32_t word_bits;
	uint32_t page_shift;
	uint32_t align;	       /* segments start at its multiples */
	uint32_t block_frames; /* frames in a full block */
	uint64_t end_pfn;      /* no memory of the machine at or above */
	uint64_t nr_frames;    /* of the machine's memory; 0: not counted */
	uint32_t nr_cpus;
	uint32_t panic_cpu; /* ~0: not known */
	uint32_t panic_world;
	uint32_t content; /* bits 1 << class */
	uint8_t label_uuid[16];
	uint64_t range_len;  /* of the labelled range; 0: none */
	uint32_t dump_level; /* makedumpfile -d of the original, or 0 */
	uint32_t items_len;  /* bytes of items that follow this head */
	uint8_t reserved[16];
	uint32_t head_len; /* 128 */
	uint32_t crc;	   /* CRC32C of the 124 bytes before it */
};

/* Items follow the head, each at a multiple of 8. */
struct dfmt_fmt_item {
	uint16_t type;
	uint16_t flags;
	uint32_t len; /* of the data after this head, before padding */
	uint32_t crc; /* of the data */
	uint32_t reserved;
};

enum dfmt_fmt_item_type {
	DFMT_ITEM_REASON = 1, /* text: the panic message */
	DFMT_ITEM_WORLD = 2,  /* struct dfmt_fmt_world */
	DFMT_ITEM_CPU = 3,    /* struct dfmt_fmt_cpu; the panicking one first */
	DFMT_ITEM_FRAMES = 4, /* struct dfmt_fmt_frame, each with its text */
	DFMT_ITEM_CONSOLE = 5, /* text: the end of the console */
	DFMT_ITEM_VERSION = 6, /* text: "name=value" */
	DFMT_ITEM_FORMAT = 7,  /* text: the format it was converted from */
	DFMT_ITEM_KEYS = 8,    /* struct dfmt_fmt_keys */
};

/*
 * Whom an encrypted dump is for, and what its key was agreed with.  scheme 1:
 * X25519 (RFC 7748), HKDF-SHA256 (RFC 5869), ChaCha20-Poly1305 (RFC 8439).
 */
#define DFMT_KEY_LEN 32u
#define DFMT_KEY_ID_LEN 8u
#define DFMT_KEYS_X25519 1u

struct dfmt_fmt_keys {
	uint32_t scheme;
	uint32_t reserved;
	uint8_t recipient[8];  /* id of the recipient's public key */
	uint8_t ephemeral[32]; /* the dump's own public key */
	uint8_t reserved_too[16];
};

/* In DFMT_ITEM_FRAMES: len bytes of text follow, padded to 8. */
struct dfmt_fmt_frame {
	uint64_t fp;
	uint64_t pc;
	uint32_t world;
	uint32_t len;
};

/* ---- CPUs, worlds, memory, objects --------------------------------------- */

enum dfmt_fmt_cpu_flag {
	DFMT_CPU_REGS = 1,
	DFMT_CPU_CR = 2,	/* cr0 cr2 cr3 cr4 */
	DFMT_CPU_BASES = 4,	/* fs_base gs_base */
	DFMT_CPU_KERNEL_GS = 8, /* kernel_gs_base */
	DFMT_CPU_PANICKED = 16,
	DFMT_CPU_SILENT = 32, /* did not answer: its memory may have changed */
	DFMT_CPU_VCPU = 64,   /* current_vcpu, domain and vcpu say what ran */
	DFMT_CPU_STACK = 128, /* stack_first, stack_end */
	DFMT_CPU_TRAP = 256,  /* trap and error say how it stopped */
};

/* Order of gp[]: the field's own, AT&T's names. */
enum dfmt_fmt_gp {
	DFMT_GP_RAX,
	DFMT_GP_RBX,
	DFMT_GP_RCX,
	DFMT_GP_RDX,
	DFMT_GP_RSI,
	DFMT_GP_RDI,
	DFMT_GP_RBP,
	DFMT_GP_RSP,
	DFMT_GP_R8, /* to r15 */
	DFMT_GP_RIP = 16,
	DFMT_GP_RFLAGS = 17,
	DFMT_GP_ORIG_RAX = 18,
	DFMT_NR_GP = 19,
};

struct dfmt_fmt_cpu {
	uint32_t id;
	uint32_t flags;
	uint32_t world; /* whose code the registers are in */
	uint32_t pid;
	uint64_t gp[DFMT_NR_GP]; /* zero extended on a 32-bit machine */
	uint16_t cs, ss, ds, es, fs, gs;
	uint32_t trap; /* vector, with error, when it stopped by a trap */
	uint64_t error;
	uint64_t fs_base, gs_base, kernel_gs_base;
	uint64_t cr0, cr2, cr3, cr4;
	uint64_t current_vcpu; /* the hypervisor's address of its vcpu */
	uint32_t domain, vcpu;
	uint64_t stack_first, stack_end; /* of the world's stack; virtual */
	uint8_t reserved[40];
};

enum dfmt_fmt_world_kind {
	DFMT_WORLD_HYPERVISOR = 1,
	DFMT_WORLD_CONTROL = 2, /* the kernel that runs the hypervisor: dom0 */
	DFMT_WORLD_GUEST = 3,
	DFMT_WORLD_NATIVE = 4, /* a kernel without a hypervisor below it */
};

enum dfmt_fmt_paging {
	DFMT_PAGING_NONE = 0,
	DFMT_PAGING_32BIT = 1,
	DFMT_PAGING_PAE = 2,
	DFMT_PAGING_4LEVEL = 3,
	DFMT_PAGING_5LEVEL = 4,
};

struct dfmt_fmt_world {
	uint32_t index;
	uint32_t kind;
	uint32_t machine; /* e_machine of its code */
	uint32_t paging;
	uint64_t root;	/* machine address of its page tables */
	uint64_t first; /* its own virtual range; last is inclusive */
	uint64_t last;
	uint32_t domain; /* of the hypervisor, or ~0 */
	uint32_t parent; /* world that runs it, or ~0 */
	char system[16]; /* "xen", "linux", "illumos" */
	char name[32];	 /* "xpv", "unix" */
	/* A linear window, where len is not 0: virtual -> machine. */
	uint64_t window_start, window_len, window_machine;
	uint8_t reserved[8];
};

struct dfmt_fmt_range {
	uint64_t addr;	/* machine; need not be whole frames */
	uint64_t len;	/* bytes */
	uint64_t vaddr; /* where the original said it is mapped, or ~0 */
	uint32_t kind;	/* DFMT_RANGE_* */
	uint32_t reserved;
};

#define DFMT_RANGE_RAM 1u

struct dfmt_fmt_object {
	uint32_t index;
	uint32_t world;
	uint64_t base, end;	      /* text; end exclusive */
	uint64_t data_base, data_end; /* or 0, 0 */
	uint8_t build_id[32];
	uint32_t build_id_len;
	uint32_t flags;
	char name[48];
};

/* ---- blobs --------------------------------------------------------------- */

enum dfmt_fmt_blob_kind {
	DFMT_BLOB_SYMTAB = 1, /* Elf64_Sym, by value; names in STRTAB */
	DFMT_BLOB_STRTAB = 2,
	DFMT_BLOB_BTF = 3,
	DFMT_BLOB_ORC = 4,	/* .orc_unwind and .orc_unwind_ip: reserved */
	DFMT_BLOB_EH_FRAME = 5, /* reserved */
	DFMT_BLOB_NOTES = 16,	/* of the dump: ELF notes */
};

#define DFMT_NO_OBJECT 0xffffffffu

/* Heads a blob segment's payload, never coded; one piece follows. */
struct dfmt_fmt_blob {
	uint32_t object; /* index, or ~0: of the dump */
	uint32_t kind;
	uint64_t total_len; /* of the whole, expanded */
	uint64_t piece_off; /* of this piece, expanded */
	uint64_t reserved;
};

/* ---- pages --------------------------------------------------------------- */

/* What a frame holds, in the order of worth after what is written first. */
enum dfmt_fmt_class {
	DFMT_CLASS_FIRST = 0, /* stacks' tops: whatever they are */
	DFMT_CLASS_HYPERVISOR = 1,
	DFMT_CLASS_PAGETABLE = 2,
	DFMT_CLASS_KERNEL = 3, /* of the control domain */
	DFMT_CLASS_USER = 4,   /* of the control domain */
	DFMT_CLASS_GUEST = 5,
	DFMT_CLASS_FREE = 6,
	DFMT_NR_CLASSES = 7,
};

struct dfmt_fmt_pages {
	uint64_t first_pfn;
	uint64_t last_pfn; /* inclusive */
	uint32_t nr_runs;
	uint32_t nr_blocks;
	uint32_t nr_frames; /* in the runs */
	uint32_t nr_data;   /* of those in the blocks */
	uint32_t data_off;  /* of the blocks, from the payload's start */
	uint32_t class;
	uint32_t block_frames;
	uint8_t reserved[20];
};

enum dfmt_fmt_run_kind {
	DFMT_RUN_DATA = 0, /* arg: index of the first among the data frames */
	DFMT_RUN_FILL = 1, /* arg: the 8-byte word that fills them; 0: zero */
	DFMT_RUN_REPEAT =
		2,	   /* arg: frame that the first one equals, and so on */
	DFMT_RUN_LOST = 3, /* arg: 0 the read faulted */
};

#define DFMT_RUN_COUNT_MASK 0x0fffffffu
#define DFMT_RUN_KIND_SHIFT 28

struct dfmt_fmt_run {
	uint32_t rel;	/* its first frame minus the segment's first */
	uint32_t count; /* and its kind in the upper 4 bits */
	uint64_t arg;
};

struct dfmt_fmt_block {
	uint32_t off; /* from data_off */
	uint32_t len; /* as stored; at most what it expands to */
	uint32_t crc; /* of the bytes as stored */
	uint16_t codec;
	uint16_t nr_frames;
};

/* ---- index and end ------------------------------------------------------- */

struct dfmt_fmt_index {
	uint32_t level; /* 0: its entries are pages segments */
	uint32_t nr_entries;
	uint32_t class;
	uint32_t reserved;
};

struct dfmt_fmt_entry {
	uint64_t first_pfn;
	uint64_t last_pfn;
	uint64_t offset;    /* of the segment, from the dump's first byte */
	uint32_t total_len; /* of that segment */
	uint32_t nr_frames; /* below; saturates */
};

enum dfmt_fmt_end_status {
	DFMT_END_COMPLETE = 0,
	DFMT_END_FULL = 1,	   /* the range was too small */
	DFMT_END_TIME = 2,	   /* the time limit */
	DFMT_END_DEVICE = 3,	   /* the device failed for good */
	DFMT_END_SECOND_PANIC = 4, /* a panic inside the writer */
	DFMT_END_STOPPED = 5,	   /* told to stop */
};

struct dfmt_fmt_class_count {
	uint64_t nr_seen;    /* frames of the class; 0 where not looked at */
	uint64_t nr_written; /* of those in pages segments, not lost */
};

struct dfmt_fmt_root {
	uint32_t class;
	uint32_t level; /* of the segment at offset: ~0 a pages segment */
	uint64_t first_pfn;
	uint64_t last_pfn;
	uint64_t offset;
	uint32_t total_len;
	uint32_t nr_frames;
};

#define DFMT_MAX_ROOTS 16u
#define DFMT_ROOT_PAGES 0xffffffffu

struct dfmt_fmt_end {
	uint32_t status;
	uint32_t flags;	      /* DFMT_END_INDEXED */
	uint64_t nr_segments; /* before this one, that were written */
	uint64_t meta_end;    /* all but pages and index lie before it */
	uint64_t appended;    /* offset of the first that a tool added, or 0 */
	uint64_t end;	      /* of the dump, this segment included */
	uint64_t nr_data;     /* frames in blocks */
	uint64_t nr_fill;
	uint64_t nr_repeat;
	uint64_t nr_lost;
	uint64_t raw_len; /* bytes of the frames above */
	uint64_t elapsed_ms;
	uint32_t nr_retries; /* writes done again */
	uint32_t nr_skipped; /* places given up */
	uint32_t nr_roots;
	uint32_t reserved;
	struct dfmt_fmt_class_count classes[8];
	struct dfmt_fmt_root roots[DFMT_MAX_ROOTS];
	char why[128]; /* text: what ended it */
};

#define DFMT_END_INDEXED 1u /* the roots reach every pages segment */

/* ---- the byte tables of the specification -------------------------------- */

#define DFMT_ASSERT_SIZE(t, n) \
	_Static_assert(sizeof(struct t) == (n), #t " is not " #n " bytes")
#define DFMT_ASSERT_AT(t, m, n) \
	_Static_assert(offsetof(struct t, m) == (n), #m " is not at " #n)

DFMT_ASSERT_SIZE(dfmt_fmt_label, 4096);
DFMT_ASSERT_AT(dfmt_fmt_label, uuid, 16);
DFMT_ASSERT_AT(dfmt_fmt_label, range_start, 32);
DFMT_ASSERT_AT(dfmt_fmt_label, saved_id, 72);
DFMT_ASSERT_AT(dfmt_fmt_label, purpose, 104);
DFMT_ASSERT_AT(dfmt_fmt_label, crc, 4092);
DFMT_ASSERT_SIZE(dfmt_fmt_seg, DFMT_SEG_HEADER_LEN);
DFMT_ASSERT_AT(dfmt_fmt_seg, dump_id, 16);
DFMT_ASSERT_AT(dfmt_fmt_seg, seq, 32);
DFMT_ASSERT_AT(dfmt_fmt_seg, crc_len, 72);
DFMT_ASSERT_AT(dfmt_fmt_seg, auth, 88);
DFMT_ASSERT_AT(dfmt_fmt_seg, nonce, 104);
DFMT_ASSERT_AT(dfmt_fmt_seg, clear_len, 112);
DFMT_ASSERT_AT(dfmt_fmt_seg, header_crc, 124);
DFMT_ASSERT_SIZE(dfmt_fmt_triage, 128);
DFMT_ASSERT_AT(dfmt_fmt_triage, end_pfn, 40);
DFMT_ASSERT_AT(dfmt_fmt_triage, label_uuid, 72);
DFMT_ASSERT_AT(dfmt_fmt_triage, crc, 124);
DFMT_ASSERT_SIZE(dfmt_fmt_item, 16);
DFMT_ASSERT_SIZE(dfmt_fmt_frame, 24);
DFMT_ASSERT_SIZE(dfmt_fmt_keys, 64);
DFMT_ASSERT_AT(dfmt_fmt_keys, ephemeral, 16);
DFMT_ASSERT_SIZE(dfmt_fmt_cpu, 320);
DFMT_ASSERT_AT(dfmt_fmt_cpu, cs, 168);
DFMT_ASSERT_AT(dfmt_fmt_cpu, fs_base, 192);
DFMT_ASSERT_AT(dfmt_fmt_cpu, current_vcpu, 248);
DFMT_ASSERT_SIZE(dfmt_fmt_world, 128);
DFMT_ASSERT_AT(dfmt_fmt_world, system, 48);
DFMT_ASSERT_AT(dfmt_fmt_world, window_start, 96);
DFMT_ASSERT_SIZE(dfmt_fmt_range, 32);
DFMT_ASSERT_SIZE(dfmt_fmt_object, 128);
DFMT_ASSERT_AT(dfmt_fmt_object, build_id, 40);
DFMT_ASSERT_SIZE(dfmt_fmt_blob, 32);
DFMT_ASSERT_SIZE(dfmt_fmt_pages, 64);
DFMT_ASSERT_SIZE(dfmt_fmt_run, 16);
DFMT_ASSERT_SIZE(dfmt_fmt_block, 16);
DFMT_ASSERT_SIZE(dfmt_fmt_index, 16);
DFMT_ASSERT_SIZE(dfmt_fmt_entry, 32);
DFMT_ASSERT_SIZE(dfmt_fmt_root, 40);
DFMT_ASSERT_SIZE(dfmt_fmt_end, 1000);
DFMT_ASSERT_AT(dfmt_fmt_end, classes, 104);
DFMT_ASSERT_AT(dfmt_fmt_end, roots, 232);

#endif
