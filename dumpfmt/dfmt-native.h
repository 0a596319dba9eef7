/* SPDX-License-Identifier: MIT */
/*
 * The reader of the native format (docs/DUMPFORMAT.md), as its files share it.
 * Private.
 *
 * native.c opens; native-find.c knows where a dump lies; native-seg.c headers
 * and the walk over them; native-triage.c the first segment; native-meta.c
 * CPUs, worlds, ranges and objects; native-blob.c symbols, types and notes;
 * native-index.c which pages segment may hold a frame; native-pages.c what such
 * a segment says of it; native-read.c its bytes; native-crypt.c payloads that
 * are encrypted; native-range.c runs of frames
 * and their count; native-get.c hands out what was found.
 *
 * All offsets are from the dump's first byte, as in the file.  After opening
 * nothing changes but: the set of segments seen to be right, the hint, the
 * table of a late scan, and expanded blobs (the last two under the lock).
 */
#ifndef DFMT_NATIVE_H
#define DFMT_NATIVE_H

#include "dfmt-crc.h"
#include "dfmt-format.h"
#include "dfmt-impl.h"
#include "dfmt-label.h"

#include <pthread.h>

#ifdef MDB_TINY
#define DFMT_NSEEN 4u
#define DFMT_NWINDOW 4096u
#else
#define DFMT_NSEEN 2048u    /* segments remembered as right */
#define DFMT_NWINDOW 65536u /* bytes looked through at a time */
#endif

#define DFMT_NCLASSES 8u
#define DFMT_NLOOKAHEAD ((uint64_t)64 << 20)
#define DFMT_NMAX_OBJECTS 65536u
#define DFMT_NMAX_WORLDS 65536u
#define DFMT_NMAX_RANGES (1u << 20)
#define DFMT_NMAX_BLOB ((uint64_t)256 << 20)
#define DFMT_NMAX_KEPT ((uint64_t)1 << 30)
#define DFMT_NMAX_PIECE (1u << 20)
#define DFMT_NMAX_PIECES (1u << 20)
#define DFMT_NMAX_LEVEL 8u

/* A header that is whole. */
struct dfmt_nseg {
	uint64_t seq, offset, total_len, payload_len, raw_len;
	uint32_t crc_len, payload_crc;
	uint32_t clear_len;
	uint16_t header_len, type, type_version, codec, flags;
	uint8_t id[DFMT_ID_LEN];
};

/* A pages segment, its head and tables seen to be right. */
struct dfmt_npages {
	uint64_t offset; /* of the segment */
	uint64_t first_pfn, last_pfn;
	uint64_t runs, blocks, data; /* where these begin */
	uint64_t data_len;	     /* as the header says */
	uint32_t nr_runs, nr_blocks, nr_data;
	uint32_t nr_there; /* of nr_data: before the end of the file */
	uint32_t class, block_frames;
};

struct dfmt_nrun {
	uint64_t first; /* frame */
	uint64_t count;
	uint32_t kind;
	uint64_t arg;
};

/* A pages segment as index or scan know it: which frames may be in it. */
struct dfmt_nentry {
	uint64_t first_pfn, last_pfn, offset;
};

/* What a scan found; entries are sorted by class, then first frame. */
struct dfmt_ntable {
	struct dfmt_nentry *entries; /* class in the low bits of the offset */
	size_t nr_entries;
	size_t from[DFMT_NCLASSES + 1]; /* where a class begins */
	bool whole; /* every segment from the first to the end is there */
	uint64_t counts[4]; /* frames by enum dfmt_fmt_run_kind */
	/* While it is made: */
	uint64_t nr_lost;	     /* segments that are not right */
	uint64_t last_seq, lost_seq; /* of the last entry, of the last lost */
	uint64_t last_counts[4];
};

struct dfmt_npiece {
	uint32_t object, kind;
	uint64_t total_len, piece_off, raw_len;
	uint64_t offset; /* of its segment */
};

/* A blob that was asked for. */
struct dfmt_nblob {
	struct dfmt_nblob *next;
	size_t piece; /* its first */
	size_t len;
	uint8_t bytes[];
};

struct dfmt_ncrypt;

struct dfmt_nroot {
	uint32_t class, level;
	struct dfmt_nentry entry;
};

/* Where a dump begins. */
struct dfmt_nfirst {
	uint64_t base; /* file offset of the dump */
	struct dfmt_nseg seg;
	uint64_t generation;
	bool head; /* of the triage record, whole */
	bool lost; /* this is not the first segment, which is lost */
};

struct dfmt_nstate {
	struct dfmt_source *src;
	struct dfmt_crc crc;
	uint64_t base;	    /* file offset of the dump's first byte */
	uint64_t len;	    /* of the bytes from there that may be the dump's */
	uint64_t range_len; /* of the labelled range, or 0 */
	uint8_t id[DFMT_ID_LEN];
	uint32_t shift;	  /* of a frame */
	bool shift_known; /* else it is a guess, which blocks prove or not */
	uint32_t align;
	uint64_t end_pfn;
	bool has_head;	 /* of the triage record */
	bool first_lost; /* the whole first segment is */
	struct dfmt_label label;
	bool has_label;

	struct dfmt_native info;
	char missing[160];
	char why[129];
	char *texts; /* of the triage record */
	size_t texts_len;
	const char **versions;
	size_t nr_versions;
	struct dfmt_frame *frames;
	size_t nr_frames;

	struct dfmt_cpu *cpus;
	size_t nr_cpus;
	bool cpus_of_triage;
	struct dfmt_world *worlds;
	size_t nr_worlds;
	struct dfmt_object *objects;
	size_t nr_objects;
	struct dfmt_range *memory; /* the stated ranges: sorted, disjoint */
	size_t nr_memory;
	bool ranges_seen, ranges_closed; /* some; the last of them too */
	bool ranges_open;  /* more ranges may have been stated than are known */
	bool meta_lost;	   /* some meta segment is not there or not right */
	uint64_t lost_seq; /* of the last array that was not right ... */
	bool lost_before, open_before; /* ... and what was so before it */
	bool gap;		       /* segments are not there */
	uint64_t nr_damaged;	       /* pages segments that are not right */

	struct dfmt_npiece *pieces;
	size_t nr_pieces;
	struct dfmt_nblob *blobs; /* those asked for so far */
	uint64_t blobs_len;
	uint64_t taken_seq; /* of the last meta segment that counts */

	struct dfmt_nroot roots[DFMT_MAX_ROOTS];
	uint32_t nr_roots;
	uint64_t meta_end, appended, end;
	struct dfmt_ncrypt *crypt; /* NULL: not encrypted, or no key */
	bool locked;		   /* encrypted, and no key */
	bool end_in_place;	   /* the end record is where it belongs */
	bool complete;		   /* the writer's word: nothing is missing */
	bool index_whole; /* and that the roots reach every pages segment */

	pthread_mutex_t lock;
	_Atomic(struct dfmt_ntable *) table;
	_Atomic uint64_t seen[DFMT_NSEEN];
	_Atomic uint64_t hint; /* the pages segment that was right last */
};

/* ---- native-seg.c ------------------------------------------------------- */

/* Bytes of the dump; DFMT_E_LOST beyond its end. */
enum dfmt_status dfmt_nread(const struct dfmt_nstate *n, uint64_t off,
	void *buf, size_t len, struct dfmt_err *err);

/* CRC32C of [off, off + len). */
enum dfmt_status dfmt_ncrc(const struct dfmt_nstate *n, uint64_t off,
	uint64_t len, uint32_t *crc_out, struct dfmt_err *err);

/* 128 bytes to a header; false when it is not whole, wherever it lies. */
bool dfmt_nseg_parse(const struct dfmt_crc *crc, const uint8_t *p,
	struct dfmt_nseg *seg_out);

/* The header at off, whole and of this dump. */
bool dfmt_nseg_at(const struct dfmt_nstate *n, uint64_t off,
	struct dfmt_nseg *seg_out);

/* The first place in [from, to] that begins like a segment. */
bool dfmt_nmagic_search(const struct dfmt_nstate *n, uint64_t from, uint64_t to,
	uint64_t *off_out);

/* Is what payload_crc covers right? */
bool dfmt_nseg_payload_right(const struct dfmt_nstate *n,
	const struct dfmt_nseg *seg);

/* The file's number of a codec; false: not known. */
bool dfmt_ncodec(uint16_t codec, enum dfmt_codec *codec_out);

/*
 * The segments in order.  `again`: the segment handed out last is the one
 * before it once more, and takes its place.  `gap`: some were passed over.
 */
struct dfmt_nwalk {
	uint64_t pos;  /* where to look next */
	uint64_t seq;  /* that is looked for */
	uint64_t past; /* end of the last one that is wholly there */
	bool again, gap, ended;
};
bool dfmt_nwalk_next(const struct dfmt_nstate *n, struct dfmt_nwalk *w,
	struct dfmt_nseg *seg_out);

/* Segments that were seen to be right need not be looked at again. */
bool dfmt_nseen(const struct dfmt_nstate *n, uint64_t off);
void dfmt_nseen_add(struct dfmt_nstate *n, uint64_t off);

/* ---- native-crypt.c ----------------------------------------------------- */

/*
 * After the first segment was found: finds out whom the dump is encrypted to,
 * if it is.  DFMT_E_UNSUPPORTED: to somebody else than the owner of the key.
 */
enum dfmt_status dfmt_ncrypt_begin(struct dfmt *d, struct dfmt_nstate *n,
	const struct dfmt_nfirst *first, struct dfmt_err *err);
/* Accepts NULL. */
void dfmt_ncrypt_destroy(struct dfmt_ncrypt *c);

/*
 * A header of this dump: takes note of the segment, and its flag away, as
 * dfmt_nread gives what is decrypted.  false: it is not sealed, as all are.
 */
bool dfmt_ncrypt_note(struct dfmt_ncrypt *c, struct dfmt_nseg *seg);

/*
 * Reads [off, off + len) of a segment that was noted, decrypted; DFMT_E_RANGE:
 * it is in none.  DFMT_E_LOST when its tag is not right.
 */
enum dfmt_status dfmt_ncrypt_read(const struct dfmt_nstate *n, uint64_t off,
	void *buf, size_t len, struct dfmt_err *err);

/* A whole segment in memory, header first; false: its tag is not right. */
bool dfmt_ncrypt_right(const struct dfmt_nstate *n, uint8_t *bytes, size_t len);

/* What is said of reads of a dump that is locked. */
enum dfmt_status dfmt_nlocked(struct dfmt_err *err);

/* ---- native-find.c ------------------------------------------------------ */

/* DFMT_E_FORMAT: not of this format. */
enum dfmt_status dfmt_nmagic_check(struct dfmt_source *src, bool *labelled_out,
	struct dfmt_err *err);

/* The newer of two whole labels; the first one where they are in conflict. */
void dfmt_nlabel_look(struct dfmt_nstate *n);

/* DFMT_E_LOST: there is none that is whole. */
enum dfmt_status dfmt_nfirst_find(const struct dfmt_nstate *n, bool labelled,
	struct dfmt_nfirst *first_out, struct dfmt_err *err);

/*
 * Of a file whose first segment is damaged: the next whole header, which says
 * by its offset that it is in its place.
 */
enum dfmt_status dfmt_nsecond_find(struct dfmt_nstate *n,
	struct dfmt_nfirst *first_out);

/* Takes the end segment, or its copy, at a file offset, if it is right. */
bool dfmt_nend_at(struct dfmt_nstate *n, uint64_t at, bool copy);

/* Takes it where it belongs. */
void dfmt_nend_find(struct dfmt_nstate *n, bool labelled);

/* ---- native-triage.c ---------------------------------------------------- */

/* The first segment; what of it is damaged is left out. */
enum dfmt_status dfmt_ntriage_read(struct dfmt *d, struct dfmt_nstate *n,
	const struct dfmt_nseg *seg, struct dfmt_err *err);

/* ---- native-meta.c, native-blob.c --------------------------------------- */

void dfmt_ncpu_parse(const uint8_t *p, struct dfmt_cpu *cpu_out);

/* A world or CPU of the triage record; DFMT_OK also when it is not wanted. */
enum dfmt_status dfmt_nworld_add(struct dfmt_nstate *n, const uint8_t *p,
	struct dfmt_err *err);
enum dfmt_status dfmt_ncpu_add(struct dfmt_nstate *n, const uint8_t *p,
	struct dfmt_err *err);

/* Takes a segment that is not pages; `again` as in the walk. */
enum dfmt_status dfmt_nmeta_take(struct dfmt *d, struct dfmt_nstate *n,
	const struct dfmt_nseg *seg, bool again, struct dfmt_err *err);

/* After the last: sorts the ranges, settles who panicked. */
enum dfmt_status dfmt_nmeta_finish(struct dfmt *d, struct dfmt_nstate *n,
	struct dfmt_err *err);

enum dfmt_status dfmt_nblob_take(struct dfmt_nstate *n,
	const struct dfmt_nseg *seg, bool again, struct dfmt_err *err);

/* Adds the notes in blobs to d->notes. */
enum dfmt_status dfmt_nblob_notes(struct dfmt *d, struct dfmt_nstate *n,
	struct dfmt_err *err);

/* Grows *array so that element i is in it, zeroed. */
bool dfmt_ngrow(void *array, size_t *nr, size_t i, size_t elem_len);

/* ---- native-index.c ----------------------------------------------------- */

/* The roots of an end record; false when one of them makes no sense. */
bool dfmt_nroots_check(const struct dfmt_nstate *n);

/* DFMT_E_MALFORMED: the index does not lead where it says (then scan). */
enum dfmt_status dfmt_nmisled(const struct dfmt_nstate *n, uint64_t off,
	struct dfmt_err *err);

/*
 * The first pages segment of a class that ends at or behind pfn.  DFMT_E_RANGE:
 * there is none; DFMT_E_MALFORMED: misled.
 */
enum dfmt_status dfmt_nentry_find(struct dfmt_nstate *n, uint32_t class,
	uint64_t pfn, struct dfmt_nentry *entry_out, struct dfmt_err *err);

/* A table in the making; destroy accepts NULL. */
struct dfmt_ntable *dfmt_ntable_create(void);
void dfmt_ntable_destroy(struct dfmt_ntable *t);
enum dfmt_status dfmt_ntable_take(struct dfmt_nstate *n, struct dfmt_ntable *t,
	const struct dfmt_nseg *seg, bool again, struct dfmt_err *err);
void dfmt_ntable_finish(struct dfmt_ntable *t, bool gap);

/* Scans for pages once; afterwards everything is found in the table. */
enum dfmt_status dfmt_ntable_build(struct dfmt_nstate *n, struct dfmt_err *err);

/* ---- native-pages.c ----------------------------------------------------- */

/*
 * DFMT_E_LOST when it is not right, DFMT_E_UNSUPPORTED when it is too new,
 * DFMT_E_MALFORMED when no pages segment is there.
 */
enum dfmt_status dfmt_npages_load(struct dfmt_nstate *n, uint64_t off,
	struct dfmt_npages *pages_out, struct dfmt_err *err);

enum dfmt_status dfmt_npages_run(const struct dfmt_nstate *n,
	const struct dfmt_npages *pages, uint32_t i, struct dfmt_nrun *run_out,
	struct dfmt_err *err);

/* The first run that ends behind pfn; nr_runs when there is none. */
enum dfmt_status dfmt_npages_search(const struct dfmt_nstate *n,
	const struct dfmt_npages *pages, uint64_t pfn, uint32_t *i_out,
	struct dfmt_nrun *run_out, struct dfmt_err *err);

/* How many of a run's frames, from its first, the dump holds. */
enum dfmt_status dfmt_npages_there(const struct dfmt_nstate *n,
	const struct dfmt_npages *pages, const struct dfmt_nrun *run,
	uint64_t *there_out, struct dfmt_err *err);

/* Adds the frames of the segment to counts[kind]; cut off ones are lost. */
enum dfmt_status dfmt_npages_count(const struct dfmt_nstate *n,
	const struct dfmt_npages *pages, uint64_t counts[4],
	struct dfmt_err *err);

struct dfmt_nframe {
	struct dfmt_npages pages;
	uint64_t pfn;
	uint32_t run; /* its index */
	uint32_t kind;
	uint64_t arg; /* of this frame: data index, word, or frame */
};

/*
 * What the dump says of a frame: DFMT_OK, or why nothing is said of it.  Not a
 * look at ranges.
 */
enum dfmt_status dfmt_nframe_find(struct dfmt_nstate *n, uint64_t pfn,
	struct dfmt_nframe *frame_out, struct dfmt_err *err);

/* ---- native-read.c, native-range.c -------------------------------------- */

enum dfmt_status dfmt_nread_some(const struct dfmt *d, uint64_t addr, void *buf,
	size_t len, size_t *len_out, struct dfmt_err *err);

/* The stated range that holds addr, or the first behind it; nr_memory: none. */
size_t dfmt_nmemory_find(const struct dfmt_nstate *n, uint64_t addr);

enum dfmt_status dfmt_nnext_range(const struct dfmt *d, uint64_t addr,
	uint64_t *start_out, uint64_t *end_out, struct dfmt_err *err);
enum dfmt_status dfmt_ncoverage(const struct dfmt *d,
	struct dfmt_coverage *cov_out, struct dfmt_err *err);

#endif
