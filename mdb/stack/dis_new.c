/* SPDX-License-Identifier: MIT */
/*
 * Instructions younger than the library (Zydis 4.0): those that kernels and
 * hypervisors of today contain.  Without this table it reads them as older
 * ones with a prefix that does nothing (wbinvd), or not at all, and what
 * follows an unread prefix byte would look like another instruction (clac).
 *
 * Encodings: AMD64 APM volume 3 (24594, rev. 3.36): vmgexit, wbnoinvd,
 * rmpquery; Intel SDM volume 2 (325383-084): wrmsrns, rdmsrlist, wrmsrlist;
 * Intel FRED specification (346446-007): erets, eretu, lkgs.
 *
 * All are [f2 or f3] [rex] 0f OPCODE [MODRM], and each but lkgs is a fixed row
 * of bytes.  lkgs has the operand of lldt, which stands in for it.
 */
#include "mdb/stack/dis_impl.h"

#include <string.h>

enum {
	MODRM_LLDT = 2 << 3,
	MODRM_REG = 7 << 3
};

static const struct dis_new table[] = {
	{ 0xf3, 0x09, 0, DIS_NEW_NO_MODRM, "wbnoinvd", MDB_INSN_OTHER },
	{ 0xf2, 0x01, 0xd9, DIS_NEW_FIXED, "vmgexit", MDB_INSN_OTHER },
	{ 0xf3, 0x01, 0xd9, DIS_NEW_FIXED, "vmgexit", MDB_INSN_OTHER },
	{ 0xf3, 0x01, 0xfd, DIS_NEW_FIXED, "rmpquery", MDB_INSN_OTHER },
	{ 0xf2, 0x01, 0xca, DIS_NEW_FIXED, "erets", MDB_INSN_RET },
	{ 0xf3, 0x01, 0xca, DIS_NEW_FIXED, "eretu", MDB_INSN_RET },
	{ 0x00, 0x01, 0xc6, DIS_NEW_FIXED, "wrmsrns", MDB_INSN_OTHER },
	{ 0xf2, 0x01, 0xc6, DIS_NEW_FIXED, "rdmsrlist", MDB_INSN_OTHER },
	{ 0xf3, 0x01, 0xc6, DIS_NEW_FIXED, "wrmsrlist", MDB_INSN_OTHER },
	{ 0xf2, 0x00, 6 << 3, DIS_NEW_LIKE_LLDT, "lkgs", MDB_INSN_OTHER },
};

static bool
matches(const struct dis_new *n, uint8_t prefix, const uint8_t *rest, size_t nr)
{
	if (n->prefix != prefix || nr < 1 || rest[0] != n->opcode)
		return false;
	switch (n->form) {
	case DIS_NEW_NO_MODRM:
		return true;
	case DIS_NEW_FIXED:
		return nr >= 2 && rest[1] == n->modrm;
	case DIS_NEW_LIKE_LLDT:
		return nr >= 2 && (rest[1] & MODRM_REG) == n->modrm;
	}
	return false;
}

const struct dis_new *
dis_new_find(const uint8_t *bytes, size_t nr, unsigned int bits,
	uint8_t *stand_in, size_t *len_out)
{
	size_t pos = 0;
	uint8_t prefix = 0;

	if (pos < nr && (bytes[pos] == 0xf2 || bytes[pos] == 0xf3))
		prefix = bytes[pos++];
	if (pos < nr && bits == 64 && (bytes[pos] & 0xf0) == 0x40)
		pos++;
	if (pos >= nr || bytes[pos++] != 0x0f)
		return NULL;
	for (size_t k = 0; k < sizeof(table) / sizeof(*table); k++) {
		const struct dis_new *n = &table[k];

		if (!matches(n, prefix, bytes + pos, nr - pos))
			continue;
		memcpy(stand_in, bytes, nr);
		if (n->form == DIS_NEW_LIKE_LLDT)
			stand_in[pos + 1] =
				(uint8_t)((bytes[pos + 1] & ~MODRM_REG) |
					  MODRM_LLDT);
		*len_out = pos + (n->form == DIS_NEW_NO_MODRM ? 1 : 2);
		return n;
	}
	return NULL;
}
