/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the way of an encrypted dump through the reader.  The input is a dump
 * in clear; each segment is made right behind its change as its owner would:
 * sealed with the dump's key, then its checksums.  So what is behind the tag is
 * hostile too.  The input's last byte says which of that is left undone.
 */
#include "dfmt-crypt.h"
#include "dfmt-fuzz.h"

#include "native_build.h"

#define LEAVE_CRC 1u
#define LEAVE_TAG 2u
#define LEAVE_ID 4u
#define LEAVE_FLAG 8u
#define LEAVE_KEYS 16u
#define NO_KEY 32u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct keys {
	uint8_t secret[DFMT_KEY_LEN], key[DFMT_KEY_LEN];
	struct dfmt_fmt_keys keys;
};

/* The same for every input: made once. */
static const struct keys *
keys_get(void)
{
	static struct keys k;
	uint8_t own[DFMT_KEY_LEN], theirs[DFMT_KEY_LEN];

	if (k.keys.scheme)
		return &k;
	memset(k.secret, 0x5e, sizeof(k.secret));
	memset(own, 0xe9, sizeof(own));
	dfmt_crypt_public(k.secret, theirs);
	dfmt_crypt_public(own, k.keys.ephemeral);
	dfmt_crypt_key_id(theirs, k.keys.recipient);
	if (!dfmt_crypt_agree(own, theirs, k.keys.ephemeral, theirs, k.key))
		abort();
	k.keys.scheme = DFMT_KEYS_X25519;
	return &k;
}

/* The item with the keys, in front of all others, and the items' checksums. */
static void
triage_fix(uint8_t *h, size_t len, const struct keys *k, unsigned int leave)
{
	uint8_t *p = h + 128;
	size_t at = 128, room = len - 128;

	if (room < 128 + 16 + sizeof(k->keys))
		return;
	nb_put(p + 124, nb_crc(p, 124), 4);
	if (!(leave & LEAVE_KEYS)) {
		nb_put(p + 128, DFMT_ITEM_KEYS, 2);
		nb_put(p + 132, sizeof(k->keys), 4);
		memcpy(p + 144, &k->keys, sizeof(k->keys));
		nb_put(h + 112, 128 + 16 + sizeof(k->keys), 4);
	}
	for (int i = 0; i < 64 && at + 16 <= room; i++) {
		size_t n = nb_get(p + at + 4, 4);

		if (n > room - at - 16)
			break;
		nb_put(p + at + 8, nb_crc(p + at + 16, n), 4);
		at += 16 + (n + 7) / 8 * 8;
	}
}

static void
seal(uint8_t *h, size_t len, const struct keys *k, unsigned int leave)
{
	uint8_t keep[128], nonce[DFMT_NONCE_LEN] = { 0 }, tag[DFMT_TAG_LEN];
	size_t payload = nb_get(h + 56, 8), clear = nb_get(h + 112, 4);

	if (!(leave & LEAVE_FLAG))
		h[82] |= DFMT_SEG_ENCRYPTED;
	if (payload > len - 128 || clear > payload || (leave & LEAVE_TAG))
		return;
	memcpy(keep, h, sizeof(keep));
	memset(h + 40, 0, 8);
	memset(h + 72, 0, 8);
	memset(h + 88, 0, 16);
	memset(h + 124, 0, 4);
	memcpy(nonce + 4, h + 104, 8);
	dfmt_crypt_seal(k->key, nonce, h, 128 + clear, h + 128 + clear,
		payload - clear, tag);
	memcpy(h, keep, sizeof(keep));
	memcpy(h + 88, tag, sizeof(tag));
}

static void
segment_fix(uint8_t *h, size_t len, const uint8_t *id, size_t off,
	const struct keys *k, unsigned int leave)
{
	if (!(leave & LEAVE_ID))
		memcpy(h + 16, id, 16);
	nb_put(h + 40, off, 8);
	if (nb_get(h + 12, 2) == DFMT_SEG_TRIAGE)
		triage_fix(h, len, k, leave);
	if (nb_get(h + 12, 2) == DFMT_SEG_KEYS && len >= 192 &&
		!(leave & LEAVE_KEYS))
		memcpy(h + 128, &k->keys, sizeof(k->keys));
	seal(h, len, k, leave);
	if (leave & LEAVE_CRC)
		return;
	if (nb_get(h + 56, 8) <= len - 128) {
		nb_put(h + 72, nb_get(h + 56, 8), 4);
		nb_put(h + 76, nb_crc(h + 128, nb_get(h + 56, 8)), 4);
	}
	nb_header_fix(h);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t magic[] = "\x8dmdbSEG\n";
	const struct keys *k = keys_get();
	uint8_t *copy;

	if (len < 129 || len > 100000)
		return 0;
	copy = malloc(len - 1);
	if (!copy)
		return 0;
	memcpy(copy, data, len - 1);
	memcpy(copy, magic, 8);
	/* From the last on: a segment may hold what looks like another. */
	for (size_t at = (len - 1 - 128) / 512 * 512 + 512; at >= 512;) {
		at -= 512;
		if (at + 128 <= len - 1 && memcmp(copy + at, magic, 8) == 0)
			segment_fix(copy + at, len - 1 - at, copy + 16, at, k,
				data[len - 1]);
	}
	dfmt_fuzz_with(copy, len - 1, copy, 0,
		data[len - 1] & NO_KEY ? NULL : k->secret);
	free(copy);
	return 0;
}
