/* SPDX-License-Identifier: MIT */
/*
 * A stack that ran over: the first store below its base faults.  cr2 tells
 * which, unless the exception frame was to go to the same stack: then that
 * faulted too, cr2 is of the second fault, and the first is found from the
 * instruction and the stack pointer that it had.
 */
#include "overflow.h"

/* Bytes of the prefixes; *narrow_out: the operand has 16 bits. */
static size_t
prefixes(const uint8_t *code, size_t len, size_t word, bool *narrow_out)
{
	size_t i = 0;

	*narrow_out = false;
	while (i < len &&
		(code[i] == 0x66 || code[i] == 0x2e || code[i] == 0x36 ||
			code[i] == 0x3e || code[i] == 0x26 || code[i] == 0x64 ||
			code[i] == 0x65 || code[i] == 0xf2)) {
		*narrow_out |= code[i] == 0x66;
		i++;
	}
	if (word == 8 && i < len && (code[i] & 0xf0) == 0x40)
		i++; /* REX */
	return i;
}

/* Of one byte: push of a register, an immediate, the flags; call; enter. */
static bool
is_push(uint8_t op, size_t word)
{
	if ((op >= 0x50 && op <= 0x57) || op == 0x68 || op == 0x6a ||
		op == 0x9c || op == 0xe8 || op == 0xc8)
		return true;
	/* push of a segment register; pusha */
	return word == 4 && (op == 0x06 || op == 0x0e || op == 0x16 ||
				    op == 0x1e || op == 0x60);
}

unsigned int
overflow_pushes(const uint8_t *code, size_t len, size_t word)
{
	bool narrow, found = false;
	size_t i = prefixes(code, len, word, &narrow);

	if (i < len && is_push(code[i], word))
		found = true;
	else if (i + 1 < len && code[i] == 0x0f) /* push %fs, %gs */
		found = code[i + 1] == 0xa0 || code[i + 1] == 0xa8;
	else if (i + 1 < len && code[i] == 0xff) /* call, push of memory */
		found = (code[i + 1] >> 3 & 7) == 2 ||
			(code[i + 1] >> 3 & 7) == 6;
	if (!found)
		return 0;
	return narrow ? 2 : (unsigned int)word;
}

static bool
is_below(const struct overflow_facts *f, mdb_addr_t addr)
{
	return addr < f->base && f->base - addr <= OVERFLOW_REACH;
}

void
overflow_judge(const struct overflow_facts *f, struct overflow *out)
{
	unsigned int size = overflow_pushes(f->code, f->code_len, f->word);
	mdb_addr_t mask = f->word == 4 ? UINT32_MAX : UINT64_MAX;
	mdb_addr_t store = (f->sp - size) & mask;

	*out = (struct overflow){ 0 };
	/* It was on another stack. */
	if (f->base == 0 || f->sp >= f->end ||
		(f->sp < f->base && !is_below(f, f->sp)))
		return;
	if (size != 0 && is_below(f, store)) {
		out->is_overflow = out->has_store = true;
		out->store = store;
		out->has_delivery =
			f->has_cr2 && f->cr2 != store && is_below(f, f->cr2);
		out->delivery = f->cr2;
	} else if (f->has_cr2 && is_below(f, f->cr2)) {
		out->is_overflow = true;
		out->has_store = f->sp >= f->base || f->cr2 >= f->sp;
		out->store = f->cr2;
		out->has_delivery = !out->has_store;
		out->delivery = f->cr2;
	} else {
		out->is_overflow = f->sp < f->base;
	}
}
