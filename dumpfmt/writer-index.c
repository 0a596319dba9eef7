/* SPDX-License-Identifier: MIT */
/*
 * The index: a tree for each pass, made from below while the pages are
 * written.  Each level keeps one node; a node that is full is written, when one
 * more entry comes, and becomes an entry of the level above.
 */
#include "writer-impl.h"

#include <string.h>

#define NODE_MAX                                                             \
	((INDEX_LEN - DFMT_SEG_HEADER_LEN - sizeof(struct dfmt_fmt_index)) / \
		sizeof(struct dfmt_fmt_entry))

static uint32_t
add_sat(uint32_t a, uint32_t b)
{
	return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

/* Writes the node of a level; the entry that leads to it. */
static bool
node_emit(struct dfmt_writer *w, uint32_t level, struct dfmt_fmt_entry *entry)
{
	struct wlevel *l = &w->levels[level];
	struct dfmt_fmt_index *head = (void *)(l->buf + DFMT_SEG_HEADER_LEN);
	uint32_t len =
		(uint32_t)(sizeof(*head) + l->nr_entries * sizeof(*l->entries));
	const struct wseg seg = {
		.buf = l->buf,
		.payload_len = len,
		.raw_len = len,
		.crc_len = len,
		.type = DFMT_SEG_INDEX,
		.last = true,
	};

	*head = (struct dfmt_fmt_index){ level, l->nr_entries, w->class, 0 };
	*entry = l->entries[0];
	entry->last_pfn = l->entries[l->nr_entries - 1].last_pfn;
	for (uint32_t i = 1; i < l->nr_entries; i++)
		entry->nr_frames =
			add_sat(entry->nr_frames, l->entries[i].nr_frames);
	l->nr_entries = 0;
	if (!dfmt_w_emit(w, &seg, &entry->offset)) {
		w->indexed = false;
		return false;
	}
	entry->total_len = (uint32_t)(dfmt_w_place(w)->next - entry->offset);
	return true;
}

/* How many levels from below on are full. */
static uint32_t
nr_full(const struct dfmt_writer *w)
{
	uint32_t n = 0;

	while (n < INDEX_LEVELS && w->levels[n].nr_entries == NODE_MAX)
		n++;
	return n;
}

void
dfmt_w_index_room(struct dfmt_writer *w)
{
	struct dfmt_fmt_entry e;

	/* What is on its way may still move. */
	if (nr_full(w))
		dfmt_w_land(w);
	/* From above: each has room for the one below. */
	for (uint32_t level = nr_full(w); level-- > 0;) {
		if (!node_emit(w, level, &e))
			continue;
		if (level + 1 == INDEX_LEVELS)
			w->indexed = false; /* more than 2^40 frames make */
		else
			w->levels[level + 1]
				.entries[w->levels[level + 1].nr_entries++] = e;
	}
}

void
dfmt_w_index_add(struct dfmt_writer *w, const struct dfmt_fmt_entry *entry)
{
	struct wlevel *l = &w->levels[0];

	l->entries[l->nr_entries++] = *entry;
}

void
dfmt_w_index_move(struct dfmt_writer *w, uint32_t n, uint64_t offset)
{
	struct wlevel *l = &w->levels[0];

	if (n < l->nr_entries)
		l->entries[l->nr_entries - 1 - n].offset = offset;
}

void
dfmt_w_index_drop(struct dfmt_writer *w, uint32_t n)
{
	struct wlevel *l = &w->levels[0];

	l->nr_entries -= (uint32_t)lesser(n, l->nr_entries);
}

static void
root_add(struct dfmt_writer *w, uint32_t level, const struct dfmt_fmt_entry *e)
{
	if (w->nr_roots == DFMT_MAX_ROOTS) {
		w->indexed = false;
		return;
	}
	w->roots[w->nr_roots++] =
		(struct dfmt_fmt_root){ w->class, level, e->first_pfn,
			e->last_pfn, e->offset, e->total_len, e->nr_frames };
}

static bool
above_is_empty(const struct dfmt_writer *w, uint32_t level)
{
	while (++level < INDEX_LEVELS)
		if (w->levels[level].nr_entries)
			return false;
	return true;
}

void
dfmt_w_index_close(struct dfmt_writer *w)
{
	struct dfmt_fmt_entry e;

	for (uint32_t level = 0; level < INDEX_LEVELS; level++) {
		struct wlevel *l = &w->levels[level];

		if (l->nr_entries == 0)
			continue;
		if (l->nr_entries == 1 && above_is_empty(w, level)) {
			root_add(w, level ? level - 1 : DFMT_ROOT_PAGES,
				&l->entries[0]);
			l->nr_entries = 0;
			return;
		}
		if (!node_emit(w, level, &e))
			continue;
		if (level + 1 == INDEX_LEVELS) {
			root_add(w, level, &e);
			return;
		}
		struct wlevel *above = &w->levels[level + 1];

		above->entries[above->nr_entries++] = e;
	}
}
