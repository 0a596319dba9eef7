/* SPDX-License-Identifier: MIT */
#include "mdb/sym/coderef.h"

#include <Zydis/Zydis.h>
#include <stdbool.h>

static bool
transfers_control(const ZydisDecodedInstruction *i)
{
	return i->meta.category == ZYDIS_CATEGORY_CALL ||
	       i->meta.category == ZYDIS_CATEGORY_UNCOND_BR ||
	       i->meta.category == ZYDIS_CATEGORY_NOP ||
	       i->meta.category == ZYDIS_CATEGORY_WIDENOP;
}

/* Is there an operand relative to rip?  mod 0, rm 5 of 64-bit code. */
static bool
is_reference(const ZydisDecodedInstruction *i)
{
	return (i->attributes & ZYDIS_ATTRIB_HAS_MODRM) &&
	       i->raw.modrm.mod == 0 && i->raw.modrm.rm == 5 &&
	       i->raw.disp.size == 32 && !transfers_control(i);
}

size_t
mdb_coderef_list(const uint8_t *code, size_t len, uint64_t addr,
	uint64_t *targets_out, size_t max)
{
	ZydisDecodedInstruction i;
	ZydisDecoder decoder;
	size_t count = 0;

	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64,
		ZYDIS_STACK_WIDTH_64);
	for (size_t at = 0; at < len; at += i.length) {
		if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, NULL,
			    code + at, len - at, &i))) {
			i.length = 1;
			continue;
		}
		if (!is_reference(&i))
			continue;
		if (count < max)
			targets_out[count] = addr + at + i.length +
					     (uint64_t)i.raw.disp.value;
		count++;
	}
	return count;
}
