/* SPDX-License-Identifier: MIT */
/*
 * The public interface of the dump reading library: open a dump of any known
 * format over a file, read machine memory, look at notes and registers.
 *
 * A dump is physical ("machine") memory.  Addresses are machine byte
 * addresses; a frame is DFMT_PAGE_SIZE bytes unless the dump says otherwise
 * (dfmt_page_size).  Nothing here knows of virtual addresses or symbols.
 *
 * Threads: after dfmt_open a dump is immutable but for its cache, and every
 * function that takes a `const struct dfmt *` may be called from any thread.
 *
 * Ownership: pointers handed out (format name, notes, vmcoreinfo) belong to
 * the dump and live until dfmt_close.
 */
#ifndef DFMT_READER_H
#define DFMT_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DFMT_PAGE_SIZE 4096u

/*
 * Numbers are fixed for ever and never reused; gaps are for later.
 */
enum dfmt_status {
	DFMT_OK = 0,
	DFMT_E_FORMAT = 10, /* not this format, or no known format */
	DFMT_E_MALFORMED =
		11, /* the format's own structure contradicts itself */
	DFMT_E_EXCLUDED = 20, /* left out by choice when the dump was made */
	DFMT_E_LOST = 21,     /* should be there: truncated or corrupt */
	DFMT_E_RANGE = 22,    /* beyond the machine's memory, or a hole in it */
	DFMT_E_UNSUPPORTED =
		30,	/* well formed, but this build cannot read it */
	DFMT_E_IO = 40, /* the host said no; sys_errno is set */
	DFMT_E_NOMEM = 41,
};

/*
 * Why something failed, filled by value.  `what` is static text that names
 * the structure or the step; offset is a file offset (or ~0 when none has a
 * meaning), addr a machine address (or ~0).  detail adds what only this case
 * knows (a size, a command to run), or is "".  Every err parameter may be
 * NULL; on success it is left alone.
 */
struct dfmt_err {
	enum dfmt_status status;
	int sys_errno;
	uint64_t offset;
	uint64_t addr;
	const char *what;
	char detail[120];
};

#define DFMT_NONE UINT64_MAX

/* The status as a short lower-case phrase: "excluded", "lost", ... */
const char *dfmt_status_name(enum dfmt_status st);

struct dfmt;

struct dfmt_options {
	size_t cache_bytes; /* decompressed pages kept; 0 = 16 MiB */
	bool raw;	    /* a raw memory image when no format matches */
	bool no_mmap;	    /* the file may change: read it with pread */
	/* 32 bytes, the secret key of dumps that are encrypted; or NULL. */
	const uint8_t *key;
};

/*
 * Opens the dump in the file(s) named: one, or all the parts of a split dump
 * in any order.  A file compressed as a whole (gzip, zstd, xz) is unpacked
 * once, sparsely, into a temporary file without a name in $TMPDIR (else /tmp);
 * where that is not possible (no room, another codec) err->detail says what to
 * run.  A flattened file is read through an index, which takes one pass over
 * its record headers.
 *
 * An encrypted dump opens without a key too, and says what it says in clear.
 * With the key of another one it does not: DFMT_E_UNSUPPORTED.
 *
 * DFMT_E_FORMAT when no reader knows the file.  No work proportional to the
 * number of pages is done for ELF and compressed kdump.  opt may be NULL.
 */
enum dfmt_status dfmt_open(const char *const *paths, size_t nr_paths,
	const struct dfmt_options *opt, struct dfmt **dump_out,
	struct dfmt_err *err);

/* Opens a dump in memory (tests, fuzzing); buf is borrowed until close. */
enum dfmt_status dfmt_open_memory(const void *buf, size_t len,
	const struct dfmt_options *opt, struct dfmt **dump_out,
	struct dfmt_err *err);

/* Accepts NULL. */
void dfmt_close(struct dfmt *d);

enum dfmt_kind {
	DFMT_KIND_ELF = 1,
	DFMT_KIND_DISKDUMP = 2, /* makedumpfile/diskdump compressed kdump */
	DFMT_KIND_RAW = 3,
	DFMT_KIND_NATIVE = 4,
};

enum dfmt_machine {
	DFMT_MACHINE_UNKNOWN = 0,
	DFMT_MACHINE_I386 = 3,	  /* EM_386 */
	DFMT_MACHINE_X86_64 = 62, /* EM_X86_64 */
};

/* How much of the machine the dump holds; counts in frames. */
struct dfmt_coverage {
	uint64_t nr_present;  /* readable frames, if counted */
	uint64_t nr_excluded; /* left out by choice, if counted */
	uint64_t nr_lost;     /* should be there but are cut off, if counted */
	bool counted;	      /* false: counting costs a pass; not done */
};

struct dfmt_info {
	enum dfmt_kind kind;
	const char *format;  /* "ELF kdump", "kdump compressed (lzo)", ... */
	const char *details; /* "header 6, 2 parts, flattened", or "" */
	enum dfmt_machine machine;
	uint32_t page_size;
	uint64_t max_addr;  /* exclusive end of machine memory known of */
	uint64_t file_size; /* bytes, all parts */
	/*
	 * Known to be shorter than it was meant to be: by its segments, by its
	 * bitmaps, by the writer's own word, by a missing end of a flattened
	 * or compressed file.  A kdump cut among its pages is not known to be
	 * before dfmt_coverage_get counts.
	 */
	bool truncated;
	uint32_t dump_level; /* makedumpfile -d, or 0 */
};

void dfmt_info_get(const struct dfmt *d, struct dfmt_info *info_out);

/*
 * Counts frames by what became of them.  For kdump this reads the bitmaps
 * (bounded memory); for ELF it sums the segments.
 */
enum dfmt_status dfmt_coverage_get(const struct dfmt *d,
	struct dfmt_coverage *cov_out, struct dfmt_err *err);

/*
 * Reads len bytes at machine address addr.  On failure nothing in buf may be
 * used, and err->addr is the first byte that could not be read.  Zero bytes
 * come only from pages that the dump says are zero.
 */
enum dfmt_status dfmt_read(const struct dfmt *d, uint64_t addr, void *buf,
	size_t len, struct dfmt_err *err);

/*
 * The same without copying where the file allows it: a pointer to at least
 * one and at most len bytes at addr (and at most 1 MiB), ending where the file
 * no longer holds the memory contiguously.  DFMT_E_UNSUPPORTED where the page
 * is compressed or the file is not mapped (use dfmt_read).  The bytes live
 * until dfmt_close.
 *
 * The bytes were there when this returned.  Should the file shrink later, its
 * lost bytes turn to zeros under the pointer: before believing what was seen
 * through views, ask dfmt_views_hold.
 */
enum dfmt_status dfmt_view(const struct dfmt *d, uint64_t addr, size_t len,
	const void **bytes_out, size_t *len_out, struct dfmt_err *err);

/* Have all bytes ever handed out by dfmt_view been the file's own so far? */
bool dfmt_views_hold(const struct dfmt *d);

/*
 * The next run of machine memory at or after addr that the dump says it
 * holds: [*start_out, *end_out).  DFMT_E_RANGE when there is no more.  For
 * whole-memory scans; bounded by the dump's own tables.
 */
enum dfmt_status dfmt_next_range(const struct dfmt *d, uint64_t addr,
	uint64_t *start_out, uint64_t *end_out, struct dfmt_err *err);

/*
 * Virtual ranges that the dump itself states (ELF p_vaddr, where it is not
 * 0 or all ones): hints about where a kernel's direct map and text lie.
 */
struct dfmt_vrange {
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t len;
};
size_t dfmt_nr_vranges(const struct dfmt *d);
struct dfmt_vrange dfmt_vrange_at(const struct dfmt *d, size_t i);

/* ---- notes -------------------------------------------------------------- */

/* One ELF note, as found; desc is not terminated. */
struct dfmt_note {
	const char *name; /* terminated; "CORE", "VMCOREINFO", "QEMU", "Xen" */
	uint32_t type;
	uint32_t desc_len;
	const void *desc;
};
size_t dfmt_nr_notes(const struct dfmt *d);
struct dfmt_note dfmt_note_at(const struct dfmt *d, size_t i);

/*
 * The text of VMCOREINFO / VMCOREINFO_XEN up to its first NUL, terminated; or
 * NULL when the dump has none.
 */
const char *dfmt_vmcoreinfo(const struct dfmt *d, size_t *len_out);
const char *dfmt_vmcoreinfo_xen(const struct dfmt *d, size_t *len_out);

/* ---- registers ---------------------------------------------------------- */

/*
 * What the dump says of CPU i, from NT_PRSTATUS and the QEMU and Xen notes
 * that go with it in order.  Registers of a 32-bit machine are zero extended.
 * has_* says which groups are there.
 *
 * Without has_kernel_gs the bases are what the crash path stored: Linux stores
 * the inactive gs base there, which is the user's while in the kernel.
 */
struct dfmt_cpu {
	bool has_regs;
	bool has_cr;	    /* cr0 cr2 cr3 cr4 */
	bool has_bases;	    /* fs_base gs_base */
	bool has_kernel_gs; /* kernel_gs_base; gs_base is the active one */
	uint32_t pid;	    /* NT_PRSTATUS pr_pid */
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rip, rflags, orig_rax;
	uint16_t cs, ss, ds, es, fs, gs;
	uint64_t fs_base, gs_base, kernel_gs_base;
	uint64_t cr0, cr2, cr3, cr4;
	/* Only of the native format: has_native. */
	bool has_native;
	bool panicked;
	bool silent;	/* did not answer: its memory may have changed */
	bool has_vcpu;	/* current_vcpu, domain, vcpu */
	bool has_stack; /* stack_first, stack_end: virtual, of its world */
	bool has_trap;	/* trap and error, of what it stopped by */
	uint32_t id;	/* the machine's number of this CPU */
	uint32_t world; /* index; whose code the registers are in */
	uint32_t trap, domain, vcpu;
	uint64_t error, current_vcpu, stack_first, stack_end;
};
size_t dfmt_nr_cpus(const struct dfmt *d);
struct dfmt_cpu dfmt_cpu_at(const struct dfmt *d, size_t i);

/* ---- what only the native format says ----------------------------------- */

/* How a dump of the native format was made, and how much of it is there. */
struct dfmt_native {
	uint8_t dump_id[16];
	uint8_t label_uuid[16]; /* zero: none */
	uint64_t generation;
	uint64_t base;	   /* file offset of the dump's first byte */
	uint64_t dump_len; /* bytes of it found, to the last whole segment */
	bool labelled;	   /* a device or its image: a label is before it */
	bool saved;	   /* the label says that savecore took this dump */
	bool has_triage;   /* else nothing below but ids is known */
	bool triage_whole; /* all its items could be read */
	bool has_end;	   /* end_status to nr_skipped are the writer's word */
	bool indexed;	   /* read through the index; else by a scan */
	uint32_t end_status; /* enum dfmt_fmt_end_status */
	uint64_t nr_data, nr_fill, nr_repeat, nr_lost, raw_len, elapsed_ms;
	uint32_t nr_retries, nr_skipped;
	uint64_t nr_seen[8], nr_written[8]; /* by enum dfmt_fmt_class */
	uint32_t content;		    /* bits 1 << class */
	uint64_t time_sec;		    /* 0: not known */
	uint32_t time_nsec;
	uint64_t nr_frames;   /* of the machine's memory; 0: not known */
	uint32_t nr_cpus;     /* of the machine, all of them */
	uint32_t panic_cpu;   /* index for dfmt_cpu_at, or ~0 */
	uint32_t panic_world; /* index for dfmt_world_at, or ~0 */
	const char *reason;   /* the panic message, or NULL */
	const char *why;      /* what ended it, or NULL */
	const char *original; /* the format it was converted from, or NULL */
	const char *console;  /* its tail, terminated, or NULL */
	size_t console_len;
	const char *missing; /* one line: what is not there, or NULL */
	bool encrypted;
	bool locked;	   /* and without a key: only the clear part is known */
	bool has_keys;	   /* key_id is known */
	uint8_t key_id[8]; /* of whom it is encrypted to; dfmt-crypt.h */
};

/* NULL for other formats. */
const struct dfmt_native *dfmt_native_get(const struct dfmt *d);

/* "name=value" texts: versions of what ran. */
size_t dfmt_nr_versions(const struct dfmt *d);
const char *dfmt_version_at(const struct dfmt *d, size_t i);

/* The stack as the panicking program itself saw it. */
struct dfmt_frame {
	uint64_t fp, pc;
	uint32_t world;
	const char *text;
};
size_t dfmt_nr_frames(const struct dfmt *d);
struct dfmt_frame dfmt_frame_at(const struct dfmt *d, size_t i);

/* A world: fields as in struct dfmt_fmt_world (dfmt-format.h). */
struct dfmt_world {
	uint32_t kind, paging, domain, parent;
	enum dfmt_machine machine;
	uint64_t root, first, last;
	uint64_t window_start, window_len, window_machine;
	char system[17], name[33];
};
size_t dfmt_nr_worlds(const struct dfmt *d);
struct dfmt_world dfmt_world_at(const struct dfmt *d, size_t i);

/* A load object and what is embedded of it. */
struct dfmt_object {
	uint32_t world; /* index */
	uint64_t base, end, data_base, data_end;
	uint8_t build_id[32];
	uint32_t build_id_len;
	char name[49];
};
size_t dfmt_nr_objects(const struct dfmt *d);
struct dfmt_object dfmt_object_at(const struct dfmt *d, size_t i);

/*
 * The blob of a kind (enum dfmt_fmt_blob_kind) of object i: expanded and
 * checked when first asked for, then kept until dfmt_close.  DFMT_E_RANGE when
 * it has none, DFMT_E_LOST when a piece of it is not there.
 */
enum dfmt_status dfmt_object_blob(const struct dfmt *d, size_t i, uint32_t kind,
	const void **bytes_out, size_t *len_out, struct dfmt_err *err);

/*
 * Ranges of machine memory that the dump states; ELF's segments are also such.
 * Of a format that states none: from 0 to the end of memory.  vaddr is ~0
 * where nothing is said of it.
 */
struct dfmt_range {
	uint64_t addr, len, vaddr;
};
size_t dfmt_nr_ranges(const struct dfmt *d);
struct dfmt_range dfmt_range_at(const struct dfmt *d, size_t i);

/*
 * What is known of the frame without expanding it: enum dfmt_fmt_run_kind, its
 * argument, and its class.  For conversions that keep fills and repeats.
 */
struct dfmt_frame_info {
	uint32_t kind, class;
	uint64_t arg;
};
enum dfmt_status dfmt_frame_info_get(const struct dfmt *d, uint64_t pfn,
	struct dfmt_frame_info *info_out, struct dfmt_err *err);

/* ---- statistics --------------------------------------------------------- */

struct dfmt_stats {
	uint64_t bytes_read; /* of the file(s): distinct 4 KiB blocks touched */
	uint64_t reads;	     /* dfmt_read and dfmt_view calls */
	uint64_t cache_hits;
	uint64_t cache_misses;
	uint64_t cache_bytes; /* now held */
};
void dfmt_stats_get(const struct dfmt *d, struct dfmt_stats *stats_out);

#endif
