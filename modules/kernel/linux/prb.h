/* SPDX-License-Identifier: MIT */
/*
 * The two forms of Linux's log, as bytes.
 *
 * Neither parser knows the debugger: bytes come through a function, offsets
 * are given, records go out through a function.  Nothing in the bytes can
 * make them read outside what was stated, or run without end.
 */
#ifndef PRB_H
#define PRB_H

#include "../kern.h"

/* clang-format off */
enum prb_area {
	PRB_DESCS = 0,	/* struct prb_desc[1 << count_bits] */
	PRB_INFOS,	/* struct printk_info[1 << count_bits] */
	PRB_TEXT,	/* 1 << size_bits bytes; the old log: its buffer */
};
/* clang-format on */

/* Reads len bytes at offset off of an area, whole or not at all. */
typedef enum mdb_status prb_read_fn(void *arg, enum prb_area area, uint64_t off,
	void *buf, size_t len);
typedef enum mdb_status prb_record_fn(void *arg, const struct kern_record *rec);

/* Longest text of a record: its length is 16 bits. */
#define PRB_TEXT_MAX 65536

/*
 * The ring of kernel/printk/printk_ringbuffer.h, 5.10 on.  Offsets are those
 * of the members in their structures; those that may be absent are -1.
 */
struct prb {
	size_t word; /* bytes of unsigned long: 4 or 8 */
	unsigned int count_bits;
	unsigned int size_bits;
	uint64_t head_id, tail_id;
	size_t desc_len, state_off, begin_off, next_off;
	size_t info_len, seq_off, ts_off, text_len_off, facility_off;
	long caller_off;
	long dev_off; /* struct dev_printk_info: two strings */
	size_t subsystem_len, device_len;
	prb_read_fn *read;
	prb_record_fn *emit;
	void *arg;
	char *text; /* PRB_TEXT_MAX + 16 bytes of scratch */
};

/* MDB_E_CORRUPT if the numbers above cannot be those of a ring; else what
 * emit returned if not MDB_OK; else MDB_OK. */
enum mdb_status prb_each(struct prb *p);

/*
 * The buffer of 4.14 to 5.9: records of struct printk_log, each followed by
 * its text and its dictionary; a length of 0 means: go on at the beginning.
 */
struct logbuf {
	uint64_t len; /* of the buffer */
	uint64_t first, next;
	uint64_t first_seq;
	size_t header_len;
	size_t ts_off, len_off, text_len_off, dict_len_off, facility_off;
	long caller_off;
	prb_read_fn *read;
	prb_record_fn *emit;
	void *arg;
	char *text; /* PRB_TEXT_MAX + 16 */
	char *dict; /* PRB_TEXT_MAX + 16 */
};

/* As prb_each(); a record that contradicts itself ends it: MDB_E_CORRUPT. */
enum mdb_status logbuf_each(struct logbuf *b);

#endif
