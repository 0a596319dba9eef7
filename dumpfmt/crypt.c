/* SPDX-License-Identifier: MIT */
/*
 * One message: ChaCha20-Poly1305 by BearSSL's constant-time code that needs no
 * vector registers.  Freestanding.
 */
#include "dfmt-crypt.h"

#include <bearssl.h>
#include <string.h>

void
dfmt_crypt_seal(const uint8_t *key, const uint8_t *nonce, const void *aad,
	size_t aad_len, void *data, size_t len, uint8_t *tag_out)
{
	br_poly1305_ctmul_run(key, nonce, data, len, aad, aad_len, tag_out,
		br_chacha20_ct_run, 1);
}

bool
dfmt_crypt_open(const uint8_t *key, const uint8_t *nonce, const void *aad,
	size_t aad_len, void *data, size_t len, const uint8_t *tag)
{
	uint8_t right[DFMT_TAG_LEN], differ = 0;

	br_poly1305_ctmul_run(key, nonce, data, len, aad, aad_len, right,
		br_chacha20_ct_run, 0);
	for (size_t i = 0; i < DFMT_TAG_LEN; i++)
		differ |= right[i] ^ tag[i];
	if (differ)
		memset(data, 0, len);
	return differ == 0;
}
