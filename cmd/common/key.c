/* SPDX-License-Identifier: MIT */
/* Keys: loaded, missed, made.  See key.h. */
#include "cmd/common/key.h"

#include "cmd/common/device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum cmd_status
cmd_key_load(struct cmd_key *key, const char *path, struct cmd_error *err)
{
	const char *why = dfmt_key_load(path, key->secret);

	key->given = why == NULL;
	return why == NULL ? CMD_OK
			   : cmd_fail(err, CMD_OPEN, "%s: %s", path, why);
}

enum cmd_status
cmd_key_check(const struct dfmt *d, const char *path, struct cmd_error *err)
{
	const struct dfmt_native *n = dfmt_native_get(d);
	char id[DFMT_KEY_ID_TEXT];

	if (n == NULL || !n->locked)
		return CMD_OK;
	if (!n->has_keys)
		return cmd_fail(err, CMD_OPEN,
			"%s is encrypted, and what its key was made of is lost",
			path);
	return cmd_fail(err, CMD_OPEN,
		"%s is encrypted to key %s: give it "
		"with --key",
		path, dfmt_key_id_text(n->key_id, id));
}

static enum cmd_status
write_file(const char *path, const char *text, size_t len,
	struct cmd_error *err)
{
	int fd = open(path,
		O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool good;

	if (fd < 0)
		return cmd_fail_errno(err, CMD_FAILED, "%s", path);
	good = fchmod(fd, 0600) == 0 && cmd_pwrite_all(fd, text, len, 0) &&
	       fsync(fd) == 0;
	if (close(fd) == 0 && good)
		return CMD_OK;
	(void)cmd_fail_errno(err, CMD_FAILED, "%s", path);
	(void)unlink(path);
	return CMD_FAILED;
}

enum cmd_status
cmd_key_make(const char *path, struct cmd_error *err)
{
	uint8_t secret[DFMT_KEY_LEN], public_key[DFMT_KEY_LEN];
	char text[DFMT_KEYFILE_MAX];
	enum cmd_status st;

	if (getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
		return cmd_fail_errno(err, CMD_FAILED, "getrandom");
	st = write_file(path, text, dfmt_key_format(secret, text), err);
	dfmt_crypt_public(secret, public_key);
	explicit_bzero(secret, sizeof(secret));
	explicit_bzero(text, sizeof(text));
	if (st != CMD_OK)
		return st;
	for (size_t i = 0; i < sizeof(public_key); i++)
		(void)printf("%02x", public_key[i]);
	(void)putchar('\n');
	return CMD_OK;
}
