/* SPDX-License-Identifier: MIT */
/*
 * Encrypted segments, as a reader takes them: the message is the header without
 * its place and checksums, the clear part of the payload, and the rest.
 */
#include "dfmt-bytes.h"
#include "dfmt-crypt.h"

#include <string.h>

/* Fields of the header that are not part of the message. */
static void
header_strip(uint8_t *h)
{
	memset(h + offsetof(struct dfmt_fmt_seg, offset), 0, 8);
	memset(h + offsetof(struct dfmt_fmt_seg, crc_len), 0, 8);
	memset(h + offsetof(struct dfmt_fmt_seg, auth), 0, DFMT_TAG_LEN);
	memset(h + offsetof(struct dfmt_fmt_seg, header_crc), 0, 4);
}

bool
dfmt_crypt_dump_key(const struct dfmt_fmt_keys *keys, const uint8_t *secret,
	uint8_t *key_out)
{
	uint8_t mine[DFMT_KEY_LEN], id[DFMT_KEY_ID_LEN];

	dfmt_crypt_public(secret, mine);
	dfmt_crypt_key_id(mine, id);
	return dfmt_le32((const uint8_t *)keys) == DFMT_KEYS_X25519 &&
	       memcmp(id, keys->recipient, sizeof(id)) == 0 &&
	       dfmt_crypt_agree(secret, keys->ephemeral, keys->ephemeral, mine,
		       key_out);
}

bool
dfmt_crypt_segment_open(const uint8_t *key, uint8_t *bytes, size_t len)
{
	uint8_t nonce[DFMT_NONCE_LEN] = { 0 }, tag[DFMT_TAG_LEN];
	uint8_t header[DFMT_SEG_HEADER_LEN];
	uint64_t payload_len, clear;
	bool right;

	if (len < sizeof(header))
		return false;
	payload_len = dfmt_le64(bytes + 56);
	clear = dfmt_le32(bytes + 112);
	if (dfmt_le16(bytes + 10) != sizeof(header) || clear > payload_len ||
		!dfmt_inside(sizeof(header), payload_len, len))
		return false;
	memcpy(header, bytes, sizeof(header));
	memcpy(nonce + 4, bytes + 104, 8);
	memcpy(tag, bytes + 88, sizeof(tag));
	header_strip(bytes);
	right = dfmt_crypt_open(key, nonce, bytes, sizeof(header) + clear,
		bytes + sizeof(header) + clear, payload_len - clear, tag);
	memcpy(bytes, header, sizeof(header));
	return right;
}
