/* SPDX-License-Identifier: MIT */
/*
 * The panic message, sought in the kernel's log from its newest record back.
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

/* What the text of a record says of the panic; the better one has a lower
 * rank.  NULL: nothing. */
static const char *
message_in(const char *text, unsigned int *rank_out)
{
	static const struct {
		const char *mark;
		unsigned int rank;
		bool skip; /* the mark is not part of the message */
	} marks[] = {
		{ "Kernel panic - not syncing: ", 0, true },
		{ "BUG: ", 1, false },
		{ "kernel BUG at ", 1, false },
		{ "general protection fault", 1, false },
		{ "Oops: ", 2, false },
	};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		size_t n = strlen(marks[i].mark);

		if (strncmp(text, marks[i].mark, n) != 0)
			continue;
		*rank_out = marks[i].rank;
		return marks[i].skip ? text + n : text;
	}
	return NULL;
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

/* One pointer-sized member of the ring; keys of OFFSET() are summed. */
static bool
ring_member(struct mdb_ctx *cx, const struct mdb_linux *lx, mdb_addr_t base,
	const char *const keys[3], size_t size, uint64_t *value_out)
{
	for (size_t i = 0; i < 3 && keys[i] != NULL; i++) {
		uint64_t off;
		char key[96];

		(void)snprintf(key, sizeof(key), "OFFSET(%s)", keys[i]);
		if (!mdb_linux_info_number(lx, key, &off))
			return false;
		base += off;
	}
	return mdb_space_read_uint(cx, lx->world->space, base, size,
		       value_out) == MDB_OK;
}

static bool
ring_layout(struct mdb_linux *lx, struct ring *r)
{
	uint64_t blk;

	if (!mdb_linux_info_number(lx, "SIZE(prb_desc)", &r->sz_desc) ||
		!mdb_linux_info_number(lx, "SIZE(printk_info)", &r->sz_info) ||
		!mdb_linux_info_number(lx, "OFFSET(prb_desc.state_var)",
			&r->off_state) ||
		!mdb_linux_info_number(lx, "OFFSET(prb_desc.text_blk_lpos)",
			&blk) ||
		!mdb_linux_info_number(lx, "OFFSET(prb_data_blk_lpos.begin)",
			&r->off_begin) ||
		!mdb_linux_info_number(lx, "OFFSET(prb_data_blk_lpos.next)",
			&r->off_next) ||
		!mdb_linux_info_number(lx, "OFFSET(printk_info.text_len)",
			&r->off_text_len))
		return false;
	r->off_begin += blk;
	r->off_next += blk;
	return r->sz_desc <= 4096 && r->sz_info <= 4096 &&
	       r->off_state + 8 <= r->sz_desc &&
	       r->off_begin + 8 <= r->sz_desc &&
	       r->off_next + 8 <= r->sz_desc &&
	       r->off_text_len + 2 <= r->sz_info;
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
	if (prb == 0 || !ring_layout(lx, r) ||
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

static char *
ring_message(struct mdb_ctx *cx, struct mdb_linux *lx)
{
	char text[MAX_TEXT], best[MAX_TEXT];
	unsigned int best_rank = 9;
	struct ring r;
	uint64_t count;

	if (!ring_init(cx, lx, &r))
		return NULL;
	count = (r.head_id - r.tail_id + 1) & ~(3ull << 62);
	if (count > MAX_RECORDS)
		count = MAX_RECORDS;
	if (count > 1ull << r.desc_bits)
		count = 1ull << r.desc_bits;
	for (uint64_t i = 0; i < count && best_rank > 0; i++) {
		const char *message;
		unsigned int rank;

		if (!ring_text(&r, r.head_id - i, text))
			continue;
		message = message_in(text, &rank);
		if (message == NULL || rank >= best_rank)
			continue;
		best_rank = rank;
		(void)snprintf(best, sizeof(best), "%s", message);
	}
	return best_rank < 9 ? mdb_xstrdup(best) : NULL;
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

/* Records only lead forward: the last of the best rank is kept. */
static char *
old_message(struct mdb_ctx *cx, struct mdb_linux *lx)
{
	struct old_log o = { 0 };
	MDB_AUTO_FREE uint8_t *owned = NULL;
	char text[MAX_TEXT], best[MAX_TEXT];
	unsigned int best_rank = 9;
	bool right = old_init(cx, lx, &o);
	uint64_t at = o.first;

	owned = o.buf;
	for (uint64_t i = 0; right && at != o.next && i < o.len / 16; i++) {
		uint64_t len, text_len;
		const char *message;
		unsigned int rank;

		if (at + o.size > o.len)
			break;
		len = mdb_le16(o.buf + at + o.off_len);
		text_len = mdb_le16(o.buf + at + o.off_text_len);
		if (len == 0) { /* the rest of the buffer is unused */
			at = 0;
			continue;
		}
		if (text_len > MAX_TEXT - 1)
			text_len = MAX_TEXT - 1;
		if (at + o.size + text_len > o.len)
			break;
		memcpy(text, o.buf + at + o.size, text_len);
		text[text_len] = '\0';
		message = message_in(text, &rank);
		if (message != NULL && rank <= best_rank) {
			best_rank = rank;
			(void)snprintf(best, sizeof(best), "%s", message);
		}
		at += len;
	}
	return best_rank < 9 ? mdb_xstrdup(best) : NULL;
}

char *
mdb_linux_panic_message(struct mdb_ctx *cx, struct mdb_linux *lx)
{
	char *message;

	/* A machine that went on has not panicked, whatever its log says. */
	if (mdb_linux_panic_cpu(cx, lx->world) < 0)
		return NULL;
	message = ring_message(cx, lx);
	if (message == NULL)
		message = old_message(cx, lx);
	if (message != NULL)
		message[strcspn(message, "\n")] = '\0';
	mdb_forget(cx);
	return message;
}
