/* SPDX-License-Identifier: MIT */
/*
 * Opens dumps of the native format (docs/DUMPFORMAT.md).
 *
 * With an end record that says so pages are found through its index, and only
 * the meta segments are walked over.  Else one walk over all segment headers
 * makes a table.  Whatever is cut or damaged, a file that begins like a dump
 * opens, and says what is missing.
 */
#include "dfmt-crypt.h"
#include "dfmt-native.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum dfmt_status
no_memory(struct dfmt_err *err)
{
	return dfmt_fail(err, DFMT_E_NOMEM, "opening a native dump", DFMT_NONE,
		DFMT_NONE);
}

/* ---- the segments ------------------------------------------------------- */

/*
 * The array of ranges is known to its end when something else follows it: but
 * not by the end record of a writer that stopped, perhaps in the middle of it.
 */
static void
ranges_note(struct dfmt_nstate *n, const struct dfmt_nseg *seg, bool gap)
{
	if (seg->type == DFMT_SEG_RANGES)
		n->ranges_seen = true;
	else if (n->ranges_seen && !gap && seg->type != DFMT_SEG_END)
		n->ranges_closed = true;
}

/* All meta segments, when the index finds the others. */
static enum dfmt_status
meta_walk(struct dfmt *d, struct dfmt_nstate *n, struct dfmt_err *err)
{
	struct dfmt_nwalk w = { .seq = n->first_lost };
	struct dfmt_nseg seg;

	while (w.pos < n->meta_end && dfmt_nwalk_next(n, &w, &seg)) {
		ranges_note(n, &seg, w.gap);
		enum dfmt_status st = dfmt_nmeta_take(d, n, &seg, w.again, err);

		if (st != DFMT_OK)
			return st;
	}
	n->meta_lost = n->meta_lost || w.gap || w.pos < n->meta_end;
	if (!n->ranges_closed && !n->meta_lost && !n->complete &&
		dfmt_nwalk_next(n, &w, &seg))
		ranges_note(n, &seg, w.gap);
	n->ranges_closed = n->ranges_closed || (n->complete && !n->meta_lost);
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
		(void)dfmt_nend_at(n, n->base + seg->offset, false);
	return dfmt_nmeta_take(d, n, seg, w->again, err);
}

/* Every segment, when there is no index. */
static enum dfmt_status
full_walk(struct dfmt *d, struct dfmt_nstate *n, struct dfmt_err *err)
{
	struct dfmt_ntable *t = dfmt_ntable_create();
	struct dfmt_nwalk w = { .seq = n->first_lost };
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
	n->ranges_closed = n->ranges_closed || (n->complete && !w.gap);
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

/* What is wrong inside a dump that has its end; NULL: nothing. */
static const char *
damage_name(const struct dfmt_nstate *n)
{
	if (n->gap || n->nr_damaged)
		return "segments inside the dump are damaged or not there";
	if (!n->has_head)
		return "the first segment is damaged: frames are taken to be "
		       "of 4 KiB";
	if (n->meta_lost)
		return "some of what describes the dump is damaged";
	if (!n->info.triage_whole)
		return "some of the first segment is damaged";
	return NULL;
}

static const char *
nothing_name(const struct dfmt_nstate *n, bool labelled)
{
	if (labelled)
		return "no dump in the labelled range";
	if (n->src->size < DFMT_TRIAGE_LEN)
		return "the dump ends in its first segment";
	return "everything: no segment is whole";
}

static void
locked_say(struct dfmt_nstate *n)
{
	char id[DFMT_KEY_ID_TEXT];

	if (!n->info.has_keys)
		(void)snprintf(n->missing, sizeof(n->missing),
			"all but its clear part: it is encrypted, and what "
			"its key was made of is lost");
	else
		(void)snprintf(n->missing, sizeof(n->missing),
			"all but its clear part: it is encrypted to key %s, "
			"and no key is given",
			dfmt_key_id_text(n->info.key_id, id));
}

static void
missing_say(struct dfmt_nstate *n, bool labelled, bool found)
{
	const struct dfmt_native *i = &n->info;
	const char *what = found ? damage_name(n) : nothing_name(n, labelled);
	size_t room = sizeof(n->missing);
	unsigned long long len = i->dump_len;

	if (found && n->locked)
		locked_say(n);
	else if (found && !i->has_end && n->len < DFMT_TRIAGE_LEN)
		what = "the dump ends in its first segment";
	else if (found && !i->has_end)
		(void)snprintf(n->missing, room,
			"cut off after %llu bytes: it has no end record", len);
	else if (found && i->end_status)
		(void)snprintf(n->missing, room, "the writer stopped: %s%s%s",
			end_name(i->end_status), i->why ? ": " : "",
			i->why ? i->why : "");
	n->info.missing = n->missing[0] ? n->missing : what;
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
	(void)snprintf(d->details, sizeof(d->details), "version %u%s%s%s",
		DFMT_FORMAT_MAJOR, labelled ? ", labelled" : "",
		n->info.encrypted ? ", encrypted" : "",
		!found || n->locked ? ""
		: n->info.indexed   ? ", indexed"
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
	n->taken_seq = n->lost_seq = UINT64_MAX;
	n->info.panic_cpu = n->info.panic_world = UINT32_MAX;
	return n;
}

static enum dfmt_status
dump_read(struct dfmt *d, struct dfmt_nstate *n,
	const struct dfmt_nfirst *first, bool labelled, struct dfmt_err *err)
{
	uint64_t size = n->src->size, end = size;

	if (labelled && n->has_label)
		end = dfmt_min(size, n->range_len - DFMT_ANCHOR_FROM_END);
	n->base = first->base;
	n->len = end > n->base ? end - n->base : 0;
	memcpy(n->id, first->seg.id, DFMT_ID_LEN);
	n->first_lost = first->lost;
	enum dfmt_status st = dfmt_ncrypt_begin(d, n, first, err);
	if (st == DFMT_OK && !first->lost)
		st = dfmt_ntriage_read(d, n, &first->seg, err);
	if (st != DFMT_OK)
		return st;
	dfmt_nend_find(n, labelled);
	if (n->locked)
		n->info.dump_len = n->info.has_end ? n->end : n->len;
	else
		st = segments_read(d, n, err);
	return st == DFMT_OK ? dfmt_nmeta_finish(d, n, err) : st;
}

static enum dfmt_status
native_open(struct dfmt *d, struct dfmt_err *err)
{
	struct dfmt_source *src = d->parts[0];
	struct dfmt_nfirst first;
	bool labelled = false;
	enum dfmt_status st = dfmt_nmagic_check(src, &labelled, err);

	if (st == DFMT_OK && d->nr_parts != 1)
		st = dfmt_fail(err, DFMT_E_MALFORMED,
			"a native dump is one file", DFMT_NONE, DFMT_NONE);
	if (st != DFMT_OK)
		return st;
	struct dfmt_nstate *n = d->impl = state_new(src);
	if (!n)
		return no_memory(err);
	if (labelled)
		dfmt_nlabel_look(n);
	st = dfmt_nfirst_find(n, labelled, &first, err);
	if (st == DFMT_E_LOST && !labelled)
		st = dfmt_nsecond_find(n, &first);
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
	dfmt_ncrypt_destroy(n->crypt);
	free(n);
}

const struct dfmt_format dfmt_format_native = {
	.open = native_open,
	.read = dfmt_nread_some,
	.next_range = dfmt_nnext_range,
	.coverage = dfmt_ncoverage,
	.close = native_close,
};
