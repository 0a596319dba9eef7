/* SPDX-License-Identifier: MIT */
/*
 * ::xenmsg: the hypervisor's console ring (xen/drivers/char/console.c, 4.14 to
 * 4.20).
 *
 * conring[] is conring_size bytes, a power of two; byte n ever written is at n
 * modulo that.  conringp counts those written, conringc those that were
 * overwritten or that a reader cleared: what lies between them is the log,
 * whether or not a serial port has sent it yet.
 */
#include "xpv.h"

#include <inttypes.h>
#include <string.h>

#define MAX_RING (64u << 20)

const struct mdb_option xpv_xenmsg_options[] = {
	{ 'a', MDB_OPT_FLAG, NULL,
		"also what was cleared (xl dmesg -c) but not overwritten" },
	{ 'v', MDB_OPT_FLAG, NULL,
		"how the ring stands, and what serial ports had to send" },
	{ 0 },
};

static const struct mdb_column columns[] = {
	{ "pos", NULL, 0, MDB_COL_JSON_ONLY, 0,
		"which byte of all ever written the line begins with" },
	{ "message", "MESSAGE", 0, MDB_COL_LEFT, 0, "one line of text" },
	{ NULL },
};

const struct mdb_table xpv_xenmsg_table = { .name = "messages",
	.columns = columns };

const struct mdb_example xpv_xenmsg_examples[] = {
	{ "::xenmsg", "the hypervisor's log, oldest line first" },
	{ "::xenmsg ! tail", "its end" },
	{ NULL },
};

struct ring {
	struct mdb_loc bytes;
	uint64_t size, produced, consumed;
};

static enum mdb_status
read_u32(struct mdb_ctx *cx, struct mdb_world *world, const char *name,
	uint64_t *value_out)
{
	struct mdb_loc loc;
	enum mdb_status st = xpv_var_loc(cx, world, name, &loc);

	if (st == MDB_OK)
		st = mdb_read_uint(cx, loc, 4, value_out);
	return st == MDB_OK ? st : mdb_context(cx, st, "the console ring");
}

/* The counters are 32 bits wide and may wrap: distances are, too. */
static enum mdb_status
ring_read(struct mdb_ctx *cx, struct mdb_world *world, struct ring *r)
{
	enum mdb_status st = read_u32(cx, world, "conring_size", &r->size);

	if (st == MDB_OK)
		st = read_u32(cx, world, "conringp", &r->produced);
	if (st == MDB_OK)
		st = read_u32(cx, world, "conringc", &r->consumed);
	if (st == MDB_OK)
		st = xpv_var_ptr(cx, world, "conring", &r->bytes.addr);
	if (st != MDB_OK)
		return st;
	r->bytes = mdb_kernel_loc(world, r->bytes.addr);
	if (r->size == 0 || (r->size & (r->size - 1)) != 0 ||
		r->size > MAX_RING)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"the console ring cannot have %#" PRIx64 " bytes",
			r->size);
	if ((uint32_t)(r->produced - r->consumed) > r->size)
		return mdb_fail(cx, MDB_E_CORRUPT,
			"the console ring of %#" PRIx64 " bytes cannot hold "
			"bytes %#" PRIx64 " to %#" PRIx64,
			r->size, r->consumed, r->produced);
	return MDB_OK;
}

/* Where nothing can be read there is a line that says so. */
static void
hole(struct mdb_ctx *cx, enum mdb_status st, char *buf, size_t len)
{
	const char *word = mdb_tmp_printf(cx, "\n<%s>\n", mdb_status_name(st));
	size_t n = strlen(word);

	mdb_warn(cx, st, "%zu bytes of the console ring", len);
	memset(buf, '.', len);
	memcpy(buf, word, n < len ? n : len);
}

/* What can be read of [at, at + len) of the ring; holes are said. */
static enum mdb_status
ring_copy(struct mdb_ctx *cx, const struct ring *r, uint64_t at, char *buf,
	size_t len)
{
	for (size_t done = 0; done < len;) {
		uint64_t off = (at + done) & (r->size - 1);
		size_t n = len - done;
		enum mdb_status st;

		if (n > r->size - off)
			n = r->size - off;
		if (n > 4096 - off % 4096)
			n = 4096 - off % 4096;
		st = mdb_read(cx, mdb_at(r->bytes, r->bytes.addr + off),
			buf + done, n);
		if (st != MDB_OK)
			hole(cx, st, buf + done, n);
		done += n;
	}
	return mdb_check_interrupt(cx);
}

static enum mdb_status
state_line(struct mdb_ctx *cx, const struct ring *r)
{
	return mdb_line(cx,
		"ring of %" PRIu64 " bytes at %" PRIx64 ": %" PRIu64
		" written, %" PRIu64 " overwritten or cleared",
		r->size, r->bytes.addr, r->produced, r->consumed);
}

/* com[] of xen/drivers/char/serial.c. */
#define NR_PORTS 4
static enum mdb_status
port_lines(struct mdb_ctx *cx, struct mdb_world *world)
{
	struct mdb_loc com;
	struct mdb_type type;
	uint64_t size, p, c;
	enum mdb_status st = MDB_OK;

	if (xpv_var_loc(cx, world, "com", &com) != MDB_OK ||
		mdb_type_by_name(cx, world, "struct serial_port", &type) !=
			MDB_OK ||
		mdb_type_size(cx, type, &size) != MDB_OK) {
		mdb_forget(cx);
		return mdb_line(cx, "serial ports: not known");
	}
	for (unsigned int i = 0; i < NR_PORTS && st == MDB_OK; i++) {
		struct mdb_loc port = mdb_at(com, com.addr + i * size);

		if (xpv_member(cx, port, "struct serial_port", "txbufp\0",
			    &p) != MDB_OK ||
			xpv_member(cx, port, "struct serial_port", "txbufc\0",
				&c) != MDB_OK) {
			mdb_forget(cx);
			continue;
		}
		if ((uint32_t)(p - c) != 0)
			st = mdb_line(cx,
				"serial port %u had %u bytes yet to send", i,
				(uint32_t)(p - c));
	}
	return st;
}

static enum mdb_status
lines(struct mdb_ctx *cx, const char *buf, size_t len, uint64_t first)
{
	enum mdb_status st = MDB_OK;

	for (size_t at = 0; at < len && st == MDB_OK;) {
		const char *end = memchr(buf + at, '\n', len - at);
		size_t n = end != NULL ? (size_t)(end - (buf + at)) : len - at;
		struct mdb_value v[] = {
			mdb_v_uint(first + at),
			mdb_v_str(buf + at, n),
		};

		st = mdb_row(cx, &xpv_xenmsg_table, v);
		at += n + 1;
	}
	return st;
}

/* The first of the bytes that are there. */
static uint64_t
begin_of(const struct ring *r, bool all)
{
	uint64_t all_from = r->produced > r->size ? r->produced - r->size : 0;

	if (all)
		return all_from;
	return r->produced - (uint32_t)(r->produced - r->consumed);
}

enum mdb_status
xpv_xenmsg(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_world *world;
	struct ring r;
	uint64_t from;
	size_t len;
	char *buf;
	enum mdb_status st = xpv_world(cx, &world);

	if (st == MDB_OK)
		st = ring_read(cx, world, &r);
	if (st != MDB_OK)
		return st;
	if (mdb_opt(call, 'v')) {
		st = state_line(cx, &r);
		if (st == MDB_OK)
			st = port_lines(cx, world);
	}
	if (st != MDB_OK)
		return st;
	from = begin_of(&r, mdb_opt(call, 'a'));
	len = (uint32_t)(r.produced - from);
	buf = mdb_tmp(cx, len + 1);
	st = ring_copy(cx, &r, from, buf, len);
	return st == MDB_OK ? lines(cx, buf, len, from) : st;
}
