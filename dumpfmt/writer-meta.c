/* SPDX-License-Identifier: MIT */
/*
 * What a dump says besides memory: the triage record, then CPUs, worlds,
 * ranges, objects, and blobs.  Everything is put together in the buffer of the
 * pages segment, which is not in use yet.
 */
#include "writer-impl.h"

#include <string.h>

#define CONSOLE_MAX (24u << 10) /* in the triage record */
#define TEXT_MAX 1024u
#define WORLDS_MAX 16u

size_t
dfmt_w_text_len(const char *text, size_t max)
{
	size_t n = 0;

	while (text && n < max && text[n])
		n++;
	return n;
}

/* ---- the triage record --------------------------------------------------- */

/* Items behind each other: at is where the next one goes, from buf. */
struct items {
	struct dfmt_writer *w;
	uint8_t *buf;
	size_t at, end;
};

/* Room for the data of an item, or NULL when it does not fit. */
static uint8_t *
item_begin(struct items *it, size_t len)
{
	size_t whole = sizeof(struct dfmt_fmt_item) + round_up(len, 8);

	return whole <= it->end - it->at
		       ? it->buf + it->at + sizeof(struct dfmt_fmt_item)
		       : NULL;
}

/* The data is in place; the padding is zero as the buffer was. */
static void
item_end(struct items *it, enum dfmt_fmt_item_type type, size_t len)
{
	struct dfmt_fmt_item *item = (void *)(it->buf + it->at);

	item->type = (uint16_t)type;
	item->len = (uint32_t)len;
	item->crc = dfmt_crc32c(&it->w->crc, item + 1, len);
	it->at += sizeof(*item) + round_up(len, 8);
}

static void
item_add(struct items *it, enum dfmt_fmt_item_type type, const void *data,
	size_t len)
{
	uint8_t *room = item_begin(it, len);

	if (!room || !len)
		return;
	memcpy(room, data, len);
	item_end(it, type, len);
}

static void
item_text(struct items *it, enum dfmt_fmt_item_type type, const char *text)
{
	item_add(it, type, text, dfmt_w_text_len(text, TEXT_MAX));
}

/* As many frames as fit, each with its text. */
static void
items_frames(struct items *it, const struct dfmt_writer_facts *f)
{
	uint8_t *room = item_begin(it, sizeof(struct dfmt_fmt_frame));
	size_t len = 0;

	for (size_t i = 0; room && i < f->nr_frames_walked; i++) {
		const struct dfmt_wframe *from = &f->frames[i];
		struct dfmt_fmt_frame fr = { from->fp, from->pc, from->world,
			(uint32_t)dfmt_w_text_len(from->text, TEXT_MAX) };
		size_t next = len + sizeof(fr) + round_up(fr.len, 8);

		if (!item_begin(it, next))
			break;
		memcpy(room + len, &fr, sizeof(fr));
		if (fr.len)
			memcpy(room + len + sizeof(fr), from->text, fr.len);
		len = next;
	}
	if (len)
		item_end(it, DFMT_ITEM_FRAMES, len);
}

static void
items_cpus(struct items *it, const struct dfmt_writer_facts *f, bool panicked)
{
	for (size_t i = 0; i < f->nr_cpus; i++)
		if ((i == f->panic_cpu) == panicked)
			item_add(it, DFMT_ITEM_CPU, &f->cpus[i],
				sizeof(f->cpus[i]));
}

static void
items_versions(struct items *it, const struct dfmt_writer_facts *f)
{
	for (size_t i = 0; i < f->nr_versions; i++)
		item_text(it, DFMT_ITEM_VERSION, f->versions[i]);
}

/* Of an encrypted dump: what can be read without the key, which comes first. */
static void
items_clear(struct items *it, const struct dfmt_writer_facts *f)
{
	const struct dfmt_writer_cipher *cipher = it->w->config.cipher;

	item_add(it, DFMT_ITEM_KEYS, &cipher->keys, sizeof(cipher->keys));
	items_versions(it, f);
}

static void
items_fill(struct items *it, const struct dfmt_writer_facts *f)
{
	size_t console = (size_t)lesser(f->console_len, CONSOLE_MAX);

	item_text(it, DFMT_ITEM_REASON, f->reason);
	items_cpus(it, f, true);
	items_frames(it, f);
	for (size_t i = 0; i < lesser(f->nr_worlds, WORLDS_MAX); i++)
		item_add(it, DFMT_ITEM_WORLD, &f->worlds[i],
			sizeof(f->worlds[i]));
	if (!it->w->config.cipher)
		items_versions(it, f);
	item_text(it, DFMT_ITEM_FORMAT, f->format);
	console = (size_t)lesser(console,
		it->end - it->at - sizeof(struct dfmt_fmt_item));
	if (console)
		item_add(it, DFMT_ITEM_CONSOLE,
			f->console + f->console_len - console, console);
	items_cpus(it, f, false);
}

static void
triage_head(const struct dfmt_writer *w, struct dfmt_fmt_triage *t)
{
	const struct dfmt_writer_facts *f = &w->facts;

	t->time_sec = f->time_sec;
	t->time_nsec = f->time_nsec;
	t->machine = f->machine;
	t->word_bits = f->word_bits;
	t->page_shift = w->config.page_shift;
	t->align = w->out.align;
	t->block_frames = w->block_frames;
	t->end_pfn = f->end_pfn;
	t->nr_frames = f->nr_frames;
	t->nr_cpus = (uint32_t)f->nr_cpus;
	/* Who panicked is not told in clear: the CPU's record says it. */
	t->panic_cpu = w->config.cipher ? UINT32_MAX : f->panic_cpu;
	t->panic_world = w->config.cipher ? UINT32_MAX : f->panic_world;
	t->content = w->config.content;
	t->dump_level = f->dump_level;
	t->head_len = sizeof(*t);
}

struct wseg
dfmt_w_triage_make(struct dfmt_writer *w, uint64_t generation,
	uint64_t range_len)
{
	uint8_t *payload = w->pages.buf + DFMT_SEG_HEADER_LEN;
	struct dfmt_fmt_triage *t = (void *)payload;
	struct items it = { w, payload, sizeof(*t),
		DFMT_TRIAGE_LEN - DFMT_SEG_HEADER_LEN };

	memset(w->pages.buf, 0, DFMT_TRIAGE_LEN);
	if (w->config.cipher)
		items_clear(&it, &w->facts);
	const size_t clear_len = it.at;

	items_fill(&it, &w->facts);
	triage_head(w, t);
	t->generation = generation;
	memcpy(t->label_uuid, w->config.uuid, sizeof(t->label_uuid));
	t->range_len = w->config.flags & DFMT_WRITER_FILE ? 0 : range_len;
	t->items_len = (uint32_t)(it.at - sizeof(*t));
	t->crc = dfmt_crc32c(&w->crc, t, offsetof(struct dfmt_fmt_triage, crc));

	return (struct wseg){
		.buf = w->pages.buf,
		.payload_len = it.at,
		.raw_len = it.at,
		.crc_len = (uint32_t)it.at,
		.clear_len = (uint32_t)clear_len,
		.type = DFMT_SEG_TRIAGE,
	};
}

bool
dfmt_w_triage(struct dfmt_writer *w, uint64_t generation, uint64_t range_len)
{
	const struct wseg seg = dfmt_w_triage_make(w, generation, range_len);

	return dfmt_w_emit_first(w, &seg);
}

/* ---- arrays of records --------------------------------------------------- */

/* Emits what was put behind the header in the buffer. */
static bool
payload_emit(struct dfmt_writer *w, enum dfmt_fmt_type type, size_t len)
{
	const struct wseg seg = {
		.buf = w->pages.buf,
		.payload_len = len,
		.raw_len = len,
		.crc_len = (uint32_t)len,
		.type = (uint16_t)type,
	};

	return dfmt_w_emit(w, &seg, NULL);
}

static void
array_emit(struct dfmt_writer *w, enum dfmt_fmt_type type, const void *records,
	size_t size, size_t count)
{
	const size_t most = (SEG_LEN - 2 * DFMT_ALIGN_MAX) / size;
	const uint8_t *from = records;

	while (count && w->stop == STOP_NO) {
		size_t n = (size_t)lesser(count, most);

		memcpy(w->pages.buf + DFMT_SEG_HEADER_LEN, from, n * size);
		if (!payload_emit(w, type, n * size))
			return;
		from += n * size;
		count -= n;
	}
}

/* The ranges that the machine itself tells. */
static void
ranges_emit(struct dfmt_writer *w)
{
	const size_t most =
		(SEG_LEN - 2 * DFMT_ALIGN_MAX) / sizeof(struct dfmt_fmt_range);
	struct dfmt_fmt_range *to =
		(void *)(w->pages.buf + DFMT_SEG_HEADER_LEN);
	struct dfmt_wrun run;
	uint64_t pfn = 0;
	size_t n = 0;

	while (w->stop == STOP_NO && dfmt_w_next_range(w, pfn, &run)) {
		to[n++] = (struct dfmt_fmt_range){
			.addr = run.pfn << w->config.page_shift,
			.len = run.count << w->config.page_shift,
			.vaddr = UINT64_MAX,
			.kind = DFMT_RANGE_RAM,
		};
		pfn = run.pfn + run.count;
		if (n == most) {
			(void)payload_emit(w, DFMT_SEG_RANGES, n * sizeof(*to));
			(void)dfmt_w_stopped(w);
			n = 0;
		}
	}
	if (n && w->stop == STOP_NO)
		(void)payload_emit(w, DFMT_SEG_RANGES, n * sizeof(*to));
}

/* Once more, in case that the first segment is lost. */
static void
keys_emit(struct dfmt_writer *w)
{
	const struct dfmt_writer_cipher *cipher = w->config.cipher;
	const struct wseg seg = {
		.buf = w->pages.buf,
		.payload_len = sizeof(cipher->keys),
		.raw_len = sizeof(cipher->keys),
		.crc_len = sizeof(cipher->keys),
		.clear_len = sizeof(cipher->keys),
		.type = DFMT_SEG_KEYS,
	};

	memcpy(w->pages.buf + DFMT_SEG_HEADER_LEN, &cipher->keys,
		sizeof(cipher->keys));
	(void)dfmt_w_emit(w, &seg, NULL);
}

void
dfmt_w_records(struct dfmt_writer *w)
{
	const struct dfmt_writer_facts *f = &w->facts;

	if (w->config.cipher)
		keys_emit(w);

	array_emit(w, DFMT_SEG_CPUS, f->cpus, sizeof(*f->cpus), f->nr_cpus);
	array_emit(w, DFMT_SEG_WORLDS, f->worlds, sizeof(*f->worlds),
		f->nr_worlds);
	if (f->nr_ranges)
		array_emit(w, DFMT_SEG_RANGES, f->ranges, sizeof(*f->ranges),
			f->nr_ranges);
	else
		ranges_emit(w);
	array_emit(w, DFMT_SEG_OBJECTS, f->objects, sizeof(*f->objects),
		f->nr_objects);
}

/* ---- blobs --------------------------------------------------------------- */

static bool
piece_emit(struct dfmt_writer *w, const struct dfmt_wblob *blob, uint64_t off)
{
	const struct dfmt_writer_codec *codec = w->config.codec;
	const uint8_t *from = (const uint8_t *)blob->data + off;
	size_t len = (size_t)lesser(blob->len - off, BLOB_PIECE);
	struct dfmt_fmt_blob *head =
		(void *)(w->pages.buf + DFMT_SEG_HEADER_LEN);
	uint8_t *to = (uint8_t *)(head + 1);
	size_t stored = 0;

	memset(head, 0, sizeof(*head));
	head->object = blob->object;
	head->kind = blob->kind;
	head->total_len = blob->len;
	head->piece_off = off;
	if (codec && codec->compress)
		stored = codec->compress(w->states, from, len, to, len);
	if (stored > len)
		stored = 0;

	const struct wseg seg = {
		.buf = w->pages.buf,
		.payload_len = sizeof(*head) + (stored ? stored : len),
		.raw_len = len,
		.crc_len = (uint32_t)(sizeof(*head) + (stored ? stored : len)),
		.type = DFMT_SEG_BLOB,
		.codec = stored ? codec->id : DFMT_FMT_STORED,
	};

	if (!stored)
		memcpy(to, from, len);
	return dfmt_w_emit(w, &seg, NULL);
}

/* A blob that would take much of a small device is worth less than memory. */
void
dfmt_w_blobs(struct dfmt_writer *w)
{
	const struct dfmt_writer_facts *f = &w->facts;

	for (size_t i = 0; i < f->nr_blobs && w->stop == STOP_NO; i++) {
		const struct dfmt_wblob *blob = &f->blobs[i];

		if (!blob->data || blob->len > dfmt_w_room(w) / 4)
			continue;
		for (uint64_t off = 0; off < blob->len && !dfmt_w_stopped(w);
			off += BLOB_PIECE)
			if (!piece_emit(w, blob, off))
				return;
	}
}
