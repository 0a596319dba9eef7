/* SPDX-License-Identifier: MIT */
/*
 * The agreement on a dump's key.  Freestanding but for BearSSL; a hypervisor
 * runs it at boot and throws the code away.
 *
 * The label is HKDF's salt, both public keys its info: a key is good for one
 * pair of keys and for nothing but dumps.
 */
#include "dfmt-crypt.h"

#include <bearssl.h>
#include <string.h>

static const char label[] = "mdb dump 1: X25519, HKDF-SHA256, "
			    "ChaCha20-Poly1305";
static const char id_label[] = "mdb dump key 1";

static void
multiply(const uint8_t *secret, uint8_t *point)
{
	(void)br_ec_c25519_m31.mul(point, DFMT_KEY_LEN, secret, DFMT_KEY_LEN,
		BR_EC_curve25519);
}

void
dfmt_crypt_public(const uint8_t *secret, uint8_t *public_out)
{
	memset(public_out, 0, DFMT_KEY_LEN);
	public_out[0] = 9;
	multiply(secret, public_out);
}

void
dfmt_crypt_key_id(const uint8_t *public_key, uint8_t *id_out)
{
	uint8_t hash[br_sha256_SIZE];
	br_sha256_context c;

	br_sha256_init(&c);
	br_sha256_update(&c, id_label, sizeof(id_label) - 1);
	br_sha256_update(&c, public_key, DFMT_KEY_LEN);
	br_sha256_out(&c, hash);
	memcpy(id_out, hash, DFMT_KEY_ID_LEN);
}

void
dfmt_crypt_hash(const void *data, size_t len, uint8_t *hash_out)
{
	br_sha256_context c;

	br_sha256_init(&c);
	br_sha256_update(&c, data, len);
	br_sha256_out(&c, hash_out);
}

bool
dfmt_crypt_agree(const uint8_t *secret, const uint8_t *other,
	const uint8_t *ephemeral, const uint8_t *recipient, uint8_t *key_out)
{
	uint8_t shared[DFMT_KEY_LEN], any = 0;
	br_hkdf_context c;

	memcpy(shared, other, sizeof(shared));
	multiply(secret, shared);
	for (size_t i = 0; i < sizeof(shared); i++)
		any |= shared[i];
	br_hkdf_init(&c, &br_sha256_vtable, label, sizeof(label) - 1);
	br_hkdf_inject(&c, shared, sizeof(shared));
	br_hkdf_flip(&c);
	uint8_t info[2 * DFMT_KEY_LEN];

	memcpy(info, ephemeral, DFMT_KEY_LEN);
	memcpy(info + DFMT_KEY_LEN, recipient, DFMT_KEY_LEN);
	(void)br_hkdf_produce(&c, info, sizeof(info), key_out, DFMT_KEY_LEN);
	memset(shared, 0, sizeof(shared));
	memset(&c, 0, sizeof(c));
	__asm__ volatile("" : : "r"(shared), "r"(&c) : "memory");
	return any != 0;
}
