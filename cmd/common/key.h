/* SPDX-License-Identifier: MIT */
/* The secret key of encrypted dumps, as the programs take it. */
#ifndef CMD_COMMON_KEY_H
#define CMD_COMMON_KEY_H

#include "cmd/common/error.h"
#include "dfmt-crypt.h"

struct cmd_key {
	bool given;
	uint8_t secret[DFMT_KEY_LEN];
};

/* From a key file. */
enum cmd_status cmd_key_load(struct cmd_key *key, const char *path,
	struct cmd_error *err);

/* CMD_OPEN for a dump that is encrypted and was opened without its key. */
enum cmd_status cmd_key_check(const struct dfmt *d, const char *path,
	struct cmd_error *err);

/* Makes a key file at path, which must not be there, and prints the public key.
 */
enum cmd_status cmd_key_make(const char *path, struct cmd_error *err);

#endif
