/* SPDX-License-Identifier: MIT */
/*
 * The last words: the panic message and that of the oops which led to it,
 * sought in the kernel's log from its newest record back.
 * Places and layouts come from VMCOREINFO alone (kernel/printk/printk.c):
 * `prb' since 5.10, `log_buf' with struct printk_log before.
 */
#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"
#include "mdb/world/linux_world.h"

#include <stdio.h>
#include <string.h>

/* How far back it is sought: registers, modules and a stack follow it. */
#define MAX_RECORDS 4096u
#define MAX_TEXT 1024u

/* Records between a BUG: line and the line that counts the oops. */
#define OOPS_REACH 12u

/* What was found so far; records come newest first. */
struct seeker {
	char panic[MAX_TEXT];
	char oops[MAX_TEXT];
	bool has_panic, has_oops;
	unsigned int since_oops;
};

static bool
begins(const char *text, const char *mark)
{
	return strncmp(text, mark, strlen(mark)) == 0;
}

/* "Oops: 0002 [#1] PREEMPT SMP": the line that every oops has (die()). */
static bool
counts_oops(const char *text)
{
	const char *p = strstr(text, " [#");

	return p != NULL && p[3] >= '1' && p[3] <= '9' &&
	       strchr(p, ']') != NULL;
}

/* Takes one record; true once nothing more is to be learnt. */
static bool
seek(struct seeker *s, const char *text)
{
	static const char panic[] = "Kernel panic - not syncing: ";

	if (!s->has_panic && !s->has_oops && begins(text, panic)) {
		s->has_panic = true;
		(void)snprintf(s->panic, sizeof(s->panic), "%s",
			text + strlen(panic));
		/* Only this one was not the end of an oops' handling. */
		return !begins(s->panic, "Fatal exception");
	}
	if (!s->has_oops && counts_oops(text)) {
		s->has_oops = true;
		(void)snprintf(s->oops, sizeof(s->oops), "%s", text);
	}
	if (!s->has_oops)
		return false;
	if (begins(text, "BUG: ") || begins(text, "kernel BUG at ")) {
		(void)snprintf(s->oops, sizeof(s->oops), "%s", text);
		return true;
	}
	return s->since_oops++ >= OOPS_REACH;
}

/* ---- the ring of 5.10 and later ------------------------------------------
 */

struct ring {
	struct mdb_linux *lx;
	mdb_addr_t descs, infos, data;
	uint64_t desc_bits, data_bits;
	uint64_t head_id, tail_id;
	uint64_t sz_desc, sz_info;
	uint64_t off_state, off_begin, off_next, off_text_len;
};

/* OFFSET(struct.member) or SIZE(struct), which the types know as well. */
static bool
type_number(struct mdb_ctx *cx, struct mdb_world *w, const char *key,
	uint64_t *value_out)
{
	char name[64] = "", member[64] = ""; /* member is a list: two NULs */
	char type_name[80];
	struct mdb_type type;
	bool known;

	if (sscanf(key, "OFFSET(%62[^.].%62[^)])", name, member) != 2 &&
		sscanf(key, "SIZE(%62[^)])", name) != 1)
		return false;
	(void)snprintf(type_name, sizeof(type_name), "struct %s", name);
	if (member[0] != '\0')
		known = mdb_offset_of(cx, w, type_name, member, value_out) ==
			MDB_OK;
	else
		known = mdb_type_by_name(cx, w, type_name, &type) == MDB_OK &&
			mdb_type_size(cx, type, value_out) == MDB_OK;
	mdb_forget(cx);
	return known;
}

static bool
ring_number(struct mdb_ctx *cx, const struct mdb_linux *lx, const char *key,
	uint64_t *value_out)
{
	if (lx->world->vmcoreinfo == NULL)
		return type_number(cx, lx->world, key, value_out);
	return mdb_linux_info_number(lx, key, value_out);
}

/* One pointer-sized member of the ring; keys of OFFSET() are summed. */
static bool
ring_member(struct mdb_ctx *cx, const struct mdb_linux *lx, mdb_addr_t base,
	const char *const keys[3], size_t size, uint64_t *value_out)
{
	for (size_t i = 0; i < 3 && keys[i] != NULL; i++) {
		uint64_t off;
		char key[96];

		(void)snprintf(key, sizeof(key), "OFFSET(%s)", keys[i]);
		if (!ring_number(cx, lx, key, &off))
			return false;
		base += off;
	}
	return mdb_space_read_uint(cx, lx->world->space, base, size,
		       value_out) == MDB_OK;
}

/* What VMCOREINFO states may be any number, and wrap. */
static bool
fits(uint64_t off, uint64_t len, uint64_t whole)
{
	return off <= whole && len <= whole - off;
}

static bool
ring_layout(struct mdb_ctx *cx, struct mdb_linux *lx, struct ring *r)
{
	uint64_t blk;

	if (!ring_number(cx, lx, "SIZE(prb_desc)", &r->sz_desc) ||
		!ring_number(cx, lx, "SIZE(printk_info)", &r->sz_info) ||
		!ring_number(cx, lx, "OFFSET(prb_desc.state_var)",
			&r->off_state) ||
		!ring_number(cx, lx, "OFFSET(prb_desc.text_blk_lpos)", &blk) ||
		!ring_number(cx, lx, "OFFSET(prb_data_blk_lpos.begin)",
			&r->off_begin) ||
		!ring_number(cx, lx, "OFFSET(prb_data_blk_lpos.next)",
			&r->off_next) ||
		!ring_number(cx, lx, "OFFSET(printk_info.text_len)",
			&r->off_text_len))
		return false;
	r->off_begin += blk;
	r->off_next += blk;
	return r->sz_desc <= 4096 && r->sz_info <= 4096 &&
	       fits(r->off_state, 8, r->sz_desc) &&
	       fits(r->off_begin, 8, r->sz_desc) &&
	       fits(r->off_next, 8, r->sz_desc) &&
	       fits(r->off_text_len, 2, r->sz_info);
}

static bool
ring_init(struct mdb_ctx *cx, struct mdb_linux *lx, struct ring *r)
{
	static const char *const d = "printk_ringbuffer.desc_ring";
	static const char *const t = "printk_ringbuffer.text_data_ring";
	static const char *const id = "atomic_long_t.counter";
	mdb_addr_t prb = mdb_linux_info_symbol(lx, "prb");
	mdb_addr_t rb;

	memset(r, 0, sizeof(*r));
	r->lx = lx;
	if (prb == 0 && lx->world->vmcoreinfo == NULL &&
		mdb_linux_symbol(cx, lx, "prb", 0, &prb) != MDB_OK)
		prb = 0;
	if (prb == 0 || !ring_layout(cx, lx, r) ||
		mdb_space_read_uint(cx, lx->world->space, prb, 8, &rb) !=
			MDB_OK)
		return false;
#define GET(out, size, ...)                                                  \
	ring_member(cx, lx, rb, (const char *const[3]){ __VA_ARGS__ }, size, \
		out)
	if (!GET(&r->desc_bits, 4, d, "prb_desc_ring.count_bits") ||
		!GET(&r->descs, 8, d, "prb_desc_ring.descs") ||
		!GET(&r->infos, 8, d, "prb_desc_ring.infos") ||
		!GET(&r->head_id, 8, d, "prb_desc_ring.head_id", id) ||
		!GET(&r->tail_id, 8, d, "prb_desc_ring.tail_id", id) ||
		!GET(&r->data_bits, 4, t, "prb_data_ring.size_bits") ||
		!GET(&r->data, 8, t, "prb_data_ring.data"))
		return false;
#undef GET
	return r->desc_bits < 32 && r->data_bits < 40;
}

/* The text of the record with this id; false if it has none. */
static bool
ring_text(const struct ring *r, uint64_t id, char *text)
{
	struct mdb_space *space = r->lx->world->space;
	uint64_t at = id & ((1ull << r->desc_bits) - 1);
	uint8_t desc[4096], info[4096];
	uint64_t begin, next, state, start;
	size_t len;

	if (mdb_space_try(space, r->descs + at * r->sz_desc, desc,
		    r->sz_desc) != MDB_OK ||
		mdb_space_try(space, r->infos + at * r->sz_info, info,
			r->sz_info) != MDB_OK)
		return false;
	/* The top two bits are the state: 1 committed, 2 finalized. */
	state = mdb_le64(desc + r->off_state);
	if ((state & ~(3ull << 62)) != (id & ~(3ull << 62)) ||
		(state >> 62 != 1 && state >> 62 != 2))
		return false;
	begin = mdb_le64(desc + r->off_begin);
	next = mdb_le64(desc + r->off_next);
	if (begin & 1)
		return false; /* no data */
	/* A block that would cross the end begins at the start again. */
	start = begin & ((1ull << r->data_bits) - 1);
	if (begin >> r->data_bits != (next - 1) >> r->data_bits)
		start = 0;
	len = mdb_le16(info + r->off_text_len);
	if (len > MAX_TEXT - 1)
		len = MAX_TEXT - 1;
	/* Each block starts with its id, 8 bytes. */
	if (len == 0 ||
		mdb_space_try(space, r->data + start + 8, text, len) != MDB_OK)
		return false;
	text[len] = '\0';
	return true;
}

static void
ring_seek(struct mdb_ctx *cx, struct mdb_linux *lx, struct seeker *s)
{
	char text[MAX_TEXT];
	struct ring r;
	uint64_t count;

	if (!ring_init(cx, lx, &r))
		return;
	count = (r.head_id - r.tail_id + 1) & ~(3ull << 62);
	if (count > MAX_RECORDS)
		count = MAX_RECORDS;
	if (count > 1ull << r.desc_bits)
		count = 1ull << r.desc_bits;
	for (uint64_t i = 0; i < count; i++)
		if (ring_text(&r, r.head_id - i, text) && seek(s, text))
			return;
}

/* ---- the buffer before 5.10 ----------------------------------------------
 */

struct old_log {
	uint8_t *buf;
	uint64_t len;
	uint64_t first, next;
	uint64_t size, off_len, off_text_len;
};

static bool
old_number(struct mdb_ctx *cx, struct mdb_linux *lx, const char *symbol,
	size_t size, uint64_t *value_out)
{
	mdb_addr_t addr = mdb_linux_info_symbol(lx, symbol);

	return addr != 0 && mdb_space_read_uint(cx, lx->world->space, addr,
				    size, value_out) == MDB_OK;
}

static bool
old_init(struct mdb_ctx *cx, struct mdb_linux *lx, struct old_log *o)
{
	uint64_t buf;

	if (!old_number(cx, lx, "log_buf", 8, &buf) ||
		!old_number(cx, lx, "log_buf_len", 4, &o->len) ||
		!old_number(cx, lx, "log_first_idx", 4, &o->first) ||
		!old_number(cx, lx, "log_next_idx", 4, &o->next) ||
		!mdb_linux_info_number(lx, "SIZE(printk_log)", &o->size) ||
		!mdb_linux_info_number(lx, "OFFSET(printk_log.len)",
			&o->off_len) ||
		!mdb_linux_info_number(lx, "OFFSET(printk_log.text_len)",
			&o->off_text_len))
		return false;
	if (o->len < 4096 || o->len > 64u << 20 || o->size < 16 ||
		o->size > 256 || o->off_len > o->size - 2 ||
		o->off_text_len > o->size - 2 || o->first >= o->len ||
		o->next >= o->len)
		return false;
	o->buf = mdb_try_alloc(o->len, 1);
	return o->buf != NULL && mdb_space_read(cx, lx->world->space, buf,
					 o->buf, o->len) == MDB_OK;
}

/* The text of the record at an offset; false if it is none. */
static bool
old_text(const struct old_log *o, uint64_t at, char *text)
{
	uint64_t len = mdb_le16(o->buf + at + o->off_text_len);

	if (len > MAX_TEXT - 1)
		len = MAX_TEXT - 1;
	if (at + o->size + len > o->len)
		return false;
	memcpy(text, o->buf + at + o->size, len);
	text[len] = '\0';
	return true;
}

/* Records only lead forward: the way is kept and gone back. */
static void
old_walk(const struct old_log *o, uint32_t *way, struct seeker *s)
{
	char text[MAX_TEXT];
	uint64_t at = o->first;
	size_t nr = 0;

	while (at != o->next && at + o->size <= o->len && nr < o->len / 16) {
		uint64_t len = mdb_le16(o->buf + at + o->off_len);

		if (len == 0) { /* the rest of the buffer is unused */
			if (at == 0)
				break;
			at = 0;
			continue;
		}
		way[nr++] = (uint32_t)at;
		at += len;
	}
	for (size_t i = 0; i < nr && i < MAX_RECORDS; i++)
		if (old_text(o, way[nr - 1 - i], text) && seek(s, text))
			return;
}

static void
old_seek(struct mdb_ctx *cx, struct mdb_linux *lx, struct seeker *s)
{
	struct old_log o = { 0 };

	if (old_init(cx, lx, &o)) {
		MDB_AUTO_FREE uint32_t *way =
			mdb_xarray(o.len / 16 + 1, sizeof(*way));

		old_walk(&o, way, s);
	}
	free(o.buf);
}

void
mdb_linux_messages_find(struct mdb_ctx *cx, struct mdb_linux *lx)
{
	struct seeker s = { 0 };

	if (lx->messages_tried)
		return;
	lx->messages_tried = true;
	/* A machine that went on has not panicked, whatever its log says. */
	if (mdb_linux_panic_cpu(cx, lx->world) < 0)
		return;
	ring_seek(cx, lx, &s);
	if (!s.has_panic && !s.has_oops)
		old_seek(cx, lx, &s);
	mdb_forget(cx);
	s.panic[strcspn(s.panic, "\n")] = '\0';
	s.oops[strcspn(s.oops, "\n")] = '\0';
	if (s.has_panic)
		lx->panic_message = mdb_xstrdup(s.panic);
	if (s.has_oops)
		lx->oops_message = mdb_xstrdup(s.oops);
}
