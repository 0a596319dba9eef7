/* SPDX-License-Identifier: MIT */
/*
 * The printk ring: descriptors, their infos, and a ring of text.
 *
 * A descriptor's state word has two bits of state on top of the record's id
 * (kernel/printk/printk_ringbuffer.h): 0 reserved, 1 committed, 2 finalized,
 * 3 reusable.  Committed and finalized records have their text; a text block
 * begins with the id again, which is what tells a stale block.  Positions
 * grow for ever; the low size_bits are the index.
 */
#include "prb.h"

#include <stdio.h>
#include <string.h>

static uint64_t
get(const unsigned char *p, size_t len)
{
	uint64_t value = 0;
	size_t i;

	for (i = len; i-- > 0;)
		value = value << 8 | p[i];
	return value;
}

static bool
fits(size_t off, size_t len, size_t whole)
{
	return off <= whole && len <= whole - off;
}

#define MAX_STRUCT 512

static bool
sane(const struct prb *p)
{
	return (p->word == 4 || p->word == 8) && p->count_bits >= 1 &&
	       p->count_bits <= 28 && p->size_bits >= 4 && p->size_bits <= 31 &&
	       p->desc_len <= MAX_STRUCT && p->info_len <= MAX_STRUCT &&
	       fits(p->state_off, p->word, p->desc_len) &&
	       fits(p->begin_off, p->word, p->desc_len) &&
	       fits(p->next_off, p->word, p->desc_len) &&
	       fits(p->seq_off, 8, p->info_len) &&
	       fits(p->ts_off, 8, p->info_len) &&
	       fits(p->text_len_off, 2, p->info_len) &&
	       fits(p->facility_off, 2, p->info_len) &&
	       (p->caller_off < 0 ||
		       fits((size_t)p->caller_off, 4, p->info_len)) &&
	       (p->dev_off < 0 ||
		       (p->subsystem_len < 256 && p->device_len < 256 &&
			       fits((size_t)p->dev_off,
				       p->subsystem_len + p->device_len,
				       p->info_len)));
}

static uint64_t
id_mask(const struct prb *p)
{
	return p->word == 8 ? ~0ull >> 2 : 0x3fffffffull;
}

/*
 * Where the text of a block lies: at *off_out, *len_out bytes.  False: the
 * record has none.  Blocks do not wrap; one that would have is at index 0.
 */
static bool
block(const struct prb *p, uint64_t begin, uint64_t next, uint64_t *off_out,
	uint64_t *len_out)
{
	uint64_t size = 1ull << p->size_bits;
	uint64_t b = begin & (size - 1), n = next & (size - 1);
	uint64_t wrap_mask = p->word == 8 ? ~0ull >> p->size_bits
					  : 0xffffffffull >> p->size_bits;
	uint64_t turn_b = begin >> p->size_bits, turn_n = next >> p->size_bits;

	/* odd positions mean: no data, or an empty line */
	if ((begin & 1) != 0 || begin == next)
		return false;
	if (turn_b == turn_n && n > b) {
		*off_out = b;
		*len_out = n - b;
	} else if (((turn_b + 1) & wrap_mask) == turn_n && n == 0) {
		*off_out = b;
		*len_out = size - b;
	} else if (((turn_b + 1) & wrap_mask) == turn_n) {
		*off_out = 0;
		*len_out = n;
	} else {
		return false;
	}
	return *len_out > p->word;
}

static void
text_of(struct prb *p, const unsigned char *desc, uint64_t id, size_t text_len,
	struct kern_record *r)
{
	uint64_t begin = get(desc + p->begin_off, p->word);
	uint64_t next = get(desc + p->next_off, p->word);
	uint64_t off, len, want;

	r->text = "";
	if (!block(p, begin, next, &off, &len)) {
		/* even and equal or senseless: the text was lost */
		if (text_len != 0)
			r->status = MDB_E_LOST;
		return;
	}
	want = len - p->word < text_len ? len - p->word : text_len;
	r->status = p->read(p->arg, PRB_TEXT, off, p->text,
		(size_t)(want + p->word));
	if (r->status != MDB_OK)
		return;
	if ((get((unsigned char *)p->text, p->word) & id_mask(p)) != id) {
		r->status = MDB_E_LOST;
		return;
	}
	r->text = p->text + p->word;
	r->len = (size_t)want;
}

static void
dict_of(const struct prb *p, const unsigned char *info, char *dict,
	size_t dict_len, struct kern_record *r)
{
	const char *subsystem, *device;
	size_t a, b;

	r->dict = "";
	if (p->dev_off < 0)
		return;
	subsystem = (const char *)info + p->dev_off;
	device = subsystem + p->subsystem_len;
	a = strnlen(subsystem, p->subsystem_len);
	b = strnlen(device, p->device_len);
	if (a == 0 || a + b + sizeof("SUBSYSTEM=\nDEVICE=") > dict_len)
		return;
	r->dict = dict;
	if (b == 0)
		(void)snprintf(dict, dict_len, "SUBSYSTEM=%.*s", (int)a,
			subsystem);
	else
		(void)snprintf(dict, dict_len, "SUBSYSTEM=%.*s\nDEVICE=%.*s",
			(int)a, subsystem, (int)b, device);
	r->dict_len = strlen(dict);
}

/* One id; what is not a record is passed over. */
static enum mdb_status
one(struct prb *p, uint64_t id)
{
	unsigned char desc[MAX_STRUCT], info[MAX_STRUCT];
	uint64_t at = id & ((1ull << p->count_bits) - 1), state;
	struct kern_record r = { .seq = 0 };
	char dict[600];
	enum mdb_status st;

	st = p->read(p->arg, PRB_DESCS, at * p->desc_len, desc, p->desc_len);
	if (st == MDB_OK) {
		state = get(desc + p->state_off, p->word);
		if ((state & id_mask(p)) != id)
			return MDB_OK;
		state >>= 8 * p->word - 2;
		if (state != 1 && state != 2)
			return MDB_OK;
		st = p->read(p->arg, PRB_INFOS, at * p->info_len, info,
			p->info_len);
	}
	if (st == MDB_E_INTERRUPTED)
		return st;
	if (st != MDB_OK) {
		r.status = st;
		r.text = r.dict = "";
		return p->emit(p->arg, &r);
	}
	r.seq = get(info + p->seq_off, 8);
	r.time_ns = get(info + p->ts_off, 8);
	r.facility = info[p->facility_off];
	r.flags = info[p->facility_off + 1] & 0x1fu;
	r.level = info[p->facility_off + 1] >> 5;
	r.has_caller = p->caller_off >= 0;
	if (r.has_caller)
		r.caller = (uint32_t)get(info + p->caller_off, 4);
	dict_of(p, info, dict, sizeof(dict), &r);
	text_of(p, desc, id, (size_t)get(info + p->text_len_off, 2), &r);
	if (r.status == MDB_E_INTERRUPTED)
		return r.status;
	return p->emit(p->arg, &r);
}

enum mdb_status
prb_each(struct prb *p)
{
	uint64_t mask, count, id, i;
	enum mdb_status st;

	if (!sane(p))
		return MDB_E_CORRUPT;
	mask = id_mask(p);
	count = ((p->head_id - p->tail_id) & mask) + 1;
	if (count > 1ull << p->count_bits)
		return MDB_E_CORRUPT;
	for (i = 0; i < count; i++) {
		id = (p->tail_id + i) & mask;
		st = one(p, id);
		if (st != MDB_OK)
			return st;
	}
	return MDB_OK;
}
