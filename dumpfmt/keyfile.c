/* SPDX-License-Identifier: MIT */
/*
 * Files with a secret key: a few lines of text, so that a person who finds one
 * knows what it is.
 */
#include "dfmt-crypt.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char word[] = "mdb-secret-key-1";

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
dfmt_key_hex(const char *text, size_t len, uint8_t *key_out)
{
	if (len != 2 * DFMT_KEY_LEN)
		return false;
	for (size_t i = 0; i < DFMT_KEY_LEN; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		key_out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* Exactly the word, one blank, the digits. */
static bool
line_parse(const char *line, size_t len, uint8_t *secret_out)
{
	const size_t n = sizeof(word) - 1;

	return len > n + 1 && memcmp(line, word, n) == 0 && line[n] == ' ' &&
	       dfmt_key_hex(line + n + 1, len - n - 1, secret_out);
}

bool
dfmt_key_parse(const char *text, size_t len, uint8_t *secret_out)
{
	unsigned int found = 0;

	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t line = end ? (size_t)(end - text) : len;
		size_t used = end ? line + 1 : line;

		if (line && text[0] != '#') {
			if (!line_parse(text, line, secret_out))
				return false;
			found++;
		}
		text += used;
		len -= used;
	}
	return found == 1;
}

const char *
dfmt_key_load(const char *path, uint8_t *secret_out)
{
	char text[DFMT_KEYFILE_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
	bool good = n > 0 && (size_t)n < sizeof(text) &&
		    dfmt_key_parse(text, (size_t)n, secret_out);

	if (fd >= 0)
		(void)close(fd);
	explicit_bzero(text, sizeof(text));
	if (n < 0)
		return "the key file cannot be read";
	return good ? NULL : "it is no key file (dumpadm keygen makes one)";
}

static size_t
hex_put(char *out, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
	return 2 * len;
}

const char *
dfmt_key_id_text(const uint8_t *id, char *text)
{
	(void)hex_put(text, id, DFMT_KEY_ID_LEN);
	return text;
}

size_t
dfmt_key_format(const uint8_t *secret, char *out)
{
	uint8_t public_key[DFMT_KEY_LEN], id[DFMT_KEY_ID_LEN];
	char digits[2 * DFMT_KEY_LEN + 1], name[DFMT_KEY_ID_TEXT];
	size_t len;

	dfmt_crypt_public(secret, public_key);
	dfmt_crypt_key_id(public_key, id);
	(void)hex_put(digits, public_key, sizeof(public_key));
	len = (size_t)snprintf(out, DFMT_KEYFILE_MAX,
		"# Reads encrypted dumps: keep it away from the machines that "
		"make them.\n# id %s\n# public key %s\n",
		dfmt_key_id_text(id, name), digits);
	(void)hex_put(digits, secret, DFMT_KEY_LEN);
	len += (size_t)snprintf(out + len, DFMT_KEYFILE_MAX - len, "%s %s\n",
		word, digits);
	explicit_bzero(digits, sizeof(digits));
	return len;
}
