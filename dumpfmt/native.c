/* SPDX-License-Identifier: MIT */
/*
 * Opens dumps of the native format (docs/DUMPFORMAT.md).
 *
 * With an end record that says so pages are found through its index, and only
 * the meta segments are walked over.  Else one walk over all segment headers
 * makes a table.  Whatever is cut or damaged, a file that begins like a dump
 * opens, and says what is missing.
 */
#include "dfmt-native.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define END_PAYLOAD sizeof(struct dfmt_fmt_end)

static enum dfmt_status
no_memory(struct dfmt_err *err)
{
	return dfmt_fail(err, DFMT_E_NOMEM, "opening a native dump", DFMT_NONE,
		DFMT_NONE);
}

/* ---- where the dump begins ---------------------------------------------- */

static enum dfmt_status
magic_check(struct dfmt_source *src, bool *labelled_out, struct dfmt_err *err)
{
	uint8_t p[8];
	size_t len = dfmt_min(src->size, sizeof(p));
	enum dfmt_status st = dfmt_source_read(src, 0, p, len, err);

	if (st != DFMT_OK)
		return st;
	bool label = memcmp(p, DFMT_LABEL_MAGIC, len) == 0;
	bool segment = memcmp(p, DFMT_SEG_MAGIC, len) == 0;
	if (len == 0 || (!label && !segment))
		return DFMT_E_FORMAT;
	if (len < sizeof(p))
		return dfmt_fail(err, DFMT_E_FORMAT,
			"begins like a native dump, and ends within 8 bytes",
			len, DFMT_NONE);
	*labelled_out = label;
	return DFMT_OK;
}

static bool
label_at(const struct dfmt_nstate *n, uint64_t off, struct dfmt_label *label)
{
	uint8_t p[DFMT_LABEL_LEN];

	return dfmt_source_read(n->src, off, p, sizeof(p), NULL) == DFMT_OK &&
	       dfmt_label_decode(p, label, NULL) == DFMT_OK;
}

/* The newer of two whole labels; the first one where they are in conflict. */
static void
label_look(struct dfmt_nstate *n)
{
	struct dfmt_label last;
	uint64_t size = n->src->size;

	n->has_label = label_at(n, 0, &n->label);
	uint64_t end = n->has_label ? n->label.range_len : size;
	if (end >= DFMT_MIN_RANGE && label_at(n, end - DFMT_LABEL_LEN, &last) &&
		last.range_len == end &&
		(!n->has_label ||
			(memcmp(last.uuid, n->label.uuid, DFMT_ID_LEN) == 0 &&
				last.change > n->label.change))) {
		n->label = last;
		n->has_label = true;
	}
	n->range_len = n->has_label ? n->label.range_len : size;
}

struct first {
	uint64_t base;
	struct dfmt_nseg seg;
	uint64_t generation;
	bool head; /* of the triage record, whole */
};

/* A later version of the format must not be read as this one. */
static enum dfmt_status
major_check(const struct dfmt_nstate *n, const uint8_t *p, uint64_t off,
	struct dfmt_err *err)
{
	if (memcmp(p, DFMT_SEG_MAGIC, 8) != 0 ||
		dfmt_le16(p + 8) == DFMT_FORMAT_MAJOR ||
		dfmt_le32(p + 124) != dfmt_crc32c(&n->crc, p, 124))
		return DFMT_OK;
	enum dfmt_status st = dfmt_fail(err, DFMT_E_UNSUPPORTED,
		"a later version of the native format", off, DFMT_NONE);

	dfmt_detail(err, "version %u", dfmt_le16(p + 8));
	return st;
}

/* A dump may begin at base: DFMT_E_LOST when none does. */
static enum dfmt_status
first_at(const struct dfmt_nstate *n, uint64_t base, struct first *first_out,
	struct dfmt_err *err)
{
	uint8_t p[DFMT_SEG_HEADER_LEN], head[sizeof(struct dfmt_fmt_triage)];
	struct first f = { .base = base };

	if (dfmt_source_read(n->src, base, p, sizeof(p), NULL) != DFMT_OK)
		return DFMT_E_LOST;
	enum dfmt_status st = major_check(n, p, base, err);
	if (st != DFMT_OK)
		return st;
	if (!dfmt_nseg_parse(&n->crc, p, &f.seg) || f.seg.seq || f.seg.offset ||
		f.seg.type != DFMT_SEG_TRIAGE)
		return DFMT_E_LOST;
	f.head = dfmt_source_read(n->src, base + f.seg.header_len, head,
			 sizeof(head), NULL) == DFMT_OK &&
		 dfmt_le32(head + 124) == dfmt_crc32c(&n->crc, head, 124);
	if (f.head)
		f.generation = dfmt_le64(head);
	/* A dump of another device, or bytes that look like a dump. */
	if (f.head && n->has_label &&
		memcmp(head + 72, n->label.uuid, DFMT_ID_LEN) != 0)
		return DFMT_E_LOST;
	*first_out = f;
	return DFMT_OK;
}

static bool
newer(const struct first *a, const struct first *b)
{
	if (a->head != b->head)
		return a->head;
	return a->generation >= b->generation;
}

static enum dfmt_status
first_find(const struct dfmt_nstate *n, bool labelled, struct first *first_out,
	struct dfmt_err *err)
{
	struct first best, f;
	bool found = false;

	if (!labelled)
		return first_at(n, 0, first_out, err);
	for (unsigned int k = 0; k < DFMT_NR_SLOTS; k++) {
		enum dfmt_status st = first_at(n, DFMT_SLOT_OFFSET(k), &f, err);

		if (st != DFMT_OK && st != DFMT_E_LOST)
			return st;
		if (st == DFMT_OK && (!found || newer(&f, &best))) {
			best = f;
			found = true;
		}
	}
	if (!found)
		return DFMT_E_LOST;
	*first_out = best;
	return DFMT_OK;
}

/* ---- the end record ----------------------------------------------------- */

static struct dfmt_nroot
root_parse(const uint8_t *p)
{
	return (struct dfmt_nroot){
		.class = dfmt_le32(p),
		.level = dfmt_le32(p + 4),
		.entry = { .first_pfn = dfmt_le64(p + 8),
			.last_pfn = dfmt_le64(p + 16),
			.offset = dfmt_le64(p + 24) },
	};
}

static void
end_counts(struct dfmt_native *i, const uint8_t *p)
{
	i->end_status = dfmt_le32(p);
	i->nr_data = dfmt_le64(p + 40);
	i->nr_fill = dfmt_le64(p + 48);
	i->nr_repeat = dfmt_le64(p + 56);
	i->nr_lost = dfmt_le64(p + 64);
	i->raw_len = dfmt_le64(p + 72);
	i->elapsed_ms = dfmt_le64(p + 80);
	i->nr_retries = dfmt_le32(p + 88);
	i->nr_skipped = dfmt_le32(p + 92);
	for (size_t k = 0; k < 8; k++) {
		i->nr_seen[k] = dfmt_le64(p + 104 + 16 * k);
		i->nr_written[k] = dfmt_le64(p + 112 + 16 * k);
	}
}

/* Takes the record; false when its numbers make no sense. */
static bool
end_take(struct dfmt_nstate *n, const struct dfmt_nseg *seg, const uint8_t *p)
{
	uint32_t nr_roots = dfmt_le32(p + 96);
	uint64_t end = seg->offset + seg->total_len;

	if (nr_roots > DFMT_MAX_ROOTS || dfmt_le64(p + 32) != end ||
		end > n->len)
		return false;
	n->info.has_end = true;
	end_counts(&n->info, p);
	n->complete = n->info.end_status == DFMT_END_COMPLETE;
	n->index_whole = dfmt_le32(p + 4) & DFMT_END_INDEXED;
	n->end = end;
	n->meta_end = dfmt_le64(p + 16);
	n->appended = dfmt_le64(p + 24);
	n->nr_roots = nr_roots;
	for (uint32_t i = 0; i < nr_roots; i++)
		n->roots[i] = root_parse(p + 232 + (size_t)40 * i);
	memcpy(n->why, p + 872, 128);
	n->info.why = n->why[0] ? n->why : NULL;
	return true;
}

/* The end segment, or its copy, at a file offset. */
static bool
end_at(struct dfmt_nstate *n, uint64_t at, bool copy)
{
	uint8_t p[DFMT_END_LEN];
	struct dfmt_nseg seg;

	if (dfmt_source_read(n->src, at, p, sizeof(p), NULL) != DFMT_OK ||
		!dfmt_nseg_parse(&n->crc, p, &seg) ||
		memcmp(seg.id, n->id, DFMT_ID_LEN) != 0 ||
		(!copy && seg.offset != at - n->base) ||
		seg.type != DFMT_SEG_END || seg.type_version ||
		seg.crc_len < END_PAYLOAD ||
		!dfmt_inside(seg.header_len, seg.crc_len, sizeof(p)) ||
		dfmt_crc32c(&n->crc, p + seg.header_len, seg.crc_len) !=
			seg.payload_crc)
		return false;
	return end_take(n, &seg, p + seg.header_len);
}

/* Where it should be; then nothing behind it is looked at. */
static void
end_find(struct dfmt_nstate *n, bool labelled)
{
	uint64_t size = n->src->size, at = size - DFMT_END_LEN;

	if (labelled)
		at = n->range_len - DFMT_ANCHOR_FROM_END;
	if (labelled ? n->range_len < DFMT_MIN_RANGE : size < DFMT_END_LEN)
		return;
	if (!end_at(n, at, labelled))
		return;
	n->end_in_place = n->meta_end <= n->end && n->appended <= n->end;
}

/* ---- the segments ------------------------------------------------------- */

/* The array of ranges is known to its end when something else follows it. */
static void
ranges_note(struct dfmt_nstate *n, const struct dfmt_nseg *seg, bool gap)
{
	if (seg->type == DFMT_SEG_RANGES)
		n->ranges_seen = true;
	else if (n->ranges_seen && !gap)
		n->ranges_closed = true;
}

/* All meta segments, when the index finds the others. */
static enum dfmt_status
meta_walk(struct dfmt *d, struct dfmt_nstate *n, struct dfmt_err *err)
{
	struct dfmt_nwalk w = { .pos = 0 };
	struct dfmt_nseg seg;

	while (w.pos < n->meta_end && dfmt_nwalk_next(n, &w, &seg)) {
		ranges_note(n, &seg, w.gap);
		enum dfmt_status st = dfmt_nmeta_take(d, n, &seg, w.again, err);

		if (st != DFMT_OK)
			return st;
	}
	n->meta_lost = n->meta_lost || w.gap || w.pos < n->meta_end;
	n->ranges_closed = n->ranges_closed || !n->meta_lost;
	return DFMT_OK;
}

/* What tools added behind the end. */
static enum dfmt_status
appended_walk(struct dfmt *d, struct dfmt_nstate *n, struct dfmt_err *err)
{
	struct dfmt_nwalk w = { .pos = n->appended };
	struct dfmt_nseg seg;

	if (!n->appended || n->appended % n->align)
		return DFMT_OK;
	while (dfmt_nwalk_next(n, &w, &seg)) {
		enum dfmt_status st = DFMT_OK;

		if (seg.type == DFMT_SEG_BLOB)
			st = dfmt_nmeta_take(d, n, &seg, w.again, err);
		if (st != DFMT_OK)
			return st;
	}
	return DFMT_OK;
}

static enum dfmt_status
segment_take(struct dfmt *d, struct dfmt_nstate *n, struct dfmt_ntable *t,
	const struct dfmt_nwalk *w, const struct dfmt_nseg *seg,
	struct dfmt_err *err)
{
	if (seg->type == DFMT_SEG_PAGES)
		return dfmt_ntable_take(n, t, seg, w->again, err);
	if (seg->type == DFMT_SEG_END)
		(void)end_at(n, n->base + seg->offset, false);
	return dfmt_nmeta_take(d, n, seg, w->again, err);
}

/* Every segment, when there is no index. */
static enum dfmt_status
full_walk(struct dfmt *d, struct dfmt_nstate *n, struct dfmt_err *err)
{
	struct dfmt_ntable *t = dfmt_ntable_create();
	struct dfmt_nwalk w = { .pos = 0 };
	struct dfmt_nseg seg;

	if (!t)
		return no_memory(err);
	while (dfmt_nwalk_next(n, &w, &seg)) {
		ranges_note(n, &seg, w.gap);
		enum dfmt_status st = segment_take(d, n, t, &w, &seg, err);

		if (st != DFMT_OK) {
			dfmt_ntable_destroy(t);
			return st;
		}
	}
	n->gap = w.gap;
	n->info.dump_len = w.past;
	dfmt_ntable_finish(t, w.gap || !w.ended);
	n->nr_damaged = t->nr_lost;
	if (!n->info.has_end) {
		n->info.nr_data = t->counts[DFMT_RUN_DATA];
		n->info.nr_fill = t->counts[DFMT_RUN_FILL];
		n->info.nr_repeat = t->counts[DFMT_RUN_REPEAT];
		n->info.nr_lost = t->counts[DFMT_RUN_LOST];
	}
	atomic_store(&n->table, t);
	return DFMT_OK;
}

static enum dfmt_status
segments_read(struct dfmt *d, struct dfmt_nstate *n, struct dfmt_err *err)
{
	enum dfmt_status st;

	n->info.indexed = n->info.has_end && n->end_in_place &&
			  n->index_whole && dfmt_nroots_check(n);
	if (!n->info.indexed) {
		st = full_walk(d, n, err);
	} else {
		n->info.dump_len = n->end;
		n->len = dfmt_min(n->len, n->end);
		st = meta_walk(d, n, err);
		if (st == DFMT_OK)
			st = appended_walk(d, n, err);
	}
	if (n->ranges_seen && !n->ranges_closed)
		n->ranges_open = true;
	return st;
}

/* ---- what it says of itself --------------------------------------------- */

static const char *
end_name(uint32_t status)
{
	static const char *const names[] = { "complete",
		"the range was too small", "the time limit was reached",
		"the device failed", "a second panic", "it was told to stop" };

	return status < sizeof(names) / sizeof(names[0]) ? names[status]
							 : "unknown";
}

static void
missing_say(struct dfmt_nstate *n, bool labelled, bool found)
{
	const struct dfmt_native *i = &n->info;
	char *to = n->missing;
	size_t room = sizeof(n->missing);
	unsigned long long len = i->dump_len;

	if (!found && labelled)
		(void)snprintf(to, room, "no dump in the labelled range");
	else if (!found)
		(void)snprintf(to, room,
			"everything: the first segment is not whole");
	else if (!i->has_end && !i->has_triage)
		(void)snprintf(to, room,
			"the dump ends in its first segment, which says why");
	else if (!i->has_end)
		(void)snprintf(to, room, "cut off: %llu bytes, no end record",
			len);
	else if (i->end_status)
		(void)snprintf(to, room, "the writer stopped: %s%s%s",
			end_name(i->end_status), i->why ? ": " : "",
			i->why ? i->why : "");
	else if (n->gap || n->nr_damaged)
		(void)snprintf(to, room,
			"segments inside the dump are damaged or not there");
	else if (n->meta_lost)
		(void)snprintf(to, room,
			"some of what describes the dump is damaged");
	else if (!i->triage_whole)
		(void)snprintf(to, room, "the first segment is damaged");
	n->info.missing = to[0] ? to : NULL;
}

static uint64_t
memory_end(const struct dfmt_nstate *n)
{
	const struct dfmt_ntable *t = atomic_load(&n->table);
	uint64_t end = 0;

	if (n->has_head)
		return n->end_pfn << n->shift;
	if (n->nr_memory)
		end = n->memory[n->nr_memory - 1].addr +
		      n->memory[n->nr_memory - 1].len;
	for (size_t i = 0; t && i < t->nr_entries; i++) {
		uint64_t e = (t->entries[i].last_pfn + 1) << n->shift;

		end = e > end ? e : end;
	}
	return end;
}

static void
describe(struct dfmt *d, struct dfmt_nstate *n, bool labelled, bool found)
{
	d->info.kind = DFMT_KIND_NATIVE;
	d->info.format = "mdb dump";
	d->info.page_size = 1u << n->shift;
	d->info.max_addr = memory_end(n);
	d->info.truncated = !n->complete;
	n->info.base = n->base;
	n->info.labelled = labelled;
	memcpy(n->info.dump_id, n->id, DFMT_ID_LEN);
	n->info.saved = found && n->has_label &&
			memcmp(n->label.saved_id, n->id, DFMT_ID_LEN) == 0;
	(void)snprintf(d->details, sizeof(d->details), "version %u%s%s",
		DFMT_FORMAT_MAJOR, labelled ? ", labelled" : "",
		!found		  ? ""
		: n->info.indexed ? ", indexed"
				  : ", without its index");
	missing_say(n, labelled, found);
}

/* ---- the ops ------------------------------------------------------------ */

static bool
has_crc32(void)
{
#ifdef __x86_64__
	return __builtin_cpu_supports("sse4.2");
#else
	return false;
#endif
}

static struct dfmt_nstate *
state_new(struct dfmt_source *src)
{
	struct dfmt_nstate *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	dfmt_crc_init(&n->crc, has_crc32());
	pthread_mutex_init(&n->lock, NULL);
	n->src = src;
	n->shift = 12;
	n->align = DFMT_ALIGN_MIN;
	n->end_pfn = DFMT_MAX_PFN;
	n->taken_seq = UINT64_MAX;
	n->info.panic_cpu = n->info.panic_world = UINT32_MAX;
	return n;
}

static enum dfmt_status
dump_read(struct dfmt *d, struct dfmt_nstate *n, const struct first *first,
	bool labelled, struct dfmt_err *err)
{
	uint64_t size = n->src->size, end = size;

	if (labelled && n->has_label)
		end = dfmt_min(size, n->range_len - DFMT_ANCHOR_FROM_END);
	n->base = first->base;
	n->len = end > n->base ? end - n->base : 0;
	memcpy(n->id, first->seg.id, DFMT_ID_LEN);
	enum dfmt_status st = dfmt_ntriage_read(d, n, &first->seg, err);
	if (st != DFMT_OK)
		return st;
	end_find(n, labelled);
	st = segments_read(d, n, err);
	return st == DFMT_OK ? dfmt_nmeta_finish(d, n, err) : st;
}

static enum dfmt_status
native_open(struct dfmt *d, struct dfmt_err *err)
{
	struct dfmt_source *src = d->parts[0];
	struct first first;
	bool labelled = false;
	enum dfmt_status st = magic_check(src, &labelled, err);

	if (st == DFMT_OK && d->nr_parts != 1)
		st = dfmt_fail(err, DFMT_E_MALFORMED,
			"a native dump is one file", DFMT_NONE, DFMT_NONE);
	if (st != DFMT_OK)
		return st;
	struct dfmt_nstate *n = d->impl = state_new(src);
	if (!n)
		return no_memory(err);
	if (labelled)
		label_look(n);
	st = first_find(n, labelled, &first, err);
	bool found = st == DFMT_OK;
	if (found)
		st = dump_read(d, n, &first, labelled, err);
	if (st != DFMT_OK && (found || st != DFMT_E_LOST))
		return st;
	describe(d, n, labelled, found);
	return DFMT_OK;
}

static void
blobs_free(struct dfmt_nblob *b)
{
	while (b) {
		struct dfmt_nblob *next = b->next;

		free(b);
		b = next;
	}
}

static void
native_close(struct dfmt *d)
{
	struct dfmt_nstate *n = d->impl;

	if (!n)
		return;
	pthread_mutex_destroy(&n->lock);
	dfmt_ntable_destroy(atomic_load(&n->table));
	blobs_free(n->blobs);
	free(n->pieces);
	free(n->memory);
	free(n->objects);
	free(n->worlds);
	free(n->cpus);
	free(n->frames);
	free(n->versions);
	free(n->texts);
	free(n);
}

const struct dfmt_format dfmt_format_native = {
	.open = native_open,
	.read = dfmt_nread_some,
	.next_range = dfmt_nnext_range,
	.coverage = dfmt_ncoverage,
	.close = native_close,
};
