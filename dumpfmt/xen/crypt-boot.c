/* SPDX-License-Identifier: MIT */
/*
 * Encryption at boot: a fresh secret, the agreement with the key of the command
 * line, and the dump's key; the secret is wiped.  All of this file, and of
 * BearSSL's in it, is thrown away with Xen's other code of boot.
 */
#include "xdump-impl.h"

#include <xen/string.h>

#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/processor.h>

#ifndef XDUMP_CRYPT

const char *
xdump_cipher_make(const uint8_t *recipient, struct dfmt_writer_cipher *cipher)
{
	return "key=: this Xen is built without encryption";
}

#else

#undef MIN
#undef MAX
#undef MUX
#undef EQ
#undef NEQ
#undef GT
#undef GE
#undef LT
#undef LE
#undef NOT

#include "ccopy.c"
#include "dec32be.c"
#include "ec_c25519_m31.c"
#include "enc32be.c"
#include "hkdf.c"
#include "hmac.c"
#include "sha2small.c"

#include "crypt-key.c"

#define WORDS 16u   /* of each instruction */
#define JITTERS 64u /* readings of the counter */
#define TRIES 64u
#define STACK_USED 4096u

/* What the machine has of randomness, before it is hashed. */
struct pool {
	uint64_t words[2][WORDS];
	uint64_t jitter[JITTERS];
};

static bool
rdrand(uint64_t *word)
{
	bool got;

	asm volatile("rdrand %0" : "=r"(*word), "=@ccc"(got));
	return got;
}

static bool
rdseed(uint64_t *word)
{
	bool got;

	asm volatile("rdseed %0" : "=r"(*word), "=@ccc"(got));
	return got;
}

/* Words that are all there, and not stuck at one value. */
static bool
words_take(uint64_t *words, bool (*next)(uint64_t *))
{
	uint32_t nr_same = 0;

	for (uint32_t i = 0; i < WORDS; i++) {
		uint32_t tries = 0;

		while (!next(&words[i])) {
			if (++tries == TRIES)
				return false;
			cpu_relax();
		}
		if (i && words[i] == words[i - 1])
			nr_same++;
	}
	return nr_same == 0;
}

/* In addition, never alone: how long things take. */
static void
jitter_take(uint64_t *jitter)
{
	for (uint32_t i = 0; i < JITTERS; i++) {
		uint32_t eax = 0, ecx = 0;

		asm volatile("cpuid" : "+a"(eax), "+c"(ecx) : : "ebx", "edx");
		jitter[i] = rdtsc();
	}
}

static bool
secret_take(uint8_t *secret)
{
	struct pool pool;
	bool good = false;

	memset(&pool, 0, sizeof(pool));
	if (boot_cpu_has(X86_FEATURE_RDSEED))
		good = words_take(pool.words[0], rdseed);
	if (boot_cpu_has(X86_FEATURE_RDRAND))
		good = words_take(pool.words[1], rdrand) || good;
	jitter_take(pool.jitter);
	dfmt_crypt_hash(&pool, sizeof(pool), secret);
	memset(&pool, 0, sizeof(pool));
	asm volatile("" : : "r"(&pool) : "memory");
	return good;
}

static const char *
agree(const uint8_t *recipient, struct dfmt_writer_cipher *c)
{
	uint8_t secret[DFMT_KEY_LEN];
	const char *why = NULL;

	if (!secret_take(secret)) {
		why = "key=: this CPU has no RDRAND or RDSEED that works, and without randomness nothing is encrypted";
	} else {
		dfmt_crypt_public(secret, c->keys.ephemeral);
		if (!dfmt_crypt_agree(secret, recipient, c->keys.ephemeral,
			    recipient, c->key))
			why = "key=: this is no public key";
	}
	memset(secret, 0, sizeof(secret));
	asm volatile("" : : "r"(secret) : "memory");
	return why;
}

/* What the calls before have left on the stack below here. */
static void __attribute__((__noinline__)) stack_wipe(void)
{
	uint8_t used[STACK_USED];

	memset(used, 0, sizeof(used));
	asm volatile("" : : "r"(used) : "memory");
}

const char *
xdump_cipher_make(const uint8_t *recipient, struct dfmt_writer_cipher *cipher)
{
	const char *why;

	memset(cipher, 0, sizeof(*cipher));
	why = agree(recipient, cipher);
	stack_wipe();
	if (why)
		return why;
	cipher->seal = dfmt_crypt_seal;
	cipher->keys.scheme = DFMT_KEYS_X25519;
	dfmt_crypt_key_id(recipient, cipher->keys.recipient);
	return NULL;
}

#endif
