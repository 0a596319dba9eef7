/* SPDX-License-Identifier: MIT */
/* Fuzzes key files: what is taken is what is written again. */
#include "dfmt-crypt.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t secret[DFMT_KEY_LEN], again[DFMT_KEY_LEN];
	char text[DFMT_KEYFILE_MAX];
	char *copy = malloc(len + 1);

	if (!copy)
		return 0;
	if (len)
		memcpy(copy, data, len);
	if (dfmt_key_parse(copy, len, secret) &&
		(!dfmt_key_parse(text, dfmt_key_format(secret, text), again) ||
			memcmp(secret, again, sizeof(again)) != 0))
		abort();
	free(copy);
	return 0;
}
