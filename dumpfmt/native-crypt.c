/* SPDX-License-Identifier: MIT */
/*
 * Encrypted dumps: whom they are for, and their segments decrypted.
 *
 * A segment is one message: nothing of it is believed before its tag was seen
 * to be right, so it is decrypted whole and kept for a while.  Headers are in
 * clear; whoever finds one notes where its segment lies, and reads in there are
 * of what was decrypted.
 */
#include "dfmt-crypt.h"
#include "dfmt-native.h"

#include <stdlib.h>
#include <string.h>

#ifdef MDB_TINY
#define KEPT_MAX ((uint64_t)64 << 10)
#else
#define KEPT_MAX ((uint64_t)32 << 20)
#endif
#define NR_KEPT 64u

/* Where an encrypted segment lies. */
struct place {
	uint64_t offset;
	uint64_t payload; /* from there to end the payload */
	uint64_t end;
};

struct kept {
	uint64_t offset;
	uint64_t used; /* when; 0: nothing is kept here */
	uint64_t len;
	uint8_t *bytes; /* header first; NULL: its tag is not right */
};

struct dfmt_ncrypt {
	uint8_t key[DFMT_KEY_LEN];
	pthread_mutex_t lock; /* of all that follows */
	struct place *places; /* ascending */
	size_t nr_places;
	struct kept kept[NR_KEPT];
	uint64_t nr_bytes, clock;
};

/* ---- whom it is for ----------------------------------------------------- */

enum dfmt_status
dfmt_nlocked(struct dfmt_err *err)
{
	return dfmt_fail(err, DFMT_E_UNSUPPORTED,
		"it is encrypted, and no key is given", DFMT_NONE, DFMT_NONE);
}

/* The item in the clear part of the first segment. */
static bool
keys_in_triage(const struct dfmt_nstate *n, const struct dfmt_nseg *seg,
	struct dfmt_fmt_keys *keys_out)
{
	size_t len = dfmt_min(seg->clear_len, DFMT_TRIAGE_LEN);
	size_t at = sizeof(struct dfmt_fmt_triage);
	uint8_t p[DFMT_TRIAGE_LEN];

	if (dfmt_source_read(n->src, n->base + seg->header_len, p, len, NULL) !=
		DFMT_OK)
		return false;
	while (dfmt_inside(at, 16, len)) {
		uint64_t size = dfmt_le32(p + at + 4);

		if (!dfmt_inside(at + 16, size, len))
			break;
		if (dfmt_le16(p + at) == DFMT_ITEM_KEYS &&
			size >= sizeof(*keys_out) &&
			dfmt_crc32c(&n->crc, p + at + 16, size) ==
				dfmt_le32(p + at + 8)) {
			memcpy(keys_out, p + at + 16, sizeof(*keys_out));
			return true;
		}
		at += 16 + ((size + 7) & ~(uint64_t)7);
	}
	return false;
}

/* The segment behind the first one says it once more. */
static bool
keys_in_segment(const struct dfmt_nstate *n, uint64_t off,
	struct dfmt_fmt_keys *keys_out)
{
	uint8_t p[DFMT_SEG_HEADER_LEN + sizeof(*keys_out)];
	struct dfmt_nseg seg;

	if (dfmt_source_read(n->src, n->base + off, p, sizeof(p), NULL) !=
			DFMT_OK ||
		!dfmt_nseg_parse(&n->crc, p, &seg) || seg.offset != off ||
		memcmp(seg.id, n->id, sizeof(seg.id)) != 0 ||
		seg.type != DFMT_SEG_KEYS || seg.header_len != 128 ||
		seg.crc_len != sizeof(*keys_out) ||
		dfmt_crc32c(&n->crc, p + 128, sizeof(*keys_out)) !=
			seg.payload_crc)
		return false;
	memcpy(keys_out, p + 128, sizeof(*keys_out));
	return true;
}

/* It may lie further on, where the device refused that place. */
static bool
keys_find(const struct dfmt_nstate *n, const struct dfmt_nfirst *first,
	struct dfmt_fmt_keys *keys_out)
{
	uint64_t off = first->lost ? first->seg.offset : DFMT_TRIAGE_LEN;

	if (!first->lost && keys_in_triage(n, &first->seg, keys_out))
		return true;
	if (keys_in_segment(n, off, keys_out))
		return true;
	return !first->lost &&
	       dfmt_nmagic_search(n, off + n->align, off + DFMT_NLOOKAHEAD,
		       &off) &&
	       keys_in_segment(n, off, keys_out);
}

static enum dfmt_status
wrong_key(const struct dfmt_nstate *n, const uint8_t *secret,
	struct dfmt_err *err)
{
	uint8_t mine[DFMT_KEY_LEN], id[DFMT_KEY_ID_LEN];
	char a[DFMT_KEY_ID_TEXT], b[DFMT_KEY_ID_TEXT];
	enum dfmt_status st = dfmt_fail(err, DFMT_E_UNSUPPORTED,
		"it is encrypted to another key than the one given", DFMT_NONE,
		DFMT_NONE);

	dfmt_crypt_public(secret, mine);
	dfmt_crypt_key_id(mine, id);
	dfmt_detail(err, "to %s; given is %s",
		dfmt_key_id_text(n->info.key_id, a), dfmt_key_id_text(id, b));
	return st;
}

static enum dfmt_status
unlock(struct dfmt *d, struct dfmt_nstate *n, const struct dfmt_fmt_keys *keys,
	struct dfmt_err *err)
{
	struct dfmt_ncrypt *c = calloc(1, sizeof(*c));

	if (!c)
		return dfmt_fail(err, DFMT_E_NOMEM, "decrypting", DFMT_NONE,
			DFMT_NONE);
	pthread_mutex_init(&c->lock, NULL);
	if (!dfmt_crypt_dump_key(keys, d->key, c->key)) {
		dfmt_ncrypt_destroy(c);
		return wrong_key(n, d->key, err);
	}
	n->crypt = c;
	n->locked = n->info.locked = false;
	return DFMT_OK;
}

enum dfmt_status
dfmt_ncrypt_begin(struct dfmt *d, struct dfmt_nstate *n,
	const struct dfmt_nfirst *first, struct dfmt_err *err)
{
	struct dfmt_fmt_keys keys;
	struct dfmt_nseg seg = first->seg;

	if (!(seg.flags & DFMT_SEG_ENCRYPTED))
		return DFMT_OK;
	n->info.encrypted = n->info.locked = n->locked = true;
	n->info.has_keys = keys_find(n, first, &keys);
	if (!n->info.has_keys)
		return DFMT_OK;
	memcpy(n->info.key_id, keys.recipient, sizeof(n->info.key_id));
	if (!d->key)
		return DFMT_OK;
	enum dfmt_status st = unlock(d, n, &keys, err);
	if (st == DFMT_OK)
		(void)dfmt_ncrypt_note(n->crypt, &seg);
	return st;
}

void
dfmt_ncrypt_destroy(struct dfmt_ncrypt *c)
{
	if (!c)
		return;
	for (uint32_t i = 0; i < NR_KEPT; i++)
		free(c->kept[i].bytes);
	free(c->places);
	pthread_mutex_destroy(&c->lock);
	explicit_bzero(c->key, sizeof(c->key));
	free(c);
}

/* ---- where segments lie ------------------------------------------------- */

/* How many places begin at or before off. */
static size_t
places_before(const struct dfmt_ncrypt *c, uint64_t off)
{
	size_t lo = 0, hi = c->nr_places;

	if (hi && c->places[hi - 1].offset <= off)
		return hi;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (c->places[mid].offset <= off)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool
place_add(struct dfmt_ncrypt *c, const struct place *p)
{
	size_t i = places_before(c, p->offset), nr = c->nr_places;

	if (i && c->places[i - 1].offset == p->offset)
		return true;
	if (!dfmt_ngrow(&c->places, &c->nr_places, nr, sizeof(*p)))
		return false;
	memmove(c->places + i + 1, c->places + i, (nr - i) * sizeof(*p));
	c->places[i] = *p;
	return true;
}

bool
dfmt_ncrypt_note(struct dfmt_ncrypt *c, struct dfmt_nseg *seg)
{
	const struct place p = {
		.offset = seg->offset,
		.payload = seg->offset + seg->header_len,
		.end = seg->offset + seg->header_len + seg->payload_len,
	};

	if (!(seg->flags & DFMT_SEG_ENCRYPTED) ||
		seg->header_len != DFMT_SEG_HEADER_LEN ||
		seg->clear_len > seg->payload_len)
		return false;
	seg->flags &= (uint16_t)~DFMT_SEG_ENCRYPTED;
	pthread_mutex_lock(&c->lock);
	bool added = place_add(c, &p);
	pthread_mutex_unlock(&c->lock);
	return added;
}

static bool
place_find(const struct dfmt_ncrypt *c, uint64_t off, struct place *place_out)
{
	size_t i = places_before(c, off);

	if (!i || off < c->places[i - 1].payload || off >= c->places[i - 1].end)
		return false;
	*place_out = c->places[i - 1];
	return true;
}

/* ---- decrypted ---------------------------------------------------------- */

static void
kept_drop(struct dfmt_ncrypt *c, struct kept *k)
{
	if (k->bytes)
		c->nr_bytes -= k->len;
	free(k->bytes);
	*k = (struct kept){ .used = 0 };
}

/* The slot that is unused for longest, of all or of those that hold bytes. */
static struct kept *
kept_oldest(struct dfmt_ncrypt *c, bool with_bytes)
{
	struct kept *oldest = NULL;

	for (uint32_t i = 0; i < NR_KEPT; i++) {
		struct kept *k = &c->kept[i];

		if ((k->bytes || !with_bytes) &&
			(!oldest || k->used < oldest->used))
			oldest = k;
	}
	return oldest;
}

/* An empty slot, and room for so many bytes. */
static struct kept *
kept_room(struct dfmt_ncrypt *c, uint64_t len)
{
	struct kept *k;

	while (c->nr_bytes && c->nr_bytes + len > KEPT_MAX)
		kept_drop(c, kept_oldest(c, true));
	k = kept_oldest(c, false);
	kept_drop(c, k);
	return k;
}

static struct kept *
kept_find(struct dfmt_ncrypt *c, uint64_t offset)
{
	for (uint32_t i = 0; i < NR_KEPT; i++)
		if (c->kept[i].used && c->kept[i].offset == offset)
			return &c->kept[i];
	return NULL;
}

/* The segment into a slot; one that is damaged is remembered as such. */
static enum dfmt_status
segment_load(const struct dfmt_nstate *n, const struct place *p,
	struct kept **kept_out, struct dfmt_err *err)
{
	struct dfmt_ncrypt *c = n->crypt;
	uint64_t len = p->end - p->offset;
	uint8_t *bytes = malloc(len);

	if (!bytes)
		return dfmt_fail(err, DFMT_E_NOMEM, "decrypting a segment",
			DFMT_NONE, DFMT_NONE);
	enum dfmt_status st =
		dfmt_source_read(n->src, n->base + p->offset, bytes, len, err);
	if (st != DFMT_OK || !dfmt_crypt_segment_open(c->key, bytes, len)) {
		free(bytes);
		bytes = NULL;
	}
	if (st != DFMT_OK)
		return st;
	struct kept *k = kept_room(c, bytes ? len : 0);
	*k = (struct kept){ .offset = p->offset, .len = len, .bytes = bytes };
	c->nr_bytes += bytes ? len : 0;
	*kept_out = k;
	return DFMT_OK;
}

static enum dfmt_status
place_read(const struct dfmt_nstate *n, const struct place *p, uint64_t off,
	void *buf, size_t len, struct dfmt_err *err)
{
	struct dfmt_ncrypt *c = n->crypt;
	struct kept *k = kept_find(c, p->offset);
	enum dfmt_status st = DFMT_OK;

	if (!dfmt_inside(p->offset, p->end - p->offset, n->len))
		return dfmt_fail(err, DFMT_E_LOST,
			"an encrypted segment that is cut off",
			n->base + p->offset, DFMT_NONE);
	if (!k)
		st = segment_load(n, p, &k, err);
	if (st != DFMT_OK)
		return st;
	k->used = ++c->clock;
	if (!k->bytes)
		return dfmt_fail(err, DFMT_E_LOST,
			"an encrypted segment is damaged: its tag is wrong",
			n->base + p->offset, DFMT_NONE);
	if (!dfmt_inside(off, len, p->end))
		return dfmt_fail(err, DFMT_E_LOST, "its segment ends before it",
			dfmt_add_sat(n->base, off), DFMT_NONE);
	memcpy(buf, k->bytes + (off - p->offset), len);
	return DFMT_OK;
}

enum dfmt_status
dfmt_ncrypt_read(const struct dfmt_nstate *n, uint64_t off, void *buf,
	size_t len, struct dfmt_err *err)
{
	struct dfmt_ncrypt *c = n->crypt;
	enum dfmt_status st = DFMT_E_RANGE;
	struct place p;

	pthread_mutex_lock(&c->lock);
	if (place_find(c, off, &p))
		st = place_read(n, &p, off, buf, len, err);
	pthread_mutex_unlock(&c->lock);
	return st;
}

bool
dfmt_ncrypt_right(const struct dfmt_nstate *n, uint8_t *bytes, size_t len)
{
	return (dfmt_le16(bytes + 82) & DFMT_SEG_ENCRYPTED) &&
	       dfmt_crypt_segment_open(n->crypt->key, bytes, len);
}
