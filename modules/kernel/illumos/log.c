/* SPDX-License-Identifier: MIT */
/*
 * The message log of illumos: log_recentq, a STREAMS queue that keeps what was
 * logged last (sys/log.h, sys/strlog.h, sys/stream.h).
 *
 * Each message is an mblk_t with a log_ctl_t, and behind it (b_cont) one or
 * more with the text; the messages hang together by b_next.
 */
#include "illumos.h"

#include <inttypes.h>
#include <string.h>

#define MAX_MESSAGES 100000
#define MAX_BLOCKS 64	/* of one message */
#define MAX_TEXT 0x4000 /* of one message */

struct block {
	mdb_addr_t next, cont;
	mdb_addr_t rptr, wptr;
};

static const struct mdb_field block_fields[] = {
	MDB_FIELD(struct block, next, "b_next"),
	MDB_FIELD(struct block, cont, "b_cont"),
	MDB_FIELD(struct block, rptr, "b_rptr"),
	MDB_FIELD(struct block, wptr, "b_wptr"),
	MDB_FIELD_END,
};

static const struct mdb_shape block_shape = { "mblk_t", block_fields };

struct control {
	uint8_t level;
	uint32_t flags;
	uint32_t ltime; /* clock ticks since boot */
	uint32_t seq_no;
	uint32_t pri; /* facility and level as in syslog */
};

static const struct mdb_field control_fields[] = {
	MDB_FIELD_OPT(struct control, level, "level"),
	MDB_FIELD_OPT(struct control, flags, "flags"),
	MDB_FIELD_OPT(struct control, ltime, "ltime"),
	MDB_FIELD_OPT(struct control, seq_no, "seq_no"),
	MDB_FIELD_OPT(struct control, pri, "pri"),
	MDB_FIELD_END,
};

static const struct mdb_shape control_shape = { "log_ctl_t", control_fields };

#define NSEC 1000000000ull

/* What the control block says; a message without one is shown all the same. */
static void
fill_control(struct mdb_ctx *cx, struct mdb_loc loc, uint64_t hz,
	struct kern_record *rec)
{
	struct control c;

	if (mdb_read_shape(cx, &control_shape, loc, &c) != MDB_OK) {
		mdb_forget(cx);
		return;
	}
	rec->seq = c.seq_no;
	rec->time_ns = c.ltime * (NSEC / hz);
	rec->facility = c.pri >> 3;
	rec->level = c.pri & 7;
	rec->flags = c.flags;
}

/* The text of the blocks from `at` on; how much of it there was. */
static enum mdb_status
read_text(struct mdb_ctx *cx, struct mdb_loc at, char *text, size_t *len_out)
{
	enum mdb_status st = MDB_OK;
	struct block b;
	size_t len = 0;

	for (int i = 0; at.addr != 0 && i < MAX_BLOCKS && st == MDB_OK; i++) {
		size_t want;

		st = mdb_read_shape(cx, &block_shape, at, &b);
		if (st != MDB_OK)
			break;
		if (b.wptr < b.rptr || b.wptr - b.rptr > MAX_TEXT - len) {
			st = mdb_fail(cx, MDB_E_CORRUPT,
				"a block of text from %" PRIx64 " to %" PRIx64,
				b.rptr, b.wptr);
			break;
		}
		want = b.wptr - b.rptr;
		if (want != 0)
			st = mdb_read(cx, mdb_at(at, b.rptr), text + len, want);
		if (st == MDB_OK)
			len += want;
		at.addr = b.cont;
	}
	*len_out = len;
	return st;
}

/* Up to a NUL, without the newline at its end or what began a line anew. */
static void
trim(struct kern_record *rec, const char *text, size_t len)
{
	len = strnlen(text, len);
	if (len > 0 && text[0] == '\r') {
		text++;
		len--;
	}
	if (len > 0 && text[len - 1] == '\n')
		len--;
	rec->text = text;
	rec->len = len;
}

/* A pass over the log. */
struct pass {
	uint64_t hz;
	char *text; /* of the message at hand: MAX_TEXT bytes */
	kern_record_fn *fn;
	void *arg;
};

static enum mdb_status
message(struct mdb_ctx *cx, struct mdb_loc loc, const struct block *b,
	const struct pass *pass)
{
	struct kern_record rec = { .text = "", .dict = "" };
	size_t len;

	fill_control(cx, mdb_at(loc, b->rptr), pass->hz, &rec);
	rec.status = read_text(cx, mdb_at(loc, b->cont), pass->text, &len);
	if (rec.status == MDB_E_INTERRUPTED)
		return rec.status;
	mdb_forget(cx);
	if (len != 0)
		rec.status = MDB_OK;
	trim(&rec, pass->text, len);
	return pass->fn(cx, &rec, pass->arg);
}

/* Ticks in a second: 100 unless a variable says else. */
static uint64_t
ticks_per_second(struct mdb_ctx *cx, struct mdb_world *w)
{
	struct mdb_loc loc;
	uint64_t hz;

	if (illumos_var(cx, w, "hz", &loc) == MDB_OK &&
		mdb_read_uint(cx, loc, 4, &hz) == MDB_OK && hz != 0 &&
		hz <= 100000)
		return hz;
	mdb_forget(cx);
	return 100;
}

static enum mdb_status
first_message(struct mdb_ctx *cx, struct mdb_world *w, struct mdb_loc *loc_out)
{
	mdb_addr_t queue = 0, first = 0;
	uint64_t offset = 0;
	enum mdb_status st = illumos_var_ptr(cx, w, "log_recentq", &queue);

	if (st == MDB_OK)
		st = mdb_offset_of(cx, w, "queue_t", "q_first\0", &offset);
	if (st == MDB_OK)
		st = mdb_read_ptr(cx, mdb_kernel_loc(w, queue + offset),
			&first);
	if (st == MDB_OK)
		*loc_out = mdb_kernel_loc(w, first);
	return st;
}

enum mdb_status
illumos_log(struct mdb_ctx *cx, struct mdb_world *w, kern_record_fn *fn,
	void *arg)
{
	const struct pass pass = { ticks_per_second(cx, w),
		mdb_tmp(cx, MAX_TEXT), fn, arg };
	mdb_addr_t mark = 0;
	size_t met = 0, power = 1;
	struct mdb_loc loc;
	struct block b;
	enum mdb_status st = first_message(cx, w, &loc);

	if (st != MDB_OK)
		return mdb_context(cx, st, "the log");
	while (st == MDB_OK && loc.addr != 0) {
		if (loc.addr == mark || met > MAX_MESSAGES)
			return mdb_fail(cx, MDB_E_CORRUPT,
				"the log comes back to %" PRIx64, loc.addr);
		if (met++ == power) {
			mark = loc.addr;
			power *= 2;
		}
		st = mdb_read_shape(cx, &block_shape, loc, &b);
		if (st != MDB_OK)
			return mdb_context(cx, st, "the log after %zu messages",
				met - 1);
		st = message(cx, loc, &b, &pass);
		loc.addr = b.next;
	}
	return st;
}
