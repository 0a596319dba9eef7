/* SPDX-License-Identifier: MIT */
/*
 * Any bytes: the first chooses the mode, the rest is a text.  Every byte must
 * belong to exactly one instruction, and a line must fit its bounds.
 */
#include "mdb/stack/dis.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static size_t
symbol(void *arg, uint64_t addr, char *buf, size_t len)
{
	(void)arg;
	if (addr & 1)
		return 0;
	memset(buf, 'n', len);
	return len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const unsigned int modes[] = { 64, 32, 16 };
	struct mdb_insn in;
	char text[MDB_INSN_TEXT];

	if (len == 0)
		return 0;
	for (size_t pos = 1; pos < len; pos += in.len) {
		mdb_insn_decode(data + pos, len - pos, pos, modes[data[0] % 3],
			&in);
		if (in.len == 0 || in.len > len - pos ||
			(in.kind == MDB_INSN_INVALID && in.len != 1))
			abort();
		if (mdb_insn_format(&in, NULL, NULL, text, sizeof(text)) >=
				sizeof(text) ||
			!text[0])
			abort();
		mdb_insn_format(&in, symbol, NULL, text, sizeof(text));
		if (memchr(text, 0, sizeof(text)) == NULL)
			abort();
	}
	return 0;
}
