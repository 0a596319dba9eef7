/* SPDX-License-Identifier: MIT */
/*
 * The log's parsers over rings built here as the kernel builds them, whole
 * and then damaged at random.
 */
#include "prb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_BITS 4
#define SIZE_BITS 9
#define NR_DESCS (1u << COUNT_BITS)
#define TEXT_LEN (1u << SIZE_BITS)
#define DESC_LEN 24
#define INFO_LEN 88
#define MAX_OUT 64

struct ring {
	unsigned char descs[NR_DESCS * DESC_LEN];
	unsigned char infos[NR_DESCS * INFO_LEN];
	unsigned char text[TEXT_LEN];
	uint64_t first_id, next_id;
	uint64_t head_lpos, tail_lpos;
	/* reads of this area fail from this offset on */
	enum prb_area bad_area;
	uint64_t bad_from;
	/* what came out */
	struct kern_record out[MAX_OUT];
	char texts[MAX_OUT][512];
	char dicts[MAX_OUT][128];
	size_t nr_out;
	uint64_t nr_total;
	char scratch[PRB_TEXT_MAX + 16];
	char scratch2[PRB_TEXT_MAX + 16];
};

static void
put(unsigned char *p, uint64_t value, size_t len)
{
	while (len-- > 0) {
		*p++ = (unsigned char)value;
		value >>= 8;
	}
}

static enum mdb_status
ring_read(void *arg, enum prb_area area, uint64_t off, void *buf, size_t len)
{
	struct ring *r = arg;
	const unsigned char *from[] = { r->descs, r->infos, r->text };
	const size_t lens[] = { sizeof(r->descs), sizeof(r->infos),
		sizeof(r->text) };

	assert_true(off <= lens[area] && len <= lens[area] - off);
	if (area == r->bad_area && off + len > r->bad_from)
		return MDB_E_EXCLUDED;
	memcpy(buf, from[area] + off, len);
	return MDB_OK;
}

static enum mdb_status
ring_emit(void *arg, const struct kern_record *rec)
{
	struct ring *r = arg;
	size_t i = r->nr_out;

	r->nr_total++;
	if (i == MAX_OUT)
		return MDB_OK;
	r->out[i] = *rec;
	(void)snprintf(r->texts[i], sizeof(r->texts[i]), "%.*s", (int)rec->len,
		rec->text);
	(void)snprintf(r->dicts[i], sizeof(r->dicts[i]), "%.*s",
		(int)rec->dict_len, rec->dict);
	r->nr_out++;
	return MDB_OK;
}

static struct prb
ring_prb(struct ring *r)
{
	return (struct prb){
		.word = 8,
		.count_bits = COUNT_BITS,
		.size_bits = SIZE_BITS,
		.head_id = (r->next_id - 1) & (~0ull >> 2),
		.tail_id = r->first_id,
		.desc_len = DESC_LEN,
		.state_off = 0,
		.begin_off = 8,
		.next_off = 16,
		.info_len = INFO_LEN,
		.seq_off = 0,
		.ts_off = 8,
		.text_len_off = 16,
		.facility_off = 18,
		.caller_off = 20,
		.dev_off = 24,
		.subsystem_len = 16,
		.device_len = 48,
		.read = ring_read,
		.emit = ring_emit,
		.arg = r,
		.text = r->scratch,
	};
}

static void
ring_init(struct ring *r, uint64_t id, uint64_t lpos)
{
	memset(r, 0, sizeof(*r));
	r->first_id = r->next_id = id;
	r->head_lpos = r->tail_lpos = lpos;
	r->bad_area = PRB_TEXT;
	r->bad_from = ~0ull;
}

/* Appends a record as data_alloc() does: a block that would wrap starts at
 * index 0 of the next turn. */
static void
ring_add(struct ring *r, const char *text, unsigned int state)
{
	uint64_t id = r->next_id++, at = id % NR_DESCS;
	uint64_t len = (8 + strlen(text) + 7) & ~7ull;
	uint64_t begin = r->head_lpos, next = begin + len;
	unsigned char *info = r->infos + at * INFO_LEN;
	unsigned char *desc = r->descs + at * DESC_LEN;
	uint64_t data = begin % TEXT_LEN;

	if (begin / TEXT_LEN != (next - 1) / TEXT_LEN) {
		next = (begin / TEXT_LEN + 1) * TEXT_LEN + len;
		data = 0;
	}
	r->head_lpos = next;
	put(r->text + data, id, 8);
	memcpy(r->text + data + 8, text, strlen(text));
	put(desc, (uint64_t)state << 62 | id, 8);
	put(desc + 8, begin, 8);
	put(desc + 16, next, 8);
	put(info, id * 10, 8);
	put(info + 8, id * 1000000, 8);
	put(info + 16, strlen(text), 2);
	info[18] = 3;
	info[19] = 6 << 5 | 2;
	put(info + 20, 0x80000001u, 4);
	memset(info + 24, 0, 64);
	if (r->next_id - r->first_id > NR_DESCS)
		r->first_id++;
}

static void
test_prb_gives_records_in_order(void **state)
{
	static struct ring r;
	struct prb p;

	(void)state;
	ring_init(&r, 5, 0);
	ring_add(&r, "one", 2);
	ring_add(&r, "two\nlines", 2);
	ring_add(&r, "", 2);
	ring_add(&r, "being written", 1);
	ring_add(&r, "reserved", 0);
	ring_add(&r, "reusable", 3);
	memcpy(r.infos + 5 * INFO_LEN + 24, "pci", 4);
	memcpy(r.infos + 5 * INFO_LEN + 40, "+pci:0000:00:01.0", 18);
	p = ring_prb(&r);
	assert_int_equal(prb_each(&p), MDB_OK);
	assert_int_equal(r.nr_out, 4);
	assert_string_equal(r.texts[0], "one");
	assert_string_equal(r.dicts[0],
		"SUBSYSTEM=pci\nDEVICE=+pci:0000:00:01.0");
	assert_string_equal(r.texts[1], "two\nlines");
	assert_string_equal(r.texts[2], "");
	assert_string_equal(r.texts[3], "being written");
	assert_int_equal(r.out[0].seq, 50);
	assert_int_equal(r.out[0].time_ns, 5000000);
	assert_int_equal(r.out[0].facility, 3);
	assert_int_equal(r.out[0].level, 6);
	assert_int_equal(r.out[0].flags, 2);
	assert_int_equal(r.out[0].caller, 0x80000001u);
}

/* Ids and positions near their ends wrap as the kernel's do. */
static void
test_prb_wraps(void **state)
{
	static struct ring r;
	struct prb p;
	char text[40];
	int i;

	(void)state;
	ring_init(&r, (~0ull >> 2) - 20, 0ull - 3 * TEXT_LEN);
	for (i = 0; i < 19; i++) {
		(void)snprintf(text, sizeof(text), "line %d of some", i);
		ring_add(&r, text, 2);
	}
	p = ring_prb(&r);
	assert_int_equal(prb_each(&p), MDB_OK);
	assert_int_equal(r.nr_out, NR_DESCS);
	assert_string_equal(r.texts[NR_DESCS - 1], "line 18 of some");
	for (i = 0; i < (int)NR_DESCS; i++)
		assert_int_equal(r.out[i].status, MDB_OK);
}

/* Text that newer records have overwritten is lost, not theirs. */
static void
test_prb_stale_text_is_lost(void **state)
{
	static struct ring r;
	struct prb p;

	(void)state;
	ring_init(&r, 1, 0);
	ring_add(&r, "old text", 2);
	ring_add(&r, "new text", 2);
	put(r.text, 99, 8);
	p = ring_prb(&r);
	assert_int_equal(prb_each(&p), MDB_OK);
	assert_int_equal(r.nr_out, 2);
	assert_int_equal(r.out[0].status, MDB_E_LOST);
	assert_string_equal(r.texts[0], "");
	assert_string_equal(r.texts[1], "new text");
}

static void
test_prb_unreadable_text_is_marked(void **state)
{
	static struct ring r;
	struct prb p;

	(void)state;
	ring_init(&r, 1, 0);
	ring_add(&r, "here", 2);
	ring_add(&r, "gone", 2);
	r.bad_from = 16;
	p = ring_prb(&r);
	assert_int_equal(prb_each(&p), MDB_OK);
	assert_int_equal(r.nr_out, 2);
	assert_string_equal(r.texts[0], "here");
	assert_int_equal(r.out[1].status, MDB_E_EXCLUDED);
	assert_int_equal(r.out[1].seq, 20);
}

static void
test_prb_refuses_senseless_numbers(void **state)
{
	static struct ring r;
	struct prb p;

	(void)state;
	ring_init(&r, 1, 0);
	ring_add(&r, "x", 2);
	p = ring_prb(&r);
	p.count_bits = 40;
	assert_int_equal(prb_each(&p), MDB_E_CORRUPT);
	p = ring_prb(&r);
	p.head_id += 1000;
	assert_int_equal(prb_each(&p), MDB_E_CORRUPT);
	p = ring_prb(&r);
	p.text_len_off = INFO_LEN;
	assert_int_equal(prb_each(&p), MDB_E_CORRUPT);
	p = ring_prb(&r);
	p.desc_len = 1u << 20;
	assert_int_equal(prb_each(&p), MDB_E_CORRUPT);
}

/* ---- the old buffer ------------------------------------------------------ */

#define HEADER_LEN 16

static uint64_t
old_add(struct ring *r, uint64_t at, const char *text, const char *dict)
{
	size_t text_len = strlen(text), dict_len = strlen(dict);
	uint64_t len = (HEADER_LEN + text_len + dict_len + 3) & ~3ull;
	unsigned char *h = r->text + at;

	put(h, 1000 * at, 8);
	put(h + 8, len, 2);
	put(h + 10, text_len, 2);
	put(h + 12, dict_len, 2);
	h[14] = 1;
	h[15] = 4 << 5 | 2;
	memcpy(h + HEADER_LEN, text, text_len);
	memcpy(h + HEADER_LEN + text_len, dict, dict_len);
	return at + len;
}

static struct logbuf
old_buf(struct ring *r, uint64_t first, uint64_t next)
{
	return (struct logbuf){
		.len = TEXT_LEN,
		.first = first,
		.next = next,
		.first_seq = 7,
		.header_len = HEADER_LEN,
		.ts_off = 0,
		.len_off = 8,
		.text_len_off = 10,
		.dict_len_off = 12,
		.facility_off = 14,
		.caller_off = -1,
		.read = ring_read,
		.emit = ring_emit,
		.arg = r,
		.text = r->scratch,
		.dict = r->scratch2,
	};
}

static void
test_logbuf_turns_at_a_zero_length(void **state)
{
	static struct ring r;
	struct logbuf b;
	uint64_t next;

	(void)state;
	ring_init(&r, 0, 0);
	next = old_add(&r, 0, "third", "");
	next = old_add(&r, next, "fourth", "");
	(void)old_add(&r, old_add(&r, 400, "first", "SUBSYSTEM=x"), "second",
		"");
	b = old_buf(&r, 400, next);
	assert_int_equal(logbuf_each(&b), MDB_OK);
	assert_int_equal(r.nr_out, 4);
	assert_string_equal(r.texts[0], "first");
	assert_string_equal(r.dicts[0], "SUBSYSTEM=x");
	assert_string_equal(r.texts[1], "second");
	assert_string_equal(r.texts[3], "fourth");
	assert_int_equal(r.out[0].seq, 7);
	assert_int_equal(r.out[3].seq, 10);
	assert_int_equal(r.out[0].level, 4);
	assert_int_equal(r.out[0].facility, 1);
}

static void
test_logbuf_ends_at_nonsense(void **state)
{
	static struct ring r;
	struct logbuf b;
	uint64_t next;

	(void)state;
	ring_init(&r, 0, 0);
	next = old_add(&r, 0, "good", "");
	put(r.text + next + 8, 5, 2);
	b = old_buf(&r, 0, 300);
	assert_int_equal(logbuf_each(&b), MDB_E_CORRUPT);
	assert_int_equal(r.nr_out, 1);
	/* all zero: it turns once and then says so */
	ring_init(&r, 0, 0);
	b = old_buf(&r, 8, 300);
	assert_int_equal(logbuf_each(&b), MDB_E_CORRUPT);
	b = old_buf(&r, TEXT_LEN, 0);
	assert_int_equal(logbuf_each(&b), MDB_E_CORRUPT);
}

/* ---- damage -------------------------------------------------------------- */

static uint32_t
next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void
damage(struct ring *r, uint32_t *seed)
{
	unsigned char *areas[] = { r->descs, r->infos, r->text };
	const size_t lens[] = { sizeof(r->descs), sizeof(r->infos),
		sizeof(r->text) };
	uint32_t n = 1 + next_random(seed) % 8;

	while (n-- > 0) {
		uint32_t a = next_random(seed) % 3;
		static const unsigned char odd[] = { 0, 1, 0x7f, 0x80, 0xff };
		uint32_t v = next_random(seed);

		areas[a][next_random(seed) % lens[a]] =
			v % 2 == 0 ? odd[v / 2 % 5] : (unsigned char)(v >> 4);
	}
}

/* Whatever the bytes: no read outside (ring_read asserts it), no endless run,
 * no more records than descriptors. */
static void
test_parsers_survive_damage(void **state)
{
	static struct ring good, r;
	uint32_t seed = 1, i;
	struct logbuf b;
	struct prb p;
	char text[40];

	(void)state;
	ring_init(&good, 3, TEXT_LEN - 40);
	for (i = 0; i < 12; i++) {
		(void)snprintf(text, sizeof(text), "message %u", i);
		ring_add(&good, text, 2);
	}
	for (i = 0; i < 20000; i++) {
		r = good;
		damage(&r, &seed);
		p = ring_prb(&r);
		p.head_id += next_random(&seed) % 64 == 0 ? ~0ull >> i % 64 : 0;
		(void)!prb_each(&p);
		assert_true(r.nr_total <= NR_DESCS);
		r.nr_total = r.nr_out = 0;
		b = old_buf(&r, next_random(&seed) % TEXT_LEN,
			next_random(&seed) % (TEXT_LEN + 1));
		(void)!logbuf_each(&b);
		assert_true(r.nr_total <= 2 * TEXT_LEN / HEADER_LEN);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prb_gives_records_in_order),
		cmocka_unit_test(test_prb_wraps),
		cmocka_unit_test(test_prb_stale_text_is_lost),
		cmocka_unit_test(test_prb_unreadable_text_is_marked),
		cmocka_unit_test(test_prb_refuses_senseless_numbers),
		cmocka_unit_test(test_logbuf_turns_at_a_zero_length),
		cmocka_unit_test(test_logbuf_ends_at_nonsense),
		cmocka_unit_test(test_parsers_survive_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
