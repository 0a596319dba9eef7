/* SPDX-License-Identifier: MIT */
/* Known answers: of the RFCs, and of a program of other hands for our own. */
#include "dfmt-crypt.h"

#include <bearssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void
from_hex(const char *hex, uint8_t *out)
{
	for (size_t i = 0; hex[2 * i]; i++) {
		unsigned int byte = 0;

		for (size_t k = 0; k < 2; k++) {
			char c = hex[2 * i + k];

			byte = byte * 16 +
			       (unsigned int)(c <= '9' ? c - '0'
						       : c - 'a' + 10);
		}
		out[i] = (uint8_t)byte;
	}
}

static void
assert_hex(const uint8_t *bytes, const char *hex)
{
	uint8_t want[256];

	from_hex(hex, want);
	assert_memory_equal(bytes, want, strlen(hex) / 2);
}

/* RFC 8439, 2.8.2 */
static const char aead_text[] =
	"Ladies and Gentlemen of the class of '99: If I could offer you only "
	"one tip for the future, sunscreen would be it.";

struct aead {
	uint8_t key[32], nonce[12], aad[12], data[sizeof(aead_text) - 1];
	uint8_t tag[16];
};

static struct aead
aead_make(void)
{
	struct aead a;

	from_hex("808182838485868788898a8b8c8d8e8f"
		 "909192939495969798999a9b9c9d9e9f",
		a.key);
	from_hex("070000004041424344454647", a.nonce);
	from_hex("50515253c0c1c2c3c4c5c6c7", a.aad);
	memcpy(a.data, aead_text, sizeof(a.data));
	dfmt_crypt_seal(a.key, a.nonce, a.aad, sizeof(a.aad), a.data,
		sizeof(a.data), a.tag);
	return a;
}

static void
test_aead(void **state)
{
	struct aead a = aead_make();

	(void)state;
	assert_hex(a.data, "d31a8d34648e60db7b86afbc53ef7ec2"
			   "a4aded51296e08fea9e2b5a736ee62d6"
			   "3dbea45e8ca9671282fafb69da92728b"
			   "1a71de0a9e060b2905d6a5b67ecd3b36"
			   "92ddbd7f2d778b8c9803aee328091b58"
			   "fab324e4fad675945585808b4831d7bc"
			   "3ff4def08e4b7a9de576d26586cec64b6116");
	assert_hex(a.tag, "1ae10b594f09e26a7e902ecbd0600691");
	assert_true(dfmt_crypt_open(a.key, a.nonce, a.aad, sizeof(a.aad),
		a.data, sizeof(a.data), a.tag));
	assert_memory_equal(a.data, aead_text, sizeof(a.data));
}

static void
assert_refused(struct aead a)
{
	uint8_t zero[sizeof(a.data)] = { 0 };

	assert_false(dfmt_crypt_open(a.key, a.nonce, a.aad, sizeof(a.aad),
		a.data, sizeof(a.data), a.tag));
	assert_memory_equal(a.data, zero, sizeof(zero));
}

/* Any bit of any part: nothing comes out. */
static void
test_aead_tampered(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(struct aead); i++) {
		struct aead a = aead_make();

		((uint8_t *)&a)[i] ^= (uint8_t)(1u << i % 8);
		assert_refused(a);
	}
}

/* RFC 7748, 5.2 with a thousand turns */
static void
test_x25519(void **state)
{
	uint8_t k[32] = { 9 }, u[32] = { 9 };

	(void)state;
	for (int i = 0; i < 1000; i++) {
		uint8_t next[32];

		memcpy(next, u, sizeof(next));
		(void)br_ec_c25519_m31.mul(next, 32, k, 32, BR_EC_curve25519);
		memcpy(u, k, sizeof(u));
		memcpy(k, next, sizeof(k));
		if (i == 0)
			assert_hex(k, "422c8e7a6227d7bca1350b3e2bb7279f"
				      "7897b87bb6854b783c60e80311ae3079");
	}
	assert_hex(k, "684cf59ba83309552800ef566f2f4d3c"
		      "1c3887c49360e3875f2eb94d99532c51");
}

/* RFC 5869, A.1 and A.3 */
static void
test_hkdf(void **state)
{
	uint8_t ikm[22], salt[13], info[10], okm[42];
	br_hkdf_context c;

	(void)state;
	memset(ikm, 0x0b, sizeof(ikm));
	from_hex("000102030405060708090a0b0c", salt);
	from_hex("f0f1f2f3f4f5f6f7f8f9", info);
	br_hkdf_init(&c, &br_sha256_vtable, salt, sizeof(salt));
	br_hkdf_inject(&c, ikm, sizeof(ikm));
	br_hkdf_flip(&c);
	(void)br_hkdf_produce(&c, info, sizeof(info), okm, sizeof(okm));
	assert_hex(okm, "3cb25f25faacd57a90434f64d0362f2a"
			"2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
			"34007208d5b887185865");
	br_hkdf_init(&c, &br_sha256_vtable, "", 0);
	br_hkdf_inject(&c, ikm, sizeof(ikm));
	br_hkdf_flip(&c);
	(void)br_hkdf_produce(&c, "", 0, okm, sizeof(okm));
	assert_hex(okm, "8da4e775a563c18f715f802a063c5a31"
			"b8a11f5c5ee1879ec3454e5f3c738d2d"
			"9d201395faa4b61a96c8");
}

/* By a program that shares nothing with this one: plain integers in Python. */
static void
test_agree(void **state)
{
	uint8_t a[32], b[32], pa[32], pb[32], ka[32], kb[32], id[8];
	static const uint8_t low[32] = { 1 };

	(void)state;
	for (uint8_t i = 0; i < 32; i++) {
		a[i] = i;
		b[i] = (uint8_t)(100 + i);
	}
	dfmt_crypt_public(a, pa);
	dfmt_crypt_public(b, pb);
	assert_hex(pa, "8f40c5adb68f25624ae5b214ea767a6e"
		       "c94d829d3d7b5e1ad1ba6f3e2138285f");
	assert_hex(pb, "7d9c24316539825c1896e57f28197746"
		       "793ce60cbee3ad47da9d07b85fa55e2a");
	assert_true(dfmt_crypt_agree(b, pa, pb, pa, kb));
	assert_true(dfmt_crypt_agree(a, pb, pb, pa, ka));
	assert_hex(ka, "a76aaaece42f676cc2d2d07e821244ea"
		       "91dff71150b41cfac851dde76d42d659");
	assert_memory_equal(ka, kb, sizeof(ka));
	dfmt_crypt_key_id(pa, id);
	assert_hex(id, "edd364f102eccd89");
	assert_false(dfmt_crypt_agree(a, low, low, pa, ka));
}

static void
test_keyfile(void **state)
{
	char text[DFMT_KEYFILE_MAX], twice[2 * DFMT_KEYFILE_MAX];
	uint8_t secret[32], got[32];
	size_t len;

	(void)state;
	for (uint8_t i = 0; i < 32; i++)
		secret[i] = (uint8_t)(i * 7);
	len = dfmt_key_format(secret, text);
	assert_true(dfmt_key_parse(text, len, got));
	assert_memory_equal(got, secret, sizeof(got));
	memcpy(twice, text, len);
	memcpy(twice + len, text, len);
	assert_false(dfmt_key_parse(twice, 2 * len, got));
	for (size_t cut = 0; cut + 1 < len; cut++)
		assert_false(dfmt_key_parse(text, cut, got));
	text[len - 2] = 'g';
	assert_false(dfmt_key_parse(text, len, got));
	assert_non_null(dfmt_key_load("/nonexistent/key", got));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aead),
		cmocka_unit_test(test_aead_tampered),
		cmocka_unit_test(test_x25519),
		cmocka_unit_test(test_hkdf),
		cmocka_unit_test(test_agree),
		cmocka_unit_test(test_keyfile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
