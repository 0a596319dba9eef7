/* SPDX-License-Identifier: MIT */
/*
 * Is an address where a call returns to?  An x86 call is E8 rel32, or FF /2
 * with a register or memory operand, perhaps with prefixes.  Code of other
 * lengths may look like one by chance, so a yes is necessary for a return
 * address and not sufficient.
 */
#include "mdb/stack/unwind.h"

/* Bytes of an FF /2 from its opcode on; 0 if it is none. */
static size_t
indirect_len(const uint8_t *p, size_t len)
{
	unsigned int mod, rm;
	size_t need = 2;

	if (len < 2 || p[0] != 0xff || (p[1] >> 3 & 7) != 2)
		return 0;
	mod = p[1] >> 6;
	rm = p[1] & 7;
	if (mod == 3)
		return 2;
	if (rm == 4) {
		if (len < 3)
			return 0;
		need++;
		if (mod == 0 && (p[2] & 7) == 5)
			return need + 4;
	}
	if (mod == 0 && rm == 5)
		return need + 4;
	return need + (mod == 1 ? 1 : mod == 2 ? 4 : 0);
}

bool
mdb_call_ends(const uint8_t *bytes, size_t len, bool is_64bit)
{
	/* In 32-bit code the same operand lengths hold for what is used. */
	(void)is_64bit;
	if (len >= 5 && bytes[len - 5] == 0xe8)
		return true;
	for (size_t n = 2; n <= 7 && n <= len; n++)
		if (indirect_len(bytes + len - n, n) == n)
			return true;
	return false;
}

/* The text that stays; init code is freed and its pages are reused. */
static bool
is_lasting(const struct mdb_object *object, mdb_addr_t pc)
{
	return object && pc > object->base && pc <= object->end;
}

static enum mdb_call_check
check(struct mdb_unwind *u, mdb_addr_t pc)
{
	/* Less where the page before cannot be read. */
	static const uint8_t lens[] = { 7, 5, 2 };
	uint8_t bytes[7];

	for (size_t i = 0; i < sizeof(lens); i++) {
		size_t n = lens[i];

		if (pc < n || mdb_space_try(u->world->space, pc - n, bytes,
				      n) != MDB_OK)
			continue;
		return mdb_call_ends(bytes, n, u->world->arch->word == 8)
			       ? MDB_CALL_YES
			       : MDB_CALL_NO;
	}
	return MDB_CALL_UNKNOWN;
}

enum mdb_call_check
mdb_unwind_check_call(struct mdb_unwind *u, mdb_addr_t pc)
{
	struct mdb_object *object = mdb_unwind_object(u, pc);
	struct mdb_unwind_table *t;
	size_t slot = (pc ^ pc >> 9) % MDB_TABLE_SLOTS;

	if (!object)
		return check(u, pc);
	if (!is_lasting(object, pc))
		return MDB_CALL_UNKNOWN;
	t = mdb_unwind_table_of(object);
	if (t->calls[slot].pc != pc) {
		t->calls[slot].pc = pc;
		t->calls[slot].verdict = check(u, pc);
	}
	return t->calls[slot].verdict;
}
