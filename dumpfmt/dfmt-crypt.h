/* SPDX-License-Identifier: MIT */
/*
 * Encryption of dumps on BearSSL: ChaCha20-Poly1305 (RFC 8439), X25519 (RFC
 * 7748), HKDF-SHA256 (RFC 5869).  docs/DUMPFORMAT.md, section 14.
 *
 * crypt.c and crypt-key.c are freestanding but for BearSSL, which needs memcpy
 * and memset alone: a hypervisor has them too.  crypt-segment.c and keyfile.c
 * are the host's.  Keys are arrays of DFMT_KEY_LEN bytes as RFC 7748 writes
 * them.  Nothing here is kept between two calls.
 */
#ifndef DFMT_CRYPT_H
#define DFMT_CRYPT_H

#include "dfmt-format.h"

#include <stdbool.h>

#define DFMT_NONCE_LEN 12u
#define DFMT_TAG_LEN 16u

/* ---- crypt.c: messages --------------------------------------------------- */

/* struct dfmt_writer_cipher.seal: encrypts in place. */
void dfmt_crypt_seal(const uint8_t *key, const uint8_t *nonce, const void *aad,
	size_t aad_len, void *data, size_t len, uint8_t *tag_out);

/* Decrypts in place; false, and data is zeros, when the tag is not right. */
bool dfmt_crypt_open(const uint8_t *key, const uint8_t *nonce, const void *aad,
	size_t aad_len, void *data, size_t len, const uint8_t *tag);

/* ---- crypt-key.c: before the first message ------------------------------- */

/* The public key of a secret one. */
void dfmt_crypt_public(const uint8_t *secret, uint8_t *public_out);

/* What names a public key among others: DFMT_KEY_ID_LEN bytes. */
void dfmt_crypt_key_id(const uint8_t *public_key, uint8_t *id_out);

/* SHA-256, for entropy that comes in pieces. */
void dfmt_crypt_hash(const void *data, size_t len, uint8_t *hash_out);

/*
 * The key of a dump: agreed between one's own secret and the other's public
 * key, and bound to both public keys.  false: the other's key is of low order,
 * no key at all.
 */
bool dfmt_crypt_agree(const uint8_t *secret, const uint8_t *other,
	const uint8_t *ephemeral, const uint8_t *recipient, uint8_t *key_out);

/* ---- crypt-segment.c: reading -------------------------------------------- */

/* The key of a dump that is for the owner of secret; false: it is not. */
bool dfmt_crypt_dump_key(const struct dfmt_fmt_keys *keys,
	const uint8_t *secret, uint8_t *key_out);

/*
 * Decrypts a segment in place: header first, len bytes of it there, of which
 * the payload is the most.  false, and all but its clear part is zeros: it is
 * damaged, or of another dump.
 */
bool dfmt_crypt_segment_open(const uint8_t *key, uint8_t *bytes, size_t len);

/* ---- keyfile.c ----------------------------------------------------------- */

#define DFMT_KEYFILE_MAX 4096u
#define DFMT_KEY_ID_TEXT 17u

/*
 * Takes the secret key out of a key file's text: a line "mdb-secret-key-1" and
 * 64 hex digits; lines that begin with # are comments.  false: it is none.
 */
bool dfmt_key_parse(const char *text, size_t len, uint8_t *secret_out);

/* The same from a file; NULL, or why not, as static text. */
const char *dfmt_key_load(const char *path, uint8_t *secret_out);

/* The text of a key file; its length.  out has DFMT_KEYFILE_MAX bytes. */
size_t dfmt_key_format(const uint8_t *secret, char *out);

/* 64 hex digits, and nothing else. */
bool dfmt_key_hex(const char *text, size_t len, uint8_t *key_out);

/* An id as text of DFMT_KEY_ID_TEXT bytes; returns text. */
const char *dfmt_key_id_text(const uint8_t *id, char *text);

#endif
