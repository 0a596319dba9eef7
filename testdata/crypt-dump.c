/* SPDX-License-Identifier: MIT */
/*
 * Writes the dump of the made-up machine (writer_fixture.h) to a labelled file,
 * encrypted to a public key: for checks of the programs that read such dumps.
 *
 *	crypt-dump HEX64 OUT	plain where HEX64 is "-"
 */
#include "dumpfmt/dfmt-crypt.h"
#include "dumpfmt/writer_fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static bool
cipher_make(struct dfmt_writer_cipher *c, const char *hex)
{
	uint8_t theirs[DFMT_KEY_LEN], own[DFMT_KEY_LEN];

	c->seal = dfmt_crypt_seal;
	c->keys.scheme = DFMT_KEYS_X25519;
	if (!dfmt_key_hex(hex, strlen(hex), theirs) ||
		getrandom(own, sizeof(own), 0) != (ssize_t)sizeof(own))
		return false;
	dfmt_crypt_public(own, c->keys.ephemeral);
	dfmt_crypt_key_id(theirs, c->keys.recipient);
	return dfmt_crypt_agree(own, theirs, c->keys.ephemeral, theirs, c->key);
}

int
main(int argc, char **argv)
{
	struct dfmt_writer_cipher cipher = { .seal = NULL };
	struct wfix f;
	FILE *out;

	if (argc != 3)
		return 2;
	wfix_init(&f, 2000, 8u << 20);

	struct dfmt_writer_config config = wfix_config(&f);
	struct dfmt_writer_facts facts = wfix_facts(&f);

	if (strcmp(argv[1], "-") != 0) {
		if (!cipher_make(&cipher, argv[1]))
			return 2;
		config.cipher = &cipher;
	}
	size_t len = dfmt_writer_memory(&config);
	void *memory = aligned_alloc(4096, len);
	struct dfmt_writer *w = dfmt_writer_init(&config, memory, len);

	if (!w || dfmt_writer_run(w, &facts, f.device_len) != DFMT_W_COMPLETE)
		return 1;
	out = fopen(argv[2], "we");
	if (!out || fwrite(f.device, f.device_len, 1, out) != 1 || fclose(out))
		return 1;
	free(memory);
	wfix_fini(&f);
	return 0;
}
