/* SPDX-License-Identifier: MIT */
/* The log buffer of Linux 4.14 to 5.9 (kernel/printk/printk.c). */
#include "prb.h"

#include <string.h>

#define MAX_HEADER 128

static bool
fits(size_t off, size_t len, size_t whole)
{
	return off <= whole && len <= whole - off;
}

static bool
sane(const struct logbuf *b)
{
	return b->len >= 64 && b->len <= 1ull << 31 && b->header_len >= 16 &&
	       b->header_len <= MAX_HEADER && b->first < b->len &&
	       b->next <= b->len && fits(b->ts_off, 8, b->header_len) &&
	       fits(b->len_off, 2, b->header_len) &&
	       fits(b->text_len_off, 2, b->header_len) &&
	       fits(b->dict_len_off, 2, b->header_len) &&
	       fits(b->facility_off, 2, b->header_len) &&
	       (b->caller_off < 0 ||
		       fits((size_t)b->caller_off, 4, b->header_len));
}

static uint64_t
get(const unsigned char *p, size_t len)
{
	uint64_t value = 0;

	while (len-- > 0)
		value = value << 8 | p[len];
	return value;
}

/* The record at offset at, whose header was read; its parts are bounded. */
static enum mdb_status
record(struct logbuf *b, uint64_t at, const unsigned char *h, uint64_t seq)
{
	size_t len = (size_t)get(h + b->len_off, 2);
	size_t text = (size_t)get(h + b->text_len_off, 2);
	size_t dict = (size_t)get(h + b->dict_len_off, 2);
	struct kern_record r = { .seq = seq };

	if (len < b->header_len || text + dict > len - b->header_len ||
		len > b->len - at)
		return MDB_E_CORRUPT;
	r.time_ns = get(h + b->ts_off, 8);
	r.facility = h[b->facility_off];
	r.flags = h[b->facility_off + 1] & 0x1fu;
	r.level = h[b->facility_off + 1] >> 5;
	r.has_caller = b->caller_off >= 0;
	if (r.has_caller)
		r.caller = (uint32_t)get(h + b->caller_off, 4);
	r.text = b->text;
	r.dict = b->dict;
	if (text != 0)
		r.status = b->read(b->arg, PRB_TEXT, at + b->header_len,
			b->text, text);
	if (r.status == MDB_OK && dict != 0)
		r.status = b->read(b->arg, PRB_TEXT, at + b->header_len + text,
			b->dict, dict);
	if (r.status == MDB_E_INTERRUPTED)
		return r.status;
	if (r.status == MDB_OK) {
		r.len = text;
		r.dict_len = dict;
	}
	return b->emit(b->arg, &r);
}

/*
 * From first to next, with one turn at most.  Where a header cannot be read
 * the way on is not known either, so that is the end.
 */
enum mdb_status
logbuf_each(struct logbuf *b)
{
	unsigned char h[MAX_HEADER];
	uint64_t at, seq, len, walked = 0;
	bool turned = false;
	enum mdb_status st;

	if (!sane(b))
		return MDB_E_CORRUPT;
	at = b->first;
	seq = b->first_seq;
	while (at != b->next && walked <= b->len) {
		/* too near to the end for a header: as a length of 0 */
		len = 0;
		if (b->header_len <= b->len - at) {
			st = b->read(b->arg, PRB_TEXT, at, h, b->header_len);
			if (st != MDB_OK)
				return st;
			len = get(h + b->len_off, 2);
		}
		if (len == 0) {
			if (turned)
				return MDB_E_CORRUPT;
			turned = true;
			at = 0;
			continue;
		}
		st = record(b, at, h, seq++);
		if (st != MDB_OK)
			return st;
		at += len;
		walked += len;
		if (turned && at > b->next)
			return MDB_E_CORRUPT;
	}
	return at == b->next ? MDB_OK : MDB_E_CORRUPT;
}
