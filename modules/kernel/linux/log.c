/* SPDX-License-Identifier: MIT */
/*
 * Where Linux's log lies in a dump: symbols, and offsets from the types or,
 * without them, from VMCOREINFO, which states them for this very purpose.
 */
#include "prb.h"

#include "linux.h"

#include <string.h>

/* The dump's memory behind an area of a log. */
struct source {
	struct mdb_ctx *cx;
	struct mdb_world *world;
	mdb_addr_t areas[3];
	kern_record_fn *fn;
	void *arg;
};

static enum mdb_status
source_read(void *arg, enum prb_area area, uint64_t off, void *buf, size_t len)
{
	struct source *s = arg;
	enum mdb_status st = mdb_check_interrupt(s->cx);

	if (st != MDB_OK)
		return st;
	st = mdb_read(s->cx, mdb_kernel_loc(s->world, s->areas[area] + off),
		buf, len);
	if (st != MDB_OK)
		mdb_forget(s->cx);
	return st;
}

static enum mdb_status
source_emit(void *arg, const struct kern_record *rec)
{
	struct source *s = arg;

	return s->fn(s->cx, rec, s->arg);
}

/* A member's offset; MDB_E_NOTFOUND when neither source knows it. */
static enum mdb_status
offset(struct mdb_ctx *cx, struct mdb_world *w, const char *type,
	const char *member, size_t *out)
{
	uint64_t value;
	enum mdb_status st;

	if (linux_offset(cx, w, mdb_tmp_printf(cx, "struct %s", type),
		    mdb_tmp_printf(cx, "%s%c", member, '\0'), &value)) {
		*out = (size_t)value;
		return MDB_OK;
	}
	st = mdb_vmcoreinfo_uint(cx, w,
		mdb_tmp_printf(cx, "OFFSET(%s.%s)", type, member), &value);
	if (st == MDB_OK)
		*out = (size_t)value;
	return st;
}

static enum mdb_status
size(struct mdb_ctx *cx, struct mdb_world *w, const char *type, size_t *out)
{
	uint64_t value;
	enum mdb_status st = MDB_OK;

	if (!linux_type_size(cx, w, mdb_tmp_printf(cx, "struct %s", type),
		    &value))
		st = mdb_vmcoreinfo_uint(cx, w,
			mdb_tmp_printf(cx, "SIZE(%s)", type), &value);
	if (st == MDB_OK)
		*out = (size_t)value;
	return st;
}

/* One row of what is wanted: a member's offset, or a size. */
struct want {
	const char *type;
	const char *member; /* NULL: the size */
	size_t *out;
};

static enum mdb_status
resolve(struct mdb_ctx *cx, struct mdb_world *w, const struct want *wants)
{
	enum mdb_status st = MDB_OK;

	for (; st == MDB_OK && wants->type != NULL; wants++)
		st = wants->member == NULL
			     ? size(cx, w, wants->type, wants->out)
			     : offset(cx, w, wants->type, wants->member,
				       wants->out);
	return st == MDB_OK ? st : mdb_context(cx, st, "the layout of the log");
}

/* ---- the ring of 5.10 on ------------------------------------------------- */

struct ring_layout {
	size_t desc_ring, text_ring, count_bits, descs, infos, head, tail;
	size_t size_bits, data, counter, lpos, begin, next, dev, subsystem;
};

static enum mdb_status
ring_layout(struct mdb_ctx *cx, struct mdb_world *w, struct prb *p,
	struct ring_layout *l)
{
	const struct want wants[] = {
		{ "printk_ringbuffer", "desc_ring", &l->desc_ring },
		{ "printk_ringbuffer", "text_data_ring", &l->text_ring },
		{ "prb_desc_ring", "count_bits", &l->count_bits },
		{ "prb_desc_ring", "descs", &l->descs },
		{ "prb_desc_ring", "infos", &l->infos },
		{ "prb_desc_ring", "head_id", &l->head },
		{ "prb_desc_ring", "tail_id", &l->tail },
		{ "prb_data_ring", "size_bits", &l->size_bits },
		{ "prb_data_ring", "data", &l->data },
		{ "prb_data_blk_lpos", "begin", &l->begin },
		{ "prb_data_blk_lpos", "next", &l->next },
		{ "prb_desc", "state_var", &p->state_off },
		{ "prb_desc", "text_blk_lpos", &l->lpos },
		{ "prb_desc", NULL, &p->desc_len },
		{ "printk_info", "seq", &p->seq_off },
		{ "printk_info", "ts_nsec", &p->ts_off },
		{ "printk_info", "text_len", &p->text_len_off },
		{ "printk_info", NULL, &p->info_len },
		{ NULL, NULL, NULL },
	};
	enum mdb_status st = resolve(cx, w, wants);
	size_t caller;

	if (st != MDB_OK)
		return st;
	p->begin_off = l->lpos + l->begin;
	p->next_off = l->lpos + l->next;
	/* the bytes after text_len: facility, then flags and level */
	p->facility_off = p->text_len_off + 2;
	p->caller_off = -1;
	if (offset(cx, w, "printk_info", "caller_id", &caller) == MDB_OK)
		p->caller_off = (long)caller;
	p->dev_off = -1;
	if (offset(cx, w, "printk_info", "dev_info", &l->dev) == MDB_OK &&
		offset(cx, w, "dev_printk_info", "device", &l->subsystem) ==
			MDB_OK) {
		size_t whole;

		if (size(cx, w, "dev_printk_info", &whole) == MDB_OK &&
			whole > l->subsystem) {
			p->dev_off = (long)l->dev;
			p->subsystem_len = l->subsystem;
			p->device_len = whole - l->subsystem;
		}
	}
	mdb_forget(cx);
	return MDB_OK;
}

/* Reads the ring's own words; prb is the variable `prb`, a pointer. */
static enum mdb_status
ring_open(struct mdb_ctx *cx, struct mdb_world *w, mdb_addr_t prb,
	struct prb *p, struct source *s)
{
	struct ring_layout l;
	enum mdb_status st = ring_layout(cx, w, p, &l);
	const struct {
		uint64_t at;
		size_t len; /* 0: of a pointer */
		uint64_t *out;
	} words[] = {
		{ l.desc_ring + l.head, 0, &p->head_id },
		{ l.desc_ring + l.tail, 0, &p->tail_id },
		{ l.desc_ring + l.descs, 0, &s->areas[PRB_DESCS] },
		{ l.desc_ring + l.infos, 0, &s->areas[PRB_INFOS] },
		{ l.text_ring + l.data, 0, &s->areas[PRB_TEXT] },
	};
	uint64_t count_bits, size_bits;
	size_t i;

	for (i = 0; st == MDB_OK && i < sizeof(words) / sizeof(words[0]); i++)
		st = mdb_read_uint(cx, mdb_kernel_loc(w, prb + words[i].at),
			p->word, words[i].out);
	if (st == MDB_OK)
		st = mdb_read_uint(cx,
			mdb_kernel_loc(w, prb + l.desc_ring + l.count_bits), 4,
			&count_bits);
	if (st == MDB_OK)
		st = mdb_read_uint(cx,
			mdb_kernel_loc(w, prb + l.text_ring + l.size_bits), 4,
			&size_bits);
	if (st != MDB_OK)
		return mdb_context(cx, st, "the log's ring at %llx",
			(unsigned long long)prb);
	p->count_bits = (unsigned int)count_bits;
	p->size_bits = (unsigned int)size_bits;
	return MDB_OK;
}

static enum mdb_status
ring_log(struct mdb_ctx *cx, struct mdb_world *w, mdb_addr_t prb,
	struct source *s)
{
	struct prb p = { .word = mdb_world_word(w),
		.read = source_read,
		.emit = source_emit,
		.arg = s,
		.text = mdb_tmp(cx, PRB_TEXT_MAX + 16) };
	enum mdb_status st = ring_open(cx, w, prb, &p, s);

	if (st != MDB_OK)
		return st;
	st = prb_each(&p);
	if (st == MDB_E_CORRUPT)
		return mdb_fail(cx, st,
			"the log's ring at %llx contradicts itself",
			(unsigned long long)prb);
	return st;
}

/* ---- the buffer before 5.10 ---------------------------------------------- */

static enum mdb_status
buffer_layout(struct mdb_ctx *cx, struct mdb_world *w, struct logbuf *b)
{
	const struct want wants[] = {
		{ "printk_log", "ts_nsec", &b->ts_off },
		{ "printk_log", "len", &b->len_off },
		{ "printk_log", "text_len", &b->text_len_off },
		{ "printk_log", "dict_len", &b->dict_len_off },
		{ "printk_log", NULL, &b->header_len },
		{ NULL, NULL, NULL },
	};
	enum mdb_status st = resolve(cx, w, wants);
	size_t caller;

	if (st != MDB_OK)
		return st;
	b->facility_off = b->dict_len_off + 2;
	b->caller_off = -1;
	if (offset(cx, w, "printk_log", "caller_id", &caller) == MDB_OK)
		b->caller_off = (long)caller;
	mdb_forget(cx);
	return MDB_OK;
}

static enum mdb_status
buffer_log(struct mdb_ctx *cx, struct mdb_world *w, struct source *s)
{
	struct logbuf b = { .read = source_read,
		.emit = source_emit,
		.arg = s,
		.text = mdb_tmp(cx, PRB_TEXT_MAX + 16),
		.dict = mdb_tmp(cx, PRB_TEXT_MAX + 16) };
	enum mdb_status st = buffer_layout(cx, w, &b);

	if (st == MDB_OK)
		st = linux_sym_ptr(cx, w, "log_buf", &s->areas[PRB_TEXT]);
	if (st == MDB_OK)
		st = linux_sym_uint(cx, w, "log_buf_len", 4, &b.len);
	if (st == MDB_OK)
		st = linux_sym_uint(cx, w, "log_first_idx", 4, &b.first);
	if (st == MDB_OK)
		st = linux_sym_uint(cx, w, "log_next_idx", 4, &b.next);
	if (st != MDB_OK)
		return mdb_context(cx, st, "the log buffer");
	if (linux_sym_uint(cx, w, "log_first_seq", 8, &b.first_seq) != MDB_OK)
		mdb_forget(cx);
	st = logbuf_each(&b);
	if (st == MDB_E_CORRUPT || mdb_is_fault(st))
		return mdb_fail(cx, st,
			"the log buffer cannot be followed to its end");
	return st;
}

enum mdb_status
linux_log(struct mdb_ctx *cx, struct mdb_world *w, kern_record_fn *fn,
	void *arg)
{
	struct source s = { .cx = cx, .world = w, .fn = fn, .arg = arg };
	mdb_addr_t prb;

	if (linux_sym_ptr(cx, w, "prb", &prb) == MDB_OK && prb != 0)
		return ring_log(cx, w, prb, &s);
	mdb_forget(cx);
	return buffer_log(cx, w, &s);
}
